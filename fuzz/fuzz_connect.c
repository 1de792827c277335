/*
 * Any list of pairs, as an extended CONNECT and as the answer to one. Invariant: what is understood
 * as a handshake has all that RFC 8441 5 demands, and is answered with pairs that a client takes; a
 * client takes nothing but a 2xx.
 *
 * The input is lines "name value", ended by LF, split at the first space. The last byte chooses the
 * limits by its highest bits: 'a' is one for no limits that matter here.
 */
#include "head.h"

enum { ANSWER = 4 };

/* The next line as a pair. Returns where the line after it starts. */
static size_t next_pair(const uint8_t *data, size_t size, size_t at, hws_field *field) {
    size_t end = at;
    size_t space = at;

    while (end < size && data[end] != '\n') {
        end++;
    }
    while (space < end && data[space] != ' ') {
        space++;
    }
    field->name.data = (const char *)data + at;
    field->name.len = space - at;
    field->value.data = (const char *)data + space + (space < end);
    field->value.len = end - space - (space < end);
    return end < size ? end + 1 : end;
}

/* Puts the lines into a head, up to one that is refused. */
static hws_status add_lines(hws_head *head, uint8_t *buf, size_t cap, const uint8_t *data,
                            size_t size) {
    size_t n = 0;
    size_t i = 0;

    while (i < size) {
        size_t before = n;
        uint32_t count = head->header_count;
        hws_field field;
        i = next_pair(data, size, i, &field);
        hws_status status = hws_head_add(head, buf, cap, &n, &field);
        CHECK(n <= cap && head->head_len <= head->max_head);
        if (status != HWS_OK) {
            CHECK(n == before && head->header_count == count);
            return status;
        }
        CHECK(head->header_count == count + 1);
        CHECK(n == before + field.name.len + field.value.len);
    }
    return HWS_OK;
}

static void check_answer(const hws_field *fields, size_t count) {
    static uint8_t buf[2048];
    hws_header headers[FUZZ_HEADERS];
    hws_client_config client;
    hws_accepted accepted;
    hws_head head;
    size_t n = 0;
    size_t i = 0;
    hws_text chat = hws_text_from("chat");

    hws_head_init(&head, HWS_HEAD_LIST, headers, FUZZ_HEADERS);
    while (i < count) {
        CHECK(hws_head_add(&head, buf, sizeof buf, &n, &fields[i]) == HWS_OK);
        i++;
    }
    hws_client_config_init(&client);
    client.subprotocols = &chat;
    client.subprotocol_count = 1;
    client.extensions = hws_text_from("foo");
    CHECK(hws_handshake_verify(&client, NULL, &head, buf, &accepted) == HWS_OK);
}

/* Answers with what was asked for, as far as we have it. */
static void accept_it(const hws_handshake *handshake, const hws_head *head, const uint8_t *buf) {
    hws_text chat = hws_text_from("chat");
    hws_accept_config config;
    hws_field fields[ANSWER];
    hws_field more = {hws_text_from("server"), hws_text_from("hawser")};
    size_t index = 0;
    size_t count = 0;

    hws_accept_config_init(&config);
    config.origin.kind = HWS_ORIGIN_SAME;
    if (hws_handshake_check_origin(handshake, buf, &config.origin) != HWS_OK) {
        CHECK(handshake->has_origin);
        config.origin.kind = HWS_ORIGIN_ANY;
    }
    config.fields = &more;
    config.field_count = 1;
    if (hws_handshake_choose(head, buf, &chat, 1, &index)) {
        config.subprotocol = chat;
    }
    config.extensions = hws_text_from("foo");
    hws_status status = hws_connect_accept(handshake, head, buf, &config, fields, ANSWER, &count);
    if (status == HWS_ERR_ARGUMENT) { /* it was not offered */
        config.extensions.len = 0;
        status = hws_connect_accept(handshake, head, buf, &config, fields, ANSWER, &count);
    }
    CHECK(status == HWS_OK);
    check_answer(fields, count);
    CHECK(hws_connect_accept(handshake, head, buf, &config, fields, count - 1, &count) ==
          HWS_ERR_SPACE);
}

static void check_request(const hws_head *head, const uint8_t *buf) {
    hws_handshake handshake;
    uint32_t end = head->header_count;
    size_t count = 0;

    if (hws_handshake_parse(head, buf, &handshake) != HWS_OK ||
        handshake.kind != HWS_REQUEST_CONNECT) {
        CHECK(hws_connect_accept(&handshake, head, buf, NULL, NULL, 0, &count) == HWS_ERR_ARGUMENT);
        return;
    }
    CHECK(hws_head_find(head, buf, hws_text_from(":scheme"), 0) < end);
    CHECK(hws_head_find(head, buf, hws_text_from(":protocol"), 0) < end);
    CHECK(hws_head_find(head, buf, hws_text_from("sec-websocket-version"), 0) < end);
    CHECK(handshake.host.len > 0 && buf[handshake.path.offset] == '/');
    accept_it(&handshake, head, buf);
}

static void check_response(const hws_head *head, const uint8_t *buf) {
    hws_client_config client;
    hws_accepted accepted;

    hws_client_config_init(&client);
    hws_status status = hws_handshake_verify(&client, NULL, head, buf, &accepted);
    CHECK((status == HWS_ERR_REFUSED) == (head->status / 100 != 2));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint16_t limits[4][2] = {{2048, 0}, {2048, 100}, {100, 2048}, {2048, 2048}};
    const uint16_t *limit = limits[fuzz_option(data, &size) >> 5 & 3];
    hws_header headers[FUZZ_HEADERS];
    hws_head head;

    hws_head_init(&head, HWS_HEAD_LIST, headers, FUZZ_HEADERS);
    head.max_head = limit[1];
    uint8_t *buf = malloc(limit[0]);
    CHECK(buf != NULL && hws_head_parse(&head, buf, 0) == HWS_ERR_ARGUMENT);
    if (add_lines(&head, buf, limit[0], data, size) == HWS_OK) {
        check_request(&head, buf);
        check_response(&head, buf);
    }
    free(buf);
    return 0;
}
