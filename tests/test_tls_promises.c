/*
 * What tls.h promises, tried by those who would gain if it were not kept: hosts that OpenSSL reads
 * in its own way, certificates for something else, sessions after a fault, peers that choose what
 * was not offered, and what comes behind the end of a stream.
 */
#define _DEFAULT_SOURCE
#include "tls_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static const uint16_t versions[] = {HWS_TLS_1_2, HWS_TLS_1_3};
enum { VERSIONS = sizeof versions / sizeof versions[0] };

/* --- sessions -----------------------------------------------------------------------------------
 */

static int resumed(const tls_end *end) {
    hws_tls_info info;
    hws_tls_describe(end->state, &info);
    return info.resumed;
}

/* A connection that works and ends in order: whether it resumed a session. */
static int connect_once(hws_tls *client, hws_tls *server, const char *host) {
    tls_pair *p = tls_pair_open(client, server, host);
    int found = resumed(&p->client);
    hws_tls_filter(client)->finish(p->client.state);
    hws_tls_filter(server)->finish(p->server.state);
    tls_exchange(p);
    tls_pair_free(p);
    return found;
}

/* Addresses have no SNI: only the client keeps them apart. */
static void an_address_gets_no_session_of_another(void **state) {
    unsigned v = 0;
    (void)state;
    while (v < VERSIONS) {
        hws_tls *client = tls_new_client(versions[v]);
        hws_tls *server = tls_new_server("address", versions[v]);
        assert_false(connect_once(client, server, "127.0.0.1"));
        tls_pair *p = tls_pair_new(client, server, "127.0.0.2");
        tls_exchange(p);
        assert_false(tls_is_open(&p->client));
        tls_pair_free(p);
        assert_false(connect_once(client, server, "::1"));
        assert_true(connect_once(client, server, "::1"));
        tls_free(client);
        tls_free(server);
        v++;
    }
}

/* A prefix, and a host that is longer. */
static void a_part_of_a_host_is_another_host(void **state) {
    hws_tls *client = tls_new_client(0);
    hws_tls *server = tls_new_server("wild", 0);
    (void)state;
    assert_false(connect_once(client, server, "bb.example.org"));
    assert_false(connect_once(client, server, "b.example.org"));
    assert_false(connect_once(client, server, "bb.example.org"));
    tls_free(client);
    tls_free(server);
}

/* The server of the session may be trusted, the one that answers now is another. */
static void a_session_does_not_spare_another_server_the_check(void **state) {
    unsigned v = 0;
    (void)state;
    while (v < VERSIONS) {
        hws_tls *client = tls_new_client(versions[v]);
        hws_tls *server = tls_new_server("www", versions[v]);
        hws_tls *impostor = tls_new_server("self", versions[v]);
        assert_false(connect_once(client, server, "example.com"));
        tls_pair *p = tls_pair_new(client, impostor, "example.com");
        tls_exchange(p);
        assert_false(tls_is_open(&p->client));
        tls_pair_free(p);
        p = tls_pair_new(client, impostor, "example.com");
        tls_exchange(p);
        assert_false(tls_is_open(&p->client));
        tls_pair_free(p);
        tls_free(client);
        tls_free(server);
        tls_free(impostor);
        v++;
    }
}

/* A server that asks for certificates gives none a session who has shown none. */
static void a_stranger_gets_no_session(void **state) {
    unsigned v = 0;
    (void)state;
    while (v < VERSIONS) {
        hws_tls_config config;
        hws_tls_certificate own;
        unsigned i = 0;
        tls_config_server(&config, "www", &own);
        config.ca_file = tls_file("ca.pem");
        hws_tls *server = tls_new(&config);
        hws_tls *client = tls_new_client(versions[v]);
        while (i < 3) {
            tls_pair *p = tls_pair_new(client, server, "example.com");
            tls_exchange(p);
            assert_false(tls_is_open(&p->server));
            assert_false(resumed(&p->client));
            tls_pair_free(p);
            i++;
        }
        tls_free(client);
        tls_free(server);
        v++;
    }
}

