/*
 * One message for many: compressed once and sent past the filter, and one compressor for many
 * connections. Every connection here has a reader of its own.
 */
#include "compressed.h"

#include <hawser/status.h>

#include <string.h>

enum { SERVER = HWS_ROLE_SERVER, CLIENT = HWS_ROLE_CLIENT, OUT_CAP = 1 << 17 };

#ifdef HWS_TEST_REDUCED
enum { ROUNDS = 60 };
#else
enum { ROUNDS = 1500 };
#endif

/* A server's connection and what its peer makes of it. */
typedef struct line {
    sender s;
    reader r;
} line;

static uint8_t wire[OUT_CAP];

static void open_line(line *l, const setup *how) {
    sender_open(&l->s, how);
    reader_open(&l->r, how);
}

static void close_line(line *l) {
    hws_deflate_release(&l->s.deflate);
    reader_close(&l->r);
}

static hws_compressor make_compressor(uint8_t window_bits) {
    hws_codec_settings settings = {.window_bits = window_bits, .level = 6, .mem_level = 5};
    hws_compressor compressor;
    memset(&compressor, 0xA5, sizeof compressor); /* what it held does not matter */
    assert_int_equal(hws_compressor_init(&compressor, hws_codec_zlib(), &settings), HWS_OK);
    assert_int_equal(hws_compressor_window_bits(&compressor), window_bits);
    return compressor;
}

/* Send by the filter and see it arrive. Returns the bytes of payload. */
static size_t send_own(line *l, uint8_t flags, const void *data, size_t len) {
    size_t n = 0;
    sender_send(&l->s, HWS_BINARY, flags, data, len, OUT_CAP, wire, &n);
    reader_expect(&l->r, wire, n, HWS_BINARY, data, len);
    return l->r.payload_len;
}

/* Send what was compressed elsewhere, and see it arrive. */
static void send_past(line *l, const uint8_t *payload, size_t payload_len, const void *data,
                      size_t len) {
    size_t n = 0;
    assert_int_equal(hws_conn_send_header(&l->s.conn, HWS_BINARY, HWS_WHOLE | HWS_COMPRESSED,
                                          payload, payload_len, wire, OUT_CAP, &n),
                     HWS_OK);
    memcpy(wire + n, payload, payload_len);
    reader_expect(&l->r, wire, n + payload_len, HWS_BINARY, data, len);
    assert_int_equal(l->r.compressed, 1);
    assert_int_equal(hws_deflate_follow(&l->s.deflate, data, len), HWS_OK);
}

/* --- whole messages -----------------------------------------------------------------------------
 */

static void a_message_is_made_whole_or_not_at_all(void **state) {
    static const size_t lens[] = {0, 1, 40, 700};
    uint8_t data[700];
    uint8_t whole[1200];
    uint64_t seed = 51;
    unsigned i = 0;
    (void)state;
    while (i < 4 * CONTENT_KINDS) {
        hws_compressor c = make_compressor(9);
        size_t len = lens[i % 4];
        size_t whole_len = 0;
        size_t cap = 0;
        unsigned good = 0;
        content_fill(&seed, (enum content)(i / 4), data, len);
        assert_int_equal(hws_compressor_message(&c, data, len, whole, sizeof whole, &whole_len),
                         HWS_OK);
        while (cap < whole_len + 20) {
            uint8_t *out = guard_alloc(cap);
            size_t n = cap < 3 ? cap : 3; /* something stands in front */
            size_t front = n;
            memset(out, 0x55, cap);
            hws_status status = hws_compressor_message(&c, data, len, out, cap, &n);
            assert_int_equal(status, n == front ? HWS_ERR_SPACE : HWS_OK);
            assert_int_equal(n, status == HWS_OK ? front + whole_len : front);
            assert_memory_equal(out, "\x55\x55\x55", front);
            assert_memory_equal(out + front, whole, n - front);
            good += status == HWS_OK;
            guard_free(out, cap);
            cap++;
        }
        assert_true(good >= 6);
        hws_compressor_release(&c);
        i++;
    }
}

static void a_count_above_the_capacity_has_no_room(void **state) {
    hws_compressor c = make_compressor(9);
    uint8_t out[64];
    size_t n = 65;
    (void)state;
    assert_int_equal(hws_compressor_message(&c, NULL, 0, out, sizeof out, &n), HWS_ERR_SPACE);
    assert_int_equal(n, 65);
    hws_compressor_release(&c);
}

