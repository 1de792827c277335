/*
 * The limits of a head. Each row is a start and a piece that then comes again and again, parsed
 * whole and one byte at a time; both must end with the same status at the same byte.
 */
#include "support.h"

#include <hawser/http.h>

#include <string.h>

enum { ROOM = 70000, HEADERS = 4096 };

#define GET "GET / HTTP/1.1\r\n"
#define OK200 "HTTP/1.1 200 OK\r\n"

typedef struct row {
    const char *name;
    const char *start;
    const char *more;
    uint32_t max_head; /* 0: as hws_head_init() has it, so for max_line and headers */
    uint32_t max_line;
    uint32_t headers;
    hws_status status;
    uint32_t head_len;
} row;

static const row request_rows[] = {
    {"RFC 9110 15.5.15: a request line of 64 KiB", "GET /", "a", 0, 0, 0, HWS_ERR_TARGET_TOO_LONG,
     8192},
    {"RFC 9110 15.5.15: a method that never ends", "", "A", 0, 0, 0, HWS_ERR_TARGET_TOO_LONG, 8192},
    {"RFC 9112 3: a request line of the greatest length", GET "\r\n", "x", 0, 16, 0, HWS_OK, 18},
    {"RFC 9112 3: a request line one byte too long", "GET /a HTTP/1.1\r\n\r\n", "x", 0, 16, 0,
     HWS_ERR_TARGET_TOO_LONG, 16},
    {"RFC 9112 2.2: the empty line before a request line does not count for it", "\r\n" GET "\r\n",
     "x", 0, 16, 0, HWS_OK, 20},
    {"RFC 9112 2.2: the empty line before a request line counts for the head", "\r\n" GET "\r\n",
     "x", 19, 0, 0, HWS_ERR_HEAD_TOO_LARGE, 19},
    {"RFC 9110 5.4: a field line of the greatest length", GET "Abc: 67890.234\r\n\r\n", "x", 0, 16,
     0, HWS_OK, 34},
    {"RFC 9110 5.4: a field line one byte too long", GET "Abc: 67890.2345\r\n\r\n", "x", 0, 16, 0,
     HWS_ERR_FIELD_TOO_LONG, 32},
    {"RFC 9110 5.4: a forbidden byte at the end of the room goes before the length",
     GET "Abc: 67890.2345\x7F", "x", 32, 16, 0, HWS_ERR_FIELD_VALUE, 32},
    {"RFC 9110 5.4: a line limit is judged before the limit of the head", "GET /a HTTP/1.1\r\n\r\n",
     "x", 16, 16, 0, HWS_ERR_TARGET_TOO_LONG, 16},
    {"RFC 6585 5: a name that never ends", GET, "A", 0, 0, 0, HWS_ERR_FIELD_TOO_LONG, 16 + 8192},
    {"RFC 6585 5: white space that never ends", GET "A:", " ", 0, 0, 0, HWS_ERR_FIELD_TOO_LONG,
     16 + 8192},
    {"RFC 6585 5: a head of the greatest length", GET "A: b\r\n\r\n", "x", 24, 0, 0, HWS_OK, 24},
    {"RFC 6585 5: a head one byte too long", GET "A: bc\r\n\r\n", "x", 24, 0, 0,
     HWS_ERR_HEAD_TOO_LARGE, 24},
    {"RFC 6585 5: field lines that never end", GET, "A: bcdef\r\n", 0, 0, 0, HWS_ERR_HEAD_TOO_LARGE,
     16384},
    {"RFC 6585 5: the smallest field lines that never end", GET, "A:\r\n", 0, 0, 0,
     HWS_ERR_HEAD_TOO_LARGE, 16384},
    {"RFC 6585 5: a head of 64 KiB where that is allowed", GET, "A: bcdef\r\n", 65536, 0, 0,
     HWS_ERR_TOO_MANY_FIELDS, 16 + 10 * 4096 + 1},
    {"RFC 6585 5: as many field lines as there is room for", GET "A:\r\nB:\r\n\r\n", "x", 0, 0, 2,
     HWS_OK, 26},
    {"RFC 6585 5: one field line too many", GET "A:\r\nB:\r\nC:\r\n\r\n", "x", 0, 0, 2,
     HWS_ERR_TOO_MANY_FIELDS, 25},
};

