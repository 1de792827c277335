/*
 * The chart: a group of bars for each row, one bar for each library, on a logarithmic axis. The
 * forms of hawser are one bar, that of the fastest.
 */
#include "report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>

namespace bench {

namespace {

/* Pixels. */
enum {
    WIDTH = 1080,
    LEFT = 290,
    RIGHT = 80,
    TOP = 116,
    BOTTOM = 56,
    BAR = 10,
    ROW_GAP = 9,
    AXIS = WIDTH - LEFT - RIGHT
};

struct series {
    const char *name; /* as results::get() takes it */
    const char *label;
    const char *colour;
};

const series all_series[] = {
    {"memcpy", "memcpy, the limit", "#9aa3ad"},
    {"hawser", "hawser, fastest form", "#1d5fc4"},
    {"wslay", "wslay", "#d99a1c"},
    {"beast", "Boost.Beast", "#c2483f"},
    {"websocketpp", "websocketpp", "#7c5ba8"},
    {"getrandom", "getrandom()", "#3f8f6b"},
};

/* Text that grows. */
class document {
  public:
    __attribute__((format(printf, 2, 3))) void add(const char *format, ...) {
        char line[512];
        va_list arguments;
        va_start(arguments, format);
        std::vsnprintf(line, sizeof line, format, arguments);
        va_end(arguments);
        text += line;
    }

    std::string text;
};

std::vector<series> present(const results &r) {
    std::vector<series> there;
    for (const series &s : all_series) {
        bool has = false;
        for (size_t i = 0; i < r.rows.size(); i++) {
            has = has || r.get(i, s.name).there;
        }
        if (has) {
            there.push_back(s);
        }
    }
    return there;
}

/* From 10^first to 10^last ns, so that all figures lie between. */
struct scale {
    int first = 0;
    double last = 1;

    explicit scale(const results &r) {
        double least = 10;
        double most = 10;
        for (size_t i = 0; i < r.rows.size(); i++) {
            for (const series &s : all_series) {
                figure f = r.get(i, s.name);
                least = f.there ? std::min(least, std::max(f.median, 0.1)) : least;
                most = f.there ? std::max(most, f.median) : most;
            }
        }
        first = (int)std::floor(std::log10(least));
        last = std::log10(1.2 * most);
    }

    double x(double ns) const {
        double decades = std::log10(std::max(ns, std::pow(10, first))) - first;
        return LEFT + AXIS * decades / (last - first);
    }
};

std::string in_units(double ns) {
    static const char *const units[] = {"ns", "µs", "ms", "s"};
    int unit = 0;
    while (ns >= 999.5 && unit < 3) {
        ns /= 1000;
        unit++;
    }
    char text[32];
    std::snprintf(text, sizeof text, ns < 99.95 && ns != std::floor(ns) ? "%.1f %s" : "%.0f %s", ns,
                  units[unit]);
    return text;
}

/* Rows of another kind, role, content or way of arriving are set apart by a line. */
bool starts_group(const results &r, size_t i) {
    if (i == 0) {
        return false;
    }
    const row &a = *r.rows[i - 1];
    const row &b = *r.rows[i];
    return a.kind != b.kind || a.client != b.client || a.content != b.content ||
           (a.read > 0) != (b.read > 0);
}

size_t bars(const results &r, size_t i, const std::vector<series> &there) {
    size_t count = 0;
    for (const series &s : there) {
        count += r.get(i, s.name).there;
    }
    return count;
}

int row_height(const results &r, size_t i, const std::vector<series> &there) {
    return (int)bars(r, i, there) * BAR + ROW_GAP;
}

void add_head(document &d, const results &r, const std::vector<series> &there, int height) {
    d.add("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
          "viewBox=\"0 0 %d %d\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"12\" "
          "fill=\"#1f2328\">\n",
          WIDTH, height, WIDTH, height);
    d.add("<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n", WIDTH, height);
    d.add("<text x=\"20\" y=\"30\" font-size=\"18\" font-weight=\"bold\">Time per WebSocket frame: "
          "shorter is better</text>\n");
    d.add("<text x=\"20\" y=\"50\" fill=\"#57606a\">Nanoseconds per frame on a logarithmic scale, "
          "medians of up to %zu rounds in which all take turns on one CPU</text>\n",
          r.rounds);
    int x = 20;
    for (const series &s : there) {
        d.add("<rect x=\"%d\" y=\"63\" width=\"12\" height=\"12\" fill=\"%s\"/>"
              "<text x=\"%d\" y=\"73\">%s</text>\n",
              x, s.colour, x + 17, s.label);
        x += 44 + 7 * (int)std::string(s.label).size();
    }
}

void add_axis(document &d, const scale &axis, int height) {
    int top = TOP - 6;
    int bottom = height - BOTTOM;
    for (int decade = axis.first; decade <= axis.last; decade++) {
        double x = axis.x(std::pow(10, decade));
        std::string label = in_units(std::pow(10, decade));
        d.add("<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#d0d7de\"/>\n", x, top, x,
              bottom);
        for (int y : {top - 6, bottom + 16}) {
            d.add("<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" fill=\"#57606a\">%s</text>\n",
                  x, y, label.c_str());
        }
    }
    d.add("<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">time per frame</text>\n", LEFT + AXIS / 2,
          bottom + 38);
}

void add_row(document &d, const results &r, size_t i, const std::vector<series> &there,
             const scale &axis, int y) {
    int height = (int)bars(r, i, there) * BAR;
    d.add("<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", LEFT - 10, y + height / 2 + 4,
          r.rows[i]->name);
    for (const series &s : there) {
        figure f = r.get(i, s.name);
        if (!f.there) {
            continue;
        }
        double end = axis.x(f.median);
        d.add("<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>", LEFT, y,
              std::max(1.0, end - LEFT), BAR - 1, s.colour);
        d.add("<text x=\"%.1f\" y=\"%d\" font-size=\"9\" fill=\"#424a53\" stroke=\"#ffffff\" "
              "stroke-width=\"3\" paint-order=\"stroke\">%s</text>\n",
              end + 4, y + BAR - 2, in_units(f.median).c_str());
        y += BAR;
    }
}

} // namespace

bool write_plot(const results &r, const std::string &path) {
    std::vector<series> there = present(r);
    scale axis(r);
    int height = TOP + BOTTOM;
    for (size_t i = 0; i < r.rows.size(); i++) {
        height += row_height(r, i, there);
    }
    document d;
    add_head(d, r, there, height);
    add_axis(d, axis, height);
    int y = TOP;
    for (size_t i = 0; i < r.rows.size(); i++) {
        if (starts_group(r, i)) {
            d.add("<line x1=\"20\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"#8c959f\"/>\n",
                  y - ROW_GAP / 2, WIDTH - 20, y - ROW_GAP / 2);
        }
        add_row(d, r, i, there, axis, y);
        y += row_height(r, i, there);
    }
    d.add("</svg>\n");
    FILE *file = std::fopen(path.c_str(), "w");
    if (file == nullptr) {
        return false;
    }
    std::fputs(d.text.c_str(), file);
    return std::fclose(file) == 0;
}

} // namespace bench
