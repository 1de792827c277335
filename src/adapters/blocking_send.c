/*
 * Sending over blocking sockets: frames that conn has made, and the payload of the caller from
 * where it lies. Must not know what frames look like, HTTP, or the system's sockets.
 */
#include "blocking.h"

#include <hawser/utf8.h>

/* Flags that say what is wished, not what is. */
enum { WISHES = HWS_COMPRESSED | HWS_UNCOMPRESSED };

static void advance(hws_buffer pieces[2], size_t n) {
    size_t first = n < pieces[0].len ? n : pieces[0].len;
    size_t i = 0;
    while (i < 2) {
        size_t part = i == 0 ? first : n - first;
        pieces[i].data = part > 0 ? pieces[i].data + part : pieces[i].data;
        pieces[i].len -= part;
        i++;
    }
}

hws_status hws__blocking_write(hws__blocking *b, hws_buffer pieces[2], int64_t deadline) {
    while ((pieces[0].len | pieces[1].len | b->filter.owed) != 0) {
        uint8_t drain = b->phase == HWS__PHASE_ENDING && !b->eof;
        uint8_t interest = (uint8_t)(HWS__WRITABLE | (drain ? HWS__READABLE : 0));
        uint8_t ready = 0;
        size_t n = 0;
        hws_status status = hws__blocking_put(b, pieces, &n);
        advance(pieces, n);
        if (status == HWS_OK && (pieces[0].len | pieces[1].len | b->filter.owed) == 0) {
            return HWS_OK;
        }
        if (status >= 0 && hws__deadline_passed(deadline)) {
            return HWS_ERR_TIMEOUT;
        }
        if (status == HWS_NEED_MORE) {
            status = hws__blocking_wait(b, interest, deadline, &ready);
        }
        if (status >= 0 && (ready & HWS__READABLE) != 0 && !drain) {
            status = hws__filter_listen(b);
        }
        if (status < 0) {
            return status;
        }
        if ((ready & HWS__READABLE) != 0 && drain && hws__blocking_fill(b) < 0 && !b->eof) {
            return HWS_ERR_RESET;
        }
    }
    return HWS_OK;
}

/* Write what is in `out`, and a frame that stands elsewhere behind it. */
static hws_status write_behind(hws__blocking *b, hws_buffer frame, int64_t deadline) {
    hws_buffer pieces[2] = {{b->out + b->out_sent, b->out_len - b->out_sent}, frame};
    hws_status status = hws__blocking_write(b, pieces, deadline);
    b->out_sent = b->out_len = 0;
    b->reply_deadline = HWS__NOW;
    return status;
}

hws_status hws__blocking_flush(hws__blocking *b, int64_t deadline) {
    return write_behind(b, (hws_buffer){NULL, 0}, deadline);
}

/* A failed write. After a reset what the peer sent before it can still be received, such as a Close
 * that says why; after all else nothing is left to do. */
static void fail_send(hws__blocking *b, hws_status status) {
    b->send_status = status;
    b->out_sent = b->out_len = 0;
    if (status != HWS_ERR_RESET) {
        hws__blocking_end(b, status == HWS_ERR_TIMEOUT ? HWS_ERR_CLOSED : status);
    }
}

static hws_status judge_send(const hws__blocking *b) {
    if (b->send_status != HWS_OK) {
        return b->send_status;
    }
    return b->phase == HWS__PHASE_OPEN ? HWS_OK : HWS_ERR_STATE;
}

/* What all sending starts with: nothing of ours may stand half written before it. */
static hws_status begin_send(hws__blocking *b, int64_t deadline) {
    hws_status status = judge_send(b);
    if (status != HWS_OK) {
        return status;
    }
    status = hws__blocking_flush(b, deadline);
    if (status != HWS_OK) {
        fail_send(b, status);
    }
    return status;
}

