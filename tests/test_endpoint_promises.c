/*
 * What endpoint.h promises without exception, tried with every combination that is cheap:
 * references come back once however a connection ends, DRAIN comes once for each crossing, mistakes
 * change not one byte, nothing works behind the end, and only differences of the clock count.
 */
#include "endpoint_pair.h"

#include <hawser/allocator.h>

/* --- references ---------------------------------------------------------------------------------
 */

enum { REFS = 3, REF_LEN = 20 };

/* How often each reference came back, and what was seen of it in the end. */
typedef struct lent {
    uint8_t data[REFS][REF_LEN];
    unsigned back[REFS];
    unsigned ended;
} lent;

static void note_return(side *s, const hws_event *ev) {
    lent *l = s->user;
    size_t i = 0;
    l->ended += ev->type == HWS_END;
    while (ev->type == HWS_RELEASED && i < REFS) {
        if (ev->data == l->data[i]) {
            assert_int_equal(ev->len, REF_LEN);
            assert_int_equal(l->ended, 0);
            l->back[i]++;
            return;
        }
        i++;
    }
    assert_int_not_equal(ev->type, HWS_RELEASED); /* of a buffer that was not lent */
}

/* A way for a connection to end. What is left to do is done by settle(). */
typedef void (*ending)(side *s);

static void by_abort(side *s) {
    (void)hws_endpoint_abort(&s->ep, HWS_ERR_RESET);
}
static void by_eof(side *s) {
    hws_endpoint_receive_eof(&s->ep);
}
static void by_fault(side *s) {
    side_read_frame(s, 0x83, NULL, 0);
}
static void by_text_fault(side *s) {
    side_read_frame(s, 0x81, "\xFF", 1);
}
static void by_peers_close(side *s) {
    side_read_frame(s, 0x88, "\x03\xE8", 2);
}
static void by_own_close(side *s) {
    assert_int_equal(hws_endpoint_close(&s->ep, 1000, NULL, 0), HWS_OK);
    side_read_frame(s, 0x88, "\x03\xE8", 2);
}
static void by_close_now(side *s) {
    assert_int_equal(hws_endpoint_close_now(&s->ep, 1001, NULL, 0), HWS_OK);
}
static void by_close_now_without_memory(side *s) {
    s->memory.fail_at = s->memory.fail_all = 1;
    (void)hws_endpoint_close_now(&s->ep, 1001, NULL, 0);
    s->memory.fail_at = 0;
    by_abort(s);
}
static void by_both_closes(side *s) {
    assert_int_equal(hws_endpoint_close(&s->ep, 1000, NULL, 0), HWS_OK);
    assert_int_equal(hws_endpoint_close_now(&s->ep, 1001, NULL, 0), HWS_ERR_STATE);
    by_abort(s);
}
static void by_stall(side *s) {
    unsigned i = 0;
    while (i < 200) {
        side_pass(s, 900);
        i++;
    }
}
static void by_slow(side *s, uint8_t slow) {
    hws_prepared *p = NULL;
    assert_int_equal(
        hws_prepared_make(&p, &s->config.allocator, HWS_TEXT, (const uint8_t *)"news", 4), HWS_OK);
    (void)hws_endpoint_send_prepared(&s->ep, p, slow);
    hws_prepared_release(p);
}
static void by_slow_drop(side *s) {
    by_slow(s, HWS_SLOW_DROP);
}
static void by_slow_close(side *s) {
    by_slow(s, HWS_SLOW_CLOSE);
}
static void by_nothing(side *s) {
    (void)s;
}

static const ending endings[] = {by_abort,      by_eof,         by_fault,
                                 by_text_fault, by_peers_close, by_own_close,
                                 by_close_now,  by_both_closes, by_close_now_without_memory,
                                 by_stall,      by_slow_drop,   by_slow_close,
                                 by_nothing};
enum { ENDINGS = sizeof endings / sizeof endings[0] };

