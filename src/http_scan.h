/*
 * Runs of bytes of one class, many bytes a step: where a name, a value or a target ends. Knows the
 * classes of http.h, and reads no byte outside the range that it was given.
 *
 * A word holds eight bytes, the first of them in its lowest bits. Marks are the top bits of those
 * of its bytes that end a run; "exact" where no mark is false, while otherwise those behind the
 * first may be. On x86-64, which always has SSE2, the two loops that see most of a head take 16
 * bytes a step.
 */
#ifndef HWS__HTTP_SCAN_H
#define HWS__HTTP_SCAN_H

#include "http.h"
#include "kernel.h"

enum { HWS__WORD = 8 };

/* The same byte eight times. */
static inline uint64_t hws__each(uint8_t byte) {
    return byte * UINT64_C(0x0101010101010101);
}

static inline uint64_t hws__load_word(const void *data) {
    const uint8_t *p = data;
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

/* The place of the first byte that is marked; 8 when none is. */
static inline size_t hws__first_mark(uint64_t marks) {
    uint64_t bits = marks >> 7; /* the lowest of each byte */
    uint64_t before = (bits - 1) & ~bits & hws__each(1);
    return (size_t)(before * hws__each(1) >> 56);
}

/* Marks one byte. */
static inline uint64_t hws__mark_byte(uint64_t word, uint8_t byte) {
    uint64_t others = word ^ hws__each(byte);
    return (others - hws__each(1)) & ~others & hws__each(0x80);
}

/* Marks bytes below ' ' and DEL. */
static inline uint64_t hws__mark_controls(uint64_t word) {
    uint64_t low = word - hws__each(' ');
    return ((low & ~word) | hws__mark_byte(word, 0x7F)) & hws__each(0x80);
}

/* Marks what is not visible ASCII; exact. */
static inline uint64_t hws__mark_invisible(uint64_t word) {
    uint64_t low = word & hws__each(0x7F);
    return (~(low + hws__each(0x7F - ' ')) | (low + hws__each(1)) | word) & hws__each(0x80);
}

#ifdef HWS__X86

enum { HWS__BLOCK = 16 };

typedef uint8_t hws__block __attribute__((vector_size(HWS__BLOCK)));
typedef char hws__truths __attribute__((vector_size(HWS__BLOCK)));

static inline hws__block hws__load_block(const uint8_t *p) {
    hws__block block;
    memcpy(&block, p, sizeof block);
    return block;
}

/* The same byte 16 times. */
static inline hws__block hws__fill(uint8_t byte) {
    return (hws__block){0} + byte;
}

/* Marks what is neither a letter nor "-", with one bit a byte. */
static inline uint32_t hws__block_not_letters(hws__block block) {
    hws__block letter = (block | hws__fill(0x20)) - hws__fill('a');
    hws__truths good = (hws__truths)((letter < hws__fill(26)) | (block == hws__fill('-')));
    return (uint32_t)__builtin_ia32_pmovmskb128(good) ^ 0xFFFF;
}

/* Marks bytes below ' ' and DEL, with one bit a byte. */
static inline uint32_t hws__block_controls(hws__block block) {
    hws__truths bad = (hws__truths)((block < hws__fill(' ')) | (block == hws__fill(0x7F)));
    return (uint32_t)__builtin_ia32_pmovmskb128(bad);
}

#endif

/* The end of the run of tchar from `at` on. */
static inline size_t hws__skip_tchars(const uint8_t *buf, size_t at, size_t end) {
#ifdef HWS__X86
    while (end - at >= HWS__BLOCK) {
        uint32_t marks = hws__block_not_letters(hws__load_block(buf + at));
        if (marks != 0) {
            at += (size_t)__builtin_ctz(marks);
            break;
        }
        at += HWS__BLOCK;
    }
#endif
    while (at < end && hws__is_tchar(buf[at])) {
        at++;
    }
    return at;
}

/* The end of the run of bytes of a field value. */
static inline size_t hws__skip_value(const uint8_t *buf, size_t at, size_t end) {
#ifdef HWS__X86
    while (end - at >= HWS__BLOCK) {
        uint32_t marks = hws__block_controls(hws__load_block(buf + at));
        if (marks != 0) {
            at += (size_t)__builtin_ctz(marks);
            break;
        }
        at += HWS__BLOCK;
    }
#else
    while (end - at >= HWS__WORD) {
        uint64_t marks = hws__mark_controls(hws__load_word(buf + at));
        if (marks != 0) {
            at += hws__first_mark(marks);
            break;
        }
        at += HWS__WORD;
    }
#endif
    while (at < end && hws__is_value_byte(buf[at])) {
        at++;
    }
    return at;
}

/* The end of the run of visible ASCII. */
static inline size_t hws__skip_visible(const uint8_t *buf, size_t at, size_t end) {
    while (end - at >= HWS__WORD) {
        uint64_t marks = hws__mark_invisible(hws__load_word(buf + at));
        if (marks != 0) {
            return at + hws__first_mark(marks);
        }
        at += HWS__WORD;
    }
    while (at < end && hws__is_visible(buf[at])) {
        at++;
    }
    return at;
}

/* The first place of one of two bytes; `end` when there is none. */
static inline size_t hws__find_either(const uint8_t *buf, size_t at, size_t end, uint8_t one,
                                      uint8_t other) {
    while (end - at >= HWS__WORD) {
        uint64_t word = hws__load_word(buf + at);
        uint64_t marks = hws__mark_byte(word, one) | hws__mark_byte(word, other);
        if (marks != 0) {
            return at + hws__first_mark(marks);
        }
        at += HWS__WORD;
    }
    while (at < end && buf[at] != one && buf[at] != other) {
        at++;
    }
    return at;
}

#endif
