/*
 * Any bytes from a peer, to a connection that decompresses. Invariant: whole messages, control
 * events, status, close codes and replies are the same whatever the cuts of the stream, the room
 * for plain bytes and the calls that are used. No message is above the limit, text is UTF-8,
 * nothing is written behind the room, memory is taken in one go where there is none and given back,
 * calls are in proportion to bytes; and zlib alone finds the same plain bytes in each message.
 *
 * To zlib a reference beyond the agreed window is found out only where what it refers to is not in
 * the same room. Where such a reference is, results may differ; all the rest holds.
 *
 * The last three bytes of the input are options: see configure(), make_plan() and frame_payload().
 * The input is frames, or by an option the payload of one compressed message.
 */
#include "counting.h"
#include "inflate_reference.h"

#include <hawser/deflate_zlib.h>

enum way { BY_RECEIVE, BY_MESSAGE, BY_SPAN };

enum { ROOM = 4000, GUARD = 8, GUARD_BYTE = 0xA5, MESSAGE_MAX = 3000 };

typedef struct options {
    uint8_t role;
    uint8_t window_bits; /* of the peer's messages */
    uint8_t no_takeover; /* of the peer */
    uint8_t trims;       /* after each message */
    uint8_t starves;     /* two of three calls have no room */
    uint8_t fail_in;     /* the allocation that fails, from 1; 0: none */
    uint32_t max_message;
} options;

typedef struct plan {
    size_t chunk;
    size_t cap; /* of the room */
    enum way way;
} plan;

typedef struct reader {
    hws_conn conn;
    hws_deflate deflate;
    hws_message message; /* for BY_MESSAGE */
    counting memory;
    const options *options;
    plan plan;
    uint8_t next_random;
    uint8_t starving; /* 0: the call has room */
    uint8_t type;     /* of the current message; 0: none */
    uint8_t closed;
    size_t calls;
    size_t message_len;
    uint64_t plain_len; /* of all messages */
    uint64_t digest;
    uint32_t text;
    uint8_t current[MESSAGE_MAX];
    uint8_t room[ROOM + GUARD];

    /* Where messages are looked at by zlib alone too: their payload, and what it came to. */
    reference *strict; /* with the window as agreed; NULL: they are not */
    reference *wide;
    uint8_t *payload;
    size_t payload_len;
    uint8_t beyond; /* 1: a reference beyond the window was there */
} reader;

static void digest(reader *r, const void *data, size_t len) {
    const uint8_t *bytes = data;
    size_t i = 0;
    while (i < len) {
        r->digest = (r->digest ^ bytes[i]) * UINT64_C(1099511628211);
        i++;
    }
}

static void take_reply(reader *r) {
    uint8_t out[HWS_REPLY_MAX];
    size_t n = 0;
    CHECK(hws_conn_reply(&r->conn, out, sizeof out, &n) == HWS_OK);
    digest(r, out, n);
}

/* What both references say of up to one byte more than is allowed, which may be the one beyond the
 * window; whether the payload is good. */
static uint8_t compare_windows(reader *r, uint8_t good, uint8_t good_in_wide) {
    r->beyond =
        good != good_in_wide || r->strict->end - r->strict->start != r->wide->end - r->wide->start;
    return good;
}

static void look_at_message(reader *r) {
    size_t max = r->options->max_message + 1;
    if (r->strict == NULL || r->beyond) {
        return;
    }
    uint8_t good = compare_windows(r, reference_message(r->strict, r->payload, r->payload_len, max),
                                   reference_message(r->wide, r->payload, r->payload_len, max));
    size_t len = r->strict->end - r->strict->start;
    if (!r->beyond) {
        CHECK(good && len == r->message_len);
        CHECK(memcmp(r->strict->plain + r->strict->start, r->current, len) == 0);
    }
}

/* A message that was refused, or that is not over where the stream is. */
static void look_at_part(reader *r, uint8_t flags, hws_status status) {
    size_t max = r->options->max_message + 1;
    if (r->strict == NULL || r->beyond) {
        return;
    }
    reference_begin(r->strict);
    reference_begin(r->wide);
    uint8_t good = compare_windows(r, reference_take(r->strict, r->payload, r->payload_len, max),
                                   reference_take(r->wide, r->payload, r->payload_len, max));
    if (good && status == HWS_ERR_INFLATE && !r->beyond) {
        CHECK((flags & HWS_FINAL) != 0 && !reference_could_end(r->strict));
    }
}

