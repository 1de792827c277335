/*
 * Every call that libuv or hawser make to the system for a connection fails once, in every way: the
 * k-th call of a whole life for each k. A client connects to the server of its own hub, both
 * exchange messages, and all is closed. Each life ends in time, in success or with a clean error,
 * and leaves no descriptor and no memory behind.
 *
 * The calls are taken over by functions of this program with their names, which libuv finds before
 * those of the C library. Descriptors that are no sockets are libuv's own affair: it ends the
 * program when they fail.
 */
#include "uv_world.h"

#include "fault_plan.h"
#include "toy_filter.h"

#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

enum { LONG_LEN = 100000, WAIT_MS = 300 };

static uint8_t payload[LONG_LEN];

static int is_socket(int fd) {
    int type = 0;
    socklen_t len = sizeof type;
    int kept = errno;
    int found = syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
    errno = kept;
    return found;
}

/* --- the calls --- */

ssize_t read(int fd, void *buf, size_t len) {
    if (!is_socket(fd)) {
        return syscall(SYS_read, fd, buf, len);
    }
    return fails() ? -1 : syscall(SYS_read, fd, buf, is_short() && len > 1 ? 1 : len);
}

ssize_t write(int fd, const void *buf, size_t len) {
    if (!is_socket(fd)) {
        return syscall(SYS_write, fd, buf, len);
    }
    return fails() ? -1 : syscall(SYS_write, fd, buf, is_short() && len > 1 ? 1 : len);
}

/* The one byte is the first that there is. */
ssize_t writev(int fd, const struct iovec *pieces, int count) {
    int at = 0;
    if (fails()) {
        return -1;
    }
    while (is_short() && at < count - 1 && pieces[at].iov_len == 0) {
        at++;
    }
    return is_short() ? syscall(SYS_write, fd, pieces[at].iov_base, pieces[at].iov_len > 0)
                      : syscall(SYS_writev, fd, pieces, count);
}

/* The types of these two are the C library's own affair, so only the linker knows their names. */
int own_accept4(int fd, void *address, socklen_t *len, int flags) __asm__("accept4");
int own_connect(int fd, const void *address, socklen_t len) __asm__("connect");

int own_accept4(int fd, void *address, socklen_t *len, int flags) {
    return fails() ? -1 : (int)syscall(SYS_accept4, fd, address, len, flags);
}

int socket(int domain, int type, int protocol) {
    return fails_at_once() ? -1 : (int)syscall(SYS_socket, domain, type, protocol);
}

/* libuv tries again when it is interrupted. */
int own_connect(int fd, const void *address, socklen_t len) {
    int fault = plan.fault == FAULT_AGAIN ? fails_at_once() : fails();
    return fault ? -1 : (int)syscall(SYS_connect, fd, address, len);
}

int shutdown(int fd, int how) {
    return fails_at_once() ? -1 : (int)syscall(SYS_shutdown, fd, how);
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *len) {
    return fails_at_once() ? -1 : (int)syscall(SYS_getsockopt, fd, level, name, value, len);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len) {
    return fails_at_once() ? -1 : (int)syscall(SYS_setsockopt, fd, level, name, value, len);
}

ssize_t getrandom(void *buf, size_t len, unsigned flags) {
    int fault = plan.fault == FAULT_AGAIN ? fails_at_once() : fails(); /* it waits, if it must */
    return fault ? -1 : syscall(SYS_getrandom, buf, is_short() ? 1 : len, flags);
}

/* --- a life --- */

/* An application that cannot say what it has to gives up. */
static void demand(side *s, hws_status status) {
    if (status < 0) {
        (void)hws_endpoint_abort(hws_uv_endpoint(s->ws), HWS_ERR_MEMORY);
    }
}

