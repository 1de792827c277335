/*
 * The command line of hawser-cat.
 */
#include "cat_options.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command_line.h"

#ifdef _WIN32
#include <io.h>
#else
#define O_BINARY 0
#endif

enum { MAX_TIMEOUT_S = 1000000 /* in milliseconds it fits in 32 bits */ };

/* What cannot go to its place at once. */
static struct {
    const char *origin;
    uint64_t timeout_s;
    text_list subprotocols;
    text_list field_lines; /* "Name: value" */
    hws_field fields[TEXT_LIST_LIMIT];
} raw = {.timeout_s = 10};

cat_options options = {.max_message = HWS_DEFAULT_MAX_MESSAGE,
                       .deflate = {.program = "hawser-cat", .role = HWS_ROLE_CLIENT}};

static int add_source(source next) {
    if (options.source_count == SOURCE_LIMIT) {
        return 0;
    }
    options.sources[options.source_count++] = next;
    return 1;
}

/* A text that is not UTF-8 cannot be sent: better known now. */
static int take_message(void *field, const char *value) {
    uint32_t state = HWS_UTF8_ACCEPT;
    (void)field;
    (void)hws_utf8_validate(&state, (const uint8_t *)value, strlen(value));
    return state == HWS_UTF8_ACCEPT && add_source((source){.text = value});
}

static int take_file(void *field, const char *value) {
    int file = strcmp(value, "-") == 0 ? 0 : open(value, O_RDONLY | O_BINARY);
    (void)field;
    return file >= 0 && add_source((source){.file = file});
}

static int take_timeout(void *field, const char *value) {
    return take_number(field, value) && raw.timeout_s > 0 && raw.timeout_s <= MAX_TIMEOUT_S;
}

/* hawser itself judges what may stand in a field. */
static int take_field(void *field, const char *value) {
    return strchr(value, ':') != NULL && take_text(field, value);
}

static int take_url(const char *url) {
    hws_uri uri;
    hws_status status = hws_uri_parse(hws_text_from(url), &uri);
    if (status != HWS_OK || options.url != NULL) {
        fprintf(stderr, "hawser-cat: %s: %s\n", url,
                status != HWS_OK ? hws_status_sentence(status) : "There is a URL already.");
        return 0;
    }
    if (uri.secure && !has_tls()) {
        fputs("hawser-cat: wss:// needs OpenSSL for TLS, and this build has none.\n", stderr);
        exit(2);
    }
    options.url = url;
    options.secure = uri.secure;
    return 1;
}

static const option option_table[] = {
    {"--send", "TEXT", "send a text message; may be repeated", take_message, NULL},
    {"--binary", "FILE", "send a file as binary message, - is stdin; may be repeated", take_file,
     NULL},
    {"--header", "FIELD", "\"Name: value\" for the request; may be repeated", take_field,
     &raw.field_lines},
    {"--subprotocol", "NAME", "a subprotocol to offer; may be repeated", take_text,
     &raw.subprotocols},
    {"--origin", "ORIGIN", "the origin to claim, as a browser does", take_string, &raw.origin},
    {"--count", "N", "close after N messages were received", take_number, &options.count},
    {"--echo", "", "send every message back until the server closes", take_flag, &options.echo},
    {"--unix", "PATH", "connect to a Unix socket, not to the host of the URL", take_string,
     &options.unix_path},
    {"--timeout", "SECONDS", "for opening, for an answer, and for closing (10)", take_timeout,
     &raw.timeout_s},
    {"--max-message", "BYTES", "longest message; 0 is unlimited (16777216)", take_limit,
     &options.max_message},
    {"--cacert", "FILE", "wss: trust the authorities in it (PEM), not those of the system",
     take_string, &options.tls.ca_file},
    {"--insecure", "", "wss: take any certificate, of anybody", take_flag, &options.tls.insecure},
    {"--trace", "", "tell each frame and head on stderr, without secrets", take_flag,
     &options.trace},
    {"--deflate", "[=OPTIONS]", "offer to compress messages (permessage-deflate)", take_deflate,
     &options.deflate},
    {0},
};

static const program self = {
    .name = "hawser-cat",
    .usage = "usage: hawser-cat [options] URL\n"
             "Talks to a WebSocket server. Without --send, --binary and --echo it sends the lines\n"
             "of stdin. With --send or --binary it waits for as many answers.\n",
    .options = option_table,
    .notes = DEFLATE_NOTES
    "\n"
    "  client_max_window_bits=0        not to let the server limit the client's window\n"
    "\n"
    "The secrets of wss:// connections are appended to the file that SSLKEYLOGFILE names.",
    .take_word = take_url,
};

static hws_field field_from(hws_text line) {
    size_t name_len = strcspn(line.data, ":");
    const char *value = line.data + name_len + 1;
    return (hws_field){{line.data, name_len}, hws_text_from(value + strspn(value, " \t"))};
}

static void fill_client(hws_client_config *client) {
    for (size_t i = 0; i < raw.field_lines.count; i++) {
        raw.fields[i] = field_from(raw.field_lines.items[i]);
    }
    hws_client_config_init(client);
    client->origin = hws_text_from(raw.origin);
    client->subprotocols = raw.subprotocols.items;
    client->subprotocol_count = raw.subprotocols.count;
    client->fields = raw.fields;
    client->field_count = raw.field_lines.count;
}

void take_options(char **argv) {
    take_command_line(&self, argv);
    if (options.url == NULL) {
        fputs("hawser-cat: The URL is missing.\n", stderr);
        refuse_options();
    }
    if (options.count == 0 && !options.echo) {
        options.count = options.source_count;
    }
    if (options.source_count == 0 && !options.echo) {
#ifdef _WIN32
        fputs("hawser-cat: Here it cannot wait for lines: give --send, --binary or --echo.\n",
              stderr);
        refuse_options();
#endif
        (void)add_source((source){.lines = 1});
    }
    options.timeout_ms = (int32_t)raw.timeout_s * 1000;
    fill_client(&options.client);
}

void refuse_options(void) {
    print_usage(&self, stderr);
    exit(2);
}
