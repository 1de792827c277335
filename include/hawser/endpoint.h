/**
 * @file
 * One side of one connection, all of it but the socket and the clock: opening handshake, frames,
 * whole messages, compression, keepalive, and a bounded queue of output. What most programs use,
 * through an adapter or in a loop of their own.
 *
 *     hws_endpoint_config_init(&config, HWS_ROLE_SERVER);         once, for all connections
 *     config.allocator = hws_system_allocator();                  allocator.h, or your own
 *     hws_endpoint_init(&ep, &config, now);                       a socket was accepted
 *
 *     hws_endpoint_tick(&ep, now);                                the program woke up
 *     while (hws_endpoint_next(&ep, buf, len, &used, &ev) == HWS_EVENT) {     len bytes were read
 *         switch (ev.type) {
 *         case HWS_REQUEST: hws_endpoint_accept(&ep, &accept); break;
 *         case HWS_TEXT: hws_endpoint_send(&ep, HWS_TEXT, HWS_WHOLE, ev.data, ev.len); break;
 *         case HWS_END: … the connection is over …
 *         }
 *     }
 *     count = hws_endpoint_output(&ep, buffers, 16);              what is to be written
 *     hws_endpoint_sent(&ep, n);                                  n bytes of it were
 *     wants = hws_endpoint_wants(&ep);                            what to do with the socket
 *     deadline = hws_endpoint_timeout(&ep);                       when to wake up again
 *
 * A client is the same, with hws_endpoint_connect() after init and HWS_OPEN in place of
 * HWS_REQUEST.
 *
 * Input. The buffer is the caller's and is given to each call; next() goes on at buf[used], parses
 * to the next event and not further, unmasks in place, and has consumed all when it returns HWS_OK
 * with used == len. With used < len receiving stands still: it is paused, a request waits for its
 * answer, or much output waits (see hold_input). Keep the rest and give it again;
 * hws_endpoint_wants() tells when. Events, and what they carry, do not depend on how the stream was
 * cut, but for pieces of streamed messages.
 *
 * Messages are whole: one that lies whole in the caller's buffer is handed out from there, another
 * is put together in memory that grows as its bytes arrive, never by what the peer announces. With
 * streaming on, pieces come as they arrive, and a message of any size needs no memory.
 *
 * Output. All sending appends to a queue. Order on the wire is the order of calls; but while the
 * queue is above high_water, Pings, and Pongs for the newest Ping, go out at the next border of a
 * frame, before what waits. A send answers HWS_OK, HWS_BACKPRESSURE (queued, but send less) or
 * HWS_ERR_FULL (not queued); HWS_DRAIN comes once the queue is below low_water again. Nothing is
 * written before output() is called, so many small messages make one write.
 *
 * Ending. Faults of the peer are judged where next() meets them, deadlines by tick(), and the Close
 * for them is queued behind the answers to what came before. HWS_END is the last event:
 * the socket is to be closed then, and hws_endpoint_release() called. hws_endpoint_status() says
 * why.
 *
 * Time. Milliseconds of any clock; see keepalive.h for what happens when it jumps.
 *
 * Memory comes from the allocator of the configuration alone, for as long as there is use for it:
 * an open endpoint with nothing under way holds none (but the compressor and decompressor, where
 * compression was agreed: trim_after_ms). A call of the application that finds none returns
 * HWS_ERR_MEMORY and has changed nothing; where none is found for a message that arrives, the
 * connection ends with 1011. A block of fixed size does as well: see fixed.h.
 *
 * The configuration is shared: it, and what it points to, must live as long as its endpoints. An
 * endpoint holds pointers to itself: do not move or copy it. One thread at a time.
 */
#ifndef HAWSER_ENDPOINT_H
#define HAWSER_ENDPOINT_H

#include <hawser/base.h>
#include <hawser/conn.h>
#include <hawser/counters.h>
#include <hawser/deflate.h>
#include <hawser/handshake.h>
#include <hawser/http.h>
#include <hawser/keepalive.h>
#include <hawser/prepared.h>
#include <hawser/rate.h>
#include <hawser/ready.h>
#include <hawser/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Types of events, beside those of conn.h: messages, Ping, Pong (also that of 8 bytes for a Ping
   of the keepalive), and the peer's Close. */
