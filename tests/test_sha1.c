/*
 * The SHA-1 of the handshake, in every form that there is: against the general SHA-1 as the RFC
 * writes it, which is tested itself by the vectors of RFC 3174 and FIPS 180.
 */
#include "support.h"

#include "bytes.h"
#include "kernel.h"
#include "sha1.h"

#include <hawser/handshake.h>
#include <hawser/kernel.h>

#include <string.h>
#include <time.h>

#ifdef HWS__X86
#include <cpuid.h>
#include <immintrin.h>

/* The form for SHA extensions, in which C functions take the place of the instructions. */
static __m128i sha1rnds4(__m128i abcd, __m128i words, unsigned function);
static __m128i sha1nexte(__m128i abcd, __m128i words);
static __m128i sha1msg1(__m128i low, __m128i high);
static __m128i sha1msg2(__m128i mixed, __m128i last);
hws__sha1_form ni_by_definition, ni_avx_by_definition;

#undef _mm_sha1rnds4_epu32
#define _mm_sha1rnds4_epu32 sha1rnds4
#define _mm_sha1nexte_epu32 sha1nexte
#define _mm_sha1msg1_epu32 sha1msg1
#define _mm_sha1msg2_epu32 sha1msg2
#define hws__sha1_ni ni_by_definition
#define hws__sha1_ni_avx ni_avx_by_definition
#include "sha1_ni.c"
#undef hws__sha1_ni
#undef hws__sha1_ni_avx

/* The choice of a form, of a processor that a test has made up, or else of the one that is there.
 */
static int cpuid_1(uint32_t leaf, uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d);
static int cpuid_7(uint32_t leaf, uint32_t subleaf, uint32_t *a, uint32_t *b, uint32_t *c,
                   uint32_t *d);
#define __get_cpuid cpuid_1
#define __get_cpuid_count cpuid_7
#include "kernel.c"
#undef __get_cpuid
#undef __get_cpuid_count
#endif

enum { KEYS = 2000, BLOCK = 64, MAX_TEXT = 640, TIMED = 200, TIMINGS = 20 };

/* --- the reference: RFC 3174 6.1, for any message ------------------------------------------------
 */

static uint32_t turned(uint32_t word, unsigned bits) {
    return word << bits | word >> (32 - bits);
}

/* Functions and constants of RFC 3174 5. */
static uint32_t function(unsigned number, uint32_t b, uint32_t c, uint32_t d) {
    if (number == 0) {
        return (b & c) | (~b & d);
    }
    return number == 2 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
}

static const uint32_t constants[4] = {0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6};

/* One round on a, b, c, d, e. */
static void reference_round(uint32_t v[5], unsigned number, uint32_t word) {
    uint32_t next = turned(v[0], 5) + function(number, v[1], v[2], v[3]) + v[4] + word;
    v[4] = v[3];
    v[3] = v[2];
    v[2] = turned(v[1], 30);
    v[1] = v[0];
    v[0] = next + constants[number];
}

static void reference_schedule(const uint8_t *block, uint32_t words[80]) {
    for (unsigned t = 0; t < 80; t++) {
        words[t] = t < 16 ? hws__load_be32(block + (size_t)4 * t)
                          : turned(words[t - 3] ^ words[t - 8] ^ words[t - 14] ^ words[t - 16], 1);
    }
}

static void reference_block(uint32_t hash[5], const uint8_t *block) {
    uint32_t words[80];
    uint32_t v[5];
    reference_schedule(block, words);
    memcpy(v, hash, sizeof v);
    for (unsigned t = 0; t < 80; t++) {
        reference_round(v, t / 20, words[t]);
    }
    for (unsigned i = 0; i < 5; i++) {
        hash[i] += v[i];
    }
}

