/* Base64 with padding (RFC 4648 4). */
#ifndef HWS__BASE64_H
#define HWS__BASE64_H

#include "bytes.h"

/* Writes the encoding of data, 4 * ((len + 2) / 3) characters, no NUL. Returns their number. */
size_t hws__base64_encode(const uint8_t *data, size_t len, uint8_t *out);

/* Encodes bytes that come one by one. At the start all but `w` is zero. */
typedef struct hws__base64 {
    hws__writer *w; /* where the characters go, four by four */
    uint8_t group[3];
    uint8_t have; /* bytes in group */
} hws__base64;

void hws__base64_put(hws__base64 *encoder, uint8_t byte);

/* Writes what waits for its group to be full, with padding. */
void hws__base64_end(hws__base64 *encoder);

/* Writes what text is the encoding of. Returns 1; or 0 when it is none, or not the only one of its
 * bytes: unused bits of the last character must be zero (RFC 4648 3.5). */
uint8_t hws__base64_decode(const uint8_t *text, size_t len, hws__writer *w);

/* Whether text is the encoding of exactly `bytes` bytes: alphabet, length and padding. The unused
 * bits of the last character may be set (RFC 4648 3.5 leaves that to the decoder). 1 or 0. */
uint8_t hws__base64_is(const uint8_t *text, size_t len, size_t bytes);

#endif
