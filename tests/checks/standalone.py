"""The tree stands on its own: only the known names at its top, nothing that points outside it, no
product of a build, and every source and test file that is there is built."""
import re

import checklib

TOP = set("CMakeLists.txt include src tests fuzz examples docs LICENSE README.md".split())
OUTSIDE = re.compile(r"(?<![\w.:/<-])/(?:work|home|root|Users)/\w")
PRODUCTS = {".o", ".a", ".so", ".d", ".su", ".ci", ".gcno", ".gcda", ".pyc", ".exe", ".orig", ".rej"}
TEXT = {".c", ".h", ".md", ".py", ".sh", ".txt", ".cmake", ".in", ".js", ".html", ".yml", ".json",
        ".cpp", ".hpp", ".csv", ".go", ".mod", ".rs", ".sum", ".toml"}


def is_build(path):
    return path.name.startswith("build") or (path / "CMakeCache.txt").exists()


def check_top(root):
    for path in sorted(root.iterdir()):
        known = path.name in TOP or path.name.startswith(".") or is_build(path)
        if not known:
            yield f"{path.name}: the top level holds {' '.join(sorted(TOP))} only."


def all_files(root):
    for top in sorted(root.iterdir()):
        if top.name != ".git" and not is_build(top):
            yield top
            yield from sorted(top.rglob("*"))


def text_files(root):
    for path in all_files(root):
        inner = path.relative_to(root)
        if path.is_symlink() and root not in path.resolve().parents:
            yield path, None
        elif path.is_file() and (path.suffix in TEXT or inner.parts[0] == ".ci"):
            yield path, path.read_text()


def check_outside(root, path, text):
    if text is None:
        yield f"{path.relative_to(root)}: this link leads out of the tree."
        return
    if path.name == "standalone.py":
        return
    for found in OUTSIDE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield f"{path.relative_to(root)}:{line}: points outside the tree: {found.group()}"


def check_products(root):
    for path in all_files(root):
        if path.suffix in PRODUCTS:
            yield f"{path.relative_to(root)}: a product of a build does not belong here."


def check_built(root, folder, pattern, spelling):
    """Every file of a folder stands in the CMakeLists.txt that builds it."""
    home = "src" if folder.startswith("src") else folder
    words = set(re.findall(r"[\w./-]+", (root / home / "CMakeLists.txt").read_text()))
    for path in sorted((root / folder).glob(pattern)):
        if spelling(path) not in words and path.name not in words:
            yield f"{path.relative_to(root)}: {home}/CMakeLists.txt does not build it."


def main():
    root = checklib.root()
    errors, count = [*check_top(root), *check_products(root)], 0
    for path, text in text_files(root):
        count += 1
        errors.extend(check_outside(root, path, text))
    errors += check_built(root, "src", "*.c", lambda path: path.name)
    errors += check_built(root, "src/adapters", "*.c", lambda path: f"adapters/{path.name}")
    errors += check_built(root, "tests", "test_*.c", lambda path: path.stem.removeprefix("test_"))
    errors += check_built(root, "examples", "*.c", lambda path: path.stem)
    errors += check_built(root, "fuzz", "fuzz_*.c", lambda path: path.stem)
    checklib.finish(errors, "text files", count)


main()