enum {
    HWS_REQUEST = 17,  /**< Server: a request came. Look at it, then accept() or respond(); nothing
                            more is received before that. May be done later. */
    HWS_OPEN = 18,     /**< The connection is open. Client: the response can be looked at until the
                            next call of next(). */
    HWS_DRAIN = 19,    /**< The queue is below low_water again, after HWS_BACKPRESSURE, or
                            HWS_ERR_FULL for what max_queue has room for. */
    HWS_RELEASED = 20, /**< The buffer `data` of `len` bytes, given to send_ref(), is the caller's
                            again. */
    HWS_END = 21       /**< The connection is over. `close_code` and `data` are those of
                            hws_closing: the peer's, or 1005, 1006; 0 when it was never open. After a
                        response that was no 101, `data` is what came of its body. */
};

/** What to do with the socket, combined: see hws_endpoint_wants(). */
enum {
    HWS_WANTS_READ = 1,     /**< Read, and give what comes to next(). */
    HWS_WANTS_WRITE = 2,    /**< There is output. */
    HWS_WANTS_SHUTDOWN = 4, /**< All is written and no more will be: shut down writing (once; again
                                 does no harm). */
    HWS_WANTS_CLOSE = 8     /**< Close the socket. Alone, and to the end. */
};

/** Defaults. */
enum {
    HWS_DEFAULT_HIGH_WATER = 65536,   /**< Bytes. */
    HWS_DEFAULT_LOW_WATER = 16384,    /**< Bytes. */
    HWS_DEFAULT_MAX_QUEUE = 16908288, /**< Bytes: one message of the default limit, and 128 KiB. */
    HWS_DEFAULT_MAX_FIELDS = 64,      /**< Field lines in a head. */
    HWS_DEFAULT_TRIM_AFTER_MS = 60000 /**< A minute. */
};

/** How endpoints behave. Start from hws_endpoint_config_init(). */
typedef struct hws_endpoint_config {
    uint32_t size;      /**< sizeof(hws_endpoint_config), set by ..._init(). */
    uint8_t role;       /**< HWS_ROLE_SERVER or HWS_ROLE_CLIENT. */
    uint8_t streaming;  /**< 1: messages come in pieces. Default 0; see hws_endpoint_stream(). */
    uint8_t hold_input; /**< 1: nothing is received while the queue is above high_water, until it
                             is below low_water: who answers what he receives needs no other care.
                             0: receive always. Default 1. */
    uint8_t close_sentence; /**< As in hws_conn_config. What the endpoint finds by itself,
                               deadlines, rates, slow readers, is told always. */
    uint64_t max_message;   /**< As in hws_conn_config. */
    uint64_t max_fragments; /**< As in hws_conn_config. */
    uint32_t max_head;      /**< Bytes of a head. Default HWS_DEFAULT_MAX_HEAD. */
    uint32_t max_line;      /**< Bytes of a line in it. Default HWS_DEFAULT_MAX_LINE. */
    uint32_t max_fields;    /**< Field lines in it. Default HWS_DEFAULT_MAX_FIELDS. */
    uint32_t high_water;    /**< Bytes in the queue from which on sending answers
                                 HWS_BACKPRESSURE, until they are below low_water. */
    uint32_t low_water; /**< Bytes below which HWS_DRAIN follows; from 1 to high_water. Pings and
                             Pongs that overtake do not count. */
    uint32_t trim_after_ms; /**< Milliseconds without a message after which compression gives back
                                 its memory: hws_endpoint_trim(). 0: never. */
    uint64_t max_queue;     /**< Bytes in the queue at most, referenced ones included; a message
                                 that would go beyond, as long as it is before compression, is
                                 HWS_ERR_FULL. At least high_water. Closes, Pings and Pongs are
                                 never refused for it. */
    hws_keepalive_config keepalive;    /**< Deadlines. */
    hws_rate_config message_rate;      /**< Data messages received; more fails with HWS_ERR_RATE. */
    hws_rate_config byte_rate;         /**< Bytes received once it is open; likewise. */
    hws_allocator allocator;           /**< Must be set. */
    hws_random random;                 /**< Source of mask keys and of the nonce in Pings. Needed by
                                            clients; a server without sends Pings that can be guessed. */
    void *random_user;                 /**< Handed to random. */
    const hws_deflate_params *deflate; /**< What a client offers, best first; what a server agrees
                                            to. NULL, or the first with enabled 0: none. */
    uint32_t deflate_count;            /**< Client: offers in deflate. 0: one. */
    uint32_t reserved;                 /**< Zero. */
    const hws_deflate_options *deflate_options; /**< How messages are compressed: needed with
                                                     deflate. Role and max_message are the
                                                     endpoint's, and so is the allocator
                                                     where none is set. */
    hws_counters *counters; /**< Where to count; NULL: nowhere. For one thread. */
    hws_trace trace;        /**< Is told of each frame; NULL: nobody. */
    void *trace_user;       /**< Handed to trace. */
    hws_ready *ready;       /**< Where endpoints say that something happened; NULL: nowhere. */
} hws_endpoint_config;

