/*
 * Writing heads: the pieces that all heads are made of, and responses that are no handshake. Knows
 * nothing of parsing.
 */
#include "http.h"

hws_status hws__check_fields(const hws_field *fields, size_t count, const hws_text *refused,
                             size_t refused_count) {
    size_t i = 0;
    while (i < count) {
        size_t k = 0;
        if (!hws__is_token(fields[i].name) || !hws__is_field_value(fields[i].value)) {
            return HWS_ERR_FIELD;
        }
        while (k < refused_count && !hws_text_equal_nocase(fields[i].name, refused[k])) {
            k++;
        }
        if (k < refused_count) {
            return HWS_ERR_FIELD;
        }
        i++;
    }
    return HWS_OK;
}

void hws__write_field(hws__writer *w, hws_text name, hws_text value) {
    hws__write_text(w, name);
    hws__write_text(w, HWS__TEXT(": "));
    hws__write_text(w, value);
    hws__write_text(w, HWS__TEXT("\r\n"));
}

void hws__write_number(hws__writer *w, uint64_t value) {
    uint8_t digits[20]; /* of 2^64 - 1 */
    size_t at = sizeof digits;
    do {
        at--;
        digits[at] = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    hws__write(w, digits + at, sizeof digits - at);
}

/* RFC 9110 15, and RFC 6585 for 429 and 431. A reason phrase may be empty (RFC 9112 4). */
static const char reasons[] = "101 Switching Protocols\n"
                              "200 OK\n"
                              "204 No Content\n"
                              "301 Moved Permanently\n"
                              "302 Found\n"
                              "303 See Other\n"
                              "304 Not Modified\n"
                              "307 Temporary Redirect\n"
                              "308 Permanent Redirect\n"
                              "400 Bad Request\n"
                              "401 Unauthorized\n"
                              "403 Forbidden\n"
                              "404 Not Found\n"
                              "405 Method Not Allowed\n"
                              "408 Request Timeout\n"
                              "413 Content Too Large\n"
                              "414 URI Too Long\n"
                              "426 Upgrade Required\n"
                              "429 Too Many Requests\n"
                              "431 Request Header Fields Too Large\n"
                              "500 Internal Server Error\n"
                              "501 Not Implemented\n"
                              "502 Bad Gateway\n"
                              "503 Service Unavailable\n"
                              "505 HTTP Version Not Supported\n";

hws_text hws__reason_phrase(uint16_t status) {
    const char code[] = {(char)('0' + status / 100), (char)('0' + status / 10 % 10),
                         (char)('0' + status % 10)};
    hws_text phrase = {NULL, 0};
    size_t line = 0;
    while (line < sizeof reasons - 1) {
        size_t end = line;
        while (reasons[end] != '\n') {
            end++;
        }
        if (memcmp(reasons + line, code, sizeof code) == 0) {
            phrase.data = reasons + line + sizeof code + 1;
            phrase.len = end - line - sizeof code - 1;
        }
        line = end + 1;
    }
    return phrase;
}

static void write_status_line(hws__writer *w, uint16_t status) {
    hws__write_text(w, HWS__TEXT("HTTP/1.1 "));
    hws__write_number(w, status);
    hws__write_text(w, HWS__TEXT(" "));
    hws__write_text(w, hws__reason_phrase(status));
    hws__write_text(w, HWS__TEXT("\r\n"));
}

static uint8_t has_field(const hws_field *fields, size_t count, hws_text name) {
    size_t i = 0;
    while (i < count && !hws_text_equal_nocase(fields[i].name, name)) {
        i++;
    }
    return i < count;
}

/* The fields that some status codes cannot do without. */
static void write_status_fields(hws__writer *w, uint16_t status, uint8_t has_allow) {
    if (status == 405 && !has_allow) {
        hws__write_field(w, HWS__TEXT("Allow"), HWS__TEXT("GET")); /* RFC 9110 15.5.6 */
    }
    if (status == 426) {
        hws__write_field(w, HWS__TEXT("Upgrade"), HWS__TEXT("websocket"));  /* RFC 9110 15.5.22 */
        hws__write_field(w, HWS__TEXT("Connection"), HWS__TEXT("Upgrade")); /* RFC 9110 7.8 */
        hws__write_field(w, HWS__TEXT("Sec-WebSocket-Version"), HWS__TEXT("13")); /* RFC 6455 4.4 */
    }
}

static hws_status check_response(uint16_t status, const hws_field *fields, size_t count) {
    /* A coding would contradict the Content-Length (RFC 9112 6.2). */
    const hws_text refused[] = {HWS__TEXT("Content-Length"), HWS__TEXT("Connection"),
                                HWS__TEXT("Transfer-Encoding")};
    if (status < 200 || status > 599) {
        return HWS_ERR_ARGUMENT;
    }
    if (status == 401 && !has_field(fields, count, HWS__TEXT("WWW-Authenticate"))) {
        return HWS_ERR_ARGUMENT; /* RFC 9110 15.5.2 */
    }
    return hws__check_fields(fields, count, refused, sizeof refused / sizeof refused[0]);
}

hws_status hws_response_write(uint16_t status, const hws_field *fields, size_t count,
                              const uint8_t *body, size_t body_len, uint8_t *out, size_t cap,
                              size_t *n) {
    hws__writer w = {out, cap, *n, 0};
    uint8_t bodiless = status == 204 || status == 304; /* RFC 9110 6.4.1 */
    hws_status fault = check_response(status, fields, count);
    size_t i = 0;
    if (fault != HWS_OK) {
        return fault;
    }
    write_status_line(&w, status);
    while (i < count) {
        hws__write_field(&w, fields[i].name, fields[i].value);
        i++;
    }
    write_status_fields(&w, status, has_field(fields, count, HWS__TEXT("Allow")));
    /* 204 must not have a length, and what one of 304 would mean is not known here (8.6). */
    if (!bodiless) {
        hws__write_text(&w, HWS__TEXT("Content-Length: "));
        hws__write_number(&w, body_len);
        hws__write_text(&w, HWS__TEXT("\r\n"));
    }
    hws__write_text(&w, HWS__TEXT("Connection: close\r\n\r\n"));
    if (!bodiless && body != NULL) {
        hws__write(&w, body, body_len);
    }
    if (w.full) {
        return HWS_ERR_SPACE;
    }
    *n = w.n;
    return HWS_OK;
}
