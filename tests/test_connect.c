/*
 * Extended CONNECT: requests as lists of pairs, what the server answers, and what a client writes
 * and verifies.
 */
#include "support.h"

#include <hawser/connect.h>

#include <stdio.h>
#include <string.h>

#define TEXT(literal) ((hws_text){(literal), sizeof(literal) - 1})
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { HEADER_CAP = 16, BUF_CAP = 2048, TRACE_CAP = 512, PAIRS = 80 };

#define METHOD ":method=CONNECT\n"
#define PROTOCOL ":protocol=websocket\n"
#define SCHEME ":scheme=https\n"
#define PATH ":path=/chat\n"
#define AUTHORITY ":authority=server.example.com\n"
#define VERSION "sec-websocket-version=13\n"
#define BASE METHOD PROTOCOL SCHEME PATH AUTHORITY VERSION
#define GOOD "CONNECT path=/chat host=server.example.com"
#define PSEUDO "HWS_ERR_PSEUDO_FIELD 400"

typedef struct row {
    const char *name;
    const char *pairs; /* "name=value", each with LF behind it */
    const char *expected;
} row;

static const row rows[] = {
    {"RFC 8441 5.1: the example is right",
     ":method=CONNECT\n"
     ":protocol=websocket\n"
     ":scheme=https\n"
     ":path=/chat\n"
     ":authority=server.example.com\n"
     "sec-websocket-protocol=chat, superchat\n"
     "sec-websocket-extensions=permessage-deflate\n"
     "sec-websocket-version=13\n"
     "origin=http://www.example.com\n",
     GOOD " origin=http://www.example.com subprotocols=2"},
    {"RFC 8441 5: subprotocols may come one a pair",
     BASE "sec-websocket-protocol=a\nsec-websocket-protocol=b\n", GOOD " subprotocols=2"},
    {"RFC 8441 5: the scheme of ws is http",
     METHOD PROTOCOL ":scheme=http\n" PATH AUTHORITY VERSION, GOOD},
    {"RFC 9113 8.3.1: the path has a query",
     METHOD PROTOCOL SCHEME ":path=/a?b=c\n" AUTHORITY VERSION,
     "CONNECT path=/a query=b=c host=server.example.com"},
    {"RFC 9113 8.3: pseudo-header fields come in any order",
     AUTHORITY PATH SCHEME PROTOCOL METHOD VERSION, GOOD},
    {"RFC 8441 5: the key has no meaning", BASE "sec-websocket-key=x\n", GOOD},
    {"RFC 9110 7.8: names of protocols have no case",
     METHOD ":protocol=WebSocket\n" SCHEME PATH AUTHORITY VERSION, GOOD},

    /* What is no handshake. */
    {"RFC 9110 9.3.6: CONNECT without protocol is a plain request", METHOD AUTHORITY,
     "PLAIN host=server.example.com"},
    {"RFC 8441 4: CONNECT for another protocol is not ours",
     METHOD ":protocol=connect-udp\n" SCHEME PATH AUTHORITY,
     "PLAIN path=/chat host=server.example.com"},
    {"RFC 9113 8.3.1: GET is a plain request",
     ":method=GET\n" SCHEME ":path=/a?b\n" AUTHORITY "origin=null\n",
     "PLAIN path=/a query=b host=server.example.com origin=null"},
    {"RFC 8441 4: a protocol goes with CONNECT alone",
     ":method=GET\n" PROTOCOL SCHEME PATH AUTHORITY VERSION,
     "PLAIN path=/chat host=server.example.com"},
    {"RFC 9110 9.1: methods have case", ":method=connect\n" PROTOCOL SCHEME PATH AUTHORITY VERSION,
     "PLAIN path=/chat host=server.example.com"},
    {"RFC 9113 8.3.1: without :authority Host is the host",
     ":method=GET\n" SCHEME PATH "host=a.example\n", "PLAIN path=/chat host=a.example"},
    {"RFC 9113 8.3.1: an asterisk is no path", ":method=OPTIONS\n" SCHEME ":path=*\n" AUTHORITY,
     "PLAIN host=server.example.com"},
    {"RFC 9113 8.3.1: :path has no absolute-form",
     ":method=GET\n" SCHEME ":path=http://a.example/x\n" AUTHORITY,
     "PLAIN host=server.example.com"},

    /* Pseudo-header fields. */
    {"RFC 8441 4: :scheme must be there", METHOD PROTOCOL PATH AUTHORITY VERSION, PSEUDO},
    {"RFC 8441 4: :path must be there", METHOD PROTOCOL SCHEME AUTHORITY VERSION, PSEUDO},
    {"RFC 8441 5: :authority must be there", METHOD PROTOCOL SCHEME PATH VERSION, PSEUDO},
    {"RFC 8441 5: Host does not stand for :authority",
     METHOD PROTOCOL SCHEME PATH VERSION "host=server.example.com\n", PSEUDO},
    {"RFC 9113 8.3: other pseudo-header fields are refused",
     METHOD PROTOCOL SCHEME PATH AUTHORITY ":x=y\n" VERSION, PSEUDO},
    {"RFC 9113 8.3: another one does not stand for :scheme",
     METHOD PROTOCOL ":status=200\n" PATH AUTHORITY VERSION, PSEUDO},
    {"RFC 8441 5: the scheme is http or https",
     METHOD PROTOCOL ":scheme=wss\n" PATH AUTHORITY VERSION, PSEUDO},
    {"RFC 9113 8.3.1: :path starts with a slash",
     METHOD PROTOCOL SCHEME ":path=chat\n" AUTHORITY VERSION, PSEUDO},
    {"RFC 9113 8.3.1: :path is not an absolute URI",
     METHOD PROTOCOL SCHEME ":path=https://a.example/x\n" AUTHORITY VERSION, PSEUDO},
    {"RFC 9113 8.3.1: :path may not be empty", METHOD PROTOCOL SCHEME ":path=\n" AUTHORITY VERSION,
     "HWS_ERR_FIELD_VALUE 400"},
    {"RFC 3986 3.3: :path has no space", METHOD PROTOCOL SCHEME ":path=/a b\n" AUTHORITY VERSION,
     "HWS_ERR_FIELD_VALUE 400"},
    {"RFC 3986 3.3: :path has no bytes outside ASCII",
     METHOD PROTOCOL SCHEME ":path=/\xc3\xa4\n" AUTHORITY VERSION, "HWS_ERR_FIELD_VALUE 400"},
    {"RFC 6455 3: :path has no fragment", METHOD PROTOCOL SCHEME ":path=/a#b\n" AUTHORITY VERSION,
     PSEUDO},
    {"RFC 9113 8.3.1: :authority has no userinfo",
     METHOD PROTOCOL SCHEME PATH ":authority=a@b\n" VERSION, PSEUDO},

    /* What it has in common with the other kind of handshake. */
    {"RFC 8441 5: the version must be there", METHOD PROTOCOL SCHEME PATH AUTHORITY,
     "HWS_ERR_VERSION_FIELD 400"},
    {"RFC 8441 5: another version",
     METHOD PROTOCOL SCHEME PATH AUTHORITY "sec-websocket-version=8\n", "HWS_ERR_VERSION 426"},
    {"RFC 8441 5: subprotocols are distinct", BASE "sec-websocket-protocol=a, a\n",
     "HWS_ERR_SUBPROTOCOL 400"},
    {"RFC 8441 5: extensions keep to their grammar", BASE "sec-websocket-extensions=a;\n",
     "HWS_ERR_EXTENSION 400"},
    {"RFC 6454 7.3: two origins are refused", BASE "origin=null\norigin=null\n",
     "HWS_ERR_ORIGIN 403"},
};

