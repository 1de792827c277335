/*
 * The blocking adapter's peers behind the toy filter: a pair, and the other end by hand.
 */
#ifndef HWS_TESTS_TOY_PEER_H
#define HWS_TESTS_TOY_PEER_H

#include "peer.h"
#include "toy_filter.h"

/* Plain bytes as records. */
static inline void toy_raw_send(int fd, const void *plain, size_t len) {
    const uint8_t *bytes = plain;
    size_t at = 0;
    while (at < len) {
        uint8_t record[2 + TOY_RECORD_MAX] = {'D'};
        size_t part = len - at < TOY_RECORD_MAX ? len - at : TOY_RECORD_MAX;
        size_t i = 0;
        record[1] = (uint8_t)part;
        while (i < part) {
            record[2 + i] = bytes[at + i] ^ TOY_KEY;
            i++;
        }
        raw_send(fd, record, part + 2);
        at += part;
    }
}

/* Plain bytes out of records, which end where these do. */
static inline void toy_raw_expect(int fd, const void *plain, size_t len) {
    const uint8_t *wanted = plain;
    size_t at = 0;
    while (at < len) {
        uint8_t record[TOY_RECORD_MAX];
        size_t i = 0;
        raw_expect(fd, "D", 1);
        assert_int_equal(raw_read(fd, record, 1), 1);
        size_t part = record[0];
        assert_true(part <= len - at);
        assert_int_equal(raw_read(fd, record, part), (int)part);
        while (i < part) {
            assert_int_equal(record[i] ^ TOY_KEY, wanted[at + i]);
            i++;
        }
        at += part;
    }
}

/* A head to its end, NUL-terminated. */
static inline void toy_raw_head(int fd, char *head, size_t cap) {
    size_t n = 0;
    head[0] = '\0';
    while (strstr(head, "\r\n\r\n") == NULL) {
        uint8_t record[TOY_RECORD_MAX];
        raw_expect(fd, "D", 1);
        assert_int_equal(raw_read(fd, record, 1), 1);
        size_t part = record[0];
        size_t i = 0;
        assert_true(part < cap - n);
        assert_int_equal(raw_read(fd, record, part), (int)part);
        while (i < part) {
            head[n++] = (char)(record[i++] ^ TOY_KEY);
        }
        head[n] = '\0';
    }
}

/* A pair whose bytes go through a filter, to be configured and opened. */
static inline pair *toy_pair_new(toy *t) {
    pair *p = pair_new();
    toy_init(t);
    snprintf(p->url, sizeof p->url, "wss://127.0.0.1:%u/", hws_listener_port(&p->listener));
    p->client.config.filter = &t->table;
    p->server.config.filter = &t->table;
    return p;
}

#endif
