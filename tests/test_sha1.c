/*
 * SHA-1: the vectors of RFC 3174 and FIPS 180, every length around a block, and the value that the
 * handshake needs.
 */
#include "support.h"

#include "sha1.h"

#include <string.h>

enum { MAX_LEN = 200, MILLION = 1000000 };

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
    {"RFC 3174 7.3: a million times one letter", "a", MILLION,
     "34aa973cd4c4daa4f61eeb2bdbad27316534016f"},
    {"RFC 3174 7.3: whole blocks only", "01234567", 80, "dea356a2cddd90c7a7ecedc5ebb563934f460452"},
    {"RFC 6455 1.3: the key and the GUID of the sample handshake",
     "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 1,
     "b37a4f2cc0624f1690f64606cf385945b2bec4ea"},
};

static void run_row(void **context) {
    const row *r = *context;
    size_t text_len = strlen(r->text);
    size_t len = text_len * r->times;
    uint8_t *data = guard_alloc(len);
    for (size_t i = 0; i < r->times; i++) {
        memcpy(data + i * text_len, r->text, text_len);
    }
    uint8_t wanted[HWS__SHA1_LEN];
    uint8_t digest[HWS__SHA1_LEN];
    hex_decode(r->digest, wanted, sizeof wanted);
    hws__sha1(data, len, digest);
    assert_memory_equal(digest, wanted, sizeof wanted);
    guard_free(data, len);
}

/* Byte i of the message of n bytes is (31 i + n) mod 256. The digests of the messages of 0 … 200
 * bytes, one after the other, have a digest that another implementation gave. */
static void every_length(void **context) {
    (void)context;
    static uint8_t digests[(MAX_LEN + 1) * HWS__SHA1_LEN];
    uint8_t *end = guard_alloc(MAX_LEN) + MAX_LEN;
    for (size_t len = 0; len <= MAX_LEN; len++) {
        for (size_t i = 0; i < len; i++) {
            end[(ptrdiff_t)i - (ptrdiff_t)len] = (uint8_t)(31 * i + len);
        }
        hws__sha1(end - len, len, digests + len * HWS__SHA1_LEN);
    }
    guard_free(end - MAX_LEN, MAX_LEN);
    uint8_t wanted[HWS__SHA1_LEN];
    uint8_t digest[HWS__SHA1_LEN];
    hex_decode("62ab55fe3641de9b5416a8149ab4d38b944673fb", wanted, sizeof wanted);
    hws__sha1(digests, sizeof digests, digest);
    assert_memory_equal(digest, wanted, sizeof wanted);
}

static void nothing_at_all(void **context) {
    (void)context;
    uint8_t wanted[HWS__SHA1_LEN];
    uint8_t digest[HWS__SHA1_LEN];
    hex_decode(rows[0].digest, wanted, sizeof wanted);
    hws__sha1(NULL, 0, digest);
    assert_memory_equal(digest, wanted, sizeof wanted);
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
        {"RFC 3174 4: every length of padding", every_length, NULL, NULL, NULL},
        {"RFC 3174 4: no bytes need no buffer", nothing_at_all, NULL, NULL, NULL},
    };
    int failed = cmocka_run_group_tests(row_tests, NULL, NULL);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
