/*
 * Compression on an endpoint: how it is agreed, what it takes, and what can be sent with it.
 */
#include "endpoint_pair.h"

static const char text[] = "some text, some text that can be compressed, some text, some text that "
                           "can be compressed, some text";

/* Two sides, not started. The server accepts and echoes nothing else. */
static void on_request(side *s, const hws_event *ev) {
    s->on_event = NULL;
    assert_int_equal(ev->type, HWS_REQUEST);
    assert_int_equal(hws_endpoint_accept(&s->ep, &s->accept), HWS_OK);
}

static void pair_prepare(pair *p, uint8_t preset) {
    pair_init(p, 11);
    side_deflate(p->sides[SERVER], preset);
    side_deflate(p->sides[CLIENT], preset);
    p->sides[SERVER]->on_event = on_request;
}

static void pair_open(pair *p) {
    side *client = p->sides[CLIENT];
    side_start(p->sides[SERVER]);
    side_start(client);
    assert_int_equal(hws_endpoint_connect(&client->ep, &client->client), HWS_OK);
    assert_int_equal(hws_endpoint_deflate(&client->ep)->enabled, 0);
    pair_settle(p);
    expect_events(p->sides[SERVER], "OPEN");
    expect_events(client, "OPEN");
}

static hws_status send_text(side *s, uint8_t flags, size_t len) {
    return hws_endpoint_send(&s->ep, HWS_TEXT, flags, (const uint8_t *)text, len);
}

static void both_sides_agree_and_compress(void **state) {
    (void)state;
    uint8_t preset = HWS_DEFLATE_BALANCED;
    while (preset <= HWS_DEFLATE_BEST) {
        uint8_t role = SERVER;
        pair p;
        pair_prepare(&p, preset);
        pair_open(&p);
        while (role <= CLIENT) {
            side *s = p.sides[role];
            assert_int_equal(hws_endpoint_deflate(&s->ep)->enabled, 1);
            assert_int_equal(send_text(s, HWS_WHOLE | HWS_COMPRESSED, sizeof text - 1), HWS_OK);
            assert_true(hws_endpoint_queued(&s->ep) < 80);
            uint64_t before = hws_endpoint_queued(&s->ep);
            assert_int_equal(send_text(s, HWS_WHOLE | HWS_UNCOMPRESSED, sizeof text - 1), HWS_OK);
            assert_true(hws_endpoint_queued(&s->ep) - before > sizeof text);
            pair_settle(&p);
            expect_events(p.sides[!role], "TEXT{99} TEXT{99}");
            role++;
        }
        assert_memory_equal(hws_endpoint_deflate(&p.sides[SERVER]->ep),
                            hws_endpoint_deflate(&p.sides[CLIENT]->ep), sizeof(hws_deflate_params));
        pair_free(&p);
        preset++;
    }
}

/* The offer stands behind what the application offers, and so does the answer. */
static void the_offer_stands_behind_extensions_of_the_application(void **state) {
    (void)state;
    pair p;
    pair_prepare(&p, HWS_DEFLATE_BALANCED);
    side *client = p.sides[CLIENT];
    client->client.extensions = hws_text_from("x-own; a=1");
    side_start(client);
    assert_int_equal(hws_endpoint_connect(&client->ep, &client->client), HWS_OK);
    side_write(client, SIZE_MAX);
    client->wire[client->wire_len] = 0;
    assert_non_null(
        strstr((char *)client->wire, "Sec-WebSocket-Extensions: x-own; a=1, permessage-deflate"));
    side *server = p.sides[SERVER];
    server->accept.extensions = hws_text_from("x-own");
    side_start(server);
    side_read(server, client->wire, client->wire_len);
    side_write(server, SIZE_MAX);
    server->wire[server->wire_len] = 0;
    assert_non_null(
        strstr((char *)server->wire, "Sec-WebSocket-Extensions: x-own, permessage-deflate"));
    side_read(client, server->wire, server->wire_len);
    expect_events(client, "OPEN");
    assert_int_equal(hws_endpoint_deflate(&client->ep)->enabled, 1);
    pair_free(&p);
}

