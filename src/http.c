/*
 * The parser of HTTP/1.1 heads (RFC 9112): one state machine, each byte once.
 * Results are positions; nothing is copied. Knows how a head is framed and how the body after it
 * ends, and nothing of WebSockets.
 *
 * Between calls all is in the head: `head_len` is the place of the next byte, state[] the rest.
 * A fault is found at the first byte that proves it, by what stands before that byte alone, so how
 * the head was cut into calls cannot matter. Content-Length and Transfer-Encoding are judged at the
 * LF of their line, limits at the byte after which the line or the head can no longer fit in.
 */
#include "http_scan.h"

/* What state[] holds. */
enum {
    STATE_STEP,    /* one of the steps below */
    STATE_LINE,    /* where the line started */
    STATE_MARK,    /* where the part of the line with fixed places started */
    STATE_FRAMING, /* FRAMING_... */
    STATE_RESULT   /* 0 while more is wanted, then HWS_NEED_MORE less the result */
};

/* What the field lines so far say of the body. */
enum {
    FRAMING_LENGTH = 1, /* there was a Content-Length */
    FRAMING_CODING = 2, /* there was a Transfer-Encoding */
    FRAMING_CHUNKED = 4 /* the last of them ends with "chunked" */
};

enum step {
    STEP_START,
    STEP_EMPTY_LF,
    STEP_METHOD,
    STEP_TARGET,
    STEP_REQUEST_VERSION,
    STEP_RESPONSE_VERSION,
    STEP_STATUS_CODE,
    STEP_REASON,
    STEP_START_LF,
    STEP_NAME_START,
    STEP_NAME,
    STEP_VALUE,
    STEP_VALUE_LF,
    STEP_END_LF
};

void hws_head_init(hws_head *head, uint8_t kind, hws_header *headers, uint32_t cap) {
    /* One by one: what a large memset() writes cannot be read back at once. */
    head->headers = headers;
    head->header_cap = cap;
    head->header_count = 0;
    head->head_len = 0;
    head->status = 0;
    head->minor_version = 0;
    head->body = 0;
    memset(head->reserved, 0, sizeof head->reserved);
    head->content_length = 0;
    head->method = (hws_span){0, 0};
    head->target = (hws_span){0, 0};
    head->reason = (hws_span){0, 0};
    memset(head->state, 0, sizeof head->state);
    head->max_head = HWS_DEFAULT_MAX_HEAD;
    head->max_line = HWS_DEFAULT_MAX_LINE;
    head->kind = kind;
    if (kind == HWS_HEAD_RESPONSE) {
        head->state[STATE_STEP] = STEP_RESPONSE_VERSION;
    }
    if (kind == HWS_HEAD_LIST) {
        head->state[STATE_RESULT] = HWS_NEED_MORE - HWS_ERR_ARGUMENT;
    }
}

/* What is taken returns HWS_NEED_MORE to go on, HWS_OK at the end of the head, or the fault. */
static hws_status go(hws_head *head, enum step step, size_t at) {
    head->state[STATE_STEP] = step;
    head->head_len = (uint32_t)at;
    return HWS_NEED_MORE;
}

/* A line is complete; the next starts at `at`. */
static hws_status go_line(hws_head *head, enum step step, size_t at) {
    head->state[STATE_LINE] = (uint32_t)at;
    head->state[STATE_MARK] = (uint32_t)at;
    return go(head, step, at);
}

/* The byte at `at` proves a fault. */
static hws_status fault(hws_head *head, size_t at, hws_status status) {
    head->head_len = (uint32_t)at + 1;
    return status;
}

/* The byte is none that may stand here: a bare LF has its own status (RFC 9112 2.2). */
static hws_status misplaced(hws_head *head, const uint8_t *buf, size_t at, hws_status status) {
    return fault(head, at, buf[at] == '\n' ? HWS_ERR_LINE_END : status);
}

/* An LF and nothing else (RFC 9112 2.2: a bare CR is as bad as a bare LF), then a new line. */
static hws_status take_lf(hws_head *head, const uint8_t *buf, size_t at, enum step next) {
    return buf[at] == '\n' ? go_line(head, next, at + 1) : fault(head, at, HWS_ERR_LINE_END);
}

enum { VERSION_LEN = 8 };

