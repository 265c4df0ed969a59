#!/usr/bin/env python3
"""The cases of prometheus/compliance's alert_generator against a live tocsin, all at once, with every duration divided.

    alert_generator_live.py [--scale 10] [--until 6m]

An exporter plays the samples, one a scrape; tocsin scrapes it, evaluates the published rules, forwards the alerts as
Prometheus does and notifies a webhook. What /api/v1/alerts, /api/v1/rules, ALERTS, the forwarded alerts and the webhook say
must be what the cases publish for that time. The tolerance is the suite's: a group interval and two round trips of 5 s,
divided like the rest. Resend delay and resolved retention are constants and are not divided. --until ends early, in the
suite's own time. Exit code 77 without the published cases.
"""
import argparse, datetime, http.server, sys, os
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))
from harness import *

FOLDER = os.path.join(os.environ.get("TOCSIN_SHARED", os.path.join(SOURCE, "../shared")), "conformance/compliance")
METRIC = "alert_generator_test_suite"
POLL, RESEND, ROUND_TRIPS = 0.25, 60.0, 10.0
INACTIVE, PENDING, FIRING = "inactive", "pending", "firing"


def seconds(text):
    """A Prometheus duration; "second evaluation after 2m" is an interval later than 2m."""
    if text.startswith("second evaluation after "):
        return seconds(text.rsplit(" ", 1)[1]) + 30
    return sum(float(n) * {"h": 3600, "m": 60, "s": 1}[u] for n, u in re.findall(r"(\d+)([hms])", text))


def samples(items):
    out = []
    for text in map(str, items):
        step, _, count = text.partition("x")
        out += [out[-1] + float(step) * (i + 1) for i in range(int(count))] if count else [float(text)]
    return out


class Stream:
    """One alert of a rule over time. Times are the suite's."""

    def __init__(self, rule, labels, values, edges, texts):
        self.rule, self.values = rule, values
        edges = sorted(edges)
        self.edges = [e for i, e in enumerate(edges) if i == 0 or e[1] != edges[i - 1][1]]  # else only its value changes
        self.labels = {**labels, "alertname": rule["alert"], **rule["labels"]}
        self.annotations = {**rule.get("annotations", {}), **texts}
        self.seen = {}  # edge -> how late it was first seen

    def state(self, t):
        return next((s for at, s in reversed(self.edges) if at <= t), INACTIVE)

    def texts(self, t, value):
        number = f"{value:g}"
        out = {k: v.replace("{{$value}}", number).replace("{{.Value}}", number) for k, v in self.annotations.items()}
        out.update({k[:-len(tail)]: out.pop(k) for tail in ("_before_7m", "_after_7m") for k in list(out) if k.endswith(tail)
                    and (tail == "_before_7m") == (t < 420)})
        return {k: v for k, v in out.items() if not k.endswith(("_before_7m", "_after_7m"))}

    def began(self, t):
        """When the activation that holds at t began."""
        at = None
        for when, state in self.edges:
            if when <= t:
                at = None if state == INACTIVE else when if at is None else at
        return at

    def spans(self, state):
        ends = [e[0] for e in self.edges[1:]] + [float("inf")]
        return [(at, end) for (at, s), end in zip(self.edges, ends) if s == state]


class Suite:
    def __init__(self, yaml):
        with open(os.path.join(FOLDER, "alert_generator-cases.yaml")) as f:
            cases = yaml.safe_load(f)["cases"]
        with open(os.path.join(FOLDER, "alert_generator-rules.yaml")) as f:
            self.rules_text = f.read()
        self.groups = yaml.safe_load(self.rules_text)["groups"]
        rules = {r["alert"]: r for g in self.groups for r in g["rules"]}
        self.series, self.streams = [], []  # (labels, values); Stream
        for case in cases:
            first = None
            for r in case["rules"]:
                self._add_rule(case["group"], r, rules[r["name"]], first)
                first = first or r.get("samples")
            for h in case.get("helper_series", []):
                self.series.append(({"rulegroup": case["group"], **{k: str(v) for k, v in h["labels"].items()}}, samples(h["samples"])))

    def _add_rule(self, group, case, rule, first):
        own = {"rulegroup": group, "alertname": rule["alert"]}
        texts = case.get("expected_annotations", {})
        for one in case.get("series", []):
            values = samples(one["samples"])
            self.series.append(({**own, **one["labels"]}, values))
            self.streams.append(Stream(rule, one["labels"], values,
                                       [(seconds(one[s]), s) for s in (PENDING, FIRING, INACTIVE)], texts))
        if "series" in case:
            return
        edges = [(seconds(e["t"]), e["state"]) for e in case["edges"]]
        if "samples" in case:
            values = samples(case["samples"] if isinstance(case["samples"], list) else first)
            self.series.append((own, values))
            self.streams.append(Stream(rule, {}, values, edges, texts))
        else:  # over ALERTS
            self.streams.append(Stream(rule, {"alertstate": "firing"}, None, edges, {
                "description": "Based on ALERTS. Old alertname was NewAlerts_OrderCheck_Rule1. foo was bar."}))

    def text(self, scale):
        """The rule file with its durations divided; what stands in expressions and templates stays."""
        return re.sub(r"(?m)^(\s*(?:for|interval): )(\w+)$",
                      lambda m: m.group(1) + "%dms" % (seconds(m.group(2)) * 1000 / scale), self.rules_text)

    def length(self):
        return max(len(s.values) for s in self.streams if s.values) * 15.0


