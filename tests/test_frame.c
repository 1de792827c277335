/*
 * Frame headers: every pair of first bytes in every context against rules that are written here
 * once more from the RFC, every length, every cut, every capacity. Knows frame.h only.
 */
#include "support.h"

#include <hawser/frame.h>
#include <hawser/status.h>

#include <string.h>

enum { CONTEXTS = 8, HEADER_ROOM = 14 };

/* --- the oracle: which rules two bytes break, a bit for each status -----------------------------
 */

static uint32_t bit(hws_status status) {
    return 1U << -status;
}

static int is_reserved_opcode(unsigned opcode) {
    return (opcode >= 3 && opcode <= 7) || opcode >= 11;
}

/* RFC 6455 5.2, 5.4, 5.5 and RFC 7692 6: what the first byte can show. */
static uint32_t broken_by_first(unsigned first, uint8_t context) {
    unsigned opcode = first % 16;
    unsigned rsv = first / 16 % 8;
    int data_start = opcode == 1 || opcode == 2;
    uint32_t broken = 0;

    if (is_reserved_opcode(opcode)) {
        broken |= bit(HWS_ERR_OPCODE);
    }
    if (rsv != 0 && !(rsv == 4 && data_start && (context & HWS_FRAME_RSV1) != 0)) {
        broken |= bit(HWS_ERR_RSV);
    }
    if (opcode >= 8 && first < 128) {
        broken |= bit(HWS_ERR_CONTROL_FRAGMENTED);
    }
    if (opcode == 0 && (context & HWS_FRAME_IN_MESSAGE) == 0) {
        broken |= bit(HWS_ERR_CONTINUATION);
    }
    if (data_start && (context & HWS_FRAME_IN_MESSAGE) != 0) {
        broken |= bit(HWS_ERR_INTERLEAVED);
    }
    return broken;
}

/* RFC 6455 5.1, 5.5, 5.5.1: what the second byte can show after a good first. */
static uint32_t broken_by_second(unsigned first, unsigned second, uint8_t context) {
    unsigned opcode = first % 16;
    int from_client = (context & HWS_FRAME_FROM_CLIENT) != 0;
    uint32_t broken = 0;

    if (from_client && second < 128) {
        broken |= bit(HWS_ERR_UNMASKED);
    }
    if (!from_client && second >= 128) {
        broken |= bit(HWS_ERR_MASKED);
    }
    if (opcode >= 8 && second % 128 > 125) {
        broken |= bit(HWS_ERR_CONTROL_LENGTH);
    }
    if (opcode == 8 && second % 128 == 1) {
        broken |= bit(HWS_ERR_CLOSE_LENGTH);
    }
    return broken;
}

static unsigned length_bytes(unsigned second) {
    return second % 128 == 126 ? 2 : second % 128 == 127 ? 8 : 0;
}

/* --- decoding -----------------------------------------------------------------------------------
 */

static hws_status decode_guarded(const uint8_t *header, size_t len, uint8_t context,
                                 hws_frame *frame) {
    static uint8_t *room;
    room = room == NULL ? guard_alloc(HEADER_ROOM) : room;
    memcpy(room + HEADER_ROOM - len, header, len);
    return hws_frame_decode(room + HEADER_ROOM - len, len, context, frame);
}

/* A header that breaks rules at byte `judged`: before that byte more is needed, from it on one of
 * the rules is named. */
static void expect_fault(const uint8_t *header, uint8_t context, uint32_t broken, size_t judged) {
    hws_frame frame;
    hws_frame before;
    size_t len = 0;

    while (len <= HEADER_ROOM) {
        memset(&frame, 0xAA, sizeof frame);
        before = frame;
        hws_status status = decode_guarded(header, len, context, &frame);
        if (len < judged) {
            assert_int_equal(status, HWS_NEED_MORE);
        } else {
            assert_true(status <= HWS_ERR_RSV && status >= HWS_ERR_CLOSE_LENGTH);
            assert_true((broken & bit(status)) != 0);
            assert_int_equal(frame.header_len, judged);
            before.header_len = frame.header_len;
        }
        assert_memory_equal(&frame, &before, sizeof frame);
        len++;
    }
}

static void expect_frame(const uint8_t *header, uint8_t context, uint64_t payload_len) {
    unsigned key_at = 2 + length_bytes(header[1]);
    hws_frame expected = {.payload_len = payload_len,
                          .fin = header[0] >= 128,
                          .rsv = header[0] / 16 % 8,
                          .opcode = header[0] % 16,
                          .masked = header[1] >= 128};
    hws_frame frame;
    size_t len = 0;

    expected.header_len = (uint8_t)(key_at + (expected.masked ? 4 : 0));
    if (expected.masked) {
        memcpy(expected.mask_key, header + key_at, 4);
    }
    while (len < expected.header_len) {
        assert_int_equal(decode_guarded(header, len, context, &frame), HWS_NEED_MORE);
        len++;
    }
    while (len <= HEADER_ROOM) {
        memset(&frame, 0xAA, sizeof frame);
        assert_int_equal(decode_guarded(header, len, context, &frame), HWS_OK);
        assert_memory_equal(&frame, &expected, sizeof frame);
        len++;
    }
}

