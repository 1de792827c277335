/*
 * What a hws_endpoint holds. endpoint*.c know this, nobody else does:
 *
 *   endpoint.c          its life, and what can be asked
 *   endpoint_open.c     the answers of a server, and the start of frames
 *   endpoint_head.c     heads that arrive, and a client's request
 *   endpoint_receive.c  bytes in, events out
 *   endpoint_send.c     messages into the queue
 *   endpoint_output.c   the queue, replies, and what to do with the socket
 *   endpoint_time.c     deadlines
 *
 * Invariants:
 * - conn, deflate and agreed mean something from OPEN on only; opening is not NULL in WAITS, while
 *   a head is arriving, and in a client until HWS_OPEN or the end.
 * - What the protocol owes stays in conn until it is in the queue: a lack of memory loses nothing.
 * - Whether the connection is over, what to do with the socket, whether a Close is out, is computed
 *   from phase, conn and queue when it is asked.
 * - pressed: the queue was at high_water and has not been below low_water since. told: the
 * application was told so, or was refused, and is owed a HWS_DRAIN.
 */
#ifndef HWS__ENDPOINT_H
#define HWS__ENDPOINT_H

#include <hawser/endpoint.h>

#include "queue.h"

enum hws__phase {
    HWS__HEAD,     /* a head is expected; a client's request may not be queued yet */
    HWS__WAITS,    /* server: a request waits for its answer */
    HWS__OPEN,     /* frames, to the end */
    HWS__ANSWERED, /* server: an HTTP response goes out, and that is all */
    HWS__OVER      /* nothing goes in or out */
};

/* Held during the opening handshake alone. Headers lie behind it. */
typedef struct hws__opening {
    hws_head head;
    hws_handshake handshake; /* server */
    hws_client_config client;
    hws_key key;
    hws_accepted accepted;
    uint8_t *buf;        /* the bytes of the head */
    uint32_t len;        /* of them */
    uint32_t cap;        /* room in buf */
    uint8_t *extensions; /* client: what is offered; NULL: what client has */
    uint8_t complete;    /* the head is */
} hws__opening;

/* A head of ours that is being written: see hws__head_room(). */
typedef struct hws__head_draft {
    hws__block *draft;
    uint8_t *room;
    size_t cap; /* of room */
    size_t n;   /* bytes in room */
    size_t head_len;
    size_t body_len; /* to be set: room behind the head */
} hws__head_draft;

typedef struct hws__endpoint {
    hws_conn conn;
    hws_keepalive keepalive;
    hws__queue queue;
    hws_message message; /* what is being put together, or the room for plain pieces */
    hws_rate message_rate;
    hws_rate byte_rate;
    const hws_endpoint_config *config;
    hws__opening *opening;
    hws_deflate *deflate; /* NULL: no compression was agreed */
    struct hws__endpoint *ready_before;
    struct hws__endpoint *ready_after;
    uint64_t now;
    uint64_t frames_counted; /* of conn's frames, those that are in the counters */
    uint64_t ping_left;      /* bytes that go out before the keepalive's Ping is out; 0: it is */
    uint8_t ping[HWS_KEEPALIVE_PING_LEN];
    hws_status status; /* HWS_OK, or what ended it outside conn */
    hws_deflate_params agreed;
    uint8_t phase; /* enum hws__phase */
    uint8_t ping_due;
    uint8_t paused;
    uint8_t streaming; /* as asked for */
    uint8_t streams;   /* the current message comes in pieces */
    uint8_t lent;      /* the last event's data lies in message */
    uint8_t pressed;
    uint8_t told;
    uint8_t open_due; /* HWS_OPEN is to be handed out */
    uint8_t ended;    /* HWS_END was */
    uint8_t eof;      /* the peer's stream has ended */
    uint8_t is_ready; /* on the list */
    uint8_t was_open;
    uint8_t trimmed; /* compression holds nothing that it could give back */
} hws__endpoint;

_Static_assert(sizeof(hws__endpoint) <= sizeof(hws_endpoint), "hws_endpoint has room");

static inline hws__endpoint *hws__endpoint_of(hws_endpoint *endpoint) {
    return (hws__endpoint *)(void *)endpoint;
}

static inline const hws__endpoint *hws__endpoint_of_const(const hws_endpoint *endpoint) {
    return (const hws__endpoint *)(const void *)endpoint;
}

static inline void *hws__take(const hws__endpoint *e, size_t len) {
    return e->config->allocator.alloc(e->config->allocator.user, len);
}

/* memory may be NULL. */
static inline void hws__give_back(const hws__endpoint *e, void *memory) {
    if (memory != NULL) {
        e->config->allocator.release(e->config->allocator.user, memory);
    }
}

/* A client that has not sent a request: nothing is received before that. */
static inline uint8_t hws__is_unasked(const hws__endpoint *e) {
    return e->config->role == HWS_ROLE_CLIENT && e->phase == HWS__HEAD && e->opening == NULL;
}

/* Offers of a client; a server has one policy. */
static inline uint32_t hws__offer_count(const hws_endpoint_config *config) {
    return config->role == HWS_ROLE_CLIENT && config->deflate_count > 0 ? config->deflate_count : 1;
}

/* A message, or a piece of one, was received or sent. */
static inline void hws__endpoint_note_message(hws__endpoint *e) {
    hws_keepalive_message(&e->keepalive);
    e->trimmed = 0;
}

/* endpoint.c */
void hws__endpoint_ready(hws__endpoint *e);
void hws__endpoint_drop_message(hws__endpoint *e);

/* endpoint_open.c */
hws_status hws__endpoint_start(hws__endpoint *e, const hws_deflate_params *agreed);
void hws__endpoint_drop_opening(hws__endpoint *e);
hws__opening *hws__endpoint_begin(hws__endpoint *e);
uint8_t hws__endpoint_deflates(const hws__endpoint *e);
uint8_t *hws__endpoint_begin_list(const hws__endpoint *e, hws_text own, uint32_t count, size_t *cap,
                                  size_t *n);
hws_status hws__head_room(const hws__endpoint *e, hws__head_draft *d, hws_status status);
hws_status hws__endpoint_respond(hws__endpoint *e, uint16_t status, const hws_field *fields,
                                 size_t count, const uint8_t *body, size_t body_len);
void hws__endpoint_answer(hws__endpoint *e, hws_status status);

/* endpoint_head.c */
void hws__endpoint_receive_head(hws__endpoint *e, const uint8_t *buf, size_t len, size_t *used);

/* endpoint_output.c */
void hws__endpoint_replies(hws__endpoint *e, uint8_t at_output);
hws_status hws__endpoint_send_control(hws__endpoint *e, uint8_t type, uint8_t flags,
                                      const uint8_t *data, size_t len);
void hws__endpoint_queued(hws__endpoint *e, const uint8_t *frames, size_t len);
void hws__endpoint_settle(hws__endpoint *e);
uint8_t hws__endpoint_is_over(const hws__endpoint *e);
uint8_t hws__endpoint_stands(const hws__endpoint *e);
void hws__endpoint_abort(hws__endpoint *e, hws_status status);

/* endpoint_send.c */
void hws__endpoint_fail(hws__endpoint *e, hws_status status);
void hws__endpoint_leave(hws__endpoint *e, hws_status status);

#endif