class Player:
    """The exporter, and the place where forwarded alerts and notifications arrive."""

    def __init__(self, suite, scale):
        player = self
        self.suite, self.step, self.t0 = suite, 15.0 / scale, None
        self.forwarded, self.notified = [], []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self._answer(player.page())

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                (player.notified if self.path == "/hook" else player.forwarded).append((time.time(), body))
                self._answer("")

            def _answer(self, text):
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = "127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def page(self):
        now = time.time()
        self.t0 = self.t0 or now
        i = round((now - self.t0) / self.step)
        put = lambda ls: ",".join('%s="%s"' % x for x in ls.items())
        return "".join("%s{%s} %g\n" % (METRIC, put(ls), v[i]) for ls, v in self.suite.series if i < len(v))


class Checks:
    def __init__(self):
        self.done, self.failed, self.kinds = 0, [], {}

    def __call__(self, kind, ok, what):
        self.done += 1
        n = self.kinds.setdefault(kind, [0, 0])
        n[not ok] += 1
        if not ok:
            self.failed.append(f"{kind}: {what}")


def parse_time(text):
    return datetime.datetime.fromisoformat(re.sub(r"(\.\d{1,6})\d*", r"\1", text).replace("Z", "+00:00")).timestamp()


class Run:
    def __init__(self, suite, scale, until_):
        self.suite, self.scale, self.until = suite, scale, until_
        self.tolerance = 30.0 + ROUND_TRIPS  # suite time
        self.check = Checks()
        self.player = Player(suite, scale)

    def config(self):
        a = self.player.address
        return f"""
global: {{scrape_interval: {int(15000 / self.scale)}ms, scrape_timeout: 1s, external_labels: {{}}}}
rule_files: [rules.yml]
scrape_configs:
  - job_name: suite
    honor_labels: true
    metric_relabel_configs: [{{action: labeldrop, regex: job|instance}}]
    static_configs: [{{targets: ['{a}']}}]
route: {{receiver: hook, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: 'http://{a}/hook'}}]}}]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{a}']}}]}}]}}
"""

    def go(self):
        with folder() as d, Tocsin(self.config(), d, files={"rules.yml": self.suite.text(self.scale)}) as t:
            until("the first scrape", lambda: self.player.t0, 30)
            end = self.player.t0 + self.until / self.scale
            while time.time() < end:
                began = time.time()
                self.poll(t)
                time.sleep(max(0.0, POLL - (time.time() - began)))
            self.cpu = t.metric("process_cpu_seconds_total")
            self.missed = sum(t.metric("prometheus_rule_group_iterations_missed_total", rule_group="%s;%s" % (os.path.join(d, "rules.yml"), g["name"])) or 0
                              for g in self.suite.groups)
            t.stop()
        self.check_forwarded()
        self.check_notified()

    def window(self, began, now):
        """The suite's times that an answer may tell of: asked at began, here at now."""
        return (began - self.player.t0) * self.scale - self.tolerance, (now - self.player.t0) * self.scale + 1

    def allowed(self, s, window):
        lo, hi = window
        points = [lo, hi] + [at for at, _ in s.edges if lo < at <= hi]
        return {s.state(p) for p in points}

    def values(self, s, window):
        if s.values is None:
            return {2.0}
        first, last = max(0, int(window[0] // 15)), max(0, int(window[1] // 15))
        return set(s.values[first:last + 1]) or {s.values[-1]}

    # -- the API --

    def poll(self, t):
        def ask(path):
            began = time.time()
            data = t.get(path).json()
            equal(data["status"], "success", path)
            return self.window(began, time.time()), data["data"]

        window, data = ask("/api/v1/alerts")
        self.check_alerts("alerts", window, data["alerts"])
        window, data = ask("/api/v1/rules")
        self.check_rules(window, data["groups"])
        window, data = ask("/api/v1/query?query=ALERTS")
        self.check_series(window, data["result"])

    def check_alerts(self, kind, window, alerts):
        left = {json.dumps(a["labels"], sort_keys=True): a for a in alerts}
        for s in self.suite.streams:
            a = left.pop(json.dumps(s.labels, sort_keys=True), None)
            self.check_alert(kind, s, window, a)
        self.check(kind, not left, f"unknown alerts: {list(left)}")

    def check_alert(self, kind, s, window, a):
        allowed, where = self.allowed(s, window), f"{s.rule['alert']} {s.labels.get('variant', '')} at {window[1]:.0f}s"
        got = a["state"] if a else INACTIVE
        self.check(kind, got in allowed, f"{where}: {got}, not {allowed}")
        for at, state in s.edges:
            if state == got and window[0] < at <= window[1]:
                s.seen.setdefault(at, window[1] - 1 - at)
        if a is None or got not in allowed:
            return
        values = self.values(s, window)
        self.check(kind, float(a["value"]) in values, f"{where}: value {a['value']}, not {values}")
        texts = [s.texts(p, v) for v in values for p in window]
        self.check(kind, a["annotations"] in texts, f"{where}: {a['annotations']}")
        began = {s.began(p) for p in window} | {at for at, state in s.edges if window[0] < at <= window[1]}
        active = (parse_time(a["activeAt"]) - self.player.t0) * self.scale
        self.check(kind, any(b is not None and b - 1 <= active <= b + self.tolerance for b in began),
                   f"{where}: activeAt {active:.0f}s, not after {began}")

    def check_rules(self, window, groups):
        equal([g["name"] for g in groups], [g["name"] for g in self.suite.groups])
        rank = [INACTIVE, PENDING, FIRING]
        for got, g in zip(groups, self.suite.groups):
            self.check("rules", abs(got["interval"] - 30 / self.scale) < 1e-9, f"interval {got['interval']}")
            last = (parse_time(got["lastEvaluation"]) - self.player.t0) * self.scale
            self.check("rules", window[1] < 60 or last >= window[0] - 30, f"{g['name']}: last evaluated at {last:.0f}s")
            for r, wanted in zip(got["rules"], g["rules"]):
                streams = [s for s in self.suite.streams if s.rule is wanted]
                points = [p for p in window] + [at for s in streams for at, _ in s.edges if window[0] < at <= window[1]]
                states = {max((s.state(p) for s in streams), key=rank.index) for p in points}
                where = f"{wanted['alert']} at {window[1]:.0f}s"
                # what a rule says between two of its edges depends on which of its alerts moved first
                states |= {max((q for s in streams for q in self.allowed(s, window)), key=rank.index)}
                if last > 0:
                    self.check("rules", r["state"] in states, f"{where}: {r['state']}, not {states}")
                    self.check("rules", r["health"] == "ok", f"{where}: {r['health']} {r.get('lastError')}")
                # Prometheus 3 prints matchers without a blank behind the comma, and "ignoring (x)" with one
                self.check("rules", r["query"].replace(" ", "") == wanted["expr"].replace(" ", ""), f"{where}: {r['query']}")
                self.check("rules", abs(r["duration"] - seconds(wanted.get("for", "0s")) / self.scale) < 1e-9, f"{where}: for {r['duration']}")
                for a in r["alerts"]:
                    s = next((s for s in streams if s.labels == a["labels"]), None)
                    self.check("rules", s is not None, f"{where}: {a['labels']}")
                    if s is not None:
                        self.check_alert("rules", s, window, a)

    def check_series(self, window, result):
        left = {}
        for x in result:
            labels = {k: v for k, v in x["metric"].items() if k != "__name__"}
            s = next((s for s in self.suite.streams if self.is_series_of(s, labels)), None)
            self.check("ALERTS", s is not None and float(x["value"][1]) == 1, f"{labels} {x['value']}")
            if s is not None:
                left.setdefault(id(s), set()).add(self.state_of(s, labels))
        for s in self.suite.streams:
            allowed, got = self.allowed(s, window), left.get(id(s), {INACTIVE})
            self.check("ALERTS", got <= allowed, f"{s.rule['alert']} at {window[1]:.0f}s: {got}, not {allowed}")

    @staticmethod
    def is_series_of(s, labels):
        drop = lambda ls: {k: v for k, v in ls.items() if k != "alertstate"}
        return drop(s.labels) == drop(labels)

    @staticmethod
    def state_of(s, labels):
        return labels["alertstate"]

    # -- what arrived --

    def times(self, t):
        return (t - self.player.t0) * self.scale

    def check_forwarded(self):
        """Each alert as soon as it fires and each RESEND after that, with an end four resend delays away; its end likewise."""
        tolerance = self.tolerance
        got = [(at, a) for at, body in self.player.forwarded for a in body]
        for s in self.suite.streams:
            mine = [(at, a) for at, a in got if a["labels"] == s.labels]
            for began, ended in s.spans(FIRING):
                self.check_span(s, "forwarded", mine, began, min(ended, self.until))
            for at, a in mine:
                t, ends = self.times(at), parse_time(a["endsAt"])
                states = self.allowed(s, (t - tolerance, t + 1))
                self.check("forwarded", (FIRING if ends > at else INACTIVE) in states, f"{s.rule['alert']} at {t:.0f}s, ends at {a['endsAt']}")
                if ends > at:
                    self.check("forwarded", abs(ends - at - 4 * RESEND) <= tolerance / self.scale, f"{s.rule['alert']} at {t:.0f}s: endsAt {ends - at:.1f}s away")
                    fired = self.times(parse_time(a["startsAt"]))
                    self.check("forwarded", any(b - 1 <= fired <= b + tolerance for b, _ in s.spans(FIRING)), f"{s.rule['alert']}: startsAt {fired:.0f}s")
        known = [s.labels for s in self.suite.streams]
        self.check("forwarded", all(a["labels"] in known for _, a in got), "alerts that no case has")

    def check_span(self, s, kind, mine, began, ended):
        if began + self.tolerance > self.until:
            return
        firing = [self.times(at) for at, a in mine if parse_time(a["endsAt"]) > at and began - 1 <= self.times(at) <= ended + self.tolerance]
        where = f"{s.rule['alert']} {s.labels.get('variant', '')} firing from {began:.0f}s"
        self.check(kind, bool(firing) and firing[0] <= began + self.tolerance, f"{where}: first sent at {firing[:1]}")
        gap = RESEND * self.scale + self.tolerance
        self.check(kind, all(b - a <= gap for a, b in zip(firing, firing[1:] + [ended])), f"{where}: sent at {firing}")
        if ended + self.tolerance <= self.until:
            over = [self.times(at) for at, a in mine if parse_time(a["endsAt"]) <= at and ended - 1 <= self.times(at) <= ended + self.tolerance]
            self.check(kind, bool(over), f"{where}: its end at {ended:.0f}s is not sent")

    def check_notified(self):
        got = {}
        for at, body in self.player.notified:
            for a in body["alerts"]:
                got.setdefault(json.dumps(a["labels"], sort_keys=True), []).append((self.times(at), a["status"]))
        slack = self.tolerance + self.scale * 1.0  # group_interval
        for s in self.suite.streams:
            mine = got.pop(json.dumps(s.labels, sort_keys=True), [])
            wanted = [(at, "firing" if state == FIRING else "resolved") for i, (at, state) in enumerate(s.edges)
                      if state == FIRING or (state == INACTIVE and i > 0 and s.edges[i - 1][1] == FIRING)]
            sure = [w for w in wanted if w[0] + slack <= self.until]
            where = f"{s.rule['alert']} {s.labels.get('variant', '')}"
            self.check("webhook", len(sure) <= len(mine) <= len(wanted), f"{where}: {mine}, not {wanted}")
            for (at, status), (t, got_status) in zip(wanted, mine):
                self.check("webhook", status == got_status and at - 1 <= t <= at + slack, f"{where}: {got_status} at {t:.0f}s, not {status} at {at:.0f}s")
        self.check("webhook", not got, f"unknown alerts: {list(got)}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--scale", type=float, default=10)
    p.add_argument("--until", type=seconds, default=None, help="end after so long, in the suite's time (6m)")
    flags = p.parse_args()
    try:
        import yaml
    except ImportError:
        yaml = None
    if yaml is None or not os.path.exists(os.path.join(FOLDER, "alert_generator-cases.yaml")):
        print("the published cases, or Python's yaml, are missing")
        sys.exit(1 if os.environ.get("CI") == "true" else 77)
    suite = Suite(yaml)
    run = Run(suite, flags.scale, flags.until or suite.length())
    run.go()
    late = [x for s in suite.streams for x in s.seen.values()]
    print(f"{run.until:.0f} s of the suite in {run.until / run.scale:.0f} s, {len(late)} edges seen, at most {max(late, default=0):.0f} s "
          f"late in the suite's time (tolerance {run.tolerance:.0f} s); {run.cpu} s of CPU, {run.missed:.0f} evaluations missed")
    for kind, (ok, bad) in run.check.kinds.items():
        print(f"{kind:10} {ok} passed, {bad} failed")
    for text in run.check.failed[:40]:
        print("FAILED", text)
    sys.exit(bool(run.check.failed))


main()
