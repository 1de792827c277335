/*
 * The pooled random source: no byte twice, in no thread and no process. A key of 8 bytes that comes
 * twice by chance in one of these runs has a probability of about 2^-34.
 */
#define _GNU_SOURCE
#include "support.h"

#include <hawser/entropy.h>
#include <hawser/key_pool.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/random.h>
#include <sys/syscall.h>
#endif

enum { KEYS = 4096, PARTIES = 3 };

static uint64_t keys[PARTIES * KEYS];

static void draw(uint64_t *dst) {
    size_t i = 0;
    while (i < KEYS) {
        assert_int_equal(hws_entropy(NULL, (uint8_t *)&dst[i], sizeof dst[i]), HWS_OK);
        i++;
    }
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void assert_distinct(uint64_t *list, size_t count) {
    size_t i = 1;
    qsort(list, count, sizeof *list, compare);
    while (i < count) {
        assert_true(list[i - 1] != list[i]);
        i++;
    }
}

/* Fork; the child draws and sends what it got through a pipe into dst. */
static void draw_in_child(uint64_t *dst) {
    int ends[2];
    pid_t child;
    size_t at = 0;
    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static uint64_t own[KEYS];
        size_t i = 0;
        while (i < KEYS) {
            if (hws_entropy(NULL, (uint8_t *)&own[i], sizeof own[i]) != HWS_OK) {
                _exit(1);
            }
            i++;
        }
        while (at < sizeof own) {
            ssize_t n = write(ends[1], (uint8_t *)own + at, sizeof own - at);
            if (n <= 0) {
                _exit(1);
            }
            at += (size_t)n;
        }
        _exit(0);
    }
    close(ends[1]);
    while (at < KEYS * sizeof *dst) {
        ssize_t n = read(ends[0], (uint8_t *)dst + at, KEYS * sizeof *dst - at);
        assert_true(n > 0);
        at += (size_t)n;
    }
    close(ends[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void parent_and_children_never_share_a_key(void **state) {
    uint64_t warm = 0;
    (void)state;
    /* The pool is part full when the fork comes: a copy of it would give the same keys. */
    assert_int_equal(hws_entropy(NULL, (uint8_t *)&warm, sizeof warm), HWS_OK);
    draw_in_child(keys);
    draw_in_child(keys + KEYS);
    draw(keys + (size_t)2 * KEYS);
    assert_distinct(keys, (size_t)3 * KEYS);
}

static void *draw_thread(void *dst) {
    draw(dst);
    return NULL;
}

static void threads_never_share_a_key(void **state) {
    pthread_t threads[2];
    (void)state;
    assert_int_equal(pthread_create(&threads[0], NULL, draw_thread, keys), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, draw_thread, keys + KEYS), 0);
    draw(keys + (size_t)2 * KEYS);
    assert_int_equal(pthread_join(threads[0], NULL), 0);
    assert_int_equal(pthread_join(threads[1], NULL), 0);
    assert_distinct(keys, (size_t)3 * KEYS);
}

static void *fork_thread(void *dst) {
    uint64_t *list = dst;
    assert_int_equal(hws_entropy(NULL, (uint8_t *)list, sizeof *list), HWS_OK);
    draw_in_child(list);
    draw(list + KEYS);
    return NULL;
}

static void a_child_of_a_thread_shares_no_key_with_it(void **state) {
    pthread_t thread;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, fork_thread, keys), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_distinct(keys, (size_t)2 * KEYS);
}

/* A child that draws and forks has a pool of its own, which its child must not share either. */
static void a_grandchild_shares_no_key_with_its_parents(void **state) {
    uint64_t *list = keys;
    int ends[2];
    pid_t child;
    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(hws_entropy(NULL, (uint8_t *)&list[0], sizeof list[0]), HWS_OK);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        uint64_t own[3];
        pid_t grandchild;
        int sent;
        hws_entropy(NULL, (uint8_t *)&own[0], sizeof own[0]);
        grandchild = fork();
        hws_entropy(NULL, (uint8_t *)&own[1], sizeof own[1]);
        hws_entropy(NULL, (uint8_t *)&own[2], sizeof own[2]);
        sent = write(ends[1], own, sizeof own) == (ssize_t)sizeof own;
        _exit(grandchild < 0 || !sent || (grandchild > 0 && wait(NULL) != grandchild));
    }
    close(ends[1]);
    draw(list + 7);
    assert_int_equal(read(ends[0], list + 1, 3 * sizeof *list), 3 * sizeof *list);
    assert_int_equal(read(ends[0], list + 4, 3 * sizeof *list), 3 * sizeof *list);
    close(ends[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    /* Both processes sent the key that the child drew before it forked. */
    assert_true(list[1] == list[4]);
    list[4] = 0;
    assert_distinct(list, KEYS + 7);
}

/* Children that draw one key each, the first of their pools. */
static void brothers_share_no_key(void **state) {
    enum { BROTHERS = 32 };
    int ends[2];
    size_t i = 0;
    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(hws_entropy(NULL, (uint8_t *)&keys[0], sizeof keys[0]), HWS_OK);
    while (i < BROTHERS) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            uint64_t key;
            int drawn = hws_entropy(NULL, (uint8_t *)&key, sizeof key) == HWS_OK;
            _exit(!drawn || write(ends[1], &key, sizeof key) != (ssize_t)sizeof key);
        }
        assert_int_equal(waitpid(child, NULL, 0), child);
        i++;
        assert_int_equal(read(ends[0], &keys[i], sizeof keys[i]), sizeof keys[i]);
    }
    close(ends[0]);
    close(ends[1]);
    assert_distinct(keys, BROTHERS + 1);
}

