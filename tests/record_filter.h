/*
 * A filter for tests: records of a type, a length and bytes that are changed by XOR, behind a
 * handshake of one record from each side. It can do all that TLS does to an adapter: wait for the
 * peer, give more bytes than it takes, hold bytes back, end, and fail.
 */
#ifndef HWS_TESTS_RECORD_FILTER_H
#define HWS_TESTS_RECORD_FILTER_H

#include <hawser/filter.h>

#include <stdlib.h>
#include <string.h>

enum {
    TOY_HELLO = 1,
    TOY_DATA = 2,
    TOY_END = 3,
    TOY_ALERT = 4,
    TOY_HEADER = 3,
    TOY_RECORD = 1000,
    TOY_XOR = 0x5A
};

/* What is counted, and asked for. */
typedef struct toy {
    unsigned made;
    unsigned released;
    unsigned ended;    /* TOY_END records that came */
    unsigned alerts;   /* TOY_ALERT records that came */
    uint8_t fail_make; /* 1: make() finds no memory */
    char host[64];     /* of the last client */
} toy;

typedef struct toy_state {
    toy *toy;
    uint8_t role;
    uint8_t hello_due;
    uint8_t end_due;
    uint8_t alert_due;
    uint8_t greeted; /* the peer's hello has come */
    hws_status sticky;
    uint8_t header[TOY_HEADER];
    size_t have; /* of the header */
    size_t left; /* of the record's bytes */
} toy_state;

static inline hws_status toy_make(void *context, uint8_t role, hws_text host, void **state) {
    toy *t = context;
    toy_state *s = t->fail_make ? NULL : calloc(1, sizeof *s);
    if (s == NULL) {
        return HWS_ERR_MEMORY;
    }
    if (role == HWS_ROLE_CLIENT && host.len < sizeof t->host) {
        memcpy(t->host, host.data, host.len);
        t->host[host.len] = '\0';
    }
    s->toy = t;
    s->role = role;
    s->hello_due = role == HWS_ROLE_CLIENT;
    t->made++;
    *state = s;
    return HWS_OK;
}

static inline void toy_release(void *state) {
    ((toy_state *)state)->toy->released++;
    free(state);
}

static inline void toy_start_record(toy_state *s) {
    s->have = 0;
    s->left = (size_t)s->header[1] << 8 | s->header[2];
    switch (s->header[0]) {
    case TOY_HELLO:
        s->hello_due = s->role == HWS_ROLE_SERVER;
        s->greeted = 1;
        return;
    case TOY_DATA:
        return;
    case TOY_END:
        s->toy->ended++;
        s->sticky = HWS_ERR_EOF;
        return;
    case TOY_ALERT:
        s->toy->alerts++;
        s->sticky = HWS_ERR_TLS;
        return;
    default:
        s->alert_due = 1;
        s->sticky = HWS_ERR_TLS;
    }
}

static inline hws_status toy_receive(void *state, const uint8_t *wire, size_t len, size_t *used,
                                     uint8_t *plain, size_t cap, size_t *n) {
    toy_state *s = state;
    while (*used < len && s->sticky == HWS_OK) {
        if (s->left > 0) {
            if (*n == cap) {
                return HWS_MORE;
            }
            plain[*n] = wire[*used] ^ TOY_XOR;
            ++*n;
            s->left--;
        } else {
            s->header[s->have] = wire[*used];
            s->have++;
            if (s->have == TOY_HEADER) {
                toy_start_record(s);
            }
        }
        ++*used;
    }
    return s->sticky;
}

/* 1 when there was room. */
static inline uint8_t toy_put(uint8_t type, size_t len, uint8_t *wire, size_t cap, size_t *n) {
    if (cap - *n < TOY_HEADER + len) {
        return 0;
    }
    wire[*n] = type;
    wire[*n + 1] = (uint8_t)(len >> 8);
    wire[*n + 2] = (uint8_t)len;
    *n += TOY_HEADER;
    return 1;
}

static inline hws_status toy_send(void *state, const uint8_t *plain, size_t len, size_t *used,
                                  uint8_t *wire, size_t cap, size_t *n) {
    toy_state *s = state;
    if (s->alert_due && toy_put(TOY_ALERT, 0, wire, cap, n)) {
        s->alert_due = 0;
    }
    if (s->sticky == HWS_ERR_TLS) {
        return HWS_ERR_TLS;
    }
    if (s->hello_due && toy_put(TOY_HELLO, 0, wire, cap, n)) {
        s->hello_due = 0;
    }
    if (!s->greeted) {
        return len > 0 ? HWS_NEED_MORE : HWS_OK;
    }
    while (*used < len) {
        size_t part = len - *used < TOY_RECORD ? len - *used : TOY_RECORD;
        size_t i = 0;
        if (!toy_put(TOY_DATA, part, wire, cap, n)) {
            return HWS_MORE;
        }
        while (i < part) {
            wire[*n + i] = plain[*used + i] ^ TOY_XOR;
            i++;
        }
        *n += part;
        *used += part;
    }
    if (s->end_due && toy_put(TOY_END, 0, wire, cap, n)) {
        s->end_due = 0;
    }
    return HWS_OK;
}

static inline void toy_finish(void *state) {
    ((toy_state *)state)->end_due = 1;
}

static inline hws_filter toy_filter(toy *t) {
    memset(t, 0, sizeof *t);
    return (hws_filter){sizeof(hws_filter), 0,           t,        toy_make,
                        toy_release,        toy_receive, toy_send, toy_finish};
}

#endif
