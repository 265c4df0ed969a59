#!/usr/bin/env python3
"""How many faults lint finds that it has not been written for: rules that others wrote are broken at random places, one fault
each, and lint is asked about each.

    mutants.py SOURCE PROGRAM SHARED [--seed N] [--of FOLDER]... [--each N] [--least PERCENT] [--class NAME]... [--show]

A mutant counts only if a live Prometheus over the same series gives another result than the original, at some instant of some
hours in which the series stand now above, now below whatever rules compare them with. Found is one whose finding is new, is of
an id that its class is about, and stands where the fault was put. All that was found in the rest of the file must be found as
before. "known" are those of which the catalogue, or the form of the expression, can know: these are judged, offline; "all" says how
many of any are found offline, and how many beside the live series (--metrics: a page, of thresholds the Prometheus itself, which
has their past), which is judged, too.

Without a Prometheus (./dev deps) it is skipped.
"""
import argparse, collections, json, math, os, random, re, subprocess, sys, tempfile, time, urllib.error, urllib.parse, urllib.request
import yaml

STEP, SPELL, SPELLS = 60, 40, 12  # seconds between samples; samples in which a series stays of one size, and how many such there are
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
CORPUS = ("ai-rules", "rules/gpu", "rules/awesome-prometheus-alerts")

# -- what the catalogue says -------------------------------------------------------------------------------------------

Metric = collections.namedtuple("Metric", "type unit labels le now off")


def read_catalogue(path):
    out = {}
    for line in open(path, encoding="utf-8"):
        word = line.split()
        if len(word) < 4 or word[0] in ("#", "source", "all", "near", "open", "enable"):
            continue
        labels = None if word[3] == "*" else [] if word[3] == "-" else word[3].split(",")
        extra = dict(w.split("=", 1) for w in word[4:] if "=" in w)
        le = [float(v) for v in extra.get("le", "").split(",") if v]
        out[word[0]] = Metric(word[1], word[2], labels, le, extra.get("now"), "off" in word[4:])
    return out


def known(catalogue, name):
    """The row of a series' name, and its suffix."""
    for suffix in ("", "_bucket", "_sum", "_count"):
        if name.endswith(suffix) and name[:len(name) - len(suffix)] in catalogue:
            m = catalogue[name[:len(name) - len(suffix)]]
            if not suffix or m.type in ("any", "histogram", "summary"):
                return m, suffix
    return None, ""


# -- rules -------------------------------------------------------------------------------------------------------------

class Rule:
    """An expression in its file: text[begin:end] is what stands there, raw; tree is what Prometheus makes of it."""

    def __init__(self, path, text, node, name):
        self.path, self.text, self.name = path, text, name
        self.begin, self.end, self.expr, self.style = node.start_mark.index, node.end_mark.index, node.value, node.style
        self.raw = text[self.begin:self.end].rstrip()
        self.end = self.begin + len(self.raw)
        self.tree = None

    def with_raw(self, raw):
        return self.text[:self.begin] + raw + self.text[self.end:]


def rules_of(path):
    text = open(path, encoding="utf-8").read()
    try:
        for doc in yaml.compose_all(text, Loader=LOADER):
            yield from rules_below(path, text, doc)
    except yaml.YAMLError:
        return


def rules_below(path, text, node):
    if isinstance(node, yaml.MappingNode):
        keys = {k.value: v for k, v in node.value if isinstance(k, yaml.ScalarNode)}
        if "expr" in keys and ("alert" in keys or "record" in keys) and isinstance(keys["expr"], yaml.ScalarNode):
            yield Rule(path, text, keys["expr"], (keys.get("alert") or keys["record"]).value)
            return
        for _, v in node.value:
            yield from rules_below(path, text, v)
    elif isinstance(node, yaml.SequenceNode):
        for v in node.value:
            yield from rules_below(path, text, v)


def expr_of(rule, text):
    """What the rule's expression is in another text of its file."""
    for doc in yaml.compose_all(text, Loader=LOADER):
        for r in rules_below("", text, doc):
            if r.begin == rule.begin:
                return r.expr
    return None


