"""soak.py, for a few seconds: it is content with hawser-echo, and finds every fault of soak_faulty.

    python3 test_soak.py BIN_DIR SOAK_FAULTY

All runs go at the same time, each at a small pace."""
import pathlib
import subprocess
import sys
import tempfile

SOAK = str(pathlib.Path(__file__).parent / "soak.py")
WAIT = 200  # seconds; the slowest waits for the deadline of a server that does not end

FAULTS = {  # of soak_faulty, and what soak.py has to say about it
    "none": "ok    all was right",
    "byte": "steady",
    "descriptor": "FAULT 1 times: descriptors of plain",
    "memory": "FAULT 1 times: memory of plain",
    "words": "FAULT 1 times: words of plain",
    "status": "FAULT 1 times: end of plain",
    "deaf": "FAULT 1 times: end of plain",
    "crash": "FAULT 1 times: plain ended by itself",
}


def start(folder, name, *arguments):
    command = [sys.executable, "-B", SOAK, "--csv", f"{folder}/{name}.csv", "--seed", "1", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def start_faulty(folder, bin_dir, program, fault):
    return start(folder, fault, bin_dir, "--server", f"{program} {fault}", "--without-tls", "--only",
                 "friend", "--seconds", "4", "--share", "4", "--steady", "2", "--growth", "8192")


def judge(name, process, wanted_status, wanted):
    """Whether the run ended and said as it should."""
    try:
        said = process.communicate(timeout=WAIT)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        said = process.communicate()[0]
    good = process.returncode == wanted_status and wanted in said
    print(f"{'ok   ' if good else 'FAIL '} {name}: {wanted!r}, status {wanted_status}")
    if not good:
        print(f"      status {process.returncode}, and it said:\n{said}")
    return good


def check_line():
    """The line through the memory: noise is no growth, and slow growth under noise is."""
    from soak import rise_of  # its own imports lie beside it
    noise = [(i, 20000 + (i * 7919 % 13) * 100, 11, 0.0) for i in range(400)]
    steps = [(i, 20000 + i * 5 + (i * 7919 % 13) * 100, 11, 0.0) for i in range(400)]
    early = [(i, 20000 + min(i, 150) * 500, 11, 0.0) for i in range(400)]
    good = abs(rise_of(noise)) < 50 and 950 < rise_of(steps) < 1050 and rise_of(early) == 0
    print(f"{'ok   ' if good else 'FAIL '} the line through the memory")
    return good


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    bin_dir, program = sys.argv[1:]
    if subprocess.run([sys.executable, "-B", SOAK, "--help"], capture_output=True).returncode != 0:
        sys.exit("FAIL  soak.py does not start")
    good = [check_line()]
    with tempfile.TemporaryDirectory() as folder:
        runs = {fault: start_faulty(folder, bin_dir, program, fault) for fault in FAULTS}
        echo = start(folder, "echo", bin_dir, "--seconds", "6", "--growth", "65536", "--share", "20")
        for fault, process in runs.items():
            good.append(judge(f"soak_faulty {fault}", process, int(fault != "none"), FAULTS[fault]))
        said = echo.communicate(timeout=WAIT)[0]
        skipped = echo.returncode == 77
        good.append(skipped or (echo.returncode == 0 and "ok    all was right" in said))
        print(f"{'ok   ' if good[-1] else 'FAIL '} hawser-echo", "" if good[-1] else said)
    if skipped:
        sys.exit(77)
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
