/*
 * The harness of the first law: what a connection does depends on the bytes of the stream, not on
 * how they were cut, nor by which of the receiving calls they came.
 *
 * A row is a stream and the trace that it must leave. Every row runs whole, byte by byte, cut in
 * two at every place, and mixed with empty calls; through hws_conn_receive() with and without
 * frame events, hws_conn_receive_into() with small, large and overlapping targets,
 * hws_conn_receive_batch() and hws_message_receive(); from buffers that end at a forbidden page; in
 * memory that held garbage. All must leave the same trace.
 *
 * On the way it checks what holds for every stream: replies are all or nothing and stay within
 * the bound of conn.h, faults are sticky, receive_into leaves its source alone, and a frame event
 * tells the header that hws_frame_decode() finds in the same bytes.
 *
 * A trace is text: items joined by "; ".
 *
 *     text "Hi"             a whole message; bytes outside printable ASCII as \xx
 *     binary [65536]        one of more than 64 bytes (its content is compared between the runs)
 *     text* "…"             a compressed one, as it came
 *     ping "x"  pong "x"    control frames
 *     close 1000 "bye"      the peer's Close
 *     >pong "x"  >close 1002  >close   what hws_conn_reply() yielded after the call
 *     open @7               at the end: all is consumed, the connection is open
 *     ended @7              … the peer has closed; what comes after him is not counted
 *     HWS_ERR_OPCODE @3     … it failed at the third byte
 */
#ifndef HWS_TESTS_HARNESS_H
#define HWS_TESTS_HARNESS_H

#include "support.h"

#include <hawser/hawser.h>

typedef struct row {
    const char *name; /* a sentence, after the number of the section that it proves */
    uint8_t role;
    const char *hex; /* the stream */
    const char *trace;
    uint64_t max_message;   /* 0: the default */
    uint64_t max_fragments; /* 0: the default */
    uint8_t compression;
} row;

/* Run one row in every way; fails the test with both traces when one differs. */
void harness_run(const row *r);

void harness_run_rows(const row *rows, size_t count);

/* The same for a stream in memory. */
void harness_run_bytes(const row *r, const uint8_t *bytes, size_t len);

/* The same for a stream of at most 16 bytes, cut in every way there is. */
void harness_run_splits(const row *r, const uint8_t *bytes, size_t len);

/* The trace of one run through hws_conn_receive(), whole; it stands until the next run. The trace
 * in the row is not looked at. */
const char *harness_trace(const row *r, const uint8_t *bytes, size_t len, uint64_t *checksum);

#endif
