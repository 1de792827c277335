#include "compressed.h"

#include <stdlib.h>
#include <string.h>

/* The length of a block stands before it. */
enum { COUNTED = 16 };

static void *count_alloc(void *user, size_t len) {
    counter *c = user;
    c->calls++;
    if (c->fail_at != 0 && (c->calls == c->fail_at || (c->fail_rest && c->calls > c->fail_at))) {
        c->failures++;
        return NULL;
    }
    uint8_t *block = malloc(COUNTED + len);
    assert_non_null(block);
    memcpy(block, &len, sizeof len);
    memset(block + COUNTED, 0xA5, len); /* nobody may rely on zeros */
    c->blocks++;
    c->bytes += len;
    return block + COUNTED;
}

static void count_release(void *user, void *memory) {
    counter *c = user;
    size_t len;
    assert_non_null(memory);
    uint8_t *block = (uint8_t *)memory - COUNTED;
    memcpy(&len, block, sizeof len);
    assert_true(c->blocks > 0 && c->bytes >= len);
    c->blocks--;
    c->bytes -= len;
    memset(block, 0x5A, COUNTED + len);
    free(block);
}

hws_allocator counter_allocator(counter *c) {
    return (hws_allocator){count_alloc, count_release, c};
}

setup setup_default(void) {
    return (setup){.agreed_bits = 15, .window_bits = 15, .level = 6, .mem_level = 8};
}

hws_deflate_params setup_agreed(const setup *s) {
    uint8_t client = s->role == HWS_ROLE_CLIENT;
    hws_deflate_params agreed = {
        .enabled = s->agreed_bits != 0, .server_max_window_bits = 15, .client_max_window_bits = 15};
    *(client ? &agreed.client_max_window_bits : &agreed.server_max_window_bits) = s->agreed_bits;
    *(client ? &agreed.client_no_context_takeover : &agreed.server_no_context_takeover) =
        s->no_takeover;
    return agreed;
}

hws_deflate_options setup_options(const setup *s) {
    hws_deflate_options options;
    hws_deflate_options_init(&options, s->role, HWS_DEFLATE_BALANCED);
    options.codec = hws_codec_zlib();
    options.threshold = s->threshold;
    options.settings.window_bits = s->window_bits;
    options.settings.level = s->level;
    options.settings.mem_level = s->mem_level;
    options.shared = s->shared;
    if (s->memory != NULL) {
        options.settings.allocator = counter_allocator(s->memory);
    }
    return options;
}

void sender_open(sender *s, const setup *how) {
    hws_deflate_params agreed = setup_agreed(how);
    hws_deflate_options options = setup_options(how);
    hws_conn_config config;
    hws_conn_config_init(&config, how->role);
    config.random = test_random_fill;
    config.random_user = &s->random;
    config.compression = how->agreed_bits != 0;
    s->random = (test_random){.seed = 5};
    assert_int_equal(hws_conn_init(&s->conn, &config), HWS_OK);
    assert_int_equal(hws_deflate_init(&s->deflate, &agreed, &options), HWS_OK);
}

unsigned sender_send(sender *s, uint8_t type, uint8_t flags, const void *data, size_t len,
                     size_t cap, uint8_t *out, size_t *n) {
    hws_status status = HWS_MORE;
    size_t used = 0;
    unsigned calls = 0;
    while (status == HWS_MORE) {
        size_t made = 0;
        size_t before = used;
        status = hws_deflate_send(&s->deflate, &s->conn, type, flags, data, len, &used, out + *n,
                                  cap, &made);
        assert_true(status == HWS_OK || status == HWS_MORE);
        assert_true(made > 0 && made <= cap && used >= before && used <= len);
        *n += made;
        calls++;
    }
    assert_int_equal(used, len);
    return calls;
}

void reader_open(reader *r, const setup *how) {
    memset(r, 0, sizeof *r);
    r->client = how->role == HWS_ROLE_CLIENT;
    r->compression = how->agreed_bits != 0;
    r->no_takeover = how->no_takeover;
    if (r->compression) {
        assert_int_equal(inflateInit2(&r->z, -how->agreed_bits), Z_OK);
    }
}

void reader_close(reader *r) {
    if (r->compression) {
        assert_int_equal(inflateEnd(&r->z), Z_OK);
    }
}

/* Byte by byte: to zlib, what it writes in one call can be referred to as well as the window. */
static void inflate_bytes(reader *r, const uint8_t *bytes, size_t len) {
    r->z.next_in = (Bytef *)(uintptr_t)bytes;
    r->z.avail_in = (uInt)len;
    r->z.avail_out = 0;
    while (r->z.avail_out == 0) {
        assert_true(r->plain_len < READER_CAP);
        r->z.next_out = r->plain + r->plain_len;
        r->z.avail_out = 1;
        int result = inflate(&r->z, Z_SYNC_FLUSH);
        assert_true(result == Z_OK || result == Z_BUF_ERROR);
        r->plain_len += 1 - r->z.avail_out;
    }
    assert_int_equal(r->z.avail_in, 0);
}

/* RFC 7692 7.2.2. */
static void finish_message(reader *r) {
    static const uint8_t tail[4] = {0x00, 0x00, 0xFF, 0xFF};
    r->open = 0;
    r->messages++;
    r->plain_len = 0;
    if (!r->compressed) {
        memcpy(r->plain, r->payload, r->payload_len);
        r->plain_len = r->payload_len;
        return;
    }
    if (r->no_takeover) {
        assert_int_equal(inflateReset(&r->z), Z_OK);
    }
    inflate_bytes(r, r->payload, r->payload_len);
    inflate_bytes(r, tail, sizeof tail);
    assert_int_equal(r->z.data_type & 128, 128); /* at the end of a block … */
    assert_int_equal(r->z.data_type & 64, 0);    /* … that was not the last, … */
    assert_int_equal(r->z.data_type & 63, 0);    /* … at the end of a byte */
}

