/*
 * A histogram of durations of any size in fixed memory.
 *
 * Buckets are log-linear: each power of two is cut into HISTOGRAM_STEPS buckets of one width. A
 * value is known to its bucket, so what a quantile says is at most 1/128 (0.8 %) above the truth
 * and never below it. The largest value is kept as it is.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum {
    HISTOGRAM_STEP_BITS = 7,
    HISTOGRAM_STEPS = 1 << HISTOGRAM_STEP_BITS,
    /* Below 2 * STEPS each value has its own bucket; 56 more powers of two follow. */
    HISTOGRAM_BUCKETS = (64 - HISTOGRAM_STEP_BITS + 1) * HISTOGRAM_STEPS
};

/* Zeros are an empty one. */
typedef struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS];
    uint64_t total; /* values */
    uint64_t max;
} histogram;

void histogram_add(histogram *h, uint64_t value);

/* The value that `per_mille_tenths` / 10000 of all values do not exceed, in 0 … 10000: 9990 is
 * p99.9. 0 when there are none. */
uint64_t histogram_quantile(const histogram *h, uint32_t per_mille_tenths);

#endif
