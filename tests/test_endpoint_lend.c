/*
 * Buffers that were lent to an endpoint come back once: for every way in which a connection ends,
 * after every byte that was written, handed out or not, with and without memory.
 */
#include "endpoint_pair.h"

enum { REFS = 3, REF_LEN = 20 };

/* How often each reference came back, and what was seen of it in the end. */
typedef struct lent {
    uint8_t data[REFS][REF_LEN];
    unsigned back[REFS];
    unsigned ended;
} lent;

static void note_return(side *s, const hws_event *ev) {
    lent *l = s->user;
    size_t i = 0;
    l->ended += ev->type == HWS_END;
    while (ev->type == HWS_RELEASED && i < REFS) {
        if (ev->data == l->data[i]) {
            assert_int_equal(ev->len, REF_LEN);
            assert_int_equal(l->ended, 0);
            l->back[i]++;
            return;
        }
        i++;
    }
    assert_int_not_equal(ev->type, HWS_RELEASED); /* of a buffer that was not lent */
}

/* A way for a connection to end. What is left to do is done by settle(). */
typedef void (*ending)(side *s);

static void by_abort(side *s) {
    (void)hws_endpoint_abort(&s->ep, HWS_ERR_RESET);
}
static void by_eof(side *s) {
    hws_endpoint_receive_eof(&s->ep);
}
static void by_fault(side *s) {
    side_read_frame(s, 0x83, NULL, 0);
}
static void by_text_fault(side *s) {
    side_read_frame(s, 0x81, "\xFF", 1);
}
static void by_peers_close(side *s) {
    side_read_frame(s, 0x88, "\x03\xE8", 2);
}
static void by_own_close(side *s) {
    assert_int_equal(hws_endpoint_close(&s->ep, 1000, NULL, 0), HWS_OK);
    side_read_frame(s, 0x88, "\x03\xE8", 2);
}
static void by_close_now(side *s) {
    assert_int_equal(hws_endpoint_close_now(&s->ep, 1001, NULL, 0), HWS_OK);
}
static void by_close_now_without_memory(side *s) {
    s->memory.fail_at = s->memory.fail_all = 1;
    (void)hws_endpoint_close_now(&s->ep, 1001, NULL, 0);
    s->memory.fail_at = 0;
    by_abort(s);
}
static void by_both_closes(side *s) {
    assert_int_equal(hws_endpoint_close(&s->ep, 1000, NULL, 0), HWS_OK);
    assert_int_equal(hws_endpoint_close_now(&s->ep, 1001, NULL, 0), HWS_ERR_STATE);
    by_abort(s);
}
static void by_stall(side *s) {
    unsigned i = 0;
    while (i < 200) {
        side_pass(s, 900);
        i++;
    }
}
static void by_slow(side *s, uint8_t slow) {
    hws_prepared *p = NULL;
    assert_int_equal(
        hws_prepared_make(&p, &s->config.allocator, HWS_TEXT, (const uint8_t *)"news", 4), HWS_OK);
    (void)hws_endpoint_send_prepared(&s->ep, p, slow);
    hws_prepared_release(p);
}
static void by_slow_drop(side *s) {
    by_slow(s, HWS_SLOW_DROP);
}
static void by_slow_close(side *s) {
    by_slow(s, HWS_SLOW_CLOSE);
}
static void by_nothing(side *s) {
    (void)s;
}

static const ending endings[] = {by_abort,      by_eof,         by_fault,
                                 by_text_fault, by_peers_close, by_own_close,
                                 by_close_now,  by_both_closes, by_close_now_without_memory,
                                 by_stall,      by_slow_drop,   by_slow_close,
                                 by_nothing};
enum { ENDINGS = sizeof endings / sizeof endings[0] };

/* Whatever is left: write, hear the end of the stream, let time pass. */
static void settle(side *s) {
    unsigned i = 0;
    side_receive(s);
    while (!s->ended && i < 100) {
        side_write(s, SIZE_MAX);
        s->wire_len = 0;
        side_receive(s);
        hws_endpoint_receive_eof(&s->ep);
        side_pass(s, 999);
        i++;
    }
    assert_int_equal(s->ended, 1);
}

/* What was handed out when the connection ended, and how it was then. */
typedef struct outside {
    hws_buffer buffers[8];
    uint8_t copy[512];
    size_t count;
} outside;

static void hand_out(side *s, outside *o) {
    size_t i = 0, n = 0;
    o->count = hws_endpoint_output(&s->ep, o->buffers, 8);
    while (i < o->count) {
        memcpy(o->copy + n, o->buffers[i].data, o->buffers[i].len);
        n += o->buffers[i].len;
        i++;
    }
}

