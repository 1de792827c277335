/*
 * The bytes of one connection in a loop of libuv: from the stream to the endpoint and back, through
 * a filter where there is one. Must not know events, time, or how streams come to be.
 */
#include "uv_hub.h"

#include <string.h>

static void drop_piece(const hws_uv *ws, hws__uv_piece *piece) {
    hws__uv_release(ws->hub, piece->data);
    memset(piece, 0, sizeof *piece);
}

void hws__uv_drop_kept(hws_uv *ws) {
    drop_piece(ws, &ws->plain);
    drop_piece(ws, &ws->wire);
    ws->waiting = 0;
}

/* Keep what could not be used: the buffer is everybody's. */
static void keep(hws_uv *ws, hws__uv_piece *piece, const uint8_t *data, size_t len) {
    if (len == 0) {
        return;
    }
    piece->data = hws__uv_alloc(ws->hub, len);
    if (piece->data == NULL) {
        (void)hws_endpoint_abort(&ws->endpoint, HWS_ERR_MEMORY);
        hws__uv_touch(ws);
        return;
    }
    memcpy(piece->data, data, len);
    piece->used = 0;
    piece->len = len;
}

static void take_plain(hws_uv *ws, uint8_t *data, size_t len) {
    size_t used = 0;
    hws__uv_hand_out(ws, data, len, &used);
    if (!ws->over) {
        keep(ws, &ws->plain, data + used, len - used);
    }
}

static void take_eof(hws_uv *ws) {
    size_t used = 0;
    ws->eof = 1;
    hws_endpoint_receive_eof(&ws->endpoint);
    hws__uv_hand_out(ws, NULL, 0, &used);
}

/* The filter cannot go on. What it has to say to the peer (an alert) goes out before the end. */
static void take_fault(hws_uv *ws) {
    hws__uv_flush(ws);
    (void)hws_endpoint_abort(&ws->endpoint, HWS_ERR_TLS);
    hws__uv_touch(ws);
}

/* Plain bytes that the endpoint does not take stop the filter; its result is sticky, and is looked
 * at when it is asked again. */
static void take_wire(hws_uv *ws, const uint8_t *data, size_t len) {
    hws_status status = HWS_MORE;
    size_t used = 0;
    while (status == HWS_MORE && ws->plain.data == NULL) {
        size_t n = 0;
        status = ws->filter->receive(ws->filter_state, data, len, &used, ws->hub->plain,
                                     ws->hub->config.buffer_len, &n);
        take_plain(ws, ws->hub->plain, n);
        if (ws->over) {
            return;
        }
    }
    ws->waiting = ws->plain.data != NULL;
    if (ws->waiting) {
        keep(ws, &ws->wire, data + used, len - used);
    } else if (status == HWS_ERR_EOF) {
        take_eof(ws);
    } else if (status < 0) {
        take_fault(ws);
    }
}

void hws__uv_take_kept(hws_uv *ws) {
    hws__uv_piece wire = ws->wire;
    hws__uv_hand_out(ws, ws->plain.data, ws->plain.len, &ws->plain.used);
    if (ws->over || ws->plain.used < ws->plain.len) {
        return;
    }
    drop_piece(ws, &ws->plain);
    if (ws->waiting) {
        memset(&ws->wire, 0, sizeof ws->wire);
        take_wire(ws, wire.data, wire.len);
        drop_piece(ws, &wire);
    }
}

/* On some systems libuv holds the buffers of all streams that it reads at a time, on others it
 * fills one when it has it: then all share that of the hub. */
static void lend(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
    hws_uv *ws = handle->data;
    hws_uv_hub *hub = ws->hub;
    (void)suggested;
    ws->lent = hub->in_lent ? hws__uv_alloc(hub, hub->config.buffer_len) : hub->in;
    hub->in_lent = 1;
    *buf = uv_buf_init((char *)ws->lent, ws->lent != NULL ? hub->config.buffer_len : 0);
}

static void give_back(hws_uv *ws) {
    if (ws->lent == ws->hub->in) {
        ws->hub->in_lent = 0;
    } else {
        hws__uv_release(ws->hub, ws->lent);
    }
    ws->lent = NULL;
}

