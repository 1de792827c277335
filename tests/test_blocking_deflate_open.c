/*
 * Handshakes of connections that may compress, over real sockets: what is offered and answered,
 * what is refused, and how a connection goes on that agreed on nothing.
 */
#include "deflate_pair.h"

#include <netinet/in.h>

static void options_that_cannot_be_are_refused_before_anything_is_sent(void **state) {
    pair *p = pair_new();
    hws_blocking_config *config = &p->client.config;
    hws_blocking *ws = &p->client.ws;
    (void)state;
    deflate_prepare(p, HWS_DEFLATE_BALANCED);
    config->deflate_options = NULL;
    assert_int_equal(hws_blocking_connect(ws, p->url, config, NULL), HWS_ERR_ARGUMENT);
    config->deflate_options = &deflate_options[HWS_ROLE_CLIENT];
    deflate_options[HWS_ROLE_CLIENT].codec = NULL;
    assert_int_equal(hws_blocking_connect(ws, p->url, config, NULL), HWS_ERR_ARGUMENT);
    deflate_options[HWS_ROLE_CLIENT].codec = hws_codec_zlib();
    deflate_options[HWS_ROLE_CLIENT].size--;
    assert_int_equal(hws_blocking_connect(ws, p->url, config, NULL), HWS_ERR_ARGUMENT);
    deflate_options[HWS_ROLE_CLIENT].size++;
    deflate_options[HWS_ROLE_CLIENT].settings.level = 10;
    assert_int_equal(hws_blocking_connect(ws, p->url, config, NULL), HWS_ERR_ARGUMENT);
    deflate_options[HWS_ROLE_CLIENT].settings.level = 9;
    deflate_params[HWS_ROLE_CLIENT].server_max_window_bits = 16;
    assert_int_equal(hws_blocking_connect(ws, p->url, config, NULL), HWS_ERR_ARGUMENT);
    pair_free(p);
}

/* A client of plain bytes has asked with this line; what the server answers stands in `answer`. The
 * server has made a mistake before, which changes nothing. */
static hws_status accept_raw(pair *p, const char *extensions, const char *own, char *answer,
                             size_t cap) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(hws_listener_port(&p->listener)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    intptr_t accepted = -1;
    hws_handshake handshake;
    hws_accept_config accept;
    hws_status status;
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    raw_send_text(fd, "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
                      "Sec-WebSocket-Extensions: ");
    raw_send_text(fd, extensions);
    raw_send_text(fd, "\r\n\r\n");
    assert_int_equal(hws_listener_accept(&p->listener, &accepted, LONG_MS), HWS_OK);
    assert_int_equal(
        hws_blocking_read_request(&p->server.ws, accepted, &p->server.config, &handshake), HWS_OK);
    hws_accept_config_init(&accept);
    accept.origin.kind = HWS_ORIGIN_ANY;
    accept.subprotocol = hws_text_from("not offered");
    assert_true(hws_blocking_accept(&p->server.ws, &accept) < 0);
    assert_int_equal(
        deflate_send(p, HWS_ROLE_SERVER, HWS_TEXT, HWS_WHOLE | HWS_COMPRESSED, "too early", 9),
        HWS_ERR_STATE);
    accept.subprotocol = hws_text_from(NULL);
    accept.extensions = hws_text_from(own);
    status = hws_blocking_accept(&p->server.ws, &accept);
    hws_blocking_release(&p->server.ws);
    answer[raw_read(fd, (uint8_t *)answer, cap - 1)] = '\0';
    close(fd);
    return status;
}

static void expect_answer(const char *extensions, const char *own, const char *wanted) {
    pair *p = pair_new();
    char answer[1000];
    const char *found;
    deflate_prepare(p, HWS_DEFLATE_BEST);
    assert_int_equal(accept_raw(p, extensions, own, answer, sizeof answer), HWS_OK);
    found = strstr(answer, "Sec-WebSocket-Extensions: ");
    if (wanted == NULL) {
        assert_null(found);
        assert_int_equal(hws_blocking_deflate(&p->server.ws)->enabled, 0);
    } else {
        assert_non_null(found);
        assert_memory_equal(found + 26, wanted, strlen(wanted));
        assert_memory_equal(found + 26 + strlen(wanted), "\r\n", 2);
    }
    pair_free(p);
}