static void without_compression_on_one_side_there_is_none(void **state) {
    (void)state;
    uint8_t role = SERVER;
    while (role <= CLIENT) {
        pair p;
        pair_prepare(&p, HWS_DEFLATE_BALANCED);
        p.sides[role]->config.deflate = NULL;
        pair_open(&p);
        assert_int_equal(hws_endpoint_deflate(&p.sides[SERVER]->ep)->enabled, 0);
        assert_int_equal(hws_endpoint_deflate(&p.sides[CLIENT]->ep)->enabled, 0);
        /* the flags are judged by what is configured, agreed or not */
        assert_int_equal(send_text(p.sides[!role], HWS_WHOLE | HWS_COMPRESSED, 5), HWS_OK);
        assert_int_equal(send_text(p.sides[role], HWS_WHOLE | HWS_COMPRESSED, 5), HWS_ERR_ARGUMENT);
        assert_int_equal(send_text(p.sides[role], HWS_WHOLE | HWS_UNCOMPRESSED, 5),
                         HWS_ERR_ARGUMENT);
        assert_int_equal(send_text(p.sides[role], HWS_WHOLE, 5), HWS_OK);
        pair_settle(&p);
        expect_events(p.sides[SERVER], "TEXT(some )");
        expect_events(p.sides[CLIENT], "TEXT(some )");
        assert_int_equal(p.sides[SERVER]->memory.bytes, 0);
        assert_int_equal(p.sides[CLIENT]->memory.bytes, 0);
        pair_free(&p);
        role++;
    }
}

static void an_answer_that_was_not_offered_ends_the_connection(void **state) {
    (void)state;
    static const char *const answers[] = {
        "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=15\r\n",
        "Sec-WebSocket-Extensions: permessage-deflate; unknown\r\n",
        "Sec-WebSocket-Extensions: x-other\r\n",
    };
    size_t i = 0;
    while (i < sizeof answers / sizeof answers[0]) {
        char response[1024];
        side *s = side_new(CLIENT);
        side_deflate(s, HWS_DEFLATE_BALANCED);
        side_start(s);
        assert_int_equal(hws_endpoint_connect(&s->ep, &s->client), HWS_OK);
        side_write(s, SIZE_MAX);
        side_read(s, response,
                  response_for(s->wire, s->wire_len, answers[i], response, sizeof response));
        expect_events(s, "END 0()");
        expect_end(s, HWS_ERR_EXTENSION);
        side_free(s);
        i++;
    }
}

static void an_endpoint_that_starts_open_compresses_as_was_agreed(void **state) {
    (void)state;
    pair p;
    uint8_t role = SERVER;
    pair_prepare(&p, HWS_DEFLATE_BALANCED);
    p.sides[SERVER]->on_event = NULL;
    hws_deflate_params agreed = p.sides[SERVER]->params;
    agreed.client_max_window_bits = 15;
    while (role <= CLIENT) {
        side *s = p.sides[role];
        side_start(s);
        s->memory.fail_at = 1;
        s->memory.fail_all = 1;
        assert_int_equal(hws_endpoint_open(&s->ep, &agreed), HWS_ERR_MEMORY);
        s->memory.fail_at = 0;
        agreed.server_max_window_bits = 16;
        assert_int_equal(hws_endpoint_open(&s->ep, &agreed), HWS_ERR_ARGUMENT);
        agreed.server_max_window_bits = 11;
        assert_int_equal(hws_endpoint_can_send(&s->ep), 0);
        assert_int_equal(s->memory.bytes, 0);
        assert_int_equal(hws_endpoint_open(&s->ep, &agreed), HWS_OK);
        assert_memory_equal(hws_endpoint_deflate(&s->ep), &agreed, sizeof agreed);
        assert_int_equal(send_text(s, HWS_WHOLE | HWS_COMPRESSED, sizeof text - 1), HWS_OK);
        role++;
    }
    pair_settle(&p);
    expect_events(p.sides[SERVER], "TEXT{99}");
    expect_events(p.sides[CLIENT], "TEXT{99}");
    pair_free(&p);
}

