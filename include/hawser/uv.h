/**
 * @file
 * Connections in a loop of libuv, as server and as client.
 *
 *     static void on_event(hws_uv *ws, const hws_event *ev) {
 *         hws_endpoint *ep = hws_uv_endpoint(ws);
 *         switch (ev->type) {
 *         case HWS_REQUEST: hws_endpoint_accept(ep, &accept); break;
 *         case HWS_TEXT:
 *         case HWS_BINARY: hws_endpoint_send(ep, ev->type, HWS_WHOLE, ev->data, ev->len);
 *         }
 *     }
 *
 *     hws_uv_config_init(&config);
 *     config.on_event = on_event;
 *     hws_uv_hub_open(uv_default_loop(), &config, &hub);
 *     hws_uv_hub_listen(hub, "127.0.0.1", 9001);
 *     uv_run(uv_default_loop(), UV_RUN_DEFAULT);
 *
 * A hub is what a program has once for each loop: addresses that it listens on, connections of both
 * roles, and how they behave. Nothing happens but in callbacks of libuv and in calls of the
 * program, and on_event() is only called by callbacks of libuv.
 *
 * The endpoint of a connection is used by the calls of endpoint.h: all but init, connect, open,
 * next, output, sent, tick, receive_eof and release, which are the hub's. They may be called at any
 * time in the thread of the loop, inside on_event() or not, for any connection. What is sent in one
 * turn of the loop is written by one call to the system, before the loop waits again.
 *
 * A hws_uv is there until its HWS_END has been handed out, which is the last event.
 *
 * Limits. Above max_connections a client is answered 503 with Retry-After. The deadlines of the
 * endpoint's configuration count; that of the opening handshake covers resolving, connecting and
 * TLS, too.
 *
 * A hub keeps the loop alive while it listens or has connections, and not by posts that may come.
 * The loop can be closed when on_closed() of its hubs has been called.
 *
 * Signals. A write to a connection that the peer has closed raises SIGPIPE on some systems: ignore
 * it, as all programs do that use libuv.
 *
 * Threads. All calls are for the thread of the loop but hws_uv_hub_post().
 */
#ifndef HAWSER_UV_H
#define HAWSER_UV_H

#include <hawser/base.h>
#include <hawser/endpoint.h>
#include <hawser/filter.h>
#include <hawser/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A loop: uv_loop_t. */
struct uv_loop_s;
/** A stream: uv_stream_t. */
struct uv_stream_s;

/** The addresses that a hub can listen on. */
enum { HWS_UV_MAX_LISTENERS = 8 };

/** For hws_uv_hub_close(): no deadline. */
enum { HWS_UV_FOREVER = -1 };

/** One connection. */
typedef struct hws_uv hws_uv;

/** The connections of one loop. */
typedef struct hws_uv_hub hws_uv_hub;

/**
 * Is told of each event of a connection. It must not run the loop.
 *
 * @param ws     The connection; with HWS_END until this call returns.
 * @param event  What happened, as hws_endpoint_next() tells it. Its data lives until the call
 *               returns.
 */
typedef void (*hws_uv_on_event)(hws_uv *ws, const hws_event *event);

/**
 * Takes what hws_uv_hub_post() handed over.
 *
 * @param hub     The hub.
 * @param posted  What was posted.
 */
typedef void (*hws_uv_on_posted)(hws_uv_hub *hub, void *posted);

/**
 * Is told that a hub is gone: all its handles are closed, its memory is released.
 *
 * @param user  What the configuration gave beside the function.
 */
typedef void (*hws_uv_on_closed)(void *user);

/**
 * Is told that the stream that the program gave to hws_uv_hub_accept() is closed: the memory is the
 * program's again.
 *
 * @param stream  A uv_stream_t.
 */
typedef void (*hws_uv_on_stream_closed)(struct uv_stream_s *stream);

/** How a hub works. Start from hws_uv_config_init(). */
typedef struct hws_uv_config {
    uint32_t size;              /**< sizeof(hws_uv_config), set by ..._init(). */
    uint32_t max_connections;   /**< Accepted ones at a time. Default 10,000. */
    uint32_t retry_after_s;     /**< Retry-After of those above it, in seconds. Default 10. */
    uint32_t buffer_len;        /**< Bytes that are read in one call. Default 65,536. */
    uint32_t backlog;           /**< Connections that may wait to be accepted. Default 1,024. */
    uint32_t max_posted;        /**< Posts that may wait to be taken. Default 4,096. */
    hws_endpoint_config server; /**< How accepted connections behave. The allocator is that of the
                                     whole hub; default hws_system_allocator(), and random
                                     hws_entropy. `ready` is the hub's. */
    hws_endpoint_config client; /**< How connections behave that the program makes; likewise. */
    const hws_filter *server_filter; /**< TLS of accepted connections; NULL: none. */
    const hws_filter *client_filter; /**< TLS for wss; NULL: none. */
    hws_uv_on_event on_event;        /**< Must be set. */
    hws_uv_on_posted on_posted;      /**< Needed by hws_uv_hub_post(). */
    hws_uv_on_closed on_closed;      /**< NULL: nobody wants to know. */
    void *user;                      /**< hws_uv_hub_user(), and handed to on_closed. */
} hws_uv_config;

