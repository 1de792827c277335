/*
 * Bytes into an endpoint, events out of it. Knows who parses what, and when a message is whole.
 * Must not know how frames look.
 */
#include "endpoint.h"

#include "bytes.h"

/* Memory of a message that is put together: at first, and how much more than what has arrived. */
enum { MESSAGE_MIN = 1024, MESSAGE_GROWTH = 4, ROOM_LEN = 16384 };

/* --- what happened without bytes --- */

static void fill(hws_event *ev, uint8_t type, const uint8_t *data, size_t len) {
    memset(ev, 0, sizeof *ev);
    ev->type = type;
    ev->flags = HWS_WHOLE;
    ev->data = data;
    ev->len = len;
}

static uint8_t take_notice(hws__endpoint *e, hws_event *ev) {
    hws_buffer buffer;

    if (e->queue.released == NULL && !e->open_due && !e->told) {
        return 0; /* most of the time */
    }
    if (hws__queue_released(&e->queue, &e->config->allocator, &buffer)) {
        fill(ev, HWS_RELEASED, buffer.data, buffer.len);
        return 1;
    }
    if (e->open_due) {
        e->open_due = 0;
        fill(ev, HWS_OPEN, NULL, 0);
        return 1;
    }
    if (e->told && e->queue.len < e->config->low_water && hws_conn_can_send(&e->conn) &&
        e->phase == HWS__OPEN) {
        e->told = 0;
        fill(ev, HWS_DRAIN, NULL, 0);
        return 1;
    }
    return 0;
}

static void fill_end(const hws__endpoint *e, hws_event *ev) {
    const hws__opening *o = e->opening;
    hws_closing closing;

    fill(ev, HWS_END, NULL, 0);
    if (o != NULL && o->complete) { /* a response that was no 101: what came of its body */
        ev->data = o->buf + o->head.head_len;
        ev->len = o->len - o->head.head_len;
    }
    if (e->was_open) {
        hws_conn_get_closing(&e->conn, &closing);
        ev->close_code = closing.code == 0 ? HWS_CLOSE_ABNORMAL : closing.code;
        ev->data = closing.reason;
        ev->len = closing.reason_len;
    }
}

/* The last event, once nothing goes out any more. */
static uint8_t take_end(hws__endpoint *e, hws_event *ev) {
    hws_counters *counters = e->config->counters;

    if (e->ended || !hws__endpoint_is_over(e) || e->queue.promised > 0) {
        return 0;
    }
    hws_status status = hws_endpoint_status((const hws_endpoint *)(const void *)e);
    e->ended = 1;
    e->phase = HWS__OVER;
    if (counters != NULL) {
        counters->ended += e->was_open;
        if (status < 0 && status > -128) {
            counters->errors[-status]++;
        }
    }
    fill_end(e, ev);
    return 1;
}

/* --- messages --- */

/* What the message that is arriving can become at most, as far as that is known: it ends with the
 * frame that has FIN. */
static uint64_t most_of_message(const hws__endpoint *e, size_t need) {
    hws_frame frame;

    hws_conn_get_frame(&e->conn, &frame);
    if (e->deflate != NULL || !frame.fin) {
        return e->config->max_message;
    }
    return e->message.len + need + hws_conn_payload_left(&e->conn);
}

/* More memory for it, in proportion to what has arrived, but not more than it can become. 0 when
 * there is none. */
static uint8_t grow(hws__endpoint *e, size_t need) {
    hws_message *m = &e->message;
    uint64_t most = most_of_message(e, need);
    uint64_t cap = (uint64_t)m->len * MESSAGE_GROWTH;

    cap = cap < MESSAGE_MIN ? MESSAGE_MIN : cap;
    cap = cap > most ? most : cap;
    cap = e->streams ? ROOM_LEN : cap;
    cap = cap < m->len + need ? m->len + need : cap;
    uint8_t *data = cap > SIZE_MAX / 2 ? NULL : hws__take(e, (size_t)cap);
    if (data == NULL) {
        return 0;
    }
    if (m->len > 0) {
        memcpy(data, m->data, m->len);
    }
    hws__give_back(e, m->data);
    hws_message_grow(m, data, (size_t)cap);
    return 1;
}

