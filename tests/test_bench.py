"""hawser-bench: what it measures, and what it says of bad servers. It is not made for Windows; then
there are no cases. See programs.py."""
import contextlib
import json
import os
import re
import socket
import time

from programs import (BENCH, CLOSE, PING, PONG, WAIT, Echo, Failed, Peer, case, contains, equal,
                      frame, main, read_frame, refuses, run, switching)

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
                      ["--payload", "noise", url], ["--payload", "", url],
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


def has_deflate():
    return "needs zlib" not in run(BENCH, "--deflate", "--help")[2]


def percent_sent(result):
    """Bytes of the stream for a hundred of the payload; what came back was sent alike."""
    found = result["deflate"]
    if 0 in (found[name] for name in found if name != "connections"):
        raise Failed(f"nothing was counted: {found}")
    sent, received = (100 * found[f"{way}_bytes"] / found[f"{way}_plain_bytes"]
                      for way in ("sent", "received"))
    if not 0.8 < sent / received < 1.25:
        raise Failed(f"{sent} % sent, and {received} % received")
    return sent


@bench_case("hawser-bench --deflate compresses, compares what comes back, and tells bytes")
def bench_deflate():
    if not has_deflate():
        status, out, err = run(BENCH, "--deflate", "ws://127.0.0.1:9/")
        equal((status, out, err), (2, "", "hawser-bench: --deflate needs zlib, and this build has "
                                          "none.\n"), "answer")
        return "this build has no zlib"
    for options in ("nonsense", "level=10", "best,", "require_client_max_window_bits"):
        refuses(BENCH, "--deflate=" + options, "ws://127.0.0.1:9/")
    with Echo("--deflate") as server:
        rows = [(10, 65, ["--size", "1000"]), (10, 65, ["--size", "1000", "--text"]),
                (10, 60, ["--size", "70000", "--depth", "3"]),
                (10, 75, ["--deflate=small,level=1,client_max_window_bits=9", "--size", "900"]),
                (99, 108, ["--size", "1000", "--payload", "random"]),
                (99, 101, ["--size", "100000", "--payload", "random", "--depth", "2"]),
                (100, 130, ["--size", "40", "--text"])]  # too short: not compressed
        for least, most, arguments in rows:
            result, _ = bench("--deflate", "--connections", "3", "--duration", "0.5", "--warm-up",
                              "0.1", *arguments, server.url)
            equal((result["errors"], result["deflate"]["connections"]), ([], 3), str(arguments))
            percent = percent_sent(result)
            if not least < percent < most:
                raise Failed(f"{arguments}: {percent} %, wanted {least} to {most}")
        _, out, _ = run(BENCH, "--deflate", *SHORT, "--connections", "2", server.url)
        for pattern in (r"deflate +2  connections that compress\n",
                        r"sent +\d+\.\d  % of the payload, with frames: \d+ of \d+ bytes\n",
                        r"received +\d+\.\d  % of the payload, with frames: \d+ of \d+ bytes\n"):
            if not re.search(pattern, out):
                raise Failed(f"no {pattern!r} in {out!r}")
        equal(bench(*SHORT, server.url)[0]["deflate"], None, "without --deflate")


@bench_case("hawser-bench --deflate with a server that does not compress")
def bench_deflate_declined():
    if not has_deflate():
        return "this build has no zlib"
    with Echo() as server:
        result, _ = bench("--deflate", *SHORT, "--size", "1000", server.url)
    equal(result["deflate"]["connections"], 0, "connections that compress")
    if not 100 < percent_sent(result) < 102:
        raise Failed(f"not plain: {result}")


@bench_case("hawser-bench --deflate reports an echo that decompresses to another message")
def bench_deflate_wrong():
    if not has_deflate():
        return "this build has no zlib"
    hello = b"\xc2\x07\xf2\x48\xcd\xc9\xc9\x07\x00"  # RFC 7692 7.2.3.1
    rows = [("An echo has other bytes than its message.", "permessage-deflate", "5", hello),
            ("An echo has another length than its message.", "permessage-deflate", "6", hello),
            (r".*\. \(RFC 7692 [0-9.]+\)", "permessage-deflate", "5", b"\xc2\x02\xff\xff"),
            (r".*\. \(RFC 6455 9\.1\)", "permessage-deflate; client_max_window_bits=16", "5", b"")]
    for pattern, agreed, size, answer in rows:
        def part(stream, agreed=agreed, answer=answer):
            stream.sendall(switching(peer.head, f"Sec-WebSocket-Extensions: {agreed}"))
            with contextlib.suppress(Failed, ConnectionError):
                read_frame(stream)
                stream.sendall(answer)
                read_frame(stream)

        with Peer(part, handshake=False) as peer:
            result, _ = bench("--deflate=best", "--connections", "1", *SHORT, "--size", size,
                              peer.url, status=1)
        texts = [error["text"] for error in result["errors"]]
        if len(texts) != 1 or not re.fullmatch(pattern, texts[0]):
            raise Failed(f"wanted {pattern!r}, found {texts}")


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
        for words in ([], ["--text"], ["--payload", "words"]):
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


if __name__ == "__main__":
    main(__doc__)
