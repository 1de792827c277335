/*
 * Validation of UTF-8 against a decoder that works another way: it asks whether the bits so far can
 * still become a code point that exists. Every short text, every split, the index of the fault.
 */
#include "support.h"

#include "kernel.h"

#include <hawser/utf8.h>

#include <stdio.h>
#include <string.h>

/* Slow machines under a sanitizer or valgrind do less of the same. */
#ifdef HWS_TEST_REDUCED
enum { RANDOM_TEXTS = 1 << 20, THIRD_BYTE_STEP = 15 };
#else
enum { RANDOM_TEXTS = 1 << 24, THIRD_BYTE_STEP = 1 };
#endif

typedef struct result {
    size_t good;
    uint8_t end; /* what the text is after its last byte */
} result;

enum { COMPLETE, UNFINISHED, WRONG };

typedef struct form {
    const char *name;
    size_t (*validate)(uint32_t *state, const uint8_t *data, size_t len);
} form;

static const form forms[] = {
    {"public", hws_utf8_validate},
    {"chosen", hws__utf8},
    {"portable", hws__utf8_portable},
};

enum { FORMS = sizeof forms / sizeof forms[0] };

/* Whether a code point that `total` bytes encode can start with the bits in `value`, when `left`
 * more bytes of six bits follow: some value of that range must be in the range of RFC 3629 3 for
 * its length, and not a surrogate. */
static int possible(uint32_t value, unsigned left, unsigned total) {
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t low = value << (6 * left);
    uint32_t high = low + ((UINT32_C(1) << (6 * left)) - 1);
    low = low < least[total] ? least[total] : low;
    high = high > 0x10FFFF ? 0x10FFFF : high;
    return low <= high && !(low >= 0xD800 && high <= 0xDFFF);
}

static result reference(const uint8_t *data, size_t len) {
    uint32_t value = 0;
    unsigned left = 0;
    unsigned total = 1;
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = data[i];
        if (left > 0) {
            if (byte >> 6 != 2) {
                return (result){i, WRONG};
            }
            value = value << 6 | (byte & 0x3F);
            left--;
        } else if (byte < 0x80) {
            continue;
        } else {
            total = byte >> 5 == 6 ? 2 : byte >> 4 == 14 ? 3 : byte >> 3 == 30 ? 4 : 0;
            if (total == 0) {
                return (result){i, WRONG};
            }
            value = byte & (0x7FU >> total);
            left = total - 1;
        }
        if (!possible(value, left, total)) {
            return (result){i, WRONG};
        }
    }
    return (result){len, left == 0 ? COMPLETE : UNFINISHED};
}

static uint8_t end_of(uint32_t state) {
    return state == HWS_UTF8_ACCEPT ? COMPLETE : state == HWS_UTF8_REJECT ? WRONG : UNFINISHED;
}

static void report(const form *f, const uint8_t *data, size_t len, size_t split, result got,
                   result wanted) {
    char hex[3 * 64 + 1] = "";
    for (size_t i = 0; i < len && i < 64; i++) {
        snprintf(hex + 3 * i, 4, "%02x ", data[i]);
    }
    fail_msg("%s: %ssplit at %zu: good %zu, end %u; wanted %zu, %u", f->name, hex, split, got.good,
             got.end, wanted.good, wanted.end);
}

static void check_split(const form *f, const uint8_t *data, size_t len, size_t split,
                        result wanted) {
    uint32_t state = HWS_UTF8_ACCEPT;
    size_t good = f->validate(&state, data, split);
    if (state != HWS_UTF8_REJECT) {
        good += f->validate(&state, data + split, len - split);
    }
    result got = {good, end_of(state)};
    if (got.good != wanted.good || got.end != wanted.end) {
        report(f, data, len, split, got, wanted);
    }
}

static void check_whole(const uint8_t *data, size_t len) {
    result wanted = reference(data, len);
    for (size_t f = 1; f < FORMS; f++) {
        check_split(&forms[f], data, len, len, wanted);
    }
}

static void check_splits(const uint8_t *data, size_t len, result wanted) {
    for (size_t f = 0; f < FORMS; f++) {
        for (size_t split = 0; split <= len; split++) {
            check_split(&forms[f], data, len, split, wanted);
        }
    }
}

typedef struct text_row {
    const char *name;
    const char *hex;
    size_t good; /* bytes before the first that no text has there */
    uint8_t end;
} text_row;

