/*
 * Credentials, tokens, queries and cookies, and how secrets are compared. A row is the field lines
 * of a request (or its target), and what is read of it, or the status. Every head and every output
 * lies right before a page nobody may touch; output is tried at every capacity.
 */
#define _POSIX_C_SOURCE 200809L
#include "support.h"

#include <hawser/auth.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { HEADERS = 8, ROOM = 512, FIRST = 2 };

typedef struct row {
    const char *name;
    const char *request; /* field lines, each with its CRLF; of a query, the target */
    const char *trace;   /* results with "|" between them, or the name of the status */
} row;

/* A reader of one of the kinds, behind one face: writes what it found into trace. */
typedef hws_status (*reader)(const hws_head *head, const uint8_t *buf, uint8_t *out, size_t cap,
                             size_t *n, char *trace);

static const row basic_rows[] = {
    {"RFC 7617 2: user and password", "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n",
     "Aladdin|open sesame"},
    {"RFC 7617 2.1: UTF-8 goes through", "Authorization: Basic dGVzdDoxMjPCow==\r\n",
     "test|123\xC2\xA3"},
    {"RFC 7617 2: colons in the password are kept", "Authorization: Basic YTo6YjpjOg==\r\n",
     "a|:b:c:"},
    {"RFC 7617 2: an empty user", "Authorization: Basic OnB3\r\n", "|pw"},
    {"RFC 7617 2: an empty password", "Authorization: Basic YTo=\r\n", "a|"},
    {"RFC 7617 2: both empty", "Authorization: Basic Og==\r\n", "|"},
    {"RFC 9110 11.1: a scheme has no case", "authorization: bAsIC YTpi\r\n", "a|b"},
    {"RFC 9110 11.4: several spaces after the scheme", "Authorization: Basic    YTpi\r\n", "a|b"},
    {"RFC 7617 2: no field", "Host: h\r\n", "ABSENT"},
    {"RFC 9110 11.4: another scheme", "Authorization: Bearer YTpi\r\n", "ABSENT"},
    {"RFC 9110 11.4: a longer scheme", "Authorization: Basics YTpi\r\n", "ABSENT"},
    {"RFC 9110 11.4: another scheme with parameters", "Authorization: Digest a=\"b c\", d=e\r\n",
     "ABSENT"},
    {"RFC 9110 11.7.2: credentials for a proxy are not the server's",
     "Proxy-Authorization: Basic YTpi\r\n", "ABSENT"},
    {"RFC 7617 2: no colon", "Authorization: Basic YWI=\r\n", "HWS_ERR_FIELD"},
    {"RFC 7617 2: a control character in the user", "Authorization: Basic YQ06Yg==\r\n",
     "HWS_ERR_FIELD"},
    {"RFC 7617 2: NUL in the password", "Authorization: Basic YTpiAA==\r\n", "HWS_ERR_FIELD"},
    {"RFC 7617 2: DEL in the password", "Authorization: Basic YTp/\r\n", "HWS_ERR_FIELD"},
    {"RFC 9110 11.4: nothing after the scheme", "Authorization: Basic\r\n", "HWS_ERR_FIELD"},
    {"RFC 9110 11.4: nothing at all", "Authorization:\r\n", "HWS_ERR_FIELD"},
    {"RFC 9110 11.4: a tab after the scheme", "Authorization: Basic\tYTpi\r\n", "HWS_ERR_FIELD"},
    {"RFC 9110 11.4: a comma after the credentials", "Authorization: Basic YTpi, x\r\n",
     "HWS_ERR_FIELD"},
    {"RFC 9110 11.6.2: two fields", "Authorization: Basic YTpi\r\nAuthorization: Basic YTpi\r\n",
     "HWS_ERR_FIELD"},
    {"RFC 9110 11.6.2: two fields of different schemes",
     "Authorization: Basic YTpi\r\nX: y\r\nauthorization: Bearer x\r\n", "HWS_ERR_FIELD"},
    {"RFC 9110 11.6.2: two fields of which none is Basic",
     "Authorization: Bearer x\r\nAuthorization: Bearer x\r\n", "HWS_ERR_FIELD"},
    {"RFC 4648 3.2: padding left out", "Authorization: Basic YTo\r\n", "HWS_ERR_FIELD"},
    {"RFC 4648 3.5: unused bits that are set", "Authorization: Basic YTp=\r\n", "HWS_ERR_FIELD"},
    {"RFC 4648 5: the alphabet of URLs", "Authorization: Basic YTp-\r\n", "HWS_ERR_FIELD"},
};

