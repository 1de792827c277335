/* Runs a fuzz target over files, for corpora in the test suite and for looking at one input. */
#include "fuzz.h"

static int run_file(const char *path) {
    static uint8_t data[1 << 20];
    FILE *file = fopen(path, "rb");
    size_t size;

    if (file == NULL) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return 1;
    }
    size = fread(data, 1, sizeof data, file);
    fclose(file);
    uint8_t *copy = fuzz_copy(data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    return 0;
}

int main(int argc, char **argv) {
    int failed = 0;
    int i = 1;

    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE...\n", argv[0]);
        return 2;
    }
    while (i < argc) {
        failed += run_file(argv[i]);
        i++;
    }
    printf("%d inputs\n", argc - 1 - failed);
    return failed > 0;
}
