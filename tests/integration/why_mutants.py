"""Rules that others wrote are broken at random places, one fault each, and each is asked why it is silent: a mutant counts only
where Prometheus, scraping the same page, has a result for the original and none for the mutant. The causes must name the fault;
of the originals there must be none.

WHY_MUTANTS: how many of each operator at most; 40 come to more than 200 in all. WHY_SEED: another draw; 0: at random.
"""
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lint"))
SOURCE = os.environ.get("TOCSIN_SOURCE", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
if os.path.exists(os.path.join(SOURCE, "build/newer/.complete")):  # Prometheus 3, where there is one
    os.environ.setdefault("TOCSIN_PEERS", "newer")
from harness import *
import collections, glob, math, random
import mutants
from mutants import World, Mutant, candidates, closing, is_counter, misspell, places, put, selectors, comparisons

SHARED = os.environ.get("TOCSIN_SHARED", os.path.join(SOURCE, "../shared"))
EACH = int(os.environ.get("WHY_MUTANTS", "4"))
SEED = int(os.environ.get("WHY_SEED", "1")) or random.randrange(1, 1 << 30)
LEAST = 95  # percent of all; what is missed is listed
SCRAPE, EVALUATE = 1, 2  # seconds


class LivePrometheus(Prometheus):
    ask, parse = mutants.Prometheus.ask, mutants.Prometheus.parse

    def failure(self):
        """Of the last scrape, if any."""
        return "".join(t["lastError"] for t in request("GET", self.url + "/api/v1/targets").json()["data"]["activeTargets"])

    def is_empty(self, expr):
        """None: it cannot be evaluated."""
        got = self.ask("query", query=expr)
        return None if isinstance(got, str) else got["resultType"] == "vector" and not got["result"]


class Page(World):
    """What an exporter shows of the series: each of one size, counters growing by it each second."""

    def __init__(self, cat, rng, seed):
        super().__init__(cat, rng)
        self.seed, self.began, self.rows, self.at = seed, time.time() - 600, [], (0, b"")

    def close(self):
        for (name, ls), le in sorted(self.series.items(), key=lambda x: x[0]):
            rng = random.Random("%d%s%r" % (self.seed, name, [l for l in ls if l[0] != "le"]))
            limits = sorted(self.sizes[name]) or [1.0]
            size = rng.choice([0.0, 1.0] + [t * f for t in limits for f in (1, 0.5, 0.97, 2, 2, 100)])
            share = 1.0 if le is None or math.isinf(le) else le / (le + 1.0)
            head = "%s{%s} " % (name, ",".join("%s=%s" % (l, json.dumps(x, ensure_ascii=False)) for l, x in ls))
            kind = "time" if name.endswith(("_timestamp_seconds", "_time_seconds", "_timestamp")) else "counter" if is_counter(name, self.cat) else "gauge"
            self.rows.append((head, kind, size * share))

    def text(self):
        now = int(time.time())
        if self.at[0] != now:
            value = {"time": lambda s: now - abs(s), "counter": lambda s: s * (now - self.began), "gauge": lambda s: s}
            self.at = now, "".join("%s%.10g\n" % (head, value[kind](size)) for head, kind, size in self.rows).encode()
        return 200, {"Content-Type": "text/plain; version=0.0.4"}, self.at[1]


# -- operators: each gives (raw text of the expression, offset of what was put, what was put, what was there), or None ----

def op_metric(rule, rng, cat):
    """A letter wrong, or as another version of the exporter calls it."""
    if rng.randrange(3) == 0:
        return mutants.op_total(rule, rng, cat)
    names = sorted({s["name"] for s, _ in selectors(rule.tree)})
    for name in rng.sample(names, len(names)):
        at, new = places(rule.raw, name), misspell(name, rng)
        if at and new:
            return put(rule.raw, rng.choice(at), len(name), new) + (name,)


def op_dropped(rule, rng, cat):
    """A label that no series has, or one that an aggregation does not keep."""
    found = [(m, [w.strip() for w in m.group(1).split(",")]) for m in re.finditer(r"\bby\s*\(([^)]*)\)", rule.raw)]
    found = [(m, w) for m, w in found if [x for x in w if x not in ("le", "")]]
    if not found or rng.randrange(2):
        return mutants.op_label(rule, rng, cat)
    m, words = rng.choice(found)
    was = rng.choice([w for w in words if w not in ("le", "")])
    return put(rule.raw, m.start(), len(m.group(0)), "by (" + ", ".join(w for w in words if w != was) + ")") + (was,)


def op_join(rule, rng, cat):
    """Another label in on(), or in the grouping of one side."""
    if rng.randrange(2):
        return mutants.op_join(rule, rng, cat)
    if not any(n["type"] == "binaryExpr" and n.get("matching") for n, _ in mutants.walk(rule.tree)):
        return None
    found = [(m.start(1) + w.start(), w.group(0)) for m in re.finditer(r"\bby\s*\(([^)]*)\)", rule.raw) for w in re.finditer(r"\w+", m.group(1))]
    found = [(a, w) for a, w in found if w != "le"]
    if found:
        at, was = rng.choice(found)
        new = rng.choice([x for x in mutants.JOINED if x not in rule.raw] or [None])
        return new and put(rule.raw, at, len(was), new) + (was,)


def op_window(rule, rng, cat):
    found = [m for m in re.finditer(r"\[(\d+\w+)\]", rule.raw)]
    if found:
        m = rng.choice(found)
        return put(rule.raw, m.start(1), len(m.group(1)), rng.choice(["1ms", "2ms", "5ms", "10ms"])) + (m.group(1),)


def op_le(rule, rng, cat):
    got = mutants.op_le(rule, rng, cat)
    return got if got and got[3] == "le" else None


# -- whether a cause names the fault -----------------------------------------------------------------------------------

def says_job(m, c):
    return c["reason"] == "no_value" and (c["label"], c["wanted"], c["nearest"]) == ("job", m.new, m.was) and m.new in c["selector"]


def says_metric(m, c):
    return c["reason"] == "no_metric" and (c["wanted"], c["nearest"]) == (m.new, m.was) and m.new in c["selector"]


def says_dropped(m, c):
    if m.new.startswith("by ("):
        return c["reason"] == "join" and c["label"] == m.was
    return c["reason"] == "no_label" and (c["label"], c["nearest"]) == (m.new, m.was) or c["reason"] == "join" and c["label"] in (m.new, m.was)


def says_join(m, c):
    return c["reason"] in ("join", "excluded") and c["label"] in (m.new, m.was)


def says_threshold(m, c):
    return c["reason"] == "comparison" and c["threshold"] == float(m.new) and c["value"] is not None


def says_window(m, c):
    return c["reason"] == "window" and "[" + m.new + "]" in c["selector"]


def says_le(m, c):
    return c["reason"] == "no_buckets" and c["label"] == "le"


OPERATORS = {
    "job misspelt": (mutants.op_job, says_job),
    "metric renamed": (op_metric, says_metric),
    "label dropped": (op_dropped, says_dropped),
    "join label differing": (op_join, says_join),
    "threshold x1000": (mutants.op_threshold, says_threshold),
    "window too short": (op_window, says_window),
    "le absent": (op_le, says_le),
}


# -- all ---------------------------------------------------------------------------------------------------------------

def all_rules():
    out = []
    for top in mutants.CORPUS:
        for path in sorted(glob.glob(os.path.join(SHARED, "conformance", top, "**/*.y*ml"), recursive=True)):
            out += mutants.rules_of(path)
    return out


def counts(m, p):
    return p.is_empty(m.rule.expr) is False and p.is_empty(m.expr) is True


def rule_file(rules):
    rules = [{"alert": n, "expr": x} for n, x in rules.items()]
    return json.dumps({"groups": [{"name": "g%d" % i, "interval": "%ds" % EVALUATE, "rules": rules[i:i + 50]} for i in range(0, len(rules), 50)]})


def causes(t, name):
    got = t.get("/api/v2/explain?rule=" + name, timeout=30)
    equal(got.status, 200, got.body)
    rule, = got.json()["rules"]
    equal(rule["error"], "", rule["expr"])
    assert not rule["watched"] and not [c for c in rule["causes"] if "none is kept" in c["text"]], f"everything is kept: {rule}"
    return rule["causes"]


def choose(p, rules, rng, cat):
    """Mutants that can be read, of each operator more than are wanted, and their page."""
    for r in rules:
        r.tree = p.parse(r.expr)
    rules = [r for r in rules if r.tree]
    if not rules:
        raise Skip("this Prometheus shows no trees of expressions: ./dev deps, with Debian unstable in reach")
    drawn = candidates(rules, list(OPERATORS), EACH * 8, rng, cat, OPERATORS)
    for m in drawn:
        m.expr = mutants.expr_of(m.rule, m.text)
    return [m for m in drawn if m.expr is not None and p.parse(m.expr)]


def counted(p, drawn):
    """Those that count, now and once more, at most EACH of an operator."""
    out = collections.defaultdict(list)
    for m in drawn:
        if len(out[m.kind]) < EACH and counts(m, p):
            out[m.kind].append(m)
    return [m for v in out.values() for m in v if counts(m, p)]


def test_mutants():
    print("seed", SEED, flush=True)
    rng, cat = random.Random(SEED), mutants.read_catalogue(os.path.join(SOURCE, "src/lint/catalogue.txt"))
    if not glob.glob(os.path.join(SHARED, "conformance/*")):
        raise Skip("the conformance data is missing")
    with folder() as d, Exporter() as e:
        e.text("/metrics", "")
        page = Page(cat, rng, SEED)
        with LivePrometheus(d, [e.address], job="honor_labels: true, ") as p:
            rules = all_rules()
            drawn = choose(p, rng.sample(rules, min(len(rules), EACH * 40)), rng, cat)
            for rule in {id(m.rule): m.rule for m in drawn}.values():
                page.add(rule)
            page.close()
            e.pages["/metrics"] = page.text
            print(f"{len(drawn)} mutants drawn, {len(page.rows)} series", flush=True)
            until("Prometheus has all of them", lambda: p.value("scrape_samples_scraped") == len(page.rows) or p.failure(), 20, 0.2)
            equal(p.failure(), "")
            time.sleep(3 * SCRAPE)
            judge(d, e, p, counted(p, drawn))


def judge(d, e, p, found):
    originals = list({id(m.rule): m.rule for m in found}.values())
    names = {f"M{i}": m.expr for i, m in enumerate(found)} | {f"O{i}": r.expr for i, r in enumerate(originals)}
    config = f"""global: {{scrape_interval: {SCRAPE}s}}
storage: {{keep: all}}
scrape_configs: [{{job_name: node, honor_labels: true, static_configs: [{{targets: ['{e.address}']}}]}}]
rule_files: [rules.yml]
"""
    with Tocsin(config, d, files={"rules.yml": rule_file(names)}) as t:
        time.sleep(3 * SCRAPE + 2 * EVALUATE)
        rows, wrong = collections.OrderedDict((k, [0, 0]) for k in OPERATORS), []
        for i, r in enumerate(originals):
            got = causes(t, f"O{i}")
            if got and p.is_empty(r.expr) is False:
                wrong.append(f"the original {r.name} has a cause: {got[0]['text']}\n    {' '.join(r.expr.split())}")
        for i, m in enumerate(found):
            got = causes(t, f"M{i}")
            if not counts(m, p):
                continue
            is_named = any(OPERATORS[m.kind][1](m, c) for c in got)
            rows[m.kind][0] += 1
            rows[m.kind][1] += is_named
            if not is_named:
                print(f"MISSED {m.kind}: {m.rule.name}: {m.was} -> {m.new}\n    {' '.join(m.expr.split())}")
                for c in got:
                    print("   ", {k: c[k] for k in ("reason", "label", "wanted", "nearest", "value", "threshold", "left", "right", "text")})
    print("%-22s %8s %8s" % ("operator", "counted", "named"))
    for k, (n, named) in rows.items():
        print("%-22s %8d %8d" % (k, n, named))
    n, named = (sum(r[i] for r in rows.values()) for i in (0, 1))
    print("%-22s %8d %8d   %d originals, %d with a cause" % ("all", n, named, len(originals), len(wrong)), flush=True)
    assert not wrong, "\n".join(wrong)
    assert n >= EACH and named * 100 >= n * LEAST, f"{named} of {n} named"


if __name__ == "__main__":
    main()
