/*
 * The opening handshake of an endpoint, both sides: heads in and out, and what they come to.
 * Knows handshakes by their public face; must not know frames.
 */
#include "endpoint.h"

#include "bytes.h"

/* What a head of ours takes at first, and the largest that is tried: the caller gives its fields.
 */
enum { HEAD_MIN = 512, HEAD_MAX = 65536 };

/* Memory for the opening handshake. NULL when there is none. */
hws__opening *hws__endpoint_begin(hws__endpoint *e) {
    size_t headers_len = e->config->max_fields * sizeof(hws_header);
    hws__opening *o = hws__take(e, sizeof *o + headers_len);

    if (o == NULL) {
        return NULL;
    }
    memset(o, 0, sizeof *o);
    uint8_t kind = e->config->role == HWS_ROLE_SERVER ? HWS_HEAD_REQUEST : HWS_HEAD_RESPONSE;
    hws_head_init(&o->head, kind, (hws_header *)(void *)(o + 1), e->config->max_fields);
    o->head.max_head = e->config->max_head;
    o->head.max_line = e->config->max_line;
    e->opening = o;
    return o;
}

void hws__endpoint_drop_opening(hws__endpoint *e) {
    if (e->opening != NULL) {
        hws__give_back(e, e->opening->buf);
        hws__give_back(e, e->opening->extensions);
        hws__give_back(e, e->opening);
        e->opening = NULL;
    }
}

uint8_t hws__endpoint_deflates(const hws__endpoint *e) {
    return e->config->deflate != NULL && e->config->deflate->enabled;
}

/* A list of extensions that starts with the application's, and has room for `count` offers or
 * answers behind them. NULL when there is no memory. */
uint8_t *hws__endpoint_begin_list(const hws__endpoint *e, hws_text own, uint32_t count, size_t *cap,
                                  size_t *n) {
    uint64_t need = own.len + 2 + (uint64_t)HWS_DEFLATE_TEXT_MAX * count;
    uint8_t *list = need > SIZE_MAX / 2 ? NULL : hws__take(e, (size_t)need);
    hws__writer w = {list, (size_t)need, 0, 0};

    if (list != NULL && own.len > 0) {
        hws__write(&w, own.data, own.len);
        hws__write(&w, ", ", 2);
    }
    *cap = w.cap;
    *n = w.n;
    return list;
}

/* Room for a head of ours. `status` is what writing it came to, at first HWS_ERR_SPACE: then there
 * is room for it, twice as much each time, and the result is HWS_MORE: write it, and call again.
 * Any other result is the end; with HWS_OK the head is in the draft. */
hws_status hws__head_room(const hws__endpoint *e, hws__head_draft *d, hws_status status) {
    const hws_allocator *a = &e->config->allocator;

    if (status == HWS_OK) {
        return HWS_OK;
    }
    hws__give_back(e, d->draft);
    if (status != HWS_ERR_SPACE) {
        return status;
    }
    d->head_len = d->draft == NULL ? HEAD_MIN : 2 * d->head_len;
    if (d->head_len > HEAD_MAX) {
        return HWS_ERR_FIELD;
    }
    d->draft = hws__queue_draft_alone(a, d->head_len + d->body_len);
    if (d->draft == NULL) {
        return HWS_ERR_MEMORY;
    }
    d->n = 0;
    d->room = hws__draft_room(d->draft, &d->cap);
    return HWS_MORE;
}

/* --- open --- */

static hws_status make_deflate(hws__endpoint *e, const hws_deflate_params *agreed) {
    hws_deflate_options options = *e->config->deflate_options;

    options.role = e->config->role;
    options.max_message = e->config->max_message;
    if (options.settings.allocator.alloc == NULL) {
        options.settings.allocator = e->config->allocator;
    }
    hws_deflate *deflate = hws__take(e, sizeof *deflate);
    if (deflate == NULL) {
        return HWS_ERR_MEMORY;
    }
    hws_status status = hws_deflate_init(deflate, agreed, &options);
    if (status != HWS_OK) {
        hws__give_back(e, deflate);
        return status;
    }
    e->deflate = deflate;
    e->trimmed = 1;
    return HWS_OK;
}

