/*
 * The libuv adapter without memory: each allocation fails once, those of the hub and its endpoints
 * and those of libuv itself. Whatever happens, all ends, and nothing is left. (realloc() does not
 * fail: libuv calls abort() when its table of descriptors cannot grow.)
 */
#include "uv_world.h"

#include "toy_filter.h"

enum { ECHO_LEN = 200000 };

/* Counts what it gave, and fails once, at the allocation that is told. */
typedef struct counting {
    unsigned calls;
    unsigned fail_at; /* 1: the first; 0: never */
    unsigned live;
    uint8_t fail_all; /* every allocation fails while it is 1 */
} counting;

static uint8_t may(counting *c) {
    c->calls++;
    return !c->fail_all && c->calls != c->fail_at;
}

static void *take(void *user, size_t len) {
    counting *c = user;
    void *memory = may(c) ? malloc(len) : NULL;
    c->live += memory != NULL;
    return memory;
}

static void give_back(void *user, void *memory) {
    ((counting *)user)->live--;
    free(memory);
}

static counting of_libuv;

static void *uv_take(size_t len) {
    return may(&of_libuv) ? malloc(len) : NULL;
}

static void *uv_take_zeros(size_t count, size_t len) {
    return may(&of_libuv) ? calloc(count, len) : NULL;
}

static void serve_or_abort(side *s, const hws_event *ev) {
    hws_endpoint *ep = hws_uv_endpoint(s->ws);
    hws_accept_config accept;
    hws_status status = HWS_OK;
    hws_accept_config_init(&accept);
    accept.origin.kind = HWS_ORIGIN_ANY;
    if (ev->type == HWS_REQUEST) {
        status = hws_endpoint_accept(ep, &accept);
    } else if (ev->type == HWS_TEXT) {
        status = hws_endpoint_send(ep, HWS_TEXT, HWS_WHOLE, ev->data, ev->len);
    }
    if (status < 0) {
        (void)hws_endpoint_abort(ep, status);
    }
}

static void send_or_abort(side *s, const hws_event *ev) {
    hws_endpoint *ep = hws_uv_endpoint(s->ws);
    uint8_t *data = NULL;
    if (ev->type == HWS_OPEN) {
        data = calloc(1, ECHO_LEN);
        assert_non_null(data);
        if (hws_endpoint_send(ep, HWS_TEXT, HWS_WHOLE, data, ECHO_LEN) < 0) {
            (void)hws_endpoint_abort(ep, HWS_ERR_MEMORY);
        }
        free(data);
    } else if (ev->type == HWS_TEXT) {
        if (hws_endpoint_close(ep, HWS_CLOSE_NORMAL, NULL, 0) != HWS_OK) {
            (void)hws_endpoint_abort(ep, HWS_ERR_MEMORY);
        }
        hws_endpoint_pause(ep, 1); /* so that what follows is kept */
        hws_endpoint_pause(ep, 0);
    }
}

/* Open, echo, close. HWS_OK when the client was told that all went well. */
static hws_status run_once(world *w) {
    side *s = world_next_client(w);
    char url[64];
    hws_status status = hws_uv_hub_open(&w->loop, &w->config, &w->hub);
    if (status != HWS_OK) {
        return status;
    }
    status = hws_uv_hub_listen(w->hub, "127.0.0.1", 0);
    if (status != HWS_OK) {
        return status;
    }
    (void)snprintf(url, sizeof url, "%s://u:p@127.0.0.1:%u/",
                   w->config.client_filter != NULL ? "wss" : "ws", hws_uv_hub_port(w->hub));
    status = hws_uv_hub_connect(w->hub, url, NULL, s, &s->ws);
    if (status != HWS_OK) {
        return status;
    }
    world_until(w, &s->seen[HWS_END], 1);
    return s->status;
}

