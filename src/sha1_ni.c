/*
 * SHA-1 with the SHA extensions of x86, four rounds an instruction. Words stand in vectors from the
 * highest lane down, as these instructions want them.
 *
 * They have the old encoding only, which keeps the upper halves of vector registers. While those
 * are not clean, every such instruction waits for what they hold, on some processors for a hundred
 * times as long as it takes. So where AVX can have been used before, hws__sha1_ni_avx() cleans up
 * first, and nothing here works on more than 128 bits. A processor without AVX has nothing to
 * clean, and no instruction for that.
 */
#include "sha1.h"

#include "bytes.h"
#include "kernel.h"

#ifdef HWS__X86

#include <immintrin.h>

enum { MESSAGE_BITS = 480 };

#define SHA_TARGET __attribute__((target("sha,sse4.1")))

/* The sixteen bytes of a vector in opposite order: big-endian words, the first one highest. */
SHA_TARGET static __m128i reverse(__m128i bytes) {
    return _mm_shuffle_epi8(bytes, _mm_set_epi64x(0x0001020304050607, 0x08090A0B0C0D0E0F));
}

/* Four rounds of one of the four functions. The instruction takes e as part of the words; the e of
 * the next four rounds is the a of now, which the other one turns and adds. */
#define FOUR_ROUNDS(function, words)                                                               \
    (e = _mm_sha1nexte_epu32(before, words), before = abcd,                                        \
     abcd = _mm_sha1rnds4_epu32(abcd, e, function))

/* Sixteen words further on in the schedule (RFC 3174 6.1 b), for the first of four vectors. */
#define NEXT(w0, w1, w2, w3)                                                                       \
    (w0 = _mm_sha1msg2_epu32(_mm_xor_si128(_mm_sha1msg1_epu32(w0, w1), w2), w3))

/* All four vectors, one after the other, and their rounds. */
#define SIXTEEN_ROUNDS(f0, f1, f2, f3)                                                             \
    (NEXT(w0, w1, w2, w3), FOUR_ROUNDS(f0, w0), NEXT(w1, w2, w3, w0), FOUR_ROUNDS(f1, w1),         \
     NEXT(w2, w3, w0, w1), FOUR_ROUNDS(f2, w2), NEXT(w3, w0, w1, w2), FOUR_ROUNDS(f3, w3))

/* Adds a block to the hash: its a, b, c, d, and its e in the highest lane. */
SHA_TARGET static void add_block(__m128i *hash_abcd, __m128i *hash_e, __m128i w0, __m128i w1,
                                 __m128i w2, __m128i w3) {
    __m128i before = *hash_abcd;
    __m128i e = _mm_add_epi32(*hash_e, w0);
    __m128i abcd = _mm_sha1rnds4_epu32(before, e, 0);
    FOUR_ROUNDS(0, w1);
    FOUR_ROUNDS(0, w2);
    FOUR_ROUNDS(0, w3);
    SIXTEEN_ROUNDS(0, 1, 1, 1);
    SIXTEEN_ROUNDS(1, 1, 2, 2);
    SIXTEEN_ROUNDS(2, 2, 2, 3);
    SIXTEEN_ROUNDS(3, 3, 3, 3);
    *hash_abcd = _mm_add_epi32(*hash_abcd, abcd);
    *hash_e = _mm_sha1nexte_epu32(before, *hash_e);
}

SHA_TARGET static __m128i load_words(const uint32_t *four) {
    return _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)four), 0x1B);
}

SHA_TARGET __attribute__((noinline)) void hws__sha1_ni(uint8_t digest[HWS__SHA1_LEN],
                                                       const uint8_t *key) {
    const __m128i zero = _mm_setzero_si128();
    const __m128i key_0 = reverse(_mm_loadu_si128((const __m128i *)(const void *)key));
    const __m128i key_4 = reverse(_mm_loadl_epi64((const __m128i *)(const void *)(key + 16)));
    __m128i abcd = load_words(hws__sha1_start);
    __m128i e = _mm_set_epi32((int)hws__sha1_start[4], 0, 0, 0);
    add_block(&abcd, &e, key_0, _mm_unpackhi_epi64(load_words(hws__sha1_guid), key_4),
              load_words(hws__sha1_guid + 2), load_words(hws__sha1_guid + 6));
    add_block(&abcd, &e, zero, zero, zero, _mm_set_epi32(0, 0, 0, MESSAGE_BITS));
    _mm_storeu_si128((__m128i *)(void *)digest, reverse(abcd));
    hws__store_be32(digest + 16, (uint32_t)_mm_extract_epi32(e, 3));
}

__attribute__((target("avx"))) void hws__sha1_ni_avx(uint8_t digest[HWS__SHA1_LEN],
                                                     const uint8_t *key) {
    _mm256_zeroupper();
    hws__sha1_ni(digest, key);
}

#endif
