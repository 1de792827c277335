"""Files that a benchmark writes at its end: better found wanting before it begins."""


def check_outputs(parser, *paths):
    for path in filter(None, paths):
        try:
            open(path, "a", encoding="utf-8").close()
        except OSError as reason:
            parser.error(f"{path} cannot be written: {reason.strerror}.")
