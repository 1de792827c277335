/*
 * Two endpoints under random schedules: whatever the wire does, what is received is a prefix of
 * what was sent, each message once, in order and byte for byte; and it ends, with a status that
 * says how.
 *
 * A failing seed is printed; give it as the argument of the program to run it alone.
 */
#include "endpoint_pair.h"

#ifdef HWS_TEST_REDUCED
enum { SEEDS = 150 };
#else
enum { SEEDS = 2000 };
#endif

enum { MESSAGE_MAX = 20000, MAX_REFS = 4096, CALM_STEPS = 60000, MORE_STEPS = 3000 };

/* What happens to the connection. */
enum { CLEAN, RESET, CUT, CLOSE_NOW, ABORT, LATE, WAYS };

typedef struct app {
    uint8_t role;
    uint64_t seed;  /* of all messages of the run */
    size_t longest; /* bytes of a message */
    unsigned planned;
    unsigned sent; /* whole messages that were queued */
    unsigned received;
    uint8_t out[MESSAGE_MAX];
    size_t out_len;
    size_t out_at;
    uint8_t out_type;
    uint8_t in_message; /* its first piece was sent */
    uint8_t prepared;   /* made, not sent */
    uint8_t waits;      /* for DRAIN */
    uint8_t patient;    /* waits for DRAIN at all */
    uint8_t pressed;    /* DRAIN may come */
    uint8_t closes;     /* when all is sent */
    uint8_t streams;    /* by the last word of the application */
    uint8_t in_type;
    uint8_t receiving;
    uint8_t in[MESSAGE_MAX];
    size_t in_at;
    uint8_t *refs[MAX_REFS];
    size_t ref_count;
} app;

typedef struct run {
    pair p;
    app apps[2];
    unsigned way;
    uint8_t deflate;
} run;

/* The message of this number, from this side. Text has code points of several bytes. */
static size_t make_message(const app *a, uint8_t role, unsigned index, uint8_t *type,
                           uint8_t *out) {
    static const char *const words[] = {"hawser ", "rope ", "\xC3\xA4", "\xE2\x82\xAC", "0123 "};
    uint64_t seed = a->seed * 2 + role + (uint64_t)index * 7919 + 1;
    (void)random_next(&seed);
    size_t longest = random_next(&seed) % 4 ? 20 : a->longest;
    size_t len = (size_t)(random_next(&seed) >> 8) % (longest + 1);
    size_t n = 0;
    *type = random_next(&seed) & 64 ? HWS_TEXT : HWS_BINARY;
    if (*type == HWS_BINARY) {
        random_fill(&seed, out, len);
        return len;
    }
    while (n + 8 <= len) {
        const char *word = words[(random_next(&seed) >> 9) % 5];
        memcpy(out + n, word, strlen(word));
        n += strlen(word);
    }
    return n;
}

/* --- the application ----------------------------------------------------------------------------
 */

static void on_message(app *a, const hws_event *ev) {
    if ((ev->flags & HWS_FIRST) != 0) {
        assert_int_equal(a->receiving, 0);
        a->receiving = 1;
        a->in_at = 0;
        (void)make_message(a, !a->role, a->received, &a->in_type, a->in);
    }
    size_t len = make_message(a, !a->role, a->received, &a->in_type, a->in);
    assert_int_equal(a->receiving, 1);
    assert_int_equal(ev->type, a->in_type);
    assert_true(ev->len <= len - a->in_at);
    if (ev->len > 0) {
        assert_memory_equal(ev->data, a->in + a->in_at, ev->len);
    }
    a->in_at += ev->len;
    if ((ev->flags & HWS_FINAL) != 0) {
        assert_int_equal(a->in_at, len);
        a->receiving = 0;
        a->received++;
    }
}

static void on_released(app *a, const hws_event *ev) {
    size_t i = 0;
    while (i < a->ref_count && a->refs[i] != ev->data) {
        i++;
    }
    assert_true(i < a->ref_count); /* once, and only what was given */
    free(a->refs[i]);
    a->ref_count--;
    a->refs[i] = a->refs[a->ref_count];
}

