/*
 * For the tests of compression: a sender with all that it can be configured by, and a reader that
 * shares nothing with the library. It takes frames apart by itself, judges their places, and gives
 * their payload to zlib with exactly the window that was agreed.
 */
#ifndef HWS_TESTS_COMPRESSED_H
#define HWS_TESTS_COMPRESSED_H

#include "support.h"

#include <hawser/deflate.h>
#include <hawser/deflate_zlib.h>

#include <zlib.h>

/* An allocator that counts, and fails when told to. Zeros: it never fails. */
typedef struct counter {
    size_t blocks;     /* that are not given back */
    size_t bytes;      /* in them */
    unsigned calls;    /* of alloc() so far */
    unsigned fail_at;  /* the call that fails, from 1; 0: none */
    int fail_rest;     /* 1: all calls after it fail too */
    unsigned failures; /* calls that failed so far */
} counter;
hws_allocator counter_allocator(counter *c);

/* What was agreed, in the terms of one direction. Of the other: window 15, takeover. */
typedef struct setup {
    uint8_t role;
    uint8_t agreed_bits; /* 0: compression was not negotiated */
    uint8_t no_takeover;
    uint8_t window_bits; /* of the options */
    uint8_t level;
    uint8_t mem_level;
    uint64_t threshold;
    hws_compressor *shared;
    counter *memory; /* NULL: malloc() */
} setup;

/* Server, windows of 15, level 6, mem_level 8, threshold 0, takeover. */
setup setup_default(void);
hws_deflate_params setup_agreed(const setup *s);
hws_deflate_options setup_options(const setup *s);

typedef struct sender {
    hws_conn conn;
    hws_deflate deflate;
    test_random random;
} sender;
void sender_open(sender *s, const setup *how);

/* Send a piece, by fragments of `cap` bytes; they are appended to out. Fails the test when it is
 * refused. Returns the number of calls. */
unsigned sender_send(sender *s, uint8_t type, uint8_t flags, const void *data, size_t len,
                     size_t cap, uint8_t *out, size_t *n);

enum { READER_CAP = 1 << 18 };

/* The last message that was read, and counts of all. */
typedef struct reader {
    z_stream z;
    uint8_t client; /* the frames are a client's */
    uint8_t compression;
    uint8_t no_takeover;
    uint8_t open; /* the type of an unfinished message */

    uint8_t type;
    uint8_t compressed;
    size_t fragments;
    size_t payload_len;
    size_t plain_len;
    uint8_t payload[READER_CAP];
    uint8_t plain[READER_CAP];

    unsigned messages;
    unsigned controls;
} reader;
void reader_open(reader *r, const setup *how);
void reader_close(reader *r);

/* Read one frame at bytes[*at], and decompress the message if it is the last of one. Fails the test
 * at anything that no peer would take. Returns 1 when a message is complete. */
int reader_frame(reader *r, const uint8_t *bytes, size_t len, size_t *at);

/* Read frames, which must be whole, and expect one message in them. */
void reader_expect(reader *r, const uint8_t *bytes, size_t len, uint8_t type, const void *plain,
                   size_t plain_len);

/* Bytes that are the same in every run. All but noise is text. */
enum content { CONTENT_BYTE, CONTENT_WORDS, CONTENT_COPIES, CONTENT_NOISE, CONTENT_KINDS };
void content_fill(uint64_t *seed, enum content kind, uint8_t *dst, size_t len);

#endif
