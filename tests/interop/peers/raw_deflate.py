"""permessage-deflate (RFC 7692) byte by byte, against both programs: what no library would send."""
import zlib

from programs import Echo, Failed
from raw_client import Served
from rawsocket import (BINARY, CLOSE, PING, PONG, TEXT, Frame, close_frame, connect,
                       expect_status, join, request)

NAME = "permessage-deflate"
RSV1 = 4
LIMIT = 100000  # --max-message
BOTH_OPTIONS = ("--deflate=best,threshold=0", "--max-message", str(LIMIT))


def compressed(data, bits=15):
    """The payload of a message, with an empty window before it."""
    state = zlib.compressobj(9, zlib.DEFLATED, -bits)
    return (state.compress(data) + state.flush(zlib.Z_SYNC_FLUSH))[:-4]


def packed(data, opcode=TEXT):
    return Frame(opcode, compressed(data), rsv=RSV1)


HELLO = bytes.fromhex("f248cdc9c90700")  # RFC 7692 7.2.3.1
AGAIN = bytes.fromhex("f200110000")  # RFC 7692 7.2.3.2: "Hello" again, out of the window
STORED = bytes.fromhex("000500faff48656c6c6f00")  # RFC 7692 7.2.3.3
FINAL = bytes.fromhex("f348cdc9c9070000")  # RFC 7692 7.2.3.4: BFINAL
BLOCKS = bytes.fromhex("f2480500 0000ffff cac9c90700")  # RFC 7692 7.2.3.5
NUMBERS = compressed(b"".join(b"%d " % (i * i) for i in range(300)))  # Own Huffman codes.
BOMB = compressed(bytes(64 << 20))

# Name, frames, and the messages that they are.
GOOD = (
    ("7.2.3.1 one block", [Frame(TEXT, HELLO, rsv=RSV1)], [b"Hello"]),
    ("7.2.3.1 one block in two fragments",
     [Frame(TEXT, HELLO[:3], fin=0, rsv=RSV1), Frame(0, HELLO[3:])], [b"Hello"]),
    ("7.2.3.2 a message refers to the last one",
     [Frame(TEXT, HELLO, rsv=RSV1), Frame(TEXT, AGAIN, rsv=RSV1)], [b"Hello", b"Hello"]),
    ("7.2.3.3 a stored block", [Frame(TEXT, STORED, rsv=RSV1)], [b"Hello"]),
    ("7.2.3.4 a block with BFINAL", [Frame(TEXT, FINAL, rsv=RSV1)], [b"Hello"]),
    ("7.2.3.4 a block with BFINAL, and a message that refers to it",
     [Frame(TEXT, FINAL, rsv=RSV1), Frame(TEXT, AGAIN, rsv=RSV1)], [b"Hello", b"Hello"]),
    ("7.2.3.4 a block after one with BFINAL in the same message",
     [Frame(TEXT, FINAL[:-1] + HELLO, rsv=RSV1)], [b"HelloHello"]),
    ("7.2.3.5 two blocks", [Frame(TEXT, BLOCKS, rsv=RSV1)], [b"Hello"]),
    ("7.2.3.6 an empty message", [Frame(TEXT, b"\0", rsv=RSV1)], [b""]),
    ("6 a plain message after a compressed one, which leaves the window alone",
     [Frame(TEXT, HELLO, rsv=RSV1), Frame(TEXT, b"plain"), Frame(TEXT, AGAIN, rsv=RSV1)],
     [b"Hello", b"plain", b"Hello"]),
    ("10.4 a message of as many bytes as may be", [packed(b"x" * LIMIT)], [b"x" * LIMIT]),
)
# Name, close code, frames of which the last is wrong.
BAD = (
    ("6.1 RSV1 on a Ping", 1002, [Frame(PING, b"x", rsv=RSV1)]),
    ("6.1 RSV1 on a Pong", 1002, [Frame(PONG, b"x", rsv=RSV1)]),
    ("6.1 RSV1 on a Close", 1002, [Frame(CLOSE, close_frame(1000).payload, rsv=RSV1)]),
    ("6.1 RSV1 on a later fragment", 1002,
     [Frame(TEXT, HELLO[:3], fin=0, rsv=RSV1), Frame(0, HELLO[3:], rsv=RSV1)]),
    ("6.1 RSV2 on a compressed message", 1002, [Frame(TEXT, HELLO, rsv=RSV1 | 2)]),
    ("7.2.2 a reserved block type", 1007, [Frame(TEXT, b"\x07\x00", rsv=RSV1)]),
    ("7.2.3.4 no block after one with BFINAL", 1007,
     [Frame(TEXT, FINAL[:-1] + b"\xaa\xbb\xcc", rsv=RSV1)]),
    ("7.2.2 a stored block whose lengths differ", 1007,
     [Frame(TEXT, STORED.replace(b"\xfa", b"\xfb"), rsv=RSV1)]),
    ("7.2.2 a distance beyond the start", 1007, [Frame(TEXT, AGAIN, rsv=RSV1)]),
    ("7.2.2 a compressed message of no bytes", 1007, [Frame(TEXT, b"", rsv=RSV1)]),
    ("7.2.2 a stored block cut short", 1007, [Frame(TEXT, STORED[:7], rsv=RSV1)]),
    ("7.2.2 Huffman codes cut short", 1007, [Frame(TEXT, NUMBERS[:10], rsv=RSV1)]),
    ("7.2.2 a block cut short", 1007, [Frame(TEXT, NUMBERS[:-10], rsv=RSV1)]),
    ("7.2.2 a block cut short between fragments", 1007,
     [Frame(TEXT, NUMBERS[:90], fin=0, rsv=RSV1), Frame(0, NUMBERS[90:-10])]),
    ("8.1 of RFC 6455: compressed text that is no UTF-8", 1007, [packed(b"a\xff")]),
    ("8.1 of RFC 6455: compressed text cut inside a code point", 1007, [packed(b"a\xe2\x82")]),
    ("8.1 of RFC 6455: compressed text that is no UTF-8, before its end", 1007,
     [Frame(TEXT, compressed(b"\xff" * 3000), fin=0, rsv=RSV1)]),
    ("10.4 of RFC 6455: one byte above the limit", 1009, [packed(b"x" * (LIMIT + 1))]),
    ("10.4 of RFC 6455: 64 MiB in few bytes", 1009, [Frame(BINARY, BOMB, rsv=RSV1)]),
    ("10.4 of RFC 6455: 64 MiB in fragments", 1009,
     [Frame(BINARY, BOMB[:9], fin=0, rsv=RSV1), Frame(0, BOMB[9:])]),
)


