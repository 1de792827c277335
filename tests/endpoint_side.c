/*
 * One endpoint for tests, with its surroundings: see endpoint_pair.h.
 */
#include "endpoint_pair.h"

#include <hawser/frame.h>
#ifdef HWS_TEST_DEFLATE
#include <hawser/deflate_zlib.h>
#endif

enum { BLOCK_HEAD = 32, SHOWN = 48, MANY_EVENTS = 4000000 };

const char request_text[] = "GET /chat?room=1 HTTP/1.1\r\n"
                            "Host: example.com\r\n"
                            "Upgrade: websocket\r\n"
                            "Connection: Upgrade\r\n"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                            "Sec-WebSocket-Version: 13\r\n\r\n";

static void *counted_alloc(void *user, size_t len) {
    counted *memory = user;
    if (memory->fail_at > 0) {
        memory->fail_at--;
        if (memory->fail_at == 0) {
            memory->fail_at = memory->fail_all ? 1 : 0;
            memory->failures++;
            return NULL;
        }
    }
    uint8_t *block = malloc(BLOCK_HEAD + len);
    assert_non_null(block);
    memcpy(block, &len, sizeof len);
    memset(block + BLOCK_HEAD, 0xA5, len);
    memory->blocks++;
    memory->taken++;
    memory->bytes += len;
    memory->most = memory->bytes > memory->most ? memory->bytes : memory->most;
    memory->largest = len > memory->largest ? len : memory->largest;
    return block + BLOCK_HEAD;
}

static void counted_release(void *user, void *data) {
    counted *memory = user;
    uint8_t *block = (uint8_t *)data - BLOCK_HEAD;
    size_t len = 0;
    memcpy(&len, block, sizeof len);
    assert_true(memory->blocks > 0);
    memset(block, 0xDD, BLOCK_HEAD + len);
    memory->blocks--;
    memory->bytes -= len;
    free(block);
}

hws_allocator counted_allocator(counted *memory) {
    return (hws_allocator){counted_alloc, counted_release, memory};
}

/* --- the log ------------------------------------------------------------------------------------
 */

static void say(char *log, size_t *n, const char *word, const uint8_t *data, size_t len) {
    size_t i = 0;
    assert_true(*n + SHOWN + 64 < LOG_CAP);
    *n += (size_t)snprintf(log + *n, LOG_CAP - *n, "%s%s", *n > 0 ? " " : "", word);
    if (data == NULL) {
        return;
    }
    if (len > SHOWN) {
        *n += (size_t)snprintf(log + *n, LOG_CAP - *n, "{%zu}", len);
        return;
    }
    log[(*n)++] = '(';
    while (i < len) {
        log[(*n)++] = data[i] >= 32 && data[i] < 127 ? (char)data[i] : '.';
        i++;
    }
    log[(*n)++] = ')';
    log[*n] = 0;
}

static const char *type_name(uint8_t type) {
    switch (type) {
    case HWS_OPCODE_CONTINUATION:
        return "CONT";
    case HWS_TEXT:
        return "TEXT";
    case HWS_BINARY:
        return "BINARY";
    case HWS_PING:
        return "PING";
    case HWS_PONG:
        return "PONG";
    case HWS_REQUEST:
        return "REQUEST";
    case HWS_OPEN:
        return "OPEN";
    case HWS_DRAIN:
        return "DRAIN";
    case HWS_CLOSE:
        return "CLOSE";
    case HWS_RELEASED:
        return "RELEASED";
    case HWS_END:
        return "END";
    default:
        return "?";
    }
}

static void say_event(side *s, const hws_event *ev) {
    static const char *const places[] = {"-", "<", ">", ""};
    static const uint8_t nothing[1];
    char word[64];
    const uint8_t *data = ev->len > 0 ? ev->data : nothing;
    switch (ev->type) {
    case HWS_TEXT:
    case HWS_BINARY:
        assert_int_equal(ev->flags & ~HWS_WHOLE, 0);
        snprintf(word, sizeof word, "%s%s", type_name(ev->type), places[ev->flags & HWS_WHOLE]);
        break;
    case HWS_CLOSE:
    case HWS_END:
        snprintf(word, sizeof word, "%s %u", type_name(ev->type), ev->close_code);
        break;
    case HWS_RELEASED:
        snprintf(word, sizeof word, "RELEASED{%zu}", ev->len);
        data = NULL;
        break;
    default:
        snprintf(word, sizeof word, "%s", type_name(ev->type));
        data = ev->type == HWS_PING || ev->type == HWS_PONG ? data : NULL;
        break;
    }
    say(s->events, &s->events_len, word, data, ev->len);
}

/* --- set up -------------------------------------------------------------------------------------
 */

