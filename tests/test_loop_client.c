/*
 * Clients of a loop, most of them with their server in the same loop; and what goes through a
 * filter on its way.
 */
#include "loop_world.h"
#include "toy_peer.h"

enum { LARGE = 300000 };
static uint8_t large[LARGE];

/* A loop that is run here, with both ends of its connections. */
typedef struct both {
    world *w;
    hws_endpoint_config client;
    toy server_toy;
    toy client_toy;
    hws_filter server_filter;
    hws_link *link;   /* the client's, from connect to its end */
    hws_status ended; /* of the client */
    int32_t error;    /* of the system */
    int client_ends;
    int client_opens;
    int messages; /* that the client got back */
    const uint8_t *expect;
    size_t expect_len;
} both;

static both *both_new(uint8_t kind, uint8_t filtered) {
    both *b = calloc(1, sizeof *b);
    assert_non_null(b);
    b->w = world_new(kind);
    toy_init(&b->server_toy);
    toy_init(&b->client_toy);
    b->w->config.filter = filtered ? &b->server_toy.table : NULL;
    world_listen(b->w);
    hws_endpoint_config_init(&b->client, HWS_ROLE_CLIENT);
    b->client.allocator = b->w->config.server.allocator;
    b->client.random = hws_entropy;
    b->client.ready = hws_loop_ready(&b->w->loop);
    if (filtered) {
        snprintf(b->w->url, sizeof b->w->url, "wss://127.0.0.1:%u/", hws_loop_port(&b->w->loop));
    }
    return b;
}

static void both_free(both *b) {
    world_release_all(b->w);
    assert_int_equal(b->server_toy.made, 0);
    assert_int_equal(b->client_toy.made, 0);
    free(b->w);
    free(b);
}

static hws_status both_connect(both *b, const char *url) {
    return hws_loop_connect(&b->w->loop, url, &b->client, NULL, &b->client_toy.table, &b->link);
}

static void client_event(both *b, const hws_loop_item *item) {
    const hws_event *ev = &item->event;
    b->client_opens += ev->type == HWS_OPEN;
    if (ev->type == HWS_BINARY) {
        assert_int_equal(ev->len, b->expect_len);
        assert_memory_equal(ev->data, b->expect, ev->len);
        b->messages++;
    }
    if (ev->type == HWS_END) {
        b->ended = hws_endpoint_status(item->endpoint);
        b->error = hws_link_system_error(item->link);
        b->client_ends++;
        b->link = NULL;
    }
}

static void both_step(both *b) {
    hws_loop_item item;
    assert_int_equal(hws_loop_next(&b->w->loop, &item, LONG_MS), HWS_EVENT);
    if (item.link == b->link) {
        client_event(b, &item);
        return;
    }
    world_note(b->w, &item);
    b->w->serve(b->w, &item);
}

static void both_until(both *b, const int *count, int wanted) {
    while (*count < wanted) {
        both_step(b);
    }
}

static void both_exchange(both *b, const uint8_t *data, size_t len) {
    b->expect = data;
    b->expect_len = len;
    assert_true(hws_endpoint_send(hws_link_endpoint(b->link), HWS_BINARY, HWS_WHOLE, data, len) >=
                0);
    both_until(b, &b->messages, b->messages + 1);
}

static void both_close(both *b) {
    assert_int_equal(hws_endpoint_close(hws_link_endpoint(b->link), HWS_CLOSE_NORMAL, NULL, 0),
                     HWS_OK);
    both_until(b, &b->client_ends, 1);
    while (b->w->ends < 1) {
        both_step(b);
    }
    assert_int_equal(b->ended, HWS_OK);
    assert_int_equal(b->w->ended, HWS_OK);
}

static void a_client_talks_to_a_server_of_its_own_loop(void **state) {
    both *b = both_new(KIND(state), 0);
    assert_int_equal(both_connect(b, b->w->url), HWS_OK);
    both_until(b, &b->client_opens, 1);
    both_exchange(b, large, 1);
    both_exchange(b, large, sizeof large);
    both_close(b);
    assert_int_equal(b->w->ended_code, HWS_CLOSE_NORMAL);
    both_free(b);
}

/* Most systems try ::1 first, where nobody listens. */
static void a_name_is_tried_by_all_its_addresses(void **state) {
    both *b = both_new(KIND(state), 0);
    char url[64];
    snprintf(url, sizeof url, "ws://user:pass@localhost:%u/path?query", hws_loop_port(&b->w->loop));
    assert_int_equal(both_connect(b, url), HWS_OK);
    both_until(b, &b->client_opens, 1);
    both_close(b);
    both_free(b);
}

