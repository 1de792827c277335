/*
 * What the command line of hawser-cat asks for.
 */
#ifndef CAT_OPTIONS_H
#define CAT_OPTIONS_H

#include <hawser/hawser.h>

#include "client_tls.h"
#include "deflate_options.h"

enum { SOURCE_LIMIT = 256 };

/* Something to send: a text, or what a file has, as one binary message or as a text for each line.
 */
typedef struct source {
    const char *text; /* NULL: it is a file */
    int file;
    int lines;
} source;

typedef struct cat_options {
    const char *url;
    int secure; /* 1: it is a wss:// one */
    const char *unix_path;
    hws_client_config client;
    deflate_choice deflate;
    tls_choice tls;
    source sources[SOURCE_LIMIT];
    size_t source_count;
    uint64_t count; /* messages to wait for; 0: no end */
    uint64_t max_message;
    int32_t timeout_ms;
    int echo;
    int trace;
} cat_options;

/* Set by take_options(), which comes back when all is good. */
extern cat_options options;
void take_options(char **argv);

/* Ends the program with the usage and status 2. */
void refuse_options(void);

#endif
