/*
 * Three streams that are good up to a fault, and what has to come back for them, to the last byte:
 * what was good is answered, then comes the Close, and nothing behind the fault counts. Knows a
 * port and the toy filter; not who serves there.
 */
#ifndef HWS_TESTS_STRICT_H
#define HWS_TESTS_STRICT_H

#include "toy_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

enum { STRICT_ROWS = 3, STRICT_BYTES = 128 /* sent, and received without a filter */ };

/* How the stream is cut. */
enum strict_way {
    STRICT_WHOLE,   /* one write; with a filter one record */
    STRICT_SINGLE,  /* each byte a write; with a filter a record as well */
    STRICT_RECORDS, /* one write; with a filter each byte a record */
    STRICT_CUT      /* two writes */
};

typedef struct strict_row {
    const char *name;
    const char *sent;
    const char *wanted;
    hws_status status; /* of the server, in the end */
} strict_row;

#define STRICT_KEY "37fa213d"
#define STRICT_HELLO STRICT_KEY "7f9f4d5158"

static const strict_row strict_rows[STRICT_ROWS] = {
    {"RFC 6455 5.2: a message, one with a reserved bit, and a Ping",
     "8185" STRICT_HELLO "a185" STRICT_HELLO "8980" STRICT_KEY, "810548656c6c6f 880203ea",
     HWS_ERR_RSV},
    {"RFC 6455 5.2: a message, a frame with a reserved opcode, and a Ping",
     "8185" STRICT_HELLO "8580" STRICT_KEY "8980" STRICT_KEY, "810548656c6c6f 880203ea",
     HWS_ERR_OPCODE},
    {"RFC 6455 5.4: a message of two fragments, a continuation of nothing, and a message",
     "0185" STRICT_HELLO "8085" STRICT_HELLO "0085" STRICT_HELLO "8185" STRICT_HELLO,
     "810a48656c6c6f48656c6c6f 880203ea", HWS_ERR_CONTINUATION},
};

/* Tell which row the next assertion is about. */
static inline void strict_say(const strict_row *row) {
    print_message("    %s\n", row->name);
}

/* A filter; what it gives and says comes in pieces as small as there are when it is narrow. */
static inline void strict_filter(toy *kind, uint8_t narrow) {
    toy_init(kind);
    kind->stingy = narrow;
    kind->record = narrow;
    kind->chatty = narrow;
}

static inline void strict_send(int fd, uint8_t filtered, const void *bytes, size_t len) {
    if (filtered) {
        toy_raw_send(fd, bytes, len);
    } else {
        raw_send(fd, bytes, len);
    }
}

/* The next plain byte. */
static inline char strict_byte(int fd, uint8_t filtered, size_t *left) {
    uint8_t byte = 'K';
    while (filtered && *left == 0) {
        assert_int_equal(raw_read(fd, &byte, 1), 1);
        assert_true(byte == 'D' || byte == 'K');
        if (byte == 'D') {
            assert_int_equal(raw_read(fd, &byte, 1), 1);
            *left = byte;
        }
    }
    assert_int_equal(raw_read(fd, &byte, 1), 1);
    *left -= filtered;
    return (char)(filtered ? byte ^ TOY_KEY : byte);
}

/* A head is all that the server says now. */
static inline void strict_head(int fd, uint8_t filtered) {
    char head[1024] = {0};
    size_t left = 0; /* of a record */
    size_t n = 0;
    while (strstr(head, "\r\n\r\n") == NULL) {
        assert_true(n < sizeof head - 1);
        head[n] = strict_byte(fd, filtered, &left);
        n++;
    }
    assert_memory_equal(head, "HTTP/1.1 101 ", 13);
}

static inline int strict_connect(uint16_t port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address;
    int on = 1;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0); /* so that waits have their limit */
    return fd;
}

/* An open connection. */
static inline int strict_open(uint16_t port, uint8_t filtered) {
    static const char request[] =
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    int fd = strict_connect(port);
    if (filtered) {
        raw_send_text(fd, TOY_HELLO);
        raw_expect(fd, TOY_REPLY, 3);
    }
    strict_send(fd, filtered, request, sizeof request - 1);
    strict_head(fd, filtered);
    return fd;
}

