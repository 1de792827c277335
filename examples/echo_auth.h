/*
 * Who may use hawser-echo.
 */
#ifndef ECHO_AUTH_H
#define ECHO_AUTH_H

#include <hawser/endpoint.h>

/* Answers the request that waits with 401 or 400, unless it has a user or token of the options.
 * Returns that status; 0 when the request may go on. */
uint16_t admit(hws_endpoint *ep);

#endif
