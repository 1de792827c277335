/**
 * @file
 * The version of hawser. The build reads it from here; it stands nowhere else.
 */
#ifndef HAWSER_VERSION_H
#define HAWSER_VERSION_H

#include <hawser/base.h>

#define HWS_VERSION_MAJOR 0
#define HWS_VERSION_MINOR 1
#define HWS_VERSION_PATCH 0

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The version of the library that is linked, which may be newer than the headers.
 *
 * @return  major * 1,000,000 + minor * 1,000 + patch.
 */
HWS_API uint32_t hws_version(void);

#ifdef __cplusplus
}
#endif

#endif
