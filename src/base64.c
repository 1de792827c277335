/*
 * Base64 with padding (RFC 4648 4): encoding, decoding, and recognition of a value of a known size.
 * Knows nothing of the handshake and the credentials that use it.
 */
#include "base64.h"

static const uint8_t alphabet[64] = {
    'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P',
    'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'a', 'b', 'c', 'd', 'e', 'f',
    'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v',
    'w', 'x', 'y', 'z', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '+', '/',
};

/* 1 for what is in the alphabet. */
static const uint8_t is_character[256] = {
    ['A'] = 1, ['B'] = 1, ['C'] = 1, ['D'] = 1, ['E'] = 1, ['F'] = 1, ['G'] = 1, ['H'] = 1,
    ['I'] = 1, ['J'] = 1, ['K'] = 1, ['L'] = 1, ['M'] = 1, ['N'] = 1, ['O'] = 1, ['P'] = 1,
    ['Q'] = 1, ['R'] = 1, ['S'] = 1, ['T'] = 1, ['U'] = 1, ['V'] = 1, ['W'] = 1, ['X'] = 1,
    ['Y'] = 1, ['Z'] = 1, ['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1, ['e'] = 1, ['f'] = 1,
    ['g'] = 1, ['h'] = 1, ['i'] = 1, ['j'] = 1, ['k'] = 1, ['l'] = 1, ['m'] = 1, ['n'] = 1,
    ['o'] = 1, ['p'] = 1, ['q'] = 1, ['r'] = 1, ['s'] = 1, ['t'] = 1, ['u'] = 1, ['v'] = 1,
    ['w'] = 1, ['x'] = 1, ['y'] = 1, ['z'] = 1, ['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1,
    ['4'] = 1, ['5'] = 1, ['6'] = 1, ['7'] = 1, ['8'] = 1, ['9'] = 1, ['+'] = 1, ['/'] = 1,
};

static uint8_t character(uint32_t group, unsigned shift) {
    return alphabet[group >> shift & 63];
}

/* One or two bytes, and padding. */
static void encode_rest(const uint8_t *data, size_t len, uint8_t *four) {
    uint32_t second = len > 1 ? data[1] : 0;
    uint32_t group = (uint32_t)data[0] << 16 | second << 8;
    four[0] = character(group, 18);
    four[1] = character(group, 12);
    four[2] = len > 1 ? character(group, 6) : '=';
    four[3] = '=';
}

size_t hws__base64_encode(const uint8_t *data, size_t len, uint8_t *out) {
    size_t groups = len / 3;
    size_t i = 0;
    while (i < groups) {
        uint32_t first = data[3 * i];
        uint32_t second = data[3 * i + 1];
        uint32_t group = first << 16 | second << 8 | data[3 * i + 2];
        out[4 * i] = character(group, 18);
        out[4 * i + 1] = character(group, 12);
        out[4 * i + 2] = character(group, 6);
        out[4 * i + 3] = character(group, 0);
        i++;
    }
    if (len > 3 * i) {
        encode_rest(data + 3 * i, len - 3 * i, out + 4 * i);
        i++;
    }
    return 4 * i;
}

void hws__base64_end(hws__base64 *encoder) {
    uint8_t four[4];
    size_t len = hws__base64_encode(encoder->group, encoder->have, four);
    hws__write(encoder->w, four, len);
    encoder->have = 0;
}

void hws__base64_put(hws__base64 *encoder, uint8_t byte) {
    encoder->group[encoder->have] = byte;
    encoder->have++;
    if (encoder->have == sizeof encoder->group) {
        hws__base64_end(encoder);
    }
}

enum { NO_CHARACTER = 64 };

/* The six bits that a character stands for. */
static uint8_t bits_of(uint8_t byte) {
    if (byte >= 'A' && byte <= 'Z') {
        return (uint8_t)(byte - 'A');
    }
    if (byte >= 'a' && byte <= 'z') {
        return (uint8_t)(byte - 'a' + 26);
    }
    if (byte >= '0' && byte <= '9') {
        return (uint8_t)(byte - '0' + 52);
    }
    if (byte == '+') {
        return 62;
    }
    return byte == '/' ? 63 : NO_CHARACTER;
}

/* Decodes `characters` of a group, and padding. Returns the number of bytes; 0 when it is none. */
static size_t decode_group(const uint8_t *four, size_t characters, uint8_t *three) {
    size_t bytes = characters - 1;
    uint32_t group = 0;
    uint8_t good = 1;
    size_t i = 0;
    while (i < characters) {
        uint8_t bits = bits_of(four[i]);
        good &= bits != NO_CHARACTER;
        group |= (uint32_t)bits << (18 - 6 * i);
        i++;
    }
    three[0] = (uint8_t)(group >> 16);
    three[1] = (uint8_t)(group >> 8);
    three[2] = (uint8_t)group;
    return good && (group & 0xFFFFFF >> 8 * bytes) == 0 ? bytes : 0; /* no unused bit is set */
}

uint8_t hws__base64_decode(const uint8_t *text, size_t len, hws__writer *w) {
    size_t i = 0;
    if (len % 4 != 0) {
        return 0;
    }
    while (i < len) {
        size_t padding = i + 4 == len && text[i + 3] == '=' ? (text[i + 2] == '=' ? 2 : 1) : 0;
        uint8_t three[3];
        size_t bytes = decode_group(text + i, 4 - padding, three);
        if (bytes == 0) {
            return 0;
        }
        hws__write(w, three, bytes);
        i += 4;
    }
    return 1;
}

uint8_t hws__base64_is(const uint8_t *text, size_t len, size_t bytes) {
    size_t rest = bytes % 3;
    if (len % 4 != 0 || len / 4 != bytes / 3 + (rest != 0)) {
        return 0;
    }
    size_t characters = len - (rest == 0 ? 0 : 3 - rest);
    uint8_t good = 1;
    size_t i = 0;
    while (i < characters) {
        good &= is_character[text[i]];
        i++;
    }
    while (i < len) {
        good &= text[i] == '=';
        i++;
    }
    return good;
}
