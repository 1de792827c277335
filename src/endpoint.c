/*
 * An endpoint's life, its place on the list of those that have something to do, and what can be
 * asked of it. What happens in between is in endpoint_*.c.
 */
#include "endpoint.h"

#include "bytes.h"
#include "deflate.h"

void hws_endpoint_config_init(hws_endpoint_config *config, uint8_t role) {
    memset(config, 0, sizeof *config);
    config->size = sizeof *config;
    config->role = role;
    config->hold_input = 1;
    config->max_message = HWS_DEFAULT_MAX_MESSAGE;
    config->max_fragments = HWS_DEFAULT_MAX_FRAGMENTS;
    config->max_head = HWS_DEFAULT_MAX_HEAD;
    config->max_line = HWS_DEFAULT_MAX_LINE;
    config->max_fields = HWS_DEFAULT_MAX_FIELDS;
    config->high_water = HWS_DEFAULT_HIGH_WATER;
    config->low_water = HWS_DEFAULT_LOW_WATER;
    config->max_queue = HWS_DEFAULT_MAX_QUEUE;
    config->trim_after_ms = HWS_DEFAULT_TRIM_AFTER_MS;
    hws_keepalive_config_init(&config->keepalive);
}

/* Role and limit of the options are set later, and so do not matter. */
static uint8_t deflate_is_valid(const hws_endpoint_config *config) {
    uint32_t count = hws__offer_count(config);
    uint32_t i = 0;

    if (config->deflate == NULL || !config->deflate->enabled) {
        return 1;
    }
    if (config->deflate_options == NULL) {
        return 0;
    }
    while (i < count && hws__deflate_params_are_good(&config->deflate[i], config->role)) {
        i++;
    }
    hws_deflate_options options = *config->deflate_options;
    options.role = config->role;
    return i == count && hws__deflate_options_are_good(&options);
}

static uint8_t is_valid(const hws_endpoint_config *config) {
    if (config->size != sizeof *config || config->allocator.alloc == NULL ||
        config->allocator.release == NULL) {
        return 0;
    }
    if (config->max_head == 0 || config->max_line == 0 || config->max_fields == 0) {
        return 0;
    }
    if (config->low_water == 0 || config->low_water > config->high_water ||
        config->high_water > config->max_queue) {
        return 0;
    }
    return deflate_is_valid(config);
}

hws_status hws_endpoint_init(hws_endpoint *endpoint, const hws_endpoint_config *config,
                             uint64_t now_ms) {
    hws__endpoint *e = hws__endpoint_of(endpoint);
    hws_conn_config conn;

    memset(endpoint, 0, sizeof *endpoint);
    if (!is_valid(config)) {
        return HWS_ERR_ARGUMENT;
    }
    hws_conn_config_init(&conn, config->role);
    conn.max_fragments = config->max_fragments;
    conn.random = config->random;
    hws_status status = hws_conn_init(&e->conn, &conn);
    if (status == HWS_OK) {
        e->config = config;
        e->now = now_ms;
        e->streaming = config->streaming;
        hws_keepalive_init(&e->keepalive, now_ms);
    }
    return status;
}

size_t hws_endpoint_size(void) {
    return sizeof(hws_endpoint);
}

/* --- the list of those that have something to do --- */

void hws__endpoint_ready(hws__endpoint *e) {
    hws_ready *ready = e->config->ready;

    if (ready == NULL || e->is_ready) {
        return;
    }
    e->is_ready = 1;
    e->ready_before = NULL;
    e->ready_after = (hws__endpoint *)(void *)ready->first;
    if (e->ready_after != NULL) {
        e->ready_after->ready_before = e;
    }
    ready->first = (hws_endpoint *)(void *)e;
}

static void leave_list(hws__endpoint *e) {
    if (!e->is_ready) {
        return;
    }
    e->is_ready = 0;
    if (e->ready_after != NULL) {
        e->ready_after->ready_before = e->ready_before;
    }
    if (e->ready_before != NULL) {
        e->ready_before->ready_after = e->ready_after;
    } else {
        e->config->ready->first = (hws_endpoint *)(void *)e->ready_after;
    }
}

hws_endpoint *hws_ready_next(hws_ready *ready) {
    hws_endpoint *endpoint = ready->first;

    if (endpoint != NULL) {
        leave_list(hws__endpoint_of(endpoint));
    }
    return endpoint;
}

