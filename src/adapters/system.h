/*
 * What POSIX and Winsock call differently, for socket.c and address.c. To be included before all
 * else: it says which face of the system's headers is wanted.
 */
#ifndef HWS__SYSTEM_H
#define HWS__SYSTEM_H

#ifdef _WIN32

#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0601
#endif

#include <winsock2.h>
#include <ws2tcpip.h>

#include <windows.h>

#else

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* accept4() */
#endif

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#endif

#include <stdint.h>

#ifdef _WIN32

typedef SOCKET handle;
#define ERROR_OF(name) WSA##name
#define ERROR_SHUT_DOWN WSAESHUTDOWN

static inline int32_t last_error(void) {
    return (int32_t)WSAGetLastError();
}

/* Winsock has but one name for it, which a connect that goes on gives too. */
static inline int would_block(int32_t code) {
    return code == WSAEWOULDBLOCK;
}

#else

typedef int handle;
#define ERROR_OF(name) name
#define ERROR_SHUT_DOWN EPIPE
#define INVALID_SOCKET (-1)
#define SD_SEND SHUT_WR
#define closesocket close
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* SO_NOSIGPIPE does it there */
#endif

static inline int32_t last_error(void) {
    return (int32_t)errno;
}

static inline int would_block(int32_t code) {
#if EAGAIN != EWOULDBLOCK
    if (code == EWOULDBLOCK) {
        return 1;
    }
#endif
    return code == EAGAIN;
}

#endif

#endif
