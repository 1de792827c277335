/*
 * The vector forms of the kernels, written once. A file for each form includes this after it has
 * said what its vectors are. Knows the contract of kernel.h and the grammar of RFC 3629 as three
 * tables; knows nothing of processors. What it cannot decide with vectors, which byte is the first
 * bad one and what state the last bytes leave, it asks the portable validator.
 *
 * The includer defines:
 *   TARGET             attribute of all functions here, or nothing
 *   FORM(name)         hws__name_… of this form
 *   WIDTH              bytes of a vector, a number
 *   vector             GCC's vector type of uint8_t with WIDTH bytes
 *   is_ascii(v)        whether no byte of v has its top bit
 *   differ(v, w, n)    whether one of the first n bytes of v is another in w; n from 1 to WIDTH
 *   look_up(t, v)      t[x] for each byte x of v; all are below 16, and t is an array of 16 bytes
 *   before(v, p, n)    the vector that starts n bytes before v, when p stands before v; n is 1 to 3
 *   minus(v, n)        v less n in each byte, not below 0
 *   PARTS              1 when it also has load_part(src, n): n < WIDTH bytes, zeros behind them
 *
 * In place nothing may be read after it was written. So the first and the last vector are read
 * before anything is written, they are written over what the loop between them has written, with
 * the same bytes, and the loop's stores can be aligned: that halves the time of a payload in L1.
 */
#ifndef HWS__KERNEL_SIMD_H
#define HWS__KERNEL_SIMD_H

#include "utf8.h"

#include <hawser/utf8.h>

#include <string.h>

/* Inlined always: the functions here are pieces of three, and constants go through them. */
#define INLINE TARGET static inline __attribute__((always_inline))
#define NOINLINE TARGET __attribute__((noinline))

static const uint64_t top_bits = UINT64_C(0x8080808080808080);

/* Vectors that every form has, for what is shorter than one of its own. */
typedef uint8_t vector16 __attribute__((vector_size(16)));
typedef uint32_t vector16_words __attribute__((vector_size(16)));
typedef uint32_t vector_words __attribute__((vector_size(WIDTH)));

INLINE vector load(const uint8_t *src) {
    vector v;
    memcpy(&v, src, sizeof v);
    return v;
}

INLINE void store(uint8_t *dst, vector v) {
    memcpy(dst, &v, sizeof v);
}

INLINE vector splat(uint32_t word) {
    return (vector)(word - (vector_words){0});
}

INLINE vector splat_byte(uint8_t byte) {
    return byte - (vector){0};
}

/* The key, in the order of memory, as it stands `at` bytes further on. RFC 6455 5.3. */
INLINE uint32_t turn(uint32_t key, size_t at) {
    uint32_t bits = (uint32_t)at * 8;
    return key >> (bits & 31) | key << (-bits & 31);
}

INLINE uint32_t load_key(const uint8_t key[4], uint32_t phase) {
    uint32_t word;
    memcpy(&word, key, sizeof word);
    return turn(word, phase);
}

INLINE vector16 splat16(uint32_t word) {
    return (vector16)(word - (vector16_words){0});
}

#if WIDTH > 32
typedef uint8_t vector32 __attribute__((vector_size(32)));
typedef uint32_t vector32_words __attribute__((vector_size(32)));

INLINE vector32 splat32(uint32_t word) {
    return (vector32)(word - (vector32_words){0});
}
#endif

INLINE uint64_t splat8(uint32_t word) {
    return (uint64_t)word << 32 | word;
}

INLINE uint32_t splat4(uint32_t word) {
    return word;
}

/* All bits of a word, in 64: whether one of its bytes has the top bit can be read from them. */
INLINE uint64_t fold16(vector16 v) {
    typedef uint64_t pair __attribute__((vector_size(16)));
    pair p = (pair)v;
    return p[0] | p[1];
}

#if WIDTH > 32
INLINE uint64_t fold32(vector32 v) {
    vector16 half[2];
    memcpy(half, &v, sizeof half);
    return fold16(half[0] | half[1]);
}
#endif

