/*
 * The negotiation of permessage-deflate (RFC 7692 5, 7.1): offers and answers as text, and what
 * both sides make of them. Must not know messages, nor what compresses them.
 */
#include "deflate.h"

#include "http.h"

#include <hawser/extension.h>

/* The parameters, a bit each. */
enum {
    SERVER_TAKEOVER = 1,
    CLIENT_TAKEOVER = 2,
    SERVER_BITS = 4,
    CLIENT_BITS = 8,
    CLIENT_BITS_VALUE = 16 /* that one has a value */
};

/* One permessage-deflate in a list: an offer or an answer. Windows that it does not speak of have
 * 15 bits (RFC 7692 7.1.2). */
typedef struct reading {
    uint8_t has; /* the parameters in it */
    uint8_t good;
    uint8_t server_bits;
    uint8_t client_bits;
} reading;

/* A list of extensions, and where reading it stands. */
typedef struct walk {
    const hws_head *head;
    const uint8_t *buf;
    hws_extension step;
    hws_status kind;
} walk;

static hws_text extension_name(void) {
    return HWS__TEXT("permessage-deflate");
}

static void advance(walk *w) {
    w->kind = hws_extension_next(w->head, w->buf, &w->step);
}

static walk begin_walk(const hws_head *head, const uint8_t *buf) {
    walk w = {head, buf, {{0, 0}, {0, 0}, {0, 0}, {0, 0}, 0, 0, {0}}, HWS_EXTENSION_END};
    advance(&w);
    return w;
}

/* A decimal number without leading zero, 8 to 15; 0 for anything else. Quotes are gone, a backslash
 * of a quoted pair is not (RFC 7692 7.1.2, RFC 6455 9.1). */
static uint8_t window_bits(const walk *w) {
    hws_text value = hws__text_at(w->buf, w->step.value);
    uint8_t bits = 0;
    size_t i = 0;
    while (i < value.len) {
        uint8_t byte = (uint8_t)value.data[i];
        i++;
        if (byte == '\\') {
            continue;
        }
        if (!hws__is_digit(byte) || (bits == 0 && byte == '0') || bits > 9) {
            return 0;
        }
        bits = (uint8_t)(10 * bits + (byte - '0'));
    }
    return hws__is_window(bits) ? bits : 0;
}

/* The parameter that a walk stands at; 0 when it is not one that can stand there. RFC 7692 7.1.1,
 * 7.1.2: two have no value, one has to have one, one may. */
static uint8_t take_param(const walk *w, reading *r) {
    static const hws_text names[] = {{"server_no_context_takeover", 26},
                                     {"client_no_context_takeover", 26},
                                     {"server_max_window_bits", 22},
                                     {"client_max_window_bits", 22}};
    hws_text name = hws__text_at(w->buf, w->step.name);
    uint8_t bits = w->step.has_value ? window_bits(w) : 0;
    uint32_t i = 0;
    while (i < 4 && !hws__text_equal(name, names[i])) {
        i++;
    }
    uint8_t param = (uint8_t)(1U << i);
    if (i == 4 || (r->has & param) != 0) {
        return 0; /* RFC 7692 7.1: unknown, or there twice */
    }
    r->has |= param;
    if (param == SERVER_BITS) {
        r->server_bits = bits;
        return bits != 0;
    }
    if (param == CLIENT_BITS && w->step.has_value) {
        r->has |= CLIENT_BITS_VALUE;
        r->client_bits = bits;
        return bits != 0;
    }
    return !w->step.has_value;
}

/* Read the next permessage-deflate of a list. Returns 0 at its end. */
static uint8_t next_reading(walk *w, reading *r) {
    while (w->kind > HWS_EXTENSION_END &&
           (w->kind != HWS_EXTENSION_NAME ||
            !hws__text_equal(hws__text_at(w->buf, w->step.name), extension_name()))) {
        advance(w);
    }
    if (w->kind <= HWS_EXTENSION_END) {
        return 0;
    }
    *r = (reading){0, 1, HWS__MAX_WINDOW, HWS__MAX_WINDOW};
    advance(w);
    while (w->kind == HWS_EXTENSION_PARAM) {
        r->good &= take_param(w, r);
        advance(w);
    }
    r->good &= w->kind >= HWS_EXTENSION_END;
    return 1;
}

