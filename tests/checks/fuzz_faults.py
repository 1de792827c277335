"""The fuzz targets see faults: each fault below, planted in a copy of the core, makes its target
end with an abort on its corpus."""
import concurrent.futures
import os
import pathlib
import tempfile

import checklib
import fuzzlib

FLAGS = ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

# Target, file, and a piece of code that stands in it once, with what takes its place.
FAULTS = [
    # A payload that has come in part is read to its end.
    ("server", "conn.c", "size_t n = in->len - in->i < left ? in->len - in->i : left;",
     "size_t n = left;"),
    # RFC 6455 5.3: the key starts anew with each piece of a frame.
    ("server", "conn.c", "(uint32_t)(c->payload_at & 3)", "(uint32_t)(c->payload_at & 0)"),
    # RFC 6455 8.1: a message may end inside a code point.
    ("server", "conn.c", "if (final && c->text_in != HWS_UTF8_ACCEPT) {", "if (0) {"),
    # The last seven bytes are looked at as if they were eight.
    ("client", "utf8.c", "to < WINDOW ? 0 : to - WINDOW + 1", "to < WINDOW ? 0 : to - WINDOW + 2"),
    # The limit of a message holds for each fragment alone.
    ("client", "conn.c", "c->payload_len > c->max_message - c->message_len",
     "c->payload_len > c->max_message"),
    # RFC 6455 5.5.1: what comes after the Close is parsed.
    ("client", "conn.c", "    c->control_len = len;\n    c->state = HWS__ENDED;\n",
     "    c->control_len = len;\n"),
    # The room for a mask key is forgotten.
    ("roundtrip", "frame.c", "+ (masked != 0 ? 4U : 0U)", "+ (masked != 0 ? 0U : 0U)"),
    # RFC 6455 5.6: text is not judged before it is sent.
    ("roundtrip", "conn_send.c", "if (d->type == HWS_BINARY || d->compressed) {", "if (1) {"),
    # A send without randomness is remembered all the same.
    ("roundtrip", "conn_send.c", "    if (status != HWS_OK) {\n        return status;\n    }\n"
     "    put_frame(c, d.first_byte",
     "    if (status != HWS_OK) {\n        remember(c, &d);\n        return status;\n    }\n"
     "    put_frame(c, d.first_byte"),
    # One field more than there is room for.
    ("request", "http.c", "head->header_count >= head->header_cap",
     "head->header_count > head->header_cap"),
    # RFC 6455 4.2.1: Connection is not looked at.
    ("request", "handshake_server.c",
     'if (!hws__head_lists(head, buf, HWS__TEXT("Connection"), HWS__TEXT("Upgrade"))) {',
     "if (0) {"),
    # RFC 6455 10.2: the host of an origin is compared by its length.
    ("request", "origin.c", "a->port == b->port && hws_text_equal_nocase(a->host, b->host)",
     "a->port == b->port && a->host.len == b->host.len"),
    # The byte after the last is read.
    ("response", "http.c", "if (head->head_len >= len) {", "if (head->head_len > len) {"),
    # RFC 6455 4.1: any accept value is good.
    ("response", "handshake_client.c",
     "!hws__text_equal(hws_span_text(buf, value), accept)", "value.len != accept.len"),
    # RFC 6455 4.1: extensions that were not offered are taken.
    ("response", "extension.c", "are_named(&used, &offered) ? HWS_OK : HWS_ERR_EXTENSION", "HWS_OK"),
    # One pair more than there is room for.
    ("connect", "http_list.c", "head->header_count < head->header_cap ?",
     "head->header_count <= head->header_cap ?"),
    # RFC 8441 5: the version is not looked at.
    ("connect", "handshake_server.c", "        return HWS_ERR_PSEUDO_FIELD;\n    }\n"
     "    return check_version(head, buf);",
     "        return HWS_ERR_PSEUDO_FIELD;\n    }\n    return HWS_OK;"),
    # "%" may be the last byte but one.
    ("uri", "uri.c", "text.len - at > 2", "text.len - at > 0"),
    # RFC 6455 3: a fragment is sent as part of the target.
    ("uri", "uri.c", "if (byte == '#') {\n", "if (byte == '#' && ++at != 0) {\n            continue;\n"),
    # What does not fit is written.
    ("write", "bytes.h", "len > w->cap - w->n", "len > w->cap + 8 - w->n"),
    # RFC 9110 5.5: a control byte may stand in a field's value.
    ("write", "http.h", "byte >= ' ' && byte != 0x7F", "byte != 0x7F"),
]


class Planter:
    """A copy of the core without faults, built, and then one fault at a time beside it."""

    def __init__(self, root, folder):
        self.root = root
        self.clean = fuzzlib.Builder(root, folder, checklib.compiler(), FLAGS)
        self.clean.compile_all()

    def check_clean(self, target):
        ran = self.clean.run(target, self.clean.link(target))
        if ran.returncode != 0:
            return f"fuzz_{target} fails without any fault:\n{ran.stdout}"
        return None

    def plant(self, number, name, old, new):
        """Objects of the core with the fault: of one file, or of all when it is in a header."""
        folder = self.clean.folder / f"fault{number}"
        folder.mkdir()
        for source in (self.root / "src").glob("*.[ch]"):
            text = source.read_text()
            (folder / source.name).write_text(text.replace(old, new) if source.name == name
                                              else text)
        builder = fuzzlib.Builder(self.root, folder, self.clean.compiler, FLAGS)
        builder.flags.remove(f"-I{self.root}/src")
        names = [name] if name.endswith(".c") else [path.name for path in fuzzlib.core(self.root)]
        return {pathlib.Path(c).stem: builder.compile(folder / c) for c in names}

    def check_fault(self, number):
        target, name, old, new = FAULTS[number]
        there = (self.root / "src" / name).read_text().count(old)
        if there != 1:
            return f"src/{name}: stands there {there} times, and must once: {old}"
        objects = self.plant(number, name, old, new)
        ran = self.clean.run(target, self.clean.link(target, f"fault{number}", objects))
        if ran.returncode == 0:
            return f"fuzz_{target} does not see this fault in src/{name}: {new}"
        if "does not hold" not in ran.stdout and "Sanitizer" not in ran.stdout \
                and "runtime error" not in ran.stdout:
            return f"fuzz_{target} fails for an unknown reason:\n{ran.stdout}"
        return None


def main():
    root = checklib.root()
    errors = [f"No fault is planted for fuzz_{target}." for target in fuzzlib.targets(root)
              if target not in {fault[0] for fault in FAULTS}]
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        planter = Planter(root, pathlib.Path(folder))
        errors += filter(None, pool.map(planter.check_clean, fuzzlib.targets(root)))
        errors += filter(None, pool.map(planter.check_fault, range(len(FAULTS))))
    checklib.finish(errors, "faults", len(FAULTS))


main()
