/*
 * The client's side of the opening handshake (RFC 6455 4.1): the request, and what the server may
 * answer. Knows nothing of sockets, and does not follow redirects.
 */
#include "base64.h"
#include "handshake.h"
#include "kernel.h"

enum { NONCE_LEN = 16 };

void hws_client_config_init(hws_client_config *config) {
    memset(config, 0, sizeof *config);
    config->size = sizeof *config;
    config->target = HWS__TEXT("/");
}

/* Host (RFC 6455 4.1 point 4). */
static hws_status check_host(hws_text host) {
    hws__authority parsed;
    if (!hws__is_field_value(host)) {
        return HWS_ERR_FIELD;
    }
    return hws__authority_parse(host, &parsed) == HWS_OK ? HWS_OK : HWS_ERR_ARGUMENT;
}

/* The resource name (RFC 6455 3): from "/" on, without fragment. White space would end it early. */
static hws_status check_target(hws_text target) {
    size_t i = 0;
    if (target.len == 0 || target.data[0] != '/') {
        return HWS_ERR_ARGUMENT;
    }
    while (i < target.len) {
        if (!hws__is_visible((uint8_t)target.data[i])) {
            return HWS_ERR_FIELD;
        }
        if (target.data[i] == '#') {
            return HWS_ERR_ARGUMENT;
        }
        i++;
    }
    return HWS_OK;
}

/* Distinct tokens (RFC 6455 4.1 point 10). */
static hws_status check_subprotocols(const hws_text *subprotocols, size_t count) {
    size_t i = 0;
    if (count > HWS_MAX_SUBPROTOCOLS) {
        return HWS_ERR_ARGUMENT;
    }
    while (i < count) {
        size_t k = 0;
        if (!hws__is_token(subprotocols[i])) {
            return hws__is_field_value(subprotocols[i]) ? HWS_ERR_ARGUMENT : HWS_ERR_FIELD;
        }
        while (k < i && !hws__text_equal(subprotocols[k], subprotocols[i])) {
            k++;
        }
        if (k < i) {
            return HWS_ERR_ARGUMENT;
        }
        i++;
    }
    return HWS_OK;
}

hws_status hws__client_check(const hws_client_config *config) {
    hws_status status = config->size == sizeof *config ? HWS_OK : HWS_ERR_ARGUMENT;
    if (status == HWS_OK) {
        status = check_host(config->host);
    }
    if (status == HWS_OK) {
        status = check_target(config->target);
    }
    if (status == HWS_OK) {
        status = hws__is_field_value(config->origin) ? HWS_OK : HWS_ERR_FIELD;
    }
    if (status == HWS_OK) {
        status = check_subprotocols(config->subprotocols, config->subprotocol_count);
    }
    if (status == HWS_OK) {
        status = hws__handshake_check_fields(config->fields, config->field_count);
    }
    return status;
}

void hws_handshake_accept_value(const uint8_t *key, uint8_t *accept) {
    uint8_t digest[HWS__SHA1_LEN];
    hws__sha1_key(digest, key);
    hws__base64_encode(digest, sizeof digest, accept);
}

/* A fresh nonce for each connection (RFC 6455 4.1 point 7). */
static hws_status make_key(hws_random random, void *user, hws_key *key) {
    uint8_t nonce[NONCE_LEN];
    if (random(user, nonce, sizeof nonce) != HWS_OK) {
        return HWS_ERR_RANDOM;
    }
    hws__base64_encode(nonce, sizeof nonce, key->key);
    hws_handshake_accept_value(key->key, key->accept);
    return HWS_OK;
}

static void write_subprotocols(hws__writer *w, const hws_text *subprotocols, size_t count) {
    size_t i = 0;
    while (i < count) {
        hws__write_text(w, i == 0 ? HWS__TEXT("Sec-WebSocket-Protocol: ") : HWS__TEXT(", "));
        hws__write_text(w, subprotocols[i]);
        i++;
    }
    if (count > 0) {
        hws__write_text(w, HWS__TEXT("\r\n"));
    }
}

static void write_request(hws__writer *w, const hws_client_config *config, const hws_key *key) {
    size_t i = 0;
    hws__write_text(w, HWS__TEXT("GET "));
    hws__write_text(w, config->target);
    hws__write_text(w, HWS__TEXT(" HTTP/1.1\r\n"));
    hws__write_field(w, HWS__TEXT("Host"), config->host);
    hws__write_text(w, HWS__TEXT("Upgrade: websocket\r\n"
                                 "Connection: Upgrade\r\n"));
    hws__write_field(w, HWS__TEXT("Sec-WebSocket-Key"),
                     (hws_text){(const char *)key->key, sizeof key->key});
    hws__write_text(w, HWS__TEXT("Sec-WebSocket-Version: 13\r\n"));
    if (config->origin.len > 0) {
        hws__write_field(w, HWS__TEXT("Origin"), config->origin);
    }
    write_subprotocols(w, config->subprotocols, config->subprotocol_count);
    if (config->extensions.len > 0) {
        hws__write_field(w, HWS__TEXT("Sec-WebSocket-Extensions"), config->extensions);
    }
    while (i < config->field_count) {
        hws__write_field(w, config->fields[i].name, config->fields[i].value);
        i++;
    }
    hws__write_text(w, HWS__TEXT("\r\n"));
}