/* What is written: the parameters in `has`. */
static void write_params(hws__writer *w, uint8_t has, const hws_deflate_params *params) {
    hws__write_text(w, extension_name());
    if ((has & SERVER_TAKEOVER) != 0) {
        hws__write_text(w, HWS__TEXT("; server_no_context_takeover"));
    }
    if ((has & CLIENT_TAKEOVER) != 0) {
        hws__write_text(w, HWS__TEXT("; client_no_context_takeover"));
    }
    if ((has & SERVER_BITS) != 0) {
        hws__write_text(w, HWS__TEXT("; server_max_window_bits="));
        hws__write_number(w, params->server_max_window_bits);
    }
    if ((has & CLIENT_BITS) != 0) {
        hws__write_text(w, HWS__TEXT("; client_max_window_bits"));
    }
    if ((has & CLIENT_BITS_VALUE) != 0) {
        hws__write_text(w, HWS__TEXT("="));
        hws__write_number(w, params->client_max_window_bits);
    }
}

static hws_status end_writing(const hws__writer *w, size_t *n) {
    if (w->full) {
        return HWS_ERR_SPACE;
    }
    *n = w->n;
    return HWS_OK;
}

void hws_deflate_params_init(hws_deflate_params *params, uint8_t preset) {
    uint8_t small = preset == HWS_DEFLATE_SMALL;
    uint8_t bits = preset == HWS_DEFLATE_BEST ? HWS__MAX_WINDOW : small ? 11 : 12;
    *params = (hws_deflate_params){1, small, small, bits, bits, 0, {0}};
}

/* The windows of an offer of a client, or of a server's policy and what was agreed. */
uint8_t hws__deflate_params_are_good(const hws_deflate_params *params, uint8_t role) {
    return hws__is_window(params->server_max_window_bits) &&
           (hws__is_window(params->client_max_window_bits) ||
            (role == HWS_ROLE_CLIENT && params->client_max_window_bits == 0));
}

/* RFC 7692 7.1: what an offer says. A limit of 15 for the server is none. */
static uint8_t offered(const hws_deflate_params *offer) {
    uint8_t has = 0;
    has |= offer->server_no_context_takeover ? SERVER_TAKEOVER : 0;
    has |= offer->client_no_context_takeover ? CLIENT_TAKEOVER : 0;
    has |= offer->server_max_window_bits < HWS__MAX_WINDOW ? SERVER_BITS : 0;
    has |= offer->client_max_window_bits != 0 ? CLIENT_BITS : 0;
    has |= hws__is_window(offer->client_max_window_bits) &&
                   offer->client_max_window_bits < HWS__MAX_WINDOW
               ? CLIENT_BITS_VALUE
               : 0;
    return has;
}

hws_status hws_deflate_offer(const hws_deflate_params *offers, size_t count, uint8_t *out,
                             size_t cap, size_t *n) {
    hws__writer w = {out, cap, *n, 0};
    size_t i = 0;
    if (count == 0) {
        return HWS_ERR_ARGUMENT;
    }
    while (i < count) {
        if (!hws__deflate_params_are_good(&offers[i], HWS_ROLE_CLIENT)) {
            return HWS_ERR_ARGUMENT;
        }
        if (i > 0) {
            hws__write_text(&w, HWS__TEXT(", "));
        }
        write_params(&w, offered(&offers[i]), &offers[i]);
        i++;
    }
    return end_writing(&w, n);
}

static uint8_t least(uint8_t a, uint8_t b) {
    return a < b ? a : b;
}

/* What a server answers to an offer: the parameters of the answer in *has. 0: it declines. */
static uint8_t answer(const hws_deflate_params *policy, const reading *offer,
                      hws_deflate_params *agreed, uint8_t *has) {
    uint8_t limits_client = (offer->has & CLIENT_BITS) != 0;
    if (!offer->good || (policy->require_client_max_window_bits && !limits_client &&
                         policy->client_max_window_bits < HWS__MAX_WINDOW)) {
        return 0;
    }
    /* RFC 7692 7.1.1: the first has to be answered in kind, the second is a hint worth taking. */
    uint8_t server_fresh =
        policy->server_no_context_takeover != 0 || (offer->has & SERVER_TAKEOVER) != 0;
    uint8_t client_fresh =
        policy->client_no_context_takeover != 0 || (offer->has & CLIENT_TAKEOVER) != 0;
    uint8_t server_bits = least(policy->server_max_window_bits, offer->server_bits);
    /* RFC 7692 7.1.2.2: a client that does not say that it can, cannot be limited. */
    uint8_t client_bits =
        limits_client ? least(policy->client_max_window_bits, offer->client_bits) : HWS__MAX_WINDOW;
    *agreed = (hws_deflate_params){1, server_fresh, client_fresh, server_bits, client_bits, 0, {0}};
    *has = (uint8_t)((server_fresh ? SERVER_TAKEOVER : 0) | (client_fresh ? CLIENT_TAKEOVER : 0));
    if (server_bits < HWS__MAX_WINDOW || (offer->has & SERVER_BITS) != 0) {
        *has |= SERVER_BITS;
    }
    if (client_bits < HWS__MAX_WINDOW || (offer->has & CLIENT_BITS_VALUE) != 0) {
        *has |= CLIENT_BITS | CLIENT_BITS_VALUE;
    }
    return 1;
}

