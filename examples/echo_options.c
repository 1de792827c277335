/*
 * The command line of hawser-echo.
 */
#include "echo_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_THREADS = 64,
    MAX_CONNECTIONS = 10000000,
    MAX_SECONDS = 1000000 /* in milliseconds it fits in 31 bits */
};

echo_options options = {.host = "127.0.0.1",
                        .port = 9001,
                        .threads = 1,
                        .max_connections = 10000,
                        .max_message = HWS_DEFAULT_MAX_MESSAGE,
                        .handshake_s = 10,
                        .ping_s = 20,
                        .drain_s = 5,
                        .deflate = {.program = "hawser-echo", .role = HWS_ROLE_SERVER}};

static text_list origins; /* of options.origin */

static int take_port(void *field, const char *value) {
    return take_number(field, value) && options.port <= UINT16_MAX;
}

static int take_threads(void *field, const char *value) {
    return take_number(field, value) && options.threads > 0 && options.threads <= MAX_THREADS;
}

static int take_connections(void *field, const char *value) {
    return take_number(field, value) && options.max_connections > 0 &&
           options.max_connections <= MAX_CONNECTIONS;
}

static int take_rate(void *field, const char *value) {
    return take_number(field, value) && options.rate <= UINT32_MAX;
}

static int take_seconds(void *field, const char *value) {
    return take_number(field, value) && *(uint64_t *)field <= MAX_SECONDS;
}

/* What is empty, or has no colon, protects nothing. */
static int take_user(void *field, const char *value) {
    const char *colon = strchr(value, ':');
    return colon != NULL && colon > value && colon[1] != '\0' && take_text(field, value);
}

static int take_token(void *field, const char *value) {
    return *value != '\0' && take_text(field, value);
}

static int take_tls(void *field, const char *value) {
#ifdef HAWSER_WITH_TLS
    return take_string(field, value);
#else
    (void)field;
    (void)value;
    fputs("hawser-echo: TLS needs OpenSSL, and this build has none.\n", stderr);
    exit(2);
#endif
}

/* An origin is well-formed when a list of it alone lets itself in. */
static int is_origin(hws_text text) {
    hws_origin_policy itself = {.kind = HWS_ORIGIN_LIST, .origins = &text, .origin_count = 1};
    hws_handshake request = {.has_origin = 1, .origin = {0, (uint32_t)text.len}};
    return hws_handshake_check_origin(&request, (const uint8_t *)text.data, &itself) == HWS_OK;
}

/* One of the words, or any number of origins. */
static int take_origin(void *field, const char *value) {
    hws_origin_policy *policy = field;
    uint8_t before = policy->kind;
    if (strcmp(value, "any") == 0) {
        policy->kind = HWS_ORIGIN_ANY;
    } else if (strcmp(value, "same") == 0) {
        policy->kind = HWS_ORIGIN_SAME;
    } else if (is_origin(hws_text_from(value)) && take_text(&origins, value)) {
        policy->kind = HWS_ORIGIN_LIST;
        policy->origins = origins.items;
        policy->origin_count = origins.count;
    } else {
        return 0;
    }
    return before == HWS_ORIGIN_UNSET || before == policy->kind;
}

static const option option_table[] = {
    {"--host", "HOST", "name or address to listen on (127.0.0.1)", take_string, &options.host},
    {"--port", "PORT", "0: the system chooses one (9001)", take_port, &options.port},
    {"--unix", "PATH", "listen on a Unix socket instead", take_string, &options.unix_path},
    {"--subprotocol", "NAME", "agree to this one; may be repeated", take_text,
     &options.subprotocols},
    {"--origin", "WHO", "pages that may connect: any, same (as Host), or origins (same)",
     take_origin, &options.origin},
    {"--user", "NAME:PASS", "let in who says this (Basic); may be repeated", take_user,
     &options.users},
    {"--token", "TOKEN", "let in who has this (Bearer, cookie or query \"token\"); likewise",
     take_token, &options.tokens},
    {"--tls-cert", "FILE", "serve wss:// with this certificate and its chain (PEM)", take_tls,
     &options.tls_cert},
    {"--tls-key", "FILE", "its private key (PEM)", take_tls, &options.tls_key},
    {"--threads", "COUNT", "threads that share the connections (1)", take_threads,
     &options.threads},
    {"--max-connections", "COUNT", "clients above it are answered 503 (10000)", take_connections,
     &options.max_connections},
    {"--max-message", "BYTES", "longest message; 0 is unlimited (16777216)", take_limit,
     &options.max_message},
    {"--rate", "COUNT", "messages a second from a client; 0 is unlimited (0)", take_rate,
     &options.rate},
    {"--handshake", "SECONDS", "for a client to ask for what he wants; 0: for ever (10)",
     take_seconds, &options.handshake_s},
    {"--ping", "SECONDS", "of silence before a Ping, and for its Pong; 0: no Pings (20)",
     take_seconds, &options.ping_s},
    {"--idle", "SECONDS", "without a message before a client is closed; 0: for ever (0)",
     take_seconds, &options.idle_s},
    {"--drain", "SECONDS", "for clients to go when the server is told to stop (5)", take_seconds,
     &options.drain_s},
    {"--deflate", "[=OPTIONS]", "compress messages of clients that offer it (permessage-deflate)",
     take_deflate, &options.deflate},
    {"--trace", "", "print every head and frame, without their secrets, on standard error",
     take_flag, &options.trace},
    {"--summary", "", "print what was counted when the server ends", take_flag, &options.summary},
    {0},
};

static const program self = {
    .name = "hawser-echo",
    .usage = "usage: hawser-echo [options]\n"
             "A WebSocket server that sends every message back, with a page for browsers.\n",
    .options = option_table,
    .notes = DEFLATE_NOTES "\n"
                           "  require_client_max_window_bits  decline clients that take no limit",
};

/* What each option cannot see alone. NULL when all is good. */
static const char *find_contradiction(void) {
    if ((options.tls_cert == NULL) != (options.tls_key == NULL)) {
        return "--tls-cert and --tls-key need each other.";
    }
    if (options.unix_path != NULL && options.threads > 1) {
        return "A Unix socket cannot be shared by several threads.";
    }
    return NULL;
}

void take_options(char **argv) {
    const char *sentence;
    take_command_line(&self, argv);
    if (options.origin.kind == HWS_ORIGIN_UNSET) {
        options.origin.kind = HWS_ORIGIN_SAME;
    }
    sentence = find_contradiction();
    if (sentence != NULL) {
        fprintf(stderr, "hawser-echo: %s\n", sentence);
        print_usage(&self, stderr);
        exit(2);
    }
}
