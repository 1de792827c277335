/*
 * wslay. Receiving goes through its event API, which keeps the rules of fragments and of text as
 * hawser does, with its own buffering of messages turned off; sending through its frame API, which
 * spares it the queue and a copy of each message. It has no handshake.
 */
#include "bench.hpp"

#include <wslay/wslay.h>

#include <algorithm>
#include <cstring>

namespace bench {

namespace {

struct state {
    const work *w;
    wslay_event_context_ptr event;
    wslay_frame_context_ptr frame;
    const uint8_t *next; /* what has arrived, and was not taken */
    size_t left;
    size_t made; /* bytes in w->out */
    uint64_t keys;
    uint8_t type; /* of the frame that arrives */
    counter count;
    digest *verifying; /* null in timed passes */
};

bool can(const row &row) {
    return row.kind == kind::receive || row.kind == kind::send;
}

ssize_t on_recv(wslay_event_context_ptr ctx, uint8_t *buf, size_t len, int, void *user) {
    auto *s = (state *)user;
    if (s->left == 0) {
        wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    size_t n = std::min(len, s->left);
    std::memcpy(buf, s->next, n);
    s->next += n;
    s->left -= n;
    return (ssize_t)n;
}

void on_start(wslay_event_context_ptr, const wslay_event_on_frame_recv_start_arg *arg, void *user) {
    ((state *)user)->type = arg->opcode;
}

void on_chunk(wslay_event_context_ptr, const wslay_event_on_frame_recv_chunk_arg *arg, void *user) {
    auto *s = (state *)user;
    s->count.piece(s->type, false, arg->data, arg->data_length);
    if (s->verifying != nullptr) {
        s->verifying->piece(s->type, false, arg->data, arg->data_length);
    }
}

void on_message(wslay_event_context_ptr, const wslay_event_on_msg_recv_arg *arg, void *user) {
    auto *s = (state *)user;
    s->count.piece(arg->opcode, true, nullptr, 0);
    if (s->verifying != nullptr) {
        s->verifying->piece(arg->opcode, true, nullptr, 0);
    }
}

ssize_t on_send(const uint8_t *data, size_t len, int, void *user) {
    auto *s = (state *)user;
    std::memcpy(s->w->out + s->made, data, len);
    s->made += len;
    return (ssize_t)len;
}

int on_key(uint8_t *buf, size_t len, void *user) {
    uint32_t key = cheap_key(((state *)user)->keys);
    std::memcpy(buf, &key, std::min<size_t>(len, 4));
    return 0;
}

void *open(const contender &, const work &w) {
    auto *s = new state{};
    s->w = &w;
    s->keys = 1;
    if (w.row->kind == kind::send) {
        wslay_frame_callbacks callbacks = {on_send, nullptr, on_key};
        wslay_frame_context_init(&s->frame, &callbacks, s);
        return s;
    }
    wslay_event_callbacks callbacks = {on_recv,  nullptr, nullptr,   on_start,
                                       on_chunk, nullptr, on_message};
    if (w.row->client) {
        wslay_event_context_client_init(&s->event, &callbacks, s);
    } else {
        wslay_event_context_server_init(&s->event, &callbacks, s);
    }
    wslay_event_config_set_no_buffering(s->event, 1);
    return s;
}

void close(void *p) {
    auto *s = (state *)p;
    if (s->frame != nullptr) {
        wslay_frame_context_free(s->frame);
    } else {
        wslay_event_context_free(s->event);
    }
    delete s;
}

bool receive(state &s) {
    size_t size = s.w->now->wire.size();
    size_t step = s.w->row->read > 0 ? s.w->row->read : size;
    for (size_t at = 0; at < size; at += step) {
        s.next = s.w->in + at;
        s.left = std::min(step, size - at);
        if (wslay_event_recv(s.event) != 0) {
            return false;
        }
    }
    return wslay_event_get_read_enabled(s.event) != 0;
}

bool send(state &s) {
    const uint8_t *payload = s.w->in;
    s.made = 0;
    for (const frame &f : s.w->now->frames) {
        wslay_frame_iocb io = {};
        io.fin = 1;
        io.opcode = f.type;
        io.mask = s.w->row->client;
        io.payload_length = f.len;
        io.data = payload + f.data;
        io.data_length = f.len;
        if (wslay_frame_send(s.frame, &io) != (ssize_t)f.len) {
            return false;
        }
    }
    return true;
}

size_t pass(void *p) {
    state &s = *(state *)p;
    if (s.frame != nullptr) {
        return send(s) ? s.w->now->frames.size() : 0;
    }
    s.count = counter();
    for (size_t i = 0; i < s.w->repeats; i++) {
        if (!receive(s)) {
            return 0;
        }
    }
    return s.count.bytes == s.w->now->payload.size() * s.w->repeats ? s.count.messages : 0;
}

bool verify(void *p, digest &d) {
    state &s = *(state *)p;
    if (s.frame != nullptr) {
        return send(s) && decode(s.w->out, s.made, s.w->row->client, d);
    }
    s.verifying = &d;
    bool good = receive(s);
    s.verifying = nullptr;
    return good;
}

} // namespace

void add_wslay(std::vector<contender> &to) {
    to.push_back({"wslay", "wslay", 0, can, open, nullptr, pass, verify, close});
}

} // namespace bench