typedef struct list {
    hws_header headers[HEADER_CAP];
    hws_head head;
    uint8_t buf[BUF_CAP];
    size_t n;
} list;

static void start(list *l) {
    hws_head_init(&l->head, HWS_HEAD_LIST, l->headers, HEADER_CAP);
    l->n = 0;
}

static hws_status add(list *l, hws_text name, hws_text value) {
    hws_field field = {name, value};
    return hws_head_add(&l->head, l->buf, sizeof l->buf, &l->n, &field);
}

static hws_status add_all(list *l, const char *pairs) {
    hws_status status = HWS_OK;
    start(l);
    while (status == HWS_OK && *pairs != '\0') {
        size_t name = strcspn(pairs + 1, "=") + 1;
        size_t len = strcspn(pairs, "\n");
        status = add(l, (hws_text){pairs, name}, (hws_text){pairs + name + 1, len - name - 1});
        pairs += len + 1;
    }
    return status;
}

static void trace_span(char *trace, const char *key, const uint8_t *buf, hws_span span) {
    size_t at = strlen(trace);
    if (span.len > 0) {
        snprintf(trace + at, TRACE_CAP - at, " %s=%.*s", key, (int)span.len,
                 (const char *)buf + span.offset);
    }
}

static void trace_list(const list *l, hws_status status, char *trace) {
    hws_handshake handshake;
    memset(&handshake, 0, sizeof handshake);
    if (status == HWS_OK) {
        status = hws_handshake_parse(&l->head, l->buf, &handshake);
    }
    if (status != HWS_OK) {
        snprintf(trace, TRACE_CAP, "%s %u", hws_status_name(status), hws_status_http(status));
        assert_int_equal(handshake.kind, HWS_REQUEST_PLAIN);
        return;
    }
    strcpy(trace, handshake.kind == HWS_REQUEST_CONNECT ? "CONNECT" : "PLAIN");
    trace_span(trace, "path", l->buf, handshake.path);
    trace_span(trace, "query", l->buf, handshake.query);
    trace_span(trace, "host", l->buf, handshake.host);
    trace_span(trace, "origin", l->buf, handshake.origin);
    assert_int_equal(handshake.key.len, 0);
    if (handshake.subprotocol_count > 0) {
        size_t at = strlen(trace);
        snprintf(trace + at, TRACE_CAP - at, " subprotocols=%u", handshake.subprotocol_count);
    }
}

