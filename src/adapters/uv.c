/*
 * A hub of connections in a loop of libuv: how it is opened and closed, what is posted to it, and
 * what is done once in each turn of the loop. Must not know bytes, sockets or URLs.
 *
 * Endpoints that something happened to (a send, an abort) are on the list `ready`; connections that
 * were read from are on `touched`. Both are seen to after libuv has polled, and once more before it
 * polls again: for what timers and the program did. So a turn makes one write for a connection.
 */
#include "uv_hub.h"

#include <hawser/allocator.h>
#include <hawser/entropy.h>

#include <stdio.h>
#include <string.h>

void *hws__uv_alloc(const hws_uv_hub *hub, size_t len) {
    const hws_allocator *allocator = &hub->config.server.allocator;
    return allocator->alloc(allocator->user, len);
}

void hws__uv_release(const hws_uv_hub *hub, void *memory) {
    const hws_allocator *allocator = &hub->config.server.allocator;
    if (memory != NULL) {
        allocator->release(allocator->user, memory);
    }
}

void hws__uv_list_add(hws__uv_link *list, hws__uv_link *link) {
    link->prev = list->prev;
    link->next = list;
    list->prev->next = link;
    list->prev = link;
}

void hws__uv_list_remove(hws__uv_link *link) {
    link->prev->next = link->next;
    link->next->prev = link->prev;
    link->prev = link->next = NULL;
}

static hws_uv *of_all(const hws__uv_link *link) {
    return (hws_uv *)(void *)((uint8_t *)(uintptr_t)link - offsetof(hws_uv, all));
}

static hws_uv *of_touched(hws__uv_link *link) {
    return (hws_uv *)(void *)((uint8_t *)link - offsetof(hws_uv, touched));
}

/* --- the turn of the loop ----------------------------------------------------------------------
 */

void hws__uv_touch(hws_uv *ws) {
    if (ws->touched.prev == NULL && !ws->over) {
        hws__uv_list_add(&ws->hub->touched, &ws->touched);
        ws->hub->touched_count++;
    }
}

static void collect(hws_uv_hub *hub) {
    hws_endpoint *endpoint = hws_ready_next(&hub->ready);
    while (endpoint != NULL) {
        hws__uv_touch((hws_uv *)(void *)endpoint);
        endpoint = hws_ready_next(&hub->ready);
    }
}

static void on_idle(uv_idle_t *idle) {
    (void)idle; /* that it is active is all: libuv does not wait then */
}

/* Each connection that waits is settled once. What comes up meanwhile, of a program that sends more
 * as soon as it can, has the next turn: others must have theirs. */
static void settle_all(hws_uv_hub *hub) {
    uint32_t count = 0;
    collect(hub);
    count = hub->touched_count;
    while (count > 0 && hub->touched_count > 0) {
        hws_uv *ws = of_touched(hub->touched.next);
        hws__uv_list_remove(&ws->touched);
        hub->touched_count--;
        count--;
        hws__uv_settle(ws);
    }
    collect(hub);
    if (hub->torn) {
        return;
    }
    if (hub->touched_count > 0) {
        (void)uv_idle_start(&hub->idle, on_idle);
    } else {
        (void)uv_idle_stop(&hub->idle);
    }
}

static void on_prepare(uv_prepare_t *prepare) {
    settle_all(prepare->data);
}

static void on_check(uv_check_t *check) {
    settle_all(check->data);
}

/* --- posts -------------------------------------------------------------------------------------
 */

/* The first that waits; 0 when there is none. */
static uint8_t take_posted(hws_uv_hub *hub, void **posted) {
    uint8_t some = 0;
    uv_mutex_lock(&hub->mutex);
    some = hub->posted_count > 0;
    if (some) {
        *posted = hub->posted[hub->posted_first];
        hub->posted_first = (hub->posted_first + 1) % hub->config.max_posted;
        hub->posted_count--;
    }
    uv_mutex_unlock(&hub->mutex);
    return some;
}

/* At most as many as fit into the queue: who posts without end does not stop the loop. */
static void deliver(hws_uv_hub *hub) {
    uint32_t left = hub->config.max_posted;
    void *posted = NULL;
    while (left > 0 && take_posted(hub, &posted)) {
        hub->config.on_posted(hub, posted);
        left--;
    }
    if (left == 0 && !uv_is_closing((uv_handle_t *)&hub->async)) {
        (void)uv_async_send(&hub->async);
    }
}

static void on_async(uv_async_t *async) {
    deliver(async->data);
}

hws_status hws_uv_hub_post(hws_uv_hub *hub, void *posted) {
    hws_status status = HWS_OK;
    if (hub->config.on_posted == NULL) {
        return HWS_ERR_STATE;
    }
    uv_mutex_lock(&hub->mutex);
    if (hub->posted_closed) {
        status = HWS_ERR_STATE;
    } else if (hub->posted_count == hub->config.max_posted) {
        status = HWS_ERR_FULL;
    } else {
        uint32_t last = (hub->posted_first + hub->posted_count) % hub->config.max_posted;
        hub->posted[last] = posted;
        hub->posted_count++;
        (void)uv_async_send(&hub->async);
    }
    uv_mutex_unlock(&hub->mutex);
    return status;
}

