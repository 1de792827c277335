/*
 * One vector form of ChaCha8, made by including this file: a lane for each block, so that a vector
 * of 4, 8 or 16 lanes carries as many blocks, and the words of 16 blocks lie side by side. No guard
 * against a second inclusion: that is its purpose. chacha_simd.c defines
 *
 *   FORM                  the function to define
 *   TARGET                the attribute that allows its instructions, or nothing
 *   LANES                 words of a vector
 *   ROTATE_16, ROTATE_8   these rotations of each word of a vector
 *
 * The sixteen words are variables, not an array, so that they stay in registers.
 */
#define VECTOR WORDS(LANES)
#define SPREAD(word) ((VECTOR){0} + (word))

/* RFC 8439 2.1. */
#define QUARTER_ROUND(a, b, c, d)                                                                  \
    a += b;                                                                                        \
    d = ROTATE_16(d ^ a);                                                                          \
    c += d;                                                                                        \
    b = SHIFT(b ^ c, 12);                                                                          \
    a += b;                                                                                        \
    d = ROTATE_8(d ^ a);                                                                           \
    c += d;                                                                                        \
    b = SHIFT(b ^ c, 7)

#define PUT(word, vector, added)                                                                   \
    vector += (added);                                                                             \
    memcpy(out + 4 * (BLOCKS * (word) + first), &vector, sizeof vector)

TARGET void FORM(uint8_t out[HWS__CHACHA_LEN], const uint8_t key[HWS__CHACHA_KEY_LEN]) {
    /* RFC 8439 2.3: "expand 32-byte k", and the key. */
    uint32_t start[12] = {0x61707865, 0x3320646E, 0x79622D32, 0x6B206574};
    size_t first = 0; /* block of the first lane */
    memcpy(start + 4, key, HWS__CHACHA_KEY_LEN);
    while (first < BLOCKS) {
        VECTOR counter;
        memcpy(&counter, counters + first, sizeof counter);
        VECTOR x0 = SPREAD(start[0]), x1 = SPREAD(start[1]);
        VECTOR x2 = SPREAD(start[2]), x3 = SPREAD(start[3]);
        VECTOR x4 = SPREAD(start[4]), x5 = SPREAD(start[5]);
        VECTOR x6 = SPREAD(start[6]), x7 = SPREAD(start[7]);
        VECTOR x8 = SPREAD(start[8]), x9 = SPREAD(start[9]);
        VECTOR x10 = SPREAD(start[10]), x11 = SPREAD(start[11]);
        VECTOR x12 = counter, x13 = {0}, x14 = {0}, x15 = {0};
        unsigned round = 0;
        while (round < DOUBLE_ROUNDS) {
            QUARTER_ROUND(x0, x4, x8, x12);
            QUARTER_ROUND(x1, x5, x9, x13);
            QUARTER_ROUND(x2, x6, x10, x14);
            QUARTER_ROUND(x3, x7, x11, x15);
            QUARTER_ROUND(x0, x5, x10, x15);
            QUARTER_ROUND(x1, x6, x11, x12);
            QUARTER_ROUND(x2, x7, x8, x13);
            QUARTER_ROUND(x3, x4, x9, x14);
            round++;
        }
        FORGET(start);
        PUT(0, x0, start[0]);
        PUT(1, x1, start[1]);
        PUT(2, x2, start[2]);
        PUT(3, x3, start[3]);
        PUT(4, x4, start[4]);
        PUT(5, x5, start[5]);
        PUT(6, x6, start[6]);
        PUT(7, x7, start[7]);
        PUT(8, x8, start[8]);
        PUT(9, x9, start[9]);
        PUT(10, x10, start[10]);
        PUT(11, x11, start[11]);
        PUT(12, x12, counter);
        PUT(13, x13, 0);
        PUT(14, x14, 0);
        PUT(15, x15, 0);
        first += LANES;
    }
    memset(start, 0, sizeof start);
    FORGET(start);
}

#undef VECTOR
#undef SPREAD
#undef QUARTER_ROUND
#undef PUT
#undef FORM
#undef TARGET
#undef LANES
#undef ROTATE_16
#undef ROTATE_8