static void on_event(side *s, const hws_event *ev) {
    app *a = s->user;
    switch (ev->type) {
    case HWS_REQUEST:
        assert_int_equal(hws_endpoint_accept(&s->ep, &s->accept), HWS_OK);
        break;
    case HWS_TEXT:
    case HWS_BINARY:
        on_message(a, ev);
        break;
    case HWS_RELEASED:
        on_released(a, ev);
        break;
    case HWS_DRAIN:
        assert_int_equal(a->pressed, 1);
        a->pressed = 0;
        a->waits = 0;
        break;
    default:
        break;
    }
}

/* Send a piece by reference, in a block of its own. */
static hws_status send_ref(side *s, app *a, uint8_t flags, size_t len) {
    uint8_t *block = malloc(len);
    assert_non_null(block);
    assert_true(a->ref_count < MAX_REFS);
    memcpy(block, a->out + a->out_at, len);
    hws_status status = hws_endpoint_send_ref(&s->ep, a->out_type, flags, block, len);
    if (status < 0) {
        assert_memory_equal(block, a->out + a->out_at, len);
        free(block);
    } else {
        a->refs[a->ref_count] = block;
        a->ref_count++;
    }
    return status;
}

static hws_status send_prepared(side *s, const app *a) {
    hws_prepared *message = NULL;
    assert_int_equal(hws_prepared_make(&message, &s->config.allocator, a->out_type,
                                       a->out_len > 0 ? a->out : NULL, a->out_len),
                     HWS_OK);
    hws_status status = hws_endpoint_send_prepared(&s->ep, message, HWS_SLOW_SKIP);
    hws_prepared_release(message);
    return status;
}

/* Send the next piece in some way, of `len` bytes. */
static hws_status send_piece(run *r, side *s, app *a, uint8_t flags, size_t len) {
    size_t how = pair_random(&r->p, 8);
    hws_status status = HWS_ERR_STATE;
    if (flags == HWS_WHOLE && how == 0 && a->role == SERVER) {
        return send_prepared(s, a);
    }
    if (how < 3 && len > 0) {
        status = send_ref(s, a, flags, len);
        if (status != HWS_ERR_STATE || !r->deflate || !a->in_message) {
            return status;
        }
    }
    if (r->deflate && (flags & HWS_FIRST) != 0) {
        flags |= how == 4 ? HWS_COMPRESSED : how == 5 ? HWS_UNCOMPRESSED : 0;
    }
    return hws_endpoint_send(&s->ep, a->out_type, flags, len > 0 ? a->out + a->out_at : NULL, len);
}

static void app_close(run *r, side *s, const app *a) {
    if (a->closes && !a->in_message && hws_endpoint_can_send(&s->ep) && r->way != ABORT) {
        assert_int_equal(hws_endpoint_close(&s->ep, 1000, NULL, 0), HWS_OK);
    }
}

static void app_send(run *r, uint8_t role) {
    side *s = r->p.sides[role];
    app *a = &r->apps[role];
    uint8_t flags = a->in_message ? 0 : HWS_FIRST;
    if (a->waits || !hws_endpoint_can_send(&s->ep)) {
        return;
    }
    if (a->sent == a->planned) {
        app_close(r, s, a);
        return;
    }
    if (!a->in_message) {
        a->out_len = make_message(a, role, a->sent, &a->out_type, a->out);
        a->out_at = 0;
    }
    size_t len = a->out_len - a->out_at;
    len = pair_random(&r->p, 3) == 0 ? pair_random(&r->p, len + 1) : len;
    flags |= a->out_at + len == a->out_len ? HWS_FINAL : 0;
    hws_status status = send_piece(r, s, a, flags, len);
    a->pressed |= status == HWS_BACKPRESSURE || status == HWS_ERR_FULL;
    a->waits = a->pressed && a->patient;
    if (status != HWS_BACKPRESSURE && status != HWS_ERR_FULL) {
        assert_string_equal(hws_status_name(status), "HWS_OK");
    }
    if (status != HWS_ERR_FULL) {
        a->out_at += len;
        a->in_message = (flags & HWS_FINAL) == 0;
        a->sent += !a->in_message;
    }
}

