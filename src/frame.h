/*
 * The rules of frame headers and Close payloads (RFC 6455 5.2 to 5.5, 7.4), one function for each
 * byte that can break one. Receiving, sending and the public decoder all judge by these.
 */
#ifndef HWS__FRAME_H
#define HWS__FRAME_H

#include "bytes.h"

#include <hawser/frame.h>
#include <hawser/status.h>

enum {
    HWS__FIN = 0x80,
    HWS__RSV = 0x70,
    HWS__RSV1 = 0x40,
    HWS__OPCODE = 0x0F,
    HWS__CONTROL = 0x08, /* opcodes with this bit are control frames */
    HWS__MASK = 0x80,
    HWS__LEN7 = 0x7F,
    HWS__LEN16 = 126, /* two bytes of length follow */
    HWS__LEN64 = 127  /* eight bytes of length follow */
};

/* Judge the first byte. `context` is HWS_FRAME_… bits. */
hws_status hws__frame_judge_first(uint8_t first, uint8_t context);

/* Judge the second byte of a frame whose first is good. */
hws_status hws__frame_judge_second(uint8_t first, uint8_t second, uint8_t context);

/* Judge a length that came in the form that len7 says. */
hws_status hws__frame_judge_len(uint8_t len7, uint64_t len);

/* Bytes of the length after the second byte: 0, 2 or 8. */
static inline size_t hws__frame_len_bytes(uint8_t len7) {
    if (len7 < HWS__LEN16) {
        return 0;
    }
    return len7 == HWS__LEN16 ? 2 : 8;
}

/* The shortest form of a length. RFC 6455 5.2. */
static inline uint8_t hws__frame_len7(uint64_t len) {
    if (len < HWS__LEN16) {
        return (uint8_t)len;
    }
    return len < 65536 ? HWS__LEN16 : HWS__LEN64;
}

/* Bytes of the header that hws__frame_put() writes. */
static inline size_t hws__frame_header_len(uint64_t len, uint8_t masked) {
    return 2 + hws__frame_len_bytes(hws__frame_len7(len)) + (masked != 0 ? 4U : 0U);
}

/* Write a header but for the mask key, which comes behind it. Returns its bytes. */
static inline size_t hws__frame_put(uint8_t *out, uint8_t first, uint64_t len, uint8_t masked) {
    uint8_t len7 = hws__frame_len7(len);

    out[0] = first;
    out[1] = (uint8_t)(len7 | (masked != 0 ? HWS__MASK : 0));
    if (len7 < HWS__LEN16) {
        return 2;
    }
    if (len7 == HWS__LEN16) {
        hws__store_be16(out + 2, (uint16_t)len);
        return 4;
    }
    hws__store_be64(out + 2, len);
    return 10;
}

/* Read back the header of a frame that we wrote: its length in `frame`, but for the rules. */
void hws__frame_read(const uint8_t *header, hws_frame *frame);

/* Bytes that a message may take when it is compressed (RFC 7692 7.2.1), with some frames before the
 * present one: blocks that do not shrink have headers, and each flush, such as that of a frame,
 * ends with an empty one. */
static inline uint64_t hws__compressed_max(uint64_t len, uint64_t frames) {
    uint64_t more = len / 4 + 1024 + 16 * frames;

    return len > UINT64_MAX - more ? UINT64_MAX : len + more;
}

/* Whether a Close frame may carry this code (RFC 6455 7.4). 1 or 0. */
uint8_t hws__close_code_is_valid(uint16_t code);

#endif
