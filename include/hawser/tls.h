/**
 * @file
 * TLS by OpenSSL (1.1.1 or later), as a hws_filter.
 *
 *     hws_tls_config_init(&config, HWS_ROLE_SERVER);             once, for all connections
 *     config.certificates = &(hws_tls_certificate){"chain.pem", "key.pem"};
 *     config.certificate_count = 1;
 *     if (hws_tls_init(&tls, &config) != HWS_OK) …               hws_tls_reason() says why
 *     loop_config.filter = hws_tls_filter(&tls);                 or hws_loop_connect(…)
 *     …
 *     hws_tls_release(&tls);                                     behind the last connection
 *
 * In a library of its own, hawser::tls (pkg-config: hawser-tls), which is built where OpenSSL is
 * found.
 *
 * What it does by itself: TLS 1.2 and 1.3 only; no compression, no renegotiation, no early data;
 * ALPN is http/1.1 (a client that offers others only is refused with no_application_protocol, RFC
 * 7301 3.2); a server chooses its certificate by the name that the client asks for (SNI), and hands
 * out session tickets; a client checks the certificate of the server and that it is for the host of
 * the URL (a name in the certificate: a common name does not count, RFC 9525), and resumes its last
 * session with the same host. Revocation is not checked: who needs it asks by hws_tls_native().
 *
 * Threads. A context may serve connections of several threads at once; one connection is used by
 * one thread at a time. The queue of errors that OpenSSL keeps for each thread is empty after each
 * call.
 *
 * Memory comes from OpenSSL's allocator. A connection that has nothing under way keeps no buffers.
 */
#ifndef HAWSER_TLS_H
#define HAWSER_TLS_H

#include <hawser/base.h>
#include <hawser/filter.h>
#include <hawser/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Versions of TLS, as they stand in its messages. */
enum {
    HWS_TLS_1_2 = 0x0303, /**< RFC 5246. */
    HWS_TLS_1_3 = 0x0304  /**< RFC 8446. */
};

/** Room for a reason, with the NUL at its end. */
enum { HWS_TLS_REASON_CAP = 256 };

/** Room for a context: what connections of one kind share. The content is private. */
typedef struct hws_tls {
    uint64_t opaque[96]; /**< Private. */
} hws_tls;

/** A certificate and its key. */
typedef struct hws_tls_certificate {
    const char *chain_file; /**< PEM: the certificate, then those that lead to its root. */
    const char *key_file;   /**< PEM: the private key, not encrypted. */
} hws_tls_certificate;

/** What a context is for. Start from hws_tls_config_init(). Not needed after hws_tls_init(). */
typedef struct hws_tls_config {
    uint32_t size;              /**< sizeof(hws_tls_config), set by ..._init(). */
    uint8_t role;               /**< HWS_ROLE_SERVER or HWS_ROLE_CLIENT. */
    uint8_t insecure;           /**< Client: 1 accepts any certificate of anybody. Default 0. */
    uint16_t min_version;       /**< HWS_TLS_1_2 or HWS_TLS_1_3. Default HWS_TLS_1_2. */
    uint16_t max_version;       /**< Likewise, at least min_version. Default HWS_TLS_1_3. */
    uint16_t reserved;          /**< Zero. */
    uint32_t certificate_count; /**< How many certificates; a server needs one, a client has one at
                                     most, to show where it is asked for. */
    const hws_tls_certificate *certificates; /**< Server: the one is taken that holds the name that
                                                  the client asks for: as it stands, else by a
                                                  wildcard (*.example.com); else the first. */
    const char *ca_file;      /**< PEM. Client: the authorities that are trusted; NULL: those of the
                                   system, where OpenSSL looks for them. Server: every client must show a
                                   certificate of one of them; NULL: none is asked for. */
    const char *key_log_file; /**< Secrets are appended to this file, for Wireshark: who reads it
                                   reads all. Programs pass getenv("SSLKEYLOGFILE"). NULL or "":
                                   no. On POSIX it is made with mode 0600; one that is there
                                   keeps its mode. */
} hws_tls_config;

/** What a connection agreed on. The texts live as long as its state, and are never NULL. */
typedef struct hws_tls_info {
    uint16_t version;         /**< HWS_TLS_…; 0 before the handshake is done. */
    uint8_t resumed;          /**< 1: a session was resumed. */
    uint8_t reserved[5];      /**< Zeros. */
    const char *version_name; /**< Such as "TLSv1.3"; "" before the handshake is done. */
    const char *cipher;       /**< Such as "TLS_AES_256_GCM_SHA384"; "" likewise. */
    hws_text alpn;            /**< "http/1.1"; empty when there was no ALPN. */
} hws_tls_info;

/**
 * Fill a configuration with the defaults.
 *
 * @param config  The configuration.
 * @param role    HWS_ROLE_SERVER or HWS_ROLE_CLIENT.
 */
HWS_API void hws_tls_config_init(hws_tls_config *config, uint8_t role);

/**
 * Make a context: reads the files.
 *
 * @param tls     The context. It holds pointers to itself: do not move or copy it. Whatever the
 *                call returned, hws_tls_reason() may be called, and hws_tls_release() must be.
 * @param config  What it is for.
 * @return        HWS_OK; HWS_ERR_ARGUMENT; HWS_ERR_MEMORY; HWS_ERR_TLS: a file is not there or not
 *                good, see hws_tls_reason().
 */
HWS_API hws_status hws_tls_init(hws_tls *tls, const hws_tls_config *config);

/**
 * Let go of a context. The states of its connections must have been released before.
 *
 * @param tls  A context, or one of zeros. May be called twice.
 */
HWS_API void hws_tls_release(hws_tls *tls);

/**
 * The filter, for adapters.
 *
 * @param tls  A context that was made with HWS_OK.
 * @return     Its filter, which lives as long.
 */
HWS_API const hws_filter *hws_tls_filter(const hws_tls *tls);

/**
 * Why it failed, as a sentence, such as "The certificate of the peer is not accepted: certificate
 * has expired."
 *
 * @param tls    A context.
 * @param state  One of its connections: why that one failed. NULL: the last failure of the context
 *               itself or of any of its connections, released ones included, in any thread.
 * @param text   Filled, NUL-terminated; "" when nothing has failed.
 */
HWS_API void hws_tls_reason(hws_tls *tls, const void *state, char text[HWS_TLS_REASON_CAP]);

/**
 * What a connection agreed on.
 *
 * @param state  What the filter's make() gave.
 * @param info   Filled.
 */
HWS_API void hws_tls_describe(const void *state, hws_tls_info *info);

/**
 * OpenSSL's own object for a connection, for what is not here, such as the certificate of the peer.
 *
 * @param state  What the filter's make() gave.
 * @return       Its SSL, which belongs to the state. Only to be looked at.
 */
HWS_API void *hws_tls_native(const void *state);

#ifdef __cplusplus
}
#endif

#endif
