/*
 * The grammar of Sec-WebSocket-Extensions (RFC 6455 9.1): names, parameters, values. The lines and
 * commas are hws_head_next()'s business. Also lists in texts of the caller, and whether one list
 * names what another does. Knows no extension.
 *
 * White space may stand between any two tokens, around "=" too: the grammar of RFC 6455 4.3 is of
 * the time when that was implied (RFC 2616 2.1).
 */
#include "extension.h"

#include "http_scan.h"

static void skip_space(const uint8_t *buf, hws_span *rest) {
    while (rest->len > 0 && hws__is_space(buf[rest->offset])) {
        rest->offset++;
        rest->len--;
    }
}

static hws_span take(hws_span *rest, uint32_t len) {
    hws_span taken = {rest->offset, len};
    rest->offset += len;
    rest->len -= len;
    return taken;
}

/* The token that rest starts with; of length 0 when there is none. */
static hws_span take_token(const uint8_t *buf, hws_span *rest) {
    size_t end = hws__skip_tchars(buf, rest->offset, (size_t)rest->offset + rest->len);
    return take(rest, (uint32_t)(end - rest->offset));
}

/* The inside of the quoted string that rest starts with, when it is a token once unescaped (RFC
 * 6455 9.1); of length 0 for anything else. */
static hws_span take_quoted(const uint8_t *buf, hws_span *rest) {
    hws_span nothing = {0, 0};
    hws_span inside;
    uint32_t i = 1;
    while (i < rest->len && buf[rest->offset + i] != '"') {
        if (buf[rest->offset + i] == '\\') {
            i++;
        }
        if (i == rest->len || !hws__is_tchar(buf[rest->offset + i])) {
            return nothing;
        }
        i++;
    }
    if (i == rest->len) {
        return nothing;
    }
    inside = (hws_span){rest->offset + 1, i - 1};
    take(rest, i + 1);
    return inside;
}

static void take_value(const uint8_t *buf, hws_extension *step) {
    skip_space(buf, &step->rest);
    if (step->rest.len == 0 || buf[step->rest.offset] != '=') {
        return;
    }
    take(&step->rest, 1);
    skip_space(buf, &step->rest);
    step->has_value = 1;
    step->quoted = step->rest.len > 0 && buf[step->rest.offset] == '"';
    step->value = step->quoted ? take_quoted(buf, &step->rest) : take_token(buf, &step->rest);
}

/* One step over the list in some lines. Both kinds of step leave rest empty, or at the
 * ";" of a parameter. */
static hws_status take_step(const hws__lines *lines, hws_extension *step) {
    const uint8_t *buf = lines->buf;
    hws_status kind = step->rest.len > 0 ? HWS_EXTENSION_PARAM : HWS_EXTENSION_NAME;
    step->value = (hws_span){0, 0};
    step->has_value = 0;
    step->quoted = 0;
    if (kind == HWS_EXTENSION_PARAM) {
        take(&step->rest, 1);
        skip_space(buf, &step->rest);
    } else if (!hws__lines_next(lines, &step->list, &step->rest)) {
        return HWS_EXTENSION_END;
    }
    step->name = take_token(buf, &step->rest);
    if (kind == HWS_EXTENSION_PARAM) {
        take_value(buf, step);
    }
    skip_space(buf, &step->rest);
    if (step->name.len == 0 || (step->has_value && step->value.len == 0) ||
        (step->rest.len > 0 && buf[step->rest.offset] != ';')) {
        return HWS_ERR_EXTENSION;
    }
    return kind;
}

static hws_status next(const hws__lines *lines, hws_extension *extension) {
    hws_extension step = *extension;
    hws_status status = take_step(lines, &step);
    if (status > HWS_EXTENSION_END) {
        *extension = step;
    }
    return status;
}

static hws_text field_name(void) {
    return HWS__TEXT("Sec-WebSocket-Extensions");
}

static hws__lines lines_of_head(const hws_head *head, const uint8_t *buf) {
    return hws__lines_of(head, buf, field_name());
}

/* A text of the caller is one line of a field, whose name is empty. */
static hws__lines lines_of_text(hws_text text, hws_header *line) {
    *line = (hws_header){{0, 0}, {0, (uint32_t)text.len}};
    return (hws__lines){line, (const uint8_t *)text.data, NULL, 0, text.len > 0};
}

hws_status hws_extension_next(const hws_head *head, const uint8_t *buf, hws_extension *extension) {
    hws__lines lines = lines_of_head(head, buf);
    return next(&lines, extension);
}

/* Whether lines keep to the grammar, with at least one extension in them (RFC 6455 9.1: 1#). */
static uint8_t is_list(const hws__lines *lines) {
    hws_extension step = {{0, 0}, {0, 0}, {0, 0}, {0, 0}, 0, 0, {0}};
    hws_status kind = take_step(lines, &step);
    uint8_t any = kind == HWS_EXTENSION_NAME;
    while (kind > HWS_EXTENSION_END) {
        kind = take_step(lines, &step);
    }
    return any && kind == HWS_EXTENSION_END;
}

/* The name of the next extension; 0 at the end. For lines that is_list() has approved. */
static uint8_t next_name(const hws__lines *lines, hws_list *at, hws_text *name) {
    hws_span element;
    if (!hws__lines_next(lines, at, &element)) {
        return 0;
    }
    *name = hws__text_at(lines->buf, take_token(lines->buf, &element));
    return 1;
}

/* Whether an extension is named. Names are compared with case. */
static uint8_t is_named(const hws__lines *lines, hws_text name) {
    hws_list at = {0, 0};
    hws_text other;
    while (next_name(lines, &at, &other)) {
        if (hws__text_equal(other, name)) {
            return 1;
        }
    }
    return 0;
}

/* Whether all extensions of one list are named in the other. */
static inline uint8_t are_named(const hws__lines *lines, const hws__lines *others) {
    hws_list at = {0, 0};
    hws_text name;
    while (next_name(lines, &at, &name)) {
        if (!is_named(others, name)) {
            return 0;
        }
    }
    return 1;
}

hws_status hws__extensions_check_lines(const hws__lines *lines) {
    return is_list(lines) ? HWS_OK : HWS_ERR_EXTENSION;
}

hws_status hws__extensions_check(const hws_head *head, const uint8_t *buf) {
    hws__lines lines = lines_of_head(head, buf);
    if (hws_head_find(head, buf, field_name(), 0) == head->header_count) {
        return HWS_OK;
    }
    return hws__extensions_check_lines(&lines);
}

hws_status hws__extensions_check_text(hws_text text) {
    hws_header line;
    hws__lines lines = lines_of_text(text, &line);
    if (text.len > UINT32_MAX) {
        return HWS_ERR_ARGUMENT; /* positions have 32 bits */
    }
    if (!hws__is_field_value(text)) {
        return HWS_ERR_FIELD;
    }
    return text.len == 0 || is_list(&lines) ? HWS_OK : HWS_ERR_ARGUMENT;
}

uint8_t hws__extensions_offered(const hws_head *head, const uint8_t *buf, hws_text text) {
    hws_header line;
    hws__lines used = lines_of_text(text, &line);
    hws__lines offered = lines_of_head(head, buf);
    return are_named(&used, &offered);
}

hws_status hws__extensions_verify(const hws_head *head, const uint8_t *buf, hws_text text) {
    hws_header line;
    hws__lines used = lines_of_head(head, buf);
    hws__lines offered = lines_of_text(text, &line);
    return are_named(&used, &offered) ? HWS_OK : HWS_ERR_EXTENSION;
}
