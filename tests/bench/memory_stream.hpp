/*
 * A stream for Boost.Beast that is no more than two arrays: no sockets.
 */
#ifndef HWS_BENCH_MEMORY_STREAM_HPP
#define HWS_BENCH_MEMORY_STREAM_HPP

#define BOOST_ERROR_CODE_HEADER_ONLY
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core/role.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>

namespace bench {

using error_code = boost::system::error_code;

/* What Asio calls a SyncStream: reads from one array, at most `step` bytes at a time, and writes to
 * another. */
class memory_stream {
  public:
    using executor_type = boost::asio::io_context::executor_type;

    explicit memory_stream(boost::asio::io_context &owner) : context(&owner) {
    }

    executor_type get_executor() noexcept {
        return context->get_executor();
    }

    template <class Buffers> size_t read_some(const Buffers &buffers, error_code &ec) {
        if (left == 0 && starve) {
            starve();
        }
        size_t n = boost::asio::buffer_copy(buffers, boost::asio::buffer(next, left), step);
        next += n;
        left -= n;
        ec = n == 0 ? boost::asio::error::make_error_code(boost::asio::error::eof) : error_code();
        return n;
    }

    template <class Buffers> size_t read_some(const Buffers &buffers) {
        error_code ec;
        size_t n = read_some(buffers, ec);
        return ec ? throw boost::system::system_error(ec) : n;
    }

    template <class Buffers> size_t write_some(const Buffers &buffers, error_code &ec) {
        size_t n = boost::asio::buffer_copy(boost::asio::buffer(out + made, cap - made), buffers);
        made += n;
        ec = error_code();
        return n;
    }

    template <class Buffers> size_t write_some(const Buffers &buffers) {
        error_code ec;
        return write_some(buffers, ec);
    }

    boost::asio::io_context *context;
    const uint8_t *next = nullptr;
    size_t left = 0;
    size_t step = SIZE_MAX;
    uint8_t *out = nullptr;
    size_t cap = 0;
    size_t made = 0;
    std::function<void()> starve; /* called when a read finds nothing */
};

/* websocket::stream asks for it where it gives up. Nothing here is ever closed. */
inline void teardown(boost::beast::role_type, memory_stream &, error_code &ec) {
    ec = error_code();
}

/* Opens both ends of a connection against one another. Where they write to afterwards has to be set
 * then. */
template <class Socket> void shake_hands(Socket &server, Socket &client) {
    memory_stream &to_server = server.next_layer();
    memory_stream &to_client = client.next_layer();
    uint8_t asked[2048];
    uint8_t answered[2048];
    to_client.out = asked;
    to_client.cap = sizeof asked;
    to_server.out = answered;
    to_server.cap = sizeof answered;
    to_client.starve = [&] {
        to_server.next = asked;
        to_server.left = to_client.made;
        server.accept();
        to_client.next = answered;
        to_client.left = to_server.made;
    };
    client.handshake("server.example.com", "/");
    to_client.starve = nullptr;
    for (memory_stream *stream : {&to_server, &to_client}) {
        stream->out = nullptr;
        stream->left = stream->cap = stream->made = 0;
    }
}

} // namespace bench

#endif
