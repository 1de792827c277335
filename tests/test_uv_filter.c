/*
 * Connections in a loop of libuv through a filter: all bytes go through it, its handshake comes
 * first, its end is the end of the stream, and its faults end the connection.
 */
#include "uv_world.h"

#include "toy_filter.h"

static toy toy_server;
static toy toy_client;

static world *filtered_world(void) {
    world *w = world_new();
    toy_init(&toy_server);
    toy_init(&toy_client);
    w->config.server_filter = &toy_server.table;
    w->config.client_filter = &toy_client.table;
    return w;
}

static void filtered_free(world *w) {
    world_free(w);
    assert_int_equal(toy_server.made, 0);
    assert_int_equal(toy_client.made, 0);
}

static side *filtered_pair(world *w) {
    side *s = world_connect(w, "wss");
    world_until(w, &s->seen[HWS_OPEN], 1);
    return s;
}

static void echoes(world *w, side *s, size_t len) {
    unsigned before = s->seen[HWS_BINARY];
    uint8_t *data = calloc(1, len + 1);
    assert_non_null(data);
    memset(data, (int)len, len);
    assert_true(hws_endpoint_send(hws_uv_endpoint(s->ws), HWS_BINARY, HWS_WHOLE, data, len) >= 0);
    world_until(w, &s->seen[HWS_BINARY], before + 1);
    assert_int_equal(s->len, len);
    assert_memory_equal(s->data, data, len);
    free(data);
}

static void messages_come_back_through_it(void **state) {
    static const size_t sizes[] = {0, 1, 247, 251, 255, 70000, 3000000};
    world *w = filtered_world();
    size_t i = 0;
    side *s = NULL;
    (void)state;
    world_open(w);
    s = filtered_pair(w);
    assert_non_null(hws_uv_filter_state(s->ws));
    assert_string_equal(toy_client.host, "127.0.0.1");
    while (i < sizeof sizes / sizeof *sizes) {
        echoes(w, s, sizes[i]);
        i++;
    }
    assert_int_equal(side_close(s, HWS_CLOSE_NORMAL), HWS_OK);
    world_until(w, &s->seen[HWS_END], 1);
    world_until(w, &w->server[0].seen[HWS_END], 1);
    assert_int_equal(s->status | w->server[0].status, HWS_OK);
    assert_int_equal(toy_client.ends, 1);
    filtered_free(w);
}

static void a_buffer_of_few_bytes_is_enough(void **state) {
    world *w = filtered_world();
    (void)state;
    w->config.buffer_len = 7;
    world_open(w);
    echoes(w, filtered_pair(w), 30000);
    filtered_free(w);
}

static void pause_after_one(side *s, const hws_event *ev) {
    side_serve(s, ev);
    hws_endpoint_pause(hws_uv_endpoint(s->ws), ev->type == HWS_TEXT);
}

/* The Close and the filter's end have been read with the messages, and wait for them. */
static void what_is_behind_a_pause_is_kept(void **state) {
    world *w = filtered_world();
    unsigned i = 1;
    side *s = NULL;
    (void)state;
    w->config.buffer_len = 32;
    w->on_server = pause_after_one;
    world_open(w);
    s = filtered_pair(w);
    world_until(w, &w->server[0].seen[HWS_OPEN], 1);
    while (i <= 6) {
        assert_int_equal(side_send(s, "one by one"), HWS_OK);
        i++;
    }
    assert_int_equal(side_close(s, HWS_CLOSE_NORMAL), HWS_OK);
    i = 1;
    while (i <= 6) {
        world_until(w, &w->server[0].seen[HWS_TEXT], i);
        world_run(w, 10);
        assert_int_equal(w->server[0].seen[HWS_TEXT], i);
        hws_endpoint_pause(hws_uv_endpoint(w->server[0].ws), 0);
        i++;
    }
    world_until(w, &w->server[0].seen[HWS_END], 1);
    world_until(w, &s->seen[HWS_END], 1);
    assert_int_equal(w->server[0].close_code, HWS_CLOSE_NORMAL);
    filtered_free(w);
}

