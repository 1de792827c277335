/*
 * ChaCha with 8 rounds (the block function of RFC 8439 2.3, which has 20), in plain C: what the
 * other forms have to equal. Knows nothing of what the bytes are for.
 */
#include "kernel.h"

enum { DOUBLE_ROUNDS = 4, BLOCKS = 16 };

static uint32_t load_le32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void store_le32(uint8_t *p, uint32_t value) {
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
    p[2] = (uint8_t)(value >> 16);
    p[3] = (uint8_t)(value >> 24);
}

static inline uint32_t rotate(uint32_t word, unsigned bits) {
    return word << bits | word >> (32 - bits);
}

/* RFC 8439 2.1. */
static inline void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d) {
    *a += *b;
    *d = rotate(*d ^ *a, 16);
    *c += *d;
    *b = rotate(*b ^ *c, 12);
    *a += *b;
    *d = rotate(*d ^ *a, 8);
    *c += *d;
    *b = rotate(*b ^ *c, 7);
}

static void put(uint8_t *out, unsigned word, unsigned block, uint32_t value) {
    store_le32(out + (size_t)4 * (BLOCKS * word + block), value);
}

/* RFC 8439 2.3 for one block. Sixteen variables, not an array: many compilers keep only those in
 * registers. */
static void write_block(uint8_t *out, const volatile uint32_t k[8], unsigned block) {
    const uint32_t c0 = 0x61707865; /* "expand 32-byte k" */
    const uint32_t c1 = 0x3320646E;
    const uint32_t c2 = 0x79622D32;
    const uint32_t c3 = 0x6B206574;
    uint32_t x0 = c0, x1 = c1, x2 = c2, x3 = c3;
    uint32_t x4 = k[0], x5 = k[1], x6 = k[2], x7 = k[3];
    uint32_t x8 = k[4], x9 = k[5], x10 = k[6], x11 = k[7];
    uint32_t x12 = block, x13 = 0, x14 = 0, x15 = 0;
    unsigned round = 0;
    while (round < DOUBLE_ROUNDS) {
        quarter_round(&x0, &x4, &x8, &x12);
        quarter_round(&x1, &x5, &x9, &x13);
        quarter_round(&x2, &x6, &x10, &x14);
        quarter_round(&x3, &x7, &x11, &x15);
        quarter_round(&x0, &x5, &x10, &x15);
        quarter_round(&x1, &x6, &x11, &x12);
        quarter_round(&x2, &x7, &x8, &x13);
        quarter_round(&x3, &x4, &x9, &x14);
        round++;
    }
    put(out, 0, block, x0 + c0);
    put(out, 1, block, x1 + c1);
    put(out, 2, block, x2 + c2);
    put(out, 3, block, x3 + c3);
    put(out, 4, block, x4 + k[0]);
    put(out, 5, block, x5 + k[1]);
    put(out, 6, block, x6 + k[2]);
    put(out, 7, block, x7 + k[3]);
    put(out, 8, block, x8 + k[4]);
    put(out, 9, block, x9 + k[5]);
    put(out, 10, block, x10 + k[6]);
    put(out, 11, block, x11 + k[7]);
    put(out, 12, block, x12 + block);
    put(out, 13, block, x13);
    put(out, 14, block, x14);
    put(out, 15, block, x15);
}

/* The key may lie in `out`: it is read before anything is written. Its copy is volatile, so that
 * wiping it is not taken for idle. */
void hws__chacha8_portable(uint8_t out[HWS__CHACHA_LEN], const uint8_t key[HWS__CHACHA_KEY_LEN]) {
    volatile uint32_t k[HWS__CHACHA_KEY_LEN / 4];
    unsigned i = 0;
    while (i < HWS__CHACHA_KEY_LEN / 4) {
        k[i] = load_le32(key + (size_t)4 * i);
        i++;
    }
    i = 0;
    while (i < BLOCKS) {
        write_block(out, k, i);
        i++;
    }
    i = 0;
    while (i < HWS__CHACHA_KEY_LEN / 4) {
        k[i] = 0;
        i++;
    }
}
