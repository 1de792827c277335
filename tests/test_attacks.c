/*
 * Attacks that were found in other implementations of RFC 6455, each as a stream and the trace that
 * it must leave; and floods that must not make a connection owe more. Knows the harness only.
 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

enum { SERVER = HWS_ROLE_SERVER, CLIENT = HWS_ROLE_CLIENT };

#ifdef HWS_TEST_REDUCED
enum { FLOOD = 100000 };
#else
enum { FLOOD = 10000000 };
#endif

static const row rows[] = {
    {"5.2: a 64-bit length with only its top bit set is a fault, to a server", SERVER,
     "82ff 8000000000000000 37fa213d", .trace = ">close 1002; HWS_ERR_LENGTH_TOP_BIT @10"},
    {"5.2: a 64-bit length with only its top bit set is a fault, to a client", CLIENT,
     "827f 8000000000000000", .trace = ">close 1002; HWS_ERR_LENGTH_TOP_BIT @10"},
    {"5.2: a 64-bit length of all ones is a fault, to a server", SERVER,
     "82ff ffffffffffffffff 37fa213d", .trace = ">close 1002; HWS_ERR_LENGTH_TOP_BIT @10"},
    {"5.2: a 64-bit length of all ones is a fault, to a client", CLIENT, "827f ffffffffffffffff",
     .trace = ">close 1002; HWS_ERR_LENGTH_TOP_BIT @10"},
    {"5.2: a length of 2^63 - 1 is judged by the limit before anything is done with it, to a "
     "client",
     CLIENT, "827f 7fffffffffffffff", .trace = ">close 1009; HWS_ERR_MESSAGE_TOO_BIG @10"},
    {"5.2: a length that wraps to 0 when 1 is added is a fault, to a server", SERVER,
     "81ff ffffffffffffffff 37fa213d 41414141414141414141414141414141414141414"
     "141414141414141414141414141414141414141414141414141414141414141414141414"
     "141414141414141",
     .trace = ">close 1002; HWS_ERR_LENGTH_TOP_BIT @10"},
    {"5.2: a length that wraps to 0 when the header is added is a fault, to a server", SERVER,
     "81ff fffffffffffffff2 37fa213d 41414141414141414141414141414141414141414"
     "14141414141414141414141",
     .trace = ">close 1002; HWS_ERR_LENGTH_TOP_BIT @10"},
    {"5.2: a length of 2^32 + 3 is not taken for 3, to a server", SERVER,
     "82ff 0000000100000003 37fa213d 616263", .trace = ">close 1009; HWS_ERR_MESSAGE_TOO_BIG @10",
     .max_message = 1 << 20},
    {"5.2: a frame of 2^32 + 3 bytes does not end after 3 when the limit allows it, to a server",
     SERVER, "82ff 0000000100000003 37fa213d 616263", .trace = "open @17",
     .max_message = INT64_MAX},
    {"5.2: a declared GiB of which nothing comes costs nothing, to a server", SERVER,
     "82ff 0000000040000000 37fa213d", .trace = "open @14", .max_message = UINT64_C(1) << 31},
    {"5.2: 65535 in the 64-bit form is a fault, to a server", SERVER,
     "82ff 000000000000ffff 37fa213d", .trace = ">close 1002; HWS_ERR_LENGTH_NOT_MINIMAL @10"},
    {"5.2: 0 in the 64-bit form is a fault, to a client", CLIENT, "827f 0000000000000000",
     .trace = ">close 1002; HWS_ERR_LENGTH_NOT_MINIMAL @10"},
    {"5.2: RSV1 without an extension is a fault, to a server", SERVER, "c182 37fa213d 5f93",
     .trace = ">close 1002; HWS_ERR_RSV @1"},
    {"5.2: RSV1 without an extension is a fault, to a client", CLIENT, "c102 6869",
     .trace = ">close 1002; HWS_ERR_RSV @1"},
    {"5.2: RSV2 without an extension is a fault, to a client", CLIENT, "a102 6869",
     .trace = ">close 1002; HWS_ERR_RSV @1"},
    {"5.2: RSV3 without an extension is a fault, to a client", CLIENT, "9102 6869",
     .trace = ">close 1002; HWS_ERR_RSV @1"},
    {"5.2: all three RSV bits without an extension are a fault, to a client", CLIENT, "f102 6869",
     .trace = ">close 1002; HWS_ERR_RSV @1"},
    {"5.2: opcode 4 is reserved, to a server", SERVER, "8480 37fa213d",
     .trace = ">close 1002; HWS_ERR_OPCODE @1"},
    {"5.2: opcode 5 is reserved, to a server", SERVER, "8580 37fa213d",
     .trace = ">close 1002; HWS_ERR_OPCODE @1"},
    {"5.2: opcode 6 is reserved, to a server", SERVER, "8680 37fa213d",
     .trace = ">close 1002; HWS_ERR_OPCODE @1"},
    {"5.2: opcode 7 is reserved, to a server", SERVER, "8780 37fa213d",
     .trace = ">close 1002; HWS_ERR_OPCODE @1"},
    {"5.2: opcode 11 is reserved, to a server", SERVER, "8b80 37fa213d",
     .trace = ">close 1002; HWS_ERR_OPCODE @1"},
    {"5.2: opcode 12 is reserved, to a server", SERVER, "8c80 37fa213d",
     .trace = ">close 1002; HWS_ERR_OPCODE @1"},
    {"5.2: opcode 14 is reserved, to a server", SERVER, "8e80 37fa213d",
     .trace = ">close 1002; HWS_ERR_OPCODE @1"},
    {"5.2: opcode 15 is reserved, to a server", SERVER, "8f80 37fa213d",
     .trace = ">close 1002; HWS_ERR_OPCODE @1"},
    {"5.2: a reserved opcode is judged at the first byte, however much payload is declared, to a "
     "client",
     CLIENT, "837f 0000010000000000", .trace = ">close 1002; HWS_ERR_OPCODE @1"},
    {"5.1: a masked frame from the server is a fault, to a client", CLIENT, "8182 37fa213d 5f93",
     .trace = ">close 1002; HWS_ERR_MASKED @2"},
    {"5.1: a second fragment without a mask is a fault, though the first had one, to a server",
     SERVER, "0181 37fa213d 56 8001 62", .trace = ">close 1002; HWS_ERR_UNMASKED @9"},
    {"5.1: a mask key of zeros is a mask, to a server", SERVER, "8182 00000000 6869",
     .trace = "text \"hi\"; open @8"},
    {"5.5.1: a Close of one byte is a fault at its length, to a server", SERVER, "8881 37fa213d 34",
     .trace = ">close 1002; HWS_ERR_CLOSE_LENGTH @2"},
    {"5.5.1: a Close of one byte is a fault at its length, to a client", CLIENT, "8801 03",
     .trace = ">close 1002; HWS_ERR_CLOSE_LENGTH @2"},
    {"7.4: close code 0 must not be on the wire, to a server", SERVER, "8882 37fa213d 37fa",
     .trace = ">close 1002; HWS_ERR_CLOSE_CODE @8"},
    {"7.4: close code 1004 must not be on the wire, to a server", SERVER, "8882 37fa213d 3416",
     .trace = ">close 1002; HWS_ERR_CLOSE_CODE @8"},
    {"7.4: close code 1015 must not be on the wire, to a server", SERVER, "8882 37fa213d 340d",
     .trace = ">close 1002; HWS_ERR_CLOSE_CODE @8"},
    {"7.4: close code 2000 must not be on the wire, to a server", SERVER, "8882 37fa213d 302a",
     .trace = ">close 1002; HWS_ERR_CLOSE_CODE @8"},
    {"7.4: close code 5000 must not be on the wire, to a server", SERVER, "8882 37fa213d 2472",
     .trace = ">close 1002; HWS_ERR_CLOSE_CODE @8"},
    {"7.4: close code 65535 must not be on the wire, to a server", SERVER, "8882 37fa213d c805",
     .trace = ">close 1002; HWS_ERR_CLOSE_CODE @8"},
    {"7.4: close code 1000 is taken and echoed, to a server", SERVER, "8882 37fa213d 3412",
     .trace = "close 1000 \"\"; >close 1000; ended @8"},
    {"7.4: close code 1001 is taken and echoed, to a server", SERVER, "8882 37fa213d 3413",
     .trace = "close 1001 \"\"; >close 1001; ended @8"},
    {"7.4: close code 1002 is taken and echoed, to a server", SERVER, "8882 37fa213d 3410",
     .trace = "close 1002 \"\"; >close 1002; ended @8"},
    {"7.4: close code 1003 is taken and echoed, to a server", SERVER, "8882 37fa213d 3411",
     .trace = "close 1003 \"\"; >close 1003; ended @8"},
    {"7.4: close code 1008 is taken and echoed, to a server", SERVER, "8882 37fa213d 340a",
     .trace = "close 1008 \"\"; >close 1008; ended @8"},
    {"7.4: close code 1010 is taken and echoed, to a server", SERVER, "8882 37fa213d 3408",
     .trace = "close 1010 \"\"; >close 1010; ended @8"},
    {"7.4: close code 1012 is taken and echoed, to a server", SERVER, "8882 37fa213d 340e",
     .trace = "close 1012 \"\"; >close 1012; ended @8"},
    {"7.4: close code 1013 is taken and echoed, to a server", SERVER, "8882 37fa213d 340f",
     .trace = "close 1013 \"\"; >close 1013; ended @8"},
    {"7.4: close code 3000 is taken and echoed, to a server", SERVER, "8882 37fa213d 3c42",
     .trace = "close 3000 \"\"; >close 3000; ended @8"},
    {"7.4: close code 4999 is taken and echoed, to a server", SERVER, "8882 37fa213d 247d",
     .trace = "close 4999 \"\"; >close 4999; ended @8"},
    {"5.5.1: a reason that ends inside a code point is a fault, to a server", SERVER,
     "8884 37fa213d 3412c3bf", .trace = ">close 1007; HWS_ERR_CLOSE_REASON @10"},
    {"5.5: a Close of 125 bytes is taken, to a server", SERVER,
     "88fd 37fa213d 3412534f4588534f4588534f4588534f4588534f4588534f4588534f45"
     "88534f4588534f4588534f4588534f4588534f4588534f4588534f4588534f4588534f45"
     "88534f4588534f4588534f4588534f4588534f4588534f4588534f4588534f4588534f45"
     "88534f4588534f4588534f4588534f4588534f4588534f45",
     .trace = "close 1000 [123]; >close 1000; ended @131"},
    {"5.5: a Close of 126 bytes is a fault at its length, to a server", SERVER,
     "88fe 007e 37fa213d 3412534f4588534f4588534f4588534f4588534f4588534f45885"
     "34f4588534f4588534f4588534f4588534f4588534f4588534f4588534f4588534f45885"
     "34f4588534f4588534f4588534f4588534f4588534f4588534f4588534f4588534f45885"
     "34f4588534f4588534f4588534f4588534f4588534f4588534f4588",
     .trace = ">close 1002; HWS_ERR_CONTROL_LENGTH @2"},
    {"5.5: a Ping of 126 bytes is a fault at its length, to a server", SERVER,
     "89fe 007e 37fa213d 569b405c569b405c569b405c569b405c569b405c569b405c569b4"
     "05c569b405c569b405c569b405c569b405c569b405c569b405c569b405c569b405c569b4"
     "05c569b405c569b405c569b405c569b405c569b405c569b405c569b405c569b405c569b4"
     "05c569b405c569b405c569b405c569b405c569b405c569b405c569b",
     .trace = ">close 1002; HWS_ERR_CONTROL_LENGTH @2"},
    {"5.5: a Ping with a 64-bit length is a fault at its second byte, to a server", SERVER,
     "89ff 0000000000100000 37fa213d", .trace = ">close 1002; HWS_ERR_CONTROL_LENGTH @2"},
    {"5.5: an empty Pong and an empty Ping are taken, to a server", SERVER,
     "8a80 37fa213d 8980 37fa213d", .trace = "pong \"\"; ping \"\"; >pong \"\"; open @12"},
    {"5.2: an empty frame of each known opcode is taken, to a server", SERVER,
     "8180 37fa213d 8280 37fa213d 8980 37fa213d 8a80 37fa213d 8880 37fa213d",
     .trace = "text \"\"; binary \"\"; ping \"\"; >pong \"\"; pong \"\"; close 1005 \"\"; >close; "
              "ended @30"},
    {"5.4: a Ping between fragments is answered with its own payload and the message stays whole, "
     "to a server",
     SERVER, "0182 37fa213d 7f9f 8982 37fa213d 478a 8083 37fa213d 5b964e",
     .trace = "ping \"pp\"; >pong \"pp\"; text \"Hello\"; open @25"},
    {"5.5.1: a Close between fragments ends all, and the message is not delivered, to a server",
     SERVER, "0182 37fa213d 7f9f 8882 37fa213d 3412 8083 37fa213d 5b964e",
     .trace = "close 1000 \"\"; >close 1000; ended @16"},
    {"5.5.1: a second Close is not looked at, to a server", SERVER,
     "8882 37fa213d 3412 8882 37fa213d 3412", .trace = "close 1000 \"\"; >close 1000; ended @8"},
    {"5.4: a continuation without a start is a fault, to a server", SERVER, "8081 37fa213d 4f",
     .trace = ">close 1002; HWS_ERR_CONTINUATION @1"},
    {"5.4: a new text inside an unfinished message is a fault, to a server", SERVER,
     "0181 37fa213d 56 8181 37fa213d 55", .trace = ">close 1002; HWS_ERR_INTERLEAVED @8"},
    {"5.4: a continuation after the final frame is a fault, to a server", SERVER,
     "8181 37fa213d 56 8081 37fa213d 55",
     .trace = "text \"a\"; >close 1002; HWS_ERR_CONTINUATION @8"},
    {"8.1: an overlong form of three bytes in a text message is a fault, to a server", SERVER,
     "8183 37fa213d d77a8e", .trace = ">close 1007; HWS_ERR_UTF8 @8"},
    {"8.1: an overlong form of four bytes in a text message is a fault, to a server", SERVER,
     "8184 37fa213d c77aa192", .trace = ">close 1007; HWS_ERR_UTF8 @8"},
    {"8.1: a surrogate in a text message is a fault, to a server", SERVER, "8183 37fa213d da459e",
     .trace = ">close 1007; HWS_ERR_UTF8 @8"},
    {"8.1: FE in a text message is a fault, to a server", SERVER, "8181 37fa213d c9",
     .trace = ">close 1007; HWS_ERR_UTF8 @7"},
    {"8.1: FF in a text message is a fault, to a server", SERVER, "8181 37fa213d c8",
     .trace = ">close 1007; HWS_ERR_UTF8 @7"},
    {"8.1: a code point of three bytes that lacks its last in a text message is a fault, to a "
     "server",
     SERVER, "8182 37fa213d d578", .trace = ">close 1007; HWS_ERR_UTF8 @8"},
    {"8.1: a code point of four bytes that lacks its last in a text message is a fault, to a "
     "server",
     SERVER, "8183 37fa213d c765b9", .trace = ">close 1007; HWS_ERR_UTF8 @9"},
    {"8.1: a form of five bytes in a text message is a fault, to a server", SERVER,
     "8185 37fa213d cf72a1bdb7", .trace = ">close 1007; HWS_ERR_UTF8 @7"},
    {"8.1: a pair of surrogates (CESU-8) in a text message is a fault, to a server", SERVER,
     "8186 37fa213d da5a9cd08f7a", .trace = ">close 1007; HWS_ERR_UTF8 @8"},
    {"8.1: a code point may be cut over three frames, to a server", SERVER,
     "0181 37fa213d c7 0082 37fa213d a862 8081 37fa213d b7",
     .trace = "text \"\\f0\\9f\\98\\80\"; open @22"},
    {"8.1: a Ping inside a cut code point does not disturb the validator, to a server", SERVER,
     "0181 37fa213d d5 8982 37fa213d c805 8082 37fa213d b556",
     .trace = "ping \"\\ff\\ff\"; >pong \"\\ff\\ff\"; text \"\\e2\\82\\ac\"; open @23"},
    {"5.5.1: a reason is validated apart from the text that is cut by the Close, to a server",
     SERVER, "0181 37fa213d d5 8884 37fa213d 34124e56",
     .trace = "close 1000 \"ok\"; >close 1000; ended @17"},
    {"5.6: a binary message is not validated, to a server", SERVER, "8283 37fa213d c804a1",
     .trace = "binary \"\\ff\\fe\\80\"; open @9"},
    {"RFC 7692 6: RSV1 on a Ping is a fault even when compression was negotiated, to a server",
     SERVER, "c981 37fa213d 4f", .trace = ">close 1002; HWS_ERR_RSV @1", .compression = 1},
    {"RFC 7692 6: RSV1 on a Close is a fault even when compression was negotiated, to a server",
     SERVER, "c882 37fa213d 3412", .trace = ">close 1002; HWS_ERR_RSV @1", .compression = 1},
    {"RFC 7692 6: a plain Ping inside a compressed message is no part of it, to a server", SERVER,
     "4183 37fa213d c5b2ec 8982 37fa213d 478a 8084 37fa213d fe33263d",
     "ping \"pp\"; >pong \"pp\"; text* \"\\f2H\\cd\\c9\\c9\\07\\00\"; open @27", .compression = 1},
};

static void every_attack_leaves_its_trace(void **state) {
    (void)state;
    harness_run_rows(rows, sizeof rows / sizeof rows[0]);
}

/* A stream of `head`, then `frame` over and over, then `tail`. */
static uint8_t *repeated(const char *head, const char *frame, size_t times, const char *tail,
                         size_t *len) {
    size_t cap = (strlen(head) + strlen(frame) * times + strlen(tail)) / 2 + 1;
    uint8_t *bytes = malloc(cap);
    size_t n;

    assert_non_null(bytes);
    n = hex_decode(head, bytes, cap);
    while (times > 0) {
        n += hex_decode(frame, bytes + n, cap - n);
        times--;
    }
    *len = n + hex_decode(tail, bytes + n, cap - n);
    return bytes;
}

