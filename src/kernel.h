/*
 * The two loops that see every byte of payload: XOR with the mask key (RFC 6455 5.3) and validation
 * as UTF-8 (RFC 3629), each alone and both in one pass. The rest of the core calls these names
 * only; kernel.c says which form of them runs.
 *
 * All forms: `dst` may be `src`, or lie anywhere before it in one array; bytes outside dst[0 … len)
 * are not written, bytes outside src[0 … len) are not read. `phase` is the position of src[0] in
 * its frame, of which only the lowest two bits matter. `key` is in the order of the wire.
 */
#ifndef HWS__KERNEL_H
#define HWS__KERNEL_H

#include <stddef.h>
#include <stdint.h>

/* dst[i] = src[i] ^ key[(phase + i) % 4]. */
void hws__mask(uint8_t *dst, const uint8_t *src, size_t len, const uint8_t key[4], uint32_t phase);

/* As hws_utf8_validate(). */
size_t hws__utf8(uint32_t *state, const uint8_t *data, size_t len);

/* Both: masks, and validates the result. Returns len, or the index of the first bad byte, with
 * *state HWS_UTF8_REJECT; dst is unspecified from there on. */
size_t hws__mask_utf8(uint32_t *state, uint8_t *dst, const uint8_t *src, size_t len,
                      const uint8_t key[4], uint32_t phase);

/* The portable forms, in mask.c and utf8.c. */
void hws__mask_portable(uint8_t *dst, const uint8_t *src, size_t len, const uint8_t key[4],
                        uint32_t phase);
size_t hws__utf8_portable(uint32_t *state, const uint8_t *data, size_t len);
size_t hws__mask_utf8_portable(uint32_t *state, uint8_t *dst, const uint8_t *src, size_t len,
                               const uint8_t key[4], uint32_t phase);

#endif