INLINE uint64_t fold8(uint64_t word) {
    return word;
}

/* Masks n bytes, sizeof(TYPE) <= n <= 2 * sizeof(TYPE), as two words that may overlap. Returns from
 * the function with the bits of both. */
#define MASK_ENDS(TYPE, splat_of, fold_of)                                                         \
    do {                                                                                           \
        TYPE head;                                                                                 \
        TYPE tail;                                                                                 \
        memcpy(&head, src, sizeof head);                                                           \
        memcpy(&tail, src + n - sizeof tail, sizeof tail);                                         \
        head ^= splat_of(key);                                                                     \
        tail ^= splat_of(turn(key, n));                                                            \
        memcpy(dst, &head, sizeof head);                                                           \
        memcpy(dst + n - sizeof tail, &tail, sizeof tail);                                         \
        return fold_of(head | tail);                                                               \
    } while (0)

/* One to three bytes: the first, the middle and the last are all of them. */
INLINE uint64_t mask_three(uint8_t *dst, const uint8_t *src, size_t n, uint32_t key) {
    size_t middle = n / 2;
    uint8_t a = src[0] ^ (uint8_t)key;
    uint8_t b = src[middle] ^ (uint8_t)(key >> 8 * middle);
    uint8_t c = src[n - 1] ^ (uint8_t)(key >> 8 * (n - 1));
    dst[0] = a;
    dst[middle] = b;
    dst[n - 1] = c;
    return a | b | c;
}

/* Masks fewer bytes than a vector has. Returns the bits of all of them, folded. */
INLINE uint64_t mask_part(uint8_t *dst, const uint8_t *src, size_t n, uint32_t key) {
#if WIDTH > 32
    if (n >= 32) {
        MASK_ENDS(vector32, splat32, fold32);
    }
#endif
    if (n >= 16) {
        MASK_ENDS(vector16, splat16, fold16);
    }
    if (n >= 8) {
        MASK_ENDS(uint64_t, splat8, fold8);
    }
    if (n >= 4) {
        MASK_ENDS(uint32_t, splat4, fold8);
    }
    return n > 0 ? mask_three(dst, src, n, key) : 0;
}

TARGET void FORM(mask)(uint8_t *dst, const uint8_t *src, size_t len, const uint8_t key[4],
                       uint32_t phase) {
    uint32_t turned = load_key(key, phase);
    if (len < WIDTH) {
        mask_part(dst, src, len, turned);
        return;
    }
    vector first = load(src) ^ splat(turned);
    vector last = load(src + len - WIDTH) ^ splat(turn(turned, len));
    size_t i = WIDTH - ((uintptr_t)dst & (WIDTH - 1));
    vector k = splat(turn(turned, i));
    while (i + WIDTH < len - WIDTH) {
        vector v = load(src + i) ^ k;
        vector w = load(src + i + WIDTH) ^ k;
        store(dst + i, v);
        store(dst + i + WIDTH, w);
        i += (size_t)2 * WIDTH;
    }
    if (i < len - WIDTH) {
        store(dst + i, load(src + i) ^ k);
    }
    store(dst, first);
    store(dst + len - WIDTH, last);
}

/* Faults that two bytes in a row can show, a bit each (RFC 3629 3 and 4). The first byte's halves
 * and the second's upper half each know the faults that they allow; where all three allow one, it
 * is there. TWO_TAILS is one only where no longer sequence goes on. */
enum {
    TOO_SHORT = 1 << 0,  /* a lead byte, and no tail byte after it */
    TOO_LONG = 1 << 1,   /* a tail byte after ASCII */
    OVERLONG_3 = 1 << 2, /* E0 80 … 9F */
    SURROGATE = 1 << 3,  /* ED A0 … BF */
    OVERLONG_2 = 1 << 4, /* C0, C1 */
    TOO_LARGE = 1 << 5,  /* F4 90 … BF, and F5 … FF before 90 … BF */
    EDGES_4 = 1 << 6,    /* F0 80 … 8F is overlong, F5 … FF 80 … 8F too large */
    TWO_TAILS = 1 << 7
};

