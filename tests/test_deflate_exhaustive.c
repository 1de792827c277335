/*
 * Every offer of permessage-deflate meets every policy, and every answer every offer. What has to
 * come out is worked out here from RFC 7692 7.1 alone, without a look at text that hawser wrote.
 */
#include "support.h"

#include <hawser/deflate.h>

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { HEADERS = 2, TEXT = 256, ABSENT = 0, BARE = 1 /* there without a value */ };

static const uint8_t windows[] = {8, 9, 12, 15};
static const uint8_t server_forms[] = {ABSENT, 8, 9, 12, 15};
static const uint8_t client_forms[] = {ABSENT, BARE, 8, 9, 12, 15};

/* permessage-deflate as it stands in a list: windows are ABSENT, BARE or a number. */
typedef struct entry {
    uint8_t server_fresh;
    uint8_t client_fresh;
    uint8_t server_bits;
    uint8_t client_bits;
} entry;

enum { ENTRIES = 2 * 2 * 5 * 6, POLICIES = 2 * 2 * 4 * 4 * 2, OFFERS = 2 * 2 * 4 * 5 };

static entry entry_of(size_t i) {
    entry e = {(uint8_t)(i % 2), (uint8_t)(i / 2 % 2), server_forms[i / 4 % 5],
               client_forms[i / 20 % 6]};
    return e;
}

static hws_deflate_params policy_of(size_t i) {
    hws_deflate_params p = {1,
                            (uint8_t)(i % 2),
                            (uint8_t)(i / 2 % 2),
                            windows[i / 4 % 4],
                            windows[i / 16 % 4],
                            (uint8_t)(i / 64),
                            {0}};
    return p;
}

static hws_deflate_params offer_of(size_t i) {
    static const uint8_t limits[] = {0, 8, 9, 12, 15};
    hws_deflate_params p = {
        1, (uint8_t)(i % 2), (uint8_t)(i / 2 % 2), windows[i / 4 % 4], limits[i / 16 % 5], 0, {0}};
    return p;
}

/* An entry as the client has it that writes it. */
static hws_deflate_params params_of(const entry *e) {
    hws_deflate_params p = {1,
                            e->server_fresh,
                            e->client_fresh,
                            e->server_bits == ABSENT ? 15 : e->server_bits,
                            e->client_bits == BARE ? 15 : e->client_bits,
                            0,
                            {0}};
    return p;
}

static size_t put_window(char *text, size_t at, const char *name, uint8_t bits) {
    if (bits == ABSENT) {
        return at;
    }
    int len = bits == BARE ? snprintf(text + at, TEXT - at, "; %s", name)
                           : snprintf(text + at, TEXT - at, "; %s=%u", name, bits);
    return at + (size_t)len;
}

/* In an order of its own. */
static size_t put_entry(char *text, const entry *e) {
    size_t at = (size_t)snprintf(text, TEXT, "permessage-deflate%s",
                                 e->client_fresh ? "; client_no_context_takeover" : "");
    at = put_window(text, at, "client_max_window_bits", e->client_bits);
    at = put_window(text, at, "server_max_window_bits", e->server_bits);
    return at + (size_t)snprintf(text + at, TEXT - at, "%s",
                                 e->server_fresh ? "; server_no_context_takeover" : "");
}

typedef struct message {
    hws_header headers[HEADERS];
    hws_head head;
    char buf[2 * TEXT];
} message;

static void make(message *m, uint8_t kind, const char *value, size_t len) {
    int n = snprintf(m->buf, sizeof m->buf, "%sSec-WebSocket-Extensions: %.*s\r\n\r\n",
                     kind == HWS_HEAD_REQUEST ? "GET / HTTP/1.1\r\n" : "HTTP/1.1 101 X\r\n",
                     (int)len, value);
    hws_head_init(&m->head, kind, m->headers, HEADERS);
    assert_int_equal(hws_head_parse(&m->head, (uint8_t *)m->buf, (size_t)n), HWS_OK);
}

static uint8_t least(uint8_t a, uint8_t b) {
    return a < b ? a : b;
}

/* What a policy and an offer come to. */
static hws_deflate_params meet(const hws_deflate_params *policy, const entry *offer) {
    hws_deflate_params p = {0, 0, 0, 15, 15, 0, {0}};
    if (policy->require_client_max_window_bits && policy->client_max_window_bits != 15 &&
        offer->client_bits == ABSENT) {
        return p;
    }
    p.enabled = 1;
    p.server_no_context_takeover = policy->server_no_context_takeover | offer->server_fresh;
    p.client_no_context_takeover = policy->client_no_context_takeover | offer->client_fresh;
    p.server_max_window_bits = offer->server_bits == ABSENT
                                   ? policy->server_max_window_bits
                                   : least(policy->server_max_window_bits, offer->server_bits);
    if (offer->client_bits == BARE) {
        p.client_max_window_bits = policy->client_max_window_bits;
    } else if (offer->client_bits != ABSENT) {
        p.client_max_window_bits = least(policy->client_max_window_bits, offer->client_bits);
    }
    return p;
}

static uint8_t says(const char *text, const char *param) {
    return strstr(text, param) != NULL;
}

/* RFC 7692 7.1: what is asked for is granted in words, and what the client cannot do is not asked
 * of it; 15 bits are not mentioned where nobody spoke of them. */
static void check_words(const char *answer, const entry *offer, const hws_deflate_params *agreed) {
    assert_int_equal(says(answer, "server_no_context_takeover"),
                     agreed->server_no_context_takeover);
    assert_int_equal(says(answer, "client_no_context_takeover"),
                     agreed->client_no_context_takeover);
    assert_int_equal(says(answer, "server_max_window_bits="),
                     agreed->server_max_window_bits < 15 || offer->server_bits != ABSENT);
    assert_int_equal(says(answer, "client_max_window_bits="),
                     agreed->client_max_window_bits < 15 || offer->client_bits > BARE);
    assert_int_equal(says(answer, "client_max_window_bits"),
                     says(answer, "client_max_window_bits="));
}

