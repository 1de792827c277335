/*
 * Messages of the application into the queue of an endpoint: copied, referred to, compressed,
 * prepared; and its Close. A call that fails has changed nothing.
 */
#include "endpoint.h"

#include "deflate.h"
#include "prepared.h"

/* Whether so much more may be queued. Only what the application sends is asked for. */
static hws_status judge_room(hws__endpoint *e, uint64_t len) {
    if (len > e->config->max_queue) {
        return HWS_ERR_FULL; /* to be told of room would be to be told in vain */
    }
    if (e->queue.len > e->config->max_queue - len) {
        e->told = 1;
        return HWS_ERR_FULL;
    }
    return HWS_OK;
}

/* What a successful send answers. */
static hws_status answer(hws__endpoint *e, uint8_t type) {
    if (type == HWS_TEXT || type == HWS_BINARY) {
        hws__endpoint_note_message(e);
    }
    if (!e->pressed) {
        return HWS_OK;
    }
    e->told = 1;
    return HWS_BACKPRESSURE;
}

static uint8_t compresses(const hws__endpoint *e, uint8_t type, uint8_t flags, size_t len) {
    return e->deflate != NULL && (type == HWS_TEXT || type == HWS_BINARY) &&
           hws_deflate_compresses(e->deflate, flags, len);
}

/* Bytes of the frame that takes a piece as it is. */
static uint64_t plain_len(const hws__endpoint *e, size_t len) {
    return hws__frame_header_len(len, e->config->role == HWS_ROLE_CLIENT) + (uint64_t)len;
}

/* Bytes that a piece takes at most, with all of its frames. */
static uint64_t room_for(const hws__endpoint *e, uint8_t type, uint8_t flags, size_t len) {
    if (!compresses(e, type, flags, len)) {
        return plain_len(e, len);
    }
    return hws_deflate_bound(len) + HWS_FRAME_HEADER_MAX + HWS_DEFLATE_MIN_SPACE;
}

/* Write into a draft, which has room for all: by the filter where there is one, else by the
 * connection. */
static hws_status write_piece(hws__endpoint *e, uint8_t type, uint8_t flags, const uint8_t *data,
                              size_t len, uint8_t *out, size_t cap, size_t *n) {
    size_t used = 0;

    if (e->deflate == NULL) {
        return hws_conn_send(&e->conn, type, flags & HWS_WHOLE, data, len, out, cap, n);
    }
    return hws_deflate_send(e->deflate, &e->conn, type, flags, data, len, &used, out, cap, n);
}

/* Where nothing was agreed the flags of compression mean nothing, but are judged all the same. */
static uint8_t flags_are_valid(const hws__endpoint *e, uint8_t flags) {
    uint8_t known = HWS_WHOLE;

    if (e->config->deflate != NULL) {
        known |= HWS_COMPRESSED | HWS_UNCOMPRESSED;
    }
    return (flags & ~known) == 0 && hws__wishes_are_good(flags);
}

/* Append what `write_piece` makes of it. */
static hws_status send_copy(hws__endpoint *e, uint8_t type, uint8_t flags, const uint8_t *data,
                            size_t len) {
    const hws_allocator *a = &e->config->allocator;
    uint64_t need = room_for(e, type, flags, len);
    size_t cap = 0;
    size_t n = 0;

    if (need > SIZE_MAX / 2) {
        return HWS_ERR_MEMORY;
    }
    hws__block *draft = hws__queue_draft(&e->queue, a, (size_t)need);
    if (draft == NULL) {
        return HWS_ERR_MEMORY;
    }
    uint8_t *room = hws__draft_room(draft, &cap);
    hws_status status = write_piece(e, type, flags, data, len, room, cap, &n);
    if (status != HWS_OK) {
        hws__queue_discard(&e->queue, a, draft);
        return status;
    }
    hws__queue_commit(&e->queue, draft, n, 0);
    hws__endpoint_queued(e, room, n);
    return HWS_OK;
}

