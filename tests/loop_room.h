/*
 * A loop that the test runs itself, with both ends of its connections: what happens can be done
 * between two events, and in their order. Descriptors and memory are counted at the end.
 */
#ifndef HWS_TESTS_LOOP_ROOM_H
#define HWS_TESTS_LOOP_ROOM_H

#include "loop_world.h"

typedef struct room {
    world *w;
    hws_endpoint_config client;
    void (*on_server)(struct room *r, const hws_loop_item *item);
    void (*on_client)(struct room *r, const hws_loop_item *item);
    hws_link *links[2]; /* by role: that of the last event */
    int opens[2];
    int ends[2];
    int messages[2];
    int posts;
    void *posted;        /* last */
    hws_status ended[2]; /* last */
    uint16_t ended_code[2];
    int fds; /* before the loop */
} room;

static inline int open_fds(void) {
    int fd = 0, count = 0;
    while (fd < 1024) {
        count += fcntl(fd, F_GETFD) >= 0;
        fd++;
    }
    return count;
}

static inline room *room_new(uint8_t kind) {
    room *r = calloc(1, sizeof *r);
    assert_non_null(r);
    alarm(60);
    r->fds = open_fds();
    r->w = world_new(kind);
    return r;
}

static inline void room_open(room *r) {
    world_listen(r->w);
    hws_endpoint_config_init(&r->client, HWS_ROLE_CLIENT);
    r->client.allocator = r->w->config.server.allocator;
    r->client.random = hws_entropy;
    r->client.ready = hws_loop_ready(&r->w->loop);
}

static inline room *room_new_open(void **state) {
    room *r = room_new(KIND(state));
    room_open(r);
    return r;
}

/* No memory is left, and no descriptor. */
static inline void room_free(room *r) {
    world_release_all(r->w);
    assert_int_equal(open_fds(), r->fds);
    free(r->w);
    free(r);
    alarm(0);
}

/* The user of a client's link is the room. */
static inline hws_link *room_connect(room *r) {
    hws_link *link = NULL;
    assert_int_equal(hws_loop_connect(&r->w->loop, r->w->url, &r->client, NULL, NULL, &link),
                     HWS_OK);
    hws_link_set_user(link, r);
    return link;
}

static inline void room_note(room *r, const hws_loop_item *item) {
    const hws_event *ev = &item->event;
    int role = hws_link_user(item->link) == r;
    assert_ptr_equal(hws_link_endpoint(item->link), item->endpoint);
    r->links[role] = item->link;
    r->opens[role] += ev->type == HWS_OPEN;
    r->ends[role] += ev->type == HWS_END;
    r->messages[role] += ev->type == HWS_TEXT || ev->type == HWS_BINARY;
    if (ev->type == HWS_END) {
        r->ended[role] = hws_endpoint_status(item->endpoint);
        r->ended_code[role] = ev->close_code;
    }
    if (role && r->on_client != NULL) {
        r->on_client(r, item);
    } else if (!role && r->on_server != NULL) {
        r->on_server(r, item);
    } else if (!role) {
        world_echo(r->w, item);
    }
}

static inline hws_status room_step(room *r, int32_t timeout_ms) {
    hws_loop_item item;
    hws_status status = hws_loop_next(&r->w->loop, &item, timeout_ms);
    if (status != HWS_EVENT) {
        return status;
    }
    if (item.event.type == HWS_POSTED) {
        assert_null(item.link);
        assert_null(item.endpoint);
        r->posts++;
        r->posted = item.posted;
        return status;
    }
    assert_null(item.posted);
    room_note(r, &item);
    return status;
}

static inline void room_until(room *r, const int *count, int wanted) {
    while (*count < wanted) {
        assert_int_equal(room_step(r, LONG_MS), HWS_EVENT);
    }
    assert_int_equal(*count, wanted);
}

/* Events until there are none for so long. */
static inline void room_settle(room *r, int32_t ms) {
    while (room_step(r, ms) == HWS_EVENT) {
    }
}

/* Run until next() says that all is over. */
static inline void room_finish(room *r) {
    hws_status status = HWS_EVENT;
    while (status == HWS_EVENT) {
        status = room_step(r, LONG_MS);
    }
    assert_int_equal(status, HWS_OK);
    assert_int_equal(hws_loop_count(&r->w->loop), 0);
    assert_null(hws_loop_link(&r->w->loop, NULL));
}

static inline void room_pair(room *r) {
    room_connect(r);
    room_until(r, &r->opens[1], r->opens[1] + 1);
    while (r->opens[0] < r->opens[1]) {
        assert_int_equal(room_step(r, LONG_MS), HWS_EVENT);
    }
}

static inline hws_status say(hws_endpoint *endpoint, const char *text) {
    return hws_endpoint_send(endpoint, HWS_TEXT, HWS_WHOLE, (const uint8_t *)text, strlen(text));
}

static inline void accept_any(hws_endpoint *endpoint) {
    hws_accept_config accept;
    hws_accept_config_init(&accept);
    accept.origin.kind = HWS_ORIGIN_ANY;
    assert_int_equal(hws_endpoint_accept(endpoint, &accept), HWS_OK);
}

#endif
