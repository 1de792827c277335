/*
 * Sending compressed: what comes out, byte for byte where RFC 7692 has it, and at every capacity.
 * Mistakes of the caller are in test_deflate_mistakes.c, other codecs in test_deflate_seam.c.
 */
#include "compressed.h"

#include <string.h>

enum { SERVER = HWS_ROLE_SERVER, CLIENT = HWS_ROLE_CLIENT, OUT_CAP = 1 << 16 };

static sender s;
static reader r;
static uint8_t out[OUT_CAP];

/* --- RFC 7692 7.2.3 -----------------------------------------------------------------------------
 */

typedef struct step {
    const char *name;
    const char *text;
    uint8_t flags;
    uint8_t first_byte;
    const char *payload;
} step;

/* Send, and see one frame with this payload, masked with the next key of the source for a client.
 */
static void expect_frame(const step *e, uint8_t role) {
    test_random replay = s.random;
    uint8_t expected[64];
    uint8_t key[4] = {0, 0, 0, 0};
    size_t header_len = role == CLIENT ? 6 : 2;
    size_t len = hex_decode(e->payload, expected + header_len, sizeof expected - header_len);
    size_t used = 0;
    size_t n = 0;
    size_t i = 0;

    expected[0] = e->first_byte;
    expected[1] = (uint8_t)(len | (role == CLIENT ? 0x80 : 0));
    if (role == CLIENT) {
        test_random_fill(&replay, key, 4);
        memcpy(expected + 2, key, 4);
    }
    while (i < len) {
        expected[header_len + i] ^= key[i % 4];
        i++;
    }
    if (hws_deflate_send(&s.deflate, &s.conn, HWS_TEXT, e->flags, (const uint8_t *)e->text,
                         strlen(e->text), &used, out, sizeof out, &n) != HWS_OK ||
        n != header_len + len || memcmp(out, expected, n) != 0) {
        fail_msg("%s", e->name);
    }
    assert_int_equal(used, strlen(e->text));
}

static void expect_frames(const setup *how, const step *steps, size_t count) {
    size_t i = 0;
    sender_open(&s, how);
    while (i < count) {
        expect_frame(&steps[i], how->role);
        i++;
    }
    hws_deflate_release(&s.deflate);
}

static void expect_frames_of_both(setup how, const step *steps, size_t count) {
    how.role = SERVER;
    expect_frames(&how, steps, count);
    how.role = CLIENT;
    expect_frames(&how, steps, count);
}

static void messages_are_those_of_rfc_7692_with_takeover(void **state) {
    static const step steps[] = {
        {"7.2.3.1: Hello", "Hello", HWS_WHOLE, 0xC1, "f248cdc9c90700"},
        {"7.2.3.2: Hello once more refers to the first", "Hello", HWS_WHOLE, 0xC1, "f200110000"},
        {"7.2.3.6: an empty message is one byte", "", HWS_WHOLE, 0xC1, "00"},
        {"7.2.3.6: and another one too", "", HWS_WHOLE, 0xC1, "00"},
        {"7.2.1: a piece that is not the last keeps the end of its flush", "Hello", HWS_FIRST, 0x41,
         "021300000000ffff"},
        {"7.2.3.6: an empty last piece is one byte", "", HWS_FINAL, 0x80, "00"},
    };
    setup how = setup_default();
    (void)state;
    expect_frames_of_both(how, steps, sizeof steps / sizeof steps[0]);
}

static void messages_are_those_of_rfc_7692_without_takeover(void **state) {
    static const step steps[] = {
        {"7.2.3.1: Hello", "Hello", HWS_WHOLE, 0xC1, "f248cdc9c90700"},
        {"7.1.1: the second refers to nothing", "Hello", HWS_WHOLE, 0xC1, "f248cdc9c90700"},
        {"7.2.3.6: an empty message is one byte", "", HWS_WHOLE, 0xC1, "00"},
        {"7.2.1: a first piece", "Hello", HWS_FIRST, 0x41, "f248cdc9c907000000ffff"},
        {"7.1.1: a later piece refers to the first", "Hello", 0, 0x00, "f2001100000000ffff"},
        {"7.2.3.6: an empty last piece is one byte", "", HWS_FINAL, 0x80, "00"},
        {"7.1.1: the next message refers to nothing", "Hello", HWS_WHOLE, 0xC1, "f248cdc9c90700"},
    };
    setup how = setup_default();
    (void)state;
    how.no_takeover = 1;
    expect_frames_of_both(how, steps, sizeof steps / sizeof steps[0]);
}

