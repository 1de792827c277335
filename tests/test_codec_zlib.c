/*
 * The compressor of the codec over zlib, by the contract of codec.h: from span to span, at every
 * capacity. Its decompressor is in test_codec_inflate.c.
 */
#include "compressed.h"

#include <hawser/status.h>

#include <string.h>

enum { LEN = 3000, PACKED_CAP = 8192 };

/* A flush is written in one go: this much room is the least that it gets along with. */
enum { LEAST_ROOM = 7 };

static const hws_codec *codec(void) {
    return hws_codec_zlib();
}

static hws_codec_settings settings_with(uint8_t window_bits, uint8_t level, uint8_t mem_level) {
    return (hws_codec_settings){.window_bits = window_bits, .level = level, .mem_level = mem_level};
}

static void *make_compressor(uint8_t window_bits, uint8_t level, uint8_t mem_level) {
    hws_codec_settings settings = settings_with(window_bits, level, mem_level);
    void *state = NULL;
    assert_int_equal(codec()->compressor_make(&settings, &state), HWS_OK);
    assert_non_null(state);
    return state;
}

static void *make_decompressor(uint8_t window_bits) {
    hws_codec_settings settings = settings_with(window_bits, 1, 1);
    void *state = NULL;
    assert_int_equal(codec()->decompressor_make(&settings, &state), HWS_OK);
    assert_non_null(state);
    return state;
}

/* --- compressing --------------------------------------------------------------------------------
 */

/* Compress in buffers of `cap` bytes that end where nobody may write. Returns the bytes. */
static size_t compress_by(void *state, const uint8_t *data, size_t len, uint8_t flush, size_t cap,
                          uint8_t *out) {
    hws_status status = HWS_MORE;
    size_t total = 0;
    size_t used = 0;
    uint8_t *room = guard_alloc(cap);
    while (status == HWS_MORE) {
        size_t n = 0;
        status = codec()->compress(state, data, len, &used, flush, room, cap, &n);
        assert_true(status == HWS_OK || (status == HWS_MORE && n > 0));
        assert_true(n <= cap && used <= len);
        memcpy(out + total, room, n);
        total += n;
    }
    assert_int_equal(used, len);
    guard_free(room, cap);
    return total;
}

/* Decompress all that there is, and no more. */
static size_t decompress_all(void *state, const uint8_t *packed, size_t len, uint8_t *plain,
                             size_t cap) {
    size_t used = 0;
    size_t n = 0;
    assert_int_equal(codec()->decompress(state, packed, len, &used, plain, cap, &n), HWS_OK);
    assert_int_equal(used, len);
    return n;
}

static void expect_plain(void *state, const uint8_t *packed, size_t len, const void *plain,
                         size_t plain_len) {
    static uint8_t got[1 << 17];
    assert_int_equal(decompress_all(state, packed, len, got, sizeof got), plain_len);
    if (plain_len > 0) {
        assert_memory_equal(got, plain, plain_len);
    }
}

static void the_table_is_complete(void **state) {
    const hws_codec *c = codec();
    (void)state;
    assert_int_equal(c->size, sizeof *c);
    assert_int_equal(c->min_window_bits, 9);
    assert_ptr_equal(c, codec());
    assert_true(c->compressor_make && c->compressor_release && c->compressor_reset && c->compress &&
                c->compressor_follow);
    assert_true(c->decompressor_make && c->decompressor_release && c->decompressor_reset &&
                c->decompress && c->decompress_end);
}

/* RFC 7692 7.2.1: four bytes are removed from the end. An empty block more would stay. */
static void expect_one_flush(const uint8_t *out, size_t n) {
    static const uint8_t twice[9] = {0x00, 0x00, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0xFF, 0xFF};
    assert_true(n >= 4);
    assert_memory_equal(out + n - 4, twice, 4);
    assert_true(n < sizeof twice || memcmp(out + n - sizeof twice, twice, sizeof twice) != 0);
}

/* In three spans, each flushed: also where a flush finds little room. */
static size_t compress_spans(const hws_codec_settings *how, const uint8_t *data, size_t cap,
                             uint8_t *out) {
    static const size_t ends[] = {1, 1000, LEN};
    void *state = make_compressor(how->window_bits, how->level, how->mem_level);
    size_t total = 0;
    size_t at = 0;
    size_t i = 0;
    while (i < 3) {
        size_t n = compress_by(state, data + at, ends[i] - at, 1, cap, out + total);
        expect_one_flush(out + total, n);
        total += n;
        at = ends[i];
        i++;
    }
    codec()->compressor_release(state);
    return total;
}

/* zlib writes the same bytes at every capacity. zlib-ng begins a block more or less, which is as
 * good: a few bytes. */
