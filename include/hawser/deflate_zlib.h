/**
 * @file
 * A codec for deflate.h over zlib, or over zlib-ng in its compatible form.
 *
 * In a library of its own, hawser::deflate (pkg-config: hawser-deflate), which is built where zlib
 * is found. The core does not need it.
 */
#ifndef HAWSER_DEFLATE_ZLIB_H
#define HAWSER_DEFLATE_ZLIB_H

#include <hawser/codec.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The codec over zlib. Its compressor keeps to windows of 9 bits and more: zlib has no raw DEFLATE
 * with 8.
 *
 * @return  The codec, which lives for ever.
 */
HWS_API const hws_codec *hws_codec_zlib(void);

#ifdef __cplusplus
}
#endif

#endif
