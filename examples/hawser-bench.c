/*
 * hawser-bench: load for a WebSocket server that sends back what it gets.
 *
 * One thread and one loop: it waits for all sockets, and lets each channel do what it can. Without
 * a rate each answer is followed by the next message at once. With one, messages are due at their
 * times, whatever has come back, and what a connection has no room for waits and counts as late.
 */
#define _POSIX_C_SOURCE 200809L

#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <hawser/hawser.h>

#include "bench_channel.h"
#include "bench_options.h"
#include "bench_pace.h"
#include "bench_payload.h"
#include "bench_report.h"
#include "bench_tally.h"
#include "bench_wait.h"

#define SECOND ((uint64_t)1000000000)

enum {
    OPEN_AT_ONCE = 64, /* more could overflow the server's queue of new connections */
    READY_AT_ONCE = 256,
    DUE_AT_ONCE = 256,  /* messages between two looks at the sockets, when we are late */
    CLOSE_TIMEOUT_S = 2 /* for all closing handshakes */
};

static channel *channels;
static uint64_t next_due;    /* number of the message that is due next */
static int shows_progress;   /* 1: stderr is a terminal */
static uint64_t progress_ns; /* when it was shown last, and what had come back then */
static uint64_t progress_answered;

static size_t count(int phase) {
    return channel_counts[phase];
}

static void for_all(void (*act)(channel *c)) {
    size_t i = 0;
    while (i < options.connections) {
        act(&channels[i]);
        i++;
    }
}

static void step(uint64_t timeout_ns) {
    ready all[READY_AT_ONCE];
    size_t n = wait_next(timeout_ns, all, READY_AT_ONCE);
    size_t i = 0;
    while (i < n) {
        channel_go_on(&channels[all[i].index], &all[i]);
        i++;
    }
}

static void end_late(channel *c) {
    if (c->phase < CHANNEL_OPEN) {
        tally_status(HWS_ERR_TIMEOUT, 0);
        channel_end(c);
    }
}

/* Until each is open, or has failed. */
static void open_all(void) {
    uint64_t deadline = pace_now() + options.timeout_ns;
    size_t next = 0;
    while (next < options.connections || count(CHANNEL_CONNECTING) + count(CHANNEL_OPENING) > 0) {
        uint64_t now = pace_now();
        if (now >= deadline) {
            for_all(end_late);
            return;
        }
        while (next < options.connections &&
               count(CHANNEL_CONNECTING) + count(CHANNEL_OPENING) < OPEN_AT_ONCE) {
            channel_connect(&channels[next]);
            next++;
        }
        step(deadline - now);
    }
}

/* Lets the messages go whose time has come. Returns when the next one is due. */
static uint64_t release_due(uint64_t now) {
    int n = 0;
    while (n < DUE_AT_ONCE && pace_due(next_due) <= now) {
        channel *c = &channels[next_due % options.connections];
        c->due++;
        next_due++;
        channel_send(c);
        n++;
    }
    return pace_due(next_due);
}

static void show_progress(uint64_t now) {
    uint64_t passed = now - progress_ns;
    if (!shows_progress || passed < SECOND) {
        return;
    }
    report_progress(result.from_ns != 0 ? (double)(now - result.from_ns) / 1e9 : 0,
                    (double)(result.answered - progress_answered) * 1e9 / (double)passed);
    progress_ns = now;
    progress_answered = result.answered;
}

/* Load until then, or as long as there are connections. Returns the time. */
static uint64_t load_until(uint64_t end) {
    uint64_t now = pace_now();
    while (now < end && count(CHANNEL_OPEN) > 0) {
        uint64_t due = options.rate > 0 ? release_due(now) : end;
        uint64_t wake = due < end ? due : end;
        step(wake > now ? wake - now : 0);
        now = pace_now();
        show_progress(now);
    }
    return now;
}