/* Write a frame that conn counts as sent: when it fails, sending is over. */
static hws_status write_frame(hws__blocking *b, const uint8_t *header, size_t header_len,
                              const uint8_t *data, size_t len, int64_t deadline) {
    hws_buffer pieces[2] = {{header, header_len}, {data, len}};
    hws_status status = HWS_OK;
    if (b->filter.table != NULL) {
        hws__filter_join(b, pieces);
    }
    status = hws__blocking_write(b, pieces, deadline);
    if (status != HWS_OK) {
        fail_send(b, status);
    }
    return status;
}

/*
 * conn validates text frame by frame, and so would find a fault in the tail of a large text when
 * its head has gone out. That is why a client's text is validated here as well, before its first
 * byte leaves, but for a whole message that fits one frame. The state at the end of a piece is kept
 * for the piece after it. RFC 6455 5.6.
 */
typedef struct text_check {
    uint32_t state;
    uint8_t checked;
} text_check;

static hws_status check_text(const hws__blocking *b, uint8_t type, uint8_t flags,
                             const uint8_t *data, size_t len, text_check *check) {
    check->state = b->text_state;
    check->checked = b->text_checked;
    if (type != HWS_TEXT) {
        return HWS_OK;
    }
    if ((flags & HWS_FIRST) != 0) {
        check->state = HWS_UTF8_ACCEPT;
        check->checked = (flags & HWS_COMPRESSED) == 0;
    }
    if (!check->checked) {
        return HWS_OK;
    }
    if (hws_utf8_validate(&check->state, data, len) != len ||
        ((flags & HWS_FINAL) != 0 && check->state != HWS_UTF8_ACCEPT)) {
        return HWS_ERR_SEND_UTF8;
    }
    return HWS_OK;
}

static void keep_check(hws__blocking *b, const text_check *check) {
    b->text_state = check->state;
    b->text_checked = check->checked;
}

/* A client's payload has to be masked (RFC 6455 5.3), which needs a copy: through `out`, in as many
 * fragments as it takes. */
static hws_status send_masked(hws__blocking *b, uint8_t type, uint8_t flags, const uint8_t *data,
                              size_t len, int64_t deadline) {
    size_t room = b->out_cap - HWS_FRAME_HEADER_MAX;
    uint8_t one_frame = (flags & HWS_WHOLE) == HWS_WHOLE && len <= room;
    text_check check = {b->text_state, b->text_checked};
    size_t at = 0;
    hws_status status = one_frame ? HWS_OK : check_text(b, type, flags, data, len, &check);
    if (status != HWS_OK) {
        return status;
    }
    do {
        size_t part = len - at < room ? len - at : room;
        uint8_t last = part == len - at;
        uint8_t part_flags =
            (uint8_t)((at == 0 ? flags & ~HWS_FINAL : 0) | (last ? flags & HWS_FINAL : 0));
        status = hws_conn_send(&b->conn, type, part_flags, at == 0 ? data : data + at, part, b->out,
                               b->out_cap, &b->out_len);
        if (status != HWS_OK && at == 0) {
            return status;
        }
        if (status == HWS_OK && at > 0 && deadline != HWS__NOW && hws__deadline_passed(deadline)) {
            status = HWS_ERR_TIMEOUT;
        }
        if (status == HWS_OK) {
            status = hws__blocking_flush(b, deadline);
        }
        if (status != HWS_OK) {
            fail_send(b, status);
            return status;
        }
        at += part;
    } while (at < len);
    keep_check(b, &check);
    return HWS_OK;
}

/* The message joins those in `out`, and is written with them when nothing is left to look at. */
static hws_status send_gathered(hws__blocking *b, uint8_t type, uint8_t flags, const uint8_t *data,
                                size_t len, int64_t deadline) {
    hws_status status =
        hws_conn_send(&b->conn, type, flags, data, len, b->out, b->out_cap, &b->out_len);
    if (status != HWS_OK || b->in_used < b->in_len) {
        return status;
    }
    status = hws__blocking_flush(b, deadline);
    if (status != HWS_OK) {
        fail_send(b, status);
    }
    return status;
}

