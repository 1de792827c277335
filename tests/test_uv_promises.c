/*
 * What uv.h promises to a program that calls it from inside its callbacks: that none of them runs
 * inside a call, that a hub may be closed, opened and posted to there, and that mistakes change
 * nothing.
 */
#include "uv_world.h"

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* --- callbacks and calls --- */

static unsigned events_of(const side *s) {
    unsigned sum = 0;
    unsigned i = 0;
    while (i < EVENT_TYPES) {
        sum += s->seen[i];
        i++;
    }
    return sum;
}

static void no_call_runs_a_callback(void **state) {
    world *w = world_new_open();
    side *first = world_pair(w);
    side *second = world_pair(w);
    unsigned before = events_of(first);
    (void)state;
    assert_int_equal(side_send(first, "hello"), HWS_OK);
    assert_int_equal(hws_endpoint_abort(hws_uv_endpoint(first->ws), HWS_ERR_CLOSED), HWS_OK);
    assert_int_equal(hws_endpoint_close_now(hws_uv_endpoint(second->ws), 1000, NULL, 0), HWS_OK);
    assert_int_equal(hws_uv_hub_post(w->hub, NULL), HWS_OK);
    (void)world_connect(w, "ws");
    hws_uv_hub_close(w->hub, 0);
    assert_int_equal(events_of(first), before);
    assert_int_equal(events_of(&w->client[2]), 0);
    assert_int_equal(w->closed, 0);
    assert_int_equal(w->posted, 0);
    world_until(w, &w->closed, 1);
    assert_int_equal(first->seen[HWS_END], 1);
    assert_int_equal(w->client[2].seen[HWS_END], 1);
    assert_int_equal(w->posted, 1);
    world_free(w);
}

static void abort_at_open(side *s, const hws_event *ev) {
    if (ev->type == HWS_OPEN) {
        assert_int_equal(hws_endpoint_abort(hws_uv_endpoint(s->ws), HWS_ERR_POLICY), HWS_OK);
        assert_int_equal(side_send(s, "too late"), HWS_ERR_STATE);
    }
}

static void a_connection_may_be_aborted_in_its_own_open(void **state) {
    world *w = world_new_open();
    side *s = world_connect(w, "ws");
    (void)state;
    w->on_client = abort_at_open;
    world_until(w, &s->seen[HWS_END], 1);
    assert_int_equal(s->status, HWS_ERR_POLICY);
    assert_int_equal(s->close_code, HWS_CLOSE_ABNORMAL);
    world_free(w);
}

/* It is there until the call returns. */
static void look_at_end(side *s, const hws_event *ev) {
    hws_uv *ws = NULL;
    unsigned found = 0;
    if (ev->type != HWS_END) {
        return;
    }
    while ((ws = hws_uv_hub_next(s->world->hub, ws)) != NULL) {
        found += ws == s->ws;
    }
    assert_int_equal(found, 1);
    assert_int_equal(side_send(s, "no"), HWS_ERR_STATE);
    assert_int_equal(side_close(s, 1000), HWS_ERR_STATE);
    assert_int_equal(hws_endpoint_abort(hws_uv_endpoint(s->ws), HWS_ERR_POLICY), HWS_OK);
}

static void at_its_end_a_connection_can_be_asked_still(void **state) {
    world *w = world_new_open();
    side *s = world_pair(w);
    (void)state;
    w->on_client = look_at_end;
    assert_int_equal(side_close(s, 1000), HWS_OK);
    world_until(w, &s->seen[HWS_END], 1);
    assert_int_equal(s->status, HWS_OK);
    world_free(w);
}

static unsigned again;

static void connect_again(side *s, const hws_event *ev) {
    world *w = s->world;
    char url[64];
    side *next = NULL;
    hws_status status = HWS_OK;
    if (ev->type != HWS_END) {
        return;
    }
    next = world_next_client(w);
    world_url(w, url, sizeof url, "ws");
    status = hws_uv_hub_connect(w->hub, url, NULL, next, &next->ws);
    if (status == HWS_OK) {
        again++;
        return;
    }
    assert_int_equal(status, HWS_ERR_STATE);
    assert_null(next->ws);
}

