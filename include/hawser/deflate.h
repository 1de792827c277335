/**
 * @file
 * permessage-deflate: compressed messages (RFC 7692).
 *
 * A server:
 *
 *     hws_deflate_params_init(&policy, HWS_DEFLATE_BALANCED);
 *     hws_deflate_accept(&policy, &head, buf, &agreed, text, sizeof text, &n);
 *     accept.extensions = … the n bytes of text …;           hws_handshake_accept(…)
 *     conn_config.compression = agreed.enabled;              hws_conn_init(…)
 *     hws_deflate_options_init(&options, HWS_ROLE_SERVER, HWS_DEFLATE_BALANCED);
 *     options.codec = hws_codec_zlib();                      from deflate_zlib.h
 *     hws_deflate_init(&deflate, &agreed, &options);
 *
 * A client writes its offer with hws_deflate_offer() into client.extensions, and reads the answer
 * with hws_deflate_verify() after hws_handshake_verify().
 *
 * Then two calls take the place of those of conn.h, and all else stays as it is there:
 *
 *     while ((status = hws_deflate_receive(&deflate, &conn, buf, len, &used, room, sizeof room,
 *                                          &ev)) == HWS_EVENT) { … }
 *     while ((status = hws_deflate_send(&deflate, &conn, HWS_TEXT, HWS_WHOLE, data, data_len,
 *                                       &taken, out, cap, &n)) == HWS_MORE) { … write out … }
 *
 * Both work whether compression was agreed or not. For code that has frames of its own there are
 * hws_deflate_decompress() and hws_deflate_compress(), from span to span.
 *
 * Bounds. One call writes no more than the buffer that it is given, whatever the peer compressed.
 * max_message counts plain bytes, and what is above it is not delivered. Memory comes from the
 * codec's allocator alone: one compressor when the first message is compressed, one decompressor
 * when the first compressed one arrives, each in one go.
 *
 * Secrets. Who can choose a part of a message and watch its compressed length can guess the rest of
 * it, also through encryption (RFC 7692 8). Send secrets beside a stranger's text with
 * HWS_UNCOMPRESSED.
 *
 * Lifetime. A hws_deflate owns the states of its codec: hws_deflate_release() at the end. It may be
 * moved, not copied.
 */
#ifndef HAWSER_DEFLATE_H
#define HAWSER_DEFLATE_H

#include <hawser/base.h>
#include <hawser/codec.h>
#include <hawser/conn.h>
#include <hawser/http.h>
#include <hawser/message.h>
#include <hawser/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Sizes, and a flag. */
enum {
    HWS_DEFLATE_TEXT_MAX = 130, /**< Bytes that one offer or answer takes, with a comma, at most. */
    HWS_DEFLATE_MIN_SPACE = 64, /**< Room that hws_deflate_send() and _compress() need at least. */
    HWS_UNCOMPRESSED = 8        /**< To hws_deflate_send(): do not compress this message. */
};

/** Settings that fit together. docs/performance.md has what each costs. */
enum {
    HWS_DEFLATE_BALANCED = 0, /**< Nearly all of the gain for a sixth of the memory. */
    HWS_DEFLATE_SMALL = 1,    /**< No context takeover: nothing is kept between messages. */
    HWS_DEFLATE_BEST = 2      /**< The largest windows, as other libraries have them. */
};

/**
 * The parameters of RFC 7692 7.1: what a client offers, what a server wants, and what was agreed.
 *
 * As a server's policy a parameter that is set is always in the answer, and one that is not is
 * there when the client's offer demands it, or hints at it.
 */
typedef struct hws_deflate_params {
    uint8_t enabled; /**< Agreed: 1 when messages may be compressed. Offer, policy: 1; 0 makes
                          hws_deflate_accept() decline everything. */
    uint8_t server_no_context_takeover; /**< 1: each message of the server starts with an empty
                                             window (7.1.1.1). */
    uint8_t client_no_context_takeover; /**< 1: each message of the client does (7.1.1.2). In an
                                             offer it is a hint that he will. */
    uint8_t server_max_window_bits; /**< 8 … 15: the window of the server's messages (7.1.2.1).
                                         15 is the same as no limit. */
    uint8_t client_max_window_bits; /**< 8 … 15: that of the client's messages (7.1.2.2). In an
                                         offer 15 leaves the choice to the server, and 0 says
                                         that the client takes no limit. */
    uint8_t require_client_max_window_bits; /**< Policy: 1 declines offers of clients that take no
                                                 limit, when client_max_window_bits is below 15.
                                                 Default 0: those get 15. */
    uint8_t reserved[2];                    /**< Zeros. */
} hws_deflate_params;