/* Whether what stands in `out` is to wait there for more. */
static uint8_t is_to_wait(const hws__blocking *b, uint8_t gathered) {
    return gathered && b->in_used < b->in_len && hws__blocking_gathers(b, 0);
}

/* Through the filter into `out`, which is written whenever it is full. Compression is asked for, so
 * that a message for which there is no memory comes back untouched. */
static hws_status send_compressed(hws__blocking *b, uint8_t type, uint8_t flags,
                                  const uint8_t *data, size_t len, uint8_t gathered,
                                  int64_t deadline) {
    uint8_t first = flags & HWS_FIRST;
    uint8_t wish = first ? HWS_COMPRESSED : 0;
    size_t used = 0;
    hws_status status = hws_deflate_send(&b->deflate, &b->conn, type, flags | wish, data, len,
                                         &used, b->out, b->out_cap, &b->out_len);
    if (status < 0 && (first || status != HWS_ERR_RANDOM)) {
        return status;
    }
    while (status == HWS_MORE) {
        status = hws__blocking_flush(b, deadline);
        if (status == HWS_OK && deadline != HWS__NOW && hws__deadline_passed(deadline)) {
            status = HWS_ERR_TIMEOUT;
        }
        if (status == HWS_OK) {
            status = hws_deflate_send(&b->deflate, &b->conn, type, flags | wish, data, len, &used,
                                      b->out, b->out_cap, &b->out_len);
        }
    }
    if (status == HWS_OK && !is_to_wait(b, gathered)) {
        status = hws__blocking_flush(b, deadline);
    }
    if (status != HWS_OK) {
        fail_send(b, status);
    }
    return status;
}

/* Whether flags say what is wished for this piece. Without compression in the configuration conn
 * judges all of them. */
static uint8_t has_wishes(const hws__blocking *b, uint8_t type) {
    return b->wanted.enabled && (type == HWS_TEXT || type == HWS_BINARY);
}

static inline uint8_t is_to_gather(const hws__blocking *b, size_t len) {
    return (b->in_used < b->in_len || b->out_len > 0) && hws__blocking_gathers(b, len);
}

/* Wishes stand beside HWS_FIRST, and one of both. */
static uint8_t wishes_are_good(uint8_t flags) {
    uint8_t wishes = flags & WISHES;
    return wishes == 0 || (wishes != WISHES && (flags & HWS_FIRST) != 0);
}

/* A piece of a connection that may compress. HWS_NEED_MORE: it has to go as it is. */
static hws_status send_as_wished(hws__blocking *b, uint8_t type, uint8_t flags, const uint8_t *data,
                                 size_t len, uint8_t gathered, int64_t deadline) {
    if (!wishes_are_good(flags)) {
        return HWS_ERR_ARGUMENT;
    }
    if (hws_deflate_compresses(&b->deflate, flags, len)) {
        hws_status status = send_compressed(b, type, flags, data, len, gathered, deadline);
        return status == HWS_ERR_MEMORY && (flags & HWS_COMPRESSED) == 0 ? HWS_NEED_MORE : status;
    }
    return HWS_NEED_MORE;
}

hws_status hws_blocking_send(hws_blocking *ws, uint8_t type, uint8_t flags, const uint8_t *data,
                             size_t len, int32_t timeout_ms) {
    hws__blocking *b = hws__blocking_of(ws);
    int64_t deadline = hws__deadline(timeout_ms);
    uint8_t gathered = is_to_gather(b, len);
    uint8_t header[HWS_FRAME_HEADER_MAX];
    size_t n = 0;
    hws_status status = gathered ? HWS_OK : begin_send(b, deadline);
    if (status != HWS_OK) {
        return status;
    }
    if (has_wishes(b, type)) {
        status = send_as_wished(b, type, flags, data, len, gathered, deadline);
        if (status != HWS_NEED_MORE) {
            return status;
        }
        flags &= (uint8_t)~WISHES; /* to conn HWS_COMPRESSED is a fact */
    }
    if (gathered) {
        return send_gathered(b, type, flags, data, len, deadline);
    }
    if (b->role == HWS_ROLE_CLIENT) {
        return send_masked(b, type, flags, data, len, deadline);
    }
    status = hws_conn_send_header(&b->conn, type, flags, data, len, header, sizeof header, &n);
    if (status != HWS_OK) {
        return status;
    }
    return write_frame(b, header, n, data, len, deadline);
}

