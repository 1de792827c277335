/*
 * The grammar of Sec-WebSocket-Extensions. A row is the field lines and what the steps yield:
 * "name;param;param=value;param="quoted"|name", and ! where the grammar breaks.
 */
#include "support.h"

#include "bytes.h"

#include <hawser/extension.h>

#include <stdio.h>
#include <string.h>

enum { HEADERS = 8, TRACE = 512, STEPS = 64 };

#define EXT "Sec-WebSocket-Extensions: "

typedef struct row {
    const char *name;
    const char *lines;
    const char *trace;
} row;

static const row rows[] = {
    {"RFC 6455 9.1: no field", "Host: a\r\n", ""},
    {"RFC 6455 9.1: one extension", EXT "foo\r\n", "foo"},
    {"RFC 6455 9.1: two in a line", EXT "foo, bar\r\n", "foo|bar"},
    {"RFC 6455 9.1: two lines are one list", EXT "foo\r\nsec-websocket-extensions: bar; baz=2\r\n",
     "foo|bar;baz=2"},
    {"RFC 6455 9.1: the example of the RFC",
     EXT "deflate-stream\r\n" EXT "mux; max-channels=4; flow-control, deflate-stream\r\n",
     "deflate-stream|mux;max-channels=4;flow-control|deflate-stream"},
    {"RFC 7692 7.1: offers with a fallback",
     EXT "permessage-deflate; client_max_window_bits; server_max_window_bits=10, "
         "permessage-deflate; client_max_window_bits\r\n",
     "permessage-deflate;client_max_window_bits;server_max_window_bits=10|permessage-deflate;"
     "client_max_window_bits"},
    {"RFC 7692 7.1.2.1: white space after a value is not part of it",
     EXT "permessage-deflate; server_max_window_bits=9 \r\n",
     "permessage-deflate;server_max_window_bits=9"},
    {"RFC 6455 9.1: names that mean something to other languages",
     EXT "constructor; __proto__=1, hasOwnProperty\r\n", "constructor;__proto__=1|hasOwnProperty"},
    {"RFC 6455 9.1: the same parameter twice is for the extension to judge", EXT "a; b; b=1\r\n",
     "a;b;b=1"},
    {"RFC 6455 9.1: a quoted value", EXT "a; b=\"10\"\r\n", "a;b=\"10\""},
    {"RFC 6455 9.1: a quoted pair", EXT "a; b=\"1\\0\", c\r\n", "a;b=\"1\\0\"|c"},
    {"RFC 9110 5.6.6: white space around semicolons and commas", EXT "a ;\tb=1 ; c\t, d\r\n",
     "a;b=1;c|d"},
    {"RFC 9110 5.6.6: no white space at all", EXT "a;b=1;c,d\r\n", "a;b=1;c|d"},
    {"RFC 9110 5.6.1.2: empty elements are skipped", EXT ",, a,, ,b,\r\n", "a|b"},
    {"RFC 9110 5.6.1.2: commas alone", EXT ",,,,\r\n", ""},
    {"RFC 6455 9.1: an extension without name", EXT "; a\r\n", "!"},
    {"RFC 6455 9.1: a semicolon at the end", EXT "a;\r\n", "a!"},
    {"RFC 6455 9.1: a semicolon at the end, then white space", EXT "a; , b\r\n", "a!"},
    {"RFC 6455 9.1: an empty parameter", EXT "a;;b\r\n", "a!"},
    {"RFC 6455 9.1: a parameter without name", EXT "a; =1\r\n", "a!"},
    {"RFC 6455 9.1: a name that starts with an equals sign", EXT "=x\r\n", "!"},
    {"RFC 6455 9.1: an extension with a value", EXT "a=b\r\n", "!"},
    {"RFC 6455 9.1: a missing value", EXT "a; b=\r\n", "a!"},
    {"RFC 6455 9.1: a missing value before another parameter", EXT "a; b=;c\r\n", "a!"},
    {"RFC 6455 9.1: white space before the equals sign", EXT "a; b =1\r\n", "a;b=1"},
    {"RFC 6455 9.1: white space after the equals sign", EXT "a; b= \t1\r\n", "a;b=1"},
    {"RFC 6455 9.1: two words as a name", EXT "a b\r\n", "!"},
    {"RFC 6455 9.1: two words as a value", EXT "a; b=c d\r\n", "a!"},
    {"RFC 6455 9.1: two values", EXT "a; b=c=d\r\n", "a!"},
    {"RFC 6455 9.1: a name that is no token", EXT "a@b\r\n", "!"},
    {"RFC 6455 9.1: a name in high bytes", EXT "\xC3\xA9\r\n", "!"},
    {"RFC 6455 9.1: a value that is no token", EXT "a; b=c/d\r\n", "a!"},
    {"RFC 6455 9.1: a quoted name", EXT "\"a\"\r\n", "!"},
    {"RFC 6455 9.1: an empty quoted value", EXT "a; b=\"\"\r\n", "a!"},
    {"RFC 6455 9.1: a quoted value that is no token", EXT "a; b=\"c d\"\r\n", "a!"},
    {"RFC 6455 9.1: a quoted comma is no token", EXT "a; b=\"c,d\", e\r\n", "a!"},
    {"RFC 6455 9.1: a quoted pair that is no token", EXT "a; b=\"c\\\"\"\r\n", "a!"},
    {"RFC 6455 9.1: text after a quoted value", EXT "a; b=\"c\"d\r\n", "a!"},
    {"RFC 6455 9.1: a quoted value that is left open", EXT "a; b=\"c\r\n", "a!"},
    {"RFC 6455 9.1: a quoted value that is left open at its start", EXT "a; b=\"\r\n", "a!"},
    {"RFC 6455 9.1: a quoted value that ends with a backslash", EXT "a; b=\"c\\\r\n", "a!"},
    {"RFC 6455 9.1: a fault in the second extension", EXT "a; b=1, c; d=\r\n", "a;b=1|c!"},
    {"RFC 6455 9.1: a fault in the second line", EXT "a\r\n" EXT "b;\r\n", "a|b!"},
};

