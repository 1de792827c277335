/*
 * The key pool against a model of it, and against its promises: no byte twice, nothing kept that
 * was handed out, nothing out of a source that failed.
 */
#include "support.h"

#include "kernel.h"

#include <hawser/key_pool.h>

#include <stdlib.h>
#include <string.h>

#ifdef HWS_TEST_REDUCED
enum { SEEDS = 2, LENGTH_STEP = 7 };
#else
enum { SEEDS = 20, LENGTH_STEP = 1 };
#endif

enum {
    REFILL = HWS_KEY_POOL_REFILL_LEN,
    REFILLS = HWS_KEY_POOL_REFILLS,
    SEED = HWS_KEY_POOL_SEED_LEN,
    PER_SEED = REFILL * REFILLS,
    LONGEST = 3000
};

/* A source that fails when told to, and then has half written. Remembers what it gave last. */
typedef struct source {
    uint64_t seed;
    unsigned calls;
    unsigned fail_at; /* the call that fails; 0: none */
    uint8_t last[SEED];
} source;

static hws_status draw_seed(void *user, uint8_t *dst, size_t len) {
    source *s = user;
    assert_int_equal(len, SEED);
    s->calls++;
    if (s->calls == s->fail_at) {
        memset(dst, 0xEE, len / 2);
        return HWS_ERR_SYSTEM;
    }
    random_fill(&s->seed, dst, len);
    memcpy(s->last, dst, len);
    return HWS_OK;
}

/* The same thing, said another way: an expansion is kept whole, with a position in it. */
typedef struct model {
    source source;
    uint8_t key[SEED];
    uint8_t bytes[HWS__CHACHA_LEN];
    size_t end; /* the unused ones are bytes[SEED … end) */
    unsigned expansions;
} model;

static void model_expand(model *m) {
    if (m->expansions % REFILLS == 0) {
        uint8_t seed[SEED];
        draw_seed(&m->source, seed, sizeof seed);
        for (size_t i = 0; i < SEED; i++) {
            m->key[i] = (uint8_t)(m->key[i] ^ seed[i]);
        }
    }
    hws__chacha8_portable(m->bytes, m->key);
    memcpy(m->key, m->bytes, SEED);
    m->end = HWS__CHACHA_LEN;
    m->expansions++;
}

/* At most one expansion's worth. */
static void model_take(model *m, uint8_t *dst, size_t len) {
    if (m->end < SEED + len) {
        model_expand(m);
    }
    m->end -= len;
    memcpy(dst, m->bytes + m->end, len);
}

static void model_draw(model *m, uint8_t *dst, size_t len) {
    while (len > REFILL) {
        model_take(m, dst, REFILL);
        dst += REFILL;
        len -= REFILL;
    }
    model_take(m, dst, len);
}

static model model_from(uint64_t seed) {
    return (model){.source = {.seed = seed}, .end = SEED};
}

/* Whether any 8 bytes of `data` stand in the memory of a pool. */
static int holds(const hws_key_pool *pool, const uint8_t *data, size_t len) {
    const uint8_t *memory = (const uint8_t *)(const void *)pool;
    for (size_t i = 0; i + 8 <= len; i++) {
        for (size_t at = 0; at + 8 <= sizeof *pool; at++) {
            if (memcmp(memory + at, data + i, 8) == 0) {
                return 1;
            }
        }
    }
    return 0;
}

static void draw(hws_key_pool *pool, uint8_t *dst, size_t len) {
    assert_int_equal(hws_key_pool_random(pool, dst, len), HWS_OK);
}

/* --- what comes ----------------------------------------------------------------------------------
 */

