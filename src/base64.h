/* Base64 with padding (RFC 4648 4). */
#ifndef HWS__BASE64_H
#define HWS__BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Writes the encoding of data, 4 * ((len + 2) / 3) characters, no NUL. Returns their number. */
size_t hws__base64_encode(const uint8_t *data, size_t len, uint8_t *out);

/* Whether text is the encoding of exactly `bytes` bytes: alphabet, length and padding. The unused
 * bits of the last character may be set (RFC 4648 3.5 leaves that to the decoder). 1 or 0. */
uint8_t hws__base64_is(const uint8_t *text, size_t len, size_t bytes);

#endif
