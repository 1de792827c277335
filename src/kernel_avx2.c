/*
 * The kernels with vectors of 256 bits, for x86 with AVX2. Knows the instructions; what is done
 * with them stands in kernel_simd.h.
 */
#include "kernel.h"

#ifdef HWS__X86

#include <immintrin.h>

#define TARGET __attribute__((target("avx2,bmi2")))
#define FORM(name) hws__##name##_avx2
#define WIDTH 32
#define PARTS 0

typedef uint8_t vector __attribute__((vector_size(WIDTH)));

TARGET static inline int is_ascii(vector v) {
    return _mm256_movemask_epi8((__m256i)v) == 0;
}

TARGET static inline int differ(vector v, vector w, size_t n) {
    uint32_t same = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8((__m256i)v, (__m256i)w));
    return (~same & (uint32_t)((UINT64_C(1) << n) - 1)) != 0;
}

TARGET static inline vector look_up(const uint8_t table[16], vector v) {
    __m128i t = _mm_loadu_si128((const __m128i *)(const void *)table);
    return (vector)_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(t), (__m256i)v);
}

/* A macro, because the instruction has n in itself. It shifts within halves: the lower one gets the
 * upper one of p to shift in, the upper one the lower one of v. */
#define before(v, p, n)                                                                            \
    ((vector)_mm256_alignr_epi8(                                                                   \
        (__m256i)(v), _mm256_permute2x128_si256((__m256i)(p), (__m256i)(v), 0x21), 16 - (n)))

TARGET static inline vector minus(vector v, uint8_t n) {
    return (vector)_mm256_subs_epu8((__m256i)v, _mm256_set1_epi8((char)n));
}

#include "kernel_simd.h"

#endif