/**
 * Fill a configuration with the defaults. on_event is to be set then.
 *
 * @param config  The configuration.
 */
HWS_API void hws_uv_config_init(hws_uv_config *config);

/**
 * Make a hub without connections.
 *
 * @param loop    A uv_loop_t.
 * @param config  How it works; copied, but what it points to must live as long as the hub.
 * @param hub     Set to the hub on HWS_OK.
 * @return        HWS_OK; HWS_ERR_ARGUMENT, also for endpoint configurations that
 *                hws_endpoint_init() turns down; HWS_ERR_MEMORY; HWS_ERR_SYSTEM.
 */
HWS_API hws_status hws_uv_hub_open(struct uv_loop_s *loop, const hws_uv_config *config,
                                   hws_uv_hub **hub);

/**
 * Close a hub: stop listening, let all connections end as by hws_endpoint_go_away(), and drop at
 * the deadline those that are left, with HWS_ERR_TIMEOUT. Their events go on to come; when the last
 * has ended the hub is released, and on_closed() called.
 *
 * May be called again, to change the deadline.
 *
 * @param hub         A hub.
 * @param timeout_ms  Milliseconds until the deadline; 0 drops all at once; HWS_UV_FOREVER leaves it
 *                    to the close timeouts.
 */
HWS_API void hws_uv_hub_close(hws_uv_hub *hub, int32_t timeout_ms);

/**
 * Listen on a TCP address. May be called again for more, up to HWS_UV_MAX_LISTENERS in all.
 *
 * @param hub   A hub.
 * @param host  Name or address to bind, NUL-terminated. A name is resolved in this call.
 * @param port  Port; 0 lets the system choose: hws_uv_hub_port().
 * @return      HWS_OK; HWS_ERR_RESOLVE; HWS_ERR_SYSTEM; HWS_ERR_MEMORY; HWS_ERR_FULL;
 *              HWS_ERR_STATE when it closes.
 */
HWS_API hws_status hws_uv_hub_listen(hws_uv_hub *hub, const char *host, uint16_t port);

/**
 * The port of the first address that a hub listens on.
 *
 * @param hub  A hub.
 * @return     The port; 0 for none.
 */
HWS_API uint16_t hws_uv_hub_port(const hws_uv_hub *hub);

/**
 * Serve a stream that the program has accepted itself: TCP, a pipe, or anything else that uv_read_
 * start() and uv_write() take.
 *
 * On HWS_OK the stream is the hub's, with its `data`, until `closed` is called, which is after
 * HWS_END. Otherwise it is the program's still.
 *
 * @param hub     A hub.
 * @param stream  A uv_stream_t of the hub's loop, open in both directions, that nobody reads.
 * @param closed  Called when the stream is closed.
 * @param ws      Set to the connection; NULL if not wanted. HWS_REQUEST follows.
 * @return        HWS_OK; HWS_ERR_MEMORY; HWS_ERR_FULL above max_connections; HWS_ERR_TLS when the
 *                filter cannot start; HWS_ERR_STATE when the hub closes.
 */
HWS_API hws_status hws_uv_hub_accept(hws_uv_hub *hub, struct uv_stream_s *stream,
                                     hws_uv_on_stream_closed closed, hws_uv **ws);

/**
 * Connect to a WebSocket URL as a client. HWS_OPEN follows, or HWS_END with the reason in
 * hws_endpoint_status(): HWS_ERR_RESOLVE, HWS_ERR_CONNECT, HWS_ERR_TIMEOUT and others.
 *
 * Nothing is waited for in this call. All addresses of the name are tried in order, each with an
 * equal share of the time that is left of the open timeout.
 *
 * @param hub     A hub.
 * @param url     "ws://…" or "wss://…", NUL-terminated; not needed after the call.
 * @param client  What to ask for; host and target are taken from the URL, and Authorization from
 *                its userinfo when there is no such field. What it points to must live until
 *                HWS_OPEN or HWS_END. NULL for nothing else.
 * @param user    What hws_uv_user() shall return.
 * @param ws      Set to the connection; NULL if not wanted.
 * @return        HWS_OK; HWS_ERR_URI_…; HWS_ERR_TLS for wss without filter, or when it cannot
 *                start; HWS_ERR_RESOLVE for a name that is too long; HWS_ERR_MEMORY;
 *                HWS_ERR_ARGUMENT, HWS_ERR_FIELD, HWS_ERR_RANDOM as hws_handshake_request();
 *                HWS_ERR_STATE when the hub closes.
 */
