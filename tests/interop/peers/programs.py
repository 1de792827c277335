"""Runs the programs of an interop test: hawser's two, and an agent, which is the peer.

An agent is a program that speaks WebSocket with somebody else's library, and does what it is told
on its standard input. Commands and events have one form, a line and then LEN bytes:

    VERB ARG LEN\\n

Commands:  connect - LEN (lines of name=value: url, origin, subprotocol, deflate, and ca, a file of
           authorities to trust; clients only)
           accept - LEN (servers only: parameters of permessage-deflate that it wants from now on)
           text, binary (a whole message); first-text, first-binary, more, last (fragments)
           plain-text (a message that is not compressed)
           ping - LEN; close CODE LEN (reason; "-" for an empty Close)
           eof (ends the stream without a Close); reset (RST)
Events:    listen PORT 0 (servers only); ready - 0 (after accept); refused STATUS 0
           open SUBPROTOCOL LEN (extensions: of hawser-echo's answer, of hawser-cat's offer)
           text, binary (a whole message); pong - LEN
           close CODE LEN (reason): the TCP connection has ended. 1006: without a Close;
           "-": the library does not tell.

An agent has one connection at a time, and ends with its standard input. A server that is started
with the names of two files, a certificate and its key, speaks TLS.
"""
import os
import queue
import socket
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass


class Failed(Exception):
    """An expectation that did not come true."""


class Missing(Exception):
    """Something that a peer needs is not installed."""


def shown(data):
    """Bytes for a message to a person."""
    if len(data) <= 60:
        return repr(bytes(data))
    return f"{bytes(data[:40])!r}… ({len(data)} bytes)"


def end(process):
    """Ends a process that we started, whatever it does."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Lines:
    """A process and the items that a thread reads from its standard output."""

    def __init__(self, command, env=None, stdin=subprocess.PIPE):
        self.errors = tempfile.TemporaryFile()
        self.items = queue.Queue()
        self.process = subprocess.Popen(
            command, stdin=stdin, stdout=subprocess.PIPE, stderr=self.errors, env=env)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        stream = self.process.stdout
        try:
            while True:
                item = self.read_item(stream)
                if item is None:
                    break
                self.items.put(item)
        except (OSError, ValueError):
            pass
        self.items.put(None)

    def read_item(self, stream):
        line = stream.readline()
        return line.decode().rstrip("\n") if line else None

    def next(self, timeout=10):
        try:
            item = self.items.get(timeout=timeout)
        except queue.Empty:
            raise Failed(f"no event within {timeout} s") from None
        if item is None:
            self.items.put(None)
            raise Failed(f"the program has ended: {self.stderr().strip()[-300:]}")
        return item

    def stderr(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)
        self.thread.join(5)
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            try:
                if stream:
                    stream.close()
            except OSError:
                pass


class Agent(Lines):
    """A peer: see the head of this file."""

    def read_item(self, stream):
        line = stream.readline().split()
        if not line:
            return None
        return line[0].decode(), line[1].decode(), stream.read(int(line[2]))

    def tell(self, verb, arg="-", data=b""):
        try:
            self.process.stdin.write(f"{verb} {arg} {len(data)}\n".encode() + data)
            self.process.stdin.flush()
        except (BrokenPipeError, ValueError):
            raise Failed(f"the agent has ended: {self.stderr().strip()[-300:]}") from None

    def expect(self, verb, arg=None, data=None, timeout=20):
        event = self.next(timeout)
        if event[0] != verb or (arg is not None and event[1] not in (str(arg), "-")):
            raise Failed(f"expected {verb} {arg}, got {event[0]} {event[1]} {shown(event[2])}")
        if data is not None and event[2] != data:
            raise Failed(f"expected {verb} {shown(data)}, got {shown(event[2])}")
        return event


class Echo(Lines):
    """A running hawser-echo."""

    def __init__(self, bin_dir, *options, where=("--port", "0")):
        super().__init__([os.path.join(bin_dir, "hawser-echo"), *where, *options],
                         stdin=subprocess.DEVNULL)
        try:
            self.url = self.next().rpartition(" ")[2]
        except BaseException:
            self.__exit__()
            raise

    @property
    def address(self):
        """For socket.create_connection()."""
        host, _, port = self.url.partition("://")[2].rstrip("/").rpartition(":")
        return host.strip("[]"), int(port)

    def check_alive(self):
        time.sleep(0.05)
        if self.process.poll() is not None:
            raise Failed(f"hawser-echo ended with {self.process.poll()}: {self.stderr()[-300:]}")


class Cat(Lines):
    """A running hawser-cat."""

    def __init__(self, bin_dir, *arguments):
        super().__init__([os.path.join(bin_dir, "hawser-cat"), *arguments])

    def finish(self, timeout=15):
        """Waits for the end; returns (exit status, lines printed and not read, stderr)."""
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failed(f"hawser-cat did not end within {timeout} s") from None
        lines = []
        while (item := self.items.get(timeout=5)) is not None:
            lines.append(item)
        return status, lines, self.stderr().strip()


@dataclass(frozen=True)
class Hawser:
    """The programs in a directory, which speak TLS when there is an identity (see tls.py)."""
    bin_dir: str
    identity: object = None

    def echo(self, *options):
        tls = () if self.identity is None else (
            "--tls-cert", self.identity.certificate, "--tls-key", self.identity.key,
            "--threads", "2")
        return Echo(self.bin_dir, *tls, *options)

    def cat(self, port, *options):
        """A hawser-cat that talks to a server on this port."""
        if self.identity is None:
            return Cat(self.bin_dir, *options, f"ws://127.0.0.1:{port}/")
        return Cat(self.bin_dir, "--cacert", self.identity.certificate, *options,
                   f"wss://127.0.0.1:{port}/")


class Report:
    """Counts cases and prints a line for each."""

    def __init__(self, peer):
        self.peer, self.passed, self.failed = peer, 0, 0
        self.started = time.monotonic()

    def run(self, name, case, *arguments):
        """Runs one case; returns whether it passed."""
        before = time.monotonic()
        try:
            case(*arguments)
        except (Failed, OSError, ValueError, LookupError) as problem:
            self.failed += 1
            reason = str(problem) or type(problem).__name__
            print(f"FAIL {self.peer}: {name}: {reason}", flush=True)
            return False
        self.passed += 1
        took = time.monotonic() - before
        print(f"ok   {self.peer}: {name}" + (f" ({took:.1f} s)" if took > 1 else ""), flush=True)
        return True

    def status(self):
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed or not self.passed else 0


def free_port():
    """A port of the loopback address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
