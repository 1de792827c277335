"""One WebSocket connection of the soak, as client: plain or TLS, with or without compression.

Knows frames, heads and streams; not what a test wants of them. Whatever waits has a limit."""
import asyncio
import random
import socket
import ssl
import struct
import zlib

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
WAIT = 40  # seconds for what takes no time, on a busy machine with sanitizers
TAIL = b"\x00\x00\xff\xff"  # RFC 7692, section 7.2.1
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


class Failed(Exception):
    """What the server did wrong."""


class Full(Exception):
    """503: there is no room for this client now."""


def masked(content, key):
    whole = key * (len(content) // 4 + 1)
    number = int.from_bytes(content, "big") ^ int.from_bytes(whole[:len(content)], "big")
    return number.to_bytes(len(content), "big")


def frame(opcode, content=b"", fin=True, rsv=0, mask=True):
    """A frame as a client sends it."""
    first = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    bit = 0x80 if mask else 0
    if len(content) < 126:
        head = first + bytes([bit | len(content)])
    elif len(content) < 1 << 16:
        head = first + struct.pack("!BH", bit | 126, len(content))
    else:
        head = first + struct.pack("!BQ", bit | 127, len(content))
    if not mask:
        return head + content
    key = random.randbytes(4)
    return head + key + masked(content, key)


def request(offer="", target="/", fields=()):
    lines = [f"GET {target} HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket",
             "Connection: Upgrade", f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 13",
             *fields]
    if offer:
        lines.append(f"Sec-WebSocket-Extensions: {offer}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Deflate:
    """Both directions of permessage-deflate, as the answer of the server agreed to them."""

    def __init__(self, answer):
        terms = dict(part.strip().partition("=")[::2] for part in answer.split(";")[1:])
        self.bits = int(terms.get("client_max_window_bits") or 15)
        self.fresh_out = "client_no_context_takeover" in terms
        self.fresh_in = "server_no_context_takeover" in terms
        self.out = self.into = None

    def compress(self, content):
        if self.out is None or self.fresh_out:
            self.out = zlib.compressobj(1, zlib.DEFLATED, -self.bits, 5)
        data = self.out.compress(content) + self.out.flush(zlib.Z_SYNC_FLUSH)
        return data.removesuffix(TAIL)

    def inflate(self, data):
        if self.into is None or self.fresh_in:
            self.into = zlib.decompressobj(-15)
        return self.into.decompress(data + TAIL)


class Peer:
    """A connection to `server`, which has host, port and context (None without TLS)."""

    def __init__(self, server):
        self.server = server
        self.reader = self.writer = self.deflate = None
        self.data = bytearray()  # that came and is no whole frame yet
        self.pongs = []  # what they carried
        self.answers_pings = True

    async def connect(self, tls=True, receive_len=0):
        """Open the socket; TLS too when the server has it and `tls` is set."""
        plain = socket.socket()
        plain.setblocking(False)
        if receive_len:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_len)
        try:
            address = (self.server.host, self.server.port)
            await asyncio.get_running_loop().sock_connect(plain, address)
        except BaseException:
            plain.close()
            raise
        context = self.server.context if tls else None  # from here on asyncio owns the socket
        self.reader, self.writer = await asyncio.wait_for(asyncio.open_connection(
            sock=plain, ssl=context, server_hostname=self.server.host if context else None), WAIT)

    async def open(self, offer="", **options):
        """The handshake of TLS, and that of WebSocket."""
        await self.connect(**options)
        self.write(request(offer))
        await self.opened()

    async def opened(self):
        """The answer to a request that was written."""
        status, head = await self.head()
        if status == 503:
            raise Full
        if status != 101 or ACCEPT not in head:
            raise Failed(f"the handshake was answered {head!r:.200}")
        for line in head.split("\r\n"):
            if line.lower().startswith("sec-websocket-extensions:"):
                self.deflate = Deflate(line.partition(":")[2])

    async def head(self):
        """The status and the text of a response."""
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), WAIT)).decode("latin-1")
        return int(head.split(" ", 2)[1]), head

    def write(self, data):
        self.writer.write(data)

    def parse(self):
        """The first frame in `data`, taken from it: fin, rsv, opcode, content. None: not whole yet."""
        if len(self.data) < 2:
            return None
        first, second = self.data[:2]
        size, begin = second & 0x7f, 2
        if second & 0x80:
            raise Failed("a frame of the server is masked")
        if size > 125:
            begin = 4 if size == 126 else 10
            size = int.from_bytes(self.data[2:begin], "big") if len(self.data) >= begin else 1 << 64
        if len(self.data) < begin + size:
            return None
        content = bytes(self.data[begin:begin + size])
        del self.data[:begin + size]
        return first >> 7, first >> 4 & 7, first & 0xf, content

    async def frame(self, wait=WAIT):
        """The next frame that is not a Ping. No more than `wait` seconds go by without a byte."""
        while True:
            found = self.parse()
            if found is None:
                more = await asyncio.wait_for(self.reader.read(1 << 18), wait)
                if not more:
                    raise asyncio.IncompleteReadError(bytes(self.data), None)
                self.data += more
                continue
            if found[2] == PONG:
                self.pongs.append(found[3])
            if found[2] != PING:
                return found
            if self.answers_pings:
                self.write(frame(PONG, found[3]))

    async def message(self, wait=WAIT):
        """The next message: opcode and content. A Close is one."""
        kind, parts, compressed = None, [], False
        while True:
            fin, rsv, opcode, content = await self.frame(wait)
            if opcode == PONG:
                continue
            if opcode == CLOSE:
                return CLOSE, content
            if (opcode == 0) != (kind is not None) or (rsv and (rsv != 4 or not self.deflate or parts)):
                raise Failed(f"frame with opcode {opcode} and RSV {rsv} inside of message {kind}")
            if kind is None:
                kind, compressed = opcode, rsv == 4
            parts.append(content)
            if fin:
                whole = b"".join(parts)
                return kind, self.deflate.inflate(whole) if compressed else whole

    def cut(self, opcode, content, dice, compressed=False):
        """The frames of a message: at most eight, with Pings between them now and then."""
        if compressed:
            content = self.deflate.compress(content)
        count = dice.choice((1, 1, 1, 2, 3, 8))
        cuts = sorted(dice.randint(0, len(content)) for _ in range(count - 1))
        frames = []
        for number, (begin, end) in enumerate(zip([0, *cuts], [*cuts, len(content)])):
            frames.append(frame(opcode if number == 0 else 0, content[begin:end],
                                number == count - 1, 4 if compressed and number == 0 else 0))
            if dice.random() < 0.1:
                frames.append(frame(PING, b"between"))
        return frames

    async def expect(self, opcode, content, what="echo"):
        got = await self.message()
        if got != (opcode, content):
            raise Failed(f"{what}: got {got[0]} of {len(got[1])} bytes {got[1]!r:.60}, "
                         f"wanted {opcode} of {len(content)} bytes {content!r:.60}")

    async def echo(self, opcode, content):
        """Send a message in one frame, and get it back."""
        self.write(frame(opcode, content))
        await self.expect(opcode, content)

    async def expect_close(self, code, wait=WAIT):
        """A Close with this code comes; None is one without a code."""
        opcode, content = await self.message(wait)
        got = struct.unpack("!H", content[:2])[0] if len(content) > 1 else None
        if opcode != CLOSE or got != code:
            raise Failed(f"message {opcode} {content!r:.60} instead of a Close with {code}")

    async def expect_end(self, wait=WAIT, reset=False):
        """The stream ends, by a reset only where that is right."""
        try:
            rest = bytes(self.data) or await asyncio.wait_for(self.reader.read(1), wait)
        except (ConnectionError, ssl.SSLError):
            if not reset:
                raise
            return
        if rest:
            raise Failed(f"{rest!r:.60} instead of the end")

    async def say_goodbye(self, code=1000):
        """The closing handshake from this side."""
        self.write(frame(CLOSE, struct.pack("!H", code)))
        await self.expect_close(code)
        await self.expect_end()

    async def take_leave(self, code):
        """The closing handshake from the other side."""
        await self.expect_close(code)
        self.write(frame(CLOSE, struct.pack("!H", code)))
        await self.expect_end()

    def reset(self):
        """End the connection by a RST."""
        plain = self.writer.get_extra_info("socket")
        if plain is None:  # the server was quicker
            return
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def close(self):
        """Let the socket go, whatever state it is in."""
        if self.writer is not None:
            self.writer.transport.abort()
            await asyncio.sleep(0)
