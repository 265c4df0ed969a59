"""The dead man's switch is fed while all is well, and only then."""
import resource, time
from harness import *

MORE = "heartbeat: {url: '%s', interval: 1s}\n"


def test_beats():
    with folder() as d, Sink() as hook, Sink() as switch:
        began = time.monotonic()
        with Tocsin(simple(hook, more=MORE % switch.url), d):
            until("four calls", lambda: switch.count() >= 4)
            equal(switch.got[0].path, "/hook")
            assert switch.got[3].at - began > 2.9, "three intervals lie between the first and the fourth"


def test_store_that_cannot_be_written():
    """No file may grow: every commit fails. Alerts are still told, the heartbeat stops; when there is room again, both
    go on and nothing of the time between is lost."""
    with folder() as d, Sink() as hook, Sink() as switch:
        config = simple(hook, more=MORE % switch.url)
        # SIGXFSZ stays ignored as Python sets it, so a write fails with EFBIG instead of killing the process.
        with Tocsin(config, d, restore_signals=False) as t:
            until("beats", lambda: switch.count() >= 1)
            _, hard = resource.prlimit(t.p.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(t.p.pid, resource.RLIMIT_FSIZE, (0, hard))
            r = t.post("/api/v2/alerts", [{"labels": {"alertname": "A"}}], timeout=15)
            equal(r.status, 503, f"answer while nothing can be stored: {r.body!r}")
            until("degraded", lambda: t.metric("tocsin_store_degraded") == 1)
            until("TocsinStoreDegraded is told", lambda: any(
                a["labels"]["alertname"] == "TocsinStoreDegraded" for x in hook.got for a in x.json()["alerts"]), 15)
            time.sleep(1.5)
            held = switch.count()
            time.sleep(2.5)
            equal(switch.count(), held, "calls while degraded")

            resource.prlimit(t.p.pid, resource.RLIMIT_FSIZE, (hard, hard))
            until("healed", lambda: t.metric("tocsin_store_degraded") == 0, 30)
            until("beats again", lambda: switch.count() > held)
            t.alert(alertname="B", ends=3600)
            t.kill()
        with Tocsin(config, d) as t:
            names = {a["labels"]["alertname"] for a in t.alerts()}
            assert "B" in names, names


main()
