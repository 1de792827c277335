/*
 * What loop.h and endpoint.h promise to a program that calls them from inside its events: that it
 * may end, send, connect and shut down there, what is left then, and that mistakes change nothing.
 */
#include "loop_room.h"

#include <signal.h>
#include <sys/resource.h>

static uint8_t lent[300000];

/* --- ends that begin in an event --- */

static void abort_at_open(room *r, const hws_loop_item *item) {
    (void)r;
    if (item->event.type == HWS_REQUEST) {
        accept_any(item->endpoint);
    }
    if (item->event.type == HWS_OPEN) {
        assert_int_equal(say(item->endpoint, "never sent"), HWS_OK);
        assert_int_equal(hws_endpoint_abort(item->endpoint, HWS_ERR_POLICY), HWS_OK);
        assert_int_equal(say(item->endpoint, "too late"), HWS_ERR_STATE);
        assert_int_equal(hws_endpoint_can_send(item->endpoint), 0);
        assert_int_equal(hws_endpoint_queued(item->endpoint), 0);
    }
}

static void a_connection_may_be_aborted_in_its_own_open(void **state) {
    room *r = room_new_open(state);
    r->on_server = abort_at_open;
    room_connect(r);
    room_until(r, &r->ends[0], 1);
    assert_int_equal(r->ended[0], HWS_ERR_POLICY);
    room_until(r, &r->ends[1], 1);
    r->on_server = NULL;
    r->on_client = abort_at_open;
    room_connect(r);
    room_until(r, &r->ends[1], 2);
    assert_int_equal(r->ended[1], HWS_ERR_POLICY);
    room_until(r, &r->ends[0], 2);
    assert_int_equal(r->messages[0] + r->messages[1], 0);
    room_free(r);
}

static void close_at_open(room *r, const hws_loop_item *item) {
    (void)r;
    if (item->event.type == HWS_REQUEST) {
        accept_any(item->endpoint);
        assert_int_equal(say(item->endpoint, "hello"), HWS_OK);
    }
    if (item->event.type == HWS_OPEN) {
        assert_int_equal(hws_endpoint_close(item->endpoint, 4000, NULL, 0), HWS_OK);
        assert_int_equal(hws_endpoint_close(item->endpoint, 4001, NULL, 0), HWS_ERR_STATE);
        assert_int_equal(say(item->endpoint, "too late"), HWS_ERR_STATE);
    }
}

static void what_is_sent_at_once_and_closed_in_open_arrives(void **state) {
    room *r = room_new_open(state);
    r->on_server = close_at_open;
    room_connect(r);
    room_until(r, &r->ends[1], 1);
    room_until(r, &r->ends[0], 1);
    assert_int_equal(r->messages[1], 1);
    assert_int_equal(r->ended_code[1], 4000);
    assert_int_equal(r->ended[0], HWS_OK);
    assert_int_equal(r->ended[1], HWS_OK);
    room_free(r);
}

static void abort_at_request(room *r, const hws_loop_item *item) {
    (void)r;
    if (item->event.type == HWS_REQUEST) {
        hws_endpoint_abort(item->endpoint, HWS_ERR_POLICY);
        assert_null(hws_endpoint_request(item->endpoint));
    }
}

static void a_request_may_be_aborted_and_says_zero_at_its_end(void **state) {
    room *r = room_new_open(state);
    r->on_server = abort_at_request;
    room_connect(r);
    room_until(r, &r->ends[0], 1);
    assert_int_equal(r->ended[0], HWS_ERR_POLICY);
    assert_int_equal(r->ended_code[0], 0);
    room_until(r, &r->ends[1], 1);
    assert_int_equal(r->opens[0] + r->opens[1], 0);
    assert_int_equal(r->ended[1], HWS_ERR_EOF);
    assert_int_equal(r->ended_code[1], 0);
    room_free(r);
}

