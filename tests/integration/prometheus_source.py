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