static const row bearer_rows[] = {
    {"RFC 6750 2.1: a token", "Authorization: Bearer mF_9.B5f-4.1JqM\r\n", "mF_9.B5f-4.1JqM"},
    {"RFC 9110 11.2: every mark of a token68", "Authorization: Bearer aZ09-._~+/==\r\n",
     "aZ09-._~+/=="},
    {"RFC 9110 11.1: a scheme has no case", "Authorization: BEARER x\r\n", "x"},
    {"RFC 6750 2.1: several spaces", "Authorization: Bearer   x\r\n", "x"},
    {"RFC 6750 2.1: no field", "X: y\r\n", "ABSENT"},
    {"RFC 6750 2.1: another scheme", "Authorization: Basic YTpi\r\n", "ABSENT"},
    {"RFC 6750 2.1: no token", "Authorization: Bearer\r\n", "HWS_ERR_FIELD"},
    {"RFC 9110 11.2: padding alone", "Authorization: Bearer ==\r\n", "HWS_ERR_FIELD"},
    {"RFC 9110 11.2: a character after padding", "Authorization: Bearer a=b\r\n", "HWS_ERR_FIELD"},
    {"RFC 9110 11.2: a space in the token", "Authorization: Bearer a b\r\n", "HWS_ERR_FIELD"},
    {"RFC 9110 11.2: a quoted token", "Authorization: Bearer \"a\"\r\n", "HWS_ERR_FIELD"},
    {"RFC 9110 11.2: a byte outside ASCII", "Authorization: Bearer a\xC3\xA4\r\n", "HWS_ERR_FIELD"},
    {"RFC 9110 11.4: a comma before the scheme", "Authorization: , Bearer a\r\n", "HWS_ERR_FIELD"},
    {"RFC 9110 11.6.2: two fields", "Authorization: Bearer a\r\nAuthorization: Bearer a\r\n",
     "HWS_ERR_FIELD"},
};

/* All look for the parameter "to ken". */
static const row query_rows[] = {
    {"RFC 3986 3.4: a parameter", "/?to%20ken=abc", "abc"},
    {"RFC 3986 3.4: among others", "/p?a=b&to%20ken=abc&c", "abc"},
    {"RFC 3986 2.1: a value is decoded", "/?to%20ken=a%2fb%2Bc%20%c3%A4%26", "a/b+c \xC3\xA4&"},
    {"RFC 3986 2.1: a name is decoded", "/?%74%6F%20%6be%6E=abc", "abc"},
    {"RFC 3986 2.2: a plus sign is kept", "/?to%20ken=a+b", "a+b"},
    {"RFC 3986 3.4: an equals sign in a value", "/?to%20ken=a==", "a=="},
    {"RFC 3986 3.4: slashes and questions in a query", "/?a?b/&to%20ken=?/", "?/"},
    {"RFC 3986 3.4: an empty value", "/?to%20ken=&a", ""},
    {"RFC 3986 3.4: no value", "/?to%20ken", ""},
    {"RFC 3986 3.4: empty parameters are skipped", "/?&&to%20ken=a&&", "a"},
    {"RFC 9112 3.2.2: the query of an absolute target", "http://h/?to%20ken=a", "a"},
    {"RFC 3986 3.5: a fragment is none of the query", "/?to%20ken=a#b", "a"},
    {"RFC 3986 3.5: a query in a fragment is none", "/#?to%20ken=a", "ABSENT"},
    {"RFC 3986 3.4: no query", "/to%20ken=a", "ABSENT"},
    {"RFC 3986 3.4: an empty query", "/?", "ABSENT"},
    {"RFC 3986 3.4: a longer name", "/?to%20kens=a", "ABSENT"},
    {"RFC 3986 3.4: a shorter name", "/?to%20ke=a", "ABSENT"},
    {"RFC 3986 3.4: a name has its case", "/?To%20ken=a", "ABSENT"},
    {"RFC 3986 3.4: a plus sign is no space", "/?to+ken=a", "ABSENT"},
    {"RFC 3986 3.4: a name that is a value", "/?a=to%20ken=b", "ABSENT"},
    {"RFC 3986 2.1: a bad percent sign", "/?to%20ken=%4g", "HWS_ERR_FIELD"},
    {"RFC 3986 2.1: half a percent sign", "/?to%20ken=%4", "HWS_ERR_FIELD"},
    {"RFC 3986 2.1: a percent sign before the next parameter", "/?to%20ken=%4&1", "HWS_ERR_FIELD"},
    {"RFC 3986 2.1: a bad percent sign elsewhere does not matter", "/?%=%zz&to%20ken=a&b=%", "a"},
    {"RFC 3986 2.1: a bad percent sign in a name stands for nothing", "/?to%20ke%6=a", "ABSENT"},
    {"RFC 3986 7.3: NUL in a value", "/?to%20ken=a%00", "HWS_ERR_FIELD"},
    {"RFC 3986 7.3: a line end in a value", "/?to%20ken=a%0D%0A", "HWS_ERR_FIELD"},
    {"RFC 3986 7.3: DEL in a value", "/?to%20ken=%7f", "HWS_ERR_FIELD"},
    {"RFC 6749 3.1: a parameter that is there twice", "/?to%20ken=a&to%20ken=b", "HWS_ERR_FIELD"},
    {"RFC 6749 3.1: twice, and written in two ways", "/?to%20ken=a&b&%74o%20ken", "HWS_ERR_FIELD"},
};