side *side_new(uint8_t role) {
    side *s = malloc(sizeof *s);
    assert_non_null(s);
    memset(s, 0, sizeof *s);
    memset(&s->config, 0xA5, sizeof s->config);
    hws_endpoint_config_init(&s->config, role);
    hws_client_config_init(&s->client);
    hws_accept_config_init(&s->accept);
    s->client.host = hws_text_from("example.com");
    s->accept.origin.kind = HWS_ORIGIN_SAME;
    s->random.seed = UINT64_C(77) + role;
    s->now_ms = START_MS;
    s->config.allocator = counted_allocator(&s->memory);
    s->config.random = test_random_fill;
    s->config.random_user = &s->random;
    s->config.counters = &s->counters;
    s->config.ready = &s->ready;
    return s;
}

void side_start(side *s) {
    memset(&s->ep, 0xA5, sizeof s->ep);
    assert_int_equal(hws_endpoint_init(&s->ep, &s->config, s->now_ms), HWS_OK);
}

const hws_codec *test_codec(void) {
#ifdef HWS_TEST_DEFLATE
    return hws_codec_zlib();
#else
    return NULL;
#endif
}

/* Role and limit of the options are wrong: the endpoint's count. */
void side_deflate(side *s, uint8_t preset) {
    assert_non_null(test_codec());
    hws_deflate_params_init(&s->params, preset);
    hws_deflate_options_init(&s->options, !s->config.role, preset);
    s->options.codec = test_codec();
    s->options.max_message = 1;
    s->config.deflate = &s->params;
    s->config.deflate_options = &s->options;
}

static void open_client(side *s) {
    char response[1024];
    size_t len = 0;
    assert_int_equal(hws_endpoint_connect(&s->ep, &s->client), HWS_OK);
    side_write(s, SIZE_MAX);
    len = response_for(s->wire, s->wire_len, "", response, sizeof response);
    s->wire_len = 0;
    side_read(s, response, len);
}

void side_open(side *s) {
    side_start(s);
    if (s->config.role == CLIENT) {
        open_client(s);
        expect_events(s, "OPEN");
        return;
    }
    side_read_text(s, request_text);
    expect_events(s, "REQUEST");
    assert_int_equal(hws_endpoint_accept(&s->ep, &s->accept), HWS_OK);
    side_receive(s);
    expect_events(s, "OPEN");
    expect_output(s, "HTTP 101");
}

side *side_open_new(uint8_t role) {
    side *s = side_new(role);
    side_open(s);
    return s;
}

void side_free(side *s) {
    hws_endpoint_release(&s->ep);
    assert_int_equal(s->memory.blocks, 0);
    assert_int_equal(s->memory.bytes, 0);
    hws_endpoint_release(&s->ep);
    assert_null(hws_ready_next(&s->ready));
    assert_true(s->ended <= 1);
    free(s->in);
    free(s);
}

size_t response_for(const uint8_t *request, size_t len, const char *more, char *out, size_t cap) {
    static const char name[] = "Sec-WebSocket-Key: ";
    uint8_t accept[HWS_ACCEPT_LEN];
    size_t at = 0;
    while (at + sizeof name + HWS_KEY_LEN < len &&
           memcmp(request + at, name, sizeof name - 1) != 0) {
        at++;
    }
    assert_true(at + sizeof name + HWS_KEY_LEN < len);
    hws_handshake_accept_value(request + at + sizeof name - 1, accept);
    return (size_t)snprintf(out, cap,
                            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                            "Connection: Upgrade\r\nSec-WebSocket-Accept: %.*s\r\n%s\r\n",
                            HWS_ACCEPT_LEN, (const char *)accept, more);
}

/* --- input --------------------------------------------------------------------------------------
 */

size_t frame_append(uint8_t to_role, uint8_t first_byte, const void *payload, size_t len,
                    uint8_t *out, size_t n) {
    static const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};
    uint8_t mask = to_role == SERVER ? 0x80 : 0;
    size_t i = 0;
    out[n++] = first_byte;
    if (len < 126) {
        out[n++] = (uint8_t)(mask | len);
    } else {
        unsigned shift = len < 65536 ? 16 : 64;
        out[n++] = mask | (len < 65536 ? 126 : 127);
        while (shift > 0) {
            shift -= 8;
            out[n++] = (uint8_t)((uint64_t)len >> shift);
        }
    }
    if (mask != 0) {
        memcpy(out + n, key, sizeof key);
        n += sizeof key;
    }
    while (i < len) {
        out[n++] = (uint8_t)(((const uint8_t *)payload)[i] ^ (mask != 0 ? key[i & 3] : 0));
        i++;
    }
    return n;
}

