/*
 * What a client resumes: the last session of a context. Knows sessions and hosts, nothing else.
 */
#include "tls.h"

#include <string.h>

/* Called by OpenSSL for each session, and again for each ticket of TLS 1.3. Returning 1 keeps it.
 */
static int keep_session(SSL *ssl, SSL_SESSION *session) {
    hws__tls_state *s = SSL_get_app_data(ssl);
    hws__tls *tls = s->tls;
    CRYPTO_THREAD_write_lock(tls->lock);
    SSL_SESSION *old = tls->session;
    tls->session = session;
    memcpy(tls->session_host, s->host, sizeof s->host);
    CRYPTO_THREAD_unlock(tls->lock);
    SSL_SESSION_free(old);
    return 1;
}

void hws__tls_keep_sessions(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context, keep_session);
}

/* RFC 8446 C.4: a ticket is not used twice, lest connections be known by it. Returns a reference
 * for the caller. */
static SSL_SESSION *take_session(hws__tls *tls, const char *host) {
    SSL_SESSION *session = NULL;
    CRYPTO_THREAD_write_lock(tls->lock);
    if (tls->session != NULL && strcmp(tls->session_host, host) == 0) {
        session = tls->session;
        if (SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION) {
            tls->session = NULL;
        } else {
            (void)SSL_SESSION_up_ref(session);
        }
    }
    CRYPTO_THREAD_unlock(tls->lock);
    return session;
}

/* One that OpenSSL does not take, for its age or for want of memory, is left out. */
void hws__tls_offer_session(hws__tls_state *s) {
    SSL_SESSION *session = take_session(s->tls, s->host);
    if (session != NULL) {
        (void)SSL_set_session(s->ssl, session);
        SSL_SESSION_free(session);
    }
}
