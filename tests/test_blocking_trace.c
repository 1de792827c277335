/*
 * The trace of a connection over blocking sockets: each frame once, in order, with the payload of
 * control frames alone.
 */
#include "peer.h"

enum { FRAMES = 64, SHORT_MS = 30 };

/* What one side was told. */
typedef struct told {
    char text[FRAMES * 64];
    size_t n;
    const void *connection;
} told;

static told log_of[2];

static void tell(void *user, const void *connection, uint8_t sent, const hws_frame *frame,
                 const uint8_t *payload) {
    told *t = user;
    uint8_t control = frame->opcode >= HWS_OPCODE_CLOSE;
    size_t i = 0;
    assert_ptr_equal(connection, t->connection);
    if (!control || frame->payload_len == 0) {
        assert_null(payload);
    }
    t->n += (size_t)snprintf(t->text + t->n, sizeof t->text - t->n, "%c%x%s%s:%u", sent ? '>' : '<',
                             frame->opcode, frame->fin ? "" : "-", frame->rsv ? "z" : "",
                             (unsigned)frame->payload_len);
    while (control && payload != NULL && i < frame->payload_len) {
        t->n += (size_t)snprintf(t->text + t->n, sizeof t->text - t->n, "%s%02x", i == 0 ? "=" : "",
                                 payload[i]);
        i++;
    }
    t->n += (size_t)snprintf(t->text + t->n, sizeof t->text - t->n, " ");
}

/* The first word of a head, how long it is, and how many fields it has. */
static void tell_head(void *user, const void *connection, uint8_t sent, const hws_head *head,
                      const uint8_t *bytes) {
    told *t = user;
    assert_ptr_equal(connection, t->connection);
    t->n += (size_t)snprintf(t->text + t->n, sizeof t->text - t->n, "%c%.4s/%u/%u ",
                             sent ? '>' : '<', (const char *)bytes, (unsigned)head->head_len,
                             (unsigned)head->header_count);
}

static pair *traced_pair(void) {
    pair *p = pair_new();
    memset(log_of, 0, sizeof log_of);
    p->client.config.trace = p->server.config.trace = tell;
    log_of[HWS_ROLE_CLIENT].connection = &p->client.ws;
    log_of[HWS_ROLE_SERVER].connection = &p->server.ws;
    p->client.config.trace_user = &log_of[HWS_ROLE_CLIENT];
    p->server.config.trace_user = &log_of[HWS_ROLE_SERVER];
    return p;
}

static void send_some(hws_blocking *ws, uint8_t type, uint8_t flags, size_t len) {
    static const uint8_t zeros[100000];
    assert_int_equal(hws_blocking_send(ws, type, flags, zeros, len, LONG_MS), HWS_OK);
}

/* An event of each frame but the Closes. */
static void receive_some(hws_blocking *ws, size_t bytes, int controls) {
    hws_event ev;
    while (bytes > 0 || controls > 0) {
        assert_int_equal(hws_blocking_receive(ws, &ev, LONG_MS), HWS_EVENT);
        assert_int_not_equal(ev.type, HWS_FRAME);
        if (ev.type == HWS_PING || ev.type == HWS_PONG) {
            controls--;
        } else {
            bytes -= ev.len;
        }
    }
}

static void each_frame_is_told_on_both_sides(void **state) {
    pair *p = traced_pair();
    hws_event ev;
    (void)state;
    pair_open(p);
    send_some(&p->client.ws, HWS_TEXT, HWS_FIRST, 5);
    assert_int_equal(
        hws_blocking_send(&p->client.ws, HWS_PING, HWS_WHOLE, (const uint8_t *)"pi", 2, LONG_MS),
        HWS_OK);
    send_some(&p->client.ws, HWS_TEXT, HWS_FINAL, 300);
    send_some(&p->client.ws, HWS_PONG, HWS_WHOLE, 0);
    receive_some(&p->server.ws, 305, 2);
    receive_some(&p->client.ws, 0, 1);
    send_some(&p->server.ws, HWS_BINARY, HWS_WHOLE, 70000);
    receive_some(&p->client.ws, 70000, 0);
    assert_int_equal(
        hws_blocking_send_close(&p->client.ws, 1000, (const uint8_t *)"ok", 2, LONG_MS), HWS_OK);
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(hws_blocking_receive(&p->client.ws, &ev, LONG_MS), HWS_EVENT);
    assert_string_equal(log_of[HWS_ROLE_CLIENT].text,
                        ">1-:5 >9:2=7069 >0:300 >a:0 <a:2=7069 <2:70000 >8:4=03e86f6b "
                        "<8:2=03e8 ");
    assert_string_equal(log_of[HWS_ROLE_SERVER].text,
                        "<1-:5 <9:2=7069 >a:2=7069 <0:300 <a:0 >2:70000 <8:4=03e86f6b "
                        ">8:2=03e8 ");
    pair_free(p);
}

static void a_faulty_control_frame_is_told_without_payload(void **state) {
    pair *p = traced_pair();
    hws_event ev;
    (void)state;
    pair_open(p);
    raw_send(peer_socket(&p->client), "\x88\x82\0\0\0\0\x03\xEC", 8);
    p->server.config.close_timeout_ms = SHORT_MS;
    assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, SHORT_MS), HWS_ERR_TIMEOUT);
    assert_string_equal(log_of[HWS_ROLE_SERVER].text, "<8:2 >8:2=03ea ");
    pair_free(p);
}

