/*
 * How connections through a filter end: in order, cut off, and by a fault of the filter.
 */
#include "toy_lab.h"

enum { LARGE = 300000, FULL_MS = 500 };

static uint8_t noise[LARGE];

/* --- ends ------------------------------------------------------------------------------------- */

static void *close_normal(void *arg) {
    assert_int_equal(hws_blocking_close(arg, HWS_CLOSE_NORMAL, NULL, 0), HWS_OK);
    return NULL;
}

/* RFC 6455 7.1.1: the server ends the stream first. */
static void a_server_says_close_notify_before_it_shuts_down_writing(void **state) {
    lab *l = *state;
    assert_int_equal(pthread_create(&l->p->thread, NULL, close_normal, l->ws), 0);
    hand_expect(l, 0x88, "\x03\xE8", 2);
    raw_expect_silence(l->fd, SHORT_MS);
    hand_send(l, 0x88, "\x03\xE8", 2);
    raw_expect(l->fd, "C", 1);
    raw_expect_end(l->fd);
    raw_send(l->fd, "C", 1);
    assert_int_equal(pthread_join(l->p->thread, NULL), 0);
}

static void a_client_ends_with_the_close_notify_of_the_server(void **state) {
    lab *l = *state;
    assert_int_equal(pthread_create(&l->p->thread, NULL, close_normal, l->ws), 0);
    hand_expect(l, 0x88, "\x03\xE8", 2);
    hand_send(l, 0x88, "\x03\xE8", 2);
    raw_expect_silence(l->fd, SHORT_MS);
    raw_send(l->fd, "C", 1); /* the socket stays open */
    assert_int_equal(pthread_join(l->p->thread, NULL), 0);
    raw_expect(l->fd, "C", 1);
    raw_expect_end(l->fd);
}

/* Both come at once, and the socket never says more. */
static void close_notify_is_the_end_of_the_stream(void **state) {
    lab *l = *state;
    hand_send(l, 0x81, "last", 4);
    raw_send(l->fd, "C", 1);
    expect_text(l, "last");
    expect_end(l, HWS_ERR_EOF);
    raw_expect(l->fd, "C", 1);
    raw_expect_end(l->fd);
}

static void an_end_that_came_with_the_last_message_is_pending(void **state) {
    lab *l = *state;
    hws_event ev;
    toy_raw_send(l->fd, "\x01\x81\0\0\0\0a\x80\x85\0\0", 11);
    raw_send(l->fd, "C", 1);
    peer_nap_ms(SHORT_MS);
    assert_int_equal(hws_blocking_receive(l->ws, &ev, 0), HWS_EVENT);
    assert_int_equal(hws_blocking_pending(l->ws), 5); /* 4 bytes of a frame, and the end */
    assert_int_equal(hws_blocking_receive(l->ws, &ev, 0), HWS_ERR_EOF);
}

static void a_stream_that_is_cut_off_is_no_clean_end(void **state) {
    static const char *const lasts[] = {"", "D", "D\5", "D\5abc"};
    size_t row = 0;
    (void)state;
    while (row < 8) {
        lab l;
        lab_start(&l, (uint8_t)(row % 2));
        raw_send_text(l.fd, lasts[row / 2]);
        shutdown(l.fd, SHUT_WR);
        expect_end(&l, HWS_ERR_EOF);
        lab_end(&l);
        row++;
    }
}

/* conn.h: clean is that both Closes went through. */
static void a_stream_that_is_cut_off_after_both_closes_is_a_clean_end(void **state) {
    lab *l = *state;
    hws_event ev;
    hand_send(l, 0x88, "\x03\xE8", 2);
    shutdown(l->fd, SHUT_WR);
    assert_int_equal(hws_blocking_receive(l->ws, &ev, LONG_MS), HWS_EVENT);
    assert_int_equal(ev.type, HWS_CLOSE);
    expect_end(l, HWS_OK);
    hand_expect(l, 0x88, "\x03\xE8", 2);
    raw_expect(l->fd, "C", 1);
}

static void a_fault_of_the_peer_is_told_and_then_the_end(void **state) {
    lab *l = *state;
    toy_raw_send(l->fd, "\x83\x80\0\0\0\0", 6);
    raw_send(l->fd, "C", 1);
    expect_end(l, HWS_ERR_OPCODE);
    hand_expect(l, 0x88, "\x03\xEA", 2);
    raw_expect(l->fd, "C", 1);
    raw_expect_end(l->fd);
}

static void a_release_says_close_notify(void **state) {
    lab *l = *state;
    hws_blocking_release(l->ws);
    raw_expect(l->fd, "C", 1);
    raw_expect_end(l->fd);
}

