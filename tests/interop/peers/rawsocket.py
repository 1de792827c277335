"""Frames and handshakes by hand over plain sockets, for what no library would send."""
import base64
import hashlib
import os
import socket
import struct
from dataclasses import dataclass

from programs import Failed, shown

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


@dataclass
class Frame:
    """A frame to send, which may break any rule."""
    opcode: int
    payload: bytes = b""
    fin: int = 1
    rsv: int = 0
    form: int = 0  # bytes of the extended length; 0: as few as it needs
    declared: int = -1  # the length to declare; -1: that of the payload
    flip: bool = False  # masked when it must not be, unmasked when it must

    def encode(self, masked):
        masked = masked != self.flip
        length = len(self.payload) if self.declared < 0 else self.declared
        form = self.form or (0 if length < 126 else 2 if length < 65536 else 8)
        first = self.fin << 7 | self.rsv << 4 | self.opcode
        short = length if form == 0 else 126 if form == 2 else 127
        head = bytes([first, short | masked << 7]) + (length.to_bytes(form, "big") if form else b"")
        if not masked:
            return head + self.payload
        mask = os.urandom(4)
        stream = mask * (len(self.payload) // 4 + 1)
        size = len(self.payload)
        body = int.from_bytes(self.payload, "big") ^ int.from_bytes(stream[:size], "big")
        return head + mask + body.to_bytes(size, "big")


def close_frame(code, reason=b""):
    return Frame(CLOSE, struct.pack("!H", code) + reason)


def join(frames, masked):
    return b"".join(frame.encode(masked) for frame in frames)


def accept_value(key):
    return base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()


class Peer:
    """One connected socket: `masked` says whether we are the client."""

    def __init__(self, sock, masked):
        self.sock, self.masked, self.buffer = sock, masked, b""
        sock.settimeout(10)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, *frames):
        self.sock.sendall(join(frames, self.masked))

    def send_bytewise(self, data):
        for byte in data:
            self.sock.sendall(bytes([byte]))

    def fill(self):
        """Reads some more; False at the end of the stream."""
        try:
            data = self.sock.recv(1 << 18)
        except TimeoutError:
            raise Failed("nothing came within 10 s") from None
        except ConnectionResetError:
            raise Failed("the connection was reset") from None
        self.buffer += data
        return bool(data)

    def take(self, count):
        while len(self.buffer) < count:
            if not self.fill():
                raise Failed(f"the stream ended early, after {shown(self.buffer)}")
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def read_head(self):
        while b"\r\n\r\n" not in self.buffer:
            if not self.fill():
                raise Failed(f"the stream ended inside a head: {shown(self.buffer)}")
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return head.decode()

    def read_frame(self):
        """Returns (opcode, payload) of a frame, which must be whole and right."""
        first, second = self.take(2)
        length = second & 127
        if length > 125:
            length = int.from_bytes(self.take(2 if length == 126 else 8), "big")
        masked = bool(second & 128)
        if masked == self.masked:
            raise Failed("a frame with wrong masking")
        if first & 0x70 or not first & 0x80:
            raise Failed(f"an unexpected first byte {first:#x}")
        mask = self.take(4) if masked else b""
        payload = self.take(length)
        if masked:
            stream = (mask * (length // 4 + 1))[:length]
            payload = bytes(a ^ b for a, b in zip(payload, stream))
        return first & 15, payload

    def expect(self, opcode, payload):
        got = self.read_frame()
        if got != (opcode, payload):
            raise Failed(f"expected frame {opcode} {shown(payload)}, got {got[0]} {shown(got[1])}")

    def expect_close(self, code):
        opcode, payload = self.read_frame()
        wanted = b"" if code == 1005 else struct.pack("!H", code)
        if opcode != CLOSE or payload[:2] != wanted:
            raise Failed(f"expected Close {code}, got frame {opcode} {shown(payload)}")

    def expect_end(self):
        """The other side ends the stream in order, with nothing more in it."""
        while self.fill():
            pass
        if self.buffer:
            raise Failed(f"more bytes before the end of the stream: {shown(self.buffer)}")
        if self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise Failed("the connection was reset after its end")

    def expect_silence(self, seconds):
        """The other side neither sends nor closes for a while."""
        self.sock.settimeout(seconds)
        try:
            data = self.sock.recv(1)
        except TimeoutError:
            self.sock.settimeout(10)
            return
        raise Failed(f"expected silence, got {data!r}")


def request(host="127.0.0.1", *fields, method="GET", path="/", drop=(), key=KEY):
    """A handshake request; `drop` names fields to leave out."""
    lines = [f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade",
             f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
    lines = [line for line in lines if line.partition(":")[0] not in drop] + list(fields)
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode()


def connect(echo):
    """A TCP connection to hawser-echo."""
    return Peer(socket.create_connection(echo.address, timeout=10), True)


def expect_status(peer, status):
    head = peer.read_head()
    if head.split(" ", 2)[1] != str(status):
        raise Failed(f"expected status {status}, got {head.splitlines()[0]!r}")
    return head


def open_client(echo):
    """An open WebSocket connection to hawser-echo."""
    peer = connect(echo)
    try:
        peer.sock.sendall(request())
        head = expect_status(peer, 101)
        if f"sec-websocket-accept: {accept_value(KEY)}".lower() not in head.lower():
            raise Failed(f"a wrong Sec-WebSocket-Accept: {head!r}")
    except BaseException:
        peer.sock.close()
        raise
    return peer


def response(head, *fields):
    """The 101 for a request's head."""
    key = next(line.split(": ", 1)[1] for line in head.splitlines()
               if line.lower().startswith("sec-websocket-key: "))
    return "\r\n".join(["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket",
                        "Connection: Upgrade", f"Sec-WebSocket-Accept: {accept_value(key)}",
                        *fields, "", ""]).encode()
