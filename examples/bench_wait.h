/*
 * Waits for many sockets at a time: with epoll where there is one, and with poll() elsewhere.
 */
#ifndef BENCH_WAIT_H
#define BENCH_WAIT_H

#include <stddef.h>
#include <stdint.h>

/* A socket that something can be done with; an error counts as both. */
typedef struct ready {
    size_t index;
    int readable;
    int writable;
} ready;

/* For sockets with indices below `count`. Returns 0 when the system has no more of what it takes.
 */
int wait_init(size_t count);
void wait_release(void);

/* All of these wait for what can be read, and for room to write when `writing` is 1. */
int wait_add(int fd, size_t index, int writing); /* 0: as above */
void wait_change(int fd, size_t index, int writing);
void wait_drop(int fd, size_t index); /* before fd is closed */

/* Waits for timeout_ns at most. Returns how many of `all` it filled in; 0 also after a signal. */
size_t wait_next(uint64_t timeout_ns, ready *all, size_t cap);

#endif
