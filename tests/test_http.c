/*
 * The parser of HTTP/1.1 heads. Each row is parsed whole, byte by byte and at every two-way split,
 * in a buffer that ends at a page nobody may touch and moves between calls. Its trace must not
 * change, and a fault must be found at the very byte that the trace names.
 */
#include "support.h"

#include <hawser/http.h>

#include <stdio.h>
#include <string.h>

enum { HEADERS = 16, TRACE = 1024 };

typedef struct row {
    const char *name;
    const char *input;
    size_t len;
    const char *trace;
} row;

#define INPUT(text) text, sizeof(text) - 1

/* The start of a good request, to put one field line under it. */
#define GET "GET / HTTP/1.1\r\n"
#define OK200 "HTTP/1.1 200 OK\r\n"

static const row request_rows[] = {
    {"RFC 6455 1.3: the handshake of the RFC",
     INPUT("GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n"
           "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
           "Origin: http://example.com\r\nSec-WebSocket-Protocol: chat, superchat\r\n"
           "Sec-WebSocket-Version: 13\r\n\r\n"),
     "HWS_OK 230 GET /chat 1.1 [Host=server.example.com][Upgrade=websocket][Connection=Upgrade]"
     "[Sec-WebSocket-Key=dGhlIHNhbXBsZSBub25jZQ==][Origin=http://example.com]"
     "[Sec-WebSocket-Protocol=chat, superchat][Sec-WebSocket-Version=13] none"},
    {"RFC 9112 2.1: bytes after the head belong to what follows",
     INPUT(GET "\r\n\x81\x80"
               "abcd"),
     "HWS_OK 18 GET / 1.1 none"},
    {"RFC 9112 2.1: a head may have no field lines", INPUT(GET "\r\n"), "HWS_OK 18 GET / 1.1 none"},
    {"RFC 9112 2.2: one empty line before the request line is skipped", INPUT("\r\n" GET "\r\n"),
     "HWS_OK 20 GET / 1.1 none"},
    {"RFC 9112 2.2: two empty lines are no request line", INPUT("\r\n\r\n" GET "\r\n"),
     "HWS_ERR_REQUEST_LINE 3"},
    {"RFC 9112 2.2: an empty line is CRLF, not LF", INPUT("\n" GET "\r\n"), "HWS_ERR_LINE_END 1"},
    {"RFC 9112 2.2: an empty line is CRLF, not CR", INPUT("\rGET / HTTP/1.1\r\n\r\n"),
     "HWS_ERR_LINE_END 2"},
    {"RFC 9112 2.2: bare LF as line end", INPUT("GET /chat HTTP/1.1\nHost: server.example.com\n\n"),
     "HWS_ERR_LINE_END 19"},
    {"RFC 9112 2.2: bare CR after the request line", INPUT("GET / HTTP/1.1\rHost: a\r\n\r\n"),
     "HWS_ERR_LINE_END 16"},
    {"RFC 9112 2.2: bare LF after a field line", INPUT(GET "A: b\n\r\n"), "HWS_ERR_LINE_END 21"},
    {"RFC 9112 2.2: bare CR inside a field value", INPUT(GET "A: b\rc\r\n\r\n"),
     "HWS_ERR_LINE_END 22"},
    {"RFC 9112 2.2: bare LF inside a field name", INPUT(GET "A\nB: c\r\n\r\n"),
     "HWS_ERR_LINE_END 18"},
    {"RFC 9112 2.2: bare LF as the empty line", INPUT(GET "\n"), "HWS_ERR_LINE_END 17"},
    {"RFC 9112 2.2: bare CR as the empty line", INPUT(GET "\rX"), "HWS_ERR_LINE_END 18"},
    {"RFC 9112 2.2: two CR before LF", INPUT(GET "A: b\r\r\n\r\n"), "HWS_ERR_LINE_END 22"},
    {"RFC 9112 2.2: white space before the first field line", INPUT(GET " A: b\r\n\r\n"),
     "HWS_ERR_FIELD_FOLDED 17"},

    {"RFC 9112 3.1: a method is any token", INPUT("M-SEARCH!~ * HTTP/1.1\r\n\r\n"),
     "HWS_OK 25 M-SEARCH!~ * 1.1 none"},
    {"RFC 9112 3.1: a method in lower case is another method", INPUT("get / HTTP/1.1\r\n\r\n"),
     "HWS_OK 18 get / 1.1 none"},
    {"RFC 9112 3.1: a method is not empty", INPUT(" / HTTP/1.1\r\n\r\n"), "HWS_ERR_REQUEST_LINE 1"},
    {"RFC 9112 3.1: a method is a token", INPUT("G(T / HTTP/1.1\r\n\r\n"),
     "HWS_ERR_REQUEST_LINE 2"},
    {"RFC 9112 3.1: the first byte of a TLS ClientHello is no method",
     INPUT("\x16\x03\x01\x02\x00"), "HWS_ERR_REQUEST_LINE 1"},
    {"RFC 9112 3: a tab does not separate", INPUT("GET\t/ HTTP/1.1\r\n\r\n"),
     "HWS_ERR_REQUEST_LINE 4"},
    {"RFC 9112 3: two spaces do not separate", INPUT("GET  / HTTP/1.1\r\n\r\n"),
     "HWS_ERR_REQUEST_LINE 5"},
    {"RFC 9112 3: two spaces before the version", INPUT("GET /  HTTP/1.1\r\n\r\n"),
     "HWS_ERR_REQUEST_LINE 7"},
    {"RFC 9112 3: a space after the version", INPUT("GET / HTTP/1.1 \r\n\r\n"),
     "HWS_ERR_REQUEST_LINE 15"},
    {"RFC 9112 3: a method alone", INPUT("GET\r\n\r\n"), "HWS_ERR_REQUEST_LINE 4"},
    {"RFC 9112 3: HTTP/0.9 has no version", INPUT("GET /\r\n"), "HWS_ERR_REQUEST_LINE 6"},
    {"RFC 9112 3: LF instead of a version", INPUT("GET / \n"), "HWS_ERR_LINE_END 7"},
    {"RFC 9112 3.2: absolute form and asterisk are kept as sent",
     INPUT("OPTIONS http://a.b:80/c?d=%20e HTTP/1.1\r\n\r\n"),
     "HWS_OK 43 OPTIONS http://a.b:80/c?d=%20e 1.1 none"},
    {"RFC 9112 3.2: high bytes in the target", INPUT("GET /\xFF\xFE HTTP/1.1\r\n\r\n"),
     "HWS_ERR_REQUEST_LINE 6"},
    {"RFC 9112 3.2: NUL in the target", INPUT("GET /\0 HTTP/1.1\r\n\r\n"),
     "HWS_ERR_REQUEST_LINE 6"},
    {"RFC 9112 3.2: DEL in the target", INPUT("GET /\x7F HTTP/1.1\r\n\r\n"),
     "HWS_ERR_REQUEST_LINE 6"},
    {"RFC 9112 3.2: LF in the target", INPUT("GET /\nX HTTP/1.1\r\n\r\n"), "HWS_ERR_LINE_END 6"},
    {"RFC 9112 2.3: HTTP/1.0", INPUT("GET / HTTP/1.0\r\n\r\n"), "HWS_OK 18 GET / 1.0 none"},
    {"RFC 9110 2.5: a higher minor version is understood", INPUT("GET / HTTP/1.9\r\n\r\n"),
     "HWS_OK 18 GET / 1.9 none"},
    {"RFC 9110 2.5: the preface of HTTP/2 is another version",
     INPUT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "HWS_ERR_HTTP_VERSION 12"},
    {"RFC 9112 2.3: HTTP/0.9 by name", INPUT("GET / HTTP/0.9\r\n\r\n"), "HWS_ERR_HTTP_VERSION 12"},
    {"RFC 9112 2.3: the name is in upper case", INPUT("GET / http/1.1\r\n\r\n"),
     "HWS_ERR_REQUEST_LINE 7"},
    {"RFC 9112 2.3: the major version is one digit", INPUT("GET / HTTP/11.1\r\n\r\n"),
     "HWS_ERR_REQUEST_LINE 13"},
    {"RFC 9112 2.3: the minor version is one digit", INPUT("GET / HTTP/1.10\r\n\r\n"),
     "HWS_ERR_REQUEST_LINE 15"},
    {"RFC 9112 2.3: the minor version is a digit", INPUT("GET / HTTP/1.x\r\n\r\n"),
     "HWS_ERR_REQUEST_LINE 14"},
    {"RFC 9112 2.3: the version is a digit", INPUT("GET / HTTP/x.1\r\n\r\n"),
     "HWS_ERR_REQUEST_LINE 12"},

    {"RFC 9110 5.5: white space around a value is not part of it",
     INPUT(GET "A: \t b c\t \r\nB:c\r\n\r\n"), "HWS_OK 35 GET / 1.1 [A=b c][B=c] none"},
    {"RFC 9110 5.5: a value may be empty", INPUT(GET "A:\r\nB:  \r\n\r\n"),
     "HWS_OK 28 GET / 1.1 [A=][B=] none"},
    {"RFC 9110 5.5: a value may hold colons and high bytes", INPUT(GET "A: :\x80\xFF:\r\n\r\n"),
     "HWS_OK 27 GET / 1.1 [A=:\x80\xFF:] none"},
    {"RFC 9110 5.1: a name is any token", INPUT(GET "!#$%&'*+-.^_`|~09azAZ: b\r\n\r\n"),
     "HWS_OK 44 GET / 1.1 [!#$%&'*+-.^_`|~09azAZ=b] none"},
    {"RFC 9110 5.5: NUL in a value", INPUT(GET "X-A: a\0b\r\n\r\n"), "HWS_ERR_FIELD_VALUE 23"},
    {"RFC 9110 5.5: ESC in a value", INPUT(GET "A: \x1B[2J\r\n\r\n"), "HWS_ERR_FIELD_VALUE 20"},
    {"RFC 9110 5.5: DEL in a value", INPUT(GET "A: b\x7F\r\n\r\n"), "HWS_ERR_FIELD_VALUE 21"},
    {"RFC 9112 5.1: space before the colon", INPUT(GET "Upgrade : h2c\r\n\r\n"),
     "HWS_ERR_FIELD_NAME 24"},
    {"RFC 9112 5.1: a tab before the colon", INPUT(GET "Upgrade\t: h2c\r\n\r\n"),
     "HWS_ERR_FIELD_NAME 24"},
    {"RFC 9112 5: an empty name", INPUT(GET ": x\r\n\r\n"), "HWS_ERR_FIELD_NAME 17"},
    {"RFC 9112 5: a line without colon", INPUT(GET "Upgrade\r\n\r\n"), "HWS_ERR_FIELD_NAME 24"},
    {"RFC 9112 5: NUL in a name", INPUT(GET "A\0: b\r\n\r\n"), "HWS_ERR_FIELD_NAME 18"},
    {"RFC 9112 5: a name starts with a byte of tokens", INPUT(GET "\x80: b\r\n\r\n"),
     "HWS_ERR_FIELD_NAME 17"},
    {"RFC 9112 5.2: a line folded by a space", INPUT(GET "A: b\r\n c\r\n\r\n"),
     "HWS_ERR_FIELD_FOLDED 23"},
    {"RFC 9112 5.2: a line folded by a tab", INPUT(GET "A: b\r\n\tc\r\n\r\n"),
     "HWS_ERR_FIELD_FOLDED 23"},

    {"RFC 9112 6.3: a request with a length", INPUT(GET "content-LENGTH: 0012\r\n\r\nhello"),
     "HWS_OK 40 GET / 1.1 [content-LENGTH=0012] length 12"},
    {"RFC 9112 6.3: a length of 0 is no body", INPUT(GET "Content-Length: 0\r\n\r\n"),
     "HWS_OK 37 GET / 1.1 [Content-Length=0] none"},
    {"RFC 9110 8.6: the greatest length", INPUT(GET "Content-Length: 9223372036854775807\r\n\r\n"),
     "HWS_OK 55 GET / 1.1 [Content-Length=9223372036854775807] length 9223372036854775807"},
    {"RFC 9110 8.6: a length of 64 bits", INPUT(GET "Content-Length: 9223372036854775808\r\n\r\n"),
     "HWS_ERR_CONTENT_LENGTH 53"},
    {"RFC 9110 8.6: a length that wraps", INPUT(GET "Content-Length: 18446744073709551617\r\n\r\n"),
     "HWS_ERR_CONTENT_LENGTH 54"},
    {"RFC 9110 8.6: a length one decimal digit too long",
     INPUT(GET "Content-Length: 10000000000000000000\r\n\r\n"), "HWS_ERR_CONTENT_LENGTH 54"},
    {"RFC 9110 8.6: a negative length", INPUT(GET "Content-Length: -90\r\n\r\n"),
     "HWS_ERR_CONTENT_LENGTH 37"},
    {"RFC 9110 8.6: a length with a plus", INPUT(GET "Content-Length: +5\r\n\r\n"),
     "HWS_ERR_CONTENT_LENGTH 36"},
    {"RFC 9110 8.6: an empty length", INPUT(GET "Content-Length: \r\n\r\n"),
     "HWS_ERR_CONTENT_LENGTH 34"},
    {"RFC 9110 8.6: a length in hex", INPUT(GET "Content-Length: 0x5\r\n\r\n"),
     "HWS_ERR_CONTENT_LENGTH 37"},
    {"RFC 9110 8.6: a length with a space in it", INPUT(GET "Content-Length: 1 2\r\n\r\n"),
     "HWS_ERR_CONTENT_LENGTH 37"},
    {"RFC 9112 6.3: a list of equal lengths", INPUT(GET "Content-Length: 5, 5\r\n\r\n"),
     "HWS_ERR_CONTENT_LENGTH 38"},
    {"RFC 9112 6.3: two lengths", INPUT(GET "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"),
     "HWS_ERR_CONTENT_LENGTH 54"},
    {"RFC 9112 6.3: a chunked request", INPUT(GET "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n"),
     "HWS_OK 46 GET / 1.1 [Transfer-Encoding=Chunked] chunked"},
    {"RFC 9112 6.3: a chunked request without white space",
     INPUT(GET "Transfer-Encoding:chunked\r\n\r\n"),
     "HWS_OK 45 GET / 1.1 [Transfer-Encoding=chunked] chunked"},
    {"RFC 9112 6.3: another coding of a request", INPUT(GET "Transfer-Encoding: gzip\r\n\r\n"),
     "HWS_ERR_TRANSFER_ENCODING 41"},
    {"RFC 9112 6.3: two codings of a request",
     INPUT(GET "Transfer-Encoding: gzip, chunked\r\n\r\n"), "HWS_ERR_TRANSFER_ENCODING 50"},
    {"RFC 9112 6.1: chunked twice",
     INPUT(GET "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
     "HWS_ERR_TRANSFER_ENCODING 72"},
    {"RFC 9112 6.1: a coding that only looks like chunked",
     INPUT(GET "Transfer-Encoding: xchunked\r\n\r\n"), "HWS_ERR_TRANSFER_ENCODING 45"},
    {"RFC 9112 6.1: an empty coding", INPUT(GET "Transfer-Encoding:\r\n\r\n"),
     "HWS_ERR_TRANSFER_ENCODING 36"},
    {"RFC 9112 6.1: a coding after a length",
     INPUT(GET "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
     "HWS_ERR_TRANSFER_ENCODING 63"},
    {"RFC 9112 6.1: a length after a coding",
     INPUT(GET "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"),
     "HWS_ERR_TRANSFER_ENCODING 63"},
    {"RFC 9112 6.1: a coding in HTTP/1.0",
     INPUT("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), "HWS_ERR_TRANSFER_ENCODING 44"},
    {"RFC 9112 2.1: a head that is not complete", INPUT(GET "Host: a\r\n"), "HWS_NEED_MORE 25"},
    {"RFC 9112 2.1: nothing yet", INPUT(""), "HWS_NEED_MORE 0"},
};

static const row response_rows[] = {
    {"RFC 6455 1.3: the answer of the RFC",
     INPUT("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x00"),
     "HWS_OK 129 101 Switching Protocols 1.1 [Upgrade=websocket][Connection=Upgrade]"
     "[Sec-WebSocket-Accept=s3pPLMBiTxaQ9kYGzzhZRbK+xOo=] none"},
    {"RFC 9112 4: a reason may be empty", INPUT("HTTP/1.1 200 \r\n\r\n"), "HWS_OK 17 200  1.1 eof"},
    {"RFC 9112 4: a reason may be missing", INPUT("HTTP/1.1 200\r\n\r\n"),
     "HWS_OK 16 200  1.1 eof"},
    {"RFC 9112 4: a reason may hold tabs and high bytes", INPUT("HTTP/1.0 599 a\tb \xE4\r\n\r\n"),
     "HWS_OK 22 599 a\tb \xE4 1.0 eof"},
    {"RFC 9112 4: NUL in a reason", INPUT("HTTP/1.1 200 O\0\r\n\r\n"), "HWS_ERR_STATUS_LINE 15"},
    {"RFC 9112 2.2: bare LF after a reason", INPUT("HTTP/1.1 200 OK\n\n"), "HWS_ERR_LINE_END 16"},
    {"RFC 9112 2.2: bare CR in a reason", INPUT("HTTP/1.1 200 O\rK\r\n\r\n"),
     "HWS_ERR_LINE_END 16"},
    {"RFC 9112 2.2: bare LF after a status code", INPUT("HTTP/1.1 200\n\n"), "HWS_ERR_LINE_END 13"},
    {"RFC 9112 2.2: no empty line before a status line", INPUT("\r\nHTTP/1.1 200 OK\r\n\r\n"),
     "HWS_ERR_STATUS_LINE 1"},
    {"RFC 9112 4: another protocol answers", INPUT("SSH-2.0-OpenSSH\r\n"), "HWS_ERR_STATUS_LINE 1"},
    {"RFC 9112 2.3: another version answers", INPUT("HTTP/2.0 200 OK\r\n\r\n"),
     "HWS_ERR_HTTP_VERSION 6"},
    {"RFC 9112 4: no SP after the version", INPUT("HTTP/1.1\t200 OK\r\n\r\n"),
     "HWS_ERR_STATUS_LINE 9"},
    {"RFC 9112 4: two SP after the version", INPUT("HTTP/1.1  200 OK\r\n\r\n"),
     "HWS_ERR_STATUS_LINE 10"},
    {"RFC 9110 15: a status code below 100", INPUT("HTTP/1.1 099 X\r\n\r\n"),
     "HWS_ERR_STATUS_LINE 10"},
    {"RFC 9110 15: a status code above 599", INPUT("HTTP/1.1 600 X\r\n\r\n"),
     "HWS_ERR_STATUS_LINE 10"},
    {"RFC 9112 4: a status code of two digits", INPUT("HTTP/1.1 20 OK\r\n\r\n"),
     "HWS_ERR_STATUS_LINE 12"},
    {"RFC 9112 4: a status code of four digits", INPUT("HTTP/1.1 2000 OK\r\n\r\n"),
     "HWS_ERR_STATUS_LINE 13"},
    {"RFC 9112 4: a status code of letters", INPUT("HTTP/1.1 2x0 OK\r\n\r\n"),
     "HWS_ERR_STATUS_LINE 11"},
    {"RFC 9110 15.2: interim responses are skipped",
     INPUT("HTTP/1.1 100 Continue\r\nContent-Length: 5\r\nA: b\r\n\r\n"
           "HTTP/1.1 103\r\nC: d\r\n\r\n" OK200 "E: f\r\n\r\n"),
     "HWS_OK 97 200 OK 1.1 [E=f] eof"},
    {"RFC 9110 15.2: 101 is no interim response here",
     INPUT("HTTP/1.1 101 S\r\nContent-Length: 5\r\n\r\n"),
     "HWS_OK 37 101 S 1.1 [Content-Length=5] none"},
    {"RFC 9112 6.3: 204 has no body", INPUT("HTTP/1.1 204 N\r\nContent-Length: 5\r\n\r\n"),
     "HWS_OK 37 204 N 1.1 [Content-Length=5] none"},
    {"RFC 9112 6.3: 304 has no body", INPUT("HTTP/1.1 304 N\r\nTransfer-Encoding: chunked\r\n\r\n"),
     "HWS_OK 46 304 N 1.1 [Transfer-Encoding=chunked] none"},
    {"RFC 9112 6.3: a response with a length", INPUT(OK200 "Content-Length: 5\r\n\r\nhello"),
     "HWS_OK 38 200 OK 1.1 [Content-Length=5] length 5"},
    {"RFC 9112 6.3: a response of length 0", INPUT(OK200 "Content-Length: 0\r\n\r\n"),
     "HWS_OK 38 200 OK 1.1 [Content-Length=0] none"},
    {"RFC 9112 6.3: a chunked response", INPUT(OK200 "Transfer-Encoding: chunked\r\n\r\n"),
     "HWS_OK 47 200 OK 1.1 [Transfer-Encoding=chunked] chunked"},
    {"RFC 9112 6.3: chunked as the last of several codings",
     INPUT(OK200 "Transfer-Encoding: gzip,\tchunked\r\n\r\n"),
     "HWS_OK 53 200 OK 1.1 [Transfer-Encoding=gzip,\tchunked] chunked"},
    {"RFC 9112 6.3: chunked right after a comma",
     INPUT(OK200 "Transfer-Encoding: gzip,chunked\r\n\r\n"),
     "HWS_OK 52 200 OK 1.1 [Transfer-Encoding=gzip,chunked] chunked"},
    {"RFC 9112 6.3: chunked in a line of its own",
     INPUT(OK200 "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"),
     "HWS_OK 72 200 OK 1.1 [Transfer-Encoding=gzip][Transfer-Encoding=chunked] chunked"},
    {"RFC 9112 6.3: chunked before another coding ends with the stream",
     INPUT(OK200 "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n"),
     "HWS_OK 72 200 OK 1.1 [Transfer-Encoding=chunked][Transfer-Encoding=gzip] eof"},
    {"RFC 9112 6.3: a coding that only looks like chunked ends with the stream",
     INPUT(OK200 "Transfer-Encoding: x-chunked\r\n\r\n"),
     "HWS_OK 49 200 OK 1.1 [Transfer-Encoding=x-chunked] eof"},
    {"RFC 9112 6.1: a response with coding and length",
     INPUT(OK200 "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\n"),
     "HWS_ERR_TRANSFER_ENCODING 61"},
    {"RFC 9112 6.1: a coding in a response of HTTP/1.0",
     INPUT("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
     "HWS_ERR_TRANSFER_ENCODING 45"},
    {"RFC 9112 6.3: lengths that differ",
     INPUT(OK200 "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"), "HWS_ERR_CONTENT_LENGTH 55"},
    {"RFC 9112 5.2: a folded line in a response", INPUT(OK200 "A: b\r\n c\r\n\r\n"),
     "HWS_ERR_FIELD_FOLDED 24"},
    {"RFC 9112 5.1: space before the colon in a response", INPUT(OK200 "A : b\r\n\r\n"),
     "HWS_ERR_FIELD_NAME 19"},
};

/* A head with the memory that its user gives it. */
typedef struct parser {
    hws_head head;
    hws_header headers[HEADERS];
    uint8_t *room; /* ends at a guard page */
    size_t len;
} parser;

static void parser_start(parser *p, uint8_t kind, const row *r) {
    memset(p, 0xAA, sizeof *p);
    hws_head_init(&p->head, kind, p->headers, HEADERS);
    p->len = r->len;
    p->room = guard_alloc(r->len);
}

/* Parse what has arrived; it lies right before the guard page, so the buffer moves each time. */
static hws_status parser_feed(parser *p, const row *r, size_t len) {
    uint8_t *buf = p->room + (p->len - len);
    memcpy(buf, r->input, len);
    return hws_head_parse(&p->head, buf, len);
}

static void describe(const parser *p, const row *r, hws_status status, char *out) {
    static const char *const bodies[] = {"none", "length", "chunked", "eof"};
    const hws_head *head = &p->head;
    const char *in = r->input;
    int n = snprintf(out, TRACE, "%s %u", hws_status_name(status), head->head_len);
    if (status != HWS_OK) {
        return;
    }
    if (head->kind == HWS_HEAD_REQUEST) {
        n += snprintf(out + n, TRACE - (size_t)n, " %.*s %.*s", (int)head->method.len,
                      in + head->method.offset, (int)head->target.len, in + head->target.offset);
    } else {
        n += snprintf(out + n, TRACE - (size_t)n, " %u %.*s", head->status, (int)head->reason.len,
                      in + head->reason.offset);
    }
    n += snprintf(out + n, TRACE - (size_t)n, " 1.%u ", head->minor_version);
    for (uint32_t i = 0; i < head->header_count; i++) {
        const hws_header *h = &head->headers[i];
        assert_true(h->value.offset > h->name.offset + h->name.len);
        assert_true(h->value.offset + h->value.len < head->head_len);
        n += snprintf(out + n, TRACE - (size_t)n, "[%.*s=%.*s]", (int)h->name.len,
                      in + h->name.offset, (int)h->value.len, in + h->value.offset);
    }
    n += snprintf(out + n, TRACE - (size_t)n, "%s%s", head->header_count > 0 ? " " : "",
                  bodies[head->body]);
    assert_true(head->body <= HWS_BODY_LENGTH || head->content_length == 0);
    if (head->body == HWS_BODY_LENGTH) {
        snprintf(out + n, TRACE - (size_t)n, " %llu", (unsigned long long)head->content_length);
    }
}

static void check_trace(const parser *p, const row *r, hws_status status, const char *how) {
    char trace[TRACE];
    describe(p, r, status, trace);
    if (strcmp(trace, r->trace) != 0) {
        fail_msg("%s, %s:\n  want %s\n  have %s", r->name, how, r->trace, trace);
    }
}

static void check_whole(uint8_t kind, const row *r) {
    parser p;
    uint32_t head_len;
    parser_start(&p, kind, r);
    hws_status status = parser_feed(&p, r, r->len);
    check_trace(&p, r, status, "whole");
    head_len = p.head.head_len;
    assert_int_equal(parser_feed(&p, r, r->len), status);
    assert_int_equal(p.head.head_len, head_len);
    guard_free(p.room, p.len);
}

/* One byte more each time: the end must be found at the byte that head_len names, not later. */
static void check_bytes(uint8_t kind, const row *r) {
    parser p;
    hws_status status = HWS_NEED_MORE;
    size_t len = 0;
    parser_start(&p, kind, r);
    status = parser_feed(&p, r, len);
    while (status == HWS_NEED_MORE && len < r->len) {
        len++;
        status = parser_feed(&p, r, len);
    }
    assert_int_equal(p.head.head_len, len);
    check_trace(&p, r, status, "byte by byte");
    guard_free(p.room, p.len);
}

static void check_splits(uint8_t kind, const row *r) {
    for (size_t first = 0; first <= r->len; first++) {
        char how[40];
        parser p;
        snprintf(how, sizeof how, "split at %u", (unsigned)first);
        parser_start(&p, kind, r);
        parser_feed(&p, r, first);
        check_trace(&p, r, parser_feed(&p, r, r->len), how);
        guard_free(p.room, p.len);
    }
}

static void check_row(uint8_t kind, const row *r) {
    check_whole(kind, r);
    check_bytes(kind, r);
    check_splits(kind, r);
}

static void requests_are_parsed_however_they_are_cut(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof request_rows / sizeof request_rows[0]; i++) {
        check_row(HWS_HEAD_REQUEST, &request_rows[i]);
    }
}

static void responses_are_parsed_however_they_are_cut(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof response_rows / sizeof response_rows[0]; i++) {
        check_row(HWS_HEAD_RESPONSE, &response_rows[i]);
    }
}

/* RFC 9110 5.6.2, 5.5, RFC 9112 3.2: every byte in every place, against plain lists. */
static void each_byte_is_judged_in_each_place(void **state) {
    static const char marks[] = "!#$%&'*+-.^_`|~";
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        hws_header headers[2];
        hws_head head;
        uint8_t in[] = "GxT /x HTTP/1.1\r\nAx: x\r\n\r\n";
        uint8_t letter = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                         (byte >= 'a' && byte <= 'z');
        uint8_t token = letter || (byte != 0 && strchr(marks, (int)byte) != NULL);
        uint8_t visible = byte >= 0x21 && byte <= 0x7E;
        uint8_t value = byte == '\t' || byte == ' ' || visible || byte >= 0x80;
        const struct {
            size_t place;
            uint8_t good;
        } places[] = {{1, token || byte == ' '}, /* SP ends it, as it ends the target */
                      {5, visible || byte == ' '},
                      {18, token || byte == ':'},
                      {21, value}};
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
            uint8_t before = in[places[i].place];
            in[places[i].place] = (uint8_t)byte;
            hws_head_init(&head, HWS_HEAD_REQUEST, headers, 2);
            hws_status status = hws_head_parse(&head, in, places[i].place + 1);
            assert_int_equal(status == HWS_NEED_MORE, places[i].good || (i == 3 && byte == '\r'));
            in[places[i].place] = before;
        }
    }
}

static void a_list_of_pairs_is_not_parsed(void **state) {
    hws_head head;
    (void)state;
    hws_head_init(&head, HWS_HEAD_LIST, NULL, 0);
    assert_int_equal(hws_head_parse(&head, (const uint8_t *)"G", 1), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_head_parse(&head, (const uint8_t *)"G", 1), HWS_ERR_ARGUMENT);
    assert_int_equal(head.head_len, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_parsed_however_they_are_cut),
        cmocka_unit_test(responses_are_parsed_however_they_are_cut),
        cmocka_unit_test(each_byte_is_judged_in_each_place),
        cmocka_unit_test(a_list_of_pairs_is_not_parsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