static void messages_are_those_of_rfc_7692(void **state) {
    hws_compressor c = make_compressor(15);
    uint8_t out[32];
    size_t n = 0;
    (void)state;
    assert_int_equal(hws_compressor_message(&c, (const uint8_t *)"Hello", 5, out, 32, &n), HWS_OK);
    assert_int_equal(hws_compressor_message(&c, NULL, 0, out, 32, &n), HWS_OK);
    assert_int_equal(hws_compressor_message(&c, (const uint8_t *)"Hello", 5, out, 32, &n), HWS_OK);
    assert_int_equal(n, 15);
    assert_memory_equal(out, "\xf2\x48\xcd\xc9\xc9\x07\x00\x00\xf2\x48\xcd\xc9\xc9\x07\x00", 15);
    hws_compressor_release(&c);
    n = 0;
    assert_int_equal(hws_compressor_message(&c, (const uint8_t *)"Hello", 5, out, 32, &n), HWS_OK);
    assert_int_equal(n, 7);
    hws_compressor_release(&c);
}

/* --- fits ---------------------------------------------------------------------------------------
 */

static void a_message_fits_where_its_window_was_agreed(void **state) {
    unsigned i = 0;
    (void)state;
    while (i < 8 * 8 * 2) {
        setup how = setup_default();
        uint8_t bits = (uint8_t)(8 + i / 8 % 8);
        sender s;
        how.agreed_bits = (uint8_t)(8 + i % 8);
        how.window_bits = 9; /* of our own compressor: no matter */
        how.role = (uint8_t)(i / 64);
        sender_open(&s, &how);
        assert_int_equal(hws_deflate_fits(&s.deflate, bits), bits <= how.agreed_bits);
        hws_deflate_release(&s.deflate);
        assert_int_equal(hws_deflate_fits(&s.deflate, bits), 0);
        how.agreed_bits = 0;
        sender_open(&s, &how);
        assert_int_equal(hws_deflate_fits(&s.deflate, bits), 0);
        i++;
    }
}

/* --- follow -------------------------------------------------------------------------------------
 */

static void own_messages_refer_to_a_broadcast(void **state) {
    static line l;
    uint8_t data[200];
    uint8_t payload[400];
    uint64_t seed = 52;
    size_t payload_len = 0;
    setup how = setup_default();
    hws_compressor c = make_compressor(12);
    (void)state;
    content_fill(&seed, CONTENT_NOISE, data, sizeof data);
    assert_int_equal(
        hws_compressor_message(&c, data, sizeof data, payload, sizeof payload, &payload_len),
        HWS_OK);
    open_line(&l, &how);
    send_past(&l, payload, payload_len, data, sizeof data);
    /* Nothing was compressed so far: it need not be taken note of. */
    assert_true(send_own(&l, HWS_WHOLE, data, 100) > 100);
    send_past(&l, payload, payload_len, data, sizeof data);
    assert_true(send_own(&l, HWS_WHOLE, data + 100, 100) < 20);
    hws_deflate_trim(&l.s.deflate);
    send_past(&l, payload, payload_len, data, sizeof data);
    assert_true(send_own(&l, HWS_WHOLE, data, 100) > 100);
    assert_true(send_own(&l, HWS_WHOLE, data, 100) < 20);
    close_line(&l);
    how.no_takeover = 1;
    open_line(&l, &how);
    (void)send_own(&l, HWS_WHOLE, data, 100);
    send_past(&l, payload, payload_len, data, sizeof data);
    assert_true(send_own(&l, HWS_WHOLE, data, 100) > 100);
    close_line(&l);
    hws_compressor_release(&c);
}

static void nothing_is_followed_inside_of_a_message(void **state) {
    static const uint8_t data[] = "something";
    static line l;
    size_t n = 0;
    setup how = setup_default();
    (void)state;
    open_line(&l, &how);
    sender_send(&l.s, HWS_BINARY, HWS_FIRST, data, 4, 100, wire, &n);
    assert_int_equal(hws_deflate_follow(&l.s.deflate, data, 9), HWS_ERR_STATE);
    sender_send(&l.s, HWS_BINARY, HWS_FINAL, data + 4, 5, 100, wire, &n);
    reader_expect(&l.r, wire, n, HWS_BINARY, data, 9);
    assert_int_equal(hws_deflate_follow(&l.s.deflate, NULL, 0), HWS_OK);
    assert_true(send_own(&l, HWS_WHOLE, data, 9) < 9);
    close_line(&l);
    how.agreed_bits = 0;
    open_line(&l, &how);
    assert_int_equal(hws_deflate_follow(&l.s.deflate, data, 9), HWS_OK);
    close_line(&l);
}

