/*
 * Prints what a server sent. Knows nothing of the conversation.
 */
#include "show.h"

#include <string.h>

#include "client_tls.h"

enum { BINARY_SHOWN = 32 /* bytes of a binary message */ };

/* Control characters are those of ASCII, and U+0080 to U+009F, which are C2 80 to C2 9F in UTF-8.
 * In what is not UTF-8 no byte above ASCII is let through: some terminals take them for controls
 * too.
 */
static void show_text(FILE *out, const uint8_t *text, size_t len) {
    static const char special[4] = "\n\r\t\\";
    uint32_t state = HWS_UTF8_ACCEPT;
    int utf8 = hws_utf8_validate(&state, text, len) == len && state == HWS_UTF8_ACCEPT;
    for (size_t i = 0; i < len; i++) {
        const char *found = memchr(special, text[i], sizeof special);
        if (found != NULL) {
            fprintf(out, "\\%c", "nrt\\"[found - special]);
        } else if (text[i] < 0x20 || text[i] == 0x7F || (text[i] >= 0x80 && !utf8)) {
            fprintf(out, "\\x%02x", text[i]);
        } else if (text[i] == 0xC2 && text[i + 1] < 0xA0) {
            i++; /* this byte is the code point */
            fprintf(out, "\\u%04x", text[i]);
        } else {
            fputc(text[i], out);
        }
    }
}

static void show_window(const char *name, unsigned bits) {
    if (bits < 15) {
        printf("; %s=%u", name, bits);
    }
}

/* As it stands in the answer, but for what limits nothing. */
static void show_deflate(const hws_deflate_params *agreed) {
    fputs("permessage-deflate", stdout);
    fputs(agreed->server_no_context_takeover ? "; server_no_context_takeover" : "", stdout);
    fputs(agreed->client_no_context_takeover ? "; client_no_context_takeover" : "", stdout);
    show_window("server_max_window_bits", agreed->server_max_window_bits);
    show_window("client_max_window_bits", agreed->client_max_window_bits);
}

void show_open(const hws_blocking *ws) {
    hws_text subprotocol = hws_blocking_subprotocol(ws);
    const hws_deflate_params *deflate = hws_blocking_deflate(ws);
    int both = subprotocol.len > 0 && deflate->enabled;
    int any = subprotocol.len > 0 || deflate->enabled;
    fputs(any ? "open (" : "open", stdout);
    fputs(subprotocol.len > 0 ? "subprotocol " : "", stdout);
    show_text(stdout, (const uint8_t *)subprotocol.data, subprotocol.len);
    fputs(both ? ", " : "", stdout);
    if (deflate->enabled) {
        show_deflate(deflate);
    }
    puts(any ? ")" : "");
    fflush(stdout);
}

static void show_binary(const uint8_t *data, size_t len) {
    printf("binary: %zu bytes:", len);
    for (size_t i = 0; i < len && i < BINARY_SHOWN; i++) {
        printf(" %02x", data[i]);
    }
    fputs(len > BINARY_SHOWN ? " \xE2\x80\xA6" : "", stdout); /* an ellipsis */
}

void show_event(const hws_event *ev) {
    static const char *const starts[] = {[HWS_TEXT] = "text: ",
                                         [HWS_CLOSE] = "close: ",
                                         [HWS_PING] = "ping: ",
                                         [HWS_PONG] = "pong: "};
    if (ev->type == HWS_BINARY) {
        show_binary(ev->data, ev->len);
    } else {
        fputs(starts[ev->type], stdout);
        if (ev->type == HWS_CLOSE) {
            printf("%u%s", ev->close_code, ev->len > 0 ? " " : "");
        }
        show_text(stdout, ev->data, ev->len);
    }
    puts("");
    fflush(stdout);
}

void show_frame(void *user, const void *connection, uint8_t sent, const hws_frame *frame,
                const uint8_t *payload) {
    char line[HWS_TRACE_LINE];
    (void)user;
    (void)connection;
    (void)hws_trace_frame(sent, frame, payload, line, sizeof line);
    fprintf(stderr, "%s\n", line);
}

void show_head(void *user, const void *connection, uint8_t sent, const hws_head *head,
               const uint8_t *bytes) {
    char line[HWS_TRACE_LINE];
    uint32_t number = 0;
    (void)user;
    (void)connection;
    while (hws_trace_head(sent, head, bytes, &number, line, sizeof line)) {
        fprintf(stderr, "%s\n", line);
    }
}

static void show_refusal(const hws_blocking *ws) {
    const uint8_t *bytes;
    const hws_head *head = hws_blocking_head(ws, &bytes);
    uint32_t location = hws_head_find(head, bytes, hws_text_from("Location"), 0);
    fprintf(stderr, "The server refused the handshake: %u%s", head->status,
            head->reason.len > 0 ? " " : "");
    show_text(stderr, bytes + head->reason.offset, head->reason.len);
    if (location < head->header_count) {
        hws_span target = head->headers[location].value;
        fputs(". It points to ", stderr);
        show_text(stderr, bytes + target.offset, target.len);
    }
    fputs(".\n", stderr);
}

void show_failure(const hws_blocking *ws, hws_status status) {
    const char *section = hws_status_section(status);
    int32_t error = hws_blocking_system_error(ws);
    if (status == HWS_ERR_TLS && tell_tls("hawser-cat")) {
        return;
    }
    fputs("hawser-cat: ", stderr);
    if (status == HWS_ERR_REFUSED) {
        show_refusal(ws);
        return;
    }
    fputs(hws_status_sentence(status), stderr);
    if (*section != '\0') {
        fprintf(stderr, " (%s)", section);
    } else if (error != 0 && status != HWS_ERR_RESOLVE) {
        fprintf(stderr, " (%s)", strerror((int)error));
    }
    fputs("\n", stderr);
}
