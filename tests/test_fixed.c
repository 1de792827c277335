/*
 * The allocator over one block of memory, against a list of what it has handed out.
 */
#include "support.h"

#include <hawser/fixed.h>

#include <stdlib.h>
#include <string.h>

#ifdef HWS_TEST_REDUCED
enum { SEQUENCES = 40, CALLS = 300 };
#else
enum { SEQUENCES = 400, CALLS = 2000 };
#endif

enum { ALIGN = _Alignof(max_align_t), MOST_PARTS = 64, LONGEST = 700 };

/* What a part takes beside its bytes; those are rounded up to a multiple of it. */
static size_t header_len(void) {
    size_t two = 2 * sizeof(size_t);
    return (two + ALIGN - 1) / ALIGN * ALIGN;
}

static size_t part_len(size_t len) {
    size_t header = header_len();
    return header + (len + header - 1) / header * header;
}

typedef struct part {
    uint8_t *data;
    size_t len;
    uint8_t fill;
} part;

typedef struct subject {
    hws_fixed fixed;
    hws_allocator allocator;
    uint8_t *memory;
    size_t len;
    part parts[MOST_PARTS];
    size_t count;
    size_t used;
} subject;

static void start(subject *s, uint8_t *memory, size_t len) {
    memset(&s->fixed, 0xA5, sizeof s->fixed);
    s->memory = memory;
    s->len = len;
    s->count = 0;
    s->used = 0;
    hws_fixed_init(&s->fixed, memory, len);
    s->allocator = hws_fixed_allocator(&s->fixed);
    assert_int_equal(hws_fixed_used(&s->fixed), 0);
}

static void check_part(const subject *s, const part *p) {
    assert_int_equal((uintptr_t)p->data % ALIGN, 0);
    assert_true(p->data >= s->memory && p->data <= s->memory + s->len);
    assert_true(p->len <= (size_t)(s->memory + s->len - p->data));
    for (size_t i = 0; i < s->count; i++) {
        const part *other = &s->parts[i];
        assert_true(p->data + p->len <= other->data || other->data + other->len <= p->data);
        assert_true(p->data != other->data);
    }
}

static void *take(subject *s, size_t len) {
    part p = {.data = s->allocator.alloc(s->allocator.user, len), .len = len};
    if (p.data == NULL) {
        assert_int_equal(hws_fixed_used(&s->fixed), s->used);
        return NULL;
    }
    check_part(s, &p);
    assert_true(s->count < MOST_PARTS);
    p.fill = (uint8_t)(s->used + s->count + len);
    memset(p.data, p.fill, len);
    s->parts[s->count] = p;
    s->count++;
    s->used += part_len(len);
    assert_int_equal(hws_fixed_used(&s->fixed), s->used);
    return p.data;
}

static void give_back(subject *s, size_t i) {
    part p = s->parts[i];
    for (size_t at = 0; at < p.len; at++) {
        assert_int_equal(p.data[at], p.fill);
    }
    s->allocator.release(s->allocator.user, p.data);
    s->count--;
    s->parts[i] = s->parts[s->count];
    s->used -= part_len(p.len);
    assert_int_equal(hws_fixed_used(&s->fixed), s->used);
}

/* The longest that can be handed out; all that is free is one part. */
static void whole_is_free(subject *s) {
    size_t room = (s->len - (ALIGN - (uintptr_t)s->memory % ALIGN) % ALIGN);
    size_t most = room / header_len() * header_len() - header_len();
    assert_int_equal(hws_fixed_used(&s->fixed), 0);
    assert_null(take(s, most + 1));
    assert_non_null(take(s, most));
    assert_null(take(s, 0));
    give_back(s, 0);
}

/* --- rules ---------------------------------------------------------------------------------------
 */

static void all_is_free_at_the_start(void **context) {
    static subject s;
    uint8_t *memory = guard_alloc(1024);
    (void)context;
    start(&s, memory, 1024);
    whole_is_free(&s);
    guard_free(memory, 1024);
}

static void the_first_part_that_fits_is_taken(void **context) {
    static subject s;
    static max_align_t memory[64];
    (void)context;
    start(&s, (uint8_t *)memory, sizeof memory);
    uint8_t *a = take(&s, 100);
    uint8_t *b = take(&s, 10);
    uint8_t *c = take(&s, 200);
    take(&s, 10);
    assert_true(a < b && b < c);
    give_back(&s, 2);
    give_back(&s, 0);
    assert_ptr_equal(take(&s, 150), c);
    assert_ptr_equal(take(&s, 90), a);
}

static void neighbours_that_are_free_are_joined_in_any_order(void **context) {
    static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static subject s;
    static max_align_t memory[64];
    (void)context;
    for (size_t i = 0; i < 6; i++) {
        void *data[3];
        start(&s, (uint8_t *)memory, sizeof memory);
        for (size_t at = 0; at < 3; at++) {
            data[at] = take(&s, 64);
        }
        void *last = take(&s, 64);
        for (size_t at = 0; at < 3; at++) {
            s.allocator.release(&s.fixed, data[orders[i][at]]);
        }
        s.count = 0;
        s.used = part_len(64);
        assert_ptr_equal(take(&s, 3 * part_len(64) - header_len()), data[0]);
        s.allocator.release(&s.fixed, last);
        s.used -= part_len(64);
        give_back(&s, 0);
        whole_is_free(&s);
    }
}

