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
            t.says("left out", "b.rules.yml")
            equal(t.post("/-/reload", b"").status, 200)     # what never ran is not lost
            write(d + "/a.rules.yml", GOOD)
            equal(t.post("/-/reload", b"").status, 200)
            equal(rules(t), ["A", "A", "one", "two"])
            for broken in (ONE_BAD, NO_YAML):
                write(d + "/a.rules.yml", broken)
                r = t.post("/-/reload", b"")
                equal(r.status, 500)
                assert b"would be left out" in r.body, r.body
                equal(rules(t), ["A", "A", "one", "two"])
            os.remove(d + "/a.rules.yml")                    # meant
            equal(t.post("/-/reload", b"").status, 200)
            equal(rules(t), ["A", "two"])


def test_the_answer_to_a_reload_waits_for_what_is_shown():
    """A group that runs has its successor inherit when the run is over: the answer waits for that, but not for long for a source
    that does not answer."""
    config = "sources: [{name: p, url: 'http://%s'}]\n" + CONFIG
    one = "groups: [{name: g, interval: 1s, rules: [{record: '%s', expr: up}]}]\n"
    hangs, freed, asked = threading.Event(), threading.Event(), []

    def answer():
        asked.append(1)
        freed.wait(20) if hangs.is_set() else time.sleep(0.2)
        return 200, {"Content-Type": "application/json"}, b'{"status":"success","data":{"resultType":"vector","result":[]}}'

    with Exporter() as source, folder() as d:
        source.pages["/api/v1/query"] = answer
        with Tocsin(config % source.address, d, files={"a.rules.yml": one % "r0"}) as t:
            for turn in range(1, 5):
                n = len(asked)
                until("the group runs", lambda: len(asked) > n, step=0.001)
                write(d + "/a.rules.yml", one % f"r{turn}")
                equal(t.post("/-/reload", b"").status, 200)
                equal(rules(t), [f"r{turn}"])
            hangs.set()
            n = len(asked)
            until("the group runs", lambda: len(asked) > n)
            write(d + "/a.rules.yml", one % "late")
            equal(t.post("/-/reload", b"").status, 200)
            equal(rules(t), ["r4"], "what has the state is shown until it is handed over")
            freed.set()
            until("the last one is shown", lambda: rules(t) == ["late"])


main()
