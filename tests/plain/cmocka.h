/*
 * As much of cmocka as tests need that run where cmocka is not installed, such as those for another
 * processor under an emulator. A test that fails ends the program.
 */
#ifndef HWS_TESTS_PLAIN_CMOCKA_H
#define HWS_TESTS_PLAIN_CMOCKA_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*test_func)(void **state);
    int (*setup_func)(void **state);
    int (*teardown_func)(void **state);
    void *initial_state;
};

#define fail_msg(...)                                                                              \
    do {                                                                                           \
        fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                            \
        fprintf(stderr, __VA_ARGS__);                                                              \
        fputc('\n', stderr);                                                                       \
        exit(1);                                                                                   \
    } while (0)

#define fail() fail_msg("the test says so")
#define print_error(...) fprintf(stderr, __VA_ARGS__)
#define print_message(...) printf(__VA_ARGS__)

/* In the test itself only, not in what it calls. */
#define skip()                                                                                     \
    do {                                                                                           \
        printf("skipped\n");                                                                       \
        return;                                                                                    \
    } while (0)

#define assert_true(condition)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fail_msg("does not hold: %s", #condition);                                             \
        }                                                                                          \
    } while (0)

#define assert_false(condition) assert_true(!(condition))
#define assert_null(pointer) assert_true((pointer) == NULL)
#define assert_non_null(pointer) assert_true((pointer) != NULL)
#define assert_ptr_equal(a, b) assert_true((const void *)(a) == (const void *)(b))
#define assert_int_equal(a, b) assert_true((uintmax_t)(a) == (uintmax_t)(b))
#define assert_int_not_equal(a, b) assert_true((uintmax_t)(a) != (uintmax_t)(b))
#define assert_memory_equal(a, b, len) assert_true(memcmp(a, b, len) == 0)
#define assert_memory_not_equal(a, b, len) assert_true(memcmp(a, b, len) != 0)
#define assert_string_equal(a, b) assert_true(strcmp(a, b) == 0)
#define assert_in_range(value, low, high) assert_true((value) >= (low) && (value) <= (high))

#define cmocka_unit_test(function)                                                                 \
    { #function, function, NULL, NULL, NULL }
#define cmocka_unit_test_prestate(function, state)                                                 \
    { #function, function, NULL, NULL, state }

#define cmocka_run_group_tests(tests, setup, teardown)                                             \
    plain_run(tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)
#define cmocka_run_group_tests_name(name, tests, setup, teardown)                                  \
    cmocka_run_group_tests(tests, setup, teardown)

static inline void plain_run_one(const struct CMUnitTest *test) {
    void *state = test->initial_state;
    printf("%s\n", test->name);
    fflush(stdout);
    if (test->setup_func != NULL) {
        assert_int_equal(test->setup_func(&state), 0);
    }
    test->test_func(&state);
    if (test->teardown_func != NULL) {
        assert_int_equal(test->teardown_func(&state), 0);
    }
}

static inline int plain_run(const struct CMUnitTest *tests, size_t count,
                            int (*setup)(void **state), int (*teardown)(void **state)) {
    void *state = NULL;
    size_t i = 0;
    if (setup != NULL) {
        assert_int_equal(setup(&state), 0);
    }
    while (i < count) {
        plain_run_one(&tests[i]);
        i++;
    }
    if (teardown != NULL) {
        assert_int_equal(teardown(&state), 0);
    }
    return 0;
}

#endif
