/*
 * Heads that come as pairs from HTTP/2 and HTTP/3. A row is the pairs as "name=value" lines and the
 * status of the last one; all before it must be good. Every pair is tried at every capacity.
 */
#include "support.h"

#include "http.h"

#include <stdio.h>
#include <string.h>

enum { HEADERS = 8, ROOM = 512, FIRST = 5 };

typedef struct row {
    const char *name;
    const char *pairs;
    hws_status status;
} row;

#define CONNECT ":method=CONNECT\n:protocol=websocket\n:scheme=https\n:path=/a\n:authority=h"

static const row rows[] = {
    {"RFC 8441 5.1: an extended CONNECT", CONNECT "\nsec-websocket-version=13\norigin=http://h",
     HWS_OK},
    {"RFC 8441 5.1: an answer", ":status=200\nsec-websocket-protocol=chat", HWS_OK},
    {"RFC 9113 8.2: the same field twice", "cookie=a\ncookie=b", HWS_OK},
    {"RFC 9113 8.2.1: a name in upper case", "Origin=a", HWS_ERR_FIELD_NAME},
    {"RFC 9113 8.2.1: a pseudo-header field in upper case", ":Path=/", HWS_ERR_FIELD_NAME},
    {"RFC 9113 8.2.1: an empty name", "=a", HWS_ERR_FIELD_NAME},
    {"RFC 9113 8.2.1: a colon as name", ":=a", HWS_ERR_FIELD_NAME},
    {"RFC 9113 8.2.1: a colon inside a name", "a:b=c", HWS_ERR_FIELD_NAME},
    {"RFC 9113 8.2.1: a space in a name", "a b=c", HWS_ERR_FIELD_NAME},
    {"RFC 9113 8.2.1: a high byte in a name", "a\x80=c", HWS_ERR_FIELD_NAME},
    {"RFC 9113 8.2.1: CR in a value", "a=b\rc", HWS_ERR_FIELD_VALUE},
    {"RFC 9113 8.2.1: DEL in a value", "a=b\x7F", HWS_ERR_FIELD_VALUE},
    {"RFC 9113 8.2.1: white space before a value", "a= b", HWS_ERR_FIELD_VALUE},
    {"RFC 9113 8.2.1: white space after a value", "a=b\t", HWS_ERR_FIELD_VALUE},
    {"RFC 9113 8.2.1: an empty value", "a=", HWS_OK},
    {"RFC 9113 8.2.2: connection", "connection=close", HWS_ERR_FIELD_NAME},
    {"RFC 9113 8.2.2: keep-alive", "keep-alive=1", HWS_ERR_FIELD_NAME},
    {"RFC 9113 8.2.2: proxy-connection", "proxy-connection=close", HWS_ERR_FIELD_NAME},
    {"RFC 9113 8.2.2: transfer-encoding", "transfer-encoding=chunked", HWS_ERR_FIELD_NAME},
    {"RFC 9113 8.2.2: upgrade", "upgrade=websocket", HWS_ERR_FIELD_NAME},
    {"RFC 9113 8.2.2: te", "te=gzip", HWS_ERR_FIELD_NAME},
    {"RFC 9113 8.2.2: te may say trailers", "te=trailers", HWS_OK},
    {"RFC 9113 8.3: an unknown pseudo-header field", ":foo=a", HWS_ERR_PSEUDO_FIELD},
    {"RFC 9113 8.3: the start of a pseudo-header field", ":metho=a", HWS_ERR_PSEUDO_FIELD},
    {"RFC 9113 8.3: after a regular field", "a=b\n:path=/", HWS_ERR_PSEUDO_FIELD},
    {"RFC 9113 8.3: :path twice with another between", ":path=/\n:method=GET\n:path=/",
     HWS_ERR_PSEUDO_FIELD},
    {"RFC 9113 8.3: :method twice", ":method=GET\n:method=GET", HWS_ERR_PSEUDO_FIELD},
    {"RFC 9113 8.3: :scheme twice", ":scheme=http\n:scheme=http", HWS_ERR_PSEUDO_FIELD},
    {"RFC 9113 8.3: :authority twice", ":authority=a\n:authority=a", HWS_ERR_PSEUDO_FIELD},
    {"RFC 9113 8.3: :path twice", ":path=/\n:path=/", HWS_ERR_PSEUDO_FIELD},
    {"RFC 9113 8.3: :protocol twice", ":protocol=a\n:protocol=a", HWS_ERR_PSEUDO_FIELD},
    {"RFC 9113 8.3: :status twice", ":status=200\n:status=200", HWS_ERR_PSEUDO_FIELD},
    {"RFC 9113 8.3: a request field in a response", ":status=200\n:path=/", HWS_ERR_PSEUDO_FIELD},
    {"RFC 9113 8.3: :status in a request", ":path=/\n:status=200", HWS_ERR_PSEUDO_FIELD},
    {"RFC 9113 8.3.1: an empty method", ":method=", HWS_ERR_FIELD_VALUE},
    {"RFC 9113 8.3.1: a method that is no token", ":method=A B", HWS_ERR_FIELD_VALUE},
    {"RFC 9113 8.3.1: an empty path", ":path=", HWS_ERR_FIELD_VALUE},
    {"RFC 9113 8.3.1: a path with a space", ":path=/a b", HWS_ERR_FIELD_VALUE},
    {"RFC 9113 8.3.1: a path with a high byte", ":path=/\xFF", HWS_ERR_FIELD_VALUE},
    {"RFC 9113 8.3.1: a path with a space before it", ":path= /", HWS_ERR_FIELD_VALUE},
    {"RFC 9113 8.2.1: the last letter in upper case", "aZ=b", HWS_ERR_FIELD_NAME},
    {"RFC 9113 8.2.1: the first letter in upper case", "zA=b", HWS_ERR_FIELD_NAME},
    {"RFC 9113 8.3.2: the smallest status", ":status=100", HWS_OK},
    {"RFC 9113 8.3.2: the greatest status", ":status=599", HWS_OK},
    {"RFC 9113 8.3.2: a status of two digits", ":status=20", HWS_ERR_FIELD_VALUE},
    {"RFC 9113 8.3.2: a status of four digits", ":status=2000", HWS_ERR_FIELD_VALUE},
    {"RFC 9113 8.3.2: a status of letters", ":status=2x0", HWS_ERR_FIELD_VALUE},
    {"RFC 9113 8.3.2: a status below 100", ":status=099", HWS_ERR_FIELD_VALUE},
    {"RFC 9113 8.3.2: a status above 599", ":status=600", HWS_ERR_FIELD_VALUE},
    {"RFC 9113 10.5.1: as many pairs as there is room for", CONNECT "\na=\nb=\nc=", HWS_OK},
    {"RFC 9113 10.5.1: one pair too many", CONNECT "\na=\nb=\nc=\nd=", HWS_ERR_TOO_MANY_FIELDS},
};

