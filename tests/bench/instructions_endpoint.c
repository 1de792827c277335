/*
 * What hawser-instructions measures of endpoints: an echo server without its socket, which reads,
 * answers what came, writes, and asks what to do next, with each read.
 */
#include "instructions.h"

enum { MEMORY_LEN = 1 << 19, BUFFERS = 16 };

static void write_all(hws_endpoint *ep) {
    hws_buffer buffers[BUFFERS];
    size_t count;
    while ((count = hws_endpoint_output(ep, buffers, BUFFERS)) > 0) {
        size_t n = 0;
        while (count > 0) {
            count--;
            n += buffers[count].len;
        }
        hws_endpoint_sent(ep, n);
    }
}

static hws_status read_once(hws_endpoint *ep, uint8_t *buf, size_t len) {
    size_t used = 0;
    hws_event ev;
    while (hws_endpoint_next(ep, buf, len, &used, &ev) == HWS_EVENT) {
        hws_endpoint_send(ep, ev.type, HWS_WHOLE, ev.data, ev.len);
    }
    write_all(ep);
    return used == len && hws_endpoint_wants(ep) == HWS_WANTS_READ ? HWS_OK : HWS_ERR_STATE;
}

hws_status run_endpoint(work *w) {
    hws_endpoint_config config;
    hws_endpoint ep;
    hws_fixed fixed;
    size_t at = 0;
    hws_fixed_init(&fixed, w->out, MEMORY_LEN);
    hws_endpoint_config_init(&config, w->row->role);
    config.allocator = hws_fixed_allocator(&fixed);
    config.random = fill_random;
    hws_status status = hws_endpoint_init(&ep, &config, 0);
    if (status == HWS_OK) {
        status = hws_endpoint_open(&ep, NULL);
    }
    while (at < w->len && status == HWS_OK) {
        size_t n = w->len - at < w->chunk ? w->len - at : w->chunk;
        hws_endpoint_tick(&ep, at);
        status = read_once(&ep, w->bytes + at, n);
        status = hws_endpoint_timeout(&ep) == HWS_NEVER ? HWS_ERR_STATE : status;
        at += n;
    }
    hws_endpoint_release(&ep);
    return status;
}
