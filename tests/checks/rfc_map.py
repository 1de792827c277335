"""docs/rfc6455.md says which function keeps a rule and which test proves it: each name in it exists.

Names of functions and constants stand in backticks, names of test rows in double quotes."""
import re

import checklib

NAME = re.compile(r"`((?:hws_|HWS_)\w+)(?:\(\))?`")
ROW = re.compile(r'"((?:RFC )?\d[^"\n]*)"')


def main():
    root = checklib.root()
    page = root / "docs/rfc6455.md"
    if not page.exists():
        checklib.missing("docs/rfc6455.md")
    code = "\n".join(path.read_text() for path in checklib.sources(root, "include", "src"))
    names = set(re.findall(r"\w+", code))
    tests = "\n".join(path.read_text() for path in checklib.sources(root, "tests"))
    tests = re.sub(r'"\s*\n\s*"', "", tests)  # a string that goes on in the next line
    errors, count = [], 0
    for number, line in enumerate(page.read_text().splitlines(), start=1):
        for name in NAME.findall(line):
            count += 1
            if name not in names:
                errors.append(f"docs/rfc6455.md:{number}: there is no {name}.")
        for row in ROW.findall(line):
            count += 1
            if f'"{row}"' not in tests:
                errors.append(f'docs/rfc6455.md:{number}: there is no test row "{row}".')
    checklib.finish(errors, "names", count)


main()
