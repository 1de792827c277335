/*
 * Receiving: bytes of the stream into events, one step for each part of a frame in the order of the
 * wire. Knows the rules of frame.c and the kernels; must not know sockets, time or the handshake,
 * nor the short cuts of conn_receive.c, which may leave everything to this.
 *
 * One loop runs the steps. Each step consumes what it can of the input and says how to go on:
 * HWS_NEED_MORE to run the next step, HWS_OK when the input is at its end, HWS_EVENT, or an error.
 * What a step decides depends on bytes of the stream alone, never on where the input was cut.
 */
#include "conn.h"

/* The input of one call. */
typedef struct input {
    const uint8_t *src;
    uint8_t *buf; /* src again when payload may be unmasked in place, else NULL */
    size_t len;
    size_t i;
    uint8_t *dst; /* where payload goes when buf is NULL */
    size_t cap;
} input;

static uint8_t opcode_of(const hws__conn *c) {
    return c->first_byte & HWS__OPCODE;
}

/* What frames of this connection are: all that the second byte needs to be judged. */
static uint8_t direction_of(const hws__conn *c) {
    return hws__is_client(c) ? 0 : HWS_FRAME_FROM_CLIENT;
}

static uint8_t context_of(const hws__conn *c) {
    return (uint8_t)(direction_of(c) | (c->message_in != 0 ? HWS_FRAME_IN_MESSAGE : 0) |
                     c->compression);
}

/* The header is complete: prepare for its payload. RFC 6455 5.4. */
static hws_status begin_payload(hws__conn *c, hws_event *ev) {
    uint8_t opcode = opcode_of(c);

    c->payload_at = 0;
    c->frames++;
    if ((opcode & HWS__CONTROL) != 0) {
        c->state = HWS__CONTROL_PAYLOAD;
    } else {
        c->state = HWS__PAYLOAD;
        c->fragments++;
    }
    if (opcode == HWS_OPCODE_TEXT || opcode == HWS_OPCODE_BINARY) {
        c->message_in = opcode;
        c->message_flags =
            (c->first_byte & HWS__RSV1) != 0 ? HWS_FIRST | HWS_COMPRESSED : HWS_FIRST;
    }
    if (c->frame_events == 0) {
        return HWS_NEED_MORE;
    }
    memset(ev, 0, sizeof *ev);
    ev->type = HWS_FRAME;
    return HWS_EVENT;
}

/* What the message that a header belongs to may have of payload: see max_message. */
static uint64_t max_payload(const hws__conn *c) {
    uint8_t compressed = c->message_in != 0 ? (c->message_flags & HWS_COMPRESSED) != 0
                                            : (c->first_byte & HWS__RSV1) != 0;

    return compressed ? hws__compressed_max(c->max_message, c->fragments) : c->max_message;
}

/* The length is known. RFC 6455 10.4 and 7.4.1 (1009). */
static hws_status judge_payload_len(hws__conn *c, hws_event *ev) {
    if ((c->first_byte & HWS__CONTROL) == 0 && c->payload_len > max_payload(c) - c->message_len) {
        return hws__conn_fail(c, HWS_ERR_MESSAGE_TOO_BIG);
    }
    if (hws__is_client(c)) {
        return begin_payload(c, ev);
    }
    c->have = 0;
    c->state = HWS__MASK_KEY;
    return HWS_NEED_MORE;
}

/* FIRST_BYTE: consumes 1 byte. RFC 6455 5.2. */
static hws_status step_first_byte(hws__conn *c, input *in) {
    uint8_t byte = in->src[in->i];
    hws_status status = hws__frame_judge_first(byte, context_of(c));

    in->i++;
    c->first_byte = byte;
    if (status != HWS_OK) {
        return hws__conn_fail(c, status);
    }
    if ((byte & HWS__CONTROL) == 0 && c->fragments >= c->max_fragments) {
        return hws__conn_fail(c, HWS_ERR_FRAGMENTS);
    }
    c->state = HWS__SECOND_BYTE;
    return HWS_NEED_MORE;
}

