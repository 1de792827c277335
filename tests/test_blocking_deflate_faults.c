/*
 * Compression over real sockets when something is wrong: what the other side sends, the memory, the
 * random source, the text, the time.
 */
#include "deflate_pair.h"

enum { LARGE = 300000 };

static uint8_t zeros[LARGE];
static uint8_t noise[8 << 20];

/* --- faults of the peer ----------------------------------------------------------------------- */

/* Frames of a client, masked with a key of zeros. */
static void bad_data_ends_the_connection(void **state) {
    const struct {
        const char *name;
        const char *bytes;
        size_t len;
        hws_status status;
        uint16_t code;
    } rows[] = {
        {"RFC 1951 3.2.3: a reserved block type", "\xC1\x83\0\0\0\0\xFF\xFF\xFF", 9,
         HWS_ERR_INFLATE, HWS_CLOSE_INVALID_DATA},
        {"RFC 7692 7.2.2: a message that ends inside a block", "\xC1\x83\0\0\0\0\xF2\x48\xCD", 9,
         HWS_ERR_INFLATE, HWS_CLOSE_INVALID_DATA},
        {"RFC 6455 8.1: text that is not UTF-8 when it is decompressed",
         "\xC1\x87\0\0\0\0\x00\x01\x00\xFE\xFF\xFF\x00", 13, HWS_ERR_UTF8, HWS_CLOSE_INVALID_DATA},
        {"RFC 7692 6.1: RSV1 on a later fragment", "\x41\x80\0\0\0\0\xC0\x80\0\0\0\0", 12,
         HWS_ERR_RSV, HWS_CLOSE_PROTOCOL_ERROR},
        {"RFC 7692 6.1: RSV1 on a Ping", "\xC9\x80\0\0\0\0", 6, HWS_ERR_RSV,
         HWS_CLOSE_PROTOCOL_ERROR},
    };
    size_t i = 0;
    (void)state;
    while (i < sizeof rows / sizeof rows[0]) {
        pair *p = deflate_pair_open(HWS_DEFLATE_BALANCED);
        print_message("%s\n", rows[i].name);
        raw_send(peer_socket(&p->client), rows[i].bytes, rows[i].len);
        expect_failure(p, HWS_ROLE_SERVER, rows[i].status, rows[i].code);
        deflate_pair_free(p);
        i++;
    }
}

static void a_message_above_the_limit_is_not_decompressed_to_its_end(void **state) {
    uint8_t role = 0;
    (void)state;
    while (role < 2) {
        pair *p = pair_new();
        size_t got = 0;
        hws_event ev;
        deflate_prepare(p, HWS_DEFLATE_BALANCED);
        peer_of(p, role)->config.max_message = 1000;
        deflate_open(p);
        assert_int_equal(deflate_send(p, other_role(role), HWS_BINARY, HWS_WHOLE, zeros, 1000),
                         HWS_OK);
        while (got < 1000) {
            assert_int_equal(hws_blocking_receive(&peer_of(p, role)->ws, &ev, LONG_MS), HWS_EVENT);
            got += ev.len;
        }
        assert_int_equal(deflate_send(p, other_role(role), HWS_BINARY, HWS_WHOLE, zeros, LARGE),
                         HWS_OK);
        expect_failure(p, role, HWS_ERR_MESSAGE_TOO_BIG, HWS_CLOSE_TOO_BIG);
        deflate_pair_free(p);
        role++;
    }
}

/* message.h: so a message that the buffer does not hold ends. */
static void a_message_without_room_can_be_failed(void **state) {
    pair *p = deflate_pair_open(HWS_DEFLATE_BALANCED);
    hws_message message;
    uint8_t buffer[100];
    hws_event ev;
    (void)state;
    hws_message_init(&message, buffer, sizeof buffer);
    assert_int_equal(deflate_send(p, HWS_ROLE_CLIENT, HWS_BINARY, HWS_WHOLE, zeros, LARGE), HWS_OK);
    assert_int_equal(hws_blocking_receive_message(&p->server.ws, &message, &ev, LONG_MS),
                     HWS_ERR_SPACE);
    assert_int_equal(hws_blocking_receive_message(&p->server.ws, &message, &ev, LONG_MS),
                     HWS_ERR_SPACE);
    assert_int_equal(hws_conn_fail(hws_blocking_conn(&p->server.ws), HWS_ERR_MESSAGE_TOO_BIG),
                     HWS_OK);
    assert_int_equal(hws_blocking_receive_message(&p->server.ws, &message, &ev, SHORT_MS),
                     HWS_ERR_TIMEOUT);
    expect_failure(p, HWS_ROLE_SERVER, HWS_ERR_MESSAGE_TOO_BIG, HWS_CLOSE_TOO_BIG);
    deflate_pair_free(p);
}

