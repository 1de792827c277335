/*
 * What --deflate[=OPTIONS] of the programs asks for.
 */
#ifndef DEFLATE_OPTIONS_H
#define DEFLATE_OPTIONS_H

#include <hawser/blocking.h>
#include <hawser/hawser.h>

typedef struct deflate_choice {
    const char *program;          /* whose command line it is, for what is said about it */
    uint8_t role;                 /* that program's */
    hws_deflate_params params[2]; /* best first; the second is a client's alone */
    uint32_t count;               /* of params that are used */
    hws_deflate_options options;
} deflate_choice;

/* What an option's `take` can be; the field is a deflate_choice. A build without zlib says so and
 * ends the program with status 2. */
int take_deflate(void *field, const char *value);

/* What the choice means for a connection; without --deflate nothing. */
void use_deflate(const deflate_choice *choice, hws_blocking_config *config);

/* For the usage: what is the same in all programs. */
#define DEFLATE_NOTES                                                                              \
    "OPTIONS are joined by commas:\n"                                                              \
    "  small, balanced, best           settings that fit together; first of all (balanced)\n"      \
    "  level=1...9                     effort\n"                                                   \
    "  memory=1...9                    of the compressor, beside its window\n"                     \
    "  window=9...15                   of the compressor at most, base-2 logarithm of bytes\n"     \
    "  threshold=BYTES                 shorter messages are not compressed\n"                      \
    "  server_max_window_bits=8...15   and the other parameters of RFC 7692 7.1:\n"                \
    "  client_max_window_bits=8...15, server_no_context_takeover, client_no_context_takeover"

#endif
