/*
 * Sending: messages, replies and Closes into the caller's buffer. Every call judges first, then
 * asks for room, then for a mask key, and only then counts what it wrote and remembers it: a call
 * that fails has changed nothing. Where there is room for all, the common case writes behind
 * out[*n] before it has judged. Must not know how the peer's bytes are parsed.
 */
#include "conn.h"

/* A frame to be written, and what the connection will remember once it is. */
typedef struct draft {
    const uint8_t *data;
    size_t len;
    uint8_t first_byte;
    uint8_t control;
    uint8_t final;
    uint8_t type;
    uint8_t compressed;
    uint32_t text;
} draft;

/* RFC 6455 5.5: Ping and Pong. */
static hws_status judge_control(const hws__conn *c, draft *d, uint8_t flags) {
    if (flags != HWS_WHOLE || d->len > HWS_CONTROL_MAX) {
        return HWS_ERR_ARGUMENT;
    }
    if (c->own_code != 0) {
        return HWS_ERR_STATE;
    }
    d->control = 1;
    d->first_byte = (uint8_t)(HWS__FIN | d->type);
    return HWS_OK;
}

/* RFC 6455 5.4, 5.6: a message or a fragment of one. */
static hws_status judge_data(const hws__conn *c, draft *d, uint8_t flags) {
    uint8_t first = flags & HWS_FIRST;

    if (flags > (HWS_WHOLE | HWS_COMPRESSED) || (uint64_t)d->len >> 63 != 0) {
        return HWS_ERR_ARGUMENT;
    }
    if ((flags & HWS_COMPRESSED) != 0 && c->compression == 0) {
        return HWS_ERR_ARGUMENT;
    }
    if (c->own_code != 0 || (first ? c->message_out != 0 : c->message_out != d->type)) {
        return HWS_ERR_STATE;
    }
    if (!first && (flags & HWS_COMPRESSED) > c->compressed_out * HWS_COMPRESSED) {
        return HWS_ERR_STATE;
    }
    d->final = (flags & HWS_FINAL) != 0;
    d->compressed = first ? (flags & HWS_COMPRESSED) != 0 : c->compressed_out;
    d->first_byte =
        (uint8_t)((d->final ? HWS__FIN : 0) | (first ? d->type : HWS_OPCODE_CONTINUATION) |
                  (first && d->compressed ? HWS__RSV1 : 0));
    d->text = first ? HWS_UTF8_ACCEPT : c->text_out;
    if (d->type == HWS_BINARY || d->compressed) {
        return HWS_OK;
    }
    hws__utf8(&d->text, d->data, d->len);
    if (d->text == HWS_UTF8_REJECT || (d->final && d->text != HWS_UTF8_ACCEPT)) {
        return HWS_ERR_SEND_UTF8;
    }
    return HWS_OK;
}

static hws_status judge(const hws__conn *c, draft *d, uint8_t flags) {
    if (d->type == HWS_PING || d->type == HWS_PONG) {
        return judge_control(c, d, flags);
    }
    if (d->type == HWS_TEXT || d->type == HWS_BINARY) {
        return judge_data(c, d, flags);
    }
    return HWS_ERR_ARGUMENT;
}

hws_status hws_conn_judge(const hws_conn *conn, uint8_t type, uint8_t flags) {
    draft d = {.type = type};

    return judge(hws__conn_of_const(conn), &d, flags);
}

static void remember(hws__conn *c, const draft *d) {
    if (d->control) {
        return;
    }
    c->message_out = d->final ? 0 : d->type;
    c->compressed_out = d->final ? 0 : d->compressed;
    c->text_out = d->text;
}

/* Fresh mask keys for `frames` frames. RFC 6455 5.3. */
static hws_status draw_keys(const hws__conn *c, uint8_t keys[8], size_t frames) {
    if (!hws__is_client(c) || frames == 0) {
        return HWS_OK;
    }
    return c->random(c->random_user, keys, 4 * frames) == HWS_OK ? HWS_OK : HWS_ERR_RANDOM;
}

