/*
 * What hawser-bench-deflate can do. Each prints lines of CSV, under a line of names.
 */
#ifndef BENCH_DEFLATE_H
#define BENCH_DEFLATE_H

#include "messages.h"

#include <stdio.h>

/* Writes the corpora, of so many bytes each, as files NAME.messages of a folder. */
void make_files(FILE *out, const char *folder, size_t bytes);

/* Does what the lines of `in` ask for, and answers with a line each: see jobs.c. */
void serve(FILE *in, FILE *out, const char *contender);

/* The numbers of the presets. */
void tell_presets(FILE *out);

/* Bytes that the codec asks for, by window and memory level. */
void tell_memory(FILE *out);

/* Resident memory of so many connections in use, with a preset's numbers. */
void tell_resident(FILE *out, const char *preset, size_t connections);

/* Size and time of each corpus for every window, memory level and level. */
void tell_grid(FILE *out, size_t bytes, size_t rounds);

/* What messages of a certain length gain, and what that costs. */
void tell_threshold(FILE *out, size_t bytes, size_t rounds);

/* What it costs to send one message to so many connections. */
void tell_broadcast(FILE *out, size_t connections, size_t rounds);

/* All of the above with little to do, and whether what comes out is what went in. */
void verify(FILE *out);

/* The middle one of a few figures, which are sorted. */
uint64_t median(uint64_t *values, size_t count);

#endif
