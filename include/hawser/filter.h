/**
 * @file
 * The seam between a connection's bytes and what encrypts them: TLS as a filter over memory.
 *
 * hawser has no TLS of its own. tls.h is a filter over OpenSSL; another one is a table of the
 * functions below. Adapters take a table; applications only pass it on. A filter never reads a
 * socket or a clock.
 *
 * "Wire" is what the peer sees, "plain" what hawser sees.
 */
#ifndef HAWSER_FILTER_H
#define HAWSER_FILTER_H

#include <hawser/base.h>
#include <hawser/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A filter: a table of functions, constant, and what they work with. */
typedef struct hws_filter {
    uint32_t size;     /**< sizeof(hws_filter). */
    uint32_t reserved; /**< Zero. */
    void *context;     /**< Handed to make(): certificates and settings. */

    /**
     * Start on one connection.
     *
     * @param context  As above.
     * @param role     HWS_ROLE_SERVER or HWS_ROLE_CLIENT.
     * @param host     Client: the host of the URL, for SNI and the check of the certificate. Not
     *                 needed after the call.
     * @param state    Set to the state on HWS_OK.
     * @return         HWS_OK; HWS_ERR_MEMORY; HWS_ERR_TLS.
     */
    hws_status (*make)(void *context, uint8_t role, hws_text host, void **state);

    /** Let go of a state. */
    void (*release)(void *state);

    /**
     * Take bytes from the wire, and give plain ones. Call send() after it, whatever it returned:
     * a handshake may have something to say, and an alert.
     *
     * @param state  A state.
     * @param wire   Bytes just read; NULL when len is 0.
     * @param len    Their number.
     * @param used   In and out: how many of them are taken.
     * @param plain  Where plain bytes go.
     * @param cap    Its size, at least 1 more than *n.
     * @param n      In and out: bytes in plain.
     * @return       HWS_OK: all is taken, and nothing more can be given before more comes;
     * HWS_MORE: plain is full, empty it and call again; HWS_ERR_EOF: the peer has ended its stream
     * (close_notify), sticky, and what stands in plain came before; HWS_ERR_TLS, sticky, likewise.
     * Behind both, bytes that are left over are nobody's.
     */
    hws_status (*receive)(void *state, const uint8_t *wire, size_t len, size_t *used,
                          uint8_t *plain, size_t cap, size_t *n);

    /**
     * Take plain bytes, and give those for the wire. With len 0 only what the filter itself has to
     * say.
     *
     * @param state  A state.
     * @param plain  Bytes to send; NULL when len is 0. After HWS_MORE or HWS_NEED_MORE the same
     *               bytes come again, perhaps from another address, perhaps more behind them.
     * @param len    Their number.
     * @param used   In and out: how many of them are taken.
     * @param wire   Where bytes for the wire go.
     * @param cap    Its size.
     * @param n      In and out: bytes in wire.
     * @return       HWS_OK: all is taken and given, always so with len 0 in a handshake that waits;
     * HWS_MORE: wire is full, empty it and call again, also before an error; HWS_NEED_MORE: the
     * rest waits for bytes from the peer (the handshake), and what there is to say is given;
     * HWS_ERR_TLS, sticky, with the last that is to be sent before the end; HWS_ERR_STATE: plain
     * bytes after finish(), which are not taken.
     */
    hws_status (*send)(void *state, const uint8_t *plain, size_t len, size_t *used, uint8_t *wire,
                       size_t cap, size_t *n);

    /**
     * Say that no more will be sent (close_notify); send() with len 0 gives its bytes. Called when
     * all is sent, before the socket is shut down. Again does nothing.
     *
     * @param state  A state.
     */
    void (*finish)(void *state);
} hws_filter;

#ifdef __cplusplus
}
#endif

#endif
