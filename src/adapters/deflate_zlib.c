/*
 * DEFLATE by zlib, as a codec for deflate.h. The one file that knows zlib; must not know messages,
 * frames or limits.
 *
 * All memory is taken when a state is made. zlib would allocate the window of a decompressor at the
 * first byte of output: an empty dictionary makes it do so at once.
 */
#include <hawser/deflate_zlib.h>
#include <hawser/status.h>

#include <stdlib.h>

#include <zlib.h>

/* zlib counts in uInt. */
enum { CHUNK = 1 << 30 };

/* Bytes that an empty stored block takes at most, behind what is left of the byte before it, and
 * one more. zlib writes it twice when it just fits: zlib.h asks for more than six. */
enum { FLUSH_ROOM = 7 };

/* What inflate() says in data_type. */
enum { UNUSED_BITS = 63, AT_BLOCK = 128, AFTER_BLOCK_HEADER = 256 };

typedef struct zlib_state {
    z_stream z;
    hws_allocator allocator;
    uint8_t dirty; /* compressor: something came since the last flush */
} zlib_state;

static void *take_memory(const hws_allocator *allocator, size_t len) {
    return allocator->alloc != NULL ? allocator->alloc(allocator->user, len) : malloc(len);
}

static void give_back(const hws_allocator *allocator, void *memory) {
    if (allocator->alloc != NULL) {
        allocator->release(allocator->user, memory);
    } else {
        free(memory);
    }
}

static voidpf zlib_alloc(voidpf opaque, uInt items, uInt size) {
    const zlib_state *s = opaque;
    return take_memory(&s->allocator, (size_t)items * size);
}

static void zlib_free(voidpf opaque, voidpf memory) {
    const zlib_state *s = opaque;
    give_back(&s->allocator, memory);
}

static zlib_state *new_state(const hws_allocator *allocator) {
    zlib_state *s = take_memory(allocator, sizeof *s);
    if (s != NULL) {
        *s = (zlib_state){.allocator = *allocator};
        s->z.zalloc = zlib_alloc;
        s->z.zfree = zlib_free;
        s->z.opaque = s;
    }
    return s;
}

static void release_state(zlib_state *s) {
    hws_allocator allocator = s->allocator;
    give_back(&allocator, s);
}

static uInt chunk_of(size_t len) {
    return len < CHUNK ? (uInt)len : CHUNK;
}

/* Where zlib is to read and write. It does not write to its input. */
static void point(z_stream *z, const uint8_t *src, size_t len, size_t used, uint8_t *dst,
                  size_t cap, size_t n) {
    z->next_in = len > used ? (Bytef *)(uintptr_t)(src + used) : NULL;
    z->avail_in = chunk_of(len - used);
    z->next_out = dst + n;
    z->avail_out = chunk_of(cap - n);
}

static hws_status compressor_make(const hws_codec_settings *settings, void **state) {
    zlib_state *s = new_state(&settings->allocator);
    if (s == NULL) {
        return HWS_ERR_MEMORY;
    }
    if (deflateInit2(&s->z, settings->level, Z_DEFLATED, -settings->window_bits,
                     settings->mem_level, Z_DEFAULT_STRATEGY) != Z_OK) {
        release_state(s);
        return HWS_ERR_MEMORY;
    }
    *state = s;
    return HWS_OK;
}

static void compressor_release(void *state) {
    zlib_state *s = state;
    (void)deflateEnd(&s->z);
    release_state(s);
}

static void compressor_reset(void *state) {
    zlib_state *s = state;
    (void)deflateReset(&s->z);
    s->dirty = 0;
}

/* One call of deflate() on what is left. */
static void deflate_some(zlib_state *s, const uint8_t *src, size_t len, size_t *used, int mode,
                         uint8_t *dst, size_t cap, size_t *n) {
    point(&s->z, src, len, *used, dst, cap, *n);
    uInt in = s->z.avail_in;
    uInt out = s->z.avail_out;
    (void)deflate(&s->z, mode);
    *used += in - s->z.avail_in;
    *n += out - s->z.avail_out;
}

/* First the block is ended, which may take any number of calls, then the empty stored block is
 * written in one. */
