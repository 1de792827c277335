/*
 * Attacks on permessage-deflate that were found in other implementations, each as a stream and the
 * trace that it must leave, with its id in the catalogue of attacks; and bombs: what is stopped by
 * the limit, and what goes through a room of constant size. Sections are of RFC 7692.
 */
#include "deflate_harness.h"

#include <stdio.h>
#include <string.h>

#include <unistd.h>

#include <zlib.h>

enum {
    SERVER = HWS_ROLE_SERVER,
    CLIENT = HWS_ROLE_CLIENT,
    LIMIT = 1 << 20,
    ROOM = 1 << 16,
    BLOCK = 1 << 24
};

#ifdef HWS_TEST_REDUCED
enum { BOMB_LEN = 1 << 25, GROWTH_KIB = 1 << 20 }; /* the tool has memory of its own */
#else
enum { BOMB_LEN = 1 << 30, GROWTH_KIB = 512 };
#endif

static const deflate_row rows[] = {
    {"10.4 of RFC 6455: few compressed bytes that are one too many when plain "
     "(pmd-limit-after-inflate-s)",
     SERVER, "c28b37fa213d559a3938949a35b16ffa21", .trace = ">close 1009; HWS_ERR_MESSAGE_TOO_BIG",
     .max_message = 1024},
    {"10.4 of RFC 6455: few compressed bytes that are just as many as allowed (pmd-limit-exact-s)",
     SERVER, "c28b37fa213d559a3938949a35b163fa21", .trace = "binary [1024]; open @17",
     .max_message = 1024},
    {"6: RSV1 on a Ping is a fault (pmd-rsv1-ping-s)", SERVER, "c98137fa213d4f",
     .trace = ">close 1002; HWS_ERR_RSV @1"},
    {"6: RSV1 on a Close is a fault (pmd-rsv1-close-s)", SERVER, "c88237fa213d3412",
     .trace = ">close 1002; HWS_ERR_RSV @1"},
    {"6.2: a Ping inside a compressed message is not decompressed (pmd-ping-in-compressed-s)",
     SERVER, "418337fa213dc5b2ec898237fa213d478a808437fa213dfe33263d",
     .trace = "ping \"pp\"; >pong \"pp\"; text \"Hello\"; open @27"},
    {"7.2.2: a compressed message of no bytes is a fault (pmd-empty-payload-s)", SERVER,
     "c18037fa213d", .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.3.6: 00 is an empty message (pmd-empty-block-s)", SERVER, "c18137fa213d37",
     .trace = "text \"\"; open @7"},
    {"7.2.2: an invalid block type is a fault (pmd-garbage-s)", SERVER, "c18437fa213dc805dec2",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.3.4: a second message follows one that ended with BFINAL (pmd-bfinal-s)", SERVER,
     "c18837fa213dc4b2ecf4fefd213dc18837fa213dc4b2ecf4fefd213d",
     .trace = "text \"Hello\"; text \"Hello\"; open @28"},
    {"7.2.3.4: what follows BFINAL must be a block (pmd-bfinal-trailing-s)", SERVER,
     "c18a37fa213dc4b2ecf4fefd21978c36", .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"8.1 of RFC 6455: a byte that is wrong only when decompressed (pmd-utf8-after-inflate-s)",
     SERVER, "c18437fa213d0d4a3f3d", .trace = ">close 1007; HWS_ERR_UTF8"},
    {"7.2.3.4: a block follows one with BFINAL in the same message (pmd-bfinal-then-block-s)",
     SERVER, "c18e37fa213dc4b2ecf4fefd21cf7f37e8f430fa", .trace = "text \"HelloHello\"; open @20"},
    {"7.2.2: BFINAL does not empty the window (pmd-bfinal-then-window-s)", SERVER,
     "c18837fa213dc4b2ecf4fefd213dc18537fa213dc5fa303d37",
     .trace = "text \"Hello\"; text \"Hello\"; open @25"},
};

static void every_attack_leaves_its_trace(void **state) {
    (void)state;
    deflate_harness_run_rows(rows, sizeof rows / sizeof rows[0]);
}

/* KiB that the process has in memory; 0 where the system does not tell. */
static size_t resident_kib(void) {
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL || fscanf(f, "%*u %lu", &pages) != 1) {
        pages = 0;
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return pages * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}

/* Compress BLOCK zeros, up to the end of an empty stored block: may be repeated as it is. */
static size_t compress_zeros(uint8_t *dst, size_t cap) {
    static const uint8_t zero[ROOM];
    z_stream z = {.next_out = dst, .avail_out = (uInt)cap};
    size_t at = 0;
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    while (at < BLOCK) {
        at += ROOM;
        z.next_in = (Bytef *)(uintptr_t)zero;
        z.avail_in = ROOM;
        assert_int_equal(deflate(&z, at == BLOCK ? Z_SYNC_FLUSH : Z_NO_FLUSH), Z_OK);
    }
    assert_true(z.avail_out > 0);
    (void)deflateEnd(&z);
    return cap - z.avail_out;
}

/* What came of a bomb. */
typedef struct outcome {
    uint64_t plain; /* bytes of all events */
    uint64_t compressed;
    uint64_t events;
    size_t growth_kib; /* after the codec states were made */
    hws_status status;
} outcome;

static uint8_t room[ROOM];

