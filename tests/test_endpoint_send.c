/*
 * What an endpoint sends: the queue and its marks, order, the list of endpoints that want to be
 * looked after.
 */
#include "endpoint_pair.h"

static const uint8_t zeros[1 << 16];

/* An open server's endpoint with small water marks. */
static side *small_open(uint32_t high, uint32_t low, uint64_t max) {
    side *s = side_new(SERVER);
    s->config.high_water = high;
    s->config.low_water = low;
    s->config.max_queue = max;
    side_open(s);
    return s;
}

static void nothing_is_written_before_output(void **state) {
    (void)state;
    side *s = side_open_new(SERVER);
    hws_buffer buffers[4];
    unsigned i = 0;
    uint64_t len = 0;
    while (i < 50) {
        assert_int_equal(side_send_text(s, "x"), HWS_OK);
        i++;
        assert_int_equal(hws_endpoint_queued(&s->ep), 3 * i);
    }
    size_t count = hws_endpoint_output(&s->ep, buffers, 4);
    assert_true(count < 4); /* many small messages make one write */
    while (count > 0) {
        count--;
        len += buffers[count].len;
    }
    assert_int_equal(len, 150);
    assert_int_equal(hws_endpoint_sent(&s->ep, 151), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_queued(&s->ep), 150);
    assert_int_equal(hws_endpoint_sent(&s->ep, 150), HWS_OK);
    assert_int_equal(hws_endpoint_output(&s->ep, buffers, 4), 0);
    assert_int_equal(hws_endpoint_sent(&s->ep, 1), HWS_ERR_ARGUMENT);
    assert_int_equal(s->memory.blocks, 0);
    finish_by_abort(s);
}

static void a_send_answers_backpressure_then_full_and_drain_follows(void **state) {
    (void)state;
    side *s = small_open(100, 50, 200);
    assert_int_equal(side_send(s, zeros, 97), HWS_OK);           /* 99 */
    assert_int_equal(side_send(s, zeros, 8), HWS_BACKPRESSURE);  /* 109 */
    assert_int_equal(side_send(s, zeros, 8), HWS_BACKPRESSURE);  /* 119 */
    assert_int_equal(side_send(s, zeros, 80), HWS_ERR_FULL);     /* 201 */
    assert_int_equal(hws_endpoint_queued(&s->ep), 119);          /* nothing was queued */
    assert_int_equal(side_send(s, zeros, 79), HWS_BACKPRESSURE); /* 200 */
    side_receive(s);
    expect_events(s, "");
    side_write(s, 150); /* 50 are left: not below low_water */
    side_receive(s);
    expect_events(s, "");
    side_write(s, 1);
    side_receive(s);
    expect_events(s, "DRAIN");
    side_write(s, SIZE_MAX);
    side_receive(s);
    expect_events(s, "");
    s->wire_len = 0;
    assert_int_equal(side_send_text(s, "again"), HWS_OK);
    expect_output(s, "TEXT(again)");
    side_receive(s);
    expect_events(s, "");
    finish_by_abort(s);
}

static void the_mark_is_reached_exactly(void **state) {
    (void)state;
    side *s = small_open(100, 100, 100);
    assert_int_equal(side_send(s, zeros, 98), HWS_BACKPRESSURE); /* 100: from which on */
    assert_int_equal(side_send(s, NULL, 0), HWS_ERR_FULL);
    side_write(s, 1);
    side_receive(s);
    expect_events(s, "DRAIN");
    finish_by_abort(s);
    s = small_open(100, 100, 100);
    assert_int_equal(side_send(s, zeros, 97), HWS_OK);       /* 99 */
    assert_int_equal(side_send(s, zeros, 98), HWS_ERR_FULL); /* without BACKPRESSURE before */
    side_receive(s);
    expect_events(s, "DRAIN"); /* and below low_water already */
    finish_by_abort(s);
    s = small_open(100, 100, 100);
    assert_int_equal(side_send(s, zeros, 99), HWS_ERR_FULL); /* for ever */
    side_receive(s);
    expect_events(s, "");
    finish_by_abort(s);
}

