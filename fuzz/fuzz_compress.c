/*
 * Any sequence of sends with compression, into little room. Invariant: what was sent comes out of
 * the other role's filter, the same bytes in the same order; each call makes one frame at most, and
 * that has RSV1, FIN and opcode as its place in the message demands; a refused call changes
 * nothing; memory is taken where there is none, and given back.
 *
 * The input is a list of steps of three bytes: what is done and how (bits below), type and flags
 * (from bit 4 on) of what is sent, and how much of the input is its payload. The last three bytes
 * are options: see configure().
 */
#include "compress_world.h"

/* The first byte of a step, from bit 0 on. */
enum action { SEND, TRIM, BROADCAST, CONTROL, CLOSE, COMPRESS, FAIL_MEMORY, OTHER };

/* Its other bits. */
enum {
    REPEATED = 8,     /* the payload is taken as often as there is room for it */
    APPENDED = 16,    /* there is something in `out` already */
    INTERRUPTED = 32, /* a Ping stands between fragments */
    RANDOM_FAILS = 64 /* once, at the second frame, or the first if there is no second */
};

enum { WIRE = 2100, REPEATED_LEN = 2000 };

typedef struct step {
    uint8_t action;
    uint8_t how;
    uint8_t type;
    uint8_t flags;
    const uint8_t *data;
    size_t len;
} step;

static uint8_t is_data(const step *s) {
    return s->type == HWS_TEXT || s->type == HWS_BINARY;
}

/* A message, or a piece of one, was taken: what the frames must come to. */
static void begin_piece(world *w, const step *s, uint8_t compressed) {
    if ((s->flags & HWS_FIRST) != 0) {
        CHECK(w->type == 0);
        w->type = s->type;
        w->first_comes = 1;
        w->compressed = compressed;
    }
    CHECK(w->type == s->type);
    if (s->len > 0) {
        memcpy(w->sent + w->sent_len, s->data, s->len);
    }
    w->sent_len += s->len;
}

static void interrupt(world *w) {
    uint8_t wire[20];
    size_t used = 0;
    size_t n = 0;
    hws_status status = hws_deflate_send(&w->filter, &w->from, HWS_PING, HWS_WHOLE,
                                         (const uint8_t *)"?", 1, &used, wire, sizeof wire, &n);
    CHECK((status == HWS_OK && used == 1) || status == HWS_ERR_RANDOM || status == HWS_ERR_STATE);
    receive(w, wire, n);
}

/* Another piece must not get into one that is half out. */
static void try_another(world *w, const step *s, size_t used) {
    uint8_t wire[WIRE];
    hws_deflate before = w->filter;
    size_t n = 0;
    size_t other_used = used + 1;
    CHECK(other_used > s->len ||
          hws_deflate_send(&w->filter, &w->from, s->type, s->flags, s->data, s->len, &other_used,
                           wire, WIRE, &n) == HWS_ERR_STATE);
    CHECK(hws_deflate_compress(&w->filter, s->type, (s->flags & HWS_WHOLE) ^ HWS_FINAL, s->data,
                               s->len, &used, wire, WIRE, &n) == HWS_ERR_STATE);
    CHECK(n == 0 && memcmp(&before, &w->filter, sizeof before) == 0);
}

/* A first call for a piece was refused. Whoever had no randomness has lost the window all the same,
 * which nobody sees. */
static void check_refused(const world *w, const hws_conn *conn, const hws_deflate *filter,
                          hws_status status) {
    CHECK(memcmp(conn, &w->from, sizeof *conn) == 0);
    CHECK(status == HWS_ERR_RANDOM || memcmp(filter, &w->filter, sizeof *filter) == 0);
    CHECK(status == HWS_ERR_ARGUMENT || status == HWS_ERR_STATE || status == HWS_ERR_SEND_UTF8 ||
          status == HWS_ERR_SPACE || status == HWS_ERR_MEMORY || status == HWS_ERR_RANDOM);
}

