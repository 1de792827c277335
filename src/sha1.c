/*
 * SHA-1 (RFC 3174) of the one message that the handshake hashes: a key of 24 characters and the
 * GUID, 60 bytes. They fill the first of two blocks but for the bit that ends the message; the
 * second is the same for every key, and so is its schedule. Knows nothing of what the digest is
 * for: it proves no secret.
 */
#include "sha1.h"

#include "bytes.h"
#include "kernel.h"

#define WORD(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))

const uint32_t hws__sha1_start[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};

/* RFC 6455 1.3. */
const uint32_t hws__sha1_guid[10] = {
    WORD('2', '5', '8', 'E'), WORD('A', 'F', 'A', '5'), WORD('-', 'E', '9', '1'),
    WORD('4', '-', '4', '7'), WORD('D', 'A', '-', '9'), WORD('5', 'C', 'A', '-'),
    WORD('C', '5', 'A', 'B'), WORD('0', 'D', 'C', '8'), WORD('5', 'B', '1', '1'),
    WORD(0x80, 0, 0, 0),
};

const uint32_t hws__sha1_second[80] = {
    0x5A827999, 0x5A827999, 0x5A827999, 0x5A827999, 0x5A827999, 0x5A827999, 0x5A827999, 0x5A827999,
    0x5A827999, 0x5A827999, 0x5A827999, 0x5A827999, 0x5A827999, 0x5A827999, 0x5A827999, 0x5A827B79,
    0x5A827999, 0x5A827999, 0x5A827D59, 0x5A827999, 0x6ED9EBA1, 0x6ED9F321, 0x6ED9EBA1, 0x6ED9EF61,
    0x6ED9FAA1, 0x6ED9EBA1, 0x6ED9EBA1, 0x6EDA09A1, 0x6ED9EBA1, 0x6ED9F861, 0x6EDA27A1, 0x6ED9EFE1,
    0x6ED9EBA1, 0x6EDA63A1, 0x6ED9FAA1, 0x6EDA1EA1, 0x6EDADBA1, 0x6ED9FAA1, 0x6ED9EBA1, 0x6EDBDAA1,
    0x8F1BBCDC, 0x8F1C88DC, 0x8F1F7CDC, 0x8F1C005C, 0x8F1BBCDC, 0x8F234BDC, 0x8F1CBBDC, 0x8F1EE35C,
    0x8F2ABCDC, 0x8F1CACDC, 0x8F1BEFDC, 0x8F3ABBDC, 0x8F1BBCDC, 0x8F2874DC, 0x8F57BCDC, 0x8F1FC7DC,
    0x8F1CACDC, 0x8F94BBDC, 0x8F2BACDC, 0x8F4F43DC, 0xCB52C1D6, 0xCA7284D6, 0xCA63B1D6, 0xCC527CD6,
    0xCA62C1D6, 0xCB2EC1D6, 0xCE23B1D6, 0xCAA641D6, 0xCA62C1D6, 0xD1F1C1D6, 0xCB61C1D6, 0xCD895FD6,
    0xD962C1D6, 0xCB53B1D6, 0xCA95FDD6, 0xE96249D6, 0xCA62C1D6, 0xD71B49D6, 0x0663B1D6, 0xCE6D0BD6,
};

static inline uint32_t rotate(uint32_t word, unsigned bits) {
    return word << bits | word >> (32 - bits);
}

/* The functions of RFC 3174 5. */
static inline uint32_t choose(uint32_t b, uint32_t c, uint32_t d) {
    return d ^ (b & (c ^ d));
}

static inline uint32_t parity(uint32_t b, uint32_t c, uint32_t d) {
    return b ^ c ^ d;
}

static inline uint32_t majority(uint32_t b, uint32_t c, uint32_t d) {
    return (b & c) | (d & (b | c));
}

/* W(t) + K(t) of the first block (RFC 3174 5 and 6.2). Of the schedule the last 16 words are kept;
 * t is constant in every call, and so is all that follows from it alone. */
static inline uint32_t first(uint32_t words[16], unsigned t) {
    static const uint32_t constants[4] = {0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6};
    if (t >= 16) {
        words[t & 15] = rotate(
            words[(t + 13) & 15] ^ words[(t + 8) & 15] ^ words[(t + 2) & 15] ^ words[t & 15], 1);
    }
    return words[t & 15] + constants[t / 20];
}

