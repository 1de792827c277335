"""Echo servers of several libraries under the same load: hawser-bench against each of them.

    python3 end_to_end.py --bin DIR [--csv FILE] [--plot FILE.svg]

DIR holds hawser-echo and hawser-bench. Every server runs on one core, the load on another. All
start before the first run and stay up; the runs of a case go through all servers in turn, so that
what else the machine does meets all of them, and medians are told. Without compression, with
TCP_NODELAY, on the loopback address.

hawser-echo is what it is: one thread and a loop over epoll. The other servers are asynchronous too,
but for Go's, which has a goroutine for each connection.

"processor" is what a server takes for a message, user and system, while it is measured. "server"
and "load" are the parts of their cores that the two take. A load near 100 % is what was measured,
and not the server. Where both are far below it with many connections, other programs had the cores:
then throughput and latencies say little, and what a message takes still counts.

Exit status: 0; 1 when a server gave a wrong answer; 2 for a bad command line."""
import argparse
import contextlib
import csv
import json
import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "servers"))

from chart import write_chart  # noqa: E402
from outputs import check_outputs  # noqa: E402
from start import SERVERS, Missing, Server  # noqa: E402

# Name, and what hawser-bench is told.
CASES = {
    "latency": ("1 connection × 16 B, one message at a time", 1, 16, 1),
    "plain": ("50 connections × 125 B, one message at a time", 50, 125, 1),
    "pipelined": ("50 connections × 125 B, 32 messages on their way", 50, 125, 32),
    "large": ("10 connections × 16 KiB, 4 messages on their way", 10, 16384, 4),
    "many": ("500 connections × 125 B, one message at a time", 500, 125, 1),
}
FIELDS = ["messages_per_s", "p50_us", "p99_us", "processor_us", "share", "load"]
SAMPLE_S = 0.02


class Samples:
    """What a server has taken of the processor, again and again while a run goes on."""

    def __init__(self, server):
        self.server, self.taken, self.over = server, [], threading.Event()
        self.thread = threading.Thread(target=self.take, daemon=True)

    def take(self):
        while not self.over.wait(SAMPLE_S):
            self.taken.append((time.clock_gettime_ns(time.CLOCK_MONOTONIC),
                               self.server.processor_s()))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def between(self, from_ns, until_ns):
        """Seconds of processor for a second of the time between: by the samples inside."""
        inside = [sample for sample in self.taken if from_ns <= sample[0] <= until_ns]
        if len(inside) < 2:
            return float("nan")
        (begin, before), (end, after) = inside[0], inside[-1]
        return (after - before) / ((end - begin) / 1e9)


def measure(arguments, server, case, core):
    """One run: a row of results, and what went wrong in it."""
    _, connections, size, depth = CASES[case]
    command = [str(arguments.bin / "hawser-bench"), "--json", "--connections", str(connections),
               "--size", str(size), "--depth", str(depth), "--duration", str(arguments.seconds),
               "--warm-up", "0.3", "--timeout", "5", server.url]
    with Samples(server) as samples:
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              timeout=arguments.seconds + 30,
                              preexec_fn=lambda: os.sched_setaffinity(0, {core}))
    try:
        result = json.loads(done.stdout)
    except ValueError:
        return None, [done.stderr.strip() or f"hawser-bench ended with {done.returncode}"]
    errors = [f"{error['text']} ({error['count']})" for error in result["errors"]]
    if result["messages"] == 0:
        return None, errors
    share = samples.between(result["from_ns"], result["until_ns"])
    row = {"case": case, "server": server.name, "messages_per_s": result["messages_per_s"],
           "p50_us": result["latency_us"]["p50"], "p99_us": result["latency_us"]["p99"],
           "processor_us": share / result["messages_per_s"] * 1e6, "share": share,
           "load": result["load"]}
    return row, errors


def start_all(arguments, core, stack):
    servers = []
    for name in arguments.servers:
        try:
            server = Server(name, arguments, core)
        except Missing as reason:
            print(f"{name} is left out: {reason}.", flush=True)
            continue
        stack.callback(server.end)
        servers.append(server)
    return servers


def run_all(arguments, servers, core):
    """All rows, each of one run; and whether all answers were right."""
    rows, good = [], True
    for case in arguments.cases:
        for repetition in range(arguments.repeat):
            for server in servers:
                row, errors = measure(arguments, server, case, core)
                for error in errors:
                    print(f"{server.name}, {case}: {error}", flush=True)
                good = good and not errors
                if row:
                    rows.append({"repetition": repetition + 1, **row})
        print_case(case, medians(rows))
    return rows, good


def medians(rows):
    """{(case, server): {field: median}}, in the order of the rows."""
    grouped = {}
    for row in rows:
        grouped.setdefault((row["case"], row["server"]), []).append(row)
    return {key: {field: statistics.median(row[field] for row in group) for field in FIELDS}
            for key, group in grouped.items()}


def print_case(case, results):
    print(f"\n{CASES[case][0]}")
    print(f"  {'':18} {'messages/s':>11} {'p50 µs':>9} {'p99 µs':>9} {'processor µs':>13} "
          f"{'server':>7} {'load':>6}")
    for (found, server), values in results.items():
        if found == case:
            print(f"  {server:18} {values['messages_per_s']:11,.0f} {values['p50_us']:9,.1f} "
                  f"{values['p99_us']:9,.1f} {values['processor_us']:13.2f} "
                  f"{values['share']:7.0%} {values['load']:6.0%}")
    sys.stdout.flush()


def write_csv(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["case", "server", "repetition", *FIELDS])
        writer.writeheader()
        writer.writerows({key: round(value, 3) if isinstance(value, float) else value
                          for key, value in row.items()} for row in rows)


def plot(path, results):
    groups = {}
    for (case, server), values in results.items():
        groups.setdefault(CASES[case][0], []).append(
            (server, values["messages_per_s"], values["processor_us"]))
    write_chart(path, "Echo servers on one core",
                ["Messages a second (more is better)",
                 "µs of processor for a message (less is better)"],
                groups, marked="hawser-echo")


def positive(convert):
    def check(word):
        value = convert(word)
        if not 0 < value < 1000:
            raise ValueError(word)
        return value
    check.__name__ = f"positive {convert.__name__}"
    return check


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True,
                        help="directory of hawser-echo and hawser-bench")
    parser.add_argument("--build", type=pathlib.Path,
                        help="where the other servers are built (bench beside --bin)")
    parser.add_argument("--seconds", type=positive(float), default=2, help="of each run (2)")
    parser.add_argument("--repeat", type=positive(int), default=3, help="runs of each (3)")
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=list(SERVERS))
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--csv", metavar="FILE", help="write every run")
    parser.add_argument("--plot", metavar="FILE", help="write a chart of the medians, as SVG")
    arguments = parser.parse_args()
    for program in ("hawser-echo", "hawser-bench"):
        if not os.access(arguments.bin / program, os.X_OK):
            parser.error(f"There is no {program} in {arguments.bin}.")
    check_outputs(parser, arguments.csv, arguments.plot)
    arguments.bin = arguments.bin.resolve()
    arguments.build = (arguments.build or arguments.bin.parent / "bench").resolve()
    return arguments


def main():
    arguments = read_arguments()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("end_to_end.py: It needs two cores: one for the server, one for the load.")
    arguments.build.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        servers = start_all(arguments, cores[0], stack)
        rows, good = run_all(arguments, servers, cores[1])
    if arguments.csv:
        write_csv(arguments.csv, rows)
    if arguments.plot:
        plot(arguments.plot, medians(rows))
    sys.exit(0 if good and rows else 1)


main()