/* Each byte a record, all in one write. */
static inline void strict_records(int fd, const uint8_t *bytes, size_t len) {
    uint8_t records[3 * STRICT_BYTES];
    size_t i = 0;
    while (i < len) {
        records[3 * i] = 'D';
        records[3 * i + 1] = 1;
        records[3 * i + 2] = bytes[i] ^ TOY_KEY;
        i++;
    }
    raw_send(fd, records, 3 * len);
}

/* With a pause between writes, so that most are read one by one. */
static inline void strict_play(int fd, uint8_t filtered, enum strict_way way, size_t cut,
                               const uint8_t *bytes, size_t len) {
    size_t i = 0;
    if (way == STRICT_RECORDS && filtered) {
        strict_records(fd, bytes, len);
        return;
    }
    while (way == STRICT_SINGLE && i + 1 < len) {
        strict_send(fd, filtered, bytes + i, 1);
        peer_nap_ms(1);
        i++;
    }
    if (way == STRICT_CUT) {
        strict_send(fd, filtered, bytes, cut);
        peer_nap_ms(1);
        i = cut;
    }
    strict_send(fd, filtered, bytes + i, len - i);
}

/* Plain bytes out of all that came. The end of the filter's stream has to be the last. */
static inline size_t strict_unwrap(const uint8_t *wire, size_t len, uint8_t *plain) {
    size_t n = 0;
    size_t i = 0;
    while (i + 1 < len) {
        size_t at = i + 2;
        if (wire[i] == 'K') {
            i++;
            continue;
        }
        assert_int_equal(wire[i], 'D');
        i = at + wire[i + 1];
        assert_true(i < len);
        while (at < i) {
            plain[n] = wire[at] ^ TOY_KEY;
            n++;
            at++;
        }
    }
    assert_int_equal(i + 1, len);
    assert_int_equal(wire[i], 'C');
    return n;
}

/* All that comes, up to the end of the stream, is what is wanted. */
static inline void strict_expect(int fd, uint8_t filtered, const strict_row *row) {
    uint8_t wanted[STRICT_BYTES];
    uint8_t plain[4 * STRICT_BYTES];
    uint8_t wire[4 * STRICT_BYTES];
    size_t wanted_len = hex_decode(row->wanted, wanted, sizeof wanted);
    int n = raw_read(fd, wire, sizeof wire);
    assert_true(n > 0 && n < (int)sizeof wire);
    size_t len = (size_t)n;
    if (filtered) {
        len = strict_unwrap(wire, len, plain);
    } else {
        memcpy(plain, wire, len);
    }
    assert_int_equal(len, wanted_len);
    assert_memory_equal(plain, wanted, len);
}

/* One connection from its start to its end. */
static inline void strict_run(uint16_t port, uint8_t filtered, const strict_row *row,
                              enum strict_way way, size_t cut) {
    uint8_t bytes[STRICT_BYTES];
    size_t len = hex_decode(row->sent, bytes, sizeof bytes);
    int fd = strict_open(port, filtered);
    strict_play(fd, filtered, way, cut, bytes, len);
    strict_expect(fd, filtered, row);
    close(fd);
}

/* All ways for one row. `after` is called when a connection has ended. */
static inline void strict_run_all(uint16_t port, uint8_t filtered, const strict_row *row,
                                  void (*after)(void *user, const strict_row *row), void *user) {
    uint8_t bytes[STRICT_BYTES];
    size_t len = hex_decode(row->sent, bytes, sizeof bytes);
    int way = STRICT_WHOLE;
    size_t cut = 1;
    while (way < STRICT_CUT) {
        strict_run(port, filtered, row, (enum strict_way)way, 0);
        after(user, row);
        way++;
    }
    while (cut < len) {
        strict_run(port, filtered, row, STRICT_CUT, cut);
        after(user, row);
        cut++;
    }
}

#endif
