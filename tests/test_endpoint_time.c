/*
 * Time on an endpoint: what tick() brings about, and when timeout() asks for it, on a clock that
 * the tests move. The rules are those of keepalive.h and rate.h.
 */
#include "endpoint_pair.h"

/* The defaults. */
enum { OPEN_MS = 10000, PING_MS = 20000, PONG_MS = 20000, CLOSE_MS = 10000, STALL_MS = 30000 };

static const char idle_sentence[] = "CLOSE 1001(There was no message for longer than is allowed.)";
static const char pong_sentence[] = "CLOSE 1011(A Ping was not answered in time.)";

/* Milliseconds to the next deadline, which becomes now. */
static uint64_t pass_to_timeout(side *s) {
    uint64_t at = hws_endpoint_timeout(&s->ep);
    assert_true(at != HWS_NEVER);
    uint64_t ms = at > s->now_ms ? at - s->now_ms : 0;
    side_pass(s, ms);
    return ms;
}

static void pass_in_steps(side *s, uint64_t ms, uint64_t step) {
    while (ms > 0) {
        step = step < ms ? step : ms;
        side_pass(s, step);
        ms -= step;
    }
}

/* The one frame that was sent is a Ping of the keepalive: its payload. */
static void take_ping(side *s, uint8_t *payload) {
    size_t head = s->config.role == CLIENT ? 6 : 2;
    size_t i = 0;
    side_write(s, SIZE_MAX);
    assert_int_equal(s->wire_len, head + HWS_KEEPALIVE_PING_LEN);
    assert_int_equal(s->wire[0], 0x89);
    assert_int_equal(s->wire[1] & 0x7F, HWS_KEEPALIVE_PING_LEN);
    while (i < HWS_KEEPALIVE_PING_LEN) {
        payload[i] = s->wire[head + i] ^ (head == 6 ? s->wire[2 + (i & 3)] : 0);
        i++;
    }
    s->wire_len = 0;
}

/* Silence of so long, and then the keepalive sends a Ping and waits for the Pong. */
static void pass_to_ping(side *s, uint64_t ms) {
    uint8_t payload[HWS_KEEPALIVE_PING_LEN];
    side_pass(s, ms);
    take_ping(s, payload);
}

/* A Ping of the application. */
static void send_ping(side *s, const char *text) {
    assert_int_equal(
        hws_endpoint_send(&s->ep, HWS_PING, HWS_WHOLE, (const uint8_t *)text, strlen(text)),
        HWS_OK);
    side_write(s, SIZE_MAX);
    s->wire_len = 0;
}

/* No fault until then. */
static void expect_fault_in(side *s, uint64_t ms, hws_status status) {
    pass_in_steps(s, ms - 1, 777);
    assert_int_equal(hws_endpoint_status(&s->ep), HWS_OK);
    side_pass(s, 1);
    assert_int_equal(hws_endpoint_status(&s->ep), status);
}

static void finish_without_pong(side *s) {
    assert_int_equal(hws_endpoint_status(&s->ep), HWS_ERR_PONG_TIMEOUT);
    s->events_len = 0;
    finish(s, HWS_ERR_PONG_TIMEOUT);
}

/* --- the keepalive ------------------------------------------------------------------------------
 */

static void a_ping_is_sent_after_silence_and_its_pong_gives_the_latency(void **state) {
    (void)state;
    uint8_t role = SERVER;
    while (role <= CLIENT) {
        uint8_t first[8];
        uint8_t second[8];
        side *s = side_open_new(role);
        assert_int_equal(hws_endpoint_latency_ms(&s->ep), UINT32_MAX);
        assert_int_equal(hws_endpoint_timeout(&s->ep), s->now_ms + PING_MS);
        side_pass(s, PING_MS - 1);
        expect_output(s, "");
        side_pass(s, 1);
        take_ping(s, first);
        assert_int_equal(s->counters.pings_sent, 1);
        assert_int_equal(hws_endpoint_timeout(&s->ep), s->now_ms + PONG_MS);
        side_pass(s, 37);
        side_read_frame(s, 0x8A, first, 8);
        assert_int_equal(s->events_len, 4 + 2 + 8); /* it is an event as others are */
        s->events_len = 0;
        assert_int_equal(hws_endpoint_latency_ms(&s->ep), 37);
        assert_int_equal(pass_to_timeout(s), PING_MS);
        take_ping(s, second);
        assert_memory_not_equal(first, second, 8);
        assert_memory_equal(first, second, 4); /* nonce and a count */
        finish(s, HWS_ERR_EOF);
        role++;
    }
}

