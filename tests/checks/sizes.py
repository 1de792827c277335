"""Sizes: a connection is at most 384 bytes, a source file 500 lines, a function 50; no call into the
core takes more than 512 bytes of stack, into the endpoint above it 1024; nothing in it recurses."""
import pathlib
import re
import tempfile

import checklib

MAX_CONN = 384
MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 50
MAX_STACK = 512
MAX_STACK_OF_ENDPOINT = 1024

# A definition, as clang-format leaves it: its head starts in column 1, and so does its last brace.
FUNCTION = re.compile(r"^(?!typedef|struct|enum|union|static const)[a-z][^;{}#=]*?\b(\w+)\([^;{}]*\) "
                      r"\{$.*?^\}$", re.M | re.S)
NODE = re.compile(r'node: \{ title: "([^"]+)" label: "([^"]+)"')
STACK = re.compile(r"(\d+) bytes \(([\w,]+)\)")
EDGE = re.compile(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')


def check_conn(root):
    text = f'#include <hawser/conn.h>\n_Static_assert(sizeof(hws_conn) <= {MAX_CONN}, "size");\n'
    built = checklib.run(checklib.compiler(), "-std=c11", "-fsyntax-only", "-x", "c",
                         f"-I{root}/include", "-", input=text)
    if built.returncode != 0:
        yield f"include/hawser/conn.h: hws_conn is larger than {MAX_CONN} bytes."


def check_lines(root, path):
    text = path.read_text()
    name = path.relative_to(root)
    lines = text.count("\n")
    if lines > MAX_FILE_LINES:
        yield f"{name}:{lines}: the file has more than {MAX_FILE_LINES} lines."
    for function in FUNCTION.finditer(text):
        length = function.group().count("\n") + 1
        if length > MAX_FUNCTION_LINES:
            line = text.count("\n", 0, function.start()) + 1
            yield f"{name}:{line}: {function.group(1)} has {length} lines."


def call_graph(root, scratch):
    """Own stack of every function of the core, and whom it calls, by the compiler's account."""
    own, calls, errors = {}, {}, []
    for path in sorted((root / "src").glob("*.c")):
        built = checklib.run(checklib.compiler(), "-std=c11", "-O2", "-fno-stack-protector",
                             "-fcallgraph-info=su", f"-I{root}/include", "-c", path, "-o",
                             scratch / (path.stem + ".o"))
        graph = scratch / (path.stem + ".ci")
        if built.returncode != 0 or not graph.exists():
            errors.append(f"{path.relative_to(root)}: gcc gave no call graph.\n{built.stdout}")
            continue
        text = graph.read_text()
        for title, label in NODE.findall(text):
            stack = STACK.search(label)
            if stack:
                own[title] = int(stack.group(1))
                if stack.group(2) == "dynamic":
                    errors.append(f"{path.relative_to(root)}: {title} has an array of no fixed size.")
        for source, target in EDGE.findall(text):
            calls.setdefault(source, set()).add(target)
    return own, calls, errors


def deepest(own, calls, errors):
    """The stack that a call of each function takes with all that it calls."""
    depth, path = {}, []

    def visit(function):
        if function in path:
            errors.append(f"src: {' -> '.join(path)} -> {function}: the core recurses.")
            return 0
        if function not in depth:
            path.append(function)
            below = [visit(callee) for callee in sorted(calls.get(function, ()))]
            path.pop()
            depth[function] = own.get(function, 0) + max(below, default=0)
        return depth[function]

    for function in sorted(own):
        visit(function)
    return depth


def check_stack(root):
    if "clang" in checklib.run(checklib.compiler(), "--version").stdout:
        checklib.missing("gcc, for its stack usage")
    with tempfile.TemporaryDirectory() as scratch:
        own, calls, errors = call_graph(root, pathlib.Path(scratch))
    depth = deepest(own, calls, errors)
    for function, stack in sorted(depth.items(), key=lambda item: -item[1]):
        limit = MAX_STACK_OF_ENDPOINT if "endpoint" in function else MAX_STACK
        if stack > limit:
            errors.append(f"src: a call of {function} takes {stack} bytes of stack.")
    if depth:
        most = max(depth, key=depth.get)
        print(f"The deepest call of the core is {most} with {depth[most]} bytes of stack.")
    return errors


def main():
    root = checklib.root()
    errors, count = list(check_conn(root)), 0
    for path in checklib.sources(root, "include", "src"):
        count += 1
        errors.extend(check_lines(root, path))
    errors.extend(check_stack(root))
    checklib.finish(errors, "source files", count)


main()