/* RFC 5246 7.2.2: "any connection terminated with a fatal alert MUST NOT be resumed". */
static void a_session_that_failed_is_not_resumed(void **state) {
    hws_tls *client = tls_new_client(HWS_TLS_1_2);
    hws_tls *server = tls_new_server("www", HWS_TLS_1_2);
    tls_pair *p = tls_pair_open(client, server, "example.com");
    (void)state;
    assert_int_equal(tls_send(p, &p->server, "hello", 5), 5);
    p->server.wire[p->server.wire_len - 1] ^= 1;
    tls_exchange(p);
    assert_int_equal(p->client.received, HWS_ERR_TLS);
    tls_pair_free(p);
    assert_false(connect_once(client, server, "example.com"));
    tls_free(client);
    tls_free(server);
}

/* --- what the peer chooses ----------------------------------------------------------------------
 */

static int choose_h2(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                     const unsigned char *in, unsigned in_len, void *user) {
    (void)ssl, (void)in, (void)in_len, (void)user;
    *out = (const unsigned char *)"h2";
    *out_len = 2;
    return SSL_TLSEXT_ERR_OK;
}

static int choose_nothing(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                          const unsigned char *in, unsigned in_len, void *user) {
    (void)ssl, (void)out, (void)out_len, (void)in, (void)in_len, (void)user;
    return SSL_TLSEXT_ERR_NOACK;
}

/* RFC 7301 3.1: the protocol of the server has to be one of those offered. */
static void a_server_cannot_choose_what_was_not_offered(void **state) {
    unsigned v = 0;
    (void)state;
    while (v < VERSIONS) {
        hws_tls *client = tls_new_client(versions[v]);
        hws_tls *server = tls_new_server("www", versions[v]);
        tls_pair *p = tls_pair_new(client, server, "example.com");
        SSL_CTX_set_alpn_select_cb(SSL_get_SSL_CTX(hws_tls_native(p->server.state)), choose_h2,
                                   NULL);
        tls_exchange(p);
        assert_int_equal(p->client.received, HWS_ERR_TLS);
        assert_false(tls_is_open(&p->client));
        tls_pair_free(p);
        tls_free(client);
        tls_free(server);
        v++;
    }
}

static void a_server_may_choose_nothing(void **state) {
    hws_tls *client = tls_new_client(0);
    hws_tls *server = tls_new_server("www", 0);
    tls_pair *p = tls_pair_new(client, server, "example.com");
    hws_tls_info info;
    (void)state;
    SSL_CTX_set_alpn_select_cb(SSL_get_SSL_CTX(hws_tls_native(p->server.state)), choose_nothing,
                               NULL);
    tls_open(p);
    hws_tls_describe(p->client.state, &info);
    assert_int_equal(info.alpn.len, 0);
    assert_non_null(info.alpn.data);
    tls_pair_free(p);
    tls_free(client);
    tls_free(server);
}

/* RFC 8996: TLS 1.0 and 1.1 MUST NOT be used. */
static void old_versions_are_refused(void **state) {
    static const int old[] = {TLS1_VERSION, TLS1_1_VERSION};
    unsigned i = 0;
    (void)state;
    while (i < 4) {
        hws_tls *client = tls_new_client(0);
        hws_tls *server = tls_new_server("www", 0);
        tls_pair *p = tls_pair_new(client, server, "example.com");
        tls_end *lowered = i < 2 ? &p->client : &p->server;
        SSL *ssl = hws_tls_native(lowered->state);
        SSL_set_security_level(ssl, 0);
        assert_int_equal(SSL_set_min_proto_version(ssl, old[i % 2]), 1);
        assert_int_equal(SSL_set_max_proto_version(ssl, old[i % 2]), 1);
        tls_exchange(p);
        assert_false(tls_is_open(&p->client));
        assert_false(tls_is_open(&p->server));
        assert_int_equal(p->client.received, HWS_ERR_TLS);
        if (i < 2) {
            assert_string_equal(tls_reason(server, p->server.state),
                                "TLS has failed: unsupported protocol.");
        }
        tls_pair_free(p);
        tls_free(client);
        tls_free(server);
        i++;
    }
}

