"""How the work grows: each row of generators.py at n, 4n and 16n, instructions counted by valgrind. The exponent between any two
is at most 1.3: four times as much to do costs at most six times the work.

growth.py [ROW...]; GROWTH_KEEP=FOLDER keeps callgrind's files, for callgrind_annotate."""
import math, sys
sys.path.insert(0, __import__("os").path.join(__import__("os").path.dirname(__file__), "../integration"))
from harness import *
from generators import ROWS

EXPONENT_MAX = 1.3
KEEP = os.environ.get("GROWTH_KEEP")
# What runs always: one a kind.
FEW = ["alerts_of_a_request", "rules", "yaml_keys", "query_matching", "template_functions"]


def valgrind(d, args, name):
    out = os.path.join(KEEP or d, "callgrind." + name)
    return ["valgrind", "--tool=callgrind", "--callgrind-out-file=" + out, *args]


def counted(text):
    m = re.search(r"Collected : (\d+)", text)
    assert m, f"valgrind counted nothing:\n{text[-3000:]}"
    return int(m.group(1))


def ran(d, args, name, codes=(0,)):
    p = subprocess.run(valgrind(d, args, name), capture_output=True, text=True, errors="replace", timeout=280, cwd=d)
    assert p.returncode in codes, f"{args} ended with {p.returncode}:\n{p.stdout[-1500:]}{p.stderr[-1500:]}"
    return counted(p.stderr)


def lint(d, files, name):
    for f, text in files.items():
        write(os.path.join(d, f), text)
    return ran(d, [PROGRAM, "lint", next(iter(files))], name, (0, 1))


def query(d, made, name):
    return ran(d, [PROGRAM, "query", "--file=" + write(os.path.join(d, "m.prom"), made[0]), made[1]], name)


def render(d, text, name):
    path = write(os.path.join(d, "t.tmpl"), '{{ define "growth" }}' + text.split("{{ define", 1)[0] + "{{ end }}" + "".join(
        "{{ define" + x for x in text.split("{{ define")[1:]))
    return ran(d, [PROGRAM, "template", "render", "--template.glob=" + path, "--template.text={{ template \"growth\" . }}"], name)


def serve(d, s, name):
    with Sink() as sink:
        t = subprocess.Popen(valgrind(d, [
            PROGRAM, "--config.file=" + write(os.path.join(d, "tocsin.yml"), s.config % {"sink": sink.url} if s.told else s.config),
            "--storage.path=" + tempfile.mkdtemp(dir=d), "--web.listen-address=127.0.0.1:0", "--sandbox=off"], name),
            stderr=open(os.path.join(d, "log"), "w"))
        try:
            log = lambda: open(os.path.join(d, "log"), errors="replace").read()
            port = until("it listens", lambda: re.search(r'Listening on" address=127.0.0.1:(\d+)', log()), 60).group(1)
            for method, path, body in s.requests:
                r = request(method, f"http://127.0.0.1:{port}{path}", body.encode() if body else None,
                            {"Content-Type": "application/json"} if body else {}, timeout=200)
                equal(r.status, 200, f"{method} {path}: {r.body[:300]!r}")
            until("all is told", lambda: sink.count() >= s.told, 120)
            t.terminate()
            equal(t.wait(60), 0, log()[-3000:])
            return counted(log())
        finally:
            t.kill()


def replay(tool):
    def run(d, text, name):
        folder_ = tempfile.mkdtemp(dir=d)
        with open(os.path.join(folder_, "input"), "wb") as f:
            f.write(text.encode())
        return ran(d, [os.path.join(os.path.dirname(PROGRAM), "tests", tool + "_fuzz"), folder_], name)
    return run


TOOLS = {"lint": lint, "query": query, "render": render, "serve": serve}


def measure(row):
    tool = TOOLS.get(row.tool) or replay(row.tool)
    with folder() as d:
        return [tool(d, row.make(row.n * k), f"{row.name}.{k}") for k in (1, 4, 16)]


def main():
    if shutil.which("valgrind") is None:
        print("valgrind is missing: nothing is counted")
        sys.exit(77)
    with open(PROGRAM, "rb") as program:
        if b"__asan_init" in program.read():
            print("a sanitizer's work is not the program's")
            sys.exit(77)
    names, bad = sys.argv[1:], []
    if names == ["--few"]:
        names = FEW
    for row in [r for r in ROWS if not names or r.name in names]:
        began = time.monotonic()
        try:
            i = measure(row)
            e = [math.log(b / a, 4) for a, b in zip(i, i[1:])]
            verdict = "ok" if max(e) <= EXPONENT_MAX else "TOO STEEP"
            what = " ".join(f"{x / 1e6:8.1f}" for x in i) + "  exponents " + " ".join(f"{x:.2f}" for x in e)
        except (AssertionError, OSError, subprocess.TimeoutExpired) as x:
            verdict, what = "FAILED", str(x)
        if verdict != "ok":
            bad.append(row.name)
        print(f"{row.name:32} n={row.n:<7} {what} {verdict} ({time.monotonic() - began:.1f} s)", flush=True)
    print(f"{len(bad)} too steep or failed: {' '.join(bad)}" if bad else "all within bounds")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
