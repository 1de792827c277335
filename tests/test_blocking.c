/*
 * Messages over real sockets: every size, short reads and writes, signals, timeouts, mistakes.
 */
#include "peer.h"

#include <signal.h>

#ifdef HWS_TEST_REDUCED
enum { BIG = 1 << 20 };
#else
enum { BIG = 16 << 20 };
#endif

/* Text of characters of 1 to 4 bytes, so that cuts fall inside of them. */
static uint8_t *new_text(size_t len) {
    static const char pattern[] = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x9A\xA2";
    size_t whole = len - len % 10;
    uint8_t *text = malloc(len);
    size_t i = 0;
    assert_non_null(text);
    while (i < whole) {
        memcpy(text + i, pattern, 10);
        i += 10;
    }
    memset(text + whole, 'z', len - whole);
    return text;
}

/* Echoes whole messages until the connection ends well. */
typedef struct echo {
    hws_blocking *ws;
    uint8_t *buffer;
    hws_status result;
} echo;

static void *echo_run(void *arg) {
    echo *e = arg;
    hws_message message;
    hws_event ev;
    hws_message_init(&message, e->buffer, BIG);
    while ((e->result = hws_blocking_receive_message(e->ws, &message, &ev, LONG_MS)) == HWS_EVENT) {
        if (ev.type == HWS_TEXT || ev.type == HWS_BINARY) {
            e->result = hws_blocking_send(e->ws, ev.type, HWS_WHOLE, ev.data, ev.len, LONG_MS);
            assert_int_equal(e->result, HWS_OK);
        }
    }
    return NULL;
}

static pair *start_echo(echo *e, pair *p) {
    pair_open(p);
    e->ws = &p->server.ws;
    e->buffer = malloc(BIG);
    assert_non_null(e->buffer);
    return p;
}

static void run_echo(pair *p, echo *e) {
    assert_int_equal(pthread_create(&p->thread, NULL, echo_run, e), 0);
}

static void stop_echo(pair *p, echo *e) {
    assert_int_equal(hws_blocking_close(&p->client.ws, HWS_CLOSE_NORMAL, NULL, 0), HWS_OK);
    assert_int_equal(pthread_join(p->thread, NULL), 0);
    assert_int_equal(e->result, HWS_OK);
    free(e->buffer);
    pair_free(p);
}

static void expect_whole(pair *p, uint8_t type, const uint8_t *data, size_t len) {
    hws_event ev;
    size_t at = 0;
    do {
        assert_int_equal(hws_blocking_receive(&p->client.ws, &ev, LONG_MS), HWS_EVENT);
        assert_int_equal(ev.type, type);
        assert_true(ev.len <= len - at);
        assert_memory_equal(ev.data, data + at, ev.len);
        at += ev.len;
    } while ((ev.flags & HWS_FINAL) == 0);
    assert_int_equal(at, len);
}

static void exchange(pair *p, uint8_t type, const uint8_t *data, size_t len) {
    assert_int_equal(hws_blocking_send(&p->client.ws, type, HWS_WHOLE, data, len, LONG_MS), HWS_OK);
    expect_whole(p, type, data, len);
}

static void messages_of_every_length_class_come_back(void **state) {
    const size_t lens[] = {0, 1, 125, 126, 65535, 65536, PEER_MEMORY / 2, BIG};
    uint8_t *text = new_text(BIG);
    echo e;
    pair *p = start_echo(&e, pair_new());
    size_t i = 0;
    (void)state;
    run_echo(p, &e);
    while (i < sizeof lens / sizeof lens[0]) {
        exchange(p, HWS_BINARY, text, lens[i]);
        i++;
    }
    exchange(p, HWS_TEXT, text, BIG);
    stop_echo(p, &e);
    free(text);
}

static void short_reads_and_writes_lose_nothing(void **state) {
    uint8_t *text = new_text(300000);
    echo e;
    pair *p = start_echo(&e, pair_new_unix());
    (void)state;
    peer_shrink(&p->client);
    peer_shrink(&p->server);
    run_echo(p, &e);
    exchange(p, HWS_TEXT, text, 300000);
    stop_echo(p, &e);
    free(text);
}

