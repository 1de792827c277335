/*
 * Memory of an endpoint: how much, for how long, and what happens when there is none.
 */
#include "endpoint_pair.h"

#include <hawser/fixed.h>

#ifdef HWS_TEST_REDUCED
enum { LARGE = 100000 };
#else
enum { LARGE = 1000000 };
#endif

/* --- how much -----------------------------------------------------------------------------------
 */

static void an_open_endpoint_with_nothing_under_way_holds_no_memory(void **state) {
    (void)state;
    uint8_t role = SERVER;
    assert_true(sizeof(hws_endpoint) <= 1024);
    assert_int_equal(hws_endpoint_size(), sizeof(hws_endpoint));
    while (role <= CLIENT) {
        static uint8_t data[5000];
        side *s = side_open_new(role);
        assert_int_equal(s->memory.bytes, 0);
        side_read_hex(s, role == CLIENT ? "02 02 61 62" : "02 82 00 00 00 00 61 62");
        side_read_frame(s, 0x89, "ping", 4);
        side_read_frame(s, 0x80, data, sizeof data);
        assert_int_equal(side_send(s, data, sizeof data), HWS_OK);
        assert_int_equal(hws_endpoint_send_ref(&s->ep, HWS_BINARY, HWS_WHOLE, data, 100), HWS_OK);
        side_receive(s);
        assert_true(s->memory.bytes > 0);
        expect_events(s, "PING(ping) BINARY{5002}");
        expect_output(s, "PONG(ping) BINARY{5000} BINARY{100}");
        side_receive(s);
        expect_events(s, "RELEASED{100}");
        assert_int_equal(s->memory.bytes, 0);
        side_free(s);
        role++;
    }
}

static void a_large_announcement_takes_no_memory(void **state) {
    (void)state;
    static const char *const heads[] = {"82 7F 00 00 00 00 01 00 00 00", /* 16 MiB */
                                        "02 01 00 00 7F 00 00 00 00 00 FF 00 00",
                                        "01 7F 00 00 00 00 00 FF FF FF"};
    uint8_t data[100] = {0};
    size_t i = 0;
    while (i < sizeof heads / sizeof heads[0]) {
        side *s = side_open_new(CLIENT);
        s->memory = (counted){0};
        side_read_hex(s, heads[i]);
        side_read(s, data, sizeof data);
        assert_int_equal(hws_endpoint_status(&s->ep), HWS_OK);
        assert_true(s->memory.most <= 4096);
        side_free(s);
        i++;
    }
}

/* In one frame, and in many. */
static void memory_grows_with_the_bytes_that_arrive(void **state) {
    (void)state;
    static const uint8_t data[LARGE];
    unsigned many = 0;
    while (many < 2) {
        size_t at = 0;
        side *s = side_open_new(CLIENT);
        s->memory = (counted){0};
        if (!many) {
            side_read_hex(s, LARGE == 1000000 ? "82 7F 00 00 00 00 00 0F 42 40"
                                              : "82 7F 00 00 00 00 00 01 86 A0");
        }
        while (at < LARGE) {
            uint8_t first = (uint8_t)((at == 0 ? 2 : 0) | (at + 500 == LARGE ? 0x80 : 0));
            if (many) {
                side_read_frame(s, first, data, 500);
            } else {
                side_read(s, data, 500);
            }
            at += 500;
            assert_true(s->memory.bytes <= 4 * at + 4096);
            assert_true(s->memory.most <= 5 * at + 4096);
        }
        s->events[s->events_len] = 0;
        assert_string_equal(s->events, LARGE == 1000000 ? "BINARY{1000000}" : "BINARY{100000}");
        assert_true(s->memory.taken <= 40); /* moved a few times, not with each piece */
        side_receive(s);
        assert_int_equal(s->memory.bytes, 0);
        side_free(s);
        many++;
    }
}

static void a_head_that_drips_takes_what_it_has_and_the_fields(void **state) {
    (void)state;
    uint8_t role = SERVER;
    while (role <= CLIENT) {
        const char *line = role == SERVER ? "GET / HTTP/1.1\r\n" : "HTTP/1.1 101 Fine\r\n";
        size_t at = 0;
        side *s = side_new(role);
        side_start(s);
        if (role == CLIENT) {
            assert_int_equal(hws_endpoint_connect(&s->ep, &s->client), HWS_OK);
            expect_output(s, "GET");
        }
        s->memory.most = s->memory.bytes;
        size_t before = s->memory.bytes;
        side_read_text(s, line);
        while (at < 15000) {
            side_read(s,
                      at % 1000 == 0     ? "X"
                      : at % 1000 == 1   ? ":"
                      : at % 1000 == 998 ? "\r"
                      : at % 1000 == 999 ? "\n"
                                         : "y",
                      1);
            at++;
            assert_true(s->memory.most <= before + 4 * at + 4096);
        }
        assert_int_equal(hws_endpoint_status(&s->ep), HWS_OK);
        assert_true(s->memory.taken <= 40);
        hws_endpoint_receive_eof(&s->ep);
        side_receive(s);
        expect_events(s, "END 0()");
        side_free(s);
        role++;
    }
}

