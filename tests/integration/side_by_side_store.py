"""The same exporters scraped by Debian's Prometheus and by tocsin: the same series, and the same answer to every expression
of the rule corpora and of the bench's rules.

What is scraped changes once a step, and a step of a page ends halfway between the scrapes of the two programs. So at the
end of a step both have seen the same values, though at different times, and a question about that instant has one answer.
Functions that look at the times of samples (rate() where samples fill only a part of the window) have two: for these our
engine is asked over the very samples that Prometheus has, and the stores are compared sample by sample. A metric that only
a rule knows is made up: the labels that its matchers ask for, values around the numbers that it is compared with.

usage: side_by_side_store.py [SECONDS]   of scraping before the questions, default 16; from 60 on with steps of 5 s
"""
import contextlib, http.server, json, math, re, sys, zlib
from harness import *
from oracle import SHARED, differs, documents, ours, yaml

SECONDS = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 16
STEP = 5 if SECONDS >= 60 else 2
BOUNDS = {"0.1": 0.3, "1": 0.6, "10.5": 0.9, "+Inf": 1.0}
EMPTY = b"# nothing yet\n"

CONFIG = """global: {scrape_interval: %ds, scrape_timeout: %ds, evaluation_interval: %ds}
rule_files: [%s]
scrape_configs:
"""
# What is only asked for is kept for five minutes; a rule that looks further back makes it more.
KEEPER = """groups:
  - name: keeper
    rules: [{alert: Keeper, expr: 'count_over_time({__name__=~".+"}[20m]) < 0'}]
"""


# -- what is scraped --

