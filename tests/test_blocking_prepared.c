/*
 * Prepared messages over blocking sockets: one frame, from where it lies, whole or not at all.
 *
 * Linked with --wrap for each name in faults.h: the calls that a send makes are counted, and made
 * to fail.
 */
#include "faults.h"
#include "toy_peer.h"

#include <hawser/allocator.h>
#include <hawser/prepared.h>

enum { SHORT_MS = 30 /* long enough for what is on its way over loopback */, LARGE = 200000 };

static uint8_t noise[16 << 20];

static hws_prepared *make(uint8_t type, const void *data, size_t len) {
    hws_allocator allocator = hws_system_allocator();
    hws_prepared *message = NULL;
    assert_int_equal(hws_prepared_make(&message, &allocator, type, data, len), HWS_OK);
    return message;
}

static hws_status send_to(peer *p, const hws_prepared *message) {
    return hws_blocking_send_prepared(&p->ws, message, LONG_MS);
}

/* A text of one byte. */
static void send_text(peer *p, hws_status expected) {
    assert_int_equal(
        hws_blocking_send(&p->ws, HWS_TEXT, HWS_WHOLE, (const uint8_t *)"a", 1, LONG_MS), expected);
}

static pair *small_pair(void) {
    pair *p = pair_new_unix();
    p->server.config.memory_len = HWS_BLOCKING_MIN_MEMORY;
    pair_open(p);
    return p;
}

/* --- one frame -------------------------------------------------------------------------------- */

/* The working memory would hold none of the longer ones: one write says that there is no copy. */
static void a_message_is_one_frame_in_one_write(void **state) {
    static const struct {
        const char *header;
        size_t header_len;
        uint8_t type;
        size_t len;
    } rows[] = {
        {"\x82\x00", 2, HWS_BINARY, 0},
        {"\x82\x01", 2, HWS_BINARY, 1},
        {"\x82\x7D", 2, HWS_BINARY, 125},
        {"\x82\x7E\x00\x7E", 4, HWS_BINARY, 126},
        {"\x82\x7E\xFF\xFF", 4, HWS_BINARY, 65535},
        {"\x82\x7F\0\0\0\0\0\x01\0\0", 10, HWS_BINARY, 65536},
        {"\x89\x05", 2, HWS_PING, 5},
        {"\x8A\x7D", 2, HWS_PONG, 125},
    };
    pair *p = small_pair();
    int fd = peer_socket(&p->client);
    size_t i = 0;
    (void)state;
    while (i < sizeof rows / sizeof rows[0]) {
        static uint8_t got[65536];
        hws_prepared *message = make(rows[i].type, noise, rows[i].len);
        plan_fault(FAULT_AGAIN, -1);
        assert_int_equal(send_to(&p->server, message), HWS_OK);
        assert_int_equal(plan.calls, 1);
        hws_prepared_release(message);
        raw_expect(fd, rows[i].header, rows[i].header_len);
        assert_int_equal(raw_read(fd, got, rows[i].len), (int)rows[i].len);
        assert_memory_equal(got, noise, rows[i].len);
        i++;
    }
    pair_free(p);
}

static void messages_of_other_calls_stand_before_and_after_it(void **state) {
    pair *p = small_pair();
    hws_prepared *message = make(HWS_TEXT, "news", 4);
    (void)state;
    send_text(&p->server, HWS_OK);
    assert_int_equal(send_to(&p->server, message), HWS_OK);
    assert_int_equal(send_to(&p->server, message), HWS_OK);
    assert_int_equal(hws_blocking_send_close(&p->server.ws, 1000, NULL, 0, LONG_MS), HWS_OK);
    raw_expect(peer_socket(&p->client), "\x81\x01\x61\x81\x04news\x81\x04news\x88\x02\x03\xE8", 19);
    hws_prepared_release(message);
    pair_free(p);
}

/* --- mistakes --------------------------------------------------------------------------------- */

