/*
 * What the tests of the loop share: a server in a thread of its own, which does what the test says
 * it shall, and memory that is counted. The test is its client. All waiting is bounded: a test that
 * hangs ends by SIGALRM.
 */
#ifndef HWS_TESTS_LOOP_WORLD_H
#define HWS_TESTS_LOOP_WORLD_H

#include "peer.h"

#include <hawser/allocator.h>
#include <hawser/entropy.h>
#include <hawser/loop.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>

typedef struct world world;

/* Something to be done in the thread of the loop. */
typedef struct order {
    void (*run)(world *w);
} order;

struct world {
    hws_loop loop;
    hws_loop_config config;
    hws_counters counters;
    char url[64];
    pthread_t thread;
    void (*serve)(world *w, const hws_loop_item *item);
    int32_t stop_ms; /* for the shutdown */

    atomic_long blocks; /* that are allocated */
    atomic_long bytes;
    atomic_long most_bytes;
    long fail_at; /* allocations until one fails; below 0: none does */

    /* What became of the connections. Of the loop's thread; the test looks when it is stopped. */
    hws_link *link;    /* the last that came */
    hws_status result; /* of the loop */
    hws_status ended;  /* of the last connection that ended */
    int32_t ended_error;
    uint16_t ended_code;
    atomic_int opens;
    atomic_int ends;
    atomic_int messages;
    atomic_int drains;
    atomic_int posts; /* of others than orders */
};

/* --- memory --- */

static inline void *world_alloc(void *user, size_t len) {
    world *w = user;
    size_t *block = NULL;
    if (w->fail_at >= 0 && w->fail_at-- == 0) {
        return NULL;
    }
    block = malloc(len + 16);
    assert_non_null(block);
    block[0] = len;
    w->blocks++;
    w->bytes += (long)len;
    if (w->bytes > w->most_bytes) {
        w->most_bytes = atomic_load(&w->bytes);
    }
    return block + 2;
}

static inline void world_release(void *user, void *memory) {
    world *w = user;
    size_t *block = (size_t *)memory - 2;
    assert_non_null(memory);
    w->blocks--;
    w->bytes -= (long)block[0];
    memset(block, 0xDB, block[0] + 16);
    free(block);
}

/* --- the server --- */

/* Accepts all, and sends back what comes. */
static inline void world_echo(world *w, const hws_loop_item *item) {
    const hws_event *ev = &item->event;
    hws_accept_config accept;
    (void)w;
    if (ev->type == HWS_REQUEST) {
        hws_accept_config_init(&accept);
        accept.origin.kind = HWS_ORIGIN_SAME;
        (void)hws_endpoint_accept(item->endpoint, &accept);
    }
    if (ev->type == HWS_TEXT || ev->type == HWS_BINARY) {
        (void)hws_endpoint_send(item->endpoint, ev->type, HWS_WHOLE, ev->data, ev->len);
    }
}

static inline void world_note(world *w, const hws_loop_item *item) {
    switch (item->event.type) {
    case HWS_OPEN:
        w->link = item->link;
        w->opens++;
        break;
    case HWS_TEXT:
    case HWS_BINARY:
        w->messages++;
        break;
    case HWS_DRAIN:
        w->drains++;
        break;
    case HWS_END:
        w->ended = hws_endpoint_status(item->endpoint);
        w->ended_error = hws_link_system_error(item->link);
        w->ended_code = item->event.close_code;
        w->ends++;
        break;
    }
}

static inline void world_stop(world *w) {
    hws_loop_shutdown(&w->loop, w->stop_ms);
}

/* Some other thing that is posted. */
static const order world_mark = {NULL};

static inline void *world_run(void *arg) {
    world *w = arg;
    hws_loop_item item;
    while ((w->result = hws_loop_next(&w->loop, &item, HWS_FOREVER)) == HWS_EVENT) {
        if (item.event.type == HWS_POSTED) {
            const order *o = item.posted;
            w->posts += o == &world_mark;
            if (o != &world_mark) {
                o->run(w);
            }
            continue;
        }
        world_note(w, &item);
        w->serve(w, &item);
    }
    return NULL;
}

/* A world to be configured, and then started. */
static inline world *world_new(uint8_t kind) {
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    hws_loop_config_init(&w->config);
    w->config.kind = kind;
    w->config.server.allocator = (hws_allocator){world_alloc, world_release, w};
    w->config.server.counters = &w->counters;
    w->serve = world_echo;
    w->stop_ms = LONG_MS;
    w->fail_at = -1;
    return w;
}

