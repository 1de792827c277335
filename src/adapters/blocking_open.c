/*
 * Opening connections over blocking sockets, and the HTTP around that: requests and responses, and
 * the small questions about a connection. Must not know frames, which are blocking.c's.
 */
#include "blocking.h"
#include "client_url.h"

#include <hawser/entropy.h>
#include <hawser/uri.h>

#include <string.h>

enum { HOST_BYTES = 256 /* above the 253 of a name in DNS */ };

void hws_blocking_config_init(hws_blocking_config *config, uint8_t *memory, size_t memory_len) {
    memset(config, 0, sizeof *config);
    config->size = sizeof *config;
    config->open_timeout_ms = 10000;
    config->close_timeout_ms = 10000;
    config->memory = memory;
    config->memory_len = memory_len;
    config->max_message = HWS_DEFAULT_MAX_MESSAGE;
    config->max_fragments = HWS_DEFAULT_MAX_FRAGMENTS;
    config->random = hws_entropy;
}

static void split_memory(hws__blocking *b, const hws_blocking_config *config) {
    size_t shares = 2u + (b->wanted.enabled ? 1 : 0) + (b->filter.wanted != NULL ? 2 : 0);
    size_t share = config->memory_len / shares;
    b->in_cap = share;
    b->room_cap = b->wanted.enabled ? share : 0;
    b->filter.cap = b->filter.wanted != NULL ? share : 0;
    b->out_cap = config->memory_len - (shares - 1) * share;
    b->in = config->memory;
    b->room = b->in + b->in_cap;
    b->filter.in = b->room + b->room_cap;
    b->filter.out = b->filter.in + b->filter.cap;
    b->out = b->filter.out + b->filter.cap;
}

static uint8_t is_usable(const hws_blocking_config *config, const hws_filter *filter) {
    size_t least = filter != NULL ? HWS_BLOCKING_MIN_FILTER_MEMORY : HWS_BLOCKING_MIN_MEMORY;
    return config->size == sizeof *config && config->memory != NULL &&
           config->memory_len >= least && (filter == NULL || filter->size == sizeof *filter);
}

/* Make a connection out of nothing. It owns the socket, also on an error. */
static hws_status start(hws__blocking *b, uint8_t role, intptr_t socket,
                        const hws_blocking_config *config, const hws_filter *filter) {
    hws_status status = HWS_OK;
    memset(b, 0, sizeof *b);
    b->socket = socket;
    b->reply_deadline = HWS__NOW;
    b->made = 1;
    if (!is_usable(config, filter)) {
        return HWS_ERR_ARGUMENT;
    }
    b->role = role;
    b->open_timeout_ms = config->open_timeout_ms;
    b->close_timeout_ms = config->close_timeout_ms;
    b->gather = config->gather;
    b->random = config->random;
    b->random_user = config->random_user;
    b->filter.wanted = filter;
    b->trace.tell = config->trace;
    b->trace.tell_head = config->head_trace;
    b->trace.user = config->trace_user;
    hws_conn_config_init(&b->conn_config, role);
    b->conn_config.max_message = config->max_message;
    b->conn_config.max_fragments = config->max_fragments;
    b->conn_config.close_sentence = config->close_sentence;
    b->conn_config.frame_events = config->trace != NULL;
    b->conn_config.random = config->random;
    b->conn_config.random_user = config->random_user;
    status = hws_conn_init(&b->conn, &b->conn_config);
    if (status == HWS_OK) {
        status = hws__blocking_plan_deflate(b, config);
    }
    split_memory(b, config);
    return status;
}

/* Give up before the connection was open. */
static hws_status drop(hws__blocking *b, hws_status status) {
    hws__blocking_end(b, status);
    b->phase = HWS__PHASE_NONE;
    return status;
}

