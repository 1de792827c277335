/*
 * Listening sockets. Knows nothing of what is spoken over the sockets that it accepts, and nothing
 * of the system, which is behind socket.h.
 */
#include <hawser/blocking.h>

#include "socket.h"

#include <string.h>

enum { PATH_BYTES = 128 /* above sun_path of all systems */ };

typedef struct listener {
    intptr_t socket; /* -1: closed */
    int32_t error;
    uint16_t port;
    char path[PATH_BYTES]; /* of a Unix socket, to be removed; else "" */
    uint8_t made;          /* 1: there may be a socket; 0 in memory that holds zeros alone */
} listener;

_Static_assert(sizeof(listener) <= sizeof(hws_listener), "room for a listener");

static listener *listener_of(hws_listener *opaque) {
    return (listener *)opaque->opaque;
}

static const listener *listener_of_const(const hws_listener *opaque) {
    return (const listener *)opaque->opaque;
}

static listener *start(hws_listener *opaque) {
    listener *l = listener_of(opaque);
    memset(opaque, 0, sizeof *opaque);
    l->socket = -1;
    l->made = 1;
    return l;
}

hws_status hws__listener_open(hws_listener *opaque, const char *host, uint16_t port,
                              uint8_t shared) {
    listener *l = start(opaque);
    hws__address addresses[HWS__ADDRESSES_MAX];
    size_t count = 0;
    size_t i = 0;
    hws_status status = hws__address_resolve(host, port, 1, addresses, &count, &l->error);
    while (i < count && l->socket == -1) {
        status = hws__socket_listen(&addresses[i], shared, &l->socket, &l->error);
        i++;
    }
    if (status == HWS_OK) {
        l->port = hws__socket_port(l->socket);
        l->error = 0;
    }
    return status;
}

hws_status hws_listener_open(hws_listener *opaque, const char *host, uint16_t port) {
    return hws__listener_open(opaque, host, port, 0);
}

intptr_t hws__listener_socket(const hws_listener *opaque) {
    return listener_of_const(opaque)->socket;
}

hws_status hws_listener_open_unix(hws_listener *opaque, const char *path) {
    listener *l = start(opaque);
    hws__address address;
    hws_status status = hws__address_unix(path, &address);
    if (status != HWS_OK || strlen(path) >= PATH_BYTES) {
        return HWS_ERR_ARGUMENT;
    }
    status = hws__socket_listen(&address, 0, &l->socket, &l->error);
    if (status != HWS_OK && hws__unix_stale(path)) {
        hws__unix_remove(path);
        status = hws__socket_listen(&address, 0, &l->socket, &l->error);
    }
    if (status == HWS_OK) {
        memcpy(l->path, path, strlen(path) + 1);
        l->error = 0;
    }
    return status;
}

uint16_t hws_listener_port(const hws_listener *opaque) {
    return listener_of_const(opaque)->port;
}

int32_t hws_listener_system_error(const hws_listener *opaque) {
    return listener_of_const(opaque)->error;
}

hws_status hws_listener_accept(hws_listener *opaque, intptr_t *socket, int32_t timeout_ms) {
    listener *l = listener_of(opaque);
    int64_t deadline = hws__deadline(timeout_ms);
    uint8_t ready = 0;
    hws_status status = hws__socket_accept(l->socket, socket, &l->error);
    while (status == HWS_NEED_MORE) {
        status = hws__socket_wait(l->socket, HWS__READABLE, deadline, &ready, &l->error);
        if (status == HWS_OK) {
            status = hws__socket_accept(l->socket, socket, &l->error);
        }
        if (status == HWS_NEED_MORE && hws__deadline_passed(deadline)) {
            return HWS_ERR_TIMEOUT;
        }
    }
    return status;
}

void hws_listener_release(hws_listener *opaque) {
    listener *l = listener_of(opaque);
    if (!l->made || l->socket == -1) {
        return;
    }
    hws__socket_close(l->socket);
    l->socket = -1;
    l->port = 0;
    if (l->path[0] != '\0') {
        hws__unix_remove(l->path);
    }
}
