/*
 * A loop as a whole: many connections, what is posted, what it listens on, and mistakes.
 */
#include "loop_world.h"

#include <signal.h>
#include <sys/stat.h>

static void a_broadcast(world *w) {
    hws_prepared *news = NULL;
    assert_int_equal(hws_prepared_make(&news, &w->config.server.allocator, HWS_BINARY,
                                       (const uint8_t *)"news", 4),
                     HWS_OK);
    assert_int_equal(hws_loop_broadcast(&w->loop, news, HWS_SLOW_SKIP), w->opens - w->ends);
    hws_prepared_release(news);
}

static void a_broadcast_reaches_all_that_are_open(void **state) {
    enum { COUNT = 100 };
    static const order send = {a_broadcast};
    peer *peers[COUNT];
    world *w = world_start(KIND(state));
    int unopened = raw_connect(w);
    int i = 0;
    while (i < COUNT) {
        peers[i] = world_connect(w);
        i++;
    }
    world_await(&w->opens, COUNT);
    world_order(w, &send);
    while (i > 0) {
        i--;
        peer_expect(peers[i], "news", 4);
        peer_close(peers[i]);
    }
    world_await(&w->ends, COUNT);
    world_order(w, &send);
    close(unopened);
    world_end(w);
}

/* --- links --- */

static void walk(world *w) {
    hws_link *link = NULL;
    uintptr_t count = 0;
    while ((link = hws_loop_link(&w->loop, link)) != NULL) {
        hws_endpoint *endpoint = hws_link_endpoint(link);
        assert_ptr_equal(hws_link_of(endpoint), link);
        assert_null(hws_link_filter_state(link));
        assert_true(hws_link_socket(link) >= 0);
        assert_ptr_equal(hws_link_user(link), NULL);
        count++;
        hws_link_set_user(link, (void *)count);
        assert_ptr_equal(hws_link_user(link), (void *)count);
        hws_link_set_user(link, NULL);
    }
    assert_int_equal(count, hws_loop_count(&w->loop));
    w->posts += (int)count;
}

static void all_connections_can_be_walked(void **state) {
    static const order look = {walk};
    world *w = world_start(KIND(state));
    peer *first = world_connect(w);
    peer *second = world_connect(w);
    world_order(w, &look);
    world_await(&w->posts, 2);
    peer_close(first);
    world_await(&w->ends, 1);
    world_order(w, &look);
    world_await(&w->posts, 3);
    peer_close(second);
    world_end(w);
}

/* --- posts --- */

static void *post_many(void *arg) {
    world *w = arg;
    int i = 0;
    while (i < 1000) {
        hws_status status = hws_loop_post(&w->loop, (void *)(uintptr_t)&world_mark);
        assert_true(status == HWS_OK || status == HWS_ERR_FULL);
        i += status == HWS_OK;
    }
    return NULL;
}

static void what_threads_post_comes_once_each(void **state) {
    world *w = world_start(KIND(state));
    pthread_t threads[4];
    int i = 0;
    while (i < 4) {
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, w), 0);
        i++;
    }
    while (i > 0) {
        i--;
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    world_await(&w->posts, 4000);
    world_end(w);
}

static world *of_handler;

static void post_by_signal(int number) {
    (void)number;
    (void)hws_loop_post(&of_handler->loop, (void *)(uintptr_t)&world_mark);
}

/* The signal comes to the very thread that waits, and interrupts it. */
static void what_a_signal_handler_posts_comes(void **state) {
    struct sigaction action;
    world *w = world_start(KIND(state));
    int i = 0;
    memset(&action, 0, sizeof action);
    action.sa_handler = post_by_signal;
    of_handler = w;
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
    while (i < 100) {
        assert_int_equal(pthread_kill(w->thread, SIGUSR1), 0);
        i++;
        world_await(&w->posts, i);
    }
    world_end(w);
}

