"""What is tried through a reverse proxy: groups of cases, each with a hawser-echo of its own."""
import contextlib
import os

import proxy_ends
from case import MIB, blob, cut, prose
from cases import CLOSE_CODES, LONG_REASON
from front import Front, same, until
from programs import Failed
from proxies import FRONTS
from rawsocket import BINARY, PING, PONG, TEXT, Frame, close_frame, join
from tls import make_identity, need_tls

SIZES = (0, 1, 125, 126, 65535, 65536, MIB)


def echo_of(front, opcode, data):
    with front.open() as peer:
        peer.send(Frame(opcode, data))
        peer.expect(opcode, data)
        peer.send(close_frame(1000))
        peer.expect_close(1000)
        peer.expect_end()


def many_messages(front):
    with front.open() as peer:
        peer.send(*(Frame(TEXT, b"%d" % i) for i in range(500)))
        for i in range(500):
            peer.expect(TEXT, b"%d" % i)


def fragments(front, opcode, data, size):
    parts = cut(data, size)
    with front.open() as peer:
        for i, part in enumerate(parts):
            peer.send(Frame(0 if i else opcode, part, fin=int(i == len(parts) - 1)))
        peer.expect(opcode, data)


def pings_between(front):
    with front.open() as peer:
        for i, part in enumerate((b"one ", b"two ", b"three")):
            peer.send(Frame(0 if i else TEXT, part, fin=int(i == 2)), Frame(PING, b"%d" % i))
            if i < 2:
                peer.expect(PONG, b"%d" % i)
        got = [peer.read_frame(), peer.read_frame()]
        same(sorted(got), [(TEXT, b"one two three"), (PONG, b"2")])


def pings(front):
    with front.open() as peer:
        for data in (b"", b"p", b"p" * 125):
            peer.send(Frame(PING, data))
            peer.expect(PONG, data)


def bytewise(front):
    with front.open() as peer:
        peer.send_bytewise(join([Frame(TEXT, "zwöi".encode()), Frame(PING, b"p")], True))
        peer.expect(TEXT, "zwöi".encode())
        peer.expect(PONG, b"p")


def many_connections(front, count):
    with contextlib.ExitStack() as crowd:
        peers = [crowd.enter_context(front.open()) for _ in range(count)]
        for i, peer in enumerate(peers):
            peer.send(Frame(TEXT, b"%d" % i))
        for i, peer in enumerate(peers):
            peer.expect(TEXT, b"%d" % i)


def client_closes(front, code, reason):
    with front.open() as peer:
        peer.send(Frame(TEXT, b"x"), close_frame(code, reason))
        peer.expect(TEXT, b"x")
        peer.expect_close(code)
        peer.expect_end()


def empty_close(front):
    with front.open() as peer:
        peer.send(Frame(8))
        peer.expect_close(1005)
        peer.expect_end()


def cat_sends(front, bin_dir, data, options=(), opened="open"):
    """hawser-cat at this end of the proxy."""
    path = os.path.join(os.path.dirname(front.proxy.identity.key), "message")
    with open(path, "wb") as file:
        file.write(data)
    with front.cat(bin_dir, *options, "--binary", path, "--send", "hi") as cat:
        status, lines, stderr = cat.finish()
    if status or not lines[0].startswith(opened):
        raise Failed(f"hawser-cat ended with {status}, {lines[:1]} and {stderr[-200:]!r}")
    same(lines[1].startswith(f"binary: {len(data)} bytes"), True)
    same(lines[2:], ["text: hi", "close: 1000"])


def messages(front, bin_dir, report):
    for size in SIZES:
        report(f"5.2 text of {size} bytes comes back", echo_of, front, TEXT, prose(size))
        report(f"5.2 binary of {size} bytes comes back", echo_of, front, BINARY, blob(size))
    report("5.2 many messages come back in order", many_messages, front)
    report("5.2 16 MiB of hawser-cat come back", cat_sends, front, bin_dir, blob(16 * MIB))
    report("5.4 text in fragments cut inside code points comes back",
           fragments, front, TEXT, prose(300), 1)
    report("5.4 binary of 1 MiB in fragments comes back",
           fragments, front, BINARY, blob(MIB), 70001)
    report("5.4 pings between fragments are answered", pings_between, front)
    report("5.5.2 pings are answered with their payload", pings, front)
    report("5.2 frames come byte by byte", bytewise, front)


