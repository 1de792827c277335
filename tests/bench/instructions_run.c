/*
 * What hawser-instructions measures: programs around the public face of the library, as short as
 * programs can be. Knows nothing of how their inputs are made.
 */
#include "instructions.h"

enum { SUPPORTED = 2, RECORDS = 16 };

hws_status fill_random(void *user, uint8_t *dst, size_t len) {
    size_t i = 0;
    (void)user;
    while (i < len) {
        dst[i] = (uint8_t)(0x5A + i);
        i++;
    }
    return HWS_OK;
}

static size_t cut(const work *w, size_t at) {
    return w->len - at < w->chunk ? w->len - at : w->chunk;
}

static hws_status receive(work *w, uint8_t answered) {
    hws_status status = HWS_OK;
    size_t at = 0;
    hws_event ev;
    while (at < w->len) {
        size_t n = cut(w, at);
        size_t used = 0;
        size_t out = 0;
        while ((status = hws_conn_receive(&w->conn, w->bytes + at, n, &used, &ev)) == HWS_EVENT) {
            if (answered) {
                out = 0;
                hws_conn_reply(&w->conn, w->out, CAP, &out);
            }
        }
        at += n;
    }
    return status;
}

hws_status run_receive(work *w) {
    return receive(w, 1);
}

hws_status run_receive_unanswered(work *w) {
    return receive(w, 0);
}

/* With an event for each header, which is looked at. */
hws_status run_receive_traced(work *w) {
    hws_status status = HWS_OK;
    size_t at = 0;
    hws_frame frame;
    hws_event ev;
    while (at < w->len) {
        size_t n = cut(w, at);
        size_t used = 0;
        while ((status = hws_conn_receive(&w->conn, w->bytes + at, n, &used, &ev)) == HWS_EVENT) {
            if (ev.type == HWS_FRAME) {
                hws_conn_get_frame(&w->conn, &frame);
            }
        }
        at += n;
    }
    return status;
}

/* Calls with no bytes at all, in the middle of a frame. */
hws_status run_receive_nothing(work *w) {
    hws_status status = HWS_OK;
    size_t i = 0;
    hws_event ev;
    while (i < w->size && status == HWS_OK) {
        size_t used = 0;
        status = hws_conn_receive(&w->conn, NULL, 0, &used, &ev);
        i++;
    }
    return status;
}

/* All of the input at once, but room for `chunk` bytes of payload only. */
hws_status run_into_small(work *w) {
    hws_status status = HWS_EVENT;
    size_t used = 0;
    hws_event ev;
    while (status == HWS_EVENT) {
        status = hws_conn_receive_into(&w->conn, w->bytes, w->len, &used, w->out, w->chunk, &ev);
    }
    return status;
}

/* Payload slides down over what was read. */
hws_status run_into_itself(work *w) {
    hws_status status = HWS_OK;
    size_t kept = 0;
    size_t at = 0;
    hws_event ev;
    while (at < w->len) {
        size_t n = cut(w, at);
        size_t used = 0;
        while ((status = hws_conn_receive_into(&w->conn, w->bytes + at, n, &used, w->bytes + kept,
                                               n, &ev)) == HWS_EVENT) {
            kept += ev.type == HWS_TEXT || ev.type == HWS_BINARY ? ev.len : 0;
        }
        at += n;
    }
    return status;
}

hws_status run_batch(work *w) {
    hws_record records[RECORDS];
    hws_status status = HWS_OK;
    size_t at = 0;
    while (at < w->len) {
        size_t n = cut(w, at);
        size_t used = 0;
        size_t count = 0;
        do {
            status =
                hws_conn_receive_batch(&w->conn, w->bytes + at, n, &used, records, RECORDS, &count);
        } while (status == HWS_EVENT);
        at += n;
    }
    return status;
}

hws_status run_message(work *w) {
    hws_status status = HWS_OK;
    hws_message message;
    size_t at = 0;
    hws_event ev;
    hws_message_init(&message, w->out, CAP);
    while (at < w->len) {
        size_t n = cut(w, at);
        size_t used = 0;
        do {
            status = hws_message_receive(&message, &w->conn, w->bytes + at, n, &used, &ev);
        } while (status == HWS_EVENT);
        at += n;
    }
    return status;
}

