/*
 * Random conversations of a server and a client, each by all means of the filter, at every window,
 * takeover, level, capacity and cut. What arrives is compared with what was sent, and every byte on
 * the wire goes to a reader of its own as well, so that a fault that both sides have in common is
 * seen too.
 */
#include "compressed.h"

#include <hawser/status.h>

#include <stdlib.h>
#include <string.h>

#ifdef HWS_TEST_REDUCED
enum { CONVERSATIONS = 40 };
#else
enum { CONVERSATIONS = 800 };
#endif

enum {
    MESSAGES = 10, /* of each side */
    WIRE_CAP = 1 << 20,
    MESSAGE_CAP = 1 << 17
};

/* One side: what it sends, and how far it has received. */
typedef struct side {
    sender s;
    reader r; /* of what it sends */

    uint8_t *messages[MESSAGES]; /* sent, or being sent */
    size_t lens[MESSAGES];
    uint8_t types[MESSAGES];
    size_t count;
    size_t at;      /* bytes of the newest that are in finished pieces */
    size_t end;     /* where the current piece ends */
    size_t used;    /* bytes of that piece in frames */
    uint8_t flags;  /* of the current piece */
    uint8_t busy;   /* 1: the newest message is not all sent */
    uint8_t wishes; /* HWS_COMPRESSED, HWS_UNCOMPRESSED or 0 */
    uint8_t in_piece;

    uint8_t wire[WIRE_CAP]; /* sent and not received */
    size_t wire_len;
    size_t read; /* of it, by the reader */

    uint8_t whole; /* receives by hws_deflate_receive_message() */
    hws_message message;
    uint8_t got[MESSAGE_CAP];
    size_t got_len;
    size_t got_count;
    uint8_t inside; /* a message that it receives */
    unsigned pings;
} side;

static side sides[2];

static size_t below(uint64_t *seed, size_t bound) {
    return (size_t)(random_next(seed) >> 33) % bound;
}

/* --- sending ------------------------------------------------------------------------------------
 */

static size_t random_len(uint64_t *seed) {
    switch (below(seed, 12)) {
    case 0:
        return 0;
    case 1:
        return below(seed, 66000);
    case 2:
    case 3:
        return below(seed, 6000);
    default:
        return below(seed, 600);
    }
}

/* The next message: mostly new content, now and then some of an earlier one. */
static void invent_message(side *a, uint64_t *seed) {
    static const uint8_t wishes[] = {0, 0, HWS_COMPRESSED, HWS_UNCOMPRESSED};
    size_t len = random_len(seed);
    enum content kind = (enum content)below(seed, CONTENT_KINDS);
    uint8_t *data = malloc(len + 1);
    size_t from = a->count > 0 ? below(seed, a->count) : 0;

    assert_non_null(data);
    content_fill(seed, kind, data, len);
    if (a->count > 0 && below(seed, 2) && a->lens[from] > 0) {
        len = len < a->lens[from] ? len : a->lens[from];
        memcpy(data, a->messages[from] + (a->lens[from] - len), len);
        kind = CONTENT_NOISE; /* it may start inside a code point */
    }
    a->messages[a->count] = data;
    a->lens[a->count] = len;
    a->types[a->count] = kind == CONTENT_NOISE || below(seed, 3) == 0 ? HWS_BINARY : HWS_TEXT;
    a->count++;
    a->at = 0;
    a->busy = 1;
    a->in_piece = 0;
    a->wishes = wishes[below(seed, 4)];
}

static void choose_piece(side *a, uint64_t *seed) {
    size_t len = a->lens[a->count - 1];
    a->flags = a->at == 0 ? (uint8_t)(HWS_FIRST | a->wishes) : 0;
    a->end = below(seed, 3) == 0 ? a->at + below(seed, len - a->at + 1) : len;
    if (a->end == len && (below(seed, 4) > 0 || a->at == len)) {
        a->flags |= HWS_FINAL;
    }
    if (a->at == 0 && a->end == 0 && (a->flags & HWS_FINAL) == 0) {
        a->end = len; /* else the next piece would be taken for the first */
        a->flags |= HWS_FINAL;
    }
    a->used = 0;
    a->in_piece = 1;
}

