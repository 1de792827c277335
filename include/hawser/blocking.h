/**
 * @file
 * WebSocket connections over blocking sockets: the shortest way to a working program.
 *
 * A client:
 *
 *     hws_blocking_config_init(&config, memory, sizeof memory);
 *     if (hws_blocking_connect(&ws, "ws://127.0.0.1:9001/", &config, NULL) != HWS_OK) …
 *     hws_blocking_send(&ws, HWS_TEXT, HWS_WHOLE, data, len, 5000);
 *     while ((status = hws_blocking_receive(&ws, &ev, 5000)) == HWS_EVENT) { … }
 *     hws_blocking_close(&ws, HWS_CLOSE_NORMAL, NULL, 0);
 *     hws_blocking_release(&ws);
 *
 * A server: hws_listener_open(), hws_listener_accept(), then for each socket, in a thread of its
 * own, hws_blocking_read_request(), hws_blocking_accept() or hws_blocking_respond(), and the loop
 * above.
 *
 * What it does by itself: answers Pings and Closes; verifies the handshake; ends connections in the
 * order of RFC 6455 7.1.1, with a drain, so that the peer reads our last Close and not a reset;
 * TCP_NODELAY; no SIGPIPE; calls that a signal interrupted go on; deadlines count over all of a
 * call; messages are compressed where the configuration asks for it and both sides agree; TLS where
 * the configuration has a filter.
 *
 * Memory. A hws_blocking is a value in the caller's memory, and the caller gives it one block of
 * bytes to work with, which is shared equally: one share to receive, one to send; with compression
 * one more, for plain bytes; with a filter two more, for what comes from the wire and for what goes
 * to it. Nothing is allocated, but by the system's name resolver during connect, by the codec of a
 * compressed connection, and by the filter. It holds pointers to itself: do not move or copy it.
 *
 * TLS. With a filter (tls.h has one) all bytes go through it: a client's when the URL is wss://, a
 * server's always. Its handshake is part of the opening, and counts in open_timeout_ms. The end of
 * our side is told (close_notify) before writing is shut down, and before the socket is closed
 * without a fault. That of the peer is the end of the stream; a stream that ends without it is
 * HWS_ERR_EOF too, unless both Closes went through (conn.h), which no third party can feign. When
 * the filter fails, what it has to say (an alert) is sent, and the status is HWS_ERR_TLS.
 *
 * Threads. One connection, one thread at a time. A prepared message may be sent by many at once.
 *
 * Every connection that connect() or read_request() was called for, whatever it returned, needs
 * hws_blocking_release() at the end.
 */
#ifndef HAWSER_BLOCKING_H
#define HAWSER_BLOCKING_H

#include <hawser/base.h>
#include <hawser/conn.h>
#include <hawser/deflate.h>
#include <hawser/filter.h>
#include <hawser/frame.h>
#include <hawser/handshake.h>
#include <hawser/http.h>
#include <hawser/message.h>
#include <hawser/prepared.h>
#include <hawser/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Sizes and special values. */
enum {
    HWS_BLOCKING_MIN_MEMORY = 4096,        /**< Bytes of working memory at least. */
    HWS_BLOCKING_MIN_FILTER_MEMORY = 8192, /**< The same with a filter. */
    HWS_BLOCKING_MAX_FIELDS = 64,          /**< Field lines in a head. */
    HWS_FOREVER = -1                       /**< A timeout: never. */
};

/** Room for one connection. The content is private. */
typedef struct hws_blocking {
    uint64_t opaque[320]; /**< Private. */
} hws_blocking;

/** Room for one listening socket. The content is private. */
typedef struct hws_listener {
    uint64_t opaque[32]; /**< Private. */
} hws_listener;

/**
 * Is told of each HTTP head that a connection sends or receives, for traces; called inside the
 * calls that do so. It must not call the connection. See trace.h for lines of text without secrets.
 *
 * @param user        What the configuration gave beside the function.
 * @param connection  The hws_blocking.
 * @param sent        1: a head that is sent; 0: one that was received.
 * @param head        The head.
 * @param bytes       The bytes that its spans refer to.
 */
