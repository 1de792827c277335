/*
 * The closing handshake in every order, faults, the end of the stream, and what is asked of the
 * state on the way.
 */
#include "support.h"

#include <hawser/conn.h>
#include <hawser/status.h>

#include <stdio.h>
#include <string.h>

enum { SERVER = HWS_ROLE_SERVER, CLIENT = HWS_ROLE_CLIENT };

#ifdef HWS_TEST_REDUCED
enum { EMPTY_CALLS = 10000 };
#else
enum { EMPTY_CALLS = 1000000 };
#endif

/* Receive a stream that is written without masks. A server gets it with a mask of zeros. */
static hws_status receive_plain(hws_conn *conn, uint8_t role, const char *hex) {
    uint8_t plain[256];
    uint8_t buf[512];
    size_t len = hex_decode(hex, plain, sizeof plain);
    size_t at = 0, n = 0, used = 0;
    hws_status status = HWS_EVENT;
    hws_event ev;

    while (at < len) {
        size_t payload_len = plain[at + 1];
        memcpy(buf + n, plain + at, 2);
        n += 2;
        if (role == SERVER) {
            buf[n - 1] |= 0x80;
            memset(buf + n, 0, 4);
            n += 4;
        }
        memcpy(buf + n, plain + at + 2, payload_len);
        n += payload_len;
        at += 2 + payload_len;
    }
    while (status == HWS_EVENT) {
        status = hws_conn_receive(conn, buf, n, &used, &ev);
    }
    return status;
}

/* Take what is owed; gives its length. */
static size_t take_reply(hws_conn *conn) {
    uint8_t out[HWS_REPLY_MAX];
    size_t n = 0;
    assert_int_equal(hws_conn_reply(conn, out, sizeof out, &n), HWS_OK);
    return n;
}

static void close_with(hws_conn *conn, uint16_t code) {
    uint8_t out[16];
    size_t n = 0;
    assert_int_equal(hws_conn_close(conn, code, NULL, 0, out, sizeof out, &n), HWS_OK);
}

/* --- every state and what is asked of it --------------------------------------------------------
 */

/* How a connection came to its state: a letter each. "c" our Close 1001; "p" the peer's Close 1000;
 * "e" the peer's empty Close; "r" the owed reply is taken; "x" a fault of the peer; "i" a Ping; "f"
 * hws_conn_fail(HWS_ERR_POLICY); "." the end of the stream. */
typedef struct life {
    const char *steps;
    uint8_t can_send;
    uint8_t can_receive;
    uint8_t server_socket;
    uint8_t client_socket;
    uint16_t code;
    uint16_t own_code;
    uint8_t first;
    uint8_t clean;
    uint8_t owed; /* bytes that a server owes */
    hws_status error;
} life;

enum {
    OPEN = HWS_SOCKET_OPEN,
    WAIT = HWS_SOCKET_WAIT,
    DRAIN = HWS_SOCKET_DRAIN,
    SHUT = HWS_SOCKET_CLOSE
};

