/*
 * Whole messages: buffers of every size, growth, control frames on the way, the limit. That all
 * splits give the same messages is shown by the harness.
 */
#include "support.h"

#include <hawser/message.h>
#include <hawser/status.h>

#include <stdlib.h>
#include <string.h>

static hws_conn open_client(uint64_t max_message) {
    static test_random source = {.seed = 2};
    hws_conn_config config;
    hws_conn conn;
    hws_conn_config_init(&config, HWS_ROLE_CLIENT);
    config.random = test_random_fill;
    config.random_user = &source;
    config.max_message = max_message;
    config.compression = 1;
    assert_int_equal(hws_conn_init(&conn, &config), HWS_OK);
    return conn;
}

/* "Hello, world" in fragments of 5, 0, 3 and 4 bytes, with a Ping and a Pong between, then an empty
 * text, then a compressed message in two. */
static const char stream_hex[] = "0105 48656c6c6f 8902 7069 0000 0003 2c2077 8a00 8004 6f726c64"
                                 "8100 4201 f2 8001 00";
static const char first_text[] = "Hello, world";

typedef struct input {
    uint8_t bytes[64];
    size_t len;
    size_t used;
} input;

static input input_of(const char *hex) {
    input in = {.used = 0};
    in.len = hex_decode(hex, in.bytes, sizeof in.bytes);
    return in;
}

static hws_status next(hws_message *message, hws_conn *conn, input *in, hws_event *ev) {
    return hws_message_receive(message, conn, in->bytes, in->len, &in->used, ev);
}

static void expect_event(hws_message *message, hws_conn *conn, input *in, uint8_t type,
                         uint8_t flags, const char *text, size_t len) {
    hws_event ev;
    assert_int_equal(next(message, conn, in, &ev), HWS_EVENT);
    assert_int_equal(ev.type, type);
    assert_int_equal(ev.flags, flags);
    assert_int_equal(ev.close_code, 0);
    assert_int_equal(ev.len, len);
    assert_true(len == 0 || memcmp(ev.data, text, len) == 0);
    if (type == HWS_TEXT || type == HWS_BINARY) {
        assert_ptr_equal(ev.data, message->data);
        assert_int_equal(message->len, len);
    }
}

static void expect_stream(hws_message *message, hws_conn *conn, input *in) {
    hws_event ev;
    expect_event(message, conn, in, HWS_PING, HWS_WHOLE, "pi", 2);
    assert_int_equal(message->len, 5); /* kept over a control frame */
    expect_event(message, conn, in, HWS_PONG, HWS_WHOLE, "", 0);
    expect_event(message, conn, in, HWS_TEXT, HWS_WHOLE, first_text, 12);
    expect_event(message, conn, in, HWS_TEXT, HWS_WHOLE, "", 0);
    expect_event(message, conn, in, HWS_BINARY, HWS_WHOLE | HWS_COMPRESSED, "\xf2\x00", 2);
    assert_int_equal(next(message, conn, in, &ev), HWS_OK);
    assert_int_equal(in->used, in->len);
}

static void messages_are_put_together(void **state) {
    input in = input_of(stream_hex);
    hws_conn conn = open_client(1000);
    uint8_t buf[64];
    hws_message message;
    (void)state;
    hws_message_init(&message, buf, sizeof buf);
    assert_int_equal(message.len, 0);
    expect_stream(&message, &conn, &in);
}

static void a_buffer_of_exactly_the_message_is_enough(void **state) {
    input in = input_of(stream_hex);
    hws_conn conn = open_client(1000);
    uint8_t *buf = guard_alloc(12);
    hws_message message;
    (void)state;
    hws_message_init(&message, buf, 12);
    expect_stream(&message, &conn, &in);
    guard_free(buf, 12);
}

static void the_source_is_not_changed(void **state) {
    input in = input_of(stream_hex);
    input before = in;
    hws_conn conn = open_client(1000);
    uint8_t buf[12];
    hws_message message;
    (void)state;
    hws_message_init(&message, buf, sizeof buf);
    expect_stream(&message, &conn, &in);
    assert_memory_equal(in.bytes, before.bytes, sizeof in.bytes);
}

