/*
 * Ends of connections over real sockets: the closing handshake, the order in which TCP is closed,
 * faults, and peers that leave without a word.
 */
#include "peer.h"

static void *close_normal(void *arg) {
    assert_int_equal(hws_blocking_close(arg, HWS_CLOSE_NORMAL, NULL, 0), HWS_OK);
    return NULL;
}

static void expect_close(hws_blocking *ws, uint16_t code, const char *reason) {
    hws_event ev;
    assert_int_equal(hws_blocking_receive(ws, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(ev.type, HWS_CLOSE);
    assert_int_equal(ev.close_code, code);
    assert_int_equal(ev.len, strlen(reason));
    assert_memory_equal(ev.data, reason, ev.len);
}

/* One side closes first; the other reads the Close and goes on to the end. */
static void close_from(uint8_t role, uint16_t code, const char *reason) {
    pair *p = pair_open_new();
    hws_blocking *first = role == HWS_ROLE_CLIENT ? &p->client.ws : &p->server.ws;
    hws_blocking *second = role == HWS_ROLE_CLIENT ? &p->server.ws : &p->client.ws;
    uint16_t seen = code == HWS_CLOSE_EMPTY ? HWS_CLOSE_NO_CODE : code;
    hws_closing closing;
    hws_event ev;
    assert_int_equal(
        hws_blocking_send_close(first, code, (const uint8_t *)reason, strlen(reason), LONG_MS),
        HWS_OK);
    expect_close(second, seen, reason);
    assert_int_equal(pthread_create(&p->thread, NULL, close_normal, second), 0);
    expect_close(first, seen, "");
    assert_int_equal(hws_blocking_receive(first, &ev, LONG_MS), HWS_OK);
    assert_int_equal(hws_blocking_receive(first, &ev, LONG_MS), HWS_OK);
    assert_int_equal(hws_blocking_close(first, HWS_CLOSE_NORMAL, NULL, 0), HWS_OK);
    assert_int_equal(pthread_join(p->thread, NULL), 0);
    assert_int_equal(hws_blocking_socket(first), -1);
    assert_int_equal(hws_blocking_socket(second), -1);
    hws_conn_get_closing(hws_blocking_conn(second), &closing);
    assert_int_equal(closing.clean, 1);
    assert_int_equal(closing.first, HWS_PEER);
    pair_free(p);
}

static void either_side_may_close_first(void **state) {
    char reason[124];
    uint8_t role = 0;
    (void)state;
    memset(reason, 'r', sizeof reason);
    reason[123] = '\0';
    while (role < 2) {
        close_from(role, HWS_CLOSE_NORMAL, "");
        close_from(role, HWS_CLOSE_EMPTY, "");
        close_from(role, 4000, "why not");
        close_from(role, 4999, reason);
        role++;
    }
}

static void both_sides_may_close_at_once(void **state) {
    int round = 0;
    (void)state;
    while (round < 20) {
        pair *p = pair_open_new();
        assert_int_equal(pthread_create(&p->thread, NULL, close_normal, &p->server.ws), 0);
        (void)close_normal(&p->client.ws);
        assert_int_equal(pthread_join(p->thread, NULL), 0);
        pair_free(p);
        round++;
    }
}

/* RFC 6455 7.1.1: the server ends TCP first. */
static void a_server_shuts_down_before_the_client_does(void **state) {
    const uint8_t bye[] = {0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8};
    const uint8_t answer[] = {0x88, 0x02, 0x03, 0xE8};
    pair *p = pair_open_new();
    int fd = peer_socket(&p->client);
    hws_event ev;
    (void)state;
    raw_send(fd, bye, sizeof bye);
    expect_close(&p->server.ws, 1000, "");
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, 0), HWS_ERR_TIMEOUT);
    raw_expect(fd, answer, sizeof answer);
    raw_expect_end(fd);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, 20), HWS_ERR_TIMEOUT);
    assert_true(hws_blocking_socket(&p->server.ws) != -1);
    hws_blocking_release(&p->client.ws);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_OK);
    pair_free(p);
}

