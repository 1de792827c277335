/*
 * Any bytes from a peer, for both roles. Invariant: messages, control events, frame headers,
 * status, bytes consumed and replies are the same for a stream that comes whole, and for one that
 * comes in chunks by another receiving call, and for one that comes byte by byte; text is UTF-8, no
 * message is above the limit, and replies stay within their bound.
 *
 * A message that is there as a whole is taken in one step. Byte by byte, none ever is: so the same
 * results mean that the short way and the long one decide alike.
 *
 * The last two bytes of the input are options: see configure() and receive_any().
 */
#ifndef HWS_FUZZ_RECEIVE_H
#define HWS_FUZZ_RECEIVE_H

#include "fuzz.h"

/* The calls by which a stream can be received. */
enum way { BY_RECEIVE, BY_RECEIVE_INTO, BY_BATCH, BY_MESSAGE };

enum { RECORDS = 3 };

typedef struct peer {
    hws_conn conn;
    hws_conn_config config;
    hws_message message; /* for BY_MESSAGE */
    uint8_t next_random;
    uint8_t act_at; /* item after which the application ends the connection; 0: never */
    uint8_t fails;  /* it does so by hws_conn_fail(), not by a Close of its own */
    uint8_t items;
    uint8_t closed; /* the peer's Close has come */
    uint8_t type;   /* of the current message */
    uint8_t compressed;
    uint32_t text;
    uint64_t message_len;
    uint64_t consumed;
    uint64_t replied;
    uint64_t message_digest; /* of the current message; counts when it completes */
    uint64_t digest;
} peer;

static uint64_t digest_bytes(uint64_t digest, const void *data, size_t len) {
    const uint8_t *bytes = data;
    size_t i = 0;
    while (i < len) {
        digest = (digest ^ bytes[i]) * UINT64_C(1099511628211);
        i++;
    }
    return digest;
}

static void digest(peer *p, const void *data, size_t len) {
    p->digest = digest_bytes(p->digest, data, len);
}

/* An item is what does not depend on cuts: a whole message, a control frame. */
static void end_item(peer *p, uint8_t type, uint16_t code) {
    uint8_t out[131];
    size_t n = 0;

    digest(p, &type, 1);
    digest(p, &code, sizeof code);
    p->items++;
    if (p->items != p->act_at) {
        return;
    }
    if (p->fails) {
        hws_conn_fail(&p->conn, HWS_ERR_POLICY);
    } else {
        hws_conn_close(&p->conn, HWS_CLOSE_GOING_AWAY, NULL, 0, out, sizeof out, &n);
    }
}

/* Payload that a message may have: who decompresses it counts what comes out. */
static uint64_t max_payload(const peer *p, uint8_t compressed) {
    return compressed ? hws_deflate_bound(p->config.max_message) : p->config.max_message;
}

static void on_data(peer *p, const hws_event *ev) {
    if ((ev->flags & HWS_FIRST) != 0) {
        CHECK(p->type == 0);
        p->type = ev->type;
        p->compressed = ev->flags & HWS_COMPRESSED;
        p->text = HWS_UTF8_ACCEPT;
        p->message_len = 0;
        p->message_digest = 0;
    }
    CHECK(p->type == ev->type && p->compressed == (ev->flags & HWS_COMPRESSED));
    CHECK(ev->len > 0 || (ev->flags & HWS_FINAL) != 0);
    CHECK(ev->len <= max_payload(p, p->compressed) - p->message_len);
    p->message_len += ev->len;
    p->message_digest = digest_bytes(p->message_digest, ev->data, ev->len);
    if (ev->type == HWS_TEXT && !p->compressed) {
        CHECK(hws_utf8_validate(&p->text, ev->data, ev->len) == ev->len);
    }
    if ((ev->flags & HWS_FINAL) != 0) {
        CHECK(p->text == HWS_UTF8_ACCEPT);
        p->type = 0;
        digest(p, &p->message_digest, sizeof p->message_digest);
        end_item(p, (uint8_t)(ev->type | p->compressed << 4), 0);
    }
}

/* Bits that a header is judged by, when it came after good ones. */
static uint8_t context_of(const peer *p, const hws_frame *frame) {
    return (uint8_t)((p->config.role == HWS_ROLE_SERVER ? HWS_FRAME_FROM_CLIENT : 0) |
                     (frame->opcode == HWS_OPCODE_CONTINUATION ? HWS_FRAME_IN_MESSAGE : 0) |
                     (p->config.compression ? HWS_FRAME_RSV1 : 0));
}

/* A header that was received can be written again. */
static void on_frame(peer *p) {
    uint8_t out[HWS_FRAME_HEADER_MAX];
    size_t n = 0;
    hws_frame frame;

    hws_conn_get_frame(&p->conn, &frame);
    CHECK(hws_frame_encode(&frame, context_of(p, &frame), out, sizeof out, &n) == HWS_OK);
    CHECK(n == frame.header_len);
    digest(p, out, n);
}