/* Read a head to its end. What came after it stays in `in`, for frames or a body. */
static hws_status read_head(hws__blocking *b, uint8_t kind, int64_t deadline) {
    hws_status status = HWS_NEED_MORE;
    hws_head_init(&b->head, kind, b->headers, HWS_BLOCKING_MAX_FIELDS);
    if (b->in_cap < b->head.max_head) {
        b->head.max_head = (uint32_t)b->in_cap;
    }
    while (1) {
        uint8_t ready = 0;
        status = hws__blocking_read(b);
        if (status == HWS_OK) {
            status = hws_head_parse(&b->head, b->in, b->in_len);
        }
        if (status == HWS_OK && b->trace.tell_head != NULL) {
            b->trace.tell_head(b->trace.user, b, 0, &b->head, b->in);
        }
        if (status != HWS_NEED_MORE) {
            b->in_used = status == HWS_OK ? b->head.head_len : b->in_len;
            return status;
        }
        /* Also when bytes drip in all the time. */
        if (hws__deadline_passed(deadline)) {
            return HWS_ERR_TIMEOUT;
        }
        status = hws__blocking_wait(b, HWS__READABLE, deadline, &ready);
        if (status != HWS_OK) {
            return status;
        }
    }
}

/* Try all addresses of a name, each with an equal share of the time that is left. */
static hws_status dial(hws__blocking *b, const char *host, uint16_t port, int64_t deadline) {
    hws__address addresses[HWS__ADDRESSES_MAX];
    size_t count = 0;
    size_t i = 0;
    hws_status status = hws__address_resolve(host, port, 0, addresses, &count, &b->system_error);
    while (i < count && b->socket == -1) {
        int64_t share = hws__deadline_share(deadline, count - i);
        status = hws__socket_connect(&addresses[i], share, &b->socket, &b->system_error);
        i++;
    }
    return status;
}

static hws_status dial_url(hws__blocking *b, hws_text url, const hws_uri *uri, const char *path,
                           int64_t deadline) {
    char host[HOST_BYTES];
    hws__address address;
    hws_status status = HWS_OK;
    if (path != NULL) {
        status = hws__address_unix(path, &address);
        return status != HWS_OK
                   ? status
                   : hws__socket_connect(&address, deadline, &b->socket, &b->system_error);
    }
    if (uri->host.len >= sizeof host) {
        return HWS_ERR_RESOLVE;
    }
    memcpy(host, url.data + uri->host.offset, uri->host.len);
    host[uri->host.len] = '\0';
    return dial(b, host, uri->port, deadline);
}

/* Complete the client's configuration from the URL. The texts for that are written to `out`, before
 * the request, where they live until the response is verified. */
static hws_status complete(hws__blocking *b, hws_text url, const hws_uri *uri,
                           hws_client_config *client, hws_field *fields) {
    size_t n = 0;
    hws_status status = hws_uri_target(url, uri, b->out, b->out_cap, &n);
    client->host = hws_span_text((const uint8_t *)url.data, uri->authority);
    client->target.data = (const char *)b->out;
    client->target.len = n;
    if (status == HWS_OK && uri->userinfo.len > 0 && !hws__has_authorization(client)) {
        size_t start = n;
        if (client->field_count > HWS_BLOCKING_MAX_FIELDS) {
            return HWS_ERR_ARGUMENT;
        }
        status = hws_uri_authorization(url, uri, b->out, b->out_cap, &n);
        hws__add_authorization(client, fields, (hws_text){(const char *)b->out + start, n - start});
    }
    b->out_sent = b->out_len = n;
    return status;
}

/* What is in `out` is a head. */
static hws_status send_head(hws__blocking *b, int64_t deadline) {
    if (b->trace.tell_head != NULL) {
        hws__trace_head_sent(b);
    }
    return hws__blocking_flush(b, deadline);
}

