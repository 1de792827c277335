/*
 * ws:// and wss:// URIs. A row is the URI and what it is taken apart into, or the status. Every URI
 * lies right before a page nobody may touch; output is tried at every capacity.
 */
#include "support.h"

#include <hawser/uri.h>

#include <stdio.h>
#include <string.h>

enum { TRACE = 512, FIRST = 2 };

typedef struct row {
    const char *name;
    const char *uri;
    const char *trace; /* "port host authority userinfo target", "-" for an empty one */
} row;

static const row rows[] = {
    {"RFC 6455 3: a host alone", "ws://h", "ws 80 h h - -"},
    {"RFC 6455 3: a secure one", "wss://h", "wss 443 h h - -"},
    {"RFC 6455 3: a path", "ws://example.com/chat", "ws 80 example.com example.com - /chat"},
    {"RFC 6455 3: a path and a query", "wss://e.com:8443/a/b?c=d&e",
     "wss 8443 e.com e.com:8443 - /a/b?c=d&e"},
    {"RFC 6455 3: a query without path", "ws://h?x=1", "ws 80 h h - ?x=1"},
    {"RFC 3986 3.1: a scheme has no case", "WS://EXAMPLE.com/",
     "ws 80 EXAMPLE.com EXAMPLE.com - /"},
    {"RFC 3986 3.1: a secure scheme has no case", "wSs://h/", "wss 443 h h - /"},
    {"RFC 6455 3: another scheme", "http://h/", "HWS_ERR_URI_SCHEME"},
    {"RFC 6455 3: a longer scheme", "wsss://h/", "HWS_ERR_URI_SCHEME"},
    {"RFC 6455 3: half a scheme", "ws:/h/", "HWS_ERR_URI_SCHEME"},
    {"RFC 6455 3: a scheme without slashes", "ws:h", "HWS_ERR_URI_SCHEME"},
    {"RFC 6455 3: no scheme", "//h/", "HWS_ERR_URI_SCHEME"},
    {"RFC 6455 3: white space before the scheme", " ws://h/", "HWS_ERR_URI_SCHEME"},
    {"RFC 6455 3: nothing", "", "HWS_ERR_URI_SCHEME"},
    {"RFC 6455 3: a scheme that is not complete", "ws:/", "HWS_ERR_URI_SCHEME"},

    {"RFC 6455 3: no host", "ws://", "HWS_ERR_URI_HOST"},
    {"RFC 6455 3: a path without host", "ws:///a", "HWS_ERR_URI_HOST"},
    {"RFC 6455 3: a port without host", "ws://:80/", "HWS_ERR_URI_HOST"},
    {"RFC 6455 3: userinfo without host", "ws://u@/", "HWS_ERR_URI_HOST"},
    {"RFC 3986 3.2.2: an IPv4 address", "ws://127.0.0.1:9001/",
     "ws 9001 127.0.0.1 127.0.0.1:9001 - /"},
    {"RFC 3986 3.2.2: all marks of a name", "ws://a-._~!$&'()*+;=Z09/",
     "ws 80 a-._~!$&'()*+;=Z09 a-._~!$&'()*+;=Z09 - /"},
    {"RFC 3986 3.2.2: a space in a host", "ws://a b/", "HWS_ERR_URI_HOST"},
    {"RFC 3986 3.2.2: a backslash after a host", "ws://good\\evil/", "HWS_ERR_URI_HOST"},
    {"RFC 3986 3.2.2: CRLF in a host", "ws://h\r\nX-Evil: 1/", "HWS_ERR_URI_HOST"},
    {"RFC 3986 3.2.2: a percent sign in a host", "ws://a%20b/", "HWS_ERR_URI_HOST"},
    {"RFC 3986 3.2.2: an opening bracket in a host", "ws://a[b/", "HWS_ERR_URI_HOST"},
    {"RFC 3987 3.1: a host outside ASCII",
     "ws://b\xC3\xBC"
     "cher.example/",
     "HWS_ERR_URI_IDNA"},
    {"RFC 3987 3.1: its form in ASCII", "ws://xn--bcher-kva.example/",
     "ws 80 xn--bcher-kva.example xn--bcher-kva.example - /"},

    {"RFC 3986 3.2.2: an IPv6 address", "ws://[::1]/", "ws6 80 ::1 [::1] - /"},
    {"RFC 3986 3.2.2: an IPv6 address with a port", "wss://[2001:DB8::a:b]:9/",
     "wss6 9 2001:DB8::a:b [2001:DB8::a:b]:9 - /"},
    {"RFC 3986 3.2.2: text after an IPv6 address", "ws://[::1]a/", "HWS_ERR_URI_HOST"},
    {"RFC 3986 3.2.2: an IPv6 address without end", "ws://[::1", "HWS_ERR_URI_HOST"},
    {"RFC 3986 3.2.2: an IPv6 address that ends with the path", "ws://[::1/a]", "HWS_ERR_URI_HOST"},
    {"RFC 3986 3.2.2: an IPv6 address without brackets", "ws://::1/", "HWS_ERR_URI_HOST"},
    {"RFC 3986 3.2.2: an address of a later version", "ws://[v1.a]/", "HWS_ERR_URI_HOST"},
    {"RFC 6874 2: a zone", "ws://[fe80::1%25eth0]/", "HWS_ERR_URI_HOST"},

    {"RFC 3986 3.2.3: an empty port", "ws://host:/", "ws 80 host host - /"},
    {"RFC 3986 3.2.3: an empty port at the end", "wss://host:", "wss 443 host host - -"},
    {"RFC 6455 3: the default port by number", "ws://h:80/", "ws 80 h h - /"},
    {"RFC 6455 3: the default port with zeros", "wss://h:0443/", "wss 443 h h - /"},
    {"RFC 6455 3: the default port of the other scheme", "ws://h:443/", "ws 443 h h:443 - /"},
    {"RFC 6455 3: the greatest port", "ws://h:65535", "ws 65535 h h:65535 - -"},
    {"RFC 6455 3: a port that is too great", "ws://h:65536", "HWS_ERR_URI_PORT"},
    {"RFC 6455 3: a port that wraps", "ws://h:4294967376", "HWS_ERR_URI_PORT"},
    {"RFC 6455 3: port 0", "ws://h:0/", "HWS_ERR_URI_PORT"},
    {"RFC 3986 3.2.3: a port of letters", "ws://h:http/", "HWS_ERR_URI_PORT"},
    {"RFC 3986 3.2.3: a negative port", "ws://h:-1/", "HWS_ERR_URI_PORT"},
    {"RFC 3986 3.2.3: two ports", "ws://h:80:80/", "HWS_ERR_URI_PORT"},
    {"RFC 3986 3.2.3: a space after the port", "ws://h:80 /", "HWS_ERR_URI_PORT"},

    {"RFC 3986 3.2.1: user and password", "wss://user:p%40ss@[::1]:8443/a?b",
     "wss6 8443 ::1 [::1]:8443 user:p%40ss /a?b"},
    {"RFC 3986 3.2.1: a user alone", "ws://user@h", "ws 80 h h user -"},
    {"RFC 3986 3.2.1: a password alone", "ws://:p@h", "ws 80 h h :p -"},
    {"RFC 3986 3.2.1: nobody", "ws://@h", "ws 80 h h - -"},
    {"RFC 3986 3.2.1: colons in a password", "ws://u:p:q%3A@h", "ws 80 h h u:p:q%3A -"},
    {"RFC 7617 2: a colon in a user name", "ws://u%3av:p@h", "HWS_ERR_URI_USERINFO"},
    {"RFC 7617 2: a control in a password", "ws://u:p%0d@h", "HWS_ERR_URI_USERINFO"},
    {"RFC 7617 2: DEL in a password", "ws://u:p%7F@h", "HWS_ERR_URI_USERINFO"},
    {"RFC 3986 3.2.1: two at signs", "ws://good@evil@h", "HWS_ERR_URI_USERINFO"},
    {"RFC 3986 3.2.1: a bad percent sign", "ws://u:%4g@h", "HWS_ERR_URI_USERINFO"},
    {"RFC 3986 3.2.1: half a percent sign", "ws://u:%4@h", "HWS_ERR_URI_USERINFO"},
    {"RFC 3986 3.2.1: a backslash in a user name", "ws://a\\@h", "HWS_ERR_URI_USERINFO"},
    {"RFC 3986 3.2.1: a high byte in a user name", "ws://\xFF@h", "HWS_ERR_URI_USERINFO"},
    {"RFC 3986 3.2: an at sign in the path is none of a user", "ws://h/a@b:c",
     "ws 80 h h - /a@b:c"},
    {"RFC 3986 3.2: an at sign in the query is none of a user", "ws://h?u@evil",
     "ws 80 h h - ?u@evil"},

    {"RFC 3986 3.3: all marks of a path", "ws://h/-._~!$&'()*+,;=:@%00%fF/",
     "ws 80 h h - /-._~!$&'()*+,;=:@%00%fF/"},
    {"RFC 3986 3.4: slashes and questions in a query", "ws://h/?a/b?c", "ws 80 h h - /?a/b?c"},
    {"RFC 3986 3.3: dots are kept", "ws://h/a/../b", "ws 80 h h - /a/../b"},
    {"RFC 3986 2.1: a bad percent sign", "ws://h/%zz", "HWS_ERR_URI_CHARACTER"},
    {"RFC 3986 2.1: a bad second digit", "ws://h/%0G", "HWS_ERR_URI_CHARACTER"},
    {"RFC 3986 2.1: a percent sign and one digit", "ws://h/%0", "HWS_ERR_URI_CHARACTER"},
    {"RFC 3986 2.1: a percent sign at the end", "ws://h/%", "HWS_ERR_URI_CHARACTER"},
    {"RFC 3986 2: a space in the path", "ws://h/a b", "HWS_ERR_URI_CHARACTER"},
    {"RFC 3986 2: CRLF in the path", "ws://h/a\r\nb", "HWS_ERR_URI_CHARACTER"},
    {"RFC 3986 2: DEL in the path", "ws://h/\x7F", "HWS_ERR_URI_CHARACTER"},
    {"RFC 3986 2: a high byte in the path", "ws://h/\xC3\xA9", "HWS_ERR_URI_CHARACTER"},
    {"RFC 3986 2: a backslash in the path", "ws://h/\\", "HWS_ERR_URI_CHARACTER"},
    {"RFC 3986 2: a bracket in the query", "ws://h/?a[]=1", "HWS_ERR_URI_CHARACTER"},
    {"RFC 6455 3: a fragment", "ws://h/a#b", "HWS_ERR_URI_FRAGMENT"},
    {"RFC 6455 3: an empty fragment", "ws://h/#", "HWS_ERR_URI_FRAGMENT"},
    {"RFC 6455 3: a fragment after the host", "ws://h#", "HWS_ERR_URI_FRAGMENT"},
    {"RFC 6455 3: an encoded number sign", "ws://h/%23", "ws 80 h h - /%23"},
};

