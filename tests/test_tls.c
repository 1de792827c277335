/*
 * The filter over OpenSSL, by the contract of filter.h: handshakes and data at every chunk and
 * capacity, how streams end, and what is no TLS.
 */
#include "tls_harness.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

static const uint16_t versions[] = {HWS_TLS_1_2, HWS_TLS_1_3};
enum { VERSIONS = sizeof versions / sizeof versions[0] };

#ifdef HWS_TEST_REDUCED
enum { CHANGE_STEP = 23 };
#else
enum { CHANGE_STEP = 1 };
#endif

/* Contexts of each version, for all tests. */
static hws_tls *clients[VERSIONS];
static hws_tls *servers[VERSIONS];

static int make_contexts(void **state) {
    unsigned v = 0;
    assert_int_equal(tls_files_make(state), 0);
    while (v < VERSIONS) {
        clients[v] = tls_new_client(versions[v]);
        servers[v] = tls_new_server("www", versions[v]);
        v++;
    }
    return 0;
}

static int free_contexts(void **state) {
    unsigned v = 0;
    while (v < VERSIONS) {
        tls_free(clients[v]);
        tls_free(servers[v]);
        v++;
    }
    return tls_files_remove(state);
}

static tls_pair *open_pair(unsigned v) {
    return tls_pair_open(clients[v], servers[v], "example.com");
}

/* Send all, and see it come out at the other end. */
static void expect_transfer(tls_pair *p, tls_end *from, tls_end *to, const uint8_t *data,
                            size_t len) {
    to->plain_len = 0;
    assert_int_equal(tls_send(p, from, data, len), len);
    assert_int_equal(from->sent, HWS_OK);
    tls_exchange(p);
    assert_int_equal(to->received, HWS_OK);
    assert_int_equal(to->plain_len, len);
    assert_memory_equal(to->plain, data, len);
}

static void run_sizes(unsigned v, size_t chunk, size_t wire_cap, size_t plain_cap, size_t len) {
    static uint8_t data[200000];
    uint64_t seed = 1 + chunk + wire_cap;
    tls_pair *p = tls_pair_new(clients[v], servers[v], "example.com");
    random_fill(&seed, data, len);
    p->chunk = chunk;
    p->wire_cap = wire_cap;
    p->plain_cap = plain_cap;
    tls_open(p);
    expect_transfer(p, &p->client, &p->server, data, len);
    expect_transfer(p, &p->server, &p->client, data, len);
    expect_transfer(p, &p->client, &p->server, data, 1);
    tls_pair_free(p);
}

static void data_comes_through_at_every_chunk(void **state) {
    static const size_t chunks[] = {1, 2, 3, 4, 5, 6, 7, 13, 100, 1000, 16384, 65536};
    unsigned v = 0;
    (void)state;
    while (v < VERSIONS) {
        size_t i = 0;
        while (i < sizeof chunks / sizeof chunks[0]) {
            run_sizes(v, chunks[i], 70000, 70000, chunks[i] < 100 ? 2000 : 40000);
            i++;
        }
        v++;
    }
}

/* The ends of records fall on every place around the end of the buffer. */
static void data_comes_through_at_every_capacity(void **state) {
    static const size_t caps[] = {1,     2,     3,     4,     5,     7,     20,    21,
                                  22,    23,    100,   150,   1023,  1024,  1025,  1151,
                                  1152,  1153,  1154,  4096,  16383, 16384, 16385, 16405,
                                  16406, 16407, 16511, 16512, 16513, 20000, 100000};
    unsigned v = 0;
    (void)state;
    while (v < VERSIONS) {
        size_t i = 0;
        while (i < sizeof caps / sizeof caps[0]) {
            run_sizes(v, 5000, caps[i], 70000, caps[i] < 100 ? 3000 : 40000);
            run_sizes(v, 5000, 70000, caps[i], caps[i] < 100 ? 3000 : 40000);
            i++;
        }
        v++;
    }
}

static void bytes_of_everything_by_one(void **state) {
    (void)state;
    run_sizes(0, 1, 1, 1, 1500);
    run_sizes(1, 1, 1, 1, 1500);
}

