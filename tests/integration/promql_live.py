"""PromQL beside a live Prometheus 2.42: the compliance suite's queries over synthetic demo data, and random expressions
over random series. Samples lie off the grid, so that 2.42's closed windows and our left-open ones hold the same.

PROMQL_LIVE_RANDOM=20000 for a long run."""
import json, math, random, struct
from harness import *
from oracle import SHARED, differs, ours

RANDOM = int(os.environ.get("PROMQL_LIVE_RANDOM", "1500"))
START, SPAN, STEP = 1_700_000_000_000, 3_600_000, 15_000


class Recorder:
    """Series for both: (labels, [(ms, value)])."""

    def __init__(self):
        self.series = []

    def add(self, name, labels, values, every=STEP, shift=7):
        self.series.append(({"__name__": name, **labels},
                            [(START + i * every + shift, v) for i, v in enumerate(values) if v is not None]))

    def om(self, path):
        def quote(v):
            return '"' + v.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
        with open(path, "w") as f:
            for labels, samples in self.series:
                name = labels["__name__"]
                ls = ",".join(f"{k}={quote(v)}" for k, v in labels.items() if k != "__name__")
                f.writelines(f"{name}{{{ls}}} {number(v)} {t}\n" for t, v in samples)
        return path


def number(v):
    return "NaN" if math.isnan(v) else "+Inf" if v == math.inf else "-Inf" if v == -math.inf else repr(v)


