/*
 * The server's side of the opening handshake (RFC 6455 4.2): what a request is, and the 101. Knows
 * the rules of each field; how a head is framed is http.c's business, who may connect origin.c's.
 */
#include "base64.h"
#include "handshake.h"

uint8_t hws__head_only(const hws_head *head, const uint8_t *buf, hws_text name, hws_span *value) {
    uint32_t first = hws_head_find(head, buf, name, 0);
    if (first == head->header_count ||
        hws_head_find(head, buf, name, first + 1) != head->header_count) {
        return 0;
    }
    *value = head->headers[first].value;
    return 1;
}

uint8_t hws__head_lists(const hws_head *head, const uint8_t *buf, hws_text name, hws_text token) {
    hws_list list = {0, 0};
    hws_span element;
    while (hws_head_next(head, buf, name, &list, &element)) {
        if (hws_text_equal_nocase(hws_span_text(buf, element), token)) {
            return 1;
        }
    }
    return 0;
}

static uint8_t has(const hws_head *head, const uint8_t *buf, hws_text name) {
    return hws_head_find(head, buf, name, 0) != head->header_count;
}

/* The first byte from `at` on that is `byte` or `other`, or the end. */
static uint32_t find_byte(hws_text text, uint32_t at, char byte, char other) {
    while (at < text.len && text.data[at] != byte && text.data[at] != other) {
        at++;
    }
    return at;
}

/* The bytes of "http://" or "https://" at the start of a target in absolute-form, or 0. */
static uint32_t scheme_len(hws_text target) {
    static const hws_text schemes[] = {{"http://", 7}, {"https://", 8}};
    size_t i = 0;
    while (i < sizeof schemes / sizeof schemes[0]) {
        hws_text start = {target.data, schemes[i].len};
        if (target.len >= start.len && hws_text_equal_nocase(start, schemes[i])) {
            return (uint32_t)start.len;
        }
        i++;
    }
    return 0;
}

/* The host of a target in absolute-form (RFC 9112 3.2.2), a form that HTTP/2 does not have. */
static uint8_t take_authority(const hws_head *head, const uint8_t *buf, hws_span *authority) {
    hws_text text = hws_span_text(buf, head->target);
    uint32_t start = head->kind == HWS_HEAD_REQUEST ? scheme_len(text) : 0;
    uint32_t end = find_byte(text, start, '/', '?');
    hws__authority parsed;
    *authority = (hws_span){head->target.offset + start, end - start};
    return start > 0 && hws__authority_parse(hws_span_text(buf, *authority), &parsed) == HWS_OK;
}

/* Path and query of a target in origin-form or absolute-form, and the host of the latter (RFC 6455
 * 4.2.1). 0 for any other target: nothing is set then. */
static uint8_t take_target(const hws_head *head, const uint8_t *buf, hws_handshake *handshake) {
    hws_text text = hws_span_text(buf, head->target);
    hws_span authority = {head->target.offset, 0};
    if (text.len == 0 || find_byte(text, 0, '#', '#') < text.len) {
        return 0; /* :path is missing, or a fragment, which no request target has (RFC 9112 3.2) */
    }
    if (text.data[0] != '/' && !take_authority(head, buf, &authority)) {
        return 0;
    }
    uint32_t start = authority.offset + authority.len;
    uint32_t path = start - head->target.offset;
    uint32_t query = find_byte(text, path, '?', '?');
    handshake->path = (hws_span){start, query - path};
    if (query < text.len) {
        handshake->query =
            (hws_span){head->target.offset + query + 1, head->target.len - query - 1};
    }
    if (authority.len > 0) {
        handshake->host = authority;
    }
    if (query == path) {
        /* No path means "/" (RFC 9110 4.2.3): such a byte stands before the authority. */
        handshake->path = (hws_span){authority.offset - 1, 1};
    }
    return 1;
}

/* The host: on one line, and well-formed (RFC 9112 3.2). That of an absolute target goes before it,
 * but does not make a bad one good (3.2.2). */
static uint8_t take_host(const hws_head *head, const uint8_t *buf, hws_text name,
                         hws_handshake *handshake) {
    hws_span value;
    hws__authority parsed;
    if (!hws__head_only(head, buf, name, &value) ||
        hws__authority_parse(hws_span_text(buf, value), &parsed) != HWS_OK) {
        return 0;
    }
    if (handshake->host.len == 0) {
        handshake->host = value;
    }
    return 1;
}

