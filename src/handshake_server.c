/*
 * The server's side of the opening handshake (RFC 6455 4.2.1): what a request is. Knows the rules
 * of each field; how a head is framed is http.c's business, the answer handshake_accept.c's.
 *
 * The lines of a head are looked at once, and what is a field of the handshake is kept by its
 * place.
 */
#include "base64.h"
#include "handshake.h"
#include "http_scan.h"

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
        if (hws_text_equal_nocase(hws__text_at(buf, element), token)) {
            return 1;
        }
    }
    return 0;
}

/* The fields that make a request a handshake or not. */
enum field {
    HOST,
    ORIGIN,
    UPGRADE,
    CONNECTION,
    KEY,
    VERSION,
    SUBPROTOCOL,
    EXTENSIONS,
    OTHER /* any other field, and their number */
};

static const hws_text field_names[OTHER] = {[HOST] = {"Host", 4},
                                            [ORIGIN] = {"Origin", 6},
                                            [UPGRADE] = {"Upgrade", 7},
                                            [CONNECTION] = {"Connection", 10},
                                            [KEY] = {"Sec-WebSocket-Key", 17},
                                            [VERSION] = {"Sec-WebSocket-Version", 21},
                                            [SUBPROTOCOL] = {"Sec-WebSocket-Protocol", 22},
                                            [EXTENSIONS] = {"Sec-WebSocket-Extensions", 24}};

/* A head, and where its lines of these fields stand. */
typedef struct request {
    const hws_head *head;
    const uint8_t *buf;
    struct {
        uint32_t count;
        uint32_t first; /* index in head->headers */
    } fields[OTHER];
} request;

static enum field field_if(hws_text name, enum field field) {
    return hws__is_name(name, field_names[field]) ? field : OTHER;
}

/* No two of the names have the same length. */
static enum field field_of(hws_text name) {
    switch (name.len) {
    case 4:
        return field_if(name, HOST);
    case 6:
        return field_if(name, ORIGIN);
    case 7:
        return field_if(name, UPGRADE);
    case 10:
        return field_if(name, CONNECTION);
    case 17:
        return field_if(name, KEY);
    case 21:
        return field_if(name, VERSION);
    case 22:
        return field_if(name, SUBPROTOCOL);
    case 24:
        return field_if(name, EXTENSIONS);
    default:
        return OTHER;
    }
}

/* All lines of the head, looked at once. */
static void find_fields(request *r, const hws_head *head, const uint8_t *buf) {
    uint32_t i = 0;
    memset(r, 0, sizeof *r);
    r->head = head;
    r->buf = buf;
    while (i < head->header_count) {
        enum field field = field_of(hws__text_at(buf, head->headers[i].name));
        if (field != OTHER) {
            r->fields[field].first = r->fields[field].count == 0 ? i : r->fields[field].first;
            r->fields[field].count++;
        }
        i++;
    }
}

static uint8_t has(const request *r, enum field field) {
    return r->fields[field].count > 0;
}

/* The value of a field that must stand on one line. */
static uint8_t only(const request *r, enum field field, hws_span *value) {
    if (r->fields[field].count != 1) {
        return 0;
    }
    *value = r->head->headers[r->fields[field].first].value;
    return 1;
}

/* The lines of a field that is there. One that stands alone, as most do, is not searched for again.
 */
static hws__lines lines_of(const request *r, enum field field) {
    const hws_header *headers = r->head->headers + r->fields[field].first;
    if (r->fields[field].count == 1) {
        return (hws__lines){headers, r->buf, NULL, 0, 1};
    }
    return (hws__lines){headers, r->buf, field_names[field].data, (uint32_t)field_names[field].len,
                        r->head->header_count - r->fields[field].first};
}

/* Whether one element of a list-valued field is this token, without case. Mostly it is the only
 * one. */
static uint8_t lists(const request *r, enum field field, hws_text token) {
    hws_list list = {0, 0};
    hws_span element;
    if (only(r, field, &element) && hws__is_name(hws__text_at(r->buf, element), token)) {
        return 1;
    }
    if (!has(r, field)) {
        return 0;
    }
    hws__lines lines = lines_of(r, field);
    while (hws__lines_next(&lines, &list, &element)) {
        if (hws__is_name(hws__text_at(r->buf, element), token)) {
            return 1;
        }
    }
    return 0;
}

/* The first byte from `at` on that is `one` or `other`, or the end. */
static uint32_t find_byte(hws_text text, uint32_t at, uint8_t one, uint8_t other) {
    return (uint32_t)hws__find_either((const uint8_t *)text.data, at, text.len, one, other);
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
    hws_text text = hws__text_at(buf, head->target);
    uint32_t start = head->kind == HWS_HEAD_REQUEST ? scheme_len(text) : 0;
    uint32_t end = find_byte(text, start, '/', '?');
    hws__authority parsed;
    *authority = (hws_span){head->target.offset + start, end - start};
    return start > 0 && hws__authority_parse(hws__text_at(buf, *authority), &parsed) == HWS_OK;
}