/* It is there still, unchanged, and nothing of it is the caller's again. */
static void see_unchanged(const outside *o, const lent *l) {
    size_t i = 0, n = 0;
    while (i < o->count) {
        const hws_buffer *b = &o->buffers[i];
        size_t r = 0;
        assert_memory_equal(o->copy + n, b->data, b->len);
        while (r < REFS) {
            int within = b->data >= l->data[r] && b->data < l->data[r] + REF_LEN;
            assert_false(within && l->back[r] > 0);
            r++;
        }
        n += b->len;
        i++;
    }
}

/* An open endpoint, to which a copied message and three references were given. */
static side *lend(uint8_t role, lent *l) {
    static const uint8_t flags[REFS] = {HWS_WHOLE, HWS_FIRST, HWS_FINAL};
    side *s = side_new(role);
    size_t i = 0;
    s->config.high_water = 40;
    s->config.low_water = 10;
    s->config.hold_input = 0;
    side_open(s);
    memset(l, 0, sizeof *l);
    memset(l->data, 'x', sizeof l->data);
    s->user = l;
    s->on_event = note_return;
    (void)side_send_text(s, "copied");
    while (i < REFS) {
        assert_true(hws_endpoint_send_ref(&s->ep, HWS_TEXT, flags[i], l->data[i], REF_LEN) >= 0);
        i++;
    }
    return s;
}

/* It ends after so many bytes were written, with the rest handed out or not. Gives how much there
 * was. */
static size_t lend_and_end(uint8_t role, ending end, size_t written, int is_out) {
    lent l;
    outside o = {.count = 0};
    side *s = lend(role, &l);
    size_t total = (size_t)hws_endpoint_queued(&s->ep);
    size_t i = 0;
    side_write(s, written);
    if (is_out) {
        hand_out(s, &o);
    }
    end(s);
    side_receive(s);
    see_unchanged(&o, &l);
    if (o.count > 0) {
        assert_int_equal(hws_endpoint_sent(&s->ep, 0), HWS_OK);
    }
    settle(s);
    while (i < REFS) {
        assert_int_equal(l.back[i], 1);
        i++;
    }
    side_free(s);
    return total;
}

static void a_reference_comes_back_once_however_it_ends(void **state) {
    (void)state;
    uint8_t role = SERVER;
    while (role <= CLIENT) {
        size_t e = 0;
        while (e < ENDINGS) {
            size_t written = 0, total = 1;
            while (written <= total) {
                total = lend_and_end(role, endings[e], written, 0);
                total = lend_and_end(role, endings[e], written, 1);
                written++;
            }
            e++;
        }
        role++;
    }
}

/* The block that is asked for as the k-th is not there. What could not be lent was never lent. */
static void lend_without_memory(uint8_t role, ending end, unsigned k, unsigned all) {
    lent l;
    unsigned wanted[REFS];
    side *s = lend(role, &l);
    size_t i = 0;
    side_write(s, SIZE_MAX);
    s->wire_len = 0;
    side_receive(s);
    memset(l.back, 0, sizeof l.back);
    s->memory.fail_at = k;
    s->memory.fail_all = all;
    while (i < REFS) {
        hws_status status =
            hws_endpoint_send_ref(&s->ep, HWS_BINARY, HWS_WHOLE, l.data[i], REF_LEN);
        assert_true(status >= 0 || status == HWS_ERR_MEMORY);
        wanted[i] = status >= 0;
        (void)side_send_text(s, "copied");
        i++;
    }
    side_write(s, 30);
    side_read_frame(s, 0x89, "p", 1);
    end(s);
    settle(s);
    i = 0;
    while (i < REFS) {
        assert_int_equal(l.back[i], wanted[i]);
        i++;
    }
    side_free(s);
}

static void a_reference_comes_back_once_also_without_memory(void **state) {
    static const ending some[] = {by_abort, by_eof, by_fault, by_peers_close, by_stall, by_nothing};
    uint8_t role = SERVER;
    (void)state;
    while (role <= CLIENT) {
        size_t e = 0;
        while (e < sizeof some / sizeof some[0]) {
            unsigned k = 1;
            while (k < 12) {
                lend_without_memory(role, some[e], k, 0);
                lend_without_memory(role, some[e], k, 1);
                k++;
            }
            e++;
        }
        role++;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reference_comes_back_once_however_it_ends),
        cmocka_unit_test(a_reference_comes_back_once_also_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
