/*
 * Whom TLS trusts: certificates and names at the client, certificates of clients at the server, the
 * choice of a certificate by SNI, ALPN, and what a context refuses.
 */
#include "tls_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static const uint16_t versions[] = {HWS_TLS_1_2, HWS_TLS_1_3};
enum { VERSIONS = sizeof versions / sizeof versions[0] };

#define REFUSED "The certificate of the peer is not accepted: "

/* A certificate of a server, a host, and why the client refuses it; NULL: it accepts it. */
typedef struct row {
    const char *name;
    const char *certificate;
    const char *host;
    const char *reason;
} row;

static const row rows[] = {
    {"a certificate for the host is accepted", "www", "example.com", NULL},
    {"another name in the certificate as well", "www", "www.example.com", NULL},
    {"RFC 4343 3: case does not matter", "www", "WWW.Example.COM", NULL},
    {"an absolute name is the same name", "www", "example.com.", NULL},
    {"RFC 6125 6.4: another host is refused", "www", "example.net", REFUSED "hostname mismatch."},
    {"a host below the name is refused", "www", "a.www.example.com", REFUSED "hostname mismatch."},
    {"the common name is no name where there are others", "exact", "exact",
     REFUSED "hostname mismatch."},
    {"RFC 6125 6.4.3: a wildcard stands for one label", "wild", "b.example.org", NULL},
    {"RFC 6125 6.4.3: a wildcard does not stand for two", "wild", "c.b.example.org",
     REFUSED "hostname mismatch."},
    {"RFC 6125 6.4.3: a wildcard does not stand for none", "wild", "example.org",
     REFUSED "hostname mismatch."},
    {"RFC 6125 6.4.3: a part of a label is no wildcard", "wild", "fine.example.net",
     REFUSED "hostname mismatch."},
    {"an IPv4 address in the certificate is accepted", "address", "127.0.0.1", NULL},
    {"an IPv6 address in the certificate is accepted", "address", "::1", NULL},
    {"an IPv6 address in brackets is the same", "address", "[::1]", NULL},
    {"an IPv6 address in another spelling is the same", "address", "0:0::0:1", NULL},
    {"another address is refused", "address", "127.0.0.2", REFUSED "IP address mismatch."},
    {"an address is refused by a certificate for a name", "www", "127.0.0.1",
     REFUSED "IP address mismatch."},
    {"an expired certificate is refused", "expired", "example.com",
     REFUSED "certificate has expired."},
    {"a certificate of tomorrow is refused", "early", "example.com",
     REFUSED "certificate is not yet valid."},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

/* A handshake, by which the client refuses the server, or does not. */
static void expect_handshake(hws_tls *client, hws_tls *server, const char *host,
                             const char *reason) {
    tls_pair *p = tls_pair_new(client, server, host);
    tls_exchange(p);
    assert_string_equal(tls_reason(client, p->client.state), reason != NULL ? reason : "");
    assert_int_equal(tls_is_open(&p->client), reason == NULL);
    assert_int_equal(p->client.sent, reason == NULL ? HWS_OK : HWS_ERR_TLS);
    assert_int_equal(p->server.received, reason == NULL ? HWS_OK : HWS_ERR_TLS);
    if (reason != NULL) {
        assert_non_null(
            strstr(tls_reason(server, p->server.state), "The peer has ended TLS with an alert: "));
        assert_string_equal(tls_reason(client, NULL), reason);
    }
    tls_pair_free(p);
}

static void run_row(void **state) {
    const row *r = *state;
    unsigned v = 0;
    while (v < VERSIONS) {
        hws_tls *client = tls_new_client(versions[v]);
        hws_tls *server = tls_new_server(r->certificate, versions[v]);
        expect_handshake(client, server, r->host, r->reason);
        tls_free(client);
        tls_free(server);
        v++;
    }
}

static hws_tls *client_with(const char *ca_file, uint8_t insecure) {
    hws_tls_config config;
    hws_tls_config_init(&config, HWS_ROLE_CLIENT);
    config.ca_file = ca_file;
    config.insecure = insecure;
    return tls_new(&config);
}

static void one_who_vouches_for_himself_is_refused(void **state) {
    hws_tls *client = client_with(tls_file("ca.pem"), 0);
    hws_tls *trusting = client_with(tls_file("self.pem"), 0);
    hws_tls *server = tls_new_server("self", 0);
    tls_pair *p = tls_pair_new(client, server, "example.com");
    (void)state;
    tls_exchange(p);
    assert_false(tls_is_open(&p->client));
    /* Versions of OpenSSL write it with and without a hyphen. */
    assert_non_null(strstr(tls_reason(client, p->client.state), "self"));
    tls_pair_free(p);
    expect_handshake(trusting, server, "example.com", NULL);
    expect_handshake(trusting, server, "example.net", REFUSED "hostname mismatch.");
    tls_free(client);
    tls_free(trusting);
    tls_free(server);
}

static void an_authority_that_is_not_trusted_is_refused(void **state) {
    hws_tls *other = client_with(tls_file("other.pem"), 0);
    hws_tls *system = client_with(NULL, 0);
    hws_tls *server = tls_new_server("www", 0);
    tls_pair *p = tls_pair_new(system, server, "example.com");
    (void)state;
    expect_handshake(other, server, "example.com",
                     REFUSED "unable to get local issuer certificate.");
    tls_exchange(p);
    assert_false(tls_is_open(&p->client));
    assert_int_equal(p->client.received, HWS_ERR_TLS);
    tls_pair_free(p);
    tls_free(other);
    tls_free(system);
    tls_free(server);
}

static void insecure_accepts_everybody(void **state) {
    static const char *const certificates[] = {"www", "self", "expired", "address"};
    hws_tls *client = client_with(NULL, 1);
    unsigned i = 0;
    (void)state;
    while (i < 4) {
        hws_tls *server = tls_new_server(certificates[i], 0);
        expect_handshake(client, server, "nobody.example", NULL);
        expect_handshake(client, server, "", NULL);
        tls_free(server);
        i++;
    }
    tls_free(client);
}

static void expect_no_state(hws_tls *tls, uint8_t role, hws_text host, const char *reason) {
    const hws_filter *filter = hws_tls_filter(tls);
    void *made = NULL;
    assert_int_equal(filter->make(filter->context, role, host, &made), HWS_ERR_TLS);
    assert_null(made);
    assert_string_equal(tls_reason(tls, NULL), reason);
}

static void a_host_that_cannot_be_checked_is_refused(void **state) {
    static const char reason[] = "The host is no name that a certificate can be checked by.";
    hws_tls *client = client_with(tls_file("ca.pem"), 0);
    char longest[300];
    (void)state;
    memset(longest, 'a', sizeof longest);
    expect_no_state(client, HWS_ROLE_CLIENT, hws_text_from(NULL), reason);
    expect_no_state(client, HWS_ROLE_CLIENT, hws_text_from("[]"), reason);
    expect_no_state(client, HWS_ROLE_CLIENT, (hws_text){longest, 256}, reason);
    expect_no_state(client, HWS_ROLE_CLIENT, (hws_text){"example.com\0.evil", 17}, reason);
    tls_free(client);
}

static void a_context_has_one_role(void **state) {
    hws_tls *client = client_with(tls_file("ca.pem"), 0);
    hws_tls *server = tls_new_server("www", 0);
    (void)state;
    expect_no_state(client, HWS_ROLE_SERVER, hws_text_from(NULL),
                    "This TLS context is for clients.");
    expect_no_state(server, HWS_ROLE_CLIENT, hws_text_from("example.com"),
                    "This TLS context is for servers.");
    tls_free(client);
    tls_free(server);
}

/* --- SNI ----------------------------------------------------------------------------------------
 */

/* The common name of the certificate that the server shows for a host. */
static void expect_certificate(hws_tls *server, const char *host, const char *name, int sni) {
    char text[64] = "";
    hws_tls *client = client_with(NULL, 1);
    tls_pair *p = tls_pair_open(client, server, host);
    SSL *ssl = hws_tls_native(p->client.state);
    X509 *shown = SSL_get_peer_certificate(ssl);
    X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, text, sizeof text);
    assert_string_equal(text, name);
    assert_int_equal(
        SSL_get_servername(hws_tls_native(p->server.state), TLSEXT_NAMETYPE_host_name) != NULL,
        sni);
    X509_free(shown);
    tls_pair_free(p);
    tls_free(client);
}