static void judge_pair(unsigned pair, uint8_t context) {
    uint8_t header[HEADER_ROOM] = {(uint8_t)(pair >> 8), (uint8_t)pair};
    unsigned lengths = length_bytes(header[1]);
    uint32_t broken = broken_by_first(header[0], context);
    size_t i = 2;

    while (i < HEADER_ROOM) { /* a key, and what follows a header */
        header[i] = (uint8_t)(0xC0 + i);
        i++;
    }
    if (lengths == 8) {
        header[2] = 0x12; /* no top bit, more than 65535 */
    }
    if (broken != 0) {
        expect_fault(header, context, broken, 1);
        return;
    }
    broken = broken_by_second(header[0], header[1], context);
    if (broken != 0) {
        expect_fault(header, context, broken, 2);
        return;
    }
    uint64_t payload_len = lengths == 0 ? header[1] % 128 : 0;
    i = 0;
    while (i < lengths) {
        payload_len = payload_len * 256 + header[2 + i];
        i++;
    }
    expect_frame(header, context, payload_len);
}

static void every_pair_of_first_bytes_in_every_context(void **state) {
    uint8_t context = 0;
    (void)state;
    while (context < CONTEXTS) {
        unsigned pair = 0;
        while (pair < 65536) {
            judge_pair(pair, context);
            pair++;
        }
        context++;
    }
}

/* --- lengths ------------------------------------------------------------------------------------
 */

static void encode_and_decode(uint64_t payload_len, uint8_t masked) {
    uint8_t context = masked ? HWS_FRAME_FROM_CLIENT : 0;
    hws_frame frame = {.payload_len = payload_len,
                       .fin = 1,
                       .opcode = HWS_OPCODE_BINARY,
                       .masked = masked,
                       .mask_key = {1, 2, 3, 4}};
    size_t header_len = (payload_len <= 125 ? 2U : payload_len <= 65535 ? 4U : 10U) + 4U * masked;
    uint8_t out[HEADER_ROOM];
    hws_frame back;
    size_t n = 0;

    if (!masked) {
        memset(frame.mask_key, 0, 4);
    }
    frame.header_len = 99; /* ignored */
    assert_int_equal(hws_frame_encode(&frame, context, out, sizeof out, &n), HWS_OK);
    assert_int_equal(n, header_len);
    assert_int_equal(out[0], 0x82);
    assert_int_equal(out[1] % 128, payload_len <= 125     ? payload_len
                                   : payload_len <= 65535 ? 126
                                                          : 127);
    frame.header_len = (uint8_t)header_len;
    assert_int_equal(hws_frame_decode(out, n, context, &back), HWS_OK);
    assert_memory_equal(&back, &frame, sizeof frame);
}

static void every_length_is_encoded_in_its_shortest_form(void **state) {
    uint64_t len = 0;
    unsigned shift = 17;
    (void)state;
    while (len <= 70000) {
        encode_and_decode(len, 0);
        encode_and_decode(len, 1);
        len++;
    }
    while (shift < 64) {
        encode_and_decode((UINT64_C(1) << (shift - 1)) - 1, 1);
        encode_and_decode(UINT64_C(1) << (shift - 1), 0);
        encode_and_decode((UINT64_C(1) << (shift - 1)) + 1, 1);
        shift++;
    }
    encode_and_decode(INT64_MAX, 0);
    encode_and_decode(INT64_MAX, 1);
}

static void expect_length(uint8_t second, uint64_t len, hws_status expected) {
    uint8_t header[10] = {0x82, second};
    size_t bytes = second == 126 ? 2 : 8;
    size_t i = bytes;
    hws_frame frame;

    while (i > 0) {
        header[1 + i] = (uint8_t)len;
        len >>= 8;
        i--;
    }
    assert_int_equal(hws_frame_decode(header, 1 + bytes, 0, &frame), HWS_NEED_MORE);
    assert_int_equal(hws_frame_decode(header, 2 + bytes, 0, &frame), expected);
    assert_int_equal(frame.header_len, 2 + bytes);
}

static void a_length_in_a_longer_form_is_a_fault(void **state) {
    uint64_t len = 0;
    unsigned shift = 16;
    (void)state;
    while (len < 65536) {
        expect_length(126, len, len < 126 ? HWS_ERR_LENGTH_NOT_MINIMAL : HWS_OK);
        expect_length(127, len, HWS_ERR_LENGTH_NOT_MINIMAL);
        len++;
    }
    while (shift < 63) {
        expect_length(127, UINT64_C(1) << shift, HWS_OK);
        shift++;
    }
    expect_length(127, UINT64_C(1) << 63, HWS_ERR_LENGTH_TOP_BIT);
    expect_length(127, (UINT64_C(1) << 63) + 1, HWS_ERR_LENGTH_TOP_BIT);
    expect_length(127, UINT64_MAX, HWS_ERR_LENGTH_TOP_BIT);
    expect_length(127, INT64_MAX, HWS_OK);
}

