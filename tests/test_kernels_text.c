/*
 * Validation, and masking with validation, by each form of the kernels against the portable one:
 * texts of every length, alignment and phase, in pieces, sliding down, beside forbidden pages. What
 * they do with faults is in test_kernels_faults.c; the portable form is proved in test_utf8.c.
 */
#include "form_checks.h"

/* Slow machines under a sanitizer or valgrind do less of the same. */
#ifdef HWS_TEST_REDUCED
enum { CUT_TEXTS = 30, LONG_TEXTS = 10 };
#else
enum { CUT_TEXTS = 500, LONG_TEXTS = 150 };
#endif

enum { LONG = 70 * 1024 };

/* All lengths of one text in one place: the states on the way are asked for byte by byte. The
 * portable form, which does not look at addresses, is left out at most of them. */
static void check_lengths(const uint8_t *text, place p) {
    uint8_t masked[MAX_LEN];
    outcome wanted = {0, HWS_UTF8_ACCEPT};
    reference_mask(masked, text, MAX_LEN, p.phase);
    size_t len = 0;
    while (len <= MAX_LEN) {
        while (wanted.good < len) {
            size_t good = hws__utf8_portable(&wanted.state, text + wanted.good, 1);
            assert_int_equal(good, 1);
            wanted.good++;
        }
        for (size_t f = p.dst % 8 == 0 ? 0 : 1; f < forms_count; f++) {
            if ((len + p.dst + p.phase) % 2 == 0) {
                check_copy(&forms[f], HWS_UTF8_ACCEPT, text, masked, len, p, wanted);
            } else {
                check_in_place(&forms[f], HWS_UTF8_ACCEPT, text, masked, len, p, wanted);
            }
            if (p.phase == 0) {
                check_validate(&forms[f], HWS_UTF8_ACCEPT, text, len, p, wanted);
            }
        }
        len = next_len(len);
    }
}

static void every_length_alignment_and_phase(void **context) {
    static uint8_t text[MAX_LEN];
    (void)context;
    for (size_t a = 0; a < ALIGNMENTS; a = next_alignment(a)) {
        for (size_t kind = 0; kind < KINDS; kind++) {
            fill_text(text, sizeof text, kind, a % 4);
            for (uint32_t phase = 0; phase < PHASES; phase++) {
                place p = nth_place(a + phase);
                p.dst = a;
                p.phase = phase;
                check_lengths(text, p);
            }
        }
    }
}

/* Code points of every length, and a fault in every second text. */
static void random_text(uint64_t *seed, uint8_t *text, size_t len) {
    size_t i = 0;
    size_t run = 0;
    const char *point = "";
    while (i < len) {
        if (*point == '\0') {
            run = run == 0 ? random_next(seed) % 12 : run - 1;
            point = run < 10 ? patterns[random_next(seed) % PATTERNS] : patterns[0];
        }
        text[i] = (uint8_t)*point;
        point++;
        i++;
    }
    if (len > 0 && random_next(seed) % 2 == 0) {
        text[random_next(seed) % len] = (uint8_t)(random_next(seed) >> 32);
    }
}

/* A text in pieces, the next of which ends where `cut` says. */
typedef size_t next_cut(void *context, size_t at, size_t len);

static void check_cuts(const form *f, const uint8_t *text, size_t len, place p, outcome wanted,
                       next_cut *cut, void *context) {
    static uint8_t masked[LONG];
    static uint8_t out[LONG];
    outcome validated = {0, HWS_UTF8_ACCEPT};
    outcome got = {0, HWS_UTF8_ACCEPT};
    size_t at = 0;
    reference_mask(masked, text, len, p.phase);
    while (at < len && got.state != HWS_UTF8_REJECT) {
        size_t n = cut(context, at, len) - at;
        validated.good += f->utf8(&validated.state, text + at, n);
        got.good +=
            f->mask_utf8(&got.state, out + at, masked + at, n, test_key, (uint32_t)(p.phase + at));
        compare(f, "utf8 and mask_utf8 of a piece", text, len, p, got, validated);
        at += n;
    }
    compare(f, "in pieces", text, len, p, got, wanted);
    assert_memory_equal(out, text, got.good);
}

static size_t cut_once(void *context, size_t at, size_t len) {
    size_t split = *(size_t *)context;
    return at < split ? split : len;
}

static void every_cut_in_two(void **context) {
    uint64_t seed = 2;
    (void)context;
    for (size_t round = 0; round < CUT_TEXTS; round++) {
        uint8_t text[150];
        size_t len = sizeof text - round % 90;
        random_text(&seed, text, len);
        outcome wanted = by_portable(HWS_UTF8_ACCEPT, text, len);
        for (size_t split = 0; split < len; split++) {
            for (size_t f = 0; f < forms_count; f++) {
                check_cuts(&forms[f], text, len, nth_place(round), wanted, cut_once, &split);
            }
        }
    }
}

