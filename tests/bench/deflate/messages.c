/*
 * Lists of messages in memory and in files. Knows nothing of what is in them.
 */
#define _POSIX_C_SOURCE 200809L

#include "messages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PREFIX_LEN = 4 };

void fail(const char *subject, const char *sentence) {
    fprintf(stderr, "hawser-bench-deflate: %s: %s\n", subject, sentence);
    exit(1);
}

void must(hws_status status, const char *subject) {
    if (status != HWS_OK) {
        fail(subject, hws_status_sentence(status));
    }
}

void *take(size_t len) {
    void *memory = malloc(len > 0 ? len : 1);
    if (memory == NULL) {
        fail("malloc", "There is no memory.");
    }
    return memory;
}

uint64_t processor_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

messages messages_make(size_t cap, size_t count) {
    messages m = {take(cap), 0, cap, take(count * sizeof(size_t)), 0, count};
    memset(m.bytes, 1, cap);
    memset(m.ends, 1, count * sizeof(size_t));
    return m;
}

void messages_release(messages *m) {
    free(m->bytes);
    free(m->ends);
    memset(m, 0, sizeof *m);
}

void messages_end(messages *m, size_t len) {
    if (m->count == m->ends_cap || len > m->cap - m->len) {
        fail("messages", "There is no room for one more.");
    }
    m->len += len;
    m->ends[m->count] = m->len;
    m->count++;
}

size_t message_start(const messages *m, size_t i) {
    return i > 0 ? m->ends[i - 1] : 0;
}

size_t message_len(const messages *m, size_t i) {
    return m->ends[i] - message_start(m, i);
}

size_t longest_message(const messages *m) {
    size_t longest = 0;
    size_t i = 0;
    while (i < m->count) {
        longest = message_len(m, i) > longest ? message_len(m, i) : longest;
        i++;
    }
    return longest;
}

static uint64_t hash_byte(uint64_t hash, uint8_t byte) {
    return (hash ^ byte) * 0x100000001b3U;
}

uint64_t messages_checksum(const messages *m) {
    uint64_t hash = 0xcbf29ce484222325U;
    size_t at = 0;
    size_t i = 0;
    while (i < m->count) {
        size_t len = message_len(m, i);
        size_t j = 0;
        while (j < PREFIX_LEN) {
            hash = hash_byte(hash, (uint8_t)(len >> 8 * j));
            j++;
        }
        while (at < m->ends[i]) {
            hash = hash_byte(hash, m->bytes[at]);
            at++;
        }
        i++;
    }
    return hash;
}

static size_t prefix_value(const uint8_t *prefix) {
    return prefix[0] | (size_t)prefix[1] << 8 | (size_t)prefix[2] << 16 | (size_t)prefix[3] << 24;
}

/* Goes over the file once: without a list it counts bytes and messages alone. */
static int read_all(FILE *file, messages *m, size_t *bytes, size_t *count) {
    uint8_t prefix[PREFIX_LEN];
    while (fread(prefix, 1, PREFIX_LEN, file) == PREFIX_LEN) {
        size_t len = prefix_value(prefix);
        if (m == NULL && fseek(file, (long)len, SEEK_CUR) != 0) {
            return 0;
        }
        if (m != NULL && fread(m->bytes + m->len, 1, len, file) != len) {
            return 0;
        }
        if (m != NULL) {
            messages_end(m, len);
        }
        *bytes += len;
        (*count)++;
    }
    return feof(file) != 0;
}

messages messages_read(const char *path) {
    size_t bytes = 0;
    size_t count = 0;
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fail(path, strerror(errno));
    }
    int good = read_all(file, NULL, &bytes, &count);
    long size = ftell(file);
    if (!good || size != (long)(bytes + count * PREFIX_LEN)) {
        fail(path, "This is no file of messages.");
    }
    rewind(file);
    messages m = messages_make(bytes, count);
    if (!read_all(file, &m, &bytes, &count)) {
        fail(path, "It could not be read.");
    }
    fclose(file);
    return m;
}

void messages_write(const messages *m, const char *path) {
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        fail(path, strerror(errno));
    }
    int good = 1;
    size_t i = 0;
    while (i < m->count && good) {
        size_t len = message_len(m, i);
        uint8_t prefix[PREFIX_LEN] = {(uint8_t)len, (uint8_t)(len >> 8), (uint8_t)(len >> 16),
                                      (uint8_t)(len >> 24)};
        good = fwrite(prefix, 1, PREFIX_LEN, file) == PREFIX_LEN &&
               fwrite(m->bytes + message_start(m, i), 1, len, file) == len;
        i++;
    }
    if (fclose(file) != 0 || !good) {
        fail(path, "It could not be written.");
    }
}
