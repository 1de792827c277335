/*
 * A client's connection over a non-blocking socket, with the core of hawser. Knows what is to be
 * sent and what should come back; must not know when the run begins and ends.
 *
 * Writing fails only where reading tells why: what the server said before it went can still be
 * read, so that a failed write is left for the next read to explain.
 */
#define _POSIX_C_SOURCE 200809L

#include "bench_channel.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <hawser/entropy.h>

#include "bench_open.h"
#include "bench_options.h"
#include "bench_pace.h"
#include "bench_payload.h"
#include "bench_tally.h"

enum {
    GATHERED = 262144,           /* bytes of messages that are written at a time, where they fit */
    RESERVE = HWS_REPLY_MAX * 2, /* room in `out` for what the protocol owes */
    REQUEST_MAX = 3 * HWS_DEFAULT_MAX_LINE,
    READ_BYTES = 262144
};

size_t channel_counts[CHANNEL_PHASES];

static const struct addrinfo *all_addresses;
static size_t out_cap; /* of each channel */
static uint8_t in[READ_BYTES];
static uint8_t plain[READ_BYTES]; /* a piece of a compressed answer */

static void set_phase(channel *c, int phase) {
    channel_counts[c->phase]--;
    channel_counts[phase]++;
    c->phase = phase;
}

/* Room for one message. A compressed one may be longer, and is one frame where there is room. */
static size_t frame_max(void) {
    size_t size = (size_t)options.size;
    if (options.deflate.count > 0) {
        size = (size_t)hws_deflate_bound(size) + HWS_DEFLATE_MIN_SPACE;
    }
    return size + HWS_FRAME_HEADER_MAX;
}

hws_status channel_setup(const struct addrinfo *addresses) {
    size_t frame = frame_max();
    size_t all = frame * (size_t)options.depth;
    size_t gathered = all < GATHERED ? all : GATHERED;
    size_t needed = frame > gathered ? frame : gathered;
    out_cap = (needed > REQUEST_MAX ? needed : REQUEST_MAX) + RESERVE;
    all_addresses = addresses;
    return open_setup();
}

int channel_init(channel *c, size_t index) {
    memset(c, 0, sizeof *c);
    c->index = index;
    c->fd = -1;
    c->out = malloc(out_cap);
    c->times = malloc((size_t)options.depth * sizeof *c->times);
    channel_counts[CHANNEL_NEW]++;
    return c->out != NULL && c->times != NULL;
}

void channel_release(channel *c) {
    channel_end(c);
    hws_deflate_release(&c->deflate);
    free(c->out);
    free(c->times);
}

static void close_socket(channel *c) {
    if (c->fd >= 0) {
        wait_drop(c->fd, c->index);
        close(c->fd);
    }
    c->fd = -1;
}

void channel_end(channel *c) {
    close_socket(c);
    free(c->opening);
    c->opening = NULL;
    set_phase(c, CHANNEL_ENDED);
}

static void fail(channel *c, hws_status status, int system_error) {
    tally_status(status, system_error);
    channel_end(c);
}

/* --- writing --- */

static void watch(channel *c, int writing) {
    if (writing != c->writing) {
        wait_change(c->fd, c->index, writing);
        c->writing = writing;
    }
}

/* A reply for which there is no room now stays owed. */
static void flush(channel *c) {
    ssize_t n;
    if (c->phase >= CHANNEL_OPEN) {
        (void)hws_conn_reply(&c->conn, c->out, out_cap, &c->out_len);
    }
    if (c->out_sent < c->out_len) {
        n = send(c->fd, c->out + c->out_sent, c->out_len - c->out_sent, 0);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
            n = 0;
        }
        c->out_sent = n < 0 ? c->out_len : c->out_sent + (size_t)n;
    }
    if (c->out_sent == c->out_len) {
        c->out_sent = c->out_len = 0;
    }
    watch(c, c->out_len > 0);
}

/* What a slow server has taken so far makes room for more. */
static void compact(channel *c) {
    if (c->out_sent > 0) {
        memmove(c->out, c->out + c->out_sent, c->out_len - c->out_sent);
        c->out_len -= c->out_sent;
        c->out_sent = 0;
    }
}

uint64_t channel_number(const channel *c, uint64_t n) {
    return n * options.connections + c->index;
}