/* RFC 6455 5.2, in the shortest form. */
static size_t frame_len(const uint8_t *bytes, size_t len, size_t *at) {
    size_t len7 = bytes[*at + 1] & 0x7F;
    size_t count = len7 < 126 ? 0 : len7 == 126 ? 2 : 8;
    size_t value = count == 0 ? len7 : 0;
    size_t i = 0;
    assert_true(len - *at >= 2 + count);
    while (i < count) {
        value = value << 8 | bytes[*at + 2 + i];
        i++;
    }
    assert_true(count == 0 || value >= (count == 2 ? 126 : 65536));
    *at += 2 + count;
    return value;
}

/* RFC 6455 5.4 and RFC 7692 6: what this frame is of its message. */
static void judge_first_byte(reader *r, uint8_t first) {
    uint8_t opcode = first & 0x0F;
    assert_int_equal(first & 0x30, 0);
    if (opcode >= 8) {
        assert_int_equal(first & 0xC0, 0x80);
        return;
    }
    if (r->open != 0) {
        assert_int_equal(opcode, 0);
        assert_int_equal(first & 0x40, 0);
        return;
    }
    assert_true(opcode == HWS_TEXT || opcode == HWS_BINARY);
    r->open = r->type = opcode;
    r->compressed = (first & 0x40) != 0;
    assert_true(r->compression || !r->compressed);
    r->fragments = 0;
    r->payload_len = 0;
}

int reader_frame(reader *r, const uint8_t *bytes, size_t len, size_t *at) {
    assert_true(len - *at >= 2);
    uint8_t first = bytes[*at];
    uint8_t key[4] = {0, 0, 0, 0};
    size_t i = 0;
    judge_first_byte(r, first);
    assert_int_equal(bytes[*at + 1] >> 7, r->client);
    size_t payload_len = frame_len(bytes, len, at);
    if (r->client) {
        assert_true(len - *at >= 4);
        memcpy(key, bytes + *at, 4);
        *at += 4;
    }
    assert_true(len - *at >= payload_len);
    const uint8_t *payload = bytes + *at;
    *at += payload_len;
    if ((first & 0x0F) >= 8) {
        r->controls++;
        return 0;
    }
    assert_true(payload_len <= READER_CAP - r->payload_len);
    while (i < payload_len) {
        r->payload[r->payload_len + i] = payload[i] ^ key[i % 4];
        i++;
    }
    r->payload_len += payload_len;
    r->fragments++;
    if ((first & 0x80) == 0) {
        return 0;
    }
    finish_message(r);
    return 1;
}

void reader_expect(reader *r, const uint8_t *bytes, size_t len, uint8_t type, const void *plain,
                   size_t plain_len) {
    unsigned before = r->messages;
    size_t at = 0;
    while (at < len) {
        (void)reader_frame(r, bytes, len, &at);
    }
    assert_int_equal(r->open, 0);
    assert_int_equal(r->messages, before + 1);
    assert_int_equal(r->type, type);
    assert_int_equal(r->plain_len, plain_len);
    if (plain_len > 0) {
        assert_memory_equal(r->plain, plain, plain_len);
    }
}

static size_t below(uint64_t *seed, size_t bound) {
    return (size_t)(random_next(seed) >> 33) % bound;
}

/* Words that come again and again, near and far: what DEFLATE is good at. */
static void fill_words(uint64_t *seed, uint8_t *dst, size_t len) {
    static const char *const words[] = {
        "{\"id\":",          "\"price\":", "\"\xe2\x82\xac\"", ", ",     "hawser", "0.125",
        "\xc3\xa9t\xc3\xa9", "\n",         "\"symbol\":",      "EURUSD", "}",      "   "};
    size_t n = 0;
    while (n < len) {
        const char *word = words[below(seed, sizeof words / sizeof words[0])];
        size_t word_len = strlen(word);
        if (word_len > len - n) {
            memset(dst + n, 'x', len - n);
            return;
        }
        memcpy(dst + n, word, word_len);
        n += word_len;
        if (len - n > 4 && below(seed, 3) == 0) {
            dst[n] = (uint8_t)('a' + below(seed, 26));
            n++;
        }
    }
}

/* Random letters, with copies of what came before at all distances. */
static void fill_copies(uint64_t *seed, uint8_t *dst, size_t len) {
    size_t n = 0;
    while (n < len) {
        size_t part = 1 + below(seed, 300);
        size_t distance = n > 0 ? 1 + below(seed, n) : 0;
        size_t i = 0;
        part = part < len - n ? part : len - n;
        while (i < part) {
            dst[n] = distance > 0 ? dst[n - distance] : (uint8_t)('!' + below(seed, 90));
            n++;
            i++;
        }
        distance = below(seed, 2) ? 0 : distance;
        while (distance == 0 && n < len && below(seed, 40) != 0) {
            dst[n] = (uint8_t)('!' + below(seed, 90));
            n++;
        }
    }
}

void content_fill(uint64_t *seed, enum content kind, uint8_t *dst, size_t len) {
    switch (kind) {
    case CONTENT_BYTE:
        memset(dst, (int)('a' + below(seed, 26)), len);
        return;
    case CONTENT_WORDS:
        fill_words(seed, dst, len);
        return;
    case CONTENT_COPIES:
        fill_copies(seed, dst, len);
        return;
    case CONTENT_NOISE:
    case CONTENT_KINDS:
    default:
        random_fill(seed, dst, len);
        return;
    }
}