static void only_an_open_server_takes_it(void **state) {
    half *h = half_new();
    hws_prepared *message = make(HWS_TEXT, "news", 4);
    pair *p = small_pair();
    (void)state;
    assert_int_equal(send_to(&p->client, message), HWS_ERR_ARGUMENT);
    raw_expect_silence(peer_socket(&p->server), SHORT_MS);
    hws_blocking_release(&p->server.ws);
    assert_int_equal(send_to(&p->server, message), HWS_ERR_STATE);
    pair_free(p);
    assert_int_equal(send_to(&h->server, message), HWS_ERR_STATE); /* a hws_blocking of zeros */
    raw_send_text(h->fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(half_read(h), HWS_OK);
    assert_int_equal(send_to(&h->server, message), HWS_ERR_STATE);
    raw_expect_silence(h->fd, SHORT_MS);
    hws_prepared_release(message);
    half_free(h);
}

/* RFC 6455 5.4: control frames may stand between fragments, messages may not. */
static void inside_a_message_there_is_room_for_a_ping_alone(void **state) {
    pair *p = small_pair();
    hws_blocking *ws = &p->server.ws;
    hws_prepared *message = make(HWS_TEXT, "news", 4);
    hws_prepared *ping = make(HWS_PING, "p", 1);
    (void)state;
    assert_int_equal(hws_blocking_send(ws, HWS_TEXT, HWS_FIRST, noise, 0, LONG_MS), HWS_OK);
    assert_int_equal(send_to(&p->server, message), HWS_ERR_STATE);
    assert_int_equal(send_to(&p->server, ping), HWS_OK);
    assert_int_equal(hws_blocking_send(ws, HWS_TEXT, HWS_FINAL, noise, 0, LONG_MS), HWS_OK);
    assert_int_equal(send_to(&p->server, message), HWS_OK);
    assert_int_equal(hws_blocking_send_close(ws, 1000, NULL, 0, LONG_MS), HWS_OK);
    assert_int_equal(send_to(&p->server, message), HWS_ERR_STATE);
    assert_int_equal(send_to(&p->server, ping), HWS_ERR_STATE);
    raw_expect(peer_socket(&p->client), "\x01\x00\x89\x01p\x80\x00\x81\x04news\x88\x02\x03\xE8",
               17);
    raw_expect_silence(peer_socket(&p->client), SHORT_MS);
    hws_prepared_release(message);
    hws_prepared_release(ping);
    pair_free(p);
}

/* --- what stands before it -------------------------------------------------------------------- */

/* A client's text of one byte, with a key of zeros. */
#define ASK "\x81\x81\0\0\0\0a"

static void open_gathering(pair *p) {
    hws_event ev;
    p->server.config.gather = 1;
    pair_open(p);
    raw_send(peer_socket(&p->client), ASK ASK, 14);
    peer_nap_ms(SHORT_MS);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_EVENT);
    send_text(&p->server, HWS_OK);
    raw_expect_silence(peer_socket(&p->client), SHORT_MS);
}

static void what_is_held_back_goes_out_with_it(void **state) {
    pair *p = pair_new_unix();
    hws_prepared *message = make(HWS_TEXT, "news", 4);
    hws_event ev;
    (void)state;
    open_gathering(p);
    plan_fault(FAULT_AGAIN, -1);
    assert_int_equal(send_to(&p->server, message), HWS_OK);
    assert_int_equal(plan.calls, 1);
    raw_expect(peer_socket(&p->client), "\x81\x01\x61\x81\x04news", 9);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_EVENT);
    send_text(&p->server, HWS_OK);
    raw_expect(peer_socket(&p->client), "\x81\x01\x61", 3);
    hws_prepared_release(message);
    pair_free(p);
}

static void a_mistake_leaves_what_is_held_back(void **state) {
    pair *p = pair_new_unix();
    hws_prepared *message = make(HWS_TEXT, "news", 4);
    hws_event ev;
    (void)state;
    open_gathering(p);
    assert_int_equal(
        hws_blocking_send(&p->server.ws, HWS_BINARY, HWS_FIRST, (const uint8_t *)"c", 1, LONG_MS),
        HWS_OK);
    assert_int_equal(send_to(&p->server, message), HWS_ERR_STATE);
    raw_expect_silence(peer_socket(&p->client), SHORT_MS);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, 0), HWS_ERR_TIMEOUT);
    raw_expect(peer_socket(&p->client), "\x81\x01\x61\x02\x01\x63", 6);
    hws_prepared_release(message);
    pair_free(p);
}

