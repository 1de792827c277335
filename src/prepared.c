/*
 * Messages that are encoded once: a frame behind its management, and a compressed one beside it;
 * and which of them a connection takes. Knows how a server's frame looks; must not know who sends
 * it.
 */
#include "prepared.h"

#include "bytes.h"
#include "conn.h"
#include "frame.h"

#include <hawser/utf8.h>

static hws_status judge(uint8_t type, const uint8_t *data, size_t len) {
    uint32_t text = HWS_UTF8_ACCEPT;

    switch (type) {
    case HWS_TEXT:
        if (hws_utf8_validate(&text, data, len) != len || text != HWS_UTF8_ACCEPT) {
            return HWS_ERR_SEND_UTF8;
        }
        return HWS_OK;
    case HWS_BINARY:
        return HWS_OK;
    case HWS_PING:
    case HWS_PONG:
        return len <= HWS_CONTROL_MAX ? HWS_OK : HWS_ERR_ARGUMENT;
    }
    return HWS_ERR_ARGUMENT;
}

hws_status hws_prepared_make(hws_prepared **prepared, const hws_allocator *allocator, uint8_t type,
                             const uint8_t *data, size_t len) {
    hws_status status = judge(type, data, len);

    if (status != HWS_OK) {
        return status;
    }
    if (len > SIZE_MAX / 2) { /* so that its bound is a size_t too */
        return HWS_ERR_MEMORY;
    }
    size_t header_len = hws__frame_header_len(len, 0);
    hws_prepared *p = allocator->alloc(allocator->user, sizeof *p + header_len + len);
    if (p == NULL) {
        return HWS_ERR_MEMORY;
    }
    memset(p, 0, sizeof *p);
    atomic_init(&p->references, 1);
    p->allocator = *allocator;
    p->type = type;
    p->header_len = (uint8_t)header_len;
    p->frame_len = header_len + len;
    uint8_t *frame = (uint8_t *)(p + 1);
    hws__frame_put(frame, (uint8_t)(HWS__FIN | type), len, 0);
    if (len > 0) {
        memcpy(frame + header_len, data, len);
    }
    *prepared = p;
    return HWS_OK;
}

hws_status hws_prepared_compress(hws_prepared *p, hws_compressor *compressor) {
    hws_buffer plain = hws_prepared_payload(p);
    uint64_t bound = hws_deflate_bound(plain.len);
    size_t n = 0;

    if ((p->type != HWS_TEXT && p->type != HWS_BINARY) || p->packed != NULL) {
        return HWS_ERR_ARGUMENT;
    }
    uint8_t *room = p->allocator.alloc(p->allocator.user, (size_t)bound);
    if (room == NULL) {
        return HWS_ERR_MEMORY;
    }
    hws_status status =
        hws_compressor_message(compressor, plain.data, plain.len, room, (size_t)bound, &n);
    size_t header_len = hws__frame_header_len(n, 0);
    if (status == HWS_OK && header_len + n < p->frame_len) {
        p->packed = p->allocator.alloc(p->allocator.user, header_len + n);
        status = p->packed == NULL ? HWS_ERR_MEMORY : HWS_OK;
    }
    if (p->packed != NULL) {
        hws__frame_put(p->packed, (uint8_t)(HWS__FIN | HWS__RSV1 | p->type), n, 0);
        memcpy(p->packed + header_len, room, n);
        p->packed_len = header_len + n;
        p->window_bits = hws_compressor_window_bits(compressor);
    }
    p->allocator.release(p->allocator.user, room);
    return status;
}

hws_prepared *hws_prepared_retain(hws_prepared *prepared) {
    atomic_fetch_add_explicit(&prepared->references, 1, memory_order_relaxed);
    return prepared;
}

void hws_prepared_release(hws_prepared *prepared) {
    if (prepared == NULL ||
        atomic_fetch_sub_explicit(&prepared->references, 1, memory_order_acq_rel) > 1) {
        return;
    }
    hws_allocator allocator = prepared->allocator;
    if (prepared->packed != NULL) {
        allocator.release(allocator.user, prepared->packed);
    }
    allocator.release(allocator.user, prepared);
}

hws_buffer hws_prepared_payload(const hws_prepared *prepared) {
    const uint8_t *frame = (const uint8_t *)(prepared + 1);

    return (hws_buffer){frame + prepared->header_len, prepared->frame_len - prepared->header_len};
}

/* Whether a connection gets the compressed form. That does not change during its life. */
static uint8_t goes_packed(const hws_prepared *p, const hws_deflate *deflate) {
    return p->packed != NULL && deflate != NULL && hws_deflate_fits(deflate, p->window_bits);
}

hws_status hws_prepared_frame(const hws_prepared *prepared, const hws_conn *conn,
                              const hws_deflate *deflate, hws_buffer *frame) {
    if (hws__is_client(hws__conn_of_const(conn))) {
        return HWS_ERR_ARGUMENT; /* RFC 6455 5.3: there is no frame for two of them */
    }
    hws_status status = hws_conn_judge(conn, prepared->type, HWS_WHOLE);
    if (status != HWS_OK) {
        return status;
    }
    *frame = (hws_buffer){(const uint8_t *)(prepared + 1), prepared->frame_len};
    if (goes_packed(prepared, deflate)) {
        *frame = (hws_buffer){prepared->packed, prepared->packed_len};
    }
    return HWS_OK;
}

void hws_prepared_sent(const hws_prepared *prepared, hws_deflate *deflate) {
    if (goes_packed(prepared, deflate)) {
        hws_buffer plain = hws_prepared_payload(prepared);
        hws_deflate_follow(deflate, plain.data, plain.len);
    }
}