/* The same pair where the bytes behind its texts cannot be read. */
static hws_field guard_field(const hws_field *field) {
    const uint8_t *name = guard_copy(field->name.data, field->name.len);
    const uint8_t *value = guard_copy(field->value.data, field->value.len);
    return (hws_field){{(const char *)name, field->name.len},
                       {(const char *)value, field->value.len}};
}

static void guard_field_free(const hws_field *field) {
    guard_free((uint8_t *)(uintptr_t)field->name.data, field->name.len);
    guard_free((uint8_t *)(uintptr_t)field->value.data, field->value.len);
}

/* Cuts the next "name=value" line from pairs. */
static hws_field cut(const char **pairs) {
    const char *line = *pairs;
    size_t len = strcspn(line, "\n");
    size_t name = strcspn(line + 1, "=") + 1; /* a name may be empty: then "=" is the first byte */
    name = line[0] == '=' ? 0 : name;
    *pairs = line + len + (line[len] == '\n');
    return (hws_field){{line, name}, {line + name + 1, len - name - 1}};
}

/* Adds a pair with every capacity that is too small, and then with one that is not. */
static hws_status add(hws_head *head, uint8_t *buf, size_t *n, const hws_field *field) {
    size_t need = *n + field->name.len + field->value.len;
    hws_head before = *head;
    hws_status status = HWS_OK;
    for (size_t cap = *n; cap <= need; cap++) {
        size_t at = *n;
        buf[cap] = 0xAA;
        status = hws_head_add(head, buf, cap, &at, field);
        assert_int_equal(buf[cap], 0xAA);
        if (status == HWS_OK) {
            assert_int_equal(cap, need);
            assert_int_equal(at, need);
            *n = at;
            return status;
        }
        assert_int_equal(at, *n);
        assert_memory_equal(head, &before, sizeof before);
    }
    assert_int_not_equal(status, HWS_ERR_SPACE);
    return status;
}