typedef void (*hws_head_trace)(void *user, const void *connection, uint8_t sent,
                               const hws_head *head, const uint8_t *bytes);

/** How connections behave. Start from hws_blocking_config_init(). */
typedef struct hws_blocking_config {
    uint32_t size;           /**< sizeof(hws_blocking_config), set by ..._init(). */
    int32_t open_timeout_ms; /**< For connecting and the whole opening handshake. Default 10,000. */
    int32_t close_timeout_ms;  /**< For the closing handshake, again for the drain of a socket, and
                                    for the peer to take a reply such as a Pong. Default 10,000. */
    uint32_t deflate_count;    /**< Offers that `deflate` points to; 0 means 1. Default 0. */
    uint8_t *memory;           /**< Working memory of this connection, until its release. */
    size_t memory_len;         /**< Its bytes, at least HWS_BLOCKING_MIN_MEMORY, with filter
                                    HWS_BLOCKING_MIN_FILTER_MEMORY; a head must fit in one share:
                                    half of it, with deflate a third, with filter a quarter, with
                                    both a fifth. 65,536 serves well. */
    uint64_t max_message;      /**< As in hws_conn_config. */
    uint64_t max_fragments;    /**< As in hws_conn_config. */
    uint8_t close_sentence;    /**< As in hws_conn_config. */
    uint8_t gather;            /**< 1: a server's messages of up to 4 KiB are held back while more
                                    that was received waits to be looked at, and go out together:
                                    with the answer to the last of it, by the next receive that
                                    would wait, by closing, or when the working memory is full. For
                                    programs that answer what they receive at once. Default 0. */
    uint8_t reserved_bytes[6]; /**< Zeros. */
    const char *unix_path;     /**< connect(): a Unix socket to connect to instead of the URL's host
                                    and port. Default NULL. */
    hws_random random;         /**< Source of mask keys and keys. Default hws_entropy. */
    void *random_user;         /**< Handed to random. */
    const hws_deflate_params *deflate; /**< What a client offers, best first; what a server agrees
                                            to: one (RFC 7692 7.1). NULL, or the first with enabled
                                            0: no compression. Not needed after connect() or
                                            read_request(). Default NULL. */
    const hws_deflate_options *deflate_options; /**< How messages are compressed: needed with
                                                     deflate, and as long. Role and max_message are
                                                     those of the connection. */
    const hws_filter *filter; /**< TLS: for wss:// in connect(), and for all connections of
                                   read_request(). NULL: none. Must live until the release. Default
                                   NULL. */
    hws_trace trace;          /**< Is told of each frame: of one that is received before its payload
                                   is looked at, of a control frame with it, a faulty one without;
                                   of one that is sent when it is written. Default NULL: nobody. */
    hws_head_trace head_trace; /**< Is told of each head. Default NULL: nobody. */
    void *trace_user;          /**< Handed to both; their connection is the hws_blocking. */
} hws_blocking_config;

/**
 * Fill a configuration with the defaults.
 *
 * @param config      The configuration.
 * @param memory      Working memory for one connection.
 * @param memory_len  Its bytes.
 */
HWS_API void hws_blocking_config_init(hws_blocking_config *config, uint8_t *memory,
                                      size_t memory_len);

/**
 * Connect to a WebSocket URL and do the opening handshake (RFC 6455 4.1).
 *
 * All addresses of the host are tried in order until one takes the connection. Redirects are not
 * followed: their target is in the head. Userinfo in the URL is sent as Basic authorization. The
 * offers of config->deflate stand behind the extensions of `client`.
 *
 * @param ws      The connection.
 * @param url     "ws://host:port/path?query", or "wss://…" with a filter, NUL-terminated.
 * @param config  How it behaves.
 * @param client  Subprotocols, origin, extensions and more fields; host and target are taken from
 *                the URL. NULL for none.
 * @return        HWS_OK; HWS_ERR_URI_…; HWS_ERR_TLS for wss without filter, and when TLS failed;
 *                HWS_ERR_SPACE for a URL, extensions or offers that do not fit in the memory;
 *                HWS_ERR_MEMORY when the filter has none; HWS_ERR_RESOLVE, HWS_ERR_CONNECT,
 *                HWS_ERR_TIMEOUT; HWS_ERR_REFUSED with the response in hws_blocking_head(); or what
 *                else hws_head_parse() and hws_handshake_verify() return.
 */