/* --- opening and closing -----------------------------------------------------------------------
 */

void hws_uv_config_init(hws_uv_config *config) {
    memset(config, 0, sizeof *config);
    config->size = sizeof *config;
    config->max_connections = 10000;
    config->retry_after_s = 10;
    config->buffer_len = 65536;
    config->backlog = 1024;
    config->max_posted = 4096;
    hws_endpoint_config_init(&config->server, HWS_ROLE_SERVER);
    hws_endpoint_config_init(&config->client, HWS_ROLE_CLIENT);
    config->server.allocator = config->client.allocator = hws_system_allocator();
    config->server.random = config->client.random = hws_entropy;
}

/* That endpoints can be made by this configuration is found out at once. */
static hws_status check_endpoint(const hws_endpoint_config *config, uint8_t role) {
    hws_endpoint endpoint;
    hws_status status = hws_endpoint_init(&endpoint, config, 0);
    if (status == HWS_OK) {
        hws_endpoint_release(&endpoint);
    }
    return config->role == role ? status : HWS_ERR_ARGUMENT;
}

static hws_status check_config(const hws_uv_config *config) {
    hws_status status = HWS_OK;
    if (config->size != sizeof *config || config->on_event == NULL || config->buffer_len == 0 ||
        config->buffer_len > INT32_MAX || config->backlog > INT32_MAX || config->max_posted == 0 ||
        config->server.allocator.alloc == NULL) {
        return HWS_ERR_ARGUMENT;
    }
    status = check_endpoint(&config->server, HWS_ROLE_SERVER);
    return status == HWS_OK ? check_endpoint(&config->client, HWS_ROLE_CLIENT) : status;
}

static uint8_t has_filter(const hws_uv_hub *hub) {
    return hub->config.server_filter != NULL || hub->config.client_filter != NULL;
}

static void free_hub(hws_uv_hub *hub) {
    hws__uv_release(hub, hub->in);
    hws__uv_release(hub, hub->plain);
    hws__uv_release(hub, hub->wire);
    hws__uv_release(hub, hub->posted);
    hws__uv_release(hub, hub);
}

static hws_status alloc_buffers(hws_uv_hub *hub) {
    hub->in = hws__uv_alloc(hub, hub->config.buffer_len);
    hub->posted = hws__uv_alloc(hub, hub->config.max_posted * sizeof(void *));
    if (has_filter(hub)) {
        hub->plain = hws__uv_alloc(hub, hub->config.buffer_len);
        hub->wire = hws__uv_alloc(hub, HWS__UV_WIRE);
    }
    if (hub->in == NULL || hub->posted == NULL ||
        (has_filter(hub) && (hub->plain == NULL || hub->wire == NULL))) {
        return HWS_ERR_MEMORY;
    }
    return HWS_OK;
}

/* What may fail comes first: then there is nothing to be closed by a callback. */
static hws_status open_handles(hws_uv_hub *hub) {
    int error = uv_mutex_init(&hub->mutex);
    if (error < 0) {
        return HWS_ERR_SYSTEM;
    }
    error = uv_async_init(hub->loop, &hub->async, on_async);
    if (error < 0) {
        uv_mutex_destroy(&hub->mutex);
        return error == UV_ENOMEM ? HWS_ERR_MEMORY : HWS_ERR_SYSTEM;
    }
    (void)uv_prepare_init(hub->loop, &hub->prepare);
    (void)uv_check_init(hub->loop, &hub->check);
    (void)uv_idle_init(hub->loop, &hub->idle);
    (void)uv_timer_init(hub->loop, &hub->timer);
    hub->async.data = hub->prepare.data = hub->check.data = hub->idle.data = hub->timer.data = hub;
    uv_unref((uv_handle_t *)&hub->async);
    uv_unref((uv_handle_t *)&hub->idle);
    hub->handles = 5;
    return HWS_OK;
}

hws_status hws_uv_hub_open(struct uv_loop_s *loop, const hws_uv_config *config, hws_uv_hub **hub) {
    hws_status status = check_config(config);
    hws_uv_hub *made = NULL;
    if (status != HWS_OK) {
        return status;
    }
    made = config->server.allocator.alloc(config->server.allocator.user, sizeof *made);
    if (made == NULL) {
        return HWS_ERR_MEMORY;
    }
    memset(made, 0, sizeof *made);
    made->loop = loop;
    made->config = *config;
    made->config.server.ready = made->config.client.ready = &made->ready;
    made->all.prev = made->all.next = &made->all;
    made->touched.prev = made->touched.next = &made->touched;
    (void)snprintf(made->retry_after, sizeof made->retry_after, "%lu",
                   (unsigned long)config->retry_after_s);
    status = alloc_buffers(made);
    if (status == HWS_OK) {
        status = open_handles(made);
    }
    if (status != HWS_OK) {
        free_hub(made);
        return status;
    }
    *hub = made;
    return HWS_OK;
}

