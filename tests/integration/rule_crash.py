"""kill -9 in every state of an alert's life, over the own store: what was active stays so since the same time, `for` goes on
where it was, and nobody is told of an end that was none. A start must not take longer than two intervals: then state is not
restored as it was, so intervals here are not too short."""
from harness import *

RULES = """groups:
  - name: g
    interval: 4s
    rules:
      - {record: one, expr: vector(1)}
      - {alert: Pending, expr: 'one > 0', for: 1h}
      - {alert: Soon, expr: 'one > 0', for: 20s}
      - {alert: Firing, expr: 'one > 0'}
      - {alert: Held, expr: 'one > 0', for: 2s}
      - {alert: Kept, expr: 'one and vector(time()) < %(end)d', keep_firing_for: 1h}
      - {alert: Ended, expr: 'one and vector(time()) < %(end)d'}
"""
CONFIG = """
rule_files: [rules.yml]
route: {receiver: r, group_by: [alertname], group_wait: 0s, group_interval: 1s}
receivers: [{name: r, webhook_configs: [{url: '%s'}]}]
"""


def active(t):
    return {a["labels"]["alertname"]: (a["state"], a["activeAt"], a.get("keepFiringSince"))
            for a in t.get("/api/v1/alerts").json()["data"]["alerts"]}


def told(sink, status):
    return [a["labels"]["alertname"] for r in sink.got for a in r.json()["alerts"] if a["status"] == status]


def test_nothing_begins_anew():
    sink = Sink()
    with folder() as d:
        rules, config = {"rules.yml": RULES % {"end": time.time() + 12}}, CONFIG % sink.url
        with Tocsin(config, d, files=rules) as t:
            until("all is as it shall be", lambda: active(t).get("Kept", (0, 0, None))[2] and "Ended" in told(sink, "resolved"), 40)
            settle(t, sink)
            before = active(t)
            equal({k: v[0] for k, v in before.items()},
                  {"Pending": "pending", "Soon": before["Soon"][0], "Firing": "firing", "Held": "firing", "Kept": "firing"})
            t.kill()
        fired = sorted(told(sink, "firing"))
        for i in range(3):
            with Tocsin(config, d, files=rules) as t:
                until("it ran again", lambda: t.metric("prometheus_rule_group_iterations_total", rule_group=d + "/rules.yml;g"), 20)
                now = active(t)
                equal({k: v[1:] for k, v in now.items()}, {k: v[1:] for k, v in before.items()}, f"start {i}")
                equal({k for k, v in now.items() if v[0] == "firing"} - {"Soon"}, {"Firing", "Held", "Kept"})
                t.kill()
        with Tocsin(config, d, files=rules) as t:
            until("for went on", lambda: active(t)["Soon"][0] == "firing", 30)
            equal(active(t)["Soon"][1], before["Soon"][1])
            until("it is told", lambda: "Soon" in told(sink, "firing"))
    equal(told(sink, "resolved"), ["Ended"])
    equal(sorted(x for x in told(sink, "firing") if x != "Soon"), sorted(x for x in fired if x != "Soon"), "told twice")


main()
