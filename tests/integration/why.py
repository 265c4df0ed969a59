"""Why a rule is silent: its parts over our own store and over Debian's Prometheus, in words and as JSON, and what goes wrong meanwhile."""
import http.server, json, subprocess, threading
from harness import *

RULES = """
groups:
- name: silent
  interval: 1s
  rules:
  - {alert: Works, expr: 'sum by (job) (rate(shop_orders_total{code="200"}[10s])) > 0'}
  - {alert: Waits, expr: 'shop_queue > 5', for: 1h}
  - {alert: Job, expr: 'shop_up{job="shop-api"} == 0'}
  - {alert: Name, expr: 'rate(shop_order_total[10s]) > 1'}
  - {alert: Label, expr: 'shop_queue{cluster="prod"} > 1'}
  - {alert: Code, expr: 'rate(shop_orders_total{code=~"5.."}[10s]) > 0'}
  - {alert: Threshold, expr: 'shop_queue > 7000'}
  - {alert: Window, expr: 'rate(shop_orders_total[1ms]) > 0'}
  - {alert: Buckets, expr: 'histogram_quantile(0.9, sum by (job) (rate(shop_latency_bucket[10s]))) > 0.5'}
  - {alert: Join, expr: 'shop_queue * on (node) shop_limit > 0'}
  - {alert: Pair, expr: 'shop_queue{node="n1"} > on () shop_limit'}
  - {alert: Absent, expr: 'absent(shop_queue)'}
  - {record: Job, expr: 'shop_up{job="none"}'}
  - alert: Says
    expr: shop_queue > 7000
    labels: {severity: critical}
    annotations: {summary: '{{ $labels.node }}: {{ $value }} of {{ with query "sum(shop_queue)" }}{{ . | first | value }}{{ end }}', zh: 队列}
  - {alert: SaysNow, expr: 'shop_queue{node="n1"} > 5', annotations: {summary: '{{ $labels.node }} {{ $value }}'}}
  - {alert: SaysLittle, expr: 'shop_down{job="a", zone=~"z.*"} > 5', annotations: {summary: '{{ $labels.job }}-{{ $labels.zone }}', bad: '{{ .nothing }}'}}
"""
# alert: reason, label, wanted, nearest
CAUSES = {"Job": ("no_value", "job", "shop-api", "shop_api"), "Name": ("no_metric", "__name__", "shop_order_total", "shop_orders_total"),
          "Label": ("no_label", "cluster", "prod", ""), "Code": ("no_value", "code", "5..", None), "Threshold": ("comparison", "", "", ""),
          "Window": ("window", "", "", ""), "Buckets": ("no_buckets", "le", "", ""), "Join": ("join", "node", "n1", "N1"),
          "Pair": ("comparison", "", "", ""), "Absent": ("present", "", "", "")}


class Exporter:
    def __enter__(self):
        this = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                this.n += 1
                body = f'''# TYPE shop_orders_total counter
shop_orders_total{{code="200"}} {this.n * 5}
shop_orders_total{{code="404"}} {this.n}
shop_up 1
shop_queue{{node="n1"}} 7
shop_queue{{node="n2"}} 3
shop_limit{{node="N1"}} 100
# TYPE shop_latency histogram
shop_latency_bucket{{le="1"}} {this.n}
shop_latency_bucket{{le="+Inf"}} {this.n * 2}
shop_latency_sum {this.n}
shop_latency_count {this.n * 2}
'''.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *a):
                pass

        self.n = 0
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *a):
        self.server.shutdown()
        self.server.server_close()


def asked(t, name):
    got = t.get("/api/v2/explain?rule=" + name)
    equal(got.status, 200, got.body)
    return got.json()["rules"]


def cli(t, *args, code=0):
    p = subprocess.run([PROGRAM, *args, "--url=" + t.url], capture_output=True, text=True, timeout=20)
    equal(p.returncode, code, f"tocsin {' '.join(args)}: {p.stdout}{p.stderr}")
    return p.stdout + p.stderr


