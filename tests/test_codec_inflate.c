/*
 * The decompressor of the codec over zlib, by the contract of codec.h: at every capacity and cut,
 * and what ends a message.
 */
#include "compressed.h"

#include <hawser/status.h>

#include <string.h>

enum { LEN = 3000, PACKED_CAP = 8192 };

static const hws_codec *codec(void) {
    return hws_codec_zlib();
}

static void *make_decompressor(uint8_t window_bits) {
    hws_codec_settings settings = {.window_bits = window_bits, .level = 1, .mem_level = 1};
    void *state = NULL;
    assert_int_equal(codec()->decompressor_make(&settings, &state), HWS_OK);
    assert_non_null(state);
    return state;
}

static void *make_compressor(uint8_t window_bits, uint8_t level, uint8_t mem_level) {
    hws_codec_settings settings = {
        .window_bits = window_bits, .level = level, .mem_level = mem_level};
    void *state = NULL;
    assert_int_equal(codec()->compressor_make(&settings, &state), HWS_OK);
    return state;
}

static size_t compress_once(void *state, const uint8_t *data, size_t len, uint8_t *out) {
    size_t used = 0;
    size_t n = 0;
    assert_int_equal(codec()->compress(state, data, len, &used, 1, out, PACKED_CAP, &n), HWS_OK);
    return n;
}

static void expect_plain(void *state, const uint8_t *packed, size_t len, const void *plain,
                         size_t plain_len) {
    uint8_t got[64];
    size_t used = 0;
    size_t n = 0;
    assert_int_equal(codec()->decompress(state, packed, len, &used, got, sizeof got, &n), HWS_OK);
    assert_int_equal(used, len);
    assert_int_equal(n, plain_len);
    assert_memory_equal(got, plain, plain_len);
}

/* Every piece of input that starts at 0, `cut` or not at all, into rooms of `cap` bytes. */
static size_t decompress_by(void *state, const uint8_t *packed, size_t len, size_t cap,
                            uint8_t *plain) {
    uint8_t *src = guard_copy(packed, len);
    uint8_t *room = guard_alloc(cap);
    hws_status status = HWS_MORE;
    size_t total = 0;
    size_t used = 0;
    while (status == HWS_MORE) {
        size_t n = 0;
        status = codec()->decompress(state, src, len, &used, room, cap, &n);
        assert_true(status == HWS_OK || status == HWS_MORE);
        assert_true(status == HWS_OK ? n < cap && used == len : n == cap);
        memcpy(plain + total, room, n);
        total += n;
    }
    guard_free(src, len);
    guard_free(room, cap);
    return total;
}

static void messages_come_the_same_at_every_capacity_and_cut(void **state) {
    static uint8_t data[LEN];
    static uint8_t packed[PACKED_CAP];
    static uint8_t plain[LEN + 64];
    uint64_t seed = 37;
    unsigned i = 0;
    (void)state;
    while (i < 200) {
        void *c = make_compressor(9, 6, (uint8_t)(1 + i % 9));
        void *d = make_decompressor(9);
        size_t len = i % 3 == 0 ? 60 : 1 + i * 14;
        size_t cap = 1 + i % 67;
        content_fill(&seed, (enum content)(i % CONTENT_KINDS), data, len);
        size_t packed_len = compress_once(c, data, len, packed) - 4;
        size_t cut = i % 5 == 0 ? 0 : i % packed_len;
        size_t n = decompress_by(d, packed, cut, cap, plain);
        n += decompress_by(d, packed + cut, packed_len - cut, cap, plain + n);
        assert_int_equal(codec()->decompress_end(d), HWS_OK);
        assert_int_equal(n, len);
        assert_memory_equal(plain, data, len);
        codec()->compressor_release(c);
        codec()->decompressor_release(d);
        i++;
    }
}

