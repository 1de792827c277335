/*
 * Any calls to a keepalive, on a clock that does what it likes. Invariant: each answer is that of a
 * model which counts how long things have lasted, and keeps the payloads of Pings; whoever ticks
 * when he was told to finds something, and before that nothing. Beside it goes a bucket of tokens,
 * whose answers are those of a ledger.
 *
 * The input: six limits of 64 ms each, tokens per second and burst, a byte each; then calls of two
 * bytes: what, and with what. The option is where the clock starts.
 */
#include "fuzz.h"

enum { LIMIT_STEP = 64, CONFIG_LEN = 8, PING = HWS_KEEPALIVE_PING_LEN, MOST_PINGS = 16 };
enum { NONCE = 0x51525354, CALL_LEN = 2 };

/* The deadlines, in the order in which they are reported. */
enum { PHASE, STALL, PONG, IDLE, KINDS };

typedef struct model {
    uint64_t now;
    uint64_t ms[KINDS]; /* how long each has lasted; of a Pong, outside of frames */
    uint8_t again[KINDS];
    uint8_t phase; /* 0: opening, 1: open, 2: closing */
    uint8_t waiting;
    uint8_t paused;
    uint8_t in_frame;
    uint64_t frame_ms; /* since the last bytes of an unfinished frame */
    uint64_t silence_ms;
    uint64_t travel_ms;
    size_t pings; /* the outstanding one, and those sent after it */
    uint8_t payloads[MOST_PINGS][PING];
    uint8_t theirs; /* the application's newest payload, of one byte */
    uint8_t has_theirs;
    uint32_t latency_ms;
} model;

/* A bucket and its ledger: since it was full last. */
typedef struct bucket {
    hws_rate rate;
    hws_rate_config config;
    uint64_t now;
    uint64_t ms;
    uint64_t taken;
} bucket;

typedef struct world {
    hws_keepalive *k;
    hws_keepalive_config config;
    model m;
    bucket bucket;
} world;

static void add(uint64_t *sum, uint64_t ms) {
    *sum = *sum > UINT64_MAX - ms ? UINT64_MAX : *sum + ms;
}

static void begin(model *m, uint8_t kind) {
    m->ms[kind] = 0;
    m->again[kind] = 0;
}

static uint64_t *lasted(model *m, uint8_t kind) {
    return kind == PONG && m->in_frame ? &m->frame_ms : &m->ms[kind];
}

/* The limit that holds now; 0: none. */
static uint32_t limit_of(const model *m, const hws_keepalive_config *config, uint8_t kind) {
    uint8_t open = m->phase == 1;
    switch (kind) {
    case PHASE:
        return open ? 0 : m->phase == 0 ? config->open_timeout_ms : config->close_timeout_ms;
    case STALL:
        return m->waiting ? config->stall_timeout_ms : 0;
    case PONG:
        return open && m->pings > 0 && !m->paused ? config->pong_timeout_ms : 0;
    default:
        return open ? config->idle_timeout_ms : 0;
    }
}

static uint32_t ping_limit(const model *m, const hws_keepalive_config *config) {
    return m->phase == 1 && m->pings == 0 ? config->ping_after_ms : 0;
}

static uint8_t ends(model *m, uint8_t kind, uint32_t limit) {
    uint64_t *ms = lasted(m, kind);
    if (limit == 0 || *ms < limit) {
        return 0;
    }
    if (*ms > (uint64_t)limit + HWS_LATE_MS && !m->again[kind]) {
        *ms = 0;
        m->again[kind] = 1;
        return 0;
    }
    m->again[kind] = 1;
    return 1;
}

static hws_status model_tick(model *m, const hws_keepalive_config *config, uint64_t now) {
    const hws_status errors[KINDS] = {HWS_ERR_TIMEOUT, HWS_ERR_STALLED, HWS_ERR_PONG_TIMEOUT,
                                      HWS_ERR_IDLE};
    uint64_t step = now > m->now ? now - m->now : 0;
    uint32_t silence = ping_limit(m, config);
    hws_status status = HWS_OK;
    uint8_t kind = 0;

    m->now = now;
    add(&m->ms[PHASE], step);
    add(&m->ms[STALL], step);
    add(&m->ms[IDLE], step);
    add(lasted(m, PONG), m->paused ? 0 : step);
    add(&m->silence_ms, step);
    add(&m->travel_ms, step);
    while (kind < KINDS) {
        uint8_t ended = ends(m, kind, limit_of(m, config, kind));
        status = ended && status == HWS_OK ? errors[kind] : status;
        kind++;
    }
    return status == HWS_OK && silence > 0 && m->silence_ms >= silence ? HWS_EVENT : status;
}

