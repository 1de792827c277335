/*
 * Connections in a loop of libuv, server and client in one: messages of all kinds, in both
 * directions, at the pace of those who take them.
 */
#include "uv_world.h"

/* --- messages ----------------------------------------------------------------------------------
 */

static void expect_echo(side *s, uint8_t type, const uint8_t *data, size_t len) {
    unsigned before = s->seen[type];
    assert_true(hws_endpoint_send(hws_uv_endpoint(s->ws), type, HWS_WHOLE, data, len) >= 0);
    world_until(s->world, &s->seen[type], before + 1);
    assert_int_equal(s->len, len);
    assert_memory_equal(s->data, data, len);
}

static void messages_of_any_size_come_back(void **state) {
    static const size_t sizes[] = {0, 1, 125, 126, 65535, 65536, 65537, 70000, 1000000, 5000000};
    world *w = world_new_open();
    side *s = world_pair(w);
    size_t i = 0;
    (void)state;
    while (i < sizeof sizes / sizeof *sizes) {
        uint8_t *data = malloc(sizes[i] + 1);
        assert_non_null(data);
        memset(data, 'a' + (int)i, sizes[i]);
        expect_echo(s, HWS_TEXT, data, sizes[i]);
        memset(data, 0x80 + (int)i, sizes[i]);
        expect_echo(s, HWS_BINARY, data, sizes[i]);
        free(data);
        i++;
    }
    world_free(w);
}

static void a_message_in_pieces_arrives_whole(void **state) {
    world *w = world_new_open();
    side *s = world_pair(w);
    hws_endpoint *ep = hws_uv_endpoint(s->ws);
    (void)state;
    assert_int_equal(hws_endpoint_send(ep, HWS_TEXT, HWS_FIRST, (const uint8_t *)"one ", 4),
                     HWS_OK);
    world_run(w, 10);
    assert_int_equal(hws_endpoint_send(ep, HWS_TEXT, 0, (const uint8_t *)"two ", 4), HWS_OK);
    assert_int_equal(hws_endpoint_send(ep, HWS_PING, HWS_WHOLE, (const uint8_t *)"?", 1), HWS_OK);
    world_run(w, 10);
    assert_int_equal(hws_endpoint_send(ep, HWS_TEXT, HWS_FINAL, (const uint8_t *)"three", 5),
                     HWS_OK);
    world_until(w, &s->seen[HWS_TEXT], 1);
    assert_int_equal(s->len, 13);
    assert_memory_equal(s->data, "one two three", 13);
    assert_int_equal(s->seen[HWS_PONG], 1);
    assert_int_equal(w->server[0].seen[HWS_PING], 1);
    world_free(w);
}

/* The read that brings the first two messages must not hand out the second. */
static void a_paused_side_is_told_nothing_until_it_goes_on(void **state) {
    world *w = world_new_open();
    side *s = world_pair(w);
    unsigned i = 0;
    (void)state;
    world_until(w, &w->server[0].seen[HWS_OPEN], 1);
    hws_endpoint_pause(hws_uv_endpoint(w->server[0].ws), 1);
    while (i < 5) {
        assert_int_equal(side_send(s, "wait"), HWS_OK);
        i++;
    }
    world_run(w, 30);
    assert_int_equal(w->server[0].seen[HWS_TEXT], 0);
    hws_endpoint_pause(hws_uv_endpoint(w->server[0].ws), 0);
    world_until(w, &s->seen[HWS_TEXT], 5);
    world_free(w);
}

static void pause_after_one(side *s, const hws_event *ev) {
    side_serve(s, ev);
    hws_endpoint_pause(hws_uv_endpoint(s->ws), ev->type == HWS_TEXT);
}

static void what_was_read_with_the_message_that_paused_is_kept(void **state) {
    world *w = world_new_open();
    side *s = world_pair(w);
    unsigned i = 0;
    (void)state;
    w->on_server = pause_after_one;
    world_until(w, &w->server[0].seen[HWS_OPEN], 1);
    while (i < 5) {
        assert_int_equal(side_send(s, "one by one"), HWS_OK);
        i++;
    }
    i = 1;
    while (i <= 5) {
        world_until(w, &w->server[0].seen[HWS_TEXT], i);
        world_run(w, 10);
        assert_int_equal(w->server[0].seen[HWS_TEXT], i);
        hws_endpoint_pause(hws_uv_endpoint(w->server[0].ws), 0);
        i++;
    }
    world_until(w, &s->seen[HWS_TEXT], 5);
    world_free(w);
}

static void many_sends_of_a_turn_make_one_write(void **state) {
    world *w = world_new_open();
    side *s = world_pair(w);
    unsigned i = 0;
    (void)state;
    while (i < 100) {
        assert_int_equal(side_send(s, "small"), HWS_OK);
        i++;
    }
    assert_true(hws_endpoint_queued(hws_uv_endpoint(s->ws)) > 500);
    (void)uv_run(&w->loop, UV_RUN_NOWAIT);
    assert_int_equal(hws_endpoint_queued(hws_uv_endpoint(s->ws)), 0);
    world_until(w, &s->seen[HWS_TEXT], 100);
    world_free(w);
}

