/*
 * Sentences about what failed. Knows how OpenSSL reports errors; keeps no state of its own.
 */
#include "tls.h"

#include <string.h>

#include <openssl/err.h>

/* An alert of the peer has this reason, and above it the number of the alert. */
enum { ALERT_REASON = SSL_AD_REASON_OFFSET };

/* What OpenSSL calls what many will meet, and how to say it. */
static const struct {
    int reason;
    const char *sentence;
} plain_words[] = {
    {SSL_R_HTTP_REQUEST, "The peer speaks HTTP without TLS."},
    {SSL_R_WRONG_VERSION_NUMBER, "The peer does not speak TLS."},
    {SSL_R_NO_APPLICATION_PROTOCOL, "The peer does not offer http/1.1 by ALPN."},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "The peer has shown no certificate."},
};

static void copy(char text[HWS_TLS_REASON_CAP], const char *sentence) {
    size_t len = strlen(sentence);
    len = len < HWS_TLS_REASON_CAP ? len : HWS_TLS_REASON_CAP - 1;
    memcpy(text, sentence, len);
    text[len] = '\0';
}

void hws__tls_note(hws__tls *tls, const char *sentence) {
    CRYPTO_THREAD_write_lock(tls->lock);
    copy(tls->reason, sentence);
    CRYPTO_THREAD_unlock(tls->lock);
}

/* What OpenSSL says about an error. Where it has no words, that of the system has. */
static const char *words(unsigned long error) {
    const char *text = ERR_reason_error_string(error);
    if (text != NULL) {
        return text;
    }
    return ERR_GET_LIB(error) == ERR_LIB_SYS ? strerror(ERR_GET_REASON(error)) : "unknown error";
}

/* The first error of the queue says more than those above it. */
hws_status hws__tls_note_file(hws__tls *tls, const char *what, const char *name) {
    char sentence[HWS_TLS_REASON_CAP];
    (void)BIO_snprintf(sentence, sizeof sentence, "%s in \"%s\" cannot be used: %s.", what, name,
                       words(ERR_peek_error()));
    hws__tls_note(tls, sentence);
    ERR_clear_error();
    return HWS_ERR_TLS;
}

/* The five bytes that OpenSSL took for the head of a record. */
static int is_http(const hws__tls_state *s) {
    return s->in_at >= 5 && memcmp(s->in + s->in_at - 5, "HTTP/", 5) == 0;
}

static void describe(const hws__tls_state *s, unsigned long error, char *text, size_t cap) {
    int reason = ERR_GET_REASON(error);
    size_t i = 0;
    if (reason == SSL_R_WRONG_VERSION_NUMBER && is_http(s)) {
        reason = SSL_R_HTTP_REQUEST; /* it knows requests alone */
    }
    if (error == 0 || reason == ERR_R_MALLOC_FAILURE) {
        copy(text, "There is no memory left for TLS.");
        return;
    }
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        (void)BIO_snprintf(text, cap, "The certificate of the peer is not accepted: %s.",
                           X509_verify_cert_error_string(SSL_get_verify_result(s->ssl)));
        return;
    }
    if (reason > ALERT_REASON) {
        (void)BIO_snprintf(text, cap, "The peer has ended TLS with an alert: %s.",
                           SSL_alert_desc_string_long(reason - ALERT_REASON));
        return;
    }
    while (i < sizeof plain_words / sizeof plain_words[0]) {
        if (plain_words[i].reason == reason) {
            copy(text, plain_words[i].sentence);
            return;
        }
        i++;
    }
    (void)BIO_snprintf(text, cap, "TLS has failed: %s.", words(error));
}

void hws__tls_note_failure(hws__tls_state *s) {
    describe(s, ERR_peek_error(), s->reason, sizeof s->reason);
    hws__tls_note(s->tls, s->reason);
    ERR_clear_error();
}

void hws_tls_reason(hws_tls *tls, const void *state, char text[HWS_TLS_REASON_CAP]) {
    hws__tls *t = (hws__tls *)tls;
    if (state != NULL) {
        copy(text, ((const hws__tls_state *)state)->reason);
        return;
    }
    text[0] = '\0';
    if (t->lock != NULL) {
        CRYPTO_THREAD_write_lock(t->lock);
        copy(text, t->reason);
        CRYPTO_THREAD_unlock(t->lock);
    }
}
