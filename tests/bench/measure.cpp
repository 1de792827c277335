/*
 * Verifies and times. Contenders of a row take turns, round by round, each round in another order,
 * so that whatever else the machine does meets all of them.
 *
 * A turn: the stream is copied fresh from a pristine one (unmasking destroys it), then one pass
 * that is not timed warms caches and predictors up, then come the timed ones. The copies are never
 * in the timed region, and what reading the clock costs is taken off.
 */
#include "measure.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

namespace bench {

namespace {

enum { TIMED_PASSES = 2, PAGE = 4096, HUGE_PAGE = 1 << 21 };

/* A row in which somebody is very slow is given up after so much time, but not before it had
 * enough rounds for a median. */
enum { ROW_SECONDS = 5, ROUNDS_AT_LEAST = 31 };

double now_ns() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

double clock_cost() {
    double least = 1e9;
    for (int i = 0; i < 1000; i++) {
        double start = now_ns();
        least = std::min(least, now_ns() - start);
    }
    return least;
}

size_t repeats_of(const row &row) {
    if (row.kind == kind::handshake) {
        return 64;
    }
    /* From L1: the same frame again, whose mask goes on and off. */
    bool again = row.kind == kind::receive && row.stream == 0 && row.len <= 16384;
    return again ? 131072 / row.len : 1;
}

/* The work of a row, with the memory for it. */
class workshop {
  public:
    explicit workshop(const row &row) {
        size_t wire = 0;
        w.row = &row;
        w.streams = make_streams(row);
        for (const stream &s : w.streams) {
            wire = std::max(wire, s.wire.size());
        }
        /* Payload of sends may be as long as the wire, and each frame is given 14 bytes more. */
        w.out_cap = wire + w.streams[0].frames.size() * 14 + PAGE;
        size_t in_room = (wire + PAGE) / PAGE * PAGE;
        /* `in` and `out` lie in different places of their pages, or loads of the one would wait for
         * stores to the other whose addresses end alike. */
        size_t all = in_room + PAGE / 2 + w.out_cap;
        all = (all + HUGE_PAGE) / HUGE_PAGE * HUGE_PAGE;
        memory.reset((uint8_t *)std::aligned_alloc(HUGE_PAGE, all));
        /* Else figures depend on which small pages the system happens to give. */
        madvise(memory.get(), all, MADV_HUGEPAGE);
        std::memset(memory.get(), 0, all);
        w.in = memory.get();
        w.out = w.in + in_room + PAGE / 2;
        w.repeats = repeats_of(row);
        w.now = &w.streams[0];
    }

    void refresh() {
        bool sends = w.row->kind == kind::send || w.row->kind == kind::send_header;
        const std::vector<uint8_t> &from = sends ? w.now->payload : w.now->wire;
        std::memcpy(w.in, from.data(), from.size());
    }

    work w;

  private:
    struct release {
        void operator()(uint8_t *bytes) {
            std::free(bytes);
        }
    };
    std::unique_ptr<uint8_t, release> memory;
};

/* A contender at work on one row. */
struct entry {
    entry(const contender &who, size_t at, const work &w)
        : c(&who), column(at), state(who.open(who, w)) {
    }
    entry(entry &&other)
        : c(other.c), column(other.column), state(other.state), times(std::move(other.times)) {
        other.state = nullptr;
    }
    ~entry() {
        if (state != nullptr) {
            c->close(state);
        }
    }

    void activate() {
        if (c->activate != nullptr) {
            c->activate(state);
        }
    }

