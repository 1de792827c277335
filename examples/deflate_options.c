/*
 * Takes the OPTIONS of --deflate apart. The one file of the programs that knows which codec there
 * is.
 */
#include "deflate_options.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAWSER_WITH_DEFLATE
#include <hawser/deflate_zlib.h>
#endif

#include "command_line.h"

enum { OPTIONS_LIMIT = 512 };

/* An option that is a number of one byte, or has no value. */
typedef struct parameter {
    const char *name;
    uint64_t min;
    uint64_t max; /* 0: it has no value, and sets 1 */
    size_t place; /* in a deflate_choice */
} parameter;

static const parameter parameters[] = {
    {"level", 1, 9, offsetof(deflate_choice, options.settings.level)},
    {"memory", 1, 9, offsetof(deflate_choice, options.settings.mem_level)},
    {"window", 9, 15, offsetof(deflate_choice, options.settings.window_bits)},
    {"server_max_window_bits", 8, 15, offsetof(deflate_choice, params[0].server_max_window_bits)},
    {"client_max_window_bits", 8, 15, offsetof(deflate_choice, params[0].client_max_window_bits)},
    {"server_no_context_takeover", 0, 0,
     offsetof(deflate_choice, params[0].server_no_context_takeover)},
    {"client_no_context_takeover", 0, 0,
     offsetof(deflate_choice, params[0].client_no_context_takeover)},
    {"require_client_max_window_bits", 0, 0,
     offsetof(deflate_choice, params[0].require_client_max_window_bits)},
};

static const char *const presets[] = {
    [HWS_DEFLATE_BALANCED] = "balanced",
    [HWS_DEFLATE_SMALL] = "small",
    [HWS_DEFLATE_BEST] = "best",
};

static const hws_codec *find_codec(const char *name) {
#ifdef HAWSER_WITH_DEFLATE
    (void)name;
    return hws_codec_zlib();
#else
    fprintf(stderr, "%s: --deflate needs zlib, and this build has none.\n", name);
    exit(2);
#endif
}

/* A client that offers no client_max_window_bits says so by 0; a server can demand them. */
static int is_for_role(const deflate_choice *choice, const parameter *found, uint64_t number) {
    if (found->place == offsetof(deflate_choice, params[0].require_client_max_window_bits)) {
        return choice->role == HWS_ROLE_SERVER;
    }
    return number >= found->min ||
           (number == 0 && choice->role == HWS_ROLE_CLIENT &&
            found->place == offsetof(deflate_choice, params[0].client_max_window_bits));
}

/* `value` is NULL when there is no "=". */
static int take_parameter(deflate_choice *choice, const char *name, const char *value) {
    uint64_t number = 1;
    size_t i = 0;
    if (strcmp(name, "threshold") == 0) {
        return value != NULL && take_number(&choice->options.threshold, value);
    }
    while (i < sizeof parameters / sizeof parameters[0] && strcmp(name, parameters[i].name) != 0) {
        i++;
    }
    if (i == sizeof parameters / sizeof parameters[0] ||
        (value == NULL) != (parameters[i].max == 0) ||
        (value != NULL && (!take_number(&number, value) || number > parameters[i].max)) ||
        !is_for_role(choice, &parameters[i], number)) {
        return 0;
    }
    *((uint8_t *)choice + parameters[i].place) = (uint8_t)number;
    if (parameters[i].place < offsetof(deflate_choice, options)) {
        choice->count = 1; /* who names a parameter wants it */
    }
    return 1;
}

/* Many servers know no window: to them a client offers one that asks for nothing, behind a preset
 * that asks for one. */
static int take_preset(deflate_choice *choice, const char *name) {
    for (uint8_t preset = 0; preset < sizeof presets / sizeof presets[0]; preset++) {
        if (name == NULL ? preset == HWS_DEFLATE_BALANCED : strcmp(name, presets[preset]) == 0) {
            hws_deflate_params_init(&choice->params[0], preset);
            hws_deflate_params_init(&choice->params[1], HWS_DEFLATE_BEST);
            choice->count = choice->role == HWS_ROLE_CLIENT && preset != HWS_DEFLATE_BEST ? 2 : 1;
            hws_deflate_options_init(&choice->options, choice->role, preset);
            choice->options.codec = find_codec(choice->program);
            return 1;
        }
    }
    return 0;
}

/* Cuts the text behind its first part. Returns the rest; NULL when there is none. */
static char *cut(char *text, char mark) {
    char *found = strchr(text, mark);
    if (found == NULL) {
        return NULL;
    }
    *found = '\0';
    return found + 1;
}

int take_deflate(void *field, const char *value) {
    deflate_choice *choice = field;
    char text[OPTIONS_LIMIT];
    char *part = text;
    (void)take_preset(choice, NULL);
    if (strlen(value) >= sizeof text) {
        return 0;
    }
    memcpy(text, value, strlen(value) + 1);
    while (part != NULL && *value != '\0') {
        char *rest = cut(part, ',');
        char *number = cut(part, '=');
        int is_preset = part == text && number == NULL && take_preset(choice, part);
        if (!is_preset && !take_parameter(choice, part, number)) {
            return 0;
        }
        part = rest;
    }
    return 1;
}

void use_deflate(const deflate_choice *choice, hws_blocking_config *config) {
    if (choice->count > 0) {
        config->deflate = choice->params;
        config->deflate_count = choice->count;
        config->deflate_options = &choice->options;
    }
}