HWS_API hws_status hws_uv_hub_connect(hws_uv_hub *hub, const char *url,
                                      const hws_client_config *client, void *user, hws_uv **ws);

/**
 * Hand something to the thread of the loop: on_posted() is called there, in the order of posts.
 * From any thread, but not from signal handlers.
 *
 * What was posted with HWS_OK is delivered, before on_closed() at the latest. After that there is
 * no hub to post to: stop the threads before.
 *
 * @param hub     A hub.
 * @param posted  What to hand over.
 * @return        HWS_OK; HWS_ERR_FULL when max_posted wait; HWS_ERR_STATE without on_posted, and
 *                when the hub has taken its last.
 */
HWS_API hws_status hws_uv_hub_post(hws_uv_hub *hub, void *posted);

/**
 * Send a prepared message to all connections that the hub has accepted and that are open, whose
 * messages are not inside one.
 *
 * @param hub       A hub.
 * @param prepared  The message.
 * @param slow      HWS_SLOW_…, for those that read too slowly.
 * @return          Connections that got it.
 */
HWS_API uint32_t hws_uv_hub_broadcast(hws_uv_hub *hub, hws_prepared *prepared, uint8_t slow);

/**
 * Connections of a hub, those in their handshakes included.
 *
 * @param hub  A hub.
 * @return     Their number.
 */
HWS_API uint32_t hws_uv_hub_count(const hws_uv_hub *hub);

/**
 * Walk all connections of a hub, of both roles, in the order in which they came.
 *
 * @param hub    A hub.
 * @param after  NULL for the first, or the connection that came last.
 * @return       The next connection; NULL at the end.
 */
HWS_API hws_uv *hws_uv_hub_next(const hws_uv_hub *hub, const hws_uv *after);

/**
 * The `user` of a hub's configuration.
 *
 * @param hub  A hub.
 * @return     It.
 */
HWS_API void *hws_uv_hub_user(const hws_uv_hub *hub);

/**
 * The error of libuv behind the last HWS_ERR_SYSTEM or _RESOLVE of a hub.
 *
 * @param hub  A hub.
 * @return     UV_E…, for uv_strerror(); 0 for none.
 */
HWS_API int32_t hws_uv_hub_error(const hws_uv_hub *hub);

/**
 * The endpoint of a connection.
 *
 * @param ws  A connection.
 * @return    Its endpoint.
 */
HWS_API hws_endpoint *hws_uv_endpoint(hws_uv *ws);

/**
 * The connection that an endpoint belongs to.
 *
 * @param endpoint  The endpoint of a connection.
 * @return          The connection.
 */
HWS_API hws_uv *hws_uv_of(const hws_endpoint *endpoint);

/**
 * The filter of a connection, to be asked: hws_tls_describe() for example.
 *
 * @param ws  A connection.
 * @return    What the filter's make() has made; NULL without filter.
 */
HWS_API void *hws_uv_filter_state(const hws_uv *ws);

/**
 * The hub of a connection.
 *
 * @param ws  A connection.
 * @return    Its hub.
 */
HWS_API hws_uv_hub *hws_uv_get_hub(const hws_uv *ws);

/**
 * The role of a connection.
 *
 * @param ws  A connection.
 * @return    HWS_ROLE_SERVER when it was accepted, HWS_ROLE_CLIENT when it was made.
 */
HWS_API uint8_t hws_uv_role(const hws_uv *ws);

/**
 * What the application keeps for a connection.
 *
 * @param ws  A connection.
 * @return    What hws_uv_set_user() or hws_uv_hub_connect() was given last; NULL at first.
 */
HWS_API void *hws_uv_user(const hws_uv *ws);

/**
 * Keep something for a connection.
 *
 * @param ws    A connection.
 * @param user  What to keep.
 */
HWS_API void hws_uv_set_user(hws_uv *ws, void *user);

/**
 * The stream of a connection, for uv_tcp_getpeername() for example. Its `data` is the hub's.
 *
 * @param ws  A connection.
 * @return    The uv_stream_t; NULL while a client is not connected.
 */
HWS_API struct uv_stream_s *hws_uv_stream(hws_uv *ws);

/**
 * The error of libuv that ended a connection, with HWS_ERR_RESET, _CONNECT, _RESOLVE or _SYSTEM.
 *
 * @param ws  A connection.
 * @return    UV_E…, for uv_strerror(); 0 for none.
 */
HWS_API int32_t hws_uv_error(const hws_uv *ws);

#ifdef __cplusplus
}
#endif

#endif
