"""Bar charts as SVG, with no library: groups of rows, and some columns of bars in each."""
from xml.sax.saxutils import escape

WIDTH, MARGIN, NAMES, GAP = 1080, 32, 150, 36
ROW, BAR, HEAD = 22, 15, 40
INK, PALE, LINE = "#1f2933", "#616e7c", "#e4e7eb"
PLAIN, MARKED = "#9fb3c8", "#1f6feb"
FONT = "font-family=\"system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif\""


def text(x, y, words, size=12, colour=INK, weight="normal", anchor="start"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" '
            f'font-weight="{weight}" text-anchor="{anchor}">{escape(words)}</text>')


def shown(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def bar(x, y, width, room, value, most, colour):
    """A bar from 0 on, and its value behind it."""
    length = max(1.0, (width - room) * value / most) if most > 0 else 1.0
    return [f'<rect x="{x:.1f}" y="{y:.1f}" width="{length:.1f}" height="{BAR}" rx="2" '
            f'fill="{colour}"/>',
            text(x + length + 6, y + BAR - 3, shown(value), 11.5)]


def group(y, name, rows, columns, marked):
    """A group of rows under its name; each column has a scale of its own."""
    width = (WIDTH - 2 * MARGIN - NAMES - GAP * (columns - 1)) / columns
    most = [max(row[1 + i] for row in rows) for i in range(columns)]
    parts = [f'<line x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{y:.1f}" y2="{y:.1f}" '
             f'stroke="{LINE}"/>', text(MARGIN, y + 24, name, 13, weight="600")]
    top = y + HEAD
    for row in rows:
        ours = row[0] == marked
        parts.append(text(MARGIN + NAMES - 10, top + BAR - 3, row[0], 12, anchor="end",
                          weight="600" if ours else "normal"))
        for i in range(columns):
            parts += bar(MARGIN + NAMES + i * (width + GAP), top, width, 70, row[1 + i], most[i],
                         MARKED if ours else PLAIN)
        top += ROW
    return parts, top + 12


def write_chart(path, title, columns, groups, marked):
    """`groups` has, by name, rows of a name and a value for each column."""
    width = (WIDTH - 2 * MARGIN - NAMES - GAP * (len(columns) - 1)) / len(columns)
    parts = [text(MARGIN, 44, title, 20, weight="600")]
    for i, column in enumerate(columns):
        parts.append(text(MARGIN + NAMES + i * (width + GAP), 76, column, 12.5, PALE))
    y = 90
    for name, rows in groups.items():
        more, y = group(y, name, rows, len(columns), marked)
        parts += more
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y:.0f}" '
            f'viewBox="0 0 {WIDTH} {y:.0f}" {FONT}>')
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join([head, f'<rect width="{WIDTH}" height="{y:.0f}" fill="#ffffff"/>',
                              *parts, "</svg>", ""]))
