/*
 * Receiving over blocking sockets, and ending connections. Built on the public face of the core,
 * as any program could be: conn knows the protocol, this file knows when to read, to wait and to
 * close. Must not know frames, HTTP, or the system's sockets.
 *
 * One loop, run(), does all the receiving and all the ending. It never waits for writing alone when
 * what comes in is of no interest any more: a peer that is busy sending reads our Close only when
 * somebody takes what he sends.
 */
#include "blocking.h"

#include <string.h>

hws_status hws__blocking_read(hws__blocking *b) {
    size_t n = 0;
    uint8_t *dst = b->in + b->in_len;
    size_t cap = b->in_cap - b->in_len;
    hws_status status = b->filter.table == NULL
                            ? hws__socket_read(b->socket, dst, cap, &n, &b->system_error)
                            : hws__filter_read(b, dst, cap, &n);
    b->in_len += n;
    return status;
}

void hws__blocking_end(hws__blocking *b, hws_status result) {
    if (b->filter.table != NULL) {
        hws__filter_end(b);
    }
    if (b->socket != -1) {
        hws__socket_close(b->socket);
    }
    b->socket = -1;
    b->phase = HWS__PHASE_ENDED;
    b->result = result;
    b->in_used = b->in_len;
    b->out_sent = b->out_len = 0;
    hws_deflate_release(&b->deflate);
}

/* From here on bytes from the peer are read and thrown away, for close_timeout_ms at most. */
static void begin_ending(hws__blocking *b, hws_status result) {
    b->phase = HWS__PHASE_ENDING;
    b->result = result;
    b->end_deadline = HWS__NOW;
}

/* The end of ENDING. A closing handshake whose own half was not sent is none. */
static void finish(hws__blocking *b) {
    hws_status result = b->result;
    if (result == HWS_OK && b->send_status != HWS_OK) {
        result = b->send_status;
    } else if (result == HWS_OK && hws__blocking_owes(b)) {
        result = HWS_ERR_CLOSED;
    }
    hws__blocking_end(b, result);
}

/* The stream is over: `status` is HWS_ERR_EOF, _RESET or _SYSTEM. */
static void take_end_of_stream(hws__blocking *b, hws_status status) {
    (void)hws_conn_receive_eof(&b->conn);
    if (b->phase == HWS__PHASE_ENDING) {
        b->eof = 1;
        if (status != HWS_ERR_EOF || !hws__blocking_owes(b)) {
            finish(b);
        }
        return;
    }
    /* That a send met a reset says more than the end that is seen after it. */
    hws__blocking_end(b, b->send_status != HWS_OK ? b->send_status : status);
}

/* Whether a read makes sense: into an empty buffer, and not while an event is held in it. The
 * payload of a Close is in conn. */
static uint8_t wants_read(const hws__blocking *b) {
    return b->phase == HWS__PHASE_ENDING ? !b->eof : !b->held;
}

hws_status hws__blocking_fill(hws__blocking *b) {
    hws_status status = HWS_OK;
    b->in_len = b->in_used = 0;
    status = hws__blocking_read(b);
    if (b->phase == HWS__PHASE_ENDING) {
        b->in_len = 0;
    }
    if (status < 0) {
        take_end_of_stream(b, status);
    }
    return status;
}

/* One write of what is owed. When writing has failed, it is thrown away. */
static void write_some(hws__blocking *b) {
    hws_buffer pieces[2] = {{b->out + b->out_sent, b->out_len - b->out_sent}, {NULL, 0}};
    if (!hws__blocking_owes(b)) {
        b->reply_deadline = HWS__NOW;
        return;
    }
    if (b->send_status == HWS_OK) {
        size_t n = 0;
        hws_status status = hws__blocking_put(b, pieces, &n);
        b->out_sent += n;
        b->send_status = status < 0 ? status : HWS_OK;
    }
    if (b->out_sent == b->out_len || b->send_status != HWS_OK) {
        b->out_sent = b->out_len = 0;
    }
    if (!hws__blocking_owes(b)) {
        b->reply_deadline = HWS__NOW;
    } else if (b->reply_deadline == HWS__NOW) {
        b->reply_deadline = hws__deadline(b->close_timeout_ms);
    }
}

/* A peer who makes us answer, and does not take the answers, is not waited for without end. */
static uint8_t reply_is_late(const hws__blocking *b) {
    return b->phase == HWS__PHASE_OPEN && b->reply_deadline != HWS__NOW &&
           hws__deadline_passed(b->reply_deadline);
}