/** Room for one endpoint. The content is private. */
typedef struct hws_endpoint {
    uint64_t opaque[100]; /**< Private. */
} hws_endpoint;

/**
 * Fill a configuration with the defaults. The allocator is to be set then.
 *
 * @param config  The configuration.
 * @param role    HWS_ROLE_SERVER or HWS_ROLE_CLIENT.
 */
HWS_API void hws_endpoint_config_init(hws_endpoint_config *config, uint8_t role);

/**
 * Start an endpoint. A server's waits for a request, a client's for hws_endpoint_connect().
 *
 * @param endpoint  Where to keep it; what it held does not matter.
 * @param config    How it behaves; must live as long.
 * @param now_ms    The clock.
 * @return          HWS_OK; HWS_ERR_ARGUMENT for a value out of its range, those of compression
 *                  included, no allocator, a client without random, deflate without options.
 */
HWS_API hws_status hws_endpoint_init(hws_endpoint *endpoint, const hws_endpoint_config *config,
                                     uint64_t now_ms);

/** Bytes that one hws_endpoint needs, for languages without this header. @return Its sizeof. */
HWS_API size_t hws_endpoint_size(void);

/**
 * Let go of all that it holds. Buffers given to send_ref() are the caller's again, without event.
 * May be called twice, and for an endpoint of zeros.
 *
 * @param endpoint  An endpoint.
 */
HWS_API void hws_endpoint_release(hws_endpoint *endpoint);

/**
 * Start the opening handshake of a client: queue the request (RFC 6455 4.1).
 *
 * @param endpoint  A fresh endpoint of a client.
 * @param client    What to ask for. The offer of config->deflate stands behind its extensions. It
 *                  and its texts must live until HWS_OPEN or HWS_END.
 * @return          As hws_handshake_request(); HWS_ERR_MEMORY; HWS_ERR_STATE.
 */
HWS_API hws_status hws_endpoint_connect(hws_endpoint *endpoint, const hws_client_config *client);

/**
 * Start open, after a handshake that was made elsewhere: HTTP/2, another HTTP server.
 *
 * @param endpoint  A fresh endpoint.
 * @param agreed    The compression that was agreed; NULL for none.
 * @return          HWS_OK, no HWS_OPEN follows; HWS_ERR_STATE, HWS_ERR_ARGUMENT, HWS_ERR_MEMORY.
 */
HWS_API hws_status hws_endpoint_open(hws_endpoint *endpoint, const hws_deflate_params *agreed);

/**
 * Take the next event, from the bytes that were read or from what happened else.
 *
 * @param endpoint  An endpoint.
 * @param buf       Bytes just read; NULL when len is 0. Payload is unmasked in place.
 * @param len       Bytes in buf.
 * @param used      In and out: where to go on in buf; start with 0.
 * @param ev        Filled on HWS_EVENT. Its data lives until the next call with this endpoint, but
 *                  sending, or until buf changes; it may be given to hws_endpoint_send() as it is.
 * @return          HWS_EVENT: call again; HWS_OK: nothing more for now, see above for used < len;
 *                  HWS_ERR_ARGUMENT when *used > len.
 */
