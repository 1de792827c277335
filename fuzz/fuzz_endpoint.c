/*
 * Two endpoints, a server's and a client's, and a script of what is done with them and between
 * them. Invariant: what one receives is a prefix of what the other sent, each message once and in
 * order; what is handed out as output stays as it is until it is acknowledged; HWS_END comes once
 * and last; a buffer that was given away comes back once; both come to an end, and give back all
 * memory.
 *
 * The input is actions of two bytes: see act(). Its last bytes are options: see configure().
 */
#include "counting.h"

#include <hawser/deflate_zlib.h>

enum { WIRE_LEN = 1 << 17, LOG_LEN = 512, REF_LEN = 300, CHUNK = 4096 };

typedef struct side {
    hws_endpoint ep;
    hws_endpoint_config config;
    hws_deflate_params params;
    hws_deflate_options deflate;
    hws_counters counters;
    counting memory;
    uint8_t next_random;
    uint8_t no_random; /* the source fails */
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
    uint8_t *in; /* bytes that have not been taken */
    size_t in_len;
    hws_buffer handed[4]; /* output that is not acknowledged */
    uint8_t *copies[4];
    size_t handed_count;
    size_t handed_len;
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

static uint64_t digest_more(uint64_t digest, const uint8_t *data, size_t len) {
    size_t i = 0;
    while (i < len) {
        digest = (digest ^ data[i]) * UINT64_C(1099511628211);
        i++;
    }
    return digest;
}

static void trace(void *user, const void *connection, uint8_t sent, const hws_frame *frame,
                  const uint8_t *payload) {
    side *s = user;
    CHECK(connection == &s->ep && sent <= 1 && frame->payload_len < WIRE_LEN);
    CHECK(payload == NULL || frame->opcode >= HWS_OPCODE_CLOSE);
    s->traced++;
}

static hws_status draw(void *user, uint8_t *dst, size_t len) {
    side *s = user;
    return s->no_random ? HWS_ERR_RANDOM : fuzz_random(&s->next_random, dst, len);
}

/* --- what comes out --- */

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
    const uint8_t *bytes = NULL;
    CHECK(hws_endpoint_head(&s->ep, &bytes) != NULL && bytes != NULL);
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

static void take_data(side *s, side *peer, const hws_event *ev) {
    if ((ev->flags & HWS_FIRST) != 0) {
        s->seen_digest = ev->type;
    }
    s->seen_digest = digest_more(s->seen_digest, ev->data, ev->len);
    if ((ev->flags & HWS_FINAL) != 0 && !s->spoiled && s->seen < LOG_LEN) {
        CHECK(s->seen < peer->log_len && peer->log[s->seen] == s->seen_digest);
        s->seen++;
    }
}

static void take_event(world *w, side *s, const hws_event *ev) {
    CHECK(!s->ended);
    switch (ev->type) {
    case HWS_TEXT:
    case HWS_BINARY:
        take_data(s, &w->sides[!s->role], ev);
        break;
    case HWS_REQUEST:
        answer(s);
        break;
    case HWS_OPEN:
        CHECK(s->role == HWS_ROLE_SERVER || hws_endpoint_accepted(&s->ep) != NULL);
        break;
    case HWS_RELEASED:
        CHECK(s->refs > 0);
        s->refs--;
        free((void *)(uintptr_t)ev->data);
        break;
    case HWS_END:
        CHECK(s->handed_count == 0);
        s->ended = 1;
        break;
    }
}

/* Give up to `most` of the bytes that wait, and take all events. */
static void receive(world *w, side *s, size_t most) {
    size_t len = s->in_len < most ? s->in_len : most;
    uint8_t *buf = fuzz_copy(s->in, len);
    size_t used = 0;
    size_t calls = 0;
    hws_event ev;
    size_t too_far = len + 1;
    CHECK(hws_endpoint_next(&s->ep, buf, len, &too_far, &ev) == HWS_ERR_ARGUMENT);
    while (hws_endpoint_next(&s->ep, buf, len, &used, &ev) == HWS_EVENT) {
        take_event(w, s, &ev);
        calls++;
        CHECK(calls < 4 * len + 2000);
    }
    CHECK(used == len || (hws_endpoint_wants(&s->ep) & HWS_WANTS_READ) == 0);
    /* What was unmasked already stays so. */
    memcpy(s->in, buf, len);
    memmove(s->in, s->in + used, s->in_len - used);
    s->in_len -= used;
    free(buf);
}

/* --- output --- */

static void hand_out(side *s) {
    if (s->handed_count > 0) {
        return;
    }
    s->handed_count = hws_endpoint_output(&s->ep, s->handed, 4);
    s->handed_len = 0;
    size_t i = 0;
    while (i < s->handed_count) {
        CHECK(s->handed[i].len > 0);
        s->copies[i] = fuzz_copy(s->handed[i].data, s->handed[i].len);
        s->handed_len += s->handed[i].len;
        i++;
    }
}

/* Move up to `most` bytes of what was handed out to the peer, and acknowledge them. */
static void acknowledge(world *w, side *s, size_t most) {
    side *peer = &w->sides[!s->role];
    size_t room = WIRE_LEN - peer->in_len;
    size_t left = most < room ? most : room;
    size_t moved = 0;
    size_t i = 0;
    CHECK(hws_endpoint_sent(&s->ep, s->handed_len + 1) == HWS_ERR_ARGUMENT);
    while (i < s->handed_count) {
        size_t n = s->handed[i].len < left ? s->handed[i].len : left;
        CHECK(memcmp(s->handed[i].data, s->copies[i], s->handed[i].len) == 0);
        memcpy(peer->in + peer->in_len, s->copies[i], n);
        peer->in_len += n;
        moved += n;
        left -= n;
        free(s->copies[i]);
        i++;
    }
    s->handed_count = 0;
    s->handed_len = 0;
    CHECK(hws_endpoint_sent(&s->ep, moved) == HWS_OK);
}

/* --- what is sent --- */

static void note_sent(side *s, hws_status status, uint8_t type, uint8_t flags, const uint8_t *data,
                      size_t len) {
    if (status < 0) {
        return;
    }
    if ((flags & HWS_FIRST) != 0) {
        s->sent_digest = type;
    }
    s->sent_digest = digest_more(s->sent_digest, data, len);
    s->in_message = (flags & HWS_FINAL) != 0 ? 0 : type;
    if ((flags & HWS_FINAL) != 0 && s->log_len < LOG_LEN) {
        s->log[s->log_len] = s->sent_digest;
        s->log_len++;
    }
}

static void send_copy(side *s, uint8_t type, uint8_t flags, size_t len, uint8_t fill) {
    uint8_t *data = malloc(len + 1);
    CHECK(data != NULL);
    memset(data, type == HWS_TEXT ? 'a' + fill % 26 : fill, len);
    uint8_t place = flags & HWS_WHOLE;
    if (s->log_len < LOG_LEN) {
        note_sent(s, hws_endpoint_send(&s->ep, type, flags, data, len), type, place, data, len);
    }
    free(data);
}

static void send_ref(side *s, uint8_t flags, size_t len, uint8_t fill) {
    uint8_t *data = malloc(len);
    uint8_t *copy = malloc(len);
    uint8_t type = s->in_message != 0 ? s->in_message : HWS_BINARY;
    CHECK(data != NULL && copy != NULL);
    memset(data, 'a' + fill % 26, len);
    memcpy(copy, data, len);
    hws_status status = HWS_ERR_FULL;
    if (s->log_len < LOG_LEN) {
        status = hws_endpoint_send_ref(&s->ep, type, flags, data, len);
        note_sent(s, status, type, flags, copy, len);
    }
    if (status < 0) {
        CHECK(memcmp(data, copy, len) == 0);
        free(data);
    } else {
        s->refs++;
    }
    free(copy);
}

static void send_prepared(world *w, side *s, uint8_t arg) {
    hws_allocator allocator = counting_allocator(&s->memory);
    hws_prepared *prepared = NULL;
    uint8_t data[200];
    size_t len = arg;
    memset(data, 'p', sizeof data);
    len = len < sizeof data ? len : sizeof data;
    uint8_t type = (arg & 3) == 3 ? HWS_PING : (arg & 16) != 0 ? HWS_BINARY : HWS_TEXT;
    if (hws_prepared_make(&prepared, &allocator, type, data, len) != HWS_OK) {
        return;
    }
    CHECK(hws_prepared_payload(prepared).len == len);
    (void)hws_prepared_compress(prepared, &w->compressor);
    s->dropped |= (arg >> 2) % 4 == HWS_SLOW_CLOSE;
    hws_prepared_retain(prepared);
    if (s->log_len < LOG_LEN) {
        hws_status status = hws_endpoint_send_prepared(&s->ep, prepared, (arg >> 2) % 4);
        if (type != HWS_PING) {
            note_sent(s, status, type, HWS_WHOLE, data, len);
        }
    }
    hws_prepared_release(prepared);
    hws_prepared_release(prepared);
}

/* Bytes of the script itself, as if the peer had sent them. */
static size_t inject(side *s, const uint8_t *data, size_t size, size_t len) {
    len = len < size ? len : size;
    len = len < WIRE_LEN - s->in_len ? len : WIRE_LEN - s->in_len;
    memcpy(s->in + s->in_len, data, len);
    s->in_len += len;
    s->spoiled = 1;
    return len;
}

static void end_input(side *s) {
    if (s->in_len == 0 && !s->eof) {
        s->eof = 1;
        hws_endpoint_receive_eof(&s->ep);
    }
}

static void tick(world *w, uint64_t ms) {
    w->now += ms;
    hws_endpoint_tick(&w->sides[0].ep, w->now);
    hws_endpoint_tick(&w->sides[1].ep, w->now);
}

static void send_something(side *s, uint8_t verb, uint8_t arg) {
    uint8_t type = s->in_message != 0 ? s->in_message : HWS_BINARY;
    switch (verb) {
    case 0:
        send_copy(s, arg & 1 ? HWS_TEXT : HWS_BINARY, HWS_WHOLE, arg, arg);
        break;
    case 1:
        send_copy(s, HWS_TEXT, HWS_FIRST | (arg & 1 ? HWS_UNCOMPRESSED : 0), arg, arg);
        break;
    case 2:
        send_copy(s, type, arg & 1 ? HWS_FINAL : 0, arg, arg);
        break;
    case 3:
        send_copy(s, HWS_BINARY, HWS_WHOLE | (s->config.deflate != NULL ? HWS_COMPRESSED : 0),
                  (size_t)arg * 300, arg);
        break;
    case 4:
        (void)hws_endpoint_send(&s->ep, arg & 1 ? HWS_PING : HWS_PONG, HWS_WHOLE,
                                (const uint8_t *)"ping", arg % 8 < 4 ? arg % 4 : 126);
        break;
    case 5:
        send_ref(s, s->in_message != 0 ? arg & HWS_FINAL : HWS_WHOLE, 1 + (size_t)arg, arg);
        break;
    }
}

static void end_something(side *s, uint8_t verb, uint8_t arg) {
    switch (verb) {
    case 0:
        (void)hws_endpoint_close(&s->ep, arg & 1 ? 1001 : 1005, NULL, 0);
        break;
    case 1:
        s->dropped = 1;
        (void)hws_endpoint_close_now(&s->ep, 1000, (const uint8_t *)"now", 3);
        break;
    case 2:
        (void)hws_endpoint_abort(&s->ep, arg & 1 ? HWS_ERR_RESET : HWS_OK);
        break;
    case 3:
        end_input(s);
        break;
    }
}

/* One action: its verb is the low five bits of the first byte, the side the next one. The second
 * byte is an argument. Returns the bytes of the script that it took beside those two. */
static size_t act(world *w, uint8_t what, uint8_t arg, const uint8_t *rest, size_t size) {
    side *s = &w->sides[what >> 5 & 1];
    uint8_t verb = what & 31;
    switch (verb) {
    case 0:
        hand_out(s);
        break;
    case 1:
        acknowledge(w, s, arg < 200 ? arg : WIRE_LEN);
        break;
    case 2:
        receive(w, s, arg < 200 ? arg : WIRE_LEN);
        break;
    case 3:
        hand_out(s);
        acknowledge(w, s, WIRE_LEN);
        receive(w, &w->sides[!s->role], arg == 0 ? WIRE_LEN : arg);
        break;
    case 4:
        send_prepared(w, s, arg);
        break;
    case 5:
        hws_endpoint_pause(&s->ep, arg & 1);
        break;
    case 6:
        hws_endpoint_stream(&s->ep, arg & 1);
        hws_endpoint_trim(&s->ep);
        break;
    case 7:
        tick(w, (uint64_t)arg * 100);
        break;
    case 8:
        return inject(s, rest, size, arg);
    case 9:
        s->memory.fail_in = arg;
        break;
    case 10:
        s->answer = arg;
        if (hws_endpoint_request(&s->ep) != NULL) {
            answer(s);
        }
        break;
    case 24:
        s->no_random = arg & 1;
        break;
    case 25:
        s->spoiled = 1;
        s->eof = 1; /* with bytes that wait */
        hws_endpoint_receive_eof(&s->ep);
        break;
    case 26:
        hws_endpoint_go_away(&s->ep);
        break;
    case 11:
        while (hws_ready_next(&w->ready) != NULL) {
        }
        break;
    default:
        if (verb < 20) {
            send_something(s, verb - 12, arg);
        } else if (verb < 24) {
            end_something(s, verb - 20, arg);
        }
    }
    CHECK(hws_endpoint_queued(&s->ep) <= s->config.max_queue + 2000);
    return 0;
}

/* --- life --- */

/* The last byte: water marks (bits 0, 1), hold_input (2), streaming (3), compression (4, 5),
 * whether there is a trace (6), opened elsewhere (7). The one before it: rates (0), limits (1),
 * idle (2), what the server answers (4 to 6). */
static void configure(world *w, side *s, uint8_t role, uint8_t first, uint8_t second) {
    static const uint32_t marks[] = {60, 300, 2000, 65536};
    hws_endpoint_config *c = &s->config;
    s->role = role;
    s->answer = role == HWS_ROLE_SERVER ? second >> 4 & 7 : 0;
    s->in = malloc(WIRE_LEN);
    CHECK(s->in != NULL);
    hws_endpoint_config_init(c, role);
    c->allocator = counting_allocator(&s->memory);
    c->random = draw;
    c->random_user = s;
    c->high_water = marks[first & 3];
    c->low_water = c->high_water / 2;
    c->max_queue = 4 * (uint64_t)c->high_water;
    c->hold_input = first >> 2 & 1;
    c->streaming = first >> 3 & 1;
    c->max_message = (second & 2) != 0 ? 100 : HWS_DEFAULT_MAX_MESSAGE;
    c->max_head = (second & 2) != 0 ? 300 : HWS_DEFAULT_MAX_HEAD;
    c->keepalive.idle_timeout_ms = (second & 4) != 0 ? 5000 : 0;
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

/* Let all come to its end: bytes move, sockets close, time passes. */
static void finish(world *w) {
    unsigned turn = 0;
    while (!w->sides[0].ended || !w->sides[1].ended) {
        unsigned i = 0;
        while (i < 2) {
            side *s = &w->sides[i];
            hws_endpoint_pause(&s->ep, 0);
            acknowledge(w, s, WIRE_LEN);
            hand_out(s);
            acknowledge(w, s, WIRE_LEN);
            receive(w, s, WIRE_LEN);
            uint8_t wants = hws_endpoint_wants(&w->sides[!i].ep);
            if ((wants & (HWS_WANTS_SHUTDOWN | HWS_WANTS_CLOSE)) != 0) {
                end_input(s);
            }
            CHECK(hws_endpoint_timeout(&s->ep) != HWS_NEVER || s->ended || s->role == 0 ||
                  turn < 5);
            i++;
        }
        tick(w, 900);
        if (turn == 100) { /* both may be content for ever */
            (void)hws_endpoint_close(&w->sides[turn & 1].ep, 1000, NULL, 0);
        }
        turn++;
        CHECK(turn < 1000);
    }
}

/* What a peer sends by itself is no fault; and after two good ends nothing is missing. */
static void judge(const side *s, const side *peer) {
    hws_status status = hws_endpoint_status(&s->ep);
    uint8_t fault = (status <= HWS_ERR_RSV && status >= HWS_ERR_UTF8) || status == HWS_ERR_INFLATE;
    if (s->spoiled) {
        return;
    }
    CHECK(!fault);
    if (status == HWS_OK && hws_endpoint_status(&peer->ep) == HWS_OK && !peer->dropped) {
        CHECK(s->seen == peer->log_len);
    }
}

static void release(side *s) {
    hws_event ev;
    size_t used = 0;
    CHECK(hws_endpoint_next(&s->ep, NULL, 0, &used, &ev) == HWS_OK);
    CHECK(hws_endpoint_wants(&s->ep) == HWS_WANTS_CLOSE && s->refs == 0);
    CHECK(hws_endpoint_timeout(&s->ep) == HWS_NEVER);
    hws_endpoint_release(&s->ep);
    hws_endpoint_release(&s->ep);
    CHECK(s->memory.blocks == 0);
    free(s->in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static world w;
    uint8_t first = fuzz_option(data, &size);
    uint8_t second = fuzz_option(data, &size);
    size_t i = 0;
    size_t actions = 0;
    start(&w, first, second);
    while (i + 1 < size && actions < 400) {
        i += 2 + act(&w, data[i], data[i + 1], data + i + 2, size - i - 2);
        actions++;
    }
    w.sides[0].memory.fail_in = w.sides[1].memory.fail_in = 0;
    w.sides[0].no_random = w.sides[1].no_random = 0;
    finish(&w);
    CHECK(w.sides[0].counters.messages_received <= LOG_LEN + size);
    hws_compressor_release(&w.compressor);
    judge(&w.sides[0], &w.sides[1]);
    judge(&w.sides[1], &w.sides[0]);
    release(&w.sides[0]);
    release(&w.sides[1]);
    CHECK(w.ready.first == NULL && w.compressor_memory.blocks == 0);
    return 0;
}
