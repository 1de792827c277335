/*
 * Any bytes as the response to a client's handshake. Invariant: the head is the same however it was
 * cut, and the connection opens only on a 101 with the right accept value and nothing that was not
 * offered (RFC 6455 4.1).
 *
 * The last byte is the size of chunks. The key is that of fuzz_random(), so the accept value that
 * corpus files carry is always the same.
 */
#include "head.h"

static void check_open(const hws_client_config *client, const hws_key *key, const hws_head *head,
                       const uint8_t *data, const hws_accepted *accepted) {
    hws_text accept_name = hws_text_from("Sec-WebSocket-Accept");
    uint32_t i = hws_head_find(head, data, accept_name, 0);

    CHECK(head->status == 101 && i < head->header_count);
    CHECK(head->headers[i].value.len == HWS_ACCEPT_LEN);
    CHECK(memcmp(data + head->headers[i].value.offset, key->accept, HWS_ACCEPT_LEN) == 0);
    CHECK(hws_head_find(head, data, accept_name, i + 1) == head->header_count);
    CHECK(hws_head_find(head, data, hws_text_from("Upgrade"), 0) < head->header_count);
    CHECK(hws_head_find(head, data, hws_text_from("Connection"), 0) < head->header_count);
    if (accepted->subprotocol_index != UINT32_MAX) {
        CHECK(accepted->subprotocol_index < client->subprotocol_count);
        hws_text offered = client->subprotocols[accepted->subprotocol_index];
        CHECK(accepted->subprotocol.len == offered.len);
        CHECK(memcmp(data + accepted->subprotocol.offset, offered.data, offered.len) == 0);
    }
}

/* Every extension of a response is one of the two that were offered. */
static void check_extensions(const hws_head *head, const uint8_t *data) {
    hws_extension step;
    hws_status kind;

    memset(&step, 0, sizeof step);
    kind = hws_extension_next(head, data, &step);
    while (kind != HWS_EXTENSION_END) {
        CHECK(kind > HWS_EXTENSION_END);
        if (kind == HWS_EXTENSION_NAME) {
            CHECK(step.name.len == 3);
            CHECK(memcmp(data + step.name.offset, "foo", 3) == 0 ||
                  memcmp(data + step.name.offset, "baz", 3) == 0);
        }
        kind = hws_extension_next(head, data, &step);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t chunk = (size_t)1 + fuzz_option(data, &size);
    hws_text subprotocols[] = {hws_text_from("chat"), hws_text_from("superchat")};
    hws_client_config client;
    hws_header headers[FUZZ_HEADERS];
    hws_accepted accepted;
    hws_head head;
    hws_key key;
    uint8_t request[512];
    uint8_t next_random = 0;
    size_t n = 0;

    hws_client_config_init(&client);
    client.host = hws_text_from("example.com");
    client.subprotocols = subprotocols;
    client.subprotocol_count = 2;
    client.extensions = hws_text_from("foo; bar=1, baz");
    CHECK(hws_handshake_request(&client, fuzz_random, &next_random, &key, request, sizeof request,
                                &n) == HWS_OK);

    if (fuzz_head(&head, HWS_HEAD_RESPONSE, headers, data, size, chunk) != HWS_OK) {
        return 0;
    }
    hws_status extensions = fuzz_extensions(&head, data, size);
    CHECK(hws_handshake_verify(&client, NULL, &head, data, &accepted) == HWS_ERR_ARGUMENT);
    hws_status status = hws_handshake_verify(&client, &key, &head, data, &accepted);
    if (status == HWS_OK) {
        CHECK(extensions == HWS_EXTENSION_END);
        fuzz_check_span(accepted.subprotocol, head.head_len);
        check_open(&client, &key, &head, data, &accepted);
        check_extensions(&head, data);
    }
    if (status == HWS_ERR_REFUSED) {
        CHECK(head.status != 101);
        fuzz_check_span(accepted.location, head.head_len);
    }
    return 0;
}
