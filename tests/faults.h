/*
 * Faults for tests that stand between an adapter and the system: the k-th call of a thread fails,
 * in a way that is chosen. Calls that only one of the tests takes over are in that test. Each is
 * named by a line that the build reads, for the linker.
 */
#ifndef HWS_TESTS_FAULTS_H
#define HWS_TESTS_FAULTS_H

#include "peer.h"

#include "fault_plan.h"

#include <netdb.h>
#include <stdarg.h>
#include <sys/random.h>

#define WRAP(type, name, parameters)                                                               \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters

/* --wrap=recv */
WRAP(ssize_t, recv, (int fd, void *buf, size_t len, int flags)) {
    return fails() ? -1 : __real_recv(fd, buf, is_short() && len > 1 ? 1 : len, flags);
}

/* --wrap=sendmsg. The one byte is the first that there is. */
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags)) {
    struct msghdr part = *message;
    struct iovec byte;
    size_t i = 0;
    if (fails()) {
        return -1;
    }
    while (i < message->msg_iovlen && message->msg_iov[i].iov_len == 0) {
        i++;
    }
    if (is_short() && i < message->msg_iovlen) {
        byte = (struct iovec){message->msg_iov[i].iov_base, 1};
        part.msg_iov = &byte;
        part.msg_iovlen = 1;
    }
    return __real_sendmsg(fd, &part, flags);
}

/* --wrap=poll */
WRAP(int, poll, (struct pollfd * set, nfds_t count, int timeout_ms)) {
    plan.waits++;
    return fails() ? -1 : __real_poll(set, count, timeout_ms);
}

/* --wrap=accept4 */
WRAP(int, accept4, (int fd, struct sockaddr *address, socklen_t *len, int flags)) {
    return fails() ? -1 : __real_accept4(fd, address, len, flags);
}

/* --wrap=socket */
WRAP(int, socket, (int family, int type, int protocol)) {
    return fails_at_once() ? -1 : __real_socket(family, type, protocol);
}

/* --wrap=getsockopt */
WRAP(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *len)) {
    return fails_at_once() ? -1 : __real_getsockopt(fd, level, name, value, len);
}

/* --wrap=setsockopt */
WRAP(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t len)) {
    return fails_at_once() ? -1 : __real_setsockopt(fd, level, name, value, len);
}

/* --wrap=fcntl */
int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...) {
    va_list list;
    int value = 0;
    va_start(list, command);
    value = va_arg(list, int);
    va_end(list);
    return fails_at_once() ? -1 : __real_fcntl(fd, command, value);
}

/* --wrap=shutdown */
WRAP(int, shutdown, (int fd, int how)) {
    return fails_at_once() ? -1 : __real_shutdown(fd, how);
}

/* --wrap=getaddrinfo */
WRAP(int, getaddrinfo,
     (const char *host, const char *service, const struct addrinfo *hints,
      struct addrinfo **list)) {
    return fails_at_once() ? EAI_MEMORY : __real_getaddrinfo(host, service, hints, list);
}

/* What one call gives at most. */
static _Thread_local size_t largest_random = SIZE_MAX;

/* --wrap=getrandom */
WRAP(ssize_t, getrandom, (void *buf, size_t len, unsigned flags)) {
    int fault = plan.fault == FAULT_AGAIN ? fails_at_once() : fails(); /* it waits, if it must */
    len = len < largest_random ? len : largest_random;
    return fault ? -1 : __real_getrandom(buf, is_short() ? 1 : len, flags);
}

/* What connect() does when it fails so: interrupted, it goes on in the background. */
int __real_connect(int fd, const struct sockaddr *address, socklen_t len);
static inline int connect_unless(int fault, int fd, const struct sockaddr *address, socklen_t len) {
    if (fault && errno == EINTR) {
        (void)__real_connect(fd, address, len);
        errno = EINTR;
    }
    return fault ? -1 : __real_connect(fd, address, len);
}

#endif
