/*
 * The opening handshake of an endpoint: a server's requests and answers, a client's responses, and
 * what can be asked while they last.
 */
#include "endpoint_pair.h"

static hws_accept_config accept_any(void) {
    hws_accept_config accept;
    hws_accept_config_init(&accept);
    accept.origin.kind = HWS_ORIGIN_ANY;
    return accept;
}

/* The end of the stream ends it, with output written. */
static side *asked(const char *request) {
    side *s = side_new(SERVER);
    side_start(s);
    side_read_text(s, request);
    return s;
}

static const char plain_text[] = "GET /health HTTP/1.1\r\nHost: example.com\r\n\r\n";

/* --- servers ------------------------------------------------------------------------------------
 */

static void nothing_is_received_before_the_request_is_answered(void **state) {
    (void)state;
    side *s = side_new(SERVER);
    uint8_t bytes[1024];
    size_t n = strlen(request_text);
    const uint8_t *head_bytes = NULL;
    memcpy(bytes, request_text, n);
    n = frame_append(SERVER, 0x81, "early", 5, bytes, n);
    side_start(s);
    assert_int_equal(hws_endpoint_wants(&s->ep), HWS_WANTS_READ);
    assert_null(hws_endpoint_request(&s->ep));
    assert_null(hws_endpoint_head(&s->ep, NULL));
    side_read(s, bytes, n);
    expect_events(s, "REQUEST");
    assert_int_equal(hws_endpoint_wants(&s->ep), 0);
    side_receive(s);
    expect_events(s, "");
    const hws_handshake *request = hws_endpoint_request(&s->ep);
    const hws_head *head = hws_endpoint_head(&s->ep, &head_bytes);
    assert_non_null(request);
    assert_non_null(head);
    assert_int_equal(request->kind, HWS_REQUEST_UPGRADE);
    hws_text path = hws_span_text(head_bytes, request->path);
    assert_int_equal(path.len, 5);
    assert_memory_equal(path.data, "/chat", 5);
    assert_int_equal(hws_endpoint_can_send(&s->ep), 0);
    assert_int_equal(side_send_text(s, "too early"), HWS_ERR_STATE);

    hws_accept_config accept = accept_any();
    assert_int_equal(hws_endpoint_accept(&s->ep, &accept), HWS_OK);
    assert_null(hws_endpoint_request(&s->ep));
    assert_int_equal(hws_endpoint_can_send(&s->ep), 1);
    assert_int_equal(side_send_text(s, "at once"), HWS_OK);
    side_receive(s);
    expect_events(s, "OPEN TEXT(early)");
    expect_output(s, "HTTP 101 TEXT(at once)");
    assert_int_equal(hws_endpoint_accept(&s->ep, &accept), HWS_ERR_STATE);
    assert_int_equal(hws_endpoint_respond(&s->ep, 200, NULL, 0, NULL, 0), HWS_ERR_STATE);
    assert_int_equal(s->counters.opened, 1);
    finish(s, HWS_ERR_EOF);
}

static void a_plain_request_is_answered_with_426(void **state) {
    (void)state;
    side *s = asked(plain_text);
    hws_accept_config accept = accept_any();
    expect_events(s, "REQUEST");
    assert_int_equal(hws_endpoint_request(&s->ep)->kind, HWS_REQUEST_PLAIN);
    assert_int_equal(hws_endpoint_accept(&s->ep, &accept), HWS_ERR_UPGRADE);
    assert_int_equal(hws_endpoint_can_send(&s->ep), 0);
    assert_true(hws_endpoint_queued(&s->ep) > 0);
    side_write(s, SIZE_MAX);
    assert_memory_equal(s->wire, "HTTP/1.1 426 ", 13);
    assert_int_equal(s->counters.refused, 1);
    assert_int_equal(s->counters.opened, 0);
    finish(s, hws_endpoint_status(&s->ep));
}