/* Larger than the window, of its size, about its reach: what is sent then is read by the peer, who
 * has the window that was agreed and no more. */
static void messages_of_every_size_are_followed(void **state) {
    static uint8_t data[70000];
    static uint8_t payload[90000];
    static line l;
    uint64_t seed = 53;
    unsigned i = 0;
    (void)state;
    content_fill(&seed, CONTENT_NOISE, data, sizeof data);
    while (i < 7 * 6) {
        uint8_t bits = (uint8_t)(9 + i % 7);
        size_t window = (size_t)1 << bits;
        size_t lens[] = {window - 263, window - 1, window, window + 1, 2 * window + 3, 5};
        size_t len = lens[i / 7];
        size_t payload_len = 0;
        setup how = setup_default();
        hws_compressor c = make_compressor(bits);
        how.agreed_bits = bits;
        open_line(&l, &how);
        (void)send_own(&l, HWS_WHOLE, data + 100, 300);
        assert_int_equal(
            hws_compressor_message(&c, data, len, payload, sizeof payload, &payload_len), HWS_OK);
        send_past(&l, payload, payload_len, data, len);
        size_t again = len < 100 ? len : 100;
        assert_true(send_own(&l, HWS_WHOLE, data + len - again, again) < 20);
        (void)send_own(&l, HWS_WHOLE, data, window);
        close_line(&l);
        hws_compressor_release(&c);
        i++;
    }
}

/* --- mixtures -----------------------------------------------------------------------------------
 */

enum { LINES = 14 };

static line lines[LINES];

static size_t below(uint64_t *seed, size_t bound) {
    return (size_t)(random_next(seed) >> 33) % bound;
}

/* Some of a stock of copies, so that messages have much in common. */
static const uint8_t *choose(uint64_t *seed, size_t *len) {
    static uint8_t stock[20000];
    if (stock[0] == 0) {
        uint64_t own_seed = 54;
        content_fill(&own_seed, CONTENT_COPIES, stock, sizeof stock);
    }
    *len = below(seed, below(seed, 5) == 0 ? 9000 : 300);
    return stock + below(seed, sizeof stock - *len);
}

static void broadcast(hws_compressor *c, uint64_t *seed) {
    static uint8_t payload[16384];
    size_t payload_len = 0;
    size_t len;
    const uint8_t *data = choose(seed, &len);
    size_t i = 0;
    assert_int_equal(hws_compressor_message(c, data, len, payload, sizeof payload, &payload_len),
                     HWS_OK);
    while (i < LINES) {
        if (hws_deflate_fits(&lines[i].s.deflate, hws_compressor_window_bits(c))) {
            send_past(&lines[i], payload, payload_len, data, len);
        } else {
            (void)send_own(&lines[i], HWS_WHOLE, data, len);
        }
        i++;
    }
}

static void every_peer_reads_own_messages_and_broadcasts_in_any_order(void **state) {
    hws_compressor c = make_compressor(12);
    uint64_t seed = 55;
    unsigned round = 0;
    size_t i = 0;
    (void)state;
    while (i < LINES) {
        setup how = setup_default();
        how.agreed_bits = (uint8_t)(9 + i % 7);
        how.no_takeover = i >= 10;
        how.level = (uint8_t)(1 + i % 9);
        open_line(&lines[i], &how);
        i++;
    }
    while (round < ROUNDS) {
        static const uint8_t wishes[] = {0, 0, HWS_COMPRESSED, HWS_UNCOMPRESSED};
        line *l = &lines[below(&seed, LINES)];
        size_t len;
        const uint8_t *data = choose(&seed, &len);
        size_t what = below(&seed, 12);
        if (what == 0) {
            hws_deflate_trim(&l->s.deflate);
        } else if (what < 3) {
            broadcast(&c, &seed);
        } else {
            (void)send_own(l, HWS_WHOLE | wishes[below(&seed, 4)], data, len);
        }
        round++;
    }
    while (i > 0) {
        i--;
        close_line(&lines[i]);
    }
    hws_compressor_release(&c);
}

/* --- shared compressors -------------------------------------------------------------------------
 */

static setup shared_by(hws_compressor *compressor, uint8_t agreed_bits) {
    setup how = setup_default();
    how.agreed_bits = agreed_bits;
    how.shared = compressor;
    return how;
}

