/*
 * The loop and blocking connections as servers: what was good before a fault is answered, and
 * nothing behind it is, however the stream was cut, with a filter and without.
 */
#include "loop_world.h"
#include "strict.h"

typedef struct setup {
    const uint8_t *kind; /* of the loop */
    uint8_t filtered;
    uint8_t narrow; /* the filter is */
} setup;

/* --- the loop --- */

static void expect_end_of_link(void *user, const strict_row *row) {
    world *w = user;
    world_await(&w->ends, w->opens);
    assert_int_equal(w->ended, row->status);
}

static void a_loop_answers_what_came_before_a_fault(const setup *s, const strict_row *row) {
    world *w = world_new(*s->kind);
    toy kind;
    strict_filter(&kind, s->narrow);
    w->config.filter = s->filtered ? &kind.table : NULL;
    world_listen(w);
    world_go(w);
    strict_run_all(hws_loop_port(&w->loop), s->filtered, row, expect_end_of_link, w);
    world_end(w);
    assert_int_equal(kind.made, 0);
}

/* --- blocking --- */

/* A server of one connection after the other. */
typedef struct host {
    peer peer;
    hws_listener listener;
    pthread_t thread;
    atomic_int ends;
    int expected; /* ends */
    hws_status ended;
} host;

static hws_status echo_to_the_end(hws_blocking *ws) {
    uint8_t buffer[STRICT_BYTES];
    hws_message message;
    hws_event ev;
    hws_status status = HWS_EVENT;
    hws_message_init(&message, buffer, sizeof buffer);
    while (status >= 0) {
        status = hws_blocking_receive_message(ws, &message, &ev, LONG_MS);
        if (status == HWS_EVENT && ev.type == HWS_TEXT) {
            status = hws_blocking_send(ws, ev.type, HWS_WHOLE, ev.data, ev.len, LONG_MS);
        }
    }
    return status;
}

/* Until the listener is told to end by a connection that says nothing. */
static void *serve_one_by_one(void *arg) {
    host *h = arg;
    intptr_t socket = -1;
    hws_handshake handshake;
    hws_accept_config accept;
    hws_accept_config_init(&accept);
    accept.origin.kind = HWS_ORIGIN_SAME;
    for (;;) {
        assert_int_equal(hws_listener_accept(&h->listener, &socket, LONG_MS), HWS_OK);
        if (hws_blocking_read_request(&h->peer.ws, socket, &h->peer.config, &handshake) != HWS_OK) {
            hws_blocking_release(&h->peer.ws);
            return NULL;
        }
        assert_int_equal(hws_blocking_accept(&h->peer.ws, &accept), HWS_OK);
        h->ended = echo_to_the_end(&h->peer.ws);
        hws_blocking_release(&h->peer.ws);
        h->ends++;
    }
}

static void expect_end_of_host(void *user, const strict_row *row) {
    host *h = user;
    h->expected++;
    world_await(&h->ends, h->expected);
    assert_int_equal(h->ended, row->status);
}

static void host_end(host *h) {
    close(strict_connect(hws_listener_port(&h->listener)));
    assert_int_equal(pthread_join(h->thread, NULL), 0);
    hws_listener_release(&h->listener);
    free(h);
}

static void a_blocking_server_answers_what_came_before_a_fault(const setup *s,
                                                               const strict_row *row) {
    host *h = calloc(1, sizeof *h);
    toy kind;
    assert_non_null(h);
    strict_filter(&kind, s->narrow);
    peer_init(&h->peer, PEER_MEMORY);
    h->peer.config.filter = s->filtered ? &kind.table : NULL;
    assert_int_equal(hws_listener_open(&h->listener, "127.0.0.1", 0), HWS_OK);
    assert_int_equal(pthread_create(&h->thread, NULL, serve_one_by_one, h), 0);
    strict_run_all(hws_listener_port(&h->listener), s->filtered, row, expect_end_of_host, h);
    host_end(h);
    assert_int_equal(kind.made, 0);
}

/* --- all of them --- */

typedef void (*check)(const setup *s, const strict_row *row);

static void run_rows(check function, const setup *s) {
    size_t i = 0;
    while (i < STRICT_ROWS) {
        strict_say(&strict_rows[i]);
        function(s, &strict_rows[i]);
        i++;
    }
}

static void loop_rows(void **state) {
    run_rows(a_loop_answers_what_came_before_a_fault, *state);
}

static void blocking_rows(void **state) {
    run_rows(a_blocking_server_answers_what_came_before_a_fault, *state);
}

int main(void) {
    static setup polls[] = {{&kind_poll, 0, 0}, {&kind_poll, 1, 0}, {&kind_poll, 1, 1}};
    static setup epolls[] = {{&kind_epoll, 0, 0}, {&kind_epoll, 1, 0}, {&kind_epoll, 1, 1}};
    static setup others[] = {{NULL, 0, 0}, {NULL, 1, 0}, {NULL, 1, 1}};
    const struct CMUnitTest tests[] = {
        {"a loop with poll()", loop_rows, NULL, NULL, &polls[0]},
        {"a loop with poll() and a filter", loop_rows, NULL, NULL, &polls[1]},
        {"a loop with poll() and a narrow filter", loop_rows, NULL, NULL, &polls[2]},
        {"a loop with epoll", loop_rows, NULL, NULL, &epolls[0]},
        {"a loop with epoll and a filter", loop_rows, NULL, NULL, &epolls[1]},
        {"a loop with epoll and a narrow filter", loop_rows, NULL, NULL, &epolls[2]},
        {"a blocking server", blocking_rows, NULL, NULL, &others[0]},
        {"a blocking server with a filter", blocking_rows, NULL, NULL, &others[1]},
        {"a blocking server with a narrow filter", blocking_rows, NULL, NULL, &others[2]},
    };
    alarm(150);
    return cmocka_run_group_tests_name("adapter_strict", tests, NULL, NULL);
}
