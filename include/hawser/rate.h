/**
 * @file
 * Rate limits: a token bucket on the caller's clock.
 *
 * A bucket holds up to `burst` tokens and gains `per_second`, a thousandth of that in each
 * millisecond, without rounding. What is to be limited takes tokens: one a message, or one a byte.
 * A hws_endpoint has one for messages and one for bytes; a server may keep others, for example one
 * for each address.
 *
 * Nothing here allocates or fails. A hws_rate is a value and may be moved or copied.
 */
#ifndef HAWSER_RATE_H
#define HAWSER_RATE_H

#include <hawser/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A limit. Zeros: none. May change between calls. */
typedef struct hws_rate_config {
    uint32_t per_second; /**< Tokens that a bucket gains; 0: no limit. */
    uint32_t burst;      /**< Tokens that it holds at most, and at the start; 0: as per_second. */
} hws_rate_config;

/** One bucket. The content is private. */
typedef struct hws_rate {
    uint64_t opaque[2]; /**< Private. */
} hws_rate;

/**
 * Start with a full bucket.
 *
 * @param rate    Where to keep it.
 * @param config  The limit.
 * @param now_ms  The clock, in milliseconds.
 */
HWS_API void hws_rate_init(hws_rate *rate, const hws_rate_config *config, uint64_t now_ms);

/**
 * Take tokens.
 *
 * More than a whole bucket can be taken from a full one, which then owes the rest: a message that
 * is longer than `burst` passes when nothing came for a while. A clock that goes back counts as one
 * that stands still.
 *
 * @param rate    A bucket.
 * @param config  The limit.
 * @param now_ms  The clock.
 * @param tokens  How many. None can always be taken; of more than 2^52 at a time the rest is free.
 * @return        1: they were there, or there is no limit; 0: they were not, and none was taken.
 */
HWS_API uint8_t hws_rate_take(hws_rate *rate, const hws_rate_config *config, uint64_t now_ms,
                              uint64_t tokens);

#ifdef __cplusplus
}
#endif

#endif