void hws__uv_hub_handle_closed(uv_handle_t *handle) {
    hws_uv_hub *hub = handle->data;
    hws_uv_on_closed on_closed = hub->config.on_closed;
    void *user = hub->config.user;
    hub->handles--;
    if (!hub->torn) {
        hws__uv_hub_look(hub);
    }
    if (hub->handles > 0) {
        return;
    }
    deliver(hub);
    uv_mutex_destroy(&hub->mutex);
    free_hub(hub);
    if (on_closed != NULL) {
        on_closed(user);
    }
}

static void tear_down(hws_uv_hub *hub) {
    hub->torn = 1;
    uv_mutex_lock(&hub->mutex);
    hub->posted_closed = 1;
    uv_mutex_unlock(&hub->mutex);
    uv_close((uv_handle_t *)&hub->prepare, hws__uv_hub_handle_closed);
    uv_close((uv_handle_t *)&hub->check, hws__uv_hub_handle_closed);
    uv_close((uv_handle_t *)&hub->idle, hws__uv_hub_handle_closed);
    uv_close((uv_handle_t *)&hub->timer, hws__uv_hub_handle_closed);
    uv_close((uv_handle_t *)&hub->async, hws__uv_hub_handle_closed);
}

/* A connection keeps the loop alive, by the handle that sees to it. */
void hws__uv_hub_look(hws_uv_hub *hub) {
    if (hub->torn) {
        return;
    }
    if (hub->count + hub->refusals > 0) {
        (void)uv_prepare_start(&hub->prepare, on_prepare);
        (void)uv_check_start(&hub->check, on_check);
    } else {
        (void)uv_prepare_stop(&hub->prepare);
        (void)uv_check_stop(&hub->check);
        (void)uv_idle_stop(&hub->idle);
    }
    if (hub->closing && hub->alive == 0) {
        tear_down(hub);
    }
}

static void abort_all(hws_uv_hub *hub, hws_status status) {
    hws__uv_link *link = hub->all.next;
    while (link != &hub->all) {
        (void)hws_endpoint_abort(&of_all(link)->endpoint, status);
        hws__uv_touch(of_all(link));
        link = link->next;
    }
}

static void on_deadline(uv_timer_t *timer) {
    abort_all(timer->data, HWS_ERR_TIMEOUT);
}

void hws_uv_hub_close(hws_uv_hub *hub, int32_t timeout_ms) {
    uint8_t first = !hub->closing;
    hws__uv_link *link = hub->all.next;
    hub->closing = 1;
    if (hub->torn) {
        return;
    }
    if (first) {
        hws__uv_listeners_close(hub);
    }
    while (first && link != &hub->all) {
        hws_endpoint_go_away(&of_all(link)->endpoint);
        hws__uv_touch(of_all(link));
        link = link->next;
    }
    (void)uv_timer_stop(&hub->timer);
    if (timeout_ms == 0) {
        abort_all(hub, HWS_ERR_CLOSED);
    } else if (timeout_ms > 0) {
        (void)uv_timer_start(&hub->timer, on_deadline, (uint64_t)timeout_ms, 0);
    }
    hws__uv_hub_look(hub);
}

/* --- all connections ---------------------------------------------------------------------------
 */

hws_uv *hws_uv_hub_next(const hws_uv_hub *hub, const hws_uv *after) {
    const hws__uv_link *link = after != NULL ? after->all.next : hub->all.next;
    while (link != &hub->all && of_all(link)->refusing) {
        link = link->next;
    }
    return link != &hub->all ? of_all(link) : NULL;
}

uint32_t hws_uv_hub_broadcast(hws_uv_hub *hub, hws_prepared *prepared, uint8_t slow) {
    hws_uv *ws = hws_uv_hub_next(hub, NULL);
    uint32_t count = 0;
    while (ws != NULL) {
        /* Clients answer HWS_ERR_ARGUMENT. */
        count += hws_endpoint_send_prepared(&ws->endpoint, prepared, slow) >= 0;
        ws = hws_uv_hub_next(hub, ws);
    }
    return count;
}

uint32_t hws_uv_hub_count(const hws_uv_hub *hub) {
    return hub->count;
}

void *hws_uv_hub_user(const hws_uv_hub *hub) {
    return hub->config.user;
}

int32_t hws_uv_hub_error(const hws_uv_hub *hub) {
    return hub->error;
}

hws_endpoint *hws_uv_endpoint(hws_uv *ws) {
    return &ws->endpoint;
}

hws_uv *hws_uv_of(const hws_endpoint *endpoint) {
    return (hws_uv *)(uintptr_t)endpoint;
}

void *hws_uv_filter_state(const hws_uv *ws) {
    return ws->filter_state;
}

hws_uv_hub *hws_uv_get_hub(const hws_uv *ws) {
    return ws->hub;
}

uint8_t hws_uv_role(const hws_uv *ws) {
    return ws->role;
}

void *hws_uv_user(const hws_uv *ws) {
    return ws->user;
}

void hws_uv_set_user(hws_uv *ws, void *user) {
    ws->user = user;
}

struct uv_stream_s *hws_uv_stream(hws_uv *ws) {
    return ws->stream;
}

int32_t hws_uv_error(const hws_uv *ws) {
    return ws->error;
}
