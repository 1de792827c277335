/*
 * What a loop and its connections hold. loop*.c know this, nobody else does:
 *
 *   loop.c          the calls of loop.h: events out, one at a time
 *   loop_accept.c   listening sockets, and connections from them
 *   loop_connect.c  connections of clients
 *   loop_link.c     one connection: its socket, its filter, its endpoint
 *   loop_timer.c    a heap of deadlines
 *   loop_wait.c     epoll or poll()
 *
 * A turn is what is done with one connection at a time: its input is handed to its endpoint, whose
 * events go out one by one, then what is queued is written, and what to wait for is looked at. The
 * buffers of the loop belong to the connection whose turn it is; what it leaves over is spilled
 * into memory of its own. While it has that, nothing more is read for it.
 */
#ifndef HWS__LOOP_H
#define HWS__LOOP_H

#include <hawser/loop.h>

#include "socket.h"

#include <string.h>

enum {
    HWS__LISTENERS_MAX = 8,
    HWS__REFUSED_MAX = 64,    /* connections above the limit, to be told so */
    HWS__OUT_LEN = 65536,     /* bytes of a filter that are written in one go */
    HWS__EVENTS_MAX = 64,     /* that one wait yields */
    HWS__ACCEPT_MAX = 16,     /* connections accepted in one go */
    HWS__POSTED_MAX = 64,     /* items that came by post, before others have their turn */
    HWS__ACCEPT_WAIT_MS = 100 /* until the next try, when the system has no more */
};

#define HWS__NO_SLOT UINT32_MAX

/* What is waited for: a socket, and what for. */
enum hws__source_kind { HWS__SOURCE_LINK, HWS__SOURCE_LISTENER, HWS__SOURCE_POST };

typedef struct hws__source {
    int fd;        /* -1: closed */
    uint32_t slot; /* poll(): its place in the array */
    uint8_t kind;
    uint8_t interest; /* HWS__READABLE, HWS__WRITABLE: what the system was told; 0: nothing of it */
} hws__source;

/* Bytes with a start. */
typedef struct hws__spill {
    uint8_t *data; /* from the allocator, or NULL */
    size_t used;
    size_t len;
} hws__spill;

/* What few connections have, and most for a short time only. */
typedef struct hws__extra {
    const hws_filter *filter; /* NULL: none */
    void *state;              /* of the filter */
    hws__spill plain;         /* input that the endpoint has not taken */
    hws__spill raw;           /* input that the filter has not taken */
    hws__spill wire;          /* output that the socket has not taken */
    hws__address *addresses;  /* of a client that is connecting */
    size_t address_count;
    size_t address_next;
    hws_field *asked; /* of a client: its fields, and the texts of its URL behind them */
    hws_client_config client;
} hws__extra;

struct hws_link {
    hws_endpoint endpoint; /* the first: it leads back to the link */
    hws__source source;
    uint32_t timer; /* its place in the heap; HWS__NO_SLOT: none */
    uint64_t deadline_ms;
    struct hws__loop *loop;
    hws_link *before;
    hws_link *after;
    void *user;
    hws__extra *extra;
    int32_t system_error;
    uint8_t connecting;
    uint8_t shut;     /* writing is shut down */
    uint8_t accepted; /* from a listening socket */
    uint8_t refused;  /* above the limit: the application does not see it */
    uint8_t more;     /* the filter has more to give without bytes */
    uint8_t blocked;  /* the socket took no more */
};

/* One event of the system. */
typedef struct hws__happening {
    hws__source *source; /* NULL: gone meanwhile */
    uint8_t bits;
} hws__happening;

typedef struct hws__waiter {
    int epoll; /* -1: poll() */
    struct pollfd *set;
    hws__source **sources; /* of set */
    uint32_t count;        /* in set */
    uint32_t cap;
    uint32_t start; /* where to look first */
} hws__waiter;

