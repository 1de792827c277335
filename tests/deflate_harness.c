#include "deflate_harness.h"

#include <hawser/deflate_zlib.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRACE_CAP = 1 << 16, SHOWN_MAX = 64, INPUT = 1 << 16, ROOM = 4096, MAX_MESSAGE = 65536 };

/* Sanitizers and valgrind take fewer cuts; streams that fill a large window take few. */
#ifdef HWS_TEST_REDUCED
enum { CUTS = 12, CUTS_LONG = 1 };
#else
enum { CUTS = 600, CUTS_LONG = 6 };
#endif

enum way { RECEIVE, GROW, EXACT, RAW };

typedef struct variant {
    const char *name;
    enum way way;
    size_t cap;
    uint8_t move;
    uint8_t trim;
} variant;

static const variant variants[] = {
    {"a large room", RECEIVE, ROOM, 0, 0},
    {"a room of 1 byte", RECEIVE, 1, 0, 1},
    {"a room of 2 bytes, moved", RECEIVE, 2, 1, 0},
    {"a room of 7 bytes", RECEIVE, 7, 0, 0},
    {"a room of 1 byte, moved", RECEIVE, 1, 1, 0},
    {"a large room, moved", RECEIVE, ROOM, 1, 1},
    {"a message that grows", GROW, 1, 0, 0},
    {"a message that grows, moved", GROW, 3, 1, 1},
    {"a message of the limit", EXACT, 0, 0, 1},
    {"a message of the limit, moved", EXACT, 0, 1, 0},
    {"decompress, 1 byte", RAW, 1, 0, 0},
    {"decompress, 7 bytes", RAW, 7, 0, 1},
    {"decompress, a large room", RAW, ROOM, 0, 0},
};

typedef struct run {
    hws_conn conn;
    hws_deflate deflate;
    variant v;
    uint64_t consumed;
    uint64_t checksum; /* of all data that items tell of */
    uint8_t *plain;    /* of the message so far, by events that are pieces */
    size_t plain_len;
    size_t plain_cap;
    uint8_t inside;
    hws_message assembly;
    size_t trace_len;
    char trace[TRACE_CAP];
} run;

static run shared;
static uint64_t first_checksum; /* of the first run of the row */

/* Bytes are laid at the end of these. */
static uint8_t *inputs[2];
static uint8_t *room;
static uint8_t *exact;

static void item(run *r, const char *text) {
    size_t len = strlen(text);
    assert_true(r->trace_len + len + 3 < TRACE_CAP);
    if (r->trace_len > 0) {
        memcpy(r->trace + r->trace_len, "; ", 2);
        r->trace_len += 2;
    }
    memcpy(r->trace + r->trace_len, text, len + 1);
    r->trace_len += len;
}

static void item_data(run *r, const char *name, const uint8_t *data, size_t len) {
    char text[64 + 4 * SHOWN_MAX];
    int at = sprintf(text, len > SHOWN_MAX ? "%s [%zu]" : "%s \"", name, len);
    size_t i = 0;
    while (i < len) {
        r->checksum = (r->checksum ^ data[i]) * UINT64_C(1099511628211);
        i++;
    }
    i = 0;
    while (i < len && len <= SHOWN_MAX) {
        int plain = data[i] >= 0x20 && data[i] < 0x7F && data[i] != '\\';
        at += sprintf(text + at, plain ? "%c" : "\\%02x", data[i]);
        i++;
    }
    if (len <= SHOWN_MAX) {
        sprintf(text + at, "\"");
    }
    item(r, text);
}

