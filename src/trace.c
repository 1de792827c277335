/*
 * Frames and heads as lines for people. Knows how to show a byte so that it does no harm, and where
 * a head may hold a secret; what a frame or a field means is known elsewhere.
 */
#include "frame.h"
#include "http.h"

#include <hawser/trace.h>

#define CUT "..."
#define HIDDEN "***"

/* The writer keeps room for the mark of a cut and for NUL. */
enum { KEPT = sizeof CUT };

static hws__writer start(uint8_t sent, char *out, size_t cap) {
    hws__writer w = {(uint8_t *)out, cap >= KEPT ? cap - KEPT : 0, 0, cap < KEPT};
    hws__write_text(&w, sent ? HWS__TEXT("> ") : HWS__TEXT("< "));
    return w;
}

static size_t finish(hws__writer *w, size_t cap) {
    size_t n = w->n;
    if (w->full && cap >= KEPT) {
        memcpy(w->out + n, CUT, KEPT - 1);
        n += KEPT - 1;
    }
    if (cap > 0) {
        w->out[n] = 0;
    }
    return n;
}

/* One byte in printable ASCII. What is written stays clear to read: a backslash is doubled. */
static void write_byte(hws__writer *w, uint8_t byte) {
    static const char digits[] = "0123456789abcdef";
    uint8_t shown[4] = {'\\', 'x', (uint8_t)digits[byte >> 4], (uint8_t)digits[byte & 15]};
    if (byte == '\\') {
        hws__write(w, "\\\\", 2);
    } else if (byte == ' ' || hws__is_visible(byte)) {
        hws__write(w, &byte, 1);
    } else {
        hws__write(w, shown, sizeof shown);
    }
}

static void write_escaped(hws__writer *w, hws_text text) {
    size_t i = 0;
    while (i < text.len) {
        write_byte(w, (uint8_t)text.data[i]);
        i++;
    }
}

static void write_quoted(hws__writer *w, const uint8_t *data, uint64_t len, size_t max) {
    size_t i = 0;
    hws__write_text(w, HWS__TEXT(" \""));
    while (i < len && i < max) {
        if (data[i] == '"') {
            hws__write_text(w, HWS__TEXT("\\\""));
        } else {
            write_byte(w, data[i]);
        }
        i++;
    }
    hws__write_text(w, len > max ? HWS__TEXT("\"" CUT) : HWS__TEXT("\""));
}

static void write_opcode(hws__writer *w, uint8_t opcode) {
    static const char names[] = "ContinuationText        Binary      "
                                "Close       Ping        Pong        ";
    enum { WIDTH = 12 };
    uint8_t control = opcode >= HWS_OPCODE_CLOSE;
    uint8_t row = control ? (uint8_t)(opcode - HWS_OPCODE_CLOSE + 3) : opcode;
    uint8_t len = WIDTH;
    if (opcode > HWS_OPCODE_PONG || (opcode > HWS_OPCODE_BINARY && !control)) {
        hws__write_text(w, HWS__TEXT("Opcode "));
        hws__write_number(w, opcode);
        return;
    }
    while (names[row * WIDTH + len - 1] == ' ') {
        len--;
    }
    hws__write(w, names + row * WIDTH, len);
}

static void write_flag(hws__writer *w, uint8_t flag, hws_text name) {
    if (flag != 0) {
        hws__write_text(w, name);
    }
}

/* What a control frame carries. No more is read of it than may be there (RFC 6455 5.5). */
static void write_payload(hws__writer *w, uint8_t opcode, const uint8_t *payload, uint64_t len) {
    if (opcode != HWS_OPCODE_CLOSE) {
        hws__write_text(w, HWS__TEXT(":"));
        write_quoted(w, payload, len, HWS_TRACE_PREVIEW);
        return;
    }
    if (len < 2) {
        return; /* no code (RFC 6455 5.5.1) */
    }
    hws__write_text(w, HWS__TEXT(": "));
    hws__write_number(w, hws__load_be16(payload));
    if (len > 2) {
        write_quoted(w, payload + 2, len - 2, HWS_REASON_MAX);
    }
}

size_t hws_trace_frame(uint8_t sent, const hws_frame *frame, const uint8_t *payload, char *out,
                       size_t cap) {
    hws__writer w = start(sent, out, cap);
    uint64_t len = frame->payload_len;
    write_opcode(&w, frame->opcode);
    write_flag(&w, frame->fin, HWS__TEXT(" FIN"));
    write_flag(&w, frame->rsv & 4, HWS__TEXT(" compressed"));
    write_flag(&w, frame->rsv & 2, HWS__TEXT(" RSV2"));
    write_flag(&w, frame->rsv & 1, HWS__TEXT(" RSV3"));
    write_flag(&w, frame->masked, HWS__TEXT(" masked"));
    hws__write_text(&w, HWS__TEXT(", "));
    hws__write_number(&w, len);
    hws__write_text(&w, len == 1 ? HWS__TEXT(" byte") : HWS__TEXT(" bytes"));
    if ((frame->opcode & HWS__CONTROL) != 0 && payload != NULL && len > 0) {
        write_payload(&w, frame->opcode, payload, len);
    }
    return finish(&w, cap);
}

/* Whether a text has one of these words in it, without case. The words end with spaces. */
static uint8_t has_word(hws_text text, const char *words) {
    size_t at = 0;
    while (words[at] != 0) {
        size_t len = 0;
        size_t i = 0;
        while (words[at + len] != ' ') {
            len++;
        }
        while (i + len <= text.len && !hws_text_equal_nocase((hws_text){text.data + i, len},
                                                             (hws_text){words + at, len})) {
            i++;
        }
        if (i + len <= text.len) {
            return 1;
        }
        at += len + 1;
    }
    return 0;
}

