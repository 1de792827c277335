/*
 * Text that is wrong, by each form of the kernels: every fault of RFC 3629 at every place, four
 * bytes from the edges of the grammar anywhere in a text, and every state that a text can go on
 * from. The portable form says where a fault is; in ASCII, the table of faults says it too.
 */
#include "form_checks.h"

/* Slow machines under a sanitizer or valgrind do less of the same. */
#ifdef HWS_TEST_REDUCED
enum { EDGE_STEP = 101, MAX_FAULT_LEN = 131, FAULT_LEN_STEP = 13, STATE_STEP = 13 };
#else
enum { EDGE_STEP = 3, MAX_FAULT_LEN = 200, FAULT_LEN_STEP = 1, STATE_STEP = 1 };
#endif

typedef struct fault {
    const char *name;
    const char *bytes;
    size_t
        bad; /* index of the first bad byte, as RFC 3629 4 has it, when ASCII comes behind them */
} fault;

static const fault faults[] = {
    {"a lone tail byte, the lowest", "\x80", 0},
    {"a lone tail byte, the highest", "\xBF", 0},
    {"one tail byte too many after two", "\xC3\xA9\x80", 2},
    {"one tail byte too many after three", "\xE2\x82\xAC\x90", 3},
    {"one tail byte too many after four", "\xF0\x9F\x98\x80\xA0", 4},
    {"C0 is overlong", "\xC0\xAF", 0},
    {"C1 is overlong", "\xC1\xBF", 0},
    {"three bytes, overlong, the lowest", "\xE0\x80\x80", 1},
    {"three bytes, overlong, the highest", "\xE0\x9F\xBF", 1},
    {"four bytes, overlong, the lowest", "\xF0\x80\x80\x80", 1},
    {"four bytes, overlong, the highest", "\xF0\x8F\xBF\xBF", 1},
    {"the first surrogate", "\xED\xA0\x80", 1},
    {"the last surrogate", "\xED\xBF\xBF", 1},
    {"U+110000", "\xF4\x90\x80\x80", 1},
    {"U+13FFFF", "\xF4\xBF\xBF\xBF", 1},
    {"F5 with low tails", "\xF5\x80\x80\x80", 0},
    {"F5 with high tails", "\xF5\xBF\xBF\xBF", 0},
    {"F7", "\xF7\xBF\xBF\xBF", 0},
    {"five bytes", "\xF8\x88\x80\x80\x80", 0},
    {"six bytes", "\xFC\x84\x80\x80\x80\x80", 0},
    {"FE", "\xFE", 0},
    {"FF", "\xFF", 0},
    {"two bytes without their tail", "\xC3", 1},
    {"two bytes without their tail, twice", "\xC3\xC3\xA9", 1},
    {"three bytes without a tail", "\xE2", 1},
    {"three bytes with one tail", "\xE2\x82", 2},
    {"E0 with one tail", "\xE0\xA0", 2},
    {"ED with one tail", "\xED\x9F", 2},
    {"four bytes without a tail", "\xF1", 1},
    {"four bytes with one tail", "\xF0\x90", 2},
    {"four bytes with two tails", "\xF0\x9F\x98", 3},
    {"F4 with two tails", "\xF4\x8F\xBF", 3},
    {"three bytes with one tail, then a lead byte", "\xE2\x82\xC3\xA9", 2},
    {"four bytes with two tails, then a lead byte", "\xF0\x9F\x98\xF0\x9F\x98\x80", 3},
};

enum { FAULTS = sizeof faults / sizeof faults[0] };

/* In ASCII it is known where the fault is; a text that ends before that is not wrong yet. */
static void check_known(const fault *bad, size_t at, size_t len, outcome found) {
    size_t index = at + bad->bad;
    outcome wanted = {index < len ? index : len, found.state};
    if (found.good != wanted.good || (found.state == HWS_UTF8_REJECT) != (index < len)) {
        fail_msg("portable: %s at %zu of %zu: good %zu, wanted %zu", bad->name, at, len, found.good,
                 wanted.good);
    }
}

static void check_fault(const fault *bad, size_t at, size_t len, size_t kind, size_t n) {
    uint8_t text[MAX_FAULT_LEN + 8];
    size_t bad_len = strlen(bad->bytes);
    fill_text(text, len, kind, n % 4);
    memcpy(text + at, bad->bytes, bad_len < len - at ? bad_len : len - at);
    outcome wanted = by_portable(HWS_UTF8_ACCEPT, text, len);
    if (kind == 0) {
        check_known(bad, at, len, wanted);
    }
    place p = nth_place(n);
    uint8_t masked[MAX_FAULT_LEN + 8];
    reference_mask(masked, text, len, p.phase);
    for (size_t f = 0; f < forms_count; f++) {
        check_validate(&forms[f], HWS_UTF8_ACCEPT, text, len, p, wanted);
        if (n / 2 % 2 == 0) {
            check_copy(&forms[f], HWS_UTF8_ACCEPT, text, masked, len, p, wanted);
        } else {
            check_in_place(&forms[f], HWS_UTF8_ACCEPT, text, masked, len, p, wanted);
        }
    }
}