# -- a tree as Prometheus gives it -------------------------------------------------------------------------------------

def children(t):
    for k in ("lhs", "rhs", "expr", "param"):
        if isinstance(t.get(k), dict):
            yield t[k]
    for a in t.get("args") or []:
        yield a


def walk(t, above=()):
    yield t, above
    for c in children(t):
        yield from walk(c, above + (t,))


def selectors(t):
    for n, above in walk(t):
        if n["type"] in ("vectorSelector", "matrixSelector") and n.get("name"):
            yield n, above


def unwrap(t):
    while t["type"] == "parenExpr":
        t = t["expr"]
    return t


# -- operators: each gives (raw text of the expression, offset of what was put, what was put), or None ------------------

NAME = r"(?<![\w:.\"'{/$-])%s(?![\w:])"


def places(raw, word):
    return [m.start() for m in re.finditer(NAME % re.escape(word), raw)]


def put(raw, at, n, new):
    return raw[:at] + new + raw[at + n:], at, new


def misspell(word, rng):
    """As people do: two letters swapped, one left out, one twice."""
    for _ in range(20):
        i = rng.randrange(1, len(word) - 1) if len(word) > 2 else 0
        kind = rng.randrange(3)
        w = word[:i] + word[i + 1] + word[i] + word[i + 2:] if kind == 0 and i + 1 < len(word) else \
            word[:i] + word[i + 1:] if kind == 1 else word[:i] + word[i] + word[i:]
        if w != word and re.fullmatch(r"[A-Za-z_]\w*", w):
            return w
    return None


def op_total(rule, rng, cat):
    names = sorted({s["name"] for s, _ in selectors(rule.tree) if s["name"].endswith("_total")})
    for name in rng.sample(names, len(names)):
        at = places(rule.raw, name)
        if at:
            return put(rule.raw, rng.choice(at), len(name), name[:-6]) + (name,)


def op_old(rule, rng, cat):
    olds = collections.defaultdict(list)
    for old, m in cat.items():
        if m.now:
            olds[m.now].append(old)
    pairs = []
    for s, _ in selectors(rule.tree):
        m, suffix = known(cat, s["name"])
        base = s["name"][:len(s["name"]) - len(suffix)] if suffix else s["name"]
        pairs += [(s["name"], old + suffix) for old in olds.get(base, [])]
    for name, old in rng.sample(pairs, len(pairs)):
        at = places(rule.raw, name)
        if at:
            return put(rule.raw, rng.choice(at), len(name), old) + (name,)


SELECTOR_END = re.compile(r"\s*(\{(?:[^{}\"']|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')*\})?")


def op_gauge(rule, rng, cat):
    names = set()
    for s, above in selectors(rule.tree):
        m, suffix = known(cat, s["name"])
        if s["type"] != "vectorSelector" or s["offset"] or any(a["type"] == "subquery" for a in above):
            continue
        if is_gauge(s["name"], cat):
            names.add(s["name"])
    for name in rng.sample(sorted(names), len(names)):
        at = [a for a in places(rule.raw, name) if not re.match(r"\s*\[", rule.raw[SELECTOR_END.match(rule.raw, a + len(name)).end():])]
        if at:
            a = rng.choice(at)
            end = a + len(name) + len(SELECTOR_END.match(rule.raw, a + len(name)).group(0).rstrip())
            new = "increase(" + rule.raw[a:end] + "[5m])"
            raw, _, _ = put(rule.raw, a, end - a, new)
            return raw, a, new, name


def op_le(rule, rng, cat):
    found = []
    for m in re.finditer(r"""\ble\s*=\s*(["'])([\d.]+)\1""", rule.raw):
        found.append((m.start(2), m.group(2)))
    if found:
        at, v = rng.choice(found)
        v2 = "%g" % (float(v) * rng.choice([0.9, 1.1, 0.7, 1.3]))
        return put(rule.raw, at, len(v), v2) + (v,)
    found = [m for m in re.finditer(r"\bby\s*\(([^)]*)\)", rule.raw) if re.search(r"\ble\b", m.group(1))]
    if not found or "histogram_quantile" not in rule.raw:
        return None
    m = rng.choice(found)
    left = [w.strip() for w in m.group(1).split(",") if w.strip() != "le"]
    return put(rule.raw, m.start(), len(m.group(0)), "by (" + ", ".join(left) + ")") + ("le",)


