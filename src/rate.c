/*
 * Token buckets. Knows nothing of messages, and no clock but what it is told.
 *
 * A token is a thousand parts, so that each millisecond brings whole ones: nothing is ever rounded.
 * Invariant: after each call the level is at most that of a full bucket, and less than 0 by no more
 * than MOST tokens.
 */
#include <hawser/rate.h>

typedef struct bucket {
    int64_t level; /* parts; less than 0: owed */
    uint64_t clock_ms;
} bucket;

_Static_assert(sizeof(bucket) <= sizeof(hws_rate), "hws_rate has room for its content");

static const int64_t PARTS = 1000;

/* Tokens that one taking costs at most: their parts, twice, have room in a level. */
static const uint64_t MOST = (uint64_t)1 << 52;

static bucket *bucket_of(hws_rate *rate) {
    return (bucket *)(void *)rate;
}

static int64_t full_level(const hws_rate_config *config) {
    return PARTS * (config->burst > 0 ? config->burst : config->per_second);
}

void hws_rate_init(hws_rate *rate, const hws_rate_config *config, uint64_t now_ms) {
    bucket *b = bucket_of(rate);
    b->level = full_level(config);
    b->clock_ms = now_ms;
}

/* What a bucket holds after some time. A product is made only where it is known to fit. */
static int64_t refilled(int64_t level, int64_t full, uint32_t per_second, uint64_t ms) {
    uint64_t missing = level < full ? (uint64_t)(full - level) : 0;
    if (ms > missing / per_second) {
        return full;
    }
    return full - (int64_t)(missing - ms * per_second);
}

uint8_t hws_rate_take(hws_rate *rate, const hws_rate_config *config, uint64_t now_ms,
                      uint64_t tokens) {
    bucket *b = bucket_of(rate);

    if (config->per_second == 0) {
        return 1;
    }
    uint64_t ms = now_ms > b->clock_ms ? now_ms - b->clock_ms : 0;
    int64_t full = full_level(config);
    int64_t cost = PARTS * (int64_t)(tokens < MOST ? tokens : MOST);
    b->clock_ms = now_ms;
    b->level = refilled(b->level, full, config->per_second, ms);
    if (b->level < cost && b->level < full && cost > 0) {
        return 0;
    }
    b->level -= cost;
    return 1;
}
