/*
 * hawser-bench-codec: times hawser beside other WebSocket codecs.
 */
#include "measure.hpp"
#include "report.hpp"

#include <cstdio>
#include <cstdlib>
#include <getopt.h>
#include <regex.h>

using namespace bench;

namespace {

const char usage[] =
    "usage: hawser-bench-codec [OPTION]...\n"
    "Times hawser beside other WebSocket codecs: nanoseconds per frame, medians over many rounds\n"
    "in which all take turns. Before that it verifies that each delivers what was sent.\n"
    "\n"
    "  --verify            only verify\n"
    "  --rounds N          rounds (default 301)\n"
    "  --quick             31 rounds\n"
    "  --rows REGEX        only rows whose names have a match\n"
    "  --contenders REGEX  only contenders whose names have a match\n"
    "  --list              print the names of rows and contenders\n"
    "  --csv FILE          write the figures as CSV\n"
    "  --plot FILE         write a chart as SVG\n"
    "  --check FILE        compare ratios with the bounds in a file; exit with 1 if one is missed\n"
    "  --help              print this\n";

struct options {
    bool verify = false;
    bool list = false;
    size_t rounds = 301;
    std::string rows;       /* POSIX extended regular expressions; empty: all */
    std::string contenders; /* the same */
    std::string csv;
    std::string plot;
    std::string check;
};

[[noreturn]] void refuse(const std::string &sentence) {
    std::fprintf(stderr, "%s\n%s", sentence.c_str(), usage);
    std::exit(2);
}

size_t parse_rounds(const char *text) {
    char *end = nullptr;
    unsigned long value = std::strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || value < 1 || value > 1000000) {
        refuse("--rounds takes a number from 1 to 1000000.");
    }
    return value;
}

/* Whether some part of a name fits. */
class pattern {
  public:
    explicit pattern(const std::string &text) {
        if (regcomp(&compiled, text.empty() ? "^" : text.c_str(), REG_EXTENDED | REG_NOSUB) != 0) {
            refuse("This is no regular expression: " + text);
        }
    }
    ~pattern() {
        regfree(&compiled);
    }
    pattern(const pattern &) = delete;

    bool fits(const char *name) const {
        return regexec(&compiled, name, 0, nullptr, 0) == 0;
    }

  private:
    regex_t compiled;
};

void take(options &o, int option) {
    switch (option) {
    case 'v':
        o.verify = true;
        break;
    case 'l':
        o.list = true;
        break;
    case 'n':
        o.rounds = parse_rounds(optarg);
        break;
    case 'q':
        o.rounds = 31;
        break;
    case 'r':
        o.rows = optarg;
        break;
    case 'c':
        o.contenders = optarg;
        break;
    case 's':
        o.csv = optarg;
        break;
    case 'p':
        o.plot = optarg;
        break;
    case 'b':
        o.check = optarg;
        break;
    case 'h':
        std::fputs(usage, stdout);
        std::exit(0);
    default:
        std::fputs(usage, stderr);
        std::exit(2);
    }
}

options parse(int argc, char **argv) {
    static const struct option known[] = {{"verify", no_argument, nullptr, 'v'},
                                          {"list", no_argument, nullptr, 'l'},
                                          {"rounds", required_argument, nullptr, 'n'},
                                          {"quick", no_argument, nullptr, 'q'},
                                          {"rows", required_argument, nullptr, 'r'},
                                          {"contenders", required_argument, nullptr, 'c'},
                                          {"csv", required_argument, nullptr, 's'},
                                          {"plot", required_argument, nullptr, 'p'},
                                          {"check", required_argument, nullptr, 'b'},
                                          {"help", no_argument, nullptr, 'h'},
                                          {nullptr, 0, nullptr, 0}};
    options o;
    int option;
    while ((option = getopt_long(argc, argv, "", known, nullptr)) != -1) {
        take(o, option);
    }
    if (optind < argc) {
        refuse(std::string("There are no arguments but options: ") + argv[optind]);
    }
    return o;
}

void add_all(results &r, std::vector<contender> &all) {
    add_memcpy(all);
    add_hawser(all);
#ifdef BENCH_WITH_WSLAY
    add_wslay(all);
#else
    r.left_out.push_back("wslay");
#endif
#ifdef BENCH_WITH_BEAST
    add_beast(all);
#else
    r.left_out.push_back("beast");
#endif
#ifdef BENCH_WITH_WEBSOCKETPP
    add_websocketpp(all);
#else
    r.left_out.push_back("websocketpp");
#endif
    for (const std::string &name : r.left_out) {
        std::fprintf(stderr, "%s is left out: it was not found when this was built.\n",
                     name.c_str());
    }
}

results select(const options &o) {
    results r;
    pattern wanted_rows(o.rows);
    pattern wanted_contenders(o.contenders);
    std::vector<contender> all;
    add_all(r, all);
    for (const contender &c : all) {
        if (wanted_contenders.fits(c.name.c_str())) {
            r.contenders.push_back(c);
        }
    }
    for (const row &row : rows) {
        if (wanted_rows.fits(row.name)) {
            r.rows.push_back(&row);
        }
    }
    r.rounds = o.rounds;
    if (r.rows.empty() || r.contenders.empty()) {
        refuse("No row or no contender has such a name.");
    }
    return r;
}

int list(const results &r) {
    std::printf("Contenders:\n");
    for (const contender &c : r.contenders) {
        std::printf("  %s\n", c.name.c_str());
    }
    std::printf("Rows:\n");
    for (const row *row : r.rows) {
        std::printf("  %s\n", row->name);
    }
    return 0;
}

/* What would only be found out after minutes is found out now. */
void try_files(const options &o) {
    for (const std::string &path : {o.csv, o.plot}) {
        FILE *file = path.empty() ? nullptr : std::fopen(path.c_str(), "a");
        if (!path.empty() && file == nullptr) {
            refuse((path + " cannot be written.").c_str());
        }
        if (file != nullptr) {
            std::fclose(file);
        }
    }
    FILE *file = o.check.empty() ? nullptr : std::fopen(o.check.c_str(), "r");
    if (!o.check.empty() && file == nullptr) {
        refuse((o.check + " cannot be read.").c_str());
    }
    if (file != nullptr) {
        std::fclose(file);
    }
}

/* Writes what was asked for. False when that fails or a bound is missed. */
bool report(const results &r, const options &o) {
    bool good = true;
    print_table(r);
    if (!o.csv.empty() && !write_csv(r, o.csv)) {
        std::fprintf(stderr, "%s cannot be written.\n", o.csv.c_str());
        good = false;
    }
    if (!o.plot.empty() && !write_plot(r, o.plot)) {
        std::fprintf(stderr, "%s cannot be written.\n", o.plot.c_str());
        good = false;
    }
    if (!o.check.empty() && !check_bounds(r, o.check)) {
        good = false;
    }
    return good;
}

} // namespace

int main(int argc, char **argv) {
    options o = parse(argc, argv);
    results r = select(o);
    if (o.list) {
        return list(r);
    }
    try_files(o);
    if (!verify_rows(r)) {
        return 1;
    }
    if (o.verify) {
        return 0;
    }
#ifndef NDEBUG
    std::fprintf(stderr, "This is a build for debugging: its figures say nothing.\n");
#endif
    int cpu = pin();
    if (cpu < 0) {
        std::fprintf(stderr, "This program may not pin itself to a CPU: expect noise.\n");
    }
    if (!measure_rows(r)) {
        return 1;
    }
    return report(r, o) ? 0 : 1;
}
