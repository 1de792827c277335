/*
 * The start of a connection, and questions about where it stands.
 */
#include "support.h"

#include <hawser/conn.h>
#include <hawser/status.h>

#include <string.h>

enum { SERVER = HWS_ROLE_SERVER, CLIENT = HWS_ROLE_CLIENT };

/* Take what is owed; gives its length. */
static size_t take_reply(hws_conn *conn) {
    uint8_t out[HWS_REPLY_MAX];
    size_t n = 0;
    assert_int_equal(hws_conn_reply(conn, out, sizeof out, &n), HWS_OK);
    return n;
}

/* --- a start ------------------------------------------------------------------------------------
 */

static void init_needs_no_clean_memory_and_no_clean_past(void **state) {
    hws_conn_config config = test_conn_config(SERVER);
    uint8_t buf[32];
    size_t len = hex_decode("0181 00000000 61 8981 00000000 62 8380", buf, sizeof buf);
    size_t used = 0;
    hws_conn zeros, garbage;
    hws_event ev;
    (void)state;
    memset(&zeros, 0, sizeof zeros);
    memset(&garbage, 0xAA, sizeof garbage);
    assert_int_equal(hws_conn_init(&zeros, &config), HWS_OK);
    assert_int_equal(hws_conn_init(&garbage, &config), HWS_OK);
    assert_memory_equal(&zeros, &garbage, sizeof zeros);
    while (hws_conn_receive(&garbage, buf, len, &used, &ev) == HWS_EVENT) {
        assert_true(used <= len);
    }
    assert_int_equal(take_reply(&garbage), 3 + 4);
    assert_int_equal(hws_conn_init(&garbage, &config), HWS_OK);
    assert_memory_equal(&zeros, &garbage, sizeof zeros);
    assert_int_equal(hws_conn_size(), sizeof(hws_conn));
}

static void init_refuses_what_makes_no_sense(void **state) {
    hws_conn_config config = test_conn_config(CLIENT);
    hws_conn conn, before;
    (void)state;
    memset(&conn, 0xAA, sizeof conn);
    before = conn;
    config.random = NULL;
    assert_int_equal(hws_conn_init(&conn, &config), HWS_ERR_ARGUMENT);
    config = test_conn_config(2);
    assert_int_equal(hws_conn_init(&conn, &config), HWS_ERR_ARGUMENT);
    config = test_conn_config(SERVER);
    config.size--;
    assert_int_equal(hws_conn_init(&conn, &config), HWS_ERR_ARGUMENT);
    config = test_conn_config(SERVER);
    config.max_fragments = 0; /* not one message could come */
    assert_int_equal(hws_conn_init(&conn, &config), HWS_ERR_ARGUMENT);
    assert_memory_equal(&conn, &before, sizeof conn);
    config = test_conn_config(SERVER);
    config.random = NULL; /* a server needs none */
    assert_int_equal(hws_conn_init(&conn, &config), HWS_OK);
}

static void the_defaults_are_those_of_the_header(void **state) {
    hws_conn_config config;
    (void)state;
    memset(&config, 0xAA, sizeof config);
    hws_conn_config_init(&config, CLIENT);
    assert_int_equal(config.size, sizeof config);
    assert_int_equal(config.role, CLIENT);
    assert_int_equal(config.max_message, 16777216);
    assert_int_equal(config.max_fragments, 131072);
    assert_int_equal(config.compression + config.close_sentence + config.frame_events, 0);
    assert_null(config.random);
}

/* A hws_conn is a value: it moves between any two bytes. */
static void a_connection_may_be_moved_between_calls(void **state) {
    uint8_t buf[64];
    size_t len = hex_decode("0182 01020304 60c0 8983 01020304 707174 8081 05060708 ac", buf, 64);
    hws_conn places[2] = {test_conn_open(SERVER)};
    uint8_t text[8];
    size_t used = 0, got = 0, events = 0, i = 0;
    hws_event ev;
    (void)state;
    while (i < len) {
        i++;
        places[i % 2] = places[(i + 1) % 2];
        memset(&places[(i + 1) % 2], 0xAA, sizeof places[0]);
        while (hws_conn_receive(&places[i % 2], buf, i, &used, &ev) == HWS_EVENT) {
            events++;
            if (ev.type == HWS_TEXT) {
                memcpy(text + got, ev.data, ev.len);
                got += ev.len;
            }
        }
    }
    assert_int_equal(events, 4);
    assert_int_equal(got, 3);
    assert_memory_equal(text, "a\xc2\xa9", 3);
    assert_int_equal(take_reply(&places[i % 2]), 5);
}

/* --- questions about the current frame ----------------------------------------------------------
 */

static void payload_left_and_message_len_follow_the_stream(void **state) {
    static const uint8_t stream[] = {0x02, 3, 'a', 'b', 'c', 0x89, 2, 'p', 'q', 0x80, 2, 'd', 'e'};
    static const uint8_t left[] = {0, 0, 3, 2, 1, 0, 0, 0, 0, 0, 0, 2, 1, 0};
    static const uint8_t lens[] = {0, 0, 0, 1, 2, 3, 3, 3, 3, 3, 3, 3, 4, 0};
    hws_conn conn = test_conn_open(CLIENT);
    uint8_t buf[sizeof stream];
    size_t used = 0, i = 0;
    hws_event ev;
    (void)state;
    memcpy(buf, stream, sizeof buf);
    while (i <= sizeof stream) {
        while (hws_conn_receive(&conn, buf, i, &used, &ev) == HWS_EVENT) {
            assert_int_equal(used, i);
        }
        assert_int_equal(hws_conn_payload_left(&conn), left[i]);
        assert_int_equal(hws_conn_message_len(&conn), lens[i]);
        i++;
    }
}

static void a_start_behind_the_end_of_the_buffer_is_refused(void **state) {
    hws_conn conn = test_conn_open(SERVER);
    hws_conn before = conn;
    uint8_t buf[4] = {0x81};
    size_t used = 3;
    hws_event ev;
    (void)state;
    assert_int_equal(hws_conn_receive(&conn, buf, 2, &used, &ev), HWS_ERR_ARGUMENT);
    assert_int_equal(used, 3);
    assert_memory_equal(&conn, &before, sizeof conn);
}

static void a_batch_of_none_is_refused(void **state) {
    uint8_t buf[] = {0x81, 0x00};
    hws_conn conn = test_conn_open(HWS_ROLE_CLIENT);
    hws_record record;
    size_t used = 0;
    size_t count = 9;
    (void)state;
    assert_int_equal(hws_conn_receive_batch(&conn, buf, 2, &used, &record, 0, &count),
                     HWS_ERR_ARGUMENT);
    assert_int_equal(count, 0);
    assert_int_equal(used, 0);
    assert_int_equal(hws_conn_receive_batch(&conn, buf, 2, &used, &record, 1, &count), HWS_EVENT);
    assert_int_equal(count, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_of_none_is_refused),
        cmocka_unit_test(init_needs_no_clean_memory_and_no_clean_past),
        cmocka_unit_test(init_refuses_what_makes_no_sense),
        cmocka_unit_test(the_defaults_are_those_of_the_header),
        cmocka_unit_test(a_connection_may_be_moved_between_calls),
        cmocka_unit_test(payload_left_and_message_len_follow_the_stream),
        cmocka_unit_test(a_start_behind_the_end_of_the_buffer_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
