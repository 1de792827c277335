/*
 * A loop as a server: messages through it, clients that read slowly or not at all, plain HTTP, too
 * many connections, and its end.
 */
#include "loop_world.h"

enum { LARGE = 1 << 20 };
static uint8_t large[LARGE];

static void messages_of_all_sizes_come_back(void **state) {
    static const size_t lens[] = {0, 1, 125, 126, 65535, 65536, 65537, LARGE};
    world *w = world_start(KIND(state));
    peer *p = world_connect(w);
    size_t i = 0;
    while (i < sizeof lens / sizeof *lens) {
        peer_send(p, large, lens[i]);
        peer_expect(p, large, lens[i]);
        i++;
    }
    peer_close(p);
    world_await(&w->ends, 1);
    world_join(w);
    assert_int_equal(w->ended, HWS_OK);
    assert_int_equal(w->ended_code, HWS_CLOSE_NORMAL);
    assert_int_equal(w->counters.messages_received, i);
    assert_int_equal(w->counters.messages_sent, i);
    free(w);
}

/* The buffer holds many, which are handed out one by one. */
static void many_messages_in_one_write_come_back_in_order(void **state) {
    enum { COUNT = 5000 };
    world *w = world_start(KIND(state));
    uint8_t *wire = malloc(COUNT * 16);
    hws_conn conn = test_conn_open(HWS_ROLE_CLIENT);
    int fd = raw_connect(w);
    uint32_t i = 0;
    size_t n = 0;
    assert_non_null(wire);
    raw_send_text(fd, RAW_REQUEST);
    raw_expect_head(fd, "HTTP/1.1 101 ");
    while (i < COUNT) {
        assert_int_equal(hws_conn_send(&conn, HWS_BINARY, HWS_WHOLE, (const uint8_t *)&i, sizeof i,
                                       wire, COUNT * 16, &n),
                         HWS_OK);
        i++;
    }
    raw_send(fd, wire, n);
    i = 0;
    while (i < COUNT) {
        uint8_t frame[6] = {0x82, 4};
        memcpy(frame + 2, &i, sizeof i);
        raw_expect(fd, frame, sizeof frame);
        i++;
    }
    close(fd);
    free(wire);
    world_await(&w->ends, 1);
    world_join(w);
    assert_int_equal(w->ended, HWS_ERR_EOF);
    assert_int_equal(w->counters.messages_received, COUNT);
    free(w);
}

/* --- slow readers --- */

/* On each message eight large ones. */
static void serve_much(world *w, const hws_loop_item *item) {
    int i = 0;
    if (item->event.type != HWS_BINARY) {
        world_echo(w, item);
        return;
    }
    while (i < 8) {
        hws_status status =
            hws_endpoint_send(item->endpoint, HWS_BINARY, HWS_WHOLE, large, sizeof large);
        assert_int_equal(status, HWS_BACKPRESSURE);
        i++;
    }
}

static void a_slow_reader_gets_all_and_the_server_is_told_when(void **state) {
    world *w = world_new(KIND(state));
    peer *p = NULL;
    int i = 0;
    w->serve = serve_much;
    world_listen(w);
    world_go(w);
    p = world_connect(w);
    peer_send(p, "go", 2);
    world_await(&w->messages, 1);
    peer_nap_ms(50);
    assert_int_equal(w->drains, 0);
    while (i < 8) {
        peer_expect(p, large, sizeof large);
        i++;
    }
    world_await(&w->drains, 1);
    peer_close(p);
    world_end(w);
}

typedef struct writer {
    peer *p;
    size_t count;
} writer;

static void *write_many(void *arg) {
    writer *job = arg;
    size_t i = 0;
    while (i < job->count) {
        peer_send(job->p, large, 65536);
        i++;
    }
    return NULL;
}

