/*
 * Makes the content of messages, and recognises it. Knows nothing of connections.
 */
#include "bench_payload.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBER_BYTES = 8, STARTS = 1 << 22, VOCABULARY = 1024, WORD_MAX = 9 };

/* A message's bytes, but for its number, are those of the supply from one of its first `starts`
 * places on. With many of them, far more than a compressor's window, few messages share bytes. */
static uint8_t *supply;
static size_t starts;
static uint8_t *message; /* the supply itself when there is one place */
static size_t message_size;
static int is_text;

/* A linear congruence, of which the highest bits are good. */
static uint32_t draw(uint32_t *state, uint32_t below) {
    *state = *state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)*state * below >> 32);
}

static void fill_random(uint8_t *bytes, size_t len) {
    uint32_t mixed = 1;
    size_t i = 0;
    while (i < len) {
        uint32_t byte = draw(&mixed, 256);
        bytes[i] = (uint8_t)(is_text ? ' ' + byte % 95 : byte);
        i++;
    }
}

/* The letters of a word follow from its place in the vocabulary. Of two draws the lower one is
 * taken, so that the first words are the most frequent ones. */
static void fill_words(uint8_t *bytes, size_t len) {
    uint32_t mixed = 1;
    size_t i = 0;
    while (i < len) {
        uint32_t one = draw(&mixed, VOCABULARY);
        uint32_t other = draw(&mixed, VOCABULARY);
        uint32_t letters = (one < other ? one : other) * 2654435761U + 1;
        size_t end = i + 2 + draw(&letters, WORD_MAX - 1);
        while (i < end && i < len) {
            bytes[i] = (uint8_t)('a' + draw(&letters, 26));
            i++;
        }
        if (i < len) {
            bytes[i] = ' ';
            i++;
        }
    }
}

int payload_init(size_t size, int text, int kind, int varied) {
    starts = varied ? STARTS : 1;
    message_size = size;
    is_text = text;
    supply = malloc(size + starts);
    message = varied ? malloc(size > 0 ? size : 1) : supply;
    if (supply == NULL || message == NULL) {
        return 0;
    }
    (kind == PAYLOAD_WORDS ? fill_words : fill_random)(supply, size + starts);
    return 1;
}

void payload_release(void) {
    if (message != supply) {
        free(message);
    }
    free(supply);
    supply = message = NULL;
}

/* Neighbours are far from each other: the multiplier is odd, so that all places are taken. */
static const uint8_t *body_of(uint64_t number) {
    return supply + (number * 2654435761U) % starts;
}

/* In text each byte has six bits of it, as a printable character. The lowest come first: in a
 * message that is shorter they are what differs. */
static void write_number(uint64_t number, uint8_t out[NUMBER_BYTES]) {
    size_t i = 0;
    while (i < NUMBER_BYTES) {
        out[i] = (uint8_t)(is_text ? '0' + (number >> 6 * i & 0x3F) : number >> 8 * i);
        i++;
    }
}

static size_t number_len(void) {
    return message_size < NUMBER_BYTES ? message_size : NUMBER_BYTES;
}

const uint8_t *payload_make(uint64_t number) {
    uint8_t bytes[NUMBER_BYTES];
    write_number(number, bytes);
    if (message != supply) {
        memcpy(message, body_of(number), message_size);
    }
    memcpy(message, bytes, number_len());
    return message;
}

int payload_is(uint64_t number, size_t at, const uint8_t *data, size_t len) {
    uint8_t bytes[NUMBER_BYTES];
    size_t in_number = at < number_len() ? number_len() - at : 0;
    if (len == 0) {
        return 1;
    }
    in_number = len < in_number ? len : in_number;
    if (in_number > 0) {
        write_number(number, bytes);
        if (memcmp(bytes + at, data, in_number) != 0) {
            return 0;
        }
    }
    return memcmp(body_of(number) + at + in_number, data + in_number, len - in_number) == 0;
}
