/*
 * What the parser and the writers of HTTP heads share: byte classes, checks of text from the
 * caller, and the pieces that every head is written from.
 */
#ifndef HWS__HTTP_H
#define HWS__HTTP_H

#include "bytes.h"

#include <hawser/http.h>

/* Classes of bytes that no comparison tells apart, one bit each. */
enum {
    HWS__TCHAR = 1,    /* tchar (RFC 9110 5.6.2) */
    HWS__HOST_BYTE = 2 /* see hws__is_name_byte() */
};

extern const uint8_t hws__classes[256];

static inline uint8_t hws__is_tchar(uint8_t byte) {
    return hws__classes[byte] & HWS__TCHAR;
}

/* SP or HTAB, of which OWS is made (RFC 9110 5.6.3). */
static inline uint8_t hws__is_space(uint8_t byte) {
    return byte == ' ' || byte == '\t';
}

/* SP, HTAB, VCHAR or obs-text: what a field value is made of (RFC 9110 5.5). */
static inline uint8_t hws__is_value_byte(uint8_t byte) {
    return byte == '\t' || (byte >= ' ' && byte != 0x7F);
}

/* VCHAR, visible ASCII: what a request target is made of (RFC 9112 3.2). */
static inline uint8_t hws__is_visible(uint8_t byte) {
    return byte > ' ' && byte < 0x7F;
}

static inline uint8_t hws__is_digit(uint8_t byte) {
    return byte >= '0' && byte <= '9';
}

static inline uint8_t hws__is_hex(uint8_t byte) {
    uint8_t lower = byte | 0x20;
    return hws__is_digit(byte) || (lower >= 'a' && lower <= 'f');
}

/* Whether the text is a token (RFC 9110 5.6.2): not empty, all tchar. 1 or 0. */
uint8_t hws__is_token(hws_text text);

/* Whether the text can stand as a field value (RFC 9110 5.5): no control but HTAB, no white space
 * around it. It may be empty. 1 or 0. */
uint8_t hws__is_field_value(hws_text text);

/* The lines of one field: those of `headers` whose name is `name`, without case; all of them when
 * it is NULL. */
typedef struct hws__lines {
    const hws_header *headers;
    const uint8_t *buf;
    const char *name;
    uint32_t name_len;
    uint32_t count; /* of headers */
} hws__lines;

hws__lines hws__lines_of(const hws_head *head, const uint8_t *buf, hws_text name);

/* As hws_head_next(). */
uint8_t hws__lines_next(const hws__lines *lines, hws_list *list, hws_span *element);

/* Whether two texts are the same bytes. */
static inline uint8_t hws__text_equal(hws_text a, hws_text b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* As hws_span_text(), without a call; an empty text has an address, too. */
static inline hws_text hws__text_at(const uint8_t *buf, hws_span span) {
    return (hws_text){(const char *)buf + span.offset, span.len};
}

/* As hws_text_equal_nocase(), for a name that is mostly written as `name` is, or quite another: no
 * call is made for those. `name` is not empty. */
static inline uint8_t hws__is_name(hws_text text, hws_text name) {
    return text.len == name.len && ((text.data[0] ^ name.data[0]) & 0xDF) == 0 &&
           (memcmp(text.data, name.data, name.len) == 0 || hws_text_equal_nocase(text, name));
}

/* Check fields from the caller: HWS_OK, or HWS_ERR_FIELD unless all names are tokens, all values
 * are field values, and no name is, without case, one of `refused`. */
hws_status hws__check_fields(const hws_field *fields, size_t count, const hws_text *refused,
                             size_t refused_count);

/* Whether a field may stand in a list of pairs: its name is in lower case, and it does not speak of
 * one HTTP/1 connection (RFC 9113 8.2.1, 8.2.2). 1 or 0. */
uint8_t hws__list_takes(const hws_field *field);

/* Write "name: value" and CRLF; checks nothing. */
void hws__write_field(hws__writer *w, hws_text name, hws_text value);

/* Write a number in decimal. */
void hws__write_number(hws__writer *w, uint64_t value);

/* The reason phrase of a status code (RFC 9110 15); empty for one that is not in the table. */
hws_text hws__reason_phrase(uint16_t status);

#endif