static const char *addresses[] = {
    "::",
    "::1",
    "1::",
    "1:2:3:4:5:6:7:8",
    "abcd:EF01:0:00:000:0000:7:8",
    "1:2:3:4:5:6:7::",
    "::2:3:4:5:6:7:8",
    "1::3:4:5:6:7:8",
    "1:2:3::8",
    "::1.2.3.4",
    "::ffff:255.255.255.255",
    "1:2:3:4:5:6:0.0.0.0",
    "1:2:3:4:5::1.2.3.4",
    "64:ff9b::192.0.2.33",
};

static const char *no_addresses[] = {
    "",
    ":",
    "1",
    ":::",
    "1:",
    ":1",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:",
    "1:2:3:4:5:6:7:8:",
    ":1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
    "1::3:4:5:6:7:8:9",
    "1::2::3",
    "1:::2",
    "::1:",
    "12345::",
    "::12345",
    "::g",
    "::1 ",
    "1.2.3.4",
    "::1.2.3",
    "::1.2.3.4.5",
    "::1.2.3.4:5",
    "::1.2.3.",
    "::1..3.4",
    "::1.2:3.4",
    "::1.2345.3.4",
    "::256.1.1.1",
    "::1.1.1.256",
    "::01.2.3.4",
    "::1.2.3.00",
    "::1.2.3.1000",
    "::a.2.3.4",
    "::1.2.3.4a",
    "1:2:3:4:5:6:7:1.2.3.4",
    "1:2:3:4:5:6::1.2.3.4:8",
    "1:2:3:4:5:6:7::1.2.3.4",
    "fe80::1%eth0",
};

