/*
 * Masking against a loop of single bytes, and masking with validation against one after the other:
 * at every length, alignment, phase and split, in place, as a copy and sliding down.
 */
#include "support.h"

#include "kernel.h"

#include <hawser/utf8.h>

#include <string.h>

enum { MAX_LEN = 300, MAX_OFFSET = 16, CANARY = 0xA5, SLIDE_MAX = 24, MAX_TEXT = 600 };

static const uint8_t test_key[4] = {0x37, 0xFA, 0x21, 0x3D};

typedef struct form {
    const char *name;
    void (*mask)(uint8_t *dst, const uint8_t *src, size_t len, const uint8_t key[4],
                 uint32_t phase);
    size_t (*mask_utf8)(uint32_t *state, uint8_t *dst, const uint8_t *src, size_t len,
                        const uint8_t key[4], uint32_t phase);
} form;

static const form forms[] = {
    {"chosen", hws__mask, hws__mask_utf8},
    {"portable", hws__mask_portable, hws__mask_utf8_portable},
};

enum { FORMS = sizeof forms / sizeof forms[0] };

/* RFC 6455 5.3, word for word. */
static void reference_mask(uint8_t *dst, const uint8_t *src, size_t len, uint32_t phase) {
    for (size_t i = 0; i < len; i++) {
        dst[i] = src[i] ^ test_key[(phase + i) % 4];
    }
}

static void check_bytes(const char *what, const uint8_t *got, const uint8_t *wanted, size_t len,
                        size_t offset, uint32_t phase) {
    if (memcmp(got, wanted, len) != 0) {
        fail_msg("%s: length %zu, offset %zu, phase %u", what, len, offset, (unsigned)phase);
    }
}

static void check_canary(const uint8_t *bytes, size_t from, size_t to) {
    for (size_t i = from; i < to; i++) {
        if (bytes[i] != CANARY) {
            fail_msg("byte %zu outside dst was written", i);
        }
    }
}

static void the_frame_of_the_rfc(void **context) {
    (void)context;
    static const uint8_t masked[5] = {0x7F, 0x9F, 0x4D, 0x51, 0x58};
    for (size_t f = 0; f < FORMS; f++) {
        uint8_t out[5];
        forms[f].mask(out, masked, sizeof out, test_key, 0);
        assert_memory_equal(out, "Hello", 5);
        uint32_t state = HWS_UTF8_ACCEPT;
        memset(out, 0, sizeof out);
        assert_int_equal(forms[f].mask_utf8(&state, out, masked, sizeof out, test_key, 0), 5);
        assert_int_equal(state, HWS_UTF8_ACCEPT);
        assert_memory_equal(out, "Hello", 5);
    }
}

static void check_copy(const form *f, const uint8_t *src, size_t len, size_t offset,
                       uint32_t phase) {
    uint8_t wanted[MAX_LEN];
    uint8_t out[MAX_LEN + 2 * MAX_OFFSET];
    reference_mask(wanted, src, len, phase);
    memset(out, CANARY, sizeof out);
    f->mask(out + offset, src, len, test_key, phase);
    check_bytes(f->name, out + offset, wanted, len, offset, phase);
    check_canary(out, 0, offset);
    check_canary(out, offset + len, sizeof out);

    memcpy(out + offset, src, len);
    f->mask(out + offset, out + offset, len, test_key, phase);
    check_bytes(f->name, out + offset, wanted, len, offset, phase);
    check_canary(out, 0, offset);
    check_canary(out, offset + len, sizeof out);
}

static void every_length_offset_and_phase(void **context) {
    (void)context;
    uint64_t seed = 1;
    uint8_t src[MAX_LEN + MAX_OFFSET];
    random_fill(&seed, src, sizeof src);
    for (size_t f = 0; f < FORMS; f++) {
        for (size_t len = 0; len <= MAX_LEN; len++) {
            for (size_t offset = 0; offset < MAX_OFFSET; offset++) {
                for (uint32_t phase = 0; phase < 4; phase++) {
                    check_copy(&forms[f], src + (offset * 7) % MAX_OFFSET, len, offset, phase);
                }
            }
        }
    }
}

/* One payload that moves down by `slide` bytes; what lies below it must stay. */
static void check_slide(const form *f, const uint8_t *src, size_t len, size_t slide) {
    uint8_t wanted[MAX_LEN];
    uint8_t room[MAX_OFFSET + SLIDE_MAX + MAX_LEN];
    uint32_t phase = (uint32_t)len;
    reference_mask(wanted, src, len, phase);
    memset(room, CANARY, sizeof room);
    memcpy(room + MAX_OFFSET + slide, src, len);
    f->mask(room + MAX_OFFSET, room + MAX_OFFSET + slide, len, test_key, phase);
    check_bytes(f->name, room + MAX_OFFSET, wanted, len, slide, phase);
    check_canary(room, 0, MAX_OFFSET);

    uint8_t text[MAX_LEN];
    memset(text, 'x', len);
    for (size_t i = 0; slide % 2 == 1 && i + 1 < len; i += 2) {
        memcpy(text + i, "\xC3\xA9", 2);
    }
    reference_mask(room + MAX_OFFSET + slide, text, len, phase);
    uint32_t state = HWS_UTF8_ACCEPT;
    size_t good =
        f->mask_utf8(&state, room + MAX_OFFSET, room + MAX_OFFSET + slide, len, test_key, phase);
    assert_int_equal(good, len);
    check_bytes(f->name, room + MAX_OFFSET, text, len, slide, phase);
    check_canary(room, 0, MAX_OFFSET);
}

