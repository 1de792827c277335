/*
 * A filter that encrypts nothing, for the tests of what goes through one. Client and server greet
 * each other with three bytes each, the client first; then come records: 'D', a length of one byte,
 * and that many bytes XORed; 'K', which means nothing; 'C', the end of a side (close_notify); 'A',
 * an alert, after which nothing comes.
 */
#ifndef HWS_TESTS_TOY_FILTER_H
#define HWS_TESTS_TOY_FILTER_H

#include "support.h"

#include <hawser/filter.h>

#include <stdlib.h>
#include <string.h>

enum { TOY_KEY = 0x5A, TOY_RECORD_MAX = 255, TOY_ROOM = 2 * TOY_RECORD_MAX };

#define TOY_HELLO "hey" /* of a client */
#define TOY_REPLY "hoy" /* of a server */

/* What a filter does, and what became of it. For one thread, or the same value from all. */
typedef struct toy {
    hws_filter table;
    size_t record;     /* bytes in a record at most; 0: TOY_RECORD_MAX */
    hws_status making; /* what make() says */
    size_t stingy;     /* bytes that one receive() gives at most, when not 0 */
    int chatty;        /* 1: a 'K' is said after each record that came */
    int fails;         /* 1: send() of plain bytes fails */
    int curious;       /* 1: send() wants to hear the peer before more plain bytes */
    int made;          /* states that are held */
    int finished;      /* calls of finish() that came first */
    int ends;          /* 'C's that came */
    int alerts;        /* 'A's that came */
    char host[64];     /* of the last make() */
} toy;

typedef struct toy_state {
    toy *kind;
    uint8_t role;
    uint8_t greeted; /* bytes of the peer's greeting */
    uint8_t type;    /* of the record that comes; 0: between records */
    uint8_t has_len;
    size_t in_want; /* bytes of the record, when has_len */
    size_t in_len;  /* that have come */
    size_t in_at;   /* that were given */
    size_t out_len; /* bytes for the wire */
    size_t out_at;  /* that were given */
    int finished;
    hws_status in_status;
    hws_status out_status;
    uint8_t in[TOY_RECORD_MAX];
    uint8_t out[TOY_ROOM];
} toy_state;

static inline void toy_count(int *counter, int n) {
    __atomic_add_fetch(counter, n, __ATOMIC_RELAXED);
}

static inline void toy_say(toy_state *s, const void *bytes, size_t len) {
    if (s->out_at > 0) {
        memmove(s->out, s->out + s->out_at, s->out_len - s->out_at);
        s->out_len -= s->out_at;
        s->out_at = 0;
    }
    if (len > sizeof s->out - s->out_len) {
        return; /* nobody has listened for long */
    }
    memcpy(s->out + s->out_len, bytes, len);
    s->out_len += len;
}

static inline hws_status toy_make(void *context, uint8_t role, hws_text host, void **state) {
    toy *kind = context;
    toy_state *s = calloc(1, sizeof *s);
    assert_non_null(s);
    if (kind->making != HWS_OK) {
        free(s);
        return kind->making;
    }
    s->kind = kind;
    s->role = role;
    if (role == HWS_ROLE_CLIENT) {
        assert_true(host.len < sizeof kind->host);
        memcpy(kind->host, host.data, host.len);
        kind->host[host.len] = '\0';
        toy_say(s, TOY_HELLO, 3);
    }
    toy_count(&kind->made, 1);
    *state = s;
    return HWS_OK;
}

static inline void toy_release(void *state) {
    toy_state *s = state;
    toy_count(&s->kind->made, -1);
    free(s);
}

static inline hws_status toy_fail(toy_state *s) {
    toy_say(s, "A", 1);
    return HWS_ERR_TLS;
}

static inline hws_status toy_greeting(toy_state *s, uint8_t byte) {
    const char *wanted = s->role == HWS_ROLE_CLIENT ? TOY_REPLY : TOY_HELLO;
    if (byte != (uint8_t)wanted[s->greeted]) {
        return toy_fail(s);
    }
    s->greeted++;
    if (s->greeted == 3 && s->role == HWS_ROLE_SERVER) {
        toy_say(s, TOY_REPLY, 3);
    }
    return HWS_OK;
}

static inline hws_status toy_type(toy_state *s, uint8_t byte) {
    switch (byte) {
    case 'D':
        s->type = byte;
        return HWS_OK;
    case 'K':
        return HWS_OK;
    case 'C':
        toy_count(&s->kind->ends, 1);
        return HWS_ERR_EOF;
    case 'A':
        toy_count(&s->kind->alerts, 1);
        return HWS_ERR_TLS;
    default:
        return toy_fail(s);
    }
}