static void much_data_goes_both_ways_at_once(void **state) {
    enum { LEN = 200000 };
    static uint8_t up[LEN];
    static uint8_t down[LEN];
    uint64_t seed = 5;
    unsigned v = 0;
    (void)state;
    random_fill(&seed, up, LEN);
    random_fill(&seed, down, LEN);
    while (v < VERSIONS) {
        tls_pair *p = open_pair(v);
        assert_int_equal(tls_send(p, &p->client, up, LEN), LEN);
        assert_int_equal(tls_send(p, &p->server, down, LEN), LEN);
        tls_exchange(p);
        assert_int_equal(p->server.plain_len, LEN);
        assert_int_equal(p->client.plain_len, LEN);
        assert_memory_equal(p->server.plain, up, LEN);
        assert_memory_equal(p->client.plain, down, LEN);
        tls_pair_free(p);
        v++;
    }
}

/* A buffer that holds something already, and data of which a part is used. */
static void positions_are_kept(void **state) {
    static const uint8_t data[] = "0123456789";
    static uint8_t wire[2000];
    static uint8_t wanted[100];
    tls_pair *p = open_pair(1);
    const hws_filter *filter = hws_tls_filter(clients[1]);
    size_t used = 4;
    size_t n = 100;
    size_t at = 100;
    size_t plain_len = 3;
    uint8_t plain[20] = "abc";
    (void)state;
    memset(wire, 0x77, sizeof wire);
    memset(wanted, 0x77, sizeof wanted);
    assert_int_equal(filter->send(p->client.state, data, 10, &used, wire, sizeof wire, &n), HWS_OK);
    assert_int_equal(used, 10);
    assert_true(n > 106);
    assert_memory_equal(wire, wanted, 100);
    assert_int_equal(
        filter->receive(p->server.state, wire, n, &at, plain, sizeof plain, &plain_len), HWS_OK);
    assert_int_equal(at, n);
    assert_int_equal(plain_len, 9);
    assert_memory_equal(plain, "abc456789", 9);
    tls_pair_free(p);
}

/* With room for it a record is as large as it may be: small ones cost the peer time. */
static void records_fill_the_room(void **state) {
    static uint8_t data[100000];
    tls_pair *p = open_pair(1);
    (void)state;
    assert_int_equal(tls_send(p, &p->client, data, sizeof data), sizeof data);
    assert_true(p->client.wire_len < sizeof data + 10 * 22);
    assert_int_equal(p->client.wire[3] << 8 | p->client.wire[4], 16384 + 17);
    tls_exchange(p);
    tls_pair_free(p);
}

/* In a small span records are as small: no more is taken than can be given. */
static void no_more_is_taken_than_fits(void **state) {
    static const uint8_t data[100000];
    uint8_t wire[5000];
    tls_pair *p = open_pair(1);
    size_t used = 0;
    size_t n = 0;
    (void)state;
    assert_int_equal(hws_tls_filter(clients[1])
                         ->send(p->client.state, data, sizeof data, &used, wire, sizeof wire, &n),
                     HWS_MORE);
    assert_int_equal(n, sizeof wire);
    assert_in_range(used, 4800, 4999 + 1024);
    tls_pair_free(p);
}

/* What is held for a peer that does not read ends somewhere. OpenSSL is asked behind the filter's
 * back, for no peer makes it say as much. */
static void what_is_held_is_bounded(void **state) {
    static const uint8_t data[16384];
    tls_pair *p = open_pair(1);
    size_t total = 0;
    (void)state;
    while (SSL_write(hws_tls_native(p->server.state), data, sizeof data) > 0) {
        total += sizeof data;
        assert_true(total < 262144);
    }
    assert_true(total > 200000);
    tls_pair_free(p);
}

