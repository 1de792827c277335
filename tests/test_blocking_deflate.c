/*
 * Compressed messages over real sockets: what is agreed, what is compressed, and that all comes
 * back as it was.
 */
#include "deflate_pair.h"

#ifdef HWS_TEST_REDUCED
enum { BIG = 1 << 18 };
#else
enum { BIG = 4 << 20 };
#endif

/* First bytes of frames: FIN, RSV1, and the type. */
enum { PLAIN_TEXT = 0x81, COMPRESSED_TEXT = 0xC1, STARTED_TEXT = 0x41, CONTINUED = 0, LAST = 0x80 };

static uint8_t data[BIG];

/* Text of characters of 1 to 4 bytes with a number in between, which is worth to be compressed. */
static void fill_text(void) {
    size_t i = 0;
    while (i + 24 <= BIG) {
        (void)snprintf((char *)data + i, 24, "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x9A\xA2%013zu",
                       i * 7919);
        data[i + 23] = '\n';
        i += 24;
    }
    memset(data + i, '.', BIG - i);
}

/* Echoes whole messages until the connection ends well. */
static void *echo_run(void *arg) {
    static uint8_t buffer[BIG];
    hws_blocking *ws = arg;
    hws_message message;
    hws_event ev;
    hws_status status = HWS_EVENT;
    hws_message_init(&message, buffer, BIG);
    while ((status = hws_blocking_receive_message(ws, &message, &ev, LONG_MS)) == HWS_EVENT) {
        assert_int_equal(ev.flags, HWS_WHOLE);
        if (ev.type == HWS_TEXT || ev.type == HWS_BINARY) {
            assert_int_equal(hws_blocking_send(ws, ev.type, ev.flags, ev.data, ev.len, LONG_MS),
                             HWS_OK);
        }
    }
    assert_int_equal(status, HWS_OK);
    return NULL;
}

/* A message comes in pieces that fit in a third of the memory. Returns how many. */
static size_t expect_message(peer *p, uint8_t type, const uint8_t *wanted, size_t len) {
    hws_event ev;
    size_t at = 0;
    size_t pieces = 0;
    do {
        assert_int_equal(hws_blocking_receive(&p->ws, &ev, LONG_MS), HWS_EVENT);
        assert_int_equal(ev.type, type);
        assert_int_equal(ev.flags & ~HWS_FINAL, pieces == 0 ? HWS_FIRST : 0);
        assert_true(ev.len <= len - at && ev.len <= p->config.memory_len / 3);
        assert_memory_equal(ev.data, wanted + at, ev.len);
        at += ev.len;
        pieces++;
    } while ((ev.flags & HWS_FINAL) == 0);
    assert_int_equal(at, len);
    return pieces;
}

static void exchange(pair *p, uint8_t type, size_t len) {
    assert_int_equal(deflate_send(p, HWS_ROLE_CLIENT, type, HWS_WHOLE, data, len), HWS_OK);
    (void)expect_message(&p->client, type, data, len);
}

/* Every length class there and back. */
static void exchange_all(pair *p) {
    const size_t lens[] = {0, 1, 63, 64, 125, 126, 300, 4096, 65535, 65536, BIG};
    size_t i = 0;
    deflate_open(p);
    assert_int_equal(pthread_create(&p->thread, NULL, echo_run, &p->server.ws), 0);
    while (i < sizeof lens / sizeof lens[0]) {
        exchange(p, HWS_BINARY, lens[i]);
        i++;
    }
    exchange(p, HWS_TEXT, BIG);
    random_fill(&(uint64_t){1}, data, BIG);
    exchange(p, HWS_BINARY, BIG);
    fill_text();
    assert_int_equal(hws_blocking_close(&p->client.ws, HWS_CLOSE_NORMAL, NULL, 0), HWS_OK);
    assert_int_equal(pthread_join(p->thread, NULL), 0);
    assert_true(deflate_memory[HWS_ROLE_CLIENT].taken > 0);
    assert_true(deflate_memory[HWS_ROLE_SERVER].taken > 0);
    assert_int_equal(deflate_memory[HWS_ROLE_CLIENT].blocks, 0); /* without any release so far */
    assert_int_equal(deflate_memory[HWS_ROLE_SERVER].blocks, 0);
    deflate_pair_free(p);
}

