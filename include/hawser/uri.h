/**
 * @file
 * ws:// and wss:// URIs (RFC 6455 3, RFC 3986).
 */
#ifndef HAWSER_URI_H
#define HAWSER_URI_H

#include <hawser/base.h>
#include <hawser/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The parts of a URI. Spans are in its text. */
typedef struct hws_uri {
    uint8_t secure;     /**< 1 for wss, 0 for ws. */
    uint8_t ipv6;       /**< 1 when the host is an IPv6 address, which stood in brackets. */
    uint16_t port;      /**< The port; 80 or 443 when none is given. */
    hws_span host;      /**< Host name or address, without brackets. For resolving. */
    hws_span authority; /**< Host and port as they stand, without userinfo, and without a port
                             that is the scheme's default: the value of Host. */
    hws_span userinfo;  /**< "user:password", percent-encoded; len 0: none. */
    hws_span target;    /**< Path and query, from the first "/" or "?". len 0 stands for "/"; one
                             that starts with "?" has to be sent with "/" before it. */
} hws_uri;

/**
 * Take a WebSocket URI apart (RFC 6455 3).
 *
 * @param text  The URI.
 * @param uri   Filled on HWS_OK.
 * @return      HWS_OK or HWS_ERR_URI_SCHEME … HWS_ERR_URI_FRAGMENT.
 */
HWS_API hws_status hws_uri_parse(hws_text text, hws_uri *uri);

/**
 * Write the request target of a URI (RFC 6455 3, resource name): path and query, "/" for no path.
 *
 * @param text  The URI.
 * @param uri   Its parts.
 * @param out   Buffer to append to.
 * @param cap   Its size.
 * @param n     In and out: bytes in out.
 * @return      HWS_OK or HWS_ERR_SPACE.
 */
HWS_API hws_status hws_uri_target(hws_text text, const hws_uri *uri, uint8_t *out, size_t cap,
                                  size_t *n);

/**
 * Write the userinfo of a URI as the value of an Authorization field: "Basic …" (RFC 7617 2).
 *
 * RFC 6455 3 has no userinfo in its URIs; as in other clients, one that is there means this.
 *
 * @param text  The URI.
 * @param uri   Its parts, with userinfo.
 * @param out   Buffer to append to.
 * @param cap   Its size.
 * @param n     In and out: bytes in out.
 * @return      HWS_OK; HWS_ERR_ARGUMENT without userinfo; HWS_ERR_SPACE.
 */
HWS_API hws_status hws_uri_authorization(hws_text text, const hws_uri *uri, uint8_t *out,
                                         size_t cap, size_t *n);

#ifdef __cplusplus
}
#endif

#endif