/* One of the eight bytes "HTTP/1.y" (RFC 9112 2.3); `line` is what any other line is. */
static hws_status version_byte(hws_head *head, const uint8_t *buf, size_t at, hws_status line) {
    static const uint8_t pattern[VERSION_LEN] = {'H', 'T', 'T', 'P', '/', '1', '.', '0'};
    size_t place = at - head->state[STATE_MARK];
    if (place == 7 && hws__is_digit(buf[at])) {
        head->minor_version = (uint8_t)(buf[at] - '0');
        return HWS_OK;
    }
    if (place == 5 && buf[at] != '1' && hws__is_digit(buf[at])) {
        return fault(head, at, HWS_ERR_HTTP_VERSION);
    }
    return buf[at] == pattern[place] ? HWS_OK : misplaced(head, buf, at, line);
}

/* The version and the byte `after` it. HWS_OK when they are there, and head_len behind them. */
static hws_status take_version(hws_head *head, const uint8_t *buf, size_t end, uint8_t after,
                               hws_status line) {
    size_t stop = (size_t)head->state[STATE_MARK] + VERSION_LEN;
    size_t at = head->head_len;
    if (end - at >= VERSION_LEN && stop - at == VERSION_LEN &&
        memcmp(buf + at, "HTTP/1.1", VERSION_LEN) == 0) {
        head->minor_version = 1;
        at = stop;
    }
    while (at < end && at < stop) {
        hws_status status = version_byte(head, buf, at, line);
        if (status != HWS_OK) {
            return status;
        }
        at++;
    }
    head->head_len = (uint32_t)at;
    if (at == end) {
        return HWS_NEED_MORE;
    }
    head->head_len++;
    return buf[at] == after ? HWS_OK : misplaced(head, buf, at, line);
}

/* The request line (RFC 9112 3): a method, which is a token, a target of visible ASCII (3.2), and
 * the version. One empty line may come before it (2.2). */
static hws_status take_request_line(hws_head *head, const uint8_t *buf, size_t end) {
    size_t at = head->head_len;
    hws_status status;
    switch (head->state[STATE_STEP]) {
    case STEP_START:
        if (buf[at] == '\r') {
            return go(head, STEP_EMPTY_LF, at + 1);
        }
        /* fall through */
    case STEP_METHOD:
        head->method.offset = head->state[STATE_LINE];
        at = hws__skip_tchars(buf, at, end);
        head->method.len = (uint32_t)at - head->method.offset;
        if (at == end) {
            return go(head, STEP_METHOD, at);
        }
        if (buf[at] != ' ' || head->method.len == 0) {
            return misplaced(head, buf, at, HWS_ERR_REQUEST_LINE);
        }
        at++;
        head->target.offset = (uint32_t)at;
        /* fall through */
    case STEP_TARGET:
        at = hws__skip_visible(buf, at, end);
        head->target.len = (uint32_t)at - head->target.offset;
        if (at == end) {
            return go(head, STEP_TARGET, at);
        }
        if (buf[at] != ' ' || head->target.len == 0) {
            return misplaced(head, buf, at, HWS_ERR_REQUEST_LINE);
        }
        head->state[STATE_MARK] = (uint32_t)at + 1;
        go(head, STEP_REQUEST_VERSION, at + 1);
        /* fall through */
    case STEP_REQUEST_VERSION:
        status = take_version(head, buf, end, '\r', HWS_ERR_REQUEST_LINE);
        if (status != HWS_OK) {
            return status;
        }
        return go(head, STEP_START_LF, head->head_len);
    case STEP_EMPTY_LF:
        return take_lf(head, buf, at, STEP_METHOD);
    default:
        return take_lf(head, buf, at, STEP_NAME_START);
    }
}

/* Three digits, 100 to 599 (RFC 9110 15). HWS_OK when they are there. */
static hws_status take_status_code(hws_head *head, const uint8_t *buf, size_t end) {
    size_t start = head->state[STATE_MARK];
    size_t at = head->head_len;
    while (at < end && at < start + 3) {
        uint8_t first = at == start;
        if (!hws__is_digit(buf[at]) || (first && (buf[at] < '1' || buf[at] > '5'))) {
            return misplaced(head, buf, at, HWS_ERR_STATUS_LINE);
        }
        head->status = (uint16_t)((first ? 0 : head->status * 10) + buf[at] - '0');
        at++;
    }
    head->head_len = (uint32_t)at;
    return at == end ? HWS_NEED_MORE : HWS_OK;
}

