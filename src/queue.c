/*
 * The queue of output of an endpoint. Knows blocks, and of frames where they end; must not know
 * what they mean.
 */
#include "queue.h"

#include "bytes.h"

/* Own blocks, with their management: one that serves small frames, and the largest that is made
 * without need. */
enum { BLOCK_MIN = 256, BLOCK_MAX = 16384 };

static hws__block *make_block(const hws_allocator *a, size_t cap) {
    hws__block *block = a->alloc(a->user, sizeof *block + cap);

    if (block == NULL) {
        return NULL;
    }
    memset(block, 0, sizeof *block);
    block->data = (const uint8_t *)(block + 1);
    block->cap = cap;
    return block;
}

hws__block *hws__queue_draft(hws__queue *q, const hws_allocator *a, size_t need) {
    size_t size = BLOCK_MIN;

    if (q->last != NULL && q->last->cap > 0) {
        if (need <= q->last->cap - q->last->len) {
            return q->last;
        }
        size = 2 * (q->last->cap + sizeof(hws__block));
        size = size > BLOCK_MAX ? BLOCK_MAX : size;
    }
    size_t cap = size - sizeof(hws__block);
    return make_block(a, cap < need ? need : cap);
}

void hws__queue_append(hws__queue *q, hws__block *block) {
    if (q->last == NULL) {
        q->first = block;
    } else {
        q->last->next = block;
    }
    q->last = block;
    q->len += block->len;
}

void hws__queue_commit(hws__queue *q, hws__block *draft, size_t n, uint8_t head) {
    if (draft == q->last) {
        draft->len += n;
        q->len += n;
    } else {
        draft->len = n;
        hws__queue_append(q, draft);
    }
    if (head) {
        q->border = q->len;
    }
}

void hws__queue_discard(hws__queue *q, const hws_allocator *a, hws__block *draft) {
    if (draft != q->last && draft != q->urgent) {
        a->release(a->user, draft);
    }
}

hws__block *hws__queue_refer(const hws_allocator *a, const uint8_t *data, size_t len) {
    hws__block *block = make_block(a, 0);

    if (block != NULL) {
        block->data = data;
        block->len = len;
    }
    return block;
}

hws__block *hws__queue_draft_alone(const hws_allocator *a, size_t need) {
    return make_block(a, need);
}

/* Move the border on, over whole frames, until it is at `least` or behind it. least <= len. */
static void move_border(hws__queue *q, uint64_t least) {
    const hws__block *block = q->first;
    uint64_t pos = q->border;
    hws_frame frame;

    if (least == q->len) {
        q->border = least; /* the end is one */
    }
    if (block != NULL) {
        pos += block->at;
    }
    while (q->border < least) {
        while (pos >= block->len) {
            pos -= block->len;
            block = block->next;
        }
        hws__frame_read(block->data + pos, &frame);
        q->border += frame.header_len + frame.payload_len;
        pos += frame.header_len + frame.payload_len;
    }
}

void hws__queue_overtake(hws__queue *q, hws__block *draft, size_t n) {
    if (draft != q->urgent) {
        move_border(q, q->promised);
        q->lead = q->border;
        q->urgent = draft;
    }
    draft->len += n;
}

/* Hand out `len` bytes of the blocks from `skip` on. Returns the elements filled so far. */
static size_t hand_out(hws__queue *q, uint64_t skip, uint64_t len, hws_buffer *buffers, size_t cap,
                       size_t count) {
    const hws__block *block = q->first;

    while (len > 0 && count < cap) {
        size_t n = block->len - block->at;
        if (skip >= n) {
            skip -= n;
        } else {
            size_t start = block->at + (size_t)skip;
            n -= (size_t)skip;
            n = n > len ? (size_t)len : n;
            buffers[count] = (hws_buffer){block->data + start, n};
            count++;
            len -= n;
            q->promised += n;
            skip = 0;
        }
        block = block->next;
    }
    return count;
}

