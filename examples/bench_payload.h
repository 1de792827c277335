/*
 * What the messages hold. Each has a number, and all of its bytes follow from that: the first eight
 * are the number, the others are the same in all messages, or where these are to be varied, those
 * of some place in a supply. So a lost, doubled, swapped or damaged echo is found out, and to look
 * costs one comparison.
 */
#ifndef BENCH_PAYLOAD_H
#define BENCH_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

/* What they are made of. */
enum {
    PAYLOAD_RANDOM, /* nothing in it can be compressed, unless messages are the same */
    PAYLOAD_WORDS,  /* of a small made-up language, some more often than others */
    PAYLOAD_KINDS
};

/* Prepares messages of `size` bytes; text ones are ASCII. With `varied` a compressor finds hardly
 * anything of one in the next. Returns 0 without memory. */
int payload_init(size_t size, int text, int kind, int varied);
void payload_release(void);

/* Message `number`, which stays as it is until the next call. */
const uint8_t *payload_make(uint64_t number);

/* Whether these are the bytes at `at` of message `number`. at + len must not exceed the size. */
int payload_is(uint64_t number, size_t at, const uint8_t *data, size_t len);

#endif