/* The opening handshake on a connected socket. RFC 6455 4.1. */
static hws_status shake_hands(hws__blocking *b, const hws_blocking_config *config,
                              const hws_client_config *client, int64_t deadline) {
    hws_key key;
    hws_accepted accepted;
    hws_status status = hws_handshake_request(client, b->random, b->random_user, &key, b->out,
                                              b->out_cap, &b->out_len);
    if (status == HWS_OK) {
        status = send_head(b, deadline);
    }
    if (status == HWS_OK) {
        status = read_head(b, HWS_HEAD_RESPONSE, deadline);
    }
    if (status == HWS_OK) {
        status = hws_handshake_verify(client, &key, &b->head, b->in, &accepted);
    }
    if (status == HWS_OK) {
        status = hws__blocking_verify_deflate(b, config);
    }
    if (status == HWS_OK) {
        b->subprotocol = accepted.subprotocol;
        b->phase = HWS__PHASE_OPEN;
        b->trace.open = 1;
    }
    if (status == HWS_ERR_REFUSED) {
        b->body_left = b->head.body == HWS_BODY_NONE     ? 0
                       : b->head.body == HWS_BODY_LENGTH ? b->head.content_length
                                                         : UINT64_MAX;
        b->phase = HWS__PHASE_RESPONSE;
    }
    return status;
}

hws_status hws_blocking_connect(hws_blocking *ws, const char *url,
                                const hws_blocking_config *config,
                                const hws_client_config *client) {
    hws__blocking *b = hws__blocking_of(ws);
    int64_t deadline = hws__deadline(config->open_timeout_ms);
    hws_text text = hws_text_from(url);
    hws_field fields[HWS_BLOCKING_MAX_FIELDS + 1];
    hws_client_config ask;
    hws_uri uri;
    hws_status parsed = hws_uri_parse(text, &uri);
    uint8_t secure = parsed == HWS_OK && uri.secure;
    hws_status status = start(b, HWS_ROLE_CLIENT, -1, config, secure ? config->filter : NULL);
    hws_client_config_init(&ask);
    if (status != HWS_OK || (client != NULL && client->size != sizeof *client)) {
        return HWS_ERR_ARGUMENT;
    }
    if (client != NULL) {
        ask = *client;
    }
    status = secure && config->filter == NULL ? HWS_ERR_TLS : parsed;
    if (status == HWS_OK) {
        status = complete(b, text, &uri, &ask, fields);
    }
    if (status == HWS_OK) {
        status = hws__blocking_offer_deflate(b, config, &ask.extensions);
    }
    if (status == HWS_OK) {
        status = dial_url(b, text, &uri, config->unix_path, deadline);
    }
    if (status == HWS_OK && secure) {
        status = hws__filter_begin(b, hws_span_text((const uint8_t *)url, uri.host));
    }
    if (status == HWS_OK) {
        status = shake_hands(b, config, &ask, deadline);
    }
    return status == HWS_OK || status == HWS_ERR_REFUSED ? status : drop(b, status);
}

/* RFC 9110 9.3.2, 15.3.5, 15.4.5: these responses end with their head. */
static uint8_t has_body(const hws__blocking *b, uint16_t status) {
    hws_text method = hws_span_text(b->in, b->head.method);
    uint8_t is_head = method.len == 4 && memcmp(method.data, "HEAD", 4) == 0;
    return !is_head && status != 204 && status != 304;
}

/* Refuse the request for a reason that hawser found, and leave. The body is the sentence, which an
 * answer to HEAD ends before. */
static hws_status reject(hws__blocking *b, hws_status status) {
    (void)hws_handshake_reject(status, b->out, b->out_cap, &b->out_len);
    if (!has_body(b, hws_status_http(status))) {
        b->out_len -= strlen(hws_status_sentence(status));
    }
    if (b->trace.tell_head != NULL) {
        hws__trace_head_sent(b);
    }
    return hws__blocking_hang_up(b, status);
}

