/*
 * Two ends of TLS in memory: see tls_harness.h.
 */
#include "tls_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

void tls_config_server(hws_tls_config *config, const char *name, hws_tls_certificate *certificate) {
    char file[64];
    (void)snprintf(file, sizeof file, "%s.pem", name);
    certificate->chain_file = tls_file(file);
    (void)snprintf(file, sizeof file, "%s.key", name);
    certificate->key_file = tls_file(file);
    hws_tls_config_init(config, HWS_ROLE_SERVER);
    config->certificates = certificate;
    config->certificate_count = 1;
}

void tls_config_client(hws_tls_config *config) {
    hws_tls_config_init(config, HWS_ROLE_CLIENT);
    config->ca_file = tls_file("ca.pem");
}

hws_tls *tls_new(const hws_tls_config *config) {
    hws_tls *tls = malloc(sizeof *tls);
    memset(tls, 0x55, sizeof *tls);
    hws_status status = hws_tls_init(tls, config);
    if (status != HWS_OK) {
        fail_msg("%s: %s", hws_status_name(status), tls_reason(tls, NULL));
    }
    return tls;
}

static void set_version(hws_tls_config *config, uint16_t version) {
    if (version != 0) {
        config->min_version = version;
        config->max_version = version;
    }
}

hws_tls *tls_new_server(const char *name, uint16_t version) {
    hws_tls_certificate certificate;
    hws_tls_config config;
    tls_config_server(&config, name, &certificate);
    set_version(&config, version);
    return tls_new(&config);
}

hws_tls *tls_new_client(uint16_t version) {
    hws_tls_config config;
    tls_config_client(&config);
    set_version(&config, version);
    return tls_new(&config);
}

void tls_free(hws_tls *tls) {
    hws_tls_release(tls);
    free(tls);
}

static void end_init(tls_end *end, hws_tls *tls, uint8_t role, const char *host) {
    const hws_filter *filter = hws_tls_filter(tls);
    *end = (tls_end){.tls = tls, .wire = malloc(WIRE_CAP), .plain = malloc(WIRE_CAP)};
    assert_int_equal(filter->size, sizeof *filter);
    assert_int_equal(filter->make(filter->context, role, hws_text_from(host), &end->state), HWS_OK);
}

static void end_free(tls_end *end) {
    hws_tls_filter(end->tls)->release(end->state);
    free(end->wire);
    free(end->plain);
}

tls_pair *tls_pair_new(hws_tls *client, hws_tls *server, const char *host) {
    tls_pair *p = calloc(1, sizeof *p);
    end_init(&p->client, client, HWS_ROLE_CLIENT, host);
    end_init(&p->server, server, HWS_ROLE_SERVER, NULL);
    p->chunk = 65536;
    p->wire_cap = 65536;
    p->plain_cap = 65536;
    return p;
}

void tls_pair_free(tls_pair *p) {
    end_free(&p->client);
    end_free(&p->server);
    free(p);
}

size_t tls_send(tls_pair *p, tls_end *end, const void *plain, size_t len) {
    uint8_t *room = guard_alloc(p->wire_cap);
    size_t used = 0;
    hws_status status = HWS_MORE;
    while (status == HWS_MORE) {
        size_t n = 0;
        status =
            hws_tls_filter(end->tls)->send(end->state, plain, len, &used, room, p->wire_cap, &n);
        assert_true(n <= p->wire_cap && used <= len);
        assert_true(status != HWS_MORE || n == p->wire_cap);
        assert_true(status != HWS_OK || used == len);
        assert_true(status != HWS_NEED_MORE || used < len);
        assert_int_equal(ERR_peek_error(), 0);
        assert_true(end->wire_len + n <= WIRE_CAP);
        memcpy(end->wire + end->wire_len, room, n);
        end->wire_len += n;
    }
    end->sent = status;
    guard_free(room, p->wire_cap);
    return used;
}

/* Receive a chunk, in as many calls as it takes. */
static void receive_chunk(tls_pair *p, tls_end *end, const uint8_t *wire, size_t len) {
    uint8_t *room = guard_alloc(p->plain_cap);
    size_t used = 0;
    hws_status status = HWS_MORE;
    while (status == HWS_MORE) {
        size_t n = 0;
        status =
            hws_tls_filter(end->tls)->receive(end->state, wire, len, &used, room, p->plain_cap, &n);
        assert_true(n <= p->plain_cap && used <= len);
        assert_true(status != HWS_MORE || n == p->plain_cap);
        assert_true(status != HWS_OK || used == len);
        assert_int_equal(ERR_peek_error(), 0);
        assert_true(end->plain_len + n <= WIRE_CAP);
        memcpy(end->plain + end->plain_len, room, n);
        end->plain_len += n;
    }
    end->received = status;
    guard_free(room, p->plain_cap);
}

void tls_deliver(tls_pair *p, tls_end *from, tls_end *to) {
    while (from->wire_at < from->wire_len) {
        size_t left = from->wire_len - from->wire_at;
        size_t len = left < p->chunk ? left : p->chunk;
        uint8_t *chunk = guard_copy(from->wire + from->wire_at, len);
        receive_chunk(p, to, chunk, len);
        guard_free(chunk, len);
        from->wire_at += len;
        (void)tls_send(p, to, NULL, 0);
    }
    from->wire_at = 0;
    from->wire_len = 0;
}

void tls_exchange(tls_pair *p) {
    (void)tls_send(p, &p->client, NULL, 0);
    (void)tls_send(p, &p->server, NULL, 0);
    while (p->client.wire_len > 0 || p->server.wire_len > 0) {
        tls_deliver(p, &p->client, &p->server);
        tls_deliver(p, &p->server, &p->client);
    }
}

int tls_is_open(const tls_end *end) {
    hws_tls_info info;
    hws_tls_describe(end->state, &info);
    return info.version != 0;
}

void tls_open(tls_pair *p) {
    tls_exchange(p);
    if (!tls_is_open(&p->client) || !tls_is_open(&p->server)) {
        fail_msg("No handshake: %s", tls_reason(p->client.tls, NULL));
    }
}

tls_pair *tls_pair_open(hws_tls *client, hws_tls *server, const char *host) {
    tls_pair *p = tls_pair_new(client, server, host);
    tls_open(p);
    return p;
}

const char *tls_reason(hws_tls *tls, const void *state) {
    static char text[HWS_TLS_REASON_CAP];
    memset(text, 'x', sizeof text);
    hws_tls_reason(tls, state, text);
    return text;
}
