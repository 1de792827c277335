/**
 * @file
 * Prepared messages: encoded once, and once compressed, and sent to any number of connections by
 * reference. For broadcasts of a server.
 *
 *     hws_prepared_make(&news, &allocator, HWS_TEXT, data, len);
 *     for all endpoints: hws_endpoint_send_prepared(endpoint, news, HWS_SLOW_SKIP);
 *     hws_prepared_release(news);
 *
 * The payload is copied when the message is made, and never after: each endpoint's queue refers to
 * it. It lives until the last reference is released.
 *
 * Where there is no endpoint, hws_blocking_send_prepared() takes its place, or in a loop of one's
 * own:
 *
 *     if (hws_prepared_frame(news, &conn, &deflate, &frame) == HWS_OK) {
 *         hws_prepared_sent(news, &deflate);
 *         … write the frame …
 *     }
 *
 * Threads. A prepared message does not change once it is shared, and references are counted
 * atomically: it may be sent and released in many threads at a time. Its allocator's release()
 * then has to bear a call from any of them, as free() does.
 */
#ifndef HAWSER_PREPARED_H
#define HAWSER_PREPARED_H

#include <hawser/base.h>
#include <hawser/conn.h>
#include <hawser/deflate.h>
#include <hawser/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What to do about a peer that reads too slowly for a broadcast: his queue is above high_water. */
enum {
    HWS_SLOW_SKIP = 0, /**< Leave this message out for him: HWS_ERR_FULL. */
    HWS_SLOW_DROP = 1, /**< Drop the connection at once, with HWS_ERR_SLOW. */
    HWS_SLOW_CLOSE = 2 /**< Close it with 1013, dropping what waits: HWS_ERR_SLOW. */
};

/** A prepared message. */
typedef struct hws_prepared hws_prepared;

/**
 * Make a message ready: one unmasked frame, with one reference, the caller's.
 *
 * @param prepared   Set to the message on HWS_OK.
 * @param allocator  Its memory.
 * @param type       HWS_TEXT, which is validated, or HWS_BINARY; HWS_PING and HWS_PONG as well.
 * @param data       Payload, copied; NULL when len is 0.
 * @param len        Its bytes.
 * @return           HWS_OK; HWS_ERR_ARGUMENT; HWS_ERR_SEND_UTF8; HWS_ERR_MEMORY.
 */
HWS_API hws_status hws_prepared_make(hws_prepared **prepared, const hws_allocator *allocator,
                                     uint8_t type, const uint8_t *data, size_t len);

/**
 * Add the compressed form, for connections that compress. Before the message is shared.
 *
 * Those whose window is large enough (hws_deflate_fits()) get that form, the others the plain one.
 * It is dropped where it is not shorter.
 *
 * @param prepared    A data message that nobody else has yet.
 * @param compressor  What compresses it.
 * @return            HWS_OK; HWS_ERR_ARGUMENT for a Ping or Pong, or when it has that form already;
 *                    HWS_ERR_STATE, HWS_ERR_MEMORY: the message stays as it was.
 */
HWS_API hws_status hws_prepared_compress(hws_prepared *prepared, hws_compressor *compressor);

/**
 * Take one more reference, for another thread for example.
 *
 * @param prepared  A message.
 * @return          The same.
 */
HWS_API hws_prepared *hws_prepared_retain(hws_prepared *prepared);

/**
 * Let go of one reference; with the last one the message is gone.
 *
 * @param prepared  A message, or NULL.
 */
HWS_API void hws_prepared_release(hws_prepared *prepared);

/**
 * Its payload.
 *
 * @param prepared  A message.
 * @return          The plain bytes; they live as long as the message.
 */
HWS_API hws_buffer hws_prepared_payload(const hws_prepared *prepared);

/**
 * Choose the form of a message for a connection: a whole frame, to be written as it is. That is the
 * compressed one where there is one and hws_deflate_fits() it, else the plain one.
 *
 * Nothing has changed so far: when the frame is to go out, hws_prepared_sent() says so.
 *
 * @param prepared  A message.
 * @param conn      A connection of a server.
 * @param deflate   Its compression; NULL for none.
 * @param frame     Set on HWS_OK to the frame; it lives as long as the message.
 * @return          HWS_OK; HWS_ERR_ARGUMENT for a client; HWS_ERR_STATE after our Close, or inside
 *                  a message of ours, where only a Ping or Pong may stand.
 */
HWS_API hws_status hws_prepared_frame(const hws_prepared *prepared, const hws_conn *conn,
                                      const hws_deflate *deflate, hws_buffer *frame);

/**
 * Take note that the frame which hws_prepared_frame() has just chosen goes out: where it is the
 * compressed one its plain bytes go to the connection's compressor, by hws_deflate_follow(). Before
 * anything else is sent.
 *
 * @param prepared  The message.
 * @param deflate   The same as there.
 */
HWS_API void hws_prepared_sent(const hws_prepared *prepared, hws_deflate *deflate);

#ifdef __cplusplus
}
#endif

#endif
