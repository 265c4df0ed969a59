"""Remote write: what rules leave arrives at others, in order, once, and whatever ends the process or the remote meanwhile.

REMOTE_OUTAGE=300 for a remote that is away for minutes; REMOTE_ROUNDS=50 for a long run of kills."""
import math
import random
from harness import *
from powercut import Disk

OUTAGE = float(os.environ.get("REMOTE_OUTAGE", "4"))
ROUNDS = int(os.environ.get("REMOTE_ROUNDS", "3"))
STALE = 0x7ff0000000000002
RULES = """groups:
  - name: g
    interval: 1s
    rules:
      - {record: copied, expr: level}
      - {record: 'squared:level', expr: level * level, labels: {by: hand}}
      - {alert: High, expr: level > 100, labels: {severity: page}}
      - {alert: Soon, expr: level > 100, for: 1h}
"""


# -- what arrives --

def varint(b, at):
    v = shift = 0
    while True:
        v |= (b[at] & 0x7f) << shift
        at, shift = at + 1, shift + 7
        if b[at - 1] < 0x80:
            return v, at


def unsnap(b):
    """A block of snappy."""
    n, at = varint(b, 0)
    out = bytearray()
    while at < len(b):
        tag = b[at]
        at += 1
        if tag & 3 == 0:
            size = tag >> 2
            if size >= 60:
                more = size - 59
                size = int.from_bytes(b[at:at + more], "little")
                at += more
            out += b[at:at + size + 1]
            at += size + 1
            continue
        if tag & 3 == 1:
            size, back = (tag >> 2 & 7) + 4, tag >> 5 << 8 | b[at]
            at += 1
        else:
            size, wide = (tag >> 2) + 1, 2 if tag & 3 == 2 else 4
            back = int.from_bytes(b[at:at + wide], "little")
            at += wide
        assert 0 < back <= len(out), "a copy of what is not there"
        for _ in range(size):
            out.append(out[-back])
    equal(len(out), n, "the length that the block says")
    return bytes(out)


def fields(b):
    at = 0
    while at < len(b):
        key, at = varint(b, at)
        if key & 7 == 0:
            v, at = varint(b, at)
        elif key & 7 == 1:
            v, at = b[at:at + 8], at + 8
        else:
            assert key & 7 == 2, key
            n, at = varint(b, at)
            v, at = b[at:at + n], at + n
        yield key >> 3, v


def bits(v):
    return struct.unpack("<Q", struct.pack("<d", v))[0]


class Sample:
    def __init__(self, labels, t, v):
        self.labels, self.t, self.v = labels, t, v
        self.name = labels.get("__name__")
        self.key = tuple(sorted(labels.items()))
        self.is_stale = isinstance(v, float) and bits(v) == STALE

    def __repr__(self):
        return f"{self.labels} {'stale' if self.is_stale else self.v} @{self.t}"


def decode(body):
    """The samples of a request, and what it tells of metrics."""
    samples, metadata = [], []
    for field, m in fields(unsnap(body)):
        if field == 3:
            metadata.append({k: v if isinstance(v, int) else v.decode() for k, v in fields(m)})
            continue
        equal(field, 1)
        parts = list(fields(m))
        pairs = [tuple(v.decode() for _, v in sorted(fields(p))) for k, p in parts if k == 1]
        equal([n for n, _ in pairs], sorted(n for n, _ in pairs), "labels in order")
        labels = dict(pairs)
        for k, p in parts:
            if k == 2:
                s = dict(fields(p))
                samples.append(Sample(labels, s.get(2, 0), struct.unpack("<d", s.get(1, bytes(8)))[0]))
            elif k == 4:
                samples.append(Sample(labels, dict(fields(p))[15], dict(fields(p))))
    return samples, metadata


class Remote(Sink):
    def requests(self):
        return [r for r in list(self.got) if r.method == "POST"]

    def samples(self, taken=True):
        """All that was taken; or all that was sent."""
        return [s for r in self.requests() if not taken or r.behaviour == 200 for s in decode(r.body)[0]]

    def metadata(self):
        return [m for r in self.requests() if r.behaviour == 200 for m in decode(r.body)[1]]

    def of(self, name, **labels):
        return [s for s in self.samples() if s.name == name and all(s.labels.get(k) == v for k, v in labels.items())]


def well_ordered(samples):
    """Each series' samples come in the order of their times, and none twice."""
    last = {}
    for s in samples:
        assert s.key not in last or last[s.key] < s.t, f"{s} behind {last[s.key]}"
        last[s.key] = s.t


