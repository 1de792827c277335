/* One endpoint of fuzz_cuts.c, and what is known of it from outside. */
#ifndef HWS_FUZZ_ENDPOINT_WORLD_H
#define HWS_FUZZ_ENDPOINT_WORLD_H

#include "endpoint.h"

#include <hawser/deflate_zlib.h>

enum { MAX_REFS = 32, SMALL_MAX_QUEUE = 2048, LATE_MS = 100000 };

/* Options: how it is set up. */
enum {
    IS_CLIENT = 1,
    STREAMS = 2,
    RECEIVES_ALWAYS = 4,
    TRACES = 8,
    COMPRESSES = 16,
    ECHOES = 32,
    SMALL_MARKS = 64,
    STARTS_OPEN = 128
};

/* Options: what is limited. */
enum {
    RANDOM_FAILS = 1,
    MESSAGE_RATE = 2,
    BYTE_RATE = 4,
    SMALL_MESSAGES = 8,
    SMALL_HEADS = 16,
    NO_MAX_QUEUE = 32,
    BARE = 64,
    RELEASED_EARLY = 128
};

/* A buffer that was given to send_ref(). */
typedef struct lent {
    uint8_t *data;
    size_t len;
} lent;

typedef struct world {
    hws_endpoint ep;
    hws_endpoint_config config;
    hws_deflate_params deflate;
    hws_deflate_options options;
    hws_counters counters;
    hws_ready ready;
    hws_client_config client;
    counting memory;
    random_state random;
    bytes input;    /* came from the peer, not consumed */
    bytes wire;     /* was written */
    bytes log;      /* events, messages put together */
    bytes message;  /* pieces of the one that is arriving */
    bytes expected; /* data that may be found on the wire */
    output out;
    lent refs[MAX_REFS];
    size_t ref_count; /* not released */
    uint64_t now;
    size_t chunk;
    uint8_t setup;
    uint8_t told;       /* a HWS_DRAIN may come */
    uint8_t ended;      /* HWS_END came */
    uint8_t cut;        /* output may have been dropped */
    uint8_t streamed;   /* at some time */
    uint8_t unfinished; /* a message is out in part */
} world;

