/*
 * One connection of a loop: what its socket gives goes through its filter to its endpoint, and what
 * that has queued the other way. Knows bytes and what an endpoint wants; must not know what the
 * events mean.
 */
#include "system.h"

#include "loop.h"

/* Pieces of one write, and bytes that one turn writes at most: others wait. */
enum { BUFFERS_MAX = 32, TURN_MAX = 1048576 };

/* --- life --- */

/* Where what few connections have is kept; NULL when there is no memory. */
hws__extra *hws__link_extra(hws_link *link) {
    if (link->extra == NULL) {
        link->extra = hws__loop_take(link->loop, sizeof *link->extra);
        if (link->extra != NULL) {
            memset(link->extra, 0, sizeof *link->extra);
        }
    }
    return link->extra;
}

static hws_status start_filter(hws_link *link, const hws_filter *filter, uint8_t role,
                               hws_text host) {
    hws__extra *extra = hws__link_extra(link);
    if (extra == NULL) {
        return HWS_ERR_MEMORY;
    }
    hws_status status = filter->make(filter->context, role, host, &extra->state);
    extra->filter = status == HWS_OK ? filter : NULL;
    return status;
}

static void free_extra(hws_link *link) {
    hws__extra *extra = link->extra;
    hws__loop *loop = link->loop;
    if (extra == NULL) {
        return;
    }
    if (extra->filter != NULL) {
        extra->filter->release(extra->state);
    }
    hws__loop_give(loop, extra->plain.data);
    hws__loop_give(loop, extra->raw.data);
    hws__loop_give(loop, extra->wire.data);
    hws__loop_give(loop, extra->addresses);
    hws__loop_give(loop, extra->asked);
    hws__loop_give(loop, extra);
}

hws_status hws__link_make(hws__loop *loop, const hws_endpoint_config *config,
                          const hws_filter *filter, hws_text host, hws_link **made) {
    hws_link *link = hws__timer_room(loop) ? hws__loop_take(loop, sizeof *link) : NULL;
    if (link == NULL) {
        return HWS_ERR_MEMORY;
    }
    memset(link, 0, sizeof *link);
    link->loop = loop;
    link->source.fd = -1;
    link->source.kind = HWS__SOURCE_LINK;
    link->timer = HWS__NO_SLOT;
    hws_status status = hws_endpoint_init(&link->endpoint, config, loop->now_ms);
    if (status == HWS_OK && filter != NULL) {
        status = start_filter(link, filter, config->role, host);
    }
    if (status != HWS_OK) {
        hws_endpoint_release(&link->endpoint);
        free_extra(link);
        hws__loop_give(loop, link);
        return status;
    }
    link->before = loop->last;
    if (loop->last != NULL) {
        loop->last->after = link;
    } else {
        loop->first = link;
    }
    loop->last = link;
    loop->count++;
    *made = link;
    return HWS_OK;
}

void hws__link_free(hws_link *link) {
    hws__loop *loop = link->loop;
    *(link->before != NULL ? &link->before->after : &loop->first) = link->after;
    *(link->after != NULL ? &link->after->before : &loop->last) = link->before;
    loop->count -= !link->refused;
    loop->accepted_count -= link->accepted && !link->refused;
    loop->refused_count -= link->refused;
    hws__timer_drop(loop, link);
    hws_endpoint_release(&link->endpoint);
    if (link->source.fd >= 0) {
        hws__waiter_forget(loop, &link->source);
        hws__socket_close(link->source.fd);
    }
    free_extra(link);
    hws__loop_give(loop, link);
}

/* --- out --- */

/* The socket broke: nothing more goes in or out. */
static void break_off(hws_link *link, hws_status status, int32_t error) {
    link->system_error = error;
    hws_endpoint_abort(&link->endpoint, status);
}

/* Write; what the socket does not take stays. 1 when the link can go on writing. */
static uint8_t write_some(hws_link *link, const hws_buffer *buffers, size_t count, size_t *n) {
    int32_t error = 0;
    hws_status status = hws__socket_write(link->source.fd, buffers, count, n, &error);
    link->blocked = status == HWS_NEED_MORE;
    if (status < 0) {
        break_off(link, status, error);
    }
    return status == HWS_OK;
}

static void write_plain(hws_link *link) {
    hws_buffer buffers[BUFFERS_MAX];
    size_t written = 0;
    size_t count = hws_endpoint_output(&link->endpoint, buffers, BUFFERS_MAX);
    while (count > 0) {
        size_t n = 0;
        uint8_t more = write_some(link, buffers, count, &n);
        hws_endpoint_sent(&link->endpoint, n);
        written += n;
        if (!more) {
            return;
        }
        if (written >= TURN_MAX) {
            link->blocked = hws_endpoint_queued(&link->endpoint) > 0;
            return;
        }
        count = hws_endpoint_output(&link->endpoint, buffers, BUFFERS_MAX);
    }
}

