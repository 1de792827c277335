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
 * A hws_random over the operating system's generator, with a hws_key_pool for each thread, so that
 * a mask key does not cost a system call: see key_pool.h for why that is safe.
 *
 * No byte comes twice. After fork() parent and child never share one: the child's pool starts
 * empty; a process made in another way than fork(), by the system call clone() or by _Fork(), must
 * exec before it draws. A virtual machine that is started twice from one snapshot cannot be
 * noticed; what its threads draw is the same until their next seed. Safe to call from any thread.
 *
 * @param user  Not used; NULL.
 * @param dst   Where to write; may be NULL when len is 0.
 * @param len   Bytes to write. More than HWS_KEY_POOL_REFILL_LEN come straight from the system.
 * @return      HWS_OK; HWS_ERR_RANDOM when the system gave none: dst is then as it was, or zeros.
 */
HWS_API hws_status hws_entropy(void *user, uint8_t *dst, size_t len);

#ifdef __cplusplus
}
#endif

#endif