/* RFC 6455 7.1.1: the client waits for the server, but not for ever. */
static void a_client_waits_for_the_server_to_end_tcp(void **state) {
    const uint8_t bye[] = {0x88, 0x02, 0x03, 0xE8};
    pair *p = pair_new();
    uint8_t answer[8];
    int64_t start = 0;
    hws_event ev;
    int fd = -1;
    (void)state;
    p->client.config.close_timeout_ms = 100;
    pair_open(p);
    fd = peer_socket(&p->server);
    raw_send(fd, bye, sizeof bye);
    start = peer_now_ms();
    expect_close(&p->client.ws, 1000, "");
    assert_int_equal(hws_blocking_receive(&p->client.ws, &ev, 20), HWS_ERR_TIMEOUT);
    assert_int_equal(raw_read(fd, answer, sizeof answer), 8);
    raw_expect_silence(fd, 20);
    assert_int_equal(hws_blocking_receive(&p->client.ws, &ev, LONG_MS), HWS_OK);
    assert_in_range(peer_now_ms() - start, 100, 5000);
    raw_expect_end(fd);
    pair_free(p);
}

static void an_end_without_close_is_no_clean_end(void **state) {
    uint8_t role = 0;
    (void)state;
    while (role < 2) {
        pair *p = pair_open_new();
        peer *here = role == HWS_ROLE_CLIENT ? &p->client : &p->server;
        peer *there = role == HWS_ROLE_CLIENT ? &p->server : &p->client;
        hws_closing closing;
        hws_event ev;
        hws_blocking_release(&there->ws);
        assert_int_equal(hws_blocking_receive(&here->ws, &ev, LONG_MS), HWS_ERR_EOF);
        assert_int_equal(hws_blocking_receive(&here->ws, &ev, LONG_MS), HWS_ERR_EOF);
        assert_int_equal(hws_blocking_close(&here->ws, 1000, NULL, 0), HWS_ERR_EOF);
        assert_int_equal(hws_blocking_send(&here->ws, HWS_PING, HWS_WHOLE, NULL, 0, 0),
                         HWS_ERR_STATE);
        hws_conn_get_closing(hws_blocking_conn(&here->ws), &closing);
        assert_int_equal(closing.code, HWS_CLOSE_ABNORMAL);
        pair_free(p);
        role++;
    }
}

static void a_reset_is_told_apart(void **state) {
    pair *p = pair_open_new();
    hws_event ev;
    (void)state;
    raw_reset(peer_socket(&p->client));
    hws_blocking_release(&p->client.ws);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_ERR_RESET);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_ERR_RESET);
    assert_int_equal(hws_blocking_system_error(&p->server.ws), ECONNRESET);
    pair_free(p);
}

/* A peer who sends his Close and is gone at once, as many do. */
static void a_reset_after_both_closes_is_a_good_end(void **state) {
    pair *p = pair_open_new();
    hws_event ev;
    (void)state;
    assert_int_equal(hws_blocking_send_close(&p->client.ws, 1001, NULL, 0, LONG_MS), HWS_OK);
    expect_close(&p->server.ws, 1001, "");
    raw_reset(peer_socket(&p->client));
    hws_blocking_release(&p->client.ws);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_OK);
    pair_free(p);
}

typedef struct upload {
    pair *p;
    uint8_t by_hawser;
    hws_status result;
} upload;

enum { UPLOAD = 20 << 20 };

static void *upload_run(void *arg) {
    upload *u = arg;
    uint8_t *data = calloc(1, UPLOAD);
    const uint8_t header[] = {0x82, 0xFF, 0, 0, 0, 0, UPLOAD >> 24, UPLOAD >> 16 & 255,
                              0,    0,    0, 0, 0, 0};
    if (u->by_hawser) {
        u->result =
            hws_blocking_send(&u->p->client.ws, HWS_BINARY, HWS_WHOLE, data, UPLOAD, LONG_MS);
    } else {
        raw_send(peer_socket(&u->p->client), header, sizeof header);
        raw_send(peer_socket(&u->p->client), data, UPLOAD);
    }
    free(data);
    return NULL;
}

