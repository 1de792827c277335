/*
 * One connection in a loop of libuv: handing out its events, waking up for its deadlines, and
 * ending it. Must not know where streams come from, or how bytes get through them.
 *
 * Each connection has a timer of its own: libuv keeps timers in a heap, which is what would have to
 * be written here again to find the earliest of all deadlines. It is moved when a deadline comes
 * nearer, and not when one goes away, as it does with every message: the timer goes off, and is set
 * anew.
 */
#include "uv_hub.h"

#include <string.h>

static const hws_endpoint_config *config_of(const hws_uv_hub *hub, uint8_t role) {
    return role == HWS_ROLE_SERVER ? &hub->config.server : &hub->config.client;
}

hws_status hws__uv_make(hws_uv_hub *hub, uint8_t role, const hws_filter *filter, hws_text host,
                        hws_uv **made) {
    hws_uv *ws = hws__uv_alloc(hub, sizeof *ws);
    hws_status status = HWS_OK;
    if (ws == NULL) {
        return HWS_ERR_MEMORY;
    }
    memset(ws, 0, sizeof *ws);
    ws->hub = hub;
    ws->role = role;
    ws->filter = filter;
    status = hws_endpoint_init(&ws->endpoint, config_of(hub, role), uv_now(hub->loop));
    if (status == HWS_OK && filter != NULL) {
        status = filter->make(filter->context, role, host, &ws->filter_state);
    }
    if (status != HWS_OK) {
        ws->filter = NULL;
        hws__uv_unmake(ws);
        return status;
    }
    *made = ws;
    return HWS_OK;
}

static void release(hws_uv *ws) {
    if (ws->filter != NULL) {
        ws->filter->release(ws->filter_state);
        ws->filter = NULL;
    }
    hws_endpoint_release(&ws->endpoint);
    hws__uv_drop_kept(ws);
}

void hws__uv_unmake(hws_uv *ws) {
    release(ws);
    hws__uv_dial_free(ws);
    hws__uv_release(ws->hub, ws);
}

void hws__uv_unref(hws_uv *ws) {
    hws_uv_hub *hub = ws->hub;
    ws->refs--;
    if (ws->refs == 0) {
        hws__uv_dial_free(ws);
        hws__uv_release(hub, ws);
        hub->alive--;
        hws__uv_hub_look(hub);
    }
}

static void on_timer_closed(uv_handle_t *handle) {
    hws__uv_unref(handle->data);
}

void hws__uv_enter(hws_uv *ws) {
    hws_uv_hub *hub = ws->hub;
    (void)uv_timer_init(hub->loop, &ws->timer);
    ws->timer.data = ws;
    ws->refs++;
    hws__uv_list_add(&hub->all, &ws->all);
    hub->alive++;
    hub->count += !ws->refusing;
    hub->accepted += !ws->refusing && ws->role == HWS_ROLE_SERVER;
    hub->refusals += ws->refusing;
    hws__uv_hub_look(hub);
    hws__uv_touch(ws);
}

static void leave(hws_uv *ws) {
    hws_uv_hub *hub = ws->hub;
    hws__uv_list_remove(&ws->all);
    if (ws->touched.prev != NULL) {
        hws__uv_list_remove(&ws->touched);
        hub->touched_count--;
    }
    hub->count -= !ws->refusing;
    hub->accepted -= !ws->refusing && ws->role == HWS_ROLE_SERVER;
    hub->refusals -= ws->refusing;
    hws__uv_hub_look(hub);
}

/* After HWS_END: nobody knows the connection any more, but libuv. */
static void end(hws_uv *ws) {
    ws->over = 1;
    leave(ws);
    release(ws);
    uv_close((uv_handle_t *)&ws->timer, on_timer_closed);
    if (ws->stream != NULL) {
        uv_close((uv_handle_t *)ws->stream, hws__uv_stream_closed);
    }
    hws__uv_dial_cancel(ws);
}

/* Above the limit: what a program would do that looks at requests no further. */
static void refuse(hws_uv *ws) {
    hws_field field = {hws_text_from("Retry-After"), hws_text_from(ws->hub->retry_after)};
    hws_status status = hws_endpoint_respond(&ws->endpoint, 503, &field, 1, NULL, 0);
    if (status != HWS_OK) {
        (void)hws_endpoint_abort(&ws->endpoint, status);
    }
}

static void tell(hws_uv *ws, const hws_event *ev) {
    if (!ws->refusing) {
        ws->hub->config.on_event(ws, ev);
    } else if (ev->type == HWS_REQUEST) {
        refuse(ws);
    }
}

void hws__uv_hand_out(hws_uv *ws, uint8_t *buf, size_t len, size_t *used) {
    hws_event ev;
    while (!ws->over && hws_endpoint_next(&ws->endpoint, buf, len, used, &ev) == HWS_EVENT) {
        tell(ws, &ev);
        if (ev.type == HWS_OPEN) {
            hws__uv_dial_free(ws);
        } else if (ev.type == HWS_END) {
            end(ws);
        }
    }
}

void hws__uv_fail(hws_uv *ws, int error) {
    uint8_t reset = error == UV_ECONNRESET || error == UV_EPIPE || error == UV_ECONNABORTED;
    ws->error = error;
    (void)hws_endpoint_abort(&ws->endpoint, reset ? HWS_ERR_RESET : HWS_ERR_SYSTEM);
    hws__uv_touch(ws);
}

static void on_timer(uv_timer_t *timer) {
    hws_uv *ws = timer->data;
    hws__uv_dial_tick(ws);
    hws__uv_settle(ws);
}

static void set_timer(hws_uv *ws) {
    uint64_t now = uv_now(ws->hub->loop);
    uint64_t due = hws_endpoint_timeout(&ws->endpoint);
    if (ws->dial != NULL && ws->dial->deadline < due) {
        due = ws->dial->deadline;
    }
    if (due == HWS_NEVER || (uv_is_active((uv_handle_t *)&ws->timer) && ws->due <= due)) {
        return;
    }
    ws->due = due;
    (void)uv_timer_start(&ws->timer, on_timer, due > now ? due - now : 0, 0);
}

/* What to wait for. */
static void set_waits(hws_uv *ws) {
    uint8_t wants = hws_endpoint_wants(&ws->endpoint);
    if ((wants & HWS_WANTS_SHUTDOWN) != 0) {
        hws__uv_shut(ws);
    }
    hws__uv_read(ws, (wants & HWS_WANTS_READ) != 0);
    set_timer(ws);
}

void hws__uv_settle(hws_uv *ws) {
    hws_endpoint_tick(&ws->endpoint, uv_now(ws->hub->loop));
    hws__uv_take_kept(ws);
    if (!ws->over) {
        hws__uv_flush(ws);
    }
    if (!ws->over && (hws_endpoint_wants(&ws->endpoint) & HWS_WANTS_CLOSE) != 0) {
        hws__uv_let_go(ws);
        hws__uv_take_kept(ws);
    }
    if (!ws->over) {
        set_waits(ws);
    }
}

void hws__uv_settle_input(hws_uv *ws) {
    uint8_t wants = hws_endpoint_wants(&ws->endpoint);
    if ((wants & HWS_WANTS_READ) == 0 || (wants & HWS_WANTS_CLOSE) != 0) {
        hws__uv_settle(ws);
        return;
    }
    if ((wants & HWS_WANTS_WRITE) != 0 || ws->filter != NULL) {
        hws__uv_touch(ws);
    }
    set_waits(ws);
}
