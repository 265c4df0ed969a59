"""Prometheus' HTTP API over rules that record: promtool as a client, shapes, filters, pages and errors."""
import subprocess
from harness import *

RULES = """groups:
  - name: b
    interval: 1s
    rules:
      - {record: one, expr: vector(1), labels: {a: x}}
      - {record: 'two:sum', expr: 'one + 1'}
      - {alert: Always, expr: 'one > 0', labels: {severity: info}, annotations: {text: 'v {{ $value }}'}}
      - {alert: Slow, expr: 'one > 0', for: 1h}
  - name: a
    interval: 1s
    rules:
      - {record: broken, expr: 'one * on(a) group_left one'}
      - {alert: Never, expr: 'one > 1'}
"""
CONFIG = "rule_files: [rules.yml]\nroute: {receiver: r}\nreceivers: [{name: r}]\n"


def data(t, path, status=200):
    r = t.get(path)
    equal(r.status, status, r.body)
    j = r.json()
    equal(j["status"], "success" if status == 200 else "error")
    return j["data"] if status == 200 else (j["errorType"], j["error"])


def started(t):
    until("rules have run", lambda: data(t, "/api/v1/query?query=two:sum")["result"] and data(t, "/api/v1/alerts")["alerts"])


def test_queries():
    with folder() as d, Tocsin(CONFIG, d, files={"rules.yml": RULES}) as t:
        started(t)
        v = data(t, "/api/v1/query?query=two:sum")
        equal((v["resultType"], v["result"][0]["metric"], v["result"][0]["value"][1]), ("vector", {"__name__": "two:sum", "a": "x"}, "2"))
        r = t.post("/api/v1/query", ("query=sum(one)%%2Btwo:sum%%7Ba=%%22x%%22%%7D&time=%d" % time.time()).encode(),
                   headers={"Content-Type": "application/x-www-form-urlencoded"})
        equal(r.json()["data"]["result"], [], "no match between {} and {a}")
        time.sleep(2.2)
        now = time.time()
        m = data(t, f"/api/v1/query_range?query=one&start={now - 2}&end={now}&step=1")
        equal((m["resultType"], len(m["result"])), ("matrix", 1))
        assert len(m["result"][0]["values"]) >= 2, m
        names = {s["__name__"] for s in data(t, "/api/v1/series?match[]=%7B__name__=~%22.%2B%22%7D")}
        assert {"one", "two:sum", "ALERTS"} <= names, names
        equal(data(t, "/api/v1/label/__name__/values?match[]=one"), ["one"])
        equal(data(t, "/api/v1/label/severity/values"), ["info"])
        for what, found in [("series?match[]=one", [{"__name__": "one", "a": "x"}]), ("label/a/values", ["x"])]:
            sep = "&" if "?" in what else "?"
            equal(data(t, f"/api/v1/{what}{sep}start={now - 2}&end={now}"), found)
            equal(data(t, f"/api/v1/{what}{sep}start={now + 3600}"), [])
            equal(data(t, f"/api/v1/{what}{sep}end={now - 3600}"), [])
            equal(data(t, f"/api/v1/{what}{sep}start={now}&end={now - 2}"), [])
        assert "alertstate" in data(t, "/api/v1/labels"), data(t, "/api/v1/labels")
        equal(data(t, "/api/v1/format_query?query=sum(one)by(a)"), "sum by (a) (one)")
        for path, error in [("query?query=", "bad_data"), ("query?query=sum(", "bad_data"), ("query?query=1&time=x", "bad_data"),
                            ("query?query=1&timeout=-1", "bad_data"), ("query_range?query=1&start=1&end=0&step=1", "bad_data"),
                            ("query_range?query=1&start=0&end=1&step=0", "bad_data"), ("query_range?query=one[1m]&start=0&end=1&step=1", "bad_data"),
                            ("query_range?query=1&start=0&end=11001&step=1", "bad_data"), ("series", "bad_data"),
                            ("series?match[]=1", "bad_data"), ("rules?type=x", "bad_data"), ("rules?group_limit=0", "bad_data"),
                            ("rules?group_next_token=x", "bad_data"), ("rules?group_limit=1&group_next_token=x", "bad_data")]:
            equal(data(t, "/api/v1/" + path, 400)[0], error, path)
        equal(data(t, "/api/v1/query?query=one%2Bon()group_left()ALERTS", 422)[0], "execution")


