/*
 * A compressor and who may use it: of one connection, or shared. deflate*.c and compressor.c know
 * this.
 */
#ifndef HWS__COMPRESSOR_H
#define HWS__COMPRESSOR_H

#include <hawser/codec.h>
#include <hawser/deflate.h>

#include "bytes.h"

typedef struct hws__compressor {
    const hws_codec *codec;
    hws_codec_settings settings; /* window_bits may shrink: then `made_bits` is above it */
    void *state;                 /* NULL: not made, as good as an empty window */
    uint8_t made_bits;           /* the window of `state` */
    uint8_t filled;              /* 1: its window may hold something */
    uint8_t busy;                /* 1: inside a message */
} hws__compressor;

_Static_assert(sizeof(hws__compressor) <= sizeof(hws_compressor), "room for a compressor");

static inline hws__compressor *hws__compressor_of(hws_compressor *compressor) {
    return (hws__compressor *)(void *)compressor;
}

static inline const hws__compressor *hws__compressor_of_const(const hws_compressor *compressor) {
    return (const hws__compressor *)(const void *)compressor;
}

/* RFC 7692 7.1.2: the bits of a window; the largest is that of DEFLATE itself. */
enum { HWS__MIN_WINDOW = 8, HWS__MAX_WINDOW = 15 };

static inline uint8_t hws__is_window(uint8_t bits) {
    return bits >= HWS__MIN_WINDOW && bits <= HWS__MAX_WINDOW;
}

/* Whether settings are in their ranges. */
uint8_t hws__codec_settings_are_good(const hws_codec_settings *settings);

/* Start a message; with `takeover` the window stays as it is. HWS_OK; HWS_ERR_STATE while another
 * message is being made; HWS_ERR_MEMORY. */
hws_status hws__compressor_begin(hws__compressor *c, uint8_t takeover);

/* End a message. */
static inline void hws__compressor_end(hws__compressor *c) {
    c->busy = 0;
}

/* Leave a message unfinished: the window is empty again. */
void hws__compressor_abandon(hws__compressor *c);

/* Compress and flush: as hws_codec.compress. */
static inline hws_status hws__compressor_run(hws__compressor *c, const uint8_t *src, size_t len,
                                             size_t *used, uint8_t *dst, size_t cap, size_t *n) {
    c->filled = 1;
    return c->codec->compress(c->state, src, len, used, 1, dst, cap, n);
}

/* Let go of the state. */
void hws__compressor_drop(hws__compressor *c);

/* RFC 7692 7.2.1: what a flush ends with is not sent at the end of a message. And 7.2.3.6: when
 * there was nothing to flush, an empty stored block stands for it. `at` is where the message's
 * bytes, or those held back of it, start. */
enum { HWS__TAIL_LEN = 4 };

static inline void hws__remove_tail(uint8_t *dst, size_t at, size_t *n) {
    if (*n == at) {
        dst[*n] = 0;
        *n += 1;
    } else {
        *n -= HWS__TAIL_LEN;
    }
}

#endif
