/*
 * Heads that come as pairs, from HTTP/2 and HTTP/3 (RFC 9113 8.2, 8.3; RFC 9114 4.2, 4.3). What is
 * malformed there is refused here, in case the library that hands out the pairs is lenient. Knows
 * nothing of what the fields mean to a handshake.
 */
#include "http.h"

/* What state[] holds. */
enum {
    STATE_SEEN /* bits of the pseudo-header fields so far, and REGULAR */
};

/* Pseudo-header fields (RFC 9113 8.3.1, 8.3.2; ":protocol" is of RFC 8441 4). */
enum pseudo {
    PSEUDO_METHOD,
    PSEUDO_SCHEME,
    PSEUDO_AUTHORITY,
    PSEUDO_PATH,
    PSEUDO_PROTOCOL,
    PSEUDO_STATUS,
    REGULAR /* any other field */
};

static enum pseudo pseudo_of(hws_text name) {
    static const struct {
        uint8_t len;
        char name[12];
    } names[REGULAR] = {{7, ":method"}, {7, ":scheme"},   {10, ":authority"},
                        {5, ":path"},   {9, ":protocol"}, {7, ":status"}};
    uint32_t i = 0;
    while (i < REGULAR &&
           (names[i].len != name.len || memcmp(names[i].name, name.data, name.len) != 0)) {
        i++;
    }
    return (enum pseudo)i;
}

/* A lower-case token (RFC 9113 8.2.1), with a colon before it in pseudo-header fields. */
static uint8_t is_list_name(hws_text name) {
    size_t i = 0;
    while (i < name.len && !(name.data[i] >= 'A' && name.data[i] <= 'Z')) {
        i++;
    }
    if (i < name.len || name.len == 0) {
        return 0;
    }
    if (name.data[0] == ':') {
        name.data++;
        name.len--;
    }
    return hws__is_token(name);
}

/* Fields of one HTTP/1 connection have no place here (RFC 9113 8.2.2). */
static uint8_t is_connection_field(const hws_field *field) {
    const hws_text names[] = {HWS__TEXT("connection"), HWS__TEXT("keep-alive"),
                              HWS__TEXT("proxy-connection"), HWS__TEXT("transfer-encoding"),
                              HWS__TEXT("upgrade")};
    size_t i = 0;
    while (i < sizeof names / sizeof names[0]) {
        if (hws_text_equal_nocase(field->name, names[i])) {
            return 1;
        }
        i++;
    }
    return hws_text_equal_nocase(field->name, HWS__TEXT("te")) &&
           !hws_text_equal_nocase(field->value, HWS__TEXT("trailers"));
}

/* The request target in visible ASCII, as in a request line. */
static uint8_t is_path(hws_text value) {
    size_t i = 0;
    while (i < value.len && hws__is_visible((uint8_t)value.data[i])) {
        i++;
    }
    return value.len > 0 && i == value.len;
}

/* Three digits, 100 to 599; 0 for anything else. */
static uint16_t status_code(hws_text value) {
    uint32_t code = 0;
    size_t i = 0;
    while (value.len == 3 && i < 3 && hws__is_digit((uint8_t)value.data[i])) {
        code = code * 10 + (uint32_t)(value.data[i] - '0');
        i++;
    }
    return (uint16_t)(i == 3 && code >= 100 && code <= 599 ? code : 0);
}

static uint8_t is_value_of(enum pseudo kind, hws_text value) {
    switch (kind) {
    case PSEUDO_METHOD:
        return hws__is_token(value);
    case PSEUDO_PATH:
        return is_path(value);
    case PSEUDO_STATUS:
        return status_code(value) != 0;
    case PSEUDO_SCHEME:
    case PSEUDO_AUTHORITY:
    case PSEUDO_PROTOCOL:
    case REGULAR:
        break;
    }
    return hws__is_field_value(value);
}

/* Each pseudo-header field once and before all others (RFC 9113 8.3); those of requests and of
 * responses do not mix. */
static uint8_t may_follow(enum pseudo kind, uint32_t seen) {
    uint32_t alone = 1U << PSEUDO_STATUS | 1U << REGULAR;
    if (kind == REGULAR) {
        return 1;
    }
    return (seen & (alone | 1U << kind)) == 0 && !(kind == PSEUDO_STATUS && seen != 0);
}

uint8_t hws__list_takes(const hws_field *field) {
    return is_list_name(field->name) && !is_connection_field(field);
}

static hws_status check_pair(const hws_head *head, const hws_field *field, enum pseudo kind) {
    if (!hws__list_takes(field)) {
        return HWS_ERR_FIELD_NAME;
    }
    if (!is_value_of(kind, field->value)) {
        return HWS_ERR_FIELD_VALUE;
    }
    if ((kind == REGULAR && field->name.data[0] == ':') ||
        !may_follow(kind, head->state[STATE_SEEN])) {
        return HWS_ERR_PSEUDO_FIELD;
    }
    return head->header_count < head->header_cap ? HWS_OK : HWS_ERR_TOO_MANY_FIELDS;
}

/* What the rest of the library reads from a head of any kind. */
static void take_pseudo(hws_head *head, enum pseudo kind, hws_span span, hws_text value) {
    head->state[STATE_SEEN] |= 1U << kind;
    if (kind == PSEUDO_METHOD) {
        head->method = span;
    }
    if (kind == PSEUDO_PATH) {
        head->target = span;
    }
    if (kind == PSEUDO_STATUS) {
        head->status = status_code(value);
        head->body = HWS_BODY_EOF; /* the end of the stream (RFC 9113 8.1) */
    }
}

hws_status hws_head_add(hws_head *head, uint8_t *buf, size_t cap, size_t *n,
                        const hws_field *field) {
    enum pseudo kind = pseudo_of(field->name);
    hws_status status = check_pair(head, field, kind);
    /* Positions have 32 bits. */
    hws__writer w = {buf, cap < UINT32_MAX ? cap : UINT32_MAX, *n, 0};
    uint32_t room = head->max_head - head->head_len;
    hws_header header;
    if (status != HWS_OK) {
        return status;
    }
    if (field->name.len > room || field->value.len > room - field->name.len) {
        return HWS_ERR_HEAD_TOO_LARGE;
    }
    hws__write_text(&w, field->name);
    hws__write_text(&w, field->value);
    if (w.full) {
        return HWS_ERR_SPACE;
    }
    header.name = (hws_span){(uint32_t)*n, (uint32_t)field->name.len};
    header.value = (hws_span){(uint32_t)(*n + field->name.len), (uint32_t)field->value.len};
    head->headers[head->header_count] = header;
    head->header_count++;
    head->head_len += header.name.len + header.value.len;
    take_pseudo(head, kind, header.value, field->value);
    *n = w.n;
    return HWS_OK;
}
