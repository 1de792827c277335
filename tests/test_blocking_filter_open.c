/*
 * Opening connections through a filter: its handshake, in all the time that it may take, what goes
 * wrong in it, and the HTTP behind it.
 */
#include "toy_peer.h"

enum { SHORT_MS = 50, SOON_MS = 5000, JUNK_LEN = 64 };

#define UPGRADE                                                                                    \
    "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"           \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"

/* --- configurations --------------------------------------------------------------------------- */

static void wss_needs_a_filter_and_ws_leaves_it_alone(void **state) {
    toy kind;
    pair *p = toy_pair_new(&kind);
    (void)state;
    p->client.config.filter = NULL;
    assert_int_equal(hws_blocking_connect(&p->client.ws, p->url, &p->client.config, NULL),
                     HWS_ERR_TLS);
    p->client.config.filter = &kind.table;
    p->server.config.filter = NULL;
    snprintf(p->url, sizeof p->url, "ws://127.0.0.1:%u/", hws_listener_port(&p->listener));
    pair_open(p);
    assert_int_equal(kind.made, 0);
    pair_close(p);
}

static void a_client_tells_the_filter_the_host_of_the_url(void **state) {
    toy kind;
    pair *p = toy_pair_new(&kind);
    (void)state;
    snprintf(p->url, sizeof p->url, "wss://user:pass@localhost:%u/x?y",
             hws_listener_port(&p->listener));
    pair_open(p);
    assert_string_equal(kind.host, "localhost");
    pair_close(p);
    assert_int_equal(kind.made, 0);
}

static void configurations_that_cannot_be_are_refused(void **state) {
    static const struct {
        size_t memory;
        uint32_t size;
        hws_status making;
        hws_status status;
    } rows[] = {
        {HWS_BLOCKING_MIN_FILTER_MEMORY - 1, sizeof(hws_filter), HWS_OK, HWS_ERR_ARGUMENT},
        {PEER_MEMORY, 8, HWS_OK, HWS_ERR_ARGUMENT},
        {PEER_MEMORY, sizeof(hws_filter), HWS_ERR_MEMORY, HWS_ERR_MEMORY},
        {PEER_MEMORY, sizeof(hws_filter), HWS_ERR_TLS, HWS_ERR_TLS},
    };
    size_t i = 0;
    (void)state;
    while (i < sizeof rows / sizeof rows[0]) {
        toy kind;
        pair *p = toy_pair_new(&kind);
        intptr_t socket = -1;
        hws_handshake handshake;
        kind.making = rows[i].making;
        kind.table.size = rows[i].size;
        p->client.config.memory_len = p->server.config.memory_len = rows[i].memory;
        assert_int_equal(hws_blocking_connect(&p->client.ws, p->url, &p->client.config, NULL),
                         rows[i].status);
        snprintf(p->url, sizeof p->url, "ws://127.0.0.1:%u/", hws_listener_port(&p->listener));
        p->client.config.open_timeout_ms = 1;
        (void)hws_blocking_connect(&p->client.ws, p->url, &p->client.config, NULL);
        assert_int_equal(hws_listener_accept(&p->listener, &socket, LONG_MS), HWS_OK);
        assert_int_equal(
            hws_blocking_read_request(&p->server.ws, socket, &p->server.config, &handshake),
            rows[i].status);
        assert_int_equal(hws_blocking_socket(&p->server.ws), -1);
        pair_free(p);
        i++;
    }
}

/* --- a server, and a client by hand ----------------------------------------------------------- */

static toy half_kind; /* of the half there is */

static half *toy_half_new(void) {
    half *h = half_new();
    toy_init(&half_kind);
    h->server.config.filter = &half_kind.table;
    return h;
}

static void toy_half_free(half *h) {
    half_free(h);
    assert_int_equal(half_kind.made, 0);
}

