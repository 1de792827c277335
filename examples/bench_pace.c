/*
 * Tells the time, and the times of a plan. A message counts from when the plan wants it, not from
 * when there was room for it: else a server that stalls would also stall the questions, and the
 * answer to each that is asked would look quick.
 */
#define _POSIX_C_SOURCE 200809L

#include "bench_pace.h"

#include <time.h>

#include "bench_options.h"

#define SECOND ((uint64_t)1000000000)

static uint64_t begin;

uint64_t pace_now(void) {
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

void pace_begin(void) {
    begin = pace_now();
}

uint64_t pace_due(uint64_t number) {
    uint64_t seconds = number / options.rate;
    return begin + seconds * SECOND + number % options.rate * SECOND / options.rate;
}
