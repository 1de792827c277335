/**
 * @file
 * Every result that hawser can give, each with a name, a sentence, a close code, an HTTP status
 * and the section of the RFC that it comes from.
 *
 * One value says everything: there is no errno, no second error code to ask for. Values >= 0 are
 * good results. Errors come in groups:
 *
 * - the caller's mistakes (-1 … -15): nothing has changed, the call can be repeated;
 * - faults of the peer that end an open connection (-16 … -47): the connection has failed and stays
 * so;
 * - faults in an HTTP head or handshake (-48 … -95): hws_status_http() is what a server answers;
 * - faults in a URI (-96 … -111);
 * - what adapters meet outside the protocol (-112 …): time, names, sockets.
 *
 * Values are part of the ABI: they are never reused for something else.
 */
#ifndef HAWSER_STATUS_H
#define HAWSER_STATUS_H

#include <hawser/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** All results of type hws_status. */
enum {
    HWS_OK = 0,           /**< Done. */
    HWS_EVENT = 1,        /**< Done, and an event was filled in: call again for the next. */
    HWS_NEED_MORE = 2,    /**< The bytes so far are good but not complete. */
    HWS_MORE = 3,         /**< The output is full, and there is more: empty it and call again. */
    HWS_BACKPRESSURE = 4, /**< Done, and the queue is above its high water mark: send less, until
                               the event HWS_DRAIN. */

    HWS_ERR_ARGUMENT = -1,  /**< An argument is outside what the function takes. */
    HWS_ERR_STATE = -2,     /**< Not now: for example data after our own Close. */
    HWS_ERR_SPACE = -3,     /**< The output buffer is too small; nothing was written. */
    HWS_ERR_RANDOM = -4,    /**< The random source failed; nothing was written. */
    HWS_ERR_SEND_UTF8 = -5, /**< Text to be sent is not UTF-8. */
    HWS_ERR_FIELD = -6,     /**< Text for an HTTP head holds a byte that is not allowed there, or a
                               field is one that hawser writes itself. */
    HWS_ERR_MEMORY = -7,    /**< The allocator has no memory; nothing has changed. */
    HWS_ERR_FULL = -8,      /**< The queue has no room for it; nothing was queued. */

    HWS_ERR_RSV = -16,    /**< A reserved bit is set that no extension gave a meaning. */
    HWS_ERR_OPCODE = -17, /**< A reserved opcode. */
    HWS_ERR_CONTROL_FRAGMENTED = -18, /**< A control frame without FIN. */
    HWS_ERR_CONTROL_LENGTH = -19,     /**< A control frame of more than 125 bytes. */
    HWS_ERR_CONTINUATION = -20,       /**< A continuation frame with nothing to continue. */
    HWS_ERR_INTERLEAVED = -21,        /**< A new data frame inside an unfinished message. */
    HWS_ERR_UNMASKED = -22,           /**< A frame from a client without mask. */
    HWS_ERR_MASKED = -23,             /**< A frame from a server with a mask. */
    HWS_ERR_LENGTH_NOT_MINIMAL = -24, /**< A length in a longer form than it needs. */
    HWS_ERR_LENGTH_TOP_BIT = -25,     /**< A 64-bit length with its top bit set. */
    HWS_ERR_CLOSE_LENGTH = -26,       /**< A Close frame with a payload of one byte. */
    HWS_ERR_CLOSE_CODE = -27,         /**< A Close frame with a code that must not be sent. */
    HWS_ERR_CLOSE_REASON = -28,       /**< A Close frame whose reason is not UTF-8. */
    HWS_ERR_UTF8 = -29,               /**< A text message that is not UTF-8. */
    HWS_ERR_MESSAGE_TOO_BIG = -30,    /**< A message above the limit. */
    HWS_ERR_FRAGMENTS = -31,          /**< A message in too many fragments. */
    HWS_ERR_DATA = -32,               /**< Payload that does not fit its type or extension. */
    HWS_ERR_UNSUPPORTED = -33,        /**< A type of data that the application does not take. */
    HWS_ERR_POLICY = -34,             /**< Against a rule of the application. */
    HWS_ERR_INTERNAL = -35,           /**< The application met an unexpected condition. */
    HWS_ERR_EOF = -36,     /**< The stream ended before a Close, or inside the opening handshake. */
    HWS_ERR_INFLATE = -37, /**< A compressed message that is no valid DEFLATE data. */
    HWS_ERR_PONG_TIMEOUT = -38, /**< The peer did not answer a Ping in time. */
    HWS_ERR_IDLE = -39,         /**< No message for longer than is allowed. */
    HWS_ERR_RATE = -40,         /**< The peer sent more in a time than is allowed. */
    HWS_ERR_SLOW = -41,         /**< The peer reads more slowly than there is to send. */

