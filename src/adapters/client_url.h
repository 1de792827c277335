/*
 * What a client asks for by a URL: host, target and credentials of the URL in his configuration.
 * Knows no socket and no allocator: the room for all of it is the caller's.
 */
#ifndef HWS__CLIENT_URL_H
#define HWS__CLIENT_URL_H

#include <hawser/handshake.h>
#include <hawser/uri.h>

#include <string.h>

static inline uint8_t hws__has_authorization(const hws_client_config *ask) {
    size_t i = 0;
    while (i < ask->field_count) {
        if (hws_text_equal_nocase(ask->fields[i].name, hws_text_from("Authorization"))) {
            return 1;
        }
        i++;
    }
    return 0;
}

/* The fields of the configuration, and Authorization behind them, in `fields`: room for one more
 * than there are. */
static inline void hws__add_authorization(hws_client_config *ask, hws_field *fields,
                                          hws_text value) {
    if (ask->field_count > 0) {
        memcpy(fields, ask->fields, ask->field_count * sizeof *fields);
    }
    fields[ask->field_count] = (hws_field){hws_text_from("Authorization"), value};
    ask->fields = fields;
    ask->field_count++;
}

/* Bytes that all texts of a URL take: itself, its target, and its userinfo in Base64. */
static inline size_t hws__url_texts_cap(size_t url_len) {
    return 4 * url_len + 64;
}

/* Complete a configuration from a URL. `fields` has room for one more than there are, `texts` for
 * hws__url_texts_cap() bytes; both live as long as the configuration. */
static inline hws_status hws__client_from_url(hws_client_config *ask, hws_text url,
                                              const hws_uri *uri, hws_field *fields,
                                              uint8_t *texts) {
    size_t cap = hws__url_texts_cap(url.len);
    size_t n = url.len;
    memcpy(texts, url.data, url.len);
    hws_status status = hws_uri_target(url, uri, texts, cap, &n);
    ask->host = hws_span_text(texts, uri->authority);
    ask->target = (hws_text){(const char *)texts + url.len, n - url.len};
    size_t start = n;
    if (status == HWS_OK && uri->userinfo.len > 0 && !hws__has_authorization(ask)) {
        status = hws_uri_authorization(url, uri, texts, cap, &n);
        hws__add_authorization(ask, fields, (hws_text){(const char *)texts + start, n - start});
    }
    return status;
}

#endif
