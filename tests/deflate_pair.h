/*
 * A pair of the blocking adapter that compresses, with a codec whose memory is counted, and fails
 * when it is told to. Each side has memory of its own, because each may have its own thread.
 */
#ifndef HWS_TESTS_DEFLATE_PAIR_H
#define HWS_TESTS_DEFLATE_PAIR_H

#include "peer.h"

#include <hawser/deflate_zlib.h>

enum { SHORT_MS = 30 /* long enough for what is on its way over loopback */ };

typedef struct counted_memory {
    int blocks; /* that were taken and not given back */
    int taken;  /* all that were */
    int fails;  /* 1: there is none */
} counted_memory;

/* By role. */
static counted_memory deflate_memory[2];
static hws_deflate_params deflate_params[2];
static hws_deflate_options deflate_options[2];

static inline void *counted_alloc(void *user, size_t len) {
    counted_memory *memory = user;
    void *block = memory->fails ? NULL : malloc(len);
    memory->blocks += block != NULL;
    memory->taken += block != NULL;
    return block;
}

static inline void counted_release(void *user, void *block) {
    counted_memory *memory = user;
    memory->blocks--;
    free(block);
}

static inline peer *peer_of(pair *p, uint8_t role) {
    return role == HWS_ROLE_CLIENT ? &p->client : &p->server;
}

static inline uint8_t other_role(uint8_t role) {
    return role == HWS_ROLE_CLIENT ? HWS_ROLE_SERVER : HWS_ROLE_CLIENT;
}

/* Role and limit of the options are wrong: the connection's own count. */
static inline void deflate_prepare(pair *p, uint8_t preset) {
    uint8_t role = 0;
    while (role < 2) {
        memset(&deflate_memory[role], 0, sizeof deflate_memory[role]);
        hws_deflate_params_init(&deflate_params[role], preset);
        hws_deflate_options_init(&deflate_options[role], other_role(role), preset);
        deflate_options[role].max_message = 1;
        deflate_options[role].codec = hws_codec_zlib();
        deflate_options[role].settings.allocator =
            (hws_allocator){counted_alloc, counted_release, &deflate_memory[role]};
        peer_of(p, role)->config.deflate = &deflate_params[role];
        peer_of(p, role)->config.deflate_options = &deflate_options[role];
        role++;
    }
}

/* The structs of the configuration are not needed any more when the connection is open. */
static inline void deflate_open(pair *p) {
    pair_open(p);
    memset(deflate_params, 0xFF, sizeof deflate_params);
    memset(deflate_options, 0xFF, sizeof deflate_options);
    assert_int_equal(hws_blocking_deflate(&p->client.ws)->enabled, 1);
    assert_memory_equal(hws_blocking_deflate(&p->client.ws), hws_blocking_deflate(&p->server.ws),
                        sizeof(hws_deflate_params));
}

static inline pair *deflate_pair_open(uint8_t preset) {
    pair *p = pair_new();
    deflate_prepare(p, preset);
    deflate_open(p);
    return p;
}

static inline void deflate_pair_free(pair *p) {
    pair_free(p);
    assert_int_equal(deflate_memory[HWS_ROLE_SERVER].blocks, 0);
    assert_int_equal(deflate_memory[HWS_ROLE_CLIENT].blocks, 0);
}

static inline hws_status deflate_send(pair *p, uint8_t role, uint8_t type, uint8_t flags,
                                      const void *data, size_t len) {
    return hws_blocking_send(&peer_of(p, role)->ws, type, flags, data, len, LONG_MS);
}

/* One side finds a fault: it says so by a Close with this code, and ends with this status. */
static inline void expect_failure(pair *p, uint8_t role, hws_status status, uint16_t code) {
    hws_blocking *failing = &peer_of(p, role)->ws;
    hws_blocking *other = &peer_of(p, other_role(role))->ws;
    hws_event ev;
    hws_status result = hws_blocking_receive(failing, &ev, SHORT_MS);
    while (result == HWS_EVENT) {
        result = hws_blocking_receive(failing, &ev, SHORT_MS); /* what came before the fault */
    }
    assert_int_equal(result, HWS_ERR_TIMEOUT);
    assert_int_equal(hws_blocking_receive(other, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(ev.type, HWS_CLOSE);
    assert_int_equal(ev.close_code, code);
    assert_int_equal(hws_blocking_receive(other, &ev, LONG_MS), HWS_OK);
    assert_int_equal(hws_blocking_receive(failing, &ev, LONG_MS), status);
    assert_int_equal(hws_blocking_receive(failing, &ev, LONG_MS), status);
}

#endif
