/*
 * What the tests of the kernels share: texts, and the comparison of what each form makes of one
 * with what it should. Buffers have room for canaries around all that a form may write.
 */
#ifndef HWS_TESTS_FORM_CHECKS_H
#define HWS_TESTS_FORM_CHECKS_H

#include "forms.h"
#include "support.h"

#include <hawser/utf8.h>

#include <string.h>

enum { MAX_LEN = 1024, ALIGNMENTS = 64, MARGIN = 64, MAX_SLIDE = 130, PHASES = 4, CANARY = 0xA5 };
enum { ROOM = MARGIN + ALIGNMENTS + MAX_SLIDE + MAX_LEN + MARGIN };

/* Whole pages, whatever their size. */
enum { GUARDED = 1 << 16 };

static const uint8_t test_key[4] = {0x37, 0xFA, 0x21, 0x3D};

/* Slow machines under a sanitizer or valgrind leave out what lies between the sizes of vectors. */
#ifdef HWS_TEST_REDUCED
static inline size_t next_len(size_t len) {
    return len < 80 || len % 64 >= 62 || len % 64 < 2 ? len + 1 : len + 62 - len % 64;
}

static inline size_t next_alignment(size_t alignment) {
    return alignment % 16 == 1 ? alignment + 14 : alignment + 1;
}
#else
static inline size_t next_len(size_t len) {
    return len + 1;
}

static inline size_t next_alignment(size_t alignment) {
    return alignment + 1;
}
#endif

static _Alignas(ALIGNMENTS) uint8_t src_room[ROOM];
static _Alignas(ALIGNMENTS) uint8_t dst_room[ROOM];
static uint8_t canaries[ROOM];

static inline int open_forms(void **context) {
    (void)context;
    forms_ask();
    memset(canaries, CANARY, sizeof canaries);
    return 0;
}

/* RFC 6455 5.3, word for word. */
static inline void reference_mask(uint8_t *dst, const uint8_t *src, size_t len, uint32_t phase) {
    for (size_t i = 0; i < len; i++) {
        dst[i] = src[i] ^ test_key[(phase + i) % 4];
    }
}

typedef struct outcome {
    size_t good;
    uint32_t state;
} outcome;

/* Where a text stands and how it is masked. */
typedef struct place {
    size_t src; /* the room's alignment below the text */
    size_t dst;
    uint32_t phase;
    uint8_t around; /* what stands before and behind the text */
} place;

static inline outcome by_portable(uint32_t state, const uint8_t *text, size_t len) {
    outcome o = {0, state};
    o.good = hws__utf8_portable(&o.state, text, len);
    return o;
}

/* Some hex of a text around the place where it matters. */
static inline void report(const form *f, const char *what, const uint8_t *text, size_t len, place p,
                          outcome got, outcome wanted) {
    char hex[3 * 16 + 1] = "";
    size_t from = wanted.good < 8 ? 0 : wanted.good - 8;
    for (size_t i = 0; i < 16 && from + i < len; i++) {
        hex[3 * i] = "0123456789abcdef"[text[from + i] >> 4];
        hex[3 * i + 1] = "0123456789abcdef"[text[from + i] & 15];
        hex[3 * i + 2] = ' ';
        hex[3 * i + 3] = '\0';
    }
    fail_msg("%s, %s: length %zu, src %zu, dst %zu, phase %u: good %zu, state %u; wanted %zu, %u; "
             "from %zu on the text is %s",
             f->name, what, len, p.src, p.dst, (unsigned)p.phase, got.good, (unsigned)got.state,
             wanted.good, (unsigned)wanted.state, from, hex);
}

static inline void compare(const form *f, const char *what, const uint8_t *text, size_t len,
                           place p, outcome got, outcome wanted) {
    if (got.good != wanted.good || got.state != wanted.state) {
        report(f, what, text, len, p, got, wanted);
    }
}

/* In dst_room, `at` and the `good` bytes from there on: the text. Outside of `at` and its `len`
 * bytes, nothing but canaries. */
static inline void compare_room(const form *f, const char *what, const uint8_t *text, size_t good,
                                size_t at, size_t len) {
    if (memcmp(dst_room + at, text, good) != 0) {
        fail_msg("%s, %s: length %zu at %zu: the bytes differ", f->name, what, len, at);
    }
    if (memcmp(dst_room, canaries, at) != 0 ||
        memcmp(dst_room + at + len, canaries, ROOM - at - len) != 0) {
        fail_msg("%s, %s: length %zu at %zu: bytes outside were written", f->name, what, len, at);
    }
}