static void many_pings_take_no_memory_that_lasts(void **state) {
    (void)state;
    unsigned i = 0;
    side *s = side_new(SERVER);
    s->config.hold_input = 0;
    s->config.high_water = 1000;
    s->config.low_water = 500;
    side_open(s);
    while (i < 10000) { /* and reads no Pong */
        side_read_frame(s, 0x89, "ping", 4);
        s->events_len = 0;
        i++;
    }
    assert_true(s->memory.most <= 16384);
    assert_true(hws_endpoint_queued(&s->ep) <= 1300);
    side_free(s);
}

/* --- there is none ------------------------------------------------------------------------------
 */

enum { TEXTS = 3, BIG = 3000 };

static uint8_t big[BIG];

/* One side of the scenario. */
typedef struct actor {
    side *s;
    unsigned failures; /* so far, in calls of the application */
    unsigned received; /* bytes of messages */
    unsigned sent;
    unsigned released;
    uint8_t ref[BIG];
} actor;

typedef struct scene {
    pair p;
    actor actors[2];
    hws_prepared *prepared;
    counted shared; /* memory of the prepared message */
    hws_compressor compressor;
} scene;

/* What failed is done again when there is memory; when there is none for good, it is left. */
#define ATTEMPT(a, call)                                                                           \
    do {                                                                                           \
        unsigned before = (a)->s->memory.failures;                                                 \
        status = (call);                                                                           \
        if (status == HWS_ERR_MEMORY) {                                                            \
            assert_true((a)->s->memory.failures > before);                                         \
            (a)->failures++;                                                                       \
            status = (call);                                                                       \
        }                                                                                          \
    } while (0)

static void on_event(side *s, const hws_event *ev) {
    actor *a = s->user;
    hws_status status = HWS_OK;
    if (ev->type == HWS_REQUEST) {
        ATTEMPT(a, hws_endpoint_accept(&s->ep, &s->accept));
        assert_true(status == HWS_OK || status == HWS_ERR_MEMORY);
        if (status == HWS_ERR_MEMORY) {
            assert_int_equal(hws_endpoint_abort(&s->ep, HWS_ERR_MEMORY), HWS_OK);
        }
    }
    if (ev->type == HWS_TEXT || ev->type == HWS_BINARY) {
        a->received += (unsigned)ev->len;
    }
    a->released += ev->type == HWS_RELEASED;
}

/* A send that counts when it succeeds. */
static void send_piece(actor *a, uint8_t flags, const uint8_t *data, size_t len) {
    hws_status status = HWS_OK;
    ATTEMPT(a, hws_endpoint_send(&a->s->ep, HWS_BINARY, flags, data, len));
    assert_true(status == HWS_OK || status == HWS_ERR_MEMORY || status == HWS_ERR_STATE);
    if (status == HWS_ERR_STATE) { /* it has ended, or the first piece was not sent */
        assert_true(!hws_endpoint_can_send(&a->s->ep) || a->s->memory.fail_all);
    }
    a->sent += status == HWS_OK ? (unsigned)len : 0;
}

static void act(scene *e, uint8_t role) {
    actor *a = &e->actors[role];
    hws_endpoint *ep = &a->s->ep;
    hws_status status = HWS_OK;
    unsigned i = 0;
    while (i < TEXTS) {
        send_piece(a, HWS_WHOLE, big, i % 2 ? BIG : 200);
        i++;
    }
    send_piece(a, HWS_FIRST, big, BIG);
    (void)hws_endpoint_send(ep, HWS_PING, HWS_WHOLE, NULL, 0);
    send_piece(a, 0, big, 10);
    send_piece(a, HWS_FINAL, NULL, 0);
    ATTEMPT(a, hws_endpoint_send_ref(ep, HWS_BINARY, HWS_WHOLE, a->ref, BIG));
    a->sent += status == HWS_OK ? BIG : 0;
    a->released -= status == HWS_OK;
    if (role == SERVER && e->prepared != NULL) {
        ATTEMPT(a, hws_endpoint_send_prepared(ep, e->prepared, HWS_SLOW_SKIP));
        a->sent += status == HWS_OK ? BIG : 0;
    }
}