/* Until its hub closes: that comes to an end all the same. */
static void a_client_connects_again_in_its_own_end(void **state) {
    world *w = world_new_open();
    side *s = world_pair(w);
    (void)state;
    again = 0;
    w->on_client = connect_again;
    (void)hws_endpoint_abort(hws_uv_endpoint(s->ws), HWS_ERR_CLOSED);
    world_until(w, &w->client[1].seen[HWS_OPEN], 1);
    hws_uv_hub_close(w->hub, HWS_UV_FOREVER);
    assert_int_equal(hws_uv_hub_listen(w->hub, "127.0.0.1", 0), HWS_ERR_STATE);
    world_until(w, &w->closed, 1);
    assert_int_equal(again, 1);
    assert_int_equal(w->client[1].close_code, HWS_CLOSE_GOING_AWAY);
    world_free(w);
}

/* --- data in hand --- */

static void end_all_while_holding(side *s, const hws_event *ev) {
    if (ev->type != HWS_TEXT) {
        side_serve(s, ev);
        return;
    }
    hws_uv_hub_close(s->world->hub, 0);
    assert_int_equal(hws_endpoint_abort(hws_uv_endpoint(s->ws), HWS_ERR_CLOSED), HWS_OK);
    assert_int_equal(ev->len, 7);
    assert_memory_equal(ev->data, "hold me", 7);
}

/* In pieces, so that it is put together in memory of the endpoint. */
static void data_outlives_the_end_of_its_connection(void **state) {
    world *w = world_new_open();
    side *s = world_pair(w);
    hws_endpoint *ep = hws_uv_endpoint(s->ws);
    (void)state;
    w->on_server = end_all_while_holding;
    (void)hws_endpoint_send(ep, HWS_TEXT, HWS_FIRST, (const uint8_t *)"hold", 4);
    (void)hws_endpoint_send(ep, HWS_TEXT, HWS_FINAL, (const uint8_t *)" me", 3);
    world_until(w, &w->closed, 1);
    assert_int_equal(w->server[0].seen[HWS_TEXT], 1);
    world_free(w);
}

/* --- posts --- */

static unsigned accepted_posts;

static void post_more(hws_uv_hub *hub, void *posted) {
    world *w = hws_uv_hub_user(hub);
    uintptr_t number = (uintptr_t)posted;
    w->posted++;
    assert_int_equal(number, w->posted); /* in order */
    if (number < 10) {
        accepted_posts += hws_uv_hub_post(hub, (void *)(number + 1)) == HWS_OK;
    }
}

static void a_post_may_post(void **state) {
    world *w = world_new();
    (void)state;
    w->config.on_posted = post_more;
    world_open(w);
    accepted_posts = hws_uv_hub_post(w->hub, (void *)1) == HWS_OK;
    world_until(w, &w->posted, 10);
    assert_int_equal(accepted_posts, 10);
    world_free(w);
}

static void post_at_end(side *s, const hws_event *ev) {
    if (ev->type == HWS_END) {
        accepted_posts += hws_uv_hub_post(s->world->hub, (void *)1) == HWS_OK;
    }
}

static void what_is_posted_at_the_last_end_is_delivered(void **state) {
    world *w = world_new_open();
    (void)state;
    accepted_posts = 0;
    (void)world_pair(w);
    w->on_client = post_at_end;
    w->on_server = post_at_end;
    hws_uv_hub_close(w->hub, HWS_UV_FOREVER);
    world_until(w, &w->closed, 1);
    assert_int_equal(accepted_posts, 2);
    assert_int_equal(w->posted, accepted_posts);
    world_free(w);
}

