/*
 * The answers of hawser-echo to requests that ask for no WebSocket.
 */
#ifndef PAGE_H
#define PAGE_H

#include <hawser/endpoint.h>

/* Answers the request that waits: with the page, or with what is wrong. Returns the status of the
 * response. */
uint16_t serve_page(hws_endpoint *ep);

#endif
