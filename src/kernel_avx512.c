/*
 * The kernels with vectors of 512 bits, for x86 with AVX-512. Knows the instructions; what is done
 * with them stands in kernel_simd.h.
 */
#include "kernel.h"

#ifdef HWS__X86

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,bmi2")))
#define FORM(name) hws__##name##_avx512
#define WIDTH 64
#define PARTS 1

typedef uint8_t vector __attribute__((vector_size(WIDTH)));

TARGET static inline int is_ascii(vector v) {
    return _mm512_movepi8_mask((__m512i)v) == 0;
}

TARGET static inline int differ(vector v, vector w, size_t n) {
    return _bzhi_u64(_mm512_cmpneq_epi8_mask((__m512i)v, (__m512i)w), (uint32_t)n) != 0;
}

TARGET static inline vector look_up(const uint8_t table[16], vector v) {
    __m128i t = _mm_loadu_si128((const __m128i *)(const void *)table);
    return (vector)_mm512_shuffle_epi8(_mm512_broadcast_i32x4(t), (__m512i)v);
}

/* A macro, because the instruction has n in itself. It shifts within quarters: each gets the
 * quarter before it to shift in. */
#define before(v, p, n)                                                                            \
    ((vector)_mm512_alignr_epi8((__m512i)(v), _mm512_alignr_epi32((__m512i)(v), (__m512i)(p), 12), \
                                16 - (n)))

TARGET static inline vector minus(vector v, uint8_t n) {
    return (vector)_mm512_subs_epu8((__m512i)v, _mm512_set1_epi8((char)n));
}

TARGET static inline vector load_part(const uint8_t *src, size_t n) {
    return (vector)_mm512_maskz_loadu_epi8(_bzhi_u64(UINT64_MAX, (uint32_t)n), src);
}

#include "kernel_simd.h"

#endif
