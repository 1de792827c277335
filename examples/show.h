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

/* One sentence on stderr: why the connection failed. */
void show_failure(const hws_blocking *ws, hws_status status);

#endif
