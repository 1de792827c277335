/*
 * What goes out of an endpoint: replies into the queue, the queue to the caller, and what he is to
 * do with the socket. Must not know what the application sends.
 */
#include "endpoint.h"

#include "deflate.h"
#include "kernel.h"

/* Room for control frames that overtake: three of the longest. */
enum { URGENT_LEN = 3 * (HWS_FRAME_HEADER_MAX + HWS_CONTROL_MAX) };

static void note_frame(hws__endpoint *e, const hws_frame *frame, const uint8_t *payload) {
    hws_counters *counters = e->config->counters;
    uint8_t room[HWS_CONTROL_MAX];

    if (counters != NULL) {
        counters->frames_sent++;
        counters->pings_sent += frame->opcode == HWS_OPCODE_PING;
        counters->pongs_sent += frame->opcode == HWS_OPCODE_PONG;
        counters->messages_sent += frame->fin && frame->opcode < HWS__CONTROL;
    }
    if (e->config->trace != NULL) {
        uint8_t control = frame->opcode >= HWS__CONTROL && frame->payload_len > 0;
        if (control) { /* without a mask its key is zeros */
            hws__mask(room, payload, (size_t)frame->payload_len, frame->mask_key, 0);
        }
        e->config->trace(e->config->trace_user, e, 1, frame, control ? room : NULL);
    }
}

/* Frames are in the queue: count them, tell of them, and look how full it is. The last one's
 * payload may lie elsewhere. */
void hws__endpoint_queued(hws__endpoint *e, const uint8_t *frames, size_t len) {
    size_t i = 0;
    hws_frame frame;

    while (i < len && (e->config->counters != NULL || e->config->trace != NULL)) {
        hws__frame_read(frames + i, &frame);
        note_frame(e, &frame, frames + i + frame.header_len);
        uint64_t left = len - i - frame.header_len;
        i = frame.payload_len < left ? i + frame.header_len + (size_t)frame.payload_len : len;
    }
    hws_keepalive_sent(&e->keepalive, 0, (size_t)hws__queue_waiting(&e->queue));
    if (!e->pressed && e->queue.len >= e->config->high_water) {
        e->pressed = 1;
        hws__endpoint_settle(e);
    }
    hws__endpoint_ready(e);
}

/* Room for control frames: at the end, or while much waits in the block that overtakes, unless that
 * is handed out. NULL when there is none. */
static hws__block *draft_control(hws__endpoint *e, size_t len, uint8_t overtakes) {
    hws__block *urgent = e->queue.urgent;

    if (!overtakes) {
        return hws__queue_draft(&e->queue, &e->config->allocator, len);
    }
    if (urgent == NULL) {
        return hws__queue_draft_alone(&e->config->allocator, URGENT_LEN);
    }
    uint8_t handed_out = e->queue.promised > e->queue.lead;
    return !handed_out && len <= urgent->cap - urgent->len ? urgent : NULL;
}

/* Make what is in the room part of the output. Returns the bytes that go out up to its end. */
static uint64_t commit_control(hws__endpoint *e, hws__block *draft, const uint8_t *room, size_t n,
                               uint8_t overtakes) {
    uint64_t end;

    if (overtakes) {
        hws__queue_overtake(&e->queue, draft, n);
        end = e->queue.lead + e->queue.urgent->len - e->queue.urgent->at;
    } else {
        hws__queue_commit(&e->queue, draft, n, 0);
        end = hws__queue_waiting(&e->queue);
    }
    hws__endpoint_queued(e, room, n);
    hws__endpoint_settle(e); /* it may be a Close */
    return end;
}

/* A control frame overtakes while much waits; but what ends the connection does not, and nothing
 * overtakes that. */
static uint8_t may_overtake(const hws__endpoint *e) {
    return e->pressed && hws_conn_can_receive(&e->conn) && hws_conn_can_send(&e->conn);
}

