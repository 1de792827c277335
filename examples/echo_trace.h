/*
 * What hawser-echo says about its connections on standard error.
 */
#ifndef ECHO_TRACE_H
#define ECHO_TRACE_H

#include <hawser/loop.h>

/* A hws_trace for the endpoints of loops: prints each frame. */
void trace_frame(void *user, const void *connection, uint8_t sent, const hws_frame *frame,
                 const uint8_t *payload);

/* With --trace: the head of the request that waits, and the status of the answer to it. */
void trace_request(hws_link *link);
void trace_answer(hws_link *link, uint16_t code);

/* The end of a connection: with --trace always, else when something was wrong. */
void report_end(hws_link *link);

#endif
