/*
 * Makes the content of messages, and recognises it. Knows nothing of connections.
 */
#include "bench_payload.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBER_BYTES = 8 };

static uint8_t *message;
static size_t message_size;
static int is_text;

int payload_init(size_t size, int text) {
    uint32_t mixed = 1;
    size_t i = 0;
    message = malloc(size > 0 ? size : 1);
    message_size = size;
    is_text = text;
    while (message != NULL && i < size) {
        mixed =
            mixed * 1664525 + 1013904223; /* a linear congruence: no byte is like its neighbour */
        message[i] = (uint8_t)(text ? ' ' + (mixed >> 24) % 95 : mixed >> 24);
        i++;
    }
    return message != NULL;
}

void payload_release(void) {
    free(message);
    message = NULL;
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
    return memcmp(message + at + in_number, data + in_number, len - in_number) == 0;
}
