/*
 * Memory: what the codec asks for, by a counting allocator, and what that comes to in pages of the
 * process.
 */
#define _POSIX_C_SOURCE 200809L

#include "bench_deflate.h"
#include "corpus.h"
#include "paths.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEAST_WINDOW = 8, WINDOW = 15, LEVELS = 9, ROOM = 1 << 16, PREFIX = 16, TRAFFIC = 65536 };

/* What is held now. */
typedef struct counts {
    size_t bytes;
    size_t pieces;
} counts;

/* The length of a piece stands before it, in as many bytes as leave it aligned. */
static void *counted_alloc(void *user, size_t len) {
    counts *held = user;
    uint8_t *memory = take(len + PREFIX);
    memcpy(memory, &len, sizeof len);
    held->bytes += len;
    held->pieces++;
    return memory + PREFIX;
}

static void counted_release(void *user, void *memory) {
    counts *held = user;
    uint8_t *piece = (uint8_t *)memory - PREFIX;
    size_t len;
    memcpy(&len, piece, sizeof len);
    held->bytes -= len;
    held->pieces--;
    free(piece);
}

static setup counted(counts *held, uint8_t window_bits, uint8_t mem_level) {
    setup how = {.type = HWS_BINARY,
                 .window_bits = window_bits,
                 .level = 6,
                 .mem_level = mem_level,
                 .takeover = 1,
                 .allocator = {counted_alloc, counted_release, held}};
    return how;
}

static void compressor_row(FILE *out, uint8_t window_bits, uint8_t mem_level, messages *in) {
    counts held = {0, 0};
    uint8_t made[ROOM];
    size_t used = 0;
    size_t n = 0;
    setup how = counted(&held, window_bits, mem_level);
    end e;
    end_open(&e, &how, HWS_ROLE_SERVER);
    must(hws_deflate_compress(&e.deflate, how.type, HWS_WHOLE, in->bytes, message_len(in, 0), &used,
                              made, ROOM, &n),
         "hws_deflate_compress");
    fprintf(out, "compressor,%u,%u,%zu,%zu\n", window_bits, mem_level, held.bytes, held.pieces);
    hws_deflate_release(&e.deflate);
}

static void decompressor_row(FILE *out, uint8_t window_bits) {
    static const uint8_t hello[] = {0xf2, 0x48, 0xcd, 0xc9,
                                    0xc9, 0x07, 0x00}; /* RFC 7692 7.2.3.1 */
    counts held = {0, 0};
    uint8_t made[ROOM];
    size_t used = 0;
    size_t n = 0;
    setup how = counted(&held, window_bits, 1);
    end e;
    end_open(&e, &how, HWS_ROLE_SERVER);
    must(hws_deflate_decompress(&e.deflate, how.type, HWS_WHOLE, hello, sizeof hello, &used, made,
                                ROOM, &n),
         "hws_deflate_decompress");
    fprintf(out, "decompressor,%u,,%zu,%zu\n", window_bits, held.bytes, held.pieces);
    hws_deflate_release(&e.deflate);
}

void tell_memory(FILE *out) {
    messages in = corpus_make(&corpora[0], 1);
    fprintf(out, "state,window,memory,bytes,pieces\n");
    uint8_t window_bits = LEAST_WINDOW + 1;
    while (window_bits <= WINDOW) {
        uint8_t mem_level = 1;
        while (mem_level <= LEVELS) {
            compressor_row(out, window_bits, mem_level, &in);
            mem_level++;
        }
        window_bits++;
    }
    window_bits = LEAST_WINDOW;
    while (window_bits <= WINDOW) {
        decompressor_row(out, window_bits);
        window_bits++;
    }
    messages_release(&in);
}

static size_t resident(void) {
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%*u %lu", &pages) != 1) {
        fail("/proc/self/statm", "It could not be read.");
    }
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* A server's end is used in both directions: it sends all messages, and receives the same. */
static void use(end *e, const messages *plain, const messages *wire, messages *scratch) {
    size_t i = 0;
    while (i < plain->count) {
        size_t used = 0;
        size_t n = 0;
        must(hws_deflate_send(&e->deflate, &e->conn, HWS_TEXT, HWS_WHOLE | HWS_COMPRESSED,
                              plain->bytes + message_start(plain, i), message_len(plain, i), &used,
                              scratch->bytes, scratch->cap, &n),
             "hws_deflate_send");
        i++;
    }
    size_t used = 0;
    hws_event ev;
    memcpy(scratch->bytes, wire->bytes, wire->len); /* it is unmasked in place */
    hws_status status = HWS_EVENT;
    while (status == HWS_EVENT) {
        status = hws_deflate_receive(&e->deflate, &e->conn, scratch->bytes, wire->len, &used,
                                     scratch->bytes + wire->len, scratch->cap - wire->len, &ev);
    }
    must(status, "hws_deflate_receive");
}

static setup setup_by_name(const char *preset) {
    if (strcmp(preset, "small") == 0) {
        return setup_of_preset(HWS_DEFLATE_SMALL);
    }
    return setup_of_preset(strcmp(preset, "best") == 0 ? HWS_DEFLATE_BEST : HWS_DEFLATE_BALANCED);
}

void tell_resident(FILE *out, const char *preset, size_t connections) {
    setup how = setup_by_name(preset);
    messages plain = corpus_make(&corpora[0], TRAFFIC);
    messages wire = messages_make(2 * TRAFFIC, 1);
    messages scratch = messages_make(4 * TRAFFIC, 0);
    run_send_masked(&how, &plain, &wire);
    end *ends = take(connections * sizeof *ends);
    counts held = {0, 0};
    how.allocator = (hws_allocator){counted_alloc, counted_release, &held};
    memset(ends, 1, connections * sizeof *ends);
    size_t before = resident();
    size_t i = 0;
    while (i < connections) {
        end_open(&ends[i], &how, HWS_ROLE_SERVER);
        use(&ends[i], &plain, &wire, &scratch);
        i++;
    }
    size_t in_use = resident();
    size_t asked = held.bytes;
    i = 0;
    while (i < connections) {
        hws_deflate_trim(&ends[i].deflate);
        i++;
    }
    fprintf(out, "preset,connections,asked_bytes,resident_bytes,asked_after_trim\n");
    fprintf(out, "%s,%zu,%zu,%zu,%zu\n", preset, connections, asked / connections,
            (in_use - before) / connections, held.bytes / connections);
    i = 0;
    while (i < connections) {
        hws_deflate_release(&ends[i].deflate);
        i++;
    }
    free(ends);
    messages_release(&plain);
    messages_release(&wire);
    messages_release(&scratch);
}
