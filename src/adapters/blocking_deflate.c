/*
 * Agreeing on compression while a connection over blocking sockets opens, and giving back its
 * memory later. deflate.h knows how the parameters are written and judged; this file knows where
 * the texts go, and makes the connection anew when something was agreed. Must not know frames,
 * sockets, or the codec.
 */
#include "blocking.h"

#include <string.h>

hws_status hws__blocking_plan_deflate(hws__blocking *b, const hws_blocking_config *config) {
    hws_deflate_params largest;
    if (config->deflate == NULL || !config->deflate->enabled) {
        return HWS_OK;
    }
    if (config->deflate_options == NULL) {
        return HWS_ERR_ARGUMENT;
    }
    b->wanted = *config->deflate;
    b->deflate_options = *config->deflate_options;
    b->deflate_options.role = b->role;
    b->deflate_options.max_message = config->max_message;
    /* So that a mistake is found before the peer is told anything. */
    hws_deflate_params_init(&largest, HWS_DEFLATE_BEST);
    return hws_deflate_init(&b->deflate, &largest, &b->deflate_options);
}

/* Start a list in `room` with the extensions of the caller. RFC 6455 9.1. */
static hws_status begin_list(hws__blocking *b, hws_text extensions, size_t *n) {
    static const uint8_t comma[2] = {',', ' '};
    if (extensions.len == 0) {
        return HWS_OK;
    }
    if (extensions.len > b->room_cap - sizeof comma) {
        return HWS_ERR_SPACE;
    }
    memcpy(b->room, extensions.data, extensions.len);
    memcpy(b->room + extensions.len, comma, sizeof comma);
    *n = extensions.len + sizeof comma;
    return HWS_OK;
}

static hws_text list_text(const hws__blocking *b, size_t n) {
    return (hws_text){(const char *)b->room, n};
}

/* Whether RSV1 has a meaning is said to a connection when it is made. No frame has come so far. */
static hws_status begin_frames(hws__blocking *b) {
    hws_status status = hws_deflate_init(&b->deflate, &b->agreed, &b->deflate_options);
    b->conn_config.compression = b->agreed.enabled;
    return status == HWS_OK ? hws_conn_init(&b->conn, &b->conn_config) : status;
}

static size_t count_offers(const hws_blocking_config *config) {
    return config->deflate_count > 0 ? config->deflate_count : 1;
}

hws_status hws__blocking_offer_deflate(hws__blocking *b, const hws_blocking_config *config,
                                       hws_text *extensions) {
    size_t n = 0;
    hws_status status = HWS_OK;
    if (!b->wanted.enabled) {
        return HWS_OK;
    }
    status = begin_list(b, *extensions, &n);
    if (status == HWS_OK) {
        status = hws_deflate_offer(config->deflate, count_offers(config), b->room, b->room_cap, &n);
    }
    *extensions = list_text(b, n);
    return status;
}

hws_status hws__blocking_verify_deflate(hws__blocking *b, const hws_blocking_config *config) {
    hws_status status = HWS_OK;
    if (!b->wanted.enabled) {
        return HWS_OK;
    }
    status = hws_deflate_verify(config->deflate, count_offers(config), &b->head, b->in, &b->agreed);
    return status == HWS_OK ? begin_frames(b) : status;
}

hws_status hws__blocking_accept_deflate(hws__blocking *b, hws_text *extensions) {
    size_t n = 0;
    hws_status status = HWS_OK;
    if (!b->wanted.enabled) {
        return HWS_OK;
    }
    status = begin_list(b, *extensions, &n);
    if (status == HWS_OK) {
        status =
            hws_deflate_accept(&b->wanted, &b->head, b->in, &b->agreed, b->room, b->room_cap, &n);
    }
    if (status != HWS_OK) {
        return status;
    }
    if (b->agreed.enabled) {
        *extensions = list_text(b, n);
    }
    return begin_frames(b);
}

void hws_blocking_trim(hws_blocking *ws) {
    hws_deflate_trim(&hws__blocking_of(ws)->deflate);
}
