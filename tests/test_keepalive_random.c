/*
 * Random calls to keepalive.h against a model. Where the library keeps when things began, the model
 * counts how long they have lasted; where it keeps a count and a digest, the model keeps payloads.
 */
#include "timed.h"

#ifdef HWS_TEST_REDUCED
enum { SEQUENCES = 300, CALLS = 200 };
#else
enum { SEQUENCES = 6000, CALLS = 400 };
#endif

enum { MOST_PAYLOADS = CALLS + 1 };

/* A time that is counted, and whether the rule for late ones was applied to it. */
typedef struct counter {
    uint64_t ms;
    int again;
} counter;

typedef struct payload {
    uint8_t bytes[16];
    size_t len;
} payload;

typedef struct model {
    uint64_t now;
    char phase; /* 'o'pening, 'u'p, 'c'losing */
    counter in_phase;
    counter stall;
    counter idle;
    counter pong; /* outside of frames */
    uint64_t frame;
    uint64_t silence;
    uint64_t travel;
    int waiting;
    int paused;
    int in_frame;
    payload ours[MOST_PAYLOADS]; /* the outstanding Ping, and those sent after it; none: no count */
    size_t count;
    payload theirs;
    int has_theirs;
    uint32_t nonce;
    uint32_t sent;
    uint32_t latency;
} model;

static void add(uint64_t *sum, uint64_t ms) {
    *sum = *sum > UINT64_MAX - ms ? UINT64_MAX : *sum + ms;
}

static void begin(counter *c) {
    *c = (counter){0, 0};
}

/* Whether a count is at its end. `ms` is what is counted. */
static int ends(counter *c, uint64_t *ms, uint32_t limit) {
    if (*ms < limit) {
        return 0;
    }
    if (*ms > (uint64_t)limit + HWS_LATE_MS && !c->again) {
        c->again = 1;
        *ms = 0;
        return 0;
    }
    c->again = 1;
    return 1;
}

static hws_status model_tick(model *m, const hws_keepalive_config *c, uint64_t now) {
    uint64_t step = now < m->now ? 0 : now - m->now;
    hws_status phase = HWS_OK;
    hws_status stall = HWS_OK;
    hws_status pong_status = HWS_OK;
    hws_status idle = HWS_OK;

    m->now = now;
    add(&m->in_phase.ms, step);
    add(&m->stall.ms, step);
    add(&m->idle.ms, step);
    add(&m->silence, step);
    add(&m->travel, step);
    if (!m->paused) {
        add(m->in_frame ? &m->frame : &m->pong.ms, step);
    }
    uint32_t limit = m->phase == 'o' ? c->open_timeout_ms : c->close_timeout_ms;
    if (m->phase != 'u' && limit > 0 && ends(&m->in_phase, &m->in_phase.ms, limit)) {
        phase = HWS_ERR_TIMEOUT;
    }
    if (m->waiting && c->stall_timeout_ms > 0 &&
        ends(&m->stall, &m->stall.ms, c->stall_timeout_ms)) {
        stall = HWS_ERR_STALLED;
    }
    if (m->phase == 'u' && m->count > 0 && !m->paused && c->pong_timeout_ms > 0 &&
        ends(&m->pong, m->in_frame ? &m->frame : &m->pong.ms, c->pong_timeout_ms)) {
        pong_status = HWS_ERR_PONG_TIMEOUT;
    }
    if (m->phase == 'u' && c->idle_timeout_ms > 0 &&
        ends(&m->idle, &m->idle.ms, c->idle_timeout_ms)) {
        idle = HWS_ERR_IDLE;
    }
    if (phase != HWS_OK || stall != HWS_OK) {
        return phase != HWS_OK ? phase : stall;
    }
    if (pong_status != HWS_OK || idle != HWS_OK) {
        return pong_status != HWS_OK ? pong_status : idle;
    }
    return m->phase == 'u' && m->count == 0 && c->ping_after_ms > 0 &&
                   m->silence >= c->ping_after_ms
               ? HWS_EVENT
               : HWS_OK;
}

static void consider(uint64_t *earliest, uint64_t now, uint64_t ms, uint32_t limit) {
    uint64_t left = ms < limit ? limit - ms : 0;
    if (limit > 0 && left <= UINT64_MAX - now && now + left < *earliest) {
        *earliest = now + left;
    }
}

static uint64_t model_timeout(const model *m, const hws_keepalive_config *c) {
    uint64_t earliest = HWS_NEVER;
    if (m->waiting) {
        consider(&earliest, m->now, m->stall.ms, c->stall_timeout_ms);
    }
    if (m->phase != 'u') {
        consider(&earliest, m->now, m->in_phase.ms,
                 m->phase == 'o' ? c->open_timeout_ms : c->close_timeout_ms);
        return earliest;
    }
    consider(&earliest, m->now, m->idle.ms, c->idle_timeout_ms);
    if (m->count == 0) {
        consider(&earliest, m->now, m->silence, c->ping_after_ms);
    } else if (!m->paused) {
        consider(&earliest, m->now, m->in_frame ? m->frame : m->pong.ms, c->pong_timeout_ms);
    }
    return earliest;
}

