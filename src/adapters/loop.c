/*
 * Many connections in one thread: who has his turn, and which event goes out next. What a turn is
 * stands in loop.h.
 */
#include "loop.h"

#include <hawser/allocator.h>
#include <hawser/entropy.h>

#include <stdio.h>

void hws_loop_config_init(hws_loop_config *config) {
    memset(config, 0, sizeof *config);
    config->size = sizeof *config;
    config->max_connections = 10000;
    config->retry_after_s = 10;
    config->buffer_len = 65536;
    config->backlog = 1024;
    hws_endpoint_config_init(&config->server, HWS_ROLE_SERVER);
    config->server.allocator = hws_system_allocator();
    config->server.random = hws_entropy;
}

static hws_status take_buffers(hws__loop *l) {
    l->listeners = hws__loop_take(l, HWS__LISTENERS_MAX * sizeof(hws_listener));
    l->in = hws__loop_take(l, l->config.buffer_len);
    l->raw = hws__loop_take(l, l->config.buffer_len);
    l->out = hws__loop_take(l, HWS__OUT_LEN);
    if (l->listeners == NULL || l->in == NULL || l->raw == NULL || l->out == NULL) {
        return HWS_ERR_MEMORY;
    }
    return HWS_OK;
}

/* Input of the turn that has memory of its own. */
static void drop_turn(hws__loop *l) {
    if (l->turn != NULL && l->plain_turn.data != l->in) {
        hws__loop_give(l, l->plain_turn.data);
    }
    if (l->turn != NULL && l->raw_turn.data != l->raw) {
        hws__loop_give(l, l->raw_turn.data);
    }
    l->turn = NULL;
    l->over = NULL;
}

static void let_go(hws__loop *l) {
    drop_turn(l);
    while (l->first != NULL) {
        hws__link_free(l->first);
    }
    hws__accept_close(l);
    hws__post_close(l);
    hws__waiter_release(l);
    hws__loop_give(l, l->listeners);
    hws__loop_give(l, l->in);
    hws__loop_give(l, l->raw);
    hws__loop_give(l, l->out);
    hws__loop_give(l, l->heap);
    hws__loop_give(l, l);
}

hws_status hws_loop_init(hws_loop *loop, const hws_loop_config *config) {
    hws_allocator allocator = config->server.allocator;
    hws_endpoint probe;
    memset(loop, 0, sizeof *loop);
    if (config->size != sizeof *config || config->kind > HWS_LOOP_EPOLL ||
        config->buffer_len == 0 || config->backlog == 0 || config->backlog > INT32_MAX ||
        config->server.role != HWS_ROLE_SERVER ||
        hws_endpoint_init(&probe, &config->server, 0) != HWS_OK) {
        return HWS_ERR_ARGUMENT;
    }
    hws__loop *l = allocator.alloc(allocator.user, sizeof *l);
    if (l == NULL) {
        return HWS_ERR_MEMORY;
    }
    memset(l, 0, sizeof *l);
    l->config = *config;
    l->allocator = allocator;
    l->config.server.ready = &l->ready;
    l->now_ms = hws__loop_clock(l);
    l->waiter.epoll = -1;
    l->post.fd = -1;
    l->post.kind = HWS__SOURCE_POST;
    (void)snprintf(l->retry_after, sizeof l->retry_after, "%lu",
                   (unsigned long)config->retry_after_s);
    hws_status status = take_buffers(l);
    if (status == HWS_OK) {
        status = hws__waiter_init(l);
    }
    if (status == HWS_OK) {
        status = hws__post_open(l);
    }
    if (status != HWS_OK) {
        loop->system_error = l->system_error;
        let_go(l);
        return status;
    }
    loop->opaque = l; /* a signal handler may post from now on */
    return HWS_OK;
}

void hws_loop_release(hws_loop *loop) {
    hws__loop *l = hws__loop_of(loop);
    memset(loop, 0, sizeof *loop); /* first: a signal handler may post still */
    if (l != NULL) {
        let_go(l);
    }
}

/* --- events --- */

