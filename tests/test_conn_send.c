/*
 * Sending: what comes out, that it comes out whole or not at all, and that no mistake of the caller
 * changes anything. The closing handshake is in test_conn_close.c.
 */
#include "support.h"

#include <hawser/conn.h>
#include <hawser/status.h>

#include <stdlib.h>
#include <string.h>

enum { SERVER = HWS_ROLE_SERVER, CLIENT = HWS_ROLE_CLIENT, OUT_CAP = 512 };

/* The ways to send. REPLY sends what is owed, whatever it is asked for. */
enum call { SEND, HEADER, IN_PLACE, CLOSE, REPLY, CALLS };

static test_random source;

static void open_conn(hws_conn *conn, uint8_t role) {
    hws_conn_config config;
    hws_conn_config_init(&config, role);
    config.random = test_random_fill;
    config.random_user = &source;
    config.compression = 1;
    source = (test_random){.seed = 5};
    assert_int_equal(hws_conn_init(conn, &config), HWS_OK);
}

static void receive_hex(hws_conn *conn, const char *hex) {
    uint8_t buf[256];
    size_t len = hex_decode(hex, buf, sizeof buf);
    size_t used = 0;
    hws_event ev;
    hws_status status = HWS_EVENT;

    while (status == HWS_EVENT) {
        status = hws_conn_receive(conn, buf, len, &used, &ev);
    }
    assert_int_equal(status, HWS_OK);
}

/* A Ping of five bytes and a Close, neither of them answered. */
static void owe_two_frames(hws_conn *conn, uint8_t role) {
    receive_hex(conn, role == SERVER ? "8985 00000000 68656c6c6f 8882 00000000 03e8"
                                     : "8905 68656c6c6f 8802 03e8");
}

static hws_status make_call(enum call call, hws_conn *conn, uint8_t type, uint8_t flags,
                            uint8_t *data, size_t len, uint8_t *out, size_t cap, size_t *n) {
    switch (call) {
    case SEND:
        return hws_conn_send(conn, type, flags, data, len, out, cap, n);
    case HEADER:
        return hws_conn_send_header(conn, type, flags, data, len, out, cap, n);
    case IN_PLACE:
        return hws_conn_send_in_place(conn, type, flags, data, len, out, cap, n);
    case CLOSE:
        return hws_conn_close(conn, 1000, data, len, out, cap, n);
    case REPLY:
    case CALLS:
    default:
        return hws_conn_reply(conn, out, cap, n);
    }
}

/* --- all or nothing -----------------------------------------------------------------------------
 */

/* Make a call with too little room: nothing may change. `at` bytes stand in the buffer before. */
static void call_without_room(enum call call, const hws_conn *before, const uint8_t *payload,
                              size_t len, size_t cap, size_t at) {
    uint8_t *out = guard_alloc(cap);
    hws_conn conn = *before;
    test_random random = source;
    uint8_t data[OUT_CAP];
    size_t n = at;
    size_t i = 0;

    memcpy(data, payload, len);
    memset(out, 0x55, cap);
    assert_int_equal(make_call(call, &conn, HWS_TEXT, HWS_FIRST, data, len, out, cap, &n),
                     HWS_ERR_SPACE);
    assert_int_equal(n, at);
    while (i < cap) {
        assert_int_equal(out[i], 0x55);
        i++;
    }
    assert_memory_equal(data, payload, len);
    assert_memory_equal(&conn, before, sizeof conn);
    assert_memory_equal(&random, &source, sizeof random);
    guard_free(out, cap);
}

static void at_every_capacity(enum call call, uint8_t role, size_t len, size_t at) {
    uint8_t payload[OUT_CAP];
    uint8_t data[OUT_CAP];
    uint8_t *out;
    size_t need = at;
    size_t n = at;
    size_t cap = 0;
    hws_conn before;

    memset(payload, 'x', sizeof payload);
    open_conn(&before, role);
    owe_two_frames(&before, role);
    hws_conn conn = before;
    memcpy(data, payload, len);
    out = guard_alloc(OUT_CAP);
    assert_int_equal(make_call(call, &conn, HWS_TEXT, HWS_FIRST, data, len, out, OUT_CAP, &need),
                     HWS_OK);
    guard_free(out, OUT_CAP);
    while (cap < need) {
        call_without_room(call, &before, payload, len, cap, at);
        cap++;
    }
    conn = before;
    memcpy(data, payload, len);
    out = guard_alloc(need); /* exactly enough */
    assert_int_equal(make_call(call, &conn, HWS_TEXT, HWS_FIRST, data, len, out, need, &n), HWS_OK);
    assert_int_equal(n, need);
    guard_free(out, need);
}