/* --- encoding -----------------------------------------------------------------------------------
 */

static void expect_encode_error(const hws_frame *frame, uint8_t context, uint32_t broken) {
    uint8_t out[HEADER_ROOM + 2];
    uint8_t before[sizeof out];
    size_t n = 2;

    memset(out, 0xAA, sizeof out);
    memcpy(before, out, sizeof out);
    hws_status status = hws_frame_encode(frame, context, out, sizeof out, &n);
    assert_true(status < 0 && (broken & bit(status)) != 0);
    assert_int_equal(n, 2);
    assert_memory_equal(out, before, sizeof out);
}

static void judge_encode(unsigned first, uint8_t masked, uint64_t payload_len, uint8_t context) {
    hws_frame frame = {.payload_len = payload_len,
                       .fin = first >= 128,
                       .rsv = (uint8_t)(first / 16 % 8),
                       .opcode = first % 16,
                       .masked = masked};
    unsigned second = (payload_len < 126 ? (unsigned)payload_len : 127) + 128U * masked;
    uint32_t broken = broken_by_first(first, context) | broken_by_second(first, second, context);
    uint8_t out[HEADER_ROOM];
    size_t n = 0;

    if (payload_len > INT64_MAX) {
        broken |= bit(HWS_ERR_LENGTH_TOP_BIT);
    }
    if (broken != 0) {
        expect_encode_error(&frame, context, broken);
        return;
    }
    assert_int_equal(hws_frame_encode(&frame, context, out, sizeof out, &n), HWS_OK);
    assert_int_equal(out[0], first);
    assert_int_equal(out[1] >= 128, masked);
}

static void encode_is_judged_as_decode(void **state) {
    static const uint64_t lengths[] = {0, 1, 2, 125, 126, 65536, INT64_MAX, UINT64_C(1) << 63};
    unsigned i = 0;
    (void)state;
    while (i < 256 * 2 * CONTEXTS * 8) {
        judge_encode(i % 256, i / 256 % 2, lengths[i / 512 % 8], (uint8_t)(i / 4096));
        i++;
    }
}

static void a_field_out_of_its_range_is_refused(void **state) {
    static const hws_frame good = {.fin = 1, .opcode = HWS_OPCODE_TEXT};
    unsigned value = 2;
    (void)state;
    while (value < 256) {
        hws_frame frame = good;
        frame.fin = (uint8_t)value;
        expect_encode_error(&frame, 0, bit(HWS_ERR_ARGUMENT));
        frame = good;
        frame.masked = (uint8_t)value;
        expect_encode_error(&frame, HWS_FRAME_FROM_CLIENT, bit(HWS_ERR_ARGUMENT));
        frame = good;
        frame.rsv = (uint8_t)(value < 8 ? 8 : value);
        expect_encode_error(&frame, HWS_FRAME_RSV1, bit(HWS_ERR_ARGUMENT));
        frame = good;
        frame.opcode = (uint8_t)(value < 16 ? 16 : value);
        expect_encode_error(&frame, 0, bit(HWS_ERR_ARGUMENT));
        value++;
    }
}

/* A header in a buffer of every size, behind some bytes that stand there already. */
static void encode_at_every_capacity(uint64_t payload_len, uint8_t masked, size_t at) {
    hws_frame frame = {.payload_len = payload_len, .fin = 1, .opcode = 2, .masked = masked};
    size_t need = at + (payload_len <= 125 ? 2U : payload_len <= 65535 ? 4U : 10U) + 4U * masked;
    size_t cap = 0;

    while (cap <= need + 2) {
        uint8_t *out = guard_alloc(cap);
        size_t n = at;
        size_t i = 0;
        memset(out, 0x55, cap);
        hws_status status =
            hws_frame_encode(&frame, masked ? HWS_FRAME_FROM_CLIENT : 0, out, cap, &n);
        assert_int_equal(status, cap < need ? HWS_ERR_SPACE : HWS_OK);
        assert_int_equal(n, cap < need ? at : need);
        while (i < cap) {
            assert_true((i >= at && i < n) || out[i] == 0x55);
            i++;
        }
        guard_free(out, cap);
        cap++;
    }
}

static void encode_is_all_or_nothing_at_every_capacity(void **state) {
    static const uint64_t lengths[] = {0, 125, 126, 65535, 65536, INT64_MAX};
    size_t i = 0;
    (void)state;
    while (i < sizeof lengths / sizeof lengths[0]) {
        encode_at_every_capacity(lengths[i], 0, 0);
        encode_at_every_capacity(lengths[i], 1, 0);
        encode_at_every_capacity(lengths[i], 0, 3);
        encode_at_every_capacity(lengths[i], 1, 3);
        i++;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_first_bytes_in_every_context),
        cmocka_unit_test(every_length_is_encoded_in_its_shortest_form),
        cmocka_unit_test(a_length_in_a_longer_form_is_a_fault),
        cmocka_unit_test(encode_is_judged_as_decode),
        cmocka_unit_test(a_field_out_of_its_range_is_refused),
        cmocka_unit_test(encode_is_all_or_nothing_at_every_capacity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