/* Keep bytes that have no other place. 0 when there is no memory: the connection ends. */
static uint8_t keep(hws_link *link, hws__spill *spill, const uint8_t *data, size_t len) {
    uint8_t *copy = hws__loop_take(link->loop, len);
    if (copy == NULL) {
        hws_endpoint_abort(&link->endpoint, HWS_ERR_MEMORY);
        return 0;
    }
    memcpy(copy, data, len);
    *spill = (hws__spill){copy, 0, len};
    return 1;
}

/* Write what a filter gave, and keep the rest. 1 when all went out. */
static uint8_t write_wire(hws_link *link, const uint8_t *data, size_t len) {
    hws_buffer buffer = {data, len};
    while (buffer.len > 0) {
        size_t n = 0;
        if (!write_some(link, &buffer, 1, &n)) {
            return link->blocked && keep(link, &link->extra->wire, buffer.data, buffer.len) && 0;
        }
        buffer.data += n;
        buffer.len -= n;
    }
    return 1;
}

/* What was kept goes first. 1 when there is nothing left of it. */
static uint8_t write_kept(hws_link *link) {
    hws__spill *wire = &link->extra->wire;
    while (wire->used < wire->len) {
        hws_buffer buffer = {wire->data + wire->used, wire->len - wire->used};
        size_t n = 0;
        if (!write_some(link, &buffer, 1, &n)) {
            return 0;
        }
        wire->used += n;
    }
    hws__loop_give(link->loop, wire->data);
    *wire = (hws__spill){NULL, 0, 0};
    return 1;
}

/* Give the filter what is queued, as much as it takes at once; and room for what it says itself.
 * Sets *n to the bytes for the wire. */
static hws_status filter_some(hws_link *link, size_t *n) {
    const hws_filter *filter = link->extra->filter;
    hws_buffer buffers[BUFFERS_MAX];
    size_t count = hws_endpoint_output(&link->endpoint, buffers, BUFFERS_MAX);
    hws_status status = HWS_OK;
    size_t taken = 0;
    size_t i = 0;
    while (i < count && status == HWS_OK) {
        size_t used = 0;
        status = filter->send(link->extra->state, buffers[i].data, buffers[i].len, &used,
                              link->loop->out, HWS__OUT_LEN, n);
        taken += used;
        i++;
    }
    if (count > 0) {
        hws_endpoint_sent(&link->endpoint, taken);
        return status == HWS_OK ? HWS_MORE : status;
    }
    size_t none = 0;
    return filter->send(link->extra->state, NULL, 0, &none, link->loop->out, HWS__OUT_LEN, n);
}

static void write_filtered(hws_link *link) {
    hws_status status = write_kept(link) ? HWS_MORE : HWS_OK;
    while (status == HWS_MORE) {
        size_t n = 0;
        status = filter_some(link, &n);
        if (!write_wire(link, link->loop->out, n)) {
            return;
        }
    }
    /* The answer to a handshake of TLS that took too long cannot be given. */
    if (status == HWS_NEED_MORE && hws_endpoint_status(&link->endpoint) == HWS_ERR_TIMEOUT) {
        status = HWS_ERR_TIMEOUT;
    }
    if (status < 0) {
        hws_endpoint_abort(&link->endpoint, status);
    }
}

static void write_out(hws_link *link) {
    link->blocked = 0;
    if (link->connecting || link->source.fd < 0 || link->shut) {
        return;
    }
    if (link->extra != NULL && link->extra->filter != NULL) {
        write_filtered(link);
    } else {
        write_plain(link);
    }
}

/* All is written and no more will be. */
static void shut_down(hws_link *link) {
    if (link->extra != NULL && link->extra->filter != NULL) {
        link->extra->filter->finish(link->extra->state);
        write_filtered(link);
        if (link->blocked) {
            return;
        }
    }
    hws__socket_shutdown(link->source.fd);
    link->shut = 1;
}

/* --- in --- */

static uint8_t read_into(hws_link *link, uint8_t *buf, hws__spill *spill) {
    hws__loop *loop = link->loop;
    int32_t error = 0;
    size_t n = 0;
    if (!loop->readable) {
        return 0;
    }
    loop->readable = 0;
    hws_status status = hws__socket_read(link->source.fd, buf, loop->config.buffer_len, &n, &error);
    if (status == HWS_ERR_EOF) {
        hws_endpoint_receive_eof(&link->endpoint);
    } else if (status < 0) {
        break_off(link, status, error);
    }
    *spill = (hws__spill){buf, 0, n};
    return status != HWS_NEED_MORE;
}