static void trim_gives_back_what_is_held_between_messages(void **state) {
    (void)state;
    pair p;
    unsigned i = 0;
    pair_prepare(&p, HWS_DEFLATE_SMALL);
    pair_open(&p);
    while (i < 3) {
        uint8_t role = SERVER;
        while (role <= CLIENT) {
            side *s = p.sides[role];
            assert_int_equal(send_text(s, HWS_WHOLE | HWS_COMPRESSED, sizeof text - 1), HWS_OK);
            pair_settle(&p);
            expect_events(p.sides[!role], "TEXT{99}");
            role++;
        }
        assert_true(p.sides[SERVER]->memory.bytes > 10000);
        hws_endpoint_trim(&p.sides[SERVER]->ep);
        hws_endpoint_trim(&p.sides[CLIENT]->ep);
        assert_true(p.sides[SERVER]->memory.bytes < 1024);
        assert_true(p.sides[CLIENT]->memory.bytes < 1024);
        i++;
    }
    pair_free(&p);
}

/* One message each way, both compressed. */
static void exchange(pair *p) {
    uint8_t role = SERVER;
    while (role <= CLIENT) {
        assert_int_equal(send_text(p->sides[role], HWS_WHOLE | HWS_COMPRESSED, sizeof text - 1),
                         HWS_OK);
        pair_settle(p);
        expect_events(p->sides[!role], "TEXT{99}");
        role++;
    }
}

/* Without Pings nothing else is to be waited for. */
static side *open_quiet(pair *p, uint8_t preset, uint32_t trim_after_ms) {
    pair_prepare(p, preset);
    side *s = p->sides[SERVER];
    assert_int_equal(s->config.trim_after_ms, HWS_DEFAULT_TRIM_AFTER_MS);
    s->config.trim_after_ms = trim_after_ms;
    s->config.keepalive.ping_after_ms = 0;
    p->sides[CLIENT]->config.keepalive.ping_after_ms = 0;
    pair_open(p);
    return s;
}

/* More than `held` bytes, until 5000 ms after the last message, and not a moment less. */
static void expect_trim(pair *p, side *s, size_t held) {
    assert_int_equal(hws_endpoint_timeout(&s->ep), s->now_ms + 5000);
    pair_pass(p, 4999);
    assert_int_equal(hws_endpoint_timeout(&s->ep), s->now_ms + 1);
    assert_true(s->memory.bytes > held);
    pair_pass(p, 1);
    assert_true(s->memory.bytes < 1024);
    assert_int_equal(hws_endpoint_timeout(&s->ep), HWS_NEVER);
}

static void what_is_quiet_gives_back_by_itself(void **state) {
    (void)state;
    unsigned round = 0;
    pair p;
    side *s = open_quiet(&p, HWS_DEFLATE_SMALL, 5000);
    assert_int_equal(hws_endpoint_timeout(&s->ep), HWS_NEVER); /* nothing is held so far */
    while (round < 3) {
        exchange(&p);
        assert_int_equal(hws_endpoint_timeout(&s->ep), s->now_ms + 5000);
        pair_pass(&p, 4000);
        assert_int_equal(send_text(s, HWS_WHOLE | HWS_COMPRESSED, 99), HWS_OK);
        pair_settle(&p);
        expect_events(p.sides[CLIENT], "TEXT{99}");
        expect_trim(&p, s, 10000);
        round++;
    }
    pair_free(&p);
}

