/*
 * The opening of a channel: the request that all send, and the answer of one. For bench_channel.c.
 */
#ifndef BENCH_OPEN_H
#define BENCH_OPEN_H

#include <stddef.h>
#include <stdint.h>

#include <hawser/hawser.h>

enum {
    OPEN_FIELDS = 64,
    OPEN_BYTES = HWS_DEFAULT_MAX_HEAD + 4096 /* a head, and what the first read has behind it */
};

typedef struct opening {
    hws_key key;
    hws_head head;
    hws_deflate_params agreed; /* set with the answer */
    hws_header fields[OPEN_FIELDS];
    uint8_t bytes[OPEN_BYTES];
    size_t len;
} opening;

/* Prepares the request from the URL of the options. */
hws_status open_setup(void);

/* Appends the request, with a key of its own. */
hws_status open_request(opening *o, uint8_t *out, size_t cap, size_t *n);

/* Looks at what has come: HWS_OK, and frames start at bytes[head.head_len]; HWS_NEED_MORE; or what
 * is wrong. */
hws_status open_answer(opening *o);

#endif
