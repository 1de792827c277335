"""Building the fuzz targets with the core, in ways of their own, and running them over corpora."""
import concurrent.futures
import functools
import os
import pathlib
import tempfile

import checklib

FLAGS = ["-std=c11"]

# Targets that compress or decompress, by the codec over zlib.
NEED_ZLIB = {"compress", "cuts", "endpoint", "inflate"}
# Files of the core that no other target has a use for.
FILES_OF_ZLIB = {"compressor.c", "compressor.h", "deflate.c", "deflate.h", "deflate_receive.c",
                 "deflate_send.c", "endpoint.c", "endpoint.h", "endpoint_head.c", "endpoint_open.c",
                 "endpoint_output.c", "endpoint_receive.c", "endpoint_send.c", "endpoint_time.c",
                 "prepared.c", "prepared.h", "queue.c", "queue.h"}


def core(root):
    return sorted((root / "src").glob("*.c"))


@functools.cache
def has_zlib():
    """Whether a program can be made with zlib. Without it some targets are left out."""
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "zlib.c"
        source.write_text("#include <zlib.h>\nint main(void) { return zlibVersion() == 0; }\n")
        built = checklib.run(checklib.compiler(), source, "-lz", "-o", "program", cwd=folder)
    if built.returncode != 0:
        print("Without zlib: targets with compression are left out.")
    return built.returncode == 0


def codec(root):
    return [root / "src" / "adapters" / "deflate_zlib.c"] if has_zlib() else []


def targets(root):
    names = sorted(path.stem.removeprefix("fuzz_") for path in (root / "fuzz").glob("fuzz_*.c"))
    if not has_zlib():
        names = [name for name in names if name not in NEED_ZLIB]
    if not names:
        print("There are no fuzz targets.")
        raise SystemExit(1)
    return names


class Builder:
    """Compiles with one compiler and flags into one folder."""

    def __init__(self, root, folder, compiler, flags):
        self.root, self.folder, self.compiler = root, folder, compiler
        self.own_flags = flags
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
            list(pool.map(self.compile, [*core(self.root), *codec(self.root), main, *own]))

    def link(self, target, name=None, instead=()):
        """Link a target. `instead` names objects that take the place of others: {stem: path}."""
        instead = dict(instead)
        zlib = target in NEED_ZLIB
        stems = [source.stem for source in core(self.root) + (codec(self.root) if zlib else [])]
        stems += ["main", f"fuzz_{target}"]
        objects = [instead.get(stem, self.folder / f"{stem}.o") for stem in stems]
        output = self.folder / f"{name or 'fuzz_' + target}.program"
        self.must(*objects, *(["-lz"] if zlib else []), "-o", output)
        return output

    def run(self, target, program, timeout=120):
        corpus = sorted((self.root / "fuzz" / "corpus" / target).iterdir())
        return checklib.run(program, *corpus, cwd=self.folder, errors="replace", timeout=timeout)
