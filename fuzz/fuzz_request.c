/*
 * Any bytes as a request. Invariant: the head is the same however it was cut; a request that is
 * understood as a handshake can be accepted, with a response that is one valid head and nothing
 * else; one that is not can be refused likewise; and nothing is accepted that lacks what RFC 6455
 * 4.2.1 demands, or whose origin the policy does not allow.
 *
 * The last byte chooses the origin policy by its highest bits, and the size of chunks: 'a' is one
 * for the same origin, 'A' and '0' are for a list.
 */
#include "head.h"

/* A response of ours must be a head that the parser of the other side takes. */
static void check_response(const uint8_t *out, size_t n, uint16_t status, size_t body) {
    hws_header headers[FUZZ_HEADERS];
    hws_head head;

    hws_head_init(&head, HWS_HEAD_RESPONSE, headers, FUZZ_HEADERS);
    CHECK(hws_head_parse(&head, out, n) == HWS_OK);
    CHECK(head.status == status && head.head_len + body == n);
}

static void refuse(hws_status status) {
    uint8_t out[512];
    size_t n = 0;
    size_t body = 0;

    CHECK(hws_handshake_reject(HWS_OK, out, sizeof out, &n) == HWS_ERR_ARGUMENT);
    CHECK(hws_handshake_reject(status, out, sizeof out, &n) == HWS_OK);
    while (body < n && memcmp(out + n - body - 4, "\r\n\r\n", 4) != 0) {
        body++;
    }
    check_response(out, n, hws_status_http(status), body);
}

/* Whether an origin is one of those in policies[]. */
static int is_listed(hws_text origin) {
    hws_text listed = hws_text_from("https://example.com");
    hws_text start = {origin.data, listed.len};

    if (origin.len < listed.len) {
        return hws_text_equal_nocase(origin, hws_text_from("null"));
    }
    return hws_text_equal_nocase(start, listed) &&
           (origin.len == listed.len || origin.data[listed.len] == ':');
}

/* Whether an origin names the host of the request, its port aside. */
static int names_host(hws_text origin, hws_text host) {
    size_t end = host.len;
    size_t i = 0;

    while (end > 0 && host.data[end - 1] >= '0' && host.data[end - 1] <= '9') {
        end--;
    }
    host.len = end > 0 && host.data[end - 1] == ':' ? end - 1 : host.len;
    while (i < origin.len && origin.data[i] != '/') {
        i++;
    }
    origin = (hws_text){origin.data + i + 2, host.len};
    return hws_text_equal_nocase(origin, host);
}

/* The answer to the origin of a request, by a policy that is chosen from four. */
static void check_origin(const hws_handshake *handshake, const uint8_t *data, uint8_t choice) {
    hws_text origins[] = {hws_text_from("null"), hws_text_from("https://example.com"),
                          hws_text_from("http:/example.com")};
    hws_origin_policy policies[] = {{HWS_ORIGIN_LIST, 0, {0}, origins, 3},
                                    {HWS_ORIGIN_LIST, 0, {0}, origins, 2},
                                    {HWS_ORIGIN_LIST, 1, {0}, origins, 2},
                                    {HWS_ORIGIN_SAME, 0, {0}, NULL, 0}};
    hws_text origin = hws_span_text(data, handshake->origin);
    hws_text host = hws_span_text(data, handshake->host);
    hws_status status = hws_handshake_check_origin(handshake, data, &policies[choice]);

    CHECK((status == HWS_ERR_ARGUMENT) == (choice == 0));
    CHECK(status == HWS_OK || status == HWS_ERR_ORIGIN || status == HWS_ERR_ARGUMENT);
    if (status != HWS_OK) {
        return;
    }
    if (!handshake->has_origin) {
        CHECK(choice > 1);
    } else if (policies[choice].kind == HWS_ORIGIN_LIST) {
        CHECK(is_listed(origin));
    } else {
        CHECK(names_host(origin, host));
    }
}

/* What is no handshake cannot be accepted. */
static void accept_plain(const hws_handshake *handshake, const hws_head *head,
                         const uint8_t *data) {
    hws_accept_config config;
    size_t n = 0;

    hws_accept_config_init(&config);
    config.origin.kind = HWS_ORIGIN_ANY;
    CHECK(hws_handshake_accept(handshake, head, data, &config, NULL, 0, &n) == HWS_ERR_ARGUMENT);
}

static void accept_it(const hws_handshake *handshake, const hws_head *head, const uint8_t *data) {
    hws_text supported[] = {hws_text_from("chat"), hws_text_from("superchat")};
    hws_accept_config config;
    uint8_t out[1024];
    size_t index = 0;
    size_t n = 0;

    hws_accept_config_init(&config);
    CHECK(hws_handshake_accept(handshake, head, data, &config, out, sizeof out, &n) ==
          HWS_ERR_ARGUMENT);
    config.origin.kind = HWS_ORIGIN_ANY;
    if (hws_handshake_choose(head, data, supported, 2, &index)) {
        config.subprotocol = supported[index];
        CHECK(handshake->subprotocol_count > 0);
    }
    CHECK(hws_handshake_accept(handshake, head, data, &config, out, sizeof out, &n) == HWS_OK);
    check_response(out, n, 101, 0);
}

static void check_handshake(const hws_handshake *handshake, const hws_head *head,
                            const uint8_t *data) {
    uint32_t end = head->header_count;

    CHECK(head->minor_version >= 1 && head->method.len == 3);
    CHECK(handshake->key.len == HWS_KEY_LEN && handshake->host.len > 0);
    CHECK(handshake->path.len > 0 && data[handshake->path.offset] == '/');
    CHECK(hws_head_find(head, data, hws_text_from("Sec-WebSocket-Version"), 0) < end);
    CHECK(hws_head_find(head, data, hws_text_from("Connection"), 0) < end);
    CHECK(hws_head_find(head, data, hws_text_from("Upgrade"), 0) < end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t options = fuzz_option(data, &size);
    hws_header headers[FUZZ_HEADERS];
    hws_handshake handshake;
    hws_head head;
    hws_status status =
        fuzz_head(&head, HWS_HEAD_REQUEST, headers, data, size, 1 + (size_t)(options & 31));
    hws_status extensions;

    if (status == HWS_NEED_MORE) {
        return 0;
    }
    if (status == HWS_OK) {
        extensions = fuzz_extensions(&head, data, size);
        status = hws_handshake_parse(&head, data, &handshake);
        CHECK(extensions == HWS_EXTENSION_END || status != HWS_OK ||
              handshake.kind == HWS_REQUEST_PLAIN);
    }
    if (status != HWS_OK) {
        refuse(status);
        return 0;
    }
    fuzz_check_span(handshake.path, head.head_len);
    fuzz_check_span(handshake.query, head.head_len);
    fuzz_check_span(handshake.host, head.head_len);
    fuzz_check_span(handshake.origin, head.head_len);
    if (handshake.kind == HWS_REQUEST_PLAIN) {
        accept_plain(&handshake, &head, data);
        return 0;
    }
    CHECK(handshake.kind == HWS_REQUEST_UPGRADE);
    check_handshake(&handshake, &head, data);
    check_origin(&handshake, data, options >> 5 & 3);
    accept_it(&handshake, &head, data);
    return 0;
}
