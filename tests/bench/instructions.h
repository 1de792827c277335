/*
 * What the files of hawser-instructions share. An input is built first and costs nothing: something
 * before, something `size` times over, and something after. The masks of peers are of zeros, which
 * are applied like any others.
 */
#ifndef INSTRUCTIONS_H
#define INSTRUCTIONS_H

#include <hawser/hawser.h>

enum { SERVER = HWS_ROLE_SERVER, CLIENT = HWS_ROLE_CLIENT };

/* Room for output, and elements of arrays. */
enum { CAP = 1 << 20, FIELD_CAP = 1 << 16 };

/* A frame: its first byte, and a payload of `len` bytes that repeats the pattern. Without a pattern
 * there is no frame. */
typedef struct piece {
    uint8_t first;
    uint16_t len;
    const char *pattern;
} piece;

/* How an input is made. */
enum form {
    FRAMES, /* frames: before; unit and second, size times; after */
    FRAME,  /* one frame: its payload is that of unit, size times, and that of after */
    TEXT,   /* head; repeat, size times; tail. A "#" in repeat is the number of four digits */
    PAYLOAD /* the payload of unit, once: the size is how often it is used */
};

typedef struct work work;

/* A case. */
typedef struct row {
    const char *name;
    hws_status (*run)(work *w);
    enum form form;
    uint8_t role;
    uint32_t size; /* a good one to start from */
    hws_status expected;
    piece before, unit, second, after;
    const char *head, *repeat, *tail;
} row;

typedef struct table {
    const row *rows;
    size_t count;
} table;

extern const table frame_cases, head_cases;

/* A case in one size. */
struct work {
    const row *row;
    size_t size;
    size_t chunk; /* bytes of one read, or of one fragment to be sent */
    uint8_t *bytes;
    size_t len;
    uint8_t *out;        /* CAP bytes */
    hws_header *headers; /* FIELD_CAP elements, as fields */
    hws_field *fields;
    hws_conn conn;
};

/* A source of mask keys that costs next to nothing. */
hws_status fill_random(void *user, uint8_t *dst, size_t len);

/* What can be run. Each returns the last status that came of it. */
hws_status run_receive(work *w);
hws_status run_receive_unanswered(work *w);
hws_status run_receive_traced(work *w);
hws_status run_receive_nothing(work *w);
hws_status run_into_small(work *w);
hws_status run_into_itself(work *w);
hws_status run_batch(work *w);
hws_status run_message(work *w);
hws_status run_send(work *w);
hws_status run_send_header(work *w);
hws_status run_send_fragments(work *w);
hws_status run_send_in_place(work *w);
hws_status run_request(work *w);
hws_status run_handshakes(work *w);
hws_status run_response(work *w);
hws_status run_pairs(work *w);
hws_status run_uri(work *w);
hws_status run_write(work *w);
hws_status run_utf8(work *w);
hws_status run_endpoint(work *w);

/* Whether it matters to a case in which chunks its input comes, and which form of the kernels runs:
 * single bytes are the same to all of those. */
uint8_t looks_at_chunk(const row *r);
uint8_t looks_at_kernel(const row *r);

#endif
