"""What libwebsockets does against RFC 7692, each fault seen in the bytes that went over the wire,
and what hawser makes of it: why run.py lets it have fewer cases than the others. A fault
that is not seen any more fails here, and then its cases can be had."""
import zlib

import tap
from case import prose
from deflate_cases import noise, options
from programs import Agent, Failed

NAME = "permessage-deflate"


def must(true, what):
    if not true:
        raise Failed(what)


def end_agent(agent):
    agent.process.kill()
    agent.process.wait(5)


class AsClient:
    """The library as a client of hawser-echo, with a relay between them."""

    def __init__(self, hawser, command, env, settings="", echo="best,threshold=0"):
        self.echo = hawser.echo(f"--deflate={echo}")
        self.tap = tap.Tap(self.echo.address)
        self.agent = Agent([*command, "client"], env)
        url = f"url=ws://127.0.0.1:{self.tap.port}/\ndeflate=\nsettings={settings}\n"
        self.agent.tell("connect", "-", url.encode())
        self.agent.expect("open")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for part in (self.agent, self.echo, self.tap):
            part.__exit__()

    def talk(self):
        end_agent(self.agent)
        return self.tap.take()


def plain_again(hawser, command, env):
    """It reports an uncompressed message, of which one is on the wire, without end."""
    with AsClient(hawser, command, env, echo="best,threshold=100") as peer:
        peer.agent.tell("text", "-", b"short")
        for _ in range(50):
            peer.agent.expect("text", None, b"short")
        sent = peer.talk().messages(tap.SERVER)
    must([(m.packed, m.payload) for m in sent] == [(False, b"short")],
         f"hawser-echo sent {len(sent)} messages")


def ends_by(peer, content, assertion):
    """The answer to a message ends it by this assertion."""
    peer.agent.tell("binary", "-", content)
    try:
        peer.agent.expect("binary", None, content)
    except Failed as problem:
        must(assertion in str(problem), str(problem))
        return
    raise Failed("the message came back")


def empty_ends_it(hawser, command, env):
    """An empty message after another one: there is nothing to flush, and it asserts that there
    is."""
    with AsClient(hawser, command, env) as peer:
        peer.agent.tell("binary", "-", b"x")
        peer.agent.expect("binary", None, b"x")
        ends_by(peer, b"", "trim out length 0")


def full_buffer_ends_it(hawser, command, env):
    """With a small buffer it asserts, after the last bytes of some messages, that there is room
    left."""
    with AsClient(hawser, command, env, "rx_buf_size=7") as peer:
        ends_by(peer, b"x" * 65535, "priv->rx.avail_out")


def pong_again(hawser, command, env):
    """It reports the Pong for a Ping between compressed fragments without end: one is on the
    wire."""
    with AsClient(hawser, command, env) as peer:
        peer.agent.tell("first-text", "-", prose(700))
        peer.agent.tell("ping", "-", b"once")
        for _ in range(50):
            peer.agent.expect("pong", None, b"once")
        talk = peer.talk()
    for who, opcode in ((tap.CLIENT, 9), (tap.SERVER, 10)):
        count = [first & 15 for first, _ in talk.frames(who)].count(opcode)
        must(count == 1, f"{count} frames {opcode} went over the wire")


def as_server(hawser, command, env, cat, steps):
    """hawser-cat with the library as its server; returns the talk, and how hawser-cat ended."""
    with Agent([*command, "server"], env) as agent:
        port = int(agent.expect("listen")[1])
        with tap.Tap(("127.0.0.1", port)) as seen, \
                hawser.cat(seen.port, "--echo", options(cat)) as program:
            steps(agent)
            status, _, stderr = program.finish()
            end_agent(agent)
            return seen.take(), status, stderr


def takes_over(hawser, command, env):
    """It grants server_no_context_takeover, and its second message refers to its first."""
    def steps(agent):
        agent.expect("open")
        for _ in range(2):
            agent.tell("binary", "-", noise(600))
        agent.expect("binary", None, noise(600))
        agent.expect("close", 1007)

    talk, status, stderr = as_server(
        hawser, command, env, "client_max_window_bits=0,server_no_context_takeover", steps)
    must(talk.extensions() == f"{NAME}; server_no_context_takeover", talk.extensions())
    first, second = (m.payload + tap.TAIL for m in talk.messages(tap.SERVER))
    window = zlib.decompressobj(-15)
    must(window.decompress(first) == noise(600) == window.decompress(second),
         "the second message is not the first again")
    try:
        zlib.decompressobj(-15).decompress(second)
    except zlib.error as fault:
        must("too far back" in str(fault), str(fault))
    else:
        raise Failed("the second message does not refer to the first")
    must(status == 1 and "RFC 7692 7.2.2" in stderr, stderr)


def drops(offer):
    """It accepts the offer and leaves a window that it was asked for out of its answer."""
    def case(hawser, command, env):
        talk, status, stderr = as_server(hawser, command, env, offer,
                                         lambda agent: agent.expect("open"))
        must("server_max_window_bits=" in str(bytes(talk.sent[tap.CLIENT])), "it was not asked")
        must(talk.extensions() == NAME, talk.extensions())
        must(status == 1 and "Sec-WebSocket-Extensions" in stderr, stderr)
    return case


FAULTS = (
    ("server: 6 an uncompressed message is reported without end", plain_again),
    ("server: 7.2.3.6 an empty message after another one ends it", empty_ends_it),
    ("server: 7.2.2 a message that fills its buffer ends it", full_buffer_ends_it),
    ("server: 6.1 a Pong between compressed fragments is reported without end", pong_again),
    ("client: 7.1.1.1 it grants no takeover, and takes over", takes_over),
    *((f"client: 7.1.2.1 a window of {bits} bits is accepted and not answered",
       drops(f"client_max_window_bits=0,server_max_window_bits={bits}"))
      for bits in range(8, 15)),
)


def run(hawser, command, env, report):
    for name, case in FAULTS:
        report.run(f"a fault of its own: {name}", case, hawser, command, env)
