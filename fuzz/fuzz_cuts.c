/*
 * One endpoint, bytes from a peer, and what an application does in between. Invariant: events and
 * output do not depend on how the bytes were cut. Output is whole frames of the role, nothing but
 * Pongs behind a Close, and a connection of the other role finds in it what was sent, in order; it
 * stays as it was handed out; the queue keeps to max_queue; HWS_DRAIN comes to those who were told
 * to wait; HWS_END is the last event and comes once; buffers come back once, and so does all
 * memory.
 *
 * The input is actions: a letter, an argument, a length, and so many bytes. See act(). Options:
 * how it is set up, what is limited (endpoint_world.h), which allocation fails, and the cuts.
 */
#include "endpoint_world.h"

enum { ACTION_LEN = 3, MAX_ACTIONS = 200, LONG = 300 };

/* --- events --- */

static void note_sent(world *w, hws_status status, uint8_t type, uint8_t flags, const uint8_t *data,
                      size_t len) {
    if (status == HWS_BACKPRESSURE || status == HWS_ERR_FULL) {
        w->told = 1;
    }
    if (status < 0) {
        return;
    }
    put_piece(&w->expected, type, flags, data, len);
    w->unfinished = (flags & HWS_FINAL) == 0;
    /* Compressed, with its headers, and what overtakes. */
    CHECK(w->config.max_queue == UINT64_MAX ||
          hws_endpoint_queued(&w->ep) <= w->config.max_queue + hws_deflate_bound(len) - len + 600);
}

static void take_back(world *w, const hws_event *ev) {
    size_t i = 0;

    while (i < w->ref_count && w->refs[i].data != ev->data) {
        i++;
    }
    CHECK(i < w->ref_count && w->refs[i].len == ev->len);
    free(w->refs[i].data);
    w->ref_count--;
    w->refs[i] = w->refs[w->ref_count];
}

static void take_data(world *w, const hws_event *ev) {
    put_piece(&w->message, ev->type, ev->flags, ev->data, ev->len);
    if ((ev->flags & HWS_FINAL) == 0) {
        return;
    }
    put(&w->log, w->message.data, w->message.len);
    w->message.len = 0;
    if ((w->setup & ECHOES) != 0 && !w->streamed) {
        hws_status status = hws_endpoint_send(&w->ep, ev->type, HWS_WHOLE, ev->data, ev->len);
        note_sent(w, status, ev->type, HWS_WHOLE, ev->data, ev->len);
    }
}

static void take_event(world *w, const hws_event *ev) {
    CHECK(!w->ended);
    switch (ev->type) {
    case HWS_TEXT:
    case HWS_BINARY:
        take_data(w, ev);
        return;
    case HWS_RELEASED:
        take_back(w, ev);
        return;
    case HWS_DRAIN:
        CHECK(w->told);
        w->told = 0;
        break;
    case HWS_END:
        w->ended = 1;
        w->cut |= hws_endpoint_queued(&w->ep) > 0;
        put(&w->log, &ev->close_code, sizeof ev->close_code);
        break;
    }
    put_byte(&w->log, ev->type);
    if (ev->type != HWS_END || ev->close_code != 0) { /* of a refusal's body, what came */
        put(&w->log, ev->data, ev->len);
    }
}

/* Give what came in pieces, until it is taken or receiving stands still. */
static void receive(world *w) {
    size_t at = 0;
    size_t used;
    size_t given;

    do {
        hws_event ev;
        size_t calls = 0;
        size_t refs = w->ref_count;
        given = w->input.len - at;
        given = given < w->chunk ? given : w->chunk;
        used = 0;
        while (hws_endpoint_next(&w->ep, given == 0 ? NULL : w->input.data + at, given, &used,
                                 &ev) == HWS_EVENT) {
            take_event(w, &ev);
            calls++;
            CHECK(calls <= 2 * given + refs + 8);
        }
        at += used;
    } while (used > 0 && used == given && at < w->input.len);
    drop_front(&w->input, at);
}

/* --- what the application does --- */

