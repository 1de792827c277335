/*
 * What the sending side may not take for granted: that the codec is zlib, and that the caller's
 * structures stay where they are.
 */
#include "compressed.h"

#include <hawser/status.h>

#include <string.h>

enum { OUT_CAP = 1 << 16 };

static sender s;
static reader r;
static uint8_t out[OUT_CAP];

/* --- another codec ------------------------------------------------------------------------------
 */

/* zlib writes a flush in one go, another codec need not: this one cuts anywhere, and in the end
 * says HWS_MORE once with nothing left. */
typedef struct trickle {
    void *zlib;
    uint8_t made[OUT_CAP];
    size_t made_len;
    size_t at;
} trickle;

static trickle the_trickle; /* no more than one at a time */

static hws_status trickle_make(const hws_codec_settings *settings, void **state) {
    *state = &the_trickle;
    the_trickle.made_len = the_trickle.at = 0;
    return hws_codec_zlib()->compressor_make(settings, &the_trickle.zlib);
}

static void trickle_release(void *state) {
    hws_codec_zlib()->compressor_release(((trickle *)state)->zlib);
}

static void trickle_reset(void *state) {
    trickle *k = state;
    k->made_len = k->at = 0;
    hws_codec_zlib()->compressor_reset(k->zlib);
}

static hws_status trickle_compress(void *state, const uint8_t *src, size_t len, size_t *used,
                                   uint8_t flush, uint8_t *dst, size_t cap, size_t *n) {
    trickle *k = state;
    if (k->at == k->made_len) {
        k->at = k->made_len = 0;
        assert_int_equal(hws_codec_zlib()->compress(k->zlib, src, len, used, flush, k->made,
                                                    OUT_CAP, &k->made_len),
                         HWS_OK);
    }
    size_t left = k->made_len - k->at;
    size_t part = left < cap - *n ? left : cap - *n;
    memcpy(dst + *n, k->made + k->at, part);
    k->at += part;
    *n += part;
    return part == left && *n < cap ? HWS_OK : HWS_MORE;
}

/* 7.2.1: what is removed at the end is held back until it is known to be the end. */
static void a_codec_may_cut_the_end_of_a_flush(void **state) {
    uint8_t data[300];
    uint64_t seed = 7;
    size_t i = 0;
    hws_codec codec = *hws_codec_zlib();
    setup how = setup_default();
    hws_deflate_params agreed = setup_agreed(&how);
    hws_deflate_options options = setup_options(&how);
    (void)state;
    codec.compressor_make = trickle_make;
    codec.compressor_release = trickle_release;
    codec.compressor_reset = trickle_reset;
    codec.compress = trickle_compress;
    options.codec = &codec;
    content_fill(&seed, CONTENT_NOISE, data, sizeof data);
    while (i < 2 * sizeof data) {
        size_t len = i / 2;
        size_t n = 0;
        size_t cap = 64 + i % 9;
        sender_open(&s, &how);
        assert_int_equal(hws_deflate_init(&s.deflate, &agreed, &options), HWS_OK);
        reader_open(&r, &how);
        if (i % 2 == 1) {
            sender_send(&s, HWS_BINARY, HWS_FIRST, data, len / 2, cap, out, &n);
            sender_send(&s, HWS_BINARY, HWS_FINAL, data + len / 2, len - len / 2, cap, out, &n);
        } else {
            sender_send(&s, HWS_BINARY, HWS_WHOLE, data, len, cap, out, &n);
        }
        reader_expect(&r, out, n, HWS_BINARY, data, len);
        assert_int_equal(r.compressed, 1);
        hws_deflate_release(&s.deflate);
        reader_close(&r);
        i++;
    }
}

/* Counts what costs time and would help nobody. */
static unsigned resets;
static unsigned follows;

static void count_reset(void *state) {
    resets++;
    hws_codec_zlib()->compressor_reset(state);
}

