/*
 * Split invariance of an endpoint: events, output, status and close code do not depend on how the
 * stream was cut, with the HTTP head and frames in one buffer, and with valid messages before a
 * fault.
 */
#include "endpoint_pair.h"

enum { STREAM_CAP = 4096 };

typedef struct stream {
    uint8_t bytes[STREAM_CAP];
    size_t len;
} stream;

/* All that can be seen of one run. */
typedef struct trace {
    char events[LOG_CAP];
    char frames[LOG_CAP];
    hws_status status;
    uint16_t code;
    uint16_t own_code;
    uint64_t offset;
} trace;

/* How a stream is given. */
typedef struct manner {
    uint8_t streaming;
    uint8_t writes; /* output is taken after every read, not at the end alone */
    uint8_t compressed;
    size_t cut; /* in two at this place; 0: whole; SIZE_MAX: byte by byte */
} manner;

static uint8_t joined[1 << 16];
static size_t joined_len;

/* An application that sends messages back when they are whole, whether they came in pieces or not.
 */
static void on_event(side *s, const hws_event *ev) {
    hws_event whole = *ev;
    if (ev->type != HWS_TEXT && ev->type != HWS_BINARY) {
        side_echo(s, ev);
        return;
    }
    joined_len = (ev->flags & HWS_FIRST) != 0 ? 0 : joined_len;
    assert_true(joined_len + ev->len <= sizeof joined);
    if (ev->len > 0) {
        memcpy(joined + joined_len, ev->data, ev->len);
    }
    joined_len += ev->len;
    if ((ev->flags & HWS_FINAL) != 0) {
        whole.data = joined;
        whole.len = joined_len;
        whole.flags = HWS_WHOLE;
        side_echo(s, &whole);
    }
}

static side *start(uint8_t role, const manner *how) {
    side *s = side_new(role);
    s->config.streaming = how->streaming;
    s->config.max_message = 1000;
    s->on_event = on_event;
    if (how->compressed) {
        side_deflate(s, HWS_DEFLATE_BALANCED);
    }
    side_start(s);
    if (role == CLIENT) {
        assert_int_equal(hws_endpoint_connect(&s->ep, &s->client), HWS_OK);
        expect_output(s, "GET");
    }
    return s;
}

/* Append what was written now to what was written before. */
static void note_output(side *s, stream *out) {
    side_write(s, SIZE_MAX);
    assert_true(out->len + s->wire_len <= sizeof out->bytes);
    memcpy(out->bytes + out->len, s->wire, s->wire_len);
    out->len += s->wire_len;
    s->wire_len = 0;
}

static void give(side *s, const manner *how, const uint8_t *bytes, size_t len, stream *out) {
    side_read(s, bytes, len);
    if (how->writes) {
        note_output(s, out);
        side_receive(s);
    }
}

static void run(uint8_t role, const stream *in, const manner *how, trace *result) {
    static stream out;
    side *s = start(role, how);
    size_t at = 0;
    hws_conn_error error;
    out.len = 0;
    while (at < in->len) {
        size_t len = how->cut == SIZE_MAX ? 1 : at == 0 && how->cut > 0 ? how->cut : in->len - at;
        give(s, how, in->bytes + at, len, &out);
        if (how->cut == SIZE_MAX) {
            give(s, how, NULL, 0, &out);
        }
        at += len;
    }
    note_output(s, &out);
    side_receive(s);
    hws_endpoint_receive_eof(&s->ep);
    side_receive(s);
    assert_int_equal(s->ended, 1);
    assert_int_equal(s->used, s->in_len);
    memset(result, 0, sizeof *result);
    memcpy(result->events, s->events, s->events_len);
    memcpy(s->wire, out.bytes, out.len);
    s->wire_len = out.len;
    side_take_frames(s, result->frames);
    result->status = hws_endpoint_status(&s->ep);
    result->code = side_closing(s).code;
    result->own_code = side_closing(s).own_code;
    hws_conn_get_error(hws_endpoint_conn(&s->ep), &error);
    result->offset = how->compressed ? 0 : error.offset;
    side_free(s);
}

static void expect_same(const trace *got, const trace *expected) {
    assert_string_equal(got->events, expected->events);
    assert_string_equal(got->frames, expected->frames);
    assert_int_equal(got->status, expected->status);
    assert_int_equal(got->code, expected->code);
    assert_int_equal(got->own_code, expected->own_code);
    assert_int_equal(got->offset, expected->offset);
}

/* Reduced, each place is cut in one of the four manners alone. */
#ifdef HWS_TEST_REDUCED
enum { STEP = 4 };
#else
enum { STEP = 1 };
#endif