static void send_copy(world *w, uint8_t arg, const uint8_t *data, size_t len) {
    static const uint8_t types[] = {HWS_TEXT, HWS_BINARY, HWS_PING, HWS_PONG};
    uint8_t type = types[arg & 3];
    uint8_t flags = arg >> 2 & (HWS_WHOLE | HWS_COMPRESSED | HWS_UNCOMPRESSED);
    uint64_t queued = hws_endpoint_queued(&w->ep);
    uint8_t can = hws_endpoint_can_send(&w->ep);
    hws_status status = hws_endpoint_send(&w->ep, type, flags, data, len);

    CHECK(can || status == HWS_ERR_STATE);
    CHECK(status >= 0 || hws_endpoint_queued(&w->ep) == queued);
    if (type == HWS_PING || type == HWS_PONG) {
        w->told |= status == HWS_BACKPRESSURE;
        return;
    }
    note_sent(w, status, type, flags, data, len);
}

static void send_long(world *w, uint8_t arg, size_t len) {
    uint8_t *data = malloc(len * LONG + 1);

    CHECK(data != NULL);
    memset(data, 'l', len * LONG);
    send_copy(w, arg, data, len * LONG);
    free(data);
}

static void send_ref(world *w, uint8_t arg, const uint8_t *data, size_t len) {
    uint8_t type = (arg & 1) != 0 ? HWS_BINARY : HWS_TEXT;
    uint8_t flags = arg >> 2 & HWS_WHOLE;
    uint8_t *own = fuzz_copy(data, len);

    if (w->ref_count == MAX_REFS) {
        free(own);
        return;
    }
    hws_status status = hws_endpoint_send_ref(&w->ep, type, flags, own, len);
    note_sent(w, status, type, flags, data, len);
    if (status < 0) {
        CHECK(len == 0 || memcmp(own, data, len) == 0);
        free(own);
        return;
    }
    w->refs[w->ref_count] = (lent){own, len};
    w->ref_count++;
}

static void send_prepared(world *w, uint8_t arg, const uint8_t *data, size_t len) {
    hws_allocator allocator = counting_allocator(&w->memory);
    uint8_t type = (arg & 4) != 0 ? HWS_BINARY : HWS_TEXT;
    hws_prepared *prepared = NULL;
    hws_compressor compressor;

    if (hws_prepared_make(&prepared, &allocator, type, data, len) != HWS_OK) {
        return;
    }
    if ((arg & 8) != 0 && (w->setup & COMPRESSES) != 0) {
        CHECK(hws_compressor_init(&compressor, w->options.codec, &w->options.settings) == HWS_OK);
        (void)hws_prepared_compress(prepared, &compressor);
        hws_compressor_release(&compressor);
    }
    hws_status status = hws_endpoint_send_prepared(&w->ep, prepared, arg & 3);
    w->cut |= status == HWS_ERR_SLOW;
    note_sent(w, status, type, HWS_WHOLE, data, len);
    hws_prepared_release(prepared);
}

static void send_close(world *w, uint8_t arg, const uint8_t *data, size_t len) {
    uint16_t code = (uint16_t)(1000 + (arg & 15));

    if (arg < 128) {
        (void)hws_endpoint_close(&w->ep, code, data, len);
    } else if (hws_endpoint_close_now(&w->ep, code, data, len) == HWS_OK) {
        w->cut = 1;
    }
}

static void answer(world *w, uint8_t arg) {
    hws_accept_config accept;

    if (arg != 0) {
        (void)hws_endpoint_respond(&w->ep, 200 + arg, NULL, 0, (const uint8_t *)"body", 4);
        return;
    }
    hws_accept_config_init(&accept);
    accept.origin.kind = HWS_ORIGIN_ANY;
    (void)hws_endpoint_accept(&w->ep, &accept);
}

static void connect(world *w) {
    hws_client_config_init(&w->client);
    w->client.host = hws_text_from("example.com");
    (void)hws_endpoint_connect(&w->ep, &w->client);
}

static void tick(world *w, uint64_t ms) {
    w->now += ms;
    hws_endpoint_tick(&w->ep, w->now);
    w->cut |= hws_endpoint_status(&w->ep) < 0;
    CHECK(hws_endpoint_timeout(&w->ep) >= w->now);
}

static void break_off(world *w) {
    w->cut = 1;
    CHECK(hws_endpoint_abort(&w->ep, HWS_ERR_RESET) == HWS_OK);
}

