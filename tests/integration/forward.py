"""Alerts of our rules at other Alertmanagers: Debian's as a live target, one that is away, the instance itself; and a rule
that runs here and elsewhere."""
from harness import *

RULES = """groups:
  - name: g
    interval: 1s
    rules:
      - {record: level, expr: vector(1)}
      - {alert: Fires, expr: 'level > 0', labels: {severity: info}, annotations: {text: 'v {{ $value }}'}}
      - {alert: Dropped, expr: 'level > 0'}
      - {alert: Pending, expr: 'level > 0', for: 1h}
"""
CONFIG = """
global: {external_labels: {cluster: c1}}
rule_files: [rules.yml]
route: {receiver: r}
receivers: [{name: r}]
alerting:
  alert_relabel_configs:
    - {source_labels: [alertname], regex: Dropped, action: drop}
    - {source_labels: [severity], regex: info, target_label: severity, replacement: low}
  alertmanagers:
    - static_configs: [{targets: ['127.0.0.1:%d'], labels: {__alerts_path__: /overwritten}}]
      alert_relabel_configs: [{target_label: via, replacement: tocsin}]
"""


def names(alerts):
    return sorted(a["labels"]["alertname"] for a in alerts)


def test_live_alertmanager_that_comes_late():
    port = free_port()
    with folder() as d, Tocsin(CONFIG % port, d, files={"rules.yml": RULES}) as t:
        url = f"http://127.0.0.1:{port}/api/v2/alerts"
        until("our own route has it", lambda: names(t.alerts()) == ["Fires"])
        equal(t.alerts()[0]["labels"], {"alertname": "Fires", "cluster": "c1", "severity": "low"})
        until("it is tried again", lambda: "takes no alerts" in t.text())
        equal(t.metric("prometheus_notifications_queue_length", alertmanager=url), 1)
        with Alertmanager("route: {receiver: r}\nreceivers: [{name: r}]\n", d, port=port) as am:
            there = lambda: request("GET", am.url + "/api/v2/alerts").json()
            until("it is there", there, 35)
            a, own = there()[0], t.alerts()[0]
            equal(names(there()), ["Fires"])
            equal(a["labels"], {"alertname": "Fires", "cluster": "c1", "severity": "low", "via": "tocsin"})
            equal((a["annotations"], a["startsAt"], a["generatorURL"]), (own["annotations"], own["startsAt"], own["generatorURL"]))
            assert a["generatorURL"].endswith("/graph?g0.expr=level+%3E+0&g0.tab=1"), a
            equal(t.metric("prometheus_notifications_alertmanagers_discovered"), 1)
            until("counted", lambda: t.metric("prometheus_notifications_sent_total", alertmanager=url) == 1)
            equal(t.metric("prometheus_notifications_dropped_total", alertmanager=url), 0)
            t.says("takes no alerts")
            equal(t.text().count("takes no alerts"), 1)
            write(os.path.join(d, "rules.yml"), RULES.replace("vector(1)", "vector(0)"))
            equal(t.post("/-/reload", b"").status, 200)
            until("it ended there, too", lambda: not there())


def test_an_instance_does_not_send_to_itself():
    port = free_port()
    with folder() as d, Tocsin(CONFIG % port, d, files={"rules.yml": RULES}, listen=f"127.0.0.1:{port}") as t:
        until("it met itself", lambda: "is this instance" in t.text())
        until("our own route has it", lambda: names(t.alerts()) == ["Fires"])
        time.sleep(1.5)
        t.says("is this instance")
        equal(t.text().count("is this instance"), 1)
        equal(t.metric("prometheus_notifications_alertmanagers_discovered"), 0)
        equal(t.metric("alertmanager_alerts_received_total", status="firing", version="v2"), 0)
        equal(t.alerts()[0]["labels"], {"alertname": "Fires", "cluster": "c1", "severity": "low"})


def test_a_rule_that_runs_elsewhere_too_is_told_once():
    with folder() as d, Tocsin(CONFIG % free_port(), d, files={"rules.yml": RULES}) as t:
        until("it fires", lambda: names(t.alerts()) == ["Fires"])
        post = lambda **labels: equal(t.post("/api/v2/alerts", [
            {"labels": {"alertname": "Fires", "severity": "low", **labels}, "generatorURL": "http://prom-2:9090/graph?g0.expr=x"}]).status, 200)
        post(other="label")
        assert "comes twice" not in t.text(), t.text()
        for cluster in ({}, {"cluster": "c1"}, {"cluster": "another"}):
            post(**cluster)
        until("it is said", lambda: "comes twice" in t.text())
        line, = [l for l in t.text().splitlines() if "comes twice" in l]
        assert "rule=Fires sender=prom-2:9090" in line, line


def test_a_bad_entry_is_refused():
    for entry, text in [("{api_version: v1}", "expected Alertmanager api version to be one of [v2] but got v1"),
                        ("{scheme: ftp}", "scheme"), ("{static_configs: [{targets: ['http://a/b']}]}", "is not a valid hostname"),
                        ("{relabel_configs: [{action: x}]}", "unknown relabel action")]:
        with folder() as d, Process([PROGRAM, "lint", write(d + "/c.yml", f"alerting: {{alertmanagers: [{entry}]}}")]) as p:
            equal(p.wait(), 1, entry)
            assert text in p.text(), p.text()


main()
