/*
 * Decompressing what is received (RFC 7692 6.2, 7.2.2): from span to span, and as events of a
 * connection. Must not know frames, nor which codec it is.
 */
#include "deflate.h"

/* Where the plain bytes of one call go: dst[n … cap), of which all but `allowed` are too many. */
typedef struct target {
    uint8_t *dst;
    size_t cap;
    size_t n;
} target;

static hws_status make_decompressor(hws__deflate *d) {
    hws_codec_settings settings = d->own.settings;
    settings.window_bits = d->window_in;
    if (d->decompressor == NULL) {
        hws_status status = d->own.codec->decompressor_make(&settings, &d->decompressor);
        if (status != HWS_OK) {
            d->decompressor = NULL;
            return HWS_ERR_MEMORY;
        }
        d->filled = 0;
    }
    return HWS_OK;
}

/* The first byte of a piece, or the end of an empty one. */
static hws_status begin_piece(hws__deflate *d, uint8_t type, uint8_t flags) {
    uint8_t first = flags & HWS_FIRST;
    if ((type != HWS_TEXT && type != HWS_BINARY) || flags > HWS_WHOLE) {
        return HWS_ERR_ARGUMENT;
    }
    if (!d->enabled || (first ? d->type_in != 0 : d->type_in != type)) {
        return HWS_ERR_STATE;
    }
    hws_status status = make_decompressor(d);
    if (status != HWS_OK) {
        return status;
    }
    if (first) {
        if (d->filled && !d->takeover_in) {
            d->own.codec->decompressor_reset(d->decompressor);
        }
        d->filled = 1;
        d->type_in = type;
        d->message_len = 0;
    }
    d->piece_in = 1;
    d->flags_in = flags;
    return HWS_OK;
}

/* Decompress into t: no more than one byte beyond the limit. */
static hws_status fill(hws__deflate *d, const uint8_t *src, size_t len, size_t *used, target *t) {
    uint64_t allowed = d->max_message - d->message_len;
    size_t limit = t->cap - t->n > allowed ? t->n + (size_t)allowed + 1 : t->cap;
    if (d->spilled) {
        t->dst[t->n++] = d->spill;
        d->spilled = 0;
    }
    if (t->n == limit) {
        return HWS_MORE;
    }
    return d->own.codec->decompress(d->decompressor, src, len, used, t->dst, limit, &t->n);
}

/* Judge what came out, in the order of the stream: text (RFC 6455 8.1), the limit, the codec. */
static hws_status judge(hws__deflate *d, const uint8_t *plain, size_t len, hws_status status) {
    uint64_t allowed = d->max_message - d->message_len;
    size_t good = len > allowed ? (size_t)allowed : len;
    if (d->type_in == HWS_TEXT && hws_utf8_validate(&d->text_in, plain, good) != good) {
        return HWS_ERR_UTF8;
    }
    if (good < len) {
        return HWS_ERR_MESSAGE_TOO_BIG;
    }
    d->message_len += len;
    return status;
}

static hws_status end_piece(hws__deflate *d, uint8_t flags) {
    d->piece_in = 0;
    if ((flags & HWS_FINAL) == 0) {
        return HWS_OK;
    }
    hws_status status = d->own.codec->decompress_end(d->decompressor);
    if (status == HWS_OK && d->type_in == HWS_TEXT && d->text_in != HWS_UTF8_ACCEPT) {
        status = HWS_ERR_UTF8;
    }
    d->type_in = 0;
    return status;
}

/* When there is no room, one byte is made all the same: there may be none to come. */
static hws_status look_ahead(hws__deflate *d, const uint8_t *src, size_t len, size_t *used) {
    target t = {&d->spill, 1, 0};
    if (d->spilled) {
        return HWS_ERR_SPACE;
    }
    hws_status status =
        d->own.codec->decompress(d->decompressor, src, len, used, t.dst, t.cap, &t.n);
    d->spilled = t.n > 0;
    if (d->spilled && d->message_len == d->max_message) {
        return HWS_ERR_MESSAGE_TOO_BIG;
    }
    return d->spilled ? HWS_ERR_SPACE : status;
}

hws_status hws_deflate_decompress(hws_deflate *deflate, uint8_t type, uint8_t flags,
                                  const uint8_t *src, size_t len, size_t *used, uint8_t *dst,
                                  size_t cap, size_t *n) {
    hws__deflate *d = hws__deflate_of(deflate);
    target t = {dst, cap, *n};
    hws_status status = d->failed_in;
    if (status == HWS_OK && (*used > len || *n > cap)) {
        return HWS_ERR_ARGUMENT;
    }
    if (status == HWS_OK && !d->piece_in) {
        status = begin_piece(d, type, flags);
    } else if (status == HWS_OK && (type != d->type_in || flags != d->flags_in)) {
        status = HWS_ERR_STATE;
    }
    if (status != HWS_OK) {
        return status;
    }
    if (t.n == t.cap) {
        status = look_ahead(d, src, len, used);
    } else {
        status = fill(d, src, len, used, &t);
        status = judge(d, dst + *n, t.n - *n, status);
    }
    if (status == HWS_OK) {
        status = end_piece(d, flags);
    }
    if (status < 0 && status != HWS_ERR_SPACE) {
        d->failed_in = status;
        return status;
    }
    *n = t.n;
    return status;
}