hws_status hws__endpoint_send_control(hws__endpoint *e, uint8_t type, uint8_t flags,
                                      const uint8_t *data, size_t len) {
    uint8_t overtakes = may_overtake(e);
    size_t need = HWS_FRAME_HEADER_MAX + HWS_CONTROL_MAX;
    size_t cap = 0;
    size_t n = 0;
    hws__block *draft = draft_control(e, need, overtakes);

    if (draft == NULL && overtakes) {
        overtakes = 0;
        draft = draft_control(e, need, 0);
    }
    if (draft == NULL) {
        return HWS_ERR_MEMORY;
    }
    uint8_t *room = hws__draft_room(draft, &cap);
    hws_status status = hws_conn_send(&e->conn, type, flags, data, len, room, cap, &n);
    if (status != HWS_OK) {
        hws__queue_discard(&e->queue, &e->config->allocator, draft);
        return status;
    }
    uint64_t end = commit_control(e, draft, room, n, overtakes);
    if (data == e->ping) {
        e->ping_left = end;
    }
    return HWS_OK;
}

/* The Ping that is due. It stays so while there is no memory or no mask key for it. */
static void put_ping(hws__endpoint *e) {
    hws_status status = hws__endpoint_send_control(e, HWS_PING, HWS_WHOLE, e->ping, sizeof e->ping);

    e->ping_due = status == HWS_ERR_MEMORY || status == HWS_ERR_RANDOM;
}

/* What the protocol owes. It stays owed while there is no memory or no mask key for it. */
static void put_reply(hws__endpoint *e, uint8_t overtakes) {
    size_t cap = 0;
    size_t n = 0;
    hws__block *draft = draft_control(e, hws_conn_reply_len(&e->conn), overtakes);

    if (draft == NULL) {
        return;
    }
    uint8_t *room = hws__draft_room(draft, &cap);
    if (hws_conn_reply(&e->conn, room, cap, &n) != HWS_OK) {
        hws__queue_discard(&e->queue, &e->config->allocator, draft);
        return;
    }
    commit_control(e, draft, room, n, overtakes);
}

/* Queue what is owed. What overtakes waits for the moment of output: the newest Pong is enough. */
void hws__endpoint_replies(hws__endpoint *e, uint8_t at_output) {
    if (e->phase != HWS__OPEN) {
        return;
    }
    if (hws_conn_reply_len(&e->conn) > 0) {
        uint8_t overtakes = may_overtake(e);
        if (!overtakes || at_output) {
            put_reply(e, overtakes);
        }
    }
    if (e->ping_due) {
        put_ping(e);
    }
}

/* --- what to do --- */

uint8_t hws__endpoint_is_over(const hws__endpoint *e) {
    switch (e->phase) {
    case HWS__OVER:
        return 1;
    case HWS__ANSWERED:
        return e->eof && hws__queue_waiting(&e->queue) == 0;
    case HWS__OPEN:
        return hws_conn_socket(&e->conn) == HWS_SOCKET_CLOSE && hws__queue_waiting(&e->queue) == 0;
    }
    return 0;
}

/* Receiving stands still. */
uint8_t hws__endpoint_stands(const hws__endpoint *e) {
    switch (e->phase) {
    case HWS__HEAD:
        return e->paused || hws__is_unasked(e);
    case HWS__WAITS:
        return 1;
    case HWS__OPEN:
        return (e->paused || (e->config->hold_input && e->pressed)) &&
               hws_conn_can_receive(&e->conn);
    }
    return 0;
}

/* Nothing more of a message that is half out will be sent. */
static void end_sending(hws__endpoint *e) {
    if (e->deflate != NULL && (hws__endpoint_is_over(e) || !hws_conn_can_send(&e->conn))) {
        hws__deflate_abandon(e->deflate);
    }
}

