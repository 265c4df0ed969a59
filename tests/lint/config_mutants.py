#!/usr/bin/env python3
"""How many faults lint finds in configurations: public ones of Alertmanager and Prometheus are broken at random places, one fault
each.

    config_mutants.py SOURCE PROGRAM SHARED [--seed N] [--count N] [--least PERCENT] [--show]

A mutant counts only if the program that the configuration is for refuses it, or a live Alertmanager routes or inhibits some alert
otherwise than before. Beside each configuration of Alertmanager stand
rules whose alerts have the labels that its routes ask for, as they would. Found is a mutant whose finding is new, of an id that
its kind is about, and stands where the fault was put: in the same line, or at the mapping around it, and then with its word.
"""
import argparse, collections, glob, itertools, json, os, random, re, socket, subprocess, sys, tempfile, time, urllib.error, urllib.request
import yaml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mutants import misspell, peer

# -- operators: (text, at, what stands there now, what stood there), or None -------------------------------------------


def put(text, m, group, new):
    return text[:m.start(group)] + new + text[m.end(group):], m.start(group), new, m.group(group)


def one_of(text, rng, pattern, good=lambda m: True):
    found = [m for m in re.finditer(pattern, text, re.M) if good(m) and not re.match(r"\s*#", line_of(text, m.start()))]
    return rng.choice(found) if found else None


def line_of(text, at):
    return text[text.rfind("\n", 0, at) + 1:text.find("\n", at) if "\n" in text[at:] else len(text)]


def misspelt(text, rng, pattern, group=1, good=lambda m: True):
    m = one_of(text, rng, pattern, good)
    if m is None:
        return None
    word = re.search(r"[A-Za-z]{4,}", m.group(group))
    new = word and misspell(word.group(0), rng)
    return put(text, m, group, m.group(group).replace(word.group(0), new, 1)) if new else None


MATCHER = r"""^\s*-\s+'?(\w+)\s*(?:=~|!=|=)\s*["']?([^"'\n]+)"""
INLINE = r"""_matchers:\s*\[\s*(\w+)\s*=\s*["']?([\w-]+)"""
OLD = r"^ +(?:match|match_re|source_match|target_match):\s*\n\s+(\w+):\s*['\"]?([\w|^()-]+)"


def op_receiver(text, rng):
    return misspelt(text, rng, r"^\s*(?:- )?receiver:\s*['\"]?([\w.+-]+)")


def op_receiver_name(text, rng):
    begin = text.find("\nreceivers:")
    return misspelt(text, rng, r"^\s*- name:\s*['\"]?([\w.+-]+)", good=lambda m: m.start() > begin)


def op_label(text, rng):
    return misspelt(text, rng, rng.choice([MATCHER, INLINE, OLD]))


def op_severity(text, rng):
    return misspelt(text, rng, rng.choice([r"""severity\s*(?:=~|!=|=)\s*["']?(\w+)""", r"severity:\s*['\"]?(\w+)"]))


def op_value(text, rng):
    return misspelt(text, rng, rng.choice([MATCHER, INLINE, OLD]), 2)


def op_equal(text, rng):
    m = one_of(text, rng, r"equal:\s*\[([^\]]+)\]")
    if m is None:
        return None
    words = [w for w in re.finditer(r"\w{4,}", m.group(1))]
    w = rng.choice(words) if words else None
    new = w and misspell(w.group(0), rng)
    at = m.start(1) + w.start() if new else 0
    return (text[:at] + new + text[at + len(w.group(0)):], at, new, w.group(0)) if new else None


def op_order(text, rng):
    """A route for all of what a later one takes a part of: it is put first, without its narrowing matcher."""
    found = list(re.finditer(r"^( +)- (matchers|match|match_re):.*\n(?:\1  +\S.*\n|\1    .*\n|\s*#.*\n|\s*\n)+", text, re.M))
    pairs = [(a, b) for a, b in itertools.combinations(found, 2) if a.group(1) == b.group(1) and not text[a.end():b.start()].strip()]
    if not pairs:
        return None
    a, b = rng.choice(pairs)
    if "continue" in a.group(0) + b.group(0):
        return None
    lines = b.group(0).split("\n")
    wide = a.group(1) + "- receiver: " + (re.search(r"receiver:\s*(\S+)", b.group(0)) or re.search(r"receiver:\s*(\S+)", text)).group(1) + "\n"
    head = re.match(r"^ +- (matchers|match|match_re):.*\n(?:\1?\s+(?:- )?\S+\s*(?:=~|=|:).*\n)", a.group(0))
    first = head.group(0) if head else None
    new = wide if first is None else first + a.group(1) + "  " + wide.strip()[2:] + "\n"
    return text[:a.start()] + new + text[a.start():], a.start(), new.split("\n")[0], ""


