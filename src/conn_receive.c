/*
 * The public face of receiving: short cuts for what nearly all bytes are, and the steps of conn.c
 * for the rest. A short cut judges nothing: what it takes is good by every rule and limit, and it
 * leaves the connection as the steps would, as far as anybody can see. The tests compare both. Must
 * not know sockets, time or the handshake.
 */
#include "conn.h"

/* A message in one frame, all of which is there. */
typedef struct sight {
    size_t header_len; /* 0: there is none, or it is for the steps to decide */
    size_t len;        /* of the payload */
    uint8_t first;     /* HWS__FIN and the type */
} sight;

enum { WHOLE_HEADER = 8, KEY = 4 }; /* bytes of the longest header looked at, and of a key */

/* The common case, seen at once. `mask` is a constant: the mask bit of received frames. RFC 6455
 * 5.2. */
static HWS__INLINE sight look(const hws__conn *c, const uint8_t *src, size_t len, size_t i,
                              uint8_t mask) {
    const sight nothing = {0, 0, 0};

    if (i > len || len - i < WHOLE_HEADER || (c->state | c->message_in | c->frame_events) != 0) {
        return nothing;
    }
    size_t n = src[i + 1] ^ mask;
    size_t header_len = mask != 0 ? 2 + KEY : 2;
    if (n >= HWS__LEN16) {
        if (n > HWS__LEN16) {
            return nothing; /* 64 bits of length, or the mask bit is wrong */
        }
        n = hws__load_be16(src + i + 2);
        header_len += 2;
        if (n < HWS__LEN16) {
            return nothing;
        }
    }
    if (n > len - i - header_len || n > c->max_message ||
        (src[i] != (HWS__FIN | HWS_TEXT) && src[i] != (HWS__FIN | HWS_BINARY))) {
        return nothing;
    }
    return (sight){header_len, n, src[i]};
}

/* All is told before the payload is moved: then nothing has to be kept over the call that moves it.
 */
static HWS__INLINE void tell_whole(hws__conn *c, uint8_t type, size_t header_len, size_t n,
                                   uint8_t *data, size_t *used, hws_event *ev) {
    ev->type = type;
    ev->flags = HWS_WHOLE;
    ev->close_code = 0;
    ev->data = data;
    ev->len = n;
    c->frames++;
    c->offset += header_len + n;
    *used += header_len + n;
}

/* Text of which all has been told: what is bad is taken back. It is a whole message where a frame
 * starts, else from the middle of a frame. RFC 6455 5.6, 8.1. */
static HWS__NOINLINE hws_status take_text(hws__conn *c, uint8_t *dst, const uint8_t *src, size_t n,
                                          size_t *used) {
    uint8_t whole = c->state == HWS__FIRST_BYTE;
    const uint8_t *key = whole ? src - (hws__is_client(c) ? 0 : KEY) : c->mask_key;
    uint32_t phase = whole ? 0 : (uint32_t)(c->payload_at - n);
    size_t good = hws__conn_move_text(c, dst, src, n, key, phase);

    if (good < n || (whole && c->text_in != HWS_UTF8_ACCEPT)) {
        size_t too_much = good < n ? n - good - 1 : 0;
        c->offset -= too_much;
        *used -= too_much;
        return hws__conn_fail(c, HWS_ERR_UTF8);
    }
    return HWS_EVENT;
}

/* Receives what was seen. `mask` as above. */
static HWS__INLINE hws_status receive_whole(hws__conn *c, sight w, uint8_t *data,
                                            const uint8_t *payload, size_t *used, hws_event *ev,
                                            uint8_t mask) {
    if (w.first == (HWS__FIN | HWS_TEXT)) {
        tell_whole(c, HWS_TEXT, w.header_len, w.len, data, used, ev);
        return take_text(c, data, payload, w.len, used);
    }
    tell_whole(c, HWS_BINARY, w.header_len, w.len, data, used, ev);
    if (mask != 0) {
        hws__mask(data, payload, w.len, payload - KEY, 0);
    } else if (data != payload && w.len > 0) {
        memmove(data, payload, w.len);
    }
    return HWS_EVENT;
}