static void take_input(hws_uv *ws, uint8_t *data, ssize_t n) {
    hws_endpoint_tick(&ws->endpoint, uv_now(ws->hub->loop));
    if (n == UV_EOF) {
        ws->reading = 0;
        take_eof(ws);
    } else if (n == UV_ENOBUFS) {
        (void)hws_endpoint_abort(&ws->endpoint, HWS_ERR_MEMORY);
        hws__uv_touch(ws);
    } else if (n < 0) {
        hws__uv_fail(ws, (int)n);
    } else if (ws->filter != NULL) {
        take_wire(ws, data, (size_t)n);
    } else {
        take_plain(ws, data, (size_t)n);
    }
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
    hws_uv *ws = stream->data;
    if (n != 0) {
        take_input(ws, (uint8_t *)buf->base, n);
    }
    give_back(ws);
    if (!ws->over) {
        hws__uv_settle_input(ws);
    }
}

void hws__uv_read(hws_uv *ws, uint8_t wanted) {
    uint8_t want = wanted && ws->stream != NULL && !ws->eof && ws->plain.data == NULL;
    if (want == ws->reading) {
        return;
    }
    ws->reading = want;
    if (!want) {
        uv_read_stop(ws->stream);
    } else {
        int error = uv_read_start(ws->stream, lend, on_read);
        if (error < 0) {
            hws__uv_fail(ws, error);
        }
    }
}

/* What libuv was writing is not needed any more. */
static void drop_writing(hws_uv *ws) {
    if (ws->writing != ws->probe) {
        hws__uv_release(ws->hub, ws->writing);
    }
    ws->writing = NULL;
}

static void on_written(uv_write_t *request, int status) {
    hws_uv *ws = request->data;
    drop_writing(ws);
    if (ws->over) {
        return;
    }
    if (status < 0) {
        hws__uv_fail(ws, status);
    } else {
        (void)hws_endpoint_sent(&ws->endpoint, ws->owed);
    }
    hws__uv_settle(ws);
}

/* Have bytes written by libuv as soon as that can be: `owed` of the endpoint's are done then. */
static void write_later(hws_uv *ws, uint8_t *bytes, size_t len, size_t owed) {
    uv_buf_t buf = uv_buf_init((char *)bytes, (unsigned)len);
    int error = 0;
    ws->writing = bytes;
    ws->owed = owed;
    ws->write.data = ws;
    error = uv_write(&ws->write, ws->stream, &buf, 1, on_written);
    if (error < 0) {
        drop_writing(ws);
        (void)hws_endpoint_sent(&ws->endpoint, 0);
        hws__uv_fail(ws, error);
    }
}

/* Write without waiting. Bytes that were taken; less than 0 when it failed, and is over. */
static ssize_t write_now(hws_uv *ws, const uv_buf_t *bufs, size_t count) {
    int n = uv_try_write(ws->stream, bufs, (unsigned)count);
    if (n == UV_EAGAIN || n == UV_ENOSYS) {
        return 0;
    }
    if (n < 0) {
        hws__uv_fail(ws, n);
    }
    return n;
}

/* The socket is full. Memory of the endpoint is not handed to libuv: a connection that is aborted
 * would have to wait for it. Some bytes are copied; when they are written, there is room for the
 * rest. They stay the first of the output meanwhile, since they are not acknowledged. */
static void probe(hws_uv *ws) {
    hws_buffer first;
    size_t len = 0;
    if (hws_endpoint_output(&ws->endpoint, &first, 1) == 0) {
        return;
    }
    len = first.len < sizeof ws->probe ? first.len : sizeof ws->probe;
    memcpy(ws->probe, first.data, len);
    write_later(ws, ws->probe, len, len);
}

void hws__uv_let_go(hws_uv *ws) {
    if (ws->writing != NULL) {
        ws->owed = 0;
        (void)hws_endpoint_sent(&ws->endpoint, 0);
    }
}

static void flush_plain(hws_uv *ws) {
    hws_buffer output[HWS__UV_BUFFERS];
    uv_buf_t bufs[HWS__UV_BUFFERS];
    while (ws->writing == NULL) {
        size_t count = hws_endpoint_output(&ws->endpoint, output, HWS__UV_BUFFERS);
        size_t total = 0;
        ssize_t n = 0;
        size_t i = 0;
        while (i < count) {
            /* One call takes less than 2 GiB. */
            size_t len = output[i].len < INT32_MAX / 32 ? output[i].len : INT32_MAX / 32;
            bufs[i] = uv_buf_init((char *)(uintptr_t)output[i].data, (unsigned)len);
            total += len;
            count = len < output[i].len ? i + 1 : count;
            i++;
        }
        if (count == 0) {
            return;
        }
        n = write_now(ws, bufs, count);
        (void)hws_endpoint_sent(&ws->endpoint, n > 0 ? (size_t)n : 0);
        if (n < 0) {
            return;
        }
        if ((size_t)n < total) {
            probe(ws);
        }
    }
}