static hws_status append_message(channel *c, uint64_t time) {
    uint64_t number = channel_number(c, c->sent);
    size_t before = c->out_len;
    size_t used = 0;
    hws_status status;
    c->times[c->sent % options.depth] = options.rate > 0 ? pace_due(number) : time;
    c->sent++;
    status = hws_deflate_send(&c->deflate, &c->conn, options.text ? HWS_TEXT : HWS_BINARY,
                              HWS_WHOLE, payload_make(number), (size_t)options.size, &used, c->out,
                              out_cap, &c->out_len);
    tally_bytes(&result.sent, options.size, c->out_len - before);
    return status;
}

void channel_send(channel *c) {
    size_t room = out_cap - RESERVE - frame_max();
    uint64_t time = 0;
    if (c->phase != CHANNEL_OPEN) {
        return;
    }
    if (options.rate == 0) {
        time = pace_now();
    }
    if (c->out_len > room) {
        compact(c);
    }
    while (c->sent < c->due && c->sent - c->answered < options.depth && c->out_len <= room) {
        hws_status status = append_message(c, time);
        if (status != HWS_OK) {
            fail(c, status, 0);
            return;
        }
    }
    flush(c);
}

/* --- reading --- */

/* The connection is of no more use: the server is told why as far as he takes it at once. */
static void give_up(channel *c) {
    (void)hws_conn_fail(&c->conn, HWS_ERR_POLICY); /* unless it has failed already */
    flush(c);
    channel_end(c);
}

/* What is wrong with a piece of an answer, or NULL. */
static const char *fault_of(const channel *c, const hws_event *ev) {
    uint64_t left = options.size - c->at;
    if (c->answered == c->sent) {
        return "The server sent a message that is no echo.";
    }
    if (ev->type != (options.text ? HWS_TEXT : HWS_BINARY)) {
        return "An echo has another type than its message.";
    }
    if (ev->len > left || ((ev->flags & HWS_FINAL) != 0 && ev->len < left)) {
        return "An echo has another length than its message.";
    }
    if (!payload_is(channel_number(c, c->answered), c->at, ev->data, ev->len)) {
        return "An echo has other bytes than its message.";
    }
    return NULL;
}

static int take_piece(channel *c, const hws_event *ev, uint64_t now) {
    const char *fault = fault_of(c, ev);
    if (fault != NULL) {
        tally_error(1, fault);
        return 0;
    }
    c->at += ev->len;
    tally_bytes(&result.received, ev->len, 0);
    if ((ev->flags & HWS_FINAL) != 0) {
        tally_answer(c->times[c->answered % options.depth], now);
        c->answered++;
        c->at = 0;
    }
    return 1;
}

/* Returns 0 when the connection has to end for it. */
static int take_event(channel *c, const hws_event *ev, uint64_t now) {
    char text[TALLY_TEXT];
    if (c->phase != CHANNEL_OPEN) {
        return 1;
    }
    if (ev->type == HWS_TEXT || ev->type == HWS_BINARY) {
        return take_piece(c, ev, now);
    }
    if (ev->type == HWS_CLOSE) {
        snprintf(text, sizeof text, "The server closed the connection, with code %u.",
                 (unsigned)ev->close_code);
        tally_error(1, text);
        set_phase(c, CHANNEL_CLOSING);
    }
    (void)hws_conn_reply(&c->conn, c->out, out_cap, &c->out_len);
    return 1;
}

static void take_bytes(channel *c, uint8_t *buf, size_t len) {
    uint64_t now = pace_now();
    size_t used = 0;
    hws_event ev;
    hws_status status;
    tally_bytes(&result.received, 0, len);
    while ((status = hws_deflate_receive(&c->deflate, &c->conn, buf, len, &used, plain,
                                         sizeof plain, &ev)) == HWS_EVENT) {
        if (!take_event(c, &ev, now)) {
            give_up(c);
            return;
        }
    }
    if (status != HWS_OK) {
        tally_status(status, 0);
        give_up(c);
    } else if (c->phase == CHANNEL_OPEN) {
        channel_send(c);
    } else {
        flush(c);
    }
}

/* Bytes that were read, 0 for none now; at the end of the stream the channel has ended. */
static size_t read_some(channel *c, uint8_t *buf, size_t cap) {
    ssize_t n = recv(c->fd, buf, cap, 0);
    int closing = c->phase == CHANNEL_CLOSING; /* then the end is what it should come to */
    if (n > 0) {
        return (size_t)n;
    }
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        return 0;
    }
    if (closing) {
        channel_end(c);
    } else if (n == 0) {
        fail(c, HWS_ERR_EOF, 0);
    } else {
        fail(c, errno == ECONNRESET ? HWS_ERR_RESET : HWS_ERR_SYSTEM, errno);
    }
    return 0;
}

