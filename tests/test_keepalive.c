/*
 * The rules of keepalive.h, on a clock that the tests move: when Pings are due, what clears them,
 * and what each deadline waits for. test_keepalive_clock.c has the rules about clocks.
 */
#include "timed.h"

/* --- phases --------------------------------------------------------------------------------------
 */

static void the_defaults_are_those_of_the_header(void **context) {
    hws_keepalive_config config;
    (void)context;
    memset(&config, 0xA5, sizeof config);
    hws_keepalive_config_init(&config);
    assert_int_equal(config.open_timeout_ms, 10000);
    assert_int_equal(config.ping_after_ms, 20000);
    assert_int_equal(config.pong_timeout_ms, 20000);
    assert_int_equal(config.idle_timeout_ms, 0);
    assert_int_equal(config.close_timeout_ms, 10000);
    assert_int_equal(config.stall_timeout_ms, 30000);
}

static void the_opening_fails_when_it_lasts_too_long(void **context) {
    subject s = fresh();
    (void)context;
    hws_keepalive_received(&s.k, 0);
    hws_keepalive_message(&s.k);
    due_at(&s, OPEN_MS, HWS_ERR_TIMEOUT);
}

static void before_the_opening_no_ping_is_due_and_nothing_is_idle(void **context) {
    subject s = fresh();
    (void)context;
    s.config.open_timeout_ms = 0;
    never_due(&s);
    assert_int_equal(tick(&s, IDLE_MS), HWS_OK);
}

static void the_open_connection_starts_when_it_is_opened(void **context) {
    subject s = fresh();
    (void)context;
    assert_int_equal(tick(&s, 2000), HWS_OK);
    hws_keepalive_opened(&s.k, NONCE);
    due_at(&s, 2000 + PING_MS, HWS_EVENT);
    s.config.ping_after_ms = 0;
    due_at(&s, 2000 + IDLE_MS, HWS_ERR_IDLE);
}

static void opening_again_does_nothing(void **context) {
    uint8_t payload[PING_LEN];
    subject s = opened();
    (void)context;
    assert_int_equal(tick(&s, 1000), HWS_OK);
    hws_keepalive_opened(&s.k, 99);
    due_at(&s, PING_MS, HWS_EVENT);
    send_ping(&s, payload);
    assert_memory_equal(payload, "\1\2\3\4", 4);
    hws_keepalive_closing(&s.k);
    hws_keepalive_opened(&s.k, 99);
    due_at(&s, PING_MS + CLOSE_MS, HWS_ERR_TIMEOUT);
}

static void the_closing_fails_when_it_lasts_too_long(void **context) {
    subject s = opened();
    (void)context;
    assert_int_equal(tick(&s, 1000), HWS_OK);
    hws_keepalive_closing(&s.k);
    hws_keepalive_received(&s.k, 0);
    hws_keepalive_message(&s.k);
    due_at(&s, 1000 + CLOSE_MS, HWS_ERR_TIMEOUT);
}

static void closing_again_does_nothing(void **context) {
    subject s = opened();
    (void)context;
    hws_keepalive_closing(&s.k);
    assert_int_equal(tick(&s, 1000), HWS_OK);
    hws_keepalive_closing(&s.k);
    due_at(&s, CLOSE_MS, HWS_ERR_TIMEOUT);
}

static void the_closing_may_begin_before_the_opening_ends(void **context) {
    subject s = fresh();
    (void)context;
    assert_int_equal(tick(&s, 2900), HWS_OK);
    hws_keepalive_closing(&s.k);
    due_at(&s, 2900 + CLOSE_MS, HWS_ERR_TIMEOUT);
}

static void closing_ends_pings_and_the_deadlines_of_the_open_connection(void **context) {
    uint8_t payload[PING_LEN];
    subject s = opened();
    (void)context;
    s.config.close_timeout_ms = 0;
    s.config.idle_timeout_ms = PING_MS;
    assert_int_equal(tick(&s, PING_MS - 1), HWS_OK);
    hws_keepalive_closing(&s.k);
    never_due(&s);
    assert_int_equal(tick(&s, IDLE_MS), HWS_OK);
    s = pinged(payload);
    s.config.close_timeout_ms = 0;
    assert_int_equal(tick(&s, PING_MS + PONG_MS), HWS_ERR_PONG_TIMEOUT);
    hws_keepalive_closing(&s.k);
    never_due(&s);
    assert_int_equal(tick(&s, PING_MS + PONG_MS), HWS_OK);
}

