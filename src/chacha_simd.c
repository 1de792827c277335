/*
 * The vector forms of ChaCha8: one piece of code, chacha_form.h, for each width of registers. Knows
 * nothing of what the bytes are for, nor which form a processor can run.
 *
 * All of them are little-endian, and read the key before they write: it may lie in `out`.
 */
#include "kernel.h"

#if defined(HWS__X86) || defined(HWS__ARM)

#include <string.h>

enum { DOUBLE_ROUNDS = 4, BLOCKS = 16 };

static const uint32_t counters[BLOCKS] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* What the compiler knows of these words ends here. Else it would keep a vector of each over the
 * rounds, on the stack, of which the core is sparing; and take wiping them for idle. */
#define FORGET(words) __asm__("" : "+m"(words))

/* Vectors of 32-bit words and of bytes; the names say how many. */
#define WORDS(lanes) WORDS_OF(lanes)
#define WORDS_OF(lanes) words_##lanes
typedef uint32_t words_4 __attribute__((vector_size(16)));
typedef uint8_t bytes_16 __attribute__((vector_size(16)));

#define SHIFT(vector, bits) ((vector) << (bits) | (vector) >> (32 - (bits)))
#define SHIFT_16(vector) SHIFT(vector, 16)
#define SHIFT_8(vector) SHIFT(vector, 8)

/* A rotation by whole bytes is one shuffle, where the compiler has them. */
#if defined(__clang__) || __GNUC__ >= 12
#define SHUFFLE(words, bytes, vector, ...)                                                         \
    ((words)__builtin_shufflevector((bytes)(vector), (bytes)(vector), __VA_ARGS__))
#define BYTES_16(i) (i) + 2, (i) + 3, (i), (i) + 1
#define BYTES_8(i) (i) + 3, (i), (i) + 1, (i) + 2
#define FOUR(order, i) order(i), order((i) + 4), order((i) + 8), order((i) + 12)
#define SHUFFLE_4(vector, order) SHUFFLE(words_4, bytes_16, vector, FOUR(order, 0))
#define SHUFFLE_8(vector, order) SHUFFLE(words_8, bytes_32, vector, FOUR(order, 0), FOUR(order, 16))
#else
#define BYTES_16 16
#define BYTES_8 8
#define SHUFFLE_4(vector, order) SHIFT(vector, order)
#define SHUFFLE_8(vector, order) SHIFT(vector, order)
#endif
#define SHUFFLE_4_16(vector) SHUFFLE_4(vector, BYTES_16)
#define SHUFFLE_4_8(vector) SHUFFLE_4(vector, BYTES_8)
#define SHUFFLE_8_16(vector) SHUFFLE_8(vector, BYTES_16)
#define SHUFFLE_8_8(vector) SHUFFLE_8(vector, BYTES_8)

#endif

#ifdef HWS__X86

typedef uint32_t words_8 __attribute__((vector_size(32)));
typedef uint8_t bytes_32 __attribute__((vector_size(32)));
typedef uint32_t words_16 __attribute__((vector_size(64)));

#define FORM hws__chacha8_ssse3
#define TARGET __attribute__((target("ssse3")))
#define LANES 4
#define ROTATE_16 SHUFFLE_4_16
#define ROTATE_8 SHUFFLE_4_8
#include "chacha_form.h"

#define FORM hws__chacha8_avx2
#define TARGET __attribute__((target("avx2")))
#define LANES 8
#define ROTATE_16 SHUFFLE_8_16
#define ROTATE_8 SHUFFLE_8_8
#include "chacha_form.h"

/* Rotations are instructions of their own. */
#define FORM hws__chacha8_avx512
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl")))
#define LANES 16
#define ROTATE_16 SHIFT_16
#define ROTATE_8 SHIFT_8
#include "chacha_form.h"

#endif

#ifdef HWS__ARM

#define FORM hws__chacha8_neon
#define TARGET
#define LANES 4
#define ROTATE_16 SHUFFLE_4_16
#define ROTATE_8 SHUFFLE_4_8
#include "chacha_form.h"

#endif
