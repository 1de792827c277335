/*
 * What goes over the wire: frames of every content, made here and read here without any library, so
 * that each contender is compared with something that none of them made.
 */
#ifndef BENCH_STREAM_HPP
#define BENCH_STREAM_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

enum class content { binary, ascii, mixed };

struct row;

/* A frame of a stream; each is a whole message. */
struct frame {
    size_t at;     /* of its header in `wire` */
    size_t header; /* bytes of it */
    size_t data;   /* of its payload in `payload` */
    size_t len;    /* bytes of it */
    uint8_t key[4];
    uint8_t type; /* the opcode */
};

struct stream {
    std::vector<frame> frames;
    std::vector<uint8_t> payload; /* all of them, unmasked, end to end */
    std::vector<uint8_t> wire;    /* all frames */
};

/* A hash over messages that does not depend on the pieces in which they come. */
class digest {
  public:
    void piece(uint8_t type, bool final, const uint8_t *data, size_t len);
    void text(const char *text);

    bool operator==(const digest &other) const {
        return hash == other.hash && messages == other.messages;
    }

  private:
    void byte(uint8_t value) {
        hash = (hash ^ value) * 1099511628211U;
    }

    uint64_t hash = 14695981039346656037U;
    uint64_t in_message = 0;
    uint64_t messages = 0;
};

/* The streams of a row, the same in every run. */
std::vector<stream> make_streams(const row &);

/* What a contender has to deliver from a stream, or to make of it. */
digest expected(const row &, const stream &);

/* Reads frames that a contender made. False when they are no right sequence of whole messages. */
bool decode(const uint8_t *wire, size_t len, bool masked, digest &);

/* Judges an answer to `request`. False when it is no right 101. */
bool decode_answer(const char *answer, size_t len, digest &);

/* Judges mask keys: all bits move, and hardly one comes twice. */
bool decode_keys(const uint8_t *keys, size_t count, digest &);

/* A handshake as Chrome sends it. */
extern const char request[];
extern const size_t request_len;

} // namespace bench

#endif
