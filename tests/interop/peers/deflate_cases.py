"""permessage-deflate (RFC 7692) with every library at the other end: cases from two tables.

A row of OFFERS is what the peer offers to hawser-echo, a row of ANSWERS what it answers hawser-cat.
What was agreed decides how messages go, so each row sends the same ones.
"""
import random
from dataclasses import dataclass

import tap
from case import MIB, Case, blob, cut, expect, fragments, prose, tell, whole
from programs import Failed

SIZES = (1, 125, 511, 512, 4096, 65535, 65536)
FAR = tuple((1 << bits) + (1 << bits >> 4) for bits in range(9, 15))
NAME = "permessage-deflate"
BOTH = "server_max_window_bits=%d; client_max_window_bits=%d"
NEEDED = {8: ("eight-in",), 9: ("nine",)}  # what the peer must be able to do, by its window
FRESH = "server_no_context_takeover; client_no_context_takeover; "


@dataclass
class Offer:
    """The parameters that the peer offers, what hawser-echo wants, and the parameters of its
    answer. None: it declines."""
    name: str
    peer: str
    echo: str
    answer: str
    large: bool = False
    needs: tuple = ()
    brief: bool = False  # a few messages only


@dataclass
class Answer:
    """What hawser-cat is told to offer, the parameters of its offer, those that the peer wants, and
    those that hawser-cat takes as agreed, which leave out a window of 15."""
    name: str
    cat: str
    offer: str
    peer: str
    agreed: str
    large: bool = False
    needs: tuple = ()
    brief: bool = False  # a few messages only