static void an_origin_that_is_not_allowed_is_answered_with_403(void **state) {
    (void)state;
    char text[512];
    snprintf(text, sizeof text, "%.*sOrigin: http://evil.example\r\n\r\n",
             (int)strlen(request_text) - 2, request_text);
    side *s = asked(text);
    assert_int_equal(hws_endpoint_accept(&s->ep, &s->accept), HWS_ERR_ORIGIN);
    side_write(s, SIZE_MAX);
    assert_memory_equal(s->wire, "HTTP/1.1 403 ", 13);
    assert_int_equal(s->counters.refused, 1);
    finish(s, hws_endpoint_status(&s->ep));
}

static void a_request_can_be_answered_with_a_page(void **state) {
    (void)state;
    static const hws_field type = {{"Content-Type", 12}, {"text/plain", 10}};
    side *s = asked(plain_text);
    s->limit = 1;
    uint8_t body[] = "fine";
    assert_int_equal(hws_endpoint_respond(&s->ep, 404, &type, 1, body, 4), HWS_OK);
    memset(body, 'x', 4); /* it was copied */
    assert_null(hws_endpoint_request(&s->ep));
    s->limit = 0;
    side_receive(s);
    expect_events(s, "REQUEST");
    assert_int_equal(hws_endpoint_wants(&s->ep) & HWS_WANTS_WRITE, HWS_WANTS_WRITE);
    assert_int_equal(hws_endpoint_respond(&s->ep, 404, NULL, 0, NULL, 0), HWS_ERR_STATE);
    side_write(s, SIZE_MAX);
    s->wire[s->wire_len] = 0;
    assert_non_null(strstr((char *)s->wire, "\r\nContent-Type: text/plain\r\n"));
    expect_output(s, "HTTP 404(fine)");
    assert_int_equal(hws_endpoint_wants(&s->ep) & HWS_WANTS_WRITE, 0);
    assert_true((hws_endpoint_wants(&s->ep) & (HWS_WANTS_SHUTDOWN | HWS_WANTS_CLOSE)) != 0);
    assert_int_equal(s->counters.refused, 1);
    side_read_text(s, "GET /more HTTP/1.1\r\n\r\n"); /* is not looked at */
    finish(s, HWS_OK);
}

static void the_body_is_not_sent_in_answer_to_head(void **state) {
    (void)state;
    side *s = asked("HEAD /health HTTP/1.1\r\nHost: example.com\r\n\r\n");
    expect_events(s, "REQUEST");
    assert_int_equal(hws_endpoint_respond(&s->ep, 200, NULL, 0, (const uint8_t *)"fine", 4),
                     HWS_OK);
    side_write(s, SIZE_MAX);
    s->wire[s->wire_len] = 0;
    assert_non_null(strstr((char *)s->wire, "Content-Length: 4\r\n"));
    expect_output(s, "HTTP 200()");
    finish(s, HWS_OK);
}

static void mistakes_in_an_answer_change_nothing(void **state) {
    (void)state;
    static const hws_field bad = {{"X-Bad", 5}, {"a\r\nb", 4}};
    static const hws_field ask = {{"WWW-Authenticate", 16}, {"Basic realm=\"x\"", 15}};
    side *s = asked(request_text);
    hws_accept_config accept;
    hws_accept_config_init(&accept);
    assert_int_equal(hws_endpoint_accept(&s->ep, &accept), HWS_ERR_ARGUMENT);
    accept = accept_any();
    accept.fields = &bad;
    accept.field_count = 1;
    assert_int_equal(hws_endpoint_accept(&s->ep, &accept), HWS_ERR_FIELD);
    accept = accept_any();
    accept.subprotocol = hws_text_from("not-offered");
    assert_int_equal(hws_endpoint_accept(&s->ep, &accept), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_respond(&s->ep, 200, &bad, 1, NULL, 0), HWS_ERR_FIELD);
    assert_int_equal(hws_endpoint_respond(&s->ep, 199, NULL, 0, NULL, 0), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_respond(&s->ep, 600, NULL, 0, NULL, 0), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_respond(&s->ep, 401, NULL, 0, NULL, 0), HWS_ERR_ARGUMENT);
    s->config.max_queue = 3;
    assert_int_equal(hws_endpoint_respond(&s->ep, 200, NULL, 0, (const uint8_t *)"four", 4),
                     HWS_ERR_FULL);
    assert_int_equal(hws_endpoint_queued(&s->ep), 0);
    assert_non_null(hws_endpoint_request(&s->ep));
    assert_int_equal(s->counters.refused, 0);
    assert_int_equal(hws_endpoint_respond(&s->ep, 401, &ask, 1, NULL, 0), HWS_OK);
    expect_output(s, "HTTP 401()");
    finish(s, HWS_OK);
}

