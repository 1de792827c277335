"""The words in which a case is told: see cases.py and deflate_cases.py."""
from dataclasses import dataclass, field

MIB = 1 << 20
SUBPROTOCOLS = ("--subprotocol", "superchat", "--subprotocol", "chat")
WORDS = "Fähre, 渡し船, паром 🛳 "


@dataclass
class Case:
    """One connection."""
    name: str
    steps: list
    needs: frozenset = frozenset()  # what the agent must be able to do: see PEERS in run.py
    role: str = ""  # "server": only against hawser-echo; "client": only against hawser-cat
    offer: dict = field(default_factory=dict)  # what a client agent offers, or hawser-cat's options
    opened: tuple = ("-", b"")  # subprotocol and extensions that the agent must see
    refused: int = 0  # the HTTP status of a refusal
    closes: bool = False  # the steps end the connection; else the driver closes it with 1000
    lines: list = field(default_factory=list)  # hawser-cat prints these, in this order
    status: int = 0  # exit status of hawser-cat
    cat: tuple = ("--echo",)  # options of hawser-cat
    echo: tuple = SUBPROTOCOLS  # options of hawser-echo
    accept: str = None  # parameters of permessage-deflate that a server agent wants
    wire: object = None  # called with a Talk (see tap.py) and hawser's side of it, when it is over


def tell(verb, data=b"", arg="-"):
    return ("tell", verb, arg, data)


def expect(verb, data=None, arg=None):
    return ("expect", verb, arg, data)


def blob(size):
    """Bytes of every value, with a period that is no power of two."""
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def prose(size):
    """UTF-8 of exactly this many bytes, of code points of 1 to 4 bytes."""
    words = WORDS.encode()
    return words * (size // len(words)) + b"." * (size % len(words))


def whole(kind, data):
    return [tell(kind, data), expect(kind, data)]


def fragments(kind, parts, ping=None):
    """A message in several frames; with `ping`, a Ping after each frame but the last."""
    steps = []
    for i, part in enumerate(parts):
        verb = f"first-{kind}" if i == 0 else "more" if i < len(parts) - 1 else "last"
        steps.append(tell(verb, part))
        if ping is not None and verb != "last":
            steps += [tell("ping", ping + b"%d" % i), expect("pong", ping + b"%d" % i)]
    return steps + [expect(kind, b"".join(parts))]


def cut(data, size):
    return [data[i:i + size] for i in range(0, len(data), size)]
