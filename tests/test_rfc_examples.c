/*
 * The examples of RFC 6455 5.7, byte for byte, in both directions: received and sent. The masked
 * ones come out when the random source yields the key of the example.
 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

enum { SERVER = HWS_ROLE_SERVER, CLIENT = HWS_ROLE_CLIENT };

static const row rows[] = {
    {"5.7: a single-frame unmasked text message", CLIENT, "81 05 48 65 6c 6c 6f",
     .trace = "text \"Hello\"; open @7"},
    {"5.7: a single-frame masked text message", SERVER, "81 85 37 fa 21 3d 7f 9f 4d 51 58",
     .trace = "text \"Hello\"; open @11"},
    {"5.7: a fragmented unmasked text message", CLIENT, "01 03 48 65 6c 80 02 6c 6f",
     .trace = "text \"Hello\"; open @9"},
    {"5.7: an unmasked Ping", CLIENT, "89 05 48 65 6c 6c 6f",
     .trace = "ping \"Hello\"; >pong \"Hello\"; open @7"},
    {"5.7: a masked Pong", SERVER, "8a 85 37 fa 21 3d 7f 9f 4d 51 58",
     .trace = "pong \"Hello\"; open @11"},
};

static void the_examples_are_received(void **state) {
    (void)state;
    harness_run_rows(rows, sizeof rows / sizeof rows[0]);
}

/* A hws_random that yields the key of the examples. */
static hws_status example_key(void *user, uint8_t *dst, size_t len) {
    static const uint8_t key[4] = {0x37, 0xfa, 0x21, 0x3d};
    (void)user;
    assert_int_equal(len, sizeof key);
    memcpy(dst, key, sizeof key);
    return HWS_OK;
}

static hws_conn open_conn(uint8_t role) {
    hws_conn_config config;
    hws_conn conn;
    hws_conn_config_init(&config, role);
    config.random = example_key;
    assert_int_equal(hws_conn_init(&conn, &config), HWS_OK);
    return conn;
}

static void expect_sent(hws_conn *conn, uint8_t type, uint8_t flags, const char *text,
                        const char *hex) {
    uint8_t expected[32];
    uint8_t out[32];
    size_t len = hex_decode(hex, expected, sizeof expected);
    size_t n = 0;

    assert_int_equal(
        hws_conn_send(conn, type, flags, (const uint8_t *)text, strlen(text), out, sizeof out, &n),
        HWS_OK);
    assert_int_equal(n, len);
    assert_memory_equal(out, expected, len);
}

static void the_examples_are_sent(void **state) {
    hws_conn server = open_conn(SERVER);
    hws_conn client = open_conn(CLIENT);
    (void)state;
    expect_sent(&server, HWS_TEXT, HWS_WHOLE, "Hello", "81 05 48 65 6c 6c 6f");
    expect_sent(&client, HWS_TEXT, HWS_WHOLE, "Hello", "81 85 37 fa 21 3d 7f 9f 4d 51 58");
    expect_sent(&server, HWS_TEXT, HWS_FIRST, "Hel", "01 03 48 65 6c");
    expect_sent(&server, HWS_TEXT, HWS_FINAL, "lo", "80 02 6c 6f");
    expect_sent(&server, HWS_PING, HWS_WHOLE, "Hello", "89 05 48 65 6c 6c 6f");
}

static void the_ping_is_answered_with_the_masked_pong(void **state) {
    hws_conn client = open_conn(CLIENT);
    uint8_t ping[7];
    uint8_t pong[11];
    uint8_t out[11];
    size_t used = 0;
    size_t n = 0;
    hws_event ev;

    (void)state;
    hex_decode("89 05 48 65 6c 6c 6f", ping, sizeof ping);
    hex_decode("8a 85 37 fa 21 3d 7f 9f 4d 51 58", pong, sizeof pong);
    assert_int_equal(hws_conn_receive(&client, ping, sizeof ping, &used, &ev), HWS_EVENT);
    assert_int_equal(ev.type, HWS_PING);
    assert_int_equal(hws_conn_reply(&client, out, sizeof out, &n), HWS_OK);
    assert_int_equal(n, sizeof pong);
    assert_memory_equal(out, pong, sizeof pong);
}

/* The two long examples: 256 bytes and 64 KiB in one unmasked frame. */
static void long_example(const char *header_hex, size_t len, const char *trace) {
    row r = {"5.7: a long binary message in a single unmasked frame", CLIENT, "", .trace = trace};
    hws_conn server = open_conn(SERVER);
    uint8_t *payload = malloc(len);
    uint8_t *stream = malloc(len + HWS_FRAME_HEADER_MAX);
    uint8_t *out = malloc(len + HWS_FRAME_HEADER_MAX);
    uint64_t seed = 57;
    size_t n = 0;

    assert_true(payload != NULL && stream != NULL && out != NULL);
    random_fill(&seed, payload, len);
    size_t header_len = hex_decode(header_hex, stream, HWS_FRAME_HEADER_MAX);
    memcpy(stream + header_len, payload, len);
    harness_run_bytes(&r, stream, header_len + len);
    assert_int_equal(hws_conn_send(&server, HWS_BINARY, HWS_WHOLE, payload, len, out,
                                   len + HWS_FRAME_HEADER_MAX, &n),
                     HWS_OK);
    assert_int_equal(n, header_len + len);
    assert_memory_equal(out, stream, n);
    free(payload);
    free(stream);
    free(out);
}

static void the_long_examples(void **state) {
    (void)state;
    long_example("82 7E 0100", 256, "binary [256]; open @260");
    long_example("82 7F 0000000000010000", 65536, "binary [65536]; open @65546");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_are_received),
        cmocka_unit_test(the_examples_are_sent),
        cmocka_unit_test(the_ping_is_answered_with_the_masked_pong),
        cmocka_unit_test(the_long_examples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
