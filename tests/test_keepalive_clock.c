/*
 * The rules of keepalive.h about messages and output, about deadlines that are found late, and
 * about clocks that jump, stand still or go back.
 */
#include "timed.h"

enum { LATE = HWS_LATE_MS, DAY = 86400000 };

/* --- messages and output -------------------------------------------------------------------------
 */

static void without_messages_the_connection_is_idle(void **context) {
    subject s = opened();
    (void)context;
    s.config.ping_after_ms = 0;
    assert_int_equal(tick(&s, 5000), HWS_OK);
    hws_keepalive_message(&s.k);
    due_at(&s, 5000 + IDLE_MS, HWS_ERR_IDLE);
    hws_keepalive_message(&s.k);
    due_at(&s, 5000 + 2 * IDLE_MS, HWS_ERR_IDLE);
}

static void pings_and_pongs_and_bytes_are_no_messages(void **context) {
    uint8_t payload[PING_LEN];
    subject s = pinged(payload);
    (void)context;
    assert_int_equal(pong(&s, payload, PING_LEN), 1);
    hws_keepalive_pinged(&s.k, payload, 1);
    hws_keepalive_received(&s.k, 1);
    hws_keepalive_received(&s.k, 0);
    hws_keepalive_sent(&s.k, 1, 0);
    s.config.ping_after_ms = 0;
    due_at(&s, IDLE_MS, HWS_ERR_IDLE);
}

static void output_that_is_not_taken_stalls(void **context) {
    subject s = opened();
    (void)context;
    s.config.ping_after_ms = 0;
    assert_int_equal(tick(&s, 1000), HWS_OK);
    hws_keepalive_sent(&s.k, 0, 10);
    assert_int_equal(tick(&s, 3000), HWS_OK);
    hws_keepalive_sent(&s.k, 0, 20); /* more of it is no progress */
    due_at(&s, 1000 + STALL_MS, HWS_ERR_STALLED);
}

static void one_byte_that_is_taken_starts_the_stall_anew(void **context) {
    subject s = opened();
    (void)context;
    s.config.ping_after_ms = 0;
    hws_keepalive_sent(&s.k, 0, 10);
    assert_int_equal(tick(&s, 5000), HWS_OK);
    hws_keepalive_sent(&s.k, 1, 9);
    due_at(&s, 5000 + STALL_MS, HWS_ERR_STALLED);
    hws_keepalive_sent(&s.k, 1, 8);
    assert_int_equal(tick(&s, 5000 + STALL_MS), HWS_OK);
}

static void nothing_stalls_where_no_output_waits(void **context) {
    subject s = opened();
    (void)context;
    s.config.ping_after_ms = 0;
    s.config.idle_timeout_ms = 0;
    hws_keepalive_sent(&s.k, 0, 10);
    hws_keepalive_sent(&s.k, 10, 0);
    never_due(&s);
    assert_int_equal(tick(&s, 20000), HWS_OK);
    hws_keepalive_sent(&s.k, 0, 1);
    due_at(&s, 20000 + STALL_MS, HWS_ERR_STALLED);
}

static void output_stalls_in_the_opening_and_the_closing_too(void **context) {
    subject s = fresh();
    (void)context;
    s.config.open_timeout_ms = 2 * STALL_MS;
    s.config.close_timeout_ms = 2 * STALL_MS;
    hws_keepalive_sent(&s.k, 0, 1);
    due_at(&s, STALL_MS, HWS_ERR_STALLED);
    hws_keepalive_closing(&s.k);
    assert_int_equal(tick(&s, STALL_MS), HWS_ERR_STALLED);
    hws_keepalive_sent(&s.k, 1, 1);
    due_at(&s, 2 * STALL_MS, HWS_ERR_STALLED);
}

/* --- several at once -----------------------------------------------------------------------------
 */

static void when_several_hold_the_first_of_the_order_is_reported(void **context) {
    uint8_t payload[PING_LEN];
    subject s = pinged(payload);
    (void)context;
    s.config.idle_timeout_ms = PING_MS + PONG_MS;
    s.config.stall_timeout_ms = PONG_MS;
    hws_keepalive_sent(&s.k, 0, 1);
    due_at(&s, PING_MS + PONG_MS, HWS_ERR_STALLED);
    subject closing = s;
    hws_keepalive_sent(&s.k, 1, 0);
    assert_int_equal(tick(&s, PING_MS + PONG_MS), HWS_ERR_PONG_TIMEOUT);
    assert_int_equal(pong(&s, payload, PING_LEN), 1);
    assert_int_equal(tick(&s, PING_MS + PONG_MS), HWS_ERR_IDLE);
    assert_int_equal(tick(&s, PING_MS + PONG_MS + PING_MS), HWS_ERR_IDLE); /* and a Ping is due */
    hws_keepalive_message(&s.k);
    assert_int_equal(tick(&s, PING_MS + PONG_MS + PING_MS), HWS_EVENT);
    hws_keepalive_closing(&closing.k);
    assert_int_equal(tick(&closing, PING_MS + PONG_MS + CLOSE_MS), HWS_ERR_TIMEOUT);
}

