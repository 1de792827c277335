/*
 * Ends of connections in a loop of libuv: both ways of closing, deadlines, sockets that break, and
 * requests that never become connections.
 */
#include "uv_world.h"

#include <netinet/in.h>
#include <sys/socket.h>

/* --- closing -----------------------------------------------------------------------------------
 */

static void either_side_may_close(void **state) {
    world *w = world_new_open();
    side *a = world_pair(w);
    side *b = world_pair(w);
    (void)state;
    world_until(w, &w->server[1].seen[HWS_OPEN], 1);
    assert_int_equal(side_close(a, 4001), HWS_OK);
    assert_int_equal(side_close(&w->server[1], 4002), HWS_OK);
    world_until(w, &a->seen[HWS_END], 1);
    world_until(w, &b->seen[HWS_END], 1);
    world_until(w, &w->server[0].seen[HWS_END], 1);
    world_until(w, &w->server[1].seen[HWS_END], 1);
    assert_int_equal(w->server[0].close_code, 4001);
    assert_int_equal(b->close_code, 4002);
    assert_int_equal(a->status | b->status, HWS_OK);
    assert_int_equal(w->server[0].status | w->server[1].status, HWS_OK);
    world_free(w);
}

static void a_peer_that_is_gone_ends_with_1006(void **state) {
    world *w = world_new_open();
    side *s = world_pair(w);
    (void)state;
    world_until(w, &w->server[0].seen[HWS_OPEN], 1);
    (void)hws_endpoint_abort(hws_uv_endpoint(s->ws), HWS_ERR_CLOSED);
    world_until(w, &w->server[0].seen[HWS_END], 1);
    assert_int_equal(w->server[0].close_code, HWS_CLOSE_ABNORMAL);
    assert_int_equal(w->server[0].status, HWS_ERR_EOF);
    world_free(w);
}

static void ignore(side *s, const hws_event *ev) {
    (void)s;
    (void)ev;
}

static void a_client_without_answer_ends_at_the_open_timeout(void **state) {
    world *w = world_new();
    side *s = NULL;
    (void)state;
    w->config.client.keepalive.open_timeout_ms = 50;
    w->on_server = ignore;
    world_open(w);
    s = world_connect(w, "ws");
    world_until(w, &s->seen[HWS_END], 1);
    assert_int_equal(s->status, HWS_ERR_TIMEOUT);
    world_free(w);
}

/* --- time, and sockets that break ---------------------------------------------------------------
 */

static void a_silent_peer_is_pinged(void **state) {
    world *w = world_new();
    (void)state;
    w->config.client.keepalive.ping_after_ms = 20;
    world_open(w);
    (void)world_pair(w);
    world_until(w, &w->server[0].seen[HWS_PING], 3);
    world_free(w);
}

static void a_peer_that_answers_no_ping_is_closed(void **state) {
    world *w = world_new();
    side *s = NULL;
    (void)state;
    w->config.client.keepalive.ping_after_ms = 20;
    w->config.client.keepalive.pong_timeout_ms = 20;
    w->config.client.keepalive.close_timeout_ms = 20;
    world_open(w);
    s = world_pair(w);
    world_until(w, &w->server[0].seen[HWS_OPEN], 1);
    hws_endpoint_pause(hws_uv_endpoint(w->server[0].ws), 1);
    world_until(w, &s->seen[HWS_END], 1);
    assert_int_equal(s->status, HWS_ERR_PONG_TIMEOUT);
    world_free(w);
}

static uint8_t large[300000];

static void a_peer_that_takes_no_byte_is_dropped(void **state) {
    world *w = world_new();
    side *s = NULL;
    (void)state;
    w->config.client.keepalive.stall_timeout_ms = 50;
    world_open(w);
    s = world_pair(w);
    world_until(w, &w->server[0].seen[HWS_OPEN], 1);
    hws_endpoint_pause(hws_uv_endpoint(w->server[0].ws), 1);
    while (hws_endpoint_queued(hws_uv_endpoint(s->ws)) < 10000000) {
        (void)hws_endpoint_send(hws_uv_endpoint(s->ws), HWS_BINARY, HWS_WHOLE, large, sizeof large);
    }
    world_until(w, &s->seen[HWS_END], 1);
    assert_int_equal(s->status, HWS_ERR_STALLED);
    world_free(w);
}