hws_status hws_deflate_accept(const hws_deflate_params *policy, const hws_head *head,
                              const uint8_t *buf, hws_deflate_params *agreed, uint8_t *out,
                              size_t cap, size_t *n) {
    const hws_deflate_params none = {0, 0, 0, HWS__MAX_WINDOW, HWS__MAX_WINDOW, 0, {0}};
    hws__writer writer = {out, cap, *n, 0};
    walk w = begin_walk(head, buf);
    hws_deflate_params result = none;
    reading offer;
    uint8_t has = 0;
    if (policy->enabled && !hws__deflate_params_are_good(policy, HWS_ROLE_SERVER)) {
        return HWS_ERR_ARGUMENT;
    }
    *agreed = none;
    while (policy->enabled && !result.enabled && next_reading(&w, &offer)) {
        if (answer(policy, &offer, &result, &has)) {
            write_params(&writer, has, &result);
        }
    }
    hws_status status = end_writing(&writer, n);
    if (status == HWS_OK) {
        *agreed = result;
    }
    return status;
}

/* Whether a server's answer fits an offer: what the client asked of the server is granted, and what
 * it did not say that it can do is not asked of it. RFC 7692 7.1.1.1, 7.1.2. */
static uint8_t fits(const hws_deflate_params *offer, const reading *response) {
    uint8_t asked = offered(offer) & SERVER_TAKEOVER;
    return (asked & ~response->has) == 0 &&
           response->server_bits <= offer->server_max_window_bits &&
           ((response->has & CLIENT_BITS) == 0 || offer->client_max_window_bits != 0);
}

static hws_deflate_params answered(const reading *response) {
    return (hws_deflate_params){1,
                                (response->has & SERVER_TAKEOVER) != 0,
                                (response->has & CLIENT_TAKEOVER) != 0,
                                response->server_bits,
                                response->client_bits,
                                0,
                                {0}};
}

/* What a client said of itself in an offer holds, whatever the server made of it. RFC 7692 7.1.1.2,
 * 7.1.2.2. */
static void keep_promises(const hws_deflate_params *offer, hws_deflate_params *agreed) {
    agreed->client_no_context_takeover |= offer->client_no_context_takeover != 0;
    if (offer->client_max_window_bits != 0) {
        agreed->client_max_window_bits =
            least(offer->client_max_window_bits, agreed->client_max_window_bits);
    }
}

/* The server does not say which offer it took: all that the answer fits bind. */
static HWS__NOINLINE hws_status bind_by_answer(const hws_deflate_params *offers, size_t count,
                                               const reading *response,
                                               hws_deflate_params *agreed) {
    hws_deflate_params result = answered(response);
    hws_status status = HWS_ERR_EXTENSION;
    size_t i = 0;
    while (i < count) {
        if (fits(&offers[i], response)) {
            keep_promises(&offers[i], &result);
            status = HWS_OK;
        }
        i++;
    }
    if (status == HWS_OK) {
        *agreed = result;
    }
    return status;
}

hws_status hws_deflate_verify(const hws_deflate_params *offers, size_t count, const hws_head *head,
                              const uint8_t *buf, hws_deflate_params *agreed) {
    walk w = begin_walk(head, buf);
    reading response;
    reading second;
    if (!next_reading(&w, &response)) {
        *agreed = (hws_deflate_params){0, 0, 0, HWS__MAX_WINDOW, HWS__MAX_WINDOW, 0, {0}};
        return HWS_OK;
    }
    /* RFC 7692 7.1.2.2: in an answer client_max_window_bits has a value. */
    uint8_t valued = (response.has & (CLIENT_BITS | CLIENT_BITS_VALUE)) != CLIENT_BITS;
    if (!response.good || !valued || next_reading(&w, &second)) {
        return HWS_ERR_EXTENSION;
    }
    return bind_by_answer(offers, count, &response, agreed);
}