/* All look for the cookie "sid". */
static const row cookie_rows[] = {
    {"RFC 6265 4.2.1: a cookie", "Cookie: sid=31d4d96e\r\n", "31d4d96e"},
    {"RFC 6265 4.2.1: among others", "Cookie: a=b; sid=x; lang=en-US\r\n", "x"},
    {"RFC 6265 4.1.1: quotes are not part of the value", "Cookie: sid=\"x\"; a=b\r\n", "x"},
    {"RFC 6265 4.1.1: an empty value in quotes", "Cookie: sid=\"\"\r\n", ""},
    {"RFC 6265 4.1.1: an empty value", "Cookie: sid=; a=b\r\n", ""},
    {"RFC 6265 4.1.1: an equals sign in a value", "Cookie: sid=a==\r\n", "a=="},
    {"RFC 6265 4.1.1: every mark of a value", "Cookie: sid=!#$%&'()*+-./:<=>?@[]^_`{|}~\r\n",
     "!#$%&'()*+-./:<=>?@[]^_`{|}~"},
    {"RFC 6265 5.4: the first of several", "Cookie: sid=a; sid=b\r\n", "a"},
    {"RFC 6265 5.4: no space between cookies", "Cookie: a=b;sid=x;c=d\r\n", "x"},
    {"RFC 6265 5.4: much space between cookies", "Cookie: a=b ;\t sid=x \t; c=d\r\n", "x"},
    {"RFC 9113 8.2.3: several fields", "Cookie: a=b\r\nX: y\r\ncookie: sid=x\r\n", "x"},
    {"RFC 9113 8.2.3: the first of several fields", "Cookie: sid=x\r\nCookie: sid=y\r\n", "x"},
    {"RFC 6265 4.2.1: empty pairs are skipped", "Cookie: ;; sid=x;\r\n", "x"},
    {"RFC 6265 4.2.1: malformed cookies of others do not matter",
     "Cookie: a; =b; c=\"d e\"; sid=x; \xFF=\xFF\r\n", "x"},
    {"RFC 6265 4.2.1: a comma is part of a name before it", "Cookie: a,sid=x\r\n", "ABSENT"},
    {"RFC 6265 4.2.1: no field", "X: sid=x\r\n", "ABSENT"},
    {"RFC 6265 4.2.1: an empty field", "Cookie:\r\n", "ABSENT"},
    {"RFC 6265 4.2.1: a name has its case", "Cookie: Sid=x\r\n", "ABSENT"},
    {"RFC 6265 4.2.1: a longer name", "Cookie: sids=x; xsid=x\r\n", "ABSENT"},
    {"RFC 6265 4.2.1: a name without value", "Cookie: sid\r\n", "ABSENT"},
    {"RFC 6265 4.2.1: a space after the name", "Cookie: sid =x\r\n", "ABSENT"},
    {"RFC 6265 4.2.1: a name in a value", "Cookie: a=sid=x\r\n", "ABSENT"},
    {"RFC 6265 4.1.1: a space in the value", "Cookie: sid=a b\r\n", "HWS_ERR_FIELD"},
    {"RFC 6265 4.1.1: a space before the value", "Cookie: sid= a\r\n", "HWS_ERR_FIELD"},
    {"RFC 6265 4.1.1: a comma in the value", "Cookie: sid=a,b\r\n", "HWS_ERR_FIELD"},
    {"RFC 6265 4.1.1: a backslash in the value", "Cookie: sid=a\\b\r\n", "HWS_ERR_FIELD"},
    {"RFC 6265 4.1.1: a quote in the value", "Cookie: sid=a\"b\r\n", "HWS_ERR_FIELD"},
    {"RFC 6265 4.1.1: a quote alone", "Cookie: sid=\"\r\n", "HWS_ERR_FIELD"},
    {"RFC 6265 4.1.1: a quote that is not closed", "Cookie: sid=\"a\r\n", "HWS_ERR_FIELD"},
    {"RFC 6265 4.1.1: a semicolon ends a quoted value", "Cookie: sid=\"a;b\"\r\n", "HWS_ERR_FIELD"},
    {"RFC 6265 4.1.1: a byte outside ASCII", "Cookie: sid=\xC3\xA4\r\n", "HWS_ERR_FIELD"},
    {"RFC 6265 5.4: a bad first is not passed over", "Cookie: sid=a b; sid=c\r\n", "HWS_ERR_FIELD"},
};

