/* Parsing a head for fuzz targets: whole and in chunks must agree, and all spans must lie in it. */
#ifndef HWS_FUZZ_HEAD_H
#define HWS_FUZZ_HEAD_H

#include "fuzz.h"

enum { FUZZ_HEADERS = 12 };

static inline void fuzz_check_span(hws_span span, uint32_t limit) {
    CHECK(span.offset <= limit && span.len <= limit - span.offset);
}

static inline hws_status fuzz_head_chunks(hws_head *head, uint8_t kind, hws_header *headers,
                                          const uint8_t *data, size_t size, size_t chunk) {
    hws_status status = HWS_NEED_MORE;
    size_t len = 0;

    hws_head_init(head, kind, headers, FUZZ_HEADERS);
    head->max_head = 1000;
    head->max_line = 300;
    while (status == HWS_NEED_MORE && len < size) {
        len += chunk < size - len ? chunk : size - len;
        uint8_t *copy = fuzz_copy(data, len); /* the buffer moves between calls */
        status = hws_head_parse(head, copy, len);
        free(copy);
    }
    CHECK(status == HWS_NEED_MORE || hws_head_parse(head, data, len) == status);
    return status;
}

/* Returns the status, the same for every way to cut the input. */
static inline hws_status fuzz_head(hws_head *head, uint8_t kind, hws_header *headers,
                                   const uint8_t *data, size_t size, size_t chunk) {
    hws_header others[FUZZ_HEADERS];
    hws_head other;
    hws_status status = fuzz_head_chunks(head, kind, headers, data, size, size);
    uint32_t i = 0;

    CHECK(fuzz_head_chunks(&other, kind, others, data, size, chunk) == status);
    CHECK(head->head_len <= size && head->head_len <= head->max_head);
    if (status == HWS_NEED_MORE) {
        return status;
    }
    CHECK(other.head_len == head->head_len);
    if (status != HWS_OK) {
        return status;
    }
    CHECK(other.header_count == head->header_count && other.body == head->body);
    CHECK(other.content_length == head->content_length && other.status == head->status);
    CHECK(head->header_count <= FUZZ_HEADERS);
    fuzz_check_span(head->method, head->head_len);
    fuzz_check_span(head->target, head->head_len);
    fuzz_check_span(head->reason, head->head_len);
    while (i < head->header_count) {
        CHECK(memcmp(&headers[i], &others[i], sizeof headers[i]) == 0);
        fuzz_check_span(headers[i].name, head->head_len);
        fuzz_check_span(headers[i].value, head->head_len);
        CHECK(headers[i].name.len > 0);
        i++;
    }
    return status;
}

/* Walk the extensions; returns how the list ended. */
static inline hws_status fuzz_extensions(const hws_head *head, const uint8_t *data, size_t size) {
    hws_extension extension;
    hws_status status = HWS_EXTENSION_NAME;
    size_t steps = 0;

    memset(&extension, 0, sizeof extension);
    while (status > HWS_EXTENSION_END) {
        status = hws_extension_next(head, data, &extension);
        fuzz_check_span(extension.name, (uint32_t)size);
        fuzz_check_span(extension.value, (uint32_t)size);
        steps++;
        CHECK(steps <= size + 1);
    }
    return status;
}

#endif
