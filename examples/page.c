/*
 * The page of hawser-echo for browsers. It connects back to where it came from, loads nothing else,
 * and its ids are for programs that drive it.
 */
#include "page.h"

#include <string.h>

static const char page[] =
    "<!doctype html>\n"
    "<html lang='en'><meta charset='utf-8'><title>hawser-echo</title>\n"
    "<link rel='icon' href='data:,'>\n"
    "<style>body { font: 1em sans-serif; max-width: 40em; margin: 2em auto; padding: 0 1em }\n"
    "pre { white-space: pre-wrap; overflow-wrap: anywhere }</style>\n"
    "<h1>hawser-echo</h1><p>What you send comes back.</p>\n"
    "<p><input id='text' value='hello' aria-label='Message'> <button id='send'>Send</button>\n"
    "<button id='send-binary'>Send as binary</button></p>\n"
    "<pre id='log'></pre><script>\n"
    "const find = id => document.getElementById(id);\n"
    "const log = line => { find('log').textContent += line + '\\n'; };\n"
    "const hex = data => Array.from(new Uint8Array(data), byte =>\n"
    "    byte.toString(16).padStart(2, '0')).join(' ');\n"
    "const scheme = location.protocol === 'https:' ? 'wss://' : 'ws://';\n"
    "const ws = new WebSocket(scheme + location.host + '/');\n"
    "ws.binaryType = 'arraybuffer';\n"
    "ws.onopen = () => log('open');\n"
    "ws.onmessage = event => log(typeof event.data === 'string' ?\n"
    "    'text: ' + event.data : 'binary: ' + hex(event.data));\n"
    "ws.onclose = event => log(('close: ' + event.code + ' ' + event.reason).trim());\n"
    "find('send').onclick = () => ws.send(find('text').value);\n"
    "find('send-binary').onclick = () => ws.send(new TextEncoder().encode(find('text').value));\n"
    "find('text').onkeydown = event => { if (event.key === 'Enter') find('send').click(); };\n"
    "</script>\n";

static hws_status respond(hws_blocking *ws, uint16_t code, const char *type, const char *body) {
    hws_field field = {hws_text_from("Content-Type"), hws_text_from(type)};
    return hws_blocking_respond(ws, code, &field, 1, (const uint8_t *)body, strlen(body));
}

static int is(hws_text text, const char *string) {
    return text.len == strlen(string) && memcmp(text.data, string, text.len) == 0;
}

hws_status serve_text(hws_blocking *ws, uint16_t code, const char *text) {
    return respond(ws, code, "text/plain", text);
}

hws_status serve_page(hws_blocking *ws, const hws_handshake *request) {
    const uint8_t *bytes;
    const hws_head *head = hws_blocking_head(ws, &bytes);
    hws_text method = hws_span_text(bytes, head->method);
    if (!is(method, "GET") && !is(method, "HEAD")) {
        hws_field allow = {hws_text_from("Allow"), hws_text_from("GET, HEAD")};
        return hws_blocking_respond(ws, 405, &allow, 1, NULL, 0);
    }
    if (!is(hws_span_text(bytes, request->path), "/")) {
        return serve_text(ws, 404, "There is one page here, at /.\n");
    }
    return respond(ws, 200, "text/html; charset=utf-8", page);
}