hws_status hws_handshake_request(const hws_client_config *config, hws_random random, void *user,
                                 hws_key *key, uint8_t *out, size_t cap, size_t *n) {
    hws__writer w = {out, cap, *n, 0};
    hws_status status = hws__client_check(config);
    if (status == HWS_OK) {
        status = hws__extensions_check_text(config->extensions);
    }
    if (status == HWS_OK) {
        status = make_key(random, user, key);
    }
    if (status != HWS_OK) {
        return status;
    }
    write_request(&w, config, key);
    if (w.full) {
        return HWS_ERR_SPACE;
    }
    *n = w.n;
    return HWS_OK;
}

/* The switch of protocols (RFC 6455 4.1, points 2 to 4 of the server's response). Upgrade is one
 * value there, not a list as in a request. */
static hws_status verify_switch(const hws_key *key, const hws_head *head, const uint8_t *buf) {
    hws_text accept = {(const char *)key->accept, sizeof key->accept};
    hws_span value;
    if (head->minor_version == 0) {
        return HWS_ERR_HTTP_VERSION; /* RFC 9110 7.8: HTTP/1.0 has no Upgrade */
    }
    if (!hws__head_only(head, buf, HWS__TEXT("Upgrade"), &value) ||
        !hws_text_equal_nocase(hws_span_text(buf, value), HWS__TEXT("websocket"))) {
        return HWS_ERR_UPGRADE;
    }
    if (!hws__head_lists(head, buf, HWS__TEXT("Connection"), HWS__TEXT("Upgrade"))) {
        return HWS_ERR_CONNECTION;
    }
    if (!hws__head_only(head, buf, HWS__TEXT("Sec-WebSocket-Accept"), &value) ||
        !hws__text_equal(hws_span_text(buf, value), accept)) {
        return HWS_ERR_ACCEPT;
    }
    return HWS_OK;
}

/* Sec-WebSocket-Protocol (RFC 6455 4.1 point 6, 11.3.4): at most one line, one that was offered. */
static hws_status take_subprotocol(const hws_client_config *config, const hws_head *head,
                                   const uint8_t *buf, hws_accepted *accepted) {
    hws_text name = HWS__TEXT("Sec-WebSocket-Protocol");
    hws_span value;
    uint32_t i = 0;
    if (hws_head_find(head, buf, name, 0) == head->header_count) {
        return HWS_OK;
    }
    if (!hws__head_only(head, buf, name, &value)) {
        return HWS_ERR_SUBPROTOCOL;
    }
    while (i < config->subprotocol_count) {
        if (hws__text_equal(hws_span_text(buf, value), config->subprotocols[i])) {
            accepted->subprotocol = value;
            accepted->subprotocol_index = i;
            return HWS_OK;
        }
        i++;
    }
    return HWS_ERR_SUBPROTOCOL;
}

/* Any other status is an answer by the rules of HTTP (RFC 6455 4.1, RFC 8441 5 with RFC 9110
 * 9.3.6), Location only in a redirect (RFC 9110 10.2.2). */
static hws_status refused(const hws_head *head, const uint8_t *buf, hws_accepted *accepted) {
    if (head->status / 100 == 3) {
        hws__head_only(head, buf, HWS__TEXT("Location"), &accepted->location);
    }
    return HWS_ERR_REFUSED;
}

hws_status hws_handshake_verify(const hws_client_config *config, const hws_key *key,
                                const hws_head *head, const uint8_t *buf, hws_accepted *accepted) {
    hws_accepted result = {{0, 0}, UINT32_MAX, {0, 0}};
    hws_status status = HWS_OK;
    if (head->kind != HWS_HEAD_LIST && key == NULL) {
        return HWS_ERR_ARGUMENT;
    }
    if (head->kind == HWS_HEAD_LIST ? head->status / 100 != 2 : head->status != 101) {
        *accepted = result;
        return refused(head, buf, accepted);
    }
    if (head->kind != HWS_HEAD_LIST) {
        status = verify_switch(key, head, buf);
    }
    if (status == HWS_OK) {
        status = hws__extensions_check(head, buf);
    }
    if (status == HWS_OK) {
        status = hws__extensions_verify(head, buf, config->extensions);
    }
    if (status == HWS_OK) {
        status = take_subprotocol(config, head, buf, &result);
    }
    if (status == HWS_OK) {
        *accepted = result;
    }
    return status;
}