def without_gaps(samples, name, step=1.0):
    times = [s.t for s in samples if s.name == name]
    gaps = [(a, b) for a, b in zip(times, times[1:]) if b - a > 1000 * step * 1.5]
    return times, gaps


class Level(Exporter):
    """A page with one series that the test sets."""

    def __init__(self, level=1):
        super().__init__()
        self.level = level
        self.pages["/metrics"] = lambda: (200, {"Content-Type": TEXT}, (
            "# HELP level How high.\n# TYPE level gauge\nlevel{gpu=\"0\"} %g\n" % self.level).encode())


def config(x, remote, more="", top="", queue="batch_send_deadline: 1s"):
    return ("global: {scrape_interval: 500ms%s}\nrule_files: [r.yml]\n"
            "scrape_configs: [{job_name: x, static_configs: [{targets: ['%s']}]}]\n"
            "storage: {history: {keep: 0}, remote_write: [{name: r, url: '%s', queue_config: {%s}%s}]}\n"
            % (top, x.address, remote.url, queue, more))


def start(d, text, **options):
    return Tocsin(text, d, files={"r.yml": RULES}, **options)


def reload(t, text):
    write(t.config_file, text)
    equal(t.post("/-/reload", "").status, 200, t.text()[-2000:])


# -- what is written --

def test_what_rules_leave():
    with folder() as d, Level(150) as x, Remote() as r:
        with start(d, config(x, r, top=", external_labels: {cluster: c1, by: tocsin}")) as t:
            until("all is there", lambda: {s.name for s in r.samples()} == {"copied", "squared:level", "ALERTS", "ALERTS_FOR_STATE"})
            rq = r.requests()[0]
            equal({k: rq.headers[k] for k in ("content-encoding", "content-type", "x-prometheus-remote-write-version")},
                  {"content-encoding": "snappy", "content-type": "application/x-protobuf", "x-prometheus-remote-write-version": "0.1.0"})
            assert rq.headers["user-agent"].startswith("tocsin/"), rq.headers
            own = {"gpu": "0", "instance": x.address, "job": "x", "cluster": "c1", "by": "tocsin"}
            equal(r.of("copied")[0].labels, {"__name__": "copied", **own})
            equal(r.of("squared:level")[0].labels, {"__name__": "squared:level", **own, "by": "hand"})
            equal({(s.labels["alertname"], s.labels["alertstate"], s.v) for s in r.of("ALERTS")},
                  {("High", "firing", 1.0), ("Soon", "pending", 1.0)})
            assert all(abs(s.v - time.time()) < 60 for s in r.of("ALERTS_FOR_STATE"))
            x.level = 7
            until("alerts end", lambda: len([s for s in r.of("ALERTS") if s.is_stale]) == 2)
            equal(len([s for s in r.of("ALERTS_FOR_STATE") if s.is_stale]), 2)
            ends = {s.t for s in r.of("ALERTS") if s.is_stale}
            equal(len([s for s in r.of("copied", by="tocsin") if s.t in ends and s.v == 7]), 1, "at the same run")
            x.pages["/metrics"] = lambda: (500, {}, b"")
            until("results end", lambda: any(s.is_stale for s in r.of("copied")))
            well_ordered(r.samples())
            equal([s for s in r.samples() if s.name in ("level", "up")], [], "what is scraped")
            equal({(m[2], m[1]) for m in r.metadata()}, {("ALERTS", 2), ("ALERTS_FOR_STATE", 2)})
            until("all is counted", lambda: t.metric("tocsin_remote_write_samples_total", remote="r") == len(r.samples()))



def test_all_that_is_scraped():
    more = """, what: all, metadata_config: {send_interval: 1s}, headers: {X-Scope-OrgID: team},
      write_relabel_configs: [{source_labels: [__name__], regex: 'scrape_.*', action: drop}, {regex: job, action: labeldrop}]"""
    with folder() as d, Level(7) as x, Remote() as r:
        with start(d, config(x, r, more)) as t:
            until("all is there", lambda: {s.name for s in r.samples()} == {"level", "up", "copied", "squared:level"})
            equal(r.of("level")[0].labels, {"__name__": "level", "gpu": "0", "instance": x.address})
            equal({q.headers["x-scope-orgid"] for q in r.requests()}, {"team"})
            until("metadata", lambda: {"level", "ALERTS"} <= {m[2] for m in r.metadata()})
            equal([m for m in r.metadata() if m[2] == "level"][0], {1: 2, 2: "level", 4: "How high."})
            x.pages["/metrics"] = lambda: (500, {}, b"")
            until("it ends", lambda: any(s.is_stale for s in r.of("level")))
            until("and up says so", lambda: r.of("up")[-1].v == 0)
            well_ordered(r.samples())
            equal(t.get("/api/tocsin/remote_write").json()[0]["what"], "all")


