/*
 * The rules of frame headers and Close payloads (RFC 6455 5.2 to 5.5, 7.4), one function for each
 * byte that can break one. Receiving, sending and the public decoder all judge by these.
 */
#ifndef HWS__FRAME_H
#define HWS__FRAME_H

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
size_t hws__frame_len_bytes(uint8_t len7);

/* Bytes of the header that hws__frame_put() writes. */
size_t hws__frame_header_len(uint64_t len, uint8_t masked);

/* Write a header, the mask key last; `key` is NULL for an unmasked frame. Returns its bytes. */
size_t hws__frame_put(uint8_t *out, uint8_t first, uint64_t len, const uint8_t *key);

/* Whether a Close frame may carry this code (RFC 6455 7.4). 1 or 0. */
uint8_t hws__close_code_is_valid(uint16_t code);

#endif
