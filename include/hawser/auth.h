/**
 * @file
 * Who is asking: credentials, tokens and cookies in a request, and how a server asks for them.
 *
 *     status = hws_auth_read_basic(head, buf, room, sizeof room, &n, &user, &password);
 *     known = status == HWS_OK && hws_secret_equal(user, our_user) &
 *                                 hws_secret_equal(password, our_password);
 *
 * A browser cannot set fields of a WebSocket handshake: from there come Basic credentials that the
 * user typed in, cookies, or a token in the query, never a Bearer token. Cookies come with requests
 * that pages of other sites make as well (RFC 6455 10.2): whoever trusts them needs an origin
 * policy too. A query ends up in the logs of proxies: a token in one should be short-lived.
 *
 * All that read take a complete head of a request, of any kind, and tell three cases apart: HWS_OK;
 * HWS_ERR_ABSENT, for which a server answers 401 with a challenge; and HWS_ERR_FIELD, for which it
 * answers 400. A result is set to the empty text unless they return HWS_OK.
 *
 * Control characters, which are refused, are those of ASCII: of others (U+0085, U+009B) whoever
 * writes texts to a log or a terminal has to think.
 */
#ifndef HAWSER_AUTH_H
#define HAWSER_AUTH_H

#include <hawser/base.h>
#include <hawser/http.h>
#include <hawser/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Read Basic credentials from the Authorization field of a request (RFC 7617 2).
 *
 * They are bytes: UTF-8 when the challenge had charset="UTF-8" and the client minds it (2.1), which
 * is not checked here. User and password may be empty; the password may hold colons.
 *
 * @param head      A complete head.
 * @param buf       Its bytes.
 * @param out       Buffer to append the decoded bytes to; user and password lie in it. They are not
 *                  wiped: that is up to the caller.
 * @param cap       Its size.
 * @param n         In and out: bytes in out.
 * @param user      Set to the user name.
 * @param password  Set to the password.
 * @return          HWS_OK; HWS_ERR_ABSENT for no Authorization field, or one of another scheme;
 *                  HWS_ERR_SPACE; HWS_ERR_FIELD for several Authorization fields, what is no Base64
 *                  in its shortest and padded form (RFC 4648 4, 3.5), no colon, or a control
 *                  character.
 */
HWS_API hws_status hws_auth_read_basic(const hws_head *head, const uint8_t *buf, uint8_t *out,
                                       size_t cap, size_t *n, hws_text *user, hws_text *password);

/**
 * Read a Bearer token from the Authorization field of a request (RFC 6750 2.1).
 *
 * @param head   A complete head.
 * @param buf    Its bytes.
 * @param token  Set to the token, in buf.
 * @return       HWS_OK; HWS_ERR_ABSENT for no Authorization field, or one of another scheme;
 *               HWS_ERR_FIELD for several Authorization fields, or what is no token68 (RFC 9110
 *               11.2).
 */
HWS_API hws_status hws_auth_read_bearer(const hws_head *head, const uint8_t *buf, hws_text *token);

/**
 * Write Basic credentials as the value of an Authorization field: "Basic …" (RFC 7617 2).
 *
 * For clients; hws_uri_authorization() does the same for those that stand in a URI.
 *
 * @param user      User name, without colon; in UTF-8, if it is not ASCII.
 * @param password  Password.
 * @param out       Buffer to append to.
 * @param cap       Its size.
 * @param n         In and out: bytes in out.
 * @return          HWS_OK; HWS_ERR_FIELD for a colon in the user name, or a control character in
 *                  either; HWS_ERR_SPACE.
 */
HWS_API hws_status hws_auth_write_basic(hws_text user, hws_text password, uint8_t *out, size_t cap,
                                        size_t *n);

/**
 * Write a challenge, the value of a WWW-Authenticate field (RFC 9110 11.6.1), which a response of
 * 401 needs:
 *
 *     Basic realm="chat", charset="UTF-8"
 *     Bearer realm="chat", error="invalid_token"
 *
 * @param scheme  "Basic" (RFC 7617 2), "Bearer" (RFC 6750 3) or another token.
 * @param realm   What is protected, for people and for password stores. May be empty.
 * @param params  More parameters; NULL when count is 0.
 * @param count   Number of params.
 * @param out     Buffer to append to.
 * @param cap     Its size.
 * @param n       In and out: bytes in out.
 * @return        HWS_OK; HWS_ERR_FIELD for a scheme or name that is no token, a second realm, or a
 *                control character in a text; HWS_ERR_SPACE.
 */
HWS_API hws_status hws_auth_write_challenge(hws_text scheme, hws_text realm,
                                            const hws_field *params, size_t count, uint8_t *out,
                                            size_t cap, size_t *n);

/**
 * Read a parameter from the query of a request target: "/chat?token=abc&room=7".
 *
 * Names and values are percent-decoded (RFC 3986 2.1), and a "+" is a plus sign: in a query it is
 * one, and tokens may hold some. A space is %20. A parameter without "=" has an empty value. For
 * one that is there twice, proxy and server could take a different one: that is refused, as in
 * RFC 6749 3.1. What is wrong with other parameters does not matter.
 *
 * @param head   A complete head.
 * @param buf    Its bytes.
 * @param name   Name of the parameter, plain; its case matters. "access_token" is that of RFC 6750
 *               2.3.
 * @param out    Buffer to append the decoded value to.
 * @param cap    Its size.
 * @param n      In and out: bytes in out.
 * @param value  Set to the value, in out.
 * @return       HWS_OK; HWS_ERR_ABSENT; HWS_ERR_SPACE; HWS_ERR_FIELD for a parameter that is there
 *               twice, a "%" without two hexadecimal digits in its value, or a control character.
 */
HWS_API hws_status hws_query_find(const hws_head *head, const uint8_t *buf, hws_text name,
                                  uint8_t *out, size_t cap, size_t *n, hws_text *value);

/**
 * Find a cookie by name, over all Cookie fields of a request (RFC 6265 4.2.1, RFC 9113 8.2.3).
 *
 * The first of several is taken: browsers put the one with the longest path there. Other cookies
 * may be malformed: they are not the server's alone.
 *
 * @param head   A complete head.
 * @param buf    Its bytes.
 * @param name   Name of the cookie; its case matters.
 * @param value  Set to the value, in buf, without the quotes that may stand around it. It is not
 *               decoded: cookies have no encoding of their own.
 * @return       HWS_OK; HWS_ERR_ABSENT; HWS_ERR_FIELD for a value with a byte that none may have:
 *               white space, a quote inside, a comma, a backslash, or one outside ASCII.
 */
HWS_API hws_status hws_cookie_find(const hws_head *head, const uint8_t *buf, hws_text name,
                                   hws_text *value);

/**
 * Whether two texts are the same, in a time that depends on their lengths only: how much of a guess
 * was right cannot be measured.
 *
 * Join several with "&", not "&&", which would tell that the user name was right. The length of the
 * secret can be measured: give tokens of one length, or hashes. Two empty texts are the same: do
 * not start with a secret that is empty.
 *
 * @param given   What the peer sent.
 * @param secret  What it should be.
 * @return        1 or 0.
 */
HWS_API uint8_t hws_secret_equal(hws_text given, hws_text secret);

#ifdef __cplusplus
}
#endif

#endif
