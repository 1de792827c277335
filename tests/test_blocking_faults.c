/*
 * Every call to the system fails once, in every way: the k-th call of a whole life (connect,
 * exchange, close; accept, echo, end) for each k. Each run must end, in success or with a clean
 * error, and leave no descriptor behind.
 *
 * Linked with --wrap for each name here and in faults.h. Both sides run here, in two threads; the
 * faults hit one of them at a time, the other is its honest peer.
 */
#include "faults.h"
#include "toy_filter.h"

#include <netinet/in.h>
#include <signal.h>

/* --wrap=connect */
WRAP(int, connect, (int fd, const struct sockaddr *address, socklen_t len)) {
    return connect_unless(fails(), fd, address, len);
}

enum { PAYLOAD = 100000 };
static uint8_t payload[PAYLOAD];

static void peer_quick(peer *p) {
    peer_init(p, 8192);
    p->config.open_timeout_ms = 300;
    p->config.close_timeout_ms = 300;
    p->config.random = unpooled;
}

/* A client's life. Returns how it ended. */
static hws_status client_life(peer *client, const char *url) {
    uint8_t buffer[PAYLOAD];
    hws_message message;
    hws_event ev;
    hws_status status = hws_blocking_connect(&client->ws, url, &client->config, NULL);
    hws_message_init(&message, buffer, sizeof buffer);
    if (status == HWS_OK) {
        status =
            hws_blocking_send(&client->ws, HWS_BINARY, HWS_WHOLE, payload, sizeof payload, 300);
    }
    if (status == HWS_OK) {
        status = hws_blocking_receive_message(&client->ws, &message, &ev, 300);
        if (status == HWS_EVENT && ev.type == HWS_BINARY) {
            assert_int_equal(ev.len, sizeof payload);
            assert_memory_equal(ev.data, payload, sizeof payload);
        }
        status = status == HWS_EVENT ? HWS_OK : status;
    }
    if (status == HWS_OK) {
        status = hws_blocking_send(&client->ws, HWS_PING, HWS_WHOLE, NULL, 0, 300);
    }
    if (status == HWS_OK) {
        status = hws_blocking_close(&client->ws, HWS_CLOSE_NORMAL, NULL, 0);
    }
    hws_blocking_release(&client->ws);
    return status;
}

/* A server's: accepts one connection, echoes, and ends. */
static hws_status server_life(peer *server, hws_listener *listener) {
    uint8_t buffer[PAYLOAD];
    intptr_t socket = -1;
    hws_message message;
    hws_handshake handshake;
    hws_accept_config accept;
    hws_event ev;
    hws_status status = hws_listener_accept(listener, &socket, 300);
    hws_accept_config_init(&accept);
    accept.origin.kind = HWS_ORIGIN_SAME;
    hws_message_init(&message, buffer, sizeof buffer);
    if (status != HWS_OK) {
        return status;
    }
    status = hws_blocking_read_request(&server->ws, socket, &server->config, &handshake);
    if (status == HWS_OK) {
        status = hws_blocking_accept(&server->ws, &accept);
    }
    while (status == HWS_OK) {
        status = hws_blocking_receive_message(&server->ws, &message, &ev, 300);
        if (status != HWS_EVENT) {
            break;
        }
        status = HWS_OK;
        if (ev.type == HWS_BINARY) {
            status = hws_blocking_send(&server->ws, HWS_BINARY, HWS_WHOLE, ev.data, ev.len, 300);
        }
    }
    hws_blocking_release(&server->ws);
    return status;
}

typedef struct life {
    peer client;
    peer server;
    hws_listener listener;
    char url[64];
    toy kind;
    uint8_t secure; /* 1: through a filter */
    uint8_t role;   /* who is hit */
    int at;
    enum fault fault;
    int calls; /* out: how many there were */
    hws_status status;
} life;

static void start_plan(const life *l, uint8_t role) {
    plan_fault(l->fault, l->role == role ? l->at : -1);
}

static hws_status stop_plan(life *l, uint8_t role, hws_status status) {
    plan.at = -1;
    if (l->role == role) {
        l->calls = plan.calls;
        l->status = status;
    }
    return status;
}

static void *serve(void *arg) {
    life *l = arg;
    start_plan(l, HWS_ROLE_SERVER);
    (void)stop_plan(l, HWS_ROLE_SERVER, server_life(&l->server, &l->listener));
    return NULL;
}

/* One more connection, so that a server whose client failed early need not wait for its deadline.
 */
static void knock(const life *l) {
    struct sockaddr_in address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(hws_listener_port(&l->listener));
    (void)connect(fd, (const struct sockaddr *)&address, sizeof address);
    close(fd);
}

static void run_life(life *l) {
    pthread_t thread;
    assert_int_equal(hws_listener_open(&l->listener, "127.0.0.1", 0), HWS_OK);
    snprintf(l->url, sizeof l->url, "%s://127.0.0.1:%u/", l->secure ? "wss" : "ws",
             hws_listener_port(&l->listener));
    peer_quick(&l->client);
    peer_quick(&l->server);
    toy_init(&l->kind);
    l->kind.chatty = 1;
    l->client.config.filter = l->server.config.filter = l->secure ? &l->kind.table : NULL;
    assert_int_equal(pthread_create(&thread, NULL, serve, l), 0);
    start_plan(l, HWS_ROLE_CLIENT);
    (void)stop_plan(l, HWS_ROLE_CLIENT, client_life(&l->client, l->url));
    knock(l);
    assert_int_equal(pthread_join(thread, NULL), 0);
    hws_listener_release(&l->listener);
    assert_int_equal(l->kind.made, 0);
}