static void test_rows(void **state) {
    size_t i = 0;
    (void)state;
    while (i < COUNT(rows)) {
        list l;
        char trace[TRACE_CAP];
        trace_list(&l, add_all(&l, rows[i].pairs), trace);
        if (strcmp(trace, rows[i].expected) != 0) {
            print_error("%s\n", rows[i].name);
        }
        assert_string_equal(trace, rows[i].expected);
        i++;
    }
}

static void expect_fields(const hws_field *fields, size_t count, const char *expected) {
    char text[BUF_CAP];
    size_t at = 0;
    size_t i = 0;
    text[0] = '\0';
    while (i < count) {
        at += (size_t)snprintf(text + at, sizeof text - at, "%.*s=%.*s\n", (int)fields[i].name.len,
                               fields[i].name.data, (int)fields[i].value.len,
                               fields[i].value.data == NULL ? "" : fields[i].value.data);
        i++;
    }
    assert_string_equal(text, expected);
}

/* Accept the example, with room for `cap` pairs. */
static hws_status accept(const hws_accept_config *config, const char *pairs, hws_field *fields,
                         size_t cap, size_t *count) {
    hws_handshake handshake;
    list l;
    assert_int_equal(add_all(&l, pairs), HWS_OK);
    assert_int_equal(hws_handshake_parse(&l.head, l.buf, &handshake), HWS_OK);
    return hws_connect_accept(&handshake, &l.head, l.buf, config, fields, cap, count);
}

static void test_accept(void **state) {
    const hws_field more[] = {{TEXT("set-cookie"), TEXT("a=b")}, {TEXT("x-empty"), {NULL, 0}}};
    hws_accept_config config;
    hws_field fields[PAIRS];
    size_t cap = 0;
    size_t count = 99;
    (void)state;
    hws_accept_config_init(&config);
    assert_int_equal(accept(&config, rows[0].pairs, fields, PAIRS, &count), HWS_ERR_ARGUMENT);
    config.origin.kind = HWS_ORIGIN_SAME;
    assert_int_equal(accept(&config, rows[0].pairs, fields, PAIRS, &count), HWS_ERR_ORIGIN);
    config.origin.kind = HWS_ORIGIN_ANY;
    assert_int_equal(accept(&config, METHOD AUTHORITY, fields, PAIRS, &count), HWS_ERR_ARGUMENT);
    assert_int_equal(accept(&config, rows[0].pairs, fields, 0, &count), HWS_ERR_SPACE);
    assert_int_equal(count, 99);
    assert_int_equal(accept(&config, rows[0].pairs, fields, 1, &count), HWS_OK);
    expect_fields(fields, count, ":status=200\n");

    config.subprotocol = TEXT("chat");
    config.extensions = TEXT("permessage-deflate; x=1");
    config.fields = more;
    config.field_count = 2;
    while (cap < 5) {
        count = 99;
        assert_int_equal(accept(&config, rows[0].pairs, fields, cap, &count), HWS_ERR_SPACE);
        assert_int_equal(count, 99);
        cap++;
    }
    assert_int_equal(accept(&config, rows[0].pairs, fields, cap, &count), HWS_OK);
    expect_fields(fields, count,
                  ":status=200\nsec-websocket-protocol=chat\n"
                  "sec-websocket-extensions=permessage-deflate; x=1\nset-cookie=a=b\nx-empty=\n");
    config.subprotocol = TEXT("evil");
    assert_int_equal(accept(&config, rows[0].pairs, fields, PAIRS, &count), HWS_ERR_ARGUMENT);
    config.subprotocol = TEXT("");
    config.extensions = TEXT("evil");
    assert_int_equal(accept(&config, rows[0].pairs, fields, PAIRS, &count), HWS_ERR_ARGUMENT);
}