/* A client that opens, and resets its socket. */
static int open_by_hand(world *w) {
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    struct linger reset = {1, 0};
    struct sockaddr_in address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(uv_ip4_addr("127.0.0.1", hws_uv_hub_port(w->hub), &address), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    assert_int_equal(write(fd, request, sizeof request - 1), sizeof request - 1);
    world_until(w, &w->server[0].seen[HWS_OPEN], 1);
    world_run(w, 10);
    return fd;
}

static void who_reads_from_a_socket_that_was_reset_learns_it(void **state) {
    world *w = world_new_open();
    (void)state;
    assert_int_equal(close(open_by_hand(w)), 0);
    world_until(w, &w->server[0].seen[HWS_END], 1);
    assert_int_equal(w->server[0].status, HWS_ERR_RESET);
    assert_int_equal(w->server[0].error, UV_ECONNRESET);
    world_free(w);
}

static void who_writes_to_a_socket_that_was_reset_learns_it(void **state) {
    world *w = world_new_open();
    int fd = open_by_hand(w);
    (void)state;
    hws_endpoint_pause(hws_uv_endpoint(w->server[0].ws), 1);
    world_run(w, 10);
    assert_int_equal(close(fd), 0);
    world_run(w, 10);
    assert_int_equal(w->server[0].seen[HWS_END], 0);
    assert_int_equal(side_send(&w->server[0], "hello?"), HWS_OK);
    world_until(w, &w->server[0].seen[HWS_END], 1);
    assert_int_equal(w->server[0].status, HWS_ERR_RESET);
    world_free(w);
}

/* --- HTTP --------------------------------------------------------------------------------------
 */

static void forbid(side *s, const hws_event *ev) {
    if (ev->type == HWS_REQUEST) {
        assert_int_equal(
            hws_endpoint_respond(hws_uv_endpoint(s->ws), 403, NULL, 0, (const uint8_t *)"no", 2),
            HWS_OK);
    }
}

static void a_refused_client_learns_the_status(void **state) {
    world *w = world_new_open();
    side *s = NULL;
    (void)state;
    w->on_server = forbid;
    s = world_connect(w, "ws");
    world_until(w, &s->seen[HWS_END], 1);
    world_until(w, &w->server[0].seen[HWS_END], 1);
    assert_int_equal(s->status, HWS_ERR_REFUSED);
    assert_int_equal(s->seen[HWS_OPEN], 0);
    assert_int_equal(w->server[0].status, HWS_OK);
    world_free(w);
}

/* A client that is no WebSocket: it writes a request and reads to the end. */
typedef struct plain {
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_write_t write;
    const char *request;
    char answer[1024];
    size_t len;
    unsigned ended;
} plain;

static void plain_lend(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
    plain *p = handle->data;
    (void)suggested;
    *buf = uv_buf_init(p->answer + p->len, (unsigned)(sizeof p->answer - 1 - p->len));
}

static void plain_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
    plain *p = stream->data;
    (void)buf;
    if (n > 0) {
        p->len += (size_t)n;
    } else if (n < 0) {
        uv_close((uv_handle_t *)stream, NULL);
        p->ended = 1;
    }
}

static void plain_on_connect(uv_connect_t *connect, int status) {
    plain *p = connect->data;
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)p->request, (unsigned)strlen(p->request));
    assert_int_equal(status, 0);
    assert_int_equal(uv_write(&p->write, (uv_stream_t *)&p->tcp, &buf, 1, NULL), 0);
    assert_int_equal(uv_read_start((uv_stream_t *)&p->tcp, plain_lend, plain_on_read), 0);
}

static void plain_ask(world *w, plain *p, const char *request) {
    struct sockaddr_in address;
    memset(p, 0, sizeof *p);
    p->request = request;
    p->connect.data = p;
    assert_int_equal(uv_ip4_addr("127.0.0.1", hws_uv_hub_port(w->hub), &address), 0);
    assert_int_equal(uv_tcp_init(&w->loop, &p->tcp), 0);
    p->tcp.data = p;
    assert_int_equal(
        uv_tcp_connect(&p->connect, &p->tcp, (const struct sockaddr *)&address, plain_on_connect),
        0);
    world_until(w, &p->ended, 1);
    p->answer[p->len] = '\0';
}

static void a_plain_request_is_answered_by_the_program(void **state) {
    world *w = world_new_open();
    plain p;
    (void)state;
    w->on_server = forbid;
    plain_ask(w, &p, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_non_null(strstr(p.answer, "HTTP/1.1 403 "));
    assert_non_null(strstr(p.answer, "\r\n\r\nno"));
    world_free(w);
}

static void a_request_that_is_wrong_is_answered_by_itself(void **state) {
    world *w = world_new_open();
    plain p;
    (void)state;
    plain_ask(w, &p, "GET / HTTP/1.1\nHost: a\r\n\r\n");
    assert_non_null(strstr(p.answer, "HTTP/1.1 400 "));
    world_until(w, &w->server[0].seen[HWS_END], 1);
    assert_int_equal(w->server[0].seen[HWS_REQUEST], 0);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(either_side_may_close),
        cmocka_unit_test(a_peer_that_is_gone_ends_with_1006),
        cmocka_unit_test(a_client_without_answer_ends_at_the_open_timeout),
        cmocka_unit_test(a_silent_peer_is_pinged),
        cmocka_unit_test(a_peer_that_answers_no_ping_is_closed),
        cmocka_unit_test(a_peer_that_takes_no_byte_is_dropped),
        cmocka_unit_test(who_reads_from_a_socket_that_was_reset_learns_it),
        cmocka_unit_test(who_writes_to_a_socket_that_was_reset_learns_it),
        cmocka_unit_test(a_refused_client_learns_the_status),
        cmocka_unit_test(a_plain_request_is_answered_by_the_program),
        cmocka_unit_test(a_request_that_is_wrong_is_answered_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
