/*
 * What the tests of the libuv adapter share: one loop with one hub, which is server and client at a
 * time, and notes of what each connection was told. All waiting is bounded: a test that hangs ends
 * by SIGALRM.
 */
#ifndef HWS_TESTS_UV_WORLD_H
#define HWS_TESTS_UV_WORLD_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "support.h"

#include <hawser/allocator.h>
#include <hawser/uv.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

enum {
    SIDES_MAX = 160, /* connections of one role */
    LONG_MS = 60000, /* no test comes near it */
    EVENT_TYPES = 32
};

struct world;

/* One end of a connection, as its events tell it. */
typedef struct side {
    struct world *world;
    hws_uv *ws; /* NULL before, and after HWS_END */
    unsigned seen[EVENT_TYPES];
    uint8_t *data; /* of the last message */
    size_t len;
    hws_status status; /* at HWS_END */
    uint16_t close_code;
    int32_t error;
    unsigned index;
} side;

typedef void (*side_event)(side *s, const hws_event *ev);

typedef struct world {
    uv_loop_t loop;
    uv_timer_t pulse; /* so that waiting for a condition ends */
    hws_uv_config config;
    hws_uv_hub *hub;
    side_event on_server; /* NULL: accept, and send every message back */
    side_event on_client; /* NULL: nothing */
    side server[SIDES_MAX];
    side client[SIDES_MAX];
    unsigned servers;
    unsigned clients;
    unsigned closed; /* calls of on_closed */
    unsigned posted;
    uintptr_t posted_sum;
} world;

static inline void side_accept(side *s) {
    hws_accept_config accept;
    hws_accept_config_init(&accept);
    accept.origin.kind = HWS_ORIGIN_SAME;
    (void)hws_endpoint_accept(hws_uv_endpoint(s->ws), &accept);
}

static inline void side_serve(side *s, const hws_event *ev) {
    hws_endpoint *ep = s->ws != NULL ? hws_uv_endpoint(s->ws) : NULL;
    if (ev->type == HWS_REQUEST) {
        side_accept(s);
    } else if (ev->type == HWS_TEXT || ev->type == HWS_BINARY) {
        (void)hws_endpoint_send(ep, ev->type, ev->flags & HWS_WHOLE, ev->data, ev->len);
    }
}

static inline hws_status side_send(side *s, const char *text) {
    return hws_endpoint_send(hws_uv_endpoint(s->ws), HWS_TEXT, HWS_WHOLE, (const uint8_t *)text,
                             strlen(text));
}

static inline hws_status side_close(side *s, uint16_t code) {
    return hws_endpoint_close(hws_uv_endpoint(s->ws), code, NULL, 0);
}

static inline void side_note(side *s, const hws_event *ev) {
    s->seen[ev->type]++;
    if (ev->type == HWS_TEXT || ev->type == HWS_BINARY) {
        free(s->data);
        s->data = malloc(ev->len + 1);
        assert_non_null(s->data);
        if (ev->len > 0) {
            memcpy(s->data, ev->data, ev->len);
        }
        s->len = ev->len;
    }
    if (ev->type == HWS_END) {
        s->status = hws_endpoint_status(hws_uv_endpoint(s->ws));
        s->close_code = ev->close_code;
        s->error = hws_uv_error(s->ws);
    }
}

static inline side *side_of(world *w, hws_uv *ws) {
    side *s = hws_uv_user(ws);
    if (s == NULL) {
        assert_int_equal(hws_uv_role(ws), HWS_ROLE_SERVER);
        assert_true(w->servers < SIDES_MAX);
        s = &w->server[w->servers];
        s->world = w;
        s->index = w->servers;
        w->servers++;
        hws_uv_set_user(ws, s);
    }
    s->ws = ws;
    return s;
}

static inline void world_on_event(hws_uv *ws, const hws_event *ev) {
    world *w = hws_uv_hub_user(hws_uv_get_hub(ws));
    side *s = side_of(w, ws);
    uint8_t is_server = hws_uv_role(ws) == HWS_ROLE_SERVER;
    side_event then = is_server ? w->on_server : w->on_client;
    assert_ptr_equal(hws_uv_of(hws_uv_endpoint(ws)), ws);
    assert_int_equal(s->seen[HWS_END], 0);
    side_note(s, ev);
    if (then != NULL) {
        then(s, ev);
    } else if (is_server) {
        side_serve(s, ev);
    }
    s->ws = ev->type == HWS_END ? NULL : ws;
}

