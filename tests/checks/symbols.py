"""The core asks nothing of the world but memcpy, memmove, memset and memcmp, and keeps no state:
its archive has no other undefined symbol, and no writable data. What says which form of the kernels
runs is the one exception; a portable build has none."""
import pathlib
import re
import tempfile

import checklib

ALLOWED = {"memcpy", "memmove", "memset", "memcmp", "_GLOBAL_OFFSET_TABLE_"}
# Tables of pointers, which the loader fills once, are in .data.rel.ro.
WRITABLE = re.compile(r"\.(data|bss|tdata|tbss)(?!\.rel\.ro)")
STATEFUL = {"kernel.c"}
FLAGS = ["-std=c11", "-O2", "-DNDEBUG", "-fno-stack-protector", "-fPIC"]


def look_at(objectfile, defined, wanted, name):
    """Note the symbols of one object. Yields its faults but for undefined symbols."""
    nm, size = checklib.need("nm"), checklib.need("size")
    for line in checklib.run(nm, "-P", objectfile).stdout.splitlines():
        symbol, kind = line.split()[:2]
        if kind in "Uwv":
            wanted.setdefault(symbol, name)
        else:
            defined.add(symbol)
        if kind == "C":
            yield f"{name}: {symbol} is writable data."
    for line in checklib.run(size, "-A", objectfile).stdout.splitlines():
        words = line.split()
        if len(words) == 3 and WRITABLE.match(words[0]) and words[1] != "0":
            yield f"{name}: {words[1]} bytes of writable data in {words[0]}."


def check_build(root, scratch, options, stateful):
    """Compile the core in one way. Returns its faults, and how many files it has."""
    errors, count = [], 0
    defined, wanted = set(), {}
    for path in sorted((root / "src").glob("*.c")):
        count += 1
        name = path.relative_to(root)
        objectfile = pathlib.Path(scratch) / (path.stem + ".o")
        built = checklib.run(checklib.compiler(), *FLAGS, *options, f"-I{root}/include", "-c", path,
                             "-o", objectfile)
        if built.returncode != 0:
            errors.append(f"{name}: does not compile.\n{built.stdout}")
            continue
        faults = list(look_at(objectfile, defined, wanted, name))
        errors += [] if path.name in stateful else faults
    for symbol in sorted(set(wanted) - defined - ALLOWED):
        errors.append(f"{wanted[symbol]}: the core needs {symbol} from outside.")
    return errors, count


def main():
    root = checklib.root()
    with tempfile.TemporaryDirectory() as scratch:
        errors, count = check_build(root, scratch, [], STATEFUL)
        portable, more = check_build(root, scratch, ["-DHWS_PORTABLE"], set())
    checklib.finish(errors + portable, "files of the core", count + more)


main()
