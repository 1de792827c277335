/*
 * What an endpoint sends by reference: nothing is copied, and the buffer comes back.
 */
#include "endpoint_pair.h"

static const uint8_t zeros[200];

static void a_reference_is_not_copied_and_comes_back(void **state) {
    (void)state;
    uint8_t role = SERVER;
    while (role <= CLIENT) {
        static uint8_t data[50000];
        side *s = side_open_new(role);
        hws_buffer buffers[8];
        memset(data, 'x', sizeof data);
        s->memory.most = s->memory.bytes;
        assert_int_equal(hws_endpoint_send_ref(&s->ep, HWS_TEXT, HWS_WHOLE, data, sizeof data),
                         HWS_OK);
        assert_true(s->memory.most < 8192);
        assert_int_equal(hws_endpoint_queued(&s->ep), sizeof data + (role == CLIENT ? 8 : 4));
        assert_int_equal(hws_endpoint_output(&s->ep, buffers, 8), 2);
        assert_ptr_equal(buffers[1].data, data);
        assert_int_equal(buffers[1].len, sizeof data);
        assert_int_equal(hws_endpoint_sent(&s->ep, 0), HWS_OK);
        side_write(s, sizeof data);
        side_receive(s);
        expect_events(s, ""); /* some of it waits still */
        expect_output(s, "TEXT{50000}");
        side_receive(s);
        expect_events(s, "RELEASED{50000}");
        assert_int_equal(s->memory.blocks, 0);
        finish_by_abort(s);
        role++;
    }
}

static void released_tells_which_buffer(void **state) {
    (void)state;
    uint8_t data[2][3] = {{'a', 'b', 'c'}, {'d', 'e', 'f'}};
    side *s = side_open_new(SERVER);
    size_t i = 0;
    while (i < 2) {
        assert_int_equal(hws_endpoint_send_ref(&s->ep, HWS_BINARY, i == 0 ? HWS_FIRST : HWS_FINAL,
                                               data[i], 3 - i),
                         HWS_OK);
        i++;
    }
    expect_output(s, "BINARY<(abc) CONT>(de)");
    i = 0;
    while (i < 2) {
        hws_event ev;
        size_t used = 0;
        assert_int_equal(hws_endpoint_next(&s->ep, NULL, 0, &used, &ev), HWS_EVENT);
        assert_int_equal(ev.type, HWS_RELEASED);
        assert_ptr_equal(ev.data, data[i]);
        assert_int_equal(ev.len, 3 - i);
        i++;
    }
    finish_by_abort(s);
}

static void after_an_error_the_buffer_is_the_callers_unchanged(void **state) {
    (void)state;
    uint8_t data[] = "text\xFF";
    side *s = side_new(CLIENT);
    s->config.max_queue = s->config.high_water = 100;
    s->config.low_water = 50;
    side_open(s);
    hws_endpoint *ep = &s->ep;
    static uint8_t many[200];
    assert_int_equal(hws_endpoint_send_ref(ep, HWS_PING, HWS_WHOLE, data, 4), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_send_ref(ep, HWS_TEXT, HWS_WHOLE, data, 0), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_send_ref(ep, HWS_TEXT, HWS_WHOLE, data, 5), HWS_ERR_SEND_UTF8);
    assert_int_equal(hws_endpoint_send_ref(ep, HWS_TEXT, HWS_FINAL, data, 4), HWS_ERR_STATE);
    assert_int_equal(hws_endpoint_send_ref(ep, HWS_TEXT, HWS_WHOLE, many, 200), HWS_ERR_FULL);
    s->memory.fail_at = s->memory.fail_all = 1;
    assert_int_equal(hws_endpoint_send_ref(ep, HWS_TEXT, HWS_WHOLE, data, 4), HWS_ERR_MEMORY);
    s->memory.fail_at = 0;
    assert_memory_equal(data, "text\xFF", 5);
    assert_memory_equal(many, zeros, 200);
    expect_output(s, "");
    assert_int_equal(hws_endpoint_close(ep, 1000, NULL, 0), HWS_OK);
    assert_int_equal(hws_endpoint_send_ref(ep, HWS_TEXT, HWS_WHOLE, data, 4), HWS_ERR_STATE);
    finish_by_abort(s);
}

static void references_mix_with_copies_but_not_with_compression(void **state) {
    (void)state;
    static const uint8_t parts[] = {HWS_UNCOMPRESSED, HWS_COMPRESSED};
    size_t i = 0;
    while (test_codec() != NULL && i < 2) {
        uint8_t data[] = "text"; /* a client masks where it lies */
        pair p;
        pair_init(&p, 1);
        side *s = p.sides[CLIENT];
        side_deflate(s, HWS_DEFLATE_BALANCED);
        side_deflate(p.sides[SERVER], HWS_DEFLATE_BALANCED);
        p.sides[SERVER]->on_event = side_echo;
        side_start(p.sides[SERVER]);
        side_start(s);
        assert_int_equal(hws_endpoint_connect(&s->ep, &s->client), HWS_OK);
        pair_settle(&p);
        assert_int_equal(hws_endpoint_send_ref(&s->ep, HWS_TEXT, HWS_FIRST, data, 2), HWS_OK);
        assert_int_equal(hws_endpoint_send(&s->ep, HWS_TEXT, HWS_FINAL, data + 2, 2), HWS_OK);
        assert_int_equal(hws_endpoint_send(&s->ep, HWS_TEXT, HWS_FIRST | parts[i], data + 2, 2),
                         HWS_OK);
        assert_int_equal(hws_endpoint_send_ref(&s->ep, HWS_TEXT, HWS_FINAL, data + 3, 1),
                         i == 0 ? HWS_OK : HWS_ERR_STATE);
        assert_int_equal(hws_endpoint_send(&s->ep, HWS_TEXT, HWS_FINAL, (const uint8_t *)"t", 1),
                         i == 0 ? HWS_ERR_STATE : HWS_OK);
        pair_settle(&p);
        expect_events(p.sides[SERVER], "REQUEST OPEN TEXT(text) TEXT(xtt)");
        s->events_len = 0;
        pair_free(&p);
        i++;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reference_is_not_copied_and_comes_back),
        cmocka_unit_test(released_tells_which_buffer),
        cmocka_unit_test(after_an_error_the_buffer_is_the_callers_unchanged),
        cmocka_unit_test(references_mix_with_copies_but_not_with_compression),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
