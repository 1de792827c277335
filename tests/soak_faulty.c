/*
 * An echo server with one fault, which soak.py has to find: what it proves is that the soak can
 * fail. It takes the options of hawser-echo behind its fault, and knows none of them.
 *
 * Usage: soak_faulty none|byte|descriptor|memory|words|status|deaf|crash
 */
#define _POSIX_C_SOURCE 200809L

#include <hawser/loop.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LEAK_LEN = 2 << 20,
    EVERY = 16,     /* messages to a fault */
    BYTE_EVERY = 4, /* to a wrong byte: a steady connection, which has to meet one, sends few */
    DRAIN_MS = 2000
};

static hws_loop loop;
static const char *fault;
static unsigned messages;

static int has(const char *name) {
    return strcmp(fault, name) == 0;
}

static void stop(int number) {
    (void)number;
    (void)hws_loop_post(&loop, NULL);
}

/* What a message does besides coming back. */
static void spoil(void) {
    static void *leaked; /* the last one; those before are lost */
    messages++;
    if (has("memory")) {
        leaked = malloc(LEAK_LEN);
        if (leaked != NULL) {
            memset(leaked, 1, LEAK_LEN);
        }
    }
    if (has("descriptor") && messages % EVERY == 0) {
        (void)dup(1);
    }
    if (has("words") && messages == EVERY) {
        fputs("soak_faulty.c:1:1: runtime error: this one is made up\n", stderr);
    }
    if (has("crash") && messages == EVERY) {
        _exit(3);
    }
}

static void send_back(hws_endpoint *endpoint, const hws_event *ev) {
    static uint8_t copy[1 << 20];
    size_t len = ev->len < sizeof copy ? ev->len : sizeof copy;
    spoil();
    if (len == 0) {
        (void)hws_endpoint_send(endpoint, ev->type, HWS_WHOLE, NULL, 0);
        return;
    }
    memcpy(copy, ev->data, len);
    if (has("byte") && messages % BYTE_EVERY == 0) {
        copy[len / 2] ^= 1; /* of a text it stays UTF-8, or it does not: both are found */
    }
    (void)hws_endpoint_send(endpoint, ev->type, HWS_WHOLE, copy, len);
}

static void serve(const hws_loop_item *item) {
    hws_accept_config accept;
    switch (item->event.type) {
    case HWS_REQUEST:
        hws_accept_config_init(&accept);
        accept.origin.kind = HWS_ORIGIN_SAME;
        (void)hws_endpoint_accept(item->endpoint, &accept);
        break;
    case HWS_TEXT:
    case HWS_BINARY:
        send_back(item->endpoint, &item->event);
        break;
    case HWS_POSTED:
        hws_loop_shutdown(&loop, DRAIN_MS);
        break;
    }
}

int main(int argc, char **argv) {
    hws_loop_config config;
    hws_loop_item item;
    if (argc < 2) {
        fputs("usage: soak_faulty none|byte|descriptor|memory|words|status|deaf|crash\n", stderr);
        return 2;
    }
    fault = argv[1];
    hws_loop_config_init(&config);
    if (hws_loop_init(&loop, &config) != HWS_OK ||
        hws_loop_listen(&loop, "127.0.0.1", 0) != HWS_OK) {
        fputs("soak_faulty: It cannot listen.\n", stderr);
        return 1;
    }
    (void)signal(SIGTERM, has("deaf") ? SIG_IGN : stop);
    printf("soak_faulty listens on ws://127.0.0.1:%u/\n", (unsigned)hws_loop_port(&loop));
    fflush(stdout);
    while (hws_loop_next(&loop, &item, HWS_FOREVER) == HWS_EVENT) {
        serve(&item);
    }
    hws_loop_release(&loop);
    return has("status") ? 3 : 0;
}