/* Who is not read from cannot fill the memory of the server. */
static void an_echo_to_who_does_not_read_stays_small(void **state) {
    enum { COUNT = 512 }; /* 32 MiB: above what both sockets hold */
    world *w = world_start(KIND(state));
    peer *p = world_connect(w);
    writer job = {p, COUNT};
    pthread_t thread;
    size_t i = 0;
    assert_int_equal(pthread_create(&thread, NULL, write_many, &job), 0);
    peer_nap_ms(300);
    assert_true(w->messages < COUNT);
    assert_true(w->most_bytes < 1000000);
    /* A frame is taken from the stream by hand: the peer belongs to the other thread. */
    while (i < COUNT) {
        static uint8_t got[65536 + 10];
        assert_int_equal(raw_read(peer_socket(p), got, sizeof got), sizeof got);
        assert_memory_equal(got + 10, large, 65536);
        i++;
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    peer_free(p);
    world_await(&w->ends, 1);
    world_end(w);
}

/* --- pauses, and answers that come later --- */

static void go_on(world *w) {
    hws_endpoint_pause(hws_link_endpoint(w->link), 0);
}

static void serve_with_pause(world *w, const hws_loop_item *item) {
    world_echo(w, item);
    if (item->event.type == HWS_BINARY) {
        hws_endpoint_pause(item->endpoint, 1);
    }
}

/* What was read already waits, and so does what comes later. */
static void a_paused_connection_keeps_what_came(void **state) {
    static const order resume = {go_on};
    world *w = world_new(KIND(state));
    uint8_t wire[64];
    hws_conn conn = test_conn_open(HWS_ROLE_CLIENT);
    int fd = -1;
    size_t n = 0;
    int i = 0;
    w->serve = serve_with_pause;
    world_listen(w);
    world_go(w);
    fd = raw_connect(w);
    raw_send_text(fd, RAW_REQUEST);
    raw_expect_head(fd, "HTTP/1.1 101 ");
    while (i < 3) {
        assert_int_equal(hws_conn_send(&conn, HWS_BINARY, HWS_WHOLE, (const uint8_t *)"x", 1, wire,
                                       sizeof wire, &n),
                         HWS_OK);
        i++;
    }
    raw_send(fd, wire, n);
    raw_send(fd, wire, n);
    i = 0;
    while (i < 6) {
        raw_expect(fd, "\x82\x01x", 3);
        raw_expect_silence(fd, 10);
        assert_int_equal(w->messages, i + 1);
        world_order(w, &resume);
        i++;
    }
    close(fd);
    world_await(&w->ends, 1);
    world_end(w);
}

static void accept_late(world *w) {
    hws_loop_item item;
    memset(&item, 0, sizeof item);
    item.event.type = HWS_REQUEST;
    item.endpoint = hws_link_endpoint(w->link);
    world_echo(w, &item);
}

static void serve_later(world *w, const hws_loop_item *item) {
    if (item->event.type == HWS_REQUEST) {
        w->link = item->link;
        w->posts++;
        return;
    }
    world_echo(w, item);
}

/* RFC 6455 4.1 forbids to send before the answer, but a stream does not know that. */
static void a_request_may_be_answered_later(void **state) {
    static const order answer = {accept_late};
    world *w = world_new(KIND(state));
    int fd = -1;
    w->serve = serve_later;
    world_listen(w);
    world_go(w);
    fd = raw_connect(w);
    raw_send_text(fd, RAW_REQUEST "\x82\x81");
    world_await(&w->posts, 1);
    raw_send(fd, "\0\0\0\0x", 5);
    raw_expect_silence(fd, 20);
    world_order(w, &answer);
    raw_expect_head(fd, "HTTP/1.1 101 ");
    raw_expect(fd, "\x82\x01x", 3);
    close(fd);
    world_await(&w->ends, 1);
    world_end(w);
}

/* --- HTTP --- */

static void serve_page(world *w, const hws_loop_item *item) {
    const hws_handshake *request = hws_endpoint_request(item->endpoint);
    if (item->event.type == HWS_REQUEST && request->kind == HWS_REQUEST_PLAIN) {
        assert_int_equal(
            hws_endpoint_respond(item->endpoint, 200, NULL, 0, (const uint8_t *)"page", 4), HWS_OK);
        return;
    }
    world_echo(w, item);
}

static void a_plain_request_is_answered_and_the_connection_ends(void **state) {
    world *w = world_new(KIND(state));
    int fd = -1;
    w->serve = serve_page;
    world_listen(w);
    world_go(w);
    fd = raw_connect(w);
    raw_send_text(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    raw_expect_head(fd, "HTTP/1.1 200 ");
    raw_expect(fd, "page", 4);
    raw_expect_end(fd);
    close(fd);
    world_await(&w->ends, 1);
    world_join(w);
    assert_int_equal(w->ended, HWS_OK);
    free(w);
}

static void a_client_above_the_limit_gets_503_and_the_next_is_served(void **state) {
    world *w = world_new(KIND(state));
    peer *first = NULL;
    int fd = -1;
    w->config.max_connections = 1;
    w->config.retry_after_s = 4294967295u;
    world_listen(w);
    world_go(w);
    first = world_connect(w);
    fd = raw_connect(w);
    raw_send_text(fd, RAW_REQUEST);
    raw_expect_head(fd, "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 4294967295\r\n");
    shutdown(fd, SHUT_WR);
    close(fd);
    peer_send(first, "x", 1);
    peer_expect(first, "x", 1);
    peer_close(first);
    world_await(&w->ends, 1);
    peer_close(world_connect(w));
    world_await(&w->ends, 2);
    world_join(w);
    assert_int_equal(w->opens, 2);
    free(w);
}

static void a_handshake_that_takes_too_long_is_ended(void **state) {
    world *w = world_new(KIND(state));
    int fd = -1;
    w->config.server.keepalive.open_timeout_ms = 60;
    w->config.server.keepalive.close_timeout_ms = 60;
    world_listen(w);
    world_go(w);
    fd = raw_connect(w);
    raw_send_text(fd, "GET / HTTP/1.1\r\n");
    world_await(&w->ends, 1);
    world_join(w);
    assert_int_equal(w->ended, HWS_ERR_TIMEOUT);
    close(fd);
    free(w);
}

/* --- ends --- */

static void a_shutdown_closes_with_1001(void **state) {
    static const order stop = {world_stop};
    world *w = world_start(KIND(state));
    peer *p = world_connect(w);
    world_order(w, &stop);
    peer_expect_close(p, HWS_CLOSE_GOING_AWAY);
    peer_close(p);
    assert_int_equal(pthread_join(w->thread, NULL), 0);
    assert_int_equal(w->result, HWS_OK);
    assert_int_equal(w->ends, 1);
    assert_int_equal(w->ended, HWS_OK);
    world_release_all(w);
    free(w);
}

static void a_shutdown_drops_who_does_not_answer_at_its_deadline(void **state) {
    world *w = world_new(KIND(state));
    int64_t start = 0;
    int open = -1;
    int early = -1;
    w->stop_ms = 100;
    world_listen(w);
    world_go(w);
    early = raw_connect(w);
    open = raw_connect(w);
    raw_send_text(open, RAW_REQUEST);
    raw_expect_head(open, "HTTP/1.1 101 ");
    start = peer_now_ms();
    world_join(w);
    assert_in_range(peer_now_ms() - start, 95, 5000);
    assert_int_equal(w->ends, 2);
    close(open);
    close(early);
    free(w);
}

static void a_half_closed_connection_ends_with_eof(void **state) {
    world *w = world_start(KIND(state));
    int fd = raw_connect(w);
    raw_send_text(fd, RAW_REQUEST);
    raw_expect_head(fd, "HTTP/1.1 101 ");
    shutdown(fd, SHUT_WR);
    raw_expect_end(fd);
    close(fd);
    world_await(&w->ends, 1);
    world_join(w);
    assert_int_equal(w->ended, HWS_ERR_EOF);
    assert_int_equal(w->ended_code, HWS_CLOSE_ABNORMAL);
    free(w);
}

static void a_reset_connection_ends_with_the_error_of_the_system(void **state) {
    world *w = world_start(KIND(state));
    int fd = raw_connect(w);
    raw_send_text(fd, RAW_REQUEST);
    raw_expect_head(fd, "HTTP/1.1 101 ");
    raw_reset(fd);
    close(fd);
    world_await(&w->ends, 1);
    world_join(w);
    assert_int_equal(w->ended, HWS_ERR_RESET);
    assert_int_equal(w->ended_error, ECONNRESET);
    free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(messages_of_all_sizes_come_back),
        BOTH(many_messages_in_one_write_come_back_in_order),
        BOTH(a_slow_reader_gets_all_and_the_server_is_told_when),
        BOTH(an_echo_to_who_does_not_read_stays_small),
        BOTH(a_paused_connection_keeps_what_came),
        BOTH(a_request_may_be_answered_later),
        BOTH(a_plain_request_is_answered_and_the_connection_ends),
        BOTH(a_client_above_the_limit_gets_503_and_the_next_is_served),
        BOTH(a_handshake_that_takes_too_long_is_ended),
        BOTH(a_shutdown_closes_with_1001),
        BOTH(a_shutdown_drops_who_does_not_answer_at_its_deadline),
        BOTH(a_half_closed_connection_ends_with_eof),
        BOTH(a_reset_connection_ends_with_the_error_of_the_system),
    };
    alarm(120);
    random_fill(&(uint64_t){3}, large, sizeof large);
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
