/**
 * @file
 * UTF-8 by RFC 3629, incremental: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef HAWSER_UTF8_H
#define HAWSER_UTF8_H

#include <hawser/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Values of a validator's state that callers look at. All others mean: inside a code point. */
enum {
    HWS_UTF8_ACCEPT = 0, /**< Between two code points: the start, and the only good end. */
    HWS_UTF8_REJECT = 8  /**< A byte that no UTF-8 text has at this place. */
};

/**
 * Validate some bytes of a text that may have started before and may go on after them.
 *
 * The result does not depend on how the text was cut, and a wrong byte is found at the first place
 * where no valid text can go on (RFC 6455 8.1).
 *
 * @param state  In and out: HWS_UTF8_ACCEPT before the first call. A text is valid when it is
 *               HWS_UTF8_ACCEPT after its last byte. Must not be HWS_UTF8_REJECT on entry.
 * @param data   The bytes; may be NULL when len is 0.
 * @param len    Bytes in data.
 * @return       len when all bytes are good; else the index of the first bad byte, and *state is
 *               HWS_UTF8_REJECT.
 */
HWS_API size_t hws_utf8_validate(uint32_t *state, const uint8_t *data, size_t len);

#ifdef __cplusplus
}
#endif

#endif