static void bytes_of_any_kind_end_the_silence(void **state) {
    (void)state;
    side *s = side_open_new(CLIENT);
    side_pass(s, 15000);
    side_read_hex(s, "81"); /* half a header */
    side_pass(s, PING_MS - 1);
    expect_output(s, "");
    pass_to_ping(s, 1);
    finish(s, HWS_ERR_EOF);
}

static void without_pong_the_connection_fails_with_1011_and_its_sentence(void **state) {
    (void)state;
    uint8_t payload[8];
    side *s = side_open_new(SERVER);
    side_pass(s, PING_MS);
    take_ping(s, payload);
    payload[7] ^= 1;
    side_read_frame(s, 0x8A, payload, 8); /* another Pong does not count */
    side_read_frame(s, 0x8A, "x", 1);
    s->events_len = 0;
    expect_fault_in(s, PONG_MS, HWS_ERR_PONG_TIMEOUT);
    expect_output(s, pong_sentence);
    assert_int_equal(hws_endpoint_can_send(&s->ep), 0);
    assert_int_equal(pass_to_timeout(s), CLOSE_MS);
    expect_events(s, "END 1006()");
    assert_int_equal(s->counters.errors[-HWS_ERR_PONG_TIMEOUT], 1);
    finish(s, HWS_ERR_PONG_TIMEOUT);
}

static void a_pong_for_a_later_ping_of_the_application_counts(void **state) {
    (void)state;
    uint8_t payload[8];
    side *s = side_open_new(SERVER);
    send_ping(s, "old");
    pass_to_ping(s, PING_MS);
    send_ping(s, "new");
    side_read_frame(s, 0x8A, "new", 3);
    side_pass(s, PONG_MS);
    assert_int_equal(hws_endpoint_status(&s->ep), HWS_OK);
    assert_int_equal(hws_endpoint_latency_ms(&s->ep), UINT32_MAX);
    take_ping(s, payload); /* after the silence since then */
    s->events_len = 0;
    finish(s, HWS_ERR_EOF);
}

static void a_pong_for_an_earlier_ping_of_the_application_does_not(void **state) {
    (void)state;
    side *s = side_open_new(SERVER);
    send_ping(s, "old");
    pass_to_ping(s, PING_MS);
    side_read_frame(s, 0x8A, "old", 3);
    side_pass(s, PONG_MS);
    finish_without_pong(s);
}

static void the_pong_deadline_stands_still_while_paused(void **state) {
    (void)state;
    side *s = side_open_new(SERVER);
    pass_to_ping(s, PING_MS);
    side_pass(s, 5000);
    hws_endpoint_pause(&s->ep, 1);
    pass_in_steps(s, 300000, 777);
    assert_int_equal(hws_endpoint_status(&s->ep), HWS_OK);
    hws_endpoint_pause(&s->ep, 0);
    expect_fault_in(s, PONG_MS - 5000, HWS_ERR_PONG_TIMEOUT);
    expect_output(s, pong_sentence);
    finish_without_pong(s);
}

static void it_stands_still_while_an_unfinished_frame_advances(void **state) {
    (void)state;
    unsigned i = 0;
    side *s = side_open_new(CLIENT);
    side_read_hex(s, "82 7E 03 E8 00");
    pass_to_ping(s, PING_MS);
    while (i < 50) {
        side_pass(s, 5000);
        side_read_hex(s, "00");
        i++;
    }
    assert_int_equal(hws_endpoint_status(&s->ep), HWS_OK);
    pass_in_steps(s, 2 * PONG_MS, 500); /* it does not advance any more */
    finish_without_pong(s);
}

/* --- other deadlines ----------------------------------------------------------------------------
 */

