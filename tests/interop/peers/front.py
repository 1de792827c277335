"""Connections by hand to a front of a proxy (see proxies.py)."""
import http.client
import socket
import ssl
import struct
import time

from programs import Cat, Failed
from rawsocket import KEY, Peer, accept_value, expect_status, request


def same(got, wanted):
    if got != wanted:
        raise Failed(f"expected {wanted!r:.100}, got {got!r:.100}")


def until(case, seconds=5):
    """Tries until it comes true: what one process did, another may see a moment later."""
    last = time.monotonic() + seconds
    while True:
        try:
            return case()
        except Failed:
            if time.monotonic() > last:
                raise
            time.sleep(0.05)


class Client(Peer):
    """Our end of a connection to a front."""

    def fill_all(self):
        """All bytes until the stream ends."""
        while self.fill():
            pass
        return self.buffer

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Front:
    """One port of a proxy."""

    def __init__(self, proxy, name):
        self.proxy, self.name, self.port = proxy, name, proxy.ports[name]
        self.is_secure = name == "secure"
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"{'wss' if self.is_secure else 'ws'}://{self.host}/"
        self.origin = f"{'https' if self.is_secure else 'http'}://{self.host}"

    def trust(self):
        return ssl.create_default_context(cafile=self.proxy.identity.certificate)

    def connect(self):
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        if self.is_secure:
            sock = self.trust().wrap_socket(sock, server_hostname="127.0.0.1")
        return Client(sock, True)

    def ask(self, status, *fields):
        """Sends a handshake; returns the peer, and the head of the answer."""
        peer = self.connect()
        try:
            peer.sock.sendall(request(self.host, *fields))
            return peer, expect_status(peer, status)
        except BaseException:
            peer.sock.close()
            raise

    def open(self, *fields):
        """An open WebSocket connection."""
        peer, head = self.ask(101, *fields)
        if f"sec-websocket-accept: {accept_value(KEY)}".lower() not in head.lower():
            peer.sock.close()
            raise Failed(f"a wrong Sec-WebSocket-Accept: {head!r}")
        return peer

    def refused(self, status, *fields):
        """The head of a refusal."""
        peer, head = self.ask(status, *fields)
        peer.sock.close()
        return head

    def http(self, method, path):
        """(status, body) of a request for a page."""
        if self.is_secure:
            talk = http.client.HTTPSConnection(self.host, timeout=10, context=self.trust())
        else:
            talk = http.client.HTTPConnection(self.host, timeout=10)
        try:
            talk.request(method, path)
            answer = talk.getresponse()
            return answer.status, answer.read()
        finally:
            talk.close()

    def cat(self, bin_dir, *options):
        trust = ("--cacert", self.proxy.identity.certificate) if self.is_secure else ()
        return Cat(bin_dir, *trust, *options, self.url)
