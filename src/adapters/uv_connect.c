/*
 * Clients in a loop of libuv: from a URL to a connected stream. Must not know what is sent through
 * it, and nothing of frames.
 */
#include "uv_hub.h"

#include "client_url.h"

#include <stdio.h>
#include <string.h>

enum {
    HOST_BYTES = 256, /* above the 253 of a name in DNS */
    PORT_BYTES = 8
};

void hws__uv_dial_free(hws_uv *ws) {
    if (ws->dial != NULL) {
        uv_freeaddrinfo(ws->dial->addresses);
        hws__uv_release(ws->hub, ws->dial);
    }
    ws->dial = NULL;
}

/* --- connecting --------------------------------------------------------------------------------
 */

static void try_next(hws_uv *ws);

static void on_attempt_closed(uv_handle_t *handle) {
    hws_uv *ws = handle->data;
    ws->attempting = 0;
    if (!ws->over) {
        try_next(ws);
    }
    hws__uv_unref(ws);
}

static void give_up_attempt(hws_uv *ws, int error) {
    ws->error = error;
    ws->dial->deadline = HWS_NEVER;
    uv_close((uv_handle_t *)&ws->tcp, on_attempt_closed);
}

static void on_connected(uv_connect_t *request, int status) {
    hws_uv *ws = request->handle->data;
    if (uv_is_closing((uv_handle_t *)&ws->tcp)) {
        return;
    }
    if (status < 0) {
        give_up_attempt(ws, status);
        return;
    }
    ws->attempting = 0;
    ws->error = 0;
    ws->dial->deadline = HWS_NEVER;
    ws->stream = (uv_stream_t *)&ws->tcp;
    (void)uv_tcp_nodelay(&ws->tcp, 1);
    hws__uv_settle(ws);
}

/* An equal share of the time that is left. */
static uint64_t share(const hws_uv *ws) {
    const struct addrinfo *address = ws->dial->next;
    uint64_t now = uv_now(ws->hub->loop);
    uint64_t end = hws_endpoint_timeout(&ws->endpoint);
    uint64_t count = 1;
    while (address != NULL) {
        address = address->ai_next;
        count++;
    }
    return end == HWS_NEVER || end <= now ? end : now + (end - now + count - 1) / count;
}

static void try_next(hws_uv *ws) {
    hws__uv_dial *dial = ws->dial;
    struct addrinfo *address = dial->next;
    int error = 0;
    if (address == NULL) {
        (void)hws_endpoint_abort(&ws->endpoint, HWS_ERR_CONNECT);
        hws__uv_touch(ws);
        return;
    }
    dial->next = address->ai_next;
    dial->deadline = share(ws);
    (void)uv_tcp_init(ws->hub->loop, &ws->tcp);
    ws->tcp.data = ws;
    ws->attempting = 1;
    ws->refs++;
    error = uv_tcp_connect(&dial->connect, &ws->tcp, address->ai_addr, on_connected);
    if (error < 0) {
        give_up_attempt(ws, error);
    }
    hws__uv_touch(ws);
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses) {
    hws_uv *ws = request->data;
    ws->dial->addresses = ws->dial->next = addresses;
    if (!ws->over && status < 0) {
        ws->error = status;
        (void)hws_endpoint_abort(&ws->endpoint, HWS_ERR_RESOLVE);
        hws__uv_touch(ws);
    } else if (!ws->over) {
        try_next(ws);
    }
    hws__uv_unref(ws);
}

void hws__uv_dial_tick(hws_uv *ws) {
    if (ws->dial != NULL && ws->attempting && uv_now(ws->hub->loop) >= ws->dial->deadline &&
        !uv_is_closing((uv_handle_t *)&ws->tcp)) {
        give_up_attempt(ws, UV_ETIMEDOUT);
    }
}