hws_status hws_endpoint_send(hws_endpoint *endpoint, uint8_t type, uint8_t flags,
                             const uint8_t *data, size_t len) {
    hws__endpoint *e = hws__endpoint_of(endpoint);

    if (!hws_endpoint_can_send(endpoint)) {
        return HWS_ERR_STATE;
    }
    if (!flags_are_valid(e, flags)) {
        return HWS_ERR_ARGUMENT;
    }
    hws_status status;
    if (type == HWS_PING || type == HWS_PONG) {
        status = hws__endpoint_send_control(e, type, flags, data, len);
    } else {
        status = judge_room(e, plain_len(e, len));
        status = status == HWS_OK ? send_copy(e, type, flags, data, len) : status;
    }
    if (status == HWS_OK && type == HWS_PING) {
        hws_keepalive_pinged(&e->keepalive, data, len);
    }
    return status == HWS_OK ? answer(e, type) : status;
}

hws_status hws_endpoint_send_ref(hws_endpoint *endpoint, uint8_t type, uint8_t flags, uint8_t *data,
                                 size_t len) {
    hws__endpoint *e = hws__endpoint_of(endpoint);
    const hws_allocator *a = &e->config->allocator;
    size_t cap = 0;
    size_t n = 0;

    if ((type != HWS_TEXT && type != HWS_BINARY) || flags > HWS_WHOLE || len == 0) {
        return HWS_ERR_ARGUMENT;
    }
    if (!hws_endpoint_can_send(endpoint)) {
        return HWS_ERR_STATE;
    }
    if ((flags & HWS_FIRST) == 0 && compresses(e, type, flags, len)) {
        return HWS_ERR_STATE; /* what is referred to is not compressed, and the message is */
    }
    hws_status status = judge_room(e, plain_len(e, len));
    if (status != HWS_OK) {
        return status;
    }
    hws__block *draft = hws__queue_draft(&e->queue, a, HWS_FRAME_HEADER_MAX);
    if (draft == NULL) {
        return HWS_ERR_MEMORY;
    }
    hws__block *block = hws__queue_refer(a, data, len);
    uint8_t *room = hws__draft_room(draft, &cap);
    status = block == NULL
                 ? HWS_ERR_MEMORY
                 : hws_conn_send_in_place(&e->conn, type, flags, data, len, room, cap, &n);
    if (status != HWS_OK) {
        hws__queue_discard(&e->queue, a, draft);
        hws__give_back(e, block);
        return status;
    }
    hws__queue_commit(&e->queue, draft, n, 0);
    hws__queue_append(&e->queue, block);
    hws__endpoint_queued(e, room, n);
    return answer(e, type);
}

/* --- prepared messages --- */

/* The queue is above high_water: do what the caller wants then. */
static hws_status be_slow(hws__endpoint *e, uint8_t slow) {
    if (slow == HWS_SLOW_SKIP) {
        e->told = 1;
        return HWS_ERR_FULL;
    }
    if (slow == HWS_SLOW_DROP) {
        hws__endpoint_abort(e, HWS_ERR_SLOW);
    } else {
        hws__queue_cut(&e->queue, &e->config->allocator);
        hws__endpoint_fail(e, HWS_ERR_SLOW);
        if (hws_conn_can_send(&e->conn)) {
            /* No memory for the Close: nothing may come behind what was dropped. */
            hws__endpoint_abort(e, HWS_ERR_SLOW);
        }
    }
    return HWS_ERR_SLOW;
}

hws_status hws_endpoint_send_prepared(hws_endpoint *endpoint, hws_prepared *prepared,
                                      uint8_t slow) {
    hws__endpoint *e = hws__endpoint_of(endpoint);
    hws_buffer frame;

    if (slow > HWS_SLOW_CLOSE) {
        return HWS_ERR_ARGUMENT;
    }
    hws_status status = e->phase == HWS__OPEN
                            ? hws_prepared_frame(prepared, &e->conn, e->deflate, &frame)
                            : HWS_ERR_STATE;
    if (status != HWS_OK) {
        return status;
    }
    if (e->queue.len >= e->config->high_water) {
        return be_slow(e, slow);
    }
    status = judge_room(e, frame.len);
    if (status != HWS_OK) {
        return status;
    }
    hws__block *block = hws__queue_refer(&e->config->allocator, frame.data, frame.len);
    if (block == NULL) {
        return HWS_ERR_MEMORY;
    }
    hws_prepared_sent(prepared, e->deflate);
    block->prepared = hws_prepared_retain(prepared);
    hws__queue_append(&e->queue, block);
    hws__endpoint_queued(e, frame.data, frame.len);
    return answer(e, prepared->type);
}

