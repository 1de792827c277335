/*
 * Any text as the extensions of a request and of a response. Invariant: what both sides make of
 * permessage-deflate is what a reader that knows good parameters as a list of words makes of it
 * (RFC 7692 7.1); an answer is within offer and policy, and the client that made the offer takes it
 * for the same; texts are written as a whole or not at all.
 *
 * Each line is the value of one Sec-WebSocket-Extensions. The last six bytes are twice three: the
 * server's policy and the client's first offer, then his second. A digit adds 1 for no context
 * takeover of the server, 2 for none of the client, 4 for a client's window that is required, 8 for
 * one that is off or not there; windows follow, of server and client, as letters: h is 8, o is 15.
 */
#include "head.h"

enum { MAX_INPUT = 600, ROOM = 2048, ABSENT = 0, BARE = 1, LARGEST = 15 };

/* One permessage-deflate of a list. */
typedef struct seen {
    uint8_t good;
    uint8_t server_fresh;
    uint8_t client_fresh;
    uint8_t server_bits; /* ABSENT, or 8 … 15 */
    uint8_t client_bits; /* the same, or BARE */
} seen;

static const hws_deflate_params none = {0, 0, 0, LARGEST, LARGEST, 0, {0}};

/* The text without white space, quotes and backslashes: what is left between commas and semicolons
 * of a good list are words. Lines become elements. Ends with a comma. */
static size_t strip(char *words, const uint8_t *data, size_t size) {
    size_t n = 0;
    size_t i = 0;

    while (i < size) {
        if (data[i] == '\n') {
            words[n++] = ',';
        } else if (strchr(" \t\"\\", data[i]) == NULL) {
            words[n++] = (char)data[i];
        }
        i++;
    }
    words[n] = ',';
    return n + 1;
}

static int is_word(const char *word, size_t len, const char *other) {
    return len == strlen(other) && memcmp(word, other, len) == 0;
}

/* The window of a word "name=8" … "name=15"; 0 for any other word. */
static uint8_t window_of(const char *word, size_t len, const char *name) {
    uint8_t bits = 8;
    char other[40];

    while (bits <= LARGEST) {
        snprintf(other, sizeof other, "%s=%u", name, bits);
        if (is_word(word, len, other)) {
            return bits;
        }
        bits++;
    }
    return 0;
}

/* Each parameter may be set once. */
static uint8_t set(uint8_t *field, uint8_t value) {
    uint8_t good = *field == 0 && value != 0;

    *field = value;
    return good;
}

static void see_param(seen *s, const char *word, size_t len) {
    uint8_t server_bits = window_of(word, len, "server_max_window_bits");
    uint8_t client_bits = is_word(word, len, "client_max_window_bits")
                              ? BARE
                              : window_of(word, len, "client_max_window_bits");

    if (is_word(word, len, "server_no_context_takeover")) {
        s->good &= set(&s->server_fresh, 1);
    } else if (is_word(word, len, "client_no_context_takeover")) {
        s->good &= set(&s->client_fresh, 1);
    } else if (server_bits != 0) {
        s->good &= set(&s->server_bits, server_bits);
    } else {
        s->good &= set(&s->client_bits, client_bits);
    }
}

/* All permessage-deflate of a good list, in order. Returns how many. */
static size_t see(seen *list, const uint8_t *data, size_t size) {
    char words[MAX_INPUT + 1];
    size_t len = strip(words, data, size);
    size_t count = 0;
    size_t start = 0;
    size_t i = 0;
    uint8_t first = 1; /* the next word is a name */
    uint8_t inside = 0;

    while (i < len) {
        if (words[i] != ',' && words[i] != ';') {
            i++;
            continue;
        }
        if (first) {
            inside = is_word(words + start, i - start, "permessage-deflate") != 0;
            list[count] = (seen){1, 0, 0, ABSENT, ABSENT};
            count += inside ? 1 : 0;
        } else if (inside) {
            see_param(&list[count - 1], words + start, i - start);
        }
        first = words[i] == ',';
        i++;
        start = i;
    }
    return count;
}

static hws_deflate_params params_of(const uint8_t *bytes) {
    hws_deflate_params p = {
        (bytes[0] & 8) == 0, bytes[0] & 1, bytes[0] >> 1 & 1, bytes[1] & 31, bytes[2] & 31,
        bytes[0] >> 2 & 1,   {0}};
    return p;
}

static int is_window(uint8_t bits) {
    return bits >= 8 && bits <= LARGEST;
}

