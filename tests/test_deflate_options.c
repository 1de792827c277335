/*
 * How compression is set up: presets, what is out of its range, and the bound that all of it keeps
 * to.
 */
#include "compressed.h"

#include <hawser/status.h>

#include <string.h>

enum { SERVER = HWS_ROLE_SERVER, CLIENT = HWS_ROLE_CLIENT };

#ifdef HWS_TEST_REDUCED
enum { LEN = 3000, WINDOW_STEP = 3 };
#else
enum { LEN = 20000, WINDOW_STEP = 1 };
#endif

static hws_deflate_params good_params(void) {
    setup how = setup_default();
    return setup_agreed(&how);
}

static hws_deflate_options good_options(void) {
    setup how = setup_default();
    return setup_options(&how);
}

static hws_status init_with(const hws_deflate_params *agreed, const hws_deflate_options *options) {
    hws_deflate deflate;
    memset(&deflate, 0xA5, sizeof deflate); /* what it held does not matter */
    hws_status status = hws_deflate_init(&deflate, agreed, options);
    if (status == HWS_OK) {
        hws_deflate_release(&deflate);
    }
    return status;
}

/* --- thresholds ---------------------------------------------------------------------------------
 */

/* The length of the shortest message that is compressed unasked. */
static size_t shortest(uint64_t threshold, uint8_t takeover, hws_compressor *shared) {
    hws_deflate_params agreed = good_params();
    hws_deflate_options options = good_options();
    hws_deflate deflate;
    size_t len = 0;
    options.threshold = threshold;
    options.shared = shared;
    agreed.server_no_context_takeover = !takeover;
    agreed.client_no_context_takeover = takeover; /* the other direction has no say */
    assert_int_equal(hws_deflate_init(&deflate, &agreed, &options), HWS_OK);
    while (!hws_deflate_compresses(&deflate, HWS_WHOLE, len)) {
        len++;
    }
    hws_deflate_release(&deflate);
    return len;
}

static void the_threshold_follows_what_messages_can_refer_to(void **state) {
    hws_deflate_options options = good_options();
    hws_compressor shared;
    (void)state;
    assert_int_equal(hws_compressor_init(&shared, hws_codec_zlib(), &options.settings), HWS_OK);
    assert_int_equal(shortest(HWS_THRESHOLD_AUTO, 1, NULL), 64);
    assert_int_equal(shortest(HWS_THRESHOLD_AUTO, 0, NULL), 256);
    assert_int_equal(shortest(HWS_THRESHOLD_AUTO, 1, &shared), 256);
    assert_int_equal(shortest(0, 0, NULL), 0);
    assert_int_equal(shortest(100, 1, NULL), 100);
    assert_int_equal(shortest(100, 0, NULL), 100);
    assert_int_equal(shortest(100, 1, &shared), 100);
    hws_compressor_release(&shared);
}

/* --- presets ------------------------------------------------------------------------------------
 */

static void every_preset_is_good_for_both_roles(void **state) {
    uint8_t preset = 0;
    (void)state;
    while (preset <= HWS_DEFLATE_BEST) {
        hws_deflate_params agreed = good_params();
        hws_deflate_options options;
        uint8_t role = SERVER;
        while (role <= CLIENT) {
            memset(&options, 0xA5, sizeof options);
            hws_deflate_options_init(&options, role, preset);
            assert_int_equal(options.size, sizeof options);
            assert_int_equal(options.role, role);
            assert_int_equal(options.max_message, HWS_DEFAULT_MAX_MESSAGE);
            assert_true(options.threshold == HWS_THRESHOLD_AUTO);
            assert_null(options.codec);
            assert_null(options.shared);
            assert_null(options.settings.allocator.alloc);
            assert_int_equal(init_with(&agreed, &options), HWS_ERR_ARGUMENT);
            options.codec = hws_codec_zlib();
            assert_int_equal(init_with(&agreed, &options), HWS_OK);
            role++;
        }
        preset++;
    }
}

static void a_preset_that_is_none_gives_options_that_are_refused(void **state) {
    unsigned preset = HWS_DEFLATE_BEST + 1;
    (void)state;
    while (preset < 256) {
        hws_deflate_params agreed = good_params();
        hws_deflate_options options;
        hws_deflate_options_init(&options, SERVER, (uint8_t)preset);
        options.codec = hws_codec_zlib();
        assert_int_equal(init_with(&agreed, &options), HWS_ERR_ARGUMENT);
        preset++;
    }
}

/* --- ranges -------------------------------------------------------------------------------------
 */

typedef struct field {
    const char *name;
    size_t offset; /* of a byte in the options */
    uint8_t lowest;
    uint8_t highest;
} field;

static const field fields[] = {
    {"role", offsetof(hws_deflate_options, role), 0, 1},
    {"window_bits", offsetof(hws_deflate_options, settings.window_bits), 8, 15},
    {"level", offsetof(hws_deflate_options, settings.level), 1, 9},
    {"mem_level", offsetof(hws_deflate_options, settings.mem_level), 1, 9},
};