/* In all manners; gives what was seen of all. */
static trace run_all(uint8_t role, const stream *in, uint8_t compressed) {
    static trace got;
    trace expected;
    manner how = {.compressed = compressed};
    run(role, in, &how, &expected);
    uint8_t kind = 0;
    while (kind < 4) {
        how.streaming = kind & 1;
        how.writes = kind / 2;
        how.cut = SIZE_MAX;
        run(role, in, &how, &got);
        expect_same(&got, &expected);
        how.cut = kind % STEP;
        while (how.cut < in->len) {
            run(role, in, &how, &got);
            expect_same(&got, &expected);
            how.cut += STEP;
        }
        kind++;
    }
    return expected;
}

/* The head that opens the connection: the same in each run. */
static void append_head(uint8_t role, stream *in) {
    if (role == SERVER) {
        in->len = strlen(request_text);
        memcpy(in->bytes, request_text, in->len);
        return;
    }
    side *s = side_new(CLIENT);
    side_start(s);
    assert_int_equal(hws_endpoint_connect(&s->ep, &s->client), HWS_OK);
    side_write(s, SIZE_MAX);
    in->len = response_for(s->wire, s->wire_len, "", (char *)in->bytes, STREAM_CAP);
    side_free(s);
}

static void append_frames(uint8_t role, const char *hex, stream *in) {
    uint8_t plain[1024];
    size_t len = hex_decode(hex, plain, sizeof plain);
    size_t at = 0;
    while (at < len) {
        in->len = frame_append(role, plain[at], plain + at + 2, plain[at + 1], in->bytes, in->len);
        at += 2U + plain[at + 1];
    }
}

static const struct row {
    const char *name;
    const char *frames;
    const char *events;
    const char *output;
    hws_status status;
} rows[] = {
    {"RFC 6455 5.4: fragments, control frames between them, and a Close",
     "81 02 68 69 01 01 61 89 01 70 80 02 62 63 82 00 8A 00 88 03 03 E8 78",
     "TEXT(hi) PING(p) TEXT(abc) BINARY() PONG() CLOSE 1000(x) END 1000(x)",
     "TEXT(hi) PONG(p) TEXT(abc) BINARY() CLOSE 1000()", HWS_OK},
    {"RFC 6455 5.5.1: what follows a Close", "81 01 61 88 00 81 01 62 FF 00",
     "TEXT(a) CLOSE 1005() END 1005()", "TEXT(a) CLOSE 0()", HWS_OK},
    {"RFC 6455 5.2: text, text with RSV2, Ping", "81 01 61 A1 01 62 89 01 70", "TEXT(a) END 1006()",
     "TEXT(a) CLOSE 1002()", HWS_ERR_RSV},
    {"RFC 6455 5.2: text, a frame of opcode 5, Ping", "81 01 61 85 01 62 89 01 70",
     "TEXT(a) END 1006()", "TEXT(a) CLOSE 1002()", HWS_ERR_OPCODE},
    {"RFC 6455 5.4: text in two frames, a continuation of nothing, text",
     "01 01 61 80 01 62 00 01 63 81 01 64", "TEXT(ab) END 1006()", "TEXT(ab) CLOSE 1002()",
     HWS_ERR_CONTINUATION},
    {"RFC 6455 5.5: Pings, text, a Ping that is fragmented", "89 01 61 89 01 62 81 01 63 09 00",
     "PING(a) PING(b) TEXT(c) END 1006()", "PONG(a) PONG(b) TEXT(c) CLOSE 1002()",
     HWS_ERR_CONTROL_FRAGMENTED},
    {"RFC 6455 8.1: a message, and one that is not UTF-8 in its second frame",
     "81 02 C3 A4 01 02 61 C3 89 00 80 02 28 61", "TEXT(..) PING() END 1006()",
     "TEXT(..) PONG() CLOSE 1007()", HWS_ERR_UTF8},
    {"RFC 6455 7.1.6: a Close whose reason is not UTF-8", "82 01 78 88 03 03 E8 FF",
     "BINARY(x) END 1006()", "BINARY(x) CLOSE 1007()", HWS_ERR_CLOSE_REASON},
    {"RFC 6455 5.5.1: a Close of one byte", "82 01 78 88 01 03", "BINARY(x) END 1006()",
     "BINARY(x) CLOSE 1002()", HWS_ERR_CLOSE_LENGTH},
    {"RFC 6455 7.1.1: no Close, and a frame that is cut off", "82 01 78 02 01 61 89 01 70",
     "BINARY(x) PING(p) END 1006()", "BINARY(x) PONG(p)", HWS_ERR_EOF},
};