/* --- opening --- */

static int open_socket(const struct addrinfo *address) {
    int on = 1;
    int fd = socket(address->ai_family, SOCK_STREAM, 0);
    if (fd < 0) {
        return -1;
    }
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0 && errno != EINPROGRESS) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* Tries the addresses from c->address on; `error` is why the one before failed. */
static void try_addresses(channel *c, int error) {
    while (c->address != NULL) {
        c->fd = open_socket(c->address);
        c->address = c->address->ai_next;
        if (c->fd >= 0 && wait_add(c->fd, c->index, 1)) {
            c->writing = 1;
            return;
        }
        error = errno;
        close_socket(c);
    }
    fail(c, HWS_ERR_CONNECT, error);
}

void channel_connect(channel *c) {
    set_phase(c, CHANNEL_CONNECTING);
    c->address = all_addresses;
    c->opening = malloc(sizeof *c->opening);
    if (c->opening == NULL) {
        fail(c, HWS_ERR_SYSTEM, ENOMEM);
        return;
    }
    try_addresses(c, 0);
}

static void take_connect(channel *c) {
    int error = 0;
    socklen_t len = sizeof error;
    hws_status status;
    (void)getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error != 0) {
        close_socket(c);
        try_addresses(c, error);
        return;
    }
    status = open_request(c->opening, c->out, out_cap, &c->out_len);
    if (status != HWS_OK) {
        fail(c, status, 0);
        return;
    }
    set_phase(c, CHANNEL_OPENING);
    flush(c);
}

static void fail_opening(channel *c, hws_status status) {
    char text[TALLY_TEXT];
    if (status == HWS_ERR_REFUSED) {
        snprintf(text, sizeof text, "The server refused the handshake: %u.",
                 (unsigned)c->opening->head.status);
        tally_error(1, text);
        channel_end(c);
    } else {
        fail(c, status, 0);
    }
}

static void open_frames(channel *c) {
    opening *o = c->opening;
    hws_conn_config config;
    hws_deflate_options deflate = options.deflate.options;
    hws_conn_config_init(&config, HWS_ROLE_CLIENT);
    config.max_message = HWS_UNLIMITED; /* it is compared as it comes, and takes no memory */
    config.max_fragments = HWS_UNLIMITED;
    config.random = hws_entropy;
    config.compression = o->agreed.enabled;
    deflate.max_message = HWS_UNLIMITED;
    (void)hws_conn_init(&c->conn, &config);
    (void)hws_deflate_init(&c->deflate, &o->agreed, &deflate);
    set_phase(c, CHANNEL_OPEN);
    result.opened++;
    result.compressing += o->agreed.enabled;
    c->opening = NULL;
    take_bytes(c, o->bytes + o->head.head_len, o->len - o->head.head_len);
    free(o);
}

static void take_answer(channel *c) {
    opening *o = c->opening;
    size_t n = read_some(c, o->bytes + o->len, sizeof o->bytes - o->len);
    hws_status status;
    if (n == 0) {
        return;
    }
    o->len += n;
    status = open_answer(o);
    if (status == HWS_OK) {
        open_frames(c);
    } else if (status != HWS_NEED_MORE) {
        fail_opening(c, status);
    }
}

/* --- what the loop calls --- */

void channel_go_on(channel *c, const ready *what) {
    size_t n = 0;
    if (c->phase == CHANNEL_ENDED) {
        return; /* by what happened since the wait */
    }
    if (c->phase == CHANNEL_CONNECTING) {
        take_connect(c);
        return;
    }
    if (what->readable && c->phase == CHANNEL_OPENING) {
        take_answer(c);
    } else if (what->readable) {
        n = read_some(c, in, sizeof in);
    }
    if (n > 0) {
        take_bytes(c, in, n);
    }
    if (what->writable && c->phase == CHANNEL_OPEN) {
        channel_send(c);
    } else if (what->writable && c->phase != CHANNEL_ENDED) {
        flush(c);
    }
}

void channel_close(channel *c) {
    if (c->phase == CHANNEL_OPEN) {
        (void)hws_conn_close(&c->conn, HWS_CLOSE_NORMAL, NULL, 0, c->out, out_cap, &c->out_len);
        set_phase(c, CHANNEL_CLOSING);
        flush(c);
    }
}
