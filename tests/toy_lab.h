/*
 * An open connection through the toy filter, of which one side is tested, and the other is played
 * by hand on the wire.
 */
#ifndef HWS_TESTS_TOY_LAB_H
#define HWS_TESTS_TOY_LAB_H

#include "toy_peer.h"

enum { SHORT_MS = 30 /* long enough for what is on its way over loopback */ };

static inline peer *peer_of(pair *p, uint8_t role) {
    return role == HWS_ROLE_CLIENT ? &p->client : &p->server;
}

static inline uint8_t other_role(uint8_t role) {
    return role == HWS_ROLE_CLIENT ? HWS_ROLE_SERVER : HWS_ROLE_CLIENT;
}

typedef struct lab {
    toy kind;
    pair *p;
    hws_blocking *ws;
    uint8_t role;
    int fd;
} lab;

static inline void lab_begin(lab *l, uint8_t role) {
    l->p = toy_pair_new(&l->kind);
    l->role = role;
    l->ws = &peer_of(l->p, role)->ws;
}

static inline void lab_open(lab *l) {
    pair_open(l->p);
    l->fd = peer_socket(peer_of(l->p, other_role(l->role)));
}

static inline void lab_end(lab *l) {
    pair_free(l->p);
    assert_int_equal(l->kind.made, 0);
}

static inline void lab_start(lab *l, uint8_t role) {
    lab_begin(l, role);
    lab_open(l);
}

/* A short frame as its sender has to send it; a key of zeros. */
static inline size_t make_frame(const lab *l, uint8_t first, const char *payload, size_t len,
                                uint8_t *out) {
    uint8_t masked = l->role == HWS_ROLE_SERVER;
    size_t n = 0;
    out[n++] = first;
    out[n++] = (uint8_t)(len | (masked ? 0x80 : 0));
    memset(out + n, 0, 4);
    n += masked ? 4 : 0;
    memcpy(out + n, payload, len);
    return n + len;
}

static inline void hand_send(const lab *l, uint8_t first, const char *payload, size_t len) {
    uint8_t frame[256];
    toy_raw_send(l->fd, frame, make_frame(l, first, payload, len, frame));
}

/* What the tested side sends. A client's mask key is its own. */
static inline void hand_expect(const lab *l, uint8_t first, const char *payload, size_t len) {
    uint8_t got[256];
    uint8_t key[4] = {0};
    uint8_t masked = l->role == HWS_ROLE_CLIENT;
    size_t n = 2u + (masked ? 4u : 0u) + len;
    size_t i = 0;
    raw_expect(l->fd, "D", 1);
    assert_int_equal(raw_read(l->fd, got, 1), 1);
    assert_int_equal(got[0], n); /* header and payload are one record */
    assert_int_equal(raw_read(l->fd, got, n), (int)n);
    while (i < n) {
        got[i++] ^= TOY_KEY;
    }
    assert_int_equal(got[0], first);
    if (masked) {
        memcpy(key, got + 2, 4);
    }
    i = 0;
    while (i < len) {
        assert_int_equal(got[n - len + i] ^ key[i % 4], (uint8_t)payload[i]);
        i++;
    }
}

static inline void expect_text(const lab *l, const char *text) {
    hws_event ev;
    assert_int_equal(hws_blocking_receive(l->ws, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(ev.type, HWS_TEXT);
    assert_int_equal(ev.len, strlen(text));
    assert_memory_equal(ev.data, text, ev.len);
}

static inline void expect_end(const lab *l, hws_status status) {
    hws_event ev;
    assert_int_equal(hws_blocking_receive(l->ws, &ev, LONG_MS), status);
    assert_int_equal(hws_blocking_receive(l->ws, &ev, LONG_MS), status);
    assert_int_equal(hws_blocking_socket(l->ws), -1);
    assert_int_equal(l->kind.made, 1);
}

/* --- tests whose state is a lab with an open connection, tested in one role or in both --- */

static inline int lab_setup(void **state) {
    lab *l = calloc(1, sizeof *l);
    assert_non_null(l);
    lab_start(l, *(const uint8_t *)*state);
    *state = l;
    return 0;
}

static inline int lab_teardown(void **state) {
    lab_end(*state);
    free(*state);
    return 0;
}

static uint8_t lab_client = HWS_ROLE_CLIENT;
static uint8_t lab_server = HWS_ROLE_SERVER;
#define AS_CLIENT(function)                                                                        \
    { #function " (client)", function, lab_setup, lab_teardown, &lab_client }
#define AS_SERVER(function)                                                                        \
    { #function " (server)", function, lab_setup, lab_teardown, &lab_server }
#define AS_BOTH(function) AS_CLIENT(function), AS_SERVER(function)

#endif
