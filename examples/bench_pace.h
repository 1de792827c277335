/*
 * The clock, and the time at which each message is due when a rate was asked for.
 */
#ifndef BENCH_PACE_H
#define BENCH_PACE_H

#include <stdint.h>

uint64_t pace_now(void); /* nanoseconds of a clock that only goes forward */

/* Message 0 is due now, and the others follow at options.rate. */
void pace_begin(void);

/* When message `number` is due. Only with a rate. */
uint64_t pace_due(uint64_t number);

#endif
