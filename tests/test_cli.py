"""hawser-echo and hawser-cat as programs: command lines, exit statuses, output, messages.
See programs.py."""
import os
import pathlib
import signal
import socket
import struct
import subprocess
import tempfile
import threading

from programs import (BINARY, CAT, CLOSE, ECHO, PING, PONG, TEXT, WAIT, Echo, Failed, Lines, Peer,
                      case, cat, cat_prints, contains, equal, field, finish, frame, main,
                      read_frame, read_message, refuses, run, upgrade)


# --- command lines -------------------------------------------------------------------------------

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


if __name__ == "__main__":
    main(__doc__)
