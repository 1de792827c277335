/*
 * What the parts of the benchmark share: the rows, the work that a row is, and a contender. Knows
 * no WebSocket library: each is known by its contender_….cpp alone.
 */
#ifndef BENCH_BENCH_HPP
#define BENCH_BENCH_HPP

#include "stream.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bench {

enum class kind { receive, send, send_header, mask_key, handshake };

/* One line of the table: what is timed. */
struct row {
    const char *name;
    enum kind kind;
    bool client; /* the role of the codec that is timed */
    enum content content;
    size_t len;    /* bytes of each payload; 0 with `random` */
    size_t read;   /* bytes that arrive at once; 0: the whole stream */
    size_t stream; /* bytes of payload in a stream, at least; one frame is one at least */
    bool random;   /* sizes of 2 to 2047 bytes, small ones as likely as large ones */
};

extern const std::vector<row> rows;

/* What a row comes to. Contenders read `in` and `now`, and may write to `in` and `out`. */
struct work {
    const struct row *row;
    std::vector<stream> streams; /* more than one where sizes must not be learnt by heart */
    const stream *now;           /* the one of this round */
    uint8_t *in;                 /* its wire, or its payload to send; fresh before each pass */
    uint8_t *out;                /* room for all that a pass makes */
    size_t out_cap;
    size_t repeats; /* a pass goes over the stream so often */
};

/* Something that is timed. The state is the contender's own; it lives for one row. */
struct contender {
    std::string name;
    std::string family; /* of the library, whatever its form: "hawser", "beast" … */
    int form;           /* for the contender's own use */
    bool (*can)(const row &);
    void *(*open)(const contender &, const work &);
    /* Before its passes, outside of the timed region. May be null. */
    void (*activate)(void *);
    /* The timed region. Returns the frames that were done, 0 at a fault. */
    size_t (*pass)(void *);
    /* Goes over the stream once, and tells what was delivered or made. False at a fault. */
    bool (*verify)(void *, digest &);
    void (*close)(void *);
};

/* Each adds its contenders. A library that was not built in has no such function. */
void add_memcpy(std::vector<contender> &);
void add_hawser(std::vector<contender> &);
void add_wslay(std::vector<contender> &);
void add_beast(std::vector<contender> &);
void add_websocketpp(std::vector<contender> &);

/* How a pass counts what it is given: enough that nothing can be left out by the compiler. */
struct counter {
    size_t messages = 0;
    size_t bytes = 0;

    void piece(uint8_t, bool final, const uint8_t *, size_t len) {
        messages += final;
        bytes += len;
    }
};

/* Receives the stream as often as a pass does; `once` receives it once. Returns the messages, 0 at
 * a fault. */
template <class Once> size_t receive_all(const work &w, Once once) {
    counter count;
    for (size_t i = 0; i < w.repeats; i++) {
        if (!once(count)) {
            return 0;
        }
    }
    return count.bytes == w.now->payload.size() * w.repeats ? count.messages : 0;
}

/* A source of mask keys whose cost is small and the same for every frame, so that the masking is
 * timed and not the source. Of no use in any real client. */
inline uint32_t cheap_key(uint64_t &state) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(state >> 32);
}

} // namespace bench

#endif