static void closes_pings_and_pongs_are_not_counted_for_full(void **state) {
    (void)state;
    side *s = small_open(100, 50, 100);
    hws_status status = HWS_OK;
    assert_int_equal(side_send(s, zeros, 98), HWS_BACKPRESSURE);
    status = hws_endpoint_send(&s->ep, HWS_PING, HWS_WHOLE, zeros, 125);
    assert_true(status == HWS_OK || status == HWS_BACKPRESSURE);
    status = hws_endpoint_send(&s->ep, HWS_PONG, HWS_WHOLE, zeros, 125);
    assert_true(status == HWS_OK || status == HWS_BACKPRESSURE);
    assert_int_equal(hws_endpoint_close(&s->ep, 1000, NULL, 0), HWS_OK);
    expect_output(s, "PING{125} PONG{125} BINARY{98} CLOSE 1000()"); /* and they overtake */
    finish_by_abort(s);
}

/* The frame that is being written stays whole; the application's own data stays in order. */
static void pongs_overtake_above_high_water_at_the_border_of_a_frame(void **state) {
    (void)state;
    side *s = small_open(100, 50, 1000);
    s->config.hold_input = 0;
    assert_int_equal(side_send(s, zeros, 98), HWS_BACKPRESSURE);
    assert_int_equal(side_send_text(s, "waits"), HWS_BACKPRESSURE);
    assert_int_equal(side_write(s, 1), 1);
    side_read_frame(s, 0x89, "1", 1);
    side_read_frame(s, 0x89, "2", 1);
    expect_events(s, "PING(1) PING(2)");
    side_write(s, SIZE_MAX);
    expect_output(s, "BINARY{98} PONG(2) TEXT(waits)"); /* for the newest Ping */
    finish_by_abort(s);

    s = small_open(100, 50, 1000); /* not above it: the order of calls */
    s->config.hold_input = 0;
    assert_int_equal(side_send(s, zeros, 49), HWS_OK);
    side_read_frame(s, 0x89, "1", 1);
    assert_int_equal(side_send_text(s, "after"), HWS_OK);
    expect_output(s, "BINARY{49} PONG(1) TEXT(after)");
    finish_by_abort(s);
}

static void own_pings_overtake_and_none_is_dropped(void **state) {
    (void)state;
    side *s = small_open(100, 50, 1000);
    assert_int_equal(side_send(s, zeros, 98), HWS_BACKPRESSURE);
    assert_int_equal(side_send_text(s, "waits"), HWS_BACKPRESSURE);
    assert_int_equal(side_write(s, 1), 1);
    assert_true(hws_endpoint_send(&s->ep, HWS_PING, HWS_WHOLE, (const uint8_t *)"a", 1) >= 0);
    assert_true(hws_endpoint_send(&s->ep, HWS_PING, HWS_WHOLE, (const uint8_t *)"b", 1) >= 0);
    assert_int_equal(hws_endpoint_close(&s->ep, 1000, NULL, 0), HWS_OK);
    expect_output(s, "BINARY{98} PING(a) PING(b) TEXT(waits) CLOSE 1000()");
    finish_by_abort(s);
}

static void a_ping_that_is_sent_while_another_is_handed_out_goes_out_after_it(void **state) {
    (void)state;
    hws_buffer buffers[8];
    uint8_t seen[128];
    size_t i = 0, n = 0;
    side *s = small_open(100, 50, 1000);
    assert_int_equal(side_send(s, zeros, 98), HWS_BACKPRESSURE);
    assert_true(hws_endpoint_send(&s->ep, HWS_PING, HWS_WHOLE, zeros, 1) >= 0);
    size_t count = hws_endpoint_output(&s->ep, buffers, 8);
    while (i < count) {
        memcpy(seen + n, buffers[i].data, buffers[i].len);
        n += buffers[i].len;
        i++;
    }
    assert_int_equal(n, 103);
    assert_true(hws_endpoint_send(&s->ep, HWS_PING, HWS_WHOLE, zeros, 2) >= 0);
    assert_int_equal(hws_endpoint_sent(&s->ep, n), HWS_OK);
    memcpy(s->wire, seen, n);
    s->wire_len = n;
    expect_output(s, "PING(.) BINARY{98} PING(..)");
    side_receive(s);
    finish_by_abort(s);
}

