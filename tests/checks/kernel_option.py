"""The build option HAWSER_KERNEL: the library takes no form above it unasked, and what is no form
is refused in a sentence."""
import os
import pathlib
import platform
import tempfile

import checklib

# The answer is the form in use, then whether AVX2 can be chosen all the same.
PROGRAM = """
#include <hawser/hawser.h>
#include <stdio.h>
int main(void) {
    uint8_t unasked = hws_kernel_get();
    printf("%s %d\\n", hws_kernel_name(unasked), hws_kernel_choose(HWS_KERNEL_AVX2) == HWS_OK);
    return 0;
}
"""
HAS_SSSE3 = platform.machine().lower() in ("amd64", "x86_64")


def configure(root, build, kernel):
    return checklib.run("cmake", "-S", root, "-B", build, f"-DHAWSER_KERNEL={kernel}",
                        "-DHAWSER_BUILD_TESTS=OFF", "-DHAWSER_BUILD_EXAMPLES=OFF")


def ask(root, scratch, kernel):
    """What a program says that is linked with a library built this way."""
    build, source = scratch / kernel, scratch / "program.c"
    source.write_text(PROGRAM)
    for made in (configure(root, build, kernel),
                 checklib.run("cmake", "--build", build, "--target", "hawser", "--parallel",
                              str(os.cpu_count())),
                 checklib.run(checklib.compiler(), f"-I{root}/include", source,
                              build / "src" / "libhawser.a", "-o", build / "program")):
        if made.returncode != 0:
            return f"nothing, because it cannot be built:\n{made.stdout}"
    return checklib.run(build / "program").stdout.strip()


def check(root, scratch):
    refused = configure(root, scratch / "refused", "fast")
    if refused.returncode == 0 or '"fast"' not in refused.stdout:
        yield f"HAWSER_KERNEL=fast is not refused in a sentence:\n{refused.stdout}"
    automatic = ask(root, scratch, "auto")
    if not automatic.endswith((" 0", " 1")):
        yield f"HAWSER_KERNEL=auto: the library says {automatic}"
    if (portable := ask(root, scratch, "portable")) != "portable 0":
        yield f"HAWSER_KERNEL=portable: the library says {portable}"
    limit, wanted = ask(root, scratch, "ssse3"), f"ssse3 {automatic[-1]}"
    if HAS_SSSE3 and limit != wanted:
        yield f"HAWSER_KERNEL=ssse3: the library says {limit}, not {wanted}"


def main():
    root = checklib.root()
    checklib.need("cmake")
    with tempfile.TemporaryDirectory() as scratch:
        errors = list(check(root, pathlib.Path(scratch)))
    checklib.finish(errors, "builds", 4)


main()