static void messages_of_every_length_class_come_back(void **state) {
    uint8_t preset = HWS_DEFLATE_BALANCED;
    (void)state;
    while (preset <= HWS_DEFLATE_BEST) {
        pair *p = pair_new();
        deflate_prepare(p, preset);
        exchange_all(p);
        preset++;
    }
}

static void small_memory_is_enough_for_messages_of_any_length(void **state) {
    pair *p = pair_new();
    (void)state;
    deflate_prepare(p, HWS_DEFLATE_BALANCED);
    p->client.config.memory_len = HWS_BLOCKING_MIN_MEMORY;
    p->server.config.memory_len = HWS_BLOCKING_MIN_MEMORY;
    p->server.config.gather = 1;
    exchange_all(p);
}

/* Who took the other's window or takeover for his own could not be understood. */
static void each_side_keeps_to_what_was_agreed_for_it(void **state) {
    uint8_t role = 0;
    (void)state;
    while (role < 2) {
        pair *p = pair_new();
        hws_deflate_params *params = &deflate_params[HWS_ROLE_CLIENT];
        deflate_prepare(p, HWS_DEFLATE_BEST);
        params->server_max_window_bits = role == HWS_ROLE_SERVER ? 9 : 15;
        params->client_max_window_bits = role == HWS_ROLE_CLIENT ? 9 : 15;
        params->server_no_context_takeover = role == HWS_ROLE_CLIENT;
        params->client_no_context_takeover = role == HWS_ROLE_SERVER;
        exchange_all(p);
        role++;
    }
}

/* Reads one frame of what a side has sent, from the other's socket. Returns its first byte. */
static uint8_t read_raw(pair *p, uint8_t sender, uint64_t *len) {
    int fd = peer_socket(peer_of(p, other_role(sender)));
    static uint8_t payload[BIG + 4];
    uint8_t head[10];
    size_t i = 0;
    size_t extended = 0;
    assert_int_equal(raw_read(fd, head, 2), 2);
    *len = head[1] & 127;
    extended = *len == 126 ? 2 : *len == 127 ? 8 : 0;
    assert_int_equal(raw_read(fd, head + 2, extended), (int)extended);
    *len = extended > 0 ? 0 : *len;
    while (i < extended) {
        *len = *len << 8 | head[2 + i];
        i++;
    }
    *len += sender == HWS_ROLE_CLIENT ? 4 : 0;
    assert_int_equal(raw_read(fd, payload, (size_t)*len), (int)*len);
    return head[0];
}

/* What is compressed, in both roles. The threshold of this preset is 64. */
static void a_message_is_compressed_from_the_threshold_on_or_as_its_flags_say(void **state) {
    const struct {
        uint8_t flags;
        size_t len;
        uint8_t first_byte;
    } rows[] = {
        {HWS_WHOLE, 63, PLAIN_TEXT},
        {HWS_WHOLE, 64, COMPRESSED_TEXT},
        {HWS_WHOLE, 10000, COMPRESSED_TEXT},
        {HWS_WHOLE | HWS_COMPRESSED, 1, COMPRESSED_TEXT},
        {HWS_WHOLE | HWS_COMPRESSED, 0, COMPRESSED_TEXT},
        {HWS_WHOLE | HWS_UNCOMPRESSED, 10000, PLAIN_TEXT},
        {HWS_WHOLE | HWS_UNCOMPRESSED, 1, PLAIN_TEXT},
        {HWS_FIRST, 1, STARTED_TEXT},
        {0, 1, CONTINUED},
        {HWS_FINAL, 10000, LAST},
        {HWS_FIRST | HWS_UNCOMPRESSED, 10000, HWS_TEXT},
        {0, 10000, CONTINUED},
        {HWS_FINAL, 10000, LAST},
    };
    uint8_t role = 0;
    (void)state;
    memset(data, 'x', 10000);
    while (role < 2) {
        pair *p = deflate_pair_open(HWS_DEFLATE_BALANCED);
        uint64_t len = 0;
        size_t i = 0;
        while (i < sizeof rows / sizeof rows[0]) {
            assert_int_equal(deflate_send(p, role, HWS_TEXT, rows[i].flags, data, rows[i].len),
                             HWS_OK);
            assert_int_equal(read_raw(p, role, &len), rows[i].first_byte);
            i++;
        }
        assert_int_equal(deflate_send(p, role, HWS_PING, HWS_WHOLE, data, 125), HWS_OK);
        assert_int_equal(read_raw(p, role, &len), 0x89);
        deflate_pair_free(p);
        role++;
    }
    fill_text();
}