static void every_value_of_an_option_out_of_its_range_is_refused(void **state) {
    hws_deflate_params agreed = good_params();
    hws_deflate_params none = {0};
    size_t i = 0;
    (void)state;
    while (i < 256 * sizeof fields / sizeof fields[0]) {
        const field *f = &fields[i / 256];
        uint8_t value = (uint8_t)i;
        hws_deflate_options options = good_options();
        ((uint8_t *)&options)[f->offset] = value;
        hws_status expected = value >= f->lowest && value <= f->highest ? HWS_OK : HWS_ERR_ARGUMENT;
        if (init_with(&agreed, &options) != expected || init_with(&none, &options) != expected) {
            fail_msg("%s %u", f->name, value);
        }
        i++;
    }
}

static void every_window_that_cannot_be_agreed_is_refused(void **state) {
    unsigned value = 0;
    (void)state;
    while (value < 256) {
        hws_deflate_options options = good_options();
        hws_deflate_params server = good_params();
        hws_deflate_params client = good_params();
        hws_status expected = value >= 8 && value <= 15 ? HWS_OK : HWS_ERR_ARGUMENT;
        server.server_max_window_bits = (uint8_t)value;
        client.client_max_window_bits = (uint8_t)value;
        assert_int_equal(init_with(&server, &options), expected);
        assert_int_equal(init_with(&client, &options), expected);
        options.role = CLIENT;
        assert_int_equal(init_with(&server, &options), expected);
        assert_int_equal(init_with(&client, &options), expected);
        server.enabled = 0; /* what was not agreed is not looked at */
        assert_int_equal(init_with(&server, &options), HWS_OK);
        value++;
    }
}

static void sizes_and_codecs_of_another_version_are_refused(void **state) {
    hws_deflate_params agreed = good_params();
    hws_deflate_params none = {0};
    hws_deflate_options options = good_options();
    hws_codec codec = *hws_codec_zlib();
    (void)state;
    options.size--;
    assert_int_equal(init_with(&agreed, &options), HWS_ERR_ARGUMENT);
    options.size += 2;
    assert_int_equal(init_with(&agreed, &options), HWS_ERR_ARGUMENT);
    options.size--;
    options.codec = &codec;
    assert_int_equal(init_with(&agreed, &options), HWS_OK);
    codec.size++;
    assert_int_equal(init_with(&agreed, &options), HWS_ERR_ARGUMENT);
    options.codec = NULL;
    assert_int_equal(init_with(&agreed, &options), HWS_ERR_ARGUMENT);
    assert_int_equal(init_with(&none, &options), HWS_OK);
}

static void what_is_refused_leaves_a_deflate_as_it_was(void **state) {
    hws_deflate_params agreed = good_params();
    hws_deflate_options options = good_options();
    hws_deflate deflate;
    hws_deflate before;
    (void)state;
    memset(&deflate, 0xA5, sizeof deflate);
    before = deflate;
    options.settings.level = 0;
    assert_int_equal(hws_deflate_init(&deflate, &agreed, &options), HWS_ERR_ARGUMENT);
    assert_memory_equal(&deflate, &before, sizeof deflate);
}

static void a_shared_compressor_is_judged_by_the_same_ranges(void **state) {
    size_t i = 256;
    (void)state;
    while (i < 256 * sizeof fields / sizeof fields[0]) {
        const field *f = &fields[i / 256];
        uint8_t value = (uint8_t)i;
        hws_deflate_options options = good_options();
        hws_compressor compressor;
        ((uint8_t *)&options)[f->offset] = value;
        uint8_t lowest = f->lowest == 8 ? 9 : f->lowest; /* zlib cannot keep to a window of 8 */
        hws_status expected = value >= lowest && value <= f->highest ? HWS_OK : HWS_ERR_ARGUMENT;
        if (hws_compressor_init(&compressor, hws_codec_zlib(), &options.settings) != expected) {
            fail_msg("%s %u", f->name, value);
        }
        i++;
    }
    hws_deflate_options options = good_options();
    hws_codec codec = *hws_codec_zlib();
    hws_compressor compressor;
    codec.size--;
    assert_int_equal(hws_compressor_init(&compressor, &codec, &options.settings), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_compressor_init(&compressor, NULL, &options.settings), HWS_ERR_ARGUMENT);
}

/* --- windows ------------------------------------------------------------------------------------
 */