static double processor_seconds(void) {
    struct timespec time;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void start_endless(channel *c) {
    c->due = UINT64_MAX;
    channel_send(c);
}

static void measure(void) {
    uint64_t from;
    double before;
    pace_begin();
    progress_ns = pace_now();
    if (options.rate == 0) {
        for_all(start_endless);
    }
    from = load_until(pace_now() + options.warm_up_ns);
    before = processor_seconds();
    result.from_ns = from;
    result.until_ns = load_until(from + options.duration_ns);
    if (result.until_ns > from) {
        result.load =
            (processor_seconds() - before) * 1e9 / (double)(result.until_ns - result.from_ns);
    }
}

/* What was due and found no room goes into the result with the time it has waited. */
static void stop_sending(channel *c) {
    while (options.rate > 0 && c->sent < c->due && c->phase == CHANNEL_OPEN) {
        c->due--;
        result.unsent++;
        tally_waited(pace_due(channel_number(c, c->due)), result.until_ns);
    }
    c->due = c->sent;
}

static void count_unanswered(channel *c) {
    uint64_t now = pace_now();
    uint64_t n = c->answered;
    if (c->phase != CHANNEL_OPEN) {
        return; /* its messages went with it, and that is an error already */
    }
    tally_error(c->sent - n, "The server did not send back a message in time.");
    while (n < c->sent) {
        tally_waited(c->times[n % options.depth], now);
        n++;
    }
}

static int all_answered(void) {
    size_t i = 0;
    while (i < options.connections &&
           (channels[i].phase != CHANNEL_OPEN || channels[i].answered == channels[i].sent)) {
        i++;
    }
    return i == options.connections;
}

/* The last answers, and a clean end of each connection. */
static void finish(void) {
    uint64_t deadline = result.until_ns + options.timeout_ns;
    uint64_t now = result.until_ns;
    while (options.rate > 0 && pace_due(next_due) < result.until_ns) {
        (void)release_due(result.until_ns);
    }
    for_all(stop_sending);
    while (now < deadline && !all_answered()) {
        step(deadline - now);
        now = pace_now();
    }
    for_all(count_unanswered);
    for_all(channel_close);
    now = pace_now();
    deadline = now + CLOSE_TIMEOUT_S * SECOND;
    while (now < deadline && count(CHANNEL_CLOSING) > 0) {
        step(deadline - now);
        now = pace_now();
    }
}

/* The usual limit on descriptors is far below what the system allows when it is asked. */
static void allow_descriptors(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int fail_start(hws_status status) {
    fprintf(stderr, "hawser-bench: %s\n", hws_status_sentence(status));
    return 0;
}

static int resolve(struct addrinfo **addresses) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    char host[256] = "";
    char port[8];
    if (options.uri.host.len < sizeof host) {
        memcpy(host, options.url + options.uri.host.offset, options.uri.host.len);
    }
    snprintf(port, sizeof port, "%u", (unsigned)options.uri.port);
    return *host != '\0' && getaddrinfo(host, port, &hints, addresses) == 0;
}

static int init_channels(void) {
    size_t n = (size_t)options.connections;
    size_t i = 0;
    channels = calloc(n, sizeof *channels);
    while (channels != NULL && i < n && channel_init(&channels[i], i)) {
        i++;
    }
    return i == n &&
           payload_init((size_t)options.size, options.text, options.payload,
                        options.payload == PAYLOAD_WORDS || options.deflate.count > 0) &&
           wait_init(n);
}

static int start(struct addrinfo **addresses) {
    hws_status status;
    if (options.uri.secure) {
        return fail_start(HWS_ERR_TLS);
    }
    if (!resolve(addresses)) {
        return fail_start(HWS_ERR_RESOLVE);
    }
    status = channel_setup(*addresses);
    if (status != HWS_OK) {
        return fail_start(status);
    }
    return init_channels() ? 1 : fail_start(HWS_ERR_SYSTEM);
}

int main(int argc, char **argv) {
    struct addrinfo *addresses = NULL;
    (void)argc;
    take_options(argv);
    (void)signal(SIGPIPE, SIG_IGN);
    allow_descriptors();
    if (!start(&addresses)) {
        return 1; /* the system takes back what there is of memory */
    }
    shows_progress = isatty(STDERR_FILENO);
    open_all();
    measure();
    if (shows_progress) {
        report_progress_end();
    }
    finish();
    report_result();
    for_all(channel_release);
    free(channels);
    payload_release();
    wait_release();
    freeaddrinfo(addresses);
    return result.kind_count > 0 || result.counted == 0;
}
