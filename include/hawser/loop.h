/**
 * @file
 * Many connections in one thread: sockets, timers and endpoints behind one call.
 *
 *     hws_loop_config_init(&config);
 *     hws_loop_init(&loop, &config);
 *     hws_loop_listen(&loop, "127.0.0.1", 9001);
 *     while ((status = hws_loop_next(&loop, &item, HWS_FOREVER)) == HWS_EVENT) {
 *         switch (item.event.type) {
 *         case HWS_REQUEST: hws_endpoint_accept(item.endpoint, &accept); break;
 *         case HWS_TEXT:
 *         case HWS_BINARY: hws_endpoint_send(item.endpoint, item.event.type, HWS_WHOLE,
 *                                            item.event.data, item.event.len);
 *         }
 *     }
 *
 * There are no callbacks: next() waits, reads, and hands out one event of one connection at a time,
 * and between two calls the program does with any endpoint of the loop what it wants. What that
 * queues is written by the next calls; messages that are sent while events of one read are handed
 * out make one write.
 *
 * Connections are known by a hws_link, which is there until the call of next() that follows its
 * HWS_END. The endpoint of a link is used by the calls of endpoint.h: all but init, next, output,
 * sent, tick, receive_eof and release, which are the loop's.
 *
 * Limits. Above max_connections a client is answered 503 with Retry-After, and closed; as many as
 * 64 at a time, others wait in the queue of the system. Handshakes that take too long, peers that
 * are silent, idle or do not read, are ended by the deadlines of the endpoint's configuration. When
 * the system has no descriptor or memory for a connection, accepting rests for 100 ms.
 *
 * Threads. One loop, one thread at a time. For more threads make more loops: with `shared_port`
 * each listens on the same address and the system spreads connections over them. hws_loop_post()
 * alone may be called from any thread, and from a signal handler.
 *
 * The loop waits with epoll where there is one, else with poll(). It takes memory from the
 * allocator of the configuration: a link for each connection, some KiB more for one with work under
 * way, and buffers of its own once.
 */
#ifndef HAWSER_LOOP_H
#define HAWSER_LOOP_H

#include <hawser/base.h>
#include <hawser/blocking.h>
#include <hawser/endpoint.h>
#include <hawser/filter.h>
#include <hawser/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How a loop waits for its sockets. */
enum {
    HWS_LOOP_BEST = 0, /**< The best that the system has. */
    HWS_LOOP_POLL = 1, /**< poll(): everywhere; the time of a call grows with the connections. */
    HWS_LOOP_EPOLL = 2 /**< epoll: Linux. */
};

/** The event of an item that came by hws_loop_post(). */
enum { HWS_POSTED = 64 };

/** One connection of a loop. */
typedef struct hws_link hws_link;

/** Room for a loop. The content is private. */
typedef struct hws_loop {
    void *opaque;         /**< Private. */
    int32_t system_error; /**< Private. */
} hws_loop;

/** How a loop works. Start from hws_loop_config_init(). */
typedef struct hws_loop_config {
    uint32_t size;              /**< sizeof(hws_loop_config), set by ..._init(). */
    uint8_t kind;               /**< HWS_LOOP_BEST, _POLL or _EPOLL. */
    uint8_t shared_port;        /**< 1: other loops may listen on the same address, and connections
                                     are spread over them (SO_REUSEPORT). Default 0. */
    uint8_t reserved[2];        /**< Zeros. */
    uint32_t max_connections;   /**< Accepted ones. Default 10,000. */
    uint32_t retry_after_s;     /**< Retry-After of those above it, in seconds. Default 10. */
    uint32_t buffer_len;        /**< Bytes that are read in one call. Default 65,536. */
    uint32_t backlog;           /**< Connections that may wait to be accepted. Default 1,024. */
    hws_endpoint_config server; /**< How accepted connections behave. Copied. The allocator is that
                                     of the whole loop; default hws_system_allocator(), and random
                                     hws_entropy. `ready` is the loop's. */
    const hws_filter *filter;   /**< TLS of accepted connections; NULL: none. */
} hws_loop_config;

/** What next() hands out. */
typedef struct hws_loop_item {
    hws_link *link;         /**< The connection; NULL with HWS_POSTED. */
    hws_endpoint *endpoint; /**< Its endpoint; NULL with HWS_POSTED. */
    void *posted;           /**< What was posted; NULL otherwise. */
    hws_event event;        /**< What happened; of HWS_POSTED only the type. */
} hws_loop_item;

