/*
 * Connections in a loop of libuv through TLS: the adapter and the filter of OpenSSL, which know
 * nothing of each other.
 */
#include "uv_world.h"

#include "tls_harness.h"

typedef struct tls_world {
    world *w;
    hws_tls *server;
    hws_tls *client;
} tls_world;

static tls_world open_world(const char *name, uint16_t version) {
    tls_world t;
    t.w = world_new();
    t.server = tls_new_server(name, version);
    t.client = tls_new_client(version);
    t.w->config.server_filter = hws_tls_filter(t.server);
    t.w->config.client_filter = hws_tls_filter(t.client);
    world_open(t.w);
    return t;
}

static void free_world(tls_world *t) {
    world_free(t->w);
    tls_free(t->server);
    tls_free(t->client);
}

static void expect_echo(side *s, size_t len) {
    unsigned before = s->seen[HWS_BINARY];
    uint8_t *data = calloc(1, len + 1);
    uint64_t seed = 7;
    assert_non_null(data);
    random_fill(&seed, data, len);
    assert_true(hws_endpoint_send(hws_uv_endpoint(s->ws), HWS_BINARY, HWS_WHOLE, data, len) >= 0);
    world_until(s->world, &s->seen[HWS_BINARY], before + 1);
    assert_int_equal(s->len, len);
    assert_memory_equal(s->data, data, len);
    free(data);
}

static void echo_and_close(uint16_t version, uint8_t server_closes) {
    static const size_t sizes[] = {0, 1, 16384, 100000, 4000000};
    tls_world t = open_world("address", version);
    side *s = world_connect(t.w, "wss");
    hws_tls_info info;
    size_t i = 0;
    world_until(t.w, &s->seen[HWS_OPEN], 1);
    hws_tls_describe(hws_uv_filter_state(s->ws), &info);
    assert_int_equal(info.version, version);
    while (i < sizeof sizes / sizeof *sizes) {
        expect_echo(s, sizes[i]);
        i++;
    }
    assert_int_equal(side_close(server_closes ? &t.w->server[0] : s, 4000), HWS_OK);
    world_until(t.w, &s->seen[HWS_END], 1);
    world_until(t.w, &t.w->server[0].seen[HWS_END], 1);
    assert_int_equal(s->status | t.w->server[0].status, HWS_OK);
    assert_int_equal(s->close_code, 4000);
    assert_int_equal(t.w->server[0].close_code, 4000);
    free_world(&t);
}

static void messages_come_back_and_either_side_closes(void **state) {
    (void)state;
    echo_and_close(HWS_TLS_1_2, 0);
    echo_and_close(HWS_TLS_1_2, 1);
    echo_and_close(HWS_TLS_1_3, 0);
    echo_and_close(HWS_TLS_1_3, 1);
}

static void a_certificate_of_another_host_ends_with_tls(void **state) {
    tls_world t = open_world("www", HWS_TLS_1_3);
    side *s = world_connect(t.w, "wss");
    char reason[HWS_TLS_REASON_CAP];
    (void)state;
    world_until(t.w, &s->seen[HWS_END], 1);
    assert_int_equal(s->status, HWS_ERR_TLS);
    assert_int_equal(s->seen[HWS_OPEN], 0);
    hws_tls_reason(t.client, NULL, reason);
    assert_true(strlen(reason) > 0);
    free_world(&t);
}

static void a_client_without_tls_is_dropped(void **state) {
    tls_world t = open_world("address", HWS_TLS_1_3);
    side *s = world_connect(t.w, "ws");
    (void)state;
    world_until(t.w, &s->seen[HWS_END], 1);
    world_until(t.w, &t.w->server[0].seen[HWS_END], 1);
    assert_int_equal(t.w->server[0].status, HWS_ERR_TLS);
    free_world(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_back_and_either_side_closes),
        cmocka_unit_test(a_certificate_of_another_host_ends_with_tls),
        cmocka_unit_test(a_client_without_tls_is_dropped),
    };
    return cmocka_run_group_tests(tests, tls_files_make, tls_files_remove);
}
