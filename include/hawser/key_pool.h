/**
 * @file
 * A random source over a random source: few calls of yours, many mask keys.
 *
 * A client takes four unpredictable bytes for each frame (RFC 6455 5.3). Where a call of the real
 * source is dear (through a language border, to a kernel, to a hardware generator), put a pool
 * before it:
 *
 *     hws_key_pool_init(&pool, source, source_user);
 *     config.random = hws_key_pool_random;
 *     config.random_user = &pool;
 *
 * The source is then asked for HWS_KEY_POOL_SEED_LEN bytes, and again after at most
 * HWS_KEY_POOL_REFILLS * HWS_KEY_POOL_REFILL_LEN bytes handed out, that is 15,872 mask keys.
 * Programs that use hws_entropy() have such a pool already.
 *
 * Why this is safe: a seed of 256 bits is expanded by ChaCha with 8 rounds (RFC 8439 has 20; no
 * attack on 8 is known that is better than trying keys). The first 32 bytes of an expansion become
 * the key of the next one and overwrite the key that made them, and bytes are wiped as they are
 * handed out: who reads the memory of a pool learns what will come of it until the next seed, but
 * nothing of what came. (What a compiler leaves of a key in a register or on the stack is beyond
 * what C can promise.) A new seed is added to the key, so one bad seed does not undo a good one.
 *
 * Mask keys must be unpredictable for the peer and for who chooses the payload (RFC 6455 10.3),
 * until the frame is on its way; then they can be read in it. That is what a pool is for, and the
 * nonce of a handshake (4.1). Do not make long-lived secrets with it.
 *
 * - One thread at a time, as with all objects: a pool for each thread, or for each connection.
 * - fork(), snapshots of virtual machines: a copy has the same future. Call hws_key_pool_clear() in
 *   the child, or the machine that was restored, before the first key there.
 * - A pool may be moved, when the address in random_user is changed too; it must not be copied.
 * - It owns nothing and needs no release; hws_key_pool_clear() wipes it.
 */
#ifndef HAWSER_KEY_POOL_H
#define HAWSER_KEY_POOL_H

#include <hawser/base.h>
#include <hawser/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How a pool uses its source. */
enum {
    HWS_KEY_POOL_SEED_LEN = 32,    /**< Bytes that the source is asked for, always in one call. */
    HWS_KEY_POOL_REFILL_LEN = 992, /**< Bytes that one expansion yields. */
    HWS_KEY_POOL_REFILLS = 64      /**< Expansions from one seed; then there must be a new one. */
};

/** Room for one pool. The content is private; hws_key_pool_init() fills it. */
typedef struct hws_key_pool {
    uint64_t opaque[132]; /**< Private. */
} hws_key_pool;

/**
 * Start with an empty pool. The source is not called yet.
 *
 * @param pool    Where to keep it.
 * @param random  The source. It must be of the quality that hws_random asks for.
 * @param user    Handed to random. Must live as long as the pool is used.
 */
HWS_API void hws_key_pool_init(hws_key_pool *pool, hws_random random, void *user);

/**
 * Take bytes out of a pool: a hws_random, whose `user` is the pool.
 *
 * No byte comes twice. When the source fails, so does the call, and the next one asks it again.
 * Nothing that a failing source wrote is ever handed out.
 *
 * @param pool  A hws_key_pool.
 * @param dst   Where to write; may be NULL when len is 0.
 * @param len   Bytes to write. More than HWS_KEY_POOL_REFILL_LEN come out of several expansions.
 * @return      HWS_OK; HWS_ERR_RANDOM when a seed was needed and the source gave none. Nothing was
 *              written then, but zeros where a len above HWS_KEY_POOL_REFILL_LEN had been served
 *              in part.
 */
HWS_API hws_status hws_key_pool_random(void *pool, uint8_t *dst, size_t len);

/**
 * Wipe a pool and keep its source: the next call asks for a seed. For the child after fork(), and
 * before the memory of a pool is given away.
 *
 * @param pool  The pool.
 */
HWS_API void hws_key_pool_clear(hws_key_pool *pool);

#ifdef __cplusplus
}
#endif

#endif
