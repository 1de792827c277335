/*
 * A sender that compresses and a receiver, for fuzz_compress.c: how they are made by the options of
 * the input, and what the receiver makes of frames. Must not know what is done in a step.
 */
#ifndef HWS_FUZZ_COMPRESS_WORLD_H
#define HWS_FUZZ_COMPRESS_WORLD_H

#include "counting.h"

#include <hawser/deflate_zlib.h>

enum { PLAIN = 1 << 14 };

typedef struct world {
    hws_conn from;
    hws_deflate filter;
    hws_compressor shared; /* in use if `shares` */
    hws_compressor once;   /* for broadcast */
    hws_deflate other;     /* of another connection that shares the compressor */
    hws_conn to;
    hws_deflate reader;

    counting memory;       /* of the sender */
    counting other_memory; /* of `other`, `once` and the reader */
    uint8_t random_of_from;
    uint8_t random_of_to;
    unsigned random_fails_in; /* draws, from 1; 0: never */
    uint8_t role;             /* of the sender */
    uint8_t shares;
    size_t cap; /* of `out` */

    uint8_t type;        /* of the message that is being sent; 0: none */
    uint8_t first_comes; /* none of its frames has been made */
    uint8_t compressed;  /* it is */
    uint8_t broken;      /* the rest of it cannot be sent */
    size_t sent_len;
    size_t read_len;
    uint8_t sent[PLAIN]; /* its plain bytes */
    uint8_t read[PLAIN];
    uint8_t read_whole; /* type of a message that came to its end; 0: none */
} world;

static hws_status some_random(void *user, uint8_t *dst, size_t len) {
    world *w = user;
    if (w->random_fails_in > 0) {
        w->random_fails_in--;
        if (w->random_fails_in == 0) {
            return HWS_ERR_SYSTEM;
        }
    }
    return fuzz_random(&w->random_of_from, dst, len);
}

static void start_conns(world *w) {
    hws_conn_config config;
    hws_conn_config_init(&config, w->role);
    config.compression = 1;
    config.random = some_random;
    config.random_user = w;
    CHECK(hws_conn_init(&w->from, &config) == HWS_OK);
    hws_conn_config_init(&config, (uint8_t)(1 - w->role));
    config.compression = 1;
    config.random = fuzz_random;
    config.random_user = &w->random_of_to;
    CHECK(hws_conn_init(&w->to, &config) == HWS_OK);
}

static hws_deflate_params agree(uint8_t role, uint8_t enabled, uint8_t window_bits,
                                uint8_t no_takeover) {
    hws_deflate_params agreed;
    hws_deflate_params_init(&agreed, HWS_DEFLATE_BEST);
    agreed.enabled = enabled;
    if (role == HWS_ROLE_CLIENT) {
        agreed.client_max_window_bits = window_bits;
        agreed.client_no_context_takeover = no_takeover;
    } else {
        agreed.server_max_window_bits = window_bits;
        agreed.server_no_context_takeover = no_takeover;
    }
    return agreed;
}

static void start_shared(world *w, hws_deflate_options *options) {
    hws_codec_settings settings = options->settings;
    hws_status expected = settings.window_bits < 9 ? HWS_ERR_ARGUMENT : HWS_OK;
    hws_deflate_params agreed = agree(w->role, 1, 15, 0);
    hws_deflate_options like = *options;

    settings.allocator = counting_allocator(&w->other_memory);
    CHECK(hws_compressor_init(&w->once, options->codec, &settings) == expected);
    settings.allocator = counting_allocator(&w->memory);
    CHECK(hws_compressor_init(&w->shared, options->codec, &settings) == expected);
    if (expected != HWS_OK) {
        w->shares = 0;
    }
    options->shared = w->shares ? &w->shared : NULL;
    like.shared = options->shared;
    like.settings.allocator = counting_allocator(&w->other_memory);
    CHECK(hws_deflate_init(&w->other, &agreed, &like) == HWS_OK);
}