static void plain_bytes_are_added_behind_what_is_there(void **state) {
    uint8_t packed[64];
    uint8_t plain[16] = "before";
    size_t len = hex_decode("f248cdc9c90700", packed, sizeof packed);
    size_t used = 0;
    size_t n = 6;
    void *d = make_decompressor(15);
    (void)state;
    assert_int_equal(codec()->decompress(d, packed, len, &used, plain, 16, &n), HWS_OK);
    assert_int_equal(n, 11);
    assert_memory_equal(plain, "beforeHello", 11);
    codec()->decompressor_release(d);
}

/* --- ends of messages ---------------------------------------------------------------------------
 */

typedef struct ending {
    const char *name;
    const char *packed;
    const char *plain;
    hws_status status;
} ending;

static const ending endings[] = {
    {"7.2.3.1: Hello", "f248cdc9c90700", "Hello", HWS_OK},
    {"7.2.3.3: Hello in a stored block", "000500faff48656c6c6f00", "Hello", HWS_OK},
    {"7.2.3.4: Hello with BFINAL", "f348cdc9c9070000", "Hello", HWS_OK},
    {"7.2.3.5: Hello in two blocks", "f248050000 00ffff cac9c90700", "Hello", HWS_OK},
    {"7.2.3.6: nothing", "00", "", HWS_OK},
    {"7.2.1: two blocks with BFINAL", "f348cdc9c90700 f348cdc9c90700 00", "HelloHello", HWS_OK},
    {"7.2.1: the last, empty block has BFINAL", "f248cdc9c907 04", "Hello", HWS_OK},
    {"7.2.1: stored with BFINAL", "010500faff48656c6c6f 00", "Hello", HWS_OK},
    {"7.2.1: an empty stored block before the last", "00 0000ffff 00", "", HWS_OK},
    {"7.2.2: no byte at all", "", "", HWS_ERR_INFLATE},
    {"7.2.2: inside the last code of a block", "f248cdc9c907", "Hello", HWS_ERR_INFLATE},
    {"7.2.2: BFINAL without a block behind it", "f348cdc9c90700", "Hello", HWS_ERR_INFLATE},
    {"7.2.2: BFINAL at a stored block without one behind it", "010500faff48656c6c6f", "Hello",
     HWS_ERR_INFLATE},
    {"7.2.2: the tail was not removed", "f248cdc9c90700 0000ffff", "Hello", HWS_ERR_INFLATE},
    {"7.2.2: inside a block", "f248cdc9", "Hel", HWS_ERR_INFLATE},
    {"7.2.2: inside a stored block that lacks four bytes", "000900f6ff48656c6c6f", "Hello",
     HWS_ERR_INFLATE},
    {"7.2.2: inside one that lacks five", "000a00f5ff48656c6c6f", "Hello", HWS_ERR_INFLATE},
    {"7.2.2: inside one that lacks three", "000800f7ff48656c6c6f", "Hello", HWS_ERR_INFLATE},
    {"7.2.2: inside the length of a stored block", "0005", "", HWS_ERR_INFLATE},
    {"7.2.2: inside the complement of one", "00000000", "", HWS_ERR_INFLATE},
    {"7.2.2: a length of which two bytes are there", "000000", "", HWS_ERR_INFLATE},
    {"7.2.2: inside the trees of a dynamic block", "04", "", HWS_ERR_INFLATE},
    {"7.2.2: inside the code lengths of one", "04c0", "", HWS_ERR_INFLATE},
    /* The four bytes are what is missing of a block, here its trees, and are no empty block: */
    {"7.2.2: inside the trees of a block, which the tail would complete",
     "84cf01040000040080ff3f000000000000000000000000000000000000000000000000000000000080", "",
     HWS_ERR_INFLATE},
    {"7.2.2: inside trees, and the tail's last bits would end their block",
     "02109c0510000000047f0000000000000000000000000000000000000000000000000000000000", "",
     HWS_ERR_INFLATE},
    {"7.2.2: inside trees, and the tail's last byte would end their block",
     "84c7010400000001803f00000000000000000000000000000000000000000000000000000000000080", "",
     HWS_ERR_INFLATE},
    {"7.2.2: inside the length of a stored block, which the tail would complete", "00ff", "",
     HWS_ERR_INFLATE},
    {"7.2.2: with two bytes of it there", "00ffff", "", HWS_ERR_INFLATE},
    {"7.2.2: with three bytes of it there", "0034ffcb", "", HWS_ERR_INFLATE},
};