/* The next common case: bytes from the middle of a payload, in place. */
static HWS__NOINLINE hws_status receive_piece(hws__conn *c, uint8_t *buf, size_t len, size_t *used,
                                              hws_event *ev) {
    size_t i = *used;
    size_t n = len - i;

    if (c->state != HWS__PAYLOAD || i > len || n >= c->payload_len - c->payload_at) {
        return hws__conn_steps(c, buf, buf, len, used, NULL, 0, ev);
    }
    if (n == 0) {
        return HWS_OK;
    }
    uint8_t text = c->message_in == HWS_TEXT && (c->message_flags & HWS_COMPRESSED) == 0;
    uint32_t phase = (uint32_t)c->payload_at;
    *ev = (hws_event){c->message_in, c->message_flags, 0, buf + i, n};
    c->message_flags &= HWS_COMPRESSED;
    c->message_len += n;
    c->payload_at += n;
    c->offset += n;
    *used = len;
    if (text) {
        return take_text(c, buf + i, buf + i, n, used);
    }
    if (!hws__is_client(c)) {
        hws__mask(buf + i, buf + i, n, c->mask_key, phase);
    }
    return HWS_EVENT;
}

static HWS__INLINE hws_status receive_in_place(hws__conn *c, uint8_t *buf, size_t len, size_t *used,
                                               hws_event *ev, uint8_t mask) {
    sight w = look(c, buf, len, *used, mask);

    if (w.header_len == 0) {
        return receive_piece(c, buf, len, used, ev);
    }
    uint8_t *payload = buf + *used + w.header_len;
    return receive_whole(c, w, payload, payload, used, ev, mask);
}

hws_status hws_conn_receive(hws_conn *conn, uint8_t *buf, size_t len, size_t *used, hws_event *ev) {
    hws__conn *c = hws__conn_of(conn);

    return hws__is_client(c) ? receive_in_place(c, buf, len, used, ev, 0)
                             : receive_in_place(c, buf, len, used, ev, HWS__MASK);
}

static HWS__INLINE hws_status receive_away(hws__conn *c, const uint8_t *src, size_t len,
                                           size_t *used, uint8_t *dst, size_t cap, hws_event *ev,
                                           uint8_t mask) {
    sight w = look(c, src, len, *used, mask);

    if (w.header_len == 0 || w.len > cap) {
        return hws__conn_steps(c, src, NULL, len, used, dst, cap, ev);
    }
    return receive_whole(c, w, dst, src + *used + w.header_len, used, ev, mask);
}

hws_status hws_conn_receive_into(hws_conn *conn, const uint8_t *src, size_t len, size_t *used,
                                 uint8_t *dst, size_t cap, hws_event *ev) {
    hws__conn *c = hws__conn_of(conn);

    return hws__is_client(c) ? receive_away(c, src, len, used, dst, cap, ev, 0)
                             : receive_away(c, src, len, used, dst, cap, ev, HWS__MASK);
}

static void record_event(const hws__conn *c, const uint8_t *buf, const hws_event *ev,
                         hws_record *record) {
    memset(record, 0, sizeof *record);
    record->len = ev->len;
    record->close_code = ev->close_code;
    record->type = ev->type;
    record->flags = ev->flags;
    if (ev->type == HWS_FRAME) {
        return;
    }
    if (ev->data == c->control || ev->data == c->control + 2) {
        record->source = HWS_SOURCE_CONN;
        record->offset = (uint64_t)(ev->data - (const uint8_t *)c);
        return;
    }
    record->offset = ev->len > 0 ? (uint64_t)(ev->data - buf) : 0;
}

hws_status hws_conn_receive_batch(hws_conn *conn, uint8_t *buf, size_t len, size_t *used,
                                  hws_record *records, size_t cap, size_t *count) {
    hws_status status = HWS_EVENT;
    uint8_t data = 1;
    size_t i = 0;
    hws_event ev;

    *count = 0;
    if (cap == 0) {
        return HWS_ERR_ARGUMENT;
    }
    while (i < cap && data && status == HWS_EVENT) {
        status = hws_conn_receive(conn, buf, len, used, &ev);
        if (status == HWS_EVENT) {
            record_event(hws__conn_of_const(conn), buf, &ev, &records[i]);
            data = ev.type == HWS_TEXT || ev.type == HWS_BINARY;
            i++;
        }
    }
    *count = i;
    return status;
}

hws_status hws_conn_receive_eof(hws_conn *conn) {
    hws__conn *c = hws__conn_of(conn);

    c->eof = 1;
    if (c->state != HWS__ENDED) {
        hws__conn_fail(c, HWS_ERR_EOF); /* RFC 6455 7.1.5: 1006 */
    }
    return c->peer_code != 0 && c->own_code != 0 ? HWS_OK : HWS_ERR_EOF;
}

hws_status hws_conn_fail(hws_conn *conn, hws_status status) {
    hws__conn *c = hws__conn_of(conn);

    if (!hws__close_code_is_valid(hws_status_close_code(status))) {
        return HWS_ERR_ARGUMENT;
    }
    if (c->state == HWS__ENDED) {
        return HWS_ERR_STATE;
    }
    hws__conn_fail(c, status);
    return HWS_OK;
}