static void requests_of_any_length_give_what_the_model_gives(void **context) {
    source s = {.seed = 5};
    model m = model_from(5);
    hws_key_pool pool;
    uint64_t choice = 77;
    size_t total = 0;
    (void)context;
    hws_key_pool_init(&pool, draw_seed, &s);
    while (total < (size_t)SEEDS * PER_SEED) {
        static uint8_t got[LONGEST];
        static uint8_t wanted[LONGEST];
        uint64_t r = random_next(&choice) >> 20;
        size_t len = r % 4 == 0 ? (size_t)(r >> 8) % LONGEST : r % 4 == 1 ? (r >> 8) % 40 : 4;
        draw(&pool, got, len);
        model_draw(&m, wanted, len);
        assert_memory_equal(got, wanted, len);
        assert_int_equal(s.calls, m.source.calls);
        total += len;
    }
    assert_in_range(s.calls, SEEDS, (2 * SEEDS));
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Two equal ones among so many of 64 bits would come by chance once in 2^32 runs. */
static void no_byte_comes_twice(void **context) {
    enum { COUNT = SEEDS * PER_SEED / 8 };
    uint64_t *list = calloc(COUNT, sizeof *list);
    source s = {.seed = 9};
    hws_key_pool pool;
    (void)context;
    assert_non_null(list);
    hws_key_pool_init(&pool, draw_seed, &s);
    for (size_t i = 0; i < COUNT; i++) {
        draw(&pool, (uint8_t *)&list[i], 4);
        draw(&pool, (uint8_t *)&list[i] + 4, 4);
    }
    qsort(list, COUNT, sizeof *list, compare);
    for (size_t i = 1; i < COUNT; i++) {
        assert_true(list[i - 1] != list[i]);
    }
    free(list);
}

static void every_length_is_filled_and_no_more(void **context) {
    source s = {.seed = 3};
    model m = model_from(3);
    hws_key_pool pool;
    (void)context;
    hws_key_pool_init(&pool, draw_seed, &s);
    for (size_t len = 0; len <= LONGEST; len += LENGTH_STEP) {
        uint8_t wanted[LONGEST];
        uint8_t *room = guard_alloc(len + 1);
        uint8_t *dst = room + 1; /* it ends where the page does */
        room[0] = 0x5A;
        draw(&pool, dst, len);
        model_draw(&m, wanted, len);
        assert_memory_equal(dst, wanted, len);
        assert_int_equal(room[0], 0x5A);
        guard_free(room, len + 1);
    }
}

static void an_expansion_is_handed_out_to_its_last_byte(void **context) {
    source s = {.seed = 4};
    model m = model_from(4);
    hws_key_pool pool;
    (void)context;
    hws_key_pool_init(&pool, draw_seed, &s);
    for (size_t len = 0; len <= REFILL; len++) {
        uint8_t got[REFILL];
        uint8_t wanted[REFILL];
        draw(&pool, got, len);
        draw(&pool, got + len, REFILL - len);
        model_draw(&m, wanted, len);
        model_draw(&m, wanted + len, REFILL - len);
        assert_memory_equal(got, wanted, REFILL);
        assert_int_equal(s.calls, len / REFILLS + 1);
    }
}

static void no_bytes_need_no_buffer_and_no_source(void **context) {
    source s = {.seed = 1};
    hws_key_pool pool;
    (void)context;
    hws_key_pool_init(&pool, draw_seed, &s);
    draw(&pool, NULL, 0);
    assert_int_equal(s.calls, 0);
}

/* --- what stays ----------------------------------------------------------------------------------
 */

static void bytes_are_wiped_as_they_are_handed_out(void **context) {
    const size_t lens[] = {8, 16, 9, 250, REFILL, LONGEST};
    source s = {.seed = 11};
    hws_key_pool pool;
    (void)context;
    hws_key_pool_init(&pool, draw_seed, &s);
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        uint8_t got[LONGEST];
        draw(&pool, got, lens[i]);
        assert_false(holds(&pool, got, lens[i]));
    }
}

/* A key of 4 bytes is too short to be looked for; two, side by side in the pool, are not. */
static void mask_keys_are_wiped_as_they_are_handed_out(void **context) {
    source s = {.seed = 12};
    hws_key_pool pool;
    (void)context;
    hws_key_pool_init(&pool, draw_seed, &s);
    for (size_t i = 0; i < REFILL / 8; i++) {
        uint8_t pair[8];
        draw(&pool, pair + 4, 4);
        draw(&pool, pair, 4);
        assert_false(holds(&pool, pair, 8));
    }
}

/* Neither a seed nor the key of an expansion is there once it was used: what was handed out cannot
 * be made again. */
static void keys_are_erased_at_once(void **context) {
    source s = {.seed = 13};
    model m = model_from(13);
    hws_key_pool pool;
    (void)context;
    hws_key_pool_init(&pool, draw_seed, &s);
    for (size_t i = 0; i < 2 * REFILLS + 1; i++) {
        uint8_t used[SEED];
        uint8_t got[REFILL];
        memcpy(used, m.key, SEED);
        draw(&pool, got, 4);
        model_draw(&m, got, 4);
        assert_true(i == 0 || !holds(&pool, used, SEED));
        assert_false(holds(&pool, s.last, SEED));
        assert_true(holds(&pool, m.key, SEED)); /* so it would have been found */
        draw(&pool, got, REFILL - 4);
        model_draw(&m, got, REFILL - 4);
    }
}

