"""What the checks share. Each check gets the source root as its first argument."""
import os
import pathlib
import shutil
import subprocess
import sys

MISSING = 77  # ctest shows a check that ends with it as skipped; with HAWSER_TEST_STRICT it fails


def root():
    return pathlib.Path(sys.argv[1]).resolve()


def missing(what):
    """Something that the check needs is not there, so that it cannot be run."""
    print(f"NOT RUN: this check needs {what}.")
    sys.exit(MISSING)


def need(tool):
    if shutil.which(tool) is None:
        missing(tool)
    return tool


def compiler():
    return need(os.environ.get("CC") or "cc")


def run(*command, **options):
    return subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **options)


def sources(base, *folders, ends=(".c", ".h")):
    """Our C files below some folders of the source root, in order."""
    for folder in folders:
        for path in sorted((base / folder).rglob("*")):
            if path.suffix in ends and path.is_file():
                yield path


def finish(errors, subject, count):
    """End the check. `count` things were looked at: none at all is a failure too."""
    for error in errors:
        print(error)
    if count == 0:
        print(f"No {subject} were found, so nothing was checked.")
    elif errors:
        print(f"{len(errors)} faults in {count} {subject}.")
    else:
        print(f"{count} {subject}: all well.")
    sys.exit(1 if errors or count == 0 else 0)