/* Origin: one line at most. Of two neither can be believed, so none is kept. */
static uint8_t take_origin(const hws_head *head, const uint8_t *buf, hws_handshake *handshake) {
    hws_text name = HWS__TEXT("Origin");
    handshake->has_origin = has(head, buf, name);
    return !handshake->has_origin || hws__head_only(head, buf, name, &handshake->origin);
}

/* Sec-WebSocket-Version (RFC 6455 4.3): a number up to 255 without zeros before it, on one line.
 * One that is no such number is a broken field, and not a version to negotiate about. */
static hws_status check_version(const hws_head *head, const uint8_t *buf) {
    hws_span span;
    uint32_t number = 0;
    size_t i = 0;
    if (!hws__head_only(head, buf, HWS__TEXT("Sec-WebSocket-Version"), &span)) {
        return HWS_ERR_VERSION_FIELD;
    }
    hws_text value = hws_span_text(buf, span);
    while (i < value.len && i < 3 && hws__is_digit((uint8_t)value.data[i])) {
        number = number * 10 + (uint32_t)(value.data[i] - '0');
        i++;
    }
    if (i == 0 || i < value.len || number > 255 || (i > 1 && value.data[0] == '0')) {
        return HWS_ERR_VERSION_FIELD;
    }
    return number == 13 ? HWS_OK : HWS_ERR_VERSION;
}

static uint8_t take_key(const hws_head *head, const uint8_t *buf, hws_handshake *handshake) {
    return hws__head_only(head, buf, HWS__TEXT("Sec-WebSocket-Key"), &handshake->key) &&
           hws__base64_is(buf + handshake->key.offset, handshake->key.len, 16);
}

static uint8_t next_subprotocol(const hws_head *head, const uint8_t *buf, hws_list *list,
                                hws_text *subprotocol) {
    hws_span element;
    if (!hws_head_next(head, buf, HWS__TEXT("Sec-WebSocket-Protocol"), list, &element)) {
        return 0;
    }
    *subprotocol = hws_span_text(buf, element);
    return 1;
}

static uint8_t subprotocols_distinct(const hws_head *head, const uint8_t *buf) {
    hws_list list = {0, 0};
    hws_text a;
    while (next_subprotocol(head, buf, &list, &a)) {
        hws_list rest = list;
        hws_text b;
        while (next_subprotocol(head, buf, &rest, &b)) {
            if (hws__text_equal(a, b)) {
                return 0;
            }
        }
    }
    return 1;
}

/* Sec-WebSocket-Protocol: at least one, all of them distinct tokens (RFC 6455 4.1). They are
 * counted before they are compared with each other, which bounds the cost of that. */
static uint8_t take_subprotocols(const hws_head *head, const uint8_t *buf,
                                 hws_handshake *handshake) {
    hws_list list = {0, 0};
    hws_text subprotocol;
    uint32_t count = 0;
    if (!has(head, buf, HWS__TEXT("Sec-WebSocket-Protocol"))) {
        return 1;
    }
    while (next_subprotocol(head, buf, &list, &subprotocol)) {
        if (count == HWS_MAX_SUBPROTOCOLS || !hws__is_token(subprotocol)) {
            return 0;
        }
        count++;
    }
    handshake->subprotocol_count = count;
    return count > 0 && subprotocols_distinct(head, buf);
}

/* RFC 6455 4.2.1. The order decides which fault is told of several. */
static hws_status take_upgrade(const hws_head *head, const uint8_t *buf, hws_handshake *handshake) {
    handshake->kind = HWS_REQUEST_UPGRADE;
    if (!hws__text_equal(hws_span_text(buf, head->method), HWS__TEXT("GET"))) {
        return HWS_ERR_METHOD;
    }
    if (!take_target(head, buf, handshake)) {
        return HWS_ERR_TARGET;
    }
    if (!take_host(head, buf, HWS__TEXT("Host"), handshake)) {
        return HWS_ERR_HOST;
    }
    if (!hws__head_lists(head, buf, HWS__TEXT("Upgrade"), HWS__TEXT("websocket"))) {
        return HWS_ERR_UPGRADE;
    }
    if (!hws__head_lists(head, buf, HWS__TEXT("Connection"), HWS__TEXT("Upgrade"))) {
        return HWS_ERR_CONNECTION;
    }
    hws_status status = check_version(head, buf);
    if (status != HWS_OK) {
        return status;
    }
    if (!take_key(head, buf, handshake)) {
        return HWS_ERR_KEY;
    }
    /* A body would be read as frames by one side, and as a request by a proxy (RFC 9112 11.2). */
    if (head->body != HWS_BODY_NONE) {
        return HWS_ERR_BODY;
    }
    return HWS_OK;
}

