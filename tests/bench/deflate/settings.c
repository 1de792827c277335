/*
 * What the settings of a compressor are worth: sizes and times over all of them, and over lengths
 * of messages.
 */
#include "bench_deflate.h"
#include "corpus.h"
#include "paths.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    LEAST_WINDOW = 9,
    WINDOWS = 7,
    LEVELS = 9,
    POINTS = WINDOWS * LEVELS * LEVELS,
    ROUNDS_MAX = 64,
    SLACK = 4096,
    LENGTHS = 16,
    FEWEST = 32
};

/* Of messages, to find out which are worth it. */
static const size_t lengths[LENGTHS] = {16,  24,  32,  48,  64,   96,   128,  192,
                                        256, 384, 512, 768, 1024, 1536, 2048, 4096};

static int compare(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

uint64_t median(uint64_t *values, size_t count) {
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

/* One pass, and what it took. */
static uint64_t timed(const path *p, const setup *how, messages *in, messages *out) {
    out->len = 0;
    out->count = 0;
    uint64_t start = processor_ns();
    p->run(how, in, out);
    return processor_ns() - start;
}

static setup point(size_t i, uint8_t takeover) {
    setup how = {.type = HWS_BINARY,
                 .window_bits = (uint8_t)(LEAST_WINDOW + i / (LEVELS * LEVELS)),
                 .mem_level = (uint8_t)(1 + i / LEVELS % LEVELS),
                 .level = (uint8_t)(1 + i % LEVELS),
                 .takeover = takeover};
    return how;
}

/* Rounds go over all points in turn, so that a busy moment does not meet one of them alone. */
static void grid_of(FILE *out, const corpus *c, uint8_t takeover, size_t bytes, size_t rounds) {
    static uint64_t took[POINTS][ROUNDS_MAX];
    static size_t sizes[POINTS];
    static const path compress = {"compress", run_compress};
    messages in = corpus_make(c, bytes);
    messages made = messages_make(in.len + in.len / 4 + SLACK, in.count);
    size_t round = 0;
    while (round < rounds) {
        size_t i = 0;
        while (i < POINTS) {
            setup how = point(i, takeover);
            took[i][round] = timed(&compress, &how, &in, &made);
            sizes[i] = made.len;
            i++;
        }
        round++;
    }
    size_t i = 0;
    while (i < POINTS) {
        setup how = point(i, takeover);
        fprintf(out, "%s,%u,%u,%u,%u,%zu,%zu,%" PRIu64 "\n", c->name, takeover, how.window_bits,
                how.mem_level, how.level, in.len, sizes[i], median(took[i], rounds));
        i++;
    }
    messages_release(&in);
    messages_release(&made);
}

void tell_grid(FILE *out, size_t bytes, size_t rounds) {
    fprintf(out, "corpus,takeover,window,memory,level,plain,compressed,ns\n");
    size_t i = 0;
    while (i < CORPORA - 1) { /* the last one is random: there is nothing to find */
        grid_of(out, &corpora[i], 1, bytes, rounds < ROUNDS_MAX ? rounds : ROUNDS_MAX);
        grid_of(out, &corpora[i], 0, bytes, rounds < ROUNDS_MAX ? rounds : ROUNDS_MAX);
        i++;
    }
}

/* Bytes of a server's frame before its payload. */
static size_t header_len(size_t len) {
    return len < 126 ? 2 : len < 65536 ? 4 : 10;
}

static size_t framed(const messages *m) {
    size_t sum = m->len;
    size_t i = 0;
    while (i < m->count) {
        sum += header_len(message_len(m, i));
        i++;
    }
    return sum;
}

/* Messages of one length of one corpus, with one setup, and what became of them in each round. */
typedef struct row {
    const corpus *corpus;
    setup how;
    size_t len;
    size_t count;
    double saved; /* bytes of a message with its header */
    uint64_t there[ROUNDS_MAX];
    uint64_t back[ROUNDS_MAX];
} row;

static row row_of(size_t i, size_t bytes) {
    static const uint8_t presets[] = {HWS_DEFLATE_BALANCED, HWS_DEFLATE_SMALL};
    size_t len = lengths[i % LENGTHS];
    row r = {.corpus = &corpora[i / LENGTHS / 2],
             .how = setup_of_preset(presets[i / LENGTHS % 2]),
             .len = len,
             .count = bytes / len < FEWEST ? FEWEST : bytes / len};
    r.how.type = HWS_BINARY;
    return r;
}

static void take_round(row *r, size_t round) {
    static const path compress = {"compress", run_compress};
    static const path decompress = {"decompress", run_decompress};
    messages in = corpus_make_of(r->corpus, r->len, r->count);
    messages made = messages_make(in.len + in.len / 4 + r->count * 16 + SLACK, r->count);
    messages again = messages_make(in.len + SLACK, r->count);
    r->there[round] = timed(&compress, &r->how, &in, &made);
    r->back[round] = timed(&decompress, &r->how, &made, &again);
    r->saved = ((double)framed(&in) - (double)framed(&made)) / (double)r->count;
    messages_release(&in);
    messages_release(&made);
    messages_release(&again);
}

void tell_threshold(FILE *out, size_t bytes, size_t rounds) {
    static row rows[CORPORA * 2 * LENGTHS];
    size_t i = 0;
    while (i < CORPORA * 2 * LENGTHS) {
        rows[i] = row_of(i, bytes);
        i++;
    }
    rounds = rounds < ROUNDS_MAX ? rounds : ROUNDS_MAX;
    size_t round = 0;
    while (round < rounds) {
        i = 0;
        while (i < CORPORA * 2 * LENGTHS) {
            take_round(&rows[i], round);
            i++;
        }
        round++;
    }
    fprintf(out, "corpus,takeover,length,saved_bytes,compress_ns,decompress_ns\n");
    i = 0;
    while (i < CORPORA * 2 * LENGTHS) {
        row *r = &rows[i];
        fprintf(out, "%s,%u,%zu,%.1f,%.0f,%.0f\n", r->corpus->name, r->how.takeover, r->len,
                r->saved, (double)median(r->there, rounds) / (double)r->count,
                (double)median(r->back, rounds) / (double)r->count);
        i++;
    }
}

void tell_presets(FILE *out) {
    static const char *const names[] = {"balanced", "small", "best"};
    fprintf(out, "preset,window,level,memory,takeover\n");
    size_t i = 0;
    while (i < 3) {
        setup how = setup_of_preset((uint8_t)i);
        fprintf(out, "%s,%u,%u,%u,%u\n", names[i], how.window_bits, how.level, how.mem_level,
                how.takeover);
        i++;
    }
}