def demo(r):
    rng = random.Random(1)
    n = SPAN // STEP
    for k, port in enumerate([10000, 10001, 10002]):
        at = {"instance": f"demo.promlabs.com:{port}", "job": "demo"}
        for i, kind in enumerate(["used", "free", "cached", "buffers"]):
            r.add("demo_memory_usage_bytes", {**at, "type": kind},
                  [1e9 * (i + 1) + 1e8 * math.sin(j / 20 + k) + rng.random() * 1e6 for j in range(n)])
        for i, mode in enumerate(["user", "system", "idle"]):
            total, v = 0.0, []
            for j in range(n):
                total = 0.0 if j == 120 + k else total + rng.random() * (i + 1)
                v.append(total)
            r.add("demo_cpu_usage_seconds_total", {**at, "mode": mode}, v)
        for method in ["GET", "POST"]:
            for path in ["/api/foo", "/api/bar"]:
                for status in ["200", "500"]:
                    counts = {le: 0.0 for le in ["0.0001", "0.001", "0.01", "0.1", "1", "+Inf"]}
                    v = {le: [] for le in counts}
                    sums = []
                    for j in range(n):
                        x = rng.expovariate(20)
                        sums.append((sums[-1] if sums else 0.0) + x)
                        for le in counts:
                            counts[le] += x <= float(le)
                            v[le].append(counts[le])
                    ls = {**at, "method": method, "path": path, "status": status}
                    for le in counts:
                        r.add("demo_api_request_duration_seconds_bucket", {**ls, "le": le}, v[le])
                    r.add("demo_api_request_duration_seconds_count", ls, v["+Inf"])
                    r.add("demo_api_request_duration_seconds_sum", ls, sums)
        r.add("demo_disk_usage_bytes", at, [1e11 + j * 1e7 * (k + 1) for j in range(n)])
        r.add("demo_disk_total_bytes", at, [2.6e11] * n)
        r.add("demo_num_cpus", at, [4.0] * n)
        r.add("demo_batch_last_success_timestamp_seconds", at, [(START + j * STEP) // 60000 * 60.0 for j in range(n)])
        r.add("demo_intermittent_metric", at, [None if j // 20 % 2 else 1.0 for j in range(n)])


def noise(r):
    """Counters with resets, gauges with gaps, NaN and Inf."""
    rng = random.Random(2)
    n = SPAN // STEP
    for name in ["c_total", "d_total"]:
        for a in "xyz":
            for b in "12":
                total, v = 0.0, []
                for j in range(n):
                    total = 0.0 if rng.random() < 0.01 else total + rng.randrange(20)
                    v.append(None if rng.random() < 0.05 else total)
                r.add(name, {"a": a, "b": b}, v, shift=7 + rng.randrange(500))
    for name in ["g", "h"]:
        for a in "xyw":
            for b in "12":
                v = [rng.choice([rng.gauss(0, 10), rng.gauss(0, 10), float(rng.randrange(-3, 4)), None]) for _ in range(n)]
                if a == "w":
                    v = [rng.choice([x, x, x, math.nan, math.inf, -math.inf]) if x is not None else None for x in v]
                r.add(name, {"a": a, "b": b}, v, shift=7 + rng.randrange(500))
    r.add("one", {}, [1.0 + j for j in range(n)])


class Expressions:
    """Random expressions of the subset in which 2.42 means what 3.14 means (promql-oracle.md 5)."""

    def __init__(self, seed):
        self.rng = random.Random(seed)

    def pick(self, *v):
        return self.rng.choice(v)

    def selector(self):
        s = self.pick("c_total", "d_total", "g", "h", "one", 'g{a="x"}', 'c_total{b!="1"}', 'h{a=~"x|y"}', 'd_total{a!~"z"}',
                      '{__name__=~"g|h",b="1"}')
        return s

    def range(self, extrapolates=False):
        return self.pick("1m", "90s", "5m", "7m30s")

    def modifiers(self):
        return self.pick("", "", "", "", " offset 1m", " offset -30s", " @ 1700001800", " @ end()")

    def scalar(self):
        return self.pick("2", "-1", "0.5", "0", "time()", "scalar(one)", "10", "3.7")

    def vector(self, d):
        if d <= 0:
            return self.selector() + self.modifiers()
        r = self.rng.random()
        v = self.vector(d - 1) if self.rng.random() < .8 else self.vector(0)
        if r < .2:
            f = self.pick("rate", "increase", "delta", "irate", "idelta", "deriv", "changes", "resets", "avg_over_time",
                          "sum_over_time", "min_over_time", "max_over_time", "count_over_time", "last_over_time",
                          "present_over_time", "absent_over_time", "stddev_over_time", "stdvar_over_time")
            return f"{f}({self.selector()}[{self.range()}]{self.modifiers()})"
        if r < .24:
            return self.pick(f"quantile_over_time({self.pick('0.1', '0.9', '0.5')}, {self.selector()}[{self.range()}])",
                             f"predict_linear({self.selector()}[{self.range()}], {self.pick('60', '3600')})")
        if r < .42:
            return f"{self.pick('abs', 'ceil', 'floor', 'exp', 'sqrt', 'ln', 'sgn', 'log2', 'log10', 'sin', 'cos', 'atan', 'tanh', 'deg', 'rad', 'timestamp', 'minute', 'hour', 'day_of_week', 'month', 'sort', 'absent')}({v})"
        if r < .5:
            return self.pick(f"clamp({v}, -5, {self.scalar()})", f"clamp_min({v}, {self.scalar()})", f"clamp_max({v}, {self.scalar()})",
                             f"round({v}, {self.pick('1', '5', '0.1')})", f'label_replace({v}, "a", "$1-$1", "b", "(.*)")',
                             f'label_join({v}, "j", "-", "a", "b")', f"-({v})", f"vector({self.scalar()})")
        if r < .7:
            by = self.pick("", " by (a)", " by (b)", " without (a)", " by (a, b)", " without (b)", " by ()")
            op = self.pick("sum", "min", "max", "avg", "count", "group", "stddev", "stdvar", "topk(2", "bottomk(2", "quantile(0.3", 'count_values("v"')
            arg = ", " if "(" in op else ""
            return f"{op.split('(')[0]}{by}({op.split('(')[1] + arg if arg else ''}{v})"
        if r < .85:
            op = self.pick("+", "-", "*", "/", "%", "^", "==", "!=", ">", "<", ">=", "<=", "> bool", "== bool")
            return self.pick(f"({v}) {op} {self.scalar()}", f"{self.scalar()} {op} ({v})")
        w = self.vector(d - 1)
        op = self.pick("+", "-", "*", "/", "==", "!=", ">", "<", "and", "or", "unless", "> bool")
        on = self.pick("", " on (a, b)", " ignoring (j)", " on (a) group_left", " on (b) group_right")
        if op in ("and", "or", "unless"):
            on = self.pick("", " on (a)", " ignoring (b)", " on ()")
        if op in ("==", "!=", ">", "<") and "group" in on:
            on = " on (a, b)"
        return f"({v}) {op}{on} ({w})"


# What 2.42 does otherwise (promql-oracle.md 3, 4): named by what shows in the expression.
def known(expr, theirs, ours):
    if "error" in theirs and "unknown function" in theirs["error"]:
        return "functions newer than 2.42"
    if "error" in ours and "error" not in theirs and any(o in expr for o in ["==", "!=", ">", "<"]) and "must be" in ours["error"]:
        return "many-to-one checks of filters, since 3.9"
    if any(w in expr for w in ["stddev", "stdvar", "avg", "sum"]) and ("w" in expr or "{" not in expr):
        return "NaN and Inf in stddev, stdvar, avg and sum"
    if "[1h]" in expr and ("rate" in expr or "increase" in expr):
        return "extrapolation near the start of a counter, since 2.51"
    if re.search(r"(rate|increase)\((g|h|\{)", expr):
        return "extrapolation of sparse small values to zero, since 2.51"
    if "count_values" in expr:
        return "last digits of functions, as text"
    if "topk" in expr or "bottomk" in expr:
        return "which NaN comes first"
    if any(f + "(" in expr for f in ["minute", "hour", "day_of_week", "month"]):
        return "dates of NaN and Inf: there the conversion of the processor, here NaN"
    if any(f + "(" in expr for f in ["sin", "cos"]) and "^" in expr:
        return "sines of huge numbers that differ in the last bit"
    if "atan2" in expr or "label_replace" in expr or "label_join" in expr:
        return "names that are dropped late or early"
    return None


class Live:
    def __init__(self, d, recorder):
        config = write(d + "/prometheus.yml", "storage: {tsdb: {out_of_order_time_window: 20000d}}\n")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.p = Process([peer("prometheus"), "--config.file=" + config, "--storage.tsdb.path=" + d + "/db",
                          "--storage.tsdb.retention.time=100y", f"--web.listen-address=127.0.0.1:{self.port}",
                          "--web.enable-remote-write-receiver", "--log.level=error"])
        until("Prometheus is ready", self.ready, 20)
        for i in range(0, len(recorder.series), 50):
            self.send(recorder.series[i:i + 50])

    def ready(self):
        try:
            return request("GET", self.url + "/-/ready", timeout=1).status == 200
        except OSError:
            return False

    def send(self, series):
        def varint(n):
            out = b""
            while n > 127:
                out, n = out + bytes([n & 127 | 128]), n >> 7
            return out + bytes([n])

        def field(no, data):
            return varint(no << 3 | 2) + varint(len(data)) + data
        body = b""
        for labels, samples in series:
            ts = b"".join(field(1, field(1, k.encode()) + field(2, v.encode())) for k, v in sorted(labels.items()))
            ts += b"".join(field(2, b"\x09" + struct.pack("<d", v) + b"\x10" + varint(t)) for t, v in samples)
            body += field(1, ts)
        packed = varint(len(body))
        for k in range(0, len(body), 65536):
            piece = body[k:k + 65536]
            packed += bytes([61 << 2]) + struct.pack("<H", len(piece) - 1) + piece
        r = request("POST", self.url + "/api/v1/write", packed, {
            "Content-Encoding": "snappy", "Content-Type": "application/x-protobuf", "X-Prometheus-Remote-Write-Version": "0.1.0"})
        assert r.status in (200, 204), r.body

    def ask(self, start, end, step, expr):
        form = {"query": expr, "time": start / 1000} if step == 0 else \
            {"query": expr, "start": start / 1000, "end": end / 1000, "step": step / 1000}
        r = request("POST", self.url + ("/api/v1/query" if step == 0 else "/api/v1/query_range"),
                    urllib.parse.urlencode(form).encode(), {"Content-Type": "application/x-www-form-urlencoded"}, timeout=30).json()
        return r["data"] if r["status"] == "success" else {"error": r["error"]}


def compare(live, data, questions, tolerance, what):
    equal_ones, explained, refused, unexplained = 0, {}, 0, []
    planned, plain = ours(data, questions), ours(data, questions, "--reference")
    for q, a, b in zip(questions, planned, plain):
        theirs = live.ask(*q)
        if "error" in a or "error" in b:
            equal("error" in a, "error" in b, f"{q}: planner {a}, plain {b}")
        elif differs(a, b, 1e-9):
            unexplained.append((q[3], "planner / plain: " + differs(a, b, 1e-9)))
        if "error" in theirs and "error" in a:
            refused += 1
            continue
        why = f"{theirs.get('error')} / {a.get('error')}" if "error" in theirs or "error" in a else differs(theirs, a, tolerance)
        if why is None:
            equal_ones += 1
            continue
        name = known(q[3], theirs, a)
        if name:
            explained[name] = explained.get(name, 0) + 1
        else:
            unexplained.append((q[3], why))
    print(f"{what}: {equal_ones} equal, {refused} refused by both, {sum(explained.values())} explained {explained}, "
          f"{len(unexplained)} unexplained")
    for x, why in unexplained[:15]:
        print("   ", x, "\n       ", why[:300])
    assert not unexplained


def test_compliance():
    path = SHARED + "/conformance/compliance/promql-queries-expanded.tsv"
    if not os.path.exists(path):
        raise Skip("no conformance data")
    end = START + SPAN - 720_000
    questions = [(end - 600_000, end, 10_000, line.rstrip("\n").split("\t", 1)[1]) for line in open(path)]
    with folder() as d:
        r = Recorder()
        demo(r)
        live = Live(d, r)
        with live.p:
            compare(live, r.om(d + "/data.om"), questions, 1e-5, "compliance")


def test_random():
    with folder() as d:
        r = Recorder()
        noise(r)
        live = Live(d, r)
        x = Expressions(int(os.environ.get("PROMQL_LIVE_SEED", "1")))
        questions = []
        for i in range(RANDOM):
            at = START + 600_000 + x.rng.randrange(2400) * 1000
            questions.append((at, at + 300_000, x.pick(0, 0, 30_000), x.vector(x.rng.randrange(4))))
        with live.p:
            compare(live, r.om(d + "/data.om"), questions, 1e-6, "random")


main()
