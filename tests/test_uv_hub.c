/*
 * What a hub in a loop of libuv does for all of its connections: posts, broadcasts, the limit,
 * shutting down, streams of the program.
 */
#include "uv_world.h"

/* --- posts -------------------------------------------------------------------------------------
 */

enum { POSTS = 3000 };

static void post_all(void *arg) {
    world *w = arg;
    uintptr_t i = 1;
    while (i <= POSTS) {
        hws_status status = hws_uv_hub_post(w->hub, (void *)i);
        i += status == HWS_OK;
        assert_true(status == HWS_OK || status == HWS_ERR_FULL);
    }
}

static void what_another_thread_posts_arrives(void **state) {
    world *w = world_new();
    uv_thread_t thread;
    (void)state;
    w->config.max_posted = 64;
    world_open(w);
    assert_int_equal(uv_thread_create(&thread, post_all, w), 0);
    world_until(w, &w->posted, POSTS);
    assert_int_equal(uv_thread_join(&thread), 0);
    assert_int_equal(w->posted, POSTS);
    assert_int_equal(w->posted_sum, (uintptr_t)POSTS * (POSTS + 1) / 2);
    world_free(w);
}

static void posts_that_wait_are_delivered_before_the_hub_is_gone(void **state) {
    world *w = world_new();
    uintptr_t i = 1;
    (void)state;
    w->config.max_posted = 4;
    world_open(w);
    while (i <= 4) {
        assert_int_equal(hws_uv_hub_post(w->hub, (void *)i), HWS_OK);
        i++;
    }
    assert_int_equal(hws_uv_hub_post(w->hub, (void *)i), HWS_ERR_FULL);
    hws_uv_hub_close(w->hub, 0);
    assert_int_equal(hws_uv_hub_post(w->hub, (void *)i), HWS_ERR_STATE);
    assert_int_equal(w->posted, 0);
    world_until(w, &w->closed, 1);
    assert_int_equal(w->posted, 4);
    assert_int_equal(w->posted_sum, 10);
    world_free(w);
}

/* --- broadcasts --------------------------------------------------------------------------------
 */

enum { CROWD = 100 };

static void open_crowd(world *w, unsigned count) {
    unsigned i = 0;
    while (i < count) {
        (void)world_connect(w, "ws");
        i++;
    }
    i = 0;
    while (i < count) {
        world_until(w, &w->client[i].seen[HWS_OPEN], 1);
        world_until(w, &w->server[i].seen[HWS_OPEN], 1);
        i++;
    }
}

static hws_prepared *prepare(size_t len) {
    hws_allocator allocator = hws_system_allocator();
    hws_prepared *prepared = NULL;
    uint8_t *data = calloc(1, len);
    assert_non_null(data);
    assert_int_equal(hws_prepared_make(&prepared, &allocator, HWS_BINARY, data, len), HWS_OK);
    free(data);
    return prepared;
}

static void a_broadcast_reaches_all(void **state) {
    world *w = world_new_open();
    hws_prepared *prepared = prepare(1000);
    unsigned i = 0;
    (void)state;
    open_crowd(w, CROWD);
    assert_int_equal(hws_uv_hub_count(w->hub), 2 * CROWD);
    assert_int_equal(hws_uv_hub_broadcast(w->hub, prepared, HWS_SLOW_SKIP), CROWD);
    hws_prepared_release(prepared);
    while (i < CROWD) {
        world_until(w, &w->client[i].seen[HWS_BINARY], 1);
        assert_int_equal(w->client[i].len, 1000);
        i++;
    }
    world_free(w);
}

/* The server that belongs to client 0, which stops reading. */
static side *slow_server(world *w) {
    side *s = &w->client[0];
    unsigned i = 0;
    assert_int_equal(side_send(s, "it is me"), HWS_OK);
    world_until(w, &s->seen[HWS_TEXT], 1);
    hws_endpoint_pause(hws_uv_endpoint(s->ws), 1);
    while (w->server[i].seen[HWS_TEXT] == 0) {
        i++;
    }
    return &w->server[i];
}

/* Broadcast to some that read and one that does not, until he is too slow. */
static side *broadcast_until_slow(world *w, unsigned count, uint8_t slow) {
    hws_prepared *prepared = prepare(400000);
    side *server = slow_server(w);
    unsigned rounds = 0;
    uint32_t got = count;
    while (got == count) {
        got = hws_uv_hub_broadcast(w->hub, prepared, slow);
        rounds++;
        world_until(w, &w->client[1].seen[HWS_BINARY], rounds);
        world_until(w, &w->client[count - 1].seen[HWS_BINARY], rounds);
        assert_true(rounds < 100);
    }
    assert_int_equal(got, count - 1);
    hws_prepared_release(prepared);
    return server;
}

