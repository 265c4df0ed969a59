"""What holds for each pack of rules/: lint and promtool find nothing, its tests reach every alert, and its tables say of each alert what
the rule says. Packs are found by walking the folder."""
from harness import *
import concurrent.futures, glob

RULES = os.path.join(SOURCE, "rules")
PACKS = sorted(os.path.basename(os.path.dirname(p)) for p in glob.glob(RULES + "/*/README.md"))
LEVELS = {"critical": "P1", "warning": "P2", "info": "P3"}
TEXTS = [t + zh for t in ("summary", "description", "action", "runbook") for zh in ("", "_zh")]
OWN_KEYS = ("exp_state", "exp_value", "route_test", "config_files")  # of tests, which promtool does not know


def run(*args, **kw):
    p = subprocess.run(args, capture_output=True, text=True, **kw)
    return p.returncode, p.stdout + p.stderr


def files(pack):
    return sorted(glob.glob(f"{RULES}/{pack}/*.yml"))


def tests(pack):
    return sorted(glob.glob(f"{RULES}/{pack}/tests/*.yml"))


def promtools():
    found = [p for p in (os.path.join(PEERS, "promtool"), os.path.join(NEWER, "usr/bin/promtool")) if os.path.exists(p)]
    return found or [peer("promtool")]


def rules(pack):
    """Each rule as what it says, read by a parser of our own form of YAML: the server's own view of the files."""
    for file in files(pack):
        for block in re.split(r"(?m)^      - (?=alert: |record: )", open(file).read())[1:]:
            rule = {"file": os.path.relpath(file, RULES), "annotations": {}}
            for line in block.splitlines():
                m = re.match(r"(?:        )?(alert|record|for|keep_firing_for): (\S+)$", line)
                if m:
                    rule[m.group(1)] = m.group(2)
                m = re.match(r"        labels: \{(.*)\}$", line)
                if m:
                    rule["labels"] = dict(x.split(": ", 1) for x in m.group(1).split(", "))
                m = re.match(r"          (\w+): (?:'(.*)'|(.*))$", line)
                if m and "annotations:" in block[:block.index(line)]:
                    rule["annotations"][m.group(1)] = m.group(2) or m.group(3)
            yield rule


def alerts(pack):
    return [r for r in rules(pack) if "alert" in r]


