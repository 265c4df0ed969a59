"""Lists are tagged by the revision of what they are made of: who has them gets 304, and nobody has an old one, whatever changed it:
a request, a rule, a reload, or time alone."""
from harness import *

LISTS = ["/api/v2/alerts", "/api/v2/alerts/groups", "/api/v2/silences", "/api/v2/status", "/api/v2/receivers", "/api/v1/rules", "/api/v1/alerts"]
RULES = "groups: [{name: g, interval: 200ms, rules: [{alert: R, expr: vector(1) %s}]}]\n"


def tag(t, path, old=None):
    r = t.get(path, headers={"If-None-Match": old} if old else {})
    assert r.status == 200 or (r.status == 304 and old and r.body == b""), (path, r.status)
    assert r.headers["ETag"], path
    return r.headers["ETag"], r.status


def silence(t, seconds, begins=0, **labels):
    r = t.post("/api/v2/silences", {"matchers": [{"name": n, "value": v, "isRegex": False} for n, v in labels.items()],
                                    "createdBy": "x", "comment": "x", "startsAt": stamp(begins), "endsAt": stamp(seconds)})
    equal(r.status, 200, r.body)
    return r.json()["silenceID"]


def changes(t, what, do, changed):
    """After do() exactly the lists in changed are others."""
    before = {p: tag(t, p)[0] for p in LISTS}
    for p in LISTS:
        equal(tag(t, p, before[p]), (before[p], 304), f"{p} before {what}")
    do()
    for p in LISTS:
        equal(tag(t, p, before[p])[1], 200 if p in changed else 304, f"{p} after {what}")


ALERTS, GROUPS, SILENCES = LISTS[:3]


def test_lists_are_tagged():
    with folder() as d, Sink() as sink, Tocsin(simple(sink, group_wait="1h", group_interval="1h"), d) as t:
        t.alert(alertname="A", i="1")
        changes(t, "nothing", lambda: None, ())
        changes(t, "an alert", lambda: t.alert(alertname="A", i="2"), (ALERTS, GROUPS))
        changes(t, "its refresh", lambda: t.alert(alertname="A", i="2"), (ALERTS, GROUPS))
        changes(t, "a silence", lambda: silence(t, 3600, i="1"), (ALERTS, GROUPS, SILENCES))
        state = lambda i: next(a["status"]["state"] for a in t.alerts() if a["labels"]["i"] == i)
        equal([state("1"), state("2")], ["suppressed", "active"])
        # a silence begins, and ends, by time alone
        silence(t, 3, begins=1.5, i="2")
        old = {p: tag(t, p)[0] for p in (ALERTS, GROUPS, SILENCES)}
        equal(state("2"), "active")
        until("it begins", lambda: state("2") == "suppressed")
        new = {p: tag(t, p, old[p]) for p in old}
        assert all(s == 200 and e != old[p] for p, (e, s) in new.items()), new
        until("it ends", lambda: state("2") == "active")
        assert all(tag(t, p, new[p][0])[1] == 200 for p in old), "after its end"
        # so does an alert
        t.alert(alertname="B", i="3", ends=1.2)
        old = tag(t, ALERTS)[0]
        until("it has ended", lambda: len(t.alerts()) == 2)
        equal(tag(t, ALERTS, old)[1], 200)
        changes(t, "a reload", lambda: equal(t.post("/-/reload", None).status, 200), (ALERTS, GROUPS, "/api/v2/receivers", "/api/v1/rules", "/api/v1/alerts"))


def test_tags_of_other_questions_differ():
    with folder() as d, Sink() as sink, Tocsin(simple(sink), d) as t:
        t.alert(alertname="A")
        tags = [tag(t, ALERTS + q)[0] for q in ("", "?silenced=false", "?filter=a%3Db", "?filter=a%3Dc", "?receiver=r")]
        equal(len(set(tags)), len(tags), tags)
        equal(t.get(ALERTS + "?filter=%3D", headers={"If-None-Match": tags[0]}).status, 400)
        old = tag(t, ALERTS)[0]
        t.stop()
        with Tocsin(simple(sink), d) as again:
            equal(tag(again, ALERTS, old)[1], 200, "another life")


def test_rules_change_what_they_show():
    with folder() as d, Sink() as sink:
        with Tocsin(simple(sink, more="rule_files: [r.yml]\n", group_wait="1h"), d, files={"r.yml": RULES % ""}) as t:
            until("it fires", lambda: len(t.alerts()) == 1)
            for path in ("/api/v1/rules", "/api/v1/alerts"):
                old = tag(t, path)[0]
                until(f"{path} changes with a run", lambda: tag(t, path, old)[1] == 200)


main()