static void every_call_is_all_or_nothing_at_every_capacity(void **state) {
    static const size_t lengths[] = {0, 1, 123, 125, 126, 300};
    size_t i = 0;
    (void)state;
    while (i < CALLS * 2 * 6 * 2) {
        enum call call = (enum call)(i % CALLS);
        uint8_t role = i / CALLS % 2;
        size_t len = lengths[i / CALLS / 2 % 6];
        size_t at = i / CALLS / 2 / 6 * 3;
        if (!(call == HEADER && role == CLIENT) && !(call == CLOSE && len > HWS_REASON_MAX)) {
            at_every_capacity(call, role, len, at);
        }
        i++;
    }
}

static void a_count_above_the_capacity_has_no_room(void **state) {
    enum call call = SEND;
    hws_conn conn;
    (void)state;
    open_conn(&conn, SERVER);
    owe_two_frames(&conn, SERVER);
    while (call < CALLS) {
        uint8_t byte = 0x55;
        size_t n = 500;
        assert_int_equal(make_call(call, &conn, HWS_TEXT, HWS_FIRST, NULL, 0, &byte, 1, &n),
                         HWS_ERR_SPACE);
        assert_int_equal(n, 500);
        assert_int_equal(byte, 0x55);
        call++;
    }
}

/* --- mistakes -----------------------------------------------------------------------------------
 */

typedef struct mistake {
    const char *name;
    uint8_t open; /* type of the message that is being sent; 0 none; HWS_CLOSE: we have closed */
    uint8_t type;
    uint8_t flags;
    const char *data; /* NULL: `len` times "x" */
    size_t len;
    hws_status expected;
} mistake;