SHARED_RULES = """groups:
  - name: g
    interval: 1s
    rules:
      - {record: copied, expr: level}
      - {record: 'job:level:sum', expr: sum by (job) (level), labels: {by: hand}}
      - {record: 'level:max', expr: 'max by (instance, job) (level)'}
      - {alert: High, expr: level > 100, labels: {severity: page}}
      - {alert: Slow, expr: level > 100, for: 6s}
      - {alert: Gone, expr: absent(level)}
"""
STEADY = 2.2  # both have scraped and run since a change, and one scrape may have been late


def ranges(p, query, start, end):
    """Values by series and instant, with a step of a second."""
    r = request("GET", p.url + "/api/v1/query_range?" + urllib.parse.urlencode(
        {"query": query, "start": start, "end": end, "step": 1}), timeout=30).json()
    equal(r["status"], "success", str(r))
    return {tuple(sorted((k, v) for k, v in s["metric"].items() if k != "via")): {t: float(v) for t, v in s["values"]}
            for s in r["data"]["result"]}


def test_prometheus_gets_what_it_evaluates_itself():
    """One Prometheus scrapes, answers tocsin's rules, runs the same rules, and gets what tocsin's leave."""
    with folder() as d, Level(1) as x, Prometheus(d, [x.address], rules=SHARED_RULES,
                                                  flags=["--web.enable-remote-write-receiver"]) as p:
        text = """sources: [{name: p, url: '%s'}]
rule_files: [r.yml]
storage: {remote_write: [{name: p, url: '%s/api/v1/write', queue_config: {batch_send_deadline: 1s},
                          write_relabel_configs: [{target_label: via, replacement: tocsin}]}]}
""" % (p.url, p.url)
        with Tocsin(text, d, files={"r.yml": SHARED_RULES}) as t:
            until("samples arrive", lambda: p.value('copied{via="tocsin"}') is not None, 20)
            time.sleep(STEADY)
            began, changes = math.ceil(time.time()), []
            for level, seconds in ((150, 14), (7, 7), (None, 7), (3, 7), (101, 13)):
                x.pages["/metrics"] = (500, {}, b"") if level is None else (200, {"Content-Type": TEXT}, (
                    "# TYPE level gauge\nlevel{gpu=\"0\"} %g\nlevel{gpu=\"1\"} 5\n" % level).encode())
                changes += [time.time()] + ([time.time() + 6] if (level or 0) > 100 else [])
                time.sleep(seconds)
            ended = math.floor(time.time())
            until("all has arrived", lambda: t.metric("tocsin_remote_write_pending_samples", remote="p") == 0, 20)
            time.sleep(2)
            equal(t.metric("tocsin_remote_write_samples_dropped_total", remote="p", reason="rejected"), 0)
            steady = [at for at in range(began, ended) if all(at < c - 0.2 or at > c + STEADY for c in changes)]
            compared = 0
            for name in ("copied", "job:level:sum", "level:max", "ALERTS", "ALERTS_FOR_STATE"):
                theirs = ranges(p, '{__name__="%s",via=""}' % name, began, ended)
                ours = ranges(p, '{__name__="%s",via="tocsin"}' % name, began, ended)
                equal(sorted(ours), sorted(theirs), "series of " + name)
                for series in theirs:
                    for at in steady:
                        a, b = ours[series].get(at), theirs[series].get(at)
                        compared += b is not None
                        if name == "ALERTS_FOR_STATE" and a is not None and b is not None:
                            assert abs(a - b) <= STEADY, (series, at, a, b)
                        else:
                            equal(a, b, f"{series} at {at}")
            assert len(steady) > 10 and compared > 60, (len(steady), compared)
            ends = request("GET", p.url + "/api/v1/query?" + urllib.parse.urlencode({"query": 'count({via="tocsin"})'})).json()
            equal(ends["data"]["result"][0]["value"][1], request("GET", p.url + "/api/v1/query?" + urllib.parse.urlencode(
                {"query": 'count({__name__=~"copied|job:level:sum|level:max|ALERTS|ALERTS_FOR_STATE",via=""})'})).json()["data"]["result"][0]["value"][1])
            print(f" {len(steady)} instants, {compared} values compared", end="")


