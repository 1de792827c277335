/* A program of somebody else: it parses a handshake and receives a frame. Also valid C++11. */
#include <hawser/entropy.h>
#include <hawser/hawser.h>

#include <stdio.h>
#include <string.h>

static const char request[] = "GET /chat HTTP/1.1\r\n"
                              "Host: example.com\r\n"
                              "Upgrade: websocket\r\n"
                              "Connection: Upgrade\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                              "Sec-WebSocket-Version: 13\r\n"
                              "\r\n";

static int handshake_works(void) {
    const uint8_t *bytes = (const uint8_t *)request;
    hws_header headers[16];
    hws_head head;
    hws_handshake handshake;
    hws_head_init(&head, HWS_HEAD_REQUEST, headers, 16);
    return hws_head_parse(&head, bytes, sizeof(request) - 1) == HWS_OK &&
           hws_handshake_parse(&head, bytes, &handshake) == HWS_OK &&
           handshake.kind == HWS_REQUEST_UPGRADE;
}

static int frame_works(void) {
    uint8_t frame[] = {0x81, 0x05, 'H', 'e', 'l', 'l', 'o'};
    size_t used = 0;
    hws_conn_config config;
    hws_conn conn;
    hws_event ev;
    hws_conn_config_init(&config, HWS_ROLE_CLIENT);
    config.random = hws_entropy;
    return hws_conn_init(&conn, &config) == HWS_OK &&
           hws_conn_receive(&conn, frame, sizeof(frame), &used, &ev) == HWS_EVENT &&
           ev.type == HWS_TEXT && ev.len == 5 && memcmp(ev.data, "Hello", 5) == 0;
}

static int entropy_works(void) {
    uint8_t key[4];
    return hws_entropy(NULL, key, sizeof(key)) == HWS_OK;
}

int main(void) {
    if (!handshake_works() || !frame_works() || !entropy_works()) {
        printf("hawser does not work here.\n");
        return 1;
    }
    printf("hawser %u works.\n", (unsigned)hws_version());
    return 0;
}
