/*
 * The blocking adapter through a filter: messages, in both roles, and what the filter says and
 * holds by itself.
 */
#include "toy_lab.h"

enum { LARGE = 300000, PINGS = 300 };

static uint8_t noise[LARGE];

static void *echo_all(void *arg) {
    hws_blocking *ws = arg;
    uint8_t *buffer = malloc(LARGE);
    hws_message message;
    hws_event ev;
    hws_status status = HWS_OK;
    assert_non_null(buffer);
    hws_message_init(&message, buffer, LARGE);
    do {
        status = hws_blocking_receive_message(ws, &message, &ev, LONG_MS);
        if (status == HWS_EVENT && ev.type == HWS_BINARY) {
            assert_int_equal(hws_blocking_send(ws, HWS_BINARY, HWS_WHOLE, ev.data, ev.len, LONG_MS),
                             HWS_OK);
        }
    } while (status == HWS_EVENT);
    assert_int_equal(status, HWS_OK);
    free(buffer);
    return NULL;
}

static void expect_echo(hws_blocking *ws, size_t len) {
    static uint8_t buffer[LARGE];
    hws_message message;
    hws_event ev;
    hws_message_init(&message, buffer, sizeof buffer);
    assert_int_equal(hws_blocking_send(ws, HWS_BINARY, HWS_WHOLE, noise, len, LONG_MS), HWS_OK);
    assert_int_equal(hws_blocking_receive_message(ws, &message, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(ev.len, len);
    if (len > 0) {
        assert_memory_equal(ev.data, noise, len);
    }
}

static void messages_of_all_sizes_go_there_and_back(void **state) {
    static const size_t sizes[] = {0, 1, 2, 125, 126, 253, 254, 255, 256, 4096, 65536, LARGE};
    static const size_t records[] = {1, 7, TOY_RECORD_MAX};
    size_t row = 0;
    (void)state;
    while (row < 6) {
        toy kind;
        pair *p = toy_pair_new(&kind);
        size_t i = 0;
        kind.record = records[row / 2];
        kind.chatty = (int)(row % 2);
        if (row % 2 == 0) {
            p->client.config.memory_len = HWS_BLOCKING_MIN_FILTER_MEMORY;
            p->server.config.memory_len = HWS_BLOCKING_MIN_FILTER_MEMORY;
        }
        pair_open(p);
        assert_int_equal(pthread_create(&p->thread, NULL, echo_all, &p->server.ws), 0);
        while (i < sizeof sizes / sizeof sizes[0]) {
            expect_echo(&p->client.ws, sizes[i]);
            i++;
        }
        assert_int_equal(hws_blocking_close(&p->client.ws, HWS_CLOSE_NORMAL, NULL, 0), HWS_OK);
        assert_int_equal(pthread_join(p->thread, NULL), 0);
        assert_int_equal(kind.finished, 2);
        pair_free(p);
        assert_int_equal(kind.made, 0);
        row++;
    }
}

static void a_stream_that_drips_is_put_together(void **state) {
    lab *l = *state;
    uint8_t frame[64];
    uint8_t buffer[8];
    size_t n = 0;
    size_t i = 0;
    hws_message message;
    hws_event ev;
    hws_message_init(&message, buffer, sizeof buffer);
    n = 3 * make_frame(l, 0x81, "drip", 4, frame);
    while (i < n) {
        uint8_t record[3] = {'D', 1, frame[i / 3] ^ TOY_KEY};
        assert_int_equal(hws_blocking_receive_message(l->ws, &message, &ev, 0), HWS_ERR_TIMEOUT);
        raw_send(l->fd, &record[i % 3], 1);
        i++;
    }
    assert_int_equal(hws_blocking_receive_message(l->ws, &message, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(ev.len, 4);
    assert_memory_equal(ev.data, "drip", 4);
}

/* The socket has nothing any more; what the filter holds has to come all the same. */
static void what_the_filter_holds_comes_without_the_socket(void **state) {
    enum { MESSAGES = 500 };
    uint8_t role = 0;
    (void)state;
    while (role < 2) {
        lab l;
        int count = 0;
        uint8_t buffer[8];
        hws_message message;
        hws_event ev;
        hws_message_init(&message, buffer, sizeof buffer);
        lab_begin(&l, role);
        l.kind.stingy = 3;
        peer_of(l.p, role)->config.memory_len = HWS_BLOCKING_MIN_FILTER_MEMORY;
        lab_open(&l);
        while (count < MESSAGES) {
            hand_send(&l, 0x81, "many", 4);
            count++;
        }
        count = 0;
        while (count < MESSAGES) {
            hws_status status = hws_blocking_receive_message(l.ws, &message, &ev, 0);
            struct pollfd set = {l.fd, POLLIN, 0};
            set.fd = (int)hws_blocking_socket(l.ws);
            count += status == HWS_EVENT;
            if (status == HWS_ERR_TIMEOUT) {
                assert_int_equal(hws_blocking_pending(l.ws), 0);
                assert_true(poll(&set, 1, LONG_MS) > 0);
            }
        }
        assert_int_equal(hws_blocking_receive_message(l.ws, &message, &ev, 0), HWS_ERR_TIMEOUT);
        lab_end(&l);
        role++;
    }
}

static void what_the_filter_says_by_itself_is_written(void **state) {
    lab *l = *state;
    l->kind.chatty = 1;
    hand_send(l, 0x81, "a", 1);
    expect_text(l, "a");
    raw_expect(l->fd, "K", 1);
    hand_send(l, 0x89, "p", 1);
    hand_send(l, 0x81, "b", 1);
    hws_event ev;
    assert_int_equal(hws_blocking_receive(l->ws, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(ev.type, HWS_PING);
}

static void a_header_and_its_payload_are_one_record(void **state) {
    lab *l = *state;
    assert_int_equal(
        hws_blocking_send(l->ws, HWS_TEXT, HWS_WHOLE, (const uint8_t *)"one", 3, LONG_MS), HWS_OK);
    hand_expect(l, 0x81, "one", 3);
}

/* Pongs, slowly at first, whole and in order; then word that they are there, and the end. */
static void *read_late(void *arg) {
    const lab *l = arg;
    uint8_t record[TOY_RECORD_MAX];
    uint8_t type[2];
    int next = 0;
    peer_nap_ms(SHORT_MS);
    while (next < PINGS) {
        assert_int_equal(raw_read(l->fd, type, 2), 2);
        assert_int_equal(type[0], 'D');
        assert_int_equal(type[1], 102);
        assert_int_equal(raw_read(l->fd, record, 102), 102);
        assert_int_equal(record[0] ^ TOY_KEY, 0x8A);
        assert_int_equal(record[2] ^ TOY_KEY, (uint8_t)next);
        next++;
        if (next < 20) {
            peer_nap_ms(2);
        }
    }
    hand_send(l, 0x81, "all", 3);
    raw_expect(l->fd, "C", 1);
    return NULL;
}

static void replies_wait_for_a_peer_that_reads_late(void **state) {
    lab l;
    hws_event ev;
    char payload[100];
    int i = 0;
    (void)state;
    toy_init(&l.kind);
    l.role = HWS_ROLE_SERVER;
    l.p = pair_new_unix();
    snprintf(l.p->url, sizeof l.p->url, "wss://localhost/");
    l.p->client.config.filter = l.p->server.config.filter = &l.kind.table;
    l.ws = &l.p->server.ws;
    lab_open(&l);
    peer_shrink(&l.p->server);
    assert_int_equal(pthread_create(&l.p->thread, NULL, read_late, &l), 0);
    while (i < PINGS) {
        memset(payload, i, sizeof payload);
        hand_send(&l, 0x89, payload, sizeof payload);
        assert_int_equal(hws_blocking_receive(l.ws, &ev, LONG_MS), HWS_EVENT);
        assert_int_equal(ev.data[0], (uint8_t)i);
        i++;
    }
    expect_text(&l, "all");
    hws_blocking_release(l.ws);
    assert_int_equal(pthread_join(l.p->thread, NULL), 0);
    lab_end(&l);
}

static void gathered_answers_go_out_together(void **state) {
    lab l;
    hws_event ev;
    (void)state;
    lab_begin(&l, HWS_ROLE_SERVER);
    l.p->server.config.gather = 1;
    lab_open(&l);
    toy_raw_send(l.fd, "\x81\x81\0\0\0\0a\x81\x81\0\0\0\0b", 14);
    peer_nap_ms(SHORT_MS);
    assert_int_equal(hws_blocking_receive(l.ws, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(hws_blocking_send(l.ws, HWS_TEXT, HWS_WHOLE, ev.data, ev.len, LONG_MS),
                     HWS_OK);
    raw_expect_silence(l.fd, SHORT_MS);
    assert_int_equal(hws_blocking_receive(l.ws, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(hws_blocking_send(l.ws, HWS_TEXT, HWS_WHOLE, ev.data, ev.len, LONG_MS),
                     HWS_OK);
    raw_expect(l.fd, "D\6", 2);
    lab_end(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_all_sizes_go_there_and_back),
        AS_BOTH(a_stream_that_drips_is_put_together),
        cmocka_unit_test(what_the_filter_holds_comes_without_the_socket),
        AS_BOTH(what_the_filter_says_by_itself_is_written),
        AS_BOTH(a_header_and_its_payload_are_one_record),
        cmocka_unit_test(replies_wait_for_a_peer_that_reads_late),
        cmocka_unit_test(gathered_answers_go_out_together),
    };
    alarm(120);
    random_fill(&(uint64_t){1}, noise, sizeof noise);
    return cmocka_run_group_tests_name("blocking_filter", tests, NULL, NULL);
}