static void empty_pieces_of_a_message_are_empty_frames_but_for_the_last(void **state) {
    static const step steps[] = {
        {"6.1: an empty first piece has nothing to flush", "", HWS_FIRST, 0x41, ""},
        {"6.1: nor has an empty piece after it", "", 0, 0x00, ""},
        {"7.2.3.6: the empty last piece ends the message", "", HWS_FINAL, 0x80, "00"},
        {"and a message after it is as ever", "Hello", HWS_WHOLE, 0xC1, "f248cdc9c90700"},
    };
    setup how = setup_default();
    (void)state;
    expect_frames(&how, steps, sizeof steps / sizeof steps[0]);
}

/* --- what is compressed -------------------------------------------------------------------------
 */

static void what_is_compressed_follows_threshold_and_flags(void **state) {
    static const step steps[] = {
        {"one byte below the threshold", "Hell", HWS_WHOLE, 0x81, "48656c6c"},
        {"as long as the threshold", "Hello", HWS_WHOLE, 0xC1, "f248cdc9c90700"},
        {"below, but asked for", "", HWS_WHOLE | HWS_COMPRESSED, 0xC1, "00"},
        {"above, but not wanted", "Hello", HWS_WHOLE | HWS_UNCOMPRESSED, 0x81, "48656c6c6f"},
        {"a first piece below", "", HWS_FIRST, 0x41, ""},
        {"a later piece", "", 0, 0x00, ""},
        {"the last piece", "", HWS_FINAL, 0x80, "00"},
        {"a first piece that is not wanted", "He", HWS_FIRST | HWS_UNCOMPRESSED, 0x01, "4865"},
        {"the rest of it is not asked again", "llo", 0, 0x00, "6c6c6f"},
        {"nor its end", "", HWS_FINAL, 0x80, ""},
        {"the next one is", "Hello", HWS_WHOLE, 0xC1, "f200110000"},
    };
    setup how = setup_default();
    (void)state;
    how.threshold = 5;
    expect_frames_of_both(how, steps, sizeof steps / sizeof steps[0]);
}

static void without_agreement_all_goes_as_it_is(void **state) {
    static const step steps[] = {
        {"a message", "Hello", HWS_WHOLE, 0x81, "48656c6c6f"},
        {"a message that is to be compressed", "Hello", HWS_WHOLE | HWS_COMPRESSED, 0x81,
         "48656c6c6f"},
        {"an empty one", "", HWS_WHOLE, 0x81, ""},
        {"a piece", "He", HWS_FIRST | HWS_COMPRESSED, 0x01, "4865"},
        {"the rest", "llo", HWS_FINAL, 0x80, "6c6c6f"},
    };
    setup how = setup_default();
    (void)state;
    how.agreed_bits = 0;
    expect_frames_of_both(how, steps, sizeof steps / sizeof steps[0]);
    how = setup_default();
    how.agreed_bits = 8; /* 7.1.2: zlib cannot keep to it */
    expect_frames(&how, steps, sizeof steps / sizeof steps[0]);
    assert_int_equal(hws_deflate_compresses(&s.deflate, HWS_WHOLE | HWS_COMPRESSED, 9), 0);
}

static void the_question_whether_it_compresses_has_the_same_answer(void **state) {
    setup how = setup_default();
    uint8_t flags = 0;
    size_t n = 0;
    (void)state;
    how.threshold = 5;
    sender_open(&s, &how);
    while (flags < 16) {
        uint8_t first = flags & HWS_FIRST;
        uint8_t wanted = (flags & HWS_COMPRESSED) != 0 || (flags & HWS_FINAL) == 0;
        uint8_t may = first && (flags & HWS_UNCOMPRESSED) == 0;
        assert_int_equal(hws_deflate_compresses(&s.deflate, flags, 4), may && wanted);
        assert_int_equal(hws_deflate_compresses(&s.deflate, flags, 5), may);
        flags++;
    }
    sender_send(&s, HWS_TEXT, HWS_FIRST, "a", 1, 100, out, &n);
    assert_int_equal(hws_deflate_compresses(&s.deflate, 0, 0), 1);
    assert_int_equal(hws_deflate_compresses(&s.deflate, HWS_FINAL, 1), 1);
    sender_send(&s, HWS_TEXT, HWS_FINAL, "a", 1, 100, out, &n);
    assert_int_equal(hws_deflate_compresses(&s.deflate, HWS_FINAL, 1), 0);
    sender_send(&s, HWS_TEXT, HWS_FIRST | HWS_UNCOMPRESSED, "a", 1, 100, out, &n);
    assert_int_equal(hws_deflate_compresses(&s.deflate, HWS_FINAL, 100), 0);
    hws_deflate_release(&s.deflate);
}