static const text_row text_rows[] = {
    {"RFC 3629 4: an empty text is complete", "", 0, COMPLETE},
    {"RFC 3629 4: ASCII, NUL and DEL included", "00 41 7f", 3, COMPLETE},
    {"RFC 3629 4: the first and the last of two bytes", "c280 dfbf", 4, COMPLETE},
    {"RFC 3629 4: the first and the last of three bytes", "e0a080 efbfbf", 6, COMPLETE},
    {"RFC 3629 4: the first and the last of four bytes", "f0908080 f48fbfbf", 8, COMPLETE},
    {"RFC 3629 3: the neighbours of the surrogates", "ed9fbf ee8080", 6, COMPLETE},
    {"RFC 3629 3: noncharacters and a byte order mark are text", "efbfbe efbbbf", 6, COMPLETE},
    {"RFC 3629 7: a Greek word", "ceba cf8c cf83 cebc ceb5", 10, COMPLETE},
    {"RFC 6455 8.1: a text may end inside two bytes", "61 c3", 2, UNFINISHED},
    {"RFC 6455 8.1: a text may end inside three bytes", "e282", 2, UNFINISHED},
    {"RFC 6455 8.1: a text may end inside four bytes", "f09f98", 3, UNFINISHED},
    {"RFC 3629 4: a tail byte cannot come first", "61 80", 1, WRONG},
    {"RFC 3629 4: two bytes, cut short by ASCII", "c3 41", 1, WRONG},
    {"RFC 3629 4: three bytes, cut short by ASCII", "e282 41", 2, WRONG},
    {"RFC 3629 4: four bytes, cut short by a lead byte", "f09f98 c3a9", 3, WRONG},
    {"RFC 3629 4: one tail byte too many", "c3a9 a9", 2, WRONG},
    {"RFC 3629 10: NUL in two bytes is wrong at the first", "c080", 0, WRONG},
    {"RFC 3629 10: a slash in two bytes is wrong at the first", "c0af", 0, WRONG},
    {"RFC 3629 10: C1 starts overlong forms only", "c1bf", 0, WRONG},
    {"RFC 3629 10: a slash in three bytes is wrong at the second", "e080af", 1, WRONG},
    {"RFC 3629 10: a slash in four bytes is wrong at the second", "f08080af", 1, WRONG},
    {"RFC 3629 10: U+FFFF in four bytes is wrong at the second", "f08fbfbf", 1, WRONG},
    {"RFC 3629 3: the first surrogate is wrong at the second byte", "eda080", 1, WRONG},
    {"RFC 3629 3: the last surrogate is wrong at the second byte", "edbfbf", 1, WRONG},
    {"RFC 3629 3: a pair of surrogates (CESU-8) is wrong at its second byte", "eda0bd edb880", 1,
     WRONG},
    {"RFC 3629 3: U+110000 is wrong at the second byte", "f4908080", 1, WRONG},
    {"RFC 3629 3: F5 is wrong", "f5808080", 0, WRONG},
    {"RFC 3629 3: F7 is wrong", "f7bfbfbf", 0, WRONG},
    {"RFC 3629 3: five bytes are wrong at the first", "f888808080", 0, WRONG},
    {"RFC 3629 3: six bytes are wrong at the first", "fc8480808080", 0, WRONG},
    {"RFC 3629 3: FE never appears", "fe", 0, WRONG},
    {"RFC 3629 3: FF never appears", "4142434445464748 ff", 8, WRONG},
    {"RFC 6455 8.1: a fault behind eight good bytes and a word", "48656c6c6f2c2077 e282 ff", 10,
     WRONG},
    {"RFC 6455 8.1: a code point over the edge of a word", "61626364656667 f09f9880 c3a9", 13,
     COMPLETE},
};

static void run_text_row(void **context) {
    const text_row *row = *context;
    uint8_t data[64];
    size_t len = hex_decode(row->hex, data, sizeof data);
    result wanted = {row->good, row->end};
    result other = reference(data, len);
    assert_int_equal(other.good, wanted.good);
    assert_int_equal(other.end, wanted.end);
    uint8_t *guarded = guard_copy(data, len);
    check_splits(guarded, len, wanted);
    guard_free(guarded, len);
}

static void every_three_bytes(void **context) {
    (void)context;
    for (uint32_t first = 0; first < 0x10000; first++) {
        for (uint32_t third = 0; third < 256; third += THIRD_BYTE_STEP) {
            uint8_t data[3] = {(uint8_t)(first >> 8), (uint8_t)first, (uint8_t)third};
            check_whole(data, sizeof data);
        }
    }
}