def op_unit(text, rng):
    m = one_of(text, rng, r"(?:group_wait|group_interval|repeat_interval|resolve_timeout|interval|timeout|evaluation_interval):\s*(\d+[smhd])\s*$")
    return m and put(text, m, 1, m.group(1)[:-1])


def op_key(text, rng):
    return misspelt(text, rng, r"^\s*(?:- )?([a-z_]{5,}):", good=lambda m: m.group(1) not in ("routes",) and not inside_map(text, m.start()))


def inside_map(text, at):
    """Keys below match, labels and the like are whatever one likes."""
    indent = len(re.match(r"\s*(?:- )?", text[at:].lstrip("\n")).group(0))
    for line in reversed(text[:at].split("\n")):
        own = len(re.match(r"\s*(?:- )?", line).group(0))
        if line.strip() and own < indent:
            return bool(re.search(r"(match|match_re|source_match|target_match|source_match_re|target_match_re|labels|details|params|headers|external_labels):\s*$", line))
    return False


def op_colon(text, rng):
    m = one_of(text, rng, r"^\s*(?:- )?[a-z_]+(:) \S")
    return m and put(text, m, 1, "")


def op_url(text, rng):
    m = one_of(text, rng, r"(?:url|api_url):\s*['\"]?(https?://)")
    return m and put(text, m, 1, "")


def op_regex(text, rng):
    m = one_of(text, rng, r"""(?:=~\s*["']?|match_re:\s*\n\s+\w+:\s*|regex:\s*['"]?)([^"'\n]+)""")
    return m and put(text, m, 1, m.group(1) + "(")


def op_twice(text, rng):
    names = re.findall(r"^\s*- (?:name|job_name): *['\"]?([\w.+-]+)", text, re.M)
    m = one_of(text, rng, r"^\s*- (?:name|job_name): *['\"]?([\w.+-]+)")
    others = [n for n in names if m and n != m.group(1)]
    return put(text, m, 1, rng.choice(others)) if others else None


def op_job_timeout(text, rng):
    m = one_of(text, rng, r"scrape_interval:\s*(\d+)s")
    return m and put(text, m, 0, m.group(0) + "\n" + re.match(r"\s*(?:- )?", line_of(text, m.start())).group(0).replace("-", " ") + "scrape_timeout: 10m")


def op_target(text, rng):
    m = one_of(text, rng, r"""targets:\s*\[\s*['"]?([\w.-]+:\d+)""")
    return m and put(text, m, 1, "http://" + m.group(1) + "/metrics")


def op_action(text, rng):
    return misspelt(text, rng, r"action:\s*(keep|drop|replace|labelmap|labeldrop|hashmod)")


KINDS = {
    "receiver": (op_receiver, "C006", "am"),
    "receiver's name": (op_receiver_name, "C006", "am"),
    "label": (op_label, "C035", "am"),
    "severity": (op_severity, "C036 C022", "am"),
    "value": (op_value, "C036 C022 C020", "am"),
    "equal": (op_equal, "C035", "am"),
    "order": (op_order, "C020", "am"),
    "unit": (op_unit, "C001", "am prom"),
    "key": (op_key, "C002", "am prom"),
    "colon": (op_colon, "Y001 C001 C002 C003", "am prom"),
    "url": (op_url, "C001", "am"),
    "regex": (op_regex, "C001 C009", "am prom"),
    "twice": (op_twice, "C009 C001 C004 C006", "am prom"),
    "timeout": (op_job_timeout, "C001 C009", "prom"),
    "target": (op_target, "C001 C009", "prom"),
    "action": (op_action, "C001", "prom"),
}

# -- alerts that a configuration is about ------------------------------------------------------------------------------


def matchers_of(node):
    """What routes and inhibit rules ask for by equality, or the first alternative: dicts."""
    out = {}
    for k in ("match", "match_re", "source_match", "target_match", "source_match_re", "target_match_re"):
        out.update({l: str(v).strip("^$()").split("|")[0] for l, v in (node.get(k) or {}).items()})
    for k in ("matchers", "source_matchers", "target_matchers"):
        for m in node.get(k) or []:
            g = re.match(r"""\s*(\w+)\s*(=~|=)\s*["']?([^"']*)""", m)
            if g:
                out[g.group(1)] = g.group(3).strip("^$()").split("|")[0]
    return out


