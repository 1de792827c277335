/*
 * Whole messages out of pieces. Uses the public face of a connection only. How much of a message
 * has come is the connection's to know: message->len is that number in a form to be read.
 */
#include <hawser/message.h>

void hws_message_init(hws_message *message, uint8_t *data, size_t cap) {
    message->data = data;
    message->cap = cap;
    message->len = 0;
}

hws_status hws_message_grow(hws_message *message, uint8_t *data, size_t cap) {
    if (cap < message->len) {
        return HWS_ERR_ARGUMENT;
    }
    message->data = data;
    message->cap = cap;
    return HWS_OK;
}

hws_status hws_message_receive(hws_message *message, hws_conn *conn, const uint8_t *src, size_t len,
                               size_t *used, hws_event *ev) {
    if (hws_conn_message_len(conn) == 0) {
        message->len = 0; /* the last message was handed out, or none has begun */
    }
    if (hws_conn_can_receive(conn) && message->len != hws_conn_message_len(conn)) {
        return HWS_ERR_STATE; /* a part of this message went another way */
    }
    for (;;) {
        size_t room = message->cap - message->len;
        uint8_t *dst = room > 0 ? message->data + message->len : message->data;
        hws_status status = hws_conn_receive_into(conn, src, len, used, dst, room, ev);

        if (status != HWS_EVENT || (ev->type != HWS_TEXT && ev->type != HWS_BINARY)) {
            return status;
        }
        message->len += ev->len;
        if ((ev->flags & HWS_FINAL) != 0) {
            ev->flags |= HWS_FIRST;
            ev->data = message->data;
            ev->len = message->len;
            return HWS_EVENT;
        }
    }
}