static void a_deadline_behind_another_is_not_found_late(void **context) {
    subject s = opened();
    (void)context;
    s.config.ping_after_ms = 0;
    s.config.idle_timeout_ms = STALL_MS;
    hws_keepalive_sent(&s.k, 0, 1);
    due_at(&s, STALL_MS, HWS_ERR_STALLED);
    assert_int_equal(tick(&s, STALL_MS + 5 * LATE), HWS_ERR_STALLED);
    hws_keepalive_sent(&s.k, 1, 0);
    assert_int_equal(tick(&s, STALL_MS + 5 * LATE), HWS_ERR_IDLE);
}

static void the_timeout_is_the_earliest_of_all(void **context) {
    uint8_t payload[PING_LEN];
    subject s = opened();
    (void)context;
    s.config = (hws_keepalive_config){1, 500, 600, 400, 1000, 300};
    hws_keepalive_sent(&s.k, 0, 1);
    due_at(&s, 300, HWS_ERR_STALLED);
    hws_keepalive_sent(&s.k, 1, 0);
    due_at(&s, 400, HWS_ERR_IDLE);
    hws_keepalive_message(&s.k);
    due_at(&s, 500, HWS_EVENT);
    send_ping(&s, payload);
    s.config.idle_timeout_ms = 5000;
    due_at(&s, 500 + 600, HWS_ERR_PONG_TIMEOUT);
    hws_keepalive_closing(&s.k);
    due_at(&s, 500 + 600 + 1000, HWS_ERR_TIMEOUT);
}

static void what_holds_is_due_at_the_last_tick_and_comes_again(void **context) {
    subject s = fresh();
    (void)context;
    for (uint64_t ms = OPEN_MS; ms < OPEN_MS + 10 * LATE; ms += 700) {
        assert_int_equal(tick(&s, ms), HWS_ERR_TIMEOUT);
        assert_int_equal(hws_keepalive_timeout(&s.k, &s.config), START + ms);
    }
}

static void the_configuration_may_change_between_calls(void **context) {
    subject s = fresh();
    (void)context;
    due_at(&s, OPEN_MS, HWS_ERR_TIMEOUT);
    s.config.open_timeout_ms = 0;
    never_due(&s);
    assert_int_equal(tick(&s, OPEN_MS), HWS_OK);
    s.config.open_timeout_ms = OPEN_MS + 100;
    due_at(&s, OPEN_MS + 100, HWS_ERR_TIMEOUT);
}

/* --- late ----------------------------------------------------------------------------------------
 */

/* Deadlines by the error that they give; each begins at 0, and lasts STALL_MS. */
static const hws_status deadlines[] = {HWS_ERR_TIMEOUT, HWS_ERR_STALLED, HWS_ERR_PONG_TIMEOUT,
                                       HWS_ERR_IDLE, HWS_OK /* the closing */};
enum { KINDS = sizeof deadlines / sizeof deadlines[0], LASTS = STALL_MS };

static hws_status error_of(size_t kind) {
    return kind == KINDS - 1 ? HWS_ERR_TIMEOUT : deadlines[kind];
}

static subject begun(size_t kind) {
    uint8_t payload[PING_LEN];
    subject s = fresh();
    memset(&s.config, 0, sizeof s.config);
    s.config.open_timeout_ms = LASTS;
    if (kind > 0) {
        hws_keepalive_opened(&s.k, NONCE);
    }
    if (kind == 1) {
        s.config.stall_timeout_ms = LASTS;
        hws_keepalive_sent(&s.k, 0, 1);
    } else if (kind == 2) {
        s.config.pong_timeout_ms = LASTS;
        send_ping(&s, payload);
    } else if (kind == 3) {
        s.config.idle_timeout_ms = LASTS;
    } else if (kind == 4) {
        s.config.close_timeout_ms = LASTS;
        hws_keepalive_closing(&s.k);
    }
    return s;
}

