/*
 * Mistakes of the program that calls a loop, which change nothing, and what it can and cannot do
 * with the addresses, descriptors, deadlines and buffers that it gives.
 */
#include "loop_room.h"

#include <sys/resource.h>
#include <sys/stat.h>

static const hws_text nothing;

/* --- answers to a request --- */

static void accept_wrongly(hws_endpoint *endpoint) {
    hws_field injected = {hws_text_from("X-A"), hws_text_from("a\r\nB: c")};
    hws_field own = {hws_text_from("Upgrade"), hws_text_from("websocket")};
    hws_accept_config accept;
    hws_accept_config_init(&accept);
    assert_int_equal(hws_endpoint_accept(endpoint, &accept), HWS_ERR_ARGUMENT);
    accept.origin.kind = HWS_ORIGIN_ANY;
    accept.field_count = 1;
    accept.fields = &injected;
    assert_int_equal(hws_endpoint_accept(endpoint, &accept), HWS_ERR_FIELD);
    accept.fields = &own;
    assert_int_equal(hws_endpoint_accept(endpoint, &accept), HWS_ERR_FIELD);
    accept.field_count = 0;
    accept.subprotocol = hws_text_from("chat");
    assert_int_equal(hws_endpoint_accept(endpoint, &accept), HWS_ERR_ARGUMENT);
    accept.subprotocol = nothing;
    accept.extensions = hws_text_from("permessage-deflate");
    assert_int_equal(hws_endpoint_accept(endpoint, &accept), HWS_ERR_ARGUMENT);
    accept.extensions = nothing;
    accept.size = 1;
    assert_int_equal(hws_endpoint_accept(endpoint, &accept), HWS_ERR_ARGUMENT);
}

static void respond_wrongly(hws_endpoint *endpoint) {
    hws_field injected = {hws_text_from("X-A"), hws_text_from("a\r\nB: c")};
    assert_int_equal(hws_endpoint_respond(endpoint, 101, NULL, 0, NULL, 0), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_respond(endpoint, 600, NULL, 0, NULL, 0), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_respond(endpoint, 401, NULL, 0, NULL, 0), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_respond(endpoint, 200, &injected, 1, NULL, 0), HWS_ERR_FIELD);
    assert_int_equal(say(endpoint, "too early"), HWS_ERR_STATE);
    assert_int_equal(hws_endpoint_close(endpoint, 1000, NULL, 0), HWS_ERR_STATE);
    assert_int_equal(hws_endpoint_close_now(endpoint, 1000, NULL, 0), HWS_ERR_STATE);
    assert_int_equal(hws_endpoint_abort(endpoint, HWS_OK), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_abort(endpoint, HWS_BACKPRESSURE), HWS_ERR_ARGUMENT);
}

static void send_wrongly(hws_endpoint *endpoint) {
    uint8_t bad[200] = {0xFF};
    uint64_t queued = hws_endpoint_queued(endpoint);
    assert_int_equal(hws_endpoint_send(endpoint, 3, HWS_WHOLE, bad, 1), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_send(endpoint, HWS_CLOSE, HWS_WHOLE, NULL, 0), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_send(endpoint, HWS_TEXT, HWS_WHOLE, bad, 1), HWS_ERR_SEND_UTF8);
    assert_int_equal(hws_endpoint_send(endpoint, HWS_TEXT, HWS_FINAL, bad, 1), HWS_ERR_STATE);
    assert_int_equal(hws_endpoint_send(endpoint, HWS_TEXT, 0x80 | HWS_WHOLE, bad, 1),
                     HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_send(endpoint, HWS_PING, HWS_WHOLE, bad, 126), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_send(endpoint, HWS_PING, HWS_FIRST, bad, 1), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_send_ref(endpoint, HWS_BINARY, HWS_WHOLE, bad, 0),
                     HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_send_ref(endpoint, HWS_TEXT, HWS_WHOLE, bad, 1),
                     HWS_ERR_SEND_UTF8);
    assert_int_equal(hws_endpoint_close(endpoint, HWS_CLOSE_NO_CODE, NULL, 0), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_close(endpoint, 999, NULL, 0), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_close(endpoint, 1000, bad, 124), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_close(endpoint, 1000, bad, 1), HWS_ERR_SEND_UTF8);
    assert_int_equal(hws_endpoint_close(endpoint, HWS_CLOSE_EMPTY, bad, 1), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_queued(endpoint), queued);
    assert_int_equal(hws_endpoint_status(endpoint), HWS_OK);
}