static const life lives[] = {
    {"", 1, 1, OPEN, OPEN, 0, 0, HWS_NOBODY, 0, 0, HWS_OK},
    {"i", 1, 1, OPEN, OPEN, 0, 0, HWS_NOBODY, 0, 2, HWS_OK},
    {"ir", 1, 1, OPEN, OPEN, 0, 0, HWS_NOBODY, 0, 0, HWS_OK},
    /* 7.1.2: we close first */
    {"c", 0, 1, OPEN, OPEN, 0, 1001, HWS_OWN, 0, 0, HWS_OK},
    {"ci", 0, 1, OPEN, OPEN, 0, 1001, HWS_OWN, 0, 2, HWS_OK},
    {"ic", 0, 1, OPEN, OPEN, 0, 1001, HWS_OWN, 0, 2, HWS_OK},
    {"cp", 0, 0, DRAIN, WAIT, 1000, 1001, HWS_OWN, 1, 0, HWS_OK},
    {"ce", 0, 0, DRAIN, WAIT, 1005, 1001, HWS_OWN, 1, 0, HWS_OK},
    {"cip", 0, 0, DRAIN, WAIT, 1000, 1001, HWS_OWN, 1, 0, HWS_OK},
    {"cpr", 0, 0, DRAIN, WAIT, 1000, 1001, HWS_OWN, 1, 0, HWS_OK},
    {"cp.", 0, 0, SHUT, SHUT, 1000, 1001, HWS_OWN, 1, 0, HWS_OK},
    {"cx", 0, 0, DRAIN, DRAIN, 0, 1001, HWS_OWN, 0, 0, HWS_ERR_OPCODE},
    {"c.", 0, 0, SHUT, SHUT, 1006, 1001, HWS_OWN, 0, 0, HWS_ERR_EOF},
    {"ci.", 0, 0, SHUT, SHUT, 1006, 1001, HWS_OWN, 0, 0, HWS_ERR_EOF},
    {"cf", 0, 0, DRAIN, DRAIN, 0, 1001, HWS_OWN, 0, 0, HWS_ERR_POLICY},
    /* 5.5.1: the peer closes first */
    {"p", 1, 0, OPEN, OPEN, 1000, 0, HWS_PEER, 0, 4, HWS_OK},
    {"ip", 1, 0, OPEN, OPEN, 1000, 0, HWS_PEER, 0, 6, HWS_OK},
    {"e", 1, 0, OPEN, OPEN, 1005, 0, HWS_PEER, 0, 2, HWS_OK},
    {"pr", 0, 0, DRAIN, WAIT, 1000, 1000, HWS_PEER, 1, 0, HWS_OK},
    {"ipr", 0, 0, DRAIN, WAIT, 1000, 1000, HWS_PEER, 1, 0, HWS_OK},
    {"er", 0, 0, DRAIN, WAIT, 1005, 1005, HWS_PEER, 1, 0, HWS_OK},
    {"pc", 0, 0, DRAIN, WAIT, 1000, 1001, HWS_PEER, 1, 0, HWS_OK},
    {"ipc", 0, 0, DRAIN, WAIT, 1000, 1001, HWS_PEER, 1, 0, HWS_OK},
    {"p.", 1, 0, OPEN, OPEN, 1000, 0, HWS_PEER, 0, 4, HWS_OK},
    {"pr.", 0, 0, SHUT, SHUT, 1000, 1000, HWS_PEER, 1, 0, HWS_OK},
    {"p.r", 0, 0, SHUT, SHUT, 1000, 1000, HWS_PEER, 1, 0, HWS_OK},
    {"pp", 1, 0, OPEN, OPEN, 1000, 0, HWS_PEER, 0, 4, HWS_OK},
    {"px", 1, 0, OPEN, OPEN, 1000, 0, HWS_PEER, 0, 4, HWS_OK},
    /* 7.1.7: a fault */
    {"x", 1, 0, OPEN, OPEN, 0, 0, HWS_NOBODY, 0, 4, HWS_ERR_OPCODE},
    {"ix", 1, 0, OPEN, OPEN, 0, 0, HWS_NOBODY, 0, 6, HWS_ERR_OPCODE},
    {"xr", 0, 0, DRAIN, DRAIN, 0, 1002, HWS_OWN, 0, 0, HWS_ERR_OPCODE},
    {"xc", 0, 0, DRAIN, DRAIN, 0, 1001, HWS_OWN, 0, 0, HWS_ERR_OPCODE},
    {"xp", 1, 0, OPEN, OPEN, 0, 0, HWS_NOBODY, 0, 4, HWS_ERR_OPCODE},
    {"xr.", 0, 0, SHUT, SHUT, 1006, 1002, HWS_OWN, 0, 0, HWS_ERR_OPCODE},
    {"f", 1, 0, OPEN, OPEN, 0, 0, HWS_NOBODY, 0, 4, HWS_ERR_POLICY},
    {"fr", 0, 0, DRAIN, DRAIN, 0, 1008, HWS_OWN, 0, 0, HWS_ERR_POLICY},
    {"fr.", 0, 0, SHUT, SHUT, 1006, 1008, HWS_OWN, 0, 0, HWS_ERR_POLICY},
    /* 7.1.5: the stream ends without a Close */
    {".", 1, 0, SHUT, SHUT, 1006, 0, HWS_NOBODY, 0, 0, HWS_ERR_EOF},
    {"..", 1, 0, SHUT, SHUT, 1006, 0, HWS_NOBODY, 0, 0, HWS_ERR_EOF},
    {".c", 0, 0, SHUT, SHUT, 1006, 1001, HWS_OWN, 0, 0, HWS_ERR_EOF},
};

static void take_step(hws_conn *conn, uint8_t role, char step) {
    hws_closing closing;
    switch (step) {
    case 'c':
        close_with(conn, 1001);
        break;
    case 'p':
        receive_plain(conn, role, "8802 03e8");
        break;
    case 'e':
        receive_plain(conn, role, "8800");
        break;
    case 'r':
        assert_true(take_reply(conn) > 0 || hws_conn_can_send(conn) == 0);
        break;
    case 'x':
        receive_plain(conn, role, "8300");
        break;
    case 'i':
        receive_plain(conn, role, "8900");
        break;
    case 'f':
        assert_int_equal(hws_conn_fail(conn, HWS_ERR_POLICY), HWS_OK);
        break;
    default:
        hws_conn_get_closing(conn, &closing);
        assert_int_equal(hws_conn_receive_eof(conn), closing.clean ? HWS_OK : HWS_ERR_EOF);
        break;
    }
}