/* A Pong that the socket did not take, or a byte of it. */
static void the_rest_of_a_pong_goes_out_before_it(void **state) {
    static const enum fault faults[] = {FAULT_AGAIN, FAULT_ONE_BYTE};
    hws_prepared *message = make(HWS_TEXT, "news", 4);
    size_t i = 0;
    (void)state;
    while (i < 2) {
        pair *p = small_pair();
        int fd = peer_socket(&p->client);
        hws_event ev;
        raw_send(fd, "\x89\x81\0\0\0\0p", 7);
        peer_nap_ms(SHORT_MS);
        plan_fault(faults[i], 1); /* the read is the first call, the write the second */
        assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, 0), HWS_ERR_TIMEOUT);
        plan.at = -1;
        p->server.config.close_timeout_ms = SHORT_MS;
        assert_int_equal(send_to(&p->server, message), HWS_OK);
        raw_expect(fd, "\x8A\x01p\x81\x04news", 9);
        assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, 0), HWS_EVENT);
        assert_int_equal(ev.type, HWS_PING);
        assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, 0), HWS_ERR_TIMEOUT);
        raw_expect_silence(fd, SHORT_MS);
        pair_free(p);
        i++;
    }
    hws_prepared_release(message);
}

/* A late Pong ends a connection: one that has gone out is not late. */
static void a_pong_that_went_out_with_it_is_not_late(void **state) {
    hws_prepared *message = make(HWS_TEXT, "news", 4);
    pair *p = pair_new_unix();
    hws_event ev;
    (void)state;
    p->server.config.close_timeout_ms = SHORT_MS;
    pair_open(p);
    raw_send(peer_socket(&p->client), "\x89\x81\0\0\0\0p", 7);
    peer_nap_ms(SHORT_MS);
    plan_fault(FAULT_AGAIN, 1);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, 0), HWS_ERR_TIMEOUT);
    plan.at = -1;
    assert_int_equal(send_to(&p->server, message), HWS_OK);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, 0), HWS_EVENT);
    peer_nap_ms(2 * SHORT_MS);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, SHORT_MS), HWS_ERR_TIMEOUT);
    assert_int_equal(send_to(&p->server, message), HWS_OK);
    hws_prepared_release(message);
    pair_free(p);
}

/* --- what fails ------------------------------------------------------------------------------- */

static void a_deadline_that_passed_is_the_last_of_the_connection(void **state) {
    pair *p = small_pair();
    hws_prepared *large = make(HWS_BINARY, noise, sizeof noise);
    hws_prepared *small = make(HWS_TEXT, "news", 4);
    hws_event ev;
    int64_t begin = peer_now_ms();
    (void)state;
    assert_int_equal(hws_blocking_send_prepared(&p->server.ws, large, SHORT_MS), HWS_ERR_TIMEOUT);
    assert_true(peer_now_ms() - begin < LONG_MS / 4);
    assert_int_equal(hws_blocking_socket(&p->server.ws), -1);
    assert_int_equal(send_to(&p->server, small), HWS_ERR_TIMEOUT);
    send_text(&p->server, HWS_ERR_TIMEOUT);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_ERR_CLOSED);
    hws_prepared_release(large);
    hws_prepared_release(small);
    pair_free(p);
}

/* What a failed send of another call says is said to this one too. */
static void an_earlier_failure_is_told_again(void **state) {
    pair *p = small_pair();
    hws_prepared *small = make(HWS_TEXT, "news", 4);
    (void)state;
    assert_int_equal(
        hws_blocking_send(&p->server.ws, HWS_BINARY, HWS_WHOLE, noise, sizeof noise, 0),
        HWS_ERR_TIMEOUT);
    assert_int_equal(send_to(&p->server, small), HWS_ERR_TIMEOUT);
    hws_prepared_release(small);
    pair_free(p);
}

/* The peer's Close came before he reset the connection: it can still be read. */
static void after_a_reset_what_came_before_it_can_be_read(void **state) {
    pair *p = small_pair();
    hws_prepared *small = make(HWS_TEXT, "news", 4);
    hws_event ev;
    (void)state;
    raw_send(peer_socket(&p->client), "\x88\x82\0\0\0\0\x03\xF3", 8);
    plan_fault(FAULT_RESET, 0);
    assert_int_equal(send_to(&p->server, small), HWS_ERR_RESET);
    plan.at = -1;
    assert_int_equal(send_to(&p->server, small), HWS_ERR_RESET);
    assert_int_not_equal(hws_blocking_socket(&p->server.ws), -1);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(ev.close_code, 1011);
    hws_prepared_release(small);
    pair_free(p);
}

/* --- every call fails once -------------------------------------------------------------------- */

/* What a peer reads: the text that was held back, and the messages. */
typedef struct reading {
    peer *client;
    const hws_prepared *message;
    size_t texts;
    size_t news;
    uint8_t buffer[LARGE];
} reading;