/* RFC 8441 5, RFC 6455 10.2: here the scheme of the request is known, and with it the port. */
static void test_same_origin_knows_the_scheme(void **state) {
    const struct {
        const char *pairs;
        hws_status status;
    } rows_of_origins[] = {
        {METHOD PROTOCOL ":scheme=https\n" PATH ":authority=a.example\n" VERSION
                         "origin=https://a.example\n",
         HWS_OK},
        {METHOD PROTOCOL ":scheme=https\n" PATH ":authority=a.example\n" VERSION
                         "origin=http://a.example\n",
         HWS_ERR_ORIGIN},
        {METHOD PROTOCOL ":scheme=http\n" PATH ":authority=a.example\n" VERSION
                         "origin=http://a.example\n",
         HWS_OK},
        {METHOD PROTOCOL ":scheme=http\n" PATH ":authority=a.example:8080\n" VERSION
                         "origin=http://a.example:8080\n",
         HWS_OK},
    };
    hws_accept_config config;
    hws_field fields[PAIRS];
    size_t count = 0;
    size_t i = 0;
    (void)state;
    hws_accept_config_init(&config);
    config.origin.kind = HWS_ORIGIN_SAME;
    while (i < sizeof rows_of_origins / sizeof rows_of_origins[0]) {
        assert_int_equal(accept(&config, rows_of_origins[i].pairs, fields, PAIRS, &count),
                         rows_of_origins[i].status);
        i++;
    }
}

/* RFC 9113 8.2: names in lower case, and none that speaks of a connection. */
static void test_fields_are_checked(void **state) {
    static const hws_field bad[] = {
        {{"X-Upper", 7}, {"1", 1}},
        {{"x-Z", 3}, {"1", 1}},
        {{"xA", 2}, {"1", 1}},
        {{":path", 5}, {"/", 1}},
        {{"connection", 10}, {"close", 5}},
        {{"keep-alive", 10}, {"1", 1}},
        {{"proxy-connection", 16}, {"1", 1}},
        {{"te", 2}, {"gzip", 4}},
        {{"upgrade", 7}, {"websocket", 9}},
        {{"transfer-encoding", 17}, {"chunked", 7}},
        {{"host", 4}, {"a", 1}},
        {{"x", 1}, {"a\r\nb", 4}},
        {{"x", 1}, {"a\0b", 3}},
        {{"", 0}, {"a", 1}},
    };
    static const hws_field good = {{"x-", 2}, {"A", 1}};
    size_t i = 0;
    (void)state;
    while (i < COUNT(bad)) {
        hws_field more[2] = {good, bad[i]};
        hws_accept_config config;
        hws_client_config client;
        hws_field fields[PAIRS];
        size_t count = 99;
        hws_accept_config_init(&config);
        config.origin.kind = HWS_ORIGIN_ANY;
        config.fields = more;
        config.field_count = 2;
        assert_int_equal(accept(&config, BASE, fields, PAIRS, &count), HWS_ERR_FIELD);
        hws_client_config_init(&client);
        client.host = TEXT("h");
        client.fields = more;
        client.field_count = 2;
        assert_int_equal(hws_connect_request(&client, 1, fields, PAIRS, &count), HWS_ERR_FIELD);
        assert_int_equal(count, 99);
        i++;
    }
}

