/*
 * What a run came to: messages, how long they took, and what went wrong.
 */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include <stdint.h>

#include <hawser/hawser.h>

#include "bench_histogram.h"

enum { TALLY_KINDS = 16, TALLY_TEXT = 256 };

/* One kind of error: a sentence, and how often it happened. */
typedef struct tally_kind {
    char text[TALLY_TEXT];
    uint64_t count;
} tally_kind;

/* Of messages in one direction: their own, and those of the stream, frames included. */
typedef struct tally_direction {
    uint64_t plain;
    uint64_t wire;
} tally_direction;

typedef struct tally {
    uint64_t opened;      /* connections */
    uint64_t compressing; /* those that agreed to compress */
    uint64_t answered;    /* messages that came back, in all */
    uint64_t counted;     /* those that came back while it was measured */
    uint64_t unsent;      /* messages whose time came, and that no connection had room for */
    uint64_t from_ns;     /* when measuring began and ended; 0: not so far */
    uint64_t until_ns;
    double load;          /* the part of a core that the load took meanwhile */
    tally_direction sent; /* bytes, while it was measured */
    tally_direction received;
    histogram latency; /* ns */
    tally_kind kinds[TALLY_KINDS];
    size_t kind_count;
} tally;

extern tally result;

/* A message came back that was to be sent, or was sent, at `sent_ns`. */
void tally_answer(uint64_t sent_ns, uint64_t now_ns);

/* Bytes went or came, if it is measured now. */
void tally_bytes(tally_direction *direction, uint64_t plain, uint64_t wire);

/* A message never came back, or was never sent: it has waited since `sent_ns`. */
void tally_waited(uint64_t sent_ns, uint64_t now_ns);

/* `count` errors of a kind. Those of the 16th and all further kinds are one. */
void tally_error(uint64_t count, const char *text);

/* The sentence of a status with the section of its RFC; `system_error` is an errno, or 0. */
void tally_status(hws_status status, int system_error);

#endif
