/*
 * Takes command lines apart. Knows nothing of what the options mean.
 */
#include "command_line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int may_lack_value(const option *o) {
    return *o->value == '\0' || *o->value == '[';
}

static void print_option(FILE *out, const option *o) {
    int len = (int)strlen(o->name);
    int joined = *o->value == '[';
    int name_len = joined ? len : len < 14 ? 14 : len + 1;
    fprintf(out, "  %-*s%-*s  %s\n", name_len, o->name, 23 - name_len, o->value, o->help);
}

void print_usage(const program *self, FILE *out) {
    const option help = {.name = "--help", .value = "", .help = "print this"};
    fprintf(out, "%s\n", self->usage);
    for (const option *o = self->options; o->name != NULL; o++) {
        print_option(out, o);
    }
    print_option(out, &help);
    if (self->notes != NULL) {
        fprintf(out, "\n%s\n", self->notes);
    }
}

static const option *find_option(const program *self, const char *name, size_t len) {
    for (const option *o = self->options; o->name != NULL; o++) {
        if (strlen(o->name) == len && memcmp(o->name, name, len) == 0) {
            return o;
        }
    }
    return NULL;
}

/* Takes "--name=value", "--name value" or "--name". Returns how many arguments that were; 0 for
 * none. */
static int take_option(const program *self, const char *argument, const char *next) {
    size_t len = strcspn(argument, "=");
    const option *found = find_option(self, argument, len);
    const char *value = next;
    if (found == NULL) {
        fprintf(stderr, "%s: There is no option %s.\n", self->name, argument);
        return 0;
    }
    if (argument[len] == '=') {
        value = argument + len + 1;
    } else if (may_lack_value(found)) {
        value = "";
    }
    if (value == NULL || !found->take(found->field, value)) {
        fprintf(stderr, "%s: %s cannot be \"%s\".\n", self->name, found->name, value ? value : "");
        return 0;
    }
    return value == next ? 2 : 1;
}

void take_command_line(const program *self, char **argv) {
    int i = 1;
    while (argv[i] != NULL) {
        int taken;

        if (strcmp(argv[i], "--help") == 0) {
            print_usage(self, stdout);
            exit(0);
        }
        if (*argv[i] != '-' && self->take_word != NULL) {
            taken = self->take_word(argv[i]);
        } else {
            taken = take_option(self, argv[i], argv[i + 1]);
        }
        if (taken == 0) {
            print_usage(self, stderr);
            exit(2);
        }
        i += taken;
    }
}

int take_string(void *field, const char *value) {
    *(const char **)field = value;
    return 1;
}

/* strtoull() alone would let in a sign, spaces, and words behind the digits. */
int take_number(void *field, const char *value) {
    char *end;
    errno = 0;
    *(uint64_t *)field = strtoull(value, &end, 10);
    return *value >= '0' && *value <= '9' && *end == '\0' && errno == 0;
}

int take_limit(void *field, const char *value) {
    *(uint64_t *)field = HWS_UNLIMITED;
    return strcmp(value, "unlimited") == 0 || strcmp(value, "0") == 0 || take_number(field, value);
}

int take_flag(void *field, const char *value) {
    *(int *)field = 1;
    return *value == '\0';
}

int take_text(void *field, const char *value) {
    text_list *list = field;
    if (list->count == TEXT_LIST_LIMIT) {
        return 0;
    }
    list->items[list->count++] = hws_text_from(value);
    return 1;
}