static void the_name_chooses_the_certificate(void **state) {
    hws_tls_certificate certificates[] = {{tls_file("www.pem"), tls_file("www.key")},
                                          {tls_file("wild.pem"), tls_file("wild.key")},
                                          {tls_file("exact.pem"), tls_file("exact.key")}};
    unsigned v = 0;
    (void)state;
    while (v < VERSIONS) {
        hws_tls_config config;
        hws_tls_config_init(&config, HWS_ROLE_SERVER);
        config.certificates = certificates;
        config.certificate_count = 3;
        config.max_version = versions[v];
        hws_tls *server = tls_new(&config);
        expect_certificate(server, "example.com", "www", 1);
        expect_certificate(server, "a.example.org", "exact", 1);
        expect_certificate(server, "A.Example.ORG", "exact", 1);
        expect_certificate(server, "b.example.org", "wild", 1);
        expect_certificate(server, "c.b.example.org", "www", 1);
        expect_certificate(server, "nobody.example", "www", 1);
        expect_certificate(server, "127.0.0.1", "www", 0);
        expect_certificate(server, "::1", "www", 0);
        tls_free(server);
        v++;
    }
}

/* --- certificates of clients --------------------------------------------------------------------
 */

static void expect_client(const char *certificate, uint16_t version, const char *reason) {
    hws_tls_config config;
    hws_tls_certificate own;
    tls_config_server(&config, "www", &own);
    config.ca_file = tls_file("ca.pem");
    config.max_version = version;
    hws_tls *server = tls_new(&config);
    tls_config_client(&config);
    if (certificate != NULL) {
        char file[64];
        (void)snprintf(file, sizeof file, "%s.pem", certificate);
        own.chain_file = tls_file(file);
        (void)snprintf(file, sizeof file, "%s.key", certificate);
        own.key_file = tls_file(file);
        config.certificates = &own;
        config.certificate_count = 1;
    }
    hws_tls *client = tls_new(&config);
    tls_pair *p = tls_pair_new(client, server, "example.com");
    tls_exchange(p);
    /* RFC 8446 4.2.4: the server names the authorities, so that the client can choose. */
    assert_int_equal(sk_X509_NAME_num(SSL_get_client_CA_list(hws_tls_native(p->client.state))), 1);
    assert_int_equal(tls_is_open(&p->server), reason == NULL);
    assert_int_equal(p->client.received, reason == NULL ? HWS_OK : HWS_ERR_TLS);
    assert_string_equal(tls_reason(server, p->server.state), reason != NULL ? reason : "");
    tls_pair_free(p);
    tls_free(client);
    tls_free(server);
}