HWS_API hws_status hws_endpoint_next(hws_endpoint *endpoint, uint8_t *buf, size_t len, size_t *used,
                                     hws_event *ev);

/**
 * Tell that the stream from the peer has ended. Call next() again then: the end counts once it has
 * consumed all that came before.
 * @param endpoint  An endpoint.
 */
HWS_API void hws_endpoint_receive_eof(hws_endpoint *endpoint);

/**
 * End the connection at once: the socket broke, or nothing more is to be sent. Output that waits is
 * dropped; HWS_END comes next, after HWS_RELEASED for what was referenced.
 *
 * @param endpoint  An endpoint.
 * @param status    What hws_endpoint_status() shall say, unless something ended it before: an
 *                  error, such as HWS_ERR_RESET, or HWS_ERR_CLOSED for no fault at all.
 * @return          HWS_OK; HWS_ERR_ARGUMENT for a status that is no error.
 */
HWS_API hws_status hws_endpoint_abort(hws_endpoint *endpoint, hws_status status);

/**
 * The output that waits, in order, to be written with writev() for example.
 *
 * What was handed out stays where it is until sent() is called, whatever else is called meanwhile
 * but release(): it may be written by somebody who takes his time.
 *
 * @param endpoint  An endpoint.
 * @param buffers   Filled.
 * @param cap       Elements of buffers, at least 1.
 * @return          Elements filled; 0: nothing to write. There may be more output than fits.
 */
HWS_API size_t hws_endpoint_output(hws_endpoint *endpoint, hws_buffer *buffers, size_t cap);

/**
 * Acknowledge that the first bytes of the output were written.
 *
 * @param endpoint  An endpoint.
 * @param len       Bytes, at most what was handed out last; 0 when the socket took none. What was
 *                  handed out and is not acknowledged is free to move again: each output() that
 *                  handed something out is followed by one sent().
 * @return          HWS_OK; HWS_ERR_ARGUMENT for more.
 */
HWS_API hws_status hws_endpoint_sent(hws_endpoint *endpoint, size_t len);

/**
 * Bytes that wait to be written.
 * @param endpoint  An endpoint.
 * @return          Bytes.
 */
HWS_API uint64_t hws_endpoint_queued(const hws_endpoint *endpoint);

/**
 * What to do with the socket.
 * @param endpoint  An endpoint.
 * @return          HWS_WANTS_… bits; 0: neither read nor write now.
 */
HWS_API uint8_t hws_endpoint_wants(hws_endpoint *endpoint);

/**
 * When to tick next.
 * @param endpoint  An endpoint.
 * @return          A time of the caller's clock, or HWS_NEVER.
 */
HWS_API uint64_t hws_endpoint_timeout(const hws_endpoint *endpoint);

/**
 * Tell the time. Call it whenever the program wakes for this endpoint, before next().
 *
 * @param endpoint  An endpoint.
 * @param now_ms    The clock.
 */
HWS_API void hws_endpoint_tick(hws_endpoint *endpoint, uint64_t now_ms);

/**
 * The head that was received: a server's request from HWS_REQUEST until it is answered, a client's
 * response at HWS_OPEN, or at HWS_END with HWS_ERR_REFUSED and other faults of a response.
 *
 * @param endpoint  An endpoint.
 * @param bytes     Set to the bytes that its spans refer to; NULL if not wanted.
 * @return          The head; NULL when there is none. Lives until the next call of next(), or the
 *                  answer.
 */
HWS_API const hws_head *hws_endpoint_head(const hws_endpoint *endpoint, const uint8_t **bytes);

/**
 * The request that waits for its answer.
 * @param endpoint  A server's endpoint.
 * @return          It, from HWS_REQUEST until it is answered; else NULL.
 */
HWS_API const hws_handshake *hws_endpoint_request(const hws_endpoint *endpoint);

/**
 * What a server answered to a client.
 * @param endpoint  A client's endpoint.
 * @return          It, as long as there is a head; else NULL.
 */
HWS_API const hws_accepted *hws_endpoint_accepted(const hws_endpoint *endpoint);

