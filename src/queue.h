/*
 * A queue of bytes to be written, in blocks: bytes of its own, a buffer of the application, or a
 * prepared message. What is in it is frames, but for a head before the first one.
 *
 * Own bytes are appended in two steps, so that what fails leaves nothing behind: a draft is room at
 * the end of the last block, or in a new one that is not in the queue yet; it is committed, or
 * discarded.
 *
 * Invariants:
 * - len is the sum over all blocks of len - at; only the first block has at > 0, no block is empty.
 * - border is a distance from the front to a place where a frame ends, at most len; it is 0 only
 *   when a frame starts at the front, or nothing is there.
 * - A frame's header never lies in two blocks.
 * - The first `promised` bytes of what output handed out are not moved and not freed.
 */
#ifndef HWS__QUEUE_H
#define HWS__QUEUE_H

#include <hawser/base.h>
#include <hawser/prepared.h>
#include <hawser/status.h>

#include "frame.h"

typedef struct hws__block {
    struct hws__block *next;
    hws_prepared *prepared; /* the reference that it holds, or NULL */
    const uint8_t *data;    /* own bytes lie behind the block itself */
    size_t at;              /* bytes of it that are written out */
    size_t len;             /* bytes of it that are in the queue, those included */
    size_t cap;             /* own bytes: room; 0 for what is referred to */
} hws__block;

typedef struct hws__queue {
    hws__block *first;
    hws__block *last;
    hws__block *urgent;   /* control frames that overtake what waits; NULL for none */
    hws__block *released; /* buffers of the application that are done with, to be told */
    hws__block *released_last;
    uint64_t len;
    uint64_t border;
    uint64_t lead;     /* bytes that go before `urgent` */
    uint64_t promised; /* bytes handed out, of the queue and of `urgent` */
} hws__queue;

/* Room for `need` bytes in one piece, at most SIZE_MAX / 2; NULL when there is no memory. */
hws__block *hws__queue_draft(hws__queue *q, const hws_allocator *a, size_t need);

/* The room of a draft. */
static inline uint8_t *hws__draft_room(hws__block *draft, size_t *cap) {
    *cap = draft->cap - draft->len;
    return (uint8_t *)(draft + 1) + draft->len;
}

/* Make n bytes in the room of a draft part of the queue: frames, or with `head` no frame. */
void hws__queue_commit(hws__queue *q, hws__block *draft, size_t n, uint8_t head);

/* Give up a draft. */
void hws__queue_discard(hws__queue *q, const hws_allocator *a, hws__block *draft);

/* A block that refers to bytes elsewhere; NULL when there is no memory. */
hws__block *hws__queue_refer(const hws_allocator *a, const uint8_t *data, size_t len);

/* Append such a block. */
void hws__queue_append(hws__queue *q, hws__block *block);

/* A draft in a block of its own. */
hws__block *hws__queue_draft_alone(const hws_allocator *a, size_t need);

/* Let control frames overtake, to go out at the next border: in a draft alone, or in the room of
 * `urgent` where there is one. */
void hws__queue_overtake(hws__queue *q, hws__block *draft, size_t n);

/* Bytes that wait, `urgent` included. */
static inline uint64_t hws__queue_waiting(const hws__queue *q) {
    return q->len + (q->urgent == NULL ? 0 : q->urgent->len - q->urgent->at);
}

/* Hand out what waits. Returns the elements filled. */
size_t hws__queue_output(hws__queue *q, hws_buffer *buffers, size_t cap);

/* Take n bytes off that were written; the promise is over. n <= promised. */
void hws__queue_sent(hws__queue *q, const hws_allocator *a, uint64_t n);

/* Drop what is behind the first border behind what is promised. */
void hws__queue_cut(hws__queue *q, const hws_allocator *a);

/* Drop everything, promised or not. */
void hws__queue_drop(hws__queue *q, const hws_allocator *a);

/* Take a buffer that is done with. 1 when there was one. */
uint8_t hws__queue_released(hws__queue *q, const hws_allocator *a, hws_buffer *buffer);

#endif
