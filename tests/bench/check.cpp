/*
 * Judges figures by a file of bounds: lines of row,metric,relation,bound,comment. A metric is a
 * ratio of two contenders in that row, "hawser/memcpy"; a relation is at_most or at_least.
 */
#include "report.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace bench {

namespace {

struct bound {
    std::string row;
    std::string above;
    std::string below;
    bool at_most;
    double value;
};

bool parse(const std::string &line, bound &b) {
    std::istringstream in(line);
    std::string metric;
    std::string relation;
    std::string value;
    std::getline(in, b.row, ',');
    std::getline(in, metric, ',');
    std::getline(in, relation, ',');
    std::getline(in, value, ',');
    size_t slash = metric.find('/');
    char *end = nullptr;
    b.value = std::strtod(value.c_str(), &end);
    b.at_most = relation == "at_most";
    if (slash == std::string::npos || (!b.at_most && relation != "at_least") || value.empty() ||
        *end != '\0') {
        return false;
    }
    b.above = metric.substr(0, slash);
    b.below = metric.substr(slash + 1);
    return true;
}

bool is_row(const std::string &name) {
    for (const row &row : rows) {
        if (name == row.name) {
            return true;
        }
    }
    return false;
}

enum class verdict { met, missed, not_run };

verdict judge(const results &r, const bound &b) {
    size_t i = 0;
    while (i < r.rows.size() && b.row != r.rows[i]->name) {
        i++;
    }
    if (i == r.rows.size()) {
        return verdict::not_run;
    }
    figure above = r.get(i, b.above);
    figure below = r.get(i, b.below);
    const char *relation = b.at_most ? "at most" : "at least";
    if (!above.there || !below.there || below.median <= 0) {
        std::printf("  %s: %s/%s was not measured, wanted %s %.2f\n", b.row.c_str(),
                    b.above.c_str(), b.below.c_str(), relation, b.value);
        return verdict::missed;
    }
    double ratio = above.median / below.median;
    if (b.at_most ? ratio <= b.value : ratio >= b.value) {
        return verdict::met;
    }
    std::printf("  %s: %s/%s is %.2f (%.1f ns / %.1f ns), wanted %s %.2f\n", b.row.c_str(),
                b.above.c_str(), b.below.c_str(), ratio, above.median, below.median, relation,
                b.value);
    return verdict::missed;
}

} // namespace

bool check_bounds(const results &r, const std::string &path) {
    std::ifstream in(path);
    std::string line;
    size_t counts[3] = {0, 0, 0};
    bool good = true;
    if (!std::getline(in, line)) {
        std::printf("\nThe bounds in %s cannot be read.\n", path.c_str());
        return false;
    }
    std::printf("\nBounds that are missed:\n");
    for (const std::string &name : r.left_out) {
        std::printf("  %s was not built in, so nothing could be compared with it\n", name.c_str());
        good = false;
    }
    while (std::getline(in, line)) {
        bound b;
        if (!parse(line, b) || !is_row(b.row)) {
            std::printf("  This is no bound, or of no row: %s\n", line.c_str());
            good = false;
            continue;
        }
        counts[(int)judge(r, b)]++;
    }
    std::printf("%zu bounds met, %zu missed, %zu of rows that were not run.\n", counts[0],
                counts[1], counts[2]);
    return good && counts[1] == 0 && counts[0] > 0;
}

} // namespace bench
