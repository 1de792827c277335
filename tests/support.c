#define _DEFAULT_SOURCE
#include "support.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t guard_pages(size_t len) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (len + page - 1) / page * page;
}

uint8_t *guard_alloc(size_t len) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = guard_pages(len);
    uint8_t *base =
        mmap(NULL, room + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(base != MAP_FAILED);
    assert_int_equal(mprotect(base, page, PROT_NONE), 0);
    assert_int_equal(mprotect(base + page + room, page, PROT_NONE), 0);
    return base + page + (room - len);
}

void guard_free(uint8_t *data, size_t len) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = guard_pages(len);
    assert_int_equal(munmap(data - (room - len) - page, room + 2 * page), 0);
}

uint8_t *guard_copy(const void *data, size_t len) {
    uint8_t *copy = guard_alloc(len);
    if (len > 0) {
        memcpy(copy, data, len);
    }
    return copy;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    assert_true(c >= 'A' && c <= 'F');
    return c - 'A' + 10;
}

size_t hex_decode(const char *hex, uint8_t *out, size_t cap) {
    size_t n = 0;
    while (*hex != '\0') {
        if (*hex == ' ') {
            hex++;
            continue;
        }
        assert_true(n < cap);
        out[n] = (uint8_t)(hex_digit(hex[0]) << 4 | hex_digit(hex[1]));
        n++;
        hex += 2;
    }
    return n;
}

uint64_t random_next(uint64_t *seed) {
    uint64_t x = *seed;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *seed = x;
    return x * UINT64_C(0x2545F4914F6CDD1D);
}

void random_fill(uint64_t *seed, uint8_t *dst, size_t len) {
    size_t i = 0;
    while (i < len) {
        dst[i] = (uint8_t)(random_next(seed) >> 56);
        i++;
    }
}

int32_t test_random_fill(void *user, uint8_t *dst, size_t len) {
    test_random *source = user;
    if (source->fail_after != 0 && source->calls >= source->fail_after) {
        return HWS_ERR_RANDOM;
    }
    source->calls++;
    random_fill(&source->seed, dst, len);
    return HWS_OK;
}

test_random test_conn_random;

hws_conn_config test_conn_config(uint8_t role) {
    hws_conn_config config;
    hws_conn_config_init(&config, role);
    config.random = test_random_fill;
    config.random_user = &test_conn_random;
    return config;
}

hws_conn test_conn_open(uint8_t role) {
    hws_conn_config config = test_conn_config(role);
    hws_conn conn;
    test_conn_random = (test_random){.seed = 9};
    assert_int_equal(hws_conn_init(&conn, &config), HWS_OK);
    return conn;
}

int close_code_may_be_sent(unsigned code) {
    switch (code) {
    case 1000:
    case 1001:
    case 1002:
    case 1003:
    case 1007:
    case 1008:
    case 1009:
    case 1010:
    case 1011:
    case 1012:
    case 1013:
    case 1014:
        return 1;
    default:
        return code / 1000 == 3 || code / 1000 == 4;
    }
}