static void too_many_posts_are_refused_and_none_is_lost(void **state) {
    world *w = world_new(KIND(state));
    hws_loop_item item;
    uintptr_t count = 0;
    uintptr_t i = 0;
    world_listen(w);
    while (hws_loop_post(&w->loop, (void *)(count + 1)) == HWS_OK) {
        count++;
    }
    assert_in_range(count, 1000, 1000000);
    assert_int_equal(hws_loop_post(&w->loop, NULL), HWS_ERR_FULL);
    while (i < count) {
        assert_int_equal(hws_loop_next(&w->loop, &item, 0), HWS_EVENT);
        assert_int_equal(item.event.type, HWS_POSTED);
        assert_ptr_equal(item.posted, (void *)(i + 1));
        assert_null(item.link);
        assert_null(item.endpoint);
        i++;
    }
    assert_int_equal(hws_loop_next(&w->loop, &item, 0), HWS_ERR_TIMEOUT);
    world_release_all(w);
    free(w);
}

/* Somebody who posts all the time keeps nobody waiting. */
static void a_flood_of_posts_does_not_starve_a_connection(void **state) {
    world *w = world_new(KIND(state));
    hws_loop_item item;
    int fd = -1;
    int i = 0;
    world_listen(w);
    fd = raw_connect(w);
    raw_send_text(fd, RAW_REQUEST);
    while (w->opens == 0) {
        assert_true(i < 1000);
        assert_int_equal(hws_loop_post(&w->loop, NULL), HWS_OK);
        assert_int_equal(hws_loop_next(&w->loop, &item, LONG_MS), HWS_EVENT);
        if (item.event.type != HWS_POSTED) {
            world_note(w, &item);
            world_echo(w, &item);
        }
        i++;
    }
    close(fd);
    world_release_all(w);
    free(w);
}

/* --- where it listens --- */

static void a_unix_socket_is_listened_on_and_removed(void **state) {
    world *w = world_new(KIND(state));
    struct stat info;
    char path[64];
    peer p;
    snprintf(path, sizeof path, "/tmp/hawser-loop-%ld.sock", (long)getpid());
    assert_int_equal(hws_loop_init(&w->loop, &w->config), HWS_OK);
    assert_int_equal(hws_loop_listen_unix(&w->loop, path), HWS_OK);
    assert_int_equal(hws_loop_port(&w->loop), 0);
    world_go(w);
    peer_init(&p, PEER_MEMORY);
    p.config.unix_path = path;
    assert_int_equal(hws_blocking_connect(&p.ws, "ws://a/", &p.config, NULL), HWS_OK);
    peer_send(&p, "x", 1);
    peer_expect(&p, "x", 1);
    assert_int_equal(hws_blocking_close(&p.ws, HWS_CLOSE_NORMAL, NULL, 0), HWS_OK);
    hws_blocking_release(&p.ws);
    world_end(w);
    assert_int_equal(stat(path, &info), -1);
}

static void a_loop_listens_on_eight_addresses(void **state) {
    world *w = world_new(KIND(state));
    uint16_t port = 0;
    int i = 1;
    world_listen(w);
    port = hws_loop_port(&w->loop);
    while (i < 8) {
        assert_int_equal(hws_loop_listen(&w->loop, "127.0.0.1", 0), HWS_OK);
        i++;
    }
    assert_int_equal(hws_loop_listen(&w->loop, "127.0.0.1", 0), HWS_ERR_FULL);
    assert_int_equal(hws_loop_listen_unix(&w->loop, "/tmp/x"), HWS_ERR_FULL);
    assert_int_equal(hws_loop_port(&w->loop), port);
    world_release_all(w);
    free(w);
}

static void a_port_is_shared_by_wish_alone(void **state) {
    world *first = world_new(KIND(state));
    world *second = world_new(KIND(state));
    world_listen(first);
    assert_int_equal(hws_loop_init(&second->loop, &second->config), HWS_OK);
    assert_int_equal(hws_loop_listen(&second->loop, "127.0.0.1", hws_loop_port(&first->loop)),
                     HWS_ERR_SYSTEM);
    assert_int_equal(hws_loop_system_error(&second->loop), EADDRINUSE);
    world_release_all(first);
    world_release_all(second);
    first->config.shared_port = second->config.shared_port = 1;
    world_listen(first);
    assert_int_equal(hws_loop_init(&second->loop, &second->config), HWS_OK);
    assert_int_equal(hws_loop_listen(&second->loop, "127.0.0.1", hws_loop_port(&first->loop)),
                     HWS_OK);
    world_release_all(first);
    world_release_all(second);
    free(first);
    free(second);
}

