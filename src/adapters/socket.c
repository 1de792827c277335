/*
 * One socket: its deadline, one read, one write, one wait. The calls that POSIX and Winsock make
 * differently come first; what follows is the same for both. Must know nothing of addresses, HTTP
 * and WebSocket.
 */
#include "system.h"

#include "socket.h"

#include <string.h>

/* Pieces of one write at most: above what callers have, below the limits of systems. */
enum { PIECES_MAX = 64 };

#ifdef _WIN32

static int64_t now_ms(void) {
    return (int64_t)GetTickCount64();
}

static int set_nonblocking(handle socket) {
    u_long on = 1;
    return ioctlsocket(socket, (long)FIONBIO, &on);
}

static int64_t write_pieces(handle socket, const hws_buffer *pieces, const size_t *lens,
                            size_t count) {
    WSABUF bufs[PIECES_MAX];
    DWORD sent = 0;
    size_t i = 0;
    while (i < count) {
        bufs[i].buf = (char *)(uintptr_t)pieces[i].data;
        bufs[i].len = (ULONG)lens[i];
        i++;
    }
    return WSASend(socket, bufs, (DWORD)count, &sent, 0, NULL, NULL) == 0 ? (int64_t)sent : -1;
}

/* select() and not WSAPoll(), which did not tell of failed connects before Windows 10 2004. A set
 * of Winsock holds handles, so that it has no problem with high ones. */
static int poll_once(handle socket, uint8_t interest, int timeout_ms, uint8_t *ready) {
    fd_set in;
    fd_set out;
    fd_set broken;
    struct timeval time = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
    int n = 0;
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&broken);
    if ((interest & HWS__READABLE) != 0) {
        FD_SET(socket, &in);
    }
    if ((interest & HWS__WRITABLE) != 0) {
        FD_SET(socket, &out);
    }
    FD_SET(socket, &broken);
    n = select(0, &in, &out, &broken, timeout_ms < 0 ? NULL : &time);
    if (n > 0) {
        uint8_t failed = FD_ISSET(socket, &broken) ? interest : 0;
        *ready = (uint8_t)(failed | (FD_ISSET(socket, &in) ? HWS__READABLE : 0) |
                           (FD_ISSET(socket, &out) ? HWS__WRITABLE : 0));
    }
    return n;
}

#else

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + (int64_t)now.tv_nsec / 1000000;
}

static int set_nonblocking(handle socket) {
    int flags = fcntl(socket, F_GETFL);
    return flags < 0 ? -1 : fcntl(socket, F_SETFL, flags | O_NONBLOCK);
}

static int64_t write_pieces(handle socket, const hws_buffer *pieces, const size_t *lens,
                            size_t count) {
    struct iovec vec[PIECES_MAX];
    struct msghdr message;
    size_t i = 0;
    while (i < count) {
        vec[i].iov_base = (void *)(uintptr_t)pieces[i].data;
        vec[i].iov_len = lens[i];
        i++;
    }
    memset(&message, 0, sizeof message);
    message.msg_iov = vec;
    message.msg_iovlen = count;
    return (int64_t)sendmsg(socket, &message, MSG_NOSIGNAL);
}

