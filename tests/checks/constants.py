#!/usr/bin/env python3
"""Check that hws_constant() knows every constant of the core's headers, each once.

Usage: constants.py SOURCE_ROOT. Prints the names that differ, and exits with 1.
"""

import pathlib
import re
import sys

# Headers of adapters with constants of their own: the core, where hws_constant() stands, includes
# nothing from above itself.
SKIPPED = {"blocking.h", "loop.h", "tls.h", "uv.h"}

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
ENUM = re.compile(r"\benum\b\s*\w*\s*\{(.*?)\}", re.DOTALL)
# Macros without parameters that stand for a number: a literal, or one of the <stdint.h> limits.
MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(HWS_\w+)[ \t]+\(*-?(?:\d|U?INT)", re.MULTILINE)
ROW = re.compile(r"\bCONSTANT\((HWS_\w+)\)")


def constants_of(header):
    """The names of the constants that a header defines, in no order."""
    text = COMMENT.sub(" ", header.read_text(encoding="utf-8"))
    names = MACRO.findall(text)
    for body in ENUM.findall(text):
        enumerators = (part.split("=")[0].strip() for part in body.split(","))
        names += [name for name in enumerators if name]
    return names


def main():
    root = pathlib.Path(sys.argv[1])
    wanted = set()
    for header in sorted((root / "include" / "hawser").glob("*.h")):
        if header.name not in SKIPPED:
            wanted.update(constants_of(header))
    rows = ROW.findall(COMMENT.sub(" ", (root / "src" / "constant.c").read_text(encoding="utf-8")))
    faults = [f"missing: {name}" for name in sorted(wanted - set(rows))]
    faults += [f"in no header: {name}" for name in sorted(set(rows) - wanted)]
    faults += [f"twice: {name}" for name in sorted(set(rows)) if rows.count(name) > 1]
    if not wanted:
        faults.append("no constants found")
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
