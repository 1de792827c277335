/*
 * Two forms of the same: epoll, whose cost does not grow with the number of sockets, and poll().
 * Knows nothing of what the sockets are for.
 */
#ifdef __linux__
#define _GNU_SOURCE /* for ppoll(): before it was in POSIX */
#else
#define _POSIX_C_SOURCE 200809L
#endif

#include "bench_wait.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MS ((uint64_t)1000000)

#ifdef __linux__

#include <sys/epoll.h>
#include <sys/prctl.h>

enum {
    EVENTS = 256,     /* taken at a time */
    TIMER_SLACK = 1,  /* ns by which the system may wake us late; 50,000 unless it is told */
    PRECISE_BELOW = 5 /* ms: a longer wait need not end to the microsecond */
};

static int queue = -1;

int wait_init(size_t count) {
    (void)count;
    queue = epoll_create1(EPOLL_CLOEXEC);
    (void)prctl(PR_SET_TIMERSLACK, (unsigned long)TIMER_SLACK, 0UL, 0UL, 0UL);
    return queue >= 0;
}

void wait_release(void) {
    close(queue);
}

static int control(int what, int fd, size_t index, int writing) {
    struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.u64 = index};
    return epoll_ctl(queue, what, fd, &event) == 0;
}

int wait_add(int fd, size_t index, int writing) {
    return control(EPOLL_CTL_ADD, fd, index, writing);
}

void wait_change(int fd, size_t index, int writing) {
    (void)control(EPOLL_CTL_MOD, fd, index, writing);
}

void wait_drop(int fd, size_t index) {
    (void)control(EPOLL_CTL_DEL, fd, index, 0);
}

/* epoll_wait() counts milliseconds. For shorter times the queue itself is polled. */
static int wait_in_ms(uint64_t timeout_ns) {
    struct pollfd set = {.fd = queue, .events = POLLIN};
    struct timespec time = {.tv_nsec = (long)timeout_ns};
    if (timeout_ns >= PRECISE_BELOW * MS) {
        return timeout_ns / MS < 1000 ? (int)(timeout_ns / MS) : 1000;
    }
    if (timeout_ns > 0) {
        (void)ppoll(&set, 1, &time, NULL);
    }
    return 0;
}

size_t wait_next(uint64_t timeout_ns, ready *all, size_t cap) {
    struct epoll_event events[EVENTS];
    int limit = cap < EVENTS ? (int)cap : EVENTS;
    int count = epoll_wait(queue, events, limit, wait_in_ms(timeout_ns));
    int i = 0;
    while (i < count) {
        uint32_t failed = events[i].events & (EPOLLERR | EPOLLHUP);
        all[i].index = (size_t)events[i].data.u64;
        all[i].readable = (events[i].events & EPOLLIN) != 0 || failed != 0;
        all[i].writable = (events[i].events & EPOLLOUT) != 0 || failed != 0;
        i++;
    }
    return (size_t)i;
}

#else

static struct pollfd *sets; /* by index; fd -1: none */
static size_t set_count;
static size_t next_set; /* where the next call goes on: the first sockets must not starve others */

int wait_init(size_t count) {
    size_t i = 0;
    sets = calloc(count, sizeof *sets);
    set_count = sets != NULL ? count : 0;
    while (i < set_count) {
        sets[i].fd = -1;
        i++;
    }
    return sets != NULL;
}

void wait_release(void) {
    free(sets);
}

void wait_change(int fd, size_t index, int writing) {
    sets[index].fd = fd;
    sets[index].events = (short)(writing ? POLLIN | POLLOUT : POLLIN);
}

int wait_add(int fd, size_t index, int writing) {
    wait_change(fd, index, writing);
    return 1;
}

void wait_drop(int fd, size_t index) {
    (void)fd;
    sets[index].fd = -1;
}

/* Rounded down: what is left of a millisecond is waited for without sleep. */
size_t wait_next(uint64_t timeout_ns, ready *all, size_t cap) {
    size_t count = 0;
    size_t seen = 0;
    if (poll(sets, (nfds_t)set_count, (int)(timeout_ns / MS)) <= 0) {
        return 0;
    }
    while (seen < set_count && count < cap) {
        short events = sets[next_set].fd >= 0 ? sets[next_set].revents : 0;
        short failed = (short)(events & (POLLERR | POLLHUP | POLLNVAL));
        if (events != 0) {
            all[count++] = (ready){.index = next_set,
                                   .readable = (events & POLLIN) != 0 || failed != 0,
                                   .writable = (events & POLLOUT) != 0 || failed != 0};
        }
        next_set = (next_set + 1) % set_count;
        seen++;
    }
    return count;
}

#endif
