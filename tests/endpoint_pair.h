/*
 * What the tests of endpoints share: an endpoint with memory that is counted and can fail, with
 * input in blocks of exact length, and with everything that happens written down as a line of text;
 * and two of them with a wire between, which cuts, delays and breaks.
 *
 * Events, and frames that were sent, are written in one form:
 *
 *     TEXT(abc)       a message in one piece, or a frame with FIN; BINARY, PING, PONG likewise
 *     TEXT<(ab)       the first piece or frame of several
 *     TEXT-(b)        one in the middle; as a frame CONT-(b)
 *     TEXT>(c)        the last; as a frame CONT>(c)
 *     CLOSE 1000(bye) a Close; as a frame without code CLOSE 0()
 *     BINARY{70000}   payload of more than 48 bytes is told by its length
 *     REQUEST OPEN DRAIN RELEASED{5} END 1000(bye)
 *     HTTP 404(body)  a response that was sent; GET a request
 *     *TEXT(..)       RSV1: a compressed frame, whose payload is not shown
 */
#ifndef HWS_TESTS_ENDPOINT_PAIR_H
#define HWS_TESTS_ENDPOINT_PAIR_H

#include "support.h"

#include <hawser/endpoint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SERVER = HWS_ROLE_SERVER,
    CLIENT = HWS_ROLE_CLIENT,
    LOG_CAP = 8192,
    START_MS = 1000000 /* where the clock of a side starts */
};

/* Memory that is counted, and can fail. What it hands out holds garbage. */
typedef struct counted {
    size_t blocks;     /* that are out */
    size_t bytes;      /* in them */
    size_t most;       /* bytes that were out at one time */
    size_t largest;    /* bytes of the largest block so far */
    unsigned taken;    /* blocks since the start */
    unsigned fail_at;  /* the next block that is not there, counted from 1; 0: none */
    unsigned fail_all; /* 1: and all after it */
    unsigned failures; /* since the start */
} counted;
hws_allocator counted_allocator(counted *memory);

/* One endpoint and its surroundings. */
typedef struct side {
    hws_endpoint ep;
    hws_endpoint_config config;
    hws_client_config client;
    hws_accept_config accept;
    hws_deflate_params params;
    hws_deflate_options options;
    hws_counters counters;
    hws_ready ready;
    counted memory;
    test_random random;
    uint64_t now_ms;
    uint8_t *in;    /* what was read: a block of exactly in_len bytes */
    size_t in_len;  /* bytes in it */
    size_t used;    /* of them */
    unsigned ended; /* how often HWS_END came */
    unsigned limit; /* events at which side_receive() stops; 0: none */
    void (*on_event)(struct side *s, const hws_event *ev); /* what the application does; or NULL */
    void *user;                                            /* for on_event */
    char events[LOG_CAP];
    size_t events_len;
    uint8_t wire[1 << 17]; /* bytes that were sent and not looked at */
    size_t wire_len;
    char frames[LOG_CAP];
    size_t frames_len;
} side;

/* --- one side ----------------------------------------------------------------------------------
 */

/* Fill everything with defaults, so that the configuration can be changed; nothing is started. */
side *side_new(uint8_t role);

/* hws_endpoint_init(), in memory that holds garbage. */
void side_start(side *s);

/* The same, and all of the opening handshake. Log and wire are empty after it. */
void side_open(side *s);

/* side_new() and side_open(). */
side *side_open_new(uint8_t role);

/* Release, see that no memory is lost, and that releasing twice does no harm. */
void side_free(side *s);

/* zlib's codec, or NULL where it was not built. */
const hws_codec *test_codec(void);

/* Set up compression with a preset, to be agreed in the handshake. */
void side_deflate(side *s, uint8_t preset);

/* What was read from the socket: behind what was not consumed so far. Then side_receive(). */
void side_read(side *s, const void *data, size_t len);

/* The same from text, from hex, and from frames in plain form (first byte and payload), which are
 * masked when a server reads them. */
void side_read_text(side *s, const char *text);
void side_read_hex(side *s, const char *hex);
void side_read_frame(side *s, uint8_t first_byte, const void *payload, size_t len);
void side_read_message(side *s, const char *text);

