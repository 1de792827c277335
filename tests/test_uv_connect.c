/*
 * How clients in a loop of libuv find their server: names with several addresses, addresses that
 * take nobody, resolvers that take their time. getaddrinfo() is this file's.
 */
#include "uv_world.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/socket.h>

/* What every name has: addresses of loopback, at these ports. */
static uint16_t ports[4];
static size_t port_count;
static unsigned resolver_ms;
static uint8_t resolver_fails;
static atomic_uchar resolved; /* it has answered */

static struct addrinfo *make_address(uint16_t port, struct addrinfo *next) {
    struct addrinfo *info = calloc(1, sizeof *info + sizeof(struct sockaddr_in));
    struct sockaddr_in *address = (struct sockaddr_in *)(void *)(info + 1);
    address->sin_family = AF_INET;
    address->sin_port = htons(port);
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    info->ai_family = AF_INET;
    info->ai_socktype = SOCK_STREAM;
    info->ai_addr = (struct sockaddr *)address;
    info->ai_addrlen = sizeof *address;
    info->ai_next = next;
    return info;
}

/* libuv finds them before those of the system. */
__attribute__((visibility("default"))) int getaddrinfo(const char *restrict node,
                                                       const char *restrict service,
                                                       const struct addrinfo *restrict hints,
                                                       struct addrinfo **restrict result) {
    size_t i = port_count;
    (void)node;
    (void)hints;
    (void)usleep(resolver_ms * 1000);
    resolved = 1;
    *result = NULL;
    if (resolver_fails) {
        return EAI_NONAME;
    }
    while (i > 0) {
        i--;
        *result = make_address(ports[i], *result);
    }
    if (port_count == 0) {
        *result = make_address((uint16_t)atoi(service), NULL);
    }
    return 0;
}

__attribute__((visibility("default"))) void freeaddrinfo(struct addrinfo *info) {
    while (info != NULL) {
        struct addrinfo *next = info->ai_next;
        free(info);
        info = next;
    }
}

static void set_addresses(size_t count, uint16_t first, uint16_t second) {
    ports[0] = first;
    ports[1] = second;
    port_count = count;
}

static int open_socket(struct sockaddr_in *address) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t len = sizeof *address;
    memset(address, 0, sizeof *address);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)address, sizeof *address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)address, &len), 0);
    return fd;
}

/* A port that neither takes connections nor refuses them: its queue is full. */
typedef struct hole {
    int fds[8];
    uint16_t port;
} hole;

static hole open_hole(void) {
    struct sockaddr_in address;
    hole h;
    size_t i = 1;
    h.fds[0] = open_socket(&address);
    h.port = ntohs(address.sin_port);
    assert_int_equal(listen(h.fds[0], 0), 0);
    while (i < 8) {
        h.fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(h.fds[i], (struct sockaddr *)&address, sizeof address);
        i++;
    }
    return h;
}

static void close_hole(hole *h) {
    size_t i = 0;
    while (i < 8) {
        (void)close(h->fds[i]);
        i++;
    }
}

/* A port at which nobody listens, for as long as the socket is open. */
static int open_refusing(uint16_t *port) {
    struct sockaddr_in address;
    int fd = open_socket(&address);
    *port = ntohs(address.sin_port);
    return fd;
}

static world *client_world(uint32_t open_timeout_ms) {
    world *w = world_new();
    set_addresses(0, 0, 0);
    resolver_ms = 0;
    resolver_fails = 0;
    w->config.client.keepalive.open_timeout_ms = open_timeout_ms;
    world_open(w);
    return w;
}

static side *dial(world *w) {
    side *s = world_next_client(w);
    assert_int_equal(hws_uv_hub_connect(w->hub, "ws://any.name/", NULL, s, &s->ws), HWS_OK);
    return s;
}