def label_sets(config):
    out = [{"alertname": "Plain", "cluster": "a", "service": "s", "instance": "i"}]

    def below(route, above):
        own = dict(above, **matchers_of(route))
        out.append(own)
        for severity in ("critical", "warning"):
            out.append(dict(own, severity=own.get("severity", severity)))
        for r in route.get("routes") or []:
            below(r, own)

    below(config["route"], {"alertname": "T", "cluster": "a", "service": "s", "instance": "i"})
    for r in config.get("inhibit_rules") or []:
        base = {"alertname": "Same", "cluster": "a", "service": "s", "instance": "i"}
        base.update({l: "e" for l in r.get("equal") or [] if l not in base})
        for side in ("source", "target"):
            out.append(dict(base, **matchers_of({k: v for k, v in r.items() if k.startswith(side)}), side=side))
        target = dict(base, **matchers_of({k: v for k, v in r.items() if k.startswith("target")}))
        out += [dict(target, **{l: "another", "side": "not " + l}) for l in r.get("equal") or []]
    return [s for i, s in enumerate(out) if s not in out[:i]]


def rules_text(sets):
    rules = [{"alert": s["alertname"], "expr": "m%d > 3" % i, "for": "1m", "labels": {k: v for k, v in s.items() if k != "alertname"}} for i, s in enumerate(sets)]
    return yaml.safe_dump({"groups": [{"name": "g", "rules": rules}]})


# -- those who judge ---------------------------------------------------------------------------------------------------

