/**
 * @file
 * What goes over a connection, in lines of text for people: frames, and HTTP heads without their
 * secrets.
 *
 *     > GET /chat?token=*** HTTP/1.1
 *     > Authorization: ***
 *     < HTTP/1.1 101 Switching Protocols
 *     > Text FIN masked, 5 bytes
 *     < Text FIN compressed, 1234 bytes
 *     < Ping FIN, 4 bytes: "\x00\x00\x00\x07"
 *     < Close FIN, 12 bytes: 1001 "going away"
 *
 * A line has no line end, and no byte that is not printable ASCII: a control character or one
 * outside ASCII is written as \x and two digits, so that no peer can steer a terminal or forge a
 * line. The format is for eyes and may change in any version.
 */
#ifndef HAWSER_TRACE_H
#define HAWSER_TRACE_H

#include <hawser/base.h>
#include <hawser/frame.h>
#include <hawser/http.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Sizes of lines. */
enum {
    HWS_TRACE_LINE = 640,   /**< Bytes in which the line of each frame has room, and those of most
                                 heads. */
    HWS_TRACE_PREVIEW = 32, /**< Bytes of a Ping or Pong that are shown. */
    HWS_TRACE_TOKEN = 24    /**< Bytes of a subprotocol's name; a longer one is taken for a secret,
                                 see hws_trace_head(). */
};

/**
 * Write the line of one frame. The first three parameters are what hws_trace gives (endpoint.h).
 *
 * @param sent     1: a frame that is sent (">"); 0: one that was received ("<").
 * @param frame    Its header. RSV1 is shown as "compressed" (RFC 7692 6).
 * @param payload  Plain payload of a control frame, of which at most 125 bytes are read; NULL for
 *                 none. That of other frames is not looked at.
 * @param out      Where to write the line, with NUL behind it.
 * @param cap      Its size. A line that has no room is cut between two characters, and "..." stands
 *                 for the rest; for less than 4 bytes it is empty.
 * @return         Bytes of the line, without NUL.
 */
HWS_API size_t hws_trace_frame(uint8_t sent, const hws_frame *frame, const uint8_t *payload,
                               char *out, size_t cap);

/**
 * Write the next line of a head:
 *
 *     uint32_t line = 0;
 *     while (hws_trace_head(0, &head, buf, &line, text, sizeof text)) {
 *         puts(text);
 *     }
 *
 * Not shown, but replaced by "***", are:
 *
 * - values of fields whose name speaks of a secret: Authorization, Proxy-Authorization, Cookie,
 *   Set-Cookie, and all with "auth", "bearer", "cookie", "credential", "csrf", "jwt", "key", "otp",
 *   "pass", "pwd", "secret", "session", "sid", "sign", "ticket", "token" or "xsrf" in it. Not
 *   WWW-Authenticate and Proxy-Authenticate, and not Sec-WebSocket-Key, which is a nonce and no
 *   secret (RFC 6455 1.3);
 * - Sec-WebSocket-Protocol, where browsers put tokens for lack of another place, when such a word
 *   or a name of more than HWS_TRACE_TOKEN bytes is in it: 128 bits in hexadecimal have 32;
 * - in the request target, and in all other values, which may be or hold a URI (Location, Referer):
 *   user and password before "@", but in a path; values of a query, whose names are shown when
 *   they are tokens, and what has no name; the fragment. More is hidden than has to be where a
 *   value has "?", "#" or "@" and is no URI.
 *
 * A secret in a path, or in a field with an innocent name, is shown: there is no way to know it.
 *
 * @param sent  1: a head that is sent (">"); 0: one that was received ("<").
 * @param head  A complete head, of any kind; one of kind LIST has no start line.
 * @param buf   Its bytes.
 * @param line  In and out: the number of the line; 0 at the start.
 * @param out   As in hws_trace_frame().
 * @param cap   Its size; likewise.
 * @return      1 when there was a line; 0 at the end, with out empty.
 */
HWS_API uint8_t hws_trace_head(uint8_t sent, const hws_head *head, const uint8_t *buf,
                               uint32_t *line, char *out, size_t cap);

#ifdef __cplusplus
}
#endif

#endif
