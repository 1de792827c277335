/*
 * Written responses, as text, at every capacity; and the pieces that all heads are written from.
 */
#include "support.h"

#include "http.h"

#include <stdio.h>
#include <string.h>

enum { ROOM = 1024, FIRST = 3 };

/* clang-format off */
#define FIELD(name, value) {{name, sizeof(name) - 1}, {value, sizeof(value) - 1}}
#define NONE FIELD("", "")
#define HTML FIELD("Content-Type", "text/html")
#define BASIC FIELD("www-authenticate", "Basic realm=\"a\"")
/* clang-format on */
#define END(length) "Content-Length: " length "\r\nConnection: close\r\n\r\n"

typedef struct row {
    const char *name;
    uint16_t status;
    size_t count;
    hws_field fields[2];
    const char *body; /* NULL: the head alone */
    size_t body_len;
    const char *want;
} row;

static const row rows[] = {
    {"RFC 9112 4: a page",
     200,
     1,
     {HTML, NONE},
     "<p>",
     3,
     "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" END("3") "<p>"},
    {"RFC 9112 4: an empty body",
     404,
     0,
     {NONE, NONE},
     "",
     0,
     "HTTP/1.1 404 Not Found\r\n" END("0")},
    {"RFC 9110 9.3.2: an answer to HEAD",
     200,
     0,
     {NONE, NONE},
     NULL,
     1234567890,
     "HTTP/1.1 200 OK\r\n" END("1234567890")},
    {"RFC 9112 4: a status code without a phrase keeps its SP",
     299,
     0,
     {NONE, NONE},
     "a",
     1,
     "HTTP/1.1 299 \r\n" END("1") "a"},
    {"RFC 6585 5: the longest phrase",
     431,
     0,
     {NONE, NONE},
     "",
     0,
     "HTTP/1.1 431 Request Header Fields Too Large\r\n" END("0")},
    {"RFC 9110 15.5.2: 401 with its challenge",
     401,
     2,
     {HTML, BASIC},
     "no",
     2,
     "HTTP/1.1 401 Unauthorized\r\nContent-Type: text/html\r\n"
     "www-authenticate: Basic realm=\"a\"\r\n" END("2") "no"},
    {"RFC 9110 15.5.6: 405 names the method",
     405,
     0,
     {NONE, NONE},
     "",
     0,
     "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\n" END("0")},
    {"RFC 6455 4.4: 426 names protocol and version",
     426,
     0,
     {NONE, NONE},
     "",
     0,
     "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
     "Sec-WebSocket-Version: 13\r\n" END("0")},
    {"RFC 9110 10.2.3: 503 may say when",
     503,
     1,
     {FIELD("Retry-After", "120"), NONE},
     "",
     0,
     "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 120\r\n" END("0")},
    {"RFC 9110 15.3.5: 204 has neither body nor length",
     204,
     0,
     {NONE, NONE},
     "a",
     1,
     "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"},
    {"RFC 9110 15.4.5: 304 has no body",
     304,
     0,
     {NONE, NONE},
     "a",
     1,
     "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n"},
    {"RFC 9110 5.5: an empty value and high bytes",
     599,
     2,
     {FIELD("A", ""), FIELD("B", "\xE4 \t\xF6")},
     "",
     0,
     "HTTP/1.1 599 \r\nA: \r\nB: \xE4 \t\xF6\r\n" END("0")},
};

static hws_status write_row(const row *r, uint8_t *out, size_t cap, size_t *n) {
    return hws_response_write(r->status, r->count > 0 ? r->fields : NULL, r->count,
                              (const uint8_t *)r->body, r->body_len, out, cap, n);
}

static void check_row(const row *r) {
    size_t len = strlen(r->want);
    for (size_t cap = FIRST; cap < FIRST + len; cap++) {
        uint8_t *out = guard_alloc(cap);
        size_t n = FIRST;
        assert_int_equal(write_row(r, out, cap, &n), HWS_ERR_SPACE);
        assert_int_equal(n, FIRST);
        guard_free(out, cap);
    }
    uint8_t *out = guard_alloc(FIRST + len);
    size_t n = FIRST;
    assert_int_equal(write_row(r, out, FIRST + len, &n), HWS_OK);
    if (n != FIRST + len || memcmp(out + FIRST, r->want, len) != 0) {
        fail_msg("%s:\nwant %s\nhave %.*s", r->name, r->want, (int)(n - FIRST), out + FIRST);
    }
    assert_memory_equal(out, "\0\0\0", FIRST);
    guard_free(out, FIRST + len);
}

static void responses_are_written_at_every_capacity(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_row(&rows[i]);
    }
}