/* --- faults ----------------------------------------------------------------------------------- */

static void bytes_that_are_none_of_the_filter_end_with_an_alert(void **state) {
    lab *l = *state;
    hand_send(l, 0x81, "good", 4);
    raw_send(l->fd, "x", 1);
    expect_text(l, "good");
    expect_end(l, HWS_ERR_TLS);
    raw_expect(l->fd, "A", 1);
    raw_expect_end(l->fd);
    assert_int_equal(l->kind.finished, 0);
}

static void bytes_that_are_none_of_the_filter_end_the_end_too(void **state) {
    lab *l = *state;
    hws_event ev;
    hand_send(l, 0x88, "\x03\xE8", 2);
    assert_int_equal(hws_blocking_receive(l->ws, &ev, LONG_MS), HWS_EVENT);
    raw_send(l->fd, "x", 1);
    expect_end(l, HWS_OK);
}

static void a_filter_that_fails_to_send_ends_the_connection(void **state) {
    lab *l = *state;
    l->kind.fails = 1;
    assert_int_equal(hws_blocking_send(l->ws, HWS_BINARY, HWS_WHOLE, noise, 1000, LONG_MS),
                     HWS_ERR_TLS);
    assert_int_equal(hws_blocking_send(l->ws, HWS_BINARY, HWS_WHOLE, noise, 1, LONG_MS),
                     HWS_ERR_TLS);
    expect_end(l, HWS_ERR_TLS);
}

static void a_filter_that_fails_to_send_a_reply_ends_the_connection(void **state) {
    lab *l = *state;
    hws_event ev;
    l->kind.fails = 1;
    hand_send(l, 0x89, "p", 1);
    assert_int_equal(hws_blocking_receive(l->ws, &ev, LONG_MS), HWS_EVENT);
    expect_end(l, HWS_ERR_TLS);
    raw_expect(l->fd, "A", 1);
}

/* Nobody reads for it while a program only sends. */
static void a_filter_that_wants_to_hear_the_peer_in_the_middle_is_not_served(void **state) {
    lab *l = *state;
    l->kind.curious = 1;
    assert_int_equal(hws_blocking_send(l->ws, HWS_BINARY, HWS_WHOLE, noise, 2000, LONG_MS),
                     HWS_ERR_TLS);
    expect_end(l, HWS_ERR_TLS);
}

static void a_peer_that_does_not_read_is_waited_for_until_the_deadline(void **state) {
    lab *l = *state;
    hws_status status = HWS_OK;
    while (status == HWS_OK) { /* the deadline must find a socket that is full */
        status = hws_blocking_send(l->ws, HWS_BINARY, HWS_WHOLE, noise, LARGE, FULL_MS);
    }
    assert_int_equal(status, HWS_ERR_TIMEOUT);
    expect_end(l, HWS_ERR_CLOSED);
    assert_int_equal(l->kind.finished, 0); /* nothing can stand behind half a record */
}

static void a_reset_is_a_reset(void **state) {
    lab *l = *state;
    int nothing = open("/dev/null", O_RDWR);
    raw_reset(l->fd);
    assert_int_equal(dup2(nothing, l->fd), l->fd); /* the socket is closed by it */
    close(nothing);
    expect_end(l, HWS_ERR_RESET);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        AS_SERVER(a_server_says_close_notify_before_it_shuts_down_writing),
        AS_CLIENT(a_client_ends_with_the_close_notify_of_the_server),
        AS_BOTH(close_notify_is_the_end_of_the_stream),
        AS_SERVER(an_end_that_came_with_the_last_message_is_pending),
        cmocka_unit_test(a_stream_that_is_cut_off_is_no_clean_end),
        AS_BOTH(a_stream_that_is_cut_off_after_both_closes_is_a_clean_end),
        AS_SERVER(a_fault_of_the_peer_is_told_and_then_the_end),
        AS_BOTH(a_release_says_close_notify),
        AS_BOTH(bytes_that_are_none_of_the_filter_end_with_an_alert),
        AS_BOTH(bytes_that_are_none_of_the_filter_end_the_end_too),
        AS_BOTH(a_filter_that_fails_to_send_ends_the_connection),
        AS_BOTH(a_filter_that_fails_to_send_a_reply_ends_the_connection),
        AS_BOTH(a_filter_that_wants_to_hear_the_peer_in_the_middle_is_not_served),
        AS_BOTH(a_peer_that_does_not_read_is_waited_for_until_the_deadline),
        AS_BOTH(a_reset_is_a_reset),
    };
    alarm(120);
    random_fill(&(uint64_t){1}, noise, sizeof noise);
    return cmocka_run_group_tests_name("blocking_filter_end", tests, NULL, NULL);
}