/* A request that is no good is answered by the endpoint, and the application learns of the end. */
static void requests_that_are_wrong_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *request;
        const char *answer;
        hws_status status;
    } rows[] = {
        {"GET / HTTP/1.1\nHost: x\r\n\r\n", "HTTP/1.1 400 ", HWS_ERR_LINE_END},
        {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ", HWS_ERR_HOST},
        {"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n",
         "HTTP/1.1 426 ", HWS_ERR_VERSION},
        {"POST / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
         "HTTP/1.1 405 ", HWS_ERR_METHOD},
    };
    size_t i = 0;
    while (i < sizeof rows / sizeof rows[0]) {
        side *s = asked(rows[i].request);
        assert_int_equal(hws_endpoint_status(&s->ep), rows[i].status);
        assert_null(hws_endpoint_request(&s->ep));
        side_write(s, SIZE_MAX);
        assert_memory_equal(s->wire, rows[i].answer, strlen(rows[i].answer));
        assert_int_equal(s->counters.refused, 1);
        side_receive(s);
        hws_endpoint_receive_eof(&s->ep);
        side_receive(s);
        expect_events(s, "END 0()");
        assert_int_equal(s->counters.ended, 0);
        finish(s, rows[i].status);
        i++;
    }
}

static void limits_of_a_head_are_the_configurations(void **state) {
    (void)state;
    unsigned which = 0;
    while (which < 3) {
        static const hws_status expected[] = {HWS_ERR_HEAD_TOO_LARGE, HWS_ERR_TARGET_TOO_LONG,
                                              HWS_ERR_TOO_MANY_FIELDS};
        side *s = side_new(SERVER);
        s->config.max_head = which == 0 ? 100 : s->config.max_head;
        s->config.max_line = which == 1 ? 20 : s->config.max_line;
        s->config.max_fields = which == 2 ? 4 : s->config.max_fields;
        side_start(s);
        side_read_text(s, request_text);
        assert_int_equal(hws_endpoint_status(&s->ep), expected[which]);
        finish(s, expected[which]);
        which++;
    }
}

static void eof_before_the_end_of_a_request_ends_it(void **state) {
    (void)state;
    side *s = asked("GET / HT");
    hws_endpoint_receive_eof(&s->ep);
    side_receive(s);
    expect_events(s, "END 0()");
    expect_output(s, "");
    finish(s, HWS_ERR_EOF);
    s = side_new(SERVER);
    side_start(s);
    finish(s, HWS_ERR_EOF);
}

static void eof_while_a_request_waits_is_seen_after_the_answer(void **state) {
    (void)state;
    side *s = asked(request_text);
    hws_endpoint_receive_eof(&s->ep);
    side_receive(s);
    expect_events(s, "REQUEST");
    assert_int_equal(hws_endpoint_accept(&s->ep, &s->accept), HWS_OK);
    assert_int_equal(side_send_text(s, "a"), HWS_OK);
    expect_output(s, "HTTP 101 TEXT(a)");
    side_receive(s);
    expect_events(s, "OPEN END 1006()");
    finish(s, HWS_ERR_EOF);
    s = asked(plain_text);
    hws_endpoint_receive_eof(&s->ep);
    assert_int_equal(hws_endpoint_respond(&s->ep, 200, NULL, 0, NULL, 0), HWS_OK);
    expect_output(s, "HTTP 200()"); /* he may have shut down his side alone */
    side_receive(s);
    expect_events(s, "REQUEST END 0()");
    finish(s, HWS_OK);
}