static uint8_t unfilter(hws_link *link) {
    hws__loop *loop = link->loop;
    hws__spill *raw = &loop->raw_turn;
    size_t n = 0;
    hws_status status = link->extra->filter->receive(
        link->extra->state, raw->data, raw->len, &raw->used, loop->in, loop->config.buffer_len, &n);
    loop->plain_turn = (hws__spill){loop->in, 0, n};
    link->more = status == HWS_MORE || (n > 0 && status < 0); /* an error comes again */
    if (n == 0 && status == HWS_ERR_EOF) {
        hws_endpoint_receive_eof(&link->endpoint);
    } else if (n == 0 && status < 0) {
        write_out(link); /* an alert */
        hws_endpoint_abort(&link->endpoint, status);
    }
    return n > 0 || status < 0;
}

static void empty(hws__loop *loop, hws__spill *spill, const uint8_t *shared) {
    if (spill->data != shared) {
        hws__loop_give(loop, spill->data);
    }
    *spill = (hws__spill){NULL, 0, 0};
}

/* The endpoint has taken all: get more for it. 1 when it is to be asked again. */
static uint8_t refill(hws_link *link) {
    hws__loop *loop = link->loop;
    empty(loop, &loop->plain_turn, loop->in);
    if (link->connecting || (hws_endpoint_wants(&link->endpoint) & HWS_WANTS_READ) == 0) {
        return 0;
    }
    if (link->extra == NULL || link->extra->filter == NULL) {
        return read_into(link, loop->in, &loop->plain_turn);
    }
    if (loop->raw_turn.used == loop->raw_turn.len && !link->more) {
        empty(loop, &loop->raw_turn, loop->raw);
        if (!read_into(link, loop->raw, &loop->raw_turn)) {
            return 0;
        }
        if (loop->raw_turn.len == 0) {
            return 1;
        }
    }
    return unfilter(link);
}

/* --- the turn --- */

void hws__turn_begin(hws_link *link, uint8_t readable) {
    hws__loop *loop = link->loop;
    loop->turn = link;
    loop->readable = readable;
    loop->plain_turn = (hws__spill){NULL, 0, 0};
    loop->raw_turn = (hws__spill){NULL, 0, 0};
    if (link->extra != NULL) {
        loop->plain_turn = link->extra->plain;
        loop->raw_turn = link->extra->raw;
        link->extra->plain = (hws__spill){NULL, 0, 0};
        link->extra->raw = (hws__spill){NULL, 0, 0};
    }
    hws_endpoint_tick(&link->endpoint, loop->now_ms);
}

/* What is left of the loop's buffer moves to memory of the link. */
static void spill_over(hws_link *link, hws__spill *spill, const uint8_t *shared, uint8_t is_raw) {
    if (spill->used == spill->len) {
        empty(link->loop, spill, shared);
        return;
    }
    if (hws__link_extra(link) == NULL) {
        hws_endpoint_abort(&link->endpoint, HWS_ERR_MEMORY);
        empty(link->loop, spill, shared);
        return;
    }
    hws__spill *kept = is_raw ? &link->extra->raw : &link->extra->plain;
    if (spill->data != shared) {
        *kept = *spill;
    } else {
        keep(link, kept, spill->data + spill->used, spill->len - spill->used);
    }
    *spill = (hws__spill){NULL, 0, 0};
}

/* Wait for what the link needs now. */
static void watch(hws_link *link, uint8_t wants) {
    hws__loop *loop = link->loop;
    uint8_t interest = link->blocked ? HWS__WRITABLE : 0;
    if (link->connecting) {
        interest = HWS__WRITABLE;
    } else if ((wants & HWS_WANTS_READ) != 0) {
        interest |= HWS__READABLE;
    }
    if (link->source.fd >= 0 && hws__waiter_set(loop, &link->source, interest) != HWS_OK) {
        break_off(link, HWS_ERR_SYSTEM, loop->system_error);
    }
    uint64_t deadline = hws_endpoint_timeout(&link->endpoint);
    hws__timer_set(loop, link, deadline <= loop->now_ms ? loop->now_ms + 1 : deadline);
}

uint8_t hws__turn_next(hws__loop *loop, hws_event *ev) {
    hws_link *link = loop->turn;
    hws__spill *plain = &loop->plain_turn;
    for (;;) {
        hws_status status =
            hws_endpoint_next(&link->endpoint, plain->data, plain->len, &plain->used, ev);
        if (status == HWS_EVENT) {
            return 1;
        }
        if (plain->used == plain->len && refill(link)) {
            continue;
        }
        write_out(link);
        uint8_t wants = hws_endpoint_wants(&link->endpoint);
        if ((wants & HWS_WANTS_SHUTDOWN) != 0 && !link->shut) {
            shut_down(link);
            wants = hws_endpoint_wants(&link->endpoint);
        }
        if (wants != HWS_WANTS_CLOSE) {
            spill_over(link, plain, loop->in, 0);
            spill_over(link, &loop->raw_turn, loop->raw, 1);
            watch(link, wants);
            loop->turn = NULL;
            return 0;
        }
    }
}