typedef struct hws__loop {
    hws_loop_config config;
    hws_allocator allocator;
    hws_ready ready;
    hws__waiter waiter;
    hws__happening happenings[HWS__EVENTS_MAX];
    size_t happening; /* the next one */
    size_t happenings_len;
    uint32_t posted;  /* taken since the last wait */
    hws__source post; /* the end of the pipe that is read */
    int post_in;      /* and the other one */
    hws__source listening[HWS__LISTENERS_MAX];
    hws_listener *listeners; /* as many */
    uint32_t listener_count;
    hws_link *first;
    hws_link *last;
    hws_link **heap; /* of deadlines */
    uint32_t heap_len;
    uint32_t heap_cap;
    uint32_t count;          /* connections, without the refused ones */
    uint32_t accepted_count; /* of those, the ones that count for max_connections */
    uint32_t refused_count;
    uint64_t now_ms;
    uint64_t accept_ms;   /* no connections are accepted before; 0: they are */
    uint64_t shutdown_ms; /* the deadline of a shutdown */
    uint8_t shutting;
    int32_t system_error;
    char retry_after[11]; /* the configuration's number, as text */

    /* The turn. */
    hws_link *turn;
    uint8_t readable;      /* its socket may be read */
    uint8_t eof;           /* and is at its end */
    hws_link *over;        /* its HWS_END was handed out: freed by the next call */
    uint8_t *in;           /* what was read; with a filter, plain */
    uint8_t *raw;          /* with a filter, what was read */
    uint8_t *out;          /* with a filter, what is to be written */
    hws__spill plain_turn; /* in `in`, or spilled before */
    hws__spill raw_turn;
} hws__loop;

static inline hws__loop *hws__loop_of(const hws_loop *loop) {
    return loop->opaque;
}

static inline void *hws__loop_take(hws__loop *loop, size_t len) {
    return loop->allocator.alloc(loop->allocator.user, len);
}

/* memory may be NULL. */
static inline void hws__loop_give(hws__loop *loop, void *memory) {
    if (memory != NULL) {
        loop->allocator.release(loop->allocator.user, memory);
    }
}

/* loop_wait.c */
hws_status hws__waiter_init(hws__loop *loop);
void hws__waiter_release(hws__loop *loop);
/* Tell the system what to wait for. HWS_ERR_SYSTEM, HWS_ERR_MEMORY. */
hws_status hws__waiter_set(hws__loop *loop, hws__source *source, uint8_t interest);
/* Fill happenings. HWS_OK, also when there are none; HWS_ERR_SYSTEM. */
hws_status hws__waiter_wait(hws__loop *loop, int timeout_ms);
/* The source is going away. */
void hws__waiter_forget(hws__loop *loop, hws__source *source);
uint64_t hws__loop_clock(const hws__loop *loop);
hws_status hws__post_open(hws__loop *loop);
void hws__post_close(hws__loop *loop);
uint8_t hws__post_take(hws__loop *loop, void **posted);

/* loop_timer.c */
uint8_t hws__timer_room(hws__loop *loop);
void hws__timer_set(hws__loop *loop, hws_link *link, uint64_t deadline_ms);
void hws__timer_drop(hws__loop *loop, hws_link *link);

/* loop_accept.c */
void hws__accept_some(hws__loop *loop, const hws__source *listening);
void hws__accept_watch(hws__loop *loop, uint8_t on);
void hws__accept_close(hws__loop *loop);

/* loop_link.c */
/* A connection without a socket. HWS_ERR_MEMORY, HWS_ERR_ARGUMENT, what the filter says. */
hws_status hws__link_make(hws__loop *loop, const hws_endpoint_config *config,
                          const hws_filter *filter, hws_text host, hws_link **made);
void hws__link_free(hws_link *link);
hws__extra *hws__link_extra(hws_link *link);
/* Begin a turn; take its next event: 1, or 0 when the turn is over. */
void hws__turn_begin(hws_link *link, uint8_t readable);
uint8_t hws__turn_next(hws__loop *loop, hws_event *ev);

/* loop_connect.c */
/* The socket of a client that is connecting became writable: 1 when it is connected. */
uint8_t hws__connect_go_on(hws_link *link);

#endif
