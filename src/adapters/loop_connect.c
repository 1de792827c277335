/*
 * Clients of a loop: a URL taken apart, a name resolved, and its addresses tried one by one without
 * waiting. Must not know what is spoken after that.
 */
#include "system.h"

#include "client_url.h"
#include "loop.h"

/* Host, target and credentials of the URL in the caller's configuration. Its fields and texts lie
 * in one block. */
static hws_status complete(hws__loop *loop, hws__extra *extra, hws_text url, const hws_uri *uri) {
    size_t fields_len = (extra->client.field_count + 1) * sizeof(hws_field);
    extra->asked = hws__loop_take(loop, fields_len + hws__url_texts_cap(url.len));
    if (extra->asked == NULL) {
        return HWS_ERR_MEMORY;
    }
    return hws__client_from_url(&extra->client, url, uri, extra->asked,
                                (uint8_t *)extra->asked + fields_len);
}

static hws_status resolve(hws__loop *loop, hws__extra *extra, hws_text host, uint16_t port) {
    char name[256];
    if (host.len >= sizeof name) {
        return HWS_ERR_RESOLVE;
    }
    memcpy(name, host.data, host.len);
    name[host.len] = '\0';
    extra->addresses = hws__loop_take(loop, HWS__ADDRESSES_MAX * sizeof(hws__address));
    if (extra->addresses == NULL) {
        return HWS_ERR_MEMORY;
    }
    return hws__address_resolve(name, port, 0, extra->addresses, &extra->address_count,
                                &loop->system_error);
}

/* Try the next addresses until one takes the connection, or may still do so. 0: none is left. */
static uint8_t try_next(hws_link *link) {
    hws__extra *extra = link->extra;
    while (extra->address_next < extra->address_count) {
        intptr_t socket = -1;
        hws_status status = hws__socket_connect_begin(&extra->addresses[extra->address_next],
                                                      &socket, &link->system_error);
        extra->address_next++;
        if (status >= 0) {
            link->source.fd = (int)socket;
            link->connecting = status == HWS_NEED_MORE;
            return 1;
        }
    }
    return 0;
}

uint8_t hws__connect_go_on(hws_link *link) {
    if (hws__socket_connect_end(link->source.fd, &link->system_error) == HWS_OK) {
        link->connecting = 0;
        link->system_error = 0;
        return 1;
    }
    hws__waiter_forget(link->loop, &link->source);
    hws__socket_close(link->source.fd);
    link->source.fd = -1;
    if (!try_next(link)) {
        link->connecting = 0;
        hws_endpoint_abort(&link->endpoint, HWS_ERR_CONNECT);
    }
    return !link->connecting;
}

static hws_status open_link(hws__loop *loop, hws_link *link, hws_text url, const hws_uri *uri,
                            const hws_client_config *client) {
    hws__extra *extra = hws__link_extra(link);
    if (extra == NULL) {
        return HWS_ERR_MEMORY;
    }
    hws_client_config_init(&extra->client);
    if (client != NULL) {
        extra->client = *client;
    }
    hws_status status = complete(loop, extra, url, uri);
    if (status == HWS_OK) {
        status = hws_endpoint_connect(&link->endpoint, &extra->client);
    }
    if (status == HWS_OK) {
        status =
            resolve(loop, extra, hws_span_text((const uint8_t *)url.data, uri->host), uri->port);
    }
    if (status == HWS_OK && !try_next(link)) {
        loop->system_error = link->system_error;
        status = HWS_ERR_CONNECT;
    }
    return status;
}

hws_status hws_loop_connect(hws_loop *opaque, const char *url, const hws_endpoint_config *config,
                            const hws_client_config *client, const hws_filter *filter,
                            hws_link **made) {
    hws__loop *loop = hws__loop_of(opaque);
    hws_text text = hws_text_from(url);
    hws_uri uri;
    hws_status status = hws_uri_parse(text, &uri);
    if (status != HWS_OK) {
        return status;
    }
    if (loop->shutting) {
        return HWS_ERR_STATE;
    }
    if (config->role != HWS_ROLE_CLIENT || config->ready != &loop->ready ||
        (client != NULL && client->size != sizeof *client)) {
        return HWS_ERR_ARGUMENT;
    }
    if (uri.secure && filter == NULL) {
        return HWS_ERR_TLS;
    }
    loop->now_ms = hws__loop_clock(loop);
    hws_link *link = NULL;
    status = hws__link_make(loop, config, uri.secure ? filter : NULL,
                            hws_span_text((const uint8_t *)text.data, uri.host), &link);
    if (status != HWS_OK) {
        return status;
    }
    status = open_link(loop, link, text, &uri, client);
    if (status == HWS_OK) {
        status = hws__waiter_set(loop, &link->source, HWS__WRITABLE);
    }
    if (status != HWS_OK) {
        hws__link_free(link);
        return status;
    }
    hws__timer_set(loop, link, hws_endpoint_timeout(&link->endpoint));
    *made = link;
    return HWS_OK;
}
