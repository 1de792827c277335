/*
 * The command line of hawser-echo.
 */
#include "echo_options.h"

#include <string.h>

echo_options options = {.host = "127.0.0.1",
                        .port = 9001,
                        .max_message = HWS_DEFAULT_MAX_MESSAGE,
                        .deflate = {.program = "hawser-echo", .role = HWS_ROLE_SERVER}};

static text_list origins; /* of options.origin */

static int take_port(void *field, const char *value) {
    return take_number(field, value) && options.port <= UINT16_MAX;
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
    {"--max-message", "BYTES", "longest message; 0 is unlimited (16777216)", take_limit,
     &options.max_message},
    {"--deflate", "[=OPTIONS]", "compress messages of clients that offer it (permessage-deflate)",
     take_deflate, &options.deflate},
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

void take_options(char **argv) {
    take_command_line(&self, argv);
    if (options.origin.kind == HWS_ORIGIN_UNSET) {
        options.origin.kind = HWS_ORIGIN_SAME;
    }
}
