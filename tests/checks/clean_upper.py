"""The SHA extensions of x86 are slow while the upper halves of vector registers are not clean: in
src/sha1_ni.c the form for processors with AVX cleans up before all else, the other one does without
AVX altogether, and nothing there makes them unclean, whatever the compiler was told."""
import pathlib
import re
import tempfile

import checklib

CLEANING, PLAIN = "hws__sha1_ni_avx", "hws__sha1_ni"
WAYS = ["-O0", "-O2", "-O3", "-O3 -march=haswell", "-O3 -march=skylake-avx512"]

FUNCTION = re.compile(r"^[0-9a-f]+ <(\w+)>:\n((?:.+\n)*)", re.M)
INSTRUCTION = re.compile(r"^\s*[0-9a-f]+:\s+(?:(?:notrack|bnd|rex\S*|data16|cs|ds)\s+)*(\S+)(.*)$", re.M)
LEAVES_OR_HASHES = re.compile(r"call|j|ret|sha1")
WIDE = re.compile(r"%[yz]mm")


def functions(tool, objectfile):
    """The instructions of each function, as pairs of name and operands."""
    text = checklib.run(tool, "-d", "--no-show-raw-insn", objectfile).stdout
    return {name: INSTRUCTION.findall(body) for name, body in FUNCTION.findall(text)}


def check_cleaning(code):
    names = [name for name, _ in code.get(CLEANING, ())]
    first = next((i for i, name in enumerate(names) if LEAVES_OR_HASHES.match(name)), len(names))
    if "vzeroupper" not in names[:first]:
        yield f"{CLEANING} does not begin with vzeroupper."


def check_plain(code, for_avx):
    if not any(name == "sha1rnds4" for body in code.values() for name, _ in body):
        yield "there is no sha1rnds4, so nothing was checked."
    for function, body in code.items():
        for name, operands in body:
            if WIDE.search(operands):
                yield f"{function} makes upper halves unclean: {name}{operands}"
            elif name.startswith("v") and function != CLEANING and not for_avx:
                yield f"{function} needs AVX: {name}{operands}"


def main():
    root = checklib.root()
    cc, objdump = checklib.compiler(), checklib.need("objdump")
    if not checklib.run(cc, "-dumpmachine").stdout.startswith("x86_64"):
        checklib.missing("a compiler for x86-64")
    errors = []
    with tempfile.TemporaryDirectory() as scratch:
        objectfile = pathlib.Path(scratch) / "sha1_ni.o"
        for way in WAYS:
            built = checklib.run(cc, "-std=c11", *way.split(), f"-I{root}/include", "-c",
                                 root / "src/sha1_ni.c", "-o", objectfile)
            if built.returncode != 0:
                errors.append(f"src/sha1_ni.c: does not compile with {way}.\n{built.stdout}")
                continue
            code = functions(objdump, objectfile)
            faults = [*check_cleaning(code), *check_plain(code, "-march" in way)]
            errors += [f"src/sha1_ni.c: with {way}, {fault}" for fault in faults]
    checklib.finish(errors, "ways to compile", len(WAYS))


main()
