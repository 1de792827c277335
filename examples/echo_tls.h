/*
 * TLS of hawser-echo.
 */
#ifndef ECHO_TLS_H
#define ECHO_TLS_H

#include <hawser/filter.h>

/* Reads the certificate and the key of the options. The filter is NULL without them. Returns 0
 * when they are not good, and has said why. */
int open_tls(const hws_filter **filter);

enum { TLS_REASON_CAP = 256 };

/* Why TLS failed the last time, on any connection: a sentence. */
void explain_tls(char text[TLS_REASON_CAP]);

/* When the last connection is gone. */
void close_tls(void);

#endif
