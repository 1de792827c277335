/*
 * hawser, through its public headers alone: once for each form of its kernels that runs here.
 */
#include "bench.hpp"

#include <hawser/entropy.h>
#include <hawser/hawser.h>

#include <algorithm>

namespace bench {

namespace {

struct state {
    const work *w;
    int form;
    hws_conn conn;
    uint64_t keys;
};

bool can(const row &) {
    return true;
}

hws_status cheap_random(void *user, uint8_t *dst, size_t len) {
    auto *s = (state *)user;
    for (size_t i = 0; i < len; i += 4) {
        uint32_t key = cheap_key(s->keys);
        std::copy_n((const uint8_t *)&key, std::min<size_t>(4, len - i), dst + i);
    }
    return HWS_OK;
}

void *open(const contender &c, const work &w) {
    auto *s = new state{&w, c.form, {}, 1};
    hws_conn_config config;
    hws_conn_config_init(&config, w.row->client ? HWS_ROLE_CLIENT : HWS_ROLE_SERVER);
    config.random = w.row->client ? cheap_random : nullptr;
    config.random_user = s;
    hws_conn_init(&s->conn, &config);
    return s;
}

void activate(void *p) {
    hws_kernel_choose((uint8_t)((state *)p)->form);
}

void close(void *p) {
    delete (state *)p;
}

template <class Sink> bool receive(state &s, Sink &sink) {
    size_t size = s.w->now->wire.size();
    size_t step = s.w->row->read > 0 ? s.w->row->read : size;
    for (size_t at = 0; at < size; at += step) {
        size_t used = 0;
        hws_event ev;
        hws_status status;
        size_t len = std::min(step, size - at);
        while ((status = hws_conn_receive(&s.conn, s.w->in + at, len, &used, &ev)) == HWS_EVENT) {
            sink.piece(ev.type, (ev.flags & HWS_FINAL) != 0, ev.data, ev.len);
        }
        if (status != HWS_OK) {
            return false;
        }
    }
    return true;
}

/* Returns the bytes that were made, 0 at a fault. */
size_t send(state &s) {
    const uint8_t *payload = s.w->in;
    size_t n = 0;
    for (const frame &f : s.w->now->frames) {
        if (hws_conn_send(&s.conn, f.type, HWS_WHOLE, payload + f.data, f.len, s.w->out,
                          s.w->out_cap, &n) != HWS_OK) {
            return 0;
        }
    }
    return n;
}

size_t send_headers(state &s) {
    const uint8_t *payload = s.w->in;
    size_t n = 0;
    for (const frame &f : s.w->now->frames) {
        if (hws_conn_send_header(&s.conn, f.type, HWS_WHOLE, payload + f.data, f.len, s.w->out,
                                 s.w->out_cap, &n) != HWS_OK) {
            return 0;
        }
    }
    return n;
}

/* What goes out is each header with its payload behind it. */
bool verify_headers(state &s, digest &d) {
    size_t n = send_headers(s);
    std::vector<uint8_t> wire;
    size_t at = 0;
    for (const frame &f : s.w->now->frames) {
        size_t header = f.len < 126 ? 2 : f.len < 65536 ? 4 : 10;
        wire.insert(wire.end(), s.w->out + at, s.w->out + at + header);
        wire.insert(wire.end(), s.w->in + f.data, s.w->in + f.data + f.len);
        at += header;
    }
    return n == at && decode(wire.data(), wire.size(), false, d);
}

size_t make_keys(state &s) {
    size_t count = s.w->now->frames.size();
    for (size_t i = 0; i < count; i++) {
        if (hws_entropy(nullptr, s.w->out + 4 * i, 4) != HWS_OK) {
            return 0;
        }
    }
    return count;
}

/* From the bytes of a request to the 101 and a connection that can receive. */
size_t handshake(state &s) {
    hws_header headers[32];
    hws_head head;
    hws_handshake asked;
    hws_accept_config config;
    hws_conn_config conn_config;
    size_t n = 0;
    hws_head_init(&head, HWS_HEAD_REQUEST, headers, 32);
    if (hws_head_parse(&head, s.w->in, s.w->now->wire.size()) != HWS_OK ||
        hws_handshake_parse(&head, s.w->in, &asked) != HWS_OK ||
        asked.kind != HWS_REQUEST_UPGRADE) {
        return 0;
    }
    hws_accept_config_init(&config);
    config.origin.kind = HWS_ORIGIN_ANY;
    if (hws_handshake_accept(&asked, &head, s.w->in, &config, s.w->out, s.w->out_cap, &n) !=
        HWS_OK) {
        return 0;
    }
    hws_conn_config_init(&conn_config, HWS_ROLE_SERVER);
    return hws_conn_init(&s.conn, &conn_config) == HWS_OK ? n : 0;
}

size_t handshake_all(state &s) {
    for (size_t i = 0; i < s.w->repeats; i++) {
        if (handshake(s) == 0) {
            return 0;
        }
    }
    return s.w->repeats;
}

size_t pass(void *p) {
    state &s = *(state *)p;
    switch (s.w->row->kind) {
    case kind::receive:
        return receive_all(*s.w, [&s](counter &count) { return receive(s, count); });
    case kind::send:
        return send(s) > 0 ? s.w->now->frames.size() : 0;
    case kind::send_header:
        return send_headers(s) > 0 ? s.w->now->frames.size() : 0;
    case kind::mask_key:
        return make_keys(s);
    case kind::handshake:
        return handshake_all(s);
    }
    return 0;
}

bool verify(void *p, digest &d) {
    state &s = *(state *)p;
    size_t n;
    switch (s.w->row->kind) {
    case kind::receive:
        return receive(s, d);
    case kind::send:
        n = send(s);
        return n > 0 && decode(s.w->out, n, s.w->row->client, d);
    case kind::send_header:
        return verify_headers(s, d);
    case kind::mask_key:
        n = make_keys(s);
        return n > 0 && decode_keys(s.w->out, n, d);
    case kind::handshake:
        n = handshake(s);
        return n > 0 && decode_answer((const char *)s.w->out, n, d);
    }
    return false;
}

} // namespace

void add_hawser(std::vector<contender> &to) {
    uint8_t unasked = hws_kernel_get();
    for (uint8_t form = 0; hws_kernel_name(form) != nullptr; form++) {
        if (hws_kernel_choose(form) == HWS_OK) {
            to.push_back({std::string("hawser-") + hws_kernel_name(form), "hawser", form, can, open,
                          activate, pass, verify, close});
        }
    }
    hws_kernel_choose(unasked);
}

} // namespace bench