static void a_message_may_be_sent_in_pieces_of_any_size(void **state) {
    uint8_t *text = new_text(400);
    size_t size = 1;
    echo e;
    pair *p = start_echo(&e, pair_new());
    (void)state;
    run_echo(p, &e);
    while (size <= 400) {
        size_t at = 0;
        while (at < 400) {
            size_t part = 400 - at < size ? 400 - at : size;
            uint8_t flags =
                (uint8_t)((at == 0 ? HWS_FIRST : 0) | (at + part == 400 ? HWS_FINAL : 0));
            assert_int_equal(
                hws_blocking_send(&p->client.ws, HWS_TEXT, flags, text + at, part, LONG_MS),
                HWS_OK);
            at += part;
        }
        expect_whole(p, HWS_TEXT, text, 400);
        size += size < 20 ? 1 : 37;
    }
    stop_echo(p, &e);
    free(text);
}

static void on_signal(int number) {
    (void)number;
}

typedef struct storm {
    pthread_t targets[2];
    int stop;
    pthread_mutex_t lock;
} storm;

static void *storm_run(void *arg) {
    storm *s = arg;
    int stop = 0;
    while (!stop) {
        pthread_kill(s->targets[0], SIGUSR1);
        pthread_kill(s->targets[1], SIGUSR1);
        peer_nap_ms(1);
        pthread_mutex_lock(&s->lock);
        stop = s->stop;
        pthread_mutex_unlock(&s->lock);
    }
    return NULL;
}

static void signals_disturb_no_transfer(void **state) {
    struct sigaction action;
    uint8_t *text = new_text(BIG);
    storm s = {{0, 0}, 0, PTHREAD_MUTEX_INITIALIZER};
    pthread_t thread;
    hws_event ev;
    int64_t start = 0;
    echo e;
    pair *p = start_echo(&e, pair_new_unix());
    (void)state;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal; /* without SA_RESTART: calls are interrupted */
    sigaction(SIGUSR1, &action, NULL);
    peer_shrink(&p->client);
    run_echo(p, &e);
    s.targets[0] = pthread_self();
    s.targets[1] = p->thread;
    assert_int_equal(pthread_create(&thread, NULL, storm_run, &s), 0);
    exchange(p, HWS_BINARY, text, 1 << 20);
    start = peer_now_ms();
    assert_int_equal(hws_blocking_receive(&p->client.ws, &ev, 50), HWS_ERR_TIMEOUT);
    assert_in_range(peer_now_ms() - start, 50, 1000);
    pthread_mutex_lock(&s.lock);
    s.stop = 1;
    pthread_mutex_unlock(&s.lock);
    assert_int_equal(pthread_join(thread, NULL), 0);
    stop_echo(p, &e);
    free(text);
}

static void a_timeout_is_kept_and_leaves_the_connection_as_it_was(void **state) {
    pair *p = pair_open_new();
    const uint8_t ping[] = {0x89, 0x80, 0, 0, 0, 0};
    hws_event ev;
    int64_t start = peer_now_ms();
    int fd = peer_socket(&p->client);
    size_t i = 0;
    (void)state;
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, 0), HWS_ERR_TIMEOUT);
    assert_in_range(peer_now_ms() - start, 0, 1000);
    start = peer_now_ms();
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, 50), HWS_ERR_TIMEOUT);
    assert_in_range(peer_now_ms() - start, 50, 1000);
    while (i < sizeof ping - 1) {
        raw_send(fd, &ping[i], 1);
        assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, 5), HWS_ERR_TIMEOUT);
        i++;
    }
    raw_send(fd, &ping[i], 1);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(ev.type, HWS_PING);
    pair_close(p);
}

