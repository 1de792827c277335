/*
 * Memory of compression: when it is taken, how much, and that nothing is lost and nobody misled
 * when there is none.
 */
#include "compressed.h"

#include <hawser/status.h>

#include <string.h>

enum { SERVER = HWS_ROLE_SERVER, CLIENT = HWS_ROLE_CLIENT, OUT_CAP = 1 << 14 };

/* Two ends of a connection, with one allocator. */
typedef struct pair {
    counter memory;
    sender ends[2];
} pair;

static pair p;
static const uint8_t text[] = "some text, some text that can be compressed, some text";

static void open_pair(uint8_t no_takeover, uint8_t bits) {
    uint8_t role = SERVER;
    while (role <= CLIENT) {
        setup how = setup_default();
        hws_deflate_params agreed = {1, no_takeover, no_takeover, bits, bits, 0, {0}};
        how.role = role;
        how.memory = &p.memory;
        hws_deflate_options options = setup_options(&how);
        sender_open(&p.ends[role], &how);
        assert_int_equal(hws_deflate_init(&p.ends[role].deflate, &agreed, &options), HWS_OK);
        role++;
    }
}

static void close_pair(void) {
    hws_deflate_release(&p.ends[SERVER].deflate);
    hws_deflate_release(&p.ends[CLIENT].deflate);
    assert_int_equal(p.memory.blocks, 0);
    assert_int_equal(p.memory.bytes, 0);
}

/* There is memory again. */
static void repair(void) {
    p.memory.fail_at = 0;
}

/* Send a piece; without memory, once more when there is some. Tells whether it was compressed. */
static int send_piece(uint8_t role, uint8_t flags, size_t len, uint8_t *out, size_t *n) {
    sender *s = &p.ends[role];
    sender before = *s;
    unsigned failures = p.memory.failures;
    size_t used = 0;
    size_t at = *n;
    hws_status status =
        hws_deflate_send(&s->deflate, &s->conn, HWS_TEXT, flags, text, len, &used, out, OUT_CAP, n);
    int failed = p.memory.failures > failures && (flags & HWS_COMPRESSED) != 0;
    assert_int_equal(status, failed ? HWS_ERR_MEMORY : HWS_OK);
    if (failed) {
        assert_int_equal(used, 0);
        assert_int_equal(*n, at);
        assert_memory_equal(s, &before, sizeof before);
        repair();
        failures = p.memory.failures;
        status = hws_deflate_send(&s->deflate, &s->conn, HWS_TEXT, flags, text, len, &used, out,
                                  OUT_CAP, n);
    }
    assert_int_equal(status, HWS_OK);
    assert_int_equal(used, len);
    int compressed = (out[at] & 0x40) != 0;
    assert_int_equal(compressed, (flags & HWS_FIRST) != 0 && p.memory.failures == failures);
    return compressed;
}

/* Receive what was sent: `count` times the text. */
static void receive_texts(uint8_t role, uint8_t *wire, size_t len, size_t count) {
    sender *s = &p.ends[role];
    uint8_t room[sizeof text];
    size_t used = 0;
    size_t got = 0;
    hws_status status = HWS_EVENT;
    while (status == HWS_EVENT || status == HWS_ERR_MEMORY) {
        hws_event ev;
        unsigned failures = p.memory.failures;
        status =
            hws_deflate_receive(&s->deflate, &s->conn, wire, len, &used, room, sizeof room, &ev);
        if (status == HWS_EVENT) {
            assert_true(ev.len <= count * sizeof text - got);
            assert_int_equal(got % sizeof text + ev.len <= sizeof text, 1);
            assert_memory_equal(ev.data, text + got % sizeof text, ev.len);
            got += ev.len;
        } else if (status == HWS_ERR_MEMORY) {
            assert_true(p.memory.failures > failures);
            assert_int_equal(hws_deflate_pending(&s->deflate), 1);
            assert_int_equal(hws_conn_can_receive(&s->conn), 1);
            repair();
        }
    }
    assert_int_equal(status, HWS_OK);
    assert_int_equal(used, len);
    assert_int_equal(got, count * sizeof text);
}

/* A message whole, and one in pieces. */
static void send_and_receive(uint8_t role, uint8_t wish) {
    uint8_t wire[OUT_CAP];
    size_t n = 0;
    (void)send_piece(role, HWS_WHOLE | wish, sizeof text, wire, &n);
    receive_texts(!role, wire, n, 1);
    n = 0;
    (void)send_piece(role, HWS_FIRST | wish, 0, wire, &n);
    (void)send_piece(role, 0, sizeof text, wire, &n);
    (void)send_piece(role, HWS_FINAL, 0, wire, &n);
    receive_texts(!role, wire, n, 1);
}