static void mistake(room *r, const hws_loop_item *item) {
    hws_endpoint *endpoint = item->endpoint;
    (void)r;
    if (item->event.type == HWS_REQUEST) {
        accept_wrongly(endpoint);
        respond_wrongly(endpoint);
        assert_non_null(hws_endpoint_request(endpoint));
        assert_int_equal(hws_endpoint_queued(endpoint), 0);
        accept_any(endpoint);
        assert_null(hws_endpoint_request(endpoint));
        assert_int_equal(hws_endpoint_respond(endpoint, 200, NULL, 0, NULL, 0), HWS_ERR_STATE);
    }
    if (item->event.type == HWS_OPEN) {
        send_wrongly(endpoint);
        assert_int_equal(say(endpoint, "all is well"), HWS_OK);
    }
}

static void what_a_server_does_wrongly_changes_nothing(void **state) {
    room *r = room_new_open(state);
    r->on_server = mistake;
    room_connect(r);
    room_until(r, &r->messages[1], 1);
    room_free(r);
}

/* --- connecting --- */

static void connect_wrongly(room *r, const hws_endpoint_config *config, const char *url,
                            const hws_client_config *client, hws_status expected) {
    hws_link *link = NULL;
    int fds = open_fds();
    assert_int_equal(hws_loop_connect(&r->w->loop, url, config, client, NULL, &link), expected);
    assert_null(link);
    assert_int_equal(hws_loop_count(&r->w->loop), 0);
    assert_int_equal(open_fds(), fds);
}

static void a_wrong_configuration_of_a_client_connects_nothing(void **state) {
    room *r = room_new_open(state);
    hws_field field = {hws_text_from("X-A"), hws_text_from("a\r\nB: c")};
    hws_client_config client;
    hws_endpoint_config config = r->client;
    hws_ready other = {NULL};
    config.ready = NULL;
    connect_wrongly(r, &config, r->w->url, NULL, HWS_ERR_ARGUMENT);
    config.ready = &other;
    connect_wrongly(r, &config, r->w->url, NULL, HWS_ERR_ARGUMENT);
    config = r->client;
    config.role = HWS_ROLE_SERVER;
    connect_wrongly(r, &config, r->w->url, NULL, HWS_ERR_ARGUMENT);
    config = r->client;
    config.random = NULL;
    connect_wrongly(r, &config, r->w->url, NULL, HWS_ERR_ARGUMENT);
    config = r->client;
    config.low_water = 0;
    connect_wrongly(r, &config, r->w->url, NULL, HWS_ERR_ARGUMENT);
    connect_wrongly(r, &r->client, "http://127.0.0.1/", NULL, HWS_ERR_URI_SCHEME);
    connect_wrongly(r, &r->client, "ws://127.0.0.1:65536/", NULL, HWS_ERR_URI_PORT);
    connect_wrongly(r, &r->client, "wss://127.0.0.1/", NULL, HWS_ERR_TLS);
    hws_client_config_init(&client);
    client.fields = &field;
    client.field_count = 1;
    connect_wrongly(r, &r->client, r->w->url, &client, HWS_ERR_FIELD);
    client.field_count = 0;
    client.extensions = hws_text_from(";;");
    connect_wrongly(r, &r->client, r->w->url, &client, HWS_ERR_ARGUMENT);
    client.size = 0;
    connect_wrongly(r, &r->client, r->w->url, &client, HWS_ERR_ARGUMENT);
    room_free(r);
}

/* --- listening --- */

static void an_address_that_is_taken_leaks_no_descriptor(void **state) {
    room *r = room_new_open(state);
    hws_loop *loop = &r->w->loop;
    int fds = open_fds();
    assert_int_equal(hws_loop_listen(loop, "127.0.0.1", hws_loop_port(loop)), HWS_ERR_SYSTEM);
    assert_int_equal(hws_loop_system_error(loop), EADDRINUSE);
    assert_int_equal(hws_loop_listen(loop, "192.0.2.1", 0), HWS_ERR_SYSTEM);
    assert_int_equal(hws_loop_system_error(loop), EADDRNOTAVAIL);
    assert_int_equal(hws_loop_listen_unix(loop, "/no/such/directory"), HWS_ERR_SYSTEM);
    assert_int_equal(hws_loop_system_error(loop), ENOENT);
    assert_int_equal(open_fds(), fds);
    room_pair(r);
    room_free(r);
}