static int poll_once(handle socket, uint8_t interest, int timeout_ms, uint8_t *ready) {
    struct pollfd set = {socket, 0, 0};
    int n = 0;
    set.events = (short)(((interest & HWS__READABLE) != 0 ? POLLIN : 0) |
                         ((interest & HWS__WRITABLE) != 0 ? POLLOUT : 0));
    n = poll(&set, 1, timeout_ms);
    if (n > 0) {
        uint8_t failed = (set.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0 ? interest : 0;
        *ready = (uint8_t)(failed | ((set.revents & POLLIN) != 0 ? HWS__READABLE : 0) |
                           ((set.revents & POLLOUT) != 0 ? HWS__WRITABLE : 0));
    }
    return n;
}

#endif

/* Bytes of one write: some systems refuse more than INT_MAX. */
#define WRITE_MAX ((size_t)1 << 30)

int64_t hws__deadline(int32_t timeout_ms) {
    if (timeout_ms == 0) {
        return HWS__NOW;
    }
    return timeout_ms < 0 ? HWS__NEVER : now_ms() + timeout_ms;
}

uint8_t hws__deadline_passed(int64_t deadline) {
    return deadline == HWS__NOW || (deadline != HWS__NEVER && now_ms() >= deadline);
}

int64_t hws__deadline_share(int64_t deadline, size_t count) {
    int64_t now = 0;
    if (deadline == HWS__NOW || deadline == HWS__NEVER) {
        return deadline;
    }
    now = now_ms();
    return deadline <= now ? deadline : now + (deadline - now) / (int64_t)count;
}

/* Milliseconds for poll(): -1 for ever, and never more than its int can say. */
static int left_ms(int64_t deadline) {
    int64_t left = 0;
    if (deadline == HWS__NEVER) {
        return -1;
    }
    if (deadline == HWS__NOW) {
        return 0;
    }
    left = deadline - now_ms();
    return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

static hws_status status_of(int32_t code) {
    if (would_block(code)) {
        return HWS_NEED_MORE;
    }
    if (code == ERROR_OF(ECONNRESET) || code == ERROR_OF(ECONNABORTED) || code == ERROR_SHUT_DOWN) {
        return HWS_ERR_RESET;
    }
    return HWS_ERR_SYSTEM;
}

/* What the call that just failed means; *error is left alone when it only would block. */
static hws_status fail(int32_t *error) {
    int32_t code = last_error();
    hws_status status = status_of(code);
    if (status < 0) {
        *error = code;
    }
    return status;
}

hws_status hws__socket_prepare(intptr_t socket, int32_t *error) {
    int on = 1;
    if (set_nonblocking((handle)socket) != 0) {
        *error = last_error();
        return HWS_ERR_SYSTEM;
    }
    /* These may fail: a Unix socket has no Nagle algorithm to switch off. Urgent data stays in its
     * place in the stream (RFC 6093 6), where it cannot wake up select() again and again. */
    setsockopt((handle)socket, IPPROTO_TCP, TCP_NODELAY, (const void *)&on, sizeof on);
    setsockopt((handle)socket, SOL_SOCKET, SO_OOBINLINE, (const void *)&on, sizeof on);
#ifdef SO_NOSIGPIPE
    setsockopt((handle)socket, SOL_SOCKET, SO_NOSIGPIPE, (const void *)&on, sizeof on);
#endif
    return HWS_OK;
}

hws_status hws__socket_read(intptr_t socket, uint8_t *dst, size_t cap, size_t *n, int32_t *error) {
    size_t want = cap < WRITE_MAX ? cap : WRITE_MAX;
    int64_t got = 0;
    *n = 0;
    do {
#ifdef _WIN32
        got = recv((handle)socket, (char *)dst, (int)want, 0);
#else
        got = (int64_t)recv((handle)socket, dst, want, 0);
#endif
    } while (got < 0 && last_error() == ERROR_OF(EINTR));
    if (got < 0) {
        return fail(error);
    }
    *n = (size_t)got;
    return got == 0 ? HWS_ERR_EOF : HWS_OK;
}

hws_status hws__socket_write(intptr_t socket, const hws_buffer *pieces, size_t count, size_t *n,
                             int32_t *error) {
    size_t lens[PIECES_MAX];
    size_t left = WRITE_MAX;
    int64_t sent = 0;
    size_t i = 0;
    while (i < count && i < PIECES_MAX) {
        lens[i] = pieces[i].len < left ? pieces[i].len : left;
        left -= lens[i];
        i++;
    }
    *n = 0;
    do {
        sent = write_pieces((handle)socket, pieces, lens, i);
    } while (sent < 0 && last_error() == ERROR_OF(EINTR));
    if (sent < 0) {
        return fail(error);
    }
    *n = (size_t)sent;
    return HWS_OK;
}

hws_status hws__socket_wait(intptr_t socket, uint8_t interest, int64_t deadline, uint8_t *ready,
                            int32_t *error) {
    int n = 0;
    *ready = 0;
    do {
        n = poll_once((handle)socket, interest, left_ms(deadline), ready);
        if (n > 0) {
            return HWS_OK;
        }
        /* Some systems say EAGAIN when poll() has no memory for the moment. */
        if (n < 0 && last_error() != ERROR_OF(EINTR) && !would_block(last_error())) {
            *error = last_error();
            return HWS_ERR_SYSTEM;
        }
    } while (!hws__deadline_passed(deadline));
    return HWS_ERR_TIMEOUT;
}

void hws__socket_shutdown(intptr_t socket) {
    shutdown((handle)socket, SD_SEND);
}

void hws__socket_close(intptr_t socket) {
    closesocket((handle)socket);
}