/**
 * The default of hws_deflate_options.threshold: 64 bytes where messages refer to earlier ones, and
 * 256 where each starts with an empty window, in which little is found. docs/performance.md has how
 * these were measured.
 */
#define HWS_THRESHOLD_AUTO (UINT64_MAX - 1)

/** Room for a compressor that connections share. The content is private. */
typedef struct hws_compressor {
    uint64_t opaque[12]; /**< Private. */
} hws_compressor;

/** Room for the compression of one connection. The content is private. */
typedef struct hws_deflate {
    uint64_t opaque[32]; /**< Private. */
} hws_deflate;

/** How messages are compressed. Start from hws_deflate_options_init(). */
typedef struct hws_deflate_options {
    uint32_t size;        /**< sizeof(hws_deflate_options), set by ..._init(). */
    uint8_t role;         /**< HWS_ROLE_SERVER or HWS_ROLE_CLIENT. */
    uint8_t reserved[3];  /**< Zeros. */
    uint64_t threshold;   /**< A message that is sent in one piece of fewer bytes is not compressed,
                               unless its flags ask for it. 0: all are. Default
                               HWS_THRESHOLD_AUTO. */
    uint64_t max_message; /**< Plain bytes of a received message; more fails with 1009. Give the
                               number that the hws_conn has. Default HWS_DEFAULT_MAX_MESSAGE. */
    const hws_codec *codec;      /**< Must be set where compression was agreed. */
    hws_codec_settings settings; /**< Window (the smaller of this and what was agreed is used),
                                      effort, memory, allocator. */
    hws_compressor *shared; /**< A compressor to use instead of an own one: then no message refers
                               to an earlier one, and messages go uncompressed while another
                               connection is inside one with it, until the end of that or
                               hws_deflate_release(). NULL: an own one. */
} hws_deflate_options;

/**
 * Fill parameters with those of a preset.
 *
 * @param params  The parameters.
 * @param preset  HWS_DEFLATE_BALANCED, _SMALL or _BEST.
 */
HWS_API void hws_deflate_params_init(hws_deflate_params *params, uint8_t preset);

/**
 * Write a client's offers, as the value of Sec-WebSocket-Extensions (RFC 7692 7.1).
 *
 * @param offers  What to offer, best first.
 * @param count   Number of offers, at least 1.
 * @param out     Buffer to append to. It has to live until the answer is verified.
 * @param cap     Its size; HWS_DEFLATE_TEXT_MAX for each offer is enough.
 * @param n       In and out: bytes in out.
 * @return        HWS_OK; HWS_ERR_ARGUMENT for a count of 0 or a parameter out of its range;
 *                HWS_ERR_SPACE.
 */
HWS_API hws_status hws_deflate_offer(const hws_deflate_params *offers, size_t count, uint8_t *out,
                                     size_t cap, size_t *n);

/**
 * Choose among the offers of a request, and write the answer: a server's side (RFC 7692 5, 7.1).
 *
 * The first offer that is well-formed and can be met is taken. One with a parameter that is
 * unknown, double, has a value where there is none, or none or another one than 8 … 15 where there
 * has to be one, is passed over; that is no fault of the request.
 *
 * @param policy  What the server wants.
 * @param head    A request that hws_handshake_parse() has approved.
 * @param buf     Its bytes.
 * @param agreed  Set to what was agreed; enabled is 0 when nothing was, and on HWS_ERR_SPACE.
 * @param out     Buffer to append the value of Sec-WebSocket-Extensions to; nothing when nothing
 *                was agreed.
 * @param cap     Its size; HWS_DEFLATE_TEXT_MAX more is enough.
 * @param n       In and out: bytes in out.
 * @return        HWS_OK; HWS_ERR_ARGUMENT for a policy out of its ranges; HWS_ERR_SPACE.
 */
HWS_API hws_status hws_deflate_accept(const hws_deflate_params *policy, const hws_head *head,
                                      const uint8_t *buf, hws_deflate_params *agreed, uint8_t *out,
                                      size_t cap, size_t *n);

/**
 * Judge a server's answer: a client's side (RFC 7692 5.1, 7.1).
 *
 * @param offers  What was offered.
 * @param count   Number of offers.
 * @param head    A response that hws_handshake_verify() has approved.
 * @param buf     Its bytes.
 * @param agreed  Set on HWS_OK to what was agreed, with what the offer promised of the client's own
 *                messages; enabled is 0 when the server does not compress.
 * @return        HWS_OK; HWS_ERR_EXTENSION for an answer that fits none of the offers, that is
 *                malformed or there twice: close the socket.
 */
