/*
 * What endpoint.h promises without exception, tried with every combination that is cheap:
 * references come back once however a connection ends, DRAIN comes once for each crossing, mistakes
 * change not one byte, nothing works behind the end, and only differences of the clock count.
 */
#include "endpoint_pair.h"

#include <hawser/allocator.h>

/* --- marks --------------------------------------------------------------------------------------
 */

/* One step: a send, a write, a Ping of either side. Gives whether DRAIN is owed now. */
static int step(side *s, uint64_t *seed, int owed) {
    static const uint8_t zeros[150];
    size_t len = (size_t)(random_next(seed) >> 20) % 150;
    hws_status status = HWS_OK;
    switch ((random_next(seed) >> 20) % 5) {
    case 0:
        side_write(s, len);
        s->wire_len = 0;
        return owed;
    case 1:
        side_read_frame(s, 0x89, "p", 1);
        return owed;
    case 2:
        status = hws_endpoint_send(&s->ep, HWS_PING, HWS_WHOLE, zeros, len % 126);
        break;
    default:
        status = side_send(s, zeros, len);
        break;
    }
    assert_true(status == HWS_OK || status == HWS_BACKPRESSURE || status == HWS_ERR_FULL);
    return owed || status != HWS_OK;
}

static unsigned drains;
static void count_drains(side *s, const hws_event *ev) {
    (void)s;
    drains += ev->type == HWS_DRAIN;
    assert_true(ev->type == HWS_DRAIN || ev->type == HWS_PING);
}

static void drain_comes_once_for_each_crossing(void **state) {
    uint64_t seed = 7;
    unsigned round = 0;
    (void)state;
    while (round < 40) {
        side *s = side_new(round % 2);
        unsigned i = 0;
        int owed = 0;
        s->config.high_water = 100 + round;
        s->config.low_water = 1 + (round * 37) % (100 + round);
        s->config.max_queue = 400;
        s->config.hold_input = 0;
        side_open(s);
        s->on_event = count_drains;
        while (i < 500) {
            drains = 0;
            owed = step(s, &seed, owed);
            side_receive(s);
            side_receive(s);
            uint64_t queued = hws_endpoint_queued(&s->ep);
            /* Control frames that overtake are not counted for the marks. */
            int due = owed && queued < s->config.low_water;
            int may_be = owed && queued < s->config.low_water + 3U * (14 + 125);
            assert_true(drains == 1 ? may_be : drains == 0 && !due);
            owed = owed && drains == 0;
            i++;
        }
        s->wire_len = 0;
        side_free(s);
        round++;
    }
}

/* --- sizes --------------------------------------------------------------------------------------
 */

static void a_length_that_cannot_be_is_refused_whatever_the_limit(void **state) {
    static uint8_t bytes[1] = {'x'};
    uint8_t role = SERVER;
    (void)state;
    while (role <= CLIENT) {
        side *s = side_new(role);
        size_t less = 0;
        s->config.allocator = hws_system_allocator();
        side_open(s);
        assert_int_equal(side_send_text(s, "waits"), HWS_OK);
        while (less < 20) {
            hws_status status = side_send(s, bytes, SIZE_MAX - less);
            assert_true(status == HWS_ERR_FULL || status == HWS_ERR_ARGUMENT);
            status = hws_endpoint_send_ref(&s->ep, HWS_BINARY, HWS_WHOLE, bytes, SIZE_MAX - less);
            assert_true(status == HWS_ERR_FULL || status == HWS_ERR_ARGUMENT);
            less++;
        }
        assert_int_equal(hws_endpoint_queued(&s->ep), role == CLIENT ? 11 : 7);
        expect_output(s, "TEXT(waits)");
        side_free(s);
        role++;
    }
}

/* --- the clock ----------------------------------------------------------------------------------
 */

/* Lets time pass; `back` is how far the clock is set back after each step. */
static void move(side *s, uint64_t ms, uint64_t back) {
    side_pass(s, ms);
    if (back > 0) {
        s->now_ms -= back;
        hws_endpoint_tick(&s->ep, s->now_ms);
        side_receive(s);
    }
}

/* A life with every deadline but the opening's: what is sent and what happens, and when. */
static void live(uint64_t start, uint64_t back, char *log) {
    static const uint64_t steps[] = {19999, 1, 5000, 14999, 1, 20000, 900, 900, 8000, 400, 1, 9999};
    char frames[LOG_CAP];
    size_t i = 0, n = 0;
    side *s = side_new(SERVER);
    s->now_ms = start;
    s->config.message_rate = (hws_rate_config){2, 3};
    side_open(s);
    while (i < sizeof steps / sizeof steps[0]) {
        uint64_t at = hws_endpoint_timeout(&s->ep);
        uint64_t left = at == HWS_NEVER ? 1 : at - s->now_ms;
        move(s, steps[i], back);
        if (i < 3) {
            side_read_message(s, "m");
        }
        side_write(s, SIZE_MAX);
        side_take_frames(s, frames);
        s->events[s->events_len] = 0;
        n += (size_t)snprintf(log + n, LOG_CAP - n, "%u: %s | %s\n", (unsigned)left, frames,
                              s->events);
        s->events_len = 0;
        i++;
    }
    side_free(s);
}

