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

/* The state of a test: contexts that agree on a version. */
typedef struct contexts {
    hws_tls *client;
    hws_tls *server;
    uint16_t version;
} contexts;

static int set_up(void **state) {
    contexts *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->version = *(const uint16_t *)*state;
    c->client = tls_new_client(c->version);
    c->server = tls_new_server("www", c->version);
    *state = c;
    return 0;
}

static int tear_down(void **state) {
    contexts *c = *state;
    tls_free(c->client);
    tls_free(c->server);
    free(c);
    return 0;
}

static void replace(hws_tls **tls, hws_tls *other) {
    tls_free(*tls);
    *tls = other;
}

static int resumed(const tls_end *end) {
    hws_tls_info info;
    hws_tls_describe(end->state, &info);
    return info.resumed;
}

/* A server for example.com and *.example.org. */
static hws_tls *new_server_of_names(const char *key_log_file) {
    hws_tls_certificate certificates[] = {{tls_file("www.pem"), tls_file("www.key")},
                                          {tls_file("wild.pem"), tls_file("wild.key")}};
    hws_tls_config config;
    hws_tls_config_init(&config, HWS_ROLE_SERVER);
    config.certificates = certificates;
    config.certificate_count = 2;
    config.key_log_file = key_log_file;
    return tls_new(&config);
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
    contexts *c = *state;
    const char *name = c->version == HWS_TLS_1_2 ? "TLSv1.2" : "TLSv1.3";
    hws_tls_info info;
    tls_pair *p = tls_pair_new(c->client, c->server, "example.com");
    hws_tls_describe(p->client.state, &info);
    assert_int_equal(info.version, 0);
    assert_string_equal(info.version_name, "");
    assert_string_equal(info.cipher, "");
    assert_int_equal(info.alpn.len, 0);
    tls_open(p);
    hws_tls_describe(p->server.state, &info);
    assert_int_equal(info.version, c->version);
    assert_string_equal(info.version_name, name);
    assert_non_null(strstr(info.cipher, "AES"));
    assert_int_equal(info.alpn.len, 8);
    assert_memory_equal(info.alpn.data, "http/1.1", 8);
    assert_string_equal(SSL_get_version(hws_tls_native(p->server.state)), name);
    tls_pair_free(p);
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
    contexts *c = *state;
    unsigned i = 0;
    assert_false(connect_once(c->client, c->server, "example.com", 1));
    while (i < 6) {
        assert_true(connect_once(c->client, c->server, "example.com", i % 2 == 0));
        i++;
    }
}

static void another_host_gets_no_session(void **state) {
    contexts *c = *state;
    assert_false(connect_once(c->client, c->server, "example.com", 1));
    assert_false(connect_once(c->client, c->server, "www.example.com", 1));
    assert_true(connect_once(c->client, c->server, "www.example.com", 1));
    assert_false(connect_once(c->client, c->server, "example.com", 1));
}

/* RFC 8446 C.4: who sees the same ticket twice knows that both are one client. */
static void a_ticket_is_used_once(void **state) {
    contexts *c = *state;
    assert_false(connect_once(c->client, c->server, "example.com", 1));
    tls_pair *a = tls_pair_new(c->client, c->server, "example.com");
    tls_pair *b = tls_pair_new(c->client, c->server, "example.com");
    int second_offers = SSL_get_session(hws_tls_native(b->client.state)) != NULL;
    assert_int_equal(second_offers, c->version == HWS_TLS_1_2);
    tls_open(a);
    tls_open(b);
    assert_true(resumed(&a->client));
    assert_int_equal(resumed(&b->client), c->version == HWS_TLS_1_2);
    tls_pair_free(a);
    tls_pair_free(b);
}

static void a_server_that_does_not_know_the_ticket_starts_anew(void **state) {
    contexts *c = *state;
    hws_tls *other = tls_new_server("www", c->version);
    assert_false(connect_once(c->client, c->server, "example.com", 1));
    assert_false(connect_once(c->client, other, "example.com", 1));
    assert_true(connect_once(c->client, other, "example.com", 1));
    tls_free(other);
}

/* A session of one certificate of the server, chosen by name. */
static void sessions_go_with_sni(void **state) {
    contexts *c = *state;
    replace(&c->server, new_server_of_names(NULL));
    assert_false(connect_once(c->client, c->server, "b.example.org", 1));
    assert_true(connect_once(c->client, c->server, "b.example.org", 1));
    assert_false(connect_once(c->client, c->server, "example.com", 1));
    assert_true(connect_once(c->client, c->server, "example.com", 1));
}

/* With certificates of clients as well: the session tells the server whose it is. */
static void sessions_go_with_certificates_of_clients(void **state) {
    contexts *c = *state;
    hws_tls_config config;
    hws_tls_certificate own;
    tls_config_server(&config, "www", &own);
    config.ca_file = tls_file("ca.pem");
    replace(&c->server, tls_new(&config));
    tls_config_client(&config);
    own = (hws_tls_certificate){tls_file("client.pem"), tls_file("client.key")};
    config.certificates = &own;
    config.certificate_count = 1;
    config.max_version = c->version;
    replace(&c->client, tls_new(&config));
    assert_false(connect_once(c->client, c->server, "example.com", 1));
    assert_true(connect_once(c->client, c->server, "example.com", 1));
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
    hws_tls *client = tls_new_client(HWS_TLS_1_2);
    hws_tls *server = new_server_of_names(file);
    (void)state;
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

static uint16_t tls_1_2 = HWS_TLS_1_2;
static uint16_t tls_1_3 = HWS_TLS_1_3;
#define EACH_VERSION(function)                                                                     \
    {#function " (TLS 1.2)", function, set_up, tear_down, &tls_1_2}, {                             \
#function " (TLS 1.3)", function, set_up, tear_down, &tls_1_3                              \
    }

int main(void) {
    const struct CMUnitTest tests[] = {
        EACH_VERSION(what_was_agreed_on_is_told),
        cmocka_unit_test(nobody_renegotiates),
        EACH_VERSION(the_last_session_is_resumed),
        EACH_VERSION(another_host_gets_no_session),
        EACH_VERSION(a_ticket_is_used_once),
        EACH_VERSION(a_server_that_does_not_know_the_ticket_starts_anew),
        EACH_VERSION(sessions_go_with_sni),
        EACH_VERSION(sessions_go_with_certificates_of_clients),
        cmocka_unit_test(secrets_are_appended_to_the_key_log),
        cmocka_unit_test(the_server_of_any_name_logs_keys),
        cmocka_unit_test(without_a_file_nothing_is_logged),
        cmocka_unit_test(several_threads_share_contexts),
    };
    return cmocka_run_group_tests(tests, tls_files_make, tls_files_remove);
}