class Reader:
    """Reads messages that may be compressed and in fragments."""

    def __init__(self, peer, bits=15):
        self.peer, self.state = peer, zlib.decompressobj(-bits)

    def frame(self):
        peer = self.peer
        first = peer.take(1)[0]
        peer.buffer = bytes([first & ~0x40 | 0x80]) + peer.buffer
        opcode, payload = peer.read_frame()
        return first & 0x80, first & 0x40, opcode, payload

    def message(self):
        final, packed_one, _, data = self.frame()
        while not final:
            final, _, _, more = self.frame()
            data += more
        return self.state.decompress(data + b"\0\0\xff\xff") if packed_one else data

    def expect(self, wanted):
        got = self.message()
        if got != wanted:
            raise Failed(f"expected {wanted[:60]!r}, got {got[:60]!r} of {len(got)} bytes")


def extensions(head):
    lines = [line.partition(": ")[2] for line in head.splitlines()
             if line.lower().startswith("sec-websocket-extensions:")]
    return ", ".join(lines)


def open_offering(echo, *offers):
    """A connection to hawser-echo with these fields, and the extensions of its answer."""
    peer = connect(echo)
    try:
        peer.sock.sendall(request("127.0.0.1", *(f"Sec-WebSocket-Extensions: {o}" for o in offers)))
        return peer, extensions(expect_status(peer, 101))
    except BaseException:
        peer.sock.close()
        raise


def send(peer, frames, bytewise):
    if bytewise:
        peer.send_bytewise(join(frames, peer.masked))
    else:
        peer.send(*frames)


def good_at_echo(echo, frames, messages, bytewise):
    peer, _ = open_offering(echo, NAME)
    with peer:
        send(peer, frames, bytewise)
        reader = Reader(peer)
        for message in messages:
            reader.expect(message)


def bad_at_echo(echo, code, frames, bytewise):
    peer, _ = open_offering(echo, NAME)
    with peer:
        send(peer, frames, bytewise)
        peer.expect_close(code)
        peer.expect_end()


