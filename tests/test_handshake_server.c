/*
 * The server's side of the opening handshake: which requests are one, what is wrong with those that
 * are not right, and the 101. Each request runs whole, byte by byte and cut in two at every place.
 */
#include "support.h"

#include <hawser/handshake.h>

#include <stdio.h>
#include <string.h>

#define TEXT(literal) ((hws_text){(literal), sizeof(literal) - 1})
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define GET "GET /chat HTTP/1.1\r\n"
#define HOST "Host: server.example.com\r\n"
#define UPGRADE "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define BASE GET HOST UPGRADE CONNECTION KEY VERSION
#define END "\r\n"

#define GOOD "UPGRADE path=/chat host=server.example.com"
#define PLAIN "PLAIN path=/chat host=server.example.com"

#ifdef HWS_TEST_REDUCED
enum { SPLIT_STEP = 61 };
#else
enum { SPLIT_STEP = 1 };
#endif

typedef struct row {
    const char *name;
    const char *request;
    size_t len;
    const char *expected;
} row;

#define ROW(name, request, expected)                                                               \
    { name, request, sizeof(request) - 1, expected }

static const row rows[] = {
    ROW("RFC 6455 1.2: the example of a request is right",
        "GET /chat HTTP/1.1\r\n"
        "Host: server.example.com\r\n"
        "Upgrade: websocket\r\n"
        "Connection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Origin: http://example.com\r\n"
        "Sec-WebSocket-Protocol: chat, superchat\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n",
        GOOD " origin=http://example.com subprotocols=2"),
    ROW("RFC 6455 1.3: a request without options is right", BASE END, GOOD),
    ROW("RFC 6455 4.2.1: names of fields and values of Upgrade have no case",
        GET "hOST: server.example.com\r\nUPGRADE: WebSocket\r\nconnection: UPGRADE\r\n"
            "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nSEC-WEBSOCKET-VERSION: 13\r\n" END,
        GOOD),
    ROW("RFC 6455 4.2.1: frames may stand right after the head",
        BASE END "\x81\x80"
                 "abcd",
        GOOD " rest=6"),
    ROW("RFC 9112 2.2: an empty line before the request is skipped", "\r\n" BASE END, GOOD),

    /* What is no handshake. */
    ROW("RFC 9110 7.8: Upgrade in HTTP/1.0 is ignored",
        "GET /chat HTTP/1.0\r\n" HOST UPGRADE CONNECTION KEY VERSION END, PLAIN),
    ROW("RFC 9110 7.8: HTTP/1.0 needs no Host", "GET /chat HTTP/1.0\r\n\r\n", "PLAIN path=/chat"),
    ROW("RFC 6455 4.2.1: a request without any of the fields is plain", GET HOST END, PLAIN),
    ROW("RFC 6455 4.2.1: another protocol in Upgrade makes no handshake",
        GET HOST CONNECTION "Upgrade: h2c\r\n" END, PLAIN),
    ROW("RFC 9110 7.8: a token with a version is not the token websocket",
        GET HOST CONNECTION "Upgrade: websocket/13\r\n" END, PLAIN),
    ROW("RFC 9110 9.3: a plain request may have any method and a body",
        "POST /form?a=b HTTP/1.1\r\n" HOST "Content-Length: 5\r\n" END "hello",
        "PLAIN path=/form query=a=b host=server.example.com rest=5"),
    ROW("RFC 9112 3.2: a plain request needs a usable Host",
        GET "Host: a b\r\nOrigin: http://a\r\n" END, "HWS_ERR_HOST 400"),
    ROW("RFC 9112 3.2: a plain request of HTTP/1.1 needs a Host", GET END, "HWS_ERR_HOST 400"),
    ROW("RFC 9112 3.2: a plain request has one Host", GET HOST HOST END, "HWS_ERR_HOST 400"),
    ROW("RFC 9112 3.2: in HTTP/1.0 too it must be usable",
        "GET /chat HTTP/1.0\r\nHost: a b\r\n\r\n", "HWS_ERR_HOST 400"),
    ROW("RFC 9112 3.2.2: an absolute-form target does not stand for Host",
        "GET http://a.example/x HTTP/1.1\r\n" END, "HWS_ERR_HOST 400"),
    ROW("RFC 6454 7.3: of two Origins of a plain request none is told",
        GET HOST "Origin: http://a\r\nOrigin: http://b\r\n" END, PLAIN " origin="),
    ROW("RFC 9112 3.2.4: asterisk-form has no path", "OPTIONS * HTTP/1.1\r\n" HOST END,
        "PLAIN host=server.example.com"),
    ROW("RFC 9112 3.2.3: authority-form has no path", "CONNECT a.example:80 HTTP/1.1\r\n" HOST END,
        "PLAIN host=server.example.com"),
    ROW("RFC 9112 3.2.2: a plain request may have absolute-form",
        "GET http://a.example:8080/x?y HTTP/1.1\r\n" HOST END,
        "PLAIN path=/x query=y host=a.example:8080"),

    /* What makes an attempt of a request. */
    ROW("RFC 6455 4.2.1: a key without Upgrade is an attempt", GET HOST CONNECTION KEY VERSION END,
        "HWS_ERR_UPGRADE 400"),
    ROW("RFC 6455 4.2.1: a key alone is an attempt", GET HOST KEY END, "HWS_ERR_UPGRADE 400"),
    ROW("RFC 6455 4.2.1: a version alone is an attempt", GET HOST VERSION END,
        "HWS_ERR_UPGRADE 400"),
    ROW("RFC 6455 4.2.1: Upgrade alone is an attempt", GET HOST UPGRADE END,
        "HWS_ERR_CONNECTION 400"),

    /* Method and target. */
    ROW("RFC 6455 4.2.1: the method is GET",
        "POST /chat HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION END, "HWS_ERR_METHOD 405"),
    ROW("RFC 9110 9.1: methods have case",
        "get /chat HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION END, "HWS_ERR_METHOD 405"),
    ROW("RFC 6455 3: the query is apart from the path",
        "GET /chat?room=1?x HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION END,
        "UPGRADE path=/chat query=room=1?x host=server.example.com"),
    ROW("RFC 6455 3: an empty query is none",
        "GET /chat? HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION END, GOOD),
    ROW("RFC 6455 4.2.1: an absolute http target is taken apart, its authority is the host",
        "GET http://other.example:81/chat?q HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION END,
        "UPGRADE path=/chat query=q host=other.example:81"),
    ROW("RFC 6455 4.2.1: an absolute target may be https, without case",
        "GET HTTPS://other.example/chat HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION END,
        "UPGRADE path=/chat host=other.example"),
    ROW("RFC 9110 4.2.3: an absolute target without path means /",
        "GET http://other.example HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION END,
        "UPGRADE path=/ host=other.example"),
    ROW("RFC 9110 4.2.3: an absolute target of a query alone means /",
        "GET http://other.example?q/r HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION END,
        "UPGRADE path=/ query=q/r host=other.example"),
    ROW("RFC 9112 3.2.2: an absolute target does not make a missing Host good",
        "GET http://other.example/ HTTP/1.1\r\n" UPGRADE CONNECTION KEY VERSION END,
        "HWS_ERR_HOST 400"),
    ROW("RFC 6455 4.2.1: an absolute target of another scheme is refused",
        "GET ws://other.example/chat HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION END,
        "HWS_ERR_TARGET 400"),
    ROW("RFC 9110 4.2.1: an absolute target without host is refused",
        "GET http:///chat HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION END,
        "HWS_ERR_TARGET 400"),
    ROW("RFC 9110 4.2.4: userinfo in a target is refused",
        "GET http://a@b/chat HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION END,
        "HWS_ERR_TARGET 400"),
    ROW("RFC 9112 3.2.4: an asterisk is no resource name",
        "GET * HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION END, "HWS_ERR_TARGET 400"),
    ROW("RFC 9112 3.2.3: an authority is no resource name",
        "GET a.example:80 HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION END,
        "HWS_ERR_TARGET 400"),
    ROW("RFC 6455 3: a fragment in the target is refused",
        "GET /chat#x HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION END, "HWS_ERR_TARGET 400"),
    ROW("RFC 9112 3.2: bytes outside ASCII in the target are refused",
        "GET /\xff\xfe HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION END,
        "HWS_ERR_REQUEST_LINE 400"),

    /* Host. */
    ROW("RFC 9112 3.2: Host must be there", GET UPGRADE CONNECTION KEY VERSION END,
        "HWS_ERR_HOST 400"),
    ROW("RFC 9112 3.2: two Hosts are refused", BASE HOST END, "HWS_ERR_HOST 400"),
    ROW("RFC 9112 3.2: a Host of broken syntax is refused",
        GET UPGRADE CONNECTION KEY VERSION "Host: a b[\r\n" END, "HWS_ERR_HOST 400"),

    /* Upgrade and Connection. */
    ROW("RFC 6455 4.2.1: websocket may be one of several in Upgrade",
        GET HOST CONNECTION KEY VERSION "Upgrade: h2c, websocket\r\n" END, GOOD),
    ROW("RFC 9110 5.2: websocket may stand on the second line of Upgrade",
        GET HOST CONNECTION KEY VERSION "Upgrade: h2c\r\n" UPGRADE END, GOOD),
    ROW("RFC 6455 4.2.1: websocket in quotes is not the token",
        GET HOST CONNECTION KEY VERSION "Upgrade: \"websocket\"\r\n" END, "HWS_ERR_UPGRADE 400"),
    ROW("RFC 6455 4.2.1: Connection must name Upgrade",
        GET HOST UPGRADE KEY VERSION "Connection: keep-alive\r\n" END, "HWS_ERR_CONNECTION 400"),
    ROW("RFC 6455 4.2.1: Connection must be there", GET HOST UPGRADE KEY VERSION END,
        "HWS_ERR_CONNECTION 400"),
    ROW("RFC 6455 4.2.1: Upgrade may be one of several in Connection",
        GET HOST UPGRADE KEY VERSION "Connection: keep-alive, Upgrade\r\n" END, GOOD),

    /* Version. */
    ROW("RFC 6455 4.4: another version is told which one there is",
        GET HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 12\r\n" END, "HWS_ERR_VERSION 426"),
    ROW("RFC 6455 4.3: version 255 is the last",
        GET HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 255\r\n" END,
        "HWS_ERR_VERSION 426"),
    ROW("RFC 6455 4.3: version 0 is a version",
        GET HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 0\r\n" END, "HWS_ERR_VERSION 426"),
    ROW("RFC 6455 4.3: there is no version 256",
        GET HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 256\r\n" END,
        "HWS_ERR_VERSION_FIELD 400"),
    ROW("RFC 6455 4.3: a version has no zeros before it",
        GET HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 013\r\n" END,
        "HWS_ERR_VERSION_FIELD 400"),
    ROW("RFC 6455 4.3: a version that is 13 in 32 bits is another",
        GET HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 4294967309\r\n" END,
        "HWS_ERR_VERSION_FIELD 400"),
    ROW("RFC 6455 4.3: a version is a number",
        GET HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version: x\r\n" END,
        "HWS_ERR_VERSION_FIELD 400"),
    ROW("RFC 6455 4.3: a version may not be empty",
        GET HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version:\r\n" END,
        "HWS_ERR_VERSION_FIELD 400"),
    ROW("RFC 6455 4.3: a request has one version, not a list",
        GET HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 13, 8\r\n" END,
        "HWS_ERR_VERSION_FIELD 400"),
    ROW("RFC 6455 11.3.5: two versions are refused", BASE VERSION END, "HWS_ERR_VERSION_FIELD 400"),
    ROW("RFC 6455 4.2.1: the version must be there", GET HOST UPGRADE CONNECTION KEY END,
        "HWS_ERR_VERSION_FIELD 400"),

    /* Key. */
    ROW("RFC 6455 4.2.1: the key must be there", GET HOST UPGRADE CONNECTION VERSION END,
        "HWS_ERR_KEY 400"),
    ROW("RFC 6455 4.2.1: a key of one byte is refused",
        GET HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: YQ==\r\n" END, "HWS_ERR_KEY 400"),
    ROW("RFC 6455 4.2.1: a key outside the alphabet is refused",
        GET HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!==\r\n" END,
        "HWS_ERR_KEY 400"),
    ROW("RFC 6455 4.2.1: a key with padding inside is refused",
        GET HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=A\r\n" END,
        "HWS_ERR_KEY 400"),
    ROW("RFC 6455 4.2.1: an empty key is refused",
        GET HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: \r\n" END, "HWS_ERR_KEY 400"),
    ROW("RFC 6455 4.2.1: a key of 17 bytes is refused",
        GET HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWE=\r\n" END,
        "HWS_ERR_KEY 400"),
    ROW("RFC 6455 11.3.1: two keys are refused",
        BASE "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" END, "HWS_ERR_KEY 400"),

    /* Body. */
    ROW("RFC 9112 6.3: a body by length is refused", BASE "Content-Length: 5\r\n" END "hello",
        "HWS_ERR_BODY 400"),
    ROW("RFC 9112 6.3: a body in chunks is refused",
        BASE "Transfer-Encoding: chunked\r\n" END "0\r\n\r\n", "HWS_ERR_BODY 400"),
    ROW("RFC 9112 6.3: a length of 0 is no body", BASE "Content-Length: 0\r\n" END, GOOD),

    /* Subprotocols. */
    ROW("RFC 6455 4.1: subprotocols may stand on several lines",
        BASE "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b,,c\r\n" END,
        GOOD " subprotocols=3"),
    ROW("RFC 6455 4.1: subprotocols that differ in case are distinct",
        BASE "Sec-WebSocket-Protocol: chat, CHAT\r\n" END, GOOD " subprotocols=2"),
    ROW("RFC 6455 4.1: a subprotocol offered twice is refused",
        BASE "Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Protocol: c, a\r\n" END,
        "HWS_ERR_SUBPROTOCOL 400"),
    ROW("RFC 6455 4.1: subprotocols are tokens without parameters or quotes",
        BASE "Sec-WebSocket-Protocol: a, a;b, \"q\"\r\n" END, "HWS_ERR_SUBPROTOCOL 400"),
    ROW("RFC 6455 4.3: a list of subprotocols names at least one",
        BASE "Sec-WebSocket-Protocol: ,\r\n" END, "HWS_ERR_SUBPROTOCOL 400"),

    /* Extensions. */
    ROW("RFC 6455 9.1: an offer of extensions is taken whatever it means",
        BASE "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=8\r\n" END,
        GOOD),
    ROW("RFC 6455 9.1: an unknown parameter does not spoil the handshake",
        BASE "Sec-WebSocket-Extensions: permessage-deflate; bogus\r\n" END, GOOD),
    ROW("RFC 6455 9.1: names with a meaning in some language are names like others",
        BASE "Sec-WebSocket-Extensions: constructor; __proto__=1, hasOwnProperty\r\n" END, GOOD),
    ROW("RFC 6455 9.1: an extension list that breaks its grammar is refused",
        BASE "Sec-WebSocket-Extensions: a b\r\n" END, "HWS_ERR_EXTENSION 400"),
    ROW("RFC 6455 9.1: a parameter that breaks its grammar is refused",
        BASE "Sec-WebSocket-Extensions: good, a; b=\r\n" END, "HWS_ERR_EXTENSION 400"),
    ROW("RFC 6455 9.1: a list of extensions names at least one",
        BASE "Sec-WebSocket-Extensions:\r\n" END, "HWS_ERR_EXTENSION 400"),

    /* Origin. */
    ROW("RFC 6455 4.2.1: an Origin is told", BASE "Origin: null\r\n" END, GOOD " origin=null"),
    ROW("RFC 6454 7.3: an empty Origin is there", BASE "Origin:\r\n" END, GOOD " origin="),
    ROW("RFC 6454 7.3: two Origins are refused",
        BASE "Origin: http://a\r\nOrigin: http://a\r\n" END, "HWS_ERR_ORIGIN 403"),

    /* The grammar of HTTP, which a handshake must keep to as well. */
    ROW("RFC 9112 2.2: lines that end with LF alone are refused",
        "GET /chat HTTP/1.1\nHost: server.example.com\nUpgrade: websocket\nConnection: Upgrade\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13\n\n",
        "HWS_ERR_LINE_END 400"),
    ROW("RFC 9110 5.5: a NUL in a field is refused", BASE "X-A: a\0b\r\n" END,
        "HWS_ERR_FIELD_VALUE 400"),
    ROW("RFC 9112 5.1: a space before the colon is refused", BASE "Upgrade : h2c\r\n" END,
        "HWS_ERR_FIELD_NAME 400"),
    ROW("RFC 9112 5.1: a field without name is refused", BASE ": x\r\n" END,
        "HWS_ERR_FIELD_NAME 400"),
    ROW("RFC 9110 8.6: a negative length is refused", BASE "Content-Length: -90\r\n" END,
        "HWS_ERR_CONTENT_LENGTH 400"),
};

enum { HEADER_CAP = 32, TRACE_CAP = 512, OUT_CAP = 1024 };

static hws_text text(const char *string) {
    return hws_text_from(string);
}

static void add(char *trace, const char *key, const uint8_t *buf, hws_span span) {
    size_t at = strlen(trace);
    snprintf(trace + at, TRACE_CAP - at, " %s=%.*s", key, (int)span.len,
             (const char *)buf + span.offset);
}

/* A 101 that is written for any right request ends with one empty line and has no other. */
static void check_accept(const hws_handshake *handshake, const hws_head *head, const uint8_t *buf) {
    hws_accept_config config;
    uint8_t out[OUT_CAP];
    size_t n = 0;
    size_t i = 0;
    hws_accept_config_init(&config);
    config.origin.kind = HWS_ORIGIN_ANY;
    assert_int_equal(hws_handshake_accept(handshake, head, buf, &config, out, sizeof out, &n),
                     HWS_OK);
    while (memcmp(out + i, "\r\n\r\n", 4) != 0) {
        assert_true(i + 4 < n);
        i++;
    }
    assert_int_equal(i + 4, n);
    out[n] = 0;
    assert_non_null(
        strstr((char *)out, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
}

static void trace_handshake(char *trace, const hws_handshake *handshake, const uint8_t *buf) {
    strcpy(trace, handshake->kind == HWS_REQUEST_UPGRADE ? "UPGRADE" : "PLAIN");
    if (handshake->path.len > 0) {
        add(trace, "path", buf, handshake->path);
    }
    if (handshake->query.len > 0) {
        add(trace, "query", buf, handshake->query);
    }
    if (handshake->host.len > 0) {
        add(trace, "host", buf, handshake->host);
    }
    if (handshake->has_origin) {
        add(trace, "origin", buf, handshake->origin);
    }
    if (handshake->subprotocol_count > 0) {
        size_t at = strlen(trace);
        snprintf(trace + at, TRACE_CAP - at, " subprotocols=%u", handshake->subprotocol_count);
    }
}

/* Parse a head that arrives in two parts, the first of `cut` bytes; or in single bytes. */
static void run(const uint8_t *buf, size_t len, size_t cut, uint8_t single, char *trace) {
    hws_header headers[HEADER_CAP];
    hws_head head;
    hws_handshake handshake;
    hws_status status = HWS_NEED_MORE;
    size_t have = cut;
    hws_head_init(&head, HWS_HEAD_REQUEST, headers, HEADER_CAP);
    while ((status = hws_head_parse(&head, buf, have)) == HWS_NEED_MORE && have < len) {
        have = single ? have + 1 : len;
    }
    memset(&handshake, 0xAA, sizeof handshake);
    if (status == HWS_OK) {
        status = hws_handshake_parse(&head, buf, &handshake);
        if (status < 0) {
            assert_int_equal(handshake.kind, HWS_REQUEST_PLAIN);
        }
    }
    if (status != HWS_OK) {
        snprintf(trace, TRACE_CAP, "%s %u", hws_status_name(status), hws_status_http(status));
        return;
    }
    trace_handshake(trace, &handshake, buf);
    if (handshake.kind == HWS_REQUEST_UPGRADE) {
        assert_int_equal(handshake.key.len, HWS_KEY_LEN);
        check_accept(&handshake, &head, buf);
    }
    if (head.head_len < len) {
        size_t at = strlen(trace);
        snprintf(trace + at, TRACE_CAP - at, " rest=%zu", len - head.head_len);
    }
}

static void expect(const char *name, const char *request, size_t len, const char *expected) {
    uint8_t *buf = guard_copy(request, len);
    char trace[TRACE_CAP];
    size_t cut = 0;
    run(buf, len, len, 0, trace);
    if (strcmp(trace, expected) != 0) {
        print_error("%s\n", name);
    }
    assert_string_equal(trace, expected);
    run(buf, len, 1, 1, trace);
    assert_string_equal(trace, expected);
    while (cut <= len) {
        run(buf, len, cut, 0, trace);
        assert_string_equal(trace, expected);
        cut += len > 1024 ? SPLIT_STEP * 16 + 1 : SPLIT_STEP;
    }
    guard_free(buf, len);
}

static void test_rows(void **state) {
    size_t i = 0;
    (void)state;
    while (i < COUNT(rows)) {
        expect(rows[i].name, rows[i].request, rows[i].len, rows[i].expected);
        i++;
    }
}

/* Values of Host, each put into a request that is right otherwise. */
static void test_host_values(void **state) {
    static const char *const good[] = {"a",
                                       "a.example",
                                       "A.EXAMPLE:80",
                                       "a.example:",
                                       "a.example:65535",
                                       "127.0.0.1:8080",
                                       "[::1]",
                                       "[::1]:443",
                                       "[::]",
                                       "[1::]",
                                       "[1:2:3:4:5:6:7:8]",
                                       "[1:2:3:4:5:6:7::]",
                                       "[::2:3:4:5:6:7:8]",
                                       "[::ffff:127.0.0.1]",
                                       "[1:2:3:4:5:6:1.2.3.4]",
                                       "[fe80::ABCD]",
                                       "a_b-c~d",
                                       "!$&'()*+;="};
    static const char *const bad[] = {"",
                                      "a%2Db",
                                      ":80",
                                      "a b",
                                      "a,b",
                                      "a, b",
                                      "a@b",
                                      "a/b",
                                      "a?b",
                                      "a#b",
                                      "a:b",
                                      "a:80:80",
                                      "a:0",
                                      "a:65536",
                                      "a:99999999999",
                                      "a:-1",
                                      "a:8 0",
                                      "[",
                                      "]",
                                      "[]",
                                      "a[",
                                      "a]",
                                      "[::1",
                                      "::1",
                                      "[::1]a",
                                      "[::1]:x",
                                      "[1]",
                                      "[1:2:3:4:5:6:7]",
                                      "[1:2:3:4:5:6:7:8:9]",
                                      "[::1::]",
                                      "[:::]",
                                      "[1:]",
                                      "[1::2:]",
                                      "[:1]",
                                      "[12345::]",
                                      "[1::2:3:4:5:6:7:8]",
                                      "[::g]",
                                      "[1.2.3.4]",
                                      "[::1.2.3]",
                                      "[::1.2.3.4.5]",
                                      "[::256.1.1.1]",
                                      "[::01.1.1.1]",
                                      "[::1.2.3.4:1]",
                                      "[1:2:3:4:5:6:7:1.2.3.4]",
                                      "[::1%25eth0]",
                                      "[v1.a]",
                                      "a%",
                                      "a%2",
                                      "a%2g",
                                      "a%g2",
                                      "a\\b",
                                      "a\"",
                                      "a\xe4",
                                      "a<",
                                      "a^"};
    char request[512];
    char trace[TRACE_CAP];
    size_t i = 0;
    (void)state;
    while (i < COUNT(good)) {
        snprintf(request, sizeof request, GET UPGRADE CONNECTION KEY VERSION "Host: %s\r\n" END,
                 good[i]);
        snprintf(trace, sizeof trace, "UPGRADE path=/chat host=%s", good[i]);
        expect(good[i], request, strlen(request), trace);
        i++;
    }
    i = 0;
    while (i < COUNT(bad)) {
        snprintf(request, sizeof request, GET UPGRADE CONNECTION KEY VERSION "Host: %s\r\n" END,
                 bad[i]);
        expect(bad[i], request, strlen(request), "HWS_ERR_HOST 400");
        i++;
    }
}

/* Requests that are too long to be written down. */
static void test_long_fields(void **state) {
    static char request[12000];
    size_t at;
    unsigned i = 0;
    (void)state;
    at = (size_t)snprintf(request, sizeof request,
                          GET HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: ");
    memset(request + at, 'A', 4000);
    strcpy(request + at + 4000, "\r\n\r\n");
    expect("RFC 6455 4.2.1: a key of 4000 bytes is refused", request, strlen(request),
           "HWS_ERR_KEY 400");

    at = (size_t)snprintf(request, sizeof request, BASE "Sec-WebSocket-Extensions: ");
    memset(request + at, ',', 8000);
    strcpy(request + at + 8000, "\r\n\r\n");
    expect("RFC 6455 9.1: commas alone are no list of extensions", request, strlen(request),
           "HWS_ERR_EXTENSION 400");
    strcpy(request + at + 7999, "a\r\n\r\n");
    expect("RFC 9110 5.6.1: commas before an extension are skipped", request, strlen(request),
           GOOD);

    at = (size_t)snprintf(request, sizeof request, BASE "Sec-WebSocket-Protocol: p0");
    while (++i < 1500) {
        at += (size_t)snprintf(request + at, sizeof request - at, ",p%u", i);
        if (i == HWS_MAX_SUBPROTOCOLS - 1 || i == HWS_MAX_SUBPROTOCOLS) {
            strcpy(request + at, "\r\n\r\n");
            expect("RFC 6455 4.1: subprotocols up to the limit", request, strlen(request),
                   i < HWS_MAX_SUBPROTOCOLS ? GOOD " subprotocols=64" : "HWS_ERR_SUBPROTOCOL 400");
        }
    }
    strcpy(request + at, "\r\n\r\n");
    expect("RFC 6455 4.1: 1500 subprotocols are refused", request, strlen(request),
           "HWS_ERR_SUBPROTOCOL 400");
}

/* A right request, ready to be accepted. */
typedef struct request {
    hws_header headers[HEADER_CAP];
    hws_head head;
    hws_handshake handshake;
    const uint8_t *buf;
    hws_accept_config config;
} request;

static void ready(request *r, const char *bytes) {
    r->buf = (const uint8_t *)bytes;
    hws_head_init(&r->head, HWS_HEAD_REQUEST, r->headers, HEADER_CAP);
    assert_int_equal(hws_head_parse(&r->head, r->buf, strlen(bytes)), HWS_OK);
    assert_int_equal(hws_handshake_parse(&r->head, r->buf, &r->handshake), HWS_OK);
    memset(&r->config, 0xAA, sizeof r->config);
    hws_accept_config_init(&r->config);
    r->config.origin.kind = HWS_ORIGIN_SAME;
}

static hws_status accept(const request *r, uint8_t *out, size_t cap, size_t *n) {
    return hws_handshake_accept(&r->handshake, &r->head, r->buf, &r->config, out, cap, n);
}

static const char offer[] = BASE "Sec-WebSocket-Protocol: chat, superchat\r\n"
                                 "Sec-WebSocket-Extensions: x-a; p=1, x-b\r\n"
                                 "Sec-WebSocket-Extensions: x-c\r\n" END;

/* RFC 6455 1.2, 1.3, 4.2.2: the example, at every capacity, after bytes that stand there already.
 */
static void expect_accept(const request *r, const char *expected) {
    size_t len = strlen(expected);
    size_t cap = 0;
    while (cap <= len + 3) {
        uint8_t *out = guard_alloc(cap);
        size_t n = cap < 3 ? cap : 3;
        size_t before = n;
        memset(out, '#', cap);
        hws_status status = accept(r, out, cap, &n);
        if (cap < len + 3) {
            assert_int_equal(status, HWS_ERR_SPACE);
            assert_int_equal(n, before);
        } else {
            assert_int_equal(status, HWS_OK);
            assert_int_equal(n, len + 3);
            assert_memory_equal(out + 3, expected, len);
        }
        assert_memory_equal(out, "###", before);
        guard_free(out, cap);
        cap++;
    }
}

static void test_accept_writes_the_example(void **state) {
    request r;
    (void)state;
    ready(&r, rows[0].request);
    r.config.origin.kind = HWS_ORIGIN_ANY;
    r.config.subprotocol = TEXT("chat");
    expect_accept(&r, "HTTP/1.1 101 Switching Protocols\r\n"
                      "Upgrade: websocket\r\n"
                      "Connection: Upgrade\r\n"
                      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                      "Sec-WebSocket-Protocol: chat\r\n\r\n");
}

/* RFC 6455 4.1: the example of a key there, whose unused bits are set. */
static void test_accept_takes_the_other_example(void **state) {
    request r;
    (void)state;
    ready(&r, GET HOST UPGRADE CONNECTION VERSION
          "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEC==\r\n" END);
    r.config.origin.kind = HWS_ORIGIN_ANY;
    expect_accept(&r, "HTTP/1.1 101 Switching Protocols\r\n"
                      "Upgrade: websocket\r\n"
                      "Connection: Upgrade\r\n"
                      "Sec-WebSocket-Accept: OfS0wDaT5NoxF2gqm7Zj2YtetzM=\r\n\r\n");
}

static void test_accept_writes_all_options(void **state) {
    static const hws_field fields[] = {{{"Set-Cookie", 10}, {"a=b; Secure", 11}},
                                       {{"X-Empty", 7}, {NULL, 0}}};
    request r;
    (void)state;
    ready(&r, offer);
    r.config.subprotocol = TEXT("superchat");
    r.config.extensions = TEXT("x-c; q=\"1\" ;r , x-a");
    r.config.fields = fields;
    r.config.field_count = 2;
    expect_accept(&r, "HTTP/1.1 101 Switching Protocols\r\n"
                      "Upgrade: websocket\r\n"
                      "Connection: Upgrade\r\n"
                      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                      "Sec-WebSocket-Protocol: superchat\r\n"
                      "Sec-WebSocket-Extensions: x-c; q=\"1\" ;r , x-a\r\n"
                      "Set-Cookie: a=b; Secure\r\n"
                      "X-Empty: \r\n\r\n");
}

static void refuse(const request *r, hws_status expected) {
    uint8_t out[OUT_CAP];
    size_t n = 0;
    assert_string_equal(hws_status_name(accept(r, out, sizeof out, &n)), hws_status_name(expected));
    assert_int_equal(n, 0);
}

/* RFC 6455 4.2.2: only what was offered may be chosen; and no text breaks out of its line. */
static void test_accept_refuses_subprotocols(void **state) {
    static const struct {
        hws_text value;
        hws_status status;
    } table[] = {
        {{"chat", 4}, HWS_OK},
        {{"", 0}, HWS_OK},
        {{"CHAT", 4}, HWS_ERR_ARGUMENT},
        {{"cha", 3}, HWS_ERR_ARGUMENT},
        {{"evil", 4}, HWS_ERR_ARGUMENT},
        {{"chat, superchat", 15}, HWS_ERR_ARGUMENT},
        {{"chat\r\nX: 1", 10}, HWS_ERR_FIELD},
        {{"chat\n", 5}, HWS_ERR_FIELD},
        {{"chat\0", 5}, HWS_ERR_FIELD},
    };
    size_t i = 0;
    (void)state;
    while (i < COUNT(table)) {
        request r;
        uint8_t out[OUT_CAP];
        size_t n = 0;
        ready(&r, offer);
        r.config.subprotocol = table[i].value;
        assert_int_equal(accept(&r, out, sizeof out, &n), table[i].status);
        assert_true((n == 0) == (table[i].status != HWS_OK));
        i++;
    }
}

static void test_accept_refuses_extensions(void **state) {
    static const struct {
        hws_text value;
        hws_status status;
    } table[] = {
        {{"x-a", 3}, HWS_OK},
        {{"x-b; k=v; l", 11}, HWS_OK},
        {{"x-a, x-b, x-c", 13}, HWS_OK},
        {{"x-a;p=\"1\"", 9}, HWS_OK},
        {{"x-d", 3}, HWS_ERR_ARGUMENT},
        {{"x-a, x-d", 8}, HWS_ERR_ARGUMENT},
        {{"x-", 2}, HWS_ERR_ARGUMENT},
        {{"X-A", 3}, HWS_ERR_ARGUMENT},
        {{"p", 1}, HWS_ERR_ARGUMENT},
        {{",", 1}, HWS_ERR_ARGUMENT},
        {{"x-a x-b", 7}, HWS_ERR_ARGUMENT},
        {{"x-a;", 4}, HWS_ERR_ARGUMENT},
        {{"x-a;;p", 6}, HWS_ERR_ARGUMENT},
        {{"x-a;p=", 6}, HWS_ERR_ARGUMENT},
        {{"x-a;p=\"1,2\"", 11}, HWS_ERR_ARGUMENT},
        {{"x-a;p=\"1", 8}, HWS_ERR_ARGUMENT},
        {{"x-a=1", 5}, HWS_ERR_ARGUMENT},
        {{"x-a\r\nX: 1", 9}, HWS_ERR_FIELD},
        {{"x-a;p=\"\r\n\"", 10}, HWS_ERR_FIELD},
        {{"x-a\0", 4}, HWS_ERR_FIELD},
        {{"x-d\r\nX: 1", 9}, HWS_ERR_FIELD},
        {{" x-a", 4}, HWS_ERR_FIELD},
    };
    size_t i = 0;
    (void)state;
    while (i < COUNT(table)) {
        request r;
        uint8_t out[OUT_CAP];
        size_t n = 0;
        ready(&r, offer);
        r.config.extensions = table[i].value;
        hws_status status = accept(&r, out, sizeof out, &n);
        if (status != table[i].status) {
            print_error("extensions: %s\n", table[i].value.data);
        }
        assert_int_equal(status, table[i].status);
        assert_true((n == 0) == (table[i].status != HWS_OK));
        i++;
    }
    request plain;
    ready(&plain, rows[1].request);
    plain.config.extensions = TEXT("x-a");
    refuse(&plain, HWS_ERR_ARGUMENT);
}

/* RFC 9110 5.5: no field of the caller splits the response or repeats one of the handshake's. */
static void test_accept_refuses_fields(void **state) {
    static const hws_field bad[] = {
        {{"X", 1}, {"a\r\n\r\nHTTP/1.1 200", 16}},
        {{"X", 1}, {"a\nb", 3}},
        {{"X", 1}, {"a\rb", 3}},
        {{"X", 1}, {"a\0b", 3}},
        {{"X", 1}, {" a", 2}},
        {{"X\r\nEvil", 7}, {"1", 1}},
        {{"X:", 2}, {"1", 1}},
        {{"", 0}, {"1", 1}},
        {{"X\0", 2}, {"1", 1}},
        {{"upgrade", 7}, {"h2c", 3}},
        {{"CONNECTION", 10}, {"close", 5}},
        {{"Content-Length", 14}, {"5", 1}},
        {{"Transfer-Encoding", 17}, {"chunked", 7}},
        {{"Sec-WebSocket-Key", 17}, {"a", 1}},
        {{"Sec-WebSocket-Accept", 20}, {"a", 1}},
        {{"Sec-WebSocket-Version", 21}, {"13", 2}},
        {{"Sec-WebSocket-Protocol", 22}, {"chat", 4}},
        {{"Sec-WebSocket-Extensions", 24}, {"x-a", 3}},
    };
    size_t i = 0;
    (void)state;
    while (i < COUNT(bad)) {
        request r;
        hws_field fields[2] = {{TEXT("X-Good"), TEXT("1")}, bad[i]};
        ready(&r, offer);
        r.config.fields = fields;
        r.config.field_count = 2;
        refuse(&r, HWS_ERR_FIELD);
        i++;
    }
}

static void test_accept_asks_for_a_policy_and_a_handshake(void **state) {
    request r;
    (void)state;
    ready(&r, offer);
    r.config.origin.kind = HWS_ORIGIN_UNSET;
    refuse(&r, HWS_ERR_ARGUMENT);
    ready(&r, offer);
    r.config.size--;
    refuse(&r, HWS_ERR_ARGUMENT);
    ready(&r, GET HOST END);
    refuse(&r, HWS_ERR_ARGUMENT);
    ready(&r, offer);
    r.handshake.kind = HWS_REQUEST_CONNECT;
    refuse(&r, HWS_ERR_ARGUMENT);
    ready(&r, BASE "Origin: https://evil.example\r\n" END);
    refuse(&r, HWS_ERR_ORIGIN);
}

/* RFC 6455 4.2.2: the client's order of preference decides. */
static void test_choose(void **state) {
    static const hws_text supported[] = {{"x", 1}, {"superchat", 9}, {"chat", 4}};
    request r;
    size_t index = 77;
    (void)state;
    ready(&r, offer);
    assert_int_equal(hws_handshake_choose(&r.head, r.buf, supported, 3, &index), 1);
    assert_int_equal(index, 2);
    assert_int_equal(hws_handshake_choose(&r.head, r.buf, supported, 2, &index), 1);
    assert_int_equal(index, 1);
    assert_int_equal(hws_handshake_choose(&r.head, r.buf, supported, 1, &index), 0);
    assert_int_equal(hws_handshake_choose(&r.head, r.buf, supported, 0, &index), 0);
    ready(&r, rows[1].request);
    assert_int_equal(hws_handshake_choose(&r.head, r.buf, supported, 3, &index), 0);
}

/* The answer to each fault is a right response with the status of the table, within 512 bytes. */
static void check_reject(hws_status fault) {
    hws_header headers[HEADER_CAP];
    hws_head head;
    uint8_t out[512];
    size_t n = 0;
    size_t whole;
    assert_int_equal(hws_handshake_reject(fault, out, sizeof out, &n), HWS_OK);
    whole = n;
    hws_head_init(&head, HWS_HEAD_RESPONSE, headers, HEADER_CAP);
    assert_int_equal(hws_head_parse(&head, out, n), HWS_OK);
    assert_int_equal(head.status, hws_status_http(fault));
    assert_int_equal(head.body, HWS_BODY_LENGTH);
    assert_int_equal(head.content_length, n - head.head_len);
    assert_int_equal(head.content_length, strlen(hws_status_sentence(fault)));
    assert_memory_equal(out + head.head_len, hws_status_sentence(fault), n - head.head_len);
    if (head.status == 426) {
        uint32_t i = hws_head_find(&head, out, text("sec-websocket-version"), 0);
        assert_true(i < head.header_count);
        assert_memory_equal(out + head.headers[i].value.offset, "13", head.headers[i].value.len);
    }
    assert_int_equal(hws_head_find(&head, out, text("allow"), 0) < head.header_count,
                     head.status == 405);
    while (n > 0) {
        size_t written = 0;
        n--;
        assert_int_equal(hws_handshake_reject(fault, out, n, &written), HWS_ERR_SPACE);
        assert_int_equal(written, 0);
    }
    n = 5;
    assert_int_equal(hws_handshake_reject(fault, out, whole + 5, &n), HWS_OK);
    assert_int_equal(n, whole + 5);
}

static void test_reject(void **state) {
    hws_status fault = HWS_ERR_TLS;
    (void)state;
    while (fault <= HWS_NEED_MORE) {
        uint8_t out[512];
        size_t n = 0;
        if (hws_status_http(fault) != 0) {
            check_reject(fault);
        } else {
            assert_int_equal(hws_handshake_reject(fault, out, sizeof out, &n), HWS_ERR_ARGUMENT);
            assert_int_equal(n, 0);
        }
        fault++;
    }
}

/* RFC 6455 4.2.2: an application refuses a right request; what follows is not read as frames, and
 * the same memory takes the next request. */
static void test_application_refuses(void **state) {
    request r;
    uint8_t out[512];
    size_t n = 0;
    (void)state;
    ready(&r, rows[1].request);
    assert_int_equal(hws_response_write(403, NULL, 0, NULL, 0, out, sizeof out, &n), HWS_OK);
    assert_memory_equal(out, "HTTP/1.1 403 Forbidden\r\n", 24);
    assert_int_equal(hws_head_parse(&r.head, r.buf, rows[1].len), HWS_OK);
    ready(&r, offer);
    n = 0;
    assert_int_equal(accept(&r, out, sizeof out, &n), HWS_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_host_values),
        cmocka_unit_test(test_long_fields),
        cmocka_unit_test(test_accept_writes_the_example),
        cmocka_unit_test(test_accept_takes_the_other_example),
        cmocka_unit_test(test_accept_writes_all_options),
        cmocka_unit_test(test_accept_refuses_subprotocols),
        cmocka_unit_test(test_accept_refuses_extensions),
        cmocka_unit_test(test_accept_refuses_fields),
        cmocka_unit_test(test_accept_asks_for_a_policy_and_a_handshake),
        cmocka_unit_test(test_choose),
        cmocka_unit_test(test_reject),
        cmocka_unit_test(test_application_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
