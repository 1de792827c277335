/*
 * Base64 with padding (RFC 4648 4): encoding, and recognition of a value of a known size. Knows
 * nothing of the handshake that uses it.
 */
#include "base64.h"

static const uint8_t alphabet[64] = {
    'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P',
    'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'a', 'b', 'c', 'd', 'e', 'f',
    'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v',
    'w', 'x', 'y', 'z', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '+', '/',
};

static uint8_t character(uint32_t group, unsigned shift) {
    return alphabet[group >> shift & 63];
}

size_t hws__base64_encode(const uint8_t *data, size_t len, uint8_t *out) {
    size_t i = 0;
    while (i < len) {
        uint32_t second = i + 1 < len ? data[i + 1] : 0;
        uint32_t third = i + 2 < len ? data[i + 2] : 0;
        uint32_t group = (uint32_t)data[i] << 16 | second << 8 | third;
        uint8_t *four = out + i / 3 * 4;
        four[0] = character(group, 18);
        four[1] = character(group, 12);
        four[2] = i + 1 < len ? character(group, 6) : '=';
        four[3] = i + 2 < len ? character(group, 0) : '=';
        i += 3;
    }
    return i / 3 * 4;
}

static uint8_t is_character(uint8_t c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
}

uint8_t hws__base64_is(const uint8_t *text, size_t len, size_t bytes) {
    size_t rest = bytes % 3;
    if (len % 4 != 0 || len / 4 != bytes / 3 + (rest != 0)) {
        return 0;
    }
    size_t characters = len - (rest == 0 ? 0 : 3 - rest);
    size_t i = 0;
    while (i < len) {
        uint8_t good = i < characters ? is_character(text[i]) : text[i] == '=';
        if (!good) {
            return 0;
        }
        i++;
    }
    return 1;
}
