/*
 * Counts durations in log-linear buckets. Knows nothing of what they are durations of.
 */
#include "bench_histogram.h"

enum { ALL = 10000 };

/* The shift leaves the STEP_BITS + 1 highest bits of a value; the highest of them, which is always
 * set, counts the bucket one power further. */
static size_t bucket_of(uint64_t value) {
    uint32_t shift = 0;
    while (value >> shift >= 2 * HISTOGRAM_STEPS) {
        shift++;
    }
    return shift * HISTOGRAM_STEPS + (size_t)(value >> shift);
}

/* The largest value of a bucket. */
static uint64_t bucket_top(size_t bucket) {
    size_t shift = bucket < 2 * HISTOGRAM_STEPS ? 0 : (bucket - HISTOGRAM_STEPS) / HISTOGRAM_STEPS;
    uint64_t high = bucket - shift * HISTOGRAM_STEPS;
    return ((high + 1) << shift) - 1;
}

void histogram_add(histogram *h, uint64_t value) {
    h->counts[bucket_of(value)]++;
    h->total++;
    h->max = value > h->max ? value : h->max;
}

/* How many values must not exceed it: rounded up, and at least one. */
static uint64_t rank_of(uint64_t total, uint32_t part) {
    uint64_t rank = total / ALL * part + (total % ALL * part + ALL - 1) / ALL;
    return rank > 0 ? rank : 1;
}

uint64_t histogram_quantile(const histogram *h, uint32_t per_mille_tenths) {
    uint64_t rank = rank_of(h->total, per_mille_tenths);
    uint64_t seen = h->counts[0];
    uint64_t top;
    size_t bucket = 0;
    if (h->total == 0) {
        return 0;
    }
    while (seen < rank) {
        bucket++;
        seen += h->counts[bucket];
    }
    top = bucket_top(bucket);
    return top < h->max ? top : h->max;
}