static void one_that_reads_slowly_is_skipped(void **state) {
    world *w = world_new_open();
    side *server = NULL;
    (void)state;
    open_crowd(w, 5);
    server = broadcast_until_slow(w, 5, HWS_SLOW_SKIP);
    hws_endpoint_pause(hws_uv_endpoint(w->client[0].ws), 0);
    world_until(w, &server->seen[HWS_DRAIN], 1);
    assert_int_equal(server->seen[HWS_END], 0);
    world_free(w);
}

static void one_that_reads_slowly_is_closed(void **state) {
    world *w = world_new_open();
    side *server = NULL;
    (void)state;
    open_crowd(w, 5);
    server = broadcast_until_slow(w, 5, HWS_SLOW_CLOSE);
    hws_endpoint_pause(hws_uv_endpoint(w->client[0].ws), 0);
    world_until(w, &w->client[0].seen[HWS_END], 1);
    world_until(w, &server->seen[HWS_END], 1);
    assert_int_equal(w->client[0].close_code, HWS_CLOSE_TRY_LATER);
    assert_int_equal(server->status, HWS_ERR_SLOW);
    world_free(w);
}

static void one_that_reads_slowly_is_dropped(void **state) {
    world *w = world_new_open();
    side *server = NULL;
    (void)state;
    open_crowd(w, 5);
    server = broadcast_until_slow(w, 5, HWS_SLOW_DROP);
    world_until(w, &server->seen[HWS_END], 1);
    assert_int_equal(server->status, HWS_ERR_SLOW);
    world_free(w);
}

/* --- the limit ---------------------------------------------------------------------------------
 */

static void note_refusal(side *s, const hws_event *ev) {
    const uint8_t *bytes = NULL;
    const hws_head *head = hws_endpoint_head(hws_uv_endpoint(s->ws), &bytes);
    if (ev->type == HWS_END && head != NULL) {
        uint32_t i = hws_head_find(head, bytes, hws_text_from("Retry-After"), 0);
        assert_int_equal(head->status, 503);
        assert_true(i < head->header_count);
        assert_memory_equal(hws_span_text(bytes, head->headers[i].value).data, "77", 2);
        s->world->posted++;
    }
}

static void clients_above_the_limit_are_answered_503(void **state) {
    world *w = world_new();
    unsigned i = 0;
    (void)state;
    w->config.max_connections = 3;
    w->config.retry_after_s = 77;
    w->on_client = note_refusal;
    world_open(w);
    open_crowd(w, 3);
    while (i < 5) {
        side *s = world_connect(w, "ws");
        world_until(w, &s->seen[HWS_END], 1);
        assert_int_equal(s->status, HWS_ERR_REFUSED);
        i++;
    }
    assert_int_equal(w->posted, 5);
    assert_int_equal(w->servers, 3);
    assert_int_equal(side_close(&w->client[0], HWS_CLOSE_NORMAL), HWS_OK);
    world_until(w, &w->client[0].seen[HWS_END], 1);
    world_until(w, &world_connect(w, "ws")->seen[HWS_OPEN], 1);
    world_free(w);
}

/* 64 are refused with an answer at a time; these say nothing, and the others are closed. */
static void clients_far_above_the_limit_are_closed(void **state) {
    world *w = world_new();
    unsigned i = 0;
    (void)state;
    w->config.max_connections = 0;
    world_open(w);
    while (i < 120) {
        (void)world_connect(w, "ws");
        i++;
    }
    i = 0;
    while (i < 120) {
        world_until(w, &w->client[i].seen[HWS_END], 1);
        assert_true(w->client[i].status == HWS_ERR_REFUSED || w->client[i].status == HWS_ERR_EOF ||
                    w->client[i].status == HWS_ERR_RESET);
        i++;
    }
    assert_int_equal(w->servers, 0);
    world_free(w);
}

/* The servers of clients that say nothing are above the limit, and none of the program's. */
static void connections_that_are_refused_are_unknown(void **state) {
    world *w = world_new();
    unsigned i = 0;
    uv_tcp_t tcps[3];
    uv_connect_t connects[3];
    struct sockaddr_in address;
    (void)state;
    w->config.max_connections = 0;
    world_open(w);
    assert_int_equal(uv_ip4_addr("127.0.0.1", hws_uv_hub_port(w->hub), &address), 0);
    while (i < 3) {
        assert_int_equal(uv_tcp_init(&w->loop, &tcps[i]), 0);
        assert_int_equal(
            uv_tcp_connect(&connects[i], &tcps[i], (const struct sockaddr *)&address, NULL), 0);
        i++;
    }
    world_run(w, 20);
    assert_int_equal(hws_uv_hub_count(w->hub), 0);
    assert_null(hws_uv_hub_next(w->hub, NULL));
    while (i > 0) {
        i--;
        uv_close((uv_handle_t *)&tcps[i], NULL);
    }
    world_run(w, 20);
    world_free(w);
}

