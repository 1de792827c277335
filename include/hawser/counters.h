/**
 * @file
 * What happened on connections, in numbers: for a page of metrics, or a line in a log.
 *
 * The caller keeps a hws_counters and names it in the configuration of its endpoints, one for each
 * thread; sums of several are his to make.
 */
#ifndef HAWSER_COUNTERS_H
#define HAWSER_COUNTERS_H

#include <hawser/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What was counted, over all endpoints that share it. Only grows; may be set to zeros. */
typedef struct hws_counters {
    uint64_t opened;            /**< Handshakes that came to an open connection. */
    uint64_t refused;           /**< Requests that were answered with another status than 101. */
    uint64_t ended;             /**< Connections that were open and ended. */
    uint64_t bytes_received;    /**< Bytes given to next(), and consumed. */
    uint64_t bytes_sent;        /**< Bytes that sent() acknowledged. */
    uint64_t frames_received;   /**< Data and control frames. */
    uint64_t frames_sent;       /**< The same; counted when queued. */
    uint64_t messages_received; /**< Whole data messages. */
    uint64_t messages_sent;     /**< Data messages whose last piece was queued. */
    uint64_t pings_received;    /**< Pings. */
    uint64_t pings_sent;        /**< Pings: keepalive's and the application's. */
    uint64_t pongs_received;    /**< Pongs. */
    uint64_t pongs_sent;        /**< Pongs. */
    uint64_t errors[128];       /**< By status: errors[-status] connections ended with it. */
} hws_counters;

#ifdef __cplusplus
}
#endif

#endif
