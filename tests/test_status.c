/*
 * Statuses: walks every value there could be, and checks what is said about it.
 */
#include "support.h"

#include <hawser/base.h>
#include <hawser/status.h>

#include <string.h>

enum { LOWEST = -200, HIGHEST = 10, MAX_SENTENCE = 123 };

static int is_known(hws_status status) {
    return strcmp(hws_status_name(status), "HWS_ERR_?") != 0;
}

static hws_status group_end(hws_status first) {
    hws_status status = first;
    while (is_known(status - 1)) {
        status--;
    }
    return status;
}

static void unknown_values(void **context) {
    (void)context;
    static const hws_status values[] = {5,   -9,   -15,  -42,  -47,       -77,
                                        -95, -103, -111, -120, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        assert_string_equal(hws_status_name(values[i]), "HWS_ERR_?");
        assert_string_equal(hws_status_sentence(values[i]), "The status is unknown.");
        assert_string_equal(hws_status_section(values[i]), "");
        assert_int_equal(hws_status_close_code(values[i]), 0);
        assert_int_equal(hws_status_http(values[i]), 0);
    }
}

static void groups_have_no_holes(void **context) {
    (void)context;
    assert_true(is_known(HWS_OK) && is_known(HWS_EVENT) && is_known(HWS_NEED_MORE) &&
                is_known(HWS_MORE) && is_known(HWS_BACKPRESSURE));
    assert_int_equal(group_end(HWS_ERR_ARGUMENT), HWS_ERR_FULL);
    assert_int_equal(group_end(HWS_ERR_RSV), HWS_ERR_SLOW);
    assert_int_equal(group_end(HWS_ERR_HEAD_TOO_LARGE), HWS_ERR_ABSENT);
    assert_int_equal(group_end(HWS_ERR_URI_SCHEME), HWS_ERR_URI_FRAGMENT);
    assert_int_equal(group_end(HWS_ERR_TIMEOUT), HWS_ERR_STALLED);
}

/* A name is the constant's own, which also makes names unique. */
static void names(void **context) {
    (void)context;
    for (hws_status status = LOWEST; status <= HIGHEST; status++) {
        if (!is_known(status)) {
            continue;
        }
        const char *name = hws_status_name(status);
        int64_t value = 1000;
        assert_int_equal(hws_constant(name, &value), HWS_OK);
        assert_int_equal(value, status);
        assert_true(strncmp(name, status < 0 ? "HWS_ERR_" : "HWS_", status < 0 ? 8 : 4) == 0);
    }
}

static void sentences(void **context) {
    (void)context;
    for (hws_status status = LOWEST; status <= HIGHEST; status++) {
        const char *sentence = hws_status_sentence(status);
        size_t len = strlen(sentence);
        assert_in_range(len, 2, MAX_SENTENCE);
        assert_int_equal(strcspn(sentence, "."), len - 1); /* one sentence */
        assert_in_range(sentence[0], 'A', 'Z');
        for (hws_status other = LOWEST; is_known(status) && other < status; other++) {
            assert_string_not_equal(sentence, hws_status_sentence(other));
        }
    }
}

/* Skips a number; 0 when there is none. */
static size_t skip_number(const char *text, size_t i) {
    size_t digits = strspn(text + i, "0123456789");
    return digits == 0 ? 0 : i + digits;
}

/* "RFC 6455 5.5.1" */
static int is_section(const char *text) {
    if (strncmp(text, "RFC ", 4) != 0) {
        return 0;
    }
    size_t i = skip_number(text, 4);
    if (i == 0 || text[i] != ' ') {
        return 0;
    }
    i = skip_number(text, i + 1);
    while (i != 0 && text[i] == '.') {
        i = skip_number(text, i + 1);
    }
    return i != 0 && text[i] == '\0';
}

static void sections(void **context) {
    (void)context;
    assert_true(is_section("RFC 6455 5.5.1") && is_section("RFC 9112 3"));
    assert_false(is_section("RFC 6455") || is_section("RFC 6455 5.") || is_section("RFC 6455 5 2"));
    for (hws_status status = LOWEST; status <= HIGHEST; status++) {
        const char *section = hws_status_section(status);
        assert_true(section[0] == '\0' || is_section(section));
        if (status <= HWS_ERR_RSV && status > HWS_ERR_TIMEOUT && is_known(status)) {
            assert_true(is_section(section));
        }
    }
}

/* RFC 6455 7.4.1; 1006 is reported only. */
static int is_close_code(uint16_t code) {
    return code == 1001 || code == 1002 || code == 1003 || (code >= 1007 && code <= 1009) ||
           code == 1011 || code == 1013;
}

static void close_codes(void **context) {
    (void)context;
    for (hws_status status = LOWEST; status <= HIGHEST; status++) {
        uint16_t code = hws_status_close_code(status);
        if (status == HWS_ERR_EOF) {
            assert_int_equal(code, 1006);
        } else if (status <= HWS_ERR_RSV && status >= HWS_ERR_SLOW) {
            assert_true(is_close_code(code));
        } else {
            assert_int_equal(code, 0);
        }
    }
}

