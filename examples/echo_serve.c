/*
 * Answers requests and sends messages back. Knows one loop and its connections; nothing of threads,
 * signals and addresses.
 */
#include "echo_serve.h"

#include <string.h>

#include "echo_auth.h"
#include "echo_options.h"
#include "echo_trace.h"
#include "page.h"

/* A longer message is not collected: it comes back in parts, as it arrives. */
static const uint64_t LONGEST_WHOLE = HWS_DEFAULT_MAX_MESSAGE;

static uint32_t in_ms(uint64_t seconds) {
    return (uint32_t)(seconds * 1000);
}

static void configure_endpoints(hws_endpoint_config *config, hws_counters *counters) {
    config->streaming = options.max_message > LONGEST_WHOLE;
    config->close_sentence = 1;
    config->max_message = options.max_message;
    config->keepalive.open_timeout_ms = in_ms(options.handshake_s);
    config->keepalive.ping_after_ms = in_ms(options.ping_s);
    config->keepalive.pong_timeout_ms = in_ms(options.ping_s);
    config->keepalive.idle_timeout_ms = in_ms(options.idle_s);
    config->message_rate.per_second = (uint32_t)options.rate;
    config->counters = counters;
    if (options.deflate.count > 0) {
        config->deflate = options.deflate.params;
        config->deflate_options = &options.deflate.options;
    }
    if (options.trace) {
        config->trace = trace_frame;
    }
}

hws_status service_init(service *s, const hws_filter *filter) {
    hws_loop_config config;
    memset(&s->counters, 0, sizeof s->counters);
    hws_loop_config_init(&config);
    config.shared_port = options.threads > 1;
    config.max_connections = (uint32_t)((options.max_connections - 1) / options.threads + 1);
    config.filter = filter;
    configure_endpoints(&config.server, &s->counters);
    return hws_loop_init(&s->loop, &config);
}

void service_release(service *s) {
    hws_loop_release(&s->loop);
}

static uint16_t accept_websocket(hws_endpoint *ep) {
    const text_list *ours = &options.subprotocols;
    const uint8_t *bytes;
    const hws_head *head = hws_endpoint_head(ep, &bytes);
    hws_accept_config accept;
    hws_status status;
    size_t index;
    hws_accept_config_init(&accept);
    accept.origin = options.origin;
    if (hws_handshake_choose(head, bytes, ours->items, ours->count, &index)) {
        accept.subprotocol = ours->items[index];
    }
    status = hws_endpoint_accept(ep, &accept);
    return status == HWS_OK ? 101 : hws_status_http(status);
}

static void answer_request(hws_link *link, hws_endpoint *ep) {
    int is_plain = hws_endpoint_request(ep)->kind == HWS_REQUEST_PLAIN;
    uint16_t code;
    trace_request(link);
    code = admit(ep);
    if (code == 0) {
        code = is_plain ? serve_page(ep) : accept_websocket(ep);
    }
    if (hws_endpoint_request(ep) != NULL) { /* there was no memory for the answer */
        (void)hws_endpoint_abort(ep, HWS_ERR_MEMORY);
        return;
    }
    trace_answer(link, code);
}

/* The queue has room for any message: nothing is received while it is above its high water mark.
 * HWS_ERR_STATE is that of a message that came behind our own Close. */
static void send_back(hws_endpoint *ep, const hws_event *ev) {
    hws_status status = hws_endpoint_send(ep, ev->type, ev->flags, ev->data, ev->len);
    if (status < 0 && status != HWS_ERR_STATE) {
        (void)hws_endpoint_close_now(ep, hws_status_close_code(HWS_ERR_INTERNAL), NULL, 0);
    }
}

/* Pings and the client's Close are answered by hawser. */
static void take_item(service *s, const hws_loop_item *item) {
    switch (item->event.type) {
    case HWS_REQUEST:
        answer_request(item->link, item->endpoint);
        break;
    case HWS_TEXT:
    case HWS_BINARY:
        send_back(item->endpoint, &item->event);
        break;
    case HWS_END:
        report_end(item->link);
        break;
    case HWS_POSTED:
        hws_loop_shutdown(&s->loop, (int32_t)in_ms(options.drain_s));
        break;
    default:
        break;
    }
}

hws_status service_run(service *s) {
    hws_loop_item item;
    hws_status status;
    while ((status = hws_loop_next(&s->loop, &item, HWS_FOREVER)) == HWS_EVENT) {
        take_item(s, &item);
    }
    return status;
}
