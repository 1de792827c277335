/*
 * Base64: the vectors of RFC 4648, every length, which texts are the encoding of a value of a known
 * size, and which are one at all.
 */
#include "support.h"

#include "base64.h"

#include <string.h>

enum { MAX_LEN = 60, CANARY = 0xA5 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

typedef struct encode_row {
    const char *name;
    const char *plain;
    const char *encoded;
} encode_row;

static const encode_row encode_rows[] = {
    {"RFC 4648 10: nothing", "", ""},
    {"RFC 4648 10: f", "f", "Zg=="},
    {"RFC 4648 10: fo", "fo", "Zm8="},
    {"RFC 4648 10: foo", "foo", "Zm9v"},
    {"RFC 4648 10: foob", "foob", "Zm9vYg=="},
    {"RFC 4648 10: fooba", "fooba", "Zm9vYmE="},
    {"RFC 4648 10: foobar", "foobar", "Zm9vYmFy"},
    {"RFC 4648 4: the last two characters of the alphabet", "\xFB\xFF\xBF", "+/+/"},
    {"RFC 6455 1.3: the sample nonce", "the sample nonce", "dGhlIHNhbXBsZSBub25jZQ=="},
};

static void run_encode_row(void **context) {
    const encode_row *row = *context;
    size_t plain_len = strlen(row->plain);
    size_t len = strlen(row->encoded);
    uint8_t *data = guard_copy(row->plain, plain_len);
    uint8_t *out = guard_alloc(len);
    assert_int_equal(hws__base64_encode(data, plain_len, out), len);
    assert_memory_equal(out, row->encoded, len);
    assert_int_equal(hws__base64_is(out, len, plain_len), 1);
    guard_free(data, plain_len);
    guard_free(out, len);
}

/* RFC 4648 4 bit by bit: character i holds the bits 6i … 6i + 5, zeros after the last. */
static uint8_t reference_character(const uint8_t *data, size_t len, size_t i) {
    unsigned value = 0;
    for (size_t bit = 6 * i; bit < 6 * i + 6; bit++) {
        unsigned byte = bit / 8 < len ? data[bit / 8] : 0;
        unsigned set = byte >> (7 - bit % 8) & 1;
        value = value << 1 | set;
    }
    return 6 * i < 8 * len ? (uint8_t)alphabet[value] : '=';
}

static void every_length(void **context) {
    (void)context;
    uint64_t seed = 1;
    uint8_t data[MAX_LEN];
    uint8_t out[2 * MAX_LEN];
    for (size_t len = 0; len <= MAX_LEN; len++) {
        random_fill(&seed, data, len);
        memset(out, CANARY, sizeof out);
        size_t n = hws__base64_encode(data, len, out);
        assert_int_equal(n, 4 * ((len + 2) / 3));
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(out[i], reference_character(data, len, i));
        }
        assert_int_equal(out[n], CANARY);
        for (size_t bytes = 0; bytes <= MAX_LEN; bytes++) {
            assert_int_equal(hws__base64_is(out, n, bytes), bytes == len);
        }
    }
}

/* RFC 4648 4: bytes that come one by one give the same; so does the way back, into just the room
 * that it needs, and without it nothing is written behind. */
static void there_and_back(void **context) {
    (void)context;
    uint64_t seed = 2;
    for (size_t len = 0; len <= MAX_LEN; len++) {
        uint8_t data[MAX_LEN];
        uint8_t whole[2 * MAX_LEN];
        random_fill(&seed, data, len);
        size_t n = hws__base64_encode(data, len, whole);
        uint8_t *text = guard_alloc(n);
        hws__writer w = {text, n, 0, 0};
        hws__base64 encoder = {&w, {0}, 0};
        for (size_t i = 0; i < len; i++) {
            hws__base64_put(&encoder, data[i]);
        }
        hws__base64_end(&encoder);
        assert_int_equal(w.full, 0);
        assert_int_equal(w.n, n);
        assert_memory_equal(text, whole, n);
        for (size_t cap = 0; cap <= len; cap++) {
            uint8_t *out = guard_alloc(cap);
            w = (hws__writer){out, cap, 0, 0};
            assert_int_equal(hws__base64_decode(text, n, &w), 1);
            assert_int_equal(w.full, cap < len);
            assert_memory_equal(out, data, w.n);
            assert_true(cap < len || w.n == len);
            guard_free(out, cap);
        }
        guard_free(text, n);
    }
}

