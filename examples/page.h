/*
 * The answers of hawser-echo to requests that ask for no WebSocket.
 */
#ifndef PAGE_H
#define PAGE_H

#include <hawser/blocking.h>

/* The page, or what is wrong with the request. */
hws_status serve_page(hws_blocking *ws, const hws_handshake *request);

hws_status serve_text(hws_blocking *ws, uint16_t code, const char *text);

#endif