static void scene_open(scene *e, uint8_t deflate, uint8_t role, unsigned fail_at, uint8_t all) {
    uint8_t i = SERVER;
    memset(e, 0, sizeof *e);
    pair_init(&e->p, 5);
    while (i <= CLIENT) {
        actor *a = &e->actors[i];
        a->s = e->p.sides[i];
        a->s->user = a;
        a->s->on_event = on_event;
        if (deflate) {
            side_deflate(a->s, HWS_DEFLATE_BALANCED);
        }
        side_start(a->s);
        i++;
    }
    e->p.sides[role]->memory.fail_at = fail_at;
    e->p.sides[role]->memory.fail_all = all;
    hws_allocator memory = counted_allocator(&e->shared);
    assert_int_equal(hws_prepared_make(&e->prepared, &memory, HWS_BINARY, big, BIG), HWS_OK);
    if (deflate) {
        hws_codec_settings settings = {.window_bits = 9, .level = 6, .mem_level = 4};
        assert_int_equal(hws_compressor_init(&e->compressor, test_codec(), &settings), HWS_OK);
        assert_int_equal(hws_prepared_compress(e->prepared, &e->compressor), HWS_OK);
        hws_compressor_release(&e->compressor);
    }
}

/* Deliver in small parts, so that messages have to be put together. */
static void settle(scene *e) {
    unsigned steps = 0;
    int moved = 1;
    while (moved) {
        uint8_t role = SERVER;
        moved = 0;
        while (role <= CLIENT) {
            moved |= pair_hand_out(&e->p, role);
            moved |= pair_write(&e->p, role, SIZE_MAX);
            moved |= pair_deliver(&e->p, role, 701);
            moved |= pair_end(&e->p, role);
            role++;
        }
        assert_true(++steps < 10000);
    }
}

static void scene_judge(scene *e, uint8_t role, uint8_t all) {
    const actor *failing = &e->actors[role];
    hws_status status = hws_endpoint_status(&failing->s->ep);
    unsigned failures = failing->s->memory.failures;
    assert_int_equal(e->actors[SERVER].s->ended, 1);
    assert_int_equal(e->actors[CLIENT].s->ended, 1);
    if (!all && failures == failing->failures) { /* in calls of the application alone, if at all */
        assert_int_equal(status, HWS_OK);
        assert_int_equal(hws_endpoint_status(&e->actors[!role].s->ep), HWS_OK);
        assert_int_equal(e->actors[SERVER].received, e->actors[CLIENT].sent);
        assert_int_equal(e->actors[CLIENT].received, e->actors[SERVER].sent);
        assert_true(e->actors[SERVER].sent > 0);
    }
    assert_true(e->actors[SERVER].received <= e->actors[CLIENT].sent);
    assert_true(e->actors[CLIENT].received <= e->actors[SERVER].sent);
    assert_int_equal(e->actors[SERVER].released, 0);
    assert_int_equal(e->actors[CLIENT].released, 0);
}

/* All that an endpoint does with memory, and one block, or all from there on, is not there. Gives
 * the number of failures. */
static unsigned whole_life(uint8_t deflate, uint8_t role, unsigned fail_at, uint8_t all) {
    static scene e;
    hws_status status = HWS_OK;
    uint8_t i = SERVER;
    scene_open(&e, deflate, role, fail_at, all);
    actor *client = &e.actors[CLIENT];
    ATTEMPT(client, hws_endpoint_connect(&client->s->ep, &client->s->client));
    settle(&e);
    act(&e, SERVER);
    act(&e, CLIENT);
    settle(&e);
    if (hws_endpoint_can_send(&client->s->ep)) {
        ATTEMPT(client, hws_endpoint_close(&client->s->ep, 1000, NULL, 0));
    }
    settle(&e);
    while (i <= CLIENT) { /* who cannot even close */
        if (all && !e.actors[i].s->ended) {
            assert_int_equal(hws_endpoint_abort(&e.actors[i].s->ep, HWS_ERR_MEMORY), HWS_OK);
            side_receive(e.actors[i].s);
        }
        i++;
    }
    settle(&e);
    scene_judge(&e, role, all);
    unsigned failures = e.p.sides[role]->memory.failures;
    hws_prepared_release(e.prepared);
    pair_free(&e.p);
    assert_int_equal(e.shared.blocks, 0);
    return failures;
}

static void without_memory_it_stays_usable_or_ends_and_nothing_is_lost(void **state) {
    (void)state;
    unsigned way = 0;
    while (way < 8) {
        uint8_t deflate = (way & 4) != 0;
        unsigned fail_at = 1;
        if (!deflate || test_codec() != NULL) {
            assert_int_equal(whole_life(deflate, way & 1, 0, 0), 0);
            while (whole_life(deflate, way & 1, fail_at, (way & 2) != 0) > 0) {
                fail_at++;
            }
            print_message("    %u blocks\n", fail_at - 1);
            assert_true(fail_at > 10);
        }
        way++;
    }
}

