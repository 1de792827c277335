/*
 * The two sides of fuzz_endpoint.c: how they are set up, and how they open.
 */
#ifndef HWS_FUZZ_ENDPOINT_SIDES_H
#define HWS_FUZZ_ENDPOINT_SIDES_H

#include "endpoint.h"

#include <hawser/deflate_zlib.h>

enum { WIRE_LEN = 1 << 17, LOG_LEN = 512, REF_LEN = 300 };

typedef struct side {
    hws_endpoint ep;
    hws_endpoint_config config;
    hws_deflate_params params;
    hws_deflate_options deflate;
    hws_counters counters;
    counting memory;
    random_state random;
    uint8_t role;
    hws_text extensions; /* that a server agrees to, beside its own */
    uint8_t ended;
    uint8_t answer;     /* a server's to a request */
    uint8_t eof;        /* was told */
    uint8_t in_message; /* type of the message that is sent in pieces */
    uint8_t spoiled;    /* bytes that its peer did not send have come */
    uint8_t dropped;    /* it may have dropped what was queued */
    uint64_t sent_digest;
    uint64_t seen_digest;
    uint64_t log[LOG_LEN]; /* digests of the messages that were sent */
    size_t log_len;
    size_t seen; /* messages of the peer that came */
    unsigned refs;
    bytes in;   /* that have not been taken */
    output out; /* that is not acknowledged */
    unsigned traced;
} side;

typedef struct world {
    side sides[2];
    hws_client_config client;
    hws_field field;
    hws_ready ready;
    hws_compressor compressor;
    counting compressor_memory;
    uint64_t now;
} world;

static void trace(void *user, const void *connection, uint8_t sent, const hws_frame *frame,
                  const uint8_t *payload) {
    side *s = user;
    CHECK(connection == &s->ep && sent <= 1 && frame->payload_len < WIRE_LEN);
    CHECK(payload == NULL || frame->opcode >= HWS_OPCODE_CLOSE);
    s->traced++;
}

static const char *long_text(size_t len) {
    static char text[70001];
    memset(text, 'x', sizeof text);
    text[len] = '\0';
    return text;
}

static void answer(side *s) {
    hws_accept_config accept;
    hws_text origin = hws_text_from("https://elsewhere");
    hws_field field = {hws_text_from("X-A"), hws_text_from("b")};
    uint8_t body[4] = "page";
    const uint8_t *head = NULL;
    CHECK(hws_endpoint_head(&s->ep, &head) != NULL && head != NULL);
    CHECK(hws_endpoint_request(&s->ep) != NULL);
    hws_accept_config_init(&accept);
    accept.origin.kind = HWS_ORIGIN_ANY;
    accept.extensions = s->extensions;
    switch (s->answer & 7) {
    case 1:
        (void)hws_endpoint_respond(&s->ep, 403, &field, 1, body, sizeof body);
        return;
    case 2:
        return; /* later, or never */
    case 3:
        accept.origin = (hws_origin_policy){.kind = HWS_ORIGIN_LIST, .origins = &origin};
        accept.origin.origin_count = 1;
        break;
    case 4:
        accept.origin.kind = HWS_ORIGIN_UNSET;
        s->params.server_max_window_bits = 99;
        CHECK(hws_endpoint_accept(&s->ep, &accept) < 0);
        s->params.server_max_window_bits = 15;
        break;
    case 5:
        CHECK(hws_endpoint_respond(&s->ep, 200, NULL, 0, body, (size_t)1 << 40) == HWS_ERR_FULL);
        field.value = hws_text_from(long_text(700));
        break;
    case 6:
        field.value = hws_text_from(long_text(70000));
        CHECK(hws_endpoint_respond(&s->ep, 200, &field, 1, body, 4) < 0);
        break;
    case 7:
        field.value = hws_text_from(long_text(700));
        (void)hws_endpoint_respond(&s->ep, 200, &field, 1, body, 4);
        return;
    }
    if ((s->answer & 7) > 4) {
        accept.fields = &field;
        accept.field_count = 1;
    }
    (void)hws_endpoint_accept(&s->ep, &accept);
}

