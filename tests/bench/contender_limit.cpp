/*
 * What no codec that moves bytes can beat: memcpy() of the same bytes, once for each frame or each
 * read; and what a mask key costs without a pool, getrandom() for each.
 */
#include "bench.hpp"

#include <algorithm>
#include <cstring>
#include <sys/random.h>

namespace bench {

namespace {

bool can_copy(const row &row) {
    return row.kind == kind::receive || row.kind == kind::send;
}

bool can_key(const row &row) {
    return row.kind == kind::mask_key;
}

void *open_work(const contender &, const work &w) {
    return const_cast<work *>(&w);
}

void close_nothing(void *) {
}

size_t copy_reads(const work &w) {
    size_t at = 0;
    size_t size = w.now->wire.size();
    while (at < size) {
        size_t len = std::min(w.row->read, size - at);
        std::memcpy(w.out + at, w.in + at, len);
        at += len;
    }
    return w.now->frames.size();
}

size_t copy_frames(const work &w) {
    for (const frame &f : w.now->frames) {
        std::memcpy(w.out + f.at + f.header, w.in + f.at + f.header, f.len);
    }
    return w.now->frames.size();
}

size_t copy_payloads(const work &w) {
    for (const frame &f : w.now->frames) {
        std::memcpy(w.out + f.at + f.header, w.in + f.data, f.len);
    }
    return w.now->frames.size();
}

size_t copy_pass(void *state) {
    const work &w = *(const work *)state;
    size_t done = 0;
    for (size_t i = 0; i < w.repeats; i++) {
        done += w.row->kind == kind::send ? copy_payloads(w)
                : w.row->read > 0         ? copy_reads(w)
                                          : copy_frames(w);
        /* The bytes are wanted, each time again. */
        __asm__ volatile("" : : "r"(w.out) : "memory");
    }
    return done;
}

/* A copy of a frame that was received is still masked. */
bool copy_verify(void *state, digest &d) {
    const work &w = *(const work *)state;
    bool masked = w.row->kind == kind::receive && !w.row->client;
    copy_pass(state);
    for (const frame &f : w.now->frames) {
        uint8_t *data = w.out + f.at + f.header;
        for (size_t i = 0; masked && i < f.len; i++) {
            data[i] ^= f.key[i % 4];
        }
        d.piece(f.type, true, data, f.len);
    }
    return true;
}

size_t key_pass(void *state) {
    const work &w = *(const work *)state;
    size_t count = w.now->frames.size();
    for (size_t i = 0; i < count; i++) {
        if (getrandom(w.out + 4 * i, 4, 0) != 4) {
            return 0;
        }
    }
    return count;
}

bool key_verify(void *state, digest &d) {
    const work &w = *(const work *)state;
    size_t count = key_pass(state);
    return count > 0 && decode_keys(w.out, count, d);
}

} // namespace

void add_memcpy(std::vector<contender> &to) {
    to.push_back({"memcpy", "memcpy", 0, can_copy, open_work, nullptr, copy_pass, copy_verify,
                  close_nothing});
    to.push_back({"getrandom", "getrandom", 0, can_key, open_work, nullptr, key_pass, key_verify,
                  close_nothing});
}

} // namespace bench