/* What is sent in place cannot be compressed, nor stand inside of a message that is. */
static hws_status judge_in_place(const hws__blocking *b, uint8_t type, uint8_t *flags, size_t len) {
    if (!has_wishes(b, type)) {
        return HWS_OK;
    }
    if ((*flags & HWS_COMPRESSED) != 0 || !wishes_are_good(*flags)) {
        return HWS_ERR_ARGUMENT;
    }
    if ((*flags & HWS_FIRST) == 0 && hws_deflate_compresses(&b->deflate, *flags, len)) {
        return HWS_ERR_STATE;
    }
    *flags &= (uint8_t)~HWS_UNCOMPRESSED;
    return HWS_OK;
}

hws_status hws_blocking_send_in_place(hws_blocking *ws, uint8_t type, uint8_t flags, uint8_t *data,
                                      size_t len, int32_t timeout_ms) {
    hws__blocking *b = hws__blocking_of(ws);
    int64_t deadline = hws__deadline(timeout_ms);
    uint8_t header[HWS_FRAME_HEADER_MAX];
    size_t n = 0;
    text_check check = {b->text_state, b->text_checked};
    hws_status status = begin_send(b, deadline);
    if (status == HWS_OK) {
        status = judge_in_place(b, type, &flags, len);
    }
    if (status == HWS_OK && (flags & HWS_WHOLE) != HWS_WHOLE) {
        status = check_text(b, type, flags, data, len, &check);
    }
    if (status == HWS_OK) {
        status =
            hws_conn_send_in_place(&b->conn, type, flags, data, len, header, sizeof header, &n);
    }
    if (status != HWS_OK) {
        return status;
    }
    keep_check(b, &check);
    return write_frame(b, header, n, data, len, deadline);
}

/* The frame lies ready in one piece: it goes right behind what is in `out`, with the same write. */
hws_status hws_blocking_send_prepared(hws_blocking *ws, const hws_prepared *prepared,
                                      int32_t timeout_ms) {
    hws__blocking *b = hws__blocking_of(ws);
    hws_deflate *deflate = b->agreed.enabled ? &b->deflate : NULL;
    int64_t deadline = hws__deadline(timeout_ms);
    hws_buffer frame;
    hws_status status = judge_send(b);
    if (status == HWS_OK) {
        status = hws_prepared_frame(prepared, &b->conn, deflate, &frame);
    }
    if (status != HWS_OK) {
        return status;
    }
    hws_prepared_sent(prepared, deflate);
    status = write_behind(b, frame, deadline);
    if (status != HWS_OK) {
        fail_send(b, status);
    }
    return status;
}

hws_status hws_blocking_send_close(hws_blocking *ws, uint16_t code, const uint8_t *reason,
                                   size_t len, int32_t timeout_ms) {
    hws__blocking *b = hws__blocking_of(ws);
    int64_t deadline = hws__deadline(timeout_ms);
    hws_status status = begin_send(b, deadline);
    if (status == HWS_OK) {
        status = hws_conn_close(&b->conn, code, reason, len, b->out, b->out_cap, &b->out_len);
    }
    if (status != HWS_OK) {
        return status;
    }
    status = hws__blocking_flush(b, deadline);
    if (status != HWS_OK) {
        fail_send(b, status);
    }
    return status;
}
