/*
 * Waiting for many sockets, by epoll or poll(), and the pipe of what is posted. Knows nothing of
 * what is spoken over them. A source without interest is not watched at all: systems tell of broken
 * connections whether one asks for that or not.
 */
#include "system.h"

#include "loop.h"

#ifdef __linux__
#include <sys/epoll.h>
#endif

uint64_t hws__loop_clock(const hws__loop *loop) {
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) {
        return loop->now_ms;
    }
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* --- epoll --- */

#ifdef __linux__

static hws_status epoll_open(hws__loop *loop) {
    loop->waiter.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->waiter.epoll < 0) {
        loop->system_error = last_error();
        return HWS_ERR_SYSTEM;
    }
    return HWS_OK;
}

static hws_status epoll_set(hws__loop *loop, hws__source *source, uint8_t interest) {
    int verb = source->interest == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    struct epoll_event event;
    memset(&event, 0, sizeof event);
    event.data.ptr = source;
    event.events = ((interest & HWS__READABLE) != 0 ? (uint32_t)EPOLLIN : 0) |
                   ((interest & HWS__WRITABLE) != 0 ? (uint32_t)EPOLLOUT : 0);
    if (interest == 0) {
        verb = EPOLL_CTL_DEL;
    }
    if (epoll_ctl(loop->waiter.epoll, verb, source->fd, &event) != 0) {
        loop->system_error = last_error();
        return HWS_ERR_SYSTEM;
    }
    return HWS_OK;
}

static int epoll_look(hws__loop *loop, int timeout_ms) {
    struct epoll_event events[HWS__EVENTS_MAX];
    int n = epoll_wait(loop->waiter.epoll, events, HWS__EVENTS_MAX, timeout_ms);
    int i = 0;
    while (i < n) {
        hws__source *source = events[i].data.ptr;
        uint8_t failed = (events[i].events & (EPOLLERR | EPOLLHUP)) != 0 ? source->interest : 0;
        loop->happenings[i].source = source;
        loop->happenings[i].bits =
            (uint8_t)(failed | ((events[i].events & EPOLLIN) != 0 ? HWS__READABLE : 0) |
                      ((events[i].events & EPOLLOUT) != 0 ? HWS__WRITABLE : 0));
        i++;
    }
    return n;
}

#else

static hws_status epoll_open(hws__loop *loop) {
    (void)loop;
    return HWS_ERR_ARGUMENT;
}

static hws_status epoll_set(hws__loop *loop, hws__source *source, uint8_t interest) {
    (void)loop;
    (void)source;
    (void)interest;
    return HWS_ERR_SYSTEM;
}

static int epoll_look(hws__loop *loop, int timeout_ms) {
    (void)loop;
    (void)timeout_ms;
    return -1;
}

#endif

/* --- poll() --- */

static uint8_t poll_grow(hws__loop *loop) {
    hws__waiter *w = &loop->waiter;
    uint32_t cap = w->cap == 0 ? 64 : 2 * w->cap;
    struct pollfd *set = hws__loop_take(loop, cap * sizeof *set);
    hws__source **sources = hws__loop_take(loop, cap * sizeof(hws__source *));
    if (set == NULL || sources == NULL) {
        hws__loop_give(loop, set);
        hws__loop_give(loop, sources);
        return 0;
    }
    if (w->count > 0) {
        memcpy(set, w->set, w->count * sizeof *set);
        memcpy(sources, w->sources, w->count * sizeof(hws__source *));
    }
    hws__loop_give(loop, w->set);
    hws__loop_give(loop, w->sources);
    w->set = set;
    w->sources = sources;
    w->cap = cap;
    return 1;
}

static void poll_remove(hws__waiter *w, hws__source *source) {
    w->count--;
    w->set[source->slot] = w->set[w->count];
    w->sources[source->slot] = w->sources[w->count];
    w->sources[source->slot]->slot = source->slot;
    source->slot = HWS__NO_SLOT;
}

static hws_status poll_set(hws__loop *loop, hws__source *source, uint8_t interest) {
    hws__waiter *w = &loop->waiter;
    if (interest == 0) {
        poll_remove(w, source);
        return HWS_OK;
    }
    if (source->interest == 0) {
        if (w->count == w->cap && !poll_grow(loop)) {
            return HWS_ERR_MEMORY;
        }
        source->slot = w->count;
        w->sources[w->count] = source;
        w->set[w->count].fd = source->fd;
        w->count++;
    }
    w->set[source->slot].events = (short)(((interest & HWS__READABLE) != 0 ? POLLIN : 0) |
                                          ((interest & HWS__WRITABLE) != 0 ? POLLOUT : 0));
    return HWS_OK;
}

