/*
 * The histogram of hawser-bench: what it promises of quantiles, over values of every size.
 */
#include "support.h"

#include <stdlib.h>

#include "../examples/bench_histogram.h"

enum { VALUES = 5000, PARTS = 10000 };

static histogram h;

static void empty(void) {
    h = (histogram){0};
}

static void nothing_gives_zero(void **context) {
    (void)context;
    empty();
    assert_int_equal(histogram_quantile(&h, 0), 0);
    assert_int_equal(histogram_quantile(&h, PARTS), 0);
}

/* What is reported of a value that all values are: it, or up to 1/128 more. */
static void every_size_is_right_to_the_promise(void **context) {
    (void)context;
    for (uint32_t bit = 0; bit < 64; bit++) {
        const uint64_t power = (uint64_t)1 << bit;
        const uint64_t around[] = {power - 1, power, power + 1, power + power / 3};
        for (size_t i = 0; i < sizeof around / sizeof around[0]; i++) {
            uint64_t value = around[i];
            uint64_t found;
            empty();
            histogram_add(&h, value);
            histogram_add(&h, UINT64_MAX); /* so that the largest does not cut the bucket off */
            found = histogram_quantile(&h, PARTS / 2);
            assert_true(found >= value);
            assert_true(found - value <= value / HISTOGRAM_STEPS);
        }
    }
}

static void the_largest_is_exact(void **context) {
    (void)context;
    empty();
    histogram_add(&h, 1);
    histogram_add(&h, 1000001);
    assert_int_equal(histogram_quantile(&h, PARTS), 1000001);
    assert_int_equal(h.max, 1000001);
    histogram_add(&h, UINT64_MAX);
    assert_true(histogram_quantile(&h, PARTS) == UINT64_MAX);
}

static void a_quantile_is_the_least_that_enough_do_not_exceed(void **context) {
    (void)context;
    static const struct {
        uint32_t part;
        uint64_t value;
    } rows[] = {{0, 1},    {1, 1},    {1000, 1},  {1001, 2},
                {5000, 5}, {9000, 9}, {9001, 10}, {PARTS, 10}};
    empty();
    for (uint64_t value = 1; value <= 10; value++) {
        histogram_add(&h, value);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(histogram_quantile(&h, rows[i].part), rows[i].value);
    }
}

static int compare(const void *a, const void *b) {
    const uint64_t *left = a;
    const uint64_t *right = b;
    return (*left > *right) - (*left < *right);
}

static void quantiles_of_many_follow_the_sorted_values(void **context) {
    (void)context;
    static uint64_t values[VALUES];
    uint64_t seed = 7;
    empty();
    for (size_t i = 0; i < VALUES; i++) {
        values[i] = random_next(&seed) >> (random_next(&seed) % 60);
        histogram_add(&h, values[i]);
    }
    qsort(values, VALUES, sizeof values[0], compare);
    for (uint32_t part = 1; part <= PARTS; part++) {
        uint64_t wanted = values[((uint64_t)part * VALUES + PARTS - 1) / PARTS - 1];
        uint64_t found = histogram_quantile(&h, part);
        assert_true(found >= wanted);
        assert_true(found - wanted <= wanted / HISTOGRAM_STEPS);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_gives_zero),
        cmocka_unit_test(every_size_is_right_to_the_promise),
        cmocka_unit_test(the_largest_is_exact),
        cmocka_unit_test(a_quantile_is_the_least_that_enough_do_not_exceed),
        cmocka_unit_test(quantiles_of_many_follow_the_sorted_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