/* One byte of the wire. A record is whole before any of it is given. */
static inline hws_status toy_byte(toy_state *s, uint8_t byte) {
    if (s->greeted < 3) {
        return toy_greeting(s, byte);
    }
    if (s->type == 0) {
        return toy_type(s, byte);
    }
    if (!s->has_len) {
        s->has_len = 1;
        s->in_want = byte;
        s->in_len = s->in_at = 0;
        return byte > 0 ? HWS_OK : toy_fail(s);
    }
    s->in[s->in_len++] = byte ^ TOY_KEY;
    return HWS_OK;
}

static inline uint8_t toy_has_record(const toy_state *s) {
    return s->has_len && s->in_len == s->in_want;
}

static inline void toy_give(toy_state *s, uint8_t *plain, size_t cap, size_t *n) {
    size_t left = s->in_len - s->in_at;
    size_t part = left < cap - *n ? left : cap - *n;
    memcpy(plain + *n, s->in + s->in_at, part);
    *n += part;
    s->in_at += part;
    if (s->in_at == s->in_len) {
        s->type = s->has_len = 0;
        if (s->kind->chatty) {
            toy_say(s, "K", 1);
        }
    }
}

static inline hws_status toy_receive(void *state, const uint8_t *wire, size_t len, size_t *used,
                                     uint8_t *plain, size_t cap, size_t *n) {
    toy_state *s = state;
    size_t most = s->kind->stingy;
    assert_true(cap > *n && *used <= len && (len > 0 || wire == NULL));
    cap = most > 0 && most < cap - *n ? *n + most : cap;
    while (s->in_status == HWS_OK) {
        if (toy_has_record(s)) {
            if (*n == cap) {
                return HWS_MORE;
            }
            toy_give(s, plain, cap, n);
        } else if (*used == len) {
            return HWS_OK;
        } else {
            s->in_status = toy_byte(s, wire[(*used)++]);
        }
    }
    return s->in_status;
}

/* One record out of plain bytes, when there is nothing else to say. */
static inline hws_status toy_record(toy_state *s, const uint8_t *plain, size_t len, size_t *used) {
    size_t most = s->kind->record > 0 ? s->kind->record : TOY_RECORD_MAX;
    size_t part = len - *used < most ? len - *used : most;
    uint8_t record[2 + TOY_RECORD_MAX] = {'D'};
    size_t i = 0;
    assert_false(s->finished);
    if (s->kind->fails) {
        return toy_fail(s);
    }
    if (s->greeted < 3 || s->kind->curious) {
        return HWS_NEED_MORE;
    }
    record[1] = (uint8_t)part;
    while (i < part) {
        record[2 + i] = plain[*used + i] ^ TOY_KEY;
        i++;
    }
    toy_say(s, record, part + 2);
    *used += part;
    return HWS_OK;
}

static inline void toy_drain(toy_state *s, uint8_t *wire, size_t cap, size_t *n) {
    size_t left = s->out_len - s->out_at;
    size_t part = left < cap - *n ? left : cap - *n;
    if (part > 0) {
        memcpy(wire + *n, s->out + s->out_at, part);
    }
    *n += part;
    s->out_at += part;
}

static inline hws_status toy_send(void *state, const uint8_t *plain, size_t len, size_t *used,
                                  uint8_t *wire, size_t cap, size_t *n) {
    toy_state *s = state;
    assert_true(*used <= len && *n <= cap && (len > 0 || plain == NULL));
    while (1) {
        toy_drain(s, wire, cap, n);
        if (s->out_at < s->out_len) {
            return HWS_MORE;
        }
        if (s->out_status != HWS_OK || *used == len) {
            return s->out_status < 0 ? s->out_status : HWS_OK;
        }
        s->out_status = toy_record(s, plain, len, used);
        if (s->out_status == HWS_NEED_MORE) {
            s->out_status = HWS_OK;
            return HWS_NEED_MORE;
        }
    }
}

static inline void toy_finish(void *state) {
    toy_state *s = state;
    if (s->finished || s->greeted < 3) {
        return;
    }
    s->finished = 1;
    toy_count(&s->kind->finished, 1);
    toy_say(s, "C", 1);
}

static inline void toy_init(toy *t) {
    memset(t, 0, sizeof *t);
    t->table.size = sizeof t->table;
    t->table.context = t;
    t->table.make = toy_make;
    t->table.release = toy_release;
    t->table.receive = toy_receive;
    t->table.send = toy_send;
    t->table.finish = toy_finish;
}

#endif