static void count_follow(void *state, const uint8_t *data, size_t len) {
    follows++;
    hws_codec_zlib()->compressor_follow(state, data, len);
}

static void open_counting(setup *how) {
    static hws_codec codec;
    hws_deflate_params agreed = setup_agreed(how);
    hws_deflate_options options = setup_options(how);
    codec = *hws_codec_zlib();
    codec.compressor_reset = count_reset;
    codec.compressor_follow = count_follow;
    options.codec = &codec;
    resets = follows = 0;
    sender_open(&s, how);
    assert_int_equal(hws_deflate_init(&s.deflate, &agreed, &options), HWS_OK);
}

static void send_hello(void) {
    size_t n = 0;
    sender_send(&s, HWS_BINARY, HWS_WHOLE, "Hello", 5, 100, out, &n);
    assert_int_equal(hws_deflate_follow(&s.deflate, (const uint8_t *)"abc", 3), HWS_OK);
}

static void windows_are_emptied_and_filled_only_where_that_matters(void **state) {
    size_t used = 0;
    size_t n = 0;
    setup how = setup_default();
    (void)state;
    how.role = HWS_ROLE_CLIENT;
    how.no_takeover = 1;
    open_counting(&how);
    send_hello(); /* a new window is empty */
    assert_int_equal(resets, 0);
    send_hello();
    assert_int_equal(resets, 1);
    hws_deflate_trim(&s.deflate);
    send_hello();
    assert_int_equal(resets, 1);
    assert_int_equal(follows, 0);
    hws_deflate_release(&s.deflate);

    how.no_takeover = 0;
    open_counting(&how);
    assert_int_equal(hws_deflate_follow(&s.deflate, (const uint8_t *)"abc", 3), HWS_OK);
    assert_int_equal(follows, 0);
    s.random.calls = s.random.fail_after = 1;
    assert_int_equal(hws_deflate_send(&s.deflate, &s.conn, HWS_BINARY, HWS_WHOLE,
                                      (const uint8_t *)"abc", 3, &used, out, OUT_CAP, &n),
                     HWS_ERR_RANDOM);
    s.random.fail_after = 0;
    resets = 0; /* that one was for the message that is gone */
    assert_int_equal(hws_deflate_follow(&s.deflate, (const uint8_t *)"abc", 3), HWS_OK);
    assert_int_equal(follows, 0);
    send_hello();
    send_hello();
    assert_int_equal(follows, 2);
    assert_int_equal(resets, 0);
    hws_deflate_release(&s.deflate);
}

/* --- moves --------------------------------------------------------------------------------------
 */

static void a_deflate_may_be_moved_between_calls(void **state) {
    static sender places[2];
    uint8_t data[900];
    uint64_t seed = 6;
    size_t used = 0;
    size_t n = 0;
    unsigned i = 0;
    hws_status status = HWS_MORE;
    setup how = setup_default();
    (void)state;
    content_fill(&seed, CONTENT_NOISE, data, sizeof data);
    sender_open(&places[0], &how);
    reader_open(&r, &how);
    while (status == HWS_MORE) {
        sender *now = &places[i % 2];
        size_t made = 0;
        status = hws_deflate_send(&now->deflate, &now->conn, HWS_BINARY, HWS_WHOLE, data,
                                  sizeof data, &used, out + n, 90, &made);
        n += made;
        places[(i + 1) % 2] = *now;
        memset(now, 0xA5, sizeof *now);
        i++;
    }
    assert_int_equal(status, HWS_OK);
    assert_true(i > 5);
    reader_expect(&r, out, n, HWS_BINARY, data, sizeof data);
    hws_deflate_release(&places[i % 2].deflate);
    reader_close(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_codec_may_cut_the_end_of_a_flush),
        cmocka_unit_test(windows_are_emptied_and_filled_only_where_that_matters),
        cmocka_unit_test(a_deflate_may_be_moved_between_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