static void on_data(reader *r, uint8_t type, uint8_t flags, const uint8_t *data, size_t len) {
    if ((flags & HWS_FIRST) != 0) {
        CHECK(r->type == 0);
        r->type = type;
        r->text = HWS_UTF8_ACCEPT;
        r->message_len = 0;
    }
    CHECK(r->type == type && (flags & ~HWS_WHOLE) == 0);
    CHECK(len <= r->options->max_message - r->message_len);
    if (type == HWS_TEXT) {
        CHECK(hws_utf8_validate(&r->text, data, len) == len);
    }
    if (len > 0) {
        memcpy(r->current + r->message_len, data, len);
    }
    r->message_len += len;
    r->plain_len += len;
    if ((flags & HWS_FINAL) == 0) {
        return;
    }
    CHECK(r->text == HWS_UTF8_ACCEPT);
    r->type = 0;
    digest(r, &type, 1);
    digest(r, r->current, r->message_len);
    if (r->options->trims) {
        hws_deflate_trim(&r->deflate);
    }
}

static void on_event(reader *r, const hws_event *ev) {
    CHECK(!r->closed);
    if (ev->type == HWS_TEXT || ev->type == HWS_BINARY) {
        on_data(r, ev->type, ev->flags, ev->data, ev->len);
        return;
    }
    CHECK(ev->type == HWS_PING || ev->type == HWS_PONG || ev->type == HWS_CLOSE);
    CHECK(ev->flags == HWS_WHOLE && ev->len <= HWS_CONTROL_MAX);
    r->closed = ev->type == HWS_CLOSE;
    digest(r, &ev->type, 1);
    digest(r, &ev->close_code, sizeof ev->close_code);
    digest(r, ev->data, ev->len);
}

/* The room of the next call; with `starves` none at all in two of three. */
static size_t next_cap(reader *r) {
    r->starving = r->options->starves ? (uint8_t)((r->starving + 1) % 3) : 0;
    return r->starving > 0 ? 0 : r->plan.cap;
}

static uint8_t is_for_us(const reader *r, hws_status status) {
    return (status == HWS_ERR_SPACE && r->starving > 0) ||
           (status == HWS_ERR_MEMORY && r->memory.failed > 0);
}

static hws_status by_receive(reader *r, uint8_t *buf, size_t len, size_t *used) {
    hws_event ev;
    hws_status status = HWS_ERR_SPACE;
    while (is_for_us(r, status) || status == HWS_ERR_SPACE) {
        size_t cap = next_cap(r);
        size_t too_far = len + 1;
        if (hws_deflate_pending(&r->deflate)) {
            CHECK(hws_deflate_receive(&r->deflate, &r->conn, buf, len, &too_far, r->room, cap,
                                      &ev) == HWS_ERR_ARGUMENT);
        }
        memset(r->room + cap, GUARD_BYTE, GUARD);
        status = hws_deflate_receive(&r->deflate, &r->conn, buf, len, used, r->room, cap, &ev);
        CHECK(status != HWS_ERR_SPACE || r->starving > 0);
        CHECK(status != HWS_ERR_MEMORY || r->memory.failed > 0);
        CHECK(r->room[cap] == GUARD_BYTE && r->room[cap + GUARD - 1] == GUARD_BYTE);
        CHECK(status != HWS_EVENT || ev.data != r->room || ev.len <= cap);
        r->calls++;
    }
    if (status == HWS_EVENT) {
        on_event(r, &ev);
    }
    return status;
}

/* The message's buffer grows by the room at a time. */
static hws_status by_message(reader *r, uint8_t *buf, size_t len, size_t *used) {
    hws_message *m = &r->message;
    hws_event ev;
    hws_status status = HWS_ERR_MEMORY;
    while (status == HWS_ERR_SPACE || status == HWS_ERR_MEMORY) {
        if (status == HWS_ERR_SPACE) {
            size_t cap = m->cap + r->plan.cap;
            CHECK(m->len == m->cap && m->len <= r->options->max_message);
            CHECK(hws_message_grow(m, realloc(m->data, cap), cap) == HWS_OK);
        }
        status = hws_deflate_receive_message(&r->deflate, &r->conn, m, buf, len, used, &ev);
        CHECK(status != HWS_ERR_MEMORY || r->memory.failed > 0);
    }
    if (status == HWS_EVENT) {
        on_event(r, &ev);
    }
    return status;
}