static void clearing_wipes_all_and_asks_for_a_seed(void **context) {
    source s = {.seed = 14};
    hws_key_pool pool;
    hws_key_pool copy;
    hws_key_pool fresh;
    uint8_t a[16];
    uint8_t b[16];
    (void)context;
    hws_key_pool_init(&pool, draw_seed, &s);
    hws_key_pool_init(&fresh, draw_seed, &s);
    draw(&pool, a, sizeof a);
    copy = pool;
    hws_key_pool_clear(&pool);
    assert_memory_equal(&pool, &fresh, sizeof pool);
    draw(&pool, a, sizeof a);
    draw(&copy, b, sizeof b);
    assert_int_equal(s.calls, 2);
    assert_memory_not_equal(a, b, sizeof a);
}

/* --- the source ----------------------------------------------------------------------------------
 */

static void the_source_is_asked_once_for_so_many_keys(void **context) {
    source s = {.seed = 15};
    hws_key_pool pool;
    uint8_t key[4];
    (void)context;
    hws_key_pool_init(&pool, draw_seed, &s);
    assert_int_equal(s.calls, 0);
    for (unsigned seeds = 1; seeds <= SEEDS; seeds++) {
        for (size_t i = 0; i < PER_SEED / 4; i++) {
            draw(&pool, key, sizeof key);
            assert_int_equal(s.calls, seeds);
        }
    }
}

static hws_status draw_constant(void *user, uint8_t *dst, size_t len) {
    memset(dst, *(const uint8_t *)user, len);
    return HWS_OK;
}

/* A source that gives the same seed again does not make the pool give the same bytes again. */
static void a_seed_is_added_to_the_key(void **context) {
    uint8_t value = 0x77;
    uint8_t first[PER_SEED];
    uint8_t second[PER_SEED];
    hws_key_pool pool;
    (void)context;
    hws_key_pool_init(&pool, draw_constant, &value);
    draw(&pool, first, sizeof first);
    draw(&pool, second, sizeof second);
    for (size_t i = 0; i + 8 <= PER_SEED; i += 8) {
        assert_memory_not_equal(first + i, second + i, 8);
    }
}

/* The k-th call fails, for every k: no byte is written, and the next call is served. */
static void a_source_that_fails_yields_no_byte(void **context) {
    (void)context;
    for (unsigned k = 1; k <= 4; k++) {
        source s = {.seed = 16, .fail_at = k};
        model m = model_from(16);
        hws_key_pool pool;
        size_t total = 0;
        unsigned failures = 0;
        hws_key_pool_init(&pool, draw_seed, &s);
        while (total < 4 * PER_SEED) {
            uint8_t key[4] = {1, 2, 3, 4};
            uint8_t wanted[4];
            if (hws_key_pool_random(&pool, key, 4) != HWS_OK) {
                failures++;
                assert_int_equal(total % PER_SEED, 0);
                assert_memory_equal(key, "\1\2\3\4", 4);
                continue;
            }
            model_draw(&m, wanted, 4);
            assert_memory_equal(key, wanted, 4);
            total += 4;
        }
        assert_int_equal(failures, 1);
        assert_int_equal(s.calls, 5);
    }
}

/* As above for a length that only several expansions serve: zeros where bytes had been written. */
static void a_long_request_is_served_whole_or_not_at_all(void **context) {
    static uint8_t dst[3 * PER_SEED];
    static const uint8_t zeros[sizeof dst];
    (void)context;
    for (unsigned k = 1; k <= 3; k++) {
        source s = {.seed = 17, .fail_at = k};
        size_t served = (size_t)(k - 1) * PER_SEED;
        hws_key_pool pool;
        hws_key_pool_init(&pool, draw_seed, &s);
        memset(dst, 0x5A, sizeof dst);
        assert_int_equal(hws_key_pool_random(&pool, dst, sizeof dst), HWS_ERR_RANDOM);
        assert_memory_equal(dst, zeros, served);
        for (size_t i = served; i < sizeof dst; i++) {
            assert_int_equal(dst[i], 0x5A);
        }
        draw(&pool, dst, sizeof dst);
        assert_int_equal(s.calls, k + 3);
    }
}

/* What a pool has left is of no use for a longer request that fails, and is not served after it
 * without the source either. */
