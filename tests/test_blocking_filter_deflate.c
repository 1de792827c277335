/*
 * Compression over the blocking adapter with a filter: five shares of the memory, both roles.
 */
#include "deflate_pair.h"
#include "toy_peer.h"

enum { LARGE = 100000 };

static uint8_t noise[LARGE];

static pair *open_pair(toy *kind, size_t memory_len) {
    pair *p = toy_pair_new(kind);
    deflate_prepare(p, HWS_DEFLATE_BALANCED);
    p->client.config.memory_len = p->server.config.memory_len = memory_len;
    deflate_open(p);
    return p;
}

static void close_pair(pair *p, const toy *kind) {
    pair_close(p);
    assert_int_equal(kind->made, 0);
    assert_int_equal(kind->finished, 2);
    assert_int_equal(deflate_memory[HWS_ROLE_SERVER].blocks, 0);
    assert_int_equal(deflate_memory[HWS_ROLE_CLIENT].blocks, 0);
}

/* Someone who sends a message from a thread of his own: it may be more than sockets hold. */
typedef struct sender {
    pair *p;
    uint8_t role;
    const uint8_t *data;
    size_t len;
} sender;

static void *send_one(void *arg) {
    const sender *s = arg;
    assert_int_equal(deflate_send(s->p, s->role, HWS_BINARY, HWS_WHOLE, s->data, s->len), HWS_OK);
    return NULL;
}

static void pass_message(pair *p, uint8_t role, const uint8_t *data, size_t len) {
    sender s = {p, role, data, len};
    hws_blocking *ws = &peer_of(p, other_role(role))->ws;
    hws_event ev;
    size_t n = 0;
    assert_int_equal(pthread_create(&p->thread, NULL, send_one, &s), 0);
    do {
        assert_int_equal(hws_blocking_receive(ws, &ev, LONG_MS), HWS_EVENT);
        assert_true(ev.len <= len - n);
        if (ev.len > 0) {
            assert_memory_equal(ev.data, data + n, ev.len);
        }
        n += ev.len;
    } while ((ev.flags & HWS_FINAL) == 0);
    assert_int_equal(n, len);
    assert_int_equal(pthread_join(p->thread, NULL), 0);
}

static void compressed_messages_go_there_and_back(void **state) {
    static const uint8_t zeros[LARGE];
    static const size_t memories[] = {HWS_BLOCKING_MIN_FILTER_MEMORY, 20000, PEER_MEMORY};
    size_t i = 0;
    (void)state;
    while (i < sizeof memories / sizeof memories[0]) {
        toy kind;
        pair *p = open_pair(&kind, memories[i]);
        uint8_t role = 0;
        while (role < 2) {
            pass_message(p, role, zeros, LARGE);
            pass_message(p, role, noise, LARGE);
            pass_message(p, role, noise, 3);
            pass_message(p, role, NULL, 0);
            role++;
        }
        close_pair(p, &kind);
        i++;
    }
}

/* What is not decompressed lies in the adapter, and the rest of the stream in the filter. */
static void a_receive_that_only_looks_takes_all_that_is_there(void **state) {
    static const uint8_t zeros[LARGE];
    uint8_t role = 0;
    (void)state;
    while (role < 2) {
        toy kind;
        pair *p = open_pair(&kind, HWS_BLOCKING_MIN_FILTER_MEMORY);
        hws_blocking *ws = &peer_of(p, other_role(role))->ws;
        size_t n = 0;
        hws_event ev;
        assert_int_equal(deflate_send(p, role, HWS_BINARY, HWS_WHOLE, zeros, LARGE), HWS_OK);
        assert_int_equal(deflate_send(p, role, HWS_BINARY, HWS_WHOLE, noise, 500), HWS_OK);
        peer_nap_ms(SHORT_MS);
        while (n < LARGE + 500) {
            assert_int_equal(hws_blocking_receive(ws, &ev, 0), HWS_EVENT);
            n += ev.len;
        }
        assert_int_equal(hws_blocking_pending(ws), 0);
        assert_int_equal(hws_blocking_receive(ws, &ev, 0), HWS_ERR_TIMEOUT);
        close_pair(p, &kind);
        role++;
    }
}

static void gathered_answers_are_compressed_and_go_out_together(void **state) {
    static const uint8_t zeros[500];
    toy kind;
    pair *p = toy_pair_new(&kind);
    hws_event ev;
    int i = 0;
    (void)state;
    deflate_prepare(p, HWS_DEFLATE_BALANCED);
    p->server.config.gather = 1;
    deflate_open(p);
    assert_int_equal(deflate_send(p, HWS_ROLE_CLIENT, HWS_BINARY, HWS_WHOLE, zeros, 500), HWS_OK);
    assert_int_equal(deflate_send(p, HWS_ROLE_CLIENT, HWS_BINARY, HWS_WHOLE, zeros, 500), HWS_OK);
    peer_nap_ms(SHORT_MS);
    while (i < 2) {
        raw_expect_silence(peer_socket(&p->client), SHORT_MS);
        assert_int_equal(hws_blocking_receive(&p->server.ws, &ev, LONG_MS), HWS_EVENT);
        assert_int_equal(deflate_send(p, HWS_ROLE_SERVER, HWS_BINARY, HWS_WHOLE, ev.data, ev.len),
                         HWS_OK);
        i++;
    }
    while (i > 0) {
        assert_int_equal(hws_blocking_receive(&p->client.ws, &ev, LONG_MS), HWS_EVENT);
        assert_int_equal(ev.len, 500);
        i--;
    }
    close_pair(p, &kind);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compressed_messages_go_there_and_back),
        cmocka_unit_test(a_receive_that_only_looks_takes_all_that_is_there),
        cmocka_unit_test(gathered_answers_are_compressed_and_go_out_together),
    };
    alarm(60);
    random_fill(&(uint64_t){1}, noise, sizeof noise);
    return cmocka_run_group_tests_name("blocking_filter_deflate", tests, NULL, NULL);
}
