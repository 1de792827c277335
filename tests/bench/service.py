"""What a service costs, beside its peers: idle connections, messages, broadcasts.

    python3 service.py --bin DIR [--csv FILE] [--plot FILE.svg]
    python3 service.py --verify --bin DIR

DIR holds hawser-echo; what else is started is beside it in the build, or where --tools says. Every
server runs on one core, the crowd of clients on another, over loopback and without compression. In
each round all servers take turns with each measure, another one first each time, and each is
started anew: figures are medians of the rounds, ratios are medians of the ratios inside a round.

memory      A server that has served a few connections, closed again, gets many, each of which sends
            one message and is idle then. What it holds more now, divided by their number: resident
            (RSS), and in proportion where pages are shared (PSS). What the kernel holds for the
            sockets is the kernel's, the same for all, and not in these figures.
messages    The same server, once those are gone: 125 B of text, echoed. Nanoseconds of all its
            threads by the scheduler of Linux, user and system, divided by the messages.
broadcasts  Another server sends what one connection sends to all; the next message is sent when
            all have got it. Processor for each message that one of them gets.

Every answer is compared with what it has to be. Exit status: 0; 1 when a server gave a wrong answer
or none; 2 for a bad command line; 77 when --verify misses a peer, and all others were right."""
import argparse
import contextlib
import csv
import os
import pathlib
import resource
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "servers"))

import service_report as report  # noqa: E402
from outputs import check_outputs  # noqa: E402
from start import Missing, Server  # noqa: E402

SERVERS = {"hawser": "hawser-echo", "libwebsockets": "libwebsockets", "Node ws": "Node ws",
           "Python websockets": "Python websockets"}
PROGRAMS = {"bin": ["hawser-echo"], "tools": ["hawser-bench-crowd", "hawser-bench-broadcast"]}
TALKERS, FEW = 100, 20
MANY, OTHER_FILES = 10000, 100
IDLE_S, CALM_S, CALM_WITHIN_S = 2, 0.2, 10


class Wrong(Exception):
    """What a server did is not what it had to do."""


class Crowd:
    """Connections to a server, all open; they end with the block."""

    def __init__(self, arguments, server, connections, core):
        self.name = server.name
        self.process = subprocess.Popen(
            [str(arguments.tools / "hawser-bench-crowd"), server.url.split(":")[2].rstrip("/"),
             str(connections)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}))

    def __enter__(self):
        try:
            self.answer()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_):
        self.end()

    def answer(self):
        """The crowd gives up by itself when a server is silent."""
        line = self.process.stdout.readline()
        if not line:
            raise Wrong(f"{self.name}: {self.process.stderr.read().strip()}")
        return line

    def obey(self, command):
        """Messages that came, and the nanoseconds that it took."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(command + "\n")
            self.process.stdin.flush()
        return [int(word) for word in self.answer().split()]

    def end(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


def processor_ns(server):
    """What it has taken so far, in all threads that it has."""
    tasks = pathlib.Path(f"/proc/{server.process.pid}/task")
    try:
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir())
    except FileNotFoundError:
        return int(server.processor_s() * 1e9)


def memory(server):
    """Resident bytes, and those in proportion."""
    found = {}
    for line in pathlib.Path(f"/proc/{server.process.pid}/smaps_rollup").read_text().splitlines():
        words = line.split()
        if words[0] in ("Rss:", "Pss:"):
            found[words[0]] = int(words[1]) * 1024
    return found["Rss:"], found["Pss:"]


def calm(server):
    """Waits until it does nothing, which it may do after much work."""
    until, last, since = time.monotonic() + CALM_WITHIN_S, processor_ns(server), time.monotonic()
    while time.monotonic() < min(until, since + CALM_S):
        time.sleep(CALM_S / 4)
        taken = processor_ns(server)
        if taken != last:
            last, since = taken, time.monotonic()


@contextlib.contextmanager
def started(arguments, name, kind):
    server = Server(SERVERS[name], arguments, arguments.cores[0], kind)
    server.name = name
    try:
        yield server
    finally:
        server.end()


def timed(arguments, server, crowd, command):
    """Processor µs of one message, and messages a second."""
    crowd.obey(command.format(arguments.warm_ms))
    calm(server)
    before = processor_ns(server)
    messages, ns = crowd.obey(command.format(arguments.ms))
    time.sleep(CALM_S / 4)
    return (processor_ns(server) - before) / messages / 1e3, messages / (ns / 1e9)


def measure_echo(arguments, name):
    row = {}
    with started(arguments, name, "echo") as server:
        with Crowd(arguments, server, FEW, arguments.cores[1]) as crowd:
            crowd.obey("echo 200 1")
        calm(server)
        before = memory(server)
        with Crowd(arguments, server, arguments.idle, arguments.cores[1]) as crowd:
            crowd.obey("echo 0 1")
            time.sleep(IDLE_S)
            after = memory(server)
        row["rss_kib"], row["pss_kib"] = ((b - a) / arguments.idle / 1024
                                          for a, b in zip(before, after))
        calm(server)
        with Crowd(arguments, server, TALKERS, arguments.cores[1]) as crowd:
            row["one_us"], row["one_per_s"] = timed(arguments, server, crowd, "echo {} 1")
            row["batch_us"], row["batch_per_s"] = timed(arguments, server, crowd, "echo {} 16")
    return row


def measure_broadcast(arguments, name):
    row = {}
    with started(arguments, name, "broadcast") as server:
        for key, connections in zip(("few", "many"), arguments.receivers):
            with Crowd(arguments, server, connections, arguments.cores[1]) as crowd:
                row[f"{key}_us"], row[f"{key}_per_s"] = timed(arguments, server, crowd,
                                                              "broadcast {}")
            calm(server)
    return row


def progress(words):
    if sys.stderr.isatty():
        print(f"\r\033[K{words}", end="", file=sys.stderr, flush=True)


def run_rounds(arguments, names):
    rows = []
    for number in range(arguments.rounds):
        turn = number % len(names)
        order = names[turn:] + names[:turn]
        found = {name: {"round": number + 1, "server": name} for name in names}
        for what, measure in (("echo", measure_echo), ("broadcast", measure_broadcast)):
            for name in order:
                progress(f"round {number + 1} of {arguments.rounds}: {what}, {name}")
                found[name].update(measure(arguments, name))
        rows += found.values()
    progress("")
    return rows


def present(arguments):
    """The servers that can be started here, both of each."""
    names = []
    for name in SERVERS:
        try:
            for kind in ("echo", "broadcast"):
                with started(arguments, name, kind):
                    pass
        except Missing as reason:
            print(f"{name} is left out: {reason}.", flush=True)
            continue
        names.append(name)
    return names


def verify_server(arguments, name):
    """All that is sent comes back, or comes to all, once."""
    with started(arguments, name, "echo") as server:
        with Crowd(arguments, server, TALKERS, arguments.cores[1]) as crowd:
            for command in ("echo 100 1", "echo 100 16", "quiet 100"):
                crowd.obey(command)
        if min(memory(server)) <= 0 or processor_ns(server) <= 0:
            raise Wrong(f"{name}: its memory or its time cannot be read.")
    with started(arguments, name, "broadcast") as server:
        with Crowd(arguments, server, TALKERS, arguments.cores[1]) as crowd:
            for command in ("broadcast 100", "quiet 100"):
                crowd.obey(command)


def verify_crowd(arguments):
    """It has to find fault with what comes to the wrong ones."""
    with started(arguments, "hawser", "broadcast") as server:
        with Crowd(arguments, server, TALKERS, arguments.cores[1]) as crowd:
            try:
                crowd.obey("echo 0 1")
            except Wrong:
                return
    raise Wrong("The crowd took messages of others for its own.")


def verify_many(arguments):
    """A message comes to 10,000, or to as many as the system allows, once to each."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = MANY if most == resource.RLIM_INFINITY else min(MANY, most - OTHER_FILES)
    with started(arguments, "hawser", "broadcast") as server:
        before = memory(server)[0]
        with Crowd(arguments, server, count, arguments.cores[1]) as crowd:
            messages, ns = crowd.obey("broadcast 200")
            held = (memory(server)[0] - before) / count
    print(f"hawser: {messages:,} deliveries to {count:,} connections, {messages / (ns / 1e9):,.0f} a "
          f"second; {held:,.0f} bytes of RSS a connection.", flush=True)