    const contender *c;
    size_t column;
    void *state;
    std::vector<double> times; /* ns per frame, one for each round */
};

std::vector<entry> open_entries(const results &r, const work &w) {
    std::vector<entry> entries;
    for (size_t i = 0; i < r.contenders.size(); i++) {
        if (r.contenders[i].can(*w.row)) {
            entries.emplace_back(r.contenders[i], i, w);
        }
    }
    return entries;
}

bool verify(entry &e, workshop &shop) {
    for (const stream &s : shop.w.streams) {
        digest made;
        shop.w.now = &s;
        shop.refresh();
        /* Nothing that another one made may be taken for this one's. */
        std::memset(shop.w.out, 0xA5, shop.w.out_cap);
        e.activate();
        if (!e.c->verify(e.state, made) || !(made == expected(*shop.w.row, s))) {
            return false;
        }
    }
    return true;
}

/* One turn. Returns ns per frame, or less than 0 at a fault. */
double turn(entry &e, workshop &shop, double clock_ns) {
    size_t frames = shop.w.now->frames.size() * shop.w.repeats;
    double ns = 0;
    e.activate();
    for (int i = -1; i < TIMED_PASSES; i++) {
        shop.refresh();
        double start = now_ns();
        size_t done = e.c->pass(e.state);
        double end = now_ns();
        if (done != frames) {
            return -1;
        }
        ns += i < 0 ? 0 : std::max(0.0, end - start - clock_ns);
    }
    return ns / TIMED_PASSES / (double)frames;
}

figure summarise(std::vector<double> times) {
    figure f;
    std::sort(times.begin(), times.end());
    f.rounds = times.size();
    f.there = true;
    f.median = times[times.size() / 2];
    f.low = times[times.size() / 4];
    f.high = times[times.size() * 3 / 4];
    return f;
}

bool measure(results &r, size_t at, double clock_ns) {
    workshop shop(*r.rows[at]);
    std::vector<entry> entries = open_entries(r, shop.w);
    double end = now_ns() + ROW_SECONDS * 1e9;
    for (size_t round = 0; round < r.rounds; round++) {
        if (round >= ROUNDS_AT_LEAST && now_ns() > end) {
            break;
        }
        shop.w.now = &shop.w.streams[round % shop.w.streams.size()];
        for (size_t i = 0; i < entries.size(); i++) {
            entry &e = entries[(i + round) % entries.size()];
            e.times.push_back(turn(e, shop, clock_ns));
            if (e.times.back() < 0) {
                std::fprintf(stderr, "%s fails in: %s\n", e.c->name.c_str(), r.rows[at]->name);
                return false;
            }
        }
    }
    for (const entry &e : entries) {
        r.figures[at][e.column] = summarise(e.times);
    }
    return true;
}

void progress(const results &r, size_t at) {
    if (isatty(STDERR_FILENO)) {
        const char *name = at < r.rows.size() ? r.rows[at]->name : "";
        std::fprintf(stderr, "\r\033[K");
        if (at < r.rows.size()) {
            std::fprintf(stderr, "%zu of %zu: %s", at + 1, r.rows.size(), name);
        }
    }
}

} // namespace

figure results::get(size_t row, const std::string &name) const {
    figure best;
    for (size_t i = 0; i < contenders.size(); i++) {
        const figure &f = figures[row][i];
        const std::string &family = contenders[i].family;
        bool peer = family != "hawser" && family != "memcpy";
        bool meant = name == contenders[i].name || name == family || (name == "peer" && peer);
        if (meant && f.there && (!best.there || f.median < best.median)) {
            best = f;
        }
    }
    return best;
}

bool verify_rows(const results &r) {
    size_t faults = 0;
    size_t count = 0;
    for (const row *row : r.rows) {
        workshop shop(*row);
        for (entry &e : open_entries(r, shop.w)) {
            count++;
            if (!verify(e, shop)) {
                std::fprintf(stderr, "%s delivers something else than was sent in: %s\n",
                             e.c->name.c_str(), row->name);
                faults++;
            }
        }
    }
    std::fprintf(stderr, "Verified: %zu contenders in %zu rows, %zu faults.\n", count,
                 r.rows.size(), faults);
    return faults == 0 && count > 0;
}

bool measure_rows(results &r) {
    double clock_ns = clock_cost();
    r.figures.assign(r.rows.size(), std::vector<figure>(r.contenders.size()));
    for (size_t i = 0; i < r.rows.size(); i++) {
        progress(r, i);
        if (!measure(r, i, clock_ns)) {
            return false;
        }
    }
    progress(r, r.rows.size());
    return true;
}

int pin() {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
        return -1;
    }
    int cpu = CPU_SETSIZE - 1;
    while (cpu > 0 && !CPU_ISSET(cpu, &allowed)) {
        cpu--;
    }
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    return sched_setaffinity(0, sizeof one, &one) == 0 ? cpu : -1;
}

} // namespace bench
