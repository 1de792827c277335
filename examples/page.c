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
    "const ws = new WebSocket(scheme + location.host + '/' + location.search);\n"
    "ws.binaryType = 'arraybuffer';\n"
    "ws.onopen = () => log('open');\n"
    "ws.onmessage = event => log(typeof event.data === 'string' ?\n"
    "    'text: ' + event.data : 'binary: ' + hex(event.data));\n"
    "ws.onclose = event => log(('close: ' + event.code + ' ' + event.reason).trim());\n"
    "find('send').onclick = () => ws.send(find('text').value);\n"
    "find('send-binary').onclick = () => ws.send(new TextEncoder().encode(find('text').value));\n"
    "find('text').onkeydown = event => { if (event.key === 'Enter') find('send').click(); };\n"
    "</script>\n";

static uint16_t respond(hws_endpoint *ep, uint16_t code, const char *name, const char *value,
                        const char *body) {
    hws_field field = {hws_text_from(name), hws_text_from(value)};
    (void)hws_endpoint_respond(ep, code, &field, 1, (const uint8_t *)body, strlen(body));
    return code;
}

static int is(hws_text text, const char *string) {
    return text.len == strlen(string) && memcmp(text.data, string, text.len) == 0;
}

uint16_t serve_page(hws_endpoint *ep) {
    const uint8_t *bytes;
    const hws_head *head = hws_endpoint_head(ep, &bytes);
    hws_text method = hws_span_text(bytes, head->method);
    hws_text path = hws_span_text(bytes, hws_endpoint_request(ep)->path);
    if (!is(method, "GET") && !is(method, "HEAD")) {
        return respond(ep, 405, "Allow", "GET, HEAD", "");
    }
    if (!is(path, "/")) {
        return respond(ep, 404, "Content-Type", "text/plain", "There is one page here, at /.\n");
    }
    return respond(ep, 200, "Content-Type", "text/html; charset=utf-8", page);
}
