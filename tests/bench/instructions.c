/*
 * hawser-instructions: runs cases one after another, each in a call of measured(), so that valgrind
 * can count its instructions, and those of nothing else. How large, in which pieces and what it may
 * cost is for instructions.py to say.
 *
 * Lines of "KERNEL CASE SIZE CHUNK" come in by standard input; a chunk of 0 is the whole input.
 */
#include "instructions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* LINE: bytes at whose multiples memory starts, so that the counts do not depend on where it is. */
enum { HEADER_MAX = 14, KERNELS = 5, LINE = 64 };

/* Ours, so that the counts do not depend on which of its own the C library chooses for a processor.
 * The words are those of no object in particular. */
typedef uint64_t __attribute__((may_alias, aligned(1))) word;

void *memmove(void *dst, const void *src, size_t n) {
    uint8_t *to = dst;
    const uint8_t *from = src;
    size_t i = 0;
    if ((uintptr_t)to - (uintptr_t)from < n) {
        while (n > 0) {
            n--;
            to[n] = from[n];
        }
        return dst;
    }
    while (n - i >= sizeof(word)) {
        *(word *)(to + i) = *(const word *)(from + i);
        i += sizeof(word);
    }
    while (i < n) {
        to[i] = from[i];
        i++;
    }
    return dst;
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n) {
    return memmove(dst, src, n);
}

void *memset(void *dst, int value, size_t n) {
    uint8_t *to = dst;
    size_t i = 0;
    while (i < n) {
        to[i] = (uint8_t)value;
        i++;
    }
    return dst;
}

int memcmp(const void *a, const void *b, size_t n) {
    const uint8_t *left = a;
    const uint8_t *right = b;
    size_t i = 0;
    while (i < n && left[i] == right[i]) {
        i++;
    }
    return i < n ? left[i] - right[i] : 0;
}

static void fail(const char *subject, const char *sentence) {
    fprintf(stderr, "hawser-instructions: %s: %s\n", subject, sentence);
    exit(1);
}

/* Used by all cases in turn: to clear it each time would take longer than the cases. */
static _Alignas(LINE) uint8_t output[CAP];
static hws_header headers[FIELD_CAP];
static hws_field fields[FIELD_CAP];

static void put_header(work *w, uint8_t first, uint64_t len) {
    uint8_t bytes = len < 126 ? 0 : len < 65536 ? 2 : 8;
    uint8_t len7 = (uint8_t)(bytes == 0 ? len : bytes == 2 ? 126 : 127);
    w->bytes[w->len] = first;
    w->bytes[w->len + 1] = (uint8_t)((w->row->role == SERVER ? 0x80 : 0) | len7);
    w->len += 2;
    while (bytes > 0) {
        bytes--;
        w->bytes[w->len] = (uint8_t)(len >> 8 * bytes);
        w->len++;
    }
    w->len += w->row->role == SERVER ? 4 : 0; /* the mask: zeros */
}

/* The payload of a piece: of one without a pattern there is none. */
static void put_payload(work *w, const piece *p) {
    size_t pattern_len = p->pattern == NULL ? 0 : strlen(p->pattern);
    size_t i = 0;
    while (pattern_len > 0 && i < p->len) {
        w->bytes[w->len] = (uint8_t)p->pattern[i % pattern_len];
        w->len++;
        i++;
    }
}

static void put_frame(work *w, const piece *p) {
    if (p->pattern != NULL) {
        put_header(w, p->first, p->len);
        put_payload(w, p);
    }
}

static void put_text(work *w, const char *text, size_t number) {
    size_t i = 0;
    while (text != NULL && text[i] != '\0') {
        if (text[i] == '#') {
            char digits[5];
            snprintf(digits, sizeof digits, "%04zu", number % 10000);
            memcpy(w->bytes + w->len, digits, 4);
            w->len += 4;
        } else {
            w->bytes[w->len] = (uint8_t)text[i];
            w->len++;
        }
        i++;
    }
}

/* More bytes than an input can have. */
static size_t input_max(const work *w) {
    const row *r = w->row;
    size_t once = (size_t)r->unit.len + r->second.len + 2 * HEADER_MAX +
                  (r->repeat == NULL ? 0 : 4 * strlen(r->repeat));
    size_t ends = (size_t)r->before.len + r->after.len + 2 * HEADER_MAX +
                  (r->head == NULL ? 0 : strlen(r->head)) + (r->tail == NULL ? 0 : strlen(r->tail));
    return once * w->size + ends;
}