static void the_answer_stands_behind_the_extensions_of_the_caller(void **state) {
    static char too_long[2 * PEER_MEMORY];
    pair *p = pair_new();
    char answer[1000];
    (void)state;
    expect_answer("permessage-deflate", NULL, "permessage-deflate");
    expect_answer("permessage-deflate; server_no_context_takeover, x-own", "x-own",
                  "x-own, permessage-deflate; server_no_context_takeover");
    expect_answer("x-own", "x-own", "x-own");
    expect_answer("x-own", NULL, NULL);
    deflate_prepare(p, HWS_DEFLATE_BEST);
    deflate_params[HWS_ROLE_SERVER].server_max_window_bits = 16;
    assert_int_equal(accept_raw(p, "permessage-deflate", NULL, answer, sizeof answer),
                     HWS_ERR_ARGUMENT);
    assert_string_equal(answer, "");
    deflate_params[HWS_ROLE_SERVER].server_max_window_bits = 15;
    memset(too_long, 'x', sizeof too_long - 1);
    assert_int_equal(accept_raw(p, "permessage-deflate", too_long, answer, sizeof answer),
                     HWS_ERR_SPACE);
    too_long[PEER_MEMORY / 3 - 1] = '\0';
    assert_int_equal(accept_raw(p, "permessage-deflate", too_long, answer, sizeof answer),
                     HWS_ERR_SPACE);
    assert_string_equal(answer, "");
    pair_free(p);
}

/* A server of plain bytes, which answers with this line. */
typedef struct raw_server {
    pair *p;
    const char *line;
    char request[2000];
    int fd;
} raw_server;

static void *raw_serve(void *arg) {
    raw_server *s = arg;
    uint8_t accept[HWS_ACCEPT_LEN];
    const char *key;
    intptr_t fd = -1;
    size_t n = 0;
    assert_int_equal(hws_listener_accept(&s->p->listener, &fd, LONG_MS), HWS_OK);
    s->fd = (int)fd;
    while (strstr(s->request, "\r\n\r\n") == NULL) {
        assert_int_equal(raw_read(s->fd, (uint8_t *)s->request + n, 1), 1);
        n++;
    }
    key = strstr(s->request, "Sec-WebSocket-Key: ") + 19;
    hws_handshake_accept_value((const uint8_t *)key, accept);
    raw_send_text(s->fd, "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Accept: ");
    raw_send(s->fd, accept, sizeof accept);
    raw_send_text(s->fd, "\r\n");
    raw_send_text(s->fd, s->line);
    raw_send_text(s->fd, "\r\n");
    return NULL;
}

static hws_status connect_raw(raw_server *s, const hws_client_config *client) {
    hws_status status;
    assert_int_equal(pthread_create(&s->p->thread, NULL, raw_serve, s), 0);
    status = hws_blocking_connect(&s->p->client.ws, s->p->url, &s->p->client.config, client);
    assert_int_equal(pthread_join(s->p->thread, NULL), 0);
    return status;
}

static void an_answer_to_another_offer_ends_the_handshake(void **state) {
    const char *const lines[] = {
        "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=16\r\n",
        "Sec-WebSocket-Extensions: permessage-deflate; other\r\n",
        "Sec-WebSocket-Extensions: permessage-deflate, permessage-deflate\r\n",
        "Sec-WebSocket-Extensions: x-webkit-deflate-frame\r\n",
    };
    size_t i = 0;
    (void)state;
    while (i < sizeof lines / sizeof lines[0]) {
        raw_server s = {.p = pair_new(), .line = lines[i]};
        deflate_prepare(s.p, HWS_DEFLATE_BEST);
        assert_int_equal(connect_raw(&s, NULL), HWS_ERR_EXTENSION);
        close(s.fd);
        pair_free(s.p);
        i++;
    }
}