/* RFC 7692 7.1.2: no codec here keeps to a window of 256 bytes, and a message may always go as it
 * is.
 */
static void a_window_that_cannot_be_kept_to_leaves_messages_as_they_are(void **state) {
    uint8_t role = 0;
    (void)state;
    while (role < 2) {
        pair *p = pair_new();
        hws_deflate_params *params = &deflate_params[HWS_ROLE_CLIENT];
        uint64_t len = 0;
        deflate_prepare(p, HWS_DEFLATE_BEST);
        params->server_max_window_bits = role == HWS_ROLE_SERVER ? 8 : 15;
        params->client_max_window_bits = role == HWS_ROLE_CLIENT ? 8 : 15;
        deflate_open(p);
        assert_int_equal(deflate_send(p, role, HWS_TEXT, HWS_WHOLE | HWS_COMPRESSED, data, 4800),
                         HWS_OK);
        assert_int_equal(read_raw(p, role, &len), PLAIN_TEXT);
        assert_int_equal(deflate_send(p, other_role(role), HWS_TEXT, HWS_WHOLE, data, 4800),
                         HWS_OK);
        (void)expect_message(peer_of(p, role), HWS_TEXT, data, 4800);
        deflate_pair_free(p);
        role++;
    }
}

static void wishes_that_contradict_or_do_not_belong_are_refused(void **state) {
    const uint8_t both = HWS_WHOLE | HWS_COMPRESSED | HWS_UNCOMPRESSED;
    uint8_t role = 0;
    (void)state;
    while (role < 2) {
        pair *p = deflate_pair_open(HWS_DEFLATE_BALANCED);
        assert_int_equal(deflate_send(p, role, HWS_TEXT, both, data, 24), HWS_ERR_ARGUMENT);
        assert_int_equal(deflate_send(p, role, HWS_PING, HWS_WHOLE | HWS_UNCOMPRESSED, data, 1),
                         HWS_ERR_ARGUMENT);
        assert_int_equal(deflate_send(p, role, HWS_PONG, HWS_WHOLE | HWS_COMPRESSED, data, 1),
                         HWS_ERR_ARGUMENT);
        assert_int_equal(deflate_send(p, role, HWS_TEXT, HWS_WHOLE | 16, data, 24),
                         HWS_ERR_ARGUMENT);
        assert_int_equal(deflate_send(p, role, HWS_TEXT, HWS_WHOLE, data, 24), HWS_OK);
        (void)expect_message(peer_of(p, other_role(role)), HWS_TEXT, data, 24);
        deflate_pair_free(p);
        role++;
    }
}

/* Compressed or not: what cannot be obeyed any more is a mistake. */
static void wishes_on_later_pieces_are_refused(void **state) {
    const uint8_t firsts[] = {HWS_FIRST, HWS_FIRST | HWS_UNCOMPRESSED};
    const uint8_t laters[] = {HWS_COMPRESSED, HWS_UNCOMPRESSED, HWS_FINAL | HWS_COMPRESSED,
                              HWS_FINAL | HWS_UNCOMPRESSED};
    unsigned i = 0;
    (void)state;
    while (i < 4) {
        uint8_t role = i & 1;
        pair *p = deflate_pair_open(HWS_DEFLATE_BALANCED);
        unsigned k = 0;
        assert_int_equal(deflate_send(p, role, HWS_TEXT, firsts[i >> 1], data, 12), HWS_OK);
        while (k < 4) {
            assert_int_equal(deflate_send(p, role, HWS_TEXT, laters[k], data + 12, 12),
                             HWS_ERR_ARGUMENT);
            k++;
        }
        assert_int_equal(deflate_send(p, role, HWS_TEXT, HWS_FINAL, data + 12, 12), HWS_OK);
        (void)expect_message(peer_of(p, other_role(role)), HWS_TEXT, data, 24);
        deflate_pair_free(p);
        i++;
    }
}

