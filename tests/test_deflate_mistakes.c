/*
 * Sending compressed: what is refused changes nothing. Every sender here has a twin that is spared
 * the mistakes, and what both send afterwards is the same.
 */
#include "compressed.h"

#include <hawser/status.h>

#include <string.h>

enum { SERVER = HWS_ROLE_SERVER, CLIENT = HWS_ROLE_CLIENT, OUT_CAP = 4096 };

/* Where a mistake is made. MID_PIECE: a whole text is half out, HWS_MORE was returned. */
enum place { BETWEEN, IN_TEXT, IN_BINARY, MID_PIECE, CLOSED, PLACES };

static uint8_t half[500]; /* text that takes several fragments */

typedef struct twins {
    sender s;    /* makes the mistakes */
    sender twin; /* does not */
    reader r;
    size_t used;
} twins;

static twins t;

/* The same call with both; the output is compared and read. */
static hws_status send_both(uint8_t type, uint8_t flags, const void *data, size_t len, size_t *used,
                            size_t cap) {
    uint8_t out[2][OUT_CAP];
    size_t used_by_twin = *used;
    size_t n[2] = {0, 0};
    size_t at = 0;
    hws_status status =
        hws_deflate_send(&t.s.deflate, &t.s.conn, type, flags, data, len, used, out[0], cap, &n[0]);
    assert_int_equal(hws_deflate_send(&t.twin.deflate, &t.twin.conn, type, flags, data, len,
                                      &used_by_twin, out[1], cap, &n[1]),
                     status);
    assert_int_equal(*used, used_by_twin);
    assert_int_equal(n[0], n[1]);
    assert_memory_equal(out[0], out[1], n[0]);
    while (at < n[0]) {
        (void)reader_frame(&t.r, out[0], n[0], &at);
    }
    return status;
}

static void send_both_well(uint8_t type, uint8_t flags, const char *text) {
    size_t used = 0;
    assert_int_equal(send_both(type, flags, text, strlen(text), &used, OUT_CAP), HWS_OK);
}

static void close_both(void) {
    uint8_t out[64];
    size_t n = 0;
    assert_int_equal(hws_conn_close(&t.s.conn, 1000, NULL, 0, out, sizeof out, &n), HWS_OK);
    assert_int_equal(hws_conn_close(&t.twin.conn, 1000, NULL, 0, out, sizeof out, &n), HWS_OK);
}

static void open_twins(const setup *how, enum place place) {
    uint64_t seed = 11;
    sender_open(&t.s, how);
    sender_open(&t.twin, how);
    reader_open(&t.r, how);
    send_both_well(HWS_TEXT, HWS_WHOLE, "something for the window");
    t.used = 0;
    if (place == IN_TEXT) {
        send_both_well(HWS_TEXT, HWS_FIRST, "\xe2");
        send_both_well(HWS_TEXT, 0, "\x82");
    } else if (place == IN_BINARY) {
        send_both_well(HWS_BINARY, HWS_FIRST, "\xff");
    } else if (place == MID_PIECE) {
        content_fill(&seed, CONTENT_COPIES, half, sizeof half);
        assert_int_equal(send_both(HWS_TEXT, HWS_WHOLE, half, sizeof half, &t.used, 80), HWS_MORE);
    } else if (place == CLOSED) {
        close_both();
    }
}

static void release_twins(void) {
    hws_deflate_release(&t.s.deflate);
    hws_deflate_release(&t.twin.deflate);
    reader_close(&t.r);
}

/* Go on as if nothing had happened, and part. */
static void close_twins(enum place place) {
    if (place == IN_TEXT) {
        send_both_well(HWS_TEXT, HWS_FINAL, "\xac, the end");
        assert_memory_equal(t.r.plain, "\xe2\x82\xac, the end", t.r.plain_len);
    } else if (place == IN_BINARY) {
        send_both_well(HWS_BINARY, HWS_FINAL, "the end");
        assert_memory_equal(t.r.plain, "\xffthe end", t.r.plain_len);
    } else if (place == MID_PIECE) {
        assert_int_equal(send_both(HWS_TEXT, HWS_WHOLE, half, sizeof half, &t.used, OUT_CAP),
                         HWS_OK);
        assert_int_equal(t.r.plain_len, sizeof half);
        assert_memory_equal(t.r.plain, half, sizeof half);
    }
    if (place != CLOSED) {
        send_both_well(HWS_TEXT, HWS_WHOLE, "something for the window");
    }
    assert_int_equal(t.s.random.calls, t.twin.random.calls);
    release_twins();
}

