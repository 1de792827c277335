/* Lists of extensions in heads and in texts of the caller, for the handshake. */
#ifndef HWS__EXTENSION_H
#define HWS__EXTENSION_H

#include "http.h"

#include <hawser/extension.h>

/* Check the Sec-WebSocket-Extensions of a head: HWS_OK when there is none, or when it keeps to the
 * grammar with at least one extension in it (RFC 6455 9.1); HWS_ERR_EXTENSION. */
hws_status hws__extensions_check(const hws_head *head, const uint8_t *buf);

/* The same for lines of which there is at least one. */
hws_status hws__extensions_check_lines(const hws__lines *lines);

/* The same for a text of the caller: HWS_OK; HWS_ERR_FIELD; HWS_ERR_ARGUMENT. */
hws_status hws__extensions_check_text(hws_text text);

/* Whether a head names all extensions that a text, which was checked, names. 1 or 0. */
uint8_t hws__extensions_offered(const hws_head *head, const uint8_t *buf, hws_text text);

/* Whether the Sec-WebSocket-Extensions of a response, which was checked, names nothing but what a
 * text with all that was offered does (RFC 6455 4.1 point 5): HWS_OK or HWS_ERR_EXTENSION. */
hws_status hws__extensions_verify(const hws_head *head, const uint8_t *buf, hws_text offered);

#endif
