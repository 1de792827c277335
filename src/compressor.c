/*
 * Compressors: made when they are first needed, one message at a time. Must not know frames or
 * connections.
 */
#include "compressor.h"

#include "frame.h"

#include <hawser/status.h>

uint8_t hws__codec_settings_are_good(const hws_codec_settings *settings) {
    return hws__is_window(settings->window_bits) && settings->level >= 1 && settings->level <= 9 &&
           settings->mem_level >= 1 && settings->mem_level <= 9;
}

void hws__compressor_drop(hws__compressor *c) {
    if (c->state != NULL) {
        c->codec->compressor_release(c->state);
        c->state = NULL;
    }
}

void hws__compressor_abandon(hws__compressor *c) {
    c->codec->compressor_reset(c->state);
    c->filled = 0;
    c->busy = 0;
}

hws_status hws__compressor_begin(hws__compressor *c, uint8_t takeover) {
    if (c->busy) {
        return HWS_ERR_STATE;
    }
    if (c->made_bits > c->settings.window_bits) {
        hws__compressor_drop(c);
    }
    if (c->state == NULL) {
        hws_status status = c->codec->compressor_make(&c->settings, &c->state);
        if (status != HWS_OK) {
            c->state = NULL;
            return HWS_ERR_MEMORY;
        }
        c->made_bits = c->settings.window_bits;
        c->filled = 0;
    }
    if (c->filled && !takeover) {
        c->codec->compressor_reset(c->state);
        c->filled = 0;
    }
    c->busy = 1;
    return HWS_OK;
}

hws_status hws_compressor_init(hws_compressor *compressor, const hws_codec *codec,
                               const hws_codec_settings *settings) {
    hws__compressor *c = hws__compressor_of(compressor);
    if (codec == NULL || codec->size != sizeof *codec || !hws__codec_settings_are_good(settings) ||
        settings->window_bits < codec->min_window_bits) {
        return HWS_ERR_ARGUMENT;
    }
    *c = (hws__compressor){.codec = codec, .settings = *settings};
    return HWS_OK;
}

void hws_compressor_release(hws_compressor *compressor) {
    hws__compressor_drop(hws__compressor_of(compressor));
}

uint8_t hws_compressor_window_bits(const hws_compressor *compressor) {
    return hws__compressor_of_const(compressor)->settings.window_bits;
}

hws_status hws_compressor_message(hws_compressor *compressor, const uint8_t *data, size_t len,
                                  uint8_t *out, size_t cap, size_t *n) {
    hws__compressor *c = hws__compressor_of(compressor);
    size_t used = 0;
    size_t end = *n;
    if (*n >= cap) {
        return HWS_ERR_SPACE;
    }
    hws_status status = hws__compressor_begin(c, 0);
    if (status != HWS_OK) {
        return status;
    }
    status = hws__compressor_run(c, data, len, &used, out, cap, &end);
    if (status != HWS_OK) {
        hws__compressor_abandon(c);
        return HWS_ERR_SPACE;
    }
    hws__compressor_end(c);
    hws__remove_tail(out, *n, &end);
    *n = end;
    return HWS_OK;
}

uint64_t hws_deflate_bound(uint64_t len) {
    return hws__compressed_max(len, 0);
}
