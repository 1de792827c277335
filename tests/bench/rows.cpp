/*
 * The rows of the benchmark. A stream of 64 KiB stays in the second cache with what is made of it;
 * "from L1" is one frame again and again. Sizes that are random come in several streams, so that
 * no branch predictor learns them.
 */
#include "bench.hpp"

namespace bench {

namespace {

constexpr size_t KiB = 1024;
constexpr size_t MiB = KiB * KiB;
constexpr size_t L2 = 64 * KiB;
constexpr size_t ONE = 0;

constexpr row receive(const char *name, content content, size_t len, size_t stream = L2,
                      size_t read = 0) {
    return {name, kind::receive, false, content, len, read, stream, false};
}

constexpr row binary(const char *name, size_t len, size_t stream = L2, size_t read = 0) {
    return receive(name, content::binary, len, stream, read);
}

constexpr row random_sizes(const char *name, bool client) {
    return {name, kind::receive, client, content::binary, 0, 0, L2, true};
}

constexpr row role(bool client, const char *name, enum kind kind, size_t len) {
    return {name, kind, client, content::binary, len, 0, L2, false};
}

} // namespace

const std::vector<row> rows = {
    binary("server receive binary 0 B", 0),
    binary("server receive binary 16 B", 16),
    binary("server receive binary 64 B", 64),
    binary("server receive binary 125 B", 125),
    binary("server receive binary 256 B", 256),
    binary("server receive binary 1 KiB", 1 * KiB),
    binary("server receive binary 4 KiB", 4 * KiB),
    binary("server receive binary 16 KiB", 16 * KiB),
    binary("server receive binary 1 KiB from L1", 1 * KiB, ONE),
    binary("server receive binary 4 KiB from L1", 4 * KiB, ONE),
    binary("server receive binary 16 KiB from L1", 16 * KiB, ONE),
    binary("server receive binary 64 KiB", 64 * KiB, ONE),
    binary("server receive binary 1 MiB", MiB, ONE),
    random_sizes("server receive binary 2-2047 B", false),
    receive("server receive ASCII 16 B", content::ascii, 16),
    receive("server receive ASCII 125 B", content::ascii, 125),
    receive("server receive ASCII 1 KiB", content::ascii, 1 * KiB),
    receive("server receive ASCII 4 KiB", content::ascii, 4 * KiB),
    receive("server receive ASCII 64 KiB", content::ascii, 64 * KiB, ONE),
    receive("server receive mixed text 16 B", content::mixed, 16),
    receive("server receive mixed text 125 B", content::mixed, 125),
    receive("server receive mixed text 4 KiB", content::mixed, 4 * KiB),
    receive("server receive mixed text 1 MiB", content::mixed, MiB, ONE),
    role(true, "client receive binary 16 B", kind::receive, 16),
    role(true, "client receive binary 125 B", kind::receive, 125),
    random_sizes("client receive binary 2-2047 B", true),
    role(false, "server send 16 B", kind::send, 16),
    role(false, "server send 125 B", kind::send, 125),
    role(false, "server send 1 KiB", kind::send, 1 * KiB),
    role(false, "server send 16 KiB", kind::send, 16 * KiB),
    role(false, "server send header only", kind::send_header, 125),
    role(true, "client send 16 B", kind::send, 16),
    role(true, "client send 125 B", kind::send, 125),
    role(true, "client send 1 KiB", kind::send, 1 * KiB),
    role(true, "client send 4 KiB", kind::send, 4 * KiB),
    {"mask key", kind::mask_key, true, content::binary, 4, 0, 8 * KiB, false},
    binary("server receive 125 B in reads of 1 B", 125, L2, 1),
    binary("server receive 125 B in reads of 7 B", 125, L2, 7),
    binary("server receive 125 B in reads of 1460 B", 125, L2, 1460),
    binary("server receive 125 B in reads of 16384 B", 125, L2, 16384),
    binary("server receive 4 KiB in reads of 7 B", 4 * KiB, L2, 7),
    binary("server receive 4 KiB in reads of 1460 B", 4 * KiB, L2, 1460),
    binary("server receive 4 KiB in reads of 16384 B", 4 * KiB, L2, 16384),
    role(false, "server handshake 508 B", kind::handshake, 508),
};

} // namespace bench