static void a_server_may_ask_for_certificates(void **state) {
    unsigned v = 0;
    (void)state;
    while (v < VERSIONS) {
        expect_client("client", versions[v], NULL);
        expect_client("stranger", versions[v], REFUSED "unable to get local issuer certificate.");
        expect_client(NULL, versions[v], "The peer has shown no certificate.");
        v++;
    }
}

/* --- ALPN ---------------------------------------------------------------------------------------
 */

/* What a client offers, in the form of RFC 7301 3.1, and whether it is served. */
static void expect_offer(const char *offer, unsigned len, const char *chosen) {
    hws_tls *client = tls_new_client(0);
    hws_tls *server = tls_new_server("www", 0);
    tls_pair *p = tls_pair_new(client, server, "example.com");
    hws_tls_info info;
    assert_int_equal(
        SSL_set_alpn_protos(hws_tls_native(p->client.state), (const unsigned char *)offer, len), 0);
    tls_exchange(p);
    if (chosen == NULL) {
        assert_int_equal(p->server.received, HWS_ERR_TLS);
        assert_string_equal(tls_reason(server, p->server.state),
                            "The peer does not offer http/1.1 by ALPN.");
        assert_string_equal(tls_reason(client, p->client.state),
                            "The peer has ended TLS with an alert: no application protocol.");
    } else {
        hws_tls_describe(p->server.state, &info);
        assert_int_equal(info.alpn.len, strlen(chosen));
        assert_memory_equal(info.alpn.data, chosen, info.alpn.len);
    }
    tls_pair_free(p);
    tls_free(client);
    tls_free(server);
}