static void the_offer_stands_behind_the_extensions_of_the_caller(void **state) {
    static const char *const own[] = {"x-own; a=1", NULL};
    static const char *const wanted[] = {
        "\r\nSec-WebSocket-Extensions: x-own; a=1, permessage-deflate",
        "\r\nSec-WebSocket-Extensions: permessage-deflate"};
    size_t i = 0;
    (void)state;
    while (i < 2) {
        raw_server s = {.p = pair_new(), .line = ""};
        hws_client_config client;
        hws_client_config_init(&client);
        client.extensions = hws_text_from(own[i]);
        deflate_prepare(s.p, HWS_DEFLATE_BEST);
        assert_int_equal(connect_raw(&s, &client), HWS_OK);
        assert_non_null(strstr(s.request, wanted[i]));
        assert_int_equal(hws_blocking_deflate(&s.p->client.ws)->enabled, 0);
        close(s.fd);
        pair_free(s.p);
        i++;
    }
}

/* Three offers, of which each is the next best, and the answers that only one of them allows. */
static void prepare_offers(pair *p, hws_deflate_params offers[3], uint32_t count) {
    uint8_t i = 0;
    deflate_prepare(p, HWS_DEFLATE_BEST);
    while (i < 3) {
        hws_deflate_params_init(&offers[i], HWS_DEFLATE_BEST);
        offers[i].server_no_context_takeover = i == 1;
        offers[i].server_max_window_bits = i == 0 ? 10 : 15;
        i++;
    }
    p->client.config.deflate = offers;
    p->client.config.deflate_count = count;
}

#define FIRST "permessage-deflate; server_max_window_bits=10; client_max_window_bits"
#define SECOND "permessage-deflate; server_no_context_takeover; client_max_window_bits"
#define THIRD "permessage-deflate; client_max_window_bits"

/* RFC 7692 5: in order of preference. */
static void offers_stand_in_their_order(void **state) {
    static const struct {
        uint32_t count;
        const char *own;
        const char *wanted;
    } rows[] = {
        {0, NULL, FIRST},
        {1, NULL, FIRST},
        {2, NULL, FIRST ", " SECOND},
        {3, NULL, FIRST ", " SECOND ", " THIRD},
        {3, "x-own; a=1", "x-own; a=1, " FIRST ", " SECOND ", " THIRD},
    };
    size_t i = 0;
    (void)state;
    while (i < sizeof rows / sizeof rows[0]) {
        raw_server s = {.p = pair_new(), .line = ""};
        hws_deflate_params offers[3];
        hws_client_config client;
        const char *found;
        hws_client_config_init(&client);
        client.extensions = hws_text_from(rows[i].own);
        prepare_offers(s.p, offers, rows[i].count);
        assert_int_equal(connect_raw(&s, &client), HWS_OK);
        found = strstr(s.request, "\r\nSec-WebSocket-Extensions: ");
        assert_non_null(found);
        assert_memory_equal(found + 28, rows[i].wanted, strlen(rows[i].wanted));
        assert_memory_equal(found + 28 + strlen(rows[i].wanted), "\r\n", 2);
        close(s.fd);
        pair_free(s.p);
        i++;
    }
}