/* The frames of a piece after its first call. */
static void send_rest(world *w, const step *s, size_t used, hws_status status) {
    uint8_t wire[WIRE];
    while (status == HWS_MORE) {
        size_t n = 0;
        if ((s->how & INTERRUPTED) != 0) {
            interrupt(w);
        }
        try_another(w, s, used);
        status = hws_deflate_send(&w->filter, &w->from, s->type, s->flags, s->data, s->len, &used,
                                  wire, w->cap, &n);
        if (status == HWS_ERR_RANDOM && !w->compressed) {
            CHECK(n == 0);
            status = HWS_MORE; /* nothing is lost: again */
            continue;
        }
        if (status != HWS_OK && status != HWS_MORE) {
            CHECK(status == HWS_ERR_RANDOM && w->role == HWS_ROLE_CLIENT && n == 0);
            w->broken = 1;
            return;
        }
        CHECK(n <= w->cap);
        check_frame(w, wire, n, status == HWS_OK && (s->flags & HWS_FINAL) != 0);
        receive(w, wire, n);
    }
    CHECK(used == s->len);
    if ((s->flags & HWS_FINAL) != 0) {
        end_message(w);
    }
}

static void send_piece(world *w, const step *s) {
    uint8_t wire[WIRE + 40];
    hws_conn conn = w->from;
    hws_deflate filter = w->filter;
    unsigned failed = w->memory.failed;
    uint8_t compresses = hws_deflate_compresses(&w->filter, s->flags, s->len);
    size_t at = (s->how & APPENDED) != 0 ? 40 : 0;
    size_t cap = at + w->cap;
    size_t used = 0;
    size_t n = at;

    n = 0;
    CHECK(hws_deflate_send(&w->filter, &w->from, s->type, s->flags, s->data, s->len, &used, wire, 0,
                           &n) < 0);
    n = at;
    CHECK(used == 0 && memcmp(&filter, &w->filter, sizeof filter) == 0);
    if (at > 0 && compresses && !w->broken && s->flags < 16) {
        hws_status little = hws_deflate_send(&w->filter, &w->from, s->type, s->flags, s->data,
                                             s->len, &used, wire, at + 20, &n);
        CHECK(little == HWS_MORE || little == HWS_ERR_ARGUMENT);
        CHECK(n == at && memcmp(&filter, &w->filter, sizeof filter) == 0);
    }
    w->random_fails_in = (s->how & RANDOM_FAILS) != 0 ? 1U + (s->len & 1) : 0;
    hws_status status = hws_deflate_send(&w->filter, &w->from, s->type, s->flags, s->data, s->len,
                                         &used, wire, cap, &n);
    if (status == HWS_MORE && n == at) { /* what stands there is to be written first */
        step again = *s;
        again.how &= (uint8_t)~APPENDED;
        CHECK(at > 0 && used == 0 && memcmp(&conn, &w->from, sizeof conn) == 0);
        send_piece(w, &again);
    } else if (status != HWS_OK && status != HWS_MORE) {
        CHECK(used == 0 && n == at);
        check_refused(w, &conn, &filter, status);
        w->broken |= status == HWS_ERR_RANDOM && compresses && (s->flags & HWS_FIRST) == 0;
    } else {
        CHECK(!w->broken && n <= cap);
        CHECK(w->memory.failed == failed || (s->flags & HWS_COMPRESSED) == 0);
        begin_piece(w, s, compresses && w->memory.failed == failed);
        check_frame(w, wire + at, n - at, status == HWS_OK && (s->flags & HWS_FINAL) != 0);
        receive(w, wire + at, n - at);
        send_rest(w, s, used, status);
    }
    /* To the peer it is unfinished: nothing may go past the filter into it. */
    CHECK(!w->broken || hws_deflate_compresses(&w->filter, HWS_FINAL, 1));
    w->random_fails_in = 0;
}