/* The last byte: role (bit 0), takeover (1), agreed window (2 to 4), a shared compressor (5), what
 * was agreed to (6). The second last: level, mem_level and threshold. The third last: own window
 * (bits 0 to 2) and capacity (3 and 4). */
static void configure(world *w, uint8_t first, uint8_t second, uint8_t third) {
    static const uint16_t thresholds[] = {0, 16, 64, 300};
    static const uint16_t caps[] = {HWS_DEFLATE_MIN_SPACE, HWS_DEFLATE_MIN_SPACE + 1, 90, 400};
    uint8_t enabled = (first & 64) == 0;
    hws_deflate_options options;

    w->role = first & 1;
    w->shares = first >> 5 & 1;
    w->cap = caps[third >> 3 & 3];
    start_conns(w);
    hws_deflate_params agreed =
        agree(w->role, enabled, (uint8_t)(15 - (first >> 2 & 7)), first >> 1 & 1);
    hws_deflate_options_init(&options, w->role, HWS_DEFLATE_BALANCED);
    CHECK(!enabled || hws_deflate_init(&w->filter, &agreed, &options) == HWS_ERR_ARGUMENT);
    options.codec = hws_codec_zlib();
    options.settings.level = (uint8_t)(1 + second % 9);
    options.settings.mem_level = (uint8_t)(1 + second / 9 % 9);
    options.settings.window_bits = (uint8_t)(15 - (third & 7));
    options.threshold = thresholds[second / 81];
    start_shared(w, &options);
    options.settings.allocator = counting_allocator(&w->memory);
    CHECK(hws_deflate_init(&w->filter, &agreed, &options) == HWS_OK && w->memory.taken == 0);

    options.role = (uint8_t)(1 - w->role);
    options.shared = NULL;
    options.settings.allocator = counting_allocator(&w->other_memory);
    CHECK(hws_deflate_init(&w->reader, &agreed, &options) == HWS_OK);
}

/* What the receiver says to a frame. Room is little, so that references beyond the window are found
 * out. Control frames are of no interest. */
static void receive(world *w, uint8_t *wire, size_t len) {
    uint8_t room[61];
    size_t used = 0;
    hws_event ev;
    hws_status status = HWS_EVENT;
    while (status == HWS_EVENT) {
        status = hws_deflate_receive(&w->reader, &w->to, wire, len, &used, room, sizeof room, &ev);
        if (status != HWS_EVENT || (ev.type != HWS_TEXT && ev.type != HWS_BINARY)) {
            continue;
        }
        CHECK(ev.len <= sizeof w->read - w->read_len && w->read_whole == 0);
        if (ev.len > 0) {
            memcpy(w->read + w->read_len, ev.data, ev.len);
        }
        w->read_len += ev.len;
        w->read_whole = (ev.flags & HWS_FINAL) != 0 ? ev.type : 0;
    }
    CHECK(status == HWS_OK && used == len);
}

/* One data frame is on the wire, in its place; `ends` says whether it is the last of its message.
 */
static void check_frame(world *w, const uint8_t *wire, size_t len, uint8_t ends) {
    uint8_t context = (uint8_t)((w->role == HWS_ROLE_CLIENT ? HWS_FRAME_FROM_CLIENT : 0) |
                                (w->first_comes ? 0 : HWS_FRAME_IN_MESSAGE) | HWS_FRAME_RSV1);
    hws_frame frame;
    CHECK(hws_frame_decode(wire, len, context, &frame) == HWS_OK);
    CHECK(frame.header_len + frame.payload_len == len && frame.fin == ends);
    CHECK(frame.rsv == (w->first_comes && w->compressed ? 4 : 0));
    CHECK(frame.opcode == (w->first_comes ? w->type : HWS_OPCODE_CONTINUATION));
    w->first_comes = 0;
}

static void end_message(world *w) {
    CHECK(w->read_whole == w->type && w->read_len == w->sent_len);
    CHECK(memcmp(w->read, w->sent, w->sent_len) == 0);
    w->type = 0;
    w->read_whole = 0;
    w->read_len = 0;
    w->sent_len = 0;
}

#endif