static void addresses_that_refuse_are_passed_over(void **state) {
    world *w = client_world(LONG_MS);
    uint16_t port = 0;
    int fd = open_refusing(&port);
    side *s = NULL;
    (void)state;
    set_addresses(2, port, hws_uv_hub_port(w->hub));
    s = dial(w);
    world_until(w, &s->seen[HWS_OPEN], 1);
    assert_int_equal(hws_uv_error(s->ws), 0);
    world_free(w);
    (void)close(fd);
}

static void an_address_that_is_silent_has_its_share_of_the_time(void **state) {
    world *w = client_world(1200);
    hole h = open_hole();
    side *s = NULL;
    uint64_t start = 0;
    (void)state;
    set_addresses(2, h.port, hws_uv_hub_port(w->hub));
    s = dial(w);
    start = uv_now(&w->loop);
    world_until(w, &s->seen[HWS_OPEN], 1);
    assert_true(uv_now(&w->loop) - start >= 600);
    world_free(w);
    close_hole(&h);
}

static void when_all_refuse_it_ends_with_connect(void **state) {
    world *w = client_world(LONG_MS);
    uint16_t port = 0;
    int fd = open_refusing(&port);
    side *s = NULL;
    (void)state;
    set_addresses(2, port, port);
    s = dial(w);
    world_until(w, &s->seen[HWS_END], 1);
    assert_int_equal(s->status, HWS_ERR_CONNECT);
    assert_int_equal(s->error, UV_ECONNREFUSED);
    world_free(w);
    (void)close(fd);
}

static void when_all_are_silent_it_ends_at_the_open_timeout(void **state) {
    world *w = client_world(60);
    hole h = open_hole();
    side *s = NULL;
    (void)state;
    set_addresses(2, h.port, h.port);
    s = dial(w);
    world_until(w, &s->seen[HWS_END], 1);
    assert_true(s->status == HWS_ERR_TIMEOUT || s->status == HWS_ERR_CONNECT);
    world_free(w);
    close_hole(&h);
}

static void the_open_timeout_covers_the_resolver(void **state) {
    world *w = client_world(30);
    side *s = NULL;
    (void)state;
    resolver_ms = 500;
    resolved = 0;
    s = dial(w);
    world_until(w, &s->seen[HWS_END], 1);
    assert_int_equal(s->status, HWS_ERR_TIMEOUT);
    assert_false(resolved);
    world_free(w); /* waits for the resolver */
}

/* Four threads resolve: the others wait, and are taken back. */
static void a_hub_closes_while_names_are_resolved(void **state) {
    world *w = client_world(LONG_MS);
    unsigned i = 0;
    (void)state;
    resolver_ms = 50;
    while (i < 10) {
        (void)dial(w);
        i++;
    }
    hws_uv_hub_close(w->hub, LONG_MS);
    world_until(w, &w->closed, 1);
    assert_int_equal(w->client[9].status, HWS_ERR_CLOSED);
    world_free(w);
}

static void a_hub_closes_while_an_address_is_silent(void **state) {
    world *w = client_world(LONG_MS);
    hole h = open_hole();
    side *s = NULL;
    (void)state;
    set_addresses(2, h.port, h.port);
    s = dial(w);
    world_run(w, 20);
    hws_uv_hub_close(w->hub, LONG_MS);
    world_until(w, &w->closed, 1);
    assert_int_equal(s->status, HWS_ERR_CLOSED);
    world_free(w);
    close_hole(&h);
}

/* --- connecting --------------------------------------------------------------------------------
 */

static void a_url_that_is_wrong_is_turned_down_at_once(void **state) {
    static const struct {
        const char *url;
        hws_status status;
    } rows[] = {{"http://127.0.0.1/", HWS_ERR_URI_SCHEME},
                {"ws://", HWS_ERR_URI_HOST},
                {"ws://a:0/", HWS_ERR_URI_PORT},
                {"ws://a/#b", HWS_ERR_URI_FRAGMENT},
                {"wss://a/", HWS_ERR_TLS}};
    world *w = client_world(LONG_MS);
    size_t i = 0;
    (void)state;
    while (i < sizeof rows / sizeof *rows) {
        hws_uv *ws = NULL;
        assert_int_equal(hws_uv_hub_connect(w->hub, rows[i].url, NULL, NULL, &ws), rows[i].status);
        assert_null(ws);
        i++;
    }
    assert_int_equal(hws_uv_hub_count(w->hub), 0);
    world_free(w);
}

