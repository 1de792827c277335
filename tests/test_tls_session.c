/*
 * What connections of TLS agree on, and what a context keeps between them: the session that a
 * client resumes, the key log, and both with several threads.
 */
#define _DEFAULT_SOURCE
#include "tls_harness.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

static const uint16_t versions[] = {HWS_TLS_1_2, HWS_TLS_1_3};
enum { VERSIONS = sizeof versions / sizeof versions[0] };

static int resumed(const tls_end *end) {
    hws_tls_info info;
    hws_tls_describe(end->state, &info);
    return info.resumed;
}

/* A connection with a few bytes. It ends in order, or is dropped. */
static int connect_once(hws_tls *client, hws_tls *server, const char *host, int in_order) {
    tls_pair *p = tls_pair_open(client, server, host);
    int found = resumed(&p->client);
    assert_int_equal(resumed(&p->server), found);
    assert_int_equal(tls_send(p, &p->client, "hello", 5), 5);
    tls_exchange(p);
    assert_int_equal(p->server.plain_len, 5);
    if (in_order) {
        hws_tls_filter(client)->finish(p->client.state);
        hws_tls_filter(server)->finish(p->server.state);
        tls_exchange(p);
        assert_int_equal(p->client.received, HWS_ERR_EOF);
    }
    tls_pair_free(p);
    return found;
}

static void what_was_agreed_on_is_told(void **state) {
    static const char *const names[] = {"TLSv1.2", "TLSv1.3"};
    unsigned v = 0;
    (void)state;
    while (v < VERSIONS) {
        hws_tls_info info;
        hws_tls *client = tls_new_client(versions[v]);
        hws_tls *server = tls_new_server("www", versions[v]);
        tls_pair *p = tls_pair_new(client, server, "example.com");
        hws_tls_describe(p->client.state, &info);
        assert_int_equal(info.version, 0);
        assert_string_equal(info.version_name, "");
        assert_string_equal(info.cipher, "");
        assert_int_equal(info.alpn.len, 0);
        tls_open(p);
        hws_tls_describe(p->server.state, &info);
        assert_int_equal(info.version, versions[v]);
        assert_string_equal(info.version_name, names[v]);
        assert_non_null(strstr(info.cipher, "AES"));
        assert_int_equal(info.alpn.len, 8);
        assert_memory_equal(info.alpn.data, "http/1.1", 8);
        assert_string_equal(SSL_get_version(hws_tls_native(p->server.state)), names[v]);
        tls_pair_free(p);
        tls_free(client);
        tls_free(server);
        v++;
    }
}

/* RFC 5746 and TLS 1.2: a server that renegotiates works for whoever asks. */
static void nobody_renegotiates(void **state) {
    hws_tls *client = tls_new_client(HWS_TLS_1_2);
    hws_tls *server = tls_new_server("www", 0);
    tls_pair *p = tls_pair_open(client, server, "example.com");
    SSL *ssl = hws_tls_native(p->client.state);
    (void)state;
    SSL_clear_options(ssl, SSL_OP_NO_RENEGOTIATION);
    assert_int_equal(SSL_renegotiate(ssl), 1);
    assert_int_equal(SSL_do_handshake(ssl), -1);
    tls_exchange(p);
    assert_int_equal(p->client.received, HWS_ERR_TLS);
    assert_int_equal(SSL_num_renegotiations(hws_tls_native(p->server.state)), 0);
    assert_string_equal(tls_reason(client, p->client.state), "TLS has failed: no renegotiation.");
    tls_pair_free(p);
    tls_free(client);
    tls_free(server);
}

static void the_last_session_is_resumed(void **state) {
    unsigned v = 0;
    (void)state;
    while (v < VERSIONS) {
        hws_tls *client = tls_new_client(versions[v]);
        hws_tls *server = tls_new_server("www", versions[v]);
        unsigned i = 0;
        assert_false(connect_once(client, server, "example.com", 1));
        while (i < 6) {
            assert_true(connect_once(client, server, "example.com", i % 2 == 0));
            i++;
        }
        tls_free(client);
        tls_free(server);
        v++;
    }
}