static hws_text text_of(const char *string) {
    return hws_text_from(string);
}

static const char *status_name(hws_status status) {
    return status == HWS_ERR_ABSENT ? "ABSENT" : hws_status_name(status);
}

static hws_status read_basic(const hws_head *head, const uint8_t *buf, uint8_t *out, size_t cap,
                             size_t *n, char *trace) {
    hws_text user = {"x", 1};
    hws_text password = {"x", 1};
    size_t before = *n;
    hws_status status = hws_auth_read_basic(head, buf, out, cap, n, &user, &password);
    assert_true(status == HWS_OK || (user.data == NULL && user.len == 0));
    assert_true(status == HWS_OK || (password.data == NULL && password.len == 0));
    assert_true(status != HWS_OK || *n == before + user.len + 1 + password.len);
    snprintf(trace, ROOM, "%.*s|%.*s", (int)user.len, user.data, (int)password.len, password.data);
    return status;
}

static hws_status read_query(const hws_head *head, const uint8_t *buf, uint8_t *out, size_t cap,
                             size_t *n, char *trace) {
    hws_text value = {"x", 1};
    size_t before = *n;
    hws_status status = hws_query_find(head, buf, text_of("to ken"), out, cap, n, &value);
    assert_true(status == HWS_OK || (value.data == NULL && value.len == 0));
    assert_true(status != HWS_OK || *n == before + value.len);
    snprintf(trace, ROOM, "%.*s", (int)value.len, value.data);
    return status;
}

static hws_status read_bearer(const hws_head *head, const uint8_t *buf, uint8_t *out, size_t cap,
                              size_t *n, char *trace) {
    hws_text value = {"x", 1};
    hws_status status = hws_auth_read_bearer(head, buf, &value);
    (void)out, (void)cap, (void)n;
    assert_true(status == HWS_OK || (value.data == NULL && value.len == 0));
    snprintf(trace, ROOM, "%.*s", (int)value.len, value.data);
    return status;
}

static hws_status read_cookie(const hws_head *head, const uint8_t *buf, uint8_t *out, size_t cap,
                              size_t *n, char *trace) {
    hws_text value = {"x", 1};
    hws_status status = hws_cookie_find(head, buf, text_of("sid"), &value);
    (void)out, (void)cap, (void)n;
    assert_true(status == HWS_OK || (value.data == NULL && value.len == 0));
    snprintf(trace, ROOM, "%.*s", (int)value.len, value.data);
    return status;
}