static hws_status compress_bytes(void *state, const uint8_t *src, size_t len, size_t *used,
                                 uint8_t flush, uint8_t *dst, size_t cap, size_t *n) {
    zlib_state *s = state;
    s->dirty |= len > *used;
    if (!s->dirty) {
        return HWS_OK;
    }
    do {
        deflate_some(s, src, len, used, flush ? Z_BLOCK : Z_NO_FLUSH, dst, cap, n);
    } while (*n < cap && *used < len);
    if (*n == cap || (flush && cap - *n < FLUSH_ROOM)) {
        return HWS_MORE;
    }
    if (flush) {
        deflate_some(s, src, len, used, Z_SYNC_FLUSH, dst, cap, n);
        s->dirty = 0;
    }
    return HWS_OK;
}

static void compressor_follow(void *state, const uint8_t *data, size_t len) {
    zlib_state *s = state;
    size_t skipped = len > CHUNK ? len - CHUNK : 0; /* no window is as large */
    if (len > 0) {
        (void)deflateSetDictionary(&s->z, data + skipped, (uInt)(len - skipped));
    }
}

static hws_status decompressor_make(const hws_codec_settings *settings, void **state) {
    static const Bytef none[1] = {0};
    zlib_state *s = new_state(&settings->allocator);
    if (s == NULL) {
        return HWS_ERR_MEMORY;
    }
    if (inflateInit2(&s->z, -settings->window_bits) != Z_OK) {
        release_state(s);
        return HWS_ERR_MEMORY;
    }
    if (inflateSetDictionary(&s->z, none, 0) != Z_OK) {
        (void)inflateEnd(&s->z);
        release_state(s);
        return HWS_ERR_MEMORY;
    }
    *state = s;
    return HWS_OK;
}

static void decompressor_release(void *state) {
    zlib_state *s = state;
    (void)inflateEnd(&s->z);
    release_state(s);
}

static void decompressor_reset(void *state) {
    zlib_state *s = state;
    (void)inflateReset(&s->z);
}

/* To zlib a block with BFINAL ends the stream. RFC 7692 7.2.1: the next block follows at the byte
 * boundary. inflateResetKeep() goes there and leaves the window as it is. zlib.h has it without a
 * word; there is no other way without a copy of the window. */
static hws_status decompress_bytes(void *state, const uint8_t *src, size_t len, size_t *used,
                                   uint8_t *dst, size_t cap, size_t *n) {
    z_stream *z = &((zlib_state *)state)->z;
    while (1) {
        point(z, src, len, *used, dst, cap, *n);
        uInt in = z->avail_in;
        uInt out = z->avail_out;
        int result = inflate(z, Z_SYNC_FLUSH);
        *used += in - z->avail_in;
        *n += out - z->avail_out;
        if (result == Z_STREAM_END) {
            (void)inflateResetKeep(z);
            continue;
        }
        if (result == Z_DATA_ERROR) {
            return HWS_ERR_INFLATE;
        }
        if (*n == cap) {
            return HWS_MORE;
        }
        if (*used == len) {
            return HWS_OK;
        }
    }
}

/*
 * In a message that is whole the last thing was the header of a stored block: what comes now is its
 * length, 0, and nothing else. With Z_TREES inflate() stops right behind such a length, or behind
 * the trees of another block; only the first is a block that is already over. In a message that is
 * not whole the same bytes are data of a block, a part of its trees or a header.
 */
static hws_status decompress_end(void *state) {
    static const uint8_t tail[4] = {0x00, 0x00, 0xFF, 0xFF};
    z_stream *z = &((zlib_state *)state)->z;
    uint8_t byte;
    point(z, tail, sizeof tail, 0, &byte, 1, 0);
    (void)inflate(z, Z_TREES);
    if (z->avail_in != 0 ||
        (z->data_type & (UNUSED_BITS | AFTER_BLOCK_HEADER)) != AFTER_BLOCK_HEADER) {
        return HWS_ERR_INFLATE;
    }
    (void)inflate(z, Z_BLOCK);
    return (z->data_type & AT_BLOCK) != 0 ? HWS_OK : HWS_ERR_INFLATE;
}

const hws_codec *hws_codec_zlib(void) {
    static const hws_codec codec = {
        .size = sizeof(hws_codec),
        .min_window_bits = 9,
        .compressor_make = compressor_make,
        .compressor_release = compressor_release,
        .compressor_reset = compressor_reset,
        .compress = compress_bytes,
        .compressor_follow = compressor_follow,
        .decompressor_make = decompressor_make,
        .decompressor_release = decompressor_release,
        .decompressor_reset = decompressor_reset,
        .decompress = decompress_bytes,
        .decompress_end = decompress_end,
    };
    return &codec;
}