/* RFC 6066 3: the name of SNI has no dot at its end. */
static void the_name_asked_for_has_no_dot_at_its_end(void **state) {
    hws_tls *client = tls_new_client(0);
    hws_tls *server = tls_new_server("www", 0);
    tls_pair *p = tls_pair_open(client, server, "example.com.");
    (void)state;
    assert_string_equal(
        SSL_get_servername(hws_tls_native(p->server.state), TLSEXT_NAMETYPE_host_name),
        "example.com");
    tls_pair_free(p);
    tls_free(client);
    tls_free(server);
}

/* A name asked for that is odd chooses the first certificate, and harms nobody. */
static void odd_names_choose_the_first_certificate(void **state) {
    static const char *const names[] = {".",
                                        "*",
                                        "*.",
                                        "..",
                                        ".example.org",
                                        "example.org",
                                        "-",
                                        "\x01\xFF",
                                        " a.example.org",
                                        "b.example.org.."};
    hws_tls_certificate certificates[] = {{tls_file("www.pem"), tls_file("www.key")},
                                          {tls_file("wild.pem"), tls_file("wild.key")}};
    hws_tls_config config;
    unsigned i = 0;
    (void)state;
    hws_tls_config_init(&config, HWS_ROLE_SERVER);
    config.certificates = certificates;
    config.certificate_count = 2;
    hws_tls *server = tls_new(&config);
    hws_tls *client = tls_new_client(0);
    while (i < sizeof names / sizeof names[0]) {
        char text[64] = "";
        tls_pair *p = tls_pair_new(client, server, "example.com");
        assert_int_equal(SSL_set_tlsext_host_name(hws_tls_native(p->client.state), names[i]), 1);
        tls_open(p);
        X509 *shown = SSL_get_peer_certificate(hws_tls_native(p->client.state));
        X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, text, sizeof text);
        assert_string_equal(text, "www");
        X509_free(shown);
        tls_pair_free(p);
        i++;
    }
    tls_free(client);
    tls_free(server);
}

/* --- streams ------------------------------------------------------------------------------------
 */

/* RFC 8446 6.1: what comes behind close_notify is ignored. */
static void nothing_is_received_behind_the_end(void **state) {
    unsigned v = 0;
    (void)state;
    while (v < VERSIONS) {
        hws_tls *client = tls_new_client(versions[v]);
        hws_tls *server = tls_new_server("www", versions[v]);
        tls_pair *p = tls_pair_open(client, server, "example.com");
        size_t end;
        assert_int_equal(tls_send(p, &p->client, "first", 5), 5);
        hws_tls_filter(client)->finish(p->client.state);
        (void)tls_send(p, &p->client, NULL, 0);
        end = p->client.wire_len;
        /* As if the peer went on: the shutdown is taken back behind the filter's back. */
        SSL_set_shutdown(hws_tls_native(p->client.state), 0);
        assert_int_equal(SSL_write(hws_tls_native(p->client.state), "second", 6), 6);
        (void)tls_send(p, &p->client, NULL, 0);
        assert_true(p->client.wire_len > end);
        tls_deliver(p, &p->client, &p->server);
        assert_int_equal(p->server.received, HWS_ERR_EOF);
        assert_int_equal(p->server.plain_len, 5);
        tls_pair_free(p);
        tls_free(client);
        tls_free(server);
        v++;
    }
}

/* RFC 8446 4.6.3: each may ask for an answer. The peer reads none of them. */
static void a_flood_of_key_updates_costs_little(void **state) {
    hws_tls *client = tls_new_client(HWS_TLS_1_3);
    hws_tls *server = tls_new_server("www", HWS_TLS_1_3);
    tls_pair *p = tls_pair_open(client, server, "example.com");
    SSL *ssl = hws_tls_native(p->client.state);
    unsigned i = 0;
    (void)state;
    while (i < 20000) {
        assert_int_equal(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(ssl), 1);
        (void)tls_send(p, &p->client, NULL, 0);
        i++;
    }
    size_t sent = p->client.wire_len;
    tls_deliver(p, &p->client, &p->server);
    assert_true(p->server.wire_len <= sent);
    if (p->server.received == HWS_OK) {
        assert_int_equal(tls_send(p, &p->client, "hello", 5), 5);
        tls_deliver(p, &p->client, &p->server);
        assert_int_equal(p->server.plain_len, 5);
    }
    tls_pair_free(p);
    tls_free(client);
    tls_free(server);
}

