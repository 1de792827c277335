/*
 * What the tests of the blocking adapter share: a client and a server that are connected over
 * loopback, and a few calls on plain sockets for peers that do not behave. All waiting is bounded:
 * a test that hangs ends by SIGALRM.
 */
#ifndef HWS_TESTS_PEER_H
#define HWS_TESTS_PEER_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "support.h"

#include <hawser/blocking.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    PEER_MEMORY = 65536,
    LONG_MS = 20000 /* no test comes near it */
};

typedef struct peer {
    hws_blocking ws;
    hws_blocking_config config;
    uint8_t memory[PEER_MEMORY];
} peer;

typedef struct pair {
    peer client;
    peer server;
    hws_listener listener;
    char url[64];
    char path[64];
    hws_text subprotocol; /* the server's choice */
    pthread_t thread;
} pair;

static inline int64_t peer_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + (int64_t)now.tv_nsec / 1000000;
}

static inline void peer_nap_ms(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&time, &time) != 0) {
    }
}

static inline void peer_init(peer *p, size_t memory_len) {
    hws_blocking_config_init(&p->config, p->memory, memory_len);
    p->config.open_timeout_ms = LONG_MS;
    p->config.close_timeout_ms = LONG_MS;
}

/* A pair that can be configured, and then opened. */
static inline pair *pair_new(void) {
    pair *p = calloc(1, sizeof *p);
    assert_non_null(p);
    peer_init(&p->client, PEER_MEMORY);
    peer_init(&p->server, PEER_MEMORY);
    assert_int_equal(hws_listener_open(&p->listener, "127.0.0.1", 0), HWS_OK);
    snprintf(p->url, sizeof p->url, "ws://127.0.0.1:%u/", hws_listener_port(&p->listener));
    return p;
}

/* The same over a Unix socket, whose buffers are as small as one asks for. */
static inline pair *pair_new_unix(void) {
    pair *p = pair_new();
    hws_listener_release(&p->listener);
    snprintf(p->path, sizeof p->path, "/tmp/hawser-test-%ld.sock", (long)getpid());
    assert_int_equal(hws_listener_open_unix(&p->listener, p->path), HWS_OK);
    p->client.config.unix_path = p->path;
    return p;
}

static inline void *pair_serve(void *arg) {
    pair *p = arg;
    intptr_t socket = -1;
    hws_handshake handshake;
    hws_accept_config accept;
    hws_accept_config_init(&accept);
    accept.origin.kind = HWS_ORIGIN_SAME;
    accept.subprotocol = p->subprotocol;
    assert_int_equal(hws_listener_accept(&p->listener, &socket, LONG_MS), HWS_OK);
    assert_int_equal(
        hws_blocking_read_request(&p->server.ws, socket, &p->server.config, &handshake), HWS_OK);
    assert_int_equal(handshake.kind, HWS_REQUEST_UPGRADE);
    assert_int_equal(hws_blocking_accept(&p->server.ws, &accept), HWS_OK);
    return NULL;
}

static inline void pair_open(pair *p) {
    assert_int_equal(pthread_create(&p->thread, NULL, pair_serve, p), 0);
    assert_int_equal(hws_blocking_connect(&p->client.ws, p->url, &p->client.config, NULL), HWS_OK);
    assert_int_equal(pthread_join(p->thread, NULL), 0);
}

static inline pair *pair_open_new(void) {
    pair *p = pair_new();
    pair_open(p);
    return p;
}

static inline void pair_free(pair *p) {
    hws_blocking_release(&p->client.ws);
    hws_blocking_release(&p->server.ws);
    hws_blocking_release(&p->server.ws);
    hws_listener_release(&p->listener);
    hws_listener_release(&p->listener);
    free(p);
}

/* The closing handshake from both sides, each in its own thread. */
static inline void *pair_receive_to_end(void *arg) {
    hws_blocking *ws = arg;
    hws_event ev;
    hws_status status = HWS_EVENT;
    while (status == HWS_EVENT) {
        status = hws_blocking_receive(ws, &ev, LONG_MS);
    }
    assert_int_equal(status, HWS_OK);
    return NULL;
}