def closes(front, report):
    for code in CLOSE_CODES:
        report(f"7.1.2 the client closes with {code}",
               client_closes, front, code, b"because of %d" % code)
    report("7.1.6 the client closes with a reason of 123 bytes",
           client_closes, front, 4321, LONG_REASON)
    report("7.1.5 the client closes with an empty Close", empty_close, front)


def origins(front, report):
    report("10.2 the proxy's own page may connect",
           lambda: front.open(f"Origin: {front.origin}").sock.close())
    report("10.2 a foreign origin is refused with 403",
           front.refused, 403, "Origin: http://evil.example")


def handshakes(front, bin_dir, report):
    with front.proxy.echo(bin_dir, "--deflate=best,threshold=0", "--subprotocol", "chat",
                          "--user", "ann:x", "--max-connections", "2"):
        ann = "Authorization: Basic YW5uOng="
        report("RFC 7235 401 and its challenge pass", lambda: same(
            "www-authenticate: basic" in front.refused(401).lower(), True))
        report("4.2.2 subprotocol and compression are agreed through it", cat_sends, front,
               bin_dir, prose(100000), ("--deflate", "--subprotocol", "chat", "--header", ann),
               "open (subprotocol chat, permessage-deflate")
        report("503 and Retry-After pass, and room comes back", full, front, ann)


def full(front, field):
    """At --max-connections 2, the room of a client that is reset away is given to others."""
    with front.open(field) as first, front.open(field):
        same("retry-after: " in front.refused(503, field).lower(), True)
        first.reset()
        until(lambda: front.open(field).sock.close())


def page(front, bin_dir, report):
    with front.proxy.echo(bin_dir) as echo:
        report("the page comes through it", lambda: page_comes(front, echo))
        report("a page that is not there is answered 404", lambda: same(
            front.http("GET", "/nothing")[0], 404))
        report("HEAD has no body", lambda: same(front.http("HEAD", "/"), (200, b"")))
        report("405 passes", lambda: same(front.http("DELETE", "/")[0], 405))
        report("hawser-echo lives on after all that", echo.check_alive)


def page_comes(front, echo):
    status, body = front.http("GET", "/")
    same(status, 200)
    for word in (b"<title>hawser-echo</title>", b"new WebSocket", b"</script>\n"):
        if word not in body:
            raise Failed(f"{word!r} is not in the page: {body!r:.100}")


def through(front, bin_dir, report):
    """All of it, through a front whose hawser-echo is there."""
    with front.proxy.echo(bin_dir, "--threads", "2") as echo:
        messages(front, bin_dir, report)
        closes(front, report)
        origins(front, report)
        report("100 connections at once", many_connections, front, 100)
        report("hawser-echo lives on after all that", echo.check_alive)


def over_tls(front, bin_dir, report):
    with front.proxy.tls_echo(bin_dir) as echo:
        messages(front, bin_dir, report)
        closes(front, report)
        report("the page comes through it", page_comes, front, echo)
        report("hawser-echo lives on after all that", echo.check_alive)


def run(kind, arguments, report):
    need_tls(arguments.bin)
    with kind(arguments.scratch, make_identity(arguments.scratch)) as proxy:
        for name in FRONTS:
            front = Front(proxy, name)

            def named(what, case, *rest, name=name):
                return report.run(f"{name}: {what}", case, *rest)
            if name == "short":
                proxy_ends.silence(front, arguments.bin, named)
            elif name == "again":
                over_tls(front, arguments.bin, named)
            else:
                through(front, arguments.bin, named)
                handshakes(front, arguments.bin, named)
                page(front, arguments.bin, named)
                proxy_ends.run(front, arguments.bin, named)
        report.run("the proxy lives on after all that", proxy.check_alive)