static void serve(side *s, const hws_event *ev) {
    hws_accept_config accept;
    hws_accept_config_init(&accept);
    accept.origin.kind = HWS_ORIGIN_SAME;
    if (ev->type == HWS_REQUEST) {
        demand(s, hws_endpoint_accept(hws_uv_endpoint(s->ws), &accept));
    } else if (ev->type == HWS_BINARY) {
        demand(s,
               hws_endpoint_send(hws_uv_endpoint(s->ws), HWS_BINARY, HWS_WHOLE, ev->data, ev->len));
    }
}

static void ask(side *s, const hws_event *ev) {
    hws_endpoint *e = hws_uv_endpoint(s->ws);
    if (ev->type == HWS_OPEN) {
        demand(s, hws_endpoint_send(e, HWS_BINARY, HWS_WHOLE, payload, LONG_LEN));
        demand(s, hws_endpoint_send(e, HWS_PING, HWS_WHOLE, NULL, 0));
        demand(s, hws_endpoint_send(e, HWS_BINARY, HWS_WHOLE, payload, 9));
    } else if (ev->type == HWS_BINARY) {
        assert_memory_equal(ev->data, payload, ev->len);
        if (s->seen[HWS_BINARY] == 2) {
            demand(s, hws_endpoint_close(e, HWS_CLOSE_NORMAL, NULL, 0));
        }
    }
}

static void configure(hws_endpoint_config *config) {
    config->random = unpooled;
    config->keepalive.open_timeout_ms = WAIT_MS;
    config->keepalive.close_timeout_ms = WAIT_MS;
}

/* Open, echo, close. HWS_OK when the client was told that all went well. */
static hws_status live(world *w) {
    side *s = world_next_client(w);
    char url[64];
    hws_status status = hws_uv_hub_open(&w->loop, &w->config, &w->hub);
    if (status == HWS_OK) {
        status = hws_uv_hub_listen(w->hub, "127.0.0.1", 0);
    }
    if (status != HWS_OK) {
        return status;
    }
    world_url(w, url, sizeof url, w->config.client_filter != NULL ? "wss" : "ws");
    status = hws_uv_hub_connect(w->hub, url, NULL, s, &s->ws);
    if (status != HWS_OK) {
        return status;
    }
    world_until(w, &s->seen[HWS_END], 1);
    assert_true(s->status != HWS_OK || s->seen[HWS_BINARY] == 2);
    return s->status;
}

/* Gives the calls that the life made. */
static int run_life(const hws_filter *filter, enum fault fault, int at) {
    world *w = world_new();
    w->on_server = serve;
    w->on_client = ask;
    w->config.server_filter = w->config.client_filter = filter;
    configure(&w->config.server);
    configure(&w->config.client);
    plan_fault(fault, at);
    hws_status status = live(w);
    int calls = plan.calls;
    plan.at = -1;
    world_free(w);
    assert_true(status == HWS_OK || !is_harmless(fault));
    return calls;
}

static void fail_each_call(const hws_filter *filter, enum fault fault) {
    int at = run_life(filter, fault, -1); /* libuv opens some descriptors once */
    int descriptors = count_descriptors();
    int hit = 1;
    assert_true(at > 20);
    at = 0;
    while (hit) {
        hit = run_life(filter, fault, at) > at;
        assert_int_equal(count_descriptors(), descriptors);
        at++;
#ifdef HWS_TEST_REDUCED
        at += at > 40 ? 6 : 0;
#endif
    }
}

static void a_hub_survives_the_failure_of_each_call(void **state) {
    int fault = 0;
    (void)state;
    while (fault < FAULTS) {
        fail_each_call(NULL, (enum fault)fault);
        fault++;
    }
}

static void a_hub_with_a_filter_survives_the_failure_of_each_call(void **state) {
    int fault = 0;
    toy kind;
    (void)state;
    toy_init(&kind);
    while (fault < FAULTS) {
        fail_each_call(&kind.table, (enum fault)fault);
        fault++;
    }
    assert_int_equal(kind.made, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hub_survives_the_failure_of_each_call),
        cmocka_unit_test(a_hub_with_a_filter_survives_the_failure_of_each_call),
    };
    random_fill(&(uint64_t){7}, payload, sizeof payload);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
