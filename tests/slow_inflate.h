/*
 * DEFLATE (RFC 1951) once more, bit by bit, as an oracle: it knows exactly where blocks end. It
 * decodes the payload of one message alone and says whether it is a whole one (RFC 7692 7.2.2):
 * with 00 00 FF FF behind it, these are the length of an empty stored block, and the last thing.
 */
#ifndef HWS_TESTS_SLOW_INFLATE_H
#define HWS_TESTS_SLOW_INFLATE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct slow_inflate {
    const uint8_t *src;
    size_t len; /* without the tail */
    size_t at;  /* in bits */
    uint8_t *out;
    size_t cap;
    size_t n;
    uint8_t bad;
} slow_inflate;

typedef struct slow_tree {
    uint16_t count[16]; /* codes of each length */
    uint16_t symbol[288];
} slow_tree;

static inline unsigned slow_bit(slow_inflate *s) {
    static const uint8_t tail[4] = {0, 0, 0xFF, 0xFF};
    size_t byte = s->at / 8;
    if (byte >= s->len + 4) {
        s->bad = 1;
        return 0;
    }
    unsigned value = byte < s->len ? s->src[byte] : tail[byte - s->len];
    return value >> (s->at++ % 8) & 1;
}

static inline unsigned slow_bits(slow_inflate *s, unsigned count) {
    unsigned value = 0;
    unsigned i = 0;
    while (i < count) {
        value |= slow_bit(s) << i;
        i++;
    }
    return value;
}

static inline void slow_put(slow_inflate *s, uint8_t byte) {
    if (s->n == s->cap) {
        s->bad = 1;
        return;
    }
    s->out[s->n++] = byte;
}

/* Canonical codes (3.2.2). Returns what is left of the code space: negative when over-subscribed.
 */
static inline int slow_build(slow_tree *t, const uint8_t *lens, unsigned count) {
    uint16_t from[16];
    int left = 1;
    unsigned i = 0;
    memset(t->count, 0, sizeof t->count);
    while (i < count) {
        t->count[lens[i++]]++;
    }
    t->count[0] = 0;
    from[1] = 0;
    for (i = 1; i < 16; i++) {
        left = 2 * left - t->count[i];
        if (left < 0) {
            return left;
        }
        if (i < 15) {
            from[i + 1] = (uint16_t)(from[i] + t->count[i]);
        }
    }
    for (i = 0; i < count; i++) {
        if (lens[i] != 0) {
            t->symbol[from[lens[i]]++] = (uint16_t)i;
        }
    }
    return left;
}

static inline unsigned slow_symbol(slow_inflate *s, const slow_tree *t) {
    unsigned code = 0;
    unsigned first = 0;
    unsigned index = 0;
    unsigned i = 1;
    while (i < 16) {
        code |= slow_bit(s);
        if (code - first < t->count[i]) {
            return t->symbol[index + (code - first)];
        }
        index += t->count[i];
        first = (first + t->count[i]) << 1;
        code <<= 1;
        i++;
    }
    s->bad = 1;
    return 0;
}

static inline void slow_codes(slow_inflate *s, const slow_tree *lit, const slow_tree *dist) {
    static const uint16_t base[29] = {3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                      15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                      67, 83, 99, 115, 131, 163, 195, 227, 258};
    while (!s->bad) {
        unsigned symbol = slow_symbol(s, lit);
        if (s->bad || symbol == 256) {
            return;
        }
        if (symbol < 256) {
            slow_put(s, (uint8_t)symbol);
            continue;
        }
        if (symbol > 285) {
            s->bad = 1;
            return;
        }
        unsigned k = symbol - 257;
        unsigned len = base[k] + slow_bits(s, k < 8 || k == 28 ? 0 : k / 4 - 1);
        unsigned d = slow_symbol(s, dist);
        if (s->bad || d > 29) {
            s->bad = 1;
            return;
        }
        unsigned extra = d < 4 ? 0 : d / 2 - 1;
        size_t back = (d < 4 ? d : (2 + d % 2) << extra) + slow_bits(s, extra) + 1;
        if (back > s->n) {
            s->bad = 1;
        }
        while (len-- > 0 && !s->bad) {
            slow_put(s, s->out[s->n - back]);
        }
    }
}

