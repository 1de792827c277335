/*
 * The client's side of opening, over real sockets: what is asked for, and what servers answer.
 */
#include "peer.h"

static void expect_start(const char *text, const char *start) {
    if (strncmp(text, start, strlen(start)) != 0) {
        assert_string_equal(text, start);
    }
}

/* A raw server: takes one connection, reads a head, answers with a fixed text. */
typedef struct canned {
    pair *p;
    const char *answer;
    char request[4096];
    int keep; /* 1: waits for the client's end before it closes */
} canned;

static void *canned_run(void *arg) {
    canned *c = arg;
    intptr_t socket = -1;
    size_t n = 0;
    assert_int_equal(hws_listener_accept(&c->p->listener, &socket, LONG_MS), HWS_OK);
    while (strstr(c->request, "\r\n\r\n") == NULL) {
        assert_int_equal(raw_read((int)socket, (uint8_t *)c->request + n, 1), 1);
        n++;
    }
    /* RFC 6455 4.1: nothing more is sent before the answer. */
    raw_expect_silence((int)socket, 20);
    raw_send_text((int)socket, c->answer);
    if (c->keep) {
        uint8_t byte = 0;
        (void)raw_read((int)socket, &byte, 1);
    }
    close((int)socket);
    return NULL;
}

static hws_status connect_canned(canned *c, const char *url, const hws_client_config *client) {
    hws_status status = HWS_OK;
    assert_int_equal(pthread_create(&c->p->thread, NULL, canned_run, c), 0);
    status = hws_blocking_connect(&c->p->client.ws, url != NULL ? url : c->p->url,
                                  &c->p->client.config, client);
    if (!c->keep) {
        assert_int_equal(pthread_join(c->p->thread, NULL), 0);
    }
    return status;
}

static void a_refusal_can_be_read(void **state) {
    const struct {
        const char *answer;
        hws_status result;
        int keep;
        const char *body;
    } rows[] = {
        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nno!\nmore", HWS_OK, 1, "no!\n"},
        {"HTTP/1.1 403 Forbidden\r\n\r\nto the end", HWS_OK, 0, "to the end"},
        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\ncut", HWS_ERR_EOF, 0, "cut"},
        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nslow", HWS_ERR_TIMEOUT, 1, "slow"},
        {"HTTP/1.1 204 No\r\n\r\n", HWS_OK, 1, ""},
        {"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", HWS_OK, 0,
         "1\r\na\r\n0\r\n\r\n"},
    };
    size_t i = 0;
    (void)state;
    while (i < sizeof rows / sizeof rows[0]) {
        canned c = {pair_new(), rows[i].answer, "", rows[i].keep};
        uint8_t body[64];
        size_t n = 99;
        size_t more = 0;
        hws_event ev;
        hws_status status = HWS_OK;
        assert_int_equal(connect_canned(&c, NULL, NULL), HWS_ERR_REFUSED);
        assert_true(hws_blocking_head(&c.p->client.ws, NULL)->status >= 204);
        assert_int_equal(hws_blocking_receive(&c.p->client.ws, &ev, 0), HWS_ERR_STATE);
        assert_int_equal(hws_blocking_read_body(&c.p->client.ws, body, 1, &n, LONG_MS), HWS_OK);
        assert_int_equal(n, rows[i].body[0] != '\0');
        status = hws_blocking_read_body(&c.p->client.ws, body + n, sizeof body - n, &more, 100);
        assert_int_equal(status, rows[i].result);
        assert_int_equal(n + more, strlen(rows[i].body));
        assert_memory_equal(body, rows[i].body, n + more);
        hws_blocking_release(&c.p->client.ws);
        if (c.keep) {
            assert_int_equal(pthread_join(c.p->thread, NULL), 0);
        }
        pair_free(c.p);
        i++;
    }
}

static void a_redirect_shows_its_location(void **state) {
    canned c = {pair_new(), "HTTP/1.1 301 Moved\r\nLocation: ws://b/\r\nContent-Length: 0\r\n\r\n",
                "", 0};
    const uint8_t *bytes = NULL;
    const hws_head *head = NULL;
    uint32_t i = 0;
    (void)state;
    assert_int_equal(connect_canned(&c, NULL, NULL), HWS_ERR_REFUSED);
    head = hws_blocking_head(&c.p->client.ws, &bytes);
    assert_int_equal(head->status, 301);
    i = hws_head_find(head, bytes, hws_text_from("location"), 0);
    assert_memory_equal(bytes + head->headers[i].value.offset, "ws://b/", 7);
    pair_free(c.p);
}

