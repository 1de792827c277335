/*
 * What several tests share: buffers that end at a page nobody may touch, hex, random bytes that are
 * the same in every run. The cmocka header comes with its own needs, in their order.
 */
#ifndef HWS_TESTS_SUPPORT_H
#define HWS_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <hawser/conn.h>

/* A buffer of `len` bytes whose end is the start of a PROT_NONE page: one byte too far is a crash.
 * Whole pages have such a page before them too. Free it with guard_free() and the same length. */
uint8_t *guard_alloc(size_t len);
void guard_free(uint8_t *data, size_t len);

/* The same with a copy of some bytes in it. */
uint8_t *guard_copy(const void *data, size_t len);

/* Decode hex ("81 05 48"; spaces are skipped) into out; fails the test when it is not hex or does
 * not fit. Returns the number of bytes. */
size_t hex_decode(const char *hex, uint8_t *out, size_t cap);

/* A pseudo-random sequence (xorshift64*): seed it with any number but 0. */
uint64_t random_next(uint64_t *seed);
void random_fill(uint64_t *seed, uint8_t *dst, size_t len);

/* A hws_random for tests. `user` is a test_random: counts calls and bytes, and fails when told to.
 */
typedef struct test_random {
    uint64_t seed;       /* not 0 */
    unsigned calls;      /* calls so far */
    unsigned fail_after; /* calls that succeed; 0: all */
} test_random;
int32_t test_random_fill(void *user, uint8_t *dst, size_t len);

/* A connection with the defaults, and with mask keys that are the same in every run. */
extern test_random test_conn_random;
hws_conn_config test_conn_config(uint8_t role);
hws_conn test_conn_open(uint8_t role);

/* Whether a Close may carry this code: RFC 6455 7.4 and the IANA registry, read once more. */
int close_code_may_be_sent(unsigned code);

#endif
