"""hawser-cat over TLS: whom it trusts, how it ends, what it logs. And its trace. See programs.py.

The peer is Python's ssl, with certificates that the openssl program makes. Ends with 77 when that
is missing, or the build has no TLS."""
import contextlib
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

from programs import (BINARY, CAT, CLOSE, PING, TEXT, WAIT, Failed, Peer, case, cat, cat_prints,
                      contains, equal, finish, frame, main, make_certificate, read_message,
                      refuses, run)

FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="hawser-tls-"))


def authority(name):
    return str(FOLDER / f"{name}.pem")


class TlsPeer(Peer):
    """As Peer, over TLS. A stream without close_notify is an error in it."""

    def __init__(self, part, certificate="here", handshake=True, version=None):
        super().__init__(part, handshake)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(FOLDER / f"{certificate}.pem", FOLDER / f"{certificate}.key")
        self.refused = None
        if version:
            self.context.maximum_version = version

    def __enter__(self):
        super().__enter__()
        self.url = self.url.replace("ws://", "wss://")
        return self

    def serve(self, plain):
        try:
            stream = self.context.wrap_socket(plain, server_side=True, suppress_ragged_eofs=False)
        except (ssl.SSLError, ConnectionError) as error:
            self.refused = error
            return
        with stream:
            self.version = stream.version()
            super().serve(stream)


def echo(stream):
    """Send everything back, and end as RFC 6455 7.1.1 and TLS want it."""
    while True:
        kind, content = read_message(stream)
        stream.sendall(frame(kind, content))
        if kind == CLOSE:
            stream.unwrap()  # the end of the client too, or it raises
            return


def ends_well(peer, *arguments, env=None):
    found, out, err = cat_with(env, *arguments, "--send", "hello", peer.url)
    equal(out.splitlines(), ["open", "text: hello", "close: 1000"], f"stdout (stderr {err!r})")
    equal(found, 0, "status")
    return err


def cat_with(env, *arguments):
    done = subprocess.run([CAT, *arguments], input=b"", capture_output=True, timeout=WAIT,
                          check=False, env={**os.environ, **(env or {})})
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def is_refused(peer, word, *arguments):
    """One sentence, with this word, and an alert for the peer."""
    status, out, err = cat(*arguments, "--send", "x", peer.url)
    equal((status, out), (1, ""), f"status and stdout (stderr {err!r})")
    equal(err.count("\n"), 1, f"lines of {err!r}")
    contains(err, "hawser-cat: ", "stderr")
    contains(err, word, "stderr")
    peer.thread.join(WAIT)
    contains(str(peer.refused), "alert", "what the server met")


# --- whom it trusts ------------------------------------------------------------------------------

@case("a certificate that the system does not trust is refused")
def untrusted():
    with TlsPeer(echo) as peer:
        is_refused(peer, "certificate")


@case("--cacert names whom to trust, in TLS 1.3 and 1.2")
def cacert():
    for version, name in ((None, "TLSv1.3"), (ssl.TLSVersion.TLSv1_2, "TLSv1.2")):
        with TlsPeer(echo, version=version) as peer:
            equal(ends_well(peer, "--cacert", authority("here")), "", "stderr")
        equal(peer.version, name, "version")


@case("--cacert of somebody else trusts nobody")
def other_authority():
    with TlsPeer(echo) as peer:
        is_refused(peer, "certificate", "--cacert", authority("elsewhere"))


@case("a certificate for another host is refused")
def wrong_host():
    with TlsPeer(echo, certificate="elsewhere") as peer:
        is_refused(peer, "certificate", "--cacert", authority("elsewhere"))


@case("a host name is checked as well as an address")
def host_name():
    with TlsPeer(echo) as peer:
        peer.url = peer.url.replace("127.0.0.1", "localhost")
        ends_well(peer, "--cacert", authority("here"))
    with TlsPeer(echo, certificate="address") as peer:
        peer.url = peer.url.replace("127.0.0.1", "localhost")
        is_refused(peer, "certificate", "--cacert", authority("address"))


@case("--insecure takes any certificate, of anybody")
def insecure():
    for certificate in ("here", "elsewhere"):
        with TlsPeer(echo, certificate) as peer:
            ends_well(peer, "--insecure")


@case("a file that is no certificate is a bad command line")
def bad_file():
    for path in ("/nonexistent/file", __file__):
        status, out, err = cat("--cacert", path, "wss://127.0.0.1:1/")
        equal((status, out), (2, ""), f"status and stdout (stderr {err!r:.200})")
        contains(err, "usage: hawser-cat", "stderr")
    refuses(CAT, "--insecure=yes", "wss://127.0.0.1:1/")


# --- messages ------------------------------------------------------------------------------------

@case("long messages go both ways at once")
def long_messages():
    with TlsPeer(echo) as peer, tempfile.NamedTemporaryFile() as file:
        file.write(os.urandom(4 << 20))
        file.flush()
        status, out, err = cat("--insecure", "--binary", file.name, "--binary", file.name, "--send",
                               "end", peer.url)
        equal([line.split(":")[0] for line in out.splitlines()],
              ["open", "binary", "binary", "text", "close"], f"kinds (stderr {err!r})")
        equal(status, 0, "status")


@case("many messages in one record are all taken")
def many():
    def part(stream):
        stream.sendall(b"".join(frame(TEXT, b"%d" % n) for n in range(1000)))
        finish(stream)
        stream.unwrap()

    with TlsPeer(part) as peer:
        cat_prints(["open", *(f"text: {n}" for n in range(1000)), "close: 1000"], "--insecure",
                   "--echo", peer.url)