static int is_client_only(hws_status status) {
    return status == HWS_ERR_STATUS_LINE || status == HWS_ERR_ACCEPT || status == HWS_ERR_REFUSED;
}

static void http_statuses(void **context) {
    (void)context;
    for (hws_status status = LOWEST; status <= HIGHEST; status++) {
        uint16_t http = hws_status_http(status);
        int of_request =
            status <= HWS_ERR_HEAD_TOO_LARGE && status >= HWS_ERR_ABSENT && !is_client_only(status);
        if (of_request || status == HWS_ERR_TIMEOUT) {
            assert_in_range(http, 400, 505);
        } else {
            assert_int_equal(http, 0);
        }
    }
}

typedef struct row {
    const char *name;
    hws_status status;
    const char *section;
    uint16_t close_code;
    uint16_t http;
} row;

static const row rows[] = {
    {"RFC 6455 5.2: reserved bits are a protocol error", HWS_ERR_RSV, "RFC 6455 5.2", 1002, 0},
    {"RFC 6455 7.4: a bad code is a protocol error", HWS_ERR_CLOSE_CODE, "RFC 6455 7.4", 1002, 0},
    {"RFC 6455 5.5.1: a bad reason is invalid data", HWS_ERR_CLOSE_REASON, "RFC 6455 5.5.1", 1007,
     0},
    {"RFC 6455 8.1: text that is not UTF-8 is invalid data", HWS_ERR_UTF8, "RFC 6455 8.1", 1007, 0},
    {"RFC 6455 7.4.1: a message may be too big", HWS_ERR_MESSAGE_TOO_BIG, "RFC 6455 10.4", 1009, 0},
    {"RFC 6455 7.4.1: too many fragments are against policy", HWS_ERR_FRAGMENTS, "RFC 6455 10.4",
     1008, 0},
    {"RFC 6455 7.4.1: data that does not fit is invalid", HWS_ERR_DATA, "RFC 6455 7.4.1", 1007, 0},
    {"RFC 6455 7.4.1: a type of data may be unsupported", HWS_ERR_UNSUPPORTED, "RFC 6455 7.4.1",
     1003, 0},
    {"RFC 6455 7.4.1: policy", HWS_ERR_POLICY, "RFC 6455 7.4.1", 1008, 0},
    {"RFC 6455 7.4.1: an unexpected condition", HWS_ERR_INTERNAL, "RFC 6455 7.4.1", 1011, 0},
    {"RFC 7692 7.2.2: bad DEFLATE data is invalid data", HWS_ERR_INFLATE, "RFC 7692 7.2.2", 1007,
     0},
    {"RFC 6455 7.1.5: no Close frame is 1006", HWS_ERR_EOF, "RFC 6455 7.1.5", 1006, 0},
    {"RFC 9112 3: a long request line is 414", HWS_ERR_TARGET_TOO_LONG, "RFC 9112 3", 0, 414},
    {"RFC 6585 5: a large head is 431", HWS_ERR_HEAD_TOO_LARGE, "RFC 9110 5.4", 0, 431},
    {"RFC 6585 5: a long field is 431", HWS_ERR_FIELD_TOO_LONG, "RFC 9110 5.4", 0, 431},
    {"RFC 6585 5: many fields are 431", HWS_ERR_TOO_MANY_FIELDS, "RFC 9110 5.4", 0, 431},
    {"RFC 9112 5.2: a folded field is 400", HWS_ERR_FIELD_FOLDED, "RFC 9112 5.2", 0, 400},
    {"RFC 9110 15.6.6: a foreign HTTP version is 505", HWS_ERR_HTTP_VERSION, "RFC 9112 2.3", 0,
     505},
    {"RFC 9110 15.5.6: a foreign method is 405", HWS_ERR_METHOD, "RFC 6455 4.2.1", 0, 405},
    {"RFC 6455 4.4: a foreign version is 426", HWS_ERR_VERSION, "RFC 6455 4.4", 0, 426},
    {"RFC 6455 10.2: a foreign origin is 403", HWS_ERR_ORIGIN, "RFC 6455 10.2", 0, 403},
    {"RFC 9110 15.5.9: a request that does not come is 408", HWS_ERR_TIMEOUT, "", 0, 408},
};

static void run_row(void **context) {
    const row *r = *context;
    assert_string_equal(hws_status_section(r->status), r->section);
    assert_int_equal(hws_status_close_code(r->status), r->close_code);
    assert_int_equal(hws_status_http(r->status), r->http);
}

int main(void) {
    enum { ROWS = sizeof rows / sizeof rows[0] };
    static struct CMUnitTest row_tests[ROWS];
    for (size_t r = 0; r < ROWS; r++) {
        row_tests[r].name = rows[r].name;
        row_tests[r].test_func = run_row;
        row_tests[r].initial_state = (void *)(uintptr_t)&rows[r];
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_values), cmocka_unit_test(groups_have_no_holes),
        cmocka_unit_test(names),          cmocka_unit_test(sentences),
        cmocka_unit_test(sections),       cmocka_unit_test(close_codes),
        cmocka_unit_test(http_statuses),
    };
    int failed = cmocka_run_group_tests(row_tests, NULL, NULL);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
