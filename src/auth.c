/*
 * Credentials, tokens and cookies in a head (RFC 7617, RFC 6750, RFC 6265), and challenges. Knows
 * the grammar of each; decides nothing about who may come in.
 */
#include "base64.h"
#include "http_percent.h"

#include <hawser/auth.h>

static uint8_t byte_at(hws_text text, size_t at) {
    return (uint8_t)text.data[at];
}

static hws_text part(hws_text text, size_t start, size_t end) {
    return (hws_text){text.data + start, end - start};
}

/* The place of the first `byte` from `at` on; the text's length when there is none. */
static size_t find(hws_text text, size_t at, uint8_t byte) {
    while (at < text.len && byte_at(text, at) != byte) {
        at++;
    }
    return at;
}

static uint8_t is_control(uint8_t byte) {
    return byte < ' ' || byte == 0x7F;
}

static uint8_t has_control(hws_text text) {
    size_t i = 0;
    while (i < text.len && !is_control(byte_at(text, i))) {
        i++;
    }
    return i < text.len;
}

static hws_status finish(const hws__writer *w, size_t *n) {
    if (w->full) {
        return HWS_ERR_SPACE;
    }
    *n = w->n;
    return HWS_OK;
}

/* token68 (RFC 9110 11.2): at least one of its characters, then any number of "=". */
static uint8_t is_token68(hws_text text) {
    size_t i = 0;
    size_t end;
    while (i < text.len && byte_at(text, i) != '=') {
        uint8_t byte = byte_at(text, i);
        uint8_t lower = byte | 0x20;
        uint8_t letter = lower >= 'a' && lower <= 'z';
        uint8_t mark =
            byte == '-' || byte == '.' || byte == '_' || byte == '~' || byte == '+' || byte == '/';
        if (!letter && !mark && !hws__is_digit(byte)) {
            return 0;
        }
        i++;
    }
    end = i;
    while (i < text.len && byte_at(text, i) == '=') {
        i++;
    }
    return end > 0 && i == text.len;
}

/* What follows a scheme, which has no case, in the one Authorization field (RFC 9110 11.4). */
static hws_status find_token(const hws_head *head, const uint8_t *buf, hws_text scheme,
                             hws_text *token) {
    hws_text name = HWS__TEXT("Authorization");
    uint32_t i = hws_head_find(head, buf, name, 0);
    if (i == head->header_count) {
        return HWS_ERR_ABSENT;
    }
    if (hws_head_find(head, buf, name, i + 1) < head->header_count) {
        return HWS_ERR_FIELD;
    }
    hws_text value = hws__text_at(buf, head->headers[i].value);
    size_t at = find(value, 0, ' ');
    if (!hws__is_token(part(value, 0, at))) {
        return HWS_ERR_FIELD;
    }
    if (!hws_text_equal_nocase(part(value, 0, at), scheme)) {
        return HWS_ERR_ABSENT;
    }
    while (at < value.len && byte_at(value, at) == ' ') {
        at++;
    }
    *token = part(value, at, value.len);
    return is_token68(*token) ? HWS_OK : HWS_ERR_FIELD;
}

hws_status hws_auth_read_basic(const hws_head *head, const uint8_t *buf, uint8_t *out, size_t cap,
                               size_t *n, hws_text *user, hws_text *password) {
    hws__writer w = {out, cap, *n, 0};
    hws_text token = {NULL, 0};
    hws_status status = find_token(head, buf, HWS__TEXT("Basic"), &token);
    *user = (hws_text){NULL, 0};
    *password = (hws_text){NULL, 0};
    if (status != HWS_OK) {
        return status;
    }
    if (!hws__base64_decode((const uint8_t *)token.data, token.len, &w)) {
        return HWS_ERR_FIELD;
    }
    if (w.full) {
        return HWS_ERR_SPACE;
    }
    hws_text plain = {(const char *)out + *n, w.n - *n};
    size_t colon = find(plain, 0, ':');
    if (colon == plain.len || has_control(plain)) {
        return HWS_ERR_FIELD; /* RFC 7617 2 */
    }
    *user = part(plain, 0, colon);
    *password = part(plain, colon + 1, plain.len);
    *n = w.n;
    return HWS_OK;
}

