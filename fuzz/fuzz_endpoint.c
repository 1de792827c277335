/*
 * Two endpoints, a server's and a client's, and a script of what is done with them and between
 * them. Invariant: what one receives is a prefix of what the other sent, each message once and in
 * order; what is handed out as output stays as it is until it is acknowledged; HWS_END comes once
 * and last; a buffer that was given away comes back once; both come to an end, and give back all
 * memory.
 *
 * The input is actions of two bytes: see act(). Its last bytes are options: see configure() in
 * endpoint_sides.h.
 */
#include "endpoint_sides.h"

static uint64_t digest_more(uint64_t digest, const uint8_t *data, size_t len) {
    size_t i = 0;
    while (i < len) {
        digest = (digest ^ data[i]) * UINT64_C(1099511628211);
        i++;
    }
    return digest;
}

/* --- what comes out --- */

static void take_data(side *s, side *peer, const hws_event *ev) {
    if ((ev->flags & HWS_FIRST) != 0) {
        s->seen_digest = ev->type;
    }
    s->seen_digest = digest_more(s->seen_digest, ev->data, ev->len);
    if ((ev->flags & HWS_FINAL) != 0 && !s->spoiled && s->seen < LOG_LEN) {
        CHECK(s->seen < peer->log_len && peer->log[s->seen] == s->seen_digest);
        s->seen++;
    }
}

static void take_event(world *w, side *s, const hws_event *ev) {
    CHECK(!s->ended);
    switch (ev->type) {
    case HWS_TEXT:
    case HWS_BINARY:
        take_data(s, &w->sides[!s->role], ev);
        break;
    case HWS_REQUEST:
        answer(s);
        break;
    case HWS_OPEN:
        CHECK(s->role == HWS_ROLE_SERVER || hws_endpoint_accepted(&s->ep) != NULL);
        break;
    case HWS_RELEASED:
        CHECK(s->refs > 0);
        s->refs--;
        free((void *)(uintptr_t)ev->data);
        break;
    case HWS_END:
        CHECK(s->out.count == 0);
        s->ended = 1;
        break;
    }
}

/* Give up to `most` of the bytes that wait, and take all events. */
static void receive(world *w, side *s, size_t most) {
    size_t len = s->in.len < most ? s->in.len : most;
    uint8_t *buf = fuzz_copy(s->in.data, len);
    size_t used = 0;
    size_t calls = 0;
    hws_event ev;
    size_t too_far = len + 1;
    CHECK(hws_endpoint_next(&s->ep, buf, len, &too_far, &ev) == HWS_ERR_ARGUMENT);
    while (hws_endpoint_next(&s->ep, buf, len, &used, &ev) == HWS_EVENT) {
        take_event(w, s, &ev);
        calls++;
        CHECK(calls < 4 * len + 2000);
    }
    CHECK(used == len || (hws_endpoint_wants(&s->ep) & HWS_WANTS_READ) == 0);
    if (len > 0) { /* what was unmasked already stays so */
        memcpy(s->in.data, buf, len);
    }
    drop_front(&s->in, used);
    free(buf);
}

/* --- output --- */

static void hand_out(side *s) {
    hold_output(&s->out, &s->ep, 4);
}

/* Move up to `most` bytes of what was handed out to the peer, and acknowledge them. */
static void acknowledge(world *w, side *s, size_t most) {
    bytes *wire = &w->sides[!s->role].in;
    size_t room = WIRE_LEN - wire->len;
    write_out(&s->out, &s->ep, most < room ? most : room, wire);
}

/* --- what is sent --- */

static void note_sent(side *s, hws_status status, uint8_t type, uint8_t flags, const uint8_t *data,
                      size_t len) {
    if (status < 0) {
        return;
    }
    if ((flags & HWS_FIRST) != 0) {
        s->sent_digest = type;
    }
    s->sent_digest = digest_more(s->sent_digest, data, len);
    s->in_message = (flags & HWS_FINAL) != 0 ? 0 : type;
    if ((flags & HWS_FINAL) != 0 && s->log_len < LOG_LEN) {
        s->log[s->log_len] = s->sent_digest;
        s->log_len++;
    }
}

static void send_copy(side *s, uint8_t type, uint8_t flags, size_t len, uint8_t fill) {
    uint8_t *data = malloc(len + 1);
    CHECK(data != NULL);
    memset(data, type == HWS_TEXT ? 'a' + fill % 26 : fill, len);
    uint8_t place = flags & HWS_WHOLE;
    if (s->log_len < LOG_LEN) {
        note_sent(s, hws_endpoint_send(&s->ep, type, flags, data, len), type, place, data, len);
    }
    free(data);
}