/* A request of a connection above the limit: 503 (RFC 9110 15.6.4, 10.2.3). */
static void refuse(hws__loop *l, hws_link *link) {
    hws_field field = {hws_text_from("Retry-After"), hws_text_from(l->retry_after)};
    if (hws_endpoint_respond(&link->endpoint, 503, &field, 1, NULL, 0) != HWS_OK) {
        hws_endpoint_abort(&link->endpoint, HWS_ERR_CLOSED);
    }
}

/* Take note of an event of the link whose turn it is. 1 when the application is to see it. */
static uint8_t note(hws__loop *l, const hws_event *ev) {
    hws_link *link = l->turn;
    if (link->refused && ev->type == HWS_REQUEST) {
        refuse(l, link);
        return 0;
    }
    if (ev->type == HWS_END) {
        drop_turn(l);
        l->over = link;
    }
    return !link->refused;
}

static uint8_t take_posted(hws__loop *l, hws_loop_item *item) {
    void *posted = NULL;
    if (!hws__post_take(l, &posted)) {
        return 0;
    }
    memset(item, 0, sizeof *item);
    item->posted = posted;
    item->event.type = HWS_POSTED;
    return 1;
}

static uint8_t serve_posts(hws__loop *l, hws_loop_item *item) {
    if (l->posted == HWS__POSTED_MAX || !take_posted(l, item)) {
        l->happening++;
        l->posted = 0;
        return 0;
    }
    l->posted++;
    return 1;
}

/* Serve the next event of the system. 1 when it came by post. */
static uint8_t serve(hws__loop *l, hws_loop_item *item) {
    hws__source *source = l->happenings[l->happening].source;
    uint8_t bits = l->happenings[l->happening].bits;
    if (source != NULL && source->kind == HWS__SOURCE_POST) {
        return serve_posts(l, item);
    }
    l->happening++;
    if (source == NULL) {
        return 0;
    }
    if (source->kind == HWS__SOURCE_LISTENER) {
        hws__accept_some(l, source);
        return 0;
    }
    hws_link *link = (hws_link *)(void *)((char *)source - offsetof(hws_link, source));
    if (link->connecting && !hws__connect_go_on(link)) {
        bits = 0;
    }
    hws__turn_begin(link, (bits & HWS__READABLE) != 0);
    return 0;
}

/* --- time --- */

static void pass_time(hws__loop *l) {
    hws_link *link = l->first;
    l->now_ms = hws__loop_clock(l);
    if (l->accept_ms != 0 && l->now_ms >= l->accept_ms) {
        l->accept_ms = 0;
        hws__accept_watch(l, 1);
    }
    if (l->shutting && l->now_ms >= l->shutdown_ms) {
        l->shutdown_ms = HWS_NEVER;
        while (link != NULL) {
            hws_endpoint_abort(&link->endpoint, HWS_ERR_TIMEOUT);
            link = link->after;
        }
    }
}

