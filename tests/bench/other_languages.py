"""hawser beside WebSocket codecs of other languages: builds and runs the programs in rust/ and go/.

Usage: other_languages.py BUILD [--rounds N] [--native] [--table]

BUILD is a directory for everything that is built; the source tree is not written to. Prints lines of
`row,contender,ns`: the median of nanoseconds per message. Every program times hawser too, in the
same rounds, and only contenders of one program can be compared: the part of a name before the slash
says which. `hawser` unmasks in place bytes that have been read; `hawser with read` counts the
copy that a read() is as well, as it is counted for all others when they receive.

Needs CMake and a C compiler, and a network for the packages. A language without its toolchain or its
packages is named as left out. Exit status: 0; 1 when something does not build, or delivers wrong
bytes; 77 when all is left out.
"""
import argparse
import hashlib
import os
import pathlib
import platform
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
MISSING = 77
LONGEST = 900  # Seconds that one command may take.


class LeftOut(Exception):
    """Something that is not part of hawser is not there."""


class Failed(Exception):
    """Something that is there does not work."""


def call(command, error, **options):
    """Run a command and return what it prints; `error` is raised when it fails."""
    command = [str(word) for word in command]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False, timeout=LONGEST, **options)
    if done.returncode != 0:
        raise error(f"{' '.join(command)} failed: {(done.stderr or done.stdout).strip()[-3000:]}")
    return done.stdout


def need(tool):
    if shutil.which(tool) is None:
        raise LeftOut(f"there is no {tool}")


def build_hawser(build):
    """The directory of the static libraries."""
    call(["cmake", "-S", ROOT, "-B", build, "-DHAWSER_BUILD_TESTS=OFF",
          "-DHAWSER_BUILD_EXAMPLES=OFF", "-DBUILD_SHARED_LIBS=OFF"], Failed)
    call(["cmake", "--build", build, "--parallel", "2"], Failed)
    return build / "src"


def build_rust(build, libraries, native):
    need("cargo")
    source = build / "rust"
    shutil.copytree(HERE / "rust", source, dirs_exist_ok=True)  # Cargo writes a lock file there.
    env = dict(os.environ, HAWSER_LIB_DIR=str(libraries), CARGO_TARGET_DIR=str(build / "cargo"))
    if native:
        env["RUSTFLAGS"] = "-C target-cpu=native"
    call(["cargo", "fetch"], LeftOut, cwd=source, env=env)
    call(["cargo", "build", "--release", "--offline", "--jobs", "2"], Failed, cwd=source, env=env)
    return build / "cargo" / "release" / "hawser-bench-rust"


def build_go(build, libraries, native):
    need("go")
    program = build / "hawser-bench-go"
    program.unlink(missing_ok=True)
    # Go's cache does not see a change of the library: the macro, which nobody uses, shows it.
    digest = hashlib.sha256((libraries / "libhawser.a").read_bytes()).hexdigest()
    env = dict(os.environ, CGO_ENABLED="1", GOTOOLCHAIN="local",
               CGO_CFLAGS=f"-O2 -I{ROOT / 'include'} -DHAWSER_LIBRARY_{digest}",
               CGO_LDFLAGS=f"-L{libraries} -lhawser-blocking -lhawser")
    if native and platform.machine() == "x86_64":
        env["GOAMD64"] = "v3"
    call(["go", "mod", "download"], LeftOut, cwd=HERE / "go", env=env)
    call(["go", "build", "-p", "2", "-buildvcs=false", "-o", program, "."], Failed,
         cwd=HERE / "go", env=env)
    return program


# Name of a language, how to build its program, its contenders.
LANGUAGES = [("rust", build_rust, ["tungstenite", "fastwebsockets"]),
             ("go", build_go, ["gorilla", "gws"])]


def build_all(build, native):
    """Names of languages and their programs, of those that are there."""
    libraries = build_hawser(build / "hawser")
    programs = []
    for name, builder, contenders in LANGUAGES:
        try:
            programs.append((name, builder(build, libraries, native)))
        except LeftOut as reason:
            names = ", ".join(f"{name}/{contender}" for contender in contenders)
            print(f"Left out: {names}: {reason}", file=sys.stderr)
    return programs


def pin():
    """One CPU for us and for what we start from here on."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def measure(programs, rounds):
    """Rows of (row, contender, ns)."""
    results = []
    for language, program in programs:
        for line in call([program, rounds], Failed).splitlines():
            row, contender, ns = line.split(",")
            results.append((row, f"{language}/{contender}", ns))
    return results


def print_table(results):
    contenders = list(dict.fromkeys(contender for _, contender, _ in results))
    print(" " * 32 + "".join(f"{contender:>24}" for contender in contenders))
    for row in dict.fromkeys(row for row, _, _ in results):
        values = {contender: ns for name, contender, ns in results if name == row}
        print(f"{row:32}" + "".join(f"{values.get(name, '-'):>24}" for name in contenders))


def print_csv(results):
    print("row,contender,ns")
    for result in results:
        print(",".join(result))


def at_least_one(word):
    if not word.isdecimal() or int(word) == 0:
        raise argparse.ArgumentTypeError("a number of at least 1 is needed")
    return int(word)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path, help="directory for what is built")
    parser.add_argument("--rounds", type=at_least_one, default=501, help="default: 501")
    parser.add_argument("--native", action="store_true", help="build the peers for this CPU")
    parser.add_argument("--table", action="store_true", help="for reading, in place of CSV")
    return parser.parse_args()


def main():
    options = arguments()
    build = options.build.resolve()
    build.mkdir(parents=True, exist_ok=True)
    print(f"Building in {build}.", file=sys.stderr)
    try:
        programs = build_all(build, options.native)
        pin()
        results = measure(programs, options.rounds)
    except (Failed, OSError, subprocess.TimeoutExpired) as reason:
        print(reason, file=sys.stderr)
        return 1
    if not results:
        print("NOT RUN: all contenders are left out.", file=sys.stderr)
        return MISSING
    (print_table if options.table else print_csv)(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
