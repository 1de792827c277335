/*
 * Sums and shows counters. Knows their fields alone.
 */
#include "echo_summary.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

/* hws_counters is numbers of 64 bits alone. */
void add_counters(hws_counters *sum, const hws_counters *counters) {
    uint64_t *into = (uint64_t *)sum;
    const uint64_t *from = (const uint64_t *)counters;
    size_t i = 0;
    while (i < sizeof *sum / sizeof *into) {
        into[i] += from[i];
        i++;
    }
}

void print_counters(const hws_counters *counters) {
    size_t i = 0;
    printf("hawser-echo: opened=%" PRIu64 " refused=%" PRIu64 " ended=%" PRIu64
           " messages_received=%" PRIu64 " messages_sent=%" PRIu64 " bytes_received=%" PRIu64
           " bytes_sent=%" PRIu64 " pings_sent=%" PRIu64 " pongs_received=%" PRIu64,
           counters->opened, counters->refused, counters->ended, counters->messages_received,
           counters->messages_sent, counters->bytes_received, counters->bytes_sent,
           counters->pings_sent, counters->pongs_received);
    while (i < sizeof counters->errors / sizeof counters->errors[0]) {
        if (counters->errors[i] > 0) {
            printf(" %s=%" PRIu64, hws_status_name(-(hws_status)i), counters->errors[i]);
        }
        i++;
    }
    putchar('\n');
}