static const row response_rows[] = {
    {"RFC 9112 4: a status line of the greatest length", OK200 "\r\n", "x", 0, 17, 0, HWS_OK, 19},
    {"RFC 9112 4: a status line one byte too long", OK200 "\r\n", "x", 0, 16, 0,
     HWS_ERR_FIELD_TOO_LONG, 16},
    {"RFC 9112 4: a reason that never ends", "HTTP/1.1 200 ", "a", 0, 0, 0, HWS_ERR_FIELD_TOO_LONG,
     8192},
    {"RFC 6585 5: field lines of a response that never end", OK200, "A: bcdef\r\n", 0, 0, 0,
     HWS_ERR_HEAD_TOO_LARGE, 16384},
    {"RFC 9110 15.2: interim responses that never end", "", "HTTP/1.1 100 Continue\r\n\r\n", 0, 0,
     0, HWS_ERR_HEAD_TOO_LARGE, 16384},
    {"RFC 9110 15.2: an interim response counts for the limit of the head",
     "HTTP/1.1 100 C\r\n\r\n" OK200 "\r\n", "x", 36, 0, 0, HWS_ERR_HEAD_TOO_LARGE, 36},
    {"RFC 9110 15.2: each interim response has all the room for field lines",
     "HTTP/1.1 100 C\r\nA:\r\n\r\nHTTP/1.1 102 P\r\nA:\r\n\r\n" OK200 "B:\r\n\r\n", "x", 0, 0, 1,
     HWS_OK, 67},
};

static void start(hws_head *head, uint8_t kind, const row *r) {
    static hws_header headers[HEADERS];
    hws_head_init(head, kind, headers, r->headers > 0 ? r->headers : HEADERS);
    if (r->max_head > 0) {
        head->max_head = r->max_head;
    }
    if (r->max_line > 0) {
        head->max_line = r->max_line;
    }
}

static void check(const char *how, const row *r, const hws_head *head, hws_status status) {
    if (status != r->status || head->head_len != r->head_len) {
        fail_msg("%s, %s: %s at %u", r->name, how, hws_status_name(status), head->head_len);
    }
}

static void check_row(uint8_t kind, const row *r) {
    static uint8_t in[ROOM];
    size_t first = strlen(r->start);
    size_t len = 0;
    hws_head head;
    hws_status status = HWS_NEED_MORE;
    memcpy(in, r->start, first);
    for (size_t i = first; i < ROOM; i++) {
        in[i] = (uint8_t)r->more[(i - first) % strlen(r->more)];
    }
    start(&head, kind, r);
    check("whole", r, &head, hws_head_parse(&head, in, ROOM));
    start(&head, kind, r);
    while (status == HWS_NEED_MORE && len < ROOM) {
        len++;
        status = hws_head_parse(&head, in, len);
    }
    check("byte by byte", r, &head, status);
    assert_int_equal(head.head_len, len);
}

static void requests_end_at_their_limits(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof request_rows / sizeof request_rows[0]; i++) {
        check_row(HWS_HEAD_REQUEST, &request_rows[i]);
    }
}

static void responses_end_at_their_limits(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof response_rows / sizeof response_rows[0]; i++) {
        check_row(HWS_HEAD_RESPONSE, &response_rows[i]);
    }
}

static void limits_of_zero_refuse_at_once(void **state) {
    hws_head head;
    (void)state;
    hws_head_init(&head, HWS_HEAD_REQUEST, NULL, 0);
    head.max_head = 0;
    assert_int_equal(hws_head_parse(&head, NULL, 0), HWS_ERR_HEAD_TOO_LARGE);
    assert_int_equal(head.head_len, 0);
    hws_head_init(&head, HWS_HEAD_REQUEST, NULL, 0);
    head.max_line = 0;
    assert_int_equal(hws_head_parse(&head, NULL, 0), HWS_ERR_TARGET_TOO_LONG);
    assert_int_equal(head.head_len, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_end_at_their_limits),
        cmocka_unit_test(responses_end_at_their_limits),
        cmocka_unit_test(limits_of_zero_refuse_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