/* Frames of 64 KiB leave in several writes, and a short one as part of many. */
static void a_frame_that_leaves_in_parts_is_told_once(void **state) {
    pair *p = NULL;
    hws_event ev;
    (void)state;
    p = pair_new_unix();
    memset(log_of, 0, sizeof log_of);
    log_of[HWS_ROLE_SERVER].connection = &p->server.ws;
    p->server.config.trace = tell;
    p->server.config.trace_user = &log_of[HWS_ROLE_SERVER];
    pair_open(p);
    peer_shrink(&p->server);
    assert_int_equal(hws_blocking_send(&p->server.ws, HWS_BINARY, HWS_FIRST, NULL, 0, LONG_MS),
                     HWS_OK);
    (void)hws_blocking_receive(&p->client.ws, &ev, 0);
    assert_int_equal(pthread_create(&p->thread, NULL, pair_receive_to_end, &p->client.ws), 0);
    send_some(&p->server.ws, HWS_BINARY, 0, 65536);
    send_some(&p->server.ws, HWS_BINARY, HWS_FINAL, 100000);
    assert_int_equal(hws_blocking_close(&p->server.ws, HWS_CLOSE_EMPTY, NULL, 0), HWS_OK);
    assert_int_equal(pthread_join(p->thread, NULL), 0);
    assert_string_equal(log_of[HWS_ROLE_SERVER].text, ">2-:0 >0-:65536 >0:100000 >8:0 <8:0 ");
    pair_free(p);
}

static void what_is_no_frame_is_not_told(void **state) {
    pair *p = traced_pair();
    intptr_t socket = -1;
    hws_handshake handshake;
    (void)state;
    p->client.config.open_timeout_ms = 1;
    assert_int_equal(hws_blocking_connect(&p->client.ws, p->url, &p->client.config, NULL),
                     HWS_ERR_TIMEOUT);
    assert_int_equal(hws_listener_accept(&p->listener, &socket, LONG_MS), HWS_OK);
    assert_int_equal(
        hws_blocking_read_request(&p->server.ws, socket, &p->server.config, &handshake), HWS_OK);
    assert_int_equal(
        hws_blocking_respond(&p->server.ws, 200, NULL, 0, (const uint8_t *)"\x81\x01x", 3), HWS_OK);
    assert_int_equal(log_of[HWS_ROLE_CLIENT].n + log_of[HWS_ROLE_SERVER].n, 0);
    pair_free(p);
}

static void *pair_refuse(void *arg) {
    pair *p = arg;
    intptr_t socket = -1;
    hws_handshake handshake;
    hws_accept_config accept;
    hws_accept_config_init(&accept);
    accept.origin.kind = HWS_ORIGIN_SAME;
    assert_int_equal(hws_listener_accept(&p->listener, &socket, LONG_MS), HWS_OK);
    assert_int_equal(
        hws_blocking_read_request(&p->server.ws, socket, &p->server.config, &handshake), HWS_OK);
    assert_int_equal(hws_blocking_accept(&p->server.ws, &accept), HWS_ERR_ORIGIN);
    return NULL;
}

/* Both sides tell the same of a handshake, and of a refusal. */
static void each_head_is_told_on_both_sides(void **state) {
    int refused = 0;
    (void)state;
    while (refused < 2) {
        pair *p = traced_pair();
        told *client = &log_of[HWS_ROLE_CLIENT];
        told *server = &log_of[HWS_ROLE_SERVER];
        hws_client_config ask;
        hws_client_config_init(&ask);
        p->client.config.trace = p->server.config.trace = NULL;
        p->client.config.head_trace = p->server.config.head_trace = tell_head;
        ask.origin = hws_text_from(refused ? "https://elsewhere.example" : "");
        assert_int_equal(pthread_create(&p->thread, NULL, refused ? pair_refuse : pair_serve, p),
                         0);
        assert_int_equal(
            hws_blocking_connect(&p->client.ws, p->url, &p->client.config, refused ? &ask : NULL),
            refused ? HWS_ERR_REFUSED : HWS_OK);
        if (refused) {
            hws_blocking_release(&p->client.ws);
        }
        assert_int_equal(pthread_join(p->thread, NULL), 0);
        assert_int_equal(strncmp(client->text, ">GET /", 6), 0);
        assert_int_equal(strncmp(server->text, "<GET /", 6), 0);
        assert_string_equal(strchr(client->text, '<') + 1, strchr(server->text, '>') + 1);
        assert_int_equal(strncmp(strchr(client->text, '<') + 1, "HTTP/", 5), 0);
        client->text[0] = '<';
        *strchr(client->text, ' ') = '\0';
        *strchr(server->text, ' ') = '\0';
        assert_string_equal(client->text, server->text);
        pair_free(p);
        refused++;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_frame_is_told_on_both_sides),
        cmocka_unit_test(a_faulty_control_frame_is_told_without_payload),
        cmocka_unit_test(a_frame_that_leaves_in_parts_is_told_once),
        cmocka_unit_test(what_is_no_frame_is_not_told),
        cmocka_unit_test(each_head_is_told_on_both_sides),
    };
    alarm(60);
    return cmocka_run_group_tests_name("blocking_trace", tests, NULL, NULL);
}
