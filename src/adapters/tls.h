/*
 * The inside of a hws_tls, for tls_context.c (files and settings), tls_session.c (what a client
 * resumes), tls_reason.c (sentences) and tls_openssl.c (one connection). Knows no sockets.
 */
#ifndef HWS__TLS_H
#define HWS__TLS_H

#include <hawser/tls.h>

#include <openssl/ssl.h>

/* A host name has at most 253 bytes (RFC 1035 2.3.4), an address less. */
enum { HWS__TLS_HOST_CAP = 256 };

/*
 * All but the parts under `lock` stay as they were made. contexts[0] is that of every connection at
 * first; the others differ from it by their certificate alone.
 */
typedef struct hws__tls {
    hws_filter filter;
    SSL_CTX **contexts;
    size_t context_count;
    BIO_METHOD *method;
    CRYPTO_RWLOCK *lock;
    uint8_t role;
    uint8_t insecure;

    /* Under the lock. */
    BIO *key_log;                         /* NULL: none */
    SSL_SESSION *session;                 /* client: to be resumed next; NULL: none */
    char session_host[HWS__TLS_HOST_CAP]; /* whose it is */
    char reason[HWS_TLS_REASON_CAP];      /* of the last failure */
} hws__tls;

/*
 * One connection. What OpenSSL writes goes to out[out_n … out_cap) while send() runs and as far as
 * there is room, else behind held[held_at … held_len), in memory that is there only as long as
 * something is held.
 */
typedef struct hws__tls_state {
    hws__tls *tls;
    SSL *ssl;
    const uint8_t *in; /* while receive() runs: in[in_at … in_len) is to be read */
    size_t in_len;
    size_t in_at;
    uint8_t *out; /* while send() runs */
    size_t out_cap;
    size_t out_n;
    uint8_t *held;
    size_t held_cap;
    size_t held_len;
    size_t held_at;
    uint8_t failed;
    uint8_t finished;             /* finish() was called */
    char host[HWS__TLS_HOST_CAP]; /* client: in the form that is checked; "": none */
    char reason[HWS_TLS_REASON_CAP];
} hws__tls_state;

/* Fill in the functions of a filter (tls_openssl.c). */
void hws__tls_fill_filter(hws_filter *filter);

/* The method of the BIO between OpenSSL and the spans of a call, or NULL. */
BIO_METHOD *hws__tls_new_method(void);

/* Let a client's context keep its sessions (tls_session.c). */
void hws__tls_keep_sessions(SSL_CTX *context);

/* Offer the last session with the same host, where there is one. */
void hws__tls_offer_session(hws__tls_state *s);

/* Note why a context failed (tls_reason.c). */
void hws__tls_note(hws__tls *tls, const char *sentence);

/* The same by what OpenSSL says, whose queue of errors is empty then: "The key in \"key.pem\"
 * cannot be used: …". Returns HWS_ERR_TLS. */
hws_status hws__tls_note_file(hws__tls *tls, const char *what, const char *name);

/* Note why a connection failed, likewise. */
void hws__tls_note_failure(hws__tls_state *s);

#endif
