/**
 * @file
 * Whole messages: pieces from a connection, put together in a buffer of the caller.
 *
 * For programs that want messages, not pieces. One pass over the bytes: payload is unmasked and
 * validated while it is written to its place.
 *
 *     while ((st = hws_message_receive(&msg, &conn, buf, len, &used, &ev)) == HWS_EVENT) { … }
 *
 * The message may grow up to the connection's max_message. When the buffer is too small before
 * that, HWS_ERR_SPACE comes and nothing is lost: give a larger one with hws_message_grow(), or
 * end the connection with hws_conn_fail(conn, HWS_ERR_MESSAGE_TOO_BIG). A buffer of max_message
 * bytes never needs either.
 */
#ifndef HAWSER_MESSAGE_H
#define HAWSER_MESSAGE_H

#include <hawser/base.h>
#include <hawser/conn.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A message that is being put together. Fields are to be read, not written. */
typedef struct hws_message {
    uint8_t *data; /**< The caller's buffer. */
    size_t cap;    /**< Its size. */
    size_t len;    /**< Bytes of the message so far. */
} hws_message;

/**
 * Start with an empty message.
 *
 * @param message  Where to keep it.
 * @param data     Buffer; NULL when cap is 0.
 * @param cap      Its size.
 */
HWS_API void hws_message_init(hws_message *message, uint8_t *data, size_t cap);

/**
 * Go on in another buffer.
 *
 * @param message  The message.
 * @param data     The new buffer, which holds the message->len bytes so far already, as realloc()
 *                 leaves it.
 * @param cap      Its size.
 * @return         HWS_OK; HWS_ERR_ARGUMENT when cap is below message->len.
 */
HWS_API hws_status hws_message_grow(hws_message *message, uint8_t *data, size_t cap);

/**
 * Receive the next whole message or control frame.
 *
 * @param message  Where messages are put together. A finished one stays in place until the next
 *                 call.
 * @param conn     The connection, of which all receiving must go through this call.
 * @param src      Bytes just read; not changed.
 * @param len      Bytes in src.
 * @param used     In and out: where to go on in src.
 * @param ev       Filled on HWS_EVENT. Data events are whole: HWS_WHOLE, and HWS_COMPRESSED when
 * the message was; their data is message->data.
 * @return         As hws_conn_receive(); and HWS_ERR_SPACE (not sticky) when the buffer is full and
 *                 there is more: see above; HWS_ERR_STATE when a part of the message was received
 *                 by another call.
 */
HWS_API hws_status hws_message_receive(hws_message *message, hws_conn *conn, const uint8_t *src,
                                       size_t len, size_t *used, hws_event *ev);

#ifdef __cplusplus
}
#endif

#endif
