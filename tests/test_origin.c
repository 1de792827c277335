/*
 * Which origins may connect. Each row is a request that is right but for its Origin; the policy is
 * asked alone, and through the acceptance of the handshake.
 */
#include "support.h"

#include <hawser/handshake.h>

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { SAME = HWS_ORIGIN_SAME, LIST = HWS_ORIGIN_LIST, ANY = HWS_ORIGIN_ANY, HEADER_CAP = 16 };

typedef struct row {
    const char *name;
    uint8_t kind;
    uint8_t allow_missing;
    const char *list;   /* origins with a space between them */
    const char *host;   /* value of Host */
    const char *origin; /* value of Origin; NULL for none */
    hws_status expected;
} row;

static const row rows[] = {
    {"RFC 6455 10.2: any origin", ANY, 0, "", "a.example", "https://evil.example", HWS_OK},
    {"RFC 6455 10.2: any origin, of whatever form", ANY, 0, "", "a.example", "?", HWS_OK},
    {"RFC 6455 10.2: any origin, or none", ANY, 0, "", "a.example", NULL, HWS_OK},
    {"RFC 6455 10.2: a choice must be made", HWS_ORIGIN_UNSET, 0, "", "a.example", NULL,
     HWS_ERR_ARGUMENT},
    {"RFC 6455 10.2: an unknown choice is none", 4, 0, "", "a.example", NULL, HWS_ERR_ARGUMENT},

    /* The same host and port. */
    {"RFC 6455 4.2.1: who sends no Origin is no browser", SAME, 0, "", "a.example", NULL, HWS_OK},
    {"RFC 6454 5: same host", SAME, 0, "", "a.example", "https://a.example", HWS_OK},
    {"RFC 6454 5: hosts and schemes have no case", SAME, 0, "", "A.Example", "HTTPS://a.eXAMPLE",
     HWS_OK},
    {"RFC 6454 5: same host and port", SAME, 0, "", "a.example:81", "http://a.example:81", HWS_OK},
    {"RFC 6454 5: another host", SAME, 0, "", "a.example", "https://b.example", HWS_ERR_ORIGIN},
    {"RFC 6454 5: a host with another end", SAME, 0, "", "a.example",
     "https://a.example.evil.example", HWS_ERR_ORIGIN},
    {"RFC 6454 5: a host with another start", SAME, 0, "", "a.example", "https://b.a.example",
     HWS_ERR_ORIGIN},
    {"RFC 6454 5: another port", SAME, 0, "", "a.example:81", "http://a.example:82",
     HWS_ERR_ORIGIN},
    {"RFC 6454 5: a port where Host has none", SAME, 0, "", "a.example", "http://a.example:81",
     HWS_ERR_ORIGIN},
    {"RFC 6454 5: no port where Host has one", SAME, 0, "", "a.example:81", "http://a.example",
     HWS_ERR_ORIGIN},
    {"RFC 9110 4.2.1: port 80 is that of http", SAME, 0, "", "a.example:80", "http://a.example",
     HWS_OK},
    {"RFC 9110 4.2.2: port 443 is that of https", SAME, 0, "", "a.example:443", "https://a.example",
     HWS_OK},
    {"RFC 9110 4.2.2: port 80 is not that of https", SAME, 0, "", "a.example:80",
     "https://a.example", HWS_ERR_ORIGIN},
    {"RFC 6455 3: port 80 is that of ws", SAME, 0, "", "a.example", "ws://a.example:80", HWS_OK},
    {"RFC 6455 3: port 443 is that of wss", SAME, 0, "", "a.example", "wss://a.example:443",
     HWS_OK},
    {"RFC 3986 3.2.3: an empty port of Host is none", SAME, 0, "",
     "a.example:", "https://a.example:443", HWS_OK},
    {"RFC 3986 3.2.2: addresses are hosts", SAME, 0, "", "[::1]:8080", "http://[::1]:8080", HWS_OK},
    {"RFC 3986 3.2.2: addresses of hosts may differ", SAME, 0, "", "[::1]:8080",
     "http://[::2]:8080", HWS_ERR_ORIGIN},
    {"RFC 6454 6.1: null is not the same as anything", SAME, 0, "", "null", "null", HWS_ERR_ORIGIN},
    {"RFC 6454 4: a scheme without a known port is not the same", SAME, 0, "", "abc",
     "chrome-extension://abc", HWS_ERR_ORIGIN},
    {"RFC 6454 4: nor is it with the port of Host", SAME, 0, "", "abc:80", "x://abc:80",
     HWS_ERR_ORIGIN},

    /* A list. */
    {"RFC 6455 10.2: a listed origin", LIST, 0, "http://x https://good.example", "h",
     "https://good.example", HWS_OK},
    {"RFC 6455 10.2: a listed origin, first of two", LIST, 0, "https://good.example http://x", "h",
     "https://good.example", HWS_OK},
    {"RFC 6455 4.2.2: a listed origin, without case", LIST, 0, "https://GOOD.example", "h",
     "HTTPS://good.EXAMPLE", HWS_OK},
    {"RFC 9110 4.2.2: a listed origin with the default port", LIST, 0, "https://good.example:443",
     "h", "https://good.example", HWS_OK},
    {"RFC 9110 4.2.2: the default port of a listed origin", LIST, 0, "https://good.example", "h",
     "https://good.example:443", HWS_OK},
    {"RFC 6455 10.2: a foreign origin", LIST, 0, "https://good.example", "h",
     "https://evil.example", HWS_ERR_ORIGIN},
    {"RFC 6454 5: a listed name as the start of another", LIST, 0, "https://good.example", "h",
     "https://good.example.evil.com", HWS_ERR_ORIGIN},
    {"RFC 6454 5: a listed name as the end of another", LIST, 0, "https://good.example", "h",
     "https://evilgood.example", HWS_ERR_ORIGIN},
    {"RFC 6454 5: a listed name with another port", LIST, 0, "https://good.example", "h",
     "https://good.example:444", HWS_ERR_ORIGIN},
    {"RFC 6454 5: a listed name with another scheme", LIST, 0, "https://good.example", "h",
     "http://good.example", HWS_ERR_ORIGIN},
    {"RFC 6454 5: a listed name with another scheme and its port", LIST, 0, "https://good.example",
     "h", "http://good.example:443", HWS_ERR_ORIGIN},
    {"RFC 6454 5: ws is not http", LIST, 0, "http://good.example", "h", "ws://good.example",
     HWS_ERR_ORIGIN},
    {"RFC 6454 5: a name with a dot at its end is another", LIST, 0, "https://good.example", "h",
     "HTTPS://GOOD.EXAMPLE.", HWS_ERR_ORIGIN},
    {"RFC 6454 6.1: null that is not listed", LIST, 0, "https://good.example", "h", "null",
     HWS_ERR_ORIGIN},
    {"RFC 6454 6.1: null that is listed", LIST, 0, "https://good.example null", "h", "null",
     HWS_OK},
    {"RFC 6454 6.1: null in capitals is no origin", LIST, 0, "null", "h", "NULL", HWS_ERR_ORIGIN},
    {"RFC 6455 10.2: nothing is listed", LIST, 0, "", "h", "https://h", HWS_ERR_ORIGIN},
    {"RFC 6455 10.2: a list without missing origins", LIST, 0, "https://good.example", "h", NULL,
     HWS_ERR_ORIGIN},
    {"RFC 6455 10.2: a list with missing origins", LIST, 1, "https://good.example", "h", NULL,
     HWS_OK},
    {"RFC 6455 10.2: missing origins allow no foreign ones", LIST, 1, "https://good.example", "h",
     "https://evil.example", HWS_ERR_ORIGIN},
    {"RFC 6455 10.2: an empty Origin is not a missing one", LIST, 1, "https://good.example", "h",
     "", HWS_ERR_ORIGIN},
    {"RFC 6454 4: another scheme is listed with its host", LIST, 0, "chrome-extension://abc", "h",
     "Chrome-Extension://abc", HWS_OK},
    {"RFC 6454 4: another scheme with another host", LIST, 0, "chrome-extension://abc", "h",
     "chrome-extension://abd", HWS_ERR_ORIGIN},
    {"RFC 6454 4: another scheme has no default port", LIST, 0, "x://abc", "h", "x://abc:80",
     HWS_ERR_ORIGIN},
    {"RFC 3986 3.1: a scheme has digits, plus, minus and dot", LIST, 0, "a1+b-c.d://h", "h",
     "A1+B-C.D://h", HWS_OK},
    {"RFC 6454 7.1: a list of origins is refused", LIST, 0, "https://good.example", "h",
     "https://good.example https://evil.example", HWS_ERR_ORIGIN},
};