#define TWICE(x) x, x
#define FOUR(x) x, x, x, x

/* By the first byte's upper half. */
static const uint8_t first_upper[16] = {FOUR(TOO_LONG),
                                        FOUR(TOO_LONG),
                                        FOUR(TWO_TAILS),
                                        TOO_SHORT | OVERLONG_2,
                                        TOO_SHORT,
                                        TOO_SHORT | OVERLONG_3 | SURROGATE,
                                        TOO_SHORT | TOO_LARGE | EDGES_4};

/* By its lower half. What does not depend on that is allowed by all. */
enum { ALWAYS = TOO_SHORT | TOO_LONG | TWO_TAILS, ABOVE_F4 = ALWAYS | TOO_LARGE | EDGES_4 };
static const uint8_t first_lower[16] = {ALWAYS | OVERLONG_2 | OVERLONG_3 | EDGES_4,
                                        ALWAYS | OVERLONG_2,
                                        TWICE(ALWAYS),
                                        ALWAYS | TOO_LARGE,
                                        FOUR(ABOVE_F4),
                                        FOUR(ABOVE_F4),
                                        ABOVE_F4 | SURROGATE,
                                        TWICE(ABOVE_F4)};

/* By the second byte's upper half. */
enum { TAIL = TOO_LONG | OVERLONG_2 | TWO_TAILS };
static const uint8_t second_upper[16] = {
    FOUR(TOO_SHORT),
    FOUR(TOO_SHORT),
    TAIL | OVERLONG_3 | EDGES_4,
    TAIL | OVERLONG_3 | TOO_LARGE,
    TWICE(TAIL | SURROGATE | TOO_LARGE),
    FOUR(TOO_SHORT),
};

/* Whether a fault shows in the first n bytes of v, which stands behind p. The third and fourth byte
 * of a sequence have to be tail bytes behind a tail byte, and no other byte may be. */
INLINE int is_bad(vector v, vector p, size_t n) {
    vector one = before(v, p, 1);
    vector pairs = look_up(first_upper, one >> 4) & look_up(first_lower, one & splat_byte(0x0F)) &
                   look_up(second_upper, v >> 4);
    vector longer = minus(before(v, p, 2), 0xE0 - 0x80) | minus(before(v, p, 3), 0xF0 - 0x80);
    return differ(pairs, longer & splat_byte(TWO_TAILS), n);
}

/* Where the code point starts inside of which data[from … to) ends, or `to`. It is valid so far. */
INLINE size_t boundary(const uint8_t *data, size_t from, size_t to) {
    static const uint8_t leads[] = {0xC0, 0xE0, 0xF0};
    size_t i = 1;
    while (i <= sizeof leads && i <= to - from) {
        if (data[to - i] >= leads[i - 1]) {
            return to - i;
        }
        i++;
    }
    return to;
}

/* The pass over a payload. When `masking` is 0, a constant, nothing is written and the key is 0. */
typedef struct pass {
    uint8_t *dst;
    const uint8_t *src;
    const uint8_t *text; /* what is validated, once it is there: dst, or src */
    size_t end;          /* one more than where the last whole vector can start */
    vector key;
    int masking;
} pass;

INLINE vector take(const pass *p, size_t i) {
    return load(p->src + i) ^ p->key;
}

INLINE void give(const pass *p, size_t i, vector v) {
    if (p->masking) {
        store(p->dst + i, v);
    }
}

/* Vectors of ASCII from i on. Returns the index behind them. */
INLINE size_t pass_ascii(const pass *p, size_t i) {
    while (i + WIDTH < p->end) {
        vector v = take(p, i);
        vector w = take(p, i + WIDTH);
        if (!is_ascii(v | w)) {
            return i;
        }
        give(p, i, v);
        give(p, i + WIDTH, w);
        i += (size_t)2 * WIDTH;
    }
    if (i < p->end) {
        vector v = take(p, i);
        if (is_ascii(v)) {
            give(p, i, v);
            i += WIDTH;
        }
    }
    return i;
}