def comparisons(t):
    for n, _ in walk(t):
        if n["type"] == "binaryExpr" and n["op"] in (">", ">=", "<", "<=", "==", "!="):
            rhs = unwrap(n["rhs"])
            if rhs["type"] == "numberLiteral":
                yield n, float(rhs["val"])


def op_threshold(rule, rng, cat):
    found = []
    for m in re.finditer(r"(==|!=|[<>]=?)(?:\s*bool)?\s*(\d+(?:\.\d+)?(?:e\d+)?)(?![\w.])", rule.raw):
        if float(m.group(2)):
            found.append((m.start(2), m.group(2)))
    if found:
        at, v = rng.choice(found)
        new = "%.10g" % (float(v) * 1000)
        return put(rule.raw, at, len(v), new) + (v,)


def closing(raw, at):
    depth = 0
    for i in range(at, len(raw)):
        depth += {"(": 1, ")": -1}.get(raw[i], 0)
        if not depth:
            return i
    return None


def op_sum(rule, rng, cat):
    """`sum by (a) (x) / sum by (a) (y)`: the aggregation of one side is forgotten."""
    sides = []
    for m in re.finditer(r"\b(sum|avg|max|min|count)\b\s*(?:(?:by|without)\s*\([^)]*\)\s*)?\(", rule.raw):
        end = closing(rule.raw, m.end() - 1)
        if end is None:
            continue
        after = re.match(r"\s*(?:by|without)\s*\([^)]*\)", rule.raw[end + 1:])
        stop = end + 1 + (after.end() if after else 0)
        before, behind = rule.raw[:m.start()].rstrip(), rule.raw[stop:].lstrip()
        if before.endswith(("/", "-", "*", "+")) or re.match(r"[/*+-]\s*(?!\d)", behind):
            sides.append((m.start(), stop, rule.raw[m.end():end]))
    if not any(n["type"] == "binaryExpr" and n.get("matching") and n["op"] in "/*-+" for n, _ in walk(rule.tree)):
        return None
    if sides:
        at, stop, inner = rng.choice(sides)
        inner = inner.strip()
        if not re.fullmatch(r"[\w:]+(\{[^{}]*\})?(\[[^\]]*\])?|\w+\([^()]*\)", inner):
            inner = "(" + inner + ")"
        return put(rule.raw, at, stop - at, inner) + (rule.raw[at:stop],)


def op_job(rule, rng, cat):
    found = [m for m in re.finditer(r"""\bjob\s*=\s*(["'])(\w[\w-]*)\1""", rule.raw)]
    if found:
        m = rng.choice(found)
        new = misspell(m.group(2).replace("-", "_"), rng)
        return new and put(rule.raw, m.start(2), len(m.group(2)), new) + (m.group(2),)


def op_label(rule, rng, cat):
    found = [(m.start(1), m.group(1)) for m in re.finditer(r"[{,]\s*(\w+)\s*(?:=~|!~|=|!=)\s*[\"']", rule.raw)]
    for m in re.finditer(r"\bby\s*\(([^)]*)\)", rule.raw):
        found += [(m.start(1) + w.start(), w.group(0)) for w in re.finditer(r"\w+", m.group(1))]
    found = [(a, w) for a, w in found if w not in ("__name__", "le") and len(w) > 3]
    if found:
        at, w = rng.choice(found)
        new = misspell(w, rng)
        return new and put(rule.raw, at, len(w), new) + (w,)


ADDED = ("instance", "job", "node", "pod", "namespace", "host", "cluster")  # what a scrape may well add
JOINED = ("instance", "job", "device", "node", "pod", "namespace", "host", "gpu", "name", "cluster", "gpu_id", "uuid", "handler", "interface",
          "mountpoint")


