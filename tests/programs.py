"""What the tests of the programs share: to run one or start it and wait for its lines, as much of
the protocol as they need, and a peer to play with. A test is a program:

    python3 test_NAME.py BIN_DIR [WORD]

BIN_DIR holds hawser-echo, hawser-cat and, where it is made, hawser-bench. With WORD only the cases
run whose names contain it. Prints one line a case; ends with 0 when all are good. Every wait is
bounded."""
import base64
import hashlib
import os
import pathlib
import queue
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

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


def request(server, *fields, target="/"):
    """What opens a WebSocket."""
    lines = [f"GET {target} HTTP/1.1", f"Host: {server.host}:{server.port}", "Upgrade: websocket",
             "Connection: Upgrade", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
             "Sec-WebSocket-Version: 13", *fields, "", ""]
    return "\r\n".join(lines).encode()


def upgrade(server, *more):
    """A socket with an open WebSocket to hawser-echo, and the head of the answer."""
    stream = connect(server)
    stream.sendall(request(server, *more))
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
                self.serve(stream)
        except (OSError, Failed) as error:
            self.error = error

    def serve(self, stream):
        self.head = read_head(stream)
        if self.handshake:
            stream.sendall(switching(self.head))
        self.part(stream)

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


def refuses(program, *arguments):
    status, out, err = run(program, *arguments)
    equal(status, 2, f"status of {arguments!r} (stderr {err!r:.200})")
    equal(out, "", f"stdout of {arguments!r}")
    contains(err, "usage: " + os.path.basename(program), f"stderr of {arguments!r}")


def has_tls():
    return "this build has none" not in run(ECHO, "--tls-cert", "x", "--help")[2]


def code_of(stream):
    """The code of the Close that comes next, behind a few Pings."""
    for _ in range(5):
        _, kind, content, _ = read_frame(stream)
        if kind == CLOSE:
            return struct.unpack("!H", content[:2])[0]
        if kind != PING:
            raise Failed(f"frame {kind} {content!r:.60} instead of a Close")
    raise Failed("no Close came, but Pings")


def echoes(stream, content):
    stream.sendall(frame(TEXT, content, mask=True))
    equal(read_frame(stream)[:3], (1, TEXT, content), "echo")


def status_of(head):
    return int(head.split(" ", 2)[1])


def ends_within(stream, seconds, what):
    begin = time.monotonic()
    stream.settimeout(seconds)
    try:
        while stream.recv(4096):
            pass
    except TimeoutError:
        raise Failed(f"{what}: still there after {seconds} s") from None
    except ConnectionError:
        pass
    return time.monotonic() - begin


def resident(server):
    """Bytes of memory that a server uses; 0 where the system does not say."""
    path = pathlib.Path(f"/proc/{server.process.pid}/status")
    match = re.search(r"VmRSS:\s*(\d+) kB", path.read_text()) if path.exists() else None
    return int(match.group(1)) << 10 if match else 0


def make_certificate(folder, name, names):
    """NAME.pem and NAME.key, which is its own authority."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=hawser test",
                    "-addext", "subjectAltName=" + names, "-keyout", f"{folder}/{name}.key",
                    "-out", f"{folder}/{name}.pem"], check=True, capture_output=True, timeout=WAIT)


def main(usage):
    word = sys.argv[2] if len(sys.argv) > 2 else ""
    failures = 0
    if len(sys.argv) < 2 or not os.access(ECHO, os.X_OK) or not os.access(CAT, os.X_OK):
        sys.exit(usage)
    for name, function in CASES:
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