# -- remotes that are not well --

def test_a_remote_that_is_away():
    with folder() as d, Level() as x, Remote() as r:
        with start(d, config(x, r)) as t:
            until("samples arrive", r.samples)
            r.otherwise = CLOSE
            r.close()
            until("they wait", lambda: t.metric("tocsin_remote_write_pending_samples", remote="r") > 2)
            time.sleep(OUTAGE)
            until("it is said", lambda: "a remote takes no samples" in t.text())
            equal(t.get("/api/tocsin/remote_write").json()[0]["state"], "failing")
            assert t.metric("tocsin_remote_write_lag_seconds", remote="r") > OUTAGE / 2
            with Remote() as r2:
                reload(t, config(x, r2))  # the queue goes by the name
                until("all has arrived", lambda: t.metric("tocsin_remote_write_pending_samples", remote="r") == 0, 30)
                until("it is well", lambda: t.get("/api/tocsin/remote_write").json()[0]["state"] == "well")
                all_samples = r.samples() + r2.samples()
                well_ordered(all_samples)
                times, gaps = without_gaps(all_samples, "copied")
                equal(gaps, [], "what is missing")
                assert times[-1] - times[0] > OUTAGE * 1000
                equal(t.metric("tocsin_remote_write_samples_dropped_total", remote="r", reason="no_room"), 0)


def test_a_remote_that_is_away_and_a_kill():
    with folder() as d, Level() as x, Remote() as r:
        text = config(x, r)
        with start(d, text) as t:
            until("samples arrive", r.samples)
            r.otherwise = CLOSE
            r.close()
            time.sleep(OUTAGE / 2)
            must = ask_instant(t, "copied[5m]")
            t.kill()
            must = [at for at in must if at < time.time() * 1000 - 1200]
        with start(d, text) as t, Remote() as back:
            until("rules run", lambda: t.metric("tocsin_remote_write_requests_total", remote="r"), 20)
            time.sleep(OUTAGE / 2)
            must += [at for at in ask_instant(t, "copied[5m]") if at > must[-1] + 1200]
            reload(t, config(x, back))
            until("all has arrived", lambda: t.metric("tocsin_remote_write_pending_samples", remote="r") == 0, 30)
            got = r.samples() + back.samples()
            well_ordered(got)  # none twice, too
            times = {s.t for s in got if s.name == "copied"}
            until("the last ones, too", lambda: {s.t for s in back.of("copied")} >= set(must[-2:]))
            equal([at for at in must if at not in times | {s.t for s in back.of("copied")}], [], "what is lost")
            print(f" {len(must)} runs, a kill after {OUTAGE / 2:g} s of {OUTAGE:g} s", end="")


def test_answers_that_are_no_2xx():
    with folder() as d, Level() as x:
        with Remote(500, 503, (429, {"Retry-After": "2"}), 500) as r:
            with start(d, config(x, r, ", metadata_config: {send: false}", queue="batch_send_deadline: 1s, retry_on_http_429: true, min_backoff: 100ms")) as t:
                until("it is taken in the end", lambda: len(r.samples()) > 2, 20)
                got = r.requests()[:5]
                equal([q.behaviour for q in got], [500, 503, (429, {"Retry-After": "2"}), 500, 200])
                equal({q.body for q in got}, {got[0].body}, "the same again")
                waits = [b.at - a.at for a, b in zip(got, got[1:])]
                assert 0.09 < waits[0] < waits[1] and 2 <= waits[2] < 4 and waits[3] >= 0.7, waits
                well_ordered(r.samples())
                equal(t.metric("tocsin_remote_write_requests_failed_total", remote="r"), 4)
                t.says("a remote takes no samples", "a remote takes samples again")
                equal([t.text().count(f"a remote takes {x}") for x in ("no samples", "samples again")], [1, 1])
        with folder() as d2, Remote(400, (429, {"Retry-After": "60"})) as r:
            with start(d2, config(x, r, ", metadata_config: {send: false}")) as t:
                until("what comes later is taken", lambda: len(r.samples()) > 2, 20)
                first, second = r.requests()[:2]
                assert first.body != second.body and second.body != r.requests()[2].body, "a refused one is not sent again"
                lost = len(decode(first.body)[0]) + len(decode(second.body)[0])
                until("it is counted", lambda: t.metric("tocsin_remote_write_samples_dropped_total", remote="r", reason="rejected") == lost)
                until("it is said", lambda: t.text().count("a remote refuses samples: they are dropped") == 2)
                a = until("it is told", lambda: [a for a in t.alerts() if a["labels"]["alertname"] == "TocsinRemoteWriteFailing"])[0]
                equal(a["labels"]["remote"], "r")
                assert re.match(r"[1-9]\d* samples are lost since the start, ", a["annotations"]["description"]), a