/* The data of an event lives until the next call of next(), whatever becomes of its connection. */
static void end_while_holding(room *r, const hws_loop_item *item) {
    static const char text[] = "hold me";
    if (item->event.type != HWS_TEXT) {
        world_echo(r->w, item);
        return;
    }
    if (r->messages[0] == 1) {
        hws_endpoint_close_now(item->endpoint, 4000, NULL, 0);
    }
    hws_endpoint_pause(item->endpoint, 1);
    hws_endpoint_abort(item->endpoint, HWS_ERR_CLOSED);
    assert_int_equal(item->event.len, sizeof text - 1);
    assert_memory_equal(item->event.data, text, sizeof text - 1);
}

static void data_outlives_the_end_of_its_connection(void **state) {
    room *r = room_new_open(state);
    hws_endpoint *client = NULL;
    room_pair(r);
    client = hws_link_endpoint(r->links[1]);
    r->on_server = end_while_holding;
    /* In pieces, so that it is put together in memory of the endpoint. */
    hws_endpoint_send(client, HWS_TEXT, HWS_FIRST, (const uint8_t *)"hold", 4);
    hws_endpoint_send(client, HWS_TEXT, HWS_FINAL, (const uint8_t *)" me", 3);
    room_until(r, &r->ends[0], 1);
    room_until(r, &r->ends[1], 1);
    room_free(r);
}

/* At the end the link is there still: it can be asked, and nothing can be done. */
static void ask_at_end(room *r, const hws_loop_item *item) {
    if (item->event.type == HWS_END) {
        hws_endpoint_pause(item->endpoint, 1);
        hws_endpoint_pause(item->endpoint, 0);
        assert_int_equal(say(item->endpoint, "no"), HWS_ERR_STATE);
        assert_int_equal(hws_endpoint_close(item->endpoint, 1000, NULL, 0), HWS_ERR_STATE);
        assert_int_equal(hws_endpoint_close_now(item->endpoint, 1000, NULL, 0), HWS_ERR_STATE);
        assert_int_equal(hws_endpoint_abort(item->endpoint, HWS_ERR_POLICY), HWS_OK);
        assert_int_equal(hws_endpoint_status(item->endpoint), HWS_OK);
        assert_ptr_equal(hws_link_of(item->endpoint), item->link);
        hws_endpoint_trim(item->endpoint);
        r->on_server = NULL;
        return;
    }
    world_echo(r->w, item);
}

static void at_its_end_a_link_can_be_asked_still(void **state) {
    room *r = room_new_open(state);
    r->on_server = ask_at_end;
    room_pair(r);
    hws_endpoint_close(hws_link_endpoint(r->links[1]), 1000, NULL, 0);
    room_until(r, &r->ends[0], 1);
    assert_null(r->on_server);
    room_until(r, &r->ends[1], 1);
    room_settle(r, 20);
    assert_int_equal(r->ends[0], 1);
    room_free(r);
}

/* --- others, from inside an event --- */

static void end_all_others(room *r, const hws_loop_item *item) {
    hws_link *link = NULL;
    if (item->event.type != HWS_TEXT) {
        world_echo(r->w, item);
        return;
    }
    while ((link = hws_loop_link(&r->w->loop, link)) != NULL) {
        if (link != item->link && hws_link_user(link) == NULL) {
            hws_endpoint_abort(hws_link_endpoint(link), HWS_ERR_CLOSED);
        }
    }
    assert_int_equal(say(item->endpoint, "alone"), HWS_OK);
}

/* All of them have a message that waits to be read. */
static void one_connection_may_end_all_others(void **state) {
    enum { COUNT = 20 };
    room *r = room_new_open(state);
    hws_link *link = NULL;
    int i = 0;
    while (i < COUNT) {
        room_pair(r);
        i++;
    }
    r->on_server = end_all_others;
    while ((link = hws_loop_link(&r->w->loop, link)) != NULL) {
        if (hws_link_user(link) == r) {
            say(hws_link_endpoint(link), "me");
        }
    }
    room_until(r, &r->ends[0], COUNT - 1);
    room_until(r, &r->ends[1], COUNT - 1);
    assert_int_equal(r->messages[0], 1);
    assert_int_equal(r->messages[1], 1);
    room_settle(r, 20);
    assert_int_equal(hws_loop_count(&r->w->loop), 2);
    room_free(r);
}

