/*
 * Every call to the system fails once, in every way, and every allocation: the k-th call of a whole
 * life for each k. In one loop a client connects to its server, both exchange messages, something
 * is posted, and all is closed and shut down. Each life ends in time, without spinning, in success
 * or with a clean error, and leaves no descriptor and no memory behind.
 *
 * Linked with --wrap for each name here and in faults.h.
 */
#include "faults.h"
#include "loop_world.h"
#include "toy_filter.h"

#include <sys/resource.h>
#ifdef __linux__
#include <sys/epoll.h>
#endif

/* --wrap=read. Of the pipe: a pointer comes whole. */
WRAP(ssize_t, read, (int fd, void *buf, size_t len)) {
    return fails() ? -1 : __real_read(fd, buf, len);
}

/* --wrap=write */
WRAP(ssize_t, write, (int fd, const void *buf, size_t len)) {
    return plan.fault == FAULT_INTERRUPTED && fails() ? -1 : __real_write(fd, buf, len);
}

#ifdef __linux__

/* --wrap=epoll_wait */
WRAP(int, epoll_wait, (int fd, struct epoll_event *events, int count, int timeout_ms)) {
    plan.waits++;
    return fails() ? -1 : __real_epoll_wait(fd, events, count, timeout_ms);
}

/* --wrap=epoll_ctl */
WRAP(int, epoll_ctl, (int fd, int verb, int of, struct epoll_event *event)) {
    return fails_at_once() ? -1 : __real_epoll_ctl(fd, verb, of, event);
}

/* --wrap=epoll_create1 */
WRAP(int, epoll_create1, (int flags)) {
    return fails_at_once() ? -1 : __real_epoll_create1(flags);
}

#endif

/* --wrap=pipe */
WRAP(int, pipe, (int ends[2])) {
    return fails_at_once() ? -1 : __real_pipe(ends);
}

/* --wrap=connect */
WRAP(int, connect, (int fd, const struct sockaddr *address, socklen_t len)) {
    int fault = plan.fault == FAULT_AGAIN ? fails_at_once() : fails();
    return connect_unless(fault, fd, address, len);
}

/* --wrap=clock_gettime */
WRAP(int, clock_gettime, (clockid_t clock, struct timespec *now)) {
    memset(now, 0xA5, sizeof *now);
    return fails_at_once() ? -1 : __real_clock_gettime(clock, now);
}

enum { PAYLOAD = 100000, WAIT_MS = 1500, WAITS_MAX = 600 };
static uint8_t payload[PAYLOAD];

typedef struct life {
    world *w;
    toy toys[2];
    hws_endpoint_config client;
    hws_link *link; /* of the client, until it ends */
    int client_ends;
    int got; /* messages that came back */
    hws_status status;
} life;

/* An application that has no memory for what it has to say gives up. */
static void demand(hws_endpoint *endpoint, hws_status status) {
    if (status < 0) {
        (void)hws_endpoint_abort(endpoint, HWS_ERR_MEMORY);
    }
}

static void client_event(life *l, const hws_loop_item *item) {
    const hws_event *ev = &item->event;
    hws_endpoint *e = item->endpoint;
    if (ev->type == HWS_OPEN) {
        demand(e, hws_endpoint_send(e, HWS_BINARY, HWS_WHOLE, payload, PAYLOAD));
        demand(e, hws_endpoint_send(e, HWS_PING, HWS_WHOLE, NULL, 0));
        demand(e, hws_endpoint_send(e, HWS_BINARY, HWS_WHOLE, payload, 9));
    }
    if (ev->type == HWS_BINARY) {
        l->got++;
        assert_memory_equal(ev->data, payload, ev->len);
        if (l->got == 2) {
            demand(e, hws_endpoint_close(e, HWS_CLOSE_NORMAL, NULL, 0));
        }
    }
    if (ev->type == HWS_END) {
        l->status = hws_endpoint_status(item->endpoint);
        l->client_ends++;
        l->link = NULL;
    }
}

static void server_event(world *w, const hws_loop_item *item) {
    const hws_event *ev = &item->event;
    hws_accept_config accept;
    world_note(w, item);
    if (ev->type == HWS_REQUEST) {
        hws_accept_config_init(&accept);
        accept.origin.kind = HWS_ORIGIN_SAME;
        demand(item->endpoint, hws_endpoint_accept(item->endpoint, &accept));
    }
    if (ev->type == HWS_BINARY) {
        demand(item->endpoint,
               hws_endpoint_send(item->endpoint, HWS_BINARY, HWS_WHOLE, ev->data, ev->len));
    }
}

/* One call of next(). Waiting itself may fail, once. 0 when the loop is at its end. */
static int step(life *l, int *failures) {
    hws_loop_item item;
    hws_status status = hws_loop_next(&l->w->loop, &item, WAIT_MS);
    if (status == HWS_ERR_SYSTEM) {
        assert_int_not_equal(hws_loop_system_error(&l->w->loop), 0);
        assert_true(*failures < 1);
        *failures += 1;
        return 1;
    }
    if (status == HWS_OK) {
        return 0;
    }
    assert_int_equal(status, HWS_EVENT);
    if (item.event.type == HWS_POSTED) {
        l->w->posts++;
    } else if (item.link == l->link) {
        client_event(l, &item);
    } else {
        server_event(l->w, &item);
    }
    return 1;
}

