/*
 * What can be tried out completely, is: every pair of first bytes, every close code, every length
 * up to 70,000, every split of short streams.
 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

enum { SERVER = HWS_ROLE_SERVER, CLIENT = HWS_ROLE_CLIENT };

#ifdef HWS_TEST_REDUCED
enum { LENGTH_STEP = 997, SPLIT_MAX = 9 };
#else
enum { LENGTH_STEP = 1, SPLIT_MAX = 16 };
#endif

enum { LENGTH_MAX = 70000 };

static test_random source = {.seed = 11};

static void open_conn(hws_conn *conn, uint8_t role, uint8_t compression) {
    hws_conn_config config;
    hws_conn_config_init(&config, role);
    config.random = test_random_fill;
    config.random_user = &source;
    config.compression = compression;
    assert_int_equal(hws_conn_init(conn, &config), HWS_OK);
}

/* --- every pair of first bytes ------------------------------------------------------------------
 */

/* A connection with an unfinished message of this type; 0 for none. */
static void open_message(hws_conn *conn, uint8_t role, uint8_t compression, uint8_t type) {
    uint8_t frame[] = {type, role == SERVER ? 0x81 : 1, 'a', 0, 0, 0, 'a'};
    size_t len = role == SERVER ? 7 : 3;
    size_t used = 0;
    hws_event ev;

    open_conn(conn, role, compression);
    if (type != 0) {
        assert_int_equal(hws_conn_receive(conn, frame, len, &used, &ev), HWS_EVENT);
        assert_int_equal(used, len);
    }
}

/* hws_conn_receive() and hws_frame_decode() must say the same of a header. */
static void judge_header(const hws_conn *before, uint8_t context, unsigned pair) {
    uint8_t header[HWS_FRAME_HEADER_MAX] = {(uint8_t)(pair >> 8), (uint8_t)pair};
    hws_conn conn = *before;
    hws_conn_error error;
    hws_frame frame;
    hws_event ev;
    size_t used = 0;

    header[header[1] % 128 == 126 ? 2 : 7] = 1; /* a length of 256 or 65536 */
    hws_status status = hws_frame_decode(header, sizeof header, context, &frame);
    hws_status received = hws_conn_receive(&conn, header, frame.header_len, &used, &ev);
    assert_int_equal(used, frame.header_len);
    hws_conn_get_error(&conn, &error);
    assert_int_equal(error.status, status);
    if (status != HWS_OK) {
        assert_int_equal(received, status);
        assert_int_equal(error.close_code, 1002);
        return;
    }
    assert_true(received == HWS_OK || received == HWS_EVENT);
    if (received == HWS_EVENT) { /* empty, and a message's end or a control frame */
        assert_int_equal(frame.payload_len, 0);
        assert_true(frame.fin);
        assert_true(frame.opcode == 0 || ev.type == frame.opcode);
    } else {
        assert_true(frame.payload_len > 0 || !frame.fin);
        assert_int_equal(hws_conn_payload_left(&conn),
                         frame.opcode < HWS_OPCODE_CLOSE ? frame.payload_len : 0);
    }
}

static void every_pair_of_first_bytes_in_every_state(void **state) {
    static const uint8_t types[] = {0, HWS_TEXT, HWS_BINARY};
    unsigned run = 0;
    (void)state;
    while (run < 12) {
        uint8_t role = run % 2;
        uint8_t compression = run / 2 % 2;
        uint8_t type = types[run / 4];
        uint8_t context =
            (uint8_t)((role == SERVER ? HWS_FRAME_FROM_CLIENT : 0) |
                      (compression ? HWS_FRAME_RSV1 : 0) | (type != 0 ? HWS_FRAME_IN_MESSAGE : 0));
        unsigned pair = 0;
        hws_conn conn;
        open_message(&conn, role, compression, type);
        while (pair < 65536) {
            judge_header(&conn, context, pair);
            pair++;
        }
        run++;
    }
}

/* --- every close code ---------------------------------------------------------------------------
 */