/* Both sides of every edge in the grammar. */
static const uint8_t edges[40] = {0x00, 0x01, 0x41, 0x7E, 0x7F, 0x80, 0x81, 0x8F, 0x90, 0x91,
                                  0x9E, 0x9F, 0xA0, 0xA1, 0xBE, 0xBF, 0xC0, 0xC1, 0xC2, 0xC3,
                                  0xDE, 0xDF, 0xE0, 0xE1, 0xE2, 0xEC, 0xED, 0xEE, 0xEF, 0xF0,
                                  0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF7, 0xF8, 0xFC, 0xFE, 0xFF};

static void every_four_edges(void **context) {
    (void)context;
    for (uint32_t n = 0; n < 40 * 40 * 40 * 40; n++) {
        uint8_t data[4] = {edges[n / 64000], edges[n / 1600 % 40], edges[n / 40 % 40],
                           edges[n % 40]};
        check_whole(data, sizeof data);
    }
}

/* Each starts with C0 or above: the others were all seen with three bytes. */
static void random_four_bytes(void **context) {
    (void)context;
    uint64_t seed = 4;
    for (uint32_t n = 0; n < RANDOM_TEXTS; n++) {
        uint64_t bits = random_next(&seed) >> 8;
        uint8_t data[4] = {(uint8_t)(bits | 0xC0), (uint8_t)(bits >> 8), (uint8_t)(bits >> 16),
                           (uint8_t)(bits >> 24)};
        check_whole(data, sizeof data);
    }
}

/* Longer texts, in which the words of ASCII lie anywhere, with a wrong byte in every second one. */
static void random_long_texts(void **context) {
    (void)context;
    static const char *const points[] = {"a",
                                         "Hello, world!",
                                         "\xC3\xA9",
                                         "\xE2\x82\xAC",
                                         "\xED\x9F\xBF",
                                         "\xF0\x9F\x98\x80",
                                         "\xF4\x8F\xBF\xBF"};
    uint64_t seed = 5;
    for (size_t round = 0; round < 5000; round++) {
        uint8_t text[64];
        size_t len = 0;
        while (len < 48) {
            const char *point = points[random_next(&seed) % 7];
            memcpy(text + len, point, strlen(point));
            len += strlen(point);
        }
        if (round % 2 == 0) {
            text[random_next(&seed) % len] = (uint8_t)random_next(&seed);
        }
        check_splits(text, len, reference(text, len));
    }
}

/* Byte by byte, with the index of each call: the sum must be that of one call. */
static void byte_by_byte(void **context) {
    (void)context;
    for (size_t r = 0; r < sizeof text_rows / sizeof text_rows[0]; r++) {
        uint8_t data[64];
        size_t len = hex_decode(text_rows[r].hex, data, sizeof data);
        uint32_t state = HWS_UTF8_ACCEPT;
        size_t i = 0;
        while (i < len && hws_utf8_validate(&state, data + i, 1) == 1) {
            i++;
        }
        assert_int_equal(i, text_rows[r].good);
        assert_int_equal(end_of(state), text_rows[r].end);
    }
}

static void nothing_at_all(void **context) {
    (void)context;
    uint32_t state = HWS_UTF8_ACCEPT;
    assert_int_equal(hws_utf8_validate(&state, NULL, 0), 0);
    assert_int_equal(state, HWS_UTF8_ACCEPT);
}

int main(void) {
    enum { ROWS = sizeof text_rows / sizeof text_rows[0] };
    static struct CMUnitTest rows[ROWS];
    for (size_t r = 0; r < ROWS; r++) {
        rows[r].name = text_rows[r].name;
        rows[r].test_func = run_text_row;
        rows[r].initial_state = (void *)(uintptr_t)&text_rows[r];
    }
    const struct CMUnitTest tests[] = {
        {"RFC 3629 4: every text of three bytes", every_three_bytes, NULL, NULL, NULL},
        {"RFC 3629 4: every text of four bytes from the edges of the grammar", every_four_edges,
         NULL, NULL, NULL},
        {"RFC 3629 4: random texts of four bytes", random_four_bytes, NULL, NULL, NULL},
        {"RFC 6455 8.1: long texts at every split", random_long_texts, NULL, NULL, NULL},
        {"RFC 6455 8.1: a text byte by byte", byte_by_byte, NULL, NULL, NULL},
        {"RFC 6455 8.1: no bytes need no buffer", nothing_at_all, NULL, NULL, NULL},
    };
    int failed = cmocka_run_group_tests(rows, NULL, NULL);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