/* Mistakes of the caller between pieces, which change nothing. */
static void make_mistakes(reader *r) {
    uint8_t src[1] = {0};
    size_t used = 0;
    size_t n = 0;
    uint8_t wrong_place = r->type == 0 ? 0 : HWS_FIRST;
    CHECK(hws_deflate_decompress(&r->deflate, HWS_PING, HWS_WHOLE, src, 1, &used, r->room, ROOM,
                                 &n) == HWS_ERR_ARGUMENT);
    CHECK(hws_deflate_decompress(&r->deflate, HWS_TEXT, wrong_place, src, 1, &used, r->room, ROOM,
                                 &n) == HWS_ERR_STATE);
    CHECK(used == 0 && n == 0);
    used = 2;
    CHECK(hws_deflate_decompress(&r->deflate, HWS_TEXT, HWS_WHOLE, src, 1, &used, r->room, ROOM,
                                 &n) == HWS_ERR_ARGUMENT);
}

/* Another piece must not get into one that is not taken whole. */
static void try_another(reader *r, const hws_event *ev, size_t used) {
    uint8_t flags = ev->flags & HWS_WHOLE;
    uint8_t other = ev->type == HWS_TEXT ? HWS_BINARY : HWS_TEXT;
    size_t n = 0;
    CHECK(hws_deflate_decompress(&r->deflate, other, flags, ev->data, ev->len, &used, r->room, ROOM,
                                 &n) == HWS_ERR_STATE);
    CHECK(hws_deflate_decompress(&r->deflate, ev->type, flags ^ HWS_FINAL, ev->data, ev->len, &used,
                                 r->room, ROOM, &n) == HWS_ERR_STATE);
    CHECK(n == 0);
}

static hws_status decompress_piece(reader *r, const hws_event *ev) {
    size_t used = 0;
    hws_status status = HWS_MORE;
    uint8_t first = ev->flags & HWS_FIRST;
    while (status == HWS_MORE || is_for_us(r, status)) {
        size_t cap = next_cap(r);
        size_t n = 0;
        memset(r->room + cap, GUARD_BYTE, GUARD);
        status = hws_deflate_decompress(&r->deflate, ev->type, ev->flags & HWS_WHOLE, ev->data,
                                        ev->len, &used, r->room, cap, &n);
        CHECK(used <= ev->len && n <= cap && r->room[cap] == GUARD_BYTE);
        CHECK(status == HWS_OK || status == HWS_MORE || n == 0);
        CHECK(status != HWS_MORE || n == cap);
        if (status == HWS_MORE) {
            try_another(r, ev, used);
        }
        uint8_t final = status == HWS_OK ? ev->flags & HWS_FINAL : 0;
        if (n > 0 || final || (status == HWS_OK && first)) {
            on_data(r, ev->type, first | final, r->room, n);
            first = 0;
        }
    }
    CHECK(status != HWS_OK || used == ev->len);
    return status;
}

/* What hws_deflate_receive() does, out of its parts. */
static hws_status by_span(reader *r, uint8_t *buf, size_t len, size_t *used) {
    hws_event ev;
    hws_status status = hws_conn_receive(&r->conn, buf, len, used, &ev);
    if (status != HWS_EVENT || (ev.flags & HWS_COMPRESSED) == 0) {
        if (status == HWS_EVENT) {
            on_event(r, &ev);
        }
        return status;
    }
    if (r->payload != NULL) {
        r->payload_len = (ev.flags & HWS_FIRST) != 0 ? 0 : r->payload_len;
        memcpy(r->payload + r->payload_len, ev.data, ev.len);
        r->payload_len += ev.len;
    }
    if ((ev.flags & HWS_FIRST) != 0) {
        make_mistakes(r);
    }
    status = decompress_piece(r, &ev);
    if (status != HWS_OK) {
        size_t n = 0;
        size_t none = 0;
        look_at_part(r, ev.flags, status);
        CHECK(hws_deflate_decompress(&r->deflate, HWS_TEXT, HWS_WHOLE, NULL, 0, &none, r->room,
                                     ROOM, &n) == status);
        CHECK(hws_conn_fail(&r->conn, status) == HWS_OK);
        return status;
    }
    if ((ev.flags & HWS_FINAL) != 0) {
        look_at_message(r);
        r->payload_len = 0;
    }
    return HWS_EVENT;
}