def test_rules():
    with folder() as d, Tocsin(CONFIG, d, files={"rules.yml": RULES}) as t:
        started(t)
        groups = data(t, "/api/v1/rules")["groups"]
        equal([(g["name"], g["interval"], len(g["rules"])) for g in groups], [("a", 1, 2), ("b", 1, 4)])
        always = groups[1]["rules"][2]
        equal((always["state"], always["health"], always["type"], always["query"]), ("firing", "ok", "alerting", "one > 0"))
        equal(always["alerts"][0]["value"], "1e+00")
        equal(always["alerts"][0]["annotations"], {"text": "v 1"})
        equal((groups[1]["rules"][3]["state"], groups[1]["rules"][3]["duration"]), ("pending", 3600))
        equal([r["name"] for g in data(t, "/api/v1/rules?type=record")["groups"] for r in g["rules"]], ["broken", "one", "two:sum"])
        equal([r["name"] for g in data(t, "/api/v1/rules?rule_name[]=Slow&rule_name[]=Never")["groups"] for r in g["rules"]], ["Never", "Slow"])
        equal([r["name"] for g in data(t, "/api/v1/rules?match[]=%7Bseverity=%22info%22%7D")["groups"] for r in g["rules"]], ["Always"])
        equal([r.get("alerts") for g in data(t, "/api/v1/rules?type=alert&exclude_alerts=true")["groups"] for r in g["rules"]], [None] * 3)
        page = data(t, "/api/v1/rules?group_limit=1")
        equal([g["name"] for g in page["groups"]], ["a"])
        page = data(t, "/api/v1/rules?group_limit=1&group_next_token=" + page["groupNextToken"])
        equal(([g["name"] for g in page["groups"]], "groupNextToken" in page), (["b"], False))
        equal(sorted(a["labels"]["alertname"] for a in data(t, "/api/v1/alerts")["alerts"]), ["Always", "Slow"])


def test_promtool():
    with folder() as d, Tocsin(CONFIG, d, files={"rules.yml": RULES}) as t:
        started(t)
        def promtool(*args):
            p = subprocess.run([peer("promtool"), "query", *args], capture_output=True, text=True, timeout=20)
            equal(p.returncode, 0, p.stderr)
            return p.stdout
        assert 'one{a="x"} => 1 @' in promtool("instant", t.url, "one")
        assert 'one{a="x"}' in promtool("range", "--step=1s", t.url, "one")
        assert '{__name__="one", a="x"}' in promtool("series", "--match=one", t.url)
        assert "info" in promtool("labels", t.url, "severity")


def test_history_and_cost():
    with folder() as d, Tocsin(CONFIG, d, files={"rules.yml": RULES}) as t:
        started(t)
        h, = data(t, "/api/tocsin/rule_history?rule=Always")
        equal((h["labels"], h["group"], h["file"]), ({"a": "x", "alertname": "Always", "severity": "info"}, "b", d + "/rules.yml"))
        equal([(c["state"], c["value"]) for c in h["changes"]], [("firing", "1e+00")])
        equal([c["state"] for c in data(t, "/api/tocsin/rule_history?group=b&filter=alertname=Slow")[0]["changes"]], ["pending"])
        equal(data(t, "/api/tocsin/rule_history?group=a"), [])
        write(d + "/rules.yml", RULES.replace("vector(1)", "vector(0)"))
        equal(t.post("/-/reload", b"").status, 200)
        until("they ended", lambda: [[c["state"] for c in h["changes"]] for h in data(t, "/api/tocsin/rule_history")] ==
              [["firing", "inactive"], ["pending", "inactive"]])
        r = [g for g in data(t, "/api/v1/rules")["groups"] if g["name"] == "b"][0]["rules"][0]
        assert r["evaluations"] >= 2 and r["evaluationTimeTotal"] >= r["evaluationTime"] > 0, r
        equal((r["evaluationFailures"], r["lastSamples"]), (0, 1))
        assert t.metric("prometheus_rule_evaluation_duration_seconds_sum") > 0
        equal(t.get("/graph?g0.expr=one").status, 200)