/* Fill the wire buffer from the output: `owed` bytes of that make `n` bytes. */
static hws_status encrypt(hws_uv *ws, size_t *owed, size_t *n) {
    hws_buffer output[HWS__UV_BUFFERS];
    size_t count = hws_endpoint_output(&ws->endpoint, output, HWS__UV_BUFFERS);
    hws_status status = HWS_OK;
    size_t i = 0;
    if (count == 0) {
        size_t none = 0;
        return ws->filter->send(ws->filter_state, NULL, 0, &none, ws->hub->wire, HWS__UV_WIRE, n);
    }
    while (i < count && status == HWS_OK) {
        size_t used = 0;
        status = ws->filter->send(ws->filter_state, output[i].data, output[i].len, &used,
                                  ws->hub->wire, HWS__UV_WIRE, n);
        *owed += used;
        i++;
    }
    return status == HWS_OK ? HWS_MORE : status;
}

/* Write `len` bytes of the wire buffer, which stand for `owed` of the endpoint's. 0 when the rest
 * of them goes out later, or never. */
static uint8_t write_wire(hws_uv *ws, size_t len, size_t owed) {
    uv_buf_t buf = uv_buf_init((char *)ws->hub->wire, (unsigned)len);
    ssize_t n = len > 0 ? write_now(ws, &buf, 1) : 0;
    uint8_t *rest = NULL;
    if (n < 0) {
        (void)hws_endpoint_sent(&ws->endpoint, 0);
        return 0;
    }
    if ((size_t)n == len) {
        (void)hws_endpoint_sent(&ws->endpoint, owed);
        return 1;
    }
    rest = hws__uv_alloc(ws->hub, len - (size_t)n);
    if (rest == NULL) {
        (void)hws_endpoint_sent(&ws->endpoint, 0);
        (void)hws_endpoint_abort(&ws->endpoint, HWS_ERR_MEMORY);
        hws__uv_touch(ws);
        return 0;
    }
    memcpy(rest, ws->hub->wire + n, len - (size_t)n);
    write_later(ws, rest, len - (size_t)n, owed);
    return 0;
}

static void flush_filter(hws_uv *ws) {
    hws_status status = HWS_MORE;
    while (ws->writing == NULL && status == HWS_MORE) {
        size_t owed = 0;
        size_t n = 0;
        status = encrypt(ws, &owed, &n);
        if (!write_wire(ws, n, owed)) {
            return;
        }
    }
    if (status < 0) {
        (void)hws_endpoint_abort(&ws->endpoint, HWS_ERR_TLS);
        hws__uv_touch(ws);
    }
}

/* What a filter has to say behind the end of our side has nowhere to go. */
void hws__uv_flush(hws_uv *ws) {
    if (ws->shut) {
        return;
    }
    if (ws->stream != NULL && ws->filter != NULL) {
        flush_filter(ws);
    } else if (ws->stream != NULL) {
        flush_plain(ws);
    }
}

static void on_shut(uv_shutdown_t *request, int status) {
    (void)request;
    (void)status;
}

void hws__uv_shut(hws_uv *ws) {
    if (ws->shut || ws->stream == NULL || ws->writing != NULL) {
        return;
    }
    if (ws->filter != NULL) {
        ws->filter->finish(ws->filter_state);
        hws__uv_flush(ws);
        if (ws->writing != NULL) {
            return; /* once more when that is written */
        }
    }
    ws->shut = 1;
    /* Goes behind what is being written. When it fails the stream is broken: reading tells. */
    (void)uv_shutdown(&ws->shutdown, ws->stream, on_shut);
}

void hws__uv_stream_closed(uv_handle_t *handle) {
    hws_uv *ws = handle->data;
    if (ws->lent != NULL) {
        give_back(ws);
    }
    if (ws->closed != NULL) {
        ws->closed((uv_stream_t *)handle);
    }
    hws__uv_unref(ws);
}