static hws_status judge_room(const hws__conn *c, uint64_t payload_len, size_t copied, size_t cap,
                             size_t n) {
    size_t header_len = hws__frame_header_len(payload_len, hws__is_client(c));

    if (n > cap || header_len > cap - n || copied > cap - n - header_len) {
        return HWS_ERR_SPACE;
    }
    return HWS_OK;
}

/* Write a header, for which there is room, with a client's key. */
static void put_header(const hws__conn *c, uint8_t first_byte, size_t len, const uint8_t *key,
                       uint8_t *out, size_t *n) {
    *n += hws__frame_put(out + *n, first_byte, len, hws__is_client(c));
    if (hws__is_client(c)) {
        memcpy(out + *n, key, 4);
        *n += 4;
    }
}

/* Write a frame with a copy of its payload, for which there is room. */
static void put_frame(const hws__conn *c, uint8_t first_byte, const uint8_t *key,
                      const uint8_t *data, size_t len, uint8_t *out, size_t *n) {
    put_header(c, first_byte, len, key, out, n);
    if (hws__is_client(c)) {
        hws__mask(out + *n, data, len, key, 0);
    } else if (len > 0) {
        memcpy(out + *n, data, len);
    }
    *n += len;
}

static HWS__NOINLINE hws_status send_any(hws__conn *c, uint8_t type, uint8_t flags,
                                         const uint8_t *data, size_t len, uint8_t *out, size_t cap,
                                         size_t *n) {
    draft d = {.data = data, .len = len, .type = type};
    uint8_t key[8];
    hws_status status = judge(c, &d, flags);

    if (status == HWS_OK) {
        status = judge_room(c, len, len, cap, *n);
    }
    if (status == HWS_OK) {
        status = draw_keys(c, key, 1);
    }
    if (status != HWS_OK) {
        return status;
    }
    put_frame(c, d.first_byte, key, data, len, out, n);
    remember(c, &d);
    return HWS_OK;
}

/* The common case: a message in one frame, outside of every other, with room for any header.
 * Nothing is judged here: what is not taken is left to send_any(). Nothing has to be remembered. */
static inline uint8_t is_whole(const hws__conn *c, uint8_t type, uint8_t flags, size_t copied,
                               size_t cap, size_t n) {
    return flags == HWS_WHOLE && (type == HWS_TEXT || type == HWS_BINARY) && c->message_out == 0 &&
           c->own_code == 0 && n <= cap && cap - n >= HWS_FRAME_HEADER_MAX &&
           copied <= cap - n - HWS_FRAME_HEADER_MAX;
}

/* A server's text is validated while it is copied. RFC 6455 5.6. */
static hws_status copy_text(uint8_t *out, const uint8_t *data, size_t len) {
    static const uint8_t no_key[4] = {0, 0, 0, 0};
    uint32_t text = HWS_UTF8_ACCEPT;

    hws__mask_utf8(&text, out, data, len, no_key, 0);
    return text == HWS_UTF8_ACCEPT ? HWS_OK : HWS_ERR_SEND_UTF8;
}

static hws_status send_server(uint8_t type, const uint8_t *data, size_t len, uint8_t *out,
                              size_t *n) {
    uint8_t *frame = out + *n;
    size_t header_len = hws__frame_put(frame, HWS__FIN | type, len, 0);

    if (type == HWS_TEXT && copy_text(frame + header_len, data, len) != HWS_OK) {
        return HWS_ERR_SEND_UTF8;
    }
    *n += header_len + len;
    if (type == HWS_BINARY && len > 0) {
        memcpy(frame + header_len, data, len);
    }
    return HWS_OK;
}

/* RFC 6455 5.3: the key is drawn to where it stands in the frame. */
static hws_status send_client(const hws__conn *c, uint8_t type, const uint8_t *data, size_t len,
                              uint8_t *out, size_t *n) {
    uint8_t *frame = out + *n;
    size_t header_len = hws__frame_put(frame, HWS__FIN | type, len, 1);
    uint32_t text = HWS_UTF8_ACCEPT;

    if (type == HWS_TEXT) {
        hws__utf8(&text, data, len);
    }
    if (text != HWS_UTF8_ACCEPT) {
        return HWS_ERR_SEND_UTF8;
    }
    if (c->random(c->random_user, frame + header_len, 4) != HWS_OK) {
        memset(frame + header_len, 0, 4); /* whatever a source that failed has left there */
        return HWS_ERR_RANDOM;
    }
    hws__mask(frame + header_len + 4, data, len, frame + header_len, 0);
    *n += header_len + 4 + len;
    return HWS_OK;
}