static inline void check_validate(const form *f, uint32_t state, const uint8_t *text, size_t len,
                                  place p, outcome wanted) {
    uint8_t *src = src_room + MARGIN + p.src;
    outcome got = {0, state};
    memset(src - MARGIN, p.around, MARGIN);
    memcpy(src, text, len);
    memset(src + len, p.around, MARGIN);
    got.good = f->utf8(&got.state, src, len);
    compare(f, "utf8", text, len, p, got, wanted);
}

/* `masked` is the text, masked by the phase of the place. */
static inline void check_copy(const form *f, uint32_t state, const uint8_t *text,
                              const uint8_t *masked, size_t len, place p, outcome wanted) {
    uint8_t *src = src_room + MARGIN + p.src;
    size_t at = MARGIN + p.dst;
    outcome got = {0, state};
    memset(src - MARGIN, p.around, MARGIN);
    memcpy(src, masked, len);
    memset(src + len, p.around, MARGIN);
    memset(dst_room, CANARY, sizeof dst_room);
    got.good = f->mask_utf8(&got.state, dst_room + at, src, len, test_key, p.phase);
    compare(f, "mask_utf8 as a copy", text, len, p, got, wanted);
    compare_room(f, "mask_utf8 as a copy", text, got.good, at, len);
}

static inline void check_in_place(const form *f, uint32_t state, const uint8_t *text,
                                  const uint8_t *masked, size_t len, place p, outcome wanted) {
    size_t at = MARGIN + p.dst;
    outcome got = {0, state};
    memset(dst_room, CANARY, sizeof dst_room);
    memcpy(dst_room + at, masked, len);
    got.good = f->mask_utf8(&got.state, dst_room + at, dst_room + at, len, test_key, p.phase);
    compare(f, "mask_utf8 in place", text, len, p, got, wanted);
    compare_room(f, "mask_utf8 in place", text, got.good, at, len);
}

/* All three ways, by every form. */
static inline void check_text(uint32_t state, const uint8_t *text, size_t len, place p,
                              outcome wanted) {
    uint8_t masked[MAX_LEN];
    reference_mask(masked, text, len, p.phase);
    for (size_t f = 0; f < forms_count; f++) {
        check_validate(&forms[f], state, text, len, p, wanted);
        check_copy(&forms[f], state, text, masked, len, p, wanted);
        check_in_place(&forms[f], state, text, masked, len, p, wanted);
    }
}

/* Places that go through alignments, phases and surroundings as n goes on. */
static inline place nth_place(size_t n) {
    static const uint8_t around[5] = {0xFF, 0x80, 'a', 0xC3, 0xF0};
    return (place){n * 7 % 61 % ALIGNMENTS, n * 11 % 64, (uint32_t)(n % PHASES), around[n % 5]};
}

/* A text repeats a pattern, after `shift` bytes of ASCII. The last pattern has both ends of every
 * range in the grammar. */
static const char *const patterns[] = {
    "A text in ASCII, of which no two vectors are alike. ",
    "\xC3\xA9",
    "\xE2\x82\xAC",
    "\xF0\x9F\x98\x80",
    "aa\xC3\xA9\xE2\x82\xACHello, world!\xF0\x9F\x98\x80\xC3\xA9",
    "\xC2\x80\xDF\xBF\xE0\xA0\x80\xE0\xBF\xBF\xE1\x80\x80\xEC\xBF\xBF\xED\x80\x80\xED\x9F\xBF"
    "\xEE\x80\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF0\xBF\xBF\xBF\xF1\x80\x80\x80\xF3\xBF\xBF\xBF"
    "\xF4\x80\x80\x80\xF4\x8F\xBF\xBF",
};

enum { PATTERNS = sizeof patterns / sizeof patterns[0], SPARSE = PATTERNS, KINDS };

/* A code point across every sixteenth byte and ASCII between them: three bytes of it, two or one
 * stand before the edge, or four. */
static inline void fill_sparse(uint8_t *text, size_t cap, size_t shift) {
    static const char *const points[] = {"\xF0\x9F\x98\x80", "\xE2\x82\xAC", "\xC3\xA9"};
    for (size_t i = 0; i < cap; i++) {
        text[i] = (uint8_t)(' ' + i % 89);
    }
    for (size_t edge = 16; edge + 4 <= cap; edge += 16) {
        const char *point = points[edge / 16 % 3];
        memcpy(text + edge - 1 - shift % 4, point, strlen(point));
    }
}

/* Fills all of it: the end may be inside a code point. */
static inline void fill_text(uint8_t *text, size_t cap, size_t kind, size_t shift) {
    if (kind == SPARSE) {
        fill_sparse(text, cap, shift);
        return;
    }
    size_t pattern_len = strlen(patterns[kind]);
    for (size_t i = 0; i < cap; i++) {
        text[i] = i < shift ? 'b' : (uint8_t)patterns[kind][(i - shift) % pattern_len];
    }
}

#endif