@case("a stream that drips byte by byte is put together")
def drip():
    def part(stream):
        for byte in frame(TEXT, b"drip"):
            stream.sendall(bytes([byte]))
        finish(stream)
        stream.unwrap()

    with TlsPeer(part) as peer:
        cat_prints(["open", "text: drip", "close: 1000"], "--insecure", "--echo", peer.url)


# --- ends ----------------------------------------------------------------------------------------

@case("when the server closes first, the client says close_notify too")
def server_closes():
    def part(stream):
        finish(stream)
        stream.unwrap()

    with TlsPeer(part) as peer:
        cat_prints(["open", "close: 1000"], "--insecure", "--echo", peer.url)


@case("a stream that ends without a Close is no clean end, with close_notify or without")
def cut_off():
    for cut in (False, True):
        def part(stream, cut=cut):
            read_message(stream)
            if cut:
                socket.socket.shutdown(stream, socket.SHUT_WR)
            else:
                with contextlib.suppress(OSError):
                    stream.unwrap()

        with TlsPeer(part) as peer:
            err = cat_prints(["open"], "--insecure", "--send", "x", peer.url, status=1)
            contains(err, "too early", "stderr")


@case("a stream that ends without close_notify behind both Closes is a clean end")
def cut_off_late():
    def part(stream):
        finish(stream)
        socket.socket.shutdown(stream, socket.SHUT_WR)
        with contextlib.suppress(OSError):
            stream.recv(1)

    with TlsPeer(part) as peer:
        cat_prints(["open", "close: 1000"], "--insecure", "--echo", peer.url)


@case("a server that speaks no TLS is a sentence")
def no_tls():
    def answer(listener):
        stream, _ = listener.accept()
        with stream:
            stream.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            stream.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(WAIT)
        thread = threading.Thread(target=answer, args=(listener,), daemon=True)
        thread.start()
        err = cat_prints([], f"wss://127.0.0.1:{listener.getsockname()[1]}/", status=1)
        thread.join(WAIT)
    contains(err, "hawser-cat: ", "stderr")
    return err.strip()


@case("a server that is silent in the handshake is waited for until the deadline")
def silent():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"wss://127.0.0.1:{listener.getsockname()[1]}/"
        err = cat_prints([], "--timeout", "1", "--insecure", url, status=1)
        contains(err, "did not answer within 1 s", "stderr")


@case("a refusal over TLS is told")
def refusal():
    def part(stream):
        stream.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        with contextlib.suppress(OSError):
            stream.unwrap()

    with TlsPeer(part, handshake=False) as peer:
        err = cat_prints([], "--insecure", peer.url, status=1)
        contains(err, "403 Forbidden", "stderr")


# --- what it logs --------------------------------------------------------------------------------

@case("SSLKEYLOGFILE names a file for the secrets")
def key_log():
    for version, word in ((None, "CLIENT_TRAFFIC_SECRET_0 "), (ssl.TLSVersion.TLSv1_2,
                                                             "CLIENT_RANDOM ")):
        path = FOLDER / "keys.log"
        with TlsPeer(echo, version=version) as peer:
            ends_well(peer, "--insecure", env={"SSLKEYLOGFILE": str(path)})
        contains(path.read_text(), word, "key log")


@case("without SSLKEYLOGFILE no secret is written")
def no_key_log():
    with TlsPeer(echo) as peer:
        ends_well(peer, "--insecure", env={"SSLKEYLOGFILE": ""})


SECRETS = ("--header", "Cookie: sid=hidden1", "--header", "X-Api-Key: hidden2")


def traced(peer, *arguments):
    url = peer.url.replace("://", "://me:hidden3@") + "chat?token=hidden4"
    status, out, err = cat("--trace", *SECRETS, *arguments, url)
    equal((status, out.splitlines()[0]), (0, "open"), f"status and stdout (stderr {err!r})")
    for secret in ("hidden", "bWU6aGlkZGVuMw"):
        if secret in err:
            raise Failed(f"a secret is in the trace: {err!r}")
    for line in ("> GET /chat?token=*** HTTP/1.1", "> Authorization: ***", "> Cookie: ***",
                 "< HTTP/1.1 101 Switching Protocols"):
        contains(err.splitlines(), line, "trace")
    return [line for line in err.splitlines() if "FIN" in line or "bytes" in line]


@case("--trace tells heads and frames, and no secret, with TLS and without")
def trace():
    def part(stream):
        stream.sendall(frame(PING, b"ping"))
        while True:
            kind, content = read_message(stream)
            if kind in (TEXT, BINARY, CLOSE):
                stream.sendall(frame(kind, content))
            if kind == CLOSE:
                break
        if isinstance(stream, ssl.SSLSocket):
            stream.unwrap()

    for make, more in ((TlsPeer, ["--insecure"]), (Peer, [])):
        with make(part) as peer:
            frames = traced(peer, *more, "--send", "hidden5")
        contains(frames, "> Text FIN masked, 7 bytes", "frames")
        contains(frames, "< Text FIN, 7 bytes", "frames")
        contains(frames, '< Ping FIN, 4 bytes: "ping"', "frames")
        contains(frames, '> Pong FIN masked, 4 bytes: "ping"', "frames")
        contains(frames, "> Close FIN masked, 2 bytes: 1000", "frames")
        contains(frames, "< Close FIN, 2 bytes: 1000", "frames")


def start():
    if not shutil.which("openssl"):
        print("The openssl program is missing.")
        sys.exit(77)
    if len(sys.argv) > 1 and "this build has none" in run(CAT, "wss://127.0.0.1:1/")[2]:
        print("The build has no TLS.")
        sys.exit(77)
    try:
        make_certificate(FOLDER, "here", "DNS:localhost,IP:127.0.0.1")
        make_certificate(FOLDER, "address", "IP:127.0.0.1")
        make_certificate(FOLDER, "elsewhere", "DNS:elsewhere.example")
        main(__doc__)
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)


start()
