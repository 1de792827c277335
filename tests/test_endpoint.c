/*
 * What an endpoint receives, and how it ends: events, replies, what it wants of the socket.
 */
#include "endpoint_pair.h"

/* Frames in plain form with headers of two bytes, as the peer of this role sends them. */
static size_t to_wire(uint8_t role, const char *hex, uint8_t *out) {
    uint8_t plain[512];
    size_t len = hex_decode(hex, plain, sizeof plain);
    size_t at = 0, n = 0;
    while (at < len) {
        n = frame_append(role, plain[at], plain + at + 2, plain[at + 1], out, n);
        at += 2U + plain[at + 1];
    }
    return n;
}

static void read_plain(side *s, const char *hex) {
    uint8_t bytes[2048];
    side_read(s, bytes, to_wire(s->config.role, hex, bytes));
}

static void finish_by_eof(side *s, hws_status status, const char *end) {
    hws_endpoint_receive_eof(&s->ep);
    side_receive(s);
    expect_events(s, end);
    expect_end(s, status);
    side_free(s);
}

/* --- what is received, with an application that sends every message back ------------------------
 */

static const struct row {
    const char *name;
    const char *input;
    const char *events;
    const char *output;
    const char *end;
    hws_status status;
} rows[] = {
    {"RFC 6455 5.6: a text message", "81 03 61 62 63", "TEXT(abc)", "TEXT(abc)", "END 1006()",
     HWS_ERR_EOF},
    {"RFC 6455 5.6: an empty message", "82 00", "BINARY()", "BINARY()", "END 1006()", HWS_ERR_EOF},
    {"RFC 6455 5.4: fragments are one message", "01 01 61 00 00 00 01 62 80 01 63", "TEXT(abc)",
     "TEXT(abc)", "END 1006()", HWS_ERR_EOF},
    {"RFC 6455 5.4: the first fragment, and the last, may be empty", "01 00 00 01 61 00 00 80 00",
     "TEXT(a)", "TEXT(a)", "END 1006()", HWS_ERR_EOF},
    {"RFC 6455 5.4: all fragments may be empty", "01 00 80 00 02 00 00 00 80 00", "TEXT() BINARY()",
     "TEXT() BINARY()", "END 1006()", HWS_ERR_EOF},
    {"RFC 6455 5.4: control frames stand between fragments", "01 01 61 89 01 70 8A 01 71 80 01 62",
     "PING(p) PONG(q) TEXT(ab)", "PONG(p) TEXT(ab)", "END 1006()", HWS_ERR_EOF},
    {"RFC 6455 5.5.2: each Ping is answered while nothing waits", "89 01 61 89 01 62",
     "PING(a) PING(b)", "PONG(a) PONG(b)", "END 1006()", HWS_ERR_EOF},
    {"RFC 6455 5.5.3: a Pong that nobody asked for is not answered", "8A 01 78", "PONG(x)", "",
     "END 1006()", HWS_ERR_EOF},
    {"RFC 6455 5.5.1: a Close is answered with its code", "88 05 03 E8 62 79 65", "CLOSE 1000(bye)",
     "CLOSE 1000()", "END 1000(bye)", HWS_OK},
    {"RFC 6455 7.1.5: a Close without code", "88 00", "CLOSE 1005()", "CLOSE 0()", "END 1005()",
     HWS_OK},
    {"RFC 6455 5.5.1: what stands behind a Close is ignored", "88 02 03 E8 81 01 61 83 00",
     "CLOSE 1000()", "CLOSE 1000()", "END 1000()", HWS_OK},
    {"RFC 6455 5.5.1: the Close is behind the answers to what came before",
     "81 01 61 89 01 70 81 01 62 88 02 03 E9", "TEXT(a) PING(p) TEXT(b) CLOSE 1001()",
     "TEXT(a) PONG(p) TEXT(b) CLOSE 1001()", "END 1001()", HWS_OK},
    {"RFC 6455 7.1.7: so is the Close for a fault", "81 01 61 89 01 70 83 00", "TEXT(a) PING(p)",
     "TEXT(a) PONG(p) CLOSE 1002()", "END 1006()", HWS_ERR_OPCODE},
    {"RFC 6455 8.1: text that is not UTF-8", "82 01 00 81 01 FF", "BINARY(.)",
     "BINARY(.) CLOSE 1007()", "END 1006()", HWS_ERR_UTF8},
    {"RFC 6455 5.4: a continuation of nothing", "80 01 61", "", "CLOSE 1002()", "END 1006()",
     HWS_ERR_CONTINUATION},
    {"RFC 6455 5.5: a Ping in fragments", "01 01 61 09 00", "", "CLOSE 1002()", "END 1006()",
     HWS_ERR_CONTROL_FRAGMENTED},
    {"RFC 6455 7.1.7: what stands behind a fault is ignored", "83 00 88 02 03 E8", "",
     "CLOSE 1002()", "END 1006()", HWS_ERR_OPCODE},
};