/* In ASCII and, by turns, in all other texts: what stands before a fault is good there too. */
static void every_fault_everywhere(void **context) {
    size_t n = 0;
    (void)context;
    for (size_t len = 1; len <= MAX_FAULT_LEN; len += FAULT_LEN_STEP) {
        for (size_t at = 0; at < len; at++) {
            for (size_t i = 0; i < FAULTS; i++) {
                check_fault(&faults[i], at, len, n % 3 == 0 ? 0 : n % KINDS, n);
                n++;
            }
        }
    }
}

/* Both sides of every edge in the grammar. */
static const uint8_t edges[40] = {0x00, 0x01, 0x41, 0x7E, 0x7F, 0x80, 0x81, 0x8F, 0x90, 0x91,
                                  0x9E, 0x9F, 0xA0, 0xA1, 0xBE, 0xBF, 0xC0, 0xC1, 0xC2, 0xC3,
                                  0xDE, 0xDF, 0xE0, 0xE1, 0xE2, 0xEC, 0xED, 0xEE, 0xEF, 0xF0,
                                  0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF7, 0xF8, 0xFC, 0xFE, 0xFF};

/* A text in place, by all forms but the portable one. The key is 0: it is its own masked text. */
static void check_plain(uint32_t state, const uint8_t *text, size_t len) {
    static const uint8_t no_key[4];
    static uint8_t out[MAX_LEN];
    outcome wanted = by_portable(state, text, len);
    for (size_t f = 1; f < forms_count; f++) {
        outcome got = {0, state};
        got.good = forms[f].utf8(&got.state, text, len);
        compare(&forms[f], "utf8", text, len, (place){0}, got, wanted);
        got.state = state;
        got.good = forms[f].mask_utf8(&got.state, out, text, len, no_key, 0);
        compare(&forms[f], "mask_utf8", text, len, (place){0}, got, wanted);
        if (memcmp(out, text, got.good) != 0) {
            report(&forms[f], "mask_utf8, bytes", text, len, (place){0}, got, wanted);
        }
    }
}

/* At places that go through all alignments to a vector, among ASCII and among code points. */
static void every_four_edges(void **context) {
    enum { LEN = 4 + 127 + 9, FOUR = 40 * 40 * 40 * 40 };
    uint8_t text[2][LEN];
    (void)context;
    fill_text(text[0], LEN, 0, 0);
    fill_text(text[1], LEN, 2, 2);
    for (uint32_t n = 0; n < FOUR; n += EDGE_STEP) {
        uint8_t four[4] = {edges[n / 64000], edges[n / 1600 % 40], edges[n / 40 % 40],
                           edges[n % 40]};
        uint8_t *to = &text[n / 127 % 2][n % 127];
        uint8_t before[4];
        memcpy(before, to, 4);
        memcpy(to, four, 4);
        check_plain(HWS_UTF8_ACCEPT, text[n / 127 % 2], LEN - n % 7);
        memcpy(to, before, 4);
    }
}

/* What a text may have ended in before: each leads to a state of its own. */
static const char *const beginnings[] = {
    "",     "\xC3", "\xE0",     "\xE1",     "\xED",     "\xEE\x80",     "\xE0\xA0",    "\xF0",
    "\xF1", "\xF4", "\xF0\x90", "\xF3\x80", "\xF4\x8F", "\xF0\x9F\x98", "\xF4\x8F\xBF"};

/* Goes on from a state with three bytes of any kind and more behind them. */
static void check_state(uint32_t state, size_t n) {
    static const uint8_t lens[] = {1,  2,  3,  4,  5,  7,  8,  15, 16, 17,
                                   18, 19, 31, 32, 33, 35, 63, 64, 65, 130};
    uint8_t text[130];
    size_t len = lens[n % sizeof lens];
    fill_text(text, sizeof text, n / 3 % KINDS, 3);
    text[0] = edges[n % 40];
    text[1] = edges[n / 40 % 40];
    text[2] = edges[n / 1600 % 40];
    for (size_t i = 0; i < 3; i++) {
        check_plain(state, text, len);
        len = lens[(n + n / 40 + i * 7) % sizeof lens];
    }
    if (n % 16 == 0) {
        check_text(state, text, len, nth_place(n / 16), by_portable(state, text, len));
    }
}

static void every_state(void **context) {
    (void)context;
    for (size_t b = 0; b < sizeof beginnings / sizeof beginnings[0]; b++) {
        uint32_t state = HWS_UTF8_ACCEPT;
        size_t len = strlen(beginnings[b]);
        assert_int_equal(hws__utf8_portable(&state, (const uint8_t *)beginnings[b], len), len);
        check_text(state, (const uint8_t *)"", 0, nth_place(b), (outcome){0, state});
        for (size_t n = 0; n < 40 * 40 * 40; n += STATE_STEP) {
            check_state(state, n);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        {"RFC 3629 4: every fault at every place of a text", every_fault_everywhere, NULL, NULL,
         NULL},
        {"RFC 3629 4: four bytes from the edges of the grammar, inside of a text", every_four_edges,
         NULL, NULL, NULL},
        {"RFC 6455 8.1: a text goes on from every state", every_state, NULL, NULL, NULL},
    };
    return cmocka_run_group_tests(tests, open_forms, NULL);
}
