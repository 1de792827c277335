"""How connections end through a reverse proxy when it is not the client who ends them in order."""
import contextlib
import signal
import subprocess
import time

from front import same, until
from programs import Failed
from proxies import IDLE
from rawsocket import BINARY, PING, PONG, TEXT, Frame, close_frame


def finish(echo):
    """The exit status of a hawser-echo that ends, and the lines that it printed since."""
    try:
        status = echo.process.wait(10)
    except subprocess.TimeoutExpired:
        raise Failed("hawser-echo did not end within 10 s") from None
    lines = []
    while (item := echo.items.get(timeout=5)) is not None:
        lines.append(item)
    return status, " ".join(lines)


def stop(echo, number=signal.SIGTERM):
    echo.process.send_signal(number)
    return finish(echo)


def server_closes(front, bin_dir, options, frames, code):
    """It answers the frames with a Close, which comes through, and then the end.

    There is no answer to that: hawser ends its stream behind such a Close and goes on reading, but
    a proxy that sees the end of one stream ends both, and resets whoever still sends."""
    with front.proxy.echo(bin_dir, *options), front.open() as peer:
        peer.send(*frames)
        peer.expect_close(code)
        peer.expect_end()


def drains(front, bin_dir):
    """SIGTERM: 1001 behind what is queued, and hawser-echo ends when all have gone."""
    with front.proxy.echo(bin_dir) as echo, contextlib.ExitStack() as crowd:
        peers = [crowd.enter_context(front.open()) for _ in range(5)]
        for peer in peers:
            peer.send(Frame(TEXT, b"x"))
            peer.expect(TEXT, b"x")
        echo.process.send_signal(signal.SIGTERM)
        for peer in peers:
            peer.expect_close(1001)
            peer.send(close_frame(1001))
            peer.expect_end()
        same(finish(echo)[0], 0)


def killed(front, bin_dir):
    """hawser-echo is killed: the client sees the end of the stream without a Close."""
    with front.proxy.echo(bin_dir) as echo, front.open() as peer:
        stop(echo, signal.SIGKILL)
        same(peer.fill_all(), b"")


def restarted(front, bin_dir):
    """Down, the proxy says so; then there is another hawser-echo, and all is well."""
    down = front.proxy.down
    with front.proxy.echo(bin_dir) as echo:
        front.open().sock.close()
        stop(echo)
        front.refused(down)
        same(front.http("GET", "/")[0], down)
        cat_is_refused(front, bin_dir, down)
    with front.proxy.echo(bin_dir), front.open() as peer:
        peer.send(Frame(TEXT, b"back"))
        peer.expect(TEXT, b"back")
        same(front.http("GET", "/")[0], 200)


def cat_is_refused(front, bin_dir, status):
    with front.cat(bin_dir, "--send", "x") as cat:
        got, lines, stderr = cat.finish()
    if got != 1 or lines or not stderr.startswith("hawser-cat: ") or str(status) not in stderr:
        raise Failed(f"hawser-cat ended with {got}, {lines} and {stderr[-200:]!r}")


def client_gone(front, bin_dir, leave):
    """However the client leaves, hawser-echo sees it, through the proxy, and lets go of it."""
    with front.proxy.echo(bin_dir, "--max-connections", "1", "--summary") as echo:
        peer = front.open()
        peer.send(Frame(TEXT, b"x"), Frame(TEXT, b"never ", fin=0))
        peer.expect(TEXT, b"x")
        front.refused(503)
        leave(peer)
        until(lambda: front.open().sock.close())
        until(lambda: front.open().sock.close())
        status, said = stop(echo)
        same(status, 0)
        if "opened=3 " not in said or "ended=3 " not in said:
            raise Failed(f"hawser-echo counted {said}")