void side_receive(side *s) {
    hws_event ev;
    unsigned count = 0;
    hws_status status = HWS_EVENT;
    while (status == HWS_EVENT && (s->limit == 0 || count < s->limit)) {
        memset(&ev, 0xA5, sizeof ev);
        status = hws_endpoint_next(&s->ep, s->in, s->in_len, &s->used, &ev);
        assert_true(status == HWS_EVENT || status == HWS_OK);
        assert_true(s->used <= s->in_len);
        if (status == HWS_EVENT) {
            s->ended += ev.type == HWS_END;
            assert_int_equal(s->ended > 0, ev.type == HWS_END); /* the last event */
            if (s->on_event != NULL) {
                s->on_event(s, &ev);
            } else {
                say_event(s, &ev);
            }
        }
        assert_true(++count < MANY_EVENTS);
    }
    if (status == HWS_OK && s->used < s->in_len && !s->ended) {
        assert_int_equal(hws_endpoint_wants(&s->ep) & HWS_WANTS_READ, 0);
    }
}

void side_read(side *s, const void *data, size_t len) {
    size_t rest = s->in_len - s->used;
    uint8_t *in = malloc(rest + len + (rest + len == 0));
    assert_non_null(in);
    if (rest > 0) {
        memcpy(in, s->in + s->used, rest);
    }
    if (len > 0) {
        memcpy(in + rest, data, len);
    }
    free(s->in);
    s->in = in;
    s->in_len = rest + len;
    s->used = 0;
    side_receive(s);
}

void side_read_text(side *s, const char *text) {
    side_read(s, text, strlen(text));
}

void side_read_hex(side *s, const char *hex) {
    uint8_t bytes[4096];
    side_read(s, bytes, hex_decode(hex, bytes, sizeof bytes));
}

void side_read_frame(side *s, uint8_t first_byte, const void *payload, size_t len) {
    uint8_t *bytes = malloc(len + HWS_FRAME_HEADER_MAX);
    assert_non_null(bytes);
    side_read(s, bytes, frame_append(s->config.role, first_byte, payload, len, bytes, 0));
    free(bytes);
}

void side_read_message(side *s, const char *text) {
    side_read_frame(s, 0x81, text, strlen(text));
}

void side_pass(side *s, uint64_t ms) {
    s->now_ms += ms;
    hws_endpoint_tick(&s->ep, s->now_ms);
    side_receive(s);
}

/* --- output -------------------------------------------------------------------------------------
 */

/* Copy at most so many bytes of what was handed out to the wire. */
static size_t take(side *s, const hws_buffer *buffers, size_t count, size_t most) {
    size_t i = 0, n = 0;
    while (i < count && n < most) {
        size_t len = buffers[i].len < most - n ? buffers[i].len : most - n;
        assert_true(buffers[i].len > 0);
        assert_true(s->wire_len + len <= sizeof s->wire);
        memcpy(s->wire + s->wire_len, buffers[i].data, len);
        s->wire_len += len;
        n += len;
        i++;
    }
    return n;
}

size_t side_write(side *s, size_t most) {
    hws_buffer buffers[4];
    size_t written = 0;
    while (written < most) {
        size_t count = hws_endpoint_output(&s->ep, buffers, 4);
        assert_int_equal(count == 0, hws_endpoint_queued(&s->ep) == 0);
        if (count == 0) {
            break;
        }
        size_t n = take(s, buffers, count, most - written);
        assert_int_equal(hws_endpoint_sent(&s->ep, n), HWS_OK);
        written += n;
    }
    return written;
}

/* The end of an HTTP head, and what stands behind a response that refuses. */
static size_t say_http(side *s, size_t at) {
    char word[16] = "GET";
    size_t end = at;
    while (memcmp(s->wire + end, "\r\n\r\n", 4) != 0) {
        end++;
        assert_true(end + 4 <= s->wire_len);
    }
    end += 4;
    if (memcmp(s->wire + at, "HTTP/1.1 ", 9) == 0) {
        snprintf(word, sizeof word, "HTTP %.3s", (const char *)s->wire + at + 9);
    }
    if (memcmp(word, "HTTP", 4) == 0 && memcmp(word + 5, "101", 3) != 0) {
        say(s->frames, &s->frames_len, word, s->wire + end, s->wire_len - end);
        return s->wire_len;
    }
    say(s->frames, &s->frames_len, word, NULL, 0);
    return end;
}

