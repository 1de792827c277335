/*
 * A pool of random bytes, filled by ChaCha8 from seeds of the caller's source, with key erasure.
 * Knows nothing of frames, and no source of its own.
 *
 * Invariants:
 * - bytes[0 … KEY) is the key of the next expansion; bytes[KEY … KEY + left) are not yet handed
 *   out. What lies behind them was handed out and is zero, or was never good for anything.
 * - refills is the number of expansions that the key is still good for. At 0 a seed is needed; the
 *   key then is a used one, or zero in a new pool.
 */
#include <hawser/key_pool.h>

#include "bytes.h"
#include "kernel.h"

enum { KEY = HWS__CHACHA_KEY_LEN, MASK_KEY = 4 };

typedef struct key_pool {
    hws_random random;
    void *user;
    uint32_t left;
    uint32_t refills;
    uint8_t bytes[HWS__CHACHA_LEN];
} key_pool;

_Static_assert(sizeof(key_pool) <= sizeof(hws_key_pool), "hws_key_pool has room for its content");
_Static_assert((int)HWS_KEY_POOL_REFILL_LEN == (int)HWS__CHACHA_LEN - (int)KEY,
               "an expansion is a key and what is handed out");
_Static_assert((int)HWS_KEY_POOL_SEED_LEN == (int)KEY, "a seed is a key");

void hws_key_pool_init(hws_key_pool *pool, hws_random random, void *user) {
    key_pool *p = (key_pool *)(void *)pool;
    memset(pool, 0, sizeof *pool);
    p->random = random;
    p->user = user;
}

/* Volatile, lest the wiping of memory that is about to be given away is taken for idle. */
void hws_key_pool_clear(hws_key_pool *pool) {
    const key_pool *p = (const key_pool *)(const void *)pool;
    volatile uint8_t *memory = (uint8_t *)(void *)pool;
    hws_random random = p->random;
    void *user = p->user;
    size_t i = 0;
    while (i < sizeof *pool) {
        memory[i] = 0;
        i++;
    }
    hws_key_pool_init(pool, random, user);
}

/* The seed comes to where nothing is left to hand out. */
static hws_status add_seed(key_pool *p) {
    size_t i = 0;
    if (p->random(p->user, p->bytes + KEY, KEY) != HWS_OK) {
        return HWS_ERR_RANDOM;
    }
    while (i < KEY) {
        p->bytes[i] ^= p->bytes[KEY + i];
        i++;
    }
    p->refills = HWS_KEY_POOL_REFILLS;
    return HWS_OK;
}

/* The expansion overwrites the key that made it with the next one. */
static hws_status refill(key_pool *p) {
    p->left = 0;
    if (p->refills == 0 && add_seed(p) != HWS_OK) {
        return HWS_ERR_RANDOM;
    }
    hws__chacha8(p->bytes, p->bytes);
    p->refills--;
    p->left = HWS_KEY_POOL_REFILL_LEN;
    return HWS_OK;
}

/* Any number of bytes. */
static HWS__NOINLINE hws_status take(key_pool *p, uint8_t *dst, size_t len) {
    size_t at = 0;
    while (at < len) {
        size_t rest = len - at;
        uint32_t part = rest < HWS_KEY_POOL_REFILL_LEN ? (uint32_t)rest : HWS_KEY_POOL_REFILL_LEN;
        if (p->left < part && refill(p) != HWS_OK) {
            memset(dst, 0, at);
            return HWS_ERR_RANDOM;
        }
        p->left -= part;
        memcpy(dst + at, p->bytes + KEY + p->left, part);
        memset(p->bytes + KEY + p->left, 0, part);
        at += part;
    }
    return HWS_OK;
}

hws_status hws_key_pool_random(void *pool, uint8_t *dst, size_t len) {
    key_pool *p = pool;
    uint32_t left = p->left;
    if (len != MASK_KEY || left < MASK_KEY) {
        return take(p, dst, len);
    }
    /* The key of a frame is the common case: a load and two stores. */
    left -= MASK_KEY;
    memcpy(dst, p->bytes + KEY + left, MASK_KEY);
    memset(p->bytes + KEY + left, 0, MASK_KEY);
    p->left = left;
    return HWS_OK;
}