static uint64_t earlier(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* Wait until something happens or is due, but not beyond `until_ms`. */
static hws_status wait(hws__loop *l, uint64_t until_ms) {
    uint64_t due = earlier(until_ms, l->accept_ms == 0 ? HWS_NEVER : l->accept_ms);
    int timeout_ms = -1;
    due = earlier(due, l->shutting ? l->shutdown_ms : HWS_NEVER);
    due = earlier(due, l->heap_len > 0 ? l->heap[0]->deadline_ms : HWS_NEVER);
    if (due != HWS_NEVER) {
        uint64_t left = due > l->now_ms ? due - l->now_ms : 0;
        timeout_ms = left > 60000 ? 60000 : (int)left;
    }
    hws_status status = hws__waiter_wait(l, timeout_ms);
    pass_time(l);
    return status;
}

/* Give a turn to whoever has something to do. 0 when nobody has, 1 when somebody has got one, 2
 * when an item came by post. */
static int find_turn(hws__loop *l, hws_loop_item *item) {
    hws_endpoint *endpoint = hws_ready_next(&l->ready);
    if (endpoint != NULL) {
        hws__turn_begin(hws_link_of(endpoint), 0);
        return 1;
    }
    if (l->heap_len > 0 && l->heap[0]->deadline_ms <= l->now_ms) {
        hws__turn_begin(l->heap[0], 0);
        return 1;
    }
    if (l->happening < l->happenings_len) {
        return serve(l, item) ? 2 : 1;
    }
    return 0;
}

/* The link whose HWS_END was handed out, if there is one. */
static void free_over(hws__loop *l) {
    if (l->over != NULL) {
        hws__link_free(l->over);
        l->over = NULL;
    }
}

hws_status hws_loop_next(hws_loop *loop, hws_loop_item *item, int32_t timeout_ms) {
    hws__loop *l = hws__loop_of(loop);
    uint64_t until_ms = timeout_ms < 0 ? HWS_NEVER : 0;
    free_over(l);
    for (;;) {
        while (l->turn != NULL && hws__turn_next(l, &item->event)) {
            item->link = l->turn;
            item->endpoint = &l->turn->endpoint;
            item->posted = NULL;
            if (note(l, &item->event)) {
                return HWS_EVENT;
            }
            free_over(l); /* one that the application has not seen */
        }
        int found = find_turn(l, item);
        if (found == 2) {
            return HWS_EVENT;
        }
        if (found == 1) {
            continue;
        }
        if (l->shutting && l->first == NULL) {
            return take_posted(l, item) ? HWS_EVENT : HWS_OK;
        }
        if (until_ms == 0) {
            l->now_ms = hws__loop_clock(l);
            until_ms = l->now_ms + (uint64_t)timeout_ms;
        } else if (until_ms <= l->now_ms) {
            return HWS_ERR_TIMEOUT;
        }
        hws_status status = wait(l, until_ms);
        if (status != HWS_OK) {
            return status;
        }
    }
}

/* --- all connections --- */

void hws_loop_shutdown(hws_loop *loop, int32_t timeout_ms) {
    hws__loop *l = hws__loop_of(loop);
    hws_link *link = l->first;
    hws__accept_close(l);
    l->now_ms = hws__loop_clock(l);
    l->shutting = 1;
    l->shutdown_ms = timeout_ms < 0 ? HWS_NEVER : l->now_ms + (uint64_t)timeout_ms;
    while (link != NULL) {
        hws_endpoint_go_away(&link->endpoint);
        link = link->after;
    }
}

uint32_t hws_loop_broadcast(hws_loop *loop, hws_prepared *prepared, uint8_t slow) {
    hws_link *link = hws__loop_of(loop)->first;
    uint32_t count = 0;
    while (link != NULL) {
        count += hws_endpoint_send_prepared(&link->endpoint, prepared, slow) >= 0;
        link = link->after;
    }
    return count;
}

/* The one whose HWS_END was handed out does not count any more. */
uint32_t hws_loop_count(const hws_loop *loop) {
    const hws__loop *l = hws__loop_of(loop);
    return l->count - (l->over != NULL);
}

hws_link *hws_loop_link(const hws_loop *loop, const hws_link *after) {
    const hws__loop *l = hws__loop_of(loop);
    hws_link *link = after == NULL ? l->first : after->after;
    while (link != NULL && (link->refused || link == l->over)) {
        link = link->after;
    }
    return link;
}

hws_ready *hws_loop_ready(hws_loop *loop) {
    return &hws__loop_of(loop)->ready;
}

uint64_t hws_loop_now(const hws_loop *loop) {
    return hws__loop_of(loop)->now_ms;
}

int32_t hws_loop_system_error(const hws_loop *loop) {
    const hws__loop *l = hws__loop_of(loop);
    return l == NULL ? loop->system_error : l->system_error;
}

/* --- one connection --- */

hws_endpoint *hws_link_endpoint(hws_link *link) {
    return &link->endpoint;
}

hws_link *hws_link_of(const hws_endpoint *endpoint) {
    return (hws_link *)(uintptr_t)(const void *)endpoint;
}

void *hws_link_user(const hws_link *link) {
    return link->user;
}

void hws_link_set_user(hws_link *link, void *user) {
    link->user = user;
}

intptr_t hws_link_socket(const hws_link *link) {
    return link->source.fd;
}

void *hws_link_filter_state(const hws_link *link) {
    return link->extra == NULL ? NULL : link->extra->state;
}

int32_t hws_link_system_error(const hws_link *link) {
    return link->system_error;
}
