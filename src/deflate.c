/*
 * The life of a connection's compression, and what others compress for it. Must not know frames,
 * heads, or which codec it is.
 */
#include "deflate.h"

/* HWS_THRESHOLD_AUTO, with context takeover and without: what a saved byte costs is the same. */
enum { THRESHOLD = 64, FRESH_THRESHOLD = 256 };

void hws_deflate_options_init(hws_deflate_options *options, uint8_t role, uint8_t preset) {
    static const struct {
        uint8_t window_bits;
        uint8_t level;
        uint8_t mem_level;
    } presets[] = {
        [HWS_DEFLATE_BALANCED] = {12, 6, 5},
        [HWS_DEFLATE_SMALL] = {11, 6, 4},
        [HWS_DEFLATE_BEST] = {15, 6, 8},
    };
    memset(options, 0, sizeof *options);
    options->size = sizeof *options;
    options->role = role;
    options->threshold = HWS_THRESHOLD_AUTO;
    options->max_message = HWS_DEFAULT_MAX_MESSAGE;
    if (preset <= HWS_DEFLATE_BEST) {
        options->settings.window_bits = presets[preset].window_bits;
        options->settings.level = presets[preset].level;
        options->settings.mem_level = presets[preset].mem_level;
    }
}

static uint8_t is_codec(const hws_codec *codec) {
    return codec != NULL && codec->size == sizeof *codec;
}

/* All of them but the codec: without an agreement there may be none. */
static uint8_t are_in_range(const hws_deflate_options *options) {
    return options->size == sizeof *options && options->role <= HWS_ROLE_CLIENT &&
           hws__codec_settings_are_good(&options->settings);
}

uint8_t hws__deflate_options_are_good(const hws_deflate_options *options) {
    return are_in_range(options) && is_codec(options->codec);
}

static uint8_t are_good(const hws_deflate_params *agreed, const hws_deflate_options *options) {
    return are_in_range(options) &&
           (!agreed->enabled ||
            (is_codec(options->codec) && hws__deflate_params_are_good(agreed, HWS_ROLE_SERVER)));
}

/* RFC 7692 7.2.1: what was agreed bounds the window, and less is always allowed. */
static void limit_window(hws__compressor *c, uint8_t window_bits) {
    if (c->settings.window_bits > window_bits) {
        c->settings.window_bits = window_bits;
    }
}

hws_status hws_deflate_init(hws_deflate *deflate, const hws_deflate_params *agreed,
                            const hws_deflate_options *options) {
    hws__deflate *d = hws__deflate_of(deflate);
    uint8_t client = options->role == HWS_ROLE_CLIENT;
    if (!are_good(agreed, options)) {
        return HWS_ERR_ARGUMENT;
    }
    memset(d, 0, sizeof *d);
    d->max_message = options->max_message;
    d->own.codec = options->codec;
    d->own.settings = options->settings;
    if (!agreed->enabled) {
        return HWS_OK;
    }
    d->enabled = 1;
    d->window_in = client ? agreed->server_max_window_bits : agreed->client_max_window_bits;
    d->window_out = client ? agreed->client_max_window_bits : agreed->server_max_window_bits;
    d->takeover_in =
        (client ? agreed->server_no_context_takeover : agreed->client_no_context_takeover) == 0;
    d->takeover_out =
        (client ? agreed->client_no_context_takeover : agreed->server_no_context_takeover) == 0 &&
        options->shared == NULL;
    d->threshold = options->threshold != HWS_THRESHOLD_AUTO ? options->threshold
                   : d->takeover_out                        ? THRESHOLD
                                                            : FRESH_THRESHOLD;
    limit_window(&d->own, d->window_out);
    if (options->shared != NULL && d->window_out >= options->codec->min_window_bits) {
        d->shared = hws__compressor_of(options->shared);
        limit_window(d->shared, d->window_out);
    }
    d->compresses =
        d->shared != NULL || d->own.settings.window_bits >= options->codec->min_window_bits;
    return HWS_OK;
}

static void drop_decompressor(hws__deflate *d) {
    if (d->decompressor != NULL) {
        d->own.codec->decompressor_release(d->decompressor);
        d->decompressor = NULL;
    }
}

void hws__deflate_abandon(hws_deflate *deflate) {
    hws__deflate *d = hws__deflate_of(deflate);
    if (d->type_out != 0) {
        hws__deflate_drop_message(d);
    }
}

void hws_deflate_release(hws_deflate *deflate) {
    hws__deflate *d = hws__deflate_of(deflate);
    if (d->shared != NULL) {
        hws__deflate_abandon(deflate);
    }
    hws__compressor_drop(&d->own);
    drop_decompressor(d);
    memset(d, 0, sizeof *d);
}

/* RFC 7692 7.2.1, 7.2.2: a sender may always start with an empty window, a receiver only when the
 * sender has to. */
void hws_deflate_trim(hws_deflate *deflate) {
    hws__deflate *d = hws__deflate_of(deflate);
    if (d->type_out == 0) {
        hws__compressor_drop(&d->own);
    }
    if (d->type_in == 0 && !d->takeover_in) {
        drop_decompressor(d);
    }
}

uint8_t hws_deflate_fits(const hws_deflate *deflate, uint8_t window_bits) {
    const hws__deflate *d = hws__deflate_of_const(deflate);
    return window_bits <= d->window_out;
}

hws_status hws_deflate_follow(hws_deflate *deflate, const uint8_t *data, size_t len) {
    hws__deflate *d = hws__deflate_of(deflate);
    if (d->type_out != 0) {
        return HWS_ERR_STATE;
    }
    if (d->own.state != NULL && d->own.filled && d->takeover_out) {
        d->own.codec->compressor_follow(d->own.state, data, len);
    }
    return HWS_OK;
}