#define FIRST(t) first(words, t)
#define SECOND(t) hws__sha1_second[t]

/* One round. Instead of the values, the names move on: after five rounds each is back at its own.
 * What does not need the round before, which is a, comes first. */
#define ROUND(mix, a, b, c, d, e, word)                                                            \
    (e += (word), e += mix(b, c, d), e += rotate(a, 5), b = rotate(b, 30))
#define FIVE_ROUNDS(mix, word, t)                                                                  \
    (ROUND(mix, a, b, c, d, e, word(t)), ROUND(mix, e, a, b, c, d, word((t) + 1)),                 \
     ROUND(mix, d, e, a, b, c, word((t) + 2)), ROUND(mix, c, d, e, a, b, word((t) + 3)),           \
     ROUND(mix, b, c, d, e, a, word((t) + 4)))

static void add(uint32_t hash[5], uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e) {
    hash[0] += a;
    hash[1] += b;
    hash[2] += c;
    hash[3] += d;
    hash[4] += e;
}

/* Unrolled: a loop would have to find each word of the schedule by a variable index, which takes
 * about as long as its round. */
static void add_first(uint32_t hash[5], uint32_t words[16]) {
    uint32_t a = hash[0];
    uint32_t b = hash[1];
    uint32_t c = hash[2];
    uint32_t d = hash[3];
    uint32_t e = hash[4];
    FIVE_ROUNDS(choose, FIRST, 0);
    FIVE_ROUNDS(choose, FIRST, 5);
    FIVE_ROUNDS(choose, FIRST, 10);
    FIVE_ROUNDS(choose, FIRST, 15);
    FIVE_ROUNDS(parity, FIRST, 20);
    FIVE_ROUNDS(parity, FIRST, 25);
    FIVE_ROUNDS(parity, FIRST, 30);
    FIVE_ROUNDS(parity, FIRST, 35);
    FIVE_ROUNDS(majority, FIRST, 40);
    FIVE_ROUNDS(majority, FIRST, 45);
    FIVE_ROUNDS(majority, FIRST, 50);
    FIVE_ROUNDS(majority, FIRST, 55);
    FIVE_ROUNDS(parity, FIRST, 60);
    FIVE_ROUNDS(parity, FIRST, 65);
    FIVE_ROUNDS(parity, FIRST, 70);
    FIVE_ROUNDS(parity, FIRST, 75);
    add(hash, a, b, c, d, e);
}

static void add_second(uint32_t hash[5]) {
    uint32_t a = hash[0];
    uint32_t b = hash[1];
    uint32_t c = hash[2];
    uint32_t d = hash[3];
    uint32_t e = hash[4];
    unsigned t = 0;
    while (t < 20) {
        FIVE_ROUNDS(choose, SECOND, t);
        t += 5;
    }
    while (t < 40) {
        FIVE_ROUNDS(parity, SECOND, t);
        t += 5;
    }
    while (t < 60) {
        FIVE_ROUNDS(majority, SECOND, t);
        t += 5;
    }
    while (t < 80) {
        FIVE_ROUNDS(parity, SECOND, t);
        t += 5;
    }
    add(hash, a, b, c, d, e);
}

void hws__sha1_portable(uint8_t digest[HWS__SHA1_LEN], const uint8_t *key) {
    uint32_t hash[5];
    uint32_t words[16] = {
        hws__load_be32(key),      hws__load_be32(key + 4),  hws__load_be32(key + 8),
        hws__load_be32(key + 12), hws__load_be32(key + 16), hws__load_be32(key + 20),
        hws__sha1_guid[0],        hws__sha1_guid[1],        hws__sha1_guid[2],
        hws__sha1_guid[3],        hws__sha1_guid[4],        hws__sha1_guid[5],
        hws__sha1_guid[6],        hws__sha1_guid[7],        hws__sha1_guid[8],
        hws__sha1_guid[9],
    };
    size_t i = 0;
    memcpy(hash, hws__sha1_start, sizeof hash);
    add_first(hash, words);
    add_second(hash);
    while (i < 5) {
        hws__store_be32(digest + 4 * i, hash[i]);
        i++;
    }
}
