"""What was answered 2xx survives kill -9, what was decided is sent, what was delivered is not repeated."""
import time
from harness import *


def test_killed_between_decision_and_answer():
    with folder() as d, Sink(NOTHING) as s:
        config = simple(s, group_interval="1m")
        with Tocsin(config, d) as t:
            t.alert(alertname="A", gpu="0")
            until("the request is out", s.count)
            t.kill()
        equal(len(s.accepted()), 0)
        with Tocsin(config, d):
            until("sent again", s.accepted)
            time.sleep(2)
            equal(s.count(), 2, "requests")
            equal(s.got[0].json()["groupKey"], s.got[1].json()["groupKey"], "group key")
            equal(s.got[0].json()["alerts"], s.got[1].json()["alerts"], "alerts")


def test_what_was_decided_is_sent():
    """A silence that comes after the decision keeps the group from deciding again: only the outbox row tells it."""
    with folder() as d, Sink(NOTHING) as s:
        config = simple(s, group_interval="1s")
        with Tocsin(config, d) as t:
            t.alert(alertname="A", gpu="0", ends=3600)
            until("the request is out", s.count)
            r = t.post("/api/v2/silences", {"matchers": [{"name": "gpu", "value": "0", "isRegex": False}],
                                            "startsAt": stamp(), "endsAt": stamp(3600),
                                            "createdBy": "me", "comment": "known"})
            equal(r.status, 200, r.body)
            t.kill()
        with Tocsin(config, d) as t:
            until("sent again", s.accepted)
            equal(s.got[1].json()["alerts"][0]["labels"]["gpu"], "0")
            time.sleep(2.5)
            equal(s.count(), 2, "requests")


def test_killed_after_delivery():
    with folder() as d, Sink() as s:
        config = simple(s)
        with Tocsin(config, d) as t:
            t.alert(alertname="A", gpu="0")
            until("delivered", s.accepted)
            settle(t, s)
            t.kill()
        with Tocsin(config, d) as t:
            equal([a["labels"] for a in t.alerts()], [{"alertname": "A", "gpu": "0"}], "restored alerts")
            time.sleep(3)  # three intervals
            equal(s.count(), 1, "requests")
            t.alert(alertname="A", gpu="1")
            until("a new alert is told", lambda: len(s.accepted()) == 2)
            equal(len(s.accepted()[1].json()["alerts"]), 2)


def test_what_was_answered_survives():
    with folder() as d, Sink() as s:
        config = simple(s, group_wait="10m")
        with Tocsin(config, d) as t:
            body = [{"labels": {"alertname": "A", "n": str(i)}, "endsAt": stamp(3600)} for i in range(500)]
            equal(t.post("/api/v2/alerts", body).status, 200)
            r = t.post("/api/v2/silences", {"matchers": [{"name": "n", "value": "7", "isRegex": False}],
                                            "startsAt": stamp(), "endsAt": stamp(3600),
                                            "createdBy": "me", "comment": "known"})
            equal(r.status, 200)
            t.kill()
        with Tocsin(config, d) as t:
            until("alerts are back", lambda: len(t.alerts()) == 500)
            quiet = [a for a in t.alerts() if a["status"]["silencedBy"]]
            equal([a["labels"]["n"] for a in quiet], ["7"], "silenced")
            equal(quiet[0]["status"]["silencedBy"], [r.json()["silenceID"]])
            equal(t.get("/api/v2/silence/" + r.json()["silenceID"]).json()["comment"], "known")


def test_killed_again_and_again():
    with folder() as d, Sink() as s:
        config = simple(s, group_wait="10m")
        for i in range(5):
            with Tocsin(config, d) as t:
                equal(len(t.alerts()), i * 20, "alerts after the restart")
                for n in range(20):
                    t.alert(alertname="A", n=f"{i}.{n}", ends=3600)
                t.kill()


main()
