/*
 * Which call to the system fails, and how: the k-th of a thread.
 */
#ifndef HWS_TESTS_FAULT_PLAN_H
#define HWS_TESTS_FAULT_PLAN_H

#include <hawser/entropy.h>

#include <dirent.h>
#include <errno.h>
#include <string.h>

/* What the k-th call does. */
enum fault {
    FAULT_INTERRUPTED,
    FAULT_AGAIN,
    FAULT_ONE_BYTE, /* of reads and writes; other calls work */
    FAULT_RESET,
    FAULT_PIPE,
    FAULT_MEMORY,
    FAULT_DESCRIPTORS,
    FAULTS
};

static const int error_numbers[FAULTS] = {EINTR, EAGAIN, 0, ECONNRESET, EPIPE, ENOMEM, EMFILE};

/* The plan of this thread: -1 is never. */
static _Thread_local struct {
    int at;
    enum fault fault;
    int calls;
    int waits; /* of those, the ones that wait */
} plan = {-1, FAULT_INTERRUPTED, 0, 0};

static inline void plan_fault(enum fault fault, int at) {
    plan.fault = fault;
    plan.at = at;
    plan.calls = plan.waits = 0;
}

/* Whether a life that met this fault must have succeeded. */
static inline int is_harmless(enum fault fault) {
    return fault == FAULT_INTERRUPTED || fault == FAULT_AGAIN || fault == FAULT_ONE_BYTE;
}

/* Whether this call fails; errno is set then. */
static inline int fails(void) {
    int hit = plan.at == plan.calls;
    plan.calls++;
    if (!hit || plan.fault == FAULT_ONE_BYTE) {
        return 0;
    }
    errno = error_numbers[plan.fault];
    return 1;
}

/* The same for calls that never wait, and so are never interrupted. */
static inline int fails_at_once(void) {
    if (plan.fault == FAULT_INTERRUPTED || plan.fault == FAULT_AGAIN) {
        plan.calls++;
        return 0;
    }
    return fails();
}

static inline int is_short(void) {
    return plan.at == plan.calls - 1 && plan.fault == FAULT_ONE_BYTE;
}

/* Random bytes without a pool: each key asks the system. */
static inline hws_status unpooled(void *user, uint8_t *dst, size_t len) {
    static _Thread_local uint8_t large[2048];
    hws_status status = hws_entropy(user, large, sizeof large);
    if (status == HWS_OK) {
        memcpy(dst, large, len);
    }
    return status;
}

static inline int count_descriptors(void) {
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;
    if (dir == NULL) {
        return 0;
    }
    while (readdir(dir) != NULL) {
        count++;
    }
    closedir(dir);
    return count;
}

#endif