/* The last byte: water marks (bits 0, 1), hold_input (2), streaming (3), compression (4, 5),
 * whether there is a trace (6), opened elsewhere (7). The one before it: rates (0), limits (1),
 * idle (2), compression gives back its memory soon (3), what the server answers (4 to 6). */
static void configure(world *w, side *s, uint8_t role, uint8_t first, uint8_t second) {
    static const uint32_t marks[] = {60, 300, 2000, 65536};
    hws_endpoint_config *c = &s->config;
    s->role = role;
    s->answer = role == HWS_ROLE_SERVER ? second >> 4 & 7 : 0;
    hws_endpoint_config_init(c, role);
    c->allocator = counting_allocator(&s->memory);
    c->random = endpoint_random;
    c->random_user = &s->random;
    c->high_water = marks[first & 3];
    c->low_water = c->high_water / 2;
    c->max_queue = 4 * (uint64_t)c->high_water;
    c->hold_input = first >> 2 & 1;
    c->streaming = first >> 3 & 1;
    c->max_message = (second & 2) != 0 ? 100 : HWS_DEFAULT_MAX_MESSAGE;
    c->max_head = (second & 2) != 0 ? 300 : HWS_DEFAULT_MAX_HEAD;
    c->keepalive.idle_timeout_ms = (second & 4) != 0 ? 5000 : 0;
    c->trim_after_ms = (second & 8) != 0 ? 100 : HWS_DEFAULT_TRIM_AFTER_MS;
    c->message_rate.per_second = second & 1 ? 3 : 0;
    c->byte_rate.per_second = second & 1 ? 400 : 0;
    c->counters = &s->counters;
    c->trace = first >> 6 & 1 ? trace : NULL;
    c->trace_user = s;
    c->ready = &w->ready;
    if ((first >> 4 & 3) != 0) {
        hws_deflate_params_init(&s->params, (first >> 4 & 3) - 1);
        hws_deflate_options_init(&s->deflate, role, (first >> 4 & 3) - 1);
        s->deflate.codec = hws_codec_zlib();
        s->deflate.threshold = 20;
        c->deflate = &s->params;
        c->deflate_options = &s->deflate;
    }
    CHECK(hws_endpoint_init(&s->ep, c, 0) == HWS_OK);
}

/* A client finds no memory, no random bytes, or no room for what it asks; and then all of it. */
static void connect_client(world *w, side *s, uint8_t second) {
    hws_client_config ask = w->client;
    hws_field *field = &w->field; /* lives as long as the handshake */
    *field = (hws_field){hws_text_from("X-Long"), hws_text_from(long_text(70000))};
    unsigned k = 0;
    while (k < 4 && (second & 128) != 0) {
        k++;
        s->memory.fail_in = k;
        hws_status status = hws_endpoint_connect(&s->ep, &ask);
        s->memory.fail_in = 0;
        if (status == HWS_OK) {
            return;
        }
        CHECK(status == HWS_ERR_MEMORY && s->memory.blocks == 0);
    }
    ask.fields = field;
    ask.field_count = 1;
    CHECK(hws_endpoint_connect(&s->ep, &ask) == HWS_ERR_FIELD && s->memory.blocks == 0);
    field->value = hws_text_from(long_text(700));
    CHECK(hws_endpoint_connect(&s->ep, &ask) == HWS_OK);
    CHECK(hws_endpoint_connect(&s->ep, &ask) == HWS_ERR_STATE);
}

