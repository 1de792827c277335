/*
 * The inside of a hws_blocking, for blocking.c (receiving and ending), blocking_send.c,
 * blocking_open.c (opening, and HTTP), blocking_deflate.c (agreeing on compression),
 * blocking_filter.c (TLS) and blocking_trace.c. Knows of sockets what socket.h says.
 */
#ifndef HWS__BLOCKING_H
#define HWS__BLOCKING_H

#include <hawser/blocking.h>

#include "socket.h"

/* The life of a connection, in this order; all but OPEN and ENDING may be skipped. */
enum {
    HWS__PHASE_NONE,     /* not open so far, or released */
    HWS__PHASE_REQUEST,  /* server: the request has come, an answer is due */
    HWS__PHASE_RESPONSE, /* client: refused; the body of the response may be read */
    HWS__PHASE_OPEN,     /* frames */
    HWS__PHASE_ENDING,   /* nothing that comes matters any more: it is read and thrown away */
    HWS__PHASE_ENDED     /* the socket is closed */
};

/*
 * What stands between a connection and its socket: in[in_used … in_len) came from the wire and was
 * not taken by the filter, out[out_sent … out_len) was given by it and not taken by the socket.
 */
typedef struct hws__filtered {
    const hws_filter *wanted; /* of the configuration; NULL: none */
    const hws_filter *table;  /* in use; NULL: bytes go to the socket as they are */
    void *state;
    uint8_t *in;
    uint8_t *out;
    size_t cap; /* of each */
    size_t in_len;
    size_t in_used;
    size_t out_len;
    size_t out_sent;
    hws_status ended;  /* why nothing more is read; else HWS_OK */
    hws_status broken; /* why nothing more is written; else HWS_OK */
    uint8_t more;      /* 1: a read has something to tell, whatever the socket has */
    uint8_t owed;      /* 1: `out` has bytes, and the filter perhaps more */
    uint8_t starved;   /* 1: what is to be sent waits for bytes from the peer */
    uint8_t finished;  /* 1: close_notify was asked for */
    uint8_t cut;       /* 1: the stream ended without close_notify */
} hws__filtered;

/* For the trace: a received frame whose payload has not come, and what is written as it passes. */
typedef struct hws__traced {
    hws_trace tell;           /* NULL: nobody listens */
    hws_head_trace tell_head; /* likewise */
    void *user;
    uint64_t left; /* payload of `sent` to come */
    hws_frame received;
    hws_frame sent;
    uint8_t header[HWS_FRAME_HEADER_MAX];
    uint8_t header_len;
    uint8_t payload[HWS_CONTROL_MAX]; /* of a control frame that is sent */
    uint8_t payload_len;
    uint8_t waits;      /* 1: `received` is to be told with its payload */
    uint8_t in_message; /* 1: a message that is sent is unfinished */
    uint8_t open;       /* 1: what is written are frames */
} hws__traced;

/*
 * `in` is the first share of the memory: in[in_used … in_len) is read and not looked at. It is
 * refilled from its start when all of it is used. While a head is wanted, all of in[0 … in_len)
 * belongs to it.
 *
 * `out` is the last share: out[out_sent … out_len) is what the protocol owes and the socket has
 * not taken yet. Payload of the caller goes past it, but never before it.
 *
 * With compression `room` is between them. The list of extensions that is sent stands there while
 * the connection opens, then plain bytes of the last event. With a filter its two shares are
 * between them too.
 *
 * An event whose reply is not written yet is `held`: it is handed out when out is empty.
 */
typedef struct hws__blocking {
    hws_conn conn;
    hws_head head;
    hws_header headers[HWS_BLOCKING_MAX_FIELDS];
    hws_handshake handshake;
    hws_event event; /* while held */
    hws_deflate deflate;
    hws_deflate_options deflate_options;
    hws_deflate_params wanted; /* a server's policy, a client's first offer; enabled 0: no
                                  compression */
    hws_deflate_params agreed; /* enabled 0: none */
    hws_conn_config conn_config;
    uint8_t *in;
    uint8_t *room;
    uint8_t *out;
    size_t in_cap;
    size_t in_len;
    size_t in_used;
    size_t room_cap;
    size_t out_cap;
    size_t out_len;
    size_t out_sent;
    uint64_t body_left;     /* RESPONSE: bytes of the body to come, UINT64_MAX: to the end */
    int64_t reply_deadline; /* OPEN: when `out` has to be written; HWS__NOW: it is empty */
    int64_t end_deadline;   /* ENDING: when patience ends; HWS__NOW: not set so far */
    intptr_t socket;        /* -1: closed */
    int32_t open_timeout_ms;
    int32_t close_timeout_ms;
    hws_random random;
    void *random_user;
    hws_span subprotocol;   /* in the head */
    int32_t system_error;   /* errno and the like */
    hws_status result;      /* ENDING, ENDED: how it ended, for receive */
    hws_status send_status; /* a failed send, sticky; else HWS_OK */
    uint32_t text_state;    /* client: the validator at the end of the last piece of text sent */
    uint8_t text_checked;   /* client: the message being sent is text that is validated */
    uint8_t made;           /* 1: there may be a socket; 0 in memory that holds zeros alone */
    uint8_t role;
    uint8_t phase;
    uint8_t gather;    /* 1: messages may wait in `out` while `in` has more to look at */
    uint8_t held;      /* 1: `event` waits */
    uint8_t discard;   /* 1: events are of no interest, close() waits for the end alone */
    uint8_t shut;      /* 1: writing is shut down */
    uint8_t shut_when; /* ENDING: HWS__SHUT_… */
    uint8_t eof;       /* ENDING: 1: the peer has ended his side */
    hws__filtered filter;
    hws__traced trace;
} hws__blocking;

