#!/usr/bin/env python3
"""Lint of 10,000 distinct alerts beside promtool's check of the same file, in turns: time and peak memory of each.

usage: lint_bench.py [RULES [RUNS]]   run from the root. The alerts are those of awesome-prometheus-alerts, names and numbers
varied; needs the shared conformance data, and promtool of ./dev deps."""
import glob, os, random, re, resource, statistics, subprocess, sys, tempfile, time

SHARED = os.environ.get("TOCSIN_SHARED", "../shared")
PROGRAMS = {"tocsin lint": ["build/release/tocsin", "lint", "-q"],
            "promtool 2.42": ["build/peers/usr/bin/promtool", "check", "rules"],
            "promtool 3.5": ["build/newer/usr/bin/promtool", "check", "rules"]}


def alerts():
    """The text of each alert, as list items of two blanks."""
    out = []
    for path in sorted(glob.glob(SHARED + "/conformance/rules/awesome-prometheus-alerts/**/*.yml", recursive=True)):
        text = open(path, errors="replace").read()
        for item in re.split(r"(?m)^ *- (?=alert:)", text)[1:]:
            lines = item.rstrip().split("\n")
            end = next((i for i, l in enumerate(lines) if i and l.strip() and not l.startswith("      ")), len(lines))
            body = [l for l in lines[1:end] if not re.match(r"\s*#", l)]
            if any(re.match(r"\s+expr:", l) for l in body):
                out.append("\n".join(["  - " + lines[0]] + body))
    return out


def rules(n, seed=1):
    random.seed(seed)
    source, text = alerts(), "groups:\n"
    for i in range(n):
        if i % 20 == 0:
            text += f"- name: g{i // 20}\n  rules:\n"
        one = re.sub(r"alert: *(['\"]?)([^'\"\n]*)", lambda m: f"alert: {m[1]}{m[2].strip()} {i}", source[i % len(source)], 1)
        indent = len(re.search(r"(?m)^( +)expr:", one)[1])
        text += "\n".join(l[max(0, indent - 4):] if k else l for k, l in enumerate(one.split("\n"))) + "\n"
    return text


def run(args, path):
    began = time.monotonic()
    p = subprocess.Popen(args + [path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    usage = os.wait4(p.pid, 0)[2]
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    n, runs = int((sys.argv + [10000])[1]), int((sys.argv + [0, 5])[2] if len(sys.argv) > 2 else 5)
    got = {}
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as f:
        f.write(rules(n))
        f.flush()
        check = subprocess.run(PROGRAMS["promtool 2.42"] + [f.name], capture_output=True, text=True)
        print(check.stdout.strip().split("\n")[-1].strip() or check.stderr[:300])
        for _ in range(runs):
            for name, args in PROGRAMS.items():
                if os.path.exists(args[0]):
                    got.setdefault(name, []).append(run(args, f.name))
    for name, v in got.items():
        print(f"{name:14} {statistics.median(x[0] for x in v):6.2f} s {statistics.median(x[1] for x in v):6.2f} CPU s "
              f"{statistics.median(x[2] for x in v):6.0f} MB")


if __name__ == "__main__":
    main()
