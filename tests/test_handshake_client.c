/*
 * The client's side of the opening handshake: the request it writes, and which responses open the
 * connection. Each response runs whole, byte by byte and cut in two at every place.
 */
#include "support.h"

#include <hawser/handshake.h>

#include <stdio.h>
#include <string.h>

#define TEXT(literal) ((hws_text){(literal), sizeof(literal) - 1})
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define LINE "HTTP/1.1 101 Switching Protocols\r\n"
#define UPGRADE "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define BASE LINE UPGRADE CONNECTION ACCEPT
#define END "\r\n"

enum { HEADER_CAP = 32, TRACE_CAP = 512, OUT_CAP = 2048 };

typedef struct row {
    const char *name;
    const char *response;
    const char *expected;
} row;

/* Against a client that offers the subprotocols chat and chat2, and the extensions x-a and x-b. */
static const row rows[] = {
    {"RFC 6455 1.2: the example of a response is right",
     "HTTP/1.1 101 Switching Protocols\r\n"
     "Upgrade: websocket\r\n"
     "Connection: Upgrade\r\n"
     "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
     "Sec-WebSocket-Protocol: chat\r\n\r\n",
     "OPEN subprotocol=chat index=0"},
    {"RFC 6455 1.3: a response without options is right", BASE END, "OPEN"},
    {"RFC 6455 4.1: frames may stand right after the head", BASE END "\x81\x02hi", "OPEN rest=4"},
    {"RFC 9110 15.2: interim responses are skipped",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" BASE END, "OPEN"},
    {"RFC 9112 4: the reason phrase may be another, or empty",
     "HTTP/1.1 101 \r\n" UPGRADE CONNECTION ACCEPT END, "OPEN"},
    {"RFC 9110 7.8: a 101 of HTTP/1.0 switches nothing",
     "HTTP/1.0 101 Switching Protocols\r\n" UPGRADE CONNECTION ACCEPT END, "HWS_ERR_HTTP_VERSION"},

    /* Upgrade and Connection. */
    {"RFC 6455 4.1: names of fields and values of Upgrade have no case",
     LINE "UPGRADE: WebSocket\r\nconnection: keep-alive, UPGRADE\r\n"
          "sec-websocket-accept:   s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \r\n" END,
     "OPEN"},
    {"RFC 6455 4.1: Upgrade must be there", LINE CONNECTION ACCEPT END, "HWS_ERR_UPGRADE"},
    {"RFC 6455 4.1: Upgrade of another protocol", LINE CONNECTION ACCEPT "Upgrade: h2c\r\n" END,
     "HWS_ERR_UPGRADE"},
    {"RFC 6455 4.1: Upgrade has one value",
     LINE CONNECTION ACCEPT "Upgrade: websocket, h2c\r\n" END, "HWS_ERR_UPGRADE"},
    {"RFC 6455 4.1: Upgrade has one line", LINE CONNECTION ACCEPT UPGRADE UPGRADE END,
     "HWS_ERR_UPGRADE"},
    {"RFC 6455 4.1: Connection must be there", LINE UPGRADE ACCEPT END, "HWS_ERR_CONNECTION"},
    {"RFC 6455 4.1: Connection must name Upgrade", LINE UPGRADE ACCEPT "Connection: close\r\n" END,
     "HWS_ERR_CONNECTION"},

    /* Accept. */
    {"RFC 6455 4.1: the accept value must be there", LINE UPGRADE CONNECTION END, "HWS_ERR_ACCEPT"},
    {"RFC 6455 4.1: the accept value may not be empty",
     LINE UPGRADE CONNECTION "Sec-WebSocket-Accept: \r\n" END, "HWS_ERR_ACCEPT"},
    {"RFC 6455 4.1: the accept value has case",
     LINE UPGRADE CONNECTION "Sec-WebSocket-Accept: s3ppLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" END,
     "HWS_ERR_ACCEPT"},
    {"RFC 6455 4.1: the accept value in lower case",
     LINE UPGRADE CONNECTION "Sec-WebSocket-Accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n" END,
     "HWS_ERR_ACCEPT"},
    {"RFC 6455 4.1: the accept value is whole",
     LINE UPGRADE CONNECTION "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo\r\n" END,
     "HWS_ERR_ACCEPT"},
    {"RFC 6455 4.1: the key is no accept value",
     LINE UPGRADE CONNECTION "Sec-WebSocket-Accept: dGhlIHNhbXBsZSBub25jZQ==\r\n" END,
     "HWS_ERR_ACCEPT"},
    {"RFC 6455 11.3.3: two accept values are refused", BASE "Sec-WebSocket-Accept: AAAA\r\n" END,
     "HWS_ERR_ACCEPT"},
    {"RFC 6455 11.3.3: two equal accept values are refused", BASE ACCEPT END, "HWS_ERR_ACCEPT"},

    /* Subprotocol. */
    {"RFC 6455 4.1: the second subprotocol offered", BASE "Sec-WebSocket-Protocol: chat2\r\n" END,
     "OPEN subprotocol=chat2 index=1"},
    {"RFC 6455 4.1: a subprotocol that was not offered",
     BASE "Sec-WebSocket-Protocol: evil\r\n" END, "HWS_ERR_SUBPROTOCOL"},
    {"RFC 6455 4.1: subprotocols have case", BASE "Sec-WebSocket-Protocol: Chat\r\n" END,
     "HWS_ERR_SUBPROTOCOL"},
    {"RFC 6455 11.3.4: two lines of subprotocols",
     BASE "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat2\r\n" END,
     "HWS_ERR_SUBPROTOCOL"},
    {"RFC 6455 4.3: two subprotocols on a line", BASE "Sec-WebSocket-Protocol: chat, chat2\r\n" END,
     "HWS_ERR_SUBPROTOCOL"},
    {"RFC 6455 4.2.2: an empty subprotocol is not none", BASE "Sec-WebSocket-Protocol:\r\n" END,
     "HWS_ERR_SUBPROTOCOL"},

    /* Extensions. */
    {"RFC 6455 9.1: an extension that was offered",
     BASE "Sec-WebSocket-Extensions: x-b; anything=9 \r\n" END, "OPEN"},
    {"RFC 6455 9.1: both extensions that were offered, on two lines",
     BASE "Sec-WebSocket-Extensions: x-b;q=\"1\"\r\nSec-WebSocket-Extensions: x-a\r\n" END, "OPEN"},
    {"RFC 6455 4.1: an extension that was not offered",
     BASE "Sec-WebSocket-Extensions: x-webkit-deflate-frame\r\n" END, "HWS_ERR_EXTENSION"},
    {"RFC 6455 4.1: an extension that was not offered, behind one that was",
     BASE "Sec-WebSocket-Extensions: x-a, x-c\r\n" END, "HWS_ERR_EXTENSION"},
    {"RFC 6455 4.1: a parameter's name is no extension's",
     BASE "Sec-WebSocket-Extensions: p\r\n" END, "HWS_ERR_EXTENSION"},
    {"RFC 6455 4.1: names of extensions have case", BASE "Sec-WebSocket-Extensions: X-A\r\n" END,
     "HWS_ERR_EXTENSION"},
    {"RFC 6455 9.1: a quoted string that does not end",
     BASE "Sec-WebSocket-Extensions: x-a; bits=\"9\r\n" END, "HWS_ERR_EXTENSION"},
    {"RFC 6455 9.1: an empty quoted string is no token",
     BASE "Sec-WebSocket-Extensions: x-a; bits=\"\"\r\n" END, "HWS_ERR_EXTENSION"},
    {"RFC 6455 9.1: a value may not be missing",
     BASE "Sec-WebSocket-Extensions: x-a; bits=\r\n" END, "HWS_ERR_EXTENSION"},
    {"RFC 6455 4.2.2: an empty list of extensions is not none",
     BASE "Sec-WebSocket-Extensions:\r\n" END, "HWS_ERR_EXTENSION"},

    /* Answers by the rules of HTTP. */
    {"RFC 6455 4.1: 200 opens no connection, whatever its fields",
     "HTTP/1.1 200 OK\r\n" UPGRADE CONNECTION ACCEPT END, "HWS_ERR_REFUSED 200"},
    {"RFC 6455 4.1: a refusal has a body",
     "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nno",
     "HWS_ERR_REFUSED 401 rest=2"},
    {"RFC 9110 15.4: a redirect has a location",
     "HTTP/1.1 302 Found\r\nLocation: wss://b.example/chat\r\n\r\n",
     "HWS_ERR_REFUSED 302 location=wss://b.example/chat"},
    {"RFC 9110 15.4: a redirect without location", "HTTP/1.1 301 Moved\r\n\r\n",
     "HWS_ERR_REFUSED 301"},
    {"RFC 9110 10.2.2: of two locations none is told",
     "HTTP/1.1 307 X\r\nLocation: /a\r\nLocation: /b\r\n\r\n", "HWS_ERR_REFUSED 307"},
    {"RFC 9110 10.2.2: a location without redirect",
     "HTTP/1.1 404 Not Found\r\nLocation: /a\r\n\r\n", "HWS_ERR_REFUSED 404"},

    /* The grammar of HTTP. */
    {"RFC 9112 2.2: lines that end with LF alone are refused",
     "HTTP/1.1 101 X\nUpgrade: websocket\n\n", "HWS_ERR_LINE_END"},
    {"RFC 9112 5.2: a folded line is refused", BASE " x\r\n" END, "HWS_ERR_FIELD_FOLDED"},
};

static const hws_text subprotocols[] = {{"chat", 4}, {"chat2", 5}};

static void full_config(hws_client_config *config) {
    memset(config, 0xAA, sizeof *config);
    hws_client_config_init(config);
    config->host = TEXT("server.example.com");
    config->target = TEXT("/chat");
    config->subprotocols = subprotocols;
    config->subprotocol_count = COUNT(subprotocols);
    config->extensions = TEXT("x-a; p=1, x-b");
}

static void sample_key(hws_key *key) {
    memcpy(key->key, "dGhlIHNhbXBsZSBub25jZQ==", HWS_KEY_LEN);
    memcpy(key->accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", HWS_ACCEPT_LEN);
}

static void trace_result(char *trace, hws_status status, const hws_head *head, const uint8_t *buf,
                         const hws_accepted *accepted) {
    size_t at = (size_t)snprintf(trace, TRACE_CAP, "%s",
                                 status == HWS_OK ? "OPEN" : hws_status_name(status));
    if (status == HWS_ERR_REFUSED) {
        at += (size_t)snprintf(trace + at, TRACE_CAP - at, " %u", head->status);
    }
    if (accepted->subprotocol.len > 0) {
        at += (size_t)snprintf(trace + at, TRACE_CAP - at, " subprotocol=%.*s index=%u",
                               (int)accepted->subprotocol.len,
                               (const char *)buf + accepted->subprotocol.offset,
                               accepted->subprotocol_index);
    } else {
        assert_int_equal(accepted->subprotocol_index, UINT32_MAX);
    }
    if (accepted->location.len > 0) {
        snprintf(trace + at, TRACE_CAP - at, " location=%.*s", (int)accepted->location.len,
                 (const char *)buf + accepted->location.offset);
    }
}

/* Verify a response that arrives in two parts, the first of `cut` bytes; or in single bytes. */
static void run(const hws_client_config *config, const uint8_t *buf, size_t len, size_t cut,
                uint8_t single, char *trace) {
    hws_header headers[HEADER_CAP];
    hws_head head;
    hws_key key;
    hws_accepted accepted;
    hws_status status;
    size_t have = cut;
    sample_key(&key);
    hws_head_init(&head, HWS_HEAD_RESPONSE, headers, HEADER_CAP);
    while ((status = hws_head_parse(&head, buf, have)) == HWS_NEED_MORE && have < len) {
        have = single ? have + 1 : len;
    }
    if (status == HWS_OK) {
        status = hws_handshake_verify(config, &key, &head, buf, &accepted);
    }
    if (status != HWS_OK && status != HWS_ERR_REFUSED) {
        snprintf(trace, TRACE_CAP, "%s", hws_status_name(status));
        return;
    }
    trace_result(trace, status, &head, buf, &accepted);
    if (head.head_len < len) {
        size_t at = strlen(trace);
        snprintf(trace + at, TRACE_CAP - at, " rest=%zu", len - head.head_len);
    }
}

static void expect(const hws_client_config *config, const row *r) {
    size_t len = strlen(r->response);
    uint8_t *buf = guard_copy(r->response, len);
    char trace[TRACE_CAP];
    size_t cut = 0;
    run(config, buf, len, len, 0, trace);
    if (strcmp(trace, r->expected) != 0) {
        print_error("%s\n", r->name);
    }
    assert_string_equal(trace, r->expected);
    run(config, buf, len, 1, 1, trace);
    assert_string_equal(trace, r->expected);
    while (cut <= len) {
        run(config, buf, len, cut, 0, trace);
        assert_string_equal(trace, r->expected);
        cut++;
    }
    guard_free(buf, len);
}

static void test_rows(void **state) {
    hws_client_config config;
    size_t i = 0;
    (void)state;
    full_config(&config);
    while (i < COUNT(rows)) {
        expect(&config, &rows[i]);
        i++;
    }
}

/* RFC 6455 4.1: without an offer no subprotocol and no extension may be chosen. */
static void test_nothing_was_offered(void **state) {
    static const row none[] = {
        {"RFC 6455 4.1: neither is chosen", BASE END, "OPEN"},
        {"RFC 6455 4.1: a subprotocol though none was offered",
         BASE "Sec-WebSocket-Protocol: chat\r\n" END, "HWS_ERR_SUBPROTOCOL"},
        {"RFC 6455 4.1: an empty subprotocol though none was offered",
         BASE "Sec-WebSocket-Protocol: \r\n" END, "HWS_ERR_SUBPROTOCOL"},
        {"RFC 6455 4.1: an extension though none was offered",
         BASE "Sec-WebSocket-Extensions: permessage-deflate\r\n" END, "HWS_ERR_EXTENSION"},
    };
    hws_client_config config;
    size_t i = 0;
    (void)state;
    hws_client_config_init(&config);
    while (i < COUNT(none)) {
        expect(&config, &none[i]);
        i++;
    }
}

/* RFC 6455 4.1: a list of 8000 extensions costs 8000 looks at the offer, and stays in bounds. */
static void test_long_list(void **state) {
    static char response[12000];
    hws_client_config config;
    char trace[TRACE_CAP];
    size_t at;
    size_t i = 0;
    (void)state;
    full_config(&config);
    at = (size_t)snprintf(response, sizeof response, BASE "Sec-WebSocket-Extensions: x-a");
    while (i < 2000) {
        at += (size_t)snprintf(response + at, sizeof response - at, ",x-b");
        i++;
    }
    strcpy(response + at, "\r\n\r\n");
    run(&config, (uint8_t *)response, at + 4, at, 0, trace);
    assert_string_equal(trace, "OPEN");
    memset(response + at - 8000, ',', 8000);
    run(&config, (uint8_t *)response, at + 4, at, 0, trace);
    assert_string_equal(trace, "OPEN");
}

/* A random source that gives the nonce of the RFC's example, "the sample nonce". */
static hws_status sample_nonce(void *user, uint8_t *dst, size_t len) {
    (void)user;
    assert_int_equal(len, 16);
    memcpy(dst, "the sample nonce", len);
    return HWS_OK;
}

/* The request at every capacity, after bytes that stand there already. */
static void expect_request(const hws_client_config *config, const char *expected) {
    size_t len = strlen(expected);
    size_t cap = 0;
    while (cap <= len + 3) {
        uint8_t *out = guard_alloc(cap);
        size_t n = cap < 3 ? cap : 3;
        size_t before = n;
        hws_key key;
        memset(out, '#', cap);
        hws_status status = hws_handshake_request(config, sample_nonce, NULL, &key, out, cap, &n);
        if (cap < len + 3) {
            assert_int_equal(status, HWS_ERR_SPACE);
            assert_int_equal(n, before);
        } else {
            assert_int_equal(status, HWS_OK);
            assert_int_equal(n, len + 3);
            assert_memory_equal(out + 3, expected, len);
            assert_memory_equal(key.key, "dGhlIHNhbXBsZSBub25jZQ==", HWS_KEY_LEN);
            assert_memory_equal(key.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", HWS_ACCEPT_LEN);
        }
        assert_memory_equal(out, "###", before);
        guard_free(out, cap);
        cap++;
    }
}

static void test_request_writes_the_example(void **state) {
    const hws_text offer[] = {TEXT("chat"), TEXT("superchat")};
    hws_client_config config;
    (void)state;
    hws_client_config_init(&config);
    config.host = TEXT("server.example.com");
    expect_request(&config, "GET / HTTP/1.1\r\n"
                            "Host: server.example.com\r\n"
                            "Upgrade: websocket\r\n"
                            "Connection: Upgrade\r\n"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                            "Sec-WebSocket-Version: 13\r\n\r\n");
    config.target = TEXT("/chat");
    config.origin = TEXT("http://example.com");
    config.subprotocols = offer;
    config.subprotocol_count = 2;
    expect_request(&config, "GET /chat HTTP/1.1\r\n"
                            "Host: server.example.com\r\n"
                            "Upgrade: websocket\r\n"
                            "Connection: Upgrade\r\n"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                            "Sec-WebSocket-Version: 13\r\n"
                            "Origin: http://example.com\r\n"
                            "Sec-WebSocket-Protocol: chat, superchat\r\n\r\n");
}

static void test_request_writes_all_options(void **state) {
    const hws_field fields[] = {{TEXT("Authorization"), TEXT("Bearer x")},
                                {TEXT("Cookie"), TEXT("a=b; c=d")}};
    hws_client_config config;
    (void)state;
    full_config(&config);
    config.host = TEXT("[::1]:8080");
    config.target = TEXT("/chat?room=1&q=%20");
    config.fields = fields;
    config.field_count = 2;
    expect_request(&config, "GET /chat?room=1&q=%20 HTTP/1.1\r\n"
                            "Host: [::1]:8080\r\n"
                            "Upgrade: websocket\r\n"
                            "Connection: Upgrade\r\n"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                            "Sec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Protocol: chat, chat2\r\n"
                            "Sec-WebSocket-Extensions: x-a; p=1, x-b\r\n"
                            "Authorization: Bearer x\r\n"
                            "Cookie: a=b; c=d\r\n\r\n");
}

/* A request that is refused writes nothing and asks for no random bytes. */
static void refuse(const hws_client_config *config, const char *name, hws_status expected) {
    test_random source = {1, 0, 0};
    uint8_t out[OUT_CAP];
    hws_key key;
    size_t n = 0;
    hws_status status =
        hws_handshake_request(config, test_random_fill, &source, &key, out, sizeof out, &n);
    if (status != expected) {
        print_error("%s\n", name);
    }
    assert_string_equal(hws_status_name(status), hws_status_name(expected));
    assert_true((n == 0) == (expected != HWS_OK));
    assert_int_equal(source.calls, expected == HWS_OK);
}

/* Each text of the caller in turn; a byte that could end a line early is HWS_ERR_FIELD. */
static void test_request_refuses_texts(void **state) {
    enum place { HOST, TARGET, ORIGIN, SUBPROTOCOL, EXTENSIONS, NAME, VALUE };
    static const struct {
        enum place place;
        hws_text text;
        hws_status status;
    } table[] = {
        {HOST, {"h:80", 4}, HWS_OK},
        {HOST, {"h\r\nX-Evil: 1", 12}, HWS_ERR_FIELD},
        {HOST, {"h\n", 2}, HWS_ERR_FIELD},
        {HOST, {"h\r", 2}, HWS_ERR_FIELD},
        {HOST, {"a\0b", 3}, HWS_ERR_FIELD},
        {HOST, {"", 0}, HWS_ERR_ARGUMENT},
        {HOST, {"a b", 3}, HWS_ERR_ARGUMENT},
        {HOST, {"a,b", 3}, HWS_ERR_ARGUMENT},
        {HOST, {"u@h", 3}, HWS_ERR_ARGUMENT},
        {HOST, {"h/x", 3}, HWS_ERR_ARGUMENT},
        {HOST, {"::1", 3}, HWS_ERR_ARGUMENT},
        {HOST, {"h\xc3\xa4", 3}, HWS_ERR_ARGUMENT},
        {TARGET, {"/", 1}, HWS_OK},
        {TARGET, {"/~", 2}, HWS_OK},
        {TARGET, {"/a b", 4}, HWS_ERR_FIELD},
        {TARGET, {"/ HTTP/1.1\r\nX: 1", 16}, HWS_ERR_FIELD},
        {TARGET, {"/\n", 2}, HWS_ERR_FIELD},
        {TARGET, {"/\t", 2}, HWS_ERR_FIELD},
        {TARGET, {"/\0", 2}, HWS_ERR_FIELD},
        {TARGET, {"/\x7f", 2}, HWS_ERR_FIELD},
        {TARGET, {"/\xc3\xa4", 3}, HWS_ERR_FIELD},
        {TARGET, {"", 0}, HWS_ERR_ARGUMENT},
        {TARGET, {"chat", 4}, HWS_ERR_ARGUMENT},
        {TARGET, {"?a", 2}, HWS_ERR_ARGUMENT},
        {TARGET, {"/a#b", 4}, HWS_ERR_ARGUMENT},
        {ORIGIN, {"null", 4}, HWS_OK},
        {ORIGIN, {"o\nX: 1", 6}, HWS_ERR_FIELD},
        {ORIGIN, {"o\rX: 1", 6}, HWS_ERR_FIELD},
        {ORIGIN, {"a\0b", 3}, HWS_ERR_FIELD},
        {ORIGIN, {" o", 2}, HWS_ERR_FIELD},
        {SUBPROTOCOL, {"other", 5}, HWS_OK},
        {SUBPROTOCOL, {"chat\r\nX: 1", 10}, HWS_ERR_FIELD},
        {SUBPROTOCOL, {"a\0b", 3}, HWS_ERR_FIELD},
        {SUBPROTOCOL, {"", 0}, HWS_ERR_ARGUMENT},
        {SUBPROTOCOL, {"a b", 3}, HWS_ERR_ARGUMENT},
        {SUBPROTOCOL, {"a,b", 3}, HWS_ERR_ARGUMENT},
        {SUBPROTOCOL, {"chat", 4}, HWS_ERR_ARGUMENT}, /* a second time */
        {EXTENSIONS, {"", 0}, HWS_OK},
        {EXTENSIONS, {"a;b=\"c\" ; d,e", 13}, HWS_OK},
        {EXTENSIONS, {",, a ,", 6}, HWS_OK},
        {EXTENSIONS, {"a\r\nX: 1", 7}, HWS_ERR_FIELD},
        {EXTENSIONS, {"a\0b", 3}, HWS_ERR_FIELD},
        {EXTENSIONS, {"a ", 2}, HWS_ERR_FIELD},
        {EXTENSIONS, {",", 1}, HWS_ERR_ARGUMENT},
        {EXTENSIONS, {"=", 1}, HWS_ERR_ARGUMENT},
        {EXTENSIONS, {";a", 2}, HWS_ERR_ARGUMENT},
        {EXTENSIONS, {"a b", 3}, HWS_ERR_ARGUMENT},
        {EXTENSIONS, {"a;", 2}, HWS_ERR_ARGUMENT},
        {EXTENSIONS, {"a,b;=c", 6}, HWS_ERR_ARGUMENT},
        {EXTENSIONS, {"a;b=\"c,d\"", 9}, HWS_ERR_ARGUMENT},
        {EXTENSIONS, {"a;b=\"c", 6}, HWS_ERR_ARGUMENT},
        {EXTENSIONS, {"a;b=\"\"", 6}, HWS_ERR_ARGUMENT},
#if SIZE_MAX > UINT32_MAX
        {EXTENSIONS, {"a", (size_t)UINT32_MAX + 2}, HWS_ERR_ARGUMENT}, /* nothing of it is read */
#endif
        {NAME, {"X-A", 3}, HWS_OK},
        {NAME, {"X\r\nEvil", 7}, HWS_ERR_FIELD},
        {NAME, {"X\0", 2}, HWS_ERR_FIELD},
        {NAME, {"X:", 2}, HWS_ERR_FIELD},
        {NAME, {"X ", 2}, HWS_ERR_FIELD},
        {NAME, {"", 0}, HWS_ERR_FIELD},
        {NAME, {"host", 4}, HWS_ERR_FIELD},
        {NAME, {"ORIGIN", 6}, HWS_ERR_FIELD},
        {NAME, {"Upgrade", 7}, HWS_ERR_FIELD},
        {NAME, {"Connection", 10}, HWS_ERR_FIELD},
        {NAME, {"Content-Length", 14}, HWS_ERR_FIELD},
        {NAME, {"Transfer-Encoding", 17}, HWS_ERR_FIELD},
        {NAME, {"Sec-WebSocket-Key", 17}, HWS_ERR_FIELD},
        {NAME, {"Sec-WebSocket-Version", 21}, HWS_ERR_FIELD},
        {NAME, {"Sec-WebSocket-Protocol", 22}, HWS_ERR_FIELD},
        {NAME, {"Sec-WebSocket-Extensions", 24}, HWS_ERR_FIELD},
        {VALUE, {"", 0}, HWS_OK},
        {VALUE, {"v\r\nX-Evil: 1", 12}, HWS_ERR_FIELD},
        {VALUE, {"v\n", 2}, HWS_ERR_FIELD},
        {VALUE, {"a\0b", 3}, HWS_ERR_FIELD},
    };
    size_t i = 0;
    (void)state;
    while (i < COUNT(table)) {
        hws_text offer[] = {TEXT("chat"), TEXT("x"), TEXT("y")};
        hws_field fields[] = {{TEXT("X-1"), TEXT("1")}, {TEXT("X-2"), TEXT("2")}};
        hws_client_config config;
        full_config(&config);
        config.subprotocols = offer;
        config.subprotocol_count = COUNT(offer);
        config.fields = fields;
        config.field_count = COUNT(fields);
        hws_text *const places[] = {&config.host,       &config.target,  &config.origin,  &offer[2],
                                    &config.extensions, &fields[1].name, &fields[1].value};
        *places[table[i].place] = table[i].text;
        refuse(&config, table[i].text.data, table[i].status);
        i++;
    }
}

static void test_request_limits_subprotocols(void **state) {
    static char names[HWS_MAX_SUBPROTOCOLS + 1][4];
    static hws_text offer[HWS_MAX_SUBPROTOCOLS + 1];
    hws_client_config config;
    size_t i = 0;
    (void)state;
    while (i < COUNT(offer)) {
        snprintf(names[i], sizeof names[i], "p%zu", i % 100);
        offer[i] = hws_text_from(names[i]);
        i++;
    }
    full_config(&config);
    config.subprotocols = offer;
    config.subprotocol_count = HWS_MAX_SUBPROTOCOLS;
    refuse(&config, "as many subprotocols as allowed", HWS_OK);
    config.subprotocol_count++;
    refuse(&config, "one subprotocol too many", HWS_ERR_ARGUMENT);
    full_config(&config);
    config.size++;
    refuse(&config, "a configuration of another size", HWS_ERR_ARGUMENT);
}

/* RFC 6455 4.1 point 7, 10.3: each request has a key of its own, and none without randomness. */
static void test_keys(void **state) {
    enum { KEYS = 1000 };
    static hws_key keys[KEYS];
    test_random source = {42, 0, KEYS};
    hws_client_config config;
    uint8_t out[OUT_CAP];
    size_t n = 0;
    size_t i = 0;
    (void)state;
    full_config(&config);
    while (i < KEYS) {
        size_t k = 0;
        n = 0;
        assert_int_equal(hws_handshake_request(&config, test_random_fill, &source, &keys[i], out,
                                               sizeof out, &n),
                         HWS_OK);
        while (k < i) {
            assert_memory_not_equal(keys[k].key, keys[i].key, HWS_KEY_LEN);
            k++;
        }
        i++;
    }
    assert_int_equal(source.calls, KEYS);
    n = 7;
    assert_int_equal(
        hws_handshake_request(&config, test_random_fill, &source, &keys[0], out, sizeof out, &n),
        HWS_ERR_RANDOM);
    assert_int_equal(n, 7);
}

/* RFC 6455 4.2: what a client writes a server takes, and what it answers the client takes. */
static void test_both_sides(void **state) {
    test_random source = {7, 0, 0};
    hws_client_config config;
    hws_accept_config answer;
    hws_header headers[HEADER_CAP];
    hws_head head;
    hws_handshake handshake;
    hws_accepted accepted;
    hws_key key;
    uint8_t request[OUT_CAP];
    uint8_t response[OUT_CAP];
    size_t n = 0;
    size_t m = 0;
    (void)state;
    full_config(&config);
    assert_int_equal(hws_handshake_request(&config, test_random_fill, &source, &key, request,
                                           sizeof request, &n),
                     HWS_OK);
    hws_head_init(&head, HWS_HEAD_REQUEST, headers, HEADER_CAP);
    assert_int_equal(hws_head_parse(&head, request, n), HWS_OK);
    assert_int_equal(hws_handshake_parse(&head, request, &handshake), HWS_OK);
    assert_int_equal(handshake.kind, HWS_REQUEST_UPGRADE);
    assert_int_equal(handshake.subprotocol_count, 2);
    hws_accept_config_init(&answer);
    answer.origin.kind = HWS_ORIGIN_SAME;
    answer.subprotocol = TEXT("chat2");
    answer.extensions = TEXT("x-b");
    assert_int_equal(
        hws_handshake_accept(&handshake, &head, request, &answer, response, sizeof response, &m),
        HWS_OK);
    hws_head_init(&head, HWS_HEAD_RESPONSE, headers, HEADER_CAP);
    assert_int_equal(hws_head_parse(&head, response, m), HWS_OK);
    assert_int_equal(hws_handshake_verify(&config, &key, &head, response, &accepted), HWS_OK);
    assert_int_equal(accepted.subprotocol_index, 1);
    assert_int_equal(head.head_len, m);
}

/* Only extended CONNECT has no key. */
static void test_verify_needs_the_key(void **state) {
    static const char answer[] = LINE UPGRADE CONNECTION END;
    hws_header headers[8];
    hws_client_config config;
    hws_accepted accepted;
    hws_head head;
    (void)state;
    hws_client_config_init(&config);
    hws_head_init(&head, HWS_HEAD_RESPONSE, headers, 8);
    assert_int_equal(hws_head_parse(&head, (const uint8_t *)answer, sizeof answer - 1), HWS_OK);
    assert_int_equal(hws_handshake_verify(&config, NULL, &head, (const uint8_t *)answer, &accepted),
                     HWS_ERR_ARGUMENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verify_needs_the_key),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_nothing_was_offered),
        cmocka_unit_test(test_long_list),
        cmocka_unit_test(test_request_writes_the_example),
        cmocka_unit_test(test_request_writes_all_options),
        cmocka_unit_test(test_request_refuses_texts),
        cmocka_unit_test(test_request_limits_subprotocols),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