/* Mistakes that change nothing. */
static void make_mistakes(side *s) {
    hws_endpoint_config c = s->config;
    hws_deflate_params wrong = {.enabled = 1, .server_max_window_bits = 99};
    hws_deflate_options options;
    hws_prepared *prepared = NULL;
    hws_endpoint other;
    hws_endpoint_config *const config = &c;
    CHECK(hws_endpoint_size() == sizeof other);
    config->max_head = 0;
    CHECK(hws_endpoint_init(&other, config, 0) == HWS_ERR_ARGUMENT);
    config->max_head = 300;
    config->low_water = 0;
    CHECK(hws_endpoint_init(&other, config, 0) == HWS_ERR_ARGUMENT);
    config->low_water = 1;
    config->size = 0;
    CHECK(hws_endpoint_init(&other, config, 0) == HWS_ERR_ARGUMENT);
    config->size = sizeof c;
    config->deflate = &wrong;
    config->deflate_options = NULL;
    CHECK(hws_endpoint_init(&other, config, 0) == HWS_ERR_ARGUMENT);
    config->deflate = NULL;
    CHECK(hws_endpoint_init(&other, config, 0) == HWS_OK);
    CHECK(hws_endpoint_open(&other, &wrong) == HWS_ERR_ARGUMENT);
    hws_deflate_options_init(&options, s->role, HWS_DEFLATE_BEST);
    options.codec = hws_codec_zlib();
    config->deflate = &wrong;
    config->deflate_options = &options;
    CHECK(hws_endpoint_open(&other, &wrong) == HWS_ERR_ARGUMENT);
    hws_endpoint_release(&other);
    hws_allocator allocator = counting_allocator(&s->memory);
    const uint8_t bad[1] = {0xFF};
    CHECK(hws_prepared_make(&prepared, &allocator, HWS_TEXT, bad, 1) == HWS_ERR_SEND_UTF8);
    CHECK(hws_prepared_make(&prepared, &allocator, HWS_CLOSE, bad, 1) == HWS_ERR_ARGUMENT);
    CHECK(hws_prepared_make(&prepared, &allocator, HWS_BINARY, bad, SIZE_MAX) == HWS_ERR_MEMORY);
    CHECK(hws_endpoint_respond(&s->ep, 200, NULL, 0, NULL, 0) == HWS_ERR_STATE);
    CHECK(hws_endpoint_accept(&s->ep, NULL) == HWS_ERR_STATE);
    CHECK(hws_endpoint_head(&s->ep, NULL) == NULL);
    config->deflate = NULL;
    config->max_queue = UINT64_MAX;
    CHECK(hws_endpoint_init(&other, config, 0) == HWS_OK && hws_endpoint_open(&other, NULL) == 0);
    CHECK(hws_endpoint_send(&other, HWS_BINARY, 3, bad, SIZE_MAX / 2) == HWS_ERR_MEMORY);
    hws_endpoint_release(&other);
    CHECK(hws_endpoint_send_ref(&s->ep, HWS_PING, HWS_WHOLE, NULL, 0) == HWS_ERR_ARGUMENT);
    CHECK(hws_endpoint_send(&s->ep, HWS_TEXT, 128, NULL, 0) < 0);
    CHECK(hws_endpoint_deflate(&s->ep)->enabled <= 1);
    (void)hws_endpoint_latency_ms(&s->ep);
    CHECK(hws_conn_frames(hws_endpoint_conn(&s->ep)) == 0);
}

static void start(world *w, uint8_t first, uint8_t second) {
    hws_codec_settings settings = {.window_bits = 9, .level = 1, .mem_level = 1};
    memset(w, 0, sizeof *w);
    settings.allocator = counting_allocator(&w->compressor_memory);
    CHECK(hws_compressor_init(&w->compressor, hws_codec_zlib(), &settings) == HWS_OK);
    configure(w, &w->sides[0], HWS_ROLE_SERVER, first, second);
    configure(w, &w->sides[1], HWS_ROLE_CLIENT, first, second);
    hws_client_config_init(&w->client);
    w->client.host = hws_text_from("host");
    w->client.origin = hws_text_from("https://host");
    w->client.extensions = hws_text_from((second & 8) != 0 ? "x-none" : "");
    w->sides[0].extensions = w->client.extensions;
    make_mistakes(&w->sides[0]);
    make_mistakes(&w->sides[1]);
    if (first >> 7) {
        const hws_deflate_params *agreed = w->sides[0].config.deflate;
        CHECK(hws_endpoint_open(&w->sides[0].ep, agreed) == HWS_OK);
        CHECK(hws_endpoint_open(&w->sides[1].ep, agreed) == HWS_OK);
        CHECK(hws_endpoint_open(&w->sides[1].ep, agreed) == HWS_ERR_STATE);
    } else {
        connect_client(w, &w->sides[1], second);
    }
}

#endif
