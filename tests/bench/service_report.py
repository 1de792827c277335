"""Tables and a chart of what service.py has measured."""
import statistics

from chart import write_chart

OURS = "hawser"
FIELDS = ["rss_kib", "pss_kib", "one_us", "one_per_s", "batch_us", "batch_per_s", "few_us",
          "few_per_s", "many_us", "many_per_s"]


def measures(arguments):
    """What is measured; field and unit of what one costs, and of how many go into a second."""
    few, many = arguments.receivers
    idle = f"{arguments.idle:,} idle connections"
    message = ("µs a message", "messages a second")
    delivery = ("µs a delivery", "deliveries a second")
    return [(idle, "rss_kib", "KiB of RSS each", None, None),
            (idle, "pss_kib", "KiB of PSS each", None, None),
            ("125 B echoed, one at a time", "one_us", message[0], "one_per_s", message[1]),
            ("125 B echoed, batches of 16", "batch_us", message[0], "batch_per_s", message[1]),
            (f"125 B to {few:,} connections", "few_us", delivery[0], "few_per_s", delivery[1]),
            (f"125 B to {many:,} connections", "many_us", delivery[0], "many_per_s", delivery[1])]


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
    print_table(rows, [(f"{what}: {unit}", cost) for what, cost, unit, _, _ in lines])
    print_table(rows, [(f"{what}: {unit}", rate) for what, _, _, rate, unit in lines if rate])


def plot(path, rows, arguments):
    """Of memory the resident one; its second column is what goes into a GiB."""
    groups = {}
    for what, cost, unit, rate, rate_unit in measures(arguments):
        if cost == "pss_kib":
            continue
        costs = by_server(rows, cost)
        rates = by_server(rows, rate) if rate else {
            name: [1024 * 1024 / value for value in values] for name, values in costs.items()}
        groups[f"{what}: {unit}; {rate_unit or 'connections in a GiB'}"] = [
            (name, statistics.median(costs[name]), statistics.median(rates[name]))
            for name in costs]
    write_chart(path, "Servers on one core",
                ["What one costs (less is better)", "How many (more is better)"], groups,
                marked=OURS)
