"""hawser-echo with several threads, under load by hawser-bench: what threads do to each other shows
in a build with -DHAWSER_SANITIZE=thread. How it is run stands in programs.py."""
import contextlib
import subprocess
import sys
import time

from programs import BENCH, WAIT, Echo, case, contains, equal, main

THREADS = ("--threads", "3", "--summary", "--ping", "1")
LOADS = [
    ("small messages", ["--connections", "12", "--depth", "4"]),
    ("large messages of text", ["--connections", "6", "--size", "100000", "--text"]),
]


def server():
    return Echo(*THREADS, stderr=sys.stdout)


def load(echo, seconds, *options):
    return subprocess.Popen([BENCH, "--warm-up", "0", "--duration", str(seconds), *options, echo.url],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def serves(options):
    with server() as echo, load(echo, 2, *options) as bench:
        text = bench.communicate(timeout=WAIT)[0]
        equal(bench.returncode, 0, f"status of hawser-bench, which says {text}")


for _name, _options in LOADS:
    case(f"three threads serve {_name}")(lambda options=_options: serves(options))


@case("SIGTERM ends them in the midst of it")
def ends_in_the_midst():
    with server() as echo, load(echo, WAIT, *LOADS[0][1]) as bench:
        with contextlib.ExitStack() as cleanup:
            cleanup.callback(bench.kill)
            time.sleep(1)
            equal(bench.poll(), None, "status of hawser-bench before the server ends")
            echo.process.terminate()
            equal(echo.process.wait(WAIT), 0, "status of hawser-echo")
            contains(echo.lines.next(), "opened=12 ", "summary")


if __name__ == "__main__":
    main("Usage: python3 test_load.py BIN_DIR [WORD]")
