"""hawser-cat, connected to sockets that we drive byte by byte."""
import socket
import struct
import time

from programs import Cat, Echo, Failed
from raw_faults import FAULTS, answers
from rawsocket import (BINARY, CLOSE, PING, PONG, TEXT, Frame, Peer, close_frame, join, response)

HI = Frame(TEXT, b"hi")


class Served:
    """A hawser-cat, and our end of its connection, of which `head` is the request."""

    def __init__(self, bin_dir, *options):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(10)
            port = listener.getsockname()[1]
            self.cat = Cat(bin_dir, *options, f"ws://127.0.0.1:{port}/chat?x=1")
            try:
                self.peer = Peer(listener.accept()[0], False)
                self.head = self.peer.read_head()
            except BaseException:
                self.cat.__exit__()
                raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.peer.sock.close()
        self.cat.__exit__()

    def open(self, *fields):
        self.peer.sock.sendall(response(self.head, *fields))
        return self.peer

    def end(self, status, sentence="", lines=()):
        """Waits for the end of hawser-cat; checks its status, sentence and printed lines."""
        got, printed, stderr = self.cat.finish()
        if got != status:
            raise Failed(f"hawser-cat ended with {got}, not {status}: {stderr!r}")
        if status and not stderr.startswith("hawser-cat: "):
            raise Failed(f"no sentence: {stderr!r}")
        if sentence not in stderr:
            raise Failed(f"{sentence!r} is not in {stderr!r}")
        if lines and list(lines) != [line.rstrip() for line in printed]:
            raise Failed(f"expected the lines {lines}, got {printed}")


def fault(bin_dir, code, frames, bytewise):
    with Served(bin_dir, "--echo") as served:
        peer = served.open()
        data = join([HI, *frames], False)
        if bytewise:
            peer.send_bytewise(data)
        else:
            peer.sock.sendall(data)
        peer.expect(TEXT, b"hi")
        for opcode, payload in answers(frames):
            peer.expect(opcode, payload)
        peer.expect_close(code)
        peer.expect_end()
        peer.sock.close()
        served.end(1, "RFC 6455")


def waits_for_our_end(bin_dir):
    with Served(bin_dir, "--send", "x") as served:
        peer = served.open()
        peer.expect(TEXT, b"x")
        peer.send(HI)
        peer.expect_close(1000)
        peer.send(close_frame(1000))
        peer.expect_silence(0.7)
        if served.cat.process.poll() is not None:
            raise Failed("hawser-cat did not wait for the server's end of the stream")
        peer.sock.close()
        served.end(0, lines=["open", "text: hi", "close: 1000"])


def waits_after_our_close(bin_dir):
    with Served(bin_dir, "--echo") as served:
        peer = served.open()
        peer.send(close_frame(3000, b"x"))
        peer.expect_close(3000)
        peer.expect_silence(0.7)
        peer.sock.close()
        served.end(0, lines=["open", "close: 3000 x"])


def ends_after_close(bin_dir, reset):
    with Served(bin_dir, "--echo") as served:
        peer = served.open()
        peer.send(close_frame(1001))
        if reset:
            peer.expect_close(1001)
            peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.sock.close()
        served.end(0, lines=["open", "close: 1001"])


def both_close(bin_dir):
    """The server's Close lies behind the message that hawser-cat waits for, in one segment."""
    with Served(bin_dir, "--send", "x") as served:
        peer = served.open()
        peer.expect(TEXT, b"x")
        peer.send(HI, close_frame(1001, b"bye"))
        opcode, _ = peer.read_frame()
        if opcode != CLOSE:
            raise Failed(f"expected a Close, got frame {opcode}")
        peer.sock.close()
        served.end(0, lines=["open", "text: hi", "close: 1001 bye"])


def one_segment(bin_dir):
    with Served(bin_dir, "--echo") as served:
        served.peer.sock.sendall(response(served.head) + join(
            [HI, Frame(PING, b"one"), Frame(PING, b"two"), Frame(BINARY, b"\1\2"),
             close_frame(1000, b"bye")], False))
        for opcode, payload in ((TEXT, b"hi"), (PONG, b"one"), (PONG, b"two"), (BINARY, b"\1\2")):
            served.peer.expect(opcode, payload)
        served.peer.expect_close(1000)
        served.peer.sock.close()
        served.end(0, lines=["open", "text: hi", "ping: one", "ping: two", "binary: 2 bytes: 01 02",
                             "close: 1000 bye"])


def bytewise(bin_dir):
    with Served(bin_dir, "--echo") as served:
        peer = served.peer
        peer.send_bytewise(response(served.head) + join(
            [HI, Frame(TEXT, b"a", fin=0), Frame(PING, b"p" * 125), Frame(0, "€".encode()),
             Frame(CLOSE)], False))
        for opcode, payload in ((TEXT, b"hi"), (PONG, b"p" * 125), (TEXT, "a€".encode())):
            peer.expect(opcode, payload)
        peer.expect_close(1005)
        peer.sock.close()
        served.end(0, lines=["open", "text: hi", "ping: " + "p" * 125, "text: a€", "close: 1005"])


