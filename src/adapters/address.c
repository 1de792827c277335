/*
 * Where sockets come from: names, Unix paths, connect, listen, accept. The calls that POSIX and
 * Winsock make differently come first. Must know nothing of HTTP and WebSocket.
 */
#include "system.h"

#include "socket.h"

#include <string.h>

#ifdef _WIN32

static BOOL CALLBACK start(PINIT_ONCE once, PVOID parameter, PVOID *context) {
    WSADATA data;
    (void)once;
    (void)parameter;
    (void)context;
    return WSAStartup(MAKEWORD(2, 2), &data) == 0;
}

static void system_start(void) {
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    InitOnceExecuteOnce(&once, start, NULL, NULL);
}

static void nap_ms(int32_t ms) {
    Sleep((DWORD)ms);
}

static handle socket_new(int family) {
    return WSASocketW(family, SOCK_STREAM, 0, NULL, 0,
                      WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
}

static handle accept_new(handle listener) {
    return accept(listener, NULL, NULL);
}

static int connect_goes_on(int32_t code) {
    return code == WSAEWOULDBLOCK;
}

hws_status hws__address_unix(const char *path, hws__address *address) {
    (void)path;
    (void)address;
    return HWS_ERR_ARGUMENT;
}

uint8_t hws__unix_stale(const char *path) {
    (void)path;
    return 0;
}

void hws__unix_remove(const char *path) {
    (void)path;
}

#else

static void system_start(void) {
}

static void nap_ms(int32_t ms) {
    struct timespec time = {0, (long)ms * 1000000};
    nanosleep(&time, NULL);
}

static handle socket_new(int family) {
#ifdef SOCK_CLOEXEC
    return socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
#else
    handle made = socket(family, SOCK_STREAM, 0);
    if (made >= 0) {
        fcntl(made, F_SETFD, FD_CLOEXEC);
    }
    return made;
#endif
}

static handle accept_new(handle listener) {
#ifdef SOCK_CLOEXEC
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
#else
    handle made = accept(listener, NULL, NULL);
    if (made >= 0) {
        fcntl(made, F_SETFD, FD_CLOEXEC);
    }
    return made;
#endif
}

/* An interrupted connect goes on by itself, and must not be started again. */
static int connect_goes_on(int32_t code) {
    return code == EINPROGRESS || code == EINTR;
}

hws_status hws__address_unix(const char *path, hws__address *address) {
    struct sockaddr_un unix_address;
    size_t len = strlen(path);
    memset(&unix_address, 0, sizeof unix_address);
    unix_address.sun_family = AF_UNIX;
    if (len == 0 || len >= sizeof unix_address.sun_path) {
        return HWS_ERR_ARGUMENT;
    }
    memcpy(unix_address.sun_path, path, len);
    memcpy(address->bytes, &unix_address, sizeof unix_address);
    address->len = sizeof unix_address;
    return HWS_OK;
}

uint8_t hws__unix_stale(const char *path) {
    struct stat info;
    hws__address address;
    intptr_t socket = -1;
    int32_t error = 0;
    if (lstat(path, &info) != 0 || !S_ISSOCK(info.st_mode) ||
        hws__address_unix(path, &address) != HWS_OK) {
        return 0;
    }
    if (hws__socket_connect(&address, HWS__NOW, &socket, &error) == HWS_OK) {
        hws__socket_close(socket);
        return 0;
    }
    return error == ECONNREFUSED;
}

void hws__unix_remove(const char *path) {
    unlink(path);
}

#endif

hws_status hws__address_resolve(const char *host, uint16_t port, uint8_t passive,
                                hws__address addresses[HWS__ADDRESSES_MAX], size_t *count,
                                int32_t *error) {
    struct addrinfo hints;
    struct addrinfo *list = NULL;
    char service[6] = "00000";
    size_t i = 5;
    uint16_t rest = port;
    int result = 0;
    while (i > 0) {
        i--;
        service[i] = (char)('0' + rest % 10);
        rest /= 10;
    }
    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0);
    system_start();
    result = getaddrinfo(host, service, &hints, &list);
    if (result != 0) {
        *error = (int32_t)result;
        return HWS_ERR_RESOLVE;
    }
    *count = 0;
    for (struct addrinfo *info = list; info != NULL; info = info->ai_next) {
        if (*count < HWS__ADDRESSES_MAX && info->ai_addrlen <= HWS__ADDRESS_BYTES) {
            memcpy(addresses[*count].bytes, info->ai_addr, info->ai_addrlen);
            addresses[*count].len = info->ai_addrlen;
            *count += 1;
        }
    }
    freeaddrinfo(list);
    return *count > 0 ? HWS_OK : HWS_ERR_RESOLVE;
}

static const struct sockaddr *sockaddr_of(const hws__address *address) {
    return (const struct sockaddr *)(const void *)address->bytes;
}

/* A socket of the address's family, prepared. */
static hws_status open_socket(const hws__address *address, handle *made, int32_t *error) {
    hws_status status = HWS_OK;
    system_start();
    *made = socket_new(sockaddr_of(address)->sa_family);
    if (*made == INVALID_SOCKET) {
        *error = last_error();
        return HWS_ERR_SYSTEM;
    }
    status = hws__socket_prepare((intptr_t)*made, error);
    if (status != HWS_OK) {
        closesocket(*made);
    }
    return status;
}

