"""hawser-cat and bad peers. See programs.py."""
import contextlib
import re
import socket
import time

from programs import (CLOSE, PING, TEXT, WAIT, Failed, Peer, case, cat, cat_prints, contains,
                      equal, finish, frame, main, read_frame)


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


if __name__ == "__main__":
    main(__doc__)
