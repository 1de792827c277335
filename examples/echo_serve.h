/*
 * The service of hawser-echo: a loop, and what it does with the events of its connections.
 */
#ifndef ECHO_SERVE_H
#define ECHO_SERVE_H

#include <hawser/loop.h>

typedef struct service {
    hws_loop loop;
    hws_counters counters;
} service;

/* Sets up the loop, not listening so far, by the options. `s` must not move. `filter` is NULL
 * without TLS, and lives as long. */
hws_status service_init(service *s, const hws_filter *filter);

/* Serves until something is posted to the loop, then shuts it down. Returns HWS_OK when the last
 * connection is gone; HWS_ERR_SYSTEM. */
hws_status service_run(service *s);

void service_release(service *s);

#endif