/* What was handed out stays where it is, whatever is sent meanwhile. */
static void what_was_handed_out_stays_until_it_is_acknowledged(void **state) {
    (void)state;
    side *s = small_open(100, 50, 100000);
    s->config.hold_input = 0;
    hws_buffer buffers[4];
    uint8_t copy[64];
    assert_int_equal(side_send_text(s, "handed out"), HWS_OK);
    assert_int_equal(hws_endpoint_output(&s->ep, buffers, 4), 1);
    assert_int_equal(buffers[0].len, 12);
    memcpy(copy, buffers[0].data, 12);
    side_read_frame(s, 0x89, "1", 1);
    assert_int_equal(side_send(s, zeros, 60000), HWS_BACKPRESSURE);
    assert_int_equal(hws_endpoint_close_now(&s->ep, 1001, NULL, 0), HWS_OK);
    assert_memory_equal(buffers[0].data, copy, 12);
    assert_int_equal(hws_endpoint_sent(&s->ep, 12), HWS_OK);
    s->events_len = 0;
    expect_output(s, "CLOSE 1001()");
    finish_by_abort(s);
}

/* Those that overtake, too, and in every order of what was handed out. */
static void what_ends_the_connection_while_a_ping_overtakes_keeps_it(void **state) {
    (void)state;
    size_t cap = 0;
    while (cap < 4) {
        side *s = small_open(100, 50, 1000);
        hws_buffer buffers[3];
        size_t i = 0, n = 0;
        assert_int_equal(side_send(s, zeros, 98), HWS_BACKPRESSURE);
        assert_int_equal(side_send_text(s, "waits"), HWS_BACKPRESSURE);
        assert_int_equal(side_write(s, 1), 1);
        assert_true(hws_endpoint_send(&s->ep, HWS_PING, HWS_WHOLE, zeros, 1) >= 0);
        size_t count = cap > 0 ? hws_endpoint_output(&s->ep, buffers, cap) : 0;
        assert_int_equal(count, cap);
        assert_int_equal(hws_endpoint_close_now(&s->ep, 1001, NULL, 0), HWS_OK);
        while (i < count) {
            memcpy(s->wire + s->wire_len, buffers[i].data, buffers[i].len);
            s->wire_len += buffers[i].len;
            n += buffers[i].len;
            i++;
        }
        assert_int_equal(hws_endpoint_sent(&s->ep, n), HWS_OK);
        expect_output(s, cap == 3 ? "BINARY{98} PING(.) TEXT(waits) CLOSE 1001()"
                                  : "BINARY{98} PING(.) CLOSE 1001()");
        assert_true(hws_endpoint_queued(&s->ep) == 0);
        finish_by_abort(s);
        cap++;
    }
    side *s = small_open(100, 50, 1000);
    assert_int_equal(side_send(s, zeros, 98), HWS_BACKPRESSURE);
    assert_true(hws_endpoint_send(&s->ep, HWS_PING, HWS_WHOLE, zeros, 1) >= 0);
    finish_by_abort(s); /* by abort() */
}

static void an_array_of_one_gives_the_output_part_by_part(void **state) {
    (void)state;
    side *s = side_open_new(SERVER);
    uint8_t data[] = "referenced";
    hws_buffer buffer;
    size_t len = 0;
    assert_int_equal(side_send_text(s, "a"), HWS_OK);
    assert_int_equal(hws_endpoint_send_ref(&s->ep, HWS_TEXT, HWS_WHOLE, data, 10), HWS_OK);
    assert_int_equal(side_send_text(s, "b"), HWS_OK);
    while (hws_endpoint_output(&s->ep, &buffer, 1) == 1) {
        assert_true(len + buffer.len <= 18);
        memcpy(s->wire + len, buffer.data, buffer.len);
        len += buffer.len;
        assert_int_equal(hws_endpoint_sent(&s->ep, buffer.len), HWS_OK);
    }
    s->wire_len = len;
    expect_output(s, "TEXT(a) TEXT(referenced) TEXT(b)");
    side_receive(s);
    expect_events(s, "RELEASED{10}");
    finish_by_abort(s);
}

