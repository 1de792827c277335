#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRACE_CAP = 1 << 17, SHOWN_MAX = 64, ROOM = 1 << 20, SLIDE_BY = 5 };

/* Sanitizers and valgrind take fewer cuts of long streams. */
#ifdef HWS_TEST_REDUCED
enum { CUTS_FIRST = 150, CUTS_OTHER = 12, CUTS_LONG = 1, BYTEWISE_MAX = 8192 };
#else
enum { CUTS_FIRST = 600, CUTS_OTHER = 60, CUTS_LONG = 6, BYTEWISE_MAX = ROOM };
#endif

/* How a run hands over the stream. FRAMES is IN_PLACE with frame_events; SLIDE has its target a few
 * bytes before the source, in the same array. */
enum way { IN_PLACE, FRAMES, INTO, INTO_SELF, SLIDE, BATCH, MESSAGE };

typedef struct run {
    hws_conn conn;
    test_random random;
    enum way way;
    size_t cap; /* of INTO targets, of BATCH arrays, of the first MESSAGE buffer */
    uint8_t role;
    uint8_t compression;
    uint64_t consumed;
    uint64_t replied;      /* bytes of all replies */
    const uint8_t *stream; /* FRAMES: all of it */
    uint64_t frame_end;    /* FRAMES: where the last frame ends in it */
    uint8_t in_message;    /* FRAMES: a message is unfinished there */
    uint64_t checksum;     /* of all payload of messages, in order */
    uint8_t *message;
    size_t message_len;
    size_t message_cap;
    hws_message assembly;
    size_t trace_len;
    char trace[TRACE_CAP];
} run;

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

static void quoted(char *out, const uint8_t *data, size_t len) {
    size_t i = 0;
    if (len > SHOWN_MAX) {
        sprintf(out, " [%zu]", len);
        return;
    }
    out += sprintf(out, " \"");
    while (i < len) {
        int plain = data[i] >= 0x20 && data[i] < 0x7F && data[i] != '\\';
        out += sprintf(out, plain ? "%c" : "\\%02x", data[i]);
        i++;
    }
    sprintf(out, "\"");
}

static void item_data(run *r, const char *name, const uint8_t *data, size_t len) {
    char text[64 + 4 * SHOWN_MAX];
    quoted(text + sprintf(text, "%s", name), data, len);
    item(r, text);
}

static void checksum(run *r, const uint8_t *data, size_t len) {
    size_t i = 0;
    while (i < len) {
        r->checksum = (r->checksum ^ data[i]) * UINT64_C(1099511628211);
        i++;
    }
}

/* A reply is judged as a peer would: decoded, unmasked, and every byte of it accounted for. */
static void item_reply(run *r, const uint8_t *out, size_t n) {
    uint8_t payload[HWS_CONTROL_MAX];
    size_t at = 0;
    while (at < n) {
        hws_frame frame;
        size_t i = 0;
        uint8_t context = (out[at + 1] & 0x80) != 0 ? HWS_FRAME_FROM_CLIENT : 0;
        char name[32];
        assert_int_equal(hws_frame_decode(out + at, n - at, context, &frame), HWS_OK);
        at += frame.header_len;
        assert_true(frame.payload_len <= n - at);
        while (i < frame.payload_len) {
            payload[i] = out[at + i] ^ frame.mask_key[i % 4];
            i++;
        }
        at += i;
        if (frame.opcode == HWS_PONG) {
            item_data(r, ">pong", payload, i);
        } else {
            assert_int_equal(frame.opcode, HWS_CLOSE);
            assert_true(i == 0 || i == 2);
            sprintf(name, i == 0 ? ">close" : ">close %d", payload[0] << 8 | payload[1]);
            item(r, name);
        }
    }
}

static void take_reply(run *r) {
    uint8_t out[HWS_REPLY_MAX];
    size_t owed = hws_conn_reply_len(&r->conn);
    size_t n = 0;
    hws_conn before = r->conn;

    assert_true(owed <= HWS_REPLY_MAX);
    r->replied += owed;
    assert_true(r->replied <= (r->role == HWS_ROLE_SERVER ? r->consumed + 4 : 3 * r->consumed + 8));
    if (owed > 0) { /* one byte too few changes nothing */
        assert_int_equal(hws_conn_reply(&r->conn, out, owed - 1, &n), HWS_ERR_SPACE);
        assert_int_equal(n, 0);
        assert_memory_equal(&before, &r->conn, sizeof before);
    }
    assert_int_equal(hws_conn_reply(&r->conn, out, owed, &n), HWS_OK);
    assert_int_equal(n, owed);
    assert_int_equal(hws_conn_reply_len(&r->conn), 0);
    item_reply(r, out, n);
}