static void app_ping(side *s, app *a) {
    if (hws_endpoint_can_send(&s->ep)) {
        hws_status status = hws_endpoint_send(&s->ep, HWS_PING, HWS_WHOLE, a->in, 2);
        assert_true(status == HWS_OK || status == HWS_BACKPRESSURE);
        a->pressed |= status == HWS_BACKPRESSURE;
    }
}

static void app_whim(run *r, uint8_t role, int calm) {
    side *s = r->p.sides[role];
    switch (pair_random(&r->p, 9)) {
    case 1:
        hws_endpoint_pause(&s->ep, !calm);
        break;
    case 2:
        hws_endpoint_stream(&s->ep, (uint8_t)pair_random(&r->p, 2));
        break;
    case 3:
        hws_endpoint_trim(&s->ep);
        break;
    case 4:
    case 5:
        hws_endpoint_pause(&s->ep, 0);
        break;
    default:
        app_ping(s, &r->apps[role]);
        break;
    }
}

/* --- a run --------------------------------------------------------------------------------------
 */

static void run_init(run *r, uint64_t seed) {
    uint8_t role = SERVER;
    memset(r, 0, sizeof *r);
    pair_init(&r->p, seed);
    r->way = (unsigned)pair_random(&r->p, 2) ? CLEAN : (unsigned)pair_random(&r->p, WAYS);
    r->deflate = test_codec() != NULL && pair_random(&r->p, 2);
    size_t longest = pair_random(&r->p, 4) == 0 ? MESSAGE_MAX : 30 + pair_random(&r->p, 500);
    size_t closes = pair_random(&r->p, 3);
    while (role <= CLIENT) {
        side *s = r->p.sides[role];
        app *a = &r->apps[role];
        a->role = role;
        a->seed = seed;
        a->longest = longest;
        a->planned = (unsigned)pair_random(&r->p, 25);
        a->patient = (uint8_t)pair_random(&r->p, 2);
        a->closes = closes == 2 || closes == role;
        if (r->deflate && pair_random(&r->p, 8) > 0) {
            side_deflate(s, (uint8_t)pair_random(&r->p, 3));
            s->options.threshold = pair_random(&r->p, 100);
            s->config.trim_after_ms = (uint32_t)pair_random(&r->p, 200);
        }
        s->config.streaming = (uint8_t)pair_random(&r->p, 2);
        s->config.hold_input = (uint8_t)pair_random(&r->p, 2);
        s->config.high_water = 50 + (uint32_t)pair_random(&r->p, 3000);
        s->config.low_water = 1 + (uint32_t)pair_random(&r->p, s->config.high_water);
        s->config.max_queue = s->config.high_water + 2 * longest + 200;
        s->user = a;
        s->on_event = on_event;
        side_start(s);
        role++;
    }
    r->deflate = r->deflate && r->p.sides[0]->config.deflate && r->p.sides[1]->config.deflate;
    assert_int_equal(hws_endpoint_connect(&r->p.sides[CLIENT]->ep, &r->p.sides[CLIENT]->client),
                     HWS_OK);
}

static void run_fault(run *r) {
    uint8_t role = (uint8_t)pair_random(&r->p, 2);
    side *s = r->p.sides[role];
    switch (r->way) {
    case RESET:
        pair_break(&r->p);
        break;
    case CUT: /* what is on its way arrives, nothing more */
        r->p.to[SERVER].ended = 1;
        r->p.to[CLIENT].ended = 1;
        break;
    case CLOSE_NOW:
        if (hws_endpoint_can_send(&s->ep)) {
            assert_int_equal(hws_endpoint_close_now(&s->ep, 1001, NULL, 0), HWS_OK);
        }
        break;
    case ABORT:
        pair_break(&r->p);
        break;
    default:
        break;
    }
}

