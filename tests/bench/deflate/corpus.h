/*
 * What is compressed: made messages of four kinds, the same on every machine.
 */
#ifndef CORPUS_H
#define CORPUS_H

#include "messages.h"

typedef struct corpus corpus;

struct corpus {
    const char *name;
    uint8_t type;               /* HWS_TEXT or HWS_BINARY */
    size_t shortest, longest;   /* bytes of its messages */
    uint64_t checksum;          /* of 64 KiB of it */
    void (*write)(void *maker); /* one message, of about as many bytes as the maker is told */
};

enum { CORPORA = 4, CORPUS_CHECKED = 65536 };

extern const corpus corpora[CORPORA];

/* Messages of that kind, of `bytes` in all at least. */
messages corpus_make(const corpus *c, size_t bytes);

/* The same text, cut anew into messages of `len` bytes each, `count` of them: to be sent as binary,
 * since a cut may be inside a code point. */
messages corpus_make_of(const corpus *c, size_t len, size_t count);

#endif