def ask_instant(t, query):
    """When there are samples, in ms."""
    r = t.get("/api/v1/query?query=" + urllib.parse.quote(query)).json()["data"]["result"]
    return [round(float(at) * 1000) for s in r for at, _ in s["values"]]


def test_kills():
    """Nothing of what the log has got is lost, and what has been answered for a while is not sent again."""
    rng = random.Random(7)
    with folder() as d, Level() as x, Remote() as r:
        text = config(x, r, ", metadata_config: {send: false}", queue="batch_send_deadline: 4s").replace("500ms", "200ms")
        rounds = []
        for n in range(ROUNDS):
            r.otherwise = 500 if n % 3 == 1 else 200  # in some lives nothing is taken
            began = time.time()
            with start(d, text) as t:
                until("samples wait or arrive", lambda: t.metric("tocsin_remote_write_requests_total", remote="r"), 20)
                time.sleep(3 + rng.random() * 3)
                rounds.append((began, time.time(), [at for at in ask_instant(t, "copied[1m]") if at >= began * 1000]))
                t.kill()
        r.otherwise = 200
        with start(d, text) as t:
            until("all is taken", lambda: t.metric("tocsin_remote_write_samples_total", remote="r") and
                  t.metric("tocsin_remote_write_pending_samples", remote="r") == 0, 30)
            time.sleep(2)
        taken = r.of("copied")
        times = [s.t for s in taken]
        for began, killed, seen in rounds:
            missing = [at for at in seen if at not in times and killed * 1000 - at > 1200]
            equal(missing, [], f"samples of a life that was killed {killed}")
            assert seen, "nothing was recorded in a life"
        # The one request under way when a life ended may come again, as it was.
        again = len(times) - len(set(times))
        bodies = [q.body for q in r.requests() if q.behaviour == 200]
        twice = [b for b in set(bodies) if bodies.count(b) > 1]
        assert len(twice) <= ROUNDS, len(twice)
        unique = []
        for b in bodies:
            if b not in unique:
                unique.append(b)
        well_ordered([s for b in unique for s in decode(b)[0]])
        print(f" {ROUNDS} kills, {len(times)} samples, {again} twice in {len(twice)} requests", end="")


