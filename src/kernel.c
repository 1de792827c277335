/*
 * Which form of the kernels runs: the only file that looks at the processor, and the only one with
 * state, two pointers to constant tables and functions. The processor is asked once, by the first
 * call that needs an answer, because asking traps in virtual machines and takes microseconds there.
 * Two threads that come first at once find the same answer.
 */
#include "kernel.h"

#include <hawser/kernel.h>
#include <hawser/status.h>

static const char *const names[] = {"portable", "ssse3", "avx2", "avx512", "neon"};

const char *hws_kernel_name(uint8_t kernel) {
    return kernel < sizeof names / sizeof names[0] ? names[kernel] : NULL;
}

#ifdef HWS__DISPATCH

#ifdef HWS__X86
#include <cpuid.h>
#elif defined(__linux__)
#include <sys/auxv.h>
#endif

#define TABLE(form, number)                                                                        \
    { hws__mask_##form, hws__utf8_##form, hws__mask_utf8_##form, hws__chacha8_##form, number }

static const hws__kernels tables[] = {
    TABLE(portable, HWS_KERNEL_PORTABLE),
#ifdef HWS__X86
    TABLE(ssse3, HWS_KERNEL_SSSE3),
    TABLE(avx2, HWS_KERNEL_AVX2),
    TABLE(avx512, HWS_KERNEL_AVX512),
#else
    TABLE(neon, HWS_KERNEL_NEON),
#endif
};

enum { TABLES = sizeof tables / sizeof tables[0] };

/* The build option HAWSER_KERNEL: no form above this one is taken unasked. */
#ifndef HWS_KERNEL_LIMIT
#define HWS_KERNEL_LIMIT HWS_KERNEL_NEON
#endif

/* What the processor can run: a bit for each HWS_KERNEL_…, one for SHA-1, and one for AVX. Vectors
 * of 512 bits are taken unasked only where there is VBMI as well: processors without lower their
 * clock for them, and their first vectors after a pause run at a fraction of the speed. */
enum { HAS_VBMI = 1 << 5, HAS_AVX = 1 << 6, HAS_SHA1 = 1 << 7 };

#ifdef HWS__X86

/* The registers that the system keeps for each thread: without that they cannot be used. */
static uint32_t kept_registers(void) {
    uint32_t low;
    uint32_t high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static uint8_t ask_processor(void) {
    const uint32_t ymm = 0x06;
    const uint32_t zmm = 0xE6;
    const uint32_t avx2 = bit_AVX2 | bit_BMI2;
    const uint32_t avx512 = avx2 | bit_AVX512F | bit_AVX512BW | bit_AVX512VL;
    uint32_t a;
    uint32_t b;
    uint32_t c1 = 0;
    uint32_t d;
    uint32_t b7 = 0;
    uint32_t c7 = 0;
    if (!__get_cpuid(1, &a, &b, &c1, &d) || (c1 & bit_SSSE3) == 0) {
        return 1 << HWS_KERNEL_PORTABLE;
    }
    __get_cpuid_count(7, 0, &a, &b7, &c7, &d);
    uint32_t kept = (c1 & bit_OSXSAVE) != 0 ? kept_registers() : 0;
    uint8_t has = 1 << HWS_KERNEL_PORTABLE | 1 << HWS_KERNEL_SSSE3;
    if ((kept & ymm) == ymm && (c1 & bit_AVX) != 0) {
        has |= HAS_AVX;
    }
    if ((has & HAS_AVX) != 0 && (b7 & avx2) == avx2) {
        has |= 1 << HWS_KERNEL_AVX2;
    }
    if ((kept & zmm) == zmm && (b7 & avx512) == avx512) {
        has |= 1 << HWS_KERNEL_AVX512;
    }
    if ((c7 & bit_AVX512VBMI) != 0) {
        has |= HAS_VBMI;
    }
    if ((c1 & bit_SSE4_1) != 0 && (b7 & bit_SHA) != 0) {
        has |= HAS_SHA1;
    }
    return has;
}

/* Where AVX can be used, somebody may have used it (sha1_ni.c). */
static hws__sha1_form *fast_sha1(uint8_t has) {
    return (has & HAS_AVX) != 0 ? hws__sha1_ni_avx : hws__sha1_ni;
}

#else

/* Every aarch64 has NEON. SHA-1 is an extension, which its system tells of. */
static uint8_t ask_processor(void) {
    uint8_t has = 1 << HWS_KERNEL_PORTABLE | 1 << HWS_KERNEL_NEON;
#if defined(__linux__)
    const unsigned long hwcap_sha1 = 1UL << 5;
    has |= (getauxval(AT_HWCAP) & hwcap_sha1) != 0 ? HAS_SHA1 : 0;
#elif defined(__APPLE__)
    has |= HAS_SHA1;
#endif
    return has;
}

static hws__sha1_form *fast_sha1(uint8_t has) {
    (void)has;
    return hws__sha1_arm;
}

#endif

static hws__sha1_form *sha1_for(const hws__kernels *table, uint8_t has) {
    uint8_t fast = table->number != HWS_KERNEL_PORTABLE && (has & HAS_SHA1) != 0;
    return fast ? fast_sha1(has) : hws__sha1_portable;
}

static const hws__kernels *resolve(void);

static void mask_first(uint8_t *dst, const uint8_t *src, size_t len, const uint8_t key[4],
                       uint32_t phase) {
    resolve()->mask(dst, src, len, key, phase);
}

static size_t utf8_first(uint32_t *state, const uint8_t *data, size_t len) {
    return resolve()->utf8(state, data, len);
}

static size_t mask_utf8_first(uint32_t *state, uint8_t *dst, const uint8_t *src, size_t len,
                              const uint8_t key[4], uint32_t phase) {
    return resolve()->mask_utf8(state, dst, src, len, key, phase);
}

static void chacha8_first(uint8_t out[HWS__CHACHA_LEN], const uint8_t key[HWS__CHACHA_KEY_LEN]) {
    resolve()->chacha8(out, key);
}

static void sha1_first(uint8_t digest[HWS__SHA1_LEN], const uint8_t *key) {
    resolve();
    hws__sha1_get()(digest, key);
}

static const hws__kernels unresolved = {mask_first, utf8_first, mask_utf8_first, chacha8_first,
                                        UINT8_MAX};

const hws__kernels *hws__kernels_chosen = &unresolved;
hws__sha1_form *hws__sha1_chosen = sha1_first;

/* Whether a form may run, and is not slow where it may. */
static uint8_t is_good(uint8_t has, uint8_t number) {
    if (number > HWS_KERNEL_LIMIT || (has >> number & 1) == 0) {
        return 0;
    }
    return number != HWS_KERNEL_AVX512 || HWS_KERNEL_LIMIT == HWS_KERNEL_AVX512 ||
           (has & HAS_VBMI) != 0;
}

/* The last of the good tables is the fastest. A choice that another thread makes meanwhile stays.
 */
static const hws__kernels *resolve(void) {
    const hws__kernels *nothing = &unresolved;
    hws__sha1_form *no_sha1 = sha1_first;
    uint8_t has = ask_processor();
    size_t i = TABLES - 1;
    while (!is_good(has, tables[i].number)) {
        i--;
    }
    __atomic_compare_exchange_n(&hws__sha1_chosen, &no_sha1, sha1_for(&tables[i], has), 0,
                                __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    __atomic_compare_exchange_n(&hws__kernels_chosen, &nothing, &tables[i], 0, __ATOMIC_RELAXED,
                                __ATOMIC_RELAXED);
    return hws__kernels_get();
}

uint8_t hws_kernel_get(void) {
    const hws__kernels *table = hws__kernels_get();
    return table == &unresolved ? resolve()->number : table->number;
}

hws_status hws_kernel_choose(uint8_t kernel) {
    uint8_t has = ask_processor();
    size_t i = 0;
    while (i < TABLES && tables[i].number != kernel) {
        i++;
    }
    if (i == TABLES || (has >> kernel & 1) == 0) {
        return HWS_ERR_ARGUMENT;
    }
    __atomic_store_n(&hws__sha1_chosen, sha1_for(&tables[i], has), __ATOMIC_RELAXED);
    __atomic_store_n(&hws__kernels_chosen, &tables[i], __ATOMIC_RELAXED);
    return HWS_OK;
}

#else

uint8_t hws_kernel_get(void) {
    return HWS_KERNEL_PORTABLE;
}

hws_status hws_kernel_choose(uint8_t kernel) {
    return kernel == HWS_KERNEL_PORTABLE ? HWS_OK : HWS_ERR_ARGUMENT;
}

#endif