/**
 * Fill a configuration with the defaults.
 *
 * @param config  The configuration.
 */
HWS_API void hws_loop_config_init(hws_loop_config *config);

/**
 * Start a loop without connections.
 *
 * @param loop    Where to keep it; must not move.
 * @param config  How it works; not needed after the call, but for what it points to.
 * @return        HWS_OK; HWS_ERR_ARGUMENT; HWS_ERR_MEMORY; HWS_ERR_SYSTEM.
 */
HWS_API hws_status hws_loop_init(hws_loop *loop, const hws_loop_config *config);

/**
 * Close all sockets at once, and let go of everything.
 *
 * @param loop  A loop, or one of zeros. May be called twice.
 */
HWS_API void hws_loop_release(hws_loop *loop);

/**
 * Listen on a TCP address. May be called again for more addresses, up to 8 in all.
 *
 * @param loop  A loop.
 * @param host  Name or address to bind.
 * @param port  Port; 0 lets the system choose: hws_loop_port().
 * @return      HWS_OK; HWS_ERR_RESOLVE; HWS_ERR_SYSTEM; HWS_ERR_FULL for a ninth; HWS_ERR_STATE
 *              when it shuts down.
 */
HWS_API hws_status hws_loop_listen(hws_loop *loop, const char *host, uint16_t port);

/**
 * Listen on a Unix socket.
 *
 * @param loop  A loop.
 * @param path  Its path, as hws_listener_open_unix().
 * @return      As hws_loop_listen().
 */
HWS_API hws_status hws_loop_listen_unix(hws_loop *loop, const char *path);

/**
 * The port of the first TCP address that the loop listens on.
 *
 * @param loop  A loop.
 * @return      The port; 0 for none.
 */
HWS_API uint16_t hws_loop_port(const hws_loop *loop);

/**
 * Connect to a WebSocket URL as a client. HWS_OPEN follows, or HWS_END with the reason in
 * hws_endpoint_status().
 *
 * The name is resolved in this call, which may take its time; connecting is not waited for. All
 * addresses are tried in order.
 *
 * @param loop    A loop.
 * @param url     "ws://…" or "wss://…", NUL-terminated.
 * @param config  How the endpoint behaves, with role HWS_ROLE_CLIENT; not copied: must live as
 *                long as the link, and `ready` must be hws_loop_ready(). With hold_input a client
 *                that sends much to who answers all of it waits for him as he waits for it: set 0.
 * @param client  As hws_blocking_connect(): host and target are taken from the URL. Must live until
 *                HWS_OPEN or HWS_END. NULL for none.
 * @param filter  TLS for wss; NULL: none.
 * @param link    Set to the connection.
 * @return        HWS_OK; HWS_ERR_URI_…; HWS_ERR_TLS for wss without filter, and
 *                else what the filter says; HWS_ERR_RESOLVE;
 *                HWS_ERR_CONNECT; HWS_ERR_MEMORY; HWS_ERR_ARGUMENT, HWS_ERR_FIELD; HWS_ERR_STATE
 *                when it shuts down.
 */
HWS_API hws_status hws_loop_connect(hws_loop *loop, const char *url,
                                    const hws_endpoint_config *config,
                                    const hws_client_config *client, const hws_filter *filter,
                                    hws_link **link);

/**
 * The list that the endpoints of a loop report to, for the configuration of its clients.
 *
 * @param loop  A loop.
 * @return      The list.
 */
HWS_API hws_ready *hws_loop_ready(hws_loop *loop);

/**
 * Wait for the next event of any connection. Writes what is queued before it waits.
 *
 * @param loop        A loop.
 * @param item        Filled on HWS_EVENT. Its data lives until the next call.
 * @param timeout_ms  Milliseconds to wait; 0 to look only; HWS_FOREVER, or another below 0.
 * @return            HWS_EVENT; HWS_ERR_TIMEOUT: nothing so far; HWS_OK: the loop was shut down and
 *                    the last connection has ended; HWS_ERR_SYSTEM: waiting itself failed.
 */
HWS_API hws_status hws_loop_next(hws_loop *loop, hws_loop_item *item, int32_t timeout_ms);

