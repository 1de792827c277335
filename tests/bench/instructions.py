"""Instructions, counted by valgrind: the cost of every input grows in proportion to its size,
however it is cut into reads, and what programs do all day costs what instructions.csv says.

Usage: instructions.py SOURCE_ROOT [linearity|table] [--update]
Without a word it checks both. --update writes the counts of this compiler into the table."""
import csv
import pathlib
import re
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "checks"))
import checklib  # noqa: E402

TABLE = HERE / "instructions.csv"
COLUMNS = ["case", "chunk", "kernel", "compiler", "instructions"]
FLAGS = ["-std=c11", "-O2", "-g", "-DNDEBUG"]
# The program has its own memcpy(), which must not become a call of memcpy().
PROGRAM_FLAGS = ["-fno-builtin", "-fno-tree-loop-distribute-patterns", "-Wall", "-Wextra",
                 "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
KERNELS = ["portable", "ssse3", "avx2"]  # valgrind has no wider vectors
LINEAR_KERNELS = ["portable", "avx2"]  # to spare time: the narrowest words and the widest

WHOLE = 0
# Bytes of a read, and how many of such reads there are in the smallest of three sizes of an input,
# or None where its own size has enough of them. The number has to be whole, and to double with the
# size: otherwise the last read, which is a short one, would count for much.
CHUNKS = {1: None, 2: None, 3: None, 7: None, 125: 16, 1460: 4, 16384: 1, WHOLE: None}
ALONE, BATCH = 131, 16 * 131  # one masked message of 125 bytes in a read, and sixteen
READS = {**CHUNKS, ALONE: 16, BATCH: 4}
ONE_READ = 4  # an input in one read is as many times larger than its own size
VECTORS = 8192  # and as many bytes at least, where vectors of them cost less than a short rest
# What twice the size may cost, in times of what the size costs; and what a cost may grow by from
# twice to four times the size, in times of what it grew by before. Both are 2 when the cost is
# linear, and 4 when it is quadratic. A cost that does not depend on the size hides much in the
# first, and nothing in the second, in which short rests count for more.
MOST, MOST_GROWTH = 2.05, 2.15

TOLERANCE = 0.02
UNITS = 32  # what the table has is the difference between twice as many units and these, per unit
# What the table has, and how large the reads are.
DAILY = [("receive-binary-16", WHOLE), ("receive-binary-125", WHOLE),
         ("receive-binary-1024", WHOLE), ("receive-ascii-16", WHOLE), ("receive-ascii-125", WHOLE),
         ("receive-ascii-4096", WHOLE), ("receive-mixed-16", WHOLE), ("receive-mixed-125", WHOLE),
         ("receive-mixed-4096", WHOLE),
         ("receive-binary-125", 7), ("receive-ascii-4096", 1460), ("receive-ping-16", WHOLE),
         ("client-receive-binary-125", WHOLE), ("client-receive-ascii-125", WHOLE),
         ("send-binary-125", WHOLE), ("send-ascii-125", WHOLE), ("client-send-binary-125", WHOLE),
         ("send-header", WHOLE), ("handshake", WHOLE), ("endpoint-echo-125", ALONE),
         ("endpoint-echo-125", BATCH), ("client-endpoint-echo-125", WHOLE)]


def must(*command, **options):
    ran = checklib.run(*command, **options)
    if ran.returncode != 0:
        print(f"This command failed: {' '.join(str(word) for word in command)}\n{ran.stdout}")
        sys.exit(1)
    return ran.stdout


def compiler_name():
    version = must("gcc", "-dumpfullversion").strip()
    return f"gcc {version} {must('gcc', '-dumpmachine').split('-')[0]}"


def build(root, folder):
    """Always in the same way, whatever the build is whose test this is."""
    must("gcc", *FLAGS, f"-I{root}/include", "-c", *sorted((root / "src").glob("*.c")), cwd=folder)
    program = folder / "hawser-instructions"
    must("gcc", *FLAGS, *PROGRAM_FLAGS, f"-I{root}/include", *sorted(HERE.glob("instructions*.c")),
         *sorted(folder.glob("*.o")), "-o", program, cwd=folder)
    return program


def ceil(a, b):
    return -(-a // b)


class Case:
    def __init__(self, line):
        self.name, *numbers = line.split()
        self.own_size, self.unit, self.kernel_matters = map(int, numbers)
        daily = [chunk for name, chunk in DAILY if name == self.name]
        self.chunks = daily or (list(CHUNKS) if self.unit else [WHOLE])
        self.kernels = LINEAR_KERNELS if self.kernel_matters else ["portable"]

    def size(self, chunk):
        if chunk != WHOLE:
            if READS[chunk] is None:
                return self.own_size
            number = max(READS[chunk], ceil(self.own_size * self.unit, chunk))
            return ceil(number * chunk, self.unit)
        vectors = ceil(VECTORS, self.unit) if self.unit and self.kernel_matters else 0
        return max(ONE_READ * self.own_size, vectors)


def usable_kernels(program):
    """Which forms of the kernels can be run here: valgrind hides some of what a processor has."""
    usable = []
    for kernel in KERNELS:
        ran = checklib.run("valgrind", "--tool=none", "--quiet", program,
                           input=f"{kernel} calls-without-bytes 1 {WHOLE}\n")
        if ran.returncode == 0:
            usable.append(kernel)
        else:
            print(f"NOT COUNTED: {kernel}, which this processor does not have.")
    return usable


def count(program, folder, jobs):
    """Instructions of each job, a tuple of kernel, case, size and chunk."""
    jobs = sorted(set(jobs))
    report = folder / "callgrind.out"
    must("valgrind", "--tool=callgrind", f"--callgrind-out-file={report}", "--combine-dumps=yes",
         "--dump-line=no", "--toggle-collect=measured", "--dump-after=measured", program,
         input="".join(" ".join(str(word) for word in job) + "\n" for job in jobs))
    counts = [int(number) for number in re.findall(r"^totals: (\d+)$", report.read_text(), re.M)]
    if len(counts) != len(jobs) + 1:  # one more for what comes after the last job
        print(f"valgrind gave {len(counts)} counts for {len(jobs)} jobs.")
        sys.exit(1)
    return dict(zip(jobs, counts))


def ratios(once, twice, four_times):
    growth = (four_times - twice) / (twice - once) if twice > once else 0
    return four_times / twice, growth


def check_linearity(program, folder, kernels):
    """Three sizes of every case, in every way to cut it."""
    cases = [Case(line) for line in must(program, "list").splitlines()]
    ways = [(kernel, case, chunk) for case in cases for kernel in case.kernels
            for chunk in case.chunks if kernel in kernels]

    def job(kernel, case, chunk, times):
        return kernel, case.name, case.size(chunk) * times, chunk

    counts = count(program, folder, [job(*way, times) for way in ways for times in (1, 2, 4)])
    errors, most = [], (0, 0)
    for kernel, case, chunk in ways:
        costs = [counts[job(kernel, case, chunk, times)] for times in (1, 2, 4)]
        ratio, growth = ratios(*costs)
        most = max(most[0], ratio), max(most[1], growth)
        if ratio > MOST or growth > MOST_GROWTH:
            errors.append(f"{case.name} in {reads(chunk)}, {kernel}: twice the size costs "
                          f"{ratio:.3f} times as much, and growth grows {growth:.3f} times; the sizes "
                          f"1, 2, 4 cost {', '.join(map(str, costs))} instructions.")
    print(f"Twice the size costs at most {most[0]:.3f} times as much; growth grows at most "
          f"{most[1]:.3f} times.")
    return errors, len(ways)


def reads(chunk):
    return "one read" if chunk == WHOLE else f"reads of {chunk}"


def measure_table(program, folder, kernels):
    """Instructions per unit: a frame, or a handshake."""
    wanted = [(name, chunk, kernel) for name, chunk in DAILY for kernel in kernels]

    def job(name, chunk, kernel, times):
        return kernel, name, UNITS * times, chunk

    counts = count(program, folder, [job(*row, times) for row in wanted for times in (1, 2)])
    return {row: (counts[job(*row, 2)] - counts[job(*row, 1)]) / UNITS for row in wanted}


def read_table():
    if not TABLE.exists():
        return []
    with TABLE.open(newline="") as file:
        return list(csv.DictReader(file))


def write_table(measured, compiler):
    rows = [row for row in read_table() if row["compiler"] != compiler]
    rows += [dict(zip(COLUMNS, (name, chunk, kernel, compiler, f"{cost:.1f}")))
             for (name, chunk, kernel), cost in measured.items()]
    with TABLE.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{len(measured)} counts of {compiler} are in {TABLE.name} now.")


def compare(measured, table):
    """A line for each count that is not what the table says, to either side."""
    known = {(row["case"], int(row["chunk"]), row["kernel"]): float(row["instructions"])
             for row in table}
    for row, cost in measured.items():
        name, chunk, kernel = row
        title = f"{name:26} {reads(chunk):14} {kernel:9}"
        if row not in known:
            yield f"{title} {'-':>9} {cost:9.1f}   not in the table"
        elif abs(cost - known[row]) > TOLERANCE * known[row]:
            yield f"{title} {known[row]:9.1f} {cost:9.1f} {cost / known[row] - 1:+8.1%}"


def check_table(program, folder, kernels, table):
    measured = measure_table(program, folder, kernels)
    errors = list(compare(measured, table))
    if errors:
        print(f"More than {TOLERANCE:.0%} from {TABLE.name}. If that is meant, run instructions.py "
              f"with --update, also for\nwhat has become better, so that the table stays true.\n"
              f"{'case':41} {'kernel':9} {'table':>9} {'now':>9}   change")
    return errors, len(measured)


def take_words():
    words = sys.argv[2:]
    update = "--update" in words
    words = [word for word in words if word != "--update"]
    if len(sys.argv) < 2 or len(words) > 1 or not set(words) <= {"linearity", "table"}:
        print(__doc__.strip())
        sys.exit(2)
    return update, words or ["linearity", "table"]


def main():
    update, parts = take_words()
    root = checklib.root()
    for tool in ("gcc", "valgrind"):
        checklib.need(tool)
    compiler = compiler_name()
    table = [row for row in read_table() if row["compiler"] == compiler]
    if "table" in parts and not table and not update:
        if parts == ["table"]:
            checklib.missing(f"counts of {compiler} in {TABLE.name}, which --update writes")
        print(f"NOT COMPARED: {TABLE.name} has no counts of {compiler}, so linearity alone is "
              "checked.")
        parts = ["linearity"]
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        program = build(root, folder)
        kernels = usable_kernels(program)
        if update:
            write_table(measure_table(program, folder, kernels), compiler)
            return
        errors, total = [], 0
        if "linearity" in parts:
            errors, total = check_linearity(program, folder, kernels)
        if "table" in parts:
            moved, rows = check_table(program, folder, kernels, table)
            errors, total = errors + moved, total + rows
    checklib.finish(errors, "costs", total)


main()
