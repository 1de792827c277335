/*
 * Servers in a loop of libuv: listening, accepting, and what becomes of connections that are too
 * many. Must not know what is sent through them.
 */
#include "uv_hub.h"

#include <stdio.h>
#include <string.h>

enum { PORT_BYTES = 8 };

/* --- accepting ---------------------------------------------------------------------------------
 */

static void accept_one(hws_uv_hub *hub, hws__uv_listener *listener);

static void on_spare_closed(uv_handle_t *handle) {
    hws_uv_hub *hub = handle->data;
    size_t i = 0;
    hub->spare_used = 0;
    while (i < HWS_UV_MAX_LISTENERS && !hub->closing) {
        if (hub->listeners[i].stuck) {
            hub->listeners[i].stuck = 0;
            accept_one(hub, &hub->listeners[i]);
        }
        i++;
    }
    hws__uv_hub_handle_closed(handle);
}

/* There is no place for the connection that has come: close it. libuv goes on to listen only when
 * it is taken, so while the spare handle is busy it has to wait. */
static void drop(hws_uv_hub *hub, hws__uv_listener *listener) {
    if (hub->spare_used) {
        listener->stuck = 1;
        return;
    }
    (void)uv_tcp_init(hub->loop, &hub->spare);
    hub->spare.data = hub;
    hub->spare_used = 1;
    hub->handles++;
    (void)uv_accept((uv_stream_t *)&listener->tcp, (uv_stream_t *)&hub->spare);
    uv_close((uv_handle_t *)&hub->spare, on_spare_closed);
}

/* Refuse connections beyond the limit; 0 beyond the limit of those, too. */
static uint8_t find_place(const hws_uv_hub *hub, uint8_t *refusing) {
    *refusing = hub->accepted >= hub->config.max_connections;
    return !*refusing || hub->refusals < HWS__UV_MAX_REFUSALS;
}

static hws_status make(hws_uv_hub *hub, hws_uv **ws) {
    return hws__uv_make(hub, HWS_ROLE_SERVER, hub->config.server_filter, hws_text_from(NULL), ws);
}

static void accept_one(hws_uv_hub *hub, hws__uv_listener *listener) {
    hws_uv *ws = NULL;
    uint8_t refusing = 0;
    int error = 0;
    if (!find_place(hub, &refusing) || make(hub, &ws) != HWS_OK) {
        drop(hub, listener);
        return;
    }
    (void)uv_tcp_init(hub->loop, &ws->tcp);
    ws->tcp.data = ws;
    ws->stream = (uv_stream_t *)&ws->tcp;
    ws->refs++;
    ws->refusing = refusing;
    hws__uv_enter(ws);
    error = uv_accept((uv_stream_t *)&listener->tcp, ws->stream);
    if (error < 0) {
        hws__uv_fail(ws, error);
    }
    (void)uv_tcp_nodelay(&ws->tcp, 1);
}

static void on_connection(uv_stream_t *stream, int status) {
    if (status == 0) {
        accept_one(stream->data, (hws__uv_listener *)(void *)stream);
    }
}

hws_status hws_uv_hub_accept(hws_uv_hub *hub, struct uv_stream_s *stream,
                             hws_uv_on_stream_closed closed, hws_uv **ws) {
    hws_uv *made = NULL;
    hws_status status = HWS_OK;
    if (hub->closing) {
        return HWS_ERR_STATE;
    }
    if (hub->accepted >= hub->config.max_connections) {
        return HWS_ERR_FULL;
    }
    status = make(hub, &made);
    if (status != HWS_OK) {
        return status;
    }
    made->stream = stream;
    made->closed = closed;
    stream->data = made;
    made->refs++;
    hws__uv_enter(made);
    if (ws != NULL) {
        *ws = made;
    }
    return HWS_OK;
}

/* --- listening ---------------------------------------------------------------------------------
 */

static void on_listener_closed(uv_handle_t *handle) {
    hws__uv_listener *listener = (hws__uv_listener *)(void *)handle;
    listener->used = 0;
    hws__uv_hub_handle_closed(handle);
}

static void close_listener(hws__uv_listener *listener) {
    if (listener->used && !uv_is_closing((uv_handle_t *)&listener->tcp)) {
        uv_close((uv_handle_t *)&listener->tcp, on_listener_closed);
    }
}

void hws__uv_listeners_close(hws_uv_hub *hub) {
    size_t i = 0;
    while (i < HWS_UV_MAX_LISTENERS) {
        close_listener(&hub->listeners[i]);
        i++;
    }
}

static hws__uv_listener *free_listener(hws_uv_hub *hub) {
    size_t i = 0;
    while (i < HWS_UV_MAX_LISTENERS && hub->listeners[i].used) {
        i++;
    }
    return i < HWS_UV_MAX_LISTENERS ? &hub->listeners[i] : NULL;
}

static int listen_on(hws_uv_hub *hub, hws__uv_listener *listener, const struct sockaddr *address) {
    int error = uv_tcp_init_ex(hub->loop, &listener->tcp, address->sa_family);
    if (error < 0) {
        return error;
    }
    listener->tcp.data = hub;
    listener->used = 1;
    listener->stuck = 0;
    hub->handles++;
    error = uv_tcp_bind(&listener->tcp, address, 0);
    if (error == 0) {
        error = uv_listen((uv_stream_t *)&listener->tcp, (int)hub->config.backlog, on_connection);
    }
    if (error < 0) {
        close_listener(listener);
    }
    return error;
}

hws_status hws_uv_hub_listen(hws_uv_hub *hub, const char *host, uint16_t port) {
    hws__uv_listener *listener = free_listener(hub);
    char service[PORT_BYTES];
    struct addrinfo hints;
    uv_getaddrinfo_t request;
    if (hub->closing) {
        return HWS_ERR_STATE;
    }
    if (listener == NULL) {
        return HWS_ERR_FULL;
    }
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_protocol = IPPROTO_TCP;
    hints.ai_flags = AI_PASSIVE;
    (void)snprintf(service, sizeof service, "%u", (unsigned)port);
    hub->error = uv_getaddrinfo(hub->loop, &request, NULL, host, service, &hints);
    if (hub->error < 0) {
        return hub->error == UV_ENOMEM ? HWS_ERR_MEMORY : HWS_ERR_RESOLVE;
    }
    hub->error = listen_on(hub, listener, request.addrinfo->ai_addr);
    uv_freeaddrinfo(request.addrinfo);
    return hub->error < 0 ? HWS_ERR_SYSTEM : HWS_OK;
}

static uint16_t port_of(const uv_tcp_t *tcp) {
    struct sockaddr_storage address;
    int len = sizeof address;
    memset(&address, 0, sizeof address);
    if (uv_tcp_getsockname(tcp, (struct sockaddr *)&address, &len) < 0) {
        return 0;
    }
    /* It stands at the same place in a sockaddr_in6. */
    return ntohs(((const struct sockaddr_in *)&address)->sin_port);
}

uint16_t hws_uv_hub_port(const hws_uv_hub *hub) {
    size_t i = 0;
    while (i < HWS_UV_MAX_LISTENERS) {
        const hws__uv_listener *listener = &hub->listeners[i];
        if (listener->used && !uv_is_closing((const uv_handle_t *)&listener->tcp)) {
            return port_of(&listener->tcp);
        }
        i++;
    }
    return 0;
}
