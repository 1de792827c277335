/*
 * Random streams of mostly good frames, through every variant of the harness, against a model that
 * sees each stream whole. The model takes frame headers from hws_frame_decode(), which test_frame
 * proves, and shares nothing else with the connection.
 */
#include "harness.h"

#include <stdio.h>
#include <string.h>

enum { SERVER = HWS_ROLE_SERVER };

#ifdef HWS_TEST_REDUCED
enum { STREAMS = 30 };
#else
enum { STREAMS = 300 };
#endif

enum { STREAM_CAP = 4096, TRACE_CAP = 1 << 15 };

/* What the model knows of a stream. It reads frame after frame with all bytes at hand. */
typedef struct model {
    const row *spec;
    const uint8_t *bytes;
    size_t len;
    size_t at;
    uint8_t message[STREAM_CAP];
    size_t message_len;
    uint64_t fragments;
    uint8_t type; /* of the message, 0 for none */
    uint8_t compressed;
    char trace[TRACE_CAP];
    size_t trace_len;
} model;

static void say(model *m, const char *name, const uint8_t *data, size_t len) {
    size_t i = 0;
    if (m->trace_len > 0) {
        m->trace_len += (size_t)sprintf(m->trace + m->trace_len, "; ");
    }
    m->trace_len += (size_t)sprintf(m->trace + m->trace_len, "%s", name);
    if (data == NULL) {
        return;
    }
    if (len > 64) {
        m->trace_len += (size_t)sprintf(m->trace + m->trace_len, " [%zu]", len);
        return;
    }
    m->trace_len += (size_t)sprintf(m->trace + m->trace_len, " \"");
    while (i < len) {
        int plain = data[i] >= ' ' && data[i] <= '~' && data[i] != '\\';
        m->trace_len += (size_t)sprintf(m->trace + m->trace_len, plain ? "%c" : "\\%02x", data[i]);
        i++;
    }
    m->trace_len += (size_t)sprintf(m->trace + m->trace_len, "\"");
}

static void say_at(model *m, const char *name, size_t at) {
    char text[64];
    sprintf(text, "%s @%zu", name, at);
    say(m, text, NULL, 0);
}

static void say_close(model *m, unsigned code) {
    char text[32];
    sprintf(text, code == 1005 ? ">close" : ">close %u", code);
    say(m, text, NULL, 0);
}

static int say_fault(model *m, hws_status status, size_t at) {
    say_close(m, hws_status_close_code(status));
    say_at(m, hws_status_name(status), at);
    return 0;
}

/* Whether some code point of UTF-8 begins with these bytes: 0 no, 1 yes, 2 these are all of it. It
 * fills the missing bits with zeros and ones, and looks whether a code point of that size lies
 * between. RFC 3629 3. */
static int code_point(const uint8_t *data, size_t have) {
    static const uint32_t lowest[5] = {0, 0, 0x80, 0x800, 0x10000};
    static const uint32_t highest[5] = {0, 0x7F, 0x7FF, 0xFFFF, 0x10FFFF};
    size_t size = data[0] < 0x80   ? 1
                  : data[0] < 0xC0 ? 0
                  : data[0] < 0xE0 ? 2
                  : data[0] < 0xF0 ? 3
                                   : 4;
    uint32_t low = data[0];
    uint32_t high = low;
    size_t i = 1;

    if (size == 0 || data[0] >= 0xF8) {
        return 0;
    }
    low = high = size == 1 ? low : low % (0x80U >> size);
    while (i < size) {
        if (i < have && data[i] / 64 != 2) {
            return 0;
        }
        low = low * 64 + (i < have ? data[i] % 64 : 0);
        high = high * 64 + (i < have ? data[i] % 64 : 63);
        i++;
    }
    if (high < lowest[size] || low > highest[size] || (low >= 0xD800 && high <= 0xDFFF)) {
        return 0;
    }
    return have == size ? 2 : 1;
}

/* The first byte that no text can have there, or len; `open` when it ends inside a code point. */
static size_t text_bad_at(const uint8_t *data, size_t len, int *open) {
    size_t start = 0;
    size_t have = 1;
    *open = 0;
    while (start + have <= len) {
        int good = code_point(data + start, have);
        if (good == 0) {
            return start + have - 1;
        }
        *open = good == 1;
        start += good == 2 ? have : 0;
        have = good == 2 ? 1 : have + 1;
    }
    return len;
}

