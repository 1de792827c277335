/*
 * Bytes: big-endian numbers, comparison, and a writer that appends all or nothing.
 * Knows nothing of any protocol.
 */
#ifndef HWS__BYTES_H
#define HWS__BYTES_H

#include <hawser/base.h>

#include <string.h>

/* For what is seldom called, which inlined would make the common way longer; and for what is called
 * from two places, of which one knows more than the other. */
#ifdef __GNUC__
#define HWS__NOINLINE __attribute__((noinline))
#define HWS__INLINE inline __attribute__((always_inline))
#else
#define HWS__NOINLINE
#define HWS__INLINE inline
#endif

/* Appends to a caller's buffer. Once something did not fit, `full` stays set and nothing more is
 * written; the caller then gives HWS_ERR_SPACE and leaves his count alone. */
typedef struct hws__writer {
    uint8_t *out;
    size_t cap;
    size_t n;
    uint8_t full;
} hws__writer;

static inline void hws__write(hws__writer *w, const void *data, size_t len) {
    if (w->full || w->n > w->cap || len > w->cap - w->n) {
        w->full = 1;
        return;
    }
    if (len > 0) {
        memcpy(w->out + w->n, data, len);
        w->n += len;
    }
}

static inline void hws__write_text(hws__writer *w, hws_text text) {
    hws__write(w, text.data, text.len);
}

/* A string literal without its NUL. */
#define HWS__TEXT(literal) ((hws_text){(literal), sizeof(literal) - 1})

static inline uint16_t hws__load_be16(const uint8_t *p) {
    return (uint16_t)((uint16_t)(p[0] << 8) | p[1]);
}

static inline void hws__store_be16(uint8_t *p, uint16_t value) {
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static inline uint32_t hws__load_be32(const uint8_t *p) {
    return ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) | p[3];
}

static inline void hws__store_be32(uint8_t *p, uint32_t value) {
    p[0] = (uint8_t)(value >> 24);
    p[1] = (uint8_t)(value >> 16);
    p[2] = (uint8_t)(value >> 8);
    p[3] = (uint8_t)value;
}

static inline void hws__store_be64(uint8_t *p, uint64_t value) {
    hws__store_be32(p, (uint32_t)(value >> 32));
    hws__store_be32(p + 4, (uint32_t)value);
}

#endif