static void receive_code(const hws_conn *before, uint8_t role, unsigned code) {
    uint8_t frame[8] = {0x88, role == SERVER ? 0x82 : 2};
    hws_conn conn = *before;
    hws_closing closing;
    uint8_t out[HWS_REPLY_MAX];
    size_t len = role == SERVER ? 8 : 4;
    size_t used = 0;
    size_t n = 0;
    hws_event ev;

    frame[len - 2] = (uint8_t)(code >> 8);
    frame[len - 1] = (uint8_t)code;
    hws_status status = hws_conn_receive(&conn, frame, len, &used, &ev);
    assert_int_equal(used, len);
    assert_int_equal(status, close_code_may_be_sent(code) ? HWS_EVENT : HWS_ERR_CLOSE_CODE);
    assert_int_equal(hws_conn_reply(&conn, out, sizeof out, &n), HWS_OK);
    hws_conn_get_closing(&conn, &closing);
    assert_int_equal(closing.code, close_code_may_be_sent(code) ? code : 0);
    assert_int_equal(closing.own_code, close_code_may_be_sent(code) ? code : 1002);
    assert_int_equal(closing.clean, close_code_may_be_sent(code));
    assert_int_equal(n, role == SERVER ? 4 : 8);
    if (close_code_may_be_sent(code)) {
        assert_int_equal(ev.close_code, code);
    }
}

static void send_code(const hws_conn *before, uint8_t role, unsigned code) {
    hws_conn conn = *before;
    uint8_t out[16];
    size_t n = 0;
    hws_status status = hws_conn_close(&conn, (uint16_t)code, NULL, 0, out, sizeof out, &n);

    if (!close_code_may_be_sent(code) && code != HWS_CLOSE_EMPTY) {
        assert_int_equal(status, HWS_ERR_ARGUMENT);
        assert_int_equal(n, 0);
        assert_memory_equal(&conn, before, sizeof conn);
        return;
    }
    assert_int_equal(status, HWS_OK);
    assert_int_equal(n, (role == SERVER ? 2 : 6) + (code != HWS_CLOSE_EMPTY ? 2 : 0));
}

static void every_close_code_received_and_sent(void **state) {
    uint8_t role = SERVER;
    (void)state;
    while (role <= CLIENT) {
        unsigned code = 0;
        hws_conn conn;
        open_conn(&conn, role, 0);
        while (code < 65536) {
            receive_code(&conn, role, code);
            send_code(&conn, role, code);
            code++;
        }
        role++;
    }
}

/* --- every length -------------------------------------------------------------------------------
 */

static void send_and_receive(hws_conn *from, hws_conn *to, const uint8_t *payload, size_t len,
                             uint8_t *wire) {
    hws_event ev;
    size_t used = 0;
    size_t n = 0;

    assert_int_equal(hws_conn_send(from, HWS_BINARY, HWS_WHOLE, payload, len, wire,
                                   len + HWS_FRAME_HEADER_MAX, &n),
                     HWS_OK);
    assert_int_equal(hws_conn_receive(to, wire, n, &used, &ev), HWS_EVENT);
    assert_int_equal(used, n);
    assert_int_equal(ev.type, HWS_BINARY);
    assert_int_equal(ev.flags, HWS_WHOLE);
    assert_int_equal(ev.len, len);
    assert_memory_equal(ev.data, payload, len);
}

static void every_length_arrives_as_it_was_sent(void **state) {
    uint8_t *payload = malloc(LENGTH_MAX + 1);
    uint8_t *wire = guard_alloc(LENGTH_MAX + HWS_FRAME_HEADER_MAX);
    uint64_t seed = 3;
    size_t len = 0;
    hws_conn server;
    hws_conn client;

    (void)state;
    assert_non_null(payload);
    random_fill(&seed, payload, LENGTH_MAX);
    open_conn(&server, SERVER, 0);
    open_conn(&client, CLIENT, 0);
    while (len <= LENGTH_MAX) {
        send_and_receive(&client, &server, payload, len, wire);
        send_and_receive(&server, &client, payload, len, wire);
        len += len < 300 || (len > 65500 && len < 65600) ? 1 : LENGTH_STEP;
    }
    guard_free(wire, LENGTH_MAX + HWS_FRAME_HEADER_MAX);
    free(payload);
}

/* --- every split --------------------------------------------------------------------------------
 */