static void pings_and_pongs_go_between_the_fragments_of_a_piece(void **state) {
    static const uint8_t ping[] = {0x89, 2, 'h', 'i', 0x8A, 0};
    uint8_t data[600];
    uint64_t seed = 3;
    size_t used = 0;
    size_t n = 0;
    hws_status status = HWS_MORE;
    setup how = setup_default();
    (void)state;
    content_fill(&seed, CONTENT_NOISE, data, sizeof data);
    sender_open(&s, &how);
    reader_open(&r, &how);
    while (status == HWS_MORE) {
        size_t none = 0;
        size_t end = n + 100;
        status = hws_deflate_send(&s.deflate, &s.conn, HWS_BINARY, HWS_WHOLE, data, sizeof data,
                                  &used, out, end, &n);
        size_t at = n;
        assert_int_equal(hws_deflate_send(&s.deflate, &s.conn, HWS_PING, HWS_WHOLE,
                                          (const uint8_t *)"hi", 2, &none, out, sizeof out, &n),
                         HWS_OK);
        assert_int_equal(none, 2);
        assert_int_equal(hws_deflate_send(&s.deflate, &s.conn, HWS_PONG, HWS_WHOLE, NULL, 0,
                                          &(size_t){0}, out, sizeof out, &n),
                         HWS_OK);
        assert_int_equal(n - at, sizeof ping);
        assert_memory_equal(out + at, ping, sizeof ping);
    }
    assert_int_equal(status, HWS_OK);
    reader_expect(&r, out, n, HWS_BINARY, data, sizeof data);
    assert_int_equal(r.controls, 2 * r.fragments);
    hws_deflate_release(&s.deflate);
    reader_close(&r);
}

/* --- capacities ---------------------------------------------------------------------------------
 */

typedef struct case_of {
    setup how;
    const uint8_t *data;
    size_t len;
    size_t cap;
    size_t front; /* bytes that stand in the buffer before */
} case_of;

/* Below the least room nothing happens; with something in front of it, it is to be sent first. */
static void expect_no_room(const case_of *c, uint8_t *room) {
    size_t used = 0;
    size_t n = c->front;
    hws_status status = hws_deflate_send(&s.deflate, &s.conn, HWS_BINARY, HWS_WHOLE, c->data,
                                         c->len, &used, room, c->cap, &n);
    assert_int_equal(status, c->front > 0 && c->front <= c->cap ? HWS_MORE : HWS_ERR_SPACE);
    assert_int_equal(n, c->front);
    assert_int_equal(used, 0);
}

/* The frames of a message, each made in a buffer that ends where nobody may write. */
static size_t send_in_parts(const case_of *c, uint8_t *wire) {
    hws_status status = HWS_MORE;
    size_t total = 0;
    size_t used = 0;
    while (status == HWS_MORE) {
        uint8_t *room = guard_alloc(c->cap);
        size_t n = c->front;
        size_t i = 0;
        memset(room, 0x55, c->cap);
        status = hws_deflate_send(&s.deflate, &s.conn, HWS_BINARY, HWS_WHOLE, c->data, c->len,
                                  &used, room, c->cap, &n);
        assert_true(status == HWS_OK || status == HWS_MORE);
        assert_true(n > c->front + 1 && n <= c->cap);
        /* Full but for what a header may take, what is held back, and what a flush may. */
        assert_true(status == HWS_OK || c->cap - n <= HWS_FRAME_HEADER_MAX + 4 + 7);
        while (i < c->front) {
            assert_int_equal(room[i], 0x55);
            i++;
        }
        memcpy(wire + total, room + c->front, n - c->front);
        total += n - c->front;
        guard_free(room, c->cap);
    }
    assert_int_equal(used, c->len);
    return total;
}

