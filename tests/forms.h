/*
 * The forms of the kernels that this processor can run, for tests and fuzz targets that compare
 * them. They are called by their own names, so that the form in use stays as it is.
 */
#ifndef HWS_TESTS_FORMS_H
#define HWS_TESTS_FORMS_H

#include "kernel.h"

#include <hawser/kernel.h>
#include <hawser/status.h>

typedef struct form {
    const char *name;
    uint8_t number; /* HWS_KERNEL_… */
    hws__mask_form *mask;
    hws__utf8_form *utf8;
    hws__mask_utf8_form *mask_utf8;
    hws__chacha8_form *chacha8;
} form;

#define FORMS_ROW(name, number)                                                                    \
    {                                                                                              \
#name, number, hws__mask_##name, hws__utf8_##name, hws__mask_utf8_##name,                  \
            hws__chacha8_##name                                                                    \
    }

/* Those that this build has, the portable one first. */
static const form forms_built[] = {
    FORMS_ROW(portable, HWS_KERNEL_PORTABLE),
#ifdef HWS__X86
    FORMS_ROW(ssse3, HWS_KERNEL_SSSE3),       FORMS_ROW(avx2, HWS_KERNEL_AVX2),
    FORMS_ROW(avx512, HWS_KERNEL_AVX512),
#endif
#ifdef HWS__ARM
    FORMS_ROW(neon, HWS_KERNEL_NEON),
#endif
};

enum { FORMS_BUILT = sizeof forms_built / sizeof forms_built[0] };

/* Those of them that can run here, in the same order. */
static form forms[FORMS_BUILT];
static size_t forms_count;

/* Asks the library which forms can run, and leaves its choice as it was. */
static inline void forms_ask(void) {
    uint8_t before = hws_kernel_get();
    size_t i = 0;
    forms_count = 0;
    while (i < FORMS_BUILT) {
        if (hws_kernel_choose(forms_built[i].number) == HWS_OK) {
            forms[forms_count] = forms_built[i];
            forms_count++;
        }
        i++;
    }
    hws_kernel_choose(before);
}

#endif