static hws_text view(const uint8_t *data, size_t len) {
    return (hws_text){(const char *)data, len};
}

static int put(char *trace, int n, const char *text, hws_span span) {
    if (span.len == 0) {
        return snprintf(trace + n, TRACE - (size_t)n, " -");
    }
    return snprintf(trace + n, TRACE - (size_t)n, " %.*s", (int)span.len, text + span.offset);
}

static void uris_are_taken_apart(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *text = rows[i].uri;
        size_t len = strlen(text);
        uint8_t *copy = guard_copy(text, len);
        char trace[TRACE];
        hws_uri uri;
        hws_uri before;
        memset(&uri, 0xAA, sizeof uri);
        before = uri;
        hws_status status = hws_uri_parse(view(copy, len), &uri);
        int n = snprintf(trace, sizeof trace, "%s", hws_status_name(status));
        if (status == HWS_OK) {
            n = snprintf(trace, sizeof trace, "ws%s%s %u", uri.secure ? "s" : "",
                         uri.ipv6 ? "6" : "", uri.port);
            n += put(trace, n, text, uri.host);
            n += put(trace, n, text, uri.authority);
            n += put(trace, n, text, uri.userinfo);
            put(trace, n, text, uri.target);
        } else {
            assert_memory_equal(&uri, &before, sizeof uri);
        }
        if (strcmp(trace, rows[i].trace) != 0) {
            fail_msg("%s: want %s, have %s", rows[i].name, rows[i].trace, trace);
        }
        guard_free(copy, len);
    }
}

