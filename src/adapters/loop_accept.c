/*
 * Listening sockets of a loop, and the connections that come from them.
 */
#include "system.h"

#include "loop.h"

/* One more connection; above the limit one that is only told so. */
static void take_in(hws__loop *loop, intptr_t socket) {
    uint8_t refused = loop->accepted_count >= loop->config.max_connections;
    hws_text no_host = {NULL, 0};
    hws_link *link = NULL;
    hws_status status = hws__socket_prepare(socket, &loop->system_error);
    if (status == HWS_OK) {
        status = hws__link_make(loop, &loop->config.server, loop->config.filter, no_host, &link);
    }
    if (status != HWS_OK) {
        hws__socket_close(socket);
        return;
    }
    link->source.fd = (int)socket;
    link->accepted = 1;
    link->refused = refused;
    loop->count -= refused;
    loop->refused_count += refused;
    loop->accepted_count += !refused;
    if (hws__waiter_set(loop, &link->source, HWS__READABLE) != HWS_OK) {
        hws__link_free(link);
        return;
    }
    hws__timer_set(loop, link, hws_endpoint_timeout(&link->endpoint));
}

void hws__accept_watch(hws__loop *loop, uint8_t on) {
    uint32_t i = 0;
    while (i < loop->listener_count) {
        if (hws__waiter_set(loop, &loop->listening[i], on ? HWS__READABLE : 0) != HWS_OK) {
            loop->accept_ms = loop->now_ms + HWS__ACCEPT_WAIT_MS; /* to be tried again */
        }
        i++;
    }
}

void hws__accept_some(hws__loop *loop, const hws__source *listening) {
    hws_status status = HWS_OK;
    int n = 0;
    while (n < HWS__ACCEPT_MAX && status == HWS_OK) {
        intptr_t socket = -1;
        if (loop->refused_count >= HWS__REFUSED_MAX) {
            status = HWS_ERR_FULL;
        } else {
            status = hws__socket_accept(listening->fd, &socket, &loop->system_error);
        }
        if (status == HWS_OK) {
            take_in(loop, socket);
        }
        n++;
    }
    if (status < 0) { /* no descriptors, no memory: to try at once would be to spin */
        loop->accept_ms = loop->now_ms + HWS__ACCEPT_WAIT_MS;
        hws__accept_watch(loop, 0);
    }
}

void hws__accept_close(hws__loop *loop) {
    hws__accept_watch(loop, 0);
    while (loop->listener_count > 0) {
        loop->listener_count--;
        hws__waiter_forget(loop, &loop->listening[loop->listener_count]);
        hws_listener_release(&loop->listeners[loop->listener_count]);
    }
    loop->accept_ms = 0;
}

/* What was opened is waited for, or closed again. */
static hws_status add(hws__loop *loop, hws_status status) {
    hws_listener *listener = &loop->listeners[loop->listener_count];
    hws__source *source = &loop->listening[loop->listener_count];
    memset(source, 0, sizeof *source);
    source->kind = HWS__SOURCE_LISTENER;
    if (status != HWS_OK) {
        loop->system_error = hws_listener_system_error(listener);
        hws_listener_release(listener);
        return status;
    }
    source->fd = (int)hws__listener_socket(listener);
    (void)listen(source->fd, (int)loop->config.backlog); /* it listens already: only the queue */
    status = hws__waiter_set(loop, source, HWS__READABLE);
    if (status != HWS_OK) {
        hws_listener_release(listener);
        return status;
    }
    loop->listener_count++;
    return HWS_OK;
}

/* Whether there may be one more. */
static hws_status judge(const hws__loop *loop) {
    if (loop->shutting) {
        return HWS_ERR_STATE;
    }
    return loop->listener_count == HWS__LISTENERS_MAX ? HWS_ERR_FULL : HWS_OK;
}

hws_status hws_loop_listen(hws_loop *opaque, const char *host, uint16_t port) {
    hws__loop *loop = hws__loop_of(opaque);
    hws_status status = judge(loop);
    if (status != HWS_OK) {
        return status;
    }
    return add(loop, hws__listener_open(&loop->listeners[loop->listener_count], host, port,
                                        loop->config.shared_port));
}

hws_status hws_loop_listen_unix(hws_loop *opaque, const char *path) {
    hws__loop *loop = hws__loop_of(opaque);
    hws_status status = judge(loop);
    if (status != HWS_OK) {
        return status;
    }
    return add(loop, hws_listener_open_unix(&loop->listeners[loop->listener_count], path));
}

uint16_t hws_loop_port(const hws_loop *opaque) {
    const hws__loop *loop = hws__loop_of(opaque);
    uint16_t port = 0;
    uint32_t i = 0;
    while (i < loop->listener_count && port == 0) {
        port = hws_listener_port(&loop->listeners[i]);
        i++;
    }
    return port;
}