static int poll_look(hws__loop *loop, int timeout_ms) {
    hws__waiter *w = &loop->waiter;
    int n = poll(w->set, w->count, timeout_ms);
    int found = 0;
    uint32_t i = 0;
    while (n > 0 && i < w->count && found < HWS__EVENTS_MAX) {
        uint32_t place = (w->start + i) % w->count;
        short seen = w->set[place].revents;
        if (seen != 0) {
            hws__source *source = w->sources[place];
            uint8_t failed = (seen & (POLLERR | POLLHUP | POLLNVAL)) != 0 ? source->interest : 0;
            loop->happenings[found].source = source;
            loop->happenings[found].bits =
                (uint8_t)(failed | ((seen & POLLIN) != 0 ? HWS__READABLE : 0) |
                          ((seen & POLLOUT) != 0 ? HWS__WRITABLE : 0));
            found++;
        }
        i++;
    }
    w->start = w->count == 0 ? 0 : (w->start + i) % w->count;
    return n < 0 ? -1 : found;
}

/* --- either --- */

hws_status hws__waiter_init(hws__loop *loop) {
    loop->waiter.epoll = -1;
#ifndef __linux__
    if (loop->config.kind == HWS_LOOP_BEST) {
        return HWS_OK;
    }
#endif
    return loop->config.kind == HWS_LOOP_POLL ? HWS_OK : epoll_open(loop);
}

void hws__waiter_release(hws__loop *loop) {
    if (loop->waiter.epoll >= 0) {
        close(loop->waiter.epoll);
    }
    hws__loop_give(loop, loop->waiter.set);
    hws__loop_give(loop, loop->waiter.sources);
}

hws_status hws__waiter_set(hws__loop *loop, hws__source *source, uint8_t interest) {
    if (interest == source->interest) {
        return HWS_OK;
    }
    hws_status status = loop->waiter.epoll >= 0 ? epoll_set(loop, source, interest)
                                                : poll_set(loop, source, interest);
    if (status == HWS_OK) {
        source->interest = interest;
    }
    return status;
}

void hws__waiter_forget(hws__loop *loop, hws__source *source) {
    size_t i = loop->happening;
    (void)hws__waiter_set(loop, source, 0);
    source->interest = 0; /* whatever the system said: its socket is about to be closed */
    while (i < loop->happenings_len) {
        if (loop->happenings[i].source == source) {
            loop->happenings[i].source = NULL;
        }
        i++;
    }
}

hws_status hws__waiter_wait(hws__loop *loop, int timeout_ms) {
    int n = loop->waiter.epoll >= 0 ? epoll_look(loop, timeout_ms) : poll_look(loop, timeout_ms);
    loop->happening = 0;
    loop->happenings_len = n > 0 ? (size_t)n : 0;
    if (n < 0 && last_error() != EINTR && !would_block(last_error())) {
        loop->system_error = last_error();
        return HWS_ERR_SYSTEM;
    }
    return HWS_OK;
}

/* --- what is posted: pointers through a pipe --- */

hws_status hws__post_open(hws__loop *loop) {
    int ends[2];
    if (pipe(ends) != 0) {
        loop->system_error = last_error();
        return HWS_ERR_SYSTEM;
    }
    loop->post.fd = ends[0];
    loop->post_in = ends[1];
    int i = 0;
    while (i < 2) {
        if (fcntl(ends[i], F_SETFL, O_NONBLOCK) != 0) { /* a loop must never wait for it */
            loop->system_error = last_error();
            return HWS_ERR_SYSTEM;
        }
        (void)fcntl(ends[i], F_SETFD, FD_CLOEXEC);
        i++;
    }
    return hws__waiter_set(loop, &loop->post, HWS__READABLE);
}

void hws__post_close(hws__loop *loop) {
    if (loop->post.fd >= 0) {
        close(loop->post.fd);
        close(loop->post_in);
    }
}

/* A pointer is far below PIPE_BUF: it comes whole or not at all. */
uint8_t hws__post_take(hws__loop *loop, void **posted) {
    ssize_t n;
    do {
        n = read(loop->post.fd, posted, sizeof *posted);
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof *posted;
}

hws_status hws_loop_post(hws_loop *loop, void *posted) {
    const hws__loop *l = hws__loop_of(loop);
    int kept = errno; /* of the program that a signal interrupted */
    hws_status status = HWS_OK;
    ssize_t n;
    if (l == NULL) {
        return HWS_ERR_STATE;
    }
    do {
        n = write(l->post_in, &posted, sizeof posted);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        status = would_block(errno) ? HWS_ERR_FULL : HWS_ERR_SYSTEM;
    }
    errno = kept;
    return status;
}