static void what_is_pending_is_received_without_waiting(void **state) {
    pair *p = pair_open_new();
    hws_event ev;
    (void)state;
    assert_int_equal(
        hws_blocking_send(&p->client.ws, HWS_TEXT, HWS_WHOLE, (const uint8_t *)"one", 3, LONG_MS),
        HWS_OK);
    assert_int_equal(
        hws_blocking_send(&p->client.ws, HWS_TEXT, HWS_WHOLE, (const uint8_t *)"two", 3, LONG_MS),
        HWS_OK);
    peer_nap_ms(20);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, 0), HWS_EVENT);
    assert_memory_equal(ev.data, "one", 3);
    assert_int_equal(hws_blocking_pending(&p->server.ws), 9);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, 0), HWS_EVENT);
    assert_memory_equal(ev.data, "two", 3);
    assert_int_equal(hws_blocking_pending(&p->server.ws), 0);
    pair_close(p);
}

static void a_ping_is_answered_before_its_event_is_seen(void **state) {
    pair *p = pair_open_new();
    hws_event ev;
    (void)state;
    assert_int_equal(
        hws_blocking_send(&p->client.ws, HWS_PING, HWS_WHOLE, (const uint8_t *)"hey", 3, LONG_MS),
        HWS_OK);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(ev.type, HWS_PING);
    assert_int_equal(hws_blocking_receive(&p->client.ws, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(ev.type, HWS_PONG);
    assert_int_equal(ev.len, 3);
    assert_memory_equal(ev.data, "hey", 3);
    pair_close(p);
}

/* The peer sends Pings and reads no Pongs until the server cannot write: its call times out, keeps
 * the event, and hands it out when the Pong is written. */
static void a_ping_whose_pong_is_blocked_is_kept(void **state) {
    pair *p = pair_new_unix();
    uint8_t ping[131] = {0x89, 0xFD};
    uint8_t pongs[4096];
    hws_event ev;
    hws_status status = HWS_EVENT;
    size_t sent = 0;
    size_t seen = 0;
    size_t bytes = 0;
    int fd = -1;
    (void)state;
    pair_open(p);
    fd = peer_socket(&p->client);
    peer_shrink(&p->client);
    peer_shrink(&p->server);
    while (status == HWS_EVENT) {
        raw_send(fd, ping, sizeof ping);
        sent++;
        status = hws_blocking_receive(&p->server.ws, &ev, 100);
        seen += status == HWS_EVENT;
    }
    assert_int_equal(status, HWS_ERR_TIMEOUT);
    assert_int_equal(seen, sent - 1);
    assert_true(hws_blocking_pending(&p->server.ws) > 0);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, 0), HWS_ERR_TIMEOUT);
    /* What is sent now must go behind the Pong, of which a part may be out. */
    while (bytes < seen * 127) {
        bytes += (size_t)raw_read(fd, pongs, 127);
    }
    assert_int_equal(
        hws_blocking_send(&p->server.ws, HWS_TEXT, HWS_WHOLE, (const uint8_t *)"x", 1, LONG_MS),
        HWS_OK);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(ev.type, HWS_PING);
    assert_int_equal(ev.len, 125);
    while (bytes < sent * 127) {
        assert_int_equal(raw_read(fd, pongs, 127), 127);
        assert_int_equal(pongs[0], 0x8A);
        bytes += 127;
    }
    raw_expect(fd, "\x81\x01x", 3);
    pair_close(p);
}

static void payload_is_sent_in_place_by_both_sides(void **state) {
    pair *p = pair_open_new();
    uint8_t data[200];
    hws_event ev;
    (void)state;
    memset(data, 'x', sizeof data);
    assert_int_equal(
        hws_blocking_send_in_place(&p->server.ws, HWS_TEXT, HWS_WHOLE, data, sizeof data, LONG_MS),
        HWS_OK);
    assert_int_equal(hws_blocking_receive(&p->client.ws, &ev, LONG_MS), HWS_EVENT);
    assert_memory_equal(ev.data, data, sizeof data);
    assert_int_equal(
        hws_blocking_send_in_place(&p->client.ws, HWS_TEXT, HWS_WHOLE, data, sizeof data, LONG_MS),
        HWS_OK);
    memset(data, 'x', sizeof data);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(ev.len, sizeof data);
    assert_memory_equal(ev.data, data, sizeof data);
    pair_close(p);
}