static void responses_are_refused(void **state) {
    static const struct {
        const char *name;
        uint16_t status;
        hws_field field;
        hws_status want;
    } refused[] = {
        {"RFC 9110 15.2: an interim response", 101, HTML, HWS_ERR_ARGUMENT},
        {"RFC 9110 15.2: 199", 199, HTML, HWS_ERR_ARGUMENT},
        {"RFC 9110 15: 600", 600, HTML, HWS_ERR_ARGUMENT},
        {"RFC 9110 15: 0", 0, HTML, HWS_ERR_ARGUMENT},
        {"RFC 9110 15.5.2: 401 without challenge", 401, HTML, HWS_ERR_ARGUMENT},
        {"RFC 9110 8.6: a length of the caller", 200, FIELD("content-length", "5"), HWS_ERR_FIELD},
        {"RFC 9110 7.6.1: Connection of the caller", 200, FIELD("Connection", "keep-alive"),
         HWS_ERR_FIELD},
        {"RFC 9112 6.2: a coding beside the length", 200, FIELD("Transfer-Encoding", "chunked"),
         HWS_ERR_FIELD},
        {"RFC 9110 5.5: a value that splits the response", 200, FIELD("A", "a\r\n\r\nHTTP/1.1 200"),
         HWS_ERR_FIELD},
        {"RFC 9110 5.5: LF in a value", 200, FIELD("A", "o\nX: 1"), HWS_ERR_FIELD},
        {"RFC 9110 5.5: NUL in a value", 200, FIELD("A", "a\0b"), HWS_ERR_FIELD},
        {"RFC 9110 5.5: white space after a value", 200, FIELD("A", "a "), HWS_ERR_FIELD},
        {"RFC 9110 5.1: CRLF in a name", 200, FIELD("X\r\nEvil", "a"), HWS_ERR_FIELD},
        {"RFC 9110 5.1: a colon in a name", 200, FIELD("X:", "a"), HWS_ERR_FIELD},
        {"RFC 9110 5.1: an empty name", 200, FIELD("", "a"), HWS_ERR_FIELD},
    };
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        hws_field fields[3] = {refused[i].field, HTML, refused[i].field};
        uint8_t out[ROOM] = {0};
        const uint8_t zeros[ROOM] = {0};
        for (size_t first = 0; first < 2; first++) {
            size_t n = 0;
            hws_status status = hws_response_write(refused[i].status, fields + first, 2, NULL, 0,
                                                   out, sizeof out, &n);
            if (status != refused[i].want) {
                fail_msg("%s: %s", refused[i].name, hws_status_name(status));
            }
            assert_int_equal(n, 0);
            assert_memory_equal(out, zeros, sizeof out);
        }
    }
}

static void numbers_are_written_in_decimal(void **state) {
    static const uint64_t numbers[] = {0, 9, 10, 101, UINT32_MAX, UINT64_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char want[32];
        uint8_t out[32];
        hws__writer w = {out, sizeof out, 0, 0};
        int len = snprintf(want, sizeof want, "%llu", (unsigned long long)numbers[i]);
        hws__write_number(&w, numbers[i]);
        assert_int_equal(w.n, len);
        assert_memory_equal(out, want, w.n);
    }
}

/* What the parser makes of what was written: RFC 9112 4 and 6.3 from the other side. */
static void written_responses_can_be_parsed(void **state) {
    (void)state;
    for (uint16_t status = 200; status <= 599; status++) {
        const hws_field challenge = BASIC;
        hws_header headers[8];
        hws_head head;
        uint8_t out[ROOM];
        size_t n = 0;
        hws_text phrase = hws__reason_phrase(status);
        assert_int_equal(hws_response_write(status, &challenge, 1, (const uint8_t *)"body", 4, out,
                                            sizeof out, &n),
                         HWS_OK);
        hws_head_init(&head, HWS_HEAD_RESPONSE, headers, 8);
        assert_int_equal(hws_head_parse(&head, out, n), HWS_OK);
        assert_int_equal(head.status, status);
        assert_int_equal(head.reason.len, phrase.len);
        assert_true(phrase.len == 0 || phrase.len == strcspn(phrase.data, "\n"));
        if (status == 204 || status == 304) {
            assert_int_equal(head.body, HWS_BODY_NONE);
            assert_int_equal(head.head_len, n);
        } else {
            assert_int_equal(head.body, HWS_BODY_LENGTH);
            assert_int_equal(head.content_length, 4);
            assert_int_equal(head.head_len + 4, n);
        }
    }
    assert_int_equal(hws__reason_phrase(101).len, strlen("Switching Protocols"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(responses_are_written_at_every_capacity),
        cmocka_unit_test(responses_are_refused),
        cmocka_unit_test(numbers_are_written_in_decimal),
        cmocka_unit_test(written_responses_can_be_parsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