/* SECOND_BYTE: consumes 1 byte. RFC 6455 5.2. */
static hws_status step_second_byte(hws__conn *c, input *in, hws_event *ev) {
    uint8_t byte = in->src[in->i];
    hws_status status = hws__frame_judge_second(c->first_byte, byte, direction_of(c));

    in->i++;
    if (status != HWS_OK) {
        return hws__conn_fail(c, status);
    }
    c->len7 = byte & HWS__LEN7;
    if (c->len7 < HWS__LEN16) {
        c->payload_len = c->len7;
        return judge_payload_len(c, ev);
    }
    c->payload_len = 0;
    c->have = 0;
    c->state = HWS__LENGTH;
    return HWS_NEED_MORE;
}

/* LENGTH: consumes what there is of its 2 or 8 bytes. RFC 6455 5.2. */
static hws_status step_length(hws__conn *c, input *in, hws_event *ev) {
    size_t want = hws__frame_len_bytes(c->len7);
    hws_status status;

    while (c->have < want && in->i < in->len) {
        c->payload_len = c->payload_len << 8 | in->src[in->i];
        in->i++;
        c->have++;
    }
    if (c->have < want) {
        return HWS_OK;
    }
    status = hws__frame_judge_len(c->len7, c->payload_len);
    return status == HWS_OK ? judge_payload_len(c, ev) : hws__conn_fail(c, status);
}

/* MASK_KEY: consumes what there is of its 4 bytes. RFC 6455 5.3. */
static hws_status step_mask_key(hws__conn *c, input *in, hws_event *ev) {
    while (c->have < 4 && in->i < in->len) {
        c->mask_key[c->have & 3] = in->src[in->i];
        in->i++;
        c->have++;
    }
    return c->have < 4 ? HWS_OK : begin_payload(c, ev);
}

static void end_message(hws__conn *c) {
    c->message_in = 0;
    c->message_len = 0;
    c->fragments = 0;
}

/* n bytes of a data frame's payload, of which `left` are still to come, from src to dst; there is
 * one or none is left. Counts those that it consumes in *i. RFC 6455 5.4, 5.6. */
static hws_status take_piece(hws__conn *c, uint8_t *dst, const uint8_t *src, size_t n,
                             uint64_t left, size_t *i, hws_event *ev) {
    uint32_t phase = (uint32_t)c->payload_at;
    uint8_t final = n == left ? c->first_byte >> 7 : 0;

    if (c->message_in == HWS_TEXT && (c->message_flags & HWS_COMPRESSED) == 0) {
        size_t good = hws__conn_move_text(c, dst, src, n, c->mask_key, phase);
        if (good < n) {
            *i += good + 1;
            return hws__conn_fail(c, HWS_ERR_UTF8); /* RFC 6455 8.1 */
        }
    } else {
        hws__conn_move_binary(c, dst, src, n, c->mask_key, phase);
    }
    *i += n;
    c->payload_at += n;
    c->message_len += n;
    if (n == left) {
        c->state = HWS__FIRST_BYTE;
    }
    if (final && c->text_in != HWS_UTF8_ACCEPT) {
        return hws__conn_fail(c, HWS_ERR_UTF8); /* RFC 6455 8.1: ends inside a code point */
    }
    if (n == 0 && !final) {
        return HWS_NEED_MORE; /* an empty fragment in the middle says nothing */
    }
    ev->type = c->message_in;
    ev->flags = (uint8_t)(c->message_flags | (final ? HWS_FINAL : 0));
    ev->close_code = 0;
    ev->data = dst;
    ev->len = n;
    c->message_flags &= HWS_COMPRESSED;
    if (final) {
        end_message(c);
    }
    return HWS_EVENT;
}

/* PAYLOAD: consumes what there is of a data frame's payload. */
static hws_status step_payload(hws__conn *c, input *in, hws_event *ev) {
    uint8_t *dst = in->buf != NULL ? in->buf + in->i : in->dst;
    uint64_t left = c->payload_len - c->payload_at;
    size_t n = in->len - in->i;

    n = left < n ? (size_t)left : n;
    if (in->buf == NULL && n > in->cap) {
        n = in->cap;
    }
    if (n == 0 && left > 0) {
        return in->i == in->len ? HWS_OK : HWS_ERR_SPACE;
    }
    return take_piece(c, dst, in->src + in->i, n, left, &in->i, ev);
}