/* RFC 8441 4: :scheme, :path and :authority have to be there as well. That no other pseudo-header
 * field is, and none a second time, hws_head_add() has seen to. */
static uint8_t take_pseudo(const hws_head *head, const uint8_t *buf, hws_handshake *handshake) {
    hws_span span;
    if (!hws__head_only(head, buf, HWS__TEXT(":scheme"), &span)) {
        return 0;
    }
    hws_text scheme = hws_span_text(buf, span);
    handshake->secure = hws_text_equal_nocase(scheme, HWS__TEXT("https"));
    return (handshake->secure || hws_text_equal_nocase(scheme, HWS__TEXT("http"))) &&
           take_target(head, buf, handshake) &&
           take_host(head, buf, HWS__TEXT(":authority"), handshake);
}

/* RFC 8441 5. Key and Upgrade have no meaning here. */
static hws_status take_connect(const hws_head *head, const uint8_t *buf, hws_handshake *handshake) {
    handshake->kind = HWS_REQUEST_CONNECT;
    if (!take_pseudo(head, buf, handshake)) {
        return HWS_ERR_PSEUDO_FIELD;
    }
    return check_version(head, buf);
}

/* A plain request: what can be had of it. Another part than Host that is missing or malformed stays
 * empty. HTTP/1.1 cannot do without a Host, and nobody with two or a bad one (RFC 9112 3.2). */
static hws_status take_plain(const hws_head *head, const uint8_t *buf, hws_handshake *handshake) {
    hws_text name = HWS__TEXT("Host");
    take_target(head, buf, handshake);
    take_origin(head, buf, handshake);
    if (head->kind == HWS_HEAD_LIST) {
        if (!take_host(head, buf, HWS__TEXT(":authority"), handshake)) {
            take_host(head, buf, name, handshake);
        }
        return HWS_OK;
    }
    if (head->minor_version == 0 && !has(head, buf, name)) {
        return HWS_OK;
    }
    return take_host(head, buf, name, handshake) ? HWS_OK : HWS_ERR_HOST;
}

/* RFC 9110 7.8: Upgrade in HTTP/1.0 is to be ignored. */
static uint8_t is_upgrade(const hws_head *head, const uint8_t *buf) {
    return head->minor_version > 0 &&
           (hws__head_lists(head, buf, HWS__TEXT("Upgrade"), HWS__TEXT("websocket")) ||
            has(head, buf, HWS__TEXT("Sec-WebSocket-Key")) ||
            has(head, buf, HWS__TEXT("Sec-WebSocket-Version")));
}

static uint8_t is_connect(const hws_head *head, const uint8_t *buf) {
    hws_span protocol;
    return hws__text_equal(hws_span_text(buf, head->method), HWS__TEXT("CONNECT")) &&
           hws__head_only(head, buf, HWS__TEXT(":protocol"), &protocol) &&
           hws_text_equal_nocase(hws_span_text(buf, protocol), HWS__TEXT("websocket"));
}

/* What both kinds of handshake have (RFC 8441 5). */
static hws_status take_options(const hws_head *head, const uint8_t *buf, hws_handshake *handshake) {
    if (!take_origin(head, buf, handshake)) {
        return HWS_ERR_ORIGIN;
    }
    if (!take_subprotocols(head, buf, handshake)) {
        return HWS_ERR_SUBPROTOCOL;
    }
    return hws__extensions_check(head, buf);
}

hws_status hws_handshake_parse(const hws_head *head, const uint8_t *buf, hws_handshake *handshake) {
    hws_status status;
    memset(handshake, 0, sizeof *handshake);
    if (head->kind == HWS_HEAD_REQUEST && is_upgrade(head, buf)) {
        status = take_upgrade(head, buf, handshake);
    } else if (head->kind == HWS_HEAD_LIST && is_connect(head, buf)) {
        status = take_connect(head, buf, handshake);
    } else {
        status = take_plain(head, buf, handshake);
    }
    if (status == HWS_OK && handshake->kind != HWS_REQUEST_PLAIN) {
        status = take_options(head, buf, handshake);
    }
    if (status != HWS_OK) {
        memset(handshake, 0, sizeof *handshake); /* a plain request, which cannot be accepted */
    }
    return status;
}

uint8_t hws_handshake_choose(const hws_head *head, const uint8_t *buf, const hws_text *supported,
                             size_t count, size_t *index) {
    hws_list list = {0, 0};
    hws_text offered;
    while (next_subprotocol(head, buf, &list, &offered)) {
        size_t i = 0;
        while (i < count && !hws__text_equal(offered, supported[i])) {
            i++;
        }
        if (i < count) {
            *index = i;
            return 1;
        }
    }
    return 0;
}