static void without_messages_an_idle_connection_is_closed_with_1001(void **state) {
    (void)state;
    side *s = side_new(SERVER);
    s->config.keepalive.idle_timeout_ms = 5000;
    side_open(s);
    assert_int_equal(hws_endpoint_timeout(&s->ep), s->now_ms + 5000);
    side_pass(s, 3000);
    side_read_message(s, "a"); /* either direction counts */
    side_pass(s, 4000);
    assert_int_equal(side_send_text(s, "b"), HWS_OK);
    expect_output(s, "TEXT(b)");
    side_pass(s, 4000);
    side_read_frame(s, 0x89, NULL, 0); /* Pings do not */
    expect_output(s, "PONG()");
    expect_fault_in(s, 1000, HWS_ERR_IDLE);
    expect_output(s, idle_sentence);
    side_read_message(s, "c"); /* on its way, and no fault: RFC 6455 7.1.2 */
    assert_int_equal(hws_endpoint_wants(&s->ep), HWS_WANTS_READ);
    side_read_frame(s, 0x88, "\x03\xE9", 2);
    assert_int_equal(hws_endpoint_wants(&s->ep), HWS_WANTS_READ | HWS_WANTS_SHUTDOWN);
    s->events_len = 0;
    finish(s, HWS_ERR_IDLE);
}

static void an_idle_peer_that_does_not_answer_our_close_is_given_up(void **state) {
    (void)state;
    unsigned without_memory = 0;
    while (without_memory < 2) { /* then there is no Close, and the connection fails */
        side *s = side_new(SERVER);
        s->config.keepalive.idle_timeout_ms = 5000;
        side_open(s);
        s->memory.fail_at = without_memory;
        side_pass(s, 5000);
        assert_int_equal(hws_endpoint_status(&s->ep), HWS_ERR_IDLE);
        expect_output(s, idle_sentence);
        side_receive(s);
        assert_int_equal(pass_to_timeout(s), CLOSE_MS);
        expect_events(s, "END 1006()");
        finish(s, HWS_ERR_IDLE);
        without_memory++;
    }
}

static void a_server_answers_408_when_no_request_comes(void **state) {
    (void)state;
    unsigned with_bytes = 0;
    while (with_bytes < 2) {
        side *s = side_new(SERVER);
        side_start(s);
        assert_int_equal(hws_endpoint_timeout(&s->ep), START_MS + OPEN_MS);
        if (with_bytes) {
            side_read_text(s, "GET / HTTP/1.1\r\nHo"); /* bytes do not prolong it */
        }
        side_pass(s, OPEN_MS - 1);
        expect_output(s, "");
        side_pass(s, 1);
        assert_int_equal(hws_endpoint_status(&s->ep), HWS_ERR_TIMEOUT);
        side_write(s, SIZE_MAX);
        assert_memory_equal(s->wire, "HTTP/1.1 408 ", 13);
        side_receive(s);
        if (!s->ended) {
            assert_true(pass_to_timeout(s) <= CLOSE_MS); /* whether or not he reads it */
        }
        expect_events(s, "END 0()");
        finish(s, HWS_ERR_TIMEOUT);
        with_bytes++;
    }
}

static void a_client_ends_when_no_response_comes(void **state) {
    (void)state;
    unsigned connected = 0;
    while (connected < 2) {
        side *s = side_new(CLIENT);
        side_start(s);
        side_pass(s, 4000);
        if (connected) {
            assert_int_equal(hws_endpoint_connect(&s->ep, &s->client), HWS_OK);
            expect_output(s, "GET");
            side_read_text(s, "HTTP/1.1 1");
        }
        side_pass(s, OPEN_MS - 4001);
        assert_int_equal(s->ended, 0);
        side_pass(s, 1);
        expect_events(s, "END 0()");
        expect_output(s, "");
        finish(s, HWS_ERR_TIMEOUT);
        connected++;
    }
}

static void without_the_peers_close_the_connection_ends_by_timeout(void **state) {
    (void)state;
    side *s = side_open_new(CLIENT);
    assert_int_equal(hws_endpoint_close(&s->ep, 1000, NULL, 0), HWS_OK);
    expect_output(s, "CLOSE 1000()");
    assert_int_equal(hws_endpoint_timeout(&s->ep), s->now_ms + CLOSE_MS);
    side_pass(s, 5000);
    side_read_message(s, "still talking");
    side_pass(s, CLOSE_MS - 5001);
    expect_events(s, "TEXT(still talking)");
    expect_output(s, ""); /* no Pings */
    side_pass(s, 1);
    expect_events(s, "END 1006()");
    finish(s, HWS_ERR_TIMEOUT);
}

