"""A long run of hawser-echo under a small load of every kind, good and bad.

    python3 soak.py BIN_DIR [--seconds 3600] [--share 25] [--csv soak.csv] [--seed N] [--steady 5]
                    [--growth KIB] [--only VISIT,...] [--without-tls] [--server "PROGRAM ARGUMENT..."]

Two servers run, one with TLS and one without. Steady connections to each send random messages and
check every byte that comes back, while the clients of soak_clients.py come, misbehave and go. All of
it, servers and clients, takes --share percent of one processor: the pace follows from that. Memory,
descriptors and processor time of the servers are written to the CSV file every few seconds.

At the end it must be true that no connection and no visit went otherwise than is right, that each
server has the descriptors that it started with, that a line through its memory over the second half
rises by less than --growth KiB, that no sanitizer said anything, and that each server ends with 0
within its deadline after SIGTERM, though a client does not let go. The exit status is 0 then, else 1.

It needs Linux. AddressSanitizer, in a server that has it, is told to keep little of what was freed,
unless ASAN_OPTIONS is set. --server runs another program instead, with the same options behind its own."""
import argparse
import asyncio
import collections
import contextlib
import csv
import logging
import os
import pathlib
import random
import re
import shlex
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time

from soak_clients import SLACK, VISITS, Limits, exchange, steady
from soak_peer import Failed, Full, Peer

# AddressSanitizer is to keep little of what was freed, and of where that was.
LEAN = "quarantine_size_mb=1:thread_local_quarantine_size_kb=64:malloc_context_size=2"
TICKS = os.sysconf("SC_CLK_TCK")
SLOW = {"mute", "idle", "deaf", "never_ends", "staller"}  # they wait for deadlines
SLOW_AT_ONCE, QUICK_AT_ONCE = 6, 6  # on each server
REPORTS = re.compile(r"Sanitizer|runtime error|unexpected condition|no memory|system call failed|"
                     r"not possible in this state|outside what the function takes|no room for it")
SHOWN = 30  # faults that are told one by one


# --- servers -------------------------------------------------------------------------------------

def make_certificate(folder):
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
               "-nodes", "-days", "7", "-subj", "/CN=localhost", "-addext",
               "subjectAltName=IP:127.0.0.1", "-keyout", folder + "/key.pem", "-out",
               folder + "/cert.pem"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


