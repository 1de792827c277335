"""Tables in Markdown, and a chart, of what deflate.py found."""
from chart import write_chart

TEXTS = ["json", "chat", "log"]
# Memory levels and windows that the tables of settings show.
MEMORIES, WINDOWS, LEVELS = range(1, 10), range(9, 16), range(1, 10)


def print_table(title, names, rows):
    """The first column is of words, the others are of figures."""
    print(f"**{title}**\n")
    print("| " + " | ".join(names) + " |")
    print("|---|" + "---:|" * (len(names) - 1))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def named(row):
    takeover = "takeover" if int(row["takeover"]) else "no takeover"
    preset = f" ({row['preset']})" if row["preset"] else ""
    return f"{row['window']}/{row['memory']}/{row['level']}, {takeover}{preset}"


def speed_of(row):
    """Millions of plain bytes a second."""
    return int(row["plain"]) * 1e3 / float(row["ns"])


def size_of(row):
    return 100 * int(row["compressed"]) / int(row["plain"])


def unique(values):
    return list(dict.fromkeys(values))


def speed_rows(rows, verb, figure, names):
    """A line for each corpus and setup, with a figure of each contender."""
    found = {(row["corpus"], named(row), row["contender"]): figure(row)
             for row in rows if row["verb"] == verb}
    for corpus, setup in unique((corpus, setup) for corpus, setup, _ in found):
        yield [f"{corpus}, {setup}",
               *(found.get((corpus, setup, name), "") for name in names)]


def print_speed(rows):
    titles = {"compress": "Compress, MB/s (payload alone)",
              "decompress": "Decompress, MB/s (payload alone)",
              "send": "Send, MB/s (a server's frames)",
              "receive": "Receive, MB/s (a client's masked frames)"}
    rows = sorted(rows, key=lambda row: (TEXTS + ["random"]).index(row["corpus"]))
    for verb, title in titles.items():
        names = unique(row["contender"] for row in rows if row["verb"] == verb)
        print_table(title, ["window/memory/level", *names],
                    speed_rows(rows, verb, lambda row: f"{speed_of(row):.1f}", names))
    names = unique(row["contender"] for row in rows if row["verb"] == "send")
    print_table("Sent bytes with frames, % of plain", ["window/memory/level", *names],
                speed_rows(rows, "send", lambda row: f"{size_of(row):.1f}", names))


def plot(path, rows):
    """With frames, and for messages of text: a group for each corpus and preset."""
    found = {}
    for row in rows:
        if row["verb"] in ("send", "receive") and row["corpus"] in TEXTS and row["preset"]:
            key = f"{row['corpus']}, {named(row)}"
            found.setdefault(key, {}).setdefault(row["contender"], {})[row["verb"]] = row
    groups = {key: [(name, size_of(verbs["send"]), speed_of(verbs["send"]),
                     speed_of(verbs["receive"])) for name, verbs in contenders.items()]
              for key, contenders in found.items()}
    write_chart(path, "permessage-deflate on one core",
                ["Sent, % of plain (less is better)", "Sent, MB/s (more is better)",
                 "Received, MB/s (more is better)"], groups, marked="hawser")


def print_memory(states, resident):
    bytes_of = {(row["state"], row["window"], row["memory"]): int(row["bytes"]) for row in states}
    print_table("Bytes of a compressor, by window and memory level",
                ["window", *map(str, MEMORIES)],
                [[str(window), *(f"{bytes_of['compressor', str(window), str(memory)]:,}"
                                 for memory in MEMORIES)] for window in WINDOWS])
    windows = [window for state, window, _ in bytes_of if state == "decompressor"]
    print_table("Bytes of a decompressor, by window", ["window", *windows],
                [["bytes", *(f"{bytes_of['decompressor', window, '']:,}" for window in windows)]])
    print_table(f"Bytes of a connection in use, of {resident[0]['connections']}",
                ["preset", "asked for", "resident", "asked for after a trim"],
                [[row["preset"], *(f"{int(row[name]):,}" for name in
                                   ("asked_bytes", "resident_bytes", "asked_after_trim"))]
                 for row in resident])


def figure(row):
    return f"{size_of(row):.1f} ({speed_of(row):.0f})"


def print_settings(rows, presets):
    found = {tuple(row[name] for name in ("corpus", "takeover", "window", "memory", "level")): row
             for row in rows}

    def at(*key):
        return figure(found[tuple(map(str, key))])

    for takeover in (1, 0):
        words = "with takeover" if takeover else "without takeover"
        for corpus in TEXTS:
            print_table(f"{corpus} {words}: % of plain (MB/s), by window and memory level, level 6",
                        ["window", *map(str, MEMORIES)],
                        [[str(window), *(at(corpus, takeover, window, memory, 6)
                                         for memory in MEMORIES)] for window in WINDOWS])
    lines = []
    for preset in presets:
        for corpus in TEXTS:
            key = [corpus, preset["takeover"], preset["window"], preset["memory"]]
            takeover = "takeover" if preset["takeover"] else "no takeover"
            lines.append([f"{corpus}, {preset['window']}/{preset['memory']}, {takeover}",
                          *(at(*key, level) for level in LEVELS)])
    print_table("% of plain (MB/s), by level", ["window/memory", *map(str, LEVELS)], lines)


def print_threshold(rows):
    for takeover in ("1", "0"):
        words = "with takeover" if takeover == "1" else "without takeover"
        these = [row for row in rows if row["takeover"] == takeover]
        found = {(row["corpus"], row["length"]): row for row in these}
        corpora = unique(row["corpus"] for row in these)
        lines = []
        for length in unique(row["length"] for row in these):
            line = [length]
            for corpus in corpora:
                line += threshold_figures(found[corpus, length])
            lines.append(line)
        names = [f"{corpus} {name}" for corpus in corpora for name in ("saved", "µs", "ns/B")]
        print_table(f"Messages by length, {words}: bytes saved, µs to compress and decompress, "
                    "and ns for a saved byte", ["bytes", *names], lines)


def threshold_figures(row):
    saved = float(row["saved_bytes"])
    ns = float(row["compress_ns"]) + float(row["decompress_ns"])
    return [f"{saved:.1f}", f"{ns / 1e3:.1f}", f"{ns / saved:.0f}" if saved >= 1 else "-"]


def print_broadcast(rows):
    found = {(row["corpus"], row["way"]): row for row in rows}
    corpora = unique(row["corpus"] for row in rows)
    lines = []
    for way in unique(row["way"] for row in rows):
        line = [way]
        for corpus in corpora:
            row = found[corpus, way]
            line += [f"{float(row['us_per_connection']):.2f}", row["sent_bytes"]]
        lines.append(line)
    names = [f"{corpus} {name}" for corpus in corpora for name in ("µs", "bytes")]
    print_table(f"One message to {rows[0]['connections']} connections: µs and bytes sent for each",
                ["way", *names], lines)
