/*
 * SHA-1 of one span of bytes (RFC 3174). Knows nothing of what the bytes are for.
 */
#include "sha1.h"

#include "bytes.h"

enum { BLOCK = 64, LENGTH_FIELD = 8 };

static uint32_t rotate(uint32_t word, unsigned bits) {
    return word << bits | word >> (32 - bits);
}

/* The function and the constant of round t, in one sum (RFC 3174 5). */
static uint32_t mix(unsigned t, uint32_t b, uint32_t c, uint32_t d) {
    if (t < 20) {
        return ((b & c) | (~b & d)) + UINT32_C(0x5A827999);
    }
    if (t < 40) {
        return (b ^ c ^ d) + UINT32_C(0x6ED9EBA1);
    }
    if (t < 60) {
        return ((b & c) | (b & d) | (c & d)) + UINT32_C(0x8F1BBCDC);
    }
    return (b ^ c ^ d) + UINT32_C(0xCA62C1D6);
}

/* The method of RFC 3174 6.2, which keeps the last 16 words of the schedule only. */
static void add_block(uint32_t hash[5], const uint8_t *block) {
    uint32_t words[16];
    uint32_t a = hash[0];
    uint32_t b = hash[1];
    uint32_t c = hash[2];
    uint32_t d = hash[3];
    uint32_t e = hash[4];
    unsigned t = 0;
    while (t < 80) {
        if (t < 16) {
            words[t] = hws__load_be32(block + (size_t)4 * t);
        } else {
            words[t & 15] = rotate(words[(t + 13) & 15] ^ words[(t + 8) & 15] ^
                                       words[(t + 2) & 15] ^ words[t & 15],
                                   1);
        }
        uint32_t next = rotate(a, 5) + mix(t, b, c, d) + e + words[t & 15];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
        t++;
    }
    hash[0] += a;
    hash[1] += b;
    hash[2] += c;
    hash[3] += d;
    hash[4] += e;
}

void hws__sha1(const uint8_t *data, size_t len, uint8_t digest[HWS__SHA1_LEN]) {
    uint32_t hash[5] = {UINT32_C(0x67452301), UINT32_C(0xEFCDAB89), UINT32_C(0x98BADCFE),
                        UINT32_C(0x10325476), UINT32_C(0xC3D2E1F0)};
    size_t tail_len = len % BLOCK;
    size_t blocks_end = len / BLOCK * BLOCK;
    size_t i = 0;
    while (i < blocks_end) {
        add_block(hash, data + i);
        i += BLOCK;
    }

    /* RFC 3174 4: a 1 bit, zeros, and the length in bits close the last block. */
    uint8_t tail[BLOCK] = {0};
    if (tail_len > 0) {
        memcpy(tail, data + i, tail_len);
    }
    tail[tail_len] = 0x80;
    if (tail_len >= BLOCK - LENGTH_FIELD) {
        add_block(hash, tail);
        memset(tail, 0, sizeof tail);
    }
    hws__store_be64(tail + BLOCK - LENGTH_FIELD, (uint64_t)len * 8);
    add_block(hash, tail);

    unsigned word = 0;
    while (word < 5) {
        hws__store_be32(digest + (size_t)4 * word, hash[word]);
        word++;
    }
}