/* A buffer of each size below the message's: full, it keeps what it has; asked again, it says so
 * again; in a larger one the message goes on. */
static void a_full_buffer_keeps_everything(void **state) {
    size_t cap = 0;
    (void)state;
    while (cap < 12) {
        input in = input_of("8105 68656c6c6f 010c 48656c6c6f2c20776f726c64 8000");
        hws_conn conn = open_client(1000);
        uint8_t small[5];
        uint8_t *tight = guard_alloc(cap);
        uint8_t *large = guard_alloc(12);
        hws_message message;
        hws_event ev;
        int times = 0;

        hws_message_init(&message, small, sizeof small);
        expect_event(&message, &conn, &in, HWS_TEXT, HWS_WHOLE, "hello", 5);
        hws_message_init(&message, cap > 0 ? tight : NULL, cap);
        while (times < 3) {
            assert_int_equal(next(&message, &conn, &in, &ev), HWS_ERR_SPACE);
            assert_int_equal(message.len, cap);
            assert_int_equal(in.used, 7 + 2 + cap);
            assert_int_equal(hws_conn_payload_left(&conn), 12 - cap);
            times++;
        }
        if (cap > 0) {
            memcpy(large, tight, cap);
            assert_int_equal(hws_message_grow(&message, large, cap - 1), HWS_ERR_ARGUMENT);
            assert_ptr_equal(message.data, tight);
            assert_int_equal(message.cap, cap);
        }
        assert_int_equal(hws_message_grow(&message, large, 12), HWS_OK);
        expect_event(&message, &conn, &in, HWS_TEXT, HWS_WHOLE, first_text, 12);
        guard_free(tight, cap);
        guard_free(large, 12);
        cap++;
    }
}

static void a_buffer_may_grow_byte_by_byte(void **state) {
    input in = input_of("0205 48656c6c6f 8007 2c20776f726c64");
    hws_conn conn = open_client(1000);
    hws_message message;
    hws_event ev;
    hws_status status = HWS_ERR_SPACE;
    size_t cap = 0;
    uint8_t *data = NULL;
    (void)state;
    hws_message_init(&message, NULL, 0);
    while ((status = next(&message, &conn, &in, &ev)) == HWS_ERR_SPACE) {
        cap++;
        data = realloc(data, cap);
        assert_non_null(data);
        assert_int_equal(hws_message_grow(&message, data, cap), HWS_OK);
    }
    assert_int_equal(status, HWS_EVENT);
    assert_int_equal(cap, 12);
    assert_int_equal(ev.len, 12);
    assert_memory_equal(ev.data, first_text, 12);
    free(data);
}

static void empty_messages_need_no_buffer(void **state) {
    input in = input_of("8100 0200 0000 8000 8900");
    hws_conn conn = open_client(0);
    hws_message message;
    (void)state;
    hws_message_init(&message, NULL, 0);
    expect_event(&message, &conn, &in, HWS_TEXT, HWS_WHOLE, "", 0);
    expect_event(&message, &conn, &in, HWS_BINARY, HWS_WHOLE, "", 0);
    expect_event(&message, &conn, &in, HWS_PING, HWS_WHOLE, "", 0);
}

static void a_finished_message_stays_until_the_next_call(void **state) {
    input in = input_of("8103 616263 8901 78 8102 6465");
    hws_conn conn = open_client(1000);
    uint8_t buf[8];
    hws_message message;
    (void)state;
    hws_message_init(&message, buf, sizeof buf);
    expect_event(&message, &conn, &in, HWS_TEXT, HWS_WHOLE, "abc", 3);
    assert_int_equal(message.len, 3);
    assert_memory_equal(message.data, "abc", 3);
    expect_event(&message, &conn, &in, HWS_PING, HWS_WHOLE, "x", 1);
    assert_int_equal(message.len, 0);
    expect_event(&message, &conn, &in, HWS_TEXT, HWS_WHOLE, "de", 2);
}

