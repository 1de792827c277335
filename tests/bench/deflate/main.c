/*
 * hawser-bench-deflate: what permessage-deflate costs and gains. deflate.py runs it beside other
 * libraries and makes tables of what it prints.
 */
#include "bench_deflate.h"

#include <stdlib.h>
#include <string.h>

static const char usage[] = "Usage: hawser-bench-deflate COMMAND\n"
                            "  corpora FOLDER BYTES       write the messages, and their checksums\n"
                            "  serve hawser|zlib          do jobs that come by standard input\n"
                            "  presets                    the numbers of the presets\n"
                            "  memory                     bytes of compressors and decompressors\n"
                            "  resident PRESET COUNT      resident memory of connections\n"
                            "  grid BYTES ROUNDS          size and time for all settings\n"
                            "  threshold BYTES ROUNDS     gain and cost for lengths of messages\n"
                            "  broadcast COUNT ROUNDS     one message to many connections\n"
                            "  verify                     a little of everything, checked\n";

static _Noreturn void refuse(void) {
    fputs(usage, stderr);
    exit(2);
}

static size_t number(const char *word) {
    char *rest;
    unsigned long value = strtoul(word, &rest, 10);
    if (word[0] < '0' || word[0] > '9' || *rest != '\0' || value == 0 || value > 1UL << 30) {
        fprintf(stderr, "hawser-bench-deflate: \"%s\" is no number from 1 to 2^30.\n", word);
        refuse();
    }
    return value;
}

static int one_of(const char *word, const char *const *names) {
    size_t i = 0;
    while (names[i] != NULL && strcmp(word, names[i]) != 0) {
        i++;
    }
    return names[i] != NULL;
}

static void run(const char *command, char **words, int count) {
    static const char *const contenders[] = {"hawser", "zlib", NULL};
    static const char *const presets[] = {"small", "balanced", "best", NULL};
    if (strcmp(command, "presets") == 0 && count == 0) {
        tell_presets(stdout);
    } else if (strcmp(command, "memory") == 0 && count == 0) {
        tell_memory(stdout);
    } else if (strcmp(command, "verify") == 0 && count == 0) {
        verify(stdout);
    } else if (strcmp(command, "serve") == 0 && count == 1 && one_of(words[0], contenders)) {
        serve(stdin, stdout, words[0]);
    } else if (strcmp(command, "corpora") == 0 && count == 2) {
        make_files(stdout, words[0], number(words[1]));
    } else if (strcmp(command, "resident") == 0 && count == 2 && one_of(words[0], presets)) {
        tell_resident(stdout, words[0], number(words[1]));
    } else if (strcmp(command, "grid") == 0 && count == 2) {
        tell_grid(stdout, number(words[0]), number(words[1]));
    } else if (strcmp(command, "threshold") == 0 && count == 2) {
        tell_threshold(stdout, number(words[0]), number(words[1]));
    } else if (strcmp(command, "broadcast") == 0 && count == 2) {
        tell_broadcast(stdout, number(words[0]), number(words[1]));
    } else {
        refuse();
    }
}

int main(int argc, char **argv) {
    if (argc < 2) {
        refuse();
    }
    run(argv[1], argv + 2, argc - 2);
    return 0;
}