static void pings_and_pieces_of_any_size_may_follow_each_other(void **state) {
    uint8_t role = 0;
    (void)state;
    while (role < 2) {
        pair *p = deflate_pair_open(HWS_DEFLATE_BALANCED);
        static uint8_t buffer[6000];
        hws_message message;
        hws_event ev;
        size_t at = 0;
        while (at < sizeof buffer) {
            size_t part = at % 97 < sizeof buffer - at ? at % 97 + 1 : sizeof buffer - at;
            uint8_t last = at + part == sizeof buffer;
            uint8_t flags = (uint8_t)((at == 0 ? HWS_FIRST : 0) | (last ? HWS_FINAL : 0));
            assert_int_equal(deflate_send(p, role, HWS_TEXT, flags, data + at, part), HWS_OK);
            assert_int_equal(deflate_send(p, role, HWS_PONG, HWS_WHOLE, data, 3), HWS_OK);
            at += part;
        }
        hws_message_init(&message, buffer, sizeof buffer);
        do {
            assert_int_equal(hws_blocking_receive_message(&peer_of(p, other_role(role))->ws,
                                                          &message, &ev, LONG_MS),
                             HWS_EVENT);
        } while (ev.type == HWS_PONG);
        assert_int_equal(ev.len, sizeof buffer);
        assert_memory_equal(ev.data, data, sizeof buffer);
        deflate_pair_free(p);
        role++;
    }
}

/* A frame of zeros, which all comes with one read, gives several pieces. */
static void expect_pending(pair *p, size_t len) {
    hws_event ev;
    size_t at = 0;
    assert_int_equal(deflate_send(p, HWS_ROLE_CLIENT, HWS_BINARY, HWS_WHOLE, data, len), HWS_OK);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_EVENT);
    at += ev.len;
    while ((ev.flags & HWS_FINAL) == 0) {
        assert_true(hws_blocking_pending(&p->server.ws) > 0);
        assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, 0), HWS_EVENT);
        at += ev.len;
    }
    assert_int_equal(at, len);
    assert_int_equal(hws_blocking_pending(&p->server.ws), 0);
}

static void what_waits_to_be_decompressed_is_pending(void **state) {
    const size_t room = HWS_BLOCKING_MIN_MEMORY / 3;
    pair *p = pair_new();
    size_t len = room - 10;
    (void)state;
    memset(data, 0, BIG);
    deflate_prepare(p, HWS_DEFLATE_BALANCED);
    p->server.config.memory_len = HWS_BLOCKING_MIN_MEMORY;
    deflate_open(p);
    while (len < room + 300) {
        expect_pending(p, len);
        len++;
    }
    expect_pending(p, 100000);
    deflate_pair_free(p);
    fill_text();
}

