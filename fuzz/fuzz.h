/*
 * What all fuzz targets share. A target states one invariant in its first comment and calls CHECK()
 * where it has to hold. Options come from the tail of the input, so that the head of a corpus file
 * reads as what it is. Each target links with libFuzzer, or with main.c, which runs files.
 */
#ifndef HWS_FUZZ_H
#define HWS_FUZZ_H

#include <hawser/hawser.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* A random source that gives the same bytes in every run: 0, 1, 2 … */
static inline hws_status fuzz_random(void *user, uint8_t *dst, size_t len) {
    uint8_t *next = user;
    size_t i = 0;
    while (i < len) {
        dst[i] = *next;
        *next = (uint8_t)(*next + 1);
        i++;
    }
    return HWS_OK;
}

/* A copy on the heap of exactly len bytes, so that a sanitizer sees the first byte too far. */
static inline uint8_t *fuzz_copy(const uint8_t *data, size_t len) {
    uint8_t *copy = malloc(len > 0 ? len : 1);
    CHECK(copy != NULL);
    if (len > 0) {
        memcpy(copy, data, len);
    }
    return copy;
}

/* The last byte of the input, taken off; 0 when there is none. */
static inline uint8_t fuzz_option(const uint8_t *data, size_t *size) {
    if (*size == 0) {
        return 0;
    }
    (*size)--;
    return data[*size];
}

#endif
