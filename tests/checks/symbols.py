"""The core asks nothing of the world but memcpy, memmove, memset and memcmp, and keeps no state:
its archive has no other undefined symbol, and no writable data."""
import pathlib
import re
import tempfile

import checklib

ALLOWED = {"memcpy", "memmove", "memset", "memcmp", "_GLOBAL_OFFSET_TABLE_"}
# Tables of pointers, which the loader fills once, are in .data.rel.ro.
WRITABLE = re.compile(r"\.(data|bss|tdata|tbss)(?!\.rel\.ro)")
FLAGS = ["-std=c11", "-O2", "-DNDEBUG", "-fno-stack-protector", "-fPIC"]


def main():
    root = checklib.root()
    cc, nm, size = checklib.compiler(), checklib.need("nm"), checklib.need("size")
    errors, count = [], 0
    defined, wanted = set(), {}
    with tempfile.TemporaryDirectory() as scratch:
        for path in sorted((root / "src").glob("*.c")):
            count += 1
            name = path.relative_to(root)
            objectfile = pathlib.Path(scratch) / (path.stem + ".o")
            built = checklib.run(cc, *FLAGS, f"-I{root}/include", "-c", path, "-o", objectfile)
            if built.returncode != 0:
                errors.append(f"{name}: does not compile.\n{built.stdout}")
                continue
            for line in checklib.run(nm, "-P", objectfile).stdout.splitlines():
                symbol, kind = line.split()[:2]
                if kind in "Uwv":
                    wanted.setdefault(symbol, name)
                else:
                    defined.add(symbol)
                if kind == "C":
                    errors.append(f"{name}: {symbol} is writable data.")
            for line in checklib.run(size, "-A", objectfile).stdout.splitlines():
                words = line.split()
                if len(words) == 3 and WRITABLE.match(words[0]) and words[1] != "0":
                    errors.append(f"{name}: {words[1]} bytes of writable data in {words[0]}.")
    for symbol in sorted(set(wanted) - defined - ALLOWED):
        errors.append(f"{wanted[symbol]}: the core needs {symbol} from outside.")
    checklib.finish(errors, "files of the core", count)


main()