static void consider(uint64_t *due, uint64_t now, uint64_t ms, uint32_t limit) {
    uint64_t left = ms < limit ? limit - ms : 0;
    if (limit > 0 && left < *due - now) {
        *due = now + left;
    }
}

static uint64_t model_timeout(model *m, const hws_keepalive_config *config) {
    uint64_t due = HWS_NEVER;
    uint8_t kind = 0;
    while (kind < KINDS) {
        consider(&due, m->now, *lasted(m, kind), limit_of(m, config, kind));
        kind++;
    }
    consider(&due, m->now, m->silence_ms, ping_limit(m, config));
    return due;
}

static void check_tick(world *w, uint64_t now) {
    CHECK(hws_keepalive_tick(w->k, &w->config, now) == model_tick(&w->m, &w->config, now));
}

/* On copies: what is told now must hold whatever is done else. */
static void check_timeout(world *w) {
    uint64_t due = model_timeout(&w->m, &w->config);
    hws_keepalive copy = *w->k;

    CHECK(hws_keepalive_timeout(w->k, &w->config) == due);
    CHECK(hws_keepalive_latency_ms(w->k) == w->m.latency_ms);
    if (due == HWS_NEVER || due <= w->m.now) {
        return;
    }
    CHECK(hws_keepalive_tick(&copy, &w->config, due - 1) == HWS_OK);
    CHECK(hws_keepalive_tick(&copy, &w->config, due) != HWS_OK);
}

static void ping(world *w) {
    model *m = &w->m;
    if (m->pings == MOST_PINGS || m->phase != 1) {
        return;
    }
    if (m->pings == 0) {
        begin(m, PONG);
        m->frame_ms = 0;
        m->travel_ms = 0;
        m->has_theirs = 0;
    }
    uint8_t *payload = fuzz_copy(m->payloads[0], PING);
    hws_keepalive_ping(w->k, payload);
    memcpy(m->payloads[m->pings], payload, PING);
    free(payload);
    m->pings++;
}

/* A Pong with the payload of a Ping; for the upper half of arguments a bit of it is turned. */
static void pong_of_ours(world *w, uint8_t arg) {
    model *m = &w->m;
    size_t at = arg % MOST_PINGS;
    uint8_t *payload = fuzz_copy(m->payloads[at], PING);
    uint8_t clears = at < m->pings && arg < 0x80;

    payload[arg / MOST_PINGS % PING] ^= (uint8_t)(arg & 0x80);
    m->silence_ms = 0;
    CHECK(hws_keepalive_pong(w->k, payload, PING) == clears);
    free(payload);
    if (clears && at == 0) {
        m->latency_ms = m->travel_ms < UINT32_MAX ? (uint32_t)m->travel_ms : UINT32_MAX - 1;
    }
    m->pings = clears ? 0 : m->pings;
}

static void pong_of_theirs(world *w, uint8_t arg) {
    model *m = &w->m;
    uint8_t clears = m->pings > 0 && m->has_theirs && m->theirs == arg;
    m->silence_ms = 0;
    CHECK(hws_keepalive_pong(w->k, &arg, 1) == clears);
    m->pings = clears ? 0 : m->pings;
}

static void received(world *w, uint8_t in_frame) {
    hws_keepalive_received(w->k, in_frame);
    w->m.again[PONG] = in_frame || w->m.in_frame ? 0 : w->m.again[PONG];
    w->m.silence_ms = 0;
    w->m.frame_ms = 0;
    w->m.in_frame = in_frame;
}

static void sent(world *w, uint8_t taken, uint8_t waiting) {
    hws_keepalive_sent(w->k, taken, waiting);
    if (taken > 0 || !w->m.waiting) {
        begin(&w->m, STALL);
    }
    w->m.waiting = waiting > 0;
}

static void opened(world *w) {
    hws_keepalive_opened(w->k, NONCE);
    if (w->m.phase == 0) {
        w->m.phase = 1;
        w->m.silence_ms = 0;
        begin(&w->m, IDLE);
    }
}