static void close_when_posted(hws_uv_hub *hub, void *posted) {
    world *w = hws_uv_hub_user(hub);
    w->posted++;
    (void)posted;
    hws_uv_hub_close(hub, 0);
    hws_uv_hub_close(hub, 0);
}

static void a_post_may_close_its_hub(void **state) {
    world *w = world_new();
    (void)state;
    w->config.on_posted = close_when_posted;
    world_open(w);
    (void)world_pair(w);
    assert_int_equal(hws_uv_hub_post(w->hub, NULL), HWS_OK);
    assert_int_equal(hws_uv_hub_post(w->hub, NULL), HWS_OK);
    world_until(w, &w->closed, 1);
    assert_int_equal(w->posted, 2);
    world_free(w);
}

/* --- hubs --- */

static hws_uv_hub *next_hub;
static unsigned next_closed;

static void on_next_closed(void *user) {
    (void)user;
    next_closed++;
}

static void open_another(void *user) {
    world *w = user;
    hws_uv_config config = w->config;
    w->closed++;
    config.on_closed = on_next_closed;
    assert_int_equal(hws_uv_hub_open(&w->loop, &config, &next_hub), HWS_OK);
    assert_int_equal(hws_uv_hub_listen(next_hub, "127.0.0.1", 0), HWS_OK);
}

static void when_a_hub_is_gone_another_may_be_opened(void **state) {
    world *w = world_new();
    (void)state;
    w->config.on_closed = open_another;
    world_open(w);
    (void)world_pair(w);
    hws_uv_hub_close(w->hub, LONG_MS);
    world_until(w, &w->closed, 1);
    next_closed = 0;
    hws_uv_hub_close(next_hub, 0);
    world_until(w, &next_closed, 1);
    world_free(w);
}

/* What one hub does is nothing to the other. */
static void two_hubs_share_a_loop(void **state) {
    world *w = world_new_open();
    side *s = NULL;
    char url[64];
    hws_uv_config config = w->config;
    (void)state;
    next_closed = 0;
    config.on_closed = on_next_closed;
    assert_int_equal(hws_uv_hub_open(&w->loop, &config, &next_hub), HWS_OK);
    s = world_next_client(w);
    world_url(w, url, sizeof url, "ws");
    assert_int_equal(hws_uv_hub_connect(next_hub, url, NULL, s, &s->ws), HWS_OK);
    assert_ptr_equal(hws_uv_get_hub(s->ws), next_hub);
    world_until(w, &s->seen[HWS_OPEN], 1);
    hws_uv_hub_close(next_hub, LONG_MS);
    world_until(w, &next_closed, 1);
    assert_int_equal(s->close_code, HWS_CLOSE_GOING_AWAY);
    (void)world_pair(w);
    world_free(w);
}

/* --- a hub that closes --- */