/* RFC 7692 5.1: an answer to any of them is one, and to what was not offered is none. */
static void an_answer_to_any_offer_is_taken(void **state) {
    static const struct {
        uint32_t count;
        const char *line;
        hws_status status;
        uint8_t server_bits;
        uint8_t server_fresh;
    } rows[] = {
        {0, "permessage-deflate; server_max_window_bits=10", HWS_OK, 10, 0},
        {3, "permessage-deflate; server_max_window_bits=9", HWS_OK, 9, 0},
        {2, "permessage-deflate; server_no_context_takeover", HWS_OK, 15, 1},
        {3, "permessage-deflate", HWS_OK, 15, 0},
        {2, "permessage-deflate", HWS_ERR_EXTENSION, 0, 0},
        {1, "permessage-deflate; server_no_context_takeover", HWS_ERR_EXTENSION, 0, 0},
        {0, "permessage-deflate; server_no_context_takeover", HWS_ERR_EXTENSION, 0, 0},
    };
    size_t i = 0;
    (void)state;
    while (i < sizeof rows / sizeof rows[0]) {
        char line[200];
        raw_server s = {.p = pair_new(), .line = line};
        hws_deflate_params offers[3];
        (void)snprintf(line, sizeof line, "Sec-WebSocket-Extensions: %s\r\n", rows[i].line);
        prepare_offers(s.p, offers, rows[i].count);
        assert_int_equal(connect_raw(&s, NULL), rows[i].status);
        memset(offers, 0xFF, sizeof offers); /* not needed any more */
        if (rows[i].status == HWS_OK) {
            const hws_deflate_params *agreed = hws_blocking_deflate(&s.p->client.ws);
            assert_int_equal(agreed->enabled, 1);
            assert_int_equal(agreed->server_max_window_bits, rows[i].server_bits);
            assert_int_equal(agreed->server_no_context_takeover, rows[i].server_fresh);
            assert_int_equal(deflate_send(s.p, HWS_ROLE_CLIENT, HWS_TEXT,
                                          HWS_WHOLE | HWS_COMPRESSED, "Hello", 5),
                             HWS_OK);
        }
        close(s.fd);
        pair_free(s.p);
        i++;
    }
}

static void a_server_has_one_policy(void **state) {
    hws_deflate_params policies[2];
    pair *p = pair_new();
    (void)state;
    deflate_prepare(p, HWS_DEFLATE_BEST);
    hws_deflate_params_init(&policies[0], HWS_DEFLATE_SMALL);
    memset(&policies[1], 0xFF, sizeof policies[1]);
    p->server.config.deflate = policies;
    p->server.config.deflate_count = 2;
    deflate_open(p);
    assert_int_equal(hws_blocking_deflate(&p->server.ws)->server_max_window_bits, 11);
    deflate_pair_free(p);
}

/* HWS_DEFLATE_TEXT_MAX for each is enough: here eight of the longest offers, and then too many. */
static void offers_have_to_fit_in_the_memory(void **state) {
    enum { MANY = 40 };
    hws_deflate_params offers[MANY];
    raw_server s = {.p = pair_new(), .line = ""};
    hws_blocking_config *config = &s.p->client.config;
    size_t i = 0;
    (void)state;
    deflate_prepare(s.p, HWS_DEFLATE_BEST);
    while (i < MANY) {
        offers[i] = (hws_deflate_params){1, 1, 1, 10, 10, 0, {0}};
        i++;
    }
    config->deflate = offers;
    config->deflate_count = MANY;
    config->memory_len = HWS_BLOCKING_MIN_MEMORY;
    assert_int_equal(hws_blocking_connect(&s.p->client.ws, s.p->url, config, NULL), HWS_ERR_SPACE);
    config->deflate_count = 8;
    assert_int_equal(connect_raw(&s, NULL), HWS_OK);
    close(s.fd);
    pair_free(s.p);
}

static void a_bad_offer_among_good_ones_is_refused(void **state) {
    hws_deflate_params offers[3];
    pair *p = pair_new();
    (void)state;
    prepare_offers(p, offers, 3);
    offers[2].client_max_window_bits = 16;
    assert_int_equal(hws_blocking_connect(&p->client.ws, p->url, &p->client.config, NULL),
                     HWS_ERR_ARGUMENT);
    pair_free(p);
}