static void on_message(run *r, const hws_event *ev) {
    const char *name = ev->type == HWS_TEXT ? "text" : "binary";
    const char *compressed = ev->type == HWS_TEXT ? "text*" : "binary*";

    if ((ev->flags & HWS_FIRST) != 0) {
        assert_int_equal(r->message_len, 0);
    }
    assert_true((ev->flags & HWS_FINAL) != 0 || ev->len > 0);
    if (r->message_len + ev->len > r->message_cap) {
        r->message_cap = 2 * (r->message_len + ev->len);
        r->message = realloc(r->message, r->message_cap);
        assert_non_null(r->message);
    }
    if (ev->len > 0) {
        memcpy(r->message + r->message_len, ev->data, ev->len);
    }
    r->message_len += ev->len;
    if (r->way != BATCH) { /* where it is a record later */
        size_t len = (ev->flags & HWS_FINAL) == 0 ? r->message_len : 0;
        assert_int_equal(hws_conn_message_len(&r->conn), len);
    }
    if ((ev->flags & HWS_FINAL) == 0) {
        return;
    }
    checksum(r, r->message, r->message_len);
    item_data(r, (ev->flags & HWS_COMPRESSED) != 0 ? compressed : name, r->message, r->message_len);
    r->message_len = 0;
}