static void take_reply(run *r) {
    uint8_t out[HWS_REPLY_MAX];
    size_t n = 0;
    size_t at = 0;

    assert_int_equal(hws_conn_reply(&r->conn, out, sizeof out, &n), HWS_OK);
    while (at < n) {
        hws_frame frame;
        uint8_t context = (out[at + 1] & 0x80) != 0 ? HWS_FRAME_FROM_CLIENT : 0;
        uint8_t payload[HWS_CONTROL_MAX];
        char name[32];
        size_t i = 0;
        assert_int_equal(hws_frame_decode(out + at, n - at, context, &frame), HWS_OK);
        at += frame.header_len;
        while (i < frame.payload_len) {
            payload[i] = out[at + i] ^ frame.mask_key[i % 4];
            i++;
        }
        at += i;
        if (frame.opcode == HWS_PONG) {
            item_data(r, ">pong", payload, i);
            continue;
        }
        assert_int_equal(frame.opcode, HWS_CLOSE);
        sprintf(name, i == 0 ? ">close" : ">close %d", i == 0 ? 0 : payload[0] << 8 | payload[1]);
        item(r, name);
    }
}

static void on_piece(run *r, uint8_t type, uint8_t flags, const uint8_t *data, size_t len) {
    assert_int_equal((flags & HWS_FIRST) != 0, !r->inside);
    assert_true((flags & HWS_FINAL) != 0 || len > 0);
    assert_int_equal(flags & ~HWS_WHOLE, 0);
    if (r->plain_len + len > r->plain_cap) {
        r->plain_cap = 2 * (r->plain_len + len);
        r->plain = realloc(r->plain, r->plain_cap);
        assert_non_null(r->plain);
    }
    if (len > 0) {
        memcpy(r->plain + r->plain_len, data, len);
    }
    r->plain_len += len;
    r->inside = (flags & HWS_FINAL) == 0;
    if (!r->inside) {
        item_data(r, type == HWS_TEXT ? "text" : "binary", r->plain, r->plain_len);
        r->plain_len = 0;
    }
}

static void on_event(run *r, const hws_event *ev) {
    char name[32];
    if (ev->type == HWS_TEXT || ev->type == HWS_BINARY) {
        on_piece(r, ev->type, ev->flags, ev->data, ev->len);
        return;
    }
    assert_int_equal(ev->flags, HWS_WHOLE);
    if (ev->type == HWS_CLOSE) {
        sprintf(name, "close %d", ev->close_code);
        item_data(r, name, ev->data, ev->len);
        return;
    }
    assert_true(ev->type == HWS_PING || ev->type == HWS_PONG);
    item_data(r, ev->type == HWS_PING ? "ping" : "pong", ev->data, ev->len);
}

/* What an event with HWS_COMPRESSED holds, through hws_deflate_decompress(). */
static hws_status decompress_event(run *r, const hws_event *ev) {
    uint8_t *dst = room + ROOM - r->v.cap;
    hws_status status = HWS_MORE;
    size_t used = 0;

    while (status == HWS_MORE) {
        size_t n = 0;
        uint8_t final;
        status = hws_deflate_decompress(&r->deflate, ev->type, ev->flags & HWS_WHOLE, ev->data,
                                        ev->len, &used, dst, r->v.cap, &n);
        assert_true(used <= ev->len && n <= r->v.cap);
        assert_true(status != HWS_MORE || n == r->v.cap);
        if (status < 0) {
            assert_int_equal(n, 0);
            assert_int_equal(hws_conn_fail(&r->conn, status), HWS_OK);
            return status;
        }
        final = status == HWS_OK ? ev->flags & HWS_FINAL : 0;
        if (n > 0 || final) {
            on_piece(r, ev->type, (uint8_t)((r->inside ? 0 : HWS_FIRST) | final), dst, n);
        }
    }
    assert_int_equal(used, ev->len);
    return HWS_EVENT;
}

static hws_status feed_raw(run *r, uint8_t *buf, size_t len, size_t *used) {
    hws_event ev;
    hws_status status = hws_conn_receive(&r->conn, buf, len, used, &ev);
    if (status == HWS_EVENT && (ev.flags & HWS_COMPRESSED) != 0) {
        return decompress_event(r, &ev);
    }
    if (status == HWS_EVENT) {
        on_event(r, &ev);
    }
    return status;
}