static void what_only_receives_gives_back_too(void **state) {
    (void)state;
    unsigned round = 0;
    pair p;
    side *s = open_quiet(&p, HWS_DEFLATE_SMALL, 5000);
    while (round < 2) {
        assert_int_equal(send_text(p.sides[CLIENT], HWS_WHOLE | HWS_COMPRESSED, 99), HWS_OK);
        pair_settle(&p);
        expect_events(s, "TEXT{99}");
        expect_trim(&p, s, 9000);
        round++;
    }
    pair_free(&p);
}

/* The peer takes over its context: what it refers to stays. */
static void a_window_that_the_peer_refers_to_is_kept(void **state) {
    (void)state;
    pair p;
    side *s = open_quiet(&p, HWS_DEFLATE_BALANCED, 5000);
    exchange(&p);
    assert_true(s->memory.bytes > 50000);
    pair_pass(&p, 5000);
    assert_true(s->memory.bytes > 11400 && s->memory.bytes < 12500);
    assert_int_equal(hws_endpoint_timeout(&s->ep), HWS_NEVER);
    exchange(&p);
    assert_int_equal(hws_endpoint_timeout(&s->ep), s->now_ms + 5000);
    hws_endpoint_trim(&s->ep);
    assert_int_equal(hws_endpoint_timeout(&s->ep), HWS_NEVER);
    pair_free(&p);
}

static void a_clock_that_jumps_costs_nothing_but_memory(void **state) {
    (void)state;
    static const uint64_t day_ms = 86400000;
    pair p;
    side *s = open_quiet(&p, HWS_DEFLATE_SMALL, 5000);
    exchange(&p);
    hws_endpoint_tick(&s->ep, 7); /* backwards: no time has passed */
    assert_true(s->memory.bytes > 10000);
    assert_int_equal(hws_endpoint_timeout(&s->ep), 5007);
    hws_endpoint_tick(&s->ep, s->now_ms + day_ms);
    assert_true(s->memory.bytes < 1024);
    s->now_ms += day_ms;
    exchange(&p);
    hws_endpoint_tick(&s->ep, UINT64_MAX - 1); /* the deadline is beyond the clock */
    exchange(&p);
    assert_true(hws_endpoint_timeout(&s->ep) >= UINT64_MAX - 1);
    pair_free(&p);
}

static void without_a_limit_all_is_kept(void **state) {
    (void)state;
    pair p;
    side *s = open_quiet(&p, HWS_DEFLATE_SMALL, 0);
    exchange(&p);
    assert_int_equal(hws_endpoint_timeout(&s->ep), HWS_NEVER);
    pair_pass(&p, 100000000);
    assert_true(s->memory.bytes > 10000);
    pair_free(&p);
}

/* What an endpoint of this role says to settings of which one byte has this value. */
static hws_status init_with(uint8_t role, size_t which, uint8_t value) {
    static counted memory;
    static hws_endpoint ep;
    hws_deflate_params params[2];
    hws_deflate_options options;
    hws_endpoint_config config;
    uint8_t *const places[] = {
        &options.settings.window_bits,
        &options.settings.level,
        &options.settings.mem_level,
        (uint8_t *)&options.size,
        &params[0].server_max_window_bits,
        &params[0].client_max_window_bits,
        &params[1].server_max_window_bits,
        &params[1].client_max_window_bits,
        &params[0].enabled,
        &options.role,
    };
    hws_deflate_params_init(&params[0], HWS_DEFLATE_SMALL);
    hws_deflate_params_init(&params[1], HWS_DEFLATE_BEST);
    hws_deflate_options_init(&options, role, HWS_DEFLATE_SMALL);
    hws_endpoint_config_init(&config, role);
    options.codec = test_codec();
    config.allocator = counted_allocator(&memory);
    config.random = test_random_fill;
    config.deflate = params;
    config.deflate_count = 2;
    config.deflate_options = &options;
    *places[which] = value;
    return hws_endpoint_init(&ep, &config, 0);
}

