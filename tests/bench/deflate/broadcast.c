/*
 * One message to many connections: compressed for each, or once for all.
 */
#include "bench_deflate.h"
#include "corpus.h"
#include "paths.h"

#include <hawser/deflate_zlib.h>

#include <stdlib.h>
#include <string.h>

enum { ROUNDS_MAX = 64, ROOM = 1 << 16, BEFORE = 4 };

/* How the message gets to the connections, and what they have agreed to. */
typedef struct way {
    const char *name;
    uint8_t preset, takeover;
    uint8_t compress; /* each connection its own */
    uint8_t once;     /* one compressor for all */
} way;

static const way ways[] = {
    {"plain", HWS_DEFLATE_BALANCED, 1, 0, 0},
    {"each, takeover", HWS_DEFLATE_BALANCED, 1, 1, 0},
    {"each, no takeover", HWS_DEFLATE_BALANCED, 0, 1, 0},
    {"once, no takeover", HWS_DEFLATE_BALANCED, 0, 0, 1},
    {"once, followed", HWS_DEFLATE_BALANCED, 1, 0, 1},
    {"each, takeover, best", HWS_DEFLATE_BEST, 1, 1, 0},
    {"once, followed, best", HWS_DEFLATE_BEST, 1, 0, 1},
};

enum { WAYS = sizeof ways / sizeof *ways };

typedef struct hall {
    const way *way;
    end *ends;
    size_t count;
    hws_compressor shared;
    uint8_t payload[ROOM];
    uint8_t out[ROOM];
    size_t wire_len; /* of one connection's frame, the last time */
} hall;

static setup setup_of(const way *w) {
    setup how = setup_of_preset(w->preset);
    how.takeover = w->takeover;
    return how;
}

static void send_compressed(hall *h, end *e, const uint8_t *data, size_t len) {
    size_t used = 0;
    h->wire_len = 0;
    must(hws_deflate_send(&e->deflate, &e->conn, HWS_TEXT, HWS_WHOLE | HWS_COMPRESSED, data, len,
                          &used, h->out, ROOM, &h->wire_len),
         "hws_deflate_send");
}

/* Every connection is in use: it has sent messages of its own. */
static void hall_open(hall *h, const way *w, size_t count, const messages *in) {
    setup how = setup_of(w);
    hws_deflate_options options = options_for(&how, HWS_ROLE_SERVER);
    h->way = w;
    h->count = count;
    h->ends = take(count * sizeof *h->ends);
    must(hws_compressor_init(&h->shared, options.codec, &options.settings), "hws_compressor_init");
    size_t i = 0;
    while (i < count) {
        end_open(&h->ends[i], &how, HWS_ROLE_SERVER);
        size_t j = 0;
        while (j < BEFORE) {
            size_t k = (i + j) % in->count;
            send_compressed(h, &h->ends[i], in->bytes + message_start(in, k), message_len(in, k));
            j++;
        }
        i++;
    }
}

static void hall_close(hall *h) {
    size_t i = 0;
    while (i < h->count) {
        hws_deflate_release(&h->ends[i].deflate);
        i++;
    }
    hws_compressor_release(&h->shared);
    free(h->ends);
}

static void send_frame(hall *h, end *e, uint8_t flags, const uint8_t *data, size_t len) {
    h->wire_len = 0;
    must(hws_conn_send(&e->conn, HWS_TEXT, flags, data, len, h->out, ROOM, &h->wire_len),
         "hws_conn_send");
}

static void broadcast(hall *h, const uint8_t *data, size_t len) {
    size_t n = 0;
    size_t i = 0;
    if (h->way->once) {
        must(hws_compressor_message(&h->shared, data, len, h->payload, ROOM, &n),
             "hws_compressor_message");
    }
    while (i < h->count) {
        end *e = &h->ends[i];
        if (h->way->compress) {
            send_compressed(h, e, data, len);
        } else if (!h->way->once) {
            send_frame(h, e, HWS_WHOLE, data, len);
        } else {
            if (!hws_deflate_fits(&e->deflate, hws_compressor_window_bits(&h->shared))) {
                fail("hws_deflate_fits", "A connection cannot take what was compressed for all.");
            }
            send_frame(h, e, HWS_WHOLE | HWS_COMPRESSED, h->payload, n);
            must(hws_deflate_follow(&e->deflate, data, len), "hws_deflate_follow");
        }
        i++;
    }
}

/* A round sends one message in all ways, so that they have the same to do at the same time. */
static void rounds_of(FILE *out, const corpus *c, size_t connections, size_t rounds) {
    static uint64_t took[WAYS][ROUNDS_MAX];
    static hall halls[WAYS];
    size_t sent[WAYS] = {0};
    size_t plain = 0;
    messages in = corpus_make(c, c->longest * (rounds + 1));
    size_t i = 0;
    while (i < WAYS) {
        hall_open(&halls[i], &ways[i], connections, &in);
        i++;
    }
    size_t round = 0;
    while (round < rounds) {
        i = 0;
        while (i < WAYS) {
            uint64_t start = processor_ns();
            broadcast(&halls[i], in.bytes + message_start(&in, round), message_len(&in, round));
            took[i][round] = processor_ns() - start;
            sent[i] += halls[i].wire_len;
            i++;
        }
        plain += message_len(&in, round);
        round++;
    }
    i = 0;
    while (i < WAYS) {
        fprintf(out, "%s,\"%s\",%zu,%.0f,%.0f,%.3f\n", c->name, ways[i].name, connections,
                (double)plain / (double)rounds, (double)sent[i] / (double)rounds,
                (double)median(took[i], rounds) / 1000 / (double)connections);
        hall_close(&halls[i]);
        i++;
    }
    messages_release(&in);
}

void tell_broadcast(FILE *out, size_t connections, size_t rounds) {
    fprintf(out, "corpus,way,connections,plain_bytes,sent_bytes,us_per_connection\n");
    size_t i = 0;
    while (i < 3) {
        rounds_of(out, &corpora[i], connections, rounds < ROUNDS_MAX ? rounds : ROUNDS_MAX);
        i++;
    }
}
