/*
 * Two endpoints for tests, and the wire between them: see endpoint_pair.h.
 */
#include "endpoint_pair.h"

void pair_init(pair *p, uint64_t seed) {
    memset(p, 0, sizeof *p);
    p->seed = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    p->seed += p->seed == 0;
    p->sides[SERVER] = side_new(SERVER);
    p->sides[CLIENT] = side_new(CLIENT);
}

/* What was handed out is not needed any more, or not there. */
static void forget(handed *out) {
    free(out->copy);
    memset(out, 0, sizeof *out);
}

/* What was handed out still lies where it lay, unchanged. */
static void see_unchanged(const handed *out) {
    size_t i = 0, at = 0;
    while (i < out->count) {
        assert_memory_equal(out->buffers[i].data, out->copy + at, out->buffers[i].len);
        at += out->buffers[i].len;
        i++;
    }
}

/* Acknowledge these bytes of it. The rest is handed out anew. */
static void acknowledge(pair *p, uint8_t role, size_t len) {
    see_unchanged(&p->out[role]);
    assert_int_equal(hws_endpoint_sent(&p->sides[role]->ep, len), HWS_OK);
    forget(&p->out[role]);
}

void pair_free(pair *p) {
    uint8_t role = SERVER;
    while (role <= CLIENT) {
        forget(&p->out[role]);
        free(p->to[role].bytes);
        side_free(p->sides[role]);
        role++;
    }
}

size_t pair_random(pair *p, size_t below) {
    return (size_t)(random_next(&p->seed) >> 20) % below;
}

int pair_hand_out(pair *p, uint8_t role) {
    handed *out = &p->out[role];
    size_t i = 0, at = 0;
    if (out->count > 0 || p->to[!role].ended) {
        return 0;
    }
    memset(out->buffers, 0xA5, sizeof out->buffers);
    out->count = hws_endpoint_output(&p->sides[role]->ep, out->buffers, 1 + pair_random(p, 8));
    while (i < out->count) {
        assert_true(out->buffers[i].len > 0);
        out->len += out->buffers[i].len;
        i++;
    }
    if (out->count == 0) {
        assert_true(hws_endpoint_queued(&p->sides[role]->ep) == 0);
        return 0;
    }
    assert_true(out->len <= hws_endpoint_queued(&p->sides[role]->ep));
    out->copy = malloc(out->len);
    assert_non_null(out->copy);
    i = 0;
    while (i < out->count) {
        memcpy(out->copy + at, out->buffers[i].data, out->buffers[i].len);
        at += out->buffers[i].len;
        i++;
    }
    return 1;
}

int pair_write(pair *p, uint8_t role, size_t most) {
    handed *out = &p->out[role];
    wire *to = &p->to[!role];
    size_t len = out->len < most ? out->len : most;
    if (out->count == 0) {
        return 0;
    }
    if (to->ended) { /* nobody takes it any more */
        acknowledge(p, role, 0);
        return 1;
    }
    if (to->cap < to->len + len) {
        to->cap = 2 * (to->len + len);
        to->bytes = realloc(to->bytes, to->cap);
        assert_non_null(to->bytes);
    }
    memcpy(to->bytes + to->len, out->copy, len);
    to->len += len;
    acknowledge(p, role, len);
    return 1;
}

int pair_deliver(pair *p, uint8_t role, size_t most) {
    side *s = p->sides[role];
    wire *to = &p->to[role];
    size_t len = to->len < most ? to->len : most;
    uint8_t reads = hws_endpoint_wants(&s->ep) & HWS_WANTS_READ;
    if (reads != 0 && len == 0 && to->ended && to->len == 0 && !to->read) {
        to->read = 1;
        hws_endpoint_receive_eof(&s->ep);
        side_receive(s);
        return 1;
    }
    if (reads == 0 || len == 0) {
        unsigned before = s->ended;
        size_t used = s->used;
        side_receive(s);
        return s->ended != before || s->used != used;
    }
    side_read(s, to->bytes, len);
    to->len -= len;
    memmove(to->bytes, to->bytes + len, to->len);
    return 1;
}

int pair_end(pair *p, uint8_t role) {
    wire *to = &p->to[!role];
    uint8_t wants = hws_endpoint_wants(&p->sides[role]->ep);
    if ((wants & (HWS_WANTS_SHUTDOWN | HWS_WANTS_CLOSE)) == 0 || to->ended) {
        return 0;
    }
    if ((wants & HWS_WANTS_CLOSE) != 0) {
        assert_int_equal(wants, HWS_WANTS_CLOSE);
        p->to[role].len = 0;
    } else {
        assert_true(hws_endpoint_queued(&p->sides[role]->ep) == 0);
        assert_int_equal(wants & HWS_WANTS_WRITE, 0);
    }
    to->ended = 1;
    if (p->out[role].count > 0) {
        acknowledge(p, role, 0);
    }
    return 1;
}

void pair_break(pair *p) {
    uint8_t role = SERVER;
    if (p->broken) {
        return;
    }
    p->broken = 1;
    while (role <= CLIENT) {
        side *s = p->sides[role];
        p->to[role].len = 0;
        p->to[role].ended = 1;
        p->to[role].read = 1;
        assert_int_equal(hws_endpoint_abort(&s->ep, HWS_ERR_RESET), HWS_OK);
        side_receive(s);
        role++;
    }
}

void pair_pass(pair *p, uint64_t ms) {
    side_pass(p->sides[SERVER], ms);
    side_pass(p->sides[CLIENT], ms);
}

void pair_settle(pair *p) {
    unsigned steps = 0;
    int moved = 1;
    while (moved) {
        uint8_t role = SERVER;
        moved = 0;
        while (role <= CLIENT) {
            moved |= pair_hand_out(p, role);
            moved |= pair_write(p, role, SIZE_MAX);
            moved |= pair_deliver(p, role, SIZE_MAX);
            moved |= pair_end(p, role);
            role++;
        }
        assert_true(++steps < 100000);
    }
}