/* A text and a Ping can be sent until our Close, and nothing after it. */
static void try_to_send(hws_conn conn, uint8_t can_send) {
    hws_status expected = can_send ? HWS_OK : HWS_ERR_STATE;
    uint8_t out[64];
    size_t n = 0;
    hws_conn before = conn;

    assert_int_equal(hws_conn_send(&conn, HWS_TEXT, HWS_WHOLE, NULL, 0, out, 64, &n), expected);
    assert_int_equal(hws_conn_send(&conn, HWS_PING, HWS_WHOLE, NULL, 0, out, 64, &n), expected);
    assert_int_equal(hws_conn_send(&conn, HWS_PONG, HWS_WHOLE, NULL, 0, out, 64, &n), expected);
    assert_int_equal(hws_conn_close(&conn, 1000, NULL, 0, out, 64, &n), expected);
    assert_int_equal(n > 0, can_send);
    assert_true(can_send || memcmp(&before, &conn, sizeof conn) == 0);
}

#define STATE_FORMAT                                                                               \
    "\"%s\": send %d receive %d socket %d code %d own %d first %d clean %d owed %zu %s"

static void live(const life *l, uint8_t role) {
    char expected[192];
    char text[192];
    hws_conn conn = test_conn_open(role);
    hws_closing closing;
    hws_conn_error error;
    size_t i = 0;

    while (l->steps[i] != '\0') {
        take_step(&conn, role, l->steps[i]);
        i++;
    }
    hws_conn_get_closing(&conn, &closing);
    hws_conn_get_error(&conn, &error);
    size_t frames = l->owed == 0 ? 0 : l->owed == 6 ? 2 : 1;
    sprintf(expected, STATE_FORMAT, l->steps, l->can_send, l->can_receive,
            role == SERVER ? l->server_socket : l->client_socket, l->code, l->own_code, l->first,
            l->clean, l->owed + (role == CLIENT ? 4 * frames : 0), hws_status_name(l->error));
    sprintf(text, STATE_FORMAT, l->steps, hws_conn_can_send(&conn), hws_conn_can_receive(&conn),
            hws_conn_socket(&conn), closing.code, closing.own_code, closing.first, closing.clean,
            hws_conn_reply_len(&conn), hws_status_name(error.status));
    assert_string_equal(text, expected);
    assert_int_equal(closing.reason_len, 0);
    assert_int_equal(error.close_code, hws_status_close_code(l->error));
    try_to_send(conn, l->can_send);
    assert_int_equal(hws_conn_fail(&conn, HWS_ERR_DATA), l->can_receive ? HWS_OK : HWS_ERR_STATE);
}

static void every_life_ends_in_its_state(void **state) {
    size_t i = 0;
    (void)state;
    while (i < sizeof lives / sizeof lives[0]) {
        live(&lives[i], SERVER);
        live(&lives[i], CLIENT);
        i++;
    }
}

/* A million calls without bytes, in each of these states and inside each part of a frame. */
static void empty_calls_change_nothing(void **state) {
    static const char *const starts[] = {"82",
                                         "82fe",
                                         "82fe01",
                                         "82fe0100 01",
                                         "82fe0100 01020304 05",
                                         "8985 01020304",
                                         "8985 01020304 05"};
    size_t i = 0;
    (void)state;
    while (i < sizeof lives / sizeof lives[0] + sizeof starts / sizeof starts[0]) {
        hws_conn conn = test_conn_open(SERVER);
        uint8_t buf[16];
        size_t calls = 0, used = 0, step = 0;
        hws_event ev;
        if (i < sizeof lives / sizeof lives[0]) {
            while (lives[i].steps[step] != '\0') {
                take_step(&conn, SERVER, lives[i].steps[step]);
                step++;
            }
        } else {
            size_t len = hex_decode(starts[i - sizeof lives / sizeof lives[0]], buf, sizeof buf);
            while (hws_conn_receive(&conn, buf, len, &used, &ev) == HWS_EVENT) {
                step++;
            }
        }
        hws_conn before = conn;
        hws_status first = hws_conn_receive(&conn, buf, used, &used, &ev);
        while (calls < EMPTY_CALLS) {
            size_t at = used;
            assert_true(hws_conn_receive(&conn, buf, at, &at, &ev) == first && at == used);
            calls++;
        }
        assert_true(first != HWS_EVENT);
        assert_memory_equal(&conn, &before, sizeof conn);
        i++;
    }
}

