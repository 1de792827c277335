/*
 * Calls of endpoint.h that are wrong: each is tried wherever a connection can stand, and changes
 * not one byte of it; and behind the end nothing works any more.
 */
#include "endpoint_pair.h"

/* --- mistakes -----------------------------------------------------------------------------------
 */

/* Where a connection stands. */
typedef enum stage {
    FRESH,
    ASKED,
    OPENED,
    IN_PIECES,
    RECEIVING,
    QUEUED,
    PAUSED,
    CLOSED_HERE,
    CLOSED_THERE,
    ENDED,
    STAGES
} stage;

static side *side_at(uint8_t role, stage at) {
    side *s = side_new(role);
    if (at == FRESH || at == ASKED) {
        side_start(s);
        if (at == ASKED && role == CLIENT) {
            assert_int_equal(hws_endpoint_connect(&s->ep, &s->client), HWS_OK);
        } else if (at == ASKED) {
            side_read_text(s, request_text);
        }
        return s;
    }
    side_open(s);
    if (at == IN_PIECES) {
        assert_int_equal(hws_endpoint_send(&s->ep, HWS_TEXT, HWS_FIRST, (const uint8_t *)"a", 1),
                         HWS_OK);
    } else if (at == RECEIVING) {
        side_read_frame(s, 0x01, "abc", 3);
    } else if (at == QUEUED) {
        assert_int_equal(side_send_text(s, "waits"), HWS_OK);
    } else if (at == PAUSED) {
        hws_endpoint_pause(&s->ep, 1);
    } else if (at == CLOSED_HERE) {
        assert_int_equal(hws_endpoint_close(&s->ep, 1000, NULL, 0), HWS_OK);
    } else if (at == CLOSED_THERE) {
        side_read_frame(s, 0x88, "\x03\xE8", 2);
    } else if (at == ENDED) {
        assert_int_equal(hws_endpoint_abort(&s->ep, HWS_ERR_RESET), HWS_OK);
        side_receive(s);
        assert_int_equal(s->ended, 1);
    }
    return s;
}

/* Calls that are wrong in every state: each gives its status. */
static uint8_t bytes[200];
static const uint8_t wrong_text[] = {'a', 0xC3};

static hws_status send_wrongly(hws_endpoint *ep, unsigned which) {
    switch (which) {
    case 0:
        return hws_endpoint_send(ep, 99, HWS_WHOLE, bytes, 1);
    case 1:
        return hws_endpoint_send(ep, HWS_TEXT, 0x80, bytes, 1);
    case 2:
        return hws_endpoint_send(ep, HWS_PING, HWS_WHOLE, bytes, 126);
    case 3:
        return hws_endpoint_send(ep, HWS_TEXT, HWS_WHOLE, wrong_text, 2);
    case 4:
        return hws_endpoint_send(ep, HWS_CLOSE, HWS_WHOLE, NULL, 0);
    case 5:
        return hws_endpoint_send(ep, HWS_PONG, HWS_FIRST, bytes, 1);
    case 6:
        return hws_endpoint_send(ep, HWS_BINARY, HWS_FIRST | HWS_COMPRESSED, bytes, 1);
    case 7:
        return hws_endpoint_send_ref(ep, HWS_BINARY, HWS_WHOLE, bytes, 0);
    default:
        return hws_endpoint_send_ref(ep, HWS_PING, HWS_WHOLE, bytes, 1);
    }
}
enum { SENDS = 9 };

static hws_status end_wrongly(hws_endpoint *ep, unsigned which) {
    switch (which) {
    case 0:
        return hws_endpoint_close(ep, 1005, NULL, 0);
    case 1:
        return hws_endpoint_close(ep, 1000, wrong_text, 2);
    case 2:
        return hws_endpoint_close(ep, 1000, bytes, 124);
    case 3:
        return hws_endpoint_close_now(ep, 999, NULL, 0);
    case 4:
        return hws_endpoint_close_now(ep, 1000, wrong_text, 2);
    case 5:
        return hws_endpoint_abort(ep, HWS_OK);
    default:
        return hws_endpoint_sent(ep, SIZE_MAX);
    }
}
enum { ENDS = 7 };