static void another_host_gets_no_session(void **state) {
    unsigned v = 0;
    (void)state;
    while (v < VERSIONS) {
        hws_tls *client = tls_new_client(versions[v]);
        hws_tls *server = tls_new_server("www", versions[v]);
        assert_false(connect_once(client, server, "example.com", 1));
        assert_false(connect_once(client, server, "www.example.com", 1));
        assert_true(connect_once(client, server, "www.example.com", 1));
        assert_false(connect_once(client, server, "example.com", 1));
        tls_free(client);
        tls_free(server);
        v++;
    }
}

/* RFC 8446 C.4: who sees the same ticket twice knows that both are one client. */
static void a_ticket_is_used_once(void **state) {
    unsigned v = 0;
    (void)state;
    while (v < VERSIONS) {
        hws_tls *client = tls_new_client(versions[v]);
        hws_tls *server = tls_new_server("www", versions[v]);
        assert_false(connect_once(client, server, "example.com", 1));
        tls_pair *a = tls_pair_new(client, server, "example.com");
        tls_pair *b = tls_pair_new(client, server, "example.com");
        tls_open(a);
        tls_open(b);
        assert_true(resumed(&a->client));
        assert_int_equal(resumed(&b->client), versions[v] == HWS_TLS_1_2);
        tls_pair_free(a);
        tls_pair_free(b);
        tls_free(client);
        tls_free(server);
        v++;
    }
}

static void a_server_that_does_not_know_the_ticket_starts_anew(void **state) {
    unsigned v = 0;
    (void)state;
    while (v < VERSIONS) {
        hws_tls *client = tls_new_client(versions[v]);
        hws_tls *server = tls_new_server("www", versions[v]);
        hws_tls *other = tls_new_server("www", versions[v]);
        assert_false(connect_once(client, server, "example.com", 1));
        assert_false(connect_once(client, other, "example.com", 1));
        assert_true(connect_once(client, other, "example.com", 1));
        tls_free(client);
        tls_free(server);
        tls_free(other);
        v++;
    }
}

/* A session of one certificate of the server, chosen by name. */
static void sessions_go_with_sni(void **state) {
    hws_tls_certificate certificates[] = {{tls_file("www.pem"), tls_file("www.key")},
                                          {tls_file("wild.pem"), tls_file("wild.key")}};
    unsigned v = 0;
    (void)state;
    while (v < VERSIONS) {
        hws_tls_config config;
        hws_tls_config_init(&config, HWS_ROLE_SERVER);
        config.certificates = certificates;
        config.certificate_count = 2;
        hws_tls *server = tls_new(&config);
        hws_tls *client = tls_new_client(versions[v]);
        assert_false(connect_once(client, server, "b.example.org", 1));
        assert_true(connect_once(client, server, "b.example.org", 1));
        assert_false(connect_once(client, server, "example.com", 1));
        assert_true(connect_once(client, server, "example.com", 1));
        tls_free(client);
        tls_free(server);
        v++;
    }
}

/* With certificates of clients as well: the session tells the server whose it is. */
static void sessions_go_with_certificates_of_clients(void **state) {
    unsigned v = 0;
    (void)state;
    while (v < VERSIONS) {
        hws_tls_config config;
        hws_tls_certificate own;
        tls_config_server(&config, "www", &own);
        config.ca_file = tls_file("ca.pem");
        hws_tls *server = tls_new(&config);
        tls_config_client(&config);
        own = (hws_tls_certificate){tls_file("client.pem"), tls_file("client.key")};
        config.certificates = &own;
        config.certificate_count = 1;
        config.max_version = versions[v];
        hws_tls *client = tls_new(&config);
        assert_false(connect_once(client, server, "example.com", 1));
        assert_true(connect_once(client, server, "example.com", 1));
        tls_free(client);
        tls_free(server);
        v++;
    }
}

/* --- the key log --------------------------------------------------------------------------------
 */

static hws_tls *logging_client(const char *file, uint16_t version) {
    hws_tls_config config;
    tls_config_client(&config);
    config.key_log_file = file;
    config.max_version = version;
    return tls_new(&config);
}

/* Lines of the log that are whole: a label, 32 bytes of the client's random, a secret. */
static unsigned count_lines(const char *path) {
    FILE *file = fopen(path, "r");
    unsigned lines = 0;
    char line[400];
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        char label[64];
        char random[130];
        char secret[130];
        char end;
        assert_int_equal(
            sscanf(line, "%63[A-Z_0-9] %129[0-9a-f] %129[0-9a-f]%c", label, random, secret, &end),
            4);
        assert_int_equal(strlen(random), 64);
        assert_true(strlen(secret) >= 64 && strlen(secret) % 32 == 0);
        assert_int_equal(end, '\n');
        lines++;
    }
    fclose(file);
    return lines;
}