/* --- files --------------------------------------------------------------------------------------
 */

/* A key where authorities should stand would trust nobody, or everybody. */
static void a_list_without_authorities_is_refused(void **state) {
    hws_tls_config config;
    hws_tls tls;
    (void)state;
    tls_config_client(&config);
    config.ca_file = tls_file("ca.key");
    assert_int_equal(hws_tls_init(&tls, &config), HWS_ERR_TLS);
    assert_non_null(strstr(tls_reason(&tls, NULL), "The list of authorities in \""));
    hws_tls_release(&tls);
    hws_tls_release(&tls);
}

/* A sentence of a file whose name is long, or would steer a terminal. */
static void a_reason_is_one_line_whatever_the_file_is_called(void **state) {
    char name[600];
    hws_tls_config config;
    hws_tls tls;
    const char *text;
    (void)state;
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    tls_config_client(&config);
    config.ca_file = name;
    assert_int_equal(hws_tls_init(&tls, &config), HWS_ERR_TLS);
    text = tls_reason(&tls, NULL);
    assert_true(strlen(text) < HWS_TLS_REASON_CAP);
    assert_non_null(strstr(text, "The list of authorities in \""));
    hws_tls_release(&tls);
}

/* A server without TLS, asked by a client with TLS, says so in HTTP. */
static void a_server_without_tls_is_told(void **state) {
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    hws_tls *client = tls_new_client(0);
    hws_tls *server = tls_new_server("www", 0);
    tls_pair *p = tls_pair_new(client, server, "example.com");
    uint8_t room[64];
    size_t used = 0;
    size_t n = 0;
    (void)state;
    (void)tls_send(p, &p->client, NULL, 0);
    assert_int_equal(hws_tls_filter(client)->receive(p->client.state, (const uint8_t *)answer,
                                                     sizeof answer - 1, &used, room, sizeof room,
                                                     &n),
                     HWS_ERR_TLS);
    assert_string_equal(tls_reason(client, p->client.state), "The peer speaks HTTP without TLS.");
    tls_pair_free(p);
    tls_free(client);
    tls_free(server);
}

static void the_key_log_is_for_its_owner_alone(void **state) {
    const char *file = tls_file("private.log");
    hws_tls_config config;
    struct stat found;
    mode_t mask = umask(0);
    (void)state;
    tls_config_client(&config);
    config.key_log_file = file;
    hws_tls *client = tls_new(&config);
    (void)umask(mask);
    assert_int_equal(stat(file, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
    tls_free(client);
}

/* Programs pass getenv("SSLKEYLOGFILE"): who sets it to nothing wants no log. */
static void an_empty_name_is_no_key_log(void **state) {
    hws_tls_config config;
    (void)state;
    tls_config_client(&config);
    config.key_log_file = "";
    tls_free(tls_new(&config));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_gets_no_session_of_another),
        cmocka_unit_test(a_part_of_a_host_is_another_host),
        cmocka_unit_test(a_session_does_not_spare_another_server_the_check),
        cmocka_unit_test(a_stranger_gets_no_session),
        cmocka_unit_test(a_session_that_failed_is_not_resumed),
        cmocka_unit_test(a_server_cannot_choose_what_was_not_offered),
        cmocka_unit_test(a_server_may_choose_nothing),
        cmocka_unit_test(old_versions_are_refused),
        cmocka_unit_test(the_name_asked_for_has_no_dot_at_its_end),
        cmocka_unit_test(odd_names_choose_the_first_certificate),
        cmocka_unit_test(nothing_is_received_behind_the_end),
        cmocka_unit_test(a_flood_of_key_updates_costs_little),
        cmocka_unit_test(a_server_without_tls_is_told),
        cmocka_unit_test(the_key_log_is_for_its_owner_alone),
        cmocka_unit_test(an_empty_name_is_no_key_log),
        cmocka_unit_test(a_list_without_authorities_is_refused),
        cmocka_unit_test(a_reason_is_one_line_whatever_the_file_is_called),
    };
    return cmocka_run_group_tests(tests, tls_files_make, tls_files_remove);
}
