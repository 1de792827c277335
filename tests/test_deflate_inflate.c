/*
 * hws_deflate_decompress(): which payloads are whole messages, against an oracle that decodes bit
 * by bit; and what its callers can do wrong. Must not know what the decompressor keeps.
 */
#include "deflate_harness.h"
#include "slow_inflate.h"

#include <stdlib.h>
#include <string.h>

enum { CLIENT = HWS_ROLE_CLIENT, OUT = 8192, PAYLOAD = 512 };

#ifdef HWS_TEST_REDUCED
enum { TRIPLE_STEP = 4001, MUTATIONS = 2000 };
#else
enum { TRIPLE_STEP = 7, MUTATIONS = 150000 };
#endif

static const deflate_row plain_row = {.role = CLIENT, .window_bits = 9, .no_takeover = 1};

/* Memory of one decompressor at a time, which costs less than that of malloc(). */
typedef struct pool {
    uint64_t memory[8192];
    size_t used;
    int kept;
    unsigned calls;
    unsigned fail_at; /* the call that gets nothing, from 1; 0: none */
} pool;

static pool one_pool;

static void *pool_alloc(void *user, size_t len) {
    pool *p = user;
    void *memory = p->memory + p->used;
    p->calls++;
    if (p->calls == p->fail_at) {
        return NULL;
    }
    p->used += (len + 15) / 16 * 2;
    assert_true(p->used <= sizeof p->memory / sizeof p->memory[0]);
    p->kept++;
    return memory;
}

static void pool_release(void *user, void *memory) {
    pool *p = user;
    assert_non_null(memory);
    p->kept--;
    if (p->kept == 0) {
        p->used = 0;
    }
}

static const hws_allocator allocator = {pool_alloc, pool_release, &one_pool};

/* One message in one piece, with rooms of `step` bytes. */
static hws_status decompress(hws_deflate *d, const uint8_t *src, size_t len, uint8_t *out,
                             size_t step, size_t *n) {
    hws_status status = HWS_MORE;
    size_t used = 0;
    while (status == HWS_MORE) {
        size_t cap = *n + step < OUT ? *n + step : OUT;
        status = hws_deflate_decompress(d, HWS_BINARY, HWS_WHOLE, src, len, &used, out, cap, n);
    }
    assert_true(status != HWS_OK || used == len);
    return status;
}

/* A deflate that has not failed: one that has is made anew. */
static void judge(hws_deflate *d, const uint8_t *src, size_t len, size_t step) {
    static uint8_t expected[OUT];
    static uint8_t got[OUT];
    size_t expected_len = 0;
    size_t n = 0;
    int whole = slow_message(src, len, expected, sizeof expected, &expected_len);
    hws_status status = decompress(d, src, len, got, step, &n);
    if (status != (whole ? HWS_OK : HWS_ERR_INFLATE) ||
        (whole && (n != expected_len || memcmp(got, expected, n) != 0))) {
        size_t i = 0;
        print_error("payload of %zu bytes:", len);
        while (i < len) {
            print_error(" %02x", src[i++]);
        }
        print_error("\n  oracle %d, %zu bytes; got %s, %zu bytes\n", whole, expected_len,
                    hws_status_name(status), n);
        fail();
    }
    if (!whole) {
        hws_conn conn;
        hws_deflate_release(d);
        assert_int_equal(one_pool.kept, 0);
        deflate_harness_open(&plain_row, &allocator, &conn, d);
    }
}

static void open_plain(hws_deflate *d) {
    hws_conn conn;
    one_pool = (pool){.used = 0};
    deflate_harness_open(&plain_row, &allocator, &conn, d);
}

static void short_payloads_are_judged_as_by_the_oracle(void **state) {
    hws_deflate d;
    uint32_t value = 0;
    uint8_t *src = guard_alloc(3);
    (void)state;

    open_plain(&d);
    judge(&d, src + 3, 0, OUT);
    while (value < 1 << 8) {
        src[2] = (uint8_t)value++;
        judge(&d, src + 2, 1, OUT);
    }
    value = 0;
    while (value < 1 << 16) {
        src[1] = (uint8_t)value;
        src[2] = (uint8_t)(value++ >> 8);
        judge(&d, src + 1, 2, OUT);
    }
    value = 0;
    while (value < 1 << 24) {
        src[0] = (uint8_t)value;
        src[1] = (uint8_t)(value >> 8);
        src[2] = (uint8_t)(value >> 16);
        judge(&d, src, 3, OUT);
        value += TRIPLE_STEP;
    }
    hws_deflate_release(&d);
    guard_free(src, 3);
}