HWS_API hws_status hws_deflate_verify(const hws_deflate_params *offers, size_t count,
                                      const hws_head *head, const uint8_t *buf,
                                      hws_deflate_params *agreed);

/**
 * Fill options with those of a preset. The codec is to be set then.
 *
 * @param options  The options.
 * @param role     HWS_ROLE_SERVER or HWS_ROLE_CLIENT.
 * @param preset   HWS_DEFLATE_BALANCED, _SMALL or _BEST.
 */
HWS_API void hws_deflate_options_init(hws_deflate_options *options, uint8_t role, uint8_t preset);

/**
 * Start the compression of a connection. Nothing is allocated here.
 *
 * @param deflate  Where to keep it; what it held does not matter.
 * @param agreed   What the handshake came to. With enabled 0 nothing is compressed, and all calls
 *                 below work as those of conn.h.
 * @param options  How to compress; not needed after the call, but for codec and shared.
 * @return         HWS_OK; HWS_ERR_ARGUMENT for a value out of its range, or no codec.
 */
HWS_API hws_status hws_deflate_init(hws_deflate *deflate, const hws_deflate_params *agreed,
                                    const hws_deflate_options *options);

/**
 * Let go of the codec's memory. May be called twice.
 *
 * @param deflate  A connection's compression, or one of zeros.
 */
HWS_API void hws_deflate_release(hws_deflate *deflate);

/**
 * Give back what memory can be given back between messages, on a connection that has nothing to do:
 * the compressor (the next message starts with an empty window, which is always allowed), and the
 * decompressor when the peer does not take over its context. What is needed again is made again.
 * Inside a message the state that makes or reads it is kept.
 *
 * @param deflate  A connection's compression.
 */
HWS_API void hws_deflate_trim(hws_deflate *deflate);

/**
 * Receive the next event: hws_conn_receive(), with messages decompressed.
 *
 * Plain pieces of compressed messages come in `room`, without HWS_COMPRESSED in their flags: the
 * message's type, FIRST and FINAL are as in conn.h, text is validated as it comes. All other events
 * are those of the connection.
 *
 * A fault of the peer ends the connection, as one of its frames does: HWS_ERR_INFLATE or
 * HWS_ERR_UTF8 (1007), HWS_ERR_MESSAGE_TOO_BIG (1009). hws_conn_reply() then owes the Close. The
 * offset of such an error is the end of what the connection has looked at, and so depends on cuts,
 * as does how much came before of a message that fails.
 * A reference beyond a window below 15 bits, which breaks what was agreed, may be found or
 * followed.
 *
 * @param deflate  Its compression.
 * @param conn     A connection, of which all receiving must go through this call or
 *                 hws_deflate_receive_message().
 * @param buf      Bytes just read; payload is unmasked in place.
 * @param len      Bytes in buf.
 * @param used     In and out: where to go on in buf. What is not used must not be changed before
 *                 the next call; it may be moved, to the start of a buffer for example, with
 *                 `used` 0 then.
 * @param room     Where plain bytes go, until the next call; must not overlap buf.
 * @param cap      Its size: the longest piece.
 * @param ev       Filled when HWS_EVENT is returned.
 * @return         As hws_conn_receive(); and, not sticky: HWS_ERR_SPACE for a cap of 0 when a
 *                 compressed message is there, HWS_ERR_MEMORY. Call again then, or end the
 *                 connection with hws_conn_fail(conn, HWS_ERR_INTERNAL).
 */
HWS_API hws_status hws_deflate_receive(hws_deflate *deflate, hws_conn *conn, uint8_t *buf,
                                       size_t len, size_t *used, uint8_t *room, size_t cap,
                                       hws_event *ev);

/**
 * Receive the next whole message or control frame: hws_message_receive(), decompressed.
 *
 * @param deflate  Its compression.
 * @param conn     A connection.
 * @param message  Where messages are put together.
 * @param buf      Bytes just read; payload is unmasked in place.
 * @param len      Bytes in buf.
 * @param used     In and out: where to go on in buf, as above.
 * @param ev       Filled on HWS_EVENT. Data events are whole.
 * @return         As above; HWS_ERR_SPACE (not sticky): the message is full, grow it and call
 *                 again.
 */
HWS_API hws_status hws_deflate_receive_message(hws_deflate *deflate, hws_conn *conn,
                                               hws_message *message, uint8_t *buf, size_t len,
                                               size_t *used, hws_event *ev);