static void closing(world *w) {
    hws_keepalive_closing(w->k);
    if (w->m.phase < 2) {
        w->m.phase = 2;
        begin(&w->m, PHASE);
    }
}

/* Short steps of its own clock, so that no product turns over. */
static void take(bucket *b, uint8_t ms, uint8_t tokens) {
    uint64_t per_second = b->config.per_second;
    uint64_t burst = b->config.burst > 0 ? b->config.burst : per_second;

    b->now += ms;
    b->ms += ms;
    if (b->ms * per_second >= b->taken * 1000) {
        b->ms = 0;
        b->taken = 0;
    }
    uint8_t there = per_second == 0 || tokens == 0 || b->taken == 0 ||
                    b->ms * per_second + burst * 1000 >= (b->taken + tokens) * 1000;
    CHECK(hws_rate_take(&b->rate, &b->config, b->now, tokens) == there);
    b->taken += there ? tokens : 0;
}

/* How the clock may move: a little, to what is due, beyond it, back, and anywhere. */
static void move_clock(world *w, uint8_t what, uint8_t arg) {
    uint64_t now = w->m.now;
    uint64_t due = model_timeout(&w->m, &w->config);
    const uint64_t times[8] = {now + arg,
                               due == HWS_NEVER ? now : due,
                               now + arg * LIMIT_STEP,
                               due == HWS_NEVER ? now : due + HWS_LATE_MS,
                               now - arg,
                               due == HWS_NEVER ? now : due + HWS_LATE_MS + 1,
                               now + ((uint64_t)arg << 56),
                               now + ((uint64_t)arg << 24)};
    check_tick(w, times[what & 7]);
}

static void call(world *w, uint8_t what, uint8_t arg) {
    switch (what) {
    case 'o':
        opened(w);
        break;
    case 'c':
        closing(w);
        break;
    case 'r':
        received(w, arg & 1);
        break;
    case 'm':
        hws_keepalive_message(w->k);
        begin(&w->m, IDLE);
        break;
    case 'p':
        ping(w);
        break;
    case 'q':
        hws_keepalive_pinged(w->k, &arg, 1);
        w->m.theirs = arg;
        w->m.has_theirs = 1;
        break;
    case 'P':
        pong_of_ours(w, arg);
        break;
    case 'Q':
        pong_of_theirs(w, arg);
        break;
    case 's':
        sent(w, arg & 1, arg & 2);
        break;
    case 'z':
        w->m.paused = arg & 1;
        hws_keepalive_pause(w->k, w->m.paused);
        break;
    case 't':
        take(&w->bucket, arg >> 4, arg & 15);
        break;
    default:
        move_clock(w, what, arg);
        break;
    }
}

/* The defaults, where the input says nothing of limits. */
static void start(world *w, const uint8_t *config, uint64_t now) {
    hws_keepalive_config limits;
    hws_rate_config rate = {config[6], config[7]};

    hws_keepalive_config_init(&limits);
    CHECK(limits.open_timeout_ms > 0 && limits.ping_after_ms > 0 && limits.idle_timeout_ms == 0);
    limits.open_timeout_ms = config[0] * LIMIT_STEP;
    limits.ping_after_ms = config[1] * LIMIT_STEP;
    limits.pong_timeout_ms = config[2] * LIMIT_STEP;
    limits.idle_timeout_ms = config[3] * LIMIT_STEP;
    limits.close_timeout_ms = config[4] * LIMIT_STEP;
    limits.stall_timeout_ms = config[5] * LIMIT_STEP;
    memset(w, 0, sizeof *w);
    w->config = limits;
    w->m.now = now;
    w->m.latency_ms = UINT32_MAX;
    w->bucket.config = rate;
    w->k = malloc(sizeof *w->k);
    CHECK(w->k != NULL);
    hws_keepalive_init(w->k, now);
    hws_rate_init(&w->bucket.rate, &rate, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static world w;
    uint64_t now = (uint64_t)fuzz_option(data, &size) << 56;
    size_t i = CONFIG_LEN;

    if (size < CONFIG_LEN) {
        return 0;
    }
    start(&w, data, now);
    while (size - i >= CALL_LEN) {
        call(&w, data[i], data[i + 1]);
        check_timeout(&w);
        i += CALL_LEN;
    }
    free(w.k);
    return 0;
}
