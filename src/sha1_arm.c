/*
 * SHA-1 with the cryptographic extension of ARMv8, four rounds an instruction.
 */
#include "sha1.h"

#include "bytes.h"
#include "kernel.h"

#ifdef HWS__ARM

/* Before version 16, clang has these instructions in its header only where all code may use them.
 */
#if defined(__clang__)
#define SHA_TARGET __attribute__((target("crypto")))
#if __clang_major__ < 16 && !defined(__ARM_FEATURE_SHA2)
#define __ARM_FEATURE_SHA2 1
#endif
#else
#define SHA_TARGET __attribute__((target("+crypto")))
#endif

#include <arm_neon.h>

/* Four rounds of the function that the instruction stands for; sums is W(t) + K(t). The e of the
 * next four is the a of now, turned. */
#define FOUR_ROUNDS(instruction, sums)                                                             \
    (next_e = vsha1h_u32(vgetq_lane_u32(abcd, 0)), abcd = instruction(abcd, e, sums), e = next_e)

/* Sixteen words further on in the schedule (RFC 3174 6.1 b), for the first of four vectors, and the
 * rounds of its new words. */
#define NEXT_ROUNDS(instruction, k, w0, w1, w2, w3)                                                \
    (w0 = vsha1su1q_u32(vsha1su0q_u32(w0, w1, w2), w3), FOUR_ROUNDS(instruction, vaddq_u32(w0, k)))

SHA_TARGET static void add_first(uint32x4_t *hash_abcd, uint32_t *hash_e, const uint8_t *key) {
    /* The constants of RFC 3174 5. */
    const uint32x4_t k0 = vdupq_n_u32(0x5A827999);
    const uint32x4_t k20 = vdupq_n_u32(0x6ED9EBA1);
    const uint32x4_t k40 = vdupq_n_u32(0x8F1BBCDC);
    const uint32x4_t k60 = vdupq_n_u32(0xCA62C1D6);
    uint32x4_t w0 = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(key)));
    uint32x4_t w1 =
        vcombine_u32(vreinterpret_u32_u8(vrev32_u8(vld1_u8(key + 16))), vld1_u32(hws__sha1_guid));
    uint32x4_t w2 = vld1q_u32(hws__sha1_guid + 2);
    uint32x4_t w3 = vld1q_u32(hws__sha1_guid + 6);
    uint32x4_t abcd = *hash_abcd;
    uint32_t e = *hash_e;
    uint32_t next_e;
    FOUR_ROUNDS(vsha1cq_u32, vaddq_u32(w0, k0));
    FOUR_ROUNDS(vsha1cq_u32, vaddq_u32(w1, k0));
    FOUR_ROUNDS(vsha1cq_u32, vaddq_u32(w2, k0));
    FOUR_ROUNDS(vsha1cq_u32, vaddq_u32(w3, k0));
    NEXT_ROUNDS(vsha1cq_u32, k0, w0, w1, w2, w3);
    NEXT_ROUNDS(vsha1pq_u32, k20, w1, w2, w3, w0);
    NEXT_ROUNDS(vsha1pq_u32, k20, w2, w3, w0, w1);
    NEXT_ROUNDS(vsha1pq_u32, k20, w3, w0, w1, w2);
    NEXT_ROUNDS(vsha1pq_u32, k20, w0, w1, w2, w3);
    NEXT_ROUNDS(vsha1pq_u32, k20, w1, w2, w3, w0);
    NEXT_ROUNDS(vsha1mq_u32, k40, w2, w3, w0, w1);
    NEXT_ROUNDS(vsha1mq_u32, k40, w3, w0, w1, w2);
    NEXT_ROUNDS(vsha1mq_u32, k40, w0, w1, w2, w3);
    NEXT_ROUNDS(vsha1mq_u32, k40, w1, w2, w3, w0);
    NEXT_ROUNDS(vsha1mq_u32, k40, w2, w3, w0, w1);
    NEXT_ROUNDS(vsha1pq_u32, k60, w3, w0, w1, w2);
    NEXT_ROUNDS(vsha1pq_u32, k60, w0, w1, w2, w3);
    NEXT_ROUNDS(vsha1pq_u32, k60, w1, w2, w3, w0);
    NEXT_ROUNDS(vsha1pq_u32, k60, w2, w3, w0, w1);
    NEXT_ROUNDS(vsha1pq_u32, k60, w3, w0, w1, w2);
    *hash_abcd = vaddq_u32(*hash_abcd, abcd);
    *hash_e += e;
}

SHA_TARGET static void add_second(uint32x4_t *hash_abcd, uint32_t *hash_e) {
    uint32x4_t abcd = *hash_abcd;
    uint32_t e = *hash_e;
    uint32_t next_e;
    unsigned t = 0;
    while (t < 20) {
        FOUR_ROUNDS(vsha1cq_u32, vld1q_u32(hws__sha1_second + t));
        t += 4;
    }
    while (t < 40) {
        FOUR_ROUNDS(vsha1pq_u32, vld1q_u32(hws__sha1_second + t));
        t += 4;
    }
    while (t < 60) {
        FOUR_ROUNDS(vsha1mq_u32, vld1q_u32(hws__sha1_second + t));
        t += 4;
    }
    while (t < 80) {
        FOUR_ROUNDS(vsha1pq_u32, vld1q_u32(hws__sha1_second + t));
        t += 4;
    }
    *hash_abcd = vaddq_u32(*hash_abcd, abcd);
    *hash_e += e;
}

SHA_TARGET void hws__sha1_arm(uint8_t digest[HWS__SHA1_LEN], const uint8_t *key) {
    uint32x4_t abcd = vld1q_u32(hws__sha1_start);
    uint32_t e = hws__sha1_start[4];
    add_first(&abcd, &e, key);
    add_second(&abcd, &e);
    vst1q_u8(digest, vrev32q_u8(vreinterpretq_u8_u32(abcd)));
    hws__store_be32(digest + 16, e);
}

#endif