static void on_event(run *r, const hws_event *ev) {
    char name[32];

    assert_true(ev->type == HWS_CLOSE || ev->close_code == 0);
    if (ev->type == HWS_TEXT || ev->type == HWS_BINARY) {
        on_message(r, ev);
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

/* A frame's header is what hws_frame_decode() makes of the same bytes, and starts where the frame
 * before it ends. */
static void on_frame(run *r, uint64_t at) {
    uint8_t context = (uint8_t)((r->role == HWS_ROLE_SERVER ? HWS_FRAME_FROM_CLIENT : 0) |
                                (r->in_message ? HWS_FRAME_IN_MESSAGE : 0) |
                                (r->compression ? HWS_FRAME_RSV1 : 0));
    hws_frame got;
    hws_frame expected;

    hws_conn_get_frame(&r->conn, &got);
    assert_int_equal(r->frame_end + got.header_len, at);
    assert_int_equal(hws_frame_decode(r->stream + r->frame_end, got.header_len, context, &expected),
                     HWS_OK);
    assert_memory_equal(&got, &expected, sizeof got);
    r->frame_end = at + got.payload_len;
    if (got.opcode < HWS_OPCODE_CLOSE) {
        r->in_message = !got.fin;
    }
}

static hws_status feed_batch(run *r, uint8_t *buf, size_t len, size_t *used) {
    hws_record records[8];
    size_t count = 99;
    size_t i = 0;
    hws_status status = hws_conn_receive_batch(&r->conn, buf, len, used, records, r->cap, &count);

    assert_true(count <= r->cap);
    while (i < count) {
        uint8_t kept = records[i].source == HWS_SOURCE_CONN;
        hws_event ev = {.type = records[i].type,
                        .flags = records[i].flags,
                        .close_code = records[i].close_code,
                        .data = (kept ? (uint8_t *)&r->conn : buf) + records[i].offset,
                        .len = (size_t)records[i].len};
        assert_true(records[i].offset + records[i].len <= (kept ? sizeof r->conn : len));
        assert_true(i + 1 == count || ev.type == HWS_TEXT || ev.type == HWS_BINARY);
        on_event(r, &ev);
        i++;
    }
    return status;
}

static hws_status feed_message(run *r, const uint8_t *buf, size_t len, size_t *used) {
    hws_event ev;
    hws_status status = hws_message_receive(&r->assembly, &r->conn, buf, len, used, &ev);

    if (status == HWS_ERR_SPACE) {
        size_t cap = 2 * r->assembly.cap + 1;
        uint8_t *data = realloc(r->assembly.data, cap);
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

/* One call, by whichever way the run goes. */
static hws_status feed_once(run *r, uint8_t *buf, size_t len, size_t *used) {
    static uint8_t into[ROOM];
    size_t from = *used;
    hws_event ev;
    hws_status status;

    switch (r->way) {
    case BATCH:
        return feed_batch(r, buf, len, used);
    case MESSAGE:
        return feed_message(r, buf, len, used);
    case INTO:
        status = hws_conn_receive_into(&r->conn, buf, len, used, into,
                                       r->cap < sizeof into ? r->cap : sizeof into, &ev);
        break;
    case INTO_SELF:
        status = hws_conn_receive_into(&r->conn, buf, len, used, buf, len, &ev);
        break;
    case SLIDE:
        status = hws_conn_receive_into(&r->conn, buf, len, used, buf - SLIDE_BY, len, &ev);
        break;
    case FRAMES:
    case IN_PLACE:
    default:
        status = hws_conn_receive(&r->conn, buf, len, used, &ev);
        break;
    }
    if (status == HWS_EVENT && r->way == FRAMES && ev.type == HWS_FRAME) {
        on_frame(r, r->consumed + *used - from);
    } else if (status == HWS_EVENT) {
        on_event(r, &ev);
    }
    return status;
}

/* Hand over some bytes; replies are taken after each call. */
static void feed(run *r, const uint8_t *bytes, size_t len) {
    static uint8_t *room; /* one for all feeds: bytes are laid at its end */
    uint8_t *buf;
    hws_status status = HWS_EVENT;
    size_t used = 0;
    uint8_t could = 1;

    room = room == NULL ? guard_alloc(ROOM) : room;
    assert_true(len <= ROOM - SLIDE_BY);
    buf = room + ROOM - len;
    if (len > 0) {
        memcpy(buf, bytes, len);
    }
    while (status == HWS_EVENT) {
        size_t from = used;
        could = hws_conn_can_receive(&r->conn);
        status = feed_once(r, buf, len, &used);
        assert_true(used >= from && used <= len);
        if (could) {
            r->consumed += used - from;
        }
        take_reply(r);
    }
    if (r->way == INTO || r->way == MESSAGE) {
        assert_int_equal(memcmp(buf, bytes, len), 0); /* the source is not changed */
    }
    if (status == HWS_OK) {
        assert_int_equal(used, len);
    } else { /* sticky, and nothing is consumed after it */
        size_t again = used;
        assert_true(status < 0);
        assert_int_equal(feed_once(r, buf, len, &again), status);
        assert_int_equal(again, used);
    }
}

static void start(run *r, const row *spec, enum way way, size_t cap) {
    hws_conn_config config;

    memset(r, 0, offsetof(run, trace) + 1);
    memset(&r->conn, 0xAA, sizeof r->conn); /* init needs no clean memory */
    r->random.seed = 7;
    r->way = way;
    r->cap = cap;
    r->role = spec->role;
    r->compression = spec->compression;
    hws_conn_config_init(&config, spec->role);
    config.frame_events = way == FRAMES;
    config.random = test_random_fill;
    config.random_user = &r->random;
    config.compression = spec->compression;
    if (spec->max_message != 0) {
        config.max_message = spec->max_message;
    }
    if (spec->max_fragments != 0) {
        config.max_fragments = spec->max_fragments;
    }
    assert_int_equal(hws_conn_init(&r->conn, &config), HWS_OK);
    hws_message_init(&r->assembly, NULL, 0);
}

static void finish(run *r) {
    char text[96];
    hws_conn_error error;

    hws_conn_get_error(&r->conn, &error);
    if (error.status != HWS_OK) {
        assert_int_equal(error.offset, r->consumed);
    }
    sprintf(text, "%s @%llu",
            error.status != HWS_OK           ? hws_status_name(error.status)
            : hws_conn_can_receive(&r->conn) ? "open"
                                             : "ended",
            (unsigned long long)r->consumed);
    item(r, text);
    free(r->message);
    free(r->assembly.data);
}

static void compare(const row *spec, const run *r, const char *how, uint64_t expected_checksum) {
    if (strcmp(r->trace, spec->trace) != 0) {
        print_error("%s\n  run:      %s\n  expected: %s\n  trace:    %s\n", spec->name, how,
                    spec->trace, r->trace);
        fail();
    }
    if (r->checksum != expected_checksum) {
        print_error("%s\n  run: %s: the payload differs\n", spec->name, how);
        fail();
    }
}

typedef struct variant {
    enum way way;
    size_t cap;
    const char *name;
} variant;

static const variant variants[] = {
    {IN_PLACE, 0, "receive"},
    {FRAMES, 0, "receive with frame events"},
    {INTO, 1, "receive_into"},
    {INTO, 3, "receive_into"},
    {INTO, 1 << 20, "receive_into"},
    {INTO_SELF, 0, "receive_into itself"},
    {SLIDE, 0, "receive_into before itself"},
    {BATCH, 1, "receive_batch"},
    {BATCH, 8, "receive_batch"},
    {MESSAGE, 0, "message_receive"},
    {MESSAGE, 1 << 16, "message_receive"},
};

enum { VARIANTS = sizeof variants / sizeof variants[0] };

static run shared; /* large, and used by one run at a time */

static void begin(const row *spec, variant v, const uint8_t *bytes) {
    start(&shared, spec, v.way, v.cap);
    shared.stream = bytes;
}

static void end(const row *spec, variant v, const char *cuts, uint64_t expected) {
    char how[96];

    finish(&shared);
    sprintf(how, "%s, cap %zu, %s", v.name, v.cap, cuts);
    compare(spec, &shared, how, expected);
}

static void run_cut(const row *spec, variant v, const uint8_t *bytes, size_t len, size_t cut,
                    uint64_t expected) {
    char how[48];

    begin(spec, v, bytes);
    feed(&shared, bytes, cut);
    feed(&shared, bytes + cut, len - cut);
    sprintf(how, "cut at %zu", cut);
    end(spec, v, how, expected);
}

static void run_bytewise(const row *spec, variant v, const uint8_t *bytes, size_t len,
                         uint64_t expected) {
    size_t i = 0;

    begin(spec, v, bytes);
    while (i < len) {
        feed(&shared, bytes + i, 0);
        feed(&shared, bytes + i, 1);
        i++;
    }
    end(spec, v, "byte by byte", expected);
}

/* Bit i of `cuts` says whether the stream is cut after byte i. */
static void run_split(const row *spec, variant v, const uint8_t *bytes, size_t len, uint32_t cuts,
                      uint64_t expected) {
    char how[48];
    size_t from = 0;
    size_t i = 0;

    begin(spec, v, bytes);
    while (i < len) {
        i++;
        if (i == len || (cuts >> (i - 1) & 1) != 0) {
            feed(&shared, bytes + from, i - from);
            from = i;
        }
    }
    sprintf(how, "cuts %x", (unsigned)cuts);
    end(spec, v, how, expected);
}

const char *harness_trace(const row *spec, const uint8_t *bytes, size_t len, uint64_t *checksum) {
    begin(spec, variants[0], bytes);
    feed(&shared, bytes, len);
    finish(&shared);
    *checksum = shared.checksum;
    return shared.trace;
}

void harness_run_bytes(const row *spec, const uint8_t *bytes, size_t len) {
    uint64_t expected;
    size_t i = 0;

    harness_trace(spec, bytes, len, &expected);
    compare(spec, &shared, "whole", expected);
    while (i < VARIANTS) {
        size_t stride = 1 + len / (i == 0 ? CUTS_FIRST : len < 8192 ? CUTS_OTHER : CUTS_LONG);
        size_t cut = 0;
        while (cut <= len) {
            run_cut(spec, variants[i], bytes, len, cut, expected);
            cut += stride;
        }
        if (i == 0 || len < BYTEWISE_MAX) {
            run_bytewise(spec, variants[i], bytes, len, expected);
        }
        i++;
    }
}

void harness_run_splits(const row *spec, const uint8_t *bytes, size_t len) {
    uint32_t cuts = 0;
    uint64_t expected;

    assert_in_range(len, 1, 16);
    harness_trace(spec, bytes, len, &expected);
    compare(spec, &shared, "whole", expected);
    while (cuts >> (len - 1) == 0) {
        run_split(spec, variants[0], bytes, len, cuts, expected);
        run_split(spec, variants[1 + cuts % (VARIANTS - 1)], bytes, len, cuts, expected);
        cuts++;
    }
}

void harness_run_rows(const row *specs, size_t count) {
    size_t i = 0;
    while (i < count) {
        harness_run(&specs[i]);
        i++;
    }
}

void harness_run(const row *r) {
    size_t cap = strlen(r->hex) / 2 + 1;
    uint8_t *bytes = malloc(cap);
    size_t len;

    assert_non_null(bytes);
    len = hex_decode(r->hex, bytes, cap);
    harness_run_bytes(r, bytes, len);
    free(bytes);
}