static const row short_streams[] = {
    {"5.4: a Ping inside a code point that is cut by a fragment", CLIENT, "0101c3 8900 8001a9",
     .trace = "ping \"\"; >pong \"\"; text \"\\c3\\a9\"; open @8"},
    {"5.4: the same with masks", SERVER, "0181 01020304 c2 8081 05060708 ac",
     .trace = "text \"\\c3\\a9\"; open @14"},
    {"5.4: empty fragments, a Pong, a Ping, an empty message", CLIENT,
     "0100 0000 8a00 000161 8900 8000 8200",
     .trace = "pong \"\"; ping \"\"; >pong \"\"; text \"a\"; binary \"\"; open @15"},
    {"5.5: a Ping, a text, a Close", CLIENT, "8903616263 810178 880203e8",
     .trace = "ping \"abc\"; >pong \"abc\"; text \"x\"; close 1000 \"\"; >close 1000; ended @12"},
    {"5.5: a text and a Ping with masks", SERVER, "8182 37fa213d 7f93 8980 01020304",
     .trace = "text \"Hi\"; ping \"\"; >pong \"\"; open @14"},
    {"5.5.1: a Close with a reason, then a Ping", CLIENT, "8804 03e8c3a9 8900",
     .trace = "close 1000 \"\\c3\\a9\"; >close 1000; ended @6"},
    {"5.5.1: a Close with a mask, then a text", SERVER, "8882 01020304 02ea 8182 00000000 4869",
     .trace = "close 1000 \"\"; >close 1000; ended @8"},
    {"5.5.1: a reason that is not UTF-8", CLIENT, "8a0178 8803 03e8ff",
     .trace = "pong \"x\"; >close 1007; HWS_ERR_CLOSE_REASON @8"},
    {"5.2: a length that is not minimal", CLIENT, "8900 827e007d",
     .trace = "ping \"\"; >pong \"\"; >close 1002; HWS_ERR_LENGTH_NOT_MINIMAL @6"},
    {"5.2: a long length that is not minimal", SERVER, "82ff000000000000ffff",
     .trace = ">close 1002; HWS_ERR_LENGTH_NOT_MINIMAL @10"},
    {"5.2: a length with its top bit", CLIENT, "8a00 827f8000000000000000",
     .trace = "pong \"\"; >close 1002; HWS_ERR_LENGTH_TOP_BIT @12"},
    {"8.1: a good code point and a bad one", CLIENT, "8104 f09f9880 8103 e28228",
     .trace = "text \"\\f0\\9f\\98\\80\"; >close 1007; HWS_ERR_UTF8 @11"},
    {"8.1: a text that ends inside a code point", SERVER, "8181 00000000 61 8182 00000000 e282",
     .trace = "text \"a\"; >close 1007; HWS_ERR_UTF8 @15"},
    {"10.4: a message above the limit by its fragments", CLIENT, "0102 6162 0001 63 8001 64",
     .trace = ">close 1009; HWS_ERR_MESSAGE_TOO_BIG @9", .max_message = 3},
    {"10.4: a fragment too many", CLIENT, "0101 61 0001 62 8900 8001 63",
     .trace = "ping \"\"; >pong \"\"; >close 1008; HWS_ERR_FRAGMENTS @9", .max_fragments = 2},
    {"RFC 7692 6: a Ping inside a compressed message", CLIENT, "4101f2 8901 70 800100",
     .trace = "ping \"p\"; >pong \"p\"; text* \"\\f2\\00\"; open @9", .compression = 1},
};

static void every_split_of_short_streams(void **state) {
    size_t i = 0;
    (void)state;
    while (i < sizeof short_streams / sizeof short_streams[0]) {
        uint8_t bytes[16];
        size_t len = hex_decode(short_streams[i].hex, bytes, sizeof bytes);
        if (len <= SPLIT_MAX) {
            harness_run_splits(&short_streams[i], bytes, len);
        }
        i++;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_first_bytes_in_every_state),
        cmocka_unit_test(every_close_code_received_and_sent),
        cmocka_unit_test(every_length_arrives_as_it_was_sent),
        cmocka_unit_test(every_split_of_short_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