/* --- the end --- */

void hws__endpoint_drop_message(hws__endpoint *e) {
    e->lent = 0;
    if (e->message.data != NULL) {
        hws__give_back(e, e->message.data);
        hws_message_init(&e->message, NULL, 0);
    }
}

static void drop_deflate(hws__endpoint *e) {
    if (e->deflate != NULL) {
        hws_deflate_release(e->deflate);
        hws__give_back(e, e->deflate);
        e->deflate = NULL;
    }
}

void hws_endpoint_release(hws_endpoint *endpoint) {
    hws__endpoint *e = hws__endpoint_of(endpoint);
    hws_buffer buffer;

    if (e->config == NULL) {
        return;
    }
    leave_list(e);
    hws__endpoint_drop_message(e);
    hws__endpoint_drop_opening(e);
    drop_deflate(e);
    hws__queue_drop(&e->queue, &e->config->allocator);
    while (hws__queue_released(&e->queue, &e->config->allocator, &buffer)) {
    }
    e->phase = HWS__OVER;
    e->ended = 1;
    e->config = NULL;
}

/* --- what can be asked --- */

const hws_conn *hws_endpoint_conn(const hws_endpoint *endpoint) {
    return &hws__endpoint_of_const(endpoint)->conn;
}

const hws_deflate_params *hws_endpoint_deflate(const hws_endpoint *endpoint) {
    return &hws__endpoint_of_const(endpoint)->agreed;
}

uint32_t hws_endpoint_latency_ms(const hws_endpoint *endpoint) {
    return hws_keepalive_latency_ms(&hws__endpoint_of_const(endpoint)->keepalive);
}

hws_status hws_endpoint_status(const hws_endpoint *endpoint) {
    const hws__endpoint *e = hws__endpoint_of_const(endpoint);
    hws_conn_error error;

    if (e->status != HWS_OK) {
        return e->status;
    }
    hws_conn_get_error(&e->conn, &error);
    return error.status;
}

uint8_t hws_endpoint_can_send(const hws_endpoint *endpoint) {
    const hws__endpoint *e = hws__endpoint_of_const(endpoint);

    return e->phase == HWS__OPEN && hws_conn_can_send(&e->conn);
}

uint64_t hws_endpoint_queued(const hws_endpoint *endpoint) {
    return hws__queue_waiting(&hws__endpoint_of_const(endpoint)->queue);
}

const hws_head *hws_endpoint_head(const hws_endpoint *endpoint, const uint8_t **bytes) {
    const hws__endpoint *e = hws__endpoint_of_const(endpoint);

    if (e->opening == NULL || !e->opening->complete) {
        return NULL;
    }
    if (bytes != NULL) {
        *bytes = e->opening->buf;
    }
    return &e->opening->head;
}

const hws_handshake *hws_endpoint_request(const hws_endpoint *endpoint) {
    const hws__endpoint *e = hws__endpoint_of_const(endpoint);

    return e->phase == HWS__WAITS ? &e->opening->handshake : NULL;
}

const hws_accepted *hws_endpoint_accepted(const hws_endpoint *endpoint) {
    const hws__endpoint *e = hws__endpoint_of_const(endpoint);
    const hws_head *head = hws_endpoint_head(endpoint, NULL);

    return head != NULL && e->config->role == HWS_ROLE_CLIENT ? &e->opening->accepted : NULL;
}

/* --- switches --- */

void hws_endpoint_pause(hws_endpoint *endpoint, uint8_t paused) {
    hws__endpoint *e = hws__endpoint_of(endpoint);

    if (e->paused != (paused != 0)) {
        e->paused = paused != 0;
        hws__endpoint_settle(e);
        hws__endpoint_ready(e);
    }
}

void hws_endpoint_stream(hws_endpoint *endpoint, uint8_t streaming) {
    hws__endpoint_of(endpoint)->streaming = streaming != 0;
}

void hws_endpoint_trim(hws_endpoint *endpoint) {
    hws__endpoint *e = hws__endpoint_of(endpoint);

    if (e->deflate != NULL) {
        hws_deflate_trim(e->deflate);
        e->trimmed = 1;
    }
}
