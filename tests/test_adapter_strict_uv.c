/*
 * libuv as a server: as test_adapter_strict.c, whose streams it gets. The loop runs in a thread of
 * its own, for the client is one that waits.
 */
#include "strict.h"

#include <hawser/uv.h>

#include <signal.h>
#include <stdatomic.h>
#include <uv.h>

typedef struct world {
    uv_loop_t loop;
    hws_uv_config config;
    hws_uv_hub *hub;
    pthread_t thread;
    toy kind;
    atomic_int ends;
    int expected;     /* ends */
    hws_status ended; /* of the last connection */
} world;

static void serve(hws_uv *ws, const hws_event *ev) {
    world *w = hws_uv_hub_user(hws_uv_get_hub(ws));
    hws_endpoint *ep = hws_uv_endpoint(ws);
    hws_accept_config accept;
    if (ev->type == HWS_REQUEST) {
        hws_accept_config_init(&accept);
        accept.origin.kind = HWS_ORIGIN_SAME;
        (void)hws_endpoint_accept(ep, &accept);
    }
    if (ev->type == HWS_TEXT) {
        (void)hws_endpoint_send(ep, ev->type, HWS_WHOLE, ev->data, ev->len);
    }
    if (ev->type == HWS_END) {
        w->ended = hws_endpoint_status(ep);
        w->ends++;
    }
}

static void stop(hws_uv_hub *hub, void *posted) {
    (void)posted;
    hws_uv_hub_close(hub, LONG_MS);
}

static void *run(void *arg) {
    world *w = arg;
    assert_int_equal(uv_run(&w->loop, UV_RUN_DEFAULT), 0);
    return NULL;
}

static world *world_start(uint8_t filtered, uint8_t narrow) {
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    strict_filter(&w->kind, narrow);
    assert_int_equal(uv_loop_init(&w->loop), 0);
    hws_uv_config_init(&w->config);
    w->config.on_event = serve;
    w->config.on_posted = stop;
    w->config.user = w;
    w->config.server_filter = filtered ? &w->kind.table : NULL;
    assert_int_equal(hws_uv_hub_open(&w->loop, &w->config, &w->hub), HWS_OK);
    assert_int_equal(hws_uv_hub_listen(w->hub, "127.0.0.1", 0), HWS_OK);
    return w;
}

static void world_end(world *w) {
    assert_int_equal(hws_uv_hub_post(w->hub, NULL), HWS_OK);
    assert_int_equal(pthread_join(w->thread, NULL), 0);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    assert_int_equal(w->kind.made, 0);
    free(w);
}

static void expect_end(void *user, const strict_row *row) {
    world *w = user;
    int64_t end = peer_now_ms() + LONG_MS;
    w->expected++;
    while (w->ends < w->expected && peer_now_ms() < end) {
        peer_nap_ms(1);
    }
    assert_int_equal(w->ends, w->expected);
    assert_int_equal(w->ended, row->status);
}

static void run_rows(uint8_t filtered, uint8_t narrow) {
    world *w = world_start(filtered, narrow);
    uint16_t port = hws_uv_hub_port(w->hub);
    size_t i = 0;
    assert_int_equal(pthread_create(&w->thread, NULL, run, w), 0);
    while (i < STRICT_ROWS) {
        strict_say(&strict_rows[i]);
        strict_run_all(port, filtered, &strict_rows[i], expect_end, w);
        i++;
    }
    world_end(w);
}

static void it_answers_what_came_before_a_fault(void **state) {
    (void)state;
    run_rows(0, 0);
}

static void with_a_filter_it_does(void **state) {
    (void)state;
    run_rows(1, 0);
}

static void with_a_narrow_filter_it_does(void **state) {
    (void)state;
    run_rows(1, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_answers_what_came_before_a_fault),
        cmocka_unit_test(with_a_filter_it_does),
        cmocka_unit_test(with_a_narrow_filter_it_does),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* libuv leaves that to programs */
    alarm(150);
    return cmocka_run_group_tests_name("adapter_strict_uv", tests, NULL, NULL);
}
