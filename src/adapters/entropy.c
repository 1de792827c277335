/*
 * Random bytes of the operating system, through a key pool per thread. Knows nothing of what they
 * are for. The core must not know of this file: it is given a function.
 */
#ifndef _WIN32
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#endif

#include <hawser/entropy.h>
#include <hawser/key_pool.h>

#include <string.h>

#ifdef _WIN32

#include <windows.h>

#include <bcrypt.h>

static hws_status system_random(void *user, uint8_t *dst, size_t len) {
    size_t at = 0;
    (void)user;
    while (at < len) {
        ULONG part = len - at < 0x10000000 ? (ULONG)(len - at) : 0x10000000;
        if (BCryptGenRandom(NULL, dst + at, part, BCRYPT_USE_SYSTEM_PREFERRED_RNG) < 0) {
            return HWS_ERR_RANDOM;
        }
        at += part;
    }
    return HWS_OK;
}

/* There is no fork(): the pools of a process are its own. */
static unsigned fork_generation(void) {
    return 1;
}

static int forks_are_counted(void) {
    return 1;
}

#else

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#if defined(__linux__) || defined(__APPLE__)
#include <sys/random.h>
#endif

#ifdef __linux__

static hws_status system_random(void *user, uint8_t *dst, size_t len) {
    size_t at = 0;
    (void)user;
    while (at < len) {
        ssize_t got = getrandom(dst + at, len - at, 0);
        if (got < 0 && errno != EINTR) {
            return HWS_ERR_RANDOM;
        }
        at += got > 0 ? (size_t)got : 0;
    }
    return HWS_OK;
}

#else

static hws_status system_random(void *user, uint8_t *dst, size_t len) {
    size_t at = 0;
    (void)user;
    while (at < len) {
        size_t part = len - at < 256 ? len - at : 256; /* the most that getentropy() gives */
        if (getentropy(dst + at, part) != 0) {
            return HWS_ERR_RANDOM;
        }
        at += part;
    }
    return HWS_OK;
}

#endif

/* Counts the forks between the first process and this one, from 1. A pool that was set up under
 * another number is its parent's. A fork leaves one thread, whose later threads see what it saw: so
 * no order is asked of the memory. */
static atomic_uint generation = 1;
static atomic_int counted;

static void count_fork(void) {
    atomic_fetch_add_explicit(&generation, 1, memory_order_relaxed);
}

static void watch_forks(void) {
    atomic_store(&counted, pthread_atfork(NULL, NULL, count_fork) == 0);
}

static unsigned fork_generation(void) {
    return atomic_load_explicit(&generation, memory_order_relaxed);
}

static int forks_are_counted(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    return atomic_load(&counted);
}

#endif

/* Kept out of the way of the short path, which then needs no stack. */
#ifdef __GNUC__
#define APART __attribute__((noinline))
#else
#define APART
#endif

static _Thread_local struct {
    unsigned generation; /* fork_generation() when it was set up; 0 before */
    hws_key_pool keys;
} pool;

/* Without a pool. A failure half-way leaves zeros, never half a key. */
static hws_status fill(uint8_t *dst, size_t len) {
    hws_status status = system_random(NULL, dst, len);
    if (status != HWS_OK) {
        memset(dst, 0, len);
    }
    return status;
}

/* What does not come out of a pool that is ready: much at once, the first bytes of a thread, the
 * first bytes after a fork. A pool that forks could copy unseen is never set up. */
static APART hws_status draw_slowly(uint8_t *dst, size_t len) {
    if (len > HWS_KEY_POOL_REFILL_LEN || !forks_are_counted()) {
        return fill(dst, len);
    }
    hws_key_pool_init(&pool.keys, system_random, NULL);
    pool.generation = fork_generation();
    return hws_key_pool_random(&pool.keys, dst, len);
}

hws_status hws_entropy(void *user, uint8_t *dst, size_t len) {
    (void)user;
    if (len > HWS_KEY_POOL_REFILL_LEN || pool.generation != fork_generation()) {
        return draw_slowly(dst, len);
    }
    return hws_key_pool_random(&pool.keys, dst, len);
}
