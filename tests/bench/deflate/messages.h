/*
 * Lists of messages in memory and in files, a clock, and what the program does when something goes
 * wrong.
 */
#ifndef MESSAGES_H
#define MESSAGES_H

#include <hawser/hawser.h>

#include <stddef.h>
#include <stdint.h>

/* Messages, one after another in one array: message i goes from ends[i - 1], or 0, to ends[i]. */
typedef struct messages {
    uint8_t *bytes;
    size_t len;
    size_t cap;
    size_t *ends;
    size_t count;
    size_t ends_cap;
} messages;

/* A sentence to standard error, and the end of the program with status 1. */
_Noreturn void fail(const char *subject, const char *sentence);

/* Ends the program unless status is HWS_OK. */
void must(hws_status status, const char *subject);

/* Memory of the C library, or the end of the program. */
void *take(size_t len);

/* Nanoseconds of processor that the program has taken. What others do to the machine counts for
 * less here than on any clock. */
uint64_t processor_ns(void);

/* A list of nothing, with room for so many bytes and messages, all of it written once: a page that
 * is touched for the first time costs more than what is to be timed. */
messages messages_make(size_t cap, size_t count);
void messages_release(messages *m);

/* What was written to bytes[len ...] becomes a message. */
void messages_end(messages *m, size_t len);

size_t message_start(const messages *m, size_t i);
size_t message_len(const messages *m, size_t i);
size_t longest_message(const messages *m);

/* A hash of all bytes and lengths (FNV-1a). */
uint64_t messages_checksum(const messages *m);

/* A file of messages: of each its length in four bytes, the lowest first, and its bytes. */
messages messages_read(const char *path);
void messages_write(const messages *m, const char *path);

#endif