def good_at_cat(bin_dir, frames, messages, bytewise):
    with Served(bin_dir, "--echo", *BOTH_OPTIONS) as served:
        peer = served.open(f"Sec-WebSocket-Extensions: {NAME}")
        send(peer, frames, bytewise)
        reader = Reader(peer)
        for message in messages:
            reader.expect(message)


def bad_at_cat(bin_dir, code, frames, bytewise):
    with Served(bin_dir, "--echo", *BOTH_OPTIONS) as served:
        peer = served.open(f"Sec-WebSocket-Extensions: {NAME}")
        send(peer, frames, bytewise)
        peer.expect_close(code)
        peer.expect_end()
        peer.sock.close()
        served.end(1, "RFC ")


# What is offered in fields of their own, and the answer.
OFFERS = (
    ("7.1 an unknown parameter", (f"{NAME}; x",), ""),
    ("7.1 an unknown parameter, and a second offer", (f"{NAME}; x, {NAME}",), NAME),
    ("7.1 the second offer in a field of its own", (f"{NAME}; x=1", NAME), NAME),
    ("7.1 a parameter twice", (f"{NAME}; server_max_window_bits=9; server_max_window_bits=9",), ""),
    ("7.1.1.1 a value where there is none", (f"{NAME}; server_no_context_takeover=1",), ""),
    ("7.1.2.1 a window of 16", (f"{NAME}; server_max_window_bits=16",), ""),
    ("7.1.2.1 a window of 7", (f"{NAME}; server_max_window_bits=7",), ""),
    ("7.1.2.1 a window without value", (f"{NAME}; server_max_window_bits",), ""),
    ("7.1.2.1 a leading zero", (f"{NAME}; server_max_window_bits=09",), ""),
    ("7.1.2.1 a window in quotes", (f'{NAME}; server_max_window_bits="9"',),
     f"{NAME}; server_max_window_bits=9"),
    ("7.1.2.1 a window of 8", (f"{NAME}; server_max_window_bits=8",),
     f"{NAME}; server_max_window_bits=8"),
    ("5 another extension alone", ("x-webkit-deflate-frame",), ""),
    ("5 another extension first", (f"x-webkit-deflate-frame, {NAME}",), NAME),
)
# Answers to "permessage-deflate; server_max_window_bits=10" that do not fit.
ANSWERS = (
    ("7.1 an unknown parameter", f"{NAME}; server_max_window_bits=10; x"),
    ("7.1 a parameter twice", f"{NAME}; server_max_window_bits=10; server_max_window_bits=10"),
    ("7.1.2.1 no window though one was asked for", NAME),
    ("7.1.2.1 a larger window than asked for", f"{NAME}; server_max_window_bits=11"),
    ("7.1.2.1 a window of 7", f"{NAME}; server_max_window_bits=7"),
    ("7.1.2.2 client_max_window_bits, which was not offered",
     f"{NAME}; server_max_window_bits=10; client_max_window_bits=10"),
    ("7.1.1.1 a value where there is none",
     f"{NAME}; server_max_window_bits=10; server_no_context_takeover=1"),
    ("5 another extension", "x-webkit-deflate-frame"),
    ("5 the extension twice", f"{NAME}; server_max_window_bits=10, {NAME}"),
)


# What follows server_max_window_bits in an answer to "permessage-deflate; client_max_window_bits",
# which lets the server choose; and whether the client opens.
VALUES = (
    *((f"={value}", False) for value in ("16", "0", "-1", "08", "7", "9x", "4294967304", "9" * 20,
                                         '"9', '""', "")),
    ("", False), ("=9 ", True), ('="9"', True), ("=8", True), ("=15", True),
)


def offered(echo, offers, answer):
    peer, got = open_offering(echo, *offers)
    with peer:
        if got != answer:
            raise Failed(f"expected the answer {answer!r}, got {got!r}")
        peer.send(packed(b"hi") if answer else Frame(TEXT, b"hi"))
        Reader(peer).expect(b"hi")


