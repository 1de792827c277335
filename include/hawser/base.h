/**
 * @file
 * Types that every other header of hawser uses: views of bytes, roles, the random source.
 *
 * Conventions of all headers:
 *
 * - Lengths and capacities are counts of bytes, unless a name says otherwise.
 * - A pointer parameter must not be NULL, unless its comment says that it may be.
 * - A function that writes takes (out, cap, n): `n` is in and out, the count of bytes that stand in
 *   `out` already. The function appends at `out[n]`, all or nothing: on any error `n` and the bytes
 *   before it are as they were. What stands behind them is then undefined.
 * - No function allocates, blocks, reads a clock, prints or keeps global state, but for the choice
 *   of kernel.h.
 * - One object, one thread at a time. Different objects are independent.
 * - Enumerators are constants only: no field, parameter or result has an enum type, because the
 *   size of one varies between compilers. hws_constant() finds each constant of the core by name,
 *   for languages that cannot read this file.
 */
#ifndef HAWSER_BASE_H
#define HAWSER_BASE_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) && defined(HWS_BUILD_SHARED)
#define HWS_API __declspec(dllexport)
#elif defined(_WIN32) && defined(HWS_SHARED)
#define HWS_API __declspec(dllimport)
#elif defined(__GNUC__)
#define HWS_API __attribute__((visibility("default")))
#else
#define HWS_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Result of most functions: HWS_OK and other results are >= 0, errors are < 0. See status.h. */
typedef int32_t hws_status;

/** The two ends of a connection (RFC 6455 1.2). */
enum {
    HWS_ROLE_SERVER = 0, /**< Receives masked frames, sends unmasked ones. */
    HWS_ROLE_CLIENT = 1  /**< Sends masked frames, receives unmasked ones. */
};

/** Some text that somebody else owns. Need not end with NUL; `data` may be NULL when `len` is 0. */
typedef struct hws_text {
    const char *data; /**< First byte. */
    size_t len;       /**< Bytes. */
} hws_text;

/** A name and a value: an HTTP field to send, or one pair of an HTTP/2 or HTTP/3 header list. */
typedef struct hws_field {
    hws_text name;  /**< Field name, a token (RFC 9110 5.1). */
    hws_text value; /**< Field value, without white space around it (RFC 9110 5.5). */
} hws_field;

/** A part of a buffer, by position: it stays right when the buffer moves. */
typedef struct hws_span {
    uint32_t offset; /**< First byte, from the start of the buffer. */
    uint32_t len;    /**< Bytes; 0 also stands for "not there" where a comment says so. */
} hws_span;

/** A part of memory to be written out: what writev() takes, in the caller's form. */
typedef struct hws_buffer {
    const uint8_t *data; /**< First byte. */
    size_t len;          /**< Bytes; never 0 where hawser fills it in. */
} hws_buffer;

/** Where memory comes from. */
typedef struct hws_allocator {
    void *(*alloc)(void *user, size_t len); /**< Aligned for anything; NULL when there is none. */
    void (*release)(void *user, void *memory); /**< Takes back what alloc() gave; never NULL. */
    void *user;                                /**< Handed to both. */
} hws_allocator;

/**
 * A source of unpredictable bytes, for mask keys (RFC 6455 5.3) and the client's key (4.1).
 *
 * It must be of cryptographic quality: a peer who can predict mask keys can choose the bytes on
 * the wire (RFC 6455 10.3). hws_entropy() in entropy.h is one, for programs on an operating system.
 *
 * @param user  What the caller gave beside the function.
 * @param dst   Where to write.
 * @param len   Bytes to write.
 * @return      HWS_OK when all were written. Anything else makes the calling function return
 *              HWS_ERR_RANDOM with nothing written.
 */
typedef hws_status (*hws_random)(void *user, uint8_t *dst, size_t len);

/**
 * View a NUL-terminated string as hws_text.
 *
 * @param string  The string; NULL gives the empty text.
 * @return        A view that lives as long as the string.
 */
HWS_API hws_text hws_text_from(const char *string);

/**
 * Find a constant by its name, for callers who cannot read C: all of the core's headers, not those
 * of adapters.
 *
 * @param name   For example "HWS_ERR_SPACE".
 * @param value  Set to the constant when it is found. HWS_UNLIMITED and HWS_NEVER, of 64 bits, come
 *               as -1, HWS_THRESHOLD_AUTO as -2.
 * @return       HWS_OK, or HWS_ERR_ARGUMENT when there is no such constant.
 */
HWS_API hws_status hws_constant(const char *name, int64_t *value);

#ifdef __cplusplus
}
#endif

#endif