static void *read_all(void *arg) {
    reading *r = arg;
    hws_buffer wanted = hws_prepared_payload(r->message);
    hws_message message;
    hws_event ev;
    hws_message_init(&message, r->buffer, sizeof r->buffer);
    while (hws_blocking_receive_message(&r->client->ws, &message, &ev, LONG_MS) == HWS_EVENT) {
        if (ev.type == HWS_BINARY) {
            assert_int_equal(ev.len, wanted.len);
            assert_memory_equal(ev.data, wanted.data, wanted.len);
        }
        r->news += ev.type == HWS_BINARY;
        r->texts += ev.type == HWS_TEXT;
    }
    return NULL;
}

/* One life of a server that holds a text back and sends a message. Returns what became of that. */
static hws_status serve_once(const hws_prepared *message, uint8_t secure, enum fault fault, int at,
                             int *calls) {
    reading *r = calloc(1, sizeof *r);
    toy kind;
    pair *p = pair_new_unix();
    hws_status status = HWS_OK;
    hws_event ev;
    assert_non_null(r);
    r->client = &p->client;
    r->message = message;
    toy_init(&kind);
    snprintf(p->url, sizeof p->url, "%s://localhost/", secure ? "wss" : "ws");
    p->client.config.filter = p->server.config.filter = secure ? &kind.table : NULL;
    p->server.config.memory_len = HWS_BLOCKING_MIN_FILTER_MEMORY;
    p->server.config.gather = 1;
    p->server.config.close_timeout_ms = p->client.config.close_timeout_ms = SHORT_MS;
    pair_open(p);
    peer_shrink(&p->server);
    send_text(&p->client, HWS_OK);
    send_text(&p->client, HWS_OK);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_EVENT);
    send_text(&p->server, HWS_OK);
    assert_int_equal(pthread_create(&p->thread, NULL, read_all, r), 0);
    plan_fault(fault, at);
    status = hws_blocking_send_prepared(&p->server.ws, message, LONG_MS);
    *calls = plan.calls;
    plan.at = -1;
    assert_int_equal(send_to(&p->server, message), status); /* it goes on, or it does not */
    if (status == HWS_OK) {
        assert_int_equal(hws_blocking_send_close(&p->server.ws, 1000, NULL, 0, LONG_MS), HWS_OK);
    } else {
        hws_blocking_release(&p->server.ws);
    }
    assert_int_equal(pthread_join(p->thread, NULL), 0);
    assert_int_equal(r->news, status == HWS_OK ? 2 : 0);
    assert_true(r->texts == 1 || status != HWS_OK);
    pair_free(p);
    free(r);
    return status;
}

static void fail_each_call(uint8_t secure, size_t len) {
    hws_prepared *message = make(HWS_BINARY, noise, len);
    int fault = 0;
    while (fault < FAULTS) {
        int at = 0;
        int hit = 1;
        while (hit) {
            int calls = 0;
            hws_status status = serve_once(message, secure, (enum fault)fault, at, &calls);
            hit = calls > at;
            assert_int_equal(status != HWS_OK, hit && !is_harmless((enum fault)fault));
            at += at > 20 ? 5 : 1;
        }
        fault++;
    }
    hws_prepared_release(message);
}

static void a_message_survives_the_failure_of_each_call(void **state) {
    (void)state;
    fail_each_call(0, 10);
    fail_each_call(0, 20000);
}

static void a_message_through_a_filter_survives_the_failure_of_each_call(void **state) {
    (void)state;
    fail_each_call(1, 10);
    fail_each_call(1, 20000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_one_frame_in_one_write),
        cmocka_unit_test(messages_of_other_calls_stand_before_and_after_it),
        cmocka_unit_test(only_an_open_server_takes_it),
        cmocka_unit_test(inside_a_message_there_is_room_for_a_ping_alone),
        cmocka_unit_test(what_is_held_back_goes_out_with_it),
        cmocka_unit_test(a_mistake_leaves_what_is_held_back),
        cmocka_unit_test(the_rest_of_a_pong_goes_out_before_it),
        cmocka_unit_test(a_pong_that_went_out_with_it_is_not_late),
        cmocka_unit_test(a_deadline_that_passed_is_the_last_of_the_connection),
        cmocka_unit_test(an_earlier_failure_is_told_again),
        cmocka_unit_test(after_a_reset_what_came_before_it_can_be_read),
        cmocka_unit_test(a_message_survives_the_failure_of_each_call),
        cmocka_unit_test(a_message_through_a_filter_survives_the_failure_of_each_call),
    };
    alarm(150);
    random_fill(&(uint64_t){1}, noise, sizeof noise);
    return cmocka_run_group_tests_name("blocking_prepared", tests, NULL, NULL);
}
