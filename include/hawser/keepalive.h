/**
 * @file
 * Time on one connection: Pings, and deadlines for everything that must not last for ever.
 *
 * A hws_endpoint has one of these. Programs that use conn.h alone can keep one beside a hws_conn:
 * tell it what happens, ask when to come back, and do what a tick says.
 *
 *     hws_keepalive_init(&k, now);               the socket is there
 *     hws_keepalive_opened(&k, nonce);           the handshake is done
 *     hws_keepalive_received(&k, in_frame);      bytes came
 *     switch (hws_keepalive_tick(&k, &config, now)) {
 *     case HWS_OK:                break;         come back at hws_keepalive_timeout()
 *     case HWS_EVENT:             …              send a Ping with hws_keepalive_ping()'s payload
 *     case HWS_ERR_PONG_TIMEOUT:                 close with 1011
 *     case HWS_ERR_IDLE:                         close with 1001
 *     case HWS_ERR_STALLED, HWS_ERR_TIMEOUT:     end the connection: nothing will come through
 *     }
 *
 * The rules (RFC 6455 5.5.2, 5.5.3):
 * - A Ping is due when nothing has come for ping_after_ms. Bytes of any kind end the silence.
 * - One Ping at a time is outstanding; while it is, no other is due.
 * - A Pong with the payload of that Ping, or of a Ping sent after it, clears it: a peer may answer
 * the newest alone. Other Pongs do nothing but end the silence.
 * - Without it the connection fails pong_timeout_ms after the Ping. While receiving is paused that
 * deadline stands still: the Pong may lie in a buffer that nobody reads. Inside a data frame, where
 * no Pong can come, pong_timeout_ms runs from the last bytes of the frame; at its end the deadline
 * goes on where it stood at its start.
 *
 * Clocks. All times are milliseconds of a clock of the caller, from any start. What matters is only
 * how far it moves between ticks: one that goes back counts as one that stands still. What is told
 * between two ticks happens at the first of them.
 *
 * A deadline that is found more than HWS_LATE_MS too late (the clock jumped, the machine slept, the
 * program was busy) is given once more in full before it counts: what would have met it may be
 * waiting to be read. Once, until what it waits for comes; then it may be late again. A Ping is no
 * deadline: found late it is due at once.
 *
 * Nothing here allocates or fails. A hws_keepalive is a value and may be moved or copied.
 */
#ifndef HAWSER_KEEPALIVE_H
#define HAWSER_KEEPALIVE_H

#include <hawser/base.h>
#include <hawser/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Sizes and special values. */
enum {
    HWS_KEEPALIVE_PING_LEN = 8, /**< Bytes in the payload of a keepalive's Ping. */
    HWS_LATE_MS = 1000          /**< A deadline found later than this is given once more. */
};

/** A time that does not come. */
#define HWS_NEVER UINT64_MAX

/** How long things may last, in milliseconds; 0: for ever. May change between calls. */
typedef struct hws_keepalive_config {
    uint32_t open_timeout_ms;  /**< From init to opened. Default 10,000. */
    uint32_t ping_after_ms;    /**< Silence of the peer after which a Ping is due; 0: no Pings.
                                    Default 20,000. */
    uint32_t pong_timeout_ms;  /**< From a Ping to its Pong. With 0 a Ping that is not answered
                                    remains the last. Default 20,000. */
    uint32_t idle_timeout_ms;  /**< Without a message in either direction; Pings do not count.
                                    Default 0. */
    uint32_t close_timeout_ms; /**< From the start of the closing handshake to the end of the
                                    stream. Default 10,000. */
    uint32_t stall_timeout_ms; /**< While output waits, without one byte of it being taken. Default
                                    30,000. */
} hws_keepalive_config;

/** Time on one connection. The content is private. */
typedef struct hws_keepalive {
    uint64_t opaque[14]; /**< Private. */
} hws_keepalive;

/**
 * Fill a configuration with the defaults.
 *
 * @param config  The configuration.
 */
HWS_API void hws_keepalive_config_init(hws_keepalive_config *config);

/**
 * Start, with a connection whose opening handshake begins now.
 *
 * @param keepalive  Where to keep it; what it held does not matter.
 * @param now_ms     The clock.
 */
HWS_API void hws_keepalive_init(hws_keepalive *keepalive, uint64_t now_ms);

/**
 * The connection is open: Pings and the idle timeout begin.
 *
 * @param keepalive  In the opening phase; later calls do nothing.
 * @param nonce      Goes into the payload of Pings. Where the peer cannot guess it he cannot answer
 *                   before he is asked.
 */
HWS_API void hws_keepalive_opened(hws_keepalive *keepalive, uint32_t nonce);