static void a_name_without_address_ends_with_resolve(void **state) {
    world *w = client_world(LONG_MS);
    side *s = NULL;
    (void)state;
    resolver_fails = 1;
    s = dial(w);
    world_until(w, &s->seen[HWS_END], 1);
    assert_int_equal(s->status, HWS_ERR_RESOLVE);
    assert_int_equal(s->error, UV_EAI_NONAME);
    world_free(w);
}

static void a_client_can_be_aborted_before_it_is_connected(void **state) {
    world *w = client_world(LONG_MS);
    side *s = world_connect(w, "ws");
    (void)state;
    assert_null(hws_uv_stream(s->ws));
    (void)hws_endpoint_abort(hws_uv_endpoint(s->ws), HWS_ERR_CLOSED);
    world_until(w, &s->seen[HWS_END], 1);
    assert_int_equal(s->status, HWS_ERR_CLOSED);
    world_free(w);
}

static void expect_field(const hws_head *head, const uint8_t *bytes, const char *name,
                         const char *value) {
    uint32_t i = hws_head_find(head, bytes, hws_text_from(name), 0);
    hws_text text;
    assert_true(i < head->header_count);
    text = hws_span_text(bytes, head->headers[i].value);
    assert_int_equal(text.len, strlen(value));
    assert_memory_equal(text.data, value, text.len);
}

static void look_at_request(side *s, const hws_event *ev) {
    const uint8_t *bytes = NULL;
    const hws_head *head = hws_endpoint_head(hws_uv_endpoint(s->ws), &bytes);
    hws_text target;
    if (ev->type != HWS_REQUEST) {
        return;
    }
    assert_non_null(head);
    target = hws_span_text(bytes, head->target);
    assert_int_equal(target.len, 9);
    assert_memory_equal(target.data, "/chat?a=1", 9);
    expect_field(head, bytes, "Authorization", "Basic dTpw");
    expect_field(head, bytes, "X-More", "1");
    side_accept(s);
}

static void target_userinfo_and_fields_are_sent(void **state) {
    world *w = client_world(LONG_MS);
    side *s = world_next_client(w);
    hws_field field = {hws_text_from("X-More"), hws_text_from("1")};
    hws_client_config client;
    char url[64];
    (void)state;
    w->on_server = look_at_request;
    hws_client_config_init(&client);
    client.fields = &field;
    client.field_count = 1;
    (void)snprintf(url, sizeof url, "ws://u:p@localhost:%u/chat?a=1", hws_uv_hub_port(w->hub));
    assert_int_equal(hws_uv_hub_connect(w->hub, url, &client, s, &s->ws), HWS_OK);
    memset(url, 'x', sizeof url - 1);
    world_until(w, &s->seen[HWS_OPEN], 1);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_that_refuse_are_passed_over),
        cmocka_unit_test(an_address_that_is_silent_has_its_share_of_the_time),
        cmocka_unit_test(when_all_refuse_it_ends_with_connect),
        cmocka_unit_test(when_all_are_silent_it_ends_at_the_open_timeout),
        cmocka_unit_test(the_open_timeout_covers_the_resolver),
        cmocka_unit_test(a_hub_closes_while_names_are_resolved),
        cmocka_unit_test(a_hub_closes_while_an_address_is_silent),
        cmocka_unit_test(a_url_that_is_wrong_is_turned_down_at_once),
        cmocka_unit_test(a_name_without_address_ends_with_resolve),
        cmocka_unit_test(a_client_can_be_aborted_before_it_is_connected),
        cmocka_unit_test(target_userinfo_and_fields_are_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