static void zeros_mean_for_ever(void **context) {
    subject s = fresh();
    uint8_t payload[PING_LEN];
    (void)context;
    memset(&s.config, 0, sizeof s.config);
    hws_keepalive_sent(&s.k, 0, 1);
    never_due(&s);
    assert_int_equal(tick(&s, 1000000000), HWS_OK);
    hws_keepalive_opened(&s.k, NONCE);
    send_ping(&s, payload);
    never_due(&s);
    assert_int_equal(tick(&s, 2000000000), HWS_OK);
    hws_keepalive_closing(&s.k);
    never_due(&s);
    assert_int_equal(tick(&s, 3000000000), HWS_OK);
}

/* --- Pings ---------------------------------------------------------------------------------------
 */

static void a_ping_is_due_when_nothing_has_come(void **context) {
    subject s = opened();
    (void)context;
    due_at(&s, PING_MS, HWS_EVENT);
}

static void a_ping_that_is_not_sent_is_due_again(void **context) {
    subject s = opened();
    (void)context;
    due_at(&s, PING_MS, HWS_EVENT);
    assert_int_equal(hws_keepalive_timeout(&s.k, &s.config), START + PING_MS);
    assert_int_equal(tick(&s, PING_MS), HWS_EVENT);
    assert_int_equal(tick(&s, PING_MS + 1), HWS_EVENT);
}

static void bytes_of_any_kind_end_the_silence(void **context) {
    subject s = opened();
    (void)context;
    assert_int_equal(tick(&s, 1000), HWS_OK);
    hws_keepalive_received(&s.k, 0);
    assert_int_equal(tick(&s, 2000), HWS_OK);
    hws_keepalive_received(&s.k, 1);
    assert_int_equal(tick(&s, 3000), HWS_OK);
    hws_keepalive_received(&s.k, 1);
    assert_int_equal(tick(&s, 4000), HWS_OK);
    hws_keepalive_received(&s.k, 0);
    due_at(&s, 4000 + PING_MS, HWS_EVENT);
}

static void what_we_send_does_not_end_the_silence(void **context) {
    subject s = opened();
    (void)context;
    assert_int_equal(tick(&s, 1000), HWS_OK);
    hws_keepalive_message(&s.k);
    hws_keepalive_sent(&s.k, 10, 0);
    hws_keepalive_pinged(&s.k, NULL, 0);
    hws_keepalive_pause(&s.k, 1);
    due_at(&s, PING_MS, HWS_EVENT);
}

static void one_ping_at_a_time_is_outstanding(void **context) {
    uint8_t payload[PING_LEN];
    subject s = pinged(payload);
    (void)context;
    s.config.pong_timeout_ms = 0;
    s.config.idle_timeout_ms = 0;
    never_due(&s);
    assert_int_equal(tick(&s, 10 * PING_MS), HWS_OK);
    assert_int_equal(pong(&s, payload, PING_LEN), 1);
    due_at(&s, 11 * PING_MS, HWS_EVENT);
}

static void its_payload_is_the_nonce_and_a_count(void **context) {
    uint8_t payload[PING_LEN];
    subject s = pinged(payload);
    uint64_t now = PING_MS;
    (void)context;
    assert_memory_equal(payload, "\1\2\3\4\0\0\0\0", PING_LEN);
    for (unsigned i = 1; i <= 300; i++) {
        const uint8_t wanted[PING_LEN] = {1, 2, 3, 4, 0, 0, (uint8_t)(i >> 8), (uint8_t)i};
        assert_int_equal(pong(&s, payload, PING_LEN), 1);
        hws_keepalive_message(&s.k);
        now += PING_MS;
        due_at(&s, now, HWS_EVENT);
        send_ping(&s, payload);
        assert_memory_equal(payload, wanted, PING_LEN);
    }
}

/* --- Pongs ---------------------------------------------------------------------------------------
 */

static void a_pong_clears_its_ping(void **context) {
    uint8_t payload[PING_LEN];
    subject s = pinged(payload);
    (void)context;
    assert_int_equal(tick(&s, PING_MS + 10), HWS_OK);
    assert_int_equal(pong(&s, payload, PING_LEN), 1);
    due_at(&s, PING_MS + 10 + PING_MS, HWS_EVENT);
}

static void a_pong_clears_a_ping_once(void **context) {
    uint8_t payload[PING_LEN];
    subject s = pinged(payload);
    (void)context;
    assert_int_equal(pong(&s, payload, PING_LEN), 1);
    assert_int_equal(pong(&s, payload, PING_LEN), 0);
}