hws_status hws__socket_connect_end(intptr_t socket, int32_t *error) {
    int code = 0;
    socklen_t len = sizeof code;
    if (getsockopt((handle)socket, SOL_SOCKET, SO_ERROR, (void *)&code, &len) != 0) {
        code = (int)last_error();
    }
    *error = code == 0 ? *error : (int32_t)code;
    return code == 0 ? HWS_OK : HWS_ERR_CONNECT;
}

/* The connect was started: wait for its end. */
static hws_status finish_connect(handle socket, int64_t deadline, int32_t *error) {
    uint8_t ready = 0;
    hws_status status = hws__socket_wait((intptr_t)socket, HWS__WRITABLE, deadline, &ready, error);
    return status != HWS_OK ? status : hws__socket_connect_end((intptr_t)socket, error);
}

static hws_status start_connect(handle socket, const hws__address *address, int64_t deadline,
                                int32_t *error) {
    while (connect(socket, sockaddr_of(address), (socklen_t)address->len) != 0) {
        int32_t code = last_error();
        if (connect_goes_on(code)) {
            return finish_connect(socket, deadline, error);
        }
        if (!would_block(code)) {
            *error = code;
            return HWS_ERR_CONNECT;
        }
        /* The queue of a Unix listener is full, and poll() does not tell when it has room. */
        if (hws__deadline_passed(deadline)) {
            *error = code;
            return HWS_ERR_TIMEOUT;
        }
        nap_ms(5);
    }
    return HWS_OK;
}

hws_status hws__socket_connect(const hws__address *address, int64_t deadline, intptr_t *socket,
                               int32_t *error) {
    handle made = INVALID_SOCKET;
    hws_status status = open_socket(address, &made, error);
    if (status != HWS_OK) {
        return HWS_ERR_CONNECT;
    }
    status = start_connect(made, address, deadline, error);
    if (status != HWS_OK) {
        closesocket(made);
        return status == HWS_ERR_TIMEOUT ? status : HWS_ERR_CONNECT;
    }
    *socket = (intptr_t)made;
    return HWS_OK;
}

/* Connect without waiting. HWS_NEED_MORE: the socket becomes writable when it is decided. */
hws_status hws__socket_connect_begin(const hws__address *address, intptr_t *socket,
                                     int32_t *error) {
    handle made = INVALID_SOCKET;
    hws_status status = open_socket(address, &made, error);
    if (status != HWS_OK) {
        return HWS_ERR_CONNECT;
    }
    *socket = (intptr_t)made;
    if (connect(made, sockaddr_of(address), (socklen_t)address->len) == 0) {
        return HWS_OK;
    }
    int32_t code = last_error();
    if (connect_goes_on(code)) {
        return HWS_NEED_MORE;
    }
    *error = code;
    closesocket(made);
    return HWS_ERR_CONNECT;
}

hws_status hws__socket_listen(const hws__address *address, uint8_t shared, intptr_t *socket,
                              int32_t *error) {
    handle made = INVALID_SOCKET;
    int on = 1;
    hws_status status = open_socket(address, &made, error);
    if (status != HWS_OK) {
        return status;
    }
#ifdef _WIN32
    /* SO_REUSEADDR would let two programs share one port there. */
    setsockopt(made, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (const char *)&on, sizeof on);
#else
    setsockopt(made, SOL_SOCKET, SO_REUSEADDR, (const void *)&on, sizeof on);
#endif
#ifdef SO_REUSEPORT
    if (shared) {
        setsockopt(made, SOL_SOCKET, SO_REUSEPORT, (const void *)&on, sizeof on);
    }
#else
    (void)shared;
#endif
    if (bind(made, sockaddr_of(address), (socklen_t)address->len) != 0 ||
        listen(made, SOMAXCONN) != 0) {
        *error = last_error();
        closesocket(made);
        return HWS_ERR_SYSTEM;
    }
    *socket = (intptr_t)made;
    return HWS_OK;
}

uint16_t hws__socket_port(intptr_t socket) {
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    if (getsockname((handle)socket, (struct sockaddr *)&address, &len) != 0) {
        return 0;
    }
    if (address.ss_family == AF_INET) {
        return ntohs(((const struct sockaddr_in *)(const void *)&address)->sin_port);
    }
    if (address.ss_family == AF_INET6) {
        return ntohs(((const struct sockaddr_in6 *)(const void *)&address)->sin6_port);
    }
    return 0;
}

/* Errors that tell of the connection that was to be accepted, not of the listener: Linux hands out
 * here what the network met meanwhile. */
static uint8_t broke_before_accept(int32_t code) {
#ifndef _WIN32
    if (code == EPROTO || code == EPERM || code == ENOPROTOOPT) {
        return 1;
    }
#endif
    return code == ERROR_OF(ECONNABORTED) || code == ERROR_OF(ECONNRESET) ||
           code == ERROR_OF(EINTR) || code == ERROR_OF(ENETDOWN) || code == ERROR_OF(ENETUNREACH) ||
           code == ERROR_OF(EHOSTDOWN) || code == ERROR_OF(EHOSTUNREACH);
}

hws_status hws__socket_accept(intptr_t listener, intptr_t *socket, int32_t *error) {
    handle made = accept_new((handle)listener);
    int32_t code = 0;
    if (made != INVALID_SOCKET) {
        *socket = (intptr_t)made;
        return HWS_OK;
    }
    code = last_error();
    if (broke_before_accept(code) || would_block(code)) {
        return HWS_NEED_MORE;
    }
    *error = code;
    return HWS_ERR_SYSTEM;
}
