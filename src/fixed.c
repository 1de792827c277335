/*
 * A list of the free parts of one block of memory. Knows nothing of what they are used for.
 *
 * Places are counts of bytes from the start of the block. A part begins with a header, and is a
 * multiple of one long; that of a part which is handed out keeps its length. Headers are copied in
 * and out, for the block may be of any type.
 * Invariants: the list is in the order of places, and no two free parts touch.
 */
#include <hawser/fixed.h>

#include "bytes.h"

typedef struct header {
    _Alignas(max_align_t) size_t len; /* bytes of the part, its header included */
    size_t next;                      /* place of the next free part */
} header;

typedef struct block {
    uint8_t *memory; /* aligned for anything */
    size_t len;      /* a multiple of a header */
    size_t used;
    size_t first; /* place of the first free part */
} block;

enum { HEADER = sizeof(header) };

_Static_assert(sizeof(block) <= sizeof(hws_fixed), "hws_fixed has room for its content");

/* No part: behind the last free one, and before the first. */
static const size_t NONE = SIZE_MAX;

static header load(const block *b, size_t at) {
    header part;
    memcpy(&part, b->memory + at, sizeof part);
    return part;
}

static void store(block *b, size_t at, size_t len, size_t next) {
    header part = {.len = len, .next = next};
    memcpy(b->memory + at, &part, sizeof part);
}

/* Let the list go on at `next` behind a free part. */
static void join(block *b, size_t before, size_t next) {
    if (before == NONE) {
        b->first = next;
        return;
    }
    store(b, before, load(b, before).len, next);
}

void hws_fixed_init(hws_fixed *fixed, void *memory, size_t len) {
    enum { ALIGN = _Alignof(max_align_t) };
    block *b = (block *)(void *)fixed;
    size_t skipped = (ALIGN - (size_t)((uintptr_t)memory % ALIGN)) % ALIGN;
    size_t rest = len > skipped ? len - skipped : 0;

    memset(fixed, 0, sizeof *fixed);
    b->first = NONE;
    b->len = rest - rest % HEADER;
    if (b->len > 0) {
        b->memory = (uint8_t *)memory + skipped;
        b->first = 0;
        store(b, 0, b->len, NONE);
    }
}

/* The first bytes of a free part; the rest stays in its place in the list. */
static void hand_out(block *b, size_t before, size_t at, size_t len) {
    header part = load(b, at);
    size_t next = part.next;

    if (len < part.len) {
        next = at + len;
        store(b, next, part.len - len, part.next);
    }
    join(b, before, next);
    store(b, at, len, NONE);
    b->used += len;
}

static void *take(void *user, size_t len) {
    block *b = user;
    size_t before = NONE;
    size_t at = b->first;

    if (len > b->len) {
        return NULL;
    }
    len = (len + HEADER - 1) / HEADER * HEADER;
    while (at != NONE) {
        header part = load(b, at);
        if (part.len - HEADER >= len) {
            hand_out(b, before, at, HEADER + len);
            return b->memory + at + HEADER;
        }
        before = at;
        at = part.next;
    }
    return NULL;
}

/* What follows is joined to the part, and the part to what is before. */
static void give_back(void *user, void *memory) {
    block *b = user;
    size_t at = (size_t)((uint8_t *)memory - b->memory) - HEADER;
    size_t len = load(b, at).len;
    size_t before = NONE;
    size_t next = b->first;

    b->used -= len;
    while (next < at) {
        before = next;
        next = load(b, next).next;
    }
    if (next == at + len) {
        header part = load(b, next);
        len += part.len;
        next = part.next;
    }
    if (before != NONE && before + load(b, before).len == at) {
        store(b, before, at - before + len, next);
        return;
    }
    store(b, at, len, next);
    join(b, before, at);
}

hws_allocator hws_fixed_allocator(hws_fixed *fixed) {
    return (hws_allocator){.alloc = take, .release = give_back, .user = fixed};
}

size_t hws_fixed_used(const hws_fixed *fixed) {
    return ((const block *)(const void *)fixed)->used;
}