static void *drip_request(void *arg) {
    half *h = arg;
    uint8_t wire[1024] = TOY_HELLO "D";
    size_t n = sizeof UPGRADE - 1;
    size_t i = 0;
    assert_true(n <= TOY_RECORD_MAX);
    wire[4] = (uint8_t)n;
    while (i < n) {
        wire[5 + i] = (uint8_t)UPGRADE[i] ^ TOY_KEY;
        i++;
    }
    i = 0;
    while (i < n + 5) {
        raw_send(h->fd, wire + i, 1);
        peer_nap_ms(1);
        i++;
    }
    return NULL;
}

static void a_request_that_drips_is_read(void **state) {
    half *h = toy_half_new();
    pthread_t thread;
    hws_accept_config accept;
    char head[1024];
    (void)state;
    hws_accept_config_init(&accept);
    accept.origin.kind = HWS_ORIGIN_SAME;
    assert_int_equal(pthread_create(&thread, NULL, drip_request, h), 0);
    assert_int_equal(half_read(h), HWS_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    raw_expect(h->fd, TOY_REPLY, 3);
    assert_int_equal(hws_blocking_accept(&h->server.ws, &accept), HWS_OK);
    toy_raw_head(h->fd, head, sizeof head);
    assert_non_null(strstr(head, "HTTP/1.1 101 "));
    toy_half_free(h);
}

/* Send until the socket takes no more. Returns how many times JUNK_LEN bytes that were. */
static size_t fill(int fd) {
    static const uint8_t junk[JUNK_LEN];
    size_t count = 0;
    while (send(fd, junk, sizeof junk, MSG_DONTWAIT | MSG_NOSIGNAL) == JUNK_LEN) {
        count++;
    }
    assert_int_equal(errno, EAGAIN);
    return count;
}

typedef struct late_reader {
    half *h;
    size_t junk_count;
} late_reader;

/* Sends its greeting, reads nothing for long, and waits for the other greeting then. */
static void *greet_and_read_late(void *arg) {
    const late_reader *r = arg;
    uint8_t junk[JUNK_LEN];
    size_t i = 0;
    raw_send_text(r->h->fd, TOY_HELLO);
    peer_nap_ms(SHORT_MS);
    while (i < r->junk_count) {
        assert_int_equal(raw_read(r->h->fd, junk, JUNK_LEN), JUNK_LEN);
        i++;
    }
    raw_expect(r->h->fd, TOY_REPLY, 3);
    toy_raw_send(r->h->fd, UPGRADE, sizeof UPGRADE - 1);
    return NULL;
}

/* As the certificates of a TLS server may: nobody but the filter knows that there is something. */
static void a_greeting_waits_for_room_in_the_socket(void **state) {
    half *h = toy_half_new();
    pthread_t thread;
    late_reader reader = {h, fill((int)h->socket)};
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, greet_and_read_late, &reader), 0);
    assert_int_equal(half_read(h), HWS_OK);
    assert_int_equal(h->handshake.kind, HWS_REQUEST_UPGRADE);
    assert_int_equal(pthread_join(thread, NULL), 0);
    toy_half_free(h);
}

static void a_server_waits_for_the_handshake_until_the_deadline(void **state) {
    static const char *const starts[] = {"", "he", "hey", "heyD\x10"};
    size_t i = 0;
    (void)state;
    while (i < sizeof starts / sizeof starts[0]) {
        half *h = toy_half_new();
        int64_t begin = peer_now_ms();
        h->server.config.open_timeout_ms = SHORT_MS;
        raw_send_text(h->fd, starts[i]);
        assert_int_equal(half_read(h), HWS_ERR_TIMEOUT);
        assert_in_range(peer_now_ms() - begin, SHORT_MS, SOON_MS);
        toy_half_free(h);
        i++;
    }
}

static void a_handshake_that_fails_is_told_with_an_alert(void **state) {
    static const struct {
        const char *wire;
        const char *answer;
    } rows[] = {{"GET / HTTP/1.1\r\n", "A"}, {"hex", "A"}, {"heyX", "hoyA"}};
    size_t i = 0;
    (void)state;
    while (i < sizeof rows / sizeof rows[0]) {
        half *h = toy_half_new();
        raw_send_text(h->fd, rows[i].wire);
        assert_int_equal(half_read(h), HWS_ERR_TLS);
        raw_expect(h->fd, rows[i].answer, strlen(rows[i].answer));
        toy_half_free(h);
        i++;
    }
}