static void trim_pair(void) {
    hws_deflate_trim(&p.ends[SERVER].deflate);
    hws_deflate_trim(&p.ends[CLIENT].deflate);
}

/* --- failures -----------------------------------------------------------------------------------
 */

static void broadcast(hws_compressor *compressor) {
    uint8_t wire[OUT_CAP];
    uint8_t payload[256];
    sender *server = &p.ends[SERVER];
    size_t payload_len = 5;
    size_t n = 0;
    hws_status status = hws_compressor_message(compressor, text, sizeof text, payload,
                                               sizeof payload, &payload_len);
    if (status == HWS_ERR_MEMORY) {
        assert_int_equal(payload_len, 5);
        repair();
        status = hws_compressor_message(compressor, text, sizeof text, payload, sizeof payload,
                                        &payload_len);
    }
    assert_int_equal(status, HWS_OK);
    assert_int_equal(hws_conn_send(&server->conn, HWS_TEXT, HWS_WHOLE | HWS_COMPRESSED, payload + 5,
                                   payload_len - 5, wire, sizeof wire, &n),
                     HWS_OK);
    assert_int_equal(hws_deflate_follow(&server->deflate, text, sizeof text), HWS_OK);
    receive_texts(CLIENT, wire, n, 1);
}

/* All that ever allocates. Returns the number of allocations. */
static unsigned whole_life(unsigned fail_at, int fail_rest, uint8_t no_takeover) {
    hws_compressor compressor;
    hws_codec_settings settings = {.window_bits = 11, .level = 6, .mem_level = 4};
    p.memory = (counter){.fail_at = fail_at, .fail_rest = fail_rest};
    settings.allocator = counter_allocator(&p.memory);
    open_pair(no_takeover, 11);
    assert_int_equal(hws_compressor_init(&compressor, hws_codec_zlib(), &settings), HWS_OK);
    assert_int_equal(p.memory.calls, 0); /* all that is made is made when it is needed */
    send_and_receive(SERVER, HWS_COMPRESSED);
    send_and_receive(CLIENT, 0);
    broadcast(&compressor);
    send_and_receive(SERVER, 0);
    trim_pair();
    send_and_receive(CLIENT, HWS_COMPRESSED);
    hws_compressor_release(&compressor);
    broadcast(&compressor);
    send_and_receive(SERVER, HWS_COMPRESSED);
    hws_compressor_release(&compressor);
    hws_compressor_release(&compressor);
    close_pair();
    return p.memory.calls;
}

static void every_allocation_may_fail(void **state) {
    enum { FEW_CALLS = 8 }; /* zlib takes a state in several blocks, zlib-ng in one */
    unsigned way = 0;
    (void)state;
    while (way < 4) {
        uint8_t no_takeover = way & 1;
        unsigned calls = whole_life(0, 0, no_takeover);
        unsigned k = 1;
        assert_true(calls > FEW_CALLS);
        while (k <= calls) {
            (void)whole_life(k, way > 1, no_takeover);
            assert_true(p.memory.failures > 0);
            k++;
        }
        way++;
    }
}

/* A connection that shares a compressor asks it for memory in the same way. */
static void every_allocation_of_a_shared_compressor_may_fail(void **state) {
    unsigned k = 1;
    unsigned failures = 1;
    (void)state;
    while (failures > 0) {
        hws_compressor compressor;
        setup how = setup_default();
        how.memory = &p.memory;
        how.shared = &compressor;
        p.memory = (counter){.fail_at = k};
        open_pair(1, 15);
        hws_deflate_options options = setup_options(&how);
        hws_deflate_params agreed = setup_agreed(&how);
        assert_int_equal(hws_compressor_init(&compressor, options.codec, &options.settings),
                         HWS_OK);
        assert_int_equal(hws_deflate_init(&p.ends[SERVER].deflate, &agreed, &options), HWS_OK);
        send_and_receive(SERVER, HWS_COMPRESSED);
        failures = p.memory.failures;
        hws_compressor_release(&compressor);
        close_pair();
        k++;
    }
    assert_true(k > 5);
}

/* A message that started without compression stays so, whatever there is later; the next does not.
 */