static void every_slide(void **context) {
    (void)context;
    uint64_t seed = 2;
    uint8_t src[MAX_LEN];
    random_fill(&seed, src, sizeof src);
    for (size_t f = 0; f < FORMS; f++) {
        for (size_t len = 0; len <= MAX_LEN; len++) {
            for (size_t slide = 0; slide <= SLIDE_MAX; slide++) {
                check_slide(&forms[f], src, len, slide);
            }
        }
    }
}

/* The last bytes before a page that nobody may touch, read and written. */
static void the_end_of_a_page(void **context) {
    (void)context;
    uint8_t *src = guard_alloc(MAX_LEN);
    uint8_t *dst = guard_alloc(MAX_LEN);
    memset(src, 'a', MAX_LEN);
    for (size_t f = 0; f < FORMS; f++) {
        for (size_t len = 0; len <= MAX_LEN; len++) {
            size_t start = MAX_LEN - len;
            uint32_t state = HWS_UTF8_ACCEPT;
            forms[f].mask(dst + start, src + start, len, test_key, 3);
            forms[f].mask_utf8(&state, dst + start, src + start, len, test_key, 1);
        }
    }
    guard_free(src, MAX_LEN);
    guard_free(dst, MAX_LEN);
}

static void nothing_at_all(void **context) {
    (void)context;
    for (size_t f = 0; f < FORMS; f++) {
        uint32_t state = HWS_UTF8_ACCEPT;
        forms[f].mask(NULL, NULL, 0, test_key, 0);
        assert_int_equal(forms[f].mask_utf8(&state, NULL, NULL, 0, test_key, 0), 0);
        assert_int_equal(state, HWS_UTF8_ACCEPT);
    }
}

typedef struct result {
    size_t good;
    uint32_t state;
} result;

/* Masks and validates text in two parts, of which the first has `split` bytes. */
static result in_two_parts(const form *f, uint8_t *dst, const uint8_t *src, size_t len,
                           size_t split, uint32_t phase) {
    result r = {0, HWS_UTF8_ACCEPT};
    r.good = f->mask_utf8(&r.state, dst, src, split, test_key, phase);
    if (r.state != HWS_UTF8_REJECT) {
        r.good += f->mask_utf8(&r.state, dst + split, src + split, len - split, test_key,
                               phase + (uint32_t)split);
    }
    return r;
}

static void check_text(const form *f, const uint8_t *text, size_t len, uint32_t phase) {
    uint8_t masked[MAX_TEXT];
    uint8_t out[MAX_TEXT];
    result wanted = {0, HWS_UTF8_ACCEPT};
    wanted.good = hws__utf8_portable(&wanted.state, text, len);
    reference_mask(masked, text, len, phase);
    for (size_t split = 0; split <= len; split++) {
        memcpy(out, masked, len);
        result got = in_two_parts(f, out, out, len, split, phase);
        if (got.good != wanted.good || got.state != wanted.state) {
            fail_msg("%s: length %zu, split %zu: %zu, state %u; wanted %zu, state %u", f->name, len,
                     split, got.good, (unsigned)got.state, wanted.good, (unsigned)wanted.state);
        }
        check_bytes(f->name, out, text, got.good, split, phase);
    }
}

/* Some code points of every length, then perhaps one wrong byte. */
static size_t random_text(uint64_t *seed, uint8_t *text, size_t cap) {
    static const char *const points[] = {
        "a", "Hello, w", "\xC3\xA9", "\xE2\x82\xAC", "\xED\x9F\xBF", "\xF0\x9F\x98\x80"};
    size_t len = 0;
    size_t wanted = (size_t)(random_next(seed) % (cap - 8));
    while (len < wanted) {
        const char *point = points[random_next(seed) % 6];
        memcpy(text + len, point, strlen(point));
        len += strlen(point);
    }
    if (len > 0 && random_next(seed) % 2 == 0) {
        text[random_next(seed) % len] = (uint8_t)random_next(seed);
    }
    return len;
}

static void one_pass_equals_two(void **context) {
    (void)context;
    uint64_t seed = 3;
    for (size_t round = 0; round < 1000; round++) {
        uint8_t text[MAX_TEXT];
        size_t len = random_text(&seed, text, round % 25 == 0 ? MAX_TEXT : 80);
        for (size_t f = 0; f < FORMS; f++) {
            check_text(&forms[f], text, len, (uint32_t)round);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        {"RFC 6455 5.7: the masked Hello comes out", the_frame_of_the_rfc, NULL, NULL, NULL},
        {"RFC 6455 5.3: any length at any address and phase, copied or in place",
         every_length_offset_and_phase, NULL, NULL, NULL},
        {"RFC 6455 5.3: a payload may slide down over itself", every_slide, NULL, NULL, NULL},
        {"RFC 6455 5.3: no byte after the end is touched", the_end_of_a_page, NULL, NULL, NULL},
        {"RFC 6455 5.3: no bytes need no buffer", nothing_at_all, NULL, NULL, NULL},
        {"RFC 6455 8.1: masking with validation equals one after the other, at every split",
         one_pass_equals_two, NULL, NULL, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
