/*
 * The system's allocator behind the table of endpoint.h.
 */
#include <hawser/allocator.h>

#include <stdlib.h>

static void *take(void *user, size_t len) {
    (void)user;
    return malloc(len);
}

static void give_back(void *user, void *memory) {
    (void)user;
    free(memory);
}

hws_allocator hws_system_allocator(void) {
    return (hws_allocator){take, give_back, NULL};
}
