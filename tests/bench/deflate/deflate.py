"""permessage-deflate: what it costs and gains, with hawser and with other libraries.

    python3 deflate.py --bin DIR [--csv FOLDER] [--svg FILE.svg] [--parts speed memory ...]

DIR holds hawser-bench-deflate. What is printed is Markdown: a table for each part.

speed      the same messages through all libraries, with the same settings, in turn
memory     bytes that a compressor and a decompressor ask for, and resident memory of connections
settings   size and speed over window, memory level and level
threshold  gain and cost for messages of a certain length
broadcast  one message to many connections

No sockets: each library is driven from memory to memory, by a program that does one pass after the
other as it is told, so that all can take turns on one core. Time is what a program takes of the
processor, which counts what others do to the machine for less. What each library makes is read by
hawser and compared before anything is timed. MB are millions of plain bytes.

--csv writes every run of `speed` and all rows of the other parts, each part into a file of its own.

Exit status: 0; 1 when a library gave something wrong; 2 for a bad command line."""
import argparse
import contextlib
import csv
import filecmp
import io
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "servers")]

import tables  # noqa: E402
from contenders import CONTENDERS, Contender, Missing, Wrong  # noqa: E402

PARTS = ["speed", "memory", "settings", "threshold", "broadcast"]
VERBS = ["compress", "decompress", "send", "receive"]
FIELDS = ["corpus", "preset", "window", "memory", "level", "takeover", "verb", "contender",
          "repetition", "plain", "compressed", "ns"]


class Setup:
    """Numbers, and the preset that has them, or nothing."""

    def __init__(self, preset, window, memory, level, takeover):
        self.fields = {"preset": preset, "window": window, "memory": memory, "level": level,
                       "takeover": takeover}

    def words(self):
        return [str(self.fields[name]) for name in ("window", "level", "memory", "takeover")]


class Case:
    """A corpus with a setup, and the files that all contenders read."""

    def __init__(self, folder, corpus, setup):
        self.corpus, self.setup = corpus, setup
        self.plain, self.bytes = folder / f"{corpus['corpus']}.messages", int(corpus["bytes"])
        self.folder = folder / "-".join([corpus["corpus"], *setup.words()])
        self.folder.mkdir()
        self.files = {"compress": self.plain, "send": self.plain,
                      "decompress": self.folder / "packed", "receive": self.folder / "wire"}

    def job(self, contender, verb, file=None, result="-"):
        """Nanoseconds, bytes that came out and their checksum."""
        file = file or self.files[verb]
        room = max(self.bytes, file.stat().st_size) * 2 if verb != "decompress" else self.bytes
        return contender.do(verb, file, self.corpus["type"], *self.setup.words(), room, result)

    def prepare(self, hawser):
        self.job(hawser, "compress", result=self.files["decompress"])
        self.job(hawser, "send_masked", file=self.plain, result=self.files["receive"])

    def verify(self, contender, verb, hawser):
        """Raises Wrong unless what comes out means the corpus; returns the bytes of it."""
        made, again = self.folder / "made", self.folder / "again"
        _, size, _ = self.job(contender, verb, result=made)
        if verb == "compress":
            self.job(hawser, "decompress", file=made, result=again)
        elif verb == "send":
            self.job(hawser, "receive_unmasked", file=made, result=again)
        else:
            again = made
        if not filecmp.cmp(again, self.plain, shallow=False):
            raise Wrong(f"{contender.name}: {verb} of {self.corpus['corpus']} gave other messages")
        return size