def op_join(rule, rng, cat):
    found = []
    for m in re.finditer(r"\bon\s*\(([^)]+)\)", rule.raw):
        found += [(m.start(1) + w.start(), w.group(0)) for w in re.finditer(r"\w+", m.group(1))]
    if found:
        at, w = rng.choice(found)
        new = rng.choice([x for x in JOINED if x != w and x not in rule.raw] or [None])
        return new and put(rule.raw, at, len(w), new) + (w,)


CLASSES = {
    "total": (op_total, "R043 R062 R065 R080"),
    "old name": (op_old, "R065 R062 R080"),
    "gauge": (op_gauge, "R043"),
    "le": (op_le, "R066 R048 R074 R082"),
    "threshold": (op_threshold, "R069 R058 R086"),
    "sum": (op_sum, "R041"),
    "job": (op_job, "R075"),
    "label": (op_label, "R068 R081 R041"),
    "join": (op_join, "R041 R068 R081"),
}

BY_THE_PAST = ("threshold",)  # beside a Prometheus, not a page

# -- series ------------------------------------------------------------------------------------------------------------


def is_counter(name, cat):
    m, suffix = known(cat, name)
    if m and m.type != "any":
        return m.type == "counter" or bool(suffix)
    return name.endswith(("_total", "_count", "_sum", "_bucket"))


def is_gauge(name, cat):
    m, suffix = known(cat, name)
    return not suffix and (m.type == "gauge" if m else not is_counter(name, cat) and ":" not in name)


def value_for(ms, rng):
    """A value that all matchers of a label take, if one is found; empty: no such label."""
    tries = ["", "x", "a1", "b2", "10.0.0.1:9100", "5"]
    for op, v in ms:
        if op == "=":
            tries.insert(0, v)
        elif op == "=~":
            for part in re.split(r"\|", v.strip("()^$")):
                plain = re.sub(r"\[([^\]])[^\]]*\][+*]?", r"\1", part.replace("\\\\", "\\"))
                tries.insert(0, re.sub(r"[()?^$\\]", "", re.sub(r"\.[*+]", "z", plain)))
    for t in tries:
        if all(takes(op, v, t) for op, v in ms):
            return t
    return ""


def takes(op, v, t):
    try:
        hit = t == v if op in ("=", "!=") else re.fullmatch(v, t) is not None
    except re.error:
        return False
    return hit == (op in ("=", "=~"))


