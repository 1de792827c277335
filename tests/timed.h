/*
 * What the tests of keepalive.h share: a connection whose clock they move, with times since START.
 */
#ifndef HWS_TESTS_TIMED_H
#define HWS_TESTS_TIMED_H

#include "support.h"

#include <hawser/keepalive.h>

#include <string.h>

enum { NONCE = 0x01020304, PING_LEN = HWS_KEEPALIVE_PING_LEN };
enum { OPEN_MS = 3000, PING_MS = 5000, PONG_MS = 7000, IDLE_MS = 100000, CLOSE_MS = 4000 };
enum { STALL_MS = 6000 };

static const uint64_t START = 1000000;

typedef struct subject {
    hws_keepalive k;
    hws_keepalive_config config;
} subject;

static inline subject fresh(void) {
    subject s;
    memset(&s, 0xA5, sizeof s);
    s.config = (hws_keepalive_config){
        .open_timeout_ms = OPEN_MS,
        .ping_after_ms = PING_MS,
        .pong_timeout_ms = PONG_MS,
        .idle_timeout_ms = IDLE_MS,
        .close_timeout_ms = CLOSE_MS,
        .stall_timeout_ms = STALL_MS,
    };
    hws_keepalive_init(&s.k, START);
    return s;
}

static inline subject opened(void) {
    subject s = fresh();
    hws_keepalive_opened(&s.k, NONCE);
    return s;
}

static inline hws_status tick(subject *s, uint64_t ms) {
    return hws_keepalive_tick(&s->k, &s->config, START + ms);
}

/* Nothing is due until `ms`, and then this is. */
static inline void due_at(subject *s, uint64_t ms, hws_status wanted) {
    assert_int_equal(hws_keepalive_timeout(&s->k, &s->config), START + ms);
    assert_int_equal(tick(s, ms - 1), HWS_OK);
    assert_int_equal(hws_keepalive_timeout(&s->k, &s->config), START + ms);
    assert_int_equal(tick(s, ms), wanted);
}

static inline void never_due(subject *s) {
    assert_int_equal(hws_keepalive_timeout(&s->k, &s->config), HWS_NEVER);
}

static inline void send_ping(subject *s, uint8_t *payload) {
    memset(payload, 0xEE, PING_LEN);
    hws_keepalive_ping(&s->k, payload);
}

/* A Ping that was sent at PING_MS. */
static inline subject pinged(uint8_t *payload) {
    subject s = opened();
    due_at(&s, PING_MS, HWS_EVENT);
    send_ping(&s, payload);
    return s;
}

static inline uint8_t pong(subject *s, const void *payload, size_t len) {
    return hws_keepalive_pong(&s->k, payload, len);
}

#define TEST(name, function)                                                                       \
    { name, function, NULL, NULL, NULL }

#endif
