/*
 * hawser-echo: a WebSocket server that sends every message back, and a page to try it in a browser.
 *
 * Every client has a thread of its own and blocking calls, which is the simplest server that hawser
 * makes. What fails for a client ends his connection alone: the server goes on.
 */
#define _POSIX_C_SOURCE 200809L

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <process.h>
#include <windows.h>
#define sleep(seconds) Sleep((seconds)*1000)
#else
#include <pthread.h>
#include <unistd.h>
#endif

#include <hawser/blocking.h>
#include <hawser/hawser.h>

#include "echo_options.h"
#include "page.h"

enum {
    SEND_TIMEOUT_MS = 60000, /* for a client to take one answer */
    REFUSE_TIMEOUT_MS = 200, /* for a refusal: all others wait for it */
    STOP_CHECK_MS = 200,     /* how often the server looks whether it shall stop */
    WORKING_MEMORY = 65536,  /* of a connection */
    FIRST_BUFFER = 65536,    /* of a message; doubled until it is large enough */
    LAST_BUFFER = 16777216   /* a longer message comes back in parts of at most this size */
};

typedef struct client {
    intptr_t socket;
    hws_blocking ws;
    uint8_t *data; /* what was received of a message, and not sent back */
    size_t len;
    size_t cap;
    int started; /* 1: a part of this message was sent back already */
    uint8_t memory[WORKING_MEMORY];
} client;

/* Sends what is in the buffer: all of the message, or the next part of it. */
static hws_status send_buffer(client *c, uint8_t type, uint8_t final) {
    uint8_t flags = (uint8_t)((c->started ? 0 : HWS_FIRST) | final);
    hws_status status = hws_blocking_send(&c->ws, type, flags, c->data, c->len, SEND_TIMEOUT_MS);
    c->len = 0;
    c->started = !final;
    if (final) {
        free(c->data);
        c->data = NULL;
        c->cap = 0;
    }
    return status;
}

/* A piece is never longer than the working memory, so that doubling once makes room for it. */
static int grow_buffer(client *c) {
    size_t cap = c->cap == 0 ? FIRST_BUFFER : c->cap * 2;
    uint8_t *data = realloc(c->data, cap);
    if (data != NULL) {
        c->data = data;
        c->cap = cap;
    }
    return data != NULL;
}

/* Most messages come in one piece, which goes back from where it lies. Others are collected. */
static hws_status echo_piece(client *c, const hws_event *ev) {
    hws_status status = HWS_OK;
    if (ev->flags == HWS_WHOLE) {
        return hws_blocking_send(&c->ws, ev->type, HWS_WHOLE, ev->data, ev->len, SEND_TIMEOUT_MS);
    }
    if (ev->len > c->cap - c->len && c->cap == LAST_BUFFER) {
        status = send_buffer(c, ev->type, 0);
    } else if (ev->len > c->cap - c->len && !grow_buffer(c)) {
        return hws_conn_fail(hws_blocking_conn(&c->ws), HWS_ERR_INTERNAL); /* by the next receive */
    }
    if (ev->len > 0) {
        memcpy(c->data + c->len, ev->data, ev->len);
        c->len += ev->len;
    }
    if (status == HWS_OK && (ev->flags & HWS_FINAL)) {
        status = send_buffer(c, ev->type, HWS_FINAL);
    }
    return status;
}

/* Pings and the client's Close are answered by hawser. */
static hws_status echo(client *c) {
    hws_event ev;
    hws_status status;
    while ((status = hws_blocking_receive(&c->ws, &ev, HWS_FOREVER)) == HWS_EVENT) {
        if (ev.type == HWS_TEXT || ev.type == HWS_BINARY) {
            status = echo_piece(c, &ev);
        }
        if (status < 0) {
            break;
        }
    }
    return status;
}

static hws_status serve_echo(client *c) {
    const text_list *ours = &options.subprotocols;
    const uint8_t *bytes;
    const hws_head *head = hws_blocking_head(&c->ws, &bytes);
    hws_accept_config accept;
    hws_status status;
    size_t index;
    hws_accept_config_init(&accept);
    accept.origin = options.origin;
    if (hws_handshake_choose(head, bytes, ours->items, ours->count, &index)) {
        accept.subprotocol = ours->items[index];
    }
    status = hws_blocking_accept(&c->ws, &accept);
    return status == HWS_OK ? echo(c) : status;
}