/* Vectors of anything from i on, where a code point starts, until one is ASCII. Returns the index
 * behind them; `last` is the last of them. At a fault, that is a boundary before it, and `last` is
 * not looked at. */
INLINE size_t pass_any(const pass *p, size_t i, vector *last, int *bad) {
    vector v = splat_byte(0);
    do {
        vector next = take(p, i);
        give(p, i, next);
        if (is_bad(next, v, WIDTH)) {
            *bad = 1;
            return boundary(p->text, 0, i);
        }
        v = next;
        i += WIDTH;
    } while (!is_ascii(v) && i < p->end);
    *last = v;
    return i;
}

/* The bytes from i to n, fewer than a vector has, and anything behind them. Of `last` they are the
 * last bytes. */
#if PARTS
#define END_OF(p, i, n, last) (load_part((p)->src + (i), (n) - (i)) ^ (p)->key)
#else
#define END_OF(p, i, n, last) end_of(last, (n) - (i))

INLINE vector end_of(vector last, size_t r) {
    uint8_t room[2 * WIDTH] = {0};
    store(room, last);
    return load(room + WIDTH - r);
}
#endif

/* Masks and validates n bytes, at least a vector, that start where a code point does. Returns n, or
 * the start of the code point from which on the portable validator has to look: at the last one
 * when it is not whole, at one before a fault. Up to the vector with the fault all is masked. */
INLINE size_t pass_whole(const pass *p, size_t n, uint32_t key) {
    vector last = load(p->src + n - WIDTH) ^ splat(turn(key, n));
    vector v = splat_byte(0);
    int bad = 0;
    size_t i = 0;
    while (i < p->end && !bad) {
        i = pass_any(p, i, &v, &bad);
        i = bad ? i : pass_ascii(p, i);
    }
    if (bad) {
        return i;
    }
    int ascii = is_ascii(last);
    bad = i < n && !ascii && is_bad(END_OF(p, i, n, last), v, n - i);
    give(p, n - WIDTH, last);
    return ascii ? n : boundary(p->text, 0, bad ? i : n);
}

/* The same for fewer bytes, which are not ASCII and masked already. `v` is they. */
INLINE size_t pass_part(const uint8_t *text, size_t n, vector v) {
    return is_bad(v, splat_byte(0), n) ? 0 : boundary(text, 0, n);
}

/* The portable validator's word on the end of text[from … n), when there is something to say. */
INLINE size_t conclude(uint32_t *state, const uint8_t *text, size_t from, size_t n) {
    return from == n ? n : hws__utf8_range(state, text, from, n);
}

/* Fewer bytes than a vector has, from a boundary on. */
#if PARTS
INLINE size_t run_part(uint32_t *state, uint8_t *dst, const uint8_t *src, size_t n, uint32_t key,
                       int masking) {
    vector v = load_part(src, n) ^ splat(key);
    uint64_t bits = masking ? mask_part(dst, src, n, key) : !is_ascii(v) * top_bits;
    if ((bits & top_bits) == 0) {
        return n;
    }
    const uint8_t *text = masking ? dst : src;
    return conclude(state, text, pass_part(text, n, v), n);
}
#else
NOINLINE static size_t text_part(uint32_t *state, const uint8_t *text, size_t n) {
    uint8_t room[WIDTH] = {0};
    mask_part(room, text, n, 0);
    return conclude(state, text, pass_part(text, n, load(room)), n);
}

INLINE size_t run_part(uint32_t *state, uint8_t *dst, const uint8_t *src, size_t n, uint32_t key,
                       int masking) {
    uint8_t room[WIDTH];
    uint64_t bits = mask_part(masking ? dst : room, src, n, key);
    if ((bits & top_bits) == 0) {
        return n;
    }
    return text_part(state, masking ? dst : src, n);
}
#endif