static void a_message_without_memory_is_plain_to_its_end(void **state) {
    uint8_t wire[OUT_CAP];
    size_t n = 0;
    (void)state;
    p.memory = (counter){.fail_at = 1, .fail_rest = 1};
    open_pair(0, 15);
    assert_int_equal(send_piece(SERVER, HWS_FIRST, sizeof text, wire, &n), 0);
    repair();
    assert_int_equal(hws_deflate_compresses(&p.ends[SERVER].deflate, 0, 1), 0);
    (void)send_piece(SERVER, 0, sizeof text, wire, &n);
    (void)send_piece(SERVER, HWS_FINAL, sizeof text, wire, &n);
    assert_int_equal(p.memory.blocks, 0);
    assert_int_equal(send_piece(SERVER, HWS_WHOLE, sizeof text, wire, &n), 1);
    receive_texts(CLIENT, wire, n, 4);
    close_pair();
}

/* --- steady state -------------------------------------------------------------------------------
 */

static void after_the_first_messages_nothing_is_allocated(void **state) {
    unsigned i = 0;
    (void)state;
    while (i < 100) {
        unsigned calls = 0;
        unsigned message = 0;
        p.memory = (counter){0};
        open_pair(i & 1, (uint8_t)(9 + i % 7));
        while (message < 10) {
            send_and_receive(SERVER, 0);
            send_and_receive(CLIENT, 0);
            calls = message == 0 ? p.memory.calls : calls;
            message++;
        }
        assert_true(calls > 0);
        assert_int_equal(p.memory.calls, calls);
        close_pair();
        i += 7;
    }
}

static void long_messages_allocate_no_more_than_short_ones(void **state) {
    static uint8_t data[200000];
    static uint8_t wire[250000];
    uint8_t room[100];
    uint64_t seed = 41;
    hws_event ev;
    sender *server = &p.ends[SERVER];
    sender *client = &p.ends[CLIENT];
    size_t used = 0;
    size_t n = 0;
    (void)state;
    content_fill(&seed, CONTENT_COPIES, data, sizeof data);
    p.memory = (counter){0};
    open_pair(0, 15);
    send_and_receive(SERVER, 0);
    unsigned calls = p.memory.calls;
    assert_int_equal(hws_deflate_send(&server->deflate, &server->conn, HWS_BINARY, HWS_WHOLE, data,
                                      sizeof data, &used, wire, sizeof wire, &n),
                     HWS_OK);
    used = 0;
    while (hws_deflate_receive(&client->deflate, &client->conn, wire, n, &used, room, sizeof room,
                               &ev) == HWS_EVENT) {
    }
    assert_int_equal(used, n);
    assert_int_equal(p.memory.calls, calls);
    close_pair();
}

/* --- release and trim ---------------------------------------------------------------------------
 */

static void a_release_is_good_at_any_time(void **state) {
    static const hws_deflate zeros;
    uint8_t wire[OUT_CAP];
    hws_deflate deflate;
    hws_compressor compressor;
    size_t n = 0;
    size_t half;
    hws_event ev;
    size_t used = 0;
    uint8_t room[8];
    (void)state;
    memset(&deflate, 0, sizeof deflate);
    memset(&compressor, 0, sizeof compressor);
    hws_deflate_release(&deflate);
    hws_deflate_release(&deflate);
    assert_memory_equal(&deflate, &zeros, sizeof zeros);
    hws_compressor_release(&compressor);

    p.memory = (counter){0};
    open_pair(0, 15);
    hws_deflate_release(&p.ends[SERVER].deflate); /* nothing was made */
    open_pair(0, 15);
    (void)send_piece(SERVER, HWS_FIRST, sizeof text, wire, &n);
    half = n / 2;
    assert_int_equal(hws_deflate_receive(&p.ends[CLIENT].deflate, &p.ends[CLIENT].conn, wire, half,
                                         &used, room, sizeof room, &ev),
                     HWS_EVENT); /* in the middle of a message on both sides, with bytes waiting */
    assert_int_equal(hws_deflate_pending(&p.ends[CLIENT].deflate), 1);
    close_pair();
    close_pair();
}

static void a_trim_inside_of_a_message_leaves_it_whole(void **state) {
    uint8_t wire[OUT_CAP];
    size_t n = 0;
    (void)state;
    p.memory = (counter){0};
    open_pair(1, 15);
    (void)send_piece(SERVER, HWS_FIRST, sizeof text, wire, &n);
    receive_texts(CLIENT, wire, n, 1);
    size_t blocks = p.memory.blocks;
    trim_pair();
    assert_int_equal(p.memory.blocks, blocks);
    n = 0;
    (void)send_piece(SERVER, HWS_FINAL, sizeof text, wire, &n);
    receive_texts(CLIENT, wire, n, 1);
    trim_pair();
    assert_int_equal(p.memory.blocks, 0);
    close_pair();
}