/* --- shutting down -----------------------------------------------------------------------------
 */

static void a_hub_that_closes_says_goodbye(void **state) {
    world *w = world_new_open();
    unsigned i = 0;
    (void)state;
    open_crowd(w, 4);
    assert_int_equal(side_send(&w->server[0], "the last word"), HWS_OK);
    hws_uv_hub_close(w->hub, LONG_MS);
    assert_int_equal(hws_uv_hub_listen(w->hub, "127.0.0.1", 0), HWS_ERR_STATE);
    assert_int_equal(hws_uv_hub_connect(w->hub, "ws://127.0.0.1/", NULL, NULL, NULL),
                     HWS_ERR_STATE);
    world_until(w, &w->closed, 1);
    while (i < 4) {
        assert_int_equal(w->client[i].close_code, HWS_CLOSE_GOING_AWAY);
        assert_int_equal(w->server[i].close_code, HWS_CLOSE_GOING_AWAY);
        assert_int_equal(w->client[i].status | w->server[i].status, HWS_OK);
        i++;
    }
    world_free(w);
}

static void who_does_not_answer_the_goodbye_is_dropped_at_the_deadline(void **state) {
    world *w = world_new_open();
    world *other = world_new_open();
    side *s = world_next_client(other);
    char url[64];
    (void)state;
    world_url(w, url, sizeof url, "ws");
    assert_int_equal(hws_uv_hub_connect(other->hub, url, NULL, s, &s->ws), HWS_OK);
    while (s->seen[HWS_OPEN] == 0) {
        world_run(w, 5);
        world_run(other, 5);
    }
    hws_uv_hub_close(w->hub, 50);
    world_until(w, &w->closed, 1); /* and the other loop does not run */
    assert_int_equal(w->server[0].status, HWS_ERR_TIMEOUT);
    world_free(w);
    world_free(other);
}

static void close_hub(side *s, const hws_event *ev) {
    side_serve(s, ev);
    if (ev->type == HWS_TEXT) {
        hws_uv_hub_close(s->world->hub, 0);
    }
}

static void a_hub_can_be_closed_by_an_event(void **state) {
    world *w = world_new_open();
    (void)state;
    w->on_server = close_hub;
    open_crowd(w, 3);
    assert_int_equal(side_send(&w->client[1], "go"), HWS_OK);
    world_until(w, &w->closed, 1);
    assert_int_equal(w->client[0].status, HWS_ERR_CLOSED);
    world_free(w);
}

static void a_hub_without_work_does_not_hold_the_loop(void **state) {
    world *w = world_new();
    hws_uv_hub *hub = NULL;
    (void)state;
    uv_timer_stop(&w->pulse);
    assert_int_equal(hws_uv_hub_open(&w->loop, &w->config, &hub), HWS_OK);
    assert_int_equal(uv_run(&w->loop, UV_RUN_DEFAULT), 0);
    hws_uv_hub_close(hub, 0);
    assert_int_equal(uv_run(&w->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(w->closed, 1);
    w->closed = 0;
    world_free(w);
}

/* --- streams of the program, and questions -----------------------------------------------------
 */

static unsigned streams_closed;

static void on_stream_closed(uv_stream_t *stream) {
    streams_closed++;
    free(stream);
}

static void accept_by_hand(uv_stream_t *listener, int status) {
    world *w = listener->data;
    uv_pipe_t *pipe = malloc(sizeof *pipe);
    hws_uv *ws = NULL;
    assert_int_equal(status, 0);
    assert_non_null(pipe);
    assert_int_equal(uv_pipe_init(&w->loop, pipe, 0), 0);
    assert_int_equal(uv_accept(listener, (uv_stream_t *)pipe), 0);
    assert_int_equal(hws_uv_hub_accept(w->hub, (uv_stream_t *)pipe, on_stream_closed, &ws), HWS_OK);
    assert_ptr_equal(hws_uv_stream(ws), pipe);
}

static void ask_by_pipe(uv_connect_t *connect, int status) {
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)request, sizeof request - 1);
    assert_int_equal(status, 0);
    assert_int_equal(uv_try_write(connect->handle, &buf, 1), (int)buf.len);
}