static void a_deadline_that_is_found_in_time_counts(void **context) {
    (void)context;
    for (size_t kind = 0; kind < KINDS; kind++) {
        for (uint64_t late = 0; late <= LATE; late += LATE / 4) {
            subject s = begun(kind);
            assert_int_equal(tick(&s, LASTS + late), error_of(kind));
            assert_int_equal(tick(&s, LASTS + late + DAY), error_of(kind));
        }
    }
}

static void a_deadline_that_is_found_late_is_given_once_more_in_full(void **context) {
    const uint64_t lates[] = {LATE + 1, LASTS, LASTS + 1, DAY, UINT64_C(1) << 40};
    (void)context;
    for (size_t kind = 0; kind < KINDS; kind++) {
        for (size_t i = 0; i < sizeof lates / sizeof lates[0]; i++) {
            subject s = begun(kind);
            assert_int_equal(tick(&s, LASTS + lates[i]), HWS_OK);
            due_at(&s, LASTS + lates[i] + LASTS, error_of(kind));
            assert_int_equal(tick(&s, LASTS + lates[i] + DAY), error_of(kind));
        }
    }
}

static void a_deadline_that_is_found_late_again_counts(void **context) {
    (void)context;
    for (size_t kind = 0; kind < KINDS; kind++) {
        subject s = begun(kind);
        assert_int_equal(tick(&s, DAY), HWS_OK);
        assert_int_equal(tick(&s, UINT64_C(2) * DAY), error_of(kind));
    }
}

/* What meets a deadline, so that another of its kind begins. */
static void meet(subject *s, size_t kind) {
    uint8_t payload[PING_LEN] = {1, 2, 3, 4};
    if (kind == 1) {
        hws_keepalive_sent(&s->k, 1, 1);
    } else if (kind == 2) {
        assert_int_equal(pong(s, payload, PING_LEN), 1);
        send_ping(s, payload);
    } else {
        hws_keepalive_message(&s->k);
    }
}

static void a_deadline_that_was_met_may_be_late_again(void **context) {
    (void)context;
    for (size_t kind = 1; kind <= 3; kind++) {
        subject s = begun(kind);
        assert_int_equal(tick(&s, DAY), HWS_OK);
        meet(&s, kind);
        assert_int_equal(tick(&s, UINT64_C(2) * DAY), HWS_OK);
        assert_int_equal(tick(&s, UINT64_C(3) * DAY), error_of(kind));
    }
}

static void the_closing_may_be_late_when_the_opening_was(void **context) {
    subject s = begun(0);
    (void)context;
    s.config.close_timeout_ms = CLOSE_MS;
    assert_int_equal(tick(&s, DAY), HWS_OK);
    hws_keepalive_closing(&s.k);
    assert_int_equal(tick(&s, UINT64_C(2) * DAY), HWS_OK);
    assert_int_equal(tick(&s, UINT64_C(3) * DAY), HWS_ERR_TIMEOUT);
}

static void a_frame_that_advances_may_be_late_again(void **context) {
    subject s = begun(2);
    (void)context;
    hws_keepalive_received(&s.k, 1);
    assert_int_equal(tick(&s, DAY), HWS_OK);
    hws_keepalive_received(&s.k, 1);
    assert_int_equal(tick(&s, UINT64_C(2) * DAY), HWS_OK);
    hws_keepalive_received(&s.k, 0);
    assert_int_equal(tick(&s, UINT64_C(3) * DAY), HWS_OK);
    hws_keepalive_received(&s.k, 0); /* no frame: no Pong */
    assert_int_equal(tick(&s, UINT64_C(4) * DAY), HWS_ERR_PONG_TIMEOUT);
}

static void a_late_deadline_in_a_frame_takes_nothing_from_the_time_behind_it(void **context) {
    subject s = begun(2);
    (void)context;
    assert_int_equal(tick(&s, 1000), HWS_OK);
    hws_keepalive_received(&s.k, 1);
    assert_int_equal(tick(&s, DAY), HWS_OK);
    hws_keepalive_received(&s.k, 0);
    due_at(&s, DAY + LASTS - 1000, HWS_ERR_PONG_TIMEOUT);
}

static void a_ping_that_is_found_late_is_due_at_once(void **context) {
    subject s = opened();
    (void)context;
    s.config.idle_timeout_ms = 0;
    assert_int_equal(tick(&s, DAY), HWS_EVENT);
}

/* --- clocks --------------------------------------------------------------------------------------
 */