static void idle_connections_that_were_trimmed_hold_nothing(void **state) {
    enum { CONNECTIONS = 1000 };
    static sender idle[CONNECTIONS];
    unsigned i = 0;
    (void)state;
    p.memory = (counter){0};
    while (i < CONNECTIONS) {
        open_pair(1, 12);
        send_and_receive(SERVER, 0);
        send_and_receive(CLIENT, 0);
        assert_true(p.memory.bytes > 0);
        trim_pair();
        trim_pair();
        assert_int_equal(p.memory.bytes, 0);
        idle[i] = p.ends[SERVER];
        i++;
    }
    while (i > 0) {
        i--;
        hws_deflate_release(&idle[i].deflate);
    }
    close_pair();
}

/* 7.2.2: a peer that takes over its context may refer to what is in the decompressor's window. */
static void a_trim_leaves_the_window_that_the_peer_refers_to(void **state) {
    (void)state;
    p.memory = (counter){0};
    open_pair(0, 15);
    send_and_receive(SERVER, 0);
    send_and_receive(CLIENT, 0);
    size_t all = p.memory.bytes;
    hws_deflate_trim(&p.ends[CLIENT].deflate);
    assert_true(p.memory.bytes < all && p.memory.bytes > 0);
    send_and_receive(SERVER, 0);
    send_and_receive(CLIENT, 0);
    assert_int_equal(p.memory.bytes, all);
    close_pair();
}

/* --- sizes --------------------------------------------------------------------------------------
 */

/* Whether it is zlib itself, by its version: digits and points. Others put their name behind. */
static int is_zlib(void) {
    const char *version = zlibVersion();
    return version[strspn(version, "0123456789.")] == '\0';
}

/* zlib's own sum: 2^(window_bits + 2) + 2^(mem_level + 9) to compress, 2^window_bits to decompress,
 * and a few thousand bytes for each. Another zlib may take more. */
static void states_take_what_zlib_says(void **state) {
    enum { FEW = 12 * 1024 };
    unsigned i = 0;
    (void)state;
    if (!is_zlib()) {
        skip();
    }
    while (i < 7 * 9) {
        counter memory = {0};
        hws_codec_settings settings = {.window_bits = (uint8_t)(9 + i % 7),
                                       .level = 6,
                                       .mem_level = (uint8_t)(1 + i / 7),
                                       .allocator = counter_allocator(&memory)};
        size_t window = (size_t)1 << settings.window_bits;
        size_t sum = 4 * window + ((size_t)1 << (settings.mem_level + 9));
        void *made = NULL;
        assert_int_equal(hws_codec_zlib()->compressor_make(&settings, &made), HWS_OK);
        assert_in_range(memory.bytes, sum, sum + FEW);
        hws_codec_zlib()->compressor_release(made);
        assert_int_equal(memory.bytes, 0);
        assert_int_equal(hws_codec_zlib()->decompressor_make(&settings, &made), HWS_OK);
        assert_in_range(memory.bytes, window, window + FEW);
        hws_codec_zlib()->decompressor_release(made);
        assert_int_equal(memory.blocks, 0);
        i++;
    }
}

/* The window of what is received is the one that was agreed, and with zlib no larger. */
static void a_decompressor_has_the_window_of_its_direction(void **state) {
    uint8_t bits = 9;
    size_t before = 0;
    (void)state;
    while (bits <= 15) {
        p.memory = (counter){0};
        open_pair(0, bits);
        send_and_receive(SERVER, 0);
        hws_deflate_release(&p.ends[SERVER].deflate);
        assert_true(p.memory.bytes >= ((size_t)1 << bits));
        assert_true(!is_zlib() || before == 0 ||
                    p.memory.bytes - before == ((size_t)1 << (bits - 1)));
        before = p.memory.bytes;
        close_pair();
        bits++;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(every_allocation_of_a_shared_compressor_may_fail),
        cmocka_unit_test(a_message_without_memory_is_plain_to_its_end),
        cmocka_unit_test(after_the_first_messages_nothing_is_allocated),
        cmocka_unit_test(long_messages_allocate_no_more_than_short_ones),
        cmocka_unit_test(a_release_is_good_at_any_time),
        cmocka_unit_test(a_trim_inside_of_a_message_leaves_it_whole),
        cmocka_unit_test(idle_connections_that_were_trimmed_hold_nothing),
        cmocka_unit_test(a_trim_leaves_the_window_that_the_peer_refers_to),
        cmocka_unit_test(states_take_what_zlib_says),
        cmocka_unit_test(a_decompressor_has_the_window_of_its_direction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
