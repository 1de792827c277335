"""Each public header compiles alone, as C99 and as C++11, without a warning."""
import os

import checklib

WARNINGS = ["-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]


def main():
    root = checklib.root()
    languages = [(checklib.compiler(), "c", "c99"),
                 (checklib.need(os.environ.get("CXX") or "c++"), "c++", "c++11")]
    errors, count = [], 0
    for path in checklib.sources(root, "include/hawser", ends=(".h",)):
        count += 1
        for compiler, language, standard in languages:
            text = f"#include <hawser/{path.name}>\n#include <hawser/{path.name}>\n"
            built = checklib.run(compiler, "-x", language, f"-std={standard}", *WARNINGS,
                                 f"-I{root}/include", "-", input=text)
            if built.returncode != 0:
                errors.append(f"{path.relative_to(root)}: not good as {standard}:\n{built.stdout}")
    checklib.finish(errors, "public headers", count)


main()