static void after_our_close_it_is_the_state_whatever_else(void **state) {
    (void)state;
    side *s = small_open(100, 50, 200);
    uint8_t data[10] = {0};
    assert_int_equal(hws_endpoint_close(&s->ep, 1000, NULL, 0), HWS_OK);
    assert_int_equal(side_send(s, zeros, 500), HWS_ERR_STATE);
    assert_int_equal(hws_endpoint_send_ref(&s->ep, HWS_BINARY, HWS_WHOLE, data, 10), HWS_ERR_STATE);
    s->memory.fail_at = s->memory.fail_all = 1;
    assert_int_equal(side_send(s, zeros, 100), HWS_ERR_STATE);
    assert_int_equal(hws_endpoint_send(&s->ep, HWS_PING, HWS_WHOLE, NULL, 0), HWS_ERR_STATE);
    s->memory.fail_at = 0;
    finish_by_abort(s);
}

/* --- messages in pieces -------------------------------------------------------------------------
 */

static void pieces_are_frames_of_one_message(void **state) {
    (void)state;
    uint8_t role = SERVER;
    while (role <= CLIENT) {
        side *s = side_open_new(role);
        hws_endpoint *ep = &s->ep;
        const uint8_t *text = (const uint8_t *)"ab\xC3\xA4";
        assert_int_equal(hws_endpoint_send(ep, HWS_TEXT, 0, text, 1), HWS_ERR_STATE);
        assert_int_equal(hws_endpoint_send(ep, HWS_TEXT, HWS_FIRST, text, 1), HWS_OK);
        assert_int_equal(side_send_text(s, "x"), HWS_ERR_STATE);
        assert_int_equal(hws_endpoint_send(ep, HWS_BINARY, 0, text, 1), HWS_ERR_STATE);
        assert_int_equal(hws_endpoint_send(ep, HWS_PING, HWS_WHOLE, text, 1), HWS_OK);
        side_read_frame(s, 0x89, "p", 1);
        assert_int_equal(hws_endpoint_send(ep, HWS_TEXT, 0, text + 1, 2), HWS_OK);
        assert_int_equal(hws_endpoint_send(ep, HWS_TEXT, HWS_FINAL, text + 1, 1),
                         HWS_ERR_SEND_UTF8);
        assert_int_equal(s->counters.messages_sent, 0);
        assert_int_equal(hws_endpoint_send(ep, HWS_TEXT, HWS_FINAL, text + 3, 1), HWS_OK);
        assert_int_equal(s->counters.messages_sent, 1);
        expect_output(s, "TEXT<(a) PING(a) PONG(p) CONT-(b.) CONT>(.)");
        s->events_len = 0;
        finish_by_abort(s);
        role++;
    }
}

static void mistakes_in_send_change_nothing(void **state) {
    (void)state;
    side *s = side_open_new(CLIENT);
    hws_endpoint *ep = &s->ep;
    assert_int_equal(hws_endpoint_send(ep, HWS_CLOSE, HWS_WHOLE, zeros, 1), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_send(ep, HWS_OPEN, HWS_WHOLE, zeros, 1), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_send(ep, HWS_PING, HWS_FIRST, zeros, 1), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_send(ep, HWS_PING, HWS_WHOLE, zeros, 126), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_send(ep, HWS_TEXT, 0x80, zeros, 1), HWS_ERR_ARGUMENT);
    assert_int_equal(side_send_text(s, "\xFF"), HWS_ERR_SEND_UTF8);
    s->random.fail_after = 1;
    assert_true(s->random.calls >= 1);
    assert_int_equal(side_send_text(s, "a"), HWS_ERR_RANDOM);
    assert_int_equal(hws_endpoint_send(ep, HWS_PING, HWS_WHOLE, NULL, 0), HWS_ERR_RANDOM);
    assert_int_equal(hws_endpoint_close(ep, 1000, NULL, 0), HWS_ERR_RANDOM);
    side_read_frame(s, 0x89, "p", 1); /* its Pong is owed until there is a key */
    expect_events(s, "PING(p)");
    expect_output(s, "");
    s->random.fail_after = 0;
    s->memory.fail_at = 1;
    s->memory.fail_all = 1;
    assert_int_equal(side_send_text(s, "a"), HWS_ERR_MEMORY);
    assert_int_equal(hws_endpoint_send(ep, HWS_PING, HWS_WHOLE, NULL, 0), HWS_ERR_MEMORY);
    assert_int_equal(hws_endpoint_close(ep, 1000, NULL, 0), HWS_ERR_MEMORY);
    s->memory.fail_at = 0;
    assert_int_equal(hws_endpoint_queued(ep), 0);
    assert_int_equal(s->counters.frames_sent, 0);
    assert_int_equal(side_send_text(s, "a"), HWS_OK);
    expect_output(s, "TEXT(a) PONG(p)");
    finish_by_abort(s);
}