static void what_follows_a_close_is_ignored(void **state) {
    static const row r = {"5.5.1: a thousand Pings and a text after the Close do nothing", SERVER,
                          "", .trace = "close 1000 \"\"; >close 1000; ended @8"};
    size_t len;
    uint8_t *bytes =
        repeated("8882 37fa213d 3412", "8981 37fa213d 4f", 1000, "8184 37fa213d 5b9b5558", &len);

    (void)state;
    harness_run_bytes(&r, bytes, len);
    free(bytes);
}

static void what_follows_a_fault_is_ignored(void **state) {
    static const row r = {"7.1.7: good frames after a fault do nothing", SERVER, "",
                          .trace = ">close 1002; HWS_ERR_OPCODE @1"};
    size_t len;
    uint8_t *bytes = repeated("8380 37fa213d", "8181 37fa213d 4f", 100, "", &len);

    (void)state;
    harness_run_bytes(&r, bytes, len);
    free(bytes);
}

static void one_byte_fragments_are_held_by_nobody(void **state) {
    static const row r = {"5.4: a message of 2,000 fragments of one byte, never finished", SERVER,
                          "", .trace = "open @14007"};
    size_t len;
    uint8_t *bytes = repeated("0181 00000000 61", "0081 00000000 61", 2000, "", &len);

    (void)state;
    harness_run_bytes(&r, bytes, len);
    free(bytes);
}

