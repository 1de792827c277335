/*
 * A server that sends each text it receives to all connections: one thread, one loop. The message
 * is encoded once, and referred to by the queues of all.
 */
#include <signal.h>
#include <stdio.h>

#include <hawser/allocator.h>
#include <hawser/loop.h>
#include <hawser/prepared.h>

static void tell_all(hws_loop *loop, const hws_event *event) {
    hws_allocator allocator = hws_system_allocator();
    hws_prepared *message;
    if (hws_prepared_make(&message, &allocator, HWS_TEXT, event->data, event->len) == HWS_OK) {
        (void)hws_loop_broadcast(loop, message, HWS_SLOW_CLOSE);
        hws_prepared_release(message);
    }
}

static void accept_websocket(hws_endpoint *endpoint) {
    hws_accept_config accept;
    hws_accept_config_init(&accept);
    accept.origin.kind = HWS_ORIGIN_SAME;
    if (hws_endpoint_accept(endpoint, &accept) < 0) {
        (void)hws_endpoint_abort(endpoint, HWS_ERR_MEMORY);
    }
}

int main(void) {
    hws_loop_config config;
    hws_loop_item item;
    hws_loop loop;
    hws_loop_config_init(&config);
    if (hws_loop_init(&loop, &config) != HWS_OK ||
        hws_loop_listen(&loop, "127.0.0.1", 0) != HWS_OK) {
        fputs("The server cannot listen.\n", stderr);
        return 1;
    }
    printf("listens on ws://127.0.0.1:%u/\n", (unsigned)hws_loop_port(&loop));
    fflush(stdout);
    while (hws_loop_next(&loop, &item, HWS_FOREVER) == HWS_EVENT) {
        if (item.event.type == HWS_REQUEST) {
            accept_websocket(item.endpoint);
        } else if (item.event.type == HWS_TEXT) {
            tell_all(&loop, &item.event);
        }
    }
    hws_loop_release(&loop);
    return 1; /* whoever started this server ends it by a signal */
}
