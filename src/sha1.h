/* What the forms of SHA-1 share: the parts of the hashed message that are the same in every
 * handshake (RFC 6455 4.2.2: a key of 24 characters, and the GUID of 36). */
#ifndef HWS__SHA1_H
#define HWS__SHA1_H

#include <stdint.h>

/* H0 … H4 (RFC 3174 6.1). */
extern const uint32_t hws__sha1_start[5];

/* Words 6 … 15 of the first block: the GUID, and the bit that ends the message. */
extern const uint32_t hws__sha1_guid[10];

/* W(t) + K(t) of the second block, which is zeros and the length of 480 bits. */
extern const uint32_t hws__sha1_second[80];

#endif