static void *receive_too_big(void *arg) {
    hws_event ev;
    hws_status status = HWS_EVENT;
    while (status == HWS_EVENT) {
        status = hws_blocking_receive(arg, &ev, LONG_MS);
    }
    assert_int_equal(status, HWS_ERR_MESSAGE_TOO_BIG);
    return NULL;
}

/* The peer of a failed upload must be able to read why: to close at once would reset him. */
static void an_upload_above_the_limit_reads_1009_and_the_end(void **state) {
    const uint8_t answer[] = {0x88, 0x02, 0x03, 0xF1};
    upload u = {NULL, 0, HWS_OK};
    (void)state;
    while (u.by_hawser < 2) {
        pair *p = pair_new();
        pthread_t server;
        hws_event ev;
        p->server.config.max_message = 1 << 20;
        pair_open(p);
        u.p = p;
        assert_int_equal(pthread_create(&server, NULL, receive_too_big, &p->server.ws), 0);
        (void)upload_run(&u);
        assert_int_equal(u.result, HWS_OK);
        if (u.by_hawser) {
            expect_close(&p->client.ws, 1009, "");
            assert_int_equal(hws_blocking_receive(&p->client.ws, &ev, LONG_MS), HWS_OK);
        } else {
            raw_expect(peer_socket(&p->client), answer, sizeof answer);
            raw_expect_end(peer_socket(&p->client));
            hws_blocking_release(&p->client.ws);
        }
        assert_int_equal(pthread_join(server, NULL), 0);
        pair_free(p);
        u.by_hawser++;
    }
}

/* The peer does not read, and our Pongs have filled the way to him when we close. */
static void a_close_gets_out_while_the_peer_is_only_sending(void **state) {
    pair *p = pair_new_unix();
    uint8_t ping[131] = {0x89, 0xFD};
    uint8_t junk[4096];
    uint8_t pong[127];
    hws_event ev;
    hws_status status = HWS_EVENT;
    size_t i = 0;
    int fd = -1;
    (void)state;
    pair_open(p);
    peer_shrink(&p->server);
    fd = peer_socket(&p->client);
    while (status == HWS_EVENT) {
        raw_send(fd, ping, sizeof ping);
        status = hws_blocking_receive(&p->server.ws, &ev, 50);
    }
    assert_int_equal(status, HWS_ERR_TIMEOUT);
    assert_int_equal(pthread_create(&p->thread, NULL, close_normal, &p->server.ws), 0);
    /* close() discards: it reads on, although it cannot write. The Pong of the last is still owed.
     */
    while (i < 1000) {
        raw_send(fd, ping, sizeof ping);
        i++;
    }
    while (raw_read(fd, pong, 2) == 2 && pong[0] == 0x8A) {
        assert_int_equal(raw_read(fd, pong + 2, 125), 125);
    }
    assert_int_equal(pong[0], 0x88);
    raw_expect(fd, "\x03\xE8", 2);
    raw_send(fd, "\x88\x80\0\0\0\0", 6);
    while (raw_read(fd, junk, sizeof junk) == (int)sizeof junk) {
    }
    hws_blocking_release(&p->client.ws);
    assert_int_equal(pthread_join(p->thread, NULL), 0);
    pair_free(p);
}

static void a_fault_of_the_peer_is_answered_and_the_rest_drained(void **state) {
    const uint8_t unmasked[] = {0x81, 0x01, 'x'};
    const uint8_t answer[] = {0x88, 0x02, 0x03, 0xEA};
    pair *p = pair_open_new();
    int fd = peer_socket(&p->client);
    hws_event ev;
    (void)state;
    raw_send(fd, unmasked, sizeof unmasked);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, 10), HWS_ERR_TIMEOUT);
    raw_expect(fd, answer, sizeof answer);
    raw_expect_end(fd);
    raw_send(fd, unmasked, sizeof unmasked);
    hws_blocking_release(&p->client.ws);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_ERR_UNMASKED);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_ERR_UNMASKED);
    assert_int_equal(hws_blocking_close(&p->server.ws, 1000, NULL, 0), HWS_ERR_UNMASKED);
    pair_free(p);
}