static void a_wrong_byte_keeps_back_all_of_a_text(void **state) {
    uint8_t *text = new_text(200000);
    hws_event ev;
    pair *p = pair_open_new();
    hws_blocking *ws = &p->client.ws;
    (void)state;
    text[199999] = 0xFF;
    assert_int_equal(hws_blocking_send(ws, HWS_TEXT, HWS_WHOLE, text, 200000, LONG_MS),
                     HWS_ERR_SEND_UTF8);
    /* Pieces: the first ends inside a character, the second goes on wrongly, the third rightly. */
    text[100] = 0xE2;
    assert_int_equal(hws_blocking_send(ws, HWS_TEXT, HWS_FIRST, text + 100, 1, LONG_MS), HWS_OK);
    text[100] = 'a';
    text[0] = 0x82;
    text[1] = 0xAC;
    text[2] = 'a';
    assert_int_equal(hws_blocking_send(ws, HWS_TEXT, HWS_FINAL, text, 200000, LONG_MS),
                     HWS_ERR_SEND_UTF8);
    assert_int_equal(hws_blocking_send_in_place(ws, HWS_TEXT, HWS_FINAL, text, 1, LONG_MS),
                     HWS_ERR_SEND_UTF8);
    assert_int_equal(hws_blocking_send_in_place(ws, HWS_TEXT, 0, text, 1, LONG_MS), HWS_OK);
    text[0] = 'a';
    assert_int_equal(hws_blocking_send(ws, HWS_TEXT, HWS_FINAL, text, 2, LONG_MS),
                     HWS_ERR_SEND_UTF8);
    assert_int_equal(hws_blocking_send(ws, HWS_TEXT, HWS_FINAL, text + 1, 1, LONG_MS), HWS_OK);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(ev.flags, HWS_FIRST);
    pair_close(p);
    free(text);
}

static void mistakes_send_nothing(void **state) {
    pair *p = pair_open_new();
    hws_blocking *sides[2] = {&p->client.ws, &p->server.ws};
    uint8_t data[40000] = {0};
    hws_event ev;
    size_t i = 0;
    (void)state;
    while (i < 2) {
        hws_blocking *ws = sides[i];
        assert_int_equal(hws_blocking_send(ws, 5, HWS_WHOLE, data, 1, LONG_MS), HWS_ERR_ARGUMENT);
        assert_int_equal(hws_blocking_send(ws, HWS_PING, HWS_WHOLE, data, 126, LONG_MS),
                         HWS_ERR_ARGUMENT);
        assert_int_equal(hws_blocking_send(ws, HWS_PING, HWS_WHOLE, data, 40000, LONG_MS),
                         HWS_ERR_ARGUMENT);
        assert_int_equal(hws_blocking_send(ws, HWS_TEXT, HWS_FINAL, data, 1, LONG_MS),
                         HWS_ERR_STATE);
        assert_int_equal(hws_blocking_send_close(ws, 1005, NULL, 0, LONG_MS), HWS_ERR_ARGUMENT);
        assert_int_equal(hws_blocking_close(ws, 999, NULL, 0), HWS_ERR_ARGUMENT);
        assert_int_equal(hws_blocking_close(ws, 1000, (const uint8_t *)"\xFF", 1),
                         HWS_ERR_SEND_UTF8);
        i++;
    }
    assert_int_equal(hws_blocking_receive(&p->client.ws, &ev, 20), HWS_ERR_TIMEOUT);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, 20), HWS_ERR_TIMEOUT);
    pair_close(p);
}

static void a_full_message_buffer_can_be_grown(void **state) {
    pair *p = pair_open_new();
    uint8_t small[4];
    uint8_t large[8];
    hws_message message;
    hws_event ev;
    (void)state;
    hws_message_init(&message, small, sizeof small);
    assert_int_equal(hws_blocking_send(&p->client.ws, HWS_TEXT, HWS_WHOLE,
                                       (const uint8_t *)"eight by", 8, LONG_MS),
                     HWS_OK);
    assert_int_equal(hws_blocking_receive_message(&p->server.ws, &message, &ev, LONG_MS),
                     HWS_ERR_SPACE);
    memcpy(large, small, message.len);
    assert_int_equal(hws_message_grow(&message, large, sizeof large), HWS_OK);
    assert_int_equal(hws_blocking_receive_message(&p->server.ws, &message, &ev, LONG_MS),
                     HWS_EVENT);
    assert_int_equal(ev.len, 8);
    assert_memory_equal(ev.data, "eight by", 8);
    pair_close(p);
}