static unsigned fail_each(counting *c, uint8_t is_libuv, const hws_filter *filter) {
    unsigned failed = 0;
    unsigned at = 1;
    while (at == 1 || c->calls >= at - 1) {
        world *w = world_new();
        counting own = {0, 0, 0, 0};
        hws_allocator allocator = {take, give_back, is_libuv ? &own : c};
        hws_status status = HWS_OK;
        w->on_server = serve_or_abort;
        w->on_client = send_or_abort;
        w->config.server.allocator = w->config.client.allocator = allocator;
        w->config.server_filter = w->config.client_filter = filter;
        c->calls = 0;
        c->fail_at = at;
        status = run_once(w);
        c->fail_at = 0;
        world_free(w);
        failed += status != HWS_OK;
        assert_int_equal(own.live, 0);
        assert_int_equal(c->live, 0);
        at++;
    }
    return failed;
}

static void each_allocation_of_the_hub_may_fail(void **state) {
    counting c = {0, 0, 0, 0};
    (void)state;
    assert_true(fail_each(&c, 0, NULL) > 10);
}

static void each_allocation_with_a_filter_may_fail(void **state) {
    counting c = {0, 0, 0, 0};
    toy t;
    (void)state;
    toy_init(&t);
    assert_true(fail_each(&c, 0, &t.table) > 10);
    assert_int_equal(t.made, 0);
}

static void each_allocation_of_libuv_may_fail(void **state) {
    (void)state;
    assert_true(fail_each(&of_libuv, 1, NULL) > 1);
}

/* There is no memory for any connection: those that come are closed, and the hub lives on. */
static void clients_are_closed_while_there_is_no_memory_for_them(void **state) {
    enum { COUNT = 10 };
    world *w = world_new();
    world *other = world_new_open();
    counting c = {0, 0, 0, 0};
    unsigned i = 0;
    (void)state;
    w->config.server.allocator = (hws_allocator){take, give_back, &c};
    world_open(w);
    c.fail_all = 1;
    while (i <= COUNT) {
        side *s = world_next_client(other);
        char url[64];
        world_url(w, url, sizeof url, "ws");
        assert_int_equal(hws_uv_hub_connect(other->hub, url, NULL, s, &s->ws), HWS_OK);
        while (i == COUNT - 1 && other->client[i].seen[HWS_END] == 0) {
            world_run(other, 5);
            world_run(w, 5);
        }
        c.fail_all = i < COUNT - 1;
        i++;
    }
    while (other->client[COUNT].seen[HWS_OPEN] == 0) {
        world_run(other, 5);
        world_run(w, 5);
    }
    assert_int_equal(w->servers, 1);
    while (i > 1) {
        i--;
        world_until(other, &other->client[i - 1].seen[HWS_END], 1);
    }
    world_free(other);
    world_free(w);
    assert_int_equal(c.live, 0);
}

static void pause_at_once(side *s, const hws_event *ev) {
    serve_or_abort(s, ev);
    hws_endpoint_pause(hws_uv_endpoint(s->ws), ev->type == HWS_TEXT);
}

/* What was read behind the first message is kept when the connection ends. */
static void bytes_that_nobody_took_are_released(void **state) {
    toy t;
    unsigned filtered = 0;
    (void)state;
    toy_init(&t);
    while (filtered < 2) {
        world *w = world_new();
        counting c = {0, 0, 0, 0};
        side *s = NULL;
        unsigned i = 0;
        w->config.server.allocator = (hws_allocator){take, give_back, &c};
        w->config.server_filter = w->config.client_filter = filtered ? &t.table : NULL;
        w->config.buffer_len = 40;
        w->on_server = pause_at_once;
        world_open(w);
        s = world_connect(w, filtered ? "wss" : "ws");
        world_until(w, &s->seen[HWS_OPEN], 1);
        while (i < 20) {
            assert_int_equal(side_send(s, "text"), HWS_OK);
            i++;
        }
        world_until(w, &w->server[0].seen[HWS_TEXT], 1);
        world_free(w);
        assert_int_equal(c.live, 0);
        filtered++;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_of_the_hub_may_fail),
        cmocka_unit_test(each_allocation_with_a_filter_may_fail),
        cmocka_unit_test(each_allocation_of_libuv_may_fail),
        cmocka_unit_test(bytes_that_nobody_took_are_released),
        cmocka_unit_test(clients_are_closed_while_there_is_no_memory_for_them),
    };
    if (uv_replace_allocator(uv_take, realloc, uv_take_zeros, free) != 0) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
