/*
 * Origins: which page of the web may connect (RFC 6455 10.2, RFC 6454). Knows their text form and
 * how they are compared; knows nothing of the heads in which they stand.
 */
#include "handshake.h"

static uint8_t is_alpha(uint8_t byte) {
    return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
}

/* An origin: `scheme "://" host [":" port]` (RFC 6454 6.2), the default port filled in. */
typedef struct origin {
    hws_text scheme;
    hws__authority authority;
} origin;

/* scheme (RFC 3986 3.1): a letter, then letters, digits, "+", "-" and ".". */
static uint8_t is_scheme(hws_text text) {
    if (text.len == 0 || !is_alpha((uint8_t)text.data[0])) {
        return 0;
    }
    size_t i = 1;
    while (i < text.len) {
        uint8_t byte = (uint8_t)text.data[i];
        if (!is_alpha(byte) && !hws__is_digit(byte) && byte != '+' && byte != '-' && byte != '.') {
            return 0;
        }
        i++;
    }
    return 1;
}

/* The port that a scheme has when none is given (RFC 9110 4.2, RFC 6455 3); 0 when hawser knows of
 * none. */
static uint32_t default_port(hws_text scheme) {
    if (hws__is_name(scheme, HWS__TEXT("http")) || hws__is_name(scheme, HWS__TEXT("ws"))) {
        return 80;
    }
    if (hws__is_name(scheme, HWS__TEXT("https")) || hws__is_name(scheme, HWS__TEXT("wss"))) {
        return 443;
    }
    return 0;
}

/* "null" is no origin in this sense: it stands for one that must not be told (RFC 6454 6.1). */
static uint8_t is_null(hws_text text) {
    return hws__text_equal(text, HWS__TEXT("null"));
}

static uint8_t origin_parse(hws_text text, origin *result) {
    size_t colon = 0;
    while (colon < text.len && text.data[colon] != ':') {
        colon++;
    }
    /* An empty port is allowed in Host, but no origin is ever written with one. */
    if (text.len - colon < 3 || memcmp(text.data + colon, "://", 3) != 0 ||
        text.data[text.len - 1] == ':') {
        return 0;
    }
    hws_text rest = {text.data + colon + 3, text.len - colon - 3};
    result->scheme = (hws_text){text.data, colon};
    if (!is_scheme(result->scheme) || hws__authority_parse(rest, &result->authority) != HWS_OK) {
        return 0;
    }
    if (result->authority.port == 0) {
        result->authority.port = default_port(result->scheme);
    }
    return 1;
}

static uint8_t authority_equal(const hws__authority *a, const hws__authority *b) {
    return a->port == b->port && hws__is_name(a->host, b->host);
}

/* HWS_ORIGIN_SAME. A Host without port means the default port of the origin's scheme: the server
 * itself does not know whether TLS stands before it. Only extended CONNECT tells (RFC 8441 5). */
static hws_status check_same(const hws_handshake *handshake, hws_text text, hws_text host) {
    origin from;
    hws__authority here;
    if (!origin_parse(text, &from) || hws__authority_parse(host, &here) != HWS_OK) {
        return HWS_ERR_ORIGIN;
    }
    uint32_t port = default_port(from.scheme);
    if (port == 0) {
        return HWS_ERR_ORIGIN;
    }
    if (handshake->kind == HWS_REQUEST_CONNECT) {
        port = handshake->secure ? 443 : 80;
    }
    if (here.port == 0) {
        here.port = port;
    }
    return authority_equal(&from.authority, &here) ? HWS_OK : HWS_ERR_ORIGIN;
}

static uint8_t origin_equal(const origin *a, const origin *b) {
    return hws__is_name(a->scheme, b->scheme) && authority_equal(&a->authority, &b->authority);
}

/* HWS_ORIGIN_LIST. The list is read to its end even after a match, so that a mistake in it is seen
 * with the first request, whoever sent that. */
static hws_status check_list(const hws_handshake *handshake, hws_text text,
                             const hws_origin_policy *policy) {
    origin from;
    uint8_t valid = origin_parse(text, &from);
    uint8_t found = 0;
    size_t i = 0;
    while (i < policy->origin_count) {
        origin listed;
        if (is_null(policy->origins[i])) {
            found |= is_null(text);
        } else if (!origin_parse(policy->origins[i], &listed)) {
            return HWS_ERR_ARGUMENT;
        } else {
            found |= valid && origin_equal(&from, &listed);
        }
        i++;
    }
    return found || (!handshake->has_origin && policy->allow_missing) ? HWS_OK : HWS_ERR_ORIGIN;
}

hws_status hws_handshake_check_origin(const hws_handshake *handshake, const uint8_t *buf,
                                      const hws_origin_policy *policy) {
    hws_text text = hws__text_at(buf, handshake->origin);
    if (policy->kind == HWS_ORIGIN_ANY) {
        return HWS_OK;
    }
    if (policy->kind == HWS_ORIGIN_LIST) {
        return check_list(handshake, text, policy);
    }
    if (policy->kind != HWS_ORIGIN_SAME) {
        return HWS_ERR_ARGUMENT;
    }
    if (!handshake->has_origin) {
        return HWS_OK; /* no browser (RFC 6455 4.2.1) */
    }
    return check_same(handshake, text, hws__text_at(buf, handshake->host));
}
