/*
 * What both servers with libwebsockets do: listen, say where, and serve in one thread. The event
 * loop is libuv's where the library has it: its own looks at every connection in every turn.
 */
#include <libwebsockets.h>
#include <signal.h>
#include <stdio.h>

static int serve(const struct lws_protocols *protocols) {
    struct lws_context_creation_info info = {0};
    struct lws_context *context;
    struct lws_vhost *vhost;
    lws_set_log_level(LLL_ERR, NULL);
    info.port = 0;
    info.iface = "127.0.0.1";
    info.protocols = protocols;
    info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
#ifdef LWS_WITH_LIBUV
    info.options |= LWS_SERVER_OPTION_LIBUV;
#endif
    context = lws_create_context(&info);
    vhost = context ? lws_create_vhost(context, &info) : NULL;
    if (!vhost) {
        return 1;
    }
    signal(SIGTERM, SIG_DFL); /* the library takes it from libuv, and goes on */
    printf("listens on ws://127.0.0.1:%d/\n", lws_get_vhost_listen_port(vhost));
    fflush(stdout);
    while (lws_service(context, 0) >= 0) {
    }
    return 0; /* The driver ends us. */
}
