#!/usr/bin/env python3
"""Runs tests/lint/cases.test, and fails where a check of the source has no bad or no good case, or where a row of
docs/differences.md does not say which check finds who relies on the other behaviour.

    cases.py SOURCE PROGRAM

The table of checks (tocsin lint --list -o json) has a row for each, whose bad example shows it and whose good one shows
nothing, and docs/lint has a page for each row, as it prints it; --write writes the pages."""
import glob, json, os, re, subprocess, sys, tempfile

EXEMPT = {  # id: why no file shows it
    "C011": "asks the sandbox of a running server",
    "C014": "a rollback of a running server",
    "M003": "a URL that is read twice: language/lint_online",
    **{f"M00{i}": "a page by itself: language/lint_check" for i in range(4, 9)},
    "R085": "10,000 series: language/lint_online",
    "R087": "a Prometheus that has a past: language/lint_online",
    "R013": "a reload of a running server",
    "R071": "a rule file alone has no source that speaks MetricsQL: unit/config_load_test",
}


def name_of(id):
    return "other.yml" if id == "C000" else {"R": "rules.yml", "M": "rules.yml", "T": "tests.yml"}.get(id[0], "alertmanager.yml")


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


FILES = {"C": "configurations", "M": "metrics", "R": "rules", "T": "tests of rules", "Y": "YAML"}


def page(row):
    text = [f"# {row['id']}: {row['title']}", "", f"A check of {FILES[row['id'][0]]}; {row['severity']}.", "", row["why"]]
    for kind in "bad", "good":
        if kind in row:
            text += ["", f"{kind.capitalize()}:", "", "```yaml", row[kind].rstrip("\n"), "```"]
    text += ["", f"`tocsin lint --disable={row['id']}` leaves it out, as does a comment `# tocsin: ignore {row['id']}`."]
    if row["fixable"]:
        text += ["", "`tocsin lint --fix` writes what is meant."]
    if "pint" in row:
        text += ["", f"pint calls it {' and '.join('`%s`' % n for n in row['pint'].split())}; its comments are understood."]
    return "\n".join(text) + "\n"


def pages(rows):
    out = {f"{row['id']}.md": page(row) for row in rows}
    list = "".join(f"| [{row['id']}]({row['id']}.md) | {row['severity']} | {row['title']} |\n" for row in rows)
    out["README.md"] = "# What tocsin lint finds\n\n| id | severity | what |\n|---|---|---|\n" + list
    return out


def table(program, source, checks, write):
    """How many rows are wrong."""
    rows = json.loads(subprocess.run([program, "lint", "--list", "-o", "json"], capture_output=True, text=True).stdout)
    wrong = [f"{id} has no row in src/lint/checks.c" for id in sorted(checks - {r["id"] for r in rows})]
    wrong += [f"{r['id']} has a row and is no check" for r in rows if r["id"] not in checks]
    if [r["id"] for r in rows] != sorted(r["id"] for r in rows):
        wrong.append("the rows are not by id")
    for row in rows:
        for kind in "bad", "good":
            if kind not in row:
                continue
            got = run(program, [row["id"], kind], [(name_of(row["id"]), [row[kind]])])["problems"]
            if (kind == "bad") != any(g["id"] == row["id"] for g in got) or kind == "good" and got:
                wrong.append(f"the {kind} example of {row['id']} gives {[g['id'] for g in got]}")
    folder = os.path.join(source, "docs/lint")
    for name, text in pages(rows).items():
        path = os.path.join(folder, name)
        if write:
            os.makedirs(folder, exist_ok=True)
            open(path, "w").write(text)
        elif not os.path.exists(path) or open(path).read() != text:
            wrong.append(f"docs/lint/{name} is not what the table says: tests/lint/cases.py SOURCE PROGRAM --write")
    for name in set(os.listdir(folder)) - pages(rows).keys():
        wrong.append(f"docs/lint/{name} is of no check")
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return len(wrong)


def main():
    source, program = sys.argv[1], os.path.abspath(sys.argv[2])
    code = "".join(open(f).read() for f in glob.glob(source + "/src/**/*.c", recursive=True))
    checks = set(re.findall(r'"([CMRTY]\d\d\d)"', code)) - EXEMPT.keys()
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
        ids = re.findall(r"[CR]\d\d\d", said)
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
    failed += table(program, source, checks | EXEMPT.keys(), sys.argv[3:] == ["--write"])
    print(f"{len(checks)} checks, {failed} failures")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
