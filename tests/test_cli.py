"""hawser-echo, hawser-cat and hawser-bench as programs: command lines, exit statuses, output, bad
peers.

    python3 test_cli.py BIN_DIR [WORD]

BIN_DIR holds the programs; without hawser-bench, which is not made for Windows, its cases are left
out. With WORD only the cases run whose names contain it. Prints one line a case; ends with 0 when
all are good. Every wait is bounded."""
import base64
import contextlib
import hashlib
import json
import os
import pathlib
import queue
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

WAIT = 30  # seconds for what takes no time, on a slow machine under valgrind
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10

BIN = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
ECHO, CAT = str(BIN / "hawser-echo"), str(BIN / "hawser-cat")
BENCH = str(BIN / "hawser-bench")
CASES = []


def case(name):
    def add(function):
        CASES.append((name, function))
        return function
    return add


class Failed(Exception):
    """What a case found wrong."""


def equal(found, wanted, what):
    if found != wanted:
        raise Failed(f"{what}: found {found!r:.300}, wanted {wanted!r:.300}")


def contains(text, part, what):
    if part not in text:
        raise Failed(f"{what}: no {part!r} in {text!r:.300}")


# --- the programs --------------------------------------------------------------------------------

def run(*command, data=b""):
    """The exit status, stdout and stderr of a program that gets `data` on stdin."""
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=WAIT, check=False)
    except subprocess.TimeoutExpired as late:
        raise Failed(f"{command[0]} did not end; it printed {late.stdout!r:.200}") from late
    return done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace")


def cat(*arguments, data=b""):
    return run(CAT, *arguments, data=data)


def cat_prints(wanted, *arguments, data=b"", status=0):
    """Run hawser-cat; compare what it prints, line by line. Returns what it says on stderr."""
    found, out, err = cat(*arguments, data=data)
    equal(out.splitlines(), wanted, f"stdout (status {found}, stderr {err!r})")
    equal(found, status, f"status (stderr {err!r})")
    return err