static void *receive_opcode_fault(void *arg) {
    hws_event ev;
    assert_int_equal(hws_blocking_receive(arg, &ev, LONG_MS), HWS_ERR_OPCODE);
    return NULL;
}

/* The way to the peer is full, and he reads only when all that he has to say is said. */
static void a_fault_is_drained_while_its_close_is_blocked(void **state) {
    static uint8_t junk[4 << 20];
    pair *p = pair_new_unix();
    size_t stuffed = 0;
    int here = -1;
    int there = -1;
    (void)state;
    pair_open(p);
    here = peer_socket(&p->server);
    there = peer_socket(&p->client);
    while (send(here, junk, sizeof junk, MSG_NOSIGNAL) > 0) {
    }
    assert_int_equal(pthread_create(&p->thread, NULL, receive_opcode_fault, &p->server.ws), 0);
    raw_send(there, "\x83", 1);
    raw_send(there, junk, sizeof junk);
    while (raw_read(there, junk, 1) == 1 && junk[0] == 0) {
        stuffed++;
    }
    assert_true(stuffed > 0);
    assert_int_equal(junk[0], 0x88);
    raw_expect(there, "\x02\x03\xEA", 3);
    raw_expect_end(there);
    hws_blocking_release(&p->client.ws);
    assert_int_equal(pthread_join(p->thread, NULL), 0);
    pair_free(p);
}

static void *receive_close_with_reason(void *arg) {
    hws_event ev;
    expect_close(arg, 4000, "why not");
    assert_int_equal(hws_blocking_receive(arg, &ev, LONG_MS), HWS_OK);
    return NULL;
}

/* The same with a Close: its reason outlives what is drained, and it is answered although the peer
 * has ended his side of the stream. */
static void a_close_is_answered_late_and_whole(void **state) {
    static uint8_t junk[1 << 20];
    pair *p = pair_new_unix();
    int here = -1;
    int there = -1;
    (void)state;
    pair_open(p);
    here = peer_socket(&p->server);
    there = peer_socket(&p->client);
    while (send(here, junk, sizeof junk, MSG_NOSIGNAL) > 0) {
    }
    assert_int_equal(pthread_create(&p->thread, NULL, receive_close_with_reason, &p->server.ws), 0);
    raw_send(there, "\x88\x89\0\0\0\0\x0F\xA0why not", 15);
    raw_send(there, junk, sizeof junk);
    assert_int_equal(shutdown(there, SHUT_WR), 0);
    peer_nap_ms(20);
    while (raw_read(there, junk, 1) == 1 && junk[0] == 0) {
    }
    assert_int_equal(junk[0], 0x88);
    raw_expect(there, "\x02\x0F\xA0", 3);
    raw_expect_end(there);
    assert_int_equal(pthread_join(p->thread, NULL), 0);
    pair_free(p);
}

static void *send_for_ever(void *arg) {
    static const uint8_t ping[] = {0x89, 0x80, 0, 0, 0, 0};
    const int *fd = arg;
    while (send(*fd, ping, sizeof ping, MSG_NOSIGNAL) > 0 || errno == EAGAIN) {
    }
    return NULL;
}

static void a_peer_that_never_stops_is_left_at_the_deadline(void **state) {
    pair *p = pair_new();
    int64_t start = 0;
    int fd = -1;
    (void)state;
    p->server.config.close_timeout_ms = 100;
    pair_open(p);
    fd = peer_socket(&p->client);
    assert_int_equal(pthread_create(&p->thread, NULL, send_for_ever, &fd), 0);
    start = peer_now_ms();
    assert_int_equal(hws_blocking_close(&p->server.ws, 1001, NULL, 0), HWS_ERR_TIMEOUT);
    assert_in_range(peer_now_ms() - start, 100, 2000);
    assert_int_equal(pthread_join(p->thread, NULL), 0);
    pair_free(p);
}

