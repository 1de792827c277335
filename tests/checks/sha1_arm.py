"""The SHA-1 form for ARMv8 gives what Python's hashlib gives, on an emulated processor, and it is
the one that runs there."""
import hashlib
import os
import pathlib
import subprocess
import tempfile

import checklib

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY_LEN, DIGEST_LEN, KEYS = 24, 20, 500

# Reads keys, writes digests.
PROGRAM = """
#include "kernel.h"
#include <hawser/kernel.h>
#include <stdio.h>
int main(void) {
    uint8_t key[24];
    uint8_t digest[HWS__SHA1_LEN];
    hws_kernel_get();
    while (fread(key, sizeof key, 1, stdin) == 1) {
        hws__sha1_key(digest, key);
        fwrite(digest, sizeof digest, 1, stdout);
    }
    return hws__sha1_get() != hws__sha1_arm;
}
"""


def check(root, cc, qemu, scratch):
    source, program = scratch / "program.c", scratch / "program"
    source.write_text(PROGRAM)
    core = sorted((root / "src").glob("*.c"))
    built = checklib.run(cc, "-std=c11", "-O2", "-static", f"-I{root}/include", f"-I{root}/src",
                         source, *core, "-o", program)
    if built.returncode != 0:
        yield f"src: does not compile for aarch64.\n{built.stdout}"
        return
    keys = [os.urandom(KEY_LEN) for _ in range(KEYS)]
    ended = subprocess.run([qemu, "-cpu", "max", program], input=b"".join(keys), check=False,
                           stdout=subprocess.PIPE, timeout=60)
    if ended.returncode != 0:
        yield f"src/kernel.c: another form than hws__sha1_arm ran ({ended.returncode})."
    for i, key in enumerate(keys):
        digest = ended.stdout[DIGEST_LEN * i:DIGEST_LEN * (i + 1)]
        if digest != hashlib.sha1(key + GUID).digest():
            yield f"src/sha1_arm.c: the digest of the key {key.hex()} is wrong."


def main():
    root = checklib.root()
    cc, qemu = checklib.need("aarch64-linux-gnu-gcc"), checklib.need("qemu-aarch64")
    with tempfile.TemporaryDirectory() as scratch:
        errors = list(check(root, cc, qemu, pathlib.Path(scratch)))
    checklib.finish(errors, "keys", KEYS)


main()
