"""Real WebSocket libraries at the other end of hawser's programs: one run for one of them.

Usage: run.py --bin DIRECTORY --peer NAME [--tls]

DIRECTORY holds hawser-echo and hawser-cat. With --tls they talk over wss://. Prints one line for
each case. Exit status: 0 when all passed, 1 when not, 77 when the peer is not installed. Everything
stays on the loopback addresses.
"""
import argparse
import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = os.path.join(HERE, "peers")
sys.path.insert(0, PEERS)
LONGEST = 300  # Seconds that a whole run may take: ten times what it takes on two free cores.

from programs import Hawser, Missing, Report  # noqa: E402
from tls import make_identity, need_tls  # noqa: E402

ALL = {"fragments", "cuts", "ping", "empty-ping", "between", "eof", "reset", "empty-close",
       "close-inside", "deflate", "subprotocol", "subprotocol-none", "origin", "too-big",
       "code-1014", "parameters", "unsaid", "wishes", "grants", "nine", "empty",
       "between-compressed", "eight", "eight-in", "smaller", "each-window"}

SET = ALL | {"settings"}  # With libwebsockets, whose compressor can be set by hand.
NOT_LIBWEBSOCKETS = {"empty-close", "empty-ping", "empty", "eight"}


def works(command, env=None):
    try:
        return subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def python_agent(module, script):
    for python in ("/usr/bin/python3", sys.executable):
        if works([python, "-c", f"import {module}"]):
            return [python, os.path.join(PEERS, script)], None
    raise Missing(f"no Python that has the module {module}")


def websockets(_):
    return python_agent("websockets", "websockets_agent.py")


def wsproto(_):
    return python_agent("wsproto", "wsproto_agent.py")


def node(_):
    env = dict(os.environ)
    env["NODE_PATH"] = os.pathsep.join(
        path for path in (env.get("NODE_PATH"), "/usr/share/nodejs") if path)
    for program in ("node", "/usr/bin/node", "/usr/bin/nodejs"):
        if works([program, "-e", "require('ws')"], env):
            return [program, os.path.join(PEERS, "node_agent.js")], env
    raise Missing("no node that has the module ws")


def curl(arguments):
    for up in (".", ".."):
        python = os.path.join(arguments.bin, up, "interop", "venv", "bin", "python")
        if works([python, "-c", "import curl_cffi"]):
            return [python, os.path.join(PEERS, "curl_agent.py")], None
    return python_agent("curl_cffi", "curl_agent.py")


def libwebsockets(arguments):
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler or not works(["pkg-config", "--exists", "libwebsockets"]):
        raise Missing("no compiler, no pkg-config or no libwebsockets")
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libwebsockets"],
                           check=True, capture_output=True, text=True).stdout.split()
    program = os.path.join(arguments.scratch, "libwebsockets_agent")
    subprocess.run([compiler, "-O1", "-o", program, os.path.join(PEERS, "libwebsockets_agent.c"),
                    *flags, "-pthread"], check=True, timeout=60)
    return [program], None


# How to find the peer's agent; what it can do as a client and as a server, if it is one.
AGENTS = {
    # Windows of 8 bits: websockets agrees to one of its own, and then fails to make it; wsproto
    # knows none. As a server wsproto takes over what hawser-cat hints at, whatever it was told.
    "websockets": (websockets, ALL - {"empty-close", "close-inside", "eight"},
                   ALL - {"empty-close", "close-inside", "eight"}),
    "wsproto": (wsproto, ALL - {"cuts", "code-1014", "unsaid", "eight", "eight-in"},
                ALL - {"cuts", "code-1014", "eight", "eight-in", "smaller"}),
    "node": (node, (ALL - {"subprotocol-none"}) | {"plain"}, ALL | {"plain"}),
    "curl": (curl, ALL - {"deflate", "parameters"}, None),
    # As a server it gives up, with no regard to a Close, while its own message is half out. Its
    # faults with compression have cases of their own in libwebsockets_faults.py.
    "libwebsockets": (libwebsockets,
                      SET - NOT_LIBWEBSOCKETS - {"between-compressed", "eight-in"},
                      SET - NOT_LIBWEBSOCKETS - {"too-big", "wishes", "grants"}),
}
# Peers that are driven in another way: modules with a function run(arguments, report), which raises
# Missing when its peer is not installed.
MODULES = {"chromium": "chromium_peer", "haproxy": "haproxy_peer", "nginx": "nginx_peer",
           "raw": "raw_peer"}
# Who has faults that are cases of their own.
FAULTS = {"libwebsockets": "libwebsockets_faults"}
# Who can speak TLS, and what they cannot do then: Node resets plain TCP only.
OVER_TLS = {"chromium": set(), "node": {"reset", "each-window"}, "websockets": {"each-window"}}


def run_peer(arguments, report):
    if arguments.peer in MODULES:
        importlib.import_module(MODULES[arguments.peer]).run(arguments, report)
        return
    find, as_client, as_server = AGENTS[arguments.peer]
    command, env = find(arguments)
    import play
    hawser = arguments.hawser
    if arguments.tls:
        as_client, as_server = (can - OVER_TLS[arguments.peer] for can in (as_client, as_server))
    play.against_echo(hawser, command + ["client"], env, as_client, report)
    if as_server:
        files = [hawser.identity.certificate, hawser.identity.key] if hawser.identity else []
        play.against_cat(hawser, command + ["server", *files], env, as_server, report)
        if files:
            play.whom_cat_trusts(hawser.bin_dir, command + ["server", *files], env, report)
    if arguments.peer in FAULTS:
        importlib.import_module(FAULTS[arguments.peer]).run(hawser, command, env, report)


def find_hawser(arguments):
    if not arguments.tls:
        return Hawser(arguments.bin)
    need_tls(arguments.bin)
    return Hawser(arguments.bin, make_identity(arguments.scratch))


def too_long(*_):
    raise SystemExit(f"FAIL: the run took longer than {LONGEST} s")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True, help="directory of hawser-echo and hawser-cat")
    parser.add_argument("--peer", required=True, choices=sorted([*AGENTS, *MODULES]))
    parser.add_argument("--tls", action="store_true", help="talk over wss://")
    arguments = parser.parse_args()
    if arguments.tls and arguments.peer not in OVER_TLS:
        parser.error(f"no TLS with this peer, but with {', '.join(OVER_TLS)}")
    for program in ("hawser-echo", "hawser-cat"):
        if not os.path.exists(os.path.join(arguments.bin, program)):
            print(f"FAIL: there is no {program} in {arguments.bin}")
            return 1
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LONGEST)
    report = Report(arguments.peer + ("+tls" if arguments.tls else ""))
    with tempfile.TemporaryDirectory(prefix="hawser-interop-") as arguments.scratch:
        try:
            arguments.hawser = find_hawser(arguments)
            run_peer(arguments, report)
        except Missing as missing:
            print(f"skipped: {arguments.peer}: {missing}")
            return 77
    return report.status()


sys.exit(main())