/* When waiting has to stop for a reason of our own. */
static int64_t own_deadline(const hws__blocking *b) {
    if (b->phase == HWS__PHASE_ENDING) {
        return b->end_deadline;
    }
    return b->reply_deadline != HWS__NOW ? b->reply_deadline : HWS__NEVER;
}

/* Queue what the protocol owes. Without room it stays owed, and conn keeps the newest alone. */
static void queue_reply(hws__blocking *b) {
    hws_status status = HWS_OK;
    if (b->socket != -1 && b->out_cap - b->out_len >= HWS_REPLY_MAX) {
        status = hws_conn_reply(&b->conn, b->out, b->out_cap, &b->out_len);
    }
    if (status < 0) {
        hws__blocking_end(b, status); /* no random bytes */
    }
}

/* A Close was received: its reason is read from conn, so that `in` is free to drain into. */
static void take_close(hws__blocking *b) {
    hws_closing closing;
    hws_conn_get_closing(&b->conn, &closing);
    b->event.data = closing.reason;
    b->event.len = closing.reason_len;
    begin_ending(b, HWS_OK);
}

/* Without memory for a decompressor the connection cannot go on (RFC 6455 7.4.1: 1011). */
static hws_status parse_compressed(hws__blocking *b, hws_message *message) {
    hws_status status = message != NULL
                            ? hws_deflate_receive_message(&b->deflate, &b->conn, message, b->in,
                                                          b->in_len, &b->in_used, &b->event)
                            : hws_deflate_receive(&b->deflate, &b->conn, b->in, b->in_len,
                                                  &b->in_used, b->room, b->room_cap, &b->event);
    if (status == HWS_ERR_MEMORY) {
        status = HWS_ERR_INTERNAL;
        (void)hws_conn_fail(&b->conn, status);
    }
    return status;
}

static hws_status parse(hws__blocking *b, hws_message *message) {
    if (b->agreed.enabled) {
        return parse_compressed(b, message);
    }
    if (message != NULL) {
        return hws_message_receive(message, &b->conn, b->in, b->in_len, &b->in_used, &b->event);
    }
    return hws_conn_receive(&b->conn, b->in, b->in_len, &b->in_used, &b->event);
}

/* Parse what is buffered to the next event. HWS_OK, or HWS_ERR_SPACE. */
static hws_status take(hws__blocking *b, hws_message *message) {
    while (!b->held && b->phase == HWS__PHASE_OPEN) {
        hws_status status = parse(b, message);
        if (b->trace.tell != NULL && hws__trace_received(b, status)) {
            continue;
        }
        if (status == HWS_OK || status == HWS_ERR_SPACE) {
            return status;
        }
        if (status != HWS_EVENT) {
            begin_ending(b, status);
        } else if (b->event.type == HWS_CLOSE) {
            take_close(b);
        }
        b->held = status == HWS_EVENT && !b->discard;
    }
    return HWS_OK;
}

/* With a filter that has more to say before it, not at once. */
static void end_writing(hws__blocking *b) {
    if (b->filter.table != NULL) {
        hws__filter_finish(b);
    }
    if (!hws__blocking_owes(b)) {
        hws__socket_shutdown(b->socket);
        b->shut = 1;
    }
}

/* One step of ENDING: our side of the stream is closed when all is written and it is our turn, and
 * the socket when that is done on both sides, or patience has ended. */
static void end_some(hws__blocking *b) {
    if (b->end_deadline == HWS__NOW) {
        b->end_deadline = hws__deadline(b->close_timeout_ms);
    }
    if (!hws__blocking_owes(b) && !b->shut &&
        (b->shut_when == HWS__SHUT_ALWAYS || hws_conn_socket(&b->conn) == HWS_SOCKET_DRAIN)) {
        end_writing(b);
    }
    if (b->eof && !hws__blocking_owes(b)) {
        finish(b);
    }
}

/* Wait for what there is to wait for. */
static hws_status wait_some(hws__blocking *b, int64_t deadline) {
    uint8_t interest = (uint8_t)((wants_read(b) ? HWS__READABLE : 0) |
                                 (hws__blocking_owes(b) ? HWS__WRITABLE : 0));
    uint8_t ready = 0;
    int64_t own = own_deadline(b);
    int64_t limit = own < deadline ? own : deadline;
    hws_status status = hws__blocking_wait(b, interest, limit, &ready);
    if (status == HWS_ERR_TIMEOUT && hws__deadline_passed(own)) {
        return HWS_OK; /* the loop sees to it */
    }
    if (status == HWS_ERR_SYSTEM) {
        hws__blocking_end(b, status);
        return HWS_OK;
    }
    return status;
}

/* Whether the event that is held may be handed out before `out` is written: the caller will be back
 * soon, for what there is still to look at, or with an answer to it. */