static void a_send_that_times_out_ends_the_connection(void **state) {
    uint8_t *data = calloc(1, 16 << 20);
    int side = 0;
    (void)state;
    while (side < 2) {
        pair *p = pair_open_new();
        hws_blocking *ws = side == 0 ? &p->client.ws : &p->server.ws;
        hws_event ev;
        int64_t start = peer_now_ms();
        assert_int_equal(hws_blocking_send(ws, HWS_BINARY, HWS_WHOLE, data, 16 << 20, 50),
                         HWS_ERR_TIMEOUT);
        assert_in_range(peer_now_ms() - start, 50, 2000);
        assert_int_equal(hws_blocking_send(ws, HWS_BINARY, HWS_WHOLE, data, 1, 50),
                         HWS_ERR_TIMEOUT);
        assert_int_equal(hws_blocking_receive(ws, &ev, 50), HWS_ERR_CLOSED);
        assert_int_equal(hws_blocking_socket(ws), -1);
        pair_free(p);
        side++;
    }
    free(data);
}

/* A peer that closes with a reset while we send: what he said before it can still be read. */
static void a_send_into_a_reset_leaves_the_peers_close_to_be_read(void **state) {
    const uint8_t bye[] = {0x88, 0x02, 0x03, 0xF1};
    uint8_t *data = calloc(1, 16 << 20);
    pair *p = pair_open_new();
    hws_blocking *ws = &p->client.ws;
    hws_event ev;
    hws_status status = HWS_OK;
    (void)state;
    raw_send(peer_socket(&p->server), bye, sizeof bye);
    raw_reset(peer_socket(&p->server));
    hws_blocking_release(&p->server.ws);
    peer_nap_ms(20);
    status = hws_blocking_send(ws, HWS_BINARY, HWS_WHOLE, data, 16 << 20, LONG_MS);
    assert_int_equal(status, HWS_ERR_RESET);
    assert_int_equal(
        hws_blocking_system_error(ws) == ECONNRESET || hws_blocking_system_error(ws) == EPIPE, 1);
    assert_int_equal(hws_blocking_send(ws, HWS_BINARY, HWS_WHOLE, data, 1, 0), HWS_ERR_RESET);
#ifdef __linux__
    assert_int_equal(hws_blocking_receive(ws, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(ev.type, HWS_CLOSE);
    assert_int_equal(ev.close_code, 1009);
#endif
    assert_int_equal(hws_blocking_receive(ws, &ev, LONG_MS), HWS_ERR_RESET);
    assert_int_equal(hws_blocking_receive(ws, &ev, LONG_MS), HWS_ERR_RESET);
    assert_int_equal(hws_blocking_close(ws, 1000, NULL, 0), HWS_ERR_RESET);
    pair_free(p);
    free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_every_length_class_come_back),
        cmocka_unit_test(short_reads_and_writes_lose_nothing),
        cmocka_unit_test(a_message_may_be_sent_in_pieces_of_any_size),
        cmocka_unit_test(signals_disturb_no_transfer),
        cmocka_unit_test(a_timeout_is_kept_and_leaves_the_connection_as_it_was),
        cmocka_unit_test(what_is_pending_is_received_without_waiting),
        cmocka_unit_test(a_ping_is_answered_before_its_event_is_seen),
        cmocka_unit_test(a_ping_whose_pong_is_blocked_is_kept),
        cmocka_unit_test(payload_is_sent_in_place_by_both_sides),
        cmocka_unit_test(a_wrong_byte_keeps_back_all_of_a_text),
        cmocka_unit_test(mistakes_send_nothing),
        cmocka_unit_test(a_full_message_buffer_can_be_grown),
        cmocka_unit_test(a_send_that_times_out_ends_the_connection),
        cmocka_unit_test(a_send_into_a_reset_leaves_the_peers_close_to_be_read),
    };
    alarm(120);
    return cmocka_run_group_tests_name("blocking", tests, NULL, NULL);
}
