/*
 * What the command line of hawser-bench asks for.
 */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <hawser/hawser.h>

#include "bench_payload.h"
#include "deflate_options.h"

typedef struct bench_options {
    const char *url;
    hws_uri uri; /* its parts */
    uint64_t connections;
    uint64_t size;  /* bytes of a message */
    uint64_t depth; /* messages on their way, for each connection */
    uint64_t rate;  /* messages a second over all connections; 0: as many as come back */
    uint64_t duration_ns;
    uint64_t warm_up_ns;
    uint64_t timeout_ns; /* for opening, and for the last answers */
    int text;            /* 1: text messages */
    int payload;         /* PAYLOAD_RANDOM or PAYLOAD_WORDS */
    deflate_choice deflate;
    int json;
} bench_options;

/* Set by take_options(), which comes back when all is good. */
extern bench_options options;
void take_options(char **argv);

#endif