# A peer that always tells both windows has no "unsaid". One that cannot compress with 8 bits has no
# "eight", and one that cannot inflate with them no "eight-in".
OFFERS = (
    Offer("7.1.3 the peer asks for nothing", "", "", "", True, ("unsaid",)),
    Offer("7.1.1.1 the peer asks for no takeover of hawser",
          "server_no_context_takeover", "", "server_no_context_takeover", needs=("unsaid",)),
    Offer("7.1.1.2 the peer hints that it takes nothing over",
          "client_no_context_takeover", "", "client_no_context_takeover", needs=("unsaid",)),
    Offer("7.1.2.1 the peer asks for a window of 10 bits of hawser",
          "server_max_window_bits=10", "", "server_max_window_bits=10", needs=("unsaid",)),
    Offer("7.1.2.2 the peer lets hawser choose, which has no wish",
          "client_max_window_bits", "", "", needs=("unsaid",)),
    *(Offer(f"7.1.2.2 the peer lets hawser choose, which takes {bits} bits",
            "client_max_window_bits", f"client_max_window_bits={bits}",
            f"client_max_window_bits={bits}", needs=("unsaid",)) for bits in (9, 12)),
    Offer("7.1.2.2 the peer hints at a window of 10 bits",
          "client_max_window_bits=10", "", "client_max_window_bits=10", needs=("unsaid",)),
    Offer("7.1.2.2 a peer that takes no limit is not limited",
          "", "client_max_window_bits=9", "", needs=("unsaid",)),
    Offer("7.1.2.2 a peer that takes no limit is declined where it must",
          "", "client_max_window_bits=9,require_client_max_window_bits", None, needs=("unsaid",)),
    Offer("7.1.1 hawser wants no takeover though the peer says nothing", "",
          "server_no_context_takeover,client_no_context_takeover", FRESH[:-2], needs=("unsaid",)),
    *(Offer(f"7.1.2 both windows have {bits} bits", BOTH % (bits, bits), "", BOTH % (bits, bits),
            bits in (9, 15), ("nine",) if bits == 9 else ()) for bits in (9, 10, 12, 15)),
    *(Offer(f"7.1.2 hawser has {server} bits and the peer {client}", BOTH % (server, client), "",
            BOTH % (server, client), needs=NEEDED.get(min(server, client), ()), brief=True)
      for server, client in ((9, 15), (15, 9), (11, 11), (13, 13), (14, 14), (8, 15))),
    Offer("7.1.2 hawser and the peer have 8 bits", BOTH % (8, 8), "", BOTH % (8, 8),
          needs=("eight",), brief=True),
    Offer("7.1.2 each asks for less than the other", BOTH % (10, 13),
          "server_max_window_bits=12,client_max_window_bits=11", BOTH % (10, 11), brief=True),
    Offer("7.1.1 both ask for no takeover", FRESH + BOTH % (15, 15),
          "server_no_context_takeover,client_no_context_takeover", FRESH + BOTH % (15, 15),
          brief=True),
    Offer("7.1.1.1 no takeover of hawser, with both windows told",
          "server_no_context_takeover; " + BOTH % (15, 15), "",
          "server_no_context_takeover; " + BOTH % (15, 15)),
    Offer("7.1.1.2 no takeover of the peer, with both windows told",
          "client_no_context_takeover; " + BOTH % (15, 15), "",
          "client_no_context_takeover; " + BOTH % (15, 15)),
    Offer("7.1 all four parameters", FRESH + BOTH % (10, 12), "", FRESH + BOTH % (10, 12)),
    Offer("7.1 hawser wants less than the peer offers", BOTH % (15, 15),
          "server_no_context_takeover,client_no_context_takeover,server_max_window_bits=9,"
          "client_max_window_bits=10", FRESH + BOTH % (9, 10)),
)
# A peer that adds nothing to what hawser-cat asks for has no "wishes"; one that does not
# keep to what hawser-cat asks of it has no "grants"; one that takes a hint as it is, no "smaller".
ANSWERS = (
    Answer("7.1.3 hawser asks for nothing", "client_max_window_bits=0", "", "", "", True),
    Answer("7.1.2.2 hawser lets the peer choose, which has no wish",
           "", "client_max_window_bits", "", ""),
    Answer("7.1.1.1 hawser asks for no takeover of the peer",
           "client_max_window_bits=0,server_no_context_takeover",
           "server_no_context_takeover", "", "server_no_context_takeover", needs=("grants",)),
    Answer("7.1.1.2 hawser hints that it takes nothing over",
           "client_max_window_bits=0,client_no_context_takeover",
           "client_no_context_takeover", "", "client_no_context_takeover"),
    *(Answer(f"7.1.2.1 hawser asks for a window of {bits} bits of the peer",
             f"client_max_window_bits=0,server_max_window_bits={bits}",
             f"server_max_window_bits={bits}", "", f"server_max_window_bits={bits}",
             needs=("grants",))
      for bits in (9, 12)),
    *(Answer(f"7.1.2 both windows have {bits} bits",
             f"server_max_window_bits={bits},client_max_window_bits={bits}", BOTH % (bits, bits),
             "", BOTH % (bits, bits), bits == 9, ("grants",)) for bits in (9, 10)),
    *(Answer(f"7.1.2 the peer has {server} bits and hawser {client}",
             f"server_max_window_bits={server},client_max_window_bits={client}",
             BOTH % (server, client), "", BOTH % (server, client),
             needs=("grants", *NEEDED.get(client, ())), brief=True)
      for server, client in ((9, 14), (14, 9), (11, 11), (13, 13), (10, 8))),
    Answer("7.1.2 hawser and the peer have 8 bits",
           "server_max_window_bits=8,client_max_window_bits=8", BOTH % (8, 8), "", BOTH % (8, 8),
           needs=("grants", "eight"), brief=True),
    Answer("7.1.2.2 hawser asks for a window that the peer makes smaller",
           "client_max_window_bits=12", "client_max_window_bits=12", "client_max_window_bits=10",
           "client_max_window_bits=10", needs=("wishes", "smaller"), brief=True),
    Answer("7.1 all four parameters",
           "server_no_context_takeover,client_no_context_takeover,server_max_window_bits=10,"
           "client_max_window_bits=12", FRESH + BOTH % (10, 12), "", FRESH + BOTH % (10, 12),
           needs=("grants",)),
    Answer("7.1.1.1 the peer takes nothing over though nobody asked",
           "client_max_window_bits=0", "",
           "server_no_context_takeover", "server_no_context_takeover", needs=("wishes",)),
    Answer("7.1.1.2 the peer wants hawser to take nothing over", "client_max_window_bits=0", "",
           "client_no_context_takeover", "client_no_context_takeover", needs=("wishes",)),
    *(Answer(f"7.1.2.2 the peer limits the window of hawser to {bits} bits", "",
             "client_max_window_bits", f"client_max_window_bits={bits}",
             f"client_max_window_bits={bits}", bits == 9,
             ("wishes", *NEEDED.get(bits, ())), bits not in (9, 12))
      for bits in range(8, 15)),
)