static void plain_bytes_wait_for_the_handshake(void **state) {
    unsigned v = 0;
    (void)state;
    while (v < VERSIONS) {
        tls_pair *p = tls_pair_new(clients[v], servers[v], "example.com");
        p->wire_cap = 1;
        assert_int_equal(tls_send(p, &p->client, "early", 5), 0);
        assert_int_equal(p->client.sent, HWS_NEED_MORE);
        assert_true(p->client.wire_len > 100);
        p->wire_cap = 65536;
        assert_int_equal(tls_send(p, &p->server, "early", 5), 0);
        assert_int_equal(p->server.sent, HWS_NEED_MORE);
        assert_int_equal(p->server.wire_len, 0);
        assert_int_equal(tls_send(p, &p->client, NULL, 0), 0);
        assert_int_equal(p->client.sent, HWS_OK);
        assert_false(tls_is_open(&p->client));
        tls_open(p);
        assert_int_equal(tls_send(p, &p->client, "early, and more", 15), 15);
        tls_exchange(p);
        assert_int_equal(p->server.plain_len, 15);
        tls_pair_free(p);
        v++;
    }
}

static void versions_that_do_not_meet_fail(void **state) {
    tls_pair *p = tls_pair_new(clients[0], servers[1], "example.com");
    (void)state;
    tls_exchange(p);
    assert_int_equal(p->server.received, HWS_ERR_TLS);
    assert_int_equal(p->client.received, HWS_ERR_TLS);
    assert_string_equal(tls_reason(clients[0], p->client.state),
                        "The peer has ended TLS with an alert: protocol version.");
    tls_pair_free(p);
}

/* --- ends ---------------------------------------------------------------------------------------
 */

static void finish(tls_end *end) {
    hws_tls_filter(end->tls)->finish(end->state);
}

/* One end says that it will send no more; the other goes on, and ends then. */
static void end_pair(tls_pair *p, tls_end *first, tls_end *second) {
    assert_int_equal(tls_send(p, first, "last", 4), 4);
    finish(first);
    finish(first);
    assert_int_equal(tls_send(p, first, "x", 1), 0);
    assert_int_equal(first->sent, HWS_ERR_STATE);
    tls_exchange(p);
    assert_int_equal(second->received, HWS_ERR_EOF);
    assert_int_equal(second->plain_len, 4);
    assert_int_equal(tls_send(p, second, "reply", 5), 5);
    tls_exchange(p);
    assert_int_equal(first->received, HWS_OK);
    assert_int_equal(first->plain_len, 5);
    finish(second);
    tls_exchange(p);
    assert_int_equal(first->received, HWS_ERR_EOF);
    finish(second);
    assert_int_equal(tls_send(p, second, NULL, 0), 0);
    assert_int_equal(second->wire_len, 0);
    assert_int_equal(second->sent, HWS_OK);
}

static void each_end_says_that_it_has_ended(void **state) {
    unsigned v = 0;
    (void)state;
    while (v < VERSIONS) {
        tls_pair *p = open_pair(v);
        end_pair(p, &p->client, &p->server);
        tls_pair_free(p);
        p = open_pair(v);
        p->wire_cap = 1;
        p->chunk = 1;
        end_pair(p, &p->server, &p->client);
        tls_pair_free(p);
        v++;
    }
}

/* Also what stands in the filter while plain is full. */
static void who_has_ended_receives_all_that_comes(void **state) {
    static const uint8_t data[1000] = {7};
    uint8_t room[10];
    size_t used = 0;
    size_t n = 0;
    tls_pair *p = open_pair(1);
    const hws_filter *filter = hws_tls_filter(servers[1]);
    (void)state;
    finish(&p->server);
    (void)tls_send(p, &p->server, NULL, 0);
    assert_int_equal(tls_send(p, &p->client, data, sizeof data), sizeof data);
    assert_int_equal(filter->receive(p->server.state, p->client.wire, p->client.wire_len, &used,
                                     room, sizeof room, &n),
                     HWS_MORE);
    (void)tls_send(p, &p->server, NULL, 0);
    assert_int_equal(p->server.sent, HWS_OK);
    used = 0;
    assert_int_equal(filter->receive(p->server.state, NULL, 0, &used, p->server.plain, WIRE_CAP,
                                     &p->server.plain_len),
                     HWS_OK);
    assert_int_equal(n + p->server.plain_len, sizeof data);
    tls_pair_free(p);
}

