/*
 * Prints what a run came to.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdint.h>

/* On stdout, as JSON or for people; errors on stderr as well, a sentence each. */
void report_result(void);

/* One line on stderr that the next one overwrites. */
void report_progress(double seconds, double messages_per_s);
void report_progress_end(void);

#endif