def verify(arguments, names):
    verify_crowd(arguments)
    verify_many(arguments)
    for name in names:
        verify_server(arguments, name)
        print(f"{name}: all messages came, each once.", flush=True)
    return 0 if len(names) == len(SERVERS) else 77


def write_csv(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["round", "server", *report.FIELDS])
        writer.writeheader()
        writer.writerows({key: round(value, 4) if isinstance(value, float) else value
                          for key, value in row.items()} for row in rows)


def whole(least, most):
    def check(word):
        value = int(word)
        if not least <= value <= most:
            raise ValueError(word)
        return value
    check.__name__ = f"number from {least} to {most}"
    return check


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True,
                        help="directory of hawser-echo")
    parser.add_argument("--tools", type=pathlib.Path,
                        help="directory of hawser-bench-crowd (tests/bench beside --bin)")
    parser.add_argument("--build", type=pathlib.Path,
                        help="where the other servers are built (bench beside --bin)")
    parser.add_argument("--verify", action="store_true",
                        help="measure nothing: see that all answers are right, in seconds")
    parser.add_argument("--rounds", type=whole(1, 99), default=5, help="of all servers (5)")
    parser.add_argument("--ms", type=whole(10, 60000), default=1500, help="of each measure (1500)")
    parser.add_argument("--idle", type=whole(100, 9000), default=5000,
                        help="connections whose memory is measured (5000)")
    parser.add_argument("--receivers", type=whole(1, 9000), nargs=2, default=[1000, 5000],
                        help="connections that get a broadcast (1000 5000)")
    parser.add_argument("--csv", metavar="FILE", help="write every round")
    parser.add_argument("--plot", metavar="FILE", help="write a chart of the medians, as SVG")
    arguments = parser.parse_args()
    arguments.bin = arguments.bin.resolve()
    arguments.tools = (arguments.tools or arguments.bin.parent / "tests" / "bench").resolve()
    arguments.build = (arguments.build or arguments.bin.parent / "bench").resolve()
    for folder, programs in PROGRAMS.items():
        for program in programs:
            if not os.access(getattr(arguments, folder) / program, os.X_OK):
                parser.error(f"There is no {program} in {getattr(arguments, folder)}.")
    check_outputs(parser, arguments.csv, arguments.plot)
    return arguments


def raise_file_limit():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main():
    arguments = read_arguments()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2 and not arguments.verify:
        sys.exit("service.py: It needs two cores: one for the server, one for the crowd.")
    arguments.cores, arguments.warm_ms = (cores[0], cores[-1]), arguments.ms // 4
    arguments.build.mkdir(parents=True, exist_ok=True)
    raise_file_limit()
    try:
        names = present(arguments)
        if arguments.verify:
            sys.exit(verify(arguments, names))
        rows = run_rounds(arguments, names)
    except Wrong as fault:
        progress("")
        sys.exit(f"service.py: {fault}")
    if arguments.csv:
        write_csv(arguments.csv, rows)
    report.print_tables(rows, arguments)
    if arguments.plot:
        report.plot(arguments.plot, rows, arguments)


main()
