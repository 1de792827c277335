/*
 * A client and a server of TLS, joined in memory: every byte that one gives goes to the other, in
 * chunks of any size, from and to buffers of any size that end where nobody may write.
 */
#ifndef HWS_TESTS_TLS_HARNESS_H
#define HWS_TESTS_TLS_HARNESS_H

#include "support.h"
#include "tls_files.h"

#include <hawser/tls.h>

enum { WIRE_CAP = 1 << 21 };

/* One end. wire[wire_at … wire_len) is on its way to the other, plain[0 … plain_len) was received.
 */
typedef struct tls_end {
    hws_tls *tls;
    void *state; /* NULL: the filter is not made */
    uint8_t *wire;
    size_t wire_len;
    size_t wire_at;
    uint8_t *plain;
    size_t plain_len;
    hws_status received; /* what receive() returned last, but HWS_MORE */
    hws_status sent;     /* what send() returned last, but HWS_MORE */
} tls_end;

typedef struct tls_pair {
    tls_end client;
    tls_end server;
    size_t chunk;     /* bytes of the wire given to receive() at once */
    size_t wire_cap;  /* of the buffer for send() */
    size_t plain_cap; /* of the buffer for receive() */
} tls_pair;

/* Contexts with the files of tls_files.h, and with versions, where they are not 0. `name` NULL:
 * none. */
void tls_config_server(hws_tls_config *config, const char *name, hws_tls_certificate *certificate);
void tls_config_client(hws_tls_config *config);
hws_tls *tls_new(const hws_tls_config *config);
hws_tls *tls_new_server(const char *name, uint16_t version);
hws_tls *tls_new_client(uint16_t version);
void tls_free(hws_tls *tls);

/* A pair of connections. Does not take the contexts. */
tls_pair *tls_pair_new(hws_tls *client, hws_tls *server, const char *host);
void tls_pair_free(tls_pair *p);

/* Send plain bytes as far as they are taken. Returns how many were; the status is in end->sent. */
size_t tls_send(tls_pair *p, tls_end *end, const void *plain, size_t len);

/* Give what is on its way to the other end, whose answers are on their way then. */
void tls_deliver(tls_pair *p, tls_end *from, tls_end *to);

/* Deliver until nothing is on its way. */
void tls_exchange(tls_pair *p);

/* Shake hands, and fail the test when they do not. */
void tls_open(tls_pair *p);

/* Whether the handshake is done at one end. */
int tls_is_open(const tls_end *end);

/* A pair that has shaken hands, all in one call for all. */
tls_pair *tls_pair_open(hws_tls *client, hws_tls *server, const char *host);

/* Why a connection failed, or a context (state NULL); it stands until the next call. */
const char *tls_reason(hws_tls *tls, const void *state);

#endif
