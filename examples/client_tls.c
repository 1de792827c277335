/*
 * The one file of the programs that connect which knows which library TLS comes from.
 */
#include "client_tls.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef HAWSER_WITH_TLS

#include <hawser/tls.h>

static hws_tls context;

int has_tls(void) {
    return 1;
}

int begin_tls(const tls_choice *choice, hws_blocking_config *config) {
    hws_tls_config tls;
    hws_tls_config_init(&tls, HWS_ROLE_CLIENT);
    tls.ca_file = choice->ca_file;
    tls.insecure = (uint8_t)choice->insecure;
    tls.key_log_file = getenv("SSLKEYLOGFILE");
    if (hws_tls_init(&context, &tls) != HWS_OK) {
        return 0;
    }
    config->filter = hws_tls_filter(&context);
    return 1;
}

int tell_tls(const char *program) {
    char reason[HWS_TLS_REASON_CAP];
    hws_tls_reason(&context, NULL, reason);
    if (*reason != '\0') {
        fprintf(stderr, "%s: %s\n", program, reason);
    }
    return *reason != '\0';
}

void end_tls(void) {
    hws_tls_release(&context);
}

#else

int has_tls(void) {
    return 0;
}

int begin_tls(const tls_choice *choice, hws_blocking_config *config) {
    (void)choice;
    (void)config;
    return 1;
}

int tell_tls(const char *program) {
    (void)program;
    return 0;
}

void end_tls(void) {
}

#endif