static int model_close(model *m, const uint8_t *data, size_t len) {
    unsigned code = len == 0 ? 1005U : data[0] * 256U + data[1];
    char name[32];
    int open;

    if (len > 0 && !close_code_may_be_sent(code)) {
        return say_fault(m, HWS_ERR_CLOSE_CODE, m->at);
    }
    if (len > 0 && (text_bad_at(data + 2, len - 2, &open) < len - 2 || open)) {
        return say_fault(m, HWS_ERR_CLOSE_REASON, m->at);
    }
    sprintf(name, "close %u", code);
    say(m, name, data + 2, len > 0 ? len - 2 : 0);
    say_close(m, code);
    say_at(m, "ended", m->at);
    return 0;
}

static int model_control(model *m, const hws_frame *frame, const uint8_t *data) {
    size_t len = (size_t)frame->payload_len;
    if (len > m->len - m->at) {
        m->at = m->len;
        return 1;
    }
    m->at += len;
    if (frame->opcode == HWS_CLOSE) {
        return model_close(m, data, len);
    }
    say(m, frame->opcode == HWS_PING ? "ping" : "pong", data, len);
    if (frame->opcode == HWS_PING) {
        say(m, ">pong", data, len);
    }
    return 1;
}

static int model_data(model *m, const hws_frame *frame, const uint8_t *data) {
    static const char *const names[2][3] = {{"", "text", "binary"}, {"", "text*", "binary*"}};
    size_t n = m->len - m->at < frame->payload_len ? m->len - m->at : (size_t)frame->payload_len;
    size_t before = m->message_len;
    int open = 0;

    if (frame->opcode != HWS_OPCODE_CONTINUATION) {
        m->type = frame->opcode;
        m->compressed = frame->rsv != 0;
    }
    memcpy(m->message + before, data, n);
    m->message_len += n;
    m->fragments++;
    if (m->type == HWS_TEXT && !m->compressed) {
        size_t bad = text_bad_at(m->message, m->message_len, &open);
        if (bad < m->message_len) {
            return say_fault(m, HWS_ERR_UTF8, m->at + (bad - before) + 1);
        }
    }
    m->at += n;
    if (n < frame->payload_len || !frame->fin) {
        return 1;
    }
    if (open) {
        return say_fault(m, HWS_ERR_UTF8, m->at);
    }
    say(m, names[m->compressed][m->type], m->message, m->message_len);
    m->type = 0;
    m->message_len = 0;
    m->fragments = 0;
    return 1;
}

/* A compressed message may be longer than the limit, since its plain text need not be (conn.h). */
static uint64_t max_payload(const model *m, uint8_t first) {
    uint64_t limit = m->spec->max_message;
    int compressed = m->type != 0 ? m->compressed : (first & 0x40) != 0;
    return compressed ? limit + limit / 4 + 1024 + 16 * m->fragments : limit;
}

/* The limits, which are judged before a header is complete. 0 when one of them ends it all. */
static int model_limits(model *m, uint8_t context) {
    const uint8_t *header = m->bytes + m->at;
    size_t have = m->len - m->at;
    hws_frame frame;
    uint64_t len = 0;
    size_t i = 2;

    hws_status status = hws_frame_decode(header, 1, context, &frame);
    if (status == HWS_NEED_MORE && header[0] % 16 < 8 && m->fragments == m->spec->max_fragments) {
        return say_fault(m, HWS_ERR_FRAGMENTS, m->at + 1);
    }
    status = hws_frame_decode(header, have, context, &frame);
    if (status < 0) {
        return say_fault(m, status, m->at + frame.header_len);
    }
    size_t end = have < 2 || header[1] % 128 < 126 ? 2 : header[1] % 128 == 126 ? 4 : 10;
    if (have < end || header[0] % 16 >= 8) {
        return 1;
    }
    len = end == 2 ? header[1] % 128 : 0;
    while (i < end) {
        len = len * 256 + header[i];
        i++;
    }
    return len > max_payload(m, header[0]) - m->message_len
               ? say_fault(m, HWS_ERR_MESSAGE_TOO_BIG, m->at + end)
               : 1;
}

static void run_model(model *m) {
    uint8_t payload[STREAM_CAP];
    while (m->at < m->len) {
        uint8_t context = (uint8_t)((m->spec->role == SERVER ? HWS_FRAME_FROM_CLIENT : 0) |
                                    (m->spec->compression ? HWS_FRAME_RSV1 : 0) |
                                    (m->type != 0 ? HWS_FRAME_IN_MESSAGE : 0));
        hws_frame frame;
        size_t i = 0;
        if (!model_limits(m, context)) {
            return;
        }
        if (hws_frame_decode(m->bytes + m->at, m->len - m->at, context, &frame) != HWS_OK) {
            break; /* a header that is not complete */
        }
        m->at += frame.header_len;
        while (m->at + i < m->len) {
            payload[i] = m->bytes[m->at + i] ^ frame.mask_key[i % 4];
            i++;
        }
        if (!(frame.opcode >= HWS_CLOSE ? model_control : model_data)(m, &frame, payload)) {
            return;
        }
    }
    say_at(m, "open", m->len);
}

