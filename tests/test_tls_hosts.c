/*
 * Hosts that OpenSSL reads in its own way, and certificates that are for something else or were
 * issued by somebody who may not: all that a client has to refuse beside what test_tls_trust.c has.
 */
#define _DEFAULT_SOURCE
#include "tls_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static const uint16_t versions[] = {HWS_TLS_1_2, HWS_TLS_1_3};
enum { VERSIONS = sizeof versions / sizeof versions[0] };

#define NO_NAME "The host is no name that a certificate can be checked by."
#define REFUSED "The certificate of the peer is not accepted: "

/* --- certificates that tls_files.h does not have -------------------------------------------------
 */

/* An extension; value NULL: none. */
typedef struct extra {
    int nid;
    const char *value;
} extra;

static const char *path_of(const char *name, const char *ending) {
    char file[64];
    assert_true(snprintf(file, sizeof file, "%s%s", name, ending) < (int)sizeof file);
    return tls_file(file);
}

static EVP_PKEY *read_key(const char *name) {
    BIO *file = BIO_new_file(path_of(name, ".key"), "r");
    EVP_PKEY *key = PEM_read_bio_PrivateKey(file, NULL, NULL, NULL);
    assert_non_null(key);
    BIO_free(file);
    return key;
}

static X509 *read_certificate(const char *name) {
    BIO *file = BIO_new_file(path_of(name, ".pem"), "r");
    X509 *certificate = PEM_read_bio_X509(file, NULL, NULL, NULL);
    assert_non_null(certificate);
    BIO_free(file);
    return certificate;
}

static void write_certificate(const char *path, const char *mode, X509 *certificate) {
    BIO *file = BIO_new_file(path, mode);
    assert_int_equal(PEM_write_bio_X509(file, certificate), 1);
    BIO_free(file);
}

/* A certificate with the key of www, by an issuer, with its common name and two extensions. With
 * `chain` that of the issuer stands behind it. The key is written under the new name as well. */
static void issue(const char *name, const char *common, const char *issuer, int chain,
                  const extra extras[2]) {
    static long serial = 1000;
    EVP_PKEY *key = read_key("www");
    EVP_PKEY *by = read_key(issuer);
    X509 *above = read_certificate(issuer);
    X509 *c = X509_new();
    BIO *file = BIO_new_file(path_of(name, ".key"), "w");
    unsigned i = 0;
    assert_int_equal(X509_set_version(c, 2), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(c), serial++), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC,
                                                (const unsigned char *)common, -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(c, X509_get_subject_name(above)), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(c), -3600));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(c), 3600));
    assert_int_equal(X509_set_pubkey(c, key), 1);
    while (i < 2 && extras[i].value != NULL) {
        X509_EXTENSION *made = X509V3_EXT_conf_nid(NULL, NULL, extras[i].nid, extras[i].value);
        assert_int_equal(X509_add_ext(c, made, -1), 1);
        X509_EXTENSION_free(made);
        i++;
    }
    assert_true(X509_sign(c, by, EVP_sha256()) > 0);
    write_certificate(path_of(name, ".pem"), "w", c);
    if (chain) {
        write_certificate(path_of(name, ".pem"), "a", above);
    }
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    BIO_free(file);
    X509_free(c);
    X509_free(above);
    EVP_PKEY_free(key);
    EVP_PKEY_free(by);
}

#define NAMES NID_subject_alt_name
#define USE NID_ext_key_usage

static int make_files(void **state) {
    assert_int_equal(tls_files_make(state), 0);
    issue("alone", "alone", "below", 0, (extra[2]){{NAMES, "DNS:example.com"}});
    issue("forclient", "forclient", "ca", 0,
          (extra[2]){{NAMES, "DNS:example.com"}, {USE, "clientAuth"}});
    issue("forserver", "forserver", "ca", 0,
          (extra[2]){{NAMES, "DNS:example.com"}, {USE, "serverAuth"}});
    issue("forged", "forged", "exact", 1, (extra[2]){{NAMES, "DNS:example.com"}});
    issue("addressname", "addressname", "ca", 0, (extra[2]){{NAMES, "DNS:127.0.0.1"}});
    issue("commonname", "example.com", "ca", 0, (extra[2]){{USE, "serverAuth"}});
    issue("star", "star", "ca", 0, (extra[2]){{NAMES, "DNS:*,DNS:*.com,DNS:*.*.example.com"}});
    return 0;
}

