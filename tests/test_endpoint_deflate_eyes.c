/*
 * What endpoints with compression put on the wire, whatever was agreed and in whatever order they
 * are used: each connection has a reader that shares nothing with the library, and that knows no
 * more of the past than the window that was agreed.
 *
 * Two connections take turns, and some share a compressor. Messages go whole, in pieces, by
 * reference and prepared, with what was trimmed, refused, or found no memory between. What was
 * refused has changed nothing, so all that follows it can be read.
 */
#include "compressed.h"

#include <hawser/endpoint.h>

#include <string.h>

enum { SERVER = HWS_ROLE_SERVER, CLIENT = HWS_ROLE_CLIENT };
enum { WAITING = 12, LONGEST = 9000, STEPS = 120, OUT_CAP = 1 << 18, REFS = 8 };

#ifdef HWS_TEST_REDUCED
enum { ROUNDS = 40 };
#else
enum { ROUNDS = 1000 };
#endif

/* How a message has to look. */
enum { PLAIN, COMPRESSED, EITHER };

typedef struct expected {
    uint8_t type;
    uint8_t form;
    size_t len;
    uint8_t bytes[2 * LONGEST];
} expected;

/* A connection, what was sent on it and not read so far, and who reads it. */
typedef struct line {
    hws_endpoint ep;
    hws_endpoint_config config;
    hws_deflate_params agreed;
    hws_deflate_options options;
    setup how;
    counter memory;
    test_random random;
    reader r;
    expected waiting[WAITING];
    size_t count;
    uint8_t open; /* the last of them is not finished */
    uint8_t refs[REFS][LONGEST];
    uint8_t lent[REFS];
} line;

static line lines[2];
static hws_compressor shared;
static counter shared_memory;
static uint64_t seed;
static unsigned compressed_count, refused_count;

static size_t dice(size_t sides) {
    return (size_t)(random_next(&seed) >> 33) % sides;
}

/* --- what is agreed ------------------------------------------------------------------------------
 */

static void choose_setup(line *l) {
    static const uint64_t thresholds[] = {0, 64, 300, UINT64_MAX};
    l->how.role = dice(3) == 0 ? CLIENT : SERVER;
    l->how.agreed_bits = dice(10) == 0 ? 0 : (uint8_t)(8 + dice(8));
    l->how.no_takeover = (uint8_t)dice(2);
    l->how.window_bits = (uint8_t)(9 + dice(7));
    l->how.level = (uint8_t)(1 + dice(9));
    l->how.mem_level = (uint8_t)(1 + dice(9));
    l->how.threshold = thresholds[dice(4)];
    l->how.shared = dice(3) == 0 ? &shared : NULL;
}

static void line_open(line *l) {
    memset(l, 0, sizeof *l);
    choose_setup(l);
    l->agreed = setup_agreed(&l->how);
    l->options = setup_options(&l->how);
    hws_endpoint_config_init(&l->config, l->how.role);
    l->config.allocator = counter_allocator(&l->memory);
    l->config.random = test_random_fill;
    l->config.random_user = &l->random;
    l->config.deflate = &l->agreed;
    l->config.deflate_options = &l->options;
    if (dice(2)) {
        l->config.low_water = 1;
        l->config.high_water = (uint32_t)(1 + dice(200));
        l->config.max_queue = l->config.high_water + 2000 + dice(2 * LONGEST);
    }
    reader_open(&l->r, &l->how);
    assert_int_equal(hws_endpoint_init(&l->ep, &l->config, 0), HWS_OK);
    assert_int_equal(hws_endpoint_open(&l->ep, l->how.agreed_bits ? &l->agreed : NULL), HWS_OK);
}

/* --- what is read --------------------------------------------------------------------------------
 */

static void judge_message(line *l) {
    const expected *e = &l->waiting[0];
    assert_true(l->count > (size_t)l->open);
    assert_int_equal(l->r.type, e->type);
    assert_int_equal(l->r.plain_len, e->len);
    assert_memory_equal(l->r.plain, e->bytes, e->len);
    if (e->form != EITHER) {
        assert_int_equal(l->r.compressed, e->form == COMPRESSED);
    }
    compressed_count += l->r.compressed;
    l->count--;
    memmove(&l->waiting[0], &l->waiting[1], l->count * sizeof l->waiting[0]);
}

static void take_released(line *l) {
    size_t used = 0;
    hws_event ev;
    while (hws_endpoint_next(&l->ep, NULL, 0, &used, &ev) == HWS_EVENT) {
        size_t i = 0;
        while (ev.type == HWS_RELEASED && ev.data != l->refs[i]) {
            i++;
            assert_true(i < REFS);
        }
        if (ev.type == HWS_RELEASED) {
            l->lent[i] = 0;
        }
    }
}