def run(front, bin_dir, report):
    for name, options, frames, code in (
            ("an unknown opcode: 1002", (), [Frame(3)], 1002),
            ("text that is no UTF-8: 1007", (), [Frame(TEXT, b"\xff")], 1007),
            ("a message that is too long: 1009", ("--max-message", "9"), [Frame(BINARY, bytes(10))],
             1009)):
        report(f"7.1.2 the server closes after {name}", server_closes, front, bin_dir, options,
               frames, code)
    report("7.1.2 the server closes after too many messages: 1008", too_many, front, bin_dir)
    report("7.1.2 the server closes after silence: 1001", idle, front, bin_dir)
    report("7.1.2 the server closes when it is told to stop: 1001", drains, front, bin_dir)
    report("7.1.1 the server is killed, and the stream ends", killed, front, bin_dir)
    report("the server is restarted", restarted, front, bin_dir)
    report("7.1.1 the client leaves without a Close", client_gone, front, bin_dir,
           lambda peer: peer.sock.close())
    report("7.1.1 the client resets the connection", client_gone, front, bin_dir,
           lambda peer: peer.reset())


def idle(front, bin_dir):
    """Nobody is at fault: the server waits for the client's Close, for longer than a moment."""
    with front.proxy.echo(bin_dir, "--idle", "1", "--ping", "0"), front.open() as peer:
        peer.expect_close(1001)
        time.sleep(0.3)
        peer.send(Frame(TEXT, b"on its way"), close_frame(1001))
        peer.expect_end()


def too_many(front, bin_dir):
    with front.proxy.echo(bin_dir, "--rate", "2"), front.open() as peer:
        peer.send(*(Frame(TEXT, b"%d" % i) for i in range(5)))
        peer.expect(TEXT, b"0")
        peer.expect(TEXT, b"1")
        peer.expect_close(1008)
        peer.expect_end()


# --- the proxy's own deadline for silence --------------------------------------------------------

def check_time(started):
    """The proxy looks at its clock now and then."""
    took = time.monotonic() - started
    if not IDLE - 1 < took < IDLE + 4:
        raise Failed(f"the silence was ended after {took:.1f} s, not {IDLE}")


def given_up(front, bin_dir):
    """The proxy gives up a silent connection; both ends see that nobody said Close."""
    with front.proxy.echo(bin_dir, "--ping", "0", "--summary") as echo, \
            front.open() as peer, front.cat(bin_dir) as cat:
        same(cat.next(), "open")
        started = time.monotonic()
        same(peer.fill_all(), b"")
        check_time(started)
        status, lines, stderr = cat.finish()
        if status != 1 or lines or not stderr.startswith("hawser-cat: "):
            raise Failed(f"hawser-cat ended with {status}, {lines} and {stderr[-200:]!r}")
        with front.open() as other:
            other.send(Frame(TEXT, b"still here"))
            other.expect(TEXT, b"still here")
            other.send(close_frame(1000))
            other.expect_close(1000)
            other.expect_end()
        began = time.monotonic()
        status, said = stop(echo)
        same(status, 0)
        if time.monotonic() - began > 2 or "opened=3 " not in said or "ended=3 " not in said:
            raise Failed(f"hawser-echo had not let go of them: {said}")


def kept(front, bin_dir):
    """hawser-echo's Pings keep a silent connection from the proxy's deadline."""
    with front.proxy.echo(bin_dir, "--ping", "1"), front.open() as peer, front.cat(bin_dir) as cat:
        same(cat.next(), "open")
        last = time.monotonic() + IDLE + 2
        while time.monotonic() < last:
            opcode, payload = peer.read_frame()
            same(opcode, PING)
            peer.send(Frame(PONG, payload))
        cat.process.stdin.write(b"awake\n")
        cat.process.stdin.close()
        status, lines, stderr = cat.finish()
        if status or "text: awake" not in lines:
            raise Failed(f"hawser-cat ended with {status}, {lines} and {stderr[-200:]!r}")


def silence(front, bin_dir, report):
    report("a silent connection is given up by the proxy", given_up, front, bin_dir)
    report("Pings keep a silent connection", kept, front, bin_dir)
