"""Ten works, and how many instructions each takes: counted by valgrind, held against the numbers in instructions.txt. One that takes
5 % more fails, so that what makes a thing slower is seen where it is made, and is meant. Numbers are those of one compiler and one C
library: with others nothing is judged.

instructions.py [--write]; GROWTH_KEEP=FOLDER keeps callgrind's files, for callgrind_annotate."""
import platform
from growth import *

FILE = os.path.join(os.path.dirname(__file__), "instructions.txt")
MORE = 1.05
# name of a row of generators.py, n: a second or so each under valgrind
WORKS = [("alerts_of_a_request", 10000), ("groups", 400), ("silences_and_alerts", 600), ("rules", 2000), ("yaml_keys", 60000), ("json_width", 400000),
         ("lines_of_a_scrape", 24000), ("query_matching", 16000), ("series_of_a_scrape", 24000), ("template_functions", 6000)]
AGAIN = 3  # what has threads and timers varies by some hundredths: the least of so many runs, where one is too much


def built_with():
    cache = open(os.path.join(os.path.dirname(PROGRAM), "CMakeCache.txt")).read()
    cc = re.search(r"CMAKE_C_COMPILER:\w+=(\S+)", cache)[1]
    version = subprocess.run([cc, "--version"], capture_output=True, text=True).stdout.splitlines()[0]
    return "%s, %s %s, %s" % (version, *platform.libc_ver(), platform.machine())


def counted_of(row, n):
    with folder() as d:
        return (TOOLS.get(row.tool) or replay(row.tool))(d, row.make(n), row.name)


def read():
    with open(FILE) as f:
        lines = f.read().splitlines()
    return lines[1].lstrip("# "), {l.split()[0]: int(l.split()[1]) for l in lines if l and not l.startswith("#")}


def write_file(numbers):
    with open(FILE, "w") as f:
        f.write("# Instructions of each work of instructions.py, which writes this (--write), by\n# %s\n" % built_with())
        f.writelines("%-24s %d\n" % (name, i) for name, i in numbers.items())


def main():
    if shutil.which("valgrind") is None:
        print("valgrind is missing: nothing is counted")
        sys.exit(77)
    by, wanted = read() if os.path.exists(FILE) else ("", {})
    if "--write" not in sys.argv and by != built_with():
        print(f"counted with {by}, built with {built_with()}: nothing is judged")
        sys.exit(77)
    rows, numbers, bad = {r.name: r for r in ROWS}, {}, 0
    for name, n in WORKS:
        i = counted_of(rows[name], n)
        for _ in range(1, AGAIN if "--write" in sys.argv or i > wanted.get(name, i) * MORE else 1):
            i = min(i, counted_of(rows[name], n))
        numbers[name], ratio = i, i / wanted.get(name, i)
        bad += ratio > MORE
        print("%-24s %8.1f million %+6.1f %%%s" % (name, i / 1e6, (ratio - 1) * 100, " MORE" if ratio > MORE else ""), flush=True)
    if "--write" in sys.argv:
        write_file(numbers)
    elif bad:
        print(f"{bad} take more than before: find out why (GROWTH_KEEP), or say why it is worth it and --write")
        sys.exit(1)


if __name__ == "__main__":
    main()
