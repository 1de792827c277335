"""hawser-echo as a service: threads, limits, deadlines, credentials, the trace, the end. See
programs.py."""
import base64
import contextlib
import os
import re
import resource
import signal
import tempfile
import threading
import time

from programs import (BINARY, CLOSE, ECHO, PING, PONG, TEXT, WAIT, Echo, Failed, case, code_of,
                      connect, contains, echoes, ends_within, equal, exactly, field, frame,
                      has_tls, http, main, read_frame, read_head, refuses, request, resident, run,
                      status_of, upgrade)

EXACT = {**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=1"}  # or it keeps what was freed


def tries(server, *fields, target="/"):
    """The head that answers a handshake."""
    with connect(server) as stream:
        stream.sendall(request(server, *fields, target=target))
        return read_head(stream)


def stops(server, number=signal.SIGTERM):
    """Tell it to stop: its exit status, and the seconds that it took."""
    begin = time.monotonic()
    return server.stop(number), time.monotonic() - begin


# --- command line --------------------------------------------------------------------------------

@case("hawser-echo refuses bad values of a service's options")
def usage():
    for arguments in (["--threads", "0"], ["--threads", "65"], ["--threads", "two"],
                      ["--threads", "2", "--unix", "/tmp/nothing"], ["--max-connections", "0"],
                      ["--max-connections", "10000001"], ["--rate", "-1"],
                      ["--rate", "4294967296"], ["--handshake", "1000001"], ["--ping", "1.5"],
                      ["--idle", ""], ["--drain", "unlimited"], ["--user", "name"],
                      ["--user", ":password"], ["--user", "name:"], ["--token", ""],
                      ["--trace=1"], ["--summary=yes"]):
        refuses(ECHO, *arguments)
    if has_tls():
        refuses(ECHO, "--tls-cert", "cert.pem")
        refuses(ECHO, "--tls-key", "key.pem")


@case("--help names every option of a service")
def help_text():
    _, out, _ = run(ECHO, "--help")
    for word in ("--threads", "--max-connections", "--tls-cert", "--tls-key", "--trace", "--rate",
                 "--handshake", "--idle", "--ping", "--drain", "--user", "--token", "--summary"):
        contains(out, word, "help")


# --- who may come --------------------------------------------------------------------------------

def basic(text):
    return "Authorization: Basic " + base64.b64encode(text.encode()).decode()


@case("--user lets in who has name and password, and asks the others")
def user():
    with Echo("--user", "ann:pass:word", "--user", "böb:x") as server:
        for line, wanted in ((basic("ann:pass:word"), 101), (basic("böb:x"), 101),
                             (basic("ann:pass"), 401), (basic("ann:x"), 401), (basic(":"), 401),
                             (basic("ann:pass:word "), 401), (basic("ann"), 400),
                             (basic("ann:" + "x" * 2000), 401), ("Authorization: Basic ???", 400),
                             ("Authorization: Bearer ann:pass:word", 401), ("X: y", 401)):
            head = tries(server, line)
            equal(status_of(head), wanted, f"status for {line:.60}")
            if wanted == 401:
                equal(field(head, "WWW-Authenticate"),
                      'Basic realm="hawser-echo", charset="UTF-8"', "challenge")


@case("--token lets in by a Bearer token, a cookie and the query")
def token():
    with Echo("--token", "s3cret", "--token", "other") as server:
        for line, target, wanted in (
                ("Authorization: Bearer s3cret", "/", 101), ("Authorization: bearer other", "/", 101),
                ("Authorization: Bearer s3cre", "/", 401), ("Authorization: Bearer", "/", 400),
                ("Authorization: Bearer s3cret s3cret", "/", 400),
                ("Cookie: a=b; token=s3cret", "/", 101), ("Cookie: token=wrong", "/", 401),
                ("Cookie: Token=s3cret", "/", 401), ("X: y", "/?a=b&token=s3cret", 101),
                ("X: y", "/?token=%733cret", 101), ("X: y", "/?token=wrong", 401),
                ("X: y", "/?token=s3cret&token=s3cret", 400), ("X: y", "/?token", 401),
                ("X: y", "/", 401), (basic("s3cret:s3cret"), "/", 401)):
            head = tries(server, line, target=target)
            equal(status_of(head), wanted, f"status for {line} {target}")
            if wanted == 401:
                equal(field(head, "WWW-Authenticate"), 'Bearer realm="hawser-echo"', "challenge")


@case("users and tokens: either is enough, also for the page")
def either():
    with Echo("--user", "ann:x", "--token", "t") as server:
        head, _ = http(server, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        equal(status_of(head), 401, "status of the page")
        equal(head.count("WWW-Authenticate: "), 2, "challenges")
        head, body = http(server, "GET /?token=t HTTP/1.1\r\nHost: a\r\n\r\n")
        equal(status_of(head), 200, "status of the page with token")
        contains(body, "location.search", "page")
        equal(status_of(tries(server, basic("ann:x"))), 101, "status with user")


# --- limits --------------------------------------------------------------------------------------

@case("--max-connections answers 503 with Retry-After above it, and goes on below it")
def max_connections():
    with Echo("--max-connections", "2") as server, contextlib.ExitStack() as crowd:
        streams = [upgrade(server)[0] for _ in range(2)]
        for stream in streams:
            crowd.enter_context(stream)
        head = tries(server)
        equal((status_of(head), field(head, "Retry-After")), (503, "10"), "third client")
        echoes(streams[1], b"still served")
        streams[0].close()
        deadline = time.monotonic() + WAIT
        while status_of(tries(server)) != 101:
            if time.monotonic() > deadline:
                raise Failed("no room came back")


@case("--rate closes a client with 1008 that sends more, behind the answers to what was allowed")
def rate():
    with Echo("--rate", "5") as server:
        stream, _ = upgrade(server)
        with stream:
            stream.sendall(b"".join(frame(TEXT, b"%d" % n, mask=True) for n in range(20)))
            for n in range(5):
                equal(read_frame(stream)[:3], (1, TEXT, b"%d" % n), "echo")
            equal(code_of(stream), 1008, "code")


@case("a slow reader holds its own connection alone")
def slow_reader():
    with Echo(env=EXACT) as server:
        slow, _ = upgrade(server)
        slow.settimeout(1)
        quick, _ = upgrade(server)
        before = resident(server)
        with slow, quick:
            piece = frame(BINARY, bytes(1 << 20), mask=True)
            taken = 0
            with contextlib.suppress(TimeoutError):
                while taken < 64:
                    slow.sendall(piece)
                    taken += 1
            if taken == 64:
                raise Failed("the server took 64 MiB whose echo nobody read")
            more = resident(server) - before
            echoes(quick, b"meanwhile")
            if more > 8 << 20:
                raise Failed(f"it holds {more} bytes for a client that does not read")


@case("messages of 16 MiB come back, and their memory goes")
def large_messages():
    content = bytes(range(256)) * 65536
    with Echo(env=EXACT) as server:
        stream, _ = upgrade(server)
        with stream:
            for _ in range(3):
                sender = threading.Thread(target=stream.sendall, daemon=True,
                                          args=(frame(BINARY, content, mask=True),))
                sender.start()
                if read_frame(stream)[2] != content:
                    raise Failed("the content has changed")
                sender.join(WAIT)
            echoes(stream, b"next")
            if resident(server) > 24 << 20:
                raise Failed(f"it still holds {resident(server)} bytes")


@case("1,000 connections are served at once")
def thousand():
    with Echo() as server, contextlib.ExitStack() as crowd:
        streams = [crowd.enter_context(upgrade(server)[0]) for _ in range(1000)]
        for number, stream in enumerate(streams):
            stream.sendall(frame(TEXT, b"%d" % number, mask=True))
        for number, stream in enumerate(streams):
            equal(read_frame(stream)[:3], (1, TEXT, b"%d" % number), "echo")


@case("a soft limit of open files is raised to what is needed, and a hard one is told")
def file_limit():
    def limits(soft, hard):
        return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    with Echo("--max-connections", "200", limits=limits(32, 400)) as server:
        with contextlib.ExitStack() as crowd:
            for _ in range(200):
                crowd.enter_context(upgrade(server)[0])
    with tempfile.TemporaryFile() as log:
        with Echo("--max-connections", "200", limits=limits(32, 100), stderr=log):
            pass
        log.seek(0)
        contains(log.read().decode(), "The system allows 100 open files", "stderr")


@case("--threads 4 serves as one does, and spreads connections")
def threads():
    with Echo("--threads", "4", "--summary") as server, contextlib.ExitStack() as crowd:
        streams = [crowd.enter_context(upgrade(server)[0]) for _ in range(100)]
        for number, stream in enumerate(streams):
            echoes(stream, b"%d" % number)
        for stream in streams:
            stream.close()
        equal(stops(server)[0], 0, "status")
        summary = server.lines.next()
        contains(summary, "opened=100 ", "summary")
        contains(summary, " messages_received=100 messages_sent=100 ", "summary")


# --- deadlines -----------------------------------------------------------------------------------

@case("a handshake that takes too long is ended, however slowly its bytes drip")
def slow_handshake():
    with Echo("--handshake", "1") as server:
        with connect(server) as silent, connect(server) as dripping, upgrade(server)[0] as good:
            begin = time.monotonic()
            with contextlib.suppress(OSError):
                while time.monotonic() < begin + 3:
                    dripping.sendall(b"G")
                    time.sleep(0.1)
            ends_within(dripping, 5, "dripping")
            ends_within(silent, 5, "silent")
            echoes(good, b"untouched")


@case("--ping asks a silent client, and drops the one that does not answer")
def pings():
    with Echo("--ping", "1") as server:
        stream, _ = upgrade(server)
        with stream:
            for _ in range(2):
                _, kind, content, _ = read_frame(stream)
                equal(kind, PING, "frame")
                stream.sendall(frame(PONG, content, mask=True))
            equal(code_of(stream), 1011, "code without Pong")


@case("--ping 0 asks nobody")
def no_pings():
    with Echo("--ping", "0") as server:
        stream, _ = upgrade(server)
        with stream:
            stream.settimeout(1.5)
            try:
                sent = stream.recv(100)
            except TimeoutError:
                sent = None
            equal(sent, None, "what it sent")


@case("--idle closes with 1001 after so long without a message, Pings or not")
def idle():
    with Echo("--idle", "2", "--ping", "1") as server:
        stream, _ = upgrade(server)
        with stream:
            begin = time.monotonic()
            while True:
                _, kind, content, _ = read_frame(stream)
                if kind == CLOSE:
                    break
                if time.monotonic() > begin + 10:
                    raise Failed("too late")
                stream.sendall(frame(PONG, content, mask=True))
            equal(content[:2], b"\x03\xe9", "code")
            if time.monotonic() - begin < 1.5:
                raise Failed("too early")


# --- the end -------------------------------------------------------------------------------------

@case("SIGTERM closes every connection with 1001, and ends with 0 when they have gone")
def graceful():
    for number in (signal.SIGTERM, signal.SIGINT):
        for more in ([], ["--threads", "2"]):
            with Echo(*more) as server:
                streams = [upgrade(server)[0] for _ in range(10)]
                server.process.send_signal(number)
                for stream in streams:
                    with stream:
                        equal(code_of(stream), 1001, "code")
                        stream.sendall(frame(CLOSE, b"\x03\xe9", mask=True))
                        equal(stream.recv(1), b"", "end of the stream")
                begin = time.monotonic()
                equal(server.process.wait(WAIT), 0, "status")
                if time.monotonic() - begin > 2:
                    raise Failed("it waited though all had gone")


@case("what was received before SIGTERM is answered before the Close")
def answers_first():
    content = bytes(4 << 20)
    with Echo() as server:
        stream, _ = upgrade(server)
        with stream:
            stream.sendall(frame(BINARY, content, mask=True))
            exactly(stream, 10)  # the head of the answer: the rest is more than sockets hold
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
            exactly(stream, len(content))
            equal(code_of(stream), 1001, "code")
        equal(server.process.wait(WAIT), 0, "status")


@case("--drain bounds the waiting for clients that do not go")
def drain():
    for seconds, least, most in (("1", 0.8, 4), ("0", 0, 2)):
        with Echo("--drain", seconds) as server:
            stream, _ = upgrade(server)
            with stream:
                status, took = stops(server)
                equal(status, 0, "status")
                if not least <= took <= most:
                    raise Failed(f"--drain {seconds}: it took {took:.1f} s")


@case("a second signal ends the server at once")
def second_signal():
    server = Echo("--drain", "100")
    server.__enter__()
    try:
        stream, _ = upgrade(server)
        with stream:
            server.process.send_signal(signal.SIGTERM)
            equal(code_of(stream), 1001, "code")
            equal(server.process.poll(), None, "status while it waits")
            status, took = stops(server, signal.SIGINT)
            equal(status, -signal.SIGINT, "status")
            if took > 2:
                raise Failed(f"it took {took:.1f} s")
    finally:
        server.stop(signal.SIGKILL)
        server.process.stdout.close()


@case("after SIGTERM nobody is let in")
def stops_listening():
    with Echo("--drain", "5") as server:
        stream, _ = upgrade(server)
        with stream:
            server.process.send_signal(signal.SIGTERM)
            equal(code_of(stream), 1001, "code")
            try:
                answer = tries(server)
            except (OSError, Failed):
                answer = None
            equal(answer, None, "answer")
        equal(server.process.wait(WAIT), 0, "status")


@case("--summary counts")
def summary():
    with Echo("--summary", "--max-message", "10", "--user", "a:b") as server:
        tries(server)
        for content in (b"one", b"too much of it"):
            stream, _ = upgrade(server, basic("a:b"))
            with stream:
                stream.sendall(frame(TEXT, content, mask=True))
                read_frame(stream)
                stream.sendall(frame(CLOSE, b"\x03\xe8", mask=True))
                read_all(stream)
        equal(stops(server)[0], 0, "status")
        line = server.lines.next()
    for part in ("opened=2 ", "refused=1 ", "ended=2 ", "messages_sent=1 ", "_MESSAGE_TOO_BIG=1"):
        contains(line, part, "summary")


def read_all(stream):
    with contextlib.suppress(ConnectionError):
        while stream.recv(4096):
            pass


# --- trace ---------------------------------------------------------------------------------------

@case("--trace prints heads and frames with number and time, and no secret")
def trace():
    with tempfile.TemporaryFile() as log:
        with Echo("--trace", "--user", "ann:passw0rd", "--token", "t0ken", stderr=log) as server:
            tries(server, basic("ann:wr0ng"), "Cookie: token=c00kie", target="/?token=qu3ry")
            for _ in range(2):
                stream, _ = upgrade(server, basic("ann:passw0rd"))
                with stream:
                    echoes(stream, b"c0ntent")
                    stream.sendall(frame(PING, b"there?", mask=True))
                    equal(read_frame(stream)[1], PONG, "frame")
                    stream.sendall(frame(CLOSE, b"\x03\xe8bye", mask=True))
                    read_all(stream)
        log.seek(0)
        text = log.read().decode()
    for secret in ("wr0ng", "passw0rd", "c00kie", "qu3ry", "t0ken", "c0ntent", "YW5u"):
        if secret in text:
            raise Failed(f"{secret} in {text!r}")
    lines = text.splitlines()
    for line in lines:
        if not re.match(r"\d\d:\d\d:\d\d\.\d{3} #[123] ", line):
            raise Failed(f"line {line!r}")
    for part in ("#1 < GET /?token=*** HTTP/1.1", "#1 < Authorization: ***", "#1 < Cookie: ***",
                 "#1 > HTTP/1.1 401", "#2 > HTTP/1.1 101", "#3 The connection has ended."):
        contains(text, part, "trace")
    of_third = [line.split(" ", 2)[2] for line in lines if " #3 " in line]
    for part in ("< Text FIN masked, 7 bytes", "> Text FIN, 7 bytes", '< Ping FIN masked, 6 bytes',
                 "> Pong FIN, 6 bytes", '< Close FIN masked, 5 bytes: 1000 "bye"', "> Close FIN"):
        if not any(line.startswith(part) for line in of_third):
            raise Failed(f"no {part!r} in {of_third}")


if __name__ == "__main__":
    main(__doc__)