/* --- clients ------------------------------------------------------------------------------------
 */

static side *connected(const char *more) {
    char response[1024];
    side *s = side_new(CLIENT);
    side_start(s);
    assert_int_equal(hws_endpoint_wants(&s->ep) & HWS_WANTS_WRITE, 0);
    assert_int_equal(hws_endpoint_connect(&s->ep, &s->client), HWS_OK);
    assert_int_equal(hws_endpoint_wants(&s->ep), HWS_WANTS_READ | HWS_WANTS_WRITE);
    assert_int_equal(hws_endpoint_connect(&s->ep, &s->client), HWS_ERR_STATE);
    assert_int_equal(side_send_text(s, "too early"), HWS_ERR_STATE);
    side_write(s, SIZE_MAX);
    size_t len = response_for(s->wire, s->wire_len, more, response, sizeof response);
    expect_output(s, "GET");
    s->limit = 1;
    side_read(s, response, len);
    s->limit = 0;
    return s;
}

static void the_response_can_be_looked_at_until_the_next_call(void **state) {
    (void)state;
    const uint8_t *bytes = NULL;
    side *s = connected("X-Room: 7\r\n");
    expect_events(s, "OPEN");
    const hws_head *head = hws_endpoint_head(&s->ep, &bytes);
    assert_non_null(head);
    assert_non_null(hws_endpoint_accepted(&s->ep));
    assert_int_equal(hws_endpoint_accepted(&s->ep)->subprotocol_index, UINT32_MAX);
    assert_int_equal(head->status, 101);
    uint32_t index = hws_head_find(head, bytes, hws_text_from("x-room"), 0);
    assert_true(index < head->header_count);
    assert_memory_equal(bytes + head->headers[index].value.offset, "7", 1);
    side_receive(s);
    assert_null(hws_endpoint_head(&s->ep, NULL));
    assert_null(hws_endpoint_accepted(&s->ep));
    assert_int_equal(s->memory.blocks, 0);
    assert_int_equal(s->counters.opened, 1);
    assert_int_equal(hws_endpoint_can_send(&s->ep), 1);
    assert_int_equal(hws_endpoint_deflate(&s->ep)->enabled, 0);
    finish(s, HWS_ERR_EOF);
}

/* Also when the head and frames came at once. */
static void frames_behind_the_response_are_received(void **state) {
    (void)state;
    char response[1024];
    side *s = side_new(CLIENT);
    side_start(s);
    assert_int_equal(hws_endpoint_connect(&s->ep, &s->client), HWS_OK);
    side_write(s, SIZE_MAX);
    size_t len = response_for(s->wire, s->wire_len, "", response, sizeof response);
    len = frame_append(CLIENT, 0x81, "hello", 5, (uint8_t *)response, len);
    side_read(s, response, len);
    expect_events(s, "OPEN TEXT(hello)");
    finish(s, HWS_ERR_EOF);
}

static void a_response_that_refuses_can_be_looked_at_at_the_end(void **state) {
    (void)state;
    const uint8_t *bytes = NULL;
    side *s = side_new(CLIENT);
    side_start(s);
    assert_int_equal(hws_endpoint_connect(&s->ep, &s->client), HWS_OK);
    side_write(s, SIZE_MAX);
    s->limit = 1;
    side_read_text(s, "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n");
    expect_events(s, "END 0()");
    assert_non_null(hws_endpoint_head(&s->ep, &bytes));
    assert_int_equal(hws_endpoint_head(&s->ep, NULL)->status, 302);
    assert_non_null(hws_endpoint_accepted(&s->ep));
    hws_text location = hws_span_text(bytes, hws_endpoint_accepted(&s->ep)->location);
    assert_int_equal(location.len, 6);
    assert_memory_equal(location.data, "/other", 6);
    expect_end(s, HWS_ERR_REFUSED);
    assert_int_equal(s->counters.ended, 0);
    finish(s, HWS_ERR_REFUSED);
}