static hws_status answer_wrongly(side *s, unsigned which) {
    hws_field bad = {hws_text_from("X"), hws_text_from("a\r\nb: c")};
    hws_event ev;
    size_t used = 1;
    switch (which) {
    case 0:
        return hws_endpoint_respond(&s->ep, 199, NULL, 0, NULL, 0);
    case 1:
        return hws_endpoint_respond(&s->ep, 600, NULL, 0, NULL, 0);
    case 2:
        return hws_endpoint_respond(&s->ep, 200, &bad, 1, NULL, 0);
    case 3:
        s->accept.subprotocol = hws_text_from("not\r\nasked");
        return hws_endpoint_accept(&s->ep, &s->accept);
    default:
        return hws_endpoint_next(&s->ep, NULL, 0, &used, &ev);
    }
}
enum { ANSWERS = 5, CALLS = SENDS + ENDS + ANSWERS };

static hws_status call(side *s, unsigned which) {
    if (which < SENDS) {
        return send_wrongly(&s->ep, which);
    }
    if (which < SENDS + ENDS) {
        return end_wrongly(&s->ep, which - SENDS);
    }
    return answer_wrongly(s, which - SENDS - ENDS);
}

/* What can be seen from outside, beside the bytes of the endpoint. */
static void mistake_changes_nothing(uint8_t role, stage at, unsigned which) {
    side *s = side_at(role, at);
    hws_endpoint before = s->ep;
    counted memory = s->memory;
    hws_counters counters = s->counters;
    uint64_t seed = s->random.seed;
    hws_status status = call(s, which);
    if (status >= 0) {
        fail_msg("role %u, stage %d, call %u: %s", role, (int)at, which, hws_status_name(status));
    }
    if (memcmp(&before, &s->ep, sizeof before) != 0) {
        fail_msg("role %u, stage %d, call %u: state changed, %s", role, (int)at, which,
                 hws_status_name(status));
    }
    assert_int_equal(memory.blocks, s->memory.blocks);
    assert_memory_equal(&counters, &s->counters, sizeof counters);
    assert_true(seed == s->random.seed);
    side_free(s);
}

static void a_mistake_changes_not_one_byte(void **state) {
    uint8_t role = SERVER;
    (void)state;
    while (role <= CLIENT) {
        int at = FRESH;
        while (at < STAGES) {
            unsigned which = 0;
            while (which < CALLS) {
                mistake_changes_nothing(role, (stage)at, which);
                which++;
            }
            at++;
        }
        role++;
    }
}

/* --- behind the end -----------------------------------------------------------------------------
 */

static void nothing_works_behind_the_end(void **state) {
    static uint8_t data[] = "abc";
    uint8_t role = SERVER;
    (void)state;
    while (role <= CLIENT) {
        side *s = side_at(role, ENDED);
        hws_endpoint *ep = &s->ep;
        hws_buffer buffers[2];
        s->events_len = 0;
        assert_int_equal(side_send_text(s, "x"), HWS_ERR_STATE);
        assert_int_equal(hws_endpoint_send_ref(ep, HWS_TEXT, HWS_WHOLE, data, 3), HWS_ERR_STATE);
        assert_int_equal(hws_endpoint_close(ep, 1000, NULL, 0), HWS_ERR_STATE);
        assert_int_equal(hws_endpoint_close_now(ep, 1000, NULL, 0), HWS_ERR_STATE);
        assert_int_equal(hws_endpoint_accept(ep, &s->accept), HWS_ERR_STATE);
        assert_int_equal(hws_endpoint_respond(ep, 200, NULL, 0, NULL, 0), HWS_ERR_STATE);
        assert_int_equal(hws_endpoint_connect(ep, &s->client), HWS_ERR_STATE);
        assert_int_equal(hws_endpoint_open(ep, NULL), HWS_ERR_STATE);
        assert_int_equal(hws_endpoint_abort(ep, HWS_ERR_TIMEOUT), HWS_OK);
        hws_endpoint_pause(ep, 1);
        hws_endpoint_pause(ep, 0);
        hws_endpoint_stream(ep, 1);
        hws_endpoint_trim(ep);
        hws_endpoint_receive_eof(ep);
        assert_null(hws_endpoint_head(ep, NULL));
        assert_null(hws_endpoint_request(ep));
        assert_null(hws_endpoint_accepted(ep));
        assert_int_equal(hws_endpoint_output(ep, buffers, 2), 0);
        assert_int_equal(hws_endpoint_queued(ep), 0);
        side_pass(s, UINT64_C(1) << 40);
        side_read_message(s, "late");
        side_read_frame(s, 0x83, NULL, 0);
        expect_events(s, "");
        assert_int_equal(s->memory.blocks, 0);
        expect_end(s, HWS_ERR_RESET);
        side_free(s);
        role++;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mistake_changes_not_one_byte),
        cmocka_unit_test(nothing_works_behind_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
