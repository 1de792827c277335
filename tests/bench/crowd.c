/*
 * hawser-bench-crowd: many connections that service.py loads a server with. Knows the bytes of the
 * protocol that it needs, written anew, so that hawser is not measured with itself; nothing of who
 * is measured.
 *
 *     hawser-bench-crowd PORT CONNECTIONS
 *
 * Opens them on 127.0.0.1, prints "open", and obeys lines of the standard input, one line each:
 *
 *     echo MS BATCH    every connection sends BATCH messages, waits until all are back, and again,
 *                      for so long (0: once). Prints the messages and the nanoseconds.
 *     broadcast MS     the first connection sends a message, all wait for it, and again. Prints
 *                      deliveries and nanoseconds.
 *     quiet MS         nothing may come. Prints 0 and the nanoseconds.
 *
 * Every message is compared with what it has to be, and comes in its order: one that is lost, comes
 * twice or is another ends the program with 1. It ends with 0 at the end of the input.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    PAYLOAD = 125, /* bytes of a message */
    FRAME = 2 + PAYLOAD,
    MASKED = FRAME + 4,
    DIGITS = 8, /* of the two numbers that a message starts with */
    MAX_BATCH = 64,
    OPEN_AT_ONCE = 64, /* fewer than the queue of any server that listens */
    EVENTS = 512,
    SILENCE_MS = 20000
};

typedef struct member {
    int fd;
    uint32_t sent;
    uint32_t received;
    uint32_t kept; /* bytes of a frame that has not come whole */
    uint8_t part[FRAME];
} member;

static const uint8_t MASK[4] = {0x37, 0xfa, 0x21, 0x3d};
static const char REQUEST[] = "GET / HTTP/1.1\r\n"
                              "Host: 127.0.0.1\r\n"
                              "Upgrade: websocket\r\n"
                              "Connection: Upgrade\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" /* RFC 6455 1.3 */
                              "Sec-WebSocket-Version: 13\r\n\r\n";