static void responses_that_are_wrong_end_the_connection(void **state) {
    (void)state;
    static const struct {
        const char *response;
        hws_status status;
    } rows[] = {
        {"HTTP/1.1 101 Fine\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", HWS_ERR_ACCEPT},
        {"HTTP/1.1 101 Fine\r\nConnection: Upgrade\r\n\r\n", HWS_ERR_UPGRADE},
        {"HTTP/1.1 101 Fine\r\nUpgrade: websocket\r\n\r\n", HWS_ERR_CONNECTION},
        {"SSH-2.0-x\r\n", HWS_ERR_STATUS_LINE},
        {"HTTP/1.1 403 No\r\n\r\nnever", HWS_ERR_REFUSED},
    };
    size_t i = 0;
    while (i < sizeof rows / sizeof rows[0]) {
        side *s = side_new(CLIENT);
        side_start(s);
        assert_int_equal(hws_endpoint_connect(&s->ep, &s->client), HWS_OK);
        side_write(s, SIZE_MAX);
        side_read_text(s, rows[i].response);
        expect_events(s, rows[i].status == HWS_ERR_REFUSED ? "END 0(never)" : "END 0()");
        finish(s, rows[i].status);
        i++;
    }
}

static void mistakes_in_connect_change_nothing(void **state) {
    (void)state;
    side *s = side_new(CLIENT);
    side_start(s);
    s->client.host = hws_text_from("");
    assert_int_equal(hws_endpoint_connect(&s->ep, &s->client), HWS_ERR_ARGUMENT);
    s->client.host = hws_text_from("a\r\nb");
    assert_int_equal(hws_endpoint_connect(&s->ep, &s->client), HWS_ERR_FIELD);
    s->client.host = hws_text_from("example.com");
    s->memory.fail_at = 1;
    s->memory.fail_all = 1;
    assert_int_equal(hws_endpoint_connect(&s->ep, &s->client), HWS_ERR_MEMORY);
    s->memory.fail_at = 0;
    s->random.fail_after = 1;
    s->random.calls = 1;
    assert_int_equal(hws_endpoint_connect(&s->ep, &s->client), HWS_ERR_RANDOM);
    s->random.fail_after = 0;
    assert_int_equal(hws_endpoint_queued(&s->ep), 0);
    assert_int_equal(s->memory.blocks, 0);
    assert_int_equal(hws_endpoint_connect(&s->ep, &s->client), HWS_OK);
    expect_output(s, "GET");
    finish(s, HWS_ERR_EOF);
    s = side_new(SERVER);
    side_start(s);
    assert_int_equal(hws_endpoint_connect(&s->ep, &s->client), HWS_ERR_STATE);
    finish(s, HWS_ERR_EOF);
}

/* --- other ways ---------------------------------------------------------------------------------
 */

static void init_judges_its_configuration(void **state) {
    (void)state;
    unsigned which = 0;
    while (which < 10) {
        side *s = side_new(which == 5 ? CLIENT : SERVER);
        hws_deflate_params_init(&s->params, HWS_DEFLATE_BALANCED);
        hws_deflate_options_init(&s->options, SERVER, HWS_DEFLATE_BALANCED);
        s->config.size -= which == 0;
        s->config.role = which == 1 ? 2 : s->config.role;
        s->config.low_water = which == 2 ? s->config.high_water + 1 : s->config.low_water;
        s->config.max_queue = which == 3 ? s->config.high_water - 1 : s->config.max_queue;
        s->config.allocator.alloc = which == 4 ? NULL : s->config.allocator.alloc;
        s->config.random = which == 5 ? NULL : s->config.random;
        s->config.deflate = which == 6 || which == 7 ? &s->params : NULL;
        s->config.deflate_options = which == 7 ? &s->options : NULL; /* without codec */
        s->config.max_fragments = which == 8 ? 0 : s->config.max_fragments;
        assert_int_equal(hws_endpoint_init(&s->ep, &s->config, 0),
                         which == 9 ? HWS_OK : HWS_ERR_ARGUMENT);
        if (which < 9) {
            memset(&s->ep, 0, sizeof s->ep); /* may be released as well */
        }
        side_free(s);
        which++;
    }
}

