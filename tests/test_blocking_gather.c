/*
 * Messages that a server holds back to send them together: when they go out, and in what order.
 */
#include "peer.h"

enum { SHORT_MS = 30 /* long enough for what is on its way over loopback */ };

/* What a client sends, masked with a key of zeros, and what the server sends back. */
#define ASK_A "\x81\x81\0\0\0\0a"
#define ASK_B "\x81\x81\0\0\0\0b"
#define ASK_C "\x81\x81\0\0\0\0c"
#define ASK_PING "\x89\x81\0\0\0\0p"
#define A                                                                                          \
    "\x81\x01"                                                                                     \
    "a"
#define B                                                                                          \
    "\x81\x01"                                                                                     \
    "b"
#define C                                                                                          \
    "\x81\x01"                                                                                     \
    "c"
#define PONG                                                                                       \
    "\x8A\x01"                                                                                     \
    "p"

#define EXPECT(p, bytes) raw_expect(peer_socket(&(p)->client), bytes, sizeof(bytes) - 1)
#define EXPECT_SILENCE(p) raw_expect_silence(peer_socket(&(p)->client), SHORT_MS)

/* A server that gathers, to which these bytes have come at once. */
static pair *open_with(uint8_t gather, const char *bytes, size_t len) {
    pair *p = pair_new();
    p->server.config.gather = gather;
    pair_open(p);
    raw_send(peer_socket(&p->client), bytes, len);
    peer_nap_ms(SHORT_MS);
    return p;
}

#define OPEN(gather, bytes) open_with(gather, bytes, sizeof(bytes) - 1)

static hws_event receive(pair *p) {
    hws_event ev;
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_EVENT);
    return ev;
}

static void send_back(pair *p, const hws_event *ev) {
    assert_int_equal(
        hws_blocking_send(&p->server.ws, ev->type, HWS_WHOLE, ev->data, ev->len, LONG_MS), HWS_OK);
}

static void echo_one(pair *p) {
    hws_event ev = receive(p);
    send_back(p, &ev);
}

static void expect_no_event(pair *p) {
    hws_event ev;
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, SHORT_MS), HWS_ERR_TIMEOUT);
}

static void without_it_each_message_goes_out_at_once(void **state) {
    pair *p = OPEN(0, ASK_A ASK_B);
    (void)state;
    echo_one(p);
    EXPECT(p, A);
    echo_one(p);
    EXPECT(p, B);
    pair_free(p);
}

static void answers_to_what_came_together_go_out_with_the_last(void **state) {
    pair *p = OPEN(1, ASK_A ASK_B ASK_C);
    (void)state;
    echo_one(p);
    echo_one(p);
    EXPECT_SILENCE(p);
    echo_one(p);
    EXPECT(p, A B C);
    pair_free(p);
}

static void a_message_alone_is_not_held_back(void **state) {
    pair *p = OPEN(1, ASK_A);
    (void)state;
    echo_one(p);
    EXPECT(p, A);
    pair_free(p);
}

static void a_receive_that_waits_sends_what_was_held_back(void **state) {
    pair *p = OPEN(1, ASK_A ASK_B);
    (void)state;
    echo_one(p);
    (void)receive(p);
    EXPECT_SILENCE(p);
    expect_no_event(p);
    EXPECT(p, A);
    pair_free(p);
}

static void a_part_of_a_frame_holds_nothing_back_for_long(void **state) {
    pair *p = OPEN(1, ASK_A "\x81\x81\0\0");
    (void)state;
    echo_one(p);
    EXPECT_SILENCE(p);
    expect_no_event(p);
    EXPECT(p, A);
    raw_send(peer_socket(&p->client), "\0\0b", 3);
    echo_one(p);
    EXPECT(p, B);
    pair_free(p);
}

static void pongs_keep_their_place_between_messages(void **state) {
    pair *p = OPEN(1, ASK_A ASK_PING ASK_B);
    (void)state;
    echo_one(p);
    assert_int_equal(receive(p).type, HWS_PING);
    EXPECT_SILENCE(p);
    echo_one(p);
    EXPECT(p, A PONG B);
    pair_free(p);
}