static void secrets_are_appended_to_the_key_log(void **state) {
    const char *file = tls_file("keys.log");
    hws_tls *server = tls_new_server("www", 0);
    hws_tls *client = logging_client(file, HWS_TLS_1_2);
    (void)state;
    (void)connect_once(client, server, "example.com", 1);
    assert_int_equal(count_lines(file), 1);
    tls_free(client);
    client = logging_client(file, HWS_TLS_1_3);
    (void)connect_once(client, server, "example.com", 1);
    assert_int_equal(count_lines(file), 6);
    tls_free(client);
    tls_free(server);
}

static void the_server_of_any_name_logs_keys(void **state) {
    const char *file = tls_file("server.log");
    hws_tls_certificate certificates[] = {{tls_file("www.pem"), tls_file("www.key")},
                                          {tls_file("wild.pem"), tls_file("wild.key")}};
    hws_tls *client = tls_new_client(HWS_TLS_1_2);
    hws_tls_config config;
    (void)state;
    hws_tls_config_init(&config, HWS_ROLE_SERVER);
    config.certificates = certificates;
    config.certificate_count = 2;
    config.key_log_file = file;
    hws_tls *server = tls_new(&config);
    (void)connect_once(client, server, "example.com", 1);
    (void)connect_once(client, server, "b.example.org", 1);
    assert_int_equal(count_lines(file), 2);
    tls_free(client);
    tls_free(server);
}

/* The environment is for programs to read. */
static void without_a_file_nothing_is_logged(void **state) {
    const char *file = tls_file("none.log");
    hws_tls *server = tls_new_server("www", 0);
    (void)state;
    assert_int_equal(setenv("SSLKEYLOGFILE", file, 1), 0);
    hws_tls *client = tls_new_client(0);
    (void)connect_once(client, server, "example.com", 1);
    assert_int_equal(unsetenv("SSLKEYLOGFILE"), 0);
    assert_null(fopen(file, "r"));
    tls_free(client);
    tls_free(server);
}

/* --- threads ------------------------------------------------------------------------------------
 */

enum { THREADS = 4, ROUNDS = 8 };

/* What a thread does. cmocka is for the first thread: a count says how many went well. */
typedef struct worker {
    pthread_t thread;
    hws_tls *client;
    hws_tls *server;
    unsigned resumed;
} worker;

static void *work(void *user) {
    worker *w = user;
    unsigned i = 0;
    while (i < ROUNDS) {
        w->resumed += (unsigned)connect_once(w->client, w->server, "example.com", 1);
        i++;
    }
    return NULL;
}

static void several_threads_share_contexts(void **state) {
    const char *file = tls_file("threads.log");
    hws_tls *server = tls_new_server("www", 0);
    hws_tls *client = logging_client(file, HWS_TLS_1_3);
    worker workers[THREADS];
    unsigned total = 0;
    unsigned i = 0;
    (void)state;
    (void)connect_once(client, server, "example.com", 1);
    while (i < THREADS) {
        workers[i] = (worker){.client = client, .server = server};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
        i++;
    }
    i = 0;
    while (i < THREADS) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        total += workers[i].resumed;
        i++;
    }
    assert_true(total > 0);
    assert_int_equal(count_lines(file), 5 * (1 + THREADS * ROUNDS));
    tls_free(client);
    tls_free(server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_agreed_on_is_told),
        cmocka_unit_test(nobody_renegotiates),
        cmocka_unit_test(the_last_session_is_resumed),
        cmocka_unit_test(another_host_gets_no_session),
        cmocka_unit_test(a_ticket_is_used_once),
        cmocka_unit_test(a_server_that_does_not_know_the_ticket_starts_anew),
        cmocka_unit_test(sessions_go_with_sni),
        cmocka_unit_test(sessions_go_with_certificates_of_clients),
        cmocka_unit_test(secrets_are_appended_to_the_key_log),
        cmocka_unit_test(the_server_of_any_name_logs_keys),
        cmocka_unit_test(without_a_file_nothing_is_logged),
        cmocka_unit_test(several_threads_share_contexts),
    };
    return cmocka_run_group_tests(tests, tls_files_make, tls_files_remove);
}