HWS_API hws_status hws_blocking_connect(hws_blocking *ws, const char *url,
                                        const hws_blocking_config *config,
                                        const hws_client_config *client);

/**
 * Listen on a TCP address.
 *
 * @param listener  The listener.
 * @param host      Name or address to bind: "127.0.0.1", "::", "localhost".
 * @param port      Port; 0 lets the system choose: hws_listener_port().
 * @return          HWS_OK; HWS_ERR_RESOLVE; HWS_ERR_SYSTEM.
 */
HWS_API hws_status hws_listener_open(hws_listener *listener, const char *host, uint16_t port);

/**
 * Listen on a Unix socket. A socket file that nobody listens on any more is replaced.
 *
 * @param listener  The listener.
 * @param path      Path of the socket; removed again by hws_listener_release().
 * @return          HWS_OK; HWS_ERR_ARGUMENT for a path too long, or a system without them;
 *                  HWS_ERR_SYSTEM.
 */
HWS_API hws_status hws_listener_open_unix(hws_listener *listener, const char *path);

/**
 * The port that a listener has.
 *
 * @param listener  An open listener.
 * @return          The port; 0 for a Unix socket.
 */
HWS_API uint16_t hws_listener_port(const hws_listener *listener);

/**
 * The error of the system behind the last HWS_ERR_SYSTEM of a listener.
 *
 * @param listener  A listener.
 * @return          errno, or WSAGetLastError(); 0 for none.
 */
HWS_API int32_t hws_listener_system_error(const hws_listener *listener);

/**
 * Wait for a connection.
 *
 * Connections that broke before they were accepted are passed over.
 *
 * @param listener    An open listener.
 * @param socket      Set to the new socket; give it to hws_blocking_read_request().
 * @param timeout_ms  Milliseconds to wait; 0 to look only; HWS_FOREVER.
 * @return            HWS_OK; HWS_ERR_TIMEOUT; HWS_ERR_SYSTEM, for example when the process has no
 *                    file descriptor left: wait, and call again.
 */
HWS_API hws_status hws_listener_accept(hws_listener *listener, intptr_t *socket,
                                       int32_t timeout_ms);

/**
 * Stop listening. Connections that were accepted stay.
 *
 * @param listener  An open or released listener, or one of zeros.
 */
HWS_API void hws_listener_release(hws_listener *listener);

/**
 * Read a client's request from a fresh socket.
 *
 * A request that is malformed or a wrong handshake is answered with its HTTP status, and the socket
 * closed: the status then is for the log.
 *
 * @param ws         The connection. It owns the socket from now on.
 * @param socket     A connected stream socket.
 * @param config     How it behaves.
 * @param handshake  Filled on HWS_OK: a handshake, to be answered with hws_blocking_accept() or
 *                   hws_blocking_respond(); or a plain request, for hws_blocking_respond().
 * @return           HWS_OK; an error of hws_head_parse() or hws_handshake_parse();
 *                   HWS_ERR_TIMEOUT; HWS_ERR_EOF when the peer left; HWS_ERR_TLS, HWS_ERR_MEMORY of
 *                   the filter; HWS_ERR_RESET, HWS_ERR_SYSTEM; HWS_ERR_ARGUMENT (the socket is
 *                   closed then too).
 */
HWS_API hws_status hws_blocking_read_request(hws_blocking *ws, intptr_t socket,
                                             const hws_blocking_config *config,
                                             hws_handshake *handshake);