hws_status hws_auth_read_bearer(const hws_head *head, const uint8_t *buf, hws_text *token) {
    hws_text found = {NULL, 0};
    hws_status status = find_token(head, buf, HWS__TEXT("Bearer"), &found);
    *token = status == HWS_OK ? found : (hws_text){NULL, 0};
    return status;
}

static void encode(hws__base64 *encoder, hws_text text) {
    size_t i = 0;
    while (i < text.len) {
        hws__base64_put(encoder, byte_at(text, i));
        i++;
    }
}

hws_status hws_auth_write_basic(hws_text user, hws_text password, uint8_t *out, size_t cap,
                                size_t *n) {
    hws__writer w = {out, cap, *n, 0};
    hws__base64 encoder = {&w, {0}, 0};
    if (find(user, 0, ':') < user.len || has_control(user) || has_control(password)) {
        return HWS_ERR_FIELD; /* RFC 7617 2 */
    }
    hws__write_text(&w, HWS__TEXT("Basic "));
    encode(&encoder, user);
    hws__base64_put(&encoder, ':');
    encode(&encoder, password);
    hws__base64_end(&encoder);
    return finish(&w, n);
}

static uint8_t is_quotable(hws_text text) {
    size_t i = 0;
    while (i < text.len && hws__is_value_byte(byte_at(text, i))) {
        i++;
    }
    return i == text.len;
}

/* name="value", with a backslash before what would end the string or is one (RFC 9110 5.6.4). */
static void write_param(hws__writer *w, hws_text name, hws_text value) {
    size_t i = 0;
    hws__write_text(w, name);
    hws__write_text(w, HWS__TEXT("=\""));
    while (i < value.len) {
        if (value.data[i] == '"' || value.data[i] == '\\') {
            hws__write_text(w, HWS__TEXT("\\"));
        }
        hws__write(w, value.data + i, 1);
        i++;
    }
    hws__write_text(w, HWS__TEXT("\""));
}

hws_status hws_auth_write_challenge(hws_text scheme, hws_text realm, const hws_field *params,
                                    size_t count, uint8_t *out, size_t cap, size_t *n) {
    hws__writer w = {out, cap, *n, 0};
    hws_text realm_name = HWS__TEXT("realm");
    size_t i = 0;
    if (!hws__is_token(scheme) || !is_quotable(realm)) {
        return HWS_ERR_FIELD;
    }
    hws__write_text(&w, scheme);
    hws__write_text(&w, HWS__TEXT(" "));
    write_param(&w, realm_name, realm);
    while (i < count) {
        if (!hws__is_token(params[i].name) || !is_quotable(params[i].value) ||
            hws_text_equal_nocase(params[i].name, realm_name)) {
            return HWS_ERR_FIELD;
        }
        hws__write_text(&w, HWS__TEXT(", "));
        write_param(&w, params[i].name, params[i].value);
        i++;
    }
    return finish(&w, n);
}

/* Whether a name of a query is, once decoded, this one. */
static uint8_t is_name(hws_text encoded, hws_text name) {
    size_t at = 0;
    size_t i = 0;
    while (at < encoded.len && i < name.len) {
        uint8_t is_encoded = hws__is_encoded(encoded, at);
        uint8_t byte = is_encoded ? hws__decoded(encoded, at) : byte_at(encoded, at);
        if (byte != byte_at(name, i) || (byte == '%' && !is_encoded)) {
            return 0;
        }
        at += is_encoded ? 3 : 1;
        i++;
    }
    return at == encoded.len && i == name.len;
}

/* The one parameter of that name, as it stands. */
static hws_status find_param(hws_text query, hws_text name, hws_text *value) {
    hws_status status = HWS_ERR_ABSENT;
    size_t at = 0;
    while (at < query.len) {
        hws_text param = part(query, at, find(query, at, '&'));
        size_t equals = find(param, 0, '=');
        if (is_name(part(param, 0, equals), name)) {
            if (status == HWS_OK) {
                return HWS_ERR_FIELD;
            }
            status = HWS_OK;
            *value = part(param, equals + (equals < param.len), param.len);
        }
        at += param.len + 1;
    }
    return status;
}

