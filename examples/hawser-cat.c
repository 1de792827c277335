/*
 * hawser-cat: talks to a WebSocket server from a terminal or a script.
 *
 * It never waits for one thing alone: it takes what arrives first of all, and sends a part of what
 * it has to send only when the socket has room. So two ends who both have much to say never wait
 * for each other.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef _WIN32
#include <io.h>
#include <winsock2.h>
#define poll WSAPoll
typedef SOCKET descriptor;
#else
#include <poll.h>
#include <unistd.h>
typedef int descriptor;
#endif

#include <hawser/blocking.h>
#include <hawser/hawser.h>

#include "cat_options.h"
#include "show.h"

enum {
    WORKING_MEMORY = 65536, /* of the connection */
    PART = 16384,           /* bytes of a file or of stdin that are sent at a time */
    FIRST_BUFFER = 65536    /* for an arriving message; doubled when it is longer */
};

typedef struct session {
    hws_blocking ws;
    uint8_t memory[WORKING_MEMORY];
    hws_message message; /* that is arriving */
    uint64_t progress;   /* bytes of it when we looked last */
    uint64_t received;   /* messages */
    size_t sent;         /* sources of which all is sent */
    int inside;          /* 1: a part of a message is out, and the next goes on with it */
    int ended;           /* 1: the source has no more than what `input` holds */
    int closing;         /* 1: our Close is out */
    int64_t deadline;    /* for what we wait for, in milliseconds of now_ms() */
    size_t input_len;
    uint8_t input[PART]; /* what of the source was read, and not sent */
} session;

