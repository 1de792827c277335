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
#include "http.h"

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
    memset(head, 0, sizeof *head);
    head->headers = headers;
    head->header_cap = cap;
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

/* Steps return HWS_NEED_MORE to go on, HWS_OK at the end of the head, or the fault. */
static hws_status go(hws_head *head, enum step step) {
    head->state[STATE_STEP] = step;
    return HWS_NEED_MORE;
}

/* A line is complete; the next starts after the byte that was just taken. */
static hws_status go_line(hws_head *head, enum step step) {
    head->state[STATE_LINE] = head->head_len;
    head->state[STATE_MARK] = head->head_len;
    return go(head, step);
}

/* The byte is none that may stand here: a bare LF has its own status (RFC 9112 2.2). */
static hws_status misplaced(uint8_t byte, hws_status fault) {
    return byte == '\n' ? HWS_ERR_LINE_END : fault;
}

/* An LF and nothing else (RFC 9112 2.2: a bare CR is as bad as a bare LF). */
static hws_status step_lf(hws_head *head, uint8_t byte, enum step next) {
    return byte == '\n' ? go_line(head, next) : HWS_ERR_LINE_END;
}

/* METHOD: a token, then SP (RFC 9112 3.1). */
static hws_status step_method(hws_head *head, uint8_t byte, uint32_t at) {
    if (hws__is_tchar(byte)) {
        head->method.offset = head->state[STATE_LINE];
        head->method.len = at + 1 - head->method.offset;
        return go(head, STEP_METHOD);
    }
    if (byte != ' ' || head->method.len == 0) {
        return misplaced(byte, HWS_ERR_REQUEST_LINE);
    }
    head->target.offset = at + 1;
    return go(head, STEP_TARGET);
}

/* START: a request may come after one empty line (RFC 9112 2.2). */
static hws_status step_start(hws_head *head, uint8_t byte, uint32_t at) {
    return byte == '\r' ? go(head, STEP_EMPTY_LF) : step_method(head, byte, at);
}

/* How far a run of bytes of one kind may go: within what has arrived, and within both limits. */
static uint32_t run_end(const hws_head *head, size_t len) {
    uint32_t line_room = head->max_line - (head->head_len - head->state[STATE_LINE]);
    uint32_t room = head->max_head - head->head_len;
    uint32_t end = head->head_len + (line_room < room ? line_room : room);
    return len < end ? (uint32_t)len : end;
}

/* TARGET: visible ASCII, then SP (RFC 9112 3.2). */
static hws_status step_target(hws_head *head, const uint8_t *buf, uint32_t at, uint32_t end) {
    uint32_t i = at;
    while (i < end && hws__is_visible(buf[i])) {
        i++;
    }
    if (i > at) {
        head->target.len = i - head->target.offset;
        head->head_len = i;
        return HWS_NEED_MORE;
    }
    if (buf[at] != ' ' || head->target.len == 0) {
        return misplaced(buf[at], HWS_ERR_REQUEST_LINE);
    }
    head->state[STATE_MARK] = at + 1;
    return go(head, STEP_REQUEST_VERSION);
}

enum { VERSION_LEN = 8 };

/* One of the eight bytes "HTTP/1.y" (RFC 9112 2.3); `fault` is what any other line is. */
static hws_status version_byte(hws_head *head, uint8_t byte, uint32_t place, hws_status fault) {
    static const uint8_t pattern[VERSION_LEN] = {'H', 'T', 'T', 'P', '/', '1', '.', '0'};
    if (place == 7 && hws__is_digit(byte)) {
        head->minor_version = (uint8_t)(byte - '0');
        return HWS_NEED_MORE;
    }
    if (place == 5 && byte != '1' && hws__is_digit(byte)) {
        return HWS_ERR_HTTP_VERSION;
    }
    return byte == pattern[place] ? HWS_NEED_MORE : misplaced(byte, fault);
}

/* VERSION of a request: the rest of its line. */
static hws_status step_request_version(hws_head *head, uint8_t byte, uint32_t at) {
    uint32_t place = at - head->state[STATE_MARK];
    if (place < VERSION_LEN) {
        return version_byte(head, byte, place, HWS_ERR_REQUEST_LINE);
    }
    return byte == '\r' ? go(head, STEP_START_LF) : misplaced(byte, HWS_ERR_REQUEST_LINE);
}

