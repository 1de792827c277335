/*
 * websocketpp: its processor for RFC 6455, without its connection, transport or locks. Messages to
 * send, and the messages that hold the frames, are made before: only prepare_data_frame() is timed.
 */
#include "bench.hpp"

#define _WEBSOCKETPP_CPP11_STL_
#include <websocketpp/extensions/permessage_deflate/disabled.hpp>
#include <websocketpp/http/request.hpp>
#include <websocketpp/http/response.hpp>
#include <websocketpp/message_buffer/alloc.hpp>
#include <websocketpp/message_buffer/message.hpp>
#include <websocketpp/processors/hybi13.hpp>

#include <algorithm>
#include <memory>

namespace bench {

namespace {

struct key_source {
    uint32_t operator()() {
        return cheap_key(state);
    }

    uint64_t state = 1;
};

/* The part of a configuration that the processor asks for. */
struct config {
    using request_type = websocketpp::http::parser::request;
    using response_type = websocketpp::http::parser::response;
    using message_type =
        websocketpp::message_buffer::message<websocketpp::message_buffer::alloc::con_msg_manager>;
    using con_msg_manager_type = websocketpp::message_buffer::alloc::con_msg_manager<message_type>;
    using rng_type = key_source;
    using permessage_deflate_type = websocketpp::extensions::permessage_deflate::disabled<config>;
    static const bool enable_extensions = true;
    static const size_t max_message_size = 32000000;
};

using processor = websocketpp::processor::hybi13<config>;
using manager = config::con_msg_manager_type;
using message_ptr = config::message_type::ptr;
using error_code = websocketpp::lib::error_code;

struct state {
    const work *w;
    key_source keys;
    std::shared_ptr<manager> messages;
    std::unique_ptr<processor> codec;
    std::vector<message_ptr> given; /* to send */
    std::vector<message_ptr> made;
};

bool can(const row &row) {
    return row.kind == kind::receive || row.kind == kind::send || row.kind == kind::handshake;
}

void *open(const contender &, const work &w) {
    auto *s = new state{&w, {}, std::make_shared<manager>(), nullptr, {}, {}};
    s->codec = std::make_unique<processor>(false, !w.row->client, s->messages, s->keys);
    if (w.row->kind != kind::send) {
        return s;
    }
    for (const frame &f : w.streams[0].frames) {
        auto type = (websocketpp::frame::opcode::value)f.type;
        s->given.push_back(s->messages->get_message(type, f.len));
        s->given.back()->set_payload(w.streams[0].payload.data() + f.data, f.len);
        s->made.push_back(s->messages->get_message(type, f.len));
    }
    return s;
}

void close(void *p) {
    delete (state *)p;
}

template <class Sink> bool receive(state &s, Sink &sink) {
    size_t size = s.w->now->wire.size();
    size_t step = s.w->row->read > 0 ? s.w->row->read : size;
    size_t at = 0;
    while (at < size) {
        size_t end = std::min(size, at + step);
        while (at < end) {
            error_code ec;
            at += s.codec->consume(s.w->in + at, end - at, ec);
            if (ec) {
                return false;
            }
            if (s.codec->ready()) {
                message_ptr message = s.codec->get_message();
                const std::string &payload = message->get_payload();
                sink.piece((uint8_t)message->get_opcode(), true, (const uint8_t *)payload.data(),
                           payload.size());
            }
        }
    }
    return true;
}

bool send(state &s) {
    for (size_t i = 0; i < s.given.size(); i++) {
        if (s.codec->prepare_data_frame(s.given[i], s.made[i])) {
            return false;
        }
    }
    return true;
}

bool verify_send(state &s, digest &d) {
    if (!send(s)) {
        return false;
    }
    std::string wire;
    for (const message_ptr &message : s.made) {
        wire += message->get_header() + message->get_payload();
    }
    return decode((const uint8_t *)wire.data(), wire.size(), s.w->row->client, d);
}

/* What its connection does between the bytes of a request and those of the answer. */
std::string handshake(state &s) {
    config::request_type asked;
    config::response_type answer;
    processor codec(false, true, s.messages, s.keys);
    asked.consume((const char *)s.w->in, s.w->now->wire.size());
    if (!asked.ready() || !websocketpp::processor::is_websocket_handshake(asked) ||
        websocketpp::processor::get_websocket_version(asked) != codec.get_version() ||
        codec.validate_handshake(asked)) {
        return "";
    }
    std::vector<std::string> subprotocols;
    codec.negotiate_extensions(asked);
    if (!codec.get_uri(asked)->get_valid() || codec.extract_subprotocols(asked, subprotocols) ||
        codec.process_handshake(asked, "", answer)) {
        return "";
    }
    answer.set_version("HTTP/1.1");
    answer.set_status(websocketpp::http::status_code::switching_protocols);
    return codec.get_raw(answer);
}

size_t pass(void *p) {
    state &s = *(state *)p;
    if (s.w->row->kind == kind::receive) {
        return receive_all(*s.w, [&s](counter &count) { return receive(s, count); });
    }
    if (s.w->row->kind == kind::send) {
        return send(s) ? s.given.size() : 0;
    }
    for (size_t i = 0; i < s.w->repeats; i++) {
        if (handshake(s).empty()) {
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
        return verify_send(s, d);
    }
    std::string answer = handshake(s);
    return decode_answer(answer.data(), answer.size(), d);
}

} // namespace

void add_websocketpp(std::vector<contender> &to) {
    to.push_back({"websocketpp", "websocketpp", 0, can, open, nullptr, pass, verify, close});
}

} // namespace bench