static void what_the_program_sends_is_written_before_the_loop_waits(void **state) {
    world *w = world_new_open();
    side *s = world_pair(w);
    (void)state;
    world_until(w, &w->server[0].seen[HWS_OPEN], 1);
    world_run(w, 20);
    uv_timer_stop(&w->pulse);
    assert_int_equal(side_send(s, "now"), HWS_OK);
    world_until(w, &s->seen[HWS_TEXT], 1);
    world_free(w);
}

/* --- backpressure ------------------------------------------------------------------------------
 */

static uint8_t large[300000];

static void send_until_full(side *s) {
    while (hws_endpoint_send(hws_uv_endpoint(s->ws), HWS_BINARY, HWS_WHOLE, large, sizeof large) ==
           HWS_OK) {
    }
}

static void send_on_drain(side *s, const hws_event *ev) {
    side_serve(s, ev);
    if (ev->type == HWS_DRAIN && s->seen[HWS_DRAIN] < 20) {
        send_until_full(s);
    }
}

/* Each read brings more than may be answered at once: the rest is kept, and nothing is read
 * meanwhile that would have to be kept behind it. */
static void what_is_read_while_output_waits_stays_in_order(void **state) {
    enum { COUNT = 5000, LEN = 100 };
    world *w = world_new();
    uint8_t data[LEN] = {0};
    unsigned i = 0;
    side *s = NULL;
    (void)state;
    w->config.server.high_water = 1000;
    w->config.server.low_water = 100;
    world_open(w);
    s = world_pair(w);
    while (i < COUNT) {
        data[0] = (uint8_t)i;
        data[LEN - 1] = (uint8_t)(i >> 8);
        assert_true(hws_endpoint_send(hws_uv_endpoint(s->ws), HWS_BINARY, HWS_WHOLE, data, LEN) >=
                    0);
        i++;
    }
    i = 0;
    while (s->seen[HWS_BINARY] < COUNT) {
        world_until(w, &s->seen[HWS_BINARY], s->seen[HWS_BINARY] + 1);
        assert_true(s->seen[HWS_BINARY] > i);
        i = s->seen[HWS_BINARY];
        assert_int_equal(s->data[0], (uint8_t)(i - 1));
        assert_int_equal(s->data[LEN - 1], (uint8_t)((i - 1) >> 8));
    }
    assert_int_equal(w->server[0].seen[HWS_BINARY], COUNT);
    world_free(w);
}

static void a_sender_that_waits_for_drain_gets_all_through(void **state) {
    world *w = world_new_open();
    side *s = NULL;
    (void)state;
    w->on_server = send_on_drain;
    s = world_pair(w);
    world_until(w, &w->server[0].seen[HWS_OPEN], 1);
    send_until_full(&w->server[0]);
    world_until(w, &w->server[0].seen[HWS_DRAIN], 20);
    world_until(w, &s->seen[HWS_BINARY], 20);
    assert_int_equal(s->len, sizeof large);
    world_free(w);
}

static void a_buffer_by_reference_comes_back(void **state) {
    world *w = world_new_open();
    side *s = world_pair(w);
    size_t len = 3000000;
    uint8_t *data = calloc(1, len);
    (void)state;
    assert_non_null(data);
    assert_true(hws_endpoint_send_ref(hws_uv_endpoint(s->ws), HWS_BINARY, HWS_WHOLE, data, len) >=
                0);
    world_until(w, &s->seen[HWS_RELEASED], 1);
    memset(data, 1, len);
    world_until(w, &s->seen[HWS_BINARY], 1);
    assert_int_equal(s->len, len);
    assert_int_equal(s->data[len - 1], 0);
    world_free(w);
    free(data);
}

static void a_connection_with_output_under_way_can_be_aborted(void **state) {
    world *w = world_new_open();
    side *s = world_pair(w);
    size_t len = 8000000;
    uint8_t *data = calloc(1, len);
    (void)state;
    assert_non_null(data);
    world_until(w, &w->server[0].seen[HWS_OPEN], 1);
    hws_endpoint_pause(hws_uv_endpoint(w->server[0].ws), 1);
    assert_true(hws_endpoint_send_ref(hws_uv_endpoint(s->ws), HWS_BINARY, HWS_WHOLE, data, len) >=
                0);
    world_run(w, 30);
    assert_true(hws_endpoint_queued(hws_uv_endpoint(s->ws)) > 0);
    assert_int_equal(s->seen[HWS_RELEASED], 0);
    assert_int_equal(hws_endpoint_abort(hws_uv_endpoint(s->ws), HWS_ERR_CLOSED), HWS_OK);
    world_until(w, &s->seen[HWS_END], 1);
    assert_int_equal(s->seen[HWS_RELEASED], 1);
    assert_int_equal(s->status, HWS_ERR_CLOSED);
    free(data);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_any_size_come_back),
        cmocka_unit_test(a_message_in_pieces_arrives_whole),
        cmocka_unit_test(a_paused_side_is_told_nothing_until_it_goes_on),
        cmocka_unit_test(what_was_read_with_the_message_that_paused_is_kept),
        cmocka_unit_test(what_the_program_sends_is_written_before_the_loop_waits),
        cmocka_unit_test(many_sends_of_a_turn_make_one_write),
        cmocka_unit_test(what_is_read_while_output_waits_stays_in_order),
        cmocka_unit_test(a_sender_that_waits_for_drain_gets_all_through),
        cmocka_unit_test(a_buffer_by_reference_comes_back),
        cmocka_unit_test(a_connection_with_output_under_way_can_be_aborted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