static inline void pair_close(pair *p) {
    assert_int_equal(pthread_create(&p->thread, NULL, pair_receive_to_end, &p->server.ws), 0);
    assert_int_equal(hws_blocking_close(&p->client.ws, HWS_CLOSE_NORMAL, NULL, 0), HWS_OK);
    assert_int_equal(pthread_join(p->thread, NULL), 0);
    pair_free(p);
}

static inline int peer_socket(const peer *p) {
    return (int)hws_blocking_socket(&p->ws);
}

/* A socket of few bytes, so that every write is short. For Unix sockets: a TCP window that is
 * smaller than a segment is slow. */
static inline void peer_shrink(const peer *p) {
    int bytes = 2048;
    setsockopt(peer_socket(p), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

/* Plain sockets: they may be non-blocking. */
static inline void raw_send(int fd, const void *data, size_t len) {
    size_t at = 0;
    while (at < len) {
        ssize_t n = send(fd, (const uint8_t *)data + at, len - at, MSG_NOSIGNAL);
        struct pollfd set = {fd, POLLOUT, 0};
        assert_true(n > 0 || errno == EAGAIN || errno == EINTR);
        at += n > 0 ? (size_t)n : 0;
        if (at < len) {
            assert_true(poll(&set, 1, LONG_MS) > 0 || errno == EINTR);
        }
    }
}

static inline void raw_send_text(int fd, const char *text) {
    raw_send(fd, text, strlen(text));
}

/* Bytes until there are cap, or the end of the stream. -1 for a reset. */
static inline int raw_read(int fd, uint8_t *dst, size_t cap) {
    size_t at = 0;
    while (at < cap) {
        ssize_t n = recv(fd, dst + at, cap - at, 0);
        struct pollfd set = {fd, POLLIN, 0};
        if (n == 0) {
            break;
        }
        if (n < 0 && errno == ECONNRESET) {
            return -1;
        }
        assert_true(n > 0 || errno == EAGAIN || errno == EINTR);
        at += n > 0 ? (size_t)n : 0;
        if (n < 0) {
            assert_true(poll(&set, 1, LONG_MS) > 0 || errno == EINTR);
        }
    }
    return (int)at;
}

static inline void raw_expect(int fd, const void *bytes, size_t len) {
    uint8_t got[4096];
    assert_true(len <= sizeof got);
    assert_int_equal(raw_read(fd, got, len), (int)len);
    assert_memory_equal(got, bytes, len);
}

static inline void raw_expect_end(int fd) {
    uint8_t byte = 0;
    assert_int_equal(raw_read(fd, &byte, 1), 0);
}

/* Nothing comes for this long. */
static inline void raw_expect_silence(int fd, int ms) {
    struct pollfd set = {fd, POLLIN, 0};
    assert_int_equal(poll(&set, 1, ms), 0);
}

/* Close with a reset instead of a FIN. */
static inline void raw_reset(int fd) {
    struct linger hard = {1, 0};
    int blocking = fcntl(fd, F_GETFL) & ~O_NONBLOCK;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
    assert_int_equal(fcntl(fd, F_SETFL, blocking), 0);
}

/* A server's end of a socket pair, and the raw other end. */
typedef struct half {
    peer server;
    hws_handshake handshake;
    int fd;
    intptr_t socket;
} half;

static inline half *half_new(void) {
    half *h = calloc(1, sizeof *h);
    int ends[2];
    assert_non_null(h);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    peer_init(&h->server, PEER_MEMORY);
    h->server.config.close_timeout_ms = 20; /* the raw end is read after it */
    h->fd = ends[0];
    h->socket = ends[1];
    return h;
}

static inline hws_status half_read(half *h) {
    return hws_blocking_read_request(&h->server.ws, h->socket, &h->server.config, &h->handshake);
}

static inline void half_free(half *h) {
    hws_blocking_release(&h->server.ws);
    close(h->fd);
    free(h);
}

#endif