/**
 * Accept the request that waits: HWS_OPEN follows, messages may be sent at once.
 *
 * A plain request is answered with 426 (it can be looked at and answered with respond() before); an
 * origin that is not allowed with 403.
 *
 * @param endpoint  A server's endpoint with a request.
 * @param accept    Origin policy, subprotocol, more fields. What config->deflate agrees to stands
 *                  behind its extensions.
 * @return          HWS_OK; HWS_ERR_UPGRADE, HWS_ERR_ORIGIN: answered so; HWS_ERR_ARGUMENT,
 *                  HWS_ERR_FIELD, HWS_ERR_MEMORY, HWS_ERR_STATE: nothing has changed.
 */
HWS_API hws_status hws_endpoint_accept(hws_endpoint *endpoint, const hws_accept_config *accept);

/**
 * Answer the request that waits with an HTTP response, and end: a page, a health check, a refusal.
 *
 * @param endpoint  A server's endpoint with a request.
 * @param status    200 … 599.
 * @param fields    More fields, as hws_response_write().
 * @param count     Number of fields.
 * @param body      Body, copied; NULL when body_len is 0. Not sent in answer to HEAD.
 * @param body_len  Its bytes.
 * @return          HWS_OK; HWS_ERR_ARGUMENT, HWS_ERR_FIELD, HWS_ERR_FULL, HWS_ERR_MEMORY,
 *                  HWS_ERR_STATE: nothing has changed.
 */
HWS_API hws_status hws_endpoint_respond(hws_endpoint *endpoint, uint16_t status,
                                        const hws_field *fields, size_t count, const uint8_t *body,
                                        size_t body_len);

/**
 * Send a message, a piece of one, a Ping or a Pong: append it to the queue, copied.
 *
 * A message of unknown length goes out in pieces: HWS_FIRST on the first, HWS_FINAL on the last.
 *
 * @param endpoint  An open endpoint.
 * @param type      As hws_conn_send().
 * @param flags     HWS_FIRST and HWS_FINAL; where compression is configured, agreed or not, also
 *                  HWS_COMPRESSED and HWS_UNCOMPRESSED as hws_deflate_send().
 * @param data      Payload; NULL when len is 0.
 * @param len       Its bytes.
 * @return          HWS_OK; HWS_BACKPRESSURE; and with nothing changed HWS_ERR_FULL; HWS_ERR_STATE
 *                  before HWS_OPEN, after our Close, or for a piece that does not fit what came
 *                  before; HWS_ERR_ARGUMENT, _SEND_UTF8, _MEMORY; _RANDOM, which inside a
 *                  compressed message is sticky: the rest of it cannot be sent.
 */
HWS_API hws_status hws_endpoint_send(hws_endpoint *endpoint, uint8_t type, uint8_t flags,
                                     const uint8_t *data, size_t len);

/**
 * The same without a copy: the queue refers to `data`, which belongs to the endpoint until
 * HWS_RELEASED. Nothing is compressed.
 *
 * @param endpoint  An open endpoint.
 * @param type      HWS_TEXT or HWS_BINARY.
 * @param flags     HWS_FIRST and HWS_FINAL.
 * @param data      Payload of at least one byte. A client masks it where it lies, for good.
 * @param len       Its bytes.
 * @return          As hws_endpoint_send(); HWS_ERR_STATE also inside a compressed message. After
 *                  an error `data` is the caller's, unchanged.
 */
HWS_API hws_status hws_endpoint_send_ref(hws_endpoint *endpoint, uint8_t type, uint8_t flags,
                                         uint8_t *data, size_t len);

/**
 * Send a prepared message: the queue takes a reference.
 *
 * @param endpoint  An open endpoint of a server.
 * @param prepared  The message.
 * @param slow      HWS_SLOW_…: what to do when the queue is above high_water already.
 * @return          HWS_OK; HWS_BACKPRESSURE; HWS_ERR_FULL by HWS_SLOW_SKIP or max_queue: not
 *                  queued; HWS_ERR_SLOW: the connection ends; HWS_ERR_STATE as above, also inside a
 *                  message; HWS_ERR_ARGUMENT for a client or another slow; HWS_ERR_MEMORY.
 */