/* RFC 3986 3.2.2: the grammar of IPv6 addresses. */
static hws_status parse_address(const char *address) {
    char text[80];
    hws_uri uri;
    int len = snprintf(text, sizeof text, "ws://[%s]", address);
    return hws_uri_parse((hws_text){text, (size_t)len}, &uri);
}

static void addresses_are_checked(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        if (parse_address(addresses[i]) != HWS_OK) {
            fail_msg("[%s] is an address", addresses[i]);
        }
    }
    for (size_t i = 0; i < sizeof no_addresses / sizeof no_addresses[0]; i++) {
        if (parse_address(no_addresses[i]) != HWS_ERR_URI_HOST) {
            fail_msg("[%s] is no address", no_addresses[i]);
        }
    }
}

/* RFC 3986 2: every byte in host, path and userinfo. */
static void each_byte_is_judged_in_each_part(void **state) {
    static const char marks[] = "-._~!$&'()*+,;=";
    (void)state;
    for (unsigned byte = 1; byte < 256; byte++) {
        uint8_t plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                        (byte >= 'a' && byte <= 'z') || strchr(marks, (int)byte) != NULL;
        char text[] = "ws://h/x";
        hws_uri uri;
        text[7] = (char)byte;
        assert_int_equal(hws_uri_parse((hws_text){text, 8}, &uri) == HWS_OK,
                         plain || strchr(":@/?", (int)byte) != NULL);
        memcpy(text, "ws://xh/", 8);
        text[5] = (char)byte;
        assert_int_equal(hws_uri_parse((hws_text){text, 8}, &uri) == HWS_OK,
                         (plain && byte != ',') || byte == '@');
        memcpy(text, "ws://x@h", 8);
        text[5] = (char)byte;
        assert_int_equal(hws_uri_parse((hws_text){text, 8}, &uri) == HWS_OK, plain || byte == ':');
    }
}