def answered(bin_dir, answer):
    with Served(bin_dir, "--deflate=best,server_max_window_bits=10,client_max_window_bits=0",
                "--echo") as served:
        wanted = f"{NAME}; server_max_window_bits=10"
        if extensions(served.head) != wanted:
            raise Failed(f"expected the offer {wanted!r}, got {extensions(served.head)!r}")
        served.open(f"Sec-WebSocket-Extensions: {answer}")
        served.end(1, "xtension")


def valued(bin_dir, value, opens):
    with Served(bin_dir, "--echo", *BOTH_OPTIONS) as served:
        peer = served.open(f"Sec-WebSocket-Extensions: {NAME}; server_max_window_bits{value}")
        if not opens:
            served.end(1, "xtension")
            return
        peer.send(packed(b"hi"))
        Reader(peer).expect(b"hi")


def takeover_not_granted(bin_dir):
    with Served(bin_dir, "--deflate=best,server_no_context_takeover", "--echo") as served:
        served.open(f"Sec-WebSocket-Extensions: {NAME}")
        served.end(1, "xtension")


def not_negotiated(bin_dir):
    """hawser-cat offered, the server does not answer, and sends a compressed message."""
    with Served(bin_dir, "--echo", *BOTH_OPTIONS) as served:
        peer = served.open()
        peer.send(Frame(TEXT, HELLO, rsv=RSV1))
        peer.expect_close(1002)
        peer.expect_end()
        peer.sock.close()
        served.end(1, "RFC 6455")


def not_offered(echo):
    peer, got = open_offering(echo)
    with peer:
        if got:
            raise Failed(f"an answer to no offer: {got!r}")
        peer.send(Frame(TEXT, HELLO, rsv=RSV1))
        peer.expect_close(1002)
        peer.expect_end()


def takeover(echo, parameters, again):
    """How long the answer is when the same 4096 bytes come back a second time."""
    data = zlib.compress(b"", 9) + bytes(i * i * 7919 >> 5 & 255 for i in range(4096))
    peer, _ = open_offering(echo, NAME + parameters)
    with peer:
        lengths = []
        for _ in range(2):
            peer.send(Frame(BINARY, data))
            lengths.append(len(Reader(peer).frame()[3]))
    if (lengths[1] < lengths[0] // 4) != again:
        raise Failed(f"payloads of {lengths} bytes")


def run(arguments, report):
    ways = (("", False), (", bytewise", True))
    with Echo(arguments.bin, *BOTH_OPTIONS) as echo:
        for name, offers, answer in OFFERS:
            report.run(f"server: deflate: {name} is offered", offered, echo, offers, answer)
        for way, single in ways:
            for name, frames, messages in GOOD:
                if not single or len(frames[0].payload) < 100:
                    report.run(f"server: deflate: {name}{way}", good_at_echo, echo, frames,
                               messages, single)
            for name, code, frames in BAD:
                if not single or len(frames[-1].payload) < 100:
                    report.run(f"server: deflate: {name}{way}: {code}", bad_at_echo, echo, code,
                               frames, single)
        report.run("server: deflate: 6 RSV1 though nothing was offered: 1002", not_offered, echo)
        report.run("server: deflate: 7.2.1 the window is taken over", takeover, echo, "", True)
        report.run("server: deflate: 7.1.1.1 the window is not taken over", takeover, echo,
                   "; server_no_context_takeover", False)
        report.run("server: deflate: 7.1.2.1 9 bits do not reach to the last message", takeover,
                   echo, "; server_max_window_bits=9", False)
        report.run("server: hawser-echo lives on after all that", echo.check_alive)
    for name, frames, messages in GOOD:
        report.run(f"client: deflate: {name}", good_at_cat, arguments.bin, frames, messages, False)
    for name, code, frames in BAD:
        report.run(f"client: deflate: {name}: {code}", bad_at_cat, arguments.bin, code, frames,
                   False)
    for name, answer in ANSWERS:
        report.run(f"client: deflate: {name} is the answer", answered, arguments.bin, answer)
    for value, opens in VALUES:
        report.run(f"client: deflate: 7.1.2.1 server_max_window_bits{value} is the answer: "
                   + ("opens" if opens else "fails"), valued, arguments.bin, value, opens)
    report.run("client: deflate: 7.1.1.1 no takeover was asked for, and is not granted",
               takeover_not_granted, arguments.bin)
    report.run("client: deflate: 6 RSV1 though nothing was agreed: 1002", not_negotiated,
               arguments.bin)