static void connections_that_share_a_compressor_refer_to_nothing(void **state) {
    uint8_t data[200];
    uint64_t seed = 56;
    hws_compressor c = make_compressor(15);
    setup how = shared_by(&c, 15);
    unsigned i = 0;
    (void)state;
    content_fill(&seed, CONTENT_NOISE, data, sizeof data);
    open_line(&lines[0], &how);
    open_line(&lines[1], &how);
    while (i < 6) {
        assert_true(send_own(&lines[i % 2], HWS_WHOLE, data, sizeof data) > sizeof data);
        assert_int_equal(lines[i % 2].r.compressed, 1);
        assert_int_equal(hws_deflate_follow(&lines[i % 2].s.deflate, data, sizeof data), HWS_OK);
        hws_deflate_trim(&lines[i % 2].s.deflate);
        i++;
    }
    close_line(&lines[0]);
    close_line(&lines[1]);
    hws_compressor_release(&c);
}

/* RFC 6455 5.3: a client that has no key in the middle of a message cannot go on. The others can.
 */
static void a_message_that_fails_frees_the_compressor_that_is_shared(void **state) {
    static sender failing;
    static sender other;
    hws_compressor c;
    uint8_t frames[200];
    size_t n = 0;
    size_t used = 0;
    (void)state;
    hws_codec_settings settings = {.window_bits = 15, .level = 6, .mem_level = 8};
    assert_int_equal(hws_compressor_init(&c, hws_codec_zlib(), &settings), HWS_OK);
    setup how = shared_by(&c, 15);
    how.role = HWS_ROLE_CLIENT;
    sender_open(&failing, &how);
    sender_open(&other, &how);
    sender_send(&failing, HWS_TEXT, HWS_FIRST, "abc", 3, 100, frames, &n);
    n = 0;
    failing.random.fail_after = failing.random.calls;
    assert_int_equal(hws_deflate_send(&failing.deflate, &failing.conn, HWS_TEXT, 0,
                                      (const uint8_t *)"abc", 3, &used, frames, 100, &n),
                     HWS_ERR_RANDOM);
    sender_send(&other, HWS_TEXT, HWS_WHOLE | HWS_COMPRESSED, "abc", 3, 100, frames, &n);
    assert_int_equal(frames[0], 0xC1);
    hws_deflate_release(&failing.deflate);
    hws_deflate_release(&other.deflate);
    hws_compressor_release(&c);
}

/* The smallest window counts from when its connection starts, for messages that start then. */
static void a_shared_compressor_keeps_to_the_smallest_window(void **state) {
    static uint8_t data[40000];
    uint64_t seed = 57;
    hws_compressor c = make_compressor(15);
    setup wide = shared_by(&c, 15);
    setup narrow = shared_by(&c, 10);
    size_t n = 0;
    (void)state;
    content_fill(&seed, CONTENT_NOISE, data, 10000);
    memcpy(data + 10000, data, 10000);
    open_line(&lines[0], &wide);
    assert_true(send_own(&lines[0], HWS_WHOLE, data, 20000) < 10500);
    sender_send(&lines[0].s, HWS_BINARY, HWS_FIRST, data, 10000, OUT_CAP, wire, &n);
    open_line(&lines[1], &narrow); /* while the first is inside of a message */
    assert_int_equal(hws_compressor_window_bits(&c), 10);
    sender_send(&lines[0].s, HWS_BINARY, HWS_FINAL, data + 10000, 10000, OUT_CAP, wire, &n);
    assert_true(n < 10500);
    reader_expect(&lines[0].r, wire, n, HWS_BINARY, data, 20000);
    assert_true(send_own(&lines[1], HWS_WHOLE, data, 20000) > 20000);
    assert_true(send_own(&lines[0], HWS_WHOLE, data, 20000) > 20000);
    setup other = shared_by(&c, 12); /* a larger one changes nothing */
    open_line(&lines[2], &other);
    assert_int_equal(hws_compressor_window_bits(&c), 10);
    setup none = shared_by(&c, 8); /* nor does one that is not compressed */
    open_line(&lines[3], &none);
    assert_int_equal(hws_compressor_window_bits(&c), 10);
    (void)send_own(&lines[3], HWS_WHOLE, data, 100);
    assert_int_equal(lines[3].r.compressed, 0);
    n = 0;
    while (n < 4) {
        close_line(&lines[n]);
        n++;
    }
    hws_compressor_release(&c);
}

