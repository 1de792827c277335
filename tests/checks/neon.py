"""The forms of the kernels for aarch64: the core, the unit tests that matter to them and fuzz
targets, built for that processor and run under an emulator."""
import concurrent.futures
import os
import pathlib
import tempfile

import checklib
import fuzzlib

COMPILER = "aarch64-linux-gnu-gcc"
EMULATOR = "qemu-aarch64"
# The tests include <cmocka.h>; tests/plain has as much of it as they need.
FLAGS = ["-static", "-O2", "-DHWS_TEST_REDUCED",
         "-Werror=implicit-function-declaration"]

# tests/test_….c: those of files that have forms of their own for this processor.
TESTS = ["chacha", "kernels", "kernels_faults", "kernels_text", "key_pool", "mask", "sha1", "utf8"]
TEST_SUPPORT = ["harness", "support"]
TARGETS = ["client", "kernels", "key_pool", "roundtrip", "server"]


class Programs:
    """Builds and runs the programs. Each method gives the output of what failed, or None."""

    def __init__(self, root, folder):
        self.root = root
        self.builder = fuzzlib.Builder(root, folder, checklib.need(COMPILER),
                                       [*FLAGS, f"-I{root}/tests/plain"])
        self.emulator = checklib.need(EMULATOR)

    def compile_all(self, pool):
        tests = [self.root / "tests" / f"{stem}.c"
                 for stem in [*TEST_SUPPORT, *(f"test_{name}" for name in TESTS)]]
        fuzz = [self.root / "fuzz" / f"{stem}.c"
                for stem in ["main", *(f"fuzz_{name}" for name in TARGETS)]]
        list(pool.map(self.builder.compile, [*fuzzlib.core(self.root), *tests, *fuzz]))

    def run(self, program, *arguments):
        ran = checklib.run(self.emulator, program, *arguments, errors="replace", timeout=120)
        return None if ran.returncode == 0 else f"{program.stem} fails:\n{ran.stdout}"

    def check_test(self, name):
        stems = [*(source.stem for source in fuzzlib.core(self.root)), *TEST_SUPPORT,
                 f"test_{name}"]
        program = self.builder.folder / f"test_{name}.program"
        self.builder.must(*(f"{stem}.o" for stem in stems), "-o", program)
        return self.run(program)

    def check_target(self, name):
        corpus = sorted((self.root / "fuzz" / "corpus" / name).iterdir())
        return self.run(self.builder.link(name), *corpus)


def main():
    root = checklib.root()
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        programs = Programs(root, pathlib.Path(folder))
        programs.compile_all(pool)
        failed = [*pool.map(programs.check_test, TESTS), *pool.map(programs.check_target, TARGETS)]
    checklib.finish(list(filter(None, failed)), "programs for aarch64", len(failed))


main()
