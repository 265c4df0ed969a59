"""Names of labels and matchers in any script, and what classic mode makes of them: the API's side of alertmanager.md 11.2."""
from harness import *

CONFIG = "route: {receiver: hook, group_by: [alertname]}\nreceivers: [{name: hook}]\n"
LABELS = {"a": "a", "00": "b", "Σ": "c", "🙂": "dΘ"}
FILTERS = ["00=b", "Σ=c", r'"\xf0\x9f\x99\x82"=dΘ']


def silence(*matchers):
    return {"matchers": [{"name": n, "value": v, "isRegex": False} for n, v in matchers], "startsAt": stamp(),
            "endsAt": stamp(3600), "createdBy": "me", "comment": "c"}


def listed(t, path, filters):
    query = urllib.parse.urlencode([("filter", f) for f in filters])
    r = t.get(f"/api/v2/alerts{path}?{query}")
    equal(r.status, 200, r.body)
    return [a["labels"] for g in r.json() for a in (g["alerts"] if path else [g])]


def test_any_script():
    with folder() as d, Tocsin(CONFIG, d) as t:
        t.alert(**LABELS)
        t.alert(**{"Σ": "another"})
        for path in ("", "/groups"):
            for filters in (FILTERS, *([f] for f in FILTERS)):
                equal(listed(t, path, filters), [LABELS], f"{path} {filters}")
            equal(len(listed(t, path, [])), 2)
        equal(t.post("/api/v2/silences", silence(*LABELS.items())).status, 200)
        equal([a["labels"] for a in t.alerts() if a["status"]["silencedBy"]], [LABELS])
        for bad in ({"": "x"}, {}):  # empty is no name, and there must be a label
            r = t.post("/api/v2/alerts", [{"labels": bad}])
            equal(r.status, 400, r.body)
        for bad in (b'[{"labels": {"a\xff": "x"}}]', b'[{"labels": {"b": "\xff"}}]'):  # a bad byte is U+FFFD
            equal(t.post("/api/v2/alerts", bad).status, 200, bad)
        for labels in ({"a\ufffd": "x"}, {"b": "\ufffd"}):
            assert labels in [a["labels"] for a in t.alerts()], t.alerts()


def test_classic_mode():
    with folder() as d, Tocsin(CONFIG, d, "--enable-feature=classic-mode") as t:
        r = t.post("/api/v2/alerts", [{"labels": LABELS}])
        assert r.status == 400 and b"invalid label set" in r.body, (r.status, r.body)
        r = t.post("/api/v2/silences", silence(*LABELS.items()))
        assert r.status == 400 and b"invalid silence" in r.body and b"invalid label matcher" in r.body, (r.status, r.body)
        equal(t.alerts(), [])
        values = {"alertname": "显存", "a": "🙂"}  # values may be what they like
        t.alert(**values)
        equal([a["labels"] for a in t.alerts()], [values])
        equal(t.post("/api/v2/silences", silence(*values.items())).status, 200)
        equal(len([a for a in t.alerts() if a["status"]["silencedBy"]]), 1)


def test_filters_and_inhibition():
    """FilterAlertRequest: one request, two alerts; a rule whose labels are not equal inhibits nothing."""
    rule = "inhibit_rules: [{source_matchers: [severity=critical], target_matchers: [severity=warning], equal: [alertname]}]\n"
    with folder() as d, Tocsin(CONFIG + rule, d) as t:
        a, b = {"alertname": "test1", "severity": "warning"}, {"system": "foo", "severity": "critical"}
        equal(t.post("/api/v2/alerts", [{"labels": a}, {"labels": b}]).status, 200)
        got = t.alerts("?filter=alertname%3Dtest1&filter=severity%3Dwarning")
        equal([(x["labels"], x["status"]["state"], x["fingerprint"]) for x in got], [(a, "active", "8f14a41207c8456c")])


main()