/* Whole messages of all kinds of blocks: stored, fixed, dynamic, with BFINAL, mixed. */
static const char *const messages[] = {
    "f248cdc9c90700",
    "00",
    "01",
    "000500faff48656c6c6f00",
    "f348cdc9c9070000",
    "f24805000000ffffcac9c90700",
    "344f8b150021089a15c4fd5738c0ae7ae427084978ad912c0c06185fb7e89626c73146805a37cecf74b8"
    "6e42c41e299bbc5856f35501724d4bbe973b5b5769fdad5848792bbeff9106ab93aace459ee44743bdd7"
    "c2f3c6033d408d0cf146a014312be879ac75d3ddd873d97af026b971f801",
    "04c1010100300cc320ada4bb7f0b8782171535630dd0cbcd0dd971e0d807",
    "529ca950e46662fcfb85dc2f69befd35afcaf6fdad11d296b8784159334130465b917feb87cfbc6aabb4"
    "0100",
    "4a4c4a4e1c45c4210000",
    "3a71f2d4e93367cf9dbf70f1d2e52b57af5dbf71f3d6ed3b77efdd7ff0f0d1e3274f9f3d7ff1f2d5eb37"
    "6fdfbdfff0f1d3e72f5fbf7dfff1f3d7ef3f7ffffd3f41a63e0000",
    "f348cdc9c90700010200fdff616202930000",
    "354f8b150021089a15c4fd5738c0ae7ae427084978ad912c0c06185fb7e89626c73146805a37cecf74b8"
    "6e42c41e299bbc5856f35501724d4bbe973b5b5769fdad5848792bbeff9106ab93aace459ee44743bdd7"
    "c2f3c6033d408d0cf146a014312be879ac75d3ddd873d97af026b971f80100",
    "354f8b150021089a15c4fd5738c0ae7ae427084978ad912c0c06185fb7e89626c73146805a37cecf74b8"
    "6e42c41e299bbc5856f35501724d4bbe973b5b5769fdad5848792bbeff9106ab93aace459ee44743bdd7"
    "c2f3c6033d408d0cf146a014312be879ac75d3ddd873d97af026b971f80104c1010100300cc320ada4bb"
    "7f0b8782171535630dd0cbcd0dd971e018bc604f5cde07",
    "000000ffff01",
    "04c101010000008090adfa3f220000200000000000040000000080000000000010000000000002000000"
    "004000008001",
};

enum { MESSAGES = sizeof messages / sizeof messages[0] };

static void no_part_of_a_message_is_a_message(void **state) {
    size_t i = 0;
    hws_deflate d;
    (void)state;

    open_plain(&d);
    while (i < MESSAGES) {
        uint8_t bytes[PAYLOAD];
        size_t len = hex_decode(messages[i++], bytes, sizeof bytes);
        size_t cut = 0;
        size_t n = 0;
        uint8_t out[OUT];
        assert_int_equal(decompress(&d, bytes, len, out, OUT, &n), HWS_OK);
        while (cut <= len) {
            uint8_t *part = guard_copy(bytes, cut);
            judge(&d, part, cut, OUT);
            judge(&d, part, cut, 1);
            guard_free(part, cut);
            cut++;
        }
    }
    hws_deflate_release(&d);
}

static void mutated_messages_are_judged_as_by_the_oracle(void **state) {
    uint64_t seed = 77;
    size_t i = 0;
    hws_deflate d;
    (void)state;

    open_plain(&d);
    while (i < MUTATIONS) {
        uint8_t bytes[2 * PAYLOAD];
        size_t len = hex_decode(messages[random_next(&seed) % MESSAGES], bytes, PAYLOAD);
        unsigned changes = (unsigned)(random_next(&seed) % 4);
        if (random_next(&seed) % 4 == 0) {
            len += hex_decode(messages[random_next(&seed) % MESSAGES], bytes + len, PAYLOAD);
        }
        while (changes-- > 0) {
            bytes[random_next(&seed) % len] ^= (uint8_t)(1 << random_next(&seed) % 8);
        }
        if (random_next(&seed) % 3 == 0) {
            len = random_next(&seed) % (len + 1);
        }
        if (random_next(&seed) % 8 == 0) {
            random_fill(&seed, bytes, len);
        }
        judge(&d, bytes, len, i % 3 == 0 ? 1 + i % 7 : OUT);
        i++;
    }
    hws_deflate_release(&d);
}