/* Make a mistake with the first of the twins, in a buffer that has something in it. */
static hws_status err_with(uint8_t type, uint8_t flags, const void *data, size_t len, size_t used) {
    uint8_t out[OUT_CAP];
    size_t used_after = used;
    size_t n = 3;
    memset(out, 0x55, sizeof out);
    hws_status status = hws_deflate_send(&t.s.deflate, &t.s.conn, type, flags, data, len,
                                         &used_after, out, sizeof out, &n);
    if (status < 0) {
        assert_int_equal(n, 3);
        assert_int_equal(used_after, used);
        assert_memory_equal(out, "\x55\x55\x55", 3);
    }
    return status;
}

/* --- every type and every flag ------------------------------------------------------------------
 */

static hws_status expected_data(enum place place, uint8_t type, uint8_t flags) {
    uint8_t in_type = place == BETWEEN || place == CLOSED ? 0 : place == IN_BINARY ? 2 : 1;
    uint8_t place_flags = flags & HWS_WHOLE;
    if (place == CLOSED) {
        return HWS_ERR_STATE;
    }
    if (place == MID_PIECE) {
        uint8_t same =
            type == HWS_TEXT && place_flags == HWS_WHOLE && (flags & HWS_UNCOMPRESSED) == 0;
        return same ? HWS_OK : HWS_ERR_STATE;
    }
    if ((flags & HWS_FIRST) != 0) {
        return in_type == 0 ? HWS_OK : HWS_ERR_STATE;
    }
    return in_type == type ? HWS_OK : HWS_ERR_STATE;
}

static hws_status expected_status(enum place place, uint8_t type, uint8_t flags) {
    if (flags > 15 || (flags & 12) == 12 || (flags > 3 && (flags & HWS_FIRST) == 0)) {
        return HWS_ERR_ARGUMENT;
    }
    if (type == HWS_TEXT || type == HWS_BINARY) {
        return expected_data(place, type, flags);
    }
    if ((type != HWS_PING && type != HWS_PONG) || flags != HWS_WHOLE) {
        return HWS_ERR_ARGUMENT;
    }
    return place == CLOSED ? HWS_ERR_STATE : HWS_OK;
}

/* What would be taken is not sent here: the other tests do. */
static void every_type_and_flag_at(const setup *how, enum place place) {
    unsigned i = 0;
    open_twins(how, place);
    while (i < 65536) {
        uint8_t type = (uint8_t)(i >> 8);
        uint8_t flags = (uint8_t)i;
        hws_status expected = expected_status(place, type, flags);
        size_t len = type == HWS_TEXT || type == HWS_BINARY ? sizeof half : 3;
        size_t used = len > 3 ? t.used : 0; /* all the rest as it has to be */
        if (expected != HWS_OK && err_with(type, flags, half, len, used) != expected) {
            fail_msg("type %u, flags %u, at %d", type, flags, (int)place);
        }
        i++;
    }
    close_twins(place);
}

static void every_type_and_flag_that_is_refused_changes_nothing(void **state) {
    enum place place = BETWEEN;
    (void)state;
    while (place < PLACES) {
        setup how = setup_default();
        every_type_and_flag_at(&how, place);
        how.role = CLIENT;
        every_type_and_flag_at(&how, place);
        place++;
    }
}

static void every_type_and_flag_that_is_good_is_taken(void **state) {
    unsigned i = 0;
    (void)state;
    while (i < 65536) {
        uint8_t type = (uint8_t)(i >> 8);
        uint8_t flags = (uint8_t)i;
        setup how = setup_default();
        if (expected_status(BETWEEN, type, flags) == HWS_OK) {
            open_twins(&how, BETWEEN);
            send_both_well(type, flags, "abc");
            if ((flags & HWS_FINAL) == 0) {
                send_both_well(type, HWS_FINAL, "def");
            }
            close_twins(BETWEEN);
        }
        i++;
    }
}

