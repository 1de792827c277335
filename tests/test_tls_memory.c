/*
 * TLS without memory: every allocation of OpenSSL in turn finds none. What cannot go on fails as
 * such, nothing is leaked, and the next connection works.
 */
#include "tls_harness.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

/* Of the allocations of a connection, and of a context, which reads files, each so-and-so-manieth
 * is tried. */
#ifdef HWS_TEST_REDUCED
enum { CONNECTION_STEP = 41, CONTEXT_STEP = 397 };
#else
enum { CONNECTION_STEP = 1, CONTEXT_STEP = 13 };
#endif

/* What OpenSSL may keep for itself, found at first need: a few objects over all of a test. */
enum { KEPT_MAX = 40 };

/* Allocations until one fails; 0: none does. Live ones are counted. */
static unsigned countdown;
static long live;

static int fails_now(void) {
    if (countdown == 0) {
        return 0;
    }
    countdown--;
    return countdown == 0;
}

static void *counted_malloc(size_t len, const char *file, int line) {
    (void)file;
    (void)line;
    void *memory = len == 0 || fails_now() ? NULL : malloc(len);
    live += memory != NULL;
    return memory;
}

static void counted_free(void *memory, const char *file, int line) {
    (void)file;
    (void)line;
    live -= memory != NULL;
    free(memory);
}

static void *counted_realloc(void *memory, size_t len, const char *file, int line) {
    if (memory == NULL) {
        return counted_malloc(len, file, line);
    }
    if (len == 0) {
        counted_free(memory, file, line);
        return NULL;
    }
    return fails_now() ? NULL : realloc(memory, len);
}

/* Two ends, and what one has for the other. */
typedef struct memory_pair {
    hws_tls *tls[2];
    void *states[2];
    uint8_t wire[2][40000];
    size_t wire_len[2];
    size_t given; /* bytes of the client that were taken */
    size_t got;   /* bytes that came to the server */
} memory_pair;

enum { LEN = 3000, TURNS = 16 };

static hws_status make_ends(memory_pair *p) {
    hws_status status = HWS_OK;
    unsigned end = 0;
    while (end < 2 && status == HWS_OK) {
        const hws_filter *filter = hws_tls_filter(p->tls[end]);
        status = filter->make(filter->context, end == 0 ? HWS_ROLE_CLIENT : HWS_ROLE_SERVER,
                              hws_text_from("example.com"), &p->states[end]);
        assert_true(status == HWS_OK || status == HWS_ERR_MEMORY);
        end++;
    }
    return status;
}

/* One end receives and sends. The client, which is 0, has something to say. */
static hws_status take_turn(memory_pair *p, unsigned end) {
    static const uint8_t data[LEN];
    static uint8_t plain[LEN + 1];
    const hws_filter *filter = hws_tls_filter(p->tls[end]);
    size_t used = 0;
    size_t none = 0;
    size_t n = 0;
    hws_status received = filter->receive(p->states[end], p->wire[1 - end], p->wire_len[1 - end],
                                          &used, plain, sizeof plain, &n);
    p->got += n;
    p->wire_len[end] = 0;
    hws_status sent =
        filter->send(p->states[end], data, end == 0 ? LEN : 0, end == 0 ? &p->given : &none,
                     p->wire[end], sizeof p->wire[end], &p->wire_len[end]);
    if (received < 0) {
        assert_int_equal(sent, HWS_ERR_TLS);
    }
    return sent;
}

/* A connection from the start to the end. Returns whether it worked. */
static int connect_once(hws_tls *client, hws_tls *server) {
    static memory_pair p;
    unsigned turn = 0;
    p = (memory_pair){.tls = {client, server}};
    hws_status status = make_ends(&p);
    while (turn < TURNS && status >= 0) {
        status = take_turn(&p, turn % 2);
        turn++;
    }
    turn = 0;
    while (turn < 2) {
        if (p.states[turn] != NULL) {
            hws_tls_filter(p.tls[turn])->release(p.states[turn]);
        }
        turn++;
    }
    assert_int_equal(ERR_peek_error(), 0);
    return status >= 0 && p.got == LEN;
}

static void run_connections(uint16_t version) {
    hws_tls *client = tls_new_client(version);
    hws_tls *server = tls_new_server("www", version);
    unsigned k = 1;
    unsigned failed = 0;
    unsigned left = 0;
    assert_true(connect_once(client, server));
    assert_true(connect_once(client, server));
    long before = live;
    while (left == 0) {
        countdown = k;
        failed += !connect_once(client, server);
        left = countdown;
        countdown = 0;
        k += CONNECTION_STEP;
    }
    assert_true(failed * CONNECTION_STEP > 100);
    assert_true(connect_once(client, server));
    assert_true(connect_once(client, server));
    assert_true(live - before < KEPT_MAX);
    tls_free(client);
    tls_free(server);
}

static void a_connection_without_memory_fails_alone(void **state) {
    (void)state;
    run_connections(HWS_TLS_1_2);
    run_connections(HWS_TLS_1_3);
}

static void a_context_without_memory_is_not_made(void **state) {
    hws_tls_certificate certificate;
    hws_tls_config config;
    unsigned k = 1;
    unsigned failed = 0;
    unsigned left = 0;
    (void)state;
    tls_config_server(&config, "www", &certificate);
    config.ca_file = tls_file("ca.pem");
    config.key_log_file = tls_file("memory.log");
    tls_free(tls_new(&config));
    long before = live;
    while (left == 0) {
        hws_tls tls;
        countdown = k;
        hws_status status = hws_tls_init(&tls, &config);
        left = countdown;
        countdown = 0;
        assert_true(status == HWS_OK || status == HWS_ERR_MEMORY || status == HWS_ERR_TLS);
        assert_int_equal(ERR_peek_error(), 0);
        failed += status != HWS_OK;
        hws_tls_release(&tls);
        k += CONTEXT_STEP;
    }
    assert_true(failed * CONTEXT_STEP > 100);
    assert_true(live - before < KEPT_MAX);
    tls_free(tls_new(&config));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_without_memory_fails_alone),
        cmocka_unit_test(a_context_without_memory_is_not_made),
    };
    if (CRYPTO_set_mem_functions(counted_malloc, counted_realloc, counted_free) != 1) {
        return 1;
    }
    return cmocka_run_group_tests(tests, tls_files_make, tls_files_remove);
}
