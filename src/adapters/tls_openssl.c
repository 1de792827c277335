/*
 * One connection of TLS by OpenSSL, from span to span: the functions of a hws_filter. Knows OpenSSL
 * and memory; must not know sockets, files or certificates.
 *
 * OpenSSL reads from the caller's span and writes to it through a BIO of our own, so there is no
 * copy but its own. It never has to repeat a write: what finds no room in the span is held.
 */
#include "tls.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

/* A record has at most RECORD bytes of payload (RFC 8446 5.1). RECORD_ROOM is what header, tag,
 * padding and initialisation vector take at most around it. Records get smaller as the span ends,
 * down to SMALL; what does not fit then is held. */
enum { RECORD = 16384, RECORD_ROOM = 128, SMALL = 1024 };

/* The longest chain of certificates that OpenSSL takes has 100 KiB. A peer that makes us answer
 * more, and reads nothing, is not served. */
enum { HELD_MAX = 262144, HELD_STEP = 2048 };

/* --- the BIO ------------------------------------------------------------------------------------
 */

/* Make room behind what is held. Returns 0 when there is none. */
static int held_grow(hws__tls_state *s, size_t more) {
    size_t cap = s->held_len + more + HELD_STEP;
    if (s->held_cap - s->held_len >= more) {
        return 1;
    }
    if (cap > HELD_MAX) {
        return 0;
    }
    uint8_t *grown = OPENSSL_realloc(s->held, cap);
    if (grown == NULL) {
        return 0;
    }
    s->held = grown;
    s->held_cap = cap;
    return 1;
}

static int hold(hws__tls_state *s, const char *data, size_t len) {
    if (!held_grow(s, len)) {
        return 0;
    }
    memcpy(s->held + s->held_len, data, len);
    s->held_len += len;
    return 1;
}

