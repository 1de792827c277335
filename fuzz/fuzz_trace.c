/*
 * Any bytes as a head, or as a frame, to be shown. Invariant: a line is printable ASCII, starts
 * with its direction, is never longer than its room, and with less room is its own beginning and
 * dots; a head has as many lines as it should; and they are the same with other secrets:
 * credentials, cookies, values of queries, fragments and userinfo.
 *
 * The last byte chooses: 'q' is a request, 'p' a response, 'f' a frame, whose first ten bytes are
 * its opcode, its bits and its length, and whose payload is the rest.
 */
#include "head.h"

enum { ROOM = 8192, LONG = 65536, FRAME = 10 };

/* The room of cut lines: each up to some, and then steps. */
static size_t next_room(size_t cap) {
    return cap < 100 ? cap + 1 : cap + cap / 3;
}

static void check_line(const char *line, uint8_t sent) {
    size_t len = strlen(line);
    size_t i = 0;
    CHECK(len > 2 && line[0] == (sent ? '>' : '<') && line[1] == ' ');
    while (i < len) {
        CHECK(line[i] >= ' ' && line[i] <= '~');
        i++;
    }
}

/* A line that had `cap` bytes is the whole one, or its beginning. */
static void check_cut(const char *cut, size_t cap, const char *whole) {
    size_t len = cap > 0 ? strlen(cut) : 0;
    CHECK(cap == 0 || len < cap);
    if (cap < 4) {
        CHECK(len == 0);
    } else if (cap < strlen(whole) + 4) {
        CHECK(len >= 3 && memcmp(cut + len - 3, "...", 3) == 0);
        CHECK(memcmp(cut, whole, len - 3) == 0);
    } else {
        CHECK(strcmp(cut, whole) == 0);
    }
}

static void check_head_cuts(const hws_head *head, const uint8_t *data, uint32_t line,
                            const char *whole) {
    size_t cap = 0;
    while (cap < strlen(whole) + 200) {
        char *cut = malloc(cap > 0 ? cap : 1);
        uint32_t at = line;
        CHECK(cut != NULL);
        CHECK(hws_trace_head(0, head, data, &at, cut, cap) == 1 && at == line + 1);
        check_cut(cut, cap, whole);
        free(cut);
        cap = next_room(cap);
    }
}

/* All bytes of a part are others, but for those that give it its form. */
static void change(uint8_t *data, size_t from, size_t to, const char *kept) {
    while (from < to) {
        if (data[from] == 0 || strchr(kept, data[from]) == NULL) {
            data[from] = data[from] == 'x' ? 'y' : 'x';
        }
        from++;
    }
}

/* The first of some bytes from `at` on. */
static size_t find_any(const uint8_t *data, size_t at, size_t end, const char *bytes) {
    while (at < end && (data[at] == 0 || strchr(bytes, data[at]) == NULL)) {
        at++;
    }
    return at;
}

static void change_param(uint8_t *data, size_t at, size_t end) {
    size_t equals = find_any(data, at, end, "=");
    size_t value = equals;
    while (value < end && data[value] == '=') {
        value++;
    }
    /* A name that is shown, and one that is none: an "x" might look like one. */
    change(data, value < end ? value : at, value < end ? end : equals, "");
}

/* Userinfo, values and fragment of what may be a URI. */
static void change_uri(uint8_t *data, hws_span span) {
    size_t at = span.offset;
    size_t end = at + span.len;
    size_t query = find_any(data, at, end, "?#");
    size_t userinfo = query;
    uint8_t path = span.len > 0 && (data[at] == '/' || data[at] == '\\') &&
                   !(span.len > 1 && query > at + 1 && strchr("/\\", data[at + 1]) != NULL);
    while (userinfo > at && data[userinfo - 1] != '@') {
        userinfo--;
    }
    if (userinfo > at && !path) {
        change(data, at, userinfo - 1, "/\\");
    }
    at = query;
    while (at < end && data[at] != '#') {
        size_t stop = find_any(data, at + 1, end, "&#");
        change_param(data, at + 1, stop);
        at = stop;
    }
    change(data, at, end, "#");
}

