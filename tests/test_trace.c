/*
 * Lines for people. A row is a frame or a head, and its lines. Every line is printable ASCII, is
 * cut at every capacity, and lies right before a page nobody may touch. That no secret shows is
 * tried as what it means: a head with other secrets gives the same lines.
 */
#include "support.h"

#include <hawser/trace.h>

#include <stdio.h>
#include <string.h>

enum { HEADERS = 16, ROOM = 4096 };

typedef struct frame_row {
    const char *name;
    uint8_t sent;
    uint8_t fin;
    uint8_t rsv;
    uint8_t opcode;
    uint8_t masked;
    uint64_t len;
    const char *payload; /* in hex; NULL for none */
    const char *line;
} frame_row;

static const frame_row frame_rows[] = {
    {"a text", 0, 1, 0, 1, 0, 5, NULL, "< Text FIN, 5 bytes"},
    {"one byte", 1, 1, 0, 2, 1, 1, NULL, "> Binary FIN masked, 1 byte"},
    {"a fragment", 0, 0, 0, 2, 1, 70000, NULL, "< Binary masked, 70000 bytes"},
    {"the last of them", 1, 1, 0, 0, 0, 0, NULL, "> Continuation FIN, 0 bytes"},
    {"RFC 7692 6: a compressed message", 1, 1, 4, 1, 1, 300, NULL,
     "> Text FIN compressed masked, 300 bytes"},
    {"RFC 6455 5.2: other reserved bits", 0, 1, 3, 1, 0, 2, NULL, "< Text FIN RSV2 RSV3, 2 bytes"},
    {"RFC 6455 5.2: the second bit alone", 0, 1, 2, 1, 0, 2, NULL, "< Text FIN RSV2, 2 bytes"},
    {"RFC 6455 5.2: the longest length", 0, 1, 0, 2, 0, UINT64_MAX >> 1, NULL,
     "< Binary FIN, 9223372036854775807 bytes"},
    {"RFC 6455 5.2: a reserved opcode", 0, 1, 0, 3, 0, 2, NULL, "< Opcode 3 FIN, 2 bytes"},
    {"RFC 6455 5.2: the last before control frames", 0, 1, 0, 7, 0, 2, NULL,
     "< Opcode 7 FIN, 2 bytes"},
    {"RFC 6455 5.2: a reserved control opcode", 0, 1, 0, 11, 0, 2, "6162",
     "< Opcode 11 FIN, 2 bytes: \"ab\""},
    {"RFC 6455 5.2: the last opcode", 0, 1, 0, 15, 0, 0, NULL, "< Opcode 15 FIN, 0 bytes"},
    {"the payload of a message is not shown", 0, 1, 0, 1, 0, 5, "68656C6C6F",
     "< Text FIN, 5 bytes"},
    {"RFC 6455 5.5.1: a Close without code", 0, 1, 0, 8, 0, 0, "", "< Close FIN, 0 bytes"},
    {"RFC 6455 5.5.1: a Close with a code", 1, 1, 0, 8, 1, 2, "03E8",
     "> Close FIN masked, 2 bytes: 1000"},
    {"RFC 6455 5.5.1: a Close with a reason", 0, 1, 0, 8, 0, 12, "03E9 676F696E672061776179",
     "< Close FIN, 12 bytes: 1001 \"going away\""},
    {"RFC 6455 5.5.1: a Close of one byte", 0, 1, 0, 8, 0, 1, "03", "< Close FIN, 1 byte"},
    {"a Close of which no payload is known", 0, 1, 0, 8, 0, 12, NULL, "< Close FIN, 12 bytes"},
    {"an escape for a terminal in a reason", 0, 1, 0, 8, 0, 8, "03E8 1B5B33316D0A",
     "< Close FIN, 8 bytes: 1000 \"\\x1b[31m\\x0a\""},
    {"a reason that is not ASCII", 0, 1, 0, 8, 0, 4, "03E8 C3A4",
     "< Close FIN, 4 bytes: 1000 \"\\xc3\\xa4\""},
    {"quotes and backslashes", 0, 1, 0, 8, 0, 6, "03E8 225C225C",
     "< Close FIN, 6 bytes: 1000 \"\\\"\\\\\\\"\\\\\""},
    {"RFC 6455 5.5.2: a Ping", 1, 1, 0, 9, 1, 4, "61007F7E",
     "> Ping FIN masked, 4 bytes: \"a\\x00\\x7f~\""},
    {"RFC 6455 5.5.2: an empty Ping", 1, 1, 0, 9, 0, 0, "", "> Ping FIN, 0 bytes"},
    {"RFC 6455 5.5.3: a Pong that is shown whole", 0, 1, 0, 10, 0, 32,
     "6161616161616161616161616161616161616161616161616161616161616161",
     "< Pong FIN, 32 bytes: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""},
    {"RFC 6455 5.5.3: a Pong that is too long", 0, 1, 0, 10, 0, 33,
     "616161616161616161616161616161616161616161616161616161616161616161",
     "< Pong FIN, 33 bytes: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"..."},
};

typedef struct head_row {
    const char *name;
    const char *head;  /* without the empty line at its end */
    const char *lines; /* with line ends */
} head_row;

static const head_row head_rows[] = {
    {"a request", "GET /chat HTTP/1.1\r\nHost: example.com:80\r\nX:\r\n",
     "GET /chat HTTP/1.1\nHost: example.com:80\nX: \n"},
    {"a request of an older version", "HEAD / HTTP/1.0\r\n", "HEAD / HTTP/1.0\n"},
    {"a response", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n",
     "HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\n"},
    {"a response without reason", "HTTP/1.0 404\r\n", "HTTP/1.0 404 \n"},
    {"a response after an interim one", "HTTP/1.1 100 C\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nC: d\r\n",
     "HTTP/1.1 200 OK\nC: d\n"},
    {"what is not ASCII, a tab and a backslash", "HTTP/1.1 500 \xC2\x9Bm\\\r\nX: \xFF\t\\\"\r\n",
     "HTTP/1.1 500 \\xc2\\x9bm\\\\\nX: \\xff\\x09\\\\\"\n"},

    {"RFC 9110 11.6.2: credentials",
     "GET / HTTP/1.1\r\nAuthorization: Basic c2VjcmV0\r\nproxy-authorization: Bearer x\r\n",
     "GET / HTTP/1.1\nAuthorization: ***\nproxy-authorization: ***\n"},
    {"RFC 6265 4: cookies",
     "HTTP/1.1 200 OK\r\nCookie: a=b\r\nSET-COOKIE: a=b; Secure\r\nSet-Cookie2: a\r\n",
     "HTTP/1.1 200 OK\nCookie: ***\nSET-COOKIE: ***\nSet-Cookie2: ***\n"},
    {"fields that speak of a secret",
     "GET / HTTP/1.1\r\nX-Api-Key: a\r\nx-auth-token: b\r\nX-SECRET: c\r\nX-Password: d\r\n"
     "Session-Id: e\r\nMy-Credentials: f\r\nX-JWT: g\r\nkey: h\r\nX-Csrf-Token:\r\n",
     "GET / HTTP/1.1\nX-Api-Key: ***\nx-auth-token: ***\nX-SECRET: ***\nX-Password: ***\n"
     "Session-Id: ***\nMy-Credentials: ***\nX-JWT: ***\nkey: ***\nX-Csrf-Token: ***\n"},
    {"more of them",
     "GET / HTTP/1.1\r\nX-Pass: a\r\nX-Pwd: b\r\nX-Bearer: c\r\nX-Sid: d\r\nX-Signature: e\r\n"
     "X-Otp: f\r\nX-Ticket: g\r\nX-CSRF: h\r\nX-Xsrf: i\r\n",
     "GET / HTTP/1.1\nX-Pass: ***\nX-Pwd: ***\nX-Bearer: ***\nX-Sid: ***\nX-Signature: ***\n"
     "X-Otp: ***\nX-Ticket: ***\nX-CSRF: ***\nX-Xsrf: ***\n"},
    {"RFC 6455 1.3: a nonce and a challenge are no secret",
     "GET / HTTP/1.1\r\nSec-WebSocket-Key: a==\r\nSec-WebSocket-Accept: b=\r\n"
     "www-authenticate: Basic realm=\"x\"\r\nProxy-Authenticate: y\r\nKeep-Alive: z\r\n",
     "GET / HTTP/1.1\nSec-WebSocket-Key: a==\nSec-WebSocket-Accept: b=\n"
     "www-authenticate: Basic realm=\"x\"\nProxy-Authenticate: y\nKeep-Alive: z\n"},
    {"RFC 6455 11.3.4: subprotocols are shown",
     "GET / HTTP/1.1\r\nSec-WebSocket-Protocol: chat, graphql-transport-ws, "
     "abcdefghijklmnopqrstuvwx\r\n",
     "GET / HTTP/1.1\nSec-WebSocket-Protocol: chat, graphql-transport-ws, "
     "abcdefghijklmnopqrstuvwx\n"},
    {"RFC 6455 11.3.4: a subprotocol that is too long for one",
     "GET / HTTP/1.1\r\nSec-WebSocket-Protocol: a, abcdefghijklmnopqrstuvwxy\r\n",
     "GET / HTTP/1.1\nSec-WebSocket-Protocol: ***\n"},
    {"RFC 6455 11.3.4: a subprotocol that speaks of a secret",
     "GET / HTTP/1.1\r\nsec-websocket-protocol: Bearer, x\r\nSec-WebSocket-Protocol: token.x\r\n",
     "GET / HTTP/1.1\nsec-websocket-protocol: ***\nSec-WebSocket-Protocol: ***\n"},

    {"RFC 3986 3.4: values of a query", "GET /a?b=c&d=e HTTP/1.1\r\n",
     "GET /a?b=***&d=*** HTTP/1.1\n"},
    {"RFC 3986 3.4: what has no name", "GET /?x HTTP/1.1\r\n", "GET /?*** HTTP/1.1\n"},
    {"RFC 3986 3.4: what has no value may be no name", "GET /?x=&y==&=z&w==v HTTP/1.1\r\n",
     "GET /?***&***&***&w=*** HTTP/1.1\n"},
    {"RFC 3986 3.4: what is not like a name", "GET /?a:b@c=d&e[]=f&g/h=i HTTP/1.1\r\n",
     "GET /?***&***&*** HTTP/1.1\n"},
    {"RFC 3986 3.4: an empty query", "GET /?&a=b&& HTTP/1.1\r\n", "GET /?&a=***&& HTTP/1.1\n"},
    {"RFC 3986 3.4: a question mark alone", "GET /? HTTP/1.1\r\n", "GET /? HTTP/1.1\n"},
    {"RFC 3986 3.5: a fragment", "GET /?a=b#c?d=e HTTP/1.1\r\n", "GET /?a=***#*** HTTP/1.1\n"},
    {"RFC 3986 3.3: an at sign in a path", "GET /@a/b@c:d HTTP/1.1\r\n",
     "GET /@a/b@c:d HTTP/1.1\n"},
    {"RFC 9112 3.2.2: an absolute target", "GET http://u:p@h/a?b=c HTTP/1.1\r\n",
     "GET ***@h/a?b=*** HTTP/1.1\n"},
    {"RFC 3986 3.2.1: a target with two slashes is no path", "GET //u:p@h/ HTTP/1.1\r\n",
     "GET ***@h/ HTTP/1.1\n"},
    {"RFC 3986 3.2.1: nor is one with a backslash", "GET /\\u:p@h/ HTTP/1.1\r\n",
     "GET ***@h/ HTTP/1.1\n"},
    {"RFC 3986 3.2.1: a password with an at sign", "GET ws://u:p@q@h/ HTTP/1.1\r\n",
     "GET ***@h/ HTTP/1.1\n"},
    {"RFC 9110 10.2.2: where a response leads to",
     "HTTP/1.1 302 Found\r\nLocation: https://h/a?code=b&state=c#access_token=d\r\n",
     "HTTP/1.1 302 Found\nLocation: https://h/a?code=***&state=***#***\n"},
    {"RFC 9110 10.1.3: where a request comes from",
     "GET / HTTP/1.1\r\nReferer: https://u:p@h/?a=b\r\nOrigin: https://h:1\r\n",
     "GET / HTTP/1.1\nReferer: ***@h/?a=***\nOrigin: https://h:1\n"},
    {"any value may be a URI",
     "GET / HTTP/1.1\r\nX-Original-URL: /a?b=c\r\nRefresh: 0; url=/a?b=c#d\r\nHost: u@h\r\n",
     "GET / HTTP/1.1\nX-Original-URL: /a?b=***\nRefresh: 0; url=/a?b=***#***\nHost: ***@h\n"},
};

/* Every capacity gives the line, or a part of it that ends with dots. */
static void check_cuts(uint8_t sent, const hws_head *head, const uint8_t *buf, uint32_t line,
                       const char *whole) {
    size_t len = strlen(whole);
    for (size_t cap = 0; cap <= len + 4; cap++) {
        char *out = (char *)guard_alloc(cap);
        uint32_t at = line;
        assert_int_equal(hws_trace_head(sent, head, buf, &at, out, cap), 1);
        assert_int_equal(at, line + 1);
        size_t n = cap > 0 ? strlen(out) : 0;
        if (cap == len + 4) {
            assert_string_equal(out, whole);
        } else if (cap >= 4) {
            assert_in_range(n, 3, cap - 1);
            assert_string_equal(out + n - 3, "...");
            assert_memory_equal(out, whole, n - 3);
        } else {
            assert_int_equal(n, 0);
        }
        guard_free((uint8_t *)out, cap);
    }
}

static void check_printable(const char *line) {
    for (size_t i = 0; line[i] != 0; i++) {
        assert_in_range((uint8_t)line[i], ' ', '~');
    }
}

/* All lines of a head, each after its direction and with a line end. */
static void trace_head(const char *text, uint8_t sent, char *lines) {
    size_t len = strlen(text);
    uint8_t *buf = guard_copy(text, len);
    uint8_t kind = memcmp(text, "HTTP/", 5) == 0 ? HWS_HEAD_RESPONSE : HWS_HEAD_REQUEST;
    char line[ROOM];
    hws_header headers[HEADERS];
    hws_head head;
    uint32_t at = 0;
    size_t n = 0;
    hws_head_init(&head, kind, headers, HEADERS);
    if (hws_head_parse(&head, buf, len) != HWS_OK) {
        fail_msg("no head: %s", text);
    }
    lines[0] = 0;
    while (hws_trace_head(sent, &head, buf, &at, line, sizeof line)) {
        check_printable(line);
        assert_memory_equal(line, sent ? "> " : "< ", 2);
        check_cuts(sent, &head, buf, at - 1, line);
        n += (size_t)snprintf(lines + n, ROOM - n, "%s\n", line + 2);
    }
    assert_string_equal(line, "");
    assert_int_equal(at, head.header_count + 1);
    assert_int_equal(hws_trace_head(sent, &head, buf, &at, NULL, 0), 0);
    guard_free(buf, len);
}

static void heads_become_lines(void **state) {
    char text[ROOM];
    char lines[ROOM];
    (void)state;
    for (size_t i = 0; i < sizeof head_rows / sizeof head_rows[0]; i++) {
        snprintf(text, sizeof text, "%s\r\n", head_rows[i].head);
        trace_head(text, i % 2, lines);
        if (strcmp(lines, head_rows[i].lines) != 0) {
            fail_msg("%s: want\n%s, have\n%s", head_rows[i].name, head_rows[i].lines, lines);
        }
    }
}

static void lists_have_no_start_line(void **state) {
    static const char *const pairs[][3] = {
        {":method", "CONNECT", "> :method: CONNECT"},
        {":authority", "u:p@h", "> :authority: ***@h"},
        {":path", "/a?b=c", "> :path: /a?b=***"},
        {"authorization", "x", "> authorization: ***"},
    };
    enum { PAIRS = sizeof pairs / sizeof pairs[0] };
    hws_header headers[HEADERS];
    hws_head head;
    uint8_t buf[ROOM];
    char line[ROOM];
    size_t n = 0;
    uint32_t at = 0;
    (void)state;
    hws_head_init(&head, HWS_HEAD_LIST, headers, HEADERS);
    for (size_t i = 0; i < PAIRS; i++) {
        hws_field field = {hws_text_from(pairs[i][0]), hws_text_from(pairs[i][1])};
        assert_int_equal(hws_head_add(&head, buf, sizeof buf, &n, &field), HWS_OK);
    }
    for (size_t i = 0; i < PAIRS; i++) {
        assert_int_equal(hws_trace_head(1, &head, buf, &at, line, sizeof line), 1);
        assert_string_equal(line, pairs[i][2]);
    }
    assert_int_equal(hws_trace_head(1, &head, buf, &at, line, sizeof line), 0);
}

/* Heads with secrets, each at a place marked by "@@". */
static const char *const secret_places[] = {
    "GET / HTTP/1.1\r\nAuthorization: @@\r\n\r\n",
    "GET / HTTP/1.1\r\nAuthorization: Bearer @@\r\n\r\n",
    "GET / HTTP/1.1\r\nPROXY-AUTHORIZATION: Basic @@\r\n\r\n",
    "GET / HTTP/1.1\r\nCookie: a=b; @@; c=@@\r\n\r\n",
    "HTTP/1.1 200 OK\r\nSet-Cookie: a=@@; Path=/@@\r\n\r\n",
    "GET / HTTP/1.1\r\nX-Api-Key: @@\r\n\r\n",
    "GET / HTTP/1.1\r\nSec-WebSocket-Protocol: access_token, @@\r\n\r\n",
    "GET / HTTP/1.1\r\nSec-WebSocket-Protocol: a, bearer.@@\r\n\r\n",
    "GET /a?b=c@@&d=@@x&@@ HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET /a?@@ HTTP/1.1\r\n\r\n",
    "GET /a?@@== HTTP/1.1\r\n\r\n",
    "GET /a#@@ HTTP/1.1\r\n\r\n",
    "GET /a?b=c#d@@ HTTP/1.1\r\n\r\n",
    "GET http://@@:@@%40h/a?b=x@@ HTTP/1.1\r\n\r\n",
    "HTTP/1.1 302 Found\r\nLocation: https://u:@@%40h/a?b=x@@#@@\r\n\r\n",
    "HTTP/1.1 302 Found\r\nLocation: /a?b=x@@&@@\r\n\r\n",
    "GET / HTTP/1.1\r\nReferer: https://h/a?b=x@@&c=x@@#@@\r\n\r\n",
    "GET / HTTP/1.1\r\nReferer: //@@:@@%40h/\r\n\r\n",
    "GET / HTTP/1.1\r\nX-Forwarded-Uri: /a?b=x@@\r\n\r\n",
};

/* Puts 40 random characters at each mark, so many that a name of a subprotocol is too long; none
 * that would end the place. "%40" stands for an "@" that is none of a mark. */
static void put_secrets(const char *place, uint64_t *seed, char *text) {
    static const char characters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        "-._~!$'()*+%:";
    size_t n = 0;
    for (size_t i = 0; place[i] != 0; i++) {
        if (place[i] == '@' && place[i + 1] == '@') {
            for (size_t k = 0; k < 40; k++) {
                text[n++] = characters[random_next(seed) % (sizeof characters - 1)];
            }
            i++;
        } else if (strncmp(place + i, "%40", 3) == 0) {
            text[n++] = '@';
            i += 2;
        } else {
            text[n++] = place[i];
        }
    }
    text[n] = 0;
}

static void lines_do_not_depend_on_secrets(void **state) {
    enum { PLACES = sizeof secret_places / sizeof secret_places[0], TIMES = 20 };
    uint64_t seed = 3;
    (void)state;
    for (size_t i = 0; i < PLACES; i++) {
        char first[ROOM];
        put_secrets(secret_places[i], &seed, first);
        char lines[ROOM];
        trace_head(first, 0, lines);
        assert_non_null(strstr(lines, "***"));
        for (size_t k = 0; k < TIMES; k++) {
            char text[ROOM];
            char others[ROOM];
            put_secrets(secret_places[i], &seed, text);
            trace_head(text, 0, others);
            if (strcmp(lines, others) != 0) {
                fail_msg("%s: one has\n%s, another\n%s", secret_places[i], lines, others);
            }
        }
    }
}

static hws_frame frame_of(const frame_row *r) {
    hws_frame frame;
    memset(&frame, 0, sizeof frame);
    frame.fin = r->fin;
    frame.rsv = r->rsv;
    frame.opcode = r->opcode;
    frame.masked = r->masked;
    frame.payload_len = r->len;
    return frame;
}

static void frames_become_lines(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof frame_rows / sizeof frame_rows[0]; i++) {
        const frame_row *r = &frame_rows[i];
        hws_frame frame = frame_of(r);
        uint8_t bytes[HWS_CONTROL_MAX];
        size_t len = r->payload != NULL ? hex_decode(r->payload, bytes, sizeof bytes) : 0;
        uint8_t *payload = guard_copy(bytes, len);
        const uint8_t *given = r->payload != NULL ? payload : NULL;
        size_t line = strlen(r->line);
        for (size_t cap = 0; cap <= line + 4; cap++) {
            char *out = (char *)guard_alloc(cap);
            size_t n = hws_trace_frame(r->sent, &frame, given, out, cap);
            assert_true(cap == 0 || out[n] == 0);
            assert_true(cap >= 4 || n == 0);
            if (cap == line + 4 && strcmp(out, r->line) != 0) {
                fail_msg("%s: want %s, have %s", r->name, r->line, out);
            }
            if (cap >= 4 && cap < line + 4) {
                assert_string_equal(out + n - 3, "...");
                assert_memory_equal(out, r->line, n - 3);
            }
            guard_free((uint8_t *)out, cap);
        }
        guard_free(payload, len);
    }
}

/* RFC 6455 5.5: no more than 125 bytes of payload are read, and the longest line has room. */
static void the_longest_line_has_room(void **state) {
    hws_frame frame;
    uint8_t bytes[HWS_CONTROL_MAX];
    (void)state;
    memset(bytes, 0xFF, sizeof bytes);
    memset(&frame, 0xFF, sizeof frame);
    uint8_t *payload = guard_copy(bytes, sizeof bytes);
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        char *out = (char *)guard_alloc(HWS_TRACE_LINE);
        frame.opcode = (uint8_t)opcode;
        size_t n = hws_trace_frame(0, &frame, payload, out, HWS_TRACE_LINE);
        assert_int_equal(strlen(out), n);
        check_printable(out);
        assert_in_range(n, 20, HWS_TRACE_LINE - 4);
        assert_true(opcode == HWS_OPCODE_CLOSE ? n > 4 * HWS_REASON_MAX : n < 220);
        guard_free((uint8_t *)out, HWS_TRACE_LINE);
    }
    guard_free(payload, sizeof bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_become_lines),
        cmocka_unit_test(the_longest_line_has_room),
        cmocka_unit_test(heads_become_lines),
        cmocka_unit_test(lists_have_no_start_line),
        cmocka_unit_test(lines_do_not_depend_on_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
