/*
 * An echo server in one thread: over epoll, or over poll(), which every POSIX system has.
 *
 * Usage: echo_loop poll|epoll [PORT]
 */
#include <hawser/loop.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What to do with one event of one connection. */
static void serve(hws_loop_item *item) {
    const hws_event *ev = &item->event;
    hws_accept_config accept;

    switch (ev->type) {
    case HWS_REQUEST: /* pages of this very host may connect, and programs */
        hws_accept_config_init(&accept);
        accept.origin.kind = HWS_ORIGIN_SAME;
        hws_endpoint_accept(item->endpoint, &accept);
        break;
    case HWS_TEXT:
    case HWS_BINARY:
        hws_endpoint_send(item->endpoint, ev->type, HWS_WHOLE, ev->data, ev->len);
        break;
    case HWS_END:
        printf("A connection ended: %s\n",
               hws_status_sentence(hws_endpoint_status(item->endpoint)));
        break;
    }
}

int main(int argc, char **argv) {
    uint16_t port = (uint16_t)(argc > 2 ? atoi(argv[2]) : 9001);
    hws_loop_config config;
    hws_loop_item item;
    hws_loop loop;

    if (argc < 2 || (strcmp(argv[1], "poll") != 0 && strcmp(argv[1], "epoll") != 0)) {
        fputs("usage: echo_loop poll|epoll [PORT]\n", stderr);
        return 2;
    }
    hws_loop_config_init(&config);
    config.kind = strcmp(argv[1], "poll") == 0 ? HWS_LOOP_POLL : HWS_LOOP_EPOLL;
    if (hws_loop_init(&loop, &config) != HWS_OK ||
        hws_loop_listen(&loop, "127.0.0.1", port) != HWS_OK) {
        fprintf(stderr, "Port %u cannot be used: error %d.\n", port, hws_loop_system_error(&loop));
        return 1;
    }
    printf("Listening on ws://127.0.0.1:%u/\n", hws_loop_port(&loop));
    fflush(stdout);
    while (hws_loop_next(&loop, &item, HWS_FOREVER) == HWS_EVENT) {
        serve(&item);
    }
    hws_loop_release(&loop);
    return 0;
}