/* As above for a message that is not compressed, when it has to come to another place. */
static hws_status copy(const uint8_t *src, size_t len, size_t *used, uint8_t *dst, size_t cap,
                       size_t *n) {
    size_t left = len - *used;
    size_t part = left < cap - *n ? left : cap - *n;
    if (part > 0) {
        memcpy(dst + *n, src + *used, part);
        *used += part;
        *n += part;
    } else if (left > 0) {
        return HWS_ERR_SPACE;
    }
    return part == left ? HWS_OK : HWS_MORE;
}

/* Some of the piece that waits. The payload lies at buf[*used]. */
static hws_status take_piece(hws__deflate *d, const uint8_t *buf, size_t *used, target *t) {
    const uint8_t *src = d->waiting_len > 0 ? buf + *used : NULL;
    size_t taken = 0;
    hws_status status = HWS_OK;
    if ((d->waiting_flags & HWS_COMPRESSED) != 0) {
        status = hws_deflate_decompress((hws_deflate *)(void *)d, d->waiting_type,
                                        d->waiting_flags & HWS_WHOLE, src, d->waiting_len, &taken,
                                        t->dst, t->cap, &t->n);
    } else {
        status = copy(src, d->waiting_len, &taken, t->dst, t->cap, &t->n);
    }
    *used += taken;
    d->waiting_len -= taken;
    d->waiting = status != HWS_OK;
    return status;
}

/* One event of the piece that waits; HWS_NEED_MORE when there is nothing to tell of it. */
static hws_status tell_piece(hws__deflate *d, hws_conn *conn, const uint8_t *buf, size_t *used,
                             target *t, hws_event *ev) {
    t->n = 0;
    hws_status status = take_piece(d, buf, used, t);
    uint8_t final = status == HWS_OK ? d->waiting_flags & HWS_FINAL : 0;
    if (status < 0 && hws_status_close_code(status) != 0) {
        *used += d->waiting_len;
        d->waiting = 0;
        (void)hws_conn_fail(conn, status);
    }
    if (status < 0) {
        return status;
    }
    if (t->n == 0 && !final) {
        return HWS_NEED_MORE;
    }
    *ev = (hws_event){d->waiting_type, (uint8_t)(d->untold | final), 0, t->dst, t->n};
    d->untold = 0;
    return HWS_EVENT;
}

/* The next event. With `all`, messages that are not compressed come to t as well. What the
 * connection has unmasked and nobody took yet lies behind *used. */
static hws_status next(hws__deflate *d, hws_conn *conn, uint8_t *buf, size_t len, size_t *used,
                       target *t, hws_event *ev, uint8_t all) {
    hws_status status = HWS_NEED_MORE;
    if (d->waiting && (*used > len || d->waiting_len > len - *used)) {
        return HWS_ERR_ARGUMENT;
    }
    if (d->waiting && !hws_conn_can_receive(conn)) {
        /* It was failed from outside: that comes before what waits. */
        d->waiting = 0;
        *used += d->waiting_len;
    }
    while (status == HWS_NEED_MORE) {
        if (!d->waiting) {
            status = hws_conn_receive(conn, buf, len, used, ev);
            if (status != HWS_EVENT || (ev->type != HWS_TEXT && ev->type != HWS_BINARY) ||
                !(all || (ev->flags & HWS_COMPRESSED) != 0)) {
                return status;
            }
            d->waiting = 1;
            d->waiting_type = ev->type;
            d->waiting_flags = ev->flags;
            d->waiting_len = ev->len;
            d->untold |= ev->flags & HWS_FIRST;
            *used -= ev->len;
        }
        status = tell_piece(d, conn, buf, used, t, ev);
    }
    return status;
}

hws_status hws_deflate_receive(hws_deflate *deflate, hws_conn *conn, uint8_t *buf, size_t len,
                               size_t *used, uint8_t *room, size_t cap, hws_event *ev) {
    target t = {room, cap, 0};
    return next(hws__deflate_of(deflate), conn, buf, len, used, &t, ev, 0);
}

hws_status hws_deflate_receive_message(hws_deflate *deflate, hws_conn *conn, hws_message *message,
                                       uint8_t *buf, size_t len, size_t *used, hws_event *ev) {
    hws__deflate *d = hws__deflate_of(deflate);
    if (!d->assembling) {
        message->len = 0;
    }
    while (1) {
        size_t room = message->cap - message->len;
        target t = {room > 0 ? message->data + message->len : message->data, room, 0};
        hws_status status = next(d, conn, buf, len, used, &t, ev, 1);
        if (status != HWS_EVENT || (ev->type != HWS_TEXT && ev->type != HWS_BINARY)) {
            return status;
        }
        message->len += ev->len;
        d->assembling = (ev->flags & HWS_FINAL) == 0;
        if (!d->assembling) {
            ev->flags = HWS_WHOLE;
            ev->data = message->data;
            ev->len = message->len;
            return HWS_EVENT;
        }
    }
}

uint8_t hws_deflate_pending(const hws_deflate *deflate) {
    return hws__deflate_of_const(deflate)->waiting;
}
