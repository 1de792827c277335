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
# Lines of functions that are called, by file and text.
NOT_REACHED = {
    ("sha1.c", "add_block(hash, data + i);"): "the handshake hashes 60 bytes, less than a block",
    ("sha1.c", "i += BLOCK;"): "as the line before",
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


def lines_and_functions(root, reports):
    lines, functions = collections.Counter(), collections.defaultdict(list)
    for report in reports:
        for file in report["files"]:
            if not is_core(root, file["file"]):
                continue
            name = pathlib.Path(file["file"]).name
            for line in file["lines"]:
                lines[name, line["line_number"]] += line["count"]
            for function in file["functions"]:
                functions[function["name"]].append((name, function))
    return lines, functions


def excused_lines(functions, errors):
    excused = set()
    for wanted, reason in NOT_CALLED.items():
        if wanted not in functions:
            errors.append(f"{wanted}() is excepted, because it {reason}; but it does not exist.")
        for name, function in functions[wanted]:
            if function["execution_count"] > 0:
                errors.append(f"src/{name}: {wanted}() is excepted, but it is called.")
            excused.update((name, number) for number in
                           range(function["start_line"], function["end_line"] + 1))
    return excused


def main():
    root = checklib.root()
    errors, used = [], set()
    with tempfile.TemporaryDirectory() as folder:
        lines, functions = lines_and_functions(root, measure(root, pathlib.Path(folder)))
    excused = excused_lines(functions, errors)
    texts = {name: (root / "src" / name).read_text().splitlines() for name, _ in lines}
    for (name, number), count in sorted(lines.items()):
        text = texts[name][number - 1].strip()
        if count > 0 or (name, number) in excused:
            continue
        if (name, text) in NOT_REACHED:
            used.add((name, text))
            continue
        errors.append(f"src/{name}:{number}: no corpus reaches this line: {text}")
    errors += [f"src/{name}: excepted, but reached or gone: {text}"
               for name, text in NOT_REACHED.keys() - used]
    checklib.finish(errors, "lines of the core", len(lines))


main()