static void model_received(model *m, int in_frame) {
    m->silence = 0;
    m->frame = 0;
    if (in_frame || m->in_frame) {
        m->pong.again = 0;
    }
    m->in_frame = in_frame;
}

static int same(const payload *a, const payload *b) {
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static int model_pong(model *m, const payload *p) {
    int found = 0;
    m->silence = 0;
    for (size_t i = 0; i < m->count; i++) {
        if (same(&m->ours[i], p)) {
            found = 1;
            if (i == 0) {
                m->latency = m->travel >= UINT32_MAX ? UINT32_MAX - 1 : (uint32_t)m->travel;
            }
        }
    }
    if (m->count > 0 && m->has_theirs && same(&m->theirs, p)) {
        found = 1;
    }
    if (found) {
        m->count = 0;
    }
    return found;
}

static payload model_ping(model *m) {
    payload p = {.len = PING_LEN};
    for (size_t i = 0; i < 4; i++) {
        p.bytes[i] = (uint8_t)(m->nonce >> (24 - 8 * i));
        p.bytes[4 + i] = (uint8_t)(m->sent >> (24 - 8 * i));
    }
    m->sent++;
    if (m->count == 0) {
        m->has_theirs = 0;
        m->travel = 0;
        m->frame = 0;
        begin(&m->pong);
    }
    m->ours[m->count] = p;
    m->count++;
    return p;
}

static void model_sent(model *m, size_t taken, size_t waiting) {
    if (taken > 0 || !m->waiting) {
        begin(&m->stall);
    }
    m->waiting = waiting > 0;
}

/* --- the calls -----------------------------------------------------------------------------------
 */

typedef struct world {
    uint64_t seed;
    hws_keepalive k;
    hws_keepalive_config config;
    model m;
    payload sent[8]; /* newest Pings of all kinds */
    size_t sent_count;
    unsigned results[8]; /* how often each was seen */
} world;

static uint64_t pick(world *w, uint64_t below) {
    return (random_next(&w->seed) >> 16) % below;
}

static uint32_t pick_limit(world *w) {
    const uint32_t limits[] = {0, 1, 50, 400, 1500, 3000, UINT32_MAX};
    return limits[pick(w, 7)];
}

static void pick_config(world *w) {
    w->config = (hws_keepalive_config){pick_limit(w), pick_limit(w), pick_limit(w),
                                       pick_limit(w), pick_limit(w), pick_limit(w)};
}

static uint64_t pick_time(world *w) {
    uint64_t now = w->m.now;
    uint64_t due = model_timeout(&w->m, &w->config);
    switch (pick(w, 12)) {
    case 0:
        return now;
    case 1:
        return now + pick(w, 5000); /* may turn over: it goes back then */
    case 2:
        return now - pick(w, 2000);
    case 3:
        return due == HWS_NEVER ? now : due - (due > now);
    case 4:
        return due == HWS_NEVER ? now : due + HWS_LATE_MS;
    case 5:
        return due == HWS_NEVER ? now : due + HWS_LATE_MS + 1;
    case 6:
        return pick(w, 20) > 0 ? now + 1 : pick(w, 2) > 0 ? UINT64_MAX : 0;
    case 7:
        return pick(w, 20) > 0 ? now : now + ((uint64_t)1 << pick(w, 64));
    case 8:
        return due == HWS_NEVER ? now : due;
    default:
        return now + pick(w, 300);
    }
}

static void count_result(world *w, hws_status status) {
    const hws_status all[] = {
        HWS_OK, HWS_EVENT, HWS_ERR_TIMEOUT, HWS_ERR_STALLED, HWS_ERR_PONG_TIMEOUT, HWS_ERR_IDLE};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        w->results[i] += status == all[i];
    }
}

static void do_tick(world *w) {
    uint64_t now = pick_time(w);
    hws_status status = hws_keepalive_tick(&w->k, &w->config, now);
    assert_int_equal(status, model_tick(&w->m, &w->config, now));
    count_result(w, status);
}

static void remember(world *w, payload p) {
    w->sent[w->sent_count % 8] = p;
    w->sent_count++;
}

static void do_ping(world *w) {
    if (w->m.phase == 'o') {
        return; /* there is no nonce yet */
    }
    payload wanted = model_ping(&w->m);
    uint8_t got[PING_LEN];
    hws_keepalive_ping(&w->k, got);
    assert_memory_equal(got, wanted.bytes, PING_LEN);
    remember(w, wanted);
}

static payload pick_payload(world *w) {
    payload p = {.len = pick(w, 4)};
    for (size_t i = 0; i < p.len; i++) {
        p.bytes[i] = (uint8_t)pick(w, 2);
    }
    return p;
}

