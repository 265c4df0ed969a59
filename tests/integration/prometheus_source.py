"""Rules over a real Prometheus: pending, firing, resolved, and what happens while it is away."""
from datetime import datetime
from harness import *

RULES = """groups:
  - name: test
    interval: 1s
    rules:
      - alert: LevelHigh
        expr: test_level > 5
        for: 2s
        labels: {severity: page}
      - alert: AlwaysPending
        expr: test_level >= 0
        for: 1h
      - record: test:level:double
        expr: test_level * 2
"""


def config(prometheus, sink):
    return simple(sink, more=f"""sources:
  - name: prometheus
    url: {prometheus.url}
    timeout: 2s
    down_after: 3s
rule_files: [rules.yml]
""")


def told(sink, name, status):
    return [r for r in sink.got for a in r.json()["alerts"]
            if a["labels"]["alertname"] == name and a["status"] == status]


def listed(t, name):
    return [a for a in t.alerts() if a["labels"]["alertname"] == name]


def test_life_of_an_alert():
    with folder() as d, Sink() as s, NodeExporter(d) as node, Prometheus(d, [node.address]) as p:
        until("samples", lambda: p.value("test_level") == 0, 15)
        with Tocsin(config(p, s), d, files={"rules.yml": RULES}) as t:
            until("the source is up", lambda: t.metric("tocsin_source_up", source="prometheus") == 1)
            node.set(9)
            r = until("firing", lambda: told(s, "LevelHigh", "firing"), 20)[0]
            active, = [x["activeAt"] for x in t.get("/api/v1/alerts").json()["data"]["alerts"] if x["labels"]["alertname"] == "LevelHigh"]
            held = (datetime.fromisoformat(r.json()["alerts"][0]["startsAt"][:23]) - datetime.fromisoformat(active[:23])).total_seconds()
            assert 2 <= held < 10, f"for 2s, by the times of the evaluations: {held}"
            [a] = r.json()["alerts"]
            equal({k: v for k, v in a["labels"].items() if k != "instance"},
                  {"alertname": "LevelHigh", "gpu": "0", "job": "node", "severity": "page"})
            assert a["generatorURL"].startswith(p.url), a
            equal(listed(t, "AlwaysPending"), [], "pending alerts are not routed")
            node.set(0)
            until("resolved", lambda: told(s, "LevelHigh", "resolved"), 15)
            equal(len(told(s, "LevelHigh", "firing")), 1, "notifications that it fires")


MIXED = """groups:
  - name: mixed
    interval: 1s
    rules:
      - record: test:level:double
        expr: test_level * 2
      - record: test:level:difference
        expr: test:level:double - on (gpu) max by (gpu) (max_over_time(test_level[2s]))
      - record: test:level:parts
        expr: test_level + on (gpu) test:level:double - on (gpu) max by (gpu) (test_level * 5)
      - alert: MoreThanRecorded
        expr: test_level > on (gpu) group_left test:level:double / 2 + 5
        annotations: {text: '{{ $value }} {{ with query "test_level" }}{{ . | first | value }}{{ end }}'}
      - alert: NotRecorded
        expr: test_level unless on (gpu) test:level:double
"""


def test_rules_that_read_what_is_recorded_here_and_what_the_source_has():
    """The Prometheus has not got what is recorded here: a rule that reads both was silent."""
    with folder() as d, Sink() as s, NodeExporter(d) as node, Prometheus(d, [node.address]) as p:
        node.set(4)
        until("samples", lambda: p.value("test_level") == 4, 15)
        with Tocsin(config(p, s), d, files={"rules.yml": MIXED}) as t:
            def value(name):
                r = t.get("/api/v1/query?source=own&query=" + name).json()["data"]["result"]
                return (r[0]["metric"], float(r[0]["value"][1])) if r else None

            until("it is recorded", lambda: value("test:level:difference") == ({"__name__": "test:level:difference", "gpu": "0"}, 4), 20)
            until("so is what has two parts there", lambda: (value("test:level:parts") or [0, 0])[1] == -8)
            rules = lambda: [r for g in t.get("/api/v1/rules").json()["data"]["groups"] for r in g["rules"]]
            until("the run that recorded it is over, and well", lambda: {r["health"] for r in rules()} == {"ok"})
            equal((listed(t, "NotRecorded"), listed(t, "MoreThanRecorded")), ([], []))
            equal(p.value("test:level:double"), None)
            assert "cannot be taken apart" not in t.text(), t.text()
            r = t.get("/api/v2/explain?rule=MoreThanRecorded").json()["rules"][0]
            equal([(c["reason"], c["value"], c["threshold"]) for c in r["causes"]], [("comparison", 4, 9)], str(r))
            write(t.dir + "/rules.yml", MIXED.replace("expr: test_level * 2", "expr: test_level * 2 - 20"))
            equal(t.post("/-/reload", "").status, 200)
            a = until("it fires", lambda: listed(t, "MoreThanRecorded"), 20)[0]
            equal(a["annotations"]["text"], "4 4")
            equal(a["labels"]["gpu"], "0")
            p.kill()
            until("the source is away", lambda: t.metric("tocsin_source_up", source="prometheus") == 0, 20)
            time.sleep(2)
            equal([len(listed(t, "MoreThanRecorded")), listed(t, "NotRecorded")], [1, []], "what fired goes on")


def test_source_away():
    with folder() as d, Sink() as s, NodeExporter(d) as node, Prometheus(d, [node.address]) as p:
        node.set(9)
        until("samples", lambda: p.value("test_level") == 9, 15)
        with Tocsin(config(p, s), d, files={"rules.yml": RULES}) as t:
            until("firing", lambda: told(s, "LevelHigh", "firing"), 15)
            [before] = listed(t, "LevelHigh")
            gone = time.monotonic()
            p.p.terminate()
            p.wait()
            until("TocsinSourceDown", lambda: told(s, "TocsinSourceDown", "firing"), 20)
            assert told(s, "TocsinSourceDown", "firing")[0].at - gone > 2, "down_after is three seconds, an answer one second old"
            equal(t.metric("tocsin_source_up", source="prometheus"), 0)
            time.sleep(2)
            [during] = listed(t, "LevelHigh")
            equal(during["startsAt"], before["startsAt"], "start while the source is away")
            with Prometheus(d, [node.address], port=p.port):
                until("TocsinSourceDown is resolved", lambda: told(s, "TocsinSourceDown", "resolved"), 20)
                [after] = listed(t, "LevelHigh")
                equal(after["startsAt"], before["startsAt"], "start after the outage")
                equal(told(s, "LevelHigh", "resolved"), [], "no resolve for an outage")
                equal(len(told(s, "LevelHigh", "firing")), 1, "notifications that it fires")
                equal(t.metric("tocsin_source_up", source="prometheus"), 1)


main()