static void http_1_1_is_chosen_where_it_is_offered(void **state) {
    (void)state;
    expect_offer("\x08http/1.1", 9, "http/1.1");
    expect_offer("\x02h2\x08http/1.1", 12, "http/1.1");
    expect_offer("\x02h2", 3, NULL);
    expect_offer("\x02h2\x08http/1.0", 12, NULL);
}

static void who_offers_nothing_is_served(void **state) {
    hws_tls *client = tls_new_client(0);
    hws_tls *server = tls_new_server("www", 0);
    tls_pair *p = tls_pair_new(client, server, "example.com");
    hws_tls_info info;
    (void)state;
    assert_int_equal(SSL_set_alpn_protos(hws_tls_native(p->client.state), NULL, 0), 0);
    tls_open(p);
    hws_tls_describe(p->server.state, &info);
    assert_int_equal(info.alpn.len, 0);
    tls_pair_free(p);
    tls_free(client);
    tls_free(server);
}

/* --- contexts -----------------------------------------------------------------------------------
 */

static void expect_no_context(const hws_tls_config *config, hws_status status, const char *reason) {
    hws_tls tls;
    const char *found;
    memset(&tls, 0x55, sizeof tls);
    assert_int_equal(hws_tls_init(&tls, config), status);
    found = tls_reason(&tls, NULL);
    if (strstr(found, reason) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", reason, found);
    }
    assert_int_equal(found[strlen(found) - 1], '.');
    hws_tls_release(&tls);
}

static void expect_bad_files(const char *chain, const char *key, const char *reason) {
    hws_tls_certificate certificate = {tls_file(chain), tls_file(key)};
    hws_tls_config config;
    hws_tls_config_init(&config, HWS_ROLE_SERVER);
    config.certificates = &certificate;
    config.certificate_count = 1;
    expect_no_context(&config, HWS_ERR_TLS, reason);
}

static void files_that_are_no_good_are_told(void **state) {
    hws_tls_config config;
    hws_tls_certificate certificate;
    (void)state;
    expect_bad_files("missing.pem", "www.key", "missing.pem\" cannot be used: No such file");
    expect_bad_files("www.key", "www.key", "The certificate in \"");
    expect_bad_files("www.pem", "missing.key", "missing.key\" cannot be used: No such file");
    expect_bad_files("www.pem", "www.pem", "The key in \"");
    expect_bad_files("www.pem", "ca.key", "key values mismatch");
    expect_bad_files("www.pem", "locked.key", "The key in \"");
    tls_config_client(&config);
    config.ca_file = tls_file("missing.pem");
    expect_no_context(&config, HWS_ERR_TLS, "The list of authorities in \"");
    tls_config_server(&config, "www", &certificate);
    config.ca_file = tls_file("missing.pem");
    expect_no_context(&config, HWS_ERR_TLS, "The list of authorities in \"");
    config.ca_file = NULL;
    config.key_log_file = "/missing/folder/file";
    expect_no_context(&config, HWS_ERR_TLS, "The key log in \"/missing/folder/file\"");
}

