/*
 * Token buckets, on a clock that the tests move, against exact arithmetic on wider numbers.
 */
#include "support.h"

#include <hawser/rate.h>

#include <string.h>

#ifdef HWS_TEST_REDUCED
enum { SEQUENCES = 200 };
#else
enum { SEQUENCES = 5000 };
#endif

static const uint64_t START = 5000;

typedef struct subject {
    hws_rate rate;
    hws_rate_config config;
} subject;

static subject full(uint32_t per_second, uint32_t burst) {
    subject s;
    memset(&s, 0xA5, sizeof s);
    s.config = (hws_rate_config){.per_second = per_second, .burst = burst};
    hws_rate_init(&s.rate, &s.config, START);
    return s;
}

static int take(subject *s, uint64_t ms, uint64_t tokens) {
    return hws_rate_take(&s->rate, &s->config, START + ms, tokens);
}

/* Exactly so many tokens are there, and it is not full. */
static void holds(const subject *s, uint64_t ms, uint64_t tokens) {
    subject copy = *s;
    assert_int_equal(take(&copy, ms, tokens + 1), 0);
    assert_int_equal(take(&copy, ms, tokens), 1);
}

/* --- the rules -----------------------------------------------------------------------------------
 */

static void a_bucket_starts_full(void **context) {
    subject s = full(10, 3);
    (void)context;
    assert_int_equal(take(&s, 0, 1), 1);
    assert_int_equal(take(&s, 0, 2), 1);
    assert_int_equal(take(&s, 0, 1), 0);
}

static void a_burst_of_zero_is_as_per_second(void **context) {
    subject s = full(10, 0);
    (void)context;
    assert_int_equal(take(&s, 0, 1), 1);
    holds(&s, 0, 9);
    assert_int_equal(take(&s, 0, 9), 1);
    assert_int_equal(take(&s, 0, 1), 0);
}

static void zero_per_second_is_no_limit(void **context) {
    subject s = full(0, 5);
    (void)context;
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(take(&s, 0, UINT64_MAX), 1);
    }
}

static void a_bucket_gains_per_second(void **context) {
    subject s = full(4, 100);
    (void)context;
    assert_int_equal(take(&s, 0, 100), 1);
    assert_int_equal(take(&s, 249, 1), 0);
    assert_int_equal(take(&s, 250, 1), 1);
    assert_int_equal(take(&s, 250, 1), 0);
    holds(&s, 1250, 4);
}

static void a_bucket_holds_no_more_than_burst(void **context) {
    subject s = full(4, 6);
    (void)context;
    assert_int_equal(take(&s, 0, 6), 1);
    assert_int_equal(take(&s, 1000000, 1), 1);
    holds(&s, 1000000, 5);
}

static void what_is_refused_takes_nothing(void **context) {
    subject s = full(10, 10);
    (void)context;
    assert_int_equal(take(&s, 0, 5), 1);
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(take(&s, 0, 6), 0);
    }
    holds(&s, 0, 5);
}

static void parts_of_tokens_are_not_lost(void **context) {
    (void)context;
    for (uint32_t per_second = 1; per_second < 3000; per_second += 7) {
        subject s = full(per_second, 1);
        uint64_t taken = 0;
        assert_int_equal(take(&s, 0, 1), 1);
        for (uint64_t ms = 1; ms <= 1000; ms++) {
            subject empty = s;
            empty.config.burst = UINT32_MAX; /* nothing is spilled */
            taken += take(&empty, ms, 1) != 0;
            while (take(&empty, ms, 1)) {
                taken++;
            }
            s = empty;
        }
        assert_int_equal(taken, per_second);
    }
}

static void more_than_a_bucket_can_be_taken_from_a_full_one(void **context) {
    subject s = full(10, 100);
    (void)context;
    assert_int_equal(take(&s, 0, 1000), 1);
    assert_int_equal(take(&s, 89999, 1), 0);
    assert_int_equal(take(&s, 90000, 1), 0);
    assert_int_equal(take(&s, 90099, 1), 0);
    assert_int_equal(take(&s, 90100, 1), 1);
    assert_int_equal(take(&s, 100099, 1000), 0); /* one part is missing */
    assert_int_equal(take(&s, 100100, 1000), 1);
}

static void no_tokens_can_always_be_taken(void **context) {
    subject s = full(10, 1);
    (void)context;
    assert_int_equal(take(&s, 0, 1), 1);
    assert_int_equal(take(&s, 0, 0), 1);
    assert_int_equal(take(&s, 100, 5), 1);
    assert_int_equal(take(&s, 100, 0), 1);
    assert_int_equal(take(&s, 599, 1), 0); /* it still owes what it owed */
    assert_int_equal(take(&s, 600, 1), 1);
}

/* --- clocks and large numbers --------------------------------------------------------------------
 */

static void a_clock_that_goes_back_adds_nothing(void **context) {
    subject s = full(10, 10);
    (void)context;
    assert_int_equal(take(&s, 3000, 10), 1);
    assert_int_equal(hws_rate_take(&s.rate, &s.config, 0, 1), 0);
    assert_int_equal(hws_rate_take(&s.rate, &s.config, 99, 1), 0);
    assert_int_equal(hws_rate_take(&s.rate, &s.config, 100, 1), 1);
    assert_int_equal(hws_rate_take(&s.rate, &s.config, 100, 1), 0);
}

