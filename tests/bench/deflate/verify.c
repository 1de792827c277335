/*
 * Whether the benchmark does what it says: each way there and back gives the messages again, hawser
 * reads what zlib wrote and zlib what hawser wrote, and the corpora are those that they were.
 */
#include "bench_deflate.h"
#include "corpus.h"
#include "paths.h"

#include <hawser/deflate_zlib.h>

#include <string.h>

enum { SLACK = 4096, FEW = 20 };

typedef struct trip {
    const char *name;
    void (*there)(const setup *how, messages *in, messages *out);
    void (*back)(const setup *how, messages *in, messages *out);
} trip;

static const trip trips[] = {
    {"hawser to hawser", run_compress, run_decompress},
    {"hawser to zlib", run_compress, run_zlib_decompress},
    {"zlib to hawser", run_zlib_compress, run_decompress},
    {"a client's frames to a server", run_send_masked, run_receive},
    {"a server's frames to a client", run_send, run_receive_unmasked},
};

static void check_corpus(const corpus *c) {
    messages m = corpus_make(c, CORPUS_CHECKED);
    if (messages_checksum(&m) != c->checksum) {
        fail(c->name, "The corpus is not the one that it was: its checksum is another.");
    }
    size_t i = 0;
    while (i < m.count) {
        uint32_t state = HWS_UTF8_ACCEPT;
        hws_utf8_validate(&state, m.bytes + message_start(&m, i), message_len(&m, i));
        if (c->type == HWS_TEXT && state != HWS_UTF8_ACCEPT) {
            fail(c->name, "A message is no text.");
        }
        i++;
    }
    messages_release(&m);
}

static void check_trip(const trip *t, const corpus *c, setup how) {
    messages in = corpus_make(c, CORPUS_CHECKED);
    messages made = messages_make(in.len * 2 + SLACK, in.count);
    messages again = messages_make(in.len + SLACK, in.count);
    how.type = c->type;
    t->there(&how, &in, &made);
    t->back(&how, &made, &again);
    if (messages_checksum(&in) != messages_checksum(&again)) {
        fail(t->name, "What came out is not what went in.");
    }
    if (c->type == HWS_TEXT && made.len > in.len) {
        fail(t->name, "Text became longer.");
    }
    messages_release(&in);
    messages_release(&made);
    messages_release(&again);
}

static size_t check_trips(void) {
    static const setup extremes[] = {
        {.window_bits = 9, .level = 1, .mem_level = 1, .takeover = 1},
        {.window_bits = 15, .level = 9, .mem_level = 9, .takeover = 0},
        {.window_bits = 12, .level = 6, .mem_level = 5, .takeover = 1},
    };
    size_t count = 0;
    size_t i = 0;
    while (i < CORPORA * 6) {
        size_t which = i % 6;
        setup how = which < 3 ? setup_of_preset((uint8_t)which) : extremes[which - 3];
        size_t j = 0;
        while (j < sizeof trips / sizeof *trips) {
            check_trip(&trips[j], &corpora[i / 6], how);
            count++;
            j++;
        }
        i++;
    }
    return count;
}

/* One message from a compressor for all, between messages of the connection's own. */
static void check_follow(void) {
    end server;
    end client;
    uint8_t payload[SLACK];
    uint8_t wire[SLACK];
    uint8_t room[SLACK];
    hws_compressor shared;
    setup how = setup_of_preset(HWS_DEFLATE_BALANCED);
    hws_deflate_options options = options_for(&how, HWS_ROLE_SERVER);
    messages in = corpus_make(&corpora[0], SLACK * FEW);
    must(hws_compressor_init(&shared, options.codec, &options.settings), "hws_compressor_init");
    end_open(&server, &how, HWS_ROLE_SERVER);
    end_open(&client, &how, HWS_ROLE_CLIENT);
    size_t i = 0;
    while (i < in.count) {
        const uint8_t *data = in.bytes + message_start(&in, i);
        size_t len = message_len(&in, i);
        size_t taken = 0;
        size_t used = 0;
        size_t n = 0;
        size_t wire_len = 0;
        hws_event ev;
        if (i % 3 == 1) {
            must(hws_compressor_message(&shared, data, len, payload, SLACK, &n), "once for all");
            must(hws_conn_send(&server.conn, HWS_TEXT, HWS_WHOLE | HWS_COMPRESSED, payload, n, wire,
                               SLACK, &wire_len),
                 "hws_conn_send");
            must(hws_deflate_follow(&server.deflate, data, len), "hws_deflate_follow");
        } else {
            must(hws_deflate_send(&server.deflate, &server.conn, HWS_TEXT,
                                  HWS_WHOLE | HWS_COMPRESSED, data, len, &taken, wire, SLACK,
                                  &wire_len),
                 "hws_deflate_send");
        }
        hws_status status = hws_deflate_receive(&client.deflate, &client.conn, wire, wire_len,
                                                &used, room, SLACK, &ev);
        if (status != HWS_EVENT || ev.len != len || memcmp(ev.data, data, len) != 0) {
            fail("hws_deflate_follow", "A message was not received as it was sent.");
        }
        i++;
    }
    hws_deflate_release(&server.deflate);
    hws_deflate_release(&client.deflate);
    hws_compressor_release(&shared);
    messages_release(&in);
}

void verify(FILE *out) {
    FILE *nowhere = fopen("/dev/null", "w");
    if (nowhere == NULL) {
        fail("/dev/null", "It could not be opened.");
    }
    size_t i = 0;
    while (i < CORPORA) {
        check_corpus(&corpora[i]);
        i++;
    }
    size_t count = check_trips();
    check_follow();
    tell_presets(nowhere);
    tell_memory(nowhere);
    tell_resident(nowhere, "small", 3);
    tell_resident(nowhere, "balanced", 3);
    tell_resident(nowhere, "best", 3);
    tell_grid(nowhere, 1024, 1);
    tell_threshold(nowhere, 1024, 1);
    tell_broadcast(nowhere, 3, 3);
    fclose(nowhere);
    fprintf(out, "%d corpora, %zu ways there and back, and one message for all: good.\n", CORPORA,
            count);
}