static inline void world_on_posted(hws_uv_hub *hub, void *posted) {
    world *w = hws_uv_hub_user(hub);
    w->posted++;
    w->posted_sum += (uintptr_t)posted;
}

static inline void world_on_closed(void *user) {
    ((world *)user)->closed++;
}

static inline void world_on_pulse(uv_timer_t *timer) {
    (void)timer;
}

/* A world that can be configured, and then opened. */
static inline world *world_new(void) {
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    alarm(150);
    (void)signal(SIGPIPE, SIG_IGN); /* libuv leaves that to programs */
    assert_int_equal(uv_loop_init(&w->loop), 0);
    assert_int_equal(uv_timer_init(&w->loop, &w->pulse), 0);
    uv_timer_start(&w->pulse, world_on_pulse, 5, 5);
    uv_unref((uv_handle_t *)&w->pulse);
    hws_uv_config_init(&w->config);
    w->config.on_event = world_on_event;
    w->config.on_posted = world_on_posted;
    w->config.on_closed = world_on_closed;
    w->config.user = w;
    return w;
}

static inline void world_open(world *w) {
    assert_int_equal(hws_uv_hub_open(&w->loop, &w->config, &w->hub), HWS_OK);
    assert_int_equal(hws_uv_hub_listen(w->hub, "127.0.0.1", 0), HWS_OK);
    assert_int_not_equal(hws_uv_hub_port(w->hub), 0);
}

static inline world *world_new_open(void) {
    world *w = world_new();
    world_open(w);
    return w;
}

static inline void world_url(const world *w, char *url, size_t cap, const char *scheme) {
    (void)snprintf(url, cap, "%s://127.0.0.1:%u/", scheme, hws_uv_hub_port(w->hub));
}

static inline side *world_next_client(world *w) {
    side *s = &w->client[w->clients];
    assert_true(w->clients < SIDES_MAX);
    s->world = w;
    s->index = w->clients;
    w->clients++;
    return s;
}

static inline side *world_connect(world *w, const char *scheme) {
    side *s = world_next_client(w);
    char url[64];
    world_url(w, url, sizeof url, scheme);
    assert_int_equal(hws_uv_hub_connect(w->hub, url, NULL, s, &s->ws), HWS_OK);
    return s;
}

/* Run the loop until a counter is at least so high. */
static inline void world_until(world *w, const unsigned *counter, unsigned least) {
    uint64_t end = 0;
    uv_update_time(&w->loop);
    end = uv_now(&w->loop) + LONG_MS;
    while (*counter < least) {
        (void)uv_run(&w->loop, UV_RUN_ONCE);
        assert_true(uv_now(&w->loop) < end);
    }
}

/* Run the loop for some time. */
static inline void world_run(world *w, uint64_t ms) {
    uint64_t end = 0;
    uv_update_time(&w->loop);
    end = uv_now(&w->loop) + ms;
    while (uv_now(&w->loop) < end) {
        (void)uv_run(&w->loop, UV_RUN_ONCE);
    }
}

/* A client and a server that are open: client[i] and the newest server. */
static inline side *world_pair(world *w) {
    side *s = world_connect(w, "ws");
    world_until(w, &s->seen[HWS_OPEN], 1);
    return s;
}

/* All is closed, and nothing of it is left in the loop. */
static inline void world_free(world *w) {
    unsigned i = 0;
    if (w->hub != NULL && w->closed == 0) {
        hws_uv_hub_close(w->hub, 0);
        world_until(w, &w->closed, 1);
    }
    uv_close((uv_handle_t *)&w->pulse, NULL);
    assert_int_equal(uv_run(&w->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    assert_int_equal(w->closed, w->hub != NULL);
    while (i < SIDES_MAX) {
        assert_null(w->server[i].ws);
        assert_true(i >= w->clients || w->client[i].ws == NULL);
        free(w->server[i].data);
        free(w->client[i].data);
        i++;
    }
    free(w);
    alarm(0);
}

#endif
