/*
 * Prints the tally of a run, for people or as JSON. Nothing in it is the server's word: no byte
 * that he sent comes to the terminal.
 */
#include "bench_report.h"

#include <stdio.h>

#include "bench_options.h"
#include "bench_tally.h"

typedef struct quantile {
    const char *name;
    const char *json_name;
    uint32_t part; /* of 10000 */
} quantile;

static const quantile quantiles[] = {{"p50", "p50", 5000},
                                     {"p90", "p90", 9000},
                                     {"p99", "p99", 9900},
                                     {"p99.9", "p99_9", 9990},
                                     {"max", "max", 10000}};

enum { QUANTILES = sizeof quantiles / sizeof quantiles[0] };

static double us_at(size_t i) {
    return (double)histogram_quantile(&result.latency, quantiles[i].part) / 1e3;
}

static double measured_seconds(void) {
    return (double)(result.until_ns - result.from_ns) / 1e9;
}

static double per_second(void) {
    double seconds = measured_seconds();
    return seconds > 0 ? (double)result.counted / seconds : 0;
}

static void print_direction(const char *name, const tally_direction *bytes) {
    double plain = bytes->plain > 0 ? (double)bytes->plain : 1;
    printf("  %-16s %12.1f  %% of the payload, with frames: %llu of %llu bytes\n", name,
           100 * (double)bytes->wire / plain, (unsigned long long)bytes->wire,
           (unsigned long long)bytes->plain);
}

static void print_deflate(void) {
    printf("  %-16s %12llu  connections that compress\n", "deflate",
           (unsigned long long)result.compressing);
    print_direction("sent", &result.sent);
    print_direction("received", &result.received);
}

static void print_people(void) {
    size_t i = 0;
    printf("%llu of %llu connections, %llu bytes of %s, %llu on their way in each, %.2f s\n",
           (unsigned long long)result.opened, (unsigned long long)options.connections,
           (unsigned long long)options.size, options.text ? "text" : "binary",
           (unsigned long long)options.depth, measured_seconds());
    printf("  %-16s %12.0f\n", "messages/s", per_second());
    printf("  %-16s %12.2f  of payload, in each direction\n", "MB/s",
           per_second() * (double)options.size / 1e6);
    if (options.deflate.count > 0) {
        print_deflate();
    }
    while (i < QUANTILES) {
        printf("  latency %-8s %12.1f  µs\n", quantiles[i].name, us_at(i));
        i++;
    }
    printf("  %-16s %12.0f  %% of a core, for the load itself\n", "processor", result.load * 100);
    if (options.rate > 0) {
        printf("  %-16s %12llu  messages, for which there was no room in time\n", "not sent",
               (unsigned long long)result.unsent);
    }
}

/* The only marks of a sentence that JSON has another meaning for. */
static void print_string(const char *text) {
    size_t i = 0;
    putchar('"');
    while (text[i] != '\0') {
        if (text[i] == '"' || text[i] == '\\') {
            putchar('\\');
        }
        putchar(text[i]);
        i++;
    }
    putchar('"');
}

static void print_json_deflate(void) {
    if (options.deflate.count == 0) {
        printf(" \"deflate\": null,\n");
        return;
    }
    printf(" \"deflate\": {\"connections\": %llu, \"sent_plain_bytes\": %llu, "
           "\"sent_bytes\": %llu, \"received_plain_bytes\": %llu, \"received_bytes\": %llu},\n",
           (unsigned long long)result.compressing, (unsigned long long)result.sent.plain,
           (unsigned long long)result.sent.wire, (unsigned long long)result.received.plain,
           (unsigned long long)result.received.wire);
}

static void print_json(void) {
    size_t i = 0;
    printf("{\"url\": ");
    print_string(options.url);
    printf(", \"connections\": %llu, \"opened\": %llu, \"size\": %llu, \"depth\": %llu, "
           "\"rate\": %llu, \"text\": %s,\n",
           (unsigned long long)options.connections, (unsigned long long)result.opened,
           (unsigned long long)options.size, (unsigned long long)options.depth,
           (unsigned long long)options.rate, options.text ? "true" : "false");
    printf(" \"from_ns\": %llu, \"until_ns\": %llu,\n", (unsigned long long)result.from_ns,
           (unsigned long long)result.until_ns); /* CLOCK_MONOTONIC: for who measures beside us */
    printf(" \"seconds\": %.6f, \"messages\": %llu, \"messages_with_warm_up\": %llu, "
           "\"unsent\": %llu,\n",
           measured_seconds(), (unsigned long long)result.counted,
           (unsigned long long)result.answered, (unsigned long long)result.unsent);
    printf(" \"messages_per_s\": %.1f, \"payload_bytes_per_s\": %.1f, \"load\": %.3f,\n",
           per_second(), per_second() * (double)options.size, result.load);
    print_json_deflate();
    printf(" \"latency_us\": {");
    while (i < QUANTILES) {
        printf("%s\"%s\": %.3f", i > 0 ? ", " : "", quantiles[i].json_name, us_at(i));
        i++;
    }
    printf("},\n \"errors\": [");
    i = 0;
    while (i < result.kind_count) {
        printf("%s{\"count\": %llu, \"text\": ", i > 0 ? ", " : "",
               (unsigned long long)result.kinds[i].count);
        print_string(result.kinds[i].text);
        putchar('}');
        i++;
    }
    puts("]}");
}

static void print_errors(void) {
    size_t i = 0;
    while (i < result.kind_count) {
        const tally_kind *kind = &result.kinds[i];
        fprintf(stderr, kind->count > 1 ? "hawser-bench: %s %llu times.\n" : "hawser-bench: %s\n",
                kind->text, (unsigned long long)kind->count);
        i++;
    }
    if (result.counted == 0) {
        fputs("hawser-bench: No message came back in the time that was measured.\n", stderr);
    }
}

void report_result(void) {
    if (options.json) {
        print_json();
    } else if (result.opened > 0) {
        print_people();
    }
    fflush(stdout);
    print_errors();
}

void report_progress(double seconds, double messages_per_s) {
    fprintf(stderr, "\r%6.0f s %12.0f messages/s ", seconds, messages_per_s);
    fflush(stderr);
}

void report_progress_end(void) {
    fprintf(stderr, "\r%40s\r", "");
}