#define WORDS                                                                                      \
    "auth bearer cookie credential csrf jwt key otp pass pwd "                                     \
    "secret session sid sign ticket token xsrf "

/* Fields that speak of secrets and have none. */
static uint8_t is_harmless(hws_text name) {
    const hws_text names[] = {HWS__TEXT("Sec-WebSocket-Key"), HWS__TEXT("WWW-Authenticate"),
                              HWS__TEXT("Proxy-Authenticate"), HWS__TEXT(":authority")};
    size_t i = 0;
    while (i < sizeof names / sizeof names[0] && !hws_text_equal_nocase(name, names[i])) {
        i++;
    }
    return i < sizeof names / sizeof names[0];
}

/* Whether a list of subprotocols may hold a token: by a word, or by the length of a name. */
static uint8_t may_hold_token(hws_text value) {
    size_t run = 0;
    size_t i = 0;
    while (i < value.len && run <= HWS_TRACE_TOKEN) {
        run = hws__is_tchar((uint8_t)value.data[i]) ? run + 1 : 0;
        i++;
    }
    return run > HWS_TRACE_TOKEN || has_word(value, WORDS);
}

static uint8_t is_secret(hws_text name, hws_text value) {
    if (hws_text_equal_nocase(name, HWS__TEXT("Sec-WebSocket-Protocol"))) {
        return may_hold_token(value);
    }
    return has_word(name, WORDS) && !is_harmless(name);
}

/* Where the part of a URI before its query ends. */
static size_t hierarchy_end(hws_text uri) {
    size_t i = 0;
    while (i < uri.len && uri.data[i] != '?' && uri.data[i] != '#') {
        i++;
    }
    return i;
}

/* Where the userinfo ends, behind the last "@"; 0 when there is none. It is looked for in all that
 * is not plainly a path: how a malformed URI has to be read, nobody can know. */
static size_t userinfo_end(hws_text uri, size_t end) {
    size_t slashes = 0;
    while (slashes < 2 && slashes < end &&
           (uri.data[slashes] == '/' || uri.data[slashes] == '\\')) {
        slashes++;
    }
    if (slashes == 1) {
        return 0;
    }
    while (end > 0 && uri.data[end - 1] != '@') {
        end--;
    }
    return end;
}

/* One parameter of a query. What stands before "=" is shown when it looks like a name, and
 * something follows that the padding of Base64 is not. */
static void write_param(hws__writer *w, hws_text param) {
    size_t name = 0;
    size_t value;
    while (name < param.len && param.data[name] != '=') {
        name++;
    }
    value = name;
    while (value < param.len && param.data[value] == '=') {
        value++;
    }
    if (value < param.len && hws__is_token((hws_text){param.data, name})) {
        write_escaped(w, (hws_text){param.data, name + 1});
    }
    if (param.len > 0) {
        hws__write_text(w, HWS__TEXT(HIDDEN));
    }
}

/* The query from its "?" on; then the fragment. */
static void write_query(hws__writer *w, hws_text uri, size_t at) {
    while (at < uri.len && uri.data[at] != '#') {
        size_t end = at + 1;
        while (end < uri.len && uri.data[end] != '&' && uri.data[end] != '#') {
            end++;
        }
        write_byte(w, (uint8_t)uri.data[at]);
        write_param(w, (hws_text){uri.data + at + 1, end - at - 1});
        at = end;
    }
    if (at < uri.len) {
        hws__write_text(w, HWS__TEXT("#" HIDDEN));
    }
}

/* What is or may hold a URI. */
static void write_uri(hws__writer *w, hws_text uri) {
    size_t end = hierarchy_end(uri);
    size_t userinfo = userinfo_end(uri, end);
    if (userinfo > 0) {
        hws__write_text(w, HWS__TEXT(HIDDEN "@"));
    }
    write_escaped(w, (hws_text){uri.data + userinfo, end - userinfo});
    write_query(w, uri, end);
}

static void write_start(hws__writer *w, const hws_head *head, const uint8_t *buf) {
    hws_text version = head->minor_version == 0 ? HWS__TEXT("HTTP/1.0") : HWS__TEXT("HTTP/1.1");
    if (head->kind == HWS_HEAD_REQUEST) {
        write_escaped(w, hws__text_at(buf, head->method));
        hws__write_text(w, HWS__TEXT(" "));
        write_uri(w, hws__text_at(buf, head->target));
        hws__write_text(w, HWS__TEXT(" "));
        hws__write_text(w, version);
        return;
    }
    hws__write_text(w, version);
    hws__write_text(w, HWS__TEXT(" "));
    hws__write_number(w, head->status);
    hws__write_text(w, HWS__TEXT(" "));
    write_escaped(w, hws__text_at(buf, head->reason));
}

static void write_header(hws__writer *w, hws_text name, hws_text value) {
    write_escaped(w, name);
    hws__write_text(w, HWS__TEXT(": "));
    if (is_secret(name, value)) {
        hws__write_text(w, HWS__TEXT(HIDDEN));
    } else {
        write_uri(w, value);
    }
}

uint8_t hws_trace_head(uint8_t sent, const hws_head *head, const uint8_t *buf, uint32_t *line,
                       char *out, size_t cap) {
    hws__writer w = start(sent, out, cap);
    uint32_t first = head->kind != HWS_HEAD_LIST; /* lines before those of fields */
    if (*line >= head->header_count + first) {
        w.n = 0;
        w.full = 0;
        finish(&w, cap);
        return 0;
    }
    if (*line < first) {
        write_start(&w, head, buf);
    } else {
        const hws_header *header = &head->headers[*line - first];
        write_header(&w, hws__text_at(buf, header->name), hws__text_at(buf, header->value));
    }
    *line += 1;
    finish(&w, cap);
    return 1;
}