static const mistake mistakes[] = {
    {"5.2: opcode 0 is no type", 0, 0, 3, NULL, 1, HWS_ERR_ARGUMENT},
    {"5.2: opcode 3 is no type", 0, 3, 3, NULL, 1, HWS_ERR_ARGUMENT},
    {"5.2: opcode 7 is no type", 0, 7, 3, NULL, 1, HWS_ERR_ARGUMENT},
    {"5.5.1: a Close is sent by another call", 0, HWS_CLOSE, 3, NULL, 0, HWS_ERR_ARGUMENT},
    {"5.2: opcode 11 is no type", 0, 11, 3, NULL, 1, HWS_ERR_ARGUMENT},
    {"5.2: a frame event cannot be sent", 0, HWS_FRAME, 3, NULL, 1, HWS_ERR_ARGUMENT},
    {"5.2: 129 is no type", 0, 129, 3, NULL, 1, HWS_ERR_ARGUMENT},
    {"5.2: flag 8 is none", 0, HWS_TEXT, 8 | 3, NULL, 1, HWS_ERR_ARGUMENT},
    {"5.2: flag 128 is none", 0, HWS_BINARY, 128 | 3, NULL, 1, HWS_ERR_ARGUMENT},
    {"5.5: a Ping cannot be a first fragment", 0, HWS_PING, HWS_FIRST, NULL, 1, HWS_ERR_ARGUMENT},
    {"5.5: a Ping cannot be a last fragment", 0, HWS_PING, HWS_FINAL, NULL, 1, HWS_ERR_ARGUMENT},
    {"5.5: a Pong cannot be a fragment", 0, HWS_PONG, 0, NULL, 1, HWS_ERR_ARGUMENT},
    {"7692 6: a Ping cannot be compressed", 0, HWS_PING, 7, NULL, 1, HWS_ERR_ARGUMENT},
    {"5.5: a Ping of 126 bytes", 0, HWS_PING, 3, NULL, 126, HWS_ERR_ARGUMENT},
    {"5.5: a Pong of 126 bytes", 0, HWS_PONG, 3, NULL, 126, HWS_ERR_ARGUMENT},
    {"5.4: a last fragment of nothing", 0, HWS_TEXT, HWS_FINAL, NULL, 1, HWS_ERR_STATE},
    {"5.4: a middle fragment of nothing", 0, HWS_BINARY, 0, NULL, 1, HWS_ERR_STATE},
    {"5.4: a text inside a text", HWS_TEXT, HWS_TEXT, HWS_WHOLE, NULL, 1, HWS_ERR_STATE},
    {"5.4: a binary start inside a text", HWS_TEXT, HWS_BINARY, HWS_FIRST, NULL, 1, HWS_ERR_STATE},
    {"5.4: a binary fragment inside a text", HWS_TEXT, HWS_BINARY, 0, NULL, 1, HWS_ERR_STATE},
    {"5.4: a text end inside a binary message", HWS_BINARY, HWS_TEXT, HWS_FINAL, NULL, 1,
     HWS_ERR_STATE},
    {"5.5.1: a text after our Close", HWS_CLOSE, HWS_TEXT, HWS_WHOLE, NULL, 1, HWS_ERR_STATE},
    {"5.5.1: a fragment after our Close", HWS_CLOSE, HWS_TEXT, HWS_FINAL, NULL, 1, HWS_ERR_STATE},
    {"5.5.1: a Ping after our Close", HWS_CLOSE, HWS_PING, HWS_WHOLE, NULL, 1, HWS_ERR_STATE},
    {"5.5.1: a Pong after our Close", HWS_CLOSE, HWS_PONG, HWS_WHOLE, NULL, 1, HWS_ERR_STATE},
    {"5.6: FF is no text", 0, HWS_TEXT, HWS_WHOLE, "ab\xff", 3, HWS_ERR_SEND_UTF8},
    {"5.6: FF is no text in a first fragment", 0, HWS_TEXT, HWS_FIRST,
     "\xff"
     "a",
     2, HWS_ERR_SEND_UTF8},
    {"5.6: a surrogate is no text", 0, HWS_TEXT, HWS_WHOLE, "\xed\xa0\x80", 3, HWS_ERR_SEND_UTF8},
    {"5.6: a text ends inside a code point", 0, HWS_TEXT, HWS_WHOLE, "\xe2\x82", 2,
     HWS_ERR_SEND_UTF8},
    {"5.6: a wrong byte in a later fragment", HWS_TEXT, HWS_TEXT, 0, "\x80", 1, HWS_ERR_SEND_UTF8},
    {"5.6: a last fragment ends inside a code point", HWS_TEXT, HWS_TEXT, HWS_FINAL, "\xf0\x9f", 2,
     HWS_ERR_SEND_UTF8},
};

static void prepare(hws_conn *conn, uint8_t role, uint8_t open) {
    uint8_t out[32];
    size_t n = 0;
    open_conn(conn, role);
    if (open == HWS_CLOSE) {
        assert_int_equal(hws_conn_close(conn, 1000, NULL, 0, out, sizeof out, &n), HWS_OK);
    } else if (open != 0) {
        assert_int_equal(hws_conn_send(conn, open, HWS_FIRST, NULL, 0, out, sizeof out, &n),
                         HWS_OK);
    }
}

static void make_mistake(const mistake *m, enum call call, uint8_t role) {
    uint8_t data[OUT_CAP];
    uint8_t before[OUT_CAP];
    uint8_t out[OUT_CAP];
    uint8_t out_before[OUT_CAP];
    size_t n = 7;
    hws_conn conn;

    prepare(&conn, role, m->open);
    hws_conn copy = conn;
    unsigned calls = source.calls;
    memset(data, 'x', sizeof data);
    memset(out, 0x55, sizeof out);
    memcpy(out_before, out, sizeof out);
    if (m->data != NULL) {
        memcpy(data, m->data, m->len);
    }
    memcpy(before, data, sizeof data);
    hws_status status =
        make_call(call, &conn, m->type, m->flags, data, m->len, out, sizeof out, &n);
    hws_status expected = call == HEADER && role == CLIENT ? HWS_ERR_ARGUMENT : m->expected;
    if (status != expected) {
        print_error("%s\n", m->name);
    }
    assert_int_equal(status, expected);
    assert_int_equal(n, 7);
    assert_memory_equal(out, out_before, 7);
    assert_memory_equal(data, before, sizeof data);
    assert_memory_equal(&conn, &copy, sizeof conn);
    assert_int_equal(source.calls, calls);
}