/* The whole life of a client, in his own thread. */
static void serve(void *argument) {
    client *c = argument;
    hws_blocking_config config;
    hws_handshake request;
    hws_status status;
    hws_blocking_config_init(&config, c->memory, sizeof c->memory);
    config.max_message = options.max_message;
    config.close_sentence = 1;
    config.gather = 1; /* a client that sends many at once gets many at once */
    use_deflate(&options.deflate, &config);
    status = hws_blocking_read_request(&c->ws, c->socket, &config, &request);
    if (status == HWS_OK) {
        int plain = request.kind == HWS_REQUEST_PLAIN;
        status = plain ? serve_page(&c->ws, &request) : serve_echo(c);
    }
    if (status != HWS_OK) {
        fprintf(stderr, "hawser-echo: %s\n", hws_status_sentence(status));
    }
    hws_blocking_release(&c->ws);
    free(c->data);
    free(c);
}

#ifdef _WIN32
static int start_thread(client *c) {
    return _beginthread(serve, 0, c) != (uintptr_t)-1;
}
#else
static void *thread_main(void *c) {
    serve(c);
    return NULL;
}

static int start_thread(client *c) {
    pthread_t thread;
    int started = pthread_create(&thread, NULL, thread_main, c) == 0;
    if (started) {
        (void)pthread_detach(thread);
    }
    return started;
}
#endif

/* For a client without memory or thread: this needs neither. */
static void refuse(intptr_t socket) {
    static uint8_t memory[WORKING_MEMORY];
    hws_blocking ws;
    hws_blocking_config config;
    hws_handshake request;
    hws_blocking_config_init(&config, memory, sizeof memory);
    config.open_timeout_ms = REFUSE_TIMEOUT_MS;
    config.close_timeout_ms = REFUSE_TIMEOUT_MS;
    if (hws_blocking_read_request(&ws, socket, &config, &request) == HWS_OK) {
        (void)serve_text(&ws, 503, "The server has too many clients.\n");
    }
    hws_blocking_release(&ws);
}

static void start_client(intptr_t socket) {
    client *c = malloc(sizeof *c);
    if (c != NULL) {
        memset(c, 0, offsetof(client, memory)); /* pages of the rest come when they are used */
        c->socket = socket;
    }
    if (c == NULL || !start_thread(c)) {
        free(c);
        refuse(socket);
    }
}

static volatile sig_atomic_t stopping;

static void stop(int signal_number) {
    (void)signal_number;
    stopping = 1;
}

static void print_error(const hws_listener *listener, hws_status status) {
    int32_t error = hws_listener_system_error(listener);
    int of_errno = status == HWS_ERR_SYSTEM && error != 0;
    fprintf(stderr, "hawser-echo: %s%s%s\n", hws_status_sentence(status), of_errno ? " " : "",
            of_errno ? strerror((int)error) : "");
}

static void accept_clients(hws_listener *listener) {
    intptr_t socket;
    while (!stopping) {
        hws_status status = hws_listener_accept(listener, &socket, STOP_CHECK_MS);
        if (status == HWS_OK) {
            start_client(socket);
        } else if (status != HWS_ERR_TIMEOUT) {
            print_error(listener, status);
            sleep(1); /* No descriptor is left, most likely: some come back when clients go. */
        }
    }
}

/* One line for people, and for scripts that wait for it. */
static void announce(const hws_listener *listener) {
    int ipv6 = strchr(options.host, ':') != NULL;
    if (options.unix_path != NULL) {
        printf("hawser-echo listens on unix:%s\n", options.unix_path);
    } else {
        printf(ipv6 ? "hawser-echo listens on ws://[%s]:%u/\n"
                    : "hawser-echo listens on ws://%s:%u/\n",
               options.host, (unsigned)hws_listener_port(listener));
    }
    fflush(stdout);
}

int main(int argc, char **argv) {
    hws_listener listener;
    hws_status status;
    (void)argc;
    take_options(argv);
    status = options.unix_path != NULL
                 ? hws_listener_open_unix(&listener, options.unix_path)
                 : hws_listener_open(&listener, options.host, (uint16_t)options.port);
    if (status != HWS_OK) {
        print_error(&listener, status);
        return status == HWS_ERR_ARGUMENT ? 2 : 1; /* a path that no Unix socket can have */
    }
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    announce(&listener);
    accept_clients(&listener);
    hws_listener_release(&listener);
    return 0;
}