/* The peer learns of it, unless there is no memory for that either. */
static void without_memory_for_a_message_that_arrives_it_ends_with_1011(void **state) {
    (void)state;
    side *s = side_open_new(CLIENT);
    side_read_hex(s, "82 7F 00 00 00 00 00 01 00 00");
    s->memory.fail_at = 1;
    side_read_hex(s, "00 00 00 00");
    expect_output(s, "CLOSE 1011()");
    assert_int_equal(hws_endpoint_can_send(&s->ep), 0);
    hws_endpoint_receive_eof(&s->ep);
    side_receive(s);
    expect_events(s, "END 1006()");
    assert_true(hws_endpoint_status(&s->ep) < 0);
    side_free(s);
}

static void without_memory_for_a_refusal_it_just_ends(void **state) {
    (void)state;
    unsigned fail_at = 1;
    unsigned failures = 1;
    while (failures > 0) {
        side *s = side_new(SERVER);
        side_start(s);
        s->memory.fail_at = fail_at;
        s->memory.fail_all = 1;
        side_read_text(s, "BREW\r\n\r\n");
        failures = s->memory.failures;
        side_write(s, SIZE_MAX);
        assert_int_equal(s->wire_len == 0, failures > 0);
        assert_int_equal(s->ended, failures > 0);
        assert_true(hws_endpoint_status(&s->ep) < 0);
        side_free(s);
        fail_at++;
    }
    assert_int_equal(fail_at, 5); /* the opening, its bytes, the answer; then all is there */
}

/* A fault, a Close and the end of the stream inside a message. */
static void what_cannot_become_a_message_is_let_go(void **state) {
    (void)state;
    static const uint8_t data[5000];
    unsigned way = 0;
    while (way < 3) {
        side *s = side_open_new(CLIENT);
        side_read_frame(s, 0x02, data, sizeof data);
        assert_true(s->memory.bytes >= sizeof data);
        if (way == 2) {
            hws_endpoint_receive_eof(&s->ep);
        } else {
            side_read_hex(s, way == 0 ? "83 00" : "88 00");
        }
        side_receive(s);
        side_write(s, SIZE_MAX);
        side_receive(s);
        assert_int_equal(s->memory.bytes, 0);
        side_free(s);
        way++;
    }
}

/* Messages up to what fits are no matter; a longer one ends with 1011, and all is free again. */
static void a_block_of_fixed_size_does_as_well(void **state) {
    (void)state;
    static uint64_t memory[1024];
    size_t len = 100;
    while (len <= 100000) {
        hws_fixed fixed;
        uint8_t data[100] = {0};
        size_t at = 0;
        hws_fixed_init(&fixed, memory, sizeof memory);
        side *s = side_new(CLIENT);
        s->config.allocator = hws_fixed_allocator(&fixed);
        side_open(s);
        assert_int_equal(hws_fixed_used(&fixed), 0);
        while (at < len && hws_endpoint_can_send(&s->ep)) {
            uint8_t first = (uint8_t)((at == 0 ? 2 : 0) | (at + 100 == len ? 0x80 : 0));
            side_read_frame(s, first, data, 100);
            at += 100;
        }
        assert_int_equal(hws_endpoint_can_send(&s->ep), len <= 1000);
        expect_output(s, len <= 1000 ? "" : "CLOSE 1011()");
        side_receive(s);
        s->events_len = 0;
        if (len <= 1000) {
            assert_int_equal(side_send(s, memory, 1000), HWS_OK);
            assert_int_equal(side_send(s, memory, sizeof memory), HWS_ERR_MEMORY);
        }
        s->wire_len = 0;
        side_write(s, SIZE_MAX);
        side_free(s);
        assert_int_equal(hws_fixed_used(&fixed), 0);
        len *= 10;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_open_endpoint_with_nothing_under_way_holds_no_memory),
        cmocka_unit_test(a_large_announcement_takes_no_memory),
        cmocka_unit_test(memory_grows_with_the_bytes_that_arrive),
        cmocka_unit_test(a_head_that_drips_takes_what_it_has_and_the_fields),
        cmocka_unit_test(many_pings_take_no_memory_that_lasts),
        cmocka_unit_test(without_memory_it_stays_usable_or_ends_and_nothing_is_lost),
        cmocka_unit_test(without_memory_for_a_message_that_arrives_it_ends_with_1011),
        cmocka_unit_test(without_memory_for_a_refusal_it_just_ends),
        cmocka_unit_test(what_cannot_become_a_message_is_let_go),
        cmocka_unit_test(a_block_of_fixed_size_does_as_well),
    };
    size_t i = 0;
    while (i < BIG) {
        big[i] = (uint8_t)(i * i >> 7);
        i++;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