static void a_mistake_changes_nothing(void **state) {
    size_t i = 0;
    (void)state;
    while (i < sizeof mistakes / sizeof mistakes[0]) {
        enum call call = SEND;
        while (call <= IN_PLACE) {
            make_mistake(&mistakes[i], call, SERVER);
            make_mistake(&mistakes[i], call, CLIENT);
            call++;
        }
        i++;
    }
}

static void compression_that_was_not_negotiated_cannot_be_sent(void **state) {
    hws_conn_config config;
    hws_conn conn;
    uint8_t out[16];
    size_t n = 0;

    (void)state;
    hws_conn_config_init(&config, SERVER);
    assert_int_equal(hws_conn_init(&conn, &config), HWS_OK);
    assert_int_equal(hws_conn_send(&conn, HWS_TEXT, HWS_WHOLE | HWS_COMPRESSED,
                                   (const uint8_t *)"a", 1, out, sizeof out, &n),
                     HWS_ERR_ARGUMENT);
    assert_int_equal(n, 0);
}

static void a_client_header_without_masking_is_refused(void **state) {
    uint8_t out[16];
    size_t n = 0;
    hws_conn conn;
    (void)state;
    open_conn(&conn, CLIENT);
    assert_int_equal(hws_conn_send_header(&conn, HWS_TEXT, HWS_WHOLE, NULL, 0, out, sizeof out, &n),
                     HWS_ERR_ARGUMENT);
    assert_int_equal(n, 0);
}

/* --- what comes out -----------------------------------------------------------------------------
 */

/* Send with each call and see the same frame, by the same key. */
static void expect_frame(hws_conn *conn, uint8_t role, uint8_t type, uint8_t flags,
                         const char *text, uint8_t first) {
    hws_conn in_place = *conn;
    hws_conn header = *conn;
    test_random random = source;
    size_t len = strlen(text);
    uint8_t expected[64] = {first, (uint8_t)(len | (role == CLIENT ? 0x80 : 0))};
    uint8_t *key = expected + 2;
    uint8_t out[64];
    size_t at = role == CLIENT ? 6 : 2;
    size_t n = 0;
    size_t i = 0;

    if (role == CLIENT) {
        test_random_fill(&random, key, 4);
        random = source;
    }
    while (i < len) {
        expected[at + i] = (uint8_t)text[i] ^ (role == CLIENT ? key[i % 4] : 0);
        i++;
    }
    assert_int_equal(hws_conn_send(conn, type, flags, (const uint8_t *)text, len, out, 64, &n), 0);
    assert_int_equal(n, at + len);
    assert_memory_equal(out, expected, n);

    n = 0;
    source = random;
    memcpy(out + at, text, len);
    assert_int_equal(hws_conn_send_in_place(&in_place, type, flags, out + at, len, out, at, &n), 0);
    assert_int_equal(n, at);
    assert_memory_equal(out, expected, at + len);
    assert_memory_equal(conn, &in_place, sizeof *conn);
    if (role == SERVER) {
        n = 0;
        assert_int_equal(
            hws_conn_send_header(&header, type, flags, (const uint8_t *)text, len, out, at, &n),
            HWS_OK);
        assert_int_equal(n, at);
        assert_memory_equal(out, expected, at);
        assert_memory_equal(conn, &header, sizeof *conn);
    }
}

