/**
 * @file
 * Sec-WebSocket-Extensions as a list of names and parameters (RFC 6455 9.1).
 */
#ifndef HAWSER_EXTENSION_H
#define HAWSER_EXTENSION_H

#include <hawser/base.h>
#include <hawser/http.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a step over an extension list yields. */
enum {
    HWS_EXTENSION_END = 0,  /**< The list is at its end. */
    HWS_EXTENSION_NAME = 1, /**< The next extension starts. */
    HWS_EXTENSION_PARAM = 2 /**< A parameter of the extension that started last. */
};

/** Walks an extension list: one name or one parameter a step. */
typedef struct hws_extension {
    hws_list list;     /**< Private: the place between extensions. {0, 0} at the start. */
    hws_span rest;     /**< Private: what is left of the current extension. {0, 0} at the start. */
    hws_span name;     /**< The extension's or the parameter's name, a token. */
    hws_span value;    /**< The parameter's value, without quotes; a backslash of a quoted pair
                            is still in it. */
    uint8_t has_value; /**< 1 when there was a "=". */
    uint8_t quoted;    /**< 1 when the value was a quoted string. */
    uint8_t reserved[6]; /**< Zeros. */
} hws_extension;

/**
 * Step over the extension list of a head.
 *
 * @param head       A complete head.
 * @param buf        Its bytes.
 * @param extension  In and out: zeros at the start; name, value, has_value and quoted are results.
 * @return           HWS_EXTENSION_NAME, HWS_EXTENSION_PARAM or HWS_EXTENSION_END; or
 *                   HWS_ERR_EXTENSION where the grammar is broken: a name or value that is no token
 *                   (for a quoted value: after unescaping), an empty parameter, a missing value.
 */
HWS_API hws_status hws_extension_next(const hws_head *head, const uint8_t *buf,
                                      hws_extension *extension);

#ifdef __cplusplus
}
#endif

#endif
