"""hawser-echo, at the other end of sockets that we drive byte by byte."""
import re
import socket
import struct
import time

from programs import Echo, Failed
from raw_faults import FAULTS, answers
from rawsocket import (BINARY, CLOSE, PING, PONG, TEXT, Frame, Peer, close_frame, connect,
                       expect_status, join, open_client, request)

HI = Frame(TEXT, b"hi")


def fault(echo, code, frames, bytewise, more):
    """Good frames are answered; then comes the Close with `code`, then the end of the stream."""
    with open_client(echo) as peer:
        data = join([HI, *frames], True) + more
        if bytewise:
            peer.send_bytewise(data)
        else:
            peer.sock.sendall(data)
        peer.expect(TEXT, b"hi")
        for opcode, payload in answers(frames):
            peer.expect(opcode, payload)
        peer.expect_close(code)
        peer.expect_end()


def many_frames(echo):
    with open_client(echo) as peer:
        peer.send(*[Frame(TEXT, b"%d" % i) for i in range(500)])
        for i in range(500):
            peer.expect(TEXT, b"%d" % i)


def two_pings(echo):
    with open_client(echo) as peer:
        peer.send(Frame(PING, b"one"), Frame(PING, b"two"), HI, Frame(PING), Frame(PING, b"three"))
        for opcode, payload in ((PONG, b"one"), (PONG, b"two"), (TEXT, b"hi"), (PONG, b""),
                                (PONG, b"three")):
            peer.expect(opcode, payload)


def bytewise(echo):
    with connect(echo) as peer:
        peer.send_bytewise(request())
        expect_status(peer, 101)
        peer.send_bytewise(join([HI, Frame(TEXT, b"a", fin=0), Frame(PING, b"p" * 125),
                                 Frame(0, "€".encode()), Frame(BINARY, bytes(300)),
                                 close_frame(4000, b"bye")], True))
        for opcode, payload in ((TEXT, b"hi"), (PONG, b"p" * 125), (TEXT, "a€".encode()),
                                (BINARY, bytes(300))):
            peer.expect(opcode, payload)
        peer.expect_close(4000)
        peer.expect_end()


def slow_handshake(echo):
    with connect(echo) as peer:
        data = request()
        for i in range(0, len(data), 10):
            peer.sock.sendall(data[i:i + 10])
            time.sleep(0.03)
        expect_status(peer, 101)
        peer.send(HI)
        peer.expect(TEXT, b"hi")


def pipelined(echo):
    with connect(echo) as peer:
        peer.sock.sendall(request() + join([HI, Frame(PING, b"p"), close_frame(1000)], True))
        expect_status(peer, 101)
        peer.expect(TEXT, b"hi")
        peer.expect(PONG, b"p")
        peer.expect_close(1000)
        peer.expect_end()


def server_ends_first(echo):
    with open_client(echo) as peer:
        peer.send(close_frame(1000))
        peer.expect_close(1000)
        before = time.monotonic()
        peer.expect_end()
        if time.monotonic() - before > 2:
            raise Failed("hawser-echo did not end the stream by itself")


def eof_after_close(echo):
    with open_client(echo) as peer:
        peer.send(close_frame(1001))
        peer.sock.shutdown(socket.SHUT_WR)
        peer.expect_close(1001)
        peer.expect_end()


def gone_after_close(echo):
    with open_client(echo) as peer:
        peer.send(HI, close_frame(1001))
        peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def after_close(echo):
    with open_client(echo) as peer:
        peer.send(close_frame(1000), HI, Frame(PING, b"p"), close_frame(4000), Frame(3))
        peer.expect_close(1000)
        peer.expect_end()


def empty_close(echo):
    with open_client(echo) as peer:
        peer.send(Frame(CLOSE))
        peer.expect_close(1005)
        peer.expect_end()


def unasked_pong(echo):
    with open_client(echo) as peer:
        peer.send(Frame(PONG, b"nobody asked"), HI)
        peer.expect(TEXT, b"hi")


def upload(echo):
    """20 MiB go out although the first bytes were too much; the answer is there, and no reset."""
    with open_client(echo) as peer:
        peer.sock.sendall(Frame(BINARY, declared=20 << 20).encode(True))
        for _ in range(20):
            peer.sock.sendall(bytes(1 << 20))
        peer.expect_close(1009)
        peer.expect_end()