static const uint8_t hello[] = {0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00};
static const uint8_t again[] = {0xF2, 0x00, 0x11, 0x00, 0x00};

static void pieces_out_of_order_change_nothing(void **state) {
    static const deflate_row r = {.role = CLIENT};
    static const deflate_row off = {.role = CLIENT, .no_compression = 1};
    hws_conn conn;
    hws_deflate d;
    hws_deflate none;
    uint8_t out[16];
    size_t used = 0;
    size_t n = 0;
    (void)state;

    deflate_harness_open(&off, NULL, &conn, &none);
    assert_int_equal(
        hws_deflate_decompress(&none, HWS_TEXT, HWS_WHOLE, hello, 7, &used, out, 16, &n),
        HWS_ERR_STATE);
    assert_int_equal(hws_deflate_pending(&none), 0);
    hws_deflate_release(&none);
    deflate_harness_open(&r, NULL, &conn, &d);
#define TAKE(type, flags, src, len)                                                                \
    hws_deflate_decompress(&d, type, flags, src, len, &used, out, sizeof out, &n)
    assert_int_equal(TAKE(HWS_TEXT, 0, hello, 7), HWS_ERR_STATE);
    assert_int_equal(TAKE(HWS_TEXT, HWS_FINAL, hello, 7), HWS_ERR_STATE);
    assert_int_equal(TAKE(HWS_PING, HWS_WHOLE, hello, 7), HWS_ERR_ARGUMENT);
    assert_int_equal(TAKE(HWS_TEXT, HWS_WHOLE | HWS_COMPRESSED, hello, 7), HWS_ERR_ARGUMENT);
    used = 8;
    assert_int_equal(TAKE(HWS_TEXT, HWS_WHOLE, hello, 7), HWS_ERR_ARGUMENT);
    used = 0;
    n = 17;
    assert_int_equal(TAKE(HWS_TEXT, HWS_WHOLE, hello, 7), HWS_ERR_ARGUMENT);
    n = 0;
    assert_int_equal(TAKE(HWS_TEXT, HWS_FIRST, hello, 3), HWS_OK);
    used = 0;
    assert_int_equal(TAKE(HWS_TEXT, HWS_FIRST, hello, 7), HWS_ERR_STATE);
    assert_int_equal(TAKE(HWS_BINARY, 0, hello, 7), HWS_ERR_STATE);
    hws_deflate_trim(&d); /* inside a message it gives back nothing that is needed */
    assert_int_equal(used, 0);
    assert_int_equal(TAKE(HWS_TEXT, 0, NULL, 0), HWS_OK);
    assert_int_equal(TAKE(HWS_TEXT, HWS_FINAL, hello + 3, 4), HWS_OK);
    assert_int_equal(n, 5);
    assert_memory_equal(out, "Hello", 5);
    used = 0;
    assert_int_equal(TAKE(HWS_TEXT, HWS_WHOLE, again, 5), HWS_OK);
    assert_int_equal(n, 10);
    assert_memory_equal(out, "HelloHello", 10);
    used = 0;
    assert_int_equal(TAKE(HWS_TEXT, HWS_WHOLE, hello, 5), HWS_ERR_INFLATE);
    assert_int_equal(n, 10);
    used = 0;
    assert_int_equal(TAKE(HWS_TEXT, HWS_WHOLE, hello, 7), HWS_ERR_INFLATE); /* it stays */
    assert_int_equal(used, 0);
    hws_deflate_release(&d);
}

/* Whichever of its allocations fails: nothing is kept, and the next call works. */
static void a_lack_of_memory_is_not_the_end(void **state) {
    static const deflate_row r = {.role = CLIENT, .window_bits = 9};
    hws_status status = HWS_ERR_MEMORY;
    unsigned at = 1;
    (void)state;

    while (status == HWS_ERR_MEMORY) {
        uint8_t frame[9] = {0xC1, 0x07};
        uint8_t room[16];
        size_t used = 0;
        hws_conn conn;
        hws_deflate d;
        hws_event ev;
        memcpy(frame + 2, hello, 7);
        one_pool = (pool){.fail_at = at++};
        deflate_harness_open(&r, &allocator, &conn, &d);
        assert_int_equal(one_pool.calls, 0);
        status = hws_deflate_receive(&d, &conn, frame, 9, &used, room, sizeof room, &ev);
        if (status == HWS_ERR_MEMORY) {
            assert_int_equal(one_pool.kept, 0);
            assert_int_equal(hws_deflate_pending(&d), 1);
            assert_int_equal(hws_conn_can_receive(&conn), 1);
            status = hws_deflate_receive(&d, &conn, frame, 9, &used, room, sizeof room, &ev);
            assert_int_equal(status, HWS_EVENT);
            status = HWS_ERR_MEMORY;
        }
        assert_int_equal(ev.flags, HWS_WHOLE);
        assert_int_equal(ev.len, 5);
        assert_memory_equal(room, "Hello", 5);
        assert_int_equal(used, 9);
        hws_deflate_release(&d);
        assert_int_equal(one_pool.kept, 0);
    }
    assert_int_equal(status, HWS_EVENT);
    assert_true(at > 3); /* more than one was asked for */
}