static void what_is_no_websocket_server_is_left(void **state) {
    const struct {
        const char *answer;
        hws_status status;
    } rows[] = {
        {"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
         HWS_ERR_ACCEPT},
        {"SSH-2.0-OpenSSH\r\n", HWS_ERR_STATUS_LINE},
        {"HTTP/1.1 10", HWS_ERR_EOF},
        {"", HWS_ERR_EOF},
    };
    size_t i = 0;
    (void)state;
    while (i < sizeof rows / sizeof rows[0]) {
        canned c = {pair_new(), rows[i].answer, "", 0};
        assert_int_equal(connect_canned(&c, NULL, NULL), rows[i].status);
        assert_int_equal(hws_blocking_socket(&c.p->client.ws), -1);
        pair_free(c.p);
        i++;
    }
}

static void the_url_and_the_configuration_make_the_request(void **state) {
    const hws_text offer[] = {{"one", 3}, {"two", 3}};
    hws_field fields[65];
    hws_client_config client;
    char url[96];
    size_t i = 0;
    canned c = {pair_new(), "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", "", 0};
    (void)state;
    while (i < 65) {
        fields[i].name = hws_text_from("X-Field");
        fields[i].value = hws_text_from("value");
        i++;
    }
    hws_client_config_init(&client);
    client.subprotocols = offer;
    client.subprotocol_count = 2;
    client.fields = fields;
    client.field_count = 2;
    snprintf(url, sizeof url, "ws://Aladdin:open%%20sesame@127.0.0.1:%u?room=1",
             hws_listener_port(&c.p->listener));
    assert_int_equal(connect_canned(&c, url, &client), HWS_ERR_REFUSED);
    expect_start(c.request, "GET /?room=1 HTTP/1.1\r\nHost: 127.0.0.1:");
    assert_non_null(strstr(c.request, "\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
    assert_non_null(strstr(c.request, "\r\nSec-WebSocket-Protocol: one, two\r\n"));
    assert_non_null(strstr(c.request, "\r\nX-Field: value\r\nX-Field: value\r\n"));
    hws_blocking_release(&c.p->client.ws);
    /* A field of the caller's own goes before userinfo. */
    memset(c.request, 0, sizeof c.request);
    fields[0].name = hws_text_from("authorization");
    assert_int_equal(connect_canned(&c, url, &client), HWS_ERR_REFUSED);
    assert_null(strstr(c.request, "Basic"));
    assert_non_null(strstr(c.request, "\r\nauthorization: value\r\n"));
    hws_blocking_release(&c.p->client.ws);
    fields[0].name = hws_text_from("X-Field");
    client.field_count = 65;
    assert_int_equal(hws_blocking_connect(&c.p->client.ws, url, &c.p->client.config, &client),
                     HWS_ERR_ARGUMENT);
    pair_free(c.p);
}

static void connecting_fails_with_its_reason(void **state) {
    pair *p = pair_new();
    hws_blocking *ws = &p->client.ws;
    hws_client_config client;
    int64_t start = 0;
    (void)state;
    assert_int_equal(hws_blocking_connect(ws, "http://a/", &p->client.config, NULL),
                     HWS_ERR_URI_SCHEME);
    assert_int_equal(hws_blocking_connect(ws, "wss://a/", &p->client.config, NULL), HWS_ERR_TLS);
    assert_int_equal(
        hws_blocking_connect(ws, "ws://no.such.name.invalid/", &p->client.config, NULL),
        HWS_ERR_RESOLVE);
    assert_int_not_equal(hws_blocking_system_error(ws), 0);
    memset(&client, 0, sizeof client);
    assert_int_equal(hws_blocking_connect(ws, p->url, &p->client.config, &client),
                     HWS_ERR_ARGUMENT);
    /* The listener's queue takes the connection, but nobody answers. */
    p->client.config.open_timeout_ms = 50;
    start = peer_now_ms();
    assert_int_equal(hws_blocking_connect(ws, p->url, &p->client.config, NULL), HWS_ERR_TIMEOUT);
    assert_in_range(peer_now_ms() - start, 50, 2000);
    hws_listener_release(&p->listener);
    assert_int_equal(hws_blocking_connect(ws, p->url, &p->client.config, NULL), HWS_ERR_CONNECT);
    assert_int_equal(hws_blocking_system_error(ws), ECONNREFUSED);
    p->client.config.unix_path = "/nonexistent/socket";
    assert_int_equal(hws_blocking_connect(ws, p->url, &p->client.config, NULL), HWS_ERR_CONNECT);
    p->client.config.random = NULL;
    assert_int_equal(hws_blocking_connect(ws, p->url, &p->client.config, NULL), HWS_ERR_ARGUMENT);
    pair_free(p);
}

static void a_subprotocol_is_agreed_on(void **state) {
    const hws_text offer[] = {{"chat", 4}, {"superchat", 9}};
    pair *p = pair_new();
    hws_client_config client;
    hws_text text;
    (void)state;
    hws_client_config_init(&client);
    client.subprotocols = offer;
    client.subprotocol_count = 2;
    p->subprotocol = offer[1];
    assert_int_equal(pthread_create(&p->thread, NULL, pair_serve, p), 0);
    assert_int_equal(hws_blocking_connect(&p->client.ws, p->url, &p->client.config, &client),
                     HWS_OK);
    assert_int_equal(pthread_join(p->thread, NULL), 0);
    text = hws_blocking_subprotocol(&p->client.ws);
    assert_int_equal(text.len, 9);
    assert_memory_equal(text.data, "superchat", 9);
    text = hws_blocking_subprotocol(&p->server.ws);
    assert_int_equal(text.len, 9);
    assert_memory_equal(text.data, "superchat", 9);
    pair_close(p);
}

/* A server that breaks the protocol, and then reads what the client says to that. */
static void *break_the_protocol(void *arg) {
    static const uint8_t reserved_opcode[] = {0x83, 0x00};
    int socket = peer_socket(arg);
    uint8_t close_frame[9];
    raw_send(socket, reserved_opcode, sizeof reserved_opcode);
    /* One masked Close with 1002, and then the end of the client's side. */
    assert_int_equal(raw_read(socket, close_frame, sizeof close_frame), 8);
    assert_int_equal(close_frame[0], 0x88);
    assert_int_equal(close_frame[1], 0x82);
    assert_int_equal((close_frame[6] ^ close_frame[2]) << 8 | (close_frame[7] ^ close_frame[3]),
                     HWS_CLOSE_PROTOCOL_ERROR);
    hws_blocking_release(&((peer *)arg)->ws);
    return NULL;
}

/* RFC 6455 7.1.7. */
static void a_client_fails_after_a_fault_of_the_server(void **state) {
    pair *p = pair_open_new();
    hws_event ev;
    (void)state;
    assert_int_equal(pthread_create(&p->thread, NULL, break_the_protocol, &p->server), 0);
    assert_int_equal(hws_blocking_receive(&p->client.ws, &ev, LONG_MS), HWS_ERR_OPCODE);
    assert_int_equal(hws_blocking_socket(&p->client.ws), -1);
    assert_int_equal(hws_blocking_receive(&p->client.ws, &ev, 0), HWS_ERR_OPCODE);
    assert_int_equal(pthread_join(p->thread, NULL), 0);
    pair_free(p);
}

static void what_was_never_used_can_be_released(void **state) {
    hws_blocking ws;
    hws_listener listener;
    (void)state;
    memset(&ws, 0, sizeof ws);
    memset(&listener, 0, sizeof listener);
    assert_int_equal(hws_blocking_socket(&ws), -1);
    hws_blocking_release(&ws);
    hws_listener_release(&listener);
    assert_true(fcntl(0, F_GETFD) != -1 || errno != EBADF); /* stdin is nobody's socket */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_can_be_read),
        cmocka_unit_test(a_redirect_shows_its_location),
        cmocka_unit_test(what_is_no_websocket_server_is_left),
        cmocka_unit_test(the_url_and_the_configuration_make_the_request),
        cmocka_unit_test(connecting_fails_with_its_reason),
        cmocka_unit_test(a_subprotocol_is_agreed_on),
        cmocka_unit_test(a_client_fails_after_a_fault_of_the_server),
        cmocka_unit_test(what_was_never_used_can_be_released),
    };
    alarm(120);
    return cmocka_run_group_tests_name("blocking_connect", tests, NULL, NULL);
}
