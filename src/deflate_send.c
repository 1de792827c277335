/*
 * Compressing what is sent (RFC 7692 6.1, 7.2.1): from span to span, and as frames of a connection.
 * Must not know how frames look, nor which codec it is.
 */
#include "deflate.h"

/* Bytes of the shortest header (RFC 6455 5.2): where less is left it is not worth a look. */
enum { HEADER_MIN = 2 };

/* What the validator says of the text behind this piece (RFC 6455 5.6). */
static hws_status judge_text(const hws__deflate *d, uint8_t flags, const uint8_t *src, size_t len,
                             uint32_t *text) {
    *text = (flags & HWS_FIRST) != 0 ? HWS_UTF8_ACCEPT : d->text_out;
    if (hws_utf8_validate(text, src, len) != len ||
        ((flags & HWS_FINAL) != 0 && *text != HWS_UTF8_ACCEPT)) {
        return HWS_ERR_SEND_UTF8;
    }
    return HWS_OK;
}

static hws_status begin_piece(hws__deflate *d, uint8_t type, uint8_t flags, const uint8_t *src,
                              size_t len) {
    uint32_t text = HWS_UTF8_ACCEPT;
    hws_status status = HWS_OK;
    if ((type != HWS_TEXT && type != HWS_BINARY) || flags > HWS_WHOLE) {
        return HWS_ERR_ARGUMENT;
    }
    if (!d->compresses || ((flags & HWS_FIRST) != 0 ? d->type_out != 0 : d->type_out != type)) {
        return HWS_ERR_STATE;
    }
    if (type == HWS_TEXT) {
        status = judge_text(d, flags, src, len, &text);
    }
    if (status == HWS_OK && (flags & HWS_FIRST) != 0) {
        status = hws__compressor_begin(hws__deflate_compressor(d), d->takeover_out);
    }
    if (status != HWS_OK) {
        return status;
    }
    if ((flags & HWS_FIRST) != 0) {
        d->type_out = type;
        d->unsent = 1;
        d->held_len = 0;
    }
    d->text_out = text;
    d->piece_out = HWS__COMPRESSED_PIECE;
    d->piece_type = type;
    d->flags_out = flags;
    return HWS_OK;
}

/* Another piece or message must not get into one that is half out: it would be `used` from 0. */
static uint8_t is_same_piece(const hws__deflate *d, uint8_t type, uint8_t flags, size_t used) {
    return type == d->piece_type && flags == d->flags_out && used == d->used_out;
}

static void end_piece(hws__deflate *d, uint8_t flags) {
    d->piece_out = HWS__NO_PIECE;
    if ((flags & HWS_FINAL) != 0) {
        d->type_out = 0;
        hws__compressor_end(hws__deflate_compressor(d));
    }
}

/* Compress some of a piece that was begun. As long as there is more, the last bytes are held back:
 * they may be the ones that the end of a message is sent without (RFC 7692 7.2.1). */
static hws_status run_piece(hws__deflate *d, uint8_t flags, const uint8_t *src, size_t len,
                            size_t *used, uint8_t *dst, size_t cap, size_t *n) {
    size_t end = *n + d->held_len;
    memcpy(dst + *n, d->held, d->held_len);
    hws_status status =
        hws__compressor_run(hws__deflate_compressor(d), src, len, used, dst, cap, &end);
    d->held_len = 0;
    if (status == HWS_MORE) {
        d->held_len = end - *n < HWS__TAIL_LEN ? (uint8_t)(end - *n) : HWS__TAIL_LEN;
        memcpy(d->held, dst + end - d->held_len, d->held_len);
        *n = end - d->held_len;
        d->used_out = *used;
        return HWS_MORE;
    }
    if ((flags & HWS_FINAL) != 0) {
        hws__remove_tail(dst, *n, &end);
    }
    *n = end;
    end_piece(d, flags);
    return HWS_OK;
}