/* Pieces of a few bytes, of some vectors, and of thousands. */
static size_t cut_anywhere(void *context, size_t at, size_t len) {
    static const size_t most[] = {5, 80, 300, 30000};
    uint64_t *seed = context;
    size_t n = 1 + random_next(seed) % most[random_next(seed) >> 62];
    return n < len - at ? at + n : len;
}

static void long_texts(void **context) {
    static uint8_t text[LONG];
    uint64_t seed = 3;
    (void)context;
    for (size_t round = 0; round < LONG_TEXTS; round++) {
        size_t len = (size_t)(random_next(&seed) % (round % 3 == 0 ? LONG : 3000));
        random_text(&seed, text, len);
        outcome wanted = by_portable(HWS_UTF8_ACCEPT, text, len);
        for (size_t f = 0; f < forms_count; f++) {
            check_cuts(&forms[f], text, len, nth_place(round), wanted, cut_anywhere, &seed);
        }
    }
}

/* A text that moves down over itself, with a fault in every third. */
static void every_slide(void **context) {
    size_t n = 0;
    (void)context;
    for (size_t len = 1; len <= 700; len += len < 150 ? 3 : 37) {
        for (size_t slide = 1; slide <= MAX_SLIDE; slide++) {
            uint8_t text[700];
            size_t at = MARGIN + n % ALIGNMENTS;
            fill_text(text, len, n % KINDS, slide % 4);
            text[n * 31 % len] = n % 3 == 0 ? 0xFF : text[n * 31 % len];
            outcome wanted = by_portable(HWS_UTF8_ACCEPT, text, len);
            for (size_t f = 0; f < forms_count; f++) {
                outcome got = {0, HWS_UTF8_ACCEPT};
                memset(dst_room, CANARY, sizeof dst_room);
                reference_mask(dst_room + at + slide, text, len, 1);
                got.good = forms[f].mask_utf8(&got.state, dst_room + at, dst_room + at + slide, len,
                                              test_key, 1);
                compare(&forms[f], "sliding down", text, len, (place){slide, at, 1, 0}, got,
                        wanted);
                compare_room(&forms[f], "sliding down", text, got.good, at, len + slide);
            }
            n++;
        }
    }
}

/* Between two pages that nobody may touch, at the start and at the end. */
static void check_guarded(const uint8_t *text, size_t len, uint8_t *src, uint8_t *dst) {
    outcome wanted = by_portable(HWS_UTF8_ACCEPT, text, len);
    for (size_t f = 0; f < forms_count; f++) {
        outcome got = {0, HWS_UTF8_ACCEPT};
        memcpy(src, text, len);
        got.good = forms[f].utf8(&got.state, src, len);
        compare(&forms[f], "utf8 beside a page", text, len, (place){0}, got, wanted);
        reference_mask(src, text, len, 2);
        got.state = HWS_UTF8_ACCEPT;
        got.good = forms[f].mask_utf8(&got.state, dst, src, len, test_key, 2);
        compare(&forms[f], "mask_utf8 beside a page", text, len, (place){0}, got, wanted);
        assert_memory_equal(dst, text, got.good);
    }
}

static void beside_forbidden_pages(void **context) {
    uint8_t *src = guard_alloc(GUARDED);
    uint8_t *dst = guard_alloc(GUARDED);
    uint8_t text[MAX_LEN];
    (void)context;
    for (size_t kind = 0; kind < KINDS; kind++) {
        for (size_t len = 0; len <= MAX_LEN; len = next_len(len)) {
            fill_text(text, len, kind, len % 4);
            for (size_t n = 0; n < 8; n++) {
                size_t from = n % 2 == 0 ? 0 : GUARDED - len;
                size_t to = n / 2 % 2 == 0 ? 0 : GUARDED - len;
                check_guarded(text, len, src + from, dst + to);
                if (n == 3 && len > 0) {
                    text[len - 1] = 0xFF;
                }
            }
        }
    }
    guard_free(src, GUARDED);
    guard_free(dst, GUARDED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        {"RFC 6455 8.1: texts of any length at any address and phase",
         every_length_alignment_and_phase, NULL, NULL, NULL},
        {"RFC 6455 8.1: a text cut in two at every place", every_cut_in_two, NULL, NULL, NULL},
        {"RFC 6455 8.1: long texts in pieces of any size", long_texts, NULL, NULL, NULL},
        {"RFC 6455 8.1: a text may slide down over itself", every_slide, NULL, NULL, NULL},
        {"RFC 6455 8.1: no byte before or after a text is touched", beside_forbidden_pages, NULL,
         NULL, NULL},
    };
    return cmocka_run_group_tests(tests, open_forms, NULL);
}