static void messages_and_faults_give_these_events_and_replies(void **state) {
    (void)state;
    size_t i = 0;
    while (i < 2 * sizeof rows / sizeof rows[0]) {
        const struct row *row = &rows[i / 2];
        side *s = side_open_new(i % 2 ? CLIENT : SERVER);
        print_message("    %s\n", row->name);
        s->on_event = side_echo;
        read_plain(s, row->input);
        expect_events(s, row->events);
        expect_output(s, row->output);
        side_receive(s);
        assert_int_equal(s->used, s->in_len);
        finish_by_eof(s, row->status, row->end);
        i++;
    }
}

static void without_a_fault_the_wants_follow_the_closing_handshake(void **state) {
    (void)state;
    uint8_t role = SERVER;
    while (role <= CLIENT) {
        uint8_t shutdown = role == SERVER ? HWS_WANTS_SHUTDOWN : 0; /* RFC 6455 7.1.1 */
        side *s = side_open_new(role);
        assert_int_equal(hws_endpoint_wants(&s->ep), HWS_WANTS_READ);
        assert_int_equal(side_send_text(s, "a"), HWS_OK);
        assert_int_equal(hws_endpoint_wants(&s->ep), HWS_WANTS_READ | HWS_WANTS_WRITE);
        expect_output(s, "TEXT(a)");
        assert_int_equal(hws_endpoint_wants(&s->ep), HWS_WANTS_READ);
        assert_int_equal(hws_endpoint_close(&s->ep, 1000, (const uint8_t *)"ok", 2), HWS_OK);
        assert_int_equal(hws_endpoint_can_send(&s->ep), 0);
        assert_int_equal(hws_endpoint_wants(&s->ep), HWS_WANTS_READ | HWS_WANTS_WRITE);
        expect_output(s, "CLOSE 1000(ok)");
        assert_int_equal(hws_endpoint_wants(&s->ep), HWS_WANTS_READ);
        read_plain(s, "81 01 62 88 02 03 E8"); /* the peer had something to say */
        expect_events(s, "TEXT(b) CLOSE 1000()");
        assert_int_equal(hws_endpoint_wants(&s->ep), HWS_WANTS_READ | shutdown);
        assert_int_equal(side_closing(s).clean, 1);
        assert_int_equal(side_closing(s).first, HWS_OWN);
        assert_int_equal(s->counters.ended, 0);
        finish_by_eof(s, HWS_OK, "END 1000()");
        role++;
    }
}

/* A fault: the Close is written, then the direction is shut down, and the rest is discarded. */
static void after_a_fault_writing_is_shut_down_and_the_rest_discarded(void **state) {
    (void)state;
    side *s = side_open_new(SERVER);
    read_plain(s, "83 00");
    assert_true((hws_endpoint_wants(&s->ep) & HWS_WANTS_WRITE) != 0);
    assert_int_equal(hws_endpoint_wants(&s->ep) & HWS_WANTS_SHUTDOWN, 0);
    assert_int_equal(hws_endpoint_status(&s->ep), HWS_ERR_OPCODE);
    expect_output(s, "CLOSE 1002()");
    assert_int_equal(hws_endpoint_wants(&s->ep), HWS_WANTS_READ | HWS_WANTS_SHUTDOWN);
    side_read_message(s, "whatever");
    expect_events(s, "");
    assert_int_equal(s->used, s->in_len);
    assert_int_equal(side_send_text(s, "no"), HWS_ERR_STATE);
    finish_by_eof(s, HWS_ERR_OPCODE, "END 1006()");
}