typedef hws_status (*writer)(hws_text text, const hws_uri *uri, uint8_t *out, size_t cap,
                             size_t *n);

static void check_written(writer write, const char *text, const char *want) {
    hws_text whole = {text, strlen(text)};
    size_t len = strlen(want);
    hws_uri uri;
    assert_int_equal(hws_uri_parse(whole, &uri), HWS_OK);
    for (size_t cap = FIRST; cap <= FIRST + len; cap++) {
        uint8_t *out = guard_alloc(cap);
        size_t n = FIRST;
        if (cap < FIRST + len) {
            assert_int_equal(write(whole, &uri, out, cap, &n), HWS_ERR_SPACE);
            assert_int_equal(n, FIRST);
        } else {
            assert_int_equal(write(whole, &uri, out, cap, &n), HWS_OK);
            assert_int_equal(n, cap);
            assert_memory_equal(out + FIRST, want, len);
        }
        guard_free(out, cap);
    }
}

/* RFC 6455 3: the resource name. */
static void targets_start_with_a_slash(void **state) {
    (void)state;
    check_written(hws_uri_target, "ws://h", "/");
    check_written(hws_uri_target, "ws://h/", "/");
    check_written(hws_uri_target, "ws://h?", "/?");
    check_written(hws_uri_target, "ws://h?a/b", "/?a/b");
    check_written(hws_uri_target, "ws://u@h:1/a?b", "/a?b");
}

/* RFC 7617 2, with each length of the last group of Base64. */
static void userinfo_becomes_credentials(void **state) {
    uint8_t out[8];
    size_t n = 0;
    hws_uri uri;
    hws_text text = {"ws://h", 6};
    (void)state;
    check_written(hws_uri_authorization, "ws://Aladdin:open%20sesame@h",
                  "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    check_written(hws_uri_authorization, "ws://a:b@h", "Basic YTpi");
    check_written(hws_uri_authorization, "ws://a:@h", "Basic YTo=");
    check_written(hws_uri_authorization, "ws://:@h", "Basic Og==");
    check_written(hws_uri_authorization, "ws://ab@h", "Basic YWI6");
    check_written(hws_uri_authorization, "ws://a@h", "Basic YTo=");
    check_written(hws_uri_authorization, "ws://%C3%bc:%25%3a@h", "Basic w7w6JTo=");
    assert_int_equal(hws_uri_parse(text, &uri), HWS_OK);
    assert_int_equal(hws_uri_authorization(text, &uri, out, sizeof out, &n), HWS_ERR_ARGUMENT);
    assert_int_equal(n, 0);
}

static void a_text_beyond_32_bits_is_refused(void **state) {
    hws_uri uri;
    (void)state;
    if (SIZE_MAX > UINT32_MAX) {
        hws_text text = {"ws://h", (size_t)UINT32_MAX + 1};
        assert_int_equal(hws_uri_parse(text, &uri), HWS_ERR_URI_CHARACTER);
    }
    assert_int_equal(hws_uri_parse((hws_text){NULL, 0}, &uri), HWS_ERR_URI_SCHEME);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uris_are_taken_apart),
        cmocka_unit_test(addresses_are_checked),
        cmocka_unit_test(each_byte_is_judged_in_each_part),
        cmocka_unit_test(targets_start_with_a_slash),
        cmocka_unit_test(userinfo_becomes_credentials),
        cmocka_unit_test(a_text_beyond_32_bits_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
