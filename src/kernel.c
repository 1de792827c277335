/*
 * Which form of the kernels runs. The portable build has one form. The names that the core calls
 * are kept apart from the forms so that a build with several can choose here, and nowhere else.
 */
#include "kernel.h"

void hws__mask(uint8_t *dst, const uint8_t *src, size_t len, const uint8_t key[4], uint32_t phase) {
    hws__mask_portable(dst, src, len, key, phase);
}

size_t hws__utf8(uint32_t *state, const uint8_t *data, size_t len) {
    return hws__utf8_portable(state, data, len);
}

size_t hws__mask_utf8(uint32_t *state, uint8_t *dst, const uint8_t *src, size_t len,
                      const uint8_t key[4], uint32_t phase) {
    return hws__mask_utf8_portable(state, dst, src, len, key, phase);
}
