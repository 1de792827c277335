/*
 * Makes streams, and reads what contenders made. Knows RFC 6455 5.2 by itself.
 */
#include "stream.hpp"

#include "bench.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

namespace bench {

const char request[] =
    "GET /chat?room=one HTTP/1.1\r\n"
    "Host: server.example.com:8080\r\n"
    "Connection: Upgrade\r\n"
    "Pragma: no-cache\r\n"
    "Cache-Control: no-cache\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36\r\n"
    "Upgrade: websocket\r\n"
    "Origin: http://server.example.com:8080\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Accept-Encoding: gzip, deflate\r\n"
    "Accept-Language: en-GB,en;q=0.9\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    "\r\n";
const size_t request_len = sizeof request - 1;
static_assert(request_len == 508, "the row says so");

namespace {

/* RFC 6455 1.3 has this answer to the key of the request. */
const char accept_value[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

class random_source {
  public:
    explicit random_source(uint64_t seed) : state(seed) {
    }

    uint64_t next() {
        state += 0x9E3779B97F4A7C15U;
        uint64_t z = state;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
        z = (z ^ z >> 27) * 0x94D049BB133111EBU;
        return z ^ z >> 31;
    }

    /* A number of first … last. */
    size_t within(size_t first, size_t last) {
        return first + (size_t)(next() % (last - first + 1));
    }

  private:
    uint64_t state;
};

void append_code_point(std::vector<uint8_t> &to, uint32_t c) {
    if (c < 0x80) {
        to.push_back((uint8_t)c);
    } else if (c < 0x800) {
        to.push_back((uint8_t)(0xC0 | c >> 6));
        to.push_back((uint8_t)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        to.push_back((uint8_t)(0xE0 | c >> 12));
        to.push_back((uint8_t)(0x80 | (c >> 6 & 0x3F)));
        to.push_back((uint8_t)(0x80 | (c & 0x3F)));
    } else {
        to.push_back((uint8_t)(0xF0 | c >> 18));
        to.push_back((uint8_t)(0x80 | (c >> 12 & 0x3F)));
        to.push_back((uint8_t)(0x80 | (c >> 6 & 0x3F)));
        to.push_back((uint8_t)(0x80 | (c & 0x3F)));
    }
}

/* Words of CJK, Cyrillic and emoji with a space after each. */
std::vector<uint8_t> mixed_text(random_source &random, size_t len) {
    struct script {
        uint32_t first, last;
        size_t shortest, longest;
    };
    static const script scripts[] = {
        {0x4E00, 0x9FA5, 2, 5}, {0x0410, 0x044F, 3, 9}, {0x1F600, 0x1F64F, 1, 2}};
    std::vector<uint8_t> text;
    while (text.size() < len) {
        const script &s = scripts[random.within(0, 2)];
        size_t letters = random.within(s.shortest, s.longest);
        for (size_t i = 0; i < letters; i++) {
            append_code_point(text, (uint32_t)random.within(s.first, s.last));
        }
        text.push_back(' ');
    }
    /* Cut it at a code point, and fill up. */
    size_t end = len;
    while (end < text.size() && (text[end] & 0xC0) == 0x80) {
        end--;
    }
    text.resize(end);
    text.resize(len, '.');
    return text;
}

std::vector<uint8_t> payload_of(const row &row, random_source &random, size_t len) {
    if (row.content == content::mixed && len > 0) {
        return mixed_text(random, len);
    }
    std::vector<uint8_t> bytes(len);
    for (uint8_t &byte : bytes) {
        byte = row.content == content::ascii ? (uint8_t)random.within(' ', '~')
                                             : (uint8_t)random.next();
    }
    return bytes;
}

/* Small sizes are as likely as large ones: the logarithm is what is uniform. */
size_t random_len(random_source &random) {
    double at = (double)(random.next() >> 11) / 9007199254740992.0;
    return (size_t)(2.0 * std::pow(1024.0, at));
}

void append_header(std::vector<uint8_t> &wire, const frame &f, bool masked) {
    uint8_t mask_bit = masked ? 0x80 : 0;
    wire.push_back((uint8_t)(0x80 | f.type));
    if (f.len < 126) {
        wire.push_back((uint8_t)(mask_bit | f.len));
    } else {
        int bytes = f.len < 65536 ? 2 : 8;
        wire.push_back((uint8_t)(mask_bit | (bytes == 2 ? 126 : 127)));
        while (bytes-- > 0) {
            wire.push_back((uint8_t)((uint64_t)f.len >> 8 * bytes));
        }
    }
    if (masked) {
        wire.insert(wire.end(), f.key, f.key + 4);
    }
}

void append_frame(stream &s, const row &row, random_source &random) {
    size_t len = row.random ? random_len(random) : row.len;
    std::vector<uint8_t> payload = payload_of(row, random, len);
    bool masked = !row.client;
    frame f = {};
    f.at = s.wire.size();
    f.data = s.payload.size();
    f.len = len;
    f.type = row.content == content::binary ? 2 : 1;
    uint64_t key = random.next();
    std::memcpy(f.key, &key, sizeof f.key);
    append_header(s.wire, f, masked);
    f.header = s.wire.size() - f.at;
    for (size_t i = 0; i < len; i++) {
        s.wire.push_back((uint8_t)(payload[i] ^ (masked ? f.key[i % 4] : 0)));
    }
    s.payload.insert(s.payload.end(), payload.begin(), payload.end());
    s.frames.push_back(f);
}

stream make_frames(const row &row, uint64_t seed) {
    random_source random(seed);
    stream s;
    size_t headers = 64; /* those of the large frames must not cost the last one its place */
    do {
        append_frame(s, row, random);
    } while (s.wire.size() + row.len <= row.stream + headers);
    return s;
}

/* The length of the next header, or 0 when it is wrong. Sets the length of the payload. */
size_t read_header(const uint8_t *wire, size_t left, bool masked, size_t &len) {
    if (left < 2 || (wire[0] & 0xF0) != 0x80 || (wire[1] & 0x80) != (masked ? 0x80 : 0)) {
        return 0;
    }
    size_t small = wire[1] & 0x7F;
    size_t extra = small < 126 ? 0 : small == 126 ? 2 : 8;
    size_t header = 2 + extra + (masked ? 4 : 0);
    if (left < header) {
        return 0;
    }
    len = extra == 0 ? small : 0;
    for (size_t i = 0; i < extra; i++) {
        len = len << 8 | wire[2 + i];
    }
    size_t least = extra == 0 ? 0 : extra == 2 ? 126 : 65536;
    return len >= least && len <= left - header ? header : 0;
}

/* The value of a field of an answer, "" when there is none. */
std::string field(const std::string &answer, const std::string &name) {
    auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
    std::string start = "\r\n" + name + ":";
    auto found = std::search(answer.begin(), answer.end(), start.begin(), start.end(), same);
    if (found == answer.end()) {
        return "";
    }
    size_t first = answer.find_first_not_of(' ', (size_t)(found - answer.begin()) + start.size());
    return answer.substr(first, answer.find("\r\n", first) - first);
}

} // namespace

void digest::piece(uint8_t type, bool final, const uint8_t *data, size_t len) {
    for (size_t i = 0; i < len; i++) {
        byte(data[i]);
    }
    in_message += len;
    if (!final) {
        return;
    }
    byte(type);
    for (int shift = 0; shift < 64; shift += 8) {
        byte((uint8_t)(in_message >> shift));
    }
    in_message = 0;
    messages++;
}

void digest::text(const char *text) {
    piece(0, true, (const uint8_t *)text, std::strlen(text));
}

std::vector<stream> make_streams(const row &row) {
    std::vector<stream> streams;
    if (row.kind == kind::handshake) {
        stream s;
        s.wire.assign(request, request + request_len);
        s.frames.push_back(frame{0, 0, 0, request_len, {0, 0, 0, 0}, 0});
        streams.push_back(s);
        return streams;
    }
    size_t count = row.random ? 8 : 1;
    for (size_t i = 0; i < count; i++) {
        streams.push_back(make_frames(row, 1 + i));
    }
    return streams;
}

digest expected(const row &row, const stream &s) {
    digest d;
    if (row.kind == kind::handshake) {
        d.text(accept_value);
        return d;
    }
    if (row.kind == kind::mask_key) {
        d.text("keys");
        return d;
    }
    for (const frame &f : s.frames) {
        d.piece(f.type, true, s.payload.data() + f.data, f.len);
    }
    return d;
}

bool decode(const uint8_t *wire, size_t len, bool masked, digest &d) {
    size_t at = 0;
    std::vector<uint8_t> payload;
    while (at < len) {
        size_t payload_len = 0;
        size_t header = read_header(wire + at, len - at, masked, payload_len);
        if (header == 0) {
            return false;
        }
        const uint8_t *key = wire + at + header - 4;
        const uint8_t *data = wire + at + header;
        payload.resize(payload_len);
        for (size_t i = 0; i < payload_len; i++) {
            payload[i] = (uint8_t)(data[i] ^ (masked ? key[i % 4] : 0));
        }
        d.piece(wire[at] & 0x0F, true, payload.data(), payload_len);
        at += header + payload_len;
    }
    return true;
}

bool decode_answer(const char *answer, size_t len, digest &d) {
    std::string text(answer, len);
    std::string end = len < 4 ? "" : text.substr(len - 4);
    if (text.compare(0, 13, "HTTP/1.1 101 ") != 0 || end != "\r\n\r\n") {
        return false;
    }
    std::string upgrade = field(text, "Upgrade");
    std::string connection = field(text, "Connection");
    for (std::string *value : {&upgrade, &connection}) {
        for (char &c : *value) {
            c = (char)(c | 0x20);
        }
    }
    d.text(field(text, "Sec-WebSocket-Accept").c_str());
    return upgrade == "websocket" && connection == "upgrade" &&
           field(text, "Sec-WebSocket-Extensions").empty();
}

bool decode_keys(const uint8_t *keys, size_t count, digest &d) {
    std::vector<uint32_t> all(count);
    std::memcpy(all.data(), keys, count * 4);
    std::sort(all.begin(), all.end());
    size_t same = 0;
    uint32_t ones = all[0];
    uint32_t zeros = ~all[0];
    for (size_t i = 1; i < count; i++) {
        same += all[i] == all[i - 1];
        ones |= all[i];
        zeros |= ~all[i];
    }
    d.text("keys");
    return same < 3 && ones == UINT32_MAX && zeros == UINT32_MAX;
}

} // namespace bench