HWS_API hws_status hws_endpoint_send_prepared(hws_endpoint *endpoint, hws_prepared *prepared,
                                              uint8_t slow);

/**
 * Close: start the closing handshake behind everything that is queued (RFC 6455 7.1.2), or answer
 * the peer's Close before it is answered by itself. Going away is code 1001.
 *
 * @param endpoint  An open endpoint.
 * @param code      As hws_conn_close().
 * @param reason    As hws_conn_close().
 * @param len       Bytes of reason.
 * @return          HWS_OK; HWS_ERR_STATE when it is not open or our Close is queued already;
 *                  HWS_ERR_ARGUMENT, HWS_ERR_SEND_UTF8, HWS_ERR_RANDOM, HWS_ERR_MEMORY.
 */
HWS_API hws_status hws_endpoint_close(hws_endpoint *endpoint, uint16_t code, const uint8_t *reason,
                                      size_t len);

/**
 * The same, but what is queued is dropped, from the end of the frame that is being written on.
 * @param endpoint  An open endpoint.
 * @param code      As hws_conn_close().
 * @param reason    As hws_conn_close().
 * @param len       Bytes of reason.
 * @return          As hws_endpoint_close().
 */
HWS_API hws_status hws_endpoint_close_now(hws_endpoint *endpoint, uint16_t code,
                                          const uint8_t *reason, size_t len);

/**
 * End gracefully, whatever is under way, as a program does that is shut down: close an open
 * connection with 1001 behind everything that is queued (RFC 6455 7.4.1), let an HTTP response that
 * waits be written, and drop a handshake with HWS_ERR_CLOSED. May be called again.
 *
 * @param endpoint  An endpoint.
 */
HWS_API void hws_endpoint_go_away(hws_endpoint *endpoint);

/**
 * Pause receiving, or go on. What is in buffers stays there, the peer's Close included: one that is
 * paused cannot end by the closing handshake, but by close_timeout_ms.
 *
 * @param endpoint  An endpoint.
 * @param paused    1 or 0.
 */
HWS_API void hws_endpoint_pause(hws_endpoint *endpoint, uint8_t paused);

/**
 * Receive messages in pieces, or whole, from the next message on.
 * @param endpoint   An endpoint.
 * @param streaming  1 or 0.
 */
HWS_API void hws_endpoint_stream(hws_endpoint *endpoint, uint8_t streaming);

/**
 * Give back what compression holds between messages: hws_deflate_trim(). trim_after_ms does it too.
 * @param endpoint  An endpoint.
 */
HWS_API void hws_endpoint_trim(hws_endpoint *endpoint);

/**
 * Whether messages can be sent: from HWS_OPEN, or accept(), until our Close.
 * @param endpoint  An endpoint.
 * @return          1 or 0.
 */
HWS_API uint8_t hws_endpoint_can_send(const hws_endpoint *endpoint);

/**
 * Why it ended, or is ending.
 * @param endpoint  An endpoint.
 * @return          HWS_OK while nothing is wrong, and after a closing handshake; or what went
 *                  wrong first: a fault of the peer, a deadline, the status given to abort().
 */
HWS_API hws_status hws_endpoint_status(const hws_endpoint *endpoint);

/**
 * How long the last answered Ping of the keepalive took. These go out in silence only: where there
 * is always traffic, send a HWS_PING of your own with the time in it.
 *
 * @param endpoint  An endpoint.
 * @return          Milliseconds; UINT32_MAX while none was answered.
 */
HWS_API uint32_t hws_endpoint_latency_ms(const hws_endpoint *endpoint);

/**
 * The compression in use (RFC 7692 7.1).
 * @param endpoint  An endpoint.
 * @return          What was agreed; enabled is 0 for none, and before HWS_OPEN.
 */
HWS_API const hws_deflate_params *hws_endpoint_deflate(const hws_endpoint *endpoint);

/**
 * Its connection, to be asked: hws_conn_get_closing(), hws_conn_get_error().
 * @param endpoint  An endpoint.
 * @return          The connection, which must not be changed.
 */
HWS_API const hws_conn *hws_endpoint_conn(const hws_endpoint *endpoint);

#ifdef __cplusplus
}
#endif

#endif