static void a_clock_that_stands_still_makes_nothing_due(void **context) {
    subject s = fresh();
    (void)context;
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(tick(&s, 0), HWS_OK);
    }
    due_at(&s, OPEN_MS, HWS_ERR_TIMEOUT);
}

static void a_clock_that_goes_back_counts_as_one_that_stands_still(void **context) {
    subject s = fresh();
    (void)context;
    assert_int_equal(tick(&s, 1000), HWS_OK);
    assert_int_equal(hws_keepalive_tick(&s.k, &s.config, 500), HWS_OK);
    assert_int_equal(hws_keepalive_timeout(&s.k, &s.config), 500 + OPEN_MS - 1000);
    assert_int_equal(hws_keepalive_tick(&s.k, &s.config, 1000), HWS_OK);
    assert_int_equal(hws_keepalive_tick(&s.k, &s.config, 0), HWS_OK);
    assert_int_equal(hws_keepalive_timeout(&s.k, &s.config), OPEN_MS - 1500);
    assert_int_equal(hws_keepalive_tick(&s.k, &s.config, OPEN_MS - 1501), HWS_OK);
    assert_int_equal(hws_keepalive_tick(&s.k, &s.config, OPEN_MS - 1500), HWS_ERR_TIMEOUT);
}

static void what_is_told_between_ticks_happens_at_the_first(void **context) {
    subject s = fresh();
    (void)context;
    assert_int_equal(tick(&s, 1000), HWS_OK);
    hws_keepalive_opened(&s.k, NONCE);
    assert_int_equal(tick(&s, 1000 + PING_MS), HWS_EVENT);
}

static void a_deadline_beyond_the_clock_never_comes(void **context) {
    subject s = fresh();
    (void)context;
    hws_keepalive_init(&s.k, UINT64_MAX - OPEN_MS - 1);
    assert_int_equal(hws_keepalive_timeout(&s.k, &s.config), UINT64_MAX - 1);
    hws_keepalive_init(&s.k, UINT64_MAX - OPEN_MS + 1);
    never_due(&s);
    assert_int_equal(hws_keepalive_tick(&s.k, &s.config, UINT64_MAX), HWS_OK);
    never_due(&s);
}

static void the_whole_range_of_the_clock_may_pass(void **context) {
    subject s = fresh();
    (void)context;
    hws_keepalive_init(&s.k, 0);
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(hws_keepalive_tick(&s.k, &s.config, UINT64_MAX),
                         i == 0 ? HWS_OK : HWS_ERR_TIMEOUT);
        assert_int_equal(hws_keepalive_tick(&s.k, &s.config, 0), i == 0 ? HWS_OK : HWS_ERR_TIMEOUT);
        assert_int_equal(hws_keepalive_tick(&s.k, &s.config, 1), i == 0 ? HWS_OK : HWS_ERR_TIMEOUT);
    }
}

/* --- latency -------------------------------------------------------------------------------------
 */

static void latency_is_from_the_ping_to_its_pong(void **context) {
    uint8_t payload[PING_LEN];
    subject s = opened();
    (void)context;
    assert_int_equal(hws_keepalive_latency_ms(&s.k), UINT32_MAX);
    s = pinged(payload);
    assert_int_equal(tick(&s, PING_MS + 10), HWS_OK);
    hws_keepalive_pause(&s.k, 1);
    hws_keepalive_received(&s.k, 1);
    assert_int_equal(tick(&s, PING_MS + 123), HWS_OK);
    hws_keepalive_received(&s.k, 0);
    assert_int_equal(hws_keepalive_latency_ms(&s.k), UINT32_MAX);
    assert_int_equal(pong(&s, payload, PING_LEN), 1);
    assert_int_equal(hws_keepalive_latency_ms(&s.k), 123);
    assert_int_equal(tick(&s, PING_MS + 500), HWS_OK);
    assert_int_equal(pong(&s, payload, PING_LEN), 0);
    assert_int_equal(hws_keepalive_latency_ms(&s.k), 123);
}

static void latency_is_not_taken_from_other_pongs(void **context) {
    uint8_t payload[PING_LEN];
    uint8_t second[PING_LEN];
    subject s = pinged(payload);
    (void)context;
    hws_keepalive_pinged(&s.k, payload, 3);
    assert_int_equal(pong(&s, payload, 3), 1);
    assert_int_equal(hws_keepalive_latency_ms(&s.k), UINT32_MAX);
    send_ping(&s, payload);
    send_ping(&s, second);
    assert_int_equal(pong(&s, second, PING_LEN), 1);
    assert_int_equal(hws_keepalive_latency_ms(&s.k), UINT32_MAX);
    send_ping(&s, payload);
    assert_int_equal(pong(&s, payload, PING_LEN), 1);
    assert_int_equal(hws_keepalive_latency_ms(&s.k), 0);
}

