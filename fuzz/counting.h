/* An allocator for the targets with a codec: it counts, and can fail once. */
#ifndef HWS_FUZZ_COUNTING_H
#define HWS_FUZZ_COUNTING_H

#include "fuzz.h"

typedef struct counting {
    size_t blocks;    /* taken and not given back */
    unsigned taken;   /* since the start */
    unsigned fail_in; /* the allocation that fails, from 1; 0: none */
    unsigned failed;  /* since the start */
} counting;

static void *counting_alloc(void *user, size_t len) {
    counting *memory = user;
    if (memory->fail_in > 0) {
        memory->fail_in--;
        if (memory->fail_in == 0) {
            memory->failed++;
            return NULL;
        }
    }
    void *block = malloc(len);
    CHECK(block != NULL);
    memory->blocks++;
    memory->taken++;
    return block;
}

static void counting_release(void *user, void *block) {
    counting *memory = user;
    CHECK(memory->blocks > 0);
    memory->blocks--;
    free(block);
}

static hws_allocator counting_allocator(counting *memory) {
    return (hws_allocator){counting_alloc, counting_release, memory};
}

#endif