static void check_meeting(const hws_deflate_params *policy, const entry *offer,
                          const message *request) {
    const hws_deflate_params client = params_of(offer);
    const hws_deflate_params want = meet(policy, offer);
    hws_deflate_params server_agreed;
    hws_deflate_params client_agreed;
    char answer[HWS_DEFLATE_TEXT_MAX + 1];
    size_t n = 0;
    message response;
    assert_int_equal(hws_deflate_accept(policy, &request->head, (const uint8_t *)request->buf,
                                        &server_agreed, (uint8_t *)answer, HWS_DEFLATE_TEXT_MAX,
                                        &n),
                     HWS_OK);
    answer[n] = '\0';
    assert_memory_equal(&server_agreed, &want, sizeof want);
    assert_int_equal(n > 0, want.enabled);
    if (!want.enabled) {
        return;
    }
    check_words(answer, offer, &want);
    make(&response, HWS_HEAD_RESPONSE, answer, n);
    assert_int_equal(hws_deflate_verify(&client, 1, &response.head, (const uint8_t *)response.buf,
                                        &client_agreed),
                     HWS_OK);
    assert_memory_equal(&client_agreed, &want, sizeof want);
}

static void every_offer_meets_every_policy(void **state) {
    (void)state;
    for (size_t i = 0; i < ENTRIES; i++) {
        entry offer = entry_of(i);
        char text[TEXT];
        message request;
        make(&request, HWS_HEAD_REQUEST, text, put_entry(text, &offer));
        for (size_t k = 0; k < POLICIES; k++) {
            hws_deflate_params policy = policy_of(k);
            check_meeting(&policy, &offer, &request);
        }
    }
}

/* RFC 7692 7.1.1.1, 7.1.2.1, 7.1.2.2: whether an answer may be given to an offer. */
static uint8_t allowed(const hws_deflate_params *offer, const entry *answer) {
    if (answer->client_bits == BARE) {
        return 0;
    }
    if (offer->server_no_context_takeover && !answer->server_fresh) {
        return 0;
    }
    if (offer->server_max_window_bits < 15 &&
        (answer->server_bits == ABSENT || answer->server_bits > offer->server_max_window_bits)) {
        return 0;
    }
    return answer->client_bits == ABSENT || offer->client_max_window_bits != 0;
}

static void check_answer(const hws_deflate_params *offers, size_t count, const entry *answer,
                         const message *m) {
    hws_deflate_params agreed;
    hws_deflate_params want = params_of(answer);
    uint8_t good = 0;
    want.client_max_window_bits = answer->client_bits == ABSENT ? 15 : answer->client_bits;
    for (size_t i = 0; i < count; i++) {
        uint8_t own = offers[i].client_max_window_bits;
        if (!allowed(&offers[i], answer)) {
            continue;
        }
        good = 1; /* 7.1.1.2, 7.1.2.2: and what the client said of itself holds */
        want.client_no_context_takeover |= offers[i].client_no_context_takeover;
        if (own != 0 && own < want.client_max_window_bits) {
            want.client_max_window_bits = own;
        }
    }
    hws_status status =
        hws_deflate_verify(offers, count, &m->head, (const uint8_t *)m->buf, &agreed);
    assert_int_equal(status, good ? HWS_OK : HWS_ERR_EXTENSION);
    if (good) {
        assert_memory_equal(&agreed, &want, sizeof want);
    }
}

/* The offer alone, and with each other one behind it. */
static void every_answer_is_judged_by_every_offer(void **state) {
    (void)state;
    for (size_t i = 0; i < ENTRIES; i++) {
        entry answer = entry_of(i);
        char text[TEXT];
        message m;
        make(&m, HWS_HEAD_RESPONSE, text, put_entry(text, &answer));
        for (size_t k = 0; k < OFFERS * OFFERS; k++) {
            hws_deflate_params offers[] = {offer_of(k / OFFERS), offer_of(k % OFFERS)};
            check_answer(offers, 1 + (size_t)(k % OFFERS > 0), &answer, &m);
        }
    }
}

/* What hws_deflate_offer() writes is what the server reads: a server that wants nothing itself
 * agrees to what was offered. */
static void every_offer_is_read_as_it_was_meant(void **state) {
    static const hws_deflate_params policy = {1, 0, 0, 15, 15, 0, {0}};
    (void)state;
    for (size_t i = 0; i < OFFERS; i++) {
        hws_deflate_params want = offer_of(i);
        hws_deflate_params offer = want;
        hws_deflate_params agreed;
        char text[HWS_DEFLATE_TEXT_MAX];
        uint8_t answer[HWS_DEFLATE_TEXT_MAX];
        size_t len = 0;
        size_t n = 0;
        message m;
        assert_int_equal(hws_deflate_offer(&offer, 1, (uint8_t *)text, sizeof text, &len), HWS_OK);
        make(&m, HWS_HEAD_REQUEST, text, len);
        assert_int_equal(hws_deflate_accept(&policy, &m.head, (const uint8_t *)m.buf, &agreed,
                                            answer, sizeof answer, &n),
                         HWS_OK);
        want.client_max_window_bits =
            offer.client_max_window_bits == 0 ? 15 : offer.client_max_window_bits;
        assert_memory_equal(&agreed, &want, sizeof want);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_offer_meets_every_policy),
        cmocka_unit_test(every_answer_is_judged_by_every_offer),
        cmocka_unit_test(every_offer_is_read_as_it_was_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
