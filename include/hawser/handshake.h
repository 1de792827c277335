/**
 * @file
 * The opening handshake of both sides (RFC 6455 4), over heads that http.h has parsed.
 *
 * A server:
 *
 *     hws_head_parse(&head, buf, len)                  until HWS_OK
 *     hws_handshake_parse(&head, buf, &handshake)      an error: hws_handshake_reject()
 *     handshake.kind == HWS_REQUEST_PLAIN:             hws_response_write(), a page
 *     look at path, query, fields; choose a subprotocol
 *     hws_handshake_accept(…)                          writes the 101
 *     frames start at buf[head.head_len]
 *
 * A client:
 *
 *     hws_handshake_request(&config, …, &key, …)       writes the request
 *     hws_head_parse(&head, buf, len)                  until HWS_OK
 *     hws_handshake_verify(&config, &key, &head, buf, &result)
 *     frames start at buf[head.head_len]; or HWS_ERR_REFUSED: a status, fields and a body
 *
 * For WebSockets over HTTP/2 and HTTP/3 (extended CONNECT, RFC 8441 5, RFC 9220) the same policy
 * works on heads of kind HWS_HEAD_LIST: see connect.h.
 *
 * Texts from the caller are checked: none can break out of its line of the head (HWS_ERR_FIELD).
 */
#ifndef HAWSER_HANDSHAKE_H
#define HAWSER_HANDSHAKE_H

#include <hawser/base.h>
#include <hawser/http.h>
#include <hawser/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a request is. */
enum {
    HWS_REQUEST_PLAIN = 0,   /**< No WebSocket handshake: answer it as HTTP, or refuse it. */
    HWS_REQUEST_UPGRADE = 1, /**< A handshake by HTTP/1.1 Upgrade, and all of it is right. */
    HWS_REQUEST_CONNECT = 2  /**< A handshake by extended CONNECT, and all of it is right. */
};

/** Sizes. */
enum {
    HWS_KEY_LEN = 24,         /**< Bytes of a Sec-WebSocket-Key. */
    HWS_ACCEPT_LEN = 28,      /**< Bytes of a Sec-WebSocket-Accept. */
    HWS_MAX_SUBPROTOCOLS = 64 /**< Subprotocols that a client may offer; a server refuses more. */
};

/** A handshake that a client asks for. All spans are in the bytes of its head. */
typedef struct hws_handshake {
    uint8_t kind;               /**< HWS_REQUEST_… */
    uint8_t has_origin;         /**< 1 when there is an Origin field. */
    uint8_t secure;             /**< With CONNECT: 1 for the scheme https, else 0. */
    uint8_t reserved[1];        /**< Zero. */
    uint32_t subprotocol_count; /**< Subprotocols offered. */
    hws_span path;              /**< Path of the target; len 0 when it has none, as "*". */
    hws_span query;             /**< Query without "?"; may be empty. */
    hws_span host;              /**< Host field; the authority of an absolute target; :authority. */
    hws_span origin;            /**< Origin field. */
    hws_span key;               /**< Sec-WebSocket-Key; len 0 with CONNECT. */
} hws_handshake;

/** Which origins may connect (RFC 6455 10.2). The choice must be made: unset refuses to accept. */
enum {
    HWS_ORIGIN_UNSET = 0, /**< No choice: hws_handshake_accept() returns HWS_ERR_ARGUMENT. */
    HWS_ORIGIN_ANY = 1,   /**< Any page of any site may connect. For public data only: cookies of
                               the user come with it. */
    HWS_ORIGIN_SAME = 2,  /**< Host and port of Origin must be those of Host; no Origin (not a
                               browser) is allowed. */
    HWS_ORIGIN_LIST = 3   /**< One of a list. */
};

/** An origin policy. */
typedef struct hws_origin_policy {
    uint8_t kind;            /**< HWS_ORIGIN_… */
    uint8_t allow_missing;   /**< With LIST: 1 allows requests without Origin. */
    uint8_t reserved[6];     /**< Zeros. */
    const hws_text *origins; /**< With LIST: "https://example.com", "http://localhost:8080", "null".
                                  Compared as scheme, host and port, without case, default ports
                                  filled in. */
    size_t origin_count;     /**< Number of origins. */
} hws_origin_policy;

