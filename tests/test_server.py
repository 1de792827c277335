"""hawser-echo as a server: pages, bad clients, many clients, no descriptors, no memory. See
programs.py."""
import contextlib
import resource
import socket
import struct
import subprocess
import threading
import time

from programs import (BINARY, CAT, CLOSE, PING, PONG, TEXT, WAIT, Echo, Failed, case, cat,
                      cat_prints, connect, contains, equal, field, frame, http, main, read_frame,
                      upgrade)


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


if __name__ == "__main__":
    main(__doc__)