static hws_conn open_conn(uint8_t role) {
    static test_random source = {.seed = 4};
    hws_conn_config config;
    hws_conn conn;
    hws_conn_config_init(&config, role);
    config.random = test_random_fill;
    config.random_user = &source;
    assert_int_equal(hws_conn_init(&conn, &config), HWS_OK);
    return conn;
}

/* Ten million Pings and Pongs of which no reply is taken: never more than one Pong is owed. */
static void flood(uint8_t role, uint8_t opcode, size_t payload_len) {
    static uint8_t buf[131 * 1000];
    hws_conn conn = open_conn(role);
    size_t frame_len = 2 + (role == SERVER ? 4U : 0U) + payload_len;
    size_t frames = 0, at = 0;
    hws_event ev;

    memset(buf, 0, sizeof buf); /* the mask is of zeros: the buffer can be used again */
    while (at + frame_len <= sizeof buf) {
        buf[at] = 0x80 | opcode;
        buf[at + 1] = (uint8_t)((role == SERVER ? 0x80 : 0) | payload_len);
        at += frame_len;
    }
    while (frames < FLOOD) {
        size_t used = 0;
        while (hws_conn_receive(&conn, buf, at, &used, &ev) == HWS_EVENT) {
            frames++;
        }
        assert_int_equal(used, at);
        assert_int_equal(hws_conn_reply_len(&conn),
                         opcode == HWS_PING ? 2 + (role == CLIENT ? 4U : 0U) + payload_len : 0);
    }
    assert_int_equal(hws_conn_fail(&conn, HWS_ERR_INTERNAL), HWS_OK);
    assert_true(hws_conn_reply_len(&conn) <= 131 + 8);
}