static hws_status feed_message(run *r, uint8_t *buf, size_t len, size_t *used) {
    hws_event ev;
    hws_status status =
        hws_deflate_receive_message(&r->deflate, &r->conn, &r->assembly, buf, len, used, &ev);
    if (status == HWS_ERR_SPACE) {
        size_t cap = r->assembly.cap + r->v.cap;
        uint8_t *data;
        assert_int_equal(r->v.way, GROW);
        assert_int_equal(hws_deflate_pending(&r->deflate), 1);
        data = realloc(r->assembly.data, cap);
        assert_non_null(data);
        assert_int_equal(hws_message_grow(&r->assembly, data, cap), HWS_OK);
        return HWS_EVENT;
    }
    if (status == HWS_EVENT) {
        assert_int_equal(ev.flags & HWS_WHOLE, HWS_WHOLE);
        on_event(r, &ev);
    }
    return status;
}

static hws_status feed_once(run *r, uint8_t *buf, size_t len, size_t *used) {
    hws_event ev;
    hws_status status;
    if (r->v.way == RAW) {
        return feed_raw(r, buf, len, used);
    }
    if (r->v.way != RECEIVE) {
        return feed_message(r, buf, len, used);
    }
    status = hws_deflate_receive(&r->deflate, &r->conn, buf, len, used, room + ROOM - r->v.cap,
                                 r->v.cap, &ev);
    if (status == HWS_EVENT) {
        on_event(r, &ev);
    }
    return status;
}

/* The rest goes to the other buffer, and what it was in becomes garbage. */
static uint8_t *move_rest(uint8_t *buf, size_t from, size_t len, int to) {
    uint8_t *other = inputs[to] + INPUT - (len - from);
    memcpy(other, buf + from, len - from);
    memset(buf, 0x55, len);
    return other;
}

static void feed(run *r, const uint8_t *bytes, size_t len) {
    uint8_t *buf = inputs[0] + INPUT - len;
    hws_status status = HWS_EVENT;
    size_t used = 0;
    int in = 0;

    if (len > 0) {
        memcpy(buf, bytes, len);
    }
    while (status == HWS_EVENT) {
        size_t from = used;
        uint8_t could = hws_conn_can_receive(&r->conn);
        status = feed_once(r, buf, len, &used);
        assert_true(used >= from && used <= len);
        r->consumed += could ? used - from : 0;
        take_reply(r);
        if (r->v.trim) {
            hws_deflate_trim(&r->deflate);
        }
        if (r->v.move && status == HWS_EVENT) {
            in = !in;
            buf = move_rest(buf, used, len, in);
            len -= used;
            used = 0;
        }
    }
    if (status == HWS_OK) {
        assert_int_equal(used, len);
        assert_int_equal(hws_deflate_pending(&r->deflate), 0);
    } else { /* sticky, and nothing is consumed after it */
        size_t again = used;
        assert_true(status < 0);
        assert_int_equal(feed_once(r, buf, len, &again), status);
        assert_int_equal(again, used);
        assert_int_equal(hws_deflate_pending(&r->deflate), 0);
    }
}

void deflate_harness_open(const deflate_row *spec, const hws_allocator *allocator, hws_conn *conn,
                          hws_deflate *deflate) {
    hws_conn_config config = test_conn_config(spec->role);
    uint8_t window = spec->window_bits == 0 ? 15 : spec->window_bits;
    hws_deflate_params agreed = {.enabled = !spec->no_compression,
                                 .server_max_window_bits = 15,
                                 .client_max_window_bits = 15};
    hws_deflate_options options;

    if (spec->role == HWS_ROLE_SERVER) {
        agreed.client_max_window_bits = window;
        agreed.client_no_context_takeover = spec->no_takeover;
    } else {
        agreed.server_max_window_bits = window;
        agreed.server_no_context_takeover = spec->no_takeover;
    }
    test_conn_random = (test_random){.seed = 9};
    config.compression = agreed.enabled;
    config.max_message = spec->max_message == 0 ? MAX_MESSAGE : spec->max_message;
    memset(conn, 0xAA, sizeof *conn);
    assert_int_equal(hws_conn_init(conn, &config), HWS_OK);
    hws_deflate_options_init(&options, spec->role, HWS_DEFLATE_BALANCED);
    options.codec = hws_codec_zlib();
    options.max_message = config.max_message;
    if (allocator != NULL) {
        options.settings.allocator = *allocator;
    }
    memset(deflate, 0xAA, sizeof *deflate);
    assert_int_equal(hws_deflate_init(deflate, &agreed, &options), HWS_OK);
}