static void in_place_nothing_is_compressed(void **state) {
    uint8_t role = 0;
    (void)state;
    while (role < 2) {
        pair *p = deflate_pair_open(HWS_DEFLATE_BALANCED);
        hws_blocking *ws = &peer_of(p, role)->ws;
        static uint8_t own[480];
        uint64_t len = 0;
        memcpy(own, data, sizeof own);
        assert_int_equal(hws_blocking_send_in_place(ws, HWS_TEXT, HWS_WHOLE | HWS_COMPRESSED, own,
                                                    sizeof own, LONG_MS),
                         HWS_ERR_ARGUMENT);
        assert_int_equal(hws_blocking_send_in_place(ws, HWS_TEXT, HWS_WHOLE | HWS_UNCOMPRESSED, own,
                                                    sizeof own, LONG_MS),
                         HWS_OK);
        assert_int_equal(read_raw(p, role, &len), PLAIN_TEXT);
        assert_int_equal(
            hws_blocking_send_in_place(ws, HWS_BINARY, HWS_WHOLE, own, sizeof own, LONG_MS),
            HWS_OK);
        assert_int_equal(read_raw(p, role, &len), 0x82);
        assert_int_equal(
            hws_blocking_send_in_place(ws, HWS_PING, HWS_WHOLE | HWS_UNCOMPRESSED, own, 3, LONG_MS),
            HWS_ERR_ARGUMENT);
        assert_int_equal(deflate_send(p, role, HWS_TEXT, HWS_FIRST, data, 24), HWS_OK);
        assert_int_equal(read_raw(p, role, &len), STARTED_TEXT);
        memcpy(own, data, sizeof own);
        assert_int_equal(
            hws_blocking_send_in_place(ws, HWS_TEXT, HWS_FINAL, own, sizeof own, LONG_MS),
            HWS_ERR_STATE);
        assert_memory_equal(own, data, sizeof own);
        assert_int_equal(hws_blocking_send_in_place(ws, HWS_PING, HWS_WHOLE, own, 3, LONG_MS),
                         HWS_OK);
        assert_int_equal(read_raw(p, role, &len), 0x89);
        assert_int_equal(deflate_send(p, role, HWS_TEXT, HWS_FINAL, data, 24), HWS_OK);
        assert_int_equal(read_raw(p, role, &len), LAST);
        deflate_pair_free(p);
        role++;
    }
}

/* "Hello" of RFC 7692 7.2.3.1, masked with a key of zeros, and as a server without context takeover
 * sends it back. */
#define ASK "\xC1\x87\0\0\0\0\xF2\x48\xCD\xC9\xC9\x07\x00"
#define ANSWER "\xC1\x07\xF2\x48\xCD\xC9\xC9\x07\x00"

static void send_hello_back(pair *p) {
    hws_event ev;
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_EVENT);
    assert_memory_equal(ev.data, "Hello", 5);
    assert_int_equal(ev.flags, HWS_WHOLE);
    assert_int_equal(deflate_send(p, HWS_ROLE_SERVER, HWS_TEXT, HWS_WHOLE, ev.data, ev.len),
                     HWS_OK);
}

static pair *open_gathering(void) {
    pair *p = pair_new();
    deflate_prepare(p, HWS_DEFLATE_SMALL);
    deflate_options[HWS_ROLE_SERVER].threshold = 0;
    p->server.config.gather = 1;
    deflate_open(p);
    return p;
}

static void compressed_answers_are_gathered(void **state) {
    pair *p = open_gathering();
    int fd = peer_socket(&p->client);
    hws_event ev;
    (void)state;
    raw_send(fd, ASK ASK ASK "\x89\x80\0\0\0\0", 3 * (sizeof ASK - 1) + 6);
    peer_nap_ms(SHORT_MS);
    send_hello_back(p);
    send_hello_back(p);
    assert_int_equal(deflate_send(p, HWS_ROLE_SERVER, HWS_TEXT, HWS_WHOLE, "\xFF", 1),
                     HWS_ERR_SEND_UTF8);
    send_hello_back(p);
    raw_expect_silence(fd, SHORT_MS);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_EVENT);
    raw_expect(fd, ANSWER ANSWER ANSWER "\x8A", 3 * (sizeof ANSWER - 1) + 1);
    deflate_pair_free(p);
}

static void the_last_compressed_answer_is_not_held_back(void **state) {
    pair *p = open_gathering();
    int fd = peer_socket(&p->client);
    (void)state;
    raw_send(fd, ASK ASK, 2 * (sizeof ASK - 1));
    peer_nap_ms(SHORT_MS);
    send_hello_back(p);
    raw_expect_silence(fd, SHORT_MS);
    send_hello_back(p);
    raw_expect(fd, ANSWER ANSWER, 2 * (sizeof ANSWER - 1));
    deflate_pair_free(p);
}