static void *close_normal(void *arg) {
    assert_int_equal(hws_blocking_close(arg, HWS_CLOSE_NORMAL, NULL, 0), HWS_OK);
    return NULL;
}

static void a_message_may_stay_unfinished(void **state) {
    uint8_t role = 0;
    (void)state;
    while (role < 2) {
        pair *p = deflate_pair_open(HWS_DEFLATE_BALANCED);
        hws_blocking *ws = &peer_of(p, role)->ws;
        assert_int_equal(deflate_send(p, role, HWS_TEXT, HWS_FIRST, zeros, 1000), HWS_OK);
        assert_int_equal(hws_blocking_send_close(ws, HWS_CLOSE_NORMAL, NULL, 0, LONG_MS), HWS_OK);
        assert_int_equal(deflate_send(p, role, HWS_TEXT, HWS_FINAL, zeros, 1000), HWS_ERR_STATE);
        assert_int_equal(
            pthread_create(&p->thread, NULL, close_normal, &peer_of(p, other_role(role))->ws), 0);
        (void)close_normal(ws);
        assert_int_equal(pthread_join(p->thread, NULL), 0);
        deflate_pair_free(p);
        role++;
    }
}

/* --- what is missing on this side ------------------------------------------------------------- */

static void without_memory_to_decompress_the_connection_ends_with_1011(void **state) {
    uint8_t role = 0;
    (void)state;
    while (role < 2) {
        pair *p = deflate_pair_open(HWS_DEFLATE_BALANCED);
        deflate_memory[role].fails = 1;
        assert_int_equal(deflate_send(p, other_role(role), HWS_BINARY, HWS_WHOLE, zeros, LARGE),
                         HWS_OK);
        expect_failure(p, role, HWS_ERR_INTERNAL, HWS_CLOSE_INTERNAL);
        deflate_pair_free(p);
        role++;
    }
}

static void expect_message(pair *p, uint8_t role, const uint8_t *wanted, size_t len) {
    hws_event ev;
    size_t at = 0;
    do {
        assert_int_equal(hws_blocking_receive(&peer_of(p, role)->ws, &ev, LONG_MS), HWS_EVENT);
        assert_true(ev.len <= len - at);
        assert_memory_equal(ev.data, wanted + at, ev.len);
        at += ev.len;
    } while ((ev.flags & HWS_FINAL) == 0);
    assert_int_equal(at, len);
}

/* A message of more than the working memory too, and text that is cut inside a character. */
static void without_memory_to_compress_messages_go_as_they_are(void **state) {
    static const uint8_t ships[] = "\xF0\x9F\x9A\xA2\xF0\x9F\x9A\xA2";
    uint8_t role = 0;
    (void)state;
    while (role < 2) {
        pair *p = deflate_pair_open(HWS_DEFLATE_BALANCED);
        uint8_t other = other_role(role);
        deflate_memory[role].fails = 1;
        assert_int_equal(deflate_send(p, role, HWS_TEXT, HWS_FIRST, ships, 4), HWS_OK);
        assert_int_equal(deflate_send(p, role, HWS_TEXT, HWS_FINAL, ships, 4), HWS_OK);
        expect_message(p, other, ships, 8);
        assert_int_equal(deflate_send(p, role, HWS_TEXT, HWS_FIRST, ships, 3), HWS_OK);
        deflate_memory[role].fails = 0;
        assert_int_equal(deflate_send(p, role, HWS_TEXT, HWS_FINAL, ships + 3, 5), HWS_OK);
        expect_message(p, other, ships, 8);
        deflate_memory[role].fails = 1;
        assert_int_equal(deflate_send(p, role, HWS_BINARY, HWS_WHOLE, zeros, 100000), HWS_OK);
        expect_message(p, other, zeros, 100000);
        assert_int_equal(deflate_send(p, role, HWS_TEXT, HWS_WHOLE | HWS_COMPRESSED, ships, 8),
                         HWS_ERR_MEMORY);
        assert_int_equal(deflate_memory[other].taken, 0);
        deflate_memory[role].fails = 0;
        assert_int_equal(deflate_send(p, role, HWS_TEXT, HWS_WHOLE | HWS_COMPRESSED, ships, 8),
                         HWS_OK);
        expect_message(p, other, ships, 8);
        assert_true(deflate_memory[other].taken > 0);
        deflate_pair_free(p);
        role++;
    }
}

/* The fault is in the last byte: not one before it may go out. */
static void text_is_judged_before_its_first_byte_goes_out(void **state) {
    static uint8_t text[LARGE];
    uint8_t role = 0;
    (void)state;
    while (role < 2) {
        pair *p = deflate_pair_open(HWS_DEFLATE_BALANCED);
        random_fill(&(uint64_t){1}, text, LARGE);
        for (size_t i = 0; i < LARGE; i++) {
            text[i] &= 0x7F;
        }
        text[LARGE - 1] = 0xC3;
        assert_int_equal(deflate_send(p, role, HWS_TEXT, HWS_WHOLE, text, LARGE),
                         HWS_ERR_SEND_UTF8);
        raw_expect_silence(peer_socket(peer_of(p, other_role(role))), SHORT_MS);
        assert_int_equal(deflate_send(p, role, HWS_TEXT, HWS_WHOLE, text, 1000), HWS_OK);
        expect_message(p, other_role(role), text, 1000);
        deflate_pair_free(p);
        role++;
    }
}

