/*
 * Any texts from the caller, in all heads that are written. Invariant: they are refused, or the
 * head that comes out is one head, with the fields that were asked for and no others; and it is
 * written whole or not at all.
 *
 * The last byte of the input is what separates the texts. They are: status code, host, target,
 * origin, two subprotocols, extensions, name and value of one more field, body. Texts at the end
 * may be missing; a subprotocol or a field that is missing is none.
 */
#include "head.h"

enum { STATUS, HOST, TARGET, ORIGIN, SUBPROTOCOLS, EXTENSIONS = 6, NAME, VALUE, BODY, TEXTS };

enum { ROOM = 8192, PAIRS = 11 };

typedef struct input {
    hws_text texts[TEXTS];
    size_t count;
    hws_field field;
    size_t field_count;
} input;

/* A request that the answers are for. */
static const char asked[] = "GET /chat HTTP/1.1\r\n"
                            "Host: example.com\r\n"
                            "Upgrade: websocket\r\n"
                            "Connection: Upgrade\r\n"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                            "Sec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Protocol: chat, superchat\r\n"
                            "Sec-WebSocket-Extensions: foo; bar=1, baz\r\n"
                            "\r\n";

static void split(input *in, const uint8_t *data, size_t size, uint8_t separator) {
    size_t start = 0;
    size_t i = 0;

    memset(in, 0, sizeof *in);
    while (in->count < TEXTS && i <= size) {
        if (i == size || data[i] == separator) {
            in->texts[in->count] = (hws_text){(const char *)data + start, i - start};
            in->count++;
            start = i + 1;
        }
        i++;
    }
    in->field = (hws_field){in->texts[NAME], in->texts[VALUE]};
    in->field_count = in->count > NAME;
}

static hws_status no_random(void *user, uint8_t *dst, size_t len) {
    (void)user;
    (void)dst;
    (void)len;
    return HWS_ERR_SYSTEM;
}

/* A head that was written: all fields of it, of which the caller's own is the last when there is
 * one, and nothing behind it. */
static void check_head(const input *in, uint8_t kind, const uint8_t *out, size_t n, uint32_t count,
                       uint32_t own) {
    hws_header headers[FUZZ_HEADERS];
    hws_head head;

    hws_head_init(&head, kind, headers, FUZZ_HEADERS);
    CHECK(hws_head_parse(&head, out, n) == HWS_OK && head.head_len == n);
    CHECK(head.header_count == count + in->field_count);
    if (in->field_count > 0) {
        hws_text name = hws_span_text(out, headers[own].name);
        hws_text value = hws_span_text(out, headers[own].value);
        CHECK(name.len == in->field.name.len && value.len == in->field.value.len);
        CHECK(memcmp(name.data, in->field.name.data, name.len) == 0);
        CHECK(value.len == 0 || memcmp(value.data, in->field.value.data, value.len) == 0);
    }
}

static void configure(const input *in, hws_client_config *client) {
    hws_client_config_init(client);
    client->host = in->texts[HOST];
    client->target = in->texts[TARGET];
    client->origin = in->texts[ORIGIN];
    client->subprotocols = &in->texts[SUBPROTOCOLS];
    client->subprotocol_count = in->count > SUBPROTOCOLS ? in->count - SUBPROTOCOLS : 0;
    if (client->subprotocol_count > 2) {
        client->subprotocol_count = 2;
    }
    client->extensions = in->texts[EXTENSIONS];
    client->fields = &in->field;
    client->field_count = in->field_count;
}

/* How many fields the configuration makes beside those that are always there. */
static uint32_t optional_fields(const hws_client_config *client) {
    return (uint32_t)(client->origin.len > 0) + (client->subprotocol_count > 0) +
           (client->extensions.len > 0);
}

static void write_request(const input *in) {
    uint8_t out[ROOM];
    uint8_t next_random = 0;
    hws_client_config client;
    hws_key key;
    size_t n = 0;
    size_t nothing = 0;

    configure(in, &client);
    hws_status status =
        hws_handshake_request(&client, fuzz_random, &next_random, &key, out, sizeof out, &n);
    if (status != HWS_OK) {
        CHECK(status == HWS_ERR_ARGUMENT || status == HWS_ERR_FIELD);
        CHECK(n == 0);
        return;
    }
    uint32_t count = 5 + optional_fields(&client);
    check_head(in, HWS_HEAD_REQUEST, out, n, count, count);
    CHECK(hws_handshake_request(&client, fuzz_random, &next_random, &key, out, n - 1, &nothing) ==
              HWS_ERR_SPACE &&
          nothing == 0);
    CHECK(hws_handshake_request(&client, no_random, NULL, &key, out, n, &nothing) ==
              HWS_ERR_RANDOM &&
          nothing == 0);
}

/* Numbers that a caller can get wrong, beside texts that are right. */
static void write_mistakes(const input *in) {
    hws_text many[HWS_MAX_SUBPROTOCOLS + 1] = {{NULL, 0}};
    hws_field fields[PAIRS];
    hws_client_config client;
    size_t count = 0;

    configure(in, &client);
    client.size = 0;
    CHECK(hws_connect_request(&client, 0, fields, PAIRS, &count) == HWS_ERR_ARGUMENT);
    hws_client_config_init(&client);
    client.host = hws_text_from("example.com");
    client.subprotocols = many;
    client.subprotocol_count = HWS_MAX_SUBPROTOCOLS + 1;
    CHECK(hws_connect_request(&client, 0, fields, PAIRS, &count) == HWS_ERR_ARGUMENT);
    client.subprotocol_count = 0;
    if (SIZE_MAX > UINT32_MAX) {
        client.extensions = (hws_text){"foo", SIZE_MAX};
        CHECK(hws_connect_request(&client, 0, fields, PAIRS, &count) == HWS_ERR_ARGUMENT);
    }
}

