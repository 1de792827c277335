/*
 * Constants by name, and the two helpers of base.c. That no constant is missing is checked by
 * checks/constants.py, which reads the headers.
 */
#include "support.h"

#include <hawser/hawser.h>

#include <string.h>

typedef struct row {
    const char *name;
    int64_t value;
} row;

/* At least one of each header, with the values as numbers: they are part of the ABI. */
static const row rows[] = {
    {"HWS_ROLE_SERVER", 0},
    {"HWS_ROLE_CLIENT", 1},
    {"HWS_OK", 0},
    {"HWS_EVENT", 1},
    {"HWS_NEED_MORE", 2},
    {"HWS_ERR_ARGUMENT", -1},
    {"HWS_ERR_RSV", -16},
    {"HWS_ERR_EOF", -36},
    {"HWS_ERR_HEAD_TOO_LARGE", -48},
    {"HWS_ERR_URI_SCHEME", -96},
    {"HWS_ERR_TLS", -118},
    {"HWS_OPCODE_PONG", 10},
    {"HWS_FRAME_HEADER_MAX", 14},
    {"HWS_TEXT", 1},
    {"HWS_PING", 9},
    {"HWS_FRAME", 16},
    {"HWS_WHOLE", 3},
    {"HWS_DEFAULT_MAX_MESSAGE", 16777216},
    {"HWS_UNLIMITED", -1}, /* UINT64_MAX, bit by bit */
    {"HWS_CLOSE_BAD_GATEWAY", 1014},
    {"HWS_HEAD_LIST", 2},
    {"HWS_ORIGIN_LIST", 3},
    {"HWS_KEY_LEN", 24},
    {"HWS_EXTENSION_PARAM", 2},
    {"HWS_UTF8_REJECT", 8},
    {"HWS_KERNEL_PORTABLE", 0},
    {"HWS_KERNEL_SSSE3", 1},
    {"HWS_KERNEL_AVX2", 2},
    {"HWS_KERNEL_AVX512", 3},
    {"HWS_KERNEL_NEON", 4},
    {"HWS_KEY_POOL_SEED_LEN", 32},
    {"HWS_KEY_POOL_REFILL_LEN", 992},
    {"HWS_KEY_POOL_REFILLS", 64},
};

static void known_names(void **context) {
    (void)context;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t value = 1 << 20;
        assert_int_equal(hws_constant(rows[i].name, &value), HWS_OK);
        if (value != rows[i].value) {
            fail_msg("%s is %lld", rows[i].name, (long long)value);
        }
    }
}

static void unknown_names(void **context) {
    (void)context;
    static const char *const names[] = {"",         "H",         "HWS_",          "HWS_O",
                                        "HWS_OKAY", "hws_ok",    "HWS_OK ",       " HWS_OK",
                                        "HWS_API",  "HWS_TEXT_", "HAWSER_BASE_H", "HWS_ERR_?"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int64_t value = 77;
        assert_int_equal(hws_constant(names[i], &value), HWS_ERR_ARGUMENT);
        assert_int_equal(value, 77);
    }
}

/* The name ends where a page does. */
static void names_are_read_to_their_nul(void **context) {
    (void)context;
    char *name = (char *)guard_copy("HWS_ERR_RESERVED", sizeof "HWS_ERR_RESERVED");
    int64_t value = 0;
    assert_int_equal(hws_constant(name, &value), HWS_ERR_ARGUMENT);
    guard_free((uint8_t *)name, sizeof "HWS_ERR_RESERVED");
}

static void texts_from_strings(void **context) {
    (void)context;
    hws_text none = hws_text_from(NULL);
    assert_null(none.data);
    assert_int_equal(none.len, 0);
    assert_int_equal(hws_text_from("").len, 0);
    char *string = (char *)guard_copy("chat", sizeof "chat");
    hws_text text = hws_text_from(string);
    assert_ptr_equal(text.data, string);
    assert_int_equal(text.len, 4);
    guard_free((uint8_t *)string, sizeof "chat");
}

static void the_version_is_one_number(void **context) {
    (void)context;
    int64_t major = -1;
    int64_t minor = -1;
    int64_t patch = -1;
    assert_int_equal(hws_constant("HWS_VERSION_MAJOR", &major), HWS_OK);
    assert_int_equal(hws_constant("HWS_VERSION_MINOR", &minor), HWS_OK);
    assert_int_equal(hws_constant("HWS_VERSION_PATCH", &patch), HWS_OK);
    assert_int_equal(hws_version(), major * 1000000 + minor * 1000 + patch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_names),
        cmocka_unit_test(unknown_names),
        cmocka_unit_test(names_are_read_to_their_nul),
        cmocka_unit_test(texts_from_strings),
        cmocka_unit_test(the_version_is_one_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