/* Twice: the second message goes on where the first left the window. */
static void at_capacity(const case_of *c, const uint8_t *payload, size_t payload_len) {
    uint8_t *room = guard_alloc(c->cap);
    size_t at = 0;
    size_t i = 0;
    sender_open(&s, &c->how);
    reader_open(&r, &c->how);
    memset(room, 0x55, c->cap);
    if (c->front > c->cap || c->cap - c->front < HWS_DEFLATE_MIN_SPACE) {
        expect_no_room(c, room);
    } else {
        while (i < 2) {
            size_t len = send_in_parts(c, out);
            reader_expect(&r, out, len, HWS_BINARY, c->data, c->len);
            assert_int_equal(r.compressed, 1);
            assert_true(at + r.payload_len <= payload_len);
            assert_memory_equal(r.payload, payload + at, r.payload_len);
            at += r.payload_len;
            i++;
        }
        assert_int_equal(at, payload_len);
    }
    guard_free(room, c->cap);
    hws_deflate_release(&s.deflate);
    reader_close(&r);
}

/* The payload of two messages when there is room for each in one frame. */
static size_t payload_at_once(const case_of *c, uint8_t *payload) {
    size_t at = 0;
    size_t i = 0;
    sender_open(&s, &c->how);
    reader_open(&r, &c->how);
    while (i < 2) {
        size_t n = 0;
        assert_int_equal(sender_send(&s, HWS_BINARY, HWS_WHOLE, c->data, c->len, OUT_CAP, out, &n),
                         1);
        reader_expect(&r, out, n, HWS_BINARY, c->data, c->len);
        assert_int_equal(r.fragments, 1);
        memcpy(payload + at, r.payload, r.payload_len);
        at += r.payload_len;
        i++;
    }
    hws_deflate_release(&s.deflate);
    reader_close(&r);
    return at;
}

static void at_every_capacity(const case_of *c) {
    static uint8_t payload[OUT_CAP];
    size_t payload_len = payload_at_once(c, payload);
    case_of at = *c;
    at.cap = 0;
    while (at.cap < 320) {
        at_capacity(&at, payload, payload_len);
        at.cap += at.cap < 60 ? 6 : 1;
    }
    while (at.cap < 1000) {
        at_capacity(&at, payload, payload_len);
        at.cap += 41;
    }
}

static void payload_does_not_depend_on_capacities(void **state) {
    static const size_t lens[] = {0, 5, 45, 46, 47, 300, 700, 3000};
    static uint8_t data[3000];
    uint64_t seed = 4;
    unsigned i = 0;
    (void)state;
#ifdef HWS_TEST_REDUCED
    i = 24;
#endif
    while (i < 32) {
        case_of c = {.how = setup_default(), .data = data};
        c.len = lens[i % 8];
        c.front = i % 3 == 0 ? 9 : 0;
        c.how.role = i % 2;
        c.how.window_bits = 9 + i % 4;
        c.how.mem_level = (uint8_t)(1 + i % 9);
        c.how.level = (uint8_t)(1 + (i / 3) % 9);
        content_fill(&seed, (enum content)((3 + i / 8) % CONTENT_KINDS), data, c.len);
        at_every_capacity(&c);
        i++;
    }
}

/* 7.2.1: a frame of any size is possible; its header is then the longest one. */
static void large_frames_have_the_headers_of_their_size(void **state) {
    static uint8_t data[70000];
    static uint8_t wire[80000];
    uint8_t role = SERVER;
    uint64_t seed = 5;
    (void)state;
    content_fill(&seed, CONTENT_NOISE, data, sizeof data);
    while (role <= CLIENT) {
        size_t n = 0;
        setup how = setup_default();
        how.role = role;
        sender_open(&s, &how);
        reader_open(&r, &how);
        assert_int_equal(
            sender_send(&s, HWS_BINARY, HWS_WHOLE, data, sizeof data, sizeof wire, wire, &n), 1);
        assert_int_equal(wire[1] & 0x7F, 127);
        reader_expect(&r, wire, n, HWS_BINARY, data, sizeof data);
        hws_deflate_release(&s.deflate);
        reader_close(&r);
        role++;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_those_of_rfc_7692_with_takeover),
        cmocka_unit_test(messages_are_those_of_rfc_7692_without_takeover),
        cmocka_unit_test(empty_pieces_of_a_message_are_empty_frames_but_for_the_last),
        cmocka_unit_test(what_is_compressed_follows_threshold_and_flags),
        cmocka_unit_test(without_agreement_all_goes_as_it_is),
        cmocka_unit_test(the_question_whether_it_compresses_has_the_same_answer),
        cmocka_unit_test(pings_and_pongs_go_between_the_fragments_of_a_piece),
        cmocka_unit_test(payload_does_not_depend_on_capacities),
        cmocka_unit_test(large_frames_have_the_headers_of_their_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
