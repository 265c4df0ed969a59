"""Debian's Prometheus evaluates, tocsin stands in Alertmanager's place."""
from harness import *

RULES = """groups:
  - name: test
    rules:
      - {alert: LevelHigh, expr: test_level > 5, labels: {severity: page}, annotations: {summary: 'level {{ $value }}'}}
"""


def test_alerts_of_prometheus():
    with folder() as d, Sink() as s, NodeExporter(d) as node, Tocsin(simple(s), d) as t:
        more = f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{t.address}']}}]}}]}}\n"
        with Prometheus(d, [node.address], more, RULES) as p:
            node.set(9)
            until("listed", t.alerts, 15)
            [a] = t.alerts()
            equal((a["labels"]["alertname"], a["labels"]["severity"], a["annotations"]),
                  ("LevelHigh", "page", {"summary": "level 9"}))
            until("told", s.accepted)
            equal(s.got[0].json()["alerts"][0]["fingerprint"], a["fingerprint"])
            node.set(0)
            until("resolved", lambda: s.count() >= 2 and s.got[1].json()["status"] == "resolved", 15)
            until("no longer listed", lambda: not t.alerts())
            assert b"prometheus_notifications_dropped_total 0\n" in request("GET", p.url + "/metrics").body


main()