static uint8_t *head_of(const char *target, const char *lines, hws_header *headers,
                        hws_head *head) {
    char text[ROOM];
    int len = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n%s\r\n", target, lines);
    uint8_t *buf = guard_copy(text, (size_t)len);
    hws_head_init(head, HWS_HEAD_REQUEST, headers, HEADERS);
    assert_int_equal(hws_head_parse(head, buf, (size_t)len), HWS_OK);
    return buf;
}

/* Into exactly the room that it needs, and into each that is too small. */
static void check_row(const row *r, reader read, const hws_head *head, const uint8_t *buf) {
    uint8_t whole[ROOM];
    char trace[ROOM];
    size_t need = FIRST;
    hws_status status = read(head, buf, whole, sizeof whole, &need, trace);
    const char *have = status == HWS_OK ? trace : status_name(status);
    if (strcmp(have, r->trace) != 0) {
        fail_msg("%s: want %s, have %s", r->name, r->trace, have);
    }
    for (size_t cap = FIRST; cap <= need && status == HWS_OK; cap++) {
        uint8_t *out = guard_alloc(cap);
        size_t n = FIRST;
        hws_status want = cap < need ? HWS_ERR_SPACE : HWS_OK;
        assert_int_equal(read(head, buf, out, cap, &n, trace), want);
        assert_int_equal(n, cap < need ? FIRST : need);
        assert_true(cap < need || strcmp(trace, r->trace) == 0);
        guard_free(out, cap);
    }
}

static void check_rows(const row *rows, size_t count, reader read) {
    for (size_t i = 0; i < count; i++) {
        uint8_t is_query = rows[i].request[0] == '/' || rows[i].request[0] == 'h';
        hws_header headers[HEADERS];
        hws_head head;
        uint8_t *buf = is_query ? head_of(rows[i].request, "", headers, &head)
                                : head_of("/", rows[i].request, headers, &head);
        check_row(&rows[i], read, &head, buf);
        guard_free(buf, head.head_len);
    }
}

static void credentials_are_read(void **state) {
    (void)state;
    check_rows(basic_rows, sizeof basic_rows / sizeof basic_rows[0], read_basic);
}

static void tokens_are_read(void **state) {
    (void)state;
    check_rows(bearer_rows, sizeof bearer_rows / sizeof bearer_rows[0], read_bearer);
}

static void queries_are_read(void **state) {
    (void)state;
    check_rows(query_rows, sizeof query_rows / sizeof query_rows[0], read_query);
}

static void cookies_are_read(void **state) {
    (void)state;
    check_rows(cookie_rows, sizeof cookie_rows / sizeof cookie_rows[0], read_cookie);
}

/* RFC 9113 8.3.1: the target is that of :path, and names are in lower case. */
static void lists_are_read_likewise(void **state) {
    const hws_field fields[] = {{text_of(":path"), text_of("/?to%20ken=a")},
                                {text_of("authorization"), text_of("Basic YTpi")},
                                {text_of("cookie"), text_of("a=b")},
                                {text_of("cookie"), text_of("sid=x")}};
    hws_header headers[HEADERS];
    hws_head head;
    uint8_t buf[ROOM];
    uint8_t out[ROOM];
    char trace[ROOM];
    size_t len = 0;
    size_t n = 0;
    (void)state;
    hws_head_init(&head, HWS_HEAD_LIST, headers, HEADERS);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        assert_int_equal(hws_head_add(&head, buf, sizeof buf, &len, &fields[i]), HWS_OK);
    }
    assert_int_equal(read_basic(&head, buf, out, sizeof out, &n, trace), HWS_OK);
    assert_string_equal(trace, "a|b");
    assert_int_equal(read_query(&head, buf, out, sizeof out, &n, trace), HWS_OK);
    assert_string_equal(trace, "a");
    assert_int_equal(read_cookie(&head, buf, out, sizeof out, &n, trace), HWS_OK);
    assert_string_equal(trace, "x");
}