static hws_status take(hws_conn *conn, hws_deflate *d, uint8_t *buf, size_t len, outcome *o) {
    hws_status status = HWS_EVENT;
    size_t used = 0;
    while (status == HWS_EVENT) {
        hws_event ev;
        status = hws_deflate_receive(d, conn, buf, len, &used, room, sizeof room, &ev);
        if (status != HWS_EVENT) {
            break;
        }
        assert_true(ev.len <= sizeof room);
        assert_int_equal(ev.type, HWS_BINARY);
        o->plain += ev.len;
        o->events++;
        if (ev.len > 0) { /* samples: it is a long way through a GiB */
            assert_int_equal(ev.data[0] | ev.data[ev.len - 1] | ev.data[ev.len / 2], 0);
        }
    }
    return status;
}

/* BOMB_LEN zeros in one message, a fragment for each BLOCK of them. */
static outcome bomb(uint64_t max_message) {
    static uint8_t frame[4 + 65535];
    static uint8_t buf[sizeof frame];
    deflate_row r = {.role = CLIENT, .max_message = max_message};
    outcome o = {.status = HWS_OK};
    size_t payload = compress_zeros(frame + 4, sizeof frame - 4);
    size_t before = 0;
    size_t i = 0;
    hws_conn conn;
    hws_deflate d;

    memset(room, 1, sizeof room); /* its pages are there from the start */
    memset(buf, 1, sizeof buf);
    deflate_harness_open(&r, NULL, &conn, &d);
    while (i < BOMB_LEN / BLOCK && o.status == HWS_OK) {
        uint8_t last = i + 1 == BOMB_LEN / BLOCK;
        size_t len = last ? payload - 4 : payload;
        frame[0] = (uint8_t)((i == 0 ? 0x42 : 0x00) | (last ? 0x80 : 0));
        frame[1] = 126;
        frame[2] = (uint8_t)(len >> 8);
        frame[3] = (uint8_t)len;
        memcpy(buf, frame, 4 + len);
        o.compressed += len;
        o.status = take(&conn, &d, buf, i == 0 ? 64 : 4 + len, &o);
        if (i == 0) { /* a few bytes before the rest: now the states are made */
            before = resident_kib();
            o.status = take(&conn, &d, buf + 64, 4 + len - 64, &o);
        }
        i++;
    }
    o.growth_kib = resident_kib() > before ? resident_kib() - before : 0;
    hws_deflate_release(&d);
    return o;
}

static void a_bomb_ends_at_the_limit(void **state) { /* pmd-bomb-s */
    outcome o = bomb(LIMIT);
    (void)state;
    assert_int_equal(o.status, HWS_ERR_MESSAGE_TOO_BIG);
    assert_true(o.plain <= LIMIT);
    assert_true(o.plain > LIMIT - ROOM);
    assert_true(o.growth_kib <= GROWTH_KIB);
}

static void without_a_limit_a_bomb_goes_through_a_constant_room(void **state) { /* pmd-bomb-s */
    outcome o = bomb(HWS_UNLIMITED);
    (void)state;
    assert_int_equal(o.status, HWS_OK);
    assert_true(o.plain == BOMB_LEN);
    assert_true(o.compressed * 1000 < o.plain); /* 1:1000, which is nearly what DEFLATE can do */
    assert_true(o.events <= BOMB_LEN / ROOM + BOMB_LEN / BLOCK);
    assert_true(o.growth_kib <= GROWTH_KIB);
}

/* Fragments that are each 1 KiB when plain, with a Ping after each: the limit is of the message. */
static void a_bomb_in_fragments_ends_at_the_limit(void **state) { /* pmd-bomb-fragments-s */
    static const uint8_t ping[2] = {0x89, 0x00};
    static const uint8_t zero[1024];
    deflate_row r = {.role = CLIENT, .max_message = LIMIT};
    uint64_t plain = 0;
    unsigned pings = 0;
    unsigned i = 0;
    hws_status status = HWS_OK;
    z_stream z = {.next_in = NULL};
    hws_conn conn;
    hws_deflate d;
    (void)state;

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    deflate_harness_open(&r, NULL, &conn, &d);
    while (i < 2000 && status == HWS_OK) {
        uint8_t frame[128] = {i == 0 ? 0x42 : 0x00};
        size_t used = 0;
        size_t len;
        hws_event ev;
        z.next_in = (Bytef *)(uintptr_t)zero;
        z.avail_in = sizeof zero;
        z.next_out = frame + 2;
        z.avail_out = sizeof frame - 2 - sizeof ping;
        assert_int_equal(deflate(&z, Z_SYNC_FLUSH), Z_OK);
        len = sizeof frame - sizeof ping - z.avail_out;
        frame[1] = (uint8_t)(len - 2);
        memcpy(frame + len, ping, sizeof ping);
        len += sizeof ping;
        while ((status = hws_deflate_receive(&d, &conn, frame, len, &used, room, sizeof room,
                                             &ev)) == HWS_EVENT) {
            uint8_t out[HWS_REPLY_MAX];
            size_t n = 0;
            plain += ev.type == HWS_BINARY ? ev.len : 0;
            pings += ev.type == HWS_PING;
            assert_int_equal(hws_conn_reply(&conn, out, sizeof out, &n), HWS_OK);
        }
        i++;
    }
    assert_int_equal(status, HWS_ERR_MESSAGE_TOO_BIG);
    assert_int_equal(plain, LIMIT);
    assert_int_equal(pings, LIMIT / 1024);
    assert_int_equal(i, LIMIT / 1024 + 1);
    (void)deflateEnd(&z);
    hws_deflate_release(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_attack_leaves_its_trace),
        cmocka_unit_test(a_bomb_ends_at_the_limit),
        cmocka_unit_test(without_a_limit_a_bomb_goes_through_a_constant_room),
        cmocka_unit_test(a_bomb_in_fragments_ends_at_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
