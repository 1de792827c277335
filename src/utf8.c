/*
 * UTF-8: the portable validator. Knows the grammar of RFC 3629 4, and nothing of frames or masks.
 *
 * The state between two bytes is the rule of the grammar that the next byte has to meet. A code
 * point is settled by its first two bytes: the lead byte says how many follow, and after E0, ED, F0
 * and F4 the second byte has a smaller range, which shuts out overlong forms, surrogates and what
 * lies above U+10FFFF. So eight states do, and a wrong byte is found where it stands.
 */
#include "utf8.h"

#include "kernel.h"

#include <hawser/utf8.h>

#include <string.h>

/* What may come next. HWS_UTF8_REJECT, 8, is the only state without a row. */
enum {
    START = HWS_UTF8_ACCEPT, /* a lead byte */
    TAIL_1,                  /* the last tail byte */
    TAIL_2,                  /* two tail bytes */
    TAIL_3,                  /* three tail bytes: after F1 … F3 */
    AFTER_E0,
    AFTER_ED,
    AFTER_F0,
    AFTER_F4,
    BAD = HWS_UTF8_REJECT
};

/* Bytes looked at together when no code point is open. */
enum { WINDOW = 8 };

typedef struct row {
    uint8_t lowest;
    uint8_t span; /* values from the lowest on */
    uint8_t next;
} row;

/* RFC 3629 4, the bytes after the first. The row of START is UTF8-1, that is ASCII. */
static const row rows[8] = {
    [START] = {0x00, 0x80, START},     [TAIL_1] = {0x80, 0x40, START},
    [TAIL_2] = {0x80, 0x40, TAIL_1},   [TAIL_3] = {0x80, 0x40, TAIL_2},
    [AFTER_E0] = {0xA0, 0x20, TAIL_1}, [AFTER_ED] = {0x80, 0x20, TAIL_1},
    [AFTER_F0] = {0x90, 0x30, TAIL_2}, [AFTER_F4] = {0x80, 0x10, TAIL_2},
};

/* RFC 3629 4: the state after a lead byte C0 … FF. C0 and C1 could only start overlong forms, F5
 * and above only what is greater than U+10FFFF. */
static const uint8_t leads[64] = {
    BAD,      BAD,    TAIL_1, TAIL_1, TAIL_1,   TAIL_1,   TAIL_1, TAIL_1, /* C0 */
    TAIL_1,   TAIL_1, TAIL_1, TAIL_1, TAIL_1,   TAIL_1,   TAIL_1, TAIL_1, /* C8 */
    TAIL_1,   TAIL_1, TAIL_1, TAIL_1, TAIL_1,   TAIL_1,   TAIL_1, TAIL_1, /* D0 */
    TAIL_1,   TAIL_1, TAIL_1, TAIL_1, TAIL_1,   TAIL_1,   TAIL_1, TAIL_1, /* D8 */
    AFTER_E0, TAIL_2, TAIL_2, TAIL_2, TAIL_2,   TAIL_2,   TAIL_2, TAIL_2, /* E0 */
    TAIL_2,   TAIL_2, TAIL_2, TAIL_2, TAIL_2,   AFTER_ED, TAIL_2, TAIL_2, /* E8 */
    AFTER_F0, TAIL_3, TAIL_3, TAIL_3, AFTER_F4, BAD,      BAD,    BAD,    /* F0 */
    BAD,      BAD,    BAD,    BAD,    BAD,      BAD,      BAD,    BAD,    /* F8 */
};

static int meets(row expected, uint8_t byte) {
    return (uint8_t)(byte - expected.lowest) < expected.span;
}

static uint32_t step(uint32_t state, uint8_t byte) {
    row expected = rows[state & 7];
    if (meets(expected, byte)) {
        return expected.next;
    }
    if (state == START && byte >= 0xC0) {
        return leads[byte & 0x3F];
    }
    return BAD;
}

/* The length of the whole code point that stands at data[i], when WINDOW bytes stand there; 0 for
 * ASCII, and for what is wrong: there the state machine knows the byte. */
static size_t whole(const uint8_t *data, size_t i) {
    uint8_t after = data[i] < 0xC0 ? BAD : leads[data[i] & 0x3F];
    if (after == BAD) {
        return 0;
    }
    row second = rows[after & 7];
    if (!meets(second, data[i + 1])) {
        return 0;
    }
    if (second.next == START) {
        return 2;
    }
    if (!meets(rows[TAIL_1], data[i + 2])) {
        return 0;
    }
    if (second.next == TAIL_1) {
        return 3;
    }
    return meets(rows[TAIL_1], data[i + 3]) ? 4 : 0;
}

static int is_ascii(const uint8_t *data, size_t i) {
    uint64_t word = 0;
    memcpy(&word, data + i, sizeof word);
    return (word & UINT64_C(0x8080808080808080)) == 0;
}

/* How many of the next WINDOW bytes are good at sight: all when they are ASCII, or the code point
 * that they start with, or none. */
static size_t glance(const uint8_t *data, size_t i) {
    return is_ascii(data, i) ? WINDOW : whole(data, i);
}

size_t hws__utf8_range(uint32_t *state, const uint8_t *data, size_t from, size_t to) {
    size_t windows_end = to < WINDOW ? 0 : to - WINDOW + 1;
    uint32_t s = *state;
    size_t i = from;
    while (i < to) {
        size_t known = s == START && i < windows_end ? glance(data, i) : 0;
        if (known > 0) {
            i += known;
            continue;
        }
        s = step(s, data[i]);
        if (s == BAD) {
            break;
        }
        i++;
    }
    *state = s;
    return i;
}

size_t hws__utf8_portable(uint32_t *state, const uint8_t *data, size_t len) {
    return hws__utf8_range(state, data, 0, len);
}

size_t hws_utf8_validate(uint32_t *state, const uint8_t *data, size_t len) {
    return hws__utf8(state, data, len);
}
