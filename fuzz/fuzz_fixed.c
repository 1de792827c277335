/*
 * Any sequence of requests to the allocator over one block of memory. Invariant: what is handed out
 * lies in the block, is aligned, keeps its content until it is given back, and touches nothing else
 * that is handed out; a request is refused only where no gap is long enough; and in the end all is
 * free again, in one piece.
 *
 * The input is a list of calls, a byte each: below 0xC0 a request of three bytes for each; above,
 * the part of that number is given back. The last two bytes are options: where the block starts,
 * and how many lengths of 16 bytes it has.
 */
#include "fuzz.h"

enum { ALIGN = _Alignof(max_align_t), MOST = 0x40, RELEASE = 0xC0, BYTES_EACH = 3, UNIT = 16 };
/* Two lengths stand before each part. */
enum { TWO = 2 * sizeof(size_t), HEADER = (TWO + ALIGN - 1) / ALIGN * ALIGN };

typedef struct part {
    uint8_t *data;
    size_t len;
} part;

typedef struct world {
    hws_fixed fixed;
    hws_allocator allocator;
    uint8_t *from; /* what of the block can be used */
    uint8_t *to;
    size_t used;
    size_t count;
    part parts[MOST]; /* in order */
} world;

static size_t whole_len(size_t len) {
    return HEADER + (len + HEADER - 1) / HEADER * HEADER;
}

static uint8_t fill_of(const part *p) {
    return (uint8_t)((uintptr_t)p->data / ALIGN + p->len);
}

/* Whether a part would fit into some gap. */
static uint8_t fits(const world *w, size_t len) {
    uint8_t *at = w->from;
    size_t i = 0;
    while (i < w->count) {
        if ((size_t)(w->parts[i].data - HEADER - at) >= whole_len(len)) {
            return 1;
        }
        at = w->parts[i].data - HEADER + whole_len(w->parts[i].len);
        i++;
    }
    return (size_t)(w->to - at) >= whole_len(len);
}

static void request(world *w, size_t len) {
    if (w->count == MOST) {
        return;
    }
    part p = {w->allocator.alloc(w->allocator.user, len), len};
    CHECK((p.data != NULL) == fits(w, len));
    if (p.data == NULL) {
        return;
    }
    size_t i = w->count;
    while (i > 0 && w->parts[i - 1].data > p.data) {
        w->parts[i] = w->parts[i - 1];
        i--;
    }
    w->parts[i] = p;
    w->count++;
    w->used += whole_len(len);
    CHECK((uintptr_t)p.data % ALIGN == 0);
    CHECK(p.data >= (i > 0 ? w->parts[i - 1].data + w->parts[i - 1].len : w->from) + HEADER);
    CHECK(p.data + len <= (i + 1 < w->count ? w->parts[i + 1].data - HEADER : w->to));
    memset(p.data, fill_of(&p), len);
}

static void give_back(world *w, size_t i) {
    part p = w->parts[i];
    size_t at = 0;
    while (at < p.len) {
        CHECK(p.data[at] == fill_of(&p));
        at++;
    }
    w->allocator.release(w->allocator.user, p.data);
    w->count--;
    memmove(&w->parts[i], &w->parts[i + 1], (w->count - i) * sizeof w->parts[0]);
    w->used -= whole_len(p.len);
}

static void start(world *w, uint8_t *block, size_t len) {
    size_t skipped = (ALIGN - (uintptr_t)block % ALIGN) % ALIGN;
    size_t rest = len < skipped ? 0 : (len - skipped) / HEADER * HEADER;

    memset(w, 0, sizeof *w);
    hws_fixed_init(&w->fixed, block, len);
    w->allocator = hws_fixed_allocator(&w->fixed);
    w->from = rest > 0 ? block + skipped : block;
    w->to = w->from + rest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static world w;
    size_t len = UNIT * (size_t)fuzz_option(data, &size);
    size_t off = fuzz_option(data, &size) % UNIT;
    size_t i = 0;
    uint8_t *block = malloc(off + len + 1);

    CHECK(block != NULL);
    start(&w, block + off, len);
    while (i < size) {
        if (data[i] < RELEASE) {
            request(&w, (size_t)data[i] * BYTES_EACH);
        } else if (w.count > 0) {
            give_back(&w, (size_t)(data[i] - RELEASE) % w.count);
        }
        CHECK(hws_fixed_used(&w.fixed) == w.used);
        i++;
    }
    CHECK(w.allocator.alloc(w.allocator.user, SIZE_MAX) == NULL);
    while (w.count > 0) {
        give_back(&w, w.count - 1);
    }
    CHECK(hws_fixed_used(&w.fixed) == 0);
    if (w.to > w.from) {
        request(&w, (size_t)(w.to - w.from) - HEADER);
        CHECK(w.count == 1);
    }
    free(block);
    return 0;
}