/* The status line (RFC 9112 4). The reason, which is anything that is no control, is often left
 * out, and then the SP before it as well. */
static hws_status take_status_line(hws_head *head, const uint8_t *buf, size_t end) {
    size_t at;
    hws_status status;
    switch (head->state[STATE_STEP]) {
    case STEP_RESPONSE_VERSION:
        status = take_version(head, buf, end, ' ', HWS_ERR_STATUS_LINE);
        if (status != HWS_OK) {
            return status;
        }
        head->state[STATE_MARK] = head->head_len;
        return go(head, STEP_STATUS_CODE, head->head_len);
    case STEP_STATUS_CODE:
        status = take_status_code(head, buf, end);
        if (status != HWS_OK) {
            return status;
        }
        at = head->head_len;
        head->reason = (hws_span){(uint32_t)at + 1, 0};
        if (buf[at] == '\r') {
            return go(head, STEP_START_LF, at + 1);
        }
        return buf[at] == ' ' ? go(head, STEP_REASON, at + 1)
                              : misplaced(head, buf, at, HWS_ERR_STATUS_LINE);
    case STEP_REASON:
        at = hws__skip_value(buf, head->head_len, end);
        head->reason.len = (uint32_t)at - head->reason.offset;
        if (at == end) {
            return go(head, STEP_REASON, at);
        }
        return buf[at] == '\r' ? go(head, STEP_START_LF, at + 1)
                               : misplaced(head, buf, at, HWS_ERR_STATUS_LINE);
    default:
        return take_lf(head, buf, head->head_len, STEP_NAME_START);
    }
}

/* Both a length and a coding are how requests are smuggled (RFC 9112 6.1, 11.2). */
static hws_status take_framing(hws_head *head, uint32_t framing) {
    uint32_t both = FRAMING_LENGTH | FRAMING_CODING;
    head->state[STATE_FRAMING] |= framing;
    return (head->state[STATE_FRAMING] & both) == both ? HWS_ERR_TRANSFER_ENCODING : HWS_OK;
}

/* Content-Length is one number that fits in 63 bits (RFC 9110 8.6). The RFC lets a recipient take
 * a list of equal numbers; here it is refused, as a sign of smuggling (RFC 9112 6.3). */
static hws_status take_length(hws_head *head, hws_text value) {
    uint64_t number = 0;
    size_t i = 0;
    if ((head->state[STATE_FRAMING] & FRAMING_LENGTH) || value.len == 0) {
        return HWS_ERR_CONTENT_LENGTH;
    }
    while (i < value.len) {
        uint8_t byte = (uint8_t)value.data[i];
        uint64_t tens = number * 10;
        uint64_t digit = (uint64_t)byte & 15;
        if (!hws__is_digit(byte) || number > INT64_MAX / 10 || digit > INT64_MAX - tens) {
            return HWS_ERR_CONTENT_LENGTH;
        }
        number = tens + digit;
        i++;
    }
    head->content_length = number;
    return take_framing(head, FRAMING_LENGTH);
}

/* Whether "chunked" is the last coding of a list of them (RFC 9112 6.1). */
static uint8_t ends_with_chunked(hws_text value) {
    hws_text chunked = HWS__TEXT("chunked");
    if (value.len > chunked.len) {
        uint8_t before = (uint8_t)value.data[value.len - chunked.len - 1];
        value.data += value.len - chunked.len;
        value.len = before == ',' || hws__is_space(before) ? chunked.len : 0;
    }
    return hws_text_equal_nocase(value, chunked);
}

/* Transfer-Encoding: not in HTTP/1.0 (RFC 9112 6.1). A request may have chunked and nothing else;
 * of a response the last coding decides (6.3). */
static hws_status take_coding(hws_head *head, hws_text value) {
    uint8_t chunked = ends_with_chunked(value);
    uint8_t repeated = (head->state[STATE_FRAMING] & FRAMING_CODING) != 0;
    uint8_t single = chunked && value.len == sizeof "chunked" - 1 && !repeated;
    if (head->minor_version == 0 || (head->kind == HWS_HEAD_REQUEST && !single)) {
        return HWS_ERR_TRANSFER_ENCODING;
    }
    head->state[STATE_FRAMING] &= ~(uint32_t)FRAMING_CHUNKED;
    return take_framing(head, FRAMING_CODING | (chunked ? (uint32_t)FRAMING_CHUNKED : 0));
}

