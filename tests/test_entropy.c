/*
 * The pooled random source: no byte twice, in no thread and no process. A key of 8 bytes that comes
 * twice by chance in one of these runs has a probability of about 2^-37.
 */
#define _DEFAULT_SOURCE
#include "support.h"

#include <hawser/entropy.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* Every byte asked for is written, and none beside them. */
static void every_length_is_filled_and_no_more(void **state) {
    const size_t lens[] = {0, 1, 4, 16, 255, 1023, 1024, 1025, 5000};
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
        cmocka_unit_test(every_length_is_filled_and_no_more),
    };
    return cmocka_run_group_tests_name("entropy", tests, NULL, NULL);
}
