/*
 * What the files of the opening handshake share: look-ups in a head, and the checks of a
 * configuration, which hold for HTTP/1.1 and for extended CONNECT alike.
 */
#ifndef HWS__HANDSHAKE_H
#define HWS__HANDSHAKE_H

#include "authority.h"
#include "extension.h"
#include "http.h"

#include <hawser/handshake.h>

/* The value of a field that must stand on one line: 1 when there is exactly one line of it. */
uint8_t hws__head_only(const hws_head *head, const uint8_t *buf, hws_text name, hws_span *value);

/* Whether one element of a list-valued field is this token, without case. */
uint8_t hws__head_lists(const hws_head *head, const uint8_t *buf, hws_text name, hws_text token);

/* Check the fields that the caller adds: HWS_OK, or HWS_ERR_FIELD for one that could break out of
 * its line, or that the handshake writes itself. */
hws_status hws__handshake_check_fields(const hws_field *fields, size_t count);

/* Check a configuration, whichever way it is written afterwards. That of a client but for its
 * extensions, which its two writers check themselves: a call less deep takes less stack. */
hws_status hws__client_check(const hws_client_config *config);
hws_status hws__accept_check(const hws_handshake *handshake, const hws_head *head,
                             const uint8_t *buf, const hws_accept_config *config);

#endif
