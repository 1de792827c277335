/*
 * ChaCha8 against a block function that is written down as RFC 8439 2.3 has it, which in turn has
 * to give the RFC's own example, of 20 rounds. Every form that this machine can run, over many
 * keys.
 */
#include "support.h"

#include "kernel.h"

#include <hawser/kernel.h>

#include <string.h>

#ifdef HWS_TEST_REDUCED
enum { KEYS = 200 };
#else
enum { KEYS = 20000 };
#endif

enum { BLOCKS = 16, WORDS = 16 };

typedef struct form {
    const char *name;
    hws__chacha8_form *run;
    uint8_t number;
} form;

static void chosen(uint8_t out[HWS__CHACHA_LEN], const uint8_t key[HWS__CHACHA_KEY_LEN]) {
    hws__chacha8(out, key);
}

static const form forms[] = {
    {"portable", hws__chacha8_portable, HWS_KERNEL_PORTABLE},
    {"chosen", chosen, HWS_KERNEL_PORTABLE},
#ifdef HWS__X86
    {"ssse3", hws__chacha8_ssse3, HWS_KERNEL_SSSE3},
    {"avx2", hws__chacha8_avx2, HWS_KERNEL_AVX2},
    {"avx512", hws__chacha8_avx512, HWS_KERNEL_AVX512},
#endif
#ifdef HWS__ARM
    {"neon", hws__chacha8_neon, HWS_KERNEL_NEON},
#endif
};

enum { FORMS = sizeof forms / sizeof forms[0] };

/* Asked once: what the processor can run. */
static int can_run[FORMS];

static int find_forms(void **context) {
    uint8_t before = hws_kernel_get();
    (void)context;
    for (size_t f = 0; f < FORMS; f++) {
        can_run[f] = hws_kernel_choose(forms[f].number) == HWS_OK;
        if (!can_run[f]) {
            print_message("This machine cannot run %s.\n", forms[f].name);
        }
    }
    return hws_kernel_choose(before) == HWS_OK ? 0 : -1;
}

/* The quarter rounds of RFC 8439 2.3, columns and diagonals, as indices into the state. */
static const uint8_t quarters[8][4] = {{0, 4, 8, 12},  {1, 5, 9, 13},  {2, 6, 10, 14},
                                       {3, 7, 11, 15}, {0, 5, 10, 15}, {1, 6, 11, 12},
                                       {2, 7, 8, 13},  {3, 4, 9, 14}};

/* One half of a quarter round, with its two rotations: RFC 8439 2.1. */
static void reference_half(uint32_t *s, const uint8_t at[4], unsigned first, unsigned second) {
    s[at[0]] += s[at[1]];
    s[at[3]] ^= s[at[0]];
    s[at[3]] = s[at[3]] << first | s[at[3]] >> (32 - first);
    s[at[2]] += s[at[3]];
    s[at[1]] ^= s[at[2]];
    s[at[1]] = s[at[1]] << second | s[at[1]] >> (32 - second);
}

static uint32_t reference_word(const uint8_t *p) {
    return p[0] + p[1] * UINT32_C(0x100) + p[2] * UINT32_C(0x10000) + p[3] * UINT32_C(0x1000000);
}

/* The block function of RFC 8439 2.3: `tail` is the counter and the nonce, 16 bytes. */
static void reference_block(uint8_t out[64], const uint8_t key[32], const uint8_t tail[16],
                            unsigned rounds) {
    uint8_t input[64];
    uint32_t state[WORDS];
    memcpy(input, "expand 32-byte k", 16);
    memcpy(input + 16, key, 32);
    memcpy(input + 48, tail, 16);
    for (size_t i = 0; i < WORDS; i++) {
        state[i] = reference_word(input + 4 * i);
    }
    for (unsigned round = 0; round < rounds; round++) {
        for (size_t q = 0; q < 4; q++) {
            const uint8_t *at = quarters[round % 2 * 4 + q];
            reference_half(state, at, 16, 12);
            reference_half(state, at, 8, 7);
        }
    }
    for (size_t i = 0; i < WORDS; i++) {
        uint32_t sum = state[i] + reference_word(input + 4 * i);
        for (size_t k = 0; k < 4; k++) {
            out[4 * i + k] = (uint8_t)(sum >> 8 * k & 0xFF);
        }
    }
}

/* What kernel.h promises of a form. */
static void reference(uint8_t out[HWS__CHACHA_LEN], const uint8_t key[HWS__CHACHA_KEY_LEN]) {
    for (uint8_t b = 0; b < BLOCKS; b++) {
        uint8_t block[64];
        uint8_t tail[16] = {b};
        reference_block(block, key, tail, 8);
        for (size_t w = 0; w < WORDS; w++) {
            memcpy(out + 4 * (16 * w + b), block + 4 * w, 4);
        }
    }
}

static void the_example(void **context) {
    uint8_t key[32];
    uint8_t tail[16];
    uint8_t wanted[64];
    uint8_t block[64];
    (void)context;
    hex_decode("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", key, sizeof key);
    hex_decode("01000000 000000090000004a00000000", tail, sizeof tail);
    hex_decode("10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
               "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e",
               wanted, sizeof wanted);
    reference_block(block, key, tail, 20);
    assert_memory_equal(block, wanted, sizeof wanted);
}