static uint8_t type_of(const work *w) {
    return w->row->unit.first & 15;
}

hws_status run_send(work *w) {
    hws_status status = HWS_OK;
    size_t i = 0;
    while (i < w->size && status == HWS_OK) {
        size_t n = 0;
        status = hws_conn_send(&w->conn, type_of(w), HWS_WHOLE, w->bytes, w->len, w->out, CAP, &n);
        i++;
    }
    return status;
}

hws_status run_send_header(work *w) {
    hws_status status = HWS_OK;
    size_t i = 0;
    while (i < w->size && status == HWS_OK) {
        size_t n = 0;
        status = hws_conn_send_header(&w->conn, type_of(w), HWS_WHOLE, w->bytes, w->len, w->out,
                                      CAP, &n);
        i++;
    }
    return status;
}

/* One message in fragments of `chunk` bytes, all into one buffer. */
hws_status run_send_fragments(work *w) {
    hws_status status = HWS_OK;
    size_t at = 0;
    size_t out = 0;
    while (at < w->len && status == HWS_OK) {
        size_t n = cut(w, at);
        uint8_t flags = (uint8_t)((at == 0 ? HWS_FIRST : 0) | (at + n == w->len ? HWS_FINAL : 0));
        status = hws_conn_send(&w->conn, HWS_TEXT, flags, w->bytes + at, n, w->out, CAP, &out);
        at += n;
    }
    return status;
}

hws_status run_send_in_place(work *w) {
    hws_status status = HWS_OK;
    size_t at = 0;
    while (at < w->len && status == HWS_OK) {
        size_t n = cut(w, at);
        size_t out = 0;
        status = hws_conn_send_in_place(&w->conn, HWS_BINARY, HWS_WHOLE, w->bytes + at, n, w->out,
                                        CAP, &out);
        at += n;
    }
    return status;
}

/* A head that comes in pieces into one buffer. */
static hws_status parse(work *w, hws_head *head, uint8_t kind) {
    hws_status status = HWS_NEED_MORE;
    size_t at = 0;
    hws_head_init(head, kind, w->headers, FIELD_CAP);
    head->max_head = UINT32_MAX / 2;
    head->max_line = UINT32_MAX / 2;
    while (at < w->len && status == HWS_NEED_MORE) {
        at += cut(w, at);
        status = hws_head_parse(head, w->bytes, at);
    }
    return status;
}

static const hws_text supported[SUPPORTED] = {{"chat.example", 12}, {"z9", 2}};

/* What a server does once it has a handshake: all walks that there are, and an answer. */
static hws_status accept(work *w, const hws_head *head, const hws_handshake *handshake) {
    hws_extension extension = {0};
    hws_accept_config config;
    size_t index = 0;
    size_t n = 0;
    hws_accept_config_init(&config);
    config.origin.kind = HWS_ORIGIN_SAME;
    if (hws_handshake_choose(head, w->bytes, supported, SUPPORTED, &index)) {
        config.subprotocol = supported[index];
    }
    while (hws_extension_next(head, w->bytes, &extension) > HWS_EXTENSION_END) {
    }
    if (handshake->kind == HWS_REQUEST_CONNECT) {
        return hws_connect_accept(handshake, head, w->bytes, &config, w->fields, FIELD_CAP, &n);
    }
    return hws_handshake_accept(handshake, head, w->bytes, &config, w->out, CAP, &n);
}

hws_status run_request(work *w) {
    hws_handshake handshake;
    hws_head head;
    size_t n = 0;
    hws_status status = parse(w, &head, HWS_HEAD_REQUEST);
    if (status == HWS_OK) {
        status = hws_handshake_parse(&head, w->bytes, &handshake);
    }
    if (status == HWS_OK && handshake.kind != HWS_REQUEST_PLAIN) {
        status = accept(w, &head, &handshake);
    }
    if (status < HWS_OK) {
        hws_handshake_reject(status, w->out, CAP, &n);
    }
    return status;
}