static void on_event(peer *p, const hws_event *ev) {
    CHECK(!p->closed);
    if (ev->type == HWS_FRAME) {
        on_frame(p);
        return;
    }
    if (ev->type == HWS_TEXT || ev->type == HWS_BINARY) {
        on_data(p, ev);
        return;
    }
    CHECK(ev->type == HWS_PING || ev->type == HWS_PONG || ev->type == HWS_CLOSE);
    CHECK(ev->flags == HWS_WHOLE && ev->len <= HWS_CONTROL_MAX);
    p->closed = ev->type == HWS_CLOSE;
    digest(p, ev->data, ev->len);
    end_item(p, ev->type, ev->close_code);
}

static void take_reply(peer *p) {
    uint8_t out[HWS_REPLY_MAX];
    size_t len = hws_conn_reply_len(&p->conn);
    size_t n = 0;

    if (len > 0) {
        CHECK(hws_conn_socket(&p->conn) == HWS_SOCKET_OPEN);
        CHECK(hws_conn_reply(&p->conn, out, len - 1, &n) == HWS_ERR_SPACE);
    }
    CHECK(n == 0 && hws_conn_reply(&p->conn, out, len, &n) == HWS_OK);
    CHECK(n == len && hws_conn_reply_len(&p->conn) == 0);
    digest(p, out, n);
    p->replied += n;
}

/* Several events by one call. A frame's header can be asked for until the next event only, and
 * nothing comes after the application failed the connection: there it is one event a call. */
static hws_status take_batch(peer *p, uint8_t *buf, size_t len, size_t *used) {
    hws_record records[RECORDS];
    size_t cap = p->config.frame_events || p->fails ? 1 : RECORDS;
    size_t count = 0;
    size_t i = 0;
    hws_status status = hws_conn_receive_batch(&p->conn, buf, len, used, records, 0, &count);

    CHECK(status == HWS_ERR_ARGUMENT && count == 0); /* an array of none holds nothing */
    status = hws_conn_receive_batch(&p->conn, buf, len, used, records, cap, &count);
    while (i < count) {
        const hws_record *r = &records[i];
        const uint8_t *base = r->source == HWS_SOURCE_CONN ? (const uint8_t *)&p->conn : buf;
        hws_event ev = {r->type, r->flags, r->close_code, base + r->offset, (size_t)r->len};
        on_event(p, &ev);
        i++;
    }
    return status;
}

/* A whole message, in a buffer that grows when it has to. */
static hws_status take_message(peer *p, const uint8_t *buf, size_t len, size_t *used,
                               hws_event *ev) {
    hws_message *m = &p->message;
    hws_message other = {NULL, 0, 0};
    hws_status status;

    if (hws_conn_message_len(&p->conn) > 0 && hws_conn_can_receive(&p->conn)) {
        /* The rest of a message goes where its start went. */
        CHECK(hws_message_receive(&other, &p->conn, buf, len, used, ev) == HWS_ERR_STATE);
    }
    status = hws_message_receive(m, &p->conn, buf, len, used, ev);

    while (status == HWS_ERR_SPACE) {
        size_t cap = 2 * m->cap + 1;
        CHECK(m->len == 0 || hws_message_grow(m, m->data, m->len - 1) == HWS_ERR_ARGUMENT);
        CHECK(hws_message_grow(m, realloc(m->data, cap), cap) == HWS_OK);
        status = hws_message_receive(m, &p->conn, buf, len, used, ev);
    }
    return status;
}

static hws_status take_events(peer *p, uint8_t *buf, size_t len, size_t *used, enum way way) {
    uint8_t dst[7];
    hws_event ev;
    hws_status status = HWS_OK;

    switch (way) {
    case BY_RECEIVE:
        status = hws_conn_receive(&p->conn, buf, len, used, &ev);
        break;
    case BY_RECEIVE_INTO:
        status = hws_conn_receive_into(&p->conn, buf, len, used, dst, sizeof dst, &ev);
        break;
    case BY_BATCH:
        return take_batch(p, buf, len, used);
    case BY_MESSAGE:
        status = take_message(p, buf, len, used, &ev);
        break;
    }
    if (status == HWS_EVENT) {
        on_event(p, &ev);
    }
    return status;
}

static hws_status take_chunk(peer *p, const uint8_t *data, size_t len, enum way way) {
    uint8_t *buf = fuzz_copy(data, len);
    hws_status status = HWS_EVENT;
    size_t used = 0;

    CHECK(take_events(p, NULL, 0, &used, way) == HWS_OK);
    while (status == HWS_EVENT) {
        status = take_events(p, buf, len, &used, way);
        CHECK(used <= len &&
              hws_conn_payload_left(&p->conn) <= max_payload(p, p->config.compression));
        take_reply(p);
    }
    CHECK(status < 0 || used == len);
    p->consumed += used;
    used = len + 1;
    CHECK(take_events(p, buf, len, &used, way) == HWS_ERR_ARGUMENT);
    free(buf);
    return status;
}