/* VERSION of a response: the start of its line, then SP (RFC 9112 4). */
static hws_status step_response_version(hws_head *head, uint8_t byte, uint32_t at) {
    uint32_t place = at - head->state[STATE_MARK];
    if (place < VERSION_LEN) {
        return version_byte(head, byte, place, HWS_ERR_STATUS_LINE);
    }
    head->state[STATE_MARK] = at + 1;
    return byte == ' ' ? go(head, STEP_STATUS_CODE) : misplaced(byte, HWS_ERR_STATUS_LINE);
}

/* STATUS_CODE: three digits, 100 to 599 (RFC 9110 15). The reason is often left out, and then the
 * SP before it as well. */
static hws_status step_status_code(hws_head *head, uint8_t byte, uint32_t at) {
    uint32_t place = at - head->state[STATE_MARK];
    if (place < 3) {
        if (!hws__is_digit(byte) || (place == 0 && (byte < '1' || byte > '5'))) {
            return misplaced(byte, HWS_ERR_STATUS_LINE);
        }
        head->status = (uint16_t)((place == 0 ? 0 : head->status * 10) + byte - '0');
        return HWS_NEED_MORE;
    }
    head->reason.offset = at + 1;
    head->reason.len = 0;
    if (byte == '\r') {
        return go(head, STEP_START_LF);
    }
    return byte == ' ' ? go(head, STEP_REASON) : misplaced(byte, HWS_ERR_STATUS_LINE);
}

/* REASON: anything that is no control. */
static hws_status step_reason(hws_head *head, uint8_t byte, uint32_t at) {
    if (byte == '\r') {
        return go(head, STEP_START_LF);
    }
    if (!hws__is_value_byte(byte)) {
        return misplaced(byte, HWS_ERR_STATUS_LINE);
    }
    head->reason.len = at + 1 - head->reason.offset;
    return HWS_NEED_MORE;
}

/* NAME: a token, and ":" right behind it (RFC 9112 5.1). */
static hws_status step_name(hws_head *head, const uint8_t *buf, uint32_t at, uint32_t end) {
    hws_header *header = &head->headers[head->header_count];
    uint32_t i = at;
    while (i < end && hws__is_tchar(buf[i])) {
        i++;
    }
    if (i > at) {
        header->name.len = i - header->name.offset;
        head->head_len = i;
        return HWS_NEED_MORE;
    }
    if (buf[at] != ':') {
        return misplaced(buf[at], HWS_ERR_FIELD_NAME);
    }
    header->value.offset = at + 1;
    header->value.len = 0;
    return go(head, STEP_VALUE);
}

/* NAME_START: a field line, or the empty line that ends the head. */
static hws_status step_name_start(hws_head *head, uint8_t byte, uint32_t at) {
    if (byte == '\r') {
        return go(head, STEP_END_LF);
    }
    if (hws__is_space(byte)) {
        return HWS_ERR_FIELD_FOLDED; /* RFC 9112 5.2, and 2.2 for the first line */
    }
    if (!hws__is_tchar(byte)) {
        return misplaced(byte, HWS_ERR_FIELD_NAME);
    }
    if (head->header_count >= head->header_cap) {
        return HWS_ERR_TOO_MANY_FIELDS;
    }
    head->headers[head->header_count].name.offset = at;
    head->headers[head->header_count].name.len = 1;
    return go(head, STEP_NAME);
}

/* VALUE: white space before and after it is not part of it (RFC 9110 5.5). */
static hws_status step_value(hws_head *head, const uint8_t *buf, uint32_t at, uint32_t end) {
    hws_span *value = &head->headers[head->header_count].value;
    uint32_t i = at;
    while (i < end && hws__is_value_byte(buf[i]) && !hws__is_space(buf[i])) {
        i++;
    }
    if (i > at) {
        value->offset = value->len == 0 ? at : value->offset;
        value->len = i - value->offset;
        head->head_len = i;
        return HWS_NEED_MORE;
    }
    if (buf[at] == '\r') {
        return go(head, STEP_VALUE_LF);
    }
    return hws__is_space(buf[at]) ? HWS_NEED_MORE : misplaced(buf[at], HWS_ERR_FIELD_VALUE);
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
    head->state[STATE_FRAMING] |= FRAMING_LENGTH;
    return HWS_OK;
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
    head->state[STATE_FRAMING] |= FRAMING_CODING | (chunked ? (uint32_t)FRAMING_CHUNKED : 0);
    return HWS_OK;
}

