"""Plays the cases with an agent: against hawser-echo, and against hawser-cat."""
import itertools

from cases import CASES
from programs import Agent, Cat, Echo, Failed


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


def play_with_echo(agent, echo, case):
    """One connection of the agent to hawser-echo."""
    offer = dict(case.offer, url=echo.url)
    if offer.get("origin") == "SAME":
        offer["origin"] = "http" + echo.url[len("ws"):].rstrip("/")
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


def play_with_cat(bin_dir, agent, port, case):
    """One connection of hawser-cat to the agent."""
    if case.accept is not None:
        agent.tell("accept", "-", case.accept.encode())
        agent.expect("ready")
    with Cat(bin_dir, *case.cat, f"ws://127.0.0.1:{port}/") as cat:
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


def with_echo(echo, command, env, cases, report):
    agent = None
    try:
        for case in cases:
            agent = agent or Agent(command, env)
            if not report.run(f"server: {case.name}", play_with_echo, agent, echo, case):
                agent.__exit__()
                agent = None
    finally:
        if agent:
            agent.__exit__()


def against_echo(bin_dir, command, env, can, report):
    for options, cases in itertools.groupby(fitting("server", can), lambda case: case.echo):
        with Echo(bin_dir, *options) as echo:
            with_echo(echo, command, env, cases, report)
            report.run("server: hawser-echo lives on after all that", echo.check_alive)


def against_cat(bin_dir, command, env, can, report):
    agent = None
    try:
        for case in fitting("client", can):
            if agent is None:
                agent = Agent(command, env)
                port = agent.expect("listen")[1]
            if not report.run(f"client: {case.name}", play_with_cat, bin_dir, agent, port, case):
                agent.__exit__()
                agent = None
    finally:
        if agent:
            agent.__exit__()
