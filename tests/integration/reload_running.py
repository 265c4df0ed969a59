"""Reloads while a rule group's run is under way: its state reaches whatever is the group's next, and nothing is lost."""
from harness import *

SLOW = 2.0


class Source:
    """A query API that answers after a while, with one sample."""

    def __init__(self):
        self.x = Exporter()
        self.asked, self.delay = 0, SLOW
        self.x.pages["/api/v1/query"] = self.answer

    def answer(self):
        self.asked += 1
        time.sleep(self.delay)
        return 200, {"Content-Type": "application/json"}, \
            b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{"gpu":"0"},"value":[1,"7"]}]}}'


def rules(*groups):
    return "groups:\n" + "".join(
        f"  - {{name: {name}, interval: 2s, rules: [{{alert: A, expr: 'temp > {n}'}}]}}\n" for name, n in groups)


def under_way(steps, then):
    """steps: rules for one reload after another, all while the first run is under way."""
    source = Source()
    with folder() as d, Sink() as s, source.x:
        config = f"sources: [{{name: p, url: 'http://{source.x.address}'}}]\nrule_files: [r.yml]\n" + simple(s)
        with Tocsin(config, d, files={"r.yml": rules(("g", 1))}) as t:
            until("a run is under way", lambda: source.asked == 1, 20)
            for step in steps:
                write(os.path.join(d, "r.yml"), rules(*step))
                n = t.text().count("configuration loaded")
                t.p.send_signal(signal.SIGHUP)  # a POST would be answered when the run is over
                until("it is in force", lambda: t.text().count("configuration loaded") > n)
            equal(source.asked, 1)
            source.delay = 0
            time.sleep(SLOW + 1)
            then(t, s, source)


def goes_on(t, s, source):
    until("it fires", lambda: [a["labels"]["alertname"] for a in t.alerts()] == ["A"], 15)
    n = source.asked
    until("runs go on", lambda: source.asked > n + 2, 15)
    equal(t.get("/api/v1/rules").json()["status"], "success")


def is_gone(t, s, source):
    n = source.asked
    time.sleep(3)
    equal(source.asked, n, "queries after the group has gone")
    equal(t.get("/api/v1/rules").json()["data"]["groups"], [])


def test_changed_once():
    under_way([[("g", 2)]], goes_on)


def test_changed_twice():
    under_way([[("g", 2)], [("g", 3)]], goes_on)


def test_changed_three_times_and_back():
    under_way([[("g", 2)], [("g", 3)], [("g", 1)]], goes_on)


def test_changed_then_removed():
    under_way([[("g", 2)], []], is_gone)


def test_removed_and_back():
    under_way([[], [("g", 1)]], goes_on)


def test_changed_removed_and_back():
    under_way([[("g", 2)], [], [("g", 3)], [("g", 4)]], goes_on)


def test_renamed_twice():
    under_way([[("h", 1)], [("g", 2), ("h", 2)], [("i", 1)]], goes_on)


main()