class Server:
    """A running server, and what it was seen to use."""

    def __init__(self, name, command, folder, tls):
        self.name, self.folder = name, folder
        self.context = ssl.create_default_context(cafile=folder + "/cert.pem") if tls else None
        tls_options = ["--tls-cert", folder + "/cert.pem", "--tls-key", folder + "/key.pem"]
        self.command = [*command, "--port", "0", "--threads", "2", "--deflate", "--ping",
                        str(Limits.ping), "--idle", str(Limits.idle), "--rate", str(Limits.rate),
                        "--max-connections", str(Limits.max_connections), "--max-message",
                        str(Limits.max_message), "--handshake", str(Limits.handshake), "--drain",
                        str(Limits.drain), *(tls_options if tls else [])]
        self.samples = []  # (seconds, KiB, descriptors, processor seconds)

    def start(self):
        with open(f"{self.folder}/{self.name}.err", "wb") as errors:
            self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=errors,
                                            env={"ASAN_OPTIONS": LEAN, **os.environ})
        match = re.search(rb"://(.*):(\d+)/", self.process.stdout.readline())
        if not match:
            raise Failed(f"{self.name} did not start: {self.said()!r}")
        self.host, self.port = match.group(1).decode(), int(match.group(2))
        self.descriptors = self.count_descriptors()

    def said(self):
        return pathlib.Path(f"{self.folder}/{self.name}.err").read_text(errors="replace")

    def count_descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def processor_s(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def sample(self, seconds):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        resident = int(re.search(r"VmRSS:\s*(\d+) kB", status).group(1))
        self.samples.append((seconds, resident, self.count_descriptors(), self.processor_s()))

    def is_alive(self):
        return self.process.poll() is None


# --- pace ----------------------------------------------------------------------------------------

class Pace:
    """Gives turns, so many that servers and clients together take their share of a processor."""
    FASTEST_S, SLOWEST_S = 0.002, 0.3  # between two turns

    def __init__(self, share, servers):
        self.share, self.servers = share, servers
        self.gap, self.next = 0.05, 0.0
        self.begin = self.before = self.look()
        self.took = 0.0

    def look(self):
        used = time.process_time() + sum(s.processor_s() for s in self.servers if s.is_alive())
        return time.monotonic(), used

    async def turn(self):
        now = time.monotonic()
        self.next = max(now, self.next + self.gap)
        await asyncio.sleep(self.next - now)

    async def keep(self):
        """Judge twice a second what the gap has to be."""
        while True:
            await asyncio.sleep(0.5)
            now = self.look()
            took = (now[1] - self.before[1]) / (now[0] - self.before[0])
            self.before = now
            self.took += (took - self.took) * 0.2
            self.gap *= min(1.25, max(0.8, (self.took / self.share) ** 0.5))
            self.gap = min(self.SLOWEST_S, max(self.FASTEST_S, self.gap))

    def average(self):
        now = self.look()
        return (now[1] - self.begin[1]) / (now[0] - self.begin[0])


# --- load ----------------------------------------------------------------------------------------

class Tally:
    """What was done, and what went wrong."""

    def __init__(self):
        self.visits, self.kinds = collections.Counter(), collections.Counter()
        self.refused = self.echoes = self.bytes = self.faults = 0

    def fault(self, text):
        self.faults += 1
        self.kinds[text.partition(":")[0]] += 1
        if self.faults <= SHOWN:
            print(f"\nFAULT {time.strftime('%H:%M:%S')} {text}", flush=True)

    def echo(self, size):
        self.echoes += 1
        self.bytes += size


class Load:
    """All clients of one server."""

    def __init__(self, server, pace, tally, dice, options):
        self.server, self.pace, self.tally, self.dice = server, pace, tally, dice
        self.tasks, self.slow, self.quick = set(), 0, 0
        self.names = [name for name, (_, _, tls_only) in VISITS.items()
                      if (server.context or not tls_only) and (not options.only or name in options.only)]
        self.weights = [VISITS[name][1] for name in self.names]
        for number in range(options.steady):
            self.spawn(self.stay(number))
        self.spawn(self.invite())

    def spawn(self, work):
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def run(self, name, work):
        """Run a client with a Peer of its own; whatever it raises is a fault. Whether there was room."""
        peer = Peer(self.server)
        try:
            await work(peer)
        except Full:
            self.tally.refused += 1
            return False
        except Exception as error:  # of any kind: a client must not end in an unforeseen way
            self.tally.fault(f"{self.server.name} {name}: {type(error).__name__} {error}")
        finally:
            await peer.close()
        return True

    async def stay(self, number):
        """A steady connection. It comes again when there is no room, and starts anew now and then."""
        while True:
            dice = random.Random(self.dice.random())

            async def work(peer, dice=dice):
                with contextlib.suppress(asyncio.TimeoutError):
                    async with asyncio.timeout(dice.uniform(60, 1200)) as limit:
                        await steady(peer, dice, self.pace.turn, self.tally.echo)
                if not limit.expired():
                    raise Failed("a wait was in vain")
            await self.run(f"steady {number}", work)
            await asyncio.sleep(1)

    async def invite(self):
        """Visits without end, not too many at once."""
        while True:
            await self.pace.turn()
            name = self.dice.choices(self.names, self.weights)[0]
            if name in SLOW and self.slow < SLOW_AT_ONCE:
                self.slow += 1
                self.spawn(self.visit(name))
            elif name not in SLOW and self.quick < QUICK_AT_ONCE:
                self.quick += 1
                self.spawn(self.visit(name))

    async def visit(self, name):
        dice = random.Random(self.dice.random())
        try:
            if await self.run(name, lambda peer: VISITS[name][0](peer, dice, Limits)):
                self.tally.visits[name] += 1
        finally:
            self.slow -= name in SLOW
            self.quick -= name not in SLOW

    async def stop(self):
        """End all clients. Once is not enough: asyncio.wait_for() may swallow it."""
        while self.tasks:
            for task in list(self.tasks):
                task.cancel()
            await asyncio.wait(list(self.tasks), timeout=1)


# --- watching ------------------------------------------------------------------------------------

def show(elapsed, options, pace, tally, servers):
    """One line: rewritten on a terminal, once a minute elsewhere."""
    state = ", ".join(f"{s.name} {s.samples[-1][1] / 1024:.1f} MiB {s.samples[-1][2]} files"
                      for s in servers)
    line = (f"{elapsed:.0f} of {options.seconds} s, {pace.took * 100:.0f} % of a processor; {state}; "
            f"{sum(tally.visits.values())} visits, {tally.refused} refused, {tally.echoes} echoes "
            f"({tally.bytes / 1e6:.1f} MB), {tally.faults} faults")
    if sys.stdout.isatty():
        print("\r\x1b[K" + line, end="", flush=True)
    elif elapsed >= show.next:
        show.next += 60
        print(time.strftime("%H:%M:%S"), line, flush=True)


show.next = 0


async def watch(options, pace, tally, servers, table):
    begin = time.monotonic()
    every = min(5, options.seconds / 50)
    while (elapsed := time.monotonic() - begin) < options.seconds:
        for server in servers:
            if not server.is_alive():
                raise Failed(f"{server.name} ended by itself, with {server.process.returncode}")
            server.sample(elapsed)
            table.writerow([f"{elapsed:.1f}", server.name, *server.samples[-1][1:],
                            sum(tally.visits.values()), tally.refused, tally.echoes, tally.bytes,
                            tally.faults])
        show(elapsed, options, pace, tally, servers)
        await asyncio.sleep(every)


# --- the end -------------------------------------------------------------------------------------

def rise_of(samples):
    """How far the line of least squares through the memory rises over the second half, in KiB."""
    half = samples[len(samples) // 2:]
    if len(half) < 3:
        raise Failed("there are too few samples for a line")
    middle = sum(s[0] for s in half) / len(half)
    mean = sum(s[1] for s in half) / len(half)
    slope = (sum((s[0] - middle) * (s[1] - mean) for s in half)
             / sum((s[0] - middle) ** 2 for s in half))
    return slope * (half[-1][0] - half[0][0])


def judge_memory(server, growth):
    rise = rise_of(server.samples)
    print(f"{server.name}: memory rises by {rise:.0f} KiB over the second half, the limit is {growth}; "
          f"most {max(s[1] for s in server.samples)} KiB")
    if rise >= growth:
        raise Failed(f"memory of {server.name}: grows by {rise:.0f} KiB over the second half")


async def judge_descriptors(server):
    deadline = time.monotonic() + Limits.close + SLACK
    while (count := server.count_descriptors()) != server.descriptors and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    print(f"{server.name}: {count} descriptors, {server.descriptors} at the start")
    if count != server.descriptors:
        raise Failed(f"descriptors of {server.name}: {count}, and {server.descriptors} at the start")


async def judge_end(server):
    """SIGTERM, while two clients are there: one says goodbye, one does not let go."""
    polite, rude = Peer(server), Peer(server)
    try:
        for peer in (polite, rude):
            await peer.open()
            await exchange(peer, random.Random(1))
        begin = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(polite.take_leave(1001), Limits.drain + SLACK)
        while server.is_alive() and time.monotonic() - begin < Limits.drain + SLACK:
            await asyncio.sleep(0.05)
    finally:
        await polite.close()
        await rude.close()
    took = time.monotonic() - begin
    print(f"{server.name}: status {server.process.returncode}, {took:.1f} s after SIGTERM")
    if server.process.returncode != 0:
        raise Failed(f"end of {server.name}: status {server.process.returncode} after {took:.1f} s")


def judge_words(server):
    said = server.said()
    for line, count in collections.Counter(said.splitlines()).most_common(40):
        print(f"{server.name}: {count:7} times {line:.120}")
    found = REPORTS.search(said)
    if found:
        raise Failed(f"words of {server.name}: {said[max(0, found.start() - 200):][:6000]}")


async def judge(server, options, tally):
    """Each of the rules, also when another one is broken."""
    for rule in (lambda: judge_memory(server, options.growth), lambda: judge_descriptors(server),
                 lambda: judge_end(server), lambda: judge_words(server)):
        try:
            result = rule()
            if result is not None:
                await result
        except Exception as error:  # a broken stream is one too
            tally.fault(f"{error}" if isinstance(error, Failed) else f"end of {server.name}: {error!r}")


def print_tally(tally, took):
    print("visits: " + ", ".join(f"{name} {n}" for name, n in tally.visits.most_common()))
    print(f"refused {tally.refused}, echoes {tally.echoes}, {tally.bytes} bytes; "
          f"{took * 100:.1f} % of a processor")
    for kind, count in tally.kinds.most_common():
        print(f"FAULT {count} times: {kind}")


# --- all of it -----------------------------------------------------------------------------------

async def soak(options, servers, table):
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # of streams that were reset
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # and of writing to them
    pace, tally, loads = Pace(options.share / 100, servers), Tally(), []
    keeper = asyncio.ensure_future(pace.keep())
    try:
        for server in servers:
            dice = random.Random(f"{options.seed} {server.name}")
            loads.append(Load(server, pace, tally, dice, options))
        await watch(options, pace, tally, servers, table)
    except Failed as error:
        tally.fault(str(error))
    finally:
        keeper.cancel()
        for load in loads:
            await load.stop()
    print()
    took = pace.average()
    for server in servers:
        await judge(server, options, tally)
    if tally.echoes == 0:
        tally.fault("echoes: there were none")
    print_tally(tally, took)
    return tally.faults


def run(options, folder):
    command = shlex.split(options.server) if options.server else [f"{options.bin}/hawser-echo"]
    servers = [Server("plain", command, folder, False)]
    if not options.without_tls:
        make_certificate(folder)
        servers.append(Server("tls", command, folder, True))
    try:
        for server in servers:
            server.start()
        with open(options.csv, "w", newline="", encoding="ascii", buffering=1) as file:
            table = csv.writer(file)
            table.writerow(["seconds", "server", "rss_kib", "descriptors", "processor_s", "visits",
                            "refused", "echoes", "bytes", "faults"])
            return asyncio.run(soak(options, servers, table))
    finally:
        for server in servers:
            if hasattr(server, "process") and server.is_alive():
                server.process.kill()
                server.process.wait()


def parse(arguments):
    parser = argparse.ArgumentParser(description="A long run of hawser-echo under every kind of load.")
    parser.add_argument("bin", metavar="BIN_DIR")
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--share", type=float, default=25, help="percent of one processor (25)")
    parser.add_argument("--csv", default="soak.csv")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--steady", type=int, default=5, help="connections to each server (5)")
    parser.add_argument("--growth", type=float, default=2048, help="KiB over the second half (2048)")
    parser.add_argument("--only", type=lambda text: text.split(","), help="visits, by their names")
    parser.add_argument("--without-tls", action="store_true")
    parser.add_argument("--server", help="another program, with its arguments")
    options = parser.parse_args(arguments)
    if options.only and not set(options.only) <= set(VISITS):
        parser.error(f"--only knows {', '.join(VISITS)}.")
    return options


def main():
    options = parse(sys.argv[1:])
    if not sys.platform.startswith("linux") or not (options.without_tls or shutil.which("openssl")):
        print("skipped: it needs Linux, and openssl to make a certificate")
        sys.exit(77)
    print(f"seed {options.seed}, {options.seconds:.0f} s at {options.share} % of a processor")
    with tempfile.TemporaryDirectory() as folder:
        faults = run(options, folder)
    print(f"FAIL  {faults} faults" if faults else "ok    all was right")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
