/*
 * The ways through hawser that are timed, and zlib without hawser beside them. Each goes over a
 * list of messages once, from one array to another.
 */
#ifndef PATHS_H
#define PATHS_H

#include "messages.h"

#include <hawser/hawser.h>

/* What compresses, how. */
typedef struct setup {
    uint8_t type; /* HWS_TEXT or HWS_BINARY */
    uint8_t window_bits, level, mem_level;
    uint8_t takeover;        /* 0: every message starts with an empty window */
    hws_allocator allocator; /* zeros: that of the C library */
} setup;

/* A way. What it works with is made before it is timed: `in` is what it reads, and may be written
 * to; `out` is an empty list with room for all that it makes. */
typedef struct path {
    const char *name;
    void (*run)(const setup *how, messages *in, messages *out);
} path;

/* The window, the effort and the takeover of a preset, for messages of a server. */
setup setup_of_preset(uint8_t preset);

/* What the two ends of a connection with such a setup have agreed, and the options of one. */
hws_deflate_params agreed_for(const setup *how);
hws_deflate_options options_for(const setup *how, uint8_t role);

/* Either end, with its compression. */
typedef struct end {
    hws_conn conn;
    hws_deflate deflate;
} end;

void end_open(end *e, const setup *how, uint8_t role);

/* From span to span: payload alone. */
void run_compress(const setup *how, messages *in, messages *out);
void run_decompress(const setup *how, messages *in, messages *out);

/* A server with a connection: whole messages to frames, and masked frames to messages. Frames are
 * one "message" of a list. */
void run_send(const setup *how, messages *in, messages *out);
void run_receive(const setup *how, messages *in, messages *out);

/* A client: its frames, for run_receive(), and what it makes of those of run_send(). */
void run_send_masked(const setup *how, messages *in, messages *out);
void run_receive_unmasked(const setup *how, messages *in, messages *out);

/* zlib without hawser: no validation of text, no judgement, no limit. */
void run_zlib_compress(const setup *how, messages *in, messages *out);
void run_zlib_decompress(const setup *how, messages *in, messages *out);

#endif
