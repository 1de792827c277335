"""Every C file is as clang-format leaves it."""
import checklib


def main():
    root = checklib.root()
    tool = checklib.need("clang-format")
    files = list(checklib.sources(root, "include", "src", "tests", "fuzz", "examples"))
    result = checklib.run(tool, "--dry-run", "-Werror", "--style=file", *files)
    errors = [line.replace(f"{root}/", "") for line in result.stdout.splitlines()
              if ": error: " in line]
    if result.returncode != 0 and not errors:
        errors = [result.stdout]
    checklib.finish(errors, "C files", len(files))


main()