static void a_close_may_be_answered_by_the_application(void **state) {
    (void)state;
    side *s = side_open_new(SERVER);
    s->limit = 1;
    read_plain(s, "81 01 61 88 02 03 E8");
    side_receive(s);
    expect_events(s, "TEXT(a) CLOSE 1000()");
    assert_int_equal(side_send_text(s, "last"), HWS_OK);
    assert_int_equal(hws_endpoint_close(&s->ep, 4000, (const uint8_t *)"own", 3), HWS_OK);
    assert_int_equal(hws_endpoint_close(&s->ep, 4000, NULL, 0), HWS_ERR_STATE);
    s->limit = 0;
    side_receive(s);
    expect_output(s, "TEXT(last) CLOSE 4000(own)");
    finish_by_eof(s, HWS_OK, "END 1000()");
}

static void close_judges_its_arguments(void **state) {
    (void)state;
    static const uint8_t reason[124] = {0xFF};
    side *s = side_new(SERVER);
    side_start(s);
    assert_int_equal(hws_endpoint_close(&s->ep, 1000, NULL, 0), HWS_ERR_STATE);
    side_free(s);
    s = side_open_new(SERVER);
    assert_int_equal(hws_endpoint_close(&s->ep, 1005, NULL, 0), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_close(&s->ep, 1000, reason, 124), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_close(&s->ep, 1000, reason, 1), HWS_ERR_SEND_UTF8);
    assert_int_equal(hws_endpoint_close_now(&s->ep, 1006, NULL, 0), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_can_send(&s->ep), 1);
    expect_output(s, "");
    assert_int_equal(hws_endpoint_close(&s->ep, HWS_CLOSE_EMPTY, NULL, 0), HWS_OK);
    expect_output(s, "CLOSE 0()");
    finish_by_eof(s, HWS_ERR_EOF, "END 1006()");
}

static void close_now_drops_what_waits_from_the_end_of_the_frame_on(void **state) {
    (void)state;
    uint8_t data[] = "referenced";
    side *s = side_open_new(SERVER);
    assert_int_equal(side_send_text(s, "first"), HWS_OK);
    assert_int_equal(side_send_text(s, "second"), HWS_OK);
    assert_int_equal(hws_endpoint_send_ref(&s->ep, HWS_TEXT, HWS_WHOLE, data, 10), HWS_OK);
    assert_int_equal(side_write(s, 3), 3);
    assert_int_equal(hws_endpoint_close_now(&s->ep, 1001, NULL, 0), HWS_OK);
    side_receive(s);
    expect_events(s, "RELEASED{10}");
    expect_output(s, "TEXT(first) CLOSE 1001()");
    finish_by_eof(s, HWS_ERR_EOF, "END 1006()");

    s = side_open_new(SERVER); /* inside the payload of a referenced one */
    assert_int_equal(hws_endpoint_send_ref(&s->ep, HWS_TEXT, HWS_WHOLE, data, 10), HWS_OK);
    assert_int_equal(side_send_text(s, "second"), HWS_OK);
    assert_int_equal(side_write(s, 5), 5);
    assert_int_equal(hws_endpoint_close_now(&s->ep, 1001, NULL, 0), HWS_OK);
    side_receive(s);
    expect_events(s, "");
    expect_output(s, "TEXT(referenced) CLOSE 1001()");
    side_receive(s);
    expect_events(s, "RELEASED{10}");
    finish_by_eof(s, HWS_ERR_EOF, "END 1006()");
}

static void abort_drops_the_output_and_ends_at_once(void **state) {
    (void)state;
    uint8_t data[] = "referenced";
    side *s = side_open_new(SERVER);
    assert_int_equal(hws_endpoint_abort(&s->ep, HWS_OK), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_abort(&s->ep, HWS_EVENT), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_send_ref(&s->ep, HWS_TEXT, HWS_WHOLE, data, 10), HWS_OK);
    assert_int_equal(hws_endpoint_abort(&s->ep, HWS_ERR_RESET), HWS_OK);
    assert_int_equal(hws_endpoint_queued(&s->ep), 0);
    assert_int_equal(hws_endpoint_can_send(&s->ep), 0);
    side_receive(s);
    expect_events(s, "RELEASED{10} END 1006()");
    expect_end(s, HWS_ERR_RESET);
    assert_int_equal(s->counters.ended, 1);
    assert_int_equal(s->counters.errors[-HWS_ERR_RESET], 1);
    assert_int_equal(hws_endpoint_abort(&s->ep, HWS_ERR_SYSTEM), HWS_OK);
    assert_int_equal(hws_endpoint_status(&s->ep), HWS_ERR_RESET);
    side_free(s);

    s = side_open_new(SERVER); /* what ended it before counts */
    read_plain(s, "83 00");
    assert_int_equal(hws_endpoint_abort(&s->ep, HWS_ERR_RESET), HWS_OK);
    side_receive(s);
    expect_events(s, "END 1006()");
    expect_end(s, HWS_ERR_OPCODE);
    side_free(s);
}