def check_causes(t):
    """Each rule's cause, at the latest when what nobody selected has been scraped once more."""
    def right(name, wanted):
        c = (asked(t, name)[0]["causes"] or [{}])[0]
        got = tuple(c.get(k) for k in ("reason", "label", "wanted", "nearest"))
        return all(w is None or w == g for w, g in zip(wanted, got)) or print(name, got) or None

    for name, wanted in CAUSES.items():
        until(f"the cause of {name}: {wanted}", lambda: right(name, wanted), 10, 0.5)
    c = asked(t, "Threshold")[0]["causes"][0]
    equal((c["value"], c["threshold"], c["left"]), (7, 7000, 2))
    c = asked(t, "Join")[0]["causes"][0]
    equal((c["left"], c["right"]), (2, 1))
    works = until("it fires", lambda: next(iter([r for r in asked(t, "Works") if r["state"] == "firing"]), None))
    equal((works["causes"], [p["series"] for p in works["parts"]]), ([], [1, 1, 1, 1]))
    waits = asked(t, "Waits")[0]
    equal((waits["state"], len(waits["alerts"]), waits["alerts"][0]["value"], waits["active"]), ("pending", 1, 7, 1))
    assert waits["alerts"][0]["firesAt"] > waits["alerts"][0]["activeAt"], waits
    equal([r["type"] for r in asked(t, "Job")], ["alerting", "recording"])
    said = [asked(t, name)[0]["wouldSay"] for name in ("Says", "SaysNow", "SaysLittle")]
    equal([(w["basis"], w["value"], w["annotations"]) for w in said[:2]],
          [("nearest", 7, {"summary": "n1: 7 of 10", "zh": "队列"}), ("result", 7, {"summary": "n1 7"})])
    equal((said[0]["labels"]["node"], said[0]["labels"]["severity"]), ("n1", "critical"))
    equal((said[2]["basis"], said[2]["labels"], said[2]["annotations"]["summary"]), ("selectors", {"job": "a"}, "a-"))
    assert "error expanding template" in said[2]["annotations"]["bad"], said[2]
    assert "wouldSay" not in asked(t, "Job")[1], "a record says nothing"


def test_own_store():
    with folder() as d, Exporter() as e:
        write(d + "/rules.yml", RULES)
        config = f"""global: {{scrape_interval: 1s}}
scrape_configs: [{{job_name: shop_api, static_configs: [{{targets: ['{e.address}']}}]}}]
rule_files: ['{d}/rules.yml']
route: {{receiver: r}}
receivers: [{{name: r}}]
"""
        with Tocsin(config, d) as t:
            until("rules ran", lambda: asked(t, "Works")[0]["series"] == 1)
            check_causes(t)
            text = cli(t, "explain", "rule", "Job")
            assert 'job="shop-api" selects nothing: job=shop_api has 1' in text and "why nothing comes of it" in text, text
            text = cli(t, "explain", "alert", "Threshold")
            assert "max 7, threshold 7000" in text, text
            text = cli(t, "explain", "rule", "Says")
            assert "what it would say of the nearest value" in text and "    summary: n1: 7 of 10\n" in text, text
            text = cli(t, "explain", "rule", "Waits")
            assert "pending" in text and ", fires " in text and "(in 59m" in text, text
            assert 'there is no rule "Thresold"; there is "Threshold"' in cli(t, "explain", "rule", "Thresold", code=1).replace('\\"', '"')
            cli(t, "explain", "alert", "Nobody", code=1)
            equal(t.get("/api/v2/explain?rule=%20").status, 404)
            # up is kept whoever asks
            equal(len(t.get("/api/v1/query?query=up").json()["data"]["result"]), 1)


