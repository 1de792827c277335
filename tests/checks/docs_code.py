"""Every C block of README.md and docs/*.md compiles.

A block with a main() is a program. Any other is put into a function, below the headers that it
needs; an HTML comment right before it can declare what the text around it takes for granted:

    <!-- compile: needs=hws_conn conn; uint8_t buf[512]; -->
"""
import re

import checklib

BLOCK = re.compile(r"(?:^<!--\s*compile:\s*needs=(?P<needs>.*?)-->\s*\n+)?"
                   r"^(?P<indent> *)```c\n(?P<code>.*?)^ *```$", re.M | re.S)
HEADERS = """#include <hawser/hawser.h>
#include <hawser/blocking.h>
#include <hawser/entropy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
"""
FLAGS = ["-std=c11", "-Wall", "-Werror", "-Wno-unused", "-fsyntax-only", "-x", "c"]
DEFINES_FUNCTION = re.compile(r"^(?!(?:if|while|for|switch)\b)[a-z][^;{}=]*\w\([^;{}]*\)\s*\{", re.M)


def program(block):
    code = block["code"]
    if re.search(r"\bmain\s*\(", code):
        return code
    needs = block["needs"] or ""
    includes = "".join(re.findall(r"^\s*#\s*include.*\n", code, re.M))
    code = re.sub(r"^\s*#\s*include.*$", "", code, flags=re.M)
    if DEFINES_FUNCTION.search(code):
        return f"{HEADERS}{includes}{needs}\n#line 1\n{code}"
    return f"{HEADERS}{includes}void block(void);\nvoid block(void) {{\n{needs}\n#line 1\n{code}}}\n"


def main():
    root = checklib.root()
    compiler = checklib.compiler()
    errors, count = [], 0
    for path in [root / "README.md", *sorted((root / "docs").glob("**/*.md"))]:
        text = path.read_text() if path.exists() else ""
        for block in BLOCK.finditer(text):
            count += 1
            built = checklib.run(compiler, *FLAGS, f"-I{root}/include", "-", input=program(block))
            if built.returncode != 0:
                line = text.count("\n", 0, block.start("code")) + 1
                errors.append(f"{path.relative_to(root)}:{line}: this block does not compile, lines "
                              f"counted from its start:\n{built.stdout}")
    checklib.finish(errors, "blocks of C", count)


main()