/* What goes out is compressed in order with what waits already. */
static void a_full_memory_of_compressed_answers_is_written(void **state) {
    enum { MESSAGES = 3000 };
    static uint8_t asked[MESSAGES * (sizeof ASK - 1)];
    uint8_t got[sizeof ANSWER - 1];
    pair *p = pair_new();
    size_t i = 0;
    (void)state;
    deflate_prepare(p, HWS_DEFLATE_SMALL);
    deflate_options[HWS_ROLE_SERVER].threshold = 0;
    p->server.config.gather = 1;
    p->server.config.memory_len = HWS_BLOCKING_MIN_MEMORY;
    deflate_open(p);
    while (i < MESSAGES) {
        memcpy(asked + i * (sizeof ASK - 1), ASK, sizeof ASK - 1);
        i++;
    }
    raw_send(peer_socket(&p->client), asked, sizeof asked);
    i = 0;
    while (i < MESSAGES) {
        send_hello_back(p);
        i++;
    }
    i = 0;
    while (i < MESSAGES) {
        assert_int_equal(raw_read(peer_socket(&p->client), got, sizeof got), (int)sizeof got);
        assert_memory_equal(got, ANSWER, sizeof got);
        i++;
    }
    deflate_pair_free(p);
}

/* What does not compress grows a little: that must not be at the cost of what is owed. */
static void a_pong_has_room_behind_what_is_held_back(void **state) {
    const size_t out_cap = HWS_BLOCKING_MIN_MEMORY - 2 * (size_t)(HWS_BLOCKING_MIN_MEMORY / 3);
    const size_t len = out_cap - HWS_REPLY_MAX - HWS_FRAME_HEADER_MAX;
    pair *p = pair_new();
    uint64_t sent = 0;
    hws_event ev;
    (void)state;
    random_fill(&(uint64_t){1}, data, len);
    deflate_prepare(p, HWS_DEFLATE_SMALL);
    deflate_options[HWS_ROLE_SERVER].settings.mem_level = 1;
    p->server.config.gather = 1;
    p->server.config.memory_len = HWS_BLOCKING_MIN_MEMORY;
    deflate_open(p);
    raw_send(peer_socket(&p->client), ASK "\x89\x80\0\0\0\0", sizeof ASK - 1 + 6);
    peer_nap_ms(SHORT_MS);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(deflate_send(p, HWS_ROLE_SERVER, HWS_BINARY, HWS_WHOLE, data, len), HWS_OK);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(ev.type, HWS_PING);
    assert_int_equal(read_raw(p, HWS_ROLE_SERVER, &sent), 0xC2);
    assert_true(sent + 4 + HWS_REPLY_MAX > out_cap);
    raw_expect(peer_socket(&p->client), "\x8A\x00", 2);
    deflate_pair_free(p);
    fill_text();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_every_length_class_come_back),
        cmocka_unit_test(small_memory_is_enough_for_messages_of_any_length),
        cmocka_unit_test(each_side_keeps_to_what_was_agreed_for_it),
        cmocka_unit_test(a_message_is_compressed_from_the_threshold_on_or_as_its_flags_say),
        cmocka_unit_test(a_window_that_cannot_be_kept_to_leaves_messages_as_they_are),
        cmocka_unit_test(wishes_that_contradict_or_do_not_belong_are_refused),
        cmocka_unit_test(wishes_on_later_pieces_are_refused),
        cmocka_unit_test(pings_and_pieces_of_any_size_may_follow_each_other),
        cmocka_unit_test(what_waits_to_be_decompressed_is_pending),
        cmocka_unit_test(in_place_nothing_is_compressed),
        cmocka_unit_test(compressed_answers_are_gathered),
        cmocka_unit_test(the_last_compressed_answer_is_not_held_back),
        cmocka_unit_test(a_full_memory_of_compressed_answers_is_written),
        cmocka_unit_test(a_pong_has_room_behind_what_is_held_back),
    };
    alarm(150);
    fill_text();
    return cmocka_run_group_tests_name("blocking_deflate", tests, NULL, NULL);
}
