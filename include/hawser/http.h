/**
 * @file
 * One HTTP/1.1 head, request or response: parsed in one pass as it arrives, into positions.
 *
 *     hws_header headers[64];
 *     hws_head head;
 *     hws_head_init(&head, HWS_HEAD_REQUEST, headers, 64);
 *     do {
 *         len += read more into buf + len;
 *     } while ((st = hws_head_parse(&head, buf, len)) == HWS_NEED_MORE);
 *
 * `buf` holds the head from its first byte on. The parser goes on where it stopped: a head that
 * drips in byte by byte is never looked at twice. All results are positions in `buf`, so the buffer
 * may move between calls. Bytes after the head (buf[head_len] on) belong to what follows: frames,
 * or a body.
 *
 * The grammar is the strict one: CRLF only, no folded lines, no space before the colon, no NUL
 * (RFC 9112 2.2, 5). All limits are finite.
 *
 * The same struct carries the header list of an HTTP/2 or HTTP/3 request or response: see
 * hws_head_add(). What handshake.h says of heads holds for those as well.
 */
#ifndef HAWSER_HTTP_H
#define HAWSER_HTTP_H

#include <hawser/base.h>
#include <hawser/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Kinds of head. */
enum {
    HWS_HEAD_REQUEST = 0,  /**< An HTTP/1 request. */
    HWS_HEAD_RESPONSE = 1, /**< An HTTP/1 response. Interim ones (1xx but 101) are skipped. */
    HWS_HEAD_LIST = 2      /**< A list of pairs from HTTP/2 or HTTP/3, by hws_head_add(). */
};

/** Limits of a head, unless changed after hws_head_init(). */
enum {
    HWS_DEFAULT_MAX_HEAD = 16384, /**< Bytes of the head, with skipped interim responses. */
    HWS_DEFAULT_MAX_LINE = 8192   /**< Bytes of one line, with its CRLF. */
};

/** How the body after a head ends (RFC 9112 6.3). */
enum {
    HWS_BODY_NONE = 0,    /**< There is none, or its length is 0. */
    HWS_BODY_LENGTH = 1,  /**< After content_length bytes. */
    HWS_BODY_CHUNKED = 2, /**< By the chunked transfer coding. */
    HWS_BODY_EOF = 3      /**< At the end of the stream: responses only, all of kind LIST. */
};

/** A field line: its name and its value, without the white space around that. */
typedef struct hws_header {
    hws_span name;  /**< In the case of the sender; compare with hws_head_find(). */
    hws_span value; /**< May be empty. */
} hws_header;

/** A head. Read the fields marked "result" after HWS_OK; set limits between init and parse. */
typedef struct hws_head {
    hws_header *headers;     /**< The caller's array. */
    uint32_t header_cap;     /**< Its elements. More field lines fail with 431. */
    uint32_t header_count;   /**< Result: field lines, in their order. */
    uint32_t max_head;       /**< Limit, HWS_DEFAULT_MAX_HEAD. */
    uint32_t max_line;       /**< Limit, HWS_DEFAULT_MAX_LINE. */
    uint32_t head_len;       /**< Result: bytes up to and with the empty line, interim responses
                                  included; at an error, up to and with the byte that proved it. */
    uint16_t status;         /**< Result: status code of a response. */
    uint8_t kind;            /**< HWS_HEAD_… */
    uint8_t minor_version;   /**< Result: y of HTTP/1.y. */
    uint8_t body;            /**< Result: HWS_BODY_… */
    uint8_t reserved[7];     /**< Zeros. */
    uint64_t content_length; /**< Result: with HWS_BODY_LENGTH. */
    hws_span method;         /**< Result: request method. */
    hws_span target;         /**< Result: request target, as sent. */
    hws_span reason;         /**< Result: reason phrase of a response, may be empty. */
    uint32_t state[8];       /**< Private: where the parser stands. */
} hws_head;

/**
 * Start a head.
 *
 * @param head     Where to keep it.
 * @param kind     HWS_HEAD_REQUEST, HWS_HEAD_RESPONSE or HWS_HEAD_LIST.
 * @param headers  Array for field lines; it is used until the head is done with.
 * @param cap      Its elements.
 */
HWS_API void hws_head_init(hws_head *head, uint8_t kind, hws_header *headers, uint32_t cap);

/**
 * Parse as much of a head as is there.
 *
 * One empty line before a request line is skipped (RFC 9112 2.2). A response with a status of 1xx
 * other than 101 is skipped, and the next head parsed, within the same limit (RFC 9110 15.2).
 * Content-Length and Transfer-Encoding are understood here, because they decide what follows.
 *
 * @param head  The head, of kind REQUEST or RESPONSE. For one of kind LIST it is HWS_ERR_ARGUMENT.
 * @param buf   All bytes since the start of the head.
 * @param len   Bytes in buf; never less than in the call before.
 * @return      HWS_OK; HWS_NEED_MORE; HWS_ERR_HEAD_TOO_LARGE … HWS_ERR_TRANSFER_ENCODING, sticky.
 */