static uint8_t least(uint8_t a, uint8_t b) {
    return a < b ? a : b;
}

static int same(const hws_deflate_params *a, const hws_deflate_params *b) {
    return memcmp(a, b, sizeof *a) == 0;
}

/* A head, with each line as a field, in memory of its own. Returns its status. */
static hws_status open_head(hws_head *head, hws_header *headers, uint8_t kind, const char *start,
                            const uint8_t *data, size_t size, uint8_t **buf) {
    static const char name[] = "Sec-WebSocket-Extensions: ";
    size_t cap = strlen(start) + (size + 1) * (sizeof name + 1) + 2;
    char *text = malloc(cap);
    size_t n = strlen(start);
    size_t i = 0;

    CHECK(text != NULL);
    memcpy(text, start, n);
    while (i < size) {
        memcpy(text + n, name, sizeof name - 1);
        n += sizeof name - 1;
        while (i < size && data[i] != '\n') {
            text[n++] = (char)data[i++];
        }
        memcpy(text + n, "\r\n", 2);
        n += 2;
        i++;
    }
    memcpy(text + n, "\r\n", 2);
    *buf = fuzz_copy((const uint8_t *)text, n + 2);
    free(text);
    hws_head_init(head, kind, headers, FUZZ_HEADERS);
    return hws_head_parse(head, *buf, n + 2);
}

/* An answer says what was agreed, and the client that made the offer reads it so. */
static void check_answer(const seen *offer, const hws_deflate_params *agreed, const uint8_t *answer,
                         size_t n) {
    hws_deflate_params asked = {1,
                                offer->server_fresh,
                                offer->client_fresh,
                                offer->server_bits,
                                offer->client_bits == BARE ? LARGEST : offer->client_bits,
                                0,
                                {0}};
    hws_header headers[FUZZ_HEADERS];
    hws_deflate_params read;
    seen list[MAX_INPUT];
    hws_head head;
    uint8_t *buf;

    CHECK(n <= HWS_DEFLATE_TEXT_MAX && see(list, answer, n) == 1 && list[0].good);
    CHECK(list[0].server_fresh >= offer->server_fresh && list[0].client_bits != BARE);
    CHECK((list[0].server_bits != ABSENT) >= (offer->server_bits != ABSENT));
    CHECK((list[0].client_bits != ABSENT) <= (offer->client_bits != ABSENT));
    if (asked.server_max_window_bits == ABSENT) {
        asked.server_max_window_bits = LARGEST;
    }
    CHECK(open_head(&head, headers, HWS_HEAD_RESPONSE, "HTTP/1.1 101 \r\n", answer, n, &buf) ==
          HWS_OK);
    CHECK(hws_deflate_verify(&asked, 1, &head, buf, &read) == HWS_OK && same(&read, agreed));
    free(buf);
}

/* What a policy and an offer have to come to. */
static hws_deflate_params meet(const hws_deflate_params *policy, const seen *offer) {
    hws_deflate_params p = *policy;

    p.require_client_max_window_bits = 0;
    p.server_no_context_takeover |= offer->server_fresh;
    p.client_no_context_takeover |= offer->client_fresh;
    if (offer->server_bits != ABSENT) {
        p.server_max_window_bits = least(p.server_max_window_bits, offer->server_bits);
    }
    if (offer->client_bits == ABSENT) {
        p.client_max_window_bits = LARGEST;
    } else if (offer->client_bits != BARE) {
        p.client_max_window_bits = least(p.client_max_window_bits, offer->client_bits);
    }
    return p;
}

/* The first offer that a policy can meet; count when there is none. */
static size_t choose(const hws_deflate_params *policy, const seen *list, size_t count) {
    size_t i = 0;

    if (!policy->enabled) {
        return count;
    }
    while (i < count && (!list[i].good || (policy->require_client_max_window_bits &&
                                           policy->client_max_window_bits != LARGEST &&
                                           list[i].client_bits == ABSENT))) {
        i++;
    }
    return i;
}

/* The same answer once more, into room of just its size and of a byte less. */
static void check_room(const hws_deflate_params *policy, const hws_head *head, const uint8_t *buf,
                       const hws_deflate_params *agreed, const uint8_t *answer, size_t len) {
    hws_deflate_params again;
    size_t n = 0;

    CHECK(len > 0);
    uint8_t *out = fuzz_copy(answer, len);
    uint8_t *less = fuzz_copy(answer, len - 1);
    CHECK(hws_deflate_accept(policy, head, buf, &again, less, len - 1, &n) == HWS_ERR_SPACE);
    CHECK(n == 0 && same(&again, &none));
    CHECK(hws_deflate_accept(policy, head, buf, &again, out, len, &n) == HWS_OK);
    CHECK(n == len && memcmp(out, answer, len) == 0 && same(&again, agreed));
    free(less);
    free(out);
}

