/*
 * The command line of hawser-bench.
 */
#include "bench_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command_line.h"

#define SECOND ((uint64_t)1000000000)

enum {
    MAX_CONNECTIONS = 20000,
    MAX_SIZE = 1 << 30,
    MAX_DEPTH = 65536,
    MAX_RATE = 10000000,
    MAX_SECONDS = 86400
};

/* That none was named. */
enum { NO_PAYLOAD = -1 };

/* Bytes that the messages on their way may take in all: they are in our memory and in the server's.
 */
static const uint64_t max_in_flight = (uint64_t)4 << 30;

bench_options options = {.connections = 10,
                         .size = 125,
                         .depth = 1,
                         .duration_ns = 10 * SECOND,
                         .warm_up_ns = SECOND,
                         .timeout_ns = 10 * SECOND,
                         .payload = NO_PAYLOAD,
                         .deflate = {.program = "hawser-bench", .role = HWS_ROLE_CLIENT}};

static int take_bounded(void *field, const char *value, uint64_t min, uint64_t max) {
    uint64_t *number = field;
    return take_number(number, value) && *number >= min && *number <= max;
}

static int take_connections(void *field, const char *value) {
    return take_bounded(field, value, 1, MAX_CONNECTIONS);
}

static int take_size(void *field, const char *value) {
    return take_bounded(field, value, 0, MAX_SIZE);
}

static int take_depth(void *field, const char *value) {
    return take_bounded(field, value, 1, MAX_DEPTH);
}

static int take_rate(void *field, const char *value) {
    return take_bounded(field, value, 0, MAX_RATE);
}

/* Digits, and behind a point as many as you like, of which nine count. */
static int take_seconds(void *field, const char *value) {
    uint64_t *ns = field;
    uint64_t unit = SECOND;
    uint64_t seconds = 0;
    size_t i = 0;
    while (value[i] >= '0' && value[i] <= '9' && seconds <= MAX_SECONDS) {
        seconds = seconds * 10 + (uint64_t)(value[i] - '0');
        i++;
    }
    *ns = seconds * SECOND;
    if (i == 0 || value[i] != '.' || value[i + 1] == '\0') {
        return i > 0 && value[i] == '\0' && seconds <= MAX_SECONDS;
    }
    i++;
    while (value[i] >= '0' && value[i] <= '9') {
        unit /= 10;
        *ns += unit * (uint64_t)(value[i] - '0');
        i++;
    }
    return value[i] == '\0' && seconds <= MAX_SECONDS;
}

static int take_some_seconds(void *field, const char *value) {
    return take_seconds(field, value) && *(uint64_t *)field > 0;
}

static int take_payload(void *field, const char *value) {
    static const char *const names[] = {[PAYLOAD_RANDOM] = "random", [PAYLOAD_WORDS] = "words"};
    int *payload = field;
    int i = 0;
    while (i < PAYLOAD_KINDS && strcmp(value, names[i]) != 0) {
        i++;
    }
    *payload = i;
    return i < PAYLOAD_KINDS;
}

static int take_url(const char *url) {
    hws_status status = hws_uri_parse(hws_text_from(url), &options.uri);
    if (status != HWS_OK || options.url != NULL) {
        fprintf(stderr, "hawser-bench: %s: %s\n", url,
                status != HWS_OK ? hws_status_sentence(status) : "There is a URL already.");
        return 0;
    }
    options.url = url;
    return 1;
}

static const option option_table[] = {
    {"--connections", "N", "connections at a time (10)", take_connections, &options.connections},
    {"--size", "BYTES", "length of each message (125)", take_size, &options.size},
    {"--depth", "N", "messages on their way in each connection (1)", take_depth, &options.depth},
    {"--rate", "N", "messages a second, of all connections; 0: as fast as it goes (0)", take_rate,
     &options.rate},
    {"--duration", "SECONDS", "how long to measure (10)", take_some_seconds, &options.duration_ns},
    {"--warm-up", "SECONDS", "load before that, which does not count (1)", take_seconds,
     &options.warm_up_ns},
    {"--timeout", "SECONDS", "for opening, and for the last answers (10)", take_some_seconds,
     &options.timeout_ns},
    {"--text", "", "send text, not binary messages", take_flag, &options.text},
    {"--payload", "KIND",
     "random, or words, which can be compressed (random; with --deflate words)", take_payload,
     &options.payload},
    {"--deflate", "[=OPTIONS]", "offer to compress messages (permessage-deflate)", take_deflate,
     &options.deflate},
    {"--json", "", "print the result as JSON", take_flag, &options.json},
    {0},
};

static const program self = {
    .name = "hawser-bench",
    .usage = "usage: hawser-bench [options] URL\n"
             "Sends messages to a WebSocket server that sends each back, checks what comes back,\n"
             "and prints how many came and how long they took.\n",
    .options = option_table,
    .notes = DEFLATE_NOTES ".\n",
    .take_word = take_url,
};

static void refuse(const char *sentence) {
    fprintf(stderr, "hawser-bench: %s\n", sentence);
    print_usage(&self, stderr);
    exit(2);
}

void take_options(char **argv) {
    take_command_line(&self, argv);
    if (options.url == NULL) {
        refuse("The URL is missing.");
    }
    if (options.deflate.count == 0) {
        hws_deflate_options_init(&options.deflate.options, HWS_ROLE_CLIENT, HWS_DEFLATE_BALANCED);
    }
    if (options.payload == NO_PAYLOAD) {
        options.payload = options.deflate.count > 0 ? PAYLOAD_WORDS : PAYLOAD_RANDOM;
    }
    if ((options.size + HWS_FRAME_HEADER_MAX) * options.depth >
        max_in_flight / options.connections) {
        refuse("Connections, size and depth are more than 4 GiB together.");
    }
}