/**
 * Accept the handshake that was read: the connection is open.
 *
 * When the origin is not allowed, 403 is answered and the socket closed. What of the client's offer
 * config->deflate can meet is agreed to; that answer stands behind the extensions of `accept`.
 *
 * @param ws      The connection.
 * @param accept  Origin policy, subprotocol, more fields.
 * @return        HWS_OK; HWS_ERR_ORIGIN; HWS_ERR_ARGUMENT, HWS_ERR_FIELD, HWS_ERR_SPACE: nothing
 *                was sent; HWS_ERR_TIMEOUT, HWS_ERR_RESET, HWS_ERR_SYSTEM, HWS_ERR_TLS.
 */
HWS_API hws_status hws_blocking_accept(hws_blocking *ws, const hws_accept_config *accept);

/**
 * Answer the request that was read with an HTTP response, and close: a page, a health check, a
 * refusal, a redirect.
 *
 * @param ws        The connection.
 * @param status    200 … 599.
 * @param fields    More fields, as hws_response_write().
 * @param count     Number of fields.
 * @param body      Body; NULL when body_len is 0. Not sent in answer to HEAD.
 * @param body_len  Its bytes.
 * @return          HWS_OK; HWS_ERR_ARGUMENT, HWS_ERR_FIELD, HWS_ERR_SPACE: nothing was sent;
 *                  HWS_ERR_TIMEOUT, HWS_ERR_RESET, HWS_ERR_SYSTEM, HWS_ERR_TLS.
 */
HWS_API hws_status hws_blocking_respond(hws_blocking *ws, uint16_t status, const hws_field *fields,
                                        size_t count, const uint8_t *body, size_t body_len);

/**
 * The head that was received: the request of a client, or the response of a server.
 *
 * It is there from read_request() to the first receive, and after connect() whatever that returned.
 *
 * @param ws     The connection.
 * @param bytes  Set to the bytes that its spans refer to; NULL if not wanted.
 * @return       The head; lives until the first receive.
 */
HWS_API const hws_head *hws_blocking_head(const hws_blocking *ws, const uint8_t **bytes);

/**
 * Read the body of a response that was no 101, after HWS_ERR_REFUSED from connect().
 *
 * The bytes are raw: with head->body == HWS_BODY_CHUNKED the chunk framing is still in them, and
 * the body ends for this call when the server closes.
 *
 * @param ws          The connection.
 * @param out         Where to put it.
 * @param cap         Bytes wanted at most.
 * @param n           Set to the bytes that came.
 * @param timeout_ms  For the whole call.
 * @return            HWS_OK when the body is complete or cap is reached; HWS_ERR_TIMEOUT,
 *                    HWS_ERR_EOF (with a filter also for a body that ends with the stream, when
 *                    that was cut off), HWS_ERR_RESET, HWS_ERR_SYSTEM, HWS_ERR_TLS with what came
 *                    before that.
 */
HWS_API hws_status hws_blocking_read_body(hws_blocking *ws, uint8_t *out, size_t cap, size_t *n,
                                          int32_t timeout_ms);

/**
 * Receive the next event: a piece of a message, a whole small message, or a control frame. Where
 * compression was agreed, pieces are decompressed, and never longer than one share of the memory.
 *
 * Pings and the peer's Close have been answered when their event is returned, as far as the socket
 * takes it. After the Close event the next call ends the connection: it waits for the end of the
 * stream as RFC 6455 7.1.1 wants it, closes the socket, and returns HWS_OK. A fault of the peer
 * ends it likewise, with our Close first. That end may take as long as close_timeout_ms; with a
 * shorter timeout_ms HWS_ERR_TIMEOUT comes until it is done.
 *
 * @param ws          The connection.
 * @param ev          Filled on HWS_EVENT; ev->data lives until the next call with ws.
 * @param timeout_ms  Milliseconds to wait for the event; 0 to look only; HWS_FOREVER.
 * @return            HWS_EVENT; HWS_OK: the connection ended with a closing handshake;
 *                    HWS_ERR_TIMEOUT: nothing so far, call again; HWS_ERR_RSV … HWS_ERR_INTERNAL,
 *                    HWS_ERR_INFLATE: the peer's fault, or with _INTERNAL also no memory to
 *                    decompress; our Close went out; HWS_ERR_EOF: the peer left without Close;
 *                    HWS_ERR_RESET; HWS_ERR_SYSTEM; HWS_ERR_TLS; HWS_ERR_CLOSED: an earlier send
 *                    gave up, or a reply that the peer did not take. All but HWS_ERR_TIMEOUT and
 *                    HWS_ERR_STATE (not open) are sticky, and the socket is closed.
 */
