/*
 * zlib without hawser: what compression itself costs, and so what the filter adds to it. Knows no
 * hws_ function.
 */
#include "paths.h"

#include <string.h>
#include <zlib.h>

enum { MARK_LEN = 4 };

static void need_ok(int result, const char *subject) {
    if (result != Z_OK) {
        fail(subject, zError(result));
    }
}

void run_zlib_compress(const setup *how, messages *in, messages *out) {
    z_stream z;
    memset(&z, 0, sizeof z);
    need_ok(deflateInit2(&z, how->level, Z_DEFLATED, -how->window_bits, how->mem_level,
                         Z_DEFAULT_STRATEGY),
            "deflateInit2");
    size_t i = 0;
    while (i < in->count) {
        z.next_in = in->bytes + message_start(in, i);
        z.avail_in = (uInt)message_len(in, i);
        z.next_out = out->bytes + out->len;
        z.avail_out = (uInt)(out->cap - out->len);
        need_ok(deflate(&z, Z_SYNC_FLUSH), "deflate");
        size_t n = (size_t)(z.next_out - out->bytes);
        messages_end(out, n - out->len - MARK_LEN);
        if (how->takeover == 0) {
            need_ok(deflateReset(&z), "deflateReset");
        }
        i++;
    }
    deflateEnd(&z);
}

void run_zlib_decompress(const setup *how, messages *in, messages *out) {
    uint8_t mark[MARK_LEN] = {0, 0, 0xff, 0xff};
    z_stream z;
    memset(&z, 0, sizeof z);
    need_ok(inflateInit2(&z, -how->window_bits), "inflateInit2");
    size_t i = 0;
    while (i < in->count) {
        z.next_in = in->bytes + message_start(in, i);
        z.avail_in = (uInt)message_len(in, i);
        z.next_out = out->bytes + out->len;
        z.avail_out = (uInt)(out->cap - out->len);
        need_ok(inflate(&z, Z_SYNC_FLUSH), "inflate");
        z.next_in = mark;
        z.avail_in = MARK_LEN;
        int result = inflate(&z, Z_SYNC_FLUSH);
        need_ok(result == Z_BUF_ERROR && z.avail_in == 0 ? Z_OK : result, "inflate");
        messages_end(out, (size_t)(z.next_out - out->bytes) - out->len);
        if (how->takeover == 0) {
            need_ok(inflateReset(&z), "inflateReset");
        }
        i++;
    }
    inflateEnd(&z);
}