# Settings of libwebsockets, in both roles: what its side does, and nobody says.
SETTINGS = ("compression_level=9; mem_level=9", "mem_level=1", "tx_buf_size=7",
            "tx_buf_size=16; rx_buf_size=15", "client_max_window_bits=9",
            "client_no_context_takeover=1")


def noise(size):
    """Bytes that do not compress, always the same."""
    return random.Random(size).randbytes(size)


def header(parameters):
    return NAME + ("; " + parameters if parameters else "")


def sizes(large):
    """Messages of each size and kind, of which the smaller refer to what the larger were."""
    steps = []
    for size in SIZES + ((MIB,) if large else ()):
        for kind, data in (("text", prose(size)), ("binary", blob(size)), ("binary", noise(size))):
            steps += whole(kind, data)
    return steps


def pieces(between):
    """Fragments, and pings between them."""
    parts = cut(noise(3000) + blob(70000), 20011)
    return (fragments("text", [prose(700), prose(512), b"x"], ping=b"t" if between else None)
            + fragments("binary", parts, ping=b"b" if between else None))


def empty():
    """Messages without a byte, and fragments without one."""
    return (whole("text", b"") + whole("binary", b"")
            + fragments("text", [b"", prose(512), b"", b"x"], ping=b"t")
            + fragments("binary", [noise(512), b""]))


def row_of_messages():
    """Messages that are sent without a wait, each like the ones before it."""
    messages = [noise(2000)[i:] + b"%d" % i for i in range(60)]
    return ([tell("binary", data) for data in messages]
            + [expect("binary", data) for data in messages])


def far():
    """Noise of some more bytes than a window has, twice: for each window but the largest."""
    return [step for size in FAR for step in whole("binary", noise(size)) * 2]


def brief():
    """Messages of each kind and size once, pings inside one, and then noise as above."""
    return ([step for size in (1, 125, 511, 65536) for step in whole("text", prose(size))]
            + fragments("binary", [noise(700), blob(3000), noise(700)]) + far())


def mixed():
    """Compressed messages and plain ones, which leave the window alone."""
    steps = []
    for i in range(6):
        data = prose(600 + i)
        steps += whole("text", data) + [tell("plain-text", data), expect("text", data)]
    return steps


def talks(row):
    if row.brief:
        yield "a few messages come back", brief(), ("fragments", "each-window")
        return
    yield "messages of all sizes come back", sizes(row.large), ()
    yield "fragments come back", pieces(False), ("fragments",)
    yield ("fragments come back, and pings between them", pieces(True),
           ("fragments", "ping", "between", "between-compressed"))
    yield ("empty messages and fragments come back", empty(),
           ("fragments", "ping", "between", "empty"))
    yield "messages that refer to the last ones come back", row_of_messages(), ()
    if row.large:
        yield "messages that are like others far back come back", far(), ()
    yield "plain messages may stand between", mixed(), ("plain",)