def cells(line):
    return [c.strip().strip("`") for c in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def table(pack, readme):
    """(alert, for, severity) of each row of the tables whose head names both, and rows that leave a cell empty."""
    found, empty, head = [], [], None
    for line in open(f"{RULES}/{pack}/{readme}"):
        if not line.startswith("|"):
            head = None
        elif head is None:
            head = cells(line)
        elif "for" in head and "severity" in head and not line.startswith("|-"):
            row = dict(zip(head, cells(line)))
            found.append((cells(line)[0], row["for"], row["severity"]))
            if len(cells(line)) != len(head) or "" in cells(line):
                empty.append(line)
    return found, empty


def test_lint_says_nothing():
    code, said = run(PROGRAM, "lint", "--fail-on=warning", RULES)
    equal(code, 0, said)
    assert "0 errors, 0 warnings" in said, said


def test_promtool_takes_them():
    every = [f for pack in PACKS for f in files(pack)]
    assert every
    for promtool in promtools():
        code, said = run(promtool, "check", "rules", "--lint=all", "--lint-fatal", *every)
        equal(code, 0, said[-4000:])


def test_their_tests_pass_and_reach_every_alert():
    for pack in PACKS:
        code, said = run(PROGRAM, "test", "-q", "--coverage", f"{RULES}/{pack}")
        equal(code, 0, f"{pack}: {said[-4000:]}")
        reached, of = map(int, re.search(r"coverage: (\d+) of (\d+) rules", said).groups())
        missed = re.findall(r'alert "(\w+)": no test', said)
        assert not missed and of == len(list(rules(pack))), f"{pack}: {said}"


def test_a_folder_stands_for_its_tests():
    code, said = run(PROGRAM, "test", RULES, os.path.join(SOURCE, "examples"))
    equal((code, said.count(" passed")), (0, len([t for pack in PACKS for t in tests(pack)] + glob.glob(SOURCE + "/examples/*/tests/*.yml"))), said[-2000:])
    code, said = run(PROGRAM, "test", "-q", "--coverage", "rules", "examples", cwd=SOURCE)  # all of both, by one name a file
    equal([(a == b) for a, b in re.findall(r"coverage: (\d+) of (\d+)", said)], [True] * 3, said[-2000:])
    code, said = run(PROGRAM, "test", os.path.join(SOURCE, "docs"))
    equal((code, "nothing to test" in said), (1, True), said)
    with folder() as d:
        run(PROGRAM, "test", f"--junit={d}/report.xml", RULES + "/tgi")
        equal(open(d + "/report.xml").read().count("<testsuite "), len(tests("tgi")))
        os.symlink("/dev/null", d + "/null")  # as /dev/stdout is one: what is no file stays what it is
        equal(run(PROGRAM, "test", f"--junit={d}/null", RULES + "/tgi")[0], 0)
        equal(os.readlink(d + "/null"), "/dev/null")


def test_promtool_passes_them():
    """The newest at hand, with our own verdict; what is only for us has keys that it does not know."""
    if os.environ.get("TOCSIN_SANITIZED"):
        raise Skip("it is no code of ours that runs here")
    theirs = [t for pack in PACKS for t in tests(pack) if not any(k in open(t).read() for k in OWN_KEYS)]
    assert theirs
    with concurrent.futures.ThreadPoolExecutor(2) as pool:  # the slow part of this file
        for test, (code, said) in zip(theirs, pool.map(lambda t: run(promtools()[-1], "test", "rules", t, env={**os.environ, "GOGC": "800"}), theirs)):
            equal(code, 0, f"{test}: {said[-4000:]}")


def test_names_are_of_one_pack():
    seen = {}
    for pack in PACKS:
        for r in alerts(pack):
            assert re.fullmatch(r"[A-Z][A-Za-z0-9]+", r["alert"]), r
            equal(seen.setdefault(r["alert"], r["file"]), r["file"], r["alert"])
    for pack in PACKS:  # one prefix a pack
        equal(len({re.match("[A-Z][a-z0-9]+", r["alert"]).group() for r in alerts(pack)}), 1, f"first words of the alerts of {pack}")


def test_labels_and_texts_are_whole():
    for pack in PACKS:
        for r in alerts(pack):
            labels = r.get("labels", {})
            equal(labels.get("level"), LEVELS.get(labels.get("severity"), "no severity"), r["alert"])
            equal([t for t in TEXTS if not r["annotations"].get(t)], [], f"texts that {r['alert']} lacks")
            for t in TEXTS:
                has = re.search("[\u4e00-\u9fff]", r["annotations"][t]) is not None
                equal(has, t.endswith("_zh"), f"{r['alert']}: Chinese in {t}")


def test_the_tables_say_what_the_rules_say():
    for pack in PACKS:
        wanted = sorted((r["alert"], r.get("for", "0s"), r["labels"]["severity"]) for r in alerts(pack))
        for readme in "README.md", "README.zh-CN.md":
            found, empty = table(pack, readme)
            equal(sorted(found), wanted, f"{pack}/{readme}")
            equal(empty, [], f"{pack}/{readme}: cells")


def test_what_to_alert_on_is_in_the_packs():
    """docs/llm-alerting: each alert that it names is there, at the level and with the `for` that its tables say, the same in both languages."""
    there = {r["alert"]: (LEVELS[r["labels"]["severity"]], r.get("for", "0s")) for pack in PACKS for r in alerts(pack)}
    tables = {}
    for file in "llm-alerting.md", "llm-alerting.zh-CN.md":
        text = open(f"{SOURCE}/docs/{file}").read()
        named = {n for n in re.findall(r"`([A-Z][a-z]+[A-Z]\w+)`", text)}
        equal([n for n in sorted(named) if n not in there], [], f"alerts of {file}")
        tables[file] = re.findall(r"(?m)^\| `(\w+)` \| (P\d) \| (\w+) \|", text)
        equal([(n, level, d) for n, level, d in tables[file] if there[n] != (level, d)], [], file)
    one, other = tables.values()
    assert len(one) > 30
    equal(one, other, "tables of both languages")


def test_the_list_of_packs_is_whole():
    listed = re.findall(r"(?m)^\| \[([\w-]+)\]\(\1/README[.]md\)", open(RULES + "/README.md").read())
    equal(listed, PACKS, "packs of rules/README.md")


main()
