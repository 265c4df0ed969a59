"""A clock that is set while rules run, and a process that does not run for a while: nothing resolves, fires or waits."""
from harness import *

RULES = """groups:
  - name: g
    interval: 1s
    rules:
      - {alert: Level, expr: level > 1}
      - {alert: Rate, expr: 'rate(ticks_total[10s]) > 0'}
      - {record: copied, expr: level}
      - {alert: Copied, expr: copied > 1, for: 3s}
"""


def firing(t, name):
    return [a["status"]["state"] for a in t.alerts() if a["labels"]["alertname"] == name] == ["active"]


def told(sink, name):
    return [a["status"] for r in sink.accepted() for a in r.json()["alerts"] if a["labels"]["alertname"] == name]


def scraping(sink, exporter):
    return ("global: {scrape_interval: 1s}\nrule_files: [r.yml]\n"
            f"scrape_configs: [{{job_name: x, static_configs: [{{targets: ['{exporter.address}']}}]}}]\n" + simple(sink))


def counting(exporter):
    began = time.monotonic()

    def page():
        body = f"level 2\nticks_total {(time.monotonic() - began) * 100:.0f}\n".encode()
        return 200, {"Content-Type": TEXT}, body

    exporter.pages["/metrics"] = page


def set_for_a_moment(seconds, back_after):
    """All of our own store and rules over it: scrapes go on, alerts go on firing, and are told once."""
    with folder() as d, Sink() as s, Exporter() as x:
        clock = WallClock(d)
        counting(x)
        with Tocsin(scraping(s, x), d, files={"r.yml": RULES}, env=clock.env) as t:
            names = ("Level", "Rate", "Copied")
            until("all fire", lambda: all(firing(t, n) for n in names), 30)
            clock.set(seconds)
            time.sleep(back_after)
            clock.set(0)
            asked = len(x.requests)
            until("scrapes go on", lambda: len(x.requests) > asked + 4, 15)
            for _ in range(10):
                time.sleep(0.5)
                assert all(firing(t, n) for n in names), t.alerts()
            up = t.get("/api/v1/targets").json()["data"]["activeTargets"][0]
            equal((up["health"], up["lastError"]), ("up", ""))
            assert firing(t, "TocsinClockStepped")
            for n in names:
                equal(told(s, n), ["firing"], n)
            equal(t.metric("tocsin_tsdb_samples_refused_total", reason="out_of_order") or 0, 0)


def test_set_ahead_and_back():
    set_for_a_moment(3600, 4)


def test_set_back_and_ahead():
    set_for_a_moment(-3600, 4)


def test_samples_of_a_clock_that_was_ahead_come_back_after_a_restart():
    with folder() as d, Sink() as s, Exporter() as x:
        clock = WallClock(d)
        counting(x)
        clock.set(3600)
        with Tocsin(scraping(s, x), d, files={"r.yml": RULES}, env=clock.env) as t:
            until("it fires", lambda: firing(t, "Rate"), 30)
        clock.set(0)
        with Tocsin(scraping(s, x), d, files={"r.yml": RULES}, env=clock.env) as t:
            until("scrapes are taken", lambda: t.get("/api/v1/query?query=level").json()["data"]["result"], 15)
            until("it fires", lambda: firing(t, "Rate"), 15)
            equal(t.metric("tocsin_tsdb_samples_refused_total", reason="out_of_order") or 0, 0)


def test_set_back_while_a_group_runs():
    """The next evaluation is an interval away, not an hour."""
    asked = []

    def answer():
        asked.append(time.monotonic())
        time.sleep(1.5)
        return 200, {"Content-Type": "application/json"}, \
            b'{"status":"success","data":{"resultType":"vector","result":[]}}'

    with folder() as d, Sink() as s, Exporter() as source:
        clock = WallClock(d)
        source.pages["/api/v1/query"] = answer
        rules = "groups: [{name: g, interval: 2s, rules: [{alert: A, expr: up == 0}]}]"
        config = f"sources: [{{name: p, url: 'http://{source.address}'}}]\nrule_files: [r.yml]\n" + simple(s)
        with Tocsin(config, d, files={"r.yml": rules}, env=clock.env) as t:
            until("a run is under way", lambda: len(asked) == 2, 20)
            clock.set(-3600)
            until("runs go on", lambda: len(asked) >= 5, 20)
            clock.set(0)
            n = len(asked)
            until("runs go on", lambda: len(asked) >= n + 3, 20)


def test_a_process_that_was_stopped_resolves_nothing():
    """Senders that refresh every few seconds could not reach it: 60 groups are told once."""
    with folder() as d, Sink() as s, Tocsin(simple(s, group_interval="1s"), d) as t:
        def post():
            for i in range(60):  # spread, so that some group is due soon after the pause begins
                t.alert(ends=6, alertname=f"A{i}")
                time.sleep(0.015)

        post()
        until("all are told", lambda: len({r.json()["groupKey"] for r in s.accepted()}) == 60, 20)
        post()
        t.p.send_signal(signal.SIGSTOP)
        time.sleep(20)
        t.p.send_signal(signal.SIGCONT)
        post()
        time.sleep(3)
        statuses = [a["status"] for r in s.accepted() for a in r.json()["alerts"]]
        equal((statuses.count("firing"), statuses.count("resolved")), (60, 0))


def test_a_pause_longer_than_what_rules_look_at():
    """Windows have holes when it goes on: rules wait until the targets have answered."""
    with folder() as d, Sink() as s, Exporter() as x:
        counting(x)
        rules = "groups: [{name: g, interval: 1s, rules: [{alert: Recent, expr: 'last_over_time(level[2s]) > 1'}]}]"
        with Tocsin(scraping(s, x), d, files={"r.yml": rules}) as t:
            for _ in range(3):
                until("it fires", lambda: firing(t, "Recent"), 30)
                t.p.send_signal(signal.SIGSTOP)
                time.sleep(4)
                t.p.send_signal(signal.SIGCONT)
                for _ in range(8):
                    time.sleep(0.25)
                    assert firing(t, "Recent"), t.alerts()
            equal(told(s, "Recent"), ["firing"])


main()
