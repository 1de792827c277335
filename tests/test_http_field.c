/*
 * Fields of a head: finding them, walking lists, what a token and a value are. Lists are rows: the
 * field lines, and the elements as text.
 */
#include "support.h"

#include "http.h"

#include <stdio.h>
#include <string.h>

enum { HEADERS = 8, TRACE = 512 };

static hws_header headers[HEADERS];

/* A head with these field lines, each with its CRLF, in a buffer that ends with the head. */
static uint8_t *head_of(const char *lines, hws_head *head) {
    char text[TRACE];
    int len = snprintf(text, sizeof text, "GET / HTTP/1.1\r\n%s\r\n", lines);
    uint8_t *buf = guard_copy(text, (size_t)len);
    hws_head_init(head, HWS_HEAD_REQUEST, headers, HEADERS);
    assert_int_equal(hws_head_parse(head, buf, (size_t)len), HWS_OK);
    return buf;
}

static void lists_are_walked(void **state) {
    static const struct {
        const char *name;
        const char *lines;
        const char *elements;
    } rows[] = {
        {"RFC 9110 5.6.1: one element", "L: a\r\n", "<a>"},
        {"RFC 9110 5.6.1: white space around elements", "L: a , b,c\t,\t d \r\n", "<a><b><c><d>"},
        {"RFC 9110 5.6.1: white space inside an element stays", "L: a b,c\r\n", "<a b><c>"},
        {"RFC 9110 5.6.1.2: empty elements are skipped", "L: ,a,, ,b,\r\n", "<a><b>"},
        {"RFC 9110 5.6.1.2: commas alone", "L: , ,,\t,\r\n", ""},
        {"RFC 9110 5.6.1: an empty field", "L:\r\n", ""},
        {"RFC 9110 5.6.1: no field", "M: a\r\n", ""},
        {"RFC 9110 5.3: several lines are one list", "L: a,b\r\nM: x\r\nl: c\r\nL: ,d\r\n",
         "<a><b><c><d>"},
        {"RFC 9110 5.3: empty lines of a list", "L:\r\nL: ,\r\nL: a\r\nL:\r\n", "<a>"},
        {"RFC 9110 5.3: the same line twice", "L: a\r\nL: a\r\n", "<a><a>"},
        {"RFC 9110 5.6.4: a comma in a quoted string", "L: a=\"b,c\", d\r\n", "<a=\"b,c\"><d>"},
        {"RFC 9110 5.6.4: a quoted quote", "L: \"a\\\",b\",c\r\n", "<\"a\\\",b\"><c>"},
        {"RFC 9110 5.6.4: a quoted backslash", "L: \"a\\\\\",b\r\n", "<\"a\\\\\"><b>"},
        {"RFC 9110 5.6.4: a backslash outside of quotes", "L: a\\,b\r\n", "<a\\><b>"},
        {"RFC 9110 5.6.4: a string that is left open ends with its line",
         "L: \"a, b\r\nL: c, \"\\\r\n", "<\"a, b><c><\"\\>"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char trace[TRACE] = "";
        int n = 0;
        hws_head head;
        hws_list list = {0, 0};
        hws_span element;
        uint8_t *buf = head_of(rows[i].lines, &head);
        while (hws_head_next(&head, buf, HWS__TEXT("L"), &list, &element)) {
            n += snprintf(trace + n, sizeof trace - (size_t)n, "<%.*s>", (int)element.len,
                          (const char *)buf + element.offset);
        }
        if (strcmp(trace, rows[i].elements) != 0) {
            fail_msg("%s: want %s, have %s", rows[i].name, rows[i].elements, trace);
        }
        assert_int_equal(hws_head_next(&head, buf, HWS__TEXT("L"), &list, &element), 0);
        guard_free(buf, head.head_len);
    }
}

/* RFC 9110 5.6.1.2: many commas, and many elements, in one step each. */
static void long_lists_end(void **state) {
    enum { LEN = 8000 };
    static const char line[] = "GET / HTTP/1.1\r\nL: ";
    static char text[sizeof line + LEN + 8];
    (void)state;
    for (unsigned every = 0; every <= 2; every += 2) {
        size_t n = sizeof line - 1;
        uint32_t elements = 0;
        hws_list list = {0, 0};
        hws_span element;
        hws_head head;
        memcpy(text, line, n);
        for (unsigned i = 0; i < LEN; i++) {
            text[n++] = every > 0 && i % every == 0 ? 'x' : ',';
        }
        memcpy(text + n, "\r\n\r\n", 4);
        hws_head_init(&head, HWS_HEAD_REQUEST, headers, HEADERS);
        assert_int_equal(hws_head_parse(&head, (const uint8_t *)text, n + 4), HWS_OK);
        while (hws_head_next(&head, (const uint8_t *)text, HWS__TEXT("L"), &list, &element)) {
            elements++;
        }
        assert_int_equal(elements, every > 0 ? LEN / every : 0);
    }
}

/* RFC 9113 8.1: values of a list of pairs have nothing behind them, not even CRLF. */
static void lists_end_with_their_buffer(void **state) {
    static const char *const values[] = {",", "a,", "a", "\"", "\"\\"};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        size_t len = strlen(values[i]);
        hws_field field = {HWS__TEXT("l"), {values[i], len}};
        uint8_t *buf = guard_alloc(len + 1);
        hws_list list = {0, 0};
        hws_span element;
        hws_head head;
        size_t n = 0;
        hws_head_init(&head, HWS_HEAD_LIST, headers, HEADERS);
        assert_int_equal(hws_head_add(&head, buf, len + 1, &n, &field), HWS_OK);
        assert_int_equal(hws_head_next(&head, buf, HWS__TEXT("L"), &list, &element), i > 0);
        assert_int_equal(hws_head_next(&head, buf, HWS__TEXT("L"), &list, &element), 0);
        guard_free(buf, len + 1);
    }
}