static void a_part_of_no_bytes_is_one_of_its_own(void **context) {
    static subject s;
    static max_align_t memory[16];
    (void)context;
    start(&s, (uint8_t *)memory, 4 * header_len());
    for (size_t i = 0; i < 4; i++) {
        assert_non_null(take(&s, 0));
    }
    assert_null(take(&s, 0));
    assert_int_equal(hws_fixed_used(&s.fixed), 4 * header_len());
    while (s.count > 0) {
        give_back(&s, s.count / 2);
    }
    whole_is_free(&s);
}

static void when_nothing_fits_there_is_none(void **context) {
    static subject s;
    static max_align_t memory[32];
    const size_t lens[] = {sizeof memory,    sizeof memory + 1, SIZE_MAX / 2,
                           SIZE_MAX - ALIGN, SIZE_MAX - 1,      SIZE_MAX};
    (void)context;
    start(&s, (uint8_t *)memory, sizeof memory);
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        assert_null(take(&s, lens[i]));
    }
    whole_is_free(&s);
    take(&s, sizeof memory / 2);
    assert_null(take(&s, sizeof memory / 2));
    give_back(&s, 0);
    whole_is_free(&s);
}

/* A whole header has to fit behind the place where memory is aligned. */
static void memory_of_any_place_and_length_is_used_within_its_bounds(void **context) {
    static subject s;
    size_t header = header_len();
    (void)context;
    for (size_t len = 0; len <= 5 * header; len++) {
        uint8_t *memory = guard_alloc(len + ALIGN);
        for (size_t off = 0; off < ALIGN; off++) {
            uint8_t *at = memory + off; /* ends `ALIGN - off` bytes before the page */
            size_t skipped = (ALIGN - (uintptr_t)at % ALIGN) % ALIGN;
            memset(memory, 0x5A, len + ALIGN);
            start(&s, at, len);
            if (len < skipped + header) {
                assert_null(take(&s, 0));
            } else {
                whole_is_free(&s);
            }
            for (size_t i = 0; i < len + ALIGN; i++) {
                assert_true((i >= off && i < off + len) || memory[i] == 0x5A);
            }
        }
        guard_free(memory, len + ALIGN);
    }
}

static void there_may_be_no_memory(void **context) {
    static subject s;
    (void)context;
    start(&s, NULL, 0);
    assert_null(take(&s, 0));
    assert_null(take(&s, 1));
}

/* --- any sequence --------------------------------------------------------------------------------
 */

/* Bytes of the longest gap between the parts, as a list that is sorted tells. */
static int compare(const void *a, const void *b) {
    const uint8_t *x = ((const part *)a)->data;
    const uint8_t *y = ((const part *)b)->data;
    return x < y ? -1 : x > y;
}

static size_t longest_gap(subject *s) {
    size_t header = header_len();
    uint8_t *at = s->memory + (ALIGN - (uintptr_t)s->memory % ALIGN) % ALIGN;
    size_t rest = (size_t)(s->memory + s->len - at) / header * header;
    uint8_t *end = at + rest;
    size_t longest = 0;
    qsort(s->parts, s->count, sizeof s->parts[0], compare);
    for (size_t i = 0; i <= s->count; i++) {
        uint8_t *next = i < s->count ? s->parts[i].data - header : end;
        size_t gap = (size_t)(next - at);
        longest = gap > longest ? gap : longest;
        at = i < s->count ? next + part_len(s->parts[i].len) : end;
    }
    return longest;
}

/* A request is refused when no gap is long enough, and only then. */
static void any_sequence_gives_parts_that_do_not_touch_each_other(void **context) {
    static subject s;
    uint64_t seed = 41;
    unsigned refused = 0;
    (void)context;
    for (size_t i = 0; i < SEQUENCES; i++) {
        size_t len = 64 + random_next(&seed) % 8000;
        uint8_t *memory = guard_alloc(len);
        start(&s, memory, len);
        for (size_t call = 0; call < CALLS; call++) {
            size_t wanted = (random_next(&seed) >> 20) % (random_next(&seed) % 4 ? 60 : LONGEST);
            uint64_t bias = 40 + 20 * (call / 200 % 2);
            if (s.count < MOST_PARTS && (random_next(&seed) >> 20) % 100 < bias) {
                int fits = longest_gap(&s) >= part_len(wanted);
                assert_int_equal(take(&s, wanted) != NULL, fits);
                refused += !fits;
            } else if (s.count > 0) {
                give_back(&s, (random_next(&seed) >> 20) % s.count);
            }
        }
        while (s.count > 0) {
            give_back(&s, (random_next(&seed) >> 20) % s.count);
        }
        whole_is_free(&s);
        guard_free(memory, len);
    }
    assert_true(refused > SEQUENCES);
}

#define TEST(name, function)                                                                       \
    { name, function, NULL, NULL, NULL }

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST("all is free at the start", all_is_free_at_the_start),
        TEST("the first part that fits is taken", the_first_part_that_fits_is_taken),
        TEST("neighbours that are free are joined in any order",
             neighbours_that_are_free_are_joined_in_any_order),
        TEST("a part of no bytes is one of its own", a_part_of_no_bytes_is_one_of_its_own),
        TEST("when nothing fits there is none", when_nothing_fits_there_is_none),
        TEST("memory of any place and length is used within its bounds",
             memory_of_any_place_and_length_is_used_within_its_bounds),
        TEST("there may be no memory", there_may_be_no_memory),
        TEST("any sequence gives parts that do not touch each other",
             any_sequence_gives_parts_that_do_not_touch_each_other),
    };
    return cmocka_run_group_tests_name("fixed", tests, NULL, NULL);
}
