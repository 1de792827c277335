/* The portable validator over a part of a buffer, for kernels that stop inside one and go on. */
#ifndef HWS__UTF8_H
#define HWS__UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Validates data[from … to). Returns `to`, or the index of the first bad byte, with *state
 * HWS_UTF8_REJECT. */
size_t hws__utf8_range(uint32_t *state, const uint8_t *data, size_t from, size_t to);

#endif
