/*
 * Frame headers: decoding, encoding, and every rule about them. Knows one frame and the bits of
 * context that its rules need; knows nothing of connections or buffers.
 */
#include "frame.h"

/* Opcodes that mean something, a bit each. RFC 6455 5.2. */
static const uint16_t known_opcodes = 1U << HWS_OPCODE_CONTINUATION | 1U << HWS_OPCODE_TEXT |
                                      1U << HWS_OPCODE_BINARY | 1U << HWS_OPCODE_CLOSE |
                                      1U << HWS_OPCODE_PING | 1U << HWS_OPCODE_PONG;

hws_status hws__frame_judge_first(uint8_t first, uint8_t context) {
    uint8_t opcode = first & HWS__OPCODE;
    uint8_t rsv = first & HWS__RSV;

    if ((known_opcodes >> opcode & 1) == 0) {
        return HWS_ERR_OPCODE; /* RFC 6455 5.2 */
    }
    /* RFC 7692 6: RSV1 is for the first frame of a data message only. */
    if (rsv != 0 && (rsv != HWS__RSV1 || (context & HWS_FRAME_RSV1) == 0 ||
                     (opcode != HWS_OPCODE_TEXT && opcode != HWS_OPCODE_BINARY))) {
        return HWS_ERR_RSV; /* RFC 6455 5.2 */
    }
    if ((opcode & HWS__CONTROL) != 0) {
        return (first & HWS__FIN) != 0 ? HWS_OK : HWS_ERR_CONTROL_FRAGMENTED; /* RFC 6455 5.5 */
    }
    if ((context & HWS_FRAME_IN_MESSAGE) == 0) {
        return opcode == HWS_OPCODE_CONTINUATION ? HWS_ERR_CONTINUATION : HWS_OK; /* RFC 6455 5.4 */
    }
    return opcode == HWS_OPCODE_CONTINUATION ? HWS_OK : HWS_ERR_INTERLEAVED; /* RFC 6455 5.4 */
}

hws_status hws__frame_judge_second(uint8_t first, uint8_t second, uint8_t context) {
    uint8_t masked = second & HWS__MASK;
    uint8_t len7 = second & HWS__LEN7;

    if (masked == 0 && (context & HWS_FRAME_FROM_CLIENT) != 0) {
        return HWS_ERR_UNMASKED; /* RFC 6455 5.1 */
    }
    if (masked != 0 && (context & HWS_FRAME_FROM_CLIENT) == 0) {
        return HWS_ERR_MASKED; /* RFC 6455 5.1 */
    }
    if ((first & HWS__CONTROL) != 0 && len7 > HWS_CONTROL_MAX) {
        return HWS_ERR_CONTROL_LENGTH; /* RFC 6455 5.5 */
    }
    if ((first & HWS__OPCODE) == HWS_OPCODE_CLOSE && len7 == 1) {
        return HWS_ERR_CLOSE_LENGTH; /* RFC 6455 5.5.1 */
    }
    return HWS_OK;
}

hws_status hws__frame_judge_len(uint8_t len7, uint64_t len) {
    if (len >> 63 != 0) {
        return HWS_ERR_LENGTH_TOP_BIT; /* RFC 6455 5.2 */
    }
    if (len < (len7 == HWS__LEN64 ? 65536U : 126U)) {
        return HWS_ERR_LENGTH_NOT_MINIMAL; /* RFC 6455 5.2 */
    }
    return HWS_OK;
}

