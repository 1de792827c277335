/*
 * What a prepared message holds. prepared.c and the endpoint's sending know this.
 */
#ifndef HWS__PREPARED_H
#define HWS__PREPARED_H

#include <hawser/prepared.h>

#include <stdatomic.h>

struct hws_prepared {
    atomic_size_t references;
    hws_allocator allocator;
    uint8_t *packed; /* a frame with the compressed form; NULL for none */
    size_t packed_len;
    size_t frame_len; /* the frame lies behind this struct */
    uint8_t header_len;
    uint8_t type;
    uint8_t window_bits; /* that the compressed form needs */
};

#endif