static void only_differences_of_the_clock_count(void **state) {
    static const uint64_t starts[] = {0, 1, UINT64_C(1) << 32, UINT64_MAX / 2, UINT64_MAX - 200000};
    static char wanted[LOG_CAP];
    static char found[LOG_CAP];
    size_t i = 0;
    (void)state;
    live(START_MS, 0, wanted);
    assert_non_null(strstr(wanted, "PING("));
    while (i < sizeof starts / sizeof starts[0]) {
        live(starts[i], 0, found);
        assert_string_equal(found, wanted);
        i++;
    }
    live(UINT64_C(1) << 40, 86400000, found); /* set back by a day at each step */
    assert_string_equal(found, wanted);
}

/* endpoint.h: slow is whose queue is above high_water, not who was so a while ago. */
static void slow_is_whose_queue_is_above_high_water_now(void **state) {
    static const uint8_t zeros[200];
    uint8_t slow = HWS_SLOW_SKIP;
    (void)state;
    while (slow <= HWS_SLOW_CLOSE) {
        side *s = side_new(SERVER);
        hws_prepared *p = NULL;
        s->config.high_water = 100;
        s->config.low_water = 10;
        side_open(s);
        assert_int_equal(hws_prepared_make(&p, &s->config.allocator, HWS_TEXT, zeros, 4), HWS_OK);
        assert_int_equal(side_send(s, zeros, 110), HWS_BACKPRESSURE);
        side_write(s, 90); /* 22 are left */
        assert_true(hws_endpoint_send_prepared(&s->ep, p, slow) >= 0);
        hws_prepared_release(p);
        side_free(s);
        slow++;
    }
}

/* --- the end of the stream ----------------------------------------------------------------------
 */

/* The rest of what was read is given again, as ever: the end of the stream came behind it. */
static void what_came_before_the_end_of_the_stream_is_received(void **state) {
    static const uint8_t zeros[200];
    unsigned paused = 0;
    (void)state;
    while (paused < 2) {
        uint8_t bytes[64];
        size_t n = frame_append(SERVER, 0x81, "one", 3, bytes, 0);
        side *s = side_new(SERVER);
        n = frame_append(SERVER, 0x88, "\x03\xE8", 2, bytes, n);
        s->config.high_water = 100;
        s->config.low_water = 10;
        side_open(s);
        hws_endpoint_pause(&s->ep, (uint8_t)paused);
        assert_true(side_send(s, zeros, paused ? 1 : 110) >= 0);
        side_read(s, bytes, n);
        hws_endpoint_receive_eof(&s->ep);
        side_receive(s);
        expect_events(s, "");
        hws_endpoint_pause(&s->ep, 0);
        side_write(s, SIZE_MAX);
        side_receive(s);
        side_write(s, SIZE_MAX);
        side_receive(s);
        expect_events(s, paused ? "TEXT(one) CLOSE 1000() END 1000()"
                                : "DRAIN TEXT(one) CLOSE 1000() END 1000()");
        s->wire_len = 0;
        side_free(s);
        paused++;
    }
}

/* Frames right behind a request wait for its answer, and the end of the stream behind them. */
static void what_came_with_the_request_is_received(void **state) {
    uint8_t bytes[512];
    size_t n = strlen(request_text);
    side *s = side_new(SERVER);
    (void)state;
    side_start(s);
    memcpy(bytes, request_text, n);
    n = frame_append(SERVER, 0x81, "early", 5, bytes, n);
    side_read(s, bytes, n);
    hws_endpoint_receive_eof(&s->ep);
    side_receive(s);
    expect_events(s, "REQUEST");
    assert_int_equal(hws_endpoint_accept(&s->ep, &s->accept), HWS_OK);
    side_receive(s);
    expect_events(s, "OPEN TEXT(early)");
    expect_output(s, "HTTP 101");
    side_receive(s);
    expect_events(s, "END 1006()");
    expect_end(s, HWS_ERR_EOF);
    side_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drain_comes_once_for_each_crossing),
        cmocka_unit_test(a_length_that_cannot_be_is_refused_whatever_the_limit),
        cmocka_unit_test(only_differences_of_the_clock_count),
        cmocka_unit_test(slow_is_whose_queue_is_above_high_water_now),
        cmocka_unit_test(what_came_before_the_end_of_the_stream_is_received),
        cmocka_unit_test(what_came_with_the_request_is_received),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
