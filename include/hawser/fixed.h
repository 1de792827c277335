/**
 * @file
 * An allocator over one block of memory of fixed size, for programs that do not have another one.
 *
 *     static uint64_t memory[4096];
 *     hws_fixed_init(&fixed, memory, sizeof memory);
 *     config.allocator = hws_fixed_allocator(&fixed);
 *
 * First fit, with neighbours joined when they are free: good for the few blocks that an endpoint
 * holds at a time; both calls take longer the more free gaps there are. A block takes its length,
 * rounded up to a multiple of a header, and a header: two size_t, aligned for anything. When
 * nothing fits there is none, and what asked deals with that. One thread at a time.
 */
#ifndef HAWSER_FIXED_H
#define HAWSER_FIXED_H

#include <hawser/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One block of memory, and what of it is free. The content is private. */
typedef struct hws_fixed {
    uint64_t opaque[4]; /**< Private. */
} hws_fixed;

/**
 * Start with all of it free.
 *
 * @param fixed   Where to keep it; must not move while it is used.
 * @param memory  The block, which belongs to the allocator as long as it is used. Where it is not
 *                aligned for anything, its first bytes are left out. NULL when len is 0.
 * @param len     Its bytes.
 */
HWS_API void hws_fixed_init(hws_fixed *fixed, void *memory, size_t len);

/**
 * The allocator over it.
 *
 * @param fixed  A block.
 * @return       The allocator, which refers to fixed.
 */
HWS_API hws_allocator hws_fixed_allocator(hws_fixed *fixed);

/**
 * Bytes that are handed out, with what their management takes.
 *
 * @param fixed  A block.
 * @return       Bytes; 0 when all is free.
 */
HWS_API size_t hws_fixed_used(const hws_fixed *fixed);

#ifdef __cplusplus
}
#endif

#endif