/* An unsolicited Pong is no answer to what comes later. */
static void a_pong_for_an_earlier_ping_clears_nothing(void **context) {
    uint8_t first[PING_LEN];
    uint8_t second[PING_LEN];
    subject s = pinged(first);
    (void)context;
    assert_int_equal(pong(&s, first, PING_LEN), 1);
    due_at(&s, 2 * PING_MS, HWS_EVENT);
    send_ping(&s, second);
    assert_int_equal(pong(&s, first, PING_LEN), 0);
    due_at(&s, 2 * PING_MS + PONG_MS, HWS_ERR_PONG_TIMEOUT);
}

static void a_pong_with_another_payload_clears_nothing(void **context) {
    uint8_t payload[PING_LEN + 1];
    subject s = pinged(payload);
    (void)context;
    payload[PING_LEN] = 0;
    for (size_t len = 0; len <= PING_LEN + 1; len++) {
        assert_int_equal(pong(&s, payload, len), len == PING_LEN);
        s = pinged(payload);
    }
    for (size_t i = 0; i < 8 * PING_LEN; i++) {
        payload[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_int_equal(pong(&s, payload, PING_LEN), 0);
        payload[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    assert_int_equal(pong(&s, NULL, 0), 0);
    due_at(&s, PING_MS + PONG_MS, HWS_ERR_PONG_TIMEOUT);
}

static void other_pongs_end_the_silence(void **context) {
    subject s = opened();
    (void)context;
    assert_int_equal(tick(&s, 3000), HWS_OK);
    assert_int_equal(pong(&s, NULL, 0), 0);
    due_at(&s, 3000 + PING_MS, HWS_EVENT);
}

static void a_pong_for_a_later_ping_clears_the_outstanding_one(void **context) {
    uint8_t first[PING_LEN];
    uint8_t second[PING_LEN];
    subject s = pinged(first);
    (void)context;
    assert_int_equal(tick(&s, PING_MS + 1000), HWS_OK);
    send_ping(&s, second);
    assert_memory_equal(second, "\1\2\3\4\0\0\0\1", PING_LEN);
    assert_int_equal(hws_keepalive_timeout(&s.k, &s.config), START + PING_MS + PONG_MS);
    subject copy = s;
    assert_int_equal(pong(&s, second, PING_LEN), 1);
    assert_int_equal(pong(&s, first, PING_LEN), 0);
    assert_int_equal(pong(&copy, first, PING_LEN), 1);
    assert_int_equal(pong(&copy, second, PING_LEN), 0);
}

static void a_pong_for_the_applications_newest_ping_clears_an_earlier_one(void **context) {
    uint8_t payload[PING_LEN];
    subject s = pinged(payload);
    (void)context;
    hws_keepalive_pinged(&s.k, (const uint8_t *)"ab", 2);
    hws_keepalive_pinged(&s.k, (const uint8_t *)"cd", 2);
    assert_int_equal(pong(&s, "ab", 2), 0);
    assert_int_equal(pong(&s, "cd\0", 3), 0);
    assert_int_equal(pong(&s, "c", 1), 0);
    assert_int_equal(pong(&s, NULL, 0), 0);
    assert_int_equal(pong(&s, "cd", 2), 1);
    s = pinged(payload);
    hws_keepalive_pinged(&s.k, NULL, 0);
    assert_int_equal(pong(&s, "\0", 1), 0);
    assert_int_equal(pong(&s, NULL, 0), 1);
    s = pinged(payload);
    hws_keepalive_pinged(&s.k, (const uint8_t *)"ab", 2);
    assert_int_equal(pong(&s, payload, PING_LEN), 1);
}

static void
a_pong_for_a_ping_of_the_application_that_was_sent_before_clears_nothing(void **context) {
    uint8_t payload[PING_LEN];
    subject s = opened();
    (void)context;
    hws_keepalive_pinged(&s.k, (const uint8_t *)"ab", 2);
    due_at(&s, PING_MS, HWS_EVENT);
    send_ping(&s, payload);
    assert_int_equal(pong(&s, "ab", 2), 0);
    due_at(&s, PING_MS + PONG_MS, HWS_ERR_PONG_TIMEOUT);
}

/* --- the deadline of the Pong --------------------------------------------------------------------
 */

static void without_a_pong_the_connection_fails(void **context) {
    uint8_t payload[PING_LEN];
    subject s = pinged(payload);
    (void)context;
    assert_int_equal(tick(&s, PING_MS + 2000), HWS_OK);
    hws_keepalive_received(&s.k, 0); /* bytes alone do not help */
    hws_keepalive_message(&s.k);
    due_at(&s, PING_MS + PONG_MS, HWS_ERR_PONG_TIMEOUT);
}

static void a_pong_ends_a_failure_that_is_reported(void **context) {
    uint8_t payload[PING_LEN];
    subject s = pinged(payload);
    (void)context;
    due_at(&s, PING_MS + PONG_MS, HWS_ERR_PONG_TIMEOUT);
    assert_int_equal(pong(&s, payload, PING_LEN), 1);
    assert_int_equal(tick(&s, PING_MS + PONG_MS), HWS_OK);
}

static void the_deadline_stands_still_while_receiving_is_paused(void **context) {
    uint8_t payload[PING_LEN];
    subject s = pinged(payload);
    (void)context;
    s.config.idle_timeout_ms = 0;
    assert_int_equal(tick(&s, PING_MS + 2000), HWS_OK);
    hws_keepalive_pause(&s.k, 1);
    hws_keepalive_pause(&s.k, 1);
    never_due(&s);
    assert_int_equal(tick(&s, 40000), HWS_OK);
    assert_int_equal(tick(&s, 90000), HWS_OK);
    hws_keepalive_pause(&s.k, 0);
    due_at(&s, 90000 + PONG_MS - 2000, HWS_ERR_PONG_TIMEOUT);
    hws_keepalive_pause(&s.k, 1);
    never_due(&s);
    assert_int_equal(tick(&s, 200000), HWS_OK);
    hws_keepalive_pause(&s.k, 0);
    assert_int_equal(tick(&s, 200000), HWS_ERR_PONG_TIMEOUT);
}

static void it_stands_still_for_a_ping_that_is_sent_while_paused(void **context) {
    uint8_t payload[PING_LEN];
    subject s = opened();
    (void)context;
    hws_keepalive_pause(&s.k, 1);
    due_at(&s, PING_MS, HWS_EVENT);
    send_ping(&s, payload);
    assert_int_equal(tick(&s, 50000), HWS_OK);
    hws_keepalive_pause(&s.k, 0);
    due_at(&s, 50000 + PONG_MS, HWS_ERR_PONG_TIMEOUT);
}

static void inside_a_data_frame_it_runs_from_the_last_bytes(void **context) {
    uint8_t payload[PING_LEN];
    subject s = pinged(payload);
    uint64_t now = PING_MS + 2000;
    (void)context;
    s.config.idle_timeout_ms = 0;
    assert_int_equal(tick(&s, now), HWS_OK);
    for (size_t i = 0; i < 100; i++) {
        hws_keepalive_received(&s.k, 1);
        now += PONG_MS - 1;
        assert_int_equal(hws_keepalive_timeout(&s.k, &s.config), START + now + 1);
        assert_int_equal(tick(&s, now), HWS_OK);
    }
    hws_keepalive_received(&s.k, 1);
    due_at(&s, now + PONG_MS, HWS_ERR_PONG_TIMEOUT);
}

static void at_the_end_of_the_frame_it_goes_on_where_it_stood(void **context) {
    uint8_t payload[PING_LEN];
    subject s = pinged(payload);
    (void)context;
    assert_int_equal(tick(&s, PING_MS + 2000), HWS_OK);
    hws_keepalive_received(&s.k, 1);
    assert_int_equal(tick(&s, PING_MS + 8000), HWS_OK);
    hws_keepalive_received(&s.k, 1);
    assert_int_equal(tick(&s, PING_MS + 12000), HWS_OK);
    hws_keepalive_received(&s.k, 0);
    assert_int_equal(tick(&s, PING_MS + 13000), HWS_OK);
    hws_keepalive_received(&s.k, 0);
    assert_int_equal(tick(&s, PING_MS + 14000), HWS_OK);
    hws_keepalive_received(&s.k, 1); /* 4000 have counted */
    assert_int_equal(tick(&s, PING_MS + 20000), HWS_OK);
    hws_keepalive_received(&s.k, 0);
    due_at(&s, PING_MS + 20000 + PONG_MS - 4000, HWS_ERR_PONG_TIMEOUT);
}

static void a_frame_that_stands_still_before_the_ping_gives_it_no_more_time(void **context) {
    uint8_t payload[PING_LEN];
    subject s = opened();
    (void)context;
    assert_int_equal(tick(&s, 2000), HWS_OK);
    hws_keepalive_received(&s.k, 1);
    due_at(&s, 2000 + PING_MS, HWS_EVENT);
    send_ping(&s, payload);
    subject copy = s;
    due_at(&s, 2000 + PING_MS + PONG_MS, HWS_ERR_PONG_TIMEOUT);
    assert_int_equal(tick(&copy, 2000 + PING_MS + 3000), HWS_OK);
    hws_keepalive_received(&copy.k, 0);
    due_at(&copy, 2000 + PING_MS + 3000 + PONG_MS, HWS_ERR_PONG_TIMEOUT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST("the defaults are those of the header", the_defaults_are_those_of_the_header),
        TEST("the opening fails when it lasts too long", the_opening_fails_when_it_lasts_too_long),
        TEST("before the opening no Ping is due and nothing is idle",
             before_the_opening_no_ping_is_due_and_nothing_is_idle),
        TEST("the open connection starts when it is opened",
             the_open_connection_starts_when_it_is_opened),
        TEST("opening again does nothing", opening_again_does_nothing),
        TEST("the closing fails when it lasts too long", the_closing_fails_when_it_lasts_too_long),
        TEST("closing again does nothing", closing_again_does_nothing),
        TEST("the closing may begin before the opening ends",
             the_closing_may_begin_before_the_opening_ends),
        TEST("RFC 6455 5.5.1: closing ends Pings and the deadlines of the open connection",
             closing_ends_pings_and_the_deadlines_of_the_open_connection),
        TEST("zeros mean for ever", zeros_mean_for_ever),
        TEST("RFC 6455 5.5.2: a Ping is due when nothing has come",
             a_ping_is_due_when_nothing_has_come),
        TEST("a Ping that is not sent is due again", a_ping_that_is_not_sent_is_due_again),
        TEST("bytes of any kind end the silence", bytes_of_any_kind_end_the_silence),
        TEST("what we send does not end the silence", what_we_send_does_not_end_the_silence),
        TEST("one Ping at a time is outstanding", one_ping_at_a_time_is_outstanding),
        TEST("the payload of a Ping is the nonce and a count",
             its_payload_is_the_nonce_and_a_count),
        TEST("RFC 6455 5.5.3: a Pong clears its Ping", a_pong_clears_its_ping),
        TEST("a Pong clears a Ping once", a_pong_clears_a_ping_once),
        TEST("RFC 6455 5.5.3: a Pong for an earlier Ping clears nothing",
             a_pong_for_an_earlier_ping_clears_nothing),
        TEST("RFC 6455 5.5.3: a Pong with another payload clears nothing",
             a_pong_with_another_payload_clears_nothing),
        TEST("RFC 6455 5.5.3: other Pongs end the silence", other_pongs_end_the_silence),
        TEST("RFC 6455 5.5.3: a Pong for a later Ping clears the outstanding one",
             a_pong_for_a_later_ping_clears_the_outstanding_one),
        TEST("RFC 6455 5.5.3: a Pong for the application's newest Ping clears an earlier one of "
             "ours",
             a_pong_for_the_applications_newest_ping_clears_an_earlier_one),
        TEST("a Pong for a Ping of the application that was sent before clears nothing",
             a_pong_for_a_ping_of_the_application_that_was_sent_before_clears_nothing),
        TEST("without a Pong the connection fails", without_a_pong_the_connection_fails),
        TEST("a Pong ends a failure that is reported", a_pong_ends_a_failure_that_is_reported),
        TEST("the deadline of a Pong stands still while receiving is paused",
             the_deadline_stands_still_while_receiving_is_paused),
        TEST("the deadline of a Pong stands still for a Ping that is sent while paused",
             it_stands_still_for_a_ping_that_is_sent_while_paused),
        TEST("RFC 6455 5.4: inside a data frame, the deadline of a Pong runs from the last bytes",
             inside_a_data_frame_it_runs_from_the_last_bytes),
        TEST("RFC 6455 5.4: at the end of the frame, the deadline of a Pong goes on where it stood",
             at_the_end_of_the_frame_it_goes_on_where_it_stood),
        TEST("a frame that stands still before the Ping gives it no more time",
             a_frame_that_stands_still_before_the_ping_gives_it_no_more_time),
    };
    return cmocka_run_group_tests_name("keepalive", tests, NULL, NULL);
}