static void any_step_of_the_clock_fills_a_bucket_at_most(void **context) {
    const uint32_t rates[] = {1, 2, 1000, UINT32_MAX - 1, UINT32_MAX};
    (void)context;
    for (size_t i = 0; i < 5; i++) {
        for (unsigned bits = 43; bits < 64; bits++) {
            subject s = full(rates[i], UINT32_MAX);
            assert_int_equal(take(&s, 0, UINT32_MAX), 1);
            assert_int_equal(take(&s, (uint64_t)1 << bits, UINT32_MAX), 1);
            assert_int_equal(take(&s, (uint64_t)1 << bits, 1), 0);
            s.config.burst = 1;
            assert_int_equal(hws_rate_take(&s.rate, &s.config, UINT64_MAX, 1), 1);
            assert_int_equal(hws_rate_take(&s.rate, &s.config, UINT64_MAX, 1), 0);
        }
    }
}

static void the_largest_debt_is_paid_to_its_last_part(void **context) {
    const uint64_t most = UINT64_C(1) << 52;
    const uint64_t takes[] = {most - 1, most, most + 1, UINT64_MAX};
    (void)context;
    for (size_t i = 0; i < 4; i++) {
        uint64_t owed = takes[i] < most ? takes[i] : most;
        subject s = full(1, 1);
        assert_int_equal(take(&s, 0, takes[i]), 1);
        assert_int_equal(take(&s, 1000 * (owed - 1), 1), 0);
        assert_int_equal(take(&s, 1000 * owed - 1, 1), 0);
        assert_int_equal(take(&s, 1000 * owed, 1), 1);
        assert_int_equal(take(&s, 1000 * owed, 1), 0);
    }
}

static void a_limit_may_change_between_calls(void **context) {
    subject s = full(10, 7);
    (void)context;
    s.config.burst = 100; /* it fills from where it is, since it was started */
    holds(&s, 200, 9);
    assert_int_equal(take(&s, 0, 1), 1);
    holds(&s, 0, 6);
    s.config.burst = 5; /* what is above spills */
    assert_int_equal(take(&s, 0, 1), 1);
    holds(&s, 0, 4);
    s.config.burst = 100;
    holds(&s, 100, 5);
    s.config.per_second = 0;
    assert_int_equal(take(&s, 200, 1000), 1);
    s.config.per_second = 10;
    holds(&s, 300, 7);
}

/* --- exact arithmetic ----------------------------------------------------------------------------
 */

/* What was gained and taken since the bucket was full last, each for itself and in whole units. */
typedef struct ledger {
    uint64_t ms;    /* since it was full last */
    uint64_t taken; /* tokens, since then */
} ledger;

/* Whole tokens that came meanwhile: ms * per_second / 1000. */
static uint64_t gained(const ledger *l, uint32_t per_second) {
    return l->ms / 1000 * per_second + l->ms % 1000 * per_second / 1000;
}

static void any_takings_are_as_exact_arithmetic_says(void **context) {
    const uint32_t rates[] = {1, 3, 7, 999, 1000, 1001, 65536, 1000003, UINT32_MAX};
    uint64_t seed = 31;
    unsigned results[2] = {0, 0};
    (void)context;
    for (size_t i = 0; i < SEQUENCES; i++) {
        uint32_t per_second = rates[random_next(&seed) % 9];
        uint32_t burst = (uint32_t)(random_next(&seed) >> (32 + random_next(&seed) % 32));
        uint64_t size = burst > 0 ? burst : per_second;
        subject s = full(per_second, burst);
        ledger l = {0, 0};
        uint64_t now = 0;
        for (size_t call = 0; call < 100; call++) {
            uint64_t step = (random_next(&seed) >> 20) % (random_next(&seed) % 4 ? 9 : 5000);
            uint64_t tokens = (random_next(&seed) >> 20) % (size + 2 + size / 8);
            tokens = random_next(&seed) % 3 ? tokens / (1 + (random_next(&seed) >> 60)) : tokens;
            now += step;
            l.ms += step;
            if (gained(&l, per_second) >= l.taken) {
                l = (ledger){0, 0};
            }
            int wanted =
                l.taken == 0 || tokens == 0 || gained(&l, per_second) + size >= l.taken + tokens;
            assert_int_equal(take(&s, now, tokens), wanted);
            results[wanted]++;
            l.taken += wanted ? tokens : 0;
        }
    }
    assert_true(results[0] > SEQUENCES && results[1] > SEQUENCES);
}

#define TEST(name, function)                                                                       \
    { name, function, NULL, NULL, NULL }

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST("a bucket starts full", a_bucket_starts_full),
        TEST("a burst of zero is as per second", a_burst_of_zero_is_as_per_second),
        TEST("zero per second is no limit", zero_per_second_is_no_limit),
        TEST("a bucket gains per second", a_bucket_gains_per_second),
        TEST("a bucket holds no more than burst", a_bucket_holds_no_more_than_burst),
        TEST("what is refused takes nothing", what_is_refused_takes_nothing),
        TEST("parts of tokens are not lost", parts_of_tokens_are_not_lost),
        TEST("more than a bucket can be taken from a full one",
             more_than_a_bucket_can_be_taken_from_a_full_one),
        TEST("no tokens can always be taken", no_tokens_can_always_be_taken),
        TEST("a clock that goes back adds nothing", a_clock_that_goes_back_adds_nothing),
        TEST("any step of the clock fills a bucket at most",
             any_step_of_the_clock_fills_a_bucket_at_most),
        TEST("the largest debt is paid to its last part",
             the_largest_debt_is_paid_to_its_last_part),
        TEST("a limit may change between calls", a_limit_may_change_between_calls),
        TEST("any takings are as exact arithmetic says", any_takings_are_as_exact_arithmetic_says),
    };
    return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}