HWS_API hws_status hws_blocking_receive(hws_blocking *ws, hws_event *ev, int32_t timeout_ms);

/**
 * Receive the next whole message or control frame.
 *
 * @param ws          The connection. Use either this call or hws_blocking_receive() while a message
 *                    is arriving, not both.
 * @param message     Where messages are put together: see message.h.
 * @param ev          Filled on HWS_EVENT.
 * @param timeout_ms  For the next event, as above.
 * @return            As above; and HWS_ERR_SPACE: message is full, grow it and call again.
 */
HWS_API hws_status hws_blocking_receive_message(hws_blocking *ws, hws_message *message,
                                                hws_event *ev, int32_t timeout_ms);

/**
 * Send a message, a fragment of one, a Ping or a Pong.
 *
 * It does not receive while it waits for the peer to read: two sides that only send to each other
 * wait until their timeouts.
 *
 * The payload of the last event may be given as it is: an echo needs no copy. A server's payload
 * goes out from where it lies. A client's is masked through the working memory; one that is larger
 * goes out as several fragments. What is to be compressed goes the way of hws_deflate_send(),
 * through the working memory too.
 *
 * @param ws          The connection.
 * @param type        As hws_conn_send().
 * @param flags       HWS_FIRST and HWS_FINAL. With config->deflate, agreed to or not, beside
 *                    HWS_FIRST also HWS_COMPRESSED: compress whatever the length, where that was
 *                    agreed; or HWS_UNCOMPRESSED: do not. Payload that the caller has compressed is
 *                    not taken.
 * @param data        Payload; NULL when len is 0.
 * @param len         Its bytes.
 * @param timeout_ms  For writing all of it.
 * @return            HWS_OK when the system has taken all, or it is held back (see gather);
 *                    HWS_ERR_ARGUMENT, _STATE, _SEND_UTF8, _RANDOM: nothing was sent, the
 *                    connection goes on (a client's text above the working memory is validated
 *                    before its first byte goes out); HWS_ERR_MEMORY likewise, when flags ask for
 *                    compression and there is no memory for it (without that, the message goes
 *                    uncompressed); HWS_ERR_TIMEOUT, HWS_ERR_RESET, HWS_ERR_SYSTEM, HWS_ERR_TLS,
 *                    and HWS_ERR_RANDOM inside a compressed message, sticky: a part may have been
 *                    sent, and no more can be. After HWS_ERR_RESET what came before it, such as the
 *                    peer's Close, can still be received.
 */
HWS_API hws_status hws_blocking_send(hws_blocking *ws, uint8_t type, uint8_t flags,
                                     const uint8_t *data, size_t len, int32_t timeout_ms);

/**
 * Send one frame without copying: a client masks `data` where it lies, and its content is lost.
 * Nothing is compressed.
 *
 * @param ws          The connection.
 * @param type        As hws_conn_send().
 * @param flags       As hws_blocking_send(), but not HWS_COMPRESSED.
 * @param data        Payload.
 * @param len         Its bytes.
 * @param timeout_ms  For writing all of it.
 * @return            As hws_blocking_send(); HWS_ERR_STATE also inside a compressed message.
 */
HWS_API hws_status hws_blocking_send_in_place(hws_blocking *ws, uint8_t type, uint8_t flags,
                                              uint8_t *data, size_t len, int32_t timeout_ms);

/**
 * Send a prepared message (prepared.h) from where it lies, in the form of hws_prepared_frame().
 * What `gather` holds back goes out with it.
 *
 * @param ws          A server's connection.
 * @param prepared    The message. It can be released after the call.
 * @param timeout_ms  For writing all of it.
 * @return            As hws_blocking_send(); HWS_ERR_ARGUMENT for a client.
 */