static uint8_t is_named(const uint8_t *data, hws_span name, const char *const *names) {
    size_t i = 0;
    while (names[i] != NULL &&
           !hws_text_equal_nocase(hws_span_text(data, name), hws_text_from(names[i]))) {
        i++;
    }
    return names[i] != NULL;
}

/* A copy of a head with other secrets: its lines must not show it. */
static uint8_t *with_other_secrets(const hws_head *head, const uint8_t *data, size_t size) {
    static const char *const secrets[] = {"Authorization", "Proxy-Authorization", "Cookie",
                                          "Set-Cookie", NULL};
    static const char *const uris[] = {"Location", "Referer", "X-Original-URL", "Host", NULL};
    uint8_t *copy = fuzz_copy(data, size);
    uint32_t i = 0;
    change_uri(copy, head->target);
    while (i < head->header_count) {
        const hws_header *header = &head->headers[i];
        if (is_named(data, header->name, secrets)) {
            change(copy, header->value.offset, header->value.offset + header->value.len, "");
        } else if (is_named(data, header->name, uris)) {
            change_uri(copy, header->value);
        }
        i++;
    }
    return copy;
}

static void check_head(uint8_t kind, const uint8_t *data, size_t size) {
    static char line[LONG];
    static char other[LONG];
    hws_header headers[FUZZ_HEADERS];
    hws_head head;
    uint32_t at = 0;
    uint32_t other_at = 0;

    if (size > ROOM || fuzz_head_chunks(&head, kind, headers, data, size, size) != HWS_OK) {
        return;
    }
    uint8_t *copy = with_other_secrets(&head, data, size);
    while (hws_trace_head(0, &head, data, &at, line, sizeof line)) {
        check_line(line, 0);
        CHECK(hws_trace_head(0, &head, copy, &other_at, other, sizeof other) == 1);
        CHECK(strcmp(line, other) == 0);
        check_head_cuts(&head, data, at - 1, line);
    }
    CHECK(line[0] == 0 && at == head.header_count + 1);
    free(copy);
}

static void check_frame(const uint8_t *data, size_t size) {
    static char whole[HWS_TRACE_LINE];
    uint8_t padded[FRAME + HWS_CONTROL_MAX] = {0};
    hws_frame frame;
    size_t cap = 0;

    memcpy(padded, data, size < sizeof padded ? size : sizeof padded);
    memset(&frame, 0, sizeof frame);
    frame.opcode = padded[0];
    frame.fin = padded[1] & 1;
    frame.masked = padded[1] & 2;
    frame.rsv = padded[1] >> 2 & 7;
    memcpy(&frame.payload_len, padded + 2, sizeof frame.payload_len);
    size_t len = frame.payload_len < HWS_CONTROL_MAX ? (size_t)frame.payload_len : HWS_CONTROL_MAX;
    uint8_t *payload = fuzz_copy(padded + FRAME, len);
    size_t n = hws_trace_frame(1, &frame, payload, whole, sizeof whole);
    CHECK(n == strlen(whole) && n < sizeof whole - 4);
    check_line(whole, 1);
    while (cap < n + 100) {
        char *cut = malloc(cap > 0 ? cap : 1);
        CHECK(cut != NULL);
        size_t cut_len = hws_trace_frame(1, &frame, payload, cut, cap);
        check_cut(cut, cap, whole);
        CHECK(cap == 0 ? cut_len == 0 : cut_len == strlen(cut));
        free(cut);
        cap = next_room(cap);
    }
    n = hws_trace_frame(0, &frame, NULL, whole, sizeof whole);
    CHECK(n < 100);
    check_line(whole, 0);
    free(payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    switch (fuzz_option(data, &size) % 4) {
    case 'p' % 4:
        check_head(HWS_HEAD_RESPONSE, data, size);
        break;
    case 'f' % 4:
        check_frame(data, size);
        break;
    default:
        check_head(HWS_HEAD_REQUEST, data, size);
    }
    return 0;
}
