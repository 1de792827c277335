/*
 * The harness of harness.h for streams with permessage-deflate: what is received depends on the
 * bytes of the stream, not on how they were cut, nor on the room that there was for plain bytes.
 *
 * Every row runs whole, byte by byte with empty calls between, and cut in two at every place;
 * through hws_deflate_receive() with rooms of 1, 2, 7 and 4096 bytes, hws_deflate_receive_message()
 * with a buffer that grows and with one of max_message bytes, and hws_conn_receive() with
 * hws_deflate_decompress(); in one buffer and with the unread rest moved to another one after each
 * event; with and without hws_deflate_trim() after each event. Buffers end at a forbidden page,
 * memory holds garbage before it is set up.
 *
 * A trace is as in harness.h, but faults that are found in plain bytes (HWS_ERR_INFLATE,
 * HWS_ERR_UTF8, HWS_ERR_MESSAGE_TOO_BIG) have no place: deflate.h says that it is the end of what
 * the connection has looked at, which depends on the cuts.
 */
#ifndef HWS_TESTS_DEFLATE_HARNESS_H
#define HWS_TESTS_DEFLATE_HARNESS_H

#include "support.h"

#include <hawser/hawser.h>

typedef struct deflate_row {
    const char *name; /* a sentence, after the number of the section that it proves */
    uint8_t role;
    const char *hex; /* the stream */
    const char *trace;
    uint64_t max_message;   /* 0: 65536 */
    uint8_t no_takeover;    /* 1: each message of the peer starts with an empty window */
    uint8_t window_bits;    /* of the peer's messages; 0: 15 */
    uint8_t no_compression; /* 1: nothing was agreed */
} deflate_row;

void deflate_harness_run_rows(const deflate_row *rows, size_t count);

/* What a row agrees to, with the codec over zlib and `allocator`, or malloc() when it is NULL. The
 * deflate is released by the caller. */
void deflate_harness_open(const deflate_row *r, const hws_allocator *allocator, hws_conn *conn,
                          hws_deflate *deflate);

#endif