/* A count that the peer cannot guess, where there is a source for it. */
static uint32_t make_nonce(const hws__endpoint *e) {
    uint8_t bytes[4] = {0, 0, 0, 0};

    if (e->config->random != NULL) {
        (void)e->config->random(e->config->random_user, bytes, sizeof bytes);
    }
    return hws__load_be32(bytes);
}

/* Everything that frames need, for what was agreed. Fails without a trace. */
hws_status hws__endpoint_start(hws__endpoint *e, const hws_deflate_params *agreed) {
    const hws_endpoint_config *config = e->config;
    hws_conn_config conn;

    if (agreed->enabled) {
        hws_status status = make_deflate(e, agreed);
        if (status != HWS_OK) {
            return status;
        }
    }
    hws_conn_config_init(&conn, config->role);
    conn.compression = agreed->enabled;
    conn.close_sentence = config->close_sentence;
    conn.frame_events = config->trace != NULL;
    conn.max_message = config->max_message;
    conn.max_fragments = config->max_fragments;
    conn.random = config->random;
    conn.random_user = config->random_user;
    hws_conn_init(&e->conn, &conn);
    e->agreed = *agreed;
    e->phase = HWS__OPEN;
    e->was_open = 1;
    hws_rate_init(&e->message_rate, &config->message_rate, e->now);
    hws_rate_init(&e->byte_rate, &config->byte_rate, e->now);
    hws_keepalive_opened(&e->keepalive, make_nonce(e));
    if (config->counters != NULL) {
        config->counters->opened++;
    }
    return HWS_OK;
}

hws_status hws_endpoint_open(hws_endpoint *endpoint, const hws_deflate_params *agreed) {
    hws__endpoint *e = hws__endpoint_of(endpoint);
    static const hws_deflate_params none = {0};

    if (e->phase != HWS__HEAD || e->opening != NULL) {
        return HWS_ERR_STATE;
    }
    if (agreed != NULL && agreed->enabled && !hws__endpoint_deflates(e)) {
        return HWS_ERR_ARGUMENT;
    }
    return hws__endpoint_start(e, agreed == NULL ? &none : agreed);
}

/* --- answers of a server --- */

/* RFC 9110 9.3.2: an answer to HEAD ends with its head. */
static uint8_t is_for_head(const hws__endpoint *e) {
    const hws__opening *o = e->opening;

    return o != NULL && o->head.method.len == 4 &&
           memcmp(o->buf + o->head.method.offset, "HEAD", 4) == 0;
}

/* The request has got another answer than 101: that goes out, and nothing more. */
static void end_with_answer(hws__endpoint *e, hws__block *draft, size_t n) {
    hws__queue_commit(&e->queue, draft, n, 1);
    hws__endpoint_drop_opening(e);
    e->phase = HWS__ANSWERED;
    if (e->config->counters != NULL) {
        e->config->counters->refused++;
    }
    hws__endpoint_queued(e, NULL, 0);
    hws__endpoint_settle(e);
}

hws_status hws__endpoint_respond(hws__endpoint *e, uint16_t status, const hws_field *fields,
                                 size_t count, const uint8_t *body, size_t body_len) {
    hws__head_draft d = {.body_len = body == NULL ? 0 : body_len};
    hws_status result = hws__head_room(e, &d, HWS_ERR_SPACE);

    while (result == HWS_MORE) {
        result = hws_response_write(status, fields, count, body, body_len, d.room, d.cap, &d.n);
        result = hws__head_room(e, &d, result);
    }
    if (result == HWS_OK) {
        end_with_answer(e, d.draft, d.n);
    }
    return result;
}

