/**
 * @file
 * Random bytes from the operating system, for hws_conn_config.random and hws_handshake_request().
 */
#ifndef HAWSER_ENTROPY_H
#define HAWSER_ENTROPY_H

#include <hawser/base.h>
#include <hawser/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A hws_random over the operating system's generator, pooled per thread so that a mask key does
 * not cost a system call.
 *
 * Bytes are handed out once and wiped. After fork() parent and child never share one: the child's
 * pool starts empty. Safe to call from any thread.
 *
 * @param user  Not used; NULL.
 * @param dst   Where to write.
 * @param len   Bytes to write.
 * @return      HWS_OK, or HWS_ERR_RANDOM when the system gave none: nothing was written then.
 */
HWS_API hws_status hws_entropy(void *user, uint8_t *dst, size_t len);

#ifdef __cplusplus
}
#endif

#endif
