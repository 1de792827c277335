"""docs/rfc*.md say which function keeps a rule and which test proves it: each name in them exists.

Names of functions and constants stand in backticks, names of test rows in double quotes."""
import re

import checklib

NAME = re.compile(r"`((?:hws_|HWS_)\w+)(?:\(\))?`")
ROW = re.compile(r'"((?:RFC )?\d[^"\n]*)"')


def main():
    root = checklib.root()
    pages = sorted((root / "docs").glob("rfc*.md"))
    if not pages:
        checklib.missing("docs/rfc*.md")
    code = "\n".join(path.read_text() for path in checklib.sources(root, "include", "src"))
    names = set(re.findall(r"\w+", code))
    tests = "\n".join(path.read_text() for path in checklib.sources(root, "tests"))
    tests = re.sub(r'"\s*\n\s*"', "", tests)  # a string that goes on in the next line
    errors, count = [], 0
    for page in pages:
        for number, line in enumerate(page.read_text().splitlines(), start=1):
            place = f"{page.relative_to(root)}:{number}"
            for name in NAME.findall(line):
                count += 1
                if name not in names:
                    errors.append(f"{place}: there is no {name}.")
            for row in ROW.findall(line):
                count += 1
                if f'"{row}"' not in tests:
                    errors.append(f'{place}: there is no test row "{row}".')
    checklib.finish(errors, "names", count)


main()
