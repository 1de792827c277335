/*
 * Any bytes as a URI. Invariant: a URI that is taken makes a request that a server takes, for the
 * same host and path; its parts lie in it; and what is written of it is written whole or not at
 * all.
 */
#include "head.h"

enum { ROOM = 8192 };

/* What hws_uri_target() and hws_uri_authorization() have in common. */
typedef hws_status (*uri_writer)(hws_text text, const hws_uri *uri, uint8_t *out, size_t cap,
                                 size_t *n);

/* Writes into `out`, once it was seen that a byte less of room is too little. */
static size_t write_part(uri_writer writer, hws_text text, const hws_uri *uri, uint8_t *out) {
    size_t n = 0;
    size_t nothing = 0;

    CHECK(writer(text, uri, out, ROOM, &n) == HWS_OK && n > 0);
    uint8_t *exact = fuzz_copy(out, n);
    CHECK(writer(text, uri, exact, n - 1, &nothing) == HWS_ERR_SPACE && nothing == 0);
    CHECK(writer(text, uri, exact, n, &nothing) == HWS_OK && nothing == n);
    free(exact);
    return n;
}

/* A server must understand a request for this host and target. */
static void check_request(hws_text host, hws_text target) {
    static uint8_t out[ROOM];
    hws_header headers[FUZZ_HEADERS];
    hws_client_config client;
    hws_handshake handshake;
    hws_head head;
    hws_key key;
    uint8_t next_random = 0;
    size_t n = 0;

    hws_client_config_init(&client);
    client.host = host;
    client.target = target;
    CHECK(hws_handshake_request(&client, fuzz_random, &next_random, &key, out, sizeof out, &n) ==
          HWS_OK);
    hws_head_init(&head, HWS_HEAD_REQUEST, headers, FUZZ_HEADERS);
    CHECK(hws_head_parse(&head, out, n) == HWS_OK && head.head_len == n);
    CHECK(hws_handshake_parse(&head, out, &handshake) == HWS_OK);
    CHECK(handshake.kind == HWS_REQUEST_UPGRADE && handshake.host.len == host.len);
    CHECK(memcmp(out + handshake.host.offset, host.data, host.len) == 0);
    CHECK(memcmp(out + handshake.path.offset, target.data, handshake.path.len) == 0);
    CHECK(handshake.path.len + handshake.query.len + 1 >= target.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t out[ROOM];
    hws_text text = {(const char *)data, size};
    hws_text target = {(const char *)out, 0};
    size_t nothing = 0;
    hws_uri uri;

    if (SIZE_MAX > UINT32_MAX) {
        hws_text huge = {(const char *)data, SIZE_MAX};
        CHECK(hws_uri_parse(huge, &uri) == HWS_ERR_URI_CHARACTER);
    }
    if (size > ROOM / 2 || hws_uri_parse(text, &uri) != HWS_OK) {
        return 0;
    }
    fuzz_check_span(uri.host, (uint32_t)size);
    fuzz_check_span(uri.authority, (uint32_t)size);
    fuzz_check_span(uri.userinfo, (uint32_t)size);
    fuzz_check_span(uri.target, (uint32_t)size);
    CHECK(uri.host.len > 0 && uri.port > 0);
    if (uri.userinfo.len > 0) {
        write_part(hws_uri_authorization, text, &uri, out);
    } else {
        CHECK(hws_uri_authorization(text, &uri, out, ROOM, &nothing) == HWS_ERR_ARGUMENT);
    }
    target.len = write_part(hws_uri_target, text, &uri, out);
    check_request(hws_span_text(data, uri.authority), target);
    return 0;
}