/* The first piece of a message that is to be whole: keep it. */
static uint8_t keep_piece(hws__endpoint *e, const hws_event *ev) {
    if (ev->len > e->message.cap && !grow(e, ev->len)) {
        return 0;
    }
    memcpy(e->message.data, ev->data, ev->len);
    e->message.len = ev->len;
    return 1;
}

static uint8_t is_between_messages(const hws__endpoint *e) {
    return hws_conn_message_type(&e->conn) == 0 &&
           (e->deflate == NULL || !hws_deflate_pending(e->deflate));
}

static hws_status receive_some(hws__endpoint *e, uint8_t *buf, size_t len, size_t *used,
                               hws_event *ev) {
    hws_message *m = &e->message;

    if (is_between_messages(e)) {
        e->streams = e->streaming;
    }
    if (e->deflate != NULL && e->streams) {
        return hws_deflate_receive(e->deflate, &e->conn, buf, len, used, m->data, m->cap, ev);
    }
    if (e->deflate != NULL) {
        return hws_deflate_receive_message(e->deflate, &e->conn, m, buf, len, used, ev);
    }
    if (e->streams || hws_conn_message_len(&e->conn) == 0) {
        return hws_conn_receive(&e->conn, buf, len, used, ev);
    }
    return hws_message_receive(m, &e->conn, buf, len, used, ev);
}

/* --- what was received --- */

static void trace(const hws__endpoint *e, const hws_event *ev) {
    hws_frame frame = {.fin = 1, .opcode = ev->type, .payload_len = ev->len};
    uint8_t close[HWS_CONTROL_MAX];
    const uint8_t *payload = ev->len > 0 ? ev->data : NULL;

    if (e->config->trace == NULL || ev->type == HWS_TEXT || ev->type == HWS_BINARY) {
        return;
    }
    if (ev->type == HWS_FRAME) {
        hws_conn_get_frame(&e->conn, &frame);
        if (frame.opcode >= HWS_OPCODE_CLOSE) {
            return; /* told with its payload, when that is there */
        }
        payload = NULL;
    } else {
        frame.masked = e->config->role == HWS_ROLE_SERVER;
        frame.header_len = frame.masked ? 6 : 2;
    }
    if (ev->type == HWS_CLOSE && ev->close_code != HWS_CLOSE_NO_CODE) {
        hws__store_be16(close, ev->close_code);
        if (ev->len > 0) {
            memcpy(close + 2, ev->data, ev->len);
        }
        frame.payload_len += 2;
        payload = close;
    }
    e->config->trace(e->config->trace_user, e, 0, &frame, payload);
}

static void count(hws_counters *counters, const hws_event *ev) {
    if (counters != NULL) {
        uint8_t data = ev->type == HWS_TEXT || ev->type == HWS_BINARY;
        counters->pings_received += ev->type == HWS_PING;
        counters->pongs_received += ev->type == HWS_PONG;
        counters->messages_received += data && (ev->flags & HWS_FINAL) != 0;
    }
}

/* Take note of an event. 1 when the application is to see it. */
static uint8_t note(hws__endpoint *e, const hws_event *ev) {
    trace(e, ev);
    count(e->config->counters, ev);
    switch (ev->type) {
    case HWS_FRAME:
        return 0;
    case HWS_PONG:
        hws_keepalive_pong(&e->keepalive, ev->data, ev->len);
        return 1;
    case HWS_PING:
    case HWS_CLOSE:
        return 1;
    }
    if (!e->streams && (ev->flags & HWS_WHOLE) != HWS_WHOLE) {
        if (!keep_piece(e, ev)) {
            hws__endpoint_fail(e, HWS_ERR_MEMORY);
        }
        return 0;
    }
    if ((ev->flags & HWS_FIRST) != 0 &&
        !hws_rate_take(&e->message_rate, &e->config->message_rate, e->now, 1)) {
        hws__endpoint_fail(e, HWS_ERR_RATE);
        return 0;
    }
    hws__endpoint_note_message(e);
    e->lent = 1;
    return 1;
}