void hws_accept_config_init(hws_accept_config *config) {
    memset(config, 0, sizeof *config);
    config->size = sizeof *config;
}

hws_status hws__handshake_check_fields(const hws_field *fields, size_t count) {
    static const hws_text own[] = {{"Host", 4},
                                   {"Origin", 6},
                                   {"Upgrade", 7},
                                   {"Connection", 10},
                                   {"Content-Length", 14},
                                   {"Transfer-Encoding", 17},
                                   {"Sec-WebSocket-Key", 17},
                                   {"Sec-WebSocket-Accept", 20},
                                   {"Sec-WebSocket-Version", 21},
                                   {"Sec-WebSocket-Protocol", 22},
                                   {"Sec-WebSocket-Extensions", 24}};
    return hws__check_fields(fields, count, own, sizeof own / sizeof own[0]);
}

hws_status hws__accept_check(const hws_handshake *handshake, const hws_head *head,
                             const uint8_t *buf, const hws_accept_config *config) {
    size_t index;
    if (config->size != sizeof *config) {
        return HWS_ERR_ARGUMENT;
    }
    hws_status status = hws_handshake_check_origin(handshake, buf, &config->origin);
    if (status != HWS_OK) {
        return status;
    }
    status = hws__handshake_check_fields(config->fields, config->field_count);
    if (status != HWS_OK) {
        return status;
    }
    /* Only what was offered may be chosen (RFC 6455 4.2.2). */
    if (config->subprotocol.len > 0 &&
        !hws_handshake_choose(head, buf, &config->subprotocol, 1, &index)) {
        return hws__is_field_value(config->subprotocol) ? HWS_ERR_ARGUMENT : HWS_ERR_FIELD;
    }
    if (!hws__extensions_offered(head, buf, config->extensions)) {
        return hws__is_field_value(config->extensions) ? HWS_ERR_ARGUMENT : HWS_ERR_FIELD;
    }
    return hws__extensions_check_text(config->extensions);
}

/* The 101 of a handshake that was checked. */
static hws_status write_switch(const uint8_t *key, const hws_accept_config *config, uint8_t *out,
                               size_t cap, size_t *n) {
    hws__writer w = {out, cap, *n, 0};
    uint8_t accept[HWS_ACCEPT_LEN];
    size_t i = 0;
    hws_handshake_accept_value(key, accept);
    hws__write_text(&w, HWS__TEXT("HTTP/1.1 101 Switching Protocols\r\n"
                                  "Upgrade: websocket\r\n"
                                  "Connection: Upgrade\r\n"));
    hws__write_field(&w, HWS__TEXT("Sec-WebSocket-Accept"),
                     (hws_text){(const char *)accept, sizeof accept});
    if (config->subprotocol.len > 0) {
        hws__write_field(&w, HWS__TEXT("Sec-WebSocket-Protocol"), config->subprotocol);
    }
    if (config->extensions.len > 0) {
        hws__write_field(&w, HWS__TEXT("Sec-WebSocket-Extensions"), config->extensions);
    }
    while (i < config->field_count) {
        hws__write_field(&w, config->fields[i].name, config->fields[i].value);
        i++;
    }
    hws__write_text(&w, HWS__TEXT("\r\n"));
    if (w.full) {
        return HWS_ERR_SPACE;
    }
    *n = w.n;
    return HWS_OK;
}

hws_status hws_handshake_accept(const hws_handshake *handshake, const hws_head *head,
                                const uint8_t *buf, const hws_accept_config *config, uint8_t *out,
                                size_t cap, size_t *n) {
    if (handshake->kind != HWS_REQUEST_UPGRADE) {
        return HWS_ERR_ARGUMENT;
    }
    hws_status status = hws__accept_check(handshake, head, buf, config);
    if (status != HWS_OK) {
        return status;
    }
    return write_switch(buf + handshake->key.offset, config, out, cap, n);
}

hws_status hws_handshake_reject(hws_status status, uint8_t *out, size_t cap, size_t *n) {
    hws_text body = hws_text_from(hws_status_sentence(status));
    hws_field type = {HWS__TEXT("Content-Type"), HWS__TEXT("text/plain")};
    /* A status that is not one of a request has the code 0, which is refused there. */
    return hws_response_write(hws_status_http(status), &type, 1, (const uint8_t *)body.data,
                              body.len, out, cap, n);
}