/* --- other mistakes -----------------------------------------------------------------------------
 */

typedef struct mistake {
    const char *name;
    enum place place;
    uint8_t type;
    uint8_t flags;
    const char *text;
    size_t used;
    hws_status expected;
} mistake;

static const mistake mistakes[] = {
    {"more is used than there is", BETWEEN, HWS_TEXT, HWS_WHOLE, "abc", 4, HWS_ERR_ARGUMENT},
    {"more of a plain message is used than there is", BETWEEN, HWS_TEXT, 3 | HWS_UNCOMPRESSED,
     "abc", 4, HWS_ERR_ARGUMENT},
    {"more of a Ping is used than there is", BETWEEN, HWS_PING, HWS_WHOLE, "", 1, HWS_ERR_ARGUMENT},
    {"more of a later piece is used than there is", IN_TEXT, HWS_TEXT, 0, "abc", 4,
     HWS_ERR_ARGUMENT},
    {"5.6: FF is no text", BETWEEN, HWS_TEXT, HWS_WHOLE, "ab\xff", 0, HWS_ERR_SEND_UTF8},
    {"5.6: FF is no text in a first piece", BETWEEN, HWS_TEXT, HWS_FIRST, "ab\xff", 0,
     HWS_ERR_SEND_UTF8},
    {"5.6: nor in what is not compressed", BETWEEN, HWS_TEXT, HWS_WHOLE | HWS_UNCOMPRESSED,
     "ab\xff", 0, HWS_ERR_SEND_UTF8},
    {"5.6: a surrogate is no text", BETWEEN, HWS_TEXT, HWS_WHOLE, "\xed\xa0\x80", 0,
     HWS_ERR_SEND_UTF8},
    {"5.6: a text ends inside a code point", BETWEEN, HWS_TEXT, HWS_WHOLE, "ab\xe2\x82", 0,
     HWS_ERR_SEND_UTF8},
    {"5.6: a later piece does not go on with the code point", IN_TEXT, HWS_TEXT, 0, "a", 0,
     HWS_ERR_SEND_UTF8},
    {"5.6: a last piece does not go on with it", IN_TEXT, HWS_TEXT, HWS_FINAL, "a", 0,
     HWS_ERR_SEND_UTF8},
    {"5.6: an empty last piece leaves it unfinished", IN_TEXT, HWS_TEXT, HWS_FINAL, "", 0,
     HWS_ERR_SEND_UTF8},
    {"5.6: a last piece leaves another one unfinished", IN_TEXT, HWS_TEXT, HWS_FINAL, "\xac\xc3", 0,
     HWS_ERR_SEND_UTF8},
    {"5.4: another message in a message", IN_TEXT, HWS_TEXT, HWS_WHOLE, "abc", 0, HWS_ERR_STATE},
    {"5.4: another message, not compressed, in a message", IN_BINARY, HWS_TEXT,
     HWS_WHOLE | HWS_UNCOMPRESSED, "abc", 0, HWS_ERR_STATE},
    {"5.4: another type in a message", IN_BINARY, HWS_TEXT, HWS_FINAL, "abc", 0, HWS_ERR_STATE},
    {"5.4: another message while a piece is half out", MID_PIECE, HWS_BINARY, HWS_WHOLE, "abc", 0,
     HWS_ERR_STATE},
    {"5.4: another one just like it while it is half out", MID_PIECE, HWS_TEXT, HWS_WHOLE, "abc", 0,
     HWS_ERR_STATE},
    {"5.4: the first piece of one while a piece is half out", MID_PIECE, HWS_TEXT, HWS_FIRST, "abc",
     0, HWS_ERR_STATE},
    {"5.4: a later piece while one is half out", MID_PIECE, HWS_TEXT, HWS_FINAL, "abc", 0,
     HWS_ERR_STATE},
    {"5.5: a Ping of 126 bytes", MID_PIECE, HWS_PING, HWS_WHOLE, NULL, 0, HWS_ERR_ARGUMENT},
    {"5.5.1: a message after our Close", CLOSED, HWS_TEXT, HWS_WHOLE, "abc", 0, HWS_ERR_STATE},
    {"5.5.1: one that is not text, too", CLOSED, HWS_TEXT, HWS_WHOLE, "\xff", 0, HWS_ERR_STATE},
};

