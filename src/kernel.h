/*
 * The loops that see every byte of payload: XOR with the mask key (RFC 6455 5.3) and validation as
 * UTF-8 (RFC 3629), each alone and both in one pass; and the one that makes mask keys. The rest of
 * the core calls hws__mask(), hws__utf8(), hws__mask_utf8(), hws__chacha8() and hws__sha1_key()
 * only; kernel.c says which form of them runs.
 *
 * All forms: `dst` may be `src`, or lie anywhere before it in one array; bytes outside dst[0 … len)
 * are not written, bytes outside src[0 … len) are not read. `phase` is the position of src[0] in
 * its frame, of which only the lowest two bits matter. `key` is in the order of the wire. Every
 * form gives what the portable one gives: that one is the definition, and the one that is proved.
 */
#ifndef HWS__KERNEL_H
#define HWS__KERNEL_H

#include <stddef.h>
#include <stdint.h>

/* Which forms this build has. HWS_PORTABLE is the build option for none but the portable one. */
#if !defined(HWS_PORTABLE) && defined(__GNUC__) && defined(__x86_64__)
#define HWS__X86 1
#elif !defined(HWS_PORTABLE) && defined(__GNUC__) && defined(__aarch64__) &&                       \
    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HWS__ARM 1
#endif
#if defined(HWS__X86) || defined(HWS__ARM)
#define HWS__DISPATCH 1
#endif

/* dst[i] = src[i] ^ key[(phase + i) % 4]. */
typedef void hws__mask_form(uint8_t *dst, const uint8_t *src, size_t len, const uint8_t key[4],
                            uint32_t phase);

/* As hws_utf8_validate(). */
typedef size_t hws__utf8_form(uint32_t *state, const uint8_t *data, size_t len);

/* Both: masks, and validates the result. Returns len, or the index of the first bad byte, with
 * *state HWS_UTF8_REJECT; dst is unspecified from there on. */
typedef size_t hws__mask_utf8_form(uint32_t *state, uint8_t *dst, const uint8_t *src, size_t len,
                                   const uint8_t key[4], uint32_t phase);

/* Sixteen blocks of ChaCha8 with nonce 0, of the counters 0 … 15, turned so that no form has to
 * turn its vectors: word w of block b is the little-endian word at out[4 * (16 * w + b)]. The key
 * may lie in `out`. */
enum { HWS__CHACHA_LEN = 1024, HWS__CHACHA_KEY_LEN = 32 };
typedef void hws__chacha8_form(uint8_t out[HWS__CHACHA_LEN],
                               const uint8_t key[HWS__CHACHA_KEY_LEN]);

/* The SHA-1 of a key of 24 bytes and the GUID (RFC 6455 4.2.2). */
enum { HWS__SHA1_LEN = 20 };
typedef void hws__sha1_form(uint8_t digest[HWS__SHA1_LEN], const uint8_t *key);

hws__mask_form hws__mask_portable;
hws__utf8_form hws__utf8_portable;
hws__mask_utf8_form hws__mask_utf8_portable;
hws__chacha8_form hws__chacha8_portable;
hws__sha1_form hws__sha1_portable;

#ifdef HWS__X86
hws__mask_form hws__mask_ssse3, hws__mask_avx2, hws__mask_avx512;
hws__utf8_form hws__utf8_ssse3, hws__utf8_avx2, hws__utf8_avx512;
hws__mask_utf8_form hws__mask_utf8_ssse3, hws__mask_utf8_avx2, hws__mask_utf8_avx512;
hws__chacha8_form hws__chacha8_ssse3, hws__chacha8_avx2, hws__chacha8_avx512;
hws__sha1_form hws__sha1_ni, hws__sha1_ni_avx;
#endif

#ifdef HWS__ARM
hws__mask_form hws__mask_neon;
hws__utf8_form hws__utf8_neon;
hws__mask_utf8_form hws__mask_utf8_neon;
hws__chacha8_form hws__chacha8_neon;
hws__sha1_form hws__sha1_arm;
#endif

/* One form of all loops over payload. `number` is HWS_KERNEL_…. */
typedef struct hws__kernels {
    hws__mask_form *mask;
    hws__utf8_form *utf8;
    hws__mask_utf8_form *mask_utf8;
    hws__chacha8_form *chacha8;
    uint8_t number;
} hws__kernels;

#ifdef HWS__DISPATCH

/* What is in use, in kernel.c: never NULL. Until the processor has been asked, these are functions
 * that ask it and go on. Which SHA-1 a processor can run does not follow from its vectors. Written
 * with __atomic_store_n(); what they point to is constant, so no order with other memory counts. */
extern const hws__kernels *hws__kernels_chosen;
extern hws__sha1_form *hws__sha1_chosen;

static inline const hws__kernels *hws__kernels_get(void) {
    return __atomic_load_n(&hws__kernels_chosen, __ATOMIC_RELAXED);
}

static inline hws__sha1_form *hws__sha1_get(void) {
    return __atomic_load_n(&hws__sha1_chosen, __ATOMIC_RELAXED);
}

#define HWS__KERNEL(name) hws__kernels_get()->name

#else

#define HWS__KERNEL(name) hws__##name##_portable

static inline hws__sha1_form *hws__sha1_get(void) {
    return hws__sha1_portable;
}

#endif

static inline void hws__mask(uint8_t *dst, const uint8_t *src, size_t len, const uint8_t key[4],
                             uint32_t phase) {
    HWS__KERNEL(mask)(dst, src, len, key, phase);
}

static inline size_t hws__utf8(uint32_t *state, const uint8_t *data, size_t len) {
    return HWS__KERNEL(utf8)(state, data, len);
}

static inline size_t hws__mask_utf8(uint32_t *state, uint8_t *dst, const uint8_t *src, size_t len,
                                    const uint8_t key[4], uint32_t phase) {
    return HWS__KERNEL(mask_utf8)(state, dst, src, len, key, phase);
}

static inline void hws__chacha8(uint8_t out[HWS__CHACHA_LEN],
                                const uint8_t key[HWS__CHACHA_KEY_LEN]) {
    HWS__KERNEL(chacha8)(out, key);
}

static inline void hws__sha1_key(uint8_t digest[HWS__SHA1_LEN], const uint8_t *key) {
    hws__sha1_get()(digest, key);
}

#endif