static void check_accept(const hws_deflate_params *policy, const hws_handshake *handshake,
                         const hws_head *head, const uint8_t *buf, const seen *list, size_t count) {
    uint8_t text[ROOM];
    uint8_t out[ROOM];
    hws_deflate_params agreed = *policy;
    hws_accept_config config;
    size_t n = 0;
    size_t written = 0;
    hws_status status = hws_deflate_accept(policy, head, buf, &agreed, text, sizeof text, &n);

    if (policy->enabled && (!is_window(policy->server_max_window_bits) ||
                            !is_window(policy->client_max_window_bits))) {
        CHECK(status == HWS_ERR_ARGUMENT && n == 0 && same(&agreed, policy));
        return;
    }
    CHECK(status == HWS_OK);
    size_t i = choose(policy, list, count);
    if (i == count) {
        CHECK(n == 0 && same(&agreed, &none));
        return;
    }
    hws_deflate_params want = meet(policy, &list[i]);
    CHECK(same(&agreed, &want));
    check_answer(&list[i], &agreed, text, n);
    check_room(policy, head, buf, &agreed, text, n);
    hws_accept_config_init(&config);
    config.origin.kind = HWS_ORIGIN_ANY;
    config.extensions = (hws_text){(const char *)text, n};
    CHECK(hws_handshake_accept(handshake, head, buf, &config, out, sizeof out, &written) == HWS_OK);
}

static void as_request(const hws_deflate_params *policy, const uint8_t *data, size_t size) {
    hws_header headers[FUZZ_HEADERS];
    hws_deflate_params agreed;
    hws_handshake handshake;
    seen list[MAX_INPUT];
    uint8_t text[HWS_DEFLATE_TEXT_MAX];
    hws_head head;
    uint8_t *buf;
    size_t n = 0;

    if (open_head(&head, headers, HWS_HEAD_REQUEST,
                  "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n",
                  data, size, &buf) == HWS_OK) {
        hws_status status = hws_handshake_parse(&head, buf, &handshake);
        if (status == HWS_OK) {
            check_accept(policy, &handshake, &head, buf, list, see(list, data, size));
        } else { /* not asked for, but it has to end well */
            CHECK(status == HWS_ERR_EXTENSION);
            hws_deflate_accept(policy, &head, buf, &agreed, text, sizeof text, &n);
        }
    }
    free(buf);
}

/* RFC 7692 7.1.1.1, 7.1.2.1, 7.1.2.2: whether an answer may be given to an offer. */
static int allowed(const hws_deflate_params *offer, const seen *answer) {
    uint8_t window = answer->server_bits == ABSENT ? LARGEST : answer->server_bits;

    if (offer->server_no_context_takeover > answer->server_fresh ||
        offer->server_max_window_bits < window) {
        return 0;
    }
    return answer->client_bits == ABSENT || offer->client_max_window_bits != 0;
}

static void check_verify(const hws_deflate_params *offers, size_t count, const hws_head *head,
                         const uint8_t *buf, const seen *list, size_t answers) {
    hws_deflate_params agreed = offers[0];
    hws_status status = hws_deflate_verify(offers, count, head, buf, &agreed);
    uint8_t good = answers == 1 && list[0].good && list[0].client_bits != BARE;

    if (answers == 0) {
        CHECK(status == HWS_OK && same(&agreed, &none));
        return;
    }
    if (!good || (!allowed(&offers[0], &list[0]) && !allowed(&offers[count - 1], &list[0]))) {
        CHECK(status == HWS_ERR_EXTENSION && same(&agreed, &offers[0]));
        return;
    }
    hws_deflate_params want = {1, 0, 0, LARGEST, LARGEST, 0, {0}};
    want = meet(&want, &list[0]);
    for (size_t i = 0; i < count; i++) {
        /* RFC 7692 7.1.1.2, 7.1.2.2: what the client said of itself holds. */
        const hws_deflate_params *offer = &offers[i];
        uint8_t fits = allowed(offer, &list[0]) != 0;
        want.client_no_context_takeover |= fits && offer->client_no_context_takeover;
        if (fits && offer->client_max_window_bits != 0 &&
            offer->client_max_window_bits < want.client_max_window_bits) {
            want.client_max_window_bits = offer->client_max_window_bits;
        }
    }
    CHECK(status == HWS_OK && same(&agreed, &want));
}