static void the_end_is_sticky(void **state) {
    const hws_filter *filter = hws_tls_filter(clients[0]);
    tls_pair *p = open_pair(1);
    uint8_t room[10];
    size_t used = 0;
    size_t n = 0;
    (void)state;
    finish(&p->client);
    tls_exchange(p);
    assert_int_equal(filter->receive(p->server.state, NULL, 0, &used, room, sizeof room, &n),
                     HWS_ERR_EOF);
    assert_int_equal(n, 0);
    tls_pair_free(p);
}

/* An end in the middle of a handshake has nothing to say, and does not fail. */
static void an_end_inside_the_handshake_is_silent(void **state) {
    tls_pair *p = tls_pair_new(clients[1], servers[1], "example.com");
    (void)state;
    finish(&p->server);
    assert_int_equal(tls_send(p, &p->server, NULL, 0), 0);
    assert_int_equal(p->server.sent, HWS_OK);
    assert_int_equal(p->server.wire_len, 0);
    tls_pair_free(p);
}

/* Who cuts the stream cannot make it look ended: the filter says nothing, and the adapter meets the
 * end of the stream without HWS_ERR_EOF before it. */
static void a_stream_that_is_cut_is_not_ended(void **state) {
    unsigned v = 0;
    (void)state;
    while (v < VERSIONS) {
        tls_pair *p = open_pair(v);
        assert_int_equal(tls_send(p, &p->client, "whole", 5), 5);
        tls_exchange(p);
        assert_int_equal(tls_send(p, &p->client, "half", 4), 4);
        finish(&p->client);
        (void)tls_send(p, &p->client, NULL, 0);
        while (p->client.wire_at < p->client.wire_len) {
            size_t used = 0;
            size_t n = 0;
            uint8_t room[8];
            hws_status status = hws_tls_filter(servers[v])
                                    ->receive(p->server.state, p->client.wire + p->client.wire_at,
                                              1, &used, room, 8, &n);
            p->client.wire_at++;
            assert_int_equal(status, p->client.wire_at < p->client.wire_len ? HWS_OK : HWS_ERR_EOF);
        }
        tls_pair_free(p);
        v++;
    }
}

/* --- faults -------------------------------------------------------------------------------------
 */

static void expect_garbage(const char *bytes, size_t len, const char *reason) {
    tls_pair *p = tls_pair_new(clients[1], servers[1], "example.com");
    size_t used = 0;
    size_t n = 0;
    uint8_t room[100];
    const hws_filter *filter = hws_tls_filter(servers[1]);
    assert_int_equal(
        filter->receive(p->server.state, (const uint8_t *)bytes, len, &used, room, sizeof room, &n),
        HWS_ERR_TLS);
    assert_int_equal(n, 0);
    assert_string_equal(tls_reason(servers[1], p->server.state), reason);
    assert_string_equal(tls_reason(servers[1], NULL), reason);
    assert_string_equal(tls_reason(servers[1], p->client.state), "");
    assert_int_equal(tls_send(p, &p->server, NULL, 0), 0);
    assert_int_equal(p->server.sent, HWS_ERR_TLS);
    assert_int_equal(filter->receive(p->server.state, NULL, 0, &used, room, sizeof room, &n),
                     HWS_ERR_TLS);
    tls_pair_free(p);
}

static void what_is_no_tls_is_told(void **state) {
    (void)state;
    expect_garbage("GET /chat HTTP/1.1\r\nHost: example.com\r\n\r\n", 43,
                   "The peer speaks HTTP without TLS.");
    expect_garbage("SSH-2.0-OpenSSH_9.2\r\n", 21, "The peer does not speak TLS.");
    expect_garbage("\0\0\0\0\0\0\0\0\0\0\0\0", 12, "The peer does not speak TLS.");
}