static hws_status send_some(side *a, size_t cap) {
    size_t i = a->count - 1;
    const uint8_t *data = a->end > a->at ? a->messages[i] + a->at : NULL;
    uint8_t *out = guard_alloc(cap);
    size_t n = 0;
    hws_status status = hws_deflate_send(&a->s.deflate, &a->s.conn, a->types[i], a->flags, data,
                                         a->end - a->at, &a->used, out, cap, &n);
    assert_true(status == HWS_OK || status == HWS_MORE);
    assert_true(a->wire_len + n <= WIRE_CAP);
    memcpy(a->wire + a->wire_len, out, n);
    a->wire_len += n;
    guard_free(out, cap);
    return status;
}

static void send_step(side *a, uint64_t *seed) {
    if (!a->busy) {
        invent_message(a, seed);
    }
    if (!a->in_piece) {
        choose_piece(a, seed);
    }
    size_t cap = 64 + (below(seed, 2) ? below(seed, 200) : below(seed, 70000));
    if (send_some(a, cap) == HWS_MORE) {
        return;
    }
    assert_int_equal(a->used, a->end - a->at);
    a->at = a->end;
    a->in_piece = 0;
    a->busy = (a->flags & HWS_FINAL) == 0;
}

static void ping_step(side *a) {
    uint8_t out[64];
    size_t used = 0;
    size_t n = 0;
    assert_int_equal(hws_deflate_send(&a->s.deflate, &a->s.conn, HWS_PING, HWS_WHOLE,
                                      (const uint8_t *)"ping", 4, &used, out, sizeof out, &n),
                     HWS_OK);
    memcpy(a->wire + a->wire_len, out, n);
    a->wire_len += n;
    a->pings++;
}

/* --- receiving ----------------------------------------------------------------------------------
 */

/* All that was sent, as the reader sees it. Called before the other side unmasks it. */
static void read_wire(side *a) {
    while (a->read < a->wire_len) {
        if (reader_frame(&a->r, a->wire, a->wire_len, &a->read)) {
            size_t i = a->r.messages - 1;
            assert_int_equal(a->r.type, a->types[i]);
            assert_int_equal(a->r.plain_len, a->lens[i]);
            assert_memory_equal(a->r.plain, a->messages[i], a->lens[i]);
        }
    }
}

static void take_event(side *to, const side *from, const hws_event *ev) {
    if (ev->type == HWS_PING) {
        to->pings++;
        return;
    }
    size_t i = to->got_count;
    assert_true(i < from->count);
    assert_int_equal(ev->type, from->types[i]);
    assert_int_equal(ev->flags & HWS_FIRST, to->inside ? 0 : HWS_FIRST);
    to->inside = (ev->flags & HWS_FINAL) == 0;
    assert_true(ev->len <= from->lens[i] - to->got_len);
    if (ev->len > 0) {
        assert_memory_equal(ev->data, from->messages[i] + to->got_len, ev->len);
    }
    to->got_len += ev->len;
    if ((ev->flags & HWS_FINAL) != 0) {
        assert_int_equal(to->got_len, from->lens[i]);
        to->got_len = 0;
        to->got_count++;
    }
}

static hws_status receive_event(side *to, uint8_t *buf, size_t len, size_t *used, size_t cap,
                                hws_event *ev) {
    static uint8_t room[1 << 14];
    if (to->whole) {
        return hws_deflate_receive_message(&to->s.deflate, &to->s.conn, &to->message, buf, len,
                                           used, ev);
    }
    return hws_deflate_receive(&to->s.deflate, &to->s.conn, buf, len, used, room, cap, ev);
}

static void deliver_step(side *from, side *to, uint64_t *seed, size_t part) {
    size_t cap = 1 + (below(seed, 2) ? below(seed, 40) : below(seed, 1 << 14));
    hws_status status = HWS_EVENT;
    hws_event ev;
    size_t used = 0;
    part = part < from->wire_len ? part : from->wire_len;
    uint8_t *buf = guard_copy(from->wire, part);
    read_wire(from);
    while (status == HWS_EVENT) {
        status = receive_event(to, buf, part, &used, cap, &ev);
        if (status == HWS_EVENT) {
            take_event(to, from, &ev);
        }
    }
    assert_int_equal(status, HWS_OK);
    assert_int_equal(used, part);
    assert_int_equal(hws_deflate_pending(&to->s.deflate), 0);
    guard_free(buf, part);
    from->wire_len -= part;
    from->read -= part;
    memmove(from->wire, from->wire + part, from->wire_len);
}