static void settings_of_compression_are_judged_at_the_start(void **state) {
    enum {
        WINDOW,
        LEVEL,
        MEM_LEVEL,
        SIZE,
        SERVER_BITS,
        CLIENT_BITS,
        SERVER_2,
        CLIENT_2,
        OFF,
        ROLE
    };
    (void)state;
    uint8_t role = SERVER;
    while (role <= CLIENT) {
        hws_status second = role == CLIENT ? HWS_ERR_ARGUMENT : HWS_OK; /* a server has one */
        hws_status none = role == CLIENT ? HWS_OK : HWS_ERR_ARGUMENT;
        assert_int_equal(init_with(role, WINDOW, 15), HWS_OK);
        assert_int_equal(init_with(role, WINDOW, 16), HWS_ERR_ARGUMENT);
        assert_int_equal(init_with(role, LEVEL, 0), HWS_ERR_ARGUMENT);
        assert_int_equal(init_with(role, LEVEL, 10), HWS_ERR_ARGUMENT);
        assert_int_equal(init_with(role, MEM_LEVEL, 0), HWS_ERR_ARGUMENT);
        assert_int_equal(init_with(role, SIZE, 1), HWS_ERR_ARGUMENT);
        assert_int_equal(init_with(role, SERVER_BITS, 3), HWS_ERR_ARGUMENT);
        assert_int_equal(init_with(role, SERVER_BITS, 0), HWS_ERR_ARGUMENT);
        assert_int_equal(init_with(role, CLIENT_BITS, 16), HWS_ERR_ARGUMENT);
        assert_int_equal(init_with(role, CLIENT_BITS, 0), none);
        assert_int_equal(init_with(role, SERVER_2, 16), second);
        assert_int_equal(init_with(role, CLIENT_2, 16), second);
        assert_int_equal(init_with(role, ROLE, 9), HWS_OK); /* the endpoint's counts */
        assert_int_equal(init_with(role, OFF, 0), HWS_OK);
        role++;
    }
}

/* A wish that cannot be met is refused, agreed or not: HWS_UNCOMPRESSED is there for secrets. */
static void wishes_go_with_the_first_piece(void **state) {
    (void)state;
    static const uint8_t wishes[] = {HWS_COMPRESSED, HWS_UNCOMPRESSED};
    uint8_t agreed = 0;
    while (agreed < 2) {
        size_t i = 0;
        pair p;
        pair_prepare(&p, HWS_DEFLATE_SMALL);
        p.sides[SERVER]->params.enabled = agreed;
        pair_open(&p);
        side *s = p.sides[CLIENT];
        assert_int_equal(hws_endpoint_deflate(&s->ep)->enabled, agreed);
        assert_int_equal(send_text(s, HWS_WHOLE | 12, 5), HWS_ERR_ARGUMENT);
        assert_int_equal(send_text(s, HWS_FIRST | HWS_COMPRESSED, 5), HWS_OK);
        while (i < 2) {
            assert_int_equal(send_text(s, wishes[i], 5), HWS_ERR_ARGUMENT);
            assert_int_equal(send_text(s, wishes[i] | HWS_FINAL, 5), HWS_ERR_ARGUMENT);
            i++;
        }
        assert_int_equal(send_text(s, HWS_FINAL, 5), HWS_OK);
        pair_settle(&p);
        expect_events(p.sides[SERVER], "TEXT(some some )");
        pair_free(&p);
        agreed++;
    }
}