/** What a server answers. Start from hws_accept_config_init(). */
typedef struct hws_accept_config {
    uint32_t size;            /**< sizeof(hws_accept_config), set by hws_accept_config_init(). */
    uint32_t reserved;        /**< Zero. */
    hws_origin_policy origin; /**< Default HWS_ORIGIN_UNSET: must be set. */
    hws_text subprotocol;     /**< The subprotocol to use, one that was offered; empty for none. */
    hws_text extensions;      /**< Value of Sec-WebSocket-Extensions; empty for none. */
    const hws_field *fields;  /**< More fields, such as Set-Cookie. Those of the handshake are
                                   refused. */
    size_t field_count;       /**< Number of fields. */
} hws_accept_config;

/** What a client asks for. Start from hws_client_config_init(). Texts must live until verify. */
typedef struct hws_client_config {
    uint32_t size;     /**< sizeof(hws_client_config), set by hws_client_config_init(). */
    uint32_t reserved; /**< Zero. */
    hws_text host;     /**< Value of Host: "example.com", "example.com:8080", "[::1]". */
    hws_text target;   /**< Path and query: "/chat?room=1". Default "/". */
    hws_text origin;   /**< Value of Origin; empty for none. */
    const hws_text *subprotocols; /**< Subprotocols to offer, best first. */
    size_t subprotocol_count;     /**< Number of subprotocols, at most HWS_MAX_SUBPROTOCOLS. */
    hws_text extensions;          /**< Value of Sec-WebSocket-Extensions; empty for none. */
    const hws_field *fields;      /**< More fields, such as Authorization and Cookie. Those of the
                                       handshake are refused. */
    size_t field_count;           /**< Number of fields. */
} hws_client_config;

/** A client's key, and the accept value that proves that the server understood it. */
typedef struct hws_key {
    uint8_t key[HWS_KEY_LEN];       /**< Base64 of 16 random bytes (RFC 6455 4.1). */
    uint8_t accept[HWS_ACCEPT_LEN]; /**< What the server must answer (4.2.2). */
} hws_key;

/** What the server answered to a client. */
typedef struct hws_accepted {
    hws_span subprotocol;       /**< Subprotocol in use; len 0: none. In the bytes of the head. */
    uint32_t subprotocol_index; /**< Its index in the client's offer; UINT32_MAX: none. */
    hws_span location;          /**< With HWS_ERR_REFUSED: Location of a redirect (RFC 9110 15.4);
                                     len 0: none. */
} hws_accepted;

/**
 * Understand a request: is it a WebSocket handshake, and is all of it right?
 *
 * An HTTP/1.1 request is an attempt at a handshake when Upgrade names websocket, or
 * Sec-WebSocket-Key or -Version is there. Everything else, and all of HTTP/1.0, is a plain request.
 * Of that only Host is judged (RFC 9112 3.2).
 *
 * @param head       A complete head of kind REQUEST or LIST.
 * @param buf        Its bytes.
 * @param handshake  Filled on HWS_OK, zeros otherwise.
 * @return           HWS_OK, also for a plain request; HWS_ERR_HOST for any request of HTTP/1.1
 *                   without Host, and for two or a malformed one; HWS_ERR_METHOD …
 * HWS_ERR_EXTENSION or HWS_ERR_PSEUDO_FIELD for a handshake that is wrong: refuse it.
 */
HWS_API hws_status hws_handshake_parse(const hws_head *head, const uint8_t *buf,
                                       hws_handshake *handshake);

/**
 * Choose a subprotocol: the first of the client's offer, in his order of preference, that the
 * server has (RFC 6455 4.2.2).
 *
 * @param head       The request.
 * @param buf        Its bytes.
 * @param supported  What the server has.
 * @param count      Number of those.
 * @param index      Set to the index in supported.
 * @return           1 when one fits; 0 for none: accept without subprotocol, or refuse.
 */
HWS_API uint8_t hws_handshake_choose(const hws_head *head, const uint8_t *buf,
                                     const hws_text *supported, size_t count, size_t *index);

/**
 * Judge the Origin of a request (RFC 6455 4.2.2, 10.2). hws_handshake_accept() does so by itself.
 *
 * @param handshake  The request.
 * @param buf        The bytes of its head.
 * @param policy     The policy.
 * @return           HWS_OK; HWS_ERR_ORIGIN; HWS_ERR_ARGUMENT for an unset or malformed policy.
 */
HWS_API hws_status hws_handshake_check_origin(const hws_handshake *handshake, const uint8_t *buf,
                                              const hws_origin_policy *policy);

/**
 * Fill an accept configuration with the defaults: nothing chosen, the origin policy unset.
 *
 * @param config  The configuration.
 */
