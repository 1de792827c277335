/*
 * What the files of the libuv adapter share: a hub, its connections, and who calls whom.
 *
 *     uv.c          the hub: opening, closing, posts, and the turn of the loop
 *     uv_listen.c   sockets that are accepted
 *     uv_connect.c  sockets that are connected
 *     uv_link.c     one connection: its events, its time, its end
 *     uv_stream.c   the bytes of one connection, through a filter or not
 */
#ifndef HWS__UV_HUB_H
#define HWS__UV_HUB_H

/* The header of libuv needs more of the system's than C11 alone shows. */
#if !defined(_WIN32) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#include <hawser/uv.h>

#include <uv.h>

enum {
    HWS__UV_PROBE = 64,        /* bytes: see hws__uv_flush() */
    HWS__UV_WIRE = 32768,      /* bytes of a filter's output at a time: above a record of TLS */
    HWS__UV_MAX_REFUSALS = 64, /* connections that are being answered 503, beside the others */
    HWS__UV_BUFFERS = 16       /* parts of output that are written by one call */
};

/* A place in a circular list. A list is one that stands for no object. */
typedef struct hws__uv_link {
    struct hws__uv_link *prev;
    struct hws__uv_link *next;
} hws__uv_link;

/* Bytes that were read and could not be used so far: data[used], …, data[len - 1]. */
typedef struct hws__uv_piece {
    uint8_t *data; /* NULL: none */
    size_t used;
    size_t len;
} hws__uv_piece;

/* A client that is not connected, and the texts of its handshake. */
typedef struct hws__uv_dial {
    uv_getaddrinfo_t resolve;
    uv_connect_t connect;
    struct addrinfo *addresses; /* what libuv is to have back */
    struct addrinfo *next;      /* the one to try next */
    uint64_t deadline;          /* of the address that is being tried */
    hws_client_config ask;      /* its texts and fields stand behind this struct */
} hws__uv_dial;

struct hws_uv {
    hws_endpoint endpoint; /* first: the one is found by the other */
    hws_uv_hub *hub;
    void *user;
    hws__uv_link all;     /* in hub->all */
    hws__uv_link touched; /* in hub->touched; prev is NULL when it is not */
    uv_stream_t *stream;  /* NULL until connected, and when over: &tcp, or the program's */
    hws_uv_on_stream_closed closed; /* of a stream that is the program's */
    const hws_filter *filter;       /* NULL: none */
    void *filter_state;
    hws__uv_dial *dial;  /* NULL when connected, and for servers */
    hws__uv_piece plain; /* for the endpoint */
    hws__uv_piece wire;  /* for the filter, behind `plain` */
    uint8_t *lent;       /* the buffer that libuv reads into; NULL: none */
    uint8_t *writing;    /* what libuv is writing: `probe`, or memory of its own; NULL: nothing */
    size_t owed;         /* bytes of the endpoint's output that `writing` stands for */
    uint64_t due;        /* when `timer` goes off */
    uint32_t refs;       /* handles and requests that libuv has; the last one frees */
    int32_t error;       /* of libuv; 0: none */
    uint8_t role;
    uint8_t refusing;   /* above the limit: answered 503, and unknown to the program */
    uint8_t over;       /* HWS_END was handed out */
    uint8_t reading;    /* uv_read_start() counts */
    uint8_t eof;        /* no more can be read */
    uint8_t waiting;    /* the filter has more to give than could be taken */
    uint8_t shut;       /* uv_shutdown() was called */
    uint8_t attempting; /* `tcp` is being connected, or closed after that failed */
    uint8_t probe[HWS__UV_PROBE];
    uv_timer_t timer;
    uv_write_t write;
    uv_shutdown_t shutdown;
    uv_tcp_t tcp;
};

typedef struct hws__uv_listener {
    uv_tcp_t tcp;
    uint8_t used;  /* `tcp` is a handle */
    uint8_t stuck; /* a connection waits for `spare` */
} hws__uv_listener;