static void fields_are_found_without_case(void **state) {
    hws_head head;
    uint8_t *buf = head_of("Host: a\r\nX-B: 1\r\nHOST: b\r\nX-: 2\r\n", &head);
    (void)state;
    assert_int_equal(hws_head_find(&head, buf, HWS__TEXT("host"), 0), 0);
    assert_int_equal(hws_head_find(&head, buf, HWS__TEXT("hOsT"), 1), 2);
    assert_int_equal(hws_head_find(&head, buf, HWS__TEXT("host"), 3), 4);
    assert_int_equal(hws_head_find(&head, buf, HWS__TEXT("x-"), 0), 3);
    assert_int_equal(hws_head_find(&head, buf, HWS__TEXT("x-bb"), 0), 4);
    assert_int_equal(hws_head_find(&head, buf, HWS__TEXT(""), 0), 4);
    assert_int_equal(hws_head_find(&head, buf, HWS__TEXT("host"), 99), 4);
    guard_free(buf, head.head_len);
}

/* Only the 26 letters of ASCII have a case: "@" and "`" differ, and so do bytes above 0x7F. */
static void texts_compare_without_ascii_case(void **state) {
    (void)state;
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            char bytes[2] = {(char)a, (char)b};
            uint8_t letters =
                (a >= 'A' && a <= 'Z' && b == a + 32) || (b >= 'A' && b <= 'Z' && a == b + 32);
            assert_int_equal(hws_text_equal_nocase((hws_text){bytes, 1}, (hws_text){bytes + 1, 1}),
                             a == b || letters);
        }
    }
    assert_int_equal(hws_text_equal_nocase(HWS__TEXT("ab"), HWS__TEXT("abc")), 0);
    assert_int_equal(hws_text_equal_nocase((hws_text){NULL, 0}, HWS__TEXT("")), 1);
}

static void spans_become_texts(void **state) {
    const uint8_t buf[] = "abc";
    hws_text text = hws_span_text(buf, (hws_span){1, 2});
    (void)state;
    assert_int_equal(text.len, 2);
    assert_memory_equal(text.data, "bc", 2);
    assert_int_equal(hws_span_text(NULL, (hws_span){0, 0}).len, 0);
}

/* RFC 9110 5.6.2: every byte, first, last and in the middle. */
static void tokens_are_told_from_other_text(void **state) {
    static const char marks[] = "!#$%&'*+-.^_`|~";
    (void)state;
    assert_int_equal(hws__is_token(HWS__TEXT("")), 0);
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t good = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= 'a' && byte <= 'z') ||
                       (byte != 0 && strchr(marks, (int)byte) != NULL);
        for (size_t place = 0; place < 3; place++) {
            char text[] = "xyz+"; /* what stands behind it does not matter */
            text[place] = (char)byte;
            assert_int_equal(hws__is_token((hws_text){text, 3}), good);
        }
    }
}

/* RFC 9110 5.5: controls nowhere, white space only inside. */
static void field_values_are_told_from_other_text(void **state) {
    (void)state;
    assert_int_equal(hws__is_field_value(HWS__TEXT("")), 1);
    assert_int_equal(hws__is_field_value(HWS__TEXT(" ")), 0);
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t space = byte == ' ' || byte == '\t';
        uint8_t good = space || (byte > ' ' && byte != 0x7F);
        for (size_t place = 0; place < 3; place++) {
            char text[] = "xyz+"; /* what stands behind it does not matter */
            text[place] = (char)byte;
            assert_int_equal(hws__is_field_value((hws_text){text, 3}),
                             good && !(space && place != 1));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_walked),
        cmocka_unit_test(long_lists_end),
        cmocka_unit_test(lists_end_with_their_buffer),
        cmocka_unit_test(fields_are_found_without_case),
        cmocka_unit_test(texts_compare_without_ascii_case),
        cmocka_unit_test(spans_become_texts),
        cmocka_unit_test(tokens_are_told_from_other_text),
        cmocka_unit_test(field_values_are_told_from_other_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