static int put(char *trace, int n, hws_status status, const uint8_t *buf, const hws_extension *x) {
    const char *name = (const char *)buf + x->name.offset;
    const char *value = (const char *)buf + x->value.offset;
    const char *quote = x->quoted ? "\"" : "";
    if (status == HWS_EXTENSION_NAME) {
        assert_int_equal(x->has_value || x->quoted || x->value.len, 0);
        return snprintf(trace + n, TRACE - (size_t)n, "%s%.*s", n > 0 ? "|" : "", (int)x->name.len,
                        name);
    }
    if (!x->has_value) {
        assert_int_equal(x->value.len, 0);
        return snprintf(trace + n, TRACE - (size_t)n, ";%.*s", (int)x->name.len, name);
    }
    return snprintf(trace + n, TRACE - (size_t)n, ";%.*s=%s%.*s%s", (int)x->name.len, name, quote,
                    (int)x->value.len, value, quote);
}

static void check_row(const row *r) {
    hws_header headers[HEADERS];
    hws_head head;
    char text[TRACE];
    char trace[TRACE] = "";
    int n = 0;
    int len = snprintf(text, sizeof text, "GET / HTTP/1.1\r\n%s\r\n", r->lines);
    uint8_t *buf = guard_copy(text, (size_t)len);
    hws_extension x;
    hws_status status;
    memset(&x, 0, sizeof x);
    hws_head_init(&head, HWS_HEAD_REQUEST, headers, HEADERS);
    assert_int_equal(hws_head_parse(&head, buf, (size_t)len), HWS_OK);
    status = hws_extension_next(&head, buf, &x);
    for (int step = 0; status > HWS_EXTENSION_END; step++) {
        assert_true(step < STEPS);
        n += put(trace, n, status, buf, &x);
        status = hws_extension_next(&head, buf, &x);
    }
    if (status != HWS_EXTENSION_END) {
        assert_int_equal(status, HWS_ERR_EXTENSION);
        snprintf(trace + n, TRACE - (size_t)n, "!");
    }
    if (strcmp(trace, r->trace) != 0) {
        fail_msg("%s: want %s, have %s", r->name, r->trace, trace);
    }
    /* The end and a fault are where they were. */
    assert_int_equal(hws_extension_next(&head, buf, &x), status);
    guard_free(buf, (size_t)len);
}

static void extension_lists_are_taken_apart(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_row(&rows[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extension_lists_are_taken_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
