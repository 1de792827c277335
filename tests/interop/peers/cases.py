"""What is tried with every library at the other end: a table of cases.

A case is a list of steps for the agent (see programs.py). The same steps serve against hawser-echo
and against hawser-cat --echo, because both send back what they get; a case for one of them says so.
"""
import deflate_cases
from case import MIB, WORDS, Case, blob, cut, expect, fragments, prose, tell, whole

CLOSE_CODES = (1000, 1001, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999)
LONG_REASON = ("é" * 61 + "!").encode()  # 123 bytes, the most that fits in a Close


def printed(kind, data):
    """The line that hawser-cat prints for a message; none for a long text."""
    if kind == "text":
        return [f"text: {data.decode()}"] if len(data) < 200 else []
    dump = " ".join(f"{byte:02x}" for byte in data[:32]) + (" …" if len(data) > 32 else "")
    return [f"binary: {len(data)} bytes: {dump}"]


def message_cases():
    for size in (0, 1, 125, 126, 65535, 65536):
        for kind, data in (("text", prose(size)), ("binary", blob(size))):
            yield Case(f"5.2 {kind} of {size} bytes comes back", whole(kind, data),
                       lines=printed(kind, data))
    yield Case("5.2 many messages come back in order",
               [tell("text", b"%d" % i) for i in range(200)]
               + [expect("text", b"%d" % i) for i in range(200)])
    yield Case("5.2 binary of 16 MiB in one frame comes back", whole("binary", blob(16 * MIB)))
    yield Case("5.2 text of 16 MiB in one frame comes back", whole("text", prose(16 * MIB)))
    yield Case("5.4 binary of 16 MiB in 64 fragments comes back",
               fragments("binary", cut(blob(16 * MIB), MIB // 4)), frozenset({"fragments"}))
    for kind, parts in (("text", [b"Hel", b"", b"lo"]), ("binary", [b"", b"\0\1", b"\2", b""])):
        yield Case(f"5.4 {kind} in {len(parts)} fragments comes back", fragments(kind, parts),
                   frozenset({"fragments"}), lines=printed(kind, b"".join(parts)))
    yield Case("5.4 pings between fragments are answered before the message ends",
               fragments("text", [b"one ", b"two ", b"three"], ping=b"ping "),
               frozenset({"fragments", "ping", "between"}),
               lines=["ping: ping 0", "ping: ping 1", "text: one two three"])
    yield Case("5.6 text cut inside code points comes back",
               fragments("text", cut(WORDS.encode(), 1)), frozenset({"fragments", "cuts"}),
               lines=[f"text: {WORDS}"])
    yield Case("5.6 16 MiB of text in fragments cut inside code points comes back",
               fragments("text", cut(prose(16 * MIB), 1000003)), frozenset({"fragments", "cuts"}))


def ping_cases():
    for size in (0, 1, 125):
        data = b"p" * size
        yield Case(f"5.5.2 a ping of {size} bytes is answered with its payload",
                   [tell("ping", data), expect("pong", data)],
                   frozenset({"ping"} if size else {"ping", "empty-ping"}),
                   lines=[f"ping: {data.decode()}".rstrip()])
    yield Case("5.5.2 pings between messages are answered",
               [step for i in range(20) for step in
                whole("text", b"%d" % i) + [tell("ping", b"p%d" % i), expect("pong", b"p%d" % i)]],
               frozenset({"ping"}))


def close_cases():
    for code in CLOSE_CODES:
        reason = f"because of {code}"
        yield Case(f"7.1.2 the peer closes with {code}",
                   whole("text", b"x") + [tell("close", reason.encode(), code),
                                          expect("close", None, code)],
                   frozenset({"code-1014"} if code == 1014 else ()), closes=True,
                   lines=["open", "text: x", f"close: {code} {reason}"])
    yield Case("7.1.6 the peer closes with a reason of 123 bytes",
               [tell("close", LONG_REASON, 4321), expect("close", None, 4321)],
               closes=True, lines=["open", f"close: 4321 {LONG_REASON.decode()}"])
    yield Case("7.1.5 the peer closes with an empty Close",
               [tell("close"), expect("close", None, 1005)], frozenset({"empty-close"}),
               closes=True, lines=["open", "close: 1005"])
    yield Case("7.1.1 the stream ends without a Close", [tell("eof"), expect("close", None, 1006)],
               frozenset({"eof"}), closes=True, lines=["open"], status=1)
    yield Case("7.1.1 the stream ends inside a fragmented message",
               [tell("first-text", b"never "), tell("eof"), expect("close", None, 1006)],
               frozenset({"eof", "fragments"}), closes=True, lines=["open"], status=1)
    yield Case("7.1.1 the peer resets the connection",
               [tell("reset"), expect("close", None, 1006)], frozenset({"reset"}),
               closes=True, lines=["open"], status=1)
    yield Case("5.5.1 a Close inside a fragmented message is answered",
               [tell("first-text", b"never "), tell("close", b"", 1001),
                expect("close", None, 1001)], frozenset({"fragments", "close-inside"}), closes=True)


def limit_cases():
    needs = frozenset({"too-big"})
    yield Case("7.4.1 20 MiB in one frame are refused with 1009, which the peer can read",
               [tell("binary", blob(20 * MIB)), expect("close", None, 1009)], needs,
               closes=True, status=1)
    yield Case("7.4.1 16 MiB and one byte are refused with 1009",
               [tell("binary", blob(16 * MIB + 1)), expect("close", None, 1009)], needs,
               closes=True, status=1)
    yield Case("7.4.1 16 MiB and one byte in two fragments are refused with 1009",
               [tell("first-binary", blob(16 * MIB)), tell("last", b"!"),
                expect("close", None, 1009)], needs | {"fragments"}, closes=True, status=1)


def handshake_cases():
    yield Case("9.1 permessage-deflate is offered and declined", whole("text", b"a" * 1000),
               frozenset({"deflate"}), "server", {"deflate": ""})
    yield Case("4.2.2 the server chooses the first subprotocol that it has", whole("text", b"x"),
               frozenset({"subprotocol"}), "server", {"subprotocol": "other,chat,superchat"},
               ("chat", b""))
    yield Case("4.2.2 no subprotocol that the server has", whole("text", b"x"),
               frozenset({"subprotocol-none"}), "server", {"subprotocol": "other"})
    yield Case("10.2 the same origin may connect", whole("text", b"x"),
               frozenset({"origin"}), "server", {"origin": "SAME"})
    yield Case("10.2 a foreign origin is refused with 403", [],
               frozenset({"origin"}), "server", {"origin": "http://evil.example"},
               refused=403, closes=True)
    yield Case("4.1 the client takes the subprotocol that the server chooses", whole("text", b"x"),
               frozenset({"subprotocol"}), "client", opened=("chat", b""),
               cat=("--echo", "--subprotocol", "other", "--subprotocol", "chat"),
               lines=["open (subprotocol chat)", "text: x"])


def client_cases():
    """What only hawser-cat can do: it sends by itself, and closes first."""
    yield Case("7.1.2 hawser closes first, after the answers that it waited for",
               [expect("text", b"one"), tell("text", b"1"), expect("text", "zwöi".encode()),
                tell("text", b"2"), expect("close", None, 1000)], role="client", closes=True,
               cat=("--send", "one", "--send", "zwöi"),
               lines=["open", "text: 1", "text: 2", "close: 1000"])
    # Which Close is the first depends on the moment: that hawser-cat ends well does not.
    yield Case("7.1.2 both close at once",
               [expect("text", b"one"), tell("text", b"1"), tell("close", b"bye", 1001),
                expect("close")], role="client", closes=True, cat=("--send", "one"),
               lines=["open", "text: 1"])
    yield Case("7.1.2 hawser closes after as many messages as --count says",
               [tell("text", b"a"), tell("binary", b"b"), tell("text", b"c"),
                expect("close", None, 1000)], role="client", closes=True, cat=("--count", "2"),
               lines=["open", "text: a", "binary: 1 bytes: 62", "close: 1000"])


CASES = [case for group in (message_cases, ping_cases, close_cases, limit_cases, handshake_cases,
                            client_cases) for case in group()] + deflate_cases.CASES