/* Bytes of a message that repeats 200 bytes at this distance, and nothing else. */
static size_t size_of_repetition(uint8_t agreed_bits, uint8_t window_bits, uint8_t role,
                                 size_t distance) {
    static uint8_t data[1 << 16];
    static uint8_t out[1 << 17];
    static sender s;
    static reader r;
    setup how = setup_default();
    uint64_t seed = 21;
    size_t n = 0;
    how.agreed_bits = agreed_bits;
    how.window_bits = window_bits;
    how.role = role;
    content_fill(&seed, CONTENT_NOISE, data, distance);
    memcpy(data + distance, data, 200);
    sender_open(&s, &how);
    reader_open(&r, &how);
    sender_send(&s, HWS_BINARY, HWS_WHOLE, data, distance + 200, sizeof out, out, &n);
    reader_expect(&r, out, n, HWS_BINARY, data, distance + 200);
    hws_deflate_release(&s.deflate);
    reader_close(&r);
    return n;
}

/* 7.1.2: the own window is the smaller one of what was agreed for our direction and what is wanted:
 * only then a repetition is seen or not. */
static void the_smaller_window_is_used(void **state) {
    unsigned i = 0;
    (void)state;
    while (i < 7 * 7 * 2) {
        uint8_t agreed_bits = (uint8_t)(9 + i % 7);
        uint8_t window_bits = (uint8_t)(9 + i / 7 % 7);
        uint8_t role = (uint8_t)(i / 49);
        uint8_t bits = agreed_bits < window_bits ? agreed_bits : window_bits;
        size_t within = ((size_t)1 << bits) - 300; /* zlib reaches so far */
        size_t beyond = (size_t)1 << bits;
        assert_true(size_of_repetition(agreed_bits, window_bits, role, within) < within + 100);
        assert_true(size_of_repetition(agreed_bits, window_bits, role, beyond) > beyond + 190);
        i += WINDOW_STEP;
    }
}

/* --- bound --------------------------------------------------------------------------------------
 */

static void the_bound_is_a_quarter_more_and_1024(void **state) {
    (void)state;
    assert_true(hws_deflate_bound(0) == 1024);
    assert_true(hws_deflate_bound(3) == 1027);
    assert_true(hws_deflate_bound(4) == 1029);
    assert_true(hws_deflate_bound(1000000) == 1251024);
    assert_true(hws_deflate_bound(UINT64_MAX) == UINT64_MAX);
    assert_true(hws_deflate_bound(UINT64_MAX - 1024) == UINT64_MAX);
}

static void keep_to_bound(const uint8_t *data, size_t len, const hws_codec_settings *settings) {
    static uint8_t out[LEN * 5 / 4 + 1024];
    hws_compressor compressor;
    hws_deflate deflate;
    hws_deflate_params agreed = good_params();
    hws_deflate_options options = good_options();
    size_t bound = (size_t)hws_deflate_bound(len);
    size_t used = 0;
    size_t n = 0;
    size_t shared_n = 0;

    options.settings = *settings;
    assert_true(bound <= sizeof out);
    assert_int_equal(hws_deflate_init(&deflate, &agreed, &options), HWS_OK);
    assert_int_equal(
        hws_deflate_compress(&deflate, HWS_BINARY, HWS_WHOLE, data, len, &used, out, bound, &n),
        HWS_OK);
    assert_int_equal(hws_compressor_init(&compressor, hws_codec_zlib(), settings), HWS_OK);
    assert_int_equal(hws_compressor_message(&compressor, data, len, out, bound, &shared_n), HWS_OK);
    assert_int_equal(n, shared_n);
    hws_deflate_release(&deflate);
    hws_compressor_release(&compressor);
}

static void no_message_is_larger_than_the_bound(void **state) {
    static const size_t lens[] = {1, 300, 0, 2049};
    static uint8_t data[LEN];
    uint64_t seed = 22;
    unsigned i = 0;
    (void)state;
    content_fill(&seed, CONTENT_NOISE, data, sizeof data);
    while (i < 7 * 81) {
        hws_codec_settings settings = {.window_bits = (uint8_t)(9 + i % 7),
                                       .level = (uint8_t)(1 + i / 7 % 9),
                                       .mem_level = (uint8_t)(1 + i / 63)};
        keep_to_bound(data, LEN, &settings);
        keep_to_bound(data, lens[i % 4], &settings);
        i += WINDOW_STEP;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_preset_is_good_for_both_roles),
        cmocka_unit_test(a_preset_that_is_none_gives_options_that_are_refused),
        cmocka_unit_test(every_value_of_an_option_out_of_its_range_is_refused),
        cmocka_unit_test(every_window_that_cannot_be_agreed_is_refused),
        cmocka_unit_test(sizes_and_codecs_of_another_version_are_refused),
        cmocka_unit_test(what_is_refused_leaves_a_deflate_as_it_was),
        cmocka_unit_test(a_shared_compressor_is_judged_by_the_same_ranges),
        cmocka_unit_test(the_threshold_follows_what_messages_can_refer_to),
        cmocka_unit_test(the_smaller_window_is_used),
        cmocka_unit_test(the_bound_is_a_quarter_more_and_1024),
        cmocka_unit_test(no_message_is_larger_than_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