static void live(life *l) {
    world *w = l->w;
    int failures = 0;
    assert_int_equal(hws_loop_post(&w->loop, NULL), HWS_OK);
    l->status = hws_loop_connect(&w->loop, w->url, &l->client, NULL, &l->toys[1].table, &l->link);
    while (l->link != NULL || w->posts == 0) {
        (void)step(l, &failures);
    }
    hws_loop_shutdown(&w->loop, 200);
    while (step(l, &failures)) {
    }
}

static void run_life(life *l, uint8_t kind, uint8_t filtered) {
    world *w = world_new(kind);
    hws_status status = HWS_OK;
    long fail_at = l->w != NULL ? l->w->fail_at : -1;
    memset(l, 0, sizeof *l);
    l->w = w;
    toy_init(&l->toys[0]);
    toy_init(&l->toys[1]);
    w->config.filter = filtered ? &l->toys[0].table : NULL;
    w->config.buffer_len = 16384;
    w->config.server.keepalive.open_timeout_ms = 300;
    w->config.server.keepalive.close_timeout_ms = 300;
    w->fail_at = fail_at;
    hws_endpoint_config_init(&l->client, HWS_ROLE_CLIENT);
    l->client.keepalive = w->config.server.keepalive;
    l->client.allocator = w->config.server.allocator;
    l->client.random = unpooled;
    w->config.server.random = unpooled;
    l->status = HWS_ERR_SYSTEM;
    status = hws_loop_init(&w->loop, &w->config);
    if (status == HWS_OK) {
        status = hws_loop_listen(&w->loop, "127.0.0.1", 0);
    }
    if (status == HWS_OK) {
        l->client.ready = hws_loop_ready(&w->loop);
        snprintf(w->url, sizeof w->url, "ws%s://127.0.0.1:%u/", filtered ? "s" : "",
                 hws_loop_port(&w->loop));
        live(l);
    } else {
        assert_true(status == HWS_ERR_SYSTEM || status == HWS_ERR_MEMORY ||
                    status == HWS_ERR_RESOLVE);
    }
    plan.at = -1;
    world_release_all(w);
    assert_int_equal(l->toys[0].made, 0);
    assert_int_equal(l->toys[1].made, 0);
}

static void succeed(const life *l) {
    assert_int_equal(l->status, HWS_OK);
    assert_int_equal(l->got, 2);
    assert_int_equal(l->w->ended, HWS_OK);
}

static void fail_each_call(uint8_t kind, uint8_t filtered, enum fault fault) {
    life l = {0};
    int descriptors = count_descriptors();
    int at = 0;
    int hit = 1;
    while (hit) {
        plan_fault(fault, at);
        run_life(&l, kind, filtered);
        hit = plan.calls > at;
        if (is_harmless(fault)) {
            succeed(&l);
        }
        assert_true(plan.waits < WAITS_MAX);
        assert_int_equal(count_descriptors(), descriptors);
        free(l.w);
        l.w = NULL;
        at++;
#ifdef HWS_TEST_REDUCED
        at += at > 40 ? 6 : 0;
#endif
    }
}

static void a_loop_survives_the_failure_of_each_call(void **state) {
    int fault = 0;
    while (fault < FAULTS) {
        fail_each_call(KIND(state), 0, (enum fault)fault);
        fault++;
    }
}

static void a_loop_with_a_filter_survives_the_failure_of_each_call(void **state) {
    int fault = 0;
    while (fault < FAULTS) {
        fail_each_call(KIND(state), 1, (enum fault)fault);
        fault++;
    }
}

static void fail_each_allocation(uint8_t kind, uint8_t filtered) {
    life l = {0};
    int descriptors = count_descriptors();
    long at = 0;
    long left = -1;
    while (left < 0) {
        world plan_of_memory = {.fail_at = at};
        l.w = &plan_of_memory;
        plan.waits = 0;
        run_life(&l, kind, filtered);
        left = l.w->fail_at;
        assert_true(plan.waits < WAITS_MAX);
        assert_int_equal(count_descriptors(), descriptors);
        if (left >= 0) {
            succeed(&l);
        }
        free(l.w);
        at++;
    }
    assert_true(at > 10);
}

static void a_loop_survives_the_failure_of_each_allocation(void **state) {
    fail_each_allocation(KIND(state), 0);
    fail_each_allocation(KIND(state), 1);
}

/* A listener stays readable while nothing can be accepted: the loop has to look away. */
static void a_loop_without_descriptors_waits_and_accepts_later(void **state) {
    world *w = world_new(KIND(state));
    struct rlimit limit;
    struct rlimit none;
    hws_loop_item item;
    int fd = -1;
    world_listen(w);
    fd = raw_connect(w);
    raw_send_text(fd, RAW_REQUEST);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    plan.waits = 0;
    while (plan.waits < 40 && hws_loop_next(&w->loop, &item, 250) != HWS_ERR_TIMEOUT) {
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(plan.waits < 40);
    assert_int_equal(hws_loop_next(&w->loop, &item, WAIT_MS), HWS_EVENT);
    assert_int_equal(item.event.type, HWS_REQUEST);
    close(fd);
    world_release_all(w);
    free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(a_loop_survives_the_failure_of_each_call),
        BOTH(a_loop_with_a_filter_survives_the_failure_of_each_call),
        BOTH(a_loop_survives_the_failure_of_each_allocation),
        BOTH(a_loop_without_descriptors_waits_and_accepts_later),
    };
    alarm(100);
    random_fill(&(uint64_t){7}, payload, sizeof payload);
    return cmocka_run_group_tests_name("loop_faults", tests, NULL, NULL);
}