/* RFC 8446 6.2: a fault is told to the peer by an alert, whatever the room for it. */
static void a_fault_gives_an_alert(void **state) {
    unsigned v = 0;
    (void)state;
    while (v < VERSIONS) {
        tls_pair *p = open_pair(v);
        p->wire_cap = 1;
        assert_int_equal(tls_send(p, &p->client, "hello", 5), 5);
        p->client.wire[p->client.wire_len - 1] ^= 1;
        tls_deliver(p, &p->client, &p->server);
        assert_int_equal(p->server.received, HWS_ERR_TLS);
        assert_int_equal(p->server.sent, HWS_ERR_TLS);
        assert_int_equal(p->server.plain_len, 0);
        assert_true(p->server.wire_len > 6);
        tls_deliver(p, &p->server, &p->client);
        assert_int_equal(p->client.received, HWS_ERR_TLS);
        assert_string_equal(tls_reason(clients[v], p->client.state),
                            "The peer has ended TLS with an alert: bad record mac.");
        assert_int_equal(tls_send(p, &p->client, "x", 1), 0);
        assert_int_equal(p->client.sent, HWS_ERR_TLS);
        tls_pair_free(p);
        v++;
    }
}

/* Each byte of the client's first flight, changed, but for the version of the record, which nobody
 * reads (RFC 8446 5.1). */
static void a_changed_handshake_fails(void **state) {
    size_t at = 3;
    size_t len = 4;
    (void)state;
    while (at < len) {
        tls_pair *p = tls_pair_new(clients[1], servers[1], "example.com");
        (void)tls_send(p, &p->client, NULL, 0);
        len = p->client.wire_len;
        p->client.wire[at] ^= 0x41;
        tls_exchange(p);
        assert_false(tls_is_open(&p->client) && tls_is_open(&p->server));
        tls_pair_free(p);
        at += CHANGE_STEP;
    }
}

/* Errors of OpenSSL that others left in the thread change nothing. */
static void errors_of_others_do_not_matter(void **state) {
    tls_pair *p = tls_pair_new(clients[1], servers[1], "example.com");
    hws_tls_config config;
    hws_tls bad;
    (void)state;
    expect_garbage("GET / HTTP/1.1\r\n\r\n", 18, "The peer speaks HTTP without TLS.");
    tls_config_client(&config);
    config.ca_file = tls_file("missing.pem");
    assert_int_equal(hws_tls_init(&bad, &config), HWS_ERR_TLS);
    hws_tls_release(&bad);
    assert_null(SSL_CTX_new(NULL));
    tls_open(p);
    assert_null(SSL_CTX_new(NULL));
    assert_int_equal(tls_send(p, &p->client, "hello", 5), 5);
    assert_null(SSL_CTX_new(NULL));
    tls_deliver(p, &p->client, &p->server);
    assert_int_equal(p->server.received, HWS_OK);
    assert_int_equal(p->server.plain_len, 5);
    tls_pair_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_comes_through_at_every_chunk),
        cmocka_unit_test(data_comes_through_at_every_capacity),
        cmocka_unit_test(bytes_of_everything_by_one),
        cmocka_unit_test(much_data_goes_both_ways_at_once),
        cmocka_unit_test(positions_are_kept),
        cmocka_unit_test(records_fill_the_room),
        cmocka_unit_test(no_more_is_taken_than_fits),
        cmocka_unit_test(what_is_held_is_bounded),
        cmocka_unit_test(plain_bytes_wait_for_the_handshake),
        cmocka_unit_test(versions_that_do_not_meet_fail),
        cmocka_unit_test(each_end_says_that_it_has_ended),
        cmocka_unit_test(who_has_ended_receives_all_that_comes),
        cmocka_unit_test(the_end_is_sticky),
        cmocka_unit_test(an_end_inside_the_handshake_is_silent),
        cmocka_unit_test(a_stream_that_is_cut_is_not_ended),
        cmocka_unit_test(what_is_no_tls_is_told),
        cmocka_unit_test(a_fault_gives_an_alert),
        cmocka_unit_test(a_changed_handshake_fails),
        cmocka_unit_test(errors_of_others_do_not_matter),
    };
    return cmocka_run_group_tests(tests, make_contexts, free_contexts);
}
