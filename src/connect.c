/*
 * Extended CONNECT (RFC 8441 5): the two sides of the handshake as pairs. The rules of the parts
 * are those of the HTTP/1.1 handshake and stand there; here is only what HTTP/2 writes otherwise.
 */
#include "handshake.h"

#include <hawser/connect.h>

/* What the caller adds has to fit in a list, beside being no field of the handshake. */
static hws_status check_fields(const hws_field *fields, size_t count) {
    size_t i = 0;
    while (i < count) {
        if (!hws__list_takes(&fields[i])) {
            return HWS_ERR_FIELD;
        }
        i++;
    }
    return HWS_OK;
}

static void put(hws_field *fields, size_t *n, hws_text name, hws_text value) {
    fields[*n] = (hws_field){name, value};
    (*n)++;
}

hws_status hws_connect_request(const hws_client_config *config, uint8_t secure, hws_field *fields,
                               size_t cap, size_t *count) {
    size_t n = 0;
    size_t i = 0;
    hws_status status = hws__client_check(config);
    if (status == HWS_OK) {
        status = hws__extensions_check_text(config->extensions);
    }
    if (status == HWS_OK) {
        status = check_fields(config->fields, config->field_count);
    }
    if (status != HWS_OK) {
        return status;
    }
    size_t own =
        6 + config->subprotocol_count + (config->origin.len > 0) + (config->extensions.len > 0);
    if (cap < own || config->field_count > cap - own) {
        return HWS_ERR_SPACE;
    }
    put(fields, &n, HWS__TEXT(":method"), HWS__TEXT("CONNECT"));
    put(fields, &n, HWS__TEXT(":protocol"), HWS__TEXT("websocket"));
    put(fields, &n, HWS__TEXT(":scheme"), secure ? HWS__TEXT("https") : HWS__TEXT("http"));
    put(fields, &n, HWS__TEXT(":path"), config->target);
    put(fields, &n, HWS__TEXT(":authority"), config->host);
    put(fields, &n, HWS__TEXT("sec-websocket-version"), HWS__TEXT("13"));
    if (config->origin.len > 0) {
        put(fields, &n, HWS__TEXT("origin"), config->origin);
    }
    while (i < config->subprotocol_count) {
        put(fields, &n, HWS__TEXT("sec-websocket-protocol"), config->subprotocols[i]);
        i++;
    }
    if (config->extensions.len > 0) {
        put(fields, &n, HWS__TEXT("sec-websocket-extensions"), config->extensions);
    }
    if (config->field_count > 0) {
        memcpy(fields + n, config->fields, config->field_count * sizeof *fields);
    }
    *count = own + config->field_count;
    return HWS_OK;
}

hws_status hws_connect_accept(const hws_handshake *handshake, const hws_head *head,
                              const uint8_t *buf, const hws_accept_config *config,
                              hws_field *fields, size_t cap, size_t *count) {
    size_t n = 0;
    if (handshake->kind != HWS_REQUEST_CONNECT) {
        return HWS_ERR_ARGUMENT;
    }
    hws_status status = hws__accept_check(handshake, head, buf, config);
    if (status == HWS_OK) {
        status = check_fields(config->fields, config->field_count);
    }
    if (status != HWS_OK) {
        return status;
    }
    size_t own = (size_t)1 + (config->subprotocol.len > 0) + (config->extensions.len > 0);
    if (cap < own || config->field_count > cap - own) {
        return HWS_ERR_SPACE;
    }
    put(fields, &n, HWS__TEXT(":status"), HWS__TEXT("200"));
    if (config->subprotocol.len > 0) {
        put(fields, &n, HWS__TEXT("sec-websocket-protocol"), config->subprotocol);
    }
    if (config->extensions.len > 0) {
        put(fields, &n, HWS__TEXT("sec-websocket-extensions"), config->extensions);
    }
    if (config->field_count > 0) {
        memcpy(fields + n, config->fields, config->field_count * sizeof *fields);
    }
    *count = own + config->field_count;
    return HWS_OK;
}
