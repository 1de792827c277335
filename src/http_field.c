/*
 * Fields of a head that has been parsed: finding one by name, walking a list value, comparing
 * text. Also what a token and a field value are, for everybody who checks or writes them. Knows
 * nothing of how a head arrives.
 */
#include "http_scan.h"

/* Both classes have letters, digits and ! $ & ' * + - . _ ~; a token also # % ^ ` |, and a host
 * also ( ) ; = of the grammar's marks. */
const uint8_t hws__classes[256] = {
    [0x20] = 0, 3, 0, 1, 3, 1, 3, 3, 2, 2, 3, 3, 0, 3, 3, 0, /*   ! " # $ % & ' ( ) * + , - . / */
    [0x30] = 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 0, 2, 0, 2, 0, 0, /* 0 … 9 : ; < = > ? */
    [0x40] = 0, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, /* @ A … O */
    [0x50] = 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 0, 0, 0, 1, 3, /* P … Z [ \ ] ^ _ */
    [0x60] = 1, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, /* ` a … o */
    [0x70] = 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 0, 1, 0, 3, 0, /* p … z { | } ~ DEL */
};

uint8_t hws__is_token(hws_text text) {
    size_t i = 0;
    while (i < text.len && hws__is_tchar((uint8_t)text.data[i])) {
        i++;
    }
    return text.len > 0 && i == text.len;
}

uint8_t hws__is_field_value(hws_text text) {
    size_t i = 0;
    if (text.len == 0) {
        return 1;
    }
    if (hws__is_space((uint8_t)text.data[0]) || hws__is_space((uint8_t)text.data[text.len - 1])) {
        return 0;
    }
    while (i < text.len && hws__is_value_byte((uint8_t)text.data[i])) {
        i++;
    }
    return i == text.len;
}

hws_text hws_span_text(const uint8_t *buf, hws_span span) {
    hws_text text = {NULL, 0};
    if (span.len > 0) {
        text.data = (const char *)buf + span.offset;
        text.len = span.len;
    }
    return text;
}

/* Whether two bytes are the same, or the same letter. */
static uint8_t equal_nocase(char a, char b) {
    uint8_t lower = (uint8_t)(a | 0x20);
    return a == b || ((a ^ b) == 0x20 && lower >= 'a' && lower <= 'z');
}

uint8_t hws_text_equal_nocase(hws_text a, hws_text b) {
    size_t i = 0;
    if (a.len != b.len) {
        return 0;
    }
    while (i < a.len && equal_nocase(a.data[i], b.data[i])) {
        i++;
    }
    return i == a.len;
}

static uint8_t is_line(const hws__lines *lines, uint32_t i) {
    hws_text name = {lines->name, lines->name_len};
    return name.data == NULL ||
           hws_text_equal_nocase(hws__text_at(lines->buf, lines->headers[i].name), name);
}

/* The next of the lines from `from` on; their number when there is none. */
static uint32_t find(const hws__lines *lines, uint32_t from) {
    uint32_t i = from;
    while (i < lines->count && !is_line(lines, i)) {
        i++;
    }
    return i < lines->count ? i : lines->count;
}

hws__lines hws__lines_of(const hws_head *head, const uint8_t *buf, hws_text name) {
    return (hws__lines){head->headers, buf, name.data, (uint32_t)name.len, head->header_count};
}

uint32_t hws_head_find(const hws_head *head, const uint8_t *buf, hws_text name, uint32_t from) {
    hws__lines lines = hws__lines_of(head, buf, name);
    return find(&lines, from);
}

/* The end of the quoted string whose inside starts at `at`; a backslash takes the next byte with it
 * (RFC 9110 5.6.4). A string left open ends with the line. */
static uint32_t string_end(const uint8_t *value, uint32_t len, uint32_t at) {
    uint8_t escaped = 0;
    while (at < len && (escaped || value[at] != '"')) {
        escaped = !escaped && value[at] == '\\';
        at++;
    }
    return at < len ? at + 1 : len;
}

/* The end of the element that starts at `at`: the next comma outside a quoted string. */
static uint32_t element_end(const uint8_t *value, uint32_t len, uint32_t at) {
    for (;;) {
        at = (uint32_t)hws__find_either(value, at, len, ',', '"');
        if (at == len || value[at] == ',') {
            return at;
        }
        at = string_end(value, len, at + 1);
    }
}

/* Take the next element of one line, from `*at` on. Empty ones are skipped (RFC 9110 5.6.1.2). */
static uint8_t next_in_line(const uint8_t *value, uint32_t len, uint32_t *at, hws_span *element) {
    uint32_t start = *at;
    uint32_t end;
    while (start < len && (value[start] == ',' || hws__is_space(value[start]))) {
        start++;
    }
    end = element_end(value, len, start);
    *at = end;
    while (end > start && hws__is_space(value[end - 1])) {
        end--;
    }
    element->offset = start;
    element->len = end - start;
    return end > start;
}

uint8_t hws__lines_next(const hws__lines *lines, hws_list *list, hws_span *element) {
    for (;;) {
        uint32_t index = find(lines, list->index);
        if (index != list->index) {
            list->index = index;
            list->at = 0;
        }
        if (index == lines->count) {
            return 0;
        }
        hws_span value = lines->headers[index].value;
        if (next_in_line(lines->buf + value.offset, value.len, &list->at, element)) {
            element->offset += value.offset;
            return 1;
        }
        list->index = index + 1;
        list->at = 0;
    }
}

uint8_t hws_head_next(const hws_head *head, const uint8_t *buf, hws_text name, hws_list *list,
                      hws_span *element) {
    hws__lines lines = hws__lines_of(head, buf, name);
    return hws__lines_next(&lines, list, element);
}