static inline uint8_t same(const bytes *a, const bytes *b) {
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* Write a piece of a message down, in a form that both sides of the wire come to. */
static inline void put_piece(bytes *b, uint8_t type, uint8_t flags, const void *data, size_t len) {
    if ((flags & HWS_FIRST) != 0) {
        put_byte(b, type);
    }
    put(b, data, len);
    if ((flags & HWS_FINAL) != 0) {
        put_byte(b, '.');
    }
}

/* Touches what it is told. */
static void world_trace(void *user, const void *who, uint8_t sent, const hws_frame *frame,
                        const uint8_t *payload) {
    uint64_t i = 0;
    unsigned sum = sent;

    CHECK(who == user);
    while (payload != NULL && i < frame->payload_len) {
        sum += payload[i];
        i++;
    }
    CHECK(payload == NULL || frame->payload_len <= HWS_CONTROL_MAX);
    CHECK(sum < UINT32_MAX);
}

static void set_limits(world *w, uint8_t limits) {
    hws_endpoint_config *c = &w->config;

    if ((limits & RANDOM_FAILS) != 0) {
        w->random.left = 3;
    }
    if ((limits & MESSAGE_RATE) != 0) {
        c->message_rate.per_second = 2;
    }
    if ((limits & BYTE_RATE) != 0) {
        c->byte_rate.per_second = 100;
    }
    if ((limits & SMALL_MESSAGES) != 0) {
        c->max_message = 2000;
    }
    if ((limits & SMALL_HEADS) != 0) {
        c->max_head = 256;
        c->max_line = 128;
    }
    if ((limits & NO_MAX_QUEUE) != 0) {
        c->max_queue = UINT64_MAX;
    }
    if ((limits & BARE) != 0) {
        c->counters = NULL;
        c->ready = NULL;
        c->random = c->role == HWS_ROLE_CLIENT ? c->random : NULL;
    }
}

static void set_up(world *w, uint8_t setup, uint8_t limits) {
    hws_endpoint_config *c = &w->config;

    w->setup = setup;
    hws_endpoint_config_init(c, (setup & IS_CLIENT) != 0 ? HWS_ROLE_CLIENT : HWS_ROLE_SERVER);
    c->streaming = w->streamed = (setup & STREAMS) != 0;
    c->hold_input = (setup & RECEIVES_ALWAYS) == 0;
    c->close_sentence = 1;
    c->keepalive.idle_timeout_ms = 60000;
    c->allocator = counting_allocator(&w->memory);
    c->random = endpoint_random;
    c->random_user = &w->random;
    c->counters = &w->counters;
    c->ready = &w->ready;
    if ((setup & TRACES) != 0) {
        c->trace = world_trace;
        c->trace_user = &w->ep;
    }
    if ((setup & COMPRESSES) != 0) {
        hws_deflate_params_init(&w->deflate, HWS_DEFLATE_BALANCED);
        hws_deflate_options_init(&w->options, c->role, HWS_DEFLATE_BALANCED);
        w->options.codec = hws_codec_zlib();
        c->deflate = &w->deflate;
        c->deflate_options = &w->options;
    }
    if ((setup & SMALL_MARKS) != 0) {
        c->high_water = 600;
        c->low_water = 300;
        c->max_queue = SMALL_MAX_QUEUE;
    }
    set_limits(w, limits);
}

/* --- what is on the wire --- */

static size_t head_len(const bytes *wire) {
    size_t i = 0;

    while (i + 4 <= wire->len) {
        if (memcmp(wire->data + i, "\r\n\r\n", 4) == 0) {
            return i + 4;
        }
        i++;
    }
    return wire->len;
}

/* RFC 6455 5.5.1, 5.5.3: nothing but Pongs follows a Close. Frames are those of the role, and whole
 * unless output was dropped. */
static void check_frames(const world *w, const uint8_t *data, size_t len) {
    uint8_t is_client = w->config.role == HWS_ROLE_CLIENT;
    uint8_t context = (is_client ? HWS_FRAME_FROM_CLIENT : 0) | HWS_FRAME_RSV1;
    uint8_t in_message = 0;
    uint8_t closed = 0;
    size_t i = 0;

    while (i < len) {
        hws_frame frame;
        hws_status status = hws_frame_decode(data + i, len - i, context | in_message, &frame);
        if (status == HWS_NEED_MORE || frame.payload_len > len - i - frame.header_len) {
            CHECK(w->cut || !w->ended);
            return;
        }
        CHECK(status == HWS_OK);
        CHECK(!closed || frame.opcode == HWS_OPCODE_PONG);
        CHECK(frame.masked == is_client);
        closed |= frame.opcode == HWS_OPCODE_CLOSE;
        if (frame.opcode < HWS_OPCODE_CLOSE) {
            in_message = frame.fin ? 0 : HWS_FRAME_IN_MESSAGE;
        }
        i += frame.header_len + (size_t)frame.payload_len;
    }
}

/* The peer takes all of it, and finds what was sent, in order. */
static void check_received(const world *w, uint8_t *data, size_t len) {
    uint8_t role = w->config.role == HWS_ROLE_CLIENT ? HWS_ROLE_SERVER : HWS_ROLE_CLIENT;
    uint8_t room[512];
    hws_conn conn;
    hws_conn_config config;
    hws_deflate deflate;
    hws_deflate_options options;
    random_state random = {0, 0};
    bytes got = {0};
    size_t used = 0;
    hws_event ev;
    hws_status status = HWS_EVENT;

    hws_conn_config_init(&config, role);
    config.compression = hws_endpoint_deflate(&w->ep)->enabled;
    config.random = role == HWS_ROLE_CLIENT ? endpoint_random : NULL;
    config.random_user = &random;
    CHECK(hws_conn_init(&conn, &config) == HWS_OK);
    hws_deflate_options_init(&options, role, HWS_DEFLATE_BALANCED);
    options.codec = hws_codec_zlib();
    CHECK(hws_deflate_init(&deflate, hws_endpoint_deflate(&w->ep), &options) == HWS_OK);
    while (status == HWS_EVENT) {
        status = hws_deflate_receive(&deflate, &conn, data, len, &used, room, sizeof room, &ev);
        if (status == HWS_EVENT && (ev.type == HWS_TEXT || ev.type == HWS_BINARY)) {
            put_piece(&got, ev.type, ev.flags, ev.data, ev.len);
        }
    }
    CHECK(status == HWS_OK && used == len);
    CHECK(got.len <= w->expected.len);
    CHECK(got.len == 0 || memcmp(got.data, w->expected.data, got.len) == 0);
    /* An empty piece of a compressed message that is not done need not show. */
    CHECK(w->cut || !w->ended || w->unfinished || got.len == w->expected.len);
    hws_deflate_release(&deflate);
    free(got.data);
}

static void check_wire(world *w) {
    bytes *wire = &w->wire;
    size_t start = (w->setup & STARTS_OPEN) != 0 ? 0 : head_len(wire);
    uint8_t is_answer = start >= 12 && memcmp(wire->data, "HTTP/1.1 ", 9) == 0 &&
                        memcmp(wire->data + 9, "101", 3) != 0;

    if (w->config.counters != NULL) {
        CHECK(w->counters.bytes_sent == wire->len);
    }
    if (is_answer || start == wire->len) {
        return;
    }
    uint8_t *copy = fuzz_copy(wire->data + start, wire->len - start);
    check_frames(w, copy, wire->len - start);
    check_received(w, copy, wire->len - start);
    free(copy);
}

#endif