hws_status hws_endpoint_respond(hws_endpoint *endpoint, uint16_t status, const hws_field *fields,
                                size_t count, const uint8_t *body, size_t body_len) {
    hws__endpoint *e = hws__endpoint_of(endpoint);

    if (e->phase != HWS__WAITS) {
        return HWS_ERR_STATE;
    }
    if (body_len > e->config->max_queue || body_len > SIZE_MAX / 2) {
        return HWS_ERR_FULL;
    }
    return hws__endpoint_respond(e, status, fields, count, is_for_head(e) ? NULL : body, body_len);
}

/* Refuse a request for a fault of it; without memory it just ends. */
void hws__endpoint_answer(hws__endpoint *e, hws_status status) {
    const hws_allocator *a = &e->config->allocator;
    size_t cap = 0;
    size_t n = 0;
    hws__block *draft = hws__queue_draft_alone(a, HEAD_MIN);

    if (draft == NULL) {
        hws__endpoint_abort(e, status);
        return;
    }
    uint8_t *room = hws__draft_room(draft, &cap);
    (void)hws_handshake_reject(status, room, cap, &n); /* there is room for all of them */
    if (is_for_head(e)) {
        n -= hws_text_from(hws_status_sentence(status)).len;
    }
    e->status = status;
    end_with_answer(e, draft, n);
}

static hws_status write_accept(hws__endpoint *e, const hws_accept_config *accept,
                               const hws_deflate_params *agreed) {
    const hws__opening *o = e->opening;
    hws__head_draft d = {0};
    hws_status status = hws__head_room(e, &d, HWS_ERR_SPACE);

    while (status == HWS_MORE) {
        status = hws_handshake_accept(&o->handshake, &o->head, o->buf, accept, d.room, d.cap, &d.n);
        if (status == HWS_OK) {
            status = hws__endpoint_start(e, agreed);
        }
        status = hws__head_room(e, &d, status);
    }
    if (status == HWS_OK) {
        hws__queue_commit(&e->queue, d.draft, d.n, 1);
    }
    return status;
}

/* Accept with what compression comes to. */
static hws_status accept_upgrade(hws__endpoint *e, const hws_accept_config *accept) {
    const hws__opening *o = e->opening;
    hws_deflate_params agreed = {0};
    hws_accept_config answer = *accept;
    uint8_t *list = NULL;
    hws_status status = HWS_OK;
    size_t cap;
    size_t n;

    if (hws__endpoint_deflates(e)) {
        list = hws__endpoint_begin_list(e, accept->extensions, 1, &cap, &n);
        status = list == NULL ? HWS_ERR_MEMORY
                              : hws_deflate_accept(e->config->deflate, &o->head, o->buf, &agreed,
                                                   list, cap, &n);
    }
    if (agreed.enabled) {
        answer.extensions = (hws_text){(const char *)list, n};
    }
    if (status == HWS_OK) {
        status = write_accept(e, &answer, &agreed);
    }
    hws__give_back(e, list);
    return status;
}

hws_status hws_endpoint_accept(hws_endpoint *endpoint, const hws_accept_config *accept) {
    hws__endpoint *e = hws__endpoint_of(endpoint);

    if (e->phase != HWS__WAITS) {
        return HWS_ERR_STATE;
    }
    if (e->opening->handshake.kind != HWS_REQUEST_UPGRADE) {
        hws_status status = hws__endpoint_respond(e, 426, NULL, 0, NULL, 0);
        return status == HWS_OK ? HWS_ERR_UPGRADE : status;
    }
    hws_status status = accept_upgrade(e, accept);
    if (status == HWS_ERR_ORIGIN) {
        hws__endpoint_answer(e, status);
    }
    if (status == HWS_OK) {
        hws__endpoint_drop_opening(e);
        e->open_due = 1;
        hws__endpoint_queued(e, NULL, 0);
    }
    return status;
}