static void what_is_written_at_any_capacity_is_read(void **state) {
    enum { BLOCKS = 24 };
    static uint8_t data[LEN];
    static uint8_t out[PACKED_CAP];
    uint64_t seed = 31;
    unsigned i = 0;
    (void)state;
    while (i < 9 * CONTENT_KINDS) {
        hws_codec_settings how =
            settings_with((uint8_t)(9 + i % 7), (uint8_t)(1 + i % 9), (uint8_t)(1 + i / 4));
        void *peer = make_decompressor(how.window_bits);
        size_t cap = LEAST_ROOM;
        content_fill(&seed, (enum content)(i % CONTENT_KINDS), data, LEN);
        size_t len = compress_spans(&how, data, PACKED_CAP, out);
        expect_plain(peer, out, len, data, LEN);
        while (cap < LEN + 100) {
            size_t n = compress_spans(&how, data, cap, out);
            assert_in_range(n, len - BLOCKS, len + BLOCKS);
            codec()->decompressor_reset(peer);
            expect_plain(peer, out, n, data, LEN);
            cap += cap < 40 ? 1 : cap / 7;
        }
        codec()->decompressor_release(peer);
        i++;
    }
}

/* The last byte of a block, and the empty one behind it, with every amount of room left for it. */
static void a_flush_is_written_once_however_little_room_there_is(void **state) {
    static uint8_t data[LEN];
    uint8_t whole[512];
    uint8_t parts[512];
    uint64_t seed = 32;
    size_t len = 1;
    (void)state;
    content_fill(&seed, CONTENT_COPIES, data, LEN);
    while (len < 100) { /* the bits end at every place in a byte */
        void *c = make_compressor(9, 6, 1);
        size_t n = compress_by(c, data, len, 1, sizeof whole, whole);
        size_t cap = LEAST_ROOM;
        while (cap <= n + 8) {
            codec()->compressor_reset(c);
            assert_int_equal(compress_by(c, data, len, 1, cap, parts), n);
            assert_memory_equal(whole, parts, n);
            cap++;
        }
        codec()->compressor_release(c);
        len++;
    }
}

static void a_flush_of_nothing_writes_nothing(void **state) {
    uint8_t out[64];
    size_t used = 0;
    size_t n = 0;
    void *c = make_compressor(15, 6, 8);
    (void)state;
    assert_int_equal(codec()->compress(c, NULL, 0, &used, 1, out, sizeof out, &n), HWS_OK);
    assert_int_equal(codec()->compress(c, NULL, 0, &used, 0, out, sizeof out, &n), HWS_OK);
    assert_int_equal(n, 0);
    assert_int_equal(compress_by(c, (const uint8_t *)"Hello", 5, 1, sizeof out, out), 11);
    assert_memory_equal(out, "\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff", 11);
    assert_int_equal(codec()->compress(c, NULL, 0, &used, 1, out, sizeof out, &n), HWS_OK);
    assert_int_equal(compress_by(c, (const uint8_t *)"Hello", 5, 0, sizeof out, out), 0);
    codec()->compressor_reset(c); /* what came is gone */
    assert_int_equal(codec()->compress(c, NULL, 0, &used, 1, out, sizeof out, &n), HWS_OK);
    assert_int_equal(n, 0);
    codec()->compressor_release(c);
}

/* Without flush the bytes may stay inside; the flush after them brings all, also when it comes with
 * none of its own. */
static void bytes_without_a_flush_come_with_the_next(void **state) {
    static uint8_t data[LEN];
    static uint8_t out[PACKED_CAP];
    uint64_t seed = 33;
    size_t i = 0;
    (void)state;
    while (i < CONTENT_KINDS) {
        void *c = make_compressor(12, 6, 1);
        void *peer = make_decompressor(12);
        content_fill(&seed, (enum content)i, data, LEN);
        size_t n = compress_by(c, data, 10, 0, 100, out);
        n += compress_by(c, data + 10, 1990, 0, 9, out + n);
        n += compress_by(c, data + 2000, LEN - 2000, 0, 1, out + n);
        n += compress_by(c, NULL, 0, 1, LEAST_ROOM, out + n);
        assert_memory_equal(out + n - 4, "\x00\x00\xff\xff", 4);
        expect_plain(peer, out, n, data, LEN);
        codec()->compressor_release(c);
        codec()->decompressor_release(peer);
        i++;
    }
}

static void a_reset_makes_a_compressor_as_new(void **state) {
    static uint8_t data[LEN];
    static uint8_t first[PACKED_CAP];
    static uint8_t again[PACKED_CAP];
    uint64_t seed = 34;
    uint8_t level = 1;
    (void)state;
    content_fill(&seed, CONTENT_COPIES, data, LEN);
    while (level <= 9) {
        void *c = make_compressor(12, level, 5);
        size_t n = compress_by(c, data, LEN, 1, PACKED_CAP, first);
        codec()->compressor_reset(c);
        assert_int_equal(compress_by(c, data, LEN, 1, PACKED_CAP, again), n);
        assert_memory_equal(first, again, n);
        size_t used = 0;
        size_t half = 0;
        codec()->compressor_reset(c);
        assert_int_equal(codec()->compress(c, data, LEN, &used, 1, again, 50, &half), HWS_MORE);
        codec()->compressor_reset(c); /* in the middle of a message */
        assert_int_equal(compress_by(c, data, LEN, 1, PACKED_CAP, again), n);
        assert_memory_equal(first, again, n);
        codec()->compressor_release(c);
        level++;
    }
}