/* Goes on inside a code point, to its end. Returns the bytes that it took. */
NOINLINE static size_t end_code_point(uint32_t *state, uint8_t *dst, const uint8_t *src, size_t len,
                                      uint32_t key) {
    size_t i = 0;
    while (i < len && *state != HWS_UTF8_ACCEPT && *state != HWS_UTF8_REJECT) {
        uint8_t byte = src[i] ^ (uint8_t)turn(key, i);
        if (dst != NULL) {
            dst[i] = byte;
        }
        i += hws__utf8_range(state, &byte, 0, 1);
    }
    return i;
}

/* Masks and validates ASCII, n bytes of at least a vector. Returns the index of a vector that is
 * something else, before which all is done, or n. */
INLINE size_t run_ascii(uint8_t *dst, const uint8_t *src, size_t n, uint32_t key, int masking) {
    vector first = load(src) ^ splat(key);
    vector last = load(src + n - WIDTH) ^ splat(turn(key, n));
    size_t start = WIDTH - ((uintptr_t)(masking ? dst : src) & (WIDTH - 1));
    pass p = {dst, src, NULL, n - WIDTH, splat(turn(key, start)), masking};
    if (!is_ascii(first)) {
        return 0;
    }
    size_t i = pass_ascii(&p, start);
    if (i < p.end || !is_ascii(last)) {
        if (i == start) {
            return 0;
        }
        give(&p, 0, first);
        return i;
    }
    give(&p, 0, first);
    give(&p, n - WIDTH, last);
    return n;
}

/* All that is not ASCII alone. `masking` is a constant: 1, or 0 to look at src alone. */
INLINE size_t run_any(uint32_t *state, uint8_t *dst, const uint8_t *src, size_t len, uint32_t key,
                      int masking) {
    const uint8_t *text = masking ? dst : src;
    size_t i = 0;
    if (*state != HWS_UTF8_ACCEPT) {
        i = end_code_point(state, masking ? dst : NULL, src, len, key);
        if (i == len || *state == HWS_UTF8_REJECT) {
            return i;
        }
    }
    size_t n = len - i;
    if (n < WIDTH) {
        return i + run_part(state, dst + i, src + i, n, turn(key, i), masking);
    }
    pass p = {dst + i, src + i, text + i, n - WIDTH + 1, splat(turn(key, i)), masking};
    return conclude(state, text, i + pass_whole(&p, n, turn(key, i)), len);
}

NOINLINE static size_t mask_any(uint32_t *state, uint8_t *dst, const uint8_t *src, size_t len,
                                uint32_t key) {
    return run_any(state, dst, src, len, key, 1);
}

NOINLINE static size_t utf8_any(uint32_t *state, const uint8_t *data, size_t len) {
    return run_any(state, (uint8_t *)(uintptr_t)data, data, len, 0, 0);
}

/* The simple cases first, for which nothing has to be set up. */
TARGET size_t FORM(mask_utf8)(uint32_t *state, uint8_t *dst, const uint8_t *src, size_t len,
                              const uint8_t key[4], uint32_t phase) {
    uint32_t turned = load_key(key, phase);
    size_t i = 0;
    if (*state == HWS_UTF8_ACCEPT) {
        if (len < WIDTH) {
            return run_part(state, dst, src, len, turned, 1);
        }
        i = run_ascii(dst, src, len, turned, 1);
        if (i == len) {
            return len;
        }
    } else if (len == 0) {
        return 0; /* the pointers may be NULL, to which nothing may be added */
    }
    return i + mask_any(state, dst + i, src + i, len - i, turn(turned, i));
}

TARGET size_t FORM(utf8)(uint32_t *state, const uint8_t *data, size_t len) {
    size_t i = 0;
    if (*state == HWS_UTF8_ACCEPT) {
        if (len < WIDTH) {
            return run_part(state, NULL, data, len, 0, 0);
        }
        i = run_ascii(NULL, data, len, 0, 0);
        if (i == len) {
            return len;
        }
    } else if (len == 0) {
        return 0; /* the pointers may be NULL, to which nothing may be added */
    }
    return i + utf8_any(state, data + i, len - i);
}

#endif