static void make_mistake(const mistake *m, uint8_t role) {
    static const char long_ping[127] = {0};
    setup how = setup_default();
    how.role = role;
    open_twins(&how, m->place);
    const char *data = m->text != NULL ? m->text : long_ping;
    size_t len = m->text != NULL ? strlen(m->text) : 126;
    if (err_with(m->type, m->flags, data, len, m->used) != m->expected ||
        err_with(m->type, m->flags, data, len, m->used) != m->expected) {
        fail_msg("%s", m->name);
    }
    close_twins(m->place);
}

static void a_mistake_changes_nothing(void **state) {
    size_t i = 0;
    (void)state;
    while (i < sizeof mistakes / sizeof mistakes[0]) {
        make_mistake(&mistakes[i], SERVER);
        make_mistake(&mistakes[i], CLIENT);
        i++;
    }
}

static void a_connection_that_knows_no_compression_takes_none(void **state) {
    setup how = setup_default();
    hws_conn_config config;
    (void)state;
    open_twins(&how, BETWEEN);
    hws_conn_config_init(&config, SERVER);
    assert_int_equal(hws_conn_init(&t.s.conn, &config), HWS_OK);
    assert_int_equal(err_with(HWS_TEXT, HWS_WHOLE, "abc", 3, 0), HWS_ERR_ARGUMENT);
    t.s.conn = t.twin.conn;
    close_twins(BETWEEN);
}

static hws_status send_plain(uint8_t type, uint8_t flags, size_t len, size_t *used, uint8_t *out,
                             size_t cap, size_t *n) {
    return hws_deflate_send(&t.s.deflate, &t.s.conn, type, flags | HWS_UNCOMPRESSED, half, len,
                            used, out, cap, n);
}

static void what_is_not_compressed_needs_room_for_its_frame_or_a_fragment(void **state) {
    uint8_t out[101];
    size_t used = 0;
    size_t n = 0;
    setup how = setup_default();
    (void)state;
    open_twins(&how, BETWEEN);
    assert_int_equal(send_plain(HWS_BINARY, HWS_WHOLE, 100, &used, out, 63, &n), HWS_ERR_SPACE);
    n = 1; /* what stands there is to be written first */
    assert_int_equal(send_plain(HWS_BINARY, HWS_WHOLE, 100, &used, out, sizeof out, &n), HWS_MORE);
    assert_int_equal(n, 1);
    n = 102;
    assert_int_equal(send_plain(HWS_BINARY, HWS_WHOLE, 100, &used, out, 101, &n), HWS_ERR_SPACE);
    assert_int_equal(used, 0);
    close_twins(BETWEEN);
}

/* The fragments of a plain piece; mistakes in between do not get into it. */
static void a_plain_piece_that_is_half_out_takes_no_other(void **state) {
    uint8_t out[128];
    size_t used = 0;
    size_t n = 0;
    size_t other = 0;
    setup how = setup_default();
    (void)state;
    open_twins(&how, BETWEEN);
    hws_deflate *d = &t.s.deflate;
    assert_int_equal(send_plain(HWS_BINARY, HWS_WHOLE, 200, &used, out, 101, &n), HWS_MORE);
    assert_int_equal(n, 2 + 87);
    assert_int_equal(out[0], 0x02);
    assert_int_equal(used, 87);
    n = 0;
    assert_int_equal(send_plain(HWS_BINARY, HWS_WHOLE, 200, &other, out, 101, &n), HWS_ERR_STATE);
    assert_int_equal(send_plain(HWS_TEXT, HWS_WHOLE, 200, &used, out, 101, &n), HWS_ERR_STATE);
    assert_int_equal(send_plain(HWS_BINARY, HWS_FIRST, 200, &used, out, 101, &n), HWS_ERR_STATE);
    assert_int_equal(
        hws_deflate_send(d, &t.s.conn, HWS_BINARY, HWS_WHOLE, half, 200, &used, out, 101, &n),
        HWS_ERR_STATE);
    assert_int_equal(
        hws_deflate_compress(d, HWS_BINARY, HWS_WHOLE, half, 200, &other, out, 101, &n),
        HWS_ERR_STATE);
    assert_int_equal(n, 0);
    assert_int_equal(send_plain(HWS_BINARY, HWS_WHOLE, 200, &used, out, 114, &n), HWS_MORE);
    assert_int_equal(out[0], 0x00); /* the rest would have taken 115 */
    assert_int_equal(used, 87 + 100);
    n = 0;
    assert_int_equal(
        hws_deflate_send(d, &t.s.conn, HWS_PING, HWS_WHOLE, half, 3, &other, out, sizeof out, &n),
        HWS_OK);
    n = 0;
    assert_int_equal(send_plain(HWS_BINARY, HWS_WHOLE, 200, &used, out, 14, &n), HWS_ERR_SPACE);
    n = 3; /* behind something, and just so */
    assert_int_equal(send_plain(HWS_BINARY, HWS_WHOLE, 200, &used, out, 18, &n), HWS_OK);
    assert_int_equal(out[3], 0x80);
    assert_int_equal(n, 18);
    release_twins();
}