/* All output, which are whole frames, to the reader. */
static void line_read(line *l) {
    static uint8_t out[OUT_CAP];
    hws_buffer buffers[4];
    size_t len = 0;
    size_t at = 0;
    size_t count;
    while ((count = hws_endpoint_output(&l->ep, buffers, 4)) > 0) {
        size_t i = 0;
        size_t before = len;
        while (i < count) {
            assert_true(buffers[i].len <= OUT_CAP - len);
            memcpy(out + len, buffers[i].data, buffers[i].len);
            len += buffers[i].len;
            i++;
        }
        assert_int_equal(hws_endpoint_sent(&l->ep, len - before), HWS_OK);
    }
    while (at < len) {
        if (reader_frame(&l->r, out, len, &at)) {
            judge_message(l);
        }
    }
    take_released(l);
}

/* --- what is sent --------------------------------------------------------------------------------
 */

static size_t choose_len(void) {
    static const size_t bounds[] = {1, 4, 130, 700, LONGEST};
    return dice(bounds[dice(5)]);
}

static void fill(uint8_t type, uint8_t *dst, size_t len) {
    static const enum content texts[] = {CONTENT_BYTE, CONTENT_WORDS};
    content_fill(&seed, type == HWS_TEXT ? texts[dice(2)] : (enum content)dice(CONTENT_KINDS), dst,
                 len);
}

/* Note what was taken; judge what was refused. */
static void note(line *l, hws_status status, uint64_t queued, uint8_t type, uint8_t flags,
                 uint8_t form, const uint8_t *data, size_t len) {
    if (status < 0) {
        assert_true(status == HWS_ERR_FULL || status == HWS_ERR_STATE || status == HWS_ERR_MEMORY);
        assert_int_equal(hws_endpoint_queued(&l->ep), queued);
        refused_count++;
        return;
    }
    assert_true(status == HWS_OK || status == HWS_BACKPRESSURE);
    assert_int_equal((flags & HWS_FIRST) == 0, l->open);
    if (flags & HWS_FIRST) {
        l->waiting[l->count] = (expected){.type = type, .form = form};
        l->count++;
    }
    expected *e = &l->waiting[l->count - 1];
    assert_true(len <= sizeof e->bytes - e->len);
    memcpy(e->bytes + e->len, data, len);
    e->len += len;
    l->open = (flags & HWS_FINAL) == 0;
}

/* Where compression is asked for, and not possible, the message goes as it is. */
static uint8_t form_of(const line *l, uint8_t flags, size_t len) {
    if ((flags & HWS_UNCOMPRESSED) || l->how.agreed_bits < 9 ||
        (!(flags & HWS_COMPRESSED) && (flags & HWS_FINAL) && len < l->how.threshold)) {
        return PLAIN;
    }
    return (flags & HWS_COMPRESSED) ? COMPRESSED : EITHER;
}

static void send_piece(line *l, uint8_t flags) {
    uint8_t data[LONGEST];
    uint8_t type = l->open ? l->waiting[l->count - 1].type : (uint8_t)(HWS_TEXT + dice(2));
    size_t len = l->open ? choose_len() % 900 : choose_len();
    uint64_t queued = hws_endpoint_queued(&l->ep);
    if (flags & HWS_FIRST) {
        static const uint8_t extra[] = {0, 0, HWS_COMPRESSED, HWS_UNCOMPRESSED};
        flags |= extra[dice(4)];
    }
    fill(type, data, len);
    hws_status status = hws_endpoint_send(&l->ep, type, flags, data, len);
    note(l, status, queued, type, flags, form_of(l, flags, len), data, len);
}

/* Inside a compressed message that is a mistake, too. */
static void send_by_reference(line *l) {
    size_t i = dice(REFS);
    uint8_t type = l->open ? l->waiting[l->count - 1].type : HWS_BINARY;
    uint8_t flags = l->open ? (uint8_t)(dice(2) ? HWS_FINAL : 0) : HWS_WHOLE;
    size_t len = 1 + choose_len() % (l->open ? 900 : LONGEST);
    uint8_t copy[LONGEST];
    uint64_t queued = hws_endpoint_queued(&l->ep);
    if (l->lent[i]) {
        return;
    }
    fill(type, l->refs[i], len);
    memcpy(copy, l->refs[i], len);
    hws_status status = hws_endpoint_send_ref(&l->ep, type, flags, l->refs[i], len);
    l->lent[i] = status >= 0;
    note(l, status, queued, type, flags, PLAIN, copy, len);
}

