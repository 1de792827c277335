"""A relay between a peer and hawser that keeps what went through it, and a judge of permessage-
deflate that takes neither side's word: it inflates every message of both directions with the window
and the takeover that were agreed, so that no reference may reach further."""
import socket
import threading
import zlib
from dataclasses import dataclass

from programs import Failed, shown

CLIENT, SERVER = 0, 1  # who sent it
NAMES = ("client", "server")
PIECE = 1024  # Bytes of input of one call of zlib.
LONG = 100000  # Bytes of a compressed message: see Inflater.
TAIL = b"\0\0\xff\xff"  # RFC 7692 7.2.2
FIN, RSV1 = 0x80, 0x40


@dataclass
class Message:
    """A data message as it went over the wire."""
    opcode: int
    packed: bool  # RSV1 of its first frame
    payload: bytes
    frames: int


class Talk:
    """One connection: what each side sent."""

    def __init__(self, near, far):
        self.sent = (bytearray(), bytearray())
        self.threads = [threading.Thread(target=self.pump, args=ends, daemon=True)
                        for ends in ((near, far, CLIENT), (far, near, SERVER))]
        for thread in self.threads:
            thread.start()

    def pump(self, source, sink, who):
        try:
            while data := source.recv(1 << 18):
                self.sent[who].extend(data)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def wait(self):
        for thread in self.threads:
            thread.join(10)
            if thread.is_alive():
                raise Failed("a side keeps its connection open")

    def extensions(self):
        """Of the server's answer."""
        head = bytes(self.sent[SERVER]).partition(b"\r\n\r\n")[0].decode("latin-1")
        lines = [line.partition(":")[2].strip() for line in head.split("\r\n")
                 if line.lower().startswith("sec-websocket-extensions:")]
        return ", ".join(lines)

    def frames(self, who):
        """The first byte and the payload of each frame that one side sent."""
        data, at = bytes(self.sent[who]).partition(b"\r\n\r\n")[2], 0
        while at < len(data):
            first, payload, at = frame(data, at)
            yield first, payload

    def messages(self, who):
        """The data messages that one side sent."""
        found = []
        for first, payload in self.frames(who):
            if first & 15 >= 8:
                if first & RSV1:
                    raise Failed(f"RSV1 on a control frame {first & 15} of the {NAMES[who]}")
            elif first & 15:
                found.append(Message(first & 15, bool(first & RSV1), payload, 1))
            else:
                if first & RSV1:
                    raise Failed(f"RSV1 on a later fragment of the {NAMES[who]}")
                found[-1].payload += payload
                found[-1].frames += 1
        return found


def frame(data, at):
    """The first byte and the payload of the frame at `at`, and where the next one is."""
    first, second = data[at], data[at + 1]
    length, at = second & 127, at + 2
    if length > 125:
        size = 2 if length == 126 else 8
        length, at = int.from_bytes(data[at:at + size], "big"), at + size
    if second & 128:
        mask, at = data[at:at + 4], at + 4
        stream = int.from_bytes((mask * (length // 4 + 1))[:length], "big")
        body = int.from_bytes(data[at:at + length], "big") ^ stream
        return first, body.to_bytes(length, "big"), at + length
    return first, data[at:at + length], at + length


class Inflater:
    """Reads the messages of one side with a window of `bits`. zlib looks also into what one call
    has put out, beside its window: a call may put out a 32nd of it, or of a long message, which
    takes many calls, a quarter."""

    def __init__(self, bits, takeover):
        self.bits, self.takeover, self.state = bits, takeover, None

    def inflate(self, payload):
        if self.state is None or not self.takeover:
            self.state = zlib.decompressobj(-self.bits)
        payload, parts = payload + TAIL, []
        step = 1 << self.bits >> (2 if len(payload) > LONG else 5)
        for i in range(0, len(payload), PIECE):
            rest, part = payload[i:i + PIECE], b""
            while rest or len(part) == step:
                part = self.state.decompress(rest, step)
                parts.append(part)
                rest = self.state.unconsumed_tail
        if self.state.eof:
            raise Failed("a block with BFINAL")
        return b"".join(parts)


class Agreed:
    """What an answer says for each side."""

    def __init__(self, extensions):
        self.packed = extensions.startswith("permessage-deflate")
        said = dict(part.strip().partition("=")[::2] for part in extensions.split(";"))
        self.bits = [int(said.get(f"{who}_max_window_bits", 15)) for who in NAMES]
        self.takeover = [f"{who}_no_context_takeover" not in said for who in NAMES]

    def inflater(self, who):
        return Inflater(self.bits[who], self.takeover[who])


def plain(talk, who, agreed):
    """The messages that one side sent, as (opcode, bytes), and how many were compressed."""
    inflater, found, packed = agreed.inflater(who), [], 0
    for i, message in enumerate(talk.messages(who)):
        data = message.payload
        if message.packed:
            packed += 1
            if not agreed.packed:
                raise Failed(f"message {i} of the {NAMES[who]} is compressed, and must not be")
            try:
                data = inflater.inflate(data)
            except zlib.error as fault:
                raise Failed(f"message {i} of the {NAMES[who]} does not fit what was agreed: "
                             f"{fault}; it starts {shown(message.payload)}") from None
        found.append((message.opcode, data))
    return found, packed


class Tap:
    """Listens on a port of its own; each connection goes on to `address`."""

    def __init__(self, address):
        self.address, self.talks = address, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                near = self.listener.accept()[0]
                far = socket.create_connection(self.address, timeout=10)
            except OSError:
                return
            for sock in (near, far):
                sock.settimeout(None)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.talks.append(Talk(near, far))

    def take(self):
        """The connection that has ended last, when there was one since the last call."""
        if not self.talks:
            raise Failed("no connection went through the relay")
        talk = self.talks[-1]
        self.talks.clear()
        talk.wait()
        return talk

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(5)
        self.listener.close()
