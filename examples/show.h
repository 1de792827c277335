/*
 * Prints what a server sent, so that no byte of it can control the terminal.
 */
#ifndef SHOW_H
#define SHOW_H

#include <stdio.h>

#include <hawser/blocking.h>
#include <hawser/hawser.h>

/* One line on stdout. */
void show_open(const hws_blocking *ws);
void show_event(const hws_event *ev);

/* Lines on stderr, for hws_blocking_config. */
void show_frame(void *user, const void *connection, uint8_t sent, const hws_frame *frame,
                const uint8_t *payload);
void show_head(void *user, const void *connection, uint8_t sent, const hws_head *head,
               const uint8_t *bytes);

/* One sentence on stderr: why the connection failed. */
void show_failure(const hws_blocking *ws, hws_status status);

#endif
