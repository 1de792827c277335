/*
 * What becomes of figures: a table, a CSV file, a judgement, a chart.
 */
#ifndef BENCH_REPORT_HPP
#define BENCH_REPORT_HPP

#include "measure.hpp"

#include <string>

namespace bench {

void print_table(const results &);

/* False when the file cannot be written. */
bool write_csv(const results &, const std::string &path);

/* False when a bound of the file is missed, or cannot be judged. Says which. */
bool check_bounds(const results &, const std::string &path);

/* False when the file cannot be written. */
bool write_plot(const results &, const std::string &path);

} // namespace bench

#endif