static void a_file_that_is_no_socket_is_not_replaced(void **state) {
    room *r = room_new_open(state);
    char path[64];
    struct stat is;
    int fd = -1;
    snprintf(path, sizeof path, "/tmp/hawser-test-%ld.file", (long)getpid());
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(hws_loop_listen_unix(&r->w->loop, path), HWS_ERR_SYSTEM);
    room_free(r);
    assert_int_equal(stat(path, &is), 0);
    assert_true(S_ISREG(is.st_mode));
    unlink(path);
}

static void a_port_is_that_of_the_first_tcp_address(void **state) {
    room *r = room_new(KIND(state));
    hws_loop *loop = &r->w->loop;
    char path[64];
    snprintf(path, sizeof path, "/tmp/hawser-test-%ld.sock", (long)getpid());
    assert_int_equal(hws_loop_init(loop, &r->w->config), HWS_OK);
    assert_int_equal(hws_loop_listen_unix(loop, path), HWS_OK);
    assert_int_equal(hws_loop_port(loop), 0);
    assert_int_equal(hws_loop_listen(loop, "127.0.0.1", 0), HWS_OK);
    uint16_t port = hws_loop_port(loop);
    assert_int_not_equal(port, 0);
    assert_int_equal(hws_loop_listen(loop, "127.0.0.1", 0), HWS_OK);
    assert_int_equal(hws_loop_port(loop), port);
    room_free(r);
    assert_int_not_equal(access(path, F_OK), 0);
}

/* One port number, two families. */
static void both_families_are_listened_on(void **state) {
    room *r = room_new_open(state);
    uint16_t port = hws_loop_port(&r->w->loop);
    if (hws_loop_listen(&r->w->loop, "::1", port) != HWS_OK) {
        room_free(r);
        skip(); /* a machine without IPv6 */
    }
    room_pair(r);
    snprintf(r->w->url, sizeof r->w->url, "ws://[::1]:%u/", port);
    room_pair(r);
    room_free(r);
}

/* --- the configuration --- */

static void a_configuration_is_not_needed_after_the_call(void **state) {
    room *r = room_new_open(state);
    memset(&r->w->config.server.keepalive, 0xFF, sizeof r->w->config.server.keepalive);
    r->w->config.server.max_message = 0;
    r->w->config.server.max_queue = 0;
    r->w->config.max_connections = 0;
    room_pair(r);
    say(hws_link_endpoint(r->links[1]), "still here");
    room_until(r, &r->messages[1], 1);
    room_free(r);
}

/* Room that held something else: what could not be started can be released. */
static void a_loop_that_did_not_start_may_be_released(void **state) {
    room *r = room_new(KIND(state));
    memset(&r->w->loop, 0xAA, sizeof r->w->loop);
    r->w->config.buffer_len = 0;
    assert_int_equal(hws_loop_init(&r->w->loop, &r->w->config), HWS_ERR_ARGUMENT);
    room_free(r);
}

/* Connections that the program makes are its own affair. */
static void clients_do_not_count_for_the_limit_of_the_server(void **state) {
    room *r = room_new(KIND(state));
    hws_link *second = NULL;
    r->w->config.max_connections = 1;
    room_open(r);
    room_pair(r);
    assert_int_equal(hws_loop_count(&r->w->loop), 2);
    second = room_connect(r);
    room_until(r, &r->ends[1], 1);
    assert_ptr_equal(r->links[1], second);
    assert_int_equal(r->ended[1], HWS_ERR_REFUSED);
    hws_endpoint_close(hws_link_endpoint(r->links[0]), 1000, NULL, 0);
    room_until(r, &r->ends[1], 2);
    room_settle(r, 20);
    room_pair(r); /* there is room again */
    room_free(r);
}

/* --- descriptors --- */

/* No program that is started by this one gets them. */
static void all_descriptors_are_closed_by_exec(void **state) {
    room *r = room_new(KIND(state));
    char path[64];
    uint8_t before[256];
    int fd = 0;
    while (fd < 256) {
        before[fd] = fcntl(fd, F_GETFD) >= 0;
        fd++;
    }
    snprintf(path, sizeof path, "/tmp/hawser-test-%ld.sock", (long)getpid());
    room_open(r);
    assert_int_equal(hws_loop_listen_unix(&r->w->loop, path), HWS_OK);
    room_pair(r);
    fd = 0;
    while (fd < 256) {
        int flags = fcntl(fd, F_GETFD);
        assert_true(before[fd] || flags < 0 || (flags & FD_CLOEXEC) != 0);
        fd++;
    }
    room_free(r);
}