def test_prometheus():
    with folder() as d, Exporter() as e, Prometheus(d, [e.address]) as p:
        write(d + "/rules.yml", RULES.replace("shop_api", "node").replace("shop-api", "nodes"))
        config = f"""sources: [{{name: prometheus, url: '{p.url}'}}]
rule_files: ['{d}/rules.yml']
route: {{receiver: r}}
receivers: [{{name: r}}]
"""
        causes = dict(CAUSES)
        CAUSES["Job"] = ("no_value", "job", "nodes", "node")
        try:
            with Tocsin(config, d) as t:
                until("rules ran", lambda: asked(t, "Works")[0]["series"] == 1, 20)
                check_causes(t)
                # many at once, some of whom leave, a reload, and the source gone: every question has an end
                threads = [threading.Thread(target=lambda: [asked(t, "Buckets") for _ in range(5)]) for _ in range(4)]
                for x in threads:
                    x.start()
                for _ in range(10):
                    with socket.create_connection(("127.0.0.1", int(t.address.rsplit(":", 1)[1]))) as s:
                        s.sendall(b"GET /api/v2/explain?rule=Join HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
                t.post("/-/reload", b"")
                for x in threads:
                    x.join()
                p.kill()
                until("it is said", lambda: "cannot" in asked(t, "Job")[0]["error"] or print(asked(t, "Job")[0]["error"]), 20)
                with socket.create_connection(("127.0.0.1", int(t.address.rsplit(":", 1)[1]))) as s: # the stop does not wait for it
                    s.sendall(b"GET /api/v2/explain?rule=Join HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
        finally:
            CAUSES.update(causes)


def test_trial():
    """A rule on trial is evaluated, recorded and explained, and nobody is told; without the comment they are."""
    rules = """groups:
- name: g
  interval: 1s
  rules:
  # would this be too much?
  # tocsin: trial
  - {alert: Tried, expr: 'shop_queue > 5', labels: {severity: page}}
  - {alert: Real, expr: 'shop_queue > 5'}
# tocsin: trial
- name: all
  interval: 1s
  rules: [{alert: AlsoTried, expr: 'shop_up == 1'}, {alert: Never, expr: 'shop_up == 2'}]
- name: other
  interval: 1s
  rules: [{record: seen, expr: 'ALERTS{alertname="Tried"}'}]
"""
    with folder() as d, Exporter() as e, Sink() as s:
        config = simple(s, more=f"""global: {{scrape_interval: 1s}}
scrape_configs: [{{job_name: shop, static_configs: [{{targets: ['{e.address}']}}]}}]
rule_files: [rules.yml]
""")
        with Tocsin(config, d, files={"rules.yml": rules}) as t:
            told = lambda: {a["labels"]["alertname"] for r in s.got for a in r.json()["alerts"]}
            until("the real one is told", lambda: told())
            until("it is recorded", lambda: t.get("/api/v1/query?query=seen").json()["data"]["result"])
            report = lambda: t.get("/api/tocsin/trial_rules").json()["rules"]
            until("they have fired", lambda: [(r["alert"], r["fired"], r["firing"]) for r in report()] == [("Tried", 1, 1), ("AlsoTried", 1, 1), ("Never", 0, 0)])
            assert all(r["receivers"] for r in report()), report()
            text = cli(t, "trial", "report")
            assert "Tried: fired 1 time, " in text and "Never: has not fired; would tell" in text, text
            assert "on trial" in cli(t, "explain", "rule", "Tried")
            r, = [r for g in t.get("/api/v1/rules").json()["data"]["groups"] for r in g["rules"] if r["name"] == "Tried"]
            assert r["trial"] and r["state"] == "firing", r
            time.sleep(1.5)
            equal(told(), {"Real"})
            write(d + "/rules.yml", rules.replace("# tocsin: trial\n  - {alert: Tried", "# tried\n  - {alert: Tried"))
            equal(t.post("/-/reload", b"").status, 200)
            until("now it is told", lambda: told() == {"Real", "Tried"})


def test_rule_watch():
    """A rule that matched and does not any more is told, one that never did is in the report, one that never ends is told."""
    rules = """groups:
- name: g
  interval: 200ms
  rules:
  - {alert: Dies, expr: 'shop_gone > 100'}
  # tocsin: expect-silent
  - {alert: MayDie, expr: 'shop_gone > 200'}
  - {alert: Never, expr: 'rate(nothing_total[10s]) > 1'}
  - {alert: Quiet, expr: 'shop_queue > 100'}
  - {alert: Absent, expr: 'absent(shop_up)'}
  - {alert: Always, expr: 'shop_up == 1'}
  - {alert: Watchdog, expr: 'vector(1)'}
  - {record: rec, expr: 'shop_limit * 2'}
"""
    with folder() as d, Exporter() as e, Sink() as s, contextlib.ExitStack() as stack:
        gone = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("H", (http.server.BaseHTTPRequestHandler,), {
            "do_GET": lambda h: (h.send_response(200), h.send_header("Content-Type", "text/plain; version=0.0.4"), h.end_headers(), h.wfile.write(b"shop_gone 1\n" if here[0] else b"")),
            "log_message": lambda *a: None}))
        here = [True]
        threading.Thread(target=gone.serve_forever, daemon=True).start()
        stack.callback(gone.shutdown)
        config = simple(s, more=f"""global: {{scrape_interval: 200ms}}
rules: {{dead_after: 2s, always_firing_after: 3s}}
scrape_configs: [{{job_name: shop, static_configs: [{{targets: ['{e.address}', '127.0.0.1:{gone.server_port}']}}]}}]
rule_files: [rules.yml]
""")
        with Tocsin(config, d, files={"rules.yml": rules}) as t:
            told = lambda: {(a["labels"]["alertname"], a["labels"].get("rule"), a["status"]) for r in s.got for a in r.json()["alerts"]}
            health = lambda: {r["name"]: r["condition"] for r in t.get("/api/tocsin/rules_health").json()["rules"]}
            wanted = {"Dies": "ok", "MayDie": "ok", "Never": "never_matched", "Quiet": "ok", "Absent": "ok", "Always": "ok", "Watchdog": "ok", "rec": "ok"}
            until("all were looked at", lambda: {**health(), "Always": "ok"} == wanted)
            until("it has fired for long", lambda: ("TocsinRuleAlwaysFiring", "Always of group g", "firing") in told())
            here[0] = False
            until("it is dead", lambda: ("TocsinRuleDead", "Dies of group g", "firing") in told(), 15)
            equal({**health(), "Always": "ok"}, {**wanted, "Dies": "dead", "MayDie": "empty"})
            text = cli(t, "rule", "list", "--condition=dead,never_matched")
            assert "2 of 8 rules" in text and "dead " in text and "Never" in text and "Quiet" not in text, text
            here[0] = True
            until("it lives", lambda: ("TocsinRuleDead", "Dies of group g", "resolved") in told(), 15)
            equal({n for n, r, _ in told() if r}, {"TocsinRuleDead", "TocsinRuleAlwaysFiring"})
            equal({r for n, r, _ in told() if n == "TocsinRuleDead"}, {"Dies of group g"})
            write(d + "/rules.yml", rules.replace("  - {alert: Always, expr: 'shop_up == 1'}\n", ""))
            equal(t.post("/-/reload", b"").status, 200)
            until("what is gone is over", lambda: ("TocsinRuleAlwaysFiring", "Always of group g", "resolved") in told(), 15)


main()
