"""A new configuration is taken or refused as a whole, by signal and by HTTP."""
import signal
from harness import *


def raised(t, name="TocsinReloadFailed"):
    return any(a["labels"]["alertname"] == name for a in t.alerts())


def config(sink, wait="0s"):
    return simple(sink, group_wait=wait)


BAD = "route: {receiver: nobody, group_wait: soon}\nreceivers: [{nam: r}]\n"


def test_by_http():
    with folder() as d, Sink() as old, Sink() as new, Tocsin(config(old), d) as t:
        before = t.metric("alertmanager_config_hash")
        write(t.config_file, BAD)
        r = t.post("/-/reload", b"")
        equal(r.status, 500, r.body)
        for what in (b"soon", b"nam", b"tocsin.yml:1", b"tocsin.yml:2"):
            assert what in r.body, (what, r.body)
        equal(t.metric("alertmanager_config_last_reload_successful"), 0)
        equal(t.metric("alertmanager_config_hash"), before)
        assert "hook" in t.get("/api/v2/status").json()["config"]["original"]
        until("TocsinReloadFailed", lambda: raised(t))
        until("told through the old configuration", lambda: any(
            a["labels"]["alertname"] == "TocsinReloadFailed" for r in old.got for a in r.json()["alerts"]))

        write(t.config_file, config(new))
        equal(t.post("/-/reload", b"").status, 200)
        equal(t.metric("alertmanager_config_last_reload_successful"), 1)
        assert t.metric("alertmanager_config_hash") != before
        until("cleared", lambda: not raised(t))
        t.alert(alertname="A")
        until("the new receiver is used", lambda: any(
            a["labels"]["alertname"] == "A" for r in new.got for a in r.json()["alerts"]))
        assert not any(a["labels"]["alertname"] == "A" for r in old.got for a in r.json()["alerts"])


def test_by_signal():
    with folder() as d, Sink() as s, Tocsin(config(s), d) as t:
        write(t.config_file, BAD)
        t.p.send_signal(signal.SIGHUP)
        until("TocsinReloadFailed", lambda: raised(t))
        equal(t.metric("alertmanager_config_last_reload_successful"), 0)
        write(t.config_file, config(s))
        t.p.send_signal(signal.SIGHUP)
        until("cleared", lambda: not raised(t))
        equal(t.metric("alertmanager_config_last_reload_successful"), 1)


def test_groups_and_log_survive():
    with folder() as d, Sink() as s, Tocsin(config(s), d) as t:
        t.alert(alertname="A")
        until("told", s.accepted)
        for _ in range(3):
            equal(t.post("/-/reload", b"").status, 200)
        time.sleep(2.5)
        equal(s.count(), 1, "requests")
        equal(len(t.alerts()), 1)


def test_delivery_under_way():
    with folder() as d, Sink(NOTHING) as s, Sink() as other, Tocsin(config(s), d) as t:
        t.alert(alertname="A")
        until("the request is out", s.count)
        write(t.config_file, config(other).replace("receiver: hook", "receiver: renamed").replace("name: hook", "name: renamed"))
        equal(t.post("/-/reload", b"").status, 200)
        until("the new receiver is told", other.accepted)


main()