static int64_t now_ms(void) {
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void start_deadline(session *s) {
    s->deadline = now_ms() + options.timeout_ms;
}

/* Milliseconds to wait at most. There is no hurry, unless the server owes something. */
static int wait_time(const session *s) {
    int64_t left = s->deadline - now_ms();
    if (options.count == 0 && !s->closing) {
        return HWS_FOREVER;
    }
    return left > 0 ? (int)left : 0;
}

/* HWS_EVENT is what keeps the conversation going. */
static hws_status go_on(hws_status status) {
    return status == HWS_OK ? HWS_EVENT : status;
}

/* What is to be sent now; NULL: nothing more. */
static const source *current_source(const session *s) {
    return s->sent < options.source_count && !s->closing ? &options.sources[s->sent] : NULL;
}

/* Bytes of the first line in the input, with its end; 0 when it has none. */
static size_t line_len(const session *s) {
    const uint8_t *end = memchr(s->input, '\n', s->input_len);
    return end != NULL ? (size_t)(end - s->input) + 1 : 0;
}

static int part_is_ready(const session *s) {
    const source *now = current_source(s);
    return now != NULL && (now->text != NULL || s->ended || s->input_len == PART ||
                           (now->lines && line_len(s) > 0));
}

static void end_source(session *s) {
    s->sent++;
    s->ended = 0;
}

/* Takes what the source has now. Only called when no part is ready: there is room. */
static hws_status read_input(session *s, const source *now) {
    intptr_t n = read(now->file, s->input + s->input_len, (unsigned)(PART - s->input_len));
    if (n < 0) {
        return errno == EINTR ? HWS_EVENT : HWS_ERR_SYSTEM;
    }
    s->input_len += (size_t)n;
    s->ended = n == 0;
    if (s->ended && now->lines && s->input_len == 0 && !s->inside) {
        end_source(s); /* there is no line behind the last line's end */
    }
    return HWS_EVENT;
}

/* A message goes out whole when it is short, and else in fragments. */
static hws_status send_part(session *s) {
    const source *now = current_source(s);
    size_t line = now->lines ? line_len(s) : 0;
    size_t len = line > 0 ? line : s->input_len;
    int last = line > 0 || s->ended;
    uint8_t flags = (uint8_t)((s->inside ? 0 : HWS_FIRST) | (last ? HWS_FINAL : 0));
    hws_status status;
    start_deadline(s);
    if (now->text != NULL) {
        end_source(s);
        return go_on(hws_blocking_send(&s->ws, HWS_TEXT, HWS_WHOLE, (const uint8_t *)now->text,
                                       strlen(now->text), options.timeout_ms));
    }
    status = hws_blocking_send(&s->ws, now->lines ? HWS_TEXT : HWS_BINARY, flags, s->input,
                               line > 0 ? len - 1 : len, options.timeout_ms);
    if (status == HWS_ERR_SEND_UTF8 && flags == HWS_WHOLE) {
        fputs("hawser-cat: A line that is not UTF-8 was not sent.\n", stderr);
        status = HWS_OK;
    }
    s->input_len -= len;
    memmove(s->input, s->input + len, s->input_len);
    s->inside = !last;
    if (s->ended && s->input_len == 0) {
        end_source(s);
    }
    return go_on(status);
}

/* No message can start inside another: the one that is going out has to end first. */
static hws_status send_back(session *s, const hws_event *ev) {
    while (s->inside) {
        hws_status status = part_is_ready(s) ? send_part(s) : read_input(s, current_source(s));
        if (status != HWS_EVENT) {
            return status;
        }
    }
    return go_on(
        hws_blocking_send(&s->ws, ev->type, HWS_WHOLE, ev->data, ev->len, options.timeout_ms));
}

static hws_status on_event(session *s, hws_event *ev) {
    int is_message = ev->type == HWS_TEXT || ev->type == HWS_BINARY;
    if (!is_message || !s->closing || options.count == 0) {
        show_event(ev); /* else there is more than was asked for */
    }
    if (ev->type == HWS_CLOSE) {
        /* hawser has answered it, and now waits for the end of the connection. */
        return hws_blocking_receive(&s->ws, ev, HWS_FOREVER);
    }
    if (is_message && !s->closing) {
        s->received++;
        start_deadline(s);
        return options.echo ? send_back(s, ev) : HWS_EVENT;
    }
    return HWS_EVENT;
}

/* Without memory for it the message is too big: the next receive ends the connection so. */
static void grow_message(session *s) {
    size_t cap = s->message.cap > 0 ? s->message.cap * 2 : FIRST_BUFFER;
    uint8_t *data = cap > s->message.cap ? realloc(s->message.data, cap) : NULL;
    if (data == NULL) {
        (void)hws_conn_fail(hws_blocking_conn(&s->ws), HWS_ERR_MESSAGE_TOO_BIG);
    } else {
        (void)hws_message_grow(&s->message, data, cap);
    }
}

/* Nothing has come: waits for the first of all that can happen, and sends a part if it is that. */
static hws_status on_quiet(session *s) {
    uint64_t progress = hws_conn_message_len(hws_blocking_conn(&s->ws));
    const source *now = current_source(s);
    int sending = part_is_ready(s);
    int reading = now != NULL && !sending;
    struct pollfd fds[2] = {{.events = sending ? POLLIN | POLLOUT : POLLIN}, {.events = POLLIN}};
    if (reading && !now->lines) {
        return read_input(s, now); /* a file never makes us wait */
    }
    if (progress != s->progress && !s->closing) {
        start_deadline(s); /* a long message is on its way */
    }
    s->progress = progress;
    fds[0].fd = (descriptor)hws_blocking_socket(&s->ws);
    fds[1].fd = (descriptor)(reading ? now->file : 0);
    if (poll(fds, reading ? 2u : 1u, wait_time(s)) < 0) {
        return errno == EINTR ? HWS_EVENT : HWS_ERR_SYSTEM;
    }
    if (reading && fds[1].revents != 0) {
        return read_input(s, now);
    }
    return fds[0].revents == POLLOUT ? send_part(s) : HWS_EVENT;
}

/* With --count the lines need no end; files and texts are sent to theirs. */
static int is_done(const session *s) {
    const source *now = current_source(s);
    if (options.count == 0) {
        return now == NULL && !options.echo;
    }
    return s->received >= options.count && (now == NULL || now->lines) && !s->inside;
}

/* Takes what has come, or does what there is to do meanwhile. */
static hws_status step(session *s) {
    hws_event ev;
    hws_status status = hws_blocking_receive_message(&s->ws, &s->message, &ev, 0);
    if (status == HWS_ERR_SPACE) {
        grow_message(s);
        return HWS_EVENT;
    }
    if (status == HWS_ERR_TIMEOUT && hws_conn_can_receive(hws_blocking_conn(&s->ws))) {
        return on_quiet(s);
    }
    if (status == HWS_ERR_TIMEOUT) {
        /* The server broke the protocol: hawser told him so, and waits for him to go. */
        return hws_blocking_receive(&s->ws, &ev, HWS_FOREVER);
    }
    return status == HWS_EVENT ? on_event(s, &ev) : status;
}

/* Returns HWS_OK after a clean close, or what went wrong. */
static hws_status converse(session *s) {
    hws_status status = HWS_EVENT;
    start_deadline(s);
    while (status == HWS_EVENT) {
        if (!s->closing && is_done(s)) {
            s->closing = 1;
            start_deadline(s);
            status = go_on(
                hws_blocking_send_close(&s->ws, HWS_CLOSE_NORMAL, NULL, 0, options.timeout_ms));
        } else {
            status = wait_time(s) == 0 ? HWS_ERR_TIMEOUT : step(s);
        }
    }
    return status;
}

static void configure(session *s, hws_blocking_config *config) {
    hws_message_init(&s->message, NULL, 0);
    hws_blocking_config_init(config, s->memory, sizeof s->memory);
    config->open_timeout_ms = options.timeout_ms;
    config->close_timeout_ms = options.timeout_ms;
    config->max_message = options.max_message;
    config->unix_path = options.unix_path;
    use_deflate(&options.deflate, config);
    if (options.trace) {
        config->trace = show_frame;
        config->head_trace = show_head;
    }
    if (options.secure && !begin_tls(&options.tls, config)) {
        (void)tell_tls("hawser-cat");
        end_tls();
        refuse_options();
    }
}

int main(int argc, char **argv) {
    static session s;
    hws_blocking_config config;
    hws_status status;
    int opened;
    (void)argc;
    take_options(argv);
    configure(&s, &config);
    status = hws_blocking_connect(&s.ws, options.url, &config, &options.client);
    opened = status == HWS_OK;
    if (opened) {
        show_open(&s.ws);
        status = converse(&s);
    }
    if (status == HWS_ERR_TIMEOUT) {
        fprintf(stderr, "hawser-cat: The server did not answer within %d s.\n",
                (int)options.timeout_ms / 1000);
    } else if (status != HWS_OK) {
        show_failure(&s.ws, status);
    }
    hws_blocking_release(&s.ws);
    end_tls();
    free(s.message.data);
    if (!opened && (status == HWS_ERR_FIELD || status == HWS_ERR_ARGUMENT)) {
        refuse_options(); /* what only hawser could judge */
    }
    return status == HWS_OK ? 0 : 1;
}