class Alertmanager:
    """A live one. Its receivers have names only, so that nothing leaves this machine."""

    def __init__(self, program, folder, source):
        self.path = os.path.join(folder, "live.yml")
        self.write({"route": {"receiver": "r"}, "receivers": [{"name": "r"}]})
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.url = "http://127.0.0.1:%d" % s.getsockname()[1]
        self.p = subprocess.Popen([program, "--config.file=" + self.path, "--storage.path=" + os.path.join(folder, "am"), "--cluster.listen-address=",
                                   "--web.listen-address=" + self.url[7:]], stderr=subprocess.DEVNULL, cwd=source)  # its own templates are found from there
        end = time.monotonic() + 20
        while True:
            try:
                self.ask("GET", "/-/ready")
                return
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def write(self, config):
        with open(self.path, "w") as f:
            yaml.safe_dump(config, f)

    def ask(self, method, path, body=None):
        r = urllib.request.Request(self.url + path, method=method, data=None if body is None else json.dumps(body).encode(), headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(r, timeout=10) as answer:
            return answer.read()

    def judge(self, text, sets):
        """Who is told of which alert, and which are inhibited; or that it is refused."""
        config = yaml.safe_load(text)
        self.write({k: v if k != "receivers" else [{"name": r.get("name")} for r in v] for k, v in config.items() if k in ("route", "receivers", "inhibit_rules", "time_intervals", "mute_time_intervals")})
        try:
            self.ask("POST", "/-/reload", {})
        except urllib.error.HTTPError as e:
            return "refused"
        self.ask("POST", "/api/v2/alerts", [{"labels": {k: str(v) for k, v in s.items()}, "annotations": {}} for s in sets])
        keys = [json.dumps({k: str(v) for k, v in s.items()}, sort_keys=True) for s in sets]
        before, end = None, time.monotonic() + 10
        while time.monotonic() < end:  # until it has taken them all, and says the same twice
            time.sleep(0.1)
            got = {}
            for a in json.loads(self.ask("GET", "/api/v2/alerts")):
                got[json.dumps(a["labels"], sort_keys=True)] = (sorted(r["name"] for r in a["receivers"]), bool(a["status"]["inhibitedBy"]))
            got = {k: got.get(k) for k in keys}
            if got == before and None not in got.values():
                break
            before = got
        return got

    def stop(self):
        self.p.terminate()
        self.p.wait()


def run(*args):
    return subprocess.run(args, capture_output=True, text=True)


# -- lint --------------------------------------------------------------------------------------------------------------

def lint(program, folder, kind, text, rules):
    path = os.path.join(folder, "alertmanager.yml" if kind == "am" else "prometheus.yml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
        if kind == "am":
            f.write("\nrule_files: [rules.yml]\n")
    with open(os.path.join(folder, "rules.yml"), "w", encoding="utf-8") as f:
        f.write(rules)
    p = run(program, "lint", "-o", "json", path)
    return json.loads(p.stdout)["problems"]


def is_found(problems, before, ids, text, at, new, was):
    old = collections.Counter((x["id"], x["message"]) for x in before)
    line = text.count("\n", 0, at) + 1
    for x in problems:
        if old[x["id"], x["message"]]:
            old[x["id"], x["message"]] -= 1
        elif x["id"] in ids and (abs(x["line"] - line) <= 1 or new.strip("\"' ") in x["message"] or (was and was in x["message"]) or x["id"] == "C020"):
            return True
    return False


# -- all ---------------------------------------------------------------------------------------------------------------

def bases(o, amtool, promtool):
    top = os.path.join(o.shared, "conformance")
    for path in sorted(glob.glob(top + "/alertmanager/*/*.yml") + glob.glob(top + "/seeds/*alertmanager.yml")):
        if run(amtool, "check-config", path).returncode == 0:
            yield "am", path
    for path in sorted(glob.glob(top + "/rules/prometheus/examples/*.yml") + glob.glob(top + "/rules/prometheus/promtool-testdata/prometheus-config*.good.yml")):
        if run(promtool, "check", "config", "--syntax-only", path).returncode == 0:
            yield "prom", path


def counts(mutant, live, checker, folder, sets, known):
    path = os.path.join(folder, "checked.yml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(mutant)
    if run(*checker, path).returncode != 0:
        return True
    if live is None:
        return False
    return live.judge(mutant, sets) != known


def main():
    p = argparse.ArgumentParser()
    p.add_argument("source"), p.add_argument("program"), p.add_argument("shared")
    p.add_argument("--seed", type=int, default=None)
    p.add_argument("--count", type=int, default=500)
    p.add_argument("--least", type=float, default=95)
    p.add_argument("--show", action="store_true")
    o = p.parse_args()
    amtool, promtool, alertmanager = (peer(o.source, n) for n in ("amtool", "promtool", "prometheus-alertmanager"))
    if not (amtool and promtool and alertmanager and os.path.isdir(os.path.join(o.shared, "conformance/alertmanager"))):
        print("skipped: Alertmanager, Prometheus (./dev deps) or the conformance data is missing")
        sys.exit(77)
    seed = o.seed if o.seed is not None else random.randrange(1 << 30)
    print("seed", seed, flush=True)
    sys.exit(all_of(o, random.Random(seed), amtool, promtool, alertmanager))


def broken(op, files, rng):
    """A file that has such a place, and what comes of it."""
    for what, path in rng.sample(files, len(files)):
        text = open(path, encoding="utf-8").read()
        got = op(text, rng)
        if got:
            return what, path, text, got
    return None, None, None, None


def all_of(o, rng, amtool, promtool, alertmanager):
    rows, failed = collections.defaultdict(lambda: [0, 0]), 0
    files = list(bases(o, amtool, promtool))
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as linted:
        live, seen, total, tries, known = Alertmanager(alertmanager, folder, o.source), set(), 0, 0, {}
        try:
            while total < o.count and tries < o.count * 40:
                tries += 1
                kind = rng.choice(list(KINDS))
                op, ids, of = KINDS[kind]
                what, path, text, got = broken(op, [f for f in files if f[0] in of.split()], rng)
                if not got or (path, got[0]) in seen or got[0] == text:
                    continue
                seen.add((path, got[0]))
                is_am = what == "am"
                if path not in known:
                    sets = label_sets(yaml.safe_load(text)) if is_am else []
                    rules = rules_text(sets) if is_am else "groups: []\n"
                    known[path] = sets, rules, live.judge(text, sets) if is_am else None, lint(o.program, linted, what, text, rules)
                sets, rules, routed, before = known[path]
                checker = (amtool, "check-config") if is_am else (promtool, "check", "config", "--syntax-only")
                if not counts(got[0], live if is_am else None, checker, folder, sets, routed):
                    continue
                total += 1
                rows[kind][0] += 1
                found = is_found(lint(o.program, linted, what, got[0], rules), before, ids.split(), *got)
                rows[kind][1] += found
                if o.show and not found:
                    print("%s %s:%d: %r -> %r" % (kind, os.path.basename(path), got[0].count("\n", 0, got[1]) + 1, got[3], got[2]))
            for path, (sets, rules, _, before) in known.items():
                what = [w for w, p in files if p == path][0]
                if lint(o.program, linted, what, open(path, encoding="utf-8").read(), rules) != before:
                    failed += 1
                    print("WRONG the original's findings change:", path)
        finally:
            live.stop()
    print("kind               counted  found      %")
    for kind in KINDS:
        n, k = rows[kind]
        print("%-18s %7d %6d %6.1f" % (kind, n, k, 100.0 * k / n if n else 100.0))
    n, k = (sum(r[i] for r in rows.values()) for i in (0, 1))
    print("%-18s %7d %6d %6.1f" % ("all", n, k, 100.0 * k / n if n else 100.0))
    failed += n == 0 or 100.0 * k / n < o.least
    print("ok" if not failed else "FAILED")
    return int(failed != 0)


if __name__ == "__main__":
    main()