static void send_ref(side *s, uint8_t flags, size_t len, uint8_t fill) {
    uint8_t *data = malloc(len);
    uint8_t *copy = malloc(len);
    uint8_t type = s->in_message != 0 ? s->in_message : HWS_BINARY;
    CHECK(data != NULL && copy != NULL);
    memset(data, 'a' + fill % 26, len);
    memcpy(copy, data, len);
    hws_status status = HWS_ERR_FULL;
    if (s->log_len < LOG_LEN) {
        status = hws_endpoint_send_ref(&s->ep, type, flags, data, len);
        note_sent(s, status, type, flags, copy, len);
    }
    if (status < 0) {
        CHECK(memcmp(data, copy, len) == 0);
        free(data);
    } else {
        s->refs++;
    }
    free(copy);
}

static void send_prepared(world *w, side *s, uint8_t arg) {
    hws_allocator allocator = counting_allocator(&s->memory);
    hws_prepared *prepared = NULL;
    uint8_t data[200];
    size_t len = arg;
    memset(data, 'p', sizeof data);
    len = len < sizeof data ? len : sizeof data;
    uint8_t type = (arg & 3) == 3 ? HWS_PING : (arg & 16) != 0 ? HWS_BINARY : HWS_TEXT;
    if (hws_prepared_make(&prepared, &allocator, type, data, len) != HWS_OK) {
        return;
    }
    CHECK(hws_prepared_payload(prepared).len == len);
    (void)hws_prepared_compress(prepared, &w->compressor);
    s->dropped |= (arg >> 2) % 4 == HWS_SLOW_CLOSE;
    hws_prepared_retain(prepared);
    if (s->log_len < LOG_LEN) {
        hws_status status = hws_endpoint_send_prepared(&s->ep, prepared, (arg >> 2) % 4);
        if (type != HWS_PING) {
            note_sent(s, status, type, HWS_WHOLE, data, len);
        }
    }
    hws_prepared_release(prepared);
    hws_prepared_release(prepared);
}

/* Bytes of the script itself, as if the peer had sent them. */
static size_t inject(side *s, const uint8_t *data, size_t size, size_t len) {
    len = len < size ? len : size;
    len = len < WIRE_LEN - s->in.len ? len : WIRE_LEN - s->in.len;
    put(&s->in, data, len);
    s->spoiled = 1;
    return len;
}

static void end_input(side *s) {
    if (s->in.len == 0 && !s->eof) {
        s->eof = 1;
        hws_endpoint_receive_eof(&s->ep);
    }
}

static void tick(world *w, uint64_t ms) {
    w->now += ms;
    hws_endpoint_tick(&w->sides[0].ep, w->now);
    hws_endpoint_tick(&w->sides[1].ep, w->now);
}

static void send_something(side *s, uint8_t verb, uint8_t arg) {
    uint8_t type = s->in_message != 0 ? s->in_message : HWS_BINARY;
    switch (verb) {
    case 0:
        send_copy(s, arg & 1 ? HWS_TEXT : HWS_BINARY, HWS_WHOLE, arg, arg);
        break;
    case 1:
        send_copy(s, HWS_TEXT, HWS_FIRST | (arg & 1 ? HWS_UNCOMPRESSED : 0), arg, arg);
        break;
    case 2:
        send_copy(s, type, arg & 1 ? HWS_FINAL : 0, arg, arg);
        break;
    case 3:
        send_copy(s, HWS_BINARY, HWS_WHOLE | (s->config.deflate != NULL ? HWS_COMPRESSED : 0),
                  (size_t)arg * 300, arg);
        break;
    case 4:
        (void)hws_endpoint_send(&s->ep, arg & 1 ? HWS_PING : HWS_PONG, HWS_WHOLE,
                                (const uint8_t *)"ping", arg % 8 < 4 ? arg % 4 : 126);
        break;
    case 5:
        send_ref(s, s->in_message != 0 ? arg & HWS_FINAL : HWS_WHOLE, 1 + (size_t)arg, arg);
        break;
    }
}

static void end_something(side *s, uint8_t verb, uint8_t arg) {
    switch (verb) {
    case 0:
        (void)hws_endpoint_close(&s->ep, arg & 1 ? 1001 : 1005, NULL, 0);
        break;
    case 1:
        s->dropped = 1;
        (void)hws_endpoint_close_now(&s->ep, 1000, (const uint8_t *)"now", 3);
        break;
    case 2:
        (void)hws_endpoint_abort(&s->ep, arg & 1 ? HWS_ERR_RESET : HWS_OK);
        break;
    case 3:
        end_input(s);
        break;
    }
}

/* One action: its verb is the low five bits of the first byte, the side the next one. The second
 * byte is an argument. Returns the bytes of the script that it took beside those two. */
