/**
 * @file
 * The frame header (RFC 6455 5.2): decoding, encoding, and every rule about it.
 *
 * Most programs need only conn.h. This header is for tools that look at frames themselves: traces,
 * proxies, tests.
 */
#ifndef HAWSER_FRAME_H
#define HAWSER_FRAME_H

#include <hawser/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Opcodes (RFC 6455 5.2). 3 … 7 and 11 … 15 are reserved. */
enum {
    HWS_OPCODE_CONTINUATION = 0,
    HWS_OPCODE_TEXT = 1,
    HWS_OPCODE_BINARY = 2,
    HWS_OPCODE_CLOSE = 8,
    HWS_OPCODE_PING = 9,
    HWS_OPCODE_PONG = 10
};

/** Sizes of frames (RFC 6455 5.2, 5.5). */
enum {
    HWS_FRAME_HEADER_MAX = 14, /**< Bytes of the longest header. */
    HWS_CONTROL_MAX = 125,     /**< Bytes of the longest control payload. */
    HWS_REASON_MAX = 123       /**< Bytes of the longest reason in a Close. */
};

/** Where a frame stands, for the rules that depend on it. Bits, to be combined. */
enum {
    HWS_FRAME_FROM_CLIENT = 1, /**< The sender is a client: the frame must be masked (5.1). */
    HWS_FRAME_IN_MESSAGE = 2,  /**< A fragmented message is unfinished (5.4). */
    HWS_FRAME_RSV1 = 4         /**< An extension gave RSV1 a meaning on first data frames
                                    (RFC 7692 6). */
};

/** A frame header in parts. */
typedef struct hws_frame {
    uint64_t payload_len; /**< Bytes of payload; at most 2^63 - 1. */
    uint8_t fin;          /**< 1 on the final fragment of a message, else 0. */
    uint8_t rsv;          /**< RSV1 is 4, RSV2 is 2, RSV3 is 1. */
    uint8_t opcode;       /**< HWS_OPCODE_… */
    uint8_t masked;       /**< 1 when a mask key follows the length, else 0. */
    uint8_t mask_key[4];  /**< In the order of the wire; zeros when not masked. */
    uint8_t header_len;   /**< Bytes of the header; at an error, of the part that proves it. */
    uint8_t reserved[7];  /**< Zeros. */
} hws_frame;

/**
 * Is told of each frame that a connection sends or receives, for traces; called inside the calls
 * that do so. It must not call the connection. See trace.h for a line of text.
 *
 * @param user        What the configuration gave beside the function.
 * @param connection  The hws_endpoint, or the hws_blocking.
 * @param sent        1: a frame that is sent; 0: one that was received.
 * @param frame       Its header.
 * @param payload     Payload of a control frame, plain; NULL for data frames, and for an empty one.
 */
typedef void (*hws_trace)(void *user, const void *connection, uint8_t sent, const hws_frame *frame,
                          const uint8_t *payload);

/**
 * Decode a frame header, and judge it by all rules of RFC 6455 5.2 to 5.5.
 *
 * Rules are judged at the first byte, at the second, and at the last byte of the length, as soon as
 * that is there: fault by fault the same as hws_conn_receive().
 *
 * @param buf      The first bytes of a frame.
 * @param len      Bytes in buf; more than a header does no harm.
 * @param context  HWS_FRAME_… bits.
 * @param frame    Filled on HWS_OK; on an error header_len alone is.
 * @return         HWS_OK; HWS_NEED_MORE; or HWS_ERR_RSV … HWS_ERR_CLOSE_LENGTH.
 */
HWS_API hws_status hws_frame_decode(const uint8_t *buf, size_t len, uint8_t context,
                                    hws_frame *frame);

/**
 * Encode a frame header in its shortest form (RFC 6455 5.2).
 *
 * header_len and reserved are ignored.
 *
 * @param frame    What to encode. It is judged by the same rules as a received one.
 * @param context  HWS_FRAME_… bits.
 * @param out      Buffer to append to.
 * @param cap      Its size in bytes.
 * @param n        In and out: bytes in `out`; 2 to 14 are added.
 * @return         HWS_OK; HWS_ERR_SPACE; HWS_ERR_ARGUMENT for a field out of its range; or the
 *                 rule that the frame would break.
 */
HWS_API hws_status hws_frame_encode(const hws_frame *frame, uint8_t context, uint8_t *out,
                                    size_t cap, size_t *n);

#ifdef __cplusplus
}
#endif

#endif
