/*
 * Masking by the RFC's own example, and masking with validation against one after the other, at
 * every split: by each form of the kernels. Lengths, addresses and phases are in test_kernels.c.
 */
#include "forms.h"
#include "support.h"

#include <hawser/utf8.h>

#include <string.h>

enum { MAX_TEXT = 600 };

static const uint8_t test_key[4] = {0x37, 0xFA, 0x21, 0x3D};

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

static void the_frame_of_the_rfc(void **context) {
    (void)context;
    static const uint8_t masked[5] = {0x7F, 0x9F, 0x4D, 0x51, 0x58};
    for (size_t f = 0; f < forms_count; f++) {
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

static void nothing_at_all(void **context) {
    (void)context;
    for (size_t f = 0; f < forms_count; f++) {
        uint32_t state = HWS_UTF8_ACCEPT;
        forms[f].mask(NULL, NULL, 0, test_key, 0);
        assert_int_equal(forms[f].mask_utf8(&state, NULL, NULL, 0, test_key, 0), 0);
        assert_int_equal(forms[f].utf8(&state, NULL, 0), 0);
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
        for (size_t f = 0; f < forms_count; f++) {
            check_text(&forms[f], text, len, (uint32_t)round);
        }
    }
}

static int open_forms(void **context) {
    (void)context;
    forms_ask();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        {"RFC 6455 5.7: the masked Hello comes out", the_frame_of_the_rfc, NULL, NULL, NULL},
        {"RFC 6455 5.3: no bytes need no buffer", nothing_at_all, NULL, NULL, NULL},
        {"RFC 6455 8.1: masking with validation equals one after the other, at every split",
         one_pass_equals_two, NULL, NULL, NULL},
    };
    return cmocka_run_group_tests(tests, open_forms, NULL);
}