/* An extended CONNECT that is written is one that a server takes. */
static void write_connect(const input *in) {
    static uint8_t buf[ROOM];
    hws_header headers[PAIRS];
    hws_field fields[PAIRS];
    hws_client_config client;
    hws_handshake handshake;
    hws_head head;
    size_t count = 0;
    size_t n = 0;
    size_t i = 0;

    configure(in, &client);
    hws_status status = hws_connect_request(&client, in->count & 1, fields, PAIRS, &count);
    if (status != HWS_OK) {
        CHECK(status == HWS_ERR_ARGUMENT || status == HWS_ERR_FIELD);
        return;
    }
    hws_head_init(&head, HWS_HEAD_LIST, headers, PAIRS);
    while (i < count) {
        CHECK(hws_head_add(&head, buf, sizeof buf, &n, &fields[i]) == HWS_OK);
        i++;
    }
    CHECK(hws_handshake_parse(&head, buf, &handshake) == HWS_OK);
    CHECK(handshake.kind == HWS_REQUEST_CONNECT);
    CHECK(handshake.subprotocol_count == client.subprotocol_count);
    CHECK(hws_connect_request(&client, 0, fields, count - 1, &count) == HWS_ERR_SPACE);
}

static void write_accept(const input *in) {
    uint8_t out[ROOM];
    hws_header headers[FUZZ_HEADERS];
    hws_accept_config config;
    hws_handshake handshake;
    hws_head head;
    const uint8_t *data = (const uint8_t *)asked;
    size_t n = 0;
    size_t nothing = 0;

    hws_head_init(&head, HWS_HEAD_REQUEST, headers, FUZZ_HEADERS);
    CHECK(hws_head_parse(&head, data, sizeof asked - 1) == HWS_OK);
    CHECK(hws_handshake_parse(&head, data, &handshake) == HWS_OK);
    hws_accept_config_init(&config);
    config.origin.kind = HWS_ORIGIN_ANY;
    config.subprotocol = in->texts[SUBPROTOCOLS];
    config.extensions = in->texts[EXTENSIONS];
    config.fields = &in->field;
    config.field_count = in->field_count;

    hws_status status = hws_handshake_accept(&handshake, &head, data, &config, out, sizeof out, &n);
    if (status != HWS_OK) {
        CHECK(status == HWS_ERR_ARGUMENT || status == HWS_ERR_FIELD);
        CHECK(n == 0);
        return;
    }
    uint32_t count = 3 + (uint32_t)(config.subprotocol.len > 0) + (config.extensions.len > 0);
    check_head(in, HWS_HEAD_RESPONSE, out, n, count, count);
    CHECK(hws_handshake_accept(&handshake, &head, data, &config, out, n - 1, &nothing) ==
              HWS_ERR_SPACE &&
          nothing == 0);
    config.size = 0;
    CHECK(hws_handshake_accept(&handshake, &head, data, &config, out, n, &nothing) ==
          HWS_ERR_ARGUMENT);
}

/* The three digits of a status code; 0 for any other text. */
static uint16_t status_of(hws_text text) {
    uint16_t status = 0;
    size_t i = 0;

    while (text.len == 3 && i < 3 && text.data[i] >= '0' && text.data[i] <= '9') {
        status = (uint16_t)(status * 10 + (text.data[i] - '0'));
        i++;
    }
    return status;
}

static void write_response(const input *in) {
    uint8_t out[ROOM];
    uint16_t status = status_of(in->texts[STATUS]);
    const uint8_t *body = (const uint8_t *)in->texts[BODY].data;
    size_t body_len = in->texts[BODY].len;
    uint8_t has_body = body != NULL && status != 204 && status != 304;
    size_t n = 0;
    size_t nothing = 0;

    hws_status result = hws_response_write(status, &in->field, in->field_count, body, body_len, out,
                                           sizeof out, &n);
    if (result != HWS_OK) {
        CHECK(result == HWS_ERR_ARGUMENT || result == HWS_ERR_FIELD);
        CHECK(n == 0);
        return;
    }
    CHECK(!has_body || memcmp(out + n - body_len, body, body_len) == 0);
    uint32_t count =
        1 + (uint32_t)(status != 204 && status != 304) + (status == 405) + (status == 426 ? 3 : 0);
    check_head(in, HWS_HEAD_RESPONSE, out, n - (has_body ? body_len : 0), count, 0);
    CHECK(hws_response_write(status, &in->field, in->field_count, body, body_len, out, n - 1,
                             &nothing) == HWS_ERR_SPACE &&
          nothing == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t separator = fuzz_option(data, &size);
    input in;

    if (size > ROOM / 2) {
        return 0;
    }
    split(&in, data, size, separator);
    write_request(&in);
    write_mistakes(&in);
    write_connect(&in);
    write_accept(&in);
    write_response(&in);
    return 0;
}
