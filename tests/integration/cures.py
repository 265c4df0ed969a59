"""What goes beyond Alertmanager, switched on: changes in a message, a policy for silences, a reload that says what it
moves; and the limits on alerts and groups."""
import subprocess
from harness import *

SILENCES = "/api/v2/silences"


def silence(minutes, *matchers):
    return {"matchers": [dict(zip(("name", "value", "isRegex", "isEqual"), m)) for m in matchers], "startsAt": stamp(),
            "endsAt": stamp(minutes * 60), "createdBy": "me", "comment": "c"}


def test_changes_in_messages():
    with folder() as d, Sink() as sink:
        payload = "'{{ range .Alerts }}{{ .Labels.i }}={{ .Change }} {{ end }}{{ .Alerts | toJson }}'"
        config = f"""route: {{receiver: r, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: r
    webhook_configs:
      - {{url: '{sink.url}/plain'}}
      - {{url: '{sink.url}/changes', changes: true}}
      - {{url: '{sink.url}/template', payload: {{text: {payload}}}}}
"""
        with Tocsin(config, d) as t:
            def told():
                got, sink.got[:] = {r.path.rsplit("/")[-1]: r.json() for r in sink.got}, []
                assert "change" not in got["plain"]["alerts"][0] and '"change"' not in got["template"]["text"].lower(), got
                equal([f"{a['labels']['i']}={a['change']}" for a in got["changes"]["alerts"]],
                      got["template"]["text"].split(" [")[0].split())
                return sorted(a["labels"]["i"] + " " + a["change"] for a in got["changes"]["alerts"])

            t.alert(alertname="A", i="1")
            until("first", lambda: sink.count() == 3)
            equal(told(), ["1 added"])
            t.alert(alertname="A", i="2")
            until("second", lambda: sink.count() == 3)
            equal(told(), ["1 unchanged", "2 added"])
            t.alert(alertname="A", i="1", ends=0)
            until("third", lambda: sink.count() == 3)
            equal(told(), ["1 resolved", "2 unchanged"])


def test_policy_for_silences():
    config = "route: {receiver: r}\nreceivers: [{name: r}]\nsilences: {required_matchers: [cluster], max_duration: 2h}\n"
    with folder() as d, Tocsin(config, d) as t:
        for body, wanted in ((silence(60, ("cluster", "a", False)), 200), (silence(60, ("cluster", "a|b", True)), 200),
                             (silence(60, ("alertname", "A", False)), 400), (silence(60, ("cluster", ".*", True)), 400),
                             (silence(60, ("cluster", "a", False, False), ("x", "y", False)), 400),
                             (silence(121, ("cluster", "a", False)), 400)):
            r = t.post(SILENCES, body)
            equal(r.status, wanted, body)
            if wanted == 400:
                assert isinstance(r.json(), str) and ("cluster" in r.json() or "120 minutes" in r.json()), r.body


def test_reload_names_alerts_that_move():
    before = "route: {receiver: a, group_by: [alertname], group_wait: 0s}\nreceivers: [{name: a}, {name: b}]\n"
    after = before.replace("group_wait: 0s}", "group_wait: 0s, routes: [{receiver: b, matchers: [team=gpu]}]}")
    with folder() as d, Tocsin(before, d) as t:
        t.alert(alertname="Moves", team="gpu")
        t.alert(alertname="Stays", team="web")
        write(t.config_file, after)
        p = subprocess.run([PROGRAM, "reload", "--dry-run", "--url=" + t.url], capture_output=True, text=True, timeout=20)
        equal(p.returncode, 0, p.stderr)
        assert '{alertname="Moves", team="gpu"}: a -> b' in p.stdout and "Stays" not in p.stdout, p.stdout
        assert "live alerts change receiver" not in t.text()
        equal(t.post("/-/reload", b"").status, 200)
        until("the log says it", lambda: "live alerts change receiver" in t.text() and "Moves" in t.text())
        equal(t.get("/-/ready").status, 200)


def names(t):
    return sorted(a["labels"]["alertname"] + a["labels"].get("i", "") for a in t.alerts())


def test_limit_per_alertname():
    config = "route: {receiver: r, group_wait: 0s}\nreceivers: [{name: r}]\n"
    with folder() as d, Tocsin(config, d, "--alerts.per-alertname-limit=2") as t:
        t.alert(alertname="A", i="1", ends=6)
        t.alert(alertname="A", i="2", ends=600)
        t.alert(alertname="A", i="3", ends=600)  # answered 200, dropped
        t.alert(alertname="B", i="1", ends=600)
        equal(names(t), ["A1", "A2", "B1"])
        equal(t.metric("alertmanager_alerts_limited_total"), 1)
        equal(t.metric("alertmanager_alerts_per_alert_limit"), 2)
        t.alert(alertname="A", i="2", ends=900)  # known: passes
        until("the first has ended", lambda: names(t) == ["A2", "B1"], 15)
        t.alert(alertname="A", i="3", ends=600)  # takes its place
        equal(names(t), ["A2", "A3", "B1"])
        t.alert(alertname="A", i="1", ends=600)
        equal(names(t), ["A2", "A3", "B1"])
        t.stop()
        with Tocsin(config, d, "--alerts.per-alertname-limit=2") as t:
            t.alert(alertname="A", i="4", ends=600)
            assert "A4" not in names(t), "the names are full after a restart, too"


def test_limits_on_alerts_and_groups():
    with folder() as d, Sink() as sink:
        config = simple(sink).replace("group_by: [alertname]", "group_by: [alertname, i]")
        with Tocsin(config, d, "--alerts.max=4", "--dispatch.max-groups=3") as t:
            for i in range(6):
                t.alert(alertname="A", i=str(i), ends=600)
            equal([n for n in names(t) if n != "TocsinAlertLimit"], ["A0", "A1", "A2", "A3"])
            assert "TocsinAlertLimit" in names(t)
            equal(t.metric("tocsin_alerts_limited_total"), 2)
            equal(t.metric("alertmanager_dispatcher_aggregation_group_limit_reached_total"), 1)
            told = until("three groups and the alert about it", lambda: sink.count() == 4 and
                         sorted(r.json()["groupLabels"]["alertname"] for r in sink.got))
            equal(told, ["A", "A", "A", "TocsinAlertLimit"])
            t.alert(alertname="A", i="0", ends=600)
            equal(t.metric("tocsin_alerts_limited_total"), 2, "what is known is refreshed")


main()
