/* The authority of a URI, of a Host field and of an origin: one grammar for all three. */
#ifndef HWS__AUTHORITY_H
#define HWS__AUTHORITY_H

#include <hawser/base.h>
#include <hawser/status.h>

/* A host and a port (RFC 3986 3.2). */
typedef struct hws__authority {
    hws_text host; /* a name, an IPv4 address, or an IPv6 address in brackets; never empty */
    uint32_t port; /* 0 when none is given */
} hws__authority;

/* Take `host [":" port]` apart, without userinfo. HWS_OK, HWS_ERR_URI_HOST or HWS_ERR_URI_PORT. */
hws_status hws__authority_parse(hws_text text, hws__authority *authority);

/* A byte of unreserved or sub-delims, of which names are made (RFC 3986 3.2.2); one bit a byte. The
 * comma is left out although the grammar has it: a Host that somebody joined from two must not read
 * as one name. */
uint8_t hws__is_name_byte(uint8_t byte);

#endif
