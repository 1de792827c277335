/*
 * Jobs, so that several programs can take turns: each line that comes in is one pass over a file of
 * messages, and its answer says what that took. The programs of other libraries know the same
 * lines:
 *
 *     VERB FILE TYPE WINDOW LEVEL MEMORY TAKEOVER ROOM RESULT
 *
 * VERB is compress or decompress (payload alone), send or receive (a server, with frames),
 * send_masked or receive_unmasked (a client, to have something to receive and to check what was
 * sent). TYPE is text or binary, TAKEOVER 0 or 1, ROOM bytes that come out at most, RESULT the file
 * that the result goes to, or "-". The answer is "NANOSECONDS BYTES CHECKSUM", where CHECKSUM is of
 * what came out.
 */
#include "bench_deflate.h"
#include "corpus.h"
#include "paths.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 1024, WORDS = 9, SLACK = 4096 };

static const path hawser_paths[] = {{"compress", run_compress},
                                    {"decompress", run_decompress},
                                    {"send", run_send},
                                    {"send_masked", run_send_masked},
                                    {"receive", run_receive},
                                    {"receive_unmasked", run_receive_unmasked},
                                    {NULL, NULL}};
static const path zlib_paths[] = {
    {"compress", run_zlib_compress}, {"decompress", run_zlib_decompress}, {NULL, NULL}};

static const path *find_path(const char *contender, const char *verb) {
    const path *paths = strcmp(contender, "zlib") == 0 ? zlib_paths : hawser_paths;
    size_t i = 0;
    while (paths[i].name != NULL && strcmp(paths[i].name, verb) != 0) {
        i++;
    }
    if (paths[i].name == NULL) {
        fail(verb, "This is no verb of a job.");
    }
    return &paths[i];
}

static size_t split(char *line, char **words) {
    size_t count = 0;
    char *word = strtok(line, " \n");
    while (word != NULL && count < WORDS) {
        words[count] = word;
        count++;
        word = strtok(NULL, " \n");
    }
    return word == NULL ? count : 0;
}

static void do_job(FILE *out, const char *contender, char **words) {
    const path *p = find_path(contender, words[0]);
    setup how = {.type = strcmp(words[2], "text") == 0 ? HWS_TEXT : HWS_BINARY,
                 .window_bits = (uint8_t)atoi(words[3]),
                 .level = (uint8_t)atoi(words[4]),
                 .mem_level = (uint8_t)atoi(words[5]),
                 .takeover = (uint8_t)atoi(words[6])};
    messages in = messages_read(words[1]);
    /* A list of frames is one entry; no message is shorter than two bytes of it. */
    messages made = messages_make(strtoul(words[7], NULL, 10) + SLACK, in.count + in.len / 2);
    uint64_t start = processor_ns();
    p->run(&how, &in, &made);
    uint64_t took = processor_ns() - start;
    if (strcmp(words[8], "-") != 0) {
        messages_write(&made, words[8]);
    }
    fprintf(out, "%" PRIu64 " %zu %016" PRIx64 "\n", took, made.len, messages_checksum(&made));
    fflush(out);
    messages_release(&in);
    messages_release(&made);
}

void serve(FILE *in, FILE *out, const char *contender) {
    char line[LINE];
    char *words[WORDS];
    while (fgets(line, LINE, in) != NULL) {
        if (split(line, words) != WORDS) {
            fail("job", "It has to be of nine words.");
        }
        do_job(out, contender, words);
    }
}

void make_files(FILE *out, const char *folder, size_t bytes) {
    fprintf(out, "corpus,type,messages,bytes,longest,checksum\n");
    size_t i = 0;
    while (i < CORPORA) {
        char file[LINE];
        messages m = corpus_make(&corpora[i], bytes);
        snprintf(file, LINE, "%s/%s.messages", folder, corpora[i].name);
        messages_write(&m, file);
        fprintf(out, "%s,%s,%zu,%zu,%zu,%016" PRIx64 "\n", corpora[i].name,
                corpora[i].type == HWS_TEXT ? "text" : "binary", m.count, m.len,
                longest_message(&m), messages_checksum(&m));
        messages_release(&m);
        i++;
    }
}