/* A server at each stage of its life. */
static side *server_at(unsigned stage) {
    side *s = side_new(SERVER);
    if (stage < 3) {
        side_start(s);
    } else {
        side_open(s);
    }
    if (stage == 1 || stage == 2) {
        side_read_text(s, request_text);
        expect_events(s, "REQUEST");
    }
    if (stage == 2) {
        assert_int_equal(hws_endpoint_respond(&s->ep, 404, NULL, 0, NULL, 0), HWS_OK);
    }
    if (stage == 4) {
        assert_int_equal(side_send_text(s, "a"), HWS_OK);
    }
    return s;
}

static void going_away_ends_whatever_is_under_way(void **state) {
    (void)state;
    static const struct {
        const char *output;
        hws_status status;
    } ends[] = {
        {"", HWS_ERR_CLOSED},   /* no request */
        {"", HWS_ERR_CLOSED},   /* one without an answer */
        {"HTTP 404()", HWS_OK}, /* one with an answer that waits */
        {"CLOSE 1001()", HWS_OK}, {"TEXT(a) CLOSE 1001()", HWS_OK},
    };
    unsigned stage = 0;
    while (stage < sizeof ends / sizeof ends[0]) {
        side *s = server_at(stage);
        hws_endpoint_go_away(&s->ep);
        hws_endpoint_go_away(&s->ep); /* changes nothing more */
        assert_int_equal(hws_endpoint_status(&s->ep), ends[stage].status);
        expect_output(s, ends[stage].output);
        if (stage >= 3) {
            side_read_frame(s, 0x88, "\x03\xE9", 2);
        }
        finish(s, ends[stage].status);
        stage++;
    }
}

static void going_away_without_memory_for_the_close_ends_at_once(void **state) {
    (void)state;
    side *s = side_open_new(SERVER);
    s->memory.fail_at = 1;
    hws_endpoint_go_away(&s->ep);
    side_receive(s);
    expect_events(s, "END 1006()");
    expect_end(s, HWS_ERR_MEMORY);
    side_free(s);
}

/* Nothing is received before the request, so the end comes in front of what was read. */
static void eof_before_the_request_ends_a_client(void **state) {
    (void)state;
    side *s = side_new(CLIENT);
    side_start(s);
    side_read_text(s, "HTTP/1.1 101 ");
    hws_endpoint_receive_eof(&s->ep);
    side_receive(s);
    expect_end(s, HWS_ERR_EOF);
    side_free(s);
}

static void eof_without_close_is_1006(void **state) {
    (void)state;
    side *s = side_open_new(CLIENT);
    side_read_message(s, "last");
    side_read_hex(s, "81 05 61");
    expect_events(s, "TEXT(last)");
    hws_endpoint_receive_eof(&s->ep);
    side_receive(s);
    expect_events(s, "END 1006()");
    expect_end(s, HWS_ERR_EOF);
    assert_int_equal(s->counters.errors[-HWS_ERR_EOF], 1);
    side_free(s);
}

/* The opening timeout counts for the application as well: it is not the peer's fault then. */
static void a_request_that_is_not_answered_in_time_is_answered_with_503(void **state) {
    (void)state;
    side *s = side_new(SERVER);
    side_start(s);
    side_read_text(s, request_text);
    side_pass(s, 10000);
    assert_null(hws_endpoint_request(&s->ep));
    assert_int_equal(hws_endpoint_accept(&s->ep, &s->accept), HWS_ERR_STATE);
    side_write(s, SIZE_MAX);
    assert_memory_equal(s->wire, "HTTP/1.1 503 ", 13);
    hws_endpoint_receive_eof(&s->ep);
    side_receive(s);
    expect_events(s, "REQUEST END 0()");
    expect_end(s, HWS_ERR_TIMEOUT);
    side_free(s);
}

