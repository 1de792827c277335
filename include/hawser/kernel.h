/**
 * @file
 * Which form of the loops over payload runs: masking (RFC 6455 5.3), validation of text (RFC 3629),
 * both at once, and the expansion of random bytes to mask keys.
 *
 * Nobody needs this header. The first call that has bytes to look at asks the processor once what
 * it has, and the fastest form that it has is used from then on, by all connections. All forms give
 * the same results. To choose one is for tests, for benchmarks, and for programs that know better.
 *
 * Of vectors of 512 bits that is the question: on processors without AVX-512 VBMI they lower the
 * clock, and the first of them after a pause run at a fraction of their speed. There the form for
 * AVX2 is taken, unless the other is asked for.
 *
 * The choice is the only state that hawser keeps outside its objects: two atomic pointers. A
 * library that was built with HAWSER_KERNEL=portable has the portable form alone, and no state at
 * all.
 */
#ifndef HAWSER_KERNEL_H
#define HAWSER_KERNEL_H

#include <hawser/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Forms of the kernels. */
enum {
    HWS_KERNEL_PORTABLE = 0, /**< Plain C, words of 64 bits. On every machine. */
    HWS_KERNEL_SSSE3 = 1,    /**< x86: 128-bit vectors. */
    HWS_KERNEL_AVX2 = 2,     /**< x86: 256-bit vectors. */
    HWS_KERNEL_AVX512 = 3,   /**< x86: 512-bit vectors (AVX-512 F, BW, VL and BMI2). */
    HWS_KERNEL_NEON = 4      /**< aarch64: 128-bit vectors. */
};

/**
 * The form that is in use.
 *
 * @return  HWS_KERNEL_…
 */
HWS_API uint8_t hws_kernel_get(void);

/**
 * Use another form from now on, in all threads. May be called at any time.
 *
 * @param kernel  HWS_KERNEL_…
 * @return        HWS_OK; HWS_ERR_ARGUMENT when the library was built without it or the processor
 *                cannot run it: nothing has changed then.
 */
HWS_API hws_status hws_kernel_choose(uint8_t kernel);

/**
 * The name of a form, for people.
 *
 * @param kernel  HWS_KERNEL_…
 * @return        For example "avx2"; NULL for a number that is no form. Lives for ever.
 */
HWS_API const char *hws_kernel_name(uint8_t kernel);

#ifdef __cplusplus
}
#endif

#endif