/* --- hold_input ---------------------------------------------------------------------------------
 */

static void nothing_is_received_while_much_output_waits(void **state) {
    (void)state;
    side *s = side_new(SERVER);
    s->config.high_water = 100;
    s->config.low_water = 50;
    side_open(s);
    s->on_event = side_echo;
    uint8_t bytes[1024];
    size_t n = 0;
    unsigned i = 0;
    while (i < 4) { /* their echoes take 62 bytes each */
        n = frame_append(SERVER, 0x82, zeros, 60, bytes, n);
        i++;
    }
    side_read(s, bytes, n);
    expect_events(s, "BINARY{60} BINARY{60}"); /* 124: above */
    assert_int_equal(hws_endpoint_wants(&s->ep), HWS_WANTS_WRITE);
    side_write(s, 74); /* 50: not below low_water */
    side_receive(s);
    expect_events(s, "");
    assert_int_equal(hws_endpoint_wants(&s->ep), HWS_WANTS_WRITE);
    side_write(s, 1);
    assert_int_equal(hws_endpoint_wants(&s->ep), HWS_WANTS_READ | HWS_WANTS_WRITE);
    side_receive(s);
    expect_events(s, "DRAIN BINARY{60}"); /* 111 */
    side_write(s, SIZE_MAX);
    side_receive(s);
    expect_events(s, "DRAIN BINARY{60}");
    finish_by_abort(s);
}

/* --- the list of those that want to be looked after ---------------------------------------------
 */

static void drain_ready(side *s) {
    while (hws_ready_next(&s->ready) != NULL) {
    }
}

static void an_endpoint_comes_on_the_list_when_something_happens(void **state) {
    (void)state;
    side *s = side_open_new(SERVER);
    drain_ready(s);
    assert_int_equal(side_send_text(s, "a"), HWS_OK);
    assert_int_equal(side_send_text(s, "b"), HWS_OK);
    assert_ptr_equal(hws_ready_next(&s->ready), &s->ep);
    assert_null(hws_ready_next(&s->ready));
    side_write(s, SIZE_MAX);
    s->wire_len = 0;
    drain_ready(s);
    hws_endpoint_pause(&s->ep, 1);
    drain_ready(s);
    hws_endpoint_pause(&s->ep, 0);
    assert_ptr_equal(hws_ready_next(&s->ready), &s->ep); /* receiving goes on */
    assert_int_equal(hws_endpoint_close(&s->ep, 1000, NULL, 0), HWS_OK);
    assert_ptr_equal(hws_ready_next(&s->ready), &s->ep);
    drain_ready(s);
    assert_int_equal(hws_endpoint_abort(&s->ep, HWS_ERR_RESET), HWS_OK);
    assert_ptr_equal(hws_ready_next(&s->ready), &s->ep); /* HWS_END waits */
    side_receive(s);
    side_free(s);
}

/* HWS_END waits for who still writes what was handed out. */
static void one_that_was_aborted_comes_on_it_again_when_nobody_writes_any_more(void **state) {
    (void)state;
    uint8_t data[] = "referenced";
    hws_buffer buffers[4];
    side *s = side_open_new(SERVER);
    assert_int_equal(hws_endpoint_send_ref(&s->ep, HWS_TEXT, HWS_WHOLE, data, 10), HWS_OK);
    assert_int_equal(hws_endpoint_output(&s->ep, buffers, 4), 2);
    assert_int_equal(hws_endpoint_abort(&s->ep, HWS_ERR_RESET), HWS_OK);
    drain_ready(s);
    side_receive(s);
    expect_events(s, "");
    assert_memory_equal(buffers[1].data, "referenced", 10);
    assert_int_equal(hws_endpoint_sent(&s->ep, 0), HWS_OK);
    assert_ptr_equal(hws_ready_next(&s->ready), &s->ep);
    side_receive(s);
    expect_events(s, "RELEASED{10} END 1006()");
    expect_end(s, HWS_ERR_RESET);
    side_free(s);
}