hws_status hws_conn_send(hws_conn *conn, uint8_t type, uint8_t flags, const uint8_t *data,
                         size_t len, uint8_t *out, size_t cap, size_t *n) {
    hws__conn *c = hws__conn_of(conn);

    if (!is_whole(c, type, flags, len, cap, *n)) {
        return send_any(c, type, flags, data, len, out, cap, n);
    }
    return hws__is_client(c) ? send_client(c, type, data, len, out, n)
                             : send_server(type, data, len, out, n);
}

/* The header alone; a client's key is left in `key`. */
static hws_status send_header(hws__conn *c, draft *d, uint8_t flags, uint8_t key[8], uint8_t *out,
                              size_t cap, size_t *n) {
    hws_status status = judge(c, d, flags);

    if (status == HWS_OK) {
        status = judge_room(c, d->len, 0, cap, *n);
    }
    if (status == HWS_OK) {
        status = draw_keys(c, key, 1);
    }
    if (status != HWS_OK) {
        return status;
    }
    put_header(c, d->first_byte, d->len, key, out, n);
    remember(c, d);
    return HWS_OK;
}

static HWS__NOINLINE hws_status send_any_header(hws__conn *c, uint8_t type, uint8_t flags,
                                                const uint8_t *data, size_t len, uint8_t *out,
                                                size_t cap, size_t *n) {
    draft d = {.data = data, .len = len, .type = type};
    uint8_t key[8];

    return hws__is_client(c) ? HWS_ERR_ARGUMENT : send_header(c, &d, flags, key, out, cap, n);
}

hws_status hws_conn_send_header(hws_conn *conn, uint8_t type, uint8_t flags, const uint8_t *data,
                                size_t len, uint8_t *out, size_t cap, size_t *n) {
    hws__conn *c = hws__conn_of(conn);
    uint32_t text = HWS_UTF8_ACCEPT;

    if (hws__is_client(c) || (uint64_t)len >> 63 != 0 || !is_whole(c, type, flags, 0, cap, *n)) {
        return send_any_header(c, type, flags, data, len, out, cap, n);
    }
    if (type == HWS_TEXT) {
        hws__utf8(&text, data, len);
    }
    if (text != HWS_UTF8_ACCEPT) {
        return HWS_ERR_SEND_UTF8;
    }
    *n += hws__frame_put(out + *n, HWS__FIN | type, len, 0);
    return HWS_OK;
}

hws_status hws_conn_send_in_place(hws_conn *conn, uint8_t type, uint8_t flags, uint8_t *data,
                                  size_t len, uint8_t *out, size_t cap, size_t *n) {
    hws__conn *c = hws__conn_of(conn);
    draft d = {.data = data, .len = len, .type = type};
    uint8_t key[8];
    hws_status status = send_header(c, &d, flags, key, out, cap, n);

    if (status == HWS_OK && hws__is_client(c)) {
        hws__mask(data, data, len, key, 0);
    }
    return status;
}

/* Write a Close, for which there is room, and remember it. RFC 6455 5.5.1. */
static void put_close(hws__conn *c, uint16_t code, const uint8_t *reason, size_t len,
                      const uint8_t *key, uint8_t *out, size_t *n) {
    uint8_t payload[HWS_CONTROL_MAX];
    size_t payload_len = code == HWS_CLOSE_EMPTY ? 0 : 2 + len;

    hws__store_be16(payload, code);
    if (len > 0) {
        memcpy(payload + 2, reason, len);
    }
    put_frame(c, HWS__FIN | HWS_OPCODE_CLOSE, key, payload, payload_len, out, n);
    c->own_code = code == HWS_CLOSE_EMPTY ? HWS_CLOSE_NO_CODE : code;
    if (c->first == HWS_NOBODY) {
        c->first = HWS_OWN;
    }
}