static void after_both_closes_it_ends_by_the_deadline_without_fault(void **state) {
    (void)state;
    uint8_t role = SERVER;
    while (role <= CLIENT) {
        side *s = side_open_new(role);
        side_read_frame(s, 0x88, "\x03\xE8", 2);
        expect_output(s, "CLOSE 1000()");
        expect_events(s, "CLOSE 1000()");
        assert_int_equal(pass_to_timeout(s), CLOSE_MS);
        expect_events(s, "END 1000()");
        finish(s, HWS_OK);
        role++;
    }
}

static void output_that_nobody_takes_ends_the_connection(void **state) {
    (void)state;
    side *s = side_new(SERVER);
    s->config.keepalive.ping_after_ms = 0;
    side_open(s);
    assert_int_equal(hws_endpoint_timeout(&s->ep), HWS_NEVER);
    side_pass(s, 100000);
    assert_int_equal(side_send_text(s, "stalled"), HWS_OK);
    assert_int_equal(hws_endpoint_timeout(&s->ep), s->now_ms + STALL_MS);
    side_pass(s, STALL_MS - 1000);
    assert_int_equal(side_send_text(s, "more"), HWS_OK); /* does not prolong it */
    assert_int_equal(side_write(s, 1), 1);               /* this does */
    side_pass(s, STALL_MS - 1000);
    assert_int_equal(side_send_text(s, "more"), HWS_OK);
    side_read_message(s, "nor does what comes");
    side_pass(s, 999);
    expect_events(s, "TEXT(nor does what comes)");
    side_pass(s, 1);
    expect_events(s, "END 1006()");
    assert_int_equal(hws_endpoint_queued(&s->ep), 0);
    finish(s, HWS_ERR_STALLED);
}

static void zeros_are_for_ever(void **state) {
    (void)state;
    side *s = side_new(SERVER);
    memset(&s->config.keepalive, 0, sizeof s->config.keepalive);
    side_start(s);
    assert_int_equal(hws_endpoint_timeout(&s->ep), HWS_NEVER);
    side_pass(s, UINT64_C(1000000000));
    side_read_text(s, request_text);
    assert_int_equal(hws_endpoint_accept(&s->ep, &s->accept), HWS_OK);
    side_receive(s);
    assert_int_equal(hws_endpoint_timeout(&s->ep), HWS_NEVER);
    side_pass(s, UINT64_C(1000000000));
    expect_output(s, "HTTP 101");
    assert_int_equal(hws_endpoint_close(&s->ep, 1000, NULL, 0), HWS_OK);
    expect_events(s, "REQUEST OPEN");
    expect_output(s, "CLOSE 1000()");
    finish(s, HWS_ERR_EOF);
}

/* --- rates --------------------------------------------------------------------------------------
 */

static void too_many_messages_in_a_time_fail_with_1008(void **state) {
    (void)state;
    side *s = side_new(SERVER);
    s->config.message_rate = (hws_rate_config){.per_second = 2, .burst = 3};
    side_open(s);
    side_read_message(s, "1");
    side_read_message(s, "2");
    side_read_message(s, "3");
    side_pass(s, 500);
    side_read_message(s, "4");
    side_read_frame(s, 0x89, NULL, 0); /* is no message */
    expect_events(s, "TEXT(1) TEXT(2) TEXT(3) TEXT(4) PING()");
    side_read_message(s, "5");
    expect_events(s, "");
    assert_int_equal(hws_endpoint_status(&s->ep), HWS_ERR_RATE);
    expect_output(s, "PONG() CLOSE 1008(More came in a time than is allowed.)");
    finish(s, HWS_ERR_RATE);
}

static void too_many_bytes_in_a_time_fail_with_1008(void **state) {
    (void)state;
    static const uint8_t data[2000];
    side *s = side_new(SERVER);
    s->config.byte_rate = (hws_rate_config){.per_second = 1000, .burst = 1000};
    side_open(s);
    side_pass(s, 1000);
    side_read_frame(s, 0x82, data, 900);
    expect_events(s, "BINARY{900}");
    side_pass(s, 900);
    side_read_frame(s, 0x82, data, 800);
    expect_events(s, "BINARY{800}");
    side_read_frame(s, 0x82, data, 800);
    assert_int_equal(hws_endpoint_status(&s->ep), HWS_ERR_RATE);
    side_read_frame(s, 0x82, data, 1);
    expect_events(s, ""); /* what is too much is not delivered, and nothing behind it */
    expect_output(s, "CLOSE 1008(More came in a time than is allowed.)");
    finish(s, HWS_ERR_RATE);
}