static void look_at_request(world *w, const hws_loop_item *item) {
    const uint8_t *bytes = NULL;
    const hws_head *head = hws_endpoint_head(item->endpoint, &bytes);
    if (item->event.type == HWS_REQUEST) {
        hws_text value = hws_span_text(bytes, head->target);
        hws_span found = {0, 0};
        hws_list list = {0, 0};
        assert_int_equal(value.len, 11);
        assert_memory_equal(value.data, "/path?query", 11);
        assert_true(hws_head_next(head, bytes, hws_text_from("Authorization"), &list, &found));
        value = hws_span_text(bytes, found);
        assert_int_equal(value.len, 18);
        assert_memory_equal(value.data, "Basic dXNlcjpwYXNz", 18);
        w->posts++;
    }
    world_echo(w, item);
}

static void target_and_credentials_of_the_url_are_sent(void **state) {
    both *b = both_new(KIND(state), 0);
    char url[64];
    b->w->serve = look_at_request;
    snprintf(url, sizeof url, "ws://user:pass@127.0.0.1:%u/path?query", hws_loop_port(&b->w->loop));
    assert_int_equal(both_connect(b, url), HWS_OK);
    memset(url, 'x', sizeof url); /* not needed any more */
    both_until(b, &b->client_opens, 1);
    assert_int_equal(b->w->posts, 1);
    both_close(b);
    both_free(b);
}

static void a_closed_port_ends_with_the_error_of_the_system(void **state) {
    both *b = both_new(KIND(state), 0);
    char url[64];
    hws_listener listener;
    assert_int_equal(hws_listener_open(&listener, "127.0.0.1", 0), HWS_OK);
    snprintf(url, sizeof url, "ws://127.0.0.1:%u/", hws_listener_port(&listener));
    hws_listener_release(&listener);
    assert_int_equal(both_connect(b, url), HWS_OK);
    both_until(b, &b->client_ends, 1);
    assert_int_equal(b->ended, HWS_ERR_CONNECT);
    assert_int_equal(b->error, ECONNREFUSED);
    both_free(b);
}

static void refuse_all(world *w, const hws_loop_item *item) {
    (void)w;
    if (item->event.type == HWS_REQUEST) {
        (void)hws_endpoint_respond(item->endpoint, 403, NULL, 0, (const uint8_t *)"no", 2);
    }
}

static void a_refusal_ends_with_its_status(void **state) {
    both *b = both_new(KIND(state), 0);
    b->w->serve = refuse_all;
    assert_int_equal(both_connect(b, b->w->url), HWS_OK);
    both_until(b, &b->client_ends, 1);
    assert_int_equal(b->ended, HWS_ERR_REFUSED);
    both_free(b);
}

static void what_cannot_be_connected_is_told_at_once(void **state) {
    static const struct {
        const char *url;
        hws_status status;
    } rows[] = {
        {"http://a/", HWS_ERR_URI_SCHEME},       {"ws://a:0/", HWS_ERR_URI_PORT},
        {"ws://a/#b", HWS_ERR_URI_FRAGMENT},     {"wss://127.0.0.1/", HWS_ERR_TLS},
        {"ws://name.invalid/", HWS_ERR_RESOLVE},
    };
    both *b = both_new(KIND(state), 0);
    hws_link *link = NULL;
    hws_endpoint_config wrong = b->client;
    size_t i = 0;
    while (i < sizeof rows / sizeof *rows) {
        assert_int_equal(hws_loop_connect(&b->w->loop, rows[i].url, &b->client, NULL, NULL, &link),
                         rows[i].status);
        i++;
    }
    assert_int_not_equal(hws_loop_system_error(&b->w->loop), 0);
    wrong.ready = NULL;
    assert_int_equal(hws_loop_connect(&b->w->loop, "ws://a/", &wrong, NULL, NULL, &link),
                     HWS_ERR_ARGUMENT);
    wrong = b->client;
    wrong.role = HWS_ROLE_SERVER;
    assert_int_equal(hws_loop_connect(&b->w->loop, "ws://a/", &wrong, NULL, NULL, &link),
                     HWS_ERR_ARGUMENT);
    assert_null(link);
    assert_int_equal(hws_loop_count(&b->w->loop), 0);
    both_free(b);
}

/* --- through a filter --- */