class Page:
    """A target whose body is make(step): bytes, or None for a scrape that fails."""

    def __init__(self, make):
        self.make, self.edge, self.step, self.body = make, None, None, EMPTY
        self.scraped = {"peer": [], "tocsin": []}
        self.seen = {}  # who scraped in a step
        self.lock = threading.Lock()

    def get(self, who):
        now = time.time()
        with self.lock:
            self.scraped[who].append(now)
            if self.edge is not None and now >= self.edge and self.step != int((now - self.edge) / STEP):
                self.step = int((now - self.edge) / STEP)
                self.body = self.make(self.step)
            self.seen.setdefault(self.step, []).append(who)
            return self.body

    @staticmethod
    def phase(times):
        """When in a step the program scrapes, for the most part."""
        off = sorted((t - times[0] + STEP / 2) % STEP for t in times)
        return (times[0] + off[len(off) // 2] - STEP / 2) % STEP

    def start(self):
        """Steps begin in the middle of the longer way from one program's scrape to the other's."""
        a, b = sorted(self.phase(v) for v in self.scraped.values())
        middle = (a + b) / 2 if b - a > STEP / 2 else (a + b + STEP) / 2
        self.edge = (time.time() // STEP + 2) * STEP + middle % STEP

    def late(self):
        """Steps in which not each program has scraped once: one was late for its step."""
        return [k for k in range(int((time.time() - self.edge) / STEP)) if len(set(self.seen.get(k, []))) != 2 or len(self.seen[k]) != 2]

    def is_quiet(self):
        """Both have what there is now, and nobody is about to ask: a sample may belong to an instant long gone."""
        return len(set(self.seen.get(self.step, []))) == 2 and time.time() - max(v[-1] for v in self.scraped.values()) > 0.2

    def end_of_step(self):
        """The last end of a step, with the step before it scraped by both."""
        return self.edge + int((time.time() - self.edge) / STEP) * STEP - 0.02


class Pages:
    def __init__(self, **pages):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                who = "peer" if self.headers.get("User-Agent", "").startswith("Prometheus/") else "tocsin"
                body = pages[self.path[1:]].get(who)
                with contextlib.suppress(OSError):
                    self.send_response(200 if body is not None else 503)
                    self.send_header("Content-Type", "text/plain; version=0.0.4")
                    self.send_header("Content-Length", str(len(body or b"")))
                    self.end_headers()
                    self.wfile.write(body or b"")

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *args: None
        self.address = "127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.server.shutdown()
        self.server.server_close()


def fetch(url):
    return lambda step: request("GET", url).body


def flaky(step):
    return None if step % 3 == 2 else b"flaky_steps %d\n" % step


def timed(step):
    """Samples with times of their own, as cAdvisor, a federation or a cache shows them."""
    now = time.time()
    rows = [("timed_container", f'{{c="{c}"}}', step + c, now - 0.3 * c) for c in range(5)]
    rows += [("timed_slow", "", step // 3, FIXED + step // 3 * 3 * STEP),
             ("timed_old", "", step, now - 400),
             ("timed_ahead", "", step, now + 60),
             ("timed_far", "", step, now + 3600),
             ("timed_back", "", step, now - (30 if step % 4 > 1 else 0)),
             ("timed_fixed", "", step, FIXED),
             ("timed_odd", "", step, now if step % 2 else now - 1.5 * STEP)]
    rows += [("timed_slow_container", f'{{c="{c}"}}', (step + c) // 2, now - (step + c) % 2 * STEP) for c in range(4)]
    if step < 4:
        rows.append(("timed_gone", "", step, now))  # has no staleness marker
    return b"".join(b"%s%s %d %d\n" % (n.encode(), ls.encode(), v + 1e6, t * 1000) for n, ls, v, t in rows) + b"timed_not %d\n" % step


FIXED = time.time() - 60
TIMED = ["container", "slow", "old", "ahead", "far", "back", "fixed", "odd", "slow_container", "gone"]
TIMED_ASKED = ["timed_not", "absent(timed_not)"] + [x % ("timed_" + n) for n in TIMED for x in (
    "%s", "timestamp(%s)", "rate(%s[20s])", "count_over_time(%s[30s])", "absent(%s)", "max_over_time(%s[20m])", "%s offset 10s")]


# -- metrics that only rules know --

def walk(x):
    """All nodes below one of parse_query."""
    if isinstance(x, list):
        for y in x:
            yield from walk(y)
    elif isinstance(x, dict):
        yield x
        for y in x.values():
            yield from walk(y)


def grouping(tree):
    """The labels that an expression counts on beside those of its matchers."""
    names = set()
    for x in walk(tree):
        if x.get("type") == "aggregation" and not x["without"]:
            names.update(x["grouping"])
        if x.get("type") == "binaryExpr" and x["matching"]:
            names.update(x["matching"]["include"] + (x["matching"]["labels"] if x["matching"]["on"] else []))
    return names - {"le", "quantile", "instance", "job"}


def text_for(regex):
    """A text that the regex matches, if that is easy."""
    for part in [regex, *re.sub(r"[()?]", "", regex).split("|")]:
        for plain in (part, re.sub(r"\[.*?\][+*]?|\.[+*]|\\d\+?", "1", part).replace("\\", ""), "1", "x"):
            with contextlib.suppress(re.error):
                if plain and re.fullmatch(regex, plain):
                    return plain
    return None


def labels_for(matchers):
    out = {}
    for m in matchers:
        name, v = m["name"], m["value"]
        absent = {"=": v == "", "!=": v != ""}.get(m["type"])
        with contextlib.suppress(re.error):
            if m["type"] in ("=~", "!~"):
                absent = (re.fullmatch(v, "") is not None) == (m["type"] == "=~")
        if absent:
            continue
        out.setdefault(name, {"=": v, "!=": "x", "!~": "x"}.get(m["type"]) or text_for(v))
    return out


class World:
    """Series by name and labels, and what they are compared with."""

    def __init__(self):
        self.series, self.counters = {}, set()

    def add(self, tree, real):
        numbers = [float(x["val"]) for x in walk(tree) if x.get("type") == "numberLiteral"]
        numbers = [v for v in numbers if abs(v) < 1e15] or [1.0]
        for x in walk(tree):
            if x.get("type") == "call" and x["func"]["name"] in ("rate", "increase", "irate", "resets"):
                self.counters.update(y["name"] for y in walk(x["args"]) if "matchers" in y)
        for x in walk(tree):
            if "matchers" not in x:
                continue
            labels = labels_for(x["matchers"])
            name = labels.pop("__name__", None)
            if name is None or None in labels.values() or name in real or re.match("up$|scrape_|ALERTS", name):
                continue
            for g in grouping(tree):
                labels.setdefault(g, "v")
            if not all(re.fullmatch(r"[a-zA-Z_:][\w:]*", k, re.A) for k in [name, *labels]):
                continue  # 2.42 has no other names
            for instance in ("a:1", "b:2"):
                for le in BOUNDS if name.endswith("_bucket") else [None]:
                    ls = {"instance": instance, **({"le": le} if le else {}), **labels}
                    self.series.setdefault((name, tuple(sorted(ls.items()))), []).extend(numbers[:4])

    def page(self, step):
        out = []
        for (name, labels), numbers in self.series.items():
            v = self.value(name, dict(labels), numbers, step)
            if v is not None:
                text = ",".join(f"{k}={json.dumps(x, ensure_ascii=False)}" for k, x in labels)
                out.append(f"{name}{{{text}}} {v!r}\n".replace(" nan", " NaN").replace(" inf", " Inf"))
        return "".join(out).encode()

    def value(self, name, labels, numbers, step):
        part = BOUNDS.get(labels.pop("le", ""), 1.0)
        h = zlib.crc32(repr((name, sorted(labels.items()))).encode())
        if h % 23 == 0 and step // 8 % 2:
            return None  # comes and goes
        if name in self.counters or re.search(r"_(total|count|sum|bucket)$", name):
            age = step % 13 if h % 7 == 0 else step  # some are reset
            # Far from zero, near which 2.42 extrapolates otherwise (promql-oracle.md 4).
            return float(math.floor(part * (1e6 + h % 1000 + age * STEP * [0, 0.3, 4, 60][h // 7 % 4])))
        if re.search(r"time|_at$|expir|not_after", name):
            return 1.79e9 + (h % 1000) * [1, 3600][h % 2]
        if h % 41 == 0 and step % 5 == 0:
            return math.nan
        return numbers[(h + step // 4) % len(numbers)] * [0.5, 1.0, 2.1, 1.0][(h // 8 + step // 3) % 4] + h % 3 * 0.001


# -- questions --

def expressions(node, out):
    if isinstance(node, list):
        for x in node:
            expressions(x, out)
    elif isinstance(node, dict):
        for k, v in node.items():
            if k in ("expr", "prom_ql") and isinstance(v, str):
                out.setdefault(v, None)
            expressions(v, out)


def ask(url, expr, end, start=None):
    form = {"query": expr, "time": "%.3f" % end} if start is None else \
        {"query": expr, "start": "%.3f" % start, "end": "%.3f" % end, "step": STEP}
    r = request("POST", url + ("/api/v1/query" if start is None else "/api/v1/query_range"),
                urllib.parse.urlencode(form).encode(), {"Content-Type": "application/x-www-form-urlencoded"}, 60).json()
    return r["data"] if r["status"] == "success" else {"error": r["error"]}


def canonical(metric):
    """Prometheus 2 keeps le="1", tocsin writes le="1.0" as Prometheus 3."""
    return {k: v + ".0" if k in ("le", "quantile") and re.fullmatch(r"\d+", v) else v for k, v in metric.items()}


def compare_answers(a, b):
    for data in (a, b):
        for x in data["result"] if data["resultType"] in ("vector", "matrix") else []:
            x["metric"] = canonical(x["metric"])
    return differs(a, b, 1e-9)


class Comparison:
    def __init__(self, peer_url, tocsin, pages):
        self.peer, self.t, self.pages, self.later = peer_url, tocsin, pages, []
        self.late = {n for n, p in pages.items() if p.late()}
        self.verdicts, self.empty, self.explained, self.wrong = {}, 0, {}, []

    def count(self, how, n):
        self.verdicts[how] = self.verdicts.get(how, 0) + 1
        self.empty += n == 0

    def fail(self, expr, page, why):
        name = None if page == "timed" and page not in self.late else known(expr, why) or ("a scrape came late for its step" if page in self.late else None)
        if name:
            self.explained[name] = self.explained.get(name, 0) + 1
        else:
            self.wrong.append((expr, why))

    def one(self, expr, page, span):
        p = self.pages[page]
        end = p.end_of_step()
        start = end - span if span else None
        expr = re.sub(r"\btime\(\)", repr(float(round(end))), expr)
        if page == "timed":
            until("all is scraped", p.is_quiet, 30)
        before = sum(map(len, p.scraped.values()))
        a, b = ask(self.peer, expr, end, start), ask(self.t.url, expr, end, start)
        if page == "timed" and before != sum(map(len, p.scraped.values())):
            return self.one(expr, page, span)
        if "error" in a or "error" in b:
            if "error" in a and "error" in b:
                self.count("refused by both", 1)
            else:
                self.fail(expr, page, f"{a.get('error')} / {b.get('error')}")
            return
        why = compare_answers(a, b)
        if why is None:
            self.count("at the end of a step", len(a["result"]))
        elif page != "timed" and READS_TIMES.search(expr):
            self.later.append((expr, page, start, end, a, why))
        else:
            self.fail(expr, page, why)

    def engine(self, path):
        """The questions that are about the times of samples: our engine over the samples that Prometheus has."""
        with open(path, "w") as f:
            for x in ask(self.peer, '{__name__=~".+"}[1h]', time.time())["result"]:
                ls = ",".join(f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in canonical(x["metric"]).items() if k != "__name__")
                f.writelines(f"{x['metric']['__name__']}{{{ls}}} {v} {round(t * 1000)}\n" for t, v in x["values"])
        ms = lambda t: round(t * 1000)
        answers = ours(path, [(ms(s or e), ms(e), STEP * 1000 if s else 0, " ".join(x.split())) for x, _, s, e, _, _ in self.later])
        for (expr, page, _, _, theirs, why), b in zip(self.later, answers):
            d = b.get("error") or compare_answers(theirs, b)
            if d is None:
                self.count("over the same samples", len(theirs["result"]))
            else:
                self.fail(expr, None, f"over the same samples: {d}; by the stores: {why}")

    def samples(self, since):
        """How many samples both hold at the same step with the same value, how many only one holds, and what differs."""
        both, single, wrong = 0, 0, []
        for job, page in self.pages.items():
            stores = []
            first, end = math.ceil((since - page.edge) / STEP), int((page.end_of_step() - page.edge) / STEP)
            step = lambda t: int((t - page.edge) // STEP)
            for url in (self.peer, self.t.url):
                found = ask(url, '{job="%s"}[1h]' % job, time.time())["result"]
                stores.append({json.dumps(canonical(x["metric"]), sort_keys=True):
                               {step(t): v for t, v in x["values"] if first <= step(t) < end} for x in found
                               if not re.search("^scrape_duration|^scrape_series_added|^ALERTS|^(model|instance|zone):", x["metric"]["__name__"])})
            for key in stores[0].keys() | stores[1].keys():
                a, b = (s.get(key, {}) for s in stores)
                both += len(a.keys() & b.keys())
                single += len(a.keys() ^ b.keys())
                wrong += [(key, k, a[k], b[k]) for k in a.keys() & b.keys() if a[k] != b[k] and float(a[k]) != float(b[k])]
        return both, single, wrong


READS_TIMES = re.compile(r"\b(rate|increase|delta|irate|idelta|deriv|predict_linear|timestamp)\(")


# What 2.42 does otherwise, by what shows in the expression (promql-oracle.md 3, 4) or in its answer.
def known(expr, why):
    if "error" in why or "/ None" in why or "None /" in why:
        return "2.42 has not the syntax or the function" if why.endswith("/ None") else None
    if "ALERTS" in expr:
        return "rules are evaluated at other instants"
    if re.search(r"\[[^\]]*:[^\]]*\]", expr):
        return "steps of a subquery are absolute, scrapes are not"
    if "offset -" in expr:
        return "looks at samples that come between the questions"
    if re.search(r"\btimestamp\(", expr):
        return "time of a scrape"
    if re.search(r"scrape_duration_seconds|scrape_series_added", expr):
        return "how long a scrape took"
    return None


def series_of(url, start):
    r = request("GET", url + "/api/v1/series?match[]=" + urllib.parse.quote('{__name__=~".+"}') +
                "&start=%f&end=%f" % (start, time.time()), timeout=60)
    found = (json.dumps(x, sort_keys=True) for x in r.json()["data"]
             # LLMServiceDown holds until the first scrape; and in a short run one has evaluated a round more.
             # The samples of timed_* may lie outside of the time asked for.
             if not x["__name__"].startswith("timed_") and x.get("alertname") != "LLMServiceDown" and ("alertname" not in x or SECONDS >= 60))
    return {re.sub(r'"(le|quantile)": "(\d+)"', r'"\1": "\2.0"', x) for x in found}


def test_side_by_side():
    """On a machine so busy that scrapes are late, a short run is tried again."""
    for is_last in (SECONDS >= 60,) * (SECONDS >= 60) or (False, False, True):
        late = run(is_last)
        if not late:
            return
        print(f"scrapes were late for their steps: {late}")


def run(is_last):
    bench = os.path.abspath(SHARED + "/bench")
    if yaml is None or not os.path.exists(bench):
        raise Skip("python3-yaml (./dev deps) or the shared data are missing")
    node, fleet, port, am = free_port(), free_port(), free_port(), free_port()
    base = f"http://127.0.0.1:{port}"
    world = World()
    pages = {"node": Page(fetch(f"http://127.0.0.1:{node}/metrics")), "fleet": Page(fetch(f"http://127.0.0.1:{fleet}/metrics")),
             "prometheus": Page(fetch(base + "/metrics")), "world": Page(world.page), "flaky": Page(flaky), "timed": Page(timed)}
    with folder() as d, Pages(**pages) as served, contextlib.ExitStack() as running:
        rules = os.path.join(bench, "rules.yml")
        text = CONFIG % (STEP, STEP, STEP, rules) + "".join(
            "  - {job_name: %s, metrics_path: /%s, honor_labels: true, static_configs: [{targets: ['%s']}]}\n"
            % (n, n, served.address) for n in pages)
        running.enter_context(Process([peer("prometheus-node-exporter"), f"--web.listen-address=127.0.0.1:{node}"]))
        running.enter_context(Process([sys.executable, bench + "/exporter.py", f"--port={fleet}", "--replicas=60", "--rebuild=1"]))
        running.enter_context(Process([peer("prometheus"), "--config.file=" + write(d + "/prometheus.yml", text),
                                       "--storage.tsdb.path=" + d + "/p", f"--web.listen-address=127.0.0.1:{port}"]))
        with Tocsin(text.replace(rules, rules + ", keeper.yml") + "storage: {keep: all}\n", d,
                    files={"keeper.yml": KEEPER}) as t:
            late = compare(pages, world, base, t, is_last)
            t.stop()
            return late


def compare(pages, world, base, t, is_last):
    until("both scrape everything", lambda: all(len(v) >= 3 for p in pages.values() for v in p.scraped.values()), 40)
    real = {"node": pages["node"].make(0), "prometheus": pages["prometheus"].make(0), "fleet": pages["fleet"].make(0)}
    home = {name: page for page, body in real.items() for name in re.findall(r"^([a-zA-Z_:][\w:]*)", body.decode(), re.M)}
    home["flaky_steps"] = "flaky"
    corpus, asked = {}, []
    docs, _ = documents()
    with open(SHARED + "/bench/rules.yml") as f:
        expressions(docs + list(yaml.safe_load_all(f)), corpus)
    for x in [*corpus, "flaky_steps", "absent(flaky_steps)", 'up{job="flaky"}', "up",
              'changes(up{job="flaky"}[1m])', 'count_over_time(flaky_steps[1m])', 'scrape_samples_scraped{job="flaky"}']:
        r = t.post("/api/v1/parse_query", urllib.parse.urlencode({"query": x}).encode(),
                   headers={"Content-Type": "application/x-www-form-urlencoded"})
        if r.status != 200:
            continue
        tree = r.json()["data"]
        world.add(tree, home)
        names = [n["name"] for n in walk(tree) if "matchers" in n]
        of_scrapes = {"up", "scrape_samples_scraped"} & set(names)  # only the flaky page's change, so its steps count
        asked.append((x, "flaky" if of_scrapes else next((home[n] for n in names if n in home), "world")))
    asked += [('count({job="%s",alertname=""})' % n, n) for n in pages]
    for p in pages.values():
        p.start()
    started = max(p.edge for p in pages.values())
    time.sleep(started + SECONDS - time.time())
    late = {n: len(p.late()) for n, p in pages.items() if p.late()}
    if late and not is_last:
        return late

    # Before the questions, which Prometheus shows as series of its own; one may still have scraped a page that the other has not.
    for _ in range(5):
        here, theirs = series_of(t.url, started), series_of(base, started)
        if here == theirs:
            break
        time.sleep(STEP)
    c = Comparison(base, t, pages)
    long = max(STEP, min(SECONDS, 300) // 2 // STEP * STEP)
    for i, (x, page) in enumerate(asked):
        for span in (0, long) if SECONDS >= 60 else (long * (i % 2),):  # a short run asks each one way
            c.one(x, page, span)
    for x in TIMED_ASKED:
        for span in (0, long):
            c.one(x, "timed", span)
    c.engine(os.path.join(t.dir, "samples.om"))
    both, single, unlike = c.samples(started)
    print(f"{SECONDS} s in steps of {STEP} s: {len(theirs)} series there, {len(here)} here; {both} samples in both stores, "
          f"{single} in one, {len(unlike)} unlike; late scrapes: {late}\n  {len(corpus)} expressions, {len(asked)} asked; equal: {c.verdicts} "
          f"({c.empty} of them empty); explained: {c.explained}; {len(c.wrong)} wrong")
    for x, why in c.wrong[:40]:
        print(f"    {' '.join(x.split())[:300]}\n        {why[:600]}")
    equal(unlike[:5], [], "samples")
    assert single == 0 or late, "samples are missing"
    equal(sorted(here - theirs)[:5], [], "series only here")
    equal(sorted(theirs - here)[:5], [], "series only there")
    assert not c.wrong
    assert len(asked) > 900 and sum(c.verdicts.values()) - c.empty > len(asked) / 2, "hardly anything was compared"


main()
