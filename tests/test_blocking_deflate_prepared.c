/*
 * Prepared messages on connections that may compress, over real sockets: which form goes out, what
 * later messages refer to, many threads with one message; and memory that is given back in between.
 */
#include "deflate_pair.h"
#include "toy_peer.h"

#include <hawser/allocator.h>
#include <hawser/prepared.h>

enum { CONNECTIONS = 4, LARGE = 300000 };

#ifdef HWS_TEST_REDUCED
enum { ROUNDS = 60 };
#else
enum { ROUNDS = 400 };
#endif

static const char news[] = "a message that many get, a message that many get, a message, "
                           "and what they have to say of it is the message that many get";

/* Something else: who forgot the one in between would refer to the wrong bytes. */
static const char own[] = "what has one to say of it? nothing that is in the news, nothing at all; "
                          "and yet one says what one has to say, more than once...";

static hws_prepared *make(uint8_t type, const void *data, size_t len) {
    hws_allocator allocator = hws_system_allocator();
    hws_prepared *message = NULL;
    assert_int_equal(hws_prepared_make(&message, &allocator, type, data, len), HWS_OK);
    return message;
}

/* With a compressed form that needs a window of this many bits. */
static hws_prepared *make_compressed(const void *data, size_t len, uint8_t bits) {
    hws_codec_settings settings = {.window_bits = bits, .level = 6, .mem_level = 4};
    hws_prepared *message = make(HWS_TEXT, data, len);
    hws_compressor compressor;
    settings.allocator = hws_system_allocator();
    assert_int_equal(hws_compressor_init(&compressor, hws_codec_zlib(), &settings), HWS_OK);
    assert_int_equal(hws_prepared_compress(message, &compressor), HWS_OK);
    hws_compressor_release(&compressor);
    return message;
}

static hws_status send_own(pair *p) {
    return deflate_send(p, HWS_ROLE_SERVER, HWS_TEXT, HWS_WHOLE, own, sizeof own - 1);
}