static void drop_held(hws__tls_state *s) {
    OPENSSL_free(s->held);
    s->held = NULL;
    s->held_cap = 0;
    s->held_len = 0;
    s->held_at = 0;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Write what is held to the span. */
static void give_held(hws__tls_state *s) {
    size_t n = smaller(s->held_len - s->held_at, s->out_cap - s->out_n);
    if (n > 0) {
        memcpy(s->out + s->out_n, s->held + s->held_at, n);
        s->out_n += n;
        s->held_at += n;
    }
    if (s->held_at == s->held_len) {
        drop_held(s);
    }
}

/* There is room in the span only while nothing is held. */
static int bio_write(BIO *bio, const char *data, int len) {
    hws__tls_state *s = BIO_get_data(bio);
    size_t left = (size_t)len;
    size_t n = smaller(left, s->out_cap - s->out_n);
    if (n > 0) {
        memcpy(s->out + s->out_n, data, n);
        s->out_n += n;
    }
    return n == left || hold(s, data + n, left - n) ? len : -1;
}

static int bio_read(BIO *bio, char *dst, int cap) {
    hws__tls_state *s = BIO_get_data(bio);
    size_t n = smaller((size_t)cap, s->in_len - s->in_at);
    BIO_clear_retry_flags(bio);
    if (n == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(dst, s->in + s->in_at, n);
    s->in_at += n;
    return (int)n;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer) {
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *hws__tls_new_method(void) {
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "hawser");
    if (method != NULL) {
        (void)BIO_meth_set_write(method, bio_write);
        (void)BIO_meth_set_read(method, bio_read);
        (void)BIO_meth_set_ctrl(method, bio_ctrl);
    }
    return method;
}

/* --- making -------------------------------------------------------------------------------------
 */

/* The host as it is checked: without the brackets of an IPv6 address, and without the dot at the
 * end of an absolute name (RFC 6066 3). Returns 0 when it is none: to OpenSSL a dot at its start
 * means every host below it. */
static int copy_host(hws__tls_state *s, hws_text host) {
    size_t start = host.len > 1 && host.data[0] == '[' && host.data[host.len - 1] == ']';
    size_t end = host.len - start;
    if (end > start + 1 && host.data[end - 1] == '.') {
        end--;
    }
    size_t len = end - start;
    if (len >= sizeof s->host || (len > 0 && memchr(host.data + start, 0, len) != NULL)) {
        return 0;
    }
    if (len > 0 && host.data[start] == '.') {
        return 0;
    }
    if (len > 0) {
        memcpy(s->host, host.data + start, len);
    }
    s->host[len] = '\0';
    return 1;
}

/* RFC 6066 3: an address is no server name. RFC 9525 2: the common name is no name of a host. */
static int set_host(hws__tls_state *s) {
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(s->host);
    ASN1_OCTET_STRING_free(address);
    ERR_clear_error();
    if (address != NULL) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(s->ssl), s->host);
    }
    SSL_set_hostflags(s->ssl,
                      X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return s->host[0] == '\0' ||
           (SSL_set1_host(s->ssl, s->host) == 1 && SSL_set_tlsext_host_name(s->ssl, s->host) == 1);
}

static int open_ssl(hws__tls_state *s) {
    s->ssl = SSL_new(s->tls->contexts[0]);
    BIO *bio = BIO_new(s->tls->method);
    if (s->ssl == NULL || bio == NULL) {
        BIO_free(bio);
        return 0;
    }
    BIO_set_data(bio, s);
    BIO_set_init(bio, 1);
    SSL_set_bio(s->ssl, bio, bio);
    if (SSL_set_app_data(s->ssl, s) != 1) {
        return 0;
    }
    if (s->tls->role == HWS_ROLE_SERVER) {
        SSL_set_accept_state(s->ssl);
        return 1;
    }
    SSL_set_connect_state(s->ssl);
    return set_host(s);
}

/* OpenSSL does not resume the session of a connection that ended without close_notify. Truncation
 * is seen by who reads the stream, and the session is as good as before. */
static void filter_release(void *state) {
    hws__tls_state *s = state;
    if (s->ssl != NULL && !s->failed) {
        SSL_set_shutdown(s->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
    SSL_free(s->ssl);
    drop_held(s);
    OPENSSL_free(s);
    ERR_clear_error();
}

/* Without a name there is nothing to check the certificate by. */
static const char *refusal(hws__tls_state *s, uint8_t role, hws_text host) {
    if (role != s->tls->role) {
        return role == HWS_ROLE_CLIENT ? "This TLS context is for servers."
                                       : "This TLS context is for clients.";
    }
    if (role == HWS_ROLE_CLIENT &&
        (!copy_host(s, host) || (s->host[0] == '\0' && !s->tls->insecure))) {
        return "The host is no name that a certificate can be checked by.";
    }
    return NULL;
}

static hws_status filter_make(void *context, uint8_t role, hws_text host, void **state) {
    hws__tls_state *s = OPENSSL_zalloc(sizeof *s);
    if (s == NULL) {
        ERR_clear_error();
        return HWS_ERR_MEMORY;
    }
    s->tls = context;
    const char *reason = refusal(s, role, host);
    if (reason != NULL) {
        hws__tls_note(s->tls, reason);
        filter_release(s);
        return HWS_ERR_TLS;
    }
    if (!open_ssl(s)) {
        filter_release(s);
        return HWS_ERR_MEMORY;
    }
    hws__tls_offer_session(s);
    *state = s;
    return HWS_OK;
}

/* --- receiving ----------------------------------------------------------------------------------
 */

/* What a call of OpenSSL came to: HWS_NEED_MORE, HWS_ERR_EOF or HWS_ERR_TLS. */
static hws_status judge(hws__tls_state *s, int result) {
    int error = SSL_get_error(s->ssl, result);
    if (error == SSL_ERROR_WANT_READ) {
        return HWS_NEED_MORE;
    }
    if (error == SSL_ERROR_ZERO_RETURN) {
        return HWS_ERR_EOF;
    }
    s->failed = 1;
    hws__tls_note_failure(s);
    return HWS_ERR_TLS;
}

static hws_status read_records(hws__tls_state *s, uint8_t *plain, size_t cap, size_t *n) {
    while (*n < cap) {
        size_t got = 0;
        int result = SSL_read_ex(s->ssl, plain + *n, cap - *n, &got);
        *n += got;
        if (result != 1) {
            return judge(s, result);
        }
    }
    return HWS_MORE;
}

static hws_status filter_receive(void *state, const uint8_t *wire, size_t len, size_t *used,
                                 uint8_t *plain, size_t cap, size_t *n) {
    hws__tls_state *s = state;
    if (s->failed) {
        return HWS_ERR_TLS;
    }
    ERR_clear_error();
    s->in = wire;
    s->in_len = len;
    s->in_at = *used;
    hws_status status = read_records(s, plain, cap, n);
    *used = s->in_at;
    s->in_len = 0;
    s->in_at = 0;
    ERR_clear_error();
    return status == HWS_NEED_MORE ? HWS_OK : status;
}

/* --- sending ------------------------------------------------------------------------------------
 */

static size_t piece_len(const hws__tls_state *s, size_t left) {
    size_t room = s->out_cap - s->out_n;
    size_t fitting = room > SMALL + RECORD_ROOM ? room - RECORD_ROOM : SMALL;
    return smaller(left, smaller(fitting, RECORD));
}

/* All of a piece is taken or the connection has failed: the BIO takes everything. */
static hws_status write_records(hws__tls_state *s, const uint8_t *plain, size_t len, size_t *used) {
    while (*used < len && s->out_n < s->out_cap) {
        size_t taken = 0;
        int result = SSL_write_ex(s->ssl, plain + *used, piece_len(s, len - *used), &taken);
        *used += taken;
        if (result != 1) {
            return judge(s, result);
        }
    }
    return HWS_OK;
}

static hws_status shake_hands(hws__tls_state *s, size_t left) {
    int result = SSL_do_handshake(s->ssl);
    hws_status status = result == 1 ? HWS_OK : judge(s, result);
    return status == HWS_NEED_MORE && left == 0 ? HWS_OK : status;
}

/* With nothing held. */
static hws_status say(hws__tls_state *s, const uint8_t *plain, size_t len, size_t *used) {
    if (s->failed) {
        return HWS_ERR_TLS;
    }
    if (!SSL_is_init_finished(s->ssl)) {
        hws_status status = shake_hands(s, len - *used);
        if (status != HWS_OK || !SSL_is_init_finished(s->ssl)) {
            return status;
        }
    }
    if (!s->finished) {
        return write_records(s, plain, len, used);
    }
    if ((SSL_get_shutdown(s->ssl) & SSL_SENT_SHUTDOWN) == 0) {
        (void)SSL_shutdown(s->ssl);
    }
    return HWS_OK;
}

static hws_status filter_send(void *state, const uint8_t *plain, size_t len, size_t *used,
                              uint8_t *wire, size_t cap, size_t *n) {
    hws__tls_state *s = state;
    hws_status status = HWS_OK;
    if (s->finished && *used < len) {
        return HWS_ERR_STATE;
    }
    ERR_clear_error();
    s->out = wire;
    s->out_cap = cap;
    s->out_n = *n;
    give_held(s);
    if (s->held_len == 0) {
        status = say(s, plain, len, used);
    }
    *n = s->out_n;
    s->out_cap = 0;
    s->out_n = 0;
    ERR_clear_error();
    return s->held_len > 0 || (status == HWS_OK && *used < len) ? HWS_MORE : status;
}

static void filter_finish(void *state) {
    hws__tls_state *s = state;
    s->finished = 1;
}

void hws__tls_fill_filter(hws_filter *filter) {
    filter->size = sizeof *filter;
    filter->make = filter_make;
    filter->release = filter_release;
    filter->receive = filter_receive;
    filter->send = filter_send;
    filter->finish = filter_finish;
}

/* --- looking ------------------------------------------------------------------------------------
 */

void hws_tls_describe(const void *state, hws_tls_info *info) {
    const SSL *ssl = ((const hws__tls_state *)state)->ssl;
    const unsigned char *alpn = NULL;
    unsigned alpn_len = 0;
    *info = (hws_tls_info){.version_name = "", .cipher = "", .alpn = {"", 0}};
    if (!SSL_is_init_finished(ssl)) {
        return;
    }
    SSL_get0_alpn_selected(ssl, &alpn, &alpn_len);
    info->version = (uint16_t)SSL_version(ssl);
    info->resumed = SSL_session_reused(ssl) == 1;
    info->version_name = SSL_get_version(ssl);
    info->cipher = SSL_get_cipher_name(ssl);
    if (alpn != NULL) {
        info->alpn = (hws_text){(const char *)alpn, alpn_len};
    }
}

void *hws_tls_native(const void *state) {
    return ((const hws__tls_state *)state)->ssl;
}