void hws__uv_dial_cancel(hws_uv *ws) {
    if (ws->attempting && !uv_is_closing((uv_handle_t *)&ws->tcp)) {
        uv_close((uv_handle_t *)&ws->tcp, on_attempt_closed);
    } else if (ws->dial != NULL && ws->dial->addresses == NULL) {
        (void)uv_cancel((uv_req_t *)&ws->dial->resolve); /* its callback comes in any case */
    }
}

/* --- the handshake's texts ---------------------------------------------------------------------
 */

/* The dial's memory: the struct, room for the fields, the texts. */
static hws_status make_dial(hws_uv *ws, hws_text url, const hws_uri *uri,
                            const hws_client_config *client) {
    size_t fields_len = (client->field_count + 1) * sizeof(hws_field);
    hws__uv_dial *dial =
        hws__uv_alloc(ws->hub, sizeof *dial + fields_len + hws__url_texts_cap(url.len));
    if (dial == NULL) {
        return HWS_ERR_MEMORY;
    }
    hws_field *fields = (hws_field *)(void *)(dial + 1);
    memset(dial, 0, sizeof *dial);
    dial->deadline = HWS_NEVER;
    dial->resolve.data = ws;
    dial->ask = *client;
    ws->dial = dial;
    return hws__client_from_url(&dial->ask, url, uri, fields, (uint8_t *)fields + fields_len);
}

static hws_status resolve(hws_uv *ws, hws_text host, uint16_t port) {
    char name[HOST_BYTES];
    char service[PORT_BYTES];
    struct addrinfo hints;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_protocol = IPPROTO_TCP;
    memcpy(name, host.data, host.len);
    name[host.len] = '\0';
    (void)snprintf(service, sizeof service, "%u", (unsigned)port);
    ws->error =
        uv_getaddrinfo(ws->hub->loop, &ws->dial->resolve, on_resolved, name, service, &hints);
    if (ws->error < 0) {
        return ws->error == UV_ENOMEM ? HWS_ERR_MEMORY : HWS_ERR_RESOLVE;
    }
    return HWS_OK;
}

static hws_status start(hws_uv *ws, hws_text url, const hws_uri *uri,
                        const hws_client_config *client) {
    hws_status status = make_dial(ws, url, uri, client);
    if (status == HWS_OK) {
        status = hws_endpoint_connect(&ws->endpoint, &ws->dial->ask);
    }
    return status == HWS_OK
               ? resolve(ws, hws_span_text((const uint8_t *)url.data, uri->host), uri->port)
               : status;
}

hws_status hws_uv_hub_connect(hws_uv_hub *hub, const char *url, const hws_client_config *client,
                              void *user, hws_uv **ws) {
    hws_text text = hws_text_from(url);
    const hws_filter *filter = NULL;
    hws_client_config none;
    hws_uv *made = NULL;
    hws_uri uri;
    hws_status status = hws_uri_parse(text, &uri);
    hws_client_config_init(&none);
    client = client != NULL ? client : &none;
    if (client->size != sizeof *client) {
        return HWS_ERR_ARGUMENT;
    }
    if (hub->closing) {
        return HWS_ERR_STATE;
    }
    if (status != HWS_OK) {
        return status;
    }
    if (uri.host.len >= HOST_BYTES) {
        return HWS_ERR_RESOLVE;
    }
    filter = uri.secure ? hub->config.client_filter : NULL;
    if (uri.secure && filter == NULL) {
        return HWS_ERR_TLS;
    }
    uv_update_time(hub->loop); /* the program may have been busy: the open timeout starts now */
    status = hws__uv_make(hub, HWS_ROLE_CLIENT, filter,
                          hws_span_text((const uint8_t *)url, uri.host), &made);
    if (status != HWS_OK) {
        return status;
    }
    status = start(made, text, &uri, client);
    if (status != HWS_OK) {
        hws__uv_unmake(made);
        return status;
    }
    made->user = user;
    made->refs++; /* the request of resolving */
    hws__uv_enter(made);
    if (ws != NULL) {
        *ws = made;
    }
    return HWS_OK;
}