/* --- conversations ------------------------------------------------------------------------------
 */

static void step(uint64_t *seed) {
    side *a = &sides[below(seed, 2)];
    side *b = a == &sides[0] ? &sides[1] : &sides[0];
    switch (below(seed, 16)) {
    case 0:
        ping_step(a);
        return;
    case 1:
        hws_deflate_trim(&a->s.deflate);
        return;
    case 2:
    case 3:
    case 4:
        deliver_step(a, b, seed, below(seed, below(seed, 3) == 0 ? 20 : 70000));
        return;
    default:
        if ((a->busy || a->count < MESSAGES) && a->wire_len < WIRE_CAP / 2) {
            send_step(a, seed);
        }
        return;
    }
}

static void open_side(side *a, uint8_t role, const setup how[2]) {
    hws_deflate_params agreed = {.enabled = 1,
                                 .server_no_context_takeover = how[0].no_takeover,
                                 .client_no_context_takeover = how[1].no_takeover,
                                 .server_max_window_bits = how[0].agreed_bits,
                                 .client_max_window_bits = how[1].agreed_bits};
    hws_deflate_options options = setup_options(&how[role]);
    sender_open(&a->s, &how[role]);
    assert_int_equal(hws_deflate_init(&a->s.deflate, &agreed, &options), HWS_OK);
    reader_open(&a->r, &how[role]);
    hws_message_init(&a->message, a->got, sizeof a->got);
    a->count = a->at = a->got_len = a->got_count = a->wire_len = a->read = 0;
    a->pings = 0;
    a->busy = a->inside = 0;
    a->whole = 0;
}

/* The first 7 × 7 × 4 have every pair of windows and takeovers; then some of a window of 8. */
static setup random_setup(unsigned i, uint8_t role, uint64_t *seed) {
    setup how = setup_default();
    how.role = role;
    how.agreed_bits = (uint8_t)(9 + (role ? i / 7 : i) % 7);
    how.no_takeover = (uint8_t)(i / 49 >> role) & 1;
    how.agreed_bits = i >= 196 && below(seed, 16) == 0 ? 8 : how.agreed_bits;
    how.window_bits = (uint8_t)(below(seed, 3) ? 15 : 9 + below(seed, 7));
    how.level = (uint8_t)(1 + below(seed, 9));
    how.mem_level = (uint8_t)(1 + below(seed, 9));
    how.threshold = below(seed, 3) == 0 ? 0 : below(seed, 200);
    return how;
}

static void close_side(side *a, const side *b) {
    size_t i = 0;
    assert_int_equal(a->got_count, b->count);
    assert_int_equal(a->got_len, 0);
    assert_int_equal(a->r.messages, a->count);
    while (i < a->count) {
        free(a->messages[i]);
        i++;
    }
    hws_deflate_release(&a->s.deflate);
    reader_close(&a->r);
}

static void converse(unsigned i) {
    uint64_t seed = (i + 1) * UINT64_C(0x9E3779B97F4A7C15);
    setup how[2] = {random_setup(i, HWS_ROLE_SERVER, &seed),
                    random_setup(i, HWS_ROLE_CLIENT, &seed)};
    open_side(&sides[0], HWS_ROLE_SERVER, how);
    open_side(&sides[1], HWS_ROLE_CLIENT, how);
    sides[0].whole = below(&seed, 2) == 0;
    sides[1].whole = below(&seed, 2) == 0;
    while (sides[0].count < MESSAGES || sides[1].count < MESSAGES || sides[0].busy ||
           sides[1].busy) {
        step(&seed);
    }
    deliver_step(&sides[0], &sides[1], &seed, WIRE_CAP);
    deliver_step(&sides[1], &sides[0], &seed, WIRE_CAP);
    assert_int_equal(sides[0].pings, sides[1].pings);
    close_side(&sides[0], &sides[1]);
    close_side(&sides[1], &sides[0]);
}

static void everything_arrives_as_it_was_sent(void **state) {
    unsigned i = 0;
    (void)state;
    while (i < CONVERSATIONS) {
        converse(i);
        i++;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_arrives_as_it_was_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