def informational(bin_dir):
    with Served(bin_dir, "--echo") as served:
        served.peer.sock.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        served.open().send(close_frame(1000))
        served.peer.expect_close(1000)
        served.peer.sock.close()
        served.end(0, lines=["open", "close: 1000"])


def control_characters(bin_dir):
    text = "\x1b[31m\0\t\r\n\\\x7f\u0085\u009b é"
    with Served(bin_dir, "--echo") as served:
        peer = served.open()
        peer.send(Frame(TEXT, text.encode()), close_frame(1000, b"\x1b]0;x\x07"))
        peer.expect(TEXT, text.encode())
        peer.expect_close(1000)
        peer.sock.close()
        served.end(0, lines=[
            "open", r"text: \x1b[31m\x00\t\r\n\\\x7f\u0085\u009b é", r"close: 1000 \x1b]0;x\x07"])


def standard_input(bin_dir):
    with Served(bin_dir) as served:
        peer = served.open()
        for line in ("one", "zwöi", ""):
            served.cat.process.stdin.write(line.encode() + b"\n")
        served.cat.process.stdin.close()
        for line in ("one", "zwöi", ""):
            peer.expect(TEXT, line.encode())
        peer.expect_close(1000)
        peer.send(close_frame(1000))
        peer.sock.close()
        served.end(0, lines=["open", "close: 1000"])


def request_head(bin_dir):
    options = ("--echo", "--header", "X-Test: one two", "--origin", "http://here.example",
               "--subprotocol", "a", "--subprotocol", "b")
    with Served(bin_dir, *options) as served:
        for line in ("GET /chat?x=1 HTTP/1.1", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                     "X-Test: one two", "Origin: http://here.example",
                     "Sec-WebSocket-Protocol: a, b"):
            if line.lower() not in served.head.lower().splitlines():
                raise Failed(f"{line!r} is not in {served.head!r}")
        if "sec-websocket-extensions" in served.head.lower():
            raise Failed("an extension is offered")


def refusal(bin_dir, sentence, answer):
    with Served(bin_dir, "--timeout", "1", "--send", "x") as served:
        served.peer.sock.sendall(answer(served.head))
        if sentence != "TIMEOUT":
            served.peer.sock.shutdown(socket.SHUT_WR)
        served.end(1, "" if sentence == "TIMEOUT" else sentence)


def silent_server(bin_dir):
    with Served(bin_dir, "--timeout", "1", "--send", "x") as served:
        before = time.monotonic()
        served.open().expect(TEXT, b"x")
        served.end(1)
        if not 0.5 < time.monotonic() - before < 5:
            raise Failed("the time limit did not hold")


def both_programs(bin_dir, scratch):
    """hawser-cat and hawser-echo with each other over a Unix socket."""
    path = f"{scratch}/both.sock"
    with Echo(bin_dir, where=("--unix", path)):
        with Cat(bin_dir, "--unix", path, "--send", "häi", "ws://localhost/") as cat:
            status, lines, stderr = cat.finish()
    if status != 0 or lines[:2] != ["open", "text: häi"]:
        raise Failed(f"status {status}, {lines}, {stderr!r}")


TALKS = (
    ("7.1.1 it waits for the server to end the stream", waits_for_our_end),
    ("7.1.1 it waits also when the server closed first", waits_after_our_close),
    ("7.1.2 both close at once", both_close),
    ("4.1 handshake and frames in one segment", one_segment),
    ("5.2 one byte a segment", bytewise),
    ("9110 15.2 a 103 before the 101", informational),
    ("control characters do not reach the terminal", control_characters),
    ("lines of standard input are sent", standard_input),
    ("4.1 the request has what it should", request_head),
    ("--timeout ends the wait for an answer", silent_server),
)
REFUSALS = (
    ("a 403", "403", lambda _: b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
    ("a 302", "302", lambda _: b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"),
    ("a 200", "200", lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
    ("no HTTP", "", lambda _: b"220 mail.example ESMTP\r\n\r\n"),
    ("nothing", "", lambda _: b""),
    ("half a head", "", lambda head: response(head)[:60]),
    ("4.1 a wrong Accept", "Accept", lambda head: response(head).replace(b"=\r\n", b"A\r\n")),
    ("4.1 an extension that was not offered", "xtension",
     lambda head: response(head, "Sec-WebSocket-Extensions: permessage-deflate")),
    ("4.1 a subprotocol that was not offered", "rotocol",
     lambda head: response(head, "Sec-WebSocket-Protocol: chat")),
    ("no answer in time", "TIMEOUT", lambda _: b"HTTP/1.1 101"),
)


def run(arguments, report):
    for name, talk in TALKS:
        report.run(f"client: {name}", talk, arguments.bin)
    report.run("client: 7.1.1 the stream ends right after the server's Close", ends_after_close,
               arguments.bin, False)
    report.run("client: 7.1.1 a reset after both Closes", ends_after_close, arguments.bin, True)
    for name, sentence, answer in REFUSALS:
        report.run(f"client: refused by {name}", refusal, arguments.bin, sentence, answer)
    for name, code, frames in FAULTS:
        for way, single in (("", False), (", bytewise", True)):
            report.run(f"client: {name}{way}: {code}", fault, arguments.bin, code, frames, single)
    report.run("both programs over a Unix socket", both_programs, arguments.bin, arguments.scratch)