static void a_message_may_come_in_any_number_of_calls(void **state) {
    input in = input_of(stream_hex);
    hws_conn conn = open_client(1000);
    uint8_t buf[12];
    hws_message message;
    hws_event ev;
    size_t end = 0, used = 0, events = 0;
    (void)state;
    hws_message_init(&message, buf, sizeof buf);
    while (end <= in.len) {
        while (hws_message_receive(&message, &conn, in.bytes, end, &used, &ev) == HWS_EVENT) {
            assert_int_equal(ev.flags & HWS_WHOLE, HWS_WHOLE);
            events++;
        }
        assert_int_equal(used, end);
        end++;
    }
    assert_int_equal(events, 5);
}

/* A buffer of max_message bytes is never too small: the limit comes first. */
static void the_limit_comes_before_the_buffer_is_full(void **state) {
    input in = input_of("0105 48656c6c6f 8001 78");
    hws_conn conn = open_client(5);
    uint8_t buf[5];
    hws_message message;
    hws_event ev;
    (void)state;
    hws_message_init(&message, buf, sizeof buf);
    assert_int_equal(next(&message, &conn, &in, &ev), HWS_ERR_MESSAGE_TOO_BIG);
    assert_int_equal(in.used, 9);
    assert_int_equal(next(&message, &conn, &in, &ev), HWS_ERR_MESSAGE_TOO_BIG);
}

static void a_message_that_is_too_large_for_the_program_can_be_failed(void **state) {
    input in = input_of("8105 48656c6c6f");
    hws_conn conn = open_client(1000);
    uint8_t buf[4];
    uint8_t out[HWS_REPLY_MAX];
    hws_message message;
    hws_closing closing;
    hws_event ev;
    size_t n = 0;
    (void)state;
    hws_message_init(&message, buf, sizeof buf);
    assert_int_equal(next(&message, &conn, &in, &ev), HWS_ERR_SPACE);
    assert_int_equal(hws_conn_fail(&conn, HWS_ERR_MESSAGE_TOO_BIG), HWS_OK);
    assert_int_equal(next(&message, &conn, &in, &ev), HWS_ERR_MESSAGE_TOO_BIG);
    assert_int_equal(hws_conn_reply(&conn, out, sizeof out, &n), HWS_OK);
    hws_conn_get_closing(&conn, &closing);
    assert_int_equal(closing.own_code, 1009);
}

static void the_rest_of_a_message_goes_where_its_start_went(void **state) {
    input in = input_of("0202 7878 8002 7979");
    hws_conn conn = open_client(1000);
    uint8_t buf[8];
    hws_message message;
    hws_event ev;
    (void)state;
    hws_message_init(&message, buf, sizeof buf);
    assert_int_equal(hws_conn_receive(&conn, in.bytes, 4, &in.used, &ev), HWS_EVENT);
    assert_int_equal(next(&message, &conn, &in, &ev), HWS_ERR_STATE);
    assert_int_equal(in.used, 4);
    assert_int_equal(hws_conn_receive(&conn, in.bytes, 8, &in.used, &ev), HWS_EVENT);
    assert_int_equal(ev.flags, HWS_FINAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_put_together),
        cmocka_unit_test(a_buffer_of_exactly_the_message_is_enough),
        cmocka_unit_test(the_source_is_not_changed),
        cmocka_unit_test(a_full_buffer_keeps_everything),
        cmocka_unit_test(a_buffer_may_grow_byte_by_byte),
        cmocka_unit_test(the_rest_of_a_message_goes_where_its_start_went),
        cmocka_unit_test(empty_messages_need_no_buffer),
        cmocka_unit_test(a_finished_message_stays_until_the_next_call),
        cmocka_unit_test(a_message_may_come_in_any_number_of_calls),
        cmocka_unit_test(the_limit_comes_before_the_buffer_is_full),
        cmocka_unit_test(a_message_that_is_too_large_for_the_program_can_be_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
