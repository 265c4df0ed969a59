"""1,000 alerts, three reloads, silences, shutdown: in the sanitized build LeakSanitizer has nothing to say."""
import signal
from harness import *


def test_long_day():
    with folder() as d, Sink() as sink:
        with Tocsin(simple(sink, group_wait="100ms"), d) as t:
            for i in range(20):
                body = [{"labels": {"alertname": f"A{i}", "n": str(j)}, "annotations": {"summary": "x" * 100}} for j in range(50)]
                equal(t.post("/api/v2/alerts", body).status, 200)
            for i in range(3):
                t.p.send_signal(signal.SIGHUP)
                until(f"reload {i}", lambda: t.text().count("configuration loaded") == i + 2)
                equal(t.get("/api/v2/alerts/groups").status, 200)
                equal(t.get("/metrics").status, 200)
            until("all groups were told", lambda: sink.count() >= 20)
            r = t.post("/api/v2/silences", {"matchers": [{"name": "alertname", "value": "A.", "isRegex": True}],
                                            "startsAt": stamp(), "endsAt": stamp(600), "createdBy": "t", "comment": "c"})
            equal(r.status, 200, r.body)
            equal(len(t.alerts()), 1000)
        # the harness checks exit code 0: LeakSanitizer ends with 23


main()
