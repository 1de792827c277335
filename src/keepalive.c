/*
 * Pings and deadlines on one connection. Knows the rules of time; no frames, no socket, and no
 * clock but what it is told.
 *
 * Invariants:
 * - `time` is a clock of its own, which only ticks move: by as much as the caller's went forward.
 *   What began at some time is kept as that time; how long ago it was is a difference modulo 2^64.
 * - since[i] is when deadline i began, whether it is watched now or not. That of PONG is moved on
 *   past what does not count.
 * - `again` has the bits of deadlines that were given once more, or have been reported.
 */
#include <hawser/keepalive.h>

#include "bytes.h"

enum phase { OPENING, OPEN, CLOSING };

/* Deadlines, in the order in which they are reported. */
enum deadline { PHASE, OUTPUT, PONG, IDLE, DEADLINES };

typedef struct timing {
    uint64_t clock_ms; /* the caller's, at the last tick */
    uint64_t time;
    uint64_t since[DEADLINES];
    uint64_t heard;      /* when something came last */
    uint64_t pinged;     /* when the outstanding Ping was sent */
    uint64_t counted_ms; /* of the deadline of the Pong, before the unfinished frame */
    uint64_t digest;     /* of the application's newest Ping */
    uint32_t nonce;
    uint32_t first; /* count in the outstanding Ping */
    uint32_t next;  /* count in the Ping that comes next */
    uint32_t latency_ms;
    uint8_t phase;       /* enum phase */
    uint8_t again;       /* bits 1 << enum deadline */
    uint8_t outstanding; /* a Ping is */
    uint8_t has_digest;  /* of a Ping that was sent after the outstanding one */
    uint8_t in_frame;    /* what came last ended inside a data frame */
    uint8_t paused;
    uint8_t waiting; /* output is */
} timing;

_Static_assert(sizeof(timing) <= sizeof(hws_keepalive), "hws_keepalive has room for its content");

/* A longer step of the clock is too late for every deadline, as this one is; and of these it takes
 * 2^31 to turn `time` over. */
static const uint64_t LONGEST_STEP_MS = (uint64_t)1 << 33;

static timing *timing_of(hws_keepalive *keepalive) {
    return (timing *)(void *)keepalive;
}

static const timing *timing_of_const(const hws_keepalive *keepalive) {
    return (const timing *)(const void *)keepalive;
}

static void restart(timing *t, uint8_t deadline) {
    t->since[deadline] = t->time;
    t->again = (uint8_t)(t->again & ~(1U << deadline));
}

void hws_keepalive_config_init(hws_keepalive_config *config) {
    memset(config, 0, sizeof *config);
    config->open_timeout_ms = 10000;
    config->ping_after_ms = 20000;
    config->pong_timeout_ms = 20000;
    config->close_timeout_ms = 10000;
    config->stall_timeout_ms = 30000;
}

void hws_keepalive_init(hws_keepalive *keepalive, uint64_t now_ms) {
    timing *t = timing_of(keepalive);
    memset(keepalive, 0, sizeof *keepalive);
    t->clock_ms = now_ms;
    t->latency_ms = UINT32_MAX;
}

void hws_keepalive_opened(hws_keepalive *keepalive, uint32_t nonce) {
    timing *t = timing_of(keepalive);
    if (t->phase != OPENING) {
        return;
    }
    t->phase = OPEN;
    t->nonce = nonce;
    t->heard = t->time;
    restart(t, IDLE);
}

void hws_keepalive_closing(hws_keepalive *keepalive) {
    timing *t = timing_of(keepalive);
    if (t->phase == CLOSING) {
        return;
    }
    t->phase = CLOSING;
    restart(t, PHASE);
}

/* RFC 6455 5.4, 5.5: a Pong cannot come inside a frame. While one is unfinished the deadline runs
 * from the last byte of it; behind its end it goes on where it stood before. */
void hws_keepalive_received(hws_keepalive *keepalive, uint8_t in_frame) {
    timing *t = timing_of(keepalive);
    t->heard = t->time;
    if (!in_frame && !t->in_frame) {
        return;
    }
    if (!t->in_frame) {
        t->counted_ms = t->time - t->since[PONG];
    }
    restart(t, PONG);
    if (!in_frame) {
        t->since[PONG] -= t->counted_ms;
    }
    t->in_frame = in_frame;
}

void hws_keepalive_message(hws_keepalive *keepalive) {
    restart(timing_of(keepalive), IDLE);
}

/* FNV-1a. Who finds another payload with the digest of a Ping could have answered the Ping. */
static uint64_t digest_of(const uint8_t *payload, size_t len) {
    uint64_t digest = 0xCBF29CE484222325;
    size_t i = 0;
    while (i < len) {
        digest = (digest ^ payload[i]) * 0x100000001B3;
        i++;
    }
    return digest;
}

/* Where the count of a Pong lies, from the outstanding Ping on; UINT32_MAX for one that is none of
 * ours. */
static uint32_t place_of(const timing *t, const uint8_t *payload, size_t len) {
    if (len != HWS_KEEPALIVE_PING_LEN || hws__load_be32(payload) != t->nonce) {
        return UINT32_MAX;
    }
    return hws__load_be32(payload + 4) - t->first;
}

uint8_t hws_keepalive_pong(hws_keepalive *keepalive, const uint8_t *payload, size_t len) {
    timing *t = timing_of(keepalive);
    uint32_t place = place_of(t, payload, len);
    uint64_t took_ms = t->time - t->pinged;

    t->heard = t->time;
    if (!t->outstanding) {
        return 0;
    }
    if (place >= t->next - t->first && !(t->has_digest && digest_of(payload, len) == t->digest)) {
        return 0;
    }
    t->outstanding = 0;
    if (place == 0) {
        t->latency_ms = took_ms < UINT32_MAX ? (uint32_t)took_ms : UINT32_MAX - 1;
    }
    return 1;
}