hws_status hws_blocking_read_request(hws_blocking *ws, intptr_t socket,
                                     const hws_blocking_config *config, hws_handshake *handshake) {
    hws__blocking *b = hws__blocking_of(ws);
    int64_t deadline = hws__deadline(config->open_timeout_ms);
    hws_status status = start(b, HWS_ROLE_SERVER, socket, config, config->filter);
    if (status == HWS_OK) {
        status = hws__socket_prepare(socket, &b->system_error);
    }
    if (status == HWS_OK && config->filter != NULL) {
        status = hws__filter_begin(b, (hws_text){NULL, 0});
    }
    if (status != HWS_OK) {
        return drop(b, status);
    }
    status = read_head(b, HWS_HEAD_REQUEST, deadline);
    if (status == HWS_OK) {
        status = hws_handshake_parse(&b->head, b->in, &b->handshake);
    }
    if (status == HWS_OK) {
        *handshake = b->handshake;
        b->phase = HWS__PHASE_REQUEST;
        return HWS_OK;
    }
    /* What has no HTTP status is no fault of a request: nobody is there to read an answer. */
    return hws_status_http(status) != 0 ? reject(b, status) : drop(b, status);
}

/* Where the subprotocol that was chosen stands in the request: there it lives long enough. */
static hws_span find_offer(const hws__blocking *b, hws_text subprotocol) {
    hws_text name = hws_text_from("Sec-WebSocket-Protocol");
    hws_list list = {0, 0};
    hws_span offer = {0, 0};
    while (hws_head_next(&b->head, b->in, name, &list, &offer)) {
        if (offer.len == subprotocol.len &&
            memcmp(b->in + offer.offset, subprotocol.data, offer.len) == 0) {
            return offer;
        }
    }
    offer.len = 0;
    return offer;
}

hws_status hws_blocking_accept(hws_blocking *ws, const hws_accept_config *accept) {
    hws__blocking *b = hws__blocking_of(ws);
    hws_accept_config answer;
    hws_status status = HWS_OK;
    if (b->phase != HWS__PHASE_REQUEST) {
        return HWS_ERR_STATE;
    }
    if (accept->size != sizeof *accept) {
        return HWS_ERR_ARGUMENT;
    }
    answer = *accept;
    status = hws__blocking_accept_deflate(b, &answer.extensions);
    if (status != HWS_OK) {
        return status;
    }
    status = hws_handshake_accept(&b->handshake, &b->head, b->in, &answer, b->out, b->out_cap,
                                  &b->out_len);
    if (status == HWS_ERR_ORIGIN) {
        return reject(b, status);
    }
    if (status != HWS_OK) {
        return status;
    }
    status = send_head(b, hws__deadline(b->open_timeout_ms));
    if (status != HWS_OK) {
        return drop(b, status);
    }
    if (accept->subprotocol.len > 0) {
        b->subprotocol = find_offer(b, accept->subprotocol);
    }
    b->phase = HWS__PHASE_OPEN;
    b->trace.open = 1;
    return HWS_OK;
}

hws_status hws_blocking_respond(hws_blocking *ws, uint16_t status, const hws_field *fields,
                                size_t count, const uint8_t *body, size_t body_len) {
    hws__blocking *b = hws__blocking_of(ws);
    hws_buffer pieces[2] = {{NULL, 0}, {body, body_len}};
    hws_status result = HWS_OK;
    if (b->phase != HWS__PHASE_REQUEST) {
        return HWS_ERR_STATE;
    }
    result =
        hws_response_write(status, fields, count, NULL, body_len, b->out, b->out_cap, &b->out_len);
    if (result != HWS_OK) {
        return result;
    }
    if (b->trace.tell_head != NULL) {
        hws__trace_head_sent(b);
    }
    pieces[0].data = b->out;
    pieces[0].len = b->out_len;
    pieces[1].len = has_body(b, status) ? body_len : 0;
    b->phase = HWS__PHASE_ENDING; /* what else the client sends, such as a body, is thrown away */
    result = hws__blocking_write(b, pieces, hws__deadline(b->open_timeout_ms));
    b->out_len = 0;
    return result != HWS_OK ? drop(b, result) : hws__blocking_hang_up(b, HWS_OK);
}