static void after_a_failure_the_source_is_asked_first(void **context) {
    source s = {.seed = 18, .fail_at = 2};
    hws_key_pool pool;
    static uint8_t dst[PER_SEED];
    uint8_t key[5] = {0};
    (void)context;
    hws_key_pool_init(&pool, draw_seed, &s);
    draw(&pool, dst, PER_SEED - REFILL);
    draw(&pool, dst, REFILL - 4);
    assert_int_equal(s.calls, 1);
    assert_int_equal(hws_key_pool_random(&pool, key, 5), HWS_ERR_RANDOM);
    s.fail_at = 3;
    assert_int_equal(hws_key_pool_random(&pool, key, 4), HWS_ERR_RANDOM);
    assert_memory_equal(key, "\0\0\0\0\0", 5);
    draw(&pool, key, 4);
    assert_int_equal(s.calls, 4);
}

/* Only HWS_OK is success: base.h. */
static hws_status give_event(void *user, uint8_t *dst, size_t len) {
    memset(dst, 1, len);
    return *(const hws_status *)user;
}

static void any_other_result_of_the_source_is_a_failure(void **context) {
    hws_status results[] = {HWS_EVENT, HWS_NEED_MORE, HWS_ERR_ARGUMENT, HWS_ERR_RANDOM, -1000};
    (void)context;
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        uint8_t key[4] = {0};
        hws_key_pool pool;
        hws_key_pool_init(&pool, give_event, &results[i]);
        assert_int_equal(hws_key_pool_random(&pool, key, 4), HWS_ERR_RANDOM);
        assert_memory_equal(key, "\0\0\0\0", 4);
    }
}

/* --- its use -------------------------------------------------------------------------------------
 */

static void a_connection_takes_its_mask_keys_from_a_pool(void **context) {
    source s = {.seed = 19, .fail_at = 2};
    model m = model_from(19);
    hws_key_pool pool;
    hws_conn conn;
    hws_conn_config config = test_conn_config(HWS_ROLE_CLIENT);
    uint8_t out[16];
    size_t n = 0;
    (void)context;
    hws_key_pool_init(&pool, draw_seed, &s);
    config.random = hws_key_pool_random;
    config.random_user = &pool;
    assert_int_equal(hws_conn_init(&conn, &config), HWS_OK);
    for (size_t i = 0; i < PER_SEED / 4; i++) {
        uint8_t wanted[4];
        n = 0;
        assert_int_equal(hws_conn_send(&conn, HWS_BINARY, HWS_WHOLE, NULL, 0, out, sizeof out, &n),
                         HWS_OK);
        model_draw(&m, wanted, 4);
        assert_int_equal(n, 6);
        assert_memory_equal(out + 2, wanted, 4);
    }
    n = 0;
    assert_int_equal(hws_conn_send(&conn, HWS_BINARY, HWS_WHOLE, NULL, 0, out, sizeof out, &n),
                     HWS_ERR_RANDOM);
    assert_int_equal(n, 0);
    assert_int_equal(hws_conn_send(&conn, HWS_BINARY, HWS_WHOLE, NULL, 0, out, sizeof out, &n),
                     HWS_OK);
}

#define TEST(name, function)                                                                       \
    { name, function, NULL, NULL, NULL }

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST("requests of any length give what the model gives",
             requests_of_any_length_give_what_the_model_gives),
        TEST("RFC 6455 10.3: no byte comes twice", no_byte_comes_twice),
        TEST("every length is filled, and no more", every_length_is_filled_and_no_more),
        TEST("an expansion is handed out to its last byte",
             an_expansion_is_handed_out_to_its_last_byte),
        TEST("no bytes need no buffer and no source", no_bytes_need_no_buffer_and_no_source),
        TEST("bytes are wiped as they are handed out", bytes_are_wiped_as_they_are_handed_out),
        TEST("mask keys are wiped as they are handed out",
             mask_keys_are_wiped_as_they_are_handed_out),
        TEST("RFC 6455 10.3: keys are erased at once", keys_are_erased_at_once),
        TEST("clearing wipes all and asks for a seed", clearing_wipes_all_and_asks_for_a_seed),
        TEST("the source is asked once for so many keys",
             the_source_is_asked_once_for_so_many_keys),
        TEST("a seed is added to the key", a_seed_is_added_to_the_key),
        TEST("RFC 6455 10.3: a source that fails yields no byte",
             a_source_that_fails_yields_no_byte),
        TEST("a long request is served whole or not at all",
             a_long_request_is_served_whole_or_not_at_all),
        TEST("after a failure the source is asked first",
             after_a_failure_the_source_is_asked_first),
        TEST("any other result of the source is a failure",
             any_other_result_of_the_source_is_a_failure),
        TEST("RFC 6455 5.3: a connection takes its mask keys from a pool",
             a_connection_takes_its_mask_keys_from_a_pool),
    };
    return cmocka_run_group_tests_name("key_pool", tests, NULL, NULL);
}
