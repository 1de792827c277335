/* Percent-encoding (RFC 3986 2.1), for all who read URIs and request targets. */
#ifndef HWS__HTTP_PERCENT_H
#define HWS__HTTP_PERCENT_H

#include "http.h"

static inline uint8_t hws__hex_value(uint8_t byte) {
    return (uint8_t)(hws__is_digit(byte) ? byte - '0' : (byte | 0x20) - 'a' + 10);
}

/* Whether "%" and two digits stand at `at`, which is in the text. */
static inline uint8_t hws__is_encoded(hws_text text, size_t at) {
    return text.data[at] == '%' && text.len - at > 2 && hws__is_hex((uint8_t)text.data[at + 1]) &&
           hws__is_hex((uint8_t)text.data[at + 2]);
}

/* The byte that "%XX" at `at` stands for. */
static inline uint8_t hws__decoded(hws_text text, size_t at) {
    return (uint8_t)(hws__hex_value((uint8_t)text.data[at + 1]) << 4 |
                     hws__hex_value((uint8_t)text.data[at + 2]));
}

#endif