static void say_frame(side *s, const hws_frame *frame, uint8_t *payload) {
    static const uint8_t nothing[1];
    char word[64];
    size_t len = (size_t)frame->payload_len;
    size_t i = 0;
    const char *place = frame->opcode == HWS_OPCODE_CONTINUATION ? (frame->fin ? ">" : "-")
                                                                 : (frame->fin ? "" : "<");
    while (i < len) {
        payload[i] ^= frame->mask_key[i & 3];
        i++;
    }
    assert_int_equal(frame->masked, s->config.role == CLIENT);
    if (frame->opcode == HWS_CLOSE) {
        unsigned code = len >= 2 ? payload[0] * 256U + payload[1] : 0;
        snprintf(word, sizeof word, "CLOSE %u", code);
        say(s->frames, &s->frames_len, word, len >= 2 ? payload + 2 : nothing,
            len >= 2 ? len - 2 : 0);
        return;
    }
    snprintf(word, sizeof word, "%s%s%s", frame->rsv & 4 ? "*" : "", type_name(frame->opcode),
             place);
    say(s->frames, &s->frames_len, word, frame->rsv & 4 ? NULL : len > 0 ? payload : nothing, len);
}

/* Whole frames of what was written; gives the bytes that they take. */
static size_t say_frames(side *s) {
    size_t at = 0;
    uint8_t context = s->config.role == CLIENT ? HWS_FRAME_FROM_CLIENT : 0;
    context |= HWS_FRAME_RSV1;
    if (s->wire_len >= 4 && (memcmp(s->wire, "HTTP", 4) == 0 || memcmp(s->wire, "GET ", 4) == 0)) {
        at = say_http(s, 0);
    }
    while (at < s->wire_len) {
        hws_frame frame;
        hws_status status = hws_frame_decode(s->wire + at, s->wire_len - at, context, &frame);
        if (status == HWS_ERR_CONTINUATION || status == HWS_ERR_INTERLEAVED) {
            context ^= HWS_FRAME_IN_MESSAGE; /* the log starts inside a message */
            status = hws_frame_decode(s->wire + at, s->wire_len - at, context, &frame);
        }
        if (status == HWS_NEED_MORE || frame.payload_len > s->wire_len - at - frame.header_len) {
            break;
        }
        assert_int_equal(status, HWS_OK);
        say_frame(s, &frame, s->wire + at + frame.header_len);
        if (frame.opcode < 8) {
            context = (uint8_t)((context & ~HWS_FRAME_IN_MESSAGE) |
                                (frame.fin ? 0 : HWS_FRAME_IN_MESSAGE));
        }
        at += frame.header_len + (size_t)frame.payload_len;
    }
    return at;
}

void side_expect_events(side *s, const char *events, const char *file, int line) {
    s->events[s->events_len] = 0;
    _assert_string_equal(s->events, events, file, line);
    s->events_len = 0;
}

void side_take_frames(side *s, char *frames) {
    assert_int_equal(say_frames(s), s->wire_len);
    s->frames[s->frames_len] = 0;
    memcpy(frames, s->frames, s->frames_len + 1);
    s->frames_len = 0;
    s->wire_len = 0;
}

void side_expect_output(side *s, const char *frames, const char *file, int line) {
    char seen[LOG_CAP];
    side_write(s, SIZE_MAX);
    side_take_frames(s, seen);
    _assert_string_equal(seen, frames, file, line);
}

void side_expect_end(side *s, hws_status status, const char *file, int line) {
    _assert_int_equal(s->ended, 1, file, line);
    _assert_int_equal((uintmax_t)hws_endpoint_status(&s->ep), (uintmax_t)status, file, line);
    _assert_int_equal(hws_endpoint_wants(&s->ep), HWS_WANTS_CLOSE, file, line);
    _assert_true(hws_endpoint_timeout(&s->ep) == HWS_NEVER, "no deadline", file, line);
    _assert_int_equal(hws_endpoint_can_send(&s->ep), 0, file, line);
}

hws_status side_send(side *s, const void *data, size_t len) {
    return hws_endpoint_send(&s->ep, HWS_BINARY, HWS_WHOLE, data, len);
}

hws_status side_send_text(side *s, const char *text) {
    return hws_endpoint_send(&s->ep, HWS_TEXT, HWS_WHOLE, (const uint8_t *)text, strlen(text));
}

void side_echo(side *s, const hws_event *ev) {
    say_event(s, ev);
    if (ev->type == HWS_REQUEST) {
        assert_int_equal(hws_endpoint_accept(&s->ep, &s->accept), HWS_OK);
    }
    if (ev->type == HWS_TEXT || ev->type == HWS_BINARY) {
        hws_status status = hws_endpoint_send(&s->ep, ev->type, ev->flags, ev->data, ev->len);
        assert_true(status == HWS_OK || status == HWS_BACKPRESSURE);
    }
}

hws_closing side_closing(const side *s) {
    hws_closing closing;
    hws_conn_get_closing(hws_endpoint_conn(&s->ep), &closing);
    return closing;
}
