/*
 * Any sequence of sends between a client and a server. Invariant: what one side was allowed to
 * send, the other receives, the same bytes in the same order, and never a fault; a send that fails
 * changes nothing.
 *
 * The input is a list of steps of three bytes: who sends and what else happens (bits below), what
 * is sent (type, and flags from bit 4 on), and how much of the input is its payload. The last byte
 * is an option: 0 for no compression.
 */
#include "fuzz.h"

/* Bits of the first byte of a step. */
enum {
    CLIENT_SENDS = 1,
    IS_ANSWERED = 2, /* the receiver sends what it owes */
    IN_PLACE = 4,    /* header and payload apart, the payload masked where it lies */
    HEADER_ONLY = 8  /* by hws_conn_send_header() */
};

/* A type that no message has: the step writes any header instead. */
enum { ANY_HEADER = 7 };

enum { WIRE = 300 };

typedef struct side {
    hws_conn conn;
    uint8_t next_random; /* 255: the random source fails */
} side;

typedef struct step {
    uint8_t what;
    uint8_t type;
    uint8_t flags;
    uint16_t code; /* of a Close; the payload is its reason */
    const uint8_t *data;
    size_t len;
} step;

static hws_status some_random(void *user, uint8_t *dst, size_t len) {
    return *(uint8_t *)user == 255 ? HWS_ERR_SYSTEM : fuzz_random(user, dst, len);
}

static void start(side *s, uint8_t role, uint8_t compression) {
    hws_conn_config config;

    hws_conn_config_init(&config, role);
    config.compression = compression;
    CHECK(hws_conn_init(&s->conn, &config) ==
          (role == HWS_ROLE_CLIENT ? HWS_ERR_ARGUMENT : HWS_OK));
    config.random = some_random;
    config.random_user = &s->next_random;
    s->next_random = 0;
    config.max_fragments = 0;
    CHECK(hws_conn_init(&s->conn, &config) == HWS_ERR_ARGUMENT);
    config.max_fragments = HWS_UNLIMITED;
    CHECK(hws_conn_init(&s->conn, &config) == HWS_OK);
}

/* Puts the frame of a step into `wire`, header and payload. */
static hws_status put(hws_conn *conn, const step *s, uint8_t *wire, size_t cap, size_t *n) {
    uint8_t copy[256];
    hws_status status;

    if (s->type == HWS_CLOSE) {
        return hws_conn_close(conn, s->code, s->data, s->len, wire, cap, n);
    }
    if ((s->what & (IN_PLACE | HEADER_ONLY)) == 0) {
        return hws_conn_send(conn, s->type, s->flags, s->data, s->len, wire, cap, n);
    }
    memcpy(copy, s->data, s->len);
    cap = cap < s->len ? 0 : cap - s->len;
    if ((s->what & IN_PLACE) != 0) {
        status = hws_conn_send_in_place(conn, s->type, s->flags, copy, s->len, wire, cap, n);
    } else {
        status = hws_conn_send_header(conn, s->type, s->flags, copy, s->len, wire, cap, n);
    }
    if (status != HWS_OK) {
        CHECK(memcmp(copy, s->data, s->len) == 0);
        return status;
    }
    memcpy(wire + *n, copy, s->len);
    *n += s->len;
    return HWS_OK;
}

/* Tries a step that has to fail, on a connection that must stay as it is. */
static void fail_step(side *from, const step *s, uint8_t *wire, size_t cap, hws_status expected) {
    hws_conn before = from->conn;
    size_t n = 0;

    CHECK(put(&from->conn, s, wire, cap, &n) == expected);
    CHECK(n == 0 && memcmp(&before, &from->conn, sizeof before) == 0);
}

/* Tries a step in room that is one byte too small, and without randomness, before it is done. In
 * room for anything a whole message goes a shorter way than in room for itself alone: both write
 * the same and remember the same. */
static hws_status do_step(side *from, const step *s, uint8_t *wire, size_t *n) {
    uint8_t rehearsed[WIRE];
    uint8_t next_random = from->next_random;
    side rehearsal = *from;
    size_t len = 0;
    hws_status status = put(&rehearsal.conn, s, rehearsed, WIRE, &len);

    if (status != HWS_OK) {
        fail_step(from, s, wire, WIRE, status);
        return status;
    }
    fail_step(from, s, wire, len - 1, HWS_ERR_SPACE);
    if ((s->what & CLIENT_SENDS) != 0) {
        from->next_random = 255;
        fail_step(from, s, wire, len, HWS_ERR_RANDOM);
        fail_step(from, s, wire, WIRE, HWS_ERR_RANDOM);
    }
    from->next_random = next_random;
    CHECK(put(&from->conn, s, wire, len, n) == HWS_OK && *n == len);
    CHECK(memcmp(wire, rehearsed, len) == 0);
    CHECK(memcmp(&from->conn, &rehearsal.conn, sizeof from->conn) == 0);
    return HWS_OK;
}