/* Append such a frame to bytes; gives the new length. */
size_t frame_append(uint8_t to_role, uint8_t first_byte, const void *payload, size_t len,
                    uint8_t *out, size_t n);

/* Take all events that are there, and write them down. */
void side_receive(side *s);

/* Let time pass, tick, and receive. */
void side_pass(side *s, uint64_t ms);

/* Take output and acknowledge it: all, or at most so many bytes. Gives the bytes. */
size_t side_write(side *s, size_t most);

/* Compare what happened since the last time with what should have. */
void side_expect_events(side *s, const char *events, const char *file, int line);
#define expect_events(s, text) side_expect_events(s, text, __FILE__, __LINE__)

/* The frames of what was written, into LOG_CAP bytes. */
void side_take_frames(side *s, char *frames);

/* Write all, and compare the frames of it. */
void side_expect_output(side *s, const char *frames, const char *file, int line);
#define expect_output(s, text) side_expect_output(s, text, __FILE__, __LINE__)

/* It is over: HWS_END came, wants() and all that follow from it. */
void side_expect_end(side *s, hws_status status, const char *file, int line);
#define expect_end(s, status) side_expect_end(s, status, __FILE__, __LINE__)

/* Bring it to its end, by the end of the peer's stream if need be, and free it. */
static inline void side_finish(side *s, hws_status status, const char *file, int line) {
    side_write(s, SIZE_MAX);
    side_receive(s);
    if (!s->ended) {
        hws_endpoint_receive_eof(&s->ep);
        side_receive(s);
    }
    side_expect_end(s, status, file, line);
    side_free(s);
}
#define finish(s, status) side_finish(s, status, __FILE__, __LINE__)

static inline void finish_by_abort(side *s) {
    (void)hws_endpoint_abort(&s->ep, HWS_ERR_CLOSED);
    side_receive(s);
    expect_end(s, HWS_ERR_CLOSED);
    side_free(s);
}

hws_status side_send_text(side *s, const char *text);
hws_status side_send(side *s, const void *data, size_t len);

/* on_event: accept what asks, and send each message back. */
void side_echo(side *s, const hws_event *ev);

/* A request and a response that are right, and the answer that a key needs. */
extern const char request_text[];
size_t response_for(const uint8_t *request, size_t len, const char *more, char *out, size_t cap);

/* A connection's Close, as it stands. */
hws_closing side_closing(const side *s);

/* --- two sides and a wire ----------------------------------------------------------------------
 */

/* One direction. */
typedef struct wire {
    uint8_t *bytes; /* that were written and not read */
    size_t len;
    size_t cap;
    unsigned ended; /* 1: the writer has shut down */
    unsigned read;  /* 1: the reader was told so */
} wire;

/* What was handed out by output() and is being written. */
typedef struct handed {
    hws_buffer buffers[8];
    uint8_t *copy; /* of all of it, as it was when it was handed out */
    size_t count;
    size_t len;
} handed;

typedef struct pair {
    side *sides[2];
    wire to[2]; /* by the role of the reader */
    handed out[2];
    uint64_t seed;
    unsigned broken; /* 1: the connection was reset */
} pair;

void pair_init(pair *p, uint64_t seed);
void pair_free(pair *p);

/* A number below a limit. */
size_t pair_random(pair *p, size_t below);

/* Steps of the wire; each does nothing when there is nothing to do. Gives 1 when it did something.
 */
int pair_hand_out(pair *p, uint8_t role);             /* output() into at most 8 buffers */
int pair_write(pair *p, uint8_t role, size_t most);   /* some of what was handed out, sent() */
int pair_deliver(pair *p, uint8_t role, size_t most); /* read, next() */
int pair_end(pair *p, uint8_t role);                  /* shut down and close as wants() says */
void pair_break(pair *p);                             /* reset: both sides abort */
void pair_pass(pair *p, uint64_t ms);                 /* both clocks */

/* All steps in turn until nothing moves any more. */
void pair_settle(pair *p);

#endif