/* A plain piece has no compressor: not even the call that would go on with it, were it another. */
static void a_span_does_not_get_into_a_plain_piece_that_is_half_out(void **state) {
    uint8_t out[101];
    size_t used = 0;
    size_t n = 0;
    setup how = setup_default();
    (void)state;
    how.threshold = 1000;
    open_twins(&how, BETWEEN);
    hws_deflate *d = &t.s.deflate;
    assert_int_equal(
        hws_deflate_send(d, &t.s.conn, HWS_BINARY, HWS_WHOLE, half, 200, &used, out, 101, &n),
        HWS_MORE);
    n = 0;
    assert_int_equal(hws_deflate_compress(d, HWS_BINARY, HWS_WHOLE, half, 200, &used, out, 101, &n),
                     HWS_ERR_STATE);
    assert_int_equal(n, 0);
    assert_int_equal(used, 87);
    release_twins();
}

/* RFC 6455 5.6: text is judged whole before a fragment of it goes out. */
static void plain_text_in_fragments_is_judged_before_any_of_it_goes_out(void **state) {
    static uint8_t text[201];
    uint8_t out[101];
    size_t used = 0;
    size_t n = 0;
    setup how = setup_default();
    (void)state;
    memset(text, 'a', sizeof text);
    memcpy(text + 86, "\xe2\x82\xac", 3); /* the border of two fragments is inside of it */
    open_twins(&how, BETWEEN);
    text[200] = 0xFF;
    assert_int_equal(hws_deflate_send(&t.s.deflate, &t.s.conn, HWS_TEXT,
                                      HWS_WHOLE | HWS_UNCOMPRESSED, text, 201, &used, out,
                                      sizeof out, &n),
                     HWS_ERR_SEND_UTF8);
    assert_int_equal(n, 0);
    assert_int_equal(used, 0);
    hws_status status = HWS_MORE;
    unsigned frames = 0;
    while (status == HWS_MORE) {
        n = 0;
        status = hws_deflate_send(&t.s.deflate, &t.s.conn, HWS_TEXT, HWS_WHOLE | HWS_UNCOMPRESSED,
                                  text, 200, &used, out, sizeof out, &n);
        frames++;
    }
    assert_int_equal(status, HWS_OK);
    assert_int_equal(frames, 3);
    close_twins(BETWEEN);
}

/* A Close may stand inside of a message (RFC 6455 5.5.1): the rest of it is not sent. */
static void the_rest_of_a_message_cannot_be_sent_after_our_close(void **state) {
    setup how = setup_default();
    (void)state;
    open_twins(&how, IN_TEXT);
    close_both();
    assert_int_equal(err_with(HWS_TEXT, HWS_FINAL, "\xac", 1, 0), HWS_ERR_STATE);
    close_twins(CLOSED);
    open_twins(&how, MID_PIECE);
    close_both();
    assert_int_equal(err_with(HWS_TEXT, HWS_WHOLE, half, sizeof half, t.used), HWS_ERR_STATE);
    assert_int_equal(err_with(HWS_TEXT, HWS_WHOLE, half, sizeof half, t.used), HWS_ERR_STATE);
    assert_int_equal(err_with(HWS_PING, HWS_WHOLE, "abc", 3, 0), HWS_ERR_STATE);
    close_twins(CLOSED);
}