/* What follows from the state of things, after each call that may have changed it. */
void hws__endpoint_settle(hws__endpoint *e) {
    uint8_t closing = e->phase == HWS__ANSWERED ||
                      (e->phase == HWS__OPEN &&
                       (!hws_conn_can_send(&e->conn) || !hws_conn_can_receive(&e->conn)));

    if (closing) {
        hws_keepalive_closing(&e->keepalive);
    }
    end_sending(e);
    hws_keepalive_pause(&e->keepalive, hws__endpoint_stands(e) || e->ping_left > 0);
}

uint8_t hws_endpoint_wants(hws_endpoint *endpoint) {
    hws__endpoint *e = hws__endpoint_of(endpoint);

    hws__endpoint_replies(e, 1);
    if (hws__endpoint_is_over(e)) {
        return HWS_WANTS_CLOSE;
    }
    uint8_t wants = hws__queue_waiting(&e->queue) > 0 ? HWS_WANTS_WRITE : 0;
    uint8_t last = e->phase == HWS__ANSWERED ||
                   (e->phase == HWS__OPEN && hws_conn_socket(&e->conn) == HWS_SOCKET_DRAIN);
    if (last && wants == 0) {
        wants = HWS_WANTS_SHUTDOWN;
    }
    if (!hws__endpoint_stands(e) && !e->eof) {
        wants |= HWS_WANTS_READ;
    }
    return wants;
}

/* --- out --- */

size_t hws_endpoint_output(hws_endpoint *endpoint, hws_buffer *buffers, size_t cap) {
    hws__endpoint *e = hws__endpoint_of(endpoint);

    if (e->phase == HWS__OVER) {
        return 0;
    }
    hws__endpoint_replies(e, 1);
    return hws__queue_output(&e->queue, buffers, cap);
}

hws_status hws_endpoint_sent(hws_endpoint *endpoint, size_t len) {
    hws__endpoint *e = hws__endpoint_of(endpoint);

    if (len > e->queue.promised) {
        return HWS_ERR_ARGUMENT;
    }
    if (e->config->counters != NULL) {
        e->config->counters->bytes_sent += len;
    }
    if (e->phase == HWS__OVER) {
        hws__queue_drop(&e->queue, &e->config->allocator);
        hws__endpoint_ready(e);
        return HWS_OK;
    }
    hws__queue_sent(&e->queue, &e->config->allocator, len);
    e->ping_left -= e->ping_left < len ? e->ping_left : len;
    hws_keepalive_sent(&e->keepalive, len, (size_t)hws__queue_waiting(&e->queue));
    uint8_t below = e->queue.len < e->config->low_water;
    if ((below && (e->pressed || e->told)) || e->queue.released != NULL ||
        hws__endpoint_is_over(e)) {
        hws__endpoint_ready(e);
    }
    if (below) {
        e->pressed = 0;
    }
    hws__endpoint_settle(e);
    return HWS_OK;
}

/* All has been said: how the stream ends is no matter any more. */
static uint8_t is_complete(const hws__endpoint *e) {
    hws_closing closing;

    hws_conn_get_closing(&e->conn, &closing);
    return (e->phase == HWS__ANSWERED || closing.clean) && hws__queue_waiting(&e->queue) == 0;
}

void hws__endpoint_abort(hws__endpoint *e, hws_status status) {
    if (e->phase == HWS__OVER) {
        return;
    }
    if (!is_complete(e) && hws_endpoint_status((const hws_endpoint *)(const void *)e) == HWS_OK) {
        e->status = status;
    }
    e->phase = HWS__OVER;
    end_sending(e);
    if (e->queue.promised == 0) {
        hws__queue_drop(&e->queue, &e->config->allocator);
    }
    hws__endpoint_ready(e);
}

hws_status hws_endpoint_abort(hws_endpoint *endpoint, hws_status status) {
    if (status >= 0) {
        return HWS_ERR_ARGUMENT;
    }
    hws__endpoint_abort(hws__endpoint_of(endpoint), status);
    return HWS_OK;
}