static void a_socket_that_is_full_is_waited_for(void **state) {
    world *w = filtered_world();
    size_t len = 9000000;
    uint8_t *data = calloc(1, len);
    side *s = NULL;
    (void)state;
    assert_non_null(data);
    world_open(w);
    s = filtered_pair(w);
    world_until(w, &w->server[0].seen[HWS_OPEN], 1);
    hws_endpoint_pause(hws_uv_endpoint(w->server[0].ws), 1);
    assert_true(hws_endpoint_send(hws_uv_endpoint(s->ws), HWS_BINARY, HWS_WHOLE, data, len) >= 0);
    world_run(w, 30);
    assert_true(hws_endpoint_queued(hws_uv_endpoint(s->ws)) > 0);
    hws_endpoint_pause(hws_uv_endpoint(w->server[0].ws), 0);
    world_until(w, &s->seen[HWS_BINARY], 1);
    assert_int_equal(s->len, len);
    free(data);
    filtered_free(w);
}

static void a_plain_client_gets_an_alert_and_is_dropped(void **state) {
    world *w = filtered_world();
    side *s = NULL;
    (void)state;
    world_open(w);
    s = world_connect(w, "ws");
    world_until(w, &s->seen[HWS_END], 1);
    assert_int_equal(w->servers, 1);
    assert_int_equal(w->server[0].seen[HWS_REQUEST], 0);
    assert_int_equal(w->server[0].status, HWS_ERR_TLS);
    filtered_free(w);
}

static void an_alert_of_the_peer_ends_with_tls(void **state) {
    world *w = filtered_world();
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t) "x", 1);
    side *s = NULL;
    (void)state;
    world_open(w);
    s = filtered_pair(w);
    world_until(w, &w->server[0].seen[HWS_OPEN], 1);
    assert_int_equal(uv_try_write(hws_uv_stream(s->ws), &buf, 1), 1);
    world_until(w, &s->seen[HWS_END], 1);
    assert_int_equal(s->status, HWS_ERR_TLS);
    assert_int_equal(toy_client.alerts, 1);
    assert_int_equal(w->server[0].status, HWS_ERR_TLS);
    filtered_free(w);
}

/* Both are read in one turn: what is to be settled then is over already. */
static void a_client_that_greets_and_leaves_is_forgotten(void **state) {
    world *w = filtered_world();
    struct sockaddr_in address;
    unsigned i = 0;
    (void)state;
    world_open(w);
    assert_int_equal(uv_ip4_addr("127.0.0.1", hws_uv_hub_port(w->hub), &address), 0);
    while (i < 5) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
        world_run(w, 10);
        assert_int_equal(hws_uv_hub_count(w->hub), 1);
        assert_int_equal(write(fd, TOY_HELLO, 3), 3);
        assert_int_equal(close(fd), 0);
        world_until(w, &w->servers, ++i);
        assert_int_equal(w->server[i - 1].seen[HWS_END], 1);
        world_run(w, 10);
    }
    filtered_free(w);
}

static void clients_above_the_limit_are_answered_through_it(void **state) {
    world *w = filtered_world();
    side *s = NULL;
    (void)state;
    w->config.max_connections = 1;
    world_open(w);
    (void)filtered_pair(w);
    s = world_connect(w, "wss");
    world_until(w, &s->seen[HWS_END], 1);
    assert_int_equal(s->status, HWS_ERR_REFUSED);
    filtered_free(w);
}

static void a_filter_that_cannot_start_is_no_connection(void **state) {
    world *w = filtered_world();
    char url[64];
    hws_uv *ws = NULL;
    side *s = NULL;
    (void)state;
    world_open(w);
    world_url(w, url, sizeof url, "wss");
    toy_client.making = HWS_ERR_MEMORY;
    assert_int_equal(hws_uv_hub_connect(w->hub, url, NULL, NULL, &ws), HWS_ERR_MEMORY);
    assert_null(ws);
    toy_client.making = HWS_OK;
    toy_server.making = HWS_ERR_MEMORY;
    s = world_connect(w, "wss");
    world_until(w, &s->seen[HWS_END], 1);
    assert_int_equal(w->servers, 0);
    filtered_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_back_through_it),
        cmocka_unit_test(a_buffer_of_few_bytes_is_enough),
        cmocka_unit_test(what_is_behind_a_pause_is_kept),
        cmocka_unit_test(a_socket_that_is_full_is_waited_for),
        cmocka_unit_test(a_plain_client_gets_an_alert_and_is_dropped),
        cmocka_unit_test(an_alert_of_the_peer_ends_with_tls),
        cmocka_unit_test(a_client_that_greets_and_leaves_is_forgotten),
        cmocka_unit_test(clients_above_the_limit_are_answered_through_it),
        cmocka_unit_test(a_filter_that_cannot_start_is_no_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
