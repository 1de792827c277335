/**
 * @file
 * The allocator of the system, for hws_endpoint_config.allocator.
 */
#ifndef HAWSER_ALLOCATOR_H
#define HAWSER_ALLOCATOR_H

#include <hawser/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * malloc() and free(). Safe in any thread.
 *
 * @return  The allocator.
 */
HWS_API hws_allocator hws_system_allocator(void);

#ifdef __cplusplus
}
#endif

#endif
