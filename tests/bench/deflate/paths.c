/*
 * The ways through hawser that are timed. Knows the public headers alone.
 */
#include "paths.h"

#include <hawser/deflate_zlib.h>

/* Of no use in any real client: what is timed is not where its keys come from. */
static hws_status cheap_key(void *user, uint8_t *dst, size_t len) {
    uint64_t *state = user;
    size_t i = 0;
    while (i < len) {
        *state = *state * 6364136223846793005U + 1442695040888963407U;
        dst[i] = (uint8_t)(*state >> 56);
        i++;
    }
    return HWS_OK;
}

setup setup_of_preset(uint8_t preset) {
    hws_deflate_params params;
    hws_deflate_options options;
    hws_deflate_params_init(&params, preset);
    hws_deflate_options_init(&options, HWS_ROLE_SERVER, preset);
    uint8_t agreed = params.server_max_window_bits;
    uint8_t own = options.settings.window_bits;
    setup how = {.type = HWS_TEXT,
                 .window_bits = own < agreed ? own : agreed,
                 .level = options.settings.level,
                 .mem_level = options.settings.mem_level,
                 .takeover = params.server_no_context_takeover == 0};
    return how;
}

hws_deflate_params agreed_for(const setup *how) {
    uint8_t alone = how->takeover == 0;
    hws_deflate_params agreed = {.enabled = 1,
                                 .server_no_context_takeover = alone,
                                 .client_no_context_takeover = alone,
                                 .server_max_window_bits = how->window_bits,
                                 .client_max_window_bits = how->window_bits};
    return agreed;
}

hws_deflate_options options_for(const setup *how, uint8_t role) {
    hws_deflate_options options;
    hws_deflate_options_init(&options, role, HWS_DEFLATE_BEST);
    options.threshold = 0;
    options.codec = hws_codec_zlib();
    options.settings.window_bits = how->window_bits;
    options.settings.level = how->level;
    options.settings.mem_level = how->mem_level;
    options.settings.allocator = how->allocator;
    return options;
}

static void filter_open(hws_deflate *deflate, const setup *how, uint8_t role) {
    hws_deflate_params agreed = agreed_for(how);
    hws_deflate_options options = options_for(how, role);
    must(hws_deflate_init(deflate, &agreed, &options), "hws_deflate_init");
}

void end_open(end *e, const setup *how, uint8_t role) {
    static uint64_t keys;
    hws_conn_config config;
    hws_conn_config_init(&config, role);
    config.compression = 1;
    if (role == HWS_ROLE_CLIENT) {
        config.random = cheap_key;
        config.random_user = &keys;
    }
    must(hws_conn_init(&e->conn, &config), "hws_conn_init");
    filter_open(&e->deflate, how, role);
}

void run_compress(const setup *how, messages *in, messages *out) {
    hws_deflate deflate;
    filter_open(&deflate, how, HWS_ROLE_SERVER);
    size_t i = 0;
    while (i < in->count) {
        size_t used = 0;
        size_t n = out->len;
        must(hws_deflate_compress(&deflate, how->type, HWS_WHOLE, in->bytes + message_start(in, i),
                                  message_len(in, i), &used, out->bytes, out->cap, &n),
             "hws_deflate_compress");
        messages_end(out, n - out->len);
        i++;
    }
    hws_deflate_release(&deflate);
}

/* The peer's messages, as a client that wrote them with run_compress() sees them. */
void run_decompress(const setup *how, messages *in, messages *out) {
    hws_deflate deflate;
    filter_open(&deflate, how, HWS_ROLE_CLIENT);
    size_t i = 0;
    while (i < in->count) {
        size_t used = 0;
        size_t n = out->len;
        must(hws_deflate_decompress(&deflate, how->type, HWS_WHOLE,
                                    in->bytes + message_start(in, i), message_len(in, i), &used,
                                    out->bytes, out->cap, &n),
             "hws_deflate_decompress");
        messages_end(out, n - out->len);
        i++;
    }
    hws_deflate_release(&deflate);
}

static void send_all(const setup *how, uint8_t role, messages *in, messages *out) {
    end e;
    end_open(&e, how, role);
    size_t n = 0;
    size_t i = 0;
    while (i < in->count) {
        size_t used = 0;
        must(hws_deflate_send(&e.deflate, &e.conn, how->type, HWS_WHOLE | HWS_COMPRESSED,
                              in->bytes + message_start(in, i), message_len(in, i), &used,
                              out->bytes, out->cap, &n),
             "hws_deflate_send");
        i++;
    }
    messages_end(out, n);
    hws_deflate_release(&e.deflate);
}

void run_send(const setup *how, messages *in, messages *out) {
    send_all(how, HWS_ROLE_SERVER, in, out);
}

void run_send_masked(const setup *how, messages *in, messages *out) {
    send_all(how, HWS_ROLE_CLIENT, in, out);
}

static void receive_all(const setup *how, uint8_t role, messages *in, messages *out) {
    end e;
    end_open(&e, how, role);
    size_t used = 0;
    size_t n = 0;
    hws_event ev;
    hws_status status = HWS_EVENT;
    while (status == HWS_EVENT) {
        status = hws_deflate_receive(&e.deflate, &e.conn, in->bytes, in->len, &used, out->bytes + n,
                                     out->cap - n, &ev);
        if (status == HWS_EVENT) {
            n += ev.len;
        }
        if (status == HWS_EVENT && (ev.flags & HWS_FINAL) != 0) {
            messages_end(out, n - out->len);
        }
    }
    must(status, "hws_deflate_receive");
    hws_deflate_release(&e.deflate);
}

void run_receive(const setup *how, messages *in, messages *out) {
    receive_all(how, HWS_ROLE_SERVER, in, out);
}

void run_receive_unmasked(const setup *how, messages *in, messages *out) {
    receive_all(how, HWS_ROLE_CLIENT, in, out);
}
