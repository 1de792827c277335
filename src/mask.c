/*
 * Masking: the portable XOR with a key, alone and together with validation. Knows RFC 6455 5.3 and
 * asks utf8.c about text; knows nothing of frames.
 *
 * Words of eight bytes go through memcpy, so that neither alignment nor the order of bytes in a
 * number matters: the key becomes a word in the same way as the payload does. A word is read whole
 * before it is written, which is what lets the payload slide down over itself.
 */
#include "kernel.h"
#include "utf8.h"

#include <hawser/utf8.h>

#include <string.h>

enum {
    WORD = 8,
    BLOCK = 256 /* a multiple of WORD, so that the key keeps its turn */
};

/* Each byte's top bit: set in none of them when a word is ASCII. */
static const uint64_t top_bits = UINT64_C(0x8080808080808080);

/* The key twice, turned so that it starts at `phase` (RFC 6455 5.3). */
static void turn_key(uint8_t turned[WORD], const uint8_t key[4], uint32_t phase) {
    uint32_t i = 0;
    while (i < WORD) {
        turned[i] = key[(phase + i) & 3];
        i++;
    }
}

static uint64_t load(const uint8_t *data) {
    uint64_t word = 0;
    memcpy(&word, data, sizeof word);
    return word;
}

static void store(uint8_t *data, uint64_t word) {
    memcpy(data, &word, sizeof word);
}

/* The end for a loop over whole steps of data[0 … to): one more than where the last can start. */
static size_t steps_end(size_t to, size_t step) {
    return to < step ? 0 : to - step + 1;
}

/* Masks src[from … to), where `from` has the phase that the key was turned for. */
static void mask_range(uint8_t *dst, const uint8_t *src, size_t from, size_t to,
                       const uint8_t turned[WORD]) {
    uint64_t key_word = load(turned);
    size_t words_end = steps_end(to, WORD);
    size_t i = from;
    while (i < words_end) {
        store(dst + i, load(src + i) ^ key_word);
        i += WORD;
    }
    while (i < to) {
        dst[i] = src[i] ^ turned[(i - from) % WORD];
        i++;
    }
}

/* Masks words from src[from] on, as long as they are ASCII. Returns the index behind them. */
static size_t mask_ascii(uint8_t *dst, const uint8_t *src, size_t from, size_t to,
                         uint64_t key_word) {
    size_t words_end = steps_end(to, WORD);
    size_t i = from;
    while (i < words_end) {
        uint64_t word = load(src + i) ^ key_word;
        if ((word & top_bits) != 0) {
            break;
        }
        store(dst + i, word);
        i += WORD;
    }
    return i;
}

void hws__mask_portable(uint8_t *dst, const uint8_t *src, size_t len, const uint8_t key[4],
                        uint32_t phase) {
    uint8_t turned[WORD];
    turn_key(turned, key, phase);
    mask_range(dst, src, 0, len, turned);
}

/* Between two code points words of ASCII are done at once. All else, and the last bytes, goes by
 * blocks: masked, and validated while they are in the nearest cache. */
size_t hws__mask_utf8_portable(uint32_t *state, uint8_t *dst, const uint8_t *src, size_t len,
                               const uint8_t key[4], uint32_t phase) {
    uint8_t turned[WORD];
    turn_key(turned, key, phase);
    uint64_t key_word = load(turned);
    size_t blocks_end = steps_end(len, BLOCK);
    uint32_t s = *state;
    size_t i = 0;
    while (i < len && s != HWS_UTF8_REJECT) {
        if (s == HWS_UTF8_ACCEPT) {
            i = mask_ascii(dst, src, i, len, key_word);
        }
        size_t end = i < blocks_end ? i + BLOCK : len;
        mask_range(dst, src, i, end, turned);
        i = hws__utf8_range(&s, dst, i, end);
    }
    *state = s;
    return i;
}