typedef struct decode_row {
    const char *name;
    const char *text;
} decode_row;

static const decode_row not_decoded[] = {
    {"RFC 4648 3.2: padding must not be left out", "Zm9vYg"},
    {"RFC 4648 3.2: padding must be whole", "Zm9vYg="},
    {"RFC 4648 4: a lone character is no group", "Zm9vY==="},
    {"RFC 4648 4: padding alone is no group", "===="},
    {"RFC 4648 3.3: no padding in the middle", "Zg==Zm9v"},
    {"RFC 4648 3.3: no character after padding", "Zm9=Zm9v"},
    {"RFC 4648 3.3: no character after the padding began", "Zm=v"},
    {"RFC 4648 3.3: no padding at the start", "=m9v"},
    {"RFC 4648 3.3: no white space", "Zm9 "},
    {"RFC 4648 3.3: no line end", "Zm9v\r\nZm"},
    {"RFC 4648 5: not the alphabet of URLs", "Zm9-"},
    {"RFC 4648 5: not the alphabet of URLs either", "Zm9_"},
    {"RFC 4648 3.5: two unused bits are zero", "Zm9="},
    {"RFC 4648 3.5: four unused bits are zero", "Zh=="},
    {"RFC 4648 3.5: the highest of four is zero", "Zo=="},
};

static void some_texts_are_no_encoding(void **context) {
    (void)context;
    for (size_t r = 0; r < sizeof not_decoded / sizeof not_decoded[0]; r++) {
        size_t len = strlen(not_decoded[r].text);
        uint8_t *text = guard_copy(not_decoded[r].text, len);
        uint8_t out[16];
        hws__writer w = {out, sizeof out, 0, 0};
        if (hws__base64_decode(text, len, &w) != 0) {
            fail_msg("%s: taken", not_decoded[r].name);
        }
        guard_free(text, len);
    }
}

/* RFC 4648 4: each character stands for its bits at each place of a group. */
static void each_character_is_decoded(void **context) {
    (void)context;
    for (size_t i = 0; i < 4; i++) {
        for (unsigned c = 1; c < 256; c++) {
            uint8_t text[] = "AAAA";
            uint8_t three[3];
            uint8_t back[4];
            hws__writer w = {three, sizeof three, 0, 0};
            text[i] = (uint8_t)c;
            uint8_t known = strchr(alphabet, (int)c) != NULL || (c == '=' && i == 3);
            assert_int_equal(hws__base64_decode(text, 4, &w), known);
            if (known) {
                assert_int_equal(hws__base64_encode(three, w.n, back), 4);
                assert_memory_equal(back, text, 4);
            }
        }
    }
}

typedef struct is_row {
    const char *name;
    const char *text;
    size_t bytes;
    uint8_t wanted;
} is_row;

