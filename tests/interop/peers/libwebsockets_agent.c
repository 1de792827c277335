/*
 * An agent (see programs.py) with libwebsockets. One thread reads the commands and wakes the
 * library's loop, which carries them out one by one when it may write.
 */
#include <libwebsockets.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct command {
    struct command *next;
    char verb[16];
    char arg[16];
    size_t len;
    unsigned char data[]; /* LWS_PRE free bytes, the data, a NUL */
};

static struct lws_context *context;
static struct lws *connection;
static char settings[256]; /* of the compressor, which nobody negotiates: name=value; … */
static char client_offer[256] = "permessage-deflate"; /* The library reads it at each connect. */
static struct command *first, **last = &first;
static struct command *written; /* When it compresses, the library reads on after lws_write(). */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int ended, binary, connecting;
static unsigned char *message;
static size_t message_len;
static char close_code[16] = "1006", close_reason[128];
static size_t close_len;
static char names[256], protocol[64]; /* of extensions and the subprotocol */

static void emit(const char *verb, const char *arg, const void *data, size_t len) {
    printf("%s %s %zu\n", verb, arg[0] ? arg : "-", len);
    fwrite(data, 1, len, stdout);
    fflush(stdout);
}

static struct command *take(void) {
    struct command *taken;
    pthread_mutex_lock(&lock);
    taken = first;
    if (taken && !(first = taken->next)) {
        last = &first;
    }
    pthread_mutex_unlock(&lock);
    return taken;
}

/* What is left was meant for a connection that ended before it was carried out. */
static void forget_commands(void) {
    struct command *command = take();
    while (command) {
        free(command);
        command = take();
    }
}

static void *read_commands(void *unused) {
    char verb[16], arg[16];
    size_t len;
    (void)unused;
    while (scanf("%15s %15s %zu", verb, arg, &len) == 3 && getchar() == '\n') {
        struct command *command = calloc(1, sizeof *command + LWS_PRE + len + 1);
        strcpy(command->verb, verb);
        strcpy(command->arg, arg);
        command->len = fread(command->data + LWS_PRE, 1, len, stdin);
        pthread_mutex_lock(&lock);
        *last = command;
        last = &command->next;
        pthread_mutex_unlock(&lock);
        lws_cancel_service(context);
    }
    ended = 1;
    lws_cancel_service(context);
    return NULL;
}

/* The value after "name=" in the lines of a connect command; NULL when there is none. */
static char *offer(char *lines, const char *name) {
    size_t len = strlen(name);
    char *line = lines;
    while (line && (strncmp(line, name, len) != 0 || line[len] != '=')) {
        line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL;
    }
    return line ? strndup(line + len + 1, strcspn(line + len + 1, "\n")) : NULL;
}

static void start_connection(struct command *command) {
    struct lws_client_connect_info info = {0};
    char *lines = (char *)command->data + LWS_PRE;
    char *url = offer(lines, "url"), *deflate, host[256];
    const char *scheme, *address, *path;
    int port;
    if (lws_parse_uri(url, &scheme, &address, &port, &path)) {
        exit(1);
    }
    snprintf(host, sizeof host, "%s:%d", address, port);
    deflate = offer(lines, "deflate");
    snprintf(client_offer, sizeof client_offer, "permessage-deflate%s%s",
             deflate && deflate[0] ? "; " : "", deflate ? deflate : "");
    free(deflate);
    deflate = offer(lines, "settings");
    snprintf(settings, sizeof settings, "%s", deflate ? deflate : "");
    free(deflate);
    info.context = context;
    info.address = address;
    info.port = port;
    info.path = "/";
    info.host = host;
    info.origin = offer(lines, "origin"); /* The library writes "http://" before it. */
    if (info.origin && strncmp(info.origin, "http://", 7) == 0) {
        info.origin += 7;
    }
    info.protocol = offer(lines, "subprotocol");
    info.local_protocol_name = "agent";
    lws_client_connect_via_info(&info);
    free(url);
}

static int send_close(struct command *command) {
    int code = command->arg[0] == '-' ? 0 : atoi(command->arg);
    strcpy(close_code, "-"); /* The library does not tell what the answer was. */
    lws_close_reason(connection, (enum lws_close_status)code, command->data + LWS_PRE,
                     command->len);
    return -1;
}