/* --- the Close --- */

/* Queue it; with `now` in place of what waits. It gets a block of its own, so that nothing has
 * changed until it is written. */
static hws_status put_close(hws__endpoint *e, uint16_t code, const uint8_t *reason, size_t len,
                            uint8_t now) {
    const hws_allocator *a = &e->config->allocator;
    size_t cap = 0;
    size_t n = 0;

    if (e->phase != HWS__OPEN || !hws_conn_can_send(&e->conn)) {
        return HWS_ERR_STATE;
    }
    hws__block *draft = hws__queue_draft_alone(a, HWS_FRAME_HEADER_MAX + HWS_CONTROL_MAX);
    if (draft == NULL) {
        return HWS_ERR_MEMORY;
    }
    uint8_t *room = hws__draft_room(draft, &cap);
    hws_status status = hws_conn_close(&e->conn, code, reason, len, room, cap, &n);
    if (status != HWS_OK) {
        hws__queue_discard(&e->queue, a, draft);
        return status;
    }
    if (now) {
        hws__queue_cut(&e->queue, a);
    }
    hws__queue_commit(&e->queue, draft, n, 0);
    hws__endpoint_queued(e, room, n);
    hws__endpoint_settle(e);
    return HWS_OK;
}

hws_status hws_endpoint_close(hws_endpoint *endpoint, uint16_t code, const uint8_t *reason,
                              size_t len) {
    return put_close(hws__endpoint_of(endpoint), code, reason, len, 0);
}

hws_status hws_endpoint_close_now(hws_endpoint *endpoint, uint16_t code, const uint8_t *reason,
                                  size_t len) {
    return put_close(hws__endpoint_of(endpoint), code, reason, len, 1);
}

/* The Close that tells of a status, with its sentence. */
static hws_status tell(hws__endpoint *e, hws_status status) {
    const char *sentence = hws_status_sentence(status);

    return put_close(e, hws_status_close_code(status), (const uint8_t *)sentence,
                     hws_text_from(sentence).len, 0);
}

/* Fail an open connection (RFC 6455 7.1.7): the Close is queued, with the sentence of what
 * happened. */
void hws__endpoint_fail(hws__endpoint *e, hws_status status) {
    uint16_t code = hws_status_close_code(status);

    if (hws_conn_fail(&e->conn, code == 0 ? HWS_ERR_INTERNAL : status) != HWS_OK) {
        return;
    }
    e->status = status;
    if (code != 0) {
        tell(e, status);
    }
    hws__endpoint_settle(e);
    hws__endpoint_ready(e);
}

void hws_endpoint_go_away(hws_endpoint *endpoint) {
    hws__endpoint *e = hws__endpoint_of(endpoint);

    if (e->phase < HWS__OPEN) {
        hws__endpoint_abort(e, HWS_ERR_CLOSED);
    }
    hws_status status = put_close(e, HWS_CLOSE_GOING_AWAY, NULL, 0, 0);
    if (status != HWS_OK && status != HWS_ERR_STATE) {
        hws__endpoint_abort(e, status); /* no memory or no mask key, even for a Close */
    }
}

/* Nobody is at fault: the closing handshake (RFC 6455 7.1.2), and the peer's Close is waited for.
 * Where ours cannot be written it fails. */
void hws__endpoint_leave(hws__endpoint *e, hws_status status) {
    if (tell(e, status) == HWS_OK) {
        e->status = status;
        return;
    }
    hws__endpoint_fail(e, status);
}