/* Receives a frame that the other side was allowed to send: exactly one event, but for an empty
 * fragment in the middle, which has none. */
static void expect(side *to, const step *s, uint8_t *wire, size_t n) {
    hws_event ev;
    size_t used = 0;
    hws_status status = hws_conn_receive(&to->conn, wire, n, &used, &ev);

    CHECK(used == n);
    if (status == HWS_OK) {
        CHECK(s->len == 0 && (s->flags & HWS_FINAL) == 0);
        return;
    }
    CHECK(status == HWS_EVENT && ev.type == s->type && ev.len == s->len);
    CHECK(s->len == 0 || memcmp(ev.data, s->data, s->len) == 0);
    CHECK((ev.flags & HWS_FINAL) == (s->flags & HWS_FINAL));
}

/* What the receiver owes comes back and is understood too. */
static void answer(side *from, side *to) {
    uint8_t wire[HWS_REPLY_MAX];
    uint8_t next_random = from->next_random;
    size_t owed = hws_conn_reply_len(&from->conn);
    size_t n = 0;
    size_t used = 0;
    hws_event ev;
    hws_status status = HWS_EVENT;

    from->next_random = 255;
    status = hws_conn_reply(&from->conn, wire, owed, &n);
    CHECK(status == HWS_OK || (status == HWS_ERR_RANDOM && n == 0));
    from->next_random = next_random;
    CHECK(hws_conn_reply(&from->conn, wire, sizeof wire, &n) == HWS_OK && n == owed);
    do {
        status = hws_conn_receive(&to->conn, wire, n, &used, &ev);
        CHECK(status != HWS_EVENT || ev.type == HWS_PONG || ev.type == HWS_CLOSE);
    } while (status == HWS_EVENT);
    CHECK(status == HWS_OK);
}

/* A header with any content is written if and only if it can be read, and is the same then. */
static void any_header(const step *s) {
    uint8_t out[HWS_FRAME_HEADER_MAX];
    uint8_t context = s->flags;
    hws_frame frame;
    hws_frame read;
    size_t n = 0;

    memset(&frame, 0, sizeof frame);
    memcpy(&frame, s->data, s->len < sizeof frame ? s->len : sizeof frame);
    frame.header_len = 0;
    memset(frame.reserved, 0, sizeof frame.reserved);
    if (hws_frame_encode(&frame, context, out, sizeof out, &n) != HWS_OK) {
        CHECK(n == 0);
        return;
    }
    size_t len = n;
    n = 0;
    CHECK(hws_frame_encode(&frame, context, out, len - 1, &n) == HWS_ERR_SPACE && n == 0);
    CHECK(hws_frame_decode(out, len - 1, context, &read) == HWS_NEED_MORE);
    CHECK(hws_frame_decode(out, len, context, &read) == HWS_OK && read.header_len == len);
    read.header_len = 0;
    if (!frame.masked) {
        memset(frame.mask_key, 0, sizeof frame.mask_key);
    }
    CHECK(memcmp(&frame, &read, sizeof frame) == 0);
}

/* Takes the next step off the input. Returns where the one after it starts. */
static size_t take_step(const uint8_t *data, size_t size, size_t i, step *s) {
    size_t len = data[i + 2];

    i += 3;
    len = len < size - i ? len : size - i;
    *s = (step){data[i - 3], data[i - 2] & 15, data[i - 2] >> 4, 0, data + i, len};
    if (s->type != HWS_CLOSE) {
        return i + len;
    }
    s->flags = HWS_WHOLE;
    if (len >= 2) {
        s->code = (uint16_t)(s->data[0] << 8 | s->data[1]);
        s->data += 2;
        s->len -= 2;
    } else {
        s->code = HWS_CLOSE_EMPTY;
        s->len = 0;
    }
    return i + len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t compression = fuzz_option(data, &size) != 0;
    side sides[2];
    size_t i = 0;

    start(&sides[HWS_ROLE_SERVER], HWS_ROLE_SERVER, compression);
    start(&sides[HWS_ROLE_CLIENT], HWS_ROLE_CLIENT, compression);
    while (size - i >= 3) {
        uint8_t wire[WIRE];
        size_t n = 0;
        step s;
        i = take_step(data, size, i, &s);
        side *from = &sides[s.what & CLIENT_SENDS];
        side *to = &sides[1 - (s.what & CLIENT_SENDS)];

        if (s.type == ANY_HEADER) {
            any_header(&s);
        } else if (do_step(from, &s, wire, &n) == HWS_OK) {
            expect(to, &s, wire, n);
        }
        if ((s.what & IS_ANSWERED) != 0) {
            answer(to, from);
        }
    }
    return 0;
}
