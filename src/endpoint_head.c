/*
 * Heads that arrive at an endpoint, and the request that a client's sends. Knows where a head ends
 * and who judges it; must not know what the application answers.
 */
#include "endpoint.h"

#include "bytes.h"

/* --- the request of a client --- */

/* The extensions that are asked for: those of the caller, and the offer to compress. */
static hws_status offer(const hws__endpoint *e, hws__opening *o) {
    uint32_t count = hws__offer_count(e->config);
    size_t cap;
    size_t n;

    if (!hws__endpoint_deflates(e)) {
        return HWS_OK;
    }
    o->extensions = hws__endpoint_begin_list(e, o->client.extensions, count, &cap, &n);
    if (o->extensions == NULL) {
        return HWS_ERR_MEMORY;
    }
    hws_status status = hws_deflate_offer(e->config->deflate, count, o->extensions, cap, &n);
    o->client.extensions = (hws_text){(const char *)o->extensions, n};
    return status;
}

static hws_status write_request(hws__endpoint *e, hws__opening *o) {
    const hws_endpoint_config *config = e->config;
    hws__head_draft d = {0};
    hws_status status = hws__head_room(e, &d, HWS_ERR_SPACE);

    while (status == HWS_MORE) {
        status = hws_handshake_request(&o->client, config->random, config->random_user, &o->key,
                                       d.room, d.cap, &d.n);
        status = hws__head_room(e, &d, status);
    }
    if (status == HWS_OK) {
        hws__queue_commit(&e->queue, d.draft, d.n, 1);
    }
    return status;
}

hws_status hws_endpoint_connect(hws_endpoint *endpoint, const hws_client_config *client) {
    hws__endpoint *e = hws__endpoint_of(endpoint);

    if (e->phase != HWS__HEAD || e->opening != NULL || e->config->role != HWS_ROLE_CLIENT) {
        return HWS_ERR_STATE;
    }
    hws__opening *o = hws__endpoint_begin(e);
    if (o == NULL) {
        return HWS_ERR_MEMORY;
    }
    o->client = *client;
    hws_status status = offer(e, o);
    if (status == HWS_OK) {
        status = write_request(e, o);
    }
    if (status != HWS_OK) {
        hws__endpoint_drop_opening(e);
        return status;
    }
    hws__endpoint_queued(e, NULL, 0);
    return HWS_OK;
}

/* --- a head that arrives --- */

static uint8_t grow(hws__endpoint *e, hws__opening *o, uint32_t need) {
    uint32_t cap = o->cap > need / 2 ? o->cap * 2 : need;

    cap = cap > e->config->max_head ? e->config->max_head : cap;
    uint8_t *buf = hws__take(e, cap);
    if (buf == NULL) {
        return 0;
    }
    if (o->len > 0) {
        memcpy(buf, o->buf, o->len);
    }
    hws__give_back(e, o->buf);
    o->buf = buf;
    o->cap = cap;
    return 1;
}

/* Keep what came of the head, up to its limit. Returns the bytes kept. */
static uint32_t keep(hws__endpoint *e, hws__opening *o, const uint8_t *src, size_t len) {
    uint32_t left = e->config->max_head - o->len;
    uint32_t n = len < left ? (uint32_t)len : left;

    if (n > o->cap - o->len && !grow(e, o, o->len + n)) {
        return 0;
    }
    memcpy(o->buf + o->len, src, n);
    o->len += n;
    return n;
}

static hws_status judge_request(hws__endpoint *e, hws__opening *o) {
    hws_status status = hws_handshake_parse(&o->head, o->buf, &o->handshake);

    if (status == HWS_OK) {
        e->phase = HWS__WAITS;
    }
    return status;
}

static hws_status judge_response(hws__endpoint *e, hws__opening *o) {
    hws_deflate_params agreed = {0};
    hws_status status = hws_handshake_verify(&o->client, &o->key, &o->head, o->buf, &o->accepted);

    if (status == HWS_OK && o->extensions != NULL) {
        status = hws_deflate_verify(e->config->deflate, hws__offer_count(e->config), &o->head,
                                    o->buf, &agreed);
    }
    if (status == HWS_OK) {
        status = hws__endpoint_start(e, &agreed);
    }
    if (status == HWS_OK) {
        e->open_due = 1;
    }
    return status;
}

/* What was wrong with a head: a server tells, a client just ends. */
static void refuse(hws__endpoint *e, hws_status status) {
    if (e->config->role == HWS_ROLE_SERVER) {
        hws__endpoint_answer(e, status);
    } else {
        hws__endpoint_abort(e, status);
    }
}

/* Take what belongs to the head. Bytes behind it stay with the caller. */
void hws__endpoint_receive_head(hws__endpoint *e, const uint8_t *buf, size_t len, size_t *used) {
    hws__opening *o = e->opening == NULL ? hws__endpoint_begin(e) : e->opening;
    uint32_t before = o == NULL ? 0 : o->len;

    if (o == NULL || keep(e, o, buf + *used, len - *used) == 0) {
        *used = len;
        hws__endpoint_abort(e, HWS_ERR_MEMORY);
        return;
    }
    hws_status status = hws_head_parse(&o->head, o->buf, o->len);
    if (status == HWS_NEED_MORE) {
        *used += o->len - before;
        return;
    }
    *used += o->head.head_len - before;
    if (status == HWS_OK) {
        o->complete = 1;
        status = e->config->role == HWS_ROLE_SERVER ? judge_request(e, o) : judge_response(e, o);
    }
    if (status != HWS_OK) {
        refuse(e, status);
    }
}
