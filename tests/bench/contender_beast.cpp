/*
 * Boost.Beast: its websocket::stream, without permessage-deflate, over a stream that is no more
 * than two arrays. Received payload goes to one buffer of 64 KiB that is used again and again. Mask
 * keys come from its own fast generator (secure_prng(false)), which costs about what cheap_key()
 * does.
 */
#include "bench.hpp"
#include "memory_stream.hpp"

#include <boost/beast/websocket/stream.hpp>

#include <algorithm>
#include <cstring>
#include <memory>

namespace bench {

namespace {

namespace net = boost::asio;
namespace websocket = boost::beast::websocket;

using socket = websocket::stream<memory_stream, false>;

struct state {
    const work *w;
    net::io_context context;
    std::unique_ptr<socket> ws;
    std::vector<uint8_t> buffer; /* where payload is received */
};

bool can(const row &row) {
    return row.kind == kind::receive || row.kind == kind::send || row.kind == kind::handshake;
}

/* Opens both ends, and keeps the one that the row is about. */
void connect(state &s) {
    auto server = std::make_unique<socket>(s.context);
    auto client = std::make_unique<socket>(s.context);
    shake_hands(*server, *client);
    s.ws = s.w->row->client ? std::move(client) : std::move(server);
}

void *open(const contender &, const work &w) {
    auto *s = new state{&w, net::io_context(1), nullptr, std::vector<uint8_t>(65536)};
    if (w.row->kind == kind::handshake) {
        return s;
    }
    connect(*s);
    s->ws->secure_prng(false);
    s->ws->auto_fragment(false);
    s->ws->binary(w.row->content == content::binary);
    memory_stream &below = s->ws->next_layer();
    below.step = w.row->read > 0 ? w.row->read : SIZE_MAX;
    below.out = w.out;
    below.cap = w.out_cap;
    return s;
}

void close(void *p) {
    delete (state *)p;
}

/* Goes on until as many messages have come as the stream has. */
template <class Sink> bool receive(state &s, Sink &sink) {
    memory_stream &below = s.ws->next_layer();
    below.next = s.w->in;
    below.left = s.w->now->wire.size();
    net::mutable_buffer buffer(s.buffer.data(), s.buffer.size());
    size_t messages = 0;
    while (messages < s.w->now->frames.size()) {
        error_code ec;
        size_t n = s.ws->read_some(buffer, ec);
        if (ec) {
            return false;
        }
        bool final = s.ws->is_message_done();
        sink.piece(s.ws->got_text() ? 1 : 2, final, s.buffer.data(), n);
        messages += final;
    }
    return true;
}

bool send(state &s) {
    const uint8_t *payload = s.w->in;
    s.ws->next_layer().made = 0;
    for (const frame &f : s.w->now->frames) {
        error_code ec;
        s.ws->write(net::const_buffer(payload + f.data, f.len), ec);
        if (ec) {
            return false;
        }
    }
    return true;
}

/* A stream serves one connection: it is made anew, as hawser's connection is. */
size_t handshake(state &s) {
    socket ws(s.context);
    memory_stream &below = ws.next_layer();
    below.next = s.w->in;
    below.left = s.w->now->wire.size();
    below.out = s.w->out;
    below.cap = s.w->out_cap;
    error_code ec;
    ws.accept(ec);
    return ec ? 0 : below.made;
}

size_t pass(void *p) {
    state &s = *(state *)p;
    if (s.w->row->kind == kind::receive) {
        return receive_all(*s.w, [&s](counter &count) { return receive(s, count); });
    }
    if (s.w->row->kind == kind::send) {
        return send(s) ? s.w->now->frames.size() : 0;
    }
    for (size_t i = 0; i < s.w->repeats; i++) {
        if (handshake(s) == 0) {
            return 0;
        }
    }
    return s.w->repeats;
}

bool verify(void *p, digest &d) {
    state &s = *(state *)p;
    if (s.w->row->kind == kind::receive) {
        return receive(s, d);
    }
    if (s.w->row->kind == kind::send) {
        return send(s) && decode(s.w->out, s.ws->next_layer().made, s.w->row->client, d);
    }
    return decode_answer((const char *)s.w->out, handshake(s), d);
}

} // namespace

void add_beast(std::vector<contender> &to) {
    to.push_back({"beast", "beast", 0, can, open, nullptr, pass, verify, close});
}

} // namespace bench