static void control(world *w, const step *s) {
    uint8_t wire[WIRE];
    size_t used = 0;
    size_t n = 0;
    uint8_t type = is_data(s) ? HWS_PING : s->type;
    hws_status status = hws_deflate_send(&w->filter, &w->from, type, s->flags, s->data, s->len,
                                         &used, wire, WIRE, &n);
    CHECK(status == HWS_OK ? used == s->len : n == 0 && used == 0);
    receive(w, wire, n);
}

/* The payload of a whole message is made by the filter, and its frames by the connection. */
static void compress(world *w, const step *s) {
    uint8_t wire[WIRE];
    uint8_t payload[WIRE];
    size_t used = 0;
    hws_status status = HWS_MORE;
    step whole = *s;

    whole.flags = HWS_WHOLE;
    if (w->type != 0 || w->broken || !hws_conn_can_send(&w->from)) {
        return;
    }
    size_t too_far = s->len + 1;
    CHECK(hws_deflate_compress(&w->filter, HWS_TEXT, HWS_WHOLE, s->data, s->len, &too_far, payload,
                               w->cap, &used) == HWS_ERR_ARGUMENT);
    CHECK(hws_deflate_compress(&w->filter, HWS_TEXT, HWS_WHOLE, s->data, s->len, &used, payload,
                               HWS_DEFLATE_MIN_SPACE - 1, &used) == HWS_ERR_SPACE);
    while (status == HWS_MORE) {
        size_t n = 0;
        size_t wire_len = 0;
        status = hws_deflate_compress(&w->filter, s->type, HWS_WHOLE, s->data, s->len, &used,
                                      payload, w->cap, &n);
        if (status != HWS_OK && status != HWS_MORE) {
            CHECK(n == 0 && used == 0 && w->type == 0);
            return;
        }
        if (w->type == 0) {
            begin_piece(w, &whole, 1);
        }
        uint8_t flags = (uint8_t)((w->first_comes ? HWS_FIRST | HWS_COMPRESSED : 0) |
                                  (status == HWS_OK ? HWS_FINAL : 0));
        CHECK(hws_conn_send(&w->from, s->type, flags, payload, n, wire, WIRE, &wire_len) == HWS_OK);
        check_frame(w, wire, wire_len, status == HWS_OK);
        receive(w, wire, wire_len);
    }
    end_message(w);
}

/* A message that was compressed alone goes past the filter, where it may. */
static void broadcast(world *w, const step *s) {
    uint8_t wire[WIRE + 2000];
    uint8_t payload[WIRE + 2000];
    size_t n = 0;
    size_t wire_len = 0;
    step whole = *s;

    whole.flags = HWS_WHOLE;
    whole.type = HWS_BINARY;
    if (hws_compressor_window_bits(&w->once) == 0) {
        return; /* there is none: zlib has no such window */
    }
    if (hws_deflate_follow(&w->filter, s->data, 0) != HWS_OK) {
        CHECK(w->type != 0 || w->broken);
        return;
    }
    CHECK(hws_compressor_message(&w->once, s->data, s->len, payload, 0, &n) == HWS_ERR_SPACE);
    w->other_memory.fail_in = (s->how & RANDOM_FAILS) != 0;
    hws_status status = hws_compressor_message(&w->once, s->data, s->len, payload, 1, &n);
    CHECK(status == HWS_OK || status == HWS_ERR_SPACE || status == HWS_ERR_MEMORY);
    w->other_memory.fail_in = 0;
    n = 0;
    CHECK(hws_compressor_message(&w->once, s->data, s->len, payload, sizeof payload, &n) == HWS_OK);
    CHECK(n <= hws_deflate_bound(s->len));
    uint8_t bits = hws_compressor_window_bits(&w->once);
    if (!hws_deflate_fits(&w->filter, bits) || w->type != 0 || !hws_conn_can_send(&w->from)) {
        return;
    }
    CHECK(hws_conn_send(&w->from, HWS_BINARY, HWS_WHOLE | HWS_COMPRESSED, payload, n, wire,
                        sizeof wire, &wire_len) == HWS_OK);
    begin_piece(w, &whole, 1);
    check_frame(w, wire, wire_len, 1);
    receive(w, wire, wire_len);
    end_message(w);
    CHECK(hws_deflate_follow(&w->filter, s->data, s->len) == HWS_OK);
}