hws_status hws_conn_close(hws_conn *conn, uint16_t code, const uint8_t *reason, size_t len,
                          uint8_t *out, size_t cap, size_t *n) {
    hws__conn *c = hws__conn_of(conn);
    size_t payload_len = code == HWS_CLOSE_EMPTY ? 0 : 2 + len;
    uint32_t text = HWS_UTF8_ACCEPT;
    uint8_t key[8];
    hws_status status;

    if (len > (code == HWS_CLOSE_EMPTY ? 0 : HWS_REASON_MAX)) {
        return HWS_ERR_ARGUMENT;
    }
    if (code != HWS_CLOSE_EMPTY && !hws__close_code_is_valid(code)) {
        return HWS_ERR_ARGUMENT;
    }
    if (c->own_code != 0) {
        return HWS_ERR_STATE;
    }
    hws__utf8(&text, reason, len);
    if (text != HWS_UTF8_ACCEPT) {
        return HWS_ERR_SEND_UTF8;
    }
    status = judge_room(c, payload_len, payload_len, cap, *n);
    if (status == HWS_OK) {
        status = draw_keys(c, key, 1);
    }
    if (status == HWS_OK) {
        put_close(c, code, reason, len, key, out, n);
    }
    return status;
}

/* A Pong is owed until it is sent, or until neither side will look at it. RFC 6455 5.5.2. */
static uint8_t owes_pong(const hws__conn *c) {
    return c->pong_owed && (c->own_code == 0 || c->state != HWS__ENDED);
}

/* The Close that is owed: 0 for none, 1005 for one without code. An end of the stream owes none. */
static uint16_t owed_close(const hws__conn *c) {
    if (c->own_code != 0) {
        return 0;
    }
    if (c->peer_code != 0) {
        return c->peer_code; /* RFC 6455 5.5.1: echo the code */
    }
    if (c->error == HWS_OK || c->error == HWS_ERR_EOF) {
        return 0;
    }
    return hws_status_close_code(c->error); /* RFC 6455 7.1.7 */
}

/* The reason of an owed Close: the sentence of the fault, when the configuration asks for it. */
static hws_text owed_reason(const hws__conn *c) {
    if (c->close_sentence == 0 || c->error == HWS_OK) {
        return hws_text_from(NULL);
    }
    return hws_text_from(hws_status_sentence(c->error));
}

static size_t owed_close_len(const hws__conn *c) {
    uint16_t code = owed_close(c);
    size_t payload_len = code == HWS_CLOSE_NO_CODE ? 0 : 2 + owed_reason(c).len;

    return code == 0 ? 0 : hws__frame_header_len(payload_len, hws__is_client(c)) + payload_len;
}

static size_t owed_pong_len(const hws__conn *c) {
    return owes_pong(c) ? hws__frame_header_len(c->pong_len, hws__is_client(c)) + c->pong_len : 0;
}

size_t hws_conn_reply_len(const hws_conn *conn) {
    const hws__conn *c = hws__conn_of_const(conn);

    if (c->state != HWS__ENDED && !c->pong_owed) {
        return 0; /* most of the time; a Close is owed only at the end */
    }
    return owed_pong_len(c) + owed_close_len(c);
}

hws_status hws_conn_reply(hws_conn *conn, uint8_t *out, size_t cap, size_t *n) {
    hws__conn *c = hws__conn_of(conn);
    uint8_t pong = owes_pong(c);
    uint16_t code = owed_close(c);
    uint8_t keys[8];

    if (!pong && code == 0) {
        return HWS_OK;
    }
    if (*n > cap || hws_conn_reply_len(conn) > cap - *n) {
        return HWS_ERR_SPACE;
    }
    if (draw_keys(c, keys, (size_t)pong + (code != 0)) != HWS_OK) {
        return HWS_ERR_RANDOM;
    }
    if (pong) {
        put_frame(c, HWS__FIN | HWS_OPCODE_PONG, keys, c->pong, c->pong_len, out, n);
        c->pong_owed = 0;
    }
    if (code != 0) {
        hws_text reason = owed_reason(c);
        put_close(c, code == HWS_CLOSE_NO_CODE ? HWS_CLOSE_EMPTY : code,
                  (const uint8_t *)reason.data, reason.len, keys + 4 * pong, out, n);
    }
    return HWS_OK;
}
