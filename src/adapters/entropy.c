/*
 * Random bytes of the operating system, in a pool per thread. Knows nothing of what they are for.
 * The core must not know of this file: it is given a function.
 */
#ifndef _WIN32
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#endif

#include <hawser/entropy.h>

#include <string.h>

#ifdef _WIN32

#include <windows.h>

#include <bcrypt.h>

static hws_status system_random(uint8_t *dst, size_t len) {
    size_t at = 0;
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

#else

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#if defined(__linux__) || defined(__APPLE__)
#include <sys/random.h>
#endif

#ifdef __linux__

static hws_status system_random(uint8_t *dst, size_t len) {
    size_t at = 0;
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

static hws_status system_random(uint8_t *dst, size_t len) {
    size_t at = 0;
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

/* Counts the forks between the first process and this one, from 1; 0 when they cannot be counted.
 * A pool that was filled under another number is its parent's. */
static atomic_uint generation;

static void count_fork(void) {
    atomic_fetch_add(&generation, 1);
}

static void watch_forks(void) {
    if (pthread_atfork(NULL, NULL, count_fork) == 0) {
        atomic_store(&generation, 1);
    }
}

static unsigned fork_generation(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    return atomic_load(&generation);
}

#endif

enum { POOL_BYTES = 1024 };

static _Thread_local struct {
    uint8_t bytes[POOL_BYTES];
    size_t left; /* the unused ones are bytes[0 … left) */
    unsigned generation;
} pool;

/* For what the pool is too small for. A failure half-way leaves zeros, never half a key. */
static hws_status fill(uint8_t *dst, size_t len) {
    hws_status status = system_random(dst, len);
    if (status != HWS_OK) {
        memset(dst, 0, len);
    }
    return status;
}

hws_status hws_entropy(void *user, uint8_t *dst, size_t len) {
    unsigned now = fork_generation();
    (void)user;
    if (len > POOL_BYTES || now == 0) {
        return fill(dst, len);
    }
    if (pool.left < len || pool.generation != now) {
        pool.left = 0;
        if (fill(pool.bytes, POOL_BYTES) != HWS_OK) {
            return HWS_ERR_RANDOM;
        }
        pool.left = POOL_BYTES;
        pool.generation = now;
    }
    if (len > 0) {
        pool.left -= len;
        memcpy(dst, pool.bytes + pool.left, len);
        memset(pool.bytes + pool.left, 0, len);
    }
    return HWS_OK;
}