/* RFC 7692 5: offers are in the order of preference. */
static void a_client_makes_several_offers(void **state) {
    (void)state;
    static const uint32_t counts[] = {0, 1, 2, 3};
    size_t i = 0;
    while (i < 4) {
        hws_deflate_params offers[3];
        pair p;
        pair_prepare(&p, HWS_DEFLATE_BEST);
        side *server = p.sides[SERVER];
        side *client = p.sides[CLIENT];
        hws_deflate_params_init(&offers[0], HWS_DEFLATE_BEST);
        offers[2] = offers[1] = offers[0];
        offers[0].client_max_window_bits = 0; /* takes no limit: the server declines that */
        offers[1].server_max_window_bits = 10;
        client->config.deflate = offers;
        client->config.deflate_count = counts[i];
        server->params.client_max_window_bits = 11;
        server->params.require_client_max_window_bits = 1;
        pair_open(&p);
        const hws_deflate_params *agreed = hws_endpoint_deflate(&client->ep);
        assert_int_equal(agreed->enabled, counts[i] > 1);
        if (agreed->enabled) {
            assert_int_equal(agreed->server_max_window_bits, 10);
            assert_int_equal(agreed->client_max_window_bits, 11);
            exchange(&p);
        }
        assert_memory_equal(hws_endpoint_deflate(&server->ep), agreed, sizeof *agreed);
        pair_free(&p);
        i++;
    }
}

/* What a small stream becomes is held to the limit, and takes no more memory than that. */
static void a_bomb_fails_with_1009(void **state) {
    (void)state;
    static const uint8_t zeros[1 << 20];
    unsigned way = 0;
    while (way < 2) {
        pair p;
        pair_prepare(&p, HWS_DEFLATE_SMALL);
        side *server = p.sides[SERVER];
        p.sides[CLIENT]->config.max_queue = 4 * sizeof zeros;
        server->config.max_message = 50000;
        server->config.streaming = (uint8_t)way;
        pair_open(&p);
        server->memory.largest = 0;
        server->memory.most = 0;
        assert_true(hws_endpoint_send(&p.sides[CLIENT]->ep, HWS_BINARY, HWS_WHOLE | HWS_COMPRESSED,
                                      zeros, sizeof zeros) >= 0);
        assert_true(hws_endpoint_queued(&p.sides[CLIENT]->ep) < 3000);
        pair_settle(&p);
        assert_int_equal(hws_endpoint_status(&server->ep), HWS_ERR_MESSAGE_TOO_BIG);
        assert_int_equal(side_closing(p.sides[CLIENT]).code, HWS_CLOSE_TOO_BIG);
        assert_true(server->memory.largest <= 50000);
        assert_true(server->memory.most <= 170000);
        pair_free(&p);
        way++;
    }
}

static void it_can_be_released_inside_a_compressed_message(void **state) {
    (void)state;
    pair p;
    pair_prepare(&p, HWS_DEFLATE_BALANCED);
    p.sides[SERVER]->config.streaming = 1;
    pair_open(&p);
    assert_int_equal(send_text(p.sides[CLIENT], HWS_FIRST | HWS_COMPRESSED, 20), HWS_OK);
    pair_settle(&p);
    expect_events(p.sides[SERVER], "TEXT<(some text, some text)");
    hws_endpoint_trim(&p.sides[CLIENT]->ep);
    hws_endpoint_trim(&p.sides[SERVER]->ep);
    assert_int_equal(send_text(p.sides[CLIENT], 0, 20), HWS_OK);
    pair_settle(&p);
    expect_events(p.sides[SERVER], "TEXT-(some text, some text)");
    pair_free(&p);
}

/* Its memory is of the compressor, and no message refers to an earlier one. */
static void endpoints_can_share_a_compressor(void **state) {
    (void)state;
    hws_compressor compressor;
    counted memory = {0};
    hws_codec_settings settings = {.window_bits = 11, .level = 6, .mem_level = 4};
    pair p;
    settings.allocator = counted_allocator(&memory);
    assert_int_equal(hws_compressor_init(&compressor, test_codec(), &settings), HWS_OK);
    pair_prepare(&p, HWS_DEFLATE_SMALL);
    p.sides[SERVER]->options.shared = &compressor;
    pair_open(&p);
    assert_int_equal(send_text(p.sides[SERVER], HWS_WHOLE | HWS_COMPRESSED, 99), HWS_OK);
    assert_int_equal(send_text(p.sides[SERVER], HWS_WHOLE | HWS_COMPRESSED, 99), HWS_OK);
    pair_settle(&p);
    expect_events(p.sides[CLIENT], "TEXT{99} TEXT{99}");
    assert_true(memory.blocks > 0);
    pair_free(&p);
    hws_compressor_release(&compressor);
    assert_int_equal(memory.blocks, 0);
}