/* --- the closing handshake ----------------------------------------------------------------------
 */

static void the_reason_stays_with_the_connection(void **state) {
    hws_conn conn = test_conn_open(CLIENT);
    hws_closing closing;
    (void)state;
    receive_plain(&conn, CLIENT, "8805 0fa0 627965 8900 8103 616263");
    take_reply(&conn);
    hws_conn_receive_eof(&conn);
    hws_conn_get_closing(&conn, &closing);
    assert_int_equal(closing.code, 4000);
    assert_int_equal(closing.reason_len, 3);
    assert_memory_equal(closing.reason, "bye", 3);
    assert_true(closing.reason >= (uint8_t *)&conn && closing.reason < (uint8_t *)(&conn + 1));
}

static void a_reason_of_every_length_is_told_whole(void **state) {
    uint8_t len = 0;
    (void)state;
    while (len <= HWS_REASON_MAX) {
        uint8_t buf[4 + HWS_REASON_MAX] = {0x88, (uint8_t)(2 + len), 0x03, 0xE8};
        hws_conn conn = test_conn_open(CLIENT);
        hws_closing closing;
        hws_event ev;
        size_t used = 0;
        memset(buf + 4, 'r', len);
        assert_int_equal(hws_conn_receive(&conn, buf, 4U + len, &used, &ev), HWS_EVENT);
        hws_conn_get_closing(&conn, &closing);
        assert_int_equal(ev.len, len);
        assert_int_equal(closing.reason_len, len);
        assert_memory_equal(closing.reason, buf + 4, len);
        len++;
    }
}

static void mistakes_in_a_close_change_nothing(void **state) {
    static const uint8_t long_reason[200] = "";
    hws_conn conn = test_conn_open(CLIENT);
    hws_conn before = conn;
    uint8_t out[256];
    size_t n = 1;
    (void)state;
    assert_int_equal(hws_conn_close(&conn, 1000, long_reason, 124, out, 256, &n), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_conn_close(&conn, 1000, long_reason, SIZE_MAX, out, 256, &n),
                     HWS_ERR_ARGUMENT);
    assert_int_equal(hws_conn_close(&conn, HWS_CLOSE_EMPTY, long_reason, 1, out, 256, &n),
                     HWS_ERR_ARGUMENT);
    assert_int_equal(hws_conn_close(&conn, 1000, (const uint8_t *)"\xff", 1, out, 256, &n),
                     HWS_ERR_SEND_UTF8);
    assert_int_equal(hws_conn_close(&conn, 1000, (const uint8_t *)"\xe2\x82", 2, out, 256, &n),
                     HWS_ERR_SEND_UTF8);
    assert_int_equal(n, 1);
    assert_int_equal(test_conn_random.calls, 0);
    assert_memory_equal(&conn, &before, sizeof conn);
    assert_int_equal(hws_conn_close(&conn, 1000, long_reason, 123, out, 256, &n), HWS_OK);
    assert_int_equal(n, 1 + 131);
}

static void a_close_carries_code_and_reason(void **state) {
    hws_conn conn = test_conn_open(SERVER);
    uint8_t expected[16];
    uint8_t out[16];
    size_t n = 0;
    (void)state;
    assert_int_equal(hws_conn_close(&conn, 1001, (const uint8_t *)"bye", 3, out, 16, &n), HWS_OK);
    assert_int_equal(n, hex_decode("8805 03e9 627965", expected, 16));
    assert_memory_equal(out, expected, n);
    conn = test_conn_open(SERVER);
    n = 0;
    assert_int_equal(hws_conn_close(&conn, HWS_CLOSE_EMPTY, NULL, 0, out, 16, &n), HWS_OK);
    assert_int_equal(n, hex_decode("8800", expected, 16));
    assert_memory_equal(out, expected, n);
}

static void after_our_close_messages_still_come(void **state) {
    hws_conn conn = test_conn_open(SERVER);
    uint8_t buf[64];
    size_t len = hex_decode("0181 00000000 61 8980 00000000 8081 00000000 62", buf, sizeof buf);
    size_t used = 0;
    hws_event ev;
    (void)state;
    close_with(&conn, 1000);
    assert_int_equal(hws_conn_receive(&conn, buf, len, &used, &ev), HWS_EVENT);
    assert_int_equal(ev.type, HWS_TEXT);
    assert_int_equal(hws_conn_receive(&conn, buf, len, &used, &ev), HWS_EVENT);
    assert_int_equal(ev.type, HWS_PING);
    assert_int_equal(take_reply(&conn), 2);
    assert_int_equal(hws_conn_receive(&conn, buf, len, &used, &ev), HWS_EVENT);
    assert_int_equal(ev.flags, HWS_FINAL);
}