static void check_row(const row *r) {
    hws_header headers[HEADERS];
    uint8_t buf[ROOM];
    hws_head head;
    size_t n = FIRST; /* something of the caller's stands before the pairs */
    uint32_t count = 0;
    const char *pairs = r->pairs;
    hws_head_init(&head, HWS_HEAD_LIST, headers, HEADERS);
    while (*pairs != '\0') {
        hws_field line = cut(&pairs);
        hws_field field = guard_field(&line);
        hws_status status = add(&head, buf, &n, &field);
        if (status != (*pairs != '\0' ? HWS_OK : r->status)) {
            fail_msg("%s: %s for %.*s", r->name, hws_status_name(status), (int)field.name.len,
                     field.name.data);
        }
        if (status == HWS_OK) {
            hws_text name = hws_span_text(buf, headers[count].name);
            hws_text value = hws_span_text(buf, headers[count].value);
            assert_int_equal(name.len, field.name.len);
            assert_memory_equal(name.data, field.name.data, name.len);
            assert_int_equal(value.len, field.value.len);
            assert_true(value.len == 0 || memcmp(value.data, field.value.data, value.len) == 0);
            count++;
        }
        guard_field_free(&field);
        assert_int_equal(head.header_count, count);
        assert_int_equal(head.head_len, n - FIRST);
    }
}

static void pairs_are_added_or_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_row(&rows[i]);
    }
}

static void add_pair(hws_head *head, uint8_t *buf, size_t *n, hws_text name, hws_text value) {
    hws_field field = {name, value};
    assert_int_equal(hws_head_add(head, buf, ROOM, n, &field), HWS_OK);
}

/* RFC 9113 8.3: what a request line and a status line would have said. */
static void pseudo_fields_fill_in_the_head(void **state) {
    hws_header headers[HEADERS];
    uint8_t buf[ROOM];
    hws_head head;
    size_t n = 0;
    (void)state;
    hws_head_init(&head, HWS_HEAD_LIST, headers, HEADERS);
    add_pair(&head, buf, &n, HWS__TEXT(":method"), HWS__TEXT("CONNECT"));
    add_pair(&head, buf, &n, HWS__TEXT(":path"), HWS__TEXT("/chat?a"));
    assert_memory_equal(hws_span_text(buf, head.method).data, "CONNECT", head.method.len);
    assert_int_equal(head.method.len, 7);
    assert_memory_equal(hws_span_text(buf, head.target).data, "/chat?a", head.target.len);
    assert_int_equal(head.target.len, 7);
    assert_int_equal(head.body, HWS_BODY_NONE);
    n = 0;
    hws_head_init(&head, HWS_HEAD_LIST, headers, HEADERS);
    add_pair(&head, buf, &n, HWS__TEXT(":status"), (hws_text){"4031", 3});
    assert_int_equal(head.status, 403);
    assert_int_equal(head.body, HWS_BODY_EOF);
    assert_int_equal(hws_head_find(&head, buf, HWS__TEXT(":status"), 0), 0);
}

/* RFC 9113 10.5.1: names and values count. */
static void the_limit_of_the_head_counts_all_pairs(void **state) {
    hws_header headers[HEADERS];
    uint8_t buf[ROOM];
    hws_head head;
    size_t n = 0;
    hws_field field = {HWS__TEXT("ab"), HWS__TEXT("cde")};
    hws_field name = {HWS__TEXT("abc"), {NULL, 0}};
    (void)state;
    hws_head_init(&head, HWS_HEAD_LIST, headers, HEADERS);
    head.max_head = 12;
    assert_int_equal(hws_head_add(&head, buf, ROOM, &n, &field), HWS_OK);
    assert_int_equal(hws_head_add(&head, buf, ROOM, &n, &field), HWS_OK);
    assert_int_equal(hws_head_add(&head, buf, ROOM, &n, &field), HWS_ERR_HEAD_TOO_LARGE);
    assert_int_equal(hws_head_add(&head, buf, ROOM, &n, &name), HWS_ERR_HEAD_TOO_LARGE);
    name.name.len = 2;
    assert_int_equal(hws_head_add(&head, buf, ROOM, &n, &name), HWS_OK);
    assert_int_equal(head.head_len, 12);
    assert_int_equal(n, 12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_added_or_refused),
        cmocka_unit_test(pseudo_fields_fill_in_the_head),
        cmocka_unit_test(the_limit_of_the_head_counts_all_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
