/*
 * Verifying and timing contenders, and the figures that come of it.
 */
#ifndef BENCH_MEASURE_HPP
#define BENCH_MEASURE_HPP

#include "bench.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace bench {

/* Nanoseconds per frame of one contender in one row, over all rounds. */
struct figure {
    bool there = false; /* false: the contender has no such thing */
    double median = 0;
    double low = 0;  /* a quarter of the rounds was faster */
    double high = 0; /* a quarter of the rounds was slower */
    size_t rounds = 0;
};

struct results {
    std::vector<const row *> rows;
    std::vector<contender> contenders;
    std::vector<std::vector<figure>> figures; /* [row][contender] */
    std::vector<std::string> left_out;        /* peers that were not there when this was built */
    size_t rounds = 0;                        /* for each row, unless it takes too long */

    /* By the name of a contender; or "hawser", the fastest of its forms; or "peer", the fastest of
     * the other libraries. */
    figure get(size_t row, const std::string &name) const;
};

/* Reports the contenders that deliver something else than the generator made, by name. */
bool verify_rows(const results &);

/* Fills in the figures. False when a contender fails in mid-run. */
bool measure_rows(results &);

/* Keeps this thread on one CPU. Returns its number, or -1 when that is not allowed. */
int pin();

} // namespace bench

#endif