void hws_keepalive_pinged(hws_keepalive *keepalive, const uint8_t *payload, size_t len) {
    timing *t = timing_of(keepalive);
    t->digest = digest_of(payload, len);
    t->has_digest = 1;
}

void hws_keepalive_sent(hws_keepalive *keepalive, size_t taken, size_t waiting) {
    timing *t = timing_of(keepalive);
    if (taken > 0 || !t->waiting) {
        restart(t, OUTPUT);
    }
    t->waiting = waiting > 0;
}

void hws_keepalive_pause(hws_keepalive *keepalive, uint8_t paused) {
    timing_of(keepalive)->paused = paused;
}

void hws_keepalive_ping(hws_keepalive *keepalive, uint8_t *payload) {
    timing *t = timing_of(keepalive);
    hws__store_be32(payload, t->nonce);
    hws__store_be32(payload + 4, t->next);
    if (!t->outstanding) {
        t->outstanding = 1;
        t->first = t->next;
        t->has_digest = 0;
        t->pinged = t->time;
        t->counted_ms = 0;
        restart(t, PONG);
    }
    t->next++;
}

/* How long each deadline may last; 0 where none is watched. */
static void find_limits(const timing *t, const hws_keepalive_config *config, uint32_t *limits) {
    memset(limits, 0, DEADLINES * sizeof *limits);
    limits[OUTPUT] = t->waiting ? config->stall_timeout_ms : 0;
    if (t->phase == OPENING) {
        limits[PHASE] = config->open_timeout_ms;
    } else if (t->phase == CLOSING) {
        limits[PHASE] = config->close_timeout_ms;
    } else {
        limits[PONG] = t->outstanding && !t->paused ? config->pong_timeout_ms : 0;
        limits[IDLE] = config->idle_timeout_ms;
    }
}

/* Silence after which a Ping is due; 0: none will be. */
static uint32_t ping_limit(const timing *t, const hws_keepalive_config *config) {
    return t->phase == OPEN && !t->outstanding ? config->ping_after_ms : 0;
}

/* The earlier of two times: the one that is left, and the end of what began some time ago. */
static uint64_t earlier(uint64_t left_ms, uint64_t ago_ms, uint32_t limit_ms) {
    uint64_t own_ms = ago_ms < limit_ms ? limit_ms - ago_ms : 0;
    return limit_ms > 0 && own_ms < left_ms ? own_ms : left_ms;
}

uint64_t hws_keepalive_timeout(const hws_keepalive *keepalive, const hws_keepalive_config *config) {
    const timing *t = timing_of_const(keepalive);
    uint64_t left_ms = HWS_NEVER - t->clock_ms;
    uint32_t limits[DEADLINES];
    uint8_t i = 0;

    find_limits(t, config, limits);
    while (i < DEADLINES) {
        left_ms = earlier(left_ms, t->time - t->since[i], limits[i]);
        i++;
    }
    return t->clock_ms + earlier(left_ms, t->time - t->heard, ping_limit(t, config));
}

/* The one rule for deadlines that are found late. What was reported once is not late afterwards. */
static uint8_t has_passed(timing *t, uint8_t deadline, uint32_t limit_ms) {
    uint64_t ago_ms = t->time - t->since[deadline];
    uint8_t bit = (uint8_t)(1U << deadline);

    if (limit_ms == 0 || ago_ms < limit_ms) {
        return 0;
    }
    if (ago_ms - limit_ms > HWS_LATE_MS && (t->again & bit) == 0) {
        restart(t, deadline);
        t->again |= bit;
        return 0;
    }
    t->again |= bit;
    return 1;
}

hws_status hws_keepalive_tick(hws_keepalive *keepalive, const hws_keepalive_config *config,
                              uint64_t now_ms) {
    static const hws_status errors[DEADLINES] = {
        [PHASE] = HWS_ERR_TIMEOUT,
        [OUTPUT] = HWS_ERR_STALLED,
        [PONG] = HWS_ERR_PONG_TIMEOUT,
        [IDLE] = HWS_ERR_IDLE,
    };
    timing *t = timing_of(keepalive);
    uint64_t step_ms = now_ms > t->clock_ms ? now_ms - t->clock_ms : 0;
    uint32_t ping_after_ms = ping_limit(t, config);
    hws_status status = HWS_OK;
    uint32_t limits[DEADLINES];
    uint8_t i = DEADLINES;

    step_ms = step_ms < LONGEST_STEP_MS ? step_ms : LONGEST_STEP_MS;
    t->clock_ms = now_ms;
    t->time += step_ms;
    t->since[PONG] += t->paused ? step_ms : 0;
    if (ping_after_ms > 0 && t->time - t->heard >= ping_after_ms) {
        status = HWS_EVENT;
    }
    /* All are looked at, lest one is found late because another one holds. */
    find_limits(t, config, limits);
    while (i > 0) {
        i--;
        status = has_passed(t, i, limits[i]) ? errors[i] : status;
    }
    return status;
}

uint32_t hws_keepalive_latency_ms(const hws_keepalive *keepalive) {
    return timing_of_const(keepalive)->latency_ms;
}

uint64_t hws_keepalive_quiet_ms(const hws_keepalive *keepalive) {
    const timing *t = timing_of_const(keepalive);
    return t->time - t->since[IDLE];
}