static void put_repeated(work *w) {
    const row *r = w->row;
    size_t i = 0;
    while (i < w->size) {
        switch (r->form) {
        case FRAMES:
            put_frame(w, &r->unit);
            put_frame(w, &r->second);
            break;
        case FRAME:
            put_payload(w, &r->unit);
            break;
        case TEXT:
            put_text(w, r->repeat, i);
            break;
        case PAYLOAD:
            break;
        }
        i++;
    }
}

static void put_input(work *w) {
    const row *r = w->row;
    switch (r->form) {
    case FRAMES:
        put_frame(w, &r->before);
        put_repeated(w);
        put_frame(w, &r->after);
        break;
    case FRAME:
        put_header(w, r->unit.first, (uint64_t)r->unit.len * w->size + r->after.len);
        put_repeated(w);
        put_payload(w, &r->after);
        break;
    case TEXT:
        put_text(w, r->head, 0);
        put_repeated(w);
        put_text(w, r->tail, 0);
        break;
    case PAYLOAD:
        put_payload(w, &r->unit);
        break;
    }
}

static void open_conn(work *w) {
    hws_conn_config config;
    hws_conn_config_init(&config, w->row->role);
    config.max_message = HWS_UNLIMITED;
    config.compression = 1; /* RSV1 may be there, and is not in most cases */
    config.frame_events = w->row->run == run_receive_traced;
    config.random = fill_random;
    if (hws_conn_init(&w->conn, &config) != HWS_OK) {
        fail(w->row->name, "the connection cannot be started.");
    }
}

/* All that valgrind counts. */
__attribute__((noinline)) hws_status measured(work *w);

hws_status measured(work *w) {
    return w->row->run(w);
}

/* The input of a case, to be freed. */
static uint8_t *make_input(work *w) {
    uint8_t *bytes = aligned_alloc(LINE, (input_max(w) / LINE + 1) * LINE);
    if (bytes == NULL) {
        fail(w->row->name, "there is no memory left.");
    }
    memset(bytes, 0, input_max(w));
    w->bytes = bytes;
    put_input(w);
    return bytes;
}

static void run_row(const row *r, size_t size, size_t chunk) {
    _Alignas(LINE) work w = {.row = r, .size = size, .chunk = chunk == 0 ? SIZE_MAX : chunk};
    uint8_t *bytes = make_input(&w);
    hws_status status;
    w.out = output;
    w.headers = headers;
    w.fields = fields;
    open_conn(&w);
    status = measured(&w);
    if (status != r->expected) {
        fail(r->name, hws_status_name(status));
    }
    free(bytes);
}

static const table *const tables[] = {&frame_cases, &head_cases};

enum { TABLES = sizeof tables / sizeof tables[0] };

static const row *find_row(const char *name) {
    const row *found = NULL;
    size_t t = 0;
    while (t < TABLES) {
        size_t i = 0;
        while (i < tables[t]->count) {
            found = strcmp(tables[t]->rows[i].name, name) == 0 ? &tables[t]->rows[i] : found;
            i++;
        }
        t++;
    }
    if (found == NULL) {
        fail(name, "there is no such case.");
    }
    return found;
}

static void choose_kernel(const char *name) {
    uint8_t kernel = 0;
    while (kernel < KERNELS && strcmp(hws_kernel_name(kernel), name) != 0) {
        kernel++;
    }
    if (hws_kernel_choose(kernel) != HWS_OK) {
        fail(name, "this form of the kernels cannot be run here.");
    }
}

static size_t input_len(const row *r, size_t size) {
    work w = {.row = r, .size = size};
    free(make_input(&w));
    return w.len;
}

/* Each with its size, the bytes that one more of that is, or 0 when it does not matter how they are
 * cut, and whether the form of the kernels matters. */
static void list_cases(const table *t) {
    size_t i = 0;
    while (i < t->count) {
        const row *r = &t->rows[i];
        size_t unit = looks_at_chunk(r) ? input_len(r, 2) - input_len(r, 1) : 0;
        printf("%s %u %zu %u\n", r->name, r->size, unit, looks_at_kernel(r));
        i++;
    }
}

int main(int argc, char **argv) {
    char kernel[16];
    char name[64];
    size_t size;
    size_t chunk;
    int found;
    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        list_cases(&frame_cases);
        list_cases(&head_cases);
        return 0;
    }
    if (argc != 1) {
        fputs("Usage: hawser-instructions [list]\n", stderr);
        return 2;
    }
    while ((found = scanf("%15s %63s %zu %zu", kernel, name, &size, &chunk)) == 4) {
        choose_kernel(kernel);
        run_row(find_row(name), size, chunk);
    }
    if (found != EOF) {
        fail("input", "a line is not KERNEL CASE SIZE CHUNK.");
    }
    return 0;
}
