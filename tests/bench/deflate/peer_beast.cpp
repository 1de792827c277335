/*
 * Jobs for Boost.Beast: the lines and answers that jobs.c describes, but without a checksum, and
 * send and receive alone: its websocket::stream has no filter without frames. No sockets: a stream
 * that is no more than two arrays.
 */
#include "../memory_stream.hpp"

#include <boost/beast/websocket/stream.hpp>

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

namespace net = boost::asio;
namespace websocket = boost::beast::websocket;
using bench::error_code;
using bench::memory_stream;

namespace {

using bytes = std::vector<uint8_t>;

struct how {
    std::string verb, file, type;
    int window, level, memory, takeover;
    size_t room;
    std::string result;
};

using socket = websocket::stream<memory_stream>;

std::vector<bytes> read_messages(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    bytes all((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    std::vector<bytes> messages;
    for (size_t at = 0; at < all.size();) {
        size_t len = all[at] | all[at + 1] << 8 | all[at + 2] << 16 | (size_t)all[at + 3] << 24;
        messages.emplace_back(all.begin() + at + 4, all.begin() + at + 4 + len);
        at += 4 + len;
    }
    return messages;
}

/* `ends` has the end of each message in `made`. */
void write_messages(const std::string &path, const bytes &made, const std::vector<size_t> &ends) {
    std::ofstream file(path, std::ios::binary);
    size_t at = 0;
    for (size_t end : ends) {
        size_t len = end - at;
        char prefix[4] = {(char)len, (char)(len >> 8), (char)(len >> 16), (char)(len >> 24)};
        file.write(prefix, sizeof prefix);
        file.write((const char *)made.data() + at, (std::streamsize)len);
        at = end;
    }
}

/* Opens both ends against one another; what is returned is the server's. */
std::unique_ptr<socket> connect(net::io_context &context, const how &job) {
    auto server = std::make_unique<socket>(context);
    socket client(context);
    websocket::permessage_deflate options;
    options.server_enable = options.client_enable = true;
    options.server_max_window_bits = options.client_max_window_bits = job.window;
    options.server_no_context_takeover = options.client_no_context_takeover = job.takeover == 0;
    options.compLevel = job.level;
    options.memLevel = job.memory;
    server->set_option(options);
    client.set_option(options);
    bench::shake_hands(*server, client);
    return server;
}

/* Messages whole and in one frame each, if they fit into the buffer that they are compressed to. */
void send(socket &ws, const std::vector<bytes> &in, bytes &made, std::vector<size_t> &ends) {
    ws.next_layer().out = made.data();
    ws.next_layer().cap = made.size();
    for (const bytes &message : in) {
        ws.write(net::buffer(message));
    }
    ends.push_back(ws.next_layer().made);
}

void receive(socket &ws, const std::vector<bytes> &in, bytes &made, std::vector<size_t> &ends) {
    size_t n = 0;
    error_code ec;
    ws.next_layer().next = in[0].data();
    ws.next_layer().left = in[0].size();
    while (true) {
        n += ws.read_some(net::buffer(made.data() + n, made.size() - n), ec);
        if (ec) {
            break;
        }
        if (ws.is_message_done()) {
            ends.push_back(n);
        }
    }
    if (ec != net::error::eof) {
        throw boost::system::system_error(ec);
    }
}

uint64_t processor_ns() {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

void work(const how &job) {
    net::io_context context(1);
    std::vector<bytes> in = read_messages(job.file);
    bytes made(job.room + 4096, 1);
    std::vector<size_t> ends;
    ends.reserve(made.size() / 2);
    auto ws = connect(context, job);
    ws->auto_fragment(false);
    ws->write_buffer_bytes(65536);
    ws->read_message_max(0);
    ws->binary(job.type == "binary");
    uint64_t start = processor_ns();
    (job.verb == "send" ? send : receive)(*ws, in, made, ends);
    uint64_t took = processor_ns() - start;
    if (job.result != "-") {
        write_messages(job.result, made, ends);
    }
    std::printf("%llu %zu -\n", (unsigned long long)took, ends.back());
    std::fflush(stdout);
}

} // namespace

int main() {
    how job;
    while (std::cin >> job.verb >> job.file >> job.type >> job.window >> job.level >> job.memory >>
           job.takeover >> job.room >> job.result) {
        work(job);
    }
    return 0;
}