/**
 * Whether events may wait that need no more bytes from the peer: receive before waiting for the
 * socket.
 *
 * @param deflate  A connection's compression.
 * @return         1 or 0.
 */
HWS_API uint8_t hws_deflate_pending(const hws_deflate *deflate);

/**
 * Whether hws_deflate_send() would compress. Where it would not, the payload can as well go past
 * it, by the calls of conn.h, without a copy.
 *
 * @param deflate  A connection's compression.
 * @param flags    As hws_deflate_send().
 * @param len      Bytes of the piece.
 * @return         1 or 0.
 */
HWS_API uint8_t hws_deflate_compresses(const hws_deflate *deflate, uint8_t flags, size_t len);

/**
 * Append a message or a piece of one, compressed where that is agreed and worth it.
 *
 * Text is validated before it is compressed. Each piece is flushed: the peer can read all of it. A
 * message whose first piece is not its last is compressed unless its flags say otherwise, since its
 * length is not known.
 *
 * @param deflate  Its compression.
 * @param conn     The connection.
 * @param type     HWS_TEXT or HWS_BINARY, compressed or not; HWS_PING and HWS_PONG as they are.
 * @param flags    HWS_FIRST and HWS_FINAL. One of two may stand beside HWS_FIRST, and nowhere
 *                 else: HWS_COMPRESSED compresses whatever the length, HWS_UNCOMPRESSED does not.
 * @param data     Plain payload; NULL when len is 0.
 * @param len      Bytes in data.
 * @param used     In and out: how much of data is in frames; start each piece with 0.
 * @param out      Buffer to append to; must not overlap data.
 * @param cap      Its size.
 * @param n        In and out: bytes in out.
 * @return         HWS_OK: all is in `out`; HWS_MORE: `out` is full, with one fragment of the
 *                 message or, where something stood in it before, without. Send what is in it, and
 *                 call again with the same arguments, `used` as it is, and room. That goes for what
 *                 is not compressed too. The caller's mistakes change nothing: HWS_ERR_ARGUMENT,
 *                 HWS_ERR_STATE, HWS_ERR_SEND_UTF8 as hws_conn_send(); HWS_ERR_SPACE when *n is 0
 *                 and less than HWS_DEFLATE_MIN_SPACE is there (a piece that goes as it is, and
 *                 fits into it whole, is sent all the same), or *n is above cap; where
 *                 flags ask for compression (without that, the message goes uncompressed)
 *                 HWS_ERR_MEMORY, and HWS_ERR_STATE when a shared compressor is inside another
 *                 message; HWS_ERR_RANDOM, which inside a compressed message is sticky: the rest of
 *                 it cannot be sent.
 */
HWS_API hws_status hws_deflate_send(hws_deflate *deflate, hws_conn *conn, uint8_t type,
                                    uint8_t flags, const uint8_t *data, size_t len, size_t *used,
                                    uint8_t *out, size_t cap, size_t *n);

/**
 * Decompress a piece of a compressed message: what hws_deflate_receive() does with an event that
 * has HWS_COMPRESSED.
 *
 * @param deflate  A connection's compression.
 * @param type     HWS_TEXT, which is validated, or HWS_BINARY.
 * @param flags    HWS_FIRST on the first piece, HWS_FINAL on the last.
 * @param src      Compressed payload, unmasked.
 * @param len      Its bytes.
 * @param used     In and out: how much is taken; start each piece with 0.
 * @param dst      Where plain bytes go; must not overlap src.
 * @param cap      Its size.
 * @param n        In and out: bytes in dst.
 * @return         HWS_OK: the piece is done, and with HWS_FINAL the message; HWS_MORE: dst is full,
 *                 call again with the same arguments, `used` as it is, and room; HWS_ERR_SPACE when
 *                 there is none, likewise; HWS_ERR_MEMORY; HWS_ERR_INFLATE, HWS_ERR_UTF8,
 *                 HWS_ERR_MESSAGE_TOO_BIG, sticky, with *n as it was: the connection has to be
 *                 failed; HWS_ERR_STATE for a piece that does not continue what came before.
 */
HWS_API hws_status hws_deflate_decompress(hws_deflate *deflate, uint8_t type, uint8_t flags,
                                          const uint8_t *src, size_t len, size_t *used,
                                          uint8_t *dst, size_t cap, size_t *n);

