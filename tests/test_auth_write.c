/*
 * Credentials and challenges that are written: each into exactly the room that it needs, right
 * before a page nobody may touch, and into each that is too small.
 */
#include "support.h"

#include <hawser/auth.h>

#include <string.h>

enum { ROOM = 512, FIRST = 2 };

static hws_text text_of(const char *string) {
    return hws_text_from(string);
}

static void check_written(hws_text user, hws_text password, const char *want) {
    size_t len = strlen(want);
    for (size_t cap = FIRST; cap <= FIRST + len; cap++) {
        uint8_t *out = guard_alloc(cap);
        size_t n = FIRST;
        hws_status status = hws_auth_write_basic(user, password, out, cap, &n);
        assert_int_equal(status, cap < FIRST + len ? HWS_ERR_SPACE : HWS_OK);
        assert_int_equal(n, cap < FIRST + len ? FIRST : cap);
        assert_true(status != HWS_OK || memcmp(out + FIRST, want, len) == 0);
        guard_free(out, cap);
    }
}

/* RFC 7617 2, with each length of the last group. */
static void credentials_are_written(void **state) {
    (void)state;
    check_written(text_of("Aladdin"), text_of("open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    check_written(text_of("test"), text_of("123\xC2\xA3"), "Basic dGVzdDoxMjPCow==");
    check_written(text_of(NULL), text_of(NULL), "Basic Og==");
    check_written(text_of("a"), text_of(NULL), "Basic YTo=");
    check_written(text_of("a"), text_of("b"), "Basic YTpi");
    check_written(text_of("a"), text_of(":b:c:"), "Basic YTo6YjpjOg==");
}

/* RFC 7617 2: what a server would have to refuse is not sent. */
static void bad_credentials_are_not_written(void **state) {
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        const char bytes[] = {'x', (char)byte};
        hws_text text = {bytes, sizeof bytes};
        hws_text other = {"y", 1};
        uint8_t out[ROOM];
        size_t n = FIRST;
        uint8_t control = byte < ' ' || byte == 0x7F;
        hws_status as_user = hws_auth_write_basic(text, other, out, sizeof out, &n);
        assert_int_equal(as_user, control || byte == ':' ? HWS_ERR_FIELD : HWS_OK);
        n = FIRST;
        hws_status as_password = hws_auth_write_basic(other, text, out, sizeof out, &n);
        assert_int_equal(as_password, control ? HWS_ERR_FIELD : HWS_OK);
        assert_true(as_password == HWS_OK || n == FIRST);
    }
}

typedef struct challenge_row {
    const char *name;
    const char *scheme;
    const char *realm;
    const char *params[4]; /* names and values by turns */
    const char *written;   /* NULL: HWS_ERR_FIELD */
} challenge_row;

static const challenge_row challenge_rows[] = {
    {"RFC 7617 2: a realm", "Basic", "chat", {NULL}, "Basic realm=\"chat\""},
    {"RFC 7617 2.1: a charset",
     "Basic",
     "chat",
     {"charset", "UTF-8"},
     "Basic realm=\"chat\", charset=\"UTF-8\""},
    {"RFC 6750 3: an error",
     "Bearer",
     "chat",
     {"error", "invalid_token", "scope", "a b"},
     "Bearer realm=\"chat\", error=\"invalid_token\", scope=\"a b\""},
    {"RFC 9110 11.5: an empty realm", "Basic", "", {NULL}, "Basic realm=\"\""},
    {"RFC 9110 5.6.4: quotes and backslashes are escaped",
     "X",
     "a\"b\\",
     {"c", "\"\\\""},
     "X realm=\"a\\\"b\\\\\", c=\"\\\"\\\\\\\"\""},
    {"RFC 9110 5.6.4: tabs, spaces and what is not ASCII",
     "X",
     " \t\xC3\xA4 ",
     {NULL},
     "X realm=\" \t\xC3\xA4 \""},
    {"RFC 9110 5.6.4: a line end in a realm", "X", "a\r\nX: y", {NULL}, NULL},
    {"RFC 9110 5.6.4: a line end in a parameter", "X", "a", {"b", "\n"}, NULL},
    {"RFC 9110 5.6.4: DEL in a realm", "X", "\x7F", {NULL}, NULL},
    {"RFC 9110 11.1: an empty scheme", "", "a", {NULL}, NULL},
    {"RFC 9110 11.1: a scheme that is no token", "a b", "a", {NULL}, NULL},
    {"RFC 9110 11.2: a name that is no token", "X", "a", {"b\"", "c"}, NULL},
    {"RFC 9110 11.2: a second realm", "X", "a", {"b", "c", "Realm", "d"}, NULL},
};

static void check_challenge(const challenge_row *r) {
    const hws_field params[] = {{text_of(r->params[0]), text_of(r->params[1])},
                                {text_of(r->params[2]), text_of(r->params[3])}};
    size_t count = (r->params[0] != NULL) + (size_t)(r->params[2] != NULL);
    size_t len = r->written == NULL ? 100 : strlen(r->written);
    for (size_t cap = FIRST; cap <= FIRST + len; cap++) {
        uint8_t *out = guard_alloc(cap);
        size_t n = FIRST;
        hws_status want = cap < FIRST + len ? HWS_ERR_SPACE : HWS_OK;
        hws_status status = hws_auth_write_challenge(
            text_of(r->scheme), text_of(r->realm), count > 0 ? params : NULL, count, out, cap, &n);
        if (status != (r->written == NULL ? HWS_ERR_FIELD : want)) {
            fail_msg("%s: %s", r->name, hws_status_name(status));
        }
        assert_int_equal(n, status == HWS_OK ? cap : FIRST);
        assert_true(status != HWS_OK || memcmp(out + FIRST, r->written, len) == 0);
        guard_free(out, cap);
    }
}

static void challenges_are_written(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof challenge_rows / sizeof challenge_rows[0]; i++) {
        check_challenge(&challenge_rows[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_are_written),
        cmocka_unit_test(bad_credentials_are_not_written),
        cmocka_unit_test(challenges_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
