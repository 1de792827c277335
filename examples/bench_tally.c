/*
 * Counts what happens in a run. Knows nothing of sockets, and prints nothing.
 */
#include "bench_tally.h"

#include <stdio.h>
#include <string.h>

tally result;

static int is_measured(uint64_t sent_ns) {
    return result.from_ns != 0 && sent_ns >= result.from_ns;
}

static int measures(void) {
    return result.from_ns != 0 && result.until_ns == 0;
}

void tally_answer(uint64_t sent_ns, uint64_t now_ns) {
    result.answered++;
    if (measures()) {
        result.counted++;
    }
    if (is_measured(sent_ns)) {
        histogram_add(&result.latency, now_ns - sent_ns);
    }
}

void tally_bytes(tally_direction *direction, uint64_t plain, uint64_t wire) {
    if (measures()) {
        direction->plain += plain;
        direction->wire += wire;
    }
}

void tally_waited(uint64_t sent_ns, uint64_t now_ns) {
    if (is_measured(sent_ns) && now_ns > sent_ns) {
        histogram_add(&result.latency, now_ns - sent_ns);
    }
}

void tally_error(uint64_t count, const char *text) {
    size_t i = 0;
    if (count == 0) {
        return;
    }
    while (i < result.kind_count && strcmp(result.kinds[i].text, text) != 0) {
        i++;
    }
    if (i >= TALLY_KINDS - 1) {
        i = TALLY_KINDS - 1;
        text = "Errors of other kinds.";
    }
    if (i >= result.kind_count) {
        snprintf(result.kinds[i].text, TALLY_TEXT, "%s", text);
        result.kind_count = i + 1;
    }
    result.kinds[i].count += count;
}

void tally_status(hws_status status, int system_error) {
    char text[TALLY_TEXT];
    const char *section = hws_status_section(status);
    const char *reason = *section == '\0' && system_error != 0 ? strerror(system_error) : section;
    snprintf(text, sizeof text, *reason != '\0' ? "%s (%s)" : "%s", hws_status_sentence(status),
             reason);
    tally_error(1, text);
}