struct hws_uv_hub {
    uv_loop_t *loop;
    hws_uv_config config;
    hws_ready ready;      /* endpoints that something happened to */
    hws__uv_link all;     /* all connections that are not over */
    hws__uv_link touched; /* those to be settled in this turn of the loop */
    uint32_t touched_count;
    uint32_t count;    /* connections in `all`, without those being refused */
    uint32_t accepted; /* those of them that are servers */
    uint32_t refusals; /* connections in `all` that are being refused */
    uint32_t alive;    /* connections whose memory is not free so far */
    uint32_t handles;  /* handles of the hub itself that are open */
    int32_t error;
    uint8_t closing; /* hws_uv_hub_close() was called */
    uint8_t torn;    /* its handles are being closed */
    uint8_t in_lent; /* `in` is with libuv */
    uint8_t spare_used;
    uint8_t *in;    /* config.buffer_len bytes to read into */
    uint8_t *plain; /* as many, for what a filter makes of them; NULL without filter */
    uint8_t *wire;  /* HWS__UV_WIRE bytes, for a filter's output; likewise */
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    uv_timer_t timer; /* deadline of closing */
    uv_async_t async;
    uv_tcp_t spare; /* takes a connection that there is no memory for, to close it */
    hws__uv_listener listeners[HWS_UV_MAX_LISTENERS];
    char retry_after[12];
    uv_mutex_t mutex;      /* of what follows */
    void **posted;         /* a ring of config.max_posted */
    uint32_t posted_first; /* index */
    uint32_t posted_count;
    uint8_t posted_closed; /* no more is taken */
};

/* Memory of a hub and its connections. */
void *hws__uv_alloc(const hws_uv_hub *hub, size_t len);
void hws__uv_release(const hws_uv_hub *hub, void *memory); /* NULL does nothing */

void hws__uv_list_add(hws__uv_link *list, hws__uv_link *link); /* at the end */
void hws__uv_list_remove(hws__uv_link *link);

/* --- uv.c --------------------------------------------------------------------------------------
 */

/* A handle of the hub itself was closed. */
void hws__uv_hub_handle_closed(uv_handle_t *handle);
/* Something has ended: perhaps it was the last that the hub waited for. */
void hws__uv_hub_look(hws_uv_hub *hub);
/* Have a connection settled before the loop waits. */
void hws__uv_touch(hws_uv *ws);

/* --- uv_listen.c -------------------------------------------------------------------------------
 */

void hws__uv_listeners_close(hws_uv_hub *hub);

/* --- uv_connect.c ------------------------------------------------------------------------------
 */

void hws__uv_dial_free(hws_uv *ws);
/* Give up what is under way. */
void hws__uv_dial_cancel(hws_uv *ws);
/* The time of the address that is being tried is over, perhaps. */
void hws__uv_dial_tick(hws_uv *ws);

/* --- uv_link.c ---------------------------------------------------------------------------------
 */

/* Make a connection without stream. `host` is that of the URL, empty for servers. */
hws_status hws__uv_make(hws_uv_hub *hub, uint8_t role, const hws_filter *filter, hws_text host,
                        hws_uv **made);
/* Take back what make() made, before anybody has seen it. */
void hws__uv_unmake(hws_uv *ws);
/* It has a stream: make it known. Of the hub's count, or of its refusals. */
void hws__uv_enter(hws_uv *ws);
/* Hand out events until there are none, from these bytes or from none (NULL). */
void hws__uv_hand_out(hws_uv *ws, uint8_t *buf, size_t len, size_t *used);
/* See to a connection to which something happened: events, output, what to wait for. */
void hws__uv_settle(hws_uv *ws);
/* After input: the same, but small output waits for the end of the turn. */
void hws__uv_settle_input(hws_uv *ws);
/* libuv has one handle or request less of it. */
void hws__uv_unref(hws_uv *ws);
/* End it for an error of libuv. HWS_END follows. */
void hws__uv_fail(hws_uv *ws, int error);

/* --- uv_stream.c -------------------------------------------------------------------------------
 */

/* Go on with bytes that were kept. */
void hws__uv_take_kept(hws_uv *ws);
/* Read or do not. */
void hws__uv_read(hws_uv *ws, uint8_t wanted);
/* Write what there is. What that leads to, HWS_DRAIN for example, is an event of the next turn. */
void hws__uv_flush(hws_uv *ws);
void hws__uv_shut(hws_uv *ws);
/* The endpoint is over: what is being written is none of its output any more. */
void hws__uv_let_go(hws_uv *ws);
/* Let go of what was kept. */
void hws__uv_drop_kept(hws_uv *ws);
/* For uv_close() of a stream whose connection is over. */
void hws__uv_stream_closed(uv_handle_t *handle);

#endif