/* A Close is complete, its payload in c->control. RFC 6455 5.5.1, 7.4. */
static hws_status end_close(hws__conn *c, hws_event *ev) {
    uint8_t len = (uint8_t)c->payload_len;
    uint32_t text = HWS_UTF8_ACCEPT;
    uint16_t code = HWS_CLOSE_NO_CODE;
    size_t reason_len = 0;

    if (len > 0) {
        code = hws__load_be16(c->control);
        reason_len = len - 2U;
    }
    if (len > 0 && !hws__close_code_is_valid(code)) {
        return hws__conn_fail(c, HWS_ERR_CLOSE_CODE);
    }
    hws__utf8(&text, c->control + 2, reason_len);
    if (text != HWS_UTF8_ACCEPT) {
        return hws__conn_fail(c, HWS_ERR_CLOSE_REASON);
    }
    c->peer_code = code;
    c->control_len = len;
    c->state = HWS__ENDED;
    if (c->first == HWS_NOBODY) {
        c->first = HWS_PEER;
    }
    *ev = (hws_event){HWS_CLOSE, HWS_WHOLE, code, c->control + 2, reason_len};
    return HWS_EVENT;
}

/* A control frame is complete. RFC 6455 5.5. */
static hws_status end_control(hws__conn *c, uint8_t *data, hws_event *ev) {
    uint8_t len = (uint8_t)c->payload_len;
    uint8_t opcode = opcode_of(c);

    if (opcode == HWS_OPCODE_CLOSE) {
        return end_close(c, ev);
    }
    c->state = HWS__FIRST_BYTE;
    if (opcode == HWS_OPCODE_PING) {
        memcpy(c->pong, data, len); /* RFC 6455 5.5.3: the newest Ping is answered */
        c->pong_len = len;
        c->pong_owed = 1;
    }
    *ev = (hws_event){opcode, HWS_WHOLE, 0, data, len};
    return HWS_EVENT;
}

/* CONTROL_PAYLOAD: consumes what there is of a control frame's payload, in place when all of it is
 * there and may be written, else in c->control. A Close is always kept. RFC 6455 5.5. */
static hws_status step_control_payload(hws__conn *c, input *in, hws_event *ev) {
    size_t at = (size_t)c->payload_at;
    size_t left = (size_t)c->payload_len - at;
    size_t n = in->len - in->i < left ? in->len - in->i : left;
    uint8_t *data = c->control;

    if (in->buf != NULL && at == 0 && n == left && opcode_of(c) != HWS_OPCODE_CLOSE) {
        data = in->buf + in->i;
    }
    if (!hws__is_client(c)) {
        hws__mask(data + at, in->src + in->i, n, c->mask_key, (uint32_t)at);
    } else if (n > 0) {
        memmove(data + at, in->src + in->i, n);
    }
    in->i += n;
    c->payload_at += n;
    return n < left ? HWS_OK : end_control(c, data, ev);
}

static hws_status step(hws__conn *c, input *in, hws_event *ev) {
    if (in->i == in->len && c->state < HWS__PAYLOAD) {
        return HWS_OK;
    }
    switch ((enum hws__conn_state)c->state) {
    case HWS__FIRST_BYTE:
        return step_first_byte(c, in);
    case HWS__SECOND_BYTE:
        return step_second_byte(c, in, ev);
    case HWS__LENGTH:
        return step_length(c, in, ev);
    case HWS__MASK_KEY:
        return step_mask_key(c, in, ev);
    case HWS__PAYLOAD:
        return step_payload(c, in, ev);
    case HWS__CONTROL_PAYLOAD:
        return step_control_payload(c, in, ev);
    case HWS__ENDED:
        break;
    }
    if (c->error == HWS_OK) {
        in->i = in->len; /* RFC 6455 5.5.1: what follows the peer's Close is ignored */
    }
    return c->error;
}

hws_status hws__conn_steps(hws__conn *c, const uint8_t *src, uint8_t *buf, size_t len, size_t *used,
                           uint8_t *dst, size_t cap, hws_event *ev) {
    input in = {.src = src, .buf = buf, .len = len, .i = *used, .dst = dst, .cap = cap};
    hws_status status = HWS_NEED_MORE;

    if (*used > len) {
        return HWS_ERR_ARGUMENT;
    }
    if (src == NULL) {
        in.src = c->control; /* of which nothing is read: len is 0 */
    }
    while (status == HWS_NEED_MORE) {
        status = step(c, &in, ev);
    }
    c->offset += in.i - *used;
    *used = in.i;
    return status;
}
