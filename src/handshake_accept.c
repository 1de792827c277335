/*
 * The server's answer to an opening handshake (RFC 6455 4.2.2): the 101, or a refusal. Knows what
 * may be chosen of what a client offers; who may connect is origin.c's business.
 */
#include "handshake.h"

uint8_t hws_handshake_choose(const hws_head *head, const uint8_t *buf, const hws_text *supported,
                             size_t count, size_t *index) {
    hws_text name = HWS__TEXT("Sec-WebSocket-Protocol");
    hws_list list = {0, 0};
    hws_span element;
    while (hws_head_next(head, buf, name, &list, &element)) {
        hws_text offered = hws__text_at(buf, element);
        size_t i = 0;
        while (i < count && !hws__text_equal(offered, supported[i])) {
            i++;
        }
        if (i < count) {
            *index = i;
            return 1;
        }
    }
    return 0;
}

void hws_accept_config_init(hws_accept_config *config) {
    memset(config, 0, sizeof *config);
    config->size = sizeof *config;
}

hws_status hws__handshake_check_fields(const hws_field *fields, size_t count) {
    static const hws_text own[] = {{"Host", 4},
                                   {"Origin", 6},
                                   {"Upgrade", 7},
                                   {"Connection", 10},
                                   {"Content-Length", 14},
                                   {"Transfer-Encoding", 17},
                                   {"Sec-WebSocket-Key", 17},
                                   {"Sec-WebSocket-Accept", 20},
                                   {"Sec-WebSocket-Version", 21},
                                   {"Sec-WebSocket-Protocol", 22},
                                   {"Sec-WebSocket-Extensions", 24}};
    return hws__check_fields(fields, count, own, sizeof own / sizeof own[0]);
}

hws_status hws__accept_check(const hws_handshake *handshake, const hws_head *head,
                             const uint8_t *buf, const hws_accept_config *config) {
    size_t index;
    if (config->size != sizeof *config) {
        return HWS_ERR_ARGUMENT;
    }
    hws_status status = hws_handshake_check_origin(handshake, buf, &config->origin);
    if (status != HWS_OK) {
        return status;
    }
    status = hws__handshake_check_fields(config->fields, config->field_count);
    if (status != HWS_OK) {
        return status;
    }
    /* Only what was offered may be chosen (RFC 6455 4.2.2). */
    if (config->subprotocol.len > 0 &&
        !hws_handshake_choose(head, buf, &config->subprotocol, 1, &index)) {
        return hws__is_field_value(config->subprotocol) ? HWS_ERR_ARGUMENT : HWS_ERR_FIELD;
    }
    if (config->extensions.len == 0) {
        return HWS_OK;
    }
    if (!hws__extensions_offered(head, buf, config->extensions)) {
        return hws__is_field_value(config->extensions) ? HWS_ERR_ARGUMENT : HWS_ERR_FIELD;
    }
    return hws__extensions_check_text(config->extensions);
}

/* The 101 of a handshake that was checked. */
static hws_status write_switch(const uint8_t *key, const hws_accept_config *config, uint8_t *out,
                               size_t cap, size_t *n) {
    hws__writer w = {out, cap, *n, 0};
    uint8_t accept[HWS_ACCEPT_LEN];
    size_t i = 0;
    hws_handshake_accept_value(key, accept);
    hws__write_text(&w, HWS__TEXT("HTTP/1.1 101 Switching Protocols\r\n"
                                  "Upgrade: websocket\r\n"
                                  "Connection: Upgrade\r\n"
                                  "Sec-WebSocket-Accept: "));
    hws__write(&w, accept, sizeof accept);
    hws__write_text(&w, HWS__TEXT("\r\n"));
    if (config->subprotocol.len > 0) {
        hws__write_field(&w, HWS__TEXT("Sec-WebSocket-Protocol"), config->subprotocol);
    }
    if (config->extensions.len > 0) {
        hws__write_field(&w, HWS__TEXT("Sec-WebSocket-Extensions"), config->extensions);
    }
    while (i < config->field_count) {
        hws__write_field(&w, config->fields[i].name, config->fields[i].value);
        i++;
    }
    hws__write_text(&w, HWS__TEXT("\r\n"));
    if (w.full) {
        return HWS_ERR_SPACE;
    }
    *n = w.n;
    return HWS_OK;
}

hws_status hws_handshake_accept(const hws_handshake *handshake, const hws_head *head,
                                const uint8_t *buf, const hws_accept_config *config, uint8_t *out,
                                size_t cap, size_t *n) {
    if (handshake->kind != HWS_REQUEST_UPGRADE) {
        return HWS_ERR_ARGUMENT;
    }
    hws_status status = hws__accept_check(handshake, head, buf, config);
    if (status != HWS_OK) {
        return status;
    }
    return write_switch(buf + handshake->key.offset, config, out, cap, n);
}

hws_status hws_handshake_reject(hws_status status, uint8_t *out, size_t cap, size_t *n) {
    hws_text body = hws_text_from(hws_status_sentence(status));
    hws_field type = {HWS__TEXT("Content-Type"), HWS__TEXT("text/plain")};
    /* A status that is not one of a request has the code 0, which is refused there. */
    return hws_response_write(hws_status_http(status), &type, 1, (const uint8_t *)body.data,
                              body.len, out, cap, n);
}