static void without_room_it_waits(void **state) {
    static const deflate_row r = {.role = CLIENT};
    uint8_t frames[] = {0xC1, 0x07, 0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x89, 0x00};
    uint8_t room[3];
    size_t used = 0;
    hws_conn conn;
    hws_deflate d;
    hws_event ev;
    (void)state;

    deflate_harness_open(&r, NULL, &conn, &d);
#define NEXT(len, cap) hws_deflate_receive(&d, &conn, frames, len, &used, room, cap, &ev)
    assert_int_equal(NEXT(sizeof frames, 0), HWS_ERR_SPACE);
    assert_int_equal(hws_deflate_pending(&d), 1);
    assert_int_equal(NEXT(sizeof frames, 0), HWS_ERR_SPACE);
    assert_int_equal(NEXT(used, 3), HWS_ERR_ARGUMENT); /* bytes that wait are no more there */
    assert_int_equal(NEXT(used - 1, 3), HWS_ERR_ARGUMENT);
    assert_int_equal(NEXT(sizeof frames, 3), HWS_EVENT);
    assert_int_equal(ev.flags, HWS_FIRST);
    assert_memory_equal(room, "Hel", 3);
    assert_int_equal(ev.len, 3);
    assert_int_equal(hws_deflate_pending(&d), 1);
    assert_int_equal(NEXT(sizeof frames, 3), HWS_EVENT);
    assert_int_equal(ev.flags, HWS_FINAL);
    assert_int_equal(ev.len, 2);
    assert_memory_equal(room, "lo", 2);
    assert_int_equal(hws_deflate_pending(&d), 0);
    used = sizeof frames + 1;
    assert_int_equal(NEXT(sizeof frames, 3), HWS_ERR_ARGUMENT);
    used = 9;
    assert_int_equal(NEXT(sizeof frames, 0), HWS_EVENT); /* a Ping needs none */
    assert_int_equal(ev.type, HWS_PING);
    assert_int_equal(NEXT(sizeof frames, 0), HWS_OK);
    hws_deflate_release(&d);
}

/* The way out of a message that is too large for its buffer (message.h). */
static void a_connection_that_was_failed_hands_out_no_more(void **state) {
    static const deflate_row r = {.role = CLIENT};
    uint8_t frames[] = {0xC1, 0x07, 0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x89, 0x00};
    uint8_t data[3];
    size_t used = 0;
    hws_message message;
    hws_conn conn;
    hws_deflate d;
    hws_event ev;
    (void)state;

    deflate_harness_open(&r, NULL, &conn, &d);
    hws_message_init(&message, data, sizeof data);
#define MESSAGE()                                                                                  \
    hws_deflate_receive_message(&d, &conn, &message, frames, sizeof frames, &used, &ev)
    assert_int_equal(MESSAGE(), HWS_ERR_SPACE);
    assert_int_equal(MESSAGE(), HWS_ERR_SPACE);
    assert_int_equal(hws_conn_fail(&conn, HWS_ERR_MESSAGE_TOO_BIG), HWS_OK);
    assert_int_equal(MESSAGE(), HWS_ERR_MESSAGE_TOO_BIG);
    assert_int_equal(used, 9);
    assert_int_equal(hws_deflate_pending(&d), 0);
    assert_int_equal(MESSAGE(), HWS_ERR_MESSAGE_TOO_BIG);
    hws_deflate_release(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_payloads_are_judged_as_by_the_oracle),
        cmocka_unit_test(no_part_of_a_message_is_a_message),
        cmocka_unit_test(mutated_messages_are_judged_as_by_the_oracle),
        cmocka_unit_test(pieces_out_of_order_change_nothing),
        cmocka_unit_test(a_lack_of_memory_is_not_the_end),
        cmocka_unit_test(without_room_it_waits),
        cmocka_unit_test(a_connection_that_was_failed_hands_out_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