/* Block 0 of the key of zeros, a value that other implementations of ChaCha8 give as well. */
static void a_known_block(void **context) {
    const uint8_t key[32] = {0};
    uint8_t wanted[64];
    (void)context;
    hex_decode("3e00ef2f895f40d67f5bb8e81f09a5a12c840ec3ce9a7f3b181be188ef711a1e"
               "984ce172b9216f419f445367456d5619314a42a3da86b001387bfdb80e0cfe42",
               wanted, sizeof wanted);
    for (size_t f = 0; f < FORMS; f++) {
        uint8_t out[HWS__CHACHA_LEN];
        if (!can_run[f]) {
            continue;
        }
        forms[f].run(out, key);
        for (size_t w = 0; w < WORDS; w++) {
            assert_memory_equal(out + 64 * w, wanted + 4 * w, 4);
        }
    }
}

/* The key and the output end at a page nobody may touch. */
static void every_form(void **context) {
    uint8_t wanted[HWS__CHACHA_LEN];
    uint8_t *key = guard_alloc(HWS__CHACHA_KEY_LEN);
    uint8_t *out = guard_alloc(HWS__CHACHA_LEN);
    uint64_t seed = 8439;
    (void)context;
    for (unsigned i = 0; i < KEYS; i++) {
        random_fill(&seed, key, HWS__CHACHA_KEY_LEN);
        reference(wanted, key);
        for (size_t f = 0; f < FORMS; f++) {
            if (can_run[f]) {
                memset(out, 0xA5, HWS__CHACHA_LEN);
                forms[f].run(out, key);
                assert_memory_equal(out, wanted, sizeof wanted);
            }
        }
    }
    guard_free(out, HWS__CHACHA_LEN);
    guard_free(key, HWS__CHACHA_KEY_LEN);
}

/* Each bit of a key is in its place, at every alignment of both. */
static void every_bit_and_alignment(void **context) {
    (void)context;
    for (size_t bit = 0; bit < 256; bit++) {
        uint8_t key[HWS__CHACHA_KEY_LEN + 64] = {0};
        uint8_t out[HWS__CHACHA_LEN + 65];
        uint8_t wanted[HWS__CHACHA_LEN];
        size_t at = bit % 64;
        key[at + bit / 8] = (uint8_t)(1U << bit % 8);
        reference(wanted, key + at);
        for (size_t f = 0; f < FORMS; f++) {
            if (can_run[f]) {
                memset(out, 0xA5, sizeof out);
                forms[f].run(out + at, key + at);
                assert_memory_equal(out + at, wanted, sizeof wanted);
                assert_int_equal(out[at + sizeof wanted], 0xA5);
                assert_true(at == 0 || out[at - 1] == 0xA5);
            }
        }
    }
}

/* As key_pool.c needs it: the next key replaces the one that made it. */
static void the_key_may_lie_in_the_output(void **context) {
    uint64_t seed = 32;
    (void)context;
    for (size_t at = 0; at <= HWS__CHACHA_LEN - HWS__CHACHA_KEY_LEN; at++) {
        uint8_t key[HWS__CHACHA_KEY_LEN];
        uint8_t wanted[HWS__CHACHA_LEN];
        random_fill(&seed, key, sizeof key);
        reference(wanted, key);
        for (size_t f = 0; f < FORMS; f++) {
            uint8_t out[HWS__CHACHA_LEN] = {0};
            if (can_run[f]) {
                memcpy(out + at, key, sizeof key);
                forms[f].run(out, out + at);
                assert_memory_equal(out, wanted, sizeof wanted);
            }
        }
    }
}

/* All forms give the same, so this shows only that each way through the table is open. */
static void every_choice(void **context) {
    const uint8_t key[HWS__CHACHA_KEY_LEN] = {8};
    uint8_t before = hws_kernel_get();
    uint8_t wanted[HWS__CHACHA_LEN];
    (void)context;
    reference(wanted, key);
    for (size_t f = 0; f < FORMS; f++) {
        uint8_t out[HWS__CHACHA_LEN];
        if (can_run[f]) {
            assert_int_equal(hws_kernel_choose(forms[f].number), HWS_OK);
            hws__chacha8(out, key);
            assert_memory_equal(out, wanted, sizeof wanted);
        }
    }
    assert_int_equal(hws_kernel_choose(before), HWS_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        {"RFC 8439 2.3.2: the reference gives the example", the_example, NULL, NULL, NULL},
        {"RFC 8439 2.3: each form gives a known block of 8 rounds", a_known_block, NULL, NULL,
         NULL},
        {"RFC 8439 2.3: each form equals the reference, over many keys", every_form, NULL, NULL,
         NULL},
        {"each bit of a key counts, at every alignment", every_bit_and_alignment, NULL, NULL, NULL},
        {"the key may lie in the output", the_key_may_lie_in_the_output, NULL, NULL, NULL},
        {"each choice gives the same", every_choice, NULL, NULL, NULL},
    };
    return cmocka_run_group_tests_name("chacha", tests, find_forms, NULL);
}
