/*
 * The life of a connection around receiving and sending: its start, and every question about its
 * state. Answers are computed from the few facts that conn.h keeps. Changes nothing but in init.
 */
#include "conn.h"

void hws_conn_config_init(hws_conn_config *config, uint8_t role) {
    memset(config, 0, sizeof *config);
    config->size = sizeof *config;
    config->role = role;
    config->max_message = HWS_DEFAULT_MAX_MESSAGE;
    config->max_fragments = HWS_DEFAULT_MAX_FRAGMENTS;
}

hws_status hws_conn_init(hws_conn *conn, const hws_conn_config *config) {
    hws__conn *c = hws__conn_of(conn);

    if (config->size != sizeof *config || config->role > HWS_ROLE_CLIENT ||
        config->max_fragments == 0) {
        return HWS_ERR_ARGUMENT;
    }
    if (config->role == HWS_ROLE_CLIENT && config->random == NULL) {
        return HWS_ERR_ARGUMENT;
    }
    memset(conn, 0, sizeof *conn);
    c->mask_in = config->role == HWS_ROLE_SERVER ? HWS__MASK : 0;
    c->compression = config->compression != 0 ? HWS_FRAME_RSV1 : 0;
    c->close_sentence = config->close_sentence;
    c->frame_events = config->frame_events;
    c->max_message = config->max_message;
    c->max_fragments = config->max_fragments;
    c->random = config->random;
    c->random_user = config->random_user;
    return HWS_OK;
}

size_t hws_conn_size(void) {
    return sizeof(hws_conn);
}

uint8_t hws_conn_can_send(const hws_conn *conn) {
    return hws__conn_of_const(conn)->own_code == 0;
}

uint8_t hws_conn_can_receive(const hws_conn *conn) {
    return hws__conn_of_const(conn)->state != HWS__ENDED;
}

uint8_t hws_conn_socket(const hws_conn *conn) {
    const hws__conn *c = hws__conn_of_const(conn);

    if (c->state != HWS__ENDED || hws_conn_reply_len(conn) > 0) {
        return HWS_SOCKET_OPEN;
    }
    if (c->eof) {
        return HWS_SOCKET_CLOSE;
    }
    if (c->error != HWS_OK) {
        return HWS_SOCKET_DRAIN; /* RFC 6455 7.1.7 */
    }
    return hws__is_client(c) ? HWS_SOCKET_WAIT : HWS_SOCKET_DRAIN; /* RFC 6455 7.1.1 */
}

void hws_conn_get_error(const hws_conn *conn, hws_conn_error *error) {
    const hws__conn *c = hws__conn_of_const(conn);

    memset(error, 0, sizeof *error);
    error->status = c->error;
    if (c->error != HWS_OK) {
        error->close_code = hws_status_close_code(c->error);
        error->offset = c->offset;
    }
}

void hws_conn_get_closing(const hws_conn *conn, hws_closing *closing) {
    const hws__conn *c = hws__conn_of_const(conn);

    memset(closing, 0, sizeof *closing);
    closing->code = c->peer_code;
    if (c->peer_code == 0 && c->eof) {
        closing->code = HWS_CLOSE_ABNORMAL;
    }
    closing->own_code = c->own_code;
    closing->first = c->first;
    closing->clean = c->peer_code != 0 && c->own_code != 0;
    closing->reason = c->control + 2;
    if (c->peer_code != 0 && c->control_len > 2) {
        closing->reason_len = c->control_len - 2U;
    }
}

uint64_t hws_conn_payload_left(const hws_conn *conn) {
    const hws__conn *c = hws__conn_of_const(conn);
    return c->state == HWS__PAYLOAD ? c->payload_len - c->payload_at : 0;
}

uint64_t hws_conn_message_len(const hws_conn *conn) {
    const hws__conn *c = hws__conn_of_const(conn);
    return c->state == HWS__ENDED ? 0 : c->message_len;
}

void hws_conn_get_frame(const hws_conn *conn, hws_frame *frame) {
    const hws__conn *c = hws__conn_of_const(conn);

    memset(frame, 0, sizeof *frame);
    frame->payload_len = c->payload_len;
    frame->fin = c->first_byte >> 7;
    frame->rsv = (c->first_byte & HWS__RSV) >> 4;
    frame->opcode = c->first_byte & HWS__OPCODE;
    frame->masked = !hws__is_client(c);
    memcpy(frame->mask_key, c->mask_key, 4);
    frame->header_len = (uint8_t)hws__frame_header_len(c->payload_len, frame->masked);
}

uint64_t hws_conn_frames(const hws_conn *conn) {
    return hws__conn_of_const(conn)->frames;
}

uint8_t hws_conn_message_type(const hws_conn *conn) {
    const hws__conn *c = hws__conn_of_const(conn);
    return c->state == HWS__ENDED ? 0 : c->message_in;
}