/**
 * Hand something to the loop's thread: its next() hands out HWS_POSTED. From any thread, and from
 * signal handlers.
 *
 * What was posted with HWS_OK is handed out before next() returns HWS_OK.
 *
 * @param loop    A loop; not while another thread releases it.
 * @param posted  What to hand over.
 * @return        HWS_OK; HWS_ERR_FULL when too much waits to be taken (some thousands);
 *                HWS_ERR_STATE for a loop of zeros, or one that was released; HWS_ERR_SYSTEM.
 */
HWS_API hws_status hws_loop_post(hws_loop *loop, void *posted);

/**
 * Shut down: stop listening, let all connections end as by hws_endpoint_go_away(), and drop at the
 * deadline those that are left, with HWS_ERR_TIMEOUT. Events go on to come; next() returns HWS_OK
 * when the last connection has ended and all that was posted is handed out. May be called again, to
 * change the deadline.
 *
 * @param loop        A loop.
 * @param timeout_ms  Milliseconds until the deadline; HWS_FOREVER leaves it to the close timeouts.
 */
HWS_API void hws_loop_shutdown(hws_loop *loop, int32_t timeout_ms);

/**
 * Connections of the loop, those in their handshakes included, without those whose HWS_END was
 * handed out.
 *
 * @param loop  A loop.
 * @return      Their number.
 */
HWS_API uint32_t hws_loop_count(const hws_loop *loop);

/**
 * Walk all connections. The order is that in which they came.
 *
 * @param loop   A loop.
 * @param after  NULL for the first, or the link that came last.
 * @return       The next link; NULL at the end.
 */
HWS_API hws_link *hws_loop_link(const hws_loop *loop, const hws_link *after);

/**
 * Send a prepared message to all connections that are open, whose messages are not inside one.
 *
 * @param loop      A loop.
 * @param prepared  The message.
 * @param slow      HWS_SLOW_…, for those that read too slowly.
 * @return          Connections that got it.
 */
HWS_API uint32_t hws_loop_broadcast(hws_loop *loop, hws_prepared *prepared, uint8_t slow);

/**
 * The clock of a loop: milliseconds, monotonic, as of its last wait.
 *
 * @param loop  A loop.
 * @return      Milliseconds.
 */
HWS_API uint64_t hws_loop_now(const hws_loop *loop);

/**
 * The error of the system behind the last HWS_ERR_SYSTEM or _RESOLVE of a loop.
 *
 * @param loop  A loop, or one that hws_loop_init() did not start.
 * @return      errno, behind HWS_ERR_RESOLVE what getaddrinfo() returned; 0 for none.
 */
HWS_API int32_t hws_loop_system_error(const hws_loop *loop);

/**
 * The endpoint of a connection.
 *
 * @param link  A connection.
 * @return      Its endpoint.
 */
HWS_API hws_endpoint *hws_link_endpoint(hws_link *link);

/**
 * The connection that an endpoint belongs to.
 *
 * @param endpoint  The endpoint of a link.
 * @return          The link.
 */
HWS_API hws_link *hws_link_of(const hws_endpoint *endpoint);

/**
 * What the application keeps for a connection.
 *
 * @param link  A connection.
 * @return      What hws_link_set_user() was given last; NULL at first.
 */
HWS_API void *hws_link_user(const hws_link *link);

/**
 * Keep something for a connection.
 *
 * @param link  A connection.
 * @param user  What to keep.
 */
HWS_API void hws_link_set_user(hws_link *link, void *user);

/**
 * The socket of a connection.
 *
 * @param link  A connection.
 * @return      The socket; -1 when there is none (any more).
 */
HWS_API intptr_t hws_link_socket(const hws_link *link);

/**
 * The state that a filter keeps for a connection, to be asked by the calls of its header.
 *
 * @param link  A connection.
 * @return      The state; NULL without a filter.
 */
HWS_API void *hws_link_filter_state(const hws_link *link);

/**
 * The error of the system that ended a connection, with HWS_ERR_RESET, _CONNECT or _SYSTEM.
 *
 * @param link  A connection.
 * @return      errno; 0 for none.
 */
HWS_API int32_t hws_link_system_error(const hws_link *link);

#ifdef __cplusplus
}
#endif

#endif