/* The others need not wait until who ends inside a message is released. */
static void a_shared_compressor_is_free_when_its_connection_ends(void **state) {
    (void)state;
    enum { CLOSED, CLOSED_NOW, ABORTED, FAILED, CUT, WAYS };
    hws_compressor compressor;
    hws_codec_settings settings = {.window_bits = 11, .level = 6, .mem_level = 4};
    unsigned way = 0;
    assert_int_equal(hws_compressor_init(&compressor, test_codec(), &settings), HWS_OK);
    while (way < WAYS) {
        pair first;
        pair second;
        pair_prepare(&first, HWS_DEFLATE_SMALL);
        pair_prepare(&second, HWS_DEFLATE_SMALL);
        side *s = first.sides[SERVER];
        s->options.shared = second.sides[SERVER]->options.shared = &compressor;
        pair_open(&first);
        pair_open(&second);
        assert_int_equal(send_text(s, HWS_FIRST, 99), HWS_OK);
        assert_int_equal(send_text(second.sides[SERVER], HWS_WHOLE | HWS_COMPRESSED, 99),
                         HWS_ERR_STATE);
        if (way == CLOSED) {
            assert_int_equal(hws_endpoint_close(&s->ep, 1000, NULL, 0), HWS_OK);
        } else if (way == CLOSED_NOW) {
            assert_int_equal(hws_endpoint_close_now(&s->ep, 1000, NULL, 0), HWS_OK);
        } else if (way == ABORTED) {
            assert_int_equal(hws_endpoint_abort(&s->ep, HWS_ERR_CLOSED), HWS_OK);
        } else if (way == FAILED) {
            side_read_hex(s, "8f");
            side_receive(s);
        } else {
            first.to[SERVER].ended = 1;
            pair_settle(&first);
        }
        assert_int_equal(send_text(second.sides[SERVER], HWS_WHOLE | HWS_COMPRESSED, 99), HWS_OK);
        pair_settle(&second);
        expect_events(second.sides[CLIENT], "TEXT{99}");
        pair_free(&first);
        pair_free(&second);
        way++;
    }
    hws_compressor_release(&compressor);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_agree_and_compress),
        cmocka_unit_test(the_offer_stands_behind_extensions_of_the_application),
        cmocka_unit_test(without_compression_on_one_side_there_is_none),
        cmocka_unit_test(an_answer_that_was_not_offered_ends_the_connection),
        cmocka_unit_test(an_endpoint_that_starts_open_compresses_as_was_agreed),
        cmocka_unit_test(trim_gives_back_what_is_held_between_messages),
        cmocka_unit_test(what_is_quiet_gives_back_by_itself),
        cmocka_unit_test(what_only_receives_gives_back_too),
        cmocka_unit_test(a_window_that_the_peer_refers_to_is_kept),
        cmocka_unit_test(a_clock_that_jumps_costs_nothing_but_memory),
        cmocka_unit_test(without_a_limit_all_is_kept),
        cmocka_unit_test(a_client_makes_several_offers),
        cmocka_unit_test(settings_of_compression_are_judged_at_the_start),
        cmocka_unit_test(wishes_go_with_the_first_piece),
        cmocka_unit_test(a_bomb_fails_with_1009),
        cmocka_unit_test(it_can_be_released_inside_a_compressed_message),
        cmocka_unit_test(endpoints_can_share_a_compressor),
        cmocka_unit_test(a_shared_compressor_is_free_when_its_connection_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
