/*
 * Certificates for the tests of TLS: see tls_files.h. Knows OpenSSL, not hawser.
 */
#define _DEFAULT_SOURCE
#include "tls_files.h"

#include "support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum { PATH_CAP = 128, PATHS = 64, DAY_S = 86400 };

typedef struct identity {
    EVP_PKEY *key;
    X509 *certificate;
} identity;

static char folder[64];
static char paths[PATHS][PATH_CAP]; /* handed out so far */

const char *tls_file(const char *name) {
    char path[PATH_CAP];
    size_t i = 0;
    assert_true(snprintf(path, sizeof path, "%s/%s", folder, name) < PATH_CAP);
    while (paths[i][0] != '\0' && strcmp(paths[i], path) != 0) {
        i++;
        assert_true(i < PATHS);
    }
    memcpy(paths[i], path, sizeof path);
    return paths[i];
}

static const char *file_of(const char *name, const char *ending) {
    char file[PATH_CAP];
    assert_true(snprintf(file, sizeof file, "%s%s", name, ending) < PATH_CAP);
    return tls_file(file);
}

static EVP_PKEY *new_key(void) {
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *making = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
    assert_int_equal(EVP_PKEY_keygen_init(making), 1);
    assert_int_equal(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(making, NID_X9_62_prime256v1), 1);
    assert_int_equal(EVP_PKEY_keygen(making, &key), 1);
    EVP_PKEY_CTX_free(making);
    return key;
}

static void write_key(const char *path, EVP_PKEY *key, const char *password) {
    BIO *file = BIO_new_file(path, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(file, key, password ? EVP_aes_128_cbc() : NULL,
                                                   password, password ? (int)strlen(password) : 0,
                                                   NULL, NULL),
                     1);
    BIO_free(file);
}

static void append_certificate(const char *path, X509 *certificate) {
    BIO *file = BIO_new_file(path, "a");
    assert_non_null(file);
    assert_int_equal(PEM_write_bio_X509(file, certificate), 1);
    BIO_free(file);
}

static void add_extension(X509 *certificate, int nid, const char *value) {
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* `names` NULL makes an authority, `issuer` NULL one that signed itself. The days count from now.
 */
static identity issue(const char *name, const char *names, const identity *issuer, long from_days,
                      long to_days) {
    static long serial = 1;
    identity made = {new_key(), X509_new()};
    X509 *c = made.certificate;
    X509_NAME *subject = X509_get_subject_name(c);
    const identity *by = issuer != NULL ? issuer : &made;
    assert_int_equal(X509_set_version(c, 2), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(c), serial++), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                                (const unsigned char *)name, -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(c, X509_get_subject_name(by->certificate)), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(c), from_days * DAY_S));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(c), to_days * DAY_S));
    assert_int_equal(X509_set_pubkey(c, made.key), 1);
    if (names == NULL) {
        add_extension(c, NID_basic_constraints, "critical,CA:TRUE");
    } else {
        add_extension(c, NID_subject_alt_name, names);
    }
    assert_true(X509_sign(c, by->key, EVP_sha256()) > 0);
    write_key(file_of(name, ".key"), made.key, NULL);
    append_certificate(file_of(name, ".pem"), c);
    return made;
}

static void forget(identity *made) {
    EVP_PKEY_free(made->key);
    X509_free(made->certificate);
}

static void issue_leaf(const char *name, const char *names, const identity *issuer, long from_days,
                       long to_days) {
    identity made = issue(name, names, issuer, from_days, to_days);
    forget(&made);
}

int tls_files_make(void **state) {
    (void)state;
    memset(paths, 0, sizeof paths);
    memcpy(folder, "/tmp/hawser-tls-XXXXXX", sizeof "/tmp/hawser-tls-XXXXXX");
    assert_non_null(mkdtemp(folder));
    identity ca = issue("ca", NULL, NULL, -1, 30);
    identity other = issue("other", NULL, NULL, -1, 30);
    identity below = issue("below", NULL, &ca, -1, 30);
    identity www = issue("www", "DNS:example.com,DNS:www.example.com", &below, -1, 30);
    append_certificate(tls_file("www.pem"), below.certificate);
    write_key(tls_file("locked.key"), www.key, "secret");
    issue_leaf("wild", "DNS:*.example.org,DNS:f*.example.net", &ca, -1, 30);
    issue_leaf("exact", "DNS:a.example.org", &ca, -1, 30);
    issue_leaf("address", "IP:127.0.0.1,IP:::1", &ca, -1, 30);
    issue_leaf("expired", "DNS:example.com", &ca, -30, -1);
    issue_leaf("early", "DNS:example.com", &ca, 1, 30);
    issue_leaf("self", "DNS:example.com", NULL, -1, 30);
    issue_leaf("client", "email:client@example.com", &ca, -1, 30);
    issue_leaf("stranger", "email:stranger@example.com", &other, -1, 30);
    forget(&ca);
    forget(&other);
    forget(&below);
    forget(&www);
    return 0;
}

int tls_files_remove(void **state) {
    DIR *files = opendir(folder);
    struct dirent *file;
    (void)state;
    assert_non_null(files);
    while ((file = readdir(files)) != NULL) {
        if (file->d_name[0] != '.') {
            char path[sizeof folder + sizeof file->d_name];
            (void)snprintf(path, sizeof path, "%s/%s", folder, file->d_name);
            (void)unlink(path);
        }
    }
    closedir(files);
    return rmdir(folder);
}