static void close_conn(world *w) {
    uint8_t wire[131];
    size_t n = 0;
    hws_conn_close(&w->from, HWS_CLOSE_NORMAL, NULL, 0, wire, sizeof wire, &n);
    receive(w, wire, n);
}

/* Another connection gets into a message with the shared compressor, or leaves; or one comes that
 * has a smaller window. */
static void use_other(world *w, const step *s) {
    uint8_t payload[WIRE];
    size_t used = 0;
    size_t n = 0;
    uint8_t flags = (s->flags & HWS_FIRST) != 0 ? HWS_FIRST : HWS_WHOLE;
    if (!w->shares) {
        return;
    }
    if ((s->how & REPEATED) == 0) {
        hws_deflate_compress(&w->other, HWS_BINARY, flags, s->data, s->len, &used, payload,
                             sizeof payload, &n);
        return;
    }
    hws_deflate_release(&w->other);
    hws_deflate_release(&w->other);
    hws_deflate_params agreed = agree(w->role, 1, (uint8_t)(8 + (s->flags & 7)), 0);
    hws_deflate_options options;
    hws_deflate_options_init(&options, w->role, HWS_DEFLATE_BEST);
    options.codec = hws_codec_zlib();
    options.shared = &w->shared;
    CHECK(hws_deflate_init(&w->other, &agreed, &options) == HWS_OK);
}

static void take_step(world *w, const step *s) {
    size_t blocks = w->memory.blocks;
    unsigned taken = w->memory.taken;
    switch ((enum action)s->action) {
    case SEND:
        if (is_data(s) && s->len <= sizeof w->sent - w->sent_len) {
            send_piece(w, s);
        }
        break;
    case TRIM:
        hws_deflate_trim(&w->filter);
        break;
    case BROADCAST:
        broadcast(w, s);
        break;
    case CONTROL:
        control(w, s);
        break;
    case CLOSE:
        close_conn(w);
        break;
    case COMPRESS:
        compress(w, s);
        break;
    case FAIL_MEMORY:
        w->memory.fail_in = s->flags;
        break;
    case OTHER:
        use_other(w, s);
        break;
    }
    CHECK(w->shares || blocks == 0 || w->memory.taken == taken);
}

/* Takes the next step off the input. Returns where the one after it starts. */
static size_t next_step(const uint8_t *data, size_t size, size_t i, uint8_t *repeated, step *s) {
    size_t len = data[i + 2];
    size_t at = i + 3;
    len = len < size - at ? len : size - at;
    *s = (step){data[i] & 7, data[i], data[i + 1] & 15, data[i + 1] >> 4, data + at, len};
    if ((s->how & REPEATED) != 0 && len > 0) {
        size_t n = 0;
        while (n + len <= REPEATED_LEN) {
            memcpy(repeated + n, data + at, len);
            n += len;
        }
        s->data = repeated;
        s->len = n;
    }
    return at + len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t first = fuzz_option(data, &size);
    uint8_t second = fuzz_option(data, &size);
    uint8_t third = fuzz_option(data, &size);
    uint8_t repeated[REPEATED_LEN];
    world *w = calloc(1, sizeof *w);
    size_t i = 0;

    CHECK(w != NULL);
    configure(w, first, second, third);
    while (size - i >= 3) {
        step s;
        i = next_step(data, size, i, repeated, &s);
        take_step(w, &s);
    }
    hws_deflate_release(&w->filter);
    hws_deflate_release(&w->filter);
    hws_deflate_release(&w->other);
    hws_deflate_release(&w->reader);
    hws_compressor_release(&w->shared);
    hws_compressor_release(&w->shared);
    hws_compressor_release(&w->once);
    CHECK(w->memory.blocks == 0 && w->other_memory.blocks == 0);
    free(w);
    return 0;
}