static int reset(void) {
    struct linger linger = {1, 0};
    setsockopt(lws_get_socket_fd(connection), SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    return -1;
}

/* Carries out a command; -1 ends the connection. */
static int perform(struct command *command) {
    const char *verb = command->verb;
    int kind = LWS_WRITE_CONTINUATION;
    if (strcmp(verb, "eof") == 0) {
        return -1;
    }
    if (strcmp(verb, "reset") == 0) {
        return reset();
    }
    if (strcmp(verb, "close") == 0) {
        return send_close(command);
    }
    if (strcmp(verb, "ping") == 0) {
        kind = LWS_WRITE_PING;
    } else if (strstr(verb, "text")) {
        kind = LWS_WRITE_TEXT;
    } else if (strstr(verb, "binary")) {
        kind = LWS_WRITE_BINARY;
    }
    if (strncmp(verb, "first", 5) == 0 || strcmp(verb, "more") == 0) {
        kind |= LWS_WRITE_NO_FIN;
    }
    lws_write(connection, command->data + LWS_PRE, command->len, (enum lws_write_protocol)kind);
    return 0;
}

static int writable(void) {
    struct command *command = take();
    int result = command ? perform(command) : 0;
    free(written); /* It is all out: the library asks for more. */
    written = command;
    if (first && result == 0) {
        lws_callback_on_writable(connection);
    }
    return result;
}

static void woken(void) {
    struct command *command;
    if (connection) {
        lws_callback_on_writable(connection);
        return;
    }
    /* What is neither was meant for a connection that has ended. */
    while (!connecting && (command = take()) != NULL) {
        if (strcmp(command->verb, "accept") == 0) {
            /* The library has no wishes, and takes what is offered. */
            snprintf(settings, sizeof settings, "%s", (char *)command->data + LWS_PRE);
            emit("ready", "-", "", 0);
        } else if (strcmp(command->verb, "connect") == 0) {
            start_connection(command);
            connecting = 1;
        }
        free(command);
    }
}

/* A client has the fields of the answer only before the connection is open. */
static void keep_answer(struct lws *wsi) {
    names[0] = protocol[0] = '\0';
    lws_hdr_copy(wsi, names, sizeof names, WSI_TOKEN_EXTENSIONS);
    lws_hdr_copy(wsi, protocol, sizeof protocol, WSI_TOKEN_PROTOCOL);
}

/* Before the first message: the library makes its compressor then. */
static void apply_settings(struct lws *wsi) {
    char *name = strtok(settings, "=; ");
    while (name) {
        char *value = strtok(NULL, "=; ");
        if (!value || lws_set_extension_option(wsi, "permessage-deflate", name, value) != 0) {
            exit(1);
        }
        name = strtok(NULL, "=; ");
    }
}

static void open_connection(struct lws *wsi, int server) {
    if (server) {
        /* Without a match the library takes its first protocol, and does not say so on the wire. */
        const char *chosen = lws_get_protocol(wsi)->name;
        strcpy(protocol, strcmp(chosen, "agent") == 0 ? "" : chosen);
        names[0] = '\0';
        lws_hdr_copy(wsi, names, sizeof names, WSI_TOKEN_EXTENSIONS);
    }
    forget_commands();
    connection = wsi;
    connecting = 0;
    message_len = 0;
    strcpy(close_code, "1006");
    close_len = 0;
    apply_settings(wsi);
    emit("open", protocol, names, strlen(names));
}

static void receive(struct lws *wsi, const void *data, size_t len) {
    if (lws_is_first_fragment(wsi)) {
        binary = lws_frame_is_binary(wsi);
    }
    message = realloc(message, message_len + len + 1);
    memcpy(message + message_len, data, len);
    message_len += len;
    if (lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0) {
        emit(binary ? "binary" : "text", "-", message, message_len);
        message_len = 0;
    }
}

static void peer_closes(const unsigned char *data, size_t len) {
    snprintf(close_code, sizeof close_code, "%d", len >= 2 ? data[0] << 8 | data[1] : 1005);
    close_len = len >= 2 ? len - 2 : 0;
    memcpy(close_reason, data + (len >= 2 ? 2 : 0), close_len);
}

static void refused(struct lws *wsi) {
    char status[16];
    snprintf(status, sizeof status, "%u", lws_http_client_http_response(wsi));
    connecting = 0;
    emit("refused", status, "", 0);
}

static int agent(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                 size_t len) {
    (void)user;
    switch (reason) {
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        woken();
        break;
    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
        keep_answer(wsi);
        break;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        open_connection(wsi, 0);
        break;
    case LWS_CALLBACK_ESTABLISHED:
        open_connection(wsi, 1);
        break;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        refused(wsi);
        break;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return writable();
    case LWS_CALLBACK_CLIENT_RECEIVE:
    case LWS_CALLBACK_RECEIVE:
        receive(wsi, in, len);
        break;
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
    case LWS_CALLBACK_RECEIVE_PONG:
        emit("pong", "-", in, len);
        break;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        peer_closes(in, len);
        break;
    case LWS_CALLBACK_CLIENT_CLOSED:
    case LWS_CALLBACK_CLOSED:
        connection = NULL;
        emit("close", close_code, close_reason, close_len);
        break;
    default:
        break;
    }
    return 0;
}

int main(int argc, char **argv) {
    int server = argc > 1 && strcmp(argv[1], "server") == 0;
    /* A server takes "chat"; a client's protocol of no name goes with "agent" too. */
    const struct lws_protocols protocols[] = {{"agent", agent, 0, 65536, 0, NULL, 0},
                                              {"chat", agent, 0, 65536, 0, NULL, 0},
                                              {NULL, NULL, 0, 0, 0, NULL, 0}};
    const struct lws_extension extensions[] = {
        {"permessage-deflate", lws_extension_callback_pm_deflate, client_offer},
        {NULL, NULL, NULL}};
    struct lws_context_creation_info info = {0};
    struct lws_vhost *vhost;
    pthread_t reader;
    lws_set_log_level(LLL_ERR, NULL);
    info.port = server ? 0 : CONTEXT_PORT_NO_LISTEN;
    info.iface = server ? "127.0.0.1" : NULL;
    info.protocols = protocols;
    info.extensions = extensions;
    info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
    context = lws_create_context(&info);
    vhost = context ? lws_create_vhost(context, &info) : NULL;
    if (!vhost) {
        return 1;
    }
    if (server) {
        char port[16];
        snprintf(port, sizeof port, "%d", lws_get_vhost_listen_port(vhost));
        emit("listen", port, "", 0);
    }
    pthread_create(&reader, NULL, read_commands, NULL);
    while (!ended && lws_service(context, 0) >= 0) {
    }
    return 0; /* The driver ends us; nothing is worth saving. */
}