def told(steps):
    """The messages of the steps, as (opcode, bytes), and how many are not to be compressed."""
    messages, plain = [], 0
    for action, verb, _, data in steps:
        if action == "tell" and verb in ("more", "last"):
            messages[-1] = (messages[-1][0], messages[-1][1] + data)
        elif action == "tell" and verb.endswith(("text", "binary")):
            messages.append((1 if verb.endswith("text") else 2, data))
            plain += verb.startswith("plain")
    return messages, plain


def check_packed(talk, hawser, plain=0):
    """Both sides sent the same messages, each of them compressed where that was agreed, and within
    the windows and the takeover that were; all but `plain` of the peer's."""
    agreed = tap.Agreed(talk.extensions())
    messages, ours = tap.plain(talk, hawser, agreed)
    others, theirs = tap.plain(talk, 1 - hawser, agreed)
    if messages != others:
        raise Failed("hawser sent other messages than its peer")
    # zlib cannot compress with a window of 8 bits.
    if ours != (len(messages) if agreed.packed and agreed.bits[hawser] > 8 else 0):
        raise Failed(f"hawser compressed {ours} of {len(messages)} messages")
    if theirs != (len(messages) - plain if agreed.packed else 0):
        raise Failed(f"the peer compressed {theirs} of {len(messages)} messages")
    return agreed, messages


def wire(steps):
    """A look at what went over the wire."""
    def look(talk, hawser):
        messages, plain = told(steps)
        agreed, found = check_packed(talk, hawser, plain)
        if found != messages:
            raise Failed("other messages than the steps have went over the wire")
        check_reach(talk, hawser, agreed, messages)
    return look


def check_reach(talk, hawser, agreed, messages):
    """What hawser sends is small where a message is like the last one, which it may refer to."""
    count = 2 * len(FAR)
    sizes = [len(data) for _, data in messages[-count:]]
    if not agreed.packed or sizes != [n for n in FAR for _ in "ab"] or agreed.bits[hawser] == 8:
        return
    sent = talk.messages(hawser)[-count:]
    for first, second, bits in zip(sent[::2], sent[1::2], range(9, 15)):
        reaches = agreed.takeover[hawser] and bits < agreed.bits[hawser]
        if reaches != (len(second.payload) < len(first.payload) // 2):
            raise Failed(f"the same {len(first.payload)} bytes again became {len(second.payload)}")


def options(more):
    return "--deflate=" + ",".join(["best", "threshold=0"] + ([more] if more else []))


def offer_cases():
    for row in OFFERS:
        answer = b"" if row.answer is None else header(row.answer).encode()
        for name, steps, needs in talks(row):
            yield Case(f"{row.name}: {name}", steps, frozenset(("parameters", *row.needs, *needs)),
                       "server", {"deflate": row.peer}, ("-", answer), echo=(options(row.echo),),
                       wire=wire(steps))


def answer_cases():
    for row in ANSWERS:
        for name, steps, needs in talks(row):
            yield Case(f"{row.name}: {name}", steps, frozenset(("parameters", *row.needs, *needs)),
                       "client", opened=("-", header(row.offer).encode()), accept=row.peer,
                       cat=("--echo", options(row.cat)), lines=[f"open ({header(row.agreed)})"],
                       wire=wire(steps))


def settings_cases():
    needs = frozenset(("parameters", "settings"))
    for settings in SETTINGS:
        name, steps = f"with {settings} messages come back", brief()
        yield Case(f"7.2.1 {name}", steps, needs, "server", {"deflate": "", "settings": settings},
                   ("-", NAME.encode()), echo=(options(""),), wire=wire(steps))
        yield Case(f"7.2.1 {name}", steps, needs, "client", opened=("-", NAME.encode()),
                   accept=settings, cat=("--echo", options("client_max_window_bits=0")),
                   lines=[f"open ({NAME})"], wire=wire(steps))


CASES = [*offer_cases(), *answer_cases(), *settings_cases()]
