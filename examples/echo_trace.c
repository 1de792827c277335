/*
 * Prints what happens on connections, a line each, with the time of day (UTC) and the number of the
 * connection. Called by all threads: a line goes out in one call.
 */
#define _POSIX_C_SOURCE 200809L

#include "echo_trace.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <hawser/trace.h>

#include "echo_options.h"
#include "echo_tls.h"

/* Connections are numbered when something is said about them for the first time. */
static unsigned long long number_of(hws_link *link) {
    static atomic_uintptr_t last;
    uintptr_t number = (uintptr_t)hws_link_user(link);
    if (number == 0) {
        number = atomic_fetch_add(&last, 1) + 1;
        hws_link_set_user(link, (void *)number);
    }
    return number;
}

static void print(hws_link *link, const char *text) {
    struct timespec now = {0};
    struct tm parts = {0};
    char time_of_day[16] = "";
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)strftime(time_of_day, sizeof time_of_day, "%H:%M:%S", gmtime_r(&now.tv_sec, &parts));
    fprintf(stderr, "%s.%03d #%llu %s\n", time_of_day, (int)(now.tv_nsec / 1000000),
            number_of(link), text);
}

void trace_frame(void *user, const void *connection, uint8_t sent, const hws_frame *frame,
                 const uint8_t *payload) {
    char text[HWS_TRACE_LINE];
    (void)user;
    (void)hws_trace_frame(sent, frame, payload, text, sizeof text);
    print(hws_link_of(connection), text);
}

void trace_request(hws_link *link) {
    char text[HWS_TRACE_LINE];
    const uint8_t *bytes;
    const hws_head *head = hws_endpoint_head(hws_link_endpoint(link), &bytes);
    uint32_t line = 0;
    while (options.trace && hws_trace_head(0, head, bytes, &line, text, sizeof text)) {
        print(link, text);
    }
}

void trace_answer(hws_link *link, uint16_t code) {
    char text[HWS_TRACE_LINE];
    (void)snprintf(text, sizeof text, "> HTTP/1.1 %u", (unsigned)code);
    if (options.trace) {
        print(link, text);
    }
}

void report_end(hws_link *link) {
    const hws_status status = hws_endpoint_status(hws_link_endpoint(link));
    const char *sentence =
        status == HWS_OK ? "The connection has ended." : hws_status_sentence(status);
    char reason[TLS_REASON_CAP];
    if (status == HWS_ERR_TLS) {
        explain_tls(reason);
        sentence = reason;
    }
    if (options.trace) {
        print(link, sentence);
    } else if (status != HWS_OK) {
        fprintf(stderr, "hawser-echo: %s\n", sentence);
    }
}