static void a_peer_that_never_stops_is_left_by_a_caller_who_only_looks(void **state) {
    static const uint8_t reserved_opcode[] = {0x83, 0x80};
    pair *p = pair_new();
    hws_event ev;
    hws_status status = HWS_EVENT;
    int64_t start = 0;
    int fd = -1;
    (void)state;
    p->server.config.close_timeout_ms = 100;
    pair_open(p);
    fd = peer_socket(&p->client);
    raw_send(fd, reserved_opcode, sizeof reserved_opcode);
    assert_int_equal(pthread_create(&p->thread, NULL, send_for_ever, &fd), 0);
    start = peer_now_ms();
    while ((status == HWS_EVENT || status == HWS_ERR_TIMEOUT) && peer_now_ms() - start < 5000) {
        status = hws_blocking_receive(&p->server.ws, &ev, 0);
    }
    assert_int_equal(status, HWS_ERR_OPCODE);
    assert_in_range(peer_now_ms() - start, 100, 2000);
    assert_int_equal(pthread_join(p->thread, NULL), 0);
    pair_free(p);
}

/* Whole Pings for ever, and nobody who reads the Pongs. */
static void *ping_for_ever(void *arg) {
    static const uint8_t ping[] = {0x89, 0x84, 0, 0, 0, 0, 'p', 'i', 'n', 'g'};
    const int *fd = arg;
    size_t at = 0;
    while (1) {
        struct pollfd set = {*fd, POLLOUT, 0};
        ssize_t n = send(*fd, ping + at, sizeof ping - at, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) {
            return NULL;
        }
        at = n > 0 ? (at + (size_t)n) % sizeof ping : at;
        if (n < 0) {
            (void)poll(&set, 1, LONG_MS);
        }
    }
}

static void a_peer_that_takes_no_replies_is_left(void **state) {
    pair *p = pair_new_unix();
    hws_event ev;
    hws_status status = HWS_EVENT;
    int fd = -1;
    (void)state;
    p->server.config.close_timeout_ms = 100;
    pair_open(p);
    peer_shrink(&p->server);
    peer_shrink(&p->client);
    fd = peer_socket(&p->client);
    assert_int_equal(pthread_create(&p->thread, NULL, ping_for_ever, &fd), 0);
    while (status == HWS_EVENT) {
        status = hws_blocking_receive(&p->server.ws, &ev, HWS_FOREVER);
    }
    assert_int_equal(status, HWS_ERR_CLOSED);
    assert_int_equal(pthread_join(p->thread, NULL), 0);
    pair_free(p);
}

static void a_fault_found_by_the_application_is_carried_out(void **state) {
    pair *p = pair_open_new();
    hws_event ev;
    (void)state;
    assert_int_equal(hws_conn_fail(hws_blocking_conn(&p->server.ws), HWS_ERR_UNSUPPORTED), HWS_OK);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, 0), HWS_ERR_TIMEOUT);
    expect_close(&p->client.ws, 1003, "");
    assert_int_equal(hws_blocking_receive(&p->client.ws, &ev, LONG_MS), HWS_OK);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_ERR_UNSUPPORTED);
    pair_free(p);
}

static void a_close_that_is_not_answered_times_out(void **state) {
    pair *p = pair_new();
    int64_t start = 0;
    hws_event ev;
    (void)state;
    p->server.config.close_timeout_ms = 50;
    pair_open(p);
    start = peer_now_ms();
    assert_int_equal(hws_blocking_close(&p->server.ws, 1001, NULL, 0), HWS_ERR_TIMEOUT);
    assert_in_range(peer_now_ms() - start, 50, 2000);
    assert_int_equal(hws_blocking_socket(&p->server.ws), -1);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_ERR_CLOSED);
    expect_close(&p->client.ws, 1001, "");
    pair_free(p);
}