/* What is no origin (RFC 6454 6.2), in a request and in a policy. */
static const char *const malformed[] = {"",
                                        "a.example",
                                        "a.example:80",
                                        "//a.example",
                                        ":",
                                        "://a.example",
                                        "http",
                                        "http:",
                                        "http:/",
                                        "http:/a.example",
                                        "http://",
                                        "http://:80",
                                        "http://a.example:",
                                        "http://a.example:0",
                                        "http://a.example:65536",
                                        "http://a.example:8x",
                                        "http://a.example/",
                                        "http://a.example/path",
                                        "http://a.example?q",
                                        "http://a.example#f",
                                        "http://u@a.example",
                                        "http://a,b",
                                        "http://[::1",
                                        "http://::1",
                                        "1http://a.example",
                                        "+http://a.example",
                                        "ht_tp://a.example",
                                        "http//a.example://b",
                                        "http://a\xc3\xa4.example",
                                        "*",
                                        "http://*:"};

typedef struct request {
    hws_header headers[HEADER_CAP];
    hws_head head;
    hws_handshake handshake;
    char bytes[512];
} request;

static void make(request *r, const char *host, const char *origin) {
    size_t len = (size_t)snprintf(
        r->bytes, sizeof r->bytes,
        "GET / HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s%s%s\r\n",
        host, origin == NULL ? "" : "Origin: ", origin == NULL ? "" : origin,
        origin == NULL ? "" : "\r\n");
    hws_head_init(&r->head, HWS_HEAD_REQUEST, r->headers, HEADER_CAP);
    assert_int_equal(hws_head_parse(&r->head, (uint8_t *)r->bytes, len), HWS_OK);
    assert_int_equal(hws_handshake_parse(&r->head, (uint8_t *)r->bytes, &r->handshake), HWS_OK);
    assert_int_equal(r->handshake.kind, HWS_REQUEST_UPGRADE);
}

