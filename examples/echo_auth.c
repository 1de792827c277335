/*
 * Judges the credentials of requests by the users and tokens of the options. A secret is compared
 * with all that there are, each in constant time: how long that takes says nothing about which one
 * was nearly right.
 */
#include "echo_auth.h"

#include <string.h>

#include <hawser/auth.h>

#include "echo_options.h"

enum {
    CREDENTIALS_LIMIT = 1024, /* bytes; longer ones are wrong */
    CHALLENGE_LIMIT = 128     /* bytes */
};

typedef struct request {
    const hws_head *head;
    const uint8_t *bytes;
    int malformed; /* 1: some credentials cannot be read */
} request;

/* One of our own users: the part before the colon, or behind it. */
static hws_text part_of_user(hws_text line, int behind) {
    size_t colon = (size_t)((const char *)memchr(line.data, ':', line.len) - line.data);
    return behind ? (hws_text){line.data + colon + 1, line.len - colon - 1}
                  : (hws_text){line.data, colon};
}

static int is_user(request *r) {
    const text_list *ours = &options.users;
    uint8_t room[CREDENTIALS_LIMIT];
    hws_text user;
    hws_text password;
    size_t n = 0;
    size_t i = 0;
    int found = 0;
    hws_status status =
        hws_auth_read_basic(r->head, r->bytes, room, sizeof room, &n, &user, &password);
    r->malformed |= status == HWS_ERR_FIELD;
    while (status == HWS_OK && i < ours->count) {
        found |= hws_secret_equal(user, part_of_user(ours->items[i], 0)) &
                 hws_secret_equal(password, part_of_user(ours->items[i], 1));
        i++;
    }
    return found;
}

static int is_token(request *r, hws_status status, hws_text token) {
    const text_list *ours = &options.tokens;
    size_t i = 0;
    int found = 0;
    r->malformed |= status == HWS_ERR_FIELD;
    while (status == HWS_OK && i < ours->count) {
        found |= hws_secret_equal(token, ours->items[i]);
        i++;
    }
    return found;
}

/* Browsers cannot send a Bearer token with a WebSocket: they have the cookie and the query. */
static int has_token(request *r) {
    const hws_text name = hws_text_from("token");
    uint8_t room[CREDENTIALS_LIMIT];
    hws_text token;
    hws_status status;
    size_t n = 0;
    int found;
    status = hws_auth_read_bearer(r->head, r->bytes, &token);
    found = is_token(r, status, token);
    status = hws_cookie_find(r->head, r->bytes, name, &token);
    found |= is_token(r, status, token);
    status = hws_query_find(r->head, r->bytes, name, room, sizeof room, &n, &token);
    return found | is_token(r, status, token);
}

static size_t add_challenge(hws_field *fields, size_t count, const char *scheme, uint8_t *room) {
    const hws_text realm = hws_text_from("hawser-echo");
    const hws_field charset = {hws_text_from("charset"), hws_text_from("UTF-8")};
    size_t is_basic = strcmp(scheme, "Basic") == 0;
    size_t n = 0;
    (void)hws_auth_write_challenge(hws_text_from(scheme), realm, &charset, is_basic, room,
                                   CHALLENGE_LIMIT, &n);
    fields[count].name = hws_text_from("WWW-Authenticate");
    fields[count].value = (hws_text){(const char *)room, n};
    return count + 1;
}

static uint16_t challenge(hws_endpoint *ep) {
    static const char body[] = "This server is for those that it knows.\n";
    uint8_t room[2][CHALLENGE_LIMIT];
    hws_field fields[3] = {{hws_text_from("Content-Type"), hws_text_from("text/plain")}};
    size_t count = 1;
    if (options.users.count > 0) {
        count = add_challenge(fields, count, "Basic", room[0]);
    }
    if (options.tokens.count > 0) {
        count = add_challenge(fields, count, "Bearer", room[1]);
    }
    (void)hws_endpoint_respond(ep, 401, fields, count, (const uint8_t *)body, sizeof body - 1);
    return 401;
}

uint16_t admit(hws_endpoint *ep) {
    request r = {.malformed = 0};
    int known = options.users.count == 0 && options.tokens.count == 0;
    r.head = hws_endpoint_head(ep, &r.bytes);
    if (options.users.count > 0) {
        known |= is_user(&r);
    }
    if (options.tokens.count > 0) {
        known |= has_token(&r);
    }
    if (known) {
        return 0;
    }
    if (r.malformed) {
        (void)hws_endpoint_respond(ep, 400, NULL, 0, NULL, 0);
        return 400;
    }
    return challenge(ep);
}