/* --- the span calls -----------------------------------------------------------------------------
 */

/* The bytes of a message by hws_deflate_compress(), with mistakes before and inside. */
static void spans_are_refused_without_a_trace(void **state) {
    uint8_t dst[3][256];
    size_t n[3] = {0, 0, 0};
    size_t used = 0;
    hws_deflate *d = &t.s.deflate;
    const uint8_t *text = (const uint8_t *)"text\xff";
    setup how = setup_default();
    unsigned i = 0;
    (void)state;
    open_twins(&how, BETWEEN);
    while (i < 256) {
        uint8_t v = (uint8_t)i;
        hws_status by_flags = v > 3 ? HWS_ERR_ARGUMENT : HWS_ERR_STATE;
        uint8_t data = v == HWS_TEXT || v == HWS_BINARY;
        if ((v & HWS_FIRST) == 0 || v > 3) {
            assert_int_equal(
                hws_deflate_compress(d, HWS_TEXT, v, text, 4, &used, dst[0], 256, &n[0]), by_flags);
        }
        assert_int_equal(hws_deflate_compress(d, v, 0, text, 4, &used, dst[0], 256, &n[0]),
                         data ? HWS_ERR_STATE : HWS_ERR_ARGUMENT);
        i++;
    }
    used = 5;
    assert_int_equal(hws_deflate_compress(d, 1, 3, text, 4, &used, dst[0], 256, &n[0]),
                     HWS_ERR_ARGUMENT);
    used = 0;
    assert_int_equal(hws_deflate_compress(d, 1, 3, text, 5, &used, dst[0], 256, &n[0]),
                     HWS_ERR_SEND_UTF8);
    assert_int_equal(hws_deflate_compress(d, 1, 3, text, 4, &used, dst[0], 63, &n[0]),
                     HWS_ERR_SPACE);
    n[0] = 257;
    assert_int_equal(hws_deflate_compress(d, 1, 3, text, 4, &used, dst[0], 256, &n[0]),
                     HWS_ERR_SPACE);
    assert_int_equal(used, 0);
    assert_int_equal(hws_deflate_compress(d, 1, 3, text, 4, &used, dst[1], 64, &n[1]), HWS_OK);
    used = 0;
    assert_int_equal(
        hws_deflate_compress(&t.twin.deflate, 1, 3, text, 4, &used, dst[2], 256, &n[2]), HWS_OK);
    assert_int_equal(n[1], n[2]);
    assert_memory_equal(dst[1], dst[2], n[1]);
    hws_deflate_release(&t.s.deflate);
    assert_int_equal(hws_deflate_compress(d, 1, 3, text, 4, &used, dst[0], 256, &n[1]),
                     HWS_ERR_STATE);
    hws_deflate_release(&t.twin.deflate);
    reader_close(&t.r);
}

static void a_span_that_is_half_out_takes_nothing_else(void **state) {
    uint8_t dst[2048];
    size_t used = 0;
    size_t n = 0;
    size_t at;
    hws_deflate *d = &t.s.deflate;
    setup how = setup_default();
    (void)state;
    open_twins(&how, BETWEEN);
    assert_int_equal(
        hws_deflate_compress(d, HWS_TEXT, HWS_WHOLE, half, sizeof half, &used, dst, 64, &n),
        HWS_MORE);
    at = n;
    assert_int_equal(
        hws_deflate_compress(d, HWS_BINARY, HWS_WHOLE, half, 3, &(size_t){0}, dst, sizeof dst, &n),
        HWS_ERR_STATE);
    assert_int_equal(
        hws_deflate_compress(d, HWS_TEXT, HWS_FIRST, half, 3, &(size_t){0}, dst, sizeof dst, &n),
        HWS_ERR_STATE);
    assert_int_equal(n, at);
    assert_int_equal(
        hws_deflate_compress(d, HWS_TEXT, HWS_WHOLE, half, sizeof half, &used, dst, sizeof dst, &n),
        HWS_OK);
    used = 0;
    assert_int_equal(hws_deflate_compress(&t.twin.deflate, HWS_TEXT, HWS_WHOLE, half, sizeof half,
                                          &used, dst + n, sizeof dst - n, &(size_t){0}),
                     HWS_OK);
    assert_memory_equal(dst, dst + n, n);
    release_twins();
}