/* --- clocks -------------------------------------------------------------------------------------
 */

static void a_clock_that_stands_still_does_nothing(void **state) {
    (void)state;
    unsigned i = 0;
    side *s = side_open_new(SERVER);
    uint64_t timeout = hws_endpoint_timeout(&s->ep);
    while (i < 1000) {
        side_pass(s, 0);
        i++;
    }
    assert_int_equal(hws_endpoint_timeout(&s->ep), timeout);
    expect_output(s, "");
    finish(s, HWS_ERR_EOF);
}

static void one_that_goes_back_counts_as_standing_still(void **state) {
    (void)state;
    side *s = side_open_new(SERVER);
    side_pass(s, 15000);
    s->now_ms -= 900000;
    side_pass(s, 0);
    expect_output(s, "");
    assert_int_equal(hws_endpoint_timeout(&s->ep), s->now_ms + PING_MS - 15000);
    side_pass(s, 4999);
    expect_output(s, "");
    pass_to_ping(s, 1);
    finish(s, HWS_ERR_EOF);
}

static void a_deadline_that_is_found_much_too_late_is_given_once_more(void **state) {
    (void)state;
    static const uint64_t late[] = {HWS_LATE_MS, HWS_LATE_MS + 1, 86400000, UINT64_C(1) << 60};
    size_t i = 0;
    while (i < sizeof late / sizeof late[0]) {
        side *s = side_open_new(SERVER);
        pass_to_ping(s, PING_MS);
        side_pass(s, PONG_MS + late[i]);
        if (i > 0) {
            assert_int_equal(hws_endpoint_status(&s->ep), HWS_OK);
            expect_fault_in(s, PONG_MS, HWS_ERR_PONG_TIMEOUT);
        }
        finish_without_pong(s);
        i++;
    }
}

/* Who does what timeout() says is never busy, and comes to the end. */
static void whoever_ticks_at_each_timeout_comes_to_the_end(void **state) {
    (void)state;
    unsigned reads = 0;
    while (reads < 2) {
        unsigned count = 0;
        side *s = side_open_new(SERVER);
        s->config.keepalive.idle_timeout_ms = 100000;
        assert_int_equal(side_send_text(s, "hello"), HWS_OK);
        while (!s->ended) {
            if (reads) {
                side_write(s, SIZE_MAX);
                s->wire_len = 0;
            }
            pass_to_timeout(s);
            assert_true(++count < 10);
        }
        s->events_len = 0;
        finish(s, reads ? HWS_ERR_PONG_TIMEOUT : HWS_ERR_STALLED);
        reads++;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ping_is_sent_after_silence_and_its_pong_gives_the_latency),
        cmocka_unit_test(bytes_of_any_kind_end_the_silence),
        cmocka_unit_test(without_pong_the_connection_fails_with_1011_and_its_sentence),
        cmocka_unit_test(a_pong_for_a_later_ping_of_the_application_counts),
        cmocka_unit_test(a_pong_for_an_earlier_ping_of_the_application_does_not),
        cmocka_unit_test(the_pong_deadline_stands_still_while_paused),
        cmocka_unit_test(it_stands_still_while_an_unfinished_frame_advances),
        cmocka_unit_test(without_messages_an_idle_connection_is_closed_with_1001),
        cmocka_unit_test(an_idle_peer_that_does_not_answer_our_close_is_given_up),
        cmocka_unit_test(a_server_answers_408_when_no_request_comes),
        cmocka_unit_test(a_client_ends_when_no_response_comes),
        cmocka_unit_test(without_the_peers_close_the_connection_ends_by_timeout),
        cmocka_unit_test(after_both_closes_it_ends_by_the_deadline_without_fault),
        cmocka_unit_test(output_that_nobody_takes_ends_the_connection),
        cmocka_unit_test(zeros_are_for_ever),
        cmocka_unit_test(too_many_messages_in_a_time_fail_with_1008),
        cmocka_unit_test(too_many_bytes_in_a_time_fail_with_1008),
        cmocka_unit_test(a_clock_that_stands_still_does_nothing),
        cmocka_unit_test(one_that_goes_back_counts_as_standing_still),
        cmocka_unit_test(a_deadline_that_is_found_much_too_late_is_given_once_more),
        cmocka_unit_test(whoever_ticks_at_each_timeout_comes_to_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