static void released_endpoints_leave_the_list(void **state) {
    (void)state;
    side *all[3];
    unsigned gone = 0;
    while (gone < 3) {
        hws_ready ready = {NULL};
        unsigned i = 0;
        while (i < 3) {
            all[i] = side_new(SERVER);
            all[i]->config.ready = &ready;
            side_open(all[i]);
            assert_int_equal(side_send_text(all[i], "x"), HWS_OK);
            i++;
        }
        side_free(all[gone]);
        i = 0;
        while (i < 2) {
            hws_endpoint *ep = hws_ready_next(&ready);
            assert_non_null(ep);
            assert_ptr_not_equal(ep, &all[gone]->ep);
            i++;
        }
        assert_null(hws_ready_next(&ready));
        side_free(all[(gone + 1) % 3]);
        side_free(all[(gone + 2) % 3]);
        gone++;
    }
}

/* --- trace --------------------------------------------------------------------------------------
 */

static void note_frame(void *user, const void *connection, uint8_t sent, const hws_frame *frame,
                       const uint8_t *payload) {
    assert_non_null(connection);
    char *log = user;
    size_t n = strlen(log);
    assert_int_equal(payload != NULL, frame->opcode >= 8 && frame->payload_len > 0);
    snprintf(log + n, 256 - n, "%s%X/%u/%.*s ", sent ? ">" : "<", frame->opcode, frame->fin,
             payload != NULL ? (int)frame->payload_len : 0, (const char *)payload);
}

static void the_trace_is_told_of_each_frame(void **state) {
    (void)state;
    uint8_t role = SERVER;
    while (role <= CLIENT) {
        char log[256] = "";
        side *s = side_new(role);
        s->config.trace = note_frame;
        s->config.trace_user = log;
        side_open(s);
        side_read_frame(s, 0x01, "a", 1);
        side_read_frame(s, 0x89, "ping", 4);
        side_read_frame(s, 0x80, "b", 1);
        assert_string_equal(log, "<1/0/ <9/1/ping >A/1/ping <0/1/ ");
        log[0] = 0;
        assert_int_equal(side_send_text(s, "abc"), HWS_OK);
        side_read_frame(s, 0x88, "\x03\xE8ok", 4);
        assert_string_equal(log, ">1/1/ <8/1/\x03\xE8ok >8/1/\x03\xE8 ");
        s->wire_len = s->events_len = 0;
        side_free(s);
        role++;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_written_before_output),
        cmocka_unit_test(a_send_answers_backpressure_then_full_and_drain_follows),
        cmocka_unit_test(the_mark_is_reached_exactly),
        cmocka_unit_test(closes_pings_and_pongs_are_not_counted_for_full),
        cmocka_unit_test(pongs_overtake_above_high_water_at_the_border_of_a_frame),
        cmocka_unit_test(own_pings_overtake_and_none_is_dropped),
        cmocka_unit_test(a_ping_that_is_sent_while_another_is_handed_out_goes_out_after_it),
        cmocka_unit_test(what_was_handed_out_stays_until_it_is_acknowledged),
        cmocka_unit_test(what_ends_the_connection_while_a_ping_overtakes_keeps_it),
        cmocka_unit_test(an_array_of_one_gives_the_output_part_by_part),
        cmocka_unit_test(after_our_close_it_is_the_state_whatever_else),
        cmocka_unit_test(pieces_are_frames_of_one_message),
        cmocka_unit_test(mistakes_in_send_change_nothing),
        cmocka_unit_test(nothing_is_received_while_much_output_waits),
        cmocka_unit_test(an_endpoint_comes_on_the_list_when_something_happens),
        cmocka_unit_test(one_that_was_aborted_comes_on_it_again_when_nobody_writes_any_more),
        cmocka_unit_test(released_endpoints_leave_the_list),
        cmocka_unit_test(the_trace_is_told_of_each_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