static void do_pong(world *w) {
    payload p = pick(w, 4) > 0 ? w->sent[pick(w, 8)] : pick_payload(w);
    if (pick(w, 3) == 0 && w->m.count > 0) {
        p = w->m.ours[pick(w, w->m.count)];
    }
    int cleared = hws_keepalive_pong(&w->k, p.len > 0 ? p.bytes : NULL, p.len);
    assert_int_equal(cleared, model_pong(&w->m, &p));
    w->results[6 + cleared]++;
}

static void do_pinged(world *w) {
    payload p = pick_payload(w);
    hws_keepalive_pinged(&w->k, p.len > 0 ? p.bytes : NULL, p.len);
    w->m.theirs = p;
    w->m.has_theirs = 1;
    remember(w, p);
}

static void do_received(world *w) {
    uint8_t in_frame = (uint8_t)pick(w, 2);
    hws_keepalive_received(&w->k, in_frame);
    model_received(&w->m, in_frame);
}

static void do_sent(world *w) {
    size_t taken = (size_t)pick(w, 2);
    const size_t most[] = {0, 0, 1, 256, SIZE_MAX};
    size_t waiting = most[pick(w, 5)];
    hws_keepalive_sent(&w->k, taken, waiting);
    model_sent(&w->m, taken, waiting);
}

static void do_pause(world *w) {
    w->m.paused = pick(w, 3) == 0;
    hws_keepalive_pause(&w->k, (uint8_t)w->m.paused);
}

static void do_message(world *w) {
    hws_keepalive_message(&w->k);
    begin(&w->m.idle);
}

static void do_opened(world *w) {
    uint32_t nonce = (uint32_t)pick(w, UINT32_MAX);
    hws_keepalive_opened(&w->k, nonce);
    if (w->m.phase == 'o') {
        w->m.phase = 'u';
        w->m.nonce = nonce;
        w->m.silence = 0;
        begin(&w->m.idle);
    }
}

static void do_closing(world *w) {
    hws_keepalive_closing(&w->k);
    if (w->m.phase != 'c') {
        w->m.phase = 'c';
        begin(&w->m.in_phase);
    }
}

static void do_anything(world *w) {
    static void (*const often[])(world *) = {do_tick,   do_tick, do_tick,     do_ping,   do_pong,
                                             do_pinged, do_sent, do_received, do_message};
    uint64_t choice = pick(w, 60);
    if (choice == 0) {
        pick_config(w);
    } else if (choice < 3) {
        do_opened(w);
    } else if (choice < 5) {
        do_pause(w);
    } else if (choice == 5 && pick(w, 12) == 0) {
        do_closing(w);
    } else {
        often[pick(w, sizeof often / sizeof often[0])](w);
    }
}

static void start(world *w) {
    const uint64_t starts[] = {0, 1000000, UINT64_MAX, UINT64_MAX - 5000};
    w->m = (model){.now = starts[pick(w, 4)], .phase = 'o', .latency = UINT32_MAX};
    w->sent_count = 0;
    memset(w->sent, 0, sizeof w->sent);
    memset(&w->k, 0x5A, sizeof w->k);
    hws_keepalive_init(&w->k, w->m.now);
    pick_config(w);
    if (pick(w, 4) > 0) {
        do_opened(w);
    }
}

static void any_calls_give_what_the_model_gives(void **context) {
    static world w = {.seed = 20};
    (void)context;
    for (size_t i = 0; i < SEQUENCES; i++) {
        start(&w);
        for (size_t call = 0; call < CALLS; call++) {
            do_anything(&w);
            assert_true(hws_keepalive_timeout(&w.k, &w.config) == model_timeout(&w.m, &w.config));
            assert_int_equal(hws_keepalive_latency_ms(&w.k), w.m.latency);
        }
    }
    for (size_t i = 0; i < 8; i++) {
        assert_true(w.results[i] > SEQUENCES / 3);
    }
}

/* Who ticks when he was told to, and only then, misses nothing and is woken for nothing. */
static void whoever_ticks_at_the_timeout_always_finds_something(void **context) {
    static world w = {.seed = 21};
    (void)context;
    for (size_t i = 0; i < SEQUENCES; i++) {
        start(&w);
        for (size_t call = 0; call < 40; call++) {
            uint64_t due = hws_keepalive_timeout(&w.k, &w.config);
            if (due != HWS_NEVER && due > w.m.now) {
                assert_int_equal(hws_keepalive_tick(&w.k, &w.config, due - 1), HWS_OK);
                assert_int_equal(model_tick(&w.m, &w.config, due - 1), HWS_OK);
                assert_true(hws_keepalive_tick(&w.k, &w.config, due) != HWS_OK);
                assert_true(model_tick(&w.m, &w.config, due) != HWS_OK);
            }
            do_anything(&w);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST("any calls give what the model gives", any_calls_give_what_the_model_gives),
        TEST("whoever ticks at the timeout always finds something",
             whoever_ticks_at_the_timeout_always_finds_something),
    };
    return cmocka_run_group_tests_name("keepalive_random", tests, NULL, NULL);
}
