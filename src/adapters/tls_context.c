/*
 * What connections of TLS share: certificates, authorities, ALPN, the key log. The one file that
 * knows files and settings; must not know the bytes of a connection.
 */
#ifndef _WIN32
#define _POSIX_C_SOURCE 200809L /* O_CLOEXEC */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

#include "tls.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

_Static_assert(sizeof(hws__tls) <= sizeof(hws_tls), "hws_tls is too small");

/* The one protocol, as ALPN writes it (RFC 7301 3.1): its length and its name. */
static const unsigned char alpn[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

/* --- what OpenSSL asks --------------------------------------------------------------------------
 */

/* A passphrase would be asked for at the terminal. */
static int no_passphrase(char *text, int cap, int writing, void *user) {
    (void)text;
    (void)cap;
    (void)writing;
    (void)user;
    return -1;
}

/* RFC 7301 3.2: who offers only what we do not speak is told so. */
static int choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_len,
                           const unsigned char *offered, unsigned offered_len, void *user) {
    unsigned char *name = NULL;
    (void)ssl;
    (void)user;
    if (SSL_select_next_proto(&name, chosen_len, alpn, sizeof alpn, offered, offered_len) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *chosen = name;
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *context_for(const hws__tls *tls, const char *name, unsigned flags) {
    size_t i = 0;
    while (i < tls->context_count) {
        X509 *certificate = SSL_CTX_get0_certificate(tls->contexts[i]);
        if (X509_check_host(certificate, name, strlen(name), flags, NULL) == 1) {
            return tls->contexts[i];
        }
        i++;
    }
    return NULL;
}

/* A name that no certificate holds gets the first: the client may know it by another way. */
static int choose_certificate(SSL *ssl, int *alert, void *user) {
    const hws__tls *tls = user;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    (void)alert;
    if (name == NULL) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    SSL_CTX *chosen = context_for(tls, name, X509_CHECK_FLAG_NO_WILDCARDS);
    if (chosen == NULL) {
        chosen = context_for(tls, name, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    }
    if (chosen != NULL && SSL_set_SSL_CTX(ssl, chosen) == NULL) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    return SSL_TLSEXT_ERR_OK;
}

/* A line goes out in one write, so those of several threads and processes do not mix. */
static void log_key(const SSL *ssl, const char *line) {
    hws__tls *tls = ((hws__tls_state *)SSL_get_app_data(ssl))->tls;
    CRYPTO_THREAD_write_lock(tls->lock);
    (void)BIO_printf(tls->key_log, "%s\n", line);
    (void)BIO_flush(tls->key_log);
    CRYPTO_THREAD_unlock(tls->lock);
}

/* --- one context of OpenSSL ---------------------------------------------------------------------
 */

static hws_status use_certificate(hws__tls *tls, SSL_CTX *context,
                                  const hws_tls_certificate *certificate) {
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    if (SSL_CTX_use_certificate_chain_file(context, certificate->chain_file) != 1) {
        return hws__tls_note_file(tls, "The certificate", certificate->chain_file);
    }
    if (SSL_CTX_use_PrivateKey_file(context, certificate->key_file, SSL_FILETYPE_PEM) != 1) {
        return hws__tls_note_file(tls, "The key", certificate->key_file);
    }
    return HWS_OK;
}

static hws_status trust(hws__tls *tls, SSL_CTX *context, const char *ca_file) {
    if (ca_file == NULL) {
        return SSL_CTX_set_default_verify_paths(context) == 1 ? HWS_OK : HWS_ERR_MEMORY;
    }
    if (SSL_CTX_load_verify_locations(context, ca_file, NULL) != 1) {
        return hws__tls_note_file(tls, "The list of authorities", ca_file);
    }
    return HWS_OK;
}

/* Tickets keep what the server would have to: no memory grows with its clients. */
static hws_status set_server(hws__tls *tls, SSL_CTX *context, const char *ca_file) {
    static const unsigned char id[] = {'h', 'a', 'w', 's', 'e', 'r'};
    (void)SSL_CTX_set_session_id_context(context, id, sizeof id);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    SSL_CTX_set_tlsext_servername_callback(context, choose_certificate);
    SSL_CTX_set_tlsext_servername_arg(context, tls);
    if (ca_file == NULL) {
        return HWS_OK;
    }
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(ca_file);
    if (names == NULL) {
        return hws__tls_note_file(tls, "The list of authorities", ca_file);
    }
    SSL_CTX_set_client_CA_list(context, names);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return trust(tls, context, ca_file);
}

static hws_status set_client(hws__tls *tls, SSL_CTX *context, const char *ca_file) {
    if (SSL_CTX_set_alpn_protos(context, alpn, sizeof alpn) != 0) {
        return HWS_ERR_MEMORY;
    }
    hws__tls_keep_sessions(context);
    if (tls->insecure) {
        return HWS_OK;
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    return trust(tls, context, ca_file);
}

static hws_status add_context(hws__tls *tls, const hws_tls_config *config) {
    int server = config->role == HWS_ROLE_SERVER;
    SSL_CTX *context = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    if (context == NULL) {
        return HWS_ERR_MEMORY;
    }
    size_t i = tls->context_count;
    tls->contexts[i] = context;
    tls->context_count++;
    (void)SSL_CTX_set_min_proto_version(context, config->min_version);
    (void)SSL_CTX_set_max_proto_version(context, config->max_version);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
    if (tls->key_log != NULL) {
        SSL_CTX_set_keylog_callback(context, log_key);
    }
    if (i < config->certificate_count) {
        hws_status status = use_certificate(tls, context, &config->certificates[i]);
        if (status != HWS_OK) {
            return status;
        }
    }
    return server ? set_server(tls, context, config->ca_file)
                  : set_client(tls, context, config->ca_file);
}

/* --- the context --------------------------------------------------------------------------------
 */

void hws_tls_config_init(hws_tls_config *config, uint8_t role) {
    *config = (hws_tls_config){.size = sizeof *config,
                               .role = role,
                               .min_version = HWS_TLS_1_2,
                               .max_version = HWS_TLS_1_3};
}

/* What is wrong with a configuration, or NULL. */
static const char *mistake(const hws_tls_config *config) {
    int server = config->role == HWS_ROLE_SERVER;
    if (config->size != sizeof *config || config->reserved != 0 || config->role > HWS_ROLE_CLIENT ||
        config->insecure > !server) {
        return "The configuration of TLS is not one that hws_tls_config_init() made.";
    }
    if (config->min_version < HWS_TLS_1_2 || config->min_version > config->max_version ||
        config->max_version > HWS_TLS_1_3) {
        return "The versions of TLS are not in order, or not among 1.2 and 1.3.";
    }
    if (server && config->certificate_count == 0) {
        return "A server of TLS needs a certificate.";
    }
    if (!server && config->certificate_count > 1) {
        return "A client of TLS has one certificate at most.";
    }
    return NULL;
}

/* Who reads it reads all: where it is not there yet, it is made for its owner alone. */
static BIO *open_key_log(const char *name) {
#ifndef _WIN32
    int file = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file >= 0) {
        (void)close(file);
    }
#endif
    return BIO_new_file(name, "a");
}

/* Memory, and what can be had before any file is read. */
static hws_status prepare(hws__tls *tls, const hws_tls_config *config) {
    size_t count = config->certificate_count > 0 ? config->certificate_count : 1;
    tls->contexts = OPENSSL_zalloc(count * sizeof *tls->contexts);
    tls->method = hws__tls_new_method();
    if (tls->contexts == NULL || tls->method == NULL) {
        return HWS_ERR_MEMORY;
    }
    if (config->key_log_file != NULL && config->key_log_file[0] != '\0') {
        tls->key_log = open_key_log(config->key_log_file);
        if (tls->key_log == NULL) {
            return hws__tls_note_file(tls, "The key log", config->key_log_file);
        }
    }
    return HWS_OK;
}

static hws_status fill(hws__tls *tls, const hws_tls_config *config) {
    hws_status status = prepare(tls, config);
    do {
        status = status == HWS_OK ? add_context(tls, config) : status;
    } while (status == HWS_OK && tls->context_count < config->certificate_count);
    return status;
}

hws_status hws_tls_init(hws_tls *tls, const hws_tls_config *config) {
    hws__tls *t = (hws__tls *)tls;
    *t = (hws__tls){.lock = CRYPTO_THREAD_lock_new()};
    if (t->lock == NULL) {
        return HWS_ERR_MEMORY;
    }
    const char *reason = mistake(config);
    if (reason != NULL) {
        hws__tls_note(t, reason);
        return HWS_ERR_ARGUMENT;
    }
    t->role = config->role;
    t->insecure = config->insecure;
    hws__tls_fill_filter(&t->filter);
    t->filter.context = t;
    ERR_clear_error();
    hws_status status = fill(t, config);
    ERR_clear_error();
    return status;
}

void hws_tls_release(hws_tls *tls) {
    hws__tls *t = (hws__tls *)tls;
    size_t i = 0;
    while (i < t->context_count) {
        SSL_CTX_free(t->contexts[i]);
        i++;
    }
    OPENSSL_free(t->contexts);
    SSL_SESSION_free(t->session);
    BIO_meth_free(t->method);
    BIO_free(t->key_log);
    CRYPTO_THREAD_lock_free(t->lock);
    *t = (hws__tls){0};
}

const hws_filter *hws_tls_filter(const hws_tls *tls) {
    return &((const hws__tls *)tls)->filter;
}
