"""Tables and a chart of what service.py has measured."""
import statistics

from chart import write_chart

OURS = "hawser"
FIELDS = ["rss_kib", "pss_kib", "one_us", "one_per_s", "batch_us", "batch_per_s", "few_us",
          "few_per_s", "many_us", "many_per_s"]


def measures(arguments):
    """Name, the field of what one costs, and of how many go into a second, or None."""
    few, many = arguments.receivers
    return [(f"{arguments.idle:,} idle connections: KiB of RSS each", "rss_kib", None),
            (f"{arguments.idle:,} idle connections: KiB of PSS each", "pss_kib", None),
            ("echo of 125 B, one at a time: µs a message", "one_us", "one_per_s"),
            ("echo of 125 B, batches of 16: µs a message", "batch_us", "batch_per_s"),
            (f"125 B to {few:,} connections: µs a delivery", "few_us", "few_per_s"),
            (f"125 B to {many:,} connections: µs a delivery", "many_us", "many_per_s")]


def by_server(rows, field):
    found = {}
    for row in rows:
        found.setdefault(row["server"], []).append(row[field])
    return found


def ratio(values, ours):
    """The median of what the rounds say, each for itself."""
    return statistics.median(value / own for value, own in zip(values, ours))


def shown(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def cell(values, ours):
    """Median, least to most, and how many times hawser's it is."""
    words = f"{shown(statistics.median(values))} ({shown(min(values))}–{shown(max(values))})"
    return words if values is ours else f"{words}, ×{shown(ratio(values, ours))}"


def print_table(rows, lines):
    names = list(by_server(rows, "rss_kib"))
    print("\n| | " + " | ".join(names) + " |")
    print("|---|" + "---:|" * len(names))
    for name, field in lines:
        found = by_server(rows, field)
        print(f"| {name} | " + " | ".join(cell(found[each], found[OURS]) for each in names) + " |")


def print_tables(rows, arguments):
    """As Markdown: what one costs, and how many go into a second."""
    lines = measures(arguments)
    print_table(rows, [(name, cost) for name, cost, _ in lines])
    print_table(rows, [(name.rpartition(":")[0] + ": a second", rate)
                       for name, _, rate in lines if rate])


def plot(path, rows, arguments):
    """Memory has no "a second": there it is the connections of a GiB."""
    groups = {}
    for name, cost, rate in measures(arguments):
        costs = by_server(rows, cost)
        rates = by_server(rows, rate) if rate else {
            each: [1024 * 1024 / max(value, 0.001) for value in values]
            for each, values in costs.items()}
        groups[name + (", and a second" if rate else ", and in a GiB")] = [
            (each, statistics.median(costs[each]), statistics.median(rates[each]))
            for each in costs]
    write_chart(path, "A service on one core",
                ["Cost of one (less is better)", "How many (more is better)"], groups, marked=OURS)