/* What stands between "?" and "#", or the end. A request target has no "#", but may bring one. */
static hws_text query_of(hws_text target) {
    hws_text whole = part(target, 0, find(target, 0, '#'));
    size_t mark = find(whole, 0, '?');
    return part(whole, mark + (mark < whole.len), whole.len);
}

/* Decodes a value. Returns 0 for a "%" that means nothing, and for a control character. */
static uint8_t decode_value(hws_text value, hws__writer *w) {
    size_t at = 0;
    while (at < value.len) {
        uint8_t is_encoded = hws__is_encoded(value, at);
        uint8_t byte = is_encoded ? hws__decoded(value, at) : byte_at(value, at);
        if (is_control(byte) || (byte == '%' && !is_encoded)) {
            return 0;
        }
        hws__write(w, &byte, 1);
        at += is_encoded ? 3 : 1;
    }
    return 1;
}

hws_status hws_query_find(const hws_head *head, const uint8_t *buf, hws_text name, uint8_t *out,
                          size_t cap, size_t *n, hws_text *value) {
    hws__writer w = {out, cap, *n, 0};
    hws_text query = query_of(hws__text_at(buf, head->target));
    hws_text encoded = {NULL, 0};
    hws_status status = find_param(query, name, &encoded);
    *value = (hws_text){NULL, 0};
    if (status != HWS_OK) {
        return status;
    }
    if (!decode_value(encoded, &w)) {
        return HWS_ERR_FIELD;
    }
    if (w.full) {
        return HWS_ERR_SPACE;
    }
    *value = (hws_text){(const char *)out + *n, w.n - *n};
    *n = w.n;
    return HWS_OK;
}

/* cookie-octet (RFC 6265 4.1.1). */
static uint8_t is_cookie_byte(uint8_t byte) {
    return hws__is_visible(byte) && byte != '"' && byte != ',' && byte != ';' && byte != '\\';
}

static hws_status take_cookie(hws_text value, hws_text *out) {
    size_t i = 0;
    if (value.len > 1 && value.data[0] == '"' && value.data[value.len - 1] == '"') {
        value = part(value, 1, value.len - 1);
    }
    while (i < value.len && is_cookie_byte(byte_at(value, i))) {
        i++;
    }
    if (i < value.len) {
        return HWS_ERR_FIELD;
    }
    *out = value;
    return HWS_OK;
}

/* One Cookie field: pairs with ";" between them, and white space, of which the RFC has one SP. */
static hws_status find_pair(hws_text pairs, hws_text name, hws_text *value) {
    size_t at = 0;
    while (at < pairs.len) {
        size_t end = find(pairs, at, ';');
        size_t next = end + 1;
        while (at < end && hws__is_space(byte_at(pairs, at))) {
            at++;
        }
        while (at < end && hws__is_space(byte_at(pairs, end - 1))) {
            end--;
        }
        hws_text pair = part(pairs, at, end);
        size_t equals = find(pair, 0, '=');
        if (equals < pair.len && hws__text_equal(part(pair, 0, equals), name)) {
            return take_cookie(part(pair, equals + 1, pair.len), value);
        }
        at = next;
    }
    return HWS_ERR_ABSENT;
}

hws_status hws_cookie_find(const hws_head *head, const uint8_t *buf, hws_text name,
                           hws_text *value) {
    hws_status status = HWS_ERR_ABSENT;
    hws_text cookie = HWS__TEXT("Cookie");
    uint32_t i = hws_head_find(head, buf, cookie, 0);
    *value = (hws_text){NULL, 0};
    while (status == HWS_ERR_ABSENT && i < head->header_count) {
        status = find_pair(hws__text_at(buf, head->headers[i].value), name, value);
        i = hws_head_find(head, buf, cookie, i + 1);
    }
    return status;
}

uint8_t hws_secret_equal(hws_text given, hws_text secret) {
    /* What is volatile is read and written each time: no compiler ends the loop at a difference. */
    const volatile char *a = given.data;
    const volatile char *b = secret.data;
    volatile uint8_t difference = given.len != secret.len;
    size_t len = given.len < secret.len ? given.len : secret.len;
    size_t i = 0;
    while (i < len) {
        difference = (uint8_t)(difference | (a[i] ^ b[i]));
        i++;
    }
    return difference == 0;
}
