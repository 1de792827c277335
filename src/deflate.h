/*
 * What a hws_deflate holds. deflate.c (its life), deflate_receive.c and deflate_send.c know this.
 *
 * Its two sides do not know each other. States of the codec are made when they are first needed:
 * NULL stands for an empty window.
 *
 * Receiving: a piece is what came in one go of one frame, a message is made of pieces. Between
 * calls it is known where both stand: type_in is set inside a message, piece_in inside a piece of
 * it. Sending likewise; a piece that goes as it is belongs to no compressed message, and only
 * piece_out knows of it.
 */
#ifndef HWS__DEFLATE_H
#define HWS__DEFLATE_H

#include <hawser/deflate.h>
#include <hawser/utf8.h>

#include "compressor.h"

enum hws__piece { HWS__NO_PIECE, HWS__COMPRESSED_PIECE, HWS__PLAIN_PIECE };

typedef struct hws__deflate {
    hws__compressor own;
    hws__compressor *shared; /* NULL: own is used */
    void *decompressor;
    uint64_t threshold;
    uint64_t max_message;
    uint64_t message_len; /* plain bytes of the message being received */
    size_t waiting_len;   /* receive: bytes of the piece that are unmasked and not taken */
    size_t used_out;      /* bytes of the piece being sent that are taken */

    hws_status failed_in;  /* HWS_OK, or why no more can be decompressed */
    hws_status failed_out; /* HWS_OK, or why no more can be compressed */
    uint32_t text_in;      /* HWS_UTF8_ACCEPT between messages, as it is in zeros */
    uint32_t text_out;

    uint8_t enabled;
    uint8_t compresses; /* what is sent can be compressed: the codec can keep to the window */
    uint8_t takeover_in;
    uint8_t takeover_out;
    uint8_t window_in;
    uint8_t window_out; /* as agreed; own.settings may have less */

    uint8_t type_in; /* of the compressed message being received; 0 for none */
    uint8_t piece_in;
    uint8_t flags_in; /* of that piece */
    uint8_t filled;   /* the decompressor's window may hold something */
    uint8_t spilled;  /* 1: `spill` is the next plain byte, made when there was no room */
    uint8_t spill;

    uint8_t waiting;       /* receive: 1: a piece waits, or what comes of it */
    uint8_t waiting_type;  /* its type */
    uint8_t waiting_flags; /* its flags */
    uint8_t untold;        /* HWS_FIRST until an event has told that the message started */
    uint8_t assembling;    /* receive_message: inside a message */

    uint8_t type_out;            /* of the compressed message being sent; 0 for none */
    uint8_t piece_out;           /* enum hws__piece: what is half out */
    uint8_t piece_type;          /* of that piece */
    uint8_t flags_out;           /* its place in the message, and what was wished for it */
    uint8_t unsent;              /* no frame of it has been made */
    uint8_t held[HWS__TAIL_LEN]; /* the last bytes made: they may be the tail */
    uint8_t held_len;
} hws__deflate;

_Static_assert(sizeof(hws__deflate) <= sizeof(hws_deflate), "room for a connection's compression");

static inline hws__deflate *hws__deflate_of(hws_deflate *deflate) {
    return (hws__deflate *)(void *)deflate;
}

static inline const hws__deflate *hws__deflate_of_const(const hws_deflate *deflate) {
    return (const hws__deflate *)(const void *)deflate;
}

/* What a message may be told about its compression: with its first piece, and one of both. */
static inline uint8_t hws__wishes_are_good(uint8_t flags) {
    uint8_t wishes = flags & (HWS_COMPRESSED | HWS_UNCOMPRESSED);

    return wishes == 0 ||
           ((flags & HWS_FIRST) != 0 && wishes != (HWS_COMPRESSED | HWS_UNCOMPRESSED));
}

static inline hws__compressor *hws__deflate_compressor(hws__deflate *d) {
    return d->shared != NULL ? d->shared : &d->own;
}

/* The message that is being sent is lost: the window is empty again, and a compressor that is
 * shared is free. */
static inline void hws__deflate_drop_message(hws__deflate *d) {
    hws__compressor_abandon(hws__deflate_compressor(d));
    d->type_out = 0;
    d->piece_out = HWS__NO_PIECE;
}

/* deflate.c: leave the message that is being sent unfinished, so that others can use a compressor
 * that is shared. */
void hws__deflate_abandon(hws_deflate *deflate);

/* deflate.c, deflate_params.c */
uint8_t hws__deflate_options_are_good(const hws_deflate_options *options);
uint8_t hws__deflate_params_are_good(const hws_deflate_params *params, uint8_t role);

#endif
