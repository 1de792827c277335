/*
 * The opening handshake of a client (RFC 6455 4.1). Knows nothing of sockets.
 */
#include "bench_open.h"

#include <string.h>

#include "bench_options.h"

#include <hawser/entropy.h>

static hws_client_config request;
static uint8_t target[HWS_DEFAULT_MAX_LINE];
static uint8_t authorization[HWS_DEFAULT_MAX_LINE];
static hws_field field;
static uint8_t offer[2 * HWS_DEFLATE_TEXT_MAX];

hws_status open_setup(void) {
    hws_text url = hws_text_from(options.url);
    size_t target_len = 0;
    size_t len = 0;
    hws_status status = hws_uri_target(url, &options.uri, target, sizeof target, &target_len);
    hws_client_config_init(&request);
    request.host = hws_span_text((const uint8_t *)url.data, options.uri.authority);
    request.target = (hws_text){(const char *)target, target_len};
    if (status == HWS_OK && options.uri.userinfo.len > 0) {
        status =
            hws_uri_authorization(url, &options.uri, authorization, sizeof authorization, &len);
        field = (hws_field){hws_text_from("Authorization"), {(const char *)authorization, len}};
        request.fields = &field;
        request.field_count = 1;
    }
    if (status == HWS_OK && options.deflate.count > 0) {
        size_t offer_len = 0;
        status = hws_deflate_offer(options.deflate.params, options.deflate.count, offer,
                                   sizeof offer, &offer_len);
        request.extensions = (hws_text){(const char *)offer, offer_len};
    }
    return status;
}

hws_status open_request(opening *o, uint8_t *out, size_t cap, size_t *n) {
    hws_head_init(&o->head, HWS_HEAD_RESPONSE, o->fields, OPEN_FIELDS);
    o->len = 0;
    return hws_handshake_request(&request, hws_entropy, NULL, &o->key, out, cap, n);
}

hws_status open_answer(opening *o) {
    hws_accepted accepted;
    hws_status status = hws_head_parse(&o->head, o->bytes, o->len);
    memset(&o->agreed, 0, sizeof o->agreed);
    if (status == HWS_OK) {
        status = hws_handshake_verify(&request, &o->key, &o->head, o->bytes, &accepted);
    }
    if (status == HWS_OK && options.deflate.count > 0) {
        status = hws_deflate_verify(options.deflate.params, options.deflate.count, &o->head,
                                    o->bytes, &o->agreed);
    }
    return status;
}