HWS_API hws_status hws_head_parse(hws_head *head, const uint8_t *buf, size_t len);

/**
 * Add one pair to a head of kind LIST, copying it to the end of a buffer.
 *
 * For HTTP/2 and HTTP/3, whose libraries hand out pairs one by one. Names are lower case and
 * pseudo-header fields (":path") come before all others (RFC 9113 8.2, 8.3). ":method", ":path" and
 * ":status" fill in method, target and status as well.
 *
 * @param head   The head, of kind LIST.
 * @param buf    Buffer of the pairs; give the same (or a moved copy) to all calls.
 * @param cap    Its size.
 * @param n      In and out: bytes in buf.
 * @param field  The pair.
 * @return       HWS_OK; HWS_ERR_SPACE; HWS_ERR_TOO_MANY_FIELDS; HWS_ERR_HEAD_TOO_LARGE;
 *               HWS_ERR_FIELD_NAME, HWS_ERR_FIELD_VALUE; HWS_ERR_PSEUDO_FIELD for one that is
 *               unknown, doubled, stands after a regular field, or is of a request beside
 * ":status".
 */
HWS_API hws_status hws_head_add(hws_head *head, uint8_t *buf, size_t cap, size_t *n,
                                const hws_field *field);

/**
 * Find a field by name, without case (RFC 9110 5.1).
 *
 * @param head  A complete head.
 * @param buf   Its bytes.
 * @param name  Field name.
 * @param from  Index to search from: 0, or one past the last find for the next line.
 * @return      Index in head->headers; header_count when there is none.
 */
HWS_API uint32_t hws_head_find(const hws_head *head, const uint8_t *buf, hws_text name,
                               uint32_t from);

/**
 * View a span of a buffer as text.
 *
 * @param buf   The buffer.
 * @param span  A part of it.
 * @return      The text; it lives as long as the buffer stays in place.
 */
HWS_API hws_text hws_span_text(const uint8_t *buf, hws_span span);

/**
 * Whether two texts are equal without regard to ASCII case.
 *
 * @param a  A text.
 * @param b  A text.
 * @return   1 or 0.
 */
HWS_API uint8_t hws_text_equal_nocase(hws_text a, hws_text b);

/** Walks the elements of a comma-separated list over all lines of one field. */
typedef struct hws_list {
    uint32_t index; /**< Line it stands in. Set to 0 at the start. */
    uint32_t at;    /**< Bytes of that line that are done. Set to 0 at the start. */
} hws_list;

/**
 * Take the next element of a list-valued field (RFC 9110 5.6.1): several lines are one list, empty
 * elements are skipped, commas inside a quoted string do not separate.
 *
 * @param head     A complete head.
 * @param buf      Its bytes.
 * @param name     Field name.
 * @param list     In and out: the place; {0, 0} at the start.
 * @param element  Set to the element, without white space around it.
 * @return         1 when there was one, 0 at the end.
 */
HWS_API uint8_t hws_head_next(const hws_head *head, const uint8_t *buf, hws_text name,
                              hws_list *list, hws_span *element);

/**
 * Write a response: a refusal, a redirect, or an answer to a plain request.
 *
 * "Connection: close" is added always; Content-Length but for 204 and 304; "Upgrade: websocket" and
 * "Sec-WebSocket-Version: 13" with 426 (RFC 6455 4.4, RFC 9110 15.5.22); "Allow: GET" with 405,
 * unless `fields` has an Allow (RFC 9110 15.5.6). 401 needs a WWW-Authenticate field from the
 * caller (15.5.2), and is HWS_ERR_ARGUMENT without; 503 may carry Retry-After. A body is not
 * written for 1xx, 204 and 304.
 *
 * @param status    200 … 599.
 * @param fields    More fields; NULL when count is 0. Those that are added always are refused.
 * @param count     Number of fields.
 * @param body      Body; NULL to write the head alone, for an answer to HEAD or a body that is sent
 *                  from elsewhere.
 * @param body_len  Its bytes: the Content-Length.
 * @param out       Buffer to append to.
 * @param cap       Its size.
 * @param n         In and out: bytes in out.
 * @return          HWS_OK; HWS_ERR_ARGUMENT; HWS_ERR_FIELD when a name or value could break out of
 *                  its line; HWS_ERR_SPACE.
 */
HWS_API hws_status hws_response_write(uint16_t status, const hws_field *fields, size_t count,
                                      const uint8_t *body, size_t body_len, uint8_t *out,
                                      size_t cap, size_t *n);

#ifdef __cplusplus
}
#endif

#endif