/* An offer that was written reads as it was meant. */
static void check_offer(const hws_deflate_params *offers, size_t count, const uint8_t *text,
                        size_t n) {
    seen list[MAX_INPUT];
    size_t i = 0;

    CHECK(n <= count * HWS_DEFLATE_TEXT_MAX && see(list, text, n) == count);
    while (i < count) {
        hws_deflate_params all = {1, 0, 0, LARGEST, LARGEST, 0, {0}};
        hws_deflate_params want = offers[i];
        all = meet(&all, &list[i]);
        if (list[i].client_bits == ABSENT) {
            all.client_max_window_bits = 0;
        }
        want.require_client_max_window_bits = 0;
        CHECK(list[i].good && same(&all, &want));
        i++;
    }
}

/* The offers' text, in room of just its size; 0 when they are refused. */
static size_t write_offers(const hws_deflate_params *offers, size_t count, uint8_t *text) {
    size_t n = 0;
    size_t again = 0;
    size_t bad = 0;
    size_t i = 0;

    while (i < count) {
        bad +=
            !is_window(offers[i].server_max_window_bits) ||
            (offers[i].client_max_window_bits != 0 && !is_window(offers[i].client_max_window_bits));
        i++;
    }
    hws_status status = hws_deflate_offer(offers, count, text, ROOM, &n);
    if (bad > 0) {
        CHECK(status == HWS_ERR_ARGUMENT && n == 0);
        return 0;
    }
    CHECK(status == HWS_OK && n > 0);
    check_offer(offers, count, text, n);
    uint8_t *less = fuzz_copy(text, n - 1);
    CHECK(hws_deflate_offer(offers, count, less, n - 1, &again) == HWS_ERR_SPACE && again == 0);
    free(less);
    return n;
}

/* The client offers foo as well. */
static void as_response(const hws_deflate_params *offers, size_t count, const uint8_t *data,
                        size_t size) {
    uint8_t text[ROOM];
    char start[ROOM];
    hws_header headers[FUZZ_HEADERS];
    hws_deflate_params agreed;
    hws_client_config config;
    hws_accepted accepted;
    seen list[MAX_INPUT];
    hws_key key;
    hws_head head;
    uint8_t *buf;
    size_t n = write_offers(offers, count, text);

    CHECK(hws_deflate_offer(offers, 0, NULL, 0, &(size_t){0}) == HWS_ERR_ARGUMENT);
    if (n == 0) {
        return;
    }
    memcpy(text + n, ", foo", 5);
    hws_client_config_init(&config);
    config.extensions = (hws_text){(const char *)text, n + 5};
    memcpy(key.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", HWS_ACCEPT_LEN);
    snprintf(start, sizeof start,
             "HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Accept: %.*s\r\n",
             HWS_ACCEPT_LEN, key.accept);
    if (open_head(&head, headers, HWS_HEAD_RESPONSE, start, data, size, &buf) == HWS_OK) {
        hws_status status = hws_handshake_verify(&config, &key, &head, buf, &accepted);
        if (status == HWS_OK) {
            check_verify(offers, count, &head, buf, list, see(list, data, size));
        } else { /* not asked for, but it has to end well */
            CHECK(status == HWS_ERR_EXTENSION);
            hws_deflate_verify(offers, count, &head, buf, &agreed);
        }
    }
    free(buf);
}

/* Presets are policies and offers that are in range. */
static void check_presets(void) {
    uint8_t preset = HWS_DEFLATE_BALANCED;
    hws_deflate_params params;
    uint8_t text[ROOM];

    while (preset <= HWS_DEFLATE_BEST) {
        hws_deflate_params_init(&params, preset);
        CHECK(params.enabled && write_offers(&params, 1, text) > 0);
        preset++;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    hws_deflate_params params[2];

    if (size < 6 || size > MAX_INPUT) {
        return 0;
    }
    size -= 6;
    params[0] = params_of(data + size);
    params[1] = params_of(data + size + 3);
    check_presets();
    as_request(&params[0], data, size);
    params[0].enabled = 1; /* an offer that is not there has no text */
    as_response(params, 1 + (size_t)params[1].enabled, data, size);
    return 0;
}
