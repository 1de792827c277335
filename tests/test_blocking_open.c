/*
 * The server's side of opening, over real sockets: requests good and bad, HTTP on the same port,
 * listeners. The client's is in test_blocking_connect.c.
 */
#include "peer.h"

#include <sys/stat.h>

#define UPGRADE                                                                                    \
    "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                             \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

/* What the peer got, to the end of the stream. */
static const char *half_answer(half *h) {
    static char answer[8192];
    int n = raw_read(h->fd, (uint8_t *)answer, sizeof answer - 1);
    assert_true(n >= 0);
    answer[n] = '\0';
    return answer;
}

static void expect_start(const char *text, const char *start) {
    if (strncmp(text, start, strlen(start)) != 0) {
        assert_string_equal(text, start);
    }
}

static void a_plain_request_gets_a_page(void **state) {
    half *h = half_new();
    hws_field type = {{"Content-Type", 12}, {"text/plain", 10}};
    const uint8_t *bytes = NULL;
    const hws_head *head = NULL;
    hws_event ev;
    (void)state;
    raw_send_text(h->fd, "GET /health?x HTTP/1.1\r\nHost: a\r\n\r\n");
    shutdown(h->fd, SHUT_WR);
    assert_int_equal(half_read(h), HWS_OK);
    assert_int_equal(h->handshake.kind, HWS_REQUEST_PLAIN);
    head = hws_blocking_head(&h->server.ws, &bytes);
    assert_int_equal(head->target.len, 9);
    assert_memory_equal(bytes + head->target.offset, "/health?x", 9);
    assert_int_equal(hws_blocking_receive(&h->server.ws, &ev, 0), HWS_ERR_STATE);
    assert_int_equal(hws_blocking_close(&h->server.ws, 1000, NULL, 0), HWS_ERR_STATE);
    assert_int_equal(hws_blocking_send(&h->server.ws, HWS_TEXT, HWS_WHOLE, NULL, 0, 0),
                     HWS_ERR_STATE);
    assert_int_equal(hws_blocking_respond(&h->server.ws, 99, NULL, 0, NULL, 0), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_blocking_respond(&h->server.ws, 200, &type, 1, (const uint8_t *)"fine", 4),
                     HWS_OK);
    assert_string_equal(half_answer(h), "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                                        "Content-Length: 4\r\nConnection: close\r\n\r\nfine");
    assert_int_equal(hws_blocking_respond(&h->server.ws, 200, NULL, 0, NULL, 0), HWS_ERR_STATE);
    half_free(h);
}

static void some_responses_end_with_their_head(void **state) {
    const struct {
        const char *request;
        uint16_t status;
        const char *head;
    } rows[] = {
        {"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", 200,
         "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\n"},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 204,
         "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 304,
         "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n"},
    };
    size_t i = 0;
    (void)state;
    while (i < sizeof rows / sizeof rows[0]) {
        half *h = half_new();
        raw_send_text(h->fd, rows[i].request);
        assert_int_equal(half_read(h), HWS_OK);
        assert_int_equal(hws_blocking_respond(&h->server.ws, rows[i].status, NULL, 0,
                                              (const uint8_t *)"fine", 4),
                         HWS_OK);
        assert_string_equal(half_answer(h), rows[i].head);
        half_free(h);
        i++;
    }
}