/* --- streaming, pause, holding ------------------------------------------------------------------
 */

static void streaming_counts_from_the_next_message_on(void **state) {
    (void)state;
    side *s = side_open_new(CLIENT);
    side_read_hex(s, "01 02 61 62");
    hws_endpoint_stream(&s->ep, 1);
    side_read_hex(s, "80 01 63");
    expect_events(s, "TEXT(abc)");
    side_read_hex(s, "01 04 61 62");
    expect_events(s, "TEXT<(ab)");
    side_read_hex(s, "63 64");
    hws_endpoint_stream(&s->ep, 0);
    side_read_hex(s, "80 01");
    expect_events(s, "TEXT-(cd)");
    side_read_hex(s, "65");
    expect_events(s, "TEXT>(e)");
    side_read_hex(s, "82 02 66");
    expect_events(s, "");
    side_read_hex(s, "67");
    expect_events(s, "BINARY(fg)");
    assert_int_equal(s->counters.messages_received, 3);
    finish_by_eof(s, HWS_ERR_EOF, "END 1006()");
}

static void streaming_needs_no_memory_for_a_message_of_any_size(void **state) {
    (void)state;
    uint8_t piece[1000] = {0};
    unsigned count = 0;
    side *s = side_new(CLIENT);
    s->config.streaming = 1;
    s->config.max_message = HWS_UNLIMITED;
    side_open(s);
    s->memory.taken = 0;
    side_read_hex(s, "82 7F 00 00 00 00 3B 9A CA 00");
    while (count < 200) {
        side_read(s, piece, sizeof piece);
        count++;
    }
    assert_int_equal(s->memory.taken, 0);
    s->events_len = 0;
    finish_by_eof(s, HWS_ERR_EOF, "END 1006()");
}

static void a_message_above_the_limit_fails_with_1009(void **state) {
    (void)state;
    side *s = side_new(CLIENT);
    s->config.max_message = 5;
    s->config.close_sentence = 1;
    side_open(s);
    side_read_message(s, "12345");
    side_read_hex(s, "81 06");
    expect_events(s, "TEXT(12345)");
    assert_int_equal(hws_endpoint_status(&s->ep), HWS_ERR_MESSAGE_TOO_BIG);
    side_write(s, SIZE_MAX);
    const char *sentence = hws_status_sentence(HWS_ERR_MESSAGE_TOO_BIG);
    assert_int_equal(s->wire_len, 8 + strlen(sentence));
    finish_by_eof(s, HWS_ERR_MESSAGE_TOO_BIG, "END 1006()");
}

static void nothing_is_received_while_paused(void **state) {
    (void)state;
    side *s = side_open_new(SERVER);
    s->limit = 1;
    read_plain(s, "81 01 61 81 01 62");
    s->limit = 0;
    hws_endpoint_pause(&s->ep, 1);
    side_receive(s);
    expect_events(s, "TEXT(a)");
    assert_true(s->used < s->in_len);
    assert_int_equal(hws_endpoint_wants(&s->ep), 0);
    assert_int_equal(side_send_text(s, "out"), HWS_OK);
    assert_int_equal(hws_endpoint_wants(&s->ep), HWS_WANTS_WRITE);
    hws_endpoint_pause(&s->ep, 0);
    assert_int_equal(hws_endpoint_wants(&s->ep), HWS_WANTS_WRITE | HWS_WANTS_READ);
    side_receive(s);
    expect_events(s, "TEXT(b)");
    assert_int_equal(s->used, s->in_len);
    expect_output(s, "TEXT(out)");
    finish_by_eof(s, HWS_ERR_EOF, "END 1006()");
}

static void next_judges_used(void **state) {
    (void)state;
    side *s = side_open_new(SERVER);
    uint8_t byte = 0x81;
    size_t used = 2;
    hws_event ev;
    assert_int_equal(hws_endpoint_next(&s->ep, &byte, 1, &used, &ev), HWS_ERR_ARGUMENT);
    assert_int_equal(used, 2);
    used = 0;
    assert_int_equal(hws_endpoint_next(&s->ep, NULL, 0, &used, &ev), HWS_OK);
    finish_by_eof(s, HWS_ERR_EOF, "END 1006()");
}

