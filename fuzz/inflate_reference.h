/*
 * The payloads of compressed messages through zlib alone: no filter, no codec, no pieces. Plain
 * bytes come one at a time, so that nothing farther back than the window is ever found; where a
 * block with BFINAL ends a stream, the next one gets the window as a dictionary (RFC 7692 7.2.3.4).
 */
#ifndef HWS_FUZZ_INFLATE_REFERENCE_H
#define HWS_FUZZ_INFLATE_REFERENCE_H

#include "fuzz.h"

#include <zlib.h>

enum { REFERENCE_MAX = 1 << 16 /* plain bytes of a message, and of the window before it */ };

typedef struct reference {
    z_stream z;
    uint8_t plain[2 * REFERENCE_MAX]; /* the window, and the message behind it */
    size_t start;                     /* of the message */
    size_t end;
    size_t window;
    uint8_t takeover;
    uint8_t ended; /* 1: the last byte taken was the last of a block with BFINAL */
} reference;

static reference *reference_new(uint8_t window_bits, uint8_t takeover) {
    reference *r = calloc(1, sizeof *r);
    CHECK(r != NULL && inflateInit2(&r->z, -window_bits) == Z_OK);
    r->window = (size_t)1 << window_bits;
    r->takeover = takeover;
    return r;
}

static void reference_free(reference *r) {
    CHECK(inflateEnd(&r->z) == Z_OK);
    free(r);
}

static void reference_begin(reference *r) {
    size_t kept = r->takeover ? r->end : 0;
    if (!r->takeover) {
        CHECK(inflateReset(&r->z) == Z_OK);
    }
    if (kept > r->window) {
        kept = r->window;
    }
    memmove(r->plain, r->plain + r->end - kept, kept);
    r->start = kept;
    r->end = kept;
}

static void reference_next_stream(reference *r) {
    size_t kept = r->end < r->window ? r->end : r->window;
    CHECK(inflateReset(&r->z) == Z_OK);
    CHECK(inflateSetDictionary(&r->z, r->plain + r->end - kept, (uInt)kept) == Z_OK);
}

/* Whether it is DEFLATE all through, of no more than `max` plain bytes. */
static uint8_t reference_take(reference *r, const uint8_t *src, size_t len, size_t max) {
    int result = Z_OK;
    r->z.next_in = (Bytef *)(uintptr_t)src;
    r->z.avail_in = (uInt)len;
    r->ended = 0;
    while (result != Z_BUF_ERROR) {
        uint8_t byte = 0;
        r->z.next_out = &byte;
        r->z.avail_out = 1;
        result = inflate(&r->z, Z_SYNC_FLUSH);
        if (result == Z_DATA_ERROR || (r->z.avail_out == 0 && r->end - r->start == max)) {
            return 0;
        }
        if (r->z.avail_out == 0) {
            r->plain[r->end++] = byte;
        }
        if (result == Z_STREAM_END) {
            r->ended = r->z.avail_in == 0;
            reference_next_stream(r);
        }
    }
    return r->z.avail_in == 0;
}

/* A whole message; as above. */
static uint8_t reference_message(reference *r, const uint8_t *payload, size_t len, size_t max) {
    static const uint8_t tail[] = {0x00, 0x00, 0xFF, 0xFF};
    reference_begin(r);
    return reference_take(r, payload, len, max) && reference_take(r, tail, sizeof tail, max);
}

/* Whether what was taken becomes a whole message by the tail: no plain byte comes of it, and a last
 * block that is empty is taken for one. The reference is of no use afterwards. */
static uint8_t reference_could_end(reference *r) {
    static const uint8_t tail[] = {0x00, 0x00, 0xFF, 0xFF, 0x01, 0x00, 0x00, 0xFF, 0xFF};
    size_t end = r->end;
    return reference_take(r, tail, sizeof tail, REFERENCE_MAX) && r->end == end && r->ended;
}

#endif