static void begin(const deflate_row *spec, variant v) {
    run *r = &shared;
    size_t max = (size_t)(spec->max_message == 0 ? MAX_MESSAGE : spec->max_message);

    if (room == NULL) {
        inputs[0] = guard_alloc(INPUT);
        inputs[1] = guard_alloc(INPUT);
        room = guard_alloc(ROOM);
        exact = guard_alloc(MAX_MESSAGE);
    }
    memset(r, 0, offsetof(run, trace) + 1);
    r->checksum = 7;
    r->v = v;
    deflate_harness_open(spec, NULL, &r->conn, &r->deflate);
    if (v.way == EXACT) {
        assert_true(max <= MAX_MESSAGE);
        hws_message_init(&r->assembly, exact + MAX_MESSAGE - max, max);
    } else {
        hws_message_init(&r->assembly, NULL, 0);
    }
}

static void end(const deflate_row *spec, const char *how, size_t cut) {
    run *r = &shared;
    hws_conn_error error;
    char text[96];

    hws_conn_get_error(&r->conn, &error);
    if (error.status != HWS_OK) { /* all that the connection has looked at is consumed */
        assert_int_equal(error.offset, r->consumed);
    }
    sprintf(text, "%s @%llu",
            error.status != HWS_OK           ? hws_status_name(error.status)
            : hws_conn_can_receive(&r->conn) ? "open"
                                             : "ended",
            (unsigned long long)r->consumed);
    if (error.status == HWS_ERR_INFLATE || error.status == HWS_ERR_UTF8 ||
        error.status == HWS_ERR_MESSAGE_TOO_BIG) {
        *strchr(text, ' ') = '\0';
    }
    item(r, text);
    free(r->plain);
    if (r->v.way == GROW) {
        free(r->assembly.data);
    }
    hws_deflate_release(&r->deflate);
    hws_deflate_release(&r->deflate);
    if (first_checksum == 0) {
        first_checksum = r->checksum;
    }
    assert_int_equal(r->checksum, first_checksum);
    if (strcmp(r->trace, spec->trace) != 0) {
        print_error("%s\n  run:      %s, %s %zu\n  expected: %s\n  trace:    %s\n", spec->name,
                    r->v.name, how, cut, spec->trace, r->trace);
        fail();
    }
}

static void run_variant(const deflate_row *spec, variant v, const uint8_t *bytes, size_t len) {
    size_t stride = 1 + len / (spec->window_bits > 9 ? CUTS_LONG : CUTS);
    size_t cut = 0;
    size_t i = 0;

    begin(spec, v);
    feed(&shared, bytes, len);
    end(spec, "whole", len);
    while (cut <= len) {
        begin(spec, v);
        feed(&shared, bytes, cut);
        feed(&shared, bytes + cut, len - cut);
        end(spec, "cut at", cut);
        cut += stride;
    }
    begin(spec, v);
    while (i < len) {
        feed(&shared, bytes + i, 0);
        feed(&shared, bytes + i, 1);
        i++;
    }
    end(spec, "byte by byte", len);
}

void deflate_harness_run_rows(const deflate_row *rows, size_t count) {
    uint8_t *bytes = malloc(INPUT);
    size_t i = 0;

    assert_non_null(bytes);
    while (i < count) {
        size_t len = hex_decode(rows[i].hex, bytes, INPUT);
        size_t v = 0;
        first_checksum = 0;
        while (v < sizeof variants / sizeof variants[0]) {
            run_variant(&rows[i], variants[v], bytes, len);
            v++;
        }
        i++;
    }
    free(bytes);
}
