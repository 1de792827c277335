/* SHA-1 (RFC 3174), for Sec-WebSocket-Accept alone (RFC 6455 4.2.2): it proves no secret. */
#ifndef HWS__SHA1_H
#define HWS__SHA1_H

#include <stddef.h>
#include <stdint.h>

enum { HWS__SHA1_LEN = 20 };

void hws__sha1(const uint8_t *data, size_t len, uint8_t digest[HWS__SHA1_LEN]);

#endif
