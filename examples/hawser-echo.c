/*
 * hawser-echo: a WebSocket server that sends every message back, and a page to try it in a browser.
 *
 * One thread serves thousands of connections in a loop; --threads takes more of them, each with a
 * loop of its own on the same port. Here is what there is once: addresses, threads, signals and the
 * end. What is done with a connection stands in echo_serve.c.
 */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <hawser/hawser.h>
#include <hawser/loop.h>

#include "echo_options.h"
#include "echo_serve.h"
#include "echo_summary.h"
#include "echo_tls.h"

/* Files of the program itself, and of each thread. */
enum { OTHER_FILES = 64, FILES_OF_A_THREAD = 16 };

typedef struct worker {
    pthread_t thread;
    service service;
    hws_status status; /* of service_run() */
} worker;

static worker *workers;       /* options.threads of them */
static size_t workers_inited; /* whose loops may be posted to */

/* From the handler of a signal, and from any thread. */
static void stop_all(void) {
    size_t i = 0;
    while (i < workers_inited) {
        (void)hws_loop_post(&workers[i].service.loop, NULL);
        i++;
    }
}

/* The first signal asks for a graceful end. The next one finds the default action, and so ends the
 * program at once. */
static void stop(int signal_number) {
    (void)signal_number;
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    stop_all();
}

static void print_error(const hws_loop *loop, hws_status status) {
    int32_t error = hws_loop_system_error(loop);
    int of_errno = status == HWS_ERR_SYSTEM && error != 0;
    fprintf(stderr, "hawser-echo: %s%s%s\n", hws_status_sentence(status), of_errno ? " " : "",
            of_errno ? strerror((int)error) : "");
}

/* Each connection is a file. The limit that most systems start with, 1024, is there for programs
 * that use select(); it is raised as far as this one needs. */
static void raise_file_limit(void) {
    const rlim_t wanted =
        (rlim_t)(options.max_connections + options.threads * FILES_OF_A_THREAD + OTHER_FILES);
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) {
        return;
    }
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < wanted) {
        fprintf(stderr,
                "hawser-echo: The system allows %llu open files, too few for --max-connections.\n",
                (unsigned long long)limit.rlim_cur);
    }
}

/* Port 0 is chosen by the system for the first thread; the others take the same one. */
static hws_status listen_on(service *s) {
    uint16_t port = hws_loop_port(&workers[0].service.loop);
    if (options.unix_path != NULL) {
        return hws_loop_listen_unix(&s->loop, options.unix_path);
    }
    return hws_loop_listen(&s->loop, options.host, port != 0 ? port : (uint16_t)options.port);
}

static hws_status open_workers(const hws_filter *filter) {
    hws_status status = HWS_OK;
    size_t i = 0;
    while (status == HWS_OK && i < options.threads) {
        service *s = &workers[i].service;
        status = service_init(s, filter);
        if (status == HWS_OK) {
            workers_inited++;
            status = listen_on(s);
        }
        if (status != HWS_OK) {
            print_error(&s->loop, status);
        }
        i++;
    }
    return status;
}

/* One line for people, and for scripts that wait for it. */
static void announce(void) {
    int is_ipv6 = strchr(options.host, ':') != NULL;
    if (options.unix_path != NULL) {
        printf("hawser-echo listens on unix:%s\n", options.unix_path);
    } else {
        printf("hawser-echo listens on %s://%s%s%s:%u/\n", options.tls_cert != NULL ? "wss" : "ws",
               is_ipv6 ? "[" : "", options.host, is_ipv6 ? "]" : "",
               (unsigned)hws_loop_port(&workers[0].service.loop));
    }
    fflush(stdout);
}

/* When one loop fails, all end. */
static void *work(void *argument) {
    worker *w = argument;
    w->status = service_run(&w->service);
    if (w->status != HWS_OK) {
        print_error(&w->service.loop, w->status);
        stop_all();
    }
    return NULL;
}

/* The first worker is this thread. Returns HWS_OK when all have ended well. */
static hws_status run_workers(void) {
    hws_status status;
    size_t started = 1;
    while (started < options.threads &&
           pthread_create(&workers[started].thread, NULL, work, &workers[started]) == 0) {
        started++;
    }
    if (started < options.threads) {
        fputs("hawser-echo: The system has no more threads.\n", stderr);
        stop_all();
    }
    (void)work(&workers[0]);
    status = started < options.threads ? HWS_ERR_SYSTEM : workers[0].status;
    while (started > 1) {
        started--;
        (void)pthread_join(workers[started].thread, NULL);
        status = status == HWS_OK ? workers[started].status : status;
    }
    return status;
}

static void print_summary(void) {
    hws_counters sum = {0};
    size_t i = 0;
    while (i < options.threads) {
        add_counters(&sum, &workers[i].service.counters);
        i++;
    }
    print_counters(&sum);
}

static void close_workers(void) {
    size_t i = 0;
    while (i < workers_inited) {
        service_release(&workers[i].service);
        i++;
    }
    free(workers);
}

/* Returns the exit status. */
static int serve(const hws_filter *filter) {
    hws_status status = open_workers(filter);
    if (status == HWS_OK) {
        (void)signal(SIGINT, stop);
        (void)signal(SIGTERM, stop);
        announce();
        status = run_workers();
        (void)signal(SIGINT, SIG_DFL); /* stop() needs the loops */
        (void)signal(SIGTERM, SIG_DFL);
    }
    if (options.summary) {
        print_summary();
    }
    close_workers();
    if (status == HWS_ERR_ARGUMENT) { /* a path that no Unix socket can have */
        return 2;
    }
    return status == HWS_OK ? 0 : 1;
}

int main(int argc, char **argv) {
    const hws_filter *filter;
    int status;
    (void)argc;
    take_options(argv);
    raise_file_limit();
    if (!open_tls(&filter)) {
        return 1;
    }
    workers = calloc(options.threads, sizeof *workers);
    if (workers == NULL) {
        fprintf(stderr, "hawser-echo: %s\n", hws_status_sentence(HWS_ERR_MEMORY));
        close_tls();
        return 1;
    }
    status = serve(filter);
    close_tls();
    return status;
}