static void fail_each_call(uint8_t role, uint8_t secure) {
    life *l = calloc(1, sizeof *l);
    int descriptors = 0;
    int fault = 0;
    int hit = 0;
    assert_non_null(l);
    l->role = role;
    l->secure = secure;
    l->at = -1;
    run_life(l);
    assert_int_equal(l->status, HWS_OK);
    descriptors = count_descriptors();
    while (fault < FAULTS) {
        l->fault = (enum fault)fault;
        l->at = 0;
        do {
            l->calls = 0;
            run_life(l);
            assert_true(l->status <= HWS_OK);
            if (is_harmless(l->fault)) {
                assert_int_equal(l->status, HWS_OK);
            }
            assert_int_equal(count_descriptors(), descriptors);
            hit = l->calls > l->at;
            l->at++;
#ifdef HWS_TEST_REDUCED
            l->at += l->at > 40 ? 6 : 0;
#endif
        } while (hit);
        fault++;
    }
    free(l);
}

static void a_client_survives_the_failure_of_each_call(void **state) {
    (void)state;
    fail_each_call(HWS_ROLE_CLIENT, 0);
}

static void a_client_with_a_filter_survives_the_failure_of_each_call(void **state) {
    (void)state;
    fail_each_call(HWS_ROLE_CLIENT, 1);
}

static void a_server_survives_the_failure_of_each_call(void **state) {
    (void)state;
    fail_each_call(HWS_ROLE_SERVER, 0);
}

static void a_server_with_a_filter_survives_the_failure_of_each_call(void **state) {
    (void)state;
    fail_each_call(HWS_ROLE_SERVER, 1);
}

static void a_listener_survives_the_failure_of_each_call(void **state) {
    int descriptors = count_descriptors();
    int fault = 0;
    (void)state;
    while (fault < FAULTS) {
        hws_status status = HWS_ERR_SYSTEM;
        int at = 0;
        while (at < 12) {
            hws_listener listener;
            plan_fault((enum fault)fault, at);
            status = hws_listener_open(&listener, "127.0.0.1", 0);
            plan.at = -1;
            assert_true(status == HWS_OK || status == HWS_ERR_SYSTEM || status == HWS_ERR_RESOLVE);
            if (status != HWS_OK) {
                assert_int_not_equal(hws_listener_system_error(&listener), 0);
            }
            hws_listener_release(&listener);
            assert_int_equal(count_descriptors(), descriptors);
            at++;
        }
        assert_int_equal(status, HWS_OK);
        fault++;
    }
}

/* entropy.h: on failure nothing was written. */
static void entropy_fails_whole(void **state) {
    uint8_t key[4] = {1, 2, 3, 4};
    uint8_t large[5000];
    uint8_t nothing[5000] = {0};
    int at = 0;
    (void)state;
    largest_random = 999;
    while (at < 6) {
        plan_fault(FAULT_MEMORY, at);
        memset(large, 0, sizeof large);
        assert_int_equal(hws_entropy(NULL, large, sizeof large), HWS_ERR_RANDOM);
        assert_memory_equal(large, nothing, sizeof large);
        at++;
    }
    largest_random = SIZE_MAX;
    /* Empty the pool; the refill fails. */
    plan.at = -1;
    assert_int_equal(hws_entropy(NULL, large, 1024), HWS_OK);
    assert_int_equal(hws_entropy(NULL, large, 1024), HWS_OK);
    plan_fault(FAULT_MEMORY, 0);
    assert_int_equal(hws_entropy(NULL, key, sizeof key), HWS_ERR_RANDOM);
    assert_memory_equal(key, "\1\2\3\4", 4);
    plan_fault(FAULT_ONE_BYTE, 0);
    assert_int_equal(hws_entropy(NULL, key, sizeof key), HWS_OK);
    plan.at = -1;
    assert_int_equal(hws_entropy(NULL, large, 1000), HWS_OK);
    plan_fault(FAULT_INTERRUPTED, 0);
    assert_int_equal(hws_entropy(NULL, large, 1000), HWS_OK);
    plan.at = -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_survives_the_failure_of_each_call),
        cmocka_unit_test(a_client_with_a_filter_survives_the_failure_of_each_call),
        cmocka_unit_test(a_server_survives_the_failure_of_each_call),
        cmocka_unit_test(a_server_with_a_filter_survives_the_failure_of_each_call),
        cmocka_unit_test(a_listener_survives_the_failure_of_each_call),
        cmocka_unit_test(entropy_fails_whole),
    };
    alarm(150);
    random_fill(&(uint64_t){1}, payload, sizeof payload);
    return cmocka_run_group_tests_name("blocking_faults", tests, NULL, NULL);
}