class Echo:
    """A running hawser-echo. It is ended, by its id, when the block is left."""

    def __init__(self, *arguments, limits=None, stderr=subprocess.DEVNULL, env=None):
        self.command = [ECHO, *arguments]
        if "--unix" not in arguments and "--port" not in arguments:
            self.command += ["--port", "0"]
        self.more = {"preexec_fn": limits, "stderr": stderr, "env": env}

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, **self.more)
        self.lines = Lines(self.process.stdout)
        try:
            self.line = self.lines.next()
        except Failed:
            self.stop(signal.SIGKILL)
            raise
        match = re.search(r"(wss?)://(.*):(\d+)/$", self.line)
        if match:
            self.host, self.port = match.group(2), int(match.group(3))
            self.url = f"{match.group(1)}://{self.host}:{self.port}/"
        return self

    def __exit__(self, kind, *_):
        status = self.stop(signal.SIGTERM)
        self.process.stdout.close()
        if kind is None and status != 0:
            raise Failed(f"hawser-echo ended with {status}")

    def stop(self, number):
        """The exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(WAIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class Lines:
    """Lines of a pipe, each waited for with a limit."""

    def __init__(self, pipe):
        self.queue = queue.Queue()
        threading.Thread(target=self.read, args=(pipe,), daemon=True).start()

    def read(self, pipe):
        try:
            for line in pipe:
                self.queue.put(line)
        except ValueError:  # the pipe was closed
            pass
        self.queue.put(b"")

    def next(self):
        try:
            line = self.queue.get(timeout=WAIT)
        except queue.Empty:
            raise Failed("no line came") from None
        if not line:
            raise Failed("the output ended")
        return line.decode().rstrip("\n")


# --- the protocol, as little of it as the cases need ---------------------------------------------

def frame(opcode, payload=b"", fin=True, mask=False):
    length = len(payload)
    bit = 0x80 if mask else 0
    head = bytes([(0x80 if fin else 0) | opcode])
    if length < 126:
        head += bytes([bit | length])
    elif length < 65536:
        head += bytes([bit | 126]) + struct.pack("!H", length)
    else:
        head += bytes([bit | 127]) + struct.pack("!Q", length)
    return head + (b"\x11\x22\x33\x44" + xor(payload, b"\x11\x22\x33\x44") if mask else payload)


def xor(payload, key):
    keys = key * (len(payload) // 4 + 1)
    mixed = int.from_bytes(payload, "big") ^ int.from_bytes(keys[:len(payload)], "big")
    return mixed.to_bytes(len(payload), "big")


def exactly(stream, count):
    parts = []
    while count > 0:
        data = stream.recv(min(count, 1 << 20))
        if not data:
            raise Failed("the stream ended inside a frame")
        parts.append(data)
        count -= len(data)
    return b"".join(parts)


def read_frame(stream):
    """(fin, opcode, payload, masked)"""
    first, second = exactly(stream, 2)
    length = second & 127
    if length == 126:
        length = struct.unpack("!H", exactly(stream, 2))[0]
    elif length == 127:
        length = struct.unpack("!Q", exactly(stream, 8))[0]
    key = exactly(stream, 4) if second & 128 else b"\0\0\0\0"
    return first >> 7, first & 15, xor(exactly(stream, length), key), second >> 7


def read_message(stream):
    """The type and the content of the next message; its Pings are not expected."""
    fin, opcode, content, _ = read_frame(stream)
    parts = [content]
    while not fin:
        fin, _, content, _ = read_frame(stream)
        parts.append(content)
    return opcode, b"".join(parts)


def read_head(stream):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = stream.recv(1)
        if not byte:
            raise Failed(f"the stream ended inside a head: {head!r}")
        head += byte
    return head.decode("latin-1")


def field(head, name):
    match = re.search(rf"^{name}:[ \t]*(.*?)\r$", head, re.I | re.M)
    return match.group(1) if match else None


def switching(head, *more):
    """The 101 that answers a request."""
    guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    digest = hashlib.sha1((field(head, "Sec-WebSocket-Key") + guid).encode()).digest()
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
             "Sec-WebSocket-Accept: " + base64.b64encode(digest).decode(), *more, "", ""]
    return "\r\n".join(lines).encode()


def connect(server):
    stream = socket.create_connection((server.host.strip("[]"), server.port), WAIT)
    stream.settimeout(WAIT)
    return stream


def upgrade(server, *more):
    """A socket with an open WebSocket to hawser-echo, and the head of the answer."""
    stream = connect(server)
    lines = ["GET / HTTP/1.1", f"Host: {server.host}:{server.port}", "Upgrade: websocket",
             "Connection: Upgrade", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
             "Sec-WebSocket-Version: 13", *more, "", ""]
    stream.sendall("\r\n".join(lines).encode())
    return stream, read_head(stream)


def http(server, request):
    """All that hawser-echo answers to a request."""
    with connect(server) as stream:
        stream.sendall(request.encode())
        stream.shutdown(socket.SHUT_WR)
        parts = []
        while data := stream.recv(65536):
            parts.append(data)
    head, _, body = b"".join(parts).decode().partition("\r\n\r\n")
    return head + "\r\n", body


class Peer:
    """A server for one connection, which plays the part that a case gives it."""

    def __init__(self, part, handshake=True):
        self.part, self.handshake, self.error = part, handshake, None

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(WAIT)
        self.url = f"ws://127.0.0.1:{self.listener.getsockname()[1]}/"
        self.thread = threading.Thread(target=self.play, daemon=True)
        self.thread.start()
        return self

    def play(self):
        try:
            stream, _ = self.listener.accept()
            stream.settimeout(WAIT)
            with stream:
                self.head = read_head(stream)
                if self.handshake:
                    stream.sendall(switching(self.head))
                self.part(stream)
        except (OSError, Failed) as error:
            self.error = error

    def __exit__(self, kind, *_):
        self.thread.join(WAIT)
        self.listener.close()
        if kind is None and self.error is not None:
            raise Failed(f"the peer: {self.error}")


def finish(stream, payload=b"\x03\xe8"):
    """Close first, and wait for the answer."""
    stream.sendall(frame(CLOSE, payload))
    while read_frame(stream)[1] != CLOSE:
        pass


# --- command lines -------------------------------------------------------------------------------

def refuses(program, *arguments):
    status, out, err = run(program, *arguments)
    equal(status, 2, f"status of {arguments!r} (stderr {err!r:.200})")
    equal(out, "", f"stdout of {arguments!r}")
    contains(err, "usage: " + os.path.basename(program), f"stderr of {arguments!r}")


@case("hawser-echo refuses a bad command line")
def echo_usage():
    for arguments in (["--port"], ["--port", "65536"], ["--port", "-1"], ["--port", "+1"],
                      ["--port", " 1"], ["--port", "80x"], ["--port", ""], ["--port="],
                      ["--nonsense"], ["word"], ["-h"], ["--hos", "x"], ["--origin", "nonsense"],
                      ["--origin", "any", "--origin", "https://a.example"],
                      ["--origin", "https://a.example", "--origin", "same"],
                      ["--max-message", "5k"], ["--max-message=18446744073709551616"],
                      ["--max-message=-1"]):
        refuses(ECHO, *arguments)


@case("hawser-cat refuses a bad command line")
def cat_usage():
    url = "ws://127.0.0.1:9/"
    for arguments in ([], ["http://127.0.0.1/"], ["ws://a/", "ws://b/"], ["ws://a:0/"],
                      ["ws://a/#part"], ["--nonsense", url], [url, "--count"],
                      ["--count", "1x", url], ["--count", "-1", url], ["--timeout", "0", url],
                      ["--timeout", "99999999999", url], ["--max-message", "much", url],
                      ["--binary", "/nonexistent/file", url], ["--send", b"\xff", url],
                      ["--header", "no colon", url], ["--echo=yes", url], ["--send", "x"]):
        refuses(CAT, *arguments)


@case("hawser-cat refuses fields that break the handshake or the head")
def cat_fields():
    with Echo() as server:
        for name in ("Host: x", "Upgrade: x", "a b: x", "Name: x\r\nOther: y"):
            refuses(CAT, "--header", name, server.url)
        refuses(CAT, "--subprotocol", "not a token", server.url)
        refuses(CAT, "--subprotocol", "twice", "--subprotocol", "twice", server.url)


@case("--help prints the usage on stdout and ends with 0")
def help_text():
    for program in (ECHO, CAT):
        status, out, err = run(program, "--help")
        equal((status, err), (0, ""), "status and stderr")
        contains(out, "usage: " + os.path.basename(program), "stdout")
        contains(out, "--max-message", "stdout")


@case("hawser-echo says why it cannot listen")
def cannot_listen():
    with Echo() as server:
        status, out, err = run(ECHO, "--port", str(server.port))
        equal((status, out), (1, ""), "status and stdout")
        contains(err, "hawser-echo: ", "stderr")
    status, _, err = run(ECHO, "--unix", "/nonexistent/directory/socket")
    equal(status, 1, "status for a bad path")
    contains(err, "hawser-echo: ", "stderr")


@case("hawser-echo ends with 0 when it is told to stop")
def stops():
    for number in (signal.SIGTERM, signal.SIGINT):
        with Echo() as server:
            equal(server.stop(number), 0, "status")


# --- messages ------------------------------------------------------------------------------------

@case("--send sends texts in order and waits for as many answers")
def send():
    with Echo() as server:
        cat_prints(["open", "text: one", "text: zwei ü", "text: ", "close: 1000"], "--send", "one",
                   "--send=zwei ü", "--send", "", server.url)


@case("--binary sends a file, of 0 bytes and of 1 MiB")
def binary():
    megabyte = bytes(range(256)) * 4096
    shown = " ".join(f"{byte:02x}" for byte in range(32))
    with Echo() as server, tempfile.TemporaryDirectory() as folder:
        for name, content, line in (("none", b"", "0 bytes:"),
                                    ("some", b"\1\2\3", "3 bytes: 01 02 03"),
                                    ("part", megabyte[:16384], f"16384 bytes: {shown} …"),
                                    ("shown", megabyte[:32], f"32 bytes: {shown}"),
                                    ("mega", megabyte, f"1048576 bytes: {shown} …")):
            path = pathlib.Path(folder, name)
            path.write_bytes(content)
            cat_prints(["open", "binary: " + line, "close: 1000"], "--binary", path, server.url)
        cat_prints(["open", "binary: 4 bytes: 00 ff 0a 80", "close: 1000"], "--binary", "-",
                   server.url, data=b"\x00\xff\x0a\x80")


@case("several long messages in both directions do not block each other")
def long_messages():
    with Echo() as server, tempfile.NamedTemporaryFile() as file:
        file.write(b"x" * (8 << 20))
        file.flush()
        _, out, err = cat("--binary", file.name, "--binary", file.name, "--binary", file.name,
                          "--send", "end", server.url)
        equal([line.split(":")[0] for line in out.splitlines()],
              ["open", "binary", "binary", "binary", "text", "close"], f"kinds (stderr {err!r})")


@case("--count closes after that many messages")
def count():
    with Echo() as server:
        cat_prints(["open", "text: a", "text: b", "close: 1000"], "--count", "2", server.url,
                   data=b"a\nb\n")

    def flood(stream):
        stream.sendall(b"".join(frame(TEXT, b"%d" % n) for n in range(100)))
        while read_frame(stream)[1] != CLOSE:
            pass
        stream.sendall(frame(CLOSE, b"\x03\xe8"))

    with Peer(flood) as peer:
        cat_prints(["open", "text: 0", "text: 1", "text: 2", "close: 1000"], "--count=3", peer.url)


@case("lines of stdin are sent as texts")
def lines():
    with Echo() as server:
        cat_prints(["open", "text: one", "text: ", "text: with \\r", "text: no end", "close: 1000"],
                   server.url, data=b"one\n\nwith \r\nno end")
        cat_prints(["open", "close: 1000"], server.url)
        cat_prints(["open", "text: 1", "close: 1000"], server.url, data=b"1")
        long = "é" * 50000
        cat_prints(["open", "text: " + long, "text: after", "close: 1000"], server.url,
                   data=(long + "\nafter\n").encode())
        many = [str(n) for n in range(3000)]
        cat_prints(["open", *("text: " + line for line in many), "close: 1000"], server.url,
                   data="\n".join(many).encode())
        err = cat_prints(["open", "text: good", "close: 1000"], server.url, data=b"\xff\ngood\n")
        contains(err, "UTF-8", "stderr")


@case("a line is sent when it is typed, not when the input ends")
def typed_lines():
    with Echo() as server:
        process = subprocess.Popen([CAT, server.url], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            output = Lines(process.stdout)
            equal(output.next(), "open", "first line")
            for word in ("one", "two"):
                process.stdin.write(word.encode() + b"\n")
                process.stdin.flush()
                equal(output.next(), "text: " + word, "answer")
            process.stdin.close()
            equal(output.next(), "close: 1000", "last line")
            equal(process.wait(WAIT), 0, "status")
        finally:
            process.kill()
            process.wait()


@case("what a peer sends cannot control the terminal")
def escaping():
    def part(stream):
        stream.sendall(frame(TEXT, "a\n\r\t\\\x00\x1b[31m\x7f\u0080\u009b\u00a0é€😀".encode())
                       + frame(PING, b"\x9b1m\xc3") + frame(PONG, b"\x1b")
                       + frame(BINARY, b"\x1b\x07"))
        finish(stream, b"\x0f\xa0" + "bye\x07\u0085".encode())

    with Peer(part) as peer:
        cat_prints(["open",
                    "text: a\\n\\r\\t\\\\\\x00\\x1b[31m\\x7f\\u0080\\u009b\u00a0é€😀",
                    "ping: \\x9b1m\\xc3", "pong: \\x1b", "binary: 2 bytes: 1b 07",
                    "close: 4000 bye\\x07\\u0085"], peer.url, "--count", "9")


@case("--echo sends back every message until the server closes")
def echo_mode():
    big = bytes(range(256)) * 1200

    def part(stream):
        for kind, content in ((TEXT, b"one"), (BINARY, b""), (BINARY, big), (TEXT, b"x" * 70000)):
            stream.sendall(frame(kind, content))
            equal(read_message(stream), (kind, content), "echo")
        stream.sendall(frame(TEXT, b"frag", fin=False) + frame(PING, b"now") + frame(0, b"ments"))
        equal(read_frame(stream), (1, PONG, b"now", 1), "pong")
        equal(read_frame(stream), (1, TEXT, b"fragments", 1), "masked echo")
        finish(stream, b"")

    with Peer(part) as peer:
        _, out, err = cat("--echo", peer.url)
        equal([line[:12] for line in out.splitlines()],
              ["open", "text: one", "binary: 0 by", "binary: 3072", "text: xxxxxx", "ping: now",
               "text: fragme", "close: 1005"], f"stdout (stderr {err!r})")


@case("--echo lets a message that is going out end before it answers")
def echo_between():
    content = bytes(100000)

    def part(stream):
        fin, kind, first, _ = read_frame(stream)
        equal((fin, kind), (0, BINARY), "first frame")
        stream.sendall(frame(TEXT, b"between"))
        _, rest = read_message(stream)
        equal(first + rest, content, "content")
        equal(read_message(stream), (TEXT, b"between"), "echo")
        finish(stream)

    with Peer(part) as peer, tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        cat_prints(["open", "text: between", "close: 1000"], "--echo", "--binary", file.name,
                   peer.url)


@case("--header, --origin and --subprotocol reach the server")
def request_fields():
    with Peer(finish) as peer:
        cat_prints(["open", "close: 1000"], "--header", "X-One: 1", "--header", "Cookie:a=b; c=d",
                   "--origin", "https://a.example", "--subprotocol", "chat", "--subprotocol",
                   "superchat", "--echo", peer.url)
    for name, value in (("X-One", "1"), ("Cookie", "a=b; c=d"), ("Origin", "https://a.example"),
                        ("Sec-WebSocket-Protocol", "chat, superchat")):
        equal(field(peer.head, name), value, name)


# --- hawser-echo's options -----------------------------------------------------------------------

@case("--subprotocol is agreed when both have it")
def subprotocol():
    with Echo("--subprotocol", "chat", "--subprotocol", "other") as server:
        cat_prints(["open (subprotocol chat)", "text: x", "close: 1000"], "--subprotocol", "new",
                   "--subprotocol", "chat", "--send", "x", server.url)
        cat_prints(["open", "text: x", "close: 1000"], "--subprotocol", "new", "--send", "x",
                   server.url)


@case("--origin decides which pages may connect")
def origin():
    forbidden = "hawser-cat: The server refused the handshake: 403 Forbidden.\n"
    page, other = "https://a.example", "https://b.example"
    with Echo() as server:
        same = server.url.replace("ws:", "http:").rstrip("/")
        for good in (["--origin", same], []):
            cat_prints(["open", "text: x", "close: 1000"], *good, "--send", "x", server.url)
        equal(cat_prints([], "--origin", page, server.url, status=1), forbidden, "stderr")
    with Echo("--origin", page, "--origin=http://localhost:8080") as server:
        for good in (page, "http://localhost:8080"):
            cat_prints(["open", "close: 1000"], "--origin", good, server.url)
        for bad in (["--origin", other], ["--origin", "null"], []):
            equal(cat_prints([], *bad, server.url, status=1), forbidden, "stderr")
    with Echo("--origin", "any") as server:
        cat_prints(["open", "close: 1000"], "--origin", other, server.url)


@case("--max-message closes with 1009, on both sides")
def max_message():
    with Echo("--max-message=5") as server:
        status, out, _ = cat("--send", "12345", "--send", "123456", server.url)
        equal(out.splitlines()[:2], ["open", "text: 12345"], "first lines")
        contains(out, "\nclose: 1009", "stdout")
        equal(status, 0, "status")
    codes = []

    def part(stream):
        stream.sendall(frame(TEXT, b"123456"))
        codes.append(struct.unpack("!H", read_frame(stream)[2][:2])[0])

    with Peer(part) as peer:
        err = cat_prints(["open"], "--max-message", "5", "--count", "1", peer.url, status=1)
        contains(err, "hawser-cat: ", "stderr")
    equal(codes, [1009], "code of the Close")


@case("--max-message unlimited streams long messages back")
def unlimited():
    content = bytes(range(251)) * 80000
    for word in ("unlimited", "0"):
        with Echo("--max-message", word) as server:
            stream, _ = upgrade(server)
            with stream:
                sender = threading.Thread(target=stream.sendall, daemon=True,
                                          args=(frame(BINARY, content, mask=True),))
                sender.start()
                fin, kind, back, _ = read_frame(stream)
                equal((fin, kind), (0, BINARY), "first fragment")
                while not fin:
                    fin, kind, more, _ = read_frame(stream)
                    equal(kind, 0, "type of the next fragment")
                    back += more
                sender.join(WAIT)
                if back != content:
                    raise Failed("the content has changed")
                stream.sendall(frame(TEXT, b"next", mask=True))
                equal(read_frame(stream), (1, TEXT, b"next", 0), "next message")


@case("--unix listens on and connects to a Unix socket, and takes it away at the end")
def unix():
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/socket"
        with Echo("--unix", path) as server:
            equal(server.line, "hawser-echo listens on unix:" + path, "first line")
            cat_prints(["open", "text: x", "close: 1000"], "--unix", path, "--send", "x",
                       "ws://localhost/")
        if os.path.exists(path):
            raise Failed("the socket is still there")
        err = cat_prints([], "--unix", path, "ws://localhost/", status=1)
        contains(err, "hawser-cat: ", "stderr")


@case("hawser-echo prints its address, also for IPv6")
def address():
    with Echo() as server:
        equal(server.line, f"hawser-echo listens on ws://127.0.0.1:{server.port}/", "line")
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return
    with Echo("--host", "::1") as server:
        equal(server.line, f"hawser-echo listens on ws://[::1]:{server.port}/", "line")
        cat_prints(["open", "text: six", "close: 1000"], "--send", "six", server.url)


# --- hawser-echo as a server ---------------------------------------------------------------------

@case("every type and size of message comes back as it was")
def sizes():
    with Echo() as server:
        stream, _ = upgrade(server)
        with stream:
            for size in (0, 1, 125, 126, 65535, 65536, 1 << 20, 16 << 20, 3):
                for kind in (TEXT, BINARY):
                    pattern = b"hawser!\n" if kind == TEXT else bytes(range(256))
                    content = (pattern * (size // 8 + 1))[:size]
                    sent = frame(kind, content, mask=True)
                    threading.Thread(target=stream.sendall, args=(sent,), daemon=True).start()
                    fin, found, back, masked = read_frame(stream)
                    equal((fin, found, masked, len(back)), (1, kind, 0, size), "frame")
                    if back != content:
                        raise Failed(f"{size} bytes came back changed")


@case("messages before a fault are answered before the Close for it")
def lazy():
    with Echo() as server:
        stream, _ = upgrade(server)
        with stream:
            stream.sendall(frame(TEXT, b"one", mask=True) + frame(TEXT, b"tw", False, True)
                           + frame(PING, b"p", mask=True) + frame(0, b"o", mask=True) + b"\xff\xff")
            equal(read_frame(stream)[:3], (1, TEXT, b"one"), "first")
            equal(read_frame(stream)[:3], (1, PONG, b"p"), "pong")
            equal(read_frame(stream)[:3], (1, TEXT, b"two"), "second")
            equal(read_frame(stream)[2][:2], b"\x03\xea", "code of the Close")


@case("/ is a page for browsers, other requests have their answers")
def pages():
    with Echo() as server:
        host = f"Host: {server.host}:{server.port}\r\n\r\n"
        head, page = http(server, "GET / HTTP/1.1\r\n" + host)
        contains(head, "HTTP/1.1 200 ", "status line")
        equal(field(head, "Content-Type"), "text/html; charset=utf-8", "type")
        equal(field(head, "Content-Length"), str(len(page.encode())), "length")
        for part in ("<input id='text'", "<button id='send'", "<button id='send-binary'",
                     "<pre id='log'", "location.host"):
            contains(page, part, "page")
        for foreign in ("http://", "https://", "//cdn"):
            equal(page.count(foreign), 0, f"{foreign} in the page")
        head, body = http(server, "HEAD / HTTP/1.1\r\n" + host)
        contains(head, "HTTP/1.1 200 ", "status line of HEAD")
        equal((body, field(head, "Content-Length")), ("", str(len(page.encode()))), "HEAD")
        for line, status in (("GET /other HTTP/1.1", 404), ("HEAD /other HTTP/1.1", 404),
                             ("GET /?query HTTP/1.1", 200), ("POST / HTTP/1.1", 405),
                             ("get / HTTP/1.1", 405), ("GET / HTTP/1.0", 200),
                             ("GET / HTTP/2.0", 505), ("nonsense", 400)):
            head, _ = http(server, line + "\r\n" + host)
            contains(head, f"HTTP/1.1 {status} ", f"answer to {line}")
            if status == 405:
                contains(field(head, "Allow") or "", "GET", "Allow")


@case("a handshake that is wrong is refused with its status")
def bad_handshake():
    with Echo() as server:
        start = f"GET / HTTP/1.1\r\nHost: {server.host}\r\nConnection: Upgrade\r\n"
        head, _ = http(server, start + "Upgrade: websocket\r\nSec-WebSocket-Version: 8\r\n"
                       "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
        contains(head, "HTTP/1.1 426 ", "old version")
        equal(field(head, "Sec-WebSocket-Version"), "13", "version to use")
        head, _ = http(server, start + "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n")
        contains(head, "HTTP/1.1 400 ", "no key")
        head, body = http(server, "HEAD / HTTP/1.1\r\nHost: a b\r\n\r\n")
        contains(head, "HTTP/1.1 400 ", "bad Host")
        equal(body, "", "body of the answer to HEAD")
        _, body = http(server, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n")
        equal(len(body), int(field(head, "Content-Length")), "length of the same answer to GET")


@case("several clients are served at once")
def together():
    with Echo() as server:
        idle = [upgrade(server)[0] for _ in range(20)]
        cats = [subprocess.Popen([CAT, "--send", f"client {n}", server.url],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE) for n in range(8)]
        try:
            for n, process in enumerate(cats):
                out, err = process.communicate(timeout=WAIT)
                equal(out.decode(), f"open\ntext: client {n}\nclose: 1000\n", f"stdout ({err!r})")
        except subprocess.TimeoutExpired:
            raise Failed("a client did not end") from None
        finally:
            for process in cats:
                process.kill()
                process.wait()
        for n, stream in enumerate(idle):
            with stream:
                stream.sendall(frame(BINARY, b"%d" % n, mask=True))
                equal(read_frame(stream)[:3], (1, BINARY, b"%d" % n), "answer")


@case("the server survives clients that break off, and goes on")
def rude_clients():
    with Echo() as server:
        for start in (b"", b"GET / HT", b"\0\xff" * 500, b"GET / HTTP/1.1\r\nHost: x\r\n" * 3000):
            with connect(server) as stream:
                try:
                    stream.sendall(start)
                except OSError:
                    pass  # it has said no already
        half = frame(TEXT, b"x" * 999, mask=True)[:500]
        for data in (b"", b"\x81", b"\x81\xff", b"\xff\xff", half):
            stream, _ = upgrade(server)
            with stream:
                stream.sendall(data)
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        cat_prints(["open", "text: still here", "close: 1000"], "--send", "still here", server.url)


@case("without file descriptors the server waits, and goes on")
def no_descriptors():
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))

    with Echo(limits=few) as server:
        crowd = [connect(server) for _ in range(40)]
        time.sleep(0.5)
        for stream in crowd:
            stream.close()
        cat_prints(["open", "text: x", "close: 1000"], "--send", "x", server.url)


def memory(megabytes):
    """Limits for Echo: that much address space."""
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))


def recovers(server):
    """Clients that have gone give their memory back a little later."""
    deadline = time.monotonic() + WAIT
    while cat("--send", "x", server.url)[0] != 0:
        if time.monotonic() > deadline:
            raise Failed("it did not recover")


@case("without memory for a message the connection ends with 1011, and the server goes on")
def no_memory():
    tried = False
    for megabytes in range(16, 64, 4):
        with contextlib.ExitStack() as stack:
            try:
                server = stack.enter_context(Echo(limits=memory(megabytes)))
            except Failed:
                continue  # the program itself needs more
            stream, _ = upgrade(server)
            stack.enter_context(stream)
            tried = True
            data = frame(BINARY, bytes(12 << 20), mask=True) + frame(PING, mask=True)
            sender = threading.Thread(target=stream.sendall, args=(data,), daemon=True)
            sender.start()
            _, kind, content, _ = read_frame(stream)
            sender.join(WAIT)
            if kind == BINARY:
                break  # now there is enough
            equal((kind, content[:2]), (CLOSE, b"\x03\xf3"), "frame")
            stream.close()
            recovers(server)
            return None
    if tried:
        raise Failed("there was memory enough each time")
    return "not tried: the program itself needs more memory than that"


# --- hawser-cat and bad peers --------------------------------------------------------------------

@case("wss:// works, or is refused with a sentence, without TLS in the build")
def wss():
    status, out, err = cat("wss://127.0.0.1:1/")
    contains(err, "hawser-cat: ", "stderr")
    equal(out, "", "stdout")
    if "onnection refused" not in err:
        equal(status, 2, "status")
        contains(err, "TLS", "stderr")


@case("a port that nobody listens on is a sentence")
def nobody():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    err = cat_prints([], f"ws://127.0.0.1:{port}/", status=1)
    contains(err, "onnection refused", "stderr")


def answers(*chunks):
    """A peer that answers the request with these bytes."""
    return Peer(lambda stream: [stream.sendall(chunk) for chunk in chunks], handshake=False)


@case("a peer that is no WebSocket server is a sentence")
def no_server():
    for chunks in ([b"SSH-2.0-OpenSSH_9.2\r\n"], [b"\0\1\2\3" * 100], [b"\r\n\r\n"], [],
                   [b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                    b"Connection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n"]):
        with answers(*chunks) as peer:
            status, out, err = cat(peer.url)
            equal((status, out), (1, ""), f"status and stdout after {chunks!r}")
            if not re.fullmatch(r"hawser-cat: .*\.( \(.*\))?\n", err):
                raise Failed(f"no sentence: {err!r}")


@case("a refusal names its status, and a redirect its target, both escaped")
def refusal():
    with answers(b"HTTP/1.1 301 Moved\x9b31m\r\nLocation: ws://b.example/\xc2\x9b\r\n"
                 b"Content-Length: 0\r\n\r\n") as peer:
        equal(cat_prints([], peer.url, status=1), "hawser-cat: The server refused the handshake: "
              "301 Moved\\x9b31m. It points to ws://b.example/\\u009b.\n", "stderr")
    with answers(b"HTTP/1.1 503 \r\nContent-Length: 3\r\n\r\nno\n") as peer:
        equal(cat_prints([], peer.url, status=1),
              "hawser-cat: The server refused the handshake: 503.\n", "stderr")


@case("a fault of the server is a sentence with its RFC section")
def fault():
    for data in (frame(TEXT, b"\xff"), b"\xf1\x00", frame(TEXT, b"x", mask=True), b"\x88\x01x"):
        closes = []

        def part(stream, data=data, closes=closes):
            stream.sendall(frame(TEXT, b"before") + data)
            closes.append(read_frame(stream)[1])

        with Peer(part) as peer:
            err = cat_prints(["open", "text: before"], "--count", "5", peer.url, status=1)
            if not re.fullmatch(r"hawser-cat: .*\. \(RFC [0-9 .,]+\)\n", err):
                raise Failed(f"no sentence with a section: {err!r}")
        equal(closes, [CLOSE], "last frame")


@case("a server that breaks the protocol and then says nothing, or never stops, is left in time")
def fault_and_stay():
    rows = [(b"", ["--echo"]), (b"\0" * 4096, ["--echo"]), (b"\0" * 4096, ["--count", "3"]),
            (b"\0" * 4096, ["--send", "x"])]
    for more, words in rows:
        def part(stream, more=more):
            stream.sendall(b"\xff")
            with contextlib.suppress(OSError):  # the client has closed the connection
                while more:
                    stream.sendall(more)
            time.sleep(0 if more else 2.5)

        with Peer(part) as peer:
            begin = time.monotonic()
            err = cat_prints(["open"], *words, "--timeout", "1", peer.url, status=1)
            contains(err, "(RFC 6455 5.2)", f"stderr with {words}")
            if time.monotonic() - begin > 2.4:
                raise Failed(f"it took {time.monotonic() - begin:.1f} s with {words}")


@case("a connection that ends without Close is a failure")
def lost():
    for last in (b"", b"\x81", frame(TEXT, b"half", fin=False), frame(TEXT, b"x" * 9)[:5]):
        with Peer(lambda stream, last=last: stream.sendall(frame(TEXT, b"x") + last)) as peer:
            err = cat_prints(["open", "text: x"], "--count", "2", peer.url, status=1)
            contains(err, "hawser-cat: ", "stderr")


@case("a Close of the server ends the conversation, with code or without")
def closes():
    for payload, line in ((b"", "close: 1005"), (b"\x03\xe9", "close: 1001"),
                          (b"\x0b\xb8done", "close: 3000 done")):
        with Peer(lambda stream, payload=payload: finish(stream, payload)) as peer:
            cat_prints(["open", line], "--count", "1", peer.url)


@case("--timeout bounds the opening, the waiting for an answer, and the closing")
def timeouts():
    def silent(stream):
        while stream.recv(4096):
            pass

    def talker(stream):
        stream.settimeout(0.2)
        try:
            while True:
                stream.sendall(frame(PING, b"still here"))
                try:
                    if not stream.recv(4096):
                        return
                except TimeoutError:
                    pass
        except OSError:
            pass  # hawser-cat went away, as it should

    for handshake, part, arguments in ((False, silent, ["--send", "x"]),
                                       (True, silent, ["--send", "x"]),
                                       (True, talker, ["--count", "1"]), (True, silent, [])):
        start = time.monotonic()
        with Peer(part, handshake) as peer:
            status, _, err = cat("--timeout", "1", *arguments, peer.url)
        equal(status, 1, "status")
        contains(err, "within 1 s.", "stderr")
        if time.monotonic() - start > WAIT / 2:
            raise Failed("that took too long")


@case("a long message may come slowly, as long as it comes")
def slow_message():
    def part(stream):
        for number in range(5):
            stream.sendall(frame(TEXT if number == 0 else 0, b"x", fin=number == 4))
            time.sleep(0.4)
        read_frame(stream)
        stream.sendall(frame(CLOSE, b"\x03\xe8"))

    with Peer(part) as peer:
        cat_prints(["open", "text: xxxxx", "close: 1000"], "--timeout", "1", "--count", "1",
                   peer.url)


# --- compression ---------------------------------------------------------------------------------

EXTENSIONS = "Sec-WebSocket-Extensions"


def deflate_case(name):
    """A case for a build with zlib; another one only has to say that it has none."""
    def add(function):
        def run_case():
            status, _, err = run(ECHO, "--deflate", "--help")
            return "not tried: this build has no zlib" if status == 2 and "zlib" in err \
                else function()
        return case(name)(run_case)
    return add


def deflated(payload):
    """A message by itself (RFC 7692 7.2.1)."""
    state = zlib.compressobj(wbits=-15)
    return (state.compress(payload) + state.flush(zlib.Z_SYNC_FLUSH))[:-4]


class Inflater:
    """Messages of a peer that takes over its context."""

    def __init__(self):
        self.state = zlib.decompressobj(wbits=-15)

    def read(self, stream):
        """Whether the next message is compressed, its type, and its content."""
        rsv1 = stream.recv(1, socket.MSG_PEEK)[0] >> 6 & 1
        kind, content = read_message(stream)
        return rsv1, kind, self.state.decompress(content + b"\0\0\xff\xff") if rsv1 else content


def deflate_upgrade(server, offer="permessage-deflate"):
    """A socket, and what hawser-echo agreed to."""
    stream, head = upgrade(server, f"{EXTENSIONS}: {offer}")
    contains(head, "HTTP/1.1 101 ", "status line")
    return stream, field(head, EXTENSIONS)


@case("--deflate needs zlib, and good options")
def deflate_usage():
    status, _, err = run(ECHO, "--deflate", "--help")
    if status == 2:
        for program in (ECHO, CAT):
            status, out, err = run(program, "--deflate")
            name = os.path.basename(program)
            equal((status, out, err),
                  (2, "", f"{name}: --deflate needs zlib, and this build has none.\n"), "answer")
        return "this build has no zlib"
    bad = ["nonsense", "small,best", "level=3,best", "level", "level=", "level=0", "level=10",
           "level=+1", "level=1x", "memory=0", "memory=10", "window=8", "window=16",
           "threshold", "threshold=", "threshold=x", "threshold=-1", "small=1", "best,", ",best",
           "best,,level=1", "server_max_window_bits", "server_max_window_bits=7",
           "server_max_window_bits=16", "client_max_window_bits=7", "client_max_window_bits=16",
           "client_max_window_bits=257", "server_no_context_takeover=1", "Level=1", "level=1" * 200]
    for options in bad:
        refuses(ECHO, "--deflate=" + options)
        refuses(CAT, "--deflate=" + options, "ws://127.0.0.1:9/")
    refuses(ECHO, "--deflate=client_max_window_bits=0")
    refuses(CAT, "--deflate=require_client_max_window_bits", "ws://127.0.0.1:9/")
    refuses(ECHO, "--deflate", "best")  # a value stands behind "="
    for program in (ECHO, CAT):
        _, out, _ = run(program, "--help")
        for word in ("--deflate[=OPTIONS]", "threshold=BYTES", "client_no_context_takeover"):
            contains(out, word, "help")
    return None


@deflate_case("hawser-echo compresses from the threshold on, and only when it was asked to")
def deflate_threshold():
    long, short = b"hawser " * 20, b"hawser!"
    with Echo("--deflate=best,threshold=100") as server:
        stream, agreed = deflate_upgrade(server)
        contains(agreed or "", "permessage-deflate", "answer")
        inflater = Inflater()
        with stream:
            for rsv1, content in ((1, long), (0, short), (1, long), (0, b"")):
                sent = bytearray(frame(TEXT, deflated(content), mask=True))
                sent[0] |= 0x40
                stream.sendall(sent)
                equal(inflater.read(stream), (rsv1, TEXT, content), "echo")
                stream.sendall(frame(BINARY, content, mask=True))
                equal(inflater.read(stream), (rsv1, BINARY, content), "echo of a plain message")
        stream, head = upgrade(server)
        equal(field(head, EXTENSIONS), None, "answer to a client that offers nothing")
        with stream:
            stream.sendall(frame(TEXT, long, mask=True))
            equal(Inflater().read(stream), (0, TEXT, long), "echo")
    with Echo() as server:
        stream, agreed = deflate_upgrade(server)
        stream.close()
        equal(agreed, None, "answer without --deflate")


@deflate_case("hawser-echo sends long compressed messages back in parts that fit")
def deflate_long():
    content = bytes(range(251)) * 80000 + os.urandom(1 << 20)
    with Echo("--deflate", "--max-message=unlimited") as server:
        stream, _ = deflate_upgrade(server)
        with stream:
            sent = bytearray(frame(BINARY, deflated(content), mask=True))
            sent[0] |= 0x40
            sender = threading.Thread(target=stream.sendall, args=(bytes(sent),), daemon=True)
            sender.start()
            rsv1, kind, back = Inflater().read(stream)
            sender.join(WAIT)
            equal((rsv1, kind, len(back)), (1, BINARY, len(content)), "echo")
            if back != content:
                raise Failed("the content has changed")


@deflate_case("hawser-echo refuses a message that is too long when it is decompressed")
def deflate_bomb():
    with Echo("--deflate", "--max-message=1000") as server:
        stream, _ = deflate_upgrade(server)
        with stream:
            sent = bytearray(frame(BINARY, deflated(bytes(100000)), mask=True))
            sent[0] |= 0x40
            stream.sendall(sent)
            equal(read_frame(stream)[2][:2], b"\x03\xf1", "code of the Close")


@deflate_case("hawser-echo agrees to what its options say")
def deflate_answers():
    rows = [("best", "permessage-deflate", "permessage-deflate"),
            ("best,server_no_context_takeover,client_no_context_takeover", "permessage-deflate",
             "permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
            ("best,server_max_window_bits=10", "permessage-deflate",
             "permessage-deflate; server_max_window_bits=10"),
            ("best,client_max_window_bits=9", "permessage-deflate; client_max_window_bits",
             "permessage-deflate; client_max_window_bits=9"),
            ("best,client_max_window_bits=9", "permessage-deflate", "permessage-deflate"),
            ("best,client_max_window_bits=9,require_client_max_window_bits", "permessage-deflate",
             None)]
    for options, offer, wanted in rows:
        with Echo("--deflate=" + options) as server:
            stream, agreed = deflate_upgrade(server, offer)
            stream.close()
            equal(agreed, wanted, f"answer of {options} to {offer}")


@deflate_case("hawser-cat offers what its options say, and shows what was agreed")
def deflate_offers():
    rows = [("=best,client_max_window_bits=0", "permessage-deflate"),
            ("=best,client_max_window_bits=0,server_no_context_takeover,server_max_window_bits=9",
             "permessage-deflate; server_no_context_takeover; server_max_window_bits=9"),
            ("=best,client_max_window_bits=10", "permessage-deflate; client_max_window_bits=10"),
            ("=best", "permessage-deflate; client_max_window_bits")]
    for options, wanted in rows:
        with Peer(finish) as peer:
            cat_prints(["open", "close: 1000"], "--deflate" + options, "--echo", peer.url)
        equal(field(peer.head, EXTENSIONS), wanted, f"offer of {options}")
    with Echo("--deflate=best") as server:
        cat_prints(["open (permessage-deflate)", "close: 1000"], "--deflate=best", server.url)
    agreed = ("permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
              "server_max_window_bits=10; client_max_window_bits=11")
    options = agreed.replace("permessage-deflate; ", "--deflate=best,").replace("; ", ",")
    with Echo(options, "--subprotocol", "chat") as server:
        cat_prints([f"open ({agreed})", "text: x", "close: 1000"], "--deflate=best", "--send", "x",
                   server.url)
        cat_prints([f"open (subprotocol chat, {agreed})", "close: 1000"], "--deflate=best",
                   "--subprotocol", "chat", server.url)
        cat_prints(["open", "close: 1000"], server.url)


@deflate_case("hawser-cat sends compressed messages and reads them")
def deflate_cat():
    with tempfile.NamedTemporaryFile() as file:
        file.write(bytes(range(256)) * 4096)
        file.flush()
        shown = "binary: 1048576 bytes: " + " ".join(f"{byte:02x}" for byte in range(32)) + " …"
        for preset in ("small", "balanced", "best,threshold=0,level=9,memory=9,window=9"):
            with Echo("--deflate=" + preset) as server:
                _, out, err = cat("--deflate=" + preset, "--send", "x" * 5000, "--binary",
                                  file.name, "--send", "", server.url)
                equal(out.splitlines()[1:],
                      ["text: " + "x" * 5000, shown, "text: ", "close: 1000"], f"stdout ({err!r})")


# --- hawser-bench --------------------------------------------------------------------------------

SHORT = ["--duration", "0.3", "--warm-up", "0"]


def bench_case(name):
    return case(name) if os.access(BENCH, os.X_OK) else lambda function: function


def bench(*arguments, status=0):
    """The result of hawser-bench as JSON has it, and what it says on stderr."""
    found, out, err = run(BENCH, "--json", *arguments)
    equal(found, status, f"status (stderr {err!r})")
    return json.loads(out), err


def bench_says(sentence, peer, *arguments):
    """Run hawser-bench against a bad server: what it says, in both forms."""
    result, err = bench("--connections", "1", *SHORT, *arguments, peer.url, status=1)
    equal([error["text"] for error in result["errors"]], [sentence], "errors")
    contains(err, f"hawser-bench: {sentence}", "stderr")
    return result


@bench_case("hawser-bench refuses a bad command line")
def bench_usage():
    url = "ws://127.0.0.1:9/"
    for arguments in ([], ["http://127.0.0.1/"], [url, url], ["ws://a/#part"], ["--nonsense", url],
                      [url, "--connections"], ["--connections", "0", url],
                      ["--connections", "1000000", url], ["--connections", "-1", url],
                      ["--depth", "0", url], ["--depth", "1x", url], ["--size", "-1", url],
                      ["--size", "1073741825", url], ["--rate", "1.5", url],
                      ["--duration", "0", url], ["--duration", "1s", url],
                      ["--duration", ".5", url], ["--duration", "1.", url],
                      ["--duration", "99999999999999999999", url], ["--warm-up", "-1", url],
                      ["--warm-up", "", url], ["--timeout", "0.0", url], ["--text=yes", url],
                      ["--size", "1073741824", "--depth", "10", url], ["--duration", "1.2.3", url]):
        refuses(BENCH, *arguments)
    status, out, err = run(BENCH, "--help")
    equal((status, err), (0, ""), "status and stderr of --help")
    contains(out, "usage: hawser-bench", "--help")


@bench_case("hawser-bench says why it cannot start")
def bench_cannot_start():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for url, word in ((f"ws://127.0.0.1:{port}/", "onnection refused"), ("wss://127.0.0.1/", "TLS"),
                      ("ws://host.invalid/", "address")):
        status, out, err = run(BENCH, url)
        equal((status, out), (1, ""), f"status and stdout for {url}")
        contains(err, "hawser-bench: ", "stderr")
        contains(err, word, "stderr")


@bench_case("hawser-bench counts what comes back, of every size, type and depth")
def bench_echo():
    with Echo() as server:
        for arguments in (["--size", "0"], ["--size", "1", "--depth", "7", "--text"],
                          ["--size", "8", "--connections", "3"], ["--size", "9", "--text"],
                          ["--size", "125", "--connections", "70", "--depth", "2"],
                          ["--size", "200000", "--depth", "3", "--text"],
                          ["--size", "3000000", "--connections", "2"]):
            result, err = bench(*SHORT, *arguments, server.url)
            equal((result["errors"], err), ([], ""), "errors")
            equal(result["opened"], result["connections"], "connections")
            latency = list(result["latency_us"].values())
            equal(latency, sorted(latency), "quantiles")
            if result["messages"] == 0 or latency[0] <= 0 or result["seconds"] < 0.3:
                raise Failed(f"no result: {result}")
        status, out, err = run(BENCH, *SHORT, server.url)
        equal((status, err), (0, ""), "status and stderr")
        for word in ("10 of 10 connections", "messages/s", "MB/s", "p99.9"):
            contains(out, word, "stdout")


@bench_case("hawser-bench keeps to a rate, and warms up without counting")
def bench_rate():
    with Echo() as server:
        result, _ = bench("--rate", "100", "--duration", "1", "--warm-up", "0.5", server.url)
        if not 80 <= result["messages"] <= 125:
            raise Failed(f"{result['messages']} messages in a second, wanted 100")
        if not 130 <= result["messages_with_warm_up"] <= 190:
            raise Failed(f"{result['messages_with_warm_up']} in one and a half, wanted 150")


def play_echo(stream, change=lambda opcode, content: frame(opcode, content), skip=3):
    """Sends `skip` messages back as they were, and all others as `change` has it, to the end."""
    with contextlib.suppress(Failed, ConnectionError):  # the client may go as it likes
        while True:
            _, opcode, content, _ = read_frame(stream)
            same = opcode == CLOSE or skip > 0
            stream.sendall(frame(opcode, content) if same else change(opcode, content))
            if opcode == CLOSE:
                return
            skip -= 1


@bench_case("hawser-bench with a rate: a server that stalls shows in the latencies of what was due")
def bench_stall():
    def part(stream):
        def change(opcode, content):
            if stalls:
                time.sleep(stalls.pop())
            return frame(opcode, content)
        stalls = [0.5]
        play_echo(stream, change)

    with Peer(part) as peer:
        result, _ = bench("--connections", "1", "--rate", "100", "--duration", "1", "--warm-up",
                          "0", peer.url)
    # About 50 messages of 100 were due while it stalled, and waited for 0.25 s on the average.
    if result["latency_us"]["p90"] < 300000 or result["latency_us"]["max"] < 450000:
        raise Failed(f"the stall does not show: {result}")


@bench_case("hawser-bench reports an echo that is another message, type or length, or no echo")
def bench_wrong_echo():
    def flipped(at):
        return lambda opcode, content: frame(
            opcode, content[:at] + bytes([content[at] ^ 1]) + content[at + 1:])

    rows = [("An echo has other bytes than its message.", flipped(0)),
            ("An echo has other bytes than its message.", flipped(7)),
            ("An echo has other bytes than its message.", flipped(8)),
            ("An echo has other bytes than its message.", flipped(124)),
            ("An echo has another length than its message.", lambda o, c: frame(o, c[:-1])),
            ("An echo has another length than its message.", lambda o, c: frame(o, c + b"x")),
            ("An echo has another type than its message.", lambda o, c: frame(3 - o, b"x" * 125)),
            ("The server sent a message that is no echo.", lambda o, c: frame(o, c) * 2)]
    for sentence, change in rows:
        for words in ([], ["--text"]):
            with Peer(lambda stream, change=change: play_echo(stream, change)) as peer:
                result = bench_says(sentence, peer, *words)
                equal(result["messages"], 4 if "no echo" in sentence else 3, "good echoes")


@bench_case("hawser-bench takes an echo in fragments, and answers Pings between them")
def bench_fragments():
    pongs = []

    def change(opcode, content):
        return (frame(opcode, content[:5], fin=False) + frame(PING, b"there?")
                + frame(0, content[5:60], fin=False) + frame(0, content[60:]))

    def part(stream):
        for _ in range(20):
            _, opcode, content, _ = read_frame(stream)
            while opcode == PONG:
                pongs.append(content)
                _, opcode, content, _ = read_frame(stream)
            stream.sendall(change(opcode, content))
        stream.sendall(frame(CLOSE, b"\x03\xe9"))
        with contextlib.suppress(Failed, ConnectionError):
            while read_frame(stream)[1] != CLOSE:
                pass

    with Peer(part) as peer:
        result = bench_says("The server closed the connection, with code 1001.", peer)
    equal(result["messages"], 20, "messages")
    equal(pongs[0], b"there?", "first Pong")


@bench_case("hawser-bench reports a server that goes, that refuses, and that breaks the protocol")
def bench_bad_server():
    full = b"HTTP/1.1 503 Full\r\nContent-Length: 0\r\n\r\n"
    rows = [(True, read_frame, r".*\. \(RFC 6455 7\.1\.5\)"),
            (True, lambda stream: play_echo(stream, lambda o, c: b"\xf1\x00"),
             r".*\. \(RFC 6455 5\.2\)"),
            (True, lambda stream: play_echo(stream, lambda o, c: frame(o, c, mask=True)),
             r".*\. \(RFC 6455 5\.1\)"),
            (False, lambda stream: stream.sendall(full),
             r"The server refused the handshake: 503\."),
            (False, lambda stream: stream.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"), r".*\. \(RFC .*\)"),
            (False, lambda stream: stream.sendall(switching("Sec-WebSocket-Key: x\r\n")),
             r".*\. \(RFC 6455 4[0-9.]+\)")]
    for handshake, part, pattern in rows:
        with Peer(part, handshake) as peer:
            result, err = bench("--connections", "1", *SHORT, peer.url, status=1)
        texts = [error["text"] for error in result["errors"]]
        if len(texts) != 1 or not re.fullmatch(pattern, texts[0]):
            raise Failed(f"wanted {pattern!r}, found {texts}")
        contains(err, "hawser-bench: " + texts[0], "stderr")


@bench_case("hawser-bench waits for a silent server no longer than --timeout")
def bench_timeout():
    def silent(stream):
        with contextlib.suppress(ConnectionError):
            while stream.recv(4096):
                pass

    begin = time.monotonic()
    with Peer(silent) as peer:
        bench_says("The server did not send back a message in time.", peer, "--timeout", "0.5")
    with Peer(silent, handshake=False) as peer:
        bench_says("The deadline passed.", peer, "--timeout", "0.5")
    if time.monotonic() - begin > WAIT / 2:
        raise Failed("that took too long")


def main(cases, usage):
    word = sys.argv[2] if len(sys.argv) > 2 else ""
    failures = 0
    if len(sys.argv) < 2 or not os.access(ECHO, os.X_OK) or not os.access(CAT, os.X_OK):
        sys.exit(usage)
    for name, function in cases:
        if word not in name:
            continue
        start = time.monotonic()
        try:
            note = function()
            result = f"ok    {name}" + (f" ({note})" if note else "")
        except (Failed, OSError) as error:
            failures += 1
            result = f"FAIL  {name}: {error}"
        print(f"{result}  [{time.monotonic() - start:.1f} s]", flush=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main(CASES, __doc__)