static void connect_again(room *r, const hws_loop_item *item) {
    if (item->event.type == HWS_OPEN) {
        hws_endpoint_close(item->endpoint, HWS_CLOSE_NORMAL, NULL, 0);
    }
    if (item->event.type == HWS_END && r->ends[1] < 10) {
        room_connect(r);
    }
}

static void a_client_connects_again_in_its_own_end(void **state) {
    room *r = room_new_open(state);
    r->on_client = connect_again;
    room_connect(r);
    room_until(r, &r->ends[1], 10);
    while (r->ends[0] < 10) {
        assert_int_equal(room_step(r, LONG_MS), HWS_EVENT);
    }
    room_settle(r, 20);
    assert_int_equal(hws_loop_count(&r->w->loop), 0);
    assert_int_equal(r->opens[0], 10);
    room_free(r);
}

/* --- the end of the loop --- */

static void shut_down_at_message(room *r, const hws_loop_item *item) {
    world_echo(r->w, item);
    if (item->event.type == HWS_TEXT) {
        hws_loop_shutdown(&r->w->loop, LONG_MS);
        hws_loop_shutdown(&r->w->loop, LONG_MS);
    }
}

static void a_loop_may_be_shut_down_in_an_event(void **state) {
    room *r = room_new_open(state);
    room_pair(r);
    room_pair(r);
    r->on_server = shut_down_at_message;
    say(hws_link_endpoint(r->links[1]), "stop");
    room_finish(r);
    assert_int_equal(r->messages[1], 1);
    assert_int_equal(r->ends[0], 2);
    assert_int_equal(r->ends[1], 2);
    assert_int_equal(r->ended_code[1], HWS_CLOSE_GOING_AWAY);
    room_finish(r);
    room_free(r);
}

static void a_loop_without_connections_is_over_at_once(void **state) {
    room *r = room_new_open(state);
    hws_loop_shutdown(&r->w->loop, HWS_FOREVER);
    room_finish(r);
    room_free(r);
}

static void a_shutdown_drops_all_at_once_with_no_time(void **state) {
    room *r = room_new_open(state);
    room_pair(r);
    room_connect(r);
    hws_loop_shutdown(&r->w->loop, 0);
    room_finish(r);
    assert_int_equal(r->ends[0] + r->ends[1] >= 3, 1);
    room_free(r);
}

/* The second call makes it end sooner. */
static void a_second_shutdown_may_be_shorter(void **state) {
    room *r = room_new_open(state);
    int fd = raw_connect(r->w);
    int64_t start = 0;
    raw_send_text(fd, RAW_REQUEST);
    room_until(r, &r->opens[0], 1);
    start = peer_now_ms();
    hws_loop_shutdown(&r->w->loop, LONG_MS);
    room_settle(r, 20);
    hws_loop_shutdown(&r->w->loop, 20);
    room_finish(r);
    assert_in_range(peer_now_ms() - start, 0, 5000);
    assert_int_equal(r->ends[0], 1);
    close(fd);
    room_free(r);
}

static void release_with_all_under_way(void **state) {
    room *r = room_new_open(state);
    hws_endpoint *client = NULL;
    int fd = raw_connect(r->w);
    room_pair(r);
    client = hws_link_endpoint(r->links[1]);
    hws_endpoint_send_ref(client, HWS_BINARY, HWS_WHOLE, lent, sizeof lent);
    hws_endpoint_send(client, HWS_BINARY, HWS_FIRST, lent, sizeof lent);
    room_step(r, 0);
    room_connect(r);
    room_connect(r);
    room_step(r, 0);
    close(fd);
    room_free(r);
}