static void reference(const uint8_t *data, size_t len, uint8_t digest[HWS__SHA1_LEN]) {
    static uint8_t padded[MAX_TEXT + 2 * BLOCK];
    uint32_t hash[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    size_t end = (len + 9 + BLOCK - 1) / BLOCK * BLOCK;
    assert_true(end <= sizeof padded);
    memset(padded, 0, sizeof padded);
    memcpy(padded, data, len);
    padded[len] = 0x80;
    hws__store_be64(padded + end - 8, 8 * len);
    for (size_t i = 0; i < end; i += BLOCK) {
        reference_block(hash, padded + i);
    }
    for (size_t i = 0; i < 5; i++) {
        hws__store_be32(digest + 4 * i, hash[i]);
    }
}

typedef struct row {
    const char *name;
    const char *text;
    size_t times;
    const char *digest;
} row;

static const row rows[] = {
    {"FIPS 180: nothing", "", 1, "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
    {"RFC 3174 7.3: one block", "abc", 1, "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {"RFC 3174 7.3: two blocks, of 448 bits",
     "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
     "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
    {"FIPS 180: two blocks, of 896 bits",
     "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
     "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
     1, "a49b2446a02c645bf419f995b67091253a04a259"},
    {"RFC 3174 7.3: whole blocks only", "01234567", 80, "dea356a2cddd90c7a7ecedc5ebb563934f460452"},
    {"RFC 6455 1.3: the key and the GUID of the sample handshake",
     "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 1,
     "b37a4f2cc0624f1690f64606cf385945b2bec4ea"},
};

static void run_row(void **context) {
    const row *r = *context;
    static uint8_t data[MAX_TEXT];
    size_t text_len = strlen(r->text);
    for (size_t i = 0; i < r->times; i++) {
        memcpy(data + i * text_len, r->text, text_len);
    }
    uint8_t wanted[HWS__SHA1_LEN];
    uint8_t digest[HWS__SHA1_LEN];
    hex_decode(r->digest, wanted, sizeof wanted);
    reference(data, text_len * r->times, digest);
    assert_memory_equal(digest, wanted, sizeof wanted);
}

/* --- the instructions, as Intel's manual defines them
 * --------------------------------------------- */

#ifdef HWS__X86

/* The four words of a vector, the highest first. */
static void words_of(__m128i vector, uint32_t words[4]) {
    uint32_t lanes[4];
    memcpy(lanes, &vector, sizeof lanes);
    for (unsigned i = 0; i < 4; i++) {
        words[i] = lanes[3 - i];
    }
}

static __m128i vector_of(const uint32_t words[4]) {
    __m128i vector;
    const uint32_t lanes[4] = {words[3], words[2], words[1], words[0]};
    memcpy(&vector, lanes, sizeof vector);
    return vector;
}

static __m128i sha1rnds4(__m128i abcd, __m128i words, unsigned number) {
    uint32_t v[5] = {0}; /* e of the first round is in its word */
    uint32_t w[4];
    words_of(abcd, v);
    words_of(words, w);
    for (unsigned i = 0; i < 4; i++) {
        reference_round(v, number, w[i]);
    }
    return vector_of(v);
}

static __m128i sha1nexte(__m128i abcd, __m128i words) {
    uint32_t v[4];
    uint32_t w[4];
    words_of(abcd, v);
    words_of(words, w);
    w[0] += turned(v[0], 30);
    return vector_of(w);
}

static __m128i sha1msg1(__m128i low, __m128i high) {
    uint32_t w[8];
    words_of(low, w);
    words_of(high, w + 4);
    for (unsigned i = 0; i < 4; i++) {
        w[i] ^= w[i + 2];
    }
    return vector_of(w);
}

static __m128i sha1msg2(__m128i mixed, __m128i last) {
    uint32_t w[4];
    uint32_t before[4];
    words_of(mixed, w);
    words_of(last, before);
    for (unsigned i = 0; i < 3; i++) {
        w[i] = turned(w[i] ^ before[i + 1], 1);
    }
    w[3] = turned(w[3] ^ w[0], 1);
    return vector_of(w);
}

#endif

/* --- the forms
 * ------------------------------------------------------------------------------------ */

static void check_form(hws__sha1_form *form) {
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t message[HWS_KEY_LEN + sizeof guid - 1];
    uint8_t *key = guard_alloc(HWS_KEY_LEN);
    uint8_t *digest = guard_alloc(HWS__SHA1_LEN);
    uint64_t seed = 1;
    memcpy(message + HWS_KEY_LEN, guid, sizeof guid - 1);
    for (unsigned i = 0; i < KEYS; i++) {
        uint8_t wanted[HWS__SHA1_LEN];
        random_fill(&seed, key, HWS_KEY_LEN);
        memcpy(message, key, HWS_KEY_LEN);
        reference(message, sizeof message, wanted);
        form(digest, key);
        assert_memory_equal(digest, wanted, sizeof wanted);
        assert_memory_equal(key, message, HWS_KEY_LEN);
    }
    guard_free(key, HWS_KEY_LEN);
    guard_free(digest, HWS__SHA1_LEN);
}

static void portable(void **context) {
    (void)context;
    check_form(hws__sha1_portable);
}

static void chosen(void **context) {
    (void)context;
    check_form(hws__sha1_key);
}

static void by_definition(void **context) {
    (void)context;
#ifdef HWS__X86
    if (!__builtin_cpu_supports("sse4.1")) {
        skip();
    }
    check_form(ni_by_definition);
    if (__builtin_cpu_supports("avx")) {
        check_form(ni_avx_by_definition);
    }
#else
    skip();
#endif
}

/* The words of the second block that are in the table: zeros, and the length of 60 bytes. */
static void second_block(void **context) {
    (void)context;
    uint8_t block[BLOCK] = {0};
    uint32_t words[80];
    hws__store_be64(block + BLOCK - 8, 480);
    reference_schedule(block, words);
    for (unsigned t = 0; t < 80; t++) {
        assert_int_equal(hws__sha1_second[t], words[t] + constants[t / 20]);
    }
}

/* --- which form runs
 * ------------------------------------------------------------------------------ */

#ifdef HWS__X86

/* c of leaf 1 and b of leaf 7, and the kernel that somebody chooses. */
typedef struct processor {
    const char *name;
    uint8_t kernel;
    uint32_t c1;
    uint32_t b7;
    hws__sha1_form *wanted;
} processor;

static const processor processors[] = {
    {"a processor with SHA extensions and AVX cleans up first", HWS_KERNEL_SSSE3,
     bit_SSSE3 | bit_SSE4_1 | bit_OSXSAVE | bit_AVX, bit_SHA, hws__sha1_ni_avx},
    {"a processor with SHA extensions and no AVX has nothing to clean", HWS_KERNEL_SSSE3,
     bit_SSSE3 | bit_SSE4_1 | bit_OSXSAVE, bit_SHA, hws__sha1_ni},
    {"under a system that keeps no AVX registers there is nothing to clean", HWS_KERNEL_SSSE3,
     bit_SSSE3 | bit_SSE4_1 | bit_AVX, bit_SHA, hws__sha1_ni},
    {"the form for SHA extensions needs SSE4.1 too", HWS_KERNEL_SSSE3,
     bit_SSSE3 | bit_OSXSAVE | bit_AVX, bit_SHA, hws__sha1_portable},
    {"without SHA extensions the portable form runs", HWS_KERNEL_SSSE3,
     bit_SSSE3 | bit_SSE4_1 | bit_OSXSAVE | bit_AVX, ~(uint32_t)bit_SHA, hws__sha1_portable},
    {"who chooses the portable kernel has the portable form", HWS_KERNEL_PORTABLE,
     bit_SSSE3 | bit_SSE4_1 | bit_OSXSAVE | bit_AVX, bit_SHA, hws__sha1_portable},
};

static const processor *made_up;

static int cpuid_1(uint32_t leaf, uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d) {
    int known = __get_cpuid(leaf, a, b, c, d);
    *c = made_up != NULL ? made_up->c1 : *c;
    return known;
}

static int cpuid_7(uint32_t leaf, uint32_t subleaf, uint32_t *a, uint32_t *b, uint32_t *c,
                   uint32_t *d) {
    int known = __get_cpuid_count(leaf, subleaf, a, b, c, d);
    *b = made_up != NULL ? made_up->b7 : *b;
    return known;
}

/* Which registers the system keeps cannot be made up: this is for systems that keep those of AVX.
 */
static void run_processor(void **context) {
    uint8_t number = hws_kernel_get();
    if (!__builtin_cpu_supports("avx")) {
        skip();
    }
    made_up = *context;
    int32_t status = hws_kernel_choose(made_up->kernel);
    hws__sha1_form *form = hws__sha1_get();
    hws__sha1_form *wanted = made_up->wanted;
    made_up = NULL;
    assert_int_equal(hws_kernel_choose(number), HWS_OK);
    assert_int_equal(status, HWS_OK);
    assert_ptr_equal(form, wanted);
}

static int run_processors(void) {
    enum { PROCESSORS = sizeof processors / sizeof processors[0] };
    static struct CMUnitTest tests[PROCESSORS];
    for (size_t i = 0; i < PROCESSORS; i++) {
        tests[i].name = processors[i].name;
        tests[i].test_func = run_processor;
        tests[i].initial_state = (void *)(uintptr_t)&processors[i];
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static int run_processors(void) {
    return 0;
}

#endif

#ifdef HWS__X86

/* Sets or clears the upper halves of all vector registers. In assembly, so that a compiler which
 * was not told of AVX does not clean up after it. */
static void touch_upper(uint8_t dirty) {
    __asm__ volatile("vzeroall" ::
                         : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
                           "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    if (dirty) {
        __asm__ volatile("vcmptrueps %%ymm0, %%ymm0, %%ymm0\n\t"
                         ".irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
                         "vmovaps %%ymm0, %%ymm\\n\n\t"
                         ".endr" ::
                             : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                               "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
                               "xmm15");
    }
}

static uint64_t now_ns(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The least time of several that TIMED calls took. */
static uint64_t time_ns(uint8_t dirty) {
    uint8_t key[HWS_KEY_LEN] = {0};
    uint8_t digest[HWS__SHA1_LEN];
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < TIMINGS; i++) {
        uint64_t start = now_ns();
        for (unsigned k = 0; k < TIMED; k++) {
            touch_upper(dirty);
            hws__sha1_key(digest, key);
        }
        uint64_t took = now_ns() - start;
        least = took < least ? took : least;
    }
    return least;
}

#endif

static void dirty_upper(void **context) {
    (void)context;
#ifdef HWS__X86
    hws_kernel_get();
    if (hws__sha1_get() != hws__sha1_ni_avx) {
        skip();
    }
    assert_in_range(time_ns(1), 0, 5 * time_ns(0));
#else
    skip();
#endif
}

int main(void) {
    enum { ROWS = sizeof rows / sizeof rows[0] };
    static struct CMUnitTest row_tests[ROWS];
    for (size_t r = 0; r < ROWS; r++) {
        row_tests[r].name = rows[r].name;
        row_tests[r].test_func = run_row;
        row_tests[r].initial_state = (void *)(uintptr_t)&rows[r];
    }
    const struct CMUnitTest tests[] = {
        {"RFC 6455 4.2.2: the portable form is SHA-1", portable, NULL, NULL, NULL},
        {"RFC 6455 4.2.2: the chosen form is SHA-1", chosen, NULL, NULL, NULL},
        {"RFC 6455 4.2.2: the form for SHA extensions is SHA-1, by the manual's definitions",
         by_definition, NULL, NULL, NULL},
        {"RFC 3174 4: the second block is the same for every key", second_block, NULL, NULL, NULL},
        {"what AVX left in the registers does not slow it down", dirty_upper, NULL, NULL, NULL},
    };
    int failed = cmocka_run_group_tests(row_tests, NULL, NULL);
    failed += run_processors();
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