/**
 * Compress a piece of a message, whatever its length: the payload of a frame, without the frame.
 *
 * @param deflate  A connection's compression.
 * @param type     HWS_TEXT, which is validated, or HWS_BINARY.
 * @param flags    HWS_FIRST on the first piece, HWS_FINAL on the last.
 * @param src      Plain payload.
 * @param len      Its bytes.
 * @param used     In and out: how much is taken; start each piece with 0.
 * @param dst      Where the payload goes; must not overlap src.
 * @param cap      Its size.
 * @param n        In and out: bytes in dst.
 * @return         HWS_OK: the piece is done; HWS_MORE: dst is full, send it as a fragment (not the
 *                 last) and call again with the same arguments, `used` as it is, and room;
 *                 HWS_ERR_SEND_UTF8, HWS_ERR_ARGUMENT, HWS_ERR_STATE, HWS_ERR_MEMORY;
 *                 HWS_ERR_SPACE for less room than HWS_DEFLATE_MIN_SPACE.
 */
HWS_API hws_status hws_deflate_compress(hws_deflate *deflate, uint8_t type, uint8_t flags,
                                        const uint8_t *src, size_t len, size_t *used, uint8_t *dst,
                                        size_t cap, size_t *n);

/**
 * Whether a message that a compressor with this window made alone, with nothing before it, may be
 * sent on this connection: broadcast compresses once.
 *
 * @param deflate      A connection's compression.
 * @param window_bits  hws_compressor_window_bits().
 * @return             1 or 0.
 */
HWS_API uint8_t hws_deflate_fits(const hws_deflate *deflate, uint8_t window_bits);

/**
 * Take note of a message that was sent compressed past this filter, right after its frame: its
 * plain bytes are in the peer's window, and so they have to be in the compressor's. Costs nothing
 * where there is no context takeover or nothing was compressed so far. Without it, later messages
 * would refer to the wrong bytes; a message that went uncompressed must not be told.
 *
 * @param deflate  A connection's compression, not inside a message.
 * @param data     The plain bytes.
 * @param len      Their number.
 * @return         HWS_OK; HWS_ERR_STATE inside a compressed message.
 */
HWS_API hws_status hws_deflate_follow(hws_deflate *deflate, const uint8_t *data, size_t len);

/**
 * Start a compressor for connections without context takeover, or for a broadcast.
 *
 * It makes one message at a time. Its window is the smallest that any of its connections agreed to:
 * it shrinks when one with a smaller window starts, for good. A client can ask for 9 bits: to keep
 * that from the others, share among connections of one window. One thread at a time.
 *
 * @param compressor  Where to keep it; what it held does not matter.
 * @param codec       The codec.
 * @param settings    Window, effort, memory, allocator; not needed after the call.
 * @return            HWS_OK; HWS_ERR_ARGUMENT for a value out of its range.
 */
HWS_API hws_status hws_compressor_init(hws_compressor *compressor, const hws_codec *codec,
                                       const hws_codec_settings *settings);

/**
 * Let go of its memory. No connection that shares it may be inside a message. May be called twice.
 *
 * @param compressor  A compressor, or one of zeros.
 */
HWS_API void hws_compressor_release(hws_compressor *compressor);

/**
 * Base-2 logarithm of the window that its messages need.
 *
 * @param compressor  A compressor.
 * @return            8 … 15. For a message that was made, ask when it is made: it may shrink after.
 */
HWS_API uint8_t hws_compressor_window_bits(const hws_compressor *compressor);

/**
 * Compress a whole message once, for many: append its payload, to be sent in frames with
 * HWS_COMPRESSED on every connection that hws_deflate_fits(). Text has to be validated before.
 *
 * @param compressor  A compressor.
 * @param data        The message.
 * @param len         Its bytes.
 * @param out         Buffer to append to; must not overlap data.
 * @param cap         Its size; hws_deflate_bound(len) more is always enough.
 * @param n           In and out: bytes in out.
 * @return            HWS_OK; HWS_ERR_SPACE; HWS_ERR_MEMORY; HWS_ERR_STATE while a connection is
 *                    inside a message with it.
 */
HWS_API hws_status hws_compressor_message(hws_compressor *compressor, const uint8_t *data,
                                          size_t len, uint8_t *out, size_t cap, size_t *n);

/**
 * Bytes that a message takes at most when it is compressed in one piece: a quarter more, and 1024.
 * A hws_conn takes as much of a compressed message, for its max_message, and 16 for each frame of
 * it.
 *
 * @param len  Bytes of the message.
 * @return     Bytes; UINT64_MAX when the sum is above it.
 */
HWS_API uint64_t hws_deflate_bound(uint64_t len);

#ifdef __cplusplus
}
#endif

#endif