/* All goes as if it had never been offered, and the wishes of flags are met as far as they can. */
static void without_agreement_nothing_is_compressed(void **state) {
    raw_server s = {.p = pair_new(), .line = ""};
    uint8_t bytes[6];
    hws_event ev;
    (void)state;
    deflate_prepare(s.p, HWS_DEFLATE_BEST);
    assert_int_equal(connect_raw(&s, NULL), HWS_OK);
    assert_int_equal(
        deflate_send(s.p, HWS_ROLE_CLIENT, HWS_TEXT, HWS_WHOLE | HWS_COMPRESSED, "", 0), HWS_OK);
    assert_int_equal(raw_read(s.fd, bytes, 6), 6);
    assert_memory_equal(bytes, "\x81\x80", 2);
    assert_int_equal(
        deflate_send(s.p, HWS_ROLE_CLIENT, HWS_TEXT, HWS_WHOLE | HWS_UNCOMPRESSED, "", 0), HWS_OK);
    assert_int_equal(raw_read(s.fd, bytes, 6), 6);
    assert_memory_equal(bytes, "\x81\x80", 2);
    raw_send(s.fd, "\xC1\x00", 2);
    assert_int_equal(hws_blocking_receive(&s.p->client.ws, &ev, SHORT_MS), HWS_ERR_TIMEOUT);
    close(s.fd);
    assert_int_equal(hws_blocking_receive(&s.p->client.ws, &ev, LONG_MS), HWS_ERR_RSV);
    pair_free(s.p);
}

static void without_configuration_the_wishes_are_mistakes(void **state) {
    uint8_t role = 0;
    (void)state;
    while (role < 2) {
        pair *p = pair_open_new();
        uint8_t byte = 'a';
        assert_int_equal(deflate_send(p, role, HWS_TEXT, HWS_WHOLE | HWS_COMPRESSED, "a", 1),
                         HWS_ERR_ARGUMENT);
        assert_int_equal(deflate_send(p, role, HWS_TEXT, HWS_WHOLE | HWS_UNCOMPRESSED, "a", 1),
                         HWS_ERR_ARGUMENT);
        assert_int_equal(hws_blocking_send_in_place(&peer_of(p, role)->ws, HWS_TEXT,
                                                    HWS_WHOLE | HWS_UNCOMPRESSED, &byte, 1,
                                                    LONG_MS),
                         HWS_ERR_ARGUMENT);
        assert_int_equal(hws_blocking_deflate(&peer_of(p, role)->ws)->enabled, 0);
        pair_free(p);
        role++;
    }
}

static void switched_off_is_the_same_as_not_configured(void **state) {
    raw_server s = {.p = pair_new(), .line = ""};
    (void)state;
    deflate_prepare(s.p, HWS_DEFLATE_BEST);
    deflate_params[HWS_ROLE_CLIENT].enabled = 0;
    s.p->client.config.deflate_options = NULL;
    s.p->client.config.deflate_count = 2; /* that of the first says so */
    assert_int_equal(connect_raw(&s, NULL), HWS_OK);
    assert_null(strstr(s.request, "Sec-WebSocket-Extensions"));
    close(s.fd);
    pair_free(s.p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_that_cannot_be_are_refused_before_anything_is_sent),
        cmocka_unit_test(the_answer_stands_behind_the_extensions_of_the_caller),
        cmocka_unit_test(an_answer_to_another_offer_ends_the_handshake),
        cmocka_unit_test(the_offer_stands_behind_the_extensions_of_the_caller),
        cmocka_unit_test(offers_stand_in_their_order),
        cmocka_unit_test(an_answer_to_any_offer_is_taken),
        cmocka_unit_test(a_server_has_one_policy),
        cmocka_unit_test(offers_have_to_fit_in_the_memory),
        cmocka_unit_test(a_bad_offer_among_good_ones_is_refused),
        cmocka_unit_test(without_agreement_nothing_is_compressed),
        cmocka_unit_test(without_configuration_the_wishes_are_mistakes),
        cmocka_unit_test(switched_off_is_the_same_as_not_configured),
    };
    alarm(60);
    return cmocka_run_group_tests_name("blocking_deflate_open", tests, NULL, NULL);
}