static void a_close_answered_by_the_end_alone_is_not_clean(void **state) {
    pair *p = pair_open_new();
    (void)state;
    assert_int_equal(shutdown(peer_socket(&p->client), SHUT_WR), 0);
    assert_int_equal(hws_blocking_close(&p->server.ws, 1000, NULL, 0), HWS_ERR_EOF);
    pair_free(p);
}

static void *send_much_and_end(void *arg) {
    uint8_t *data = calloc(1, 1 << 20);
    hws_blocking *ws = arg;
    int i = 0;
    while (i < 8) {
        assert_int_equal(hws_blocking_send(ws, HWS_BINARY, HWS_WHOLE, data, 1 << 20, LONG_MS),
                         HWS_OK);
        i++;
    }
    free(data);
    return pair_receive_to_end(ws);
}

static void a_close_waits_behind_what_the_peer_still_sends(void **state) {
    pair *p = pair_open_new();
    (void)state;
    assert_int_equal(pthread_create(&p->thread, NULL, send_much_and_end, &p->client.ws), 0);
    assert_int_equal(hws_blocking_close(&p->server.ws, 1001, NULL, 0), HWS_OK);
    assert_int_equal(pthread_join(p->thread, NULL), 0);
    pair_free(p);
}

static void after_our_close_data_is_received_and_none_is_sent(void **state) {
    pair *p = pair_open_new();
    hws_event ev;
    (void)state;
    assert_int_equal(hws_blocking_send_close(&p->client.ws, 1000, NULL, 0, LONG_MS), HWS_OK);
    assert_int_equal(hws_blocking_send(&p->client.ws, HWS_TEXT, HWS_WHOLE, NULL, 0, LONG_MS),
                     HWS_ERR_STATE);
    assert_int_equal(hws_blocking_send(&p->server.ws, HWS_TEXT, HWS_WHOLE, NULL, 0, LONG_MS),
                     HWS_OK);
    assert_int_equal(hws_blocking_receive(&p->client.ws, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(ev.type, HWS_TEXT);
    pair_close(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(either_side_may_close_first),
        cmocka_unit_test(both_sides_may_close_at_once),
        cmocka_unit_test(a_server_shuts_down_before_the_client_does),
        cmocka_unit_test(a_client_waits_for_the_server_to_end_tcp),
        cmocka_unit_test(an_end_without_close_is_no_clean_end),
        cmocka_unit_test(a_reset_is_told_apart),
        cmocka_unit_test(a_reset_after_both_closes_is_a_good_end),
        cmocka_unit_test(an_upload_above_the_limit_reads_1009_and_the_end),
        cmocka_unit_test(a_close_gets_out_while_the_peer_is_only_sending),
        cmocka_unit_test(a_fault_of_the_peer_is_answered_and_the_rest_drained),
        cmocka_unit_test(a_fault_is_drained_while_its_close_is_blocked),
        cmocka_unit_test(a_close_is_answered_late_and_whole),
        cmocka_unit_test(a_peer_that_never_stops_is_left_at_the_deadline),
        cmocka_unit_test(a_peer_that_never_stops_is_left_by_a_caller_who_only_looks),
        cmocka_unit_test(a_peer_that_takes_no_replies_is_left),
        cmocka_unit_test(a_fault_found_by_the_application_is_carried_out),
        cmocka_unit_test(a_close_that_is_not_answered_times_out),
        cmocka_unit_test(a_close_answered_by_the_end_alone_is_not_clean),
        cmocka_unit_test(a_close_waits_behind_what_the_peer_still_sends),
        cmocka_unit_test(after_our_close_data_is_received_and_none_is_sent),
    };
    alarm(120);
    return cmocka_run_group_tests_name("blocking_close", tests, NULL, NULL);
}
