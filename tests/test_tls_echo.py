"""hawser-echo over TLS: messages, the end, bad clients, the key log. See programs.py.

The certificate is made by the openssl program."""
import os
import pathlib
import shutil
import signal
import ssl
import tempfile

from programs import (CLOSE, ECHO, WAIT, Echo, case, code_of, connect, contains, echoes,
                      ends_within, equal, frame, has_tls, main, make_certificate, read_head,
                      request, run, status_of)


def tls_case(name):
    """A case that gets a folder with cert.pem and cert.key."""
    def add(function):
        def run_case():
            if not has_tls():
                return "not tried: this build has no OpenSSL"
            if shutil.which("openssl") is None:
                return "not tried: there is no openssl to make a certificate"
            with tempfile.TemporaryDirectory() as folder:
                make_certificate(folder, "cert", "IP:127.0.0.1,DNS:localhost")
                return function(folder)
        return case(name)(run_case)
    return add


def tls_options(folder):
    return ["--tls-cert", folder + "/cert.pem", "--tls-key", folder + "/cert.key"]


class TlsServer:
    """What upgrade() and others need of a server, with TLS between."""

    def __init__(self, server, folder):
        self.host, self.port = server.host, server.port
        self.context = ssl.create_default_context(cafile=folder + "/cert.pem")

    def upgrade(self):
        stream = self.context.wrap_socket(connect(self), server_hostname=self.host)
        stream.sendall(request(self))
        equal(status_of(read_head(stream)), 101, "status")
        return stream


@tls_case("--tls-cert and --tls-key serve wss://, messages of every size")
def tls(folder):
    with Echo(*tls_options(folder), "--threads", "2") as server:
        contains(server.line, "hawser-echo listens on wss://", "first line")
        with TlsServer(server, folder).upgrade() as stream:
            for length in (0, 1, 125, 126, 16383, 16384, 16385, 65536, 1 << 20):
                echoes(stream, b"x" * length)
            stream.sendall(frame(CLOSE, b"\x03\xe8", mask=True))
            equal(code_of(stream), 1000, "code")
            equal(stream.recv(1), b"", "end of the stream")  # with close_notify


@tls_case("SIGTERM closes TLS connections with 1001 as well")
def tls_graceful(folder):
    with Echo(*tls_options(folder)) as server:
        with TlsServer(server, folder).upgrade() as stream:
            server.process.send_signal(signal.SIGTERM)
            equal(code_of(stream), 1001, "code")
            stream.sendall(frame(CLOSE, b"\x03\xe9", mask=True))
            equal(stream.recv(1), b"", "end of the stream")
        equal(server.process.wait(WAIT), 0, "status")


@tls_case("clients that speak no TLS, or stop inside its handshake, are ended; others are served")
def tls_bad_clients(folder):
    with Echo(*tls_options(folder), "--handshake", "1") as server:
        with connect(server) as plain, connect(server) as silent:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            silent.sendall(b"\x16\x03\x01")
            ends_within(plain, 5, "plain")
            ends_within(silent, 15, "silent")
        with TlsServer(server, folder).upgrade() as stream:
            echoes(stream, b"well")


@tls_case("SSLKEYLOGFILE gets the secrets of TLS")
def tls_key_log(folder):
    path = pathlib.Path(folder, "keys")
    with Echo(*tls_options(folder), env={**os.environ, "SSLKEYLOGFILE": str(path)}) as server:
        with TlsServer(server, folder).upgrade() as stream:
            echoes(stream, b"x")
    contains(path.read_text(), "CLIENT_TRAFFIC_SECRET_0 ", "key log")


@tls_case("an empty SSLKEYLOGFILE names no file")
def tls_no_key_log(folder):
    with Echo(*tls_options(folder), env={**os.environ, "SSLKEYLOGFILE": ""}) as server:
        with TlsServer(server, folder).upgrade() as stream:
            echoes(stream, b"x")


@tls_case("a certificate that cannot be read is a sentence, and ends with 1")
def tls_bad_files(folder):
    bad = pathlib.Path(folder, "bad.pem")
    bad.write_text("nothing")
    for cert in (str(bad), folder + "/none.pem"):
        status, out, err = run(ECHO, "--port", "0", "--tls-cert", cert, "--tls-key",
                               folder + "/cert.key")
        equal((status, out), (1, ""), "status and stdout")
        contains(err, "hawser-echo: ", "stderr")


if __name__ == "__main__":
    main(__doc__)
