"""The corpora of the fuzz targets together reach every line of the core."""
import collections
import json
import pathlib
import tempfile

import checklib
import fuzzlib

# Functions that no target has a reason to call. One that is called after all is an error here.
NOT_CALLED = {
    "hws_constant": "takes names from programs, not bytes from a peer",
    "equal": "serves hws_constant()",
    "hws_version": "takes nothing",
    "hws_conn_size": "takes nothing",
    "hws_status_name": "is for people, and its table has a test of its own",
    "hws_status_section": "is for people, and its table has a test of its own",
}
# Files of forms that not every processor can run. One of which nothing runs is left out, its part
# of a header that it includes too; of one that runs, every line is demanded.
FORMS = {"kernel_avx2.c", "kernel_avx512.c", "kernel_neon.c", "kernel_ssse3.c", "sha1_arm.c",
         "sha1_ni.c"}
# Lines that one processor reaches and another does not, by file and text.
DEPENDS_ON_PROCESSOR = {
    ("kernel.c", "return 1 << HWS_KERNEL_PORTABLE;"): "is for one without SSSE3",
    ("kernel.c", "i--;"): "is for one that lacks some form",
    ("kernel.c", "has |= 1 << HWS_KERNEL_AVX2;"): "is for one with AVX2",
    ("kernel.c", "has |= 1 << HWS_KERNEL_AVX512;"): "is for one with AVX-512",
    ("kernel.c", "has |= HAS_AVX;"): "is for one with AVX",
    ("kernel.c", "has |= HAS_SHA1;"): "is for one with SHA-1",
    ("kernel.c", "has |= HAS_VBMI;"): "is for one with AVX-512 VBMI",
    ("kernel.c", "return 0;"): "is for one that lacks a form",
}
# Functions of that kind.
CALLED_ON_SOME_PROCESSORS = {
    "fast_sha1": "is for one with SHA-1",
    "hws__sha1_ni_avx": "is for one with SHA-1 and AVX",
}


def measure(root, folder):
    """Run all targets over their corpora. Returns the reports of gcov on the core's files."""
    tool = fuzzlib.Builder(root, folder, checklib.need("gcc"), ["-O0", "--coverage"])
    checklib.need("gcov")
    tool.compile_all()
    for target in fuzzlib.targets(root):
        ran = tool.run(target, tool.link(target))
        if ran.returncode != 0:
            print(f"fuzz_{target} fails on its corpus:\n{ran.stdout}")
            raise SystemExit(1)
    reports = []
    for source in fuzzlib.core(root):
        made = checklib.run("gcov", "--json-format", "--stdout", f"{source.stem}.gcda", cwd=folder)
        line = next(line for line in made.stdout.splitlines() if line.startswith("{"))
        reports.append(json.loads(line))
    return reports


def is_core(root, name):
    return (root / "src") == pathlib.Path(name).parent


def runs_here(source, files):
    """Whether the processor can run what a source is for."""
    return source not in FORMS or any(line["count"] > 0 for file in files for line in file["lines"])


def lines_and_functions(root, reports):
    lines, functions = collections.Counter(), collections.defaultdict(list)
    for report in reports:
        files = [file for file in report["files"] if is_core(root, file["file"])]
        if not runs_here(pathlib.Path(report["data_file"]).stem + ".c", files):
            continue
        for file in files:
            name = pathlib.Path(file["file"]).name
            for line in file["lines"]:
                lines[name, line["line_number"]] += line["count"]
            for function in file["functions"]:
                functions[function["name"]].append((name, function))
    return lines, functions


def lines_of(functions, wanted):
    return {(name, number) for name, function in functions[wanted]
            for number in range(function["start_line"], function["end_line"] + 1)}


def excused_lines(functions, errors):
    excused = set()
    for wanted, reason in NOT_CALLED.items():
        if wanted not in functions:
            errors.append(f"{wanted}() is excepted, because it {reason}; but it does not exist.")
        for name, function in functions[wanted]:
            if function["execution_count"] > 0:
                errors.append(f"src/{name}: {wanted}() is excepted, but it is called.")
        excused |= lines_of(functions, wanted)
    for wanted in CALLED_ON_SOME_PROCESSORS:
        excused |= lines_of(functions, wanted)
    return excused


def missing_exceptions(root):
    """Exceptions for a processor's sake are in use or not; what they are about has to exist."""
    texts = {path.name: path.read_text() for path in (root / "src").glob("*.c")}
    for name in sorted(FORMS - texts.keys()):
        yield f"src/{name}: excepted where nothing runs it, but gone"
    for name, text in DEPENDS_ON_PROCESSOR:
        if text not in texts[name]:
            yield f"src/{name}: excepted on some processors, but gone: {text}"
    for function in CALLED_ON_SOME_PROCESSORS:
        if not any(f" {function}(" in text or f"*{function}(" in text for text in texts.values()):
            yield f"{function}() is excepted on some processors, but does not exist."


def main():
    root = checklib.root()
    errors = list(missing_exceptions(root))
    with tempfile.TemporaryDirectory() as folder:
        lines, functions = lines_and_functions(root, measure(root, pathlib.Path(folder)))
    excused = excused_lines(functions, errors)
    texts = {name: (root / "src" / name).read_text().splitlines() for name, _ in lines}
    for (name, number), count in sorted(lines.items()):
        text = texts[name][number - 1].strip()
        if count > 0 or (name, number) in excused or (name, text) in DEPENDS_ON_PROCESSOR:
            continue
        if name in fuzzlib.FILES_OF_ZLIB and not fuzzlib.has_zlib():
            continue
        errors.append(f"src/{name}:{number}: no corpus reaches this line: {text}")
    checklib.finish(errors, "lines of the core", len(lines))


main()