/* Take note of bytes that were consumed. 0 when they are too many. RFC 6455 7.4.1. */
static uint8_t note_bytes(hws__endpoint *e, size_t len) {
    hws_counters *counters = e->config->counters;

    if (len == 0) {
        return 1;
    }
    hws_keepalive_received(&e->keepalive, hws_conn_payload_left(&e->conn) > 0);
    if (counters != NULL) {
        counters->bytes_received += len;
        counters->frames_received += hws_conn_frames(&e->conn) - e->frames_counted;
        e->frames_counted = hws_conn_frames(&e->conn);
    }
    if (e->phase != HWS__OPEN || hws_rate_take(&e->byte_rate, &e->config->byte_rate, e->now, len)) {
        return 1;
    }
    hws__endpoint_fail(e, HWS_ERR_RATE);
    return 0;
}

static uint8_t receive_frames(hws__endpoint *e, uint8_t *buf, size_t len, size_t *used,
                              hws_event *ev) {
    while (!hws__endpoint_stands(e)) {
        size_t before = *used;
        hws_status status = receive_some(e, buf, len, used, ev);
        uint8_t allowed = note_bytes(e, *used - before);
        if (status == HWS_EVENT) {
            if (allowed && note(e, ev)) {
                return 1;
            }
        } else if (status == HWS_ERR_MEMORY || (status == HWS_ERR_SPACE && !grow(e, 1))) {
            hws__endpoint_fail(e, HWS_ERR_MEMORY);
        } else if (status != HWS_ERR_SPACE) {
            if (status < 0) {
                *used = len; /* after a fault nothing more is looked at */
            }
            return 0;
        }
    }
    return 0;
}

static uint8_t receive(hws__endpoint *e, uint8_t *buf, size_t len, size_t *used, hws_event *ev) {
    size_t before = *used;

    switch (e->phase) {
    case HWS__HEAD:
        if (*used == len || hws__endpoint_stands(e)) {
            return 0;
        }
        hws__endpoint_receive_head(e, buf, len, used);
        if (e->phase > HWS__OPEN) {
            *used = len;
        }
        note_bytes(e, *used - before);
        if (e->phase == HWS__WAITS) {
            fill(ev, HWS_REQUEST, NULL, 0);
            return 1;
        }
        return 0;
    case HWS__WAITS:
        return 0;
    case HWS__OPEN:
        return receive_frames(e, buf, len, used, ev);
    }
    *used = len; /* nobody looks at it any more */
    note_bytes(e, len - before);
    return 0;
}

/* The end of the stream, behind all that came before it. Where a request waits it is looked at
 * again behind the answer. */
static void take_eof(hws__endpoint *e) {
    if (e->phase == HWS__OPEN) {
        hws_conn_receive_eof(&e->conn);
    } else if (e->phase == HWS__HEAD) {
        hws__endpoint_abort(e, HWS_ERR_EOF);
    }
}

/* The last event has been seen: what it showed is let go. */
static void forget(hws__endpoint *e) {
    if (e->phase == HWS__OPEN && e->opening != NULL && !e->open_due) {
        hws__endpoint_drop_opening(e);
    }
    if ((e->lent && is_between_messages(e)) || !hws_conn_can_receive(&e->conn)) {
        hws__endpoint_drop_message(e);
    }
}

hws_status hws_endpoint_next(hws_endpoint *endpoint, uint8_t *buf, size_t len, size_t *used,
                             hws_event *ev) {
    hws__endpoint *e = hws__endpoint_of(endpoint);

    if (*used > len) {
        return HWS_ERR_ARGUMENT;
    }
    forget(e);
    hws__endpoint_replies(e, 0);
    if (take_notice(e, ev)) {
        return HWS_EVENT;
    }
    if (receive(e, buf, len, used, ev)) {
        return HWS_EVENT;
    }
    if (e->eof && (*used == len || hws__is_unasked(e))) {
        take_eof(e);
    }
    hws__endpoint_replies(e, 0);
    hws__endpoint_settle(e);
    return take_notice(e, ev) || take_end(e, ev) ? HWS_EVENT : HWS_OK;
}

void hws_endpoint_receive_eof(hws_endpoint *endpoint) {
    hws__endpoint *e = hws__endpoint_of(endpoint);

    e->eof = 1;
    hws__endpoint_ready(e);
}