static void a_client_that_leaves_in_the_handshake_has_left(void **state) {
    static const char *const wires[] = {"", "he", "hey", "heyC", "heyD"};
    size_t i = 0;
    (void)state;
    while (i < sizeof wires / sizeof wires[0]) {
        half *h = toy_half_new();
        raw_send_text(h->fd, wires[i]);
        shutdown(h->fd, SHUT_WR);
        assert_int_equal(half_read(h), HWS_ERR_EOF);
        toy_half_free(h);
        i++;
    }
}

static void a_page_ends_with_close_notify(void **state) {
    half *h = toy_half_new();
    char head[1024];
    (void)state;
    raw_send_text(h->fd, TOY_HELLO);
    toy_raw_send(h->fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27);
    assert_int_equal(half_read(h), HWS_OK);
    assert_int_equal(h->handshake.kind, HWS_REQUEST_PLAIN);
    assert_int_equal(hws_blocking_respond(&h->server.ws, 200, NULL, 0, (const uint8_t *)"page", 4),
                     HWS_OK);
    raw_expect(h->fd, TOY_REPLY, 3);
    toy_raw_head(h->fd, head, sizeof head);
    assert_non_null(strstr(head, "HTTP/1.1 200 "));
    toy_raw_expect(h->fd, "page", 4);
    raw_expect(h->fd, "C", 1);
    raw_expect_end(h->fd);
    toy_half_free(h);
}

static void a_wrong_request_is_answered_through_the_filter(void **state) {
    half *h = toy_half_new();
    char head[1024];
    (void)state;
    raw_send_text(h->fd, TOY_HELLO);
    toy_raw_send(h->fd, "NONSENSE\r\n\r\n", 12);
    assert_int_equal(half_read(h), HWS_ERR_REQUEST_LINE);
    raw_expect(h->fd, TOY_REPLY, 3);
    toy_raw_head(h->fd, head, sizeof head);
    assert_non_null(strstr(head, "HTTP/1.1 400 "));
    toy_half_free(h);
}

static void a_head_must_fit_in_a_quarter_of_the_memory(void **state) {
    half *h = toy_half_new();
    uint8_t line[HWS_BLOCKING_MIN_FILTER_MEMORY / 4];
    (void)state;
    h->server.config.memory_len = HWS_BLOCKING_MIN_FILTER_MEMORY;
    memset(line, 'x', sizeof line);
    raw_send_text(h->fd, TOY_HELLO);
    toy_raw_send(h->fd, "GET / HTTP/1.1\r\nHost: a\r\nX: ", 28);
    toy_raw_send(h->fd, line, sizeof line);
    assert_int_equal(half_read(h), HWS_ERR_HEAD_TOO_LARGE);
    toy_half_free(h);
}

/* --- a client, and a server by hand ----------------------------------------------------------- */

typedef struct script {
    pair *p;
    const char *greeting; /* of the server; NULL: it is silent and waits for the client's end */
    const char *answer;   /* to the request, of the right filter; NULL: none */
    const char *end;      /* on the wire */
    char got[8]; /* out: what the client said after the greeting, when there is no answer */
} script;

static void *play(void *arg) {
    script *s = arg;
    intptr_t socket = -1;
    char head[2048];
    assert_int_equal(hws_listener_accept(&s->p->listener, &socket, LONG_MS), HWS_OK);
    int fd = (int)socket;
    raw_expect(fd, TOY_HELLO, 3);
    raw_expect_silence(fd, 10);
    if (s->greeting != NULL) {
        raw_send_text(fd, s->greeting);
    }
    if (s->answer != NULL) {
        toy_raw_head(fd, head, sizeof head);
        toy_raw_send(fd, s->answer, strlen(s->answer));
        raw_send_text(fd, s->end);
    } else if (s->greeting == NULL || *s->end != '\0') {
        (void)raw_read(fd, (uint8_t *)s->got, sizeof s->got - 1);
    }
    close(fd);
    return NULL;
}