/* The same request again and again: as many handshakes. */
hws_status run_handshakes(work *w) {
    hws_status status = HWS_OK;
    size_t i = 0;
    while (i < w->size && status == HWS_OK) {
        status = run_request(w);
        i++;
    }
    return status;
}

hws_status run_response(work *w) {
    static const hws_key key = {"dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="};
    hws_client_config config;
    hws_accepted accepted;
    hws_head head;
    hws_status status = parse(w, &head, HWS_HEAD_RESPONSE);
    hws_client_config_init(&config);
    config.subprotocols = supported;
    config.subprotocol_count = SUPPORTED;
    config.extensions = hws_text_from("c, b, a");
    return status == HWS_OK ? hws_handshake_verify(&config, &key, &head, w->bytes, &accepted)
                            : status;
}

/* Pairs of HTTP/2: as many of them as the size says, or one of which the value is as long. */
hws_status run_pairs(work *w) {
    static const hws_field pseudo[] = {
        {{":method", 7}, {"CONNECT", 7}}, {{":protocol", 9}, {"websocket", 9}},
        {{":scheme", 7}, {"https", 5}},   {{":path", 5}, {"/", 1}},
        {{":authority", 10}, {"h", 1}},   {{"sec-websocket-version", 21}, {"13", 2}}};
    hws_field field = {hws_text_from(w->row->head), {(const char *)w->bytes, w->len}};
    size_t own = sizeof pseudo / sizeof pseudo[0];
    size_t count = own + (w->row->form == PAYLOAD ? w->size : 1);
    size_t i = 0;
    size_t n = 0;
    hws_head head;
    hws_handshake handshake;
    hws_status status = HWS_OK;
    hws_head_init(&head, HWS_HEAD_LIST, w->headers, FIELD_CAP);
    head.max_head = CAP;
    while (i < count && status == HWS_OK) {
        status = hws_head_add(&head, w->out, CAP, &n, i < own ? &pseudo[i] : &field);
        i++;
    }
    if (status == HWS_OK) {
        w->bytes = w->out;
        status = hws_handshake_parse(&head, w->bytes, &handshake);
    }
    return status == HWS_OK ? accept(w, &head, &handshake) : status;
}

hws_status run_uri(work *w) {
    hws_text text = {(const char *)w->bytes, w->len};
    hws_uri uri;
    size_t n = 0;
    hws_status status = hws_uri_parse(text, &uri);
    if (status == HWS_OK) {
        hws_uri_authorization(text, &uri, w->out, CAP, &n);
        status = hws_uri_target(text, &uri, w->out, CAP, &n);
    }
    return status;
}

/* A response and a request of the caller, with as many fields of his own as the size says. */
hws_status run_write(work *w) {
    hws_client_config config;
    hws_key key;
    size_t i = 0;
    size_t n = 0;
    while (i < w->size) {
        w->fields[i] = (hws_field){{"x-field", 7}, {(const char *)w->bytes, w->len}};
        i++;
    }
    hws_status status = hws_response_write(404, w->fields, w->size, NULL, 0, w->out, CAP, &n);
    hws_client_config_init(&config);
    config.host = hws_text_from("h");
    config.fields = w->fields;
    config.field_count = w->size;
    return status == HWS_OK
               ? hws_handshake_request(&config, fill_random, NULL, &key, w->out, CAP, &n)
               : status;
}

hws_status run_utf8(work *w) {
    uint32_t state = HWS_UTF8_ACCEPT;
    size_t at = 0;
    while (at < w->len && state != HWS_UTF8_REJECT) {
        size_t n = cut(w, at);
        hws_utf8_validate(&state, w->bytes + at, n);
        at += n;
    }
    return state == HWS_UTF8_ACCEPT ? HWS_OK : HWS_ERR_UTF8;
}

uint8_t looks_at_chunk(const row *r) {
    return r->form != PAYLOAD && r->run != run_receive_nothing && r->run != run_handshakes &&
           r->run != run_pairs && r->run != run_uri;
}

uint8_t looks_at_kernel(const row *r) {
    uint8_t text =
        r->run == run_utf8 || r->run == run_send_fragments || r->run == run_send_in_place;
    return r->form == FRAMES ? r->unit.len > 1 : r->form == FRAME || r->form == PAYLOAD || text;
}