static const is_row is_rows[] = {
    {"RFC 6455 4.2.1: a key of 16 bytes", "dGhlIHNhbXBsZSBub25jZQ==", 16, 1},
    {"RFC 6455 4.2.1: a key of 15 bytes", "dGhlIHNhbXBsZSBub25j", 16, 0},
    {"RFC 6455 4.2.1: a key of 17 bytes", "dGhlIHNhbXBsZSBub25jZWE=", 16, 0},
    {"RFC 6455 4.2.1: a key of 18 bytes", "dGhlIHNhbXBsZSBub25jZWFh", 16, 0},
    {"RFC 6455 4.2.1: an empty key", "", 16, 0},
    {"RFC 4648 3.2: padding must not be left out", "dGhlIHNhbXBsZSBub25jZQ", 16, 0},
    {"RFC 4648 3.2: padding must be whole", "dGhlIHNhbXBsZSBub25jZQ=", 16, 0},
    {"RFC 4648 3.2: padding must not be doubled", "dGhlIHNhbXBsZSBub25jZQ==\t===", 16, 0},
    {"RFC 4648 4: a lone character is no group", "dGhlIHNhbXBsZSBub25jZQA==", 16, 0},
    {"RFC 4648 3.3: padding stands at the end only", "dGhlIHNhbXBsZSBub25jZ===", 16, 0},
    {"RFC 4648 3.3: no character after the padding began", "dGhlIHNhbXBsZSBub25jZQ=Q", 16, 0},
    {"RFC 4648 3.3: no padding in the middle", "dGhlIHNh=XBsZSBub25jZQ==", 16, 0},
    {"RFC 4648 3.3: no space", "dGhlIHNh XBsZSBub25jZQ==", 16, 0},
    {"RFC 4648 3.3: no line end", "dGhlIHNhbXBsZSBub25j\r\n==", 16, 0},
    {"RFC 4648 5: not the alphabet of URLs, first character", "dGhlIHNhbXBsZSBub25-ZQ==", 16, 0},
    {"RFC 4648 5: not the alphabet of URLs, second character", "dGhlIHNhbXBsZSBub25_ZQ==", 16, 0},
    {"RFC 4648 3.5: unused bits may be set", "dGhlIHNhbXBsZSBub25jZR==", 16, 1},
    {"RFC 4648 4: one byte", "AA==", 1, 1},
    {"RFC 4648 4: two bytes", "AAA=", 2, 1},
    {"RFC 4648 4: three bytes", "AAAA", 3, 1},
    {"RFC 4648 4: three bytes have no padding", "AAA=", 3, 0},
    {"RFC 4648 4: nothing is the encoding of nothing", "", 0, 1},
    {"RFC 4648 4: no text is long enough for all memory", "AAAA", SIZE_MAX, 0},
};

static void run_is_row(void **context) {
    const is_row *row = *context;
    size_t len = strlen(row->text);
    uint8_t *text = guard_copy(row->text, len);
    assert_int_equal(hws__base64_is(text, len, row->bytes), row->wanted);
    guard_free(text, len);
}

/* Of a value of 16 bytes, the key of a handshake, whose last two characters are padding. */
static void every_character(void **context) {
    (void)context;
    enum { LEN = 24, CHARACTERS = 22 };
    for (size_t i = 0; i < LEN; i++) {
        for (unsigned c = 0; c < 256; c++) {
            uint8_t text[LEN] = "AAAAAAAAAAAAAAAAAAAAAA==";
            uint8_t wanted = i < CHARACTERS ? c != 0 && strchr(alphabet, (int)c) != NULL : c == '=';
            text[i] = (uint8_t)c;
            assert_int_equal(hws__base64_is(text, sizeof text, 16), wanted);
        }
    }
}

int main(void) {
    enum {
        ENCODE_ROWS = sizeof encode_rows / sizeof encode_rows[0],
        IS_ROWS = sizeof is_rows / sizeof is_rows[0]
    };
    static struct CMUnitTest encode_tests[ENCODE_ROWS];
    static struct CMUnitTest is_tests[IS_ROWS];
    for (size_t r = 0; r < ENCODE_ROWS; r++) {
        encode_tests[r].name = encode_rows[r].name;
        encode_tests[r].test_func = run_encode_row;
        encode_tests[r].initial_state = (void *)(uintptr_t)&encode_rows[r];
    }
    for (size_t r = 0; r < IS_ROWS; r++) {
        is_tests[r].name = is_rows[r].name;
        is_tests[r].test_func = run_is_row;
        is_tests[r].initial_state = (void *)(uintptr_t)&is_rows[r];
    }
    const struct CMUnitTest tests[] = {
        {"RFC 4648 4: every length", every_length, NULL, NULL, NULL},
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(some_texts_are_no_encoding),
        cmocka_unit_test(each_character_is_decoded),
        {"RFC 4648 4: every character at every place", every_character, NULL, NULL, NULL},
    };
    int failed = cmocka_run_group_tests(encode_tests, NULL, NULL);
    failed += cmocka_run_group_tests(is_tests, NULL, NULL);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