/* hws_conn_close() while any event of a buffer is handled, and the loop goes on: nothing but what
 * conn.h says comes out, and one Close in all. */
static void closing_while_an_event_is_handled(void **state) {
    unsigned closing_at = 0;
    (void)state;
    while (closing_at < 7) {
        hws_conn conn = test_conn_open(CLIENT);
        uint8_t buf[64];
        size_t len =
            hex_decode("0101 61 8901 62 8001 63 8a00 8103 646566 8802 03e8 8101 67", buf, 64);
        size_t used = 0, closes = 0;
        unsigned events = 0;
        hws_event ev;
        hws_closing closing;
        while (hws_conn_receive(&conn, buf, len, &used, &ev) == HWS_EVENT) {
            if (events == closing_at) {
                close_with(&conn, 4000);
                closes++;
            }
            closes += hws_conn_can_send(&conn); /* a reply may be the Close */
            take_reply(&conn);
            closes -= hws_conn_can_send(&conn);
            events++;
        }
        hws_conn_get_closing(&conn, &closing);
        assert_int_equal(events, 6);
        assert_int_equal(closes, 1);
        assert_int_equal(used, len);
        assert_int_equal(closing.own_code, closing_at < 6 ? 4000 : 1000);
        assert_int_equal(closing.first, closing_at < 5 ? HWS_OWN : HWS_PEER);
        assert_true(closing.clean);
        closing_at++;
    }
}

/* --- faults -------------------------------------------------------------------------------------
 */

static void fail_with_each_status(void **state) {
    hws_status status = -200;
    (void)state;
    while (status < 20) {
        hws_conn conn = test_conn_open(SERVER);
        hws_conn before = conn;
        uint16_t code = hws_status_close_code(status);
        uint8_t out[HWS_REPLY_MAX];
        hws_conn_error error;
        size_t n = 0;
        hws_status result = hws_conn_fail(&conn, status);
        if (code == 0 || code == HWS_CLOSE_ABNORMAL) {
            assert_int_equal(result, HWS_ERR_ARGUMENT);
            assert_memory_equal(&conn, &before, sizeof conn);
        } else {
            assert_int_equal(result, HWS_OK);
            assert_int_equal(hws_conn_reply(&conn, out, sizeof out, &n), HWS_OK);
            assert_int_equal(n, 4);
            assert_int_equal(out[2] * 256 + out[3], code);
            hws_conn_get_error(&conn, &error);
            assert_int_equal(error.status, status);
            assert_int_equal(error.close_code, code);
            assert_int_equal(receive_plain(&conn, SERVER, "8100"), status);
        }
        status++;
    }
}

static void the_sentence_of_a_fault_is_sent_when_asked_for(void **state) {
    hws_conn_config config = test_conn_config(SERVER);
    const char *sentence = hws_status_sentence(HWS_ERR_OPCODE);
    uint8_t out[HWS_REPLY_MAX];
    size_t n = 0;
    hws_conn conn;
    (void)state;
    config.close_sentence = 1;
    assert_int_equal(hws_conn_init(&conn, &config), HWS_OK);
    receive_plain(&conn, SERVER, "8300");
    assert_int_equal(hws_conn_reply_len(&conn), 4 + strlen(sentence));
    assert_int_equal(hws_conn_reply(&conn, out, sizeof out, &n), HWS_OK);
    assert_int_equal(out[1], 2 + strlen(sentence));
    assert_memory_equal(out + 4, sentence, strlen(sentence));

    assert_int_equal(hws_conn_init(&conn, &config), HWS_OK);
    receive_plain(&conn, SERVER, "8802 03e8"); /* a Close is answered without */
    assert_int_equal(take_reply(&conn), 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_life_ends_in_its_state),
        cmocka_unit_test(empty_calls_change_nothing),
        cmocka_unit_test(the_reason_stays_with_the_connection),
        cmocka_unit_test(a_reason_of_every_length_is_told_whole),
        cmocka_unit_test(mistakes_in_a_close_change_nothing),
        cmocka_unit_test(a_close_carries_code_and_reason),
        cmocka_unit_test(after_our_close_messages_still_come),
        cmocka_unit_test(closing_while_an_event_is_handled),
        cmocka_unit_test(fail_with_each_status),
        cmocka_unit_test(the_sentence_of_a_fault_is_sent_when_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