/* OpenSSL's own way is to ask at the terminal. */
static void nobody_is_asked_for_a_passphrase(void **state) {
    hws_tls *client = tls_new_client(0);
    hws_tls *server = tls_new_server("www", 0);
    tls_pair *p = tls_pair_new(client, server, "example.com");
    SSL_CTX *context = SSL_get_SSL_CTX(hws_tls_native(p->server.state));
    char text[8];
    (void)state;
    assert_non_null(SSL_CTX_get_default_passwd_cb(context));
    assert_int_equal(SSL_CTX_get_default_passwd_cb(context)(text, sizeof text, 0, NULL), -1);
    tls_pair_free(p);
    tls_free(client);
    tls_free(server);
}

static void configurations_that_cannot_be_are_refused(void **state) {
    hws_tls_certificate two[2] = {{tls_file("www.pem"), tls_file("www.key")},
                                  {tls_file("wild.pem"), tls_file("wild.key")}};
    hws_tls_config config;
    (void)state;
    hws_tls_config_init(&config, HWS_ROLE_SERVER);
    expect_no_context(&config, HWS_ERR_ARGUMENT, "A server of TLS needs a certificate.");
    config.certificates = two;
    config.certificate_count = 2;
    config.insecure = 1;
    expect_no_context(&config, HWS_ERR_ARGUMENT, "The configuration");
    hws_tls_config_init(&config, HWS_ROLE_CLIENT);
    config.insecure = 2;
    expect_no_context(&config, HWS_ERR_ARGUMENT, "The configuration");
    hws_tls_config_init(&config, HWS_ROLE_CLIENT);
    config.certificates = two;
    config.certificate_count = 2;
    expect_no_context(&config, HWS_ERR_ARGUMENT, "A client of TLS has one");
    hws_tls_config_init(&config, 2);
    expect_no_context(&config, HWS_ERR_ARGUMENT, "The configuration");
    hws_tls_config_init(&config, HWS_ROLE_CLIENT);
    config.size--;
    expect_no_context(&config, HWS_ERR_ARGUMENT, "The configuration");
    hws_tls_config_init(&config, HWS_ROLE_CLIENT);
    config.reserved = 1;
    expect_no_context(&config, HWS_ERR_ARGUMENT, "The configuration");
}

static void versions_that_cannot_be_are_refused(void **state) {
    static const uint16_t bad[][2] = {
        {0x0302, HWS_TLS_1_3}, {HWS_TLS_1_3, HWS_TLS_1_2}, {HWS_TLS_1_2, 0x0305}, {0, 0}};
    unsigned i = 0;
    (void)state;
    while (i < 4) {
        hws_tls_config config;
        hws_tls_config_init(&config, HWS_ROLE_CLIENT);
        config.min_version = bad[i][0];
        config.max_version = bad[i][1];
        expect_no_context(&config, HWS_ERR_ARGUMENT, "The versions of TLS");
        i++;
    }
}

int main(void) {
    static struct CMUnitTest row_tests[ROWS];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_who_vouches_for_himself_is_refused),
        cmocka_unit_test(an_authority_that_is_not_trusted_is_refused),
        cmocka_unit_test(insecure_accepts_everybody),
        cmocka_unit_test(a_host_that_cannot_be_checked_is_refused),
        cmocka_unit_test(a_context_has_one_role),
        cmocka_unit_test(the_name_chooses_the_certificate),
        cmocka_unit_test(a_server_may_ask_for_certificates),
        cmocka_unit_test(http_1_1_is_chosen_where_it_is_offered),
        cmocka_unit_test(who_offers_nothing_is_served),
        cmocka_unit_test(files_that_are_no_good_are_told),
        cmocka_unit_test(nobody_is_asked_for_a_passphrase),
        cmocka_unit_test(configurations_that_cannot_be_are_refused),
        cmocka_unit_test(versions_that_cannot_be_are_refused),
    };
    unsigned r = 0;
    while (r < ROWS) {
        row_tests[r].name = rows[r].name;
        row_tests[r].test_func = run_row;
        row_tests[r].initial_state = (void *)(uintptr_t)&rows[r];
        r++;
    }
    int failed = cmocka_run_group_tests(row_tests, tls_files_make, tls_files_remove);
    return failed + cmocka_run_group_tests(tests, tls_files_make, tls_files_remove);
}
