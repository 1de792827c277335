"""Building the fuzz targets with the core, in ways of their own, and running them over corpora."""
import concurrent.futures
import os

import checklib

FLAGS = ["-std=c11", "-g"]


def core(root):
    return sorted((root / "src").glob("*.c"))


def targets(root):
    names = sorted(path.stem.removeprefix("fuzz_") for path in (root / "fuzz").glob("fuzz_*.c"))
    if not names:
        print("There are no fuzz targets.")
        raise SystemExit(1)
    return names


class Builder:
    """Compiles with one compiler and flags into one folder."""

    def __init__(self, root, folder, compiler, flags):
        self.root, self.folder, self.compiler = root, folder, compiler
        self.flags = [*FLAGS, *flags, f"-I{root}/include", f"-I{root}/src"]

    def must(self, *arguments):
        built = checklib.run(self.compiler, *self.flags, *arguments, cwd=self.folder)
        if built.returncode != 0:
            print(built.stdout)
            raise SystemExit(1)

    def compile(self, source, name=None):
        output = self.folder / f"{name or source.stem}.o"
        self.must("-c", source, "-o", output)
        return output

    def compile_all(self):
        main = self.root / "fuzz" / "main.c"
        own = [self.root / "fuzz" / f"fuzz_{target}.c" for target in targets(self.root)]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(self.compile, [*core(self.root), main, *own]))

    def link(self, target, name=None, instead=()):
        """Link a target. `instead` names objects that take the place of others: {stem: path}."""
        instead = dict(instead)
        stems = [source.stem for source in core(self.root)] + ["main", f"fuzz_{target}"]
        objects = [instead.get(stem, self.folder / f"{stem}.o") for stem in stems]
        output = self.folder / f"{name or 'fuzz_' + target}.program"
        self.must(*objects, "-o", output)
        return output

    def run(self, target, program):
        corpus = sorted((self.root / "fuzz" / "corpus" / target).iterdir())
        return checklib.run(program, *corpus, cwd=self.folder, errors="replace", timeout=120)