static void end_with(const ending *e, int by_byte) {
    uint8_t packed[64];
    uint8_t plain[64];
    size_t len = hex_decode(e->packed, packed, sizeof packed);
    size_t n = 0;
    size_t i = 0;
    void *d = make_decompressor(9);
    while (by_byte && i + 1 < len) {
        n += decompress_by(d, packed + i, 1, 1, plain + n);
        i++;
    }
    n += decompress_by(d, packed + i, len - i, 20, plain + n);
    if (n != strlen(e->plain) || memcmp(plain, e->plain, n) != 0 ||
        codec()->decompress_end(d) != e->status) {
        fail_msg("%s", e->name);
    }
    if (e->status == HWS_OK) { /* the window and the place in the stream are good for the next */
        expect_plain(d, packed, len, e->plain, n);
        assert_int_equal(codec()->decompress_end(d), HWS_OK);
    }
    codec()->decompressor_reset(d);
    expect_plain(d, (const uint8_t *)"\xf2\x48\xcd\xc9\xc9\x07\x00", 7, "Hello", 5);
    assert_int_equal(codec()->decompress_end(d), HWS_OK);
    codec()->decompressor_release(d);
}

static void a_message_is_whole_when_its_last_block_waits_for_the_tail(void **state) {
    size_t i = 0;
    (void)state;
    while (i < sizeof endings / sizeof endings[0]) {
        end_with(&endings[i], 0);
        end_with(&endings[i], 1);
        i++;
    }
}

/* 7.2.3.4: the block after one with BFINAL may refer to what stands before it. */
static void a_block_with_bfinal_leaves_the_window(void **state) {
    uint8_t packed[32];
    size_t len = hex_decode("f348cdc9c9070000", packed, sizeof packed);
    void *d = make_decompressor(15);
    (void)state;
    expect_plain(d, packed, len, "Hello", 5);
    assert_int_equal(codec()->decompress_end(d), HWS_OK);
    len = hex_decode("f200110000", packed, sizeof packed);
    expect_plain(d, packed, len, "Hello", 5);
    assert_int_equal(codec()->decompress_end(d), HWS_OK);
    codec()->decompressor_reset(d); /* and now there is nothing to refer to */
    uint8_t plain[16];
    size_t used = 0;
    size_t n = 0;
    assert_int_equal(codec()->decompress(d, packed, len, &used, plain, 16, &n), HWS_ERR_INFLATE);
    codec()->decompressor_release(d);
}

static void a_fault_stays_and_what_came_before_it_is_there(void **state) {
    uint8_t packed[32];
    uint8_t plain[16];
    size_t len = hex_decode("000500faff48656c6c6f 06", packed, sizeof packed); /* block type 3 */
    size_t used = 0;
    size_t n = 0;
    void *d = make_decompressor(15);
    (void)state;
    assert_int_equal(codec()->decompress(d, packed, len, &used, plain, 16, &n), HWS_ERR_INFLATE);
    assert_int_equal(n, 5);
    assert_memory_equal(plain, "Hello", 5);
    used = 0;
    len = hex_decode("f248cdc9c90700", packed, sizeof packed);
    assert_int_equal(codec()->decompress(d, packed, len, &used, plain, 16, &n), HWS_ERR_INFLATE);
    assert_int_equal(codec()->decompress_end(d), HWS_ERR_INFLATE);
    assert_int_equal(n, 5);
    codec()->decompressor_reset(d);
    n = 0;
    expect_plain(d, packed, len, "Hello", 5);
    codec()->decompressor_release(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_the_same_at_every_capacity_and_cut),
        cmocka_unit_test(plain_bytes_are_added_behind_what_is_there),
        cmocka_unit_test(a_message_is_whole_when_its_last_block_waits_for_the_tail),
        cmocka_unit_test(a_block_with_bfinal_leaves_the_window),
        cmocka_unit_test(a_fault_stays_and_what_came_before_it_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
