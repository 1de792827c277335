/*
 * Runs of bytes: every byte at every place of every short text, and two of them, must give what a
 * look at each byte gives. The texts end at a forbidden page.
 */
#include "support.h"

#include "http_scan.h"

#include <string.h>

#ifdef HWS_TEST_REDUCED
enum { LONGEST = 18 };
#else
enum { LONGEST = 35 };
#endif

typedef struct run {
    const char *name;
    uint8_t fill; /* a byte of the run */
    uint8_t (*is_part)(uint8_t byte);
    size_t (*end)(const uint8_t *buf, size_t at, size_t end);
} run;

static uint8_t is_tchar(uint8_t byte) {
    return hws__is_tchar(byte);
}

static uint8_t is_value_byte(uint8_t byte) {
    return hws__is_value_byte(byte);
}

static uint8_t is_visible(uint8_t byte) {
    return hws__is_visible(byte);
}

static uint8_t is_other(uint8_t byte) {
    return byte != ',' && byte != '"';
}

static size_t find_comma_or_quote(const uint8_t *buf, size_t at, size_t end) {
    return hws__find_either(buf, at, end, ',', '"');
}

static const run runs[] = {
    {"RFC 9110 5.6.2: where a token ends", 'a', is_tchar, hws__skip_tchars},
    {"RFC 9110 5.5: where a value ends", 'a', is_value_byte, hws__skip_value},
    {"RFC 9112 3.2: where a target ends", '/', is_visible, hws__skip_visible},
    {"RFC 9110 5.6.1: where an element may end", ' ', is_other, find_comma_or_quote},
};

static size_t end_by_bytes(const run *row, const uint8_t *text, size_t at, size_t len) {
    while (at < len && row->is_part(text[at])) {
        at++;
    }
    return at;
}

/* From every start: what stands before it must not count. */
static void check_starts(const run *row, const uint8_t *text, size_t len) {
    for (size_t at = 0; at <= len; at++) {
        assert_int_equal(row->end(text, at, len), end_by_bytes(row, text, at, len));
    }
}

static void run_row(void **context) {
    const run *row = *context;
    uint8_t text[LONGEST];
    for (size_t len = 0; len <= LONGEST; len++) {
        memset(text, row->fill, sizeof text);
        uint8_t *copy = guard_copy(text, len);
        check_starts(row, copy, len);
        for (size_t place = 0; place < len; place++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                copy[place] = (uint8_t)byte;
                assert_int_equal(row->end(copy, 0, len), end_by_bytes(row, copy, 0, len));
                assert_int_equal(row->end(copy, place, len), end_by_bytes(row, copy, place, len));
            }
            copy[place] = row->fill;
        }
        guard_free(copy, len);
    }
}

/* A byte after one that ends the run, or does not, must not be taken for the first. */
static void run_pairs(void **context) {
    const run *row = *context;
    uint8_t text[2 * HWS__WORD]; /* a step of every form */
    memset(text, row->fill, sizeof text);
    for (unsigned pair = 0; pair < 65536; pair++) {
        text[2] = (uint8_t)(pair >> 8);
        text[3] = (uint8_t)pair;
        assert_int_equal(row->end(text, 0, sizeof text), end_by_bytes(row, text, 0, sizeof text));
    }
}

int main(void) {
    enum { ROWS = sizeof runs / sizeof runs[0] };
    static struct CMUnitTest tests[2 * ROWS];
    for (size_t r = 0; r < ROWS; r++) {
        tests[r] =
            (struct CMUnitTest){runs[r].name, run_row, NULL, NULL, (void *)(uintptr_t)&runs[r]};
        tests[ROWS + r] =
            (struct CMUnitTest){runs[r].name, run_pairs, NULL, NULL, (void *)(uintptr_t)&runs[r]};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
