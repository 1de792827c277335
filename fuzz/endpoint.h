/*
 * What the targets with an endpoint share: bytes that become more, random bytes that may fail, and
 * output that is held until it is acknowledged.
 */
#ifndef HWS_FUZZ_ENDPOINT_H
#define HWS_FUZZ_ENDPOINT_H

#include "counting.h"

enum { MAX_HELD = 8 };

typedef struct bytes {
    uint8_t *data;
    size_t len;
    size_t cap;
} bytes;

typedef struct random_state {
    uint8_t next;
    uint8_t left; /* draws until it fails; 0: it never does */
} random_state;

/* What was handed out, where it lies and as it was then. */
typedef struct output {
    hws_buffer buffers[MAX_HELD];
    size_t count;
    bytes held;
} output;

static inline void put(bytes *b, const void *data, size_t len) {
    if (len > b->cap - b->len) {
        b->cap = 2 * (b->len + len);
        b->data = realloc(b->data, b->cap);
        CHECK(b->data != NULL);
    }
    if (len > 0) {
        memcpy(b->data + b->len, data, len);
        b->len += len;
    }
}

static inline void put_byte(bytes *b, uint8_t byte) {
    put(b, &byte, 1);
}

static inline void drop_front(bytes *b, size_t len) {
    b->len -= len;
    if (len > 0) {
        memmove(b->data, b->data + len, b->len);
    }
}

static inline hws_status endpoint_random(void *user, uint8_t *dst, size_t len) {
    random_state *state = user;

    if (state->left > 0) {
        state->left--;
        if (state->left == 0) {
            state->left = 1;
            return HWS_ERR_RANDOM;
        }
    }
    return fuzz_random(&state->next, dst, len);
}

static inline void hold_output(output *o, hws_endpoint *ep, size_t cap) {
    size_t i = 0;

    if (o->count > 0) {
        return;
    }
    o->count = hws_endpoint_output(ep, o->buffers, cap);
    CHECK(o->count <= cap);
    while (i < o->count) {
        CHECK(o->buffers[i].len > 0);
        put(&o->held, o->buffers[i].data, o->buffers[i].len);
        i++;
    }
    CHECK(o->held.len <= hws_endpoint_queued(ep));
    CHECK(hws_endpoint_sent(ep, o->held.len + 1) == HWS_ERR_ARGUMENT);
}

/* What was handed out lies there as it did. */
static inline void check_held(const output *o) {
    size_t i = 0;
    size_t at = 0;

    while (i < o->count) {
        CHECK(memcmp(o->buffers[i].data, o->held.data + at, o->buffers[i].len) == 0);
        at += o->buffers[i].len;
        i++;
    }
}

/* Write at most so much of it, and acknowledge that. */
static inline void write_out(output *o, hws_endpoint *ep, size_t most, bytes *wire) {
    size_t len = most < o->held.len ? most : o->held.len;

    check_held(o);
    put(wire, o->held.data, len);
    o->count = o->held.len = 0;
    CHECK(hws_endpoint_sent(ep, len) == HWS_OK);
}

#endif