/* RFC 6265 4.1.1: a quote alone is the last byte that there is. */
static void nothing_is_read_behind_a_list(void **state) {
    const hws_field field = {text_of("cookie"), text_of("sid=\"")};
    hws_header headers[HEADERS];
    hws_head head;
    uint8_t *buf = guard_alloc(11);
    size_t len = 0;
    hws_text value;
    (void)state;
    hws_head_init(&head, HWS_HEAD_LIST, headers, HEADERS);
    assert_int_equal(hws_head_add(&head, buf, 11, &len, &field), HWS_OK);
    assert_int_equal(hws_cookie_find(&head, buf, text_of("sid"), &value), HWS_ERR_FIELD);
    guard_free(buf, 11);
}

/* RFC 3986 2.1: a percent sign that is not encoded stands for nothing, not for itself. */
static void percent_signs_in_names_are_encoded(void **state) {
    static const char *const targets[] = {"/?%=a", "/?%25=a"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        hws_header headers[HEADERS];
        hws_head head;
        uint8_t *buf = head_of(targets[i], "", headers, &head);
        uint8_t out[ROOM];
        size_t n = 0;
        hws_text value;
        assert_int_equal(hws_query_find(&head, buf, text_of("%"), out, sizeof out, &n, &value),
                         i == 0 ? HWS_ERR_ABSENT : HWS_OK);
        guard_free(buf, head.head_len);
    }
}

static void secrets_are_compared(void **state) {
    uint8_t a[20] = "0123456789012345678";
    uint8_t b[20] = "0123456789012345678";
    (void)state;
    for (size_t len = 0; len <= sizeof a; len++) {
        for (size_t other = 0; other <= sizeof b; other++) {
            assert_int_equal(hws_secret_equal((hws_text){(char *)a, len}, //
                                              (hws_text){(char *)b, other}),
                             len == other);
        }
        for (size_t bit = 0; bit < 8 * len; bit++) {
            b[bit / 8] ^= (uint8_t)(1U << bit % 8);
            assert_int_equal(hws_secret_equal((hws_text){(char *)a, len}, //
                                              (hws_text){(char *)b, len}),
                             0);
            b[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
    }
    assert_int_equal(hws_secret_equal((hws_text){NULL, 0}, (hws_text){NULL, 0}), 1);
    assert_int_equal(hws_secret_equal((hws_text){NULL, 0}, text_of("a")), 0);
}

#ifndef HWS_TEST_REDUCED
enum { LEN = 64 };
static sigjmp_buf caught;

static void on_fault(int number) {
    siglongjmp(caught, number);
}

/* Whether a comparison reads a byte that cannot be read. */
static int reads_on(const hws_text *given, const hws_text *secret) {
    if (sigsetjmp(caught, 1) != 0) {
        return 1;
    }
    hws_secret_equal(*given, *secret);
    return 0;
}

/* Where comparing stops can be seen from outside: the byte behind each text is on a page nobody may
 * touch, and it has to be reached though the very first byte is wrong. */
static void comparing_does_not_stop_at_a_difference(void **state) {
    struct sigaction action;
    struct sigaction before;
    uint8_t *given = guard_alloc(LEN);
    uint8_t *secret = guard_alloc(LEN);
    const hws_text given_text = {(char *)given, LEN + 1};
    const hws_text secret_text = {(char *)secret, LEN + 1};
    (void)state;
    memset(given, 'a', LEN);
    memset(secret, 'b', LEN);
    memset(&action, 0, sizeof action);
    action.sa_handler = on_fault;
    assert_int_equal(sigaction(SIGSEGV, &action, &before), 0);
    int reached = reads_on(&given_text, &secret_text);
    sigaction(SIGSEGV, &before, NULL);
    assert_int_equal(reached, 1);
    guard_free(given, LEN);
    guard_free(secret, LEN);
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_are_read),
        cmocka_unit_test(tokens_are_read),
        cmocka_unit_test(queries_are_read),
        cmocka_unit_test(cookies_are_read),
        cmocka_unit_test(lists_are_read_likewise),
        cmocka_unit_test(nothing_is_read_behind_a_list),
        cmocka_unit_test(percent_signs_in_names_are_encoded),
        cmocka_unit_test(secrets_are_compared),
#ifndef HWS_TEST_REDUCED
        cmocka_unit_test(comparing_does_not_stop_at_a_difference),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