HWS_API void hws_accept_config_init(hws_accept_config *config);

/**
 * Accept an HTTP/1.1 handshake: append the 101 response (RFC 6455 4.2.2).
 *
 * @param handshake  The request, of kind HWS_REQUEST_UPGRADE.
 * @param head       Its head.
 * @param buf        Its bytes.
 * @param config     What to answer.
 * @param out        Buffer to append to.
 * @param cap        Its size.
 * @param n          In and out: bytes in out.
 * @return           HWS_OK: the connection is open; HWS_ERR_ORIGIN: refuse it with 403;
 *                   HWS_ERR_ARGUMENT for an unset origin policy, a subprotocol or extension that
 *                   was not offered, or another kind of request; HWS_ERR_FIELD; HWS_ERR_SPACE.
 */
HWS_API hws_status hws_handshake_accept(const hws_handshake *handshake, const hws_head *head,
                                        const uint8_t *buf, const hws_accept_config *config,
                                        uint8_t *out, size_t cap, size_t *n);

/**
 * Compute the Sec-WebSocket-Accept that answers a key (RFC 6455 4.2.2), for servers whose HTTP is
 * somebody else's. hws_handshake_accept() does so by itself.
 *
 * @param key     The HWS_KEY_LEN bytes of Sec-WebSocket-Key.
 * @param accept  Set to the HWS_ACCEPT_LEN bytes of the answer, without NUL.
 */
HWS_API void hws_handshake_accept_value(const uint8_t *key, uint8_t *accept);

/**
 * Refuse a request for a reason that hawser found: append a response with the HTTP status of
 * `status` and its sentence as body. For other refusals there is hws_response_write().
 *
 * @param status  An error of hws_head_parse(), hws_handshake_parse() or hws_handshake_accept().
 * @param out     Buffer to append to.
 * @param cap     Its size; 512 bytes are always enough.
 * @param n       In and out: bytes in out.
 * @return        HWS_OK; HWS_ERR_ARGUMENT when hws_status_http(status) is 0; HWS_ERR_SPACE.
 */
HWS_API hws_status hws_handshake_reject(hws_status status, uint8_t *out, size_t cap, size_t *n);

/**
 * Fill a client configuration with the defaults: target "/", nothing else.
 *
 * @param config  The configuration.
 */
HWS_API void hws_client_config_init(hws_client_config *config);

/**
 * Append a client's handshake request, with a fresh key (RFC 6455 4.1).
 *
 * @param config  What to ask for.
 * @param random  Source of the key.
 * @param user    Handed to random.
 * @param key     Set to the key; needed by hws_handshake_verify().
 * @param out     Buffer to append to.
 * @param cap     Its size.
 * @param n       In and out: bytes in out.
 * @return        HWS_OK; HWS_ERR_ARGUMENT for an empty host, a target that does not start with "/",
 *                subprotocols that are not distinct tokens, or malformed extensions;
 *                HWS_ERR_FIELD; HWS_ERR_SPACE; HWS_ERR_RANDOM.
 */
HWS_API hws_status hws_handshake_request(const hws_client_config *config, hws_random random,
                                         void *user, hws_key *key, uint8_t *out, size_t cap,
                                         size_t *n);

/**
 * Verify the server's response (RFC 6455 4.1).
 *
 * Extensions in the response must have been offered by name; what their parameters mean is for
 * the code that implements them, which walks them with hws_extension_next().
 *
 * @param config    What was asked for.
 * @param key       The key that was sent; NULL for extended CONNECT.
 * @param head      A complete head of kind RESPONSE, or LIST for extended CONNECT.
 * @param buf       Its bytes.
 * @param accepted  Filled on HWS_OK and HWS_ERR_REFUSED.
 * @return          HWS_OK: the connection is open; HWS_ERR_REFUSED: the server answered as HTTP,
 *                  with head->status, fields and a body as head->body says; HWS_ERR_UPGRADE,
 *                  HWS_ERR_CONNECTION, HWS_ERR_ACCEPT, HWS_ERR_SUBPROTOCOL, HWS_ERR_EXTENSION,
 *                  HWS_ERR_HTTP_VERSION for a 101 of HTTP/1.0: not a WebSocket server, close the
 *                  socket; HWS_ERR_ARGUMENT for a missing key.
 */
HWS_API hws_status hws_handshake_verify(const hws_client_config *config, const hws_key *key,
                                        const hws_head *head, const uint8_t *buf,
                                        hws_accepted *accepted);

#ifdef __cplusplus
}
#endif

#endif
