/*
 * The command lines of the programs here: a table of options, each with the function that
 * takes its value.
 */
#ifndef COMMAND_LINE_H
#define COMMAND_LINE_H

#include <stdio.h>

#include <hawser/hawser.h>

typedef struct option {
    const char *name;  /* "--port" */
    const char *value; /* what the usage calls its value; "" for an option without one, in brackets
                          when it may be left out, and has to stand behind "=" */
    const char *help;
    int (*take)(void *field, const char *value); /* returns 0 when the value is none; "" stands for
                                                    one that was left out */
    void *field;                                 /* where the value goes */
} option;

typedef struct program {
    const char *name;
    const char *usage;                  /* what stands before the options */
    const option *options;              /* the last one has no name */
    const char *notes;                  /* what stands behind them; NULL: nothing */
    int (*take_word)(const char *word); /* for what is no option; returns 0 when that is wrong */
} program;

/* Gives each value to its option. Comes back when all were good: --help ends the program with
 * status 0, and what is wrong ends it with a sentence, the usage and status 2. */
void take_command_line(const program *self, char **argv);

void print_usage(const program *self, FILE *out);

enum { TEXT_LIST_LIMIT = 64 };

typedef struct text_list {
    hws_text items[TEXT_LIST_LIMIT];
    size_t count;
} text_list;

/* What an option's `take` can be, and the type of its field. */
int take_string(void *field, const char *value); /* const char * */
int take_number(void *field, const char *value); /* uint64_t: digits alone */
int take_limit(void *field, const char *value);  /* uint64_t: as before; 0 and "unlimited": none */
int take_flag(void *field, const char *value);   /* int, set to 1: for an option without value */
int take_text(void *field, const char *value);   /* text_list: for one that may be repeated */

#endif