static size_t random_below(uint64_t *seed, size_t bound) {
    return (size_t)(random_next(seed) >> 33) % bound;
}

/* Text, mostly good, cut anywhere; or a Close code before it. */
static size_t random_payload(uint64_t *seed, uint8_t opcode, uint8_t *out) {
    static const char *const parts[] = {"a",
                                        "Hello, ",
                                        "\xc3\xa9",
                                        "\xe2\x82\xac",
                                        "\xef\xbf\xbf",
                                        "\xf0\x9f\x98\x80",
                                        "\xf4\x8f\xbf\xbf",
                                        "0123456789abcdef"};
    size_t count = random_below(seed, random_below(seed, 8) == 0 ? 24 : 6);
    size_t n = 0;

    if (opcode == HWS_CLOSE && count > 0) {
        unsigned code = random_below(seed, 4) == 0 ? (unsigned)random_below(seed, 5100) : 1000;
        out[n++] = (uint8_t)(code >> 8);
        out[n++] = (uint8_t)code;
    }
    while (count > 0) {
        const char *part = parts[random_below(seed, 8)];
        memcpy(out + n, part, strlen(part));
        n += strlen(part);
        count--;
    }
    if (n > 0 && random_below(seed, 24) == 0) {
        out[random_below(seed, n)] ^= (uint8_t)(1U << random_below(seed, 8));
    }
    return opcode >= HWS_CLOSE && n > 125 ? 125 : n;
}

/* One frame; now and then with a bit of its first two bytes wrong, or a longer length. */
static size_t random_frame(uint64_t *seed, const row *spec, uint8_t *in_message, uint8_t *out) {
    static const uint8_t opcodes[] = {1, 1, 2, 9, 10, 1, 2, 1};
    uint8_t opcode = random_below(seed, 12) == 0 ? 8 : opcodes[random_below(seed, 8)];
    hws_frame frame = {.fin = 1, .masked = spec->role == SERVER};
    uint8_t payload[1024];
    size_t n = 0;
    size_t i = 0;

    if (opcode < 8) {
        frame.fin = random_below(seed, 3) > 0;
        frame.rsv = !*in_message && spec->compression && random_below(seed, 2) ? 4 : 0;
        opcode = *in_message ? 0 : opcode;
        *in_message = !frame.fin;
    }
    frame.opcode = opcode;
    frame.payload_len = random_payload(seed, opcode, payload);
    random_fill(seed, frame.mask_key, 4);
    uint8_t context = (uint8_t)((frame.masked ? HWS_FRAME_FROM_CLIENT : 0) | HWS_FRAME_RSV1 |
                                (opcode == 0 ? HWS_FRAME_IN_MESSAGE : 0));
    assert_int_equal(hws_frame_encode(&frame, context, out, HWS_FRAME_HEADER_MAX, &n), HWS_OK);
    while (i < frame.payload_len) {
        out[n + i] = payload[i] ^ (frame.masked ? frame.mask_key[i % 4] : 0);
        i++;
    }
    if (random_below(seed, 16) == 0) {
        out[random_below(seed, 2)] ^= (uint8_t)(1U << random_below(seed, 8));
    }
    return n + i;
}

static void random_stream(uint64_t seed) {
    static model m;
    uint8_t bytes[STREAM_CAP];
    row spec = {.name = "a random stream"};
    size_t frames = 1 + random_below(&seed, 10);
    uint8_t in_message = 0;
    size_t len = 0;

    spec.role = (uint8_t)random_below(&seed, 2);
    spec.compression = (uint8_t)random_below(&seed, 2);
    spec.max_message = random_below(&seed, 3) == 0 ? 40 : 1 << 20;
    spec.max_fragments = random_below(&seed, 3) == 0 ? 2 : 1000;
    while (frames > 0) {
        len += random_frame(&seed, &spec, &in_message, bytes + len);
        frames--;
    }
    len -= random_below(&seed, 4) == 0 ? random_below(&seed, len) : 0;
    memset(&m, 0, sizeof m);
    m.spec = &spec;
    m.bytes = bytes;
    m.len = len;
    run_model(&m);
    spec.trace = m.trace;
    harness_run_bytes(&spec, bytes, len);
}

static void random_streams_do_what_the_model_says(void **state) {
    uint64_t seed = 1;
    (void)state;
    while (seed <= STREAMS) {
        random_stream(seed * UINT64_C(0x9E3779B97F4A7C15));
        seed++;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_streams_do_what_the_model_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