const hws_head *hws_blocking_head(const hws_blocking *ws, const uint8_t **bytes) {
    const hws__blocking *b = hws__blocking_of_const(ws);
    if (bytes != NULL) {
        *bytes = b->in;
    }
    return &b->head;
}

/* Some bytes of a body, from what came with the head or from the socket. */
static hws_status read_some(hws__blocking *b, uint8_t *out, size_t cap, size_t *n,
                            int64_t deadline) {
    size_t buffered = b->in_len - b->in_used;
    uint8_t ready = 0;
    hws_status status = HWS_OK;
    if (buffered > 0) {
        *n = buffered < cap ? buffered : cap;
        memcpy(out, b->in + b->in_used, *n);
        b->in_used += *n;
        return HWS_OK;
    }
    status = b->filter.table == NULL ? hws__socket_read(b->socket, out, cap, n, &b->system_error)
                                     : hws__filter_read(b, out, cap, n);
    if (status != HWS_NEED_MORE) {
        return status;
    }
    return hws__blocking_wait(b, HWS__READABLE, deadline, &ready);
}

hws_status hws_blocking_read_body(hws_blocking *ws, uint8_t *out, size_t cap, size_t *n,
                                  int32_t timeout_ms) {
    hws__blocking *b = hws__blocking_of(ws);
    int64_t deadline = hws__deadline(timeout_ms);
    *n = 0;
    if (b->phase != HWS__PHASE_RESPONSE) {
        return HWS_ERR_STATE;
    }
    while (*n < cap && b->body_left > 0) {
        uint64_t left = b->body_left < cap - *n ? b->body_left : cap - *n;
        size_t got = 0;
        hws_status status = read_some(b, out + *n, (size_t)left, &got, deadline);
        *n += got;
        b->body_left -= b->body_left == UINT64_MAX ? 0 : got;
        if (status == HWS_ERR_EOF && b->body_left == UINT64_MAX && !b->filter.cut) {
            b->body_left = 0; /* RFC 9112 6.3, 9.8: such a body ends with the stream */
            return HWS_OK;
        }
        if (status < 0) {
            return status;
        }
        if (deadline != HWS__NOW && hws__deadline_passed(deadline) && *n < cap &&
            b->body_left > 0) {
            return HWS_ERR_TIMEOUT;
        }
    }
    return HWS_OK;
}

void hws_blocking_release(hws_blocking *ws) {
    hws__blocking *b = hws__blocking_of(ws);
    if (b->made) {
        (void)drop(b, HWS_OK);
    }
}

hws_conn *hws_blocking_conn(hws_blocking *ws) {
    return &hws__blocking_of(ws)->conn;
}

intptr_t hws_blocking_socket(const hws_blocking *ws) {
    const hws__blocking *b = hws__blocking_of_const(ws);
    return b->made ? b->socket : -1;
}

size_t hws_blocking_pending(const hws_blocking *ws) {
    const hws__blocking *b = hws__blocking_of_const(ws);
    return b->in_len - b->in_used + b->held + b->filter.more +
           (b->agreed.enabled && hws_deflate_pending(&b->deflate));
}

const hws_deflate_params *hws_blocking_deflate(const hws_blocking *ws) {
    return &hws__blocking_of_const(ws)->agreed;
}

hws_text hws_blocking_subprotocol(const hws_blocking *ws) {
    const hws__blocking *b = hws__blocking_of_const(ws);
    return hws_span_text(b->in, b->subprotocol);
}

int32_t hws_blocking_system_error(const hws_blocking *ws) {
    return hws__blocking_of_const(ws)->system_error;
}