static size_t act(world *w, uint8_t what, uint8_t arg, const uint8_t *rest, size_t size) {
    side *s = &w->sides[what >> 5 & 1];
    uint8_t verb = what & 31;
    switch (verb) {
    case 0:
        hand_out(s);
        break;
    case 1:
        acknowledge(w, s, arg < 200 ? arg : WIRE_LEN);
        break;
    case 2:
        receive(w, s, arg < 200 ? arg : WIRE_LEN);
        break;
    case 3:
        hand_out(s);
        acknowledge(w, s, WIRE_LEN);
        receive(w, &w->sides[!s->role], arg == 0 ? WIRE_LEN : arg);
        break;
    case 4:
        send_prepared(w, s, arg);
        break;
    case 5:
        hws_endpoint_pause(&s->ep, arg & 1);
        break;
    case 6:
        hws_endpoint_stream(&s->ep, arg & 1);
        hws_endpoint_trim(&s->ep);
        break;
    case 7:
        tick(w, (uint64_t)arg * 100);
        break;
    case 8:
        return inject(s, rest, size, arg);
    case 9:
        s->memory.fail_in = arg;
        break;
    case 10:
        s->answer = arg;
        if (hws_endpoint_request(&s->ep) != NULL) {
            answer(s);
        }
        break;
    case 24:
        s->random.left = arg & 1;
        break;
    case 25:
        s->spoiled = 1;
        s->eof = 1; /* with bytes that wait */
        hws_endpoint_receive_eof(&s->ep);
        break;
    case 26:
        hws_endpoint_go_away(&s->ep);
        break;
    case 11:
        while (hws_ready_next(&w->ready) != NULL) {
        }
        break;
    default:
        if (verb < 20) {
            send_something(s, verb - 12, arg);
        } else if (verb < 24) {
            end_something(s, verb - 20, arg);
        }
    }
    CHECK(hws_endpoint_queued(&s->ep) <= s->config.max_queue + 2000);
    return 0;
}

/* --- life --- */

/* Let all come to its end: bytes move, sockets close, time passes. */
static void finish(world *w) {
    unsigned turn = 0;
    while (!w->sides[0].ended || !w->sides[1].ended) {
        unsigned i = 0;
        while (i < 2) {
            side *s = &w->sides[i];
            hws_endpoint_pause(&s->ep, 0);
            acknowledge(w, s, WIRE_LEN);
            hand_out(s);
            acknowledge(w, s, WIRE_LEN);
            receive(w, s, WIRE_LEN);
            uint8_t wants = hws_endpoint_wants(&w->sides[!i].ep);
            if ((wants & (HWS_WANTS_SHUTDOWN | HWS_WANTS_CLOSE)) != 0) {
                end_input(s);
            }
            CHECK(hws_endpoint_timeout(&s->ep) != HWS_NEVER || s->ended || s->role == 0 ||
                  turn < 5);
            i++;
        }
        tick(w, 900);
        if (turn == 100) { /* both may be content for ever */
            (void)hws_endpoint_close(&w->sides[turn & 1].ep, 1000, NULL, 0);
        }
        turn++;
        CHECK(turn < 1000);
    }
}

/* What a peer sends by itself is no fault; and after two good ends nothing is missing. */
static void judge(const side *s, const side *peer) {
    hws_status status = hws_endpoint_status(&s->ep);
    uint8_t fault = (status <= HWS_ERR_RSV && status >= HWS_ERR_UTF8) || status == HWS_ERR_INFLATE;
    if (s->spoiled) {
        return;
    }
    CHECK(!fault);
    if (status == HWS_OK && hws_endpoint_status(&peer->ep) == HWS_OK && !peer->dropped) {
        CHECK(s->seen == peer->log_len);
    }
}

static void release(side *s) {
    hws_event ev;
    size_t used = 0;
    CHECK(hws_endpoint_next(&s->ep, NULL, 0, &used, &ev) == HWS_OK);
    CHECK(hws_endpoint_wants(&s->ep) == HWS_WANTS_CLOSE && s->refs == 0);
    CHECK(hws_endpoint_timeout(&s->ep) == HWS_NEVER);
    hws_endpoint_release(&s->ep);
    hws_endpoint_release(&s->ep);
    CHECK(s->memory.blocks == 0);
    free(s->in.data);
    free(s->out.held.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static world w;
    uint8_t first = fuzz_option(data, &size);
    uint8_t second = fuzz_option(data, &size);
    size_t i = 0;
    size_t actions = 0;
    start(&w, first, second);
    while (i + 1 < size && actions < 400) {
        i += 2 + act(&w, data[i], data[i + 1], data + i + 2, size - i - 2);
        actions++;
    }
    w.sides[0].memory.fail_in = w.sides[1].memory.fail_in = 0;
    w.sides[0].random.left = w.sides[1].random.left = 0;
    finish(&w);
    CHECK(w.sides[0].counters.messages_received <= LOG_LEN + size);
    hws_compressor_release(&w.compressor);
    judge(&w.sides[0], &w.sides[1]);
    judge(&w.sides[1], &w.sides[0]);
    release(&w.sides[0]);
    release(&w.sides[1]);
    CHECK(w.ready.first == NULL && w.compressor_memory.blocks == 0);
    return 0;
}