static void act(world *w, uint8_t letter, uint8_t arg, const uint8_t *data, size_t len) {
    switch (letter) {
    case 'i':
        put(&w->input, data, len);
        break;
    case 's':
        send_copy(w, arg, data, len);
        break;
    case 'l':
        send_long(w, arg, len);
        break;
    case 'r':
        send_ref(w, arg, data, len);
        break;
    case 'p':
        send_prepared(w, arg, data, len);
        break;
    case 'c':
        send_close(w, arg, data, len);
        break;
    case 'o':
        hold_output(&w->out, &w->ep, 1 + arg % MAX_HELD);
        break;
    case 'a':
        write_out(&w->out, &w->ep, arg == UINT8_MAX ? SIZE_MAX : arg, &w->wire);
        break;
    case 'A':
        answer(w, arg);
        break;
    case 'H':
        connect(w);
        break;
    case 't':
        tick(w, (uint64_t)arg * 1000);
        break;
    case 'z':
        hws_endpoint_pause(&w->ep, arg & 1);
        break;
    case 'm':
        hws_endpoint_trim(&w->ep);
        break;
    case 'h':
        w->streamed = 1;
        hws_endpoint_stream(&w->ep, arg & 1);
        break;
    case 'x':
        break_off(w);
        break;
    }
}

/* --- a run --- */

static void write_all(world *w) {
    write_out(&w->out, &w->ep, 0, &w->wire);
    do {
        hold_output(&w->out, &w->ep, MAX_HELD);
        write_out(&w->out, &w->ep, SIZE_MAX, &w->wire);
        receive(w);
    } while (hws_endpoint_queued(&w->ep) > 0 && !w->ended);
}

/* Bring it to its end. */
static void finish(world *w) {
    w->memory.fail_in = 0;
    w->random.left = 0;
    hws_endpoint_pause(&w->ep, 0);
    receive(w);
    write_all(w);
    if (hws_endpoint_request(&w->ep) != NULL) {
        answer(w, 1);
    }
    write_all(w);
    if (!w->ended) {
        CHECK(w->input.len == 0 || w->config.role == HWS_ROLE_CLIENT);
        hws_endpoint_receive_eof(&w->ep);
    }
    receive(w);
    write_all(w);
    CHECK(w->ended && w->ref_count == 0);
    CHECK(hws_endpoint_wants(&w->ep) == HWS_WANTS_CLOSE);
    CHECK(hws_endpoint_timeout(&w->ep) == HWS_NEVER);
}

static void release(world *w) {
    hws_endpoint_release(&w->ep);
    CHECK(w->memory.blocks == 0 && w->ready.first == NULL);
    while (w->ref_count > 0) {
        w->ref_count--;
        free(w->refs[w->ref_count].data);
    }
    free(w->input.data);
    free(w->message.data);
    free(w->expected.data);
    free(w->out.held.data);
}

static void run(world *w, const uint8_t *data, size_t size, uint8_t early) {
    size_t count = 0;
    size_t i = 0;

    CHECK(hws_endpoint_init(&w->ep, &w->config, 0) == HWS_OK);
    if ((w->setup & STARTS_OPEN) != 0) {
        hws_deflate_params none = {0};
        const hws_deflate_params *agreed = w->config.deflate;
        if (hws_endpoint_open(&w->ep, agreed == NULL ? &none : agreed) != HWS_OK) {
            w->setup &= (uint8_t)~STARTS_OPEN;
        }
    }
    while (size - i >= ACTION_LEN && count < MAX_ACTIONS) {
        size_t len = data[i + 2];
        len = len < size - i - ACTION_LEN ? len : size - i - ACTION_LEN;
        act(w, data[i], data[i + 1], data + i + ACTION_LEN, len);
        check_held(&w->out);
        receive(w);
        check_held(&w->out);
        i += ACTION_LEN + len;
        count++;
    }
    if (!early) {
        finish(w);
    }
    check_wire(w);
    release(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static world whole;
    static world cut;
    uint8_t setup = fuzz_option(data, &size);
    uint8_t limits = fuzz_option(data, &size);
    uint8_t fails = fuzz_option(data, &size);
    uint8_t chunk = fuzz_option(data, &size);

    whole = (world){.chunk = SIZE_MAX};
    cut = (world){.chunk = 1 + chunk % 32};
    set_up(&whole, setup, limits);
    set_up(&cut, setup, limits);
    whole.memory.fail_in = cut.memory.fail_in = fails;
    run(&whole, data, size, (limits & RELEASED_EARLY) != 0);
    run(&cut, data, size, (limits & RELEASED_EARLY) != 0);
    if (fails == 0 && (limits & BYTE_RATE) == 0) { /* those are met where the cuts are */
        CHECK(same(&whole.log, &cut.log));
        CHECK(same(&whole.wire, &cut.wire));
    }
    free(whole.wire.data);
    free(whole.log.data);
    free(cut.wire.data);
    free(cut.log.data);
    return 0;
}