class World:
    """Series for some rules: a row a series, whose sizes change from spell to spell."""

    def __init__(self, cat, rng):
        self.cat, self.rng, self.series, self.sizes = cat, rng, {}, collections.defaultdict(set)

    def add(self, rule):
        labels = set()
        for n, _ in walk(rule.tree):
            labels.update(n.get("grouping") or [])
            labels.update((n.get("matching") or {}).get("labels") or [])
            labels.update((n.get("matching") or {}).get("include") or [])
        for s, above in selectors(rule.tree):
            self.add_selector(s, labels)
        for n, limit in comparisons(rule.tree):
            for s, above in selectors(n["lhs"]):
                is_increase = any(a["type"] == "call" and a["func"]["name"] == "increase" for a in above) and s.get("range")
                self.sizes[s["name"]].add(limit / (s["range"] / 1000) if is_increase else limit)

    def add_selector(self, s, labels):
        name, ms = s["name"], collections.defaultdict(list)
        m, suffix = known(self.cat, name)
        for x in s["matchers"]:
            if x["name"] != "__name__":
                ms[x["name"]].append((x["type"], x["value"]))
        own = (set(m.labels) if m and m.labels is not None else set(labels)) - {"__name__", "le"}
        bounds = [None]
        if name.endswith("_bucket"):
            bounds = list(m.le) if m and m.le else [0.1, 0.5, 1, 5, 10]
            bounds += [float(v) for op, v in ms["le"] if op == "=" and re.fullmatch(r"[\d.]+", v) and not (m and m.le)]
            bounds = sorted(set(bounds)) + [math.inf]
        for i, variant in (("i1:9", "a1"), ("i1:9", "b2"), ("i2:9", "a1")):
            one = {l: variant for l in own}
            one.update(job="node", instance=i)
            one.update({l: value_for(v, self.rng) for l, v in ms.items() if l != "le"})
            other = dict(one, **{l: "other" for l, v in ms.items() if l != "le" and any(op == "=" for op, _ in v)})
            for le in bounds:
                for ls in (one, other):
                    ls = {l: v for l, v in ls.items() if v and l != "le"}
                    if le is not None:
                        ls["le"] = "+Inf" if math.isinf(le) else ("%g" % le)
                    self.series.setdefault((name, tuple(sorted(ls.items()))), le)

    def spell_sizes(self, name):
        """Of what size a series is, spell by spell."""
        limits = sorted(self.sizes[name])
        choices = [0.0] + [t * f for t in limits for f in (1, 0.5, 0.97, 2, 4)] or [0.0, 1.0, 0.01, 0.5, 50.0]
        return [self.rng.choice(choices) for _ in range(SPELLS)]

    def samples(self, begin):
        by_name = collections.defaultdict(list)
        for (name, ls), le in self.series.items():
            by_name[name].append((ls, le))
        for name in sorted(by_name):
            yield name, [(ls, self.values(name, ls, le, begin)) for ls, le in sorted(by_name[name])]

    def values(self, name, ls, le, begin):
        m, _ = known(self.cat, name)
        unit = m.unit if m else ""
        if le is not None:  # buckets of one histogram grow together: each with the share of its bound
            self.rng.seed("%s%r" % (name, [l for l in ls if l[0] != "le"]))
        sizes, out, sum_ = self.spell_sizes(name), [], 0.0
        is_time = unit == "timestamp" or name.endswith(("_timestamp_seconds", "_time_seconds", "_timestamp"))
        share = 1.0 if le is None or math.isinf(le) else le / (le + 1.0)
        for k in range(SPELL * SPELLS):
            size, t = sizes[k // SPELL], begin + k * STEP
            noise = 1 + 0.02 * math.sin(k * 0.7 + len(ls)) if size not in self.sizes[name] and size not in (0, 1) else 1
            if is_time:
                out.append(float(int(t - abs(size))))
            elif is_counter(name, self.cat):
                sum_ += size * noise * share * (STEP if k % 2 else 1)
                out.append(sum_)
            else:
                out.append(size * noise)
        return out


def print_series(f, name, ls, stamp, v):
    f.write("%s{%s} %.10g%s\n" % (name, ",".join("%s=%s" % (l, json.dumps(x, ensure_ascii=False)) for l, x in ls), v, stamp))


# -- Prometheus --------------------------------------------------------------------------------------------------------

def peer(source, name):
    for folder in ("newer", "peers"):
        path = os.path.join(source, "build", folder, "usr/bin", name)
        if os.path.exists(path):
            return path
    return None


class Prometheus:
    def __init__(self, program, folder):
        data = os.path.join(folder, "data")
        self.log = open(os.path.join(folder, "log"), "w+")
        with open(os.path.join(folder, "p.yml"), "w") as f:
            f.write("global: {}\n")
        import socket
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.url = "http://127.0.0.1:%d" % s.getsockname()[1]
        self.p = subprocess.Popen([program, "--config.file=" + os.path.join(folder, "p.yml"), "--storage.tsdb.path=" + data,
                                   "--storage.tsdb.retention.time=10y", "--web.listen-address=" + self.url[7:]], stderr=self.log)
        end = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(self.url + "/-/ready", timeout=1).read()
                return
            except OSError:
                if time.monotonic() > end or self.p.poll() is not None:
                    raise
                time.sleep(0.05)

    def ask(self, path, **args):
        try:
            with urllib.request.urlopen(self.url + "/api/v1/" + path, urllib.parse.urlencode(args).encode(), timeout=60) as r:
                return json.load(r)["data"]
        except urllib.error.HTTPError as e:
            return e.read().decode(errors="replace")

    def parse(self, expr):
        tree = self.ask("parse_query", query=expr)
        return tree if isinstance(tree, dict) else None

    def result(self, expr, begin):
        got = self.ask("query_range", query=expr, start=begin, end=begin + STEP * SPELL * SPELLS, step=STEP * 10)
        if isinstance(got, str):
            return got
        return {json.dumps(r["metric"], sort_keys=True): [(t, v if v in ("NaN", "+Inf", "-Inf") else "%.8g" % float(v)) for t, v in r["values"]]
                for r in got["result"]}

    def stop(self):
        self.p.terminate()
        self.p.wait()


# -- lint --------------------------------------------------------------------------------------------------------------

def lint(program, folder, text, jobs, metrics):
    path = os.path.join(folder, "mutant.yml")
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write(text)
    with open(os.path.join(folder, "prometheus.yml"), "w") as f:
        f.write("scrape_configs:\n" + "".join("  - {job_name: %s, static_configs: [{targets: ['h:1']}]}\n" % json.dumps(j) for j in jobs))
    args = [program, "lint", "-o", "json", "--disable=R083"] + (["--metrics=" + metrics] if metrics else []) + [path, os.path.join(folder, "prometheus.yml")]
    p = subprocess.run(args, capture_output=True, text=True)
    assert p.stdout, p.stderr
    return [x for x in json.loads(p.stdout)["problems"] if x["file"] == path]


def key_of(x):
    return x["id"], x["line"], x["message"]


def told(mutant, before, after):
    """The findings that are new; those of other rules must be as before."""
    old = collections.Counter(key_of(x) for x in before)
    new = []
    for x in after:
        if old[key_of(x)]:
            old[key_of(x)] -= 1
        else:
            new.append(x)
    first = mutant.rule.text.count("\n", 0, mutant.rule.begin)
    last = first + mutant.rule.raw.count("\n") + 1
    astray = [x for x in new if not first < x["line"] <= last and x["id"] not in ("R051", "R086")]
    gone = [k for k, n in old.items() if n and not first < k[1] <= last and k[0] not in ("R051", "R020", "R086")]
    return new, astray, gone


def covers(x, text, at, n):
    """Whether the finding stands where text[at:at+n] is. offset counts bytes, as the file has them."""
    size = lambda s: len(s.encode("utf-8"))
    begin, end = size(text[:at]), size(text[:at + n])
    return x["offset"] <= end and begin <= x["offset"] + max(x["length"], 1)


def is_repair(m, findings):
    """The rule is broken in this very way before anybody has broken it."""
    ids, first = CLASSES[m.kind][1].split(), m.rule.text.count("\n", 0, m.rule.begin)
    return any(x["id"] in ids and first < x["line"] <= first + m.rule.raw.count("\n") + 1 for x in findings)


class Mutant:
    def __init__(self, kind, rule, raw, at, new, was):
        self.kind, self.rule, self.raw, self.at, self.new, self.was = kind, rule, raw, at, new, was
        self.text, self.expr = rule.with_raw(raw), None

    def is_found(self, findings):
        ids = CLASSES[self.kind][1].split()
        return any(x["id"] in ids and covers(x, self.text, self.rule.begin + self.at, len(self.new)) for x in findings)


# -- what the catalogue can know of ------------------------------------------------------------------------------------

def is_known(m, cat):
    """Whether what the class is about is in the catalogue, or in the text itself."""
    if m.kind in ("total", "old name", "gauge"):
        return known(cat, m.was)[0] is not None
    if m.kind == "le":
        return m.was == "le" or any(known(cat, s["name"])[0] and known(cat, s["name"])[0].le for s, _ in selectors(m.rule.tree) if s["name"].endswith("_bucket"))
    if m.kind == "join" and m.new in ADDED:
        return False
    if m.kind in ("label", "join"):
        rows = [known(cat, s["name"])[0] for s, _ in selectors(m.rule.tree)]
        return all(r is not None and r.labels is not None for r in rows)
    if m.kind == "threshold":
        return any(has_scale(n["lhs"], cat) and abs(v - float(m.was)) < 1e-9 for n, v in comparisons(m.rule.tree))
    return True


def has_scale(t, cat):
    """Whether the catalogue or the form of the expression says between what its values lie."""
    t = unwrap(t)
    if t["type"] == "vectorSelector":
        m = known(cat, t["name"])[0]
        return m.unit in ("ratio", "percent", "celsius", "bool") if m else t["name"].endswith("_ratio") or t["name"] == "up"
    if t["type"] == "aggregation" and t["op"] in ("avg", "min", "max"):
        return has_scale(t["expr"], cat)
    if t["type"] == "call" and t["func"]["name"] in ("avg_over_time", "max_over_time", "min_over_time"):
        return has_scale(t["args"][0], cat)
    if t["type"] == "matrixSelector":
        return has_scale(dict(t, type="vectorSelector"), cat)
    if t["type"] == "call" and t["func"]["name"] == "histogram_quantile":
        return any(known(cat, s["name"])[0] and known(cat, s["name"])[0].le for s, _ in selectors(t))
    if t["type"] == "binaryExpr" and t["op"] == "*" and unwrap(t["rhs"]).get("val") == "100":
        return is_quotient(t["lhs"])
    return False


def is_quotient(t):
    t = unwrap(t)
    if t["type"] == "binaryExpr" and t["op"] == "-":
        t = unwrap(t["rhs"])
    return t["type"] == "binaryExpr" and t["op"] == "/" and unwrap(t["rhs"])["type"] != "numberLiteral"


# -- all ---------------------------------------------------------------------------------------------------------------

def candidates(rules, kinds, each, rng, cat, classes=CLASSES):
    """Mutants of each class at random places of random rules, before anybody knows whether they count."""
    out = []
    for kind in kinds:
        seen = set()
        for rule in rng.sample(rules, len(rules)) * 3:
            if len(seen) >= each:
                break
            got = classes[kind][0](rule, rng, cat)
            if got and (rule.path, got[0]) not in seen:
                seen.add((rule.path, got[0]))
                out.append(Mutant(kind, rule, *got))
    return out


def build_world(mutants, cat, rng, folder, promtool):
    world = World(cat, rng)
    for rule in {id(m.rule): m.rule for m in mutants}.values():
        world.add(rule)
    begin = int(time.time()) // STEP * STEP - STEP * SPELL * (SPELLS - 1)  # what is asked for now is there for a spell to come
    path, now = os.path.join(folder, "series.om"), os.path.join(folder, "metrics")
    with open(path, "w") as f, open(now, "w") as page:
        for name, all_ in world.samples(begin):
            page.write("# TYPE %s %s\n" % page_type(name, cat))
            for ls, values in all_:
                for k, v in enumerate(values):
                    print_series(f, name, ls, " %d" % (begin + k * STEP), v)
                print_series(page, name, ls, "", values[-1])
        f.write("# EOF\n")
    p = subprocess.run([promtool, "tsdb", "create-blocks-from", "openmetrics", path, os.path.join(folder, "data")], capture_output=True, text=True)
    assert p.returncode == 0, p.stderr[-2000:]
    os.unlink(path)
    return begin, now, len(world.series)


def page_type(name, cat):
    m, suffix = known(cat, name)
    if suffix or name.endswith("_bucket"):
        return re.sub(r"_(bucket|sum|count)$", "", name), "histogram" if (m and m.type == "histogram") or name.endswith("_bucket") else "summary"
    return name, "counter" if is_counter(name, cat) else "gauge"


def main():
    p = argparse.ArgumentParser()
    p.add_argument("source"), p.add_argument("program"), p.add_argument("shared")
    p.add_argument("--seed", type=int, default=None)
    p.add_argument("--of", action="append", choices=CORPUS)
    p.add_argument("--each", type=int, default=100)
    p.add_argument("--least", type=float, default=95)
    p.add_argument("--class", dest="kinds", action="append", choices=list(CLASSES))
    p.add_argument("--show", action="store_true")
    o = p.parse_args()
    prometheus, promtool = peer(o.source, "prometheus"), peer(o.source, "promtool")
    corpus = [os.path.join(o.shared, "conformance", c) for c in o.of or CORPUS]
    if not prometheus or not promtool or not all(map(os.path.isdir, corpus)):
        print("skipped: Prometheus (./dev deps) or the conformance data is missing")
        sys.exit(77)
    seed = o.seed if o.seed is not None else random.randrange(1 << 30)
    print("seed", seed, flush=True)
    rng, cat = random.Random(seed), read_catalogue(os.path.join(o.source, "src/lint/catalogue.txt"))
    rules = []
    for top in corpus:
        for folder, _, files in sorted(os.walk(top)):
            for f in sorted(files):
                if f.endswith((".yml", ".yaml")):
                    rules += rules_of(os.path.join(folder, f))
    sys.exit(run(o, rules, rng, cat, prometheus, promtool))


def run(o, rules, rng, cat, prometheus, promtool):
    with tempfile.TemporaryDirectory() as parse_folder:  # an empty one, which parses
        empty = Prometheus(prometheus, parse_folder)
        try:
            for r in rules:
                r.tree = empty.parse(r.expr)
            rules = [r for r in rules if r.tree]
            mutants = candidates(rules, o.kinds or list(CLASSES), o.each, rng, cat)
            for m in mutants:
                m.expr = expr_of(m.rule, m.text)
                m.is_read = m.expr is not None and empty.parse(m.expr) is not None
        finally:
            empty.stop()
    mutants = [m for m in mutants if m.is_read]
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        begin, page, n = build_world(mutants, cat, random.Random(rng.random()), folder, promtool)
        print("%d rules, %d mutants, %d series, %.0f s" % (len(rules), len(mutants), n, time.monotonic() - began), flush=True)
        live = Prometheus(prometheus, folder)
        try:
            return judge(o, count(mutants, live, begin), rules, cat, folder, page, live.url + "/")
        finally:
            live.stop()


def count(mutants, live, begin):
    originals, out = {}, []
    for m in mutants:
        if m.rule not in originals:
            originals[m.rule] = live.result(m.rule.expr, begin)
        if originals[m.rule] != live.result(m.expr, begin):
            out.append(m)
    return out


def judge(o, mutants, rules, cat, folder, page, live):
    jobs = sorted({m["value"] for r in rules for s, _ in selectors(r.tree) for m in s["matchers"] if m["name"] == "job" and m["type"] == "="})
    before, rows, wrong = {}, collections.defaultdict(lambda: [0, 0, 0, 0, 0]), 0
    originals = lambda path, text, metrics: before.setdefault((path, metrics), lint(o.program, folder, text, jobs, metrics))
    for m in mutants:
        if is_repair(m, originals(m.rule.path, m.rule.text, None)):
            continue
        row, is_here = rows[m.kind], is_known(m, cat)
        found = []
        for metrics in (None, live if m.kind in BY_THE_PAST else page):
            after = lint(o.program, folder, m.text, jobs, metrics)
            new, astray, gone = told(m, originals(m.rule.path, m.rule.text, metrics), after)
            found.append(m.is_found(new))
            if astray or gone:
                wrong += 1
                print("WRONG another rule's findings change: %s %s: %s\n   %s %s" % (m.kind, m.rule.name, m.new, astray, gone))
        row[0] += is_here
        row[1] += is_here and found[0]
        row[2] += 1
        row[3] += found[0]
        row[4] += found[1]
        if o.show and not (found[0] and found[1]):
            print("%s %s%s %s: %s -> %s\n     %s" % (m.kind, "offline " if not found[0] else "", "live" if not found[1] else "", m.rule.name, m.was, m.new,
                                                "(known) " * is_here + " ".join(m.expr.split())))
    for (path, metrics), was in before.items():  # as before
        if metrics != live and lint(o.program, folder, open(path, encoding="utf-8").read(), jobs, metrics) != was:
            wrong += 1
            print("WRONG the original's findings change:", path)
    print("class       known  found      %  | all    found      %  with --metrics      %")
    failed = wrong
    for kind, (a, b, c, d, e) in rows.items():
        pc = lambda x, y: 100.0 * x / y if y else 100.0
        print("%-10s %6d %6d %6.1f  | %-6d %5d %6.1f  %14d %6.1f" % (kind, a, b, pc(b, a), c, d, pc(d, c), e, pc(e, c)))
        failed += pc(b, a) < o.least or pc(e, c) < o.least - 5
    print("ok" if not failed else "FAILED: %d" % failed)
    return int(failed != 0)


if __name__ == "__main__":
    main()
