/* A program of somebody else: it parses a handshake, receives a frame, and uses each library that
 * is there. Also valid C++11. */
#include <hawser/entropy.h>
#include <hawser/hawser.h>

#ifdef WITH_DEFLATE
#include <hawser/deflate_zlib.h>
#endif
#ifdef WITH_LOOP
#include <hawser/loop.h>
#endif
#ifdef WITH_TLS
#include <hawser/tls.h>
#endif
#ifdef WITH_UV
#include <hawser/uv.h>
#endif

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

/* A message to itself, through the filter alone. */
static int deflate_works(void) {
#ifdef WITH_DEFLATE
    static const uint8_t plain[100] = {0};
    uint8_t small[100];
    uint8_t back[200];
    size_t small_len = 0, back_len = 0, used = 0;
    hws_deflate_params agreed;
    hws_deflate_options options;
    hws_deflate deflate;
    int well;
    hws_deflate_params_init(&agreed, HWS_DEFLATE_BEST);
    hws_deflate_options_init(&options, HWS_ROLE_CLIENT, HWS_DEFLATE_BEST);
    options.codec = hws_codec_zlib();
    well = hws_deflate_init(&deflate, &agreed, &options) == HWS_OK &&
           hws_deflate_compress(&deflate, HWS_BINARY, HWS_WHOLE, plain, sizeof(plain), &used, small,
                                sizeof(small), &small_len) == HWS_OK &&
           small_len < 20;
    used = 0;
    well = well &&
           hws_deflate_decompress(&deflate, HWS_BINARY, HWS_WHOLE, small, small_len, &used, back,
                                  sizeof(back), &back_len) == HWS_OK &&
           back_len == sizeof(plain) && memcmp(back, plain, sizeof(plain)) == 0;
    hws_deflate_release(&deflate);
    return well;
#else
    return 1;
#endif
}

/* A loop that listens, and that nobody connects to. */
static int loop_works(void) {
#ifdef WITH_LOOP
    hws_loop_config config;
    hws_loop loop;
    hws_loop_item item;
    int well;
    hws_loop_config_init(&config);
    well = hws_loop_init(&loop, &config) == HWS_OK &&
           hws_loop_listen(&loop, "127.0.0.1", 0) == HWS_OK && hws_loop_port(&loop) != 0 &&
           hws_loop_next(&loop, &item, 0) == HWS_ERR_TIMEOUT;
    hws_loop_release(&loop);
    return well;
#else
    return 1;
#endif
}

/* The first record of a client: a handshake. */
static int tls_works(void) {
#ifdef WITH_TLS
    static uint8_t wire[4096];
    hws_tls_config config;
    hws_tls tls;
    void *state = NULL;
    size_t used = 0, n = 0;
    int well;
    hws_tls_config_init(&config, HWS_ROLE_CLIENT);
    well = hws_tls_init(&tls, &config) == HWS_OK;
    if (well) {
        const hws_filter *filter = hws_tls_filter(&tls);
        well = filter->make(filter->context, HWS_ROLE_CLIENT, hws_text_from("example.com"),
                            &state) == HWS_OK;
    }
    if (well) {
        const hws_filter *filter = hws_tls_filter(&tls);
        well = filter->send(state, NULL, 0, &used, wire, sizeof(wire), &n) == HWS_OK && n > 5 &&
               wire[0] == 22;
        filter->release(state);
    }
    hws_tls_release(&tls);
    return well;
#else
    return 1;
#endif
}

/* A hub needs to be told what to do with events. */
static int uv_works(void) {
#ifdef WITH_UV
    hws_uv_config config;
    hws_uv_hub *hub = NULL;
    hws_uv_config_init(&config);
    return hws_uv_hub_open(NULL, &config, &hub) == HWS_ERR_ARGUMENT && hub == NULL;
#else
    return 1;
#endif
}

int main(void) {
    if (!handshake_works() || !frame_works() || !entropy_works() || !deflate_works() ||
        !loop_works() || !tls_works() || !uv_works()) {
        printf("hawser does not work here.\n");
        return 1;
    }
    printf("hawser %u works.\n", (unsigned)hws_version());
    return 0;
}