static void frames_have_the_first_byte_of_their_place(void **state) {
    uint8_t role = SERVER;
    (void)state;
    while (role <= CLIENT) {
        hws_conn c;
        open_conn(&c, role);
        expect_frame(&c, role, HWS_TEXT, HWS_WHOLE, "Hello", 0x81);
        expect_frame(&c, role, HWS_BINARY, HWS_WHOLE, "", 0x82);
        expect_frame(&c, role, HWS_PING, HWS_WHOLE, "p", 0x89);
        expect_frame(&c, role, HWS_PONG, HWS_WHOLE, "", 0x8A);
        expect_frame(&c, role, HWS_TEXT, HWS_FIRST, "a\xe2", 0x01);
        expect_frame(&c, role, HWS_PING, HWS_WHOLE, "between", 0x89);
        expect_frame(&c, role, HWS_TEXT, 0, "\x82", 0x00);
        expect_frame(&c, role, HWS_TEXT, 0, "", 0x00);
        expect_frame(&c, role, HWS_TEXT, HWS_FINAL, "\xac", 0x80);
        expect_frame(&c, role, HWS_BINARY, HWS_FIRST, "\xff", 0x02);
        expect_frame(&c, role, HWS_BINARY, HWS_FINAL, "\xff", 0x80);
        expect_frame(&c, role, HWS_TEXT, HWS_WHOLE | HWS_COMPRESSED, "\xf2", 0xC1);
        expect_frame(&c, role, HWS_TEXT, HWS_FIRST | HWS_COMPRESSED, "\xf2", 0x41);
        expect_frame(&c, role, HWS_TEXT, 0, "\xff", 0x00);
        expect_frame(&c, role, HWS_TEXT, HWS_FINAL | HWS_COMPRESSED, "\xff", 0x80);
        expect_frame(&c, role, HWS_TEXT, HWS_FIRST, "plain again", 0x01);
        expect_frame(&c, role, HWS_TEXT, HWS_FINAL, "", 0x80);
        role++;
    }
}

/* A piece is sent back as it came: the server's echo gives the client his own message again. */
static void pieces_go_back_with_their_flags(void **state) {
    static const uint8_t text[] = "a \xe2\x82\xac b \xf0\x9f\x98\x80 c";
    uint8_t flags = 0;
    (void)state;
    while (flags <= HWS_COMPRESSED) {
        uint8_t wire[64];
        uint8_t back[1024];
        uint8_t message[64];
        size_t n = 0, back_n = 0, used = 0, got = 0, cut = 4;
        hws_conn server, client;
        hws_event ev;

        open_conn(&server, SERVER);
        open_conn(&client, CLIENT);
        assert_int_equal(
            hws_conn_send(&client, HWS_TEXT, HWS_FIRST | flags, text, cut, wire, 64, &n), 0);
        assert_int_equal(hws_conn_send(&client, HWS_TEXT, HWS_FINAL, text + cut, sizeof text - cut,
                                       wire, 64, &n),
                         0);
        while (used < n) { /* byte by byte: every piece that there can be */
            size_t end = used + 1;
            while (hws_conn_receive(&server, wire, end, &used, &ev) == HWS_EVENT) {
                assert_int_equal(hws_conn_send(&server, ev.type, ev.flags, ev.data, ev.len, back,
                                               sizeof back, &back_n),
                                 HWS_OK);
            }
        }
        used = 0;
        while (hws_conn_receive(&client, back, back_n, &used, &ev) == HWS_EVENT) {
            assert_int_equal(ev.flags & HWS_COMPRESSED, flags);
            memcpy(message + got, ev.data, ev.len);
            got += ev.len;
        }
        assert_int_equal(got, sizeof text);
        assert_memory_equal(message, text, got);
        assert_int_equal(ev.flags & HWS_FINAL, HWS_FINAL);
        flags += HWS_COMPRESSED;
    }
}

/* --- randomness ---------------------------------------------------------------------------------
 */

static void a_random_source_that_fails_lets_nothing_out(void **state) {
    enum call call = SEND;
    (void)state;
    while (call < CALLS) {
        uint8_t data[5] = "hello";
        uint8_t out[OUT_CAP];
        size_t n = 0;
        hws_conn conn;

        open_conn(&conn, CLIENT);
        owe_two_frames(&conn, CLIENT);
        hws_conn before = conn;
        source.fail_after = 1;
        source.calls = 1;
        assert_int_equal(make_call(call, &conn, HWS_TEXT, HWS_WHOLE, data, 5, out, OUT_CAP, &n),
                         call == HEADER ? HWS_ERR_ARGUMENT : HWS_ERR_RANDOM);
        assert_int_equal(n, 0);
        assert_memory_equal(data, "hello", 5);
        assert_memory_equal(&conn, &before, sizeof conn);
        source.fail_after = 0;
        if (call != HEADER) {
            assert_int_equal(make_call(call, &conn, HWS_TEXT, HWS_WHOLE, data, 5, out, OUT_CAP, &n),
                             HWS_OK);
        }
        call++;
    }
}