/* Path and query of a target in origin-form or absolute-form, and the host of the latter (RFC 6455
 * 4.2.1). 0 for any other target: nothing is set then. */
static uint8_t take_target(const hws_head *head, const uint8_t *buf, hws_handshake *handshake) {
    hws_text text = hws__text_at(buf, head->target);
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

/* The host has to be well-formed (RFC 9112 3.2). That of an absolute target goes before it, but
 * does not make a bad one good (3.2.2). */
static uint8_t take_host(const uint8_t *buf, hws_span value, hws_handshake *handshake) {
    hws__authority parsed;
    if (hws__authority_parse(hws__text_at(buf, value), &parsed) != HWS_OK) {
        return 0;
    }
    if (handshake->host.len == 0) {
        handshake->host = value;
    }
    return 1;
}

/* Host stands on one line (RFC 9112 3.2). */
static uint8_t take_host_field(const request *r, hws_handshake *handshake) {
    hws_span value;
    return only(r, HOST, &value) && take_host(r->buf, value, handshake);
}

/* The same of HTTP/2 (RFC 9113 8.3.1). */
static uint8_t take_host_pseudo(const request *r, hws_handshake *handshake) {
    hws_span value;
    return hws__head_only(r->head, r->buf, HWS__TEXT(":authority"), &value) &&
           take_host(r->buf, value, handshake);
}

/* Origin: one line at most. Of two neither can be believed, so none is kept. */
static uint8_t take_origin(const request *r, hws_handshake *handshake) {
    handshake->has_origin = has(r, ORIGIN);
    return !handshake->has_origin || only(r, ORIGIN, &handshake->origin);
}

/* Sec-WebSocket-Version (RFC 6455 4.3): a number up to 255 without zeros before it, on one line.
 * One that is no such number is a broken field, and not a version to negotiate about. */
static hws_status check_version(const request *r) {
    hws_span span;
    uint32_t number = 0;
    size_t i = 0;
    if (!only(r, VERSION, &span)) {
        return HWS_ERR_VERSION_FIELD;
    }
    hws_text value = hws__text_at(r->buf, span);
    while (i < value.len && i < 3 && hws__is_digit((uint8_t)value.data[i])) {
        number = number * 10 + (uint32_t)(value.data[i] - '0');
        i++;
    }
    if (i == 0 || i < value.len || number > 255 || (i > 1 && value.data[0] == '0')) {
        return HWS_ERR_VERSION_FIELD;
    }
    return number == 13 ? HWS_OK : HWS_ERR_VERSION;
}

static uint8_t take_key(const request *r, hws_handshake *handshake) {
    return only(r, KEY, &handshake->key) &&
           hws__base64_is(r->buf + handshake->key.offset, handshake->key.len, 16);
}

static uint8_t next_subprotocol(const hws__lines *lines, hws_list *list, hws_text *subprotocol) {
    hws_span element;
    if (!hws__lines_next(lines, list, &element)) {
        return 0;
    }
    *subprotocol = hws__text_at(lines->buf, element);
    return 1;
}

/* Whether `count` of them, which are all, differ. */
static uint8_t subprotocols_distinct(const hws__lines *lines, uint32_t count) {
    hws_list list = {0, 0};
    hws_text a;
    while (count > 1 && next_subprotocol(lines, &list, &a)) {
        hws_list rest = list;
        hws_text b;
        uint32_t left = count - 1;
        while (left > 0 && next_subprotocol(lines, &rest, &b)) {
            if (hws__text_equal(a, b)) {
                return 0;
            }
            left--;
        }
        count--;
    }
    return 1;
}

/* Sec-WebSocket-Protocol: at least one, all of them distinct tokens (RFC 6455 4.1). They are
 * counted before they are compared with each other, which bounds the cost of that. */
static uint8_t take_subprotocols(const request *r, hws_handshake *handshake) {
    hws_list list = {0, 0};
    hws_text subprotocol;
    uint32_t count = 0;
    if (!has(r, SUBPROTOCOL)) {
        return 1;
    }
    hws__lines lines = lines_of(r, SUBPROTOCOL);
    while (next_subprotocol(&lines, &list, &subprotocol)) {
        if (count == HWS_MAX_SUBPROTOCOLS || !hws__is_token(subprotocol)) {
            return 0;
        }
        count++;
    }
    handshake->subprotocol_count = count;
    return count > 0 && subprotocols_distinct(&lines, count);
}

/* RFC 6455 4.2.1. The order decides which fault is told of several. */
static hws_status take_upgrade(const request *r, hws_handshake *handshake) {
    handshake->kind = HWS_REQUEST_UPGRADE;
    if (!hws__text_equal(hws__text_at(r->buf, r->head->method), HWS__TEXT("GET"))) {
        return HWS_ERR_METHOD;
    }
    if (!take_target(r->head, r->buf, handshake)) {
        return HWS_ERR_TARGET;
    }
    if (!take_host_field(r, handshake)) {
        return HWS_ERR_HOST;
    }
    if (!lists(r, UPGRADE, HWS__TEXT("websocket"))) {
        return HWS_ERR_UPGRADE;
    }
    if (!lists(r, CONNECTION, HWS__TEXT("Upgrade"))) {
        return HWS_ERR_CONNECTION;
    }
    hws_status status = check_version(r);
    if (status != HWS_OK) {
        return status;
    }
    if (!take_key(r, handshake)) {
        return HWS_ERR_KEY;
    }
    /* A body would be read as frames by one side, and as a request by a proxy (RFC 9112 11.2). */
    if (r->head->body != HWS_BODY_NONE) {
        return HWS_ERR_BODY;
    }
    return HWS_OK;
}

/* RFC 8441 4: :scheme, :path and :authority have to be there as well. That no other pseudo-header
 * field is, and none a second time, hws_head_add() has seen to. */
static uint8_t take_pseudo(const request *r, hws_handshake *handshake) {
    hws_span span;
    if (!hws__head_only(r->head, r->buf, HWS__TEXT(":scheme"), &span)) {
        return 0;
    }
    hws_text scheme = hws__text_at(r->buf, span);
    handshake->secure = hws_text_equal_nocase(scheme, HWS__TEXT("https"));
    return (handshake->secure || hws_text_equal_nocase(scheme, HWS__TEXT("http"))) &&
           take_target(r->head, r->buf, handshake) && take_host_pseudo(r, handshake);
}

/* RFC 8441 5. Key and Upgrade have no meaning here. */
static hws_status take_connect(const request *r, hws_handshake *handshake) {
    handshake->kind = HWS_REQUEST_CONNECT;
    if (!take_pseudo(r, handshake)) {
        return HWS_ERR_PSEUDO_FIELD;
    }
    return check_version(r);
}

/* A plain request: what can be had of it. Another part than Host that is missing or malformed stays
 * empty. HTTP/1.1 cannot do without a Host, and nobody with two or a bad one (RFC 9112 3.2). */
static hws_status take_plain(const request *r, hws_handshake *handshake) {
    take_target(r->head, r->buf, handshake);
    take_origin(r, handshake);
    if (r->head->kind == HWS_HEAD_LIST) {
        if (!take_host_pseudo(r, handshake)) {
            take_host_field(r, handshake);
        }
        return HWS_OK;
    }
    if (r->head->minor_version == 0 && !has(r, HOST)) {
        return HWS_OK;
    }
    return take_host_field(r, handshake) ? HWS_OK : HWS_ERR_HOST;
}

/* RFC 9110 7.8: Upgrade in HTTP/1.0 is to be ignored. */
static uint8_t is_upgrade(const request *r) {
    return r->head->minor_version > 0 &&
           (has(r, KEY) || has(r, VERSION) || lists(r, UPGRADE, HWS__TEXT("websocket")));
}

static uint8_t is_connect(const request *r) {
    hws_span protocol;
    return hws__text_equal(hws__text_at(r->buf, r->head->method), HWS__TEXT("CONNECT")) &&
           hws__head_only(r->head, r->buf, HWS__TEXT(":protocol"), &protocol) &&
           hws_text_equal_nocase(hws__text_at(r->buf, protocol), HWS__TEXT("websocket"));
}

/* What both kinds of handshake have (RFC 8441 5). */
static hws_status take_options(const request *r, hws_handshake *handshake) {
    if (!take_origin(r, handshake)) {
        return HWS_ERR_ORIGIN;
    }
    if (!take_subprotocols(r, handshake)) {
        return HWS_ERR_SUBPROTOCOL;
    }
    if (!has(r, EXTENSIONS)) {
        return HWS_OK;
    }
    hws__lines extensions = lines_of(r, EXTENSIONS);
    return hws__extensions_check_lines(&extensions);
}

hws_status hws_handshake_parse(const hws_head *head, const uint8_t *buf, hws_handshake *handshake) {
    request r;
    hws_status status;
    find_fields(&r, head, buf);
    memset(handshake, 0, sizeof *handshake);
    if (head->kind == HWS_HEAD_REQUEST && is_upgrade(&r)) {
        status = take_upgrade(&r, handshake);
    } else if (head->kind == HWS_HEAD_LIST && is_connect(&r)) {
        status = take_connect(&r, handshake);
    } else {
        status = take_plain(&r, handshake);
    }
    if (status == HWS_OK && handshake->kind != HWS_REQUEST_PLAIN) {
        status = take_options(&r, handshake);
    }
    if (status != HWS_OK) {
        memset(handshake, 0, sizeof *handshake); /* a plain request, which cannot be accepted */
    }
    return status;
}