static void a_peer_that_does_not_read_is_waited_for_until_the_deadline(void **state) {
    uint8_t role = 0;
    (void)state;
    while (role < 2) {
        pair *p = deflate_pair_open(HWS_DEFLATE_BALANCED);
        hws_blocking *ws = &peer_of(p, role)->ws;
        int64_t begin = peer_now_ms();
        assert_int_equal(
            hws_blocking_send(ws, HWS_BINARY, HWS_WHOLE, noise, sizeof noise, SHORT_MS),
            HWS_ERR_TIMEOUT);
        assert_true(peer_now_ms() - begin < LONG_MS / 4);
        assert_int_equal(deflate_send(p, role, HWS_BINARY, HWS_FINAL, noise, 1), HWS_ERR_TIMEOUT);
        assert_int_equal(deflate_memory[role].blocks, 0);
        deflate_pair_free(p);
        role++;
    }
}

static void *read_all(void *arg) {
    static uint8_t bytes[65536];
    while (raw_read(*(int *)arg, bytes, sizeof bytes) == (int)sizeof bytes) {
    }
    return NULL;
}

/* The deadline counts although the socket takes all that it is given. */
static void compressing_takes_no_longer_than_the_deadline(void **state) {
    uint8_t role = 0;
    (void)state;
    while (role < 2) {
        pair *p = deflate_pair_open(HWS_DEFLATE_BALANCED);
        hws_blocking *ws = &peer_of(p, role)->ws;
        int fd = peer_socket(peer_of(p, other_role(role)));
        assert_int_equal(pthread_create(&p->thread, NULL, read_all, &fd), 0);
        assert_int_equal(
            hws_blocking_send(ws, HWS_BINARY, HWS_WHOLE, noise, sizeof noise, SHORT_MS),
            HWS_ERR_TIMEOUT);
        assert_int_equal(pthread_join(p->thread, NULL), 0);
        deflate_pair_free(p);
        role++;
    }
}

static int random_fails;

static hws_status random_or_not(void *user, uint8_t *dst, size_t len) {
    (void)user;
    memset(dst, 0x55, len);
    return random_fails ? HWS_ERR_RANDOM : HWS_OK;
}

/* What went out cannot be taken back: only before its first frame a message can be given up. */
static void without_mask_keys_nothing_goes_out(void **state) {
    pair *p = pair_new();
    (void)state;
    deflate_prepare(p, HWS_DEFLATE_BALANCED);
    p->client.config.random = random_or_not;
    deflate_open(p);
    random_fails = 1;
    assert_int_equal(deflate_send(p, HWS_ROLE_CLIENT, HWS_TEXT, HWS_WHOLE, zeros, LARGE),
                     HWS_ERR_RANDOM);
    random_fails = 0;
    assert_int_equal(deflate_send(p, HWS_ROLE_CLIENT, HWS_TEXT, HWS_FIRST, zeros, LARGE), HWS_OK);
    random_fails = 1;
    assert_int_equal(deflate_send(p, HWS_ROLE_CLIENT, HWS_TEXT, HWS_FINAL, zeros, LARGE),
                     HWS_ERR_RANDOM);
    random_fails = 0;
    assert_int_equal(deflate_send(p, HWS_ROLE_CLIENT, HWS_TEXT, HWS_FINAL, zeros, LARGE),
                     HWS_ERR_RANDOM);
    assert_int_equal(hws_blocking_socket(&p->client.ws), -1);
    deflate_pair_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_data_ends_the_connection),
        cmocka_unit_test(a_message_above_the_limit_is_not_decompressed_to_its_end),
        cmocka_unit_test(a_message_without_room_can_be_failed),
        cmocka_unit_test(a_message_may_stay_unfinished),
        cmocka_unit_test(without_memory_to_decompress_the_connection_ends_with_1011),
        cmocka_unit_test(without_memory_to_compress_messages_go_as_they_are),
        cmocka_unit_test(text_is_judged_before_its_first_byte_goes_out),
        cmocka_unit_test(a_peer_that_does_not_read_is_waited_for_until_the_deadline),
        cmocka_unit_test(compressing_takes_no_longer_than_the_deadline),
        cmocka_unit_test(without_mask_keys_nothing_goes_out),
    };
    alarm(150);
    random_fill(&(uint64_t){1}, noise, sizeof noise);
    return cmocka_run_group_tests_name("blocking_deflate_faults", tests, NULL, NULL);
}