static void events_and_output_do_not_depend_on_cuts(void **state) {
    static stream in;
    size_t i = 0;
    (void)state;
    while (i < 2 * sizeof rows / sizeof rows[0]) {
        const struct row *row = &rows[i / 2];
        uint8_t role = i % 2 ? CLIENT : SERVER;
        char expected[LOG_CAP];
        print_message("    %s\n", row->name);
        append_head(role, &in);
        append_frames(role, row->frames, &in);
        trace seen = run_all(role, &in, 0);
        assert_int_equal(seen.status, row->status);
        snprintf(expected, sizeof expected, "%s%s", role == SERVER ? "REQUEST OPEN " : "OPEN ",
                 row->events);
        assert_string_equal(seen.events, expected);
        snprintf(expected, sizeof expected, "%s%s", role == SERVER ? "HTTP 101 " : "", row->output);
        assert_string_equal(seen.frames, expected);
        i++;
    }
}

static void nor_do_they_with_longer_messages_and_limits(void **state) {
    static stream in;
    static const uint8_t data[1001];
    uint8_t role = SERVER;
    (void)state;
    while (role <= CLIENT) {
        append_head(role, &in);
        in.len = frame_append(role, 0x82, data, 126, in.bytes, in.len);
        in.len = frame_append(role, 0x02, data, 200, in.bytes, in.len);
        in.len = frame_append(role, 0x80, data, 100, in.bytes, in.len);
        in.len = frame_append(role, 0x02, data, 3, in.bytes, in.len);
        in.len = frame_append(role, 0x89, data, 125, in.bytes, in.len);
        in.len = frame_append(role, 0x80, data, 998, in.bytes, in.len); /* one too many */
        trace seen = run_all(role, &in, 0);
        assert_string_equal(seen.events + (role == SERVER ? 13 : 5),
                            "BINARY{126} BINARY{300} PING{125} END 1006()");
        assert_int_equal(seen.status, HWS_ERR_MESSAGE_TOO_BIG);
        assert_int_equal(seen.own_code, HWS_CLOSE_TOO_BIG);
        role++;
    }
}

static void nor_do_refusals(void **state) {
    static stream in;
    static const char *const requests[] = {
        "GET / HTTP/1.1\r\nHost: a b\r\n\r\nmore",
        "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        "BREW\r\n\r\n\r\n",
    };
    size_t i = 0;
    (void)state;
    while (i < sizeof requests / sizeof requests[0]) {
        in.len = strlen(requests[i]);
        memcpy(in.bytes, requests[i], in.len);
        trace seen = run_all(SERVER, &in, 0);
        assert_string_equal(seen.events, "END 0()");
        assert_memory_equal(seen.frames, "HTTP 400", 8);
        i++;
    }
}

/* What a client compresses, in one stream with its request. */
static void nor_do_compressed_messages(void **state) {
    static stream in;
    static const char text[] = "some text, some text that can be compressed, some text, once more";
    manner how = {.compressed = 1};
    char response[1024];
    (void)state;
    if (test_codec() == NULL) {
        return;
    }
    side *s = side_new(CLIENT);
    side_deflate(s, HWS_DEFLATE_BALANCED);
    side_start(s);
    assert_int_equal(hws_endpoint_connect(&s->ep, &s->client), HWS_OK);
    side_write(s, SIZE_MAX);
    size_t len = response_for(s->wire, s->wire_len,
                              "Sec-WebSocket-Extensions: permessage-deflate; "
                              "client_max_window_bits=11; server_max_window_bits=11\r\n",
                              response, sizeof response);
    side_read(s, response, len);
    assert_int_equal(hws_endpoint_deflate(&s->ep)->enabled, 1);
    unsigned i = 0;
    while (i < 3) {
        assert_int_equal(hws_endpoint_send(&s->ep, HWS_TEXT, HWS_WHOLE | HWS_COMPRESSED,
                                           (const uint8_t *)text, sizeof text - 1),
                         HWS_OK);
        assert_int_equal(hws_endpoint_send(&s->ep, HWS_PING, HWS_WHOLE, NULL, 0), HWS_OK);
        i++;
    }
    side_write(s, SIZE_MAX);
    in.len = s->wire_len;
    memcpy(in.bytes, s->wire, in.len);
    side_free(s);
    in.len = frame_append(SERVER, 0xC1, "\xFF\xFF", 2, in.bytes, in.len); /* no DEFLATE */
    trace seen = run_all(SERVER, &in, how.compressed);
    assert_string_equal(seen.events, "REQUEST OPEN TEXT{65} PING() TEXT{65} PING() TEXT{65} PING() "
                                     "END 1006()");
    assert_int_equal(seen.status, HWS_ERR_INFLATE);
    assert_int_equal(seen.own_code, HWS_CLOSE_INVALID_DATA);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_and_output_do_not_depend_on_cuts),
        cmocka_unit_test(nor_do_they_with_longer_messages_and_limits),
        cmocka_unit_test(nor_do_refusals),
        cmocka_unit_test(nor_do_compressed_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
