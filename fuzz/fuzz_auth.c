/*
 * Any bytes as a request that says who is asking. Invariant: what is read lies in the head or in
 * the output, and is written whole or not at all; credentials that are read are written again as
 * they stood, and what is written is read as what it was; no value holds a byte that its place
 * forbids; and a challenge is one field, whose realm is what it was.
 *
 * What stands behind the head is a user, up to its first colon, and a password; both together are a
 * realm. All look for the parameter and the cookie "sid".
 */
#include "head.h"

enum { ROOM = 8192 };

static uint8_t is_control(char byte) {
    return (uint8_t)byte < ' ' || byte == 0x7F;
}

static uint8_t is_same(hws_text a, hws_text b) {
    uint8_t same = a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
    CHECK(hws_secret_equal(a, b) == same);
    return same;
}

static void check_inside(hws_text text, const void *data, size_t len) {
    size_t at = (size_t)((uintptr_t)text.data - (uintptr_t)data);
    CHECK(at <= len && text.len <= len - at);
}

/* Nothing is left of a result when there is none. */
static void check_nothing(hws_text text) {
    CHECK(text.data == NULL && text.len == 0);
}

/* The value of the one Authorization field, behind its scheme. */
static hws_text token_of(const hws_head *head, const uint8_t *data, size_t scheme_len) {
    hws_text name = hws_text_from("Authorization");
    uint32_t i = hws_head_find(head, data, name, 0);
    CHECK(i < head->header_count);
    CHECK(hws_head_find(head, data, name, i + 1) == head->header_count);
    hws_text token = hws_span_text(data, head->headers[i].value);
    CHECK(token.len > scheme_len && token.data[scheme_len] == ' ');
    while (token.data[scheme_len] == ' ') {
        scheme_len++;
    }
    return (hws_text){token.data + scheme_len, token.len - scheme_len};
}

/* What was read, written again: just so it stood there. */
static void check_written_again(hws_text user, hws_text password, hws_text token) {
    uint8_t out[ROOM];
    size_t n = 0;
    CHECK(hws_auth_write_basic(user, password, out, sizeof out, &n) == HWS_OK);
    CHECK(is_same((hws_text){(char *)out + 6, n - 6}, token));
    n = 0;
    CHECK(hws_auth_write_basic(user, password, out, 6 + token.len - 1, &n) == HWS_ERR_SPACE);
    CHECK(n == 0);
}

static void check_basic(const hws_head *head, const uint8_t *data) {
    hws_text user;
    hws_text password;
    uint8_t out[ROOM];
    size_t n = 0;
    size_t again = 0;
    hws_status status = hws_auth_read_basic(head, data, out, sizeof out, &n, &user, &password);
    if (status != HWS_OK) {
        CHECK((status == HWS_ERR_ABSENT || status == HWS_ERR_FIELD) && n == 0);
        check_nothing(user);
        check_nothing(password);
        return;
    }
    CHECK(n == user.len + 1 + password.len && user.data == (char *)out);
    CHECK(user.len == 0 || memchr(user.data, ':', user.len) == NULL);
    CHECK(password.data == user.data + user.len + 1);
    check_written_again(user, password, token_of(head, data, 5));
    uint8_t *exact = fuzz_copy(out, n);
    CHECK(hws_auth_read_basic(head, data, exact, n - 1, &again, &user, &password) == HWS_ERR_SPACE);
    check_nothing(user);
    CHECK(again == 0);
    CHECK(hws_auth_read_basic(head, data, exact, n, &again, &user, &password) == HWS_OK);
    CHECK(again == n && memcmp(exact, out, n) == 0);
    free(exact);
}

