/*
 * A server with libwebsockets that sends each message to all connections, one thread. The message
 * is kept once, with the room in front that the library wants; all connections are asked for a
 * callback, and write there what they have not written yet. It keeps the newest message alone,
 * which is enough for who waits until all have it.
 */
#include "libwebsockets_serve.h"

#include <stdlib.h>
#include <string.h>

struct client {
    unsigned long written; /* number of the last message that it got */
    unsigned long arrived; /* bytes of the message that it is sending */
};

static unsigned char news[LWS_PRE + 65536];
static size_t news_len;
static unsigned long news_number;

static int receive(struct lws *wsi, struct client *client, const void *data, size_t len) {
    if (client->arrived + len > sizeof news - LWS_PRE) {
        return -1;
    }
    memcpy(news + LWS_PRE + client->arrived, data, len);
    client->arrived += len;
    if (lws_remaining_packet_payload(wsi) > 0 || !lws_is_final_fragment(wsi)) {
        return 0;
    }
    news_len = client->arrived;
    client->arrived = 0;
    news_number++;
    lws_callback_on_writable_all_protocol(lws_get_context(wsi), lws_get_protocol(wsi));
    return 0;
}

static int write_news(struct lws *wsi, struct client *client) {
    if (client->written == news_number) {
        return 0;
    }
    client->written = news_number;
    return lws_write(wsi, news + LWS_PRE, news_len, LWS_WRITE_TEXT) < 0 ? -1 : 0;
}

static int tell_all(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len) {
    struct client *client = user;
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        client->written = news_number;
        return 0;
    case LWS_CALLBACK_RECEIVE:
        return receive(wsi, client, in, len);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return write_news(wsi, client);
    default:
        return 0;
    }
}

int main(void) {
    const struct lws_protocols protocols[] = {
        {"broadcast", tell_all, sizeof(struct client), 65536, 0, NULL, 0},
        {NULL, NULL, 0, 0, 0, NULL, 0}};
    return serve(protocols);
}