static void a_pong_that_nothing_follows_goes_out_before_its_event_is_seen(void **state) {
    pair *p = OPEN(1, ASK_A ASK_PING);
    (void)state;
    echo_one(p);
    EXPECT_SILENCE(p);
    assert_int_equal(receive(p).type, HWS_PING);
    EXPECT(p, A PONG);
    pair_free(p);
}

static void a_message_without_room_goes_out_after_what_was_held_back(void **state) {
    static uint8_t large[PEER_MEMORY];
    static uint8_t wanted[3 + 10 + PEER_MEMORY] = A "\x82\x7F\0\0\0\0\0\x01\0\0";
    static uint8_t got[sizeof wanted];
    pair *p = OPEN(1, ASK_A ASK_B);
    (void)state;
    echo_one(p);
    assert_int_equal(
        hws_blocking_send(&p->server.ws, HWS_BINARY, HWS_WHOLE, large, sizeof large, LONG_MS),
        HWS_OK);
    assert_int_equal(raw_read(peer_socket(&p->client), got, sizeof got), (int)sizeof got);
    assert_memory_equal(got, wanted, sizeof got);
    pair_free(p);
}

/* More than the memory holds, answered from one receive to the next. */
static void a_full_memory_is_written(void **state) {
    enum { MESSAGES = 3000, EACH = 7, BACK = 3 };
    static uint8_t asked[MESSAGES * EACH];
    static uint8_t got[MESSAGES * BACK];
    pair *p = pair_new();
    size_t i = 0;
    (void)state;
    p->server.config.gather = 1;
    p->server.config.memory_len = HWS_BLOCKING_MIN_MEMORY;
    pair_open(p);
    while (i < MESSAGES) {
        memcpy(asked + i * EACH, ASK_A, EACH);
        i++;
    }
    raw_send(peer_socket(&p->client), asked, sizeof asked);
    i = 0;
    while (i < MESSAGES) {
        echo_one(p);
        i++;
    }
    expect_no_event(p);
    assert_int_equal(raw_read(peer_socket(&p->client), got, sizeof got), (int)sizeof got);
    i = 0;
    while (i < MESSAGES) {
        assert_memory_equal(got + i * BACK, A, BACK);
        i++;
    }
    pair_free(p);
}

static void a_close_goes_out_after_what_was_held_back(void **state) {
    pair *p = OPEN(1, ASK_A ASK_B);
    (void)state;
    echo_one(p);
    assert_int_equal(hws_blocking_send_close(&p->server.ws, HWS_CLOSE_NORMAL, NULL, 0, LONG_MS),
                     HWS_OK);
    EXPECT(p, A "\x88\x02\x03\xE8");
    pair_free(p);
}

static void a_mistake_among_held_back_messages_sends_nothing(void **state) {
    pair *p = OPEN(1, ASK_A ASK_B);
    (void)state;
    echo_one(p);
    assert_int_equal(
        hws_blocking_send(&p->server.ws, HWS_TEXT, HWS_WHOLE, (const uint8_t *)"\xFF", 1, LONG_MS),
        HWS_ERR_SEND_UTF8);
    echo_one(p);
    EXPECT(p, A B);
    pair_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_it_each_message_goes_out_at_once),
        cmocka_unit_test(answers_to_what_came_together_go_out_with_the_last),
        cmocka_unit_test(a_message_alone_is_not_held_back),
        cmocka_unit_test(a_receive_that_waits_sends_what_was_held_back),
        cmocka_unit_test(a_part_of_a_frame_holds_nothing_back_for_long),
        cmocka_unit_test(pongs_keep_their_place_between_messages),
        cmocka_unit_test(a_pong_that_nothing_follows_goes_out_before_its_event_is_seen),
        cmocka_unit_test(a_message_without_room_goes_out_after_what_was_held_back),
        cmocka_unit_test(a_full_memory_is_written),
        cmocka_unit_test(a_close_goes_out_after_what_was_held_back),
        cmocka_unit_test(a_mistake_among_held_back_messages_sends_nothing),
    };
    alarm(60);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