static void more_effort_makes_less(void **state) {
    static uint8_t data[LEN];
    static uint8_t out[PACKED_CAP];
    uint64_t seed = 38;
    size_t n[10];
    uint8_t level = 1;
    (void)state;
    content_fill(&seed, CONTENT_WORDS, data, LEN);
    while (level <= 9) {
        void *c = make_compressor(12, level, 8);
        n[level] = compress_by(c, data, LEN, 1, PACKED_CAP, out);
        codec()->compressor_release(c);
        level++;
    }
    assert_true(n[9] <= n[6] && n[6] < n[4] && n[4] < n[1]);
}

/* --- following ----------------------------------------------------------------------------------
 */

/* Random letters: compress some, follow more, and repeat what was followed. The peer, who has both
 * by another way, reads it, and it is short. */
static void follow_and_repeat(const hws_codec_settings *how, const uint8_t *data, size_t before,
                              size_t followed) {
    static uint8_t out[1 << 17];
    size_t window = (size_t)1 << how->window_bits;
    size_t again = followed < window - 300 ? followed : window - 300;
    void *ours = make_compressor(how->window_bits, how->level, how->mem_level);
    void *other = make_compressor(how->window_bits, how->level, how->mem_level);
    void *peer = make_decompressor(how->window_bits);
    size_t n = 0;

    if (before > 0) {
        n = compress_by(ours, data, before, 1, sizeof out, out);
        expect_plain(peer, out, n, data, before);
    }
    codec()->compressor_follow(ours, data + before, followed);
    if (followed > 0) {
        n = compress_by(other, data + before, followed, 1, sizeof out, out);
        expect_plain(peer, out, n, data + before, followed);
    }
    const uint8_t *end = data + before + followed - again;
    n = compress_by(ours, end, again, 1, sizeof out, out);
    expect_plain(peer, out, n, end, again);
    assert_true(n < 20 + again / 10);
    codec()->compressor_release(ours);
    codec()->compressor_release(other);
    codec()->decompressor_release(peer);
}

static void what_was_followed_can_be_referred_to(void **state) {
    static const size_t before[] = {0, 1, 100, 511, 513, 5000};
    static const size_t followed[] = {0, 3, 100, 212, 512, 513, 4096, 40000};
    static uint8_t data[45001];
    uint64_t seed = 35;
    unsigned i = 0;
    (void)state;
    content_fill(&seed, CONTENT_NOISE, data, sizeof data);
    while (i < 6 * 8 * 7) {
        hws_codec_settings how =
            settings_with((uint8_t)(9 + i / 48), (uint8_t)(1 + i % 9), (uint8_t)(1 + i / 8 % 9));
        follow_and_repeat(&how, data, before[i % 6], followed[i / 6 % 8]);
#ifdef HWS_TEST_REDUCED
        i += 4;
#endif
        i++;
    }
}

static void follows_add_up(void **state) {
    uint8_t data[900];
    uint8_t out[PACKED_CAP];
    uint64_t seed = 36;
    void *c = make_compressor(12, 6, 5);
    void *twin = make_compressor(12, 6, 5);
    void *peer = make_decompressor(12);
    (void)state;
    content_fill(&seed, CONTENT_NOISE, data, sizeof data);
    codec()->compressor_follow(c, data, 400);
    codec()->compressor_follow(c, NULL, 0);
    codec()->compressor_follow(c, data + 400, 500);
    size_t n = compress_by(twin, data, 900, 1, sizeof out, out);
    expect_plain(peer, out, n, data, 900);
    n = compress_by(c, data, 900, 1, sizeof out, out);
    assert_true(n < 60);
    expect_plain(peer, out, n, data, 900);
    codec()->compressor_release(c);
    codec()->compressor_release(twin);
    codec()->decompressor_release(peer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_complete),
        cmocka_unit_test(what_is_written_at_any_capacity_is_read),
        cmocka_unit_test(a_flush_is_written_once_however_little_room_there_is),
        cmocka_unit_test(a_flush_of_nothing_writes_nothing),
        cmocka_unit_test(bytes_without_a_flush_come_with_the_next),
        cmocka_unit_test(a_reset_makes_a_compressor_as_new),
        cmocka_unit_test(more_effort_makes_less),
        cmocka_unit_test(what_was_followed_can_be_referred_to),
        cmocka_unit_test(follows_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