/* Whole messages lie in the buffer of the caller where they can, and may be sent from there. */
static void a_message_that_lies_whole_in_the_buffer_is_handed_out_from_there(void **state) {
    (void)state;
    side *s = side_open_new(SERVER);
    uint8_t bytes[64];
    size_t used = 0;
    size_t len = to_wire(SERVER, "81 05 68 65 6C 6C 6F 81 02 68 69", bytes);
    hws_event ev;
    s->memory.taken = 0;
    assert_int_equal(hws_endpoint_next(&s->ep, bytes, len, &used, &ev), HWS_EVENT);
    assert_ptr_equal(ev.data, bytes + 6);
    assert_int_equal(used, 11);
    assert_int_equal(s->memory.taken, 0);
    assert_int_equal(hws_endpoint_send(&s->ep, HWS_TEXT, HWS_WHOLE, ev.data, ev.len), HWS_OK);
    assert_memory_equal(ev.data, "hello", 5); /* sending changes nothing */
    assert_int_equal(hws_endpoint_next(&s->ep, bytes, len, &used, &ev), HWS_EVENT);
    assert_memory_equal(ev.data, "hi", 2);
    expect_output(s, "TEXT(hello)");
    finish_by_eof(s, HWS_ERR_EOF, "END 1006()");
}

static void frames_and_messages_are_counted(void **state) {
    (void)state;
    side *s = side_open_new(SERVER);
    uint64_t received = s->counters.bytes_received;
    uint64_t sent = s->counters.bytes_sent;
    assert_int_equal(received, strlen(request_text));
    s->on_event = side_echo;
    read_plain(s, "01 01 61 89 00 80 01 62 8A 00 82 00");
    assert_int_equal(s->counters.frames_received, 5);
    assert_int_equal(s->counters.messages_received, 2);
    assert_int_equal(s->counters.pings_received, 1);
    assert_int_equal(s->counters.pongs_received, 1);
    assert_int_equal(s->counters.pongs_sent, 1);
    assert_int_equal(s->counters.frames_sent, 3);
    assert_int_equal(s->counters.messages_sent, 2);
    assert_int_equal(s->counters.bytes_received - received, s->in_len);
    assert_int_equal(s->counters.bytes_sent, sent);
    assert_int_equal(hws_endpoint_send(&s->ep, HWS_PING, HWS_WHOLE, NULL, 0), HWS_OK);
    assert_int_equal(s->counters.pings_sent, 1);
    assert_int_equal(side_write(s, SIZE_MAX), 2 + 4 + 2 + 2);
    assert_int_equal(s->counters.bytes_sent - sent, 10);
    s->events_len = 0;
    finish_by_eof(s, HWS_ERR_EOF, "END 1006()");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_and_faults_give_these_events_and_replies),
        cmocka_unit_test(without_a_fault_the_wants_follow_the_closing_handshake),
        cmocka_unit_test(after_a_fault_writing_is_shut_down_and_the_rest_discarded),
        cmocka_unit_test(a_close_may_be_answered_by_the_application),
        cmocka_unit_test(close_judges_its_arguments),
        cmocka_unit_test(close_now_drops_what_waits_from_the_end_of_the_frame_on),
        cmocka_unit_test(abort_drops_the_output_and_ends_at_once),
        cmocka_unit_test(going_away_ends_whatever_is_under_way),
        cmocka_unit_test(going_away_without_memory_for_the_close_ends_at_once),
        cmocka_unit_test(eof_before_the_request_ends_a_client),
        cmocka_unit_test(eof_without_close_is_1006),
        cmocka_unit_test(a_request_that_is_not_answered_in_time_is_answered_with_503),
        cmocka_unit_test(streaming_counts_from_the_next_message_on),
        cmocka_unit_test(streaming_needs_no_memory_for_a_message_of_any_size),
        cmocka_unit_test(a_message_above_the_limit_fails_with_1009),
        cmocka_unit_test(nothing_is_received_while_paused),
        cmocka_unit_test(next_judges_used),
        cmocka_unit_test(a_message_that_lies_whole_in_the_buffer_is_handed_out_from_there),
        cmocka_unit_test(frames_and_messages_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