static const char ACCEPT[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

static member *members;
static uint32_t count;
static int poller;
static int is_broadcast; /* all receive what the first one sent */
static uint8_t room[FRAME + 65536];

static void fail(const char *sentence) {
    fprintf(stderr, "hawser-bench-crowd: %s\n", sentence);
    exit(1);
}

static uint64_t now_ns(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void write_number(uint8_t *at, uint32_t number) {
    int i = DIGITS;
    while (i > 0) {
        i--;
        at[i] = (uint8_t)('a' + (number & 15));
        number >>= 4;
    }
}

/* The text of a message: who sent it, and how many he had sent before. */
static void write_payload(uint8_t *payload, uint32_t sender, uint32_t number) {
    size_t i = 2 * DIGITS;
    write_number(payload, sender);
    write_number(payload + DIGITS, number);
    while (i < PAYLOAD) {
        payload[i] = (uint8_t)('A' + i % 26);
        i++;
    }
}

static void write_all(const member *m, const uint8_t *bytes, size_t len) {
    if (send(m->fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len) {
        fail("A socket did not take what was sent.");
    }
}

static void mask(uint8_t *payload, size_t len) {
    size_t i = 0;
    while (i < len) {
        payload[i] ^= MASK[i & 3];
        i++;
    }
}

static void send_batch(member *m, uint32_t batch) {
    uint8_t bytes[MAX_BATCH * MASKED];
    uint32_t i = 0;
    while (i < batch) {
        uint8_t *frame = bytes + i * MASKED;
        frame[0] = 0x81;
        frame[1] = 0x80 | PAYLOAD;
        memcpy(frame + 2, MASK, sizeof MASK);
        write_payload(frame + 6, (uint32_t)(m - members), m->sent);
        mask(frame + 6, PAYLOAD);
        m->sent++;
        i++;
    }
    write_all(m, bytes, batch * MASKED);
}

static void send_pong(const member *m, const uint8_t *payload, size_t len) {
    uint8_t frame[MASKED] = {0x8a};
    frame[1] = (uint8_t)(0x80 | len);
    memcpy(frame + 2, MASK, sizeof MASK);
    memcpy(frame + 6, payload, len);
    mask(frame + 6, len);
    write_all(m, frame, 6 + len);
}

/* Takes a whole frame. Returns the messages in it: 1 or 0. */
static uint32_t take_frame(member *m, const uint8_t *frame) {
    uint8_t wanted[PAYLOAD];
    if (frame[0] == 0x89) {
        send_pong(m, frame + 2, frame[1]);
        return 0;
    }
    write_payload(wanted, is_broadcast ? 0 : (uint32_t)(m - members), m->received);
    if (frame[0] != 0x81 || frame[1] != PAYLOAD || memcmp(frame + 2, wanted, PAYLOAD) != 0) {
        fail("A message was not what it had to be.");
    }
    m->received++;
    return 1;
}

/* Reads once. Returns the messages that came whole. */
static uint32_t read_member(member *m) {
    size_t len = m->kept;
    size_t at = 0;
    uint32_t messages = 0;
    ssize_t n = recv(m->fd, room + len, sizeof room - len, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) {
        return 0;
    }
    if (n <= 0) {
        fail("A connection has ended.");
    }
    memcpy(room, m->part, len);
    len += (size_t)n;
    while (len - at >= 2 && len - at >= 2u + room[at + 1]) {
        messages += take_frame(m, room + at);
        at += 2u + room[at + 1];
    }
    m->kept = (uint32_t)(len - at);
    if (m->kept >= FRAME) {
        fail("A frame was longer than any message.");
    }
    memcpy(m->part, room + at, m->kept);
    return messages;
}

static uint32_t wait_for(struct epoll_event *events, int timeout_ms) {
    int n = epoll_wait(poller, events, EVENTS, timeout_ms);
    if (n < 0) {
        fail("Waiting failed.");
    }
    return (uint32_t)n;
}

static uint32_t wait_long(struct epoll_event *events) {
    uint32_t n = wait_for(events, SILENCE_MS);
    if (n == 0) {
        fail("A message did not come.");
    }
    return n;
}

static uint64_t run_echo(uint64_t until_ns, uint32_t batch) {
    struct epoll_event events[EVENTS];
    uint64_t messages = 0;
    uint64_t sent = (uint64_t)count * batch;
    uint32_t i = 0;
    is_broadcast = 0;
    while (i < count) {
        send_batch(&members[i], batch);
        i++;
    }
    while (messages < sent) {
        uint32_t n = wait_long(events);
        int goes_on = now_ns() < until_ns;
        i = 0;
        while (i < n) {
            member *m = &members[events[i].data.u32];
            uint32_t got = read_member(m);
            messages += got;
            if (goes_on && got > 0 && m->received == m->sent) {
                send_batch(m, batch);
                sent += batch;
            }
            i++;
        }
    }
    return messages;
}

static uint64_t run_broadcast(uint64_t until_ns) {
    struct epoll_event events[EVENTS];
    uint64_t messages = 0;
    is_broadcast = 1;
    do {
        uint64_t wanted = messages + count;
        send_batch(&members[0], 1);
        while (messages < wanted) {
            uint32_t n = wait_long(events);
            uint32_t i = 0;
            while (i < n) {
                messages += read_member(&members[events[i].data.u32]);
                i++;
            }
        }
    } while (now_ns() < until_ns);
    return messages;
}

static uint64_t run_quiet(uint64_t until_ns) {
    struct epoll_event events[EVENTS];
    uint64_t now;
    while ((now = now_ns()) < until_ns) {
        uint32_t n = wait_for(events, (int)((until_ns - now) / 1000000 + 1));
        while (n > 0) {
            n--;
            if (read_member(&members[events[n].data.u32]) > 0) {
                fail("A message came that nobody had sent.");
            }
        }
    }
    return 0;
}

static void obey(const char *line) {
    uint64_t from_ns = now_ns();
    uint64_t messages = 0;
    unsigned ms = 0;
    unsigned batch = 0;
    if (sscanf(line, "echo %u %u", &ms, &batch) == 2 && batch >= 1 && batch <= MAX_BATCH) {
        messages = run_echo(from_ns + ms * 1000000ull, batch);
    } else if (sscanf(line, "broadcast %u", &ms) == 1) {
        messages = run_broadcast(from_ns + ms * 1000000ull);
    } else if (sscanf(line, "quiet %u", &ms) == 1) {
        messages = run_quiet(from_ns + ms * 1000000ull);
    } else {
        fail("A line is no command.");
    }
    printf("%llu %llu\n", (unsigned long long)messages, (unsigned long long)(now_ns() - from_ns));
    fflush(stdout);
}

static void start_member(member *m, uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct timeval patience = {.tv_sec = SILENCE_MS / 1000};
    struct linger at_once = {.l_onoff = 1, .l_linger = 0}; /* leaves no port waiting */
    int on = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    m->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (m->fd < 0) {
        fail("There are no more sockets.");
    }
    (void)setsockopt(m->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(m->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    (void)setsockopt(m->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    (void)setsockopt(m->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(m->fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        fail("The server cannot be connected to.");
    }
    write_all(m, (const uint8_t *)REQUEST, sizeof REQUEST - 1);
}

static void finish_member(member *m) {
    struct epoll_event event = {.events = EPOLLIN};
    char head[1024];
    size_t len = 0;
    do {
        ssize_t n = recv(m->fd, head + len, sizeof head - 1 - len, 0);
        if (n <= 0) {
            fail("The answer to a handshake did not come.");
        }
        len += (size_t)n;
        head[len] = '\0';
    } while (strstr(head, "\r\n\r\n") == NULL);
    if (strncmp(head, "HTTP/1.1 101 ", 13) != 0 || strstr(head, ACCEPT) == NULL) {
        fail("A handshake was refused.");
    }
    event.data.u32 = (uint32_t)(m - members);
    if (epoll_ctl(poller, EPOLL_CTL_ADD, m->fd, &event) != 0) {
        fail("A socket cannot be waited for.");
    }
}

static void open_members(uint16_t port) {
    uint32_t done = 0;
    while (done < count) {
        uint32_t i = done;
        while (i < count && i < done + OPEN_AT_ONCE) {
            start_member(&members[i], port);
            i++;
        }
        while (done < i) {
            finish_member(&members[done]);
            done++;
        }
    }
}

static void raise_file_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv) {
    char line[64];
    long port = argc == 3 ? strtol(argv[1], NULL, 10) : 0;
    long connections = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    if (port < 1 || port > 65535 || connections < 1 || connections > 1000000) {
        fputs("usage: hawser-bench-crowd PORT CONNECTIONS\n", stderr);
        return 2;
    }
    raise_file_limit();
    count = (uint32_t)connections;
    members = calloc(count, sizeof *members);
    poller = epoll_create1(0);
    if (members == NULL || poller < 0) {
        fail("There is no memory.");
    }
    open_members((uint16_t)port);
    puts("open");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        obey(line);
    }
    return 0; /* the system closes all sockets */
}