/* A loop that listens, and that this thread runs. */
static inline void world_listen(world *w) {
    assert_int_equal(hws_loop_init(&w->loop, &w->config), HWS_OK);
    assert_int_equal(hws_loop_listen(&w->loop, "127.0.0.1", 0), HWS_OK);
    snprintf(w->url, sizeof w->url, "ws://127.0.0.1:%u/", hws_loop_port(&w->loop));
}

static inline void world_go(world *w) {
    assert_int_equal(pthread_create(&w->thread, NULL, world_run, w), 0);
}

static inline world *world_start(uint8_t kind) {
    world *w = world_new(kind);
    world_listen(w);
    world_go(w);
    return w;
}

static inline void world_order(world *w, const order *o) {
    assert_int_equal(hws_loop_post(&w->loop, (void *)(uintptr_t)o), HWS_OK);
}

/* Wait until the loop has counted so far. */
static inline void world_await(atomic_int *count, int wanted) {
    int64_t end = peer_now_ms() + LONG_MS;
    while (*count < wanted && peer_now_ms() < end) {
        peer_nap_ms(1);
    }
    assert_int_equal(*count, wanted);
}

/* Nothing may be left. */
static inline void world_release_all(world *w) {
    hws_loop_release(&w->loop);
    hws_loop_release(&w->loop);
    assert_int_equal(w->blocks, 0);
    assert_int_equal(w->bytes, 0);
}

/* Shut down, and wait for the end of the thread. The world can be looked at then. */
static inline void world_join(world *w) {
    static const order stop = {world_stop};
    world_order(w, &stop);
    assert_int_equal(pthread_join(w->thread, NULL), 0);
    assert_int_equal(w->result, HWS_OK);
    assert_int_equal(hws_loop_count(&w->loop), 0);
    world_release_all(w);
}

static inline void world_end(world *w) {
    world_join(w);
    free(w);
}

/* --- clients --- */

static inline peer *world_connect(world *w) {
    peer *p = calloc(1, sizeof *p);
    assert_non_null(p);
    peer_init(p, PEER_MEMORY);
    assert_int_equal(hws_blocking_connect(&p->ws, w->url, &p->config, NULL), HWS_OK);
    return p;
}

static inline void peer_send(peer *p, const void *data, size_t len) {
    assert_int_equal(hws_blocking_send(&p->ws, HWS_BINARY, HWS_WHOLE, data, len, LONG_MS), HWS_OK);
}

/* The next message is this one, in how many pieces soever. */
static inline void peer_expect(peer *p, const void *data, size_t len) {
    size_t at = 0;
    uint8_t final = 0;
    while (!final) {
        hws_event ev;
        assert_int_equal(hws_blocking_receive(&p->ws, &ev, LONG_MS), HWS_EVENT);
        assert_true(ev.type == HWS_TEXT || ev.type == HWS_BINARY);
        assert_true(ev.len <= len - at);
        assert_memory_equal(ev.data, (const uint8_t *)data + at, ev.len);
        at += ev.len;
        final = (ev.flags & HWS_FINAL) != 0;
    }
    assert_int_equal(at, len);
}

/* The server closes with this code. */
static inline void peer_expect_close(peer *p, uint16_t code) {
    hws_event ev;
    assert_int_equal(hws_blocking_receive(&p->ws, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(ev.type, HWS_CLOSE);
    assert_int_equal(ev.close_code, code);
}

static inline void peer_free(peer *p) {
    hws_blocking_release(&p->ws);
    free(p);
}

static inline void peer_close(peer *p) {
    assert_int_equal(hws_blocking_close(&p->ws, HWS_CLOSE_NORMAL, NULL, 0), HWS_OK);
    peer_free(p);
}

static inline int raw_connect(const world *w) {
    struct sockaddr_in address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(hws_loop_port(&w->loop));
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

#define RAW_REQUEST                                                                                \
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                   \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"

/* The head of a response, which has to start so. */
static inline void raw_expect_head(int fd, const char *start) {
    char head[2048];
    size_t n = 0;
    while (n < 4 || memcmp(head + n - 4, "\r\n\r\n", 4) != 0) {
        assert_true(n < sizeof head);
        assert_int_equal(raw_read(fd, (uint8_t *)head + n, 1), 1);
        n++;
    }
    assert_memory_equal(head, start, strlen(start));
}

/* Each test runs by poll() and by epoll. */
static uint8_t kind_poll = HWS_LOOP_POLL;
#ifdef __linux__
static uint8_t kind_epoll = HWS_LOOP_EPOLL;
#else
static uint8_t kind_epoll = HWS_LOOP_BEST;
#endif
#define KIND(state) (*(const uint8_t *)*(state))
#define BOTH(function)                                                                             \
    {#function " (poll)", function, NULL, NULL, &kind_poll}, {                                     \
#function " (epoll)", function, NULL, NULL, &kind_epoll                                    \
    }

#endif