/* Echoes, pauses in the middle of what was read, and ends some. */
static void do_many_things(room *r, const hws_loop_item *item) {
    world_echo(r->w, item);
    if (item->event.type == HWS_TEXT && r->messages[0] % 3 == 0) {
        hws_endpoint_pause(item->endpoint, 1);
    }
    if (item->event.type == HWS_TEXT && r->messages[0] % 7 == 0) {
        hws_endpoint_abort(item->endpoint, HWS_ERR_POLICY);
    }
}

static void talk(room *r, const hws_loop_item *item) {
    int i = 0;
    while (item->event.type == HWS_OPEN && i < 8) {
        hws_endpoint_send(item->endpoint, HWS_TEXT, HWS_FIRST, (const uint8_t *)"two ", 4);
        hws_endpoint_send(item->endpoint, HWS_TEXT, HWS_FINAL, (const uint8_t *)"pieces", 6);
        i++;
    }
    if (item->event.type == HWS_TEXT && r->messages[1] == 9) {
        hws_endpoint_send_ref(item->endpoint, HWS_BINARY, HWS_WHOLE, lent, sizeof lent);
    }
    if (item->event.type == HWS_END) {
        room_connect(r);
    }
}

static void a_loop_may_be_released_after_each_event(void **state) {
    int stop = 0;
    while (stop < 42) {
        room *r = room_new_open(state);
        int i = 0;
        r->on_server = do_many_things;
        r->on_client = talk;
        while (i < 4) {
            room_connect(r);
            i++;
        }
        i = 0;
        while (i < stop && room_step(r, 50) == HWS_EVENT) {
            i++;
        }
        room_free(r);
        stop++;
    }
}

static void respond_and_shut_down(room *r, const hws_loop_item *item) {
    if (item->event.type == HWS_REQUEST) {
        assert_int_equal(hws_endpoint_respond(item->endpoint, 200, NULL, 0, lent, sizeof lent),
                         HWS_OK);
        hws_loop_shutdown(&r->w->loop, LONG_MS);
    }
}

static void *read_answer(void *arg) {
    static uint8_t body[sizeof lent];
    int fd = *(int *)arg;
    raw_expect_head(fd, "HTTP/1.1 200 ");
    assert_int_equal(raw_read(fd, body, sizeof body), sizeof body);
    raw_expect_end(fd);
    close(fd);
    return NULL;
}