/* One message at a time: who comes in between is told, and may send uncompressed. */
static void a_shared_compressor_makes_one_message_at_a_time(void **state) {
    static const uint8_t data[] = "something, something, something";
    uint8_t out[256];
    size_t first_n = 0;
    size_t used = 0;
    size_t n = 0;
    hws_compressor c = make_compressor(15);
    setup how = shared_by(&c, 15);
    (void)state;
    open_line(&lines[0], &how);
    open_line(&lines[1], &how);
    sender_send(&lines[0].s, HWS_BINARY, HWS_FIRST, data, 10, 100, wire, &first_n);
    assert_int_equal(hws_deflate_send(&lines[1].s.deflate, &lines[1].s.conn, HWS_BINARY,
                                      HWS_WHOLE | HWS_COMPRESSED, data, sizeof data, &used, out,
                                      sizeof out, &n),
                     HWS_ERR_STATE);
    assert_int_equal(hws_deflate_compress(&lines[1].s.deflate, HWS_BINARY, HWS_WHOLE, data,
                                          sizeof data, &used, out, sizeof out, &n),
                     HWS_ERR_STATE);
    assert_int_equal(hws_compressor_message(&c, data, sizeof data, out, sizeof out, &n),
                     HWS_ERR_STATE);
    assert_int_equal(n + used, 0);
    sender_send(&lines[1].s, HWS_BINARY, HWS_WHOLE, data, sizeof data, 256, out, &n);
    reader_expect(&lines[1].r, out, n, HWS_BINARY, data, sizeof data);
    assert_int_equal(lines[1].r.compressed, 0);
    sender_send(&lines[0].s, HWS_BINARY, HWS_FINAL, data + 10, sizeof data - 10, 100, wire,
                &first_n);
    reader_expect(&lines[0].r, wire, first_n, HWS_BINARY, data, sizeof data);
    (void)send_own(&lines[1], HWS_WHOLE, data, sizeof data);
    assert_int_equal(lines[1].r.compressed, 1);
    close_line(&lines[0]);
    close_line(&lines[1]);
    hws_compressor_release(&c);
}

/* The connection is gone, its message is not: the next one starts with an empty window. */
static void a_release_inside_of_a_message_frees_the_shared_compressor(void **state) {
    uint8_t data[600];
    uint64_t seed = 58;
    size_t used = 0;
    unsigned way = 0;
    hws_compressor c = make_compressor(15);
    setup how = shared_by(&c, 15);
    (void)state;
    content_fill(&seed, CONTENT_NOISE, data, sizeof data);
    open_line(&lines[1], &how);
    while (way < 2) {
        size_t n = 0;
        open_line(&lines[0], &how);
        if (way == 0) {
            sender_send(&lines[0].s, HWS_BINARY, HWS_FIRST, data, 300, OUT_CAP, wire, &n);
        } else {
            assert_int_equal(hws_deflate_send(&lines[0].s.deflate, &lines[0].s.conn, HWS_BINARY,
                                              HWS_WHOLE, data, sizeof data, &used, wire, 64, &n),
                             HWS_MORE);
        }
        close_line(&lines[0]);
        hws_deflate_release(&lines[0].s.deflate);
        assert_true(send_own(&lines[1], HWS_WHOLE, data, 300) > 300);
        assert_int_equal(lines[1].r.compressed, 1);
        way++;
    }
    close_line(&lines[1]); /* between messages: not its to release */
    open_line(&lines[0], &how);
    (void)send_own(&lines[0], HWS_WHOLE, data, 300);
    close_line(&lines[0]);
    hws_compressor_release(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_made_whole_or_not_at_all),
        cmocka_unit_test(a_count_above_the_capacity_has_no_room),
        cmocka_unit_test(messages_are_those_of_rfc_7692),
        cmocka_unit_test(a_message_fits_where_its_window_was_agreed),
        cmocka_unit_test(own_messages_refer_to_a_broadcast),
        cmocka_unit_test(nothing_is_followed_inside_of_a_message),
        cmocka_unit_test(messages_of_every_size_are_followed),
        cmocka_unit_test(every_peer_reads_own_messages_and_broadcasts_in_any_order),
        cmocka_unit_test(connections_that_share_a_compressor_refer_to_nothing),
        cmocka_unit_test(a_message_that_fails_frees_the_compressor_that_is_shared),
        cmocka_unit_test(a_shared_compressor_keeps_to_the_smallest_window),
        cmocka_unit_test(a_shared_compressor_makes_one_message_at_a_time),
        cmocka_unit_test(a_release_inside_of_a_message_frees_the_shared_compressor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
