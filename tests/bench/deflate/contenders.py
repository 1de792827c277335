"""The programs that deflate.py gives jobs to: how they are found, built, started and ended."""
import pathlib
import subprocess

import start
from start import Missing

HERE = pathlib.Path(__file__).resolve().parent
FILTER, FRAMES = ("compress", "decompress"), ("send", "receive")
END_S = 5


class Wrong(Exception):
    """Something that is there does not work."""


def zlib(arguments):
    return [str(arguments.program), "serve", "zlib"], None


def hawser(arguments):
    return [str(arguments.program), "serve", "hawser"], None


def node(_):
    command, env = start.node(None)
    return [command[0], str(HERE / "peer_node.js")], env


def websockets(_):
    command, env = start.websockets(None)
    return [command[0], "-B", str(HERE / "peer_websockets.py")], env


def beast(arguments):
    compiler, source = start.need("c++", "g++", "clang++"), HERE / "peer_beast.cpp"
    target = arguments.build / "peer_beast"
    if not start.is_new(target, source):
        probe = "#include <boost/beast/version.hpp>\n"
        if subprocess.run([compiler, "-fsyntax-only", "-x", "c++", "-"], input=probe, text=True,
                          capture_output=True, check=False).returncode != 0:
            raise Missing("no Boost.Beast")
        start.build([compiler, "-std=c++17", "-O2", "-DNDEBUG", "-o", str(target), str(source),
                     "-pthread"], "it")
    return [str(target)], None


CONTENDERS = {"zlib": (zlib, FILTER), "hawser": (hawser, FILTER + FRAMES),
              "Boost.Beast": (beast, FRAMES), "Node ws": (node, FILTER + FRAMES),
              "Python websockets": (websockets, FILTER + FRAMES)}


class Contender:
    """A program that waits for jobs."""

    def __init__(self, name, arguments):
        find, self.verbs = CONTENDERS[name]
        command, env = find(arguments)
        self.name = name
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def do(self, *words):
        """Nanoseconds, bytes that came out and their checksum."""
        try:
            print(*words, file=self.process.stdin, flush=True)
            ns, size, checksum = self.process.stdout.readline().split()
        except (OSError, ValueError):
            raise Wrong(f"{self.name} gave no answer to: {' '.join(map(str, words))}") from None
        return int(ns), int(size), checksum

    def end(self):
        try:
            self.process.stdin.close()
            self.process.wait(END_S)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