static int plain_connect(const world *w) {
    struct sockaddr_in address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(hws_uv_hub_port(w->hub));
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void respond_and_close_hub(side *s, const hws_event *ev) {
    if (ev->type == HWS_REQUEST) {
        assert_int_equal(
            hws_endpoint_respond(hws_uv_endpoint(s->ws), 200, NULL, 0, (const uint8_t *)"fine", 4),
            HWS_OK);
        hws_uv_hub_close(s->world->hub, LONG_MS);
    }
}

static void an_answer_on_its_way_outlives_the_hub(void **state) {
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    world *w = world_new();
    char answer[256];
    int fd = -1;
    (void)state;
    w->on_server = respond_and_close_hub;
    w->config.server.keepalive.close_timeout_ms = 100; /* the client does not close */
    world_open(w);
    fd = plain_connect(w);
    assert_int_equal(send(fd, request, sizeof request - 1, 0), sizeof request - 1);
    world_until(w, &w->closed, 1);
    ssize_t n = recv(fd, answer, sizeof answer, 0);
    assert_true(n > 16);
    assert_memory_equal(answer, "HTTP/1.1 200 ", 13);
    assert_memory_equal(answer + n - 4, "fine", 4);
    close(fd);
    world_free(w);
}

static void close_hub_at_request(side *s, const hws_event *ev) {
    hws_accept_config accept;
    if (ev->type == HWS_REQUEST) {
        hws_uv_hub_close(s->world->hub, HWS_UV_FOREVER);
        hws_accept_config_init(&accept);
        accept.origin.kind = HWS_ORIGIN_ANY;
        assert_int_equal(hws_endpoint_accept(hws_uv_endpoint(s->ws), &accept), HWS_ERR_STATE);
    }
}

static void a_request_ends_with_the_hub(void **state) {
    world *w = world_new_open();
    side *s = world_connect(w, "ws");
    (void)state;
    w->on_server = close_hub_at_request;
    world_until(w, &w->closed, 1);
    assert_int_equal(s->seen[HWS_OPEN], 0);
    assert_int_equal(s->seen[HWS_END], 1);
    assert_int_equal(s->close_code, 0);
    world_free(w);
}

static void a_client_above_the_limit_does_not_hold_a_hub(void **state) {
    world *w = world_new();
    uint64_t start = 0;
    int fd = -1;
    (void)state;
    w->config.max_connections = 0;
    world_open(w);
    fd = plain_connect(w);
    world_run(w, 50);
    start = uv_now(&w->loop);
    hws_uv_hub_close(w->hub, HWS_UV_FOREVER);
    world_until(w, &w->closed, 1);
    assert_in_range(uv_now(&w->loop) - start, 0, 5000);
    close(fd);
    world_free(w);
}

static unsigned events_left;

static void close_hub_at_last(side *s, const hws_event *ev) {
    if (hws_uv_role(s->ws) == HWS_ROLE_SERVER) {
        side_serve(s, ev);
    } else if (ev->type == HWS_OPEN || ev->type == HWS_TEXT) {
        (void)side_send(s, "hello");
    }
    if (events_left-- == 0) {
        hws_uv_hub_close(s->world->hub, 0);
    }
}

static void a_hub_may_be_closed_in_each_event(void **state) {
    unsigned count = 0;
    (void)state;
    while (count < 40) {
        world *w = world_new_open();
        w->on_client = close_hub_at_last;
        w->on_server = close_hub_at_last;
        events_left = count;
        (void)world_connect(w, "ws");
        (void)world_connect(w, "ws");
        world_until(w, &w->closed, 1);
        world_free(w);
        count++;
    }
}

/* --- mistakes and limits --- */

static void connect_wrongly(world *w, const char *url, const hws_client_config *client,
                            hws_status expected) {
    hws_uv *ws = NULL;
    assert_int_equal(hws_uv_hub_connect(w->hub, url, client, NULL, &ws), expected);
    assert_null(ws);
    assert_int_equal(hws_uv_hub_count(w->hub), 0);
}

static void what_cannot_be_connected_or_listened_on_changes_nothing(void **state) {
    world *w = world_new_open();
    hws_field field = {hws_text_from("X-A"), hws_text_from("a\r\nB: c")};
    hws_client_config client;
    uint16_t port = hws_uv_hub_port(w->hub);
    (void)state;
    hws_client_config_init(&client);
    client.fields = &field;
    client.field_count = 1;
    connect_wrongly(w, "ws://127.0.0.1/", &client, HWS_ERR_FIELD);
    connect_wrongly(w, "http://127.0.0.1/", NULL, HWS_ERR_URI_SCHEME);
    connect_wrongly(w, "ws://127.0.0.1:65536/", NULL, HWS_ERR_URI_PORT);
    connect_wrongly(w, "wss://127.0.0.1/", NULL, HWS_ERR_TLS);
    client.field_count = 0;
    client.size = 0;
    connect_wrongly(w, "ws://127.0.0.1/", &client, HWS_ERR_ARGUMENT);
    assert_int_equal(hws_uv_hub_listen(w->hub, "127.0.0.1", port), HWS_ERR_SYSTEM);
    assert_int_equal(hws_uv_hub_error(w->hub), UV_EADDRINUSE);
    assert_int_equal(hws_uv_hub_listen(w->hub, "192.0.2.1", 0), HWS_ERR_SYSTEM);
    assert_int_equal(hws_uv_hub_error(w->hub), UV_EADDRNOTAVAIL);
    assert_int_equal(hws_uv_hub_port(w->hub), port);
    (void)world_pair(w);
    world_free(w);
}

static unsigned own_closed;

static void on_own_closed(uv_handle_t *handle) {
    free(handle);
    own_closed++;
}

/* With its `data`. */
static void a_stream_that_is_not_taken_stays_the_program_s(void **state) {
    world *w = world_new();
    uv_pipe_t *stream = malloc(sizeof *stream);
    int ends[2];
    (void)state;
    own_closed = 0;
    assert_non_null(stream);
    w->config.max_connections = 0;
    world_open(w);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(uv_pipe_init(&w->loop, stream, 0), 0);
    assert_int_equal(uv_pipe_open(stream, ends[0]), 0);
    stream->data = w;
    assert_int_equal(hws_uv_hub_accept(w->hub, (uv_stream_t *)stream, NULL, NULL), HWS_ERR_FULL);
    assert_ptr_equal(stream->data, w);
    hws_uv_hub_close(w->hub, 0);
    assert_int_equal(hws_uv_hub_accept(w->hub, (uv_stream_t *)stream, NULL, NULL), HWS_ERR_STATE);
    assert_ptr_equal(stream->data, w);
    uv_close((uv_handle_t *)stream, on_own_closed);
    world_until(w, &own_closed, 1);
    close(ends[1]);
    world_free(w);
}

static void without_descriptors_a_hub_goes_on_and_serves_later(void **state) {
    world *w = world_new_open();
    struct rlimit limits;
    struct rlimit low;
    side *open = world_pair(w);
    side *s = NULL;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limits), 0);
    low = limits;
    int free_fd = dup(0);
    close(free_fd);
    low.rlim_cur = (rlim_t)free_fd;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    s = world_connect(w, "ws");
    world_until(w, &s->seen[HWS_END], 1);
    assert_int_equal(s->status, HWS_ERR_CONNECT);
    assert_int_equal(s->error, UV_EMFILE);
    assert_int_equal(side_send(open, "still here"), HWS_OK);
    world_until(w, &open->seen[HWS_TEXT], 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limits), 0);
    (void)world_pair(w);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_call_runs_a_callback),
        cmocka_unit_test(a_connection_may_be_aborted_in_its_own_open),
        cmocka_unit_test(at_its_end_a_connection_can_be_asked_still),
        cmocka_unit_test(a_client_connects_again_in_its_own_end),
        cmocka_unit_test(data_outlives_the_end_of_its_connection),
        cmocka_unit_test(a_post_may_post),
        cmocka_unit_test(what_is_posted_at_the_last_end_is_delivered),
        cmocka_unit_test(a_post_may_close_its_hub),
        cmocka_unit_test(when_a_hub_is_gone_another_may_be_opened),
        cmocka_unit_test(two_hubs_share_a_loop),
        cmocka_unit_test(an_answer_on_its_way_outlives_the_hub),
        cmocka_unit_test(a_request_ends_with_the_hub),
        cmocka_unit_test(a_client_above_the_limit_does_not_hold_a_hub),
        cmocka_unit_test(a_hub_may_be_closed_in_each_event),
        cmocka_unit_test(what_cannot_be_connected_or_listened_on_changes_nothing),
        cmocka_unit_test(a_stream_that_is_not_taken_stays_the_program_s),
        cmocka_unit_test(without_descriptors_a_hub_goes_on_and_serves_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
