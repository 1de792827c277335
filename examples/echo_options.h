/*
 * What the command line of hawser-echo asks for.
 */
#ifndef ECHO_OPTIONS_H
#define ECHO_OPTIONS_H

#include <hawser/hawser.h>

#include "command_line.h"
#include "deflate_options.h"

typedef struct echo_options {
    const char *host;
    const char *unix_path;
    uint64_t port;
    uint64_t threads;
    uint64_t max_connections; /* of all threads together */
    uint64_t max_message;
    uint64_t rate;        /* messages a second; 0: no limit */
    uint64_t handshake_s; /* seconds, each; 0: for ever */
    uint64_t ping_s;
    uint64_t idle_s;
    uint64_t drain_s; /* seconds; 0: not at all */
    text_list subprotocols;
    hws_origin_policy origin;
    text_list users;  /* NAME:PASSWORD */
    text_list tokens; /* without users and tokens anybody may come */
    const char *tls_cert;
    const char *tls_key;
    deflate_choice deflate;
    int trace;
    int summary;
} echo_options;

/* Set by take_options(), which comes back when all is good, and only read from then on. */
extern echo_options options;
void take_options(char **argv);

#endif