/* --- time, and mistakes --- */

static void waiting_ends_in_time(void **state) {
    world *w = world_new(KIND(state));
    hws_loop_item item;
    int64_t start = 0;
    world_listen(w);
    start = peer_now_ms();
    assert_int_equal(hws_loop_next(&w->loop, &item, 0), HWS_ERR_TIMEOUT);
    assert_int_equal(hws_loop_next(&w->loop, &item, 30), HWS_ERR_TIMEOUT);
    assert_in_range(peer_now_ms() - start, 30, 5000);
    assert_in_range(hws_loop_now(&w->loop), (uint64_t)start + 30, (uint64_t)start + 5000);
    hws_loop_shutdown(&w->loop, HWS_FOREVER);
    assert_int_equal(hws_loop_next(&w->loop, &item, HWS_FOREVER), HWS_OK);
    assert_int_equal(hws_loop_next(&w->loop, &item, HWS_FOREVER), HWS_OK);
    assert_int_equal(hws_loop_port(&w->loop), 0);
    world_release_all(w);
    free(w);
}

static void a_wrong_configuration_is_refused(void **state) {
    hws_loop loop = {0};
    world *w = world_new(KIND(state));
    const hws_loop_config good = w->config;
    int i = 0;
    while (i < 7) {
        hws_loop_config config = good;
        config.size -= i == 0;
        config.kind = i == 1 ? 3 : config.kind;
        config.buffer_len = i == 2 ? 0 : config.buffer_len;
        config.server.role = i == 3 ? HWS_ROLE_CLIENT : config.server.role;
        config.server.low_water = i == 4 ? config.server.high_water + 1 : config.server.low_water;
        config.backlog = i == 5 ? 0 : config.backlog;
        config.server.allocator.alloc = i == 6 ? NULL : config.server.allocator.alloc;
        assert_int_equal(hws_loop_init(&loop, &config), HWS_ERR_ARGUMENT);
        hws_loop_release(&loop);
        i++;
    }
    assert_int_equal(w->blocks, 0);
    free(w);
}

/* What a quiet connection costs beside its endpoint. */
static void an_idle_connection_holds_its_link_alone(void **state) {
    world *w = world_new(KIND(state));
    long before = 0;
    peer *p = NULL;
    world_listen(w);
    world_go(w);
    peer_close(world_connect(w)); /* the heap and the array of poll() have room now */
    world_await(&w->ends, 1);
    world_order(w, &world_mark);
    world_await(&w->posts, 1);
    before = w->bytes;
    p = world_connect(w);
    peer_send(p, "x", 1);
    peer_expect(p, "x", 1);
    world_order(w, &world_mark);
    world_await(&w->posts, 2);
    assert_in_range(w->bytes - before, 1, (long)sizeof(hws_endpoint) + 112);
    peer_close(p);
    world_end(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(a_broadcast_reaches_all_that_are_open),
        BOTH(all_connections_can_be_walked),
        BOTH(what_threads_post_comes_once_each),
        BOTH(what_a_signal_handler_posts_comes),
        BOTH(too_many_posts_are_refused_and_none_is_lost),
        BOTH(a_flood_of_posts_does_not_starve_a_connection),
        BOTH(a_unix_socket_is_listened_on_and_removed),
        BOTH(a_loop_listens_on_eight_addresses),
        BOTH(a_port_is_shared_by_wish_alone),
        BOTH(waiting_ends_in_time),
        BOTH(a_wrong_configuration_is_refused),
        BOTH(an_idle_connection_holds_its_link_alone),
    };
    alarm(120);
    return cmocka_run_group_tests_name("loop_many", tests, NULL, NULL);
}