def test_trees():
    with folder() as d, Tocsin(CONFIG, d, files={"rules.yml": RULES}) as t:
        tree = lambda q: data(t, "/api/v1/parse_query?query=" + urllib.parse.quote(q))
        up = {"type": "vectorSelector", "name": "up", "offset": 60000, "timestamp": None, "startOrEnd": "end", "matchers": [
            {"name": "job", "value": "a|b", "type": "=~"}, {"name": "__name__", "value": "up", "type": "="}]}
        equal(tree("up{job=~'a|b'} @ end() offset 1m"), up)
        equal(tree("(-up{job=~'a|b'} @ end() offset 1m)"), {"type": "parenExpr", "expr": {"type": "unaryExpr", "op": "-", "expr": up}})
        x = tree("sum by (a) (rate(x[5m])) > bool on (a) group_left (b) topk(3, y)")
        equal((x["type"], x["op"], x["bool"]), ("binaryExpr", ">", True))
        equal(x["matching"], {"card": "many-to-one", "labels": ["a"], "on": True, "include": ["b"]})
        equal((x["lhs"]["type"], x["lhs"]["op"], x["lhs"]["grouping"], x["lhs"]["without"], x["lhs"]["param"]), ("aggregation", "sum", ["a"], False, None))
        equal(x["lhs"]["expr"]["func"], {"name": "rate", "argTypes": ["matrix"], "variadic": 0, "returnType": "vector"})
        equal((x["lhs"]["expr"]["args"][0]["type"], x["lhs"]["expr"]["args"][0]["range"], x["lhs"]["expr"]["args"][0]["name"]), ("matrixSelector", 300000, "x"))
        equal(x["rhs"]["param"], {"type": "numberLiteral", "val": "3"})
        equal(tree("1 + 2")["matching"], None)
        equal(tree("max_over_time(x[1h:1m] @ 7)")["args"][0], {"type": "subquery", "expr": tree("x"), "range": 3600000, "step": 60000,
                                                              "offset": 0, "timestamp": 7000, "startOrEnd": None})
        equal(data(t, "/api/v1/parse_query?query=sum(", 400)[0], "bad_data")


def test_federate_and_status():
    with folder() as d, Tocsin("global: {external_labels: {dc: eu}}\n" + CONFIG, d, files={"rules.yml": RULES}) as t:
        started(t)
        r = t.get("/federate?match[]=one&match[]=%7B__name__=~%22two:.*%22%7D&match[]=one")
        equal(r.status, 200)
        lines = r.body.decode().splitlines()
        equal([l.rsplit(" ", 1)[0] for l in lines if l[0] != "#"], ['one{instance="",a="x",dc="eu"} 1', 'two:sum{instance="",a="x",dc="eu"} 2'])
        equal(lines[0::2], ["# TYPE one untyped", "# TYPE two:sum untyped"])
        assert abs(int(lines[1].rsplit(" ", 1)[1]) / 1000 - time.time()) < 5, lines
        equal(data(t, "/federate", 400)[0], "bad_data")
        assert "receiver: r" in data(t, "/api/v1/status/config")["yaml"]
        until("the figures of the last second", lambda: data(t, "/api/v1/status/tsdb")["headStats"]["numSeries"] >= 4)
        flags = data(t, "/api/v1/status/flags")
        equal([flags[k] for k in ("web.listen-address", "data.retention", "alerts.max", "log.silences", "log.level", "cluster.ignore")],
              ["127.0.0.1:0", "120h0m0s", "0", "false", "info", "false"])
        equal({type(v) for v in flags.values()}, {str})


def test_stats():
    with folder() as d, Tocsin(CONFIG, d, files={"rules.yml": RULES}) as t:
        started(t)
        time.sleep(3.2)
        now = int(time.time())
        assert "stats" not in data(t, "/api/v1/query?query=one")
        some = data(t, "/api/v1/query?query=one&stats=true")["stats"]
        equal(sorted(some), ["samples", "timings"])
        equal(sorted(some["samples"]), ["peakSamples", "totalQueryableSamples"])
        equal(some["samples"]["totalQueryableSamples"], 1)
        equal(sorted(some["timings"]), ["evalTotalTime", "execQueueTime", "execTotalTime", "innerEvalTime", "queryPreparationTime",
                                        "resultSortTime"])
        assert 0 < some["timings"]["evalTotalTime"] <= some["timings"]["execTotalTime"] < 5, some
        every = data(t, f"/api/v1/query_range?query=one%2Btwo:sum&start={now - 1}&end={now}&step=1&stats=all")["stats"]["samples"]
        equal(every["totalQueryableSamplesPerStep"], [[now - 1, 2], [now, 2]])
        equal(every["totalQueryableSamples"], 4)
        window = data(t, f"/api/v1/query?query=count_over_time(one[2s])&time={now}&stats=all")
        equal(window["stats"]["samples"]["totalQueryableSamples"], int(window["result"][0]["value"][1]))
        assert window["stats"]["samples"]["peakSamples"] >= 2, window
        equal(data(t, "/api/v1/query?query=1&stats=all")["stats"]["samples"]["totalQueryableSamples"], 0)


main()
