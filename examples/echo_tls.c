/*
 * The one file of hawser-echo that knows which library TLS comes from.
 */
#include "echo_tls.h"

#include <stddef.h>

#ifdef HAWSER_WITH_TLS

#include <stdio.h>
#include <stdlib.h>

#include <hawser/tls.h>

#include "echo_options.h"

_Static_assert((int)TLS_REASON_CAP == (int)HWS_TLS_REASON_CAP, "A reason fits.");

static hws_tls context;

void explain_tls(char text[TLS_REASON_CAP]) {
    hws_tls_reason(&context, NULL, text);
}

int open_tls(const hws_filter **filter) {
    const hws_tls_certificate own = {options.tls_cert, options.tls_key};
    char reason[TLS_REASON_CAP];
    hws_tls_config config;
    *filter = NULL;
    if (options.tls_cert == NULL) {
        return 1;
    }
    hws_tls_config_init(&config, HWS_ROLE_SERVER);
    config.certificates = &own;
    config.certificate_count = 1;
    config.key_log_file = getenv("SSLKEYLOGFILE");
    if (hws_tls_init(&context, &config) != HWS_OK) {
        explain_tls(reason);
        fprintf(stderr, "hawser-echo: %s\n", reason);
        hws_tls_release(&context);
        return 0;
    }
    *filter = hws_tls_filter(&context);
    return 1;
}

void close_tls(void) {
    if (options.tls_cert != NULL) {
        hws_tls_release(&context);
    }
}

#else

void explain_tls(char text[TLS_REASON_CAP]) {
    text[0] = '\0';
}

int open_tls(const hws_filter **filter) {
    *filter = NULL;
    return 1;
}

void close_tls(void) {
}

#endif
