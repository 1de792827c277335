"""Dependencies point downward only: every #include is one that the tables below allow."""
import re

import checklib

LEAVES = "base version status bytes kernel utf8 sha1 base64".split()

# A module of the core, and the modules whose headers its files may include besides its own.
# A file belongs to the module that its name is, or starts with: conn_send.c is of conn.
CORE = {
    "base": ["version"],
    "version": ["base"],
    "status": ["base"],
    "bytes": ["base"],
    "kernel": ["base", "status", "utf8"],
    "mask": ["base", "kernel", "utf8"],
    "chacha": ["kernel"],
    "key_pool": ["base", "status", "bytes", "kernel"],
    "utf8": ["base", "kernel"],
    "sha1": ["bytes", "kernel"],
    "base64": ["bytes"],
    "frame": LEAVES,
    "conn": LEAVES + ["frame"],
    "message": LEAVES + ["conn"],
    "http": LEAVES,
    "codec": ["base"],
    "compressor": LEAVES + ["codec", "deflate", "frame"],
    "authority": LEAVES + ["http"],
    "uri": LEAVES + ["http", "authority"],
    "extension": LEAVES + ["http"],
    "handshake": LEAVES + ["http", "authority", "extension"],
    # Declared in handshake.h.
    "origin": LEAVES + ["http", "authority", "handshake"],
    "connect": LEAVES + ["http", "authority", "extension", "handshake"],
    "deflate": LEAVES + "conn message frame http extension codec compressor".split(),
    "keepalive": LEAVES,
    "rate": ["base", "bytes"],
    "counters": ["base"],
    "ready": ["base"],
    "fixed": ["base", "bytes"],
    "auth": LEAVES + ["http"],
    "trace": LEAVES + ["http", "frame"],
    "prepared": LEAVES + "conn frame deflate".split(),
    "queue": LEAVES + "frame prepared".split(),
    "endpoint": LEAVES + ("conn frame message http extension handshake deflate keepalive rate "
                          "prepared queue counters ready").split(),
    "filter": ["base", "status"],
    # Knows every constant by name.
    "constant": ["hawser"],
    # Headers alone.
    "hawser": LEAVES + ("frame conn message http uri extension handshake connect key_pool codec "
                        "deflate endpoint prepared keepalive rate counters ready fixed auth trace filter").split(),
    "blocking": LEAVES + "conn frame message http handshake codec deflate filter prepared".split(),
    "entropy": LEAVES,
    "allocator": ["base"],
    "loop": LEAVES + "blocking endpoint filter".split(),
    "tls": LEAVES + ["filter"],
    "uv": LEAVES + "endpoint filter handshake".split(),
    "deflate_zlib": ["base", "codec"],
}
CORE_SYSTEM = ["assert.h", "stdatomic.h", "stddef.h", "stdint.h", "string.h"]
# What a processor is asked, and its instructions: for the forms of the kernels, and their choice.
PROCESSOR = {"kernel": ["cpuid.h", "sys/auxv.h", "immintrin.h", "arm_neon.h"],
             "sha1": ["immintrin.h", "arm_neon.h"]}

INCLUDE = re.compile(r'^\s*#\s*include\s*(<[^>]+>|"[^"]+")', re.M)


def module_of(stem):
    fitting = [name for name in CORE if stem == name or stem.startswith(name + "_")]
    return max(fitting, key=len, default=None)


def core_fault(path, include):
    name = include[1:-1]
    if name in CORE_SYSTEM:
        return None
    module = module_of(path.stem)
    if module is None:
        return f"{path.name} is in no module of the table"
    if name in PROCESSOR.get(module, []):
        return None
    of_ours = include.startswith('"') or name.startswith("hawser/")
    target = module_of(name.rsplit("/", 1)[-1].removesuffix(".h")) if of_ours else None
    if "/" in name and not name.startswith("hawser/"):
        target = None
    if target is None:
        return f"the core may not include {include}"
    if target != module and target not in CORE[module]:
        return f"{module} may not include {include}"
    return None


def outer_fault(own_headers):
    def fault(_, include):
        if include.startswith("<"):
            return None
        if include[1:-1] in own_headers:
            return None
        return f"may include <hawser/…>, the system and its own folder only, not {include}"
    return fault


def main():
    root = checklib.root()
    errors, count = [], 0
    for folder in ("include/hawser", "src", "src/adapters", "examples"):
        folder = root / folder
        is_core = folder.name in ("hawser", "src")
        rule = core_fault if is_core else outer_fault({path.name for path in folder.glob("*.h")})
        for path in sorted(folder.glob("*.[ch]")):
            text = path.read_text()
            for include in INCLUDE.finditer(text):
                count += 1
                fault = rule(path, include.group(1))
                if fault:
                    line = text.count("\n", 0, include.start(1)) + 1
                    errors.append(f"{path.relative_to(root)}:{line}: {fault}.")
    checklib.finish(errors, "#include lines", count)


main()