static inline uint8_t speaks_of_body(hws_text name) {
    return hws__is_name(name, HWS__TEXT("Content-Length")) ||
           hws__is_name(name, HWS__TEXT("Transfer-Encoding"));
}

/* What a complete field line says of the body. */
static hws_status judge_field(hws_head *head, const uint8_t *buf, const hws_header *header) {
    hws_text name = hws__text_at(buf, header->name);
    if (hws__is_name(name, HWS__TEXT("Content-Length"))) {
        return take_length(head, hws__text_at(buf, header->value));
    }
    if (hws__is_name(name, HWS__TEXT("Transfer-Encoding"))) {
        return take_coding(head, hws__text_at(buf, header->value));
    }
    return HWS_OK;
}

/* RFC 9112 6.3. A length of 0 is no body. */
static uint8_t body_kind(const hws_head *head) {
    uint32_t framing = head->state[STATE_FRAMING];
    uint8_t response = head->kind == HWS_HEAD_RESPONSE;
    if (response && (head->status < 200 || head->status == 204 || head->status == 304)) {
        return HWS_BODY_NONE;
    }
    if (framing & FRAMING_CHUNKED) {
        return HWS_BODY_CHUNKED;
    }
    if (framing & FRAMING_LENGTH) {
        return head->content_length > 0 ? HWS_BODY_LENGTH : HWS_BODY_NONE;
    }
    return response ? HWS_BODY_EOF : HWS_BODY_NONE;
}

/* END_LF: the head is complete. Interim responses are not what was waited for (RFC 9110 15.2). */
static hws_status take_end_lf(hws_head *head, const uint8_t *buf, size_t at) {
    if (buf[at] != '\n') {
        return fault(head, at, HWS_ERR_LINE_END);
    }
    if (head->kind == HWS_HEAD_RESPONSE && head->status < 200 && head->status != 101) {
        head->header_count = 0;
        head->content_length = 0;
        head->state[STATE_FRAMING] = 0;
        return go_line(head, STEP_RESPONSE_VERSION, at + 1);
    }
    head->head_len = (uint32_t)at + 1;
    head->body = body_kind(head);
    return HWS_OK;
}

/* The byte at `at` ends a name where no ":" stands, or starts one for which there is no room. */
static hws_status name_fault(hws_head *head, const uint8_t *buf, size_t at) {
    if (hws__is_tchar(buf[at])) {
        return fault(head, at, HWS_ERR_TOO_MANY_FIELDS);
    }
    if (at == head->state[STATE_LINE] && hws__is_space(buf[at])) {
        return fault(head, at, HWS_ERR_FIELD_FOLDED); /* RFC 9112 5.2, and 2.2 for the first line */
    }
    return misplaced(head, buf, at, HWS_ERR_FIELD_NAME);
}

/* Bytes `at` to `stop` of a value. White space around it is not part of it (RFC 9110 5.5). */
static void take_value(hws_span *value, const uint8_t *buf, size_t at, size_t stop) {
    while (value->len == 0 && at < stop && hws__is_space(buf[at])) {
        at++;
    }
    while (at < stop && hws__is_space(buf[stop - 1])) {
        stop--;
    }
    if (at < stop) {
        value->offset = value->len == 0 ? (uint32_t)at : value->offset;
        value->len = (uint32_t)stop - value->offset;
    }
}

static hws_status take_field_lf(hws_head *head, const uint8_t *buf, size_t at) {
    hws_status status = HWS_ERR_LINE_END;
    if (buf[at] == '\n') {
        status = judge_field(head, buf, &head->headers[head->header_count]);
    }
    if (status != HWS_OK) {
        return fault(head, at, status);
    }
    head->header_count++;
    return go_line(head, STEP_NAME_START, at + 1);
}