static void handshakes_that_fail_are_told(void **state) {
    static const struct {
        const char *greeting;
        const char *end;
        hws_status status;
        const char *got;
    } rows[] = {
        {"hello", "wait", HWS_ERR_TLS, "A"},
        {NULL, "", HWS_ERR_TIMEOUT, ""},
        {"", "", HWS_ERR_EOF, ""},
        {"ho", "", HWS_ERR_EOF, ""},
    };
    size_t i = 0;
    (void)state;
    while (i < sizeof rows / sizeof rows[0]) {
        toy kind;
        script s = {toy_pair_new(&kind), rows[i].greeting, NULL, rows[i].end, ""};
        int64_t begin = peer_now_ms();
        if (rows[i].status == HWS_ERR_TIMEOUT) {
            s.p->client.config.open_timeout_ms = SHORT_MS;
        }
        assert_int_equal(pthread_create(&s.p->thread, NULL, play, &s), 0);
        assert_int_equal(hws_blocking_connect(&s.p->client.ws, s.p->url, &s.p->client.config, NULL),
                         rows[i].status);
        assert_true(peer_now_ms() - begin < SOON_MS);
        assert_int_equal(pthread_join(s.p->thread, NULL), 0);
        assert_string_equal(s.got, rows[i].got);
        assert_int_equal(kind.made, 0);
        pair_free(s.p);
        i++;
    }
}

/* RFC 9112 9.8: without close_notify nobody knows whether a body was whole. */
static void a_body_that_ends_with_the_stream_needs_close_notify(void **state) {
    static const struct {
        const char *answer;
        const char *end;
        hws_status status;
    } rows[] = {
        {"HTTP/1.1 403 No\r\n\r\nbody", "C", HWS_OK},
        {"HTTP/1.1 403 No\r\n\r\nbody", "", HWS_ERR_EOF},
        {"HTTP/1.1 403 No\r\n\r\nbody", "x", HWS_ERR_TLS},
        {"HTTP/1.1 403 No\r\nContent-Length: 4\r\n\r\nbody", "", HWS_OK},
        {"HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\nbody", "C", HWS_ERR_EOF},
    };
    size_t i = 0;
    (void)state;
    while (i < sizeof rows / sizeof rows[0]) {
        toy kind;
        script s = {toy_pair_new(&kind), TOY_REPLY, rows[i].answer, rows[i].end, ""};
        uint8_t body[16];
        size_t n = 0;
        assert_int_equal(pthread_create(&s.p->thread, NULL, play, &s), 0);
        assert_int_equal(hws_blocking_connect(&s.p->client.ws, s.p->url, &s.p->client.config, NULL),
                         HWS_ERR_REFUSED);
        assert_int_equal(pthread_join(s.p->thread, NULL), 0);
        assert_int_equal(hws_blocking_read_body(&s.p->client.ws, body, sizeof body, &n, LONG_MS),
                         rows[i].status);
        assert_int_equal(n, 4);
        assert_memory_equal(body, "body", 4);
        pair_free(s.p);
        assert_int_equal(kind.made, 0);
        i++;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wss_needs_a_filter_and_ws_leaves_it_alone),
        cmocka_unit_test(a_client_tells_the_filter_the_host_of_the_url),
        cmocka_unit_test(configurations_that_cannot_be_are_refused),
        cmocka_unit_test(a_request_that_drips_is_read),
        cmocka_unit_test(a_greeting_waits_for_room_in_the_socket),
        cmocka_unit_test(a_server_waits_for_the_handshake_until_the_deadline),
        cmocka_unit_test(a_handshake_that_fails_is_told_with_an_alert),
        cmocka_unit_test(a_client_that_leaves_in_the_handshake_has_left),
        cmocka_unit_test(a_page_ends_with_close_notify),
        cmocka_unit_test(a_wrong_request_is_answered_through_the_filter),
        cmocka_unit_test(a_head_must_fit_in_a_quarter_of_the_memory),
        cmocka_unit_test(handshakes_that_fail_are_told),
        cmocka_unit_test(a_body_that_ends_with_the_stream_needs_close_notify),
    };
    alarm(60);
    return cmocka_run_group_tests_name("blocking_filter_open", tests, NULL, NULL);
}