static void check_bearer(const hws_head *head, const uint8_t *data) {
    static const char marks[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "-._~+/=";
    hws_text token;
    hws_status status = hws_auth_read_bearer(head, data, &token);
    size_t i = 0;
    if (status != HWS_OK) {
        CHECK(status == HWS_ERR_ABSENT || status == HWS_ERR_FIELD);
        check_nothing(token);
        return;
    }
    check_inside(token, data, head->head_len);
    CHECK(is_same(token, token_of(head, data, 6)) && token.data[0] != '=');
    while (i < token.len) {
        CHECK(memchr(marks, token.data[i], sizeof marks - 1) != NULL);
        CHECK(i == 0 || token.data[i - 1] != '=' || token.data[i] == '=');
        i++;
    }
}

static void check_cookie(const hws_head *head, const uint8_t *data) {
    hws_text value;
    hws_status status = hws_cookie_find(head, data, hws_text_from("sid"), &value);
    size_t i = 0;
    if (status != HWS_OK) {
        CHECK(status == HWS_ERR_ABSENT || status == HWS_ERR_FIELD);
        check_nothing(value);
        return;
    }
    check_inside(value, data, head->head_len);
    uint8_t quoted = value.data[-1] == '"';
    CHECK(memcmp(value.data - quoted - 4, "sid=", 4) == 0);
    CHECK(!quoted || value.data[value.len] == '"');
    while (i < value.len) {
        CHECK(value.data[i] > ' ' && value.data[i] < 0x7F);
        CHECK(strchr("\",;\\", value.data[i]) == NULL);
        i++;
    }
}

/* A head with one line before its end. */
static void parse_line(hws_head *head, hws_header *headers, uint8_t kind, const char *text) {
    hws_head_init(head, kind, headers, FUZZ_HEADERS);
    head->max_line = head->max_head;
    CHECK(hws_head_parse(head, (const uint8_t *)text, strlen(text)) == HWS_OK);
}

/* A value of a query, encoded byte by byte, is read as what it was. */
static void check_encoded(hws_text value) {
    static char request[3 * ROOM + 64];
    hws_header headers[FUZZ_HEADERS];
    hws_head head;
    hws_text again;
    uint8_t out[ROOM];
    size_t n = (size_t)sprintf(request, "GET /?a&%%73i%%64=");
    size_t i = 0;
    while (i < value.len) {
        n += (size_t)sprintf(request + n, "%%%02x", (uint8_t)value.data[i]);
        i++;
    }
    sprintf(request + n, "&b=c HTTP/1.1\r\n\r\n");
    parse_line(&head, headers, HWS_HEAD_REQUEST, request);
    n = 0;
    CHECK(hws_query_find(&head, (uint8_t *)request, hws_text_from("sid"), out, sizeof out, &n,
                         &again) == HWS_OK);
    CHECK(is_same(again, value) && n == value.len);
}

/* Each percent sign of a value was written as one that is encoded. */
static void check_percent(hws_text value, hws_text target) {
    size_t signs = 0;
    size_t i = 0;
    while (i < value.len) {
        signs += value.data[i] == '%';
        i++;
    }
    i = 0;
    while (i + 3 <= target.len) {
        signs -= signs > 0 && memcmp(target.data + i, "%25", 3) == 0;
        i++;
    }
    CHECK(signs == 0);
}

static void check_query(const hws_head *head, const uint8_t *data) {
    hws_text name = hws_text_from("sid");
    hws_text value;
    uint8_t out[ROOM];
    size_t n = 0;
    size_t again = 0;
    hws_status status = hws_query_find(head, data, name, out, sizeof out, &n, &value);
    size_t i = 0;
    if (status != HWS_OK) {
        CHECK((status == HWS_ERR_ABSENT || status == HWS_ERR_FIELD) && n == 0);
        check_nothing(value);
        return;
    }
    CHECK(memchr(data + head->target.offset, '?', head->target.len) != NULL);
    CHECK(value.data == (char *)out && value.len == n && n < head->target.len);
    while (i < value.len) {
        CHECK(!is_control(value.data[i]));
        i++;
    }
    check_percent(value, hws_span_text(data, head->target));
    check_encoded(value);
    if (n > 0) {
        uint8_t *exact = fuzz_copy(out, n);
        CHECK(hws_query_find(head, data, name, exact, n - 1, &again, &value) == HWS_ERR_SPACE);
        check_nothing(value);
        CHECK(again == 0);
        CHECK(hws_query_find(head, data, name, exact, n, &again, &value) == HWS_OK && again == n);
        free(exact);
    }
}

/* What is written of a user and a password is read as them; or one of them may not be sent. */
static void check_credentials(hws_text user, hws_text password) {
    static char request[ROOM] = "GET / HTTP/1.1\r\nAuthorization: ";
    hws_text user_again;
    hws_text password_again;
    hws_header headers[FUZZ_HEADERS];
    hws_head head;
    uint8_t out[ROOM];
    uint8_t bad = 0;
    size_t n = 31;
    size_t i = 0;
    while (i < user.len + password.len) {
        bad |= is_control(i < user.len ? user.data[i] : password.data[i - user.len]);
        i++;
    }
    hws_status status =
        hws_auth_write_basic(user, password, (uint8_t *)request, sizeof request - 5, &n);
    CHECK(status == (bad ? HWS_ERR_FIELD : HWS_OK));
    if (bad) {
        return;
    }
    memcpy(request + n, "\r\n\r\n", 5);
    parse_line(&head, headers, HWS_HEAD_REQUEST, request);
    n = 0;
    CHECK(hws_auth_read_basic(&head, (uint8_t *)request, out, sizeof out, &n, &user_again,
                              &password_again) == HWS_OK);
    CHECK(is_same(user_again, user) && is_same(password_again, password));
}

/* The inside of a quoted string, without its backslashes, is this text. */
static void check_quoted(hws_text quoted, hws_text text) {
    size_t at = 0;
    size_t i = 0;
    while (at < quoted.len) {
        CHECK(quoted.data[at] != '"');
        at += quoted.data[at] == '\\';
        CHECK(at < quoted.len && i < text.len && quoted.data[at] == text.data[i]);
        at++;
        i++;
    }
    CHECK(i == text.len);
}

/* A realm, as the value of a parameter as well, ends up in the one field of a response. */
static void check_challenge(hws_text realm) {
    static uint8_t response[4 * ROOM];
    static uint8_t out[2 * ROOM];
    hws_field param = {realm, realm};
    hws_field field = {hws_text_from("WWW-Authenticate"), {(char *)out, 0}};
    hws_header headers[FUZZ_HEADERS];
    hws_head head;
    size_t n = 0;
    hws_status status =
        hws_auth_write_challenge(field.name, realm, &param, 1, out, sizeof out, &field.value.len);
    CHECK(status == HWS_OK || (status == HWS_ERR_FIELD && field.value.len == 0));
    field.value.len = 0;
    status = hws_auth_write_challenge(hws_text_from("Basic"), realm, NULL, 0, out, sizeof out,
                                      &field.value.len);
    if (status != HWS_OK) {
        CHECK(status == HWS_ERR_FIELD && field.value.len == 0);
        return;
    }
    CHECK(hws_auth_write_challenge(hws_text_from("Basic"), realm, NULL, 0, out, field.value.len - 1,
                                   &n) == HWS_ERR_SPACE);
    CHECK(memcmp(out, "Basic realm=\"", 13) == 0 && out[field.value.len - 1] == '"');
    check_quoted((hws_text){(char *)out + 13, field.value.len - 14}, realm);
    CHECK(hws_response_write(401, &field, 1, NULL, 0, response, sizeof response, &n) == HWS_OK);
    response[n] = 0;
    parse_line(&head, headers, HWS_HEAD_RESPONSE, (char *)response);
    CHECK(head.header_count == 3 && head.head_len == n);
    CHECK(is_same(hws_span_text(response, headers[0].value), field.value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    hws_header headers[FUZZ_HEADERS];
    hws_head head;
    size_t colon = 0;

    hws_head_init(&head, HWS_HEAD_REQUEST, headers, FUZZ_HEADERS);
    if (size > ROOM / 8 || hws_head_parse(&head, data, size) != HWS_OK) {
        return 0;
    }
    check_basic(&head, data);
    check_bearer(&head, data);
    check_cookie(&head, data);
    check_query(&head, data);
    hws_text rest = {(const char *)data + head.head_len, size - head.head_len};
    while (colon < rest.len && rest.data[colon] != ':') {
        colon++;
    }
    hws_text user = {rest.data, colon};
    hws_text password = {rest.data + colon + (colon < rest.len),
                         rest.len - colon - (colon < rest.len)};
    check_credentials(user, password);
    CHECK(is_same(rest, user) == (colon == rest.len));
    if (password.len > 0 && memchr(password.data, ':', password.len) != NULL) {
        size_t n = 0;
        uint8_t out[1];
        CHECK(hws_auth_write_basic(password, user, out, 1, &n) == HWS_ERR_FIELD && n == 0);
    }
    check_challenge(rest);
    return 0;
}