static void receive_text(hws_blocking *ws, const char *wanted) {
    hws_event ev;
    assert_int_equal(hws_blocking_receive(ws, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(ev.type, HWS_TEXT);
    assert_int_equal(ev.flags, HWS_WHOLE);
    assert_int_equal(ev.len, strlen(wanted));
    assert_memory_equal(ev.data, wanted, ev.len);
}

/* --- which form ------------------------------------------------------------------------------- */

/* The frames that a server sent: 'c' for a compressed message, 'p' for one as it is. */
static char sent_forms[64];

static void tell_form(void *user, const void *connection, uint8_t sent, const hws_frame *frame,
                      const uint8_t *payload) {
    size_t n = strlen(sent_forms);
    (void)user;
    (void)connection;
    (void)payload;
    assert_true(n + 1 < sizeof sent_forms);
    sent_forms[n] = !sent ? '\0' : frame->rsv != 0 ? 'c' : 'p';
}

typedef struct agreement {
    const char *name;
    uint8_t preset;
    uint8_t offers;      /* what the client does; 0: it offers nothing */
    uint8_t server_bits; /* the server's limit; 0: that of the preset */
    uint8_t secure;      /* 1: through a filter */
    const char *forms;
} agreement;

static const agreement agreements[] = {
    {"RFC 7692 7.1: a window larger than the message needs", HWS_DEFLATE_BALANCED, 1, 0, 0,
     "cccccccc"},
    {"RFC 7692 7.1.1.1: no context takeover", HWS_DEFLATE_SMALL, 1, 0, 0, "pcpcpcpc"},
    {"RFC 7692 7.1.2: the largest windows", HWS_DEFLATE_BEST, 1, 0, 0, "cccccccc"},
    {"RFC 7692 7.1.2.1: just the window that it needs", HWS_DEFLATE_BALANCED, 1, 11, 0, "cccccccc"},
    {"RFC 7692 7.1.2.1: a window that is too small", HWS_DEFLATE_BALANCED, 1, 10, 0, "cpcpcpcp"},
    {"RFC 7692 7: nothing was offered", HWS_DEFLATE_BALANCED, 0, 0, 0, "pppppppp"},
    {"through a filter, compressed", HWS_DEFLATE_BALANCED, 1, 0, 1, "cccccccc"},
    {"through a filter, as it is", HWS_DEFLATE_BALANCED, 0, 0, 1, "pppppppp"},
};

static pair *open_agreement(const agreement *a, toy *kind) {
    pair *p = a->secure ? toy_pair_new(kind) : pair_new();
    deflate_prepare(p, a->preset);
    if (a->server_bits > 0) {
        deflate_params[HWS_ROLE_SERVER].server_max_window_bits = a->server_bits;
    }
    deflate_params[HWS_ROLE_CLIENT].enabled = a->offers;
    p->server.config.trace = tell_form;
    pair_open(p);
    memset(sent_forms, 0, sizeof sent_forms);
    return p;
}

static void the_form_is_the_one_that_the_connection_takes(void **state) {
    hws_prepared *message = make_compressed(news, sizeof news - 1, 11);
    size_t i = 0;
    (void)state;
    while (i < sizeof agreements / sizeof agreements[0]) {
        toy kind;
        pair *p = open_agreement(&agreements[i], &kind);
        int round = 0;
        print_message("%s\n", agreements[i].name);
        while (round < 4) {
            assert_int_equal(send_own(p), HWS_OK);
            assert_int_equal(hws_blocking_send_prepared(&p->server.ws, message, LONG_MS), HWS_OK);
            receive_text(&p->client.ws, own);
            receive_text(&p->client.ws, news);
            round++;
        }
        assert_string_equal(sent_forms, agreements[i].forms);
        deflate_pair_free(p);
        i++;
    }
    hws_prepared_release(message);
}

static void without_a_compressed_form_it_goes_as_it_is(void **state) {
    hws_prepared *message = make(HWS_TEXT, news, sizeof news - 1);
    pair *p = open_agreement(&agreements[0], NULL);
    (void)state;
    assert_int_equal(send_own(p), HWS_OK);
    assert_int_equal(hws_blocking_send_prepared(&p->server.ws, message, LONG_MS), HWS_OK);
    assert_int_equal(send_own(p), HWS_OK);
    receive_text(&p->client.ws, own);
    receive_text(&p->client.ws, news);
    receive_text(&p->client.ws, own);
    assert_string_equal(sent_forms, "cpc");
    hws_prepared_release(message);
    deflate_pair_free(p);
}

/* RFC 7692 6.1, RFC 6455 5.4. */
static void inside_a_compressed_message_it_is_refused(void **state) {
    hws_prepared *message = make_compressed(news, sizeof news - 1, 11);
    pair *p = deflate_pair_open(HWS_DEFLATE_BALANCED);
    hws_event ev;
    (void)state;
    assert_int_equal(deflate_send(p, HWS_ROLE_SERVER, HWS_TEXT, HWS_FIRST, own, 10), HWS_OK);
    assert_int_equal(hws_blocking_send_prepared(&p->server.ws, message, LONG_MS), HWS_ERR_STATE);
    assert_int_equal(deflate_send(p, HWS_ROLE_SERVER, HWS_TEXT, HWS_FINAL, own + 10, 5), HWS_OK);
    assert_int_equal(hws_blocking_send_prepared(&p->server.ws, message, LONG_MS), HWS_OK);
    assert_int_equal(send_own(p), HWS_OK);
    assert_int_equal(hws_blocking_receive(&p->client.ws, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(ev.len, 10);
    assert_int_equal(hws_blocking_receive(&p->client.ws, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(ev.len, 5);
    receive_text(&p->client.ws, news);
    receive_text(&p->client.ws, own);
    hws_prepared_release(message);
    deflate_pair_free(p);
}

/* --- many threads, one message ---------------------------------------------------------------- */

/* One connection of a broadcast, and who serves it. */
typedef struct seat {
    pair *p;
    hws_prepared *message;
    uint8_t *text; /* the message, which is longer than the working memory */
    uint8_t room[LARGE];
    pthread_t server;
    pthread_t client;
} seat;

static void *seat_serve(void *arg) {
    seat *s = arg;
    int i = 0;
    while (i < ROUNDS) {
        assert_int_equal(send_own(s->p), HWS_OK);
        assert_int_equal(hws_blocking_send_prepared(&s->p->server.ws, s->message, LONG_MS), HWS_OK);
        i++;
    }
    hws_prepared_release(s->message);
    assert_int_equal(hws_blocking_send_close(&s->p->server.ws, 1000, NULL, 0, LONG_MS), HWS_OK);
    return pair_receive_to_end(&s->p->server.ws);
}

static void *seat_read(void *arg) {
    seat *s = arg;
    hws_message message;
    hws_event ev;
    int i = 0;
    hws_message_init(&message, s->room, sizeof s->room);
    while (hws_blocking_receive_message(&s->p->client.ws, &message, &ev, LONG_MS) == HWS_EVENT &&
           ev.type == HWS_TEXT) {
        const void *wanted = i % 2 == 0 ? (const void *)own : s->text;
        assert_int_equal(ev.len, i % 2 == 0 ? sizeof own - 1 : LARGE);
        assert_memory_equal(ev.data, wanted, ev.len);
        i++;
    }
    assert_int_equal(i, 2 * ROUNDS);
    return NULL;
}

/* Each has its own memory: those of deflate_pair.h are for one connection. */
static pair *open_seat(size_t i) {
    static const uint8_t presets[CONNECTIONS] = {HWS_DEFLATE_BALANCED, HWS_DEFLATE_BEST,
                                                 HWS_DEFLATE_SMALL, HWS_DEFLATE_BALANCED};
    pair *p = pair_new();
    deflate_prepare(p, presets[i]);
    deflate_options[HWS_ROLE_SERVER].settings.allocator = hws_system_allocator();
    deflate_options[HWS_ROLE_CLIENT].settings.allocator = hws_system_allocator();
    deflate_params[HWS_ROLE_CLIENT].enabled = i < 3;
    pair_open(p);
    assert_int_equal(hws_blocking_deflate(&p->server.ws)->enabled, i < 3);
    return p;
}

/* Text that compresses to a tenth of it. */
static uint8_t *large_text(void) {
    uint8_t *text = malloc(LARGE);
    uint64_t seed = 1;
    size_t i = 0;
    assert_non_null(text);
    while (i < LARGE) {
        text[i] = (uint8_t)('a' + (i % 40 == 0 ? random_next(&seed) % 26 : i % 20));
        i++;
    }
    return text;
}

static void one_message_is_sent_by_many_threads(void **state) {
    uint8_t *text = large_text();
    hws_prepared *message = make_compressed(text, LARGE, 11);
    seat *seats = calloc(CONNECTIONS, sizeof *seats);
    size_t i = 0;
    (void)state;
    assert_non_null(seats);
    while (i < CONNECTIONS) {
        seats[i].p = open_seat(i);
        seats[i].message = hws_prepared_retain(message);
        seats[i].text = text;
        i++;
    }
    hws_prepared_release(message);
    i = 0;
    while (i < CONNECTIONS) {
        assert_int_equal(pthread_create(&seats[i].server, NULL, seat_serve, &seats[i]), 0);
        assert_int_equal(pthread_create(&seats[i].client, NULL, seat_read, &seats[i]), 0);
        i++;
    }
    i = 0;
    while (i < CONNECTIONS) {
        assert_int_equal(pthread_join(seats[i].client, NULL), 0);
        hws_blocking_release(&seats[i].p->client.ws);
        assert_int_equal(pthread_join(seats[i].server, NULL), 0);
        pair_free(seats[i].p);
        i++;
    }
    free(seats);
    free(text);
}

/* --- memory in between ------------------------------------------------------------------------ */

static void exchange(pair *p) {
    uint8_t role = 0;
    while (role < 2) {
        assert_int_equal(
            deflate_send(p, role, HWS_TEXT, HWS_WHOLE | HWS_COMPRESSED, own, sizeof own - 1),
            HWS_OK);
        receive_text(&peer_of(p, other_role(role))->ws, own);
        role++;
    }
}

/* RFC 7692 7.1.1: what a peer's messages may refer to has to be kept. */
static void between_messages_memory_is_given_back(void **state) {
    static const struct {
        uint8_t preset;
        uint8_t stays; /* 1: the decompressor */
    } rows[] = {{HWS_DEFLATE_BALANCED, 1}, {HWS_DEFLATE_SMALL, 0}};
    size_t i = 0;
    (void)state;
    while (i < sizeof rows / sizeof rows[0]) {
        pair *p = deflate_pair_open(rows[i].preset);
        int round = 0;
        while (round < 4) {
            const counted_memory *own_memory = &deflate_memory[round % 2];
            const counted_memory *other_memory = &deflate_memory[1 - round % 2];
            hws_blocking *ws = &peer_of(p, (uint8_t)(round % 2))->ws;
            exchange(p);
            int before = other_memory->blocks;
            assert_int_equal(own_memory->blocks, before);
            hws_blocking_trim(ws);
            int after = own_memory->blocks;
            assert_true(after < before);
            assert_int_equal(after > 0, rows[i].stays);
            hws_blocking_trim(ws);
            assert_int_equal(own_memory->blocks, after);
            assert_int_equal(other_memory->blocks, before);
            round++;
        }
        exchange(p);
        deflate_pair_free(p);
        i++;
    }
}

static void inside_messages_nothing_is_given_back(void **state) {
    pair *p = deflate_pair_open(HWS_DEFLATE_SMALL);
    hws_event ev;
    uint8_t role = 0;
    (void)state;
    exchange(p);
    int before = deflate_memory[HWS_ROLE_CLIENT].blocks;
    while (role < 2) {
        assert_int_equal(deflate_send(p, role, HWS_TEXT, HWS_FIRST, own, 40), HWS_OK);
        assert_int_equal(hws_blocking_receive(&peer_of(p, other_role(role))->ws, &ev, LONG_MS),
                         HWS_EVENT);
        role++;
    }
    hws_blocking_trim(&p->client.ws);
    hws_blocking_trim(&p->server.ws);
    assert_int_equal(deflate_memory[HWS_ROLE_CLIENT].blocks, before);
    assert_int_equal(deflate_memory[HWS_ROLE_SERVER].blocks, before);
    role = 0;
    while (role < 2) {
        assert_int_equal(deflate_send(p, role, HWS_TEXT, HWS_FINAL, own, 40), HWS_OK);
        assert_int_equal(hws_blocking_receive(&peer_of(p, other_role(role))->ws, &ev, LONG_MS),
                         HWS_EVENT);
        assert_int_equal(ev.len, 40);
        assert_memory_equal(ev.data, own, 40);
        role++;
    }
    exchange(p);
    deflate_pair_free(p);
}

/* After it the compressor is empty, and there is nothing to follow. */
static void a_prepared_message_may_be_the_first_after_that(void **state) {
    hws_prepared *message = make_compressed(news, sizeof news - 1, 11);
    pair *p = deflate_pair_open(HWS_DEFLATE_BALANCED);
    (void)state;
    exchange(p);
    hws_blocking_trim(&p->server.ws);
    int before = deflate_memory[HWS_ROLE_SERVER].blocks;
    assert_int_equal(hws_blocking_send_prepared(&p->server.ws, message, LONG_MS), HWS_OK);
    assert_int_equal(deflate_memory[HWS_ROLE_SERVER].blocks, before);
    receive_text(&p->client.ws, news);
    exchange(p);
    hws_prepared_release(message);
    deflate_pair_free(p);
}

static void where_there_is_no_compression_there_is_nothing_to_give_back(void **state) {
    pair *p = pair_new();
    (void)state;
    hws_blocking_trim(&p->client.ws); /* of zeros */
    pair_open(p);
    hws_blocking_trim(&p->client.ws);
    hws_blocking_trim(&p->server.ws);
    assert_int_equal(hws_blocking_send(&p->client.ws, HWS_TEXT, HWS_WHOLE, (const uint8_t *)own,
                                       sizeof own - 1, LONG_MS),
                     HWS_OK);
    receive_text(&p->server.ws, own);
    hws_blocking_release(&p->client.ws);
    hws_blocking_trim(&p->client.ws);
    pair_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_form_is_the_one_that_the_connection_takes),
        cmocka_unit_test(without_a_compressed_form_it_goes_as_it_is),
        cmocka_unit_test(inside_a_compressed_message_it_is_refused),
        cmocka_unit_test(one_message_is_sent_by_many_threads),
        cmocka_unit_test(between_messages_memory_is_given_back),
        cmocka_unit_test(inside_messages_nothing_is_given_back),
        cmocka_unit_test(a_prepared_message_may_be_the_first_after_that),
        cmocka_unit_test(where_there_is_no_compression_there_is_nothing_to_give_back),
    };
    alarm(150);
    return cmocka_run_group_tests_name("blocking_deflate_prepared", tests, NULL, NULL);
}