static size_t split(const char *list, hws_text *origins) {
    size_t count = 0;
    while (*list != '\0') {
        size_t len = strcspn(list, " ");
        origins[count] = (hws_text){list, len};
        count++;
        list += len + (list[len] == ' ');
    }
    return count;
}

static void expect(const char *name, const request *r, const hws_origin_policy *policy,
                   hws_status expected) {
    hws_accept_config config;
    uint8_t out[512];
    size_t n = 0;
    hws_status status =
        hws_handshake_check_origin(&r->handshake, (const uint8_t *)r->bytes, policy);
    if (status != expected) {
        print_error("%s\n", name);
    }
    assert_string_equal(hws_status_name(status), hws_status_name(expected));
    hws_accept_config_init(&config);
    config.origin = *policy;
    assert_int_equal(hws_handshake_accept(&r->handshake, &r->head, (const uint8_t *)r->bytes,
                                          &config, out, sizeof out, &n),
                     expected);
    assert_true((n > 0) == (expected == HWS_OK));
}

static void test_rows(void **state) {
    size_t i = 0;
    (void)state;
    while (i < COUNT(rows)) {
        hws_text origins[4];
        hws_origin_policy policy = {rows[i].kind, rows[i].allow_missing, {0}, origins, 0};
        request r;
        policy.origin_count = split(rows[i].list, origins);
        make(&r, rows[i].host, rows[i].origin);
        expect(rows[i].name, &r, &policy, rows[i].expected);
        i++;
    }
}

/* A malformed Origin is refused even where it is the same text as Host or a listed one would be;
 * a malformed policy is the caller's mistake, whatever the request has. */
static void test_malformed(void **state) {
    size_t i = 0;
    (void)state;
    while (i < COUNT(malformed)) {
        hws_text good[] = {{"http://a.example", 16}, {"https://b", 9}};
        hws_text bad[] = {good[0], hws_text_from(malformed[i]), good[1]};
        hws_origin_policy same = {SAME, 0, {0}, NULL, 0};
        hws_origin_policy list = {LIST, 1, {0}, good, 2};
        hws_origin_policy wrong = {LIST, 1, {0}, bad, 3};
        request r;
        make(&r, "a.example", malformed[i]);
        expect(malformed[i], &r, &same, HWS_ERR_ORIGIN);
        expect(malformed[i], &r, &list, HWS_ERR_ORIGIN);
        make(&r, "a.example", "http://a.example");
        expect(malformed[i], &r, &wrong, HWS_ERR_ARGUMENT);
        make(&r, "a.example", NULL);
        expect(malformed[i], &r, &wrong, HWS_ERR_ARGUMENT);
        i++;
    }
}

/* RFC 6455 10.2: the answer to a foreign origin is 403. */
static void test_refusal_is_403(void **state) {
    uint8_t out[512];
    size_t n = 0;
    (void)state;
    assert_int_equal(hws_handshake_reject(HWS_ERR_ORIGIN, out, sizeof out, &n), HWS_OK);
    assert_memory_equal(out, "HTTP/1.1 403 Forbidden\r\n", 24);
}

/* A plain request may have no Host: nothing is the same as that. */
static void test_no_host(void **state) {
    const uint8_t buf[] = "http://a";
    hws_origin_policy same = {SAME, 0, {0}, NULL, 0};
    hws_handshake handshake;
    (void)state;
    memset(&handshake, 0, sizeof handshake);
    assert_int_equal(hws_handshake_check_origin(&handshake, buf, &same), HWS_OK);
    handshake.has_origin = 1;
    assert_int_equal(hws_handshake_check_origin(&handshake, buf, &same), HWS_ERR_ORIGIN);
    handshake.origin.len = sizeof buf - 1;
    assert_int_equal(hws_handshake_check_origin(&handshake, buf, &same), HWS_ERR_ORIGIN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_refusal_is_403),
        cmocka_unit_test(test_no_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