/* Who ends the TCP connection. */
enum {
    HWS__SHUT_BY_CONN, /* as hws_conn_socket() says (RFC 6455 7.1.1) */
    HWS__SHUT_ALWAYS   /* we do: after an HTTP response */
};

_Static_assert(sizeof(hws__blocking) <= sizeof(hws_blocking), "room for a connection");

static inline hws__blocking *hws__blocking_of(hws_blocking *ws) {
    return (hws__blocking *)ws->opaque;
}

static inline const hws__blocking *hws__blocking_of_const(const hws_blocking *ws) {
    return (const hws__blocking *)ws->opaque;
}

/* The filter's face of one read, one write and one wait of socket.h. A read that gave nothing out
 * of what came is HWS_NEED_MORE too. A write of nothing writes what the filter owes. A wait adds
 * what the filter needs. */
hws_status hws__filter_read(hws__blocking *b, uint8_t *dst, size_t cap, size_t *n);
hws_status hws__filter_write(hws__blocking *b, const hws_buffer pieces[2], size_t *n);
hws_status hws__filter_wait(hws__blocking *b, uint8_t interest, int64_t deadline, uint8_t *ready);

/* Start the filter of the configuration; host is that of a client's URL. */
hws_status hws__filter_begin(hws__blocking *b, hws_text host);

/* Opening: read for a write that waits for the peer. What is plain in it comes to `in`. */
hws_status hws__filter_listen(hws__blocking *b);

/* Put a header and what fits of its payload together in `out`, which is empty. */
void hws__filter_join(hws__blocking *b, hws_buffer pieces[2]);

/* Say that no more will be sent; it may be owed after that. */
void hws__filter_finish(hws__blocking *b);

/* The same as far as it goes at once, and let go of the filter. */
void hws__filter_end(hws__blocking *b);

/* Tell of what the last call into conn gave. 1: it was the header of a frame, for nobody else. */
uint8_t hws__trace_received(hws__blocking *b, hws_status status);

/* Tell of the head that is in `out`, behind out_sent. */
void hws__trace_head_sent(const hws__blocking *b);

/* One write, by the filter where there is one, and tell of the frames in what was written. */
hws_status hws__trace_write(hws__blocking *b, const hws_buffer pieces[2], size_t *n);

/* One write; at least one byte is to be written, or owed by the filter. */
static inline hws_status hws__blocking_put(hws__blocking *b, const hws_buffer pieces[2],
                                           size_t *n) {
    return b->trace.tell == NULL && b->filter.table == NULL
               ? hws__socket_write(b->socket, pieces, 2, n, &b->system_error)
               : hws__trace_write(b, pieces, n);
}

static inline hws_status hws__blocking_wait(hws__blocking *b, uint8_t interest, int64_t deadline,
                                            uint8_t *ready) {
    return b->filter.table == NULL
               ? hws__socket_wait(b->socket, interest, deadline, ready, &b->system_error)
               : hws__filter_wait(b, interest, deadline, ready);
}

/* Whether something is to be written. Without filter that is in `out` alone. */
static inline uint8_t hws__blocking_owes(const hws__blocking *b) {
    return (b->out_len | b->filter.owed) != 0;
}

/* One read into `in` from in_len on: HWS_OK, HWS_NEED_MORE, or why there will be no more. */
hws_status hws__blocking_read(hws__blocking *b);

/* One read into an empty `in`; in ENDING it is thrown away. The end of the stream is taken note of.
 */
hws_status hws__blocking_fill(hws__blocking *b);

/* Write two pieces, all of them, by the deadline. What comes meanwhile is thrown away in ENDING,
 * else left where it is. */
hws_status hws__blocking_write(hws__blocking *b, hws_buffer pieces[2], int64_t deadline);

/* Bytes of a message that is gathered: to copy a longer one costs as much as to write it. */
enum { HWS__GATHER_MAX = 4096 };

/* Whether a message of `len` bytes can wait in `out`: with gather, while there is room for it and
 * for what may be owed. */
static inline uint8_t hws__blocking_gathers(const hws__blocking *b, size_t len) {
    return b->gather && b->phase == HWS__PHASE_OPEN && b->role == HWS_ROLE_SERVER &&
           b->send_status == HWS_OK && len <= HWS__GATHER_MAX &&
           b->out_cap - b->out_len >= HWS_REPLY_MAX + HWS_FRAME_HEADER_MAX + len;
}

/* Write what is in `out`. */
hws_status hws__blocking_flush(hws__blocking *b, int64_t deadline);

/* Close the socket now; receive returns `result` from here on. */
void hws__blocking_end(hws__blocking *b, hws_status result);

/* Take what the configuration says of compression, and a third of the memory for it. HWS_OK, or
 * HWS_ERR_ARGUMENT. */
hws_status hws__blocking_plan_deflate(hws__blocking *b, const hws_blocking_config *config);

/* Client: put the offers of the configuration behind the extensions of the caller, where they live
 * until the response is verified. */
hws_status hws__blocking_offer_deflate(hws__blocking *b, const hws_blocking_config *config,
                                       hws_text *extensions);

/* Client: judge the response to these offers, and be ready for frames. */
hws_status hws__blocking_verify_deflate(hws__blocking *b, const hws_blocking_config *config);

/* Server: be ready for frames, and put the answer behind the extensions of the caller, where they
 * live until the first frame. */
hws_status hws__blocking_accept_deflate(hws__blocking *b, hws_text *extensions);

/* End the connection after an HTTP response: write what is in `out`, shut down, drain, close.
 * Returns `result`. */
hws_status hws__blocking_hang_up(hws__blocking *b, hws_status result);

#endif