/* --- hosts and certificates ---------------------------------------------------------------------
 */

typedef struct row {
    const char *name;
    const char *certificate;
    const char *host;
    const char *reason; /* why it is refused, by make() or by the check; NULL: it is accepted */
} row;

static const row rows[] = {
    {"a host with a dot before it does not stand for all below it", "www", ".example.com", NO_NAME},
    {"a dot alone is no host", "www", ".", NO_NAME},
    {"two dots at the end are another name", "www", "example.com..", REFUSED "hostname mismatch."},
    {"an absolute name is checked by a wildcard as well", "wild", "b.example.org.", NULL},
    {"a host that is a wildcard does not choose among names", "exact", "*.example.org",
     REFUSED "hostname mismatch."},
    {"an address with a dot at its end is that address", "address", "127.0.0.1.", NULL},
    {"a short address is a name, not an address", "address", "127.1", REFUSED "hostname mismatch."},
    {"an address as a number is a name", "address", "2130706433", REFUSED "hostname mismatch."},
    {"an IPv4 address in IPv6 is another address", "address", "::ffff:127.0.0.1",
     REFUSED "IP address mismatch."},
    {"an IPv6 address with brackets on one side is none", "address", "[::1",
     REFUSED "hostname mismatch."},
    {"RFC 6125 1.7.2: an address written as a name in the certificate does not count",
     "addressname", "127.0.0.1", REFUSED "IP address mismatch."},
    {"RFC 9525 2: a common name alone is no name of a host", "commonname", "example.com",
     REFUSED "hostname mismatch."},
    {"RFC 6125 7.2: no wildcard for everything", "star", "localhost", REFUSED "hostname mismatch."},
    {"RFC 6125 7.2: no wildcard for a whole domain", "star", "example.com",
     REFUSED "hostname mismatch."},
    {"RFC 6125 6.4.3: no two wildcards", "star", "a.b.example.com", REFUSED "hostname mismatch."},
    {"a missing intermediate is told", "alone", "example.com",
     REFUSED "unable to get local issuer certificate."},
    {"RFC 5280 4.2.1.12: a certificate for clients is none for a server", "forclient",
     "example.com", REFUSED "unsuitable certificate purpose."},
    {"RFC 5280 4.2.1.12: one for servers is", "forserver", "example.com", NULL},
    {"RFC 5280 4.2.1.9: who is no authority cannot issue", "forged", "example.com",
     REFUSED "invalid CA certificate."},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

/* What the client says about a server that shows this certificate; "" when it has nothing to say.
 */
static void reason_of(const row *r, uint16_t version, char reason[HWS_TLS_REASON_CAP]) {
    hws_tls *client = tls_new_client(version);
    hws_tls *server = tls_new_server(r->certificate, version);
    const hws_filter *filter = hws_tls_filter(client);
    void *made = NULL;
    if (filter->make(filter->context, HWS_ROLE_CLIENT, hws_text_from(r->host), &made) == HWS_OK) {
        filter->release(made);
        tls_pair *p = tls_pair_new(client, server, r->host);
        tls_exchange(p);
        (void)snprintf(reason, HWS_TLS_REASON_CAP, "%s", tls_reason(client, p->client.state));
        assert_int_equal(tls_is_open(&p->client), reason[0] == '\0');
        tls_pair_free(p);
    } else {
        (void)snprintf(reason, HWS_TLS_REASON_CAP, "%s", tls_reason(client, NULL));
    }
    tls_free(client);
    tls_free(server);
}

static void run_row(void **state) {
    const row *r = *state;
    unsigned v = 0;
    while (v < VERSIONS) {
        char reason[HWS_TLS_REASON_CAP];
        reason_of(r, versions[v], reason);
        assert_string_equal(reason, r->reason != NULL ? r->reason : "");
        v++;
    }
}

int main(void) {
    static struct CMUnitTest row_tests[ROWS];
    unsigned r = 0;
    while (r < ROWS) {
        row_tests[r].name = rows[r].name;
        row_tests[r].test_func = run_row;
        row_tests[r].initial_state = (void *)(uintptr_t)&rows[r];
        r++;
    }
    return cmocka_run_group_tests(row_tests, make_files, tls_files_remove);
}