/* Whatever is left: write, hear the end of the stream, let time pass. */
static void settle(side *s) {
    unsigned i = 0;
    side_receive(s);
    while (!s->ended && i < 100) {
        side_write(s, SIZE_MAX);
        s->wire_len = 0;
        side_receive(s);
        hws_endpoint_receive_eof(&s->ep);
        side_pass(s, 999);
        i++;
    }
    assert_int_equal(s->ended, 1);
}

/* What was handed out when the connection ended, and how it was then. */
typedef struct outside {
    hws_buffer buffers[8];
    uint8_t copy[512];
    size_t count;
} outside;

static void hand_out(side *s, outside *o) {
    size_t i = 0, n = 0;
    o->count = hws_endpoint_output(&s->ep, o->buffers, 8);
    while (i < o->count) {
        memcpy(o->copy + n, o->buffers[i].data, o->buffers[i].len);
        n += o->buffers[i].len;
        i++;
    }
}

/* It is there still, unchanged, and nothing of it is the caller's again. */
static void see_unchanged(const outside *o, const lent *l) {
    size_t i = 0, n = 0;
    while (i < o->count) {
        const hws_buffer *b = &o->buffers[i];
        size_t r = 0;
        assert_memory_equal(o->copy + n, b->data, b->len);
        while (r < REFS) {
            int within = b->data >= l->data[r] && b->data < l->data[r] + REF_LEN;
            assert_false(within && l->back[r] > 0);
            r++;
        }
        n += b->len;
        i++;
    }
}

/* An open endpoint, to which a copied message and three references were given. */
static side *lend(uint8_t role, lent *l) {
    static const uint8_t flags[REFS] = {HWS_WHOLE, HWS_FIRST, HWS_FINAL};
    side *s = side_new(role);
    size_t i = 0;
    s->config.high_water = 40;
    s->config.low_water = 10;
    s->config.hold_input = 0;
    side_open(s);
    memset(l, 0, sizeof *l);
    memset(l->data, 'x', sizeof l->data);
    s->user = l;
    s->on_event = note_return;
    (void)side_send_text(s, "copied");
    while (i < REFS) {
        assert_true(hws_endpoint_send_ref(&s->ep, HWS_TEXT, flags[i], l->data[i], REF_LEN) >= 0);
        i++;
    }
    return s;
}

/* It ends after so many bytes were written, with the rest handed out or not. Gives how much there
 * was. */
static size_t lend_and_end(uint8_t role, ending end, size_t written, int is_out) {
    lent l;
    outside o = {.count = 0};
    side *s = lend(role, &l);
    size_t total = (size_t)hws_endpoint_queued(&s->ep);
    size_t i = 0;
    side_write(s, written);
    if (is_out) {
        hand_out(s, &o);
    }
    end(s);
    side_receive(s);
    see_unchanged(&o, &l);
    if (o.count > 0) {
        assert_int_equal(hws_endpoint_sent(&s->ep, 0), HWS_OK);
    }
    settle(s);
    while (i < REFS) {
        assert_int_equal(l.back[i], 1);
        i++;
    }
    side_free(s);
    return total;
}

static void a_reference_comes_back_once_however_it_ends(void **state) {
    (void)state;
    uint8_t role = SERVER;
    while (role <= CLIENT) {
        size_t e = 0;
        while (e < ENDINGS) {
            size_t written = 0, total = 1;
            while (written <= total) {
                total = lend_and_end(role, endings[e], written, 0);
                total = lend_and_end(role, endings[e], written, 1);
                written++;
            }
            e++;
        }
        role++;
    }
}

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
        cmocka_unit_test(a_reference_comes_back_once_however_it_ends),
        cmocka_unit_test(drain_comes_once_for_each_crossing),
        cmocka_unit_test(a_length_that_cannot_be_is_refused_whatever_the_limit),
        cmocka_unit_test(only_differences_of_the_clock_count),
        cmocka_unit_test(slow_is_whose_queue_is_above_high_water_now),
        cmocka_unit_test(what_came_before_the_end_of_the_stream_is_received),
        cmocka_unit_test(what_came_with_the_request_is_received),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