/* A field line (RFC 9112 5): a name, which is a token, ":" right behind it (5.1), a value. */
static hws_status take_field(hws_head *head, const uint8_t *buf, size_t end) {
    hws_header *header = &head->headers[head->header_count];
    size_t at = head->head_len;
    size_t stop = hws__skip_value(buf, at, end);
    switch (head->state[STATE_STEP]) {
    case STEP_NAME_START:
        if (buf[at] == '\r') {
            return go(head, STEP_END_LF, at + 1);
        }
        if (head->header_count >= head->header_cap) {
            return name_fault(head, buf, at);
        }
        header->name.offset = (uint32_t)at;
        /* fall through */
    case STEP_NAME:
        at = hws__skip_tchars(buf, at, end);
        header->name.len = (uint32_t)at - header->name.offset;
        if (at == end) {
            return go(head, STEP_NAME, at);
        }
        if (buf[at] != ':' || header->name.len == 0) {
            return name_fault(head, buf, at);
        }
        at++;
        header->value = (hws_span){(uint32_t)at, 0};
        /* fall through */
    case STEP_VALUE:
        take_value(&header->value, buf, at, stop);
        at = stop;
        if (at == end) {
            return go(head, STEP_VALUE, at);
        }
        if (buf[at] != '\r') {
            return misplaced(head, buf, at, HWS_ERR_FIELD_VALUE);
        }
        at++;
        if (at == end) {
            return go(head, STEP_VALUE_LF, at);
        }
        /* fall through */
    case STEP_VALUE_LF:
        return take_field_lf(head, buf, at);
    default:
        return take_end_lf(head, buf, at);
    }
}

/* Field lines that are whole and plain: CRLF at the end, at most one SP before the value and none
 * after it, nothing about the body. All others, and all faults, are left to take_field(). */
static void take_plain_fields(hws_head *head, const uint8_t *buf, size_t end) {
    size_t at = head->head_len;
    uint32_t count = head->header_count;
    while (count < head->header_cap) {
        /* The end is sought first and from the start: it is all that the next line waits for. */
        size_t stop = hws__skip_value(buf, at, end);
        size_t colon = hws__skip_tchars(buf, at, end);
        if (end - stop < 2 || stop + 2 - at > head->max_line || buf[stop] != '\r' ||
            buf[stop + 1] != '\n') {
            break;
        }
        if (colon == at || colon >= stop || buf[colon] != ':') {
            break;
        }
        hws_text name = {(const char *)buf + at, colon - at};
        size_t value = colon + 1 + (buf[colon + 1] == ' ');
        /* Up to the CR only SP and HTAB are not above SP. */
        if (buf[value] <= ' ' || buf[stop - 1] <= ' ' || speaks_of_body(name)) {
            break;
        }
        head->headers[count] = (hws_header){{(uint32_t)at, (uint32_t)name.len},
                                            {(uint32_t)value, (uint32_t)(stop - value)}};
        count++;
        at = stop + 2;
    }
    head->header_count = count;
    go_line(head, STEP_NAME_START, at);
}

static hws_status take(hws_head *head, const uint8_t *buf, size_t end) {
    if (head->state[STATE_STEP] >= STEP_NAME_START) {
        return take_field(head, buf, end);
    }
    return head->kind == HWS_HEAD_REQUEST ? take_request_line(head, buf, end)
                                          : take_status_line(head, buf, end);
}

/* All bytes are taken that have arrived, or that a limit allows. */
static hws_status judge_stop(const hws_head *head) {
    uint8_t start_line = head->state[STATE_STEP] < STEP_NAME_START;
    if (head->head_len - head->state[STATE_LINE] >= head->max_line) {
        return head->kind == HWS_HEAD_REQUEST && start_line ? HWS_ERR_TARGET_TOO_LONG
                                                            : HWS_ERR_FIELD_TOO_LONG;
    }
    return head->head_len >= head->max_head ? HWS_ERR_HEAD_TOO_LARGE : HWS_NEED_MORE;
}

hws_status hws_head_parse(hws_head *head, const uint8_t *buf, size_t len) {
    hws_status status = HWS_NEED_MORE - (hws_status)head->state[STATE_RESULT];
    size_t end = len < head->max_head ? len : head->max_head;
    while (status == HWS_NEED_MORE) {
        if (head->state[STATE_STEP] == STEP_NAME_START) {
            take_plain_fields(head, buf, end);
        }
        uint64_t line_end = (uint64_t)head->state[STATE_LINE] + head->max_line;
        size_t stop = line_end < end ? (size_t)line_end : end;
        if (head->head_len >= stop) {
            status = judge_stop(head);
            break;
        }
        status = take(head, buf, stop);
    }
    head->state[STATE_RESULT] = (uint32_t)(HWS_NEED_MORE - status);
    return status;
}