static uint8_t holds_back(const hws__blocking *b) {
    uint8_t more =
        b->in_used < b->in_len || b->event.type == HWS_TEXT || b->event.type == HWS_BINARY;
    return b->held && more && hws__blocking_gathers(b, 0);
}

/* Whether the loop below has come to something, which is then in *status. */
static uint8_t has_result(hws__blocking *b, hws_event *ev, hws_status *status) {
    if (b->held && (!hws__blocking_owes(b) || holds_back(b) || b->phase == HWS__PHASE_ENDED)) {
        b->held = 0;
        *ev = b->event;
        *status = HWS_EVENT;
        return 1;
    }
    if (b->phase == HWS__PHASE_ENDING) {
        end_some(b);
    }
    *status = b->result;
    return b->phase == HWS__PHASE_ENDED;
}

/* Receive until there is an event, the deadline, or the end. */
static hws_status run(hws__blocking *b, hws_message *message, hws_event *ev, int64_t deadline) {
    uint8_t looked = 0;
    while (1) {
        hws_status status = take(b, message);
        if (status < 0) {
            return status;
        }
        queue_reply(b);
        if (!holds_back(b)) {
            write_some(b);
        }
        if (has_result(b, ev, &status)) {
            return status;
        }
        /* A peer who never stops must not keep us beyond either deadline: that of the drain counts
         * first, or a caller who only looks would drain for ever. */
        if (looked && b->phase == HWS__PHASE_ENDING && hws__deadline_passed(b->end_deadline)) {
            finish(b);
            continue;
        }
        if (reply_is_late(b)) {
            hws__blocking_end(b, HWS_ERR_CLOSED);
            continue;
        }
        if (looked && !b->filter.more && hws__deadline_passed(deadline)) {
            return HWS_ERR_TIMEOUT;
        }
        looked = 1;
        status = wants_read(b) ? hws__blocking_fill(b) : HWS_NEED_MORE;
        if (status == HWS_NEED_MORE && wait_some(b, deadline) == HWS_ERR_TIMEOUT) {
            return HWS_ERR_TIMEOUT;
        }
    }
}

static hws_status receive(hws_blocking *ws, hws_message *message, hws_event *ev,
                          int32_t timeout_ms) {
    hws__blocking *b = hws__blocking_of(ws);
    if (b->phase < HWS__PHASE_OPEN) {
        return HWS_ERR_STATE;
    }
    if (b->phase == HWS__PHASE_ENDED) {
        return b->result;
    }
    return run(b, message, ev, hws__deadline(timeout_ms));
}

hws_status hws_blocking_receive(hws_blocking *ws, hws_event *ev, int32_t timeout_ms) {
    return receive(ws, NULL, ev, timeout_ms);
}

hws_status hws_blocking_receive_message(hws_blocking *ws, hws_message *message, hws_event *ev,
                                        int32_t timeout_ms) {
    return receive(ws, message, ev, timeout_ms);
}

hws_status hws__blocking_hang_up(hws__blocking *b, hws_status result) {
    hws_event ev;
    begin_ending(b, result);
    b->shut_when = HWS__SHUT_ALWAYS;
    (void)run(b, NULL, &ev, HWS__NEVER);
    b->phase = HWS__PHASE_NONE;
    return result;
}

hws_status hws_blocking_close(hws_blocking *ws, uint16_t code, const uint8_t *reason, size_t len) {
    hws__blocking *b = hws__blocking_of(ws);
    hws_event ev;
    hws_status status = HWS_OK;
    if (b->phase < HWS__PHASE_OPEN) {
        return HWS_ERR_STATE;
    }
    if (b->phase == HWS__PHASE_ENDED) {
        return b->result;
    }
    status = hws_conn_close(&b->conn, code, reason, len, b->out, b->out_cap, &b->out_len);
    if (status != HWS_OK && status != HWS_ERR_STATE) {
        return status; /* a mistake; STATE only says that our Close is out already */
    }
    b->discard = 1;
    b->held = 0;
    status = run(b, NULL, &ev, hws__deadline(b->close_timeout_ms));
    if (status != HWS_ERR_TIMEOUT) {
        return status == HWS_ERR_CLOSED ? HWS_ERR_TIMEOUT : status;
    }
    /* When both Closes are through, and only the end of the stream was not seen, all is well. */
    if (b->phase == HWS__PHASE_ENDING) {
        finish(b);
    } else {
        hws__blocking_end(b, HWS_ERR_CLOSED);
    }
    return b->result == HWS_ERR_CLOSED ? HWS_ERR_TIMEOUT : b->result;
}