static hws_status take_chunk(reader *r, const uint8_t *data, size_t len) {
    uint8_t *buf = fuzz_copy(data, len);
    hws_status status = HWS_EVENT;
    size_t used = 0;
    while (status == HWS_EVENT) {
        size_t blocks = r->memory.blocks;
        unsigned taken = r->memory.taken;
        switch (r->plan.way) {
        case BY_RECEIVE:
            status = by_receive(r, buf, len, &used);
            break;
        case BY_MESSAGE:
            status = by_message(r, buf, len, &used);
            break;
        case BY_SPAN:
            status = by_span(r, buf, len, &used);
            break;
        }
        CHECK(used <= len && (blocks == 0 || r->memory.taken == taken));
        take_reply(r);
    }
    CHECK(status < 0 || (used == len && !hws_deflate_pending(&r->deflate)));
    free(buf);
    return status;
}

static void start(reader *r, const options *o, plan how) {
    hws_conn_config config;
    hws_deflate_params agreed;
    hws_deflate_options filter;

    memset(r, 0, sizeof *r);
    r->options = o;
    r->plan = how;
    r->memory.fail_in = o->fail_in;
    hws_conn_config_init(&config, o->role);
    config.compression = 1;
    config.max_message = o->max_message;
    config.random = fuzz_random;
    config.random_user = &r->next_random;
    CHECK(hws_conn_init(&r->conn, &config) == HWS_OK);

    hws_deflate_params_init(&agreed, HWS_DEFLATE_BEST);
    if (o->role == HWS_ROLE_SERVER) {
        agreed.client_max_window_bits = o->window_bits;
        agreed.client_no_context_takeover = o->no_takeover;
    } else {
        agreed.server_max_window_bits = o->window_bits;
        agreed.server_no_context_takeover = o->no_takeover;
    }
    hws_deflate_options_init(&filter, o->role, HWS_DEFLATE_BEST);
    filter.codec = hws_codec_zlib();
    filter.max_message = o->max_message;
    filter.settings.allocator = counting_allocator(&r->memory);
    CHECK(hws_deflate_init(&r->deflate, &agreed, &filter) == HWS_OK && r->memory.taken == 0);
    hws_message_init(&r->message, NULL, 0);
}

static void finish(reader *r, size_t size, hws_status status) {
    hws_closing closing;
    size_t bound = 2 * size + (size_t)(r->plain_len / r->plan.cap) + 4;

    CHECK(r->calls <= (r->options->starves ? 3 : 1) * bound);
    CHECK(status != HWS_ERR_SPACE && status != HWS_ERR_MEMORY);
    if (r->type != 0 && status == HWS_OK) {
        look_at_part(r, 0, status);
    }
    digest(r, &status, sizeof status);
    hws_conn_receive_eof(&r->conn);
    hws_conn_get_closing(&r->conn, &closing);
    digest(r, &closing.code, sizeof closing.code);
    digest(r, &closing.own_code, sizeof closing.own_code);
    hws_deflate_release(&r->deflate);
    hws_deflate_release(&r->deflate);
    CHECK(r->memory.blocks == 0);
    free(r->message.data);
}

/* Receives all. With `strict` and `wide` zlib alone looks at the messages too; returns whether it
 * found a reference beyond the window. */
static uint8_t take_stream(const options *o, plan how, const uint8_t *data, size_t size,
                           uint8_t referred, uint64_t *result) {
    reader *r = malloc(sizeof *r);
    hws_status status = HWS_OK;
    size_t i = 0;

    CHECK(r != NULL);
    start(r, o, how);
    if (referred) {
        r->strict = reference_new(o->window_bits, !o->no_takeover);
        r->wide = reference_new(15, !o->no_takeover);
        r->payload = malloc(size + 1);
        CHECK(r->payload != NULL);
    }
    while (i < size && status == HWS_OK) {
        size_t n = how.chunk < size - i ? how.chunk : size - i;
        status = take_chunk(r, data + i, n);
        i += n;
    }
    finish(r, size, status);
    *result = r->digest;
    uint8_t beyond = r->beyond;
    if (referred) {
        reference_free(r->strict);
        reference_free(r->wide);
    }
    free(r->payload);
    free(r);
    return beyond;
}

/* The last byte: role (bit 0), whether the input is a payload (1), takeover (2), window (3 to 5).
 * And of the second last: limit (bits 0 and 1), trims (5), a failing allocation (6), starving (7).
 */