/* The end of the stream, after which only our own part can be missing. */
static void take_end(peer *p) {
    hws_closing closing;

    CHECK(hws_conn_fail(&p->conn, INT32_MIN) == HWS_ERR_ARGUMENT);
    hws_status status = hws_conn_receive_eof(&p->conn);
    hws_conn_get_closing(&p->conn, &closing);
    CHECK(closing.clean == (status == HWS_OK) && closing.code != 0);
    CHECK(!hws_conn_can_receive(&p->conn));
    CHECK(hws_conn_socket(&p->conn) == HWS_SOCKET_CLOSE);
    digest(p, &closing.code, sizeof closing.code);
    digest(p, &closing.own_code, sizeof closing.own_code);
    digest(p, closing.reason, closing.reason_len);
}

static hws_status take_stream(peer *p, const uint8_t *data, size_t size, size_t chunk,
                              enum way way) {
    hws_status status = HWS_OK;
    hws_conn_error error;
    size_t i = 0;

    CHECK(hws_conn_init(&p->conn, &p->config) == HWS_OK);
    hws_message_init(&p->message, NULL, 0);
    while (i < size && status == HWS_OK) {
        size_t n = chunk < size - i ? chunk : size - i;
        status = take_chunk(p, data + i, n, way);
        i += n;
    }
    hws_conn_get_error(&p->conn, &error);
    CHECK(error.status == status && (status == HWS_OK || error.offset == p->consumed));
    CHECK(hws_conn_can_send(&p->conn) || hws_conn_reply_len(&p->conn) == 0);
    digest(p, &status, sizeof status);
    uint8_t what_to_do = hws_conn_socket(&p->conn);
    digest(p, &what_to_do, 1);

    uint64_t bound = p->config.role == HWS_ROLE_SERVER ? p->consumed + 4 : 3 * p->consumed + 8;
    CHECK(p->config.close_sentence || p->replied <= bound);
    take_end(p);
    free(p->message.data);
    return status;
}

/* The first header is judged alike by the connection and by the decoder of single headers. */
static void check_first_header(const peer *p, const uint8_t *data, size_t size, hws_status status) {
    uint8_t context = (uint8_t)((p->config.role == HWS_ROLE_SERVER ? HWS_FRAME_FROM_CLIENT : 0) |
                                (p->config.compression ? HWS_FRAME_RSV1 : 0));
    uint8_t *copy = fuzz_copy(data, size);
    hws_frame frame;
    hws_status decoded = hws_frame_decode(copy, size, context, &frame);

    free(copy);
    if (decoded < 0) {
        CHECK(status == decoded && p->consumed == frame.header_len);
    }
    if (decoded == HWS_NEED_MORE) {
        CHECK(status == HWS_OK || status == HWS_ERR_MESSAGE_TOO_BIG);
    }
}

/* One byte: limits, compression, frame events, when the application ends the connection. */
static void configure(peer *p, uint8_t role, uint8_t options) {
    static const uint32_t limits[] = {HWS_DEFAULT_MAX_MESSAGE, 0, 5, 130};

    memset(p, 0, sizeof *p);
    hws_conn_config_init(&p->config, role);
    p->config.max_message = limits[options & 3];
    p->config.max_fragments = (options & 4) != 0 ? 3 : HWS_UNLIMITED;
    p->config.compression = (options & 8) != 0;
    p->config.frame_events = (options & 16) != 0;
    p->config.random = fuzz_random;
    p->config.random_user = &p->next_random;
    p->act_at = options >> 5;
}

/* Not a copy alone: the random source is in the peer. */
static void configure_like(peer *p, const peer *other) {
    *p = *other;
    p->config.random_user = &p->next_random;
}

static void check_same(const peer *p, const peer *other) {
    CHECK(p->digest == other->digest);
    CHECK(p->consumed == other->consumed);
}

/* The other byte: size of chunks, how the application ends the connection, reasons in Closes, and
 * the way of receiving chunks. */
static void receive_any(uint8_t role, const uint8_t *data, size_t size) {
    uint8_t cuts = fuzz_option(data, &size);
    uint8_t options = fuzz_option(data, &size);
    peer whole;
    peer chunked;
    peer dripping;
    hws_status status;

    configure(&whole, role, options);
    whole.fails = (cuts & 16) != 0;
    whole.config.close_sentence = (cuts & 32) != 0;
    configure_like(&chunked, &whole);
    configure_like(&dripping, &whole);

    status = take_stream(&whole, data, size, size, BY_RECEIVE);
    take_stream(&chunked, data, size, 1 + (cuts & 15), (enum way)(cuts >> 6));
    take_stream(&dripping, data, size, 1, BY_RECEIVE);
    check_same(&whole, &chunked);
    check_same(&whole, &dripping);
    if (!whole.fails) {
        check_first_header(&whole, data, size, status);
    }
}

#endif