/* --- randomness ---------------------------------------------------------------------------------
 */

/* The source fails at the k-th key of a message. Before the first frame nothing has happened, and
 * the message can be sent again; later the rest of it is lost. Returns 0 when it did not fail. */
static int fail_at_key(unsigned k, uint8_t no_takeover) {
    hws_status status = HWS_MORE;
    uint8_t out[2 * OUT_CAP];
    size_t used = 0;
    size_t n = 0;
    setup how = setup_default();
    how.role = CLIENT;
    how.no_takeover = no_takeover;
    open_twins(&how, BETWEEN);
    t.s.random.fail_after = t.s.random.calls + k;
    while (status == HWS_MORE) {
        status = hws_deflate_send(&t.s.deflate, &t.s.conn, HWS_TEXT, HWS_WHOLE, half, sizeof half,
                                  &used, out, n + 80, &n);
    }
    t.s.random.fail_after = 0;
    if (status == HWS_ERR_RANDOM && k == 0) {
        assert_int_equal(n + used, 0);
        n = 0;
        sender_send(&t.s, HWS_TEXT, HWS_WHOLE, half, sizeof half, 80, out, &n);
        reader_expect(&t.r, out, n, HWS_TEXT, half, sizeof half);
        n = 0;
        sender_send(&t.s, HWS_TEXT, HWS_WHOLE, half, sizeof half, 80, out, &n);
        reader_expect(&t.r, out, n, HWS_TEXT, half, sizeof half);
    } else if (status == HWS_ERR_RANDOM) {
        size_t before = t.used = used;
        assert_int_equal(err_with(HWS_TEXT, HWS_WHOLE, half, sizeof half, used), HWS_ERR_RANDOM);
        assert_int_equal(err_with(HWS_TEXT, HWS_WHOLE, "abc", 3, 0), HWS_ERR_RANDOM);
        assert_int_equal(err_with(HWS_TEXT, HWS_FINAL, "abc", 3, 0), HWS_ERR_RANDOM);
        assert_int_equal(err_with(HWS_BINARY, HWS_WHOLE | 8, "abc", 3, 0), HWS_ERR_RANDOM);
        assert_int_equal(err_with(HWS_PING, HWS_WHOLE, "abc", 3, 0), HWS_OK);
        assert_int_equal(used, before);
        /* to the peer it is unfinished: nothing may go past the filter into it */
        assert_int_equal(hws_deflate_compresses(&t.s.deflate, HWS_FINAL, 3), 1);
    }
    release_twins();
    return status == HWS_ERR_RANDOM;
}

static void a_random_source_that_fails_spoils_at_most_the_message(void **state) {
    unsigned k = 0;
    uint64_t seed = 12;
    (void)state;
    content_fill(&seed, CONTENT_COPIES, half, sizeof half);
    while (fail_at_key(k, 0) && fail_at_key(k, 1)) {
        k++;
    }
    assert_true(k > 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_and_flag_that_is_refused_changes_nothing),
        cmocka_unit_test(every_type_and_flag_that_is_good_is_taken),
        cmocka_unit_test(a_mistake_changes_nothing),
        cmocka_unit_test(a_connection_that_knows_no_compression_takes_none),
        cmocka_unit_test(what_is_not_compressed_needs_room_for_its_frame_or_a_fragment),
        cmocka_unit_test(a_plain_piece_that_is_half_out_takes_no_other),
        cmocka_unit_test(a_span_does_not_get_into_a_plain_piece_that_is_half_out),
        cmocka_unit_test(plain_text_in_fragments_is_judged_before_any_of_it_goes_out),
        cmocka_unit_test(the_rest_of_a_message_cannot_be_sent_after_our_close),
        cmocka_unit_test(spans_are_refused_without_a_trace),
        cmocka_unit_test(a_span_that_is_half_out_takes_nothing_else),
        cmocka_unit_test(a_random_source_that_fails_spoils_at_most_the_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
