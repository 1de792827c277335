/*
 * The kernels with vectors of 128 bits, for aarch64, where every processor has NEON. Knows the
 * instructions; what is done with them stands in kernel_simd.h.
 */
#include "kernel.h"

#ifdef HWS__ARM

#include <arm_neon.h>

#define TARGET
#define FORM(name) hws__##name##_neon
#define WIDTH 16
#define PARTS 0

typedef uint8_t vector __attribute__((vector_size(WIDTH)));

static inline int is_ascii(vector v) {
    return vmaxvq_u8((uint8x16_t)v) < 0x80;
}

static inline int differ(vector v, vector w, size_t n) {
    static const uint8_t places[WIDTH] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    uint8x16_t counted = vcltq_u8(vld1q_u8(places), vdupq_n_u8((uint8_t)n));
    return vmaxvq_u8(vandq_u8((uint8x16_t)(v ^ w), counted)) != 0;
}

static inline vector look_up(const uint8_t table[16], vector v) {
    return (vector)vqtbl1q_u8(vld1q_u8(table), (uint8x16_t)v);
}

/* A macro, because the instruction has n in itself. */
#define before(v, p, n) ((vector)vextq_u8((uint8x16_t)(p), (uint8x16_t)(v), WIDTH - (n)))

static inline vector minus(vector v, uint8_t n) {
    return (vector)vqsubq_u8((uint8x16_t)v, vdupq_n_u8(n));
}

#include "kernel_simd.h"

#endif
