"""Builds, starts and ends the servers that end_to_end.py and service.py compare: those that echo,
and for service.py those that broadcast.

Each prints a line that ends with its URL. Each is ended by its id. Building writes into a directory
of builds alone, and what is there and newer than its source is taken as it is."""
import os
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
GORILLA = "github.com/gorilla/websocket"
START_S, END_S, BUILD_S = 15, 3, 300


class Missing(Exception):
    """Something that a server needs is not installed."""


def works(command, **more):
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                              check=False, **more).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def need(*programs):
    for program in programs:
        if shutil.which(program):
            return program
    raise Missing("no " + " or ".join(programs))


def build(command, what, **more):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=BUILD_S, check=False, **more)
    except subprocess.TimeoutExpired:
        raise Missing(f"{what} took too long to build") from None
    if done.returncode != 0:
        raise Missing(f"{what} could not be built: {done.stderr.strip()[-300:]}")


def is_new(target, *sources):
    return target.exists() and all(target.stat().st_mtime > source.stat().st_mtime
                                   for source in sources)


def hawser(folders, kind="echo"):
    if kind == "broadcast":
        return [str(folders.tools / "hawser-bench-broadcast")], None
    return [str(folders.bin / "hawser-echo"), "--port", "0"], None


def libwebsockets(folders, kind="echo"):
    compiler, source = need("cc", "gcc", "clang"), HERE / f"libwebsockets_{kind}.c"
    if not works(["pkg-config", "--exists", "libwebsockets"]):
        raise Missing("no libwebsockets, or no pkg-config")
    target = folders.build / f"libwebsockets_{kind}"
    if not is_new(target, source, HERE / "libwebsockets_serve.h"):
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libwebsockets"], text=True,
                               check=True, capture_output=True).stdout.split()
        build([compiler, "-O2", "-o", str(target), str(source), *flags], "it")
    return [str(target)], None


def beast(folders, _="echo"):
    compiler, source = need("c++", "g++", "clang++"), HERE / "beast_echo.cpp"
    target = folders.build / "beast_echo"
    if not is_new(target, source):
        probe = "#include <boost/beast/version.hpp>\n"
        if subprocess.run([compiler, "-fsyntax-only", "-x", "c++", "-"], input=probe, text=True,
                          capture_output=True, check=False).returncode != 0:
            raise Missing("no Boost.Beast")
        build([compiler, "-O2", "-DNDEBUG", "-o", str(target), str(source), "-pthread"], "it")
    return [str(target)], None


def node(_, kind="echo"):
    env = dict(os.environ)
    env["NODE_PATH"] = os.pathsep.join(
        path for path in (env.get("NODE_PATH"), "/usr/share/nodejs") if path)
    for program in ("node", "/usr/bin/node", "/usr/bin/nodejs"):
        if works([program, "-e", "require('ws')"], env=env):
            return [program, str(HERE / f"node_{kind}.js")], env
    raise Missing("no node that has the module ws")


def websockets(_, kind="echo"):
    for python in ("/usr/bin/python3", sys.executable):
        if works([python, "-c", "import websockets"]):
            return [python, "-B", str(HERE / f"websockets_{kind}.py")], None
    raise Missing("no Python that has the module websockets")


def gorilla(folders, _="echo"):
    go, source = need("go"), HERE / "gorilla_echo.go"
    folder = folders.build / "gorilla"
    target = folder / "gorilla_echo"
    if not is_new(target, source):
        folder.mkdir(exist_ok=True)
        shutil.copy(source, folder / "main.go")
        (folder / "go.mod").write_text("module echo\n\ngo 1.20\n")
        if not works([go, "get", GORILLA + "@v1.5.3"], cwd=folder):
            raise Missing(f"no module {GORILLA}")
        build([go, "build", "-o", str(target)], "it", cwd=folder)
    return [str(target)], None


SERVERS = {"hawser-echo": hawser, "libwebsockets": libwebsockets, "Boost.Beast": beast,
           "gorilla/websocket": gorilla, "Node ws": node, "Python websockets": websockets}


class Server:
    """A running server, on one core."""

    def __init__(self, name, folders, core, kind="echo"):
        command, env = SERVERS[name](folders, kind)
        self.name, self.lines = name, queue.Queue()
        self.process = subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}))
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()
        try:
            self.url = re.search(r"ws://\S+", self.lines.get(timeout=START_S)).group()
        except (queue.Empty, AttributeError):
            self.end()
            raise Missing("it did not start") from None

    def read(self):
        self.lines.put(self.process.stdout.readline())

    def processor_s(self):
        """What it has taken of the processor so far, in all of its threads."""
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(END_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.thread.join(END_S)
        self.process.stdout.close()
