"""--enable-feature: labels of metrics that cost a series each, and what is no feature."""
from harness import *

CONFIG = """route: {{receiver: a, group_by: [alertname], group_wait: 0s, group_interval: 1s, routes: [{{receiver: b, matchers: [to=b]}}]}}
receivers:
- {{name: a, webhook_configs: [{{url: '{0}/a'}}]}}
- {{name: b, webhook_configs: [{{url: '{1}/b', max_alerts: 1}}], email_configs: [{{to: x@example.org, from: y@example.org, smarthost: '127.0.0.1:1'}}]}}
"""


def series(t, name):
    found = {}
    for line in t.get("/metrics").body.decode().splitlines():
        if line.startswith(name + "{") or line.startswith(name + " "):
            labels, value = re.match(r"[^{ ]*(?:\{(.*)\})? (\S+)$", line).groups()
            found[frozenset((k, v.replace('\\"', '"').replace("\\\\", "\\")) for k, v in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels or ""))] = float(value)
    return found


def shape(t):
    """Label sets of what the features change, without reasons that only one of both knows and alerts of our own."""
    names = ("notifications_total", "notification_requests_total", "notifications_failed_total", "notification_latency_seconds_count", "alerts",
             "alerts_limited_total")
    return {n: {l for l in series(t, "alertmanager_" + n) if not re.search("authError|rateLimited|Tocsin", str(l))} for n in names}


def labels(**l):
    return frozenset(l.items())


def test_receiver_names():
    with Sink() as sink, Sink(otherwise=400) as refuses, folder() as d, \
            Tocsin(CONFIG.format(sink.url, refuses.url), d, "--enable-feature=receiver-name-in-metrics") as t:
        known = {(("integration", i), ("receiver_name", r)) for i, r in (("webhook", "a"), ("webhook", "b"), ("email", "b"))}
        for name in ("notifications_total", "notification_requests_total", "notification_requests_failed_total", "notification_latency_seconds_count"):
            equal({tuple(sorted(x)) for x in series(t, "alertmanager_" + name)}, known, "only what is configured, at 0 from the start")
        equal(len(series(t, "alertmanager_notifications_failed_total")), 21)
        t.alert(alertname="A")
        until("it is told", lambda: series(t, "alertmanager_notifications_total")[labels(integration="webhook", receiver_name="a")] == 1)
        equal(series(t, "alertmanager_notifications_total")[labels(integration="webhook", receiver_name="b")], 0)
        t.alert(alertname="A", to="b")
        failed = labels(integration="webhook", receiver_name="b", reason="clientError")
        until("it has failed", lambda: series(t, "alertmanager_notifications_failed_total")[failed] >= 1)
        assert series(t, "alertmanager_notification_latency_seconds_count")[labels(integration="webhook", receiver_name="b")] >= 1
        equal(sum(v for k, v in series(t, "alertmanager_notifications_failed_total").items() if ("receiver_name", "a") in k), 0)


def test_alert_names():
    with folder() as d, Tocsin("route: {receiver: r}\nreceivers: [{name: r}]\n", d, "--enable-feature=alert-names-in-metrics",
                               "--alerts.per-alertname-limit=1") as t:
        equal(series(t, "alertmanager_alerts_limited_total"), {})
        for i in range(3):
            t.alert(alertname="Many", i=str(i))
        t.alert(alertname="One")
        equal(series(t, "alertmanager_alerts_limited_total"), {labels(alertname="Many"): 2})


def test_group_keys():
    with Sink() as sink, folder() as d, Tocsin(CONFIG.format(sink.url, sink.url), d, "--enable-feature=group-key-in-metrics") as t:
        for i in range(2):
            t.alert(alertname="A", i=str(i))
        t.alert(alertname="B", to="b")
        silence = {"matchers": [{"name": "i", "value": "1", "isRegex": False}], "startsAt": stamp(), "endsAt": stamp(3600), "createdBy": "m", "comment": "c"}
        equal(t.post("/api/v2/silences", silence).status, 200)
        a, b = '{}:{alertname="A"}', '{}/{to="b"}:{alertname="B"}'
        wanted = {labels(state=s, group_key=k): v for k, s, v in ((a, "active", 1), (a, "suppressed", 1), (a, "unprocessed", 0),
                                                                  (b, "active", 1), (b, "suppressed", 0), (b, "unprocessed", 0))}
        equal(series(t, "alertmanager_alerts"), wanted)


def test_beside_alertmanager():
    if not IS_NEWER:
        return  # 0.25 has no features
    flags = ["--enable-feature=receiver-name-in-metrics,alert-names-in-metrics,group-key-in-metrics", "--alerts.per-alertname-limit=2"]
    with Sink() as sink, folder() as d, folder() as o, Tocsin(CONFIG.format(sink.url, sink.url), d, *flags) as t, \
            Alertmanager(CONFIG.format(sink.url, sink.url), o, flags=flags) as am:
        am.get = lambda path: request("GET", am.url + path)
        for one in (t, am):
            for ls in ({"i": "1"}, {"i": "2"}, {"i": "3"}, {"to": "b"}, {"to": "b", "i": "1"}):
                equal(request("POST", one.url + "/api/v2/alerts", [{"labels": {"alertname": "A", **ls}}, {"labels": {"x": "y"}}]).status, 200)
        until("both tell the same", lambda: shape(t) == shape(am) and len(shape(am)["alerts"]) == 6)


def test_without():
    with Sink() as sink, folder() as d, Tocsin(CONFIG.format(sink.url, sink.url), d, "--enable-feature=auto-gomemlimit,event-recorder") as t:
        t.alert(alertname="A")
        equal(series(t, "alertmanager_alerts"), {labels(state="active"): 1, labels(state="suppressed"): 0, labels(state="unprocessed"): 0})
        equal(series(t, "alertmanager_alerts_limited_total"), {labels(): 0})
        assert labels(integration="slack") in series(t, "alertmanager_notifications_total")


def test_words():
    with folder() as d:
        for flag, word in (("receiver-names-in-metrics", "receiver-names-in-metrics"), ("classic-mode,x", "x")):
            p = subprocess.run([PROGRAM, "--enable-feature=" + flag, "--config.file=/nowhere"], capture_output=True, text=True)
            assert p.returncode == 1 and f"unknown feature '{word}'" in p.stderr, p
        file = write(d + "/am.yml", "route: {receiver: r, labels: {team: x}}\nreceivers: [{name: r}]\n")
        p = subprocess.run([PROGRAM, "lint", file], capture_output=True, text=True)
        assert "later version" not in p.stdout + p.stderr, "labels of routes work"


if __name__ == "__main__":
    main()