static void *upload_and_read(void *arg) {
    static uint8_t body[4 << 20];
    static char answer[1 << 20];
    half *h = arg;
    raw_send_text(h->fd, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4194304\r\n\r\n");
    raw_send(h->fd, body, sizeof body);
    assert_true(raw_read(h->fd, (uint8_t *)answer, sizeof answer) > 600000);
    expect_start(answer, "HTTP/1.1 413 ");
    close(h->fd);
    return NULL;
}

/* A client that sends a body before it reads, while our answer is larger than what fits. */
static void a_request_with_a_body_reads_its_answer(void **state) {
    half *h = half_new();
    uint8_t *page = calloc(1, 600000);
    pthread_t thread;
    (void)state;
    h->server.config.close_timeout_ms = LONG_MS;
    assert_int_equal(pthread_create(&thread, NULL, upload_and_read, h), 0);
    assert_int_equal(half_read(h), HWS_OK);
    assert_int_equal(hws_blocking_respond(&h->server.ws, 413, NULL, 0, page, 600000), HWS_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    hws_blocking_release(&h->server.ws);
    free(page);
    free(h);
}

static void wrong_requests_are_answered(void **state) {
    const struct {
        const char *request;
        hws_status status;
        const char *answer;
    } rows[] = {
        {"GET / HTTP/2.0\r\n\r\n", HWS_ERR_HTTP_VERSION, "HTTP/1.1 505 "},
        {"GET\r\n\r\n", HWS_ERR_REQUEST_LINE, "HTTP/1.1 400 "},
        {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n",
         HWS_ERR_VERSION, "HTTP/1.1 426 "},
        {"POST / HTTP/1.1\r\n" UPGRADE "\r\n", HWS_ERR_METHOD, "HTTP/1.1 405 "},
    };
    size_t i = 0;
    (void)state;
    while (i < sizeof rows / sizeof rows[0]) {
        half *h = half_new();
        raw_send_text(h->fd, rows[i].request);
        assert_int_equal(half_read(h), rows[i].status);
        expect_start(half_answer(h), rows[i].answer);
        assert_int_equal(hws_blocking_socket(&h->server.ws), -1);
        half_free(h);
        i++;
    }
}

static void a_head_must_fit_in_half_of_the_memory(void **state) {
    char line[2100];
    half *h = half_new();
    (void)state;
    peer_init(&h->server, HWS_BLOCKING_MIN_MEMORY);
    h->server.config.close_timeout_ms = 20;
    memset(line, 'x', sizeof line);
    raw_send_text(h->fd, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
    raw_send(h->fd, line, sizeof line);
    assert_int_equal(half_read(h), HWS_ERR_HEAD_TOO_LARGE);
    expect_start(half_answer(h), "HTTP/1.1 431 ");
    half_free(h);
}

static void *drip(void *arg) {
    half *h = arg;
    const char *head = "GET / HTTP/1.1\r\nHost: a\r\nX-Long: ";
    size_t i = 0;
    /* A byte now and then, for longer than the server waits. */
    while (i < 60) {
        raw_send(h->fd, &head[i < 30 ? i : 29], 1);
        peer_nap_ms(5);
        i++;
    }
    shutdown(h->fd, SHUT_WR);
    return NULL;
}

static void a_head_that_drips_in_is_cut_off_with_408(void **state) {
    half *h = half_new();
    pthread_t thread;
    (void)state;
    h->server.config.open_timeout_ms = 100;
    h->server.config.close_timeout_ms = LONG_MS;
    assert_int_equal(pthread_create(&thread, NULL, drip, h), 0);
    assert_int_equal(half_read(h), HWS_ERR_TIMEOUT);
    assert_int_equal(pthread_join(thread, NULL), 0);
    expect_start(half_answer(h), "HTTP/1.1 408 ");
    half_free(h);
}

static void a_client_that_leaves_gets_no_answer(void **state) {
    half *h = half_new();
    (void)state;
    raw_send_text(h->fd, "GET / HTTP/1.1\r\nHo");
    shutdown(h->fd, SHUT_WR);
    assert_int_equal(half_read(h), HWS_ERR_EOF);
    assert_string_equal(half_answer(h), "");
    half_free(h);
}

static void a_bad_configuration_closes_the_socket(void **state) {
    half *h = half_new();
    (void)state;
    h->server.config.memory_len = HWS_BLOCKING_MIN_MEMORY - 1;
    assert_int_equal(half_read(h), HWS_ERR_ARGUMENT);
    assert_string_equal(half_answer(h), "");
    assert_int_equal(hws_blocking_socket(&h->server.ws), -1);
    half_free(h);
    h = half_new();
    close((int)h->socket);
    assert_int_equal(half_read(h), HWS_ERR_SYSTEM);
    assert_int_equal(hws_blocking_system_error(&h->server.ws), EBADF);
    half_free(h);
}

static void frames_sent_with_the_request_are_not_lost(void **state) {
    half *h = half_new();
    hws_accept_config accept;
    hws_event ev;
    hws_text subprotocol;
    (void)state;
    raw_send_text(h->fd, "GET /chat HTTP/1.1\r\n" UPGRADE
                         "Sec-WebSocket-Protocol: one,  two , three\r\n\r\n");
    raw_send(h->fd, "\x81\x82\0\0\0\0hi", 8);
    assert_int_equal(half_read(h), HWS_OK);
    assert_int_equal(h->handshake.kind, HWS_REQUEST_UPGRADE);
    hws_accept_config_init(&accept);
    assert_int_equal(hws_blocking_accept(&h->server.ws, &accept), HWS_ERR_ARGUMENT);
    accept.origin.kind = HWS_ORIGIN_SAME;
    accept.subprotocol = hws_text_from("tw");
    assert_int_equal(hws_blocking_accept(&h->server.ws, &accept), HWS_ERR_ARGUMENT);
    accept.subprotocol = hws_text_from("two");
    assert_int_equal(hws_blocking_accept(&h->server.ws, &accept), HWS_OK);
    subprotocol = hws_blocking_subprotocol(&h->server.ws);
    assert_int_equal(subprotocol.len, 3);
    assert_memory_equal(subprotocol.data, "two", 3);
    assert_int_equal(hws_blocking_pending(&h->server.ws), 8);
    assert_int_equal(hws_blocking_receive(&h->server.ws, &ev, 0), HWS_EVENT);
    assert_memory_equal(ev.data, "hi", 2);
    hws_blocking_release(&h->server.ws);
    expect_start(half_answer(h), "HTTP/1.1 101 ");
    half_free(h);
}

static void a_foreign_origin_is_refused_with_403(void **state) {
    half *h = half_new();
    hws_accept_config accept;
    (void)state;
    raw_send_text(h->fd, "GET / HTTP/1.1\r\n" UPGRADE "Origin: http://evil.example\r\n\r\n");
    assert_int_equal(half_read(h), HWS_OK);
    hws_accept_config_init(&accept);
    accept.origin.kind = HWS_ORIGIN_SAME;
    assert_int_equal(hws_blocking_accept(&h->server.ws, &accept), HWS_ERR_ORIGIN);
    expect_start(half_answer(h), "HTTP/1.1 403 ");
    half_free(h);
}

static void a_unix_socket_serves_as_well(void **state) {
    pair *p = pair_new_unix();
    (void)state;
    assert_int_equal(hws_listener_port(&p->listener), 0);
    pair_open(p);
    pair_close(p);
}

static void only_a_stale_unix_socket_is_replaced(void **state) {
    pair *p = pair_new_unix();
    hws_listener second;
    struct sockaddr_un address;
    struct stat info;
    char path[200];
    FILE *file = NULL;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    (void)state;
    pair_open(p);
    /* Somebody listens. */
    assert_int_equal(hws_listener_open_unix(&second, p->path), HWS_ERR_SYSTEM);
    assert_int_equal(hws_listener_system_error(&second), EADDRINUSE);
    hws_listener_release(&second);
    pair_close(p);
    /* A socket that was left behind. */
    snprintf(path, sizeof path, "/tmp/hawser-test-%ld.sock", (long)getpid());
    assert_int_equal(stat(path, &info), -1);
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, path, strlen(path) + 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    assert_int_equal(hws_listener_open_unix(&second, path), HWS_OK);
    hws_listener_release(&second);
    assert_int_equal(stat(path, &info), -1);
    /* A file is nobody's socket. */
    file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(hws_listener_open_unix(&second, path), HWS_ERR_SYSTEM);
    assert_int_equal(stat(path, &info), 0);
    unlink(path);
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(hws_listener_open_unix(&second, path), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_listener_open_unix(&second, ""), HWS_ERR_ARGUMENT);
}

static void a_listener_waits_as_long_as_it_is_told(void **state) {
    pair *p = pair_new();
    hws_listener other;
    intptr_t socket = -1;
    int64_t start = peer_now_ms();
    (void)state;
    assert_int_equal(hws_listener_accept(&p->listener, &socket, 0), HWS_ERR_TIMEOUT);
    assert_int_equal(hws_listener_accept(&p->listener, &socket, 50), HWS_ERR_TIMEOUT);
    assert_in_range(peer_now_ms() - start, 50, 2000);
    assert_int_equal(hws_listener_open(&other, "127.0.0.1", hws_listener_port(&p->listener)),
                     HWS_ERR_SYSTEM);
    assert_int_equal(hws_listener_system_error(&other), EADDRINUSE);
    assert_int_equal(hws_listener_open(&other, "no.such.name.invalid", 0), HWS_ERR_RESOLVE);
    assert_int_equal(hws_listener_open(&other, "localhost", 0), HWS_OK);
    assert_int_not_equal(hws_listener_port(&other), 0);
    hws_listener_release(&other);
    pair_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_request_gets_a_page),
        cmocka_unit_test(some_responses_end_with_their_head),
        cmocka_unit_test(a_request_with_a_body_reads_its_answer),
        cmocka_unit_test(wrong_requests_are_answered),
        cmocka_unit_test(a_head_must_fit_in_half_of_the_memory),
        cmocka_unit_test(a_head_that_drips_in_is_cut_off_with_408),
        cmocka_unit_test(a_client_that_leaves_gets_no_answer),
        cmocka_unit_test(a_bad_configuration_closes_the_socket),
        cmocka_unit_test(frames_sent_with_the_request_are_not_lost),
        cmocka_unit_test(a_foreign_origin_is_refused_with_403),
        cmocka_unit_test(a_unix_socket_serves_as_well),
        cmocka_unit_test(only_a_stale_unix_socket_is_replaced),
        cmocka_unit_test(a_listener_waits_as_long_as_it_is_told),
    };
    alarm(120);
    return cmocka_run_group_tests_name("blocking_open", tests, NULL, NULL);
}