/* RFC 6455 7.4 and the IANA registry, where 1012 to 1014 were added. */
uint8_t hws__close_code_is_valid(uint16_t code) {
    if (code >= 3000) {
        return code <= 4999;
    }
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

/* The part of a header that a rule can judge: the first byte, the second, the length. */
static hws_status judge_header(const uint8_t *buf, size_t len, uint8_t context,
                               uint64_t *payload_len, size_t *judged) {
    hws_status status;
    size_t i = 2;

    *judged = 1;
    if (len < 1) {
        return HWS_NEED_MORE;
    }
    status = hws__frame_judge_first(buf[0], context);
    if (status != HWS_OK || len < 2) {
        return status != HWS_OK ? status : HWS_NEED_MORE;
    }
    *judged = 2;
    status = hws__frame_judge_second(buf[0], buf[1], context);
    if (status != HWS_OK) {
        return status;
    }
    uint8_t len7 = buf[1] & HWS__LEN7;
    *payload_len = len7;
    if (len7 < HWS__LEN16) {
        return HWS_OK;
    }
    *judged = 2 + hws__frame_len_bytes(len7);
    if (len < *judged) {
        return HWS_NEED_MORE;
    }
    *payload_len = 0;
    while (i < *judged) {
        *payload_len = *payload_len << 8 | buf[i];
        i++;
    }
    return hws__frame_judge_len(len7, *payload_len);
}

hws_status hws_frame_decode(const uint8_t *buf, size_t len, uint8_t context, hws_frame *frame) {
    uint64_t payload_len = 0;
    size_t end;
    hws_status status = judge_header(buf, len, context, &payload_len, &end);

    if (status < 0) {
        frame->header_len = (uint8_t)end;
    }
    if (status != HWS_OK) {
        return status;
    }
    uint8_t masked = buf[1] >> 7;
    if (masked != 0 && len - end < 4) {
        return HWS_NEED_MORE;
    }
    memset(frame, 0, sizeof *frame);
    frame->payload_len = payload_len;
    frame->fin = buf[0] >> 7;
    frame->rsv = (buf[0] & HWS__RSV) >> 4;
    frame->opcode = buf[0] & HWS__OPCODE;
    frame->masked = masked;
    if (masked != 0) {
        memcpy(frame->mask_key, buf + end, 4);
    }
    frame->header_len = (uint8_t)(end + 4U * masked);
    return HWS_OK;
}

hws_status hws_frame_encode(const hws_frame *frame, uint8_t context, uint8_t *out, size_t cap,
                            size_t *n) {
    if (frame->fin > 1 || frame->rsv > 7 || frame->opcode > 15 || frame->masked > 1) {
        return HWS_ERR_ARGUMENT;
    }
    uint8_t first = (uint8_t)(frame->fin << 7 | frame->rsv << 4 | frame->opcode);
    uint8_t second = (uint8_t)(frame->masked << 7 | hws__frame_len7(frame->payload_len));
    hws_status status = hws__frame_judge_first(first, context);
    if (status == HWS_OK) {
        status = hws__frame_judge_second(first, second, context);
    }
    if (status == HWS_OK && frame->payload_len >> 63 != 0) {
        status = HWS_ERR_LENGTH_TOP_BIT;
    }
    if (status != HWS_OK) {
        return status;
    }
    if (*n > cap || hws__frame_header_len(frame->payload_len, frame->masked) > cap - *n) {
        return HWS_ERR_SPACE;
    }
    *n += hws__frame_put(out + *n, first, frame->payload_len, frame->masked);
    if (frame->masked != 0) {
        memcpy(out + *n, frame->mask_key, 4);
        *n += 4;
    }
    return HWS_OK;
}

void hws__frame_read(const uint8_t *header, hws_frame *frame) {
    uint8_t len7 = header[1] & HWS__LEN7;

    memset(frame, 0, sizeof *frame);
    frame->fin = header[0] >> 7;
    frame->rsv = (header[0] & HWS__RSV) >> 4;
    frame->opcode = header[0] & HWS__OPCODE;
    frame->masked = header[1] >> 7;
    frame->header_len = (uint8_t)(2 + hws__frame_len_bytes(len7) + 4U * frame->masked);
    if (len7 < HWS__LEN16) {
        frame->payload_len = len7;
    } else if (len7 == HWS__LEN16) {
        frame->payload_len = hws__load_be16(header + 2);
    } else {
        frame->payload_len =
            (uint64_t)hws__load_be32(header + 2) << 32 | hws__load_be32(header + 6);
    }
    if (frame->masked) {
        memcpy(frame->mask_key, header + frame->header_len - 4, 4);
    }
}