static void configure(options *o, uint8_t first, uint8_t second) {
    static const uint16_t limits[] = {MESSAGE_MAX, 0, 5, 300};

    memset(o, 0, sizeof *o);
    o->role = first & 1;
    o->no_takeover = first >> 2 & 1;
    o->window_bits = (uint8_t)(15 - (first >> 3 & 7));
    o->max_message = limits[second & 3];
    o->trims = second >> 5 & 1;
    o->fail_in = second >> 6 & 1 ? (uint8_t)(1 + (first >> 6)) : 0;
    o->starves = second >> 7;
}

/* Bits 2 to 4 of the second last byte are the room, bits 0 to 3 of the third last the cuts. */
static plan make_plan(uint8_t second, uint8_t third, enum way way) {
    static const uint16_t caps[] = {1, 2, 3, 7, 16, 61, 300, ROOM};
    return (plan){1U + (third & 15), caps[second >> 2 & 7], way};
}

/* A compressed message with this payload: text by bit 4 of `third`, and in fragments of as many
 * bytes as bits 5 to 7 say, if they say any. The mask key is zeros. */
static uint8_t *frame_payload(const uint8_t *data, size_t size, uint8_t role, uint8_t third,
                              size_t *framed_len) {
    size_t part = third >> 5 == 0 ? size : third >> 5;
    uint8_t *out = malloc(size * (HWS_FRAME_HEADER_MAX + 1) + HWS_FRAME_HEADER_MAX);
    size_t n = 0;
    size_t i = 0;
    uint8_t first = 1;

    CHECK(out != NULL);
    while (first || i < size) {
        size_t len = part < size - i ? part : size - i;
        hws_frame frame = {.payload_len = len, .fin = i + len == size, .rsv = first ? 4 : 0};
        uint8_t type = (third & 16) != 0 ? HWS_OPCODE_TEXT : HWS_OPCODE_BINARY;
        frame.opcode = first ? type : HWS_OPCODE_CONTINUATION;
        frame.masked = role == HWS_ROLE_SERVER;
        uint8_t context = (uint8_t)((frame.masked ? HWS_FRAME_FROM_CLIENT : 0) |
                                    (first ? 0 : HWS_FRAME_IN_MESSAGE) | HWS_FRAME_RSV1);
        CHECK(hws_frame_encode(&frame, context, out, n + HWS_FRAME_HEADER_MAX, &n) == HWS_OK);
        memcpy(out + n, data + i, len);
        n += len;
        i += len;
        first = 0;
    }
    *framed_len = n;
    return out;
}

/* A connection that is failed from outside hands out nothing more of a piece that waits. */
static void fail_while_waiting(const options *o, uint8_t *buf, size_t size) {
    static reader r;
    hws_event ev;
    size_t used = 0;
    start(&r, o, (plan){size, ROOM, BY_RECEIVE});
#define NEXT(cap) hws_deflate_receive(&r.deflate, &r.conn, buf, size, &used, r.room, cap, &ev)
    while (NEXT(0) == HWS_EVENT) {
    }
    if (hws_deflate_pending(&r.deflate)) {
        CHECK(hws_conn_fail(&r.conn, HWS_ERR_POLICY) == HWS_OK && NEXT(1) == HWS_ERR_POLICY);
        CHECK(used <= size && !hws_deflate_pending(&r.deflate));
    }
    hws_deflate_release(&r.deflate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t first = fuzz_option(data, &size);
    uint8_t second = fuzz_option(data, &size);
    uint8_t third = fuzz_option(data, &size);
    uint8_t *framed = NULL;
    uint64_t results[5];
    options o;
    size_t i = 0;
    configure(&o, first, second);
    if ((first & 2) != 0) {
        framed = frame_payload(data, size, o.role, third, &size);
        data = framed;
    }
    plan whole = {size, ROOM, BY_SPAN};
    plan dripping = {1, ROOM, BY_RECEIVE};
    uint8_t beyond = take_stream(&o, whole, data, size, 1, &results[0]);
    take_stream(&o, make_plan(second, third, BY_RECEIVE), data, size, 0, &results[1]);
    take_stream(&o, make_plan(second, third, BY_MESSAGE), data, size, 0, &results[2]);
    take_stream(&o, make_plan(second, third, BY_SPAN), data, size, 0, &results[3]);
    take_stream(&o, dripping, data, size, 0, &results[4]);
    while (i < 5) {
        CHECK(beyond || results[i] == results[0]);
        i++;
    }
    uint8_t *copy = malloc(size + 1);
    CHECK(copy != NULL);
    memcpy(copy, data, size);
    fail_while_waiting(&o, copy, size);
    free(copy);
    free(framed);
    return 0;
}
