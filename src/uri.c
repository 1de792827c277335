/*
 * ws:// and wss:// URIs (RFC 6455 3, RFC 3986): one pass that checks every byte, and the two texts
 * that a handshake needs of them. Resolves nothing and normalises nothing: what it accepts can be
 * sent as it stands.
 */
#include "authority.h"
#include "base64.h"
#include "http_percent.h"

#include <hawser/uri.h>

static uint8_t byte_at(hws_text text, size_t at) {
    return (uint8_t)text.data[at];
}

/* unreserved or sub-delims (RFC 3986 2.2, 2.3). */
static uint8_t is_plain(uint8_t byte) {
    return hws__is_name_byte(byte) || byte == ',';
}

static hws_text part(hws_text text, hws_span span) {
    return hws_span_text((const uint8_t *)text.data, span);
}

static hws_span span_of(size_t start, size_t end) {
    return (hws_span){(uint32_t)start, (uint32_t)(end - start)};
}

/* The place of the first `byte` from `at` on; `end` when there is none. */
static size_t find(hws_text text, size_t at, size_t end, uint8_t byte) {
    while (at < end && byte_at(text, at) != byte) {
        at++;
    }
    return at;
}

/* RFC 3986 3.2.1. As it becomes Basic credentials, no control may hide in it, and no colon in the
 * user name (RFC 7617 2). */
static uint8_t is_userinfo(hws_text text) {
    size_t colon = find(text, 0, text.len, ':');
    size_t i = 0;
    while (i < text.len) {
        if (hws__is_encoded(text, i)) {
            uint8_t byte = hws__decoded(text, i);
            if (byte < ' ' || byte == 0x7F || (byte == ':' && i < colon)) {
                return 0;
            }
            i += 3;
        } else if (is_plain(byte_at(text, i)) || byte_at(text, i) == ':') {
            i++;
        } else {
            return 0;
        }
    }
    return 1;
}

static uint8_t is_ascii(hws_text text, size_t at, size_t end) {
    while (at < end && byte_at(text, at) < 0x80) {
        at++;
    }
    return at == end;
}

/* Host and port, which fill the text from `at` to `end`. */
static hws_status take_host(hws_text text, size_t at, size_t end, hws_uri *uri) {
    uint16_t standard = uri->port;
    hws__authority authority;
    hws_status status;

    if (!is_ascii(text, at, end)) {
        return HWS_ERR_URI_IDNA;
    }
    status = hws__authority_parse((hws_text){text.data + at, end - at}, &authority);
    if (status != HWS_OK) {
        return status;
    }
    size_t host_end = at + authority.host.len;
    uri->ipv6 = byte_at(text, at) == '[';
    uri->host = span_of(at + uri->ipv6, host_end - uri->ipv6);
    uri->port = authority.port != 0 ? (uint16_t)authority.port : standard;
    uri->authority = span_of(at, uri->port == standard ? host_end : end);
    return HWS_OK;
}

/* Path and query: pchar, "/" and "?" (RFC 3986 3.3, 3.4), up to the end. */
static hws_status take_target(hws_text text, size_t at, hws_uri *uri) {
    uri->target = span_of(at, text.len);
    while (at < text.len) {
        uint8_t byte = byte_at(text, at);
        if (byte == '#') {
            return HWS_ERR_URI_FRAGMENT; /* RFC 6455 3 */
        }
        if (hws__is_encoded(text, at)) {
            at += 3;
        } else if (is_plain(byte) || byte == ':' || byte == '@' || byte == '/' || byte == '?') {
            at++;
        } else {
            return HWS_ERR_URI_CHARACTER;
        }
    }
    return HWS_OK;
}

/* "ws://" or "wss://" in any case (RFC 3986 3.1). Returns its length, or 0. */
static size_t take_scheme(hws_text text, hws_uri *uri) {
    size_t colon = find(text, 0, text.len < 4 ? text.len : 4, ':');
    size_t len = colon + 3;
    hws_text scheme = {text.data, len};
    if (len > text.len) {
        return 0;
    }
    uri->secure = hws_text_equal_nocase(scheme, HWS__TEXT("wss://"));
    uri->port = uri->secure ? 443 : 80;
    return uri->secure || hws_text_equal_nocase(scheme, HWS__TEXT("ws://")) ? len : 0;
}

/* Where the authority that starts at `at` ends (RFC 3986 3.2). */
static size_t authority_end(hws_text text, size_t at) {
    while (at < text.len && byte_at(text, at) != '/' && byte_at(text, at) != '?' &&
           byte_at(text, at) != '#') {
        at++;
    }
    return at;
}

static hws_status take_parts(hws_text text, size_t start, hws_uri *uri) {
    size_t end = authority_end(text, start);
    size_t host = end;
    hws_status status;
    /* After the last "@": an earlier one makes the userinfo malformed, not another host. */
    while (host > start && byte_at(text, host - 1) != '@') {
        host--;
    }
    if (host > start) {
        uri->userinfo = span_of(start, host - 1);
    }
    if (!is_userinfo(part(text, uri->userinfo))) {
        return HWS_ERR_URI_USERINFO;
    }
    status = take_host(text, host, end, uri);
    return status == HWS_OK ? take_target(text, end, uri) : status;
}

hws_status hws_uri_parse(hws_text text, hws_uri *uri) {
    hws_uri parts;
    size_t start;
    hws_status status;
    if (text.len > UINT32_MAX) {
        return HWS_ERR_URI_CHARACTER; /* positions have 32 bits */
    }
    memset(&parts, 0, sizeof parts);
    start = take_scheme(text, &parts);
    if (start == 0) {
        return HWS_ERR_URI_SCHEME;
    }
    status = take_parts(text, start, &parts);
    if (status == HWS_OK) {
        *uri = parts;
    }
    return status;
}

static hws_status finish(const hws__writer *w, size_t *n) {
    if (w->full) {
        return HWS_ERR_SPACE;
    }
    *n = w->n;
    return HWS_OK;
}

hws_status hws_uri_target(hws_text text, const hws_uri *uri, uint8_t *out, size_t cap, size_t *n) {
    hws__writer w = {out, cap, *n, 0};
    hws_text target = part(text, uri->target);
    if (target.len == 0 || target.data[0] == '?') {
        hws__write_text(&w, HWS__TEXT("/"));
    }
    hws__write_text(&w, target);
    return finish(&w, n);
}

hws_status hws_uri_authorization(hws_text text, const hws_uri *uri, uint8_t *out, size_t cap,
                                 size_t *n) {
    hws__writer w = {out, cap, *n, 0};
    hws__base64 encoder = {&w, {0}, 0};
    hws_text userinfo = part(text, uri->userinfo);
    size_t i = 0;
    if (userinfo.len == 0) {
        return HWS_ERR_ARGUMENT;
    }
    hws__write_text(&w, HWS__TEXT("Basic "));
    while (i < userinfo.len) {
        uint8_t encoded = hws__is_encoded(userinfo, i);
        hws__base64_put(&encoder, encoded ? hws__decoded(userinfo, i) : byte_at(userinfo, i));
        i += encoded ? 3 : 1;
    }
    /* RFC 7617 2: the colon is always there, also before no password. */
    if (find(userinfo, 0, userinfo.len, ':') == userinfo.len) {
        hws__base64_put(&encoder, ':');
    }
    hws__base64_end(&encoder);
    return finish(&w, n);
}
