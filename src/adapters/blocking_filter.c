/*
 * TLS over blocking sockets: the bytes of a connection on their way through a filter. Takes the
 * place of one read, one write and one wait of socket.h. Must not know HTTP, frames, nor which
 * filter it is.
 */
#include "blocking.h"

#include <string.h>

/* Nothing more goes out; what the filter has said is the last. */
static hws_status break_off(hws__filtered *f, hws_status status) {
    f->out_sent = f->out_len = 0;
    f->owed = 0;
    f->broken = status;
    if (status == HWS_ERR_TLS && f->ended == HWS_OK) {
        f->ended = status;
        f->more = 1;
    }
    return status;
}

/* Write what the filter has given. HWS_OK when the socket took all of it. */
static hws_status write_wire(hws__blocking *b) {
    hws__filtered *f = &b->filter;
    hws_status status = HWS_OK;
    while (f->out_sent < f->out_len && status == HWS_OK) {
        hws_buffer pieces[2] = {{f->out + f->out_sent, f->out_len - f->out_sent}, {NULL, 0}};
        size_t n = 0;
        status = hws__socket_write(b->socket, pieces, 2, &n, &b->system_error);
        f->out_sent += n;
    }
    if (status < 0) {
        return break_off(f, status);
    }
    if (f->out_sent == f->out_len) {
        f->out_sent = f->out_len = 0;
    }
    f->owed = f->out_len > 0;
    return status;
}

/* One call of send(), and a write of what it gave. A client's first bytes wait for the handshake; a
 * filter that wants one later, when nobody may be there to read for it, is not served. */
static hws_status give(hws__blocking *b, const uint8_t *data, size_t len, size_t *used) {
    hws__filtered *f = &b->filter;
    hws_status status = f->table->send(f->state, data, len, used, f->out, f->cap, &f->out_len);
    hws_status written = write_wire(b);
    f->starved = status == HWS_NEED_MORE && *used < len;
    if (written < 0) {
        return written;
    }
    if (status < 0 || (f->starved && b->phase != HWS__PHASE_NONE)) {
        return break_off(f, status < 0 ? status : HWS_ERR_TLS);
    }
    return written == HWS_NEED_MORE ? written : status;
}

/* What the filter has to say by itself. A socket that broke is met by the next write. */
static void speak(hws__blocking *b) {
    hws_status status = b->filter.broken == HWS_OK ? HWS_MORE : HWS_OK;
    while (status == HWS_MORE) {
        size_t used = 0;
        status = give(b, NULL, 0, &used);
    }
}

static size_t bytes_of(const hws_buffer pieces[2]) {
    return pieces[0].len + pieces[1].len;
}

hws_status hws__filter_write(hws__blocking *b, const hws_buffer pieces[2], size_t *n) {
    hws__filtered *f = &b->filter;
    uint8_t more = f->owed;
    hws_status status = f->broken == HWS_OK ? write_wire(b) : f->broken;
    *n = 0;
    while (status == HWS_OK && (*n < bytes_of(pieces) || more)) {
        uint8_t second = *n >= pieces[0].len;
        size_t at = second ? *n - pieces[0].len : *n;
        size_t len = pieces[second].len - at;
        size_t used = 0;
        status = give(b, len > 0 ? pieces[second].data + at : NULL, len, &used);
        *n += used;
        more = status == HWS_MORE;
        status = more ? HWS_OK : status;
    }
    return status == HWS_NEED_MORE && *n > 0 ? HWS_OK : status;
}

/* Bytes from the wire into an empty f->in. HWS_NEED_MORE: there were none. */
static hws_status read_wire(hws__blocking *b) {
    hws__filtered *f = &b->filter;
    hws_status status = HWS_OK;
    f->in_used = f->in_len = 0;
    status = hws__socket_read(b->socket, f->in, f->cap, &f->in_len, &b->system_error);
    if (status == HWS_ERR_EOF) {
        f->ended = status;
        f->cut = 1;
    } else if (status == HWS_NEED_MORE && f->owed) {
        speak(b);
    }
    return status;
}

hws_status hws__filter_read(hws__blocking *b, uint8_t *dst, size_t cap, size_t *n) {
    hws__filtered *f = &b->filter;
    const uint8_t *wire = NULL;
    size_t used = 0;
    hws_status status = HWS_OK;
    *n = 0;
    if (f->ended != HWS_OK) {
        f->more = 0;
        return f->ended;
    }
    if (!f->more) {
        status = read_wire(b);
    }
    if (status != HWS_OK) {
        return status;
    }
    wire = f->in_used < f->in_len ? f->in + f->in_used : NULL;
    status = f->table->receive(f->state, wire, f->in_len - f->in_used, &used, dst, cap, n);
    f->in_used += used;
    f->ended = status < 0 ? status : HWS_OK;
    f->more = status == HWS_MORE || (status < 0 && *n > 0);
    speak(b);
    if (*n > 0) {
        return HWS_OK;
    }
    f->more = 0;
    return f->ended != HWS_OK ? f->ended : HWS_NEED_MORE;
}

hws_status hws__filter_wait(hws__blocking *b, uint8_t interest, int64_t deadline, uint8_t *ready) {
    if (b->filter.more && (interest & HWS__READABLE) != 0) {
        *ready = HWS__READABLE;
        return HWS_OK;
    }
    if (b->filter.owed) {
        interest |= HWS__WRITABLE;
    } else if (b->filter.starved && (interest & HWS__WRITABLE) != 0) {
        interest = HWS__READABLE;
    }
    return hws__socket_wait(b->socket, interest, deadline, ready, &b->system_error);
}

hws_status hws__filter_listen(hws__blocking *b) {
    return b->in_len < b->in_cap ? hws__blocking_read(b) : HWS_ERR_HEAD_TOO_LARGE;
}

/* The same bytes, but those that fit in `out` are in one piece there: one record, and not one for
 * the header alone. */
void hws__filter_join(hws__blocking *b, hws_buffer pieces[2]) {
    size_t head = pieces[0].len;
    size_t part = pieces[1].len < b->out_cap - head ? pieces[1].len : b->out_cap - head;
    if (part == 0) {
        return;
    }
    memcpy(b->out, pieces[0].data, head);
    memcpy(b->out + head, pieces[1].data, part);
    pieces[0] = (hws_buffer){b->out, head + part};
    pieces[1].data += part;
    pieces[1].len -= part;
}

void hws__filter_finish(hws__blocking *b) {
    hws__filtered *f = &b->filter;
    if (f->finished || f->broken != HWS_OK || f->ended == HWS_ERR_TLS) {
        return;
    }
    f->finished = 1;
    f->table->finish(f->state);
    speak(b);
}

hws_status hws__filter_begin(hws__blocking *b, hws_text host) {
    hws__filtered *f = &b->filter;
    const hws_filter *table = f->wanted;
    hws_status status = table->make(table->context, b->role, host, &f->state);
    if (status == HWS_OK) {
        f->table = table;
    }
    return status;
}

void hws__filter_end(hws__blocking *b) {
    hws__filtered *f = &b->filter;
    if (!f->owed) {
        hws__filter_finish(b);
    }
    f->table->release(f->state);
    f->table = NULL;
    f->more = 0;
}
