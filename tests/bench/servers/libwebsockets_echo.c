/*
 * An echo server with libwebsockets, one thread. What it receives is copied, for it lives in the
 * callback alone, and written when the library says that it may, as its manual wants it; as many
 * messages at a time as the socket takes.
 */
#include "libwebsockets_serve.h"

#include <stdlib.h>
#include <string.h>

struct message {
    struct message *next;
    size_t len;
    int kind;
    unsigned char data[]; /* LWS_PRE free bytes, then the message */
};

struct client {
    struct message *first;    /* to be written */
    struct message *last;     /* valid when there is a first */
    struct message *arriving; /* of which a part has come */
};

static void drop(struct client *client) {
    while (client->first) {
        struct message *next = client->first->next;
        free(client->first);
        client->first = next;
    }
    free(client->arriving);
    client->arriving = NULL;
}

static int receive(struct lws *wsi, struct client *client, const void *data, size_t len) {
    size_t old = client->arriving ? client->arriving->len : 0;
    size_t all = old + len + lws_remaining_packet_payload(wsi);
    struct message *message = realloc(client->arriving, sizeof *message + LWS_PRE + all);
    if (!message) {
        return -1;
    }
    client->arriving = message;
    memcpy(message->data + LWS_PRE + old, data, len);
    message->len = old + len;
    if (lws_remaining_packet_payload(wsi) > 0 || !lws_is_final_fragment(wsi)) {
        return 0;
    }
    message->kind = lws_frame_is_binary(wsi) ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
    message->next = NULL;
    if (client->first) {
        client->last->next = message;
    } else {
        client->first = message;
    }
    client->last = message;
    client->arriving = NULL;
    lws_callback_on_writable(wsi);
    return 0;
}

static int write_some(struct lws *wsi, struct client *client) {
    do {
        struct message *message = client->first;
        int written = 0;
        if (!message) {
            return 0;
        }
        client->first = message->next;
        written = lws_write(wsi, message->data + LWS_PRE, message->len,
                            (enum lws_write_protocol)message->kind);
        free(message);
        if (written < 0) {
            return -1;
        }
    } while (client->first && !lws_send_pipe_choked(wsi));
    if (client->first) {
        lws_callback_on_writable(wsi);
    }
    return 0;
}

static int echo(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                size_t len) {
    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
        return receive(wsi, user, in, len);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return write_some(wsi, user);
    case LWS_CALLBACK_CLOSED:
        drop(user);
        return 0;
    default:
        return 0;
    }
}

int main(void) {
    const struct lws_protocols protocols[] = {
        {"echo", echo, sizeof(struct client), 65536, 0, NULL, 0}, {NULL, NULL, 0, 0, 0, NULL, 0}};
    return serve(protocols);
}
