/**
 * @file
 * The seam between permessage-deflate and the code that does DEFLATE (RFC 1951).
 *
 * hawser has no DEFLATE of its own. deflate_zlib.h is a codec over zlib or zlib-ng; another one,
 * such as hardware, is a table of the functions below. Applications only pass the table on.
 *
 * A codec sees raw DEFLATE, without zlib or gzip around it. It knows no WebSocket, no message and
 * no limit. It allocates when a state is made, and never after.
 */
#ifndef HAWSER_CODEC_H
#define HAWSER_CODEC_H

#include <hawser/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How a compressor or a decompressor is to be made. */
typedef struct hws_codec_settings {
    uint8_t window_bits;     /**< Base-2 logarithm of the LZ77 sliding window: 8 … 15 (RFC 7692
                                  7.1.2). */
    uint8_t level;           /**< Compressor: effort, 1 (fast) … 9 (small). */
    uint8_t mem_level;       /**< Compressor: memory beside the window, 1 … 9, as in zlib. */
    uint8_t reserved[5];     /**< Zeros. */
    hws_allocator allocator; /**< Its memory; with `alloc` NULL malloc() and free(). */
} hws_codec_settings;

/** A codec: a table of functions, constant, to be used from any thread. States are not shared. */
typedef struct hws_codec {
    uint32_t size;           /**< sizeof(hws_codec). */
    uint8_t min_window_bits; /**< The smallest window that its compressor can keep to; where a
                                  smaller one was agreed, nothing is compressed. */
    uint8_t reserved[3];     /**< Zeros. */

    /**
     * Make a compressor with an empty window.
     *
     * @param settings  How; not needed after the call.
     * @param state     Set to it on HWS_OK.
     * @return          HWS_OK; HWS_ERR_MEMORY, with nothing kept.
     */
    hws_status (*compressor_make)(const hws_codec_settings *settings, void **state);

    /** Let go of a compressor. */
    void (*compressor_release)(void *state);

    /** Empty the window: what follows refers to nothing before it. */
    void (*compressor_reset)(void *state);

    /**
     * Compress bytes.
     *
     * @param state  A compressor.
     * @param src    Plain bytes.
     * @param len    Their number.
     * @param used   In and out: how many of them are taken.
     * @param flush  1: write out all that was taken, up to an empty stored block, which ends with
     *               00 00 FF FF; nothing at all when nothing came since the last flush. The same
     *               `flush` is given until HWS_OK.
     * @param dst    Where compressed bytes go.
     * @param cap    Its size.
     * @param n      In and out: bytes in dst.
     * @return       HWS_OK: all is taken, and with `flush` written; HWS_MORE: dst is full, but for
     *               fewer than 32 bytes.
     */
    hws_status (*compress)(void *state, const uint8_t *src, size_t len, size_t *used, uint8_t flush,
                           uint8_t *dst, size_t cap, size_t *n);

    /**
     * Take bytes into the window without writing them, because the peer gets them another way.
     * Right after a flush, or when nothing was compressed so far.
     *
     * @param state  A compressor.
     * @param data   Plain bytes.
     * @param len    Their number.
     */
    void (*compressor_follow)(void *state, const uint8_t *data, size_t len);

    /**
     * Make a decompressor with an empty window.
     *
     * @param settings  How; level and mem_level do not matter.
     * @param state     Set to it on HWS_OK.
     * @return          HWS_OK; HWS_ERR_MEMORY, with nothing kept.
     */
    hws_status (*decompressor_make)(const hws_codec_settings *settings, void **state);

    /** Let go of a decompressor. */
    void (*decompressor_release)(void *state);

    /** Empty the window, and expect a new block. */
    void (*decompressor_reset)(void *state);

    /**
     * Decompress bytes. A block with BFINAL does not end anything: at the next byte boundary
     * another block is expected, which may refer to what came before (RFC 7692 7.2.1, 7.2.3.4).
     *
     * @param state  A decompressor.
     * @param src    Compressed bytes.
     * @param len    Their number.
     * @param used   In and out: how many of them are taken.
     * @param dst    Where plain bytes go.
     * @param cap    Its size; at least *n + 1.
     * @param n      In and out: bytes in dst, also when the result is an error: what came before
     *               it.
     * @return       HWS_OK: all is taken, and nothing more can be written before more comes;
     *               HWS_MORE: dst is full, and there may be more; HWS_ERR_INFLATE, which stays.
     */
    hws_status (*decompress)(void *state, const uint8_t *src, size_t len, size_t *used,
                             uint8_t *dst, size_t cap, size_t *n);

    /**
     * End a message, after HWS_OK: take the 00 00 FF FF that its sender removed (RFC 7692 7.2.2).
     *
     * @param state  A decompressor.
     * @return       HWS_OK when these four bytes were the length of an empty stored block, whether
     *               with BFINAL or not;
     *               HWS_ERR_INFLATE when they were taken as anything else, which is a message that
     *               ended inside a block or without its last one.
     */
    hws_status (*decompress_end)(void *state);
} hws_codec;

#ifdef __cplusplus
}
#endif

#endif