/* Anything but HWS_OK is a failure, good results of other calls too. */
static hws_status not_ok(void *user, uint8_t *dst, size_t len) {
    (void)user;
    memset(dst, 1, len);
    return HWS_EVENT;
}

static void only_ok_is_success_of_a_random_source(void **state) {
    hws_conn_config config;
    hws_conn conn;
    uint8_t out[16];
    size_t n = 0;
    (void)state;
    hws_conn_config_init(&config, CLIENT);
    config.random = not_ok;
    assert_int_equal(hws_conn_init(&conn, &config), HWS_OK);
    assert_int_equal(hws_conn_send(&conn, HWS_PING, HWS_WHOLE, NULL, 0, out, sizeof out, &n),
                     HWS_ERR_RANDOM);
    assert_int_equal(n, 0);
}

static int compare_keys(const void *a, const void *b) {
    return memcmp(a, b, 4);
}

static void every_frame_has_a_fresh_key_from_the_source(void **state) {
    enum { FRAMES = 10000 };
    static uint8_t keys[FRAMES][4];
    test_random replay = {.seed = 5};
    unsigned distinct = 1;
    size_t i = 0;
    hws_conn conn;

    (void)state;
    open_conn(&conn, CLIENT);
    while (i < FRAMES) {
        uint8_t out[16];
        uint8_t expected[4];
        size_t n = 0;
        test_random_fill(&replay, expected, 4);
        assert_int_equal(hws_conn_send(&conn, HWS_BINARY, HWS_WHOLE, NULL, 0, out, 16, &n), HWS_OK);
        memcpy(keys[i], out + 2, 4);
        assert_memory_equal(keys[i], expected, 4);
        i++;
        assert_int_equal(source.calls, i);
    }
    qsort(keys, FRAMES, 4, compare_keys);
    i = 1;
    while (i < FRAMES) {
        distinct += memcmp(keys[i], keys[i - 1], 4) != 0;
        i++;
    }
    assert_true(distinct >= 9990);
}

static void two_owed_frames_have_two_keys(void **state) {
    uint8_t out[HWS_REPLY_MAX];
    uint8_t keys[8];
    test_random replay = {.seed = 5};
    size_t n = 0;
    hws_conn conn;

    (void)state;
    open_conn(&conn, CLIENT);
    owe_two_frames(&conn, CLIENT);
    test_random_fill(&replay, keys, 8);
    assert_int_equal(hws_conn_reply(&conn, out, sizeof out, &n), HWS_OK);
    assert_int_equal(n, 11 + 8);
    assert_int_equal(out[0], 0x8A);
    assert_memory_equal(out + 2, keys, 4);
    assert_int_equal(out[11], 0x88);
    assert_memory_equal(out + 13, keys + 4, 4);
    assert_int_equal(out[17] ^ keys[4], 0x03);
    assert_int_equal(out[18] ^ keys[5], 0xE8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_is_all_or_nothing_at_every_capacity),
        cmocka_unit_test(a_count_above_the_capacity_has_no_room),
        cmocka_unit_test(a_mistake_changes_nothing),
        cmocka_unit_test(compression_that_was_not_negotiated_cannot_be_sent),
        cmocka_unit_test(a_client_header_without_masking_is_refused),
        cmocka_unit_test(frames_have_the_first_byte_of_their_place),
        cmocka_unit_test(pieces_go_back_with_their_flags),
        cmocka_unit_test(a_random_source_that_fails_lets_nothing_out),
        cmocka_unit_test(only_ok_is_success_of_a_random_source),
        cmocka_unit_test(every_frame_has_a_fresh_key_from_the_source),
        cmocka_unit_test(two_owed_frames_have_two_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
