"""What both programs send when they compress (RFC 7692), looked at byte by byte: which messages
they compress, and that no reference reaches beyond the window that was agreed."""
import random
import zlib

from programs import Echo, Failed
from raw_client import Served
from raw_deflate import NAME, Reader, open_offering
from rawsocket import BINARY, Frame

# Name, --deflate, parameters that are agreed ("own" is the side of hawser), bytes of a message that
# compresses well, and whether it is compressed.
CHOICES = (
    ("6 a message below the threshold goes as it is", "best,threshold=100", "", 99, False),
    ("6 a message of the threshold is compressed", "best,threshold=100", "", 100, True),
    ("6 without a threshold one byte is compressed", "best,threshold=0", "", 1, True),
    ("7.1.2 256 bytes are no window for zlib: a message goes as it is", "best,threshold=0",
     "; own_max_window_bits=8", 5000, False),
    ("7.1.2 512 bytes are one: a message is compressed", "best,threshold=0",
     "; own_max_window_bits=9", 5000, True),
    ("7.1.1 a message is compressed also without takeover", "best,threshold=0",
     "; own_no_context_takeover", 5000, True),
)
WINDOWS = (9, 10, 12)


class Strict(Reader):
    """Reads messages with a window of exactly 2 ^ bits bytes: zlib looks also into what one call
    has put out, so each call may put out one byte."""

    def message(self):
        final, packed, _, data = self.frame()
        if not final or not packed:
            raise Failed("not a compressed message of one frame")
        rest, parts = data + b"\0\0\xff\xff", []
        while rest or parts[-1]:
            try:
                parts.append(self.state.decompress(rest, 1))
            except zlib.error as fault:
                raise Failed(f"after {len(parts)} bytes: {fault}") from None
            rest = self.state.unconsumed_tail
        return b"".join(parts)


def at_echo(bin_dir, options, parameters, look):
    parameters = parameters.replace("own", "server")
    with Echo(bin_dir, f"--deflate={options}") as echo:
        peer, answer = open_offering(echo, NAME + parameters)
        with peer:
            if answer != NAME + parameters:
                raise Failed(f"the answer is {answer!r}")
            look(peer)


def at_cat(bin_dir, options, parameters, look):
    with Served(bin_dir, "--echo", f"--deflate={options}") as served:
        look(served.open(f"Sec-WebSocket-Extensions: {NAME}{parameters.replace('own', 'client')}"))


def chosen(size, wanted):
    def look(peer):
        peer.send(Frame(BINARY, b"x" * size))
        _, got, _, data = Reader(peer).frame()
        if bool(got) != wanted:
            raise Failed(f"{size} bytes came as {len(data)}, {'with' if got else 'without'} RSV1")
    return look


def within(bits):
    """The same noise again and again, just too far back for the window."""
    noise = random.Random(bits).randbytes((1 << bits) + 1)

    def look(peer):
        reader = Strict(peer, bits)
        for data in (noise + noise, noise, noise + noise[:300] * 3):
            peer.send(Frame(BINARY, data))
            reader.expect(data)
    return look


def run(arguments, report):
    for role, talk in (("server", at_echo), ("client", at_cat)):
        for name, options, parameters, size, wanted in CHOICES:
            report.run(f"{role}: deflate: {name}", talk, arguments.bin, options, parameters,
                       chosen(size, wanted))
        for bits in WINDOWS:
            name = f"7.1.2 no reference is longer than a window of {bits} bits"
            report.run(f"{role}: deflate: {name}", talk, arguments.bin, "best,threshold=0",
                       f"; own_max_window_bits={bits}", within(bits))
