"""The clients of the soak: good ones, bad ones and steady ones, each a coroutine.

A client gets a Peer that is not connected yet, dice of its own and the limits of the server. It
raises Failed, or lets an error of the stream through, when the server does not do what is right;
Full where there was no room for it. VISITS names those that come and go."""
import asyncio
import contextlib
import os
import ssl
import struct

from soak_peer import (BINARY, CLOSE, PING, PONG, TEXT, WAIT, Failed, Full, frame, request)

OFFER = "permessage-deflate; client_max_window_bits"
SLACK = 10  # seconds that a deadline of the server may be late on a busy machine
VISITS = {}


class Limits:
    """What the servers of the soak are told by their command lines. Seconds, where they are times."""
    max_message = 1 << 20
    max_connections = 64
    rate = 2000
    handshake = 6
    ping = 8
    idle = 20
    drain = 4
    stall = 30  # this and the next are the defaults of hawser
    close = 10


def visit(weight, tls_only=False):
    """Make a client one of those that come and go; one with twice the weight comes twice as often."""
    def add(function):
        VISITS[function.__name__] = (function, weight, tls_only)
        return function
    return add


def some_content(dice, most):
    """Text or bytes of a length whose logarithm is evenly spread."""
    size = int(2 ** dice.uniform(0, most.bit_length() - 1)) - 1
    kind = dice.random()
    if kind < 0.3:
        return BINARY, dice.randbytes(size)
    if kind < 0.6:
        return BINARY, (dice.randbytes(16) * (size // 16 + 1))[:size]
    alphabet = dice.choice(("abc ", "öß€x", "\U0001f6a2\U0001f30a~z"))
    piece = "".join(dice.choice(alphabet) for _ in range(min(size, 64)))
    return TEXT, (piece * (size // 64 + 1)).encode()[:size].decode(errors="ignore").encode()


# --- good ones -----------------------------------------------------------------------------------

async def exchange(peer, dice, most=200000):
    """One random message there and back. Returns its bytes."""
    opcode, content = some_content(dice, most)
    compressed = peer.deflate is not None and dice.random() < 0.6
    wire = b"".join(peer.cut(opcode, content, dice, compressed))
    cut = dice.randint(0, len(wire))
    for part in (wire[:cut], wire[cut:]):
        peer.write(part)
        await asyncio.sleep(0)
    await peer.expect(opcode, content)
    return len(content)


@visit(12)
async def friend(peer, dice, _):
    """A few messages and a good end."""
    await peer.open(OFFER if dice.random() < 0.5 else "")
    for _ in range(dice.randint(0, 5)):
        await exchange(peer, dice, 20000)
    await peer.say_goodbye(dice.choice((1000, 1001, 3000, 4999)))


@visit(2)
async def half_closed(peer, _dice, _limits):
    """The end of the stream right behind a message: its echo still comes, and then the end."""
    await peer.open()
    peer.write(frame(TEXT, b"last words"))
    if peer.server.context is None:
        peer.writer.write_eof()
        await peer.expect(TEXT, b"last words")
        with contextlib.suppress(asyncio.IncompleteReadError):
            await peer.message()
    await peer.close()


@visit(2)
async def one_by_one(peer, dice, limits):
    """Handshake, message and Close in single bytes."""
    await peer.connect()
    begin = asyncio.get_running_loop().time()
    for byte in request():
        peer.write(bytes([byte]))
        await asyncio.sleep(0)
    if asyncio.get_running_loop().time() - begin > limits.handshake / 2:
        return  # the machine is busy, and this client too slow for the deadline
    await peer.opened()
    content = dice.randbytes(dice.randint(0, 150))
    for byte in frame(BINARY, content):
        peer.write(bytes([byte]))
        await asyncio.sleep(0)
    await peer.expect(BINARY, content)
    await peer.say_goodbye()


@visit(2)
async def slow_handshake(peer, dice, limits):
    """In several parts, and just in time."""
    await peer.connect()
    begin = asyncio.get_running_loop().time()
    wire = request(OFFER)
    for at in range(0, len(wire), 50):
        peer.write(wire[at:at + 50])
        await asyncio.sleep(dice.random() * limits.handshake / 10)
    if asyncio.get_running_loop().time() - begin > limits.handshake * 0.8:
        return  # as above
    await peer.opened()
    await peer.say_goodbye()


@visit(2)
async def pipelined(peer, dice, _):
    """Many small messages in one write come back in order."""
    await peer.open()
    count = dice.randint(2, 300)
    peer.write(b"".join(frame(BINARY, b"%d" % number) for number in range(count)))
    for number in range(count):
        await peer.expect(BINARY, b"%d" % number)
    await peer.say_goodbye()


@visit(1)
async def page(peer, dice, _):
    """Plain HTTP, on the same port."""
    target, wanted = dice.choice((("/", 200), ("/nothing", 404)))
    await peer.connect()
    peer.write(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    await expect_status(peer, wanted)


async def expect_status(peer, wanted):
    status, _ = await peer.head()
    if status == 503:
        raise Full
    if status != wanted:
        raise Failed(f"status {status} instead of {wanted}")
    await asyncio.wait_for(peer.reader.read(), WAIT)


# --- who goes without a word ---------------------------------------------------------------------

@visit(6)
async def vanish(peer, dice, _):
    """A reset: before, in or behind the handshake, in a frame, or behind an unread echo."""
    await peer.connect()
    wire = request(OFFER) + b"".join(frame(BINARY, bytes(dice.randint(0, 70000))) for _ in range(3))
    where = dice.choice((0, 1, 100, len(request(OFFER)), dice.randint(0, len(wire)), len(wire)))
    peer.write(wire[:where])
    await asyncio.sleep(dice.random() * 0.05)
    peer.reset()


@visit(3)
async def leave(peer, dice, _):
    """The same by a FIN, between messages or inside."""
    await peer.open()
    await exchange(peer, dice, 2000)
    peer.write(frame(TEXT, b"and th", fin=False)[:dice.randint(0, 12)])
    await peer.close()


@visit(2)
async def reset_while_closing(peer, _dice, _limits):
    """A Close, and a reset instead of waiting for its echo."""
    await peer.open()
    peer.write(frame(PING, b"x") + frame(CLOSE, struct.pack("!H", 1000)))
    await asyncio.sleep(0)
    peer.reset()


# --- who breaks a rule ---------------------------------------------------------------------------

FAULTS = (
    ("a reserved bit", frame(TEXT, b"x", rsv=2), 1002),
    ("a reserved opcode", frame(3, b"x"), 1002),
    ("a reserved control opcode", frame(11), 1002),
    ("no mask", frame(TEXT, b"x", mask=False), 1002),
    ("a long Ping", frame(PING, bytes(126)), 1002),
    ("a Ping in fragments", frame(PING, b"x", fin=False), 1002),
    ("nothing to continue", frame(0, b"x"), 1002),
    ("a message in a message", frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"), 1002),
    ("a length that is not minimal", b"\x82\xfe\x00\x05\x00\x00\x00\x00hello", 1002),
    ("a length of 64 bits", b"\x82\xff" + b"\xff" * 8 + b"\x00" * 4, 1002),
    ("text that is not UTF-8", frame(TEXT, b"\xce\xba\xed\xa0\x80"), 1007),
    ("text that ends too early", frame(TEXT, b"\xce"), 1007),
    ("a Close of one byte", frame(CLOSE, b"x"), 1002),
    ("a Close with 1005", frame(CLOSE, struct.pack("!H", 1005)), 1002),
    ("a reason that is not UTF-8", frame(CLOSE, struct.pack("!H", 1000) + b"\xff"), 1007),
)


@visit(10)
async def rule_breaker(peer, dice, _):
    """One good message, one fault, one Ping: an echo, a Close, and nothing else."""
    name, wire, code = dice.choice(FAULTS)
    await peer.open()
    wire = frame(TEXT, b"good") + wire + frame(PING, b"too late")
    cut = dice.randint(0, len(wire))
    peer.write(wire[:cut])
    await asyncio.sleep(dice.choice((0, 0.01)))
    peer.write(wire[cut:])
    await peer.expect(TEXT, b"good", f"echo before {name}")
    try:
        await peer.expect_close(code)
    except Failed as error:
        raise Failed(f"{name}: {error}") from error
    if peer.pongs:
        raise Failed(f"{name}: a Pong came for a Ping behind it")
    await linger(peer, dice)


async def linger(peer, dice):
    """Behind the Close of the server: answer it, go at once, or reset."""
    how = dice.choice(("answer", "answer", "go", "reset"))
    if how == "answer":
        peer.write(frame(CLOSE, struct.pack("!H", 1000)))
        await peer.expect_end()
    elif how == "reset":
        peer.reset()
    await peer.close()


@visit(2)
async def bad_deflate(peer, dice, _):
    """Compressed nonsense, or a compressed frame without having agreed on it."""
    offer = dice.choice((OFFER, ""))
    await peer.open(offer)
    peer.write(frame(BINARY, b"\xff" * dice.randint(1, 2000), rsv=4))
    await peer.expect_close(1007 if offer else 1002)
    await linger(peer, dice)


REQUESTS = (
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"\x16\x03\x01 nonsense \r\n\r\n", 400),
    (request().replace(b"Version: 13", b"Version: 12"), 426),
    (request().replace(b"Key: dGhl", b"Key: dGh"), 400),
    (request(fields=("Origin: http://elsewhere.example",)), 403),
    (request(fields=("X: " + "y" * 100000,)), 431),
)


@visit(4)
async def bad_request(peer, dice, _):
    """A handshake that is none: its status, and the end."""
    wire, status = dice.choice(REQUESTS)
    await peer.connect()
    peer.write(wire)
    with contextlib.suppress(ConnectionResetError):  # what was not read of a long one
        await expect_status(peer, status)


@visit(3)
async def too_much(peer, dice, limits):
    """Messages beyond the limit, by one length, by fragments, or by compression: 1009."""
    how = dice.choice(("length", "fragments", "bomb"))
    await peer.open(OFFER)
    if how == "length":
        size = dice.choice((limits.max_message + 1, 1 << 32, (1 << 63) - 1))
        peer.write(b"\x82\xff" + struct.pack("!Q", size) + bytes(4 + 1000))
    elif how == "fragments":
        piece = limits.max_message // 4
        peer.write(frame(BINARY, bytes(piece), fin=False))
        peer.write(b"".join(frame(0, bytes(piece), fin=False) for _ in range(3)))
        peer.write(frame(0, b"x"))
    else:
        peer.write(b"".join(peer.cut(BINARY, bytes(limits.max_message * 2), dice, True)))
    await peer.expect_close(1009)
    await linger(peer, dice)


@visit(2)
async def ping_flood(peer, dice, _):
    """Many Pings at once: at least the newest is answered, in order, and messages still go."""
    await peer.open()
    count = dice.randint(10, 1500)
    wire = b"".join(frame(PING, b"%06d" % number) for number in range(count))
    peer.write(wire + frame(TEXT, b"behind"))
    await peer.expect(TEXT, b"behind")
    newest = b"%06d" % (count - 1)
    while newest not in peer.pongs:
        _, _, opcode, _ = await peer.frame()
        if opcode != PONG:
            raise Failed(f"frame {opcode} instead of a Pong")
    if peer.pongs != sorted(peer.pongs):
        raise Failed("Pongs came out of order")
    await peer.say_goodbye()


@visit(1)
async def rate_flood(peer, dice, limits):
    """More messages in a second than allowed: echoes in order, and then 1008."""
    await peer.open()
    peer.write(b"".join(frame(BINARY, b"%d" % number) for number in range(limits.rate * 2)))
    number = 0
    while True:
        opcode, content = await peer.message()
        if opcode == CLOSE:
            break
        if content != b"%d" % number:
            raise Failed(f"echo {content!r:.60} instead of {number}")
        number += 1
    if content[:2] != struct.pack("!H", 1008) or number < limits.rate:
        raise Failed(f"Close {content!r:.60} behind {number} echoes")
    await linger(peer, dice)


# --- who does nothing ----------------------------------------------------------------------------

@visit(2)
async def mute(peer, dice, limits):
    """Nothing, or half a request: the deadline of the handshake ends it."""
    await peer.connect()
    peer.write(request()[:dice.choice((0, 1, 60))])
    data = await asyncio.wait_for(peer.reader.read(), limits.handshake + SLACK)
    if data and b" 408 " not in data and b" 503 " not in data:
        raise Failed(f"{data!r:.60} for who asked nothing")


@visit(2)
async def idle(peer, _dice, limits):
    """No message, but Pongs: the closing handshake comes when it was idle for too long."""
    await peer.open()
    await peer.expect_close(1001, limits.idle + SLACK)
    peer.write(frame(CLOSE, struct.pack("!H", 1001)))
    await peer.expect_end()


@visit(2)
async def deaf(peer, _dice, limits):
    """No answers to Pings: it is given up."""
    await peer.open()
    peer.answers_pings = False
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionResetError):
        opcode, _ = await peer.message(2 * limits.ping + SLACK)
        if opcode == CLOSE:
            await asyncio.wait_for(peer.reader.read(), limits.close + SLACK)


@visit(1)
async def never_ends(peer, _dice, limits):
    """A Close, and then no end of the stream from this side: the server ends it."""
    await peer.open()
    peer.write(frame(TEXT, b"\xff"))
    await peer.expect_close(1007)
    with contextlib.suppress(ConnectionResetError):
        await asyncio.wait_for(peer.reader.read(), limits.close + SLACK)


@visit(2)
async def staller(peer, dice, limits):
    """Sends much and reads nothing. Later it reads on and misses nothing, or goes, or is dropped."""
    await peer.open(receive_len=16384)
    content = dice.randbytes(65536)
    peer.writer.transport.set_write_buffer_limits(0)
    peer.reader._transport.pause_reading()  # before any of it can come
    sent, until = 0, asyncio.get_running_loop().time() + 2
    with contextlib.suppress(asyncio.TimeoutError):
        while sent < 500 and asyncio.get_running_loop().time() < until:
            sent += 1
            peer.write(frame(BINARY, content))
            await asyncio.wait_for(peer.writer.drain(), 1)
    if sent == 500:
        raise Failed("the server took 32 MiB whose echo nobody read")
    how = dice.choice(("read", "reset", "dropped"))
    await asyncio.sleep(limits.stall + SLACK if how == "dropped" else dice.random() * limits.ping)
    if how == "reset":
        peer.reset()
        return
    peer.reader._transport.resume_reading()
    if how == "read":
        for _ in range(sent):
            await peer.expect(BINARY, content)
        await peer.say_goodbye()
        return
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionResetError, ssl.SSLError):
        for _ in range(sent + 1):
            if await peer.message() != (BINARY, content):
                return  # a Close, where all that waited fitted into the sockets
        raise Failed("a reader that stalled was not dropped")


@visit(1)
async def crowd(peer, _dice, limits):
    """More at once than there is room for: each is let in or answered 503, and all go again."""
    others = [type(peer)(peer.server) for _ in range(limits.max_connections)]

    async def one(other):
        with contextlib.suppress(Full, ConnectionResetError):
            await other.open()
            await other.echo(TEXT, b"one of many")
    try:
        await asyncio.gather(*(one(other) for other in others))
    finally:
        for other in others:
            await other.close()


# --- TLS -----------------------------------------------------------------------------------------

def client_hello(context):
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(into, out, server_hostname="127.0.0.1")
    with contextlib.suppress(ssl.SSLWantReadError):
        session.do_handshake()
    return out.read()


@visit(8, tls_only=True)
async def broken_tls(peer, dice, _):
    """A handshake of TLS that is broken off, or never was one."""
    hello = client_hello(peer.server.context)
    how = dice.choice(("cut", "garbage", "plain", "answered", "flipped"))
    await peer.connect(tls=False)
    if how == "cut":
        peer.write(hello[:dice.randint(0, len(hello))])
    elif how == "garbage":
        peer.write(os.urandom(dice.randint(1, 500)))
    elif how == "plain":
        peer.write(request())
    elif how == "flipped":
        at = dice.randrange(len(hello))
        peer.write(hello[:at] + bytes([hello[at] ^ 1 << dice.randrange(8)]) + hello[at + 1:])
    else:
        peer.write(hello)
        await asyncio.wait_for(peer.reader.read(100), WAIT)
        peer.write(os.urandom(dice.choice((0, 100))))
    await asyncio.sleep(dice.random() * 0.1)
    if dice.random() < 0.5:
        peer.reset()


@visit(2, tls_only=True)
async def broken_record(peer, dice, _):
    """Bytes that are no record, under an open connection."""
    await peer.open()
    await peer.echo(TEXT, b"still good")
    plain = peer.writer.get_extra_info("socket")
    with contextlib.suppress(BlockingIOError):
        os.write(plain.fileno(), dice.randbytes(dice.randint(1, 300)))
    await asyncio.sleep(dice.random() * 0.1)


# --- steady ones ---------------------------------------------------------------------------------

async def steady(peer, dice, turn, count):
    """Random messages until cancelled, every byte checked. `turn` is waited for before each one;
    `count` gets the bytes of each echo."""
    await peer.open(dice.choice((OFFER, OFFER, "")))
    while True:
        await turn()
        count(await exchange(peer, dice))
        await asyncio.sleep(dice.random() * 0.5)
