/*
 * Makes the corpora, out of a generator of numbers and nothing else: no clock, no floating point,
 * no order of evaluation that a compiler may choose. Knows no compression.
 */
#include "corpus.h"

#include "corpus_words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    SYMBOLS = 24,
    DEVICES = 16,
    DICE = 8,
    SLACK = 1024,
    RARE_PERCENT = 9,
    WORDS = sizeof words / sizeof *words
};

/* Where a corpus is being made. */
typedef struct maker {
    messages *to;
    size_t at;     /* bytes of the message so far */
    size_t target; /* about how many it is to have */
    uint64_t state;
    uint32_t dice[DICE];
    uint64_t sequence;
    uint64_t time_ms;
    uint32_t price[SYMBOLS]; /* in hundredths */
    uint32_t reading[DEVICES][3];
    uint32_t weight[WORDS]; /* of all words up to this one */
} maker;

/* A well mixed number (SplitMix64). */
static uint64_t draw(maker *m) {
    m->state += 0x9e3779b97f4a7c15U;
    uint64_t z = m->state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

static uint32_t below(maker *m, uint32_t n) {
    return (uint32_t)((draw(m) >> 32) * n >> 32);
}

/* For several numbers in one call of put(), whose order must not matter: all dice are cast before,
 * and each is looked at once. */
static void cast(maker *m) {
    size_t i = 0;
    while (i < DICE) {
        m->dice[i] = (uint32_t)(draw(m) >> 32);
        i++;
    }
}

static uint32_t die(const maker *m, size_t i, uint32_t n) {
    return (uint32_t)((uint64_t)m->dice[i] * n >> 32);
}

__attribute__((format(printf, 2, 3))) static void put(maker *m, const char *format, ...) {
    char *at = (char *)m->to->bytes + m->to->len + m->at;
    size_t room = m->to->cap - m->to->len - m->at;
    va_list values;
    va_start(values, format);
    int n = vsnprintf(at, room, format, values);
    va_end(values);
    if (n < 0 || (size_t)n >= room) {
        fail("corpus", "A message is longer than there is room for.");
    }
    m->at += (size_t)n;
}

/* A step up or down, and not below a floor. */
static uint32_t walk(maker *m, uint32_t value, uint32_t step, uint32_t floor) {
    uint32_t next = value + below(m, 2 * step + 1);
    return next < floor + step ? floor : next - step;
}

/* A quote of a market: names again and again, numbers that change a little. */
static void write_quote(maker *m) {
    static const char letters[] = "ABCDEFGHKLMNPRSTVXZ";
    uint32_t symbol = below(m, SYMBOLS);
    uint32_t price = m->price[symbol] = walk(m, m->price[symbol], 12, 500);
    uint32_t spread = 1 + below(m, 4);
    put(m, "{\"type\":\"quote\",\"seq\":%llu,\"time\":%llu,", (unsigned long long)m->sequence,
        (unsigned long long)m->time_ms);
    put(m, "\"symbol\":\"%c%c%c%c\",", letters[symbol % 19], letters[symbol * 7 % 19],
        letters[symbol * 5 % 17], letters[symbol * 3 % 13]);
    put(m, "\"bid\":%u.%02u,\"ask\":%u.%02u,", price / 100, price % 100, (price + spread) / 100,
        (price + spread) % 100);
    put(m, "\"last\":%u.%02u,\"volume\":%u,", price / 100, price % 100, 100 * below(m, 90000));
    put(m, "\"venue\":\"%s\",\"levels\":[", below(m, 3) == 0 ? "XPAR" : "XAMS");
    uint32_t level = 0;
    while (level == 0 || m->at + 60 < m->target) {
        cast(m);
        price -= 1 + die(m, 0, 3);
        put(m, "%s{\"price\":%u.%02u,\"size\":%u,\"orders\":%u}", level > 0 ? "," : "", price / 100,
            price % 100, 100 * (1 + die(m, 1, 40)), 1 + die(m, 2, 12));
        level++;
    }
    put(m, "]}");
}

/* What a device measures. */
static void write_telemetry(maker *m) {
    static const char *const states[] = {"running", "running", "running", "idle", "starting"};
    uint32_t device = below(m, DEVICES);
    uint32_t *now = m->reading[device];
    now[0] = walk(m, now[0], 40, 5000);
    now[1] = walk(m, now[1], 9, 900);
    now[2] = walk(m, now[2], 15, 1200);
    put(m, "{\"type\":\"telemetry\",\"seq\":%llu,\"time\":%llu,", (unsigned long long)m->sequence,
        (unsigned long long)m->time_ms);
    put(m, "\"device\":\"pump-%03u\",\"site\":\"basin-%u\",", 100 + device * 7, device % 4);
    put(m, "\"temperature\":%u.%03u,\"pressure\":%u.%02u,\"rpm\":%u,", now[0] / 1000, now[0] % 1000,
        now[1] / 100, now[1] % 100, now[2]);
    put(m, "\"state\":\"%s\",\"samples\":[", states[below(m, 5)]);
    uint32_t sample = 0;
    while (sample == 0 || m->at + 20 < m->target) {
        put(m, "%s%u.%03u", sample > 0 ? "," : "", now[0] / 1000, (now[0] + below(m, 60)) % 1000);
        sample++;
    }
    put(m, "],\"alarm\":%s}", below(m, 40) == 0 ? "true" : "false");
}

static void write_json(void *to) {
    maker *m = to;
    m->sequence++;
    m->time_ms += 1 + below(m, 50);
    if (below(m, 3) == 0) {
        write_telemetry(m);
    } else {
        write_quote(m);
    }
}

/* A common word by its weight, or now and then one that nobody has seen before. */
static void write_word(maker *m) {
    if (below(m, 100) < RARE_PERCENT) {
        uint32_t n = 2 + below(m, 3);
        while (n > 0) {
            put(m, "%s", syllables[below(m, sizeof syllables / sizeof *syllables)]);
            n--;
        }
        return;
    }
    uint32_t drawn = below(m, m->weight[WORDS - 1]);
    size_t i = 0;
    while (m->weight[i] <= drawn) {
        i++;
    }
    put(m, "%s", words[i]);
    static const char *const suffixes[] = {"s", "ed", "ing", "er", "'s", ","};
    if (strlen(words[i]) > 3 && below(m, 3) == 0) {
        put(m, "%s", suffixes[below(m, 6)]);
    }
}

static void write_chat(void *to) {
    maker *m = to;
    size_t start = m->to->len + m->at;
    if (below(m, 12) == 0) {
        cast(m);
        put(m, "%u:%02u ", 7 + die(m, 0, 15), die(m, 1, 60));
    }
    write_word(m);
    uint8_t first = m->to->bytes[start];
    if (first >= 'a' && first <= 'z' && below(m, 3) > 0) {
        m->to->bytes[start] = (uint8_t)(first - 'a' + 'A');
    }
    while (m->at + 10 < m->target) {
        put(m, " ");
        write_word(m);
    }
    put(m, "%s", endings[below(m, sizeof endings / sizeof *endings)]);
}

static void write_request_line(maker *m) {
    static const char *const verbs[] = {"GET", "GET", "GET", "POST", "PUT", "DELETE"};
    static const char *const things[] = {"orders", "customers", "invoices", "sessions", "stock"};
    static const uint32_t answers[] = {200, 200, 200, 200, 201, 304, 404, 500};
    put(m, "INFO  [worker-%u] http: %s /api/v2/%s/%u -> %u, %u bytes in %u.%u ms, trace=%016llx\n",
        die(m, 0, 8), verbs[die(m, 1, 6)], things[die(m, 2, 5)], die(m, 3, 100000),
        answers[die(m, 4, 8)], die(m, 5, 20000), die(m, 6, 200), die(m, 7, 10),
        (unsigned long long)draw(m));
}

static void write_log_line(maker *m) {
    uint64_t ms = m->time_ms += below(m, 400);
    put(m, "2026-11-28T%02u:%02u:%02u.%03uZ ", (uint32_t)(ms / 3600000 % 24),
        (uint32_t)(ms / 60000 % 60), (uint32_t)(ms / 1000 % 60), (uint32_t)(ms % 1000));
    uint32_t kind = below(m, 10);
    cast(m);
    if (kind < 5) {
        write_request_line(m);
    } else if (kind < 7) {
        put(m, "DEBUG [pool-%u] db: query of %u rows took %u.%03u ms (plan %08x)\n", die(m, 0, 4),
            die(m, 1, 900), die(m, 2, 40), die(m, 3, 1000), (uint32_t)draw(m));
    } else if (kind < 8) {
        put(m, "INFO  [cache] evicted %u entries, %u KiB free of 65536\n", die(m, 0, 500),
            die(m, 1, 65536));
    } else if (kind < 9) {
        put(m, "WARN  [worker-%u] auth: token of user %u expires in %u s, client 10.%u.%u.%u\n",
            die(m, 0, 8), 1000 + die(m, 1, 9000), die(m, 2, 300), die(m, 3, 4), die(m, 4, 256),
            die(m, 5, 256));
    } else {
        put(m, "ERROR [worker-%u] upstream: connection to node-%02u:8443 failed, attempt %u of 5\n",
            die(m, 0, 8), die(m, 1, 30), 1 + die(m, 2, 5));
    }
}

static void write_log(void *to) {
    maker *m = to;
    while (m->at == 0 || m->at + 100 < m->target) {
        write_log_line(m);
    }
}

static void write_random(void *to) {
    maker *m = to;
    while (m->at < m->target) {
        m->to->bytes[m->to->len + m->at] = (uint8_t)draw(m);
        m->at++;
    }
}

const corpus corpora[CORPORA] = {
    {"json", HWS_TEXT, 200, 800, 0x4c0c295d5b7a387fU, write_json},
    {"chat", HWS_TEXT, 20, 200, 0x2a431e3b24380c65U, write_chat},
    {"log", HWS_TEXT, 2048, 16384, 0xd26b4d592b9bce41U, write_log},
    {"random", HWS_BINARY, 64, 4096, 0x65431bc22c494e7cU, write_random},
};

static maker start(messages *to) {
    maker m = {.to = to, .state = 20, .sequence = 48210000, .time_ms = 1795850000000};
    size_t i = 0;
    while (i < SYMBOLS) {
        m.price[i] = 800 + below(&m, 30000);
        i++;
    }
    i = 0;
    while (i < DEVICES) {
        m.reading[i][0] = 20000 + below(&m, 50000);
        m.reading[i][1] = 1000 + below(&m, 4000);
        m.reading[i][2] = 1400 + below(&m, 400);
        i++;
    }
    uint32_t sum = 0;
    i = 0;
    while (i < WORDS) {
        sum += (uint32_t)(1000000 / (i + 3));
        m.weight[i] = sum;
        i++;
    }
    return m;
}

messages corpus_make(const corpus *c, size_t bytes) {
    messages to = messages_make(bytes + c->longest + SLACK, bytes / c->shortest + 1);
    maker m = start(&to);
    while (to.len < bytes) {
        m.at = 0;
        m.target = c->shortest + below(&m, (uint32_t)(c->longest - c->shortest + 1));
        c->write(&m);
        messages_end(&to, m.at);
    }
    return to;
}

messages corpus_make_of(const corpus *c, size_t len, size_t count) {
    messages whole = corpus_make(c, len * count);
    messages to = messages_make(len * count, count);
    memcpy(to.bytes, whole.bytes, len * count);
    while (to.count < count) {
        messages_end(&to, len);
    }
    messages_release(&whole);
    return to;
}