    HWS_ERR_HEAD_TOO_LARGE = -48,    /**< A head above the limit of bytes. */
    HWS_ERR_TARGET_TOO_LONG = -49,   /**< A request line above the limit. */
    HWS_ERR_FIELD_TOO_LONG = -50,    /**< A field line above the limit. */
    HWS_ERR_TOO_MANY_FIELDS = -51,   /**< More fields than there is room for. */
    HWS_ERR_LINE_END = -52,          /**< A CR or LF that is not part of CRLF. */
    HWS_ERR_REQUEST_LINE = -53,      /**< Not `method SP target SP HTTP/x.y`. */
    HWS_ERR_STATUS_LINE = -54,       /**< Not `HTTP/x.y SP 3DIGIT SP reason`. */
    HWS_ERR_HTTP_VERSION = -55,      /**< Not HTTP/1, or a 101 of HTTP/1.0. */
    HWS_ERR_FIELD_NAME = -56,        /**< A field name that is empty, or not a token before ":". */
    HWS_ERR_FIELD_VALUE = -57,       /**< A field value with a forbidden byte, such as NUL. */
    HWS_ERR_FIELD_FOLDED = -58,      /**< A field line continued on the next line (obs-fold). */
    HWS_ERR_CONTENT_LENGTH = -59,    /**< Content-Length is no number, or there are two. */
    HWS_ERR_TRANSFER_ENCODING = -60, /**< Transfer-Encoding with Content-Length, or unknown. */
    HWS_ERR_METHOD = -61,            /**< A handshake with another method than GET. */
    HWS_ERR_TARGET = -62,            /**< A request target that is no path or http(s) URI. */
    HWS_ERR_HOST = -63,              /**< Host is missing, doubled or malformed. */
    HWS_ERR_UPGRADE = -64,           /**< Upgrade does not name websocket. */
    HWS_ERR_CONNECTION = -65,        /**< Connection does not name Upgrade. */
    HWS_ERR_KEY = -66,               /**< Sec-WebSocket-Key is missing, doubled or not 16 bytes. */
    HWS_ERR_VERSION = -67,           /**< Sec-WebSocket-Version is another than 13. */
    HWS_ERR_VERSION_FIELD = -68,     /**< Sec-WebSocket-Version is missing, doubled or no number. */
    HWS_ERR_BODY = -69,              /**< A handshake request with a body. */
    HWS_ERR_SUBPROTOCOL = -70,       /**< Sec-WebSocket-Protocol is no list of distinct tokens,
                                          or names a subprotocol that was not offered. */
    HWS_ERR_EXTENSION = -71,         /**< Sec-WebSocket-Extensions breaks its grammar, or has an
                                          extension or a parameter that was not offered. */
    HWS_ERR_ORIGIN = -72,            /**< Origin is not allowed here, or doubled. */
    HWS_ERR_ACCEPT = -73,            /**< Sec-WebSocket-Accept is missing, doubled or wrong. */
    HWS_ERR_REFUSED = -74,           /**< The server answered with another status than 101. */
    HWS_ERR_PSEUDO_FIELD = -75,      /**< An extended CONNECT with wrong pseudo-header fields. */
    HWS_ERR_ABSENT = -76,            /**< No such credentials, cookie or parameter. */

    HWS_ERR_URI_SCHEME = -96,     /**< Neither ws:// nor wss://. */
    HWS_ERR_URI_HOST = -97,       /**< The host is missing or malformed. */
    HWS_ERR_URI_IDNA = -98,       /**< A host outside ASCII; its xn-- form is needed. */
    HWS_ERR_URI_PORT = -99,       /**< The port is not in 1 … 65535. */
    HWS_ERR_URI_USERINFO = -100,  /**< The user name or password is malformed. */
    HWS_ERR_URI_CHARACTER = -101, /**< A byte that must be percent-encoded, or a bad "%". */
    HWS_ERR_URI_FRAGMENT = -102,  /**< A fragment ("#…"), which ws URIs must not have. */

    HWS_ERR_TIMEOUT = -112, /**< The deadline passed. */
    HWS_ERR_CLOSED = -113,  /**< The connection is closed. */
    HWS_ERR_RESOLVE = -114, /**< The host name has no address. */
    HWS_ERR_CONNECT = -115, /**< No address of the host took the connection. */
    HWS_ERR_RESET = -116,   /**< The peer reset the connection. */
    HWS_ERR_SYSTEM = -117,  /**< A system call failed. */
    HWS_ERR_TLS = -118,     /**< TLS failed, or wss:// needs TLS, which is not there. */
    HWS_ERR_STALLED = -119  /**< The peer took no byte for too long. */
};

/**
 * The name of a status, such as "HWS_ERR_UTF8".
 *
 * @param status  Any value.
 * @return        A string that lives for ever; "HWS_ERR_?" for a value that is no status.
 */
HWS_API const char *hws_status_name(hws_status status);

/**
 * A sentence for people, such as "A text message is not valid UTF-8."
 *
 * @param status  Any value.
 * @return        A string that lives for ever, of at most 123 bytes: it fits in a Close frame.
 */
HWS_API const char *hws_status_sentence(hws_status status);

/**
 * Where the rule stands, such as "RFC 6455 5.2".
 *
 * @param status  Any value.
 * @return        A string that lives for ever; "" when no RFC speaks of it.
 */
HWS_API const char *hws_status_section(hws_status status);

/**
 * The close code to end an open connection with (RFC 6455 7.4.1).
 *
 * @param status  Any value.
 * @return        1001, 1002, 1003, 1007, 1008, 1009, 1011 or 1013; 1006 for HWS_ERR_EOF, which can
 *                only be reported, not sent; 0 when the status does not end a connection.
 */
HWS_API uint16_t hws_status_close_code(hws_status status);

/**
 * The HTTP status with which a server answers a request that failed so (RFC 9110 15).
 *
 * @param status  Any value.
 * @return        400 … 505; 0 when the status is not one of a request.
 */
HWS_API uint16_t hws_status_http(hws_status status);

#ifdef __cplusplus
}
#endif

#endif