hws_status hws_deflate_compress(hws_deflate *deflate, uint8_t type, uint8_t flags,
                                const uint8_t *src, size_t len, size_t *used, uint8_t *dst,
                                size_t cap, size_t *n) {
    hws__deflate *d = hws__deflate_of(deflate);
    if (*used > len) {
        return HWS_ERR_ARGUMENT;
    }
    if (*n > cap || cap - *n < HWS_DEFLATE_MIN_SPACE) {
        return HWS_ERR_SPACE;
    }
    if (!d->piece_out) {
        hws_status status = begin_piece(d, type, flags, src, len);
        if (status != HWS_OK) {
            return status;
        }
    } else if (d->piece_out != HWS__COMPRESSED_PIECE || !is_same_piece(d, type, flags, *used)) {
        return HWS_ERR_STATE;
    }
    return run_piece(d, flags, src, len, used, dst, cap, n);
}

uint8_t hws_deflate_compresses(const hws_deflate *deflate, uint8_t flags, size_t len) {
    const hws__deflate *d = hws__deflate_of_const(deflate);
    if ((flags & HWS_FIRST) == 0) {
        /* A message that failed at its last frame is over here, and not for the peer. */
        return d->type_out != 0 || d->failed_out != HWS_OK;
    }
    if (!d->compresses || (flags & HWS_UNCOMPRESSED) != 0) {
        return 0;
    }
    if ((flags & HWS_COMPRESSED) != 0 || d->type_out != 0) {
        return 1;
    }
    return (d->shared == NULL || !d->shared->busy) &&
           ((flags & HWS_FINAL) == 0 || len >= d->threshold);
}

/* What the connection would say to this piece, asked without room for it. */
static hws_status ask_conn(hws_conn *conn, uint8_t type, uint8_t flags) {
    uint8_t none[1];
    size_t n = 0;
    uint8_t marks = (flags & HWS_FIRST) != 0 ? HWS_COMPRESSED : 0;
    hws_status status = hws_conn_send_in_place(conn, type, (uint8_t)((flags & HWS_WHOLE) | marks),
                                               none, 0, none, 0, &n);
    return status == HWS_ERR_SPACE ? HWS_OK : status;
}

/* The connection took no frame, for want of a mask key. Before the first frame of a message nothing
 * has happened so far; after it the peer waits for what is lost. */
static void undo(hws__deflate *d, hws_status status) {
    hws__deflate_drop_message(d);
    if (!d->unsent) {
        d->failed_out = status;
    }
}

/* Make one frame. Its payload is made where the longest header leaves room for it, and moved down
 * to the one that it gets. */
static HWS__NOINLINE hws_status send_frame(hws__deflate *d, hws_conn *conn, uint8_t type,
                                           uint8_t flags, const uint8_t *data, size_t len,
                                           size_t *used, uint8_t *out, size_t cap, size_t *n) {
    uint8_t header[HWS_FRAME_HEADER_MAX];
    uint8_t *payload = out + *n + HWS_FRAME_HEADER_MAX;
    size_t taken = *used;
    size_t payload_len = 0;
    size_t header_len = 0;
    hws_status made = run_piece(d, flags, data, len, &taken, payload,
                                cap - *n - HWS_FRAME_HEADER_MAX, &payload_len);
    uint8_t place = (uint8_t)((d->unsent ? HWS_FIRST | HWS_COMPRESSED : 0) |
                              (made == HWS_OK ? flags & HWS_FINAL : 0));
    hws_status status = hws_conn_send_in_place(conn, type, place, payload, payload_len, header,
                                               sizeof header, &header_len);
    if (status != HWS_OK) {
        undo(d, status);
        return status;
    }
    memcpy(out + *n, header, header_len);
    memmove(out + *n + header_len, payload, payload_len);
    *n += header_len + payload_len;
    *used = taken;
    d->unsent = 0;
    return made;
}

/* As much of a piece that goes as it is as there is room for. */
static hws_status send_fragment(hws__deflate *d, hws_conn *conn, uint8_t type, uint8_t flags,
                                const uint8_t *data, size_t *used, uint8_t *out, size_t cap,
                                size_t *n) {
    size_t len = cap - HWS_FRAME_HEADER_MAX;
    uint8_t first = d->piece_out ? 0 : flags & HWS_FIRST;
    hws_status status = hws_conn_send(conn, type, first, data + *used, len, out, cap, n);
    if (status != HWS_OK) {
        return status;
    }
    *used += len;
    d->piece_out = HWS__PLAIN_PIECE;
    d->piece_type = type;
    d->flags_out = flags;
    d->used_out = *used;
    return HWS_MORE;
}

