/*
 * Tells of the frames of a connection: received ones by the events of conn, sent ones by the bytes
 * that are written; and of the heads that it sends.
 */
#include "blocking.h"

#include <string.h>

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* A Close's event has its payload in two parts (RFC 6455 5.5.1). */
static void tell_control(const hws__blocking *b, const hws_event *ev) {
    const hws__traced *t = &b->trace;
    uint8_t payload[HWS_CONTROL_MAX];
    size_t n = 0;
    if (ev->type == HWS_CLOSE && t->received.payload_len > 0) {
        payload[0] = (uint8_t)(ev->close_code >> 8);
        payload[1] = (uint8_t)ev->close_code;
        n = 2;
    }
    if (ev->len > 0) {
        memcpy(payload + n, ev->data, ev->len);
    }
    t->tell(t->user, b, 0, &t->received, t->received.payload_len > 0 ? payload : NULL);
}

uint8_t hws__trace_received(hws__blocking *b, hws_status status) {
    hws__traced *t = &b->trace;
    if (status == HWS_EVENT && b->event.type == HWS_FRAME) {
        hws_conn_get_frame(&b->conn, &t->received);
        t->waits = t->received.opcode >= HWS_OPCODE_CLOSE;
        if (!t->waits) {
            t->tell(t->user, b, 0, &t->received, NULL);
        }
        return 1;
    }
    if (t->waits && status == HWS_EVENT) {
        tell_control(b, &b->event);
        t->waits = 0;
    } else if (t->waits && status < 0) {
        t->tell(t->user, b, 0, &t->received, NULL);
        t->waits = 0;
    }
    return 0;
}

/* A control frame whose payload is here to its end, or a data frame whose header is. */
static void tell_sent(hws__blocking *b) {
    hws__traced *t = &b->trace;
    uint8_t control = t->sent.opcode >= HWS_OPCODE_CLOSE;
    size_t i = 0;
    while (i < t->payload_len) {
        t->payload[i] ^= t->sent.mask_key[i % 4];
        i++;
    }
    if (!control) {
        t->in_message = !t->sent.fin;
    }
    t->tell(t->user, b, 1, &t->sent, control && t->payload_len > 0 ? t->payload : NULL);
}

/* Bytes of a header. Returns how many of them belong to it. */
static size_t take_header(hws__blocking *b, const uint8_t *data, size_t len) {
    hws__traced *t = &b->trace;
    size_t before = t->header_len;
    size_t part = smaller(len, sizeof t->header - before);
    uint8_t context = (uint8_t)((b->role == HWS_ROLE_CLIENT ? HWS_FRAME_FROM_CLIENT : 0) |
                                (t->in_message ? HWS_FRAME_IN_MESSAGE : 0) |
                                (b->agreed.enabled ? HWS_FRAME_RSV1 : 0));
    memcpy(t->header + before, data, part);
    if (hws_frame_decode(t->header, before + part, context, &t->sent) != HWS_OK) {
        t->header_len = (uint8_t)(before + part);
        return part;
    }
    t->left = t->sent.payload_len;
    t->header_len = 0;
    t->payload_len = 0;
    if (t->sent.opcode < HWS_OPCODE_CLOSE || t->left == 0) {
        tell_sent(b);
    }
    return t->sent.header_len - before;
}

/* Bytes of payload, of which those of a control frame are kept. */
static size_t take_payload(hws__blocking *b, const uint8_t *data, size_t len) {
    hws__traced *t = &b->trace;
    size_t part = t->left < len ? (size_t)t->left : len;
    t->left -= part;
    if (t->sent.opcode >= HWS_OPCODE_CLOSE) {
        memcpy(t->payload + t->payload_len, data, part);
        t->payload_len = (uint8_t)(t->payload_len + part);
        if (t->left == 0) {
            tell_sent(b);
        }
    }
    return part;
}

static void take_written(hws__blocking *b, const hws_buffer pieces[2], size_t n) {
    const hws__traced *t = &b->trace;
    size_t i = 0;
    while (i < 2) {
        size_t len = smaller(n, pieces[i].len);
        size_t at = 0;
        while (at < len) {
            at += t->left > 0 ? take_payload(b, pieces[i].data + at, len - at)
                              : take_header(b, pieces[i].data + at, len - at);
        }
        n -= len;
        i++;
    }
}

hws_status hws__trace_write(hws__blocking *b, const hws_buffer pieces[2], size_t *n) {
    hws_status status = b->filter.table == NULL
                            ? hws__socket_write(b->socket, pieces, 2, n, &b->system_error)
                            : hws__filter_write(b, pieces, n);
    if (b->trace.open && b->trace.tell != NULL) {
        take_written(b, pieces, *n);
    }
    return status;
}

void hws__trace_head_sent(const hws__blocking *b) {
    hws_header headers[HWS_BLOCKING_MAX_FIELDS];
    hws_head head;
    const uint8_t *bytes = b->out + b->out_sent;
    uint8_t kind = b->role == HWS_ROLE_CLIENT ? HWS_HEAD_REQUEST : HWS_HEAD_RESPONSE;
    hws_head_init(&head, kind, headers, HWS_BLOCKING_MAX_FIELDS);
    head.max_head = head.max_line = UINT32_MAX;
    if (hws_head_parse(&head, bytes, b->out_len - b->out_sent) == HWS_OK) {
        b->trace.tell_head(b->trace.user, b, 1, &head, bytes);
    }
}