static void limit_descriptors(rlim_t limit) {
    struct rlimit limits;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limits), 0);
    limits.rlim_cur = limit;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limits), 0);
}

static void without_descriptors_connecting_fails_and_the_rest_goes_on(void **state) {
    room *r = room_new_open(state);
    struct rlimit limits;
    hws_link *link = NULL;
    hws_status status = HWS_OK;
    room_pair(r);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limits), 0);
    int free_fd = dup(0);
    assert_true(free_fd >= 0);
    close(free_fd);
    limit_descriptors((rlim_t)free_fd);
    status = hws_loop_connect(&r->w->loop, r->w->url, &r->client, NULL, NULL, &link);
    limit_descriptors(limits.rlim_cur);
    assert_int_equal(status, HWS_ERR_CONNECT);
    assert_int_equal(hws_loop_system_error(&r->w->loop), EMFILE);
    assert_int_equal(hws_loop_count(&r->w->loop), 2);
    say(hws_link_endpoint(r->links[1]), "still here");
    room_until(r, &r->messages[1], 1);
    room_free(r);
}

/* --- buffers that come back --- */

static uint8_t lent[100000];

static void send_when_released(room *r, const hws_loop_item *item) {
    if (item->event.type == HWS_REQUEST) {
        accept_any(item->endpoint);
    }
    if (item->event.type == HWS_RELEASED) {
        assert_ptr_equal(item->event.data, lent);
        assert_int_equal(item->event.len, sizeof lent);
        r->posts++;
    }
    if (item->event.type == HWS_OPEN || (item->event.type == HWS_RELEASED && r->posts < 50)) {
        assert_in_range(
            hws_endpoint_send_ref(item->endpoint, HWS_BINARY, HWS_WHOLE, lent, sizeof lent), HWS_OK,
            HWS_BACKPRESSURE);
    }
}

static void a_buffer_may_be_sent_again_when_it_comes_back(void **state) {
    room *r = room_new_open(state);
    r->on_server = send_when_released;
    room_connect(r);
    room_until(r, &r->messages[1], 50);
    room_until(r, &r->posts, 50);
    room_free(r);
}

static void abort_when_released(room *r, const hws_loop_item *item) {
    int i = 0;
    if (item->event.type == HWS_REQUEST) {
        accept_any(item->endpoint);
    }
    while (item->event.type == HWS_OPEN && i < 5) {
        hws_endpoint_send_ref(item->endpoint, HWS_BINARY, HWS_WHOLE, lent + i, 1);
        i++;
    }
    if (item->event.type == HWS_RELEASED) {
        assert_ptr_equal(item->event.data, lent + r->posts);
        assert_int_equal(r->ends[0], 0);
        r->posts++;
        hws_endpoint_abort(item->endpoint, HWS_ERR_POLICY);
    }
}

static void all_buffers_come_back_before_the_end(void **state) {
    room *r = room_new_open(state);
    r->on_server = abort_when_released;
    room_connect(r);
    room_until(r, &r->ends[0], 1);
    assert_int_equal(r->posts, 5);
    assert_int_equal(r->ended[0], HWS_ERR_POLICY);
    room_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(what_a_server_does_wrongly_changes_nothing),
        BOTH(a_wrong_configuration_of_a_client_connects_nothing),
        BOTH(an_address_that_is_taken_leaks_no_descriptor),
        BOTH(a_file_that_is_no_socket_is_not_replaced),
        BOTH(a_port_is_that_of_the_first_tcp_address),
        BOTH(both_families_are_listened_on),
        BOTH(a_configuration_is_not_needed_after_the_call),
        BOTH(a_loop_that_did_not_start_may_be_released),
        BOTH(clients_do_not_count_for_the_limit_of_the_server),
        BOTH(all_descriptors_are_closed_by_exec),
        BOTH(without_descriptors_connecting_fails_and_the_rest_goes_on),
        BOTH(a_buffer_may_be_sent_again_when_it_comes_back),
        BOTH(all_buffers_come_back_before_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
