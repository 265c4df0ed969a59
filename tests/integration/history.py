"""History: what memory has forgotten is on disk, whatever ends the process; a bad disk costs history, and no rule and no page.

HISTORY_ROUNDS=200 for a long run of kills and power cuts."""
import random
import urllib.parse
from harness import *
from powercut import Disk

ROUNDS = int(os.environ.get("HISTORY_ROUNDS", "4"))
SPAN = 300
RULES = "groups: [{name: g, interval: 1s, rules: [{record: copied, expr: level}, {alert: High, expr: level > 100}]}]\n"


def config(x, what="all", more="", keep="24h", interval="200ms"):
    return ("global: {scrape_interval: %s}\nrule_files: [r.yml]\nstorage: {history: {keep: %s, what: %s}}\n"
            "scrape_configs: [{job_name: x, static_configs: [{targets: ['%s']}]}]\n%s"
            % (interval, keep, what, x.address, more))


class Clock(WallClock):
    """Its spans end when a test wants them to."""

    def __init__(self, d):
        super().__init__(d)
        self.ahead = 0

    def now(self):
        return time.time() + self.ahead

    def ends_in(self, seconds, skip=0):
        """The next span, or one of those behind, is over, and due to be written, in so many seconds."""
        due = (int(self.now()) // SPAN + 1 + skip) * SPAN + 10
        self.ahead += due - seconds - int(self.now())
        self.set(self.ahead)


def counting(x):
    """A page whose value grows with each scrape, from 1 on. Returns when each was shown."""
    shown = []

    def page():
        shown.append(time.time())
        return 200, {"Content-Type": TEXT}, (
            "# TYPE level gauge\nlevel %d\n# TYPE other gauge\nother{a=\"b\"} 1\n" % len(shown)).encode()

    x.pages["/metrics"] = page
    return shown


def ask(t, path, **args):
    r = t.get(f"/api/v1/{path}?" + urllib.parse.urlencode(args)).json()
    equal(r["status"], "success", str(r))
    return r


def instant(t, query, at):
    return ask(t, "query", query=query, time=at)


def samples(t, clock, name="level", since=3600):
    """What there is of a series, memory and disk together: the values."""
    now = clock.now()
    r = instant(t, f"{name}[{since}s]", now + 1)["data"]["result"]
    return [float(v) for s in r for _, v in s["values"]]


def samples_are_back(t):
    until("the log is replayed, and history found", lambda: t.metric("tocsin_tsdb_replaying") == 0)


def spans(t):
    return t.metric("tocsin_history_spans_written_total")


def test_what_memory_has_forgotten():
    with folder() as d, Exporter() as x:
        clock, shown = Clock(d), counting(x)
        clock.ends_in(4)
        with Tocsin(config(x), d, files={"r.yml": RULES}, env=clock.env) as t:
            until("a span is written", lambda: spans(t), 30)
            time.sleep(1)
        before = len(shown)
        clock.ends_in(3, skip=12)  # an hour later
        with Tocsin(config(x), d, files={"r.yml": RULES}, env=clock.env) as t:
            until("scrapes go on", lambda: len(shown) > before + 3)
            until("the rest is written, too", lambda: spans(t), 30)
            got = samples(t, clock, since=7200)
            equal(sorted(set(range(1, before - 10)) - set(got)), [], "values that are gone")
            equal(sorted(got), sorted(set(got)), "values that are there twice")
            r = ask(t, "query_range", query="max_over_time(level[1m])", start=clock.now() - 7200, end=clock.now(), step=15)
            assert len(r["data"]["result"][0]["values"]) >= 2, r
            assert "warnings" not in r, r
            then = {"start": clock.now() - 7200, "end": clock.now() - 3000}
            names = ask(t, "label/__name__/values", **then)["data"]
            assert {"level", "other", "copied", "up", "scrape_duration_seconds"} <= set(names), names
            equal(ask(t, "series", **{"match[]": "other", **then})["data"],
                  [{"__name__": "other", "a": "b", "instance": x.address, "job": "x"}])
            equal(ask(t, "series", **{"match[]": "other", "start": clock.now() - 3000, "end": clock.now() - 2000})["data"], [])
            r = t.get("/api/v2/explain?rule=High&at=%d" % (clock.now() - 3720)).json()["rules"][0]
            equal([c["reason"] for c in r["causes"]], ["comparison"], str(r))
            assert "then" in t.get("/api/v2/explain?rule=High&format=text&at=%d" % (clock.now() - 3720)).body.decode()
            r = t.get("/api/v2/explain?rule=High&at=%d" % (clock.now() - 1800)).json()["rules"][0]
            equal([c["reason"] for c in r["causes"]], ["ended"], "nothing was scraped then")
            status = t.get("/api/tocsin/history").json()
            equal((status["state"], status["damaged"]), ("writes", 0))


def test_what_is_written_follows_the_configuration():
    with folder() as d, Exporter() as x:
        clock, shown = Clock(d), counting(x)
        clock.ends_in(3)
        with Tocsin(config(x, "essentials"), d, files={"r.yml": RULES}, env=clock.env) as t:
            def reload(text):
                write(t.config_file, text)
                equal(t.post("/-/reload", "").status, 200)

            until("a span is written", lambda: spans(t), 30)
            clock.ends_in(300)  # memory has forgotten it
            until("scrapes go on", lambda: len(shown) > 20)
            files = os.listdir(d + "/data/history")
            assert any(f.endswith(".db") for f in files), files
            r = instant(t, "level", clock.now() - 400)
            assert any("level is kept in memory only" in w for w in r.get("warnings", [])), r
            r = instant(t, "copied", clock.now() - 400)
            assert not r.get("warnings"), r
            r = instant(t, "other", clock.now())
            assert any("other is scraped and not kept" in w for w in r.get("warnings", [])), r
            reload(config(x, "all"))
            n = spans(t)
            clock.ends_in(3)
            until("a span more", lambda: spans(t) > n, 30)
            assert not instant(t, "other", clock.now()).get("warnings")
            reload(config(x, keep="0s"))
            until("nothing is there", lambda: not [f for f in os.listdir(d + "/data/history") if f.endswith(".db")], 10)
            until("it says so", lambda: t.metric("tocsin_history_state", state="off") == 1)
            reload(config(x, "selected"))
            n = spans(t)
            clock.ends_in(3)
            until("a span more", lambda: spans(t) > n, 30)
            until("it says so", lambda: t.metric("tocsin_history_state", state="writes") == 1)


def end_again_and_again(d, how, lost, rounds):
    """Each life of some seconds in which a span is written. What was scraped longer ago than `lost` before its end is there."""
    disk, rng = Disk(d), random.Random(5)
    with Exporter() as x:
        clock, shown, must, worst, total = Clock(d), counting(x), set(), 0.0, 0
        env = {**disk.env, **clock.env, "LD_PRELOAD": disk.env["LD_PRELOAD"] + ":" + clock.env["LD_PRELOAD"]}
        for i in range(rounds):
            clock.ends_in(rng.choice([1, 2, 3, 4]))
            with Tocsin(config(x), d, storage=disk.folder, files={"r.yml": RULES}, env=env) as t:
                samples_are_back(t)
                got = set(samples(t, clock, since=SPAN * (i + 3)))
                equal(sorted(must - got)[:20], [], f"values that are gone, of {len(must)}, round {i}")
                first = len(shown)
                time.sleep(lost + rng.uniform(0.5, 3))
                t.kill()
                end = time.time()
            must |= {n for n, at in enumerate(shown[first:], first + 1) if at < end - lost}
            total += 1
            how(disk)
        with Tocsin(config(x), d, storage=disk.folder, files={"r.yml": RULES}, env=env) as t:
            samples_are_back(t)
            got = samples(t, clock, since=SPAN * (rounds + 3))
            equal(sorted(must - set(got)), [], "values that are gone")
            equal(len(got), len(set(got)), "values, each once")
            equal(t.metric("tocsin_history_damaged_total"), 0)
        print(f"{total} times: {len(must)} values older than {lost} s before an end, all there")


def test_kills():
    with folder() as d:
        end_again_and_again(d, lambda disk: None, 1.5, ROUNDS)


def test_power_cuts():
    with folder() as d:
        end_again_and_again(d, Disk.cut, 6.5, ROUNDS // 2)


def told(sink, name):
    return [a["status"] for r in sink.accepted() for a in r.json()["alerts"] if a["labels"]["alertname"] == name]


def test_a_full_disk_keeps_no_rule_and_no_page_back():
    with folder() as d, Exporter() as x, Sink() as sink:
        disk, clock = Disk(d), Clock(d)
        env = {**disk.env, **clock.env, "LD_PRELOAD": disk.env["LD_PRELOAD"] + ":" + clock.env["LD_PRELOAD"]}
        x.text("/metrics", "level 1\n")
        clock.ends_in(4)
        with Tocsin(config(x, more=simple(sink)), d, storage=disk.folder, files={"r.yml": RULES}, env=env) as t:
            until("a span is written", lambda: spans(t), 30)
            disk.mode("f")
            clock.ends_in(2)
            until("it fails", lambda: t.metric("tocsin_history_failures_total"), 30)
            until("it says so", lambda: t.metric("tocsin_history_state", state="fails") == 1)
            x.text("/metrics", "level 200\n")
            until("the alert is told", lambda: told(sink, "High") == ["firing"], 15)
            disk.mode("n")
            clock.ends_in(2, skip=1)
            until("there is little room", lambda: t.metric("tocsin_history_state", state="no_room"), 60)
            n = spans(t)
            disk.mode("")
            until("it is written again", lambda: spans(t) > n, 60)
            until("it says so", lambda: t.metric("tocsin_history_state", state="writes") == 1)


def test_a_damaged_day_is_set_aside_and_told():
    with folder() as d, Exporter() as x:
        clock, shown = Clock(d), counting(x)
        clock.ends_in(3)
        with Tocsin(config(x), d, files={"r.yml": RULES}, env=clock.env) as t:
            until("a span is written", lambda: spans(t), 30)
        [name] = [f for f in os.listdir(d + "/data/history") if f.endswith(".db")]
        with open(f"{d}/data/history/{name}", "r+b") as f:
            f.seek(100)
            f.write(b"\xff" * 4000)
        with Tocsin(config(x), d, files={"r.yml": RULES}, env=clock.env) as t:
            until("it is told", lambda: t.metric("tocsin_history_damaged_total") == 1, 10)
            until("the alert", lambda: any(a["labels"]["alertname"] == "TocsinStoreDegraded" for a in t.alerts()), 10)
            assert os.path.exists(f"{d}/data/history/{name}.damaged")
            n = len(shown)
            until("scrapes go on", lambda: len(shown) > n + 3)
            clock.ends_in(2)
            until("and history", lambda: spans(t), 30)
            assert samples(t, clock)


def test_graphs_of_what_a_prometheus_has_ask_it():
    with folder() as d, Exporter() as x:
        matrix = {"status": "success", "data": {"resultType": "matrix", "result": [
            {"metric": {"__name__": "m"}, "values": [[1, "7"]]}]}}
        x.pages["/api/v1/query_range"] = 200, {"Content-Type": "application/json"}, json.dumps(matrix).encode()
        x.pages["/api/v1/query"] = 422, {"Content-Type": "application/json"}, json.dumps(
            {"status": "error", "errorType": "execution", "error": "too many of them"}).encode()
        text = "sources: [{name: prom, url: 'http://%s'}]\nrule_files: [r.yml]\n" % x.address
        with Tocsin(text, d, files={"r.yml": "groups: [{name: g, interval: 1h, rules: [{record: copied, expr: m}]}]\n"}) as t:
            times = {"start": 0, "end": 60, "step": 15}
            equal(ask(t, "query_range", query="m", **times), matrix)
            r = t.get("/api/v1/query?query=m")
            equal((r.status, r.json()["error"]), (422, "too many of them"))
            equal(ask(t, "query_range", query="copied", **times)["data"]["result"], [], "our own store has what is recorded")
            equal(ask(t, "query_range", query="copied", source="prom", **times), matrix)
            equal(ask(t, "query_range", query="m", source="own", **times)["data"]["result"], [])
            equal(t.get("/api/v1/query?query=m&source=nobody").status, 400)


main()
