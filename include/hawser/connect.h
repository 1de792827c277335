/**
 * @file
 * WebSockets over HTTP/2 and HTTP/3: extended CONNECT (RFC 8441 5, RFC 9220) as lists of pairs.
 *
 * hawser has no HTTP/2 of its own. A library that has one gives its received pairs to
 * hws_head_add() and sends the pairs that come out of here; the bytes of the stream's DATA then are
 * what hws_conn_receive() takes and hws_conn_send() makes.
 *
 * A server: hws_handshake_parse() gives HWS_REQUEST_CONNECT, hws_connect_accept() the answer. A
 * client: hws_connect_request(), and hws_handshake_verify() with key NULL.
 */
#ifndef HAWSER_CONNECT_H
#define HAWSER_CONNECT_H

#include <hawser/base.h>
#include <hawser/handshake.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Write the pairs of a client's extended CONNECT (RFC 8441 5).
 *
 * ":method" CONNECT, ":protocol" websocket, ":scheme", ":path", ":authority",
 * "sec-websocket-version" 13, and what else the configuration has.
 *
 * @param config  What to ask for. Field names must be lower case (RFC 9113 8.2).
 * @param secure  1 for the scheme https, 0 for http.
 * @param fields  Array to fill. The texts live as long as those of the configuration. Subprotocols
 *                come one a pair.
 * @param cap     Its elements.
 * @param count   Set to the number of pairs.
 * @return        HWS_OK; HWS_ERR_ARGUMENT, HWS_ERR_FIELD as hws_handshake_request(); HWS_ERR_SPACE.
 */
HWS_API hws_status hws_connect_request(const hws_client_config *config, uint8_t secure,
                                       hws_field *fields, size_t cap, size_t *count);

/**
 * Accept an extended CONNECT: write the pairs of the answer, ":status" 200 first.
 *
 * @param handshake  The request, of kind HWS_REQUEST_CONNECT.
 * @param head       Its head.
 * @param buf        Its bytes.
 * @param config     What to answer; the origin policy counts as in hws_handshake_accept().
 * @param fields     Array to fill. The texts live as long as those of the configuration.
 * @param cap        Its elements; field_count + 3 are enough.
 * @param count      Set to the number of pairs.
 * @return           As hws_handshake_accept().
 */
HWS_API hws_status hws_connect_accept(const hws_handshake *handshake, const hws_head *head,
                                      const uint8_t *buf, const hws_accept_config *config,
                                      hws_field *fields, size_t cap, size_t *count);

#ifdef __cplusplus
}
#endif

#endif