/* VALUE_LF: the field line is complete. */
static hws_status step_value_lf(hws_head *head, const uint8_t *buf, uint8_t byte) {
    hws_header *header = &head->headers[head->header_count];
    hws_text name = hws_span_text(buf, header->name);
    hws_text value = hws_span_text(buf, header->value);
    hws_status status = HWS_OK;
    if (byte != '\n') {
        return HWS_ERR_LINE_END;
    }
    if (hws_text_equal_nocase(name, HWS__TEXT("Content-Length"))) {
        status = take_length(head, value);
    } else if (hws_text_equal_nocase(name, HWS__TEXT("Transfer-Encoding"))) {
        status = take_coding(head, value);
    }
    if (status != HWS_OK) {
        return status;
    }
    /* Both together are how requests are smuggled (RFC 9112 6.1, 11.2). */
    if ((head->state[STATE_FRAMING] & FRAMING_LENGTH) &&
        (head->state[STATE_FRAMING] & FRAMING_CODING)) {
        return HWS_ERR_TRANSFER_ENCODING;
    }
    head->header_count++;
    return go_line(head, STEP_NAME_START);
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
static hws_status step_end_lf(hws_head *head, uint8_t byte) {
    if (byte != '\n') {
        return HWS_ERR_LINE_END;
    }
    if (head->kind == HWS_HEAD_RESPONSE && head->status < 200 && head->status != 101) {
        head->header_count = 0;
        head->content_length = 0;
        head->state[STATE_FRAMING] = 0;
        return go_line(head, STEP_RESPONSE_VERSION);
    }
    head->body = body_kind(head);
    return HWS_OK;
}

/* Takes the byte at head_len, and more where many of its kind stand together. */
static hws_status step(hws_head *head, const uint8_t *buf, size_t len) {
    uint32_t at = head->head_len;
    uint8_t byte = buf[at];
    head->head_len++;
    switch ((enum step)head->state[STATE_STEP]) {
    case STEP_START:
        return step_start(head, byte, at);
    case STEP_EMPTY_LF:
        return step_lf(head, byte, STEP_METHOD);
    case STEP_METHOD:
        return step_method(head, byte, at);
    case STEP_TARGET:
        return step_target(head, buf, at, run_end(head, len));
    case STEP_REQUEST_VERSION:
        return step_request_version(head, byte, at);
    case STEP_RESPONSE_VERSION:
        return step_response_version(head, byte, at);
    case STEP_STATUS_CODE:
        return step_status_code(head, byte, at);
    case STEP_REASON:
        return step_reason(head, byte, at);
    case STEP_START_LF:
        return step_lf(head, byte, STEP_NAME_START);
    case STEP_NAME_START:
        return step_name_start(head, byte, at);
    case STEP_NAME:
        return step_name(head, buf, at, run_end(head, len));
    case STEP_VALUE:
        return step_value(head, buf, at, run_end(head, len));
    case STEP_VALUE_LF:
        return step_value_lf(head, buf, byte);
    case STEP_END_LF:
        break;
    }
    return step_end_lf(head, byte);
}

/* HWS_OK when one byte more may come. */
static hws_status check_limits(const hws_head *head) {
    uint8_t start_line = head->state[STATE_STEP] < STEP_NAME_START;
    if (head->head_len - head->state[STATE_LINE] >= head->max_line) {
        return head->kind == HWS_HEAD_REQUEST && start_line ? HWS_ERR_TARGET_TOO_LONG
                                                            : HWS_ERR_FIELD_TOO_LONG;
    }
    return head->head_len >= head->max_head ? HWS_ERR_HEAD_TOO_LARGE : HWS_OK;
}

static hws_status end_head(hws_head *head, hws_status result) {
    head->state[STATE_RESULT] = (uint32_t)(HWS_NEED_MORE - result);
    return result;
}

hws_status hws_head_parse(hws_head *head, const uint8_t *buf, size_t len) {
    hws_status status = HWS_NEED_MORE - (hws_status)head->state[STATE_RESULT];
    while (status == HWS_NEED_MORE) {
        status = check_limits(head);
        if (status != HWS_OK) {
            return end_head(head, status);
        }
        if (head->head_len >= len) {
            return HWS_NEED_MORE;
        }
        status = step(head, buf, len);
    }
    return end_head(head, status);
}