static void an_answer_on_its_way_outlives_a_shutdown(void **state) {
    room *r = room_new_open(state);
    pthread_t thread;
    int fd = raw_connect(r->w);
    raw_send_text(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    r->on_server = respond_and_shut_down;
    assert_int_equal(pthread_create(&thread, NULL, read_answer, &fd), 0);
    room_finish(r);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(r->ended[0], HWS_OK);
    room_free(r);
}

/* Whether it has got an answer, or has asked nothing so far. */
static void a_client_above_the_limit_does_not_hold_a_shutdown(void **state) {
    room *r = room_new(KIND(state));
    int64_t start = 0;
    r->w->config.max_connections = 0;
    room_open(r);
    int fd = raw_connect(r->w);
    room_settle(r, 50);
    start = peer_now_ms();
    hws_loop_shutdown(&r->w->loop, HWS_FOREVER);
    room_finish(r);
    assert_in_range(peer_now_ms() - start, 0, 5000);
    close(fd);
    room_free(r);
}

static void what_was_posted_is_handed_out_before_the_end(void **state) {
    enum { COUNT = 1000 };
    room *r = room_new_open(state);
    uintptr_t i = 0;
    while (i < COUNT) {
        i++;
        assert_int_equal(hws_loop_post(&r->w->loop, (void *)i), HWS_OK);
    }
    hws_loop_shutdown(&r->w->loop, 0);
    room_finish(r);
    assert_int_equal(r->posts, COUNT);
    assert_ptr_equal(r->posted, (void *)i);
    room_free(r);
}

static void try_to_connect_again(room *r, const hws_loop_item *item) {
    hws_link *link = NULL;
    if (item->event.type == HWS_END) {
        assert_int_equal(hws_loop_connect(&r->w->loop, r->w->url, &r->client, NULL, NULL, &link),
                         HWS_ERR_STATE);
        assert_null(link);
    }
}

/* Its server is another loop, which lives on. */
static void nothing_is_opened_after_a_shutdown(void **state) {
    room *r = room_new_open(state);
    world *other = world_start(KIND(state));
    memcpy(r->w->url, other->url, sizeof other->url);
    room_connect(r);
    room_until(r, &r->opens[1], 1);
    r->on_client = try_to_connect_again;
    hws_loop_shutdown(&r->w->loop, LONG_MS);
    assert_int_equal(hws_loop_listen(&r->w->loop, "127.0.0.1", 0), HWS_ERR_STATE);
    assert_int_equal(hws_loop_listen_unix(&r->w->loop, "/tmp/hawser-never.sock"), HWS_ERR_STATE);
    room_finish(r);
    assert_int_equal(r->ends[1], 1);
    assert_int_equal(r->ended_code[1], HWS_CLOSE_GOING_AWAY);
    world_end(other);
    room_free(r);
}

/* --- before and after --- */

static hws_loop alarmed;

static void post_from_handler(int signal_number) {
    (void)signal_number;
    (void)hws_loop_post(&alarmed, NULL);
}

/* A handler is there longer than its loop. */
static void a_handler_may_post_before_and_after_its_loop(void **state) {
    room *r = room_new(KIND(state));
    hws_loop_item item;
    assert_int_equal(hws_loop_post(&alarmed, NULL), HWS_ERR_STATE);
    assert_true(signal(SIGUSR1, post_from_handler) != SIG_ERR);
    raise(SIGUSR1);
    assert_int_equal(hws_loop_init(&alarmed, &r->w->config), HWS_OK);
    raise(SIGUSR1);
    assert_int_equal(hws_loop_next(&alarmed, &item, LONG_MS), HWS_EVENT);
    assert_int_equal(item.event.type, HWS_POSTED);
    hws_loop_release(&alarmed);
    raise(SIGUSR1);
    assert_int_equal(hws_loop_post(&alarmed, NULL), HWS_ERR_STATE);
    (void)signal(SIGUSR1, SIG_DFL);
    room_free(r);
}

/* Why a loop did not start can be asked of it. */
static void the_error_of_a_loop_that_did_not_start_is_told(void **state) {
    room *r = room_new(KIND(state));
    struct rlimit limits;
    struct rlimit none;
    hws_loop loop;
    memset(&loop, 0xAA, sizeof loop);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limits), 0);
    none = limits;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    hws_status status = hws_loop_init(&loop, &r->w->config);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limits), 0);
    assert_int_equal(status, HWS_ERR_SYSTEM);
    assert_int_equal(hws_loop_system_error(&loop), EMFILE);
    hws_loop_release(&loop);
    assert_int_equal(hws_loop_system_error(&loop), 0);
    room_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(a_connection_may_be_aborted_in_its_own_open),
        BOTH(what_is_sent_at_once_and_closed_in_open_arrives),
        BOTH(a_request_may_be_aborted_and_says_zero_at_its_end),
        BOTH(data_outlives_the_end_of_its_connection),
        BOTH(at_its_end_a_link_can_be_asked_still),
        BOTH(one_connection_may_end_all_others),
        BOTH(a_client_connects_again_in_its_own_end),
        BOTH(a_loop_may_be_shut_down_in_an_event),
        BOTH(a_loop_without_connections_is_over_at_once),
        BOTH(a_shutdown_drops_all_at_once_with_no_time),
        BOTH(a_second_shutdown_may_be_shorter),
        BOTH(release_with_all_under_way),
        BOTH(a_loop_may_be_released_after_each_event),
        BOTH(an_answer_on_its_way_outlives_a_shutdown),
        BOTH(a_client_above_the_limit_does_not_hold_a_shutdown),
        BOTH(what_was_posted_is_handed_out_before_the_end),
        BOTH(nothing_is_opened_after_a_shutdown),
        BOTH(a_handler_may_post_before_and_after_its_loop),
        BOTH(the_error_of_a_loop_that_did_not_start_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
