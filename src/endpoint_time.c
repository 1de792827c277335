/*
 * Deadlines of an endpoint: what keepalive.c finds due is done here. Knows no rule about time.
 */
#include "endpoint.h"

/* The opening handshake has taken too long: a server says so (RFC 9110 15.5.9, 15.6.4). */
static void end_opening(hws__endpoint *e) {
    uint16_t status = e->phase == HWS__WAITS ? 503 : 408;

    if (e->config->role == HWS_ROLE_CLIENT || e->phase > HWS__WAITS ||
        hws__endpoint_respond(e, status, NULL, 0, NULL, 0) != HWS_OK) {
        hws__endpoint_abort(e, HWS_ERR_TIMEOUT);
        return;
    }
    e->status = HWS_ERR_TIMEOUT;
}

/* How long compression may still hold memory that it can give back; HWS_NEVER when it holds none,
 * or may keep it. */
static uint64_t trim_left_ms(const hws__endpoint *e) {
    uint64_t quiet_ms = hws_keepalive_quiet_ms(&e->keepalive);
    uint32_t limit_ms = e->config->trim_after_ms;

    if (e->deflate == NULL || e->trimmed || limit_ms == 0) {
        return HWS_NEVER;
    }
    return quiet_ms < limit_ms ? limit_ms - quiet_ms : 0;
}

void hws_endpoint_tick(hws_endpoint *endpoint, uint64_t now_ms) {
    hws__endpoint *e = hws__endpoint_of(endpoint);

    e->now = now_ms;
    if (hws__endpoint_is_over(e)) {
        return;
    }
    hws_status status = hws_keepalive_tick(&e->keepalive, &e->config->keepalive, now_ms);
    if (trim_left_ms(e) == 0) {
        hws_endpoint_trim(endpoint);
    }
    switch (status) {
    case HWS_OK:
        return;
    case HWS_EVENT:
        hws_keepalive_ping(&e->keepalive, e->ping);
        e->ping_due = 1;
        hws__endpoint_replies(e, 0);
        return;
    case HWS_ERR_TIMEOUT:
        end_opening(e);
        return;
    case HWS_ERR_STALLED:
        hws__endpoint_abort(e, status);
        return;
    case HWS_ERR_IDLE:
        hws__endpoint_leave(e, status);
        return;
    default:
        hws__endpoint_fail(e, status);
    }
}

uint64_t hws_endpoint_timeout(const hws_endpoint *endpoint) {
    const hws__endpoint *e = hws__endpoint_of_const(endpoint);

    if (hws__endpoint_is_over(e)) {
        return e->ended ? HWS_NEVER : e->now;
    }
    uint64_t at = hws_keepalive_timeout(&e->keepalive, &e->config->keepalive);
    uint64_t left_ms = trim_left_ms(e);
    return left_ms < at - e->now ? e->now + left_ms : at;
}
