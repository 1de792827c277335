/*
 * What hawser-echo has counted.
 */
#ifndef ECHO_SUMMARY_H
#define ECHO_SUMMARY_H

#include <hawser/endpoint.h>

/* Adds up, field by field. */
void add_counters(hws_counters *sum, const hws_counters *counters);

/* One line on standard output: names and numbers, for people and scripts. */
void print_counters(const hws_counters *counters);

#endif
