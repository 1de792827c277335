/*
 * Hosts and ports (RFC 3986 3.2.2, 3.2.3), wherever they stand: in a URI, in Host, in an origin.
 * Checks every byte, resolves and normalises nothing.
 */
#include "authority.h"

#include "http.h"

uint8_t hws__is_name_byte(uint8_t byte) {
    return (hws__classes[byte] & HWS__HOST_BYTE) != 0;
}

/* reg-name, which IPv4 addresses look like as well (RFC 3986 3.2.2); not empty (RFC 9110 4.2.1).
 * The grammar has percent-encoded bytes too, which no resolver understands. */
static size_t name_len(hws_text text) {
    size_t i = 0;
    while (i < text.len && hws__is_name_byte((uint8_t)text.data[i])) {
        i++;
    }
    return i;
}

/* dec-octet (RFC 3986 3.2.2): 0 to 255 without zeros before it. */
static uint8_t skip_octet(hws_text text, size_t *at) {
    size_t start = *at;
    uint32_t value = 0;
    while (*at < text.len && *at - start < 3 && hws__is_digit((uint8_t)text.data[*at])) {
        value = value * 10 + (uint32_t)(text.data[*at] - '0');
        (*at)++;
    }
    return *at > start && value <= 255 && (*at - start == 1 || text.data[start] != '0');
}

/* Whether an IPv4 address, and nothing else, stands from `at` on. */
static uint8_t is_ipv4(hws_text text, size_t at) {
    uint32_t octets = 0;
    while (skip_octet(text, &at)) {
        octets++;
        if (octets == 4 || at == text.len || text.data[at] != '.') {
            break;
        }
        at++;
    }
    return octets == 4 && at == text.len;
}

/* h16 (RFC 3986 3.2.2): one to four hex digits. */
static uint8_t skip_group(hws_text text, size_t *at) {
    size_t start = *at;
    while (*at < text.len && *at - start < 4 && hws__is_hex((uint8_t)text.data[*at])) {
        (*at)++;
    }
    return *at > start;
}

/* IPv6address (RFC 3986 3.2.2): eight groups, of which "::" stands for one or more once, and an
 * IPv4 address at the end for two. */
static uint8_t is_ipv6(hws_text text) {
    uint32_t groups = 0;
    uint8_t compressed = 0;
    size_t i = 0;
    while (i < text.len) {
        if (!compressed && text.len - i >= 2 && memcmp(text.data + i, "::", 2) == 0) {
            compressed = 1;
            i += 2;
            if (i == text.len) {
                break;
            }
        } else if (groups > 0) {
            if (text.data[i] != ':') {
                return 0;
            }
            i++;
        }
        if (is_ipv4(text, i)) {
            groups += 2;
            i = text.len;
        } else if (skip_group(text, &i)) {
            groups++;
        } else {
            return 0;
        }
    }
    return compressed ? groups < 8 : groups == 8;
}

/* The bytes of the host: with its brackets, or up to a colon. 0 when it is malformed. */
static size_t host_len(hws_text text) {
    size_t i = 0;
    if (text.len > 0 && text.data[0] == '[') {
        while (i < text.len && text.data[i] != ']') {
            i++;
        }
        return i < text.len && is_ipv6((hws_text){text.data + 1, i - 1}) ? i + 1 : 0;
    }
    return name_len(text);
}

/* What follows the host: nothing, or ":" and a port of 1 to 65535 (RFC 3986 3.2.3). An empty port
 * is as good as none. */
static uint8_t port_parse(hws_text text, size_t at, uint32_t *port) {
    size_t i = at + 1;
    if (text.len <= i) {
        return 1;
    }
    if (text.len - i > 5) {
        return 0;
    }
    while (i < text.len) {
        if (!hws__is_digit((uint8_t)text.data[i])) {
            return 0;
        }
        *port = *port * 10 + (uint32_t)(text.data[i] - '0');
        i++;
    }
    return *port >= 1 && *port <= 65535;
}

hws_status hws__authority_parse(hws_text text, hws__authority *authority) {
    size_t len = host_len(text);

    if (len == 0 || (len < text.len && text.data[len] != ':')) {
        return HWS_ERR_URI_HOST;
    }
    authority->host = (hws_text){text.data, len};
    authority->port = 0;
    return port_parse(text, len, &authority->port) ? HWS_OK : HWS_ERR_URI_PORT;
}
