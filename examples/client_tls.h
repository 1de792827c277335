/*
 * TLS of the programs that connect: --cacert, --insecure, and the key log of SSLKEYLOGFILE.
 */
#ifndef CLIENT_TLS_H
#define CLIENT_TLS_H

#include <hawser/blocking.h>

typedef struct tls_choice {
    const char *ca_file; /* NULL: the authorities of the system */
    int insecure;
} tls_choice;

/* Whether this build can open wss:// URLs. */
int has_tls(void);

/* Reads the files, and sets the filter of a configuration. Returns 0 when a file is not good:
 * tell_tls() says so. Nothing without TLS. */
int begin_tls(const tls_choice *choice, hws_blocking_config *config);

/* One sentence: why it failed last. Returns 0, and prints nothing, when nothing has. */
int tell_tls(const char *program);

/* Behind the last connection. */
void end_tls(void);

#endif