/* So many keys that the pool has had several seeds; of 8 bytes, in two draws as a frame takes them.
 */
static void no_key_comes_twice_over_many_seeds(void **state) {
    enum { MANY = 4 * HWS_KEY_POOL_REFILLS * HWS_KEY_POOL_REFILL_LEN / 8 };
    static uint64_t many[MANY];
    size_t i = 0;
    (void)state;
    while (i < MANY) {
        assert_int_equal(hws_entropy(NULL, (uint8_t *)&many[i], 4), HWS_OK);
        assert_int_equal(hws_entropy(NULL, (uint8_t *)&many[i] + 4, 4), HWS_OK);
        i++;
    }
    assert_distinct(many, MANY);
}

/* The first draw of a thread may be one of nothing, or one that is too long for a pool. */
static void *draw_nothing_first(void *dst) {
    assert_int_equal(hws_entropy(NULL, NULL, 0), HWS_OK);
    draw(dst);
    return NULL;
}

static void *draw_much_first(void *dst) {
    assert_int_equal(hws_entropy(NULL, dst, KEYS * sizeof(uint64_t) / 2), HWS_OK);
    assert_int_equal(hws_entropy(NULL, (uint8_t *)dst + KEYS * sizeof(uint64_t) / 2, 8), HWS_OK);
    return NULL;
}

static void a_thread_may_start_with_any_length(void **state) {
    pthread_t threads[2];
    (void)state;
    assert_int_equal(pthread_create(&threads[0], NULL, draw_nothing_first, keys), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, draw_much_first, keys + KEYS), 0);
    assert_int_equal(pthread_join(threads[0], NULL), 0);
    assert_int_equal(pthread_join(threads[1], NULL), 0);
    assert_distinct(keys, KEYS + KEYS / 2 + 1);
}

#ifdef __linux__

static atomic_uint system_calls;

/* Stands before the one of the C library, for the adapter too. */
ssize_t getrandom(void *buf, size_t len, unsigned flags) {
    atomic_fetch_add(&system_calls, 1);
    return syscall(SYS_getrandom, buf, len, flags);
}

static void *draw_over_three_seeds(void *calls) {
    enum { PER_SEED = HWS_KEY_POOL_REFILLS * HWS_KEY_POOL_REFILL_LEN };
    size_t total = 0;
    unsigned before = atomic_load(&system_calls);
    while (total < 3 * PER_SEED) {
        uint8_t key[4];
        assert_int_equal(hws_entropy(NULL, key, sizeof key), HWS_OK);
        total += sizeof key;
    }
    *(unsigned *)calls = atomic_load(&system_calls) - before;
    return NULL;
}

/* In a thread, whose pool is new. */
static void the_system_is_asked_once_for_so_many_keys(void **state) {
    unsigned calls = 0;
    pthread_t thread;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, draw_over_three_seeds, &calls), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(calls, 3);
}

#endif

/* Every byte asked for is written, and none beside them. */
static void every_length_is_filled_and_no_more(void **state) {
    const size_t lens[] = {0, 1, 4, 16, 255, 991, 992, 993, 1023, 1024, 1025, 5000};
    size_t i = 0;
    (void)state;
    while (i < sizeof lens / sizeof lens[0]) {
        uint8_t *buf = guard_alloc(lens[i]);
        uint8_t seen[5000] = {0};
        size_t round = 0;
        while (round < 8) {
            size_t k = 0;
            assert_int_equal(hws_entropy(NULL, buf, lens[i]), HWS_OK);
            while (k < lens[i]) {
                seen[k] |= buf[k];
                k++;
            }
            round++;
        }
        /* A byte that is zero eight times is one of 2^64. */
        assert_null(memchr(seen, 0, lens[i]));
        guard_free(buf, lens[i]);
        i++;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parent_and_children_never_share_a_key),
        cmocka_unit_test(threads_never_share_a_key),
        cmocka_unit_test(a_child_of_a_thread_shares_no_key_with_it),
        cmocka_unit_test(a_grandchild_shares_no_key_with_its_parents),
        cmocka_unit_test(brothers_share_no_key),
        cmocka_unit_test(no_key_comes_twice_over_many_seeds),
        cmocka_unit_test(a_thread_may_start_with_any_length),
#ifdef __linux__
        cmocka_unit_test(the_system_is_asked_once_for_so_many_keys),
#endif
        cmocka_unit_test(every_length_is_filled_and_no_more),
    };
    return cmocka_run_group_tests_name("entropy", tests, NULL, NULL);
}