def plain(echo, status, wanted, data):
    """A request that is no WebSocket handshake, or a wrong one."""
    with connect(echo) as peer:
        peer.sock.sendall(data.replace(b"HOST", "{}:{}".format(*echo.address).encode()))
        head = expect_status(peer, status)
        while peer.fill():
            pass
        answer = head + "\n" + re.sub("[\"']", "", peer.buffer.decode())
    for text in wanted:
        if text.lower() not in answer.lower():
            raise Failed(f"{text!r} is not in the answer {head!r}")


GET = b"GET %s HTTP/1.1\r\nHost: HOST\r\n\r\n"
REQUESTS = (
    ("GET of the page", 200, GET % b"/",
     ("content-type: text/html; charset=utf-8", "id=text", "id=send", "id=send-binary", "id=log")),
    ("HEAD of the page", 200, b"HEAD / HTTP/1.1\r\nHost: HOST\r\n\r\n", ("content-length: ",)),
    ("GET of another path", 404, GET % b"/other", ()),
    ("POST", 405, b"POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\n\r\n", ("allow: ",)),
    ("4.4 version 8", 426, request("HOST", "Sec-WebSocket-Version: 8",
                                   drop=["Sec-WebSocket-Version"]), ("sec-websocket-version: 13",)),
    ("4.2.1 no Host", 400, request(drop=["Host"]), ()),
    ("4.2.1 no Upgrade", 400, request("HOST", drop=["Upgrade"]), ()),
    ("4.2.1 a short key", 400, request("HOST", key="AAAA"), ()),
    ("10.2 a foreign Origin", 403, request("HOST", "Origin: http://evil.example"), ()),
    ("10.2 another port in Origin", 403, request("HOST", "Origin: http://127.0.0.1:1"), ()),
    ("9112 2.2 a bare LF", 400, b"GET / HTTP/1.1\nHost: HOST\n\n", ()),
)
TALKS = (
    ("5.2 500 frames in one segment", many_frames),
    ("5.5.2 two pings in one segment are answered by two pongs", two_pings),
    ("5.2 one byte a segment", bytewise),
    ("4.2.1 a slow handshake", slow_handshake),
    ("4.1 frames in the segment of the handshake", pipelined),
    ("7.1.1 the server ends the stream first", server_ends_first),
    ("7.1.1 the end of the stream right after our Close", eof_after_close),
    ("7.1.1 a reset right after our Close", gone_after_close),
    ("5.5.1 frames after our Close are ignored", after_close),
    ("5.5.1 an empty Close is answered with an empty Close", empty_close),
    ("5.5.3 a pong that nobody asked for is ignored", unasked_pong),
    ("10.4 20 MiB are taken in although refused", upload),
)


def unix_socket(bin_dir, scratch):
    path = f"{scratch}/echo.sock"
    with Echo(bin_dir, where=("--unix", path)):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(path)
        with Peer(sock, True) as peer:
            sock.sendall(request("localhost"))
            expect_status(peer, 101)
            peer.send(HI, close_frame(1000))
            peer.expect(TEXT, b"hi")
            peer.expect_close(1000)
            peer.expect_end()


def ipv6(bin_dir):
    with Echo(bin_dir, where=("--host", "::1", "--port", "0")) as echo:
        many_frames(echo)


def run(arguments, report):
    with Echo(arguments.bin) as echo:
        for name, talk in TALKS:
            report.run(f"server: {name}", talk, echo)
        for name, status, data, wanted in REQUESTS:
            report.run(f"server: {name}: {status}", plain, echo, status, wanted, data)
        for name, code, frames in FAULTS:
            for way, single, more in (("", False, b""), (", bytewise", True, b""),
                                      (", with 1 MiB after it", False, bytes(1 << 20))):
                report.run(f"server: {name}{way}: {code}", fault, echo, code, frames, single, more)
        report.run("server: hawser-echo lives on after all that", echo.check_alive)
    report.run("server: over a Unix socket", unix_socket, arguments.bin, arguments.scratch)
    report.run("server: over IPv6", ipv6, arguments.bin)
