#!/usr/bin/env python3
"""Runs tests/lint/cases.test, and fails where a check of the source has no bad or no good case, or where a row of
docs/differences.md does not say which check finds who relies on the other behaviour.

    cases.py SOURCE PROGRAM"""
import glob, json, os, re, subprocess, sys, tempfile

EXEMPT = {  # id: why no file shows it
    "C011": "asks the sandbox of a running server",
    "C014": "a rollback of a running server",
    "R013": "a reload of a running server",
    "R071": "a rule file alone has no source that speaks MetricsQL: unit/config_load_test",
}


def name_of(id):
    return "other.yml" if id == "C000" else "rules.yml" if id[0] == "R" else "alertmanager.yml"


def cases(path):
    case = None
    for number, line in enumerate(open(path), 1):
        if line.startswith("== "):
            if case:
                yield case
            case = (number, line.split()[1:], [(name_of(line.split()[1]), [])])
        elif line.startswith("+++ ") and case:
            case[2].append((line[4:].strip(), []))
        elif case:
            case[2][-1][1].append(line)
    if case:
        yield case


def run(program, head, files):
    flags = [w for w in head if w.startswith("--")]
    with tempfile.TemporaryDirectory() as d:
        for name, lines in files:
            text = "".join(lines).encode()
            if "\\xff" in head:
                text = text.rstrip(b"}\n") + b"\xff}\n"
            with open(os.path.join(d, name), "wb") as f:
                f.write(text)
        names = [n for n, _ in files if n.endswith(".yml")]
        p = subprocess.run([program, "lint", "-o", "json", *flags, *names], cwd=d, capture_output=True, text=True)
        return json.loads(p.stdout)


def main():
    source, program = sys.argv[1], os.path.abspath(sys.argv[2])
    code = "".join(open(f).read() for f in glob.glob(source + "/src/**/*.c", recursive=True))
    checks = set(re.findall(r'"([CRY]0\d\d)"', code)) - EXEMPT.keys()
    failed, has = 0, {"bad": set(), "good": set()}
    for number, head, files in cases(source + "/tests/lint/cases.test"):
        id, kind = head[:2]
        has[kind].add(id)
        got = run(program, head, files)["problems"]
        places = {f'{g["file"]}:{g["line"]}:{g["column"]}' for g in got if g["id"] == id}
        wanted = {w if w.count(":") == 2 else f"{name_of(id)}:{w}" for w in head[2:] if re.fullmatch(r"(?:[\w.]+:)?\d+:\d+", w)}
        rest = [g for g in got if kind == "good"]
        if places != wanted or rest:
            failed += 1
            print(f"cases.test:{number}: {id} {kind}: wanted {sorted(wanted)}, got {sorted(places)}",
                  *(f'{g["id"]} {g["line"]}:{g["column"]} {g["message"]}' for g in got), sep="\n    ")
    for row in re.findall(r"(?m)^\| (?!where|-)(.*) \|$", open(source + "/docs/differences.md").read()):
        said = row.split(" | ")[-1].strip()
        ids = re.findall(r"[CR]0\d\d", said)
        if row.count(" | ") != 4 or not (said.startswith("no file shows it") or ids and has["bad"].issuperset(ids)):
            failed += 1
            print(f"differences.md: what says lint to who relies on it: {row}")
    for kind in has:
        for id in sorted(checks - has[kind]):
            failed += 1
            print(f"{id} has no {kind} case")
    for id in sorted((has["bad"] | has["good"] | EXEMPT.keys()) - checks - EXEMPT.keys()):
        failed += 1
        print(f"{id} is no check")
    print(f"{len(checks)} checks, {failed} failures")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