static void run_step(run *r, int calm) {
    uint8_t role = (uint8_t)pair_random(&r->p, 2);
    size_t most = pair_random(&r->p, 3) ? SIZE_MAX : 1 + pair_random(&r->p, 40);
    switch (pair_random(&r->p, 12)) {
    case 0:
    case 1:
    case 2:
        app_send(r, role);
        break;
    case 3:
    case 4:
        (void)pair_hand_out(&r->p, role);
        break;
    case 5:
    case 6:
        (void)pair_write(&r->p, role, most);
        break;
    case 7:
        (void)pair_end(&r->p, role);
        break;
    case 8:
        pair_pass(&r->p, r->way == LATE ? pair_random(&r->p, 2000) : pair_random(&r->p, 2));
        break;
    case 9:
        app_whim(r, role, calm);
        break;
    default:
        (void)pair_deliver(&r->p, role, most);
        break;
    }
}

static int run_ended(const run *r) {
    return r->p.sides[SERVER]->ended && r->p.sides[CLIENT]->ended;
}

/* Both ends, as far as the way of this run lets them know. */
static void run_judge(const run *r) {
    uint8_t role = SERVER;
    while (role <= CLIENT) {
        const side *s = r->p.sides[role];
        const app *a = &r->apps[role];
        hws_status status = hws_endpoint_status(&s->ep);
        hws_closing closing = side_closing(s);
        assert_true(a->received <= r->apps[!role].sent);
        if (r->way == CLEAN || r->way == CLOSE_NOW) {
            assert_int_equal(status, HWS_OK);
        }
        if (status == HWS_OK) {
            assert_int_equal(closing.clean, 1);
        }
        if (r->way != CLOSE_NOW && closing.clean) { /* his Close came behind all of it */
            assert_int_equal(a->received, r->apps[!role].sent);
        }
        if (r->way == RESET || r->way == ABORT) {
            assert_true(status == HWS_OK || status == HWS_ERR_RESET);
        }
        if (r->way == CUT) {
            assert_true(status == HWS_OK || status == HWS_ERR_EOF || status == HWS_ERR_TIMEOUT ||
                        status == HWS_ERR_STALLED);
        }
        role++;
    }
}

static void run_free(run *r) {
    uint8_t role = SERVER;
    pair_free(&r->p);
    while (role <= CLIENT) {
        app *a = &r->apps[role];
        while (a->ref_count > 0) { /* the caller's again, without event */
            a->ref_count--;
            free(a->refs[a->ref_count]);
        }
        role++;
    }
}

static void run_seed(uint64_t seed) {
    static run r;
    unsigned steps = 0;
    run_init(&r, seed);
    size_t fault_at = pair_random(&r.p, 1000);
    while (!run_ended(&r) && steps < CALM_STEPS) {
        run_step(&r, steps > 2000);
        if (steps == fault_at) {
            run_fault(&r);
        }
        if (steps > 4000) {
            r.apps[SERVER].closes = 1; /* whoever had to close may have lost the connection */
        }
        steps++;
    }
    if (r.way == CLEAN || r.way == CLOSE_NOW) {
        assert_true(run_ended(&r));
    }
    while (!run_ended(&r)) { /* then the deadlines have to do it */
        run_step(&r, 1);
        pair_pass(&r.p, 900);
        assert_true(++steps < CALM_STEPS + MORE_STEPS);
    }
    run_judge(&r);
    run_free(&r);
}

static uint64_t first_seed = 1;
static uint64_t last_seed = SEEDS;
static uint64_t current_seed;

static void what_is_received_is_a_prefix_of_what_was_sent(void **state) {
    uint64_t seed = first_seed;
    (void)state;
    while (seed <= last_seed) {
        current_seed = seed;
        run_seed(seed);
        seed++;
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_received_is_a_prefix_of_what_was_sent),
    };
    if (argc == 2) {
        first_seed = strtoull(argv[1], NULL, 10);
        last_seed = first_seed;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed != 0) {
        printf("The seed was %llu.\n", (unsigned long long)current_seed);
    }
    return failed;
}