/* To both, if they are servers. */
static void send_prepared(void) {
    hws_codec_settings settings = {.window_bits = (uint8_t)(9 + dice(7)),
                                   .level = (uint8_t)(1 + dice(9)),
                                   .mem_level = (uint8_t)(1 + dice(9))};
    counter memory = {0};
    hws_allocator allocator = counter_allocator(&memory);
    hws_compressor once;
    hws_prepared *news = NULL;
    uint8_t data[LONGEST];
    size_t len = choose_len();
    size_t i = 0;
    fill(HWS_TEXT, data, len);
    assert_int_equal(hws_compressor_init(&once, hws_codec_zlib(), &settings), HWS_OK);
    assert_int_equal(hws_prepared_make(&news, &allocator, HWS_TEXT, data, len), HWS_OK);
    assert_int_equal(hws_prepared_compress(news, &once), HWS_OK);
    while (i < 2) {
        line *l = &lines[i];
        uint64_t queued = hws_endpoint_queued(&l->ep);
        uint8_t form = l->how.agreed_bits < settings.window_bits ? PLAIN : EITHER;
        if (l->how.role == SERVER && l->count < WAITING) {
            hws_status status = hws_endpoint_send_prepared(&l->ep, news, HWS_SLOW_SKIP);
            note(l, status, queued, HWS_TEXT, HWS_WHOLE, form, data, len);
        }
        line_read(l);
        i++;
    }
    hws_prepared_release(news);
    hws_compressor_release(&once);
    assert_int_equal(memory.blocks, 0);
}

static void step(line *l) {
    size_t what = dice(16);
    if (l->count == WAITING || what == 0) {
        line_read(l);
    } else if (what < 5 && (!l->open || what == 1)) {
        send_piece(l, HWS_WHOLE); /* inside a message: a mistake, which changes nothing */
    } else if (what < 9) {
        send_piece(l, l->open ? (uint8_t)(dice(3) == 0 ? HWS_FINAL : 0) : HWS_FIRST);
    } else if (what == 9) {
        send_by_reference(l);
    } else if (what == 10) {
        send_prepared();
    } else if (what == 11) {
        hws_endpoint_trim(&l->ep);
    } else if (what == 12) {
        l->memory.fail_at = l->memory.calls + 1 + (unsigned)dice(3);
        l->memory.fail_rest = dice(4) == 0;
        shared_memory.fail_at = shared_memory.calls + (unsigned)dice(2);
    } else if (what == 13) {
        l->memory.fail_at = 0;
        shared_memory.fail_at = 0;
    } else {
        (void)hws_endpoint_send(&l->ep, HWS_PING, HWS_WHOLE, (const uint8_t *)"?", 1);
    }
    if (l->open && l->waiting[l->count - 1].len > LONGEST) {
        l->memory.fail_at = 0;
        line_read(l);
        send_piece(l, HWS_FINAL);
    }
}

/* --- the end of a round --------------------------------------------------------------------------
 */

static void line_close(line *l) {
    l->memory.fail_at = 0;
    shared_memory.fail_at = 0;
    line_read(l);
    if (l->open && dice(2)) {
        send_piece(l, HWS_FINAL);
        line_read(l);
    }
    assert_int_equal(l->count, l->open);
    if (!l->open) {
        send_piece(l, HWS_WHOLE); /* the windows still agree */
        line_read(l);
        assert_int_equal(l->count, 0);
    }
    if (dice(2)) {
        hws_status (*close)(hws_endpoint *, uint16_t, const uint8_t *, size_t) =
            dice(2) ? hws_endpoint_close : hws_endpoint_close_now;
        assert_int_equal(close(&l->ep, HWS_CLOSE_NORMAL, NULL, 0), HWS_OK);
        line_read(l);
    }
    hws_endpoint_release(&l->ep);
    reader_close(&l->r);
    assert_int_equal(l->memory.blocks, 0);
}

static void whatever_is_agreed_and_refused_a_peer_can_read_all_that_is_sent(void **state) {
    unsigned round = 0;
    (void)state;
    while (round < ROUNDS) {
        hws_codec_settings settings = {.window_bits = 15, .level = 6, .mem_level = 8};
        unsigned i = 0;
        seed = 7000 + round;
        shared_memory = (counter){0};
        settings.allocator = counter_allocator(&shared_memory);
        assert_int_equal(hws_compressor_init(&shared, hws_codec_zlib(), &settings), HWS_OK);
        line_open(&lines[0]);
        line_open(&lines[1]);
        while (i < STEPS) {
            step(&lines[dice(2)]);
            i++;
        }
        line_close(&lines[0]);
        line_close(&lines[1]);
        hws_compressor_release(&shared);
        assert_int_equal(shared_memory.blocks, 0);
        round++;
    }
    assert_true(compressed_count > 5 * ROUNDS); /* it was about something */
    assert_true(refused_count > 5 * ROUNDS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_is_agreed_and_refused_a_peer_can_read_all_that_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
