/*
 * An echo server in a loop of libuv, at ws://127.0.0.1:9001. On SIGINT it closes its connections,
 * waits for that, and ends.
 */
#define _GNU_SOURCE /* for the header of libuv */
#include <hawser/uv.h>

#include <signal.h>
#include <stdio.h>
#include <uv.h>

enum { PORT = 9001, GOODBYE_MS = 2000 };

static void on_event(hws_uv *ws, const hws_event *ev) {
    hws_endpoint *ep = hws_uv_endpoint(ws);
    hws_accept_config accept;

    switch (ev->type) {
    case HWS_REQUEST:
        hws_accept_config_init(&accept);
        accept.origin.kind = HWS_ORIGIN_SAME; /* pages of other sites are answered 403 */
        hws_endpoint_accept(ep, &accept);
        break;
    case HWS_TEXT:
    case HWS_BINARY:
        hws_endpoint_send(ep, ev->type, HWS_WHOLE, ev->data, ev->len);
        break;
    case HWS_END:
        printf("closed: %u, %s\n", ev->close_code, hws_status_sentence(hws_endpoint_status(ep)));
    }
}

static void on_interrupt(uv_signal_t *interrupt, int number) {
    (void)number;
    hws_uv_hub_close(interrupt->data, GOODBYE_MS);
    uv_close((uv_handle_t *)interrupt, NULL);
}

int main(void) {
    hws_uv_config config;
    hws_uv_hub *hub;
    uv_signal_t interrupt;

    hws_uv_config_init(&config);
    config.on_event = on_event;
    if (hws_uv_hub_open(uv_default_loop(), &config, &hub) != HWS_OK ||
        hws_uv_hub_listen(hub, "127.0.0.1", PORT) != HWS_OK) {
        fprintf(stderr, "Port %d cannot be listened on.\n", PORT);
        return 1;
    }
    signal(SIGPIPE, SIG_IGN); /* a peer that is gone is no reason to end */
    uv_signal_init(uv_default_loop(), &interrupt);
    interrupt.data = hub;
    uv_signal_start(&interrupt, on_interrupt, SIGINT);
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
