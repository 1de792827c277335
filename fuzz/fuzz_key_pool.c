/*
 * Any sequence of draws from a key pool, whose source fails now and then. Invariant: what is handed
 * out is what a list of expansions gives, made by the portable form of ChaCha8; each byte of them
 * once; after a failure nothing but zeros, and a seed is asked for again.
 *
 * The input is a list of draws, a byte each: below 0x80 that many bytes (4 is a mask key); above,
 * the rest times 24; 0xFF clears the pool. The last byte is an option: which seeds are refused, a
 * bit each.
 */
#include "fuzz.h"

#include "kernel.h"

enum { REFILL = HWS_KEY_POOL_REFILL_LEN, SEED = HWS_KEY_POOL_SEED_LEN, CANARY = 0xA5 };
enum { MANY = 24, CLEAR = 0xFF, LONGEST = 0x7F * MANY };

/* The same seeds for the pool and its model. */
typedef struct source {
    uint32_t calls;
    uint8_t refused; /* bit n: call n fails, modulo 8 */
    uint8_t next;
} source;

/* An expansion as a list, with the place of the first byte that was handed out. */
typedef struct model {
    source seeds;
    uint32_t refills;
    size_t end;
    uint8_t key[SEED];
    uint8_t bytes[HWS__CHACHA_LEN];
} model;

/* A source that fails has written half. */
static hws_status draw_seed(void *user, uint8_t *dst, size_t len) {
    source *s = user;
    uint8_t fails = s->refused >> (s->calls & 7) & 1;
    CHECK(len == SEED);
    s->calls++;
    fuzz_random(&s->next, dst, fails ? len / 2 : len);
    return fails ? HWS_ERR_SYSTEM : HWS_OK;
}

static hws_status model_seed(model *m) {
    uint8_t seed[SEED];
    size_t i = 0;
    if (draw_seed(&m->seeds, seed, sizeof seed) != HWS_OK) {
        return HWS_ERR_RANDOM;
    }
    while (i < SEED) {
        m->key[i] ^= seed[i];
        i++;
    }
    m->refills = HWS_KEY_POOL_REFILLS;
    return HWS_OK;
}

/* At most one expansion's worth. What is left of an expansion that is too short is not used. */
static hws_status model_part(model *m, uint8_t *dst, size_t len) {
    if (m->end - SEED < len) {
        m->end = SEED;
        if (m->refills == 0 && model_seed(m) != HWS_OK) {
            return HWS_ERR_RANDOM;
        }
        hws__chacha8_portable(m->bytes, m->key);
        memcpy(m->key, m->bytes, SEED);
        m->refills--;
        m->end = HWS__CHACHA_LEN;
    }
    m->end -= len;
    memcpy(dst, m->bytes + m->end, len);
    return HWS_OK;
}

static hws_status model_draw(model *m, uint8_t *dst, size_t len) {
    hws_status status = HWS_OK;
    size_t at = 0;
    while (at < len && status == HWS_OK) {
        size_t part = len - at < REFILL ? len - at : REFILL;
        status = model_part(m, dst + at, part);
        at += status == HWS_OK ? part : 0;
    }
    if (status != HWS_OK) {
        memset(dst, 0, at);
    }
    return status;
}

static void model_clear(model *m) {
    m->refills = 0;
    m->end = SEED;
    memset(m->key, 0, sizeof m->key);
}

/* The same draw of both, into memory that ends where the draw does. */
static void check_draw(hws_key_pool *pool, model *m, size_t len) {
    static uint8_t wanted[LONGEST];
    uint8_t *got = malloc(len > 0 ? len : 1);
    CHECK(got != NULL);
    memset(got, CANARY, len);
    memset(wanted, CANARY, len);
    hws_status status = hws_key_pool_random(pool, got, len);
    CHECK(model_draw(m, wanted, len) == status);
    CHECK(len == 0 || memcmp(got, wanted, len) == 0);
    free(got);
}

static size_t draw_len(uint8_t byte) {
    return byte >= 0x80 ? (size_t)MANY * (byte & 0x7F) : byte;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t refused = fuzz_option(data, &size);
    source seeds = {0, refused, 0};
    model m = {.seeds = seeds, .end = SEED};
    hws_key_pool *pool = malloc(sizeof *pool);
    size_t i = 0;

    CHECK(pool != NULL);
    hws_key_pool_init(pool, draw_seed, &seeds);
    while (i < size) {
        if (data[i] == CLEAR) {
            hws_key_pool_clear(pool);
            model_clear(&m);
        } else {
            check_draw(pool, &m, draw_len(data[i]));
        }
        CHECK(seeds.calls == m.seeds.calls);
        i++;
    }
    free(pool);
    return 0;
}