/* The rest of a piece that goes as it is. Where it does not fit it goes in fragments, as one does
 * that is compressed: who sends cannot know which it will be. The first look at it judges all of
 * it, the later ones what they send. */
static HWS__NOINLINE hws_status send_plain(hws__deflate *d, hws_conn *conn, uint8_t type,
                                           uint8_t flags, const uint8_t *data, size_t len,
                                           size_t *used, uint8_t *out, size_t cap, size_t *n) {
    uint8_t place = flags & (d->piece_out ? HWS_FINAL : HWS_WHOLE);
    size_t left = len - *used;
    hws_status status = HWS_ERR_SPACE;
    if (!d->piece_out || (*n <= cap && left + HEADER_MIN <= cap - *n)) {
        status =
            hws_conn_send(conn, type, place, left > 0 ? data + *used : NULL, left, out, cap, n);
    }
    if (status == HWS_OK) {
        *used = len;
        d->piece_out = HWS__NO_PIECE;
    }
    if (status != HWS_ERR_SPACE || *n > cap) {
        return status;
    }
    if (*n > 0) {
        return HWS_MORE;
    }
    return cap < HWS_DEFLATE_MIN_SPACE
               ? HWS_ERR_SPACE
               : send_fragment(d, conn, type, flags, data, used, out, cap, n);
}

static hws_status send_control(hws_conn *conn, uint8_t type, uint8_t flags, const uint8_t *data,
                               size_t len, size_t *used, uint8_t *out, size_t cap, size_t *n) {
    hws_status status = hws_conn_send(conn, type, flags, data, len, out, cap, n);
    if (status == HWS_OK) {
        *used = len;
    }
    return status;
}

/* The first look at a piece that is to be compressed. */
static hws_status begin_sending(hws__deflate *d, hws_conn *conn, uint8_t type, uint8_t flags,
                                const uint8_t *data, size_t len) {
    hws_status status = ask_conn(conn, type, flags);
    if (status == HWS_OK) {
        status = begin_piece(d, type, flags & HWS_WHOLE, data, len);
    }
    if (status == HWS_OK) {
        d->flags_out = flags;
    }
    return status;
}

hws_status hws_deflate_send(hws_deflate *deflate, hws_conn *conn, uint8_t type, uint8_t flags,
                            const uint8_t *data, size_t len, size_t *used, uint8_t *out, size_t cap,
                            size_t *n) {
    hws__deflate *d = hws__deflate_of(deflate);
    if (*used > len || flags >= 2 * HWS_UNCOMPRESSED || !hws__wishes_are_good(flags)) {
        return HWS_ERR_ARGUMENT;
    }
    if (type != HWS_TEXT && type != HWS_BINARY) {
        return send_control(conn, type, flags, data, len, used, out, cap, n);
    }
    if (d->failed_out != HWS_OK) {
        return d->failed_out;
    }
    if (d->piece_out && !is_same_piece(d, type, flags, *used)) {
        return HWS_ERR_STATE;
    }
    if (d->piece_out == HWS__PLAIN_PIECE ||
        (!d->piece_out && !hws_deflate_compresses(deflate, flags, len))) {
        return send_plain(d, conn, type, flags, data, len, used, out, cap, n);
    }
    if (*n > cap || cap - *n < HWS_DEFLATE_MIN_SPACE) {
        return *n > 0 && *n <= cap ? HWS_MORE : HWS_ERR_SPACE;
    }
    if (!d->piece_out) {
        hws_status status = begin_sending(d, conn, type, flags, data, len);
        if (status == HWS_ERR_MEMORY && (flags & HWS_COMPRESSED) == 0) {
            return send_plain(d, conn, type, flags, data, len, used, out, cap, n);
        }
        if (status != HWS_OK) {
            return status;
        }
    }
    return send_frame(d, conn, type, flags, data, len, used, out, cap, n);
}
