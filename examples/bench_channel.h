/*
 * One connection of the load: opens, sends what is due, takes what comes back, closes.
 */
#ifndef BENCH_CHANNEL_H
#define BENCH_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include <hawser/hawser.h>

#include "bench_wait.h"

/* The life of a channel, in this order; all but NEW and ENDED may be skipped. */
enum {
    CHANNEL_NEW,
    CHANNEL_CONNECTING, /* TCP */
    CHANNEL_OPENING,    /* the handshake of RFC 6455 4 */
    CHANNEL_OPEN,
    CHANNEL_CLOSING, /* that of RFC 6455 7: what comes does not count any more */
    CHANNEL_ENDED,   /* the socket is closed */
    CHANNEL_PHASES
};

struct addrinfo;
struct opening;

typedef struct channel {
    hws_conn conn;
    hws_deflate deflate; /* from OPEN on; before that it holds nothing */
    size_t index;
    int fd;
    int phase;
    int writing;                    /* 1: waits for room to write */
    const struct addrinfo *address; /* that is tried; the next ones are in its list */
    struct opening *opening;        /* CONNECTING, OPENING; else NULL */
    uint8_t *out;                   /* out[out_sent … out_len) is to be written */
    size_t out_len;
    size_t out_sent;
    uint64_t *times;   /* of messages on their way, by sent % options.depth */
    uint64_t due;      /* messages that are to be sent so far */
    uint64_t sent;     /* that were */
    uint64_t answered; /* that came back */
    size_t at;         /* bytes of the next answer that have come */
} channel;

/* How many channels are in each phase. */
extern size_t channel_counts[CHANNEL_PHASES];

/* For all channels: where they connect to. The list must live as long as they do. HWS_OK, or why
 * the URL cannot be asked for. */
hws_status channel_setup(const struct addrinfo *addresses);

/* Returns 0 without memory. */
int channel_init(channel *c, size_t index);
void channel_release(channel *c);

void channel_connect(channel *c);

/* Does what its socket is ready for. What goes wrong is in the tally, and ends the channel. */
void channel_go_on(channel *c, const ready *what);

/* Sends of what is due as much as depth and room allow. Nothing happens when it is not open. */
void channel_send(channel *c);

/* The number of the message that is the n-th of a channel: no other has it. */
uint64_t channel_number(const channel *c, uint64_t n);

/* Starts the closing handshake. */
void channel_close(channel *c);

/* Closes the socket, whatever the phase. */
void channel_end(channel *c);

#endif
