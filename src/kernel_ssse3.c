/*
 * The kernels with vectors of 128 bits, for x86 with SSSE3. Knows the instructions; what is done
 * with them stands in kernel_simd.h.
 */
#include "kernel.h"

#ifdef HWS__X86

#include <immintrin.h>

#define TARGET __attribute__((target("ssse3")))
#define FORM(name) hws__##name##_ssse3
#define WIDTH 16
#define PARTS 0

typedef uint8_t vector __attribute__((vector_size(WIDTH)));

TARGET static inline int is_ascii(vector v) {
    return _mm_movemask_epi8((__m128i)v) == 0;
}

TARGET static inline int differ(vector v, vector w, size_t n) {
    uint32_t same = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8((__m128i)v, (__m128i)w));
    return (~same & ((UINT32_C(1) << n) - 1)) != 0;
}

TARGET static inline vector look_up(const uint8_t table[16], vector v) {
    __m128i t = _mm_loadu_si128((const __m128i *)(const void *)table);
    return (vector)_mm_shuffle_epi8(t, (__m128i)v);
}

/* A macro, because the instruction has n in itself. */
#define before(v, p, n) ((vector)_mm_alignr_epi8((__m128i)(v), (__m128i)(p), WIDTH - (n)))

TARGET static inline vector minus(vector v, uint8_t n) {
    return (vector)_mm_subs_epu8((__m128i)v, _mm_set1_epi8((char)n));
}

#include "kernel_simd.h"

#endif
