"""Plays the cases with an agent: against hawser-echo, and against hawser-cat."""
import contextlib
import itertools

import tap
from cases import CASES
from programs import Agent, Cat, Failed


def fitting(role, can):
    return [case for case in CASES if case.role in ("", role) and case.needs <= can]


def play(agent, case):
    for action, verb, arg, data in case.steps:
        if action == "tell":
            agent.tell(verb, arg, data)
        else:
            agent.expect(verb, arg, data)
    if not case.closes:
        agent.tell("close", 1000)
        agent.expect("close", 1000)


def relay(hawser, case, host, port):
    """The relay for a case whose bytes are looked at; none under TLS, which hides them."""
    if case.wire is None or hawser.identity:
        return contextlib.nullcontext()
    return tap.Tap((host, port))


def play_with_echo(agent, hawser, echo, case):
    """One connection of the agent to hawser-echo."""
    with relay(hawser, case, *echo.address) as seen:
        url = f"ws://127.0.0.1:{seen.port}/" if seen else echo.url
        talk_with_echo(agent, hawser, url, case)
        if seen:
            case.wire(seen.take(), tap.SERVER)


def talk_with_echo(agent, hawser, url, case):
    offer = dict(case.offer, url=url)
    if hawser.identity:
        offer["ca"] = hawser.identity.certificate
    if offer.get("origin") == "SAME":
        offer["origin"] = "http" + url[len("ws"):].rstrip("/")
    agent.tell("connect", "-", "".join(f"{k}={v}\n" for k, v in offer.items()).encode())
    if case.refused:
        agent.expect("refused", case.refused)
        return
    agent.expect("open", *case.opened)
    play(agent, case)


def check_lines(printed, wanted):
    """All of `wanted` must be in `printed`, in this order."""
    rest = iter(line.rstrip() for line in printed)
    for line in wanted:
        if line.rstrip() not in rest:
            raise Failed(f"hawser-cat did not print {line!r}, but {[p[:80] for p in printed[:8]]}")


def play_with_cat(hawser, agent, port, case):
    """One connection of hawser-cat to the agent."""
    if case.accept is not None:
        agent.tell("accept", "-", case.accept.encode())
        agent.expect("ready")
    with relay(hawser, case, "127.0.0.1", port) as seen:
        talk_with_cat(hawser, agent, seen.port if seen else port, case)
        if seen:
            case.wire(seen.take(), tap.CLIENT)


def talk_with_cat(hawser, agent, port, case):
    with hawser.cat(port, *case.cat) as cat:
        try:
            agent.expect("open", *case.opened)
            play(agent, case)
        except Failed as problem:
            raise Failed(f"{problem}; hawser-cat said {cat.stderr().strip()[-200:]!r}") from None
        status, lines, stderr = cat.finish()
    if status != case.status:
        raise Failed(f"hawser-cat ended with {status}, not {case.status}: {stderr[-200:]}")
    if status and not stderr.startswith("hawser-cat: "):
        raise Failed(f"hawser-cat failed without a sentence: {stderr[-200:]!r}")
    check_lines(lines, case.lines if case.closes else case.lines + ["close: 1000"])


def with_echo(hawser, echo, command, env, cases, report):
    agent = None
    try:
        for case in cases:
            agent = agent or Agent(command, env)
            if not report.run(f"server: {case.name}", play_with_echo, agent, hawser, echo, case):
                agent.__exit__()
                agent = None
    finally:
        if agent:
            agent.__exit__()


def against_echo(hawser, command, env, can, report):
    for options, cases in itertools.groupby(fitting("server", can), lambda case: case.echo):
        with hawser.echo(*options) as echo:
            with_echo(hawser, echo, command, env, cases, report)
            report.run("server: hawser-echo lives on after all that", echo.check_alive)


def against_cat(hawser, command, env, can, report):
    agent = None
    try:
        for case in fitting("client", can):
            if agent is None:
                agent = Agent(command, env)
                port = agent.expect("listen")[1]
            if not report.run(f"client: {case.name}", play_with_cat, hawser, agent, port, case):
                agent.__exit__()
                agent = None
    finally:
        if agent:
            agent.__exit__()


def any_certificate(bin_dir, agent, port):
    with Cat(bin_dir, "--insecure", "--send", "hi", f"wss://127.0.0.1:{port}/") as cat:
        agent.expect("open")
        agent.expect("text", None, b"hi")
        agent.tell("text", data=b"ho")
        agent.expect("close", 1000)
        status, lines, stderr = cat.finish()
    if status:
        raise Failed(f"hawser-cat ended with {status}: {stderr[-200:]}")
    check_lines(lines, ["open", "text: ho", "close: 1000"])


def unknown_authority(bin_dir, port):
    with Cat(bin_dir, "--send", "hi", f"wss://127.0.0.1:{port}/") as cat:
        status, lines, stderr = cat.finish()
    if status != 1 or lines or not stderr.startswith("hawser-cat: "):
        raise Failed(f"hawser-cat ended with {status}, {lines} and {stderr[-200:]!r}")


def whom_cat_trusts(bin_dir, command, env, report):
    with Agent(command, env) as agent:
        port = agent.expect("listen")[1]
        report.run("client: a certificate of nobody's is refused", unknown_authority, bin_dir, port)
        report.run("client: --insecure takes it", any_certificate, bin_dir, agent, port)