def call(arguments, *words):
    """Rows of what hawser-bench-deflate prints."""
    command = [str(arguments.program), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Wrong(done.stderr.strip())
    return list(csv.DictReader(io.StringIO(done.stdout)))


def setups(arguments):
    """Those of the presets, and the same without takeover."""
    found, presets = {}, call(arguments, "presets")
    for row in presets:
        numbers = tuple(int(row[name]) for name in ("window", "memory", "level", "takeover"))
        found[numbers] = row["preset"]
    for numbers in list(found):
        found.setdefault(numbers[:3] + (0,), "")
    return [Setup(found[numbers], *numbers) for numbers in sorted(found, key=lambda n: (-n[3], n))]


def round_of(case, contenders, sizes, repetition):
    """Rows of a case. Each round begins with another contender."""
    for verb in VERBS:
        able = [contender for contender in contenders if verb in contender.verbs]
        first = repetition % len(able)
        for contender in able[first:] + able[:first]:
            ns, _, _ = case.job(contender, verb)
            yield {"corpus": case.corpus["corpus"], **case.setup.fields, "verb": verb,
                   "contender": contender.name, "repetition": repetition + 1,
                   "plain": case.bytes, "compressed": sizes[contender.name, verb], "ns": ns}


def verified(case, contenders, hawser):
    """Bytes that come out, by contender and verb."""
    case.prepare(hawser)
    return {(contender.name, verb): case.verify(contender, verb, hawser)
            for contender in contenders for verb in contender.verbs}


def start_all(arguments, stack):
    found = []
    for name in arguments.contenders:
        try:
            contender = Contender(name, arguments)
        except Missing as reason:
            print(f"{name} is left out: {reason}.\n", flush=True)
            continue
        stack.callback(contender.end)
        found.append(contender)
    return found


def medians(rows):
    """Of the repetitions: rows with ns of the middle one."""
    grouped = {}
    for row in rows:
        key = tuple(row[field] for field in FIELDS if field not in ("repetition", "ns"))
        grouped.setdefault(key, []).append(row)
    return [{**group[0], "ns": statistics.median(row["ns"] for row in group)}
            for group in grouped.values()]


def speed(arguments):
    rows = []
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        corpora = call(arguments, "corpora", folder, arguments.bytes)
        contenders = start_all(arguments, stack)
        hawser = Contender("hawser", arguments)  # one that is not timed
        stack.callback(hawser.end)
        cases = [Case(folder, corpus, setup) for corpus in corpora for setup in setups(arguments)]
        sizes = {case: verified(case, contenders, hawser) for case in cases}
        for repetition in range(arguments.rounds):
            for case in cases:
                rows += round_of(case, contenders, sizes[case], repetition)
    tables.print_speed(medians(rows))
    if arguments.svg:
        tables.plot(arguments.svg, medians(rows))
    return {"speed": rows}


def memory(arguments):
    states = call(arguments, "memory")
    resident = [row for preset in ("small", "balanced", "best")
                for row in call(arguments, "resident", preset, arguments.connections)]
    tables.print_memory(states, resident)
    return {"memory": states, "resident": resident}


def settings(arguments):
    rows = call(arguments, "grid", arguments.bytes, (arguments.rounds + 1) // 2)
    tables.print_settings(rows, [setup.fields for setup in setups(arguments)])
    return {"settings": rows}


def threshold(arguments):
    rows = call(arguments, "threshold", arguments.bytes // 4, arguments.rounds)
    tables.print_threshold(rows)
    return {"threshold": rows}


def broadcast(arguments):
    rows = call(arguments, "broadcast", arguments.connections, 4 * arguments.rounds + 1)
    tables.print_broadcast(rows)
    return {"broadcast": rows}


def write_csv(folder, found):
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in found.items():
        with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


def at_least_one(word):
    value = int(word)
    if value < 1:
        raise ValueError(word)
    return value


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True,
                        help="directory of hawser-bench-deflate")
    parser.add_argument("--build", type=pathlib.Path,
                        help="where the others are built (others beside the program)")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--bytes", type=at_least_one, default=1 << 19,
                        help="of a corpus (524288)")
    parser.add_argument("--rounds", type=at_least_one, default=5, help="of each case (5)")
    parser.add_argument("--connections", type=at_least_one, default=1000,
                        help="that use memory, or are sent to (1000)")
    parser.add_argument("--quick", action="store_true",
                        help="a little of everything: to see that it works")
    parser.add_argument("--csv", type=pathlib.Path, metavar="FOLDER", help="write all figures")
    parser.add_argument("--svg", metavar="FILE", help="write a chart of the speeds")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.bytes, arguments.rounds, arguments.connections = 4096, 1, 10
    arguments.program = (arguments.bin / "hawser-bench-deflate").resolve()
    if not os.access(arguments.program, os.X_OK):
        parser.error(f"There is no hawser-bench-deflate in {arguments.bin}.")
    arguments.build = (arguments.build or arguments.bin / "others").resolve()
    return arguments


def main():
    arguments = read_arguments()
    arguments.build.mkdir(parents=True, exist_ok=True)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    found = {}
    try:
        for part in arguments.parts:
            found.update(globals()[part](arguments))
            sys.stdout.flush()
    except Wrong as reason:
        sys.exit(f"deflate.py: {reason}.")
    if arguments.csv:
        write_csv(arguments.csv, found)


main()
