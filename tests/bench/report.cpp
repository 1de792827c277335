/*
 * The table for people, and the CSV file for programs.
 */
#include "report.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace bench {

namespace {

std::string number(const figure &f) {
    char text[32] = "";
    if (f.there) {
        std::snprintf(text, sizeof text, f.median < 100 ? "%.1f" : "%.0f", f.median);
    }
    return text;
}

std::string ratio(const figure &above, const figure &below) {
    char text[32] = "";
    if (above.there && below.there && below.median > 0) {
        std::snprintf(text, sizeof text, "%.2f", above.median / below.median);
    }
    return text;
}

} // namespace

void print_table(const results &r) {
    int width = 0;
    for (const row *row : r.rows) {
        width = std::max(width, (int)std::strlen(row->name));
    }
    std::printf("%-*s", width, "ns per frame");
    for (const contender &c : r.contenders) {
        std::printf("  %*s", std::max(9, (int)c.name.size()), c.name.c_str());
    }
    std::printf("  %13s  %11s\n", "hawser/memcpy", "peer/hawser");
    for (size_t i = 0; i < r.rows.size(); i++) {
        std::printf("%-*s", width, r.rows[i]->name);
        for (size_t j = 0; j < r.contenders.size(); j++) {
            int column = std::max(9, (int)r.contenders[j].name.size());
            std::printf("  %*s", column, number(r.figures[i][j]).c_str());
        }
        figure hawser = r.get(i, "hawser");
        std::printf("  %13s  %11s\n", ratio(hawser, r.get(i, "memcpy")).c_str(),
                    ratio(r.get(i, "peer"), hawser).c_str());
    }
    std::printf("\nMedians of %zu rounds, fewer in slow rows. In the ratios, hawser is the fastest "
                "of its forms and peer "
                "the fastest other library.\n",
                r.rounds);
}

bool write_csv(const results &r, const std::string &path) {
    FILE *file = std::fopen(path.c_str(), "w");
    if (file == nullptr) {
        return false;
    }
    std::fprintf(file, "row,contender,median_ns,quarter_faster_ns,quarter_slower_ns,rounds\n");
    for (size_t i = 0; i < r.rows.size(); i++) {
        for (size_t j = 0; j < r.contenders.size(); j++) {
            const figure &f = r.figures[i][j];
            if (f.there) {
                std::fprintf(file, "%s,%s,%.3f,%.3f,%.3f,%zu\n", r.rows[i]->name,
                             r.contenders[j].name.c_str(), f.median, f.low, f.high, f.rounds);
            }
        }
    }
    return std::fclose(file) == 0;
}

} // namespace bench
