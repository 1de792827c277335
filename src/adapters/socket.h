/*
 * Sockets, one face for POSIX and for Winsock: everything that differs between systems is in
 * socket.c and address.c. All sockets are non-blocking inside; waiting is hws__socket_wait(), which
 * takes a deadline. Knows nothing of HTTP and WebSocket.
 *
 * Results: HWS_OK; HWS_NEED_MORE when the call would block; HWS_ERR_EOF at the end of the stream;
 * HWS_ERR_RESET, HWS_ERR_SYSTEM and others with the system's own number in *error.
 */
#ifndef HWS__SOCKET_H
#define HWS__SOCKET_H

#include <hawser/base.h>
#include <hawser/blocking.h>
#include <hawser/status.h>

/* hws_listener_open(), and whether it is shared; the socket of an open listener. */
hws_status hws__listener_open(hws_listener *opaque, const char *host, uint16_t port,
                              uint8_t shared);
intptr_t hws__listener_socket(const hws_listener *opaque);

/* What to wait for, and what came. Bits. */
enum { HWS__READABLE = 1, HWS__WRITABLE = 2 };

enum {
    HWS__ADDRESS_BYTES = 128, /* sockaddr_storage of all systems */
    HWS__ADDRESSES_MAX = 16   /* addresses of one name that are looked at */
};

/* A deadline is a time of the monotonic clock in ms. These two need no look at the clock. */
#define HWS__NOW INT64_MIN
#define HWS__NEVER INT64_MAX

typedef struct hws__address {
    uint64_t bytes[HWS__ADDRESS_BYTES / sizeof(uint64_t)];
    size_t len;
} hws__address;

/* The deadline of a call that may take timeout_ms, where 0 is HWS__NOW and below is HWS__NEVER. */
int64_t hws__deadline(int32_t timeout_ms);
uint8_t hws__deadline_passed(int64_t deadline);
/* The time by which one of `count` attempts has to succeed so that each gets an equal share. */
int64_t hws__deadline_share(int64_t deadline, size_t count);

/* Addresses of a name, in the order to try them. The resolver knows no deadline. HWS_ERR_RESOLVE
 * with the result of getaddrinfo() in *error. */
hws_status hws__address_resolve(const char *host, uint16_t port, uint8_t passive,
                                hws__address addresses[HWS__ADDRESSES_MAX], size_t *count,
                                int32_t *error);
/* HWS_ERR_ARGUMENT for a path that is empty or too long, or without Unix sockets. */
hws_status hws__address_unix(const char *path, hws__address *address);
/* Whether path is a socket that nobody listens on; and its removal. */
uint8_t hws__unix_stale(const char *path);
void hws__unix_remove(const char *path);

/* HWS_ERR_CONNECT or HWS_ERR_TIMEOUT; no socket is left then. */
hws_status hws__socket_connect(const hws__address *address, int64_t deadline, intptr_t *socket,
                               int32_t *error);
/* The same without waiting: HWS_NEED_MORE when the socket becomes writable once it is decided; then
 * the end of it. The socket stays the caller's, but after an error of the first call. */
hws_status hws__socket_connect_begin(const hws__address *address, intptr_t *socket, int32_t *error);
hws_status hws__socket_connect_end(intptr_t socket, int32_t *error);
/* shared: other sockets may listen on the same address, and connections are spread over them. */
hws_status hws__socket_listen(const hws__address *address, uint8_t shared, intptr_t *socket,
                              int32_t *error);
uint16_t hws__socket_port(intptr_t socket);
/* HWS_NEED_MORE also for a connection that broke before it was accepted. */
hws_status hws__socket_accept(intptr_t listener, intptr_t *socket, int32_t *error);

/* Make a socket fit for the calls below: non-blocking, no SIGPIPE, no delay of small writes. */
hws_status hws__socket_prepare(intptr_t socket, int32_t *error);

/* One attempt; *n is set to the bytes moved, on HWS_OK at least 1. cap and the sum of the pieces
 * are not 0. */
hws_status hws__socket_read(intptr_t socket, uint8_t *dst, size_t cap, size_t *n, int32_t *error);
hws_status hws__socket_write(intptr_t socket, const hws_buffer *pieces, size_t count, size_t *n,
                             int32_t *error);

/* Wait for one of the bits of interest. *ready is what a call will not block for, errors included.
 * HWS_ERR_TIMEOUT; HWS_ERR_SYSTEM. Signals do not end it. */
hws_status hws__socket_wait(intptr_t socket, uint8_t interest, int64_t deadline, uint8_t *ready,
                            int32_t *error);

void hws__socket_shutdown(intptr_t socket);
void hws__socket_close(intptr_t socket);

#endif