static void a_stream_of_the_program_is_served_and_given_back(void **state) {
    world *w = world_new_open();
    uv_pipe_t listener;
    uv_pipe_t client;
    uv_connect_t connect;
    char path[64];
    (void)state;
    streams_closed = 0;
    (void)snprintf(path, sizeof path, "/tmp/hawser-test-uv-%ld", (long)getpid());
    assert_int_equal(uv_pipe_init(&w->loop, &listener, 0), 0);
    listener.data = w;
    assert_int_equal(uv_pipe_bind(&listener, path), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&listener, 4, accept_by_hand), 0);
    assert_int_equal(uv_pipe_init(&w->loop, &client, 0), 0);
    uv_pipe_connect(&connect, &client, path, ask_by_pipe);
    world_until(w, &w->server[0].seen[HWS_REQUEST], 1);
    uv_close((uv_handle_t *)&client, NULL);
    world_until(w, &streams_closed, 1);
    assert_int_equal(w->server[0].seen[HWS_END], 1);
    uv_close((uv_handle_t *)&listener, NULL);
    world_free(w);
}

static void connections_can_be_walked(void **state) {
    world *w = world_new_open();
    hws_uv *ws = NULL;
    unsigned count = 0;
    (void)state;
    open_crowd(w, 3);
    ws = hws_uv_hub_next(w->hub, NULL);
    while (ws != NULL) {
        assert_ptr_equal(hws_uv_get_hub(ws), w->hub);
        ws = hws_uv_hub_next(w->hub, ws);
        count++;
    }
    assert_int_equal(count, 6);
    world_free(w);
}

static void listening_fails_with_the_error_of_libuv(void **state) {
    world *w = world_new_open();
    unsigned i = 1;
    (void)state;
    assert_int_equal(hws_uv_hub_listen(w->hub, "no-such-host.invalid", 0), HWS_ERR_RESOLVE);
    assert_int_equal(hws_uv_hub_listen(w->hub, "127.0.0.1", hws_uv_hub_port(w->hub)),
                     HWS_ERR_SYSTEM);
    assert_int_equal(hws_uv_hub_error(w->hub), UV_EADDRINUSE);
    world_run(w, 10);
    while (i < HWS_UV_MAX_LISTENERS) {
        assert_int_equal(hws_uv_hub_listen(w->hub, "127.0.0.1", 0), HWS_OK);
        i++;
    }
    assert_int_equal(hws_uv_hub_listen(w->hub, "127.0.0.1", 0), HWS_ERR_FULL);
    world_free(w);
}

static void a_configuration_that_is_wrong_opens_no_hub(void **state) {
    world *w = world_new();
    hws_uv_config good = w->config;
    (void)state;
    w->config.on_event = NULL;
    assert_int_equal(hws_uv_hub_open(&w->loop, &w->config, &w->hub), HWS_ERR_ARGUMENT);
    w->config = good;
    w->config.buffer_len = 0;
    assert_int_equal(hws_uv_hub_open(&w->loop, &w->config, &w->hub), HWS_ERR_ARGUMENT);
    w->config = good;
    w->config.server.role = HWS_ROLE_CLIENT;
    assert_int_equal(hws_uv_hub_open(&w->loop, &w->config, &w->hub), HWS_ERR_ARGUMENT);
    w->config = good;
    w->config.client.max_head = 0;
    assert_int_equal(hws_uv_hub_open(&w->loop, &w->config, &w->hub), HWS_ERR_ARGUMENT);
    assert_null(w->hub);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_another_thread_posts_arrives),
        cmocka_unit_test(posts_that_wait_are_delivered_before_the_hub_is_gone),
        cmocka_unit_test(a_broadcast_reaches_all),
        cmocka_unit_test(one_that_reads_slowly_is_skipped),
        cmocka_unit_test(one_that_reads_slowly_is_closed),
        cmocka_unit_test(one_that_reads_slowly_is_dropped),
        cmocka_unit_test(clients_above_the_limit_are_answered_503),
        cmocka_unit_test(clients_far_above_the_limit_are_closed),
        cmocka_unit_test(connections_that_are_refused_are_unknown),
        cmocka_unit_test(a_hub_that_closes_says_goodbye),
        cmocka_unit_test(who_does_not_answer_the_goodbye_is_dropped_at_the_deadline),
        cmocka_unit_test(a_hub_can_be_closed_by_an_event),
        cmocka_unit_test(a_hub_without_work_does_not_hold_the_loop),
        cmocka_unit_test(a_stream_of_the_program_is_served_and_given_back),
        cmocka_unit_test(connections_can_be_walked),
        cmocka_unit_test(listening_fails_with_the_error_of_libuv),
        cmocka_unit_test(a_configuration_that_is_wrong_opens_no_hub),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