/**
 * The closing begins: no more Pings, of the timeouts only those for closing and for output that
 * waits are left. Later calls do nothing.
 *
 * @param keepalive  A connection's.
 */
HWS_API void hws_keepalive_closing(hws_keepalive *keepalive);

/**
 * Bytes came from the peer.
 *
 * @param keepalive  A connection's.
 * @param in_frame   1 when they end inside the payload of a data frame; else 0.
 */
HWS_API void hws_keepalive_received(hws_keepalive *keepalive, uint8_t in_frame);

/**
 * A message, or a piece of one, was received or sent: the idle timeout starts anew. That bytes came
 * is told with hws_keepalive_received() as well.
 *
 * @param keepalive  A connection's.
 */
HWS_API void hws_keepalive_message(hws_keepalive *keepalive);

/**
 * A Pong came.
 *
 * @param keepalive  A connection's.
 * @param payload    Its payload; NULL when len is 0.
 * @param len        Its bytes.
 * @return           1 when it clears the outstanding Ping. If it answers that very Ping, and none
 *                   that was sent later, it sets the latency. Else 0.
 */
HWS_API uint8_t hws_keepalive_pong(hws_keepalive *keepalive, const uint8_t *payload, size_t len);

/**
 * The application sent a Ping of its own: a Pong for the newest of those clears an outstanding
 * Ping that was sent before it. Payloads are told apart by a digest of 64 bits.
 *
 * @param keepalive  A connection's.
 * @param payload    The Ping's payload; NULL when len is 0.
 * @param len        Its bytes.
 */
HWS_API void hws_keepalive_pinged(hws_keepalive *keepalive, const uint8_t *payload, size_t len);

/**
 * Output was taken by the socket, or was queued.
 *
 * @param keepalive  A connection's.
 * @param taken      Bytes that were taken.
 * @param waiting    Bytes that wait now.
 */
HWS_API void hws_keepalive_sent(hws_keepalive *keepalive, size_t taken, size_t waiting);

/**
 * Receiving is paused, or goes on.
 *
 * @param keepalive  A connection's.
 * @param paused     1 or 0.
 */
HWS_API void hws_keepalive_pause(hws_keepalive *keepalive, uint8_t paused);

/**
 * Write the payload of the Ping that is due, which is outstanding from now on. When one is so
 * already, that one remains it, and an answer to the new one clears it too.
 *
 * @param keepalive  An open connection's.
 * @param payload    Set to the HWS_KEEPALIVE_PING_LEN bytes: nonce and a count.
 */
HWS_API void hws_keepalive_ping(hws_keepalive *keepalive, uint8_t *payload);

/**
 * When to tick next.
 *
 * @param keepalive  A connection's.
 * @param config     How long things may last; may change between calls.
 * @return           A time of the caller's clock, not before the last tick; that of the last tick
 *                   when something is due already: tick at once. HWS_NEVER when there is nothing to
 *                   wait for, or when it is too far away for the clock.
 */
HWS_API uint64_t hws_keepalive_timeout(const hws_keepalive *keepalive,
                                       const hws_keepalive_config *config);

/**
 * Tell the time, and learn what is due. Call it whenever the program wakes, before it tells what
 * happened.
 *
 * @param keepalive  A connection's.
 * @param config     As above.
 * @param now_ms     The clock.
 * @return           HWS_OK; HWS_EVENT: a Ping is due, send it or be told again; errors, which come
 *                   again with each tick while they hold: HWS_ERR_PONG_TIMEOUT and HWS_ERR_IDLE
 *                   while open (then hws_keepalive_closing() ends them); HWS_ERR_TIMEOUT for the
 *                   opening or the closing; HWS_ERR_STALLED. When several hold, the first of
 *                   TIMEOUT, STALLED, PONG_TIMEOUT, IDLE.
 */
HWS_API hws_status hws_keepalive_tick(hws_keepalive *keepalive, const hws_keepalive_config *config,
                                      uint64_t now_ms);

/**
 * How long there has been no message in either direction, as the ticks saw it.
 *
 * @param keepalive  An open connection's.
 * @return           Milliseconds since the last hws_keepalive_message(), or since it opened; or
 *                   since idle_timeout_ms was found late, and given once more.
 */
HWS_API uint64_t hws_keepalive_quiet_ms(const hws_keepalive *keepalive);

/**
 * How long the last answered Ping took, from hws_keepalive_ping() to hws_keepalive_pong(), as the
 * ticks saw it; with all the time that its deadline stood still.
 *
 * @param keepalive  A connection's.
 * @return           Milliseconds, at most UINT32_MAX - 1; UINT32_MAX while none was answered.
 */
HWS_API uint32_t hws_keepalive_latency_ms(const hws_keepalive *keepalive);

#ifdef __cplusplus
}
#endif

#endif