def test_power_cuts():
    """What is older than the last sync of five seconds is not lost. Answers may be, and what they were about comes again as it was."""
    rng = random.Random(11)
    with folder() as d, Level() as x, Remote() as r:
        disk = Disk(d)
        text = config(x, r, ", metadata_config: {send: false}").replace("500ms", "200ms")
        must = []
        for n in range((ROUNDS + 1) // 2):
            r.otherwise = 500 if n % 2 == 0 else 200
            began = time.time()
            with start(d, text, storage=disk.folder, env=disk.env) as t:
                time.sleep(8 + rng.random() * 4)
                seen = ask_instant(t, "copied[1m]")
                t.kill()
                must += [at for at in seen if began * 1000 <= at < time.time() * 1000 - 6500]
            disk.cut()
        r.otherwise = 200
        with start(d, text, storage=disk.folder, env=disk.env) as t:
            until("all is taken", lambda: t.metric("tocsin_remote_write_samples_total", remote="r") and
                  t.metric("tocsin_remote_write_pending_samples", remote="r") == 0, 30)
        values = {}
        for s in r.samples():
            equal(values.setdefault((s.key, s.t), bits(s.v)), bits(s.v), "another value at the same time")
        assert must, "nothing was to be kept"
        equal([at for at in must if at not in {s.t for s in r.of("copied")}], [], "what is lost")


def test_a_full_disk_keeps_nothing_back():
    with folder() as d, Level() as x, Remote() as r, Sink() as pages:
        disk = Disk(d)
        text = config(x, r, ", metadata_config: {send: false}") + simple(pages)
        with start(d, text, storage=disk.folder, env=disk.env) as t:
            until("samples arrive", r.samples)
            r.otherwise = 500
            disk.mode("f")
            until("they wait in memory", lambda: t.metric("tocsin_remote_write_in_memory", remote="r") == 1, 20)
            t.says("samples for remotes wait in memory")
            x.level = 200
            until("the alert is told", lambda: pages.accepted(), 15)
            before = t.metric("tocsin_remote_write_pending_samples", remote="r")
            until("more wait", lambda: t.metric("tocsin_remote_write_pending_samples", remote="r") > before + 5)
            r.otherwise = 200
            until("they arrive", lambda: t.metric("tocsin_remote_write_pending_samples", remote="r") == 0, 20)
            r.otherwise = 500
            until("they wait", lambda: t.metric("tocsin_remote_write_pending_samples", remote="r") > 5, 20)
            disk.mode("")
            until("and are on the disk again", lambda: t.metric("tocsin_remote_write_in_memory", remote="r") == 0, 20)
            r.otherwise = 200
            until("they arrive", lambda: t.metric("tocsin_remote_write_pending_samples", remote="r") == 0, 20)
            taken = r.samples()
            well_ordered(taken)
            equal(without_gaps(taken, "copied")[1], [])


def test_a_full_queue_drops_the_oldest():
    with folder() as d, Exporter() as x, Remote(otherwise=500) as r:
        def changing():
            return 200, {"Content-Type": TEXT}, "".join("m{i=\"%d\",pad=\"%s\"} %r\n" % (
                i, random.Random(i).getrandbits(100), random.random()) for i in range(5000)).encode()

        x.pages["/metrics"] = changing
        text = config(x, r, ", what: all, metadata_config: {send: false}", queue="batch_send_deadline: 1s, max_size: 1MiB").replace("500ms", "300ms")
        with start(d, text) as t:
            until("it is full", lambda: t.metric("tocsin_remote_write_samples_dropped_total", remote="r", reason="no_room"), 30)
            t.says("the oldest are dropped")
            assert t.metric("tocsin_remote_write_pending_bytes", remote="r") <= 1 << 20
            until("rules go on", lambda: t.get("/api/v1/query?query=time()").status == 200)
            r.otherwise = 200
            until("what is left arrives", lambda: t.metric("tocsin_remote_write_pending_samples", remote="r") == 0 or len(r.samples()) > 20000, 20)
            well_ordered(r.samples())


def test_reloads():
    with folder() as d, Level() as x, Remote() as r, Remote() as other:
        with start(d, config(x, r)) as t:
            until("samples arrive", r.samples)
            r.otherwise = 503
            until("they wait", lambda: t.metric("tocsin_remote_write_pending_samples", remote="r") > 0)
            both = config(x, r).replace("remote_write: [", "remote_write: [{name: s, url: '%s', queue_config: {batch_send_deadline: 1s}, "
                                        "write_relabel_configs: [{target_label: to, replacement: other}]}, " % other.url)
            reload(t, both)
            until("the new one gets some", other.samples)
            equal({s.labels["to"] for s in other.samples()}, {"other"})
            assert t.metric("tocsin_remote_write_pending_samples", remote="r") > 0
            r.otherwise = 200
            until("and the old one what has waited", lambda: t.metric("tocsin_remote_write_pending_samples", remote="r") == 0, 20)
            reload(t, both.replace("replacement: other", "replacement: changed"))
            until("rules for labels are others", lambda: any(s.labels["to"] == "changed" for s in other.samples()))
            taken = r.samples()
            well_ordered(taken)
            equal(without_gaps(taken, "copied")[1], [])
            r.otherwise = 503
            until("they wait", lambda: t.metric("tocsin_remote_write_pending_samples", remote="r") > 0)
            reload(t, config(x, other).replace("name: r", "name: s"))
            until("it is said", lambda: "a remote is named no more" in t.text())
            equal(len(os.listdir(d + "/data/remote_write")), 1)
            until("the other is shown alone", lambda: [q["remote"] for q in t.get("/api/tocsin/remote_write").json()] == ["s"])
            reload(t, config(x, other).split("storage:")[0])
            until("none is shown", lambda: t.get("/api/tocsin/remote_write").json() == [])
            n = len(other.requests())
            reload(t, config(x, other))
            until("it begins again", lambda: len(other.requests()) > n + 1)
        with start(d, config(x, other).split("storage:")[0]) as t:
            until("the folder of who is named no more goes", lambda: not os.listdir(d + "/data/remote_write"))


main()