/* The trees of a dynamic block (3.2.7). One code of one bit may stand alone; no other set may be
 * incomplete, but that of distances when there is none. */
static inline void slow_trees(slow_inflate *s, slow_tree *lit, slow_tree *dist) {
    static const uint8_t order[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                      11, 4,  12, 3, 13, 2, 14, 1, 15};
    unsigned lits = slow_bits(s, 5) + 257;
    unsigned dists = slow_bits(s, 5) + 1;
    unsigned codes = slow_bits(s, 4) + 4;
    uint8_t lens[320] = {0};
    unsigned i = 0;
    while (i < codes) {
        lens[order[i++]] = (uint8_t)slow_bits(s, 3);
    }
    if (lits > 286 || dists > 30 || slow_build(lit, lens, 19) != 0) {
        s->bad = 1;
        return;
    }
    memset(lens, 0, sizeof lens);
    i = 0;
    while (i < lits + dists && !s->bad) {
        unsigned symbol = slow_symbol(s, lit);
        uint8_t value = symbol == 16 && i > 0 ? lens[i - 1] : symbol < 16 ? (uint8_t)symbol : 0;
        unsigned times = symbol < 16    ? 1
                         : symbol == 16 ? 3 + slow_bits(s, 2)
                         : symbol == 17 ? 3 + slow_bits(s, 3)
                                        : 11 + slow_bits(s, 7);
        s->bad |= (symbol == 16 && i == 0) || i + times > lits + dists;
        while (times-- > 0 && !s->bad) {
            lens[i++] = value;
        }
    }
    if (s->bad || lens[256] == 0) {
        s->bad = 1;
        return;
    }
    int left = slow_build(lit, lens, lits);
    s->bad |= left < 0 || (left > 0 && lit->count[1] != 1) || (left > 0 && left != 1 << 14);
    left = slow_build(dist, lens + lits, dists);
    s->bad |= left < 0 || (left > 0 && left != 1 << 15 && left != 1 << 14);
}

static inline void slow_fixed(slow_tree *lit, slow_tree *dist) {
    uint8_t lens[288];
    memset(lens, 8, 144);
    memset(lens + 144, 9, 112);
    memset(lens + 256, 7, 24);
    memset(lens + 280, 8, 8);
    (void)slow_build(lit, lens, 288);
    memset(lens, 5, 32);
    (void)slow_build(dist, lens, 32);
}

/* Returns 1 for a whole message; its plain bytes are out[from … *n), those before are the window.
 */
static inline int slow_message(const uint8_t *src, size_t len, uint8_t *out, size_t cap,
                               size_t *n) {
    slow_inflate s = {src, len, 0, out, cap, *n, 0};
    slow_tree lit;
    slow_tree dist;
    while (!s.bad) {
        unsigned final = slow_bit(&s);
        unsigned type = slow_bits(&s, 2);
        if (type == 0) {
            s.at = (s.at + 7) / 8 * 8;
            int is_tail = s.at == 8 * len;
            unsigned stored = slow_bits(&s, 16);
            s.bad |= (stored ^ slow_bits(&s, 16)) != 0xFFFF;
            while (stored-- > 0 && !s.bad) {
                slow_put(&s, (uint8_t)slow_bits(&s, 8));
            }
            *n = s.n;
            if (is_tail) {
                return !s.bad;
            }
        } else if (type == 3) {
            s.bad = 1;
        } else {
            if (type == 1) {
                slow_fixed(&lit, &dist);
            } else {
                slow_trees(&s, &lit, &dist);
            }
            slow_codes(&s, &lit, &dist);
        }
        if (final) {
            s.at = (s.at + 7) / 8 * 8;
        }
    }
    return 0;
}

#endif