size_t hws__queue_output(hws__queue *q, hws_buffer *buffers, size_t cap) {
    q->promised = 0;
    if (q->urgent == NULL) {
        return hand_out(q, 0, q->len, buffers, cap, 0);
    }
    size_t count = hand_out(q, 0, q->lead, buffers, cap, 0);
    if (q->promised == q->lead && count < cap) {
        size_t n = q->urgent->len - q->urgent->at;
        buffers[count] = (hws_buffer){q->urgent->data + q->urgent->at, n};
        count++;
        q->promised += n;
        count = hand_out(q, q->lead, q->len - q->lead, buffers, cap, count);
    }
    return count;
}

/* A block that is done with: freed, or kept until the application is told. */
static void let_go(hws__queue *q, const hws_allocator *a, hws__block *block) {
    if (block->cap > 0 || block->prepared != NULL) {
        hws_prepared_release(block->prepared);
        a->release(a->user, block);
        return;
    }
    block->next = NULL;
    if (q->released == NULL) {
        q->released = block;
    } else {
        q->released_last->next = block;
    }
    q->released_last = block;
}

static void take_off(hws__queue *q, const hws_allocator *a, uint64_t n) {
    move_border(q, n);
    q->border -= n;
    q->len -= n;
    while (n > 0) {
        hws__block *block = q->first;
        size_t left = block->len - block->at;
        if (n < left) {
            block->at += (size_t)n;
            return;
        }
        n -= left;
        q->first = block->next;
        let_go(q, a, block);
    }
    if (q->first == NULL) {
        q->last = NULL;
    }
}

void hws__queue_sent(hws__queue *q, const hws_allocator *a, uint64_t n) {
    q->promised = 0;
    if (q->urgent == NULL) {
        take_off(q, a, n);
        return;
    }
    uint64_t part = n < q->lead ? n : q->lead;
    take_off(q, a, part);
    q->lead -= part;
    n -= part;
    size_t left = q->urgent->len - q->urgent->at;
    if (n < left) {
        q->urgent->at += (size_t)n;
        return;
    }
    a->release(a->user, q->urgent);
    q->urgent = NULL;
    take_off(q, a, n - left);
}

/* Of the bytes that are promised, those in the blocks: they may be before and behind `urgent`. */
static uint64_t promised_in_blocks(const hws__queue *q) {
    if (q->urgent == NULL || q->promised <= q->lead) {
        return q->promised;
    }
    size_t n = q->urgent->len - q->urgent->at;
    return q->promised - q->lead <= n ? q->lead : q->promised - n;
}

/* Drop all behind the first `keep` bytes. Where they end inside a block, it is one of own bytes. */
static void cut(hws__queue *q, const hws_allocator *a, uint64_t keep) {
    hws__block *block = q->first;

    q->len = keep;
    q->last = NULL;
    while (block != NULL && keep > 0) {
        size_t n = block->len - block->at;
        if (keep < n) {
            n = (size_t)keep;
            block->len = block->at + n;
        }
        keep -= n;
        q->last = block;
        block = block->next;
    }
    if (q->last == NULL) {
        q->first = NULL;
    } else {
        q->last->next = NULL;
    }
    while (block != NULL) {
        hws__block *next = block->next;
        let_go(q, a, block);
        block = next;
    }
}

void hws__queue_cut(hws__queue *q, const hws_allocator *a) {
    uint64_t least = promised_in_blocks(q);

    if (q->urgent != NULL && least < q->lead) {
        least = q->lead;
    }
    move_border(q, least);
    cut(q, a, q->border);
}

void hws__queue_drop(hws__queue *q, const hws_allocator *a) {
    if (q->urgent != NULL) {
        a->release(a->user, q->urgent);
        q->urgent = NULL;
    }
    q->border = 0;
    q->promised = 0;
    cut(q, a, 0);
}

uint8_t hws__queue_released(hws__queue *q, const hws_allocator *a, hws_buffer *buffer) {
    hws__block *block = q->released;

    if (block == NULL) {
        return 0;
    }
    q->released = block->next;
    *buffer = (hws_buffer){block->data, block->len};
    a->release(a->user, block);
    return 1;
}