static void latency_is_never_taken_for_none(void **context) {
    const uint64_t took[] = {UINT32_MAX - 2ULL, UINT32_MAX - 1ULL, UINT32_MAX, UINT64_C(1) << 32};
    (void)context;
    for (size_t i = 0; i < sizeof took / sizeof took[0]; i++) {
        uint8_t payload[PING_LEN];
        subject s = opened();
        memset(&s.config, 0, sizeof s.config);
        send_ping(&s, payload);
        assert_int_equal(tick(&s, took[i]), HWS_OK);
        assert_int_equal(pong(&s, payload, PING_LEN), 1);
        assert_int_equal(hws_keepalive_latency_ms(&s.k), UINT32_MAX - (i == 0 ? 2 : 1));
    }
}

static void a_keepalive_may_be_moved(void **context) {
    uint8_t payload[PING_LEN];
    subject s = pinged(payload);
    subject moved;
    (void)context;
    memcpy(&moved, &s, sizeof s);
    memset(&s, 0xFF, sizeof s);
    assert_int_equal(tick(&moved, PING_MS + 5), HWS_OK);
    assert_int_equal(pong(&moved, payload, PING_LEN), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST("without messages the connection is idle", without_messages_the_connection_is_idle),
        TEST("Pings and Pongs and bytes are no messages",
             pings_and_pongs_and_bytes_are_no_messages),
        TEST("output that is not taken stalls", output_that_is_not_taken_stalls),
        TEST("one byte that is taken starts the stall anew",
             one_byte_that_is_taken_starts_the_stall_anew),
        TEST("nothing stalls where no output waits", nothing_stalls_where_no_output_waits),
        TEST("output stalls in the opening and the closing too",
             output_stalls_in_the_opening_and_the_closing_too),
        TEST("when several hold the first of the order is reported",
             when_several_hold_the_first_of_the_order_is_reported),
        TEST("a deadline behind another is not found late",
             a_deadline_behind_another_is_not_found_late),
        TEST("the timeout is the earliest of all", the_timeout_is_the_earliest_of_all),
        TEST("what holds is due at the last tick and comes again",
             what_holds_is_due_at_the_last_tick_and_comes_again),
        TEST("the configuration may change between calls",
             the_configuration_may_change_between_calls),
        TEST("a deadline that is found in time counts", a_deadline_that_is_found_in_time_counts),
        TEST("a deadline that is found late is given once more in full",
             a_deadline_that_is_found_late_is_given_once_more_in_full),
        TEST("a deadline that is found late again counts",
             a_deadline_that_is_found_late_again_counts),
        TEST("a deadline that was met may be late again",
             a_deadline_that_was_met_may_be_late_again),
        TEST("the closing may be late when the opening was",
             the_closing_may_be_late_when_the_opening_was),
        TEST("a frame that advances may be late again", a_frame_that_advances_may_be_late_again),
        TEST("a late deadline in a frame takes nothing from the time behind it",
             a_late_deadline_in_a_frame_takes_nothing_from_the_time_behind_it),
        TEST("a Ping that is found late is due at once", a_ping_that_is_found_late_is_due_at_once),
        TEST("a clock that stands still makes nothing due",
             a_clock_that_stands_still_makes_nothing_due),
        TEST("a clock that goes back counts as one that stands still",
             a_clock_that_goes_back_counts_as_one_that_stands_still),
        TEST("what is told between ticks happens at the first",
             what_is_told_between_ticks_happens_at_the_first),
        TEST("a deadline beyond the clock never comes", a_deadline_beyond_the_clock_never_comes),
        TEST("the whole range of the clock may pass", the_whole_range_of_the_clock_may_pass),
        TEST("latency is from the Ping to its Pong", latency_is_from_the_ping_to_its_pong),
        TEST("latency is not taken from other Pongs", latency_is_not_taken_from_other_pongs),
        TEST("latency is never taken for none", latency_is_never_taken_for_none),
        TEST("a keepalive may be moved", a_keepalive_may_be_moved),
    };
    return cmocka_run_group_tests_name("keepalive_clock", tests, NULL, NULL);
}