static void an_endpoint_can_start_open(void **state) {
    (void)state;
    uint8_t role = SERVER;
    while (role <= CLIENT) {
        side *s = side_new(role);
        hws_deflate_params agreed = {0};
        side_start(s);
        assert_int_equal(hws_endpoint_open(&s->ep, role == SERVER ? NULL : &agreed), HWS_OK);
        assert_int_equal(hws_endpoint_open(&s->ep, NULL), HWS_ERR_STATE);
        assert_int_equal(hws_endpoint_can_send(&s->ep), 1);
        side_receive(s);
        side_read_message(s, "hello");
        expect_events(s, "TEXT(hello)");
        assert_int_equal(side_send_text(s, "back"), HWS_OK);
        expect_output(s, "TEXT(back)");
        finish(s, HWS_ERR_EOF);
        role++;
    }
    side *s = side_new(SERVER);
    hws_deflate_params agreed = {.enabled = 1};
    side_start(s);
    assert_int_equal(hws_endpoint_open(&s->ep, &agreed), HWS_ERR_ARGUMENT);
    finish(s, HWS_ERR_EOF);
}

static void an_endpoint_can_be_released_in_every_state(void **state) {
    (void)state;
    side *s = side_new(SERVER);
    memset(&s->ep, 0, sizeof s->ep);
    side_free(s);
    s = side_new(SERVER);
    side_start(s);
    side_free(s);
    side_free(asked("GET / HT"));
    side_free(asked(request_text));
    s = asked(request_text);
    assert_int_equal(hws_endpoint_accept(&s->ep, &s->accept), HWS_OK);
    side_free(s);
    s = asked(plain_text);
    assert_int_equal(hws_endpoint_respond(&s->ep, 200, NULL, 0, NULL, 0), HWS_OK);
    side_free(s);
    side_free(connected(""));
    s = side_open_new(CLIENT);
    uint8_t data[] = "data";
    assert_int_equal(side_send_text(s, "text"), HWS_OK);
    assert_int_equal(hws_endpoint_send_ref(&s->ep, HWS_TEXT, HWS_WHOLE, data, 4), HWS_OK);
    assert_int_equal(hws_endpoint_close(&s->ep, 1000, NULL, 0), HWS_OK);
    side_read_hex(s, "01 03 61");
    side_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_received_before_the_request_is_answered),
        cmocka_unit_test(a_plain_request_is_answered_with_426),
        cmocka_unit_test(an_origin_that_is_not_allowed_is_answered_with_403),
        cmocka_unit_test(a_request_can_be_answered_with_a_page),
        cmocka_unit_test(the_body_is_not_sent_in_answer_to_head),
        cmocka_unit_test(mistakes_in_an_answer_change_nothing),
        cmocka_unit_test(requests_that_are_wrong_are_refused),
        cmocka_unit_test(limits_of_a_head_are_the_configurations),
        cmocka_unit_test(eof_before_the_end_of_a_request_ends_it),
        cmocka_unit_test(eof_while_a_request_waits_is_seen_after_the_answer),
        cmocka_unit_test(the_response_can_be_looked_at_until_the_next_call),
        cmocka_unit_test(frames_behind_the_response_are_received),
        cmocka_unit_test(a_response_that_refuses_can_be_looked_at_at_the_end),
        cmocka_unit_test(responses_that_are_wrong_end_the_connection),
        cmocka_unit_test(mistakes_in_connect_change_nothing),
        cmocka_unit_test(init_judges_its_configuration),
        cmocka_unit_test(an_endpoint_can_start_open),
        cmocka_unit_test(an_endpoint_can_be_released_in_every_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
