/*
 * What a hws_conn holds. conn*.c know this, nobody else does.
 *
 * Invariants:
 * - message_len <= max_message, payload_at <= payload_len <= max_message for data frames (of a
 *   compressed message hws__compressed_max() of it), payload_len <= 125 for control frames.
 * - message_in is HWS_TEXT or HWS_BINARY from the header of a message's first frame to the end of
 *   its last, else 0. message_out is the same for what we send.
 * - text_in and text_out are never HWS_UTF8_REJECT: a wrong byte ends receiving, and a wrong send
 *   changes nothing.
 * - state is ENDED if and only if the peer sent a Close (peer_code != 0), there is an error, or the
 *   stream has ended.
 * - What can be computed is not kept: whether a Close is owed, whether sending is over, what to do
 *   with the socket.
 */
#ifndef HWS__CONN_H
#define HWS__CONN_H

#include <hawser/conn.h>
#include <hawser/utf8.h>

#include "bytes.h"
#include "frame.h"
#include "kernel.h"

/* Where receiving stands, in the order of the wire. */
enum hws__conn_state {
    HWS__FIRST_BYTE,
    HWS__SECOND_BYTE,
    HWS__LENGTH,
    HWS__MASK_KEY,
    HWS__PAYLOAD,
    HWS__CONTROL_PAYLOAD,
    HWS__ENDED
};

typedef struct hws__conn {
    uint64_t max_message;
    uint64_t max_fragments;
    hws_random random;
    void *random_user;

    uint64_t offset;      /* bytes of the stream consumed */
    uint64_t message_len; /* bytes of the current message received */
    uint64_t frames;      /* frames whose header is complete */
    uint64_t fragments;   /* frames of the current message, the present one included */
    uint64_t payload_len; /* of the current frame; in LENGTH, what has come of it */
    uint64_t payload_at;  /* bytes of it received */
    uint32_t text_in;     /* validator of the text message being received */
    uint32_t text_out;    /* validator of the text message being sent */
    hws_status error;     /* HWS_OK, or what ended receiving */
    uint16_t peer_code;   /* 0: no Close received */
    uint16_t own_code;    /* 0: no Close sent */

    uint8_t state;   /* enum hws__conn_state */
    uint8_t mask_in; /* the mask bit of received frames: HWS__MASK for a server, 0 for a client */
    uint8_t compression; /* HWS_FRAME_RSV1 or 0 */
    uint8_t close_sentence;
    uint8_t frame_events;
    uint8_t first;      /* who sent a Close first */
    uint8_t eof;        /* the stream has ended */
    uint8_t first_byte; /* of the current header */
    uint8_t len7;       /* of the current header */
    uint8_t have;       /* bytes of the length or the mask key received */
    uint8_t mask_key[4];
    uint8_t message_in;
    uint8_t message_out;    /* type of the message being sent, 0 for none */
    uint8_t compressed_out; /* that message is compressed */
    uint8_t message_flags;  /* for the next piece: HWS_FIRST until one came, HWS_COMPRESSED */
    uint8_t pong_owed;
    uint8_t pong_len;
    uint8_t control[HWS_CONTROL_MAX]; /* an arriving control payload; at the end the peer's Close */
    uint8_t pong[HWS_CONTROL_MAX];    /* the payload of the newest Ping */
    uint8_t control_len;              /* bytes of the peer's Close payload */
} hws__conn;

_Static_assert(sizeof(hws__conn) <= sizeof(hws_conn), "hws_conn has room for its content");

static inline hws__conn *hws__conn_of(hws_conn *conn) {
    return (hws__conn *)(void *)conn;
}

static inline const hws__conn *hws__conn_of_const(const hws_conn *conn) {
    return (const hws__conn *)(const void *)conn;
}

/* RFC 6455 5.1: a client's frames are masked, a server's are not. */
static inline uint8_t hws__is_client(const hws__conn *c) {
    return c->mask_in == 0;
}

/* Every failure goes through here. RFC 6455 7.1.7. */
static inline hws_status hws__conn_fail(hws__conn *c, hws_status status) {
    c->error = status;
    c->state = HWS__ENDED;
    return status;
}

/* Move n bytes of payload to dst, and unmask them (RFC 6455 5.3). */
static inline void hws__conn_move_binary(const hws__conn *c, uint8_t *dst, const uint8_t *src,
                                         size_t n, const uint8_t *key, uint32_t phase) {
    if (!hws__is_client(c)) {
        hws__mask(dst, src, n, key, phase);
    } else if (dst != src && n > 0) {
        memmove(dst, src, n);
    }
}

/* The same, and validate them (5.6). Returns n, or the index of the first byte that is not UTF-8.
 */
static inline size_t hws__conn_move_text(hws__conn *c, uint8_t *dst, const uint8_t *src, size_t n,
                                         const uint8_t *key, uint32_t phase) {
    static const uint8_t no_key[4] = {0, 0, 0, 0};

    if (hws__is_client(c) && dst == src) {
        return hws__utf8(&c->text_in, src, n);
    }
    return hws__mask_utf8(&c->text_in, dst, src, n, hws__is_client(c) ? no_key : key, phase);
}

/* Receive by the steps, whatever it is. Payload is written to dst, or where it lies when `buf` is
 * not NULL; it is src then. Results as hws_conn_receive(). */
hws_status hws__conn_steps(hws__conn *c, const uint8_t *src, uint8_t *buf, size_t len, size_t *used,
                           uint8_t *dst, size_t cap, hws_event *ev);

#endif
