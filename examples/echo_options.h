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
    uint64_t max_message;
    text_list subprotocols;
    hws_origin_policy origin;
    deflate_choice deflate;
} echo_options;

/* Set by take_options(), which comes back when all is good. */
extern echo_options options;
void take_options(char **argv);

#endif