static void floods_of_control_frames_are_bounded(void **state) {
    (void)state;
    flood(SERVER, HWS_PING, 125);
    flood(CLIENT, HWS_PING, 125);
    flood(SERVER, HWS_PONG, 125);
    flood(CLIENT, HWS_PONG, 0);
}

static void the_newest_ping_is_answered(void **state) {
    hws_conn conn = open_conn(CLIENT);
    uint8_t buf[16];
    size_t len = hex_decode("8903 6f6c64 8901 78 8903 6e6577", buf, sizeof buf);
    uint8_t out[16];
    size_t used = 0;
    size_t n = 0;
    hws_event ev;
    (void)state;
    while (hws_conn_receive(&conn, buf, len, &used, &ev) == HWS_EVENT) {
        assert_int_equal(ev.type, HWS_PING);
    }
    assert_int_equal(hws_conn_reply(&conn, out, sizeof out, &n), HWS_OK);
    assert_int_equal(n, 9);
    assert_int_equal(out[1], 0x83);
    assert_int_equal(out[6] ^ out[2], 'n');
    assert_int_equal(out[7] ^ out[3], 'e');
    assert_int_equal(out[8] ^ out[4], 'w');
}

static void the_fragment_after_the_131072nd_is_a_fault(void **state) {
    hws_conn conn = open_conn(CLIENT);
    hws_conn_error error;
    uint8_t buf[3] = {0x01, 1, 'a'};
    size_t count = 0;
    hws_event ev;
    (void)state;
    while (count < 131072) {
        size_t used = 0;
        assert_int_equal(hws_conn_receive(&conn, buf, 3, &used, &ev), HWS_EVENT);
        buf[0] = 0;
        count++;
    }
    size_t at = 0;
    assert_int_equal(hws_conn_receive(&conn, buf, 3, &at, &ev), HWS_ERR_FRAGMENTS);
    hws_conn_get_error(&conn, &error);
    assert_int_equal(error.close_code, 1008);
    assert_int_equal(error.offset, 131072 * 3 + 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_attack_leaves_its_trace),
        cmocka_unit_test(what_follows_a_close_is_ignored),
        cmocka_unit_test(what_follows_a_fault_is_ignored),
        cmocka_unit_test(one_byte_fragments_are_held_by_nobody),
        cmocka_unit_test(floods_of_control_frames_are_bounded),
        cmocka_unit_test(the_newest_ping_is_answered),
        cmocka_unit_test(the_fragment_after_the_131072nd_is_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
