"""--rules.tolerate-errors: one bad rule or file does not stop the others, and a reload never loses what ran."""
from harness import *

CONFIG = "rule_files: ['*.rules.yml']\nroute: {receiver: r}\nreceivers: [{name: r}]\n"
GOOD = "groups: [{name: g, interval: 1s, rules: [{record: one, expr: vector(1)}, {alert: A, expr: one > 0}]}]\n"
ONE_BAD = GOOD.replace("{alert: A, expr: one > 0}", "{alert: A, expr: 'one >'}, {alert: B, expr: one > 0}")
NO_YAML = "groups: [\n"


def rules(t):
    return sorted(r["name"] for g in t.get("/api/v1/rules").json()["data"]["groups"] for r in g["rules"])


def test_strict_by_default():
    with folder() as d:
        write(d + "/a.rules.yml", ONE_BAD)
        with Process([PROGRAM, "--storage.path=" + d + "/s", "--config.file=" + write(d + "/c.yml", CONFIG),
                      "--web.listen-address=127.0.0.1:0"]) as p:
            equal(p.wait(), 1)
            assert "a.rules.yml" in p.text(), p.text()


def test_what_is_bad_is_left_out():
    with folder() as d:
        files = {"a.rules.yml": ONE_BAD, "b.rules.yml": NO_YAML, "c.rules.yml": GOOD.replace("one", "two")}
        with Tocsin(CONFIG, d, "--rules.tolerate-errors", files=files) as t:
            equal(rules(t), ["A", "B", "one", "two"])
            until("the rest runs", lambda: {a["labels"]["alertname"] for a in t.alerts()} == {"A", "B"})
            assert "left out" in t.text() and "b.rules.yml" in t.text(), t.text()
            equal(t.post("/-/reload", b"").status, 200)     # what never ran is not lost
            write(d + "/a.rules.yml", GOOD)
            equal(t.post("/-/reload", b"").status, 200)
            # shown from when it has inherited on, which a worker does
            until("the new rules are shown", lambda: rules(t) == ["A", "A", "one", "two"])
            for broken in (ONE_BAD, NO_YAML):
                write(d + "/a.rules.yml", broken)
                r = t.post("/-/reload", b"")
                equal(r.status, 500)
                assert b"would be left out" in r.body, r.body
                equal(rules(t), ["A", "A", "one", "two"])
            os.remove(d + "/a.rules.yml")                    # meant
            equal(t.post("/-/reload", b"").status, 200)
            until("it is gone", lambda: rules(t) == ["A", "two"])


main()
