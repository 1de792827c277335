/*
 * Deadlines of connections: a binary heap, the earliest at the top. Each link knows its place.
 */
#include "loop.h"

static void put(hws__loop *loop, uint32_t place, hws_link *link) {
    loop->heap[place] = link;
    link->timer = place;
}

static void sift_up(hws__loop *loop, uint32_t place) {
    hws_link *link = loop->heap[place];
    while (place > 0 && loop->heap[(place - 1) / 2]->deadline_ms > link->deadline_ms) {
        put(loop, place, loop->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(loop, place, link);
}

static void sift_down(hws__loop *loop, uint32_t place) {
    hws_link *link = loop->heap[place];
    uint32_t child = 2 * place + 1;
    while (child < loop->heap_len) {
        if (child + 1 < loop->heap_len &&
            loop->heap[child + 1]->deadline_ms < loop->heap[child]->deadline_ms) {
            child++;
        }
        if (loop->heap[child]->deadline_ms >= link->deadline_ms) {
            break;
        }
        put(loop, place, loop->heap[child]);
        place = child;
        child = 2 * place + 1;
    }
    put(loop, place, link);
}

/* Room for one link more: so that setting a deadline never fails. */
uint8_t hws__timer_room(hws__loop *loop) {
    uint32_t links = loop->count + loop->refused_count + 1;
    uint32_t cap = loop->heap_cap == 0 ? 64 : 2 * loop->heap_cap;
    if (links <= loop->heap_cap) {
        return 1;
    }
    hws_link **heap = hws__loop_take(loop, cap * sizeof(hws_link *));
    if (heap == NULL) {
        return 0;
    }
    if (loop->heap_len > 0) {
        memcpy(heap, loop->heap, loop->heap_len * sizeof(hws_link *));
    }
    hws__loop_give(loop, loop->heap);
    loop->heap = heap;
    loop->heap_cap = cap;
    return 1;
}

void hws__timer_set(hws__loop *loop, hws_link *link, uint64_t deadline_ms) {
    if (deadline_ms == HWS_NEVER) {
        hws__timer_drop(loop, link);
        return;
    }
    if (link->timer == HWS__NO_SLOT) {
        link->timer = loop->heap_len;
        loop->heap[loop->heap_len] = link;
        loop->heap_len++;
    }
    link->deadline_ms = deadline_ms;
    sift_up(loop, link->timer);
    sift_down(loop, link->timer);
}

void hws__timer_drop(hws__loop *loop, hws_link *link) {
    uint32_t place = link->timer;
    if (place == HWS__NO_SLOT) {
        return;
    }
    link->timer = HWS__NO_SLOT;
    loop->heap_len--;
    if (place < loop->heap_len) {
        put(loop, place, loop->heap[loop->heap_len]);
        sift_up(loop, place);
        sift_down(loop, loop->heap[place]->timer);
    }
}