static void messages_go_through_a_filter(void **state) {
    both *b = both_new(KIND(state), 1);
    assert_int_equal(both_connect(b, b->w->url), HWS_OK);
    assert_non_null(hws_link_filter_state(b->link));
    both_until(b, &b->client_opens, 1);
    assert_string_equal(b->client_toy.host, "127.0.0.1");
    both_exchange(b, large, 1);
    both_exchange(b, large, sizeof large);
    both_close(b);
    assert_int_equal(b->server_toy.finished, 1); /* the server ends first: RFC 6455 7.1.1 */
    both_free(b);
}

static void pieces_of_a_filter_may_be_small_and_many(void **state) {
    both *b = both_new(KIND(state), 1);
    b->server_toy.record = 1;
    b->server_toy.chatty = 1;
    b->client_toy.record = 3;
    b->client_toy.chatty = 1;
    assert_int_equal(both_connect(b, b->w->url), HWS_OK);
    both_until(b, &b->client_opens, 1);
    both_exchange(b, large, 70000);
    both_close(b);
    both_free(b);
}

static void a_filter_that_does_not_start_ends_the_connection(void **state) {
    both *b = both_new(KIND(state), 1);
    b->client_toy.making = HWS_ERR_TLS;
    assert_int_equal(both_connect(b, b->w->url), HWS_ERR_TLS);
    b->client_toy.making = HWS_OK;
    b->server_toy.making = HWS_ERR_TLS;
    assert_int_equal(both_connect(b, b->w->url), HWS_OK);
    both_until(b, &b->client_ends, 1);
    assert_true(b->ended == HWS_ERR_EOF || b->ended == HWS_ERR_RESET);
    both_free(b);
}

static void a_filter_that_fails_ends_both_sides(void **state) {
    both *b = both_new(KIND(state), 1);
    assert_int_equal(both_connect(b, b->w->url), HWS_OK);
    both_until(b, &b->client_opens, 1);
    b->client_toy.fails = 1;
    assert_true(hws_endpoint_send(hws_link_endpoint(b->link), HWS_BINARY, HWS_WHOLE, large, 9) >=
                0);
    both_until(b, &b->client_ends, 1);
    assert_int_equal(b->ended, HWS_ERR_TLS);
    while (b->w->ends < 1) {
        both_step(b);
    }
    assert_int_equal(b->w->ended, HWS_ERR_TLS); /* by the alert */
    both_free(b);
}

/* A greeting that is none: the peer is told so. */
static void plain_bytes_to_a_filter_end_the_connection(void **state) {
    both *b = both_new(KIND(state), 1);
    int fd = raw_connect(b->w);
    raw_send_text(fd, "GET");
    while (b->w->ends < 1) {
        both_step(b);
    }
    assert_int_equal(b->w->ended, HWS_ERR_TLS);
    raw_expect(fd, "A", 1);
    close(fd);
    both_free(b);
}

/* The socket takes less than the filter gives. */
static void a_slow_reader_gets_all_through_a_filter(void **state) {
    both *b = both_new(KIND(state), 1);
    int i = 0;
    b->client.hold_input = 0; /* both sides would wait for each other */
    assert_int_equal(both_connect(b, b->w->url), HWS_OK);
    both_until(b, &b->client_opens, 1);
    b->expect = large;
    b->expect_len = sizeof large;
    while (i < 40) {
        assert_true(hws_endpoint_send(hws_link_endpoint(b->link), HWS_BINARY, HWS_WHOLE, large,
                                      sizeof large) >= 0);
        i++;
    }
    both_until(b, &b->messages, 40);
    both_close(b);
    both_free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(a_client_talks_to_a_server_of_its_own_loop),
        BOTH(a_name_is_tried_by_all_its_addresses),
        BOTH(target_and_credentials_of_the_url_are_sent),
        BOTH(a_closed_port_ends_with_the_error_of_the_system),
        BOTH(a_refusal_ends_with_its_status),
        BOTH(what_cannot_be_connected_is_told_at_once),
        BOTH(messages_go_through_a_filter),
        BOTH(pieces_of_a_filter_may_be_small_and_many),
        BOTH(a_filter_that_does_not_start_ends_the_connection),
        BOTH(a_filter_that_fails_ends_both_sides),
        BOTH(plain_bytes_to_a_filter_end_the_connection),
        BOTH(a_slow_reader_gets_all_through_a_filter),
    };
    alarm(120);
    random_fill(&(uint64_t){5}, large, sizeof large);
    return cmocka_run_group_tests_name("loop_client", tests, NULL, NULL);
}
