"""Every class of invalid frames, for both roles: name, close code to expect, frames."""
from rawsocket import BINARY, CLOSE, PING, PONG, TEXT, Frame, close_frame

LIMIT = 16 << 20
BAD_TEXTS = {
    "a byte that UTF-8 never has": b"\xff",
    "a continuation byte at the start": b"a\x80",
    "an overlong form": b"\xc0\xaf",
    "an overlong form of three bytes": b"\xe0\x9f\xbf",
    "a surrogate": b"\xed\xa0\x80",
    "a code point above U+10FFFF": b"\xf4\x90\x80\x80",
    "an unfinished code point": b"\xe2\x82",
    "a code point cut short": b"\xf0\x9f\x98x",
}


def faults():
    for rsv in (1, 2, 4):
        yield f"5.2 RSV bits {rsv:03b}", 1002, [Frame(TEXT, b"x", rsv=rsv)]
    yield "5.2 RSV1 on a ping", 1002, [Frame(PING, b"x", rsv=4)]
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield f"5.2 reserved opcode {opcode}", 1002, [Frame(opcode, b"x")]
    for opcode in (CLOSE, PING, PONG):
        yield f"5.5 fragmented control frame {opcode}", 1002, [Frame(opcode, fin=0)]
        yield f"5.5 control frame {opcode} of 126 bytes", 1002, [Frame(opcode, b"x" * 126)]
    yield "5.2 5 bytes with a 16-bit length", 1002, [Frame(TEXT, b"12345", form=2)]
    yield "5.2 65535 bytes with a 64-bit length", 1002, [Frame(BINARY, form=8, declared=65535)]
    yield "5.2 a 64-bit length with its top bit", 1002, [Frame(BINARY, form=8, declared=1 << 63)]
    yield "5.1 wrong masking", 1002, [Frame(TEXT, b"x", flip=True)]
    yield "5.1 wrong masking of a ping", 1002, [Frame(PING, flip=True)]
    yield "5.4 a continuation of nothing", 1002, [Frame(0, b"x")]
    yield "5.4 a continuation after a message's end", 1002, [
        Frame(TEXT, b"h", fin=0), Frame(0, b"i"), Frame(0, b"x")]
    yield "5.4 a text inside a message", 1002, [Frame(TEXT, b"a", fin=0), Frame(TEXT, b"b")]
    yield "5.4 a binary inside a message", 1002, [Frame(TEXT, b"a", fin=0), Frame(BINARY, b"b")]
    yield "5.5.1 a Close of one byte", 1002, [Frame(CLOSE, b"\x03")]
    for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535):
        yield f"7.4 a Close with code {code}", 1002, [close_frame(code)]
    yield "5.5.1 a Close whose reason is no UTF-8", 1007, [close_frame(1000, b"a\xff")]
    for name, text in BAD_TEXTS.items():
        start = 0 if text[0] in b"\xc0\xff" else 1  # Those two are known to be wrong at once.
        yield f"8.1 {name}", 1007, [Frame(TEXT, text)]
        yield f"8.1 {name}, in fragments", 1007, [
            Frame(TEXT, text[:start], fin=0), Frame(PING), Frame(0, text[start:])]
    yield "8.1 a wrong byte in a frame that is not complete", 1007, [
        Frame(TEXT, b"\xff", declared=1000)]
    yield "10.4 a frame above the limit", 1009, [Frame(BINARY, b"x", declared=LIMIT + 1)]
    yield "10.4 a frame of 2^62 bytes", 1009, [Frame(TEXT, b"x", declared=1 << 62)]
    yield "10.4 a fragment that takes the message above the limit", 1009, [
        Frame(BINARY, b"x", fin=0), Frame(0, b"x", declared=LIMIT)]


FAULTS = list(faults())


def answers(frames):
    """What the frames before the fault are answered with: pongs and echoes, as (opcode, payload).

    Only the rows above matter: a fault is in the last frame, and a message before it is whole.
    """
    got, message = [], None
    for frame in frames[:-1]:
        if frame.opcode == PING:
            got.append((PONG, frame.payload))
        elif frame.opcode == 0:
            got.append((TEXT, message + frame.payload))
        else:
            message = frame.payload
    return got