HWS_API hws_status hws_blocking_send_prepared(hws_blocking *ws, const hws_prepared *prepared,
                                              int32_t timeout_ms);

/**
 * Send a Close without waiting for the peer's: go on receiving until that comes.
 *
 * @param ws          The connection.
 * @param code        As hws_conn_close().
 * @param reason      As hws_conn_close().
 * @param len         Bytes of reason.
 * @param timeout_ms  For writing it.
 * @return            As hws_blocking_send().
 */
HWS_API hws_status hws_blocking_send_close(hws_blocking *ws, uint16_t code, const uint8_t *reason,
                                           size_t len, int32_t timeout_ms);

/**
 * Do the whole closing handshake (RFC 6455 7.1.2 to 7.1.4): send a Close unless one is out, discard
 * what the peer still sends, wait for his Close, and end the TCP connection in the right order; all
 * within close_timeout_ms.
 *
 * @param ws      The connection.
 * @param code    As hws_conn_close().
 * @param reason  As hws_conn_close().
 * @param len     Bytes of reason.
 * @return        HWS_OK when both Closes went through, also when they had before; HWS_ERR_STATE
 *                when it was never open; HWS_ERR_ARGUMENT, HWS_ERR_SEND_UTF8: nothing was done;
 *                else why it was not clean: HWS_ERR_TIMEOUT, HWS_ERR_EOF, HWS_ERR_RESET, a fault of
 *                the peer. The socket is closed, but after the mistakes.
 */
HWS_API hws_status hws_blocking_close(hws_blocking *ws, uint16_t code, const uint8_t *reason,
                                      size_t len);

/**
 * Let go of a connection: close its socket at once, if it is open still. May be called twice, and
 * for a hws_blocking of zeros that was never used.
 *
 * @param ws  The connection.
 */
HWS_API void hws_blocking_release(hws_blocking *ws);

/**
 * The connection's core, to ask for its close code, its error, its limits; to fail it with
 * hws_conn_fail(), which the next receive carries out.
 *
 * @param ws  An open or ended connection.
 * @return    Its hws_conn, which must not be used to receive or send.
 */
HWS_API hws_conn *hws_blocking_conn(hws_blocking *ws);

/**
 * The socket, for select() or poll().
 *
 * @param ws  The connection.
 * @return    The socket; -1 when it is closed.
 */
HWS_API intptr_t hws_blocking_socket(const hws_blocking *ws);

/**
 * Bytes that were read from the socket and not looked at, or 1 more when a message is not
 * decompressed to its end, or the filter has more to give: when there are some, receive before
 * waiting for the socket.
 *
 * @param ws  The connection.
 * @return    Bytes.
 */
HWS_API size_t hws_blocking_pending(const hws_blocking *ws);

/**
 * The subprotocol in use (RFC 6455 1.9). To be asked before the first receive.
 *
 * @param ws  An open connection.
 * @return    The subprotocol; empty for none. Lives until the first receive.
 */
HWS_API hws_text hws_blocking_subprotocol(const hws_blocking *ws);

/**
 * The compression in use (RFC 7692 7.1).
 *
 * @param ws  An open or ended connection.
 * @return    What was agreed; enabled is 0 for none. Lives as long as ws.
 */
HWS_API const hws_deflate_params *hws_blocking_deflate(const hws_blocking *ws);

/**
 * Give back what compression holds between messages: hws_deflate_trim(). For connections that have
 * been quiet for long.
 *
 * @param ws  A connection that connect() or read_request() was called for.
 */
HWS_API void hws_blocking_trim(hws_blocking *ws);

/**
 * The error of the system behind the last HWS_ERR_SYSTEM, _RESET, _CONNECT or _RESOLVE.
 *
 * @param ws  The connection.
 * @return    errno, or WSAGetLastError(), or after HWS_ERR_RESOLVE the result of getaddrinfo();
 *            0 for none.
 */
HWS_API int32_t hws_blocking_system_error(const hws_blocking *ws);

#ifdef __cplusplus
}
#endif

#endif