static void test_request(void **state) {
    const hws_text subprotocols[] = {TEXT("chat"), TEXT("superchat")};
    const hws_field more[] = {{TEXT("authorization"), TEXT("Bearer x")}};
    hws_client_config config;
    hws_field fields[PAIRS];
    size_t count = 99;
    size_t cap = 0;
    size_t i = 0;
    (void)state;
    hws_client_config_init(&config);
    assert_int_equal(hws_connect_request(&config, 0, fields, PAIRS, &count), HWS_ERR_ARGUMENT);
    config.host = TEXT("server.example.com");
    assert_int_equal(hws_connect_request(&config, 0, fields, 5, &count), HWS_ERR_SPACE);
    assert_int_equal(hws_connect_request(&config, 0, fields, 6, &count), HWS_OK);
    expect_fields(fields, count, METHOD PROTOCOL ":scheme=http\n:path=/\n" AUTHORITY VERSION);

    config.target = TEXT("/chat");
    config.origin = TEXT("http://www.example.com");
    config.subprotocols = subprotocols;
    config.subprotocol_count = 2;
    config.extensions = TEXT("permessage-deflate");
    config.fields = more;
    config.field_count = 1;
    while (cap < 11) {
        count = 99;
        assert_int_equal(hws_connect_request(&config, 1, fields, cap, &count), HWS_ERR_SPACE);
        assert_int_equal(count, 99);
        cap++;
    }
    assert_int_equal(hws_connect_request(&config, 1, fields, cap, &count), HWS_OK);
    expect_fields(fields, count,
                  BASE "origin=http://www.example.com\nsec-websocket-protocol=chat\n"
                       "sec-websocket-protocol=superchat\n"
                       "sec-websocket-extensions=permessage-deflate\nauthorization=Bearer x\n");

    /* A server takes what a client writes. */
    list l;
    char trace[TRACE_CAP];
    start(&l);
    while (i < count) {
        assert_int_equal(add(&l, fields[i].name, fields[i].value), HWS_OK);
        i++;
    }
    trace_list(&l, HWS_OK, trace);
    assert_string_equal(trace, GOOD " origin=http://www.example.com subprotocols=2");

    config.extensions = TEXT("a;");
    assert_int_equal(hws_connect_request(&config, 1, fields, PAIRS, &count), HWS_ERR_ARGUMENT);
}

/* RFC 8441 5: 2xx opens the connection; nothing of Upgrade, Connection and Accept is there. */
static void test_verify(void **state) {
    static const struct {
        const char *name;
        const char *pairs;
        hws_status status;
        uint32_t index;
        const char *location;
    } table[] = {
        {"RFC 8441 5.1: the example", ":status=200\nsec-websocket-protocol=superchat\n", HWS_OK, 1,
         ""},
        {"RFC 8441 5: no options", ":status=200\n", HWS_OK, UINT32_MAX, ""},
        {"RFC 9110 9.3.6: any 2xx", ":status=204\n", HWS_OK, UINT32_MAX, ""},
        {"RFC 8441 5: an extension", ":status=200\nsec-websocket-extensions=x-a; p\n", HWS_OK,
         UINT32_MAX, ""},
        {"RFC 6455 4.1: an extension that was not offered",
         ":status=200\nsec-websocket-extensions=x-b\n", HWS_ERR_EXTENSION, 0, ""},
        {"RFC 6455 4.1: a subprotocol that was not offered",
         ":status=200\nsec-websocket-protocol=evil\n", HWS_ERR_SUBPROTOCOL, 0, ""},
        {"RFC 9110 7.8: HTTP/2 has no 101", ":status=101\n", HWS_ERR_REFUSED, UINT32_MAX, ""},
        {"RFC 9110 15.4: a redirect", ":status=307\nlocation=/other\n", HWS_ERR_REFUSED, UINT32_MAX,
         "/other"},
        {"RFC 9110 15.5: a refusal", ":status=404\nlocation=/other\n", HWS_ERR_REFUSED, UINT32_MAX,
         ""},
        {"RFC 9113 8.3.2: no status", "x=y\n", HWS_ERR_REFUSED, UINT32_MAX, ""},
    };
    const hws_text subprotocols[] = {TEXT("chat"), TEXT("superchat")};
    size_t i = 0;
    (void)state;
    while (i < COUNT(table)) {
        hws_client_config config;
        hws_accepted accepted;
        list l;
        hws_client_config_init(&config);
        config.subprotocols = subprotocols;
        config.subprotocol_count = 2;
        config.extensions = TEXT("x-a");
        assert_int_equal(add_all(&l, table[i].pairs), HWS_OK);
        hws_status status = hws_handshake_verify(&config, NULL, &l.head, l.buf, &accepted);
        if (status != table[i].status) {
            print_error("%s\n", table[i].name);
        }
        assert_int_equal(status, table[i].status);
        if (status == HWS_OK || status == HWS_ERR_REFUSED) {
            assert_int_equal(accepted.subprotocol_index, table[i].index);
            assert_int_equal(accepted.location.len, strlen(table[i].location));
            assert_memory_equal(l.buf + accepted.location.offset, table[i].location,
                                accepted.location.len);
        }
        i++;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_accept),
        cmocka_unit_test(test_same_origin_knows_the_scheme),
        cmocka_unit_test(test_fields_are_checked),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_verify),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
